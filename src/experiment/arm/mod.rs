//! Arms: the contestants of an experiment. Each spends the same budget in its own way.

mod best_of;
mod cma_es;
mod descent;
mod drift;
mod evolution_strategy;
mod genetic;
mod grad_init;
mod graft;
mod least_squares_output;
mod meta_init;
mod prepared;
mod race;
pub(in crate::experiment) mod random;
mod reset_on_plateau;
mod restart_on_stagnation;
mod restarts;
mod search;
mod shuffled_winner;
mod slope;
mod untrained;

pub use best_of::{BestOf, Candidates};
pub use cma_es::CmaEsArm;
pub use drift::Drift;
pub use evolution_strategy::EvolutionStrategyArm;
pub use grad_init::{FirstStep, GradInit};
pub use graft::{Graft, Regime};
pub use least_squares_output::LeastSquaresOutput;
pub use meta_init::MetaInit;
pub use race::Race;
pub use random::Random;
pub use reset_on_plateau::ResetOnPlateau;
pub use restart_on_stagnation::RestartOnStagnation;
pub use restarts::{Cutoff, Restarts};
pub use shuffled_winner::ShuffledWinner;
pub use untrained::Untrained;

use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::Measure;
use crate::evolve::strategy::{GeneticSettings, Summary};
use crate::experiment::config::ArmConfig;
pub use crate::experiment::record::Change;
use crate::experiment::record::{Origins, Phase};
use crate::experiment::watch::TrainingStep;
use crate::math::statistics::quantile_of_sorted;
use crate::network::Mlp;
use crate::rng::{Purpose, Streams};
use crate::sealed::{self, StateReader, StateWriter};
use crate::train::{Initializer, Mistakes, Scratch, TrainContext, Training};
use crate::values::Fitness;
use serde::{Deserialize, Serialize};

/// A way to spend a budget: settings of an arm.
pub trait Contest: Send + Sync {
    /// An arm that has spent nothing yet.
    ///
    /// # Errors
    /// Settings that do not fit the task or the other arms.
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>>;

    /// Checks what the types of the settings cannot.
    ///
    /// # Errors
    /// Settings that do not go together.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Refuses a network or a training that the arm cannot serve.
    ///
    /// # Errors
    /// What does not go together, with the way out.
    fn fits(&self, network: &Mlp, _training: &Training) -> Result<()> {
        self.scheme().map_or(Ok(()), |scheme| scheme.check(network))
    }

    /// The arm that this one refers to and is run after.
    fn refers_to(&self) -> Option<&str> {
        None
    }

    /// Row-passes that the search will take at most, if that is known: for the plan.
    fn search_cost(&self, _context: &StartContext) -> Option<Cost> {
        Some(Cost::ZERO)
    }

    /// How starts are drawn, for the notes of the report.
    fn scheme(&self) -> Option<&Initializer> {
        None
    }

    /// What its search scores individuals by, if it searches.
    fn fitness(&self) -> Option<Measure> {
        None
    }

    /// Genomes that it holds at once, for the plan: slices of as many numbers as the network has parameters.
    fn genomes(&self, _plan: &Plans) -> u64 {
        4
    }

    /// Bytes of the equations that it solves, while it does, on so many training rows; for the plan.
    fn equations(&self, network: &Mlp, rows: usize) -> u64 {
        self.scheme().map_or(0, |scheme| scheme.equations(network, rows))
    }

    /// Whether this arm trains, so that gradients must pass its network.
    fn trains(&self) -> bool {
        true
    }

    /// Whether it works with gradients, or solves outputs, beside what its training does: threshold units have none.
    fn needs_slopes(&self) -> bool {
        false
    }

    /// Whether this arm evolves starts, so that its claim is tested by default.
    fn is_evolved(&self) -> bool {
        false
    }
}

crate::registry! {
    /// What an arm does with its budget.
    pub enum Method: dyn Contest {
        Random(Random),
        BestOf(BestOf),
        Race(Race),
        Restarts(Restarts),
        LeastSquaresOutput(LeastSquaresOutput),
        ResetOnPlateau(ResetOnPlateau),
        RestartOnStagnation(RestartOnStagnation),
        GradInit(GradInit),
        MetaInit(MetaInit),
        Graft(Graft),
        Genetic(GeneticSettings),
        CmaEs(CmaEsArm),
        EvolutionStrategy(EvolutionStrategyArm),
        Drift(Drift),
        ShuffledWinner(ShuffledWinner),
        Untrained(Untrained),
    }
}

/// What is known of an experiment before it is run.
#[derive(Clone, Copy)]
pub struct Plans<'a> {
    /// Parameters of the network.
    pub parameters: u64,
    /// How it is trained.
    pub training: &'a Training,
    /// All arms of the experiment.
    pub arms: &'a [ArmConfig],
}

