//! What a topology search leaves behind: the rows of its tables.
//!
//! Scores are higher for better: the return of an episode; accuracy, or minus the loss where targets are numbers. Costs
//! are environment steps for control and multiply-adds on rows for data. Fields without a value are empty.

use crate::error::{Error, Kind, Result};
use crate::experiment::folder::{LARGEST_TABLE, read, table};
use crate::experiment::replicate::hexadecimal;
use crate::files;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A row of `generations.csv`. Scores of data sets are minus the loss here, in-sample: on the generation's own rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenerationRow {
    /// Seed.
    pub seed: u64,
    /// Generation, from 0.
    pub generation: u64,
    /// Best mean over the shared weights.
    pub best_mean: Option<f64>,
    /// Median of the finite means.
    pub median_mean: Option<f64>,
    /// Best score of one network with one shared weight.
    pub best_peak: Option<f64>,
    /// Enabled connections of the network with the best mean.
    pub best_connections: usize,
    /// The middle of the population's enabled connections.
    pub median_connections: usize,
    /// The champion's mean on fresh starts or rows.
    pub champion_mean: Option<f64>,
    /// The champion's best shared weight on those.
    pub champion_peak: Option<f64>,
    /// The champion's enabled connections.
    pub champion_connections: Option<usize>,
    /// Spent so far, champions' fresh scores included.
    pub cost: u64,
}

/// A row of `fronts.csv`: an individual that none of its generation betters in all that it was ranked by, mean and
/// connections, or mean and peak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontRow {
    /// Seed.
    pub seed: u64,
    /// Generation.
    pub generation: u64,
    /// Mean over the shared weights.
    pub mean: f64,
    /// Best shared weight's score.
    pub peak: f64,
    /// Enabled connections.
    pub connections: usize,
}

/// A row of `weights.csv`: a champion under one shared weight, on starts or rows that no score has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightRow {
    /// Seed.
    pub seed: u64,
    /// The weight that all links share.
    pub weight: f32,
    /// Mean return, accuracy, or minus the loss.
    pub score: Option<f64>,
    /// Standard deviation over episodes.
    pub deviation: Option<f64>,
    /// Share of episodes that failed: left the limits, or did not reach the goal.
    pub failures: Option<f64>,
}

/// What a row of `results.csv` speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// Best mean over the shared weights of the last generation, on its own starts or the training rows.
    InSampleMean,
    /// Best score of one network with one shared weight there.
    InSamplePeak,
    /// The champion's mean over the search's shared weights on unseen starts or rows; so are all below.
    SharedMean,
    /// The best of these weights, chosen on other starts or rows.
    SharedBestOfSix,
    /// The best single weight of a dense grid, chosen on other starts or rows.
    SharedTuned,
    /// Every link's weight drawn from U(−2, 2), mean over draws.
    RandomWeights,
    /// Every link's weight tuned.
    TunedWeights,
    /// Classes by the majority of all shared weights of the sweep.
    Vote,
    /// A network of one fixed hidden layer with about as many links, mean over the shared weights.
    FixedShared,
    /// The same with random weights.
    FixedRandom,
}

impl ResultKind {
    /// What the terminal calls it.
    pub fn title(self) -> &'static str {
        match self {
            ResultKind::InSampleMean => "mean over weights, in-sample",
            ResultKind::InSamplePeak => "best weight, in-sample",
            ResultKind::SharedMean => "mean over weights",
            ResultKind::SharedBestOfSix => "best of these weights",
            ResultKind::SharedTuned => "best single weight",
            ResultKind::RandomWeights => "random weights",
            ResultKind::TunedWeights => "tuned weights",
            ResultKind::Vote => "vote over weights",
            ResultKind::FixedShared => "fixed network, mean over weights",
            ResultKind::FixedRandom => "fixed network, random weights",
        }
    }
}

/// A row of `results.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// Seed.
    pub seed: u64,
    /// What was scored.
    pub kind: ResultKind,
    /// Mean return, accuracy, or minus the loss.
    pub score: Option<f64>,
    /// Standard deviation over episodes; over weights or draws where rows were scored.
    pub deviation: Option<f64>,
    /// Share of episodes that failed.
    pub failures: Option<f64>,
    /// Episodes, or weights on all rows.
    pub trials: u64,
    /// Spent on it: on choosing, tuning and scoring.
    pub cost: u64,
}

