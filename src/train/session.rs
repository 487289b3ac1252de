//! Training, one step at a time.

use crate::cost::Cost;
use crate::math::Rows;
use crate::math::kernel::{Loop, Workspace, vectorized};
use crate::network::{DoubleWorkspace, Mlp};
use crate::rng::{Purpose, Streams};
use crate::task::Supervised;
use crate::train::optimizer::Perceptron;
use crate::train::{Batch, Minimize, OnRows, Optimize, OptimizerState, Prices, Single, Steps, Stop, Training};
use serde::{Deserialize, Serialize};

/// What training needs to know besides the state of a session.
#[derive(Clone, Copy)]
pub struct TrainContext<'a> {
    /// The network.
    pub network: &'a Mlp,
    /// Its rows.
    pub supervised: &'a Supervised,
    /// How to train.
    pub training: &'a Training,
    /// The replicate's random numbers; the batch order is the same for every arm.
    pub streams: Streams,
}

/// Memory that a thread trains and scores in.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// Memory of the kernels.
    pub workspace: Workspace,
    /// Memory of passes in double precision.
    pub double: DoubleWorkspace,
    /// A gradient.
    pub gradient: Vec<f32>,
    /// Parameters to try something on.
    pub params: Vec<f32>,
    /// State of a short training.
    pub optimizer: OptimizerState,
    /// Anything.
    pub numbers: Vec<f32>,
    batch: Rows,
    order: Vec<u32>,
    order_of: Option<(Streams, u64)>,
}

impl Scratch {
    /// For a training of its own: its gradients may be shared among threads, as [`Workspace::shared`] says.
    pub fn shared() -> Scratch {
        Scratch { workspace: Workspace::shared(), ..Scratch::default() }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It can go on.
    Running,
    /// The goal loss was reached.
    Reached,
    /// Another stopping rule held.
    Stopped,
    /// Loss or gradient left the finite numbers.
    Diverged,
}

/// A training under way: plain data that can be copied, put back and saved between any two steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Parameters now.
    pub params: Vec<f32>,
    /// The optimizer's memory.
    pub optimizer: OptimizerState,
    /// Epochs completed: passes over the training rows; for methods that ask the objective, trials that were good.
    pub epoch: u64,
    /// Training rows of all steps so far, for such methods of all epochs.
    pub seen: u64,
    /// Loss of the latest batch, before its step; for methods that ask the objective, after it.
    pub batch_loss: f64,
    /// Mean loss over the batches of the latest epoch, before their steps; of methods that ask the objective, after it.
    pub mean_loss: f64,
    /// Norm of the latest gradient, before clipping.
    pub gradient_norm: f64,
    /// Damping of the next step, for methods that have one.
    pub damping: Option<f64>,
    /// Checks in a row without a new lowest validation loss, where patience counts them.
    pub checks: u64,
    /// Of each output unit, for the method that corrects mistakes.
    pub mistakes: Vec<Mistakes>,
    /// Where it stands.
    pub status: Status,
    /// First row of the next batch in the epoch's order.
    position: usize,
    epoch_loss: f64,
    best_validation: f64,
}

/// Mistakes of an output unit, each of which was corrected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistakes {
    /// In the epoch under way, or in the latest one where none has begun.
    pub epoch: u64,
    /// In all epochs.
    pub all: u64,
}

impl Session {
    /// A training from `start` with a fresh optimizer.
    pub fn new(start: &[f32], training: &Training) -> Session {
        let mut optimizer = OptimizerState::default();
        optimizer.reset(&*training.optimizer, start.len());
        Session {
            params: start.to_vec(),
            optimizer,
            epoch: 0,
            seen: 0,
            batch_loss: f64::INFINITY,
            mean_loss: f64::INFINITY,
            gradient_norm: 0.0,
            damping: None,
            checks: 0,
            mistakes: Vec::new(),
            status: Status::Running,
            position: 0,
            epoch_loss: 0.0,
            best_validation: f64::INFINITY,
        }
    }

    /// Whether it could be a session of this training, once it was read from a file.
    pub fn fits(&self, context: &TrainContext) -> bool {
        let parameters = context.network.parameters();
        self.params.len() == parameters
            && self.optimizer.fits(&*context.training.optimizer, parameters)
            && self.position < context.supervised.training.count()
    }

    /// Forgets what the optimizer remembers; the learning rate's schedule begins anew with it. Epochs and patience go on.
    pub fn refresh(&mut self, training: &Training) {
        self.optimizer.reset(&*training.optimizer, self.params.len());
    }

    /// The same training from other parameters, with a fresh optimizer. Epochs and patience go on.
    pub fn child(&self, params: Vec<f32>, training: &Training) -> Session {
        let mut session = Session { params, ..self.clone() };
        session.refresh(training);
        session
    }

    /// Steps since the optimizer was fresh.
    pub fn steps(&self) -> u64 {
        self.optimizer.step
    }

