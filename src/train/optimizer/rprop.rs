//! Rprop.

use super::{Optimize, OptimizerState};
use crate::math::kernel::{Loop, vectorized};
use crate::values::{Positive, Probability};
use serde::{Deserialize, Serialize};

/// iRprop−: each parameter has a step size of its own, which grows while the sign of its gradient stays and shrinks when
/// it turns; after a turn the parameter waits for one step (Igel & Hüsken 2003, section 2.4, without weight-backtracking).
///
/// Only the gradient's signs count, so it needs the gradient of all rows. It has no learning rate: schedules are not
/// heeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rprop {
    /// Growth η⁺ of a step size; 1.2 unless said otherwise.
    #[serde(default = "default_increase")]
    pub increase: Positive,
    /// Shrinkage η⁻ of a step size, 0 to 1; 0.5.
    #[serde(default = "default_decrease")]
    pub decrease: Probability,
    /// First step size Δ₀; 0.1.
    #[serde(default = "default_initial_step")]
    pub initial_step: Positive,
    /// Smallest step size Δmin that shrinking leads to; 1e-6.
    #[serde(default = "default_smallest_step")]
    pub smallest_step: Positive,
    /// Largest step size Δmax that growth leads to; 50.
    #[serde(default = "default_largest_step")]
    pub largest_step: Positive,
}

fn default_increase() -> Positive {
    Positive::new(1.2).expect("in range")
}
fn default_decrease() -> Probability {
    Probability::new(0.5).expect("in range")
}
fn default_initial_step() -> Positive {
    Positive::new(0.1).expect("in range")
}
fn default_smallest_step() -> Positive {
    Positive::new(1e-6).expect("in range")
}
fn default_largest_step() -> Positive {
    Positive::new(50.0).expect("in range")
}

impl Optimize for Rprop {
    fn slots(&self) -> &[f32] {
        &[0.0, 0.0]
    }

    fn learning_rate(&self) -> f32 {
        1.0
    }

    fn step(&self, state: &mut OptimizerState, params: &mut [f32], gradient: &[f32], _: f32) {
        let [previous, size] = &mut state.slots[..] else { unreachable!("Rprop has two slots") };
        if state.step == 1 {
            // The first value is a setting, which `slots` cannot hand out.
            size.fill(self.initial_step.f32());
        }
        vectorized(Step {
            params,
            gradient,
            previous,
            size,
            increase: self.increase.f32(),
            decrease: self.decrease.f32(),
            smallest: self.smallest_step.f32(),
            largest: self.largest_step.f32(),
        });
    }

    fn full_batch_only(&self) -> bool {
        true
    }
}

struct Step<'a> {
    params: &'a mut [f32],
    gradient: &'a [f32],
    previous: &'a mut [f32],
    size: &'a mut [f32],
    increase: f32,
    decrease: f32,
    smallest: f32,
    largest: f32,
}

impl Loop for Step<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let memory = self.previous.iter_mut().zip(self.size.iter_mut());
        for ((param, g), (previous, size)) in self.params.iter_mut().zip(self.gradient).zip(memory) {
            // A product of signs, since that of two small gradients could vanish.
            let now = sign(*g);
            let turn = now * *previous;
            *size = if turn > 0.0 { (*size * self.increase).min(self.largest) } else { *size };
            *size = if turn < 0.0 { (*size * self.decrease).max(self.smallest) } else { *size };
            let now = if turn < 0.0 { 0.0 } else { now };
            *param -= now * *size;
            *previous = now;
        }
    }
}

/// −1, 0 or 1; 0 for a NaN.
#[inline(always)]
fn sign(x: f32) -> f32 {
    f32::from(u8::from(x > 0.0)) - f32::from(u8::from(x < 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rprop() -> Rprop {
        ron::from_str("(increase: 1.2)").unwrap()
    }

    #[test]
    fn step_sizes_grow_shrink_and_wait_within_their_limits() {
        let rprop = rprop();
        let mut state = OptimizerState::default();
        state.reset(&rprop, 1);
        let mut params = [0.0];
        let mut moves = |gradient: f32, times: usize| {
            let mut last = 0.0;
            for _ in 0..times {
                state.step += 1;
                let before = params[0];
                rprop.step(&mut state, &mut params, &[gradient], 7.0);
                last = params[0] - before;
            }
            (last, state.slots[1][0])
        };
        let near = |a: (f32, f32), b: (f32, f32)| (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6;
        assert!(near(moves(3.0, 1), (-0.1, 0.1)), "no learning rate");
        assert!(near(moves(1e-30, 1), (-0.12, 0.12)), "only the sign counts");
        assert!(near(moves(-1.0, 1), (0.0, 0.06)), "a turn waits");
        assert!(near(moves(-1.0, 1), (0.06, 0.06)), "and then goes on with the smaller step");
        assert!(near(moves(0.0, 1), (0.0, 0.06)), "no gradient, no step");
        assert!(near(moves(-1.0, 1), (0.06, 0.06)), "and no memory of a sign");
        assert_eq!(moves(-1.0, 60).1, 50.0);
        // A turn, then a step, again and again.
        (0..30).for_each(|_| {
            moves(1.0, 2);
            moves(-1.0, 2);
        });
        assert_eq!(moves(1.0, 1).1, 1e-6);
    }

    #[test]
    fn it_needs_all_rows() {
        assert!(Optimize::full_batch_only(&rprop()));
        assert_eq!(rprop().learning_rate(), 1.0);
    }
}
