//! Scoring graphs by what they earn in a control task, under all shared weights at once.

use super::{Individual, Performance, trial_lanes};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::{Evaluate, Evaluations, Scoring};
use crate::network::{Graph, GraphMemory, Weights};
use crate::rng::Streams;
use crate::task::control::{Environment, Outcome, Rollout, starts};
use crate::values::Fitness;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

/// Scores graphs by the return of episodes in which every link has the same weight, once per shared weight and start.
///
/// The starts are common to all individuals and weights of a scoring. Trials are returns with their sign turned,
/// `[repetitions × weights]` per individual; an individual's episodes run side by side, a lane each, until all have ended.
/// Cost is counted in environment steps, those really made.
pub struct GraphReturnEvaluator<'a> {
    environment: &'a dyn Environment,
    max_steps: usize,
    weights: Vec<f32>,
    repetitions: usize,
    /// The shared weight of each lane.
    lanes: Vec<f32>,
    scratch: Vec<Mutex<EpisodeMemory>>,
}

/// Memory for graphs that act in episodes; one per thread, reused for every graph.
#[derive(Debug, Default)]
pub struct EpisodeMemory {
    graph: GraphMemory,
    rollout: Rollout,
}

impl EpisodeMemory {
    /// Lets `graph` act in `count` episodes side by side; `start` gives a lane's first state. `weights` are per link, or
    /// shared, one for each lane, lanes being `count` rounded up to a multiple of 16.
    ///
    /// # Panics
    /// If the weights or the graph do not fit.
    pub fn act<'s>(
        &mut self,
        environment: &dyn Environment,
        graph: &Graph,
        weights: Weights,
        count: usize,
        max_steps: usize,
        start: impl Fn(usize) -> &'s [f64],
    ) -> &[Outcome] {
        let mut lanes = graph.lanes(weights, count.next_multiple_of(16), &mut self.graph);
        self.rollout.run(environment, &mut lanes, count, max_steps, start)
    }
}

impl<'a> GraphReturnEvaluator<'a> {
    /// An evaluator for episodes of at most `max_steps` steps under the shared `weights`, from `repetitions` starts.
    ///
    /// # Panics
    /// If there is no shared weight.
    pub fn new(
        environment: &'a dyn Environment,
        max_steps: usize,
        weights: &[f32],
        repetitions: usize,
    ) -> GraphReturnEvaluator<'a> {
        let scratch = (0..=rayon::current_num_threads()).map(|_| Mutex::default()).collect();
        let lanes = trial_lanes(weights, repetitions);
        GraphReturnEvaluator { environment, max_steps, weights: weights.to_vec(), repetitions, lanes, scratch }
    }

    /// Trials of each individual.
    pub fn trials(&self) -> usize {
        self.repetitions * self.weights.len()
    }

    /// Scores one individual; returns the steps that it made.
    fn score(&self, individual: &Individual, starts: &[Vec<f64>], trials: &mut [f32], fitness: &mut Fitness) -> u64 {
        let thread = rayon::current_thread_index().unwrap_or(usize::MAX).min(self.scratch.len() - 1);
        let mut memory = self.scratch[thread].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let count = self.weights.len();
        let (weights, start) = (Weights::Shared(&self.lanes), |lane: usize| &starts[lane / count][..]);
        let outcomes = memory.act(self.environment, &individual.graph, weights, trials.len(), self.max_steps, start);
        let mut steps = 0;
        for (trial, outcome) in trials.iter_mut().zip(outcomes) {
            *trial = -outcome.score as f32;
            steps += u64::from(outcome.steps);
        }
        *fitness = Performance::of(trials, count).mean;
        steps
    }
}

