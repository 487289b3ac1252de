//! AdamW.

use super::adam::{Adam, default_beta1, default_beta2, default_epsilon, default_learning_rate};
use super::{Optimize, OptimizerState};
use crate::values::{NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// Adam with decoupled weight decay: parameters shrink by η · `weight_decay` before each step of [`Adam`], whatever the
/// gradient (Loshchilov & Hutter 2019, algorithm 2). Thresholds shrink too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamW {
    /// Step size η; 0.001 unless said otherwise.
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
    /// Shrinkage per step and learning rate; 0.01.
    #[serde(default = "default_weight_decay")]
    pub weight_decay: NonNegative,
}

fn default_weight_decay() -> NonNegative {
    NonNegative::new(0.01).expect("in range")
}

impl Optimize for AdamW {
    fn slots(&self) -> &[f32] {
        &[0.0, 0.0]
    }

    fn learning_rate(&self) -> f32 {
        self.learning_rate.f32()
    }

    fn step(&self, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32], learning_rate: f32) {
        let AdamW { learning_rate: _, beta1, beta2, epsilon, weight_decay } = *self;
        let adam = Adam { learning_rate: self.learning_rate, beta1, beta2, epsilon };
        let keep = (1.0 - f64::from(learning_rate) * weight_decay.get()) as f32;
        adam.shrinking_step(state, params, gradient, learning_rate, keep);
    }
}
