//! The results of a suite, weighed.

use crate::error::Result;
use crate::experiment::config::Name;
use crate::experiment::suite::{
    Choice, Contender, Phase, Role, Suite, SuiteRow, SuiteTables, choices, expected, targets,
};
use crate::experiment::{Document, Folder, Manifest, Opened, open};
use crate::math::statistics::{
    Comparison, Conclusion, Interval, Outcome, Rule, Verdict, mean, median, quantile_of_sorted, verdicts,
};
use crate::report::findings::bootstrap_rng;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashMap;

/// Costs by contender, task and target, with their seeds.
pub type Costs = HashMap<(Contender, usize, usize), Vec<(u64, Outcome)>>;

/// Everything that the report of a suite tells and draws.
#[derive(Clone, Debug)]
pub struct SuiteAnalysis {
    /// What was asked.
    pub suite: Suite,
    /// On what it was run, and how it ended.
    pub manifest: Manifest,
    /// Every computed number.
    pub findings: Findings,
    /// Costs of each contender on the way to each target in the final, by task, target and seed.
    pub costs: Costs,
}

/// Every computed number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Index of the target that decides.
    pub deciding: usize,
    /// Target losses of each task.
    pub targets: Vec<(String, Vec<f64>)>,
    /// Who ran in the final for whom.
    pub finalists: Vec<Finalist>,
    /// Candidates against controls, on each task and target.
    pub comparisons: Vec<Compared>,
    /// The same over all tasks.
    pub overall: Vec<Overall>,
    /// How each arm depends on the trainer, from the selection; empty if there is one trainer.
    pub trainers: Vec<TrainerUse>,
}

/// A control that candidates are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Against {
    /// Whichever classic arm was cheapest on the task.
    BestClassic,
    /// The one classic arm that was best over all tasks.
    SingleClassic,
    /// Whichever control, classic or extended, was cheapest on the task.
    BestControl,
}

impl Against {
    /// All of them, the strongest last.
    pub const ALL: [Against; 3] = [Against::SingleClassic, Against::BestClassic, Against::BestControl];

    fn contender(self) -> Contender {
        match self {
            Against::BestClassic => Contender::BestClassic,
            Against::SingleClassic => Contender::SingleClassic,
            Against::BestControl => Contender::BestControl,
        }
    }
}

/// A finalist in the final.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finalist {
    /// Task.
    pub task: String,
    /// Index of the target.
    pub target: usize,
    /// What it stands for: a candidate's name, `best classic`, `single classic`, `best control`.
    pub stands_for: String,
    /// Arm.
    pub arm: String,
    /// Trainer.
    pub trainer: String,
    /// Expected cost in the selection, in training passes; none without a success.
    pub selected_at: Option<f64>,
    /// Expected cost in the final, in training passes; none without a success.
    pub expected: Option<f64>,
    /// Runs of the final that reached the target.
    pub solved: usize,
    /// Runs of the final.
    pub runs: usize,
    /// Median accuracy, or R², on test rows.
    pub test_metric: Option<f64>,
}

/// What may be said of a candidate on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Standing {
    /// Better beyond the margin.
    Better,
    /// Worse beyond the margin.
    Worse,
    /// The interval lies within the margin, or the difference is below it.
    Equal,
    /// None of these can be said.
    Open,
}

/// A candidate against a control on a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Candidate.
    pub candidate: String,
    /// Which control.
    pub against: Against,
    /// The arm that was it.
    pub control: String,
    /// Index of the task.
    pub task: usize,
    /// Index of the target.
    pub target: usize,
    /// Ratio of expected costs in the final. A side without a success counts as if its last run had been one.
    pub ratio: f64,
    /// The verdict; its adjusted p counts all comparisons at the deciding target.
    pub verdict: Verdict,
    /// What may be said, beyond the margin. Only the deciding target decides.
    pub standing: Option<Standing>,
}

/// A candidate against a control over all tasks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overall {
    /// Candidate.
    pub candidate: String,
    /// Which control.
    pub against: Against,
    /// Index of the target.
    pub target: usize,
    /// Geometric mean over tasks of the ratios of expected costs.
    pub ratio: f64,
    /// Its percentile interval: tasks are resampled, and pairs of seeds within them.
    pub interval: Option<Interval>,
    /// Sides of a task's comparison that never got there, so that their ratio is a bound.
    pub unsolved: usize,
}

/// An arm with a trainer in the selection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainerUse {
    /// Arm.
    pub arm: String,
    /// Trainer.
    pub trainer: String,
    /// Geometric mean over tasks of its expected cost by that of the arm's best trainer there, at the deciding target.
    pub ratio: f64,
    /// Tasks on which no run reached the deciding target; they are left out of the mean.
    pub unsolved: usize,
}

