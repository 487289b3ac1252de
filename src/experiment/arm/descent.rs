//! Gradient descent from one start: the second half of most arms.

use super::{ArmContext, Step};
use crate::error::Result;
use crate::experiment::watch::TrainingStep;
use crate::sealed::{self, StateReader};
use crate::train::{Session, Status, Steps, Stop, TrainContext, Training};
use serde::{Deserialize, Serialize};

/// Gradient descent until it stops or the budget ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct Descent {
    pub session: Session,
}

impl Descent {
    /// From this start, with a fresh optimizer.
    pub fn new(start: &[f32], training: &Training) -> Descent {
        Descent { session: Session::new(start, training) }
    }

    /// Reads the gradient descent of an arm, if it has come to that.
    ///
    /// # Errors
    /// One of another network or training (`P0304`).
    pub fn load(from: &mut StateReader, train: &TrainContext) -> Result<Option<Descent>> {
        let descent: Option<Descent> = from.take()?;
        let fits = descent.as_ref().is_none_or(|descent| descent.session.fits(train));
        if fits { Ok(descent) } else { Err(sealed::mismatch()) }
    }

    /// Steps until it is due.
    pub fn advance(&mut self, context: &mut ArmContext) -> Step {
        while !context.is_due() {
            match self.step(context) {
                Step::Running => {}
                end => return end,
            }
        }
        Step::Running
    }

    /// One step, if it still fits.
    pub fn step(&mut self, context: &mut ArmContext) -> Step {
        if !context.affords(self.session.next_cost(&context.train)) {
            return Step::Spent;
        }
        let (before, epoch) = (self.session.seen, self.session.epoch);
        let status = self.session.step(&context.train, context.scratch, context.cost);
        context.log.steps += 1;
        context.log.rows += self.session.seen - before;
        let corrects = matches!(context.train.training.optimizer.steps(), Steps::ByCorrection(_));
        context.log.gradient_norm = (!corrects).then_some(self.session.gradient_norm);
        if corrects && self.session.epoch > epoch {
            context.log.end_epoch(self.session.epoch, &self.session.mistakes);
        }
        context.log.damping = self.session.damping;
        let has_patience = context.train.training.stop.iter().any(|stop| matches!(stop, Stop::Patience(_)));
        let asks = matches!(context.train.training.optimizer.steps(), Steps::ByObjective(_));
        context.log.checks = (has_patience && asks).then_some(self.session.checks);
        if let Some(follow) = context.follow
            && (asks || self.session.epoch > epoch || status != Status::Running)
        {
            follow(&TrainingStep {
                epoch: self.session.epoch,
                loss: if asks { self.session.batch_loss } else { self.session.mean_loss },
                gradient_norm: context.log.gradient_norm,
                damping: self.session.damping,
                checks: has_patience.then_some(self.session.checks),
                spent: context.cost.total(),
            });
        }
        match status {
            Status::Running => Step::Running,
            Status::Reached | Status::Stopped => Step::Stopped,
            Status::Diverged => Step::Diverged,
        }
    }
}
