//! One seed: every arm in turn, at the same budget, looked at on the same grid.

use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::arm::{Arm, ArmContext, EpochMistakes, Finished, Log, StartContext, Step};
use crate::experiment::checkpoint::{Slot, Vault};
use crate::experiment::prepare::Study;
use crate::experiment::record::{
    GenerationRow, HealthRow, HistoryRow, MistakeRow, Moment, Phase, PredictionRow, ResultRow, RunRecord, RunState,
    TurnRow, predicted_rows,
};
use crate::experiment::watch::{Event, TrainingStep, Watch};
use crate::math::Rows;
use crate::math::kernel::Workspace;
use crate::network::Mlp;
use crate::rng::Purpose;
use crate::sealed;
use crate::task::{Encoding, Prepared, Targets};
use crate::train::optimizer::Separation;
use crate::train::{Batch, Health, Scratch, Steps, TrainContext, Training};
use serde::{Deserialize, Serialize};
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

/// What a finished run leaves for the tables and for arms that refer to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Left {
    /// Its rows in the tables.
    pub record: RunRecord,
    /// What other arms may use.
    pub finished: Finished,
    /// Models that were written.
    pub models: Vec<Moment>,
}

/// What a replicate works with beside its study.
pub struct Desk<'a> {
    /// Whether predictions are written down.
    pub with_predictions: bool,
    /// Who looks on.
    pub watch: &'a dyn Watch,
    /// Where runs are saved, if they are.
    pub vault: Option<&'a Vault>,
    /// Whether what a finished run left is still whole; if not, it is run again.
    pub is_whole: &'a dyn Fn(&Left) -> bool,
    /// Takes what a finished run left, with its weights and the rows it was trained on, before it counts as finished.
    pub keep: &'a dyn Fn(&Left, &Weights, &Prepared) -> Result<()>,
}

/// Runs every arm of `study` at `seed`, or goes on where it was interrupted. What finished ones left is added to `all`; it
/// is all arms' unless the replicate was interrupted again.
///
/// # Errors
/// What `keep` returns; data that cannot be split at this seed; a start that cannot be drawn; a file that cannot be written.
pub fn run_replicate(study: &Study, seed: u64, desk: &Desk, all: &mut Vec<Left>) -> Result<()> {
    run_arms(study, &study.order, seed, desk, all)
}

/// The same with some arms only, in an order in which none comes before one that it refers to.
///
/// # Errors
/// As [`run_replicate`].
pub fn run_arms(study: &Study, arms: &[usize], seed: u64, desk: &Desk, all: &mut Vec<Left>) -> Result<()> {
    let prepared = study.prepare(seed)?;
    let mut finished: Vec<Option<Finished>> = vec![None; study.experiment.arms.len()];
    for &index in arms {
        let arm = &study.experiment.arms[index];
        let train = study.train_context(index, &prepared.supervised, seed);
        let network = train.network;
        let mut slot = desk.vault.map(|vault| vault.slot(&format!("{}-s{seed}", arm.name)));
        let before: Option<Left> = slot.as_ref().and_then(Slot::finished);
        let fits = |left: &Left| left.finished.start.as_ref().is_none_or(|start| start.len() == network.parameters());
        if let Some(left) = before.filter(|left| fits(left) && (desk.is_whole)(left)) {
            finished[index] = Some(left.finished.clone());
            all.push(left);
            continue;
        }
        if desk.watch.is_cancelled() {
            return Ok(());
        }
        desk.watch.event(Event::ArmStarted { arm: arm.name.as_str(), seed });
        let start = || arm.method.start(StartContext { train, arms: &study.experiment.arms, finished: &finished });
        let mut observer = Observer::new(study, index, &prepared, seed, desk.watch);
        let contestant = observer.resume(&start, &train, slot.as_mut())?;
        let Some((left, weights)) = observer.run(contestant, train, desk.with_predictions, slot.as_mut())? else {
            return Ok(());
        };
        let Some(mut left) = audited(left, study, index, &prepared, train, desk.watch)? else { return Ok(()) };
        if let Some(reference) = study.experiment.reference.as_ref().filter(|_| index == 0) {
            left.record.reference = reference.examine(&prepared, study.encoding, seed, desk.watch);
            if left.record.reference.is_none() && desk.watch.is_cancelled() {
                return Ok(());
            }
        }
        (desk.keep)(&left, &weights, &prepared)?;
        if let Some(slot) = slot {
            slot.finish(&left)?;
        }
        desk.watch.event(Event::ArmFinished { row: &left.record.result });
        finished[index] = Some(left.finished.clone());
        all.push(left);
    }
    Ok(())
}

