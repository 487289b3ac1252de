//! Exported models compute elsewhere what they compute here, to 1e-6 · max(1, |y|); other programs read runs and tables.

extern crate precocial;

#[path = "../src/experiment/export/fixture.rs"]
mod fixture;

use precocial::cost::Cost;
use precocial::experiment::Model;
use precocial::experiment::export::Format;
use precocial::experiment::{RunOptions, Study, Unwatched, run};
use precocial::math::Rows;
use precocial::network::{Loss, Workspace};
use precocial::rng::Streams;
use precocial::task::Supervised;
use precocial::train::{Scratch, Session, TrainContext, Training};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Numbers as text, one row a line.
fn table(rows: &ndarray::Array2<f64>) -> String {
    let line = |row: ndarray::ArrayView1<f64>| row.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    rows.rows().into_iter().map(|row| line(row) + "\n").collect()
}

#[test]
fn rust_files_compile_without_warnings_and_compute_the_same() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    if Command::new(&rustc).arg("--version").output().is_err() {
        eprintln!("skipped: there is no rustc");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let models = fixture::models();
    let (mut modules, mut calls) = (String::new(), String::new());
    for (index, model) in models.iter().enumerate() {
        let file = folder.path().join(format!("model_{index}.rs"));
        std::fs::write(file, model.export(&Format::Rust).unwrap()).unwrap();
        _ = writeln!(modules, "mod model_{index};");
        for row in fixture::rows(model).rows() {
            let row = format!("{:?}", row.to_vec()).replace("NaN", "f64::NAN");
            _ = writeln!(calls, "    println!(\"{{:?}}\", model_{index}::predict(&{row}));");
        }
    }
    let graphs = fixture::graphs();
    for (index, graph) in graphs.iter().enumerate() {
        let file = folder.path().join(format!("graph_{index}.rs"));
        std::fs::write(file, graph.export(&Format::Rust).unwrap()).unwrap();
        _ = writeln!(modules, "mod graph_{index};");
        for row in fixture::rows_for(&graph.header).rows() {
            let row = format!("{:?}", row.to_vec()).replace("NaN", "f64::NAN");
            _ = writeln!(calls, "    println!(\"{{:?}}\", graph_{index}::predict(&{row}));");
        }
    }
    let main = folder.path().join("main.rs");
    let program = folder.path().join("program");
    let text = format!("#![deny(warnings)]\n#![allow(dead_code)]\n{modules}\nfn main() {{\n{calls}}}\n");
    std::fs::write(&main, text).unwrap();
    let compiled = Command::new(rustc).args(["--edition", "2021", "-o"]).arg(&program).arg(&main).output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let output = String::from_utf8(Command::new(&program).output().unwrap().stdout).unwrap();
    let mut lines = output.lines();
    for model in &models {
        for expected in model.predict(&fixture::rows(model)).unwrap().rows() {
            let found: Vec<f64> = serde_json::from_str(lines.next().unwrap()).unwrap();
            fixture::close(&found, &expected.to_vec(), model);
        }
    }
    for graph in &graphs {
        for expected in graph.predict(&fixture::rows_for(&graph.header)).unwrap().rows() {
            let found: Vec<f64> = serde_json::from_str(lines.next().unwrap()).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{found} instead of {expected}");
            }
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn python_reads_every_format_by_its_recipe_and_computes_the_same() {
    if !Command::new("python3").args(["-c", "import numpy"]).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no python3 with numpy");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (index, model) in fixture::models().iter().enumerate() {
        let place = folder.path().join(format!("model-{index:02}"));
        std::fs::create_dir(&place).unwrap();
        let rows = fixture::rows(model);
        std::fs::write(place.join("x.txt"), table(&rows)).unwrap();
        std::fs::write(place.join("y.txt"), table(&model.predict(&rows).unwrap())).unwrap();
        for format in Format::all() {
            if let Ok(bytes) = model.export(&format) {
                std::fs::write(place.join(format!("model.{}", format.extension())), bytes).unwrap();
            }
        }
    }
    for (index, graph) in fixture::graphs().iter().enumerate() {
        let place = folder.path().join(format!("model-graph-{index}"));
        std::fs::create_dir(&place).unwrap();
        let rows = fixture::rows_for(&graph.header);
        std::fs::write(place.join("x.txt"), table(&rows)).unwrap();
        std::fs::write(place.join("y.txt"), table(&graph.predict(&rows).unwrap())).unwrap();
        std::fs::write(place.join("model.onnx"), graph.export(&Format::Onnx).unwrap()).unwrap();
    }
    for format in Format::all() {
        std::fs::write(folder.path().join(format!("{}.py", format.word())), format.recipe()).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange.py");
    let output = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// Two arms, one with a search, and two layers.
const TRACKED: &str = r#"Experiment(
    schema: 1, name: "tracked", seeds: Range(first: 1, count: 2),
    task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, validation: 0.15, test: 0.15)),
    network: Mlp(hidden: [(units: 4)]),
    train: (optimizer: Adam(learning_rate: 0.02), batch: Size(16)),
    arms: [
        (name: "glorot", method: Random(scheme: GlorotUniform)),
        (name: "ga", method: Genetic(population: 6, generations: 3, scheme: GlorotUniform)),
    ],
    budget: RowPasses(20_000),
    report: (plots: Only(["ecdf"]), formats: [TensorBoard, JsonLines]),
)"#;

