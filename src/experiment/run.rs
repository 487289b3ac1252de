//! Running an experiment: replicates in parallel, every finished run saved at once.

use crate::cost::Cost;
use crate::error::{Error, Kind, Result};
use crate::experiment::arm::Finished;
use crate::experiment::checkpoint::{self, Vault};
use crate::experiment::config::Experiment;
use crate::experiment::enlarge;
use crate::experiment::folder::{Folder, LAYOUT, Lock, Manifest, State, Tables};
use crate::experiment::load::Document;
use crate::experiment::model::Model;
use crate::experiment::prepare::{Plan, Study};
use crate::experiment::record::{Moment, RunRecord};
use crate::experiment::replicate::{Desk, Left, Weights, hexadecimal, run_replicate};
use crate::experiment::resume::{Reopened, Resumable, check_data, meaning_hash};
use crate::experiment::watch::Watch;
use crate::files;
use crate::math::kernel::Isa;
use crate::network::Dense;
use crate::rng::STREAM_VERSION;
use crate::task::Prepared;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where and how a run is written.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The result folder itself; else the first free `<parent>/<name>-<n>`.
    pub out: Option<PathBuf>,
    /// Folder that numbered result folders are made in; `results` unless said otherwise.
    pub parent: Option<PathBuf>,
    /// Moves an existing result folder aside instead of refusing.
    pub replace: bool,
    /// Threads; 0 is one for each processor.
    pub threads: usize,
    /// The user's experiment file, to be kept as it was written.
    pub source: Option<String>,
    /// The command, for the manifest.
    pub command: Vec<String>,
    /// Folder that relative paths of data files start from, for the manifest.
    pub data_folder: PathBuf,
}

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// Where it was written.
    pub folder: Folder,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its tables.
    pub tables: Tables,
}