/// What an arm left, with what a fitness would have known of its starts where that was asked; `None` if the run was
/// interrupted.
fn audited(
    mut left: Left,
    study: &Study,
    arm: usize,
    prepared: &Prepared,
    train: TrainContext,
    watch: &dyn Watch,
) -> Result<Option<Left>> {
    if let Some(audit) = study.experiment.audit.as_ref().filter(|audit| audit.arm(&study.experiment) == Some(arm)) {
        let Some(rows) = audit.examine(study, arm, left.record.result.seed, prepared, train, watch)? else {
            return Ok(None);
        };
        left.record.audit = rows;
    }
    Ok(Some(left))
}

/// The record of a contestant in the place of an arm, looked at as all are; `None` if it was interrupted.
pub(super) fn look_at<'a>(
    contestant: Box<dyn Arm + 'a>,
    study: &'a Study,
    arm: usize,
    seed: u64,
    prepared: &'a Prepared,
    train: TrainContext<'a>,
    watch: &'a dyn Watch,
) -> Result<Option<RunRecord>> {
    let observer = Observer::new(study, arm, prepared, seed, watch);
    Ok(observer.run(contestant, train, false, None)?.map(|(left, _)| left.record))
}

/// Looks at one arm at one seed. Looking is free and changes nothing.
struct Observer<'a> {
    study: &'a Study,
    network: &'a Mlp,
    prepared: &'a Prepared,
    arm: &'a str,
    seed: u64,
    watch: &'a dyn Watch,
    began: Instant,
    workspace: Workspace,
    seen: Seen,
}

/// What an observer has seen: with the arm, all that a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Seen {
    cost: Cost,
    log: Log,
    observed: Cost,
    history: Vec<HistoryRow>,
    /// The state that would be deployed.
    best: Option<Deployed>,
    lowest: f64,
    /// Seconds before the latest interruption.
    seconds: f64,
}

#[derive(Serialize, Deserialize)]
struct Deployed {
    /// Loss that chooses.
    choice: f64,
    training: f64,
    validation: Option<f64>,
    cost: u64,
    weights: Vec<f32>,
    /// As [`Arm::turn`] says.
    turn: Option<usize>,
}

impl Weights {
    /// The weights that there are.
    pub fn moments(&self) -> impl Iterator<Item = (Moment, &[f32])> {
        let all = [(Moment::Drawn, &self.drawn), (Moment::Start, &self.start), (Moment::End, &self.end)];
        all.into_iter().filter_map(|(moment, weights)| weights.as_deref().map(|weights| (moment, weights)))
    }
}

