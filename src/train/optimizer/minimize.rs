//! Methods that see the objective and not only one gradient of it.

use super::damped::Damped;
use super::lbfgs::Search;
use super::scaled_conjugate_gradient::Conjugate;
use crate::cost::Cost;
use crate::error::Result;
use crate::network::Mlp;
use crate::train::{Objective, Prices};
use serde::{Deserialize, Serialize};

/// A method whose steps ask an [`Objective`]. Settings only; all memory is in the [`Memory`].
///
/// A step is one trial: what it costs at most is known before, and training can be saved and looked at between any two.
/// The method works on a copy of the parameters in double precision; `params` are that copy, rounded.
pub trait Minimize: Send + Sync {
    /// Memory of a method that has not begun.
    fn begin(&self) -> Memory;

    /// What the next step costs at most.
    fn next_cost(&self, memory: &Memory, prices: &Prices) -> Cost;

    /// What any step costs at most.
    fn step_cost(&self, prices: &Prices) -> Cost;

    /// One trial from `params`, `[parameters]`, which change if it was good. Trials that were good are epochs.
    ///
    /// # Panics
    /// If `memory` is not that of this method.
    fn step(&self, memory: &mut Memory, params: &mut [f32], objective: &mut dyn Objective) -> Progress;

    /// Whether its steps have a damping that can be watched.
    fn is_damped(&self) -> bool {
        true
    }

    /// Numbers of 8 bytes that it remembers or works with for so many parameters.
    fn numbers(&self, parameters: u64) -> u64;

    /// Checks that the method can serve a network.
    ///
    /// # Errors
    /// A loss that it is not made for (`P0145`), or more parameters (`P0140`).
    fn check(&self, _network: &Mlp) -> Result<()> {
        Ok(())
    }
}

/// What such a method remembers between steps: plain numbers, so that it can be copied, put back and saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Memory {
    /// Nothing: the method follows gradients.
    #[default]
    Nothing,
    /// Of [`LevenbergMarquardt`](super::LevenbergMarquardt) and [`Newton`](super::Newton).
    Damped(Damped),
    /// Of [`ScaledConjugateGradient`](super::ScaledConjugateGradient).
    Conjugate(Conjugate),
    /// Of [`Lbfgs`](super::Lbfgs).
    Search(Search),
}

impl Memory {
    /// Whether it could be a memory of so many parameters.
    pub(super) fn fits(&self, parameters: usize) -> bool {
        match self {
            Memory::Nothing => true,
            Memory::Damped(damped) => damped.fits(parameters),
            Memory::Conjugate(conjugate) => conjugate.fits(parameters),
            Memory::Search(search) => search.fits(parameters),
        }
    }
}

/// In which precision a method asks for gradients.
///
/// It begins in single precision, by the batched kernels. Once the decrease that it expects is too small to be told by
/// them, it begins anew where it stands, in double precision, and stays there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Precision {
    #[default]
    Single,
    Double,
}

/// Decreases of less than this part of the loss cannot be told in single precision: losses are sums of rounded terms.
const TELLS: f64 = 1.0 / 262_144.0;

impl Precision {
    /// Loss and gradient at `point`.
    pub fn gradient(&mut self, objective: &mut dyn Objective, point: &[f64], gradient: &mut [f64]) -> f64 {
        if *self == Precision::Single {
            if let Some(loss) = objective.single_gradient(point, gradient) {
                return loss;
            }
            *self = Precision::Double;
        }
        objective.gradient(point, gradient)
    }

    /// a + factor · b, as the objective will see it.
    pub fn along(self, a: &[f64], factor: f64, b: &[f64]) -> Vec<f64> {
        let mut point = along(a, factor, b);
        if self == Precision::Single {
            point.iter_mut().for_each(|x| *x = f64::from(*x as f32));
        }
        point
    }

    /// Whether so small a decrease of `loss`, or a failure, asks for more digits.
    pub fn is_lost(self, decrease: f64, loss: f64, failed: bool) -> bool {
        self == Precision::Single && (failed || decrease <= TELLS * loss.abs())
    }
}

