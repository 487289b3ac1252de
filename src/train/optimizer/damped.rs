//! Steps that solve a damped linear system: what Levenberg–Marquardt and Newton have in common.

use super::minimize::{Memory, Progress, along, norm, round, widened};
use crate::math::linear_algebra::{cholesky, cholesky_solve};
use crate::train::Objective;
use serde::{Deserialize, Serialize};

/// Memory between two trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Damped {
    point: Vec<f64>,
    loss: f64,
    /// A of (A + damping · I) step = −pull, its lower triangle, and the right side.
    matrix: Vec<f64>,
    pull: Vec<f64>,
    damping: f64,
    /// Whether `matrix` and `pull` are those of `point`.
    current: bool,
}

impl Damped {
    /// Whether the next trial needs a matrix first.
    pub(super) fn needs_matrix(&self) -> bool {
        !self.current
    }

    /// Whether it could be the memory of so many parameters.
    pub(super) fn fits(&self, parameters: usize) -> bool {
        let begun = self.point.len() == parameters;
        let lengths = (self.matrix.len(), self.pull.len());
        let whole = parameters.checked_mul(parameters).is_some_and(|square| lengths == (square, parameters));
        (begun || self.point.is_empty()) && if self.current { begun && whole } else { whole || lengths == (0, 0) }
    }
}

/// How damping goes up and down.
pub(super) struct Damping {
    pub first: f64,
    pub decrease: f64,
    pub increase: f64,
    pub largest: f64,
}

/// Damping does not fall below this, so that it can come back within a few trials.
const LEAST: f64 = 1e-20;

/// One trial: the matrix where the point is new, a step by the damping of now, the loss there. A lower loss is taken and
/// damping falls; otherwise it rises. A matrix that is not positive definite raises it before the trial, which costs no
/// pass.
///
/// `model` writes matrix and pull at a point and returns its loss. The gradient is `scale` · pull.
pub(super) fn trial(
    memory: &mut Memory,
    params: &mut [f32],
    objective: &mut dyn Objective,
    damping: &Damping,
    scale: f64,
    model: impl FnOnce(&mut dyn Objective, &[f64], &mut [f64], &mut [f64]) -> f64,
) -> Progress {
    let Memory::Damped(now) = memory else { unreachable!("the memory of another method") };
    if now.point.is_empty() {
        now.point = widened(params);
        now.damping = damping.first;
        now.matrix = vec![0.0; params.len() * params.len()];
        now.pull = vec![0.0; params.len()];
    }
    if !now.current {
        now.loss = model(objective, &now.point, &mut now.matrix, &mut now.pull);
        now.current = true;
    }
    let mut progress = Progress {
        loss: now.loss,
        gradient_norm: scale * norm(&now.pull),
        damping: Some(now.damping),
        moved: false,
        stuck: false,
    };
    if !(progress.loss.is_finite() && progress.gradient_norm.is_finite()) {
        return progress;
    }
    let parameters = params.len();
    let mut factor = vec![0.0; now.matrix.len()];
    loop {
        factor.copy_from_slice(&now.matrix);
        (0..parameters).for_each(|place| factor[place * (parameters + 1)] += now.damping);
        if cholesky(&mut factor, parameters) {
            break;
        }
        now.damping *= damping.increase;
        if now.damping > damping.largest {
            return Progress { damping: Some(now.damping), stuck: true, ..progress };
        }
    }
    let mut step = now.pull.clone();
    cholesky_solve(&factor, &mut step);
    let trial = along(&now.point, -1.0, &step);
    let loss = objective.loss(&trial);
    if loss < now.loss {
        now.point = trial;
        now.loss = loss;
        now.current = false;
        now.damping = (now.damping * damping.decrease).max(LEAST);
        round(&now.point, params);
        progress.moved = true;
    } else {
        now.damping *= damping.increase;
        progress.stuck = now.damping > damping.largest;
    }
    Progress { loss: now.loss, damping: Some(now.damping), ..progress }
}
