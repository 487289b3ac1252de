//! The result folder: tables, models, manifest. Everything goes through `files`.

use crate::cost::Cost;
use crate::error::{Error, Kind, Result};
use crate::experiment::config::Experiment;
use crate::experiment::prepare::Study;
use crate::experiment::record::{
    AuditRow, GenerationRow, HealthRow, HistoryRow, MistakeRow, PredictionRow, ReferenceRow, ResultRow, RunRecord,
    TurnRow,
};
use crate::experiment::replicate::hexadecimal;
use crate::files;
use crate::task::DataFile;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Version of the folder's layout.
pub const LAYOUT: u32 = 1;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Being written.
    Running,
    /// Ended before its last run.
    Interrupted,
    /// Whole.
    Complete,
}

/// `manifest.json`: what was run, on what, and what came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the folder's layout.
    pub layout: u32,
    /// What was run: `Experiment`, or `TopologySearch`.
    #[serde(default = "experiment")]
    pub kind: String,
    /// How the run stands.
    pub state: State,
    /// Name of the experiment.
    pub name: String,
    /// Version of the program.
    pub precocial: String,
    /// Version of the random streams: equal versions, equal numbers.
    pub stream_version: u32,
    /// Platform: architecture and system.
    pub platform: String,
    /// Model of the processor, as far as the system tells.
    pub processor: String,
    /// Instruction set of the kernels. It changes no bit.
    pub instruction_set: String,
    /// Threads. They change no bit either.
    pub threads: usize,
    /// The command, after the program's name.
    pub command: Vec<String>,
    /// Folder that relative paths of data files start from, as it was named.
    #[serde(default)]
    pub data_folder: String,
    /// Start and end, seconds since 1970 (UTC).
    pub started: u64,
    /// End, once there is one.
    pub ended: Option<u64>,
    /// When it was resumed, seconds since 1970 (UTC).
    #[serde(default)]
    pub resumed: Vec<u64>,
    /// SHA-256 of `experiment.resolved.ron`.
    pub experiment_hash: String,
    /// SHA-256 of the experiment without what may change at a resume.
    #[serde(default)]
    pub meaning: String,
    /// Data files.
    pub data: Vec<DataFile>,
    /// Rows of the data set, and its input columns.
    pub rows: usize,
    /// Input columns.
    pub features: usize,
    /// Classes, or names of the target values.
    pub targets: Vec<String>,
    /// Rows that train, validate and test, at the first seed.
    pub parts: [usize; 3],
    /// Parameters of the network.
    pub parameters: usize,
    /// Multiply-adds of one row-pass.
    pub multiply_adds: usize,
    /// Budget of every arm in row-passes.
    pub budget: f64,
    /// Per arm, what was spent over all seeds, by category, in multiply-adds.
    pub spent: Vec<(String, Cost)>,
    /// What a reader of the report should know.
    pub notes: Vec<String>,
    /// SHA-256 of the tables without their clock columns: equal bits, equal results.
    pub bits: String,
}

/// The command of a manifest as it is typed into a shell.
pub fn command_line(command: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./\\:=,@%+".contains(c);
    let typed = |word: &String| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    let words: Vec<String> = command.iter().map(typed).collect();
    format!("precocial {}", words.join(" "))
}

fn experiment() -> String {
    super::load::ROOTS[0].to_owned()
}

/// Tables of a result folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// `results.csv`.
    pub results: Vec<ResultRow>,
    /// `history.csv`.
    pub history: Vec<HistoryRow>,
    /// `generations.csv`.
    pub generations: Vec<GenerationRow>,
    /// `turns.csv`.
    pub turns: Vec<TurnRow>,
    /// `reference.csv`.
    pub reference: Vec<ReferenceRow>,
    /// `mistakes.csv`.
    pub mistakes: Vec<MistakeRow>,
    /// `audit.csv`.
    pub audit: Vec<AuditRow>,
    /// `health.csv`.
    pub health: Vec<HealthRow>,
    /// `predictions.csv`.
    pub predictions: Vec<PredictionRow>,
}

impl Tables {
    /// The runs that the tables hold. What each cost by category is told by no table: it is left at nothing.
    pub fn records(self) -> Vec<RunRecord> {
        let mut records: Vec<RunRecord> = Vec::new();
        let mut places = HashMap::new();
        let mut reference = self.reference;
        for result in self.results {
            places.insert((result.arm.clone(), result.seed), records.len());
            let place = reference.iter().position(|row| row.seed == result.seed);
            records.push(RunRecord {
                result,
                history: Vec::new(),
                generations: Vec::new(),
                turns: Vec::new(),
                mistakes: Vec::new(),
                // The first arm of a seed has it.
                reference: place.map(|place| reference.swap_remove(place)),
                audit: Vec::new(),
                health: Vec::new(),
                predictions: Vec::new(),
                cost: Cost::ZERO,
            });
        }
        macro_rules! hand_out {
            ($($table:ident),*) => {
                $(for row in self.$table {
                    if let Some(&place) = places.get(&(row.arm.clone(), row.seed)) {
                        records[place].$table.push(row);
                    }
                })*
            };
        }
        hand_out!(history, generations, turns, mistakes, audit, health, predictions);
        records
    }

