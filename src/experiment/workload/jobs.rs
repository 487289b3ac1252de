//! What the workloads do.

use super::{Load, Shape, Visit};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::strategy::{Genetic, GeneticSettings};
use crate::evolve::{
    Evaluate, Evaluations, Inheritance, LossEvaluator, Measure, Population, ReturnEvaluator, Scoring, Strategy,
};
use crate::experiment::arm::{ArmContext, Log, Method, StartContext};
use crate::experiment::dialect;
use crate::math::kernel::{Loop, vectorized};
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output};
use crate::rng::{Purpose, Rng, Streams};
use crate::task::Supervised;
use crate::task::control::{Control, ControlTask};
use crate::train::{Batch, Scratch, Session, Steps, TrainContext, Training};
use crate::values::{Count, Fitness};
use rayon::prelude::*;
use std::path::Path;

pub fn score(shape: &Shape, steps: u32, arrays: Option<&Path>, visit: Visit) -> Result<()> {
    let (network, supervised, population) = arrange(shape, arrays)?;
    let training = training("Sgd(learning_rate: 0.1)", Batch::Full)?;
    let streams = Streams::new(1);
    let context = TrainContext { network: &network, supervised: &supervised, training: &training, streams };
    let measure = match steps {
        0 => Measure::ForwardLoss,
        steps => Measure::ShortBackprop { steps, batch: Batch::Full, inheritance: Inheritance::Baldwin },
    };
    let mut evaluations = Evaluations::default();
    let genome_rows = (population.len() * supervised.training.count()) as f64;
    let (forward, gradient) = multiply_adds(&network);
    let load =
        Load { work: genome_rows, multiply_adds: genome_rows * (forward + f64::from(steps) * gradient), bytes: 0.0 };
    let evaluator = LossEvaluator::new(context, measure);
    visit(load, &mut || {
        let scored =
            evaluator.evaluate(&population, 0..population.len(), Scoring { generation: 0 }, &streams, &mut evaluations);
        scored.map_or(f64::NAN, |()| mean(&evaluations.fitness))
    })
}

pub fn generation(size: usize, genes: usize, crossover: &str, visit: Visit) -> Result<()> {
    let network = Mlp::new(genes - 1, &[], 1, Output::Linear, Loss::MeanSquared)?;
    let rows = Rows::new(&vec![0.0; genes - 1], &[0.0], genes - 1, 1);
    let supervised = Supervised { training: rows, validation: None };
    let text = format!(
        "(population: {size}, generations: 1000000000, scheme: Normal(standard_deviation: 1.0), elitism: 2,
          selection: Tournament(size: 3), crossover: {crossover}, mutation: Gaussian(rate: 0.05))"
    );
    let settings: GeneticSettings =
        dialect().from_str(&text).map_err(|error| Error::internal(format!("settings of a workload: {error}")))?;
    let streams = Streams::new(1);
    let mut genetic = Genetic::new(settings, &network, &supervised);
    let mut evaluations = Evaluations::default();
    let work = (size * genes) as f64;
    // Two parents read, a child written, and its line read before that.
    visit(Load { work, multiply_adds: 0.0, bytes: 16.0 * work }, &mut || {
        let Ok((population, asked)) = genetic.ask(size, &streams) else { return f64::NAN };
        let scored = Sphere.evaluate(population, asked.clone(), Scoring { generation: 0 }, &streams, &mut evaluations);
        genetic.tell(&mut evaluations, asked);
        scored.map_or(f64::NAN, |()| mean(&evaluations.fitness))
    })
}

pub fn train(shape: &Shape, optimizer: &str, batch: Batch, arrays: Option<&Path>, visit: Visit) -> Result<()> {
    let (mut network, supervised, population) = arrange(shape, arrays)?;
    let training = training(optimizer, batch)?;
    if let Steps::ByObjective(method) = training.optimizer.steps()
        && method.check(&network).is_err()
    {
        // A method for sums of squares.
        let hidden = vec![(shape.hidden, Activation::Tanh); shape.depth];
        network = Mlp::new(shape.inputs, &hidden, shape.classes, Output::Linear, Loss::MeanSquared)?;
    }
    let context =
        TrainContext { network: &network, supervised: &supervised, training: &training, streams: Streams::new(1) };
    let count = supervised.training.count();
    let (mut scratch, mut cost) = (Scratch::shared(), Cost::ZERO);
    if matches!(training.optimizer.steps(), Steps::ByObjective(_)) {
        // From the start each time: near an optimum such methods do other work.
        const STEPS: usize = 10;
        let mut run = || {
            let mut session = Session::new(population.genome(0), &training);
            let before = cost;
            (0..STEPS).for_each(|_| _ = session.step(&context, &mut scratch, &mut cost));
            (session.batch_loss, (cost - before).total() as f64)
        };
        let load = Load { work: (STEPS * count) as f64, multiply_adds: run().1, bytes: 0.0 };
        return visit(load, &mut || run().0);
    }
    let epochs = match batch {
        Batch::Full => (70_000 / count).max(1),
        Batch::Size(_) => 1,
    };
    let steps = epochs * count.div_ceil(batch.rows(count));
    let work = (epochs * count) as f64;
    let load = Load { work, multiply_adds: work * multiply_adds(&network).1, bytes: 0.0 };
    let mut session = Session::new(population.genome(0), &training);
    visit(load, &mut || {
        for _ in 0..steps {
            session.step(&context, &mut scratch, &mut cost);
        }
        session.batch_loss
    })
}

