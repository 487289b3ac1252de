//! A start that is deployed as it is: what training has to improve on.

use super::{Arm, ArmContext, Contest, StartContext, Step, check_length};
use crate::error::Result;
use crate::experiment::record::Phase;
use crate::sealed::{StateReader, StateWriter};
use crate::train::{Initializer, TrainContext};
use serde::{Deserialize, Serialize};

/// Draws one start and deploys it: nothing is trained, and nothing spent but what the start itself costs. The one arm that
/// serves `Step` units, through which no gradient passes; with `Given` weights it computes by hand-made threshold units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untrained {
    /// How the start is drawn.
    pub scheme: Initializer,
}

impl Contest for Untrained {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(Box::new(UntrainedArm { scheme: &self.scheme, start: None }))
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn trains(&self) -> bool {
        false
    }
}

struct UntrainedArm<'a> {
    scheme: &'a Initializer,
    start: Option<Vec<f32>>,
}

impl Arm for UntrainedArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.start.is_none() {
            let mut start = vec![0.0; context.train.network.parameters()];
            context.draw(self.scheme, 0, &mut start)?;
            context.log.begin_training(&start, None, *context.cost);
            self.start = Some(start);
        }
        Ok(Step::Stopped)
    }

    fn weights(&self) -> Option<&[f32]> {
        self.start.as_deref()
    }

    fn phase(&self) -> Phase {
        Phase::Train
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&self.start);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.start = from.take()?;
        check_length(&self.start, train)
    }
}
