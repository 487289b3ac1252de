//! Rollouts: a controller acts in many episodes until all have ended.

use super::{Environment, Episodes};
use crate::network::{GraphLanes, MlpLanes};
use crate::rng::{Purpose, Streams};
use serde::{Deserialize, Serialize};

/// What acts: one or more networks, a lane each.
pub trait Controller {
    /// From what each lane sees, `[inputs × lanes]`, to what it does, `[outputs × lanes]`; lanes are a multiple of 16.
    fn act(&mut self, observations: &[f32], actions: &mut [f32]);
}

impl Controller for MlpLanes<'_> {
    fn act(&mut self, observations: &[f32], actions: &mut [f32]) {
        self.step(observations, actions);
    }
}

impl Controller for GraphLanes<'_> {
    fn act(&mut self, observations: &[f32], actions: &mut [f32]) {
        self.step(observations, actions);
    }
}

/// How an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It left the limits.
    Failed,
    /// It reached the goal.
    Reached,
    /// Its time was up.
    TimeUp,
}

/// What became of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What it is worth: the sum of the rewards, or the environment's own score. Higher is better.
    pub score: f64,
    /// Steps made, the one that ended it included.
    pub steps: u32,
    /// How it ended.
    pub ending: Ending,
}

/// The states that the episodes 0 to `count − 1` of a scoring begin in, each `[variables]`.
///
/// A pure function of seed, environment, scoring and episode: whoever is scored, the starts are the same.
pub fn starts(environment: &dyn Environment, streams: &Streams, scoring: u64, count: usize) -> Vec<Vec<f64>> {
    (0..count as u64)
        .map(|episode| environment.start(&mut streams.stream(Purpose::Episode, scoring, episode)))
        .collect()
}

/// Memory for rollouts, reused from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    episodes: Episodes,
    outcomes: Vec<Outcome>,
}

impl Rollout {
    /// Lets `controller` act in `count` episodes side by side, at most `max_steps` steps; `start` gives a lane's first
    /// state. Returns what became of each.
    ///
    /// Episodes that have ended wait, frozen, for the others; when all have, the rollout stops.
    ///
    /// # Panics
    /// If there is no episode, or a start is not a state of the environment.
    pub fn run<'a, C: Controller + ?Sized>(
        &mut self,
        environment: &dyn Environment,
        controller: &mut C,
        count: usize,
        max_steps: usize,
        start: impl Fn(usize) -> &'a [f64],
    ) -> &[Outcome] {
        let Rollout { episodes, outcomes } = self;
        let about = environment.about();
        episodes.begin(count, about.observations.len(), about.actions.len(), start);
        environment.observe(episodes);
        for step in 0..max_steps {
            // Asking costs a little, and frozen lanes change nothing.
            if step % 8 == 0 && !episodes.any_runs() {
                break;
            }
            controller.act(&episodes.observations, &mut episodes.actions);
            environment.step(episodes);
        }
        outcomes.clear();
        outcomes.extend((0..count).map(|lane| {
            let steps = episodes.steps(lane);
            Outcome {
                score: environment.score(episodes.total(lane), steps, episodes.unrest(lane)),
                steps,
                ending: if episodes.runs(lane) { Ending::TimeUp } else { about.early },
            }
        }));
        outcomes
    }
}
