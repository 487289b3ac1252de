//! The genetic algorithm, then gradient descent from its best.

use super::search::{SearchArm, SearchPlan, Winner, look_cost};
use super::{Arm, Contest, Plans, StartContext};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::Measure;
use crate::evolve::strategy::{Genetic, GeneticSettings};
use crate::network::Mlp;
use crate::train::{Initializer, Training};

impl Contest for GeneticSettings {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(Box::new(arm(self.clone(), context, Winner::Best)?))
    }

    fn check(&self) -> Result<()> {
        if self.population.get() < 2 {
            return Err(Error::experiment("P0121", "`population` must be at least 2, found 1"));
        }
        self.stop.map_or(Ok(()), |stop| stop.check(&self.fitness))
    }

    fn fits(&self, network: &Mlp, _training: &Training) -> Result<()> {
        self.scheme.check(network)?;
        self.crossover.as_ref().map_or(Ok(()), |crossover| crossover.fits(network))
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        search_cost(self, context)
    }

    fn fitness(&self) -> Option<Measure> {
        Some(self.fitness)
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn genomes(&self, _plan: &Plans) -> u64 {
        // Parents, children, and what they learned.
        (if self.fitness.keeps_learned() { 3 } else { 2 }) * self.population.get() as u64
    }

    fn equations(&self, network: &Mlp, rows: usize) -> u64 {
        let crossover = self.crossover.as_ref().map_or(0, |crossover| crossover.bytes(network, rows));
        self.scheme.equations(network, rows).max(crossover)
    }

    fn is_evolved(&self) -> bool {
        true
    }
}

/// What all generations and the finalists' last scoring cost at most.
pub(super) fn search_cost(settings: &GeneticSettings, context: &StartContext) -> Option<Cost> {
    let train = &context.train;
    let each = settings.fitness.cost(train);
    let size = settings.population.get() as u64;
    let kept = if settings.fitness.is_fixed() { u64::from(settings.elitism).min(size - 1) } else { 0 };
    let later = (settings.generations.get() as u64 - 1).checked_mul(size - kept)?;
    let elites = u64::from(settings.elitism).min(size - 1);
    let children = (settings.generations.get() as u64 - 1).checked_mul(size - elites)?;
    let variation = settings.child_cost(train.network, &train.supervised.training).times(children);
    let last = if settings.fitness.is_fixed() { 0 } else { settings.finalists() as u64 };
    let draws = settings.scheme.cost(train.network, &train.supervised.training).times(size);
    let looks = look_cost(settings.stop, train).times(settings.generations.get() as u64);
    Some(each.times(size + later + last) + variation + draws + looks)
}

/// An arm that has drawn nothing yet.
///
/// # Errors
/// A population of one (`P0121`).
pub(super) fn arm<'a>(
    settings: GeneticSettings,
    context: StartContext<'a>,
    winner: Winner,
) -> Result<SearchArm<'a, Genetic<'a>>> {
    settings.check()?;
    let (scheme, fitness, finalists) = (settings.scheme.clone(), settings.fitness, settings.finalists());
    let stop = settings.stop;
    let strategy = Genetic::new(settings, context.train.network, context.train.supervised);
    Ok(SearchArm::new(SearchPlan { scheme, fitness, finalists, stop }, strategy, context, winner))
}
