//! Data that is made, not measured: the same rows for every replicate seed.

pub mod circles;
pub mod friedman1;
pub mod friedman2;
pub mod friedman3;
pub mod mackey_glass;
pub mod parity;
pub mod polynomial;
pub mod sine_fit;
pub mod two_spirals;
pub mod xor;

use super::{Dataset, LoadContext, TargetKind, Targets};
use crate::error::{Error, Kind, Result};
use crate::rng::{Purpose, Rng, Streams};
use crate::values::{Count, Finite, NonNegative};
use ndarray::Array2;

/// Most cells of a made data set.
const MAX_CELLS: usize = 10_000_000;

/// The stream that a generator draws from.
fn stream(seed: u64) -> Rng {
    Streams::new(seed).stream(Purpose::Synthetic, 0, 0)
}

/// Room for a table, refused before it is taken.
///
/// # Errors
/// `P0140` for more than 10 million cells.
fn room(rows: usize, columns: usize) -> Result<Vec<f64>> {
    match rows.checked_mul(columns) {
        Some(cells) if cells <= MAX_CELLS => Ok(Vec::with_capacity(cells)),
        _ => {
            let message = format!("a made data set of {rows} rows with {columns} inputs is too large");
            Err(Error::new(Kind::Limit, "P0140", message)
                .note(format!("rows times inputs may reach {MAX_CELLS}"))
                .help("ask for fewer rows"))
        }
    }
}

/// A data set of two classes; where numbers are asked for, of the numbers 0 and 1.
fn two_classes(
    name: &str,
    context: &LoadContext,
    inputs: Vec<f64>,
    labels: Vec<u32>,
    class_names: [&str; 2],
) -> Result<Dataset> {
    let targets = match context.kind {
        TargetKind::Classes => Targets::Classes { labels, names: class_names.map(str::to_owned).to_vec() },
        TargetKind::Values => {
            let values = labels.iter().map(|label| f64::from(*label)).collect();
            Targets::Values { values: matrix(values, labels.len())?, names: vec!["y".into()] }
        }
    };
    dataset(name, inputs, targets)
}

/// A data set with one number to be learned.
fn one_value(name: &str, context: &LoadContext, inputs: Vec<f64>, values: Vec<f64>) -> Result<Dataset> {
    if context.kind == TargetKind::Classes {
        return Err(Error::experiment("P0209", format!("{name} has numbers as targets, not classes"))
            .help("use `task: Regression(…)`"));
    }
    let rows = values.len();
    dataset(name, inputs, Targets::Values { values: matrix(values, rows)?, names: vec!["y".into()] })
}

fn dataset(name: &str, inputs: Vec<f64>, targets: Targets) -> Result<Dataset> {
    let rows = match &targets {
        Targets::Classes { labels, .. } => labels.len(),
        Targets::Values { values, .. } => values.nrows(),
    };
    let targets_finite = match &targets {
        Targets::Classes { .. } => true,
        Targets::Values { values, .. } => values.iter().all(|y| y.is_finite()),
    };
    if !targets_finite || inputs.iter().any(|x| !x.is_finite()) {
        return Err(Error::experiment("P0205", format!("{name} with these settings makes numbers that are too large"))
            .help("choose smaller numbers for its domain, its coefficients or its noise"));
    }
    let inputs = matrix(inputs, rows)?;
    let input_names = (1..=inputs.ncols()).map(|number| format!("x{number}")).collect();
    let (name, files, notes) = (name.to_owned(), Vec::new(), Vec::new());
    Ok(Dataset { name, inputs, input_names, targets, impute: None, files, notes })
}

fn matrix(numbers: Vec<f64>, rows: usize) -> Result<Array2<f64>> {
    let columns = numbers.len() / rows.max(1);
    Array2::from_shape_vec((rows, columns), numbers).map_err(|error| Error::internal(error.to_string()))
}

/// `samples` equal steps from one end of `domain` to the other, both included; the middle if there is one sample.
fn grid(samples: Count, domain: (Finite, Finite)) -> Result<Vec<f64>> {
    let (low, high) = (domain.0.get(), domain.1.get());
    if low >= high {
        return Err(Error::experiment("P0121", format!("`domain` must go upwards, found ({low}, {high})"))
            .help(format!("write `domain: ({high}, {low})`")));
    }
    let samples = samples.get();
    let mut grid = room(samples, 1)?;
    let last = samples.saturating_sub(1).max(1) as f64;
    let share = |index: usize| if samples == 1 { 0.5 } else { index as f64 / last };
    // The weighted mean meets both ends exactly and does not overflow.
    grid.extend((0..samples).map(|index| low * (1.0 - share(index)) + high * share(index)));
    Ok(grid)
}

