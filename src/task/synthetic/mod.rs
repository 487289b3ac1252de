//! Data that is made, not measured: the same rows for every replicate seed.

pub mod checkerboard;
pub mod circles;
pub mod friedman1;
pub mod friedman2;
pub mod friedman3;
pub mod mackey_glass;
pub mod mixture;
pub mod parity;
pub mod polynomial;
pub mod random_teacher;
pub mod random_tree;
pub mod ripple;
pub mod sine_fit;
pub mod swiss_roll;
pub mod two_spirals;
pub mod xor;

use super::{Dataset, LoadContext, TargetKind, Targets};
use crate::error::{Error, Kind, Result};
use crate::rng::{Purpose, Rng, Streams};
use crate::values::{Count, Finite, NonNegative};
use ndarray::Array2;

/// Most cells of a made data set.
const MAX_CELLS: usize = 10_000_000;

/// Most classes.
const MAX_CLASSES: usize = 1000;

/// How often a random problem is drawn before it is given up.
const DRAWS: u64 = 20;

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
        TargetKind::Classes | TargetKind::Inputs => {
            Targets::Classes { labels, names: class_names.map(str::to_owned).to_vec() }
        }
        TargetKind::Values => {
            let values = labels.iter().map(|label| f64::from(*label)).collect();
            Targets::Values { values: matrix(values, labels.len())?, names: vec!["y".into()] }
        }
    };
    dataset(name, inputs, targets)
}

/// A data set of so many classes, named by their numbers from 0 on.
fn many_classes(
    name: &str,
    context: &LoadContext,
    inputs: Vec<f64>,
    labels: Vec<u32>,
    classes: usize,
) -> Result<Dataset> {
    if context.kind == TargetKind::Values {
        return Err(Error::experiment("P0209", format!("{name} has classes as targets, not numbers"))
            .help("use `task: Classification(…)`"));
    }
    let names = (0..classes).map(|class| class.to_string()).collect();
    dataset(name, inputs, Targets::Classes { labels, names })
}

/// A problem that leaves no class out: the first of 20 draws in which each has a tenth of an equal share, and a row at
/// least. `draw` gives inputs and labels; `ways` out are told where no draw will do.
///
/// # Errors
/// `P0210` if none of the draws has; what `draw` refuses.
fn balanced(
    name: &str,
    seed: u64,
    classes: usize,
    ways: &str,
    mut draw: impl FnMut(&mut Rng) -> Result<(Vec<f64>, Vec<u32>)>,
) -> Result<(Vec<f64>, Vec<u32>)> {
    let mut last = None;
    for attempt in 0..DRAWS {
        let (inputs, labels) = draw(&mut Streams::new(seed).stream(Purpose::Synthetic, attempt, 0))?;
        let mut sizes = vec![0_usize; classes];
        labels.iter().for_each(|label| sizes[*label as usize] += 1);
        let needed = (labels.len() / (10 * classes)).max(1);
        match sizes.iter().position(|size| *size < needed) {
            None => return Ok((inputs, labels)),
            Some(class) => last = Some((class, sizes[class], labels.len(), needed)),
        }
    }
    let (class, size, rows, needed) = last.unwrap_or_default();
    Err(Error::experiment(
        "P0210",
        format!("{name} with these settings leaves class {class} with {size} of {rows} rows"),
    )
    .note(format!("each of {classes} classes needs {needed}, a tenth of an equal share; {DRAWS} draws were tried"))
    .help(ways))
}

/// A number of classes that so many rows can show.
///
/// # Errors
/// `P0121` for fewer than 2 or more than 1000, or more than rows.
fn class_count(classes: Count, samples: usize) -> Result<usize> {
    let classes = between("classes", classes, 2, MAX_CLASSES)?;
    if samples < classes {
        let message = format!("`samples` must be at least {classes}, the number of classes, found {samples}");
        return Err(Error::experiment("P0121", message).help("each class needs a row: raise `samples`"));
    }
    Ok(classes)
}

