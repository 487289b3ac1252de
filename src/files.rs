//! The one way to write: whole files or nothing, and never over something that was there.

mod fault;
pub(crate) mod protobuf;

use crate::error::{Error, Kind, Result};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Puts `bytes` at `path` as a whole: temporary file beside it, write, sync, rename, sync of the folder.
///
/// # Errors
/// Any failed step; `path` then holds what it held before.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_with(path, &mut |file| file.write_all(bytes))
}

/// Like [`replace`], for content that is written piece by piece, in large pieces.
///
/// # Errors
/// Any failed step, those of `write` too; `path` then holds what it held before.
pub fn replace_with(path: &Path, write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    put(path, write, true)?;
    sync_folder(parent(path))
}

/// Like [`replace`], but leaves it to [`settle`] to make many such files survive a power cut at once. A reader finds the
/// whole file or none all the same, and a killed process loses nothing.
///
/// # Errors
/// Any failed step; `path` then holds what it held before.
pub fn place(path: &Path, bytes: &[u8]) -> Result<()> {
    put(path, &mut |file| file.write_all(bytes), false)
}

/// Whether files can be written into `folder`: writes one, syncs it, and takes it away.
///
/// # Errors
/// The step that failed.
pub fn probe(folder: &Path) -> Result<()> {
    let file = tempfile::Builder::new().prefix(TEMPORARY.0).suffix(TEMPORARY.1).tempfile_in(folder);
    let mut file = file.map_err(|cause| Error::io("writing into", folder, &cause))?;
    let written = file.write_all(&[0; 4096]).and_then(|()| file.as_file().sync_all());
    written.map_err(|cause| Error::io("writing into", folder, &cause))
}

/// Removes what a process that was killed while it wrote into `folder` left behind.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if is_temporary(&name) {
            // It is in nobody's way.
            _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of this name is one that was not whole yet when its writer was killed.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)
}

/// How names of files begin and end that are not whole yet.
const TEMPORARY: (&str, &str) = (".precocial-", ".tmp");

/// Syncs every file of `folder` and the folder itself.
///
/// # Errors
/// A file that cannot be synced.
pub fn settle(folder: &Path) -> Result<()> {
    let failed = |cause: &std::io::Error| Error::io("saving", folder, cause);
    for entry in fs::read_dir(folder).map_err(|cause| failed(&cause))? {
        let path = entry.map_err(|cause| failed(&cause))?.path();
        if path.is_file() {
            File::open(&path).and_then(|file| file.sync_all()).map_err(|cause| Error::io("saving", &path, &cause))?;
        }
    }
    sync_folder(folder)?;
    fault::synced(folder, true);
    Ok(())
}

/// Writes half of its first bytes, so that a fault leaves what a full disk leaves.
struct Halting<'a> {
    file: &'a mut File,
    halted: bool,
}

impl Write for Halting<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.halted || bytes.is_empty() {
            return self.file.write(bytes);
        }
        self.halted = true;
        self.file.write_all(&bytes[..bytes.len() / 2])?;
        fault::step()?;
        self.file.write_all(&bytes[bytes.len() / 2..])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn put(path: &Path, write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>, sync: bool) -> Result<()> {
    let failed =
        |doing: &str, cause: &std::io::Error| Error::io(doing, path, cause).help("make room, or write somewhere else");
    let mut file = fault::step()
        .and_then(|()| {
            let mut builder = tempfile::Builder::new();
            builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1).permissions(permissions()).tempfile_in(parent(path))
        })
        .map_err(|cause| failed("writing", &cause))?;
    write(&mut Halting { file: file.as_file_mut(), halted: false }).map_err(|cause| failed("writing", &cause))?;
    if sync {
        fault::step().and_then(|()| file.as_file().sync_all()).map_err(|cause| failed("saving", &cause))?;
    }
    fault::step().map_err(|cause| failed("renaming", &cause))?;
    fault::replacing(path, sync);
    file.persist(path).map_err(|cause| failed("renaming", &cause.error))?;
    Ok(())
}

