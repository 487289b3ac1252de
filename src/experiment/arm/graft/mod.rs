//! Evolution of hidden units while they are trained.

mod child;
mod pool;
mod units;

use super::descent::Descent;
use super::slope::{self, Slope, above, check_full_batch};
use super::{Arm, ArmContext, Change, Contest, Plans, StartContext, Step, Turn, check_length, own_branch};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::experiment::record::{Origins, Phase};
use crate::network::{Loss, Mlp, Output};
use crate::rng::{Purpose, Rng};
use crate::sealed::{self, StateReader, StateWriter};
use crate::train::initializer::Recipe;
use crate::train::{Initializer, Session, Status, TrainContext, Training};
use crate::values::{Count, Fitness, NonNegative, Positive, Probability};
use pool::Pool;
use serde::{Deserialize, Serialize};
pub use units::Regime;

/// Evolves hidden *units* instead of whole weight vectors, for full-batch training.
///
/// The units are those of the last hidden layer. Where layers lie below it they are drawn by `scheme` and trained as ever,
/// and what they say takes the place of the inputs: a team explains the targets from there, as a graft does what is still
/// wrong.
///
/// The start: a pool of candidate units is drawn, the best team of them is chosen by orthogonal least squares on some of
/// the rows, and the output layer is solved on all rows; classes of tables with many inputs start from a recipe instead,
/// which serves them better. Then a (1+1) evolution with inheritance of what was learned: while
/// the loss falls, nothing happens. When its local exponent (loss like age⁻ᵉ) says that it falls too slowly, a child is
/// made and trained beside its parent: the same weights with a fresh optimizer where the loss still falls a little, else
/// a *graft*, in which the weakest units are replaced by new ones that explain what is still wrong. A child that
/// passes its parent takes its place; else the parent goes on with its own optimizer's memory, and it takes longer until
/// the next try. Where grafts fail too, a new pool is drawn; the best weights are kept.
///
/// What carries it is the choice of units: over 24 development tasks it was as cheap without any trial (`waste: 0`), to
/// within 3 % at the last of three targets; with a learning rate that is too small, trials gained 5 %. `waste` bounds what
/// they may cost.
///
/// Units are judged one by one, so it does not matter in which order two networks hold them. Everything is charged: the
/// pool (4 to 25 passes over the rows), each graft (2 to 4), and every step of a child that is thrown away. What it tried is
/// told in `turns.csv`, with the places that units had before, and drawn as the plot `grafted-units`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graft {
    /// How starts are drawn that come out of no pool; `Recipe(Simple)` where that serves the activation, else
    /// `GlorotUniform`. Start 0 is that of `Random` with the same scheme.
    #[serde(default)]
    pub scheme: Option<Initializer>,
    /// Share of the budget that the first pool may cost; 0.05, in `Tabular` with cross-entropy 0. A dearer one is not made:
    /// the task is easy for its size. Nor is one of more than 4096 units.
    #[serde(default)]
    pub pool_share: Option<Probability>,
    /// Share of what has been spent that trials may have cost that failed, the next one included; 0.1.
    #[serde(default = "default_waste")]
    pub waste: NonNegative,
    /// What kind of inputs units are drawn for; found from the data: `Smooth` where there are at most three inputs and each
    /// has five different values or more, else `Tabular`.
    #[serde(default)]
    pub regime: Option<Regime>,
    /// Candidates in the pool for each hidden unit; 2.
    #[serde(default)]
    pub candidates: Option<Count>,
    /// Rows that the team is chosen on, about: every second, every third and so on; 192 (`Smooth`) or 128 (`Tabular`).
    #[serde(default)]
    pub rows: Option<Count>,
    /// Penalty on squared output weights in least squares, per row; 0.001 (`Smooth`) or 0.1 (`Tabular`).
    #[serde(default)]
    pub penalty: Option<Positive>,
    /// Whether the candidates hold as many units as the layer has by the rule of Nguyen and Widrow; `true`.
    #[serde(default = "default_family")]
    pub nguyen_widrow: bool,
    /// Whether the candidates hold the hidden units of a start drawn by `scheme`; `false` (`Smooth`) or `true` (`Tabular`).
    #[serde(default)]
    pub of_scheme: Option<bool>,
    /// Optimizer steps between two looks at the loss, and in a block of a child's trial; 20.
    #[serde(default = "default_steps")]
    pub steps: Count,
    /// Blocks that a trial may take; 8.
    #[serde(default = "default_blocks")]
    pub blocks: Count,
    /// Exponent under which units are replaced, and above which, up to 0.8, the optimizer forgets; 0.08 (`Smooth`) or 0.3
    /// (`Tabular`).
    #[serde(default)]
    pub flat: Option<Positive>,
    /// Share of the hidden units that a graft replaces in `Tabular`, at least one; 0.25.
    #[serde(default = "default_replaced")]
    pub replaced: Probability,
    /// Whether the child after a failed one is a wholly new start, which then has to pass its parent; `false`.
    #[serde(default)]
    pub fresh: bool,
}

