//! Settings of the search for weight-agnostic topologies.

use super::{Changes, Performance};
use crate::error::{Error, Result};
use crate::math::Activation;
use crate::task::TargetKind;
use crate::values::{Count, Fitness, Probability};
use serde::{Deserialize, Serialize};

/// Settings of the search. The defaults are those of the paper's swing-up (Gaier & Ha 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WannSettings {
    /// Individuals; 192.
    pub population: Count,
    /// Generations scored, the drawn one included; 1024.
    pub generations: Count,
    /// Competitors for each place of a parent, drawn with replacement; 8.
    pub tournament: Count,
    /// Share of the population, from the worst, that may not become parents; 0.2.
    pub cull: Probability,
    /// Share of the rest that goes on unchanged; 0.2.
    pub elites: Probability,
    /// Share of the connections from inputs and the bias to outputs that begin enabled; 0.5. Less where inputs are many.
    pub initial_links: Probability,
    /// How often each change of topology is made.
    pub changes: Changes,
    /// Share of the children with two parents; 0.
    pub crossover: Probability,
    /// How often a generation is ranked by mean score and connections; else by mean and peak score. 0.8.
    pub connections_objective: Probability,
    /// Shared weights that every network is scored with; −2, −1, −0.5, 0.5, 1, 2.
    pub weights: Vec<f32>,
    /// Minibatches or episodes per shared weight; 3.
    pub repetitions: Count,
    /// Activations of hidden nodes; the ten of the paper unless said otherwise, for classes without `Step`.
    pub activations: Option<Vec<Activation>>,
    /// Fresh scorings that the best of a generation must stand before it replaces the champion; 8.
    pub champion_scorings: Count,
    /// Share of the peak in the score that champions are told apart by; the rest is the mean's. 0.
    pub champion_peak: Probability,
    /// Populations that begin one after another, of which the best goes on; one that goes all the way unless said
    /// otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<Trials>,
}

/// Populations that begin one after another, within the generations of the search; the one that the champion came from
/// goes on with the generations that are left.
///
/// A population that has settled for a poor answer seldom leaves it, and shows early that it has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trials {
    /// Populations.
    pub count: Count,
    /// Generations of each.
    pub generations: Count,
}

impl Trials {
    /// Generations of all of them.
    pub fn total(&self) -> u64 {
        (self.count.get() as u64).saturating_mul(self.generations.get() as u64)
    }
}

impl Default for WannSettings {
    fn default() -> WannSettings {
        let count = |count| Count::new(count).expect("in range");
        let share = |share| Probability::new(share).expect("in range");
        WannSettings {
            population: count(192),
            generations: count(1024),
            tournament: count(8),
            cull: share(0.2),
            elites: share(0.2),
            initial_links: share(0.5),
            changes: Changes::default(),
            crossover: share(0.0),
            connections_objective: share(0.8),
            weights: vec![-2.0, -1.0, -0.5, 0.5, 1.0, 2.0],
            repetitions: count(3),
            activations: None,
            champion_scorings: count(8),
            champion_peak: share(0.0),
            trials: None,
        }
    }
}

impl WannSettings {
    /// Refuses settings that no search can work with.
    ///
    /// # Errors
    /// No shared weight, one that is 0, no activation, no change that has a chance, or trials that leave no generation
    /// (`P0121`); a shared weight that is not finite (`P0122`).
    pub fn check(&self) -> Result<()> {
        let refuse = |code, message: String, help: &str| Err(Error::experiment(code, message).help(help));
        let weights = "write for example `weights: [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]`";
        if self.weights.is_empty() {
            return refuse("P0121", "`weights` lists no shared weight".into(), weights);
        }
        if let Some(weight) = self.weights.iter().find(|weight| !weight.is_finite()) {
            return refuse("P0122", format!("`weights` must hold finite numbers, found {weight}"), weights);
        }
        if self.weights.contains(&0.0) {
            let message = "`weights` holds 0, which makes every network deaf to its inputs".into();
            return refuse("P0121", message, "leave 0 out of `weights`");
        }
        if self.activations.as_ref().is_some_and(Vec::is_empty) {
            let message = "`activations` lists no activation for hidden nodes".into();
            return refuse(
                "P0121",
                message,
                "leave `activations` out, or write for example `activations: [Tanh, Sin]`",
            );
        }
        if self.changes.total() <= 0.0 {
            let message = "every chance in `changes` is 0, so nothing would ever change".into();
            return refuse("P0121", message, "leave `changes` out, or give one of them a chance above 0");
        }
        let generations = self.generations.get() as u64;
        if let Some(total) = self.trials.as_ref().map(Trials::total).filter(|total| *total >= generations) {
            let message = format!("`trials` take {total} generations together, and the search has {generations}");
            return refuse("P0121", message, "leave some for the best to go on: fewer or shorter trials");
        }
        Ok(())
    }

