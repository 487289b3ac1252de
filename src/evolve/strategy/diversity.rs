//! How much the individuals of a population differ.

use crate::evolve::Population;
use crate::math::kernel::{Loop, vectorized};
use rayon::prelude::*;
use std::ops::Range;

/// Genes that are looked at together in all genomes: their sums stay in the nearest cache.
const BLOCK: usize = 512;
/// Genomes whose genes are summed up in registers.
const ROWS: usize = 8;
/// Independent parts of a hash, so that a processor can work on them at once.
const PARTS: usize = 64;

/// Most individuals that are looked at: evenly spaced ones of a larger population.
const SAMPLE: usize = 128;

/// Whether diversity is measured in a generation: in the first 128, then in every second, third … as they grow in number.
/// A curve needs no more points.
fn is_looked_at(generation: u64) -> bool {
    generation.is_multiple_of(1 + generation / 128)
}

/// Memory for measuring; reused from generation to generation.
#[derive(Default)]
pub(super) struct Diversity {
    /// Sum of squared distances from the mean, per gene.
    squares: Vec<f64>,
    /// Per block of genes, a hash of that part of each genome.
    parts: Vec<u64>,
    hashes: Vec<u64>,
}

impl Diversity {
    /// Root mean square distance of genes from the population's mean, and the share of different genomes, among the first
    /// `size` individuals or an even sample of 128 of them; `None` in generations that nobody looks at.
    ///
    /// `units`: which genes are measured in which unit; together all of them.
    pub(super) fn measure(
        &mut self,
        generation: u64,
        population: &Population,
        size: usize,
        units: impl Iterator<Item = (Range<usize>, f64)>,
    ) -> Option<(f64, f64)> {
        if !is_looked_at(generation) {
            return None;
        }
        let parameters = population.parameters();
        let (of, size) = (size, size.min(SAMPLE));
        self.squares.resize(parameters, 0.0);
        self.parts.resize(parameters.div_ceil(BLOCK) * size, 0);
        let blocks = self.squares.par_chunks_mut(BLOCK).zip(self.parts.par_chunks_mut(size)).enumerate();
        // Waking another thread takes as long as some hundred thousand genes.
        blocks.with_min_len((200_000 / (BLOCK * size)).max(1)).for_each(|(block, (squares, parts))| {
            let genomes = Block { population, of, size, first: block * BLOCK };
            vectorized(Squares(&genomes, squares));
            vectorized(Hashes(&genomes, squares.len(), parts));
        });
        let mut sum = 0.0;
        for (genes, unit) in units {
            let squares: f64 = self.squares[genes].iter().sum();
            sum += squares / (unit * unit);
        }
        self.hashes.clear();
        self.hashes.resize(size, 0);
        for parts in self.parts.chunks_exact(size) {
            self.hashes.iter_mut().zip(parts).for_each(|(hash, part)| *hash = mix(*hash ^ part));
        }
        self.hashes.sort_unstable();
        self.hashes.dedup();
        Some(((sum / (size * parameters) as f64).sqrt(), self.hashes.len() as f64 / size as f64))
    }
}

/// A few genes of all genomes.
struct Block<'a> {
    population: &'a Population,
    /// Individuals there are, and how many of them are looked at.
    of: usize,
    size: usize,
    first: usize,
}

impl Block<'_> {
    #[inline(always)]
    fn genes(&self, individual: usize, count: usize) -> &[f32] {
        &self.population.genome(individual * self.of / self.size)[self.first..self.first + count]
    }
}

/// Per gene, the sum of squared distances from its mean.
struct Squares<'a>(&'a Block<'a>, &'a mut [f64]);

impl Loop for Squares<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Squares(block, out) = self;
        let count = out.len();
        // Distances from one of the genomes: where all are nearly alike, sums of squares would lose their digits.
        let centre = block.genes(0, count);
        let (mut sums, mut squares) = ([0.0_f64; BLOCK], [0.0_f64; BLOCK]);
        let mut first = 0;
        while first + ROWS <= block.size {
            let rows: [&[f32]; ROWS] = std::array::from_fn(|row| block.genes(first + row, count));
            for gene in 0..count {
                let (mut sum, mut square) = (0.0, 0.0);
                for row in rows {
                    let distance = f64::from(row[gene]) - f64::from(centre[gene]);
                    sum += distance;
                    square += distance * distance;
                }
                sums[gene] += sum;
                squares[gene] += square;
            }
            first += ROWS;
        }
        for individual in first..block.size {
            let row = block.genes(individual, count);
            for gene in 0..count {
                let distance = f64::from(row[gene]) - f64::from(centre[gene]);
                sums[gene] += distance;
                squares[gene] += distance * distance;
            }
        }
        let n = block.size as f64;
        for gene in 0..count {
            out[gene] = (squares[gene] - sums[gene] * sums[gene] / n).max(0.0);
        }
    }
}