    /// The tables of some runs; their order is canonical: arms as in the experiment, then seeds as listed.
    pub fn of(mut records: Vec<RunRecord>, study: &Study) -> Tables {
        let arms = &study.experiment.arms;
        let place = |record: &RunRecord| {
            let arm = arms.iter().position(|arm| arm.name.as_str() == record.result.arm);
            let seed = study.seeds.iter().position(|seed| *seed == record.result.seed);
            (arm, seed)
        };
        records.sort_by_key(place);
        let mut tables = Tables::default();
        for record in records {
            tables.results.push(record.result);
            tables.history.extend(record.history);
            tables.generations.extend(record.generations);
            tables.turns.extend(record.turns);
            tables.mistakes.extend(record.mistakes);
            tables.reference.extend(record.reference);
            tables.audit.extend(record.audit);
            tables.health.extend(record.health);
            // The longest table by far: the first rows are taken as they are, not copied.
            match tables.predictions.is_empty() {
                true => tables.predictions = record.predictions,
                false => tables.predictions.extend(record.predictions),
            }
        }
        tables
    }

    /// Canonical hash of everything but the clock.
    pub fn bits(&self) -> Result<String> {
        let (mut results, mut history) = (self.results.clone(), self.history.clone());
        results.iter_mut().for_each(|row| row.seconds = 0.0);
        history.iter_mut().for_each(|row| row.seconds = 0.0);
        let mut hash = Sha256::new();
        self.each(&results, &history, &mut |name, bytes| {
            hash.update(name.as_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
            Ok(())
        })?;
        Ok(hexadecimal(&hash.finalize()))
    }

    /// Writes the tables into `folder`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        self.each(&self.results, &self.history, &mut |name, bytes| files::replace(&folder.join(name), bytes))
    }

    /// Reads the tables of `folder`.
    ///
    /// # Errors
    /// A table that is missing or malformed (`P0304`).
    pub fn load(folder: &Path) -> Result<Tables> {
        // Only folders whose arms made some have them.
        fn some<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
            if path.exists() { read(path) } else { Ok(Vec::new()) }
        }
        Ok(Tables {
            results: read(&folder.join("results.csv"))?,
            history: read(&folder.join("history.csv"))?,
            generations: read(&folder.join("generations.csv"))?,
            turns: some(&folder.join("turns.csv"))?,
            mistakes: some(&folder.join("mistakes.csv"))?,
            reference: some(&folder.join("reference.csv"))?,
            audit: some(&folder.join("audit.csv"))?,
            health: read(&folder.join("health.csv"))?,
            predictions: read(&folder.join("predictions.csv"))?,
        })
    }

    /// Hands the files over one by one, with these results and history, so that only one is in memory as text.
    fn each(
        &self,
        results: &[ResultRow],
        history: &[HistoryRow],
        take: &mut dyn FnMut(&str, &[u8]) -> Result<()>,
    ) -> Result<()> {
        take("results.csv", &table(results)?)?;
        take("history.csv", &table(history)?)?;
        take("generations.csv", &table(&self.generations)?)?;
        take("health.csv", &table(&self.health)?)?;
        take("predictions.csv", &table(&self.predictions)?)?;
        // Only where there are any, so that folders without keep their hashes.
        if !self.turns.is_empty() {
            take("turns.csv", &table(&self.turns)?)?;
        }
        if !self.mistakes.is_empty() {
            take("mistakes.csv", &table(&self.mistakes)?)?;
        }
        if !self.reference.is_empty() {
            take("reference.csv", &table(&self.reference)?)?;
        }
        if self.audit.is_empty() { Ok(()) } else { take("audit.csv", &table(&self.audit)?) }
    }
}

/// Rows as CSV: LF, decimal points, shortest numbers that read back the same.
pub(super) fn table<T: Serialize>(rows: &[T]) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|cause| Error::internal(format!("a row cannot be written: {cause}")))?;
    }
    writer.into_inner().map_err(|cause| Error::internal(format!("a table cannot be written: {cause}")))
}

/// Longest table that is read.
pub(super) const LARGEST_TABLE: u64 = 4 << 30;

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let bytes = files::read_capped(path, LARGEST_TABLE, Kind::Data)?;
    let rows: std::result::Result<Vec<T>, _> = csv::Reader::from_reader(&bytes[..]).deserialize().collect();
    rows.map_err(|cause| Error::data("P0304", format!("this table cannot be read: {cause}")).in_file(path))
}

/// File that the process which writes into a result folder holds a lock on.
pub(super) const LOCK: &str = ".lock";

