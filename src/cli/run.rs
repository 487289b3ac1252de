//! `precocial run`: from an experiment file to a result folder.

use super::follow::Followed;
use super::{
    Changes, check, overrides, progress::Progress, recipe_search, report, search, signals, suite, terminal::Terminal,
};
use precocial::error::Kind;
use precocial::experiment::folder::{State, command_line};
use precocial::experiment::{self, Loaded, Manifest, Opened, RecipeSearch, RunOptions, Study, Suite, TopologySearch};
use precocial::task::Data;
use precocial::{Error, Result};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Run {
    /// Experiment files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// The result folder; `results/NAME-1`, `-2` and so on unless said otherwise
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Move an existing result folder aside instead of refusing
    #[arg(long)]
    replace: bool,
    /// Show the steps of one training while it goes on: its arm, and its seed unless it is the first
    #[arg(long, value_name = "ARM[:SEED]")]
    follow: Option<String>,
    /// Say what would be done, and stop
    #[arg(long)]
    dry_run: bool,
    /// Write tables and models only
    #[arg(long)]
    no_report: bool,
}

impl Run {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        if self.out.is_some() && self.files.len() > 1 {
            return Err(Error::experiment("P0109", "--out names one folder, and there are several files")
                .help("run them one by one, or leave --out away: each gets its own folder in results/"));
        }
        signals::catch(terminal);
        self.files.iter().try_for_each(|file| self.one(file, terminal))
    }

    fn search(&self, loaded: &Loaded<TopologySearch>, terminal: &Terminal) -> Result<()> {
        let examined = search::examine(loaded, &self.changes)?;
        if self.dry_run {
            examined.print(&loaded.path, terminal)?;
            terminal.say("Nothing was run.");
            return Ok(());
        }
        terminal.say(&examined.headline());
        terminal.say(&format!("  plan: {}", examined.forecast()));
        let progress = Progress::new(terminal, examined.study.seeds.len());
        let run = examined.run(loaded, &self.options(&loaded.source, loaded.folder()), &progress);
        progress.finish();
        search::conclude(&run?, &examined.study, !self.no_report, terminal)
    }

    fn suite(&self, loaded: &Loaded<Suite>, terminal: &Terminal) -> Result<()> {
        let examined = suite::examine(loaded, &self.changes)?;
        if self.dry_run {
            examined.print(&loaded.path, terminal)?;
            terminal.say("Nothing was run.");
            return Ok(());
        }
        terminal.say(&examined.headline());
        terminal.say(&format!("  plan: {}", examined.forecast()));
        let progress = Progress::new(terminal, examined.plan.runs);
        let options = self.options(&loaded.source, loaded.folder());
        let run = experiment::run_suite(&examined.study, &options, &progress).map_err(|error| loaded.locate(error));
        progress.finish();
        suite::conclude(&run?, examined.plan.runs, &examined.study, !self.no_report, terminal)
    }

    fn recipe(&self, loaded: &Loaded<RecipeSearch>, terminal: &Terminal) -> Result<()> {
        let examined = recipe_search::examine(loaded, &self.changes)?;
        if self.dry_run {
            examined.print(&loaded.path, terminal)?;
            terminal.say("Nothing was run.");
            return Ok(());
        }
        terminal.say(&examined.headline());
        terminal.say(&format!("  plan: {}", examined.forecast()));
        let progress = Progress::new(terminal, examined.runs());
        let options = self.options(&loaded.source, loaded.folder());
        let run = experiment::run_recipe_search(&examined.study, &options, &progress);
        progress.finish();
        let run = run.map_err(|error| loaded.locate(error))?;
        recipe_search::conclude(&run, examined.runs(), !self.no_report, terminal)
    }

    fn options(&self, source: &str, folder: &Path) -> RunOptions {
        RunOptions {
            out: self.out.clone(),
            parent: None,
            replace: self.replace,
            threads: self.changes.threads(),
            source: Some(source.to_owned()),
            command: std::env::args().skip(1).collect(),
            data_folder: folder.to_owned(),
        }
    }

    fn one(&self, file: &Path, terminal: &Terminal) -> Result<()> {
        let loaded = match overrides::open(file, &self.changes)? {
            Opened::Experiment(loaded) => loaded,
            _ if self.follow.is_some() => {
                return Err(Error::experiment("P0109", "--follow shows a training of an experiment, and this is none")
                    .help("leave --follow out")
                    .in_file(file));
            }
            Opened::Search(loaded) => return self.search(&loaded, terminal),
            Opened::Suite(loaded) => return self.suite(&loaded, terminal),
            Opened::Recipe(loaded) => return self.recipe(&loaded, terminal),
        };
        let examined = check::examine(&loaded, &self.changes)?;
        let seeds = &examined.study.seeds;
        let followed = self.follow.as_deref().map(|text| Followed::of(text, &examined.study.experiment, seeds));
        let followed = followed.transpose()?;
        if self.dry_run {
            examined.print(terminal)?;
            terminal.say("Nothing was run.");
            return Ok(());
        }
        terminal.say(&examined.headline());
        terminal.say(&format!("  plan: {}", examined.forecast()));
        let options = self.options(&loaded.source, loaded.folder());
        let study = &examined.study;
        let progress = Progress::new(terminal, study.experiment.arms.len() * study.seeds.len()).following(followed);
        let run = experiment::run(&examined.study, &options, &progress).map_err(|error| loaded.locate(error));
        progress.finish();
        conclude(&run?, study, !self.no_report, terminal)
    }
}

/// Writes the report of a run if `write`, and prints what came out.
pub fn conclude(run: &experiment::Run, study: &Study, write: bool, terminal: &Terminal) -> Result<()> {
    interrupted(
        &run.manifest,
        run.folder.path(),
        run.tables.results.len(),
        study.experiment.arms.len() * study.seeds.len(),
    )?;
    let page = report::after_run(run, write, terminal)?;
    let folder = run.folder.path();
    terminal.object(&json!({
        "event": "summary",
        "folder": folder.display().to_string(),
        "report": page.as_ref().map(|page| page.display().to_string()),
        "manifest": run.manifest,
        "results": run.tables.results,
    }))?;
    // Paths of tables start at the experiment file, so a copy of it elsewhere would not find them.
    let is_movable = matches!(study.experiment.task.data(), Data::Builtin(_)) || run.manifest.data.is_empty();
    let again = if is_movable {
        format!("precocial run {}", folder.join("experiment.resolved.ron").display())
    } else {
        command_line(&run.manifest.command)
    };
    let (word, place) = match &page {
        Some(page) => ("report ", page.as_path()),
        None => ("results", folder),
    };
    terminal.print(&format!("  {word}  {}\n  repeat   {again}", place.display()))
}

/// Refuses to conclude a run that is not whole: says how to go on with it.
pub fn interrupted(manifest: &Manifest, folder: &Path, finished: usize, runs: usize) -> Result<()> {
    if manifest.state == State::Complete {
        return Ok(());
    }
    let message =
        format!("interrupted when {finished} of {runs} runs had finished; the others are saved where they were");
    Err(Error::new(Kind::Interrupted, "P0701", message)
        .help(format!("continue with: precocial resume {}", folder.display())))
}
