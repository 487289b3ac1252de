//! Swinging a hanging pole up and balancing it.

use super::{About, Dynamics, Ending, Step, clip};
use crate::math::trigonometry::{sin_cos, sin_near_zero};
use crate::rng::Rng;
use std::f64::consts::PI;

/// Cart-pole swing-up: a cart of 0.5 kg on 4.8 m of rail, with friction 0.1, and a pole of 0.5 kg and 0.6 m that hangs
/// down at the start (θ = 0 is upright).
///
/// Action: one output, clipped to \[−1, 1\], times 10 N. Time step 0.01 s, explicit Euler; positions advance with the old
/// velocities. Start: normal around (0, 0, π, 0), standard deviation 0.2 each. Reward of a step, on its new state:
/// (cos θ + 1)/2 · cos(πx/4.8), so at most 1. Fails at |x| > 2.4; 1000 steps.
///
/// Gaier & Ha 2019, after Deisenroth & Rasmussen 2011 with Zuo's and Ha's harder constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CartPoleSwingUp;

const GRAVITY: f64 = 9.82;
const CART: f64 = 0.5;
const POLE: f64 = 0.5;
const MASS: f64 = CART + POLE;
const LENGTH: f64 = 0.6;
const FRICTION: f64 = 0.1;
const FORCE: f64 = 10.0;
const TIME_STEP: f64 = 0.01;
const LIMIT: f64 = 2.4;

impl CartPoleSwingUp {
    /// The state of a cart at `x` (m) with speed `v` (m/s) and a pole at `theta` (rad) with angular speed `w` (rad/s).
    #[inline(always)]
    pub fn state(x: f64, v: f64, theta: f64, w: f64) -> [f64; 6] {
        let (sin, cos) = sin_cos(theta);
        [x, v, theta, w, cos, sin]
    }
}

impl Dynamics for CartPoleSwingUp {
    // Cosine and sine are kept with the angle: the observation, the reward and the next step all want them.
    type State = [f64; 6];
    type Observation = [f32; 5];
    type Action = [f32; 1];

    fn about(&self) -> About {
        About {
            state: &["x (m)", "ẋ (m/s)", "θ (rad)", "θ̇ (rad/s)", "cos θ", "sin θ"],
            observations: &["x", "ẋ", "cos θ", "sin θ", "θ̇"],
            actions: &["force"],
            max_steps: 1000,
            time_step: TIME_STEP,
            early: Ending::Failed,
        }
    }

    fn start(&self, rng: &mut Rng) -> [f64; 6] {
        let (position, angle) = (rng.normal_pair(), rng.normal_pair());
        let spread = 0.2;
        CartPoleSwingUp::state(spread * position.0, spread * position.1, spread.mul_add(angle.0, PI), spread * angle.1)
    }

    #[inline(always)]
    fn observe(&self, [x, v, _, w, cos, sin]: [f64; 6]) -> [f32; 5] {
        [x as f32, v as f32, cos as f32, sin as f32, w as f32]
    }

