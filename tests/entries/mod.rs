//! What the fuzz targets do with their bytes. `tests/regressions.rs` replays what they found through the same functions.
//!
//! Each function must return, whatever the bytes: it may neither panic nor take memory beyond what the bytes pay for.
#![allow(dead_code)] // each user needs a part of it

use precocial::error::Error;
use precocial::evolve::strategy::{
    Centre, CmaEs, CmaEsSettings, CmaEsState, EvolutionStrategy, EvolutionStrategySettings, Start, Wann, WannState,
    WeightStrategy,
};
use precocial::evolve::wann::{Shape, WannSettings};
use precocial::experiment::outline::Outline;
use precocial::experiment::record::RunRecord;
use precocial::experiment::{Document, Experiment, Model, RecipeSearch, TopologySearch, parse_as, to_text};
use precocial::math::Activation;
use precocial::sealed::{self, Content, StateReader};
use precocial::task::array::{idx::Idx, npy::Npy, npz::Npz};
use precocial::task::csv::{Column, Csv, Missing, Target};
use precocial::task::{Dataset, LoadContext, Source, Statistic, TargetKind};
use precocial::train::Session;
use precocial::values::Count;
use std::path::{Path, PathBuf};

/// What a target does with its bytes.
type Entry = fn(&[u8]);

/// The entry functions by the names of their targets.
pub const ENTRIES: [(&str, Entry); 5] =
    [("arrays", arrays), ("checkpoint", checkpoint), ("csv", csv), ("experiment", experiment), ("model", model)];

/// An experiment file: parsed as several kinds of document, outlined, and every message written.
pub fn experiment(bytes: &[u8]) {
    // Larger files are refused before they are parsed.
    let Ok(text) = std::str::from_utf8(&bytes[..bytes.len().min(1 << 20)]) else { return };
    let outline = Outline::new(text);
    for (path, field) in outline.settings() {
        assert!(field.span().end <= text.len());
        _ = outline.find(&path);
    }
    document::<Experiment>(text);
    document::<TopologySearch>(text);
    document::<RecipeSearch>(text);
}

fn document<D: Document + PartialEq + std::fmt::Debug>(text: &str) {
    match parse_as::<D>(text, Path::new("fuzz.ron")) {
        Ok(loaded) => {
            let written = to_text(&loaded.experiment);
            let again = parse_as::<D>(&written, Path::new("fuzz.ron")).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(again.experiment, loaded.experiment, "what is written reads back");
        }
        Err(error) => said(&error, text),
    }
}

/// A message has words, and its place lies in the text.
fn said(error: &Error, text: &str) {
    assert_ne!(error.code(), "P0001", "{error}");
    for problem in error.problems() {
        let excerpt = problem.place.as_ref().and_then(|place| place.excerpt.as_ref());
        if let Some((source, range)) = excerpt {
            assert!(source.get(range.clone()).is_some() && source.len() <= text.len());
        }
    }
    assert!(!error.to_string().is_empty());
}

/// A table: the first byte chooses the settings, the others are the file.
pub fn csv(bytes: &[u8]) {
    let Some((choice, table)) = bytes.split_first() else { return };
    let bit = |place: u8| choice >> place & 1 == 1;
    let mut csv = Csv::new("table.csv", Target::Index(Count::new(1).expect("not 0")));
    csv.header = bit(0);
    csv.delimiter = if bit(1) { ';' } else { ',' };
    csv.decimal = if bit(1) && bit(2) { ',' } else { '.' };
    csv.missing = match choice >> 3 & 3 {
        0 => Missing::Reject,
        1 => Missing::DropRows,
        2 => Missing::Impute { with: Statistic::Median },
        _ => Missing::Impute { with: Statistic::Mean },
    };
    if bit(5) {
        csv.categorical = vec![Column::Index(Count::new(2).expect("not 0"))];
    }
    let kind = if bit(7) { TargetKind::Inputs } else { learned(bit(6)) };
    loaded(&csv, &[("table.csv", table)], kind);
}

fn learned(classes: bool) -> TargetKind {
    if classes { TargetKind::Classes } else { TargetKind::Values }
}

