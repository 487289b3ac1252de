//! One seed: every arm in turn, at the same budget, looked at on the same grid.

use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::arm::{Arm, ArmContext, Finished, Log, StartContext, Step};
use crate::experiment::prepare::Study;
use crate::experiment::record::{
    GenerationRow, HealthRow, HistoryRow, Moment, Phase, PredictionRow, ResultRow, RunRecord, RunState,
};
use crate::experiment::watch::{Event, Watch};
use crate::math::Rows;
use crate::math::kernel::Workspace;
use crate::rng::{Purpose, Streams};
use crate::task::{Prepared, Targets};
use crate::train::{Batch, Health, Scratch, TrainContext};
use sha2::{Digest, Sha256};
use std::time::Instant;

/// Looks at a run: so many, at costs that grow by a constant factor.
pub const LOOKS: usize = 512;

/// Weights that a run leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    /// A first draw, before any search.
    pub drawn: Option<Vec<f32>>,
    /// What gradient descent started from.
    pub start: Option<Vec<f32>>,
    /// What is deployed.
    pub end: Option<Vec<f32>>,
}

/// The costs, in multiply-adds, at which every arm is looked at: log-spaced from one forward pass over the training rows
/// to the budget. The last look comes at the end, wherever that is.
pub fn grid(budget: u64, unit: u64) -> Vec<u64> {
    let first = (unit as f64).min(budget as f64).max(1.0);
    let ratio = libm::log(budget as f64 / first) / (LOOKS - 1) as f64;
    let mut grid: Vec<u64> =
        (0..LOOKS - 1).map(|look| (first * libm::exp(ratio * look as f64)).round() as u64).collect();
    grid.dedup();
    grid.push(u64::MAX);
    grid
}

/// Runs every arm of `study` at `seed`; hands each finished run to `keep`, with its weights.
///
/// # Errors
/// What `keep` returns; data that cannot be split at this seed; a start that cannot be drawn.
pub fn run_replicate(
    study: &Study,
    seed: u64,
    with_predictions: bool,
    watch: &dyn Watch,
    keep: &mut dyn FnMut(RunRecord, Weights, &Prepared) -> Result<()>,
) -> Result<()> {
    let prepared = study.prepare(seed)?;
    let streams = Streams::new(seed);
    let (network, training) = (&study.network, &study.experiment.train);
    let train = TrainContext { network, supervised: &prepared.supervised, training, streams };
    let mut finished: Vec<Option<Finished>> = vec![None; study.experiment.arms.len()];
    for &index in &study.order {
        if watch.is_cancelled() {
            return Ok(());
        }
        let arm = &study.experiment.arms[index];
        watch.event(Event::ArmStarted { arm: arm.name.as_str(), seed });
        let context = StartContext { train, arms: &study.experiment.arms, finished: &finished };
        let contestant = arm.method.start(context)?;
        let observer = Observer::new(study, &prepared, arm.name.as_str(), seed, watch);
        let Some((record, weights, done)) = observer.run(contestant, train, with_predictions)? else {
            return Ok(());
        };
        finished[index] = Some(done);
        watch.event(Event::ArmFinished { row: &record.result });
        keep(record, weights, &prepared)?;
    }
    Ok(())
}

/// Looks at one arm at one seed. Looking is free and changes nothing.
struct Observer<'a> {
    study: &'a Study,
    prepared: &'a Prepared,
    arm: &'a str,
    seed: u64,
    watch: &'a dyn Watch,
    began: Instant,
    workspace: Workspace,
    observed: Cost,
    history: Vec<HistoryRow>,
    /// Loss that chooses, training loss, validation loss, cost and weights of the deployed state.
    best: Option<Deployed>,
    lowest: f64,
}

struct Deployed {
    choice: f64,
    training: f64,
    validation: Option<f64>,
    cost: u64,
    weights: Vec<f32>,
}

