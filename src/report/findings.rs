//! Every number of the report, as `statistics.json` holds it.

use crate::experiment::config::Metric;
use crate::experiment::{Experiment, Manifest, roles};
use crate::math::statistics::{
    Bootstrap, BootstrapKind, Comparison, Interval, Outcome, Rule, Verdict, expected_running_time, interquartile_mean,
    mean, median, sorted, verdicts, wilson,
};
use crate::report::analysis::{Arm, Run};
use crate::report::audit::{ProxyRank, proxy_ranks};
use crate::report::band::MedianBand;
use crate::report::break_even::{BreakEven, break_even};
use crate::report::targets::{Target, cost_or_infinity, cost_to, targets};
use crate::rng::{Purpose, Rng, Streams};
use serde::Serialize;

/// Every computed number of a report, with method and inputs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// How each kind of number was computed.
    pub methods: Vec<(&'static str, &'static str)>,
    /// What is compared.
    pub metric: Metric,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// Settings of the verdict rule.
    pub rule: Rule,
    /// Budget of every arm in row-passes.
    pub budget: f64,
    /// Training losses whose cost is compared, from easy to hard.
    pub targets: Vec<Target>,
    /// The target that decides; `None` without targets.
    pub deciding: Option<usize>,
    /// The arm that ratios are told against.
    pub baseline: String,
    /// Arms whose claim is tested.
    pub candidates: Vec<String>,
    /// Arms they are held against.
    pub controls: Vec<String>,
    /// One summary an arm.
    pub arms: Vec<ArmSummary>,
    /// Candidates against controls: one family of tests.
    pub verdicts: Vec<Compared>,
    /// All arms against all later ones by the deciding target or metric: a family of its own, to look things up.
    pub pairwise: Vec<Compared>,
    /// Where candidates catch up with the baseline.
    pub break_even: Vec<BreakEven>,
    /// How well a fitness ranks starts, where that was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audit: Vec<ProxyRank>,
}

/// A number with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its interval at the report's confidence.
    pub interval: Option<Interval>,
}

/// How far an arm got with a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetSummary {
    /// The training loss.
    pub loss: f64,
    /// Runs that reached it.
    pub solved: usize,
    /// Share of runs that reached it, with Wilson's interval.
    pub share: Option<Interval>,
    /// Median cost over all runs, where more than half reached it.
    pub median_cost: Option<f64>,
    /// Lower end of the median's interval.
    pub low: Option<f64>,
    /// Upper end; `None`: beyond the budget.
    pub high: Option<f64>,
    /// Expected running time: all that was spent on it, over the runs that reached it.
    pub expected_running_time: Option<f64>,
    /// What each run spent, in the order of `ArmSummary::seeds`.
    pub outcomes: Vec<Outcome>,
}

/// An arm in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArmSummary {
    /// Arm.
    pub name: String,
    /// Its method.
    pub method: String,
    /// Seeds that have ended.
    pub seeds: Vec<u64>,
    /// Runs that left the finite numbers or could not start.
    pub diverged: usize,
    /// Runs that a stopping rule ended.
    pub stopped: usize,
    /// Share of the spent cost that went into the search, mean over seeds.
    pub search_share: f64,
    /// Share of the budget that was left, mean over seeds.
    pub unspent_share: f64,
    /// Interquartile mean of the training loss of the deployed weights; runs without one are left out.
    pub train_loss: Option<Estimate>,
    /// The same of the test loss.
    pub test_loss: Option<Estimate>,
    /// Median accuracy or R² on the test rows.
    pub test_metric: Option<Estimate>,
    /// One entry a target.
    pub targets: Vec<TargetSummary>,
    /// Median seconds of a run; not reproducible.
    pub seconds: Option<f64>,
}

/// An arm held against another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The arm.
    pub arm: String,
    /// The one it is held against.
    pub control: String,
    /// The training loss whose cost is compared; `None` when final values are.
    pub target: Option<f64>,
    /// Whether the report's verdict rests on this.
    pub decides: bool,
    /// The seeds that both have, on the same split.
    pub seeds: Vec<u64>,
    /// What may be said.
    pub verdict: Verdict,
}

const METHODS: &[(&str, &str)] = &[
    ("cost_to_target", "cost at the first look whose training loss is at most the target, search included"),
    ("paired_cost_ratio", "Hodges-Lehmann estimate and Wilcoxon signed-rank test on paired log ratios"),
    ("expected_running_time_ratio", "resampled and swapped pairs; used above the censored share"),
    ("adjusted_p", "Holm, over all candidates x controls x targets"),
    ("losses", "interquartile mean, percentile bootstrap over seeds"),
    ("median_cost", "median over all seeds, failures infinitely dear, percentile bootstrap"),
    ("share", "Wilson score interval"),
    ("break_even", "least cost from which the median best loss stays at or below the baseline's, paired bootstrap"),
];

