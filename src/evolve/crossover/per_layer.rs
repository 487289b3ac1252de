//! Layer by layer from either parent.

use super::Cross;
use crate::evolve::Variation;
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// Each layer, weights and thresholds, whole from either parent with equal chance.
///
/// Keeps what a layer has learned together; but a layer reads what the one before it writes, so it serves parents that are
/// alike. In a network of L layers, 2^(1 − L) of the children are copies of one parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerLayer {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
}

impl Cross for PerLayer {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        for layer in context.network.layers() {
            if context.rng.coin() {
                let genes = layer.weights.start..layer.biases.end;
                child[genes.clone()].copy_from_slice(&other[genes]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::origins;
    use super::*;
    use crate::evolve::fixture::Fixture;

    #[test]
    fn layers_stay_whole_and_every_mixture_occurs() {
        let fixture = Fixture::new();
        let operator = PerLayer { rate: super::super::default_rate() };
        let mut mixtures = std::collections::BTreeMap::new();
        for individual in 0..800 {
            let from_other = origins(&operator, individual);
            let mixture: Vec<bool> =
                fixture.network.layers().iter().map(|layer| from_other[layer.biases.start]).collect();
            for (layer, other) in fixture.network.layers().iter().zip(&mixture) {
                assert!(from_other[layer.weights.start..layer.biases.end].iter().all(|from| from == other));
            }
            *mixtures.entry(mixture).or_insert(0) += 1;
        }
        // 100 expected of each of the eight, standard deviation 9.4.
        assert!(mixtures.len() == 8 && mixtures.values().all(|count| (55..145).contains(count)), "{mixtures:?}");
    }
}
