//! A sheet that is rolled up.

use super::super::{Dataset, LoadContext, Source, TargetKind};
use super::{add_noise, between, class_count, count, many_classes, non_negative, one_value, room, stream};
use crate::error::Result;
use crate::values::{Count, NonNegative};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Points on a roll: the angle t runs from 1.5π to 4.5π, x₁ = t cos t, x₂ = 21u (u uniform, left out in 2 dimensions),
/// x₃ = t sin t. The classes `0`, `1` … are equal parts of the angle, from the inside outwards; a regression learns t.
///
/// Row i lies in class i mod `classes`, anywhere in its part, so no class is ever empty. The roll is that of
/// `make_swiss_roll` in scikit-learn (Marsland 2009, chapter 10; Pedregosa et al. 2011).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SwissRoll {
    /// Rows, at least as many as classes; default 400.
    pub samples: Count,
    /// Parts that the roll is cut into, 2 to 1000; default 4.
    pub classes: Count,
    /// Inputs, 2 or 3; default 3.
    pub dimensions: Count,
    /// Standard deviation of the noise on every input; default 0.
    pub noise: NonNegative,
    /// Seed of points and noise; default 0.
    pub seed: u64,
}

impl Default for SwissRoll {
    fn default() -> SwissRoll {
        let noise = non_negative(0.0);
        SwissRoll { samples: count(400), classes: count(4), dimensions: count(3), noise, seed: 0 }
    }
}

impl Source for SwissRoll {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let samples = self.samples.get();
        let dimensions = between("dimensions", self.dimensions, 2, 3)?;
        let mut inputs = room(samples, dimensions)?;
        let classes = class_count(self.classes, samples)?;
        let mut rng = stream(self.seed);
        let mut angles = Vec::with_capacity(samples);
        for row in 0..samples {
            let share = ((row % classes) as f64 + rng.uniform64()) / classes as f64;
            let (t, height) = (PI.mul_add(3.0 * share, 1.5 * PI), 21.0 * rng.uniform64());
            let [x, y, z] = on_the_roll(t, height);
            if dimensions == 2 {
                inputs.extend([x, z])
            } else {
                inputs.extend([x, y, z])
            }
            angles.push(t);
        }
        add_noise(&mut inputs, self.noise, &mut rng);
        match context.kind {
            TargetKind::Values => one_value("swiss-roll", context, inputs, angles),
            TargetKind::Classes | TargetKind::Inputs => {
                let labels = (0..samples).map(|row| (row % classes) as u32).collect();
                many_classes("swiss-roll", context, inputs, labels, classes)
            }
        }
    }
}

fn on_the_roll(t: f64, height: f64) -> [f64; 3] {
    [t * libm::cos(t), height, t * libm::sin(t)]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, load, values};
    use super::*;

    #[test]
    fn points_are_those_of_scikit_learn() {
        // sklearn 1.9.1: X, t = make_swiss_roll(2, random_state=1); heights are X[:, 1].
        for (t, point) in ORACLE {
            close(&on_the_roll(t, point[1]), &point, 1e-12);
        }
    }

    const ORACLE: [(f64, [f64; 3]); 2] = [
        (8.642728779461374, [-6.131764560150338, 0.0024018711642426194, 6.090831152988417]),
        (11.501287390780707, [5.571584832932526, 6.348984025268635, -10.061662590982046]),
    ];

    #[test]
    fn classes_are_parts_of_the_angle() {
        let roll = SwissRoll { classes: count(5), ..SwissRoll::default() };
        let flat = SwissRoll { dimensions: count(2), ..roll };
        let [angles, classes] = [TargetKind::Values, TargetKind::Classes].map(|kind| load(&roll, kind).unwrap());
        for (t, class) in values(&angles).iter().zip(values(&classes)) {
            assert_eq!(((t / PI - 1.5) / 3.0 * 5.0).floor(), class, "{t}");
        }
        let flat = load(&flat, TargetKind::Classes).unwrap();
        assert_eq!((flat.features(), classes.features()), (2, 3));
        assert_eq!(flat.inputs.column(0), classes.inputs.column(0));
        assert_eq!(flat.inputs.column(1), classes.inputs.column(2));
        let four = SwissRoll { dimensions: count(4), ..SwissRoll::default() };
        assert_eq!(load(&four, TargetKind::Classes).unwrap_err().code(), "P0121");
    }
}
