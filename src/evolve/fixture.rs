//! What the tests of every operator need: a small network, rows, a generation 0, and one of each operator.

use super::{Population, Spread, Variation};
use crate::cost::Cost;
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output, Workspace};
use crate::rng::{Purpose, Rng, Streams};
use serde::de::DeserializeOwned;

/// Reads one operator as an experiment file would.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
        .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
        .from_str(text)
        .map_err(|cause| format!("{text}: {cause}"))
}

/// One of each of a family, with the settings of a user who writes as little as possible.
pub(crate) fn all<T: DeserializeOwned>(catalogue: &[&str]) -> Vec<T> {
    let minimal = |name: &&str| read(name).or_else(|_| read(&format!("{name}()"))).unwrap_or_else(|e| panic!("{e}"));
    catalogue.iter().map(minimal).collect()
}

/// A stream for a test.
pub(crate) fn rng(individual: u64) -> Rng {
    Streams::new(11).stream(Purpose::Variation, 1, individual)
}

/// A network of 4, 6 tanh, 5 relu and 3 softmax units with 40 rows and a generation 0 of 8.
pub(crate) struct Fixture {
    pub(crate) network: Mlp,
    pub(crate) rows: Rows,
    pub(crate) population: Population,
    pub(crate) spread: Spread,
    pub(crate) generation: usize,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        Fixture::with(&[(6, Activation::Tanh), (5, Activation::Relu)])
    }

    pub(crate) fn with(hidden: &[(usize, Activation)]) -> Fixture {
        let network = Mlp::new(4, hidden, 3, Output::Softmax, Loss::CrossEntropy).unwrap();
        let mut rng = Streams::new(5).stream(Purpose::Synthetic, 0, 0);
        let mut inputs = vec![0.0; 40 * 4];
        rng.fill_normal(&mut inputs, 1.0);
        let mut targets = vec![0.0; 40 * 3];
        targets.chunks_mut(3).for_each(|row| row[rng.below(3)] = 1.0);
        let rows = Rows::new(&inputs, &targets, 4, 3);
        let mut population = Population::zeros(8, network.parameters());
        (0..8).for_each(|index| rng.fill_normal(population.genome_mut(index), 0.5));
        let spread = Spread::of(&network, &population);
        Fixture { network, rows, population, spread, generation: 2 }
    }

    /// One genome of generation 0.
    pub(crate) fn genome(&self, index: usize) -> Vec<f32> {
        self.population.genome(index).to_vec()
    }

    /// Runs `make` with the context of child `individual`; returns what it charged.
    pub(crate) fn vary(&self, individual: u64, make: impl FnOnce(&mut Variation)) -> Cost {
        let mut cost = Cost::ZERO;
        let mut context = Variation {
            network: &self.network,
            spread: &self.spread,
            generation: self.generation,
            generations: 10,
            scale: 1.0,
            rows: &self.rows,
            cost: &mut cost,
            rng: &mut rng(individual),
            workspace: &mut Workspace::new(),
            // Operators must not trust what they find here.
            scratch: &mut vec![f32::NAN; 7],
        };
        make(&mut context);
        cost
    }
}

/// The bits of four genes from the first to the last, for golden vectors.
pub(crate) fn bits(genes: &[f32]) -> [u32; 4] {
    let last = genes.len() - 1;
    [0, last / 3, last * 2 / 3, last].map(|gene| genes[gene].to_bits())
}
