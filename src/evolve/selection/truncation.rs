//! Truncation.

use super::{Select, candidates};
use crate::rng::Rng;
use crate::values::{Fitness, Probability};
use serde::{Deserialize, Serialize};

/// Parents from the best `fraction` of the population, all with equal chance (Mühlenbein & Schlierkamp-Voosen 1993).
///
/// The breeder's selection: the strongest pressure here and the quickest loss of variety. Prefer it with large
/// populations and strong mutation. A fraction of 1 is no selection at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncation {
    /// Share of the population that may become parents, rounded, at least one individual; 0.5 unless said otherwise.
    #[serde(default = "default_fraction")]
    pub fraction: Probability,
}

fn default_fraction() -> Probability {
    Probability::new(0.5).expect("in range")
}

impl Select for Truncation {
    fn select(&self, ranked: &[Fitness], parents: &mut [u32], rng: &mut Rng) {
        let share = (self.fraction.get() * ranked.len() as f64).round() as usize;
        let share = share.clamp(1, candidates(ranked));
        parents.iter_mut().for_each(|parent| *parent = rng.below(share) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_frequencies, fitness};
    use super::*;

    #[test]
    fn the_best_share_alone_breeds() {
        let truncation = Truncation { fraction: Probability::new(0.3).unwrap() };
        check_frequencies(&truncation, 10, |rank| if rank < 3 { 1.0 / 3.0 } else { 0.0 });
    }

    #[test]
    fn one_is_always_left() {
        let mut parents = [9; 5];
        let none = Truncation { fraction: Probability::new(0.0).unwrap() };
        none.select(&fitness(4, 0), &mut parents, &mut crate::evolve::fixture::rng(0));
        assert_eq!(parents, [0; 5]);
    }
}
