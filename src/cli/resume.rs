//! `precocial resume`: goes on with a run that was interrupted, adds seeds to one that is whole, or gives it a larger budget.

use super::overrides::{parse_budget, parse_seeds};
use super::{check, memory_limit, progress::Progress, recipe_search, run, search, signals, suite};
use super::{terminal::Terminal, threads, units};
use precocial::Result;
use precocial::experiment::{
    self, Experiment, Folder, Loaded, RecipeSearch, RecipeStudy, Reopened, Resumable, Study, Suite, TopologySearch,
    to_text,
};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Resume {
    /// Result folders
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Further seeds: `31..60` (both included) or `7,9`
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<String>,
    /// A larger budget for an experiment: `20_000` in the unit of the old one, or `TrainingPasses(20_000)`. All runs begin
    /// anew, because what arms do depends on their budget; the old folder is moved aside to DIR.old-1
    #[arg(long, value_name = "BUDGET")]
    budget: Option<String>,
    /// Folder that relative paths of data files start from, if they have moved
    #[arg(long, value_name = "DIR")]
    data_folder: Option<PathBuf>,
    /// Threads; one for each processor unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
    /// Most memory that a run may plan for: `4GiB`, `500MB`; 80 % of what is free unless said otherwise
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes)]
    memory_limit: Option<u128>,
    /// Write tables and models only
    #[arg(long)]
    no_report: bool,
}

impl Resume {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        signals::catch(terminal);
        self.folders.iter().try_for_each(|path| {
            let folder = experiment::restore(path)?;
            if self.budget.is_some() {
                experiment::can_be_enlarged(&folder)?;
            }
            match folder.manifest()?.kind.as_str() {
                "TopologySearch" => self.search(folder, terminal),
                "Suite" => self.suite(folder, terminal),
                "RecipeSearch" => self.recipe(folder, terminal),
                _ => self.experiment(folder, terminal),
            }
        })
    }

    fn experiment(&self, folder: Folder, terminal: &Terminal) -> Result<()> {
        let mut reopened: Reopened<Experiment> = self.open(folder)?;
        if let Some(text) = &self.budget {
            reopened.enlarge(parse_budget(text, reopened.started.budget)?)?;
        }
        let loaded = self.loaded(&reopened);
        let study = Study::new(loaded.experiment.clone(), loaded.folder())?;
        let threads = threads(self.threads);
        if let Some(limit) = memory_limit(self.memory_limit) {
            study.check_memory(threads, limit)?;
        }
        if reopened.is_enlarged() {
            let (old, new) = (reopened.started.budget, reopened.document.budget);
            let aside = experiment::begin_anew(&study, &reopened, threads, loaded.folder())?;
            let (aside, place) = (aside.display().to_string(), reopened.folder.path().display().to_string());
            terminal.say(&format!("The run with {old} is now in {aside}; with {new} all runs begin anew in {place}."));
            terminal.event(&json!({"event": "moved aside", "folder": place, "aside": aside}));
            reopened = Reopened::open(reopened.folder, None)?;
        }
        let (arms, seeds) = (study.experiment.arms.len(), study.seeds.len());
        terminal.say(&format!(
            "{}  {} x {}, {} finished",
            study.experiment.name,
            check::counted(arms, "arm"),
            check::counted(seeds, "seed"),
            check::counted(reopened.finished(), "run"),
        ));
        let progress = Progress::after(terminal, arms * seeds, reopened.finished());
        let run = experiment::resume(&study, &reopened, threads, &progress);
        progress.finish();
        run::conclude(&run?, &study, !self.no_report, terminal)
    }

    fn search(&self, folder: Folder, terminal: &Terminal) -> Result<()> {
        let reopened: Reopened<TopologySearch> = self.open(folder)?;
        let loaded = self.loaded(&reopened);
        let study = precocial::experiment::SearchStudy::new(loaded.experiment.clone(), loaded.folder())?;
        let threads = threads(self.threads);
        if let Some(limit) = memory_limit(self.memory_limit) {
            study.check_memory(threads, limit)?;
        }
        let progress = Progress::after(terminal, study.seeds.len(), reopened.finished());
        let run = experiment::resume_search(&study, &reopened, threads, &progress);
        progress.finish();
        search::conclude(&run?, &study, !self.no_report, terminal)
    }

    fn suite(&self, folder: Folder, terminal: &Terminal) -> Result<()> {
        let reopened: Reopened<Suite> = self.open(folder)?;
        let loaded = self.loaded(&reopened);
        let study = experiment::SuiteStudy::new(loaded.experiment.clone(), loaded.folder())?;
        let threads = threads(self.threads);
        let plan = study.plan(threads)?;
        suite::check_memory(&plan, memory_limit(self.memory_limit))?;
        let finished = experiment::Standing::of(&reopened.folder)?.finished;
        let progress = Progress::after(terminal, plan.runs, finished);
        let run = experiment::resume_suite(&study, &reopened, threads, &progress);
        progress.finish();
        suite::conclude(&run?, plan.runs, &study, !self.no_report, terminal)
    }

    fn recipe(&self, folder: Folder, terminal: &Terminal) -> Result<()> {
        let reopened: Reopened<RecipeSearch> = self.open(folder)?;
        let loaded = self.loaded(&reopened);
        let study = RecipeStudy::new(loaded.experiment.clone(), loaded.folder())?;
        let threads = threads(self.threads);
        let plan = study.plan(threads)?;
        recipe_search::check_memory(&plan, memory_limit(self.memory_limit))?;
        let (runs, finished) = (plan.runs + plan.test.runs, experiment::Standing::of(&reopened.folder)?.finished);
        let progress = Progress::after(terminal, runs, finished);
        let run = experiment::resume_recipe_search(&study, &reopened, threads, &progress);
        progress.finish();
        recipe_search::conclude(&run?, runs, !self.no_report, terminal)
    }

    fn open<D: Resumable>(&self, folder: Folder) -> Result<Reopened<D>> {
        let more = self.seeds.as_deref().map(parse_seeds).transpose()?;
        Reopened::open(folder, more.as_ref())
    }

    /// The document as if it stood where the one did that was run.
    fn loaded<D: Resumable>(&self, reopened: &Reopened<D>) -> Loaded<D> {
        let folder = self.data_folder.clone().unwrap_or_else(|| reopened.data_folder());
        Loaded {
            source: to_text(&reopened.document).into(),
            experiment: reopened.document.clone(),
            path: folder.join("experiment.ron"),
        }
    }
}
