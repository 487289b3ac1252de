//! The verdict rule: when an arm may be called better or worse than another.

use super::wilcoxon::{hodges_lehmann, wilcoxon};
use super::{bootstrap_replicates, expected_running_time, holm};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// What one run spent on its way to a target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It reached the target at this cost.
    Reached(f64),
    /// It ended at this cost (budget used up, diverged) without reaching the target.
    Censored(f64),
}

impl Outcome {
    /// Cost spent, and whether that bought the target. A cost that is not a number ≥ 0 counts as a failure for nothing.
    fn run(self) -> (f64, bool) {
        match self {
            Outcome::Reached(cost) if cost.is_finite() && cost >= 0.0 => (cost, true),
            Outcome::Censored(cost) if cost.is_finite() && cost >= 0.0 => (cost, false),
            _ => (0.0, false),
        }
    }
}

/// The pairs of one comparison: the same seed under the arm (first) and under the control it is held against (second).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison<'a> {
    /// Costs to one target.
    Costs(&'a [(Outcome, Outcome)]),
    /// Final values of which less is better, such as test losses; one that is not finite is the worst.
    Values(&'a [(f64, f64)]),
}

/// What the data allow to say of the arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conclusion {
    /// It needs less than the control.
    Better,
    /// It needs more than the control.
    Worse,
    /// Neither can be said.
    NoEvidence,
}

/// Where estimate, interval and p value of a verdict come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// Cost ratio: Hodges–Lehmann estimate and Wilcoxon's signed-rank test on the paired log ratios.
    PairedCostRatio,
    /// Ratio of expected running times, by resampling pairs.
    ExpectedRunningTimeRatio,
    /// Difference of values: Hodges–Lehmann estimate and Wilcoxon's signed-rank test on the paired differences.
    PairedDifference,
}

/// Settings of the verdict rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Chance of at least one wrong *better* or *worse* among all comparisons when nothing differs; above 0, below 1.
    /// Default 0.05.
    pub alpha: f64,
    /// Above this share of runs without success, in either arm, the ratio of expected running times decides. Default 0.2.
    pub censored_share: f64,
    /// Bootstrap resamples, and as many random swaps; p cannot fall below 2 / (resamples + 1). Default 9999.
    pub resamples: usize,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule { alpha: 0.05, censored_share: 0.2, resamples: 9999 }
    }
}

/// The outcome of one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What may be said.
    pub conclusion: Conclusion,
    /// Where the numbers come from.
    pub method: Method,
    /// Arm relative to control: a ratio of costs (below 1 favours the arm) or a difference of values (below 0 favours
    /// it), as `method` says. `None` where the data name no finite number.
    pub estimate: Option<f64>,
    /// Lower limit of this comparison's own 1 − alpha interval; `None`: not bounded by the data.
    pub low: Option<f64>,
    /// Upper limit, likewise.
    pub high: Option<f64>,
    /// Two-sided p value of this comparison alone.
    pub p: f64,
    /// Holm-adjusted over all comparisons handed in; it decides the conclusion.
    pub adjusted_p: f64,
    /// Number of pairs.
    pub pairs: usize,
    /// Pairs that are equal, or failed on both sides.
    pub equal_pairs: usize,
    /// Runs of the arm without success (or with a value that is not finite).
    pub arm_censored: usize,
    /// Runs of the control without success (or with a value that is not finite).
    pub control_censored: usize,
}

