//! What can a fitness know of a start? Its rank correlation with what the start costs in the end.

use crate::error::{Error, Result};
use crate::evolve::{Inheritance, Measure};
use crate::experiment::arm::random;
use crate::experiment::config::{Experiment, Name};
use crate::experiment::prepare::{Study, grouped};
use crate::experiment::record::{AuditRow, HistoryRow, RunRecord};
use crate::experiment::replicate::look_at;
use crate::experiment::roles::{roles, unknown};
use crate::experiment::watch::{Event, Watch};
use crate::math::statistics::median;
use crate::task::Prepared;
use crate::train::{Batch, TrainContext};
use crate::values::Count;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Share of the budget after which the median start's lowest loss is what all starts are to reach.
const SHARE: f64 = 0.6;

/// What is asked about the starts of an arm, beside its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Audit {
    /// Whether a fitness that is cheap ranks starts as their final costs do.
    ProxyRank(ProxyRank),
}

/// Trains starts that the arm could have drawn, each alone with the whole budget, and looks at them after k steps.
///
/// A search chooses by what it sees before a start has paid: the loss of a start, or the loss after a few steps. This tells
/// how well that ranks them. A start's final cost is what it takes to the deciding target of the statistics, or, where none
/// is written, to the lowest loss that the median start has reached after 60 % of the budget; a start that never gets
/// there counts as dearer than all that do, by its lowest loss. No arm is charged: it is a question about the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyRank {
    /// Optimizer steps after which starts are looked at, ascending, 0 for the loss before training; 0, 1, 10, 40 and 160.
    #[serde(default = "looks")]
    pub k: Vec<u32>,
    /// Starts at each seed, the first ones of the arm's scheme; 24, at least 4.
    #[serde(default = "starts")]
    pub starts: Count,
    /// The arm whose starts are asked about; the first evolved one unless written, or else the first that draws starts.
    #[serde(default)]
    pub arm: Option<Name>,
}

fn looks() -> Vec<u32> {
    vec![0, 1, 10, 40, 160]
}
fn starts() -> Count {
    Count::new(24).expect("in range")
}

impl Audit {
    /// Place of the arm whose starts are asked about.
    pub fn arm(&self, experiment: &Experiment) -> Option<usize> {
        let Audit::ProxyRank(settings) = self;
        let (_, candidates, _) = roles(experiment);
        let wanted = settings.arm.iter();
        let mut names = wanted.chain(&candidates).chain(experiment.arms.iter().map(|arm| &arm.name));
        names.find_map(|name| {
            let place = experiment.arms.iter().position(|arm| arm.name == *name)?;
            let method = &experiment.arms[place].method;
            method.scheme().filter(|_| method.trains()).map(|_| place)
        })
    }

    /// Runs at each seed, each with a whole budget.
    pub fn runs(&self) -> usize {
        let Audit::ProxyRank(settings) = self;
        settings.starts.get()
    }

    /// Refuses what cannot be asked.
    ///
    /// # Errors
    /// Looks that are none or out of order (`P0121`), too few starts, an arm that does not exist (`P0132`) or draws none.
    pub(super) fn check(&self, experiment: &Experiment) -> Result<()> {
        let Audit::ProxyRank(settings) = self;
        if settings.k.is_empty() || !settings.k.is_sorted_by(|a, b| a < b) {
            return Err(Error::experiment("P0121", "`k` of `audit` must be ascending numbers of steps, at least one")
                .help("write `audit: ProxyRank(k: [1, 10, 40, 160])`"));
        }
        if settings.starts.get() < 4 {
            let message = format!("`starts` of `audit` must be at least 4, found {}", settings.starts.get());
            return Err(Error::experiment("P0121", message).help("fewer starts have no rank correlation to speak of"));
        }
        if let Some(name) = &settings.arm {
            let Some(arm) = experiment.arms.iter().find(|arm| arm.name == *name) else {
                let names = experiment.arms.iter().map(|arm| &arm.name);
                return Err(unknown(&format!("`audit` asks about arm \"{name}\", which"), name.as_str(), names));
            };
            if arm.method.scheme().is_none() || !arm.method.trains() {
                return Err(Error::experiment("P0121", format!("arm \"{name}\" draws no starts of its own to train"))
                    .help("let `audit` name an arm with a `scheme`"));
            }
        }
        if self.arm(experiment).is_none() {
            return Err(Error::experiment("P0121", "`audit` asks about starts, and no arm draws any by a scheme")
                .help("add an arm such as `(name: \"random\", method: Random(scheme: GlorotUniform))`"));
        }
        Ok(())
    }