fn default_waste() -> NonNegative {
    NonNegative::new(0.1).expect("in range")
}
fn default_family() -> bool {
    true
}
fn default_steps() -> Count {
    Count::new(20).expect("in range")
}
fn default_blocks() -> Count {
    Count::new(8).expect("in range")
}
fn default_replaced() -> Probability {
    Probability::new(0.25).expect("in range")
}

/// Exponent from which on training goes well.
const GOOD: f64 = 0.8;
/// Exponent under which training stands still.
const STILL: f64 = 0.05;
/// Times `steps` in which a start is early: only standing still calls for grafts.
const EARLY: u64 = 5;
/// Times `steps` after which a `Tabular` start is too good to be given up after one failure.
const YOUNG: u64 = 10;
/// Failures after which any start that stands still is given up.
const HOPELESS: u64 = 8;
/// Times the parent's loss that a graft may have after its first block.
const FAR: f64 = 2.0;
/// Blocks that a child may still be away from its parent, at the rate of its latest block.
const AHEAD: f64 = 2.0;

impl Contest for Graft {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        self.fits(context.train.network, context.train.training)?;
        let (network, rows) = (context.train.network, &context.train.supervised.training);
        let squashed = network.loss_kind() == Loss::MeanSquared && network.output() != Output::Linear;
        let pool = Pool::new(self, network, rows);
        Ok(Box::new(GraftArm { settings: self, pool, squashed, state: State::default() }))
    }

    fn fits(&self, network: &Mlp, training: &Training) -> Result<()> {
        self.scheme_for(network).check(network)?;
        check_full_batch("Graft", training)?;
        if network.layers().len() > 1 {
            return Ok(());
        }
        Err(Error::experiment("P0120", "`Graft` replaces units of the last hidden layer, and this network has none")
            .help("write a hidden layer, such as `hidden: [(units: 16)]`")
            .help("`ResetOnPlateau(…)` and `RestartOnStagnation(…)` serve any depth"))
    }

    fn search_cost(&self, _: &StartContext) -> Option<Cost> {
        // Whether there is a pool depends on the budget; grafts come while training.
        None
    }

    fn needs_slopes(&self) -> bool {
        true
    }

    fn scheme(&self) -> Option<&Initializer> {
        self.scheme.as_ref()
    }

    fn genomes(&self, _plan: &Plans) -> u64 {
        // Parent and child, each with its gradient's memory, and the best weights of former starts.
        8
    }

    fn equations(&self, network: &Mlp, rows: usize) -> u64 {
        self.scheme_for(network).equations(network, rows).max(Pool::bytes(self, network, rows))
    }

    fn is_evolved(&self) -> bool {
        true
    }
}

impl Graft {
    /// How starts of this network are drawn.
    fn scheme_for(&self, network: &Mlp) -> &Initializer {
        static RECIPE: Initializer = Initializer::Recipe(Recipe::Simple);
        static GLOROT: Initializer = Initializer::GlorotUniform;
        self.scheme.as_ref().unwrap_or(if RECIPE.check(network).is_ok() { &RECIPE } else { &GLOROT })
    }
}

struct GraftArm<'a> {
    settings: &'a Graft,
    pool: Pool<'a>,
    /// Whether outputs saturate under squared error, where no age protects a start.
    squashed: bool,
    state: State,
}

