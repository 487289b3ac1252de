//! The workloads that speed is told by: fixed shapes on made or given arrays, for benches and `precocial bench`.

use super::dialect;
use crate::error::{Error, Result};
use crate::evolve::strategy::{Genetic, GeneticSettings};
use crate::evolve::{Evaluate, Evaluations, Inheritance, LossEvaluator, Measure, Population, Scoring, Strategy};
use crate::math::kernel::{Loop, vectorized};
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output};
use crate::rng::{Purpose, Rng, Streams};
use crate::task::Supervised;
use crate::train::{Batch, Scratch, Session, TrainContext, Training};
use crate::values::{Count, Fitness};
use rayon::prelude::*;
use std::path::Path;

/// A population of perceptrons with one width for all hidden layers, and the rows they see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Networks.
    pub population: usize,
    /// Inputs of a network.
    pub inputs: usize,
    /// Units of each hidden layer, tanh.
    pub hidden: usize,
    /// Hidden layers.
    pub depth: usize,
    /// Classes: softmax and cross-entropy.
    pub classes: usize,
    /// Rows.
    pub rows: usize,
}

/// What is done, again and again.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// The loss of every network over all rows.
    Forward(Shape),
    /// The loss after so many full-batch steps of gradient descent.
    Steps(Shape, u32),
    /// One generation of a genetic algorithm on the sphere function: population, genes, and the crossover in the words
    /// of an experiment file. Tournament of 3, Gaussian mutation of 5 % of the genes, 2 elites.
    Generation(usize, usize, &'static str),
    /// Adam on one network of the shape: full-batch steps, or an epoch of minibatches.
    Adam(Shape, Batch),
}

/// A workload by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Short name: `W1`, `W4 small` …
    pub name: String,
    /// What it does.
    pub job: Job,
}

/// How much a workload does each time it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Units of work: genome-rows, genes or rows.
    pub work: f64,
    /// Multiply-adds of the products; 0 where there are none.
    pub multiply_adds: f64,
    /// Bytes that must come from or go to memory at least, where that is the limit; else 0.
    pub bytes: f64,
}

/// What a prepared workload is handed to: how much it does, and a function that does it once.
pub type Visit<'a> = &'a mut dyn FnMut(Load, &mut (dyn FnMut() -> f64 + Send)) -> Result<()>;

/// Every workload with a fixed shape, in the order of their names.
pub fn workloads() -> Vec<Workload> {
    let tiny = Shape { population: 256, inputs: 4, hidden: 8, depth: 1, classes: 3, rows: 150 };
    let small = Shape { population: 128, inputs: 64, hidden: 64, depth: 1, classes: 10, rows: 1797 };
    let medium = Shape { population: 64, inputs: 784, hidden: 128, depth: 1, classes: 10, rows: 4096 };
    let batch = Batch::Size(Count::new(32).expect("in range"));
    let uniform = "Uniform(rate: 0.9)";
    let jobs = [
        ("W1", Job::Forward(tiny)),
        ("W2", Job::Forward(small)),
        ("W3", Job::Forward(medium)),
        ("W4 tiny", Job::Steps(tiny, 5)),
        ("W4 small", Job::Steps(small, 5)),
        ("W4 medium", Job::Steps(medium, 5)),
        ("W5 large", Job::Generation(1024, 10_000, uniform)),
        ("W5 small", Job::Generation(256, 67, uniform)),
        ("W5 SBX", Job::Generation(1024, 10_000, "SimulatedBinary()")),
        ("W6 small full", Job::Adam(small, Batch::Full)),
        ("W6 medium full", Job::Adam(medium, Batch::Full)),
        ("W6 small b32", Job::Adam(small, batch)),
        ("W6 medium b32", Job::Adam(medium, batch)),
    ];
    jobs.into_iter().map(|(name, job)| Workload { name: name.to_owned(), job }).collect()
}

