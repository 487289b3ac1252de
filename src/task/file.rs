//! Opening data files: only regular ones, only up to a cap, with their hash taken on the way.

use super::DataFile;
use crate::error::{Error, Result, printable};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most cells of one table: 4 GiB of numbers.
pub(super) const MAX_CELLS: usize = 1 << 29;

/// A data file that is being read.
pub(super) struct DataReader {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
    cap: u64,
    /// Length when it was opened.
    pub length: u64,
}

impl DataReader {
    /// Opens a file of at most `cap` bytes.
    ///
    /// # Errors
    /// `P0501` if it is missing or no regular file, `P0141` if it is larger, other codes of the file system.
    pub fn open(path: &Path, cap: u64) -> Result<DataReader> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => Error::data("P0501", format!("{} does not exist", path.display()))
                .help("paths start from the folder of the experiment file"),
            _ => Error::io("reading", path, &cause),
        };
        // Looked at before it is opened: opening a named pipe would wait for ever.
        let data = std::fs::metadata(path).map_err(failed)?;
        if !data.is_file() {
            let what = if data.is_dir() { "a folder" } else { "not a regular file" };
            return Err(Error::data("P0501", format!("{} is {what}", path.display())));
        }
        if data.len() > cap {
            return Err(too_large(path, cap));
        }
        let file = File::open(path).map_err(failed)?;
        Ok(DataReader { path: path.to_owned(), file, hash: Sha256::new(), bytes: 0, cap, length: data.len() })
    }

    /// Reads what is left and describes the file.
    ///
    /// # Errors
    /// A failed read, or a file that has grown beyond the cap.
    pub fn finish(mut self) -> Result<DataFile> {
        io::copy(&mut self, &mut io::sink()).map_err(|cause| failed(&self.path, cause))?;
        Ok(DataFile { name: name(&self.path), bytes: self.bytes, sha256: hexadecimal(self.hash) })
    }
}

impl Read for DataReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes > self.cap {
            return Err(io::Error::other(too_large(&self.path, self.cap)));
        }
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// The error behind a failed read: one of ours that travelled through `io`, or the file system's.
pub(super) fn failed(path: &Path, cause: io::Error) -> Error {
    match cause.downcast::<Error>() {
        Ok(error) => error,
        Err(cause) => Error::io("reading", path, &cause),
    }
}

/// Describes bytes that lie inside the program.
pub(super) fn describe(name: &str, bytes: &[u8]) -> DataFile {
    let hash = Sha256::new_with_prefix(bytes);
    DataFile { name: name.to_owned(), bytes: bytes.len() as u64, sha256: hexadecimal(hash) }
}

/// A data set's name from its file's.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| shown(&stem.to_string_lossy())).unwrap_or_default()
}

/// `text` from a file as it may be printed: 60 characters at most.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", printable(&short))
}

/// Room for `count` numbers.
///
/// # Errors
/// `P0140` if the machine or [`MAX_CELLS`] does not allow it.
pub(super) fn reserve(numbers: &mut Vec<f64>, count: usize) -> Result<()> {
    let total = numbers.len().saturating_add(count);
    if total > MAX_CELLS {
        return Err(too_many_cells(total));
    }
    numbers.try_reserve_exact(count).map_err(|_| too_many_cells(total))
}

/// `P0140` for a table of this many cells.
pub(super) fn too_many_cells(cells: usize) -> Error {
    let message = format!("the table has {cells} cells, which needs {} MiB of memory", cells / (1 << 17));
    Error::new(crate::error::Kind::Limit, "P0140", message)
        .note(format!("at most {MAX_CELLS} cells are read, as far as memory allows"))
        .help("drop columns, or use fewer rows")
        .help("if there are not so many cells, end other programs, which need the memory now")
}

fn too_large(path: &Path, cap: u64) -> Error {
    Error::data("P0141", format!("{} is larger than {cap} bytes", path.display()))
        .note("the limit keeps a file that was named by mistake from filling the memory")
        .help("a CSV file may be larger with `max_bytes: …`; else use fewer rows or columns")
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The end of a sentence about an unknown name: the nearest one of `known`, or all of them.
pub(super) fn suggest(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("; did you mean \"{}\"?", shown(near)),
        None => format!("; there are {}", known.join(", ")),
    }
}

/// The nearest of `known` within two edits, letters' case apart.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let distance = |known: &str| strsim::osa_distance(&lower, &known.to_lowercase());
    known.iter().copied().map(|known| (distance(known), known)).filter(|(d, _)| *d <= 2).min().map(|(_, known)| known)
}
