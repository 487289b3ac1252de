//! Which rows train, which validate, which test.

use super::{Dataset, Targets, file};
use crate::error::{Error, Result};
use crate::rng::{Purpose, Rng, Streams};
use crate::values::{Count, Probability};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::Path;

/// How rows are divided. Each replicate seed gives its own division, except with `ByOrder`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Split {
    /// At random within each class, so that every part holds every class in its share.
    Stratified(Shares),
    /// At random.
    Random(Shares),
    /// The first rows train, the next validate, the last test: for series in time.
    ByOrder(Shares),
    /// One fold tests, the others train; within the classes where there are classes.
    KFold(KFold),
}

/// Sizes of the three parts; they sum to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Share of the training rows, above 0.
    pub train: Probability,
    /// Share of the validation rows; default 0.
    #[serde(default = "nothing")]
    pub validation: Probability,
    /// Share of the test rows; default 0, for made-up data of which all rows train.
    #[serde(default = "nothing")]
    pub test: Probability,
}

/// Cross-validation: seed s tests fold s mod `folds` of partition s div `folds`.
///
/// Whole rounds therefore start at a seed that `folds` divides: seeds 0 to 49 are 10 rounds of 5 folds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KFold {
    /// Number of folds, at least 2.
    pub folds: Count,
    /// Share of the rows outside the test fold that validates, below 1; default 0.
    #[serde(default = "nothing")]
    pub validation: Probability,
}

/// Row numbers of the three parts, each ascending; together every row once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Rows that train, at least one.
    pub training: Vec<usize>,
    /// Rows that choose among states of the training.
    pub validation: Vec<usize>,
    /// Rows that are looked at once, at the end.
    pub test: Vec<usize>,
}

impl Split {
    /// Whether the numbers fit together, which no single number shows.
    ///
    /// # Errors
    /// `P0131` if the shares do not sum to 1 (the note tells the sum), `P0121` if nothing would train or `folds` is 1.
    pub fn check(&self) -> Result<()> {
        match self {
            Split::Stratified(shares) | Split::Random(shares) | Split::ByOrder(shares) => {
                let sum: f64 = shares.list().iter().sum();
                if (sum - 1.0).abs() > 1e-9 {
                    let sum = if (sum - 1.0).abs() < 0.01 { format!("{sum}") } else { format!("{sum:.2}") };
                    let message = "the three parts of `split` must sum to 1";
                    return Err(Error::experiment("P0131", message).note(format!("sums to {sum}")));
                }
                if shares.train.get() == 0.0 {
                    return Err(Error::experiment("P0121", "`train` must be above 0, found 0"));
                }
            }
            Split::KFold(fold) => {
                if fold.folds.get() < 2 {
                    return Err(Error::experiment("P0121", "`folds` must be at least 2, found 1"));
                }
                if fold.validation.get() == 1.0 {
                    return Err(Error::experiment("P0121", "`validation` must be below 1, found 1")
                        .help("1 leaves no row to train on"));
                }
            }
        }
        Ok(())
    }

    /// Divides the rows of `dataset` for the replicate with this seed.
    ///
    /// Sizes are rounded by largest remainder; a part whose share is not 0 gets at least one row.
    ///
    /// # Errors
    /// What [`check`](Split::check) refuses; `P0210` for a class with too few rows, `P0211` for too few rows,
    /// `P0212` for a stratified split of a data set without classes.
    pub fn assign(&self, dataset: &Dataset, seed: u64) -> Result<Parts> {
        self.check()?;
        let labels = dataset.targets.classes();
        let rows = 0..dataset.rows();
        let mut rng = Streams::new(seed).stream(Purpose::Split, 0, 0);
        let parts = match self {
            Split::Stratified(shares) => {
                let Some(labels) = labels else {
                    let has = match dataset.targets {
                        Targets::Inputs { .. } => "rows without labels",
                        _ => "numbers as targets",
                    };
                    let message = format!("{} has {has}; a stratified split needs classes", dataset.name);
                    return Err(Error::experiment("P0212", message)
                        .help("use `split: Random(…)` with the same shares, or `ByOrder(…)` for a series in time"));
                };
                let what = format!("a stratified {shares} split");
                stratified(rows, labels, shares.list(), &mut rng, &what)
            }
            Split::Random(shares) => random(rows.collect(), shares.list(), Some(&mut rng)),
            Split::ByOrder(shares) => random(rows.collect(), shares.list(), None),
            Split::KFold(fold) => fold.assign(rows, labels, seed, &mut rng),
        };
        parts.map_err(|error| match dataset.files.first() {
            Some(data) => error.in_file(Path::new(&data.name)),
            None => error,
        })
    }
}