/// Where a method stands after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Loss of the parameters now.
    pub loss: f64,
    /// Norm of the latest gradient of the loss: that of the parameters before the step, or after it where it is known.
    pub gradient_norm: f64,
    /// Damping of the next step, for methods that have one.
    pub damping: Option<f64>,
    /// Whether the parameters changed: a trial that fails is no epoch.
    pub moved: bool,
    /// Whether the method has no way left to a lower loss.
    pub stuck: bool,
}

/// Euclidean norm.
pub(super) fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// Σ aᵢbᵢ, in order.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| a.mul_add(*b, sum))
}

/// a + factor · b.
pub(super) fn along(a: &[f64], factor: f64, b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| factor.mul_add(*b, *a)).collect()
}

/// Parameters in double precision.
pub(super) fn widened(params: &[f32]) -> Vec<f64> {
    params.iter().map(|param| f64::from(*param)).collect()
}

/// Parameters rounded to single precision.
pub(super) fn round(point: &[f64], params: &mut [f32]) {
    params.iter_mut().zip(point).for_each(|(param, x)| *param = *x as f32);
}

#[cfg(test)]
mod tests {
    use super::super::{Optimizer, OptimizerState, Steps};
    use super::*;
    use crate::math::kernel::counter;
    use crate::math::{Activation, Rows};
    use crate::network::{Loss, Mlp, Output, Workspace};
    use crate::rng::{Purpose, Streams};
    use crate::sealed::{self, StateReader};
    use crate::task::Supervised;
    use crate::train::initializer::{GlorotUniform, Initialize, NguyenWidrow};
    use crate::train::{OnRows, Scratch, Session, Single, Status, TrainContext, Training};

    include!("second_order_numbers.rs");

    fn written(text: &str) -> Training {
        ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
            .from_str(&format!("(optimizer: {text})"))
            .unwrap_or_else(|cause| panic!("{text}: {cause}"))
    }

    /// Those of the catalogue that ask the objective.
    fn all() -> impl Iterator<Item = &'static str> {
        let asks = |name: &&str| matches!(written(&format!("{name}()")).optimizer.steps(), Steps::ByObjective(_));
        Optimizer::CATALOGUE.iter().copied().filter(asks)
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Function {
        Quadratic,
        Rosenbrock,
    }

    const SCALE: [f64; 3] = [1.0, 10.0, 0.1];
    const CENTRE: [f64; 3] = [0.5, -1.0, 0.0];

    impl Function {
        fn start(self) -> Vec<f32> {
            match self {
                Function::Quadratic => vec![1.0, -2.0, 3.0],
                Function::Rosenbrock => vec![-1.2, 1.0],
            }
        }

        /// Residuals whose mean square is the function, and their Jacobian, row by row.
        fn residuals(self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
            match self {
                Function::Quadratic => {
                    let root = SCALE.map(|scale| (1.5 * scale).sqrt());
                    let mut jacobian = vec![0.0; 9];
                    (0..3).for_each(|i| jacobian[4 * i] = root[i]);
                    ((0..3).map(|i| root[i] * (x[i] - CENTRE[i])).collect(), jacobian)
                }
                Function::Rosenbrock => {
                    let root = 2.0_f64.sqrt();
                    let residuals = vec![root * (1.0 - x[0]), root * 10.0 * (x[1] - x[0] * x[0])];
                    (residuals, vec![-root, 0.0, root * -20.0 * x[0], root * 10.0])
                }
            }
        }
    }

    impl Objective for Function {
        fn loss(&mut self, point: &[f64]) -> f64 {
            let e = self.residuals(point).0;
            dot(&e, &e) / e.len() as f64
        }

        fn gradient(&mut self, point: &[f64], gradient: &mut [f64]) -> f64 {
            let n = point.len();
            let (e, j) = self.residuals(point);
            for column in 0..n {
                gradient[column] = (0..n).map(|row| 2.0 / n as f64 * e[row] * j[row * n + column]).sum();
            }
            self.loss(point)
        }

