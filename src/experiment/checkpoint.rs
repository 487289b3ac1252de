//! What survives a kill: runs under way and finished ones, as sealed files in the folder `checkpoints`.
//!
//! A run under way has two files, `<run>.a.ckpt` and `<run>.b.ckpt`, written in turn: whatever happens while one is being
//! written, the other is whole. They hold no generator state, because random numbers are a pure function of what they are
//! for. A finished run has one file, `<run>.done`, until the tables of all runs are written.

use crate::error::{Error, Kind, Result};
use crate::files;
use crate::rng::STREAM_VERSION;
use crate::sealed::{self, Content, StateReader, StateWriter};
use crate::values::NonNegative;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Raised whenever the bytes of a saved state would be read as something else.
const STATE_VERSION: u32 = 7;

/// Longest save that is read. It may be as long as the state of the largest run that fits into a machine.
const LARGEST_SAVE: u64 = 1 << 40;

/// How often runs under way are saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Seconds between two saves of a run under way; 10. A run is also saved when it is interrupted. 0 saves it at every
    /// step, which is slow.
    #[serde(default = "every_seconds")]
    pub every_seconds: NonNegative,
}

fn every_seconds() -> NonNegative {
    NonNegative::new(10.0).expect("in range")
}

impl Default for Checkpoint {
    fn default() -> Checkpoint {
        Checkpoint { every_seconds: every_seconds() }
    }
}

impl Checkpoint {
    fn interval(&self) -> Duration {
        // Longer than any run is never.
        Duration::try_from_secs_f64(self.every_seconds.get()).unwrap_or(Duration::MAX)
    }
}

/// Header of the files.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// `checkpoint` or `finished`.
    kind: String,
    /// What the experiment means, as a hash: whatever may change at a resume is no part of it.
    meaning: String,
    /// The run, such as `ga-s7`.
    run: String,
    /// Saves of this run so far.
    serial: u64,
    stream_version: u32,
    state_version: u32,
    precocial: String,
}

/// The folder `checkpoints` of a result folder.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
    meaning: String,
    interval: Duration,
}

impl Vault {
    /// The checkpoints of the result folder `results`, of an experiment that means `meaning`.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(results: &Path, meaning: &str, settings: &Checkpoint) -> Result<Vault> {
        let folder = folder(results);
        files::make_folder(&folder)?;
        Ok(Vault { folder, meaning: meaning.to_owned(), interval: settings.interval() })
    }

    /// The place of one run, such as `ga-s7`.
    pub fn slot(&self, run: &str) -> Slot<'_> {
        Slot { vault: self, run: run.to_owned(), serial: 0, latest: Instant::now() }
    }
}

/// The folder of the checkpoints of a result folder.
pub fn folder(results: &Path) -> PathBuf {
    results.join("checkpoints")
}

/// Removes all checkpoints: the tables hold all that they do.
///
/// # Errors
/// A folder that cannot be removed.
pub fn clear(results: &Path) -> Result<()> {
    let folder = folder(results);
    match std::fs::remove_dir_all(&folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(Error::io("removing", &folder, &cause)),
        _ => Ok(()),
    }
}

/// Names of the runs that have finished and of those that have a checkpoint, in alphabetical order.
pub fn census(results: &Path) -> (Vec<String>, Vec<String>) {
    let entries = std::fs::read_dir(folder(results)).into_iter().flatten().flatten();
    let names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let with = |suffixes: &[&str]| {
        let stems = names.iter().filter_map(|name| suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)));
        let mut stems: Vec<String> = stems.map(str::to_owned).collect();
        stems.sort_unstable();
        stems.dedup();
        stems
    };
    let finished = with(&[".done"]);
    let mut under_way = with(&[".a.ckpt", ".b.ckpt"]);
    under_way.retain(|run| !finished.contains(run));
    (finished, under_way)
}

/// The checkpoints of one run.
#[derive(Debug)]
pub struct Slot<'a> {
    vault: &'a Vault,
    run: String,
    serial: u64,
    latest: Instant,
}