    /// Refuses looks that the budget does not pay for.
    ///
    /// # Errors
    /// `P0133`, with the last look that it pays for. `unit` is what a row-pass costs.
    pub(super) fn affords(&self, budget: u64, unit: u64, train: &TrainContext) -> Result<()> {
        let Audit::ProxyRank(settings) = self;
        let last = settings.k.last().copied().unwrap_or(0);
        let price = after(last).cost(train).total();
        if price <= budget {
            return Ok(());
        }
        let step = (after(1).cost(train).total() - after(0).cost(train).total()).max(1);
        Err(Error::experiment("P0133", format!("`audit` looks after {last} steps, and the budget ends before"))
            .note(format!(
                "{last} steps take {} row-passes; the budget is {}",
                grouped(price / unit),
                grouped(budget / unit)
            ))
            .help(format!("look after at most {} steps, or raise the budget", budget / step)))
    }

    /// Trains the starts of `arm` at a seed and looks at them; `None` if that was interrupted.
    ///
    /// # Errors
    /// A start that cannot be drawn.
    pub(super) fn examine(
        &self,
        study: &Study,
        arm: usize,
        seed: u64,
        prepared: &Prepared,
        train: TrainContext,
        watch: &dyn Watch,
    ) -> Result<Option<Vec<AuditRow>>> {
        let Audit::ProxyRank(settings) = self;
        let Some(scheme) = study.experiment.arms[arm].method.scheme() else { return Ok(Some(Vec::new())) };
        let quiet = Quiet(watch);
        let alone = |number: u64| look_at(random::numbered(scheme, number), study, arm, seed, prepared, train, &quiet);
        let numbers = 0..settings.starts.get() as u64;
        let runs: Result<Option<Vec<RunRecord>>> = numbers.into_par_iter().map(alone).collect();
        let Some(runs) = runs? else { return Ok(None) };
        let (rows, unit) = (prepared.supervised.training.count(), study.network.multiply_adds() as f64);
        let budget = study.budget(rows) as f64 / unit;
        let target = self.target(study, &runs, budget);
        let tell = |(start, run): (usize, &RunRecord)| {
            let reached = |row: &&HistoryRow| row.train_loss.is_some_and(|loss| loss <= target);
            let (cost, lowest) = (
                run.history.iter().find(reached).map(|row| row.cost),
                run.history.last().and_then(|row| row.best_train_loss),
            );
            let row = |steps: &u32| AuditRow {
                arm: study.experiment.arms[arm].name.to_string(),
                seed,
                start: start as u64,
                steps: *steps,
                price: after(*steps).cost(&train).total() as f64 / unit,
                loss: loss_after(run, *steps),
                target,
                cost,
                lowest,
            };
            settings.k.iter().map(row).collect::<Vec<_>>()
        };
        Ok(Some(runs.iter().enumerate().flat_map(tell).collect()))
    }

    fn target(&self, study: &Study, runs: &[RunRecord], budget: f64) -> f64 {
        let written = &study.experiment.statistics.targets;
        if let Some(target) = written.get(written.len() / 2) {
            return target.get();
        }
        let lowest = |run: &RunRecord| {
            let seen = run.history.partition_point(|row| row.cost <= SHARE * budget);
            let row = seen.checked_sub(1).map(|last| &run.history[last]);
            row.and_then(|row| row.best_train_loss).unwrap_or(f64::INFINITY)
        };
        // Where half of the starts have no finite loss there is nothing to reach.
        median(&runs.iter().map(lowest).collect::<Vec<_>>()).filter(|loss| loss.is_finite()).unwrap_or(0.0)
    }
}

/// The fitness that is asked about.
fn after(steps: u32) -> Measure {
    Measure::ShortBackprop { steps, batch: Batch::Full, inheritance: Inheritance::Baldwin }
}

/// Loss at the first look that came after so many steps; looks are closer together than steps where steps are few.
fn loss_after(run: &RunRecord, steps: u32) -> Option<f64> {
    if steps == 0 {
        return run.result.start_loss;
    }
    run.history.iter().find(|row| row.step >= u64::from(steps)).and_then(|row| row.train_loss)
}