/// The one rule by which arms are called better or worse; returns one verdict per comparison, in order.
///
/// **Few failures** (at most `censored_share` of the pairs in each arm): the paired differences of log cost get
/// Wilcoxon's signed-rank test, and the estimate is the Hodges–Lehmann shift with the interval that inverts this very
/// test; read back as ratios. A run that never reached the target counts as infinitely dear, whatever it spent: its
/// pair ranks among the worst, all such pairs tied, and no cost is invented for it. Failures of one arm leave estimate
/// and limits what they would be with *any* large enough cost in their place; where they would depend on that cost
/// they are `None`. Failures of both arms on different pairs offset each other. A pair of two failures shows no
/// difference and drops out, as equal pairs do; the estimate speaks of the pairs that differ.
///
/// **Many failures**: the ratio of expected running times (spent budgets count, see [`expected_running_time`]). Pairs
/// are resampled for a percentile interval, and p is the larger of two: the bootstrap's own, and that of exchanging arm
/// and control at random within pairs. The first alone is too liberal (simulated with lognormal costs and 60 %
/// failures: 12 % false alarms at 10 pairs and 6 % at 30 instead of 5 %); the second is valid at any size, because where
/// nothing differs each pair may as well be the other way round. Demanding both keeps this level and never calls a ratio
/// different whose interval includes 1.
///
/// **Values** get the first treatment on plain differences. **Holm's** adjustment runs over all comparisons handed in,
/// so hand in all that will be reported; the conclusion follows the adjusted p, the interval is each comparison's own.
///
/// Without pairs, or where nothing differs, the verdict is no evidence with p = 1; never a panic. Each comparison starts
/// from a copy of `rng`, so it does not change when another is added.
///
/// ```
/// use precocial::math::statistics::{Comparison, Conclusion, Outcome::Reached, Rule, verdicts};
/// use precocial::rng::{Purpose, Streams};
///
/// let rng = Streams::new(1).stream(Purpose::Bootstrap, 0, 0);
/// let pairs: Vec<_> = (1..=10).map(|seed| (Reached(80.0 + f64::from(seed)), Reached(160.0))).collect();
/// let verdict = verdicts(&[Comparison::Costs(&pairs)], &Rule::default(), &rng)[0];
/// assert_eq!(verdict.conclusion, Conclusion::Better);
/// assert!((verdict.estimate.unwrap() - 0.534).abs() < 0.001);
/// ```
pub fn verdicts(comparisons: &[Comparison], rule: &Rule, rng: &Rng) -> Vec<Verdict> {
    let evidence: Vec<Evidence> = comparisons.iter().map(|comparison| weigh(comparison, rule, rng)).collect();
    let adjusted = holm(&evidence.iter().map(|evidence| evidence.p).collect::<Vec<_>>());
    evidence.into_iter().zip(adjusted).map(|(evidence, adjusted_p)| evidence.verdict(adjusted_p, rule.alpha)).collect()
}

fn weigh(comparison: &Comparison, rule: &Rule, rng: &Rng) -> Evidence {
    match *comparison {
        Comparison::Values(pairs) => {
            let difference = |arm: f64, control: f64| arm - control;
            shift(Method::PairedDifference, pairs.iter().map(|pair| (finite(pair.0), finite(pair.1))), difference, rule)
        }
        Comparison::Costs(pairs) => {
            let runs: Vec<[(f64, bool); 2]> = pairs.iter().map(|pair| [pair.0.run(), pair.1.run()]).collect();
            let failures = |side: usize| runs.iter().filter(|pair| !pair[side].1).count();
            if failures(0).max(failures(1)) as f64 > rule.censored_share * runs.len() as f64 {
                return resampled(&runs, rule, &mut rng.clone());
            }
            let cost = |run: (f64, bool)| run.1.then_some(run.0);
            let log_ratio = |arm: f64, control: f64| libm::log(arm) - libm::log(control);
            shift(Method::PairedCostRatio, runs.iter().map(|pair| (cost(pair[0]), cost(pair[1]))), log_ratio, rule)
        }
    }
}

/// Signed ranks of the pairs' differences; `None` is a failure.
fn shift(
    method: Method,
    pairs: impl Iterator<Item = (Option<f64>, Option<f64>)>,
    difference: impl Fn(f64, f64) -> f64,
    rule: &Rule,
) -> Evidence {
    let (mut arm_censored, mut control_censored) = (0, 0);
    let differences: Vec<f64> = pairs
        .map(|(arm, control)| {
            arm_censored += usize::from(arm.is_none());
            control_censored += usize::from(control.is_none());
            match (arm, control) {
                (Some(arm), Some(control)) => difference(arm, control),
                (None, Some(_)) => f64::INFINITY,
                (Some(_), None) => f64::NEG_INFINITY,
                (None, None) => 0.0,
            }
        })
        .collect();
    let test = wilcoxon(&differences);
    let shift = hodges_lehmann(&differences, rule.alpha);
    Evidence {
        method,
        estimate: shift.map(|shift| shift.estimate),
        limits: shift.map(|shift| [shift.low, shift.high]),
        p: test.p,
        favours_arm: test.positive < test.negative,
        pairs: differences.len(),
        equal_pairs: test.zeros,
        arm_censored,
        control_censored,
    }
}

