//! How fast a loss falls: the one rule by which arms tell progress from a plateau.

use super::ArmContext;
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::Rows;
use crate::network::{Loss, Mlp, Output};
use crate::train::{Batch, Training};
use serde::{Deserialize, Serialize};

/// Looks at the loss of full-batch training every so many steps and tells its local exponent e: where the loss falls
/// like age⁻ᵉ, it is a straight line of slope −e over the steps, both on logarithmic scales.
///
/// e = age · ln(previous loss / loss) / steps between the two, losses taken above what no network can remove
/// ([`floor`]). Training that goes well has e near 1 or above; on a plateau e is near 0. The losses are those that the
/// gradients are computed with, so that looking costs nothing; each is of the weights before its step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Steps of this training so far.
    pub age: u64,
    /// Steps until the next look, from the latest one.
    pub wait: u64,
    since: u64,
    previous: Option<f64>,
}

/// Losses nearer to the floor than this count as there.
const NEAREST: f64 = 1e-12;

impl Slope {
    /// Of a training that begins, looked at every `wait` steps.
    pub fn new(wait: u64) -> Slope {
        Slope { age: 0, wait, since: 0, previous: None }
    }

    /// Of a training that was left alone at this `age` and `loss` and goes on.
    pub fn at(age: u64, loss: f64, wait: u64) -> Slope {
        Slope { age, wait, since: 0, previous: Some(loss) }
    }

    /// One step was taken with this loss; whether it is time to look.
    pub fn step(&mut self, loss: f64) -> bool {
        self.age += 1;
        self.since += 1;
        self.previous.get_or_insert(loss);
        self.since >= self.wait
    }

    /// Looks: the exponent since the look before.
    pub fn exponent(&mut self, loss: f64, floor: f64) -> f64 {
        let previous = self.previous.replace(loss).unwrap_or(loss);
        let steps = std::mem::take(&mut self.since).max(1);
        self.age as f64 * libm::log(above(previous, floor) / above(loss, floor)) / steps as f64
    }
}

/// How far a loss lies above the floor.
pub fn above(loss: f64, floor: f64) -> f64 {
    (loss - floor).max(NEAREST)
}

/// The training loss that no network can go below, because rows with equal inputs have different targets.
pub fn floor(network: &Mlp, rows: &Rows) -> f64 {
    let outputs = rows.outputs();
    let bits = |row: u32| rows.input(row as usize).iter().map(|x| (x + 0.0).to_bits());
    let mut order: Vec<u32> = (0..rows.count() as u32).collect();
    order.sort_by(|a, b| bits(*a).cmp(bits(*b)));
    let mut sum = 0.0;
    for group in order.chunk_by(|a, b| bits(*a).eq(bits(*b))) {
        let count = group.len() as f64;
        let mean = |output: usize, power: &dyn Fn(f64) -> f64| {
            group.iter().map(|row| power(f64::from(rows.target(*row as usize)[output]))).sum::<f64>() / count
        };
        // What is lost by answering with the mean, the best answer.
        for output in 0..outputs {
            let share = mean(output, &|t| t);
            let lost = |share: f64| if share > 0.0 { -share * libm::log(share) } else { 0.0 };
            sum += count
                * match (network.loss_kind(), network.output()) {
                    (Loss::MeanSquared, _) => (mean(output, &|t| t * t) - share * share).max(0.0) / outputs as f64,
                    (Loss::CrossEntropy, Output::Softmax) => lost(share),
                    (Loss::CrossEntropy, _) => (lost(share) + lost(1.0 - share)) / outputs as f64,
                };
        }
    }
    sum / rows.count() as f64
}

/// What [`floor`] costs.
pub fn floor_cost(rows: &Rows) -> Cost {
    Cost::linear_algebra((rows.count() * rows.outputs()) as u64)
}

/// The floor, worked out and charged at its first use; `None` if the budget does not pay for that.
pub fn known(floor: &mut Option<f64>, context: &mut ArmContext) -> Option<f64> {
    let rows = &context.train.supervised.training;
    if floor.is_none() && context.affords(floor_cost(rows)) {
        *context.cost += floor_cost(rows);
        *floor = Some(self::floor(context.train.network, rows));
    }
    *floor
}

/// Refuses minibatches for an arm that looks at the loss after each step.
///
/// # Errors
/// `P0137`.
pub fn check_full_batch(arm: &str, training: &Training) -> Result<()> {
    match training.batch {
        Batch::Full => Ok(()),
        Batch::Size(_) => {
            let message =
                format!("`{arm}` compares losses from step to step, and those of minibatches are of different rows");
            Err(Error::experiment("P0137", message)
                .help("write `batch: Full`")
                .help("for minibatches, `Restarts(…)` and `Race(…)` score all rows instead, and are charged for it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;

    #[test]
    fn the_exponent_of_a_power_is_the_power() {
        let loss = |age: u64| 0.2 + libm::pow(age as f64, -0.7);
        let mut slope = Slope::new(20);
        for age in 1..=4000 {
            if slope.step(loss(age)) {
                let e = slope.exponent(loss(age), 0.2);
                assert_eq!(age % 20, 0);
                // The chord over twenty steps is a little steeper than the tangent at its end.
                assert!(age < 400 || (e - 0.7).abs() < 0.02, "{age} {e}");
            }
        }
        let mut flat = Slope::at(1000, 0.5, 1);
        assert!(flat.step(0.5));
        assert_eq!(flat.exponent(0.5, 0.0), 0.0);
        assert!(flat.step(0.6) && flat.exponent(0.6, 0.0) < 0.0);
        assert_eq!(Slope::at(5, 0.1, 1).exponent(0.1, 0.2), 0.0, "below the floor all losses are alike");
    }

    #[test]
    fn the_floor_is_the_loss_of_the_best_answer_to_each_input() {
        let inputs = [1.0, 2.0, 1.0, 2.0, 0.0, 5.0, 1.0, 2.0, -0.0, 5.0];
        let first = [1.0, 0.0, 1.0, 1.0, 1.0_f32];
        let two: Vec<f32> = first.iter().flat_map(|t| [*t, 1.0 - t]).collect();
        let share = 1.0 / 3.0;
        let entropy = -share * libm::log(share) - (1.0 - share) * libm::log(1.0 - share);
        for (output, loss, targets, outputs, expected) in [
            (Output::Softmax, Loss::CrossEntropy, &two[..], 2, 0.6 * entropy),
            (Output::Logistic, Loss::CrossEntropy, &two[..], 2, 0.6 * entropy),
            (Output::Logistic, Loss::CrossEntropy, &first[..], 1, 0.6 * entropy),
            (Output::Linear, Loss::MeanSquared, &first[..], 1, 0.6 * share * (1.0 - share)),
            (Output::Logistic, Loss::MeanSquared, &two[..], 2, 0.6 * share * (1.0 - share)),
        ] {
            let network = Mlp::new(2, &[(3, Activation::Tanh)], outputs, output, loss).unwrap();
            let found = floor(&network, &Rows::new(&inputs, targets, 2, outputs));
            // Rows 0, 1 and 3 are equal, with one target of 0 … and rows 2 and 4 agree.
            assert!((found - expected).abs() < 1e-12, "{output:?} {loss:?}: {found} {expected}");
        }
    }
}
