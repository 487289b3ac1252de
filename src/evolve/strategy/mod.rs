//! Strategies: who asks for scores and is told them.

pub mod cma_es;
mod diversity;
pub mod evolution_strategy;
pub mod genetic;
mod sampling;
pub mod wann;

pub use cma_es::{CmaEs, CmaEsSettings, CmaEsState, Covariance, StopReason};
pub use evolution_strategy::{EvolutionStrategy, EvolutionStrategySettings, population_size};
pub use genetic::{Genetic, GeneticSettings};
pub use sampling::{Centre, Start};
pub use wann::{ScoredGenome, Wann, WannState};

use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::{Evaluations, Population};
use crate::rng::Streams;
use crate::sealed::{StateReader, StateWriter};
use crate::values::Fitness;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A search that asks for the scores of a generation and is told them.
///
/// Between `tell` and `ask` the whole state is plain data: random numbers come from `streams` by generation.
pub trait Strategy {
    /// A generation.
    type Population;
    /// One individual of it.
    type Genome<'a>
    where
        Self: 'a;

    /// The next generation, and which of its individuals need a score: at most `limit` of them.
    ///
    /// # Errors
    /// A start that cannot be drawn.
    fn ask(&mut self, limit: usize, streams: &Streams) -> Result<(&Self::Population, Range<usize>)>;

    /// Takes the scores of the individuals in `scored`, which `ask` named.
    fn tell(&mut self, evaluations: &mut Evaluations, scored: Range<usize>);

    /// The best individual so far; of the latest generation, where scores of different generations do not compare.
    fn best(&self) -> Option<(Self::Genome<'_>, Fitness)>;

    /// Generations told so far.
    fn generation(&self) -> u64;

    /// Whether all planned generations have been told.
    fn is_finished(&self) -> bool;
}

/// What a generation looked like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its number, from 0.
    pub generation: u64,
    /// Finite fitness from best to worst.
    pub fitness: Vec<f64>,
    /// Individuals without a finite fitness.
    pub nonfinite: usize,
    /// Root mean square distance of genes from the population's mean, in spreads of their layers, over at most 128
    /// individuals; measured in the first 128 generations, then in every second, third and so on.
    pub diversity: Option<f64>,
    /// Share of different genomes; measured in the same generations.
    pub unique: Option<f64>,
    /// Share of children that are better than their first parent; `None` where children have no parent.
    pub improved: Option<f64>,
    /// Factor on the steps of the beginning.
    pub scale: f32,
}

/// A strategy over parameter slices, with what those who run it ask beside: the seam between searches and their arms.
pub trait WeightStrategy: Strategy<Population = Population> {
    /// The first draw, before any search; kept at least until the first generation was told.
    fn drawn(&self) -> Option<&[f32]>;

    /// The best individual as [`Strategy::best`] says.
    fn best_weights(&self) -> Option<(&[f32], Fitness)>;

    /// Individuals of the latest generation from best to worst.
    fn ranked(&self) -> Vec<(&[f32], Fitness)>;

    /// Whom to score afresh after the last generation where scores of different generations do not compare, the one to
    /// take without such a score first; nobody before the first generation.
    fn finalists(&self) -> Vec<&[f32]>;

    /// What the latest generation looked like.
    fn summary(&self) -> Option<&Summary>;

    /// What the next generation costs at most beside its scores: once, and for each individual.
    fn next_cost(&self) -> (Cost, Cost);

    /// What drawing and variation cost since the last call.
    fn take_cost(&mut self) -> Cost;

    /// Writes the state between `tell` and `ask`; costs that nobody took are no part of it.
    fn save_state(&self, to: &mut StateWriter);

    /// Goes on from what [`WeightStrategy::save_state`] wrote, in a search of the same settings that has asked nothing yet.
    ///
    /// # Errors
    /// The state of another search (`P0304`).
    fn load_state(&mut self, from: &mut StateReader) -> Result<()>;
}