/// Ratio of expected running times with interval and p value from resampled and from swapped pairs.
fn resampled(runs: &[[(f64, bool); 2]], rule: &Rule, rng: &mut Rng) -> Evidence {
    let observed = log_time_ratio(runs);
    let mut other = runs.to_vec();
    let ratio_of = |indices: &[usize]| {
        indices.iter().zip(&mut other).for_each(|(&index, slot)| *slot = runs[index]);
        log_time_ratio(&other).unwrap_or(0.0)
    };
    let replicates = bootstrap_replicates(runs.len(), rule.resamples, ratio_of, rng);
    other.copy_from_slice(runs);
    // Each swap starts from the one before: with fair coins that is as good as from the original.
    let swapped = (0..rule.resamples).map(|_| {
        other.iter_mut().filter(|_| rng.chance(0.5)).for_each(|pair| pair.swap(0, 1));
        log_time_ratio(&other).unwrap_or(0.0)
    });
    // The same runs added up in another order may differ in the last bits: still as extreme.
    let extreme = observed.map_or(0.0, f64::abs) - 1e-9;
    let as_extreme = swapped.filter(|ratio| ratio.abs() >= extreme).count();
    let share = |count: usize| (count + 1) as f64 / (rule.resamples + 1) as f64;
    let not_above = replicates.partition_point(|ratio| *ratio <= 0.0);
    let not_below = replicates.len() - replicates.partition_point(|ratio| *ratio < 0.0);
    let bootstrap_p = 2.0 * share(not_above.min(not_below));
    // The interval inverts the bootstrap's p: beyond a limit lie so few replicates that p would be below alpha.
    let outside = (0..replicates.len() / 2).take_while(|&count| 2.0 * share(count) < rule.alpha).count();
    let limits = outside.checked_sub(1).map(|last| [replicates[last], replicates[replicates.len() - 1 - last]]);
    let failures = |side: usize| runs.iter().filter(|pair| !pair[side].1).count();
    Evidence {
        method: Method::ExpectedRunningTimeRatio,
        estimate: observed,
        limits: limits.filter(|_| observed.is_some()),
        p: if observed.is_some() { bootstrap_p.max(share(as_extreme)).min(1.0) } else { 1.0 },
        favours_arm: observed.is_some_and(|ratio| ratio < 0.0),
        pairs: runs.len(),
        equal_pairs: runs.iter().filter(|[arm, control]| arm == control || !(arm.1 || control.1)).count(),
        arm_censored: failures(0),
        control_censored: failures(1),
    }
}

