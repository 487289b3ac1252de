//! What operators may know while they make children.

use crate::cost::Cost;
use crate::evolve::{Population, Spread};
use crate::math::Rows;
use crate::math::kernel::{Loop, vectorized};
use crate::network::{Dense, Mlp, Workspace};
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
    /// Children of `parameters` genes, `stride` genes from one to the next in `memory`, one for each step size: one, or
    /// several with 4096 genes at most and no more than 64 of them.
    ///
    /// # Panics
    /// If there are more, `memory` is not as long as that, or a child longer than the stride.
    pub fn new(memory: &'a mut [f32], parameters: usize, stride: usize, step_sizes: &'a mut [f32]) -> Brood<'a> {
        assert!(parameters <= stride && memory.len() == stride * step_sizes.len());
        assert!(step_sizes.len() <= brood_size(parameters), "a brood of more children than it may have");
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

/// Both parents of each child of a brood.
pub struct Parents<'a> {
    population: &'a Population,
    pairs: &'a [[u32; 2]],
}

impl<'a> Parents<'a> {
    /// Genomes of a population by their numbers.
    pub fn new(population: &'a Population, pairs: &'a [[u32; 2]]) -> Parents<'a> {
        Parents { population, pairs }
    }

    /// First and second parent of each child in order.
    pub fn genomes(&self) -> impl Iterator<Item = [&'a [f32]; 2]> {
        self.pairs.iter().map(|pair| pair.map(|parent| self.population.genome(parent as usize)))
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
        let (parameters, count) = (brood.parameters, brood.step_sizes.len());
        let divisor = if count > 1 { Divisor::new(parameters as u32) } else { Divisor(0) };
        let (layers, padding) = (self.network.layers(), (brood.stride - parameters) as u32);
        let mut genes = [Gene::default(); SOME];
        self.rng.sparse(parameters * count, rate, |rng, chosen| {
            let genes = &mut genes[..chosen.len()];
            vectorized(Locate { chosen, layers, parameters: parameters as u32, padding, divisor, genes });
            visit(rng, brood.memory, genes);
        });
    }
}

/// From numbers of genes in a brood, counted without padding, to the genes.
struct Locate<'a> {
    chosen: &'a [u32],
    layers: &'a [Dense],
    parameters: u32,
    padding: u32,
    divisor: Divisor,
    genes: &'a mut [Gene],
}

impl Loop for Locate<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let ends = || self.layers[..self.layers.len() - 1].iter().map(|layer| layer.biases.end as u32);
        for (gene, &number) in self.genes.iter_mut().zip(self.chosen) {
            let child = self.divisor.divide(number);
            let own = number - child * self.parameters;
            // Without a branch that depends on the gene: nobody could foretell it.
            let layer = ends().map(|end| u32::from(own >= end)).sum();
            *gene = Gene { at: number + child * self.padding, layer };
        }
    }
}

/// Division by multiplication with the least whole number above 2²⁴ / divisor: exact for numbers in broods of several
/// children, which have at most [`GENES`] genes, and nothing leaves 32 bits. 0 in place of it divides to 0.
#[derive(Clone, Copy)]
struct Divisor(u32);

impl Divisor {
    fn new(divisor: u32) -> Divisor {
        Divisor((1 << 24) / divisor + 1)
    }

    fn divide(self, number: u32) -> u32 {
        number.wrapping_mul(self.0) >> 24
    }
}

/// Most genes that are visited together.
pub const SOME: usize = 64;

/// A gene of a brood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gene {
    // Half as wide as an index, so that twice as many are located at a time.
    at: u32,
    layer: u32,
}

impl Gene {
    /// Where it lies in the brood's memory.
    pub fn at(self) -> usize {
        self.at as usize
    }

    /// The layer that it belongs to.
    pub fn layer(self) -> usize {
        self.layer as usize
    }
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
            for (count, padding) in [(1, 0), (1, 9), (2, 0), (7, 3), (brood_size(parameters), 1)] {
                let stride = parameters + padding;
                let mut memory = vec![0.0; count * stride];
                let mut step_sizes = vec![1.0; count];
                let mut seen = Vec::new();
                fixture.vary(0, |context| {
                    let mut brood = Brood::new(&mut memory, parameters, stride, &mut step_sizes);
                    context.each_gene(&mut brood, 1.0, |_, memory, genes| {
                        genes.iter().for_each(|gene| memory[gene.at()] += 1.0 + gene.layer() as f32);
                        seen.extend(genes.iter().map(|gene| gene.at()));
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
        for parameters in 2..=GENES as u32 / 2 {
            let divisor = Divisor::new(parameters);
            for child in 0..brood_size(parameters as usize) as u32 {
                assert_eq!(divisor.divide(child * parameters), child);
                assert_eq!(divisor.divide((child + 1) * parameters - 1), child);
            }
        }
    }
}
