//! How training goes: the `train` part of an experiment.

use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::network::Mlp;
use crate::train::{Clip, Optimizer, Prices, Schedule, Steps};
use crate::values::{Count, NonNegative, Positive};
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
    /// After this many passes over the training rows; of methods that ask the objective, trials that were good.
    Epochs(Count),
    /// At a training loss of this or less: of the full batch, or the mean over an epoch's minibatches, before the step; for
    /// methods that ask the objective, after it.
    Goal(NonNegative),
    /// At a gradient norm of this or less.
    MinGradient(NonNegative),
    /// At a damping above this: of methods that have one (Levenberg–Marquardt's μ, Newton's and SCG's λ).
    MaxDamping(Positive),
    /// After this many checks in a row without a new lowest validation loss, one check an epoch; the checks are charged.
    Patience(Count),
}

/// Gradient descent, the same for every arm of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// How parameters are changed.
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
    /// What one step on so many rows costs at most, without the validation check that may end it.
    pub fn step_cost(&self, network: &Mlp, rows: usize) -> Cost {
        match self.optimizer.steps() {
            // At worst every row is told wrong by every unit.
            Steps::ByGradient(_) | Steps::ByCorrection(_) => Cost::gradient(network.multiply_adds(), rows),
            Steps::ByObjective(method) => method.step_cost(&Prices::of(network, rows)),
        }
    }

    /// Bytes that a training of so many parameters remembers and works with.
    pub fn bytes(&self, parameters: u64) -> u64 {
        match self.optimizer.steps() {
            Steps::ByGradient(optimizer) => 4 * parameters * optimizer.slots().len() as u64,
            Steps::ByObjective(method) => 8 * method.numbers(parameters),
            Steps::ByCorrection(_) => 0,
        }
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// `P0145` for a schedule or a clip under a method that chooses its steps itself, a stopping rule that it cannot meet, and
    /// what a method refuses of `network`; `P0137` for a minibatch under one that needs all rows, or patience without validation
    /// rows.
    pub fn check(&self, network: &Mlp, has_validation: bool) -> Result<()> {
        let name = self.optimizer.name();
        let is_damped = matches!(self.optimizer.steps(), Steps::ByObjective(method) if method.is_damped());
        if !matches!(self.optimizer.steps(), Steps::ByGradient(_)) {
            let refuse = |what: &str, help: &str| {
                let message = format!("`{name}` chooses the length of its steps itself and heeds no `{what}`");
                Err(Error::experiment("P0145", message).help(help))
            };
            if self.schedule != Schedule::Constant {
                return refuse(
                    "schedule",
                    "leave `schedule` out, or choose `Adam` or another method with a learning rate",
                );
            }
            if self.clip != Clip::None {
                return refuse("clip", "leave `clip` out, or choose `Adam` or another method with a learning rate");
            }
        }
        match self.optimizer.steps() {
            Steps::ByGradient(_) => {}
            Steps::ByObjective(method) => method.check(network)?,
            Steps::ByCorrection(perceptron) => {
                if self.stop.iter().any(|stop| matches!(stop, Stop::MinGradient(_))) {
                    let message = format!("`MinGradient` watches a gradient, and `{name}` follows none");
                    return Err(Error::experiment("P0145", message)
                        .help("leave it out: training ends after an epoch without a mistake"));
                }
                perceptron.check(network)?;
            }
        }
        if !is_damped && self.stop.iter().any(|stop| matches!(stop, Stop::MaxDamping(_))) {
            return Err(Error::experiment("P0145", format!("`MaxDamping` watches a damping, and `{name}` has none"))
                .help(
                    "remove `MaxDamping`, or choose `LevenbergMarquardt()`, `Newton()` or `ScaledConjugateGradient()`",
                ));
        }
        if self.optimizer.full_batch_only() && self.batch != Batch::Full {
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
