//! Running a suite: phase after phase, every finished seed of a cell saved at once.

use super::config::Suite;
use super::plan::{Cell, SuiteStudy};
use super::table::{CELLS, Phase, SuiteRow, SuiteTables, load_cell, save_cell};
use crate::error::{Error, Result};
use crate::experiment::checkpoint;
use crate::experiment::folder::{Folder, Manifest, State};
use crate::experiment::load::to_text;
use crate::experiment::prepare::Study;
use crate::experiment::record::{HistoryRow, ResultRow, RunRecord};
use crate::experiment::replicate::{Desk, run_replicate};
use crate::experiment::resume::{Reopened, check_data};
use crate::experiment::run::{RunOptions, blank, create, end, pool, prolong, safe, tidy};
use crate::experiment::watch::{Event, Watch};
use crate::files;
use rayon::prelude::*;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A run of a suite.
#[derive(Debug)]
pub struct SuiteRun {
    /// Where it was written.
    pub folder: Folder,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its table.
    pub tables: SuiteTables,
}

/// The phases, in the order of running.
const PHASES: [Phase; 3] = [Phase::Pilot, Phase::Selection, Phase::Final];

/// Runs a suite and writes its result folder; no report. A run that its watch ended early is saved and says so in its
/// manifest: [`resume_suite`] goes on with it.
///
/// # Errors
/// A folder that cannot be written, data that cannot be split at some seed, a task whose pilot names no target (`P0161`).
pub fn run_suite(study: &SuiteStudy, options: &RunOptions, watch: &dyn Watch) -> Result<SuiteRun> {
    let (threads, pool) = pool(options.threads)?;
    let (folder, lock) = create(study.suite.name.as_str(), options)?;
    let resolved = to_text(&study.suite);
    let source = options.source.clone().unwrap_or_else(|| resolved.clone());
    files::replace(&folder.path().join("experiment.ron"), source.as_bytes())?;
    files::replace(&folder.path().join("experiment.resolved.ron"), resolved.as_bytes())?;
    let manifest = Manifest {
        data: study.files.clone(),
        notes: study.notes(),
        ..blank(&study.suite, study.suite.name.as_str(), options, threads, &resolved)
    };
    folder.save_manifest(&manifest).map_err(|error| safe(error, &folder))?;
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

/// Goes on with the suite in a folder that was opened again; the result has the same bits as one that was never
/// interrupted.
///
/// # Errors
/// As [`run_suite`]; another process that writes into the folder (`P0505`), data that changed (`P0310`), other seeds than
/// those that were written down before (`P0309`).
pub fn resume_suite(
    study: &SuiteStudy,
    reopened: &Reopened<Suite>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<SuiteRun> {
    if reopened.document.seeds.to_vec() != reopened.started.seeds.to_vec() {
        return Err(Error::experiment("P0309", "the seeds of a suite were written down before its results were seen")
            .note("whoever adds seeds until a result pleases finds what is not there")
            .help("a suite with other seeds is another suite: precocial run FILE.ron"));
    }
    let (threads, pool) = pool(threads)?;
    let folder = reopened.folder.clone();
    let (lock, mut manifest) = reopened.lock()?;
    check_data(&manifest, &study.files)?;
    if manifest.state == State::Complete {
        tidy(&folder);
        checkpoint::clear(folder.path())?;
        return Ok(SuiteRun { tables: SuiteTables::load(folder.path())?, folder, manifest });
    }
    prolong(&folder, &mut manifest, &study.suite, threads).map_err(|error| safe(error, &folder))?;
    files::sweep(&folder.path().join(CELLS));
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

fn go_on(
    study: &SuiteStudy,
    folder: &Folder,
    mut manifest: Manifest,
    pool: &rayon::ThreadPool,
    watch: &dyn Watch,
) -> Result<SuiteRun> {
    for part in [CELLS, "experiments"] {
        files::make_folder(&folder.path().join(part))?;
    }
    let mut rows: Vec<SuiteRow> = Vec::new();
    let mut whole = true;
    for phase in PHASES {
        let cells = study.cells(phase, &rows)?;
        let finished: Vec<Vec<SuiteRow>> = pool.install(|| {
            let run = |cell: &Cell| run_cell(study, cell, folder.path(), watch);
            cells.par_iter().with_max_len(1).map(run).collect::<Result<_>>()
        })?;
        whole = cells.iter().zip(&finished).all(|(cell, rows)| {
            let count = study.suite.pilot.passes.len() * cell.arms.len() * study.seeds(phase).len();
            rows.len() == count
        });
        rows.extend(finished.into_iter().flatten());
        if !whole {
            break;
        }
    }
    let tables = SuiteTables { results: rows };
    // Of a suite under way the cells are the truth, and a table would only repeat them.
    if whole {
        tables.save(folder.path())?;
        manifest.bits = tables.bits()?;
    }
    end(folder, &mut manifest, whole)?;
    Ok(SuiteRun { folder: folder.clone(), manifest, tables })
}

/// Runs what is not finished of a cell; the rows of all seeds that are.
pub(in crate::experiment) fn run_cell(
    study: &SuiteStudy,
    cell: &Cell,
    folder: &Path,
    watch: &dyn Watch,
) -> Result<Vec<SuiteRow>> {
    let name = study.name(cell);
    let saved = load_cell(folder, &name)?;
    let left: Vec<u64> = study.seeds(cell.phase).to_vec();
    let left: Vec<u64> = left.into_iter().filter(|seed| saved.iter().all(|row| row.seed != *seed)).collect();
    if left.is_empty() || watch.is_cancelled() {
        return Ok(saved);
    }
    let text = to_text(&study.experiment(cell));
    files::replace(&folder.join("experiments").join(format!("{name}.ron")), text.as_bytes())?;
    let all = Mutex::new(saved);
    let ready = study.study(cell)?;
    left.par_iter().with_max_len(1).try_for_each(|&seed| {
        let Some(rows) = run_seed(study, cell, &ready, seed, watch)? else { return Ok(()) };
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(rows);
        sort(study, cell, &mut all);
        save_cell(folder, &name, &all)
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Arms as in the suite, then seeds as listed, then targets.
fn sort(study: &SuiteStudy, cell: &Cell, rows: &mut [SuiteRow]) {
    let seeds = study.seeds(cell.phase);
    rows.sort_by_key(|row| {
        let arm = study.suite.arms.iter().position(|arm| arm.name.as_str() == row.arm);
        (arm, seeds.iter().position(|seed| *seed == row.seed), row.target)
    });
}

/// All arms of a cell at a seed; `None` if that was interrupted.
fn run_seed(
    study: &SuiteStudy,
    cell: &Cell,
    ready: &Study,
    seed: u64,
    watch: &dyn Watch,
) -> Result<Option<Vec<SuiteRow>>> {
    let named = Named { watch, task: study.suite.tasks[cell.task].name.as_str() };
    let desk =
        Desk { with_predictions: false, watch: &named, vault: None, is_whole: &|_| true, keep: &|_, _, _| Ok(()) };
    let mut finished = Vec::new();
    run_replicate(ready, seed, &desk, &mut finished)?;
    if finished.len() < cell.arms.len() {
        return Ok(None);
    }
    let rows_trained = ready.prepare(seed)?.supervised.training.count() as f64;
    Ok(Some(finished.into_iter().flat_map(|left| told(study, cell, left.record, rows_trained)).collect()))
}

/// The rows of a run: one a target.
fn told(study: &SuiteStudy, cell: &Cell, run: RunRecord, rows: f64) -> Vec<SuiteRow> {
    let RunRecord { result, history, .. } = run;
    let row = |target: usize, loss: Option<f64>, passes: Option<f64>| SuiteRow {
        phase: cell.phase,
        task: study.suite.tasks[cell.task].name.to_string(),
        trainer: study.suite.trainers[cell.trainer].name.to_string(),
        arm: result.arm.clone(),
        seed: result.seed,
        target,
        loss,
        passes,
        total: result.total_cost / rows,
        state: result.state,
        train_loss: history.last().and_then(|look| look.best_train_loss),
        test_loss: result.test_loss,
        test_metric: result.test_metric,
        weights_hash: result.weights_hash.clone(),
    };
    let numbered = |place: usize| place + 1;
    if cell.phase == Phase::Pilot {
        let seen = |passes: f64| {
            let before = history.partition_point(|look| look.cost <= passes * rows);
            before.checked_sub(1).and_then(|last| history[last].best_train_loss)
        };
        let passes = study.suite.pilot.passes.iter().map(|passes| passes.get()).enumerate();
        return passes.map(|(place, passes)| row(numbered(place), seen(passes), Some(passes))).collect();
    }
    let passes = |target: f64| reached(&history, target).map(|cost| cost / rows);
    let targets = cell.targets.iter().enumerate();
    targets.map(|(place, target)| row(numbered(place), Some(*target), passes(*target))).collect()
}

/// Row-passes at the first look that found this training loss; `None` if the run ended before.
pub(in crate::experiment) fn reached(history: &[HistoryRow], target: f64) -> Option<f64> {
    let there = |look: &&HistoryRow| look.train_loss.is_some_and(|loss| loss <= target);
    history.iter().find(there).map(|look| look.cost)
}

/// A watch that is told of which task an arm is.
struct Named<'a> {
    watch: &'a dyn Watch,
    task: &'a str,
}

impl Watch for Named<'_> {
    fn event(&self, event: Event) {
        let named = |arm: &str| format!("{arm} on {}", self.task);
        match event {
            Event::ArmStarted { arm, seed } => self.watch.event(Event::ArmStarted { arm: &named(arm), seed }),
            Event::Progress { arm, seed, spent, budget } => {
                self.watch.event(Event::Progress { arm: &named(arm), seed, spent, budget });
            }
            Event::ArmFinished { row } => {
                let row = ResultRow { arm: named(&row.arm), ..row.clone() };
                self.watch.event(Event::ArmFinished { row: &row });
            }
            other => self.watch.event(other),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.watch.is_cancelled()
    }
}

/// Runs that have finished of a suite, and all that there are as far as is known: finalists are known after the selection.
///
/// # Errors
/// A cell that cannot be read.
pub fn standing(folder: &Folder, suite: &Suite) -> Result<(usize, usize)> {
    let targets = suite.pilot.passes.len().max(1);
    let manifest = folder.manifest()?;
    if manifest.state == State::Complete {
        let runs = SuiteTables::load(folder.path())?.results.len() / targets;
        return Ok((runs, runs));
    }
    let study = SuiteStudy::new(suite.clone(), Path::new(&manifest.data_folder)).ok();
    let mut rows = Vec::new();
    let place = folder.path().join(CELLS);
    let mut names: Vec<_> = std::fs::read_dir(&place).into_iter().flatten().flatten().map(|file| file.path()).collect();
    names.sort();
    for path in names.iter().filter(|path| path.extension().is_some_and(|ending| ending == "csv")) {
        rows.extend(crate::experiment::folder::read::<SuiteRow>(path)?);
    }
    let finished = rows.len() / targets;
    Ok((finished, study.and_then(|study| study.plan(1).ok()).map_or(finished, |plan| plan.runs)))
}

/// Runs seeds of a complete suite again: the rows as they were and as they are now.
///
/// # Errors
/// `P0309` for a seed that is in no phase; as [`run_suite`].
pub fn again(
    study: &SuiteStudy,
    old: &SuiteTables,
    seeds: Option<&[u64]>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<(Vec<SuiteRow>, Vec<SuiteRow>)> {
    let (_, pool) = pool(threads)?;
    let wanted = |seed: u64| seeds.is_none_or(|seeds| seeds.contains(&seed));
    if let Some(strange) =
        seeds.into_iter().flatten().find(|seed| PHASES.iter().all(|phase| !study.seeds(*phase).contains(seed)))
    {
        return Err(Error::experiment("P0309", format!("no phase of \"{}\" has a seed {strange}", study.suite.name))
            .help("name seeds that were run"));
    }
    let mut now = Vec::new();
    for phase in PHASES {
        for cell in study.cells(phase, &old.results)? {
            let ready = study.study(&cell)?;
            let seeds: Vec<u64> = study.seeds(phase).iter().copied().filter(|seed| wanted(*seed)).collect();
            let run = |seed: &u64| run_seed(study, &cell, &ready, *seed, watch);
            let rows: Vec<Option<Vec<SuiteRow>>> =
                pool.install(|| seeds.par_iter().with_max_len(1).map(run).collect::<Result<_>>())?;
            let mut rows: Vec<SuiteRow> = rows.into_iter().flatten().flatten().collect();
            sort(study, &cell, &mut rows);
            now.extend(rows);
        }
    }
    let old = old.results.iter().filter(|row| wanted(row.seed)).cloned().collect();
    Ok((old, now))
}