/// A count within limits, both included.
///
/// # Errors
/// `P0121`.
fn between(setting: &str, count: Count, least: usize, most: usize) -> Result<usize> {
    let count = count.get();
    if (least..=most).contains(&count) {
        return Ok(count);
    }
    let nearest = count.clamp(least, most);
    Err(Error::experiment("P0121", format!("`{setting}` must be {least} to {most}, found {count}"))
        .help(format!("write `{setting}: {nearest}`")))
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
        Targets::Inputs { .. } => unreachable!("made data have targets"),
    };
    let targets_finite = match &targets {
        Targets::Values { values, .. } => values.iter().all(|y| y.is_finite()),
        _ => true,
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
            Targets::Classes { labels, .. } | Targets::Inputs { labels, .. } => {
                labels.iter().map(|label| f64::from(*label)).collect()
            }
        }
    }

    pub(super) fn close(found: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len());
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
        assert!(near, "{found:?}\n{expected:?}");
    }

    /// Every generator with its defaults, as the experiment file writes it.
    const ALL: [&str; 16] = [
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
        "Checkerboard()",
        "Ripple()",
        "SwissRoll()",
        "RandomTeacher()",
        "RandomTree()",
        "Mixture()",
    ];

    /// What the generator makes; `Mixture` makes classes alone.
    fn kind(text: &str) -> TargetKind {
        if text.starts_with("Mixture") { TargetKind::Classes } else { TargetKind::Values }
    }

    #[test]
    fn each_reads_from_an_experiment_and_gives_the_same_rows_again() {
        for text in ALL {
            let data = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(text.starts_with(data.name()));
            let dataset = load(&*data, kind(text)).unwrap();
            assert_eq!(load(&*data, kind(text)).unwrap(), dataset, "{text}");
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
            ("Checkerboard(", "samples: 1_000_000_000_000)"),
            ("Ripple(", "samples: 1_000_000_000_000)"),
            ("SwissRoll(", "samples: 1_000_000_000_000)"),
            ("RandomTeacher(", "samples: 1_000_000_000_000)"),
            ("RandomTeacher(", "features: 1_000_000_000_000)"),
            ("RandomTeacher(", "hidden: 1_000_000_000_000)"),
            ("RandomTree(", "samples: 1_000_000_000_000)"),
            ("RandomTree(", "features: 1_000_000_000_000)"),
            ("Mixture(", "samples: 1_000_000_000_000)"),
            ("Mixture(", "features: 1_000_000_000_000)"),
        ] {
            let error = load(&*parse(&format!("{text}{more}")).unwrap(), kind(text)).unwrap_err();
            assert_eq!(error.code(), "P0140", "{text}{more}");
            if !text.starts_with("Parity") && !text.starts_with("MackeyGlass") {
                let [one, two] = [1, 2].map(|seed| load(&*parse(&format!("{text}seed: {seed})")).unwrap(), kind(text)));
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

    #[test]
    fn no_class_is_left_out_whatever_the_seed() {
        for (text, classes) in [
            ("Checkerboard(samples: 12, cells: 5, noise: 0.3, ", 2),
            ("Ripple(samples: 40, noise: 0.5, ", 2),
            ("SwissRoll(samples: 11, classes: 7, noise: 1.0, ", 7),
            ("RandomTeacher(samples: 100, outputs: 5, noise: 0.1, ", 5),
            ("RandomTeacher(samples: 20, hidden: 2, ", 2),
            ("RandomTree(samples: 60, classes: 5, depth: 5, noise: 0.1, ", 5),
            ("RandomTree(samples: 40, features: 1, depth: 1, ", 2),
            ("Mixture(samples: 9, classes: 9, components: 4, ", 9),
        ] {
            let mut problems = std::collections::BTreeSet::new();
            for seed in 0..40 {
                let data = parse(&format!("{text}seed: {seed})")).unwrap();
                let dataset = load(&*data, TargetKind::Classes).unwrap_or_else(|error| panic!("{text}{seed}: {error}"));
                let Targets::Classes { labels, names } = &dataset.targets else { panic!("{text}") };
                assert_eq!(names.len(), classes);
                assert!((0..classes as u32).all(|class| labels.contains(&class)), "{text}{seed}");
                assert!(labels.iter().all(|label| (*label as usize) < classes));
                problems.insert(format!("{:?}", dataset.inputs));
            }
            assert_eq!(problems.len(), 40, "{text}: each seed is another problem");
        }
    }
}
