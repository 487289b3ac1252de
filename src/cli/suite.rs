//! Suites on the command line: what they would take at most, and what is printed afterwards.

use super::check::{counted, measure};
use super::{Changes, terminal::Terminal, units};
use precocial::error::Kind;
use precocial::experiment::suite::{Phase, Role, SuitePlan};
use precocial::experiment::{Loaded, Suite, SuiteRun, SuiteStudy, bytes_text, grouped};
use precocial::report::{self, ReportOptions};
use precocial::{Error, Result};
use serde_json::json;
use std::path::Path;

/// A suite that can be run, and what it would take.
pub struct Examined {
    pub study: SuiteStudy,
    pub plan: SuitePlan,
    threads: usize,
    /// Seconds that it will take at most, about.
    seconds: f64,
}

/// Loads the data of all tasks, makes the plan, checks the memory.
pub fn examine(loaded: &Loaded<Suite>, changes: &Changes) -> Result<Examined> {
    let threads = changes.threads();
    let study = loaded.study()?;
    let plan = study.plan(threads)?;
    check_memory(&plan, changes.memory_limit())?;
    let mut seconds = 0.0;
    for (task, multiply_adds) in plan.multiply_adds.iter().enumerate() {
        seconds += multiply_adds / (measure(&study.sample(task)?)? * threads as f64);
    }
    Ok(Examined { study, plan, threads, seconds })
}

/// Refuses a suite that needs more memory than it may use.
pub fn check_memory(plan: &SuitePlan, limit: Option<u128>) -> Result<()> {
    match limit {
        Some(limit) if plan.bytes > limit => {
            let (needs, limit) = (bytes_text(plan.bytes), bytes_text(limit));
            let message = format!("the largest task of this suite needs about {needs} of memory; {limit} may be used");
            Err(Error::new(Kind::Limit, "P0140", message)
                .help("fewer --threads run fewer seeds at a time")
                .help("--memory-limit raises the limit"))
        }
        _ => Ok(()),
    }
}

impl Examined {
    /// `reference  30 tasks x 20 arms x 60 seeds`
    pub fn headline(&self) -> String {
        let suite = &self.study.suite;
        let trainers = match suite.trainers.len() {
            1 => String::new(),
            several => format!(" x {}", counted(several, "trainer")),
        };
        format!(
            "{}  {} x {}{trainers} x {} + {} + {} seeds",
            suite.name,
            counted(suite.tasks.len(), "task"),
            counted(suite.arms.len(), "arm"),
            self.study.seeds(Phase::Pilot).len(),
            self.study.seeds(Phase::Selection).len(),
            self.study.seeds(Phase::Final).len(),
        )
    }

    /// `at most 41 400 runs, at most about 2 h on 2 threads, peak memory about 21 MiB`
    pub fn forecast(&self) -> String {
        format!(
            "at most {} runs and {} on {}, peak memory about {}; runs end at their last target",
            grouped(self.plan.runs as u64),
            units::seconds(self.seconds),
            counted(self.threads, "thread"),
            bytes_text(self.plan.bytes),
        )
    }

    pub fn print(&self, file: &Path, terminal: &Terminal) -> Result<()> {
        let suite = &self.study.suite;
        terminal.object(&json!({
            "event": "checked",
            "kind": "Suite",
            "file": file.display().to_string(),
            "name": suite.name.as_str(),
            "tasks": suite.tasks.iter().map(|task| task.name.as_str()).collect::<Vec<_>>(),
            "arms": suite.arms.iter().map(|arm| arm.name.as_str()).collect::<Vec<_>>(),
            "trainers": suite.trainers.iter().map(|trainer| trainer.name.as_str()).collect::<Vec<_>>(),
            "runs": self.plan.runs,
            "bytes": self.plan.bytes as f64,
            "seconds": self.seconds,
            "threads": self.threads,
        }))?;
        let of = |role: Role| -> Vec<&str> {
            suite.arms.iter().filter(|arm| arm.role == role).map(|arm| arm.name.as_str()).collect()
        };
        let tasks: Vec<&str> = suite.tasks.iter().map(|task| task.name.as_str()).collect();
        let mut lines = vec![self.headline(), format!("  tasks       {}", tasks.join(", "))];
        for (title, role) in
            [("candidates", Role::Candidate), ("classics", Role::Classic), ("extended", Role::Extended)]
        {
            let names = of(role);
            if !names.is_empty() {
                lines.push(format!("  {title:<10}  {}", names.join(", ")));
            }
        }
        lines.push(format!("  plan        {}", self.forecast()));
        terminal.print(&lines.join("\n"))
    }
}

/// Writes the report of a run if `write`, and prints what came out.
pub fn conclude(run: &SuiteRun, runs: usize, study: &SuiteStudy, write: bool, terminal: &Terminal) -> Result<()> {
    let folder = run.folder.path();
    let finished = run.tables.results.len() / study.suite.pilot.passes.len();
    super::run::interrupted(&run.manifest, folder, finished, runs)?;
    let analysis = if write {
        report::suite::write(&run.folder, &ReportOptions::default()).map_err(|error| {
            error.note(format!("the results are whole: precocial report {} tries again", folder.display()))
        })?
    } else {
        report::suite::SuiteAnalysis::read(&run.folder)?
    };
    let page = super::report::page(&run.folder).filter(|_| write);
    terminal.object(&json!({
        "event": "summary",
        "folder": folder.display().to_string(),
        "report": page.as_ref().map(|page| page.display().to_string()),
        "manifest": run.manifest,
        "findings": analysis.findings,
    }))?;
    terminal.print(&report::suite::summary_text(&analysis))?;
    terminal.print(&format!(
        "  {}  {}\n  repeat   precocial run {}",
        if page.is_some() { "report " } else { "results" },
        page.as_deref().unwrap_or(folder).display(),
        folder.join("experiment.resolved.ron").display()
    ))
}
