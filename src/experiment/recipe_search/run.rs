//! Running a recipe search: pilot, searches, validation, test; what is finished of each is saved at once.

use super::config::RecipeSearch;
use super::plan::{RecipeStudy, TEST};
use super::score::Scorer;
use super::table::{RecipeTables, SearchRow};
use super::{search, validate};
use crate::error::{Error, Result};
use crate::experiment::checkpoint::{self, Checkpoint, Vault};
use crate::experiment::folder::{Folder, Manifest, State};
use crate::experiment::load::{Document, to_text};
use crate::experiment::resume::{Reopened, Standing, check_data, meaning_hash};
use crate::experiment::run::{RunOptions, blank, create, end, pool, prolong, safe, tidy};
use crate::experiment::suite::{
    self, Contender, Phase, Suite, SuiteRow, SuiteRun, SuiteTables, choices, resume_suite, run_cell, run_suite,
};
use crate::experiment::watch::Watch;
use crate::files;
use crate::math::Activation;
use crate::math::statistics::mean;
use rayon::prelude::*;
use std::fmt::Write;
use std::path::Path;

/// A run of a recipe search.
#[derive(Debug)]
pub struct RecipeRun {
    /// Where it was written.
    pub folder: Folder,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its tables.
    pub tables: RecipeTables,
}

