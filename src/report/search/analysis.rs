//! The folder of a topology search, read and put together.

use crate::error::{Error, Kind, Result};
use crate::experiment::Folder;
use crate::files;
use crate::math::statistics::{median, sorted};
use crate::report::search::network::Network;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::Path;

/// What `manifest.json` calls the folders that are read here.
pub const KIND: &str = "TopologySearch";

/// Everything that the report of a topology search tells and draws.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchAnalysis {
    /// On what it was run, and how it ended.
    pub manifest: SearchManifest,
    /// The experiment with all defaults spelled out, as text.
    pub experiment: String,
    /// What the scores mean.
    pub measure: Measure,
    /// Generations of all seeds.
    pub generations: Vec<GenerationRow>,
    /// Fronts of a few generations.
    pub fronts: Vec<FrontRow>,
    /// Response to shared weights.
    pub weights: Vec<WeightRow>,
    /// What came out, by kind.
    pub results: Vec<ResultRow>,
    /// The found networks, one a seed, by seed.
    pub networks: Vec<Found>,
    /// Episodes in full; control tasks only.
    pub trajectory: Option<Trajectories>,
}

/// What is read of `manifest.json`; fields that are missing are empty.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SearchManifest {
    /// [`KIND`].
    pub kind: String,
    /// Name of the experiment.
    pub name: String,
    /// Words of the user on it.
    pub description: String,
    /// Version of the program.
    pub precocial: String,
    /// Version of the random streams.
    pub stream_version: u32,
    /// Architecture and system.
    pub platform: String,
    /// Model of the processor.
    pub processor: String,
    /// Instruction set of the kernels.
    pub instruction_set: String,
    /// Threads.
    pub threads: usize,
    /// The command, after the program's name.
    pub command: Vec<String>,
    /// Start, seconds since 1970.
    pub started: Option<u64>,
    /// End, seconds since 1970.
    pub ended: Option<u64>,
    /// SHA-256 of `experiment.resolved.ron`.
    pub experiment_hash: String,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Hash of the results.
    pub bits: String,
}

/// What the scores after the search mean; higher is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Sum of rewards of an episode.
    Return,
    /// Share of rows that are told right.
    Accuracy,
    /// Negative loss.
    NegativeLoss,
}

impl Measure {
    /// What an axis of scores on unseen starts or rows is called.
    pub fn label(self) -> &'static str {
        match self {
            Measure::Return => "return per episode",
            Measure::Accuracy => "accuracy on held-out rows",
            Measure::NegativeLoss => "−loss on held-out rows",
        }
    }

    /// What an axis of the scores of generations is called.
    pub fn search_label(self) -> &'static str {
        if self == Measure::Return { "return per episode" } else { "−loss on the generation's rows" }
    }

    /// Where scores were taken.
    pub fn unseen(self) -> &'static str {
        if self == Measure::Return { "unseen starts" } else { "held-out rows" }
    }

    /// A score as a reader wants it.
    pub fn written(self, score: f64) -> String {
        use crate::report::number::digits;
        match self {
            Measure::Accuracy => format!("{}%", digits(100.0 * score, 3)),
            _ => digits(score, 3).replace('-', "−"),
        }
    }
}

/// A row of `generations.csv`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct GenerationRow {
    /// Seed.
    pub seed: u64,
    /// Generation, from 0 or 1.
    pub generation: u64,
    /// Best mean over the shared weights, in the population.
    #[serde(deserialize_with = "finite")]
    pub best_mean: Option<f64>,
    /// Median of the means over the shared weights.
    #[serde(deserialize_with = "finite")]
    pub median_mean: Option<f64>,
    /// Best score at any shared weight.
    #[serde(deserialize_with = "finite")]
    pub best_peak: Option<f64>,
    /// Connections of the best.
    #[serde(deserialize_with = "finite")]
    pub best_connections: Option<f64>,
    /// Median of the connections.
    #[serde(deserialize_with = "finite")]
    pub median_connections: Option<f64>,
    /// Mean over the shared weights of the champion, on fresh starts or rows.
    #[serde(deserialize_with = "finite")]
    pub champion_mean: Option<f64>,
    /// Best score of the champion at any shared weight, likewise.
    #[serde(deserialize_with = "finite")]
    pub champion_peak: Option<f64>,
    /// Connections of the champion.
    #[serde(deserialize_with = "finite")]
    pub champion_connections: Option<f64>,
    /// Cost so far.
    #[serde(deserialize_with = "finite")]
    pub cost: Option<f64>,
}