/// Logarithm of the ratio of expected running times, infinite if one arm has no success; `None` if neither has one.
fn log_time_ratio(runs: &[[(f64, bool); 2]]) -> Option<f64> {
    let log_time =
        |side: usize| expected_running_time(runs.iter().map(|pair| pair[side])).map_or(f64::INFINITY, libm::log);
    Some(log_time(0) - log_time(1)).filter(|ratio| !ratio.is_nan())
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// A verdict before Holm's adjustment; ratios are still logarithms.
struct Evidence {
    method: Method,
    estimate: Option<f64>,
    limits: Option<[f64; 2]>,
    p: f64,
    favours_arm: bool,
    pairs: usize,
    equal_pairs: usize,
    arm_censored: usize,
    control_censored: usize,
}

impl Evidence {
    fn verdict(self, adjusted_p: f64, alpha: f64) -> Verdict {
        let scaled = |x: f64| if self.method == Method::PairedDifference { x } else { libm::exp(x) };
        // Infinity first: its exponential would be a ratio of 0, which nobody observed.
        let read = |x: Option<f64>| x.and_then(finite).map(scaled).and_then(finite);
        Verdict {
            conclusion: match (adjusted_p < alpha, self.favours_arm) {
                (false, _) => Conclusion::NoEvidence,
                (true, true) => Conclusion::Better,
                (true, false) => Conclusion::Worse,
            },
            method: self.method,
            estimate: read(self.estimate),
            low: read(self.limits.map(|limits| limits[0])),
            high: read(self.limits.map(|limits| limits[1])),
            p: self.p,
            adjusted_p,
            pairs: self.pairs,
            equal_pairs: self.equal_pairs,
            arm_censored: self.arm_censored,
            control_censored: self.control_censored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::Outcome::{Censored, Reached};
    use super::*;
    use crate::rng::{Purpose, Rng, Streams};
    use proptest::prelude::{ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, proptest};

    fn rng() -> Rng {
        Streams::new(1).stream(Purpose::Bootstrap, 0, 0)
    }

    fn of_costs(pairs: &[(Outcome, Outcome)]) -> Verdict {
        verdicts(&[Comparison::Costs(pairs)], &Rule::default(), &rng())[0]
    }

    /// Costs of one replicate of `1 + controls` arms that differ by chance alone, or by `effect` on the first one's log
    /// cost; a seed's arms have luck in common. Beyond `budget` a run fails.
    fn replicate(rng: &mut Rng, controls: usize, effect: f64, budget: f64) -> Vec<Outcome> {
        let luck = rng.normal();
        let run = |arm| {
            let shift = if arm == 0 { effect } else { 0.0 };
            let cost = libm::exp(0.55 * luck + 0.8 * rng.normal() + shift);
            if cost <= budget { Reached(cost) } else { Censored(budget) }
        };
        (0..=controls).map(run).collect()
    }

    /// Shares of simulated experiments with 30 pairs and 3 controls where (the first comparison alone, any comparison
    /// after Holm) finds a difference, and the share of experiments whose first comparison took `method`.
    fn simulate(experiments: u64, effect: f64, budget: f64, method: Method) -> (f64, f64, f64) {
        let rule = Rule { resamples: 199, ..Rule::default() };
        let (mut alone, mut any, mut took) = (0, 0, 0);
        for experiment in 0..experiments {
            let mut rng = Streams::new(7).stream(Purpose::Synthetic, experiment, 0);
            let seeds: Vec<Vec<Outcome>> = (0..30).map(|_| replicate(&mut rng, 3, effect, budget)).collect();
            let pairs = |control: usize| seeds.iter().map(|arms| (arms[0], arms[control])).collect::<Vec<_>>();
            let pairs = [pairs(1), pairs(2), pairs(3)];
            let found = verdicts(&pairs.each_ref().map(|pairs| Comparison::Costs(pairs)), &rule, &rng);
            alone += u64::from(found[0].p < rule.alpha);
            any += u64::from(found.iter().any(|verdict| verdict.conclusion != Conclusion::NoEvidence));
            took += u64::from(found[0].method == method);
        }
        let share = |count: u64| count as f64 / experiments as f64;
        (share(alone), share(any), share(took))
    }

    #[test]
    fn equal_arms_are_told_apart_no_more_often_than_promised() {
        // 5 % plus three standard errors of 2000 experiments.
        let bound = 0.05 + 3.0 * (0.05_f64 * 0.95 / 2000.0).sqrt();
        let cases = [
            (f64::INFINITY, Method::PairedCostRatio),
            (4.0, Method::PairedCostRatio),
            (1.0, Method::ExpectedRunningTimeRatio),
        ];
        for (budget, method) in cases {
            let (alone, any, took) = simulate(2000, 0.0, budget, method);
            assert!(took > 0.9, "budget {budget} was meant to need {method:?}");
            assert!(alone <= bound && any <= bound, "budget {budget}: {alone} alone, {any} in the family");
            // A rule that never speaks would pass too.
            assert!(alone > 0.02, "budget {budget}: {alone} alone");
        }
    }

    #[test]
    fn arms_of_less_than_half_the_cost_are_found() {
        for (budget, method) in [(f64::INFINITY, Method::PairedCostRatio), (1.0, Method::ExpectedRunningTimeRatio)] {
            let (alone, any, _) = simulate(100, libm::log(0.4), budget, method);
            assert!(alone > 0.8 && any > 0.8, "budget {budget}: {alone} alone, {any} in the family");
        }
    }

    #[test]
    fn ratio_and_interval_are_those_of_the_shift() {
        let costs: Vec<(f64, f64)> =
            (1..=12).map(|i| (f64::from(100 + 7 * (i * i % 11)), f64::from(150 + i))).collect();
        let logs: Vec<f64> = costs.iter().map(|(arm, control)| libm::log(*arm) - libm::log(*control)).collect();
        let found = of_costs(&costs.iter().map(|pair| (Reached(pair.0), Reached(pair.1))).collect::<Vec<_>>());
        let shift = hodges_lehmann(&logs, 0.05).unwrap();
        assert_close(found.estimate.unwrap(), libm::exp(shift.estimate), 1e-14);
        assert_close(found.low.unwrap(), libm::exp(shift.low), 1e-14);
        assert_close(found.high.unwrap(), libm::exp(shift.high), 1e-14);
        assert_eq!((found.p, found.conclusion), (wilcoxon(&logs).p, Conclusion::Better));
    }

    #[test]
    fn few_failures_rank_as_the_worst_whatever_they_spent() {
        let with = |failure: Outcome| {
            let mut pairs: Vec<_> = (0..18).map(|i| (Reached(100.0 + f64::from(i)), Reached(90.0))).collect();
            pairs.extend([(failure, Reached(95.0)), (Censored(500.0), Censored(500.0))]);
            of_costs(&pairs)
        };
        let found = with(Censored(500.0));
        assert_eq!((found.method, found.conclusion), (Method::PairedCostRatio, Conclusion::Worse));
        assert_eq!((found.pairs, found.equal_pairs, found.arm_censored, found.control_censored), (20, 1, 2, 1));
        assert_eq!(found, with(Censored(3.0)));
        assert_eq!(found.estimate, with(Reached(1e9)).estimate);
        assert!(found.low.unwrap() > 1.0 && found.high.is_some());
    }

    #[test]
    fn many_failures_are_judged_by_expected_running_time() {
        let mut pairs: Vec<_> = (0..20).map(|i| (Reached(50.0 + f64::from(i)), Censored(200.0))).collect();
        pairs.extend((0..10).map(|i| (Censored(200.0), Reached(60.0 + f64::from(i)))));
        let found = of_costs(&pairs);
        assert_eq!(
            (found.method, found.arm_censored, found.control_censored),
            (Method::ExpectedRunningTimeRatio, 10, 20)
        );
        assert_close(found.estimate.unwrap(), ((1190.0 + 2000.0) / 20.0) / ((645.0 + 4000.0) / 10.0), 1e-12);
        // One success more or less than a fifth of failures: the border belongs to the paired ratio.
        let border = |failures: usize| {
            let control = |i: usize| if i < failures { Censored(9.0) } else { Reached(5.0) };
            of_costs(&(0..10).map(|i| (Reached(4.0), control(i))).collect::<Vec<_>>()).method
        };
        assert_eq!((border(2), border(3)), (Method::PairedCostRatio, Method::ExpectedRunningTimeRatio));
    }

    #[test]
    fn one_sided_success_needs_as_many_pairs_as_a_sign_test() {
        let found = |pairs: usize| of_costs(&vec![(Reached(10.0), Censored(100.0)); pairs]);
        assert_eq!(found(5).conclusion, Conclusion::NoEvidence);
        let many = found(12);
        assert_eq!((many.conclusion, many.estimate, many.low, many.high), (Conclusion::Better, None, None, None));
    }

    #[test]
    fn degenerate_pairs_are_no_evidence() {
        let cases: [&[(Outcome, Outcome)]; 7] = [
            &[],
            &[(Reached(10.0), Reached(20.0))],
            &[(Reached(10.0), Censored(20.0))],
            &[(Reached(10.0), Reached(10.0)); 30],
            &[(Censored(10.0), Censored(10.0)); 30],
            &[(Reached(f64::NAN), Censored(f64::INFINITY)); 30],
            &[(Reached(0.0), Reached(0.0)); 30],
        ];
        for pairs in cases {
            let found = of_costs(pairs);
            assert_eq!((found.conclusion, found.low, found.high), (Conclusion::NoEvidence, None, None), "{found:?}");
            assert!(found.p > 0.05, "{found:?}");
        }
        assert_eq!(verdicts(&[], &Rule::default(), &rng()), []);
        let without_resamples = Rule { resamples: 0, ..Rule::default() };
        let found = verdicts(&[Comparison::Costs(&[(Reached(1.0), Censored(2.0)); 30])], &without_resamples, &rng())[0];
        assert_eq!((found.conclusion, found.p), (Conclusion::NoEvidence, 1.0));
    }

    #[test]
    fn values_are_compared_by_their_differences_and_divergence_is_the_worst() {
        let mut pairs: Vec<(f64, f64)> = (1..=20).map(|i| (0.30 + 0.001 * f64::from(i), 0.40)).collect();
        pairs.extend([(0.31, f64::NAN), (0.30, f64::INFINITY), (f64::NAN, f64::NAN)]);
        let found = verdicts(&[Comparison::Values(&pairs)], &Rule::default(), &rng())[0];
        assert_eq!((found.conclusion, found.method), (Conclusion::Better, Method::PairedDifference));
        assert_eq!((found.arm_censored, found.control_censored, found.equal_pairs), (1, 3, 1));
        assert!((-0.1..-0.08).contains(&found.estimate.unwrap()) && found.high.unwrap() < 0.0, "{found:?}");
    }

    #[test]
    fn more_comparisons_make_each_harder_and_change_no_other_number() {
        let lucky: Vec<_> = (0..8).map(|i| (Reached(10.0 + f64::from(i)), Reached(20.0))).collect();
        let close: Vec<_> = (0..8).map(|i| (Reached(9.0 + f64::from(i)), Censored(12.0 - f64::from(i % 3)))).collect();
        let all = |comparisons: &[Comparison]| verdicts(comparisons, &Rule::default(), &rng());
        let alone = all(&[Comparison::Costs(&lucky)])[0];
        let crowd = all(&[
            Comparison::Costs(&close),
            Comparison::Costs(&[]),
            Comparison::Costs(&lucky),
            Comparison::Values(&[]),
            Comparison::Values(&[]),
            Comparison::Values(&[]),
            Comparison::Values(&[]),
        ]);
        assert_eq!((alone.p, alone.adjusted_p, alone.conclusion), (0.0078125, 0.0078125, Conclusion::Better));
        assert_eq!(Verdict { adjusted_p: alone.adjusted_p, conclusion: alone.conclusion, ..crowd[2] }, alone);
        assert_eq!(all(&[Comparison::Costs(&close)])[0].p, crowd[0].p);
        assert!(crowd[2].adjusted_p > 0.04, "{:?}", crowd[2]);
    }

    #[test]
    fn verdicts_survive_json() {
        let found = of_costs(&[(Reached(10.0), Censored(20.0)); 9]);
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), found);
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        (1_u32..12, 0..4).prop_map(|(cost, fate)| if fate == 0 { Censored(12.0) } else { Reached(f64::from(cost)) })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn verdict_interval_and_mirror_image_agree(pairs in prop::collection::vec((outcome(), outcome()), 0..40)) {
            let rule = Rule { resamples: 199, ..Rule::default() };
            let of = |pairs: &[(Outcome, Outcome)]| verdicts(&[Comparison::Costs(pairs)], &rule, &rng())[0];
            let found = of(&pairs);
            prop_assert_eq!(found.pairs, pairs.len());
            match found.conclusion {
                Conclusion::Better => prop_assert!(found.high.is_none_or(|high| high <= 1.0)),
                Conclusion::Worse => prop_assert!(found.low.is_none_or(|low| low >= 1.0)),
                Conclusion::NoEvidence => prop_assert!(found.p >= rule.alpha),
            }
            if found.method == Method::PairedCostRatio {
                let mirrored: Vec<_> = pairs.iter().map(|&(arm, control)| (control, arm)).collect();
                let mirrored = of(&mirrored);
                prop_assert_eq!(found.p, mirrored.p);
                prop_assert_eq!(found.conclusion == Conclusion::Better, mirrored.conclusion == Conclusion::Worse);
            }
        }
    }
}
