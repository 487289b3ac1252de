//! A small run for tests.

use super::{AnalyzeOptions, WeightAnalysis, analyze};
use crate::experiment::{Folder, RunOptions, Study, Unwatched, parse, run};
use std::path::Path;
use std::sync::OnceLock;

const TINY: &str = r#"Experiment(
    schema: 1, name: "tiny", seeds: Range(first: 4, count: 2),
    task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, validation: 0.15, test: 0.15)),
    network: Mlp(hidden: [(units: 4, activation: Tanh), (units: 3, activation: Logistic)]),
    train: (optimizer: Adam(learning_rate: 0.02), batch: Size(16)),
    arms: [
        (name: "random", method: Random(scheme: GlorotUniform)),
        (name: "ga", method: Genetic(population: 6, generations: 4, scheme: GlorotUniform)),
    ],
    budget: RowPasses(30_000),
)"#;

/// Two arms from one start.
const WAYS: &str = r#"Experiment(
    schema: 1, name: "ways", seeds: List([4]),
    task: Classification(data: Xor, split: Random(train: 1.0)),
    network: Mlp(hidden: [(units: 2)]),
    train: (optimizer: Sgd(learning_rate: 0.5)),
    arms: [
        (name: "sgd", method: Random(scheme: GlorotUniform)),
        (name: "momentum", method: Random(scheme: GlorotUniform), train: (optimizer: Momentum(learning_rate: 0.1))),
        (name: "other", method: Random(scheme: HeUniform())),
    ],
    budget: TrainingPasses(90),
)"#;

/// The tiny experiment, run into a folder of its own within `parent`.
pub(crate) fn folder(parent: &Path) -> Folder {
    folder_of(TINY, parent)
}

fn folder_of(text: &str, parent: &Path) -> Folder {
    let experiment = parse(text, Path::new("tiny.ron")).unwrap().experiment;
    let study = Study::new(experiment, Path::new(".")).unwrap();
    let options = RunOptions { out: Some(parent.join("tiny")), threads: 1, ..RunOptions::default() };
    run(&study, &options, &Unwatched).unwrap().folder
}

/// The analysis of arms that begin from one start.
pub(crate) fn ways() -> WeightAnalysis {
    let place = tempfile::tempdir().unwrap();
    analyze(&folder_of(WAYS, place.path()), &AnalyzeOptions { threads: 1, ..AnalyzeOptions::default() }).unwrap()
}

/// Its analysis, made once.
pub(crate) fn analysis() -> WeightAnalysis {
    static ANALYSIS: OnceLock<WeightAnalysis> = OnceLock::new();
    let make = || {
        let place = tempfile::tempdir().unwrap();
        analyze(&folder(place.path()), &AnalyzeOptions { threads: 2, ..AnalyzeOptions::default() }).unwrap()
    };
    ANALYSIS.get_or_init(make).clone()
}
