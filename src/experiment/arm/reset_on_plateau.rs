//! One random start whose optimizer forgets on plateaus.

use super::descent::Descent;
use super::slope::{self, Slope, check_full_batch};
use super::{Arm, ArmContext, Contest, StartContext, Step};
use crate::error::Result;
use crate::experiment::record::Phase;
use crate::network::Mlp;
use crate::sealed::{StateReader, StateWriter};
use crate::train::{Initializer, TrainContext, Training};
use crate::values::{Count, Finite};
use serde::{Deserialize, Serialize};

/// Trains one start, and gives the optimizer a fresh memory whenever the loss falls too slowly.
///
/// Every `steps` steps it looks at the local exponent e of the loss, which falls like age⁻ᵉ; where e is under `below`, moments
/// and step sizes are forgotten, and the weights stay. For full-batch training. The exponent needs no pass of its own, only
/// once the loss that equal rows with different targets leave. Start 0 is that of `Random` with the same scheme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetOnPlateau {
    /// How the start is drawn.
    pub scheme: Initializer,
    /// Exponent under which the optimizer forgets; 0.8 unless said otherwise.
    #[serde(default = "default_below")]
    pub below: Finite,
    /// Optimizer steps between two looks; 20.
    #[serde(default = "default_steps")]
    pub steps: Count,
}

fn default_below() -> Finite {
    Finite::new(0.8).expect("in range")
}
fn default_steps() -> Count {
    Count::new(20).expect("in range")
}

impl Contest for ResetOnPlateau {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        let slope = Slope::new(self.steps.get() as u64);
        Ok(Box::new(ResetOnPlateauArm { settings: self, descent: None, slope, floor: None }))
    }

    fn fits(&self, network: &Mlp, training: &Training) -> Result<()> {
        self.scheme.check(network)?;
        check_full_batch("ResetOnPlateau", training)
    }

    fn needs_slopes(&self) -> bool {
        true
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }
}

struct ResetOnPlateauArm<'a> {
    settings: &'a ResetOnPlateau,
    descent: Option<Descent>,
    slope: Slope,
    floor: Option<f64>,
}

impl Arm for ResetOnPlateauArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.descent.is_none() {
            let mut start = vec![0.0; context.train.network.parameters()];
            context.draw(&self.settings.scheme, 0, &mut start)?;
            context.log.begin_training(&start, None, *context.cost);
            self.descent = Some(Descent::new(&start, context.train.training));
        }
        let descent = self.descent.as_mut().expect("made above");
        while !context.is_due() {
            match descent.step(context) {
                Step::Running => {}
                end => return Ok(end),
            }
            let loss = descent.session.batch_loss;
            if self.slope.step(loss) {
                let Some(floor) = slope::known(&mut self.floor, context) else { continue };
                if self.slope.exponent(loss, floor) < self.settings.below.get() {
                    descent.session.refresh(context.train.training);
                }
            }
        }
        Ok(Step::Running)
    }

    fn weights(&self) -> Option<&[f32]> {
        self.descent.as_ref().map(|descent| &descent.session.params[..])
    }

    fn phase(&self) -> Phase {
        Phase::Train
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&self.descent);
        to.put(&(&self.slope, self.floor));
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.descent = Descent::load(from, train)?;
        (self.slope, self.floor) = from.take()?;
        Ok(())
    }
}