/// A row of `fronts.csv`: an individual that no other one dominates.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct FrontRow {
    /// Seed.
    pub seed: u64,
    /// Generation.
    pub generation: u64,
    /// Mean over the shared weights.
    #[serde(deserialize_with = "finite")]
    pub mean: Option<f64>,
    /// Best score at any shared weight.
    #[serde(deserialize_with = "finite")]
    pub peak: Option<f64>,
    /// Connections.
    pub connections: f64,
}

/// A row of `weights.csv`: the found network with one shared weight, on unseen starts or rows.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct WeightRow {
    /// Seed.
    pub seed: u64,
    /// The shared weight.
    pub weight: f64,
    /// Mean score.
    #[serde(deserialize_with = "finite")]
    pub score: Option<f64>,
    /// Standard deviation over starts.
    #[serde(deserialize_with = "finite")]
    pub deviation: Option<f64>,
    /// Share of episodes that failed.
    #[serde(deserialize_with = "finite")]
    pub failures: Option<f64>,
}

/// A row of `results.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ResultRow {
    /// Seed.
    pub seed: u64,
    /// What was scored; see [`KINDS`].
    pub kind: String,
    /// Mean score.
    #[serde(deserialize_with = "finite")]
    pub score: Option<f64>,
    /// Standard deviation over starts.
    #[serde(deserialize_with = "finite")]
    pub deviation: Option<f64>,
    /// Share of the episodes that failed, 0 to 1; counts in the file become shares.
    #[serde(deserialize_with = "finite")]
    pub failures: Option<f64>,
    /// Starts or rows.
    #[serde(deserialize_with = "finite")]
    pub trials: Option<f64>,
    /// What it cost.
    #[serde(deserialize_with = "finite")]
    pub cost: Option<f64>,
}

/// Kinds of results in the order of tables and pictures, with the words for them.
pub const KINDS: &[(&str, &str)] = &[
    ("in_sample_mean", "best mean in the search (in-sample)"),
    ("in_sample_peak", "best peak in the search (in-sample)"),
    ("shared_mean", "shared weight, mean of the training weights"),
    ("shared_best_of_six", "shared weight, best of the training weights"),
    ("shared_tuned", "shared weight, tuned"),
    ("vote", "vote over the sweep of weights"),
    ("random_weights", "a random weight for each connection"),
    ("tuned_weights", "a tuned weight for each connection"),
    ("fixed_shared", "fixed topology, shared weight"),
    ("fixed_random", "fixed topology, random weights"),
];

/// The network of a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Seed.
    pub seed: u64,
    /// The network.
    pub network: Network,
}

/// Median over seeds with the range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Median.
    pub median: f64,
    /// Least.
    pub low: f64,
    /// Greatest.
    pub high: f64,
    /// Seeds.
    pub count: usize,
}

impl Spread {
    /// Of some numbers; `None` if there are none.
    pub fn of(numbers: &[f64]) -> Option<Spread> {
        let numbers = sorted(numbers);
        let (low, high) = (*numbers.first()?, *numbers.last()?);
        Some(Spread { median: median(&numbers)?, low, high, count: numbers.len() })
    }
}

/// `trajectory.csv`: what happened in a few episodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectories {
    /// Names of the state variables.
    pub states: Vec<String>,
    /// Names of the actions.
    pub actions: Vec<String>,
    /// Episodes, in the order of the file.
    pub episodes: Vec<Episode>,
}

/// An episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Episode {
    /// Seed of the search.
    pub seed: u64,
    /// Number of the episode.
    pub episode: u64,
    /// Seconds, or steps where the task has no seconds, `[steps]`.
    pub time: Vec<f64>,
    /// States, for each variable `[steps]`; what is not finite is NaN.
    pub states: Vec<Vec<f64>>,
    /// Actions, likewise.
    pub actions: Vec<Vec<f64>>,
    /// Rewards `[steps]`.
    pub rewards: Vec<f64>,
}