/// Ends when its watch does, and tells nothing of the starts.
struct Quiet<'a>(&'a dyn Watch);

impl Watch for Quiet<'_> {
    fn event(&self, _: Event) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// How well a fitness of so many steps ranks the starts of a seed: Spearman's correlation with their final costs.
///
/// `None` where all losses or all costs are alike.
pub fn rank_correlation<'a>(rows: impl Iterator<Item = &'a AuditRow>) -> Option<f64> {
    let rows: Vec<&AuditRow> = rows.collect();
    let dearest = rows.iter().filter_map(|row| row.cost).fold(0.0, f64::max);
    // Starts that never reach the target stand behind all that do, by their lowest loss.
    let mut losses: Vec<f64> = rows.iter().map(|row| row.lowest.unwrap_or(f64::INFINITY)).collect();
    losses.sort_by(f64::total_cmp);
    let place = |row: &AuditRow| losses.partition_point(|loss| *loss < row.lowest.unwrap_or(f64::INFINITY)) as f64;
    let outcome = |row: &AuditRow| row.cost.unwrap_or(dearest + 1.0 + place(row));
    let pairs: Vec<(f64, f64)> = rows.iter().map(|row| (row.loss.unwrap_or(f64::INFINITY), outcome(row))).collect();
    crate::math::statistics::spearman(&pairs, 0.95).map(|found| found.rho)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::folder::Folder;
    use crate::experiment::load::parse;
    use crate::experiment::run::{Run, RunOptions, run};
    use crate::experiment::verify::verify;
    use crate::experiment::watch::Unwatched;
    use std::path::Path;

    const ARMS: &str = r#"(name: "one", method: Random(scheme: GlorotUniform)),
        (name: "ga", method: Genetic(population: 6, generations: 3, scheme: LeCunNormal)),
        (name: "drift", method: Drift(of: "ga"))"#;

    fn experiment(audit: &str, arms: &str) -> Experiment {
        let text = format!(
            r#"Experiment(
                schema: 1, name: "audit", seeds: Range(first: 3, count: 2),
                task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, test: 0.3)),
                network: Mlp(hidden: [(units: 4, activation: Tanh)]),
                train: (optimizer: Adam(learning_rate: 0.05)),
                arms: [{arms}], budget: TrainingPasses(90), {audit})"#
        );
        parse(&text, Path::new("audit.ron")).unwrap_or_else(|error| panic!("{error}")).experiment
    }

    fn go(experiment: Experiment, out: &Path, threads: usize) -> Run {
        let study = Study::new(experiment, Path::new(".")).unwrap();
        let options = RunOptions { out: Some(out.to_owned()), threads, ..RunOptions::default() };
        run(&study, &options, &Unwatched).unwrap()
    }

    #[test]
    fn starts_are_those_that_the_arm_could_draw_and_nobody_is_charged() {
        let place = tempfile::tempdir().unwrap();
        let asked = "audit: ProxyRank(k: [0, 2, 20], starts: 5)";
        let with = go(experiment(asked, ARMS), &place.path().join("a"), 3);
        let without = go(experiment("", ARMS), &place.path().join("b"), 1);
        let again = go(experiment(asked, ARMS), &place.path().join("c"), 1);
        assert_eq!(with.tables.audit, again.tables.audit, "on any number of threads");
        assert_eq!(with.manifest.bits, again.manifest.bits);
        let timeless = |run: &Run| {
            let mut rows = run.tables.results.clone();
            rows.iter_mut().for_each(|row| row.seconds = 0.0);
            rows
        };
        assert_eq!(timeless(&with), timeless(&without), "no arm notices");
        let rows = &with.tables.audit;
        assert_eq!(rows.len(), 2 * 5 * 3);
        assert!(rows.iter().all(|row| row.arm == "ga"), "the first evolved arm is asked about");
        // 105 rows: a forward pass is one, a step three.
        assert_eq!(rows[..3].iter().map(|row| row.price).collect::<Vec<_>>(), [105.0, 735.0, 6405.0]);
        // Start 0 is that of a random start with the same scheme.
        let alone = ARMS.replace("GlorotUniform", "LeCunNormal");
        let random = go(experiment("", &alone), &place.path().join("d"), 1);
        for seed in [3, 4] {
            let one = random.tables.results.iter().find(|row| row.arm == "one" && row.seed == seed).unwrap();
            let first: Vec<&AuditRow> = rows.iter().filter(|row| row.seed == seed && row.start == 0).collect();
            assert_eq!(first[0].loss, one.start_loss);
            let history = random.tables.history.iter().filter(|row| row.arm == "one" && row.seed == seed);
            let history: Vec<&HistoryRow> = history.collect();
            assert_eq!(first[0].lowest, history.last().unwrap().best_train_loss);
            let twenty = history.iter().find(|row| row.step >= 20).unwrap();
            assert_eq!((first[2].loss, twenty.step), (twenty.train_loss, 20));
            let reached = history.iter().find(|row| row.train_loss.unwrap() <= first[0].target);
            assert_eq!(first[0].cost, reached.map(|row| row.cost));
            // The target is what the median start has reached after 60 % of the budget.
            let at_target = |start: u64| rows.iter().find(|row| row.seed == seed && row.start == start).unwrap();
            let soon = (0..5).filter(|start| at_target(*start).cost.is_some_and(|cost| cost <= 0.6 * 90.0 * 105.0));
            assert_eq!(soon.count(), 3, "seed {seed}");
        }
        let folder = Folder::at(place.path().join("a"));
        assert_eq!(folder.tables().unwrap().audit, *rows);
        assert_eq!(verify(&folder, None, None, 2, &Unwatched).unwrap().differences, Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_asked_is_refused_with_the_way_out() {
        let none = r#"(name: "drift", method: Drift(of: "ga")), (name: "ga", method: Genetic(population: 6,
            generations: 3, scheme: LeCunNormal))"#;
        for (audit, code, words) in [
            ("ProxyRank(k: [])", "P0121", "ascending"),
            ("ProxyRank(k: [10, 1])", "P0121", "ascending"),
            ("ProxyRank(k: [1, 1])", "P0121", "ascending"),
            ("ProxyRank(starts: 3)", "P0121", "at least 4, found 3"),
            ("ProxyRank(arm: \"gaa\")", "P0132", "\"gaa\""),
            ("ProxyRank(arm: \"drift\")", "P0121", "draws no starts"),
            ("ProxyRank(k: [0, 30])", "P0133", "looks after 30 steps"),
        ] {
            let asked = experiment(&format!("audit: {audit}"), none);
            let refused = Study::new(asked, Path::new(".")).and_then(|study| study.plan(1)).unwrap_err();
            assert_eq!(refused.code(), code, "{audit}: {refused}");
            assert!(
                refused.to_string().contains(words) && !refused.problems()[0].helps.is_empty(),
                "{audit}: {refused}"
            );
        }
        let plan = Study::new(experiment("audit: ProxyRank(k: [29])", none), Path::new(".")).unwrap().plan(1).unwrap();
        assert_eq!((plan.audit, plan.total / plan.budget as f64), (24, 2.0 * 26.0));
    }

    #[test]
    fn starts_that_never_arrive_stand_behind_the_others() {
        let row = |loss: f64, cost: Option<f64>, lowest: f64| AuditRow {
            arm: "a".into(),
            seed: 1,
            start: 0,
            steps: 1,
            price: 1.0,
            loss: Some(loss).filter(|loss| loss.is_finite()),
            target: 0.5,
            cost,
            lowest: Some(lowest).filter(|lowest| lowest.is_finite()),
        };
        let ordered = [
            row(0.1, Some(10.0), 0.4),
            row(0.2, Some(90.0), 0.1),
            row(0.3, None, 0.6),
            row(0.4, None, 0.9),
            row(f64::NAN, None, f64::NAN),
        ];
        assert_eq!(rank_correlation(ordered.iter()), Some(1.0));
        let reversed: Vec<AuditRow> = ordered
            .iter()
            .zip([5.0, 4.0, 3.0, 2.0, 1.0])
            .map(|(row, loss)| AuditRow { loss: Some(loss), ..row.clone() })
            .collect();
        assert_eq!(rank_correlation(reversed.iter()), Some(-1.0));
        let alike: Vec<AuditRow> = ordered.iter().map(|row| AuditRow { loss: Some(1.0), ..row.clone() }).collect();
        assert_eq!(rank_correlation(alike.iter()), None);
    }
}