impl<'a> Observer<'a> {
    /// Of the arm at this place of the experiment.
    fn new(study: &'a Study, arm: usize, prepared: &'a Prepared, seed: u64, watch: &'a dyn Watch) -> Observer<'a> {
        Observer {
            study,
            network: study.network_of(arm),
            prepared,
            arm: study.experiment.arms[arm].name.as_str(),
            seed,
            watch,
            began: Instant::now(),
            workspace: Workspace::new(),
            seen: Seen {
                cost: Cost::ZERO,
                log: Log::default(),
                observed: Cost::ZERO,
                history: Vec::new(),
                best: None,
                lowest: f64::INFINITY,
                seconds: 0.0,
            },
        }
    }

    fn seconds(&self) -> f64 {
        self.seen.seconds + self.began.elapsed().as_secs_f64()
    }

    /// The arm as it was saved last, or as it starts.
    fn resume(
        &mut self,
        start: &dyn Fn() -> Result<Box<dyn Arm + 'a>>,
        train: &TrainContext,
        slot: Option<&mut Slot>,
    ) -> Result<Box<dyn Arm + 'a>> {
        let mut arm = start()?;
        let Some(slot) = slot else { return Ok(arm) };
        let (loaded, damaged) = slot.load(|from| {
            arm.load(from, train)?;
            let seen: Seen = from.take()?;
            from.end()?;
            let Seen { best, log, .. } = &seen;
            let weights = [best.as_ref().map(|best| &best.weights), log.drawn.as_ref(), log.start.as_ref()];
            if weights.into_iter().flatten().any(|weights| weights.len() != train.network.parameters()) {
                return Err(sealed::mismatch());
            }
            self.seen = seen;
            Ok(())
        });
        for problem in &damaged {
            self.watch.event(Event::Damaged { problem, from_start: !loaded });
        }
        if loaded || damaged.is_empty() {
            return Ok(arm);
        }
        // A state that was refused may have left traces. There may not be room for two.
        drop(arm);
        start()
    }

    fn save(&mut self, arm: &dyn Arm, slot: Option<&mut Slot>) -> Result<()> {
        let Some(slot) = slot else { return Ok(()) };
        let before = self.seen.seconds;
        self.seen.seconds = self.seconds();
        let saved = slot.save(&|to| {
            arm.save(to);
            to.put(&self.seen);
        });
        self.seen.seconds = before;
        saved
    }

    /// In passes through the experiment's network, which are one unit for all arms.
    fn row_passes(&self, multiply_adds: u64) -> f64 {
        multiply_adds as f64 / self.study.network.multiply_adds() as f64
    }

    fn loss(&mut self, weights: &[f32], rows: &Rows) -> f64 {
        self.seen.observed += Cost::forward(self.network.multiply_adds(), rows.count());
        self.network.loss(weights, rows, &mut self.workspace)
    }

    fn look(&mut self, arm: &dyn Arm, spent: u64) {
        let Some(weights) = arm.weights() else { return };
        let supervised = &self.prepared.supervised;
        let training = self.loss(weights, &supervised.training);
        let validation = supervised.validation.as_ref().map(|rows| self.loss(weights, rows));
        if training < self.seen.lowest {
            self.seen.lowest = training;
        }
        let choice = validation.unwrap_or(training);
        if choice.is_finite() && self.seen.best.as_ref().is_none_or(|best| choice < best.choice) {
            let mut kept = self.seen.best.take().map(|best| best.weights).unwrap_or_default();
            kept.clear();
            kept.extend_from_slice(weights);
            let turn = arm.turn();
            self.seen.best = Some(Deployed { choice, training, validation, cost: spent, weights: kept, turn });
        }
        let (seconds, log) = (self.seconds(), &self.seen.log);
        let row = HistoryRow {
            arm: self.arm.to_owned(),
            seed: self.seed,
            phase: arm.phase(),
            step: log.steps,
            epoch: log.rows as f64 / supervised.training.count() as f64,
            cost: self.row_passes(spent),
            train_loss: finite(training),
            validation_loss: validation.and_then(finite),
            best_train_loss: finite(self.seen.lowest),
            gradient_norm: log.gradient_norm.and_then(finite).filter(|_| arm.phase() == Phase::Train),
            damping: log.damping.and_then(finite).filter(|_| arm.phase() == Phase::Train),
            validation_checks: log.checks.filter(|_| arm.phase() == Phase::Train),
            seconds,
        };
        self.seen.history.push(row);
    }

