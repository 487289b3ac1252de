//! A start whose layers are sized until gradients hardly change along themselves, then gradient descent.

use super::prepared::{self, Prepare, PreparedArm, Slopes, Work, euclidean, gradients};
use super::{Arm, ArmContext, Contest, StartContext, own_branch};
use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Purpose;
use crate::train::{Initializer, TrainContext};
use crate::values::{Count, Positive, Probability};
use serde::{Deserialize, Serialize};

/// How far the scale of a layer is moved to see how the quotient changes.
const NUDGE: f64 = 1e-4;
/// Least part of a matrix's first norm that is left of it.
const LEAST: f64 = 0.01;

/// Draws one start, sizes the norms of its weight matrices so that the gradient changes as little as may be over a step,
/// and trains it with the rest of the budget. No input of the task is looked at. Dauphin & Schoenholz 2019, algorithm 1.
///
/// What is made small is the gradient quotient: the mean of |(g − Hg) / (g + ε·sgn₊ g) − 1| over all weights, with the
/// gradient g and the Hessian H by the weights of the loss over random rows: inputs are N(0, 1), targets those of training
/// rows drawn by chance, all drawn anew for each step. Each step gives every matrix's norm the momentum
/// m ← `momentum`·m − `rate`·s with the sign s of the quotient's slope, and adds m to the norm, which keeps at least a
/// hundredth of what it was drawn with. Slopes are central differences, and so is Hg; a step costs 6 gradients of `rows`
/// rows for each layer, in double precision. The authors' rate is for large matrices: the norms of small ones move by
/// whole multiples of themselves, and a smaller rate serves them better.
///
/// A step that leaves the finite numbers ends the preparation. Start 0 is that of `Random` with the same scheme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaInit {
    /// How the start is drawn.
    pub scheme: Initializer,
    /// Steps; 500 unless said otherwise.
    #[serde(default = "default_steps")]
    pub steps: Count,
    /// What a slope adds to the momentum of a norm; 0.1.
    #[serde(default = "default_rate")]
    pub rate: Positive,
    /// What is left of the momentum at each step; 0.9.
    #[serde(default = "default_momentum")]
    pub momentum: Probability,
    /// ε, which keeps the quotient finite; 1e-5.
    #[serde(default = "default_epsilon")]
    pub epsilon: Positive,
    /// Random rows of a step; 32.
    #[serde(default = "default_rows")]
    pub rows: Count,
}

fn default_steps() -> Count {
    Count::new(500).expect("in range")
}
fn default_rate() -> Positive {
    Positive::new(0.1).expect("in range")
}
fn default_momentum() -> Probability {
    Probability::new(0.9).expect("in range")
}
fn default_epsilon() -> Positive {
    Positive::new(1e-5).expect("in range")
}
fn default_rows() -> Count {
    Count::new(32).expect("in range")
}

impl Contest for MetaInit {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(Box::new(PreparedArm::new(self)))
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        prepared::search_cost(self, &context.train)
    }

    fn needs_slopes(&self) -> bool {
        true
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }
}

impl MetaInit {
    /// Random rows of one step.
    fn draw(&self, train: &TrainContext, step: u64) -> Rows {
        let all = &train.supervised.training;
        let mut rng = own_branch(train.streams, 5).stream(Purpose::Arm, step, 0);
        let count = self.rows.get();
        let mut inputs = vec![0.0; count * all.features()];
        rng.fill_normal(&mut inputs, 1.0);
        let targets: Vec<f32> = (0..count).flat_map(|_| all.target(rng.below(all.count())).iter().copied()).collect();
        Rows::new(&inputs, &targets, all.features(), all.outputs())
    }

    /// The gradient quotient.
    fn quotient(&self, params: &[f64], rows: &Rows, slopes: &mut Slopes) -> f64 {
        let network = slopes.network;
        let mut gradient = slopes.gradient(params, rows);
        // Thresholds are no part of it.
        network.layers().iter().for_each(|layer| gradient[layer.biases.clone()].fill(0.0));
        let bent = slopes.bend(params, &gradient, rows);
        let epsilon = self.epsilon.get();
        let term = |g: f64, bent: f64| {
            let guarded = if g >= 0.0 { g + epsilon } else { g - epsilon };
            ((g - bent) / guarded - 1.0).abs()
        };
        let weights = network.layers().iter().flat_map(|layer| layer.weights.clone());
        weights.map(|index| term(gradient[index], bent[index])).sum::<f64>() / network.multiply_adds() as f64
    }

