//! Gradient descent and its relatives: how a gradient changes the parameters.

mod adam;

pub use adam::Adam;

use serde::{Deserialize, Serialize};

/// What an optimizer remembers between steps: plain numbers, so that it can be copied, put back and saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizerState {
    /// Steps taken since the start.
    pub step: u64,
    /// Moments, previous gradients, step sizes: as many slices of the parameters' length as the method needs.
    pub slots: Vec<Vec<f32>>,
}

impl OptimizerState {
    /// Makes it the fresh state of `optimizer`. Allocates only at first use.
    pub fn reset(&mut self, optimizer: &dyn Optimize, parameters: usize) {
        self.step = 0;
        self.slots.resize_with(optimizer.slots().len(), Vec::new);
        for (slot, value) in self.slots.iter_mut().zip(optimizer.slots()) {
            slot.clear();
            slot.resize(parameters, *value);
        }
    }
}

/// Turns gradients into steps. Settings only; all memory is in the [`OptimizerState`].
pub trait Optimize: Send + Sync {
    /// First value of each slot of memory that the method needs, one entry a slot.
    fn slots(&self) -> &[f32];

    /// The learning rate before any schedule.
    fn learning_rate(&self) -> f32;

    /// One step of `params` against `gradient`. `state.step` has been raised already: it is 1 at the first step.
    fn step(&self, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32], learning_rate: f32);

    /// Whether the method needs the gradient of all rows, so that minibatches would mislead it.
    fn full_batch_only(&self) -> bool {
        false
    }
}

crate::registry! {
    /// How gradients become steps.
    pub enum Optimizer: dyn Optimize {
        Adam(Adam),
    }
}
