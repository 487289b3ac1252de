//! Tables as text, as spreadsheets and databases write them.

mod scanner;
mod table;

use super::file::DataReader;
use super::{Dataset, LoadContext, Source, Statistic, TargetKind, no_targets};
use crate::error::{Error, Result};
use crate::values::Count;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use table::{Open, Table};

/// A table in a text file, one row a line.
///
/// Read as UTF-8. Spaces around cells and empty lines do not matter; cells may be quoted. Nothing is guessed: what does
/// not fit these settings is an error that says which setting would fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// The file, from the folder of the experiment file.
    pub path: PathBuf,
    /// What stands between cells: one ASCII character; default `','`.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Whether the first line holds the names of the columns; default true. Without it they are `column 1` and so on.
    #[serde(default = "yes")]
    pub header: bool,
    /// What is to be learned. Every other column that is not dropped is an input. An autoencoder needs none; there one
    /// column may label the rows, and several are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Columns to leave out; default none.
    #[serde(default)]
    pub drop: Vec<Column>,
    /// Input columns that hold categories; each becomes one column per category, of zeros and ones. Default none.
    #[serde(default)]
    pub categorical: Vec<Column>,
    /// What to do about missing cells: those that are empty or read NA, N/A, ?, NaN or null. Default `Reject`.
    #[serde(default)]
    pub missing: Missing,
    /// What stands before the decimals: `'.'` or `','`; default `'.'`.
    #[serde(default = "point")]
    pub decimal: char,
    /// Largest file that is read; default 1 GiB.
    #[serde(default = "gibibyte")]
    pub max_bytes: Count,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its place, the first being 1.
    Index(Count),
}

/// The column or columns to be learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// One column, by its name in the header.
    Name(String),
    /// One column, by its place, the first being 1.
    Index(Count),
    /// Several columns of numbers.
    Columns(Vec<Column>),
}

/// What to do about missing cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Missing {
    /// They are an error.
    #[default]
    Reject,
    /// Their rows are left out.
    DropRows,
    /// Inputs are filled, as the training rows tell; rows without target are left out.
    Impute {
        /// What fills a number. A missing category becomes the commonest one.
        with: Statistic,
    },
}

impl Csv {
    /// The table at `path` with this target and every other setting at its default.
    pub fn new(path: impl Into<PathBuf>, target: Target) -> Csv {
        Csv {
            path: path.into(),
            delimiter: comma(),
            header: true,
            target: Some(target),
            drop: Vec::new(),
            categorical: Vec::new(),
            missing: Missing::Reject,
            decimal: point(),
            max_bytes: gibibyte(),
        }
    }

    /// Reads a table of about `length` bytes; `open` gives it from its beginning, `path` is for messages.
    pub(super) fn parse<'a>(
        &'a self,
        open: Open<'a>,
        length: u64,
        path: &'a Path,
        kind: TargetKind,
    ) -> Result<Dataset> {
        self.check()?;
        Table { settings: self, open, path, length }.read(kind)
    }

    fn check(&self) -> Result<()> {
        let wrong = |message: &str, found: char| Err(Error::experiment("P0121", format!("{message}, found {found:?}")));
        if !self.delimiter.is_ascii()
            || self.delimiter.is_ascii_alphanumeric()
            || "\"\r\n\0.-+".contains(self.delimiter)
        {
            return wrong("`delimiter` must be one ASCII character such as ',', ';', '|' or '\\t'", self.delimiter);
        }
        if !".,".contains(self.decimal) {
            return wrong("`decimal` must be '.' or ','", self.decimal);
        }
        if self.decimal == self.delimiter {
            return wrong("`decimal` must differ from `delimiter`", self.decimal);
        }
        Ok(())
    }

    fn targets(&self) -> Vec<Column> {
        match &self.target {
            None => Vec::new(),
            Some(Target::Name(name)) => vec![Column::Name(name.clone())],
            Some(Target::Index(index)) => vec![Column::Index(*index)],
            Some(Target::Columns(columns)) => columns.clone(),
        }
    }
}

impl Source for Csv {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        if self.target.is_none() && context.kind != TargetKind::Inputs {
            return Err(no_targets("target", "Name(\"…\")"));
        }
        let path = context.folder.join(&self.path);
        let cap = self.max_bytes.get() as u64;
        // Hashed in a first pass, so that parsing may open the file as often as a good message needs.
        let reader = DataReader::open(&path, cap)?;
        let length = reader.length;
        let described = reader.finish()?;
        let open = || File::open(&path).map(|file| Box::new(file.take(cap)) as Box<dyn Read>);
        let mut dataset = self.parse(&open, length, &path, context.kind)?;
        dataset.files = vec![described];
        Ok(dataset)
    }
}

fn comma() -> char {
    ','
}

fn point() -> char {
    '.'
}

fn yes() -> bool {
    true
}

fn gibibyte() -> Count {
    Count::new(1 << 30).expect("not 0")
}

#[cfg(test)]
mod tests;
