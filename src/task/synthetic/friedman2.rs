//! Friedman's second problem: the impedance of a circuit.

use super::super::{Dataset, LoadContext, Source};
use super::{add_noise, count, non_negative, one_value, room, stream};
use crate::error::Result;
use crate::values::{Count, NonNegative};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// y = √(x₁² + (x₂x₃ − 1/(x₂x₄))²) + noise: the impedance of an alternating current circuit.
///
/// Uniform inputs: resistance x₁ on \[0, 100), angular frequency x₂ on \[40π, 560π), inductance x₃ on \[0, 1),
/// capacitance x₄ on \[1, 11). Friedman 1991, eq. 63.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Friedman2 {
    /// Rows; default 200.
    pub samples: Count,
    /// Standard deviation of the noise on the target; default 125, a third of the signal's.
    pub noise: NonNegative,
    /// Seed of inputs and noise; default 0.
    pub seed: u64,
}

impl Default for Friedman2 {
    fn default() -> Friedman2 {
        Friedman2 { samples: count(200), noise: non_negative(125.0), seed: 0 }
    }
}

impl Source for Friedman2 {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        circuit("friedman2", context, self.samples, self.noise, self.seed, response)
    }
}

/// A data set over the four properties of a circuit.
pub(super) fn circuit(
    name: &str,
    context: &LoadContext,
    samples: Count,
    noise: NonNegative,
    seed: u64,
    response: fn(&[f64]) -> f64,
) -> Result<Dataset> {
    let mut rng = stream(seed);
    let mut inputs = room(samples.get(), 4)?;
    for _ in 0..samples.get() {
        inputs.push(100.0 * rng.uniform64());
        inputs.push(PI * (40.0 + 520.0 * rng.uniform64()));
        inputs.push(rng.uniform64());
        inputs.push(1.0 + 10.0 * rng.uniform64());
    }
    let mut values: Vec<f64> = inputs.chunks(4).map(response).collect();
    add_noise(&mut values, noise, &mut rng);
    one_value(name, context, inputs, values)
}

/// ωL − 1/(ωC), the reactance.
pub(super) fn reactance(x: &[f64]) -> f64 {
    x[1] * x[2] - 1.0 / (x[1] * x[3])
}

fn response(x: &[f64]) -> f64 {
    (x[0] * x[0] + reactance(x) * reactance(x)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{close, load};
    use super::*;

    #[test]
    fn responses_are_those_of_scikit_learn() {
        // sklearn 1.9.1: make_friedman2(2, noise=0, random_state=1).
        for (inputs, y) in [
            ([41.7022004702574, 1302.4060972789016, 0.00011437481734488664, 4.023325726318397], 41.702465839041636),
            ([14.675589081711305, 276.51063664719095, 0.1862602113776709, 4.455607270430478], 53.55222748803755),
        ] {
            close(&[response(&inputs)], &[y], 1e-9);
        }
    }

    #[test]
    fn inputs_keep_to_their_ranges() {
        let dataset = load(&Friedman2::default(), TargetKind::Values).unwrap();
        let ranges = [0.0..100.0, 40.0 * PI..560.0 * PI, 0.0..1.0, 1.0..11.0];
        for row in dataset.inputs.rows() {
            assert!(row.iter().zip(&ranges).all(|(x, range)| range.contains(x)), "{row}");
        }
    }
}
