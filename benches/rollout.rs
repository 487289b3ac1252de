//! Rollouts on cart-pole swing-up: networks of 5-10-1 tanh units, an episode of 1000 steps each, scored as a generation.
//! Throughput is activations a second: one network evaluated once for one step of its environment.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use precocial::evolve::{Evaluate, Evaluations, Population, ReturnEvaluator, Scoring};
use precocial::math::Activation;
use precocial::network::{Loss, Mlp, Output};
use precocial::rng::{Purpose, Streams};
use precocial::task::control::{Control, ControlTask};
use precocial::values::Count;

fn benches(criterion: &mut Criterion) {
    let network = Mlp::new(5, &[(10, Activation::Tanh)], 1, Output::Tanh, Loss::MeanSquared).expect("a network");
    let streams = Streams::new(7);
    let mut population = Population::zeros(256, network.parameters());
    let mut rng = streams.stream(Purpose::Initialize, 0, 0);
    for index in 0..256 {
        let genome = population.genome_mut(index);
        rng.fill_normal(genome, 0.02);
        // One unit pulls the cart back to the middle, so that every network acts for all 1000 steps.
        (genome[0], genome[1], genome[60]) = (-1.0, -1.0, 1.0);
    }
    let task =
        ControlTask { environment: Control::CartPoleSwingUp, episodes: Count::new(1).expect("one"), max_steps: None };
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let evaluator = pool.install(|| ReturnEvaluator::new(&network, &task)).expect("an evaluator");
        let mut evaluations = Evaluations::default();
        let mut run = || {
            let scoring = Scoring { generation: 0 };
            let done = evaluator.evaluate(&population, 0..256, scoring, &streams, &mut evaluations);
            done.expect("scores");
            std::mem::take(&mut evaluations.cost).environment
        };
        let steps = pool.install(&mut run);
        let mut group = criterion.benchmark_group(format!("{threads} threads"));
        group.throughput(Throughput::Elements(steps)).sample_size(20);
        group.bench_function("W7 swing-up 5-10-1, 256 x 1000", |bencher| bencher.iter(|| pool.install(&mut run)));
    }
}

criterion_group!(rollout, benches);
criterion_main!(rollout);