/// One curve of the scaling study: what changes, and the workload at each of its values.
pub struct Curve {
    /// What changes, for an axis.
    pub what: &'static str,
    /// Value and workload, ascending.
    pub points: Vec<(usize, Workload)>,
}

/// Forward losses of small networks against population, rows, width and depth.
pub fn scaling() -> Vec<Curve> {
    let base = Shape { population: 64, inputs: 16, hidden: 32, depth: 1, classes: 4, rows: 512 };
    let powers = |from: u32, to: u32| (from..=to).map(|power| 1_usize << power);
    let curve = |what, values: Vec<usize>, shape: &dyn Fn(usize) -> Shape| Curve {
        what,
        points: values
            .into_iter()
            .map(|value| (value, Workload { name: format!("{what} {value}"), job: Job::Forward(shape(value)) }))
            .collect(),
    };
    vec![
        curve("population", powers(0, 12).collect(), &|population| Shape { population, ..base }),
        curve("rows", powers(4, 16).collect(), &|rows| Shape { rows, ..base }),
        curve("hidden units", powers(2, 10).collect(), &|hidden| Shape { hidden, ..base }),
        curve("hidden layers", (1..=8).collect(), &|depth| Shape { depth, ..base }),
    ]
}

impl Workload {
    /// `256 x 4-8-3 x 150` and the like.
    pub fn title(&self) -> String {
        let net = |shape: &Shape| {
            let hidden = format!("-{}", shape.hidden).repeat(shape.depth);
            format!("{}{hidden}-{}", shape.inputs, shape.classes)
        };
        match &self.job {
            Job::Forward(shape) => format!("forward loss, {} x {} x {} rows", shape.population, net(shape), shape.rows),
            Job::Steps(shape, steps) => {
                format!("{steps} gradient steps and loss, {} x {} x {} rows", shape.population, net(shape), shape.rows)
            }
            Job::Generation(size, genes, crossover) => {
                let crossover = crossover.split('(').next().unwrap_or_default();
                format!("one generation, {size} x {genes} genes, {crossover}")
            }
            Job::Adam(shape, Batch::Full) => format!("Adam, full batch, {} x {} rows", net(shape), shape.rows),
            Job::Adam(shape, Batch::Size(size)) => {
                format!("Adam, batches of {}, {} x {} rows", size.get(), net(shape), shape.rows)
            }
        }
    }

    /// What [`Load::work`] counts.
    pub fn unit(&self) -> &'static str {
        match self.job {
            Job::Forward(_) | Job::Steps(..) => "genome-rows",
            Job::Generation(..) => "genes",
            Job::Adam(..) => "rows",
        }
    }

    /// Prepares the workload and hands it over as a function to be timed: each call does the work once, on the rayon
    /// pool of the caller, and returns a number by which implementations can be compared: the mean loss, or fitness.
    ///
    /// `arrays` is a folder with raw little-endian `f32` arrays to use instead of made ones, for the shapes tiny, small
    /// and medium: `<shape>_x.f32` `[rows × inputs]`, `<shape>_y.f32` `[rows]` class numbers, `<shape>_g.f32`
    /// `[population × parameters]` in the order of [`Mlp`].
    ///
    /// # Errors
    /// Arrays that cannot be read or do not fit; what `visit` returns.
    pub fn with(&self, arrays: Option<&Path>, visit: Visit) -> Result<()> {
        match &self.job {
            Job::Forward(shape) => score(shape, 0, arrays, visit),
            Job::Steps(shape, steps) => score(shape, *steps, arrays, visit),
            Job::Generation(size, genes, crossover) => generation(*size, *genes, crossover, visit),
            Job::Adam(shape, batch) => adam(shape, *batch, arrays, visit),
        }
    }
}