#[test]
fn other_programs_read_runs_and_tables_by_the_recipes_of_the_documentation() {
    let experiment = precocial::experiment::parse(TRACKED, Path::new("tracked.ron")).unwrap().experiment;
    let study = Study::new(experiment, Path::new(".")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results/iris-ga-vs-random-1");
    let options = RunOptions { out: Some(place.clone()), threads: 1, ..RunOptions::default() };
    let run = run(&study, &options, &Unwatched).unwrap();
    precocial::report::write(&run.folder, &(&study.experiment.report).into()).unwrap();
    // The same folder gives the same bytes.
    let events = place.join("tensorboard/ga/seed-2/events.out.tfevents.0.precocial");
    let first = std::fs::read(&events).unwrap();
    precocial::report::write(&run.folder, &(&study.experiment.report).into()).unwrap();
    assert!(std::fs::read(&events).unwrap() == first && first.len() > 1000);
    let is_there = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: there is no python3");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recipes = root.join("results/tables.md");
    let mut command = Command::new("python3");
    command.current_dir(folder.path()).arg(root.join("tests/tracking.py")).arg(&place).arg(recipes);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// Losses of a model on rows, before and after one step of gradient descent, by this program.
fn losses(model: &Model, rate: f64) -> (Rows, [f64; 2]) {
    let (network, table) = (&model.network, fixture::rows(model));
    let blank = precocial::task::pack_inputs(&table, &model.header.input_scaler, network.outputs());
    let rows = Rows::filled(blank.count(), blank.features(), blank.outputs(), |row, x, t| {
        x.copy_from_slice(blank.input(row));
        let class = row % t.len();
        for (output, t) in t.iter_mut().enumerate() {
            *t = match model.header.classification {
                true => f32::from(u8::from(output == class)),
                false => (row as f32 * 0.37 + output as f32).rem_euclid(2.0) - 1.0,
            };
        }
    });
    let supervised = Supervised { training: rows, validation: None };
    let training: Training = ron::from_str(&format!("(optimizer: Sgd((learning_rate: {rate})))")).unwrap();
    let context = TrainContext { network, supervised: &supervised, training: &training, streams: Streams::new(1) };
    let mut session = Session::new(&model.params, &training);
    let before = network.loss(&session.params, &supervised.training, &mut Workspace::new());
    session.step(&context, &mut Scratch::default(), &mut Cost::default());
    let after = network.loss(&session.params, &supervised.training, &mut Workspace::new());
    (supervised.training, [before, after])
}

/// What is saved here goes on in PyTorch from the same loss, to 1e-6 of it, and so does what one step makes of it.
#[test]
fn training_goes_on_in_pytorch_from_the_same_loss() {
    let has = Command::new("python3").args(["-c", "import torch, safetensors"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no python3 with torch and safetensors");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let known = ["Linear", "Logistic", "Tanh", "Relu", "LeakyRelu", "Gelu", "Silu", "Softplus"];
    let mut count = 0;
    for (index, model) in fixture::models().iter().enumerate() {
        let layers = model.description().layers;
        let softmax = model.header.loss == Loss::CrossEntropy && model.network.outputs() > 1;
        let squared = model.header.loss == Loss::MeanSquared;
        let hidden = &layers[..layers.len() - 1];
        if !(softmax || squared) || hidden.iter().any(|layer| !known.contains(&layer.function.name().as_str())) {
            continue;
        }
        count += 1;
        let place = folder.path().join(format!("model-{index:02}"));
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("model.safetensors"), model.export(&Format::Safetensors).unwrap()).unwrap();
        let (rows, losses) = losses(model, 0.05);
        let list = |of: &dyn Fn(usize) -> Vec<f32>| (0..rows.count()).map(of).collect::<Vec<_>>();
        let told = serde_json::json!({
            "x": list(&|row| rows.input(row).to_vec()), "t": list(&|row| rows.target(row).to_vec()),
            "softmax": softmax, "rate": 0.05, "losses": losses,
        });
        std::fs::write(place.join("training.json"), told.to_string()).unwrap();
    }
    assert!(count >= 8, "{count} models");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/continue_training.py");
    let output = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
