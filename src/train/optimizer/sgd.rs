//! Gradient descent.

use super::{Optimize, OptimizerState};
use crate::math::kernel::{Loop, vectorized};
use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// Plain gradient descent: w ← w − η g. "Stochastic" where the gradient is that of a minibatch (Robbins & Monro 1951).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Step size η; 0.001 unless said otherwise.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: Positive,
}

fn default_learning_rate() -> Positive {
    Positive::new(0.001).expect("in range")
}

impl Optimize for Sgd {
    fn slots(&self) -> &[f32] {
        &[]
    }

    fn learning_rate(&self) -> f32 {
        self.learning_rate.f32()
    }

    fn step(&self, _: &mut OptimizerState, params: &mut [f32], gradient: &[f32], learning_rate: f32) {
        vectorized(Step { params, gradient, rate: learning_rate });
    }
}

struct Step<'a> {
    params: &'a mut [f32],
    gradient: &'a [f32],
    rate: f32,
}

impl Loop for Step<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (param, g) in self.params.iter_mut().zip(self.gradient) {
            *param = (-self.rate).mul_add(*g, *param);
        }
    }
}