/// What an arm is started with.
#[derive(Clone, Copy)]
pub struct StartContext<'a> {
    /// Network, rows, training and random numbers of the replicate.
    pub train: TrainContext<'a>,
    /// All arms of the experiment.
    pub arms: &'a [ArmConfig],
    /// The arms of this replicate that have finished, in the order of `arms`.
    pub finished: &'a [Option<Finished>],
}

impl StartContext<'_> {
    /// The finished run of the arm with this name.
    pub fn finished(&self, name: &str) -> Option<&Finished> {
        let index = self.arms.iter().position(|arm| arm.name.as_str() == name)?;
        self.finished.get(index)?.as_ref()
    }

    /// What the arm with this name does.
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.arms.iter().find(|arm| arm.name.as_str() == name).map(|arm| &arm.method)
    }

    /// Settings of the genetic algorithm with this name.
    pub fn genetic(&self, name: &str) -> Option<&GeneticSettings> {
        match self.method(name)? {
            Method::Genetic(settings) => Some(settings),
            _ => None,
        }
    }
}

/// What other arms may use of a finished one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finished {
    /// What its search cost.
    pub search_cost: Cost,
    /// The start that its gradient descent got; `None` if it never came to that.
    pub start: Option<Vec<f32>>,
}

/// What an arm works with while it spends.
pub struct ArmContext<'a, 'b> {
    /// Network, rows, training and random numbers.
    pub train: TrainContext<'a>,
    /// All that may be spent, in multiply-adds.
    pub budget: u64,
    /// An arm returns soon after it has spent this much, so that it can be looked at.
    pub until: u64,
    /// What was spent so far.
    pub cost: &'b mut Cost,
    /// Memory to work in.
    pub scratch: &'b mut Scratch,
    /// What the arm tells of itself.
    pub log: &'b mut Log,
    /// Whether somebody wants to save the arm or to stop: it then returns between two steps, and goes on as if nothing
    /// had been when it is called again.
    /// It is told what was spent so far.
    pub pause: &'b dyn Fn(u64) -> bool,
    /// Who wants to be told of each step of a training, if somebody does.
    pub follow: Option<&'b dyn Fn(&TrainingStep)>,
}

impl ArmContext<'_, '_> {
    /// What may still be spent.
    pub fn left(&self) -> u64 {
        self.budget.saturating_sub(self.cost.total())
    }

    /// Whether this still fits into the budget.
    pub fn affords(&self, cost: Cost) -> bool {
        cost.total() <= self.left()
    }

    /// Whether it is time to return.
    pub fn is_due(&self) -> bool {
        self.cost.total() >= self.until || (self.pause)(self.cost.total())
    }

    /// Draws start number `individual` of this replicate: the same one in every arm that has the same scheme.
    ///
    /// # Errors
    /// What the scheme refuses.
    pub fn draw(&mut self, scheme: &Initializer, individual: u64, params: &mut [f32]) -> Result<()> {
        let mut rng = self.train.streams.stream(Purpose::Initialize, 0, individual);
        scheme.init(self.train.network, &self.train.supervised.training, params, &mut rng, self.cost)
    }
}

/// What an arm tells of itself, beside its weights.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Log {
    /// Generations.
    pub generations: Vec<Generation>,
    /// Changes on the way: grafts, new starts.
    pub turns: Vec<Turn>,
    /// Mistakes of the latest training epoch by epoch, where it corrects mistakes.
    pub mistakes: Vec<EpochMistakes>,
    /// Candidates scored.
    pub evaluations: u64,
    /// Steps of gradient descent, all attempts together.
    pub steps: u64,
    /// Training rows that gradient descent has seen, all attempts together.
    pub rows: u64,
    /// A first draw, before any search.
    pub drawn: Option<Vec<f32>>,
    /// The start that gradient descent got last.
    pub start: Option<Vec<f32>>,
    /// Fitness by which it was chosen.
    pub selection_fitness: Option<f64>,
    /// What had been spent when gradient descent began.
    pub search_cost: Option<Cost>,
    /// Norm of the latest gradient.
    pub gradient_norm: Option<f64>,
    /// Damping of the next step, for methods that have one.
    pub damping: Option<f64>,
    /// Checks in a row without a new lowest validation loss, where patience counts them and the method asks the objective.
    pub checks: Option<u64>,
}

