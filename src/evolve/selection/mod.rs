//! Selection: who becomes a parent.

mod linear_rank;
mod roulette;
mod stochastic_universal;
mod tournament;
mod truncation;

pub use linear_rank::LinearRank;
pub use roulette::Roulette;
pub use stochastic_universal::StochasticUniversal;
pub use tournament::Tournament;
pub use truncation::Truncation;

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
        Truncation(Truncation),
        Roulette => Roulette,
        LinearRank(LinearRank),
        StochasticUniversal => StochasticUniversal,
    }
}

/// How many of the best may become parents: non-finite individuals stand at the end of the ranking and are chosen only
/// where there is no other.
fn candidates(ranked: &[Fitness]) -> usize {
    let finite = ranked.partition_point(|fitness| fitness.is_finite());
    if finite > 0 { finite } else { ranked.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::{all, rng};
    use proptest::prelude::*;

    /// A ranking of `finite` individuals and then `broken` ones.
    pub(super) fn fitness(finite: usize, broken: usize) -> Vec<Fitness> {
        let losses = (0..finite).map(|rank| Fitness::new(rank as f64));
        losses.chain(std::iter::repeat_n(Fitness::WORST, broken)).collect()
    }

    /// Chooses often and holds the frequency of each rank against its probability.
    pub(super) fn check_frequencies(selection: &dyn Select, n: usize, probability: impl Fn(usize) -> f64) {
        let mut counts = vec![0_u32; n];
        let mut rng = rng(1);
        let (rounds, wanted) = (2000, 10);
        for _ in 0..rounds {
            let mut parents = vec![u32::MAX; wanted];
            selection.select(&fitness(n, 0), &mut parents, &mut rng);
            parents.iter().for_each(|parent| counts[*parent as usize] += 1);
        }
        let draws = (rounds * wanted) as f64;
        let total: f64 = (0..n).map(&probability).sum();
        assert!((total - 1.0).abs() < 1e-12);
        let expected = |rank| probability(rank) * draws;
        assert!((0..n).all(|rank| expected(rank) > 0.0 || counts[rank] == 0), "{counts:?}");
        let possible = (0..n).filter(|rank| expected(*rank) > 0.0);
        let square = |rank: usize| libm::pow(f64::from(counts[rank]) - expected(rank), 2.0) / expected(rank);
        let chi_square: f64 = possible.clone().map(square).sum();
        // Mean f and variance 2f with f degrees of freedom; four deviations above happens once in thousands.
        let freedom = possible.count() as f64 - 1.0;
        assert!(chi_square <= freedom + 4.0 * (2.0 * freedom).sqrt() + 1e-9, "{chi_square}: {counts:?}");
    }

    #[test]
    fn choices_are_a_function_of_their_stream() {
        for selection in all::<Selection>(Selection::CATALOGUE) {
            let choose = |individual| {
                let mut parents = [0; 30];
                selection.select(&fitness(20, 3), &mut parents, &mut rng(individual));
                parents
            };
            assert_eq!(choose(0), choose(0), "{selection:?}");
            assert_ne!(choose(0), choose(1), "{selection:?}");
        }
    }

    #[test]
    fn golden_vectors_hold() {
        // A change here changes every result: raise STREAM_VERSION with it.
        let golden = |selection: &Selection| {
            let mut parents = [0; 6];
            selection.select(&fitness(20, 3), &mut parents, &mut rng(0));
            format!("{} {parents:?}", selection.name())
        };
        let found: Vec<String> = all(Selection::CATALOGUE).iter().map(golden).collect();
        assert_eq!(
            found,
            [
                "Tournament [4, 0, 4, 0, 2, 6]",
                "Truncation [2, 7, 2, 0, 3, 5]",
                "LinearRank [4, 4, 0, 2, 14, 1]",
                "Roulette [4, 0, 5, 4, 0, 17]",
                "StochasticUniversal [5, 10, 7, 15, 1, 2]",
            ]
        );
    }

    proptest! {
        #[test]
        fn a_broken_individual_breeds_only_among_its_like(
            finite in 0_usize..12, broken in 0_usize..12, wanted in 0_usize..40, seed in 0_u64..1000,
        ) {
            prop_assume!(finite + broken > 0);
            let ranked = fitness(finite, broken);
            let allowed = if finite > 0 { finite } else { broken };
            for selection in all::<Selection>(Selection::CATALOGUE) {
                let mut parents = vec![u32::MAX; wanted];
                selection.select(&ranked, &mut parents, &mut rng(seed));
                prop_assert!(parents.iter().all(|parent| (*parent as usize) < allowed), "{:?}", selection);
            }
        }
    }
}
