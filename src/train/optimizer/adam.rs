//! Adam.

use super::{Optimize, OptimizerState};
use crate::math::kernel::{Loop, vectorized};
use crate::values::{NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// Adam: steps along the mean gradient, divided by the root of its mean square (Kingma & Ba 2015, algorithm 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Step size; 0.001 unless said otherwise.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: Positive,
    /// Decay of the mean gradient; 0.9.
    #[serde(default = "default_beta1")]
    pub beta1: Probability,
    /// Decay of the mean square; 0.999.
    #[serde(default = "default_beta2")]
    pub beta2: Probability,
    /// Added to the root; 1e-8.
    #[serde(default = "default_epsilon")]
    pub epsilon: NonNegative,
}

pub(super) fn default_learning_rate() -> Positive {
    Positive::new(0.001).expect("in range")
}
pub(super) fn default_beta1() -> Probability {
    Probability::new(0.9).expect("in range")
}
pub(super) fn default_beta2() -> Probability {
    Probability::new(0.999).expect("in range")
}
pub(super) fn default_epsilon() -> NonNegative {
    NonNegative::new(1e-8).expect("in range")
}

impl Default for Adam {
    fn default() -> Adam {
        let (beta1, beta2) = (default_beta1(), default_beta2());
        Adam { learning_rate: default_learning_rate(), beta1, beta2, epsilon: default_epsilon() }
    }
}

impl Optimize for Adam {
    fn slots(&self) -> &[f32] {
        &[0.0, 0.0]
    }

    fn learning_rate(&self) -> f32 {
        self.learning_rate.f32()
    }

    fn step(&self, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32], learning_rate: f32) {
        self.shrinking_step(state, params, gradient, learning_rate, 1.0);
    }
}

impl Adam {
    /// A step of parameters that are multiplied by `keep` before.
    pub(super) fn shrinking_step(
        &self,
        state: &mut OptimizerState,
        params: &mut [f32],
        gradient: &[f32],
        learning_rate: f32,
        keep: f32,
    ) {
        let correction = |beta: f64| 1.0 - libm::pow(beta, state.step as f64);
        let (beta1, beta2) = (self.beta1.get(), self.beta2.get());
        // The corrections of both moments folded into step size and epsilon (the end of section 2 of the paper).
        let root = correction(beta2).sqrt();
        let [mean, square] = &mut state.slots[..] else { unreachable!("Adam has two slots") };
        vectorized(Step {
            params,
            gradient,
            mean,
            square,
            keep,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            // Taken in double precision: 1 − 0.999 in single precision is off by 1e-5 of itself.
            rest1: (1.0 - beta1) as f32,
            rest2: (1.0 - beta2) as f32,
            rate: (f64::from(learning_rate) * root / correction(beta1)) as f32,
            epsilon: (self.epsilon.get() * root) as f32,
        });
    }
}

struct Step<'a> {
    params: &'a mut [f32],
    gradient: &'a [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
    keep: f32,
    beta1: f32,
    beta2: f32,
    rest1: f32,
    rest2: f32,
    rate: f32,
    epsilon: f32,
}

impl Loop for Step<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let moments = self.mean.iter_mut().zip(self.square.iter_mut());
        for ((param, g), (mean, square)) in self.params.iter_mut().zip(self.gradient).zip(moments) {
            // Kept in registers: read back at once, a moment that straddles two cache lines stalls the step.
            let (m, v) = (self.beta1.mul_add(*mean, self.rest1 * g), self.beta2.mul_add(*square, self.rest2 * g * g));
            *param = *param * self.keep - self.rate * m / (v.sqrt() + self.epsilon);
            (*mean, *square) = (m, v);
        }
    }
}
