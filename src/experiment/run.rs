//! Running an experiment: replicates in parallel, every finished run saved at once.

use crate::cost::Cost;
use crate::error::{Error, Kind, Result};
use crate::experiment::config::Experiment;
use crate::experiment::folder::{Folder, LAYOUT, Manifest, State, Tables};
use crate::experiment::load::Document;
use crate::experiment::model::Model;
use crate::experiment::prepare::{Plan, Study};
use crate::experiment::record::{Moment, RunRecord};
use crate::experiment::replicate::{Weights, hexadecimal, run_replicate};
use crate::experiment::watch::Watch;
use crate::files;
use crate::math::kernel::Isa;
use crate::rng::STREAM_VERSION;
use crate::task::{Prepared, Targets};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
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

/// Runs a study and writes its result folder; no report.
///
/// # Errors
/// A folder that cannot be written, or data that cannot be split at some seed. What had been finished by then is in the
/// folder.
pub fn run(study: &Study, options: &RunOptions, watch: &dyn Watch) -> Result<Run> {
    let threads = if options.threads == 0 { available_threads() } else { options.threads };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|cause| Error::internal(format!("no threads: {cause}")))?;
    let plan = study.plan(threads)?;
    let folder = create(study.experiment.name.as_str(), options)?;
    let resolved = super::load::to_text(&study.experiment);
    let source = options.source.clone().unwrap_or_else(|| resolved.clone());
    files::replace(&folder.path().join("experiment.ron"), source.as_bytes())?;
    files::replace(&folder.path().join("experiment.resolved.ron"), resolved.as_bytes())?;
    files::create_folder(&folder.path().join("models"))?;
    files::create_folder(&folder.path().join("parts"))?;
    let mut manifest = begin(study, options, &plan, threads, &resolved);
    folder.save_manifest(&manifest)?;

    let records: Mutex<Vec<RunRecord>> = Mutex::default();
    let outcome: Result<()> = pool.install(|| {
        study.seeds.par_iter().enumerate().try_for_each(|(index, &seed)| {
            let keep = &mut |record: RunRecord, weights: Weights, prepared: &Prepared| {
                save_run(study, &folder, &record, &weights, prepared)?;
                records.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(record);
                Ok(())
            };
            run_replicate(study, seed, index == 0, watch, keep)
        })
    });
    let records = records.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let whole = records.len() == study.seeds.len() * study.experiment.arms.len();
    manifest.spent = spent(&study.experiment, &records);
    files::settle(&folder.path().join("models"))?;
    let tables = Tables::of(records, study);
    tables.save(folder.path())?;
    manifest.bits = tables.bits()?;
    manifest.state = if whole { State::Complete } else { State::Interrupted };
    manifest.ended = Some(now());
    folder.save_manifest(&manifest)?;
    outcome?;
    if whole {
        // The tables hold all that the parts do.
        std::fs::remove_dir_all(folder.path().join("parts"))
            .map_err(|cause| Error::io("removing", &folder.path().join("parts"), &cause))?;
    }
    Ok(Run { folder, manifest, tables })
}

/// Threads that this process may use.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub(super) fn create(name: &str, options: &RunOptions) -> Result<Folder> {
    let path = match &options.out {
        Some(out) => {
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
    Ok(Folder::at(path))
}

/// Says what is in a folder that is there already, if it is a run.
fn taken(error: Error, path: &Path) -> Error {
    let Ok(manifest) = Folder::at(path).manifest() else { return error };
    let state = if manifest.state == State::Complete { "a complete run" } else { "an unfinished run" };
    let mut aside = path.as_os_str().to_owned();
    aside.push(".old-1");
    Error::new(Kind::Files, "P0503", format!("{} already holds {state} of \"{}\"", path.display(), manifest.name))
        .help(format!("without --out a run writes the next free results/{}-…", manifest.name))
        .help(format!("--replace moves the old folder to {}", Path::new(&aside).display()))
}

fn begin(study: &Study, options: &RunOptions, plan: &Plan, threads: usize, resolved: &str) -> Manifest {
    let mut notes = study.dataset.notes.clone();
    for arm in &study.experiment.arms {
        if let Some(note) = arm.method.scheme().and_then(|scheme| scheme.note(&study.network)) {
            notes.push(format!("{}: {note}", arm.name));
        }
    }
    let targets = match &study.dataset.targets {
        Targets::Classes { names, .. } | Targets::Values { names, .. } => names.clone(),
    };
    Manifest {
        data: study.dataset.files.clone(),
        rows: study.dataset.rows(),
        features: study.dataset.features(),
        targets,
        parts: plan.rows,
        parameters: plan.parameters,
        multiply_adds: plan.multiply_adds,
        budget: plan.budget as f64 / plan.multiply_adds as f64,
        notes,
        ..blank::<Experiment>(study.experiment.name.as_str(), options, threads, resolved)
    }
}

/// The manifest of a run that begins, without what its task says.
pub(super) fn blank<D: Document>(name: &str, options: &RunOptions, threads: usize, resolved: &str) -> Manifest {
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
        started: now(),
        ended: None,
        experiment_hash: hexadecimal(&Sha256::digest(resolved.as_bytes())),
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

fn save_run(study: &Study, folder: &Folder, record: &RunRecord, weights: &Weights, prepared: &Prepared) -> Result<()> {
    let (arm, seed) = (record.result.arm.as_str(), record.result.seed);
    let moments = [(Moment::Drawn, &weights.drawn), (Moment::Start, &weights.start), (Moment::End, &weights.end)];
    for (moment, weights) in moments {
        if let Some(params) = weights {
            Model::of(study, prepared, arm, seed, moment, params).save(&folder.model_path(arm, seed, moment))?;
        }
    }
    let part = serde_json::to_vec(record).expect("a record is plain data");
    files::replace(&folder.path().join("parts").join(format!("{arm}-s{seed}.json")), &part)
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