/// Makes this folder and its parents, if they are not there.
///
/// # Errors
/// A folder that cannot be made.
pub fn make_folder(path: &Path) -> Result<()> {
    fault::step().and_then(|()| fs::create_dir_all(path)).map_err(|cause| Error::io("making", path, &cause))?;
    sync_folder(parent(path))
}

/// Makes the first of `<parent>/<name>-1`, `-2`, … that does not exist yet; two callers never get the same one.
///
/// # Errors
/// A parent that cannot be made or written.
pub fn create_numbered_folder(parent: &Path, name: &str) -> Result<PathBuf> {
    fs::create_dir_all(parent).map_err(|cause| Error::io("making", parent, &cause))?;
    for number in 1_u32.. {
        let path = parent.join(format!("{name}-{number}"));
        match fault::step().and_then(|()| fs::create_dir(&path)) {
            Ok(()) => return sync_folder(parent).map(|()| path),
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(Error::io("making", &path, &cause)),
        }
    }
    unreachable!("a file system holds fewer than 2^32 folders")
}

/// Makes exactly this folder; its parents are made too, and it may exist if it is empty.
///
/// # Errors
/// `P0503` if something is there already.
pub fn create_folder(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|cause| Error::io("making", parent, &cause))?;
    }
    match fault::step().and_then(|()| fs::create_dir(path)) {
        Ok(()) => sync_folder(parent(path)),
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {
            let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
            if empty {
                return Ok(());
            }
            Err(Error::new(Kind::Files, "P0503", format!("{} already exists and is not empty", path.display()))
                .help("choose another folder with --out")
                .help(format!("--replace moves the old one to {}.old-1", path.display())))
        }
        Err(cause) => Err(Error::io("making", path, &cause)),
    }
}

/// Moves whatever is at `path` to the first free `<path>.old-<n>`; says where, or `None` if nothing was there.
///
/// # Errors
/// A rename that fails.
pub fn move_aside(path: &Path) -> Result<Option<PathBuf>> {
    // Without a slash at its end.
    let path = path.components().as_path();
    if fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    for number in 1_u32.. {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".old-{number}"));
        let aside = PathBuf::from(aside);
        if fs::symlink_metadata(&aside).is_err() {
            fault::step()
                .and_then(|()| fs::rename(path, &aside))
                .map_err(|cause| Error::io("moving aside", path, &cause))?;
            return sync_folder(parent(path)).map(|()| Some(aside));
        }
    }
    unreachable!("a file system holds fewer than 2^32 folders")
}

/// Moves a folder to a place where nothing is, in the same folder.
///
/// # Errors
/// A rename that fails.
pub fn move_folder(from: &Path, to: &Path) -> Result<()> {
    fault::step()
        .and_then(|()| fs::rename(from, to))
        .map_err(|cause| Error::io("moving to its place", from, &cause))?;
    sync_folder(parent(to))
}

/// Removes a folder with all that is in it, if it is there.
///
/// # Errors
/// What cannot be removed.
pub fn remove_folder(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    fault::step().and_then(|()| fs::remove_dir_all(path)).map_err(|cause| Error::io("removing", path, &cause))
}

/// Reads a whole file of at most `cap` bytes.
///
/// # Errors
/// A file that cannot be read (of the given kind), or a larger one (`P0141`); nothing beyond the cap is read.
pub fn read_capped(path: &Path, cap: u64, kind: Kind) -> Result<Vec<u8>> {
    let failed = |cause: std::io::Error| {
        let error = Error::io("reading", path, &cause);
        let missing = cause.kind() == std::io::ErrorKind::NotFound;
        let message = if missing { format!("{} does not exist", path.display()) } else { error.to_string() };
        if missing { Error::new(kind, "P0501", message) } else { error }
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::new(kind, "P0501", format!("{} is a folder, not a file", path.display())));
    }
    let mut bytes = Vec::new();
    // Room for all of it at once, because a vector that grows is in memory twice.
    let long = file.metadata().map_err(failed)?.len().min(cap) as usize;
    bytes.try_reserve_exact(long.saturating_add(1)).map_err(|_| failed(std::io::ErrorKind::OutOfMemory.into()))?;
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > cap {
        return Err(Error::new(kind, "P0141", format!("{} is larger than {cap} bytes", path.display())));
    }
    Ok(bytes)
}

