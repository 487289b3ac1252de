//! Arms that size the layers of one start, step by step, and then train it.

use super::descent::Descent;
use super::{Arm, ArmContext, Step};
use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::record::Phase;
use crate::math::Rows;
use crate::network::{DoubleWorkspace, Mlp, double};
use crate::sealed::{self, StateReader, StateWriter};
use crate::train::{Initializer, TrainContext};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A method that sizes layers.
pub(super) trait Prepare: Send + Sync {
    /// How the start is drawn.
    fn scheme(&self) -> &Initializer;

    /// Steps to take, as far as the budget pays for them.
    fn steps(&self) -> u64;

    /// Numbers to remember between steps, for a network of so many layers.
    fn memory(&self, layers: usize) -> usize;

    /// What a step costs at most.
    fn price(&self, train: &TrainContext) -> Cost;

    /// One step, charged. Whether another one makes sense.
    fn step(&self, work: &mut Work, context: &mut ArmContext) -> bool;
}

/// What all steps cost at most, and the start.
pub(super) fn search_cost(method: &dyn Prepare, train: &TrainContext) -> Option<Cost> {
    let steps = method.steps();
    let price = method.price(train);
    // More than any budget is more than can be counted, too.
    let countable = price.total().checked_mul(steps).is_some_and(|total| total < 1 << 62);
    countable.then(|| method.scheme().cost(train.network, &train.supervised.training) + price.times(steps))
}

/// A start whose layers are being sized.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Work {
    /// Steps taken.
    pub step: u64,
    /// The start as it was drawn.
    pub drawn: Vec<f32>,
    /// What it is multiplied by: for each layer its weights, then its thresholds.
    pub scales: Vec<f64>,
    /// What the method remembers.
    pub memory: Vec<f64>,
}

impl Work {
    pub fn new(drawn: Vec<f32>, layers: usize, memory: usize) -> Work {
        Work { step: 0, drawn, scales: vec![1.0; 2 * layers], memory: vec![0.0; memory] }
    }

    /// The start as it is sized now.
    pub fn params(&self, network: &Mlp) -> Vec<f64> {
        let mut params = vec![0.0; self.drawn.len()];
        for (range, scale) in tensors(network).zip(&self.scales) {
            for (param, drawn) in params[range.clone()].iter_mut().zip(&self.drawn[range]) {
                *param = scale * f64::from(*drawn);
            }
        }
        params
    }
}

/// Where each layer's weights lie, then its thresholds: in the order of the scales.
pub(super) fn tensors(network: &Mlp) -> impl Iterator<Item = Range<usize>> {
    network.layers().iter().flat_map(|layer| [layer.weights.clone(), layer.biases.clone()])
}

/// Gradients that are charged.
pub(super) struct Slopes<'a> {
    pub network: &'a Mlp,
    pub double: &'a mut DoubleWorkspace,
    pub cost: &'a mut Cost,
}

impl Slopes<'_> {
    /// Gradient of the mean loss over `rows`.
    pub fn gradient(&mut self, params: &[f64], rows: &Rows) -> Vec<f64> {
        let mut gradient = vec![0.0; params.len()];
        double::gradient(self.network, params, rows, &mut gradient, self.double);
        *self.cost += Cost::gradient(self.network.multiply_adds(), rows.count());
        gradient
    }

    /// The Hessian of the mean loss times `direction`, by a central difference of two gradients: cheaper than the exact
    /// product, and in double precision right to some nine digits.
    pub fn bend(&mut self, params: &[f64], direction: &[f64], rows: &Rows) -> Vec<f64> {
        let length = euclidean(direction);
        let distance = if length > 0.0 { 1e-5 * (1.0 + euclidean(params)) / length } else { 1.0 };
        let [above, below] = [distance, -distance].map(|distance| {
            let there: Vec<f64> = params.iter().zip(direction).map(|(x, d)| distance.mul_add(*d, *x)).collect();
            self.gradient(&there, rows)
        });
        above.iter().zip(&below).map(|(above, below)| (above - below) / (2.0 * distance)).collect()
    }
}

/// Cost of a gradient, `times` times.
pub(super) fn gradients(network: &Mlp, rows: usize, times: u64) -> Cost {
    Cost::gradient(network.multiply_adds(), rows).times(times)
}

pub(super) fn euclidean(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The arm of a method that sizes layers.
pub(super) struct PreparedArm<'a, P> {
    settings: &'a P,
    work: Option<Work>,
    /// What `work` stands for, in single precision.
    params: Vec<f32>,
    descent: Option<Descent>,
}

impl<'a, P: Prepare> PreparedArm<'a, P> {
    pub fn new(settings: &'a P) -> Self {
        PreparedArm { settings, work: None, params: Vec::new(), descent: None }
    }
}

