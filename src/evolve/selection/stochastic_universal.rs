//! Stochastic universal sampling.

use super::{Select, candidates};
use crate::rng::Rng;
use crate::values::Fitness;

/// One spin of a wheel with as many equally spaced pointers as parents are wanted (Baker 1987).
///
/// The slots are those of [`Roulette`](super::Roulette), but luck is bounded: who may expect e parents' places gets ⌊e⌋ or
/// ⌈e⌉ of them. Prefer it to the roulette in small populations. The list is shuffled, so that pairs are random.
pub struct StochasticUniversal;

impl Select for StochasticUniversal {
    fn select(&self, ranked: &[Fitness], parents: &mut [u32], rng: &mut Rng) {
        let n = candidates(ranked);
        let distance = (n as f64) * (n as f64 + 1.0) / 2.0 / parents.len() as f64;
        let spin = rng.uniform64();
        let (mut rank, mut slot_end) = (0, n as f64);
        for (pointer, parent) in parents.iter_mut().enumerate() {
            while (pointer as f64 + spin) * distance >= slot_end && rank + 1 < n {
                rank += 1;
                slot_end += (n - rank) as f64;
            }
            *parent = rank as u32;
        }
        rng.shuffle(parents);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_frequencies, fitness};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slots_are_linear_ranks_and_neighbours_are_random() {
        check_frequencies(&StochasticUniversal, 9, |rank| (9 - rank) as f64 / 45.0);
        let mut rng = crate::evolve::fixture::rng(0);
        let mut parents = [0; 100];
        StochasticUniversal.select(&fitness(20, 0), &mut parents, &mut rng);
        assert!(parents.windows(2).any(|pair| pair[0] > pair[1]));
    }

    proptest! {
        #[test]
        fn everyone_gets_the_floor_or_the_ceiling_of_what_is_expected(
            n in 1_usize..60, wanted in 1_usize..150, seed in 0_u64..1000,
        ) {
            let mut parents = vec![0; wanted];
            StochasticUniversal.select(&fitness(n, 0), &mut parents, &mut crate::evolve::fixture::rng(seed));
            for rank in 0..n {
                let count = parents.iter().filter(|parent| **parent as usize == rank).count() as f64;
                let expected = 2.0 * (n - rank) as f64 * wanted as f64 / (n * (n + 1)) as f64;
                prop_assert!((count - expected).abs() < 1.0 + 1e-9, "{rank}: {count} of {expected}");
            }
        }
    }
}
