//! Gradient descent with momentum.

use super::{Optimize, OptimizerState};
use crate::math::kernel::{Loop, vectorized};
use crate::values::{Positive, Probability};
use serde::{Deserialize, Serialize};

/// The heavy ball: v ← μ v + g, w ← w − η v (Polyak 1964, with the learning rate outside of the velocity).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Momentum {
    /// Step size η; 0.001 unless said otherwise.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: Positive,
    /// Share μ of the velocity that stays from step to step; 0.9.
    #[serde(default = "default_momentum")]
    pub momentum: Probability,
}

pub(super) fn default_learning_rate() -> Positive {
    Positive::new(0.001).expect("in range")
}
pub(super) fn default_momentum() -> Probability {
    Probability::new(0.9).expect("in range")
}

impl Optimize for Momentum {
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
            *param = (-self.rate).mul_add(*velocity, *param);
        }
    }
}