/// Everything that the arm goes on from.
#[derive(Default, Serialize, Deserialize)]
struct State {
    parent: Option<Parent>,
    trial: Option<Trial>,
    /// Starts and grafts made, by which their random numbers are told apart.
    starts: u64,
    grafts: u64,
    /// The best parent of former starts.
    best: Option<Former>,
    floor: Option<f64>,
    /// Whether pools are made at all.
    pools: bool,
    /// Multiply-adds of trials that failed.
    wasted: u64,
}

/// Who was trained before.
#[derive(Serialize, Deserialize)]
struct Former {
    params: Vec<f32>,
    loss: Fitness,
    turn: usize,
}

/// What is being trained.
#[derive(Serialize, Deserialize)]
struct Parent {
    descent: Descent,
    /// The turn that made it: its place in the log.
    turn: usize,
    slope: Slope,
    /// Children that failed since one was accepted.
    fails: u64,
}

/// A child that trains to pass its parent.
#[derive(Serialize, Deserialize)]
struct Trial {
    change: Change,
    /// Where the child's units were in its parent, if it is a graft.
    origins: Option<Origins>,
    child: Descent,
    /// The place that this turn will have in the log.
    turn: usize,
    /// Steps taken, and the loss at the end of the block before.
    steps: u64,
    before: Option<f64>,
    /// What had been spent before the child was made.
    began: u64,
}

impl Parent {
    fn loss(&self) -> f64 {
        self.descent.session.batch_loss
    }
}

