//! Circular waves.

use super::super::{Dataset, LoadContext, Source, TargetKind};
use super::{add_noise, balanced, count, non_negative, one_value, room, stream, two_classes};
use crate::error::Result;
use crate::rng::Rng;
use crate::values::{Count, NonNegative, Positive};
use serde::{Deserialize, Serialize};

/// z = sin(k·r) + noise, r = √(x₁² + x₂²), both inputs uniform on \[−1, 1): rings of height and depth around the middle.
///
/// A regression learns z; a classification the rings: `trough` where z < 0, else `crest`. Points of which one class has less
/// than a tenth of an equal share are drawn anew, at most 20 times; below k = 2.3 there is hardly a trough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ripple {
    /// Rows; default 400.
    pub samples: Count,
    /// k, radians per unit of radius; default 10, which makes five rings.
    pub frequency: Positive,
    /// Standard deviation of the noise on z, from which classes are told too; default 0.
    pub noise: NonNegative,
    /// Seed of points and noise; default 0.
    pub seed: u64,
}

impl Default for Ripple {
    fn default() -> Ripple {
        let frequency = Positive::new(10.0).expect("above 0");
        Ripple { samples: count(400), frequency, noise: non_negative(0.0), seed: 0 }
    }
}

impl Source for Ripple {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        if context.kind == TargetKind::Values {
            let (inputs, heights) = self.draw(&mut stream(self.seed))?;
            return one_value("ripple", context, inputs, heights);
        }
        let ways = "choose a larger `frequency`, or more `samples`";
        let (inputs, labels) = balanced("Ripple", self.seed, 2, ways, |rng| {
            let (inputs, heights) = self.draw(rng)?;
            Ok((inputs, heights.iter().map(|z| u32::from(*z >= 0.0)).collect()))
        })?;
        two_classes("ripple", context, inputs, labels, ["trough", "crest"])
    }
}

impl Ripple {
    /// Points and their heights.
    fn draw(&self, rng: &mut Rng) -> Result<(Vec<f64>, Vec<f64>)> {
        let samples = self.samples.get();
        let mut inputs = room(samples, 2)?;
        inputs.extend((0..2 * samples).map(|_| rng.uniform64().mul_add(2.0, -1.0)));
        let height =
            |point: &[f64]| libm::sin(self.frequency.get() * (point[0] * point[0] + point[1] * point[1]).sqrt());
        let mut heights: Vec<f64> = inputs.chunks(2).map(height).collect();
        add_noise(&mut heights, self.noise, rng);
        Ok((inputs, heights))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{load, values};
    use super::*;

    #[test]
    fn heights_depend_on_the_radius_and_classes_on_their_sign() {
        let ripple = Ripple { frequency: Positive::new(7.0).unwrap(), ..Ripple::default() };
        let [heights, classes] = [TargetKind::Values, TargetKind::Classes].map(|kind| load(&ripple, kind).unwrap());
        assert_eq!(heights.inputs, classes.inputs);
        for ((point, z), class) in heights.inputs.rows().into_iter().zip(values(&heights)).zip(values(&classes)) {
            let radius = point[0].hypot(point[1]);
            assert!((z - libm::sin(7.0 * radius)).abs() < 1e-12);
            assert_eq!(class == 1.0, z >= 0.0);
        }
    }

    #[test]
    fn water_without_a_trough_has_no_classes() {
        let flat = Ripple { frequency: Positive::new(1.0).unwrap(), ..Ripple::default() };
        assert!(load(&flat, TargetKind::Values).is_ok());
        let error = load(&flat, TargetKind::Classes).unwrap_err().to_string();
        assert_eq!(
            error,
            "error[P0210]: Ripple with these settings leaves class 0 with 0 of 400 rows\n   = note: each of 2 classes \
             needs 20, a tenth of an equal share; 20 draws were tried\n   = help: choose a larger `frequency`, or more \
             `samples`"
        );
    }
}
