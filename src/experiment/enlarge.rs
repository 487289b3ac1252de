//! A larger budget for a run that was begun. What arms do depends on their budget from the first step on, so the same
//! experiment begins anew in the place of the old run, which is moved aside.

use crate::error::{Error, Kind, Result};
use crate::experiment::config::{Budget, Experiment};
use crate::experiment::folder::Folder;
use crate::experiment::load::{Document, parse_as};
use crate::experiment::outline::Outline;
use crate::experiment::prepare::Study;
use crate::experiment::recipe_search::RecipeSearch;
use crate::experiment::resume::{Reopened, Resumable, check_data};
use crate::experiment::run::{RunOptions, lay, pool};
use crate::experiment::search::TopologySearch;
use crate::experiment::suite::Suite;
use crate::files;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

impl Reopened<Experiment> {
    /// Asks for another budget, which is told in the unit of the old one and is not smaller. Nothing in the folder changes:
    /// that is what [`begin_anew`] is for.
    ///
    /// # Errors
    /// `P0314` for a smaller budget or one in another unit.
    pub fn enlarge(&mut self, budget: Budget) -> Result<()> {
        let old = self.started.budget;
        let grows = match (old, budget) {
            (Budget::RowPasses(old), Budget::RowPasses(new)) => new.get() >= old.get(),
            (Budget::TrainingPasses(old), Budget::TrainingPasses(new)) => new.get() >= old.get(),
            (Budget::RowPasses(_), _) | (Budget::TrainingPasses(_), _) => {
                let unit = match old {
                    Budget::RowPasses(_) => "RowPasses",
                    Budget::TrainingPasses(_) => "TrainingPasses",
                };
                return Err(Error::experiment("P0314", format!("this run's budget is told in another unit: {old}"))
                    .help(format!("write --budget '{unit}(…)', or the number alone")));
            }
        };
        if !grows {
            return Err(Error::experiment("P0314", format!("{budget} is less than this run's {old}"))
                .note("what was spent stays spent")
                .help(format!("a smaller budget is another run: precocial run FILE.ron --set 'budget={budget}'")));
        }
        self.document.budget = budget;
        Ok(())
    }

    /// Whether another budget was asked for than that of the run in the folder.
    pub fn is_enlarged(&self) -> bool {
        self.document.budget != self.started.budget
    }
}

/// Why the run in a folder of this kind can get no larger budget; `Ok` for an experiment.
///
/// # Errors
/// `P0314` for every other kind.
pub fn can_be_enlarged(folder: &Folder) -> Result<()> {
    let kind = folder.manifest()?.kind;
    let refused = |message: &str| Err(Error::experiment("P0314", message));
    match kind.as_str() {
        TopologySearch::ROOT => refused("a topology search has no budget but its `generations`")
            .map_err(|error| {
                error
                    .note("a finished search keeps no state to go on from, and which fronts it tells depends on how long it is")
                    .help("a longer search is another run: precocial run FILE.ron --set search.generations=…")
            }),
        Suite::ROOT | RecipeSearch::ROOT => refused("the budgets were written down before results were seen")
            .map_err(|error| {
                error
                    .note("whoever spends more until a result pleases finds what is not there")
                    .help("other budgets are another file: precocial run FILE.ron")
            }),
        _ => Ok(()),
    }
}

/// Puts a run of `study` that has not begun into the place of the one that was opened again, which is moved aside whole; says
/// where that is now. [`Reopened::open`] finds the new one, and [`resume`](super::resume) runs it, to the same bits as a run of
/// its own.
///
/// A process that is killed on the way leaves the old run, or the new one, or nothing in their place: [`restore`] then finds
/// the new one beside it.
///
/// # Errors
/// Another process that writes into the folder (`P0505`), data that changed (`P0310`), what [`Study::plan`] refuses, a folder
/// without a name that can be moved (`P0314`), a file or folder that cannot be written.
pub fn begin_anew(
    study: &Study,
    reopened: &Reopened<Experiment>,
    threads: usize,
    data_folder: &Path,
) -> Result<PathBuf> {
    let place = reopened.folder.path();
    let next = Folder::at(beside(place).ok_or_else(|| {
        Error::experiment("P0314", format!("{} cannot be moved aside while you are in it", place.display()))
            .help("name the result folder from outside")
    })?);
    let (threads, _) = pool(threads)?;
    let plan = study.plan(threads)?;
    let (lock, manifest) = reopened.lock()?;
    check_data(&manifest, &study.dataset.files)?;
    let mut command = manifest.command;
    if !command.is_empty() {
        command.extend(["--set".to_owned(), format!("budget={}", study.experiment.budget)]);
    }
    let options = RunOptions {
        source: source(reopened, study.experiment.budget),
        command,
        data_folder: data_folder.to_owned(),
        ..RunOptions::default()
    };
    files::remove_folder(next.path())?;
    files::make_folder(next.path())?;
    lay(study, &next, &options, &plan, threads)?;
    // Windows moves no folder in which a file is open.
    let lock = (!cfg!(windows)).then_some(lock);
    let moved = files::move_aside(place).and_then(|aside| {
        files::move_folder(next.path(), place)?;
        Ok(aside.unwrap_or_default())
    });
    drop(lock);
    moved.map_err(|error| error.help(format!("to go on: precocial resume {}", place.display())))
}

