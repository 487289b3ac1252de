//! Learning-rate schedules: how the step size changes during training.

use crate::values::{Count, NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// By how much the learning rate is multiplied at each optimizer step. [`Rprop`](super::optimizer::Rprop) has no
/// learning rate and heeds none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// 1 at every step.
    #[default]
    Constant,
    /// Multiplied by `factor` after every `every` steps.
    Step {
        /// Steps between two changes.
        every: Count,
        /// What each change multiplies by.
        factor: Positive,
    },
    /// Multiplied by `decay` after every step.
    Exponential {
        /// What each step multiplies by, 0 to 1.
        decay: Probability,
    },
    /// From 1 down to `end` along half a cosine in `steps` steps, then `end` (Loshchilov & Hutter 2017, eq. 5, without
    /// restarts).
    Cosine {
        /// Steps until the end is reached.
        steps: Count,
        /// Share of the learning rate that stays.
        end: NonNegative,
    },
    /// From 1 / `steps` up to 1 in even steps, then 1.
    Warmup {
        /// The first step with the whole learning rate.
        steps: Count,
    },
}

impl Schedule {
    /// The multiplier at optimizer step `step`, counted from 1.
    pub fn factor(&self, step: u64) -> f32 {
        let done = step.saturating_sub(1);
        let factor = match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => libm::pow(factor.get(), (done / every.get() as u64) as f64),
            Schedule::Exponential { decay } => libm::pow(decay.get(), done as f64),
            Schedule::Cosine { steps, end } => {
                let share = (done as f64 / steps.get() as f64).min(1.0);
                let end = end.get();
                end + (1.0 - end) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * share))
            }
            Schedule::Warmup { steps } => (step as f64 / steps.get() as f64).min(1.0),
        };
        factor as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(u64, f32)]) {
        let schedule: Schedule = ron::from_str(text).unwrap();
        for (step, factor) in expected {
            let found = schedule.factor(*step);
            assert!((found - factor).abs() <= 1e-6 * factor, "{text} at {step}: {found}, not {factor}");
        }
        assert_eq!(ron::from_str::<Schedule>(&ron::to_string(&schedule).unwrap()).unwrap(), schedule);
    }

    #[test]
    fn factors_are_those_of_the_formulas() {
        assert_eq!(Schedule::default(), Schedule::Constant);
        check("Constant", &[(1, 1.0), (1_000_000, 1.0)]);
        check("Step(every: 3, factor: 0.5)", &[(1, 1.0), (3, 1.0), (4, 0.5), (6, 0.5), (7, 0.25)]);
        check("Exponential(decay: 0.9)", &[(1, 1.0), (2, 0.9), (4, 0.729), (u64::MAX, 0.0)]);
        check("Exponential(decay: 0)", &[(1, 1.0), (2, 0.0)]);
        check("Cosine(steps: 8, end: 0.2)", &[(1, 1.0), (3, 0.882_842_7), (5, 0.6), (9, 0.2), (10_000, 0.2)]);
        check("Warmup(steps: 4)", &[(1, 0.25), (3, 0.75), (4, 1.0), (5, 1.0)]);
    }

    #[test]
    fn wrong_settings_are_refused() {
        for wrong in ["Step(every: 0, factor: 0.5)", "Exponential(decay: 1.5)", "Warmup(steps: 4, end: 1)", "Linear"] {
            assert!(ron::from_str::<Schedule>(wrong).is_err(), "{wrong}");
        }
    }
}
