//! Tournaments.

use super::{Select, candidates};
use crate::rng::Rng;
use crate::values::{Count, Fitness};
use serde::{Deserialize, Serialize};

/// The best of `size` individuals drawn with replacement (Goldberg & Deb 1991). More means more pressure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tournament {
    /// Competitors; 3 unless said otherwise. 1 is no selection at all.
    #[serde(default = "default_size")]
    pub size: Count,
}

fn default_size() -> Count {
    Count::new(3).expect("in range")
}

impl Select for Tournament {
    fn select(&self, ranked: &[Fitness], parents: &mut [u32], rng: &mut Rng) {
        let candidates = candidates(ranked);
        for parent in parents {
            let best = (0..self.size.get()).map(|_| rng.below(candidates)).min();
            *parent = best.expect("a tournament has a competitor") as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_frequencies;
    use super::*;

    #[test]
    fn the_best_of_those_drawn_wins() {
        for (size, n) in [(1, 5_usize), (3, 8)] {
            let beaten = |rank: usize| libm::pow((n - rank) as f64 / n as f64, size as f64);
            let tournament = Tournament { size: Count::new(size).unwrap() };
            check_frequencies(&tournament, n, |rank| beaten(rank) - beaten(rank + 1));
        }
    }
}