impl Findings {
    /// Weighs the runs of an experiment.
    pub(crate) fn of(experiment: &Experiment, manifest: &Manifest, arms: &[Arm]) -> Findings {
        let settings = &experiment.statistics;
        let (baseline, candidates, controls) = roles(experiment);
        let find = |name: &str| arms.iter().find(|arm| arm.name == name);
        let targets = targets(experiment, find(baseline.as_str()), manifest.budget);
        let deciding = targets.len().checked_sub(1).map(|_| targets.len() / 2);
        let confidence = settings.confidence.get();
        let rule = Rule {
            // A confidence of 1 would leave no error at all, and none of 0 is no test.
            // Rounded, so that 0.95 gives 0.05 and not 0.050000000000000044.
            alpha: ((1.0 - confidence) * 1e12).round().clamp(1e3, 1e12 - 1e3) / 1e12,
            resamples: settings.bootstrap.get(),
            ..Rule::default()
        };
        let weigher = Weigher { metric: settings.metric, targets: &targets, deciding, rule };
        let mut claims = Vec::new();
        for candidate in candidates.iter().filter_map(|name| find(name.as_str())) {
            for control in controls.iter().filter_map(|name| find(name.as_str())) {
                claims.extend(weigher.targets().map(|target| (candidate, control, target)));
            }
        }
        let mut pairs = Vec::new();
        for (place, first) in arms.iter().enumerate() {
            for second in &arms[place + 1..] {
                pairs.extend(weigher.targets().filter(|t| weigher.decides(*t)).map(|target| (first, second, target)));
            }
        }
        let break_even = candidates
            .iter()
            .filter_map(|name| break_even(find(name.as_str())?, find(baseline.as_str())?, &rule, manifest.budget))
            .collect();
        let summarise = |arm: &Arm| summarise(arm, &targets, manifest.budget, confidence, rule.resamples);
        Findings {
            methods: METHODS.to_vec(),
            metric: settings.metric,
            confidence,
            rule,
            budget: manifest.budget,
            deciding,
            baseline: baseline.to_string(),
            candidates: candidates.iter().map(ToString::to_string).collect(),
            controls: controls.iter().map(ToString::to_string).collect(),
            arms: arms.iter().map(summarise).collect(),
            verdicts: weigher.weigh(&claims),
            pairwise: weigher.weigh(&pairs),
            break_even,
            audit: arms.iter().flat_map(|arm| proxy_ranks(arm, confidence, rule.resamples)).collect(),
            targets,
        }
    }

    /// The comparisons that the verdict rests on.
    pub fn deciding_verdicts(&self) -> impl Iterator<Item = &Compared> {
        self.verdicts.iter().filter(|compared| compared.decides)
    }

    /// `statistics.json`.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("findings are plain data");
        bytes.push(b'\n');
        bytes
    }
}

/// The random numbers of every interval: each begins the same, so that none depends on what else is computed.
pub(crate) fn bootstrap_rng() -> Rng {
    Streams::new(0).stream(Purpose::Bootstrap, 0, 0)
}

/// Runs of the seeds that both arms have, on the same rows.
pub(crate) fn paired<'a>(arm: &'a Arm, control: &'a Arm) -> Vec<(&'a Run, &'a Run)> {
    let both = arm.runs.iter().filter_map(|run| Some((run, control.run(run.result.seed)?)));
    both.filter(|(run, other)| run.result.split_hash == other.result.split_hash).collect()
}

struct Weigher<'a> {
    metric: Metric,
    targets: &'a [Target],
    deciding: Option<usize>,
    rule: Rule,
}

/// The pairs of a comparison, owned.
enum Pairs {
    Costs(Vec<(Outcome, Outcome)>),
    Values(Vec<(f64, f64)>),
}

