//! Recipe searches on the command line: what they would take at most, and what is printed afterwards.

use super::check::{counted, measure};
use super::{Changes, terminal::Terminal, units};
use precocial::experiment::recipe_search::RecipePlan;
use precocial::experiment::suite::SuiteStudy;
use precocial::experiment::{Loaded, RecipeRun, RecipeSearch, RecipeStudy, Standing, bytes_text, grouped};
use precocial::report::{self, ReportOptions};
use precocial::{Error, Result, error::Kind};
use serde_json::json;
use std::path::Path;

/// A recipe search that can be run, and what it would take.
pub struct Examined {
    pub study: RecipeStudy,
    pub plan: RecipePlan,
    threads: usize,
    /// Seconds that it will take at most, about.
    seconds: f64,
}

/// Loads the data of all tasks, makes the plan, checks the memory.
pub fn examine(loaded: &Loaded<RecipeSearch>, changes: &Changes) -> Result<Examined> {
    let threads = changes.threads();
    let study = loaded.study()?;
    let plan = study.plan(threads).map_err(|error| loaded.locate(error))?;
    check_memory(&plan, changes.memory_limit())?;
    let mut seconds = 0.0;
    for (suite, multiply_adds) in [(&study.training, &plan.multiply_adds), (&study.test, &plan.test.multiply_adds)] {
        seconds += self::seconds(suite, multiply_adds)? / threads as f64;
    }
    Ok(Examined { study, plan, threads, seconds })
}

fn seconds(suite: &SuiteStudy, multiply_adds: &[f64]) -> Result<f64> {
    let each = multiply_adds.iter().enumerate();
    each.map(|(task, multiply_adds)| Ok(multiply_adds / measure(&suite.sample(task)?)?)).sum()
}

/// Refuses a search that needs more memory than it may use.
pub fn check_memory(plan: &RecipePlan, limit: Option<u128>) -> Result<()> {
    match limit {
        Some(limit) if plan.bytes > limit => {
            let (needs, limit) = (bytes_text(plan.bytes), bytes_text(limit));
            let message = format!("the largest task of this search needs about {needs} of memory; {limit} may be used");
            Err(Error::new(Kind::Limit, "P0140", message)
                .help("fewer --threads make fewer runs at a time")
                .help("--memory-limit raises the limit"))
        }
        _ => Ok(()),
    }
}

impl Examined {
    /// Runs of everything.
    pub fn runs(&self) -> usize {
        self.plan.runs + self.plan.test.runs
    }

    /// `recipe-search  5 numbers of V1  3 searches x 20 generations x 9 recipes on 8 tasks x 2 trainers x 4 seeds`
    pub fn headline(&self) -> String {
        let document = &self.study.document;
        format!(
            "{}  {} of {}  {} x {} x {} on {} x {} x {}",
            document.name,
            counted(self.study.searched.len(), "number"),
            document.family.name(),
            match self.study.seeds.len() {
                1 => "1 search".to_owned(),
                several => format!("{several} searches"),
            },
            counted(document.evolution.generations.get(), "generation"),
            counted(self.plan.population, "recipe"),
            counted(document.tasks.len(), "task"),
            counted(document.trainers.len(), "trainer"),
            counted(document.evolution.seeds.get(), "seed"),
        )
    }

    /// `at most 41 400 runs and 2 h on 2 threads, peak memory about 21 MiB`
    pub fn forecast(&self) -> String {
        format!(
            "at most {} runs and {} on {}, peak memory about {}; runs end at their last target",
            grouped(self.runs() as u64),
            units::seconds(self.seconds),
            counted(self.threads, "thread"),
            bytes_text(self.plan.bytes),
        )
    }

    pub fn print(&self, file: &Path, terminal: &Terminal) -> Result<()> {
        let (study, document) = (&self.study, &self.study.document);
        let tasks: Vec<&str> = document.tasks.iter().map(|task| task.name.as_str()).collect();
        let tested: Vec<&str> = document.test.tasks.iter().map(|task| task.name.as_str()).collect();
        let names: Vec<&str> = study.searched.iter().map(|&place| study.fields()[place].name).collect();
        let arms: Vec<&str> = study.test.suite.arms.iter().map(|arm| arm.name.as_str()).collect();
        terminal.object(&json!({
            "event": "checked",
            "kind": "RecipeSearch",
            "file": file.display().to_string(),
            "name": document.name.as_str(),
            "numbers": names,
            "tasks": tasks,
            "test_tasks": tested,
            "test_arms": arms,
            "runs": self.runs(),
            "bytes": self.plan.bytes as f64,
            "seconds": self.seconds,
            "threads": self.threads,
        }))?;
        let lines = [
            self.headline(),
            format!("  numbers     {}", names.join(", ")),
            format!("  trained on  {}", tasks.join(", ")),
            format!("  tested on   {}", tested.join(", ")),
            format!("  against     {}", arms.join(", ")),
            format!("  plan        {}", self.forecast()),
        ];
        terminal.print(&lines.join("\n"))
    }
}

/// Writes the report of a run if `write`, and prints what came out.
pub fn conclude(run: &RecipeRun, runs: usize, write: bool, terminal: &Terminal) -> Result<()> {
    let folder = run.folder.path();
    super::run::interrupted(&run.manifest, folder, Standing::of(&run.folder)?.finished, runs)?;
    let analysis = if write {
        report::recipe_search::write(&run.folder, &ReportOptions::default()).map_err(|error| {
            error.note(format!("the results are whole: precocial report {} tries again", folder.display()))
        })?
    } else {
        report::recipe_search::RecipeAnalysis::read(&run.folder)?
    };
    let page = super::report::page(&run.folder).filter(|_| write);
    terminal.object(&json!({
        "event": "summary",
        "folder": folder.display().to_string(),
        "report": page.as_ref().map(|page| page.display().to_string()),
        "manifest": run.manifest,
        "recipe": folder.join("recipe.ron").display().to_string(),
        "found": run.tables.found(),
        "test": analysis.test.as_ref().map(|test| &test.findings),
    }))?;
    terminal.print(&report::recipe_search::summary_text(&analysis))?;
    terminal.print(&format!(
        "  recipe   {}\n  {}  {}\n  repeat   precocial run {}",
        folder.join("recipe.ron").display(),
        if page.is_some() { "report " } else { "results" },
        page.as_deref().unwrap_or(folder).display(),
        folder.join("experiment.resolved.ron").display()
    ))
}
