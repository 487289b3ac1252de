//! Reading experiment files.

use crate::error::{Error, Kind, Result};
use crate::experiment::config::{Experiment, SCHEMA, Seeds};
use crate::experiment::diagnose;
use crate::experiment::outline::{TokenKind, tokens};
use crate::experiment::prepare::Study;
use crate::experiment::recipe_search::{RecipeSearch, RecipeStudy};
use crate::experiment::search::{SearchStudy, TopologySearch};
use crate::experiment::suite::{Suite, SuiteStudy};
use crate::files;
use ron::extensions::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an experiment file may hold.
pub trait Document: Clone + Serialize + DeserializeOwned {
    /// The name in front of its bracket.
    const ROOT: &'static str;

    /// Version of the format that it is written in.
    fn schema(&self) -> u32;

    /// Its replicates.
    fn seeds(&mut self) -> &mut Seeds;
}

impl Document for Experiment {
    const ROOT: &'static str = "Experiment";

    fn schema(&self) -> u32 {
        self.schema
    }

    fn seeds(&mut self) -> &mut Seeds {
        &mut self.seeds
    }
}

impl Document for TopologySearch {
    const ROOT: &'static str = "TopologySearch";

    fn schema(&self) -> u32 {
        self.schema
    }

    fn seeds(&mut self) -> &mut Seeds {
        &mut self.seeds
    }
}

impl Document for Suite {
    const ROOT: &'static str = "Suite";

    fn schema(&self) -> u32 {
        self.schema
    }

    fn seeds(&mut self) -> &mut Seeds {
        &mut self.seeds
    }
}

impl Document for RecipeSearch {
    const ROOT: &'static str = "RecipeSearch";

    fn schema(&self) -> u32 {
        self.schema
    }

    fn seeds(&mut self) -> &mut Seeds {
        &mut self.seeds
    }
}

/// Names of all kinds of documents.
pub const ROOTS: [&str; 4] = [Experiment::ROOT, TopologySearch::ROOT, Suite::ROOT, RecipeSearch::ROOT];

/// A file of any kind.
#[derive(Clone, Debug)]
pub enum Opened {
    /// Arms that compete.
    Experiment(Loaded),
    /// A search for topologies.
    Search(Loaded<TopologySearch>),
    /// Arms that compete on many tasks.
    Suite(Loaded<Suite>),
    /// A search for the numbers of a recipe.
    Recipe(Loaded<RecipeSearch>),
}

/// An experiment or a search with the text it came from.
#[derive(Clone, Debug)]
pub struct Loaded<D = Experiment> {
    /// What was asked.
    pub experiment: D,
    /// The text, as it stands in the file.
    pub source: Arc<str>,
    /// The file.
    pub path: PathBuf,
}

impl<D> Loaded<D> {
    /// Folder that relative paths in the experiment start from; empty for the current one.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The error with the places in the file that its problems come from, as far as they can be told.
    pub fn locate(&self, error: Error) -> Error {
        diagnose::locate(error, &self.source, &self.path)
    }
}

impl Loaded {
    /// The experiment with its data and network; errors say where in the file they come from.
    ///
    /// # Errors
    /// As [`Study::new`].
    pub fn study(&self) -> Result<Study> {
        Study::new(self.experiment.clone(), self.folder()).map_err(|error| self.locate(error))
    }
}

impl Loaded<TopologySearch> {
    /// The search with its world or data; errors say where in the file they come from.
    ///
    /// # Errors
    /// As [`SearchStudy::new`].
    pub fn study(&self) -> Result<SearchStudy> {
        SearchStudy::new(self.experiment.clone(), self.folder()).map_err(|error| self.locate(error))
    }
}

impl Loaded<Suite> {
    /// The suite with everything checked; errors say where in the file they come from, as far as one place is meant.
    ///
    /// # Errors
    /// As [`SuiteStudy::new`].
    pub fn study(&self) -> Result<SuiteStudy> {
        SuiteStudy::new(self.experiment.clone(), self.folder()).map_err(|error| self.locate(error))
    }
}

impl Loaded<RecipeSearch> {
    /// The search with everything checked; errors say where in the file they come from, as far as one place is meant.
    ///
    /// # Errors
    /// As [`RecipeStudy::new`].
    pub fn study(&self) -> Result<RecipeStudy> {
        RecipeStudy::new(self.experiment.clone(), self.folder()).map_err(|error| self.locate(error))
    }
}

/// The dialect of RON that experiment files are written in.
pub fn dialect() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
}

/// Reads a file that holds an experiment.
///
/// # Errors
/// A file that cannot be read, is no experiment, or holds values that make no sense; every message says where.
pub fn load(path: &Path) -> Result<Loaded> {
    parse(&read(path)?, path)
}

/// Reads a file that holds an experiment, a search of either kind or a suite.
///
/// # Errors
/// As [`load`].
pub fn open(path: &Path) -> Result<Opened> {
    let text = read(path)?;
    Ok(match meant(&text) {
        TopologySearch::ROOT => Opened::Search(parse_as(&text, path)?),
        Suite::ROOT => Opened::Suite(parse_as(&text, path)?),
        RecipeSearch::ROOT => Opened::Recipe(parse_as(&text, path)?),
        _ => Opened::Experiment(parse(&text, path)?),
    })
}

/// The kind of document that the name in front of the first bracket is, or is meant to be; an experiment if it is none.
fn meant(text: &str) -> &'static str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tokens = tokens(text);
    // `#![enable(…)]` lines come before.
    let word = |at: usize| &text[tokens[at].span.clone()];
    let first = (0..tokens.len())
        .find(|&at| tokens[at].kind == TokenKind::Word && (ROOTS.contains(&word(at)) || !text.starts_with('#')));
    let Some(name) = first.map(word) else { return Experiment::ROOT };
    match name.to_lowercase().as_str() {
        "wann" | "search" | "topology" | "architecturesearch" => TopologySearch::ROOT,
        "campaign" | "benchmark" => Suite::ROOT,
        "recipe" | "initializersearch" => RecipeSearch::ROOT,
        _ => diagnose::nearest(name, ROOTS).unwrap_or(Experiment::ROOT),
    }
}

fn read(path: &Path) -> Result<String> {
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
    Ok(text.to_owned())
}

/// An experiment from the text of a file.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, path: &Path) -> Result<Loaded> {
    parse_as(text, path)
}

/// A document of one kind from the text of a file.
///
/// # Errors
/// As [`load`].
pub fn parse_as<D: Document>(text: &str, path: &Path) -> Result<Loaded<D>> {
    // A byte order mark is no part of the text.
    let source: Arc<str> = text.strip_prefix('\u{feff}').unwrap_or(text).into();
    let experiment: D = diagnose::parse(&source, path)?;
    if experiment.schema() != SCHEMA {
        let error = Error::experiment("P0108", format!("`schema` must be {SCHEMA}, found {}", experiment.schema()))
            .help(format!("write `schema: {SCHEMA}`"));
        return Err(diagnose::locate(error, &source, path));
    }
    Ok(Loaded { experiment, source, path: path.to_owned() })
}

/// The document as text, with every default spelled out; reading it gives the same document.
pub fn to_text<D: Document>(experiment: &D) -> String {
    let pretty = ron::ser::PrettyConfig::new()
        .struct_names(true)
        .extensions(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES);
    dialect().to_string_pretty(experiment, pretty).expect("an experiment is plain data")
}
