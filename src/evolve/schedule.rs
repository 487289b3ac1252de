//! Step-size schedules: how the mutation's steps change from generation to generation.

use crate::values::{Count, NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// A factor on mutation steps for each generation; resets and sign flips have no steps and do not heed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum StepSchedule {
    /// Always 1.
    #[default]
    Constant,
    /// From 1 for the first children in a straight line to `end` for the last.
    Linear {
        /// Factor for the last children, 0 or above.
        end: NonNegative,
    },
    /// From 1 for the first children by equal ratios to `end` for the last.
    Exponential {
        /// Factor for the last children, above 0.
        end: Positive,
    },
    /// The 1/5 success rule (Rechenberg 1973): steps shrink while fewer than one child in five beats its first parent, and
    /// grow while more do.
    ///
    /// Needs no number of generations. The factor stays between 10⁻⁴ and 10⁴.
    OneFifth {
        /// By what steps shrink, or grow by its inverse; nearer to 1 is slower; 0.85 unless said otherwise.
        #[serde(default = "default_factor")]
        factor: Probability,
        /// Generations from one change to the next; 10.
        #[serde(default = "default_every")]
        every: Count,
    },
}

fn default_factor() -> Probability {
    Probability::new(0.85).expect("in range")
}
fn default_every() -> Count {
    Count::new(10).expect("in range")
}

/// What the 1/5 rule remembers: plain numbers, so that a checkpoint can hold them. The other schedules need no memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepScale {
    /// The rule's factor now; starts at 1.
    pub scale: f32,
    /// Children since the last change that were better than their first parent.
    pub successes: u64,
    /// Children since the last change.
    pub trials: u64,
    /// Generations since the last change.
    pub generations: u64,
}

impl Default for StepScale {
    fn default() -> StepScale {
        StepScale { scale: 1.0, successes: 0, trials: 0, generations: 0 }
    }
}

impl StepSchedule {
    /// The factor for children born into `generation`: generation 0 is drawn, the first children make generation 1, the
    /// last ones generation `generations` − 1.
    pub fn scale(&self, generation: usize, generations: usize, state: &StepScale) -> f32 {
        let steps = generations.saturating_sub(2).max(1) as f64;
        let over = (generation.saturating_sub(1) as f64 / steps).min(1.0);
        match self {
            StepSchedule::Constant => 1.0,
            StepSchedule::Linear { end } => (over * end.get() + (1.0 - over)) as f32,
            StepSchedule::Exponential { end } => libm::pow(end.get(), over) as f32,
            StepSchedule::OneFifth { .. } => state.scale,
        }
    }

    /// Takes in what a generation has shown, once for each: of `children`, how many were better than their first parent.
    pub fn update(&self, state: &mut StepScale, successes: usize, children: usize) {
        let StepSchedule::OneFifth { factor, every } = self else { return };
        state.successes += successes as u64;
        state.trials += children as u64;
        state.generations += 1;
        if state.generations < every.get() as u64 {
            return;
        }
        let scale = match (5 * state.successes).cmp(&state.trials) {
            std::cmp::Ordering::Less => f64::from(state.scale) * factor.get(),
            std::cmp::Ordering::Equal => f64::from(state.scale),
            std::cmp::Ordering::Greater => f64::from(state.scale) / factor.get(),
        };
        *state = StepScale { scale: scale.clamp(1e-4, 1e4) as f32, ..StepScale::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::read;

    /// The factors of a search that breeds so many generations.
    fn scales(text: &str, bred: usize) -> Vec<f32> {
        let schedule: StepSchedule = read(text).unwrap();
        (1..=bred).map(|generation| schedule.scale(generation, bred + 1, &StepScale::default())).collect()
    }

    #[test]
    fn schedules_run_from_1_to_their_end() {
        assert_eq!(scales("Constant", 3), [1.0; 3]);
        assert_eq!(scales("Linear(end: 0)", 5), [1.0, 0.75, 0.5, 0.25, 0.0]);
        assert_eq!(scales("Linear(end: 2)", 3), [1.0, 1.5, 2.0]);
        assert_eq!(scales("Exponential(end: 0.01)", 3), [1.0, 0.1, 0.01]);
        for text in ["Linear(end: 0.5)", "Exponential(end: 0.5)"] {
            assert_eq!(scales(text, 1), [1.0], "a single generation is the first");
            let schedule: StepSchedule = read(text).unwrap();
            assert_eq!(schedule.scale(99, 10, &StepScale::default()), 0.5, "what comes after the last stays there");
        }
        assert!(read::<StepSchedule>("Exponential(end: 0)").is_err());
        assert!(read::<StepSchedule>("Linear(ende: 1)").is_err());
    }

    #[test]
    fn one_in_five_keeps_the_step() {
        let schedule: StepSchedule = read("OneFifth()").unwrap();
        for (successes, expected) in [(0, 0.85), (19, 0.85), (20, 1.0), (21, 1.0 / 0.85), (100, 1.0 / 0.85)] {
            let mut state = StepScale::default();
            for generation in 1..=10 {
                assert_eq!(schedule.scale(generation, 100, &state), 1.0, "only every tenth generation");
                schedule.update(&mut state, successes, 100);
            }
            assert_eq!(state, StepScale { scale: expected as f32, ..StepScale::default() });
        }
    }

    #[test]
    fn the_rule_finds_a_step_at_which_one_in_five_succeeds() {
        // A world where smaller steps succeed more often: half at scale 0, one in five at 0.3.
        let schedule: StepSchedule = read("OneFifth(every: 2)").unwrap();
        let mut state = StepScale::default();
        for _ in 0..200 {
            let share = (0.5 - state.scale).max(0.0);
            schedule.update(&mut state, (share * 1000.0) as usize, 1000);
        }
        assert!((0.25..0.36).contains(&state.scale), "{}", state.scale);
    }

    #[test]
    fn the_factor_stays_between_its_walls() {
        for (factor, successes) in [(0.0, 0), (0.0, 9), (0.5, 0), (0.5, 9)] {
            let schedule: StepSchedule = read(&format!("OneFifth(factor: {factor}, every: 1)")).unwrap();
            let mut state = StepScale::default();
            (0..100).for_each(|_| schedule.update(&mut state, successes, 10));
            assert_eq!(state.scale, if successes == 0 { 1e-4 } else { 1e4 });
        }
    }

    #[test]
    fn memory_survives_a_checkpoint() {
        let schedule: StepSchedule = read("OneFifth(every: 3)").unwrap();
        let mut state = StepScale::default();
        (0..7).for_each(|_| schedule.update(&mut state, 3, 10));
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<StepScale>(&text).unwrap(), state);
        assert_eq!((state.successes, state.trials, state.generations), (3, 10, 1));
    }
}