    /// Runs the arm to its end; `None` if the run was interrupted.
    fn run(
        mut self,
        mut arm: Box<dyn Arm + 'a>,
        train: TrainContext<'a>,
        with_predictions: bool,
        mut slot: Option<&mut Slot>,
    ) -> Result<Option<(Left, Weights)>> {
        let rows = train.supervised.training.count();
        let unit = (self.study.network.multiply_adds() * rows) as u64;
        let budget = self.study.budget(rows);
        let watch = self.watch;
        let mut scratch = Scratch::shared();
        let (arm_name, seed) = (self.arm, self.seed);
        let tell = |step: &TrainingStep| watch.event(Event::Stepped { arm: arm_name, seed, step });
        let follow: Option<&dyn Fn(&TrainingStep)> = if watch.follows(arm_name, seed) { Some(&tell) } else { None };
        let mut end = Step::Running;
        for until in grid(budget, unit) {
            // An arm that overshot a look by a long step is looked at once, not once for each look it passed.
            while self.seen.cost.total() < until && end == Step::Running {
                let due = || slot.as_ref().is_some_and(|slot| slot.is_due());
                // Saved at every step or not, it must get on.
                let before = self.seen.cost.total();
                let pause = |spent| watch.is_cancelled() || (spent > before && due());
                let Seen { cost, log, .. } = &mut self.seen;
                let (scratch, follow) = (&mut scratch, follow);
                let mut context = ArmContext { train, budget, until, cost, scratch, log, pause: &pause, follow };
                end = arm.advance(&mut context)?;
                let spent = self.seen.cost.total();
                if spent >= until || end != Step::Running {
                    self.look(&*arm, spent);
                    if self.study.until_loss.is_some_and(|loss| self.seen.lowest <= loss) {
                        end = Step::Stopped;
                    }
                    watch.event(Event::Progress { arm: self.arm, seed: self.seed, spent, budget });
                }
                if end == Step::Running && (watch.is_cancelled() || due()) {
                    self.save(&*arm, slot.as_deref_mut())?;
                    if watch.is_cancelled() {
                        return Ok(None);
                    }
                }
            }
        }
        let cost = self.seen.cost;
        let search_cost = self.seen.log.search_cost.unwrap_or(cost);
        let finished = Finished { search_cost, start: self.seen.log.start.clone() };
        let weights = Weights {
            drawn: self.seen.log.drawn.take(),
            start: self.seen.log.start.take(),
            end: self.seen.best.as_mut().map(|best| std::mem::take(&mut best.weights)),
        };
        let models = weights.moments().map(|(moment, _)| moment).collect();
        let record = self.record(&weights, search_cost, budget, end, with_predictions, train);
        Ok(Some((Left { record, finished, models }, weights)))
    }

