//! A car too weak for its hill, pushed by degrees.

use super::mountain_car::{rest, roll};
use super::{About, Dynamics, Ending, Step, clip};
use crate::rng::Rng;

/// Mountain car with a continuous push, as Gymnasium's MountainCarContinuous-v0: the same valley, a goal at 0.45.
///
/// Action: one output, clipped to \[−1, 1\], times 0.0015. Reward of a step: −0.1 · action², and 100 for reaching the goal
/// (position ≥ 0.45 with speed ≥ 0). 999 steps. The clipped action is what is charged, so the reward is Gymnasium's for
/// every action that it allows. Its state is rounded to single precision after each step; this one is not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MountainCarContinuous;

const POWER: f64 = 0.0015;
const GOAL: f64 = 0.45;

impl Dynamics for MountainCarContinuous {
    type State = [f64; 2];
    type Observation = [f32; 2];
    type Action = [f32; 1];

    fn about(&self) -> About {
        About {
            state: &["position", "speed"],
            observations: &["position", "speed"],
            actions: &["push"],
            max_steps: 999,
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
    fn step(&self, state: [f64; 2], [output]: [f32; 1]) -> Step<[f64; 2]> {
        let push = clip(f64::from(output), -1.0, 1.0);
        let state = roll(state, POWER * push);
        let short = (state[0] < GOAL) | (state[1] < 0.0);
        let reward = (-0.1 * push).mul_add(push, if short { 0.0 } else { 100.0 });
        Step { state, reward, ended: !short }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::control::oracle::{as_is, check};
    use crate::task::control::tests::range;

    #[test]
    fn steps_are_those_of_gymnasium() {
        let table = include_str!("../../../tests/oracle/gymnasium/mountain_car_continuous.csv");
        check(&MountainCarContinuous, table, |state| state.to_vec(), as_is);
    }

    #[test]
    fn starts_are_uniform() {
        range(&MountainCarContinuous, 0, -0.6, -0.4);
    }

    #[test]
    fn pushes_beyond_the_limit_count_as_the_limit() {
        let step = |push| MountainCarContinuous.step([-0.5, 0.0], [push]);
        assert_eq!(step(7.0), step(1.0));
    }
}