    /// The score by which champions are told apart: the mean, with its share of the peak.
    pub fn standing(&self, performance: Performance) -> Fitness {
        let share = self.champion_peak.get();
        if share <= 0.0 {
            return performance.mean;
        }
        Fitness::new((1.0 - share) * performance.mean.get() + share * performance.peak.get())
    }

    /// Activations that hidden nodes may have for targets of this kind.
    pub fn hidden_activations(&self, kind: TargetKind) -> Vec<Activation> {
        use Activation::*;
        let published = || vec![Linear, Step, Sin, Gaussian, Tanh, Logistic, Negate, Abs, Relu, Cos];
        let mut activations = self.activations.clone().unwrap_or_else(published);
        if self.activations.is_none() && kind == TargetKind::Classes {
            activations.retain(|activation| *activation != Step);
        }
        activations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::read;

    #[test]
    fn defaults_are_the_published_ones_and_settings_read_from_an_experiment() {
        let defaults: WannSettings = read("()").unwrap();
        assert_eq!(defaults, WannSettings::default());
        assert!((defaults.changes.total() - 1.0).abs() < 1e-12);
        let laptop: WannSettings = read(
            "(population: 64, tournament: 4, elites: 0.05, changes: (add_node: 0.3), activations: [Tanh, Sin],
              weights: [-1.5, 1.5], repetitions: 1, crossover: 0.1)",
        )
        .unwrap();
        let written = ron::to_string(&laptop).unwrap();
        assert_eq!(ron::from_str::<WannSettings>(&written).unwrap(), laptop);
        for wrong in ["(repetitions: 0)", "(activations: [Tahn])", "(populaton: 3)", "(cull: 1.5)"] {
            assert!(read::<WannSettings>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_a_way_out() {
        let code = |text: &str| {
            read::<WannSettings>(text).unwrap().check().map_err(|error| {
                assert!(!error.problems()[0].helps.is_empty());
                error.code()
            })
        };
        assert_eq!(code("(weights: [1.0])"), Ok(()));
        assert_eq!(code("(weights: [])"), Err("P0121"));
        assert_eq!(code("(weights: [1.0, 0.0])"), Err("P0121"));
        assert_eq!(code("(weights: [-0.0])"), Err("P0121"));
        assert_eq!(code("(weights: [1.0, NaN])"), Err("P0122"));
        assert_eq!(code("(weights: [1e300])"), Err("P0122"));
        assert_eq!(code("(activations: [])"), Err("P0121"));
        let still = "(changes: (add_connection: 0, add_node: 0, enable_connection: 0, change_activation: 0))";
        assert_eq!(code(still), Err("P0121"));
        assert_eq!(code("(generations: 10, trials: (count: 3, generations: 3))"), Ok(()));
        assert_eq!(code("(generations: 10, trials: (count: 5, generations: 2))"), Err("P0121"));
        assert_eq!(code("(trials: (count: 1099511627776, generations: 1099511627776))"), Err("P0121"));
    }

    #[test]
    fn steps_are_left_out_for_classes_unless_asked_for() {
        let step = Activation::Step;
        let defaults = WannSettings::default();
        assert_eq!(defaults.hidden_activations(TargetKind::Values).len(), 10);
        let classes = defaults.hidden_activations(TargetKind::Classes);
        assert!(classes.len() == 9 && !classes.contains(&step));
        let asked = WannSettings { activations: Some(vec![step]), ..defaults };
        assert_eq!(asked.hidden_activations(TargetKind::Classes), [step]);
    }
}
