//! The perceptron rule.

use super::{Steps, Train};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::Rows;
#[cfg(test)]
use crate::math::kernel::counter;
use crate::math::kernel::{Loop, vectorized};
use crate::network::{Mlp, Output};
use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// Rosenblatt's rule for a layer of threshold units: a row that a unit tells wrong is added to its weights, or taken away,
/// w ← w + η (t − y) x (Rosenblatt 1958; 1962, chapter 5).
///
/// Serves networks without hidden layers whose `output` is `Step`, for classes. Rows are visited one after the other: in the
/// order of the training rows under `batch: Full`, where a step is an epoch, or in one drawn anew each epoch under
/// `batch: Size(…)`. Where a straight boundary parts the classes an epoch comes without a mistake, however long it takes,
/// after at most (R/γ)² of them (Novikoff 1962), and training ends there, see [`Separation`]; where none does, corrections
/// never end. From a start of zeros the rate only scales the weights.
///
/// Charged: a forward pass for each row, and a backward pass of its unit for each correction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perceptron {
    /// Share η of a row that a correction adds; 1 unless said otherwise.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: Positive,
}

fn default_learning_rate() -> Positive {
    Positive::new(1.0).expect("in range")
}

impl Train for Perceptron {
    fn steps(&self) -> Steps<'_> {
        Steps::ByCorrection(self)
    }
}

impl Perceptron {
    /// Visits these `rows` in this order and corrects `params` for each that is told wrong. Adds the corrections of each unit
    /// to `made`, `[outputs]`; what is returned was spent.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn correct(
        &self,
        network: &Mlp,
        params: &mut [f32],
        rows: &Rows,
        order: impl Iterator<Item = usize>,
        made: &mut [u64],
    ) -> Cost {
        let before: u64 = made.iter().sum();
        let count = vectorized(Visit { network, params, rows, order, rate: self.learning_rate.f32(), made });
        let corrections = made.iter().sum::<u64>() - before;
        let backward = 2 * network.inputs() as u64 * corrections;
        Cost { backward, ..Cost::forward(network.multiply_adds(), count) }
    }

    /// Checks that the rule can serve a network.
    ///
    /// # Errors
    /// Hidden layers, or outputs that are no thresholds (`P0145`).
    pub fn check(&self, network: &Mlp) -> Result<()> {
        if network.layers().len() > 1 {
            let message = "`Perceptron` corrects one layer of threshold units, and this network has hidden layers";
            return Err(Error::experiment("P0145", message)
                .note("the rule does not tell what a hidden unit should have said")
                .help("write `hidden: []`, or train smooth units along gradients, with `Adam()` for example"));
        }
        if network.output() != Output::Step {
            let message =
                format!("`Perceptron` corrects threshold units, and the outputs are `{:?}`", network.output());
            return Err(Error::experiment("P0145", message)
                .help("write `output: Step` with `loss: MeanSquared`, or choose `Adam()`"));
        }
        Ok(())
    }
}

struct Visit<'a, I> {
    network: &'a Mlp,
    params: &'a mut [f32],
    rows: &'a Rows,
    order: I,
    rate: f32,
    made: &'a mut [u64],
}

impl<I: Iterator<Item = usize>> Loop for Visit<'_, I> {
    /// Rows visited.
    type Output = usize;
    #[inline(always)]
    fn run(self) -> usize {
        let Visit { network, params, rows, order, rate, made } = self;
        let layer = &network.layers()[0];
        let (weights, biases) = params.split_at_mut(layer.weights.len());
        let mut count = 0;
        for row in order {
            let (input, target) = (rows.input(row), rows.target(row));
            count += 1;
            let units = weights.chunks_exact_mut(layer.inputs).zip(&mut *biases).zip(target).zip(&mut *made);
            for (((weights, bias), target), made) in units {
                // In the order of the kernels, so that what is right here is right where losses are looked at.
                let sum = weights.iter().zip(input).fold(*bias, |sum, (weight, x)| weight.mul_add(*x, sum));
                #[cfg(test)]
                counter::FORWARD.with(|count| count.set(count.get() + weights.len() as u64));
                let error = target - f32::from(u8::from(sum > 0.0));
                if error != 0.0 {
                    let step = rate * error;
                    weights.iter_mut().zip(input).for_each(|(weight, x)| *weight = step.mul_add(*x, *weight));
                    *bias += step;
                    *made += 1;
                    #[cfg(test)]
                    counter::IN_GRADIENTS.with(|count| count.set(count.get() + weights.len() as u64));
                }
            }
        }
        count
    }
}

