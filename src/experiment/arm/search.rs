//! A search over weights by any strategy, then gradient descent from its best.

use super::descent::Descent;
use super::{Arm, ArmContext, Generation, StartContext, Step, own_branch};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::strategy::{Start, WeightStrategy, population_size};
use crate::evolve::{
    Evaluate, Evaluations, Inheritance, LossEvaluator, Measure, Population, Scoring, SearchProgress, SearchStop,
};
use crate::experiment::record::Phase;
use crate::rng::Purpose;
use crate::sealed::{StateReader, StateWriter};
use crate::train::{Initializer, TrainContext};
use crate::values::{Count, Fitness};

/// Who is trained after the search.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    /// The best individual.
    Best,
    /// Any individual of the last generation: there was no selection either.
    Anyone,
}

/// What a search does whatever its strategy.
#[derive(Clone, Debug)]
pub struct SearchPlan {
    /// How the start is drawn if the budget does not pay for a single score.
    pub scheme: Initializer,
    /// What fitness is.
    pub fitness: Measure,
    /// Individuals scored afresh at the end where the scores of different generations do not compare, at most.
    pub finalists: usize,
    /// What ends the search early.
    pub stop: Option<SearchStop>,
}

/// A search, then gradient descent.
pub struct SearchArm<'a, S> {
    plan: SearchPlan,
    strategy: S,
    evaluator: LossEvaluator<'a>,
    evaluations: Evaluations,
    winner: Winner,
    started: bool,
    progress: SearchProgress,
    descent: Option<Descent>,
}

/// What a stopping rule takes to know the loss of a new best before it learned.
pub(super) fn look_cost(stop: Option<SearchStop>, train: &TrainContext) -> Cost {
    match stop {
        Some(SearchStop::TrainingIsFaster) => Measure::ForwardLoss.cost(train),
        _ => Cost::ZERO,
    }
}

impl<'a, S: WeightStrategy + Send> SearchArm<'a, S> {
    /// An arm that has asked nothing yet.
    pub fn new(plan: SearchPlan, strategy: S, context: StartContext<'a>, winner: Winner) -> SearchArm<'a, S> {
        SearchArm {
            evaluator: LossEvaluator::new(context.train, plan.fitness),
            plan,
            strategy,
            evaluations: Evaluations::default(),
            winner,
            started: false,
            progress: SearchProgress::default(),
            descent: None,
        }
    }

    /// One generation, or the part of it that fits; `false` when the search is over.
    fn search(&mut self, context: &mut ArmContext) -> Result<bool> {
        let score = self.evaluator.cost().total().max(1);
        // Finalists are scored afresh at the end; what that costs is put aside.
        let aside = if self.plan.fitness.is_fixed() { 0 } else { self.plan.finalists as u64 * score };
        let look = look_cost(self.plan.stop, &context.train);
        // An individual is paid for before it is made: its score, and rows that variation looks at.
        let (once, each) = self.strategy.next_cost();
        let limit =
            (context.left().saturating_sub(aside + look.total() + once.total()) / (score + each.total())) as usize;
        if self.strategy.is_finished() || limit == 0 {
            return Ok(false);
        }
        let streams = context.train.streams;
        let scoring = Scoring { generation: self.strategy.generation() };
        let (population, scored) = self.strategy.ask(limit, &streams)?;
        if scored.is_empty() {
            return Ok(false);
        }
        self.evaluations.cost = Cost::ZERO;
        self.evaluator.evaluate(population, scored.clone(), scoring, &streams, &mut self.evaluations)?;
        if let (Some(SearchStop::TrainingIsFaster), Measure::ShortBackprop { steps, .. }) =
            (self.plan.stop, self.plan.fitness)
        {
            let fitness = &self.evaluations.fitness;
            let best = scored.clone().min_by_key(|&index| (fitness[index], index)).expect("not empty");
            let after = fitness[best].get();
            if after < self.progress.lowest() {
                let TrainContext { network, supervised, training, .. } = context.train;
                let rows = &supervised.training;
                let before = network.loss(population.genome(best), rows, &mut context.scratch.workspace);
                let price = training.step_cost(network, rows.count()).times(u64::from(steps));
                self.progress.learned(before, after, price.total());
                self.evaluations.cost += look;
            }
        }
        if !self.started {
            context.log.drawn = self.strategy.drawn().map(<[f32]>::to_vec);
            self.started = true;
        }
        let whole = scored.len() < limit;
        context.log.evaluations += scored.len() as u64;
        self.strategy.tell(&mut self.evaluations, scored);
        *context.cost += self.evaluations.cost + self.strategy.take_cost();
        let summary = self.strategy.summary().expect("a generation was told");
        context.log.generations.push(Generation::of(summary, context.cost.total()));
        self.progress.told(summary, context.cost.total());
        let ends = self.plan.stop.is_some_and(|rule| self.progress.ends(rule));
        Ok(!ends && (whole || !self.strategy.is_finished()))
    }

    /// The start for gradient descent, and the fitness it was chosen by.
    fn choose(&mut self, context: &mut ArmContext) -> Result<(Vec<f32>, Option<f64>)> {
        let finite = |fitness: Fitness| fitness.is_finite().then_some(fitness.get());
        if self.winner == Winner::Anyone {
            let all = self.strategy.ranked();
            let mut rng = own_branch(context.train.streams, 1).stream(Purpose::Arm, 0, 0);
            if !all.is_empty() {
                let (genome, fitness) = all[rng.below(all.len())];
                return Ok((genome.to_vec(), finite(fitness)));
            }
        } else if self.plan.fitness.is_fixed() {
            if let Some((genome, fitness)) = self.strategy.best_weights() {
                return Ok((genome.to_vec(), finite(fitness)));
            }
        } else {
            let genomes = self.strategy.finalists();
            let found = genomes.len();
            let mut finalists = Population::zeros(found, context.train.network.parameters());
            for (place, genome) in genomes.into_iter().enumerate() {
                finalists.genome_mut(place).copy_from_slice(genome);
            }
            if found > 0 && context.affords(self.evaluator.cost().times(found as u64)) {
                // A scoring that no generation had, or the luckiest individual would win, not the best.
                let scoring = Scoring { generation: u64::MAX };
                self.evaluations.cost = Cost::ZERO;
                let streams = context.train.streams;
                self.evaluator.evaluate(&finalists, 0..found, scoring, &streams, &mut self.evaluations)?;
                *context.cost += self.evaluations.cost;
                context.log.evaluations += found as u64;
                let best =
                    (0..found).min_by_key(|&place| (self.evaluations.fitness[place], place)).expect("found some");
                return Ok((finalists.genome(best).to_vec(), finite(self.evaluations.fitness[best])));
            } else if found > 0 {
                return Ok((finalists.genome(0).to_vec(), None));
            }
        }
        // The budget did not pay for a single score: what is left is a random start.
        let mut start = vec![0.0; context.train.network.parameters()];
        context.draw(&self.plan.scheme, 0, &mut start)?;
        Ok((start, None))
    }
}

impl<S: WeightStrategy + Send> Arm for SearchArm<'_, S> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        while self.descent.is_none() {
            if context.is_due() {
                return Ok(Step::Running);
            }
            if !self.search(context)? {
                let (start, fitness) = self.choose(context)?;
                context.log.begin_training(&start, fitness, *context.cost);
                self.descent = Some(Descent::new(&start, context.train.training));
            }
        }
        Ok(self.descent.as_mut().expect("set above").advance(context))
    }

    fn weights(&self) -> Option<&[f32]> {
        let best = || self.strategy.best_weights().map(|(genome, _)| genome);
        self.descent.as_ref().map(|descent| &descent.session.params[..]).or_else(best)
    }

    fn phase(&self) -> Phase {
        if self.descent.is_some() { Phase::Train } else { Phase::Search }
    }

    fn population(&self) -> Vec<(&[f32], Fitness)> {
        self.strategy.ranked()
    }

    fn save(&self, to: &mut StateWriter) {
        self.strategy.save_state(to);
        to.put(&self.started);
        if self.plan.stop.is_some() {
            to.put(&self.progress);
        }
        to.put(&self.descent);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.strategy.load_state(from)?;
        self.started = from.take()?;
        if self.plan.stop.is_some() {
            self.progress = from.take()?;
        }
        self.descent = Descent::load(from, train)?;
        Ok(())
    }
}

