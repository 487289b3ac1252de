//! A table of numbers with its targets, before any split or scaling.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// What a row is to be mapped to.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One class per row.
    Classes {
        /// `[rows]`, each below `names.len()`.
        labels: Vec<u32>,
        /// The classes, at least two. Text classes stand in alphabetical order, numbers in numerical order.
        names: Vec<String>,
    },
    /// Numbers.
    Values {
        /// `[rows × targets]`.
        values: Array2<f64>,
        /// `[targets]`.
        names: Vec<String>,
    },
}

/// A file that data came from, for the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// File name without its folder.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// A data set: rows of finite numbers with their targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Short name, such as `iris`.
    pub name: String,
    /// `[rows × features]`, all finite.
    pub inputs: Array2<f64>,
    /// `[features]`.
    pub input_names: Vec<String>,
    /// One target per row.
    pub targets: Targets,
    /// Where it came from; empty for generated data.
    pub files: Vec<DataFile>,
    /// What a reader should know: dropped rows, imputed cells.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.inputs.nrows()
    }

    /// Number of input columns.
    pub fn features(&self) -> usize {
        self.inputs.ncols()
    }

    /// Number of target columns: classes, or target values.
    pub fn outputs(&self) -> usize {
        match &self.targets {
            Targets::Classes { names, .. } => names.len(),
            Targets::Values { names, .. } => names.len(),
        }
    }
}
