//! The genetic algorithm, then gradient descent from its best.

use super::descent::Descent;
use super::{Arm, ArmContext, Contest, StartContext, Step, own_branch};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::strategy::genetic::{Genetic, GeneticSettings};
use crate::evolve::{Evaluate, Evaluations, LossEvaluator, Measure, Population, Scoring, Strategy};
use crate::experiment::record::Phase;
use crate::rng::Purpose;
use crate::train::Initializer;
use crate::values::Fitness;

impl Contest for GeneticSettings {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(Box::new(GeneticArm::new(self.clone(), context, Winner::Best)?))
    }

    fn check(&self) -> Result<()> {
        if self.population.get() < 2 {
            return Err(Error::experiment("P0121", "`population` must be at least 2, found 1"));
        }
        Ok(())
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        search_cost(self, context)
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn genomes(&self) -> u64 {
        // Parents, children, and what they learned.
        (if matches!(self.fitness, Measure::ShortBackprop { .. }) { 3 } else { 2 }) * self.population.get() as u64
    }

    fn is_evolved(&self) -> bool {
        true
    }
}

/// What all generations and the champions' last scoring cost at most.
pub(super) fn search_cost(settings: &GeneticSettings, context: &StartContext) -> Option<Cost> {
    let train = &context.train;
    let each = settings.fitness.cost(train.network.multiply_adds(), train.supervised.training.count());
    let size = settings.population.get() as u64;
    let kept = if settings.fitness.is_fixed() { u64::from(settings.elitism).min(size - 1) } else { 0 };
    let later = (settings.generations.get() as u64 - 1).checked_mul(size - kept)?;
    let elites = u64::from(settings.elitism).min(size - 1);
    let children = (settings.generations.get() as u64 - 1).checked_mul(size - elites)?;
    let variation = settings.child_cost(train.network, &train.supervised.training).times(children);
    let last = if settings.fitness.is_fixed() { 0 } else { champions(settings) as u64 };
    let draws = settings.scheme.cost(train.network, &train.supervised.training).times(size);
    Some(each.times(size + later + last) + variation + draws)
}

/// Individuals of the last generation that are scored afresh where minibatches made their scores luck.
fn champions(settings: &GeneticSettings) -> usize {
    (settings.elitism as usize).clamp(1, settings.population.get())
}

/// Who is trained after the search.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    /// The best individual.
    Best,
    /// Any individual of the last generation: there was no selection either.
    Anyone,
}

/// A genetic search, then gradient descent.
pub struct GeneticArm<'a> {
    settings: GeneticSettings,
    strategy: Genetic<'a>,
    evaluator: LossEvaluator<'a>,
    evaluations: Evaluations,
    winner: Winner,
    started: bool,
    descent: Option<Descent>,
}

impl<'a> GeneticArm<'a> {
    /// An arm that has drawn nothing yet.
    ///
    /// # Errors
    /// A population of one (`P0121`).
    pub fn new(settings: GeneticSettings, context: StartContext<'a>, winner: Winner) -> Result<GeneticArm<'a>> {
        settings.check()?;
        Ok(GeneticArm {
            strategy: Genetic::new(settings.clone(), context.train.network, context.train.supervised),
            evaluator: LossEvaluator::new(context.train, settings.fitness),
            settings,
            evaluations: Evaluations::default(),
            winner,
            started: false,
            descent: None,
        })
    }

    /// One generation, or the part of it that fits; `false` when the search is over.
    fn search(&mut self, context: &mut ArmContext) -> Result<bool> {
        let each = self.evaluator.cost().total().max(1);
        // Champions are scored afresh at the end; what that costs is put aside.
        let aside = if self.settings.fitness.is_fixed() { 0 } else { champions(&self.settings) as u64 * each };
        // A child is paid for before it is made: its score, and rows that variation looks at.
        let train = &context.train;
        let rows = &train.supervised.training;
        let variation = match self.strategy.generation() {
            0 => self.settings.scheme.cost(train.network, rows).total(),
            _ => self.settings.child_cost(train.network, rows).total(),
        };
        let limit = (context.left().saturating_sub(aside) / (each + variation)) as usize;
        if self.strategy.is_finished() || limit == 0 {
            return Ok(false);
        }
        let streams = context.train.streams;
        let scoring = Scoring { generation: self.strategy.generation() };
        let (population, scored) = self.strategy.ask(limit, &streams)?;
        if scored.is_empty() {
            return Ok(false);
        }
        if !self.started {
            context.log.drawn = Some(population.genome(0).to_vec());
            self.started = true;
        }
        self.evaluations.cost = Cost::ZERO;
        self.evaluator.evaluate(population, scored.clone(), scoring, &streams, &mut self.evaluations)?;
        let whole = scored.len() < limit;
        context.log.evaluations += scored.len() as u64;
        self.strategy.tell(&mut self.evaluations, scored);
        *context.cost += self.evaluations.cost + self.strategy.take_cost();
        let summary = self.strategy.summary().expect("a generation was told").clone();
        context.log.generations.push((summary, context.cost.total()));
        Ok(whole || !self.strategy.is_finished())
    }

    /// The start for gradient descent, and the fitness it was chosen by.
    fn choose(&mut self, context: &mut ArmContext) -> Result<(Vec<f32>, Option<f64>)> {
        if self.winner == Winner::Anyone {
            let all: Vec<_> = self.strategy.champions(usize::MAX).collect();
            let mut rng = own_branch(context.train.streams, 1).stream(Purpose::Arm, 0, 0);
            if !all.is_empty() {
                let (genome, fitness) = all[rng.below(all.len())];
                return Ok((genome.to_vec(), fitness.is_finite().then_some(fitness.get())));
            }
        } else if self.settings.fitness.is_fixed() {
            if let Some((genome, fitness)) = self.strategy.best() {
                return Ok((genome.to_vec(), fitness.is_finite().then_some(fitness.get())));
            }
        } else {
            let count = champions(&self.settings);
            let mut finalists = Population::zeros(count, context.train.network.parameters());
            let mut found = 0;
            for (place, (genome, _)) in self.strategy.champions(count).enumerate() {
                finalists.genome_mut(place).copy_from_slice(genome);
                found = place + 1;
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
                let fitness: Fitness = self.evaluations.fitness[best];
                return Ok((finalists.genome(best).to_vec(), fitness.is_finite().then_some(fitness.get())));
            } else if found > 0 {
                return Ok((finalists.genome(0).to_vec(), None));
            }
        }
        // The budget did not pay for a single score: what is left is a random start.
        let mut start = vec![0.0; context.train.network.parameters()];
        context.draw(&self.settings.scheme, 0, &mut start)?;
        Ok((start, None))
    }
}

impl Arm for GeneticArm<'_> {
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
        let best = || self.strategy.best().map(|(genome, _)| genome);
        self.descent.as_ref().map(|descent| &descent.session.params[..]).or_else(best)
    }

    fn phase(&self) -> Phase {
        if self.descent.is_some() { Phase::Train } else { Phase::Search }
    }
}
