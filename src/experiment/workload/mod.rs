//! The workloads that speed is told by: fixed shapes on made or given arrays, for benches and `precocial bench`.

mod jobs;

use crate::error::Result;
use crate::train::Batch;
use crate::values::Count;
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
    /// An optimizer, in the words of an experiment file, on one network of the shape: full-batch steps, or an epoch of
    /// minibatches. Methods for sums of squares get squared errors behind linear outputs.
    Train(Shape, &'static str, Batch),
    /// Episodes of cart-pole swing-up of 1000 steps, one for each of so many networks of 5-10-1 tanh units.
    Rollout(usize),
    /// An arm, in the words of an experiment file, that trains one network of the shape by Adam on full batches: its first
    /// start where there are 0 passes, else all that it does with a budget of so many.
    Arm(Shape, &'static str, u64),
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
    /// Units of work: genome-rows, genes, rows, activations of a network or row-passes.
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
    let table = Shape { population: 1, inputs: 10, hidden: 16, depth: 1, classes: 3, rows: 400 };
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
        ("W6 small full", Job::Train(small, "Adam()", Batch::Full)),
        ("W6 medium full", Job::Train(medium, "Adam()", Batch::Full)),
        ("W6 small b32", Job::Train(small, "Adam()", batch)),
        ("W6 medium b32", Job::Train(medium, "Adam()", batch)),
        ("W6 small conjugate", Job::Train(small, "ScaledConjugateGradient()", Batch::Full)),
        ("W6 small L-BFGS", Job::Train(small, "Lbfgs()", Batch::Full)),
        ("W6 tiny LM", Job::Train(tiny, "LevenbergMarquardt()", Batch::Full)),
        ("W7", Job::Rollout(256)),
        ("Graft pool", Job::Arm(table, "Graft(pool_share: 1)", 0)),
        // So flat that every look finds a reason for a graft, and none may train for longer than a step.
        ("Grafts", Job::Arm(table, "Graft(pool_share: 1, waste: 1e9, flat: 1e9, steps: 1, blocks: 1)", 500)),
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
                format!("one generation, {size} x {genes} genes, {}", word(crossover))
            }
            Job::Train(shape, optimizer, batch) => {
                let batch = match batch {
                    Batch::Full => "full batch".to_owned(),
                    Batch::Size(size) => format!("batches of {}", size.get()),
                };
                format!("{}, {batch}, {} x {} rows", word(optimizer), net(shape), shape.rows)
            }
            Job::Rollout(size) => format!("cart-pole swing-up, {size} x 5-10-1 x 1000 steps"),
            Job::Arm(shape, method, 0) => format!("start of {}, {} x {} rows", word(method), net(shape), shape.rows),
            Job::Arm(shape, method, passes) => {
                format!("{passes} passes of {}, {} x {} rows", word(method), net(shape), shape.rows)
            }
        }
    }

    /// What [`Load::work`] counts.
    pub fn unit(&self) -> &'static str {
        match self.job {
            Job::Forward(_) | Job::Steps(..) => "genome-rows",
            Job::Generation(..) => "genes",
            Job::Train(..) => "rows",
            Job::Rollout(_) => "activations",
            Job::Arm(..) => "row-passes",
        }
    }

    /// Prepares the workload and hands it over as a function to be timed: each call does the work once, on the rayon
    /// pool of the caller, and returns a number by which implementations can be compared: the mean loss, or fitness.
    ///
    /// `arrays` is a folder with raw little-endian `f32` arrays to use instead of made ones, for the shapes tiny, small
    /// and medium: `<shape>_x.f32` `[rows × inputs]`, `<shape>_y.f32` `[rows]` class numbers, `<shape>_g.f32`
    /// `[population × parameters]` in the order of [`Mlp`](crate::network::Mlp).
    ///
    /// # Errors
    /// Arrays that cannot be read or do not fit; what `visit` returns.
    pub fn with(&self, arrays: Option<&Path>, visit: Visit) -> Result<()> {
        match &self.job {
            Job::Forward(shape) => jobs::score(shape, 0, arrays, visit),
            Job::Steps(shape, steps) => jobs::score(shape, *steps, arrays, visit),
            Job::Generation(size, genes, crossover) => jobs::generation(*size, *genes, crossover, visit),
            Job::Train(shape, optimizer, batch) => jobs::train(shape, optimizer, *batch, arrays, visit),
            Job::Rollout(size) => jobs::rollout(*size, visit),
            Job::Arm(shape, method, passes) => jobs::arm(shape, method, *passes, visit),
        }
    }
}

/// The name of a method or operator in the words of an experiment file.
fn word(text: &str) -> &str {
    text.split('(').next().unwrap_or_default()
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
                Job::Train(shape, optimizer, batch) => Job::Train(little(shape), optimizer, batch),
                Job::Rollout(_) => Job::Rollout(3),
                Job::Arm(shape, method, passes) => Job::Arm(little(shape), method, passes.min(90)),
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
