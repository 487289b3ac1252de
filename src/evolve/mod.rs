//! Evolution: populations, operators and the strategies that use them.

pub mod crossover;
mod evaluate;
#[cfg(test)]
mod fixture;
pub mod mutation;
mod population;
mod returns;
mod schedule;
pub mod selection;
mod stop;
pub mod strategy;
mod variation;
pub mod wann;

pub use crossover::{Cross, Crossover};
pub use evaluate::{Evaluate, Evaluations, Inheritance, LossEvaluator, Measure, Scoring};
pub use mutation::{Mutate, Mutation};
pub use population::{Population, Spread};
pub use returns::ReturnEvaluator;
pub use schedule::{StepScale, StepSchedule};
pub use selection::{Select, Selection};
pub use stop::{SearchProgress, SearchStop};
pub use strategy::Strategy;
pub use variation::{Brood, Gene, Parents, SOME, Variation};
