//! Scoring a population: forward loss, and loss after five gradient steps. Names carry population, network and rows;
//! throughput is genomes × rows a second.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use precocial::evolve::{Evaluate, Evaluations, Inheritance, LossEvaluator, Measure, Population, Scoring};
use precocial::math::{Activation, Rows};
use precocial::network::{Loss, Mlp, Output};
use precocial::rng::{Purpose, Streams};
use precocial::task::Supervised;
use precocial::train::{Batch, TrainContext, Training};
use std::hint::black_box;

/// Population, inputs, hidden units, classes, rows.
const SHAPES: [[usize; 5]; 3] = [[256, 4, 8, 3, 150], [128, 64, 64, 10, 1797], [64, 784, 128, 10, 4096]];

fn benches(criterion: &mut Criterion) {
    let training = Training {
        optimizer: precocial::experiment::dialect().from_str("Adam()").expect("defaults are complete"),
        batch: Batch::Full,
        schedule: Default::default(),
        clip: Default::default(),
        stop: Vec::new(),
    };
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        for [size, inputs, hidden, classes, count] in SHAPES {
            let network = Mlp::new(inputs, &[(hidden, Activation::Tanh)], classes, Output::Softmax, Loss::CrossEntropy)
                .expect("a network");
            let streams = Streams::new(1);
            let mut rng = streams.stream(Purpose::Synthetic, 0, 0);
            let mut x = vec![0.0; count * inputs];
            rng.fill_normal(&mut x, 1.0);
            let mut y = vec![0.0; count * classes];
            y.chunks_mut(classes).for_each(|row| row[rng.below(classes)] = 1.0);
            let supervised = Supervised { training: Rows::new(&x, &y, inputs, classes), validation: None };
            let mut population = Population::zeros(size, network.parameters());
            (0..size).for_each(|index| rng.fill_normal(population.genome_mut(index), 0.1));
            let context = TrainContext { network: &network, supervised: &supervised, training: &training, streams };
            let mut group = criterion.benchmark_group(format!("{threads} threads"));
            group.throughput(Throughput::Elements((size * count) as u64)).sample_size(10);
            let five = Measure::ShortBackprop { steps: 5, batch: Batch::Full, inheritance: Inheritance::Baldwin };
            for (name, measure) in [("forward", Measure::ForwardLoss), ("5 steps", five)] {
                let evaluator = LossEvaluator::new(context, measure);
                let mut evaluations = Evaluations::default();
                group.bench_function(format!("{name} {size} x {inputs}-{hidden}-{classes} x {count}"), |bencher| {
                    bencher.iter(|| {
                        pool.install(|| {
                            let scoring = Scoring { generation: 0 };
                            evaluator
                                .evaluate(&population, 0..size, scoring, &streams, &mut evaluations)
                                .expect("scores");
                        });
                        black_box(evaluations.fitness[0])
                    });
                });
            }
        }
    }
}

criterion_group!(evaluate, benches);
criterion_main!(evaluate);