impl SearchAnalysis {
    /// Reads a folder; runs nothing.
    ///
    /// # Errors
    /// A table, a network or the manifest that is missing or damaged (`P0304`).
    pub fn read(folder: &Folder) -> Result<SearchAnalysis> {
        let place = folder.path();
        let manifest_path = place.join("manifest.json");
        let manifest: SearchManifest = serde_json::from_slice(&bytes(&manifest_path)?)
            .map_err(|cause| damaged(&manifest_path, format!("this manifest cannot be read: {cause}")))?;
        if manifest.kind != KIND {
            return Err(damaged(&manifest_path, "this is not the manifest of a topology search"));
        }
        let trajectory = place.join("trajectory.csv");
        let trajectory = if trajectory.is_file() { Some(Trajectories::read(&trajectory)?) } else { None };
        let weights: Vec<WeightRow> = table(&place.join("weights.csv"))?;
        let mut results: Vec<ResultRow> = table(&place.join("results.csv"))?;
        for row in &mut results {
            row.failures = row
                .failures
                .map(|failures| if failures > 1.0 { failures / row.trials.unwrap_or(failures) } else { failures });
        }
        let measure = measure(trajectory.is_some(), &weights);
        Ok(SearchAnalysis {
            manifest,
            experiment: String::from_utf8_lossy(&bytes(&place.join("experiment.resolved.ron"))?).into_owned(),
            measure,
            generations: table(&place.join("generations.csv"))?,
            fronts: table(&place.join("fronts.csv"))?,
            weights,
            results,
            networks: networks(&place.join("networks"))?,
            trajectory: trajectory.filter(|trajectory| !trajectory.episodes.is_empty()),
        })
    }

    /// Seeds that have results, generations or a network, ascending.
    pub fn seeds(&self) -> Vec<u64> {
        let results = self.results.iter().map(|row| row.seed);
        let seeds = results.chain(self.generations.iter().map(|row| row.seed));
        let mut seeds: Vec<u64> = seeds.chain(self.networks.iter().map(|found| found.seed)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }

    /// `5 seeds`.
    pub fn seeds_text(&self) -> String {
        let seeds = self.seeds().len();
        format!("{seeds} seed{}", if seeds == 1 { "" } else { "s" })
    }

    /// Scores of a kind with their seeds, in the order of the file.
    pub fn scores(&self, kind: &str) -> Vec<(u64, f64)> {
        let rows = self.results.iter().filter(|row| row.kind == kind);
        rows.filter_map(|row| Some((row.seed, row.score?))).collect()
    }

    /// Median and range of a kind over seeds.
    pub fn spread(&self, kind: &str) -> Option<Spread> {
        Spread::of(&self.scores(kind).iter().map(|score| score.1).collect::<Vec<_>>())
    }

    /// Kinds that have scores, with the words for them, in the order of [`KINDS`]; unknown ones behind.
    pub fn kinds(&self) -> Vec<(String, String)> {
        let mut kinds: Vec<(String, String)> =
            KINDS.iter().map(|(kind, words)| ((*kind).to_owned(), (*words).to_owned())).collect();
        for row in &self.results {
            if !kinds.iter().any(|(kind, _)| *kind == row.kind) {
                kinds.push((row.kind.clone(), row.kind.replace('_', " ")));
            }
        }
        kinds.retain(|(kind, _)| !self.scores(kind).is_empty());
        kinds
    }

    /// Whether a kind is scored on the scale of [`SearchAnalysis::measure`]: not the losses of a search for accuracy.
    pub fn is_comparable(&self, kind: &str) -> bool {
        !kind.starts_with("in_sample")
            || self.measure != Measure::Accuracy
            || self.scores(kind).iter().all(|s| s.1 > 0.0)
    }

    /// The network to show: of the seed whose tuned shared weight scores in the middle, or of the first seed.
    pub fn shown(&self) -> Option<&Found> {
        let mut ranked: Vec<(u64, f64)> = self.scores("shared_tuned");
        ranked.retain(|(seed, _)| self.networks.iter().any(|found| found.seed == *seed));
        ranked.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let seed = ranked.get(ranked.len() / 2).map(|middle| middle.0);
        self.networks.iter().find(|found| Some(found.seed) == seed).or(self.networks.first())
    }

    /// The shared weights of the search, as the experiment writes them.
    pub fn training_weights(&self) -> Vec<f64> {
        let lists = ["shared_weights", "weights"].map(|name| list(&self.experiment, name));
        let found = lists.into_iter().flatten().find(|list| !list.is_empty()).unwrap_or_default();
        found.iter().filter_map(|number| number.parse().ok()).filter(|weight: &f64| weight.is_finite()).collect()
    }

    /// Names of the activations that hidden nodes were allowed, as the experiment writes them.
    pub fn allowed_activations(&self) -> Vec<String> {
        let name = |text: &String| text.chars().take_while(|c| c.is_alphanumeric()).collect::<String>();
        let names = list(&self.experiment, "activations").unwrap_or_default();
        names.iter().map(name).filter(|name| name.starts_with(char::is_uppercase)).collect()
    }
}

impl Trajectories {
    fn read(path: &Path) -> Result<Trajectories> {
        let bytes = bytes(path)?;
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let broken = |cause: csv::Error| damaged(path, format!("this table cannot be read: {cause}"));
        let header: Vec<String> = reader.headers().map_err(broken)?.iter().map(str::to_owned).collect();
        let last = header.len().saturating_sub(1);
        if header.len() < 6 || header[..4] != ["seed", "episode", "step", "time"] || header[last] != "reward" {
            return Err(damaged(path, "this table needs the columns seed, episode, step, time, …, reward"));
        }
        let first_action = (4..last).find(|column| is_action(&header[*column])).unwrap_or(last);
        let mut found = Trajectories {
            states: header[4..first_action].to_vec(),
            actions: header[first_action..last].to_vec(),
            episodes: Vec::new(),
        };
        for (index, record) in reader.records().enumerate() {
            let record = record.map_err(broken)?;
            let number = |column: usize| {
                let text = &record[column];
                if text.is_empty() {
                    return Ok(f64::NAN);
                }
                let number: Option<f64> = text.parse().ok();
                number.map(|x| if x.is_finite() { x } else { f64::NAN }).ok_or_else(|| {
                    damaged(path, format!("row {}, column {}: `{text}` is no number", index + 2, header[column]))
                })
            };
            let (seed, episode) = (number(0)? as u64, number(1)? as u64);
            if found.episodes.last().is_none_or(|last| (last.seed, last.episode) != (seed, episode)) {
                let empty = |columns: &[String]| vec![Vec::new(); columns.len()];
                let (states, actions) = (empty(&found.states), empty(&found.actions));
                found.episodes.push(Episode { seed, episode, states, actions, ..Episode::default() });
            }
            let Some(current) = found.episodes.last_mut() else { continue };
            current.time.push(number(3)?);
            for (place, column) in (4..first_action).enumerate() {
                current.states[place].push(number(column)?);
            }
            for (place, column) in (first_action..last).enumerate() {
                current.actions[place].push(number(column)?);
            }
            current.rewards.push(number(last)?);
        }
        Ok(found)
    }
}

/// Whether a folder holds a topology search.
pub fn is_search(folder: &Folder) -> bool {
    let manifest = files::read_capped(&folder.path().join("manifest.json"), 16 << 20, Kind::Data).ok();
    let manifest = manifest.and_then(|bytes| serde_json::from_slice::<SearchManifest>(&bytes).ok());
    manifest.is_some_and(|manifest| manifest.kind == KIND)
}

/// A problem of a file of the folder.
pub(super) fn damaged(path: &Path, message: impl Into<String>) -> Error {
    Error::data("P0304", message).in_file(path).help("run the experiment again; equal seeds give the same numbers")
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    files::read_capped(path, 4 << 30, Kind::Data).map_err(|error| match error.code() {
        "P0501" => damaged(path, "this file of the result folder is missing"),
        _ => error,
    })
}

fn table<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let bytes = bytes(path)?;
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    // A table that was cut to nothing has no rows that could be malformed.
    if reader.headers().is_ok_and(|header| header.get(0) != Some("seed")) {
        return Err(damaged(path, "this table needs `seed` as its first column"));
    }
    let rows: std::result::Result<Vec<T>, _> = reader.deserialize().collect();
    rows.map_err(|cause| damaged(path, format!("this table cannot be read: {cause}")))
}