impl<'a> Observer<'a> {
    fn new(study: &'a Study, prepared: &'a Prepared, arm: &'a str, seed: u64, watch: &'a dyn Watch) -> Observer<'a> {
        Observer {
            study,
            prepared,
            arm,
            seed,
            watch,
            began: Instant::now(),
            workspace: Workspace::new(),
            observed: Cost::ZERO,
            history: Vec::new(),
            best: None,
            lowest: f64::INFINITY,
        }
    }

    fn row_passes(&self, multiply_adds: u64) -> f64 {
        multiply_adds as f64 / self.study.network.multiply_adds() as f64
    }

    fn loss(&mut self, weights: &[f32], rows: &Rows) -> f64 {
        self.observed += Cost::forward(self.study.network.multiply_adds(), rows.count());
        self.study.network.loss(weights, rows, &mut self.workspace)
    }

    fn look(&mut self, arm: &dyn Arm, log: &Log, spent: u64) {
        let Some(weights) = arm.weights() else { return };
        let supervised = &self.prepared.supervised;
        let training = self.loss(weights, &supervised.training);
        let validation = supervised.validation.as_ref().map(|rows| self.loss(weights, rows));
        if training < self.lowest {
            self.lowest = training;
        }
        let choice = validation.unwrap_or(training);
        if choice.is_finite() && self.best.as_ref().is_none_or(|best| choice < best.choice) {
            let mut kept = self.best.take().map(|best| best.weights).unwrap_or_default();
            kept.clear();
            kept.extend_from_slice(weights);
            self.best = Some(Deployed { choice, training, validation, cost: spent, weights: kept });
        }
        self.history.push(HistoryRow {
            arm: self.arm.to_owned(),
            seed: self.seed,
            phase: arm.phase(),
            step: log.steps,
            epoch: log.rows as f64 / supervised.training.count() as f64,
            cost: self.row_passes(spent),
            train_loss: finite(training),
            validation_loss: validation.and_then(finite),
            best_train_loss: finite(self.lowest),
            gradient_norm: log.gradient_norm.and_then(finite).filter(|_| arm.phase() == Phase::Train),
            seconds: self.began.elapsed().as_secs_f64(),
        });
    }

    /// Runs the arm to its end; `None` if the run was cancelled.
    fn run(
        mut self,
        mut arm: Box<dyn Arm + 'a>,
        train: TrainContext<'a>,
        with_predictions: bool,
    ) -> Result<Option<(RunRecord, Weights, Finished)>> {
        let network = train.network;
        let rows = train.supervised.training.count();
        let budget = self.study.budget(rows);
        let mut cost = Cost::ZERO;
        let mut scratch = Scratch::default();
        let mut log = Log::default();
        let mut end = Step::Running;
        for until in grid(budget, (network.multiply_adds() * rows) as u64) {
            // An arm that overshot a look by a long step is looked at once, not once for each look it passed.
            if cost.total() >= until {
                continue;
            }
            let mut context =
                ArmContext { train, budget, until, cost: &mut cost, scratch: &mut scratch, log: &mut log };
            end = arm.advance(&mut context)?;
            self.look(&*arm, &log, cost.total());
            self.watch.event(Event::Progress { arm: self.arm, seed: self.seed, spent: cost.total(), budget });
            if self.watch.is_cancelled() {
                return Ok(None);
            }
            if end != Step::Running {
                break;
            }
        }
        let search_cost = log.search_cost.unwrap_or(cost);
        let done = Finished { search_cost, start: log.start.clone() };
        let weights = Weights {
            drawn: log.drawn.take(),
            start: log.start.take(),
            end: self.best.as_mut().map(|best| std::mem::take(&mut best.weights)),
        };
        let record = self.record(&log, &weights, cost, search_cost, budget, end, with_predictions, train);
        Ok(Some((record, weights, done)))
    }

    #[allow(clippy::too_many_arguments)]
    fn record(
        mut self,
        log: &Log,
        weights: &Weights,
        cost: Cost,
        search_cost: Cost,
        budget: u64,
        end: Step,
        with_predictions: bool,
        train: TrainContext,
    ) -> RunRecord {
        let state = match end {
            _ if weights.end.is_none() => RunState::Failed,
            Step::Running | Step::Spent => RunState::Complete,
            Step::Stopped => RunState::Stopped,
            Step::Diverged => RunState::Diverged,
        };
        let start_loss = weights.start.as_ref().map(|start| self.loss(start, &self.prepared.supervised.training));
        let end_weights = weights.end.as_deref();
        let (test_loss, test_metric) = match (end_weights, &self.prepared.holdout.test) {
            (Some(end), Some(test)) => (finite(self.loss(end, test)), self.metric(end, test)),
            _ => (None, None),
        };
        let health = self.health(weights);
        let predictions = match end_weights {
            Some(end) if with_predictions => self.predictions(end),
            _ => Vec::new(),
        };
        let generations = log.generations.iter().map(|(summary, spent)| {
            let at = |share| quantile(&summary.fitness, share);
            GenerationRow {
                arm: self.arm.to_owned(),
                seed: self.seed,
                generation: summary.generation,
                cost: self.row_passes(*spent),
                best: at(0.0),
                median: at(0.5),
                q10: at(0.1),
                q90: at(0.9),
                worst: at(1.0),
                nonfinite: summary.nonfinite as u64,
                diversity: summary.diversity,
                unique: summary.unique,
                improved: summary.improved,
                scale: f64::from(summary.scale),
            }
        });
        let generations: Vec<GenerationRow> = generations.collect();
        let best = self.best.as_ref();
        let result = ResultRow {
            arm: self.arm.to_owned(),
            seed: self.seed,
            state,
            split_hash: split_hash(self.prepared),
            order_hash: order_hash(&train),
            search_cost: self.row_passes(search_cost.total()),
            train_cost: self.row_passes((cost - search_cost).total()),
            total_cost: self.row_passes(cost.total()),
            unspent: self.row_passes(budget.saturating_sub(cost.total())),
            observation_cost: self.row_passes(self.observed.total()),
            epochs: log.rows / train.supervised.training.count() as u64,
            steps: log.steps,
            generations: generations.len() as u64,
            evaluations: log.evaluations,
            selection_fitness: log.selection_fitness,
            start_loss: start_loss.and_then(finite),
            train_loss: best.map(|best| best.training).and_then(finite),
            validation_loss: best.and_then(|best| best.validation).and_then(finite),
            test_loss,
            test_metric,
            deployed_cost: best.map_or(0.0, |best| self.row_passes(best.cost)),
            diverged_at: (end == Step::Diverged).then(|| self.row_passes(cost.total())),
            weights_hash: end_weights.map(hash_weights).unwrap_or_default(),
            seconds: self.began.elapsed().as_secs_f64(),
        };
        RunRecord { result, history: self.history, generations, health, predictions, cost }
    }

    fn predict(&mut self, weights: &[f32], rows: &Rows) -> Vec<f32> {
        let mut out = vec![0.0; rows.count() * rows.outputs()];
        self.study.network.predict(weights, rows, &mut out, &mut self.workspace);
        out
    }

    /// Accuracy, or the coefficient of determination R² over all outputs.
    fn metric(&mut self, weights: &[f32], rows: &Rows) -> Option<f64> {
        let out = self.predict(weights, rows);
        let outputs = rows.outputs();
        let encoding = self.study.encoding;
        if self.study.experiment.task.is_classification() {
            let right = out
                .chunks_exact(outputs)
                .zip(rows.targets().chunks_exact(outputs))
                .filter(|(predicted, target)| encoding.decode(predicted) == encoding.decode(target));
            return Some(right.count() as f64 / rows.count() as f64);
        }
        let (mut residual, mut total) = (0.0, 0.0);
        for output in 0..outputs {
            let column = |values: &[f32]| values.iter().skip(output).step_by(outputs).map(|x| f64::from(*x)).collect();
            let (predicted, target): (Vec<f64>, Vec<f64>) = (column(&out), column(rows.targets()));
            let mean = target.iter().sum::<f64>() / target.len() as f64;
            residual += predicted.iter().zip(&target).map(|(y, t)| (y - t) * (y - t)).sum::<f64>();
            total += target.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>();
        }
        (total > 0.0).then(|| 1.0 - residual / total).and_then(finite)
    }

    fn health(&mut self, weights: &Weights) -> Vec<HealthRow> {
        let moments = [(Moment::Drawn, &weights.drawn), (Moment::Start, &weights.start), (Moment::End, &weights.end)];
        let mut rows = Vec::new();
        for (moment, weights) in moments {
            let Some(weights) = weights else { continue };
            let training = &self.prepared.supervised.training;
            let health = Health::of(&self.study.network, weights, training, &mut self.workspace);
            for (index, layer) in health.layers.iter().enumerate() {
                rows.push(HealthRow {
                    arm: self.arm.to_owned(),
                    seed: self.seed,
                    moment,
                    layer: index + 1,
                    saturated: layer.saturated,
                    dead: layer.dead as u64,
                    units: self.study.network.layers()[index].outputs as u64,
                    activation_variance: layer.activation_variance,
                    gradient_variance: layer.gradient_variance,
                });
            }
        }
        rows
    }

    /// What the deployed weights say of every row, in the units of the data.
    fn predictions(&mut self, weights: &[f32]) -> Vec<PredictionRow> {
        let prepared = self.prepared;
        let parts = [
            ("training", &prepared.parts.training, Some(&prepared.supervised.training)),
            ("validation", &prepared.parts.validation, prepared.supervised.validation.as_ref()),
            ("test", &prepared.parts.test, prepared.holdout.test.as_ref()),
        ];
        let mut list = Vec::new();
        let dataset = &self.study.dataset;
        let features = dataset.features();
        for (part, indices, rows) in parts {
            let Some(rows) = rows else { continue };
            let out = self.predict(weights, rows);
            for (place, &row) in indices.iter().enumerate() {
                let predicted = &out[place * rows.outputs()..(place + 1) * rows.outputs()];
                let base = |output: usize, target: f64, predicted: f64| PredictionRow {
                    arm: self.arm.to_owned(),
                    seed: self.seed,
                    part: part.to_owned(),
                    row: row as u64,
                    x1: (features <= 2).then(|| dataset.inputs[[row, 0]]),
                    x2: (features == 2).then(|| dataset.inputs[[row, 1]]),
                    output: output as u64,
                    target,
                    predicted,
                };
                match (&dataset.targets, &prepared.target_scaler) {
                    (Targets::Values { values, .. }, Some(scaler)) => {
                        let mut own = vec![0.0; predicted.len()];
                        scaler.inverse(predicted, &mut own);
                        for (output, value) in own.into_iter().enumerate() {
                            list.push(base(output, values[[row, output]], value));
                        }
                    }
                    (Targets::Classes { labels, .. }, _) => {
                        let class = self.study.encoding.decode(predicted);
                        list.push(base(0, f64::from(labels[row]), class as f64));
                    }
                    (Targets::Values { .. }, None) => unreachable!("values come with a scaler"),
                }
            }
        }
        list
    }
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// Quantile of sorted numbers (type 7); `None` of none.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    crate::math::statistics::quantile_of_sorted(sorted, share)
}

/// SHA-256 of weights as little-endian bytes, in hexadecimal digits.
pub fn hash_weights(weights: &[f32]) -> String {
    let mut hash = Sha256::new();
    weights.iter().for_each(|weight| hash.update(weight.to_le_bytes()));
    hexadecimal(&hash.finalize())
}

/// Bytes as hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn split_hash(prepared: &Prepared) -> String {
    let mut hash = Sha256::new();
    for part in [&prepared.parts.training, &prepared.parts.validation, &prepared.parts.test] {
        hash.update((part.len() as u64).to_le_bytes());
        part.iter().for_each(|row| hash.update((*row as u64).to_le_bytes()));
    }
    hexadecimal(&hash.finalize()[..8])
}

fn order_hash(train: &TrainContext) -> String {
    if train.training.batch == Batch::Full {
        return String::new();
    }
    let mut order: Vec<u32> = (0..train.supervised.training.count() as u32).collect();
    train.streams.stream(Purpose::BatchOrder, 0, 0).shuffle(&mut order);
    let mut hash = Sha256::new();
    order.iter().for_each(|row| hash.update(row.to_le_bytes()));
    hexadecimal(&hash.finalize()[..8])
}
