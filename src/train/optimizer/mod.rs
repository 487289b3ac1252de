//! Ways to change the parameters: gradient descent and its relatives, which follow a gradient, methods that ask the
//! objective themselves, and the perceptron rule, which corrects mistakes row by row.

mod adam;
mod adam_w;
mod damped;
mod lbfgs;
mod levenberg_marquardt;
mod minimize;
mod momentum;
mod nesterov;
mod newton;
mod perceptron;
mod rms_prop;
mod rprop;
mod scaled_conjugate_gradient;
mod sgd;

pub use adam::Adam;
pub use adam_w::AdamW;
pub use damped::Damped;
pub use lbfgs::{Lbfgs, Search};
pub use levenberg_marquardt::LevenbergMarquardt;
pub use minimize::{Memory, Minimize, Progress};
pub use momentum::Momentum;
pub use nesterov::Nesterov;
pub use newton::Newton;
pub use perceptron::{Perceptron, Separation};
pub use rms_prop::RmsProp;
pub use rprop::Rprop;
pub use scaled_conjugate_gradient::{Conjugate, ScaledConjugateGradient};
pub use sgd::Sgd;

use serde::{Deserialize, Serialize};

/// What an optimizer remembers between steps: plain numbers, so that it can be copied, put back and saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizerState {
    /// Steps taken since the start.
    pub step: u64,
    /// Moments, previous gradients, step sizes: as many slices of the parameters' length as the method needs.
    pub slots: Vec<Vec<f32>>,
    /// What a method remembers that asks the objective.
    pub memory: Memory,
}

impl OptimizerState {
    /// Makes it the fresh state of `optimizer`. For methods that follow gradients it allocates only at first use.
    pub fn reset(&mut self, optimizer: &dyn Train, parameters: usize) {
        self.step = 0;
        let (first, memory) = match optimizer.steps() {
            Steps::ByGradient(optimizer) => (optimizer.slots(), Memory::Nothing),
            Steps::ByObjective(method) => (&[][..], method.begin()),
            Steps::ByCorrection(_) => (&[][..], Memory::Nothing),
        };
        self.memory = memory;
        self.slots.resize_with(first.len(), Vec::new);
        for (slot, value) in self.slots.iter_mut().zip(first) {
            slot.clear();
            slot.resize(parameters, *value);
        }
    }

    /// Whether it could be a state of `optimizer`, for as many parameters.
    pub fn fits(&self, optimizer: &dyn Train, parameters: usize) -> bool {
        let (slots, begin) = match optimizer.steps() {
            Steps::ByGradient(optimizer) => (optimizer.slots().len(), Memory::Nothing),
            Steps::ByObjective(method) => (0, method.begin()),
            Steps::ByCorrection(_) => (0, Memory::Nothing),
        };
        self.slots.len() == slots
            && self.slots.iter().all(|slot| slot.len() == parameters)
            && std::mem::discriminant(&self.memory) == std::mem::discriminant(&begin)
            && self.memory.fits(parameters)
    }
}

/// A way to train: what an experiment names as its optimizer.
pub trait Train: Send + Sync {
    /// What its steps are made from.
    fn steps(&self) -> Steps<'_>;

    /// Whether the method needs all rows at each step, so that minibatches would mislead it.
    fn full_batch_only(&self) -> bool {
        match self.steps() {
            Steps::ByGradient(optimizer) => optimizer.full_batch_only(),
            Steps::ByObjective(_) => true,
            Steps::ByCorrection(_) => false,
        }
    }
}

/// What the steps of a method are made from.
#[derive(Clone, Copy)]
pub enum Steps<'a> {
    /// One gradient.
    ByGradient(&'a dyn Optimize),
    /// Whatever it asks of the objective.
    ByObjective(&'a dyn Minimize),
    /// Rows that are told wrong, one after the other.
    ByCorrection(&'a Perceptron),
}

impl<T: Optimize> Train for T {
    fn steps(&self) -> Steps<'_> {
        Steps::ByGradient(self)
    }
}

/// Turns gradients into steps. Settings only; all memory is in the [`OptimizerState`].
pub trait Optimize: Send + Sync {
    /// First value of each slot of memory that the method needs, one entry a slot.
    fn slots(&self) -> &[f32];

    /// The learning rate before any schedule.
    fn learning_rate(&self) -> f32;

    /// One step of `params` against `gradient`. `state.step` has been raised already: it is 1 at the first step.
    fn step(&self, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32], learning_rate: f32);

    /// Whether the method needs the gradient of all rows, so that minibatches would mislead it.
    fn full_batch_only(&self) -> bool {
        false
    }
}

