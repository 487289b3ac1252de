//! Random starts, each trained for as long as its loss keeps falling.

use super::descent::Descent;
use super::slope::{self, Slope, check_full_batch};
use super::{Arm, ArmContext, Change, Contest, StartContext, Step, Turn, check_length};
use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::record::Phase;
use crate::network::Mlp;
use crate::sealed::{self, StateReader, StateWriter};
use crate::train::{Initializer, TrainContext, Training};
use crate::values::{Count, Finite, Fitness};
use serde::{Deserialize, Serialize};

/// Trains one random start until it stagnates, then another one, and so on; the best run counts.
///
/// Every `steps` steps it looks at the local exponent e of the loss, which falls like age⁻ᵉ; a run stagnates when e is under
/// `below` at `looks` looks in a row, or when its loss is no longer finite. For full-batch training. Prefer it to `Restarts`
/// where no cut-off is known. Start 0 is that of `Random` with the same scheme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartOnStagnation {
    /// How starts are drawn.
    pub scheme: Initializer,
    /// Exponent under which a look finds no progress; 0.05 unless said otherwise.
    #[serde(default = "default_below")]
    pub below: Finite,
    /// Looks without progress, one after the other, that end a run; 4.
    #[serde(default = "default_looks")]
    pub looks: Count,
    /// Optimizer steps between two looks; 20.
    #[serde(default = "default_steps")]
    pub steps: Count,
}

fn default_below() -> Finite {
    Finite::new(0.05).expect("in range")
}
fn default_looks() -> Count {
    Count::new(4).expect("in range")
}
fn default_steps() -> Count {
    Count::new(20).expect("in range")
}

impl Contest for RestartOnStagnation {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        let state = State { run: 0, now: None, slope: Slope::new(0), flat: 0, best: None, floor: None, began: 0 };
        Ok(Box::new(RestartOnStagnationArm { settings: self, state }))
    }

    fn fits(&self, network: &Mlp, training: &Training) -> Result<()> {
        self.scheme.check(network)?;
        check_full_batch("RestartOnStagnation", training)
    }

    fn needs_slopes(&self) -> bool {
        true
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }
}

struct RestartOnStagnationArm<'a> {
    settings: &'a RestartOnStagnation,
    state: State,
}

#[derive(Serialize, Deserialize)]
struct State {
    run: u64,
    now: Option<Descent>,
    slope: Slope,
    /// Looks without progress, one after the other.
    flat: u64,
    /// The best of the runs before, with its loss.
    best: Option<(Vec<f32>, Fitness)>,
    floor: Option<f64>,
    /// What had been spent when the present run began.
    began: u64,
}

impl RestartOnStagnationArm<'_> {
    /// Begins the next run, if its draw still fits; the first one always begins.
    fn begin(&mut self, context: &mut ArmContext) -> Result<()> {
        let state = &mut self.state;
        let draw = self.settings.scheme.cost(context.train.network, &context.train.supervised.training);
        if state.run > 0 && !context.affords(draw) {
            return Ok(());
        }
        if let Some(run) = state.now.take() {
            let loss = Fitness::new(run.session.batch_loss);
            let before = loss.is_finite().then_some(loss.get());
            let price = context.cost.total() - state.began;
            let spent = context.cost.total();
            let (change, after, origins) = (Change::Start, None, None);
            context.log.turns.push(Turn { change, accepted: true, spent, price, before, after, origins });
            if state.best.as_ref().is_none_or(|(_, best)| loss < *best) {
                state.best = Some((run.session.params, loss));
            }
        }
        state.began = context.cost.total();
        let mut start = vec![0.0; context.train.network.parameters()];
        context.draw(&self.settings.scheme, state.run, &mut start)?;
        context.log.begin_training(&start, None, Cost::ZERO);
        state.now = Some(Descent::new(&start, context.train.training));
        state.slope = Slope::new(self.settings.steps.get() as u64);
        state.flat = 0;
        state.run += 1;
        Ok(())
    }
}

impl Arm for RestartOnStagnationArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.state.now.is_none() {
            self.begin(context)?;
        }
        while !context.is_due() {
            let State { now, slope, flat, floor, .. } = &mut self.state;
            let now = now.as_mut().expect("begun above");
            match now.step(context) {
                Step::Running => {}
                Step::Diverged => {
                    let run = self.state.run;
                    self.begin(context)?;
                    if self.state.run == run {
                        return Ok(Step::Diverged);
                    }
                    continue;
                }
                end => return Ok(end),
            }
            let loss = now.session.batch_loss;
            if slope.step(loss) {
                let Some(floor) = slope::known(floor, context) else { continue };
                let progress = slope.exponent(loss, floor) >= self.settings.below.get();
                *flat = if progress { 0 } else { *flat + 1 };
                if *flat >= self.settings.looks.get() as u64 {
                    self.begin(context)?;
                }
            }
        }
        Ok(Step::Running)
    }

    fn weights(&self) -> Option<&[f32]> {
        let State { now, best, .. } = &self.state;
        let ahead = |run: &&Descent| best.as_ref().is_none_or(|(_, loss)| Fitness::new(run.session.batch_loss) < *loss);
        let now = now.as_ref().filter(ahead).map(|run| &run.session.params[..]);
        now.or_else(|| best.as_ref().map(|(params, _)| &params[..]))
    }

    fn phase(&self) -> Phase {
        Phase::Train
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&self.state);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.state = from.take()?;
        let State { now, best, .. } = &self.state;
        if now.as_ref().is_some_and(|now| !now.session.fits(train)) {
            return Err(sealed::mismatch());
        }
        check_length(best.iter().map(|(weights, _)| weights), train)
    }
}