impl GraftArm<'_> {
    /// The numbers of start or graft number `number`: streams that no other arm draws from.
    fn stream(&self, context: &ArmContext, number: u64, individual: u64) -> Rng {
        own_branch(context.train.streams, 3).stream(Purpose::Arm, number, individual)
    }

    /// The next start: from a pool, or drawn where pools are too dear.
    fn draw(&mut self, context: &mut ArmContext) -> Result<Vec<f32>> {
        let number = self.state.starts;
        self.state.starts += 1;
        let mut start = vec![0.0; context.train.network.parameters()];
        if !self.state.pools || self.pool.of_scheme || self.pool.is_deep() {
            context.draw(self.settings.scheme_for(context.train.network), number, &mut start)?;
            context.log.drawn.get_or_insert_with(|| start.clone());
        }
        if self.state.pools {
            let mut rng = self.stream(context, number, 0);
            self.pool.start(&mut start, &mut rng, &mut context.scratch.workspace, context.cost);
        }
        Ok(start)
    }

    /// What the next start costs.
    fn draw_cost(&self, context: &ArmContext) -> Cost {
        let (network, rows) = (context.train.network, &context.train.supervised.training);
        let scheme = self.settings.scheme_for(network).cost(network, rows);
        match (self.state.pools, self.pool.of_scheme || self.pool.is_deep()) {
            (true, true) => self.pool.cost() + scheme,
            (true, false) => self.pool.cost(),
            (false, _) => scheme,
        }
    }

    /// Begins with a start of its own; whoever was trained before is remembered if it was the best.
    fn begin(&mut self, context: &mut ArmContext) -> Result<()> {
        if self.state.starts == 0 {
            self.state.pools = self.pool.is_small();
            let cost = self.draw_cost(context);
            let share = self.settings.pool_share.map_or(self.pool.numbers.pool_share, Probability::get);
            let allowed = share * context.budget as f64;
            self.state.pools &= cost.total() as f64 <= allowed && context.affords(cost);
        }
        let began = context.cost.total();
        let start = self.draw(context)?;
        let former = self.state.parent.take();
        let before = former.as_ref().map(|parent| parent.loss()).filter(|loss| loss.is_finite());
        let spent = context.cost.total();
        let (turn, price) = (context.log.turns.len(), spent - began);
        let (change, after, origins) = (Change::Start, None, None);
        context.log.turns.push(Turn { change, accepted: true, spent, price, before, after, origins });
        context.log.begin_training(&start, None, *context.cost);
        if let Some(parent) = former {
            let loss = Fitness::new(parent.loss());
            if self.state.best.as_ref().is_none_or(|best| loss < best.loss) {
                self.state.best = Some(Former { params: parent.descent.session.params, loss, turn: parent.turn });
            }
        }
        let slope = Slope::new(self.settings.steps.get() as u64);
        let descent = Descent::new(&start, context.train.training);
        self.state.parent = Some(Parent { descent, turn, slope, fails: 0 });
        Ok(())
    }

    /// One step of the parent, and what its slope calls for.
    fn train(&mut self, context: &mut ArmContext) -> Result<Step> {
        let parent = self.state.parent.as_mut().expect("begun before");
        match parent.descent.step(context) {
            Step::Running => {}
            Step::Diverged if context.affords(self.draw_cost(context)) => {
                self.begin(context)?;
                return Ok(Step::Running);
            }
            end => return Ok(end),
        }
        let loss = parent.loss();
        if parent.slope.step(loss)
            && let Some(floor) = slope::known(&mut self.state.floor, context)
        {
            let exponent = parent.slope.exponent(loss, floor);
            self.turn(exponent, context)?;
        }
        Ok(Step::Running)
    }

    /// Whether a trial that fails after its first block would leave waste within its share.
    fn may_try(&self, context: &ArmContext) -> bool {
        let (network, rows) = (context.train.network, &context.train.supervised.training);
        let block = self.settings.steps.get() as u64 * Cost::gradient(network.multiply_adds(), rows.count()).total();
        let (wasted, spent) = (self.state.wasted + block, context.cost.total());
        wasted as f64 <= self.settings.waste.get() * spent as f64
    }

    /// What a training does whose loss has this exponent.
    fn turn(&mut self, exponent: f64, context: &mut ArmContext) -> Result<()> {
        if exponent > GOOD || !self.may_try(context) {
            return Ok(());
        }
        let parent = self.state.parent.as_ref().expect("it was just trained");
        let regime = self.pool.regime;
        let (age, fails) = (parent.slope.age / self.settings.steps.get() as u64, parent.fails);
        let few = fails >= if regime == Regime::Tabular { 1 } else { 4 };
        let young = regime == Regime::Smooth || self.squashed || age <= YOUNG;
        if exponent < STILL && ((few && young) || fails >= HOPELESS) {
            if context.affords(self.draw_cost(context)) {
                self.begin(context)?;
            }
            return Ok(());
        }
        let flat = self.settings.flat.map_or(self.pool.numbers.flat, Positive::get);
        let flat = if age < EARLY { STILL } else { flat };
        let session = &parent.descent.session;
        let began = context.cost.total();
        let (change, params, origins) = if exponent > flat {
            (Change::Reset, session.params.clone(), None)
        } else if self.settings.fresh && fails > 0 {
            if !context.affords(self.draw_cost(context)) {
                return Ok(());
            }
            (Change::Start, self.draw(context)?, None)
        } else {
            let large = regime == Regime::Smooth && !self.pool.is_small();
            if large || !context.affords(self.pool.graft_cost(self.settings.replaced.get())) {
                return Ok(());
            }
            let mut params = session.params.clone();
            let mut rng = self.stream(context, self.state.grafts, 1);
            self.state.grafts += 1;
            let share = self.settings.replaced.get();
            let origins = self.pool.graft(&mut params, share, &mut rng, &mut context.scratch.workspace, context.cost);
            (Change::Graft, params, Some(origins))
        };
        let parent = self.state.parent.as_ref().expect("as before");
        let child = Descent { session: parent.descent.session.child(params, context.train.training) };
        let turn = context.log.turns.len();
        self.state.trial = Some(Trial { change, origins, child, turn, steps: 0, before: None, began });
        Ok(())
    }

    /// One step of the child, and at the end of a block the decision.
    fn try_child(&mut self, context: &mut ArmContext) -> Step {
        let State { parent: Some(parent), trial: Some(trial), floor, .. } = &mut self.state else {
            return Step::Running;
        };
        let step = trial.child.step(context);
        let (own, goal, floor) = (trial.child.session.batch_loss, parent.loss(), floor.unwrap_or(0.0));
        if step == Step::Spent {
            self.decide(own < goal, context);
            return Step::Spent;
        }
        trial.steps += 1;
        let before = *trial.before.get_or_insert(own);
        let block = self.settings.steps.get() as u64;
        match step {
            Step::Diverged => self.decide(false, context),
            // A stopping rule holds for the child.
            Step::Stopped => {
                let passes = own < goal;
                self.decide(passes, context);
                return if passes { Step::Stopped } else { Step::Running };
            }
            _ if !trial.steps.is_multiple_of(block) => {}
            _ if own < goal => self.decide(true, context),
            _ => {
                let blocks = trial.steps / block;
                let far = blocks == 1 && trial.change != Change::Start && own > FAR * goal;
                let rate = libm::log(above(before, floor) / above(own, floor));
                let missing = libm::log(above(own, floor) / above(goal, floor));
                if far || missing > AHEAD * rate || blocks >= self.settings.blocks.get() as u64 {
                    self.decide(false, context);
                } else {
                    trial.before = Some(own);
                }
            }
        }
        Step::Running
    }

    /// The weights with the lowest loss, and the turn that made them.
    fn leader(&self) -> Option<(&[f32], usize)> {
        // A loss is that of the weights before their latest step: what has taken none ranks last.
        let of = |session: &'_ Session| Fitness::new(session.batch_loss);
        let parent = self.state.parent.as_ref().map(|parent| (&parent.descent.session, parent.turn));
        let child = self.state.trial.as_ref().map(|trial| (&trial.child.session, trial.turn));
        let child = child.filter(|(child, _)| child.status != Status::Diverged);
        let living = [parent, child].into_iter().flatten();
        let living = living.map(|(session, turn)| (&session.params[..], of(session), turn));
        let former = self.state.best.as_ref().map(|former| (&former.params[..], former.loss, former.turn));
        living.chain(former).min_by_key(|(_, loss, _)| *loss).map(|(params, _, turn)| (params, turn))
    }

    /// The child takes its parent's place, or is forgotten.
    fn decide(&mut self, accepted: bool, context: &mut ArmContext) {
        let State { parent: Some(parent), trial, wasted, .. } = &mut self.state else { return };
        let Some(trial) = trial.take() else { return };
        let finite = |loss: f64| loss.is_finite().then_some(loss);
        let own = trial.child.session.batch_loss;
        let (spent, before) = (context.cost.total(), finite(parent.loss()));
        let price = spent - trial.began;
        let (change, after, origins) = (trial.change, finite(own), trial.origins);
        context.log.turns.push(Turn { change, accepted, spent, price, before, after, origins });
        let wait = self.settings.steps.get() as u64;
        if accepted {
            let age = if change == Change::Start { 0 } else { parent.slope.age };
            let slope = Slope::at(age + trial.steps, own, wait);
            *parent = Parent { descent: trial.child, turn: trial.turn, slope, fails: 0 };
        } else {
            *wasted += price;
            let patience = self.pool.numbers.patience;
            parent.slope.wait = (parent.slope.wait as f64 * patience) as u64;
            parent.fails += 1;
        }
    }
}

impl Arm for GraftArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.state.parent.is_none() {
            self.begin(context)?;
        }
        while !context.is_due() {
            let step = if self.state.trial.is_some() { self.try_child(context) } else { self.train(context)? };
            if step != Step::Running {
                return Ok(step);
            }
        }
        Ok(Step::Running)
    }

    fn weights(&self) -> Option<&[f32]> {
        self.leader().map(|(params, _)| params)
    }

    fn turn(&self) -> Option<usize> {
        self.leader().map(|(_, turn)| turn)
    }

    fn phase(&self) -> Phase {
        Phase::Train
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&self.state);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.state = from.take()?;
        let State { parent, trial, best, .. } = &self.state;
        let former = best.as_ref().map(|former| &former.params);
        let parent_session = parent.as_ref().map(|parent| &parent.descent.session);
        let child_session = trial.as_ref().map(|trial| &trial.child.session);
        let fit = [parent_session, child_session].into_iter().flatten().all(|session| session.fits(train));
        if !fit || (parent.is_none() && trial.is_some()) {
            return Err(sealed::mismatch());
        }
        check_length(former, train)
    }
}