impl<P: Prepare> Arm for PreparedArm<'_, P> {
    fn advance(&mut self, context: &mut ArmContext) -> Result<Step> {
        let network = context.train.network;
        if self.descent.is_none() {
            if self.work.is_none() {
                let mut drawn = vec![0.0; network.parameters()];
                context.draw(self.settings.scheme(), 0, &mut drawn)?;
                context.log.drawn = Some(drawn.clone());
                self.params.clone_from(&drawn);
                let layers = network.layers().len();
                self.work = Some(Work::new(drawn, layers, self.settings.memory(layers)));
            }
            let work = self.work.as_mut().expect("made above");
            let price = self.settings.price(&context.train);
            while work.step < self.settings.steps() && context.affords(price) {
                if context.is_due() {
                    return Ok(Step::Running);
                }
                let goes_on = self.settings.step(work, context);
                work.step = if goes_on { work.step + 1 } else { u64::MAX };
                self.params = rounded(work, network);
            }
            context.log.begin_training(&self.params, None, *context.cost);
            self.descent = Some(Descent::new(&self.params, context.train.training));
            self.work = None;
        }
        Ok(self.descent.as_mut().expect("made above").advance(context))
    }

    fn weights(&self) -> Option<&[f32]> {
        match &self.descent {
            Some(descent) => Some(&descent.session.params),
            None => self.work.is_some().then_some(&self.params),
        }
    }

    fn phase(&self) -> Phase {
        if self.descent.is_some() { Phase::Train } else { Phase::Search }
    }

    fn save(&self, to: &mut StateWriter) {
        to.put(&self.work);
        to.put(&self.descent);
    }

    fn load(&mut self, from: &mut StateReader, train: &TrainContext) -> Result<()> {
        self.work = from.take()?;
        let layers = train.network.layers().len();
        if let Some(work) = &self.work {
            let fits = work.drawn.len() == train.network.parameters()
                && work.scales.len() == 2 * layers
                && work.memory.len() == self.settings.memory(layers);
            if !fits {
                return Err(sealed::mismatch());
            }
            self.params = rounded(work, train.network);
        }
        self.descent = Descent::load(from, train)?;
        Ok(())
    }
}

fn rounded(work: &Work, network: &Mlp) -> Vec<f32> {
    work.params(network).iter().map(|x| *x as f32).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Output};

    /// Network, rows and start that `tests/oracle/layer_sizes.py` makes, too.
    pub fn case(output: Output, loss: Loss) -> (Mlp, Rows, Vec<f32>) {
        let network = Mlp::new(3, &[(4, Activation::Tanh)], 2, output, loss).unwrap();
        let inputs: Vec<f32> = (0..18).map(|i| ((i * 5) % 9 - 4) as f32 / 4.0).collect();
        let targets: Vec<f32> = match output {
            Output::Softmax => (0..6).flat_map(|row| if row % 3 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect(),
            _ => (0..12).map(|i| ((i * 7) % 5 - 2) as f32 / 2.0).collect(),
        };
        let start = (0..network.parameters() as i32).map(|i| ((i * 7) % 11 - 5) as f32 / 8.0).collect();
        (network, Rows::new(&inputs, &targets, 3, 2), start)
    }

    #[test]
    fn bends_are_the_exact_product() {
        for (output, loss) in [(Output::Softmax, Loss::CrossEntropy), (Output::Linear, Loss::MeanSquared)] {
            let (network, rows, start) = case(output, loss);
            let params: Vec<f64> = start.iter().map(|x| f64::from(*x)).collect();
            let direction: Vec<f64> = (0..params.len()).map(|i| ((i * 3) % 7) as f64 - 3.0).collect();
            let (mut double, mut cost) = (DoubleWorkspace::default(), Cost::ZERO);
            let mut slopes = Slopes { network: &network, double: &mut double, cost: &mut cost };
            let found = slopes.bend(&params, &direction, &rows);
            let mut exact = vec![0.0; params.len()];
            double::hessian_product(&network, &params, &direction, &rows, &mut exact, &mut DoubleWorkspace::default());
            for (found, exact) in found.iter().zip(&exact) {
                assert!((found - exact).abs() < 1e-8 * (1.0 + exact.abs()), "{found} {exact}");
            }
            assert_eq!(cost, gradients(&network, 6, 2));
        }
    }

    #[test]
    fn scales_reach_their_own_layer_alone() {
        let (network, _, start) = case(Output::Linear, Loss::MeanSquared);
        let mut work = Work::new(start.clone(), 2, 0);
        work.scales = vec![2.0, 3.0, 5.0, 7.0];
        let params = work.params(&network);
        for (range, scale) in tensors(&network).zip([2.0, 3.0, 5.0, 7.0]) {
            let mut pairs = params[range.clone()].iter().zip(&start[range]);
            assert!(pairs.all(|(x, drawn)| *x == scale * f64::from(*drawn)), "{scale}");
        }
    }
}
