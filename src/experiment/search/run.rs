//! Running a topology search: seeds in parallel, networks in parallel within them, what is found saved at once.

use super::config::TopologySearch;
use super::control::{self, Arena};
use super::data;
use super::drawing::DrawnNetwork;
use super::prepare::SearchStudy;
use super::tables::{FrontRow, GenerationRow, ResultKind, ResultRow, SearchTables};
use super::{Examined, Summary, result};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::strategy::{Wann, WannState};
use crate::evolve::wann::{GraphLossEvaluator, GraphReturnEvaluator, Individual, Performance};
use crate::evolve::{Evaluate, Evaluations, Scoring, Strategy};
use crate::experiment::checkpoint::{self, Slot, Vault};
use crate::experiment::folder::{Folder, Manifest, State};
use crate::experiment::load::Document;
use crate::experiment::model::Header;
use crate::experiment::record::Moment;
use crate::experiment::resume::{Reopened, check_data};
use crate::experiment::run::{RunOptions, blank, create, end, pool, prolong, safe, tidy};
use crate::experiment::watch::{Event, Watch};
use crate::files;
use crate::network::{Head, Loss, Output, Weights};
use crate::rng::Streams;
use crate::task::{Prepared, Scaler, TargetKind};
use crate::train::Batch;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A finished run.
#[derive(Debug)]
pub struct SearchRun {
    /// Where it was written.
    pub folder: Folder,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its tables.
    pub tables: SearchTables,
}

/// Everything of one seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    tables: SearchTables,
    searched: Cost,
    examined: Cost,
}

