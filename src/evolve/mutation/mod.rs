//! Mutation: how children differ from their parents.

mod gaussian;

pub use gaussian::Gaussian;

use crate::evolve::Variation;

/// Changes a child in place.
pub trait Mutate: Send + Sync {
    /// Mutates `child`, a whole parameter slice. A rate of 0 changes nothing; finite genes stay finite.
    fn mutate(&self, child: &mut [f32], context: &mut Variation);
}

crate::registry! {
    /// How children differ from their parents.
    pub enum Mutation: dyn Mutate {
        Gaussian(Gaussian),
    }
}