/// The networks `<name>-s<seed>.json` of a folder; of several at a seed the first name in the alphabet.
fn networks(folder: &Path) -> Result<Vec<Found>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Err(damaged(folder, "this folder of networks is missing"));
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let mut found: BTreeMap<u64, Network> = BTreeMap::new();
    for name in &names {
        let stem = name.strip_suffix(".json").and_then(|stem| stem.rsplit_once("-s"));
        let Some(seed) = stem.and_then(|(_, seed)| seed.parse().ok()) else { continue };
        if let std::collections::btree_map::Entry::Vacant(free) = found.entry(seed) {
            let path = folder.join(name);
            free.insert(Network::parse(&bytes(&path)?).map_err(|cause| damaged(&path, cause))?);
        }
    }
    Ok(found.into_iter().map(|(seed, network)| Found { seed, network }).collect())
}

fn measure(is_control: bool, weights: &[WeightRow]) -> Measure {
    match () {
        () if is_control => Measure::Return,
        () if weights.iter().filter_map(|row| row.score).all(|score| (0.0..=1.0).contains(&score)) => Measure::Accuracy,
        () => Measure::NegativeLoss,
    }
}

/// Whether a column of `trajectory.csv` is an action: by its name alone, which the environments choose.
fn is_action(name: &str) -> bool {
    const NAMES: [&str; 6] = ["force", "push", "torque", "left", "right", "none"];
    name.starts_with("action") || name.ends_with("N m") || NAMES.contains(&name)
}

