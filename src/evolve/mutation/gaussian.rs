//! Normal steps on some genes.

use super::Mutate;
use crate::evolve::variation::add_steps;
use crate::evolve::{SOME, Variation};
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
    fn mutate(&self, child: &mut [f32], context: &mut Variation) {
        let sigma = self.sigma.get() * f64::from(context.scale);
        let mut steps = [0.0; SOME];
        context.each_gene(self.rate.get(), |rng, genes, layer| {
            let steps = &mut steps[..genes.len()];
            rng.fill_normal(steps, sigma * f64::from(layer.spread));
            add_steps(child, genes, steps);
        });
    }
}
