//! A table of numbers with its targets, before any split or scaling.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::ops::Range;

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
        /// `[rows × targets]`, all finite.
        values: Array2<f64>,
        /// `[targets]`.
        names: Vec<String>,
    },
    /// The row's own inputs, missing cells filled.
    Inputs {
        /// `[rows]`, each below `classes.len()`; empty where rows have no labels. Nothing learns them: they divide rows evenly
        /// and choose examples.
        labels: Vec<u32>,
        /// What the labels stand for.
        classes: Vec<String>,
    },
}

impl Targets {
    /// Class of each row and the classes' names, where there are any, learned or not.
    pub fn classes(&self) -> Option<(&[u32], &[String])> {
        match self {
            Targets::Classes { labels, names: classes } | Targets::Inputs { labels, classes } => {
                (!classes.is_empty()).then_some((labels, classes))
            }
            Targets::Values { .. } => None,
        }
    }
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

/// What stands in for a missing number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistic {
    /// The middle value; the mean of the two middle ones if their number is even.
    Median,
    /// The arithmetic mean.
    Mean,
    /// The commonest value; of several the smallest.
    MostFrequent,
}

/// How missing inputs are to be filled, from training rows alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imputation {
    /// What fills a number's column.
    pub with: Statistic,
    /// Columns that are the one-hot form of one category; a missing category becomes the commonest.
    pub groups: Vec<Range<usize>>,
}

/// A data set: rows of numbers with their targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Short name, such as `iris`.
    pub name: String,
    /// `[rows × features]`. Finite; NaN stands for a missing cell, and only where `impute` is set.
    pub inputs: Array2<f64>,
    /// `[features]`.
    pub input_names: Vec<String>,
    /// One target per row.
    pub targets: Targets,
    /// How the missing cells are filled once the training rows are known ([`Scaler::fit`](super::Scaler::fit)).
    pub impute: Option<Imputation>,
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

    /// Number of target columns: classes, target values, or inputs.
    pub fn outputs(&self) -> usize {
        self.target_names().len()
    }

    /// Classes, or the names of the target columns.
    pub fn target_names(&self) -> &[String] {
        match &self.targets {
            Targets::Classes { names, .. } | Targets::Values { names, .. } => names,
            Targets::Inputs { .. } => &self.input_names,
        }
    }

    /// The same rows with their inputs as targets; classes stay as labels, numbers are forgotten.
    pub fn reconstructing(mut self) -> Dataset {
        self.targets = match self.targets {
            Targets::Classes { labels, names } => Targets::Inputs { labels, classes: names },
            Targets::Values { .. } => Targets::Inputs { labels: Vec::new(), classes: Vec::new() },
            inputs @ Targets::Inputs { .. } => inputs,
        };
        self
    }
}