    /// One step on these rows. Whether it stayed among the finite numbers.
    fn resize(&self, work: &mut Work, rows: &Rows, slopes: &mut Slopes) -> bool {
        let network = slopes.network;
        let layers = network.layers();
        let changes: Vec<f64> = (0..layers.len())
            .map(|layer| {
                let [above, below] = [1.0 + NUDGE, 1.0 - NUDGE].map(|factor| {
                    let mut nudged = work.clone();
                    nudged.scales[2 * layer] *= factor;
                    self.quotient(&nudged.params(network), rows, slopes)
                });
                above - below
            })
            .collect();
        if changes.iter().any(|change| !change.is_finite()) {
            return false;
        }
        for (index, change) in changes.into_iter().enumerate() {
            let first = norm(network, &work.drawn, index);
            if first == 0.0 {
                continue;
            }
            let sign = if change == 0.0 { 0.0 } else { change.signum() };
            let momentum = &mut work.memory[index];
            *momentum = self.momentum.get() * *momentum - self.rate.get() * sign;
            let scale = &mut work.scales[2 * index];
            *scale = (*scale + *momentum / first).max(LEAST);
        }
        true
    }
}

/// Euclidean norm of a layer's weights.
fn norm(network: &Mlp, params: &[f32], layer: usize) -> f64 {
    let weights = params[network.layers()[layer].weights.clone()].iter();
    euclidean(&weights.map(|x| f64::from(*x)).collect::<Vec<f64>>())
}

impl Prepare for MetaInit {
    fn scheme(&self) -> &Initializer {
        &self.scheme
    }

    fn steps(&self) -> u64 {
        self.steps.get() as u64
    }

    fn memory(&self, layers: usize) -> usize {
        layers
    }

    fn price(&self, train: &TrainContext) -> Cost {
        // Two quotients for each layer, of a gradient and the two that tell how it bends.
        gradients(train.network, self.rows.get(), 6 * train.network.layers().len() as u64)
    }

    fn step(&self, work: &mut Work, context: &mut ArmContext) -> bool {
        let rows = self.draw(&context.train, work.step);
        let network = context.train.network;
        let mut slopes = Slopes { network, double: &mut context.scratch.double, cost: &mut *context.cost };
        self.resize(work, &rows, &mut slopes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepared::tests::case;
    use super::*;
    use crate::network::{DoubleWorkspace, Loss, Output};

    fn settings(rate: f64) -> MetaInit {
        MetaInit {
            scheme: Initializer::GlorotUniform,
            steps: default_steps(),
            rate: Positive::new(rate).unwrap(),
            momentum: default_momentum(),
            epsilon: default_epsilon(),
            rows: default_rows(),
        }
    }

    /// The quotient at the start and after so many steps on the same rows, and the scales of the weights.
    fn sized((output, loss): (Output, Loss), rate: f64, steps: u64) -> ([f64; 2], [f64; 2]) {
        let (network, rows, start) = case(output, loss);
        let settings = settings(rate);
        let mut work = Work::new(start, 2, settings.memory(2));
        let (mut double, mut cost) = (DoubleWorkspace::default(), Cost::ZERO);
        let mut slopes = Slopes { network: &network, double: &mut double, cost: &mut cost };
        let first = settings.quotient(&work.params(&network), &rows, &mut slopes);
        for _ in 0..steps {
            assert!(settings.resize(&mut work, &rows, &mut slopes));
        }
        let last = settings.quotient(&work.params(&network), &rows, &mut slopes);
        assert_eq!((work.scales[1], work.scales[3]), (1.0, 1.0), "thresholds keep their size");
        ([first, last], [work.scales[0], work.scales[2]])
    }

    const SOFTMAX: (Output, Loss) = (Output::Softmax, Loss::CrossEntropy);
    const LINEAR: (Output, Loss) = (Output::Linear, Loss::MeanSquared);

    #[test]
    fn scales_are_those_of_an_independent_implementation() {
        // tests/oracle/layer_sizes.py, numpy 2.4.6, with derivatives by complex steps.
        for (head, steps, quotient, expected) in [
            (SOFTMAX, 1, 1.0705802586540543, [0.931146962734, 0.9105572809]),
            (SOFTMAX, 6, 1.0705802586540543, [0.01, 0.01]),
            (SOFTMAX, 20, 1.0705802586540543, [0.01, 0.210730868666]),
            (LINEAR, 1, 3.4089157758945334, [0.931146962734, 1.0894427191]),
            (LINEAR, 6, 3.4089157758945334, [0.0340132316008, 1.06810973617]),
            (LINEAR, 20, 3.4089157758945334, [0.01, 0.982317992812]),
        ] {
            let (quotients, scales) = sized(head, 0.1, steps);
            assert!((quotients[0] - quotient).abs() < 1e-6 * quotient, "{quotients:?}");
            let near = scales.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9);
            assert!(near, "{steps}: {scales:?} {expected:?}");
        }
    }

    #[test]
    fn small_steps_lower_the_quotient() {
        for head in [SOFTMAX, LINEAR] {
            let ([first, last], _) = sized(head, 0.02, 10);
            assert!(last < 0.85 * first, "{first} {last}");
        }
    }
}
