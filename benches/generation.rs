//! One generation of the genetic algorithm on the sphere function: ranking, selection, crossover, mutation, fitness, summary.
//!
//! Throughput is genes a second. A gene of a large population that goes through memory takes 24 bytes: two parents are
//! read and a child is written (16, counting the line that a write first reads), then read for its fitness and for the
//! summary. So 1 G elements a second are 24 GB/s; the memory's own rate limits the 1024 × 10,000 genes.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use precocial::evolve::strategy::{Genetic, GeneticSettings};
use precocial::evolve::{Evaluations, Strategy};
use precocial::math::Rows;
use precocial::math::kernel::{Loop, vectorized};
use precocial::network::{Loss, Mlp, Output};
use precocial::rng::Streams;
use precocial::task::Supervised;
use precocial::values::Fitness;
use rayon::prelude::*;
use std::time::Instant;

struct Sphere<'a>(&'a [f32]);

impl Loop for Sphere<'_> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [0.0_f32; 64];
        let chunks = self.0.chunks_exact(64);
        let rest = chunks.remainder();
        for genes in chunks {
            (0..64).for_each(|lane| sums[lane] += genes[lane] * genes[lane]);
        }
        f64::from(sums.iter().sum::<f32>()) + rest.iter().map(|x| f64::from(x * x)).sum::<f64>()
    }
}

fn benches(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        for (name, size, inputs, outputs, crossover) in [
            // 99 × 100 + 100 = 10,000 genes; 66 × 1 + 1 = 67 genes.
            ("W5", 1024, 99, 100, "Uniform"),
            ("W5", 256, 66, 1, "Uniform"),
            ("SBX", 1024, 99, 100, "SimulatedBinary"),
        ] {
            let network = Mlp::new(inputs, &[], outputs, Output::Linear, Loss::MeanSquared).expect("a network");
            let rows = Rows::new(&vec![0.0; inputs], &vec![0.0; outputs], inputs, outputs);
            let supervised = Supervised { training: rows, validation: None };
            let text = format!(
                "(population: {size}, generations: 1000000000, scheme: GlorotUniform, elitism: 2,
                  selection: Tournament(size: 3), crossover: {crossover}(rate: 0.9), mutation: Gaussian(rate: 0.05))"
            );
            let settings: GeneticSettings = precocial::experiment::dialect().from_str(&text).expect("settings");
            let streams = Streams::new(1);
            let mut genetic = Genetic::new(settings, &network, &supervised);
            let mut evaluations = Evaluations { fitness: vec![Fitness::WORST; size], ..Evaluations::default() };
            let mut group = criterion.benchmark_group(format!("{name} {threads} threads"));
            let genes = size * network.parameters();
            group.throughput(Throughput::Elements(genes as u64)).sample_size(10);
            group.bench_function(format!("{size} x {} genes", network.parameters()), |bencher| {
                bencher.iter_custom(|generations| {
                    // All of them inside of the pool: entering it would cost as much as a small generation.
                    pool.install(|| {
                        let start = Instant::now();
                        for _ in 0..generations {
                            let (population, asked) = genetic.ask(size, &streams).expect("children");
                            let scores = evaluations.fitness[asked.clone()].par_iter_mut().enumerate();
                            scores.with_min_len((200_000 / network.parameters()).max(1)).for_each(
                                |(place, fitness)| {
                                    *fitness = Fitness::new(vectorized(Sphere(population.genome(asked.start + place))));
                                },
                            );
                            genetic.tell(&mut evaluations, asked);
                        }
                        start.elapsed()
                    })
                });
            });
        }
    }
}

criterion_group!(generation, benches);
criterion_main!(generation);
