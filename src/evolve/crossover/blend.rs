//! Blending, BLX-α.

use super::Cross;
use crate::evolve::variation::single;
use crate::evolve::{SOME, Variation};
use crate::values::{NonNegative, Probability};
use serde::{Deserialize, Serialize};

/// Each gene from U(low − alpha · d, high + alpha · d), where low and high are the parents' genes and d = high − low: BLX-α.
///
/// Steps are as wide as the parents differ, so the search narrows by itself. With `alpha` about 0.37 (√3/2 − 1/2) the
/// population keeps its variance where nothing is selected; 0 draws it together, 0.5 lets it grow.
///
/// Eshelman & Schaffer 1993.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blend {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
    /// How far a child may lie outside of its parents, in distances of the two; 0.3.
    #[serde(default = "default_alpha")]
    pub alpha: NonNegative,
}

fn default_alpha() -> NonNegative {
    NonNegative::new(0.3).expect("in range")
}

impl Cross for Blend {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        let alpha = self.alpha.get();
        let mut uniform = [0.0; SOME];
        for (genes, others) in child.chunks_mut(SOME).zip(other.chunks(SOME)) {
            context.rng.fill_uniform(&mut uniform[..genes.len()]);
            for ((gene, other), u) in genes.iter_mut().zip(others).zip(uniform) {
                let (first, second) = (f64::from(*gene), f64::from(*other));
                // From −alpha at the first parent to 1 + alpha at the second.
                let place = f64::from(u) * (1.0 + 2.0 * alpha) - alpha;
                *gene = single((second - first) * place + first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::Fixture;

    #[test]
    fn genes_fill_the_widened_interval() {
        let fixture = Fixture::new();
        let operator = Blend { rate: super::super::default_rate(), alpha: default_alpha() };
        let mut genes = Vec::new();
        for individual in 0..200 {
            let mut child = vec![-1.0; fixture.network.parameters()];
            let other = vec![1.0; child.len()];
            fixture.vary(individual, |context| operator.cross(&mut child, &other, context));
            genes.append(&mut child);
        }
        let n = genes.len() as f32;
        let (low, high) = genes.iter().fold((0.0_f32, 0.0_f32), |(low, high), gene| (low.min(*gene), high.max(*gene)));
        assert!((-1.6..-1.59).contains(&low) && (1.59..=1.6).contains(&high), "{low} {high}");
        let variance = genes.iter().map(|gene| gene * gene).sum::<f32>() / n;
        assert!((variance - 3.2 * 3.2 / 12.0).abs() < 0.02, "{variance}");
    }
}