/// Whether the folder holds a suite.
pub fn is_suite(folder: &Folder) -> bool {
    folder.manifest().is_ok_and(|manifest| manifest.kind == Suite::ROOT)
}

impl SuiteAnalysis {
    /// Reads and weighs a suite's folder; runs nothing.
    ///
    /// # Errors
    /// `P0305` for a folder without results, `P0304` for a damaged table.
    pub fn read(folder: &Folder) -> Result<SuiteAnalysis> {
        let manifest = folder.manifest()?;
        let tables = SuiteTables::load(folder.path())?;
        match open(&folder.path().join("experiment.resolved.ron"))? {
            Opened::Suite(loaded) => Ok(SuiteAnalysis::new(loaded.experiment, manifest, &tables)),
            _ => Err(crate::error::Error::data("P0304", "this copy of the suite is none").in_file(folder.path())),
        }
    }

    /// Weighs a table that is already in memory.
    pub fn new(suite: Suite, manifest: Manifest, tables: &SuiteTables) -> SuiteAnalysis {
        let chosen = choices(&suite, &tables.results);
        let finals = Finals::of(&suite, &tables.results);
        let costs: Costs = chosen
            .iter()
            .map(|choice| {
                let runs = finals.runs(choice).map(|row| (row.seed, outcome(row))).collect();
                ((choice.contender, choice.task, choice.target), runs)
            })
            .collect();
        let deciding = suite.pilot.passes.len() / 2;
        let (comparisons, pairs) = compare(&suite, &chosen, &costs, deciding);
        let findings = Findings {
            confidence: suite.confidence.get(),
            deciding,
            targets: suite
                .tasks
                .iter()
                .map(|task| (task.name.to_string(), targets(&suite, task.name.as_str(), &tables.results)))
                .collect(),
            finalists: chosen.iter().map(|choice| finalist(&suite, choice, &finals)).collect(),
            overall: overall(&suite, &comparisons, &pairs),
            comparisons,
            trainers: trainers(&suite, &tables.results, deciding),
        };
        SuiteAnalysis { suite, manifest, findings, costs }
    }

    /// Names of the candidates.
    pub fn candidates(&self) -> Vec<(usize, &Name)> {
        let arms = self.suite.arms.iter().enumerate();
        arms.filter(|(_, arm)| arm.role == Role::Candidate).map(|(index, arm)| (index, &arm.name)).collect()
    }

    /// The strongest control that there is: the best of all, or the best classic where no arm is extended.
    pub fn strongest(&self) -> Against {
        let extended = self.suite.arms.iter().any(|arm| arm.role == Role::Extended);
        if extended { Against::BestControl } else { Against::BestClassic }
    }

    /// Comparisons of a candidate with a control at a target, in the order of the tasks.
    pub fn compared<'a>(
        &'a self,
        candidate: &'a str,
        against: Against,
        target: usize,
    ) -> impl Iterator<Item = &'a Compared> {
        let list = self.findings.comparisons.iter();
        list.filter(move |one| one.candidate == candidate && one.against == against && one.target == target)
    }
}

/// Task, trainer, arm and target.
type Key<'a> = (&'a str, &'a str, &'a str, usize);

/// Rows of the final.
struct Finals<'a> {
    suite: &'a Suite,
    rows: HashMap<Key<'a>, Vec<&'a SuiteRow>>,
}

impl<'a> Finals<'a> {
    fn of(suite: &'a Suite, rows: &'a [SuiteRow]) -> Finals<'a> {
        let mut map: HashMap<Key, Vec<&SuiteRow>> = HashMap::new();
        for row in rows.iter().filter(|row| row.phase == Phase::Final) {
            map.entry((row.task.as_str(), row.trainer.as_str(), row.arm.as_str(), row.target)).or_default().push(row);
        }
        Finals { suite, rows: map }
    }

    fn runs(&self, choice: &Choice) -> impl Iterator<Item = &'a SuiteRow> + '_ {
        let suite = self.suite;
        let (task, trainer) = (&suite.tasks[choice.task].name, &suite.trainers[choice.trainer].name);
        let key = (task.as_str(), trainer.as_str(), suite.arms[choice.arm].name.as_str(), choice.target + 1);
        self.rows.get(&key).into_iter().flatten().copied()
    }
}

fn outcome(row: &SuiteRow) -> Outcome {
    row.passes.map_or(Outcome::Censored(row.total), Outcome::Reached)
}

