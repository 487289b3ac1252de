//! Two spirals around each other.

use super::super::{Dataset, LoadContext, Source};
use super::{add_noise, count, non_negative, room, stream, two_classes};
use crate::error::Result;
use crate::values::{Count, NonNegative, Positive};
use serde::{Deserialize, Serialize};

/// Points on two interlocked spirals, in the plane; classes `first` and `second`, or the numbers 0 and 1.
///
/// For the share f from 0 to 1 along a spiral: angle 2π·turns·f, radius 6.5·(104 − 96f)/104, x = radius·sin(angle),
/// y = radius·cos(angle); the second spiral is −x, −y. The defaults are the 194 points of Lang & Witbrock 1988. Rows
/// alternate between the spirals, from the outside inwards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TwoSpirals {
    /// Rows of each class; default 97.
    pub points_per_spiral: Count,
    /// Turns of each spiral; default 3.
    pub turns: Positive,
    /// Standard deviation of the noise on both coordinates; default 0.
    pub noise: NonNegative,
    /// Seed of the noise; default 0.
    pub seed: u64,
}

impl Default for TwoSpirals {
    fn default() -> TwoSpirals {
        let turns = Positive::new(3.0).expect("above 0");
        TwoSpirals { points_per_spiral: count(97), turns, noise: non_negative(0.0), seed: 0 }
    }
}

impl Source for TwoSpirals {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let points = self.points_per_spiral.get();
        let mut inputs = room(points, 4)?;
        let last = points.saturating_sub(1).max(1) as f64;
        for index in 0..points {
            let share = index as f64 / last;
            let angle = std::f64::consts::TAU * self.turns.get() * share;
            let radius = 6.5 * (104.0 - 96.0 * share) / 104.0;
            let (x, y) = (radius * libm::sin(angle), radius * libm::cos(angle));
            inputs.extend([x, y, -x, -y]);
        }
        add_noise(&mut inputs, self.noise, &mut stream(self.seed));
        two_classes("two-spirals", context, inputs, [0, 1].repeat(points), ["first", "second"])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{close, load, values};
    use super::*;

    #[test]
    fn the_defaults_are_the_points_of_lang_and_witbrock() {
        let dataset = load(&TwoSpirals::default(), TargetKind::Classes).unwrap();
        assert_eq!((dataset.rows(), dataset.features()), (194, 2));
        assert_eq!(values(&dataset)[..4], [0.0, 1.0, 0.0, 1.0]);
        // numpy 2.4.6: i = 0, 1, 50, 96 of angle = i·π/16, radius = 6.5·(104 − i)/104.
        for (point, oracle) in [
            (0, [0.0, 6.5]),
            (1, [1.2558939479788256, 6.313805242595796]),
            (50, [-1.2915565842321781, -3.1180934222255927]),
            (96, [-3.6739403974420594e-16, 0.5]),
        ] {
            close(dataset.inputs.row(2 * point).as_slice().unwrap(), &oracle, 1e-12);
            close(dataset.inputs.row(2 * point + 1).as_slice().unwrap(), &oracle.map(|x| -x), 1e-12);
        }
    }
}
