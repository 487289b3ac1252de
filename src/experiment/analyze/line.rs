//! Losses on straight lines between weights.

use super::opened::Seed;
use super::{Label, at, blend, losses};
use crate::experiment::record::Moment;
use crate::experiment::replicate::Weights;
use crate::network::{Mlp, Workspace};
use serde::Serialize;

/// Steps of a line; it has one point more.
const STEPS: usize = 20;

/// A row of `paths.csv`: a point on the way drawn → start → end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PathRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Where the straight line begins.
    pub from: Moment,
    /// Where it ends.
    pub to: Moment,
    /// Share of its length, 0 to 1.
    pub share: f64,
    /// Loss on the training rows; none if it is not finite.
    pub train_loss: Option<f64>,
    /// Loss on the test rows.
    pub test_loss: Option<f64>,
}

/// A row of `between.csv`: a point on the line between the deployed weights of two arms, or of one arm at two seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BetweenRow {
    /// Arm at share 0.
    pub first: String,
    /// Arm at share 1.
    pub second: String,
    /// Seed of the first arm.
    pub seed: u64,
    /// Seed of the second arm.
    pub second_seed: u64,
    /// Whether the second arm's hidden units were put into the first one's order.
    pub aligned: bool,
    /// Share of the line's length, 0 to 1.
    pub share: f64,
    /// Loss on the training rows; none if it is not finite.
    pub train_loss: Option<f64>,
    /// Loss on the test rows.
    pub test_loss: Option<f64>,
}

/// Losses along a straight line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve(pub Vec<f64>);

impl Curve {
    /// The most that the loss lies above the straight line between its own ends, at least 0; infinite if a loss between is
    /// not finite, `None` of fewer than two points or ends that are not finite.
    ///
    /// The barrier of Frankle et al. 2020 (linear mode connectivity).
    pub fn barrier(&self) -> Option<f64> {
        let (first, last) = (*self.0.first()?, *self.0.last()?);
        let steps = (self.0.len() - 1) as f64;
        if self.0.len() < 2 || !first.is_finite() || !last.is_finite() {
            return None;
        }
        let above = |(step, loss): (usize, &f64)| {
            let share = step as f64 / steps;
            loss - (first * (1.0 - share) + last * share)
        };
        let most = self.0.iter().enumerate().map(above).map(|x| if x.is_nan() { f64::INFINITY } else { x });
        Some(most.fold(0.0, f64::max))
    }

    /// The most that the loss climbs on the way, above the lowest before: 0 where it only falls. Infinite and `None` as for
    /// [`Curve::barrier`].
    ///
    /// Whether losses fall all along the line from start to end: Goodfellow, Vinyals & Saxe 2015.
    pub fn climb(&self) -> Option<f64> {
        if self.0.len() < 2 || !self.0[0].is_finite() {
            return None;
        }
        let (mut lowest, mut most) = (f64::INFINITY, 0.0_f64);
        for &loss in &self.0 {
            lowest = lowest.min(loss);
            most = most.max(if loss.is_finite() { loss - lowest } else { f64::INFINITY });
        }
        Some(most)
    }
}

/// A point of a line.
pub(super) struct Point {
    pub share: f64,
    pub train_loss: Option<f64>,
    pub test_loss: Option<f64>,
}

/// Points of the line from `a` to `b`, both included.
pub(super) fn between(network: &Mlp, seed: &Seed, a: &[f32], b: &[f32]) -> Vec<Point> {
    let (mut params, mut workspace) = (Vec::new(), Workspace::new());
    let point = |step: usize| {
        let share = step as f64 / STEPS as f64;
        blend(a, b, share, &mut params);
        let (train_loss, test_loss) = losses(network, seed, &params, &mut workspace);
        Point { share, train_loss, test_loss }
    };
    (0..=STEPS).map(point).collect()
}

/// Losses along the way of a run. A piece without length has no rows.
pub(super) fn along_path(network: &Mlp, seed: &Seed, weights: &Weights, label: Label, out: &mut Vec<PathRow>) {
    for (from, to) in [(Moment::Drawn, Moment::Start), (Moment::Start, Moment::End)] {
        let (Some(a), Some(b)) = (at(weights, from), at(weights, to)) else { continue };
        if a == b {
            continue;
        }
        out.extend(between(network, seed, a, b).into_iter().map(|point| PathRow {
            arm: label.arm.to_owned(),
            seed: label.seed,
            from,
            to,
            share: point.share,
            train_loss: point.train_loss,
            test_loss: point.test_loss,
        }));
    }
}