/// `trajectory.csv`: episodes in full. Columns have the environment's own names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryTable {
    /// `seed`, `episode`, `step`, `time`, the state, the actions, `reward`.
    pub columns: Vec<String>,
    /// Rows; the last one of an episode is its last state, without action and reward.
    pub rows: Vec<Vec<Option<f64>>>,
}

impl TrajectoryTable {
    fn load(path: &Path) -> Result<TrajectoryTable> {
        let bytes = files::read_capped(path, LARGEST_TABLE, Kind::Data)?;
        let damaged = || Error::data("P0304", "this table cannot be read").in_file(path);
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged())?;
        let mut lines = text.lines();
        let columns: Vec<String> = lines.next().ok_or_else(damaged)?.split(',').map(str::to_owned).collect();
        let cell = |cell: &str| match cell {
            "" => Some(None),
            _ => cell.parse().ok().map(Some),
        };
        let row = |line: &str| line.split(',').map(cell).collect::<Option<Vec<_>>>();
        let rows = lines.map(|line| row(line).filter(|row| row.len() == columns.len()));
        Ok(TrajectoryTable { rows: rows.collect::<Option<_>>().ok_or_else(damaged)?, columns })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = self.columns.join(",");
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.map_or_else(String::new, |x| x.to_string())).collect();
            text.push('\n');
            text.push_str(&cells.join(","));
        }
        text.push('\n');
        text.into_bytes()
    }
}

/// Tables of a search's result folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchTables {
    /// `results.csv`.
    pub results: Vec<ResultRow>,
    /// `generations.csv`.
    pub generations: Vec<GenerationRow>,
    /// `fronts.csv`.
    pub fronts: Vec<FrontRow>,
    /// `weights.csv`.
    pub weights: Vec<WeightRow>,
    /// `trajectory.csv`; `None` for data sets.
    pub trajectory: Option<TrajectoryTable>,
}

impl SearchTables {
    /// Writes the tables into `folder`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        self.files()?.into_iter().try_for_each(|(name, bytes)| files::replace(&folder.join(name), &bytes))
    }

    /// Reads the tables of `folder`.
    ///
    /// # Errors
    /// A table that is missing or malformed (`P0304`).
    pub fn load(folder: &Path) -> Result<SearchTables> {
        let trajectory = folder.join("trajectory.csv");
        Ok(SearchTables {
            results: read(&folder.join("results.csv"))?,
            generations: read(&folder.join("generations.csv"))?,
            fronts: read(&folder.join("fronts.csv"))?,
            weights: read(&folder.join("weights.csv"))?,
            trajectory: trajectory.is_file().then(|| TrajectoryTable::load(&trajectory)).transpose()?,
        })
    }

    /// What the tables say of one seed; the episodes belong to the first.
    pub(in crate::experiment) fn of_seed(&self, seed: u64, first: bool) -> SearchTables {
        SearchTables {
            results: self.results.iter().filter(|row| row.seed == seed).cloned().collect(),
            generations: self.generations.iter().filter(|row| row.seed == seed).cloned().collect(),
            fronts: self.fronts.iter().filter(|row| row.seed == seed).cloned().collect(),
            weights: self.weights.iter().filter(|row| row.seed == seed).cloned().collect(),
            trajectory: self.trajectory.clone().filter(|_| first),
        }
    }

    /// Canonical hash of the tables.
    ///
    /// # Errors
    /// A row that cannot be written.
    pub fn bits(&self) -> Result<String> {
        let mut hash = Sha256::new();
        for (name, bytes) in self.files()? {
            hash.update(name.as_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(&bytes);
        }
        Ok(hexadecimal(&hash.finalize()))
    }

    fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let mut files = vec![
            ("results.csv", table(&self.results)?),
            ("generations.csv", table(&self.generations)?),
            ("fronts.csv", table(&self.fronts)?),
            ("weights.csv", table(&self.weights)?),
        ];
        files.extend(self.trajectory.iter().map(|trajectory| ("trajectory.csv", trajectory.bytes())));
        Ok(files)
    }
}