impl Shares {
    fn list(&self) -> [f64; 3] {
        [self.train.get(), self.validation.get(), self.test.get()]
    }
}

impl std::fmt::Display for Shares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [train, validation, test] = self.list();
        write!(f, "{train:.2}/{validation:.2}/{test:.2}")
    }
}

impl KFold {
    fn assign(&self, rows: Range<usize>, labels: Option<Labels>, seed: u64, rng: &mut Rng) -> Result<Parts> {
        let folds = self.folds.get();
        let validation = self.validation.get();
        let enough = |rows: usize| rows >= folds && rows - rows.div_ceil(folds) > usize::from(validation > 0.0);
        let what = format!("a split into {folds} folds with validation {validation:.2}");
        let needed = || (folds..).find(|rows| enough(*rows)).unwrap_or(folds);
        // All seeds of a round share the partition, so its stream is the round's and not the seed's.
        let mut partition = Streams::new(seed / folds as u64).stream(Purpose::Split, 1, 0);
        let mut dealt = Vec::with_capacity(rows.len());
        for (class, mut members) in by_class(rows, labels).into_iter().enumerate() {
            if !enough(members.len()) {
                return Err(match labels {
                    Some((_, names)) => too_rare(&names[class], members.len(), &what, needed()),
                    None => too_few(members.len(), &what, needed()),
                });
            }
            partition.shuffle(&mut members);
            dealt.append(&mut members);
        }
        let tested = (seed % folds as u64) as usize;
        let (mut test, mut rest) = (Vec::new(), Vec::new());
        // Cards dealt in turn: folds differ by one row at most, and so do their shares of each class.
        for (place, row) in dealt.into_iter().enumerate() {
            if place % folds == tested { test.push(row) } else { rest.push(row) }
        }
        test.sort_unstable();
        rest.sort_unstable();
        let shares = [1.0 - validation, validation, 0.0];
        let parts = match labels {
            Some(labels) => stratified(rest, labels, shares, rng, &what)?,
            None => random(rest, shares, Some(rng))?,
        };
        Ok(Parts { test, ..parts })
    }
}

/// Label of each row, and the classes' names.
type Labels<'a> = (&'a [u32], &'a [String]);

fn stratified(
    rows: impl IntoIterator<Item = usize>,
    labels: Labels,
    shares: [f64; 3],
    rng: &mut Rng,
    what: &str,
) -> Result<Parts> {
    let needed = shares.iter().filter(|share| **share > 0.0).count();
    let mut parts = Parts::default();
    // What rounding gave too little or too much so far; later classes make up for it, so that the totals come out right.
    let mut owed = [0.0; 3];
    for (class, mut members) in by_class(rows, Some(labels)).into_iter().enumerate() {
        if members.len() < needed {
            return Err(too_rare(&labels.1[class], members.len(), what, needed));
        }
        rng.shuffle(&mut members);
        let sizes = sizes(members.len(), shares, owed);
        for part in 0..3 {
            owed[part] += shares[part] * members.len() as f64 - sizes[part] as f64;
        }
        parts.extend(&members, sizes);
    }
    Ok(parts.sorted())
}

fn random(mut rows: Vec<usize>, shares: [f64; 3], rng: Option<&mut Rng>) -> Result<Parts> {
    let needed = shares.iter().filter(|share| **share > 0.0).count();
    if rows.len() < needed {
        return Err(too_few(rows.len(), &format!("a split into {needed} parts"), needed));
    }
    if let Some(rng) = rng {
        rng.shuffle(&mut rows);
    }
    let mut parts = Parts::default();
    parts.extend(&rows, sizes(rows.len(), shares, [0.0; 3]));
    Ok(parts.sorted())
}

/// Whole numbers near `shares · count + owed` that sum to `count`, by largest remainder; ties go to the earlier part.
/// Parts with a share get at least 1; `count` must suffice for that.
fn sizes(count: usize, shares: [f64; 3], owed: [f64; 3]) -> [usize; 3] {
    let quota = [0, 1, 2]
        .map(|part| if shares[part] > 0.0 { (shares[part] * count as f64 + owed[part]).max(0.0) } else { 0.0 });
    // A hair is added so that 0.29 · 100 counts as 29; it also makes nearly equal remainders equal.
    let mut sizes = quota.map(|quota| (quota + 1e-9) as usize);
    let remainder = |part: usize| ((quota[part] - quota[part].floor()) * 1e6).round();
    let mut order = [0, 1, 2];
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    let mut order = order.into_iter().filter(|part| shares[*part] > 0.0).cycle();
    while sizes.iter().sum::<usize>() < count {
        sizes[order.next().unwrap_or(0)] += 1;
    }
    let largest = |sizes: &[usize; 3]| (0..3).rev().max_by_key(|part| sizes[*part]).unwrap_or(0);
    while sizes.iter().sum::<usize>() > count {
        sizes[largest(&sizes)] -= 1;
    }
    for part in 0..3 {
        if shares[part] > 0.0 && sizes[part] == 0 {
            sizes[largest(&sizes)] -= 1;
            sizes[part] = 1;
        }
    }
    sizes
}