/// A result folder that nobody else writes into.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// A result folder being written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder that exists.
    pub fn at(path: impl Into<PathBuf>) -> Folder {
        Folder { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The manifest.
    ///
    /// # Errors
    /// `P0305` for a folder that holds no results.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.path.join("manifest.json");
        let missing = || {
            let error = Error::data("P0305", format!("{} is not a result folder", self.path.display()))
                .note("a result folder holds a file `manifest.json`");
            match super::enlarge::is_between(&self.path) {
                true => error.help(format!(
                    "precocial resume {} puts the one there that a kill left beside it",
                    self.path.display()
                )),
                false => error.help("precocial run FILE.ron writes one"),
            }
        };
        let bytes = files::read_capped(&path, 16 << 20, Kind::Data).map_err(|_| missing())?;
        serde_json::from_slice(&bytes)
            .map_err(|cause| Error::data("P0304", format!("this manifest cannot be read: {cause}")).in_file(&path))
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_manifest(&self, manifest: &Manifest) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
        bytes.push(b'\n');
        files::replace(&self.path.join("manifest.json"), &bytes)
    }

    /// The experiment with all defaults spelled out.
    ///
    /// # Errors
    /// A missing or malformed `experiment.resolved.ron`.
    pub fn experiment(&self) -> Result<Experiment> {
        super::load(&self.path.join("experiment.resolved.ron")).map(|loaded| loaded.experiment)
    }

    /// Keeps every other process from writing into the folder as long as the lock lives. A process that dies loses it.
    ///
    /// # Errors
    /// `P0505` if another process has it.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.path.join(LOCK);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|cause| Error::io("opening", &path, &cause))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                _ = file.take(100).read_to_string(&mut owner);
                let owner: String = owner.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
                let owner = if owner.is_empty() { "another process".to_owned() } else { owner };
                let path = self.path.display();
                return Err(Error::new(Kind::Files, "P0505", format!("{path} is being written by {owner}"))
                    .help(format!("precocial status {path} says how far it is")));
            }
            // Some file systems know no locks; results are worth more than the protection.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let text = format!("process {}", std::process::id());
        _ = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        Ok(Lock { _file: file })
    }

    /// Whether a process is writing into the folder.
    pub fn is_locked(&self) -> bool {
        let file = File::open(self.path.join(LOCK));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The tables.
    ///
    /// # Errors
    /// A table that is missing or malformed.
    pub fn tables(&self) -> Result<Tables> {
        Tables::load(&self.path)
    }

    /// Path of a model file.
    pub fn model_path(&self, arm: &str, seed: u64, moment: crate::experiment::record::Moment) -> PathBuf {
        let moment = match moment {
            crate::experiment::record::Moment::Drawn => "drawn",
            crate::experiment::record::Moment::Start => "start",
            crate::experiment::record::Moment::End => "end",
        };
        self.path.join("models").join(format!("{arm}-s{seed}-{moment}.pcl"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::record::{Change, Origins};

    #[test]
    fn commands_are_told_as_shells_take_them() {
        let words = ["run", "a b.ron", "--set", "budget=RowPasses(9)", "--out", "it's", ""].map(str::to_owned);
        let typed = r"precocial run 'a b.ron' --set 'budget=RowPasses(9)' --out 'it'\''s' ''";
        assert_eq!(command_line(&words), typed);
    }

    #[test]
    fn turns_are_a_table_where_there_are_any() {
        let folder = tempfile::tempdir().unwrap();
        let mut tables = Tables::default();
        tables.save(folder.path()).unwrap();
        assert!(!folder.path().join("turns.csv").exists());
        assert_eq!(Tables::load(folder.path()).unwrap(), tables);
        let without = tables.bits().unwrap();
        let turn = TurnRow {
            arm: "a".into(),
            seed: 1,
            change: Change::Graft,
            accepted: false,
            cost: 1.5,
            price: 0.25,
            loss_before: Some(0.1),
            loss_after: None,
            origins: Some(Origins(vec![Some(2), None, Some(0)])),
            deployed: Some(true),
        };
        let start = TurnRow { change: Change::Start, accepted: true, origins: None, deployed: None, ..turn.clone() };
        tables.turns = vec![turn, start];
        tables.save(folder.path()).unwrap();
        assert_eq!(Tables::load(folder.path()).unwrap(), tables);
        assert_ne!(tables.bits().unwrap(), without);
        let text = std::fs::read_to_string(folder.path().join("turns.csv")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1..], ["a,1,graft,false,1.5,0.25,0.1,,3 new 1,true", "a,1,start,true,1.5,0.25,0.1,,,"]);
        // Folders of earlier versions tell no origins.
        let early = "arm,seed,change,accepted,cost,price,loss_before,loss_after\na,1,graft,false,1.5,0.25,0.1,\n";
        std::fs::write(folder.path().join("turns.csv"), early).unwrap();
        let row = &Tables::load(folder.path()).unwrap().turns[0];
        assert_eq!((&row.origins, row.deployed), (&None, None));
        for wrong in ["1 2 4", "1 1 2", "0 1 2", "1  2", "old 1 2", "1 2 18446744073709551616"] {
            let wrong = format!("{}\na,1,graft,false,1.5,0.25,0.1,,{wrong},true\n", lines[0]);
            std::fs::write(folder.path().join("turns.csv"), wrong).unwrap();
            assert_eq!(Tables::load(folder.path()).unwrap_err().code(), "P0304");
        }
    }
}
