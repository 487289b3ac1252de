//! Training anew, again and again.

use super::descent::Descent;
use super::{Arm, ArmContext, Contest, StartContext, Step, check_length};
use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::record::Phase;
use crate::sealed::{StateReader, StateWriter};
use crate::train::{Initializer, Status, TrainContext};
use crate::values::{Count, Fitness};
use serde::{Deserialize, Serialize};

/// Trains from a random start up to a cut-off, then from another one, and so on; the best run counts. Each run's end is
/// scored on all training rows, and charged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restarts {
    /// How starts are drawn.
    pub scheme: Initializer,
    /// How long each run may take.
    pub cutoff: Cutoff,
}

/// Length of the runs, in optimizer steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cutoff {
    /// All alike.
    Fixed(Count),
    /// 20 times 1, 1, 2, 1, 1, 2, 4, … (Luby, Sinclair & Zuckerman 1993): never far from the best cut-off.
    Luby,
}

/// Steps of the shortest run of the Luby sequence.
const LUBY_UNIT: u64 = 20;

impl Cutoff {
    /// Steps of run number `run`, from 0.
    fn steps(self, run: u64) -> u64 {
        match self {
            Cutoff::Fixed(steps) => steps.get() as u64,
            Cutoff::Luby => LUBY_UNIT * luby(run + 1),
        }
    }
}

/// Term `index`, from 1, of the Luby sequence.
fn luby(mut index: u64) -> u64 {
    loop {
        // The first 2^k − 1 terms end in 2^(k − 1), and begin with the 2^(k − 1) − 1 terms before, twice.
        let power = (index + 1).next_power_of_two();
        if power == index + 1 {
            return power / 2;
        }
        index -= power / 2 - 1;
    }
}

impl Contest for Restarts {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(Box::new(RestartsArm { settings: self, run: 0, now: None, best: None, start: Vec::new() }))
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }
}

struct RestartsArm<'a> {
    settings: &'a Restarts,
    run: u64,
    now: Option<Descent>,
    /// End of the best run, its loss.
    best: Option<(Vec<f32>, Fitness)>,
    start: Vec<f32>,
}

impl RestartsArm<'_> {
    fn end_run(&mut self, context: &mut ArmContext) {
        let Some(run) = self.now.take() else { return };
        self.run += 1;
        let params = run.session.params;
        let train = &context.train;
        *context.cost += Cost::forward(train.network.multiply_adds(), train.supervised.training.count());
        let loss = train.network.loss(&params, &train.supervised.training, &mut context.scratch.workspace);
        let fitness = Fitness::new(loss);
        if self.best.as_ref().is_none_or(|(_, best)| fitness < *best) {
            self.best = Some((params, fitness));
            context.log.begin_training(&self.start, None, Cost::ZERO);
        }
    }
}

impl Arm for RestartsArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        let rows = context.train.supervised.training.count();
        let score = Cost::forward(context.train.network.multiply_adds(), rows);
        while !context.is_due() {
            if self.now.is_none() {
                let draw = self.settings.scheme.cost(context.train.network, &context.train.supervised.training);
                if self.run > 0 && !context.affords(draw) {
                    return Ok(Step::Spent);
                }
                let mut start = vec![0.0; context.train.network.parameters()];
                context.draw(&self.settings.scheme, self.run, &mut start)?;
                if self.run == 0 {
                    context.log.begin_training(&start, None, Cost::ZERO);
                }
                self.now = Some(Descent::new(&start, context.train.training));
                self.start = start;
            }
            let now = self.now.as_mut().expect("made above");
            if !context.affords(now.session.next_cost(&context.train) + score) {
                if context.affords(score) {
                    self.end_run(context);
                }
                return Ok(Step::Spent);
            }
            let step = now.step(context);
            if now.session.status == Status::Reached {
                self.end_run(context);
                return Ok(Step::Stopped);
            }
            if step != Step::Running || now.session.steps() >= self.settings.cutoff.steps(self.run) {
                self.end_run(context);
            }
        }
        Ok(Step::Running)
    }

    fn weights(&self) -> Option<&[f32]> {
        let best = self.best.as_ref();
        let ahead =
            |descent: &&Descent| best.is_none_or(|(_, fitness)| Fitness::new(descent.session.batch_loss) < *fitness);
        let now = self.now.as_ref().filter(ahead).map(|descent| &descent.session.params[..]);
        now.or_else(|| best.map(|(params, _)| &params[..]))
    }

    fn phase(&self) -> Phase {
        Phase::Train
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&(self.run, &self.best, &self.start));
        to.put(&self.now);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        (self.run, self.best, self.start) = from.take()?;
        self.now = Descent::load(from, train)?;
        check_length(self.best.iter().map(|(weights, _)| weights), train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_as_long_as_the_cutoff_says() {
        let fixed = Cutoff::Fixed(Count::new(7).unwrap());
        assert_eq!([0, 1, 9].map(|run| fixed.steps(run)), [7, 7, 7]);
        assert_eq!([0, 1, 2, 6].map(|run| Cutoff::Luby.steps(run)), [20, 20, 40, 80]);
    }

    #[test]
    fn luby_sequence_is_the_published_one() {
        let first: Vec<u64> = (1..=15).map(super::luby).collect();
        assert_eq!(first, [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]);
    }
}
