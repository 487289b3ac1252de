//! Scoring a whole generation at once.

use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::Population;
use crate::math::Rows;
use crate::rng::{Purpose, Streams};
use crate::train::{Batch, OnRows, Scratch, Single, Steps, TrainContext, apply};
use crate::values::{Count, Fitness, Probability};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Mutex;

/// What a genome's fitness is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Measure {
    /// The loss of the genome over all training rows. Costs 1 u.
    #[default]
    ForwardLoss,
    /// The loss over a minibatch that all genomes of a generation share.
    MinibatchLoss {
        /// Rows.
        size: Count,
    },
    /// The loss after a few optimizer steps from the genome, with a fresh optimizer. Costs 3 steps + 1 passes over the
    /// batch; with `batch: Size(n)` every step and the loss see minibatches that all genomes of a generation share. Methods
    /// that ask the objective take all their steps on the first of them, and are charged what they ask.
    ShortBackprop {
        /// Optimizer steps; 0 is the forward loss.
        steps: u32,
        /// Rows of each step; `Full` unless said otherwise.
        #[serde(default)]
        batch: Batch,
        /// What becomes of what was learned; `Baldwin`.
        #[serde(default)]
        inheritance: Inheritance,
    },
}

/// What becomes of the weights that a genome learned while it was scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Inheritance {
    /// Forgotten: learning only guides selection, and the original weights are deployed (Hinton & Nowlan 1987).
    #[default]
    Baldwin,
    /// Written back into the genome.
    Lamarck,
    /// Written back with this probability (Houck, Joines, Kay & Wilson 1997).
    Partial(Probability),
}

impl Measure {
    /// Whether what genomes learn while they are scored is kept beside them.
    pub fn keeps_learned(&self) -> bool {
        matches!(self, Measure::ShortBackprop { inheritance, .. } if *inheritance != Inheritance::Baldwin)
    }

    /// Whether two scorings of one genome in different generations give the same fitness.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Measure::ForwardLoss | Measure::ShortBackprop { batch: Batch::Full, .. })
    }

    /// Cost of one genome's score at most.
    pub fn cost(&self, context: &TrainContext) -> Cost {
        let (multiply_adds, rows) = (context.network.multiply_adds(), context.supervised.training.count());
        match self {
            Measure::ForwardLoss => Cost::forward(multiply_adds, rows),
            Measure::MinibatchLoss { size } => Cost::forward(multiply_adds, size.get().min(rows)),
            Measure::ShortBackprop { steps, batch, .. } => {
                let rows = batch.rows(rows);
                let step = context.training.step_cost(context.network, rows);
                step.times(u64::from(*steps)) + Cost::forward(multiply_adds, rows)
            }
        }
    }
}

/// Which scoring this is: scorings of one number share their minibatches and episodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scoring {
    /// The generation, or a number beyond the last one for champions that are scored afresh.
    pub generation: u64,
}

/// Scores of a generation. Reused from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Evaluations {
    /// One fitness per individual of the population; only the range that was asked for is written.
    pub fitness: Vec<Fitness>,
    /// Scores of each individual's trials, `[population × trials]`, lower is better: losses, or returns with their sign
    /// turned. Empty where an individual is scored once.
    pub trials: Vec<f32>,
    /// What individuals learned, where that is inherited: same indices.
    pub learned: Option<Population>,
    /// Which individuals inherit what they learned.
    pub inherits: Vec<bool>,
    /// What the scoring cost.
    pub cost: Cost,
}

/// Scores the individuals of a generation. The seam for other engines: nothing above knows how it is done.
pub trait Evaluate<P>: Sync {
    /// Cost of scoring one individual at most.
    fn cost(&self) -> Cost;

    /// Scores `individuals`; adds what it cost to `out.cost`.
    ///
    /// # Errors
    /// An engine that fails. A genome that computes nonsense is no error: its fitness is [`Fitness::WORST`].
    fn evaluate(
        &self,
        population: &P,
        individuals: Range<usize>,
        scoring: Scoring,
        streams: &Streams,
        out: &mut Evaluations,
    ) -> Result<()>;
}

