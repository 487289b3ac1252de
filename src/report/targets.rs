//! Targets, and what runs spent on the way to them.

use crate::experiment::Experiment;
use crate::math::statistics::{Outcome, median};
use crate::report::analysis::{Arm, Run};
use serde::{Deserialize, Serialize};

/// Shares of the budget after which the baseline's median losses are the targets, if the file names none.
const AUTOMATIC_SHARES: [f64; 3] = [0.3, 0.6, 0.9];

/// A training loss whose cost is compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The loss.
    pub loss: f64,
    /// Share of the budget after which the baseline's median loss was this; `None` for one that the file names.
    pub baseline_share: Option<f64>,
}

/// The targets, from easy to hard, each once.
pub fn targets(experiment: &Experiment, baseline: Option<&Arm>, budget: f64) -> Vec<Target> {
    let given = &experiment.statistics.targets;
    let mut targets: Vec<Target> = if given.is_empty() {
        let at = |share: f64| {
            let losses = baseline?.runs.iter().map(|run| best_loss(run, share * budget));
            let loss = median(&losses.collect::<Vec<_>>()).filter(|loss| loss.is_finite())?;
            Some(Target { loss, baseline_share: Some(share) })
        };
        AUTOMATIC_SHARES.into_iter().filter_map(at).collect()
    } else {
        given.iter().map(|target| Target { loss: target.get(), baseline_share: None }).collect()
    };
    targets.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    targets.dedup_by(|a, b| a.loss == b.loss);
    targets
}

/// Lowest training loss seen within `cost` row-passes; infinite before the first look.
pub fn best_loss(run: &Run, cost: f64) -> f64 {
    let seen = run.history.partition_point(|row| row.cost <= cost);
    let last = seen.checked_sub(1).and_then(|last| run.history[last].best_train_loss);
    last.unwrap_or(f64::INFINITY)
}

/// Cost at the first look that found this training loss or less, else all that was spent.
pub fn cost_to(run: &Run, target: f64) -> Outcome {
    let first = run.history.iter().find(|row| row.train_loss.is_some_and(|loss| loss <= target));
    first.map_or(Outcome::Censored(run.result.total_cost), |row| Outcome::Reached(row.cost))
}

/// The cost if the target was reached, else infinity.
pub fn cost_or_infinity(outcome: Outcome) -> f64 {
    match outcome {
        Outcome::Reached(cost) => cost,
        Outcome::Censored(_) => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{analysis, law};

    #[test]
    fn costs_are_read_at_the_first_look_that_found_the_target() {
        let analysis = analysis([law(0.0, 1.0); 3], 2, "targets: [0.1]");
        let run = &analysis.arms[0].runs[0];
        let first = run.history.iter().position(|row| row.train_loss.unwrap() <= 0.1).unwrap();
        assert_eq!(cost_to(run, 0.1), Outcome::Reached(run.history[first].cost));
        assert_eq!(cost_to(run, 1e-9), Outcome::Censored(100_000.0));
        assert_eq!(best_loss(run, run.history[3].cost), run.history[3].best_train_loss.unwrap());
        assert_eq!((best_loss(run, 1.0), cost_or_infinity(Outcome::Censored(1.0))), (f64::INFINITY, f64::INFINITY));
    }

    #[test]
    fn automatic_targets_are_the_baselines_medians() {
        let analysis = analysis([law(0.0, 4.0); 3], 3, "");
        let runs = &analysis.arms[0].runs;
        let expected = |share: f64| median(&runs.iter().map(|run| best_loss(run, share * 1e5)).collect::<Vec<_>>());
        let found: Vec<_> =
            analysis.findings.targets.iter().map(|target| (target.baseline_share, target.loss)).collect();
        let expected = [0.3, 0.6, 0.9].map(|share| (Some(share), expected(share).unwrap()));
        assert_eq!(found, expected);
        assert!(found[0].1 > found[1].1 && found[1].1 > found[2].1);
        assert_eq!(analysis.findings.deciding, Some(1));
    }

    #[test]
    fn given_targets_are_sorted_from_easy_to_hard() {
        let analysis = analysis([law(0.0, 1.0); 3], 1, "targets: [0.05, 0.3, 0.1, 0.3]");
        let losses: Vec<f64> = analysis.findings.targets.iter().map(|target| target.loss).collect();
        assert_eq!((losses, analysis.findings.deciding), (vec![0.3, 0.1, 0.05], Some(1)));
    }
}
