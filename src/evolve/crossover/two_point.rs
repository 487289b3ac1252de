//! Two cuts.

use super::Cross;
use crate::evolve::Variation;
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// One stretch of genes from the second parent, the rest from the first (De Jong 1975).
///
/// The genome is a ring, so that its ends are no special places: the stretch begins anywhere, has any length but none and
/// all, and may run over the end to the beginning. Keeps neighbours together better than `Uniform`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoPoint {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
}

impl Cross for TwoPoint {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        let n = child.len();
        let first = context.rng.below(n);
        let end = first + 1 + context.rng.below(n - 1);
        let (straight, wrapped) = (first..end.min(n), 0..end.saturating_sub(n));
        for stretch in [straight, wrapped] {
            child[stretch.clone()].copy_from_slice(&other[stretch]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::origins;
    use super::*;

    #[test]
    fn there_are_two_cuts_on_a_ring() {
        let operator = TwoPoint { rate: super::super::default_rate() };
        let mut counts = vec![0; origins(&operator, 0).len()];
        for individual in 0..2000 {
            let from_other = origins(&operator, individual);
            let n = from_other.len();
            let cuts = (0..n).filter(|gene| from_other[*gene] != from_other[(gene + 1) % n]).count();
            assert_eq!(cuts, 2);
            (0..n).filter(|gene| from_other[*gene]).for_each(|gene| counts[gene] += 1);
        }
        // 1000 expected at every place, standard deviation 22.
        assert!(counts.iter().all(|count| (890..1110).contains(count)), "{counts:?}");
    }
}
