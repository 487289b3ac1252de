//! Topology searches on the command line: what they would take, how they are run, what is printed afterwards.

use super::check::counted;
use super::{Changes, terminal::Terminal, units};
use precocial::Result;
use precocial::experiment::search::tables::{ResultKind, ResultRow};
use precocial::experiment::search::{SearchPlan, config::SearchTask};
use precocial::experiment::{self, Loaded, RunOptions, SearchStudy, TopologySearch, Watch, bytes_text, grouped};
use precocial::report::ReportOptions;
use serde_json::json;

/// A search that can be run, and what it would take.
pub struct Examined {
    pub study: SearchStudy,
    plan: SearchPlan,
    threads: usize,
    /// Seconds that the run will take at most, about.
    seconds: f64,
}

/// Loads the data, makes the plan, checks the memory.
pub fn examine(loaded: &Loaded<TopologySearch>, changes: &Changes) -> Result<Examined> {
    let threads = changes.threads();
    let study = loaded.study()?;
    if let Some(limit) = changes.memory_limit() {
        study.check_memory(threads, limit).map_err(|error| loaded.locate(error))?;
    }
    let plan = study.plan(threads)?;
    let seconds = plan.total * study.seconds_a_trial_step()? / threads as f64;
    Ok(Examined { study, plan, threads, seconds })
}

impl Examined {
    /// `wann-swingup  64 networks x 1 024 generations x 5 seeds`
    pub fn headline(&self) -> String {
        let document = &self.study.document;
        let (population, generations) = (document.search.population.get(), document.search.generations.get());
        format!(
            "{}  {} x {} x {}",
            document.name,
            counted(population, "network"),
            counted(generations, "generation"),
            counted(self.study.seeds.len(), "seed")
        )
    }

    /// `5 898 240 episodes of up to 1 000 steps, at most about 4 min on 2 threads, peak memory about 21 MiB`
    pub fn forecast(&self) -> String {
        let plan = &self.plan;
        let work = plan.networks.saturating_mul(plan.trials).saturating_mul(self.study.seeds.len() as u64);
        let (what, unit) =
            if self.study.document.task.is_control() { ("episodes", "steps") } else { ("scores", "rows") };
        format!(
            "{} {what} of up to {} {unit}, {} on {}, peak memory about {}",
            grouped(work),
            grouped(plan.length),
            units::seconds(self.seconds),
            counted(self.threads, "thread"),
            bytes_text(plan.bytes),
        )
    }

    pub fn print(&self, file: &std::path::Path, terminal: &Terminal) -> Result<()> {
        let (study, plan) = (&self.study, &self.plan);
        let search = &study.document.search;
        terminal.object(&json!({
            "event": "checked",
            "kind": "TopologySearch",
            "file": file.display().to_string(),
            "name": study.document.name.as_str(),
            "inputs": study.inputs,
            "outputs": study.outputs,
            "rows": plan.rows,
            "networks": plan.networks,
            "trials": plan.trials,
            "length": plan.length,
            "seeds": study.seeds.len(),
            "bytes": plan.bytes as f64,
            "seconds": self.seconds,
            "threads": self.threads,
        }))?;
        let task = match (&study.document.task, &study.dataset) {
            (SearchTask::Control { environment, .. }, _) => {
                format!("{}: episodes of up to {} steps", environment.name(), grouped(plan.length))
            }
            (_, Some(data)) => {
                let [training, validation, test] = plan.rows;
                let rows = counted(data.rows(), "row");
                format!("{}: {rows} ({training} train, {validation} validate, {test} test)", data.name)
            }
            _ => String::new(),
        };
        let weights: Vec<String> = search.weights.iter().map(f32::to_string).collect();
        let mut lines = vec![
            self.headline(),
            format!("  task      {task}"),
            format!(
                "  networks  {}, {}, each scored {} times: {} x shared weights {}",
                counted(study.inputs.len(), "input"),
                counted(study.outputs.len(), "output"),
                plan.trials,
                plan.trials / weights.len() as u64,
                weights.join(", ")
            ),
            format!("  plan      {}", self.forecast()),
        ];
        let notes = study.dataset.as_ref().map_or(&[][..], |data| &data.notes);
        lines.extend(notes.iter().map(|note| format!("  note      {note}")));
        terminal.print(&lines.join("\n"))
    }