fn score(shape: &Shape, steps: u32, arrays: Option<&Path>, visit: Visit) -> Result<()> {
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

fn generation(size: usize, genes: usize, crossover: &str, visit: Visit) -> Result<()> {
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

fn adam(shape: &Shape, batch: Batch, arrays: Option<&Path>, visit: Visit) -> Result<()> {
    let (network, supervised, population) = arrange(&Shape { population: shape.population, ..*shape }, arrays)?;
    let training = training("Adam()", batch)?;
    let context =
        TrainContext { network: &network, supervised: &supervised, training: &training, streams: Streams::new(1) };
    let count = supervised.training.count();
    let epochs = match batch {
        Batch::Full => (70_000 / count).max(1),
        Batch::Size(_) => 1,
    };
    let steps = epochs * count.div_ceil(batch.rows(count));
    let work = (epochs * count) as f64;
    let load = Load { work, multiply_adds: work * multiply_adds(&network).1, bytes: 0.0 };
    let mut session = Session::new(population.genome(0), &training);
    let (mut scratch, mut cost) = (Scratch::default(), crate::cost::Cost::ZERO);
    visit(load, &mut || {
        for _ in 0..steps {
            session.step(&context, &mut scratch, &mut cost);
        }
        session.batch_loss
    })
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
    fn cost(&self) -> crate::cost::Cost {
        crate::cost::Cost::ZERO
    }

    fn evaluate(
        &self,
        population: &Population,
        individuals: std::ops::Range<usize>,
        _: Scoring,
        _: &Streams,
        out: &mut Evaluations,
    ) -> Result<()> {
        struct Squares<'a>(&'a [f32]);
        impl Loop for Squares<'_> {
            type Output = f64;
            #[inline(always)]
            fn run(self) -> f64 {
                let mut sums = [0.0_f32; 64];
                let chunks = self.0.chunks_exact(64);
                let rest: f32 = chunks.remainder().iter().map(|x| x * x).sum();
                for chunk in chunks {
                    for (sum, x) in sums.iter_mut().zip(chunk) {
                        *sum = x.mul_add(*x, *sum);
                    }
                }
                for half in [32, 16, 8, 4, 2, 1] {
                    for place in 0..half {
                        sums[place] += sums[place + half];
                    }
                }
                f64::from(sums[0] + rest)
            }
        }
        out.fitness.resize(population.len(), Fitness::WORST);
        let first = individuals.start;
        let least = (100_000 / population.parameters()).max(1);
        let fitness = out.fitness[individuals].par_iter_mut().enumerate().with_min_len(least);
        fitness.for_each(|(offset, fitness)| {
            *fitness = Fitness::new(vectorized(Squares(population.genome(first + offset))));
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_runs_and_gives_a_number() {
        // The same jobs on smaller shapes, so that the test is quick.
        let little = |shape: Shape| Shape { population: 2, rows: 40, ..shape };
        for workload in workloads() {
            let job = match workload.job {
                Job::Forward(shape) => Job::Forward(little(shape)),
                Job::Steps(shape, steps) => Job::Steps(little(shape), steps),
                Job::Generation(_, genes, crossover) => Job::Generation(8, genes.min(100), crossover),
                Job::Adam(shape, batch) => Job::Adam(little(shape), batch),
            };
            let workload = Workload { job, ..workload };
            let mut visited = false;
            let visit = &mut |load: Load, run: &mut (dyn FnMut() -> f64 + Send)| {
                assert!(load.work > 0.0 && load.multiply_adds + load.bytes > 0.0, "{}", workload.name);
                assert!(run().is_finite() && run().is_finite(), "{}", workload.name);
                visited = true;
                Ok(())
            };
            workload.with(None, visit).unwrap();
            assert!(visited && !workload.title().is_empty());
        }
    }

    #[test]
    fn arrays_of_another_length_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tiny_x.f32"), [0; 12]).unwrap();
        let error = workloads()[0].with(Some(folder.path()), &mut |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains("3 numbers where the workload takes 600"), "{error}");
    }
}
