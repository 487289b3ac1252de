//! Scoring genomes by what their networks earn in a control task.

use super::{Evaluate, Evaluations, Population, Scoring};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::network::{Mlp, MlpLanes};
use crate::rng::Streams;
use crate::task::control::{ControlTask, LANES, Rollout, starts};
use crate::values::Fitness;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

/// Scores parameter slices of one network by the return of the episodes that it acts in.
///
/// Fitness is minus the mean score over the task's episodes, whose starts all genomes of a scoring share. Cost is counted
/// in environment steps, those really made.
pub struct ReturnEvaluator<'a> {
    network: &'a Mlp,
    task: &'a ControlTask,
    scratch: Vec<Mutex<Scratch<'a>>>,
}

struct Scratch<'a> {
    nets: MlpLanes<'a>,
    rollout: Rollout,
    sums: Vec<f64>,
}

/// Genomes that act side by side: more than a vector, so that what a step costs once is shared by several, and few
/// enough that the weights of a small network stay in the nearest cache.
const BLOCK: usize = 2 * LANES;

/// Environment steps that a parallel task should hold, so that handing it over is small beside it: some 50 µs.
const TASK: usize = 10_000;

impl<'a> ReturnEvaluator<'a> {
    /// An evaluator for networks of this shape in this task.
    ///
    /// # Errors
    /// A network whose inputs or outputs are not the environment's observations or actions (`P0142`).
    pub fn new(network: &'a Mlp, task: &'a ControlTask) -> Result<ReturnEvaluator<'a>> {
        let about = task.environment.about();
        let (inputs, outputs) = (about.observations.len(), about.actions.len());
        if (network.inputs(), network.outputs()) != (inputs, outputs) {
            let (name, found) = (task.environment.name(), (network.inputs(), network.outputs()));
            return Err(Error::experiment(
                "P0142",
                format!(
                    "`{name}` shows {inputs} observations and wants {outputs} actions, the network has {} inputs and {} outputs",
                    found.0, found.1
                ),
            )
            .help(format!("make a network of {inputs} inputs and {outputs} outputs")));
        }
        let scratch = || Scratch { nets: MlpLanes::new(network), rollout: Rollout::default(), sums: Vec::new() };
        let scratch = (0..=rayon::current_num_threads()).map(|_| Mutex::new(scratch())).collect();
        Ok(ReturnEvaluator { network, task, scratch })
    }

    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch<'a>) -> T) -> T {
        let index = rayon::current_thread_index().unwrap_or(usize::MAX).min(self.scratch.len() - 1);
        let mut scratch = self.scratch[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        work(&mut scratch)
    }

    /// Scores the genomes from `first` on, side by side; returns the steps they made.
    fn score(
        &self,
        population: &Population,
        first: usize,
        fitness: &mut [Fitness],
        starts: &[Vec<f64>],
        scratch: &mut Scratch<'a>,
    ) -> u64 {
        let Scratch { nets, rollout, sums } = scratch;
        nets.load(fitness.len(), |lane| population.genome(first + lane));
        sums.clear();
        sums.resize(fitness.len(), 0.0);
        let mut steps = 0;
        for start in starts {
            let outcomes = rollout.run(&*self.task.environment, nets, fitness.len(), self.task.steps(), |_| start);
            for (sum, outcome) in sums.iter_mut().zip(outcomes) {
                *sum += outcome.score;
                steps += u64::from(outcome.steps);
            }
        }
        for (fitness, sum) in fitness.iter_mut().zip(&*sums) {
            *fitness = Fitness::new(-sum / starts.len() as f64);
        }
        steps
    }
}

