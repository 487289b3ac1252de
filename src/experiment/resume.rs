//! Opening a result folder again, to go on or to recompute.

use crate::error::{Error, Kind, Result};
use crate::experiment::checkpoint::{self, Checkpoint};
use crate::experiment::config::{Experiment, Report, Seeds, Statistics};
use crate::experiment::folder::{Folder, Lock, Manifest, State};
use crate::experiment::load::{Document, parse_as, to_text};
use crate::experiment::recipe_search::{self, RecipeSearch};
use crate::experiment::replicate::hexadecimal;
use crate::experiment::search::TopologySearch;
use crate::experiment::suite::{self, Suite};
use crate::files;
use crate::rng::STREAM_VERSION;
use crate::task::DataFile;
use crate::values::Count;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Settings that may change when a run is resumed: none of them changes what a seed gives.
const MAY_CHANGE: [&str; 5] = ["notes", "seeds", "statistics", "report", "checkpoint"];

/// A document whose result folder is opened again.
pub trait Resumable: Document {
    /// The document without all that may change at a resume.
    fn meaning(&self) -> Self;

    /// The document with what `started` had read from files of settings that both name.
    ///
    /// # Errors
    /// None that a user could bring about.
    fn with_files_of(self, started: &Self) -> Result<Self> {
        super::recipes::adopt(self, started)
    }

    /// Runs that it is made of.
    fn runs(&self) -> usize;
}

impl Resumable for Experiment {
    fn meaning(&self) -> Experiment {
        let (seeds, notes) = (Seeds::List(Vec::new()), String::new());
        let (statistics, report, checkpoint) = (Statistics::default(), Report::default(), Checkpoint::default());
        Experiment { notes, seeds, statistics, report, checkpoint, ..self.clone() }
    }

    fn runs(&self) -> usize {
        self.seeds.to_vec().len() * self.arms.len()
    }
}

impl Resumable for TopologySearch {
    fn meaning(&self) -> TopologySearch {
        let (seeds, notes) = (Seeds::List(Vec::new()), String::new());
        let (report, checkpoint) = (Report::default(), Checkpoint::default());
        TopologySearch { notes, seeds, report, checkpoint, ..self.clone() }
    }

    fn runs(&self) -> usize {
        self.seeds.to_vec().len()
    }
}

impl Resumable for Suite {
    /// All but the notes: whatever else could be changed was written down before results were seen.
    fn meaning(&self) -> Suite {
        Suite { notes: String::new(), ..self.clone() }
    }

    fn runs(&self) -> usize {
        self.seeds.to_vec().len() * self.arms.len() * self.tasks.len()
    }
}

impl Resumable for RecipeSearch {
    /// All but the notes, as of a suite.
    fn meaning(&self) -> RecipeSearch {
        RecipeSearch { notes: String::new(), ..self.clone() }
    }

    fn runs(&self) -> usize {
        self.seeds.to_vec().len()
    }
}

/// SHA-256 of what a document means, in hexadecimal digits.
pub fn meaning_hash<D: Resumable>(document: &D) -> String {
    hexadecimal(&Sha256::digest(to_text(&document.meaning()).as_bytes()))
}

/// How far the run in a result folder is.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The folder's manifest.
    pub manifest: Manifest,
    /// Whether a process is writing into the folder.
    pub is_written: bool,
    /// Runs that have finished.
    pub finished: usize,
    /// All runs.
    pub runs: usize,
    /// Seeds; each has as many runs.
    pub seeds: usize,
    /// Runs that have been saved but not finished, such as `ga-s7`.
    pub under_way: Vec<String>,
}

impl Standing {
    /// Looks into a folder, which may be written at the same time.
    ///
    /// # Errors
    /// `P0305` for a folder that holds no results; a copy of the experiment that cannot be read.
    pub fn of(folder: &Folder) -> Result<Standing> {
        let is_written = folder.is_locked();
        match folder.manifest()?.kind.as_str() {
            Suite::ROOT => return Standing::counted(folder, is_written, suite::standing),
            RecipeSearch::ROOT => return Standing::counted(folder, is_written, recipe_search::standing),
            _ => {}
        }
        let (finished, under_way) = checkpoint::census(folder.path());
        // Looked at last: whoever completes the run in between empties the folder of checkpoints after this changed.
        let manifest = folder.manifest()?;
        let resolved = folder.path().join("experiment.resolved.ron");
        let (runs, seeds) = match manifest.kind.as_str() {
            TopologySearch::ROOT => count(read::<TopologySearch>(&resolved)?),
            _ => count(read::<Experiment>(&resolved)?),
        };
        let whole = manifest.state == State::Complete;
        let (finished, under_way) = if whole { (runs, Vec::new()) } else { (finished.len(), under_way) };
        Ok(Standing { manifest, is_written, finished, runs, seeds, under_way })
    }