    fn record(
        mut self,
        weights: &Weights,
        search_cost: Cost,
        budget: u64,
        end: Step,
        with_predictions: bool,
        train: TrainContext,
    ) -> RunRecord {
        let (cost, log) = (self.seen.cost, std::mem::take(&mut self.seen.log));
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
        let generations = log.generations.iter().map(|generation| {
            let at = |place: usize| generation.quantiles.map(|quantiles| quantiles[place]);
            GenerationRow {
                arm: self.arm.to_owned(),
                seed: self.seed,
                generation: generation.number,
                cost: self.row_passes(generation.spent),
                best: at(0),
                median: at(2),
                q10: at(1),
                q90: at(3),
                worst: at(4),
                nonfinite: generation.nonfinite,
                diversity: generation.diversity,
                unique: generation.unique,
                improved: generation.improved,
                scale: f64::from(generation.scale),
            }
        });
        let generations: Vec<GenerationRow> = generations.collect();
        let deployed = self.seen.best.as_ref().and_then(|best| best.turn);
        let turns = log.turns.iter().enumerate().map(|(place, turn)| TurnRow {
            arm: self.arm.to_owned(),
            seed: self.seed,
            change: turn.change,
            accepted: turn.accepted,
            cost: self.row_passes(turn.spent),
            price: self.row_passes(turn.price),
            loss_before: turn.before.and_then(finite),
            loss_after: turn.after.and_then(finite),
            origins: turn.origins.clone(),
            deployed: deployed.map(|deployed| deployed == place),
        });
        let turns = turns.collect();
        let mistakes = self.mistakes(&log.mistakes, weights, train.training);
        let best = self.seen.best.as_ref();
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
            observation_cost: self.row_passes(self.seen.observed.total()),
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
            seconds: self.seconds(),
        };
        RunRecord {
            result,
            history: self.seen.history,
            generations,
            turns,
            mistakes,
            reference: None,
            health,
            predictions,
            audit: Vec::new(),
            cost,
        }
    }

    /// Epochs of a training that corrects mistakes, and what the deployed boundary proves of their number.
    fn mistakes(&self, epochs: &[EpochMistakes], weights: &Weights, training: &Training) -> Vec<MistakeRow> {
        let rows = &self.prepared.supervised.training;
        let separations = match (training.optimizer.steps(), &weights.start, &weights.end) {
            (Steps::ByCorrection(method), Some(start), Some(end)) => {
                let rate = f64::from(method.learning_rate.f32());
                Separation::of(self.network, start, end, rows, rate)
            }
            _ => Vec::new(),
        };
        let mut list = Vec::new();
        for (index, EpochMistakes { epoch, units }) in epochs.iter().enumerate() {
            let last = index + 1 == epochs.len();
            for (unit, mistakes) in units.iter().enumerate() {
                let separation = separations.get(unit).filter(|_| last);
                list.push(MistakeRow {
                    arm: self.arm.to_owned(),
                    seed: self.seed,
                    unit: unit as u64,
                    epoch: *epoch,
                    mistakes: mistakes.epoch,
                    total: mistakes.all,
                    radius: separation.map(|separation| separation.radius),
                    margin: separation.map(|separation| separation.margin),
                    bound: separation.and_then(|separation| separation.bound),
                });
            }
        }
        list
    }

    fn predict(&mut self, weights: &[f32], rows: &Rows) -> Vec<f32> {
        let mut out = vec![0.0; rows.count() * rows.outputs()];
        self.network.predict(weights, rows, &mut out, &mut self.workspace);
        out
    }

    /// Accuracy, or the coefficient of determination R² over all outputs.
    fn metric(&mut self, weights: &[f32], rows: &Rows) -> Option<f64> {
        metric(self.study, &self.predict(weights, rows), rows)
    }

    fn health(&mut self, weights: &Weights) -> Vec<HealthRow> {
        let mut rows = Vec::new();
        for (moment, weights) in weights.moments() {
            let training = &self.prepared.supervised.training;
            let health = Health::of(self.network, weights, training, &mut self.workspace);
            for (index, layer) in health.layers.iter().enumerate() {
                rows.push(HealthRow {
                    arm: self.arm.to_owned(),
                    seed: self.seed,
                    moment,
                    layer: index + 1,
                    saturated: layer.saturated,
                    dead: layer.dead as u64,
                    units: self.network.layers()[index].outputs as u64,
                    activation_variance: layer.activation_variance,
                    gradient_variance: layer.gradient_variance,
                });
            }
        }
        rows
    }

    /// What the deployed weights say of every row, or of examples where that would be too much, in the units of the data.
    fn predictions(&mut self, weights: &[f32]) -> Vec<PredictionRow> {
        let prepared = self.prepared;
        let parts = [
            ("training", &prepared.parts.training, Some(&prepared.supervised.training)),
            ("validation", &prepared.parts.validation, prepared.supervised.validation.as_ref()),
            ("test", &prepared.parts.test, prepared.holdout.test.as_ref()),
        ];
        let dataset = &self.study.dataset;
        let outputs = if prepared.target_scaler.is_some() { dataset.outputs() } else { 1 };
        let written = predicted_rows(&dataset.targets, dataset.rows(), outputs);
        let whole = written == dataset.rows();
        let mut list = Vec::with_capacity(written * outputs);
        let features = dataset.features();
        let last = parts.iter().rposition(|(_, _, rows)| rows.is_some());
        for (number, (part, indices, rows)) in parts.into_iter().enumerate() {
            let Some(rows) = rows.filter(|_| whole || last == Some(number)) else { continue };
            let places =
                if whole { (0..indices.len()).collect() } else { examples(&dataset.targets, indices, written) };
            let out = self.predict(weights, rows);
            for place in places {
                let row = indices[place];
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
                let mut own = vec![0.0; predicted.len()];
                match (&dataset.targets, &prepared.target_scaler) {
                    (Targets::Classes { labels, .. }, _) => {
                        let class = self.study.encoding.decode(predicted);
                        list.push(base(0, f64::from(labels[row]), class as f64));
                    }
                    (Targets::Values { values, .. }, Some(scaler)) => {
                        scaler.inverse(predicted, &mut own);
                        for (output, value) in own.into_iter().enumerate() {
                            list.push(base(output, values[[row, output]], value));
                        }
                    }
                    (Targets::Inputs { .. }, Some(scaler)) => {
                        scaler.inverse(predicted, &mut own);
                        for (output, value) in own.into_iter().enumerate() {
                            let input = dataset.inputs[[row, output]];
                            let filled = || scaler.fill().get(output).copied().unwrap_or(input);
                            list.push(base(output, if input.is_nan() { filled() } else { input }, value));
                        }
                    }
                    (Targets::Values { .. } | Targets::Inputs { .. }, None) => {
                        unreachable!("values come with a scaler")
                    }
                }
            }
        }
        list
    }
}

