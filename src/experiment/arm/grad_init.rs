//! A start whose layers are sized for the first step of training, then gradient descent.

use super::prepared::{self, Prepare, PreparedArm, Slopes, Work, euclidean, gradients, tensors};
use super::{Arm, ArmContext, Contest, StartContext, own_branch};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::Rows;
use crate::rng::Purpose;
use crate::train::{Batch, Initializer, Optimizer, Steps, TrainContext, Training};
use crate::values::{Count, Positive};
use serde::{Deserialize, Serialize};

/// Draws one start, multiplies every layer's weights and thresholds by scales that let the first step of training go
/// furthest, and trains it with the rest of the budget. Zhu et al. 2021, algorithm 1.
///
/// Each iteration takes the gradient g. If its norm is above `gamma`, the scales follow the negative gradient of that
/// norm, else that of the loss after one step of length `eta` against g, divided by `eta` (g itself is held fixed). Norm
/// and step are those of the target: ‖g‖₂ and g, or ‖g‖₁ and the signs of g. The scales begin at 1 and move by Adam,
/// with moments of their own for the two kinds of iteration and slopes clipped to ±1; scales of weights stay at or above
/// 0.01, those of thresholds at or above 0. How the norm bends is told by a central difference of gradients, so an iteration
/// costs two gradients, or three where the norm is too large; all of it in double precision.
///
/// An iteration that leaves the finite numbers ends the preparation. Start 0 is that of `Random` with the same scheme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradInit {
    /// How the start is drawn.
    pub scheme: Initializer,
    /// Iterations; 390 unless said otherwise.
    #[serde(default = "default_steps")]
    pub steps: Count,
    /// Learning rate of the scales; 0.01. The authors' lie between 0.001 and 0.1.
    #[serde(default = "default_rate")]
    pub rate: Positive,
    /// Norm that the gradient may have; 1.
    #[serde(default = "default_gamma")]
    pub gamma: Positive,
    /// Length of the step that is tried; the learning rate of the experiment's optimizer (of Rprop its first steps'
    /// length), or 0.1 if that has none.
    #[serde(default)]
    pub eta: Option<Positive>,
    /// Rows of an iteration: all, or so many drawn anew for each, of which half are kept for the loss after the step;
    /// `Full`. Batches are the arm's own, whatever the experiment trains with.
    #[serde(default)]
    pub batch: Batch,
    /// What the step is modelled on; `Sign` for Adam, AdamW, RmsProp and Rprop, else `Gradient`.
    #[serde(default)]
    pub target: Option<FirstStep>,
}

/// The first step of an optimizer, as a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstStep {
    /// Along the gradient; its norm is Euclidean.
    Gradient,
    /// Along the signs of the gradient, as adaptive methods step at first; its norm is the sum of magnitudes.
    Sign,
}

fn default_steps() -> Count {
    Count::new(390).expect("in range")
}
fn default_rate() -> Positive {
    Positive::new(0.01).expect("in range")
}
fn default_gamma() -> Positive {
    Positive::new(1.0).expect("in range")
}

impl FirstStep {
    fn of(optimizer: &Optimizer) -> FirstStep {
        match optimizer {
            Optimizer::Adam(_) | Optimizer::AdamW(_) | Optimizer::RmsProp(_) | Optimizer::Rprop(_) => FirstStep::Sign,
            _ => FirstStep::Gradient,
        }
    }

    fn norm(self, gradient: &[f64]) -> f64 {
        match self {
            FirstStep::Gradient => euclidean(gradient),
            FirstStep::Sign => gradient.iter().map(|g| g.abs()).sum(),
        }
    }

    /// The step, before its length.
    fn along(self, gradient: &[f64]) -> Vec<f64> {
        match self {
            FirstStep::Gradient => gradient.to_vec(),
            FirstStep::Sign => signs(gradient),
        }
    }

    /// The derivative of the norm by the gradient.
    fn slope_of_norm(self, gradient: &[f64], norm: f64) -> Vec<f64> {
        match self {
            FirstStep::Gradient => gradient.iter().map(|g| g / norm).collect(),
            FirstStep::Sign => signs(gradient),
        }
    }
}

/// −1, 0 or 1.
fn signs(gradient: &[f64]) -> Vec<f64> {
    gradient.iter().map(|g| if *g == 0.0 { 0.0 } else { g.signum() }).collect()
}

