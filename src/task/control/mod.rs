//! Control tasks: worlds that a network acts in, many episodes at once.
//!
//! An environment is one file: a [`Dynamics`] writes the physics of *one* episode as plain straight-line arithmetic, and
//! a line in [`Control`] makes it known. [`Episodes`] runs that arithmetic over sixteen lanes at a time; [`Rollout`]
//! lets a [`Controller`] act in as many episodes as it has lanes.

pub mod acrobot;
pub mod cart_pole;
pub mod double_pole;
mod episodes;
pub mod mountain_car;
pub mod mountain_car_continuous;
#[cfg(test)]
mod oracle;
pub mod pendulum;
mod rollout;
pub mod swing_up;
#[cfg(test)]
mod tests;
mod trajectory;

pub use episodes::{Episodes, LANES, Numbers};
pub use rollout::{Controller, Ending, Outcome, Rollout, starts};
pub use trajectory::Trajectory;

use crate::rng::Rng;
use crate::values::Count;
use serde::{Deserialize, Serialize};

crate::registry! {
    /// Which world a network acts in.
    pub enum Control: dyn Environment {
        DoublePole(double_pole::DoublePole),
        CartPoleSwingUp => swing_up::CartPoleSwingUp,
        CartPole => cart_pole::CartPole,
        Pendulum => pendulum::Pendulum,
        Acrobot => acrobot::Acrobot,
        MountainCar => mountain_car::MountainCar,
        MountainCarContinuous => mountain_car_continuous::MountainCarContinuous,
    }
}

/// A control task: acting in an environment for a number of episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlTask {
    /// The world.
    pub environment: Control,
    /// Episodes of each score; their starts are common to a generation. 1 unless said otherwise.
    #[serde(default = "one")]
    pub episodes: Count,
    /// Steps after which an episode ends; the environment's own limit unless said otherwise.
    #[serde(default)]
    pub max_steps: Option<Count>,
}

fn one() -> Count {
    Count::new(1).expect("1 is at least 1")
}

impl ControlTask {
    /// Steps after which an episode ends.
    pub fn steps(&self) -> usize {
        self.max_steps.map_or(self.environment.about().max_steps, Count::get)
    }
}

/// What an environment says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct About {
    /// Names of the state variables, with units where they have one; what follows from others (a sine) is among them.
    pub state: &'static [&'static str],
    /// Names of the observations: a network's inputs, in their order.
    pub observations: &'static [&'static str],
    /// Names of the actions: a network's outputs, in their order.
    pub actions: &'static [&'static str],
    /// Steps after which an episode ends.
    pub max_steps: usize,
    /// Seconds that a step takes; 1 where time has no unit.
    pub time_step: f64,
    /// What it means if an episode ends before that.
    pub early: Ending,
}

/// What a step of one episode gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<S> {
    /// The new state.
    pub state: S,
    /// What the step earns; higher is better. The step that ends an episode earns it too.
    pub reward: f64,
    /// Whether the episode is over.
    pub ended: bool,
}

/// The physics of one episode: what the file of an environment writes.
///
/// The methods are called inside the loop over lanes. Mark them `#[inline(always)]` and write them without branches:
/// `if` only to choose between two numbers, `&` and `|` between conditions, `mul_add`, `sqrt` and
/// [`math::trigonometry`](crate::math::trigonometry) instead of the standard functions. Write conditions such that NaN
/// ends an episode.
///
/// ```
/// use precocial::rng::Rng;
/// use precocial::task::control::{About, Dynamics, Ending, Step};
///
/// /// A point on a line that should stay near 0; its action is its speed.
/// struct Point;
///
/// impl Dynamics for Point {
///     type State = [f64; 1];
///     type Observation = [f32; 1];
///     type Action = [f32; 1];
///     fn about(&self) -> About {
///         let early = Ending::Failed;
///         About { state: &["x"], observations: &["x"], actions: &["speed"], max_steps: 100, time_step: 0.1, early }
///     }
///     fn start(&self, rng: &mut Rng) -> [f64; 1] {
///         [rng.uniform64() - 0.5]
///     }
///     #[inline(always)]
///     fn observe(&self, [x]: [f64; 1]) -> [f32; 1] {
///         [x as f32]
///     }
///     #[inline(always)]
///     fn step(&self, [x]: [f64; 1], [speed]: [f32; 1]) -> Step<[f64; 1]> {
///         let x = f64::from(speed).mul_add(0.1, x);
///         let inside = x.abs() <= 1.0;
///         Step { state: [x], reward: 1.0 - x.abs(), ended: !inside }
///     }
/// }
/// ```
pub trait Dynamics: Send + Sync {
    /// The state, `[f64; variables]`.
    type State: Numbers<f64>;
    /// What a network sees, `[f32; inputs]`.
    type Observation: Numbers<f32>;
    /// What a network does, `[f32; outputs]`: its raw outputs. How they become an action is part of the environment.
    type Action: Numbers<f32>;
    /// Whether [`Dynamics::unrest`] is kept for the last [`RECENT`] steps.
    const UNREST: bool = false;

    /// Names, limits, and what an early end means. May leave out observations at the end of `Observation`.
    fn about(&self) -> About;

    /// Draws the state that an episode begins in.
    fn start(&self, rng: &mut Rng) -> Self::State;

    /// What a network sees of a state.
    fn observe(&self, state: Self::State) -> Self::Observation;

    /// One step.
    fn step(&self, state: Self::State, action: Self::Action) -> Step<Self::State>;

    /// How restless a state is, for scores that ask for calm.
    #[inline(always)]
    fn unrest(&self, state: Self::State) -> f64 {
        let _ = state;
        0.0
    }

    /// What an episode of `steps` steps is worth that earned `total`; `unrest` is the sum over its last [`RECENT`] steps,
    /// those that ended it left out. The total, unless the environment has a score of its own.
    fn score(&self, total: f64, steps: u32, unrest: f64) -> f64 {
        let _ = (steps, unrest);
        total
    }
}

/// Steps that [`Dynamics::unrest`] is summed over.
pub const RECENT: usize = 100;

/// A world for many episodes at once: what [`Rollout`] uses. Every [`Dynamics`] is one.
pub trait Environment: Send + Sync {
    /// Names, limits, and what an early end means.
    fn about(&self) -> About;

    /// Draws the state that an episode begins in, `[variables]`.
    fn start(&self, rng: &mut Rng) -> Vec<f64>;

    /// Writes the observations of all lanes.
    fn observe(&self, episodes: &mut Episodes);

    /// One step of all lanes that still run, and their new observations.
    fn step(&self, episodes: &mut Episodes);

    /// What an episode is worth; see [`Dynamics::score`].
    fn score(&self, total: f64, steps: u32, unrest: f64) -> f64;
}

impl<D: Dynamics> Environment for D {
    fn about(&self) -> About {
        Dynamics::about(self)
    }

    fn start(&self, rng: &mut Rng) -> Vec<f64> {
        Dynamics::start(self, rng).as_slice().to_vec()
    }

    fn observe(&self, episodes: &mut Episodes) {
        episodes.observe(self);
    }

    fn step(&self, episodes: &mut Episodes) {
        episodes.step(self);
    }

    fn score(&self, total: f64, steps: u32, unrest: f64) -> f64 {
        Dynamics::score(self, total, steps, unrest)
    }
}

/// `x`, or the bound that it lies beyond; NaN stays NaN.
#[inline(always)]
pub fn clip(x: f64, low: f64, high: f64) -> f64 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}
