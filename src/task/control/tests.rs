//! What holds for every registered environment.

use super::*;
use crate::math::kernel::Isa;
use crate::rng::{Purpose, Streams};

/// Every registered environment, the double pole in both forms.
fn environments() -> Vec<Control> {
    let read = |text: String| {
        let options =
            ron::Options::default().with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES);
        options.from_str::<Control>(&text).or_else(|_| options.from_str(&format!("{text}()"))).unwrap()
    };
    let mut list: Vec<Control> = Control::CATALOGUE.iter().map(|name| read((*name).to_owned())).collect();
    list.push(read("DoublePole(velocities: false)".to_owned()));
    list
}

fn first_states(environment: &dyn Environment, count: usize) -> Vec<Vec<f64>> {
    starts(environment, &Streams::new(5), 2, count)
}

/// Mean and standard deviation of a state variable over many starts.
pub(super) fn moments(environment: &dyn Environment, variable: usize) -> (f64, f64) {
    let values: Vec<f64> = first_states(environment, 2_000).iter().map(|state| state[variable]).collect();
    let mean = values.iter().sum::<f64>() / 2_000.0;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 1_999.0;
    (mean, variance.sqrt())
}

/// Asserts that a state variable's starts are uniform between two numbers.
pub(super) fn range(environment: &dyn Environment, variable: usize, low: f64, high: f64) {
    let states = first_states(environment, 2_000);
    assert!(states.iter().all(|state| (low..high).contains(&state[variable])));
    let (mean, deviation) = moments(environment, variable);
    let width = high - low;
    // Three standard errors of the mean, and as much for the deviation.
    assert!((mean - 0.5 * (low + high)).abs() < 0.02 * width, "{mean}");
    assert!((deviation - width / 12.0_f64.sqrt()).abs() < 0.015 * width, "{deviation}");
}

/// A controller without memory whose lanes differ: each has its own linear law.
struct Laws {
    outputs: usize,
    slopes: Vec<f32>,
}

impl Laws {
    fn of(about: &About, lanes: usize, shift: usize) -> Laws {
        let mut slopes = vec![0.0; about.observations.len() * about.actions.len()];
        Streams::new(8).stream(Purpose::Synthetic, 0, 0).fill_normal(&mut slopes, 2.0);
        let laws = (0..slopes.len() * lanes).map(|at| slopes[at / lanes] * ((at % lanes + shift) % 7) as f32);
        Laws { outputs: about.actions.len(), slopes: laws.collect() }
    }
}

impl Controller for Laws {
    fn act(&mut self, observations: &[f32], actions: &mut [f32]) {
        let lanes = actions.len() / self.outputs;
        for (at, action) in actions.iter_mut().enumerate() {
            let (output, lane) = (at / lanes, at % lanes);
            let rows = observations.chunks_exact(lanes).enumerate();
            let inputs = observations.len() / lanes;
            *action = rows.map(|(input, row)| row[lane] * self.slopes[(output * inputs + input) * lanes + lane]).sum();
        }
    }
}

/// All bits of a rollout of 37 episodes: states, observations, totals and steps after each of 300 steps.
fn replay(environment: &dyn Environment, mut episodes: Episodes) -> Vec<u64> {
    let about = environment.about();
    let states = first_states(environment, 37);
    episodes.begin(37, about.observations.len(), about.actions.len(), |lane| &states[lane]);
    let mut laws = Laws::of(&about, episodes.lanes(), 0);
    environment.observe(&mut episodes);
    let mut bits = Vec::new();
    for _ in 0..300 {
        laws.act(&episodes.observations, &mut episodes.actions);
        environment.step(&mut episodes);
        for lane in 0..episodes.lanes() {
            bits.extend((0..states[0].len()).map(|variable| episodes.state(lane, variable).to_bits()));
            bits.extend([episodes.total(lane).to_bits(), u64::from(episodes.steps(lane))]);
            bits.push(episodes.unrest(lane).to_bits());
        }
        bits.extend(episodes.observations.iter().map(|value| u64::from(value.to_bits())));
    }
    bits
}

#[test]
fn the_same_seed_replays_the_same_bits_on_every_instruction_set() {
    for environment in environments() {
        let plain = replay(&*environment, Episodes::on(Isa::Scalar));
        for isa in Isa::available() {
            assert!(replay(&*environment, Episodes::on(isa)) == plain, "{} on {isa:?}", environment.name());
        }
        assert!(replay(&*environment, Episodes::default()) == plain);
    }
}