/// Adds normal noise of this standard deviation to every number.
fn add_noise(numbers: &mut [f64], noise: NonNegative, rng: &mut Rng) {
    if noise.get() > 0.0 {
        numbers.iter_mut().for_each(|x| *x += noise.get() * rng.normal());
    }
}

/// Settings of generators are written out; these are their defaults.
fn count(value: u64) -> Count {
    Count::new(value).expect("a default above 0")
}

fn non_negative(value: f64) -> NonNegative {
    NonNegative::new(value).expect("a default of 0 or above")
}

fn finite(value: f64) -> Finite {
    Finite::new(value).expect("a finite default")
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Source;
    use super::super::tests::parse;
    use super::*;
    use std::path::Path;

    pub(super) fn load(source: &dyn Source, kind: TargetKind) -> Result<Dataset> {
        source.load(&LoadContext { folder: Path::new("."), kind })
    }

    pub(super) fn values(dataset: &Dataset) -> Vec<f64> {
        match &dataset.targets {
            Targets::Values { values, .. } => values.iter().copied().collect(),
            Targets::Classes { labels, .. } => labels.iter().map(|label| f64::from(*label)).collect(),
        }
    }

    pub(super) fn close(found: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len());
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
        assert!(near, "{found:?}\n{expected:?}");
    }

    /// Every generator with its defaults, as the experiment file writes it.
    const ALL: [&str; 10] = [
        "Xor",
        "Parity(bits: 4)",
        "TwoSpirals()",
        "Circles()",
        "SineFit()",
        "Polynomial(coefficients: [1.0, -2.0, 0.5])",
        "Friedman1()",
        "Friedman2()",
        "Friedman3()",
        "MackeyGlass()",
    ];

    #[test]
    fn each_reads_from_an_experiment_and_gives_the_same_rows_again() {
        for text in ALL {
            let data = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(text.starts_with(data.name()));
            let dataset = load(&*data, TargetKind::Values).unwrap();
            assert_eq!(load(&*data, TargetKind::Values).unwrap(), dataset, "{text}");
            assert_eq!(dataset.input_names.len(), dataset.features());
            assert!(dataset.rows() > 0 && dataset.inputs.iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn seeds_change_noise_and_huge_tables_are_refused_before_they_are_made() {
        for (text, more) in [
            ("TwoSpirals(noise: 0.1, ", "points_per_spiral: 1_000_000_000_000)"),
            ("Circles(", "samples: 1_000_000_000_000)"),
            ("SineFit(noise: 0.1, ", "samples: 1_000_000_000_000)"),
            ("Polynomial(coefficients: [1.0], noise: 0.1, ", "samples: 1_000_000_000_000)"),
            ("Friedman1(", "samples: 1_000_000_000_000, features: 1_000_000_000_000)"),
            ("Friedman2(", "samples: 1_000_000_000_000)"),
            ("Friedman3(", "samples: 1_000_000_000_000)"),
            ("Parity(", "bits: 1_000_000_000_000)"),
            ("Parity(", "bits: 64)"),
            ("MackeyGlass(", "samples: 1_000_000_000_000)"),
            ("MackeyGlass(", "tau: 1_000_000_000_000)"),
            ("MackeyGlass(", "discard: 1_000_000_000_000)"),
        ] {
            let error = load(&*parse(&format!("{text}{more}")).unwrap(), TargetKind::Values).unwrap_err();
            assert_eq!(error.code(), "P0140", "{text}{more}");
            if !text.starts_with("Parity") && !text.starts_with("MackeyGlass") {
                let [one, two] =
                    [1, 2].map(|seed| load(&*parse(&format!("{text}seed: {seed})")).unwrap(), TargetKind::Values));
                assert_ne!(one.unwrap(), two.unwrap(), "{text}");
            }
        }
    }

    #[test]
    fn numbers_are_no_classes_and_domains_go_upwards() {
        let refused = |text: &str, kind| load(&*parse(text).unwrap(), kind).unwrap_err().code();
        assert_eq!(refused("Friedman1()", TargetKind::Classes), "P0209");
        assert_eq!(refused("SineFit(domain: (3.0, 1.0))", TargetKind::Values), "P0121");
        let wild = "Polynomial(coefficients: [1.0, 1e300, 1e300], domain: (0.0, 1e300))";
        assert_eq!(refused(wild, TargetKind::Values), "P0205");
        assert!(parse("SineFit(sample: 3)").is_err() && parse("Friedman1(samples: 0)").is_err());
    }

    #[test]
    fn a_grid_meets_both_ends() {
        let domain = (finite(-3.0), finite(0.1));
        assert_eq!(grid(count(3), domain).unwrap(), [-3.0, -1.45, 0.1]);
        assert_eq!(grid(count(1), (finite(0.0), finite(1.0))).unwrap(), [0.5]);
    }
}