pub fn rollout(size: usize, visit: Visit) -> Result<()> {
    let network = Mlp::new(5, &[(10, Activation::Tanh)], 1, Output::Tanh, Loss::MeanSquared)?;
    let streams = Streams::new(7);
    let mut population = Population::zeros(size, network.parameters());
    let mut rng = streams.stream(Purpose::Initialize, 0, 0);
    for index in 0..size {
        let genome = population.genome_mut(index);
        rng.fill_normal(genome, 0.02);
        // One unit pulls the cart back to the middle, so that every network acts for all 1000 steps.
        (genome[0], genome[1], genome[60]) = (-1.0, -1.0, 1.0);
    }
    let episodes = Count::new(1).expect("one");
    let task = ControlTask { environment: Control::CartPoleSwingUp, episodes, max_steps: None };
    let evaluator = ReturnEvaluator::new(&network, &task)?;
    let mut evaluations = Evaluations::default();
    let mut run = || -> Result<f64> {
        evaluator.evaluate(&population, 0..size, Scoring { generation: 0 }, &streams, &mut evaluations)?;
        Ok(mean(&evaluations.fitness))
    };
    run()?;
    let load =
        Load { work: (1000 * size) as f64, multiply_adds: (1000 * size * network.multiply_adds()) as f64, bytes: 0.0 };
    visit(load, &mut || run().unwrap_or(f64::NAN))
}

pub fn arm(shape: &Shape, method: &str, passes: u64, visit: Visit) -> Result<()> {
    let (network, supervised, _) = arrange(shape, None)?;
    let method: Method =
        dialect().from_str(method).map_err(|error| Error::internal(format!("arm of a workload: {error}")))?;
    let training = training("Adam()", Batch::Full)?;
    let train =
        TrainContext { network: &network, supervised: &supervised, training: &training, streams: Streams::new(1) };
    let macs = (network.multiply_adds() * supervised.training.count()) as u64;
    let mut scratch = Scratch::shared();
    let mut run = || -> Result<(Cost, f64)> {
        let mut arm = method.start(StartContext { train, arms: &[], finished: &[] })?;
        let (mut cost, mut log) = (Cost::ZERO, Log::default());
        let until = if passes == 0 { 0 } else { u64::MAX };
        let budget = if passes == 0 { 1_000 * macs } else { passes * macs };
        let (cost_now, log_now, scratch) = (&mut cost, &mut log, &mut scratch);
        arm.advance(&mut ArmContext {
            train,
            budget,
            until,
            cost: cost_now,
            scratch,
            log: log_now,
            pause: &|_| false,
            follow: None,
        })?;
        let weight = arm.weights().and_then(|weights| weights.first()).map_or(f64::NAN, |weight| f64::from(*weight));
        Ok((cost, weight))
    };
    let total = run()?.0.total() as f64;
    let load = Load { work: total / network.multiply_adds() as f64, multiply_adds: total, bytes: 0.0 };
    visit(load, &mut || run().map_or(f64::NAN, |(_, weight)| weight))
}

/// Multiply-adds that one row really takes: of the loss, and of loss and gradient (without derivatives by the inputs).
fn multiply_adds(network: &Mlp) -> (f64, f64) {
    let all = network.multiply_adds() as f64;
    let first = network.layers()[0].weights.len() as f64;
    (all, 3.0 * all - first)
}

fn mean(fitness: &[Fitness]) -> f64 {
    fitness.iter().map(|fitness| fitness.get()).sum::<f64>() / fitness.len() as f64
}

fn training(optimizer: &str, batch: Batch) -> Result<Training> {
    let optimizer =
        dialect().from_str(optimizer).map_err(|error| Error::internal(format!("optimizer of a workload: {error}")))?;
    Ok(Training { optimizer, batch, schedule: Default::default(), clip: Default::default(), stop: Vec::new() })
}