crate::registry! {
    /// How parameters are changed: by following gradients, or by a method that asks for more.
    pub enum Optimizer: dyn Train {
        Sgd(Sgd),
        Momentum(Momentum),
        Nesterov(Nesterov),
        RmsProp(RmsProp),
        Adam(Adam),
        AdamW(AdamW),
        Rprop(Rprop),
        LevenbergMarquardt(LevenbergMarquardt),
        ScaledConjugateGradient(ScaledConjugateGradient),
        Lbfgs(Lbfgs),
        Newton(Newton),
        Perceptron(Perceptron),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    include!("oracle_numbers.rs");

    fn written(text: &str) -> Optimizer {
        ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
            .from_str(text)
            .unwrap_or_else(|cause| panic!("{text}: {cause}"))
    }

    /// One of each, with the settings of a user who writes as little as possible.
    fn every() -> impl Iterator<Item = Optimizer> {
        Optimizer::CATALOGUE.iter().map(|name| written(&format!("{name}()")))
    }

    /// Those that follow gradients.
    fn all() -> impl Iterator<Item = Optimizer> {
        every().filter(|optimizer| matches!(optimizer.steps(), Steps::ByGradient(_)))
    }

    fn first_order(optimizer: &Optimizer) -> &dyn Optimize {
        let Steps::ByGradient(optimizer) = optimizer.steps() else { panic!("{optimizer:?}") };
        optimizer
    }

    fn fresh(optimizer: &Optimizer, parameters: usize) -> OptimizerState {
        let mut state = OptimizerState::default();
        state.reset(&**optimizer, parameters);
        state
    }

    fn step(optimizer: &Optimizer, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32]) {
        state.step += 1;
        let optimizer = first_order(optimizer);
        optimizer.step(state, params, gradient, optimizer.learning_rate());
    }

    /// What the oracle steps on.
    #[derive(Clone, Copy, Debug)]
    enum Function {
        Quadratic,
        Rosenbrock,
    }

    impl Function {
        fn start(self) -> Vec<f32> {
            match self {
                Function::Quadratic => vec![1.0, -2.0, 3.0],
                Function::Rosenbrock => vec![-1.2, 1.0],
            }
        }

        fn gradient(self, params: &[f32]) -> Vec<f32> {
            let x: Vec<f64> = params.iter().map(|x| f64::from(*x)).collect();
            let gradient = match self {
                Function::Quadratic => vec![x[0] - 0.5, 10.0 * (x[1] + 1.0), 0.1 * x[2]],
                Function::Rosenbrock => {
                    let distance = x[1] - x[0] * x[0];
                    vec![-2.0 * (1.0 - x[0]) - 400.0 * x[0] * distance, 200.0 * distance]
                }
            };
            gradient.into_iter().map(|g| g as f32).collect()
        }
    }

    #[test]
    fn steps_are_those_of_pytorch() {
        for (text, function, path) in PATHS {
            let optimizer = written(text);
            let mut params = function.start();
            let mut state = fresh(&optimizer, params.len());
            for (index, expected) in path.iter().enumerate() {
                let gradient = function.gradient(&params);
                step(&optimizer, &mut state, &mut params, &gradient);
                for (ours, theirs) in params.iter().zip(*expected) {
                    let error = (f64::from(*ours) - theirs).abs() / theirs.abs().max(1.0);
                    assert!(error < 1e-6, "{text} {function:?} step {}: {params:?} {expected:?}", index + 1);
                }
            }
        }
        let named = |name: &str| PATHS.iter().any(|(text, ..)| text.starts_with(&format!("{name}(")));
        assert!(all().all(|optimizer| named(optimizer.name())), "every optimizer has an oracle");
    }

    #[test]
    fn no_gradient_from_a_fresh_state_changes_nothing_but_weight_decay() {
        for optimizer in all() {
            let given = [1.0, -2.0, 0.0, 1e-30, 1e30];
            let mut params = given;
            step(&optimizer, &mut fresh(&optimizer, 5), &mut params, &[0.0; 5]);
            if let Optimizer::AdamW(_) = optimizer {
                let decayed = params
                    .iter()
                    .zip(given)
                    .all(|(after, before)| (after - before * 0.99999).abs() <= before.abs() * 1e-6);
                assert!(decayed && params != given, "{params:?}");
            } else {
                assert_eq!(params, given, "{optimizer:?}");
            }
        }
    }

    #[test]
    fn finite_gradients_make_finite_parameters() {
        let mut rng = Streams::new(3).stream(Purpose::Arm, 0, 0);
        let extremes = [1e6, -1e6, 1e-6, 1e-30, -1e-45, 0.0];
        for optimizer in all() {
            let mut params = [0.5; 40];
            let mut state = fresh(&optimizer, 40);
            for _ in 0..200 {
                let gradient: Vec<f32> = (0..40).map(|_| extremes[rng.below(extremes.len())]).collect();
                step(&optimizer, &mut state, &mut params, &gradient);
                assert!(params.iter().all(|x| x.is_finite()), "{optimizer:?}");
                assert!(state.slots.iter().flatten().all(|x| x.is_finite()), "{optimizer:?}");
            }
        }
    }

    #[test]
    fn copied_and_saved_states_go_on_alike_and_reset_ones_start_anew() {
        let mut rng = Streams::new(4).stream(Purpose::Arm, 0, 0);
        // More than one vector, and no whole number of them.
        let gradients: Vec<Vec<f32>> = (0..12).map(|_| (0..37).map(|_| rng.between(-1.0, 1.0)).collect()).collect();
        for optimizer in all() {
            let (mut params, mut state) = (vec![0.1; 37], fresh(&optimizer, 37));
            gradients[..6].iter().for_each(|g| step(&optimizer, &mut state, &mut params, g));
            let (mut copy, saved) = ((params.clone(), state.clone()), serde_json::to_string(&state).unwrap());
            let mut loaded = (params.clone(), serde_json::from_str::<OptimizerState>(&saved).unwrap());
            for (params, state) in [&mut copy, &mut loaded] {
                gradients[6..].iter().for_each(|g| step(&optimizer, state, params, g));
            }
            gradients[6..].iter().for_each(|g| step(&optimizer, &mut state, &mut params, g));
            assert_eq!((&params, &state), (&copy.0, &copy.1), "{optimizer:?}");
            assert_eq!((&params, &state), (&loaded.0, &loaded.1), "{optimizer:?}");

            let (mut once, mut again) = (vec![0.1; 37], vec![0.1; 37]);
            step(&optimizer, &mut fresh(&optimizer, 37), &mut once, &gradients[0]);
            state.reset(&*optimizer, 37);
            step(&optimizer, &mut state, &mut again, &gradients[0]);
            assert_eq!(once, again, "{optimizer:?} forgets at reset");
            assert_ne!(once, [0.1; 37], "{optimizer:?} steps");
        }
    }

    #[test]
    fn parameters_do_not_look_at_each_other() {
        let gradient: Vec<f32> = (0..37).map(|i| (i as f32 - 18.0) * 0.1).collect();
        for optimizer in all() {
            let mut together = vec![0.3; 37];
            step(&optimizer, &mut fresh(&optimizer, 37), &mut together, &gradient);
            for (param, g) in together.iter().zip(&gradient) {
                let mut alone = [0.3];
                step(&optimizer, &mut fresh(&optimizer, 1), &mut alone, &[*g]);
                assert_eq!(alone[0].to_bits(), param.to_bits(), "{optimizer:?}");
            }
        }
    }

    #[test]
    fn settings_survive_writing_and_unknown_ones_are_refused() {
        for optimizer in every() {
            let text = ron::to_string(&optimizer).unwrap();
            assert_eq!(ron::from_str::<Optimizer>(&text).unwrap(), optimizer, "{text}");
            assert!(ron::from_str::<Optimizer>(&format!("{}((speed: 1))", optimizer.name())).is_err());
        }
    }
}
