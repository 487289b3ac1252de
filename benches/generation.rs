//! One generation of the genetic algorithm without its scores: ranking, selection, crossover, mutation, summary.
//! Throughput is genes a second.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use precocial::evolve::strategy::{Genetic, GeneticSettings};
use precocial::evolve::{Evaluations, Strategy};
use precocial::math::Rows;
use precocial::network::{Loss, Mlp, Output};
use precocial::rng::Streams;
use precocial::task::Supervised;
use precocial::values::Fitness;

fn benches(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        // 99 × 100 + 100 = 10,000 genes, and 16 × 3 + 3 + … = 67 of a small net.
        for (size, inputs, outputs) in [(1024, 99, 100), (256, 66, 1)] {
            let network = Mlp::new(inputs, &[], outputs, Output::Linear, Loss::MeanSquared).expect("a network");
            let rows = Rows::new(&vec![0.0; inputs], &vec![0.0; outputs], inputs, outputs);
            let supervised = Supervised { training: rows, validation: None };
            let text = format!(
                "(population: {size}, generations: 1000000000, scheme: GlorotUniform, elitism: 2,
                  selection: Tournament(size: 3), crossover: Uniform(rate: 0.9), mutation: Gaussian(rate: 0.05))"
            );
            let settings: GeneticSettings = precocial::experiment::dialect().from_str(&text).expect("settings");
            let streams = Streams::new(1);
            let mut genetic = Genetic::new(settings, &network, &supervised);
            let mut evaluations = Evaluations { fitness: vec![Fitness::WORST; size], ..Evaluations::default() };
            let mut group = criterion.benchmark_group(format!("{threads} threads"));
            group.throughput(Throughput::Elements((size * network.parameters()) as u64)).sample_size(10);
            group.bench_function(format!("generation {size} x {} genes", network.parameters()), |bencher| {
                bencher.iter(|| {
                    pool.install(|| {
                        let (population, asked) = genetic.ask(size, &streams).expect("children");
                        for index in asked.clone() {
                            let first = f64::from(population.genome(index)[0]);
                            evaluations.fitness[index] = Fitness::new(first * first);
                        }
                        genetic.tell(&mut evaluations, asked);
                    });
                });
            });
        }
    }
}

criterion_group!(generation, benches);
criterion_main!(generation);
