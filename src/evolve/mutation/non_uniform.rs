//! Mutation that grows finer with the generations.

use super::Mutate;
use crate::evolve::{Brood, SOME, Variation};
use crate::math::kernel::shortfall;
use crate::values::{NonNegative, Probability};
use serde::{Deserialize, Serialize};

/// Moves each gene with probability `rate` up or down by y · (1 − u^((1 − t)^b)), where y is the room left to the layer's
/// bound on that side, u from U(0, 1), and t the share of the generations that are over.
///
/// Searches everywhere at first and close by at the end; prefer it where the number of generations is known. Of T
/// generations, drawn one included, t runs from 1/T to (T − 1)/T, so that the last one still moves. A gene that lies outside of the
/// bounds first goes to the nearer one. A step schedule's scale multiplies the steps too.
///
/// Michalewicz 1992, non-uniform mutation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonUniform {
    /// Chance of each gene; 0.1 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
    /// How early the steps shrink; 0 is never; 3.
    #[serde(default = "default_b")]
    pub b: NonNegative,
}

fn default_b() -> NonNegative {
    NonNegative::new(3.0).expect("in range")
}

impl Mutate for NonUniform {
    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        let over = context.generation as f64 / context.generations.max(1) as f64;
        let exponent = libm::pow(1.0 - over.min(1.0), self.b.get());
        let (scale, bounds) = (f64::from(context.scale), &context.spread.bounds);
        let mut reaches = [0.0; SOME];
        context.each_gene(brood, self.rate.get(), |rng, memory, genes| {
            let reaches = &mut reaches[..genes.len()];
            rng.fill_uniform(reaches);
            shortfall(reaches, exponent);
            let sides = rng.bits64();
            for (place, (gene, reach)) in genes.iter().zip(reaches).enumerate() {
                let bound = f64::from(bounds[gene.layer()]);
                let value = f64::from(memory[gene.at()]).clamp(-bound, bound);
                let side = if sides >> place & 1 == 1 { 1.0 } else { -1.0 };
                let step = side * f64::from(*reach) * (bound - side * value) * scale;
                memory[gene.at()] = (value + step).clamp(-bound, bound) as f32;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::mutants;
    use crate::evolve::fixture::{Fixture, read};

    #[test]
    fn steps_shrink_with_the_generations() {
        let mut fixture = Fixture::new();
        let parent = vec![0.0; fixture.network.parameters()];
        let bound = fixture.spread.bounds[0];
        // E(1 − u^e) = e / (1 + e), with e = (1 − t)^3.
        for (generation, e) in [(0, 1.0), (1, 0.729), (5, 0.125), (9, 0.001_f32), (99, 0.0)] {
            fixture.generation = generation;
            let mutants = mutants(&fixture, &read("NonUniform(rate: 1)").unwrap(), &parent, 0..500);
            let genes: Vec<f32> = mutants.iter().flat_map(|child| &child[..24]).map(|gene| gene / bound).collect();
            let mean = genes.iter().map(|gene| gene.abs()).sum::<f32>() / genes.len() as f32;
            let expected = e / (1.0 + e);
            assert!((mean - expected).abs() <= 0.05 * expected, "{generation}: {mean} {expected}");
            assert!(genes.iter().all(|gene| gene.abs() <= 1.0));
        }
    }
}
