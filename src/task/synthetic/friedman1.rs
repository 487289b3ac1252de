//! Friedman's first problem: five inputs that matter among others that do not.

use super::super::{Dataset, LoadContext, Source};
use super::{add_noise, count, non_negative, one_value, room, stream};
use crate::error::{Error, Result};
use crate::values::{Count, NonNegative};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// y = 10 sin(π x₁ x₂) + 20 (x₃ − ½)² + 10 x₄ + 5 x₅ + noise, all inputs uniform on \[0, 1).
///
/// Friedman 1991, eq. 56.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Friedman1 {
    /// Rows; default 200.
    pub samples: Count,
    /// Inputs, at least 5, of which all beyond the fifth are idle; default 10.
    pub features: Count,
    /// Standard deviation of the noise on the target; default 1.
    pub noise: NonNegative,
    /// Seed of inputs and noise; default 0.
    pub seed: u64,
}

impl Default for Friedman1 {
    fn default() -> Friedman1 {
        Friedman1 { samples: count(200), features: count(10), noise: non_negative(1.0), seed: 0 }
    }
}

impl Source for Friedman1 {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let (samples, features) = (self.samples.get(), self.features.get());
        if features < 5 {
            return Err(Error::experiment("P0121", format!("`features` must be at least 5, found {features}")));
        }
        let mut rng = stream(self.seed);
        let mut inputs = room(samples, features)?;
        inputs.extend((0..samples * features).map(|_| rng.uniform64()));
        let mut values: Vec<f64> = inputs.chunks(features).map(response).collect();
        add_noise(&mut values, self.noise, &mut rng);
        one_value("friedman1", context, inputs, values)
    }
}

fn response(x: &[f64]) -> f64 {
    let bowl = (x[2] - 0.5) * (x[2] - 0.5);
    10.0 * libm::sin(PI * x[0] * x[1]) + 20.0 * bowl + 10.0 * x[3] + 5.0 * x[4]
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{close, load, values};
    use super::*;

    #[test]
    fn responses_are_those_of_scikit_learn() {
        // sklearn 1.9.1: make_friedman1(2, n_features=5, noise=0, random_state=1).
        for (inputs, y) in [
            (
                [
                    0.417022004702574,
                    0.7203244934421581,
                    0.00011437481734488664,
                    0.30233257263183977,
                    0.14675589081711304,
                ],
                16.852204947699782,
            ),
            (
                [0.0923385947687978, 0.1862602113776709, 0.34556072704304774, 0.39676747423066994, 0.538816734003357],
                7.678848035169159,
            ),
        ] {
            close(&[response(&inputs)], &[y], 1e-12);
        }
    }

    #[test]
    fn inputs_fill_the_cube() {
        let friedman = Friedman1 { samples: count(20_000), ..Friedman1::default() };
        let dataset = load(&friedman, TargetKind::Values).unwrap();
        assert!(dataset.inputs.iter().all(|x| (0.0..1.0).contains(x)));
        let means = dataset.inputs.mean_axis(ndarray::Axis(0)).unwrap();
        assert!(means.iter().all(|mean| (mean - 0.5).abs() < 0.01), "{means}");
        // Variance of the function over the cube 23.8 (Friedman 1991 gives a signal-to-noise ratio of 4.8), of the noise 1.
        let y = values(&dataset);
        let mean = y.iter().sum::<f64>() / 20_000.0;
        let variance = y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / 20_000.0;
        assert!((variance - 24.8).abs() < 0.6, "{variance}");
        let few = Friedman1 { features: count(4), ..Friedman1::default() };
        assert_eq!(load(&few, TargetKind::Values).unwrap_err().code(), "P0121");
    }
}