/// Arrays: the first byte chooses the format, the others are a file of inputs, and of targets for `npz`.
pub fn arrays(bytes: &[u8]) {
    let Some((choice, file)) = bytes.split_first() else { return };
    let bit = |place: u8| choice >> place & 1 == 1;
    let kind = if bit(3) { TargetKind::Inputs } else { learned(bit(2)) };
    let (inputs, targets) = (PathBuf::from("inputs"), PathBuf::from("targets"));
    match choice & 3 {
        0 => {
            let head = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
            let mut labels = b"\x93NUMPY\x01\x00".to_vec();
            labels.extend((head.len() as u16).to_le_bytes());
            labels.extend_from_slice(head.as_bytes());
            labels.extend([0, 1]);
            loaded(&Npy { inputs, targets: Some(targets) }, &[("inputs", file), ("targets", &labels)], kind);
        }
        1 => loaded(&Npz { path: inputs, inputs: "x".into(), targets: "y".into() }, &[("inputs", file)], kind),
        _ => {
            let limit = (choice & 1 == 1).then(|| Count::new(2).expect("not 0"));
            let labels = [0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
            let idx = Idx { images: inputs, labels: (!bit(4)).then_some(targets), limit };
            loaded(&idx, &[("inputs", file), ("targets", &labels)], kind);
        }
    }
}

/// Writes the files into a folder of memory where there is one, and loads them.
fn loaded(source: &dyn Source, files: &[(&str, &[u8])], kind: TargetKind) {
    thread_local! {
        static FOLDER: tempfile::TempDir = {
            let memory = Path::new("/dev/shm");
            let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
            tempfile::tempdir_in(folder).expect("a folder for small files")
        };
    }
    let result = FOLDER.with(|folder| {
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("small files can be written");
        }
        source.load(&LoadContext { folder: folder.path(), kind })
    });
    match result {
        Ok(dataset) => sound(&dataset),
        Err(error) => assert_ne!(error.code(), "P0001", "{error}"),
    }
}

/// What every data set promises to those who train on it.
fn sound(dataset: &Dataset) {
    use precocial::task::Targets;
    assert!(dataset.rows() > 0 && dataset.features() > 0);
    assert_eq!(dataset.input_names.len(), dataset.features());
    assert!(dataset.inputs.iter().all(|x| x.is_finite() || (x.is_nan() && dataset.impute.is_some())));
    match &dataset.targets {
        Targets::Classes { labels, names } => {
            assert!(names.len() > 1 && labels.len() == dataset.rows());
            assert!(labels.iter().all(|label| (*label as usize) < names.len()));
        }
        Targets::Values { values, names } => {
            assert_eq!(values.dim(), (dataset.rows(), names.len()));
            assert!(values.iter().all(|value| value.is_finite()));
        }
        Targets::Inputs { labels, classes } => {
            assert!(labels.is_empty() == classes.is_empty() && classes.len() != 1);
            assert!(labels.is_empty() || labels.len() == dataset.rows());
            assert!(labels.iter().all(|label| (*label as usize) < classes.len()));
        }
    }
}

/// A model: the bytes as they are, and with the checksum that makes them worth reading on.
pub fn model(bytes: &[u8]) {
    read_model(bytes);
    read_model(&sealed(bytes));
}

/// A sealed file with a checksum that fits: the bytes before the first 0 are its header, the others its payload.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()).min(60_000);
    let header = String::from_utf8_lossy(&bytes[..end]);
    sealed::seal(&header, bytes.get(end + 1..).unwrap_or_default())
}

/// A checkpoint: the file, and what every kind of state makes of its payload.
pub fn checkpoint(bytes: &[u8]) {
    _ = sealed::open(bytes, Content::Checkpoint);
    let file = sealed(bytes);
    let (_, payload) = sealed::open(&file, Content::Checkpoint).unwrap_or_else(|error| panic!("{error}"));
    let read = || StateReader::new(payload);
    _ = read().take::<RunRecord>();
    _ = read().take::<Session>();
    let given = || Start::Given { mean: vec![0.0; 3], spread: vec![1.0; 3] };
    if let Ok(state) = read().take::<CmaEsState>() {
        _ = CmaEs::load(CmaEsSettings::default(), given(), state);
    }
    if let Ok(state) = read().take::<Centre>() {
        let CmaEsSettings { population, generations, sigma, fixed_scores, .. } = CmaEsSettings::default();
        let settings = EvolutionStrategySettings { population, generations, sigma, fixed_scores };
        _ = EvolutionStrategy::load(settings, given(), state);
    }
    if let Ok(state) = read().take::<WannState>() {
        let shape = Shape { inputs: 2, outputs: 1, output: Activation::Linear };
        _ = Wann::load(WannSettings::default(), shape, TargetKind::Values, state);
    }
    let mut search = CmaEs::new(CmaEsSettings::default(), given()).unwrap_or_else(|error| panic!("{error}"));
    _ = search.load_state(&mut read());
}

fn read_model(bytes: &[u8]) {
    match Model::from_bytes(bytes) {
        Ok(model) => {
            let inputs = ndarray::Array2::zeros((2, model.network.inputs()));
            let outputs = model.predict(&inputs).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(outputs.nrows(), 2);
            let written = model.to_bytes();
            let again = Model::from_bytes(&written).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(again.to_bytes(), written, "what is written reads back");
        }
        Err(error) => assert_ne!(error.code(), "P0001", "{error}"),
    }
}
