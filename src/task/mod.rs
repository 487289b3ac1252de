//! Data sets and what is asked of them. The only floor that reads data files.

pub mod builtin;
mod categories;
pub mod csv;
mod dataset;
mod file;
mod scaling;
mod split;
mod supervised;

pub use dataset::{DataFile, Dataset, Imputation, Statistic, Targets};
pub use scaling::{MinMax, Scaler, Scaling};
pub use split::{KFold, Parts, Shares, Split};
pub use supervised::{Encoding, Holdout, Prepared, Supervised, pack_inputs, prepare};

use crate::error::Result;
use std::path::Path;

crate::registry! {
    /// Where a data set comes from.
    pub enum Data: dyn Source {
        Builtin(builtin::Builtin),
        Csv(csv::Csv),
    }
}

/// What a data source may use to load itself.
#[derive(Clone, Copy, Debug)]
pub struct LoadContext<'a> {
    /// Folder that relative paths start from: the experiment file's.
    pub folder: &'a Path,
    /// Whether targets are classes or values.
    pub kind: TargetKind,
}

/// Classes or values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A target column holds one class per row.
    Classes,
    /// Target columns hold numbers.
    Values,
}

/// Where a data set comes from.
pub trait Source: Send + Sync {
    /// Loads or makes the data set.
    ///
    /// # Errors
    /// A file that is missing or malformed, settings that do not fit it, or targets of the wrong kind.
    fn load(&self, context: &LoadContext) -> Result<Dataset>;
}
