//! Swinging up a pendulum with a weak motor.

use super::{About, Dynamics, Ending, Step, clip};
use crate::math::trigonometry::sin_cos;
use crate::rng::Rng;
use std::f64::consts::PI;

/// Pendulum swing-up, as Gymnasium's Pendulum-v1: a rod of 1 kg and 1 m, θ = 0 upright, gravity 10 m/s².
///
/// Action: one output, the torque in N m, clipped to ±2 (so a linear output suits it better than one that ends at ±1).
/// Time step 0.05 s; the angle advances with the new speed, which is kept within ±8 rad/s. Start: θ uniform on ±π, θ̇ on
/// ±1. Reward of a step, on its old state: −(θ² + 0.1 θ̇² + 0.001 torque²), with θ taken into ±π. Never ends early; 200
/// steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pendulum;

const GRAVITY: f64 = 10.0;
const TORQUE: f64 = 2.0;
const SPEED: f64 = 8.0;
const TIME_STEP: f64 = 0.05;

impl Dynamics for Pendulum {
    type State = [f64; 2];
    type Observation = [f32; 3];
    type Action = [f32; 1];

    fn about(&self) -> About {
        About {
            state: &["θ (rad)", "θ̇ (rad/s)"],
            observations: &["cos θ", "sin θ", "θ̇"],
            actions: &["torque"],
            max_steps: 200,
            time_step: TIME_STEP,
            early: Ending::Failed,
        }
    }

    fn start(&self, rng: &mut Rng) -> [f64; 2] {
        [rng.uniform64().mul_add(2.0 * PI, -PI), rng.uniform64().mul_add(2.0, -1.0)]
    }

    #[inline(always)]
    fn observe(&self, [theta, w]: [f64; 2]) -> [f32; 3] {
        let (sin, cos) = sin_cos(theta);
        [cos as f32, sin as f32, w as f32]
    }

    #[inline(always)]
    fn step(&self, [theta, w]: [f64; 2], [output]: [f32; 1]) -> Step<[f64; 2]> {
        let torque = clip(f64::from(output), -TORQUE, TORQUE);
        let turns = ((theta + PI) * (0.5 / PI)).floor();
        let angle = turns.mul_add(-2.0 * PI, theta);
        let cost = angle.mul_add(angle, (0.1 * w).mul_add(w, 0.001 * torque * torque));
        let pull = (1.5 * GRAVITY).mul_add(sin_cos(theta).0, 3.0 * torque);
        let w = clip(pull.mul_add(TIME_STEP, w), -SPEED, SPEED);
        Step { state: [w.mul_add(TIME_STEP, theta), w], reward: -cost, ended: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::control::oracle::{as_is, check};
    use crate::task::control::tests::range;

    #[test]
    fn steps_are_those_of_gymnasium() {
        let table = include_str!("../../../tests/oracle/gymnasium/pendulum.csv");
        check(&Pendulum, table, |state| state.to_vec(), as_is);
    }

    #[test]
    fn starts_are_uniform() {
        range(&Pendulum, 0, -PI, PI);
        range(&Pendulum, 1, -1.0, 1.0);
    }
}
