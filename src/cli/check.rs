//! `precocial check`: everything but the run.

use super::{Changes, overrides, recipe_search, search, suite, terminal::Terminal, units};
use precocial::cost::Cost;
use precocial::experiment::{Loaded, Opened, Plan, Study, grouped};
use precocial::rng::{Purpose, Streams};
use precocial::task::TargetKind;
use precocial::train::{Scratch, Session, Status, TrainContext};
use precocial::{Error, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Check {
    /// Experiment files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

impl Check {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let mut errors = Vec::new();
        for file in &self.files {
            match self.one(file) {
                Ok(Checked::Experiment(examined)) => examined.print(terminal)?,
                Ok(Checked::Search(examined)) => examined.print(file, terminal)?,
                Ok(Checked::Suite(examined)) => examined.print(file, terminal)?,
                Ok(Checked::Recipe(examined)) => examined.print(file, terminal)?,
                Err(error) => errors.push(error),
            }
        }
        match Error::all(errors) {
            Some(error) => Err(error),
            None => {
                terminal.say("Nothing was run.");
                Ok(())
            }
        }
    }
}

enum Checked {
    Experiment(Box<Examined>),
    Search(Box<search::Examined>),
    Suite(Box<suite::Examined>),
    Recipe(Box<recipe_search::Examined>),
}

impl Check {
    fn one(&self, file: &Path) -> Result<Checked> {
        Ok(match overrides::open(file, &self.changes)? {
            Opened::Experiment(loaded) => Checked::Experiment(examine(&loaded, &self.changes)?.into()),
            Opened::Search(loaded) => Checked::Search(search::examine(&loaded, &self.changes)?.into()),
            Opened::Suite(loaded) => Checked::Suite(suite::examine(&loaded, &self.changes)?.into()),
            Opened::Recipe(loaded) => Checked::Recipe(recipe_search::examine(&loaded, &self.changes)?.into()),
        })
    }
}

/// An experiment that can be run, and what it would take.
pub struct Examined {
    pub loaded: Loaded,
    pub study: Study,
    pub plan: Plan,
    pub threads: usize,
    /// Seconds that the run will take, about.
    pub seconds: f64,
}

/// Loads the data, makes the plan, checks the memory.
pub fn examine(loaded: &Loaded, changes: &Changes) -> Result<Examined> {
    let threads = changes.threads();
    let study = loaded.study()?;
    if let Some(limit) = changes.memory_limit() {
        study.check_memory(threads, limit).map_err(|error| loaded.locate(error))?;
    }
    let plan = study.plan(threads).map_err(|error| loaded.locate(error))?;
    let speed = measure(&study)?;
    let threads_used = threads.min(study.seeds.len().max(1)) as f64;
    Ok(Examined { seconds: plan.total / (speed * threads_used), loaded: loaded.clone(), study, plan, threads })
}

impl Examined {
    /// `iris-ga-vs-random  3 arms x 30 seeds  budget 2 000 000 row-passes each`
    pub fn headline(&self) -> String {
        let (arms, seeds) = (self.study.experiment.arms.len(), self.study.seeds.len());
        format!(
            "{}  {} x {}  budget {} row-passes each",
            self.study.experiment.name,
            counted(arms, "arm"),
            counted(seeds, "seed"),
            grouped(self.plan.budget / self.plan.multiply_adds as u64),
        )
    }

    /// `180 000 000 row-passes, about 14 s on 2 threads, peak memory about 21 MiB`
    pub fn forecast(&self) -> String {
        format!(
            "{} row-passes, {} on {}, peak memory about {}",
            grouped((self.plan.total / self.plan.multiply_adds as f64) as u64),
            units::seconds(self.seconds),
            counted(self.threads, "thread"),
            precocial::experiment::bytes_text(self.plan.bytes),
        )
    }

    pub fn print(&self, terminal: &Terminal) -> Result<()> {
        let (study, plan) = (&self.study, &self.plan);
        let unit = plan.multiply_adds as u64;
        terminal.object(&json!({
            "event": "checked",
            "file": self.loaded.path.display().to_string(),
            "name": study.experiment.name.as_str(),
            "rows": plan.rows,
            "parameters": plan.parameters,
            "multiply_adds": plan.multiply_adds,
            "budget": plan.budget / unit,
            "networks": plan.networks.iter().map(|(parameters, multiply_adds)| json!({"parameters": parameters, "multiply_adds": multiply_adds})).collect::<Vec<_>>(),
            "searches": plan.searches.iter().map(|(arm, cost)| json!({"arm": arm, "row_passes": cost.map(|cost| cost / unit)})).collect::<Vec<_>>(),
            "arms": study.experiment.arms.len(),
            "seeds": study.seeds.len(),
            "row_passes": plan.total / plan.multiply_adds as f64,
            "bytes": plan.bytes as f64,
            "seconds": self.seconds,
            "threads": self.threads,
        }))?;
        let [training, validation, test] = plan.rows;
        let data = &study.dataset;
        let targets = match study.experiment.task.kind() {
            TargetKind::Classes => counted(data.outputs(), "class"),
            TargetKind::Values => counted(data.outputs(), "value"),
            TargetKind::Inputs => "rows are their own targets".to_owned(),
        };
        let mut lines = vec![
            self.headline(),
            format!(
                "  data      {}: {} ({training} train, {validation} validate, {test} test), {}, {}",
                data.name,
                counted(data.rows(), "row"),
                counted(data.features(), "input"),
                targets
            ),
            format!("  network   {}, {} multiply-adds a row", counted(plan.parameters, "parameter"), grouped(unit)),
        ];
        let width = plan.searches.iter().map(|(arm, _)| arm.len()).max().unwrap_or(0);
        for (index, (arm, cost)) in plan.searches.iter().enumerate() {
            let head = if index == 0 { "arms" } else { "" };
            let search = match cost {
                _ if !study.experiment.arms[index].method.trains() => "deploys its start, trains nothing".to_owned(),
                Some(0) => "no search, trains with all of its budget".to_owned(),
                Some(cost) => {
                    let share = 100.0 * *cost as f64 / plan.budget as f64;
                    format!("searches with at most {} row-passes, {share:.0}% of its budget", grouped(cost / unit))
                }
                None => "searches with a part of its budget that shows in the run".to_owned(),
            };
            let config = &study.experiment.arms[index];
            let own = config.own(&study.experiment).map_or(String::new(), |own| match config.network {
                Some(_) => {
                    let (parameters, multiply_adds) = plan.networks[index];
                    let size = counted(parameters, "parameter");
                    format!("; own {own} ({size}, {} multiply-adds a row)", grouped(multiply_adds as u64))
                }
                None => format!("; own {own}"),
            });
            lines.push(format!("  {head:<8}  {arm:<width$}  {search}{own}"));
        }
        if plan.audit > 0 {
            let starts = counted(plan.audit, "start");
            lines.push(format!("  audit     {starts} at each seed, each with a whole budget, charged to no arm"));
        }
        lines.push(format!("  plan      {}", self.forecast()));
        lines.extend(data.notes.iter().map(|note| format!("  note      {note}")));
        terminal.print(&lines.join("\n"))
    }
}

/// Multiply-adds a second of one thread of this machine at the training steps of this experiment's arms, measured in a few
/// milliseconds for each kind of them.
pub fn measure(study: &Study) -> Result<f64> {
    // More rows take longer and tell no more.
    let prepared = study.layout(study.seeds[0])?.first(1024).pack(&study.dataset, study.encoding);
    let (mut work, mut seconds) = (0.0, 0.0);
    for arm in 0..study.experiment.arms.len() {
        let measured_before = (0..arm).any(|other| {
            study.network_of(other) == study.network_of(arm) && study.training_of(other) == study.training_of(arm)
        });
        if !measured_before {
            let context = study.train_context(arm, &prepared.supervised, study.seeds[0]);
            let (cost, spent) = steps(&context);
            (work, seconds) = (work + 1.0, seconds + spent / cost);
        }
    }
    Ok(work / seconds)
}

/// What training steps cost in a few milliseconds, and how many seconds they took.
fn steps(context: &TrainContext) -> (f64, f64) {
    let (network, training) = (context.network, context.training);
    let mut start = vec![0.0; network.parameters()];
    Streams::new(0).stream(Purpose::Initialize, 0, 0).fill_normal(&mut start, 0.1);
    let (mut scratch, mut cost) = (Scratch::default(), Cost::ZERO);
    let mut session = Session::new(&start, training);
    let begin = Instant::now();
    let mut spent = Duration::ZERO;
    while spent < Duration::from_millis(3) {
        if session.step(context, &mut scratch, &mut cost) != Status::Running {
            session = Session::new(&start, training);
        }
        spent = begin.elapsed();
    }
    (cost.total().max(1) as f64, spent.as_secs_f64().max(1e-9))
}

/// `1 arm`, `3 arms`, `3 classes`.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if what.ends_with('s') { "es" } else { "s" };
    format!("{} {what}{}", grouped(count as u64), if count == 1 { "" } else { plural })
}
