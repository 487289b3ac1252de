//! One cut.

use super::Cross;
use crate::evolve::Variation;
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// Genes before a random cut from the first parent, those behind it from the second (Holland 1975).
///
/// The cut falls between any two genes with equal chance, so both parents give something. Genes lie layer by layer:
/// first layers tend to come from the first parent, last ones from the second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnePoint {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
}

impl Cross for OnePoint {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        // Even the smallest network has a weight and a threshold.
        let cut = 1 + context.rng.below(child.len() - 1);
        child[cut..].copy_from_slice(&other[cut..]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::origins;
    use super::*;

    #[test]
    fn there_is_one_cut_and_it_falls_anywhere() {
        let operator = OnePoint { rate: super::super::default_rate() };
        let mut cuts = std::collections::BTreeSet::new();
        for individual in 0..3000 {
            let from_other = origins(&operator, individual);
            let cut = from_other.iter().position(|other| *other).expect("the second parent gives something");
            assert!(cut > 0 && from_other[cut..].iter().all(|other| *other));
            cuts.insert(cut);
        }
        assert_eq!(cuts.len(), origins(&operator, 0).len() - 1);
    }
}
