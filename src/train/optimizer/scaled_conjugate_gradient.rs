//! Scaled conjugate gradient.

use super::minimize::{Memory, Minimize, Precision, Progress, along, dot, norm, round, widened};
use super::{Steps, Train};
use crate::cost::Cost;
use crate::train::{Objective, Prices};
use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// Conjugate directions whose length comes from the curvature along them instead of a line search (Møller 1993; the
/// numbers in the code are the steps of its algorithm).
///
/// For networks of any size and every loss, on all rows; it has nothing to tune. A step is one trial: the gradient a little
/// way along the direction where that is new, which tells the curvature, and loss and gradient at the trial: two gradients
/// at most, three at the first step. Gradients are asked for in single precision as long as that tells enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaledConjugateGradient {
    /// Distance σ over which curvature is measured; 5e-5 unless said otherwise. Gradients of single precision are compared
    /// over 5e-4 at least.
    #[serde(default = "default_sigma")]
    pub sigma: Positive,
    /// First scale λ₁ that is added to the curvature; 5e-7.
    #[serde(default = "default_lambda")]
    pub lambda: Positive,
}

fn default_sigma() -> Positive {
    Positive::new(5e-5).expect("in range")
}
fn default_lambda() -> Positive {
    Positive::new(5e-7).expect("in range")
}

/// Least σ in single precision, where gradients that lie nearer to each other differ by little else than rounding.
const LEAST_SIGMA: f64 = 5e-4;

/// Memory between two steps, in the paper's symbols.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conjugate {
    precision: Precision,
    /// w and E(w).
    point: Vec<f64>,
    loss: f64,
    /// r = −E′(w).
    residual: Vec<f64>,
    /// p.
    direction: Vec<f64>,
    /// δ of a trial that failed.
    delta: f64,
    lambda: f64,
    /// λ̄.
    raised: f64,
    /// Whether the last trial was taken.
    success: bool,
    /// Trials that were taken.
    taken: u64,
}

impl Conjugate {
    /// Whether it could be the memory of so many parameters.
    pub(super) fn fits(&self, parameters: usize) -> bool {
        let lengths = [self.point.len(), self.residual.len(), self.direction.len()];
        lengths == [0; 3] || lengths == [parameters; 3]
    }
}

impl Conjugate {
    /// `progress`, unless single precision cannot tell so small a decrease, or is stuck: then it begins anew.
    fn unless_lost(&mut self, decrease: f64, progress: Progress) -> Progress {
        if self.precision.is_lost(decrease, self.loss, progress.stuck) {
            *self = Conjugate { precision: Precision::Double, ..Conjugate::default() };
            return Progress { stuck: false, ..progress };
        }
        progress
    }
}

impl Train for ScaledConjugateGradient {
    fn steps(&self) -> Steps<'_> {
        Steps::ByObjective(self)
    }
}

impl Minimize for ScaledConjugateGradient {
    fn begin(&self) -> Memory {
        Memory::Conjugate(Conjugate::default())
    }

    fn next_cost(&self, memory: &Memory, prices: &Prices) -> Cost {
        prices.gradient.times(match memory {
            Memory::Conjugate(now) if !now.point.is_empty() => 1 + u64::from(now.success),
            _ => 3,
        })
    }

    fn step_cost(&self, prices: &Prices) -> Cost {
        prices.gradient.times(3)
    }

    fn step(&self, memory: &mut Memory, params: &mut [f32], objective: &mut dyn Objective) -> Progress {
        let Memory::Conjugate(now) = memory else { unreachable!("the memory of another method") };
        let mut gradient = vec![0.0; params.len()];
        if now.point.is_empty() {
            // (1)
            now.point = widened(params);
            now.loss = now.precision.gradient(objective, &now.point, &mut gradient);
            now.residual = gradient.iter().map(|g| -g).collect();
            now.direction.clone_from(&now.residual);
            (now.lambda, now.success) = (self.lambda.get(), true);
        }
        let norm_now = norm(&now.residual);
        let at = |now: &Conjugate, stuck: bool| Progress {
            loss: now.loss,
            gradient_norm: norm(&now.residual),
            damping: Some(now.lambda),
            moved: now.success && !stuck,
            stuck,
        };
        if !(now.loss.is_finite() && norm_now.is_finite()) || norm_now == 0.0 {
            let progress = at(now, norm_now == 0.0);
            return now.unless_lost(f64::INFINITY, progress);
        }
        let length = dot(&now.direction, &now.direction);
        if now.success {
            // (2) The curvature along p, by a difference of gradients.
            let least = if now.precision == Precision::Single { LEAST_SIGMA } else { 0.0 };
            let sigma = self.sigma.get().max(least) / length.sqrt();
            let near = now.precision.along(&now.point, sigma, &now.direction);
            now.precision.gradient(objective, &near, &mut gradient);
            // E′ = −r.
            now.delta = along(&gradient, 1.0, &now.residual)
                .iter()
                .zip(&now.direction)
                .fold(0.0, |sum, (difference, p)| (difference / sigma).mul_add(*p, sum));
        }
        // (3)
        now.delta += (now.lambda - now.raised) * length;
        // (4) Where the curvature is negative, λ is raised until it is not.
        if now.delta <= 0.0 {
            now.raised = 2.0 * (now.lambda - now.delta / length);
            now.delta = -now.delta + now.lambda * length;
            now.lambda = now.raised;
        }
        // (5)
        let mu = dot(&now.direction, &now.residual);
        let alpha = mu / now.delta;
        // (6) How well the parabola foretold the loss.
        let trial = now.precision.along(&now.point, alpha, &now.direction);
        let loss = now.precision.gradient(objective, &trial, &mut gradient);
        let comparison = 2.0 * now.delta * (now.loss - loss) / (mu * mu);
        let finite = comparison.is_finite() && gradient.iter().all(|g| g.is_finite());
        // (7)
        if finite && comparison >= 0.0 {
            let before = std::mem::replace(&mut now.residual, gradient.iter().map(|g| -g).collect());
            (now.point, now.loss) = (trial, loss);
            (now.raised, now.success) = (0.0, true);
            now.taken += 1;
            if now.taken.is_multiple_of(params.len() as u64) {
                now.direction.clone_from(&now.residual);
            } else {
                let beta = (dot(&now.residual, &now.residual) - dot(&now.residual, &before)) / mu;
                now.direction = along(&now.residual, beta, &now.direction);
            }
            if comparison >= 0.75 {
                now.lambda *= 0.25;
            }
            round(&now.point, params);
        } else {
            (now.raised, now.success) = (now.lambda, false);
        }
        // (8) A trial without a finite loss says no more than that it went too far.
        if !finite {
            now.lambda += 3.0 * now.lambda + now.delta / length;
        } else if comparison < 0.25 {
            now.lambda += now.delta * (1.0 - comparison) / length;
        }
        // A direction along which the loss is level tells no length.
        if now.success && dot(&now.direction, &now.residual) == 0.0 {
            now.direction.clone_from(&now.residual);
        }
        // No difference can be seen any more: scaled so high, a step moves nothing.
        let moves = (0..params.len()).any(|i| now.point[i] + alpha * now.direction[i] != now.point[i]);
        let progress = at(now, !now.lambda.is_finite() || (!now.success && !moves));
        // The parabola's decrease at this step.
        now.unless_lost(0.5 * alpha * mu, progress)
    }

    fn numbers(&self, parameters: u64) -> u64 {
        5 * parameters
    }
}
