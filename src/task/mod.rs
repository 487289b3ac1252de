//! Data sets and what is asked of them. The only floor that reads data files.

pub mod builtin;
mod categories;
pub mod csv;
mod dataset;
mod file;
mod scaling;
mod split;
pub mod synthetic;

pub use dataset::{DataFile, Dataset, Imputation, Statistic, Targets};
pub use scaling::{MinMax, Scaler, Scaling};
pub use split::{KFold, Parts, Shares, Split};

use crate::error::Result;
use std::path::Path;

crate::registry! {
    /// Where a data set comes from.
    pub enum Data: dyn Source {
        Builtin(builtin::Builtin),
        Csv(csv::Csv),
        Parity(synthetic::parity::Parity),
        TwoSpirals(synthetic::two_spirals::TwoSpirals),
        Circles(synthetic::circles::Circles),
        SineFit(synthetic::sine_fit::SineFit),
        Polynomial(synthetic::polynomial::Polynomial),
        Friedman1(synthetic::friedman1::Friedman1),
        Friedman2(synthetic::friedman2::Friedman2),
        Friedman3(synthetic::friedman3::Friedman3),
        MackeyGlass(synthetic::mackey_glass::MackeyGlass),
        Xor => synthetic::xor::Xor,
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