/// The rows of each class in turn; all rows together where there are no classes.
fn by_class(rows: impl IntoIterator<Item = usize>, labels: Option<Labels>) -> Vec<Vec<usize>> {
    let Some((labels, names)) = labels else { return vec![rows.into_iter().collect()] };
    let mut members = vec![Vec::new(); names.len()];
    rows.into_iter().for_each(|row| members[labels[row] as usize].push(row));
    members
}

impl Parts {
    fn extend(&mut self, rows: &[usize], sizes: [usize; 3]) {
        let (training, rest) = rows.split_at(sizes[0]);
        let (validation, test) = rest.split_at(sizes[1]);
        self.training.extend_from_slice(training);
        self.validation.extend_from_slice(validation);
        self.test.extend_from_slice(test);
    }

    fn sorted(mut self) -> Parts {
        for part in [&mut self.training, &mut self.validation, &mut self.test] {
            part.sort_unstable();
        }
        self
    }
}

fn too_rare(name: &str, rows: usize, what: &str, needed: usize) -> Error {
    let rows = if rows == 1 { "1 row".into() } else { format!("{rows} rows") };
    let message = format!("class \"{}\" has {rows}; {what} needs at least {needed}", file::shown(name));
    Error::data("P0210", message).help("use `split: Random(…)`, merge the class, or add rows")
}

fn too_few(rows: usize, what: &str, needed: usize) -> Error {
    let rows = if rows == 1 { "1 row".into() } else { format!("{rows} rows") };
    Error::data("P0211", format!("the table has {rows}; {what} needs at least {needed}"))
        .help("add rows, or use all of them for training: `Random(train: 1.0)`")
}

