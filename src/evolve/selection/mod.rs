//! Selection: who becomes a parent.

mod tournament;

pub use tournament::Tournament;

use crate::rng::Rng;
use crate::values::Fitness;

/// Chooses parents.
pub trait Select: Send + Sync {
    /// Fills `parents` with indices into `ranked`, the fitness of all individuals from best to worst.
    ///
    /// The whole list at once, because some methods spread their choices over it. An individual with
    /// [`Fitness::WORST`] is chosen only where no finite one is left to choose.
    fn select(&self, ranked: &[Fitness], parents: &mut [u32], rng: &mut Rng);
}

crate::registry! {
    /// Who becomes a parent.
    pub enum Selection: dyn Select {
        Tournament(Tournament),
    }
}