    /// Of a document that counts its runs itself.
    fn counted<D: Document>(
        folder: &Folder,
        is_written: bool,
        count: impl Fn(&Folder, &D) -> Result<(usize, usize)>,
    ) -> Result<Standing> {
        let mut document: D = read(&folder.path().join("experiment.resolved.ron"))?;
        let seeds = document.seeds().to_vec().len();
        let (finished, runs) = count(folder, &document)?;
        Ok(Standing { manifest: folder.manifest()?, is_written, finished, runs, seeds, under_way: Vec::new() })
    }
}

/// A result folder that was opened again.
#[derive(Clone, Debug)]
pub struct Reopened<D> {
    /// The folder.
    pub folder: Folder,
    /// Its manifest.
    pub manifest: Manifest,
    /// What is to be run, all seeds together.
    pub document: D,
    /// What was run so far, as it stands in the folder.
    pub started: D,
}

impl<D: Resumable> Reopened<D> {
    /// Opens a folder of this kind of document. Nothing in it changes. Its `experiment.ron` may have been edited since, in what may change at a
    /// resume; `more` seeds come behind those that it names.
    ///
    /// # Errors
    /// `P0303` for a run of another version of the random streams, `P0309` for a document that means something else than
    /// the one that was started.
    pub fn open(folder: Folder, more: Option<&Seeds>) -> Result<Reopened<D>> {
        let manifest = folder.manifest()?;
        if manifest.stream_version != STREAM_VERSION {
            let message = format!(
                "{} was begun with version {} of the random streams, this program has version {STREAM_VERSION}",
                folder.path().display(),
                manifest.stream_version
            );
            return Err(Error::data("P0303", message).help(format!("resume it with precocial {}", manifest.precocial)));
        }
        let resolved = folder.path().join("experiment.resolved.ron");
        let started: D = read(&resolved)?;
        if meaning_hash(&started) != manifest.meaning {
            return Err(Error::experiment("P0309", "this copy of the experiment was changed after the run began")
                .in_file(&resolved)
                .help("put it back as it was; what may change is read from experiment.ron beside it"));
        }
        let own = folder.path().join("experiment.ron");
        let mut document: D = if own.exists() { read::<D>(&own)?.with_files_of(&started)? } else { started.clone() };
        let changes = changes(&started, &document);
        if !changes.is_empty() {
            let mut error =
                Error::experiment("P0309", "the experiment differs from the one that was started").in_file(&own);
            for (path, was, now) in changes.iter().take(5) {
                error = error.note(format!("{path} was {was}, now {now}"));
            }
            if D::ROOT == Experiment::ROOT && changes.iter().all(|(path, ..)| path.starts_with("budget")) {
                error = error.help(format!(
                    "a larger budget is given with --budget, once the file is as it was: precocial resume {} --budget …",
                    folder.path().display()
                ));
            }
            return Err(error
                .help("a changed method needs a new run: precocial run FILE.ron")
                .note("notes, statistics, report, checkpoint and more seeds may change"));
        }
        let old = started.clone().seeds().clone();
        // Seeds are only ever added: what was run is there.
        let mut wanted = document.seeds().to_vec();
        wanted.extend(more.map(Seeds::to_vec).unwrap_or_default());
        let mut all = old.to_vec();
        for seed in wanted {
            if !all.contains(&seed) {
                all.push(seed);
            }
        }
        // Seeds that are the same stand there as they stood, so that the text is the same.
        *document.seeds() = if all == old.to_vec() { old } else { listed(all)? };
        Ok(Reopened { folder, manifest, document, started })
    }