fn nothing() -> Probability {
    Probability::new(0.0).expect("0 is a share")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn shares(train: f64, validation: f64, test: f64) -> Shares {
        let [train, validation, test] = [train, validation, test].map(|share| Probability::new(share).unwrap());
        Shares { train, validation, test }
    }

    fn dataset(targets: Targets, rows: usize) -> Dataset {
        Dataset {
            name: "table".into(),
            inputs: Array2::zeros((rows, 1)),
            input_names: vec!["x".into()],
            targets,
            impute: None,
            files: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn classes(counts: &[usize]) -> Dataset {
        let labels: Vec<u32> = (0..).zip(counts).flat_map(|(class, count)| vec![class; *count]).collect();
        let names = (0..counts.len()).map(|class| format!("c{class}")).collect();
        let rows = labels.len();
        dataset(Targets::Classes { labels, names }, rows)
    }

    fn values(rows: usize) -> Dataset {
        dataset(Targets::Values { values: Array2::zeros((rows, 1)), names: vec!["y".into()] }, rows)
    }

    fn lengths(parts: &Parts) -> [usize; 3] {
        [parts.training.len(), parts.validation.len(), parts.test.len()]
    }

    fn check_partition(parts: &Parts, rows: usize) {
        for part in [&parts.training, &parts.validation, &parts.test] {
            assert!(part.is_sorted());
        }
        let mut all = [&parts.training[..], &parts.validation, &parts.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..rows).collect::<Vec<_>>());
    }

    #[test]
    fn iris_shares_come_out_whole() {
        let data = classes(&[50, 50, 50]);
        let parts = Split::Stratified(shares(0.70, 0.15, 0.15)).assign(&data, 1).unwrap();
        assert_eq!(lengths(&parts), [105, 23, 22]);
        check_partition(&parts, 150);
        let first = parts.validation.iter().filter(|row| **row < 50).count();
        assert_eq!(first, 8);
        assert_eq!(lengths(&Split::Random(shares(0.70, 0.15, 0.15)).assign(&data, 1).unwrap()), [105, 23, 22]);
        let ordered = Split::ByOrder(shares(0.5, 0.25, 0.25)).assign(&data, 1).unwrap();
        assert_eq!((ordered.training[74], ordered.validation[0], ordered.test[0]), (74, 75, 113));
    }

    #[test]
    fn a_seed_is_a_division() {
        let data = classes(&[20, 30]);
        for split in [
            Split::Stratified(shares(0.6, 0.2, 0.2)),
            Split::Random(shares(0.6, 0.2, 0.2)),
            Split::KFold(KFold { folds: Count::new(5).unwrap(), validation: Probability::new(0.2).unwrap() }),
        ] {
            assert_eq!(split.assign(&data, 3).unwrap(), split.assign(&data, 3).unwrap());
            assert_ne!(split.assign(&data, 3).unwrap(), split.assign(&data, 4).unwrap());
        }
        // A change here changes every result.
        let parts = Split::Stratified(shares(0.6, 0.2, 0.2)).assign(&classes(&[5, 5]), 7).unwrap();
        assert_eq!((parts.validation, parts.test), (vec![1, 6], vec![0, 9]));
    }

    #[test]
    fn every_fold_tests_once_in_a_round() {
        let data = classes(&[7, 12, 5]);
        let split = Split::KFold(KFold { folds: Count::new(5).unwrap(), validation: Probability::new(0.25).unwrap() });
        let mut tested = Vec::new();
        for seed in 10..15 {
            let parts = split.assign(&data, seed).unwrap();
            check_partition(&parts, 24);
            assert!((4..=5).contains(&parts.test.len()));
            tested.extend(parts.test);
        }
        tested.sort_unstable();
        assert_eq!(tested, (0..24).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let code = |split: Split, data: &Dataset| split.assign(data, 1).unwrap_err();
        let error = code(Split::Stratified(shares(0.80, 0.15, 0.15)), &classes(&[9, 9]));
        assert_eq!((error.code(), error.problems()[0].notes[0].as_str()), ("P0131", "sums to 1.10"));
        assert_eq!(code(Split::Random(shares(0.0, 0.5, 0.5)), &values(9)).code(), "P0121");
        let error = code(Split::Stratified(shares(0.70, 0.15, 0.15)), &classes(&[9, 2]));
        assert_eq!(
            error.to_string(),
            "error[P0210]: class \"c1\" has 2 rows; a stratified 0.70/0.15/0.15 split needs at least 3\n   = help: \
             use `split: Random(…)`, merge the class, or add rows"
        );
        assert_eq!(code(Split::Stratified(shares(0.7, 0.15, 0.15)), &values(9)).code(), "P0212");
        assert_eq!(code(Split::Random(shares(0.7, 0.15, 0.15)), &values(2)).code(), "P0211");
        let fold = |folds, validation| {
            let (folds, validation) = (Count::new(folds).unwrap(), Probability::new(validation).unwrap());
            Split::KFold(KFold { folds, validation })
        };
        assert_eq!(code(fold(1, 0.0), &values(9)).code(), "P0121");
        assert_eq!(code(fold(3, 1.0), &values(9)).code(), "P0121");
        assert_eq!(code(fold(10, 0.0), &values(9)).code(), "P0211");
        let error = code(fold(2, 0.5), &classes(&[9, 3]));
        assert!(error.problems()[0].message.ends_with("needs at least 4"), "{error}");
    }

    #[test]
    fn all_rows_may_train() {
        let all: Split = ron::from_str("Random((train: 1.0))").unwrap();
        assert_eq!(lengths(&all.assign(&values(4), 1).unwrap()), [4, 0, 0]);
        let stratified = Split::Stratified(shares(1.0, 0.0, 0.0)).assign(&classes(&[1, 1]), 1).unwrap();
        assert_eq!(lengths(&stratified), [2, 0, 0]);
    }

    proptest! {
        #[test]
        fn every_class_is_in_every_part_in_its_share(
            counts in prop::collection::vec(3_usize..60, 2..6), train in 1_u32..98, validation in 0_u32..60, seed: u64,
        ) {
            let validation = validation.min(99 - train);
            let share = |part: u32| f64::from(part) / 100.0;
            let list = [share(train), share(validation), share(100 - train - validation)];
            let data = classes(&counts);
            let parts = Split::Stratified(shares(list[0], list[1], list[2])).assign(&data, seed).unwrap();
            check_partition(&parts, data.rows());
            // Where each class gives every part a row, what the classes so far owe a part is little more than a rounding.
            // A class so small that it gives one too many owes up to 2, which the next ones make good.
            let small = |count: &usize| list.iter().any(|share| *share > 0.0 && share * (*count as f64) < 1.0);
            let (mut start, mut owed, mut bound) = (0, [0.0; 3], 2.0);
            for count in counts {
                bound += if small(&count) { 2.0 } else { 0.0 };
                let parts = [&parts.training, &parts.validation, &parts.test];
                for ((part, share), owed) in parts.into_iter().zip(list).zip(&mut owed) {
                    let members = part.iter().filter(|row| (start..start + count).contains(*row)).count();
                    prop_assert_eq!(members > 0, share > 0.0);
                    *owed += share * count as f64 - members as f64;
                    prop_assert!(owed.abs() <= bound, "{} owed", owed);
                }
                start += count;
            }
        }
    }
}