#[test]
fn an_episode_is_the_same_alone_and_among_others() {
    for environment in environments() {
        let about = environment.about();
        let states = first_states(&*environment, 20);
        let mut rollout = Rollout::default();
        let together = rollout.run(&*environment, &mut Laws::of(&about, 32, 0), 20, 200, |lane| &states[lane]).to_vec();
        for lane in [0, 6, 15, 16, 19] {
            let mut law = Laws::of(&about, 16, lane);
            let alone = rollout.run(&*environment, &mut law, 1, 200, |_| &states[lane])[0];
            assert_eq!(alone.score.to_bits(), together[lane].score.to_bits(), "{}", environment.name());
            assert_eq!(alone, together[lane]);
            let trajectory = Trajectory::record(&*environment, &mut Laws::of(&about, 16, lane), &states[lane], 200);
            assert_eq!((trajectory.steps() as u32, trajectory.ending), (alone.steps, Some(alone.ending)));
            assert_eq!(trajectory.states.len(), (trajectory.steps() + 1) * states[lane].len());
            assert_eq!(trajectory.actions.len(), trajectory.steps() * about.actions.len());
            let total: f64 = trajectory.rewards.iter().sum();
            if !matches!(environment, Control::DoublePole(_)) {
                assert!((total - alone.score).abs() < 1e-9 * total.abs().max(1.0));
            }
        }
    }
}

#[test]
fn ended_episodes_stay_frozen_and_earn_nothing() {
    for environment in environments() {
        let about = environment.about();
        let states = first_states(&*environment, 16);
        let mut episodes = Episodes::default();
        episodes.begin(11, about.observations.len(), about.actions.len(), |lane| &states[lane]);
        let mut laws = Laws::of(&about, 16, 0);
        environment.observe(&mut episodes);
        let variables = states[0].len();
        let shot = |episodes: &Episodes, lane: usize| {
            let mut bits: Vec<u64> = (0..variables).map(|variable| episodes.state(lane, variable).to_bits()).collect();
            bits.extend([episodes.total(lane).to_bits(), u64::from(episodes.steps(lane))]);
            bits
        };
        let mut ends = 0;
        for step in 0..about.max_steps.min(1500) {
            let before: Vec<_> = (0..16).map(|lane| (episodes.runs(lane), shot(&episodes, lane))).collect();
            assert!(step > 0 || before.iter().enumerate().all(|(lane, before)| before.0 == (lane < 11)));
            laws.act(&episodes.observations, &mut episodes.actions);
            environment.step(&mut episodes);
            for (lane, (ran, before)) in before.iter().enumerate() {
                assert!(*ran || !episodes.runs(lane), "nothing that has ended begins again");
                assert!(*ran || *before == shot(&episodes, lane), "{} lane {lane}", environment.name());
                ends += usize::from(*ran && !episodes.runs(lane));
            }
        }
        assert!(ends > 0 || *environment.name() == *"Pendulum" || about.early == Ending::Reached, "nothing ended");
    }
}

#[test]
fn what_environments_say_of_themselves_is_true() {
    for environment in environments() {
        let about = environment.about();
        assert_eq!(first_states(&*environment, 1)[0].len(), about.state.len(), "{}", environment.name());
        assert!(about.max_steps > 0 && !about.observations.is_empty() && !about.actions.is_empty());
    }
}

#[test]
fn a_controller_that_computes_nonsense_gets_no_finite_return_or_ends() {
    struct Nonsense;
    impl Controller for Nonsense {
        fn act(&mut self, _: &[f32], actions: &mut [f32]) {
            actions.fill(f32::NAN);
        }
    }
    for environment in environments() {
        let states = first_states(&*environment, 3);
        let outcomes = Rollout::default().run(&*environment, &mut Nonsense, 3, 50, |lane| &states[lane]).to_vec();
        if environment.about().actions.len() == 1 {
            assert!(outcomes.iter().all(|o| o.score.is_nan() || o.score == 0.0 || o.steps == 1), "{outcomes:?}");
        }
    }
}

#[test]
fn starts_depend_on_seed_scoring_and_episode_only() {
    let environment = Control::CartPoleSwingUp;
    let streams = Streams::new(5);
    let five = starts(&*environment, &streams, 2, 5);
    assert_eq!(starts(&*environment, &streams, 2, 9)[..5], five);
    assert!(starts(&*environment, &streams, 3, 5) != five && starts(&*environment, &Streams::new(6), 2, 5) != five);
    assert_ne!(five[0], five[1]);
}

#[test]
fn tasks_read_from_an_experiment() {
    let extensions = ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES | ron::extensions::Extensions::IMPLICIT_SOME;
    let read = |text: &str| {
        ron::Options::default().with_default_extension(extensions).from_str::<ControlTask>(text).map_err(|e| e.code)
    };
    let task = read("(environment: CartPoleSwingUp, episodes: 3)").unwrap();
    assert_eq!((task.episodes.get(), task.steps()), (3, 1000));
    let task = read("(environment: DoublePole(velocities: false), max_steps: 500)").unwrap();
    assert_eq!((task.episodes.get(), task.steps()), (1, 500));
    assert!(read("(environment: CartPoleSwingUp, episodes: 0)").is_err());
    assert!(read("(environment: DoublePole(velocity: false))").is_err());
}
