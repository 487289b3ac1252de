//! Graph networks: episodes in step with a shared weight per lane, and rows under six shared weights. Names carry the
//! hidden nodes, the links and the lanes or rows; throughput is nodes computed a second, all lanes counted. Then the
//! breeding of a whole generation without its scores; throughput is children a second.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use precocial::evolve::strategy::Wann;
use precocial::evolve::wann::{Shape, WannSettings};
use precocial::evolve::{Evaluations, Strategy};
use precocial::math::{Activation, Rows};
use precocial::network::{Graph, GraphMemory, Head, Weights};
use precocial::rng::{Purpose, Streams};
use precocial::task::TargetKind;
use precocial::values::{Count, Fitness, Probability};
use std::hint::black_box;

/// The activations that a search may choose from.
const KINDS: [Activation; 10] = [
    Activation::Linear,
    Activation::Step,
    Activation::Sin,
    Activation::Gaussian,
    Activation::Tanh,
    Activation::Logistic,
    Activation::Negate,
    Activation::Abs,
    Activation::Relu,
    Activation::Cos,
];

/// A random graph whose hidden nodes each hear three values and are all alive.
fn graph(inputs: u32, outputs: u32, count: u32) -> Graph {
    let mut rng = Streams::new(1).stream(Purpose::Synthetic, 0, 0);
    let first = inputs + 1 + outputs;
    let name = |value: u32| if value <= inputs { value } else { value + outputs };
    let (mut hidden, mut links) = (Vec::new(), Vec::new());
    for node in 0..count {
        hidden.push((first + node, KINDS[rng.below(KINDS.len())]));
        let mut heard: Vec<u32> = (0..3).map(|_| name(rng.below((inputs + 1 + node) as usize) as u32)).collect();
        heard.sort_unstable();
        heard.dedup();
        links.extend(heard.into_iter().map(|from| (from, first + node)));
        links.push((first + node, inputs + 1 + node % outputs));
    }
    Graph::new(inputs, &vec![Activation::Linear; outputs as usize], &hidden, &links).expect("a graph")
}

fn benches(criterion: &mut Criterion) {
    let mut memory = GraphMemory::new();
    for hidden in [30, 100] {
        let net = graph(5, 1, hidden);
        let size = format!("{hidden} nodes, {} links", net.multiply_adds());
        let mut group = criterion.benchmark_group("step");
        for lanes in [16, 32, 96] {
            let weights: Vec<f32> = (0..lanes).map(|lane| [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0][lane % 6]).collect();
            let mut observations = vec![0.0; 5 * lanes];
            Streams::new(2).stream(Purpose::Synthetic, 0, 0).fill_normal(&mut observations, 1.0);
            let mut out = vec![0.0; lanes];
            group.throughput(Throughput::Elements((net.nodes().len() * lanes) as u64));
            group.bench_function(BenchmarkId::new(&size, format!("{lanes} lanes")), |bencher| {
                let mut episodes = net.lanes(Weights::Shared(&weights), lanes, &mut memory);
                bencher.iter(|| {
                    episodes.step(black_box(&observations), &mut out);
                    black_box(out[0])
                });
            });
        }
        group.finish();
        let (features, classes, count) = (256, 10, 1000);
        let net = graph(features, classes, hidden);
        let size = format!("{hidden} nodes, {} links", net.multiply_adds());
        let mut rng = Streams::new(3).stream(Purpose::Synthetic, 0, 0);
        let mut x = vec![0.0; count * features as usize];
        rng.fill_normal(&mut x, 1.0);
        let mut y = vec![0.0; count * classes as usize];
        y.chunks_mut(classes as usize).for_each(|row| row[rng.below(row.len())] = 1.0);
        let rows = Rows::new(&x, &y, features as usize, classes as usize);
        let shared = [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0];
        let mut losses = [0.0; 6];
        let mut group = criterion.benchmark_group("losses");
        group.throughput(Throughput::Elements((net.nodes().len() * count * shared.len()) as u64)).sample_size(20);
        group.bench_function(BenchmarkId::new(&size, "6 weights x 1000 rows"), |bencher| {
            bencher.iter(|| {
                let head = Head::SoftmaxCrossEntropy;
                net.losses(head, Weights::Shared(&shared), black_box(&rows), &mut losses, &mut memory);
                black_box(losses[0])
            });
        });
        group.finish();
    }
}

/// Generations of networks for digits of 16 × 16, after as many as gave them some hidden nodes.
fn breeding(criterion: &mut Criterion) {
    let size = 960;
    let settings = WannSettings {
        population: Count::new(size as u64).expect("in range"),
        initial_links: Probability::new(0.05).expect("in range"),
        ..WannSettings::default()
    };
    let shape = Shape { inputs: 256, outputs: 10, output: Activation::Linear };
    let mut search = Wann::new(settings, shape, TargetKind::Classes).expect("settings");
    let streams = Streams::new(1);
    let mut evaluations = Evaluations { fitness: vec![Fitness::WORST; size], ..Evaluations::default() };
    let mut generation = || {
        let (population, asked) = search.ask(size, &streams).expect("children");
        for (fitness, individual) in evaluations.fitness.iter_mut().zip(population) {
            // The more hidden nodes the better, so that there is something to breed.
            *fitness = Fitness::new(-(individual.genome.hidden().len() as f64));
        }
        search.tell(&mut evaluations, asked);
    };
    (0..50).for_each(|_| generation());
    let mut group = criterion.benchmark_group("breeding");
    group.throughput(Throughput::Elements(size as u64)).sample_size(10);
    group.bench_function("960 x 256-10", |bencher| bencher.iter(&mut generation));
    group.finish();
}

criterion_group!(graphs, benches, breeding);
criterion_main!(graphs);