/// The first bytes of a file, at most `most`; none if it cannot be read.
pub fn beginning(path: &Path, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read has no beginning; whoever needs the file hears why.
    _ = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    bytes
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn permissions() -> fs::Permissions {
    // Results are for reading by others, unlike the private default of temporary files; the umask still applies.
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

#[cfg(not(unix))]
fn permissions() -> fs::Permissions {
    // Only the read-only flag exists here, and a fresh file does not carry it.
    fs::metadata(".").map(|data| data.permissions()).expect("the current folder can be looked at")
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    let synced = fault::step().and_then(|()| File::open(folder)).and_then(|file| file.sync_all());
    synced.map_err(|cause| Error::io("saving", folder, &cause))?;
    fault::synced(folder, false);
    Ok(())
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_leaves_the_old_file_when_it_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
        place(&path, b"three").unwrap();
        settle(folder.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        let missing = folder.path().join("none").join("a.txt");
        assert_eq!(replace(&missing, b"x").unwrap_err().kind(), Kind::Files);
    }

    #[test]
    fn numbered_folders_are_never_shared() {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<PathBuf> = std::thread::scope(|scope| {
            let makers: Vec<_> =
                (0..16).map(|_| scope.spawn(|| create_numbered_folder(folder.path(), "run").unwrap())).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        let distinct: std::collections::HashSet<_> = made.iter().collect();
        assert_eq!(distinct.len(), 16);
    }

    #[test]
    fn an_existing_folder_is_refused_and_can_be_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        create_folder(&path).unwrap();
        create_folder(&path).unwrap();
        fs::write(path.join("x"), b"1").unwrap();
        assert_eq!(create_folder(&path).unwrap_err().code(), "P0503");
        assert_eq!(move_aside(&path).unwrap(), Some(folder.path().join("run.old-1")));
        assert_eq!(move_aside(&path).unwrap(), None);
        create_folder(&path).unwrap();
    }

    #[test]
    fn reading_stops_at_the_cap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big");
        fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read_capped(&path, 100, Kind::Data).unwrap().len(), 100);
        assert_eq!(read_capped(&path, 99, Kind::Data).unwrap_err().code(), "P0141");
        let missing = read_capped(&folder.path().join("no"), 99, Kind::Data).unwrap_err();
        assert_eq!((missing.code(), missing.kind()), ("P0501", Kind::Data));
        assert!(missing.to_string().contains("no does not exist"), "{missing}");
        let own = read_capped(folder.path(), 99, Kind::Experiment).unwrap_err();
        assert_eq!((own.code(), own.kind()), ("P0501", Kind::Experiment));
    }

    #[test]
    fn only_what_a_killed_process_left_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let mine = ["results.csv", ".precocial-notes", "draft.tmp"];
        for name in mine.into_iter().chain([".precocial-x7.tmp"]) {
            fs::write(folder.path().join(name), b"1").unwrap();
        }
        sweep(folder.path());
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort_unstable();
        assert_eq!(left, [".precocial-notes", "draft.tmp", "results.csv"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_into_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        probe(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the probe leaves nothing");
        let missing = folder.path().join("none");
        for tried in [probe(&missing), settle(&missing), sync_folder(&missing)] {
            assert_eq!(tried.unwrap_err().kind(), Kind::Files);
        }
        assert_eq!(parent(Path::new("a.txt")), Path::new("."));
        assert_eq!(parent(Path::new("x/a.txt")), Path::new("x"));
    }
}
