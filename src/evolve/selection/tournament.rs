//! Tournaments.

use super::{Select, candidates};
use crate::evolve::SOME;
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
        let (candidates, size) = (candidates(ranked) as u32, self.size.get());
        let mut drawn = [0; SOME];
        // Whole tournaments at a time, or parts of one that is larger than the array.
        for parents in parents.chunks_mut((SOME / size).max(1)) {
            parents.fill(u32::MAX);
            let mut left = parents.len() * size;
            while left > 0 {
                let drawn = &mut drawn[..left.min(SOME)];
                rng.fill_below(candidates, drawn);
                // Sizes that are usual get loops of their own length.
                match size {
                    2 => best::<2>(drawn, parents),
                    3 => best::<3>(drawn, parents),
                    4 => best::<4>(drawn, parents),
                    _ => {
                        let tournaments = drawn.chunks(size).zip(&mut *parents);
                        tournaments
                            .for_each(|(drawn, best)| *best = drawn.iter().fold(*best, |best, next| best.min(*next)));
                    }
                }
                left -= drawn.len();
            }
        }
    }
}

/// The best of each `N` that were drawn.
fn best<const N: usize>(drawn: &[u32], parents: &mut [u32]) {
    for (drawn, parent) in drawn.as_chunks::<N>().0.iter().zip(parents) {
        *parent = drawn.iter().fold(u32::MAX, |best, next| best.min(*next));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_frequencies;
    use super::*;

    #[test]
    fn the_best_of_those_drawn_wins() {
        for (size, n) in [(1, 5_usize), (2, 7), (3, 8), (4, 6), (5, 9)] {
            let beaten = |rank: usize| libm::pow((n - rank) as f64 / n as f64, size as f64);
            let tournament = Tournament { size: Count::new(size).unwrap() };
            check_frequencies(&tournament, n, |rank| beaten(rank) - beaten(rank + 1));
        }
    }
}