    /// Runs it and prints what was found.
    pub fn run(
        &self,
        loaded: &Loaded<TopologySearch>,
        options: &RunOptions,
        watch: &dyn Watch,
    ) -> Result<experiment::SearchRun> {
        experiment::run_search(&self.study, options, watch).map_err(|error| loaded.locate(error))
    }
}

/// Writes the report of a run if `write`, and prints what came out.
pub fn conclude(run: &experiment::SearchRun, study: &SearchStudy, write: bool, terminal: &Terminal) -> Result<()> {
    let folder = run.folder.path();
    let mut finished: Vec<u64> = run.tables.results.iter().map(|row| row.seed).collect();
    finished.dedup();
    super::run::interrupted(&run.manifest, folder, finished.len(), study.seeds.len())?;
    if write {
        precocial::report::search::write(&run.folder, &ReportOptions::default())
            .map_err(|error| error.note(format!("the run is whole: its tables are in {}", folder.display())))?;
    }
    let page = super::report::page(&run.folder).filter(|_| write);
    terminal.object(&json!({
        "event": "summary",
        "folder": folder.display().to_string(),
        "report": page.as_ref().map(|page| page.display().to_string()),
        "manifest": run.manifest,
        "results": run.tables.results,
    }))?;
    terminal.print(&summary(&run.tables.results, study))?;
    terminal.print(&format!(
        "  {}  {}\n  repeat   precocial run {}",
        if page.is_some() { "report " } else { "results" },
        page.as_deref().unwrap_or(folder).display(),
        folder.join("experiment.resolved.ron").display()
    ))
}

/// One line a kind: median over seeds, lowest, highest, and the median share of failures.
fn summary(rows: &[ResultRow], study: &SearchStudy) -> String {
    let control = study.document.task.is_control();
    let unit = match &study.document.task {
        SearchTask::Control { .. } => "return of an episode",
        SearchTask::Classification { .. } => "accuracy",
        _ => "minus the loss",
    };
    let number = |x: f64| match &study.document.task {
        SearchTask::Control { .. } => format!("{x:.1}"),
        SearchTask::Classification { .. } => format!("{:.1} %", 100.0 * x),
        _ => format!("{x:.4}"),
    };
    let mut kinds: Vec<ResultKind> = Vec::new();
    rows.iter().for_each(|row| {
        if !kinds.contains(&row.kind) {
            kinds.push(row.kind);
        }
    });
    let width = kinds.iter().map(|kind| kind.title().chars().count()).max().unwrap_or(0);
    let failures = if control { "  failures" } else { "" };
    let mut lines = vec![format!("  {unit:<width$}  {:>9}  {:>9} {:>9}{failures}", "median", "lowest", "highest")];
    for kind in kinds {
        let of = |value: fn(&ResultRow) -> Option<f64>| {
            let mut values: Vec<f64> = rows.iter().filter(|row| row.kind == kind).filter_map(value).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let (scores, failures) = (of(|row| row.score), of(|row| row.failures));
        let (Some(middle), Some(low), Some(high)) = (median(&scores), scores.first(), scores.last()) else { continue };
        let failures = median(&failures).map_or_else(String::new, |share| format!("  {:>6.1} %", 100.0 * share));
        let (middle, low, high) = (number(middle), number(*low), number(*high));
        lines.push(
            format!("  {:<width$}  {middle:>9}  {low:>9} {high:>9}{failures}", kind.title()).trim_end().to_owned(),
        );
    }
    lines.join("\n")
}

/// The middle of sorted numbers.
fn median(sorted: &[f64]) -> Option<f64> {
    let count = sorted.len();
    (count > 0).then(|| 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]))
}
