//! Evolution: populations, operators and the strategies that use them.

pub mod crossover;
pub mod mutation;
mod population;
pub mod selection;
mod variation;

pub use crossover::{Cross, Crossover};
pub use mutation::{Mutate, Mutation};
pub use population::{Population, Spread};
pub use selection::{Select, Selection};
pub use variation::Variation;
