//! Neuron by neuron from either parent.

use super::Cross;
use crate::evolve::Variation;
use crate::evolve::variation::unit_genes;
use crate::network::Mlp;
use crate::rng::Rng;
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// Each unit whole from either parent with equal chance: incoming row, threshold and outgoing column move together.
///
/// A weight between two units belongs to both of them. The rule: it goes with the hidden unit that it *enters*; a weight
/// into the output layer goes with the hidden unit that it *leaves*, and the output unit keeps its threshold. So the row of
/// every hidden unit comes from one parent, as does the column of every unit in the last hidden layer. Without hidden
/// layers an output unit moves with its row and threshold.
///
/// A hidden unit means something only as a whole, so this breaks less than gene by gene; it still may give a child the same
/// unit twice where the parents have it in different places ([`Aligned`](super::Aligned) finds those places first).
/// Montana & Davis 1989 (crossover of nodes), with the outgoing column of the last hidden layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerNeuron {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
}

impl Cross for PerNeuron {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        exchange(context.network, child, other, context.rng);
    }
}

/// Replaces each unit of `child` by that of `other` with equal chance.
pub(super) fn exchange(network: &Mlp, child: &mut [f32], other: &[f32], rng: &mut Rng) {
    let (outputs, hidden) = network.layers().split_last().expect("a network has layers");
    for (index, layer) in hidden.iter().enumerate() {
        for unit in (0..layer.outputs).filter(|_| rng.coin()) {
            let (row, bias, (first, step, count)) = unit_genes(network, index, unit);
            child[row.clone()].copy_from_slice(&other[row]);
            child[bias] = other[bias];
            if index + 1 == hidden.len() {
                (0..count).map(|output| first + output * step).for_each(|gene| child[gene] = other[gene]);
            }
        }
    }
    for unit in (0..outputs.outputs).filter(|_| rng.coin()) {
        let bias = outputs.biases.start + unit;
        child[bias] = other[bias];
        if hidden.is_empty() {
            let row =
                outputs.weights.start + unit * outputs.inputs..outputs.weights.start + (unit + 1) * outputs.inputs;
            child[row.clone()].copy_from_slice(&other[row]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{origins, origins_in};
    use super::*;
    use crate::evolve::fixture::Fixture;

    fn operator() -> PerNeuron {
        PerNeuron { rate: super::super::default_rate() }
    }

    #[test]
    fn units_stay_whole() {
        let network = Fixture::new().network;
        let mut counts = vec![0; network.parameters()];
        for individual in 0..400 {
            let from_other = origins(&operator(), individual);
            for (layer, shape) in network.layers()[..2].iter().enumerate() {
                for unit in 0..shape.outputs {
                    let (row, bias, (first, step, count)) = unit_genes(&network, layer, unit);
                    assert!(from_other[row].iter().all(|other| *other == from_other[bias]));
                    if layer == 1 {
                        assert!((0..count).all(|output| from_other[first + output * step] == from_other[bias]));
                    }
                }
            }
            from_other.iter().zip(&mut counts).for_each(|(other, count)| *count += u32::from(*other));
        }
        // 200 expected of every gene, standard deviation 10.
        assert!(counts.iter().all(|count| (150..250).contains(count)), "{counts:?}");
    }

    #[test]
    fn without_hidden_layers_output_units_move() {
        let fixture = Fixture::with(&[]);
        let mixed = (0..50).map(|individual| origins_in(&fixture, &operator(), individual)).filter(|from_other| {
            let whole =
                |unit: usize| from_other[unit * 4..unit * 4 + 4].iter().all(|from| *from == from_other[12 + unit]);
            assert!((0..3).all(whole));
            from_other.iter().any(|other| *other) && !from_other.iter().all(|other| *other)
        });
        assert!(mixed.count() > 20);
    }
}