/// Scores parameter slices by their loss on training rows.
pub struct LossEvaluator<'a> {
    context: TrainContext<'a>,
    measure: Measure,
    scratch: Vec<Mutex<Scratch>>,
    batches: Mutex<Batches>,
}

/// The minibatches of a scoring, and the order they are drawn by.
#[derive(Default)]
struct Batches {
    rows: Vec<Rows>,
    order: Vec<u32>,
}

/// Multiply-adds that a parallel task should hold, so that handing it over is small beside it: some 30 µs.
const TASK: u64 = 1_500_000;
/// Multiply-adds in the time of one activation.
const ACTIVATION: u64 = 24;

impl<'a> LossEvaluator<'a> {
    /// An evaluator for the rows, network and optimizer of `context`.
    pub fn new(context: TrainContext<'a>, measure: Measure) -> LossEvaluator<'a> {
        let scratch = (0..=rayon::current_num_threads()).map(|_| Mutex::default()).collect();
        LossEvaluator { context, measure, scratch, batches: Mutex::default() }
    }

    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let index = rayon::current_thread_index().unwrap_or(usize::MAX).min(self.scratch.len() - 1);
        let mut scratch = self.scratch[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        work(&mut scratch)
    }

    /// Draws the minibatches of a scoring: one a step, and one for the loss.
    fn draw_batches(&self, batches: &mut Batches, scoring: Scoring, streams: &Streams) {
        let rows = &self.context.supervised.training;
        let (count, size) = match self.measure {
            Measure::MinibatchLoss { size } => (1, size.get()),
            Measure::ShortBackprop { steps, batch: Batch::Size(size), .. } => (steps as usize + 1, size.get()),
            _ => return,
        };
        let size = size.min(rows.count());
        let Batches { rows: batches, order } = batches;
        batches.resize_with(count, || Rows::with_shape(size, rows.features(), rows.outputs()));
        order.clear();
        order.extend(0..rows.count() as u32);
        for (index, batch) in batches.iter_mut().enumerate() {
            let mut rng = streams.stream(Purpose::Scoring, scoring.generation, index as u64);
            // The first `size` places of a shuffle, without shuffling the rest.
            for place in 0..size {
                order.swap(place, place + rng.below(rows.count() - place));
            }
            batch.gather(rows, &order[..size]);
        }
    }

    /// The fitness of a genome, and what it cost.
    fn score(
        &self,
        genome: &[f32],
        batches: &[Rows],
        scratch: &mut Scratch,
        learned: Option<&mut [f32]>,
    ) -> (Fitness, Cost) {
        let TrainContext { network, supervised, training, .. } = self.context;
        let all = &supervised.training;
        let mut cost = self.cost();
        let loss = match self.measure {
            Measure::ForwardLoss => network.loss(genome, all, &mut scratch.workspace),
            Measure::MinibatchLoss { .. } => network.loss(genome, &batches[0], &mut scratch.workspace),
            Measure::ShortBackprop { steps, .. } => {
                let rows = |step: usize| batches.get(step).unwrap_or(all);
                let Scratch { workspace, double, gradient, params, numbers: rounded, optimizer, .. } = scratch;
                params.clear();
                params.extend_from_slice(genome);
                gradient.resize(genome.len(), 0.0);
                optimizer.reset(&*training.optimizer, genome.len());
                match training.optimizer.steps() {
                    Steps::ByGradient(method) => {
                        for step in 0..steps as usize {
                            network.gradient(params, rows(step), gradient, workspace);
                            apply(training, method, optimizer, params, gradient);
                        }
                    }
                    Steps::ByObjective(method) => {
                        let first = rows(0);
                        cost = Cost::forward(network.multiply_adds(), first.count());
                        let single = Single { workspace, params: rounded, gradient };
                        let mut objective = OnRows { network, rows: first, memory: double, single, cost: &mut cost };
                        for _ in 0..steps {
                            let progress = method.step(&mut optimizer.memory, params, &mut objective);
                            if progress.stuck || !(progress.loss + progress.gradient_norm).is_finite() {
                                break;
                            }
                        }
                    }
                    Steps::ByCorrection(method) => {
                        cost = Cost::forward(network.multiply_adds(), rows(steps as usize).count());
                        let mut made = vec![0; network.outputs()];
                        for step in 0..steps as usize {
                            let rows = rows(step);
                            cost += method.correct(network, params, rows, 0..rows.count(), &mut made);
                        }
                    }
                }
                if let Some(learned) = learned {
                    learned.copy_from_slice(params);
                }
                network.loss(params, rows(steps as usize), workspace)
            }
        };
        (Fitness::new(loss), cost)
    }
}

impl Evaluate<Population> for LossEvaluator<'_> {
    fn cost(&self) -> Cost {
        self.measure.cost(&self.context)
    }