    /// Keeps other processes from writing into the folder, and looks into its manifest again: one may have gone on since.
    ///
    /// # Errors
    /// `P0505` for a process that writes there, or one that put another run there.
    pub(super) fn lock(&self) -> Result<(Lock, Manifest)> {
        let lock = self.folder.lock()?;
        let manifest = self.folder.manifest()?;
        if manifest.meaning != self.manifest.meaning {
            let path = self.folder.path().display();
            let message = format!("another process has just put another run into {path}");
            return Err(Error::new(Kind::Files, "P0505", message).help(format!("precocial status {path} says which")));
        }
        Ok((lock, manifest))
    }

    /// Runs that have finished.
    pub fn finished(&self) -> usize {
        match self.manifest.state {
            State::Complete => self.started.clone().runs(),
            _ => checkpoint::census(self.folder.path()).0.len(),
        }
    }

    /// Folder that relative paths of data files start from.
    pub fn data_folder(&self) -> PathBuf {
        PathBuf::from(&self.manifest.data_folder)
    }
}

/// Runs and seeds of a document.
fn count<D: Resumable>(mut document: D) -> (usize, usize) {
    (document.runs(), document.seeds().to_vec().len())
}

/// Refuses data that are not those of the run.
///
/// # Errors
/// `P0310` for a file that has another content.
pub fn check_data(manifest: &Manifest, found: &[DataFile]) -> Result<()> {
    let same = manifest.data.len() == found.len()
        && manifest.data.iter().zip(found).all(|(old, new)| old.sha256 == new.sha256);
    if same {
        return Ok(());
    }
    let changed = manifest.data.iter().zip(found).find(|(old, new)| old.sha256 != new.sha256);
    let name = changed.map_or("a data file", |(old, _)| &old.name);
    Err(Error::data("P0310", format!("{name} has changed since the run began"))
        .help("put the old file back, or begin a new run"))
}

fn read<D: Document>(path: &Path) -> Result<D> {
    let bytes = files::read_capped(path, 1 << 20, Kind::Data)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::data("P0304", "this copy of the experiment is not UTF-8 text").in_file(path))?;
    parse_as(&text, path).map(|loaded| loaded.experiment)
}

/// A range where the seeds follow each other, else a list.
fn listed(seeds: Vec<u64>) -> Result<Seeds> {
    let first = seeds.first().copied().unwrap_or(0);
    let follow = seeds.iter().zip(0..).all(|(seed, offset)| first.checked_add(offset) == Some(*seed));
    Ok(if follow { Seeds::Range { first, count: Count::new(seeds.len() as u64)? } } else { Seeds::List(seeds) })
}

/// Settings that differ and may not: path, old value, new value.
fn changes<D: Resumable>(started: &D, now: &D) -> Vec<(String, String, String)> {
    let value = |document: &D| serde_json::to_value(document).unwrap_or(Value::Null);
    let (mut started, mut now) = (value(started), value(now));
    for document in [&mut started, &mut now] {
        if let Value::Object(fields) = document {
            MAY_CHANGE.iter().for_each(|name| _ = fields.remove(*name));
        }
    }
    let mut list = Vec::new();
    differences("", &started, &now, &mut list);
    list
}

pub(super) fn differences(path: &str, old: &Value, new: &Value, list: &mut Vec<(String, String, String)>) {
    match (old, new) {
        // Fields that are left out are none; of two choices the whole is told.
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) || a.len().min(b.len()) > 1 => {
            let added = b.keys().filter(|name| !a.contains_key(*name));
            for name in a.keys().chain(added) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let none = &Value::Null;
                differences(&path, a.get(name).unwrap_or(none), b.get(name).unwrap_or(none), list);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (old, new)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{at}]"), old, new, list);
            }
        }
        _ if old == new => {}
        _ => list.push((path.to_owned(), short(old), short(new))),
    }
}