/// Runs a study and writes its result folder; no report. A run that its watch ended early is saved and says so in its
/// manifest: [`resume_search`] goes on with it.
///
/// # Errors
/// A folder that cannot be written, or data that cannot be split at some seed. The networks that had been found by then
/// are in the folder.
pub fn run_search(study: &SearchStudy, options: &RunOptions, watch: &dyn Watch) -> Result<SearchRun> {
    let (threads, pool) = pool(options.threads)?;
    let plan = study.plan(threads)?;
    let name = study.document.name.as_str();
    let (folder, lock) = create(name, options)?;
    let resolved = crate::experiment::to_text(&study.document);
    let source = options.source.clone().unwrap_or_else(|| resolved.clone());
    files::replace(&folder.path().join("experiment.ron"), source.as_bytes())?;
    files::replace(&folder.path().join("experiment.resolved.ron"), resolved.as_bytes())?;
    let dataset = study.dataset.as_ref();
    let manifest = Manifest {
        data: dataset.map_or_else(Vec::new, |data| data.files.clone()),
        rows: dataset.map_or(0, |data| data.rows()),
        features: study.inputs.len(),
        targets: study.outputs.clone(),
        parts: plan.rows,
        notes: dataset.map_or_else(Vec::new, |data| data.notes.clone()),
        ..blank(&study.document, name, options, threads, &resolved)
    };
    folder.save_manifest(&manifest).map_err(|error| safe(error, &folder))?;
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

/// Goes on with the searches in a folder that was opened again: finishes what is not finished, and runs seeds that were
/// added. The result has the same bits as a run that was never interrupted and had all seeds from the beginning.
///
/// # Errors
/// As [`run_search`]; another process that writes into the folder (`P0505`), or data that changed (`P0310`).
pub fn resume_search(
    study: &SearchStudy,
    reopened: &Reopened<TopologySearch>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<SearchRun> {
    let (threads, pool) = pool(threads)?;
    let folder = reopened.folder.clone();
    let (lock, mut manifest) = reopened.lock()?;
    check_data(&manifest, study.dataset.as_ref().map_or(&[], |data| &data.files))?;
    if manifest.state == State::Complete {
        let tables = SearchTables::load(folder.path())?;
        let old = reopened.started.clone().seeds().to_vec();
        if old == study.seeds {
            tidy(&folder);
            checkpoint::clear(folder.path())?;
            return Ok(SearchRun { folder, manifest, tables });
        }
        // Searches whose tables are whole become searches that have finished, so that more can be added. Only sums of
        // their costs are told anywhere.
        let vault = Vault::open(folder.path(), &manifest.meaning, &study.document.checkpoint)?;
        for (place, &seed) in old.iter().enumerate() {
            let first = place == 0;
            let spent = |at: usize| manifest.spent.get(at).filter(|_| first).map_or(Cost::ZERO, |entry| entry.1);
            let found = Found { tables: tables.of_seed(seed, first), searched: spent(0), examined: spent(1) };
            vault.slot(&run_name(seed)).finish(&found).map_err(|error| safe(error, &folder))?;
        }
    }
    prolong(&folder, &mut manifest, &study.document, threads).map_err(|error| safe(error, &folder))?;
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

fn go_on(
    study: &SearchStudy,
    folder: &Folder,
    mut manifest: Manifest,
    pool: &rayon::ThreadPool,
    watch: &dyn Watch,
) -> Result<SearchRun> {
    files::make_folder(&folder.path().join("networks"))?;
    let vault = Vault::open(folder.path(), &manifest.meaning, &study.document.checkpoint)?;
    let found: Mutex<Vec<(usize, Found)>> = Mutex::default();
    let outcome: Result<()> = pool.install(|| {
        study.seeds.par_iter().enumerate().with_max_len(1).try_for_each(|(index, &seed)| {
            let mut slot = vault.slot(&run_name(seed));
            let drawn = network_path(study, folder, seed, "json").is_file();
            let before = slot.finished::<Found>().filter(|_| drawn);
            let one = match before {
                Some(found) => Some(found),
                None => run_seed(study, folder, seed, index == 0, &mut slot, watch)?,
            };
            if let Some(one) = one {
                found.lock().unwrap_or_else(PoisonError::into_inner).push((index, one));
            }
            Ok(())
        })
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(index, _)| *index);
    let whole = found.len() == study.seeds.len();
    let mut tables = SearchTables::default();
    let mut spent = [Cost::ZERO; 2];
    for (_, one) in found {
        spent[0] += one.searched;
        spent[1] += one.examined;
        tables.results.extend(one.tables.results);
        tables.generations.extend(one.tables.generations);
        tables.fronts.extend(one.tables.fronts);
        tables.weights.extend(one.tables.weights);
        tables.trajectory = tables.trajectory.or(one.tables.trajectory);
    }
    manifest.spent = vec![("search".to_owned(), spent[0]), ("after".to_owned(), spent[1])];
    let saved = tables.save(folder.path()).and_then(|()| {
        manifest.bits = tables.bits()?;
        end(folder, &mut manifest, whole)
    });
    outcome.and(saved)?;
    Ok(SearchRun { folder: folder.clone(), manifest, tables })
}

fn run_name(seed: u64) -> String {
    format!("{ARM}-s{seed}")
}

fn network_path(study: &SearchStudy, folder: &Folder, seed: u64, extension: &str) -> PathBuf {
    folder.path().join("networks").join(format!("{}-s{seed}.{extension}", study.document.name))
}

/// Episodes of the first seed's champion that are written down.
const TRAJECTORIES: usize = 3;

/// One seed; `None` if it was interrupted.
fn run_seed(
    study: &SearchStudy,
    folder: &Folder,
    seed: u64,
    first: bool,
    slot: &mut Slot,
    watch: &dyn Watch,
) -> Result<Option<Found>> {
    if watch.is_cancelled() {
        return Ok(None);
    }
    watch.event(Event::ArmStarted { arm: ARM, seed });
    let prepared = study.prepare(seed)?;
    let search = &study.document.search;
    let repetitions = search.repetitions.get();
    let evaluator: Box<dyn Evaluate<Vec<Individual>> + '_> = match (study.world(), &prepared) {
        (Some((environment, max_steps)), _) => {
            Box::new(GraphReturnEvaluator::new(environment, max_steps, &search.weights, repetitions))
        }
        (None, Some(prepared)) => {
            let batch = study.document.task.rows().map_or(Batch::Full, |(.., batch)| batch);
            let (rows, head) = (&prepared.supervised.training, study.judge().head);
            Box::new(GraphLossEvaluator::new(rows, head, &search.weights, batch, repetitions))
        }
        (None, None) => return Err(Error::internal("a task of neither episodes nor rows")),
    };
    let mut history = History::resume(study, seed, slot, watch)?;
    if !history.search(&*evaluator, slot, watch)? {
        return Ok(None);
    }
    let (champion, _) = history.wann.best().ok_or_else(|| Error::internal("a search without a generation"))?;
    let examined = match (study.world(), &prepared) {
        (Some((environment, max_steps)), _) => {
            let episodes = if first { TRAJECTORIES } else { 0 };
            control::examine(study, Arena { environment, max_steps }, champion, seed, episodes)?
        }
        (None, Some(prepared)) => data::examine(study, study.judge(), prepared, champion, seed)?,
        (None, None) => return Err(Error::internal("a task of neither episodes nor rows")),
    };
    let Examined { results: told, weights, shared, tuned, trajectory, cost: examined } = examined;
    let drawn = DrawnNetwork::new(champion, (&study.inputs, &study.outputs), shared, tuned.as_deref());
    let drawn = DrawnNetwork { header: Some(header(study, prepared.as_ref(), seed)), ..drawn };
    files::replace(&network_path(study, folder, seed, "json"), &drawn.json())?;
    files::replace(&network_path(study, folder, seed, "dot"), drawn.dot().as_bytes())?;
    let mut results = history.in_sample(study, prepared.as_ref());
    results.extend(told);
    let History { generations, fronts, cost: searched, .. } = history;
    let tables = SearchTables { results, generations, fronts, weights, trajectory };
    let found = Found { tables, searched, examined };
    slot.finish(&found)?;
    watch.event(Event::SearchFinished { seed, rows: &found.tables.results });
    Ok(Some(found))
}

/// What turns rows into predictions of the network that was found. Observations and actions are taken as they are.
fn header(study: &SearchStudy, prepared: Option<&Prepared>, seed: u64) -> Header {
    let classification = study.document.task.kind() == TargetKind::Classes;
    let (inputs, outputs) = (study.inputs.len(), study.outputs.len());
    let entropy = study.judge().head == Head::SoftmaxCrossEntropy;
    let target_scaler = prepared.and_then(|prepared| prepared.target_scaler.clone());
    Header {
        kind: "graph".into(),
        inputs: study.inputs.clone(),
        hidden: Vec::new(),
        output: if entropy { Output::Softmax } else { Output::Linear },
        loss: if entropy { Loss::CrossEntropy } else { Loss::MeanSquared },
        targets: study.outputs.clone(),
        classification,
        encoding: (study.judge().encoding.off, study.judge().encoding.on),
        input_scaler: prepared.map_or_else(|| Scaler::identity(inputs), |prepared| prepared.input_scaler.clone()),
        target_scaler: target_scaler.or_else(|| (!classification).then(|| Scaler::identity(outputs))),
        origin: (study.document.name.to_string(), ARM.to_owned(), seed, Moment::End),
    }
}

/// What watchers are told of.
const ARM: &str = "search";

/// A search and what it leaves behind, in a checkpoint.
#[derive(Deserialize)]
struct Saved {
    wann: WannState,
    honest: Option<Performance>,
    generations: Vec<GenerationRow>,
    fronts: Vec<FrontRow>,
    cost: Cost,
}

/// A search and what it leaves behind.
struct History {
    seed: u64,
    streams: Streams,
    wann: Wann,
    /// How the champion did on fresh starts or rows.
    honest: Option<Performance>,
    generations: Vec<GenerationRow>,
    fronts: Vec<FrontRow>,
    cost: Cost,
}

impl History {
    fn new(study: &SearchStudy, seed: u64) -> Result<History> {
        let (search, kind) = (study.document.search.clone(), study.document.task.kind());
        Ok(History {
            seed,
            streams: Streams::new(seed),
            wann: Wann::new(search, study.shape, kind)?,
            honest: None,
            generations: Vec::new(),
            fronts: Vec::new(),
            cost: Cost::ZERO,
        })
    }

    /// The search as it was saved last, or one that has drawn nothing yet.
    fn resume(study: &SearchStudy, seed: u64, slot: &mut Slot, watch: &dyn Watch) -> Result<History> {
        let mut history = History::new(study, seed)?;
        let (loaded, damaged) = slot.load(|from| {
            let saved: Saved = from.take()?;
            from.end()?;
            let (search, kind) = (study.document.search.clone(), study.document.task.kind());
            history.wann = Wann::load(search, study.shape, kind, saved.wann)?;
            (history.honest, history.cost) = (saved.honest, saved.cost);
            (history.generations, history.fronts) = (saved.generations, saved.fronts);
            Ok(())
        });
        for problem in &damaged {
            watch.event(Event::Damaged { problem, from_start: !loaded });
        }
        Ok(history)
    }

    fn save(&self, slot: &mut Slot) -> Result<()> {
        let wann = self.wann.save();
        slot.save(&|to| to.put(&(&wann, self.honest, &self.generations, &self.fronts, self.cost)))
    }

    /// Searches to the end; false if it was interrupted.
    fn search(
        &mut self,
        evaluator: &dyn Evaluate<Vec<Individual>>,
        slot: &mut Slot,
        watch: &dyn Watch,
    ) -> Result<bool> {
        let last = self.wann.settings().generations.get() as u64 - 1;
        let fronts: Vec<u64> = (0..5).map(|place| (last * place + 2) / 4).collect();
        let mut evaluations = Evaluations::default();
        while !self.wann.is_finished() {
            if watch.is_cancelled() || slot.is_due() {
                self.save(slot)?;
            }
            if watch.is_cancelled() {
                return Ok(false);
            }
            let generation = self.wann.generation();
            let (population, asked) = self.wann.ask(usize::MAX, &self.streams)?;
            evaluations.cost = Cost::ZERO;
            evaluator.evaluate(population, asked.clone(), Scoring { generation }, &self.streams, &mut evaluations)?;
            self.wann.tell(&mut evaluations, asked);
            self.cost += evaluations.cost;
            self.contest(evaluator)?;
            self.write_down(generation);
            if fronts.contains(&generation) {
                self.fronts.extend(front(&self.wann, self.seed, generation));
            }
            watch.event(Event::Progress { arm: ARM, seed: self.seed, spent: generation + 1, budget: last + 2 });
        }
        Ok(true)
    }

    /// Scores the contender on fresh starts or rows; the better of the two is the champion.
    fn contest(&mut self, evaluator: &dyn Evaluate<Vec<Individual>>) -> Result<()> {
        let Some((contender, scorings)) = self.wann.contender() else { return Ok(()) };
        let alone = vec![contender.clone()];
        let mut trials = Vec::new();
        let mut out = Evaluations::default();
        for generation in scorings {
            evaluator.evaluate(&alone, 0..1, Scoring { generation }, &self.streams, &mut out)?;
            trials.extend_from_slice(&out.trials);
        }
        self.cost += out.cost;
        let performance = Performance::of(&trials, self.wann.settings().weights.len());
        let standing = |performance| self.wann.settings().standing(performance);
        if self.honest.is_none_or(|honest| standing(performance) < standing(honest)) {
            self.wann.crown(standing(performance));
            self.honest = Some(performance).filter(|performance| performance.mean.is_finite());
        }
        Ok(())
    }

    fn write_down(&mut self, generation: u64) {
        let Some(summary) = self.wann.summary() else { return };
        let means = &summary.means;
        // Of an even number, the mean of the two in the middle.
        let median = (!means.is_empty()).then(|| 0.5 * (means[(means.len() - 1) / 2] + means[means.len() / 2]));
        let score = |loss: f64| Some(-loss).filter(|score| score.is_finite());
        let connections = self.honest.and(self.wann.best()).map(|(champion, _)| champion.genome.enabled());
        self.generations.push(GenerationRow {
            seed: self.seed,
            generation,
            best_mean: means.first().copied().and_then(score),
            median_mean: median.and_then(score),
            best_peak: score(summary.best_peak),
            best_connections: summary.connections.0,
            median_connections: summary.connections.1,
            champion_mean: self.honest.and_then(|honest| score(honest.mean.get())),
            champion_peak: self.honest.and_then(|honest| score(honest.peak.get())),
            champion_connections: connections,
            cost: self.cost.total(),
        });
    }

    /// The last generation's best on what it was scored on; on all training rows for data.
    fn in_sample(&self, study: &SearchStudy, prepared: Option<&Prepared>) -> Vec<ResultRow> {
        let search = &study.document.search;
        let mut best = self.generations.last().map_or((None, None), |row| (row.best_mean, row.best_peak));
        let mut trials = (search.repetitions.get(), search.repetitions.get() * search.weights.len());
        if let Some(prepared) = prepared {
            let (judge, rows) = (study.judge(), &prepared.supervised.training);
            let mut memory = Default::default();
            let weights = Weights::Shared(&search.weights);
            let leader = self.wann.latest().min_by_key(|(_, performance)| performance.mean);
            let scores = leader.map(|(leader, _)| judge.scores(&leader.graph, weights, rows, &mut memory));
            let scores = scores.unwrap_or_default();
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            best = (Some(mean), scores.into_iter().max_by(f64::total_cmp));
            trials = (1, search.weights.len());
        }
        let kinds = [(ResultKind::InSampleMean, best.0, trials.1), (ResultKind::InSamplePeak, best.1, trials.0)];
        let row = |(kind, score, trials): (ResultKind, Option<f64>, usize)| {
            let summary =
                Summary { score: score.unwrap_or(f64::NAN), deviation: None, failures: None, trials: trials as u64 };
            result(self.seed, kind, summary, self.cost.total())
        };
        kinds.map(row).into()
    }
}

/// Individuals that no other betters in mean and connections, or that none betters in mean and peak.
fn front(wann: &Wann, seed: u64, generation: u64) -> Vec<FrontRow> {
    let all: Vec<(f64, f64, usize)> = wann
        .latest()
        .filter(|(_, performance)| performance.mean.is_finite())
        .map(|(one, performance)| (-performance.mean.get(), -performance.peak.get(), one.genome.enabled()))
        .collect();
    let beaten = |one: (f64, f64), other: (f64, f64)| {
        other.0 >= one.0 && other.1 >= one.1 && (other.0 > one.0 || other.1 > one.1)
    };
    let small = |one: &(f64, f64, usize)| (one.0, -(one.2.max(1) as f64));
    let high = |one: &(f64, f64, usize)| (one.0, one.1);
    let mut front: Vec<_> = all
        .iter()
        .filter(|one| {
            !all.iter().any(|other| beaten(small(one), small(other)))
                || !all.iter().any(|other| beaten(high(one), high(other)))
        })
        .copied()
        .collect();
    front.sort_by(|a, b| a.2.cmp(&b.2).then(a.0.total_cmp(&b.0)).then(a.1.total_cmp(&b.1)));
    front.dedup();
    let row = |(mean, peak, connections)| FrontRow { seed, generation, mean, peak, connections };
    front.into_iter().map(row).collect()
}
