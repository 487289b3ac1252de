//! Steps whose size evolves with the genome.

use super::{Mutate, add_normals};
use crate::evolve::{Brood, Variation};
use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// Adds N(0, (sigma · size · spread · scale)²) to every gene, where size is the genome's own step size.
///
/// The size starts at 1 and is inherited from the first parent; before a child moves, its size is multiplied by exp(τ N(0, 1)),
/// τ = 1/√(2n) with n genes. Children that stepped well pass their size on, so there is nothing to schedule; but with many
/// genes the size changes slowly (by a factor of two in some n generations where chance alone drives it), so prefer it for
/// small networks and long searches. The size stays between 10⁻⁴ and 10⁴.
///
/// Schwefel 1981; Bäck & Schwefel 1993, one size for each genome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfAdaptive {
    /// Standard deviation of steps of size 1 in spreads; 0.15 unless said otherwise.
    #[serde(default = "super::default_sigma")]
    pub sigma: Positive,
}

impl Mutate for SelfAdaptive {
    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        for (child, step_size) in brood.children() {
            let tau = 1.0 / (2.0 * child.len() as f64).sqrt();
            let size = f64::from(*step_size) * libm::exp(tau * context.rng.normal());
            // Walls far from any useful size keep the walk of the logarithm inside the numbers.
            *step_size = size.clamp(1e-4, 1e4) as f32;
            let sigma = self.sigma.get() * f64::from(*step_size) * f64::from(context.scale);
            add_normals(child, sigma, context);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::Fixture;

    #[test]
    fn the_size_changes_first_and_then_scales_the_step() {
        let fixture = Fixture::new();
        let n = fixture.network.parameters();
        let operator = SelfAdaptive { sigma: super::super::default_sigma() };
        let mut logarithms = Vec::new();
        let mut standardised = Vec::new();
        for individual in 0..500 {
            let (mut child, mut size) = (vec![0.0; n], 4.0);
            fixture.vary(individual, |context| operator.mutate(&mut Brood::of(&mut child, &mut size), context));
            logarithms.push(libm::log(f64::from(size / 4.0)));
            let unit = 0.15 * size * fixture.spread.per_layer[0];
            standardised.extend(child[..24].iter().map(|gene| f64::from(gene / unit)));
        }
        let square = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
        assert!((square(&logarithms) * 2.0 * n as f64 - 1.0).abs() < 0.2, "{}", square(&logarithms));
        assert!((square(&standardised) - 1.0).abs() < 0.05);
        assert!((logarithms.iter().sum::<f64>() / 500.0).abs() < 0.02);
    }

    #[test]
    fn the_size_stays_within_its_walls() {
        let fixture = Fixture::new();
        let operator = SelfAdaptive { sigma: super::super::default_sigma() };
        for start in [0.0, f32::MAX] {
            let mut size = start;
            let mut child = fixture.genome(0);
            fixture.vary(0, |context| operator.mutate(&mut Brood::of(&mut child, &mut size), context));
            assert!((1e-4..=1e4).contains(&size));
        }
    }
}