impl Slot<'_> {
    /// What the run left when it finished, if it has and the file is sound.
    pub fn finished<T: DeserializeOwned>(&self) -> Option<T> {
        let (_, data) = self.open(&self.path("done"), "finished", |from| from.take()).ok()??;
        Some(data)
    }

    /// Whether `accept` took the newest sound state of the run, or else the one before; and what is wrong with those that
    /// were not taken. One that was refused may have left traces in whatever `accept` writes into.
    pub fn load(&mut self, mut accept: impl FnMut(&mut StateReader) -> Result<()>) -> (bool, Vec<Error>) {
        let mut damaged = Vec::new();
        let mut paths = ["a.ckpt", "b.ckpt"].map(|letter| self.path(letter));
        // The newer one first, and only one at a time: they may be as large as the memory.
        paths.sort_by_key(|path| std::cmp::Reverse(claimed_serial(path)));
        for path in paths {
            match self.open(&path, "checkpoint", &mut accept) {
                Ok(Some((serial, ()))) => {
                    // The next save goes to the other file, and is the newest.
                    self.serial = serial + 1;
                    return (true, damaged);
                }
                Ok(None) => {}
                Err(error) => damaged.push(error),
            }
        }
        (false, damaged)
    }

    /// Whether it is time to save the run again.
    pub fn is_due(&self) -> bool {
        self.latest.elapsed() >= self.vault.interval
    }

    /// Saves the run in place of the older of its two files.
    ///
    /// # Errors
    /// A file that cannot be written; the newer one is still there.
    pub fn save(&mut self, state: &dyn Fn(&mut StateWriter)) -> Result<()> {
        let letter = if self.serial.is_multiple_of(2) { "a.ckpt" } else { "b.ckpt" };
        self.write(&self.path(letter), "checkpoint", state)?;
        self.serial += 1;
        self.latest = Instant::now();
        Ok(())
    }

    /// Saves what a finished run left; its checkpoints are of no use any more.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish<T: Serialize>(&self, left: &T) -> Result<()> {
        self.write(&self.path("done"), "finished", &|to| to.put(left))?;
        for letter in ["a.ckpt", "b.ckpt"] {
            // If one stays behind, nobody will look at it.
            _ = std::fs::remove_file(self.path(letter));
        }
        Ok(())
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.vault.folder.join(format!("{}.{suffix}", self.run))
    }

    fn write(&self, path: &Path, kind: &str, payload: &dyn Fn(&mut StateWriter)) -> Result<()> {
        let header = Header {
            kind: kind.to_owned(),
            meaning: self.vault.meaning.clone(),
            run: self.run.clone(),
            serial: self.serial,
            stream_version: STREAM_VERSION,
            state_version: STATE_VERSION,
            precocial: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let header = ron::to_string(&header).expect("a header is plain data");
        files::replace_with(path, &mut |file| sealed::seal_into(file, &header, payload))
    }

    /// Serial number of a file, and what `accept` makes of all of its payload; `None` if there is no file.
    fn open<T>(
        &self,
        path: &Path,
        kind: &str,
        accept: impl FnOnce(&mut StateReader) -> Result<T>,
    ) -> Result<Option<(u64, T)>> {
        if !path.exists() {
            return Ok(None);
        }
        let bytes = files::read_capped(path, LARGEST_SAVE, Kind::Data)?;
        let (header, payload) = sealed::open(&bytes, Content::Checkpoint).map_err(|error| error.in_file(path))?;
        let header: Header = ron::from_str(header).map_err(|_| self.stranger(path, "its header cannot be read"))?;
        let versions = (header.stream_version, header.state_version);
        if versions != (STREAM_VERSION, STATE_VERSION) {
            return Err(self.stranger(path, &format!("precocial {} wrote it", header.precocial)));
        }
        if header.kind != kind || header.run != self.run || header.meaning != self.vault.meaning {
            return Err(self.stranger(path, "it belongs to another run"));
        }
        let mut from = StateReader::new(payload);
        let accepted = accept(&mut from).and_then(|accepted| from.end().map(|()| accepted));
        Ok(Some((header.serial, accepted.map_err(|error| error.in_file(path))?)))
    }

    fn stranger(&self, path: &Path, why: &str) -> Error {
        Error::data("P0304", format!("a checkpoint of {} cannot be used: {why}", self.run)).in_file(path)
    }
}