/// The file that the user wrote with another budget in it, if that can be told from the text.
fn source(reopened: &Reopened<Experiment>, budget: Budget) -> Option<String> {
    let path = reopened.folder.path().join("experiment.ron");
    let text = String::from_utf8(files::read_capped(&path, 1 << 20, Kind::Data).ok()?).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let span = Outline::new(text).find("budget").ok()?.span.clone();
    let text = format!("{}{budget}{}", &text[..span.start], &text[span.end..]);
    let written = parse_as::<Experiment>(&text, &path).ok()?.experiment.with_files_of(&reopened.started).ok()?;
    let is_it = written.budget == budget && written.meaning() == reopened.document.meaning();
    is_it.then_some(text)
}

/// The result folder at `path`. If a kill left its place empty while a run was begun anew, that run is put there first.
///
/// # Errors
/// A rename that fails.
pub fn restore(path: &Path) -> Result<Folder> {
    if is_between(path)
        && let Some(next) = beside(path)
    {
        let moved = files::move_folder(&next, path);
        // Two processes may have found it at once.
        if !path.is_dir() {
            moved?;
        }
    }
    Ok(Folder::at(path))
}

/// Whether nothing is at `path`, and a run that is to be there waits beside it.
pub(super) fn is_between(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err() && beside(path).is_some_and(|next| next.join("manifest.json").is_file())
}

/// Removes a run that was to begin in this folder's place when its process was killed. Only for whoever holds the folder's lock.
pub(super) fn sweep(folder: &Folder) {
    if let Some(next) = beside(folder.path()) {
        // It is in nobody's way.
        _ = files::remove_folder(&next);
    }
}

