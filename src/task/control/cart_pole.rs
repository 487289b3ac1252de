//! Balancing a pole on a cart.

use super::{About, Dynamics, Ending, Step};
use crate::math::trigonometry::sin_cos;
use crate::rng::Rng;

/// Cart-pole balancing, as Gymnasium's CartPole-v1: a cart of 1 kg, a pole of 0.1 kg and 1 m, no friction.
///
/// Actions: two outputs; the larger one pushes with 10 N, the first to the left, the second to the right, a tie to the
/// left. Time step 0.02 s, explicit Euler. Start: all four variables uniform on ±0.05. Reward: 1 a step. Fails at
/// |x| > 2.4 m or |θ| > 12°; 500 steps.
///
/// Barto, Sutton & Anderson 1983, with the equations of Florian 2007.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CartPole;

const GRAVITY: f64 = 9.8;
const POLE: f64 = 0.1;
const MASS: f64 = 1.0 + POLE;
/// Half the pole.
const LENGTH: f64 = 0.5;
const FORCE: f64 = 10.0;
const TIME_STEP: f64 = 0.02;
const LIMIT: f64 = 2.4;
const ANGLE_LIMIT: f64 = 12.0 * std::f64::consts::PI / 180.0;

impl Dynamics for CartPole {
    type State = [f64; 4];
    type Observation = [f32; 4];
    type Action = [f32; 2];

    fn about(&self) -> About {
        About {
            state: &["x (m)", "ẋ (m/s)", "θ (rad)", "θ̇ (rad/s)"],
            observations: &["x", "ẋ", "θ", "θ̇"],
            actions: &["left", "right"],
            max_steps: 500,
            time_step: TIME_STEP,
            early: Ending::Failed,
        }
    }

    fn start(&self, rng: &mut Rng) -> [f64; 4] {
        std::array::from_fn(|_| rng.uniform64().mul_add(0.1, -0.05))
    }

    #[inline(always)]
    fn observe(&self, state: [f64; 4]) -> [f32; 4] {
        state.map(|value| value as f32)
    }

    #[inline(always)]
    fn step(&self, [x, v, theta, w]: [f64; 4], [left, right]: [f32; 2]) -> Step<[f64; 4]> {
        let force = if right > left { FORCE } else { -FORCE };
        let (sin, cos) = sin_cos(theta);
        let push = (POLE * LENGTH * (w * w)).mul_add(sin, force) / MASS;
        let around = GRAVITY.mul_add(sin, -cos * push) / (LENGTH * (-POLE / MASS * cos).mul_add(cos, 4.0 / 3.0));
        let along = (-POLE * LENGTH / MASS * around).mul_add(cos, push);
        let state = [
            TIME_STEP.mul_add(v, x),
            TIME_STEP.mul_add(along, v),
            TIME_STEP.mul_add(w, theta),
            TIME_STEP.mul_add(around, w),
        ];
        let inside = (state[0].abs() <= LIMIT) & (state[2].abs() <= ANGLE_LIMIT);
        Step { state, reward: 1.0, ended: !inside }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::control::oracle::{check, one_hot};
    use crate::task::control::tests::range;

    #[test]
    fn steps_are_those_of_gymnasium() {
        let table = include_str!("../../../tests/oracle/gymnasium/cart_pole.csv");
        check(&CartPole, table, |state| state.to_vec(), one_hot::<2>);
    }

    #[test]
    fn starts_are_uniform() {
        (0..4).for_each(|variable| range(&CartPole, variable, -0.05, 0.05));
    }
}