/// The serial number that a file says it has.
fn claimed_serial(path: &Path) -> Option<u64> {
    let beginning = files::beginning(path, sealed::BEGINNING);
    ron::from_str(sealed::claimed_header(&beginning)?).ok().map(|header: Header| header.serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(folder: &Path) -> Vault {
        Vault::open(folder, "meaning", &Checkpoint::default()).unwrap()
    }

    fn ignore(from: &mut StateReader) -> Result<()> {
        from.take::<u64>().map(|_| ())
    }

    fn state_of(vault: &Vault) -> (Option<u64>, usize) {
        let mut found = None;
        let (loaded, damaged) = vault.slot("ga-s1").load(|from| {
            found = Some(from.take()?);
            Ok(())
        });
        assert_eq!(loaded, found.is_some());
        (found, damaged.len())
    }

    #[test]
    fn the_newest_sound_state_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        assert_eq!(state_of(&vault), (None, 0));
        let mut slot = vault.slot("ga-s1");
        for state in [10_u64, 11, 12] {
            slot.save(&|to| to.put(&state)).unwrap();
            assert_eq!(state_of(&vault), (Some(state), 0));
        }
        let newest = super::folder(folder.path()).join("ga-s1.a.ckpt");
        let bytes = std::fs::read(&newest).unwrap();
        std::fs::write(&newest, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(state_of(&vault), (Some(11), 1), "the one before, and a word about the damaged one");
        // A slot that was loaded saves in place of the damaged file.
        let mut slot = vault.slot("ga-s1");
        slot.load(ignore);
        slot.save(&|to| to.put(&13_u64)).unwrap();
        assert_eq!(state_of(&vault), (Some(13), 0));
    }

    #[test]
    fn a_run_is_saved_when_its_time_has_come() {
        let folder = tempfile::tempdir().unwrap();
        let due = |seconds: f64| {
            let settings = Checkpoint { every_seconds: NonNegative::new(seconds).unwrap() };
            let vault = Vault::open(folder.path(), "meaning", &settings).unwrap();
            let mut slot = vault.slot("ga-s1");
            slot.save(&|to| to.put(&1_u64)).unwrap();
            slot.is_due()
        };
        assert!(due(0.0), "at every step");
        assert!(!due(3600.0) && !due(1e300), "not before its time, and never where that is longer than any run");
    }

    #[test]
    fn states_of_others_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        vault(folder.path()).slot("ga-s1").save(&|to| to.put(&1_u64)).unwrap();
        let other = Vault::open(folder.path(), "another meaning", &Checkpoint::default()).unwrap();
        assert_eq!(state_of(&other), (None, 1));
        let place = super::folder(folder.path());
        std::fs::copy(place.join("ga-s1.a.ckpt"), place.join("ga-s2.a.ckpt")).unwrap();
        let (loaded, damaged) = vault(folder.path()).slot("ga-s2").load(ignore);
        assert!(!loaded && damaged[0].to_string().contains("belongs to another run"), "{damaged:?}");
    }

    #[test]
    fn a_state_that_its_reader_refuses_makes_room_for_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        let mut slot = vault.slot("ga-s1");
        slot.save(&|to| to.put(&1_u64)).unwrap();
        slot.save(&|to| to.put(&2_u64)).unwrap();
        let (loaded, damaged) =
            vault.slot("ga-s1").load(|from| if from.take::<u64>()? == 2 { Err(sealed::mismatch()) } else { Ok(()) });
        assert!(loaded);
        assert_eq!(damaged.len(), 1);
        let (loaded, damaged) = vault.slot("ga-s1").load(|_| Ok(()));
        assert_eq!((loaded, damaged.len()), (false, 2), "a state must be read to its end");
    }

    #[test]
    fn finished_runs_are_told_from_runs_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        vault.slot("ga-s1").save(&|_| ()).unwrap();
        vault.slot("ga-s2").save(&|_| ()).unwrap();
        vault.slot("ga-s1").finish(&(7_u64, "left")).unwrap();
        assert_eq!(vault.slot("ga-s1").finished(), Some((7_u64, "left".to_owned())));
        assert_eq!(vault.slot("ga-s2").finished::<(u64, String)>(), None);
        assert_eq!(census(folder.path()), (vec!["ga-s1".to_owned()], vec!["ga-s2".to_owned()]));
        clear(folder.path()).unwrap();
        assert_eq!(census(folder.path()), (vec![], vec![]));
        clear(folder.path()).unwrap();
    }
}