    /// Rows that the next step looks at.
    pub fn next_rows(&self, context: &TrainContext) -> usize {
        let rows = context.supervised.training.count();
        context.training.batch.rows(rows).min(rows - self.position)
    }

    /// What the next step will cost at most.
    pub fn next_cost(&self, context: &TrainContext) -> Cost {
        let rows = context.supervised.training.count();
        let batch = self.next_rows(context);
        let mut cost = match context.training.optimizer.steps() {
            Steps::ByGradient(_) | Steps::ByCorrection(_) => Cost::gradient(context.network.multiply_adds(), batch),
            Steps::ByObjective(method) => method.next_cost(&self.optimizer.memory, &Prices::of(context.network, rows)),
        };
        if self.position + batch == rows && patience(context.training).is_some() {
            let validation = context.supervised.validation.as_ref().map_or(0, Rows::count);
            cost += Cost::forward(context.network.multiply_adds(), validation);
        }
        cost
    }

    /// One optimizer step, and what is due at the end of an epoch. Charges `cost`.
    pub fn step(&mut self, context: &TrainContext, scratch: &mut Scratch, cost: &mut Cost) -> Status {
        if self.status != Status::Running {
            return self.status;
        }
        match context.training.optimizer.steps() {
            Steps::ByGradient(optimizer) => self.gradient_step(optimizer, context, scratch, cost),
            Steps::ByObjective(method) => self.objective_step(method, context, scratch, cost),
            Steps::ByCorrection(method) => self.correction_step(method, context, scratch, cost),
        }
        self.status
    }

    /// A step of a method that asks the objective: an epoch of its own, if its trial was good.
    fn objective_step(
        &mut self,
        method: &dyn Minimize,
        context: &TrainContext,
        scratch: &mut Scratch,
        cost: &mut Cost,
    ) {
        let TrainContext { network, supervised, training, .. } = *context;
        let rows = &supervised.training;
        let progress = {
            let Scratch { workspace, double, gradient, params, .. } = scratch;
            let single = Single { workspace, params, gradient };
            let mut objective = OnRows { network, rows, memory: double, single, cost };
            self.optimizer.step += 1;
            method.step(&mut self.optimizer.memory, &mut self.params, &mut objective)
        };
        self.batch_loss = progress.loss;
        self.gradient_norm = progress.gradient_norm;
        self.damping = progress.damping;
        if !(progress.loss.is_finite() && progress.gradient_norm.is_finite()) {
            self.status = Status::Diverged;
            return;
        }
        if progress.moved {
            self.epoch_loss = progress.loss * rows.count() as f64;
            self.seen += rows.count() as u64;
            self.end_epoch(context, scratch, cost);
        }
        if training.stop.iter().any(|stop| matches!(stop, Stop::Goal(goal) if progress.loss <= goal.get())) {
            self.status = Status::Reached;
        }
        let ends = |stop: &Stop| match stop {
            Stop::MinGradient(least) => progress.gradient_norm <= least.get(),
            Stop::MaxDamping(most) => progress.damping.is_some_and(|damping| damping > most.get()),
            _ => false,
        };
        if self.status == Status::Running && (progress.stuck || training.stop.iter().any(ends)) {
            self.status = Status::Stopped;
        }
    }

    fn gradient_step(
        &mut self,
        optimizer: &dyn Optimize,
        context: &TrainContext,
        scratch: &mut Scratch,
        cost: &mut Cost,
    ) {
        let TrainContext { network, supervised, training, streams } = *context;
        let rows = &supervised.training;
        let batch = self.next_rows(context);
        scratch.gradient.resize(network.parameters(), 0.0);
        let Scratch { workspace, gradient, batch: batch_rows, order, order_of, .. } = scratch;
        let loss = match training.batch {
            Batch::Full => network.gradient(&self.params, rows, gradient, workspace),
            Batch::Size(_) => {
                draw_order(order, order_of, streams, self.epoch, rows);
                if batch_rows.features() != rows.features() || batch_rows.outputs() != rows.outputs() {
                    *batch_rows = Rows::with_shape(batch, rows.features(), rows.outputs());
                }
                batch_rows.gather(rows, &order[self.position..self.position + batch]);
                network.gradient(&self.params, batch_rows, gradient, workspace)
            }
        };
        *cost += Cost::gradient(network.multiply_adds(), batch);
        self.seen += batch as u64;
        self.batch_loss = loss;
        self.gradient_norm = norm(gradient);
        if !loss.is_finite() || !self.gradient_norm.is_finite() {
            self.status = Status::Diverged;
            return;
        }
        if training
            .stop
            .iter()
            .any(|stop| matches!(stop, Stop::MinGradient(least) if self.gradient_norm <= least.get()))
        {
            self.status = Status::Stopped;
            return;
        }
        apply(training, optimizer, &mut self.optimizer, &mut self.params, gradient);
        self.epoch_loss += loss * batch as f64;
        self.position += batch;
        if self.position == rows.count() {
            self.end_epoch(context, scratch, cost);
        }
    }