impl Weigher<'_> {
    /// The comparisons of two arms: one a target, or the one of the final values.
    fn targets(&self) -> impl Iterator<Item = Option<usize>> + use<> {
        let count = self.targets.len();
        let costs = self.metric == Metric::BudgetToTarget;
        (0..if costs { count } else { 1 }).map(move |target| costs.then_some(target))
    }

    fn decides(&self, target: Option<usize>) -> bool {
        target.is_none() || target == self.deciding
    }

    /// One family: Holm's adjustment runs over all claims.
    fn weigh(&self, claims: &[(&Arm, &Arm, Option<usize>)]) -> Vec<Compared> {
        let runs: Vec<Vec<(&Run, &Run)>> = claims.iter().map(|(arm, control, _)| paired(arm, control)).collect();
        let pairs: Vec<Pairs> = runs.iter().zip(claims).map(|(runs, claim)| self.pairs(runs, claim.2)).collect();
        let comparisons: Vec<Comparison> = pairs
            .iter()
            .map(|pairs| match pairs {
                Pairs::Costs(pairs) => Comparison::Costs(pairs),
                Pairs::Values(pairs) => Comparison::Values(pairs),
            })
            .collect();
        let verdicts = verdicts(&comparisons, &self.rule, &bootstrap_rng());
        let compared = claims.iter().zip(runs).zip(verdicts).map(|((claim, runs), verdict)| Compared {
            arm: claim.0.name.clone(),
            control: claim.1.name.clone(),
            target: claim.2.map(|target| self.targets[target].loss),
            decides: self.decides(claim.2),
            seeds: runs.iter().map(|(run, _)| run.result.seed).collect(),
            verdict,
        });
        compared.collect()
    }

    fn pairs(&self, runs: &[(&Run, &Run)], target: Option<usize>) -> Pairs {
        let value = |run: &Run| {
            let loss = if self.metric == Metric::FinalTestLoss { run.result.test_loss } else { run.result.train_loss };
            loss.unwrap_or(f64::NAN)
        };
        match target {
            Some(target) => {
                let loss = self.targets[target].loss;
                Pairs::Costs(runs.iter().map(|(run, other)| (cost_to(run, loss), cost_to(other, loss))).collect())
            }
            None => Pairs::Values(runs.iter().map(|(run, other)| (value(run), value(other))).collect()),
        }
    }
}

fn summarise(arm: &Arm, targets: &[Target], budget: f64, confidence: f64, resamples: usize) -> ArmSummary {
    let runs = &arm.runs;
    let bootstrap = Bootstrap { kind: BootstrapKind::Percentile, resamples, confidence };
    let estimate = |of: fn(&[f64]) -> Option<f64>, number: fn(&Run) -> Option<f64>| {
        let sample: Vec<f64> = runs.iter().filter_map(number).collect();
        let interval = || bootstrap.interval(&sample, |x| of(x).unwrap_or(f64::NAN), &mut bootstrap_rng());
        of(&sample).map(|value| Estimate { value, interval: interval() })
    };
    let band = MedianBand::new(runs.len(), resamples, confidence, &mut bootstrap_rng());
    let share = |part: fn(&Run) -> f64, whole: &dyn Fn(&Run) -> f64| {
        let shares = runs.iter().map(|run| if whole(run) > 0.0 { part(run) / whole(run) } else { 0.0 });
        mean(&shares.collect::<Vec<_>>()).unwrap_or(0.0)
    };
    ArmSummary {
        name: arm.name.clone(),
        method: arm.method.to_owned(),
        seeds: runs.iter().map(|run| run.result.seed).collect(),
        diverged: arm.diverged(),
        stopped: runs.iter().filter(|run| run.result.state == crate::experiment::record::RunState::Stopped).count(),
        search_share: share(|run| run.result.search_cost, &|run| run.result.total_cost),
        unspent_share: share(|run| run.result.unspent, &|_| budget),
        train_loss: estimate(interquartile_mean, |run| run.result.train_loss),
        test_loss: estimate(interquartile_mean, |run| run.result.test_loss),
        test_metric: estimate(median, |run| run.result.test_metric),
        targets: targets.iter().map(|target| reach(runs, target.loss, &band, confidence)).collect(),
        seconds: median(&runs.iter().map(|run| run.result.seconds).collect::<Vec<_>>()),
    }
}

