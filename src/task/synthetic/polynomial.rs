//! A polynomial of one input.

use super::super::{Dataset, LoadContext, Source};
use super::{add_noise, count, finite, grid, non_negative, one_value, stream};
use crate::error::Result;
use crate::values::{Count, Finite, NonNegative};
use serde::{Deserialize, Serialize};

/// One input evenly spaced over `domain`, both ends included, and c₀ + c₁x + c₂x² + … with noise as the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// c₀, c₁, c₂ …; none is the zero function.
    pub coefficients: Vec<Finite>,
    /// Rows; default 100.
    #[serde(default = "hundred")]
    pub samples: Count,
    /// Smallest and largest input; default (−1, 1).
    #[serde(default = "around_zero")]
    pub domain: (Finite, Finite),
    /// Standard deviation of the noise on the target; default 0.
    #[serde(default = "none")]
    pub noise: NonNegative,
    /// Seed of the noise; default 0.
    #[serde(default)]
    pub seed: u64,
}

impl Source for Polynomial {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let inputs = grid(self.samples, self.domain)?;
        let at = |x: &f64| self.coefficients.iter().rev().fold(0.0, |sum: f64, c| sum.mul_add(*x, c.get()));
        let mut values: Vec<f64> = inputs.iter().map(at).collect();
        add_noise(&mut values, self.noise, &mut stream(self.seed));
        one_value("polynomial", context, inputs, values)
    }
}

fn hundred() -> Count {
    count(100)
}

fn around_zero() -> (Finite, Finite) {
    (finite(-1.0), finite(1.0))
}

fn none() -> NonNegative {
    non_negative(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{load, values};
    use super::*;

    #[test]
    fn coefficients_rise_with_the_power() {
        let coefficients = [1.0, -2.0, 0.5].map(finite).to_vec();
        let domain = (finite(0.0), finite(4.0));
        let polynomial = Polynomial { coefficients, samples: count(3), domain, noise: none(), seed: 0 };
        assert_eq!(values(&load(&polynomial, TargetKind::Values).unwrap()), [1.0, -1.0, 1.0]);
    }
}