/// Places in a part, given the rows that it holds, of so many examples: the first row of each label, then the second of each,
/// and so on.
fn examples(targets: &Targets, part: &[usize], count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..part.len()).collect();
    if let Some((labels, classes)) = targets.classes() {
        let mut seen = vec![0_usize; classes.len()];
        let turn = |row: &usize| {
            let label = labels[*row] as usize;
            seen[label] += 1;
            (seen[label], label)
        };
        let turns: Vec<(usize, usize)> = part.iter().map(turn).collect();
        places.sort_by_key(|place| turns[*place]);
    }
    places.truncate(count);
    places
}

/// Accuracy of predictions `out` for `rows`, or their coefficient of determination R² over all outputs.
pub(super) fn metric(study: &Study, out: &[f32], rows: &Rows) -> Option<f64> {
    metric_of(study.experiment.task.is_classification().then_some(study.encoding), out, rows)
}

/// The same for `classes` of this encoding, or for values.
pub(super) fn metric_of(classes: Option<Encoding>, out: &[f32], rows: &Rows) -> Option<f64> {
    let outputs = rows.outputs();
    if let Some(encoding) = classes {
        let right = out
            .chunks_exact(outputs)
            .zip(rows.targets().chunks_exact(outputs))
            .filter(|(predicted, target)| encoding.decode(predicted) == encoding.decode(target));
        return Some(right.count() as f64 / rows.count() as f64);
    }
    let (mut residual, mut total) = (0.0, 0.0);
    for output in 0..outputs {
        let column = |values: &[f32]| values.iter().skip(output).step_by(outputs).map(|x| f64::from(*x)).collect();
        let (predicted, target): (Vec<f64>, Vec<f64>) = (column(out), column(rows.targets()));
        let mean = target.iter().sum::<f64>() / target.len() as f64;
        residual += predicted.iter().zip(&target).map(|(y, t)| (y - t) * (y - t)).sum::<f64>();
        total += target.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>();
    }
    (total > 0.0).then(|| 1.0 - residual / total).and_then(finite)
}

pub(super) fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
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

#[cfg(test)]
mod tests;
