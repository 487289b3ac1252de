//! Crossover: how two parents make a child.

mod uniform;

pub use uniform::Uniform;

use crate::evolve::Variation;
use crate::values::Probability;

/// Mixes a second parent into a child.
pub trait Cross: Send + Sync {
    /// Share of the children that are crossed at all; the others are copies of their first parent.
    fn rate(&self) -> Probability;

    /// `child` comes in as a copy of the first parent; `other` is the second. Equal parents give an equal child.
    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation);
}

crate::registry! {
    /// How two parents make a child.
    pub enum Crossover: dyn Cross {
        Uniform(Uniform),
    }
}

/// 0.7: most children have two parents, some are refined copies.
fn default_rate() -> Probability {
    Probability::new(0.7).expect("in range")
}