fn reach(runs: &[Run], loss: f64, band: &MedianBand, confidence: f64) -> TargetSummary {
    let outcomes: Vec<Outcome> = runs.iter().map(|run| cost_to(run, loss)).collect();
    let costs = sorted(&outcomes.iter().map(|outcome| cost_or_infinity(*outcome)).collect::<Vec<_>>());
    let solved = costs.iter().filter(|cost| cost.is_finite()).count();
    let finite = |cost: f64| Some(cost).filter(|cost| cost.is_finite());
    let interval = band.interval(&costs);
    let spent = outcomes.iter().map(|outcome| match outcome {
        Outcome::Reached(cost) => (*cost, true),
        Outcome::Censored(cost) => (*cost, false),
    });
    TargetSummary {
        loss,
        solved,
        share: wilson(solved, costs.len(), confidence),
        median_cost: median(&costs).and_then(finite),
        low: interval.and_then(|interval| finite(interval.low)),
        high: interval.and_then(|interval| finite(interval.high)),
        expected_running_time: expected_running_time(spent),
        outcomes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Tables;
    use crate::report::analysis::{Analysis, Models};
    use crate::report::fixture::{analysis, experiment, folder, law, manifest};

    #[test]
    fn one_family_holds_all_candidates_controls_and_targets() {
        let findings =
            analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 12, "targets: [0.3, 0.1, 0.05]").findings;
        assert_eq!((findings.baseline.as_str(), &findings.candidates[..]), ("glorot", &["ga".to_owned()][..]));
        assert_eq!(findings.controls, ["glorot", "best-of-n"]);
        assert_eq!((findings.verdicts.len(), findings.pairwise.len()), (6, 3));
        let p: Vec<f64> = findings.verdicts.iter().map(|compared| compared.verdict.p).collect();
        let adjusted: Vec<f64> = findings.verdicts.iter().map(|compared| compared.verdict.adjusted_p).collect();
        assert_eq!(crate::math::statistics::holm(&p), adjusted);
        assert!(findings.deciding_verdicts().all(|compared| compared.target == Some(0.1)));
        assert_eq!(findings.rule.alpha, 0.05);
    }

    #[test]
    fn only_seeds_of_one_split_are_paired() {
        let place = tempfile::tempdir().unwrap();
        let change = |_: &mut Manifest, tables: &mut Tables| {
            tables
                .results
                .iter_mut()
                .filter(|row| row.arm == "ga" && row.seed == 2)
                .for_each(|row| row.split_hash.clear());
        };
        let folder = folder(place.path(), "a", [law(0.0, 1.0); 3], 4, change);
        let findings = crate::report::analyse(&folder).unwrap().findings;
        assert!(findings.verdicts.iter().all(|compared| compared.seeds == [1, 3, 4] && compared.verdict.pairs == 3));
    }

    #[test]
    fn summaries_count_failures_and_pay_for_them() {
        let mut diverging = law(0.0, 1.0);
        diverging.diverges_from = 2;
        let analysis = analysis([law(0.0, 1.0), law(2e4, 1.0), diverging], 4, "targets: [0.1, 0.0015]");
        let [glorot, best_of, ga] = &analysis.findings.arms[..] else { panic!("three arms") };
        assert_eq!((glorot.diverged, ga.diverged), (0, 3));
        assert_eq!((glorot.search_share, best_of.search_share), (0.0, 0.2));
        assert_eq!((glorot.unspent_share, ga.unspent_share), (0.0, 3.0 * 0.5 / 4.0));
        let hard = &ga.targets[1];
        assert!(hard.solved <= 1 && hard.median_cost.is_none(), "{hard:?}");
        let spent: f64 = hard
            .outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Reached(cost) | Outcome::Censored(cost) => *cost,
            })
            .sum();
        assert_eq!(hard.expected_running_time, (hard.solved > 0).then(|| spent / hard.solved as f64));
        let easy = &glorot.targets[0];
        let costs: Vec<f64> = easy.outcomes.iter().map(|outcome| cost_or_infinity(*outcome)).collect();
        assert_eq!((easy.solved, easy.median_cost), (4, median(&costs)));
        assert!(easy.low <= easy.median_cost && easy.median_cost <= easy.high);
    }

    #[test]
    fn final_values_are_compared_once_for_each_pair_of_arms() {
        let statistics = "metric: FinalTestLoss, targets: [0.1]";
        let findings = analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 12, statistics).findings;
        assert_eq!(findings.verdicts.len(), 2);
        assert!(findings.verdicts.iter().all(|compared| compared.decides && compared.target.is_none()));
        assert!(findings.verdicts[0].verdict.estimate.unwrap() < 0.0);
    }

    #[test]
    fn nothing_to_weigh_is_no_panic() {
        let analysis = Analysis::new(experiment(3, ""), manifest(), Tables::default(), Models::default());
        assert!(analysis.findings.targets.is_empty() && analysis.findings.verdicts.is_empty());
        let json: serde_json::Value = serde_json::from_slice(&analysis.findings.to_json()).unwrap();
        assert_eq!(json["baseline"], "glorot");
    }
}
