//! Watching a run. The library prints nothing; whoever wants to see progress hands in a [`Watch`].

use crate::error::Error;
use crate::experiment::record::ResultRow;
use crate::experiment::search::tables;

/// Where a training stands after a step: an epoch, a trial of a method that asks the objective, or its last step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingStep {
    /// Epochs completed.
    pub epoch: u64,
    /// Training loss as training saw it: the mean over the latest epoch's batches, before their steps; of methods that ask the
    /// objective, after the trial.
    pub loss: f64,
    /// Norm of the latest gradient; none for a method that follows none.
    pub gradient_norm: Option<f64>,
    /// Damping of the next step, for methods that have one.
    pub damping: Option<f64>,
    /// Checks in a row without a new lowest validation loss, where patience counts them.
    pub checks: Option<u64>,
    /// Multiply-adds spent by the arm, search included.
    pub spent: u64,
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An arm begins at a seed.
    ArmStarted {
        /// Arm.
        arm: &'a str,
        /// Seed.
        seed: u64,
    },
    /// An arm has spent some of its budget.
    Progress {
        /// Arm.
        arm: &'a str,
        /// Seed.
        seed: u64,
        /// Multiply-adds spent.
        spent: u64,
        /// Multiply-adds it may spend.
        budget: u64,
    },
    /// A training that is followed has taken a step.
    Stepped {
        /// Arm.
        arm: &'a str,
        /// Seed.
        seed: u64,
        /// Where it stands.
        step: &'a TrainingStep,
    },
    /// An arm has finished at a seed.
    ArmFinished {
        /// Its result.
        row: &'a ResultRow,
    },
    /// A checkpoint cannot be used.
    Damaged {
        /// Why.
        problem: &'a Error,
        /// Whether the run begins again, because there is no other checkpoint.
        from_start: bool,
    },
    /// A generation of a recipe search, or a step of its validation, was scored.
    Scored {
        /// Which.
        what: &'a str,
        /// Runs that it took.
        runs: usize,
        /// Its best score: mean logarithm of the cost by the control's.
        best: f64,
    },
    /// A topology search and what is asked of its champion have ended at a seed.
    SearchFinished {
        /// Seed.
        seed: u64,
        /// Its results.
        rows: &'a [tables::ResultRow],
    },
}

/// Sees what happens, from any thread. Nothing it does changes a result.
pub trait Watch: Sync {
    /// Something happened.
    fn event(&self, event: Event);

    /// Whether it wants to be told of every step of this arm's training at this seed.
    fn follows(&self, _arm: &str, _seed: u64) -> bool {
        false
    }

    /// Whether the run should end soon. Finished runs are kept, and those under way saved.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Watches nothing.
pub struct Unwatched;

impl Watch for Unwatched {
    fn event(&self, _: Event) {}
}
