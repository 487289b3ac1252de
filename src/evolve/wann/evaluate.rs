//! Scoring graphs by their loss on rows, under all shared weights at once.

use super::{Individual, Performance};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::{Evaluate, Evaluations, Scoring};
use crate::math::Rows;
use crate::network::{GraphMemory, Head, Weights};
use crate::rng::{Purpose, Streams};
use crate::train::Batch;
use crate::values::Fitness;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

/// Scores graphs by their loss on training rows, once per shared weight and repetition.
///
/// Each repetition sees a minibatch of its own, common to all individuals and weights of a scoring. With `Batch::Full`
/// repetitions could not differ, so there is one. Trials are losses, `[repetitions × weights]` per individual.
pub struct GraphLossEvaluator<'a> {
    /// Links of a graph, for what [`Evaluate::cost`] tells ahead; what was really spent is counted by each graph's own.
    pub links: usize,
    rows: &'a Rows,
    head: Head,
    weights: Vec<f32>,
    batch: Batch,
    repetitions: usize,
    scratch: Vec<Mutex<Scratch>>,
    batches: Mutex<Vec<Rows>>,
}

#[derive(Default)]
struct Scratch {
    memory: GraphMemory,
    losses: Vec<f64>,
}

/// Multiply-adds that a parallel task should hold, so that handing it over is small beside it: some 50 µs.
const TASK: u64 = 3_000_000;

impl<'a> GraphLossEvaluator<'a> {
    /// An evaluator for `rows` under the shared `weights`. Output nodes under a cross-entropy must be linear.
    pub fn new(
        rows: &'a Rows,
        head: Head,
        weights: &[f32],
        batch: Batch,
        repetitions: usize,
    ) -> GraphLossEvaluator<'a> {
        let repetitions = if batch == Batch::Full { 1 } else { repetitions };
        let scratch = (0..=rayon::current_num_threads()).map(|_| Mutex::default()).collect();
        let links = (rows.features() + 1) * rows.outputs();
        let (weights, batches) = (weights.to_vec(), Mutex::default());
        GraphLossEvaluator { links, rows, head, weights, batch, repetitions, scratch, batches }
    }

    /// Trials of each individual.
    pub fn trials(&self) -> usize {
        self.repetitions * self.weights.len()
    }

    fn cost_of(&self, links: usize) -> Cost {
        Cost::forward(links, self.batch.rows(self.rows.count())).times(self.trials() as u64)
    }

    /// Draws a minibatch for each repetition.
    fn draw_batches(&self, batches: &mut Vec<Rows>, scoring: Scoring, streams: &Streams) {
        let Batch::Size(size) = self.batch else {
            return;
        };
        let size = size.get().min(self.rows.count());
        batches.resize_with(self.repetitions, || Rows::with_shape(size, self.rows.features(), self.rows.outputs()));
        let count = self.rows.count();
        let mut order: Vec<u32> = (0..count as u32).collect();
        for (repetition, batch) in batches.iter_mut().enumerate() {
            let mut rng = streams.stream(Purpose::Scoring, scoring.generation, repetition as u64);
            // The first `size` places of a shuffle, without shuffling the rest.
            for place in 0..size {
                order.swap(place, place + rng.below(count - place));
            }
            batch.gather(self.rows, &order[..size]);
        }
    }

    fn score(&self, individual: &Individual, batches: &[Rows], trials: &mut [f32]) -> Fitness {
        let thread = rayon::current_thread_index().unwrap_or(usize::MAX).min(self.scratch.len() - 1);
        let mut scratch = self.scratch[thread].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let Scratch { memory, losses } = &mut *scratch;
        losses.resize(self.weights.len(), 0.0);
        for (repetition, trials) in trials.chunks_exact_mut(self.weights.len()).enumerate() {
            let rows = batches.get(repetition).unwrap_or(self.rows);
            individual.graph.losses(self.head, Weights::Shared(&self.weights), rows, losses, memory);
            for (trial, loss) in trials.iter_mut().zip(&*losses) {
                *trial = *loss as f32;
            }
        }
        Performance::of(trials, self.weights.len()).mean
    }
}

