//! Data sets, control environments, and what is asked of them. The only floor that reads data files.

pub mod array;
pub mod builtin;
mod categories;
pub mod control;
pub mod csv;
mod dataset;
mod file;
mod scaling;
mod split;
mod supervised;
pub mod synthetic;

pub use dataset::{DataFile, Dataset, Imputation, Statistic, Targets};
pub use scaling::{MinMax, Scaler, Scaling};
pub use split::{KFold, Parts, Shares, Split};
pub use supervised::{Encoding, Holdout, Layout, Prepared, Supervised, pack_inputs};

use crate::error::{Error, Result};
use std::path::Path;

crate::registry! {
    /// Where a data set comes from.
    pub enum Data: dyn Source {
        Builtin(builtin::Builtin),
        Csv(csv::Csv),
        Npy(array::npy::Npy),
        Npz(array::npz::Npz),
        Idx(array::idx::Idx),
        Parity(synthetic::parity::Parity),
        TwoSpirals(synthetic::two_spirals::TwoSpirals),
        Circles(synthetic::circles::Circles),
        SineFit(synthetic::sine_fit::SineFit),
        Polynomial(synthetic::polynomial::Polynomial),
        Friedman1(synthetic::friedman1::Friedman1),
        Friedman2(synthetic::friedman2::Friedman2),
        Friedman3(synthetic::friedman3::Friedman3),
        MackeyGlass(synthetic::mackey_glass::MackeyGlass),
        Checkerboard(synthetic::checkerboard::Checkerboard),
        Ripple(synthetic::ripple::Ripple),
        SwissRoll(synthetic::swiss_roll::SwissRoll),
        RandomTeacher(synthetic::random_teacher::RandomTeacher),
        RandomTree(synthetic::random_tree::RandomTree),
        Mixture(synthetic::mixture::Mixture),
        Xor => synthetic::xor::Xor,
    }
}

/// What a data source may use to load itself.
#[derive(Clone, Copy, Debug)]
pub struct LoadContext<'a> {
    /// Folder that relative paths start from: the experiment file's.
    pub folder: &'a Path,
    /// Whether targets are classes, values or the inputs.
    pub kind: TargetKind,
}

/// What rows are to be mapped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A target column holds one class per row.
    Classes,
    /// Target columns hold numbers.
    Values,
    /// The inputs themselves. What a source has as targets only labels the rows where it can be classes, and may be missing;
    /// [`Dataset::reconstructing`] makes inputs of targets.
    Inputs,
}

/// Where a data set comes from.
pub trait Source: Send + Sync {
    /// Loads or makes the data set.
    ///
    /// # Errors
    /// A file that is missing or malformed, settings that do not fit it, or targets of the wrong kind.
    fn load(&self, context: &LoadContext) -> Result<Dataset>;
}

/// What a source says that was given no targets where it needs some.
fn no_targets(setting: &str, example: &str) -> Error {
    Error::experiment("P0209", format!("`{setting}` is missing, and nothing is left to be learned"))
        .help(format!("write `{setting}: {example}`"))
        .help("or let the rows be their own targets: `task: Autoencoding(…)`")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RON as experiment files are written.
    fn options() -> ron::Options {
        use ron::extensions::Extensions;
        ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
    }

    pub(super) fn parse(text: &str) -> std::result::Result<Data, ron::error::SpannedError> {
        options().from_str(text)
    }

    #[test]
    fn every_source_reads_from_an_experiment_and_writes_back() {
        let texts = [
            r#"Builtin("iris")"#,
            r#"Csv(path: "data/penguins.csv", delimiter: ';', header: true, target: Name("species"),
                drop: [Name("row_id")], categorical: [Name("island"), Index(3)], missing: Impute(with: Median), decimal: ',')"#,
            r#"Csv(path: "a.csv", target: Columns([Name("a"), Index(2)]), missing: DropRows)"#,
            r#"Npy(inputs: "x.npy", targets: "y.npy")"#,
            r#"Npz(path: "a.npz", inputs: "data")"#,
            r#"Idx(images: "i.gz", labels: "l.gz", limit: 1000)"#,
            "Parity(bits: 3)",
            "TwoSpirals(turns: 2, noise: 0.1)",
            "Circles()",
            "SineFit(function: Sin, domain: (-1.0, 1.0))",
            "Polynomial(coefficients: [1.0, 2.0])",
            "Friedman1(features: 5)",
            "Friedman2()",
            "Friedman3()",
            "MackeyGlass(tau: 30)",
            "Checkerboard(cells: 3)",
            "Ripple(frequency: 7)",
            "SwissRoll(classes: 3, dimensions: 2)",
            "RandomTeacher(hidden: 3, outputs: 2)",
            "RandomTree(depth: 3)",
            "Mixture(components: 4, spread: 0.5)",
            "Xor",
        ];
        let mut names = std::collections::BTreeSet::new();
        for text in texts {
            let data = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let written = options().to_string(&data).unwrap();
            assert_eq!(parse(&written).unwrap(), data, "{written}");
            names.insert(data.name());
        }
        assert_eq!(names, Data::CATALOGUE.iter().copied().collect(), "each source is read here");
    }

    #[test]
    fn splits_and_scalings_read_from_an_experiment() {
        let split = |text: &str| options().from_str::<Split>(text);
        assert!(split("Stratified(train: 0.70, validation: 0.15, test: 0.15)").unwrap().check().is_ok());
        assert!(split("KFold(folds: 5, validation: 0.2)").unwrap().check().is_ok());
        assert!(split("Random(train: 1.5)").is_err() && split("Random(train: 0.5, tset: 0.5)").is_err());
        let scaling = |text: &str| options().from_str::<Scaling>(text).unwrap();
        assert_eq!(scaling("MinMax(low: -1.0, high: 1.0)"), scaling("MinMax()"));
        assert_eq!((scaling("Standardize"), scaling("None")), (Scaling::Standardize, Scaling::None));
    }
}
