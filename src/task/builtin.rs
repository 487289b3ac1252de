//! The tables that come with the program.

use super::csv::{Column, Csv, Target};
use super::{Dataset, LoadContext, Source, TargetKind, file};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A data set inside the program: `Builtin("iris")`. Origins and licences: `experiments/data/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Builtin {
    /// `iris`: 150 flowers × 4 lengths in cm → 3 species. Fisher 1936.
    Iris,
    /// `breast-cancer`: 569 tumours × 30 measures → benign or malignant. Wolberg, Street & Mangasarian 1995.
    BreastCancer,
    /// `digits`: 1797 images × 64 pixels of 0 to 16 → digits 0 to 9. Alpaydin & Kaynak 1998.
    Digits,
    /// `diabetes`: 442 patients × 10 measures → a number for the progression. Efron et al. 2004.
    Diabetes,
}

impl Builtin {
    /// Every built-in data set.
    pub const ALL: [Builtin; 4] = [Builtin::Iris, Builtin::BreastCancer, Builtin::Digits, Builtin::Diabetes];

    /// Its name in the experiment file.
    pub fn name(self) -> &'static str {
        match self {
            Builtin::Iris => "iris",
            Builtin::BreastCancer => "breast-cancer",
            Builtin::Digits => "digits",
            Builtin::Diabetes => "diabetes",
        }
    }

    /// File name, bytes, target column.
    fn table(self) -> (&'static str, &'static [u8], &'static str) {
        macro_rules! table {
            ($file:literal, $target:literal) => {
                ($file, include_bytes!(concat!("../../experiments/data/", $file)), $target)
            };
        }
        match self {
            Builtin::Iris => table!("iris.csv", "species"),
            Builtin::BreastCancer => table!("breast_cancer_wdbc.csv", "diagnosis"),
            Builtin::Digits => table!("digits_8x8.csv", "digit"),
            Builtin::Diabetes => table!("diabetes_progression.csv", "progression"),
        }
    }
}

impl Source for Builtin {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        if *self == Builtin::Diabetes && context.kind == TargetKind::Classes {
            return Err(Error::experiment("P0209", "diabetes has numbers as targets, not classes")
                .help("use `task: Regression(…)`"));
        }
        if *self != Builtin::Diabetes && context.kind == TargetKind::Values {
            return Err(Error::experiment("P0209", format!("{} has classes as targets, not numbers", self.name()))
                .help("use `task: Classification(…)`"));
        }
        let (name, bytes, target) = self.table();
        let mut csv = Csv::new(name, Target::Name(target.into()));
        if *self == Builtin::Diabetes && context.kind == TargetKind::Inputs {
            // Numbers label nothing.
            (csv.target, csv.drop) = (None, vec![Column::Name(target.into())]);
        }
        let mut dataset = csv.parse(&|| Ok(Box::new(bytes)), bytes.len() as u64, Path::new(name), context.kind)?;
        dataset.name = self.name().into();
        dataset.files = vec![file::describe(name, bytes)];
        Ok(dataset)
    }
}

impl TryFrom<String> for Builtin {
    type Error = String;
    fn try_from(name: String) -> std::result::Result<Builtin, String> {
        let Some(found) = Builtin::ALL.into_iter().find(|builtin| builtin.name() == name) else {
            let names = Builtin::ALL.map(Builtin::name);
            return Err(format!(
                "no built-in data set is called \"{}\"{}",
                file::shown(&name),
                file::suggest(&name, &names)
            ));
        };
        Ok(found)
    }
}

impl From<Builtin> for String {
    fn from(builtin: Builtin) -> String {
        builtin.name().into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Targets;
    use super::*;

    fn load(builtin: Builtin, kind: TargetKind) -> Result<Dataset> {
        builtin.load(&LoadContext { folder: Path::new("."), kind })
    }

    #[test]
    fn shapes_and_means_are_those_of_scikit_learn() {
        // sklearn 1.9.1: load_iris().data.mean(axis=0), load_breast_cancer, load_digits, load_diabetes(scaled=False).
        let iris = load(Builtin::Iris, TargetKind::Classes).unwrap();
        assert_eq!((iris.rows(), iris.features(), iris.outputs()), (150, 4, 3));
        let means = iris.inputs.mean_axis(ndarray::Axis(0)).unwrap();
        let oracle = [5.843_333_333, 3.057_333_333, 3.758, 1.199_333_333];
        assert!(means.iter().zip(oracle).all(|(mean, oracle)| (mean - oracle).abs() < 1e-8), "{means}");
        let Targets::Classes { labels, names } = iris.targets else { panic!() };
        assert_eq!(names, ["setosa", "versicolor", "virginica"]);
        assert_eq!((labels[0], labels[50], labels[149]), (0, 1, 2));

        let cancer = load(Builtin::BreastCancer, TargetKind::Classes).unwrap();
        assert_eq!((cancer.rows(), cancer.features()), (569, 30));
        assert!((cancer.inputs.mean().unwrap() - 61.890_712_339).abs() < 1e-8);
        let Targets::Classes { labels, names } = cancer.targets else { panic!() };
        assert_eq!(names, ["benign", "malignant"]);
        assert_eq!(labels.iter().filter(|label| **label == 1).count(), 212);

        let digits = load(Builtin::Digits, TargetKind::Classes).unwrap();
        assert_eq!((digits.rows(), digits.features()), (1797, 64));
        assert!((digits.inputs.mean().unwrap() - 4.884_164_579_855).abs() < 1e-9);
        let Targets::Classes { names, .. } = digits.targets else { panic!() };
        assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);

        let diabetes = load(Builtin::Diabetes, TargetKind::Values).unwrap();
        assert_eq!((diabetes.rows(), diabetes.features(), diabetes.outputs()), (442, 10, 1));
        let Targets::Values { values, .. } = diabetes.targets else { panic!() };
        assert!((values.mean().unwrap() - 152.133_484_163).abs() < 1e-8);
    }

    #[test]
    fn all_tables_can_be_their_own_targets() {
        for builtin in Builtin::ALL {
            let dataset = load(builtin, TargetKind::Inputs).unwrap().reconstructing();
            assert_eq!(dataset.outputs(), dataset.features());
            assert_eq!(dataset.targets.classes().is_some(), builtin != Builtin::Diabetes, "{builtin:?}");
        }
    }

    #[test]
    fn the_read_me_tells_the_hashes() {
        let read_me = include_str!("../../experiments/data/README.md");
        for builtin in Builtin::ALL {
            let (name, bytes, _) = builtin.table();
            assert!(read_me.contains(&file::describe(name, bytes).sha256), "{name}");
        }
    }

    #[test]
    fn wrong_names_and_kinds_are_refused() {
        let error = Builtin::try_from("irsi".to_owned()).unwrap_err();
        assert_eq!(error, "no built-in data set is called \"irsi\"; did you mean \"iris\"?");
        let error = Builtin::try_from("housing".to_owned()).unwrap_err();
        assert!(error.ends_with("; there are iris, breast-cancer, digits, diabetes"), "{error}");
        assert_eq!(load(Builtin::Iris, TargetKind::Values).unwrap_err().code(), "P0209");
        assert_eq!(load(Builtin::Diabetes, TargetKind::Classes).unwrap_err().code(), "P0209");
    }
}
