//! The winner's numbers without its structure.

use super::descent::Descent;
use super::{Arm, ArmContext, Contest, StartContext, Step, check_length, own_branch};
use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::config::Name;
use crate::experiment::record::Phase;
use crate::rng::Purpose;
use crate::sealed::{StateReader, StateWriter};
use crate::train::TrainContext;
use serde::{Deserialize, Serialize};

/// The start that another arm's search found, with the weights of each layer put into random order, and its thresholds
/// too. If this trains as well as the original, the search found a distribution and no structure. It is charged the
/// other arm's search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShuffledWinner {
    /// Name of the arm whose start is shuffled.
    pub of: Name,
}

impl Contest for ShuffledWinner {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        let other = context.finished(self.of.as_str());
        Ok(Box::new(ShuffledArm {
            start: other.and_then(|other| other.start.clone()),
            search_cost: other.map_or(Cost::ZERO, |other| other.search_cost),
            descent: None,
        }))
    }

    fn refers_to(&self) -> Option<&str> {
        Some(self.of.as_str())
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        context.method(self.of.as_str())?.search_cost(context)
    }
}

struct ShuffledArm {
    start: Option<Vec<f32>>,
    search_cost: Cost,
    descent: Option<Descent>,
}

impl Arm for ShuffledArm {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.descent.is_none() {
            let Some(mut start) = self.start.take() else {
                return Ok(Step::Diverged);
            };
            *context.cost += self.search_cost;
            for (index, layer) in context.train.network.layers().iter().enumerate() {
                let mut rng = own_branch(context.train.streams, 2).stream(Purpose::Arm, index as u64, 0);
                rng.shuffle(&mut start[layer.weights.clone()]);
                rng.shuffle(&mut start[layer.biases.clone()]);
            }
            context.log.begin_training(&start, None, *context.cost);
            self.descent = Some(Descent::new(&start, context.train.training));
        }
        Ok(self.descent.as_mut().expect("made above").advance(context))
    }

    fn weights(&self) -> Option<&[f32]> {
        self.descent.as_ref().map(|descent| &descent.session.params[..])
    }

    fn phase(&self) -> Phase {
        if self.descent.is_some() { Phase::Train } else { Phase::Search }
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&self.start);
        to.put(&self.descent);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.start = from.take()?;
        self.descent = Descent::load(from, train)?;
        check_length(&self.start, train)
    }
}
