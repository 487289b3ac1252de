//! Friedman's third problem: the phase shift of a circuit.

use super::super::{Dataset, LoadContext, Source};
use super::friedman2::{circuit, reactance};
use super::{count, non_negative};
use crate::error::Result;
use crate::values::{Count, NonNegative};
use serde::{Deserialize, Serialize};

/// y = arctan((x₂x₃ − 1/(x₂x₄))/x₁) + noise: the phase shift of the circuit of [`Friedman2`](super::friedman2::Friedman2).
///
/// Friedman 1991, eq. 64.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Friedman3 {
    /// Rows; default 200.
    pub samples: Count,
    /// Standard deviation of the noise on the target; default 0.1, a third of the signal's.
    pub noise: NonNegative,
    /// Seed of inputs and noise; default 0.
    pub seed: u64,
}

impl Default for Friedman3 {
    fn default() -> Friedman3 {
        Friedman3 { samples: count(200), noise: non_negative(0.1), seed: 0 }
    }
}

impl Source for Friedman3 {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        circuit("friedman3", context, self.samples, self.noise, self.seed, response)
    }
}

fn response(x: &[f64]) -> f64 {
    // The two-argument form is the quotient's arctangent for a resistance above 0, and defined at 0.
    libm::atan2(reactance(x), x[0])
}

#[cfg(test)]
mod tests {
    use super::super::tests::close;
    use super::*;

    #[test]
    fn responses_are_those_of_scikit_learn() {
        // sklearn 1.9.1: make_friedman3(2, noise=0, random_state=1).
        for (inputs, y) in [
            ([41.7022004702574, 1302.4060972789016, 0.00011437481734488664, 4.023325726318397], 0.0035674613600368277),
            ([14.675589081711305, 276.51063664719095, 0.1862602113776709, 4.455607270430478], 1.2932023263832897),
        ] {
            close(&[response(&inputs)], &[y], 1e-12);
        }
    }
}
