//! Genomes in one piece of memory.

use crate::error::Result;
use crate::math::kernel::AlignedBuffer;
use crate::network::Mlp;
use crate::sealed::{self, StateReader, StateWriter};
use crate::values::Fitness;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Genomes row by row in one contiguous buffer; each begins at a cache line.
#[derive(Clone, Debug, Default)]
pub struct Population {
    genes: AlignedBuffer,
    size: usize,
    parameters: usize,
    stride: usize,
}

impl Population {
    /// `size` genomes of `parameters` zeros.
    pub fn zeros(size: usize, parameters: usize) -> Population {
        let stride = parameters.next_multiple_of(16);
        Population { genes: AlignedBuffer::zeros(size * stride), size, parameters, stride }
    }

    /// Number of genomes.
    pub fn len(&self) -> usize {
        self.size
    }

    /// Whether there is no genome.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Genes of each genome.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// One genome.
    pub fn genome(&self, index: usize) -> &[f32] {
        &self.genes[index * self.stride..index * self.stride + self.parameters]
    }

    /// One genome, to be written.
    pub fn genome_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.genes[index * self.stride..index * self.stride + self.parameters]
    }

    /// Genes from one genome to the next in memory.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Some genomes with the padding behind each, to be written.
    pub(crate) fn memory_mut(&mut self, genomes: Range<usize>) -> &mut [f32] {
        &mut self.genes[genomes.start * self.stride..genomes.end * self.stride]
    }

    /// Writes the first genomes, as many as `scores` are, with their scores.
    pub fn save(&self, scores: &[Fitness], to: &mut StateWriter) {
        to.put(scores);
        (0..scores.len()).for_each(|index| to.put_floats(self.genome(index)));
    }

    /// Puts back what [`Population::save`] wrote, and gives the scores. There must be room for them.
    ///
    /// # Errors
    /// Genomes of another length, or too many of them (`P0304`).
    pub fn load(&mut self, from: &mut StateReader) -> Result<Vec<Fitness>> {
        let scores: Vec<Fitness> = from.take()?;
        if scores.len() > self.size {
            return Err(sealed::mismatch());
        }
        (0..scores.len()).try_for_each(|index| from.take_floats(self.genome_mut(index)))?;
        Ok(scores)
    }

    /// All genomes from `first` on as separate slices, for filling in parallel; padding is left out.
    pub fn rows_mut(&mut self, first: usize) -> impl rayon::iter::IndexedParallelIterator<Item = &mut [f32]> {
        use rayon::prelude::*;
        let parameters = self.parameters;
        self.genes[first * self.stride..].par_chunks_mut(self.stride).map(move |row| &mut row[..parameters])
    }
}

/// The unit of mutation steps: per layer, how widely generation 0 spread its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Per layer, standard deviation of the weights over generation 0; its thresholds use it too. Above 0.
    pub per_layer: Vec<f32>,
    /// Per layer, the largest magnitude in generation 0 plus three spreads: the bound for operators that need one.
    pub bounds: Vec<f32>,
}

impl Spread {
    /// Measures generation 0.
    pub fn of(network: &Mlp, population: &Population) -> Spread {
        let mut per_layer = Vec::new();
        let mut bounds = Vec::new();
        for layer in network.layers() {
            let count = (population.len() * layer.weights.len()) as f64;
            let weights = || (0..population.len()).flat_map(|index| &population.genome(index)[layer.weights.clone()]);
            let mean = weights().map(|w| f64::from(*w)).sum::<f64>() / count;
            let variance = weights().map(|w| (f64::from(*w) - mean) * (f64::from(*w) - mean)).sum::<f64>() / count;
            // A layer that starts as one constant could never move; there the unit is that constant, or 1.
            let largest = weights().fold(0.0_f32, |largest, w| largest.max(w.abs()));
            let spread = variance.sqrt() as f32;
            let spread = if spread > 0.0 { spread } else { 1.0 };
            per_layer.push(spread);
            bounds.push(3.0_f32.mul_add(spread, largest));
        }
        Spread { per_layer, bounds }
    }

    /// Genes of each layer, thresholds included, with their spread.
    pub fn units(&self, network: &Mlp) -> impl Iterator<Item = (Range<usize>, f64)> {
        let genes = network.layers().iter().map(|layer| layer.weights.start..layer.biases.end);
        genes.zip(self.per_layer.iter().map(|spread| f64::from(*spread)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Output};

    #[test]
    fn spread_is_the_deviation_of_each_layer() {
        let network = Mlp::new(2, &[(3, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared).unwrap();
        let mut population = Population::zeros(4, network.parameters());
        for index in 0..4 {
            let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
            population.genome_mut(index)[..6].fill(2.0 * sign);
        }
        let spread = Spread::of(&network, &population);
        assert_eq!(spread.per_layer, [2.0, 1.0]);
        assert_eq!(spread.bounds, [8.0, 3.0]);
    }
}
