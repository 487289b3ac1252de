//! RMSProp.

use super::{Optimize, OptimizerState};
use crate::math::kernel::{Loop, vectorized};
use crate::values::{NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// RMSProp: steps along the gradient, divided by the root of its mean square (Tieleman & Hinton 2012, lecture 6e).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsProp {
    /// Step size; 0.01 unless said otherwise.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: Positive,
    /// Decay of the mean square; 0.99.
    #[serde(default = "default_decay")]
    pub decay: Probability,
    /// Added to the root; 1e-8.
    #[serde(default = "default_epsilon")]
    pub epsilon: NonNegative,
}

fn default_learning_rate() -> Positive {
    Positive::new(0.01).expect("in range")
}
fn default_decay() -> Probability {
    Probability::new(0.99).expect("in range")
}
fn default_epsilon() -> NonNegative {
    NonNegative::new(1e-8).expect("in range")
}

impl Optimize for RmsProp {
    fn slots(&self) -> &[f32] {
        &[0.0]
    }

    fn learning_rate(&self) -> f32 {
        self.learning_rate.f32()
    }

    fn step(&self, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32], learning_rate: f32) {
        vectorized(Step {
            params,
            gradient,
            square: &mut state.slots[0],
            decay: self.decay.f32(),
            rest: (1.0 - self.decay.get()) as f32,
            rate: learning_rate,
            epsilon: self.epsilon.f32(),
        });
    }
}

struct Step<'a> {
    params: &'a mut [f32],
    gradient: &'a [f32],
    square: &'a mut [f32],
    decay: f32,
    rest: f32,
    rate: f32,
    epsilon: f32,
}

impl Loop for Step<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((param, g), square) in self.params.iter_mut().zip(self.gradient).zip(self.square) {
            *square = self.decay.mul_add(*square, self.rest * g * g);
            *param -= self.rate * *g / (square.sqrt() + self.epsilon);
        }
    }
}