fn finalist(suite: &Suite, choice: &Choice, finals: &Finals) -> Finalist {
    let rows: Vec<&SuiteRow> = finals.runs(choice).collect();
    let finite = |cost: f64| cost.is_finite().then_some(cost);
    Finalist {
        task: suite.tasks[choice.task].name.to_string(),
        target: choice.target,
        stands_for: match choice.contender {
            Contender::Candidate(arm) => suite.arms[arm].name.to_string(),
            Contender::BestClassic => "best classic".into(),
            Contender::SingleClassic => "single classic".into(),
            Contender::BestControl => "best control".into(),
        },
        arm: suite.arms[choice.arm].name.to_string(),
        trainer: suite.trainers[choice.trainer].name.to_string(),
        selected_at: finite(choice.expected),
        expected: finite(expected(rows.iter().map(|row| outcome(row)))),
        solved: rows.iter().filter(|row| row.passes.is_some()).count(),
        runs: rows.len(),
        test_metric: median(&rows.iter().filter_map(|row| row.test_metric).collect::<Vec<_>>()),
    }
}

/// Runs of a candidate and of a control on the same seeds.
type Pairs = Vec<(Outcome, Outcome)>;

/// Every candidate against every control; only those at the deciding target are a family whose verdicts are told.
fn compare(suite: &Suite, chosen: &[Choice], costs: &Costs, deciding: usize) -> (Vec<Compared>, Vec<Pairs>) {
    let mut claims: Vec<(usize, Against, &Choice)> = Vec::new();
    let mut pairs: Vec<Pairs> = Vec::new();
    for against in Against::ALL {
        for choice in chosen.iter().filter(|choice| choice.contender == against.contender()) {
            let control = &costs[&(choice.contender, choice.task, choice.target)];
            for arm in (0..suite.arms.len()).filter(|arm| suite.arms[*arm].role == Role::Candidate) {
                let Some(runs) = costs.get(&(Contender::Candidate(arm), choice.task, choice.target)) else { continue };
                let other = |seed: u64| control.iter().find(|run| run.0 == seed).map(|run| run.1);
                claims.push((arm, against, choice));
                pairs.push(runs.iter().filter_map(|(seed, outcome)| Some((*outcome, other(*seed)?))).collect());
            }
        }
    }
    let rule = Rule { alpha: 1.0 - suite.confidence.get(), resamples: suite.bootstrap.get(), ..Rule::default() };
    // The single classic is a reader's line, not a claim: whoever beats the best classic of each task beats it too.
    let decides = |claim: &(usize, Against, &Choice)| claim.2.target == deciding && claim.1 != Against::SingleClassic;
    let (family, others): (Vec<usize>, Vec<usize>) = (0..claims.len()).partition(|at| decides(&claims[*at]));
    let judge = |list: &[usize]| -> Vec<Verdict> {
        let comparisons: Vec<Comparison> = list.iter().map(|at| Comparison::Costs(&pairs[*at])).collect();
        verdicts(&comparisons, &rule, &bootstrap_rng())
    };
    let alone: Vec<(usize, Verdict)> = others.par_iter().map(|at| (*at, judge(&[*at])[0])).collect();
    let mut verdicts: Vec<(usize, Verdict)> = family.iter().copied().zip(judge(&family)).chain(alone).collect();
    verdicts.sort_by_key(|verdict| verdict.0);
    let list = claims.iter().zip(verdicts).zip(&pairs).map(|((claim, (_, verdict)), pairs)| {
        let (own, other): (Vec<Outcome>, Vec<Outcome>) = pairs.iter().copied().unzip();
        let (own, other) = (bounded(&own), bounded(&other));
        Compared {
            candidate: suite.arms[claim.0].name.to_string(),
            against: claim.1,
            control: suite.arms[claim.2.arm].name.to_string(),
            task: claim.2.task,
            target: claim.2.target,
            ratio: own / other,
            verdict,
            standing: decides(claim).then(|| standing(suite, &verdict, own - other)),
        }
    });
    (list.collect(), pairs)
}

/// Expected cost; without any success that of one, which is a lower bound.
fn bounded(runs: &[Outcome]) -> f64 {
    let spent: f64 = runs
        .iter()
        .map(|run| match run {
            Outcome::Reached(cost) | Outcome::Censored(cost) => *cost,
        })
        .sum();
    let solved = runs.iter().filter(|run| matches!(run, Outcome::Reached(_))).count();
    spent / solved.max(1) as f64
}

fn standing(suite: &Suite, verdict: &Verdict, difference: f64) -> Standing {
    let margin = suite.margin.ratio.get();
    let matters = difference.abs() > suite.margin.passes.get();
    let estimate = verdict.estimate.unwrap_or(if difference < 0.0 { 0.0 } else { f64::INFINITY });
    let within = |x: f64| (1.0 / margin..=margin).contains(&x);
    match verdict.conclusion {
        Conclusion::Better if matters && estimate < 1.0 / margin => Standing::Better,
        Conclusion::Worse if matters && estimate > margin => Standing::Worse,
        Conclusion::Better | Conclusion::Worse => Standing::Equal,
        Conclusion::NoEvidence => match (verdict.low, verdict.high) {
            (Some(low), Some(high)) if within(low) && within(high) => Standing::Equal,
            _ => Standing::Open,
        },
    }
}