/// Runs a recipe search and writes its result folder; no report. A run that its watch ended early is saved and says so in
/// its manifest: [`resume_recipe_search`] goes on with it.
///
/// # Errors
/// A folder that cannot be written, data that cannot be split at some seed, a task whose pilot names no target (`P0161`), a
/// target that the control never reaches (`P0162`).
pub fn run_recipe_search(study: &RecipeStudy, options: &RunOptions, watch: &dyn Watch) -> Result<RecipeRun> {
    let (threads, pool) = pool(options.threads)?;
    let name = study.document.name.as_str();
    let (folder, lock) = create(name, options)?;
    let resolved = to_text(&study.document);
    let source = options.source.clone().unwrap_or_else(|| resolved.clone());
    files::replace(&folder.path().join("experiment.ron"), source.as_bytes())?;
    files::replace(&folder.path().join("experiment.resolved.ron"), resolved.as_bytes())?;
    let manifest = Manifest {
        data: study.files(),
        notes: study.notes(),
        ..blank(&study.document, name, options, threads, &resolved)
    };
    folder.save_manifest(&manifest).map_err(|error| safe(error, &folder))?;
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

/// Goes on with the search in a folder that was opened again; the result has the same bits as one that was never
/// interrupted.
///
/// # Errors
/// As [`run_recipe_search`]; another process that writes into the folder (`P0505`), data that changed (`P0310`), other
/// seeds than those that were written down before (`P0309`).
pub fn resume_recipe_search(
    study: &RecipeStudy,
    reopened: &Reopened<RecipeSearch>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<RecipeRun> {
    if reopened.document.seeds.to_vec() != reopened.started.seeds.to_vec() {
        return Err(Error::experiment("P0309", "the searches were written down before their results were seen")
            .note("whoever adds searches until a test pleases finds what is not there")
            .help("more searches are another file: precocial run FILE.ron"));
    }
    let (threads, pool) = pool(threads)?;
    let folder = reopened.folder.clone();
    let (lock, mut manifest) = reopened.lock()?;
    check_data(&manifest, &study.files())?;
    if manifest.state == State::Complete {
        tidy(&folder);
        tidy(&Folder::at(folder.path().join(TEST)));
        checkpoint::clear(folder.path())?;
        return Ok(RecipeRun { tables: RecipeTables::load(folder.path())?, folder, manifest });
    }
    prolong(&folder, &mut manifest, &study.document, threads).map_err(|error| safe(error, &folder))?;
    let run = go_on(study, &folder, manifest, &pool, watch).map_err(|error| safe(error, &folder))?;
    drop(lock);
    Ok(run)
}

fn go_on(
    study: &RecipeStudy,
    folder: &Folder,
    mut manifest: Manifest,
    pool: &rayon::ThreadPool,
    watch: &dyn Watch,
) -> Result<RecipeRun> {
    let mut tables = RecipeTables::default();
    let tested = phases(study, folder, &manifest, pool, watch, &mut tables)?;
    if let Some(tested) = &tested {
        manifest.bits = tables.bits(&names(study), &tested.manifest.bits)?;
    }
    end(folder, &mut manifest, tested.is_some())?;
    Ok(RecipeRun { folder: folder.clone(), manifest, tables })
}

/// One phase after the other, each one's rows added to `tables`; the test, or `None` if it was interrupted before its end.
fn phases(
    study: &RecipeStudy,
    folder: &Folder,
    manifest: &Manifest,
    pool: &rayon::ThreadPool,
    watch: &dyn Watch,
    tables: &mut RecipeTables,
) -> Result<Option<SuiteRun>> {
    let (path, fields) = (folder.path(), names(study));
    for part in [checkpoint::folder(path), path.join("experiments")] {
        files::make_folder(&part)?;
    }
    let vault = Vault::open(path, &manifest.meaning, &Checkpoint::default())?;
    let Some(pilot) = pilot(study, path, pool, watch)? else { return Ok(None) };
    tables.pilot = pilot;
    tables.save(path, &fields)?;
    let mut scorer = Scorer::new(study, &tables.pilot, pool)?;
    let Some(control) = scorer.control(study.validation(), watch)? else { return Ok(None) };
    for &seed in &study.seeds {
        let before = tables.search.clone();
        let mut told = |rows: &[SearchRow]| {
            RecipeTables { search: [&before[..], rows].concat(), ..RecipeTables::default() }.save(path, &fields)
        };
        let slot = vault.slot(&format!("search-{seed}"));
        let Some(rows) = search::search(study, &mut scorer, seed, slot, watch, &mut told)? else { return Ok(None) };
        tables.search.extend(rows);
    }
    let slot = vault.slot("validation");
    let validated = validate::validate(study, &mut scorer, &control, &tables.search, slot, watch)?;
    let Some(validation) = validated else { return Ok(None) };
    tables.validation = validation;
    tables.save(path, &fields)?;
    let recipe = |test: Option<&SuiteTables>| {
        files::replace(&path.join(RECIPE), recipe_text(study, tables, &manifest.experiment_hash, test)?.as_bytes())
    };
    recipe(None)?;
    let tested = test(study, tables, folder, manifest, pool.current_num_threads(), watch)?;
    if tested.manifest.state != State::Complete {
        return Ok(None);
    }
    recipe(Some(&tested.tables))?;
    Ok(Some(tested))
}

fn names(study: &RecipeStudy) -> Vec<&'static str> {
    study.fields().iter().map(|field| field.name).collect()
}

/// The rows of the pilot, as in a suite; `None` if it was interrupted.
fn pilot(
    study: &RecipeStudy,
    folder: &Path,
    pool: &rayon::ThreadPool,
    watch: &dyn Watch,
) -> Result<Option<Vec<SuiteRow>>> {
    let training = &study.training;
    let cells = training.cells(Phase::Pilot, &[])?;
    let run = |cell: &suite::Cell| run_cell(training, cell, folder, watch);
    let rows: Vec<Vec<SuiteRow>> = pool.install(|| cells.par_iter().with_max_len(1).map(run).collect::<Result<_>>())?;
    let rows = rows.concat();
    let all = cells.len() * training.seeds(Phase::Pilot).len() * study.document.pilot.passes.len();
    Ok((rows.len() == all).then_some(rows))
}

/// The test of the found recipe: begun, or gone on with if there is one of the same recipe.
fn test(
    study: &RecipeStudy,
    tables: &RecipeTables,
    folder: &Folder,
    manifest: &Manifest,
    threads: usize,
    watch: &dyn Watch,
) -> Result<SuiteRun> {
    let test = study.test_of(&found(study, tables))?;
    let place = Folder::at(folder.path().join(TEST));
    let meaning = meaning_hash(&test.suite);
    if place.manifest().is_ok_and(|there| there.kind == Suite::ROOT && there.meaning == meaning) {
        return resume_suite(&test, &Reopened::open(place, None)?, threads, watch);
    }
    if is_hardly_begun(place.path()) {
        std::fs::remove_dir_all(place.path()).map_err(|cause| Error::io("removing", place.path(), &cause))?;
    }
    let options = RunOptions {
        out: Some(place.path().to_owned()),
        // What somebody put there.
        replace: true,
        threads,
        command: manifest.command.clone(),
        data_folder: manifest.data_folder.clone().into(),
        ..RunOptions::default()
    };
    run_suite(&test, &options, watch)
}

/// Whether there is no more than what a kill leaves of a run before its manifest is written.
fn is_hardly_begun(folder: &Path) -> bool {
    let ours = |name: &str| {
        ["experiment.ron", "experiment.resolved.ron", crate::experiment::folder::LOCK].contains(&name)
            || files::is_temporary(name)
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().all(|entry| entry.file_name().to_str().is_some_and(ours))
}

fn found(study: &RecipeStudy, tables: &RecipeTables) -> Vec<f64> {
    tables.found().map_or_else(|| study.start.clone(), |row| row.numbers.clone())
}

/// File of the found recipe.
pub(super) const RECIPE: &str = "recipe.ron";

/// The recipe file: where the numbers come from, what they are worth, and the numbers.
///
/// # Errors
/// Numbers that may not be (`P0121`).
pub(super) fn recipe_text(
    study: &RecipeStudy,
    tables: &RecipeTables,
    hash: &str,
    test: Option<&SuiteTables>,
) -> Result<String> {
    let document = &study.document;
    let numbers = found(study, tables);
    study.scheme(&numbers)?;
    let list = |names: Vec<String>| names.join(", ");
    let tasks = |tasks: &[suite::config::SuiteTask]| list(tasks.iter().map(|task| task.name.to_string()).collect());
    let mut text = format!(
        "// The recipe that \"{}\" found: scheme: Recipe(File(\"recipe.ron\")), the path from the folder of the experiment \
         file.\n//\n// file      SHA-256 {hash}\n// evolved   on {}\n//           by searches {}\n",
        document.name,
        tasks(&document.tasks),
        list(study.seeds.iter().map(ToString::to_string).collect()),
    );
    let score = |what: &str, score: f64| format!("{what} {:.3} times the cost of the control", libm::exp(score));
    // Writing into a text cannot fail.
    let mut line = |head: &str, words: String| _ = writeln!(text, "// {head:<9} {words}");
    if let Some(row) = tables.found() {
        line("training", score("needs", row.score) + ", geometric mean over tasks, trainers and targets");
    }
    if let Some(row) = tables.validation.iter().find(|row| row.what == "start") {
        line("start", score("needed", row.score));
    }
    line("tested", format!("on {}", tasks(&document.test.tasks)));
    match test.map(|test| ratio(study, test)) {
        Some(ratio) => {
            line("test", format!("needs {ratio:.3} times the cost of the best classic of each task, see {TEST}/"))
        }
        None => line("test", "not run yet".to_owned()),
    }
    let kind = if study.units == Activation::Tanh { "tanh" } else { "relu" };
    _ = write!(text, "{}(\n    {kind}: (\n", document.family.name());
    for (field, number) in study.fields().iter().zip(numbers) {
        _ = writeln!(text, "        {}: {number:?},", field.name);
    }
    text.push_str("    ),\n)\n");
    Ok(text)
}

/// Geometric mean over the test tasks of the found recipe's expected cost at the deciding target by that of the cheapest
/// classic, in the final. A side without a success counts as if one run had been one.
fn ratio(study: &RecipeStudy, test: &SuiteTables) -> f64 {
    let suite = &study.test.suite;
    let deciding = suite.pilot.passes.len() / 2;
    let candidate = suite.arms.iter().position(|arm| arm.name.as_str() == "found");
    let all = choices(suite, &test.results);
    let cost = |contender: Contender, task: usize| -> Option<f64> {
        let choice = all.iter().find(|one| (one.contender, one.task, one.target) == (contender, task, deciding))?;
        let names = [&suite.tasks[task].name, &suite.trainers[choice.trainer].name, &suite.arms[choice.arm].name];
        let runs = test.results.iter().filter(|row| {
            row.phase == Phase::Final
                && row.target == deciding + 1
                && [&row.task, &row.trainer, &row.arm].into_iter().eq(names.map(|name| name.as_str()))
        });
        let (spent, solved) = runs.fold((0.0, 0_usize), |(spent, solved), row| {
            (spent + row.passes.unwrap_or(row.total), solved + usize::from(row.passes.is_some()))
        });
        Some(spent / solved.max(1) as f64)
    };
    let logarithms: Vec<f64> = (0..suite.tasks.len())
        .filter_map(|task| {
            Some(libm::log(cost(Contender::Candidate(candidate?), task)? / cost(Contender::BestClassic, task)?))
        })
        .collect();
    libm::exp(mean(&logarithms).unwrap_or(f64::NAN))
}

/// Runs that have finished of a recipe search, and all that there may be.
///
/// # Errors
/// A table that cannot be read.
pub fn standing(folder: &Folder, document: &RecipeSearch) -> Result<(usize, usize)> {
    let manifest = folder.manifest()?;
    let tables = RecipeTables::load(folder.path())?;
    let study = RecipeStudy::new(document.clone(), Path::new(&manifest.data_folder)).ok();
    let searched = document
        .seeds
        .to_vec()
        .into_iter()
        .filter_map(|seed| tables.search.iter().rfind(|row| row.search == seed).map(|row| row.runs));
    let each = study.as_ref().map_or(0, |study| study.runs_of(study.validation().len()));
    let mut finished = tables.pilot.len() / document.pilot.passes.len().max(1)
        + searched.sum::<usize>()
        + tables.validation.len() * each;
    let test = Folder::at(folder.path().join(TEST));
    if test.manifest().is_ok() {
        finished += Standing::of(&test)?.finished;
    }
    let planned = study.and_then(|study| study.plan(1).ok()).map_or(finished, |plan| plan.runs + plan.test.runs);
    Ok((finished, if manifest.state == State::Complete { finished } else { planned.max(finished) }))
}

/// What came of computing parts of a recipe search again: as they were, and as they are now.
#[derive(Debug)]
pub struct RecipeAgain {
    /// As they were.
    pub old: RecipeTables,
    /// As they are now.
    pub now: RecipeTables,
    /// `recipe.ron` as it should be, where it was looked at.
    pub recipe: Option<String>,
    /// Runs that were made.
    pub runs: usize,
}

/// Computes the searches with these seeds again; or, if there are none, the pilot, the scores of the validation, and what
/// `recipe.ron` says.
///
/// # Errors
/// `P0309` for a seed that no search has; as [`run_recipe_search`]; `P0701` if `watch` ended it.
pub fn again(
    study: &RecipeStudy,
    folder: &Folder,
    seeds: Option<&[u64]>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<RecipeAgain> {
    if let Some(strange) = seeds.into_iter().flatten().find(|seed| !study.seeds.contains(seed)) {
        return Err(Error::experiment("P0309", format!("\"{}\" has no search {strange}", study.document.name))
            .help("name seeds of searches that were run"));
    }
    let interrupted = || Error::new(crate::error::Kind::Interrupted, "P0701", "interrupted; nothing was compared");
    let (_, pool) = pool(threads)?;
    let scratch = tempfile::tempdir().map_err(|cause| Error::io("making", &std::env::temp_dir(), &cause))?;
    for part in [checkpoint::folder(scratch.path()), scratch.path().join("experiments")] {
        files::make_folder(&part)?;
    }
    let mut old = RecipeTables::load(folder.path())?;
    let mut now = RecipeTables {
        pilot: pilot(study, scratch.path(), &pool, watch)?.ok_or_else(interrupted)?,
        ..Default::default()
    };
    let mut runs = now.pilot.len() / study.document.pilot.passes.len();
    let mut scorer = Scorer::new(study, &now.pilot, &pool)?;
    let Some(seeds) = seeds else {
        let control = scorer.control(study.validation(), watch)?.ok_or_else(interrupted)?;
        let rows = validate::again(study, &mut scorer, &control, &old.validation, watch)?;
        now.validation = rows.ok_or_else(interrupted)?;
        runs += (1 + now.validation.len()) * study.runs_of(study.validation().len());
        old.search.clear();
        let test = SuiteTables::load(&folder.path().join(TEST))?;
        let recipe = recipe_text(study, &old, &folder.manifest()?.experiment_hash, Some(&test))?;
        return Ok(RecipeAgain { old, now, recipe: Some(recipe), runs });
    };
    let vault = Vault::open(scratch.path(), "again", &Checkpoint::default())?;
    for &seed in seeds {
        let slot = vault.slot(&format!("search-{seed}"));
        let rows = search::search(study, &mut scorer, seed, slot, watch, &mut |_| Ok(()))?;
        now.search.extend(rows.ok_or_else(interrupted)?);
        runs += now.search.last().map_or(0, |row| row.runs);
    }
    old.validation.clear();
    // In the order in which they were asked for.
    let of = |seed: &u64| old.search.iter().filter(|row| row.search == *seed).cloned().collect::<Vec<_>>();
    old.search = seeds.iter().flat_map(of).collect();
    Ok(RecipeAgain { old, now, recipe: None, runs })
}
