//! Reading experiment files.

use crate::error::{Error, Kind, Result};
use crate::experiment::config::{Experiment, SCHEMA};
use crate::experiment::diagnose;
use crate::experiment::prepare::Study;
use crate::files;
use ron::extensions::Extensions;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An experiment with the text it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was asked.
    pub experiment: Experiment,
    /// The text, as it stands in the file.
    pub source: Arc<str>,
    /// The file.
    pub path: PathBuf,
}

impl Loaded {
    /// Folder that relative paths in the experiment start from; empty for the current one.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The experiment with its data and network; errors say where in the file they come from.
    ///
    /// # Errors
    /// As [`Study::new`].
    pub fn study(&self) -> Result<Study> {
        Study::new(self.experiment.clone(), self.folder()).map_err(|error| self.locate(error))
    }

    /// The error with the places in the file that its problems come from, as far as they can be told.
    pub fn locate(&self, error: Error) -> Error {
        diagnose::locate(error, &self.source, &self.path)
    }
}

/// The dialect of RON that experiment files are written in.
pub fn dialect() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
}

/// Reads an experiment file.
///
/// # Errors
/// A file that cannot be read, is no experiment, or holds values that make no sense; every message says where.
pub fn load(path: &Path) -> Result<Loaded> {
    let bytes = files::read_capped(path, 1 << 20, Kind::Experiment)?;
    let not_text = |valid: usize| {
        // What stands before the first strange byte tells its line and column.
        let before = String::from_utf8_lossy(&bytes[..valid]);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        Error::experiment("P0102", "the file is not UTF-8 text").at(path, line, column).help("save it as UTF-8")
    };
    let text = std::str::from_utf8(&bytes).map_err(|cause| not_text(cause.valid_up_to()))?;
    if let Some(nul) = text.find('\0') {
        return Err(not_text(nul));
    }
    parse(text, path)
}

/// An experiment from the text of a file.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, path: &Path) -> Result<Loaded> {
    // A byte order mark is no part of the text.
    let source: Arc<str> = text.strip_prefix('\u{feff}').unwrap_or(text).into();
    let experiment = diagnose::parse(&source, path)?;
    if experiment.schema != SCHEMA {
        let error = Error::experiment("P0108", format!("`schema` must be {SCHEMA}, found {}", experiment.schema))
            .help(format!("write `schema: {SCHEMA}`"));
        return Err(diagnose::locate(error, &source, path));
    }
    Ok(Loaded { experiment, source, path: path.to_owned() })
}

/// The experiment as text, with every default spelled out; reading it gives the same experiment.
pub fn to_text(experiment: &Experiment) -> String {
    let pretty = ron::ser::PrettyConfig::new()
        .struct_names(true)
        .extensions(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES);
    dialect().to_string_pretty(experiment, pretty).expect("an experiment is plain data")
}