/// Candidate, control and target.
type Claim<'a> = (&'a str, Against, usize);

/// Geometric means over tasks, with intervals over tasks and seeds.
fn overall(suite: &Suite, comparisons: &[Compared], pairs: &[Pairs]) -> Vec<Overall> {
    let mut groups: Vec<(Claim, Vec<usize>)> = Vec::new();
    for (at, one) in comparisons.iter().enumerate() {
        let key = (one.candidate.as_str(), one.against, one.target);
        match groups.iter_mut().find(|group| group.0 == key) {
            Some(group) => group.1.push(at),
            None => groups.push((key, vec![at])),
        }
    }
    let told = groups.par_iter().map(|((candidate, against, target), list)| {
        let logs: Vec<f64> = list.iter().map(|at| libm::log(comparisons[*at].ratio)).collect();
        let never = |side: &dyn Fn(&(Outcome, Outcome)) -> Outcome, at: usize| {
            pairs[at].iter().all(|pair| matches!(side(pair), Outcome::Censored(_)))
        };
        let unsolved =
            list.iter().map(|at| usize::from(never(&|pair| pair.0, *at)) + usize::from(never(&|pair| pair.1, *at)));
        Overall {
            candidate: (*candidate).to_owned(),
            against: *against,
            target: *target,
            ratio: libm::exp(mean(&logs).unwrap_or(f64::NAN)),
            interval: resampled(list.iter().map(|at| &pairs[*at]).collect(), suite),
            unsolved: unsolved.sum(),
        }
    });
    told.collect()
}

/// Percentile interval of the geometric mean of cost ratios: tasks with replacement, in each its pairs with replacement.
fn resampled(tasks: Vec<&Pairs>, suite: &Suite) -> Option<Interval> {
    if tasks.len() < 2 || tasks.iter().any(|pairs| pairs.is_empty()) {
        return None;
    }
    let mut rng = bootstrap_rng();
    let mut means: Vec<f64> = (0..suite.bootstrap.get())
        .map(|_| {
            let logs = (0..tasks.len()).map(|_| {
                let pairs = tasks[rng.below(tasks.len())];
                let (mut spent, mut solved) = ([0.0; 2], [0_usize; 2]);
                for _ in 0..pairs.len() {
                    let pair = pairs[rng.below(pairs.len())];
                    for (side, run) in [pair.0, pair.1].into_iter().enumerate() {
                        match run {
                            Outcome::Reached(cost) => {
                                (spent[side], solved[side]) = (spent[side] + cost, solved[side] + 1)
                            }
                            Outcome::Censored(cost) => spent[side] += cost,
                        }
                    }
                }
                let cost = |side: usize| spent[side] / solved[side].max(1) as f64;
                libm::log(cost(0) / cost(1))
            });
            libm::exp(logs.sum::<f64>() / tasks.len() as f64)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let tail = (1.0 - suite.confidence.get()) / 2.0;
    Some(Interval { low: quantile_of_sorted(&means, tail)?, high: quantile_of_sorted(&means, 1.0 - tail)? })
}

/// How much each arm loses by a trainer that is not its best one.
fn trainers(suite: &Suite, rows: &[SuiteRow], deciding: usize) -> Vec<TrainerUse> {
    if suite.trainers.len() < 2 {
        return Vec::new();
    }
    let mut runs: HashMap<(&str, &str, &str), Vec<Outcome>> = HashMap::new();
    for row in rows.iter().filter(|row| row.phase == Phase::Selection && row.target == deciding + 1) {
        runs.entry((&row.task, &row.trainer, &row.arm)).or_default().push(outcome(row));
    }
    let cost = |task: &Name, trainer: &Name, arm: &Name| {
        runs.get(&(task.as_str(), trainer.as_str(), arm.as_str()))
            .map_or(f64::INFINITY, |runs| expected(runs.iter().copied()))
    };
    let mut list = Vec::new();
    for arm in &suite.arms {
        for trainer in &suite.trainers {
            let ratios = suite.tasks.iter().map(|task| {
                let best = suite.trainers.iter().map(|trainer| cost(&task.name, &trainer.name, &arm.name));
                cost(&task.name, &trainer.name, &arm.name) / best.fold(f64::INFINITY, f64::min)
            });
            let ratios: Vec<f64> = ratios.collect();
            let logs: Vec<f64> =
                ratios.iter().filter(|ratio| ratio.is_finite()).map(|ratio| libm::log(*ratio)).collect();
            list.push(TrainerUse {
                arm: arm.name.to_string(),
                trainer: trainer.name.to_string(),
                ratio: mean(&logs).map_or(f64::INFINITY, libm::exp),
                unsolved: ratios.len() - logs.len(),
            });
        }
    }
    list
}