impl Contest for GradInit {
    fn start<'a>(&'a self, _: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        Ok(Box::new(PreparedArm::new(self)))
    }

    fn check(&self) -> Result<()> {
        match self.batch {
            Batch::Size(size) if size.get() < 2 => {
                Err(Error::experiment("P0121", "`batch` must hold at least 2 rows, found 1")
                    .note("half of its rows are kept for the loss after the step")
                    .help("write `batch: Full`, or `batch: Size(16)`"))
            }
            _ => Ok(()),
        }
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

impl GradInit {
    /// Length of the step that is tried, and what it is modelled on.
    fn step_of(&self, training: &Training) -> (f64, FirstStep) {
        let own = match (&training.optimizer, training.optimizer.steps()) {
            (Optimizer::Rprop(rprop), _) => rprop.initial_step.get(),
            (_, Steps::ByGradient(optimizer)) => f64::from(optimizer.learning_rate()),
            (_, Steps::ByObjective(_) | Steps::ByCorrection(_)) => 0.1,
        };
        (self.eta.map_or(own, Positive::get), self.target.unwrap_or_else(|| FirstStep::of(&training.optimizer)))
    }

    /// Rows for the gradient and for the loss after the step; `None` for all rows both times.
    fn rows(&self, train: &TrainContext, step: u64) -> Option<[Rows; 2]> {
        let all = &train.supervised.training;
        let count = self.batch.rows(all.count());
        if count == all.count() {
            return None;
        }
        let mut order: Vec<u32> = (0..all.count() as u32).collect();
        own_branch(train.streams, 4).stream(Purpose::Arm, step, 0).shuffle(&mut order);
        let later: Vec<u32> = order.iter().cycle().skip(count / 2).take(count).copied().collect();
        Some([&order[..count], &later].map(|chosen| {
            let mut rows = Rows::with_shape(count, all.features(), all.outputs());
            rows.gather(all, chosen);
            rows
        }))
    }

    /// One iteration on these rows. Whether it stayed among the finite numbers.
    fn iterate(
        &self,
        work: &mut Work,
        [now, later]: [&Rows; 2],
        (eta, target): (f64, FirstStep),
        slopes: &mut Slopes,
    ) -> bool {
        let params = work.params(slopes.network);
        let gradient = slopes.gradient(&params, now);
        let norm = target.norm(&gradient);
        if !norm.is_finite() {
            return false;
        }
        let too_steep = norm > self.gamma.get();
        let slope: Vec<f64> = if too_steep {
            slopes.bend(&params, &target.slope_of_norm(&gradient, norm), now)
        } else {
            let step = target.along(&gradient);
            let there: Vec<f64> = params.iter().zip(&step).map(|(x, step)| (-eta).mul_add(*step, *x)).collect();
            slopes.gradient(&there, later).iter().map(|slope| slope / eta).collect()
        };
        if slope.iter().any(|slope| !slope.is_finite()) {
            return false;
        }
        let count = work.scales.len();
        let moments = &mut work.memory[usize::from(too_steep) * (1 + 2 * count)..][..1 + 2 * count];
        let (steps, moments) = moments.split_at_mut(1);
        let (means, squares) = moments.split_at_mut(count);
        steps[0] += 1.0;
        let [first, second] = [0.9, 0.999].map(|decay| 1.0 - libm::pow(decay, steps[0]));
        for (index, range) in tensors(slopes.network).enumerate() {
            let pull: f64 =
                slope[range.clone()].iter().zip(&work.drawn[range]).map(|(slope, x)| slope * f64::from(*x)).sum();
            let pull = pull.clamp(-1.0, 1.0);
            means[index] = 0.1_f64.mul_add(pull - means[index], means[index]);
            squares[index] = 0.001_f64.mul_add(pull * pull - squares[index], squares[index]);
            let step = self.rate.get() * (means[index] / first) / ((squares[index] / second).sqrt() + 1e-8);
            let least = if index % 2 == 0 { 0.01 } else { 0.0 };
            work.scales[index] = (work.scales[index] - step).max(least);
        }
        true
    }
}

impl Prepare for GradInit {
    fn scheme(&self) -> &Initializer {
        &self.scheme
    }

    fn steps(&self) -> u64 {
        self.steps.get() as u64
    }

    fn memory(&self, layers: usize) -> usize {
        // For each kind of iteration a count, and two moments of each scale.
        2 * (1 + 4 * layers)
    }

    fn price(&self, train: &TrainContext) -> Cost {
        gradients(train.network, self.batch.rows(train.supervised.training.count()), 3)
    }

    fn step(&self, work: &mut Work, context: &mut ArmContext) -> bool {
        let train = context.train;
        let chosen = self.rows(&train, work.step);
        let all = &train.supervised.training;
        let rows = chosen.as_ref().map_or([all, all], |[now, later]| [now, later]);
        let mut slopes =
            Slopes { network: train.network, double: &mut context.scratch.double, cost: &mut *context.cost };
        self.iterate(work, rows, self.step_of(train.training), &mut slopes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepared::tests::case;
    use super::*;
    use crate::network::{DoubleWorkspace, Loss, Output};

    fn settings(gamma: f64) -> GradInit {
        let positive = |x| Positive::new(x).unwrap();
        GradInit {
            scheme: Initializer::GlorotUniform,
            steps: default_steps(),
            rate: positive(0.05),
            gamma: positive(gamma),
            eta: None,
            batch: Batch::Full,
            target: None,
        }
    }

    /// Scales after so many iterations.
    fn scales(gamma: f64, target: FirstStep, eta: f64, (output, loss): (Output, Loss), steps: u64) -> Vec<f64> {
        let (network, rows, start) = case(output, loss);
        let settings = settings(gamma);
        let mut work = Work::new(start, 2, settings.memory(2));
        let (mut double, mut cost) = (DoubleWorkspace::default(), Cost::ZERO);
        for _ in 0..steps {
            let mut slopes = Slopes { network: &network, double: &mut double, cost: &mut cost };
            assert!(settings.iterate(&mut work, [&rows, &rows], (eta, target), &mut slopes));
        }
        work.scales
    }

    const SOFTMAX: (Output, Loss) = (Output::Softmax, Loss::CrossEntropy);
    const LINEAR: (Output, Loss) = (Output::Linear, Loss::MeanSquared);

    #[test]
    fn scales_are_those_of_an_independent_implementation() {
        // tests/oracle/layer_sizes.py, numpy 2.4.6, with derivatives by complex steps; 12 iterations at rate 0.05.
        for (gamma, target, eta, head, expected) in [
            (100.0, FirstStep::Gradient, 0.1, SOFTMAX, [0.400694490812, 1.57095931012, 0.400621283488, 0.554182448503]),
            // Nine iterations lower the norm, three the loss.
            (0.3, FirstStep::Gradient, 0.1, SOFTMAX, [0.400510783469, 1.58935255306, 0.403817195578, 0.695455096158]),
            (0.3, FirstStep::Sign, 0.01, LINEAR, [0.47003263061, 0.44202257991, 0.400081597726, 0.400000006]),
            (100.0, FirstStep::Sign, 0.01, LINEAR, [0.935899604791, 0.893383994965, 0.844318215753, 0.400000006]),
            (0.01, FirstStep::Gradient, 0.1, LINEAR, [0.410400820556, 0.657977174285, 0.456282197864, 0.406461483789]),
        ] {
            let found = scales(gamma, target, eta, head, 12);
            let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
            assert!(near, "{gamma} {target:?}: {found:?} {expected:?}");
        }
    }

    #[test]
    fn sizing_lowers_the_loss_after_a_step_and_the_norm_that_is_too_large() {
        let (network, rows, start) = case(SOFTMAX.0, SOFTMAX.1);
        let measure = |scales: &[f64], eta: f64| {
            let work = Work { scales: scales.to_vec(), ..Work::new(start.clone(), 2, 0) };
            let (mut double, mut cost) = (DoubleWorkspace::default(), Cost::ZERO);
            let params = work.params(&network);
            let gradient = Slopes { network: &network, double: &mut double, cost: &mut cost }.gradient(&params, &rows);
            let there: Vec<f64> = params.iter().zip(&gradient).map(|(x, g)| x - eta * g).collect();
            (euclidean(&gradient), crate::network::double::loss(&network, &there, &rows, &mut double))
        };
        let before = measure(&[1.0; 4], 0.1);
        let free = measure(&scales(100.0, FirstStep::Gradient, 0.1, SOFTMAX, 60), 0.1);
        assert!(free.1 < 0.9 * before.1, "{free:?} {before:?}");
        let bound = measure(&scales(1e-3, FirstStep::Gradient, 0.1, SOFTMAX, 60), 0.1);
        assert!(bound.0 < 0.7 * before.0, "{bound:?} {before:?}");
    }

    #[test]
    fn the_step_is_that_of_the_optimizer() {
        let of = |text: &str| {
            let training = crate::experiment::dialect().from_str(&format!("(optimizer: {text})")).unwrap();
            settings(1.0).step_of(&training)
        };
        assert_eq!(of("Sgd(learning_rate: 0.5)"), (0.5, FirstStep::Gradient));
        assert_eq!(of("Adam(learning_rate: 0.25)"), (0.25, FirstStep::Sign));
        assert_eq!(of("Rprop(initial_step: 0.0625)"), (0.0625, FirstStep::Sign));
        assert_eq!(of("Lbfgs()"), (0.1, FirstStep::Gradient));
    }

    #[test]
    fn one_row_has_no_half() {
        let one = GradInit { batch: Batch::Size(Count::new(1).unwrap()), ..settings(1.0) };
        assert_eq!(one.check().unwrap_err().code(), "P0121");
        assert!(settings(1.0).check().is_ok());
    }
}
