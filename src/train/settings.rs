//! How training goes: the `train` part of an experiment.

use crate::error::{Error, Result};
use crate::train::{Clip, Optimizer, Schedule};
use crate::values::{Count, NonNegative};
use serde::{Deserialize, Serialize};

/// Rows that one gradient looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Batch {
    /// All training rows; an epoch is one step.
    #[default]
    Full,
    /// Minibatches of this many rows, in an order drawn anew each epoch; the last one of an epoch may be smaller.
    Size(Count),
}

impl Batch {
    /// Rows of a batch, of `rows` in all.
    pub fn rows(self, rows: usize) -> usize {
        match self {
            Batch::Full => rows,
            Batch::Size(size) => size.get().min(rows),
        }
    }
}

/// A reason to stop before the budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Stop {
    /// After this many passes over the training rows.
    Epochs(Count),
    /// At a training loss of this or less: of the full batch, or the mean over an epoch's minibatches.
    Goal(NonNegative),
    /// At a gradient norm of this or less.
    MinGradient(NonNegative),
    /// After this many checks in a row without a new lowest validation loss, one check an epoch; the checks are charged.
    Patience(Count),
}

/// Gradient descent, the same for every arm of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// Rows that one gradient looks at; `Full` unless said otherwise.
    #[serde(default)]
    pub batch: Batch,
    /// How the learning rate changes; `Constant`.
    #[serde(default)]
    pub schedule: Schedule,
    /// Bound on gradients; `None`.
    #[serde(default)]
    pub clip: Clip,
    /// Reasons to stop before the budget is spent; none.
    #[serde(default)]
    pub stop: Vec<Stop>,
}

impl Training {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// `P0137` for a minibatch under an optimizer that needs all rows, or patience without validation rows.
    pub fn check(&self, has_validation: bool) -> Result<()> {
        if self.optimizer.full_batch_only() && self.batch != Batch::Full {
            let name = self.optimizer.name();
            return Err(Error::experiment("P0137", format!("`{name}` needs the gradient of all rows"))
                .help("write `batch: Full`, or choose `Adam` for minibatches"));
        }
        if !has_validation && self.stop.iter().any(|stop| matches!(stop, Stop::Patience(_))) {
            return Err(Error::experiment("P0137", "`Patience` watches validation rows, and the split keeps none")
                .help("give `validation` a share of the split, or remove `Patience`"));
        }
        Ok(())
    }
}