impl Evaluate<Vec<Individual>> for GraphLossEvaluator<'_> {
    fn cost(&self) -> Cost {
        self.cost_of(self.links)
    }

    fn evaluate(
        &self,
        population: &Vec<Individual>,
        individuals: Range<usize>,
        scoring: Scoring,
        streams: &Streams,
        out: &mut Evaluations,
    ) -> Result<()> {
        let mut batches = self.batches.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.draw_batches(&mut batches, scoring, streams);
        let batches = &batches[..];
        let trials = self.trials();
        out.fitness.resize(population.len(), Fitness::WORST);
        out.trials.resize(population.len() * trials, f32::NAN);
        out.inherits.clear();
        out.inherits.resize(population.len(), false);
        let asked = &population[individuals.clone()];
        let fitness = out.fitness[individuals.clone()].par_iter_mut();
        let matrix = out.trials[individuals.start * trials..individuals.end * trials].par_chunks_exact_mut(trials);
        let links = asked.iter().map(|individual| individual.graph.multiply_adds()).max().unwrap_or(0);
        let pieces = (TASK / self.cost_of(links).total().max(1)).max(1) as usize;
        asked.par_iter().zip(fitness).zip(matrix).with_min_len(pieces).for_each(|((individual, fitness), trials)| {
            *fitness = self.score(individual, batches, trials);
        });
        for individual in asked {
            out.cost += self.cost_of(individual.graph.multiply_adds());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::genome::tests::rng;
    use super::super::{Genome, Shape};
    use super::*;
    use crate::math::Activation;
    use crate::values::Count;

    const WEIGHTS: [f32; 3] = [-1.0, 0.5, 2.0];

    fn rows(count: usize) -> Rows {
        let mut rng = rng(0);
        let mut numbers = vec![0.0; count * 4];
        rng.fill_normal(&mut numbers, 1.0);
        let (inputs, targets) = numbers.split_at(count * 3);
        Rows::new(inputs, targets, 3, 1)
    }

    fn population() -> Vec<Individual> {
        let shape = Shape { inputs: 3, outputs: 1, output: Activation::Linear };
        (1..6).map(|seed| Individual::new(Genome::initial(shape, 0.5, &mut rng(seed)))).collect()
    }

    #[test]
    fn trials_are_the_losses_of_each_minibatch_and_weight() {
        let (rows, population, streams) = (rows(50), population(), Streams::new(4));
        let size = Batch::Size(Count::new(20).unwrap());
        let evaluator = GraphLossEvaluator::new(&rows, Head::Squared, &WEIGHTS, size, 2);
        let mut out = Evaluations::default();
        let mut evaluate = |generation, individuals: Range<usize>| {
            let scoring = Scoring { generation };
            evaluator.evaluate(&population, individuals, scoring, &streams, &mut out).unwrap();
            (out.trials.clone(), out.fitness.clone(), out.cost)
        };
        let (trials, fitness, cost) = evaluate(7, 0..5);
        assert_eq!((trials.len(), fitness.len()), (5 * 6, 5));
        let links: usize = population.iter().map(|individual| individual.graph.multiply_adds()).sum();
        assert_eq!(cost, Cost::forward(links, 20 * 6));
        // The minibatches, drawn by hand.
        for repetition in 0..2 {
            let mut order: Vec<u32> = (0..50).collect();
            let mut shuffles = |repetition: u64| {
                let mut rng = streams.stream(Purpose::Scoring, 7, repetition);
                (0..20).for_each(|place| order.swap(place, place + rng.below(50 - place)));
            };
            (0..=repetition as u64).for_each(&mut shuffles);
            for (at, individual) in population.iter().enumerate() {
                for (w, weight) in WEIGHTS.iter().enumerate() {
                    let weights = vec![*weight; individual.graph.multiply_adds()];
                    let row = |row: &u32| {
                        let error = individual.graph.plain(&weights, rows.input(*row as usize))[0]
                            - rows.target(*row as usize)[0];
                        f64::from(error * error)
                    };
                    let loss = order[..20].iter().map(row).sum::<f64>() / 20.0;
                    let found = f64::from(trials[at * 6 + repetition * 3 + w]);
                    assert!((loss - found).abs() < 1e-5 * loss, "{loss} {found}");
                }
            }
        }
        for (at, fitness) in fitness.iter().enumerate() {
            let mean = trials[at * 6..][..6].iter().map(|trial| f64::from(*trial)).sum::<f64>() / 6.0;
            assert!((fitness.get() - mean).abs() < 1e-12 * mean);
        }
        assert_eq!(evaluate(7, 2..4).0, trials, "equal numbers, equal minibatches");
        assert_ne!(evaluate(8, 0..5).0, trials);
    }

    #[test]
    fn all_rows_need_one_repetition_and_threads_change_nothing() {
        let (rows, population, streams) = (rows(70), population(), Streams::new(4));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let evaluator = GraphLossEvaluator::new(&rows, Head::Squared, &WEIGHTS, Batch::Full, 3);
                assert_eq!((evaluator.trials(), evaluator.cost()), (3, Cost::forward(4, 210)));
                let mut out = Evaluations::default();
                evaluator.evaluate(&population, 0..5, Scoring { generation: 0 }, &streams, &mut out).unwrap();
                (out.trials, out.fitness)
            })
        };
        assert_eq!(run(1), run(3));
    }
}
