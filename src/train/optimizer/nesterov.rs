//! Gradient descent with Nesterov's momentum.

use super::momentum::{default_learning_rate, default_momentum};
use super::{Optimize, OptimizerState};
use crate::math::kernel::{Loop, vectorized};
use crate::values::{Positive, Probability};
use serde::{Deserialize, Serialize};

/// Nesterov's accelerated gradient: v ← μ v + g, w ← w − η (g + μ v) (Nesterov 1983; in the form of Sutskever et al.
/// 2013 with the parameters taken at the point ahead, so that the gradient is that of the parameters themselves).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nesterov {
    /// Step size η; 0.001 unless said otherwise.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: Positive,
    /// Share μ of the velocity that stays from step to step; 0.9.
    #[serde(default = "default_momentum")]
    pub momentum: Probability,
}

impl Optimize for Nesterov {
    fn slots(&self) -> &[f32] {
        &[0.0]
    }

    fn learning_rate(&self) -> f32 {
        self.learning_rate.f32()
    }

    fn step(&self, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32], learning_rate: f32) {
        let velocity = &mut state.slots[0];
        vectorized(Step { params, gradient, velocity, momentum: self.momentum.f32(), rate: learning_rate });
    }
}

struct Step<'a> {
    params: &'a mut [f32],
    gradient: &'a [f32],
    velocity: &'a mut [f32],
    momentum: f32,
    rate: f32,
}

impl Loop for Step<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((param, g), velocity) in self.params.iter_mut().zip(self.gradient).zip(self.velocity) {
            *velocity = self.momentum.mul_add(*velocity, *g);
            *param = (-self.rate).mul_add(self.momentum.mul_add(*velocity, *g), *param);
        }
    }
}