/// A change that an arm tried on its way, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// What was changed.
    pub change: Change,
    /// Whether training goes on with it.
    pub accepted: bool,
    /// Multiply-adds spent when that was decided.
    pub spent: u64,
    /// Multiply-adds that the change and its trial took.
    pub price: u64,
    /// Training loss of what there was before, if there was any.
    pub before: Option<f64>,
    /// Training loss of what was tried, when it was decided on.
    pub after: Option<f64>,
    /// Where the units of the grafted layer were before, of a graft.
    pub origins: Option<Origins>,
}

/// The mistakes of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochMistakes {
    /// Its number, from 1.
    pub epoch: u64,
    /// One entry an output unit.
    pub units: Vec<Mistakes>,
}

/// A generation in numbers, however large it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number, from 0.
    pub number: u64,
    /// Multiply-adds spent when it had been scored.
    pub spent: u64,
    /// Quantiles 0, 0.1, 0.5, 0.9 and 1 of the finite fitness, if there is any.
    pub quantiles: Option<[f64; 5]>,
    /// Individuals without a finite fitness.
    pub nonfinite: u64,
    /// As [`Summary`] says.
    pub diversity: Option<f64>,
    /// As [`Summary`] says.
    pub unique: Option<f64>,
    /// As [`Summary`] says.
    pub improved: Option<f64>,
    /// As [`Summary`] says.
    pub scale: f32,
}

impl Generation {
    /// The numbers of a summary.
    pub fn of(summary: &Summary, spent: u64) -> Generation {
        let at = |share| quantile_of_sorted(&summary.fitness, share).unwrap_or(f64::NAN);
        Generation {
            number: summary.generation,
            spent,
            quantiles: (!summary.fitness.is_empty()).then(|| [0.0, 0.1, 0.5, 0.9, 1.0].map(at)),
            nonfinite: summary.nonfinite as u64,
            diversity: summary.diversity,
            unique: summary.unique,
            improved: summary.improved,
            scale: summary.scale,
        }
    }
}

/// So many epochs are remembered one by one, later ones ever more rarely.
const EPOCHS: usize = 1024;

impl Log {
    /// An epoch has ended.
    pub(super) fn end_epoch(&mut self, epoch: u64, units: &[Mistakes]) {
        // The latest one is always there; it goes if it lies too close behind the one before.
        if let [.., before, last] = &self.mistakes[..]
            && self.mistakes.len() > EPOCHS
            && 100 * last.epoch < 101 * before.epoch
        {
            self.mistakes.pop();
        }
        self.mistakes.push(EpochMistakes { epoch, units: units.to_vec() });
    }

    /// Gradient descent begins from `start`.
    pub fn begin_training(&mut self, start: &[f32], fitness: Option<f64>, spent: Cost) {
        self.start = Some(start.to_vec());
        self.drawn.get_or_insert_with(|| start.to_vec());
        self.selection_fitness = fitness;
        self.search_cost.get_or_insert(spent);
        self.mistakes.clear();
    }
}

/// How far an arm came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It can go on.
    Running,
    /// It spent what it could.
    Spent,
    /// It has no use for more.
    Stopped,
    /// Its training left the finite numbers.
    Diverged,
}

/// A contestant under way. It spends its budget in small steps; its state between two of them is plain data.
pub trait Arm: Send {
    /// Goes on until the context says it is due, or nothing more fits into the budget.
    ///
    /// # Errors
    /// A start that cannot be drawn; an engine that fails.
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step>;

    /// The weights it would deploy now, if it has any.
    fn weights(&self) -> Option<&[f32]>;

    /// Which of the log's turns, from 0, made what [`Arm::weights`] were trained from, where the arm knows. A turn that is
    /// still being tried is the next one that the log will hold.
    fn turn(&self) -> Option<usize> {
        None
    }

    /// What it is doing.
    fn phase(&self) -> Phase;

    /// Individuals of the latest generation from best to worst, for those who look on; nobody where there are none.
    fn population(&self) -> Vec<(&[f32], Fitness)> {
        Vec::new()
    }

    /// Writes everything that `advance` goes on from.
    fn save(&self, to: &mut StateWriter);

    /// Puts back what [`Arm::save`] wrote, in an arm that has just been started with this network and training.
    ///
    /// # Errors
    /// The state of another arm (`P0304`).
    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()>;
}

/// Refuses weights of another network that were read from a file.
fn check_length<'w>(weights: impl IntoIterator<Item = &'w Vec<f32>>, train: &TrainContext) -> Result<()> {
    let fit = weights.into_iter().all(|weights| weights.len() == train.network.parameters());
    if fit { Ok(()) } else { Err(sealed::mismatch()) }
}

/// Streams apart from the trunk's, for arms that draw what no other arm may share.
pub(crate) fn own_branch(streams: Streams, arm: u32) -> Streams {
    streams.branch(0x8000_0000 | arm)
}

#[cfg(test)]
mod tests;
