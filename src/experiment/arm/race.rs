//! Short trainings that compete: successive halving.

use super::descent::Descent;
use super::{Arm, ArmContext, Contest, Plans, StartContext, Step};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::experiment::record::Phase;
use crate::sealed::{self, StateReader, StateWriter};
use crate::train::{Initializer, TrainContext};
use crate::values::{Count, Fitness};
use serde::{Deserialize, Serialize};

/// Trains many random starts a little, keeps the best share, trains those longer, and so on until one is left
/// (successive halving, Jamieson & Talwalkar 2016). The winner goes on with its optimizer's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Race {
    /// How starts are drawn.
    pub scheme: Initializer,
    /// How many start.
    pub candidates: Count,
    /// One of so many survives a rung, and the next rung is so many times longer; 3 unless said otherwise, at least 2.
    #[serde(default = "default_eta")]
    pub eta: Count,
    /// Optimizer steps of the first rung; 20.
    #[serde(default = "default_steps")]
    pub steps: Count,
}

fn default_eta() -> Count {
    Count::new(3).expect("in range")
}
fn default_steps() -> Count {
    Count::new(20).expect("in range")
}

impl Contest for Race {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        self.check()?;
        Ok(Box::new(RaceArm {
            settings: self,
            runners: Vec::new(),
            steps: self.steps.get() as u64,
            runner: 0,
            taken: 0,
            chosen: false,
        }))
    }

    fn check(&self) -> Result<()> {
        if self.eta.get() < 2 {
            return Err(Error::experiment("P0121", "`eta` must be at least 2, found 1"));
        }
        Ok(())
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        let train = &context.train;
        let rows = train.supervised.training.count();
        let (macs, batch) = (train.network.multiply_adds(), train.training.batch.rows(rows));
        let draw = self.scheme.cost(train.network, &train.supervised.training);
        let mut cost = draw.times(self.candidates.get() as u64);
        let (mut runners, mut steps) = (self.candidates.get(), self.steps.get() as u64);
        while runners > 1 {
            let work = steps.checked_mul(runners as u64)?;
            cost += train.training.step_cost(train.network, batch).times(work)
                + Cost::forward(macs, rows).times(runners as u64);
            runners = runners.div_ceil(self.eta.get());
            steps = steps.checked_mul(self.eta.get() as u64)?;
        }
        Some(cost)
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn genomes(&self, plan: &Plans) -> u64 {
        // The parameters of each, and what its optimizer remembers of them.
        let memory = plan.training.bytes(plan.parameters).div_ceil(4 * plan.parameters.max(1));
        (1 + memory).saturating_mul(self.candidates.get() as u64)
    }
}

#[derive(Serialize, Deserialize)]
struct Runner {
    individual: u64,
    descent: Descent,
    fitness: Fitness,
}

struct RaceArm<'a> {
    settings: &'a Race,
    /// Those still in the race, best of the latest rung first.
    runners: Vec<Runner>,
    /// Steps of the present rung.
    steps: u64,
    /// Whose turn it is, and how many steps of the rung it has taken.
    runner: usize,
    taken: u64,
    chosen: bool,
}

impl RaceArm<'_> {
    /// The winner is known: what it started from is drawn again, for the record.
    fn choose(&mut self, context: &mut ArmContext) -> Result<()> {
        let winner = &self.runners[0];
        let mut start = vec![0.0; context.train.network.parameters()];
        let spent = *context.cost;
        context.draw(&self.settings.scheme, winner.individual, &mut start)?;
        *context.cost = spent;
        let fitness = winner.fitness.is_finite().then_some(winner.fitness.get());
        context.log.begin_training(&start, fitness, spent);
        self.chosen = true;
        Ok(())
    }

    fn end_of_rung(&mut self) {
        let survivors = self.runners.len().div_ceil(self.settings.eta.get());
        // A stable sort: of equals, the earlier draw survives.
        self.runners.sort_by_key(|runner| runner.fitness);
        self.runners.truncate(survivors);
        self.steps = self.steps.saturating_mul(self.settings.eta.get() as u64);
        self.runner = 0;
    }
}

impl Arm for RaceArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.runners.is_empty() {
            let draw = self.settings.scheme.cost(context.train.network, &context.train.supervised.training);
            for individual in 0..self.settings.candidates.get() as u64 {
                if individual > 0 && !context.affords(draw) {
                    break;
                }
                let mut start = vec![0.0; context.train.network.parameters()];
                context.draw(&self.settings.scheme, individual, &mut start)?;
                if individual == 0 {
                    context.log.drawn = Some(start.clone());
                }
                let descent = Descent::new(&start, context.train.training);
                self.runners.push(Runner { individual, descent, fitness: Fitness::WORST });
            }
        }
        while self.runners.len() > 1 {
            if context.is_due() {
                return Ok(Step::Running);
            }
            let rows = context.train.supervised.training.count();
            let score = Cost::forward(context.train.network.multiply_adds(), rows);
            let steps = self.steps;
            let runner = &mut self.runners[self.runner];
            let mut finished = self.taken >= steps;
            if !finished {
                if !context.affords(runner.descent.session.next_cost(&context.train) + score) {
                    // The budget ends in the middle of the race: the best of the latest scores is what it found.
                    self.runners.sort_by_key(|runner| runner.fitness);
                    self.runners.truncate(1);
                    break;
                }
                finished = runner.descent.step(context) != Step::Running;
                self.taken += 1;
            }
            if finished || self.taken >= steps {
                let params = &runner.descent.session.params;
                let workspace = &mut context.scratch.workspace;
                let loss = context.train.network.loss(params, &context.train.supervised.training, workspace);
                *context.cost += score;
                context.log.evaluations += 1;
                runner.fitness = Fitness::new(loss);
                self.taken = 0;
                self.runner += 1;
                if self.runner == self.runners.len() {
                    self.end_of_rung();
                }
            }
        }
        if !self.chosen {
            self.choose(context)?;
        }
        Ok(self.runners[0].descent.advance(context))
    }

    fn weights(&self) -> Option<&[f32]> {
        let best = self.runners.iter().min_by_key(|runner| runner.fitness)?;
        Some(&best.descent.session.params)
    }

    fn phase(&self) -> Phase {
        if self.chosen { Phase::Train } else { Phase::Search }
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&(&self.runners, self.steps, self.runner, self.taken, self.chosen));
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        (self.runners, self.steps, self.runner, self.taken, self.chosen) = from.take()?;
        let turn = if self.runners.is_empty() { self.runner == 0 } else { self.runner < self.runners.len() };
        if turn && self.runners.iter().all(|runner| runner.descent.session.fits(train)) {
            Ok(())
        } else {
            Err(sealed::mismatch())
        }
    }
}
