//! Swinging a double pendulum up to a line.

use super::{About, Dynamics, Ending, Step, clip};
use crate::math::trigonometry::{cos, sin_cos};
use crate::rng::Rng;
use std::f64::consts::PI;

/// Acrobot, as Gymnasium's Acrobot-v1: two links of 1 kg and 1 m, centres of mass in their middle, moments of inertia
/// 1 kg m²; both hang down at θ₁ = θ₂ = 0.
///
/// Actions: three outputs; the largest (of equals the first) puts a torque of −1, 0 or 1 N m on the middle joint. Time
/// step 0.2 s, one Runge–Kutta step of order 4; angles are taken into ±π, speeds kept within ±4π and ±9π. Start: all
/// four variables uniform on ±0.1. Reward: −1 a step, 0 for the one that reaches the goal, the free end a metre above
/// the pivot: −cos θ₁ − cos(θ₁ + θ₂) > 1. 500 steps.
///
/// Sutton 1996, with the equations of the book (Sutton & Barto).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acrobot;

const GRAVITY: f64 = 9.8;
const TIME_STEP: f64 = 0.2;
const SPEEDS: [f64; 2] = [4.0 * PI, 9.0 * PI];

/// d/dt of (θ₁, θ₂, θ̇₁, θ̇₂) under a torque.
#[inline(always)]
fn slope([theta1, theta2, w1, w2]: [f64; 4], torque: f64) -> [f64; 4] {
    // Masses, lengths and moments are 1, centres of mass at ½, so ½ and ¼ are all that is left of them.
    let (sin2, cos2) = sin_cos(theta2);
    let sin1 = sin_cos(theta1).0;
    let sin12 = sin_cos(theta1 + theta2).0;
    let d1 = cos2 + 3.5;
    let d2 = 0.5_f64.mul_add(cos2, 1.25);
    let phi2 = 0.5 * GRAVITY * sin12;
    let swing = sin2 * w2 * 0.5_f64.mul_add(w2, w1);
    let phi1 = (1.5 * GRAVITY).mul_add(sin1, phi2) - swing;
    let share = d2 / d1;
    let pull = torque + share.mul_add(phi1, -(0.5 * w1 * w1).mul_add(sin2, phi2));
    let a2 = pull / (-d2).mul_add(share, 1.25);
    let a1 = -d2.mul_add(a2, phi1) / d1;
    [w1, w2, a1, a2]
}

/// a + t b.
#[inline(always)]
fn along(a: [f64; 4], t: f64, b: [f64; 4]) -> [f64; 4] {
    [t.mul_add(b[0], a[0]), t.mul_add(b[1], a[1]), t.mul_add(b[2], a[2]), t.mul_add(b[3], a[3])]
}

/// An angle, whole turns towards 0 until it lies in ±π.
#[inline(always)]
fn wrap(angle: f64) -> f64 {
    let beyond = ((angle.abs() - PI) * (0.5 / PI)).ceil();
    let turns = if beyond > 0.0 { beyond } else { 0.0 };
    turns.copysign(angle).mul_add(-2.0 * PI, angle)
}

impl Dynamics for Acrobot {
    type State = [f64; 4];
    type Observation = [f32; 6];
    type Action = [f32; 3];

    fn about(&self) -> About {
        About {
            state: &["θ₁ (rad)", "θ₂ (rad)", "θ̇₁ (rad/s)", "θ̇₂ (rad/s)"],
            observations: &["cos θ₁", "sin θ₁", "cos θ₂", "sin θ₂", "θ̇₁", "θ̇₂"],
            actions: &["−1 N m", "0 N m", "+1 N m"],
            max_steps: 500,
            time_step: TIME_STEP,
            early: Ending::Reached,
        }
    }

    fn start(&self, rng: &mut Rng) -> [f64; 4] {
        std::array::from_fn(|_| rng.uniform64().mul_add(0.2, -0.1))
    }

    #[inline(always)]
    fn observe(&self, [theta1, theta2, w1, w2]: [f64; 4]) -> [f32; 6] {
        let ((sin1, cos1), (sin2, cos2)) = (sin_cos(theta1), sin_cos(theta2));
        [cos1 as f32, sin1 as f32, cos2 as f32, sin2 as f32, w1 as f32, w2 as f32]
    }

    #[inline(always)]
    fn step(&self, state: [f64; 4], [back, none, forth]: [f32; 3]) -> Step<[f64; 4]> {
        let (larger, torque) = if none > back { (none, 0.0) } else { (back, -1.0) };
        let torque = if forth > larger { 1.0 } else { torque };
        let k1 = slope(state, torque);
        let k2 = slope(along(state, 0.5 * TIME_STEP, k1), torque);
        let k3 = slope(along(state, 0.5 * TIME_STEP, k2), torque);
        let k4 = slope(along(state, TIME_STEP, k3), torque);
        let middle = along(k2, 1.0, k3);
        let sum = along(along(k1, 2.0, middle), 1.0, k4);
        let [theta1, theta2, w1, w2] = along(state, TIME_STEP / 6.0, sum);
        let (theta1, theta2) = (wrap(theta1), wrap(theta2));
        let (w1, w2) = (clip(w1, -SPEEDS[0], SPEEDS[0]), clip(w2, -SPEEDS[1], SPEEDS[1]));
        let height = -cos(theta1) - cos(theta1 + theta2);
        let below = height <= 1.0;
        Step { state: [theta1, theta2, w1, w2], reward: if below { -1.0 } else { 0.0 }, ended: !below }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::control::oracle::{check, one_hot};
    use crate::task::control::tests::range;

    #[test]
    fn steps_are_those_of_gymnasium() {
        let table = include_str!("../../../tests/oracle/gymnasium/acrobot.csv");
        check(&Acrobot, table, |state| state.to_vec(), one_hot::<3>);
    }

    #[test]
    fn starts_are_uniform() {
        (0..4).for_each(|variable| range(&Acrobot, variable, -0.1, 0.1));
    }
}