fn short(value: &Value) -> String {
    let text = if value.is_null() { "none".to_owned() } else { value.to_string() };
    if text.chars().count() <= 60 { text } else { text.chars().take(57).chain("…".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::prepare::Study;
    use crate::experiment::run::{RunOptions, run};
    use crate::experiment::watch::Unwatched;

    const TEXT: &str = r#"Experiment(
        schema: 1, name: "tiny", seeds: Range(first: 1, count: 3),
        task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, validation: 0.15, test: 0.15)),
        network: Mlp(hidden: [(units: 8, activation: Tanh)]),
        train: (optimizer: Adam(learning_rate: 0.01)),
        arms: [
            (name: "random", method: Random(scheme: GlorotUniform)),
            (name: "ga", method: Genetic(population: 10, generations: 5, scheme: GlorotUniform)),
        ],
        budget: TrainingPasses(300),
    )"#;

    fn document(text: &str) -> Experiment {
        parse_as(text, Path::new("tiny.ron")).unwrap().experiment
    }

    #[test]
    fn every_edit_is_allowed_or_named() {
        let edits = [
            ("name: \"tiny\"", "name: \"other\"", Some("name")),
            ("count: 3", "count: 30", None),
            ("budget:", "notes: \"why\", budget:", None),
            ("budget:", "checkpoint: (every_seconds: 1), budget:", None),
            ("budget:", "report: (plots: All), budget:", None),
            ("budget:", "statistics: (confidence: 0.9), budget:", None),
            ("population: 10", "population: 20", Some("arms[1].method.Genetic.population")),
            ("generations: 5", "generations: 6", Some("arms[1].method.Genetic.generations")),
            (
                "GlorotUniform)),\n            (name: \"ga\"",
                "GlorotNormal)),\n            (name: \"ga\"",
                Some("arms[0].method.Random.scheme"),
            ),
            ("units: 8", "units: 9", Some("network.Mlp.hidden[0].units")),
            ("Tanh", "Relu", Some("network.Mlp.hidden[0].activation")),
            ("0.01", "0.02", Some("train.optimizer.Adam.learning_rate")),
            ("Passes(300)", "Passes(301)", Some("budget")),
            ("train: 0.7", "train: 0.6", Some("task.Classification.split.Stratified.train")),
            ("\"iris\"", "\"digits\"", Some("task.Classification.data.Builtin")),
            ("(name: \"random\", method: Random(scheme: GlorotUniform)),", "", Some("arms")),
            ("(name: \"ga\",", "(network: Mlp(hidden: []), name: \"ga\",", Some("arms[1].network")),
            ("(name: \"ga\",", "(train: (optimizer: Newton()), name: \"ga\",", Some("arms[1].train")),
        ];
        let started = document(TEXT);
        for (from, to, named) in edits {
            assert!(TEXT.contains(from), "{from}");
            let edited = document(&TEXT.replacen(from, to, 1));
            let found = changes(&started, &edited);
            match named {
                None => assert!(found.is_empty(), "{to}: {found:?}"),
                Some(path) => assert!(found[0].0.starts_with(path), "{to}: {found:?}"),
            }
            assert_eq!(meaning_hash(&started) == meaning_hash(&edited), named.is_none(), "{to}");
        }
    }

    #[test]
    fn seeds_that_follow_each_other_are_a_range() {
        assert_eq!(listed(vec![4, 5, 6]).unwrap(), Seeds::Range { first: 4, count: Count::new(3).unwrap() });
        assert_eq!(listed(vec![1, 3]).unwrap(), Seeds::List(vec![1, 3]));
        assert_eq!(listed(vec![u64::MAX]).unwrap().to_vec(), [u64::MAX]);
    }

    #[test]
    fn runs_are_counted_in_every_state() {
        let place = tempfile::tempdir().unwrap();
        let text = TEXT.replace("Passes(300)", "Passes(120)");
        let study = Study::new(document(&text), place.path()).unwrap();
        let out = place.path().join("out");
        let options = RunOptions { out: Some(out.clone()), threads: 1, source: Some(text), ..RunOptions::default() };
        run(&study, &options, &Unwatched).unwrap();
        let folder = Folder::at(&out);
        let whole = Standing::of(&folder).unwrap();
        assert_eq!((whole.finished, whole.runs, whole.seeds, whole.is_written), (6, 6, 3, false));
        assert!(whole.under_way.is_empty());
        let reopened = Reopened::<Experiment>::open(folder.clone(), None).unwrap();
        assert_eq!(reopened.finished(), 6);
        assert_eq!(reopened.document, reopened.started);
        // The tables of the first three seeds are whole; of a fourth nothing was saved yet.
        let more = Seeds::Range { first: 3, count: Count::new(2).unwrap() };
        let reopened = Reopened::<Experiment>::open(folder.clone(), Some(&more)).unwrap();
        assert_eq!(reopened.document.seeds.to_vec(), [1, 2, 3, 4]);
        assert_eq!((reopened.finished(), reopened.document.runs()), (6, 8));
        // A run that was broken off before anything was saved.
        let mut manifest = folder.manifest().unwrap();
        manifest.state = State::Running;
        crate::files::replace(&out.join("manifest.json"), &serde_json::to_vec(&manifest).unwrap()).unwrap();
        let begun = Standing::of(&folder).unwrap();
        assert_eq!((begun.finished, begun.runs, begun.seeds), (0, 6, 3));
        assert_eq!(Reopened::<Experiment>::open(folder, None).unwrap().finished(), 0);
    }

    #[test]
    fn every_kind_of_document_knows_its_runs() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        let suite: Suite = read(&shipped.join("suite/quick.ron")).unwrap();
        let (seeds, arms, tasks) = (suite.seeds.to_vec().len(), suite.arms.len(), suite.tasks.len());
        assert!(seeds > 2 && arms > 2 && tasks > 1, "products tell each other apart");
        assert_eq!(suite.runs(), seeds * arms * tasks);
        let search: TopologySearch = read(&shipped.join("wann_swingup.ron")).unwrap();
        assert_eq!(count(search.clone()), (search.seeds.to_vec().len(), search.seeds.to_vec().len()));
        assert!(search.runs() > 1);
    }

    #[test]
    fn a_folder_that_is_being_written_says_so() {
        let place = tempfile::tempdir().unwrap();
        let study = Study::new(document(&TEXT.replace("Passes(300)", "Passes(120)")), place.path()).unwrap();
        let out = place.path().join("out");
        run(&study, &RunOptions { out: Some(out.clone()), threads: 1, ..RunOptions::default() }, &Unwatched).unwrap();
        let folder = Folder::at(&out);
        let lock = folder.lock().unwrap();
        assert!(folder.is_locked() && Standing::of(&folder).unwrap().is_written);
        assert_eq!(folder.lock().unwrap_err().code(), "P0505");
        drop(lock);
        assert!(!folder.is_locked());
        // Folders of the first version did not say what kind of document was run.
        let manifest = folder.manifest().unwrap();
        let mut plain = serde_json::to_value(&manifest).unwrap();
        plain.as_object_mut().unwrap().remove("kind").unwrap();
        assert_eq!(serde_json::from_value::<Manifest>(plain).unwrap(), manifest);
        // Tables come in the order of the experiment, however the runs ended.
        let tables = folder.tables().unwrap();
        let mut records = tables.clone().records();
        assert_eq!(records.len(), 6);
        records.reverse();
        assert_eq!(crate::experiment::Tables::of(records, &study), tables);
    }

    #[test]
    fn other_data_are_refused_by_name() {
        let place = tempfile::tempdir().unwrap();
        let study = Study::new(document(&TEXT.replace("Passes(300)", "Passes(120)")), place.path()).unwrap();
        let out = place.path().join("out");
        run(&study, &RunOptions { out: Some(out.clone()), threads: 1, ..RunOptions::default() }, &Unwatched).unwrap();
        let mut manifest = Folder::at(&out).manifest().unwrap();
        let file = |name: &str, sha256: &str| DataFile { name: name.into(), bytes: 3, sha256: sha256.into() };
        manifest.data = vec![file("a.csv", "1"), file("b.csv", "2")];
        assert!(check_data(&manifest, &manifest.data).is_ok());
        assert!(check_data(&manifest, &[file("moved.csv", "1"), file("b.csv", "2")]).is_ok(), "only content counts");
        for (found, name) in [
            (vec![file("a.csv", "1"), file("b.csv", "3")], "b.csv"),
            (vec![file("a.csv", "0"), file("b.csv", "2")], "a.csv"),
            (vec![file("a.csv", "1")], "a data file"),
            (Vec::new(), "a data file"),
        ] {
            let refused = check_data(&manifest, &found).unwrap_err();
            assert_eq!(refused.code(), "P0310");
            assert!(refused.to_string().contains(&format!("{name} has changed")), "{refused}");
        }
    }

    #[test]
    fn long_settings_are_shown_shortened() {
        let text = |long: usize| Value::String("x".repeat(long - 2));
        assert_eq!(short(&text(60)).chars().count(), 60);
        assert!(!short(&text(60)).contains('…'));
        assert_eq!(short(&text(61)).chars().count(), 58);
        assert!(short(&text(61)).ends_with('…'));
    }
}