/// What a threshold unit's weights prove about the number of its mistakes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Separation {
    /// R: the largest length of a row, with 1 for the threshold.
    pub radius: f64,
    /// γ: the least distance of a row from the boundary, on its right side, in the same space; below 0 where a row is on the
    /// wrong one.
    pub margin: f64,
    /// Most mistakes that the rule can make from its start, in any order of the rows; `None` unless γ is above 0.
    pub bound: Option<f64>,
}

impl Separation {
    /// Of each unit of the separators `end`, for a training from `start`: one entry an output.
    ///
    /// Any boundary that parts the classes bounds the mistakes, the one that was found too; one with a wider margin would
    /// bound them more tightly. From a start of zeros the bound is (R/γ)² (Novikoff 1962). From another start w₀ it follows
    /// in the same way from both ends: k corrections bring w · u to w₀ · u + kηγ at least, for the separator's direction u,
    /// and ‖w‖² to ‖w₀‖² + kη²R² at most. In exact arithmetic, that is.
    pub fn of(network: &Mlp, start: &[f32], end: &[f32], rows: &Rows, learning_rate: f64) -> Vec<Separation> {
        let layer = &network.layers()[0];
        let vector = |params: &[f32], unit: usize| -> Vec<f64> {
            let weights = &params[layer.weights.start + unit * layer.inputs..][..layer.inputs];
            weights.iter().chain([&params[layer.biases.start + unit]]).map(|w| f64::from(*w)).collect()
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let inputs: Vec<Vec<f64>> = (0..rows.count())
            .map(|row| rows.input(row).iter().chain([&1.0]).map(|x| f64::from(*x)).collect())
            .collect();
        let radius = inputs.iter().map(|x| dot(x, x)).fold(0.0, f64::max).sqrt();
        let unit = |unit: usize| {
            let (start, end) = (vector(start, unit), vector(end, unit));
            let length = dot(&end, &end).sqrt();
            let side = |row: usize| if rows.target(row)[unit] > 0.5 { 1.0 } else { -1.0 };
            let distance = |(row, x): (usize, &Vec<f64>)| side(row) * dot(&end, x) / length;
            // Weights of zeros lie nowhere.
            let nearest = inputs.iter().enumerate().map(distance).fold(f64::INFINITY, f64::min);
            let margin = if length > 0.0 { nearest } else { 0.0 };
            let along = dot(&start, &end) / length / learning_rate;
            let squares = dot(&start, &start) / (learning_rate * learning_rate);
            let half = radius * radius - 2.0 * along * margin;
            let root = (half * half + 4.0 * margin * margin * (squares - along * along)).sqrt();
            let bound = (margin > 0.0).then(|| (half + root) / (2.0 * margin * margin));
            Separation { radius, margin, bound }
        };
        (0..layer.outputs).map(unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Workspace};
    use crate::rng::{Purpose, Streams};
    use crate::sealed::{self, StateReader};
    use crate::task::Supervised;
    use crate::train::{Scratch, Session, Status, TrainContext, Training};

    fn training(text: &str) -> Training {
        let options =
            ron::Options::default().with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES);
        options.from_str(text).unwrap_or_else(|cause| panic!("{text}: {cause}"))
    }

    fn network(inputs: usize, outputs: usize) -> Mlp {
        Mlp::new(inputs, &[], outputs, Output::Step, Loss::MeanSquared).unwrap()
    }

    /// Trains until it ends, at most so many steps: the session, and what it cost.
    fn train(network: &Mlp, rows: Rows, start: &[f32], text: &str, steps: usize) -> (Session, Supervised, Cost) {
        let (training, supervised) = (training(text), Supervised { training: rows, validation: None });
        let context = TrainContext { network, supervised: &supervised, training: &training, streams: Streams::new(3) };
        let (mut session, mut scratch, mut cost) = (Session::new(start, &training), Scratch::default(), Cost::ZERO);
        for _ in 0..steps {
            let (bound, before) = (session.next_cost(&context), cost);
            let counted = (counter::FORWARD.get(), counter::IN_GRADIENTS.get());
            let mut saved: Session = StateReader::new(&sealed::encode(&|to| to.put(&session))).take().unwrap();
            session.step(&context, &mut scratch, &mut cost);
            let done = (counter::FORWARD.get() - counted.0, counter::IN_GRADIENTS.get() - counted.1);
            let spent = cost - before;
            assert_eq!((spent.forward, spent.backward), (done.0, 2 * done.1));
            assert!(spent.total() <= bound.total());
            assert!(saved.fits(&context));
            saved.step(&context, &mut Scratch::default(), &mut Cost::default());
            assert_eq!(saved, session);
            if session.status != Status::Running {
                break;
            }
        }
        (session, supervised, cost)
    }

    /// Two classes of a plane in `inputs` dimensions, with a gap between them.
    fn separable(inputs: usize, seed: u64) -> Rows {
        let mut rng = Streams::new(seed).stream(Purpose::Synthetic, 0, 0);
        let normal: Vec<f64> = (0..inputs).map(|_| rng.uniform64() - 0.5).collect();
        let (mut x, mut t) = (Vec::new(), Vec::new());
        while t.len() < 40 {
            let point: Vec<f64> = (0..inputs).map(|_| 4.0 * rng.uniform64() - 2.0).collect();
            let side = normal.iter().zip(&point).map(|(n, x)| n * x).sum::<f64>() - 0.05;
            if side.abs() > 0.1 {
                x.extend(point.iter().map(|x| *x as f32));
                t.push(f32::from(u8::from(side > 0.0)));
            }
        }
        Rows::new(&x, &t, inputs, 1)
    }

    const ROWS: [[i8; 3]; 21] = [
        [3, 9, 1],
        [-4, -6, 6],
        [13, 2, -10],
        [-8, 13, 2],
        [-14, -1, -9],
        [-5, -4, -6],
        [4, -1, -5],
        [3, 7, -13],
        [-2, -8, -1],
        [-10, 0, 0],
        [-2, -8, -3],
        [-9, 9, 6],
        [-16, 2, -9],
        [0, 0, -16],
        [-2, -2, 8],
        [-9, 6, -9],
        [-3, -7, 12],
        [5, 19, 5],
        [7, 7, -5],
        [-1, 11, -3],
        [2, 0, 5],
    ];
    const CLASSES: [u8; 21] = [1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1];
    /// Epochs, then weights and intercept by scikit-learn 1.9.1: `Perceptron(shuffle=False, tol=None, max_iter=epochs)`. On
    /// quarters all sums are exact.
    const PATH: [(usize, [f32; 4]); 5] = [
        (1, [5.75, -1.75, 4.0, 1.0]),
        (2, [6.75, -1.75, 5.25, 2.0]),
        (3, [7.75, -1.75, 6.5, 3.0]),
        (5, [7.25, -3.75, 5.75, 4.0]),
        (12, [7.25, -3.75, 5.75, 4.0]),
    ];

    #[test]
    fn corrections_are_those_of_scikit_learn() {
        let rows = || {
            let x: Vec<f32> = ROWS.iter().flatten().map(|x| f32::from(*x) / 4.0).collect();
            Rows::new(&x, &CLASSES.map(f32::from), 3, 1)
        };
        let network = network(3, 1);
        for (epochs, expected) in PATH {
            let (session, ..) = train(&network, rows(), &[0.0; 4], "(optimizer: Perceptron())", epochs);
            assert_eq!(session.params, expected, "{epochs} epochs");
        }
        // The same by hand in Python: 7, 3, 3, 1 and no mistakes in five epochs; the fifth is the last.
        let (session, _, cost) = train(&network, rows(), &[0.0; 4], "(optimizer: Perceptron())", 100);
        assert_eq!((session.epoch, session.mistakes[0].all, session.status), (5, 14, Status::Stopped));
        assert_eq!(cost, Cost { forward: 5 * 21 * 3, backward: 14 * 2 * 3, ..Cost::ZERO });
        // From zeros the rate only scales.
        let (scaled, ..) = train(&network, rows(), &[0.0; 4], "(optimizer: Perceptron(learning_rate: 0.5))", 100);
        assert!(scaled.params.iter().zip(&session.params).all(|(half, whole)| 2.0 * half == *whole));
    }

    #[test]
    fn separable_classes_are_told_apart_within_the_bound_from_any_start_in_any_order() {
        for seed in 0..12 {
            let inputs = 1 + seed as usize % 4;
            let network = network(inputs, 1);
            let mut rng = Streams::new(seed).stream(Purpose::Initialize, 0, 0);
            let random: Vec<f32> = (0..=inputs).map(|_| 6.0 * rng.uniform64() as f32 - 3.0).collect();
            for start in [vec![0.0; inputs + 1], random] {
                for (rate, batch) in [("1.0", "Full"), ("0.25", "Size(1)"), ("2.0", "Size(7)")] {
                    let text = format!("(optimizer: Perceptron(learning_rate: {rate}), batch: {batch})");
                    let (session, supervised, _) = train(&network, separable(inputs, seed), &start, &text, 100_000);
                    let (rows, rate) = (&supervised.training, rate.parse().unwrap());
                    assert_eq!(session.status, Status::Stopped, "{seed} {text}");
                    // Where losses are looked at, nothing is wrong either.
                    assert_eq!(network.loss(&session.params, rows, &mut Workspace::new()), 0.0);
                    let found = Separation::of(&network, &start, &session.params, rows, rate)[0];
                    let bound = found.bound.unwrap();
                    assert!(session.mistakes[0].all as f64 <= bound, "{:?} {found:?}", session.mistakes);
                    if start.iter().all(|w| *w == 0.0) {
                        let squared = (found.radius / found.margin) * (found.radius / found.margin);
                        assert!((bound / squared - 1.0).abs() < 1e-9);
                    }
                }
            }
        }
    }

    #[test]
    fn the_bound_is_met_by_the_example_that_is_worked_out_by_hand() {
        // Two points at ±1 with a threshold input of 1: R = √2; the boundary x > 0 has γ = 1, so at most two mistakes.
        let rows = Rows::new(&[1.0, -1.0], &[1.0, 0.0], 1, 1);
        let found = Separation::of(&network(1, 1), &[0.0, 0.0], &[3.0, 0.0], &rows, 1.0)[0];
        assert!((found.radius - 2.0_f64.sqrt()).abs() < 1e-12 && (found.margin - 1.0).abs() < 1e-12);
        assert!((found.bound.unwrap() - 2.0).abs() < 1e-9);
        // A start at the separator needs none, and one on the far side as many as bring it back: (k − 3)² ≤ 9 + 2k.
        let from =
            |start: f32| Separation::of(&network(1, 1), &[start, 0.0], &[3.0, 0.0], &rows, 1.0)[0].bound.unwrap();
        assert!(from(3.0).abs() < 1e-9 && (from(-3.0) - 8.0).abs() < 1e-9);
        let wrong = Separation::of(&network(1, 1), &[0.0, 0.0], &[-3.0, 0.0], &rows, 1.0)[0];
        assert_eq!((wrong.margin, wrong.bound), (-1.0, None));
        assert_eq!(Separation::of(&network(1, 1), &[0.0; 2], &[0.0; 2], &rows, 1.0)[0].bound, None);
    }

    #[test]
    fn exclusive_or_is_corrected_for_ever_and_weights_stay_near() {
        let rows = Rows::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 1.0, 0.0], 2, 1);
        for batch in ["Full", "Size(1)"] {
            let text = format!("(optimizer: Perceptron(), batch: {batch})");
            let (session, ..) = train(&network(2, 1), rows.clone(), &[0.0; 3], &text, 2_000);
            assert!(session.status == Status::Running && session.mistakes[0].all > 500);
            assert!(session.params.iter().all(|w| w.abs() < 10.0), "{:?}", session.params);
        }
    }

    #[test]
    fn units_learn_each_for_itself() {
        let single = separable(2, 1);
        let targets: Vec<f32> = single.targets().iter().flat_map(|t| [*t, 1.0 - t]).collect();
        let inputs: Vec<f32> = (0..single.count()).flat_map(|row| single.input(row).to_vec()).collect();
        let text = "(optimizer: Perceptron())";
        let (one, ..) = train(&network(2, 1), single, &[0.0; 3], text, 10_000);
        let (two, ..) = train(&network(2, 2), Rows::new(&inputs, &targets, 2, 2), &[0.0; 6], text, 10_000);
        assert_eq!((&two.params[..2], two.params[4]), (&one.params[..2], one.params[2]));
        assert_eq!(two.mistakes[0].all, one.mistakes[0].all);
        assert_eq!(two.mistakes.len(), 2);
    }

    #[test]
    fn what_the_rule_cannot_serve_is_refused_with_a_way_out() {
        let code = |text: &str, network: &Mlp| {
            training(text).check(network, false).map_err(|error| {
                assert_eq!(error.problems()[0].helps.len(), 1, "{text}");
                error.code()
            })
        };
        let hidden = Mlp::new(2, &[(3, Activation::Step)], 1, Output::Step, Loss::MeanSquared).unwrap();
        let smooth = Mlp::new(2, &[], 1, Output::Logistic, Loss::MeanSquared).unwrap();
        let plain = "(optimizer: Perceptron())";
        assert_eq!((code(plain, &hidden), code(plain, &smooth)), (Err("P0145"), Err("P0145")));
        for more in
            ["clip: Norm(max: 1.0)", "schedule: Warmup(steps: 4)", "stop: [MinGradient(0.1)]", "stop: [MaxDamping(9)]"]
        {
            assert_eq!(code(&format!("(optimizer: Perceptron(), {more})"), &network(2, 1)), Err("P0145"), "{more}");
        }
        let goal = "(optimizer: Perceptron(), batch: Size(1), stop: [Goal(0.05), Epochs(9)])";
        assert_eq!((code(plain, &network(2, 3)), code(goal, &network(2, 1))), (Ok(()), Ok(())));
        assert!(Mlp::new(2, &[], 1, Output::Step, Loss::CrossEntropy).is_err());
    }
}
