//! Hidden units born anew.

use super::Mutate;
use crate::evolve::variation::unit_genes;
use crate::evolve::{Brood, Variation};
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// Draws each hidden unit with probability `rate` anew: incoming row, threshold and outgoing column from N(0, spread²),
/// each with the spread of the layer that the gene belongs to.
///
/// Brings back units that have died or saturated. The outgoing column is drawn too rather than set to 0: zeros would spare
/// the other units a disturbance, but with this as the only mutation they would spread until no hidden unit reaches the
/// outputs. Networks without hidden layers do not change. Step schedules do not touch it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronReset {
    /// Chance of each hidden unit; 0.02 unless said otherwise.
    #[serde(default = "super::default_reset_rate")]
    pub rate: Probability,
}

impl Mutate for NeuronReset {
    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        brood.children().for_each(|(child, _)| self.reset(child, context));
    }
}

impl NeuronReset {
    fn reset(&self, child: &mut [f32], context: &mut Variation) {
        let (network, spread) = (context.network, &context.spread.per_layer);
        for (index, layer) in network.layers().iter().enumerate().take(network.layers().len() - 1) {
            context.rng.sparse(layer.outputs, self.rate.get(), |rng, units| {
                for &unit in units {
                    let (row, bias, (first, step, count)) = unit_genes(network, index, unit as usize);
                    rng.fill_normal(&mut child[row], f64::from(spread[index]));
                    child[bias] = (rng.normal() * f64::from(spread[index])) as f32;
                    for output in 0..count {
                        child[first + output * step] = (rng.normal() * f64::from(spread[index + 1])) as f32;
                    }
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::mutants;
    use super::*;
    use crate::evolve::fixture::{Fixture, read};

    #[test]
    fn units_are_drawn_whole_at_their_rate() {
        let fixture = Fixture::new();
        let mut parent = fixture.genome(0);
        parent.fill(100.0);
        let mut resets = 0;
        let mutants = mutants(&fixture, &read("NeuronReset(rate: 0.2)").unwrap(), &parent, 0..500);
        for child in &mutants {
            let mut expected = vec![false; child.len()];
            for (layer, units) in [(0, 6), (1, 5)] {
                for unit in 0..units {
                    let (row, bias, (first, step, count)) = unit_genes(&fixture.network, layer, unit);
                    if child[bias] != 100.0 {
                        resets += 1;
                        row.chain([bias]).for_each(|gene| expected[gene] = true);
                        (0..count).for_each(|output| expected[first + output * step] = true);
                    }
                }
            }
            assert!(child.iter().zip(expected).all(|(gene, reset)| (*gene != 100.0) == reset));
        }
        // 1100 expected, standard deviation 30.
        assert!((950..1250).contains(&resets), "{resets}");
    }
}