/// Per genome, a hash of its genes in the block: only to count different ones.
struct Hashes<'a>(&'a Block<'a>, usize, &'a mut [u64]);

impl Loop for Hashes<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Hashes(block, count, out) = self;
        for (individual, out) in out.iter_mut().enumerate() {
            let genes = block.genes(individual, count);
            let mut parts = [0x9e37_79b9_u32; PARTS];
            let chunks = genes.chunks_exact(PARTS);
            let rest = chunks.remainder();
            for chunk in chunks {
                for lane in 0..PARTS {
                    parts[lane] = step(parts[lane], chunk[lane]);
                }
            }
            for (part, gene) in parts.iter_mut().zip(rest) {
                *part = step(*part, *gene);
            }
            *out =
                parts.chunks_exact(2).fold(0, |hash, pair| mix(hash ^ (u64::from(pair[0]) << 32 | u64::from(pair[1]))));
        }
    }
}

/// Different genes give different parts, and so do different parts.
#[inline(always)]
fn step(part: u32, gene: f32) -> u32 {
    (part ^ gene.to_bits()).wrapping_mul(0x85eb_ca6b).rotate_left(13)
}

/// Different numbers give different ones (multiplication by an odd number, and a shifted exclusive or).
#[inline(always)]
fn mix(x: u64) -> u64 {
    let x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^ x >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::Spread;
    use crate::network::{Loss, Mlp, Output};
    use crate::rng::{Purpose, Streams};

    fn measure(population: &Population, network: &Mlp) -> (f64, f64) {
        let spread = Spread::of(network, population);
        Diversity::default().measure(0, population, population.len(), spread.units(network)).unwrap()
    }

    #[test]
    fn it_is_the_root_mean_square_distance_in_spreads() {
        let network =
            Mlp::new(40, &[(30, crate::math::Activation::Tanh)], 3, Output::Linear, Loss::MeanSquared).unwrap();
        let parameters = network.parameters();
        let mut population = Population::zeros(29, parameters);
        for index in 0..29 {
            let mut rng = Streams::new(1).stream(Purpose::Arm, 0, index as u64);
            rng.fill_normal(population.genome_mut(index), 3.0);
            population.genome_mut(index).iter_mut().for_each(|gene| *gene += 10_000.0);
        }
        let spread = Spread::of(&network, &population);
        let mut expected = 0.0;
        for (layer, spread) in network.layers().iter().zip(&spread.per_layer) {
            for gene in layer.weights.start..layer.biases.end {
                let column: Vec<f64> = (0..29).map(|index| f64::from(population.genome(index)[gene])).collect();
                let mean = column.iter().sum::<f64>() / 29.0;
                let squares: f64 = column.iter().map(|x| (x - mean) * (x - mean)).sum();
                expected += squares / f64::from(*spread) / f64::from(*spread);
            }
        }
        let (found, unique) = measure(&population, &network);
        assert!((found - (expected / (29.0 * parameters as f64)).sqrt()).abs() < 1e-9, "{found}");
        assert_eq!(unique, 1.0);
    }

    #[test]
    fn one_bit_makes_a_genome_different() {
        let network = Mlp::new(9, &[], 12, Output::Linear, Loss::MeanSquared).unwrap();
        let parameters = network.parameters();
        let mut population = Population::zeros(parameters + 5, parameters);
        for index in 0..population.len() {
            population.genome_mut(index).fill(1.0);
            if index < parameters {
                population.genome_mut(index)[index] = f32::from_bits(1.0_f32.to_bits() ^ 1);
            }
        }
        let unique = measure(&population, &network).1;
        assert_eq!(unique, (parameters + 1) as f64 / (parameters + 5) as f64);
        let equal = Population::zeros(7, parameters);
        assert_eq!(measure(&equal, &network), (0.0, 1.0 / 7.0));
    }
}
