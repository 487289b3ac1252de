//! A random start whose output layer is solved, then gradient descent.

use super::descent::Descent;
use super::{Arm, ArmContext, Contest, StartContext, Step};
use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::record::Phase;
use crate::network::Mlp;
use crate::sealed::{StateReader, StateWriter};
use crate::train::{Initializer, TrainContext, readout};
use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// Draws one start, sets its output layer to a least-squares solution on its last hidden activations, and trains it.
///
/// It costs one regression, and one more pass where outputs are not linear (two to three passes over the rows in all), and
/// shows what part of a clever start's gain is the output layer's alone. The hidden layers are those of `Random` with
/// the same scheme. For classes the targets are those of one step of Newton's method, stretched by the best of five
/// factors. If the budget does not pay for it, the outputs stay as they were drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeastSquaresOutput {
    /// How the start is drawn.
    pub scheme: Initializer,
    /// Penalty on the squared output weights, per row; 0.1 unless said otherwise. Less fits closer and starts from larger
    /// weights, which suits smooth regression (0.001).
    #[serde(default = "default_penalty")]
    pub penalty: Positive,
}

fn default_penalty() -> Positive {
    Positive::new(0.1).expect("in range")
}

impl Contest for LeastSquaresOutput {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(Box::new(LeastSquaresOutputArm { settings: self, descent: None }))
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        let (network, rows) = (context.train.network, &context.train.supervised.training);
        Some(self.scheme.cost(network, rows) + readout::closed_form_cost(network, rows.count()))
    }

    fn needs_slopes(&self) -> bool {
        true
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn equations(&self, network: &Mlp, rows: usize) -> u64 {
        self.scheme.equations(network, rows).max(readout::closed_form_bytes(network, rows))
    }
}

struct LeastSquaresOutputArm<'a> {
    settings: &'a LeastSquaresOutput,
    descent: Option<Descent>,
}

impl Arm for LeastSquaresOutputArm<'_> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        if self.descent.is_none() {
            let (network, rows) = (context.train.network, &context.train.supervised.training);
            let mut start = vec![0.0; network.parameters()];
            context.draw(&self.settings.scheme, 0, &mut start)?;
            context.log.drawn = Some(start.clone());
            if context.affords(readout::closed_form_cost(network, rows.count())) {
                let penalty = self.settings.penalty.get();
                let workspace = &mut context.scratch.workspace;
                readout::closed_form(network, rows, penalty, &mut start, workspace, context.cost);
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
