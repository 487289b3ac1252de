//! Normal steps on some genes.

use super::Mutate;
use crate::evolve::{Brood, SOME, Variation};
use crate::values::{Positive, Probability};
use serde::{Deserialize, Serialize};

/// Adds N(0, (sigma · spread · scale)²) to each gene with probability `rate`.
///
/// `sigma` counts in spreads of the gene's layer over generation 0, so that one number suits layers of any fan-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaussian {
    /// Chance of each gene; 0.1 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
    /// Standard deviation in spreads; 0.15.
    #[serde(default = "super::default_sigma")]
    pub sigma: Positive,
}

impl Mutate for Gaussian {
    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        let (sigma, spread) = (self.sigma.get() * f64::from(context.scale), &context.spread.per_layer);
        let mut steps = [0.0; SOME];
        context.each_gene(brood, self.rate.get(), |rng, memory, genes| {
            let steps = &mut steps[..genes.len()];
            rng.fill_normal(steps, sigma);
            for (gene, step) in genes.iter().zip(steps) {
                // Finite genes stay finite.
                let moved = memory[gene.at()] + spread[gene.layer()] * *step;
                memory[gene.at()] = moved.clamp(f32::MIN, f32::MAX);
            }
        });
    }
}