/// Finalists of a search by a normal distribution: its mean, and the best of the last generation.
pub(super) const FINALISTS: usize = 2;

/// A search by a normal distribution: what its arms have in common, whatever the distribution learns.
pub(super) struct Sampled<'a> {
    /// How the first mean is drawn.
    pub scheme: &'a Initializer,
    /// What fitness is.
    pub fitness: Measure,
    /// Individuals of a generation.
    pub population: Option<Count>,
    /// Generations.
    pub generations: Count,
}

impl Sampled<'_> {
    /// Checks what the types of the settings cannot.
    pub fn check(&self) -> Result<()> {
        population_size(self.population, 1)?;
        if let Measure::ShortBackprop { inheritance: Inheritance::Lamarck | Inheritance::Partial(_), .. } = self.fitness
        {
            let message = "individuals drawn from a distribution have no heirs, so nothing learned can be inherited";
            return Err(
                Error::experiment("P0121", message).help("leave `inheritance` out, or write `inheritance: Baldwin`")
            );
        }
        Ok(())
    }

    /// Where the distribution begins.
    pub fn start<'b>(&self, context: StartContext<'b>) -> Start<'b> {
        let (network, rows) = (context.train.network, &context.train.supervised.training);
        Start::Drawn { scheme: self.scheme.clone(), network, rows }
    }

    /// The arm of `strategy`.
    pub fn arm<'b, S: WeightStrategy + Send + 'b>(&self, strategy: S, context: StartContext<'b>) -> Box<dyn Arm + 'b> {
        let plan = SearchPlan { scheme: self.scheme.clone(), fitness: self.fitness, finalists: FINALISTS, stop: None };
        Box::new(SearchArm::new(plan, strategy, context, Winner::Best))
    }

    /// Individuals of a generation of genomes of `parameters` weights.
    pub fn size(&self, parameters: u64) -> u64 {
        population_size(self.population, parameters as usize).unwrap_or(0) as u64
    }

    /// What all generations, the finalists and the draws cost at most.
    pub fn cost(&self, context: &StartContext) -> Option<Cost> {
        let train = &context.train;
        let population = self.size(train.network.parameters() as u64);
        let each = self.fitness.cost(train);
        let last = if self.fitness.is_fixed() { 0 } else { FINALISTS as u64 };
        let scores = (self.generations.get() as u64).checked_mul(population)?.checked_add(last)?;
        Some(each.times(scores) + self.start(*context).cost(0))
    }
}