        fn hessian(&mut self, x: &[f64], hessian: &mut [f64]) {
            match self {
                Function::Quadratic => (0..3).for_each(|i| hessian[4 * i] = SCALE[i]),
                Function::Rosenbrock => {
                    hessian[0] = 2.0 - 400.0 * (x[1] - 3.0 * x[0] * x[0]);
                    hessian[2] = -400.0 * x[0];
                    hessian[3] = 200.0;
                }
            }
        }

        fn gauss_newton(&mut self, point: &[f64], gram: &mut [f64], pull: &mut [f64]) -> f64 {
            let n = point.len();
            let (e, j) = self.residuals(point);
            for p in 0..n {
                pull[p] = (0..n).map(|row| e[row] * j[row * n + p]).sum();
                for q in 0..=p {
                    gram[p * n + q] = (0..n).map(|row| j[row * n + p] * j[row * n + q]).sum();
                }
            }
            self.loss(point)
        }

        fn residuals(&self) -> usize {
            self.start().len()
        }
    }

    #[test]
    fn losses_fall_as_in_an_implementation_from_the_papers() {
        for (text, mut function, losses) in LOSSES.iter().copied() {
            let training = written(text);
            let Steps::ByObjective(method) = training.optimizer.steps() else { panic!("{text}") };
            let (mut params, mut memory) = (function.start(), method.begin());
            for (index, expected) in losses.iter().enumerate() {
                let progress = method.step(&mut memory, &mut params, &mut function);
                let tolerance = 1e-5;
                let error = (progress.loss - expected).abs();
                assert!(
                    error <= tolerance * expected + 1e-13,
                    "{text} {function:?} step {}: {progress:?} {expected}",
                    index + 1
                );
            }
        }
        let named = |name: &str, function| LOSSES.iter().any(|run| run.0.starts_with(name) && run.1 == function);
        assert!(all().all(|name| named(name, Function::Quadratic) && named(name, Function::Rosenbrock)));
    }

