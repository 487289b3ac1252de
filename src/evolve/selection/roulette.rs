//! The roulette wheel.

use super::{Select, candidates};
use crate::rng::Rng;
use crate::values::Fitness;

/// A wheel whose slots are linear ranks: of n individuals the best has n parts, the worst 1.
///
/// The textbook wheel takes fitness itself (Holland 1975); losses are made small and have no natural zero, so ranks stand
/// in for it. The i-th best (from 0) is chosen with probability 2(n − i) / (n(n + 1)): the pressure of a tournament of two.
pub struct Roulette;

impl Select for Roulette {
    fn select(&self, ranked: &[Fitness], parents: &mut [u32], rng: &mut Rng) {
        let n = candidates(ranked);
        parents.iter_mut().for_each(|parent| *parent = draw(n, rng) as u32);
    }
}

/// A rank below `n` with probability 2(n − rank) / (n(n + 1)): the lower of two whole numbers, one below n and one below
/// n + 1, has just this law.
pub(super) fn draw(n: usize, rng: &mut Rng) -> usize {
    rng.below(n).min(rng.below(n + 1))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_frequencies;
    use super::*;

    #[test]
    fn slots_are_linear_ranks() {
        for n in [1, 2, 9] {
            check_frequencies(&Roulette, n, |rank| 2.0 * (n - rank) as f64 / (n * (n + 1)) as f64);
        }
    }
}
