//! A car too weak for its hill.

use super::{About, Dynamics, Ending, Step, clip};
use crate::math::trigonometry::cos;
use crate::rng::Rng;

/// Mountain car, as Gymnasium's MountainCar-v0: a valley from −1.2 to 0.6 whose bottom lies near −0.5.
///
/// Actions: three outputs; the largest (of equals the first) pushes left, not at all, or right with 0.001. Speed is kept
/// within ±0.07, and a car that runs into the left end stops. Start: position uniform on \[−0.6, −0.4), at rest. Reward:
/// −1 a step. Reaches the goal at position ≥ 0.5 with speed ≥ 0; 200 steps. Units are those of the task, per step.
///
/// Moore 1990.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MountainCar;

const FORCE: f64 = 0.001;
const GOAL: f64 = 0.5;

/// Where the hill and the ends of the valley take a car that is pushed: the new position and speed.
#[inline(always)]
pub(super) fn roll([position, speed]: [f64; 2], push: f64) -> [f64; 2] {
    let (left, right, fastest, gravity) = (-1.2, 0.6, 0.07, 0.0025);
    let speed = clip(cos(3.0 * position).mul_add(-gravity, speed + push), -fastest, fastest);
    let position = clip(position + speed, left, right);
    let stopped = (position <= left) & (speed < 0.0);
    [position, if stopped { 0.0 } else { speed }]
}

/// Somewhere near the bottom, at rest.
pub(super) fn rest(rng: &mut Rng) -> [f64; 2] {
    [rng.uniform64().mul_add(0.2, -0.6), 0.0]
}

impl Dynamics for MountainCar {
    type State = [f64; 2];
    type Observation = [f32; 2];
    type Action = [f32; 3];

    fn about(&self) -> About {
        About {
            state: &["position", "speed"],
            observations: &["position", "speed"],
            actions: &["left", "none", "right"],
            max_steps: 200,
            time_step: 1.0,
            early: Ending::Reached,
        }
    }

    fn start(&self, rng: &mut Rng) -> [f64; 2] {
        rest(rng)
    }

    #[inline(always)]
    fn observe(&self, [position, speed]: [f64; 2]) -> [f32; 2] {
        [position as f32, speed as f32]
    }

    #[inline(always)]
    fn step(&self, state: [f64; 2], [left, none, right]: [f32; 3]) -> Step<[f64; 2]> {
        let (larger, push) = if none > left { (none, 0.0) } else { (left, -FORCE) };
        let push = if right > larger { FORCE } else { push };
        let state = roll(state, push);
        let short = (state[0] < GOAL) | (state[1] < 0.0);
        Step { state, reward: -1.0, ended: !short }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::control::oracle::{check, one_hot};
    use crate::task::control::tests::range;

    #[test]
    fn steps_are_those_of_gymnasium() {
        let table = include_str!("../../../tests/oracle/gymnasium/mountain_car.csv");
        check(&MountainCar, table, |state| state.to_vec(), one_hot::<3>);
    }

    #[test]
    fn starts_are_uniform_and_at_rest() {
        range(&MountainCar, 0, -0.6, -0.4);
        assert_eq!(rest(&mut crate::rng::Streams::new(1).stream(crate::rng::Purpose::Episode, 0, 0))[1], 0.0);
    }
}
