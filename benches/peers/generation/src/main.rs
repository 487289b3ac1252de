//! Generations of the crate genetic_algorithm on the sphere function. Usage: generation POPULATION GENES THREADS SECONDS
//!
//! The crate has no hook around a generation, so a run of one generation is taken from a run of many.
use genetic_algorithm::strategy::evolve::prelude::*;
use std::time::Instant;

#[derive(Clone, Debug)]
struct Sphere;

impl Fitness for Sphere {
    type Genotype = RangeGenotype<f32>;
    fn calculate_for_chromosome(
        &mut self,
        chromosome: &FitnessChromosome<Self>,
        _: &FitnessGenotype<Self>,
    ) -> Option<FitnessValue> {
        let mut sums = [0.0_f32; 16];
        let chunks = chromosome.genes.chunks_exact(16);
        let rest: f32 = chunks.remainder().iter().map(|x| x * x).sum();
        for chunk in chunks {
            sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x * x);
        }
        fitness_score((sums.iter().sum::<f32>() + rest) as f64, 1e-6)
    }
}

fn seconds(population: usize, genes: usize, threads: usize, generations: usize) -> f64 {
    let genotype = RangeGenotype::<f32>::builder()
        .with_genes_size(genes)
        .with_allele_range(-1.0..=1.0)
        .with_mutation_type(MutationType::Range(0.1))
        .build()
        .expect("a genotype");
    let start = Instant::now();
    Evolve::builder()
        .with_genotype(genotype)
        .with_target_population_size(population)
        .with_max_generations(generations)
        .with_fitness(Sphere)
        .with_fitness_ordering(FitnessOrdering::Minimize)
        .with_par_fitness(threads > 1)
        .with_rng_seed_from_u64(1)
        .with_select(SelectTournament::new(1.0, 2.0 / population as f32, 3))
        .with_crossover(CrossoverUniform::new(1.0, 0.9))
        .with_mutate(MutateMultiGene::new((0.05 * genes as f64).round() as usize, 1.0))
        .call()
        .expect("a run");
    start.elapsed().as_secs_f64()
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<f64>().expect("a number"));
    let mut next = || arguments.next().expect("POPULATION GENES THREADS SECONDS");
    let (population, genes, threads, wanted) = (next() as usize, next() as usize, next() as usize, next());
    let first = seconds(population, genes, threads, 2) / 2.0;
    let more = ((wanted / first) as usize).clamp(5, 100_000);
    let (short, long) = (seconds(population, genes, threads, 1), seconds(population, genes, threads, 1 + more));
    println!("{}", (population * genes * more) as f64 / (long - short));
}