fn arrange(shape: &Shape, arrays: Option<&Path>) -> Result<(Mlp, Supervised, Population)> {
    let hidden = vec![(shape.hidden, Activation::Tanh); shape.depth];
    let network = Mlp::new(shape.inputs, &hidden, shape.classes, Output::Softmax, Loss::CrossEntropy)?;
    let (mut x, mut classes) = (vec![0.0; shape.rows * shape.inputs], vec![0.0; shape.rows]);
    let mut population = Population::zeros(shape.population, network.parameters());
    if let Some(folder) = arrays {
        let named = |kind: &str| {
            let name = match shape.inputs {
                4 => "tiny",
                64 => "small",
                _ => "medium",
            };
            folder.join(format!("{name}_{kind}.f32"))
        };
        x = read(&named("x"), x.len())?;
        classes = read(&named("y"), classes.len())?;
        let genes = read(&named("g"), shape.population * network.parameters())?;
        for (index, genome) in genes.chunks_exact(network.parameters()).enumerate() {
            population.genome_mut(index).copy_from_slice(genome);
        }
    } else {
        let mut rng = Streams::new(1).stream(Purpose::Synthetic, 0, 0);
        rng.fill_normal(&mut x, 1.0);
        classes.iter_mut().for_each(|class| *class = rng.below(shape.classes) as f32);
        (0..shape.population).for_each(|index| draw(&network, population.genome_mut(index), &mut rng));
    }
    let mut targets = vec![0.0; shape.rows * shape.classes];
    for (row, class) in targets.chunks_exact_mut(shape.classes).zip(&classes) {
        let class = (*class as usize).min(shape.classes - 1);
        row[class] = 1.0;
    }
    let training = Rows::new(&x, &targets, shape.inputs, shape.classes);
    Ok((network, Supervised { training, validation: None }, population))
}

/// Weights of variance 1 / fan-in, so that sums stay of the size that trained networks have.
fn draw(network: &Mlp, genome: &mut [f32], rng: &mut Rng) {
    for layer in network.layers() {
        rng.fill_normal(&mut genome[layer.weights.clone()], 1.0 / (layer.inputs as f64).sqrt());
        rng.fill_normal(&mut genome[layer.biases.clone()], 0.1);
    }
}

fn read(path: &Path, count: usize) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path).map_err(|cause| Error::io("reading", path, &cause))?;
    if bytes.len() != 4 * count {
        let message = format!("{} numbers where the workload takes {count}", bytes.len() / 4);
        return Err(Error::data("P0206", message).in_file(path));
    }
    Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
}

/// Σ x²: a fitness that costs next to nothing, so that what is timed is variation.
struct Sphere;

impl Evaluate<Population> for Sphere {
    fn cost(&self) -> Cost {
        Cost::ZERO
    }

    fn evaluate(
        &self,
        population: &Population,
        individuals: std::ops::Range<usize>,
        _: Scoring,
        _: &Streams,
        out: &mut Evaluations,
    ) -> Result<()> {
        struct Squares<'a>(&'a Population, usize, &'a mut [Fitness]);
        impl Loop for Squares<'_> {
            type Output = ();
            #[inline(always)]
            fn run(self) {
                let Squares(population, first, fitness) = self;
                for (index, fitness) in fitness.iter_mut().enumerate() {
                    let mut sums = [0.0_f32; 16];
                    let (chunks, rest) = population.genome(first + index).as_chunks::<16>();
                    for chunk in chunks {
                        for (sum, x) in sums.iter_mut().zip(chunk) {
                            *sum = x.mul_add(*x, *sum);
                        }
                    }
                    // Whoever saw both loops at once would put the first into lanes that suit the second.
                    let sums = std::hint::black_box(sums);
                    let halves: [f32; 8] = std::array::from_fn(|place| sums[place] + sums[place + 8]);
                    let quarters: [f32; 4] = std::array::from_fn(|place| halves[place] + halves[place + 4]);
                    let sum = (quarters[0] + quarters[2]) + (quarters[1] + quarters[3]);
                    *fitness = Fitness::new(f64::from(sum + rest.iter().map(|x| x * x).sum::<f32>()));
                }
            }
        }
        out.fitness.resize(population.len(), Fitness::WORST);
        let first = individuals.start;
        let some = (100_000 / population.parameters()).max(1);
        // The last children first: they are still in a cache.
        let fitness = out.fitness[individuals].par_chunks_mut(some).enumerate().rev();
        fitness.for_each(|(part, fitness)| vectorized(Squares(population, first + part * some, fitness)));
        Ok(())
    }
}