    #[test]
    fn every_method_finds_the_minimum_and_then_stands_still() {
        for name in all() {
            for mut function in [Function::Quadratic, Function::Rosenbrock] {
                let training = written(&format!("{name}()"));
                let Steps::ByObjective(method) = training.optimizer.steps() else { unreachable!() };
                let (mut params, mut memory) = (function.start(), method.begin());
                let mut losses = Vec::new();
                let end = (0..5000).map(|_| method.step(&mut memory, &mut params, &mut function)).find(|progress| {
                    losses.push(progress.loss);
                    progress.stuck
                });
                assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]), "{name} {function:?} never goes up");
                assert!(losses[losses.len() - 1] < 1e-18, "{name} {function:?} {:?}", losses.last());
                assert!(end.is_some(), "{name} {function:?} does not know its end");
                let minimum = if function == Function::Quadratic { &CENTRE[..] } else { &[1.0, 1.0] };
                assert!(params.iter().zip(minimum).all(|(x, m)| (f64::from(*x) - m).abs() < 1e-6), "{name} {params:?}");
            }
        }
    }

    /// A curve, 64 rows of it for training and 16 for validation.
    fn curve() -> Supervised {
        let rows = |count: usize| {
            let inputs: Vec<f32> = (0..count).map(|i| 6.0 * i as f32 / (count - 1) as f32 - 3.0).collect();
            let targets: Vec<f32> = inputs.iter().map(|x| libm::sinf(*x)).collect();
            Rows::new(&inputs, &targets, 1, 1)
        };
        Supervised { training: rows(64), validation: Some(rows(16)) }
    }

    fn network(units: usize) -> Mlp {
        Mlp::new(1, &[(units, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared).unwrap()
    }

    fn start(network: &Mlp, supervised: &Supervised, seed: u64) -> Vec<f32> {
        let mut start = vec![0.0; network.parameters()];
        let mut rng = Streams::new(seed).stream(Purpose::Initialize, 0, 0);
        NguyenWidrow.init(network, &supervised.training, &mut start, &mut rng, &mut Cost::default()).unwrap();
        start
    }

    #[test]
    fn sessions_charge_what_is_done_and_go_on_alike_when_saved_between_any_two_steps() {
        let (network, supervised) = (network(5), curve());
        let (weights, parameters, rows) = (10_u64, 16_u64, 64_u64);
        for name in all() {
            let mut training = written(&format!("{name}()"));
            training.stop = vec![crate::train::Stop::Patience(crate::values::Count::new(1_000).unwrap())];
            training.check(&network, true).unwrap();
            let context = TrainContext {
                network: &network,
                supervised: &supervised,
                training: &training,
                streams: Streams::new(1),
            };
            let mut session = Session::new(&start(&network, &supervised, 3), &training);
            let (mut scratch, mut losses) = (Scratch::default(), Vec::new());
            for step in 0..40 {
                let (bound, mut cost, epoch) = (session.next_cost(&context), Cost::ZERO, session.epoch);
                let before = (counter::FORWARD.get(), counter::IN_GRADIENTS.get());
                let mut saved: Session = StateReader::new(&sealed::encode(&|to| to.put(&session))).take().unwrap();
                let status = session.step(&context, &mut scratch, &mut cost);
                let done = (counter::FORWARD.get() - before.0, counter::IN_GRADIENTS.get() - before.1);
                assert!(saved.fits(&context), "{name}");
                saved.step(&context, &mut Scratch::default(), &mut Cost::default());
                assert_eq!(saved, session, "{name}");
                losses.push(session.batch_loss);
                // The validation check of a trial that was good, and what the method asked for, by hand.
                let check = if session.epoch > epoch { weights * 16 } else { 0 };
                let unused = Cost::forward(10, if session.epoch > epoch { 0 } else { 16 });
                assert_eq!(cost + unused, bound, "{name} step {step}: foretold");
                let gradients = |count: u64| Cost {
                    forward: count * weights * rows,
                    backward: count * 2 * weights * rows,
                    ..Cost::ZERO
                };
                let fresh = cost.jacobian + cost.backward > 0;
                let expected = match name {
                    "LevenbergMarquardt" if fresh => Cost {
                        forward: 2 * weights * rows,
                        jacobian: 2 * weights * rows,
                        // 17 columns, of which 16 are parameters: 153 products for each row.
                        linear_algebra: rows * 153,
                        ..Cost::ZERO
                    },
                    "Newton" if fresh => Cost {
                        forward: (2 + 3 * parameters) * weights * rows,
                        backward: (2 + 5 * parameters) * weights * rows,
                        ..Cost::ZERO
                    },
                    "LevenbergMarquardt" | "Newton" => Cost { forward: weights * rows, ..Cost::ZERO },
                    "ScaledConjugateGradient" if step == 0 => gradients(3),
                    "ScaledConjugateGradient" => gradients(cost.backward / (2 * weights * rows)),
                    "Lbfgs" => gradients(1),
                    other => panic!("{other}: what does a step cost?"),
                };
                assert_eq!(cost, expected + Cost { forward: check, ..Cost::ZERO }, "{name} step {step}");
                // Forward passes are counted in the kernels; of an R-operator's three, the first.
                let first =
                    if name == "Newton" && fresh { (2 + parameters) * weights * rows + check } else { cost.forward };
                assert_eq!(done.0, first, "{name} step {step}");
                if name != "Newton" {
                    assert_eq!(2 * done.1, cost.backward, "{name} step {step}");
                }
                if status != Status::Running {
                    break;
                }
            }
            assert!(losses[losses.len() - 1] < 0.1 * losses[0], "{name} learns: {losses:?}");
        }
    }

    #[test]
    fn levenberg_marquardt_fits_a_sine_from_nearly_any_start() {
        let (network, goal) = (network(10), "(optimizer: LevenbergMarquardt(), stop: [Goal(1e-6), Epochs(1000)])");
        let inputs: Vec<f32> =
            (0..200).map(|i| (std::f64::consts::PI * (2.0 * f64::from(i) / 199.0 - 1.0)) as f32).collect();
        let targets: Vec<f32> = inputs.iter().map(|x| libm::sin(f64::from(*x)) as f32).collect();
        let supervised = Supervised { training: Rows::new(&inputs, &targets, 1, 1), validation: None };
        let training: Training = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
            .from_str(goal)
            .unwrap();
        let reached = (0..10).filter(|seed| {
            let streams = Streams::new(*seed);
            let context = TrainContext { network: &network, supervised: &supervised, training: &training, streams };
            let mut session = Session::new(&start(&network, &supervised, *seed), &training);
            let mut scratch = Scratch::default();
            while session.step(&context, &mut scratch, &mut Cost::default()) == Status::Running {}
            // In single precision too, as looks and models see it.
            let loss = network.loss(&session.params, &supervised.training, &mut Workspace::new());
            session.status == Status::Reached && loss < 1.001e-6
        });
        assert!(reached.count() >= 9);
    }

    #[test]
    fn cross_entropy_is_made_small_too_and_nonsense_is_told() {
        let network = Mlp::new(2, &[(4, Activation::Tanh)], 3, Output::Softmax, Loss::CrossEntropy).unwrap();
        let inputs: Vec<f32> = (0..120).map(|i| ((i * 37) % 60) as f32 / 20.0 - 1.5).collect();
        let targets: Vec<f32> = inputs
            .chunks(2)
            .flat_map(|x| {
                let class = usize::from(x[0] + x[1] > 0.0) + usize::from(x[0] > x[1]);
                (0..3).map(move |output| f32::from(u8::from(output == class)))
            })
            .collect();
        let supervised = Supervised { training: Rows::new(&inputs, &targets, 2, 3), validation: None };
        let mut first = vec![0.0; network.parameters()];
        let mut rng = Streams::new(2).stream(Purpose::Initialize, 0, 0);
        GlorotUniform.init(&network, &supervised.training, &mut first, &mut rng, &mut Cost::default()).unwrap();
        for name in all().filter(|name| *name != "LevenbergMarquardt") {
            let training = written(&format!("{name}()"));
            let context = TrainContext {
                network: &network,
                supervised: &supervised,
                training: &training,
                streams: Streams::new(1),
            };
            let mut session = Session::new(&first, &training);
            let mut scratch = Scratch::default();
            for _ in 0..60 {
                session.step(&context, &mut scratch, &mut Cost::default());
            }
            assert!(session.batch_loss < 0.2, "{name}: {}", session.batch_loss);
            let mut broken = first.clone();
            broken[0] = f32::NAN;
            let mut session = Session::new(&broken, &training);
            assert_eq!(session.step(&context, &mut scratch, &mut Cost::default()), Status::Diverged, "{name}");
        }
    }

    #[test]
    fn what_cannot_go_together_is_refused_with_a_way_out() {
        let entropy = Mlp::new(2, &[(4, Activation::Tanh)], 2, Output::Softmax, Loss::CrossEntropy).unwrap();
        let (small, large, huge) = (network(3), network(200), network(1400));
        let code = |text: &str, network: &Mlp| {
            let training: Training = ron::Options::default()
                .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
                .from_str(&format!("(optimizer: {text})"))
                .unwrap();
            training.check(network, true).map_err(|error| {
                assert_eq!(error.problems()[0].helps.len(), 1, "{text}");
                error.code()
            })
        };
        for name in all() {
            assert_eq!(code(&format!("{name}()"), &small), Ok(()));
            assert_eq!(code(&format!("{name}(), batch: Size(4)"), &small), Err("P0137"), "{name}");
            for more in ["clip: Norm(max: 1.0)", "schedule: Warmup(steps: 4)"] {
                assert_eq!(code(&format!("{name}(), {more}"), &small), Err("P0145"), "{name} {more}");
            }
        }
        assert_eq!(code("LevenbergMarquardt()", &entropy), Err("P0145"));
        assert_eq!(code("Newton()", &entropy), Ok(()));
        assert_eq!((code("Newton()", &large), code("LevenbergMarquardt()", &large)), (Err("P0140"), Ok(())));
        assert_eq!((code("LevenbergMarquardt()", &huge), code("Lbfgs()", &huge)), (Err("P0140"), Ok(())));
        assert_eq!(code("Newton(increase: 1.0)", &small), Err("P0121"));
        assert_eq!(code("Lbfgs(), stop: [MaxDamping(1e10)]", &small), Err("P0145"));
        assert_eq!(code("Adam(), stop: [MaxDamping(1e10)]", &small), Err("P0145"));
        assert_eq!(code("Newton(), stop: [MaxDamping(1e10)]", &small), Ok(()));
    }

    /// A network's loss that remembers in which precision its gradients were asked for.
    struct Watched<'a>(OnRows<'a>, Vec<Precision>);

    impl Objective for Watched<'_> {
        fn loss(&mut self, point: &[f64]) -> f64 {
            self.0.loss(point)
        }
        fn single_gradient(&mut self, point: &[f64], gradient: &mut [f64]) -> Option<f64> {
            self.1.push(Precision::Single);
            self.0.single_gradient(point, gradient)
        }
        fn gradient(&mut self, point: &[f64], gradient: &mut [f64]) -> f64 {
            self.1.push(Precision::Double);
            self.0.gradient(point, gradient)
        }
        fn hessian(&mut self, point: &[f64], hessian: &mut [f64]) {
            self.0.hessian(point, hessian);
        }
        fn gauss_newton(&mut self, point: &[f64], gram: &mut [f64], pull: &mut [f64]) -> f64 {
            self.0.gauss_newton(point, gram, pull)
        }
        fn residuals(&self) -> usize {
            self.0.residuals()
        }
    }

    #[test]
    fn gradients_are_those_of_the_kernels_until_these_can_tell_no_more() {
        let (network, supervised) = (network(5), curve());
        let rows = &supervised.training;
        for name in ["Lbfgs", "ScaledConjugateGradient"] {
            let training = written(&format!("{name}()"));
            let Steps::ByObjective(method) = training.optimizer.steps() else { unreachable!() };
            let (mut params, mut memory) = (start(&network, &supervised, 3), method.begin());
            let (mut scratch, mut cost) = (Scratch::default(), Cost::ZERO);
            let Scratch { workspace, double, gradient, params: rounded, .. } = &mut scratch;
            let single = Single { workspace, params: rounded, gradient };
            let objective = OnRows { network: &network, rows, memory: double, single, cost: &mut cost };
            let mut objective = Watched(objective, Vec::new());
            let first = network.loss(&params, rows, &mut Workspace::new());
            let mut losses = Vec::new();
            for _ in 0..4000 {
                let progress = method.step(&mut memory, &mut params, &mut objective);
                losses.push((objective.1[objective.1.len() - 1], progress.loss));
                if progress.stuck {
                    break;
                }
            }
            let asked = objective.1;
            let change = asked.iter().position(|precision| *precision == Precision::Double).unwrap();
            assert!(change > 100, "{name}: {change} gradients of the kernels");
            assert!(asked[change..].iter().all(|precision| *precision == Precision::Double), "{name} stays there");
            assert_eq!(cost, Prices::of(&network, rows.count()).gradient.times(asked.len() as u64), "{name}");
            assert!(losses[0].1 <= first, "{name}");
            // What single precision rounds off may come back when it is left.
            let up = losses.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[1].1 > pair[0].1);
            assert_eq!(up, None, "{name} never goes up");
            let first_double = losses.iter().find(|(precision, _)| *precision == Precision::Double).unwrap().1;
            assert!(losses[losses.len() - 1].1 < 0.99 * first_double, "{name} goes on where single precision ends");
        }
    }

    #[test]
    fn fresh_states_forget() {
        for name in all() {
            let optimizer = written(&format!("{name}()")).optimizer;
            let mut state = OptimizerState::default();
            state.reset(&*optimizer, 2);
            let fresh = state.clone();
            let Steps::ByObjective(method) = optimizer.steps() else { unreachable!() };
            method.step(&mut state.memory, &mut [-1.2, 1.0], &mut Function::Rosenbrock);
            assert_ne!(state, fresh, "{name}");
            state.reset(&*optimizer, 2);
            assert_eq!(state, fresh, "{name}");
        }
    }
}