    #[inline(always)]
    fn step(&self, [x, v, theta, w, cos, sin]: [f64; 6], [output]: [f32; 1]) -> Step<[f64; 6]> {
        // Force and friction, and what gravity and the pole's swing contribute, are common to both accelerations. With
        // the pole's moment M = MASS, m = POLE, l = LENGTH, both denominators are 4M − 3m cos²θ, times l for the pole.
        let push = FORCE.mul_add(clip(f64::from(output), -1.0, 1.0), -FRICTION * v);
        let swing = (POLE * LENGTH) * (w * w) * sin;
        let scale = TIME_STEP / (-3.0 * POLE).mul_add(cos * cos, 4.0 * MASS);
        let along = (3.0 * POLE * GRAVITY * sin).mul_add(cos, 4.0_f64.mul_add(push, -2.0 * swing));
        let around = cos.mul_add(6.0_f64.mul_add(push, -3.0 * swing), 6.0 * MASS * GRAVITY * sin);
        let state = CartPoleSwingUp::state(
            TIME_STEP.mul_add(v, x),
            along.mul_add(scale, v),
            TIME_STEP.mul_add(w, theta),
            around.mul_add(scale * (1.0 / LENGTH), w),
        );
        let [x, .., cos, _] = state;
        // cos(πx/4.8) = 1 − 2 sin²(πx/9.6), whose angle needs no reduction on the rail.
        let half = sin_near_zero(PI / (4.0 * LIMIT) * x);
        let reward = (0.5 * (cos + 1.0)) * (-2.0 * half).mul_add(half, 1.0);
        let inside = x.abs() <= LIMIT;
        Step { state, reward, ended: !inside }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::control::tests::moments;

    /// The equations as METHODS and the paper print them, one episode, with `libm`.
    fn plain([x, v, theta, w]: [f64; 4], output: f64) -> ([f64; 4], f64) {
        let (s, c) = (libm::sin(theta), libm::cos(theta));
        let (g, m_p, l, b, u) = (9.82, 0.5, 0.6, 0.1, 10.0 * output.clamp(-1.0, 1.0));
        let m = 1.0;
        let x2 = (-2.0 * m_p * l * w * w * s + 3.0 * m_p * g * s * c + 4.0 * u - 4.0 * b * v)
            / (4.0 * m - 3.0 * m_p * c * c);
        let w2 = (-3.0 * m_p * l * w * w * s * c + 6.0 * m * g * s + 6.0 * (u - b * v) * c)
            / (4.0 * l * m - 3.0 * m_p * l * c * c);
        let new = [x + 0.01 * v, v + 0.01 * x2, theta + 0.01 * w, w + 0.01 * w2];
        (new, (libm::cos(new[2]) + 1.0) / 2.0 * libm::cos(PI * new[0] / 4.8))
    }

    #[test]
    fn a_whole_episode_follows_the_printed_equations() {
        let mut plain_state = [0.1, -0.2, 3.0, 0.4];
        let [x, v, theta, w] = plain_state;
        let mut state = CartPoleSwingUp::state(x, v, theta, w);
        for step in 0..400 {
            let output = libm::sin(f64::from(step) * 0.37) * 1.3;
            let (expected, reward) = plain(plain_state, f64::from(output as f32));
            let found = CartPoleSwingUp.step(state, [output as f32]);
            for (found, expected) in found.state.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-9, "step {step}: {:?} {expected:?}", found);
            }
            assert!((found.reward - reward).abs() < 1e-9);
            assert_eq!(found.ended, expected[0].abs() > 2.4);
            (plain_state, state) = (expected, found.state);
        }
    }

    #[test]
    fn hanging_still_earns_nothing_and_upright_in_the_middle_earns_one() {
        let still = CartPoleSwingUp.step(CartPoleSwingUp::state(0.0, 0.0, PI, 0.0), [0.0]);
        assert!(still.reward.abs() < 1e-12 && !still.ended);
        let up = CartPoleSwingUp.step(CartPoleSwingUp::state(0.0, 0.0, 0.0, 0.0), [0.0]);
        assert_eq!((up.reward, up.ended), (1.0, false));
        assert!(CartPoleSwingUp.step(CartPoleSwingUp::state(2.399, 1.0, 0.0, 0.0), [0.0]).ended);
        assert!(CartPoleSwingUp.step(CartPoleSwingUp::state(f64::NAN, 1.0, 0.0, 0.0), [0.0]).ended);
    }

    #[test]
    fn starts_are_normal_around_hanging() {
        for (variable, mean) in [(0, 0.0), (1, 0.0), (2, PI), (3, 0.0)] {
            let (found, deviation) = moments(&CartPoleSwingUp, variable);
            assert!((found - mean).abs() < 0.02 && (deviation - 0.2).abs() < 0.015, "{variable}: {found} {deviation}");
        }
    }
}
