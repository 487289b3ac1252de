//! Strategies: who asks for scores and is told them.

mod diversity;
pub mod genetic;
pub mod wann;

pub use genetic::{Genetic, GeneticSettings};
pub use wann::{Wann, WannSettings, WannState};

use crate::error::Result;
use crate::evolve::Evaluations;
use crate::rng::Streams;
use crate::values::Fitness;
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