/// The entries of `name: [a, b, c]` in a RON text; `None` if there is no such list.
fn list(text: &str, name: &str) -> Option<Vec<String>> {
    let starts = text.match_indices(name).filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    });
    starts.map(|(at, _)| &text[at + name.len()..]).find_map(|rest| {
        let rest = rest.trim_start().strip_prefix(':')?.trim_start();
        let rest = rest.strip_prefix("Some(").unwrap_or(rest).trim_start().strip_prefix('[')?;
        let inside = &rest[..rest.find(']')?];
        Some(inside.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect())
    })
}

/// Numbers that are not finite count as missing.
fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<f64>, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.filter(|number| number.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, Case};
    use super::*;

    #[test]
    fn damaged_files_are_refused_by_name() {
        for (name, text) in [
            ("manifest.json", "{"),
            ("generations.csv", "seed,generation\n1,x\n"),
            ("fronts.csv", "seed,generation,mean,peak,connections\n1,2,3\n"),
            ("weights.csv", "seed,weight,score\n1,0.5,high\n"),
            ("results.csv", "seed,kind\n1\n"),
            ("fronts.csv", ""),
            ("trajectory.csv", "seed,episode,step,time,x,reward\n1,1,0,0,left,1\n"),
            ("trajectory.csv", "seed,episode\n1,1\n"),
            ("networks/made-up-s1.json", "{\"inputs\": []}"),
        ] {
            let place = tempfile::tempdir().unwrap();
            let folder = fixture::folder(place.path(), Case::Tiny);
            std::fs::write(folder.path().join(name), text).unwrap();
            let error = SearchAnalysis::read(&folder).unwrap_err();
            assert_eq!(error.code(), "P0304", "{name}");
            assert!(error.problems()[0].place.as_ref().is_some_and(|place| place.path.ends_with(name)), "{name}");
        }
        for name in ["weights.csv", "experiment.resolved.ron"] {
            let place = tempfile::tempdir().unwrap();
            let folder = fixture::folder(place.path(), Case::Tiny);
            std::fs::remove_file(folder.path().join(name)).unwrap();
            assert_eq!(SearchAnalysis::read(&folder).unwrap_err().code(), "P0304", "{name}");
        }
    }

    #[test]
    fn folders_of_searches_are_told_from_others() {
        let place = tempfile::tempdir().unwrap();
        assert!(!is_search(&Folder::at(place.path())));
        let folder = fixture::folder(place.path(), Case::Tiny);
        assert!(is_search(&folder));
        std::fs::write(folder.path().join("manifest.json"), "{\"name\": \"x\"}").unwrap();
        assert!(!is_search(&folder));
        assert_eq!(SearchAnalysis::read(&folder).unwrap_err().code(), "P0304");
    }

    #[test]
    fn folders_are_read_whole() {
        let analysis = fixture::analysis(Case::SwingUp);
        assert_eq!((analysis.measure, analysis.seeds().len(), analysis.networks.len()), (Measure::Return, 5, 5));
        assert_eq!(analysis.training_weights(), [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]);
        assert_eq!(analysis.allowed_activations().len(), 10);
        let trajectory = analysis.trajectory.as_ref().unwrap();
        assert_eq!((trajectory.states.len(), &trajectory.actions[..]), (6, &["force".to_owned()][..]));
        assert_eq!(trajectory.episodes.iter().map(|episode| episode.rewards.len()).collect::<Vec<_>>(), [1000; 3]);
        // NaN in a table is a missing number, an empty one too.
        assert!(analysis.generations[5].median_mean.is_none() && analysis.generations[0].champion_mean.is_none());
        // Tuned scores fall in the order of the seeds 5, 3, 1, 4, 2.
        assert_eq!(analysis.shown().map(|found| found.seed), Some(1));
        assert_eq!(fixture::analysis(Case::Digits).measure, Measure::Accuracy);
    }

    #[test]
    fn failures_are_shares_whether_written_as_shares_or_counts() {
        let place = tempfile::tempdir().unwrap();
        let folder = fixture::folder(place.path(), Case::Tiny);
        let text =
            "seed,kind,score,deviation,failures,trials,cost\n1,shared_tuned,5,1,0.25,1000,1\n1,vote,5,1,250,1000,1\n";
        std::fs::write(folder.path().join("results.csv"), text).unwrap();
        let analysis = SearchAnalysis::read(&folder).unwrap();
        assert!(analysis.results.iter().all(|row| row.failures == Some(0.25)));
    }
}
