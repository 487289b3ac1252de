//! One circle within another.

use super::super::{Dataset, LoadContext, Source};
use super::{add_noise, count, non_negative, room, stream, two_classes};
use crate::error::Result;
use crate::values::{Count, NonNegative, Probability};
use serde::{Deserialize, Serialize};

/// Points on a circle of radius 1 and on one of radius `factor`, evenly spaced before the noise; classes `outer` and
/// `inner`, or the numbers 0 and 1. All of the outer circle comes first.
///
/// As `make_circles` of scikit-learn (Pedregosa et al. 2011).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Circles {
    /// Rows, half of them in each class (of an odd number the inner circle has one more); default 200.
    pub samples: Count,
    /// Standard deviation of the noise on both coordinates; default 0.1.
    pub noise: NonNegative,
    /// Radius of the inner circle, 0 to 1; default 0.5.
    pub factor: Probability,
    /// Seed of the noise; default 0.
    pub seed: u64,
}

impl Default for Circles {
    fn default() -> Circles {
        let factor = Probability::new(0.5).expect("a share");
        Circles { samples: count(200), noise: non_negative(0.1), factor, seed: 0 }
    }
}

impl Source for Circles {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let samples = self.samples.get();
        let mut inputs = room(samples, 2)?;
        let (outer, inner) = (samples / 2, samples - samples / 2);
        for (points, radius) in [(outer, 1.0), (inner, self.factor.get())] {
            for index in 0..points {
                let angle = std::f64::consts::TAU * index as f64 / points as f64;
                inputs.extend([radius * libm::cos(angle), radius * libm::sin(angle)]);
            }
        }
        add_noise(&mut inputs, self.noise, &mut stream(self.seed));
        let labels = [vec![0; outer], vec![1; inner]].concat();
        two_classes("circles", context, inputs, labels, ["outer", "inner"])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{close, load, values};
    use super::*;

    #[test]
    fn points_are_those_of_scikit_learn() {
        // sklearn 1.9.1: make_circles(7, shuffle=False, noise=None, factor=0.3).
        let factor = Probability::new(0.3).unwrap();
        let circles = Circles { samples: count(7), noise: non_negative(0.0), factor, seed: 0 };
        let dataset = load(&circles, TargetKind::Values).unwrap();
        close(
            dataset.inputs.as_slice().unwrap(),
            &[
                1.0,
                0.0,
                -0.4999999999999998,
                0.8660254037844387,
                -0.5000000000000004,
                -0.8660254037844384,
                0.3,
                0.0,
                1.8369701987210297e-17,
                0.3,
                -0.3,
                3.6739403974420595e-17,
                -5.510910596163089e-17,
                -0.3,
            ],
            1e-12,
        );
        assert_eq!(values(&dataset), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
