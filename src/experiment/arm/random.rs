//! One random start, then gradient descent: what everybody does.

use super::descent::Descent;
use super::{Arm, ArmContext, Contest, StartContext, Step};
use crate::error::Result;
use crate::experiment::record::Phase;
use crate::sealed::{StateReader, StateWriter};
use crate::train::{Initializer, TrainContext};
use serde::{Deserialize, Serialize};

/// Draws one start and trains it with the whole budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// How the start is drawn.
    pub scheme: Initializer,
}

impl Contest for Random {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(numbered(&self.scheme, 0))
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }
}

/// The start of this number, then gradient descent.
pub(in crate::experiment) fn numbered(scheme: &Initializer, individual: u64) -> Box<dyn Arm + '_> {
    Box::new(RandomArm { scheme, individual, descent: None })
}

struct RandomArm<'a> {
    scheme: &'a Initializer,
    individual: u64,
    descent: Option<Descent>,
}

impl Arm for RandomArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.descent.is_none() {
            let mut start = vec![0.0; context.train.network.parameters()];
            context.draw(self.scheme, self.individual, &mut start)?;
            context.log.begin_training(&start, None, *context.cost);
            self.descent = Some(Descent::new(&start, context.train.training));
        }
        Ok(self.descent.as_mut().expect("made above").advance(context))
    }

    fn weights(&self) -> Option<&[f32]> {
        self.descent.as_ref().map(|descent| &descent.session.params[..])
    }

    fn phase(&self) -> Phase {
        Phase::Train
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&self.descent);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.descent = Descent::load(from, train)?;
        Ok(())
    }
}
