//! Genes drawn anew.

use super::Mutate;
use crate::evolve::{Brood, SOME, Variation};
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// Draws each gene with probability `rate` anew from U(−b, b), where b is its layer's bound: the largest weight of
/// generation 0 plus three spreads.
///
/// The classic mutation of real-valued chromosomes (Davis 1991; Michalewicz 1992, uniform mutation). It forgets what it
/// hits, so keep the rate low; it never runs dry, whatever the population has become. Step schedules do not touch it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UniformReset {
    /// Chance of each gene; 0.02 unless said otherwise.
    #[serde(default = "super::default_reset_rate")]
    pub rate: Probability,
}

impl Mutate for UniformReset {
    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        let (mut drawn, bounds) = ([0.0; SOME], &context.spread.bounds);
        context.each_gene(brood, self.rate.get(), |rng, memory, genes| {
            rng.fill_between(&mut drawn[..genes.len()], -1.0, 1.0);
            genes.iter().zip(drawn).for_each(|(gene, value)| memory[gene.at()] = value * bounds[gene.layer()]);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::mutants;
    use crate::evolve::fixture::{Fixture, read};

    #[test]
    fn genes_fill_their_layers_interval() {
        let fixture = Fixture::new();
        let mutants = mutants(&fixture, &read("UniformReset(rate: 1)").unwrap(), &fixture.genome(0), 0..400);
        for (layer, bound) in fixture.network.layers().iter().zip(&fixture.spread.bounds) {
            let genes: Vec<f32> =
                mutants.iter().flat_map(|child| &child[layer.weights.start..layer.biases.end]).copied().collect();
            assert!(genes.iter().all(|gene| gene.abs() <= *bound));
            let variance = genes.iter().map(|gene| gene * gene).sum::<f32>() / genes.len() as f32;
            assert!((variance * 3.0 / (bound * bound) - 1.0).abs() < 0.05, "{variance} {bound}");
        }
    }
}