impl Evaluate<Vec<Individual>> for GraphReturnEvaluator<'_> {
    /// The most that an individual can cost: every episode lasts to its limit.
    fn cost(&self) -> Cost {
        Cost::environment(self.trials() as u64 * self.max_steps as u64)
    }

    fn evaluate(
        &self,
        population: &Vec<Individual>,
        individuals: Range<usize>,
        scoring: Scoring,
        streams: &Streams,
        out: &mut Evaluations,
    ) -> Result<()> {
        let starts = starts(self.environment, streams, scoring.generation, self.repetitions);
        let trials = self.trials();
        out.fitness.resize(population.len(), Fitness::WORST);
        out.trials.resize(population.len() * trials, f32::NAN);
        out.inherits.clear();
        out.inherits.resize(population.len(), false);
        let matrix = out.trials[individuals.start * trials..individuals.end * trials].par_chunks_exact_mut(trials);
        let fitness = out.fitness[individuals.clone()].par_iter_mut();
        let asked = population[individuals].par_iter();
        let steps: u64 = asked
            .zip(fitness)
            .zip(matrix)
            .map(|((individual, fitness), trials)| self.score(individual, &starts, trials, fitness))
            .sum();
        out.cost += Cost::environment(steps);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::genome::tests::rng;
    use super::super::{Genome, Shape};
    use super::*;
    use crate::math::Activation;
    use crate::task::control::{Control, Controller, LANES};

    const WEIGHTS: [f32; 3] = [-1.0, 0.5, 2.0];

    /// One graph the way a reader would do it: `Graph::plain` on one observation, step by step.
    struct Alone<'a>(&'a Graph, f32);
    impl Controller for Alone<'_> {
        fn act(&mut self, observations: &[f32], actions: &mut [f32]) {
            let row: Vec<f32> = observations.iter().step_by(LANES).copied().collect();
            let outputs = self.0.plain(&vec![self.1; self.0.multiply_adds()], &row);
            actions.iter_mut().step_by(LANES).zip(outputs).for_each(|(to, from)| *to = from);
        }
    }

    fn population(environment: &Control) -> Vec<Individual> {
        let about = environment.about();
        let (inputs, outputs) = (about.observations.len() as u32, about.actions.len() as u32);
        let shape = Shape { inputs, outputs, output: Activation::Linear };
        (0..9).map(|seed| Individual::new(Genome::initial(shape, 0.7, &mut rng(seed)))).collect()
    }

    fn evaluate(environment: &Control, individuals: Range<usize>) -> Evaluations {
        let evaluator = GraphReturnEvaluator::new(&**environment, 90, &WEIGHTS, 6);
        assert_eq!(evaluator.trials(), 18);
        let mut out = Evaluations::default();
        let scoring = Scoring { generation: 3 };
        evaluator.evaluate(&population(environment), individuals, scoring, &Streams::new(9), &mut out).unwrap();
        assert!(out.cost.total() <= 9 * evaluator.cost().total());
        out
    }

    #[test]
    fn trials_are_the_returns_of_each_start_and_weight_alone() {
        for environment in [Control::CartPoleSwingUp, Control::CartPole, Control::MountainCar] {
            let out = evaluate(&environment, 0..9);
            let starts = starts(&*environment, &Streams::new(9), 3, 6);
            let mut steps = 0;
            for (at, individual) in population(&environment).iter().enumerate() {
                for (trial, found) in out.trials[at * 18..][..18].iter().enumerate() {
                    let mut alone = Alone(&individual.graph, WEIGHTS[trial % 3]);
                    let start = &starts[trial / 3][..];
                    let outcome = Rollout::default().run(&*environment, &mut alone, 1, 90, |_| start)[0];
                    assert_eq!(*found, -outcome.score as f32, "individual {at} trial {trial}");
                    steps += u64::from(outcome.steps);
                }
                assert_eq!(out.fitness[at], Performance::of(&out.trials[at * 18..][..18], 3).mean);
            }
            assert_eq!(out.cost, Cost::environment(steps), "every step is charged, and no more");
        }
    }

    #[test]
    fn threads_and_company_change_nothing() {
        let with_threads = |threads: usize, individuals: Range<usize>| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| evaluate(&Control::CartPoleSwingUp, individuals))
        };
        let one = with_threads(1, 0..9);
        let more = with_threads(3, 0..9);
        assert_eq!((&more.trials, &more.fitness, more.cost), (&one.trials, &one.fitness, one.cost));
        assert_eq!(with_threads(2, 4..6).fitness[4..6], one.fitness[4..6]);
    }
}
