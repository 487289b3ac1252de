//! Running seeds of a result folder again, to see whether every number comes out the same.

use crate::error::{Error, Kind, Result};
use crate::experiment::config::{Experiment, Seeds};
use crate::experiment::folder::{Folder, State, Tables};
use crate::experiment::load::Document;
use crate::experiment::prepare::Study;
use crate::experiment::recipe_search::{self, RecipeSearch, RecipeStudy, TEST};
use crate::experiment::resume::{Reopened, check_data, differences};
use crate::experiment::run::{RunOptions, run};
use crate::experiment::search::{SearchStudy, SearchTables, TopologySearch, run_search};
use crate::experiment::suite::{self, Suite, SuiteStudy, SuiteTables};
use crate::experiment::watch::Watch;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// What came of running seeds again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Seeds that were run again, times arms.
    pub runs: usize,
    /// Values that came out different, one line each; clocks aside.
    pub differences: Vec<String>,
}

/// Runs `seeds` of a complete run again, all of them if there are none, in a temporary folder, and compares the tables.
///
/// # Errors
/// A folder that cannot be opened again ([`Reopened::open`]), that holds no whole run (`P0305`), or lacks one of the seeds
/// (`P0309`); data that changed (`P0310`); whatever a run may refuse; `P0701` if `watch` ended it.
pub fn verify(
    folder: &Folder,
    seeds: Option<&Seeds>,
    data_folder: Option<&Path>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Verified> {
    let manifest = folder.manifest()?;
    if manifest.state != State::Complete {
        return Err(Error::data("P0305", format!("{} holds no whole run yet", folder.path().display()))
            .help(format!("precocial resume {}", folder.path().display())));
    }
    if manifest.kind == Suite::ROOT {
        let (suite, data, _) = again::<Suite>(folder, None, data_folder)?;
        let study = SuiteStudy::new(suite, &data)?;
        check_data(&manifest, &study.files)?;
        let seeds = seeds.map(Seeds::to_vec);
        let (old, now) = suite::again(&study, &SuiteTables::load(folder.path())?, seeds.as_deref(), threads, watch)?;
        whole(if watch.is_cancelled() { State::Interrupted } else { State::Complete })?;
        let mut list = Vec::new();
        compare("results.csv", &old, &now, &mut list);
        return Ok(Verified { runs: now.len() / study.suite.pilot.passes.len(), differences: list });
    }
    if manifest.kind == RecipeSearch::ROOT {
        return recipe(folder, seeds, data_folder, threads, watch);
    }
    let scratch = tempfile::tempdir().map_err(|cause| Error::io("making", &std::env::temp_dir(), &cause))?;
    let options = RunOptions { out: Some(scratch.path().join("again")), threads, ..RunOptions::default() };
    if manifest.kind == TopologySearch::ROOT {
        let (document, data, first) = again::<TopologySearch>(folder, seeds, data_folder)?;
        let study = SearchStudy::new(document, &data)?;
        check_data(&manifest, study.dataset.as_ref().map_or(&[], |data| &data.files))?;
        let now = run_search(&study, &options, watch)?;
        whole(now.manifest.state)?;
        let old = SearchTables::load(folder.path())?;
        let of = |tables: &SearchTables| {
            let mut all = SearchTables::default();
            for (place, &seed) in study.seeds.iter().enumerate() {
                let part = tables.of_seed(seed, place == 0 && seed == first);
                all.results.extend(part.results);
                all.generations.extend(part.generations);
                all.fronts.extend(part.fronts);
                all.weights.extend(part.weights);
                all.trajectory = all.trajectory.or(part.trajectory);
            }
            all
        };
        let (old, now) = (of(&old), of(&now.tables));
        let mut list = Vec::new();
        compare("results.csv", &old.results, &now.results, &mut list);
        compare("generations.csv", &old.generations, &now.generations, &mut list);
        compare("fronts.csv", &old.fronts, &now.fronts, &mut list);
        compare("weights.csv", &old.weights, &now.weights, &mut list);
        let episodes = |tables: &SearchTables| tables.trajectory.as_ref().map(|table| table.rows.clone());
        compare("trajectory.csv", &episodes(&old).unwrap_or_default(), &episodes(&now).unwrap_or_default(), &mut list);
        return Ok(Verified { runs: study.seeds.len(), differences: list });
    }
    let (document, data, first) = again::<Experiment>(folder, seeds, data_folder)?;
    let study = Study::new(document, &data)?;
    check_data(&manifest, &study.dataset.files)?;
    let now = run(&study, &options, watch)?;
    whole(now.manifest.state)?;
    let of = |tables: Tables| {
        let mut records = tables.records();
        records.retain(|record| study.seeds.contains(&record.result.seed));
        for record in &mut records {
            record.result.seconds = 0.0;
            record.history.iter_mut().for_each(|row| row.seconds = 0.0);
            // Predictions are told of a run's first seed alone.
            if study.seeds[0] != first {
                record.predictions.clear();
            }
        }
        Tables::of(records, &study)
    };
    let (old, now) = (of(folder.tables()?), of(now.tables));
    let mut list = Vec::new();
    compare("results.csv", &old.results, &now.results, &mut list);
    compare("history.csv", &old.history, &now.history, &mut list);
    compare("generations.csv", &old.generations, &now.generations, &mut list);
    compare("turns.csv", &old.turns, &now.turns, &mut list);
    compare("mistakes.csv", &old.mistakes, &now.mistakes, &mut list);
    compare("reference.csv", &old.reference, &now.reference, &mut list);
    compare("audit.csv", &old.audit, &now.audit, &mut list);
    compare("health.csv", &old.health, &now.health, &mut list);
    compare("predictions.csv", &old.predictions, &now.predictions, &mut list);
    Ok(Verified { runs: study.seeds.len() * study.experiment.arms.len(), differences: list })
}

/// The searches with these seeds; or all but the searches: pilot, validation, the recipe and its test.
fn recipe(
    folder: &Folder,
    seeds: Option<&Seeds>,
    data_folder: Option<&Path>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Verified> {
    let (document, data, _) = again::<RecipeSearch>(folder, None, data_folder)?;
    let study = RecipeStudy::new(document, &data)?;
    check_data(&folder.manifest()?, &study.files())?;
    let seeds = seeds.map(Seeds::to_vec);
    let found = recipe_search::again(&study, folder, seeds.as_deref(), threads, watch)?;
    let (old, now) = (found.old, found.now);
    let (mut runs, mut list) = (found.runs, Vec::new());
    compare("pilot.csv", &old.pilot, &now.pilot, &mut list);
    compare("search.csv", &old.search, &now.search, &mut list);
    compare("validation.csv", &old.validation, &now.validation, &mut list);
    if let Some(recipe) = found.recipe {
        let text = crate::files::read_capped(&folder.path().join("recipe.ron"), 1 << 16, Kind::Data)?;
        if text != recipe.as_bytes() {
            list.push("recipe.ron is not what the tables say".to_owned());
        }
        let test = verify(&Folder::at(folder.path().join(TEST)), None, data_folder, threads, watch)?;
        runs += test.runs;
        list.extend(test.differences.into_iter().map(|line| format!("{TEST}/{line}")));
    }
    Ok(Verified { runs, differences: list })
}

/// The document with the seeds that are run again, the folder of its data, and the first seed of the old run.
fn again<D: crate::experiment::Resumable>(
    folder: &Folder,
    seeds: Option<&Seeds>,
    data_folder: Option<&Path>,
) -> Result<(D, std::path::PathBuf, u64)> {
    let reopened: Reopened<D> = Reopened::open(folder.clone(), None)?;
    let data = data_folder.map_or_else(|| reopened.data_folder(), Path::to_owned);
    let mut document = reopened.started;
    let all = document.seeds().to_vec();
    if let Some(seeds) = seeds {
        if let Some(strange) = seeds.to_vec().iter().find(|seed| !all.contains(seed)) {
            return Err(Error::experiment("P0309", format!("{} has no seed {strange}", folder.path().display()))
                .help("name seeds that were run"));
        }
        *document.seeds() = seeds.clone();
    }
    Ok((document, data, all.first().copied().unwrap_or(0)))
}

fn whole(state: State) -> Result<()> {
    match state {
        State::Complete => Ok(()),
        _ => Err(Error::new(Kind::Interrupted, "P0701", "interrupted; nothing was compared")),
    }
}

fn compare<T: Serialize>(table: &str, old: &[T], now: &[T], list: &mut Vec<String>) {
    if old.len() != now.len() {
        list.push(format!("{table} had {} rows, now {}", old.len(), now.len()));
        return;
    }
    for (row, (old, now)) in old.iter().zip(now).enumerate() {
        let (old, now) = (json!(old), json!(now));
        if old == now {
            continue;
        }
        let mut found = Vec::new();
        differences("", &old, &now, &mut found);
        let text = |name: &str| old.get(name).map(|value: &Value| value.to_string().replace('"', ""));
        let of = match (text("arm"), text("seed")) {
            (Some(arm), Some(seed)) => format!(", {arm} at seed {seed}"),
            (None, Some(seed)) => format!(", seed {seed}"),
            _ => String::new(),
        };
        for (column, was, is) in found {
            list.push(format!("{table} row {}{of}: {column} was {was}, now {is}", row + 1));
        }
    }
}
