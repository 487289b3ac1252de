//! The best of many random starts: what a search must beat to be more than luck.

use super::descent::Descent;
use super::{Arm, ArmContext, Contest, Plans, StartContext, Step, check_length};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::{Evaluate, Evaluations, LossEvaluator, Measure, Population, Scoring};
use crate::experiment::config::{ArmConfig, Name};
use crate::experiment::record::Phase;
use crate::sealed::{StateReader, StateWriter};
use crate::train::{Initializer, TrainContext};
use crate::values::{Count, Fitness};
use serde::{Deserialize, Serialize};

/// Draws starts blindly, scores each, and trains the best one with what is left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestOf {
    /// How starts are drawn.
    pub scheme: Initializer,
    /// How many.
    pub candidates: Candidates,
    /// What their fitness is; that of the arm in `FillBudgetOf`, else `ForwardLoss`.
    #[serde(default)]
    pub fitness: Option<Measure>,
}

/// A number of candidates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Candidates {
    /// So many.
    Count(Count),
    /// As many as the search of this arm pays for, at the same seed.
    FillBudgetOf(Name),
}

impl BestOf {
    fn measure(&self, arms: &[ArmConfig]) -> Measure {
        let other = match &self.candidates {
            Candidates::FillBudgetOf(name) => {
                arms.iter().find(|arm| arm.name == *name).and_then(|arm| arm.method.fitness())
            }
            Candidates::Count(_) => None,
        };
        self.fitness.or(other).unwrap_or_default()
    }
}

impl Contest for BestOf {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        let measure = self.measure(context.arms);
        let (limit, allowance) = match &self.candidates {
            Candidates::Count(count) => (count.get() as u64, u64::MAX),
            Candidates::FillBudgetOf(name) => {
                (u64::MAX, context.finished(name.as_str()).map_or(0, |other| other.search_cost.total()))
            }
        };
        Ok(Box::new(BestOfArm {
            scheme: &self.scheme,
            evaluator: LossEvaluator::new(context.train, measure),
            fixed: measure.is_fixed(),
            limit,
            allowance,
            drawn: 0,
            best: None,
            evaluations: Evaluations::default(),
            population: Population::zeros(CHUNK, context.train.network.parameters()),
            descent: None,
        }))
    }

    fn refers_to(&self) -> Option<&str> {
        match &self.candidates {
            Candidates::FillBudgetOf(name) => Some(name.as_str()),
            Candidates::Count(_) => None,
        }
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        match &self.candidates {
            Candidates::Count(count) => {
                let train = &context.train;
                let rows = &train.supervised.training;
                let score = self.measure(context.arms).cost(train);
                Some((score + self.scheme.cost(train.network, rows)).times(count.get() as u64))
            }
            Candidates::FillBudgetOf(name) => context.method(name.as_str())?.search_cost(context),
        }
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn genomes(&self, plan: &Plans) -> u64 {
        // What candidates learned stands beside them, where it is kept.
        (if self.measure(plan.arms).keeps_learned() { 2 } else { 1 }) * CHUNK as u64
    }
}

/// Candidates scored in one go.
const CHUNK: usize = 64;

struct BestOfArm<'a> {
    scheme: &'a Initializer,
    evaluator: LossEvaluator<'a>,
    fixed: bool,
    limit: u64,
    allowance: u64,
    drawn: u64,
    best: Option<(Vec<f32>, Fitness)>,
    evaluations: Evaluations,
    population: Population,
    descent: Option<Descent>,
}

impl BestOfArm<'_> {
    /// Scores the next candidates that fit; `false` when there are none.
    fn search(&mut self, context: &mut ArmContext) -> Result<bool> {
        let train = &context.train;
        let draw = self.scheme.cost(train.network, &train.supervised.training);
        let each = (self.evaluator.cost() + draw).total().max(1);
        let allowed = self.allowance.saturating_sub(context.cost.total()).min(context.left()) / each;
        let count = (self.limit - self.drawn).min(allowed).min(CHUNK as u64) as usize;
        if count == 0 {
            return Ok(false);
        }
        for place in 0..count {
            context.draw(self.scheme, self.drawn + place as u64, self.population.genome_mut(place))?;
        }
        if self.drawn == 0 {
            context.log.drawn = Some(self.population.genome(0).to_vec());
        }
        // One scoring for all candidates, however many chunks they come in, so that their scores compare.
        let scoring = Scoring { generation: 0 };
        self.evaluations.cost = Cost::ZERO;
        let streams = context.train.streams;
        self.evaluator.evaluate(&self.population, 0..count, scoring, &streams, &mut self.evaluations)?;
        *context.cost += self.evaluations.cost;
        self.drawn += count as u64;
        context.log.evaluations = self.drawn;
        for place in 0..count {
            let fitness = self.evaluations.fitness[place];
            if self.best.as_ref().is_none_or(|(_, best)| fitness < *best) {
                let learned = self.evaluations.learned.as_ref().filter(|_| self.evaluations.inherits[place]);
                let genome = learned.unwrap_or(&self.population).genome(place);
                self.best = Some((genome.to_vec(), fitness));
            }
        }
        Ok(true)
    }
}

impl Arm for BestOfArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        while self.descent.is_none() {
            if context.is_due() {
                return Ok(Step::Running);
            }
            if !self.search(context)? {
                if self.best.is_none() {
                    // Nothing to choose from: the arm is a single random start.
                    let mut start = vec![0.0; context.train.network.parameters()];
                    context.draw(self.scheme, 0, &mut start)?;
                    self.best = Some((start, Fitness::WORST));
                }
                let (start, fitness) = self.best.as_ref().expect("set above");
                let fitness = (fitness.is_finite() && self.fixed).then_some(fitness.get());
                context.log.begin_training(start, fitness, *context.cost);
                self.descent = Some(Descent::new(start, context.train.training));
            }
        }
        Ok(self.descent.as_mut().expect("set above").advance(context))
    }

    fn weights(&self) -> Option<&[f32]> {
        let best = || self.best.as_ref().map(|(genome, _)| &genome[..]);
        self.descent.as_ref().map(|descent| &descent.session.params[..]).or_else(best)
    }

    fn phase(&self) -> Phase {
        if self.descent.is_some() { Phase::Train } else { Phase::Search }
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&(self.drawn, &self.best));
        to.put(&self.descent);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        (self.drawn, self.best) = from.take()?;
        self.descent = Descent::load(from, train)?;
        check_length(self.best.iter().map(|(genome, _)| genome), train)
    }
}
