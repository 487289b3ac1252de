//! What operators may know while they make children.

use crate::cost::Cost;
use crate::evolve::Spread;
use crate::math::Rows;
use crate::network::{Mlp, Workspace};
use crate::rng::Rng;
use std::ops::Range;

/// Genes that are made with the numbers of one stream, where genomes are small.
const GENES: usize = 4096;

/// Children whose genomes of this length are made with the numbers of one stream: a [`Brood`]. Computing random numbers
/// pays by the hundred, and one child of a small network needs twenty. Part of what a seed means.
pub(crate) fn brood_size(parameters: usize) -> usize {
    (GENES / parameters).clamp(1, 64)
}

/// Children that are made with the numbers of one stream: whole parameter slices side by side, and the step size of each.
pub struct Brood<'a> {
    memory: &'a mut [f32],
    parameters: usize,
    stride: usize,
    step_sizes: &'a mut [f32],
}

impl<'a> Brood<'a> {
    /// Children of `parameters` genes, `stride` genes from one to the next in `memory`, one for each step size.
    ///
    /// # Panics
    /// If `memory` is not as long as that, or a child longer than the stride.
    pub fn new(memory: &'a mut [f32], parameters: usize, stride: usize, step_sizes: &'a mut [f32]) -> Brood<'a> {
        assert!(parameters <= stride && memory.len() == stride * step_sizes.len());
        Brood { memory, parameters, stride, step_sizes }
    }

    /// One child.
    pub fn of(child: &'a mut [f32], step_size: &'a mut f32) -> Brood<'a> {
        let parameters = child.len();
        Brood::new(child, parameters, parameters, std::slice::from_mut(step_size))
    }

    /// Each child and its step size, where the mutation adapts it: it is inherited from the first parent and starts at 1.
    pub fn children(&mut self) -> impl Iterator<Item = (&mut [f32], &mut f32)> {
        let parameters = self.parameters;
        self.memory.chunks_exact_mut(self.stride).map(move |row| &mut row[..parameters]).zip(&mut *self.step_sizes)
    }
}

/// Everything that crossover and mutation may use. One brood, one context.
pub struct Variation<'a> {
    /// The network that genomes are parameter slices of.
    pub network: &'a Mlp,
    /// The unit of mutation steps, per layer.
    pub spread: &'a Spread,
    /// Generation that the children are born into, from 1; generation 0 is drawn.
    pub generation: usize,
    /// Generations planned, the drawn one included.
    pub generations: usize,
    /// Factor on mutation steps by the step schedule; 1 where there is none.
    pub scale: f32,
    /// Training rows for operators that look at activations or sensitivities; they charge `cost`.
    pub rows: &'a Rows,
    /// What looking at rows costs.
    pub cost: &'a mut Cost,
    /// The brood's random numbers.
    pub rng: &'a mut Rng,
    /// Memory for passes over rows.
    pub workspace: &'a mut Workspace,
    /// Memory for anything else; operators may grow it and must not trust its content.
    pub scratch: &'a mut Vec<f32>,
}

impl Variation<'_> {
    /// Chooses genes of a brood independently with probability `rate` and calls `visit` with its memory and those genes:
    /// child by child, ascending, at most [`SOME`] at a time.
    pub fn each_gene(&mut self, brood: &mut Brood, rate: f64, mut visit: impl FnMut(&mut Rng, &mut [f32], &[Gene])) {
        let layers = self.network.layers();
        let (parameters, padding) = (brood.parameters, brood.stride - brood.parameters);
        let mut genes = [Gene::default(); SOME];
        if brood.step_sizes.len() == 1 {
            return self.rng.sparse(parameters, rate, |rng, chosen| {
                let mut layer = 0;
                for (gene, &at) in genes.iter_mut().zip(chosen) {
                    layer += layers[layer..].iter().take_while(|layer| at >= layer.biases.end).count();
                    *gene = Gene { at, layer };
                }
                visit(rng, brood.memory, &genes[..chosen.len()]);
            });
        }
        let divisor = Divisor::new(parameters);
        self.rng.sparse(parameters * brood.step_sizes.len(), rate, |rng, chosen| {
            for (gene, &place) in genes.iter_mut().zip(chosen) {
                let child = divisor.divide(place);
                let own = place - child * parameters;
                // Without a branch that depends on the gene: nobody could foretell it.
                let layer = layers.iter().map(|layer| usize::from(own >= layer.biases.end)).sum();
                *gene = Gene { at: place + child * padding, layer };
            }
            visit(rng, brood.memory, &genes[..chosen.len()]);
        });
    }
}