/// Runs a study and writes its result folder; no report. A run that its watch ended early is saved and says so in its
/// manifest: [`resume`] goes on with it.
///
/// # Errors
/// A folder that cannot be written, or data that cannot be split at some seed. What had been finished by then is in the
/// folder.
pub fn run(study: &Study, options: &RunOptions, watch: &dyn Watch) -> Result<Run> {
    let (threads, pool) = pool(options.threads)?;
    let plan = study.plan(threads)?;
    let (folder, lock) = create(study.experiment.name.as_str(), options)?;
    let manifest = lay(study, &folder, options, &plan, threads).map_err(|error| safe(error, &folder))?;
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

/// Writes into an empty folder what is to be run: from then on [`resume`] can go on with it.
pub(super) fn lay(
    study: &Study,
    folder: &Folder,
    options: &RunOptions,
    plan: &Plan,
    threads: usize,
) -> Result<Manifest> {
    let resolved = super::load::to_text(&study.experiment);
    let source = options.source.as_deref().unwrap_or(&resolved);
    files::replace(&folder.path().join("experiment.ron"), source.as_bytes())?;
    files::replace(&folder.path().join("experiment.resolved.ron"), resolved.as_bytes())?;
    let manifest = begin(study, options, plan, threads, &resolved);
    folder.save_manifest(&manifest)?;
    Ok(manifest)
}

/// Goes on with the run in a folder that was opened again: finishes what is not finished, and runs seeds that were added.
/// The result has the same bits as a run that was never interrupted and had all seeds from the beginning.
///
/// # Errors
/// As [`run`]; another process that writes into the folder (`P0505`), or data that changed (`P0310`).
pub fn resume(study: &Study, reopened: &Reopened<Experiment>, threads: usize, watch: &dyn Watch) -> Result<Run> {
    let (threads, pool) = pool(threads)?;
    let folder = reopened.folder.clone();
    let (lock, mut manifest) = reopened.lock()?;
    check_data(&manifest, &study.dataset.files)?;
    if manifest.state == State::Complete {
        if reopened.started.clone().seeds().to_vec() == study.seeds {
            tidy(&folder);
            checkpoint::clear(folder.path())?;
            return Ok(Run { tables: folder.tables()?, folder, manifest });
        }
        keep_finished(study, &folder, &manifest).map_err(|error| safe(error, &folder))?;
    }
    prolong(&folder, &mut manifest, &study.experiment, threads).map_err(|error| safe(error, &folder))?;
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

/// A run whose tables are whole becomes one whose runs have finished, so that more can be added.
fn keep_finished(study: &Study, folder: &Folder, manifest: &Manifest) -> Result<()> {
    let vault = Vault::open(folder.path(), &manifest.meaning, &study.experiment.checkpoint)?;
    let mut spent: Vec<(String, Cost)> = manifest.spent.clone();
    for mut record in folder.tables()?.records() {
        let (arm, seed) = (record.result.arm.clone(), record.result.seed);
        // Tables do not tell categories of cost apart; only their sums over an arm's seeds are told anywhere.
        if let Some(place) = spent.iter().position(|entry| entry.0 == arm) {
            record.cost = spent.swap_remove(place).1;
        }
        let all = [Moment::Drawn, Moment::Start, Moment::End];
        let models = all.into_iter().filter(|moment| folder.model_path(&arm, seed, *moment).is_file()).collect();
        let finished = Finished { search_cost: Cost::ZERO, start: None };
        vault.slot(&format!("{arm}-s{seed}")).finish(&Left { record, finished, models })?;
    }
    Ok(())
}

/// Takes away what writes left that were killed. Only for whoever holds the lock of the folder.
pub(super) fn tidy(folder: &Folder) {
    for part in ["", "models", "networks", "checkpoints", "plots", "experiments"] {
        files::sweep(&folder.path().join(part));
    }
    enlarge::sweep(folder);
}

/// Says in the folder that it is being written again, and what.
pub(super) fn prolong<D: Resumable>(
    folder: &Folder,
    manifest: &mut Manifest,
    document: &D,
    threads: usize,
) -> Result<()> {
    tidy(folder);
    let resolved = super::load::to_text(document);
    files::replace(&folder.path().join("experiment.resolved.ron"), resolved.as_bytes())?;
    manifest.experiment_hash = hexadecimal(&Sha256::digest(resolved.as_bytes()));
    manifest.state = State::Running;
    manifest.threads = threads;
    manifest.ended = None;
    manifest.resumed.push(now());
    folder.save_manifest(manifest)
}

fn go_on(
    study: &Study,
    folder: &Folder,
    mut manifest: Manifest,
    pool: &rayon::ThreadPool,
    watch: &dyn Watch,
) -> Result<Run> {
    files::make_folder(&folder.path().join("models"))?;
    let vault = Vault::open(folder.path(), &manifest.meaning, &study.experiment.checkpoint)?;
    let records: Mutex<Vec<RunRecord>> = Mutex::default();
    let is_whole = |left: &Left| {
        let (arm, seed) = (left.record.result.arm.as_str(), left.record.result.seed);
        left.models.iter().all(|moment| Model::load(&folder.model_path(arm, seed, *moment)).is_ok())
    };
    let keep = |left: &Left, weights: &Weights, prepared: &Prepared| {
        let (arm, seed) = (left.record.result.arm.as_str(), left.record.result.seed);
        weights.moments().try_for_each(|(moment, params)| {
            Model::of(study, prepared, arm, seed, moment, params).save(&folder.model_path(arm, seed, moment))
        })
    };
    let outcome: Result<()> = pool.install(|| {
        study.seeds.par_iter().enumerate().try_for_each(|(index, &seed)| {
            let desk =
                Desk { with_predictions: index == 0, watch, vault: Some(&vault), is_whole: &is_whole, keep: &keep };
            let mut finished = Vec::new();
            let outcome = run_replicate(study, seed, &desk, &mut finished);
            records.lock().unwrap_or_else(PoisonError::into_inner).extend(finished.into_iter().map(|left| left.record));
            outcome
        })
    });
    let records = records.into_inner().unwrap_or_else(PoisonError::into_inner);
    let whole = records.len() == study.seeds.len() * study.experiment.arms.len();
    let saved = settle(study, folder, &mut manifest, records, whole);
    // What went wrong first matters more than that it could not be written down.
    let tables = outcome.and(saved)?;
    Ok(Run { folder: folder.clone(), manifest, tables })
}

/// Writes tables and manifest; of a whole run, checkpoints are of no use any more.
fn settle(
    study: &Study,
    folder: &Folder,
    manifest: &mut Manifest,
    records: Vec<RunRecord>,
    whole: bool,
) -> Result<Tables> {
    manifest.spent = spent(&study.experiment, &records);
    files::settle(&folder.path().join("models"))?;
    let tables = Tables::of(records, study);
    tables.save(folder.path())?;
    manifest.bits = tables.bits()?;
    end(folder, manifest, whole)?;
    Ok(tables)
}

/// Says in the manifest that the run has ended.
pub(super) fn end(folder: &Folder, manifest: &mut Manifest, whole: bool) -> Result<()> {
    manifest.state = if whole { State::Complete } else { State::Interrupted };
    manifest.ended = Some(now());
    folder.save_manifest(manifest)?;
    if whole { checkpoint::clear(folder.path()) } else { Ok(()) }
}

/// Adds to an error of the file system how to go on, once there is something to go on with.
pub(super) fn safe(error: Error, folder: &Folder) -> Error {
    if error.kind() != Kind::Files || !folder.path().join("manifest.json").is_file() {
        return error;
    }
    let path = folder.path().display();
    error.note("what was saved before is safe").help(format!("to go on: precocial resume {path}"))
}

/// The threads of a run, and how many they are.
pub(super) fn pool(threads: usize) -> Result<(usize, rayon::ThreadPool)> {
    let threads = if threads == 0 { available_threads() } else { threads };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    Ok((threads, pool.map_err(|cause| Error::internal(format!("no threads: {cause}")))?))
}

/// Threads that this process may use.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub(super) fn create(name: &str, options: &RunOptions) -> Result<(Folder, Lock)> {
    let path = match &options.out {
        Some(out) => {
            if options.replace && out.is_dir() {
                // Nobody moves a folder away from under a run.
                drop(Folder::at(out).lock()?);
            }
            if options.replace {
                files::move_aside(out)?;
            }
            files::create_folder(out).map_err(|error| taken(error, out))?;
            out.clone()
        }
        None => {
            let parent = options.parent.as_deref().unwrap_or(Path::new("results"));
            files::create_numbered_folder(parent, name)?
        }
    };
    let folder = Folder::at(path);
    let lock = folder.lock()?;
    Ok((folder, lock))
}

/// Says what is in a folder that is there already, if it is a run.
fn taken(error: Error, path: &Path) -> Error {
    let Ok(manifest) = Folder::at(path).manifest() else { return error };
    let state = if manifest.state == State::Complete { "a complete run" } else { "an unfinished run" };
    let mut aside = path.as_os_str().to_owned();
    aside.push(".old-1");
    let more = if manifest.state == State::Complete { " --seeds 31..60   adds seeds" } else { "   goes on with it" };
    Error::new(Kind::Files, "P0503", format!("{} already holds {state} of \"{}\"", path.display(), manifest.name))
        .help(format!("precocial resume {}{more}", path.display()))
        .help(format!("without --out a run writes the next free results/{}-…", manifest.name))
        .help(format!("--replace moves the old folder to {}", Path::new(&aside).display()))
}

fn begin(study: &Study, options: &RunOptions, plan: &Plan, threads: usize, resolved: &str) -> Manifest {
    let mut notes = study.dataset.notes.clone();
    for (place, arm) in study.experiment.arms.iter().enumerate() {
        if let Some(note) = arm.method.scheme().and_then(|scheme| scheme.note(study.network_of(place))) {
            notes.push(format!("{}: {note}", arm.name));
        }
        let copies = |layers: &[Dense]| layers[1..].iter().all(|layer| layer.inputs >= study.dataset.features());
        if study.experiment.task.is_autoencoding() && copies(study.network_of(place).layers()) {
            notes.push(format!("{}: no hidden layer is narrower than a row, so a copy of it tells little", arm.name));
        }
    }
    Manifest {
        data: study.dataset.files.clone(),
        rows: study.dataset.rows(),
        features: study.dataset.features(),
        targets: study.dataset.target_names().to_vec(),
        parts: plan.rows,
        parameters: plan.parameters,
        multiply_adds: plan.multiply_adds,
        budget: plan.budget as f64 / plan.multiply_adds as f64,
        notes,
        ..blank(&study.experiment, study.experiment.name.as_str(), options, threads, resolved)
    }
}

/// The manifest of a run that begins, without what its task says.
pub(super) fn blank<D: Resumable>(
    document: &D,
    name: &str,
    options: &RunOptions,
    threads: usize,
    resolved: &str,
) -> Manifest {
    Manifest {
        layout: LAYOUT,
        kind: D::ROOT.to_owned(),
        state: State::Running,
        name: name.to_owned(),
        precocial: env!("CARGO_PKG_VERSION").to_owned(),
        stream_version: STREAM_VERSION,
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        processor: processor(),
        instruction_set: Isa::current().name().to_owned(),
        threads,
        command: options.command.clone(),
        data_folder: options.data_folder.to_string_lossy().into_owned(),
        started: now(),
        ended: None,
        resumed: Vec::new(),
        experiment_hash: hexadecimal(&Sha256::digest(resolved.as_bytes())),
        meaning: meaning_hash(document),
        data: Vec::new(),
        rows: 0,
        features: 0,
        targets: Vec::new(),
        parts: [0; 3],
        parameters: 0,
        multiply_adds: 0,
        budget: 0.0,
        spent: Vec::new(),
        notes: Vec::new(),
        bits: String::new(),
    }
}

fn spent(experiment: &Experiment, records: &[RunRecord]) -> Vec<(String, Cost)> {
    let total = |name: &str| {
        records.iter().filter(|record| record.result.arm == name).fold(Cost::ZERO, |sum, record| sum + record.cost)
    };
    experiment.arms.iter().map(|arm| (arm.name.to_string(), total(arm.name.as_str()))).collect()
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The processor's model, where the system tells.
pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, name)| name.trim().to_owned())
}
