//! Arms that run once more, so that their way can be looked at.

use super::opened::{Opened, Seed};
use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::arm::{Arm, ArmContext, Log, StartContext, Step};
use crate::train::{Scratch, TrainContext};

/// An arm of a finished run, from its beginning: it comes to the same weights, with the same bits.
pub(super) struct Again<'a> {
    /// The arm.
    pub arm: Box<dyn Arm + 'a>,
    /// What it has spent.
    pub cost: Cost,
    /// What it has told.
    pub log: Log,
    train: TrainContext<'a>,
    budget: u64,
    scratch: Scratch,
}

impl<'a> Again<'a> {
    /// The arm at this place of those that were opened, with as many multiply-adds as it had.
    ///
    /// # Errors
    /// A start that cannot be drawn.
    pub fn begin(opened: &'a Opened, seed: &'a Seed, arm: usize, budget: u64) -> Result<Again<'a>> {
        let study = &opened.study;
        let place = opened.arms[arm];
        let train = study.train_context(place, &seed.prepared.supervised, seed.number);
        let arms = &study.experiment.arms;
        let arm = arms[place].method.start(StartContext { train, arms, finished: &[] })?;
        Ok(Again { arm, cost: Cost::ZERO, log: Log::default(), train, budget, scratch: Scratch::default() })
    }

    /// Goes on until so many multiply-adds are spent.
    ///
    /// # Errors
    /// As [`Arm::advance`].
    pub fn to(&mut self, until: u64) -> Result<Step> {
        let Again { arm, cost, log, scratch, train, budget } = self;
        let (train, budget) = (*train, *budget);
        arm.advance(&mut ArmContext { train, budget, until, cost, scratch, log, pause: &|_| false, follow: None })
    }
}