/// Division by multiplication with ⌈2⁶⁴ / divisor⌉: exact for numbers of 32 bits and divisors above 1, and a network has two
/// parameters at least.
struct Divisor(u64);

impl Divisor {
    fn new(divisor: usize) -> Divisor {
        Divisor((u64::MAX / divisor as u64).wrapping_add(1))
    }

    fn divide(&self, number: usize) -> usize {
        ((number as u128 * u128::from(self.0)) >> 64) as usize
    }
}

/// Most genes that are visited together.
pub const SOME: usize = 64;

/// A gene of a brood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gene {
    /// Where it lies in the brood's memory.
    pub at: usize,
    /// The layer that it belongs to.
    pub layer: usize,
}

/// In single precision; the largest number where a step went beyond it, so that finite genes stay finite.
pub(super) fn single(value: f64) -> f32 {
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

/// The genes of hidden unit `unit` in hidden layer `layer`: its incoming row, its threshold, and its outgoing column as
/// (first, step, count).
pub fn unit_genes(network: &Mlp, layer: usize, unit: usize) -> (Range<usize>, usize, (usize, usize, usize)) {
    let here = &network.layers()[layer];
    let next = &network.layers()[layer + 1];
    let row = here.weights.start + unit * here.inputs;
    (row..row + here.inputs, here.biases.start + unit, (next.weights.start + unit, next.inputs, next.outputs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::Fixture;
    use crate::math::Activation::Tanh;

    #[test]
    fn every_gene_of_a_brood_is_visited_in_its_place_and_layer() {
        for hidden in [&[][..], &[(3, Tanh)], &[(6, Tanh), (1, Tanh), (9, Tanh)]] {
            let fixture = Fixture::with(hidden);
            let parameters = fixture.network.parameters();
            for (count, padding) in [(1, 0), (1, 9), (2, 0), (7, 3), (64, 1)] {
                let stride = parameters + padding;
                let mut memory = vec![0.0; count * stride];
                let mut step_sizes = vec![1.0; count];
                let mut seen = Vec::new();
                fixture.vary(0, |context| {
                    let mut brood = Brood::new(&mut memory, parameters, stride, &mut step_sizes);
                    context.each_gene(&mut brood, 1.0, |_, memory, genes| {
                        genes.iter().for_each(|gene| memory[gene.at] += 1.0 + gene.layer as f32);
                        seen.extend(genes.iter().map(|gene| gene.at));
                    });
                });
                assert!(seen.is_sorted() && seen.len() == count * parameters);
                for child in memory.chunks(stride) {
                    for (index, layer) in fixture.network.layers().iter().enumerate() {
                        let genes = &child[layer.weights.start..layer.biases.end];
                        assert!(genes.iter().all(|gene| *gene == 1.0 + index as f32));
                    }
                    assert!(child[parameters..].iter().all(|gene| *gene == 0.0));
                }
            }
        }
    }

    #[test]
    fn places_are_divided_exactly() {
        // The largest brood of each size of genome, at the ends of every child.
        for parameters in 2..=GENES {
            let divisor = Divisor::new(parameters);
            for child in 0..brood_size(parameters) {
                assert_eq!(divisor.divide(child * parameters), child);
                assert_eq!(divisor.divide((child + 1) * parameters - 1), child);
            }
        }
    }
}