/// Where a run that is to be at `path` is made ready.
fn beside(path: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".precocial-");
    name.push(path.file_name()?);
    name.push(".new");
    Some(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::config::Seeds;
    use crate::experiment::folder::State;
    use crate::experiment::watch::Unwatched;
    use crate::experiment::{Run, dialect, resume, run};
    use crate::values::Count;

    /// Written as a user writes it: with a byte order mark, comments and blanks.
    const TEXT: &str = "\u{feff}Experiment(
        schema: 1, name: \"tiny\", seeds: Range(first: 1, count: 2), // the budget: see below
        task: Classification(data: Builtin(\"iris\"), split: Stratified(train: 0.7, validation: 0.15, test: 0.15)),
        network: Mlp(hidden: [(units: 3, activation: Tanh)]),
        train: (optimizer: Adam(learning_rate: 0.01)),
        arms: [(name: \"random\", method: Random(scheme: GlorotUniform))],
        budget: /* enough */ TrainingPasses( 30 ), // row-passes
    )";

    fn begun(place: &Path, seeds: Seeds, budget: Option<&str>) -> Run {
        let mut experiment = parse_as::<Experiment>(TEXT, Path::new("tiny.ron")).unwrap().experiment;
        experiment.seeds = seeds;
        if let Some(budget) = budget {
            experiment.budget = dialect().from_str(budget).unwrap();
        }
        let study = Study::new(experiment, place).unwrap();
        let options = RunOptions {
            out: Some(place.to_owned()),
            threads: 1,
            source: Some(TEXT.to_owned()),
            command: vec!["run".to_owned(), "tiny.ron".to_owned()],
            ..RunOptions::default()
        };
        run(&study, &options, &Unwatched).unwrap()
    }

    fn first(count: u64) -> Seeds {
        Seeds::Range { first: 1, count: Count::new(count).unwrap() }
    }

    fn open(place: &Path, more: Option<&Seeds>) -> Reopened<Experiment> {
        Reopened::open(restore(place).unwrap(), more).unwrap()
    }

    /// Asks for a budget, and begins anew with it.
    fn enlarged(place: &Path, budget: &str, more: Option<&Seeds>) -> Result<PathBuf> {
        let mut reopened = open(place, more);
        reopened.enlarge(dialect().from_str(budget).unwrap())?;
        begin_anew(&Study::new(reopened.document.clone(), place).unwrap(), &reopened, 1, Path::new("data"))
    }

    #[test]
    fn budgets_only_grow_and_keep_their_unit() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        begun(&out, first(1), None);
        let mut reopened = open(&out, None);
        for (budget, message) in [
            ("TrainingPasses(29.9)", "TrainingPasses(29.9) is less than this run's TrainingPasses(30)"),
            ("RowPasses(900_000)", "this run's budget is told in another unit: TrainingPasses(30)"),
        ] {
            let refused = reopened.enlarge(dialect().from_str(budget).unwrap()).unwrap_err();
            assert_eq!((refused.code(), refused.problems()[0].helps.len()), ("P0314", 1), "{budget}");
            assert!(refused.to_string().contains(message), "{refused}");
        }
        assert!(!reopened.is_enlarged());
        reopened.enlarge(dialect().from_str("TrainingPasses(30)").unwrap()).unwrap();
        assert!(!reopened.is_enlarged(), "the same budget is nothing new");
        reopened.enlarge(dialect().from_str("TrainingPasses(30.1)").unwrap()).unwrap();
        assert!(reopened.is_enlarged());
        reopened.started.budget = dialect().from_str("RowPasses(9)").unwrap();
        assert!(reopened.enlarge(dialect().from_str("RowPasses(8)").unwrap()).is_err());
        reopened.enlarge(dialect().from_str("RowPasses(10)").unwrap()).unwrap();
        assert_eq!(reopened.document.budget.to_string(), "RowPasses(10)");
    }

    #[test]
    fn a_larger_budget_gives_what_a_run_of_its_own_gives() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let old = begun(&out, first(1), None).manifest.bits;
        let aside = enlarged(&out, "TrainingPasses(90)", Some(&first(3))).unwrap();
        assert_eq!(aside, place.path().join("out.old-1"));
        assert_eq!(Folder::at(&aside).tables().unwrap().bits().unwrap(), old, "nothing is lost");
        let reopened = open(&out, None);
        let manifest = &reopened.manifest;
        assert_eq!((manifest.state, manifest.data_folder.as_str(), reopened.finished()), (State::Running, "data", 0));
        assert_eq!(manifest.command, ["run", "tiny.ron", "--set", "budget=TrainingPasses(90)"]);
        let study = Study::new(reopened.document.clone(), &out).unwrap();
        let grown = resume(&study, &reopened, 2, &Unwatched).unwrap().manifest;
        let whole = begun(&place.path().join("whole"), first(3), Some("TrainingPasses(90)")).manifest;
        assert_eq!((grown.bits, grown.meaning), (whole.bits, whole.meaning));
        // The file is the user's own but for the budget.
        let text = std::fs::read_to_string(out.join("experiment.ron")).unwrap();
        assert_eq!(text, TEXT[3..].replace("TrainingPasses( 30 )", "TrainingPasses(90)"));
    }

    #[test]
    fn a_file_that_was_edited_keeps_its_edits() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        begun(&out, first(1), None);
        let own = out.join("experiment.ron");
        let noted = TEXT.replace("schema: 1,", "schema: 1, notes: \"why\", checkpoint: (every_seconds: 3),");
        files::replace(&own, noted.as_bytes()).unwrap();
        enlarged(&out, "TrainingPasses(31)", None).unwrap();
        assert_eq!(open(&out, None).document.notes, "why");
        assert!(std::fs::read_to_string(&own).unwrap().contains("// row-passes"));
        // Where there is no file, all settings are spelled out.
        std::fs::remove_file(&own).unwrap();
        assert_eq!(enlarged(&out, "TrainingPasses(32)", None).unwrap(), place.path().join("out.old-2"));
        assert!(std::fs::read_to_string(&own).unwrap().contains("budget: TrainingPasses(32"));
    }

    #[test]
    fn a_run_that_waits_beside_its_place_is_found() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        begun(&out, first(1), None);
        let next = beside(&out).unwrap();
        // A leftover beside a run that stands is of no use, and goes when that run is written.
        files::make_folder(&next).unwrap();
        assert_eq!(restore(&out).unwrap(), Folder::at(&out));
        let reopened = open(&out, None);
        let study = Study::new(reopened.document.clone(), &out).unwrap();
        resume(&study, &reopened, 1, &Unwatched).unwrap();
        assert!(!next.exists());
        // Nothing in its place, and something that is no run beside it.
        std::fs::rename(&out, place.path().join("away")).unwrap();
        files::make_folder(&next).unwrap();
        assert!(restore(&out).unwrap().manifest().unwrap_err().to_string().contains("not a result folder"));
        files::remove_folder(&next).unwrap();
        std::fs::rename(place.path().join("away"), &next).unwrap();
        let missing = Folder::at(&out).manifest().unwrap_err();
        assert!(missing.problems()[0].helps[0].contains("precocial resume"), "{missing}");
        assert_eq!(restore(&out).unwrap().manifest().unwrap().name, "tiny");
        assert!(out.is_dir() && !next.exists());
        assert_eq!(beside(Path::new("a/..")), None);
        assert_eq!(beside(Path::new("a/b/")), Some(PathBuf::from("a/.precocial-b.new")));
    }

    #[test]
    fn whoever_looked_before_another_run_came_is_stopped() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        begun(&out, first(1), None);
        let early = open(&out, None);
        let study = Study::new(early.document.clone(), &out).unwrap();
        enlarged(&out, "TrainingPasses(60)", None).unwrap();
        assert_eq!(resume(&study, &early, 1, &Unwatched).unwrap_err().code(), "P0505");
        assert_eq!(begin_anew(&study, &early, 1, Path::new("")).unwrap_err().code(), "P0505");
        // Whoever writes is left alone.
        let lock = Folder::at(&out).lock().unwrap();
        assert_eq!(enlarged(&out, "TrainingPasses(70)", None).unwrap_err().code(), "P0505");
        drop(lock);
        assert!(!place.path().join("out.old-2").exists() && !beside(&out).unwrap().exists());
    }
}