impl Evaluate<Population> for ReturnEvaluator<'_> {
    /// The most that a genome can cost: every episode lasts to its limit.
    fn cost(&self) -> Cost {
        Cost::environment(self.task.episodes.get() as u64 * self.task.steps() as u64)
    }

    fn evaluate(
        &self,
        population: &Population,
        individuals: Range<usize>,
        scoring: Scoring,
        streams: &Streams,
        out: &mut Evaluations,
    ) -> Result<()> {
        debug_assert_eq!(population.parameters(), self.network.parameters());
        let starts = starts(&*self.task.environment, streams, scoring.generation, self.task.episodes.get());
        out.fitness.resize(population.len(), Fitness::WORST);
        out.inherits.clear();
        out.inherits.resize(population.len(), false);
        let first = individuals.start;
        let blocks = TASK.div_ceil((starts.len() * self.task.steps()).saturating_mul(BLOCK).max(1));
        let work = out.fitness[individuals].par_chunks_mut(BLOCK).enumerate().with_min_len(blocks);
        let steps: u64 = work
            .map(|(block, fitness)| {
                let first = first + block * BLOCK;
                self.with_scratch(|scratch| self.score(population, first, fitness, &starts, scratch))
            })
            .sum();
        out.cost += Cost::environment(steps);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Activation, Rows};
    use crate::network::{Loss, Output, Workspace};
    use crate::rng::Purpose;
    use crate::task::control::{Control, Controller};
    use crate::values::Count;

    fn task(environment: Control, episodes: u64, max_steps: u64) -> ControlTask {
        let (episodes, max_steps) = (Count::new(episodes).unwrap(), Count::new(max_steps).ok());
        ControlTask { environment, episodes, max_steps }
    }

    fn network(environment: &Control) -> Mlp {
        let about = environment.about();
        let (inputs, outputs) = (about.observations.len(), about.actions.len());
        Mlp::new(inputs, &[(6, Activation::Tanh)], outputs, Output::Tanh, Loss::MeanSquared).unwrap()
    }

    fn population(network: &Mlp, size: usize) -> Population {
        let mut rng = Streams::new(4).stream(Purpose::Initialize, 0, 0);
        let mut population = Population::zeros(size, network.parameters());
        (0..size).for_each(|index| rng.fill_normal(population.genome_mut(index), 1.5));
        population
    }

    fn evaluate(evaluator: &ReturnEvaluator, population: &Population, individuals: Range<usize>) -> Evaluations {
        let mut out = Evaluations::default();
        evaluator.evaluate(population, individuals, Scoring { generation: 3 }, &Streams::new(9), &mut out).unwrap();
        out
    }

    /// One genome the way a reader would do it: `Mlp::predict` on one row, step by step.
    struct Alone<'a>(&'a Mlp, &'a [f32]);
    impl Controller for Alone<'_> {
        fn act(&mut self, observations: &[f32], actions: &mut [f32]) {
            let row: Vec<f32> = observations.iter().step_by(LANES).copied().collect();
            let mut outputs = vec![0.0; self.0.outputs()];
            let rows = Rows::new(&row, &outputs, row.len(), outputs.len());
            self.0.predict(self.1, &rows, &mut outputs, &mut Workspace::new());
            actions.iter_mut().step_by(LANES).zip(outputs).for_each(|(to, from)| *to = from);
        }
    }

    #[test]
    fn fitness_is_minus_the_mean_return_of_each_genome_alone() {
        for environment in [Control::CartPoleSwingUp, Control::CartPole, Control::Pendulum] {
            let network = network(&environment);
            let task = task(environment, 3, 60);
            let population = population(&network, 37);
            let evaluator = ReturnEvaluator::new(&network, &task).unwrap();
            let out = evaluate(&evaluator, &population, 0..37);
            let starts = starts(&*task.environment, &Streams::new(9), 3, 3);
            let mut steps = 0;
            for genome in 0..37 {
                let mut sum = 0.0;
                for start in &starts {
                    let mut alone = Alone(&network, population.genome(genome));
                    let outcome = Rollout::default().run(&*task.environment, &mut alone, 1, 60, |_| start)[0];
                    sum += outcome.score;
                    steps += u64::from(outcome.steps);
                }
                assert_eq!(out.fitness[genome], Fitness::new(-sum / 3.0), "genome {genome}");
            }
            assert_eq!(out.cost, Cost::environment(steps), "every step is charged, and no more");
            assert!(out.cost.total() <= evaluator.cost().total() * 37);
        }
    }

    #[test]
    fn threads_and_company_change_nothing() {
        let environment = Control::CartPoleSwingUp;
        let network = network(&environment);
        let task = task(environment, 2, 200);
        let population = population(&network, 100);
        let with_threads = |threads: usize, individuals: Range<usize>| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let run = || evaluate(&ReturnEvaluator::new(&network, &task).unwrap(), &population, individuals);
            pool.install(run)
        };
        let one = with_threads(1, 0..100);
        for threads in [2, 4] {
            let more = with_threads(threads, 0..100);
            assert_eq!((&more.fitness, more.cost), (&one.fitness, one.cost), "{threads} threads");
        }
        let part = with_threads(2, 41..58);
        assert_eq!(part.fitness[41..58], one.fitness[41..58]);
        assert!(part.fitness[..41].iter().all(|fitness| *fitness == Fitness::WORST));
    }

    #[test]
    fn a_network_of_another_shape_is_refused() {
        let network = network(&Control::CartPole);
        let error = ReturnEvaluator::new(&network, &task(Control::Acrobot, 1, 10)).err().unwrap();
        assert_eq!(error.code(), "P0142");
    }
}