    /// A batch, row by row. An epoch without a mistake ends training: nothing would ever change again.
    fn correction_step(&mut self, method: &Perceptron, context: &TrainContext, scratch: &mut Scratch, cost: &mut Cost) {
        let TrainContext { network, supervised, training, streams } = *context;
        let rows = &supervised.training;
        let batch = self.next_rows(context);
        self.mistakes.resize(network.outputs(), Mistakes::default());
        if self.position == 0 {
            self.mistakes.iter_mut().for_each(|mistakes| mistakes.epoch = 0);
        }
        let Scratch { order, order_of, .. } = scratch;
        let mut made = vec![0; network.outputs()];
        *cost += match training.batch {
            Batch::Full => method.correct(network, &mut self.params, rows, 0..batch, &mut made),
            Batch::Size(_) => {
                draw_order(order, order_of, streams, self.epoch, rows);
                let chosen = order[self.position..self.position + batch].iter().map(|row| *row as usize);
                method.correct(network, &mut self.params, rows, chosen, &mut made)
            }
        };
        for (mistakes, made) in self.mistakes.iter_mut().zip(&made) {
            mistakes.epoch += made;
            mistakes.all += made;
        }
        let wrong = made.iter().sum::<u64>() as f64 / network.outputs() as f64;
        self.optimizer.step += 1;
        self.seen += batch as u64;
        self.batch_loss = wrong / batch as f64;
        self.epoch_loss += wrong;
        self.position += batch;
        if self.position < rows.count() {
            return;
        }
        self.end_epoch(context, scratch, cost);
        if !self.params.iter().all(|param| param.is_finite()) {
            self.status = Status::Diverged;
        } else if self.status == Status::Running && self.mistakes.iter().all(|mistakes| mistakes.epoch == 0) {
            self.status = Status::Stopped;
        }
    }

    fn end_epoch(&mut self, context: &TrainContext, scratch: &mut Scratch, cost: &mut Cost) {
        let TrainContext { network, supervised, training, .. } = *context;
        self.epoch += 1;
        let loss = self.epoch_loss / supervised.training.count() as f64;
        self.mean_loss = loss;
        self.position = 0;
        self.epoch_loss = 0.0;
        for stop in &training.stop {
            match stop {
                Stop::Goal(goal) if loss <= goal.get() => self.status = Status::Reached,
                Stop::Epochs(epochs) if self.epoch >= epochs.get() as u64 && self.status == Status::Running => {
                    self.status = Status::Stopped;
                }
                _ => {}
            }
        }
        if let (Some(checks), Some(validation)) = (patience(training), &supervised.validation) {
            let loss = network.loss(&self.params, validation, &mut scratch.workspace);
            *cost += Cost::forward(network.multiply_adds(), validation.count());
            if loss < self.best_validation {
                self.best_validation = loss;
                self.checks = 0;
            } else {
                self.checks += 1;
                if self.checks >= checks && self.status == Status::Running {
                    self.status = Status::Stopped;
                }
            }
        }
    }
}

/// The order of an epoch's rows, drawn if it is not there yet.
fn draw_order(order: &mut Vec<u32>, order_of: &mut Option<(Streams, u64)>, streams: Streams, epoch: u64, rows: &Rows) {
    if *order_of != Some((streams, epoch)) {
        order.clear();
        order.extend(0..rows.count() as u32);
        streams.stream(Purpose::BatchOrder, epoch, 0).shuffle(order);
        *order_of = Some((streams, epoch));
    }
}

/// One step along a gradient: clipping, schedule, update.
pub fn apply(
    training: &Training,
    optimizer: &dyn Optimize,
    state: &mut OptimizerState,
    params: &mut [f32],
    gradient: &mut [f32],
) {
    training.clip.apply(gradient);
    state.step += 1;
    let rate = optimizer.learning_rate() * training.schedule.factor(state.step);
    optimizer.step(state, params, gradient, rate);
}

fn patience(training: &Training) -> Option<u64> {
    training.stop.iter().find_map(|stop| match stop {
        Stop::Patience(checks) => Some(checks.get() as u64),
        _ => None,
    })
}

/// Euclidean norm, summed in double precision.
pub fn norm(gradient: &[f32]) -> f64 {
    struct Squares<'a>(&'a [f32]);
    impl Loop for Squares<'_> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            // Sixteen running sums: a fixed order that does not make each addition wait for the one before.
            let mut sums = [0.0_f64; 16];
            let chunks = self.0.chunks_exact(16);
            let rest = chunks.remainder();
            for chunk in chunks {
                for (sum, g) in sums.iter_mut().zip(chunk) {
                    *sum = f64::from(*g).mul_add(f64::from(*g), *sum);
                }
            }
            for (sum, g) in sums.iter_mut().zip(rest) {
                *sum = f64::from(*g).mul_add(f64::from(*g), *sum);
            }
            sums.iter().sum()
        }
    }
    vectorized(Squares(gradient)).sqrt()
}