    fn evaluate(
        &self,
        population: &Population,
        individuals: Range<usize>,
        scoring: Scoring,
        streams: &Streams,
        out: &mut Evaluations,
    ) -> Result<()> {
        let mut batches = self.batches.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.draw_batches(&mut batches, scoring, streams);
        let batches = &batches.rows[..];
        out.fitness.resize(population.len(), Fitness::WORST);
        out.inherits.clear();
        out.inherits.resize(population.len(), false);
        let inherited = match self.measure {
            Measure::ShortBackprop { inheritance: Inheritance::Lamarck, .. } => Some(1.0),
            Measure::ShortBackprop { inheritance: Inheritance::Partial(share), .. } => Some(share.get()),
            _ => None,
        };
        let multiply_adds = self.context.network.multiply_adds() as u64;
        let units: usize = self.context.network.layers().iter().map(|layer| layer.outputs).sum();
        let slower = 1.0 + (ACTIVATION * units as u64) as f64 / multiply_adds as f64;
        let pieces = (TASK as f64 / (self.cost().total().max(1) as f64 * slower)).max(1.0) as usize;
        let first = individuals.start;
        let fitness = &mut out.fitness[individuals.clone()];
        // Whole numbers: their sum is the same in any order. Where all cost the same, nobody needs to wait for the sum.
        let fixed = matches!(self.context.training.optimizer.steps(), Steps::ByGradient(_));
        let varies = !fixed && matches!(self.measure, Measure::ShortBackprop { .. });
        let spent = Mutex::new(Cost::ZERO);
        let charge = |cost: Cost| {
            if varies {
                *spent.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += cost;
            }
        };
        if let Some(share) = inherited {
            let fits = out.learned.as_ref().is_some_and(|learned| learned.len() == population.len());
            if !fits {
                out.learned = Some(Population::zeros(population.len(), population.parameters()));
            }
            for individual in individuals.clone() {
                let mut rng = streams.stream(Purpose::Scoring, scoring.generation, (1 << 32) + individual as u64);
                out.inherits[individual] = rng.chance(share);
            }
            let learned = out.learned.as_mut().expect("made above").rows_mut(first);
            let work = fitness.par_iter_mut().zip(learned).enumerate().with_min_len(pieces);
            work.for_each(|(offset, (fitness, learned))| {
                let genome = population.genome(first + offset);
                let (score, cost) = self.with_scratch(|scratch| self.score(genome, batches, scratch, Some(learned)));
                *fitness = score;
                charge(cost);
            });
        } else {
            let work = fitness.par_iter_mut().enumerate().with_min_len(pieces);
            work.for_each(|(offset, fitness)| {
                let genome = population.genome(first + offset);
                let (score, cost) = self.with_scratch(|scratch| self.score(genome, batches, scratch, None));
                *fitness = score;
                charge(cost);
            });
        }
        let spent = spent.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        out.cost += if varies { spent } else { self.cost().times(individuals.len() as u64) };
        Ok(())
    }
}
