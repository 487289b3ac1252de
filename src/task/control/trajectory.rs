//! One episode in full, for pictures.

use super::{Controller, Ending, Environment, Episodes};

/// Every state, action and reward of one episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    /// Names of the state variables, and of the actions.
    pub names: (&'static [&'static str], &'static [&'static str]),
    /// States, `[steps + 1 × variables]`, row-major; the first is the start.
    pub states: Vec<f64>,
    /// The network's outputs, `[steps × actions]`, row-major.
    pub actions: Vec<f32>,
    /// What each step earned, `[steps]`.
    pub rewards: Vec<f64>,
    /// How it ended.
    pub ending: Option<Ending>,
}

impl Trajectory {
    /// Lets the first lane of `controller` act from `start` for at most `max_steps` steps.
    ///
    /// # Panics
    /// If `start` is not a state of the environment, or the controller has more than 16 lanes.
    pub fn record<C: Controller + ?Sized>(
        environment: &dyn Environment,
        controller: &mut C,
        start: &[f64],
        max_steps: usize,
    ) -> Trajectory {
        let about = environment.about();
        let mut trajectory = Trajectory { names: (about.state, about.actions), ..Trajectory::default() };
        let mut episodes = Episodes::default();
        episodes.begin(1, about.observations.len(), about.actions.len(), |_| start);
        environment.observe(&mut episodes);
        trajectory.states.extend(start);
        let lanes = episodes.lanes();
        while trajectory.rewards.len() < max_steps && episodes.any_runs() {
            controller.act(&episodes.observations, &mut episodes.actions);
            let before = episodes.total(0);
            environment.step(&mut episodes);
            trajectory.actions.extend(episodes.actions.iter().step_by(lanes));
            trajectory.rewards.push(episodes.total(0) - before);
            trajectory.states.extend((0..start.len()).map(|variable| episodes.state(0, variable)));
        }
        trajectory.ending = Some(if episodes.any_runs() { Ending::TimeUp } else { about.early });
        trajectory
    }

    /// Steps made.
    pub fn steps(&self) -> usize {
        self.rewards.len()
    }
}
