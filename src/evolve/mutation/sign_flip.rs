//! Signs turned.

use super::Mutate;
use crate::evolve::{Brood, Variation};
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// Turns the sign of each gene with probability `rate`.
///
/// Keeps every magnitude, and with it the law of the start; searches only which signs go together. For networks whose
/// weights start at good magnitudes, and to tell what signs alone are worth (compare Zhou et al. 2019). Step schedules do
/// not touch it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignFlip {
    /// Chance of each gene; 0.02 unless said otherwise.
    #[serde(default = "super::default_reset_rate")]
    pub rate: Probability,
}

impl Mutate for SignFlip {
    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        context.each_gene(brood, self.rate.get(), |_, memory, genes| {
            genes.iter().for_each(|gene| memory[gene.at()] = -memory[gene.at()]);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::mutants;
    use crate::evolve::fixture::{Fixture, read};

    #[test]
    fn magnitudes_stay() {
        let fixture = Fixture::new();
        let parent = fixture.genome(0);
        for child in mutants(&fixture, &read("SignFlip(rate: 0.5)").unwrap(), &parent, 0..5) {
            assert!(child.iter().zip(&parent).all(|(gene, before)| gene.abs() == before.abs()));
            assert_ne!(child, parent);
        }
        let all = mutants(&fixture, &read("SignFlip(rate: 1)").unwrap(), &parent, 0..1);
        assert!(all[0].iter().zip(&parent).all(|(gene, before)| *gene == -before));
    }
}
