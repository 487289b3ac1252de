//! Failures on demand, in builds with debug assertions: what tests try on a run that writes.
//!
//! `PRECOCIAL_FAULT=7:eio` lets the seventh step fail that would change a file or folder. Kinds are `eio`, `enospc` and
//! `erofs`; `full`, no space from that step on; and three that end the process there: `kill`; `power`, a power cut that
//! undoes every rename whose folder was not synced; and `torn`, one that keeps renames and cuts files that were not synced.

use std::io;
use std::path::Path;

/// A step that would change a file or folder.
#[cfg(not(debug_assertions))]
pub fn step() -> io::Result<()> {
    Ok(())
}

/// Tells that the file `path` is about to be replaced, its content on the disk already or not.
#[cfg(not(debug_assertions))]
pub fn replacing(_path: &Path, _is_synced: bool) {}

/// Tells that a folder was synced, with all files in it or only their names.
#[cfg(not(debug_assertions))]
pub fn synced(_folder: &Path, _with_files: bool) {}

#[cfg(debug_assertions)]
pub use wanted::{replacing, step, synced};

#[cfg(debug_assertions)]
mod wanted {
    use super::*;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError};

    struct Fault {
        step: u64,
        kind: String,
    }

    /// A file that a power cut would change.
    struct Unsynced {
        path: PathBuf,
        /// What it held before, if there was a file.
        before: Option<Vec<u8>>,
        is_synced: bool,
    }

    static UNSYNCED: Mutex<Vec<Unsynced>> = Mutex::new(Vec::new());

    fn fault() -> Option<&'static Fault> {
        static WANTED: OnceLock<Option<Fault>> = OnceLock::new();
        let read = || {
            let text = std::env::var("PRECOCIAL_FAULT").ok()?;
            let (step, kind) = text.split_once(':')?;
            Some(Fault { step: step.parse().ok()?, kind: kind.to_owned() })
        };
        WANTED.get_or_init(read).as_ref()
    }

    pub fn step() -> io::Result<()> {
        static STEPS: AtomicU64 = AtomicU64::new(0);
        let Some(Fault { step: wanted, kind }) = fault() else { return Ok(()) };
        let step = STEPS.fetch_add(1, Ordering::SeqCst) + 1;
        if step == *wanted || (step > *wanted && kind == "full") {
            let code = match kind.as_str() {
                "power" | "torn" => cut_power(kind == "torn"),
                "kill" => std::process::abort(),
                "eio" => 5,
                "erofs" => 30,
                _ => 28,
            };
            return Err(io::Error::from_raw_os_error(code));
        }
        Ok(())
    }

    pub fn replacing(path: &Path, is_synced: bool) {
        if fault().is_some_and(|fault| matches!(fault.kind.as_str(), "power" | "torn")) {
            let before = std::fs::read(path).ok();
            let file = Unsynced { path: path.to_owned(), before, is_synced };
            UNSYNCED.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        }
    }

    pub fn synced(folder: &Path, with_files: bool) {
        let mut files = UNSYNCED.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|file| file.path.parent() != Some(folder) || !(file.is_synced || with_files));
    }

    fn cut_power(torn: bool) -> ! {
        // Nobody writes any more: the lock is never given back.
        let files = UNSYNCED.lock().unwrap_or_else(PoisonError::into_inner);
        // The latest first, so that what was there first is there at last.
        for Unsynced { path, before, is_synced } in files.iter().rev() {
            // What cannot be undone stays, as it may on a real disk.
            _ = match (torn, before) {
                (true, _) if *is_synced => Ok(()),
                (true, _) => std::fs::metadata(path)
                    .and_then(|found| std::fs::OpenOptions::new().write(true).open(path)?.set_len(found.len() / 2)),
                (false, Some(before)) => std::fs::write(path, before),
                (false, None) => std::fs::remove_file(path),
            };
        }
        std::process::abort()
    }
}
