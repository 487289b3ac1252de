//! The command line from outside: verbs, options, exit codes, streams.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

/// A run of some hundredths of a second.
const TINY: &str = r#"Experiment(
    schema: 1,
    name: "tiny",
    seeds: Range(first: 1, count: 2),
    task: Classification(data: Builtin("iris"), split: Stratified(train: 0.70, validation: 0.15, test: 0.15)),
    network: Mlp(hidden: [(units: 4)]),
    train: (optimizer: Adam(learning_rate: 0.01), batch: Size(16)),
    arms: [
        (name: "random", method: Random(scheme: GlorotUniform)),
        (name: "ga", method: Genetic(population: 6, generations: 3, scheme: GlorotUniform)),
    ],
    budget: RowPasses(20_000),
    statistics: (targets: [0.9]),
)
"#;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tiny.ron"), TINY).unwrap();
        Place { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("precocial").unwrap();
        let output = command.current_dir(self.folder.path()).args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    /// Stdout of a call that ends well.
    fn good(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.call(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        stdout
    }

    /// Stderr of a call that ends with `code`.
    fn bad(&self, code: i32, arguments: &[&str]) -> String {
        let (found, stdout, stderr) = self.call(arguments);
        assert_eq!(found, code, "{arguments:?}: {stdout}{stderr}");
        stderr
    }

    fn table(&self, run: &str) -> String {
        std::fs::read_to_string(self.path(run).join("results.csv")).unwrap()
    }
}

/// A column of a table.
fn column(table: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let place = reader.headers().unwrap().iter().position(|column| column == name).unwrap();
    reader.records().map(|record| record.unwrap()[place].to_owned()).collect()
}

#[test]
fn the_first_five_minutes() {
    let place = Place::new();
    let overview = place.good(&[]);
    assert_eq!(overview.lines().count(), 12, "{overview}");
    assert!(place.good(&["new", "iris"]).contains("precocial run iris.ron"));
    assert!(place.good(&["check", "iris.ron"]).contains("3 arms x 20 seeds"));
    let (code, stdout, stderr) = place.call(&["run", "tiny.ron"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("2 arms x 2 seeds") && stderr.contains("peak memory"), "{stderr}");
    assert!(stdout.contains("results/tiny-1") && stdout.contains("random"), "{stdout}");
    // The copy in the result folder repeats the run, bit for bit.
    place.good(&["-q", "run", "results/tiny-1/experiment.ron", "--out", "again", "--threads", "1"]);
    let hashes = |run: &str| column(&place.table(run), "weights_hash");
    assert_eq!(hashes("results/tiny-1"), hashes("again"));
    place.good(&["-q", "run", "results/tiny-1/experiment.resolved.ron", "--out", "resolved"]);
    assert_eq!(hashes("resolved"), hashes("again"));
    assert!(place.good(&["report", "results/tiny-1"]).contains("ga"));
    assert!(place.good(&["compare", "results/tiny-1", "again"]).contains("again"));
}

#[test]
fn weights_are_looked_into() {
    let place = Place::new();
    place.good(&["-q", "run", "tiny.ron", "--out", "a", "--no-report"]);
    let before = place.table("a");
    let told = place.good(&["analyze", "a", "--seed", "2", "--threads", "1"]);
    assert!(told.contains("random and ga: ") && told.contains("a/analysis/analysis.html"), "{told}");
    for name in ["analysis.html", "analysis.md", "pruning.csv", "plots/landscape.svg", "plots/path.csv"] {
        assert!(place.path("a/analysis").join(name).is_file(), "{name}");
    }
    assert_eq!(place.table("a"), before);
    place.good(&["verify", "a", "--seeds", "1"]);
    assert!(place.bad(2, &["analyze", "a", "--arms", "gaa"]).contains("did you mean `ga`?"));
    assert!(place.bad(2, &["analyze", "a", "--seed", "3"]).contains("seeds are 1, 2"));
    assert!(place.bad(3, &["analyze", "."]).contains("P0305"));
    std::fs::remove_file(place.path("a/models/ga-s1-end.pcl")).unwrap();
    assert!(place.bad(3, &["analyze", "a"]).contains("lacks the model ga-s1-end.pcl"));
}

#[test]
fn models_are_looked_into() {
    let place = Place::new();
    place.good(&["-q", "run", "tiny.ron", "--out", "a", "--no-report"]);
    let model = "a/models/ga-s1-end.pcl";
    let told = place.good(&["analyze", model, "--format", "md,svg"]);
    assert!(told.contains("Layer 1: 16 weights, mean") && told.contains("smallest"), "{told}");
    let folder = place.path("a/models/ga-s1-end-analysis");
    for name in ["analysis.md", "moments.csv", "pruning.csv", "plots/pruning.svg", "plots/singular-values.svg"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    assert!(!folder.join("pairs.csv").exists());
    std::fs::copy(place.path(model), place.path("net.pcl")).unwrap();
    assert!(!place.good(&["analyze", "net.pcl"]).contains("smallest"), "no rows, no pruning");
    let iris = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/data/iris.csv");
    let iris = iris.to_str().unwrap();
    assert!(place.good(&["analyze", "net.pcl", "--data", iris, "--target", "species"]).contains("smallest"));
    assert!(place.path("net-analysis/pruning.csv").is_file());
    assert!(place.bad(2, &["analyze", "net.pcl", "--data", iris]).contains("--target COLUMN"));
    assert!(place.bad(3, &["analyze", "net.pcl", "--data", iris, "--target", "kind"]).contains("columns are"));
    let text = std::fs::read_to_string(iris).unwrap().replace("virginica", "rosea");
    std::fs::write(place.path("other.csv"), text).unwrap();
    let refused = place.bad(3, &["analyze", "net.pcl", "--data", "other.csv", "--target", "species"]);
    assert!(refused.contains("\"rosea\"") && refused.contains("one of setosa"), "{refused}");
    assert!(place.bad(2, &["analyze", "net.pcl", "--seed", "1"]).contains("one model"));
    assert!(place.bad(2, &["analyze", "a", "--data", iris]).contains("a run has its own"));
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::new();
    place.good(&["new", "iris"]);
    assert!(place.bad(4, &["new", "iris"]).contains("P0503"));
    place.good(&["new", "iris", "-o", "other.ron"]);
    place.good(&["-q", "run", "tiny.ron", "--out", "here"]);
    let before = place.table("here");
    assert!(place.bad(4, &["run", "tiny.ron", "--out", "here"]).contains("--replace"));
    assert_eq!(place.table("here"), before);
    place.good(&["-q", "run", "tiny.ron", "--out", "here", "--replace", "--seeds", "5"]);
    assert_eq!(place.table("here.old-1"), before);
    assert_eq!(column(&place.table("here"), "seed"), ["5", "5"]);
}

#[test]
fn settings_change_from_outside() {
    let place = Place::new();
    place.good(&[
        "-q",
        "run",
        "tiny.ron",
        "--out",
        "a",
        "--seeds",
        "3..4",
        "--set",
        "arms[1].method.population=4",
        "--set",
        "arms[1].name=evolved",
        "--set",
        "statistics.baseline=evolved",
    ]);
    assert_eq!(column(&place.table("a"), "seed"), ["3", "4", "3", "4"]);
    assert_eq!(column(&place.table("a"), "arm"), ["random", "random", "evolved", "evolved"]);
    let written = std::fs::read_to_string(place.path("a").join("experiment.ron")).unwrap();
    assert!(
        written.contains("population: 4,") && written.contains("baseline: \"evolved\""),
        "the file repeats the changed run"
    );
    assert_eq!(std::fs::read_to_string(place.path("tiny.ron")).unwrap(), TINY);
    place.good(&[
        "-q",
        "run",
        "tiny.ron",
        "--out",
        "b",
        "--set",
        "train.optimizer=Sgd(learning_rate: 0.1)",
        "--set",
        "budget[0]=9_000",
        "--no-report",
    ]);
    assert!(place.bad(2, &["check", "tiny.ron", "--set", "arms[1].method.sizes=4"]).contains("fields: population"));
}

#[test]
fn exit_codes_tell_what_failed() {
    let place = Place::new();
    std::fs::write(place.path("bad.ron"), TINY.replace("units: 4", "units: 0")).unwrap();
    let missing = TINY.replace("Builtin(\"iris\")", "Csv(path: \"none.csv\", target: Name(\"y\"))");
    std::fs::write(place.path("missing.ron"), missing).unwrap();
    place.bad(2, &["run", "bad.ron"]);
    place.bad(2, &["run", "nowhere.ron"]);
    place.bad(3, &["run", "missing.ron"]);
    place.bad(3, &["report", "."]);
    let stderr = place.bad(5, &["run", "tiny.ron", "--memory-limit", "1MB"]);
    assert!(stderr.contains("P0140") && stderr.contains("genomes x") && stderr.contains("tiny.ron:10:"), "{stderr}");
    place.bad(2, &["run"]);
    place.bad(2, &["check", "tiny.ron", "--memory-limit", "much"]);
    assert!(!place.path("results").exists(), "what is refused leaves nothing behind");
    let both = place.bad(2, &["check", "tiny.ron", "bad.ron", "nowhere.ron"]);
    assert!(both.contains("P0121") && both.contains("P0501") && both.contains("2 errors"), "{both}");
}

#[test]
fn an_instruction_set_that_is_not_there_is_not_passed_over() {
    let call = |wanted: &str| {
        Command::new(env!("CARGO_BIN_EXE_precocial")).arg("schema").env("PRECOCIAL_ISA", wanted).output().unwrap()
    };
    assert!(call("").status.success() && call("scalar").status.success());
    let refused = call("sse9");
    let message = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(message.contains("PRECOCIAL_ISA=sse9") && message.contains("it has scalar"), "{message}");
}

#[test]
fn dry_runs_and_checks_write_nothing() {
    let place = Place::new();
    let dry = place.good(&["run", "tiny.ron", "--dry-run"]);
    assert!(dry.contains("data      iris: 150 rows (105 train, 23 validate, 22 test), 4 inputs, 3 classes"), "{dry}");
    assert!(dry.contains("network   35 parameters, 28 multiply-adds a row"), "{dry}");
    assert!(dry.contains("searches with at most 1 470 row-passes, 7% of its budget"), "{dry}");
    place.good(&["check", "tiny.ron"]);
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 1);
}

#[test]
fn guesses_are_answered() {
    let place = Place::new();
    let (code, _, stderr) = place.call(&["tiny.ron", "--dry-run"]);
    assert!(code == 0 && stderr.contains("short for `precocial run tiny.ron`"), "{stderr}");
    for (words, answer) in [
        (&["train", "tiny.ron"][..], "precocial run tiny.ron"),
        (&["plot", "results/x"], "precocial report results/x"),
        (&["init"], "precocial new iris"),
        (&["validate", "tiny.ron"], "precocial check tiny.ron"),
        (&["list"], "precocial schema"),
        (&["--seed", "7"], "--seeds 7"),
        (&["run", "tiny.ron", "--seed=7"], "--seeds 7"),
    ] {
        let stderr = place.bad(2, words);
        assert!(stderr.contains(answer), "{words:?}: {stderr}");
    }
}

#[test]
fn programs_get_one_object_a_line() {
    let place = Place::new();
    let (code, stdout, stderr) = place.call(&["--json", "run", "tiny.ron"]);
    assert!(code == 0 && stderr.is_empty(), "{stderr}");
    let objects: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |event: &str| objects.iter().filter(|object| object["event"] == event).count();
    assert_eq!((count("started"), count("finished"), count("summary")), (4, 4, 1));
    assert_eq!(objects.last().unwrap()["manifest"]["state"], "complete");
    let (code, stdout, _) = place.call(&["--json", "check", "nowhere.ron"]);
    let error: serde_json::Value = serde_json::from_str(stdout.trim()).unwrap();
    assert_eq!((code, &error["event"], &error["problems"][0]["code"]), (2, &"error".into(), &"P0501".into()));
}

#[test]
fn colours_and_silence() {
    let place = Place::new();
    assert!(!place.bad(2, &["check", "none.ron"]).contains('\u{1b}'));
    assert!(place.bad(2, &["check", "none.ron", "--color", "always"]).contains('\u{1b}'));
    let (_, _, stderr) = place.call(&["-q", "run", "tiny.ron"]);
    assert!(stderr.is_empty(), "{stderr}");
}

#[test]
fn models_predict_rows_of_a_table() {
    let place = Place::new();
    place.good(&["-q", "run", "tiny.ron", "--out", "r", "--set", "budget=RowPasses(200_000)"]);
    let model = "r/models/random-s1-end.pcl";
    let iris = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/data/iris.csv");
    let text = std::fs::read_to_string(&iris).unwrap();
    let all = place.good(&["predict", model, iris.to_str().unwrap()]);
    let (classes, truth) = (column(&all, "class"), column(&text, "species"));
    let right = classes.iter().zip(&truth).filter(|(a, b)| a == b).count();
    assert!(classes.len() == 150 && right > 130, "{right} of 150");
    let share = |name: &str| column(&all, name)[0].parse::<f64>().unwrap();
    let sum: f64 =
        ["setosa", "versicolor", "virginica"].map(|class| share(&format!("probability_{class}"))).iter().sum();
    assert!((sum - 1.0).abs() < 1e-5);
    // Columns in another order, with one that nobody asked for.
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut other = csv::Writer::from_writer(Vec::new());
    let turned = |record: &csv::StringRecord| record.iter().rev().map(str::to_owned).collect::<Vec<_>>();
    let header = reader.headers().unwrap().clone();
    other.write_record(turned(&header)).unwrap();
    reader.records().take(5).for_each(|record| other.write_record(turned(&record.unwrap())).unwrap());
    std::fs::write(place.path("turned.csv"), other.into_inner().unwrap()).unwrap();
    place.good(&["predict", model, "turned.csv", "-o", "out.csv"]);
    let turned = std::fs::read_to_string(place.path("out.csv")).unwrap();
    assert_eq!(turned.lines().collect::<Vec<_>>(), all.lines().take(6).collect::<Vec<_>>());

    let refused = |table: &str, code: &str| {
        std::fs::write(place.path("t.csv"), table).unwrap();
        let stderr = place.bad(3, &["predict", model, "t.csv"]);
        assert!(stderr.contains(code), "{stderr}");
        stderr
    };
    let names: Vec<&str> = header.iter().take(4).collect();
    assert!(refused("a,b\n1,2\n", "P0207").contains(names[0]));
    assert!(refused(&format!("{}\n1;2;3;4\n", names.join(";")), "P0207").contains("--delimiter ';'"));
    refused(&format!("{}\n1,2,,4\n", names.join(",")), "P0204");
    refused(&format!("{}\n1,2,x,4\n", names.join(",")), "P0203");
    refused(&format!("{}\n1,2,3\n", names.join(",")), "P0201");
    assert!(place.bad(3, &["predict", "tiny.ron", "turned.csv"]).contains("P0301"));
}

#[test]
fn models_are_exported_and_nothing_is_overwritten() {
    let place = Place::new();
    place.good(&["-q", "run", "tiny.ron", "--out", "r"]);
    let model = "r/models/ga-s1-end.pcl";
    for (format, file) in [
        ("safetensors", "ga-s1-end.safetensors"),
        ("npz", "ga-s1-end.npz"),
        ("json", "ga-s1-end.json"),
        ("onnx", "ga-s1-end.onnx"),
        ("keras", "ga-s1-end.keras.npz"),
        ("dot", "ga-s1-end.dot"),
        ("rust", "ga-s1-end.rs"),
    ] {
        assert!(place.good(&["export", model, "--to", format]).contains(file));
        let before = std::fs::read(place.path(file)).unwrap();
        assert!(!before.is_empty());
        std::fs::write(place.path(file), "mine").unwrap();
        assert!(place.bad(4, &["export", model, "--to", format]).contains("P0503"));
        assert_eq!(std::fs::read(place.path(file)).unwrap(), b"mine");
        place.good(&["export", model, "--to", format, "-o", &format!("other-{format}")]);
        assert_eq!(std::fs::read(place.path(&format!("other-{format}"))).unwrap(), before);
    }
    let guess = place.bad(2, &["export", model, "--to", "onx"]);
    assert!(guess.contains("onnx") && guess.contains("similar"), "{guess}");
    assert!(place.bad(3, &["export", "tiny.ron", "--to", "json", "-o", "t.json"]).contains("P0301"));
    assert!(!place.path("t.json").exists(), "nothing is written where nothing was read");
    place.good(&["-q", "run", "tiny.ron", "--out", "s", "--set", "network.hidden[0].activation=Sin"]);
    let refused = place.bad(3, &["export", "s/models/ga-s1-end.pcl", "--to", "keras", "-o", "sin.npz"]);
    assert!(refused.contains("P0311") && refused.contains("this model goes into safetensors, npz"), "{refused}");
    assert!(place.good(&["export", "--help"]).contains("session.run"));
}

#[test]
fn models_come_back_from_other_formats() {
    let place = Place::new();
    place.good(&["-q", "run", "tiny.ron", "--out", "r"]);
    let model = "r/models/ga-s1-end.pcl";
    let iris = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/data/iris.csv");
    let iris = iris.to_str().unwrap();
    let all = place.good(&["predict", model, iris]);
    for format in ["safetensors", "npz", "json", "onnx", "keras"] {
        let (file, back) = (format!("model-{format}"), format!("{format}.pcl"));
        place.good(&["export", model, "--to", format, "-o", &file]);
        assert_eq!(place.good(&["predict", &file, iris]), all, "{format}");
        let said = place.good(&["import", &file, "-o", &back]);
        assert!(said.contains("4 inputs, 4 Tanh, 3 Softmax, 35 weights and thresholds"), "{said}");
        assert_eq!(std::fs::read(place.path(&back)).unwrap(), std::fs::read(place.path(model)).unwrap(), "{format}");
        assert!(place.bad(4, &["import", &file, "-o", &back]).contains("P0503"));
    }
    place.good(&["export", "model-onnx", "--to", "json", "-o", "again.json"]);
    assert_eq!(std::fs::read(place.path("again.json")).unwrap(), std::fs::read(place.path("model-json")).unwrap());
    // Weights alone.
    std::fs::write(place.path("bare.json"), "{\"layers\": [{\"weights\": [[1, 2]]}, {\"weights\": [[3], [4]]}]}")
        .unwrap();
    let refused = place.bad(3, &["import", "bare.json"]);
    assert!(refused.contains("P0312") && refused.contains("--hidden tanh"), "{refused}");
    assert!(
        place.bad(3, &["predict", "bare.json", iris]).contains("precocial import") && !place.path("bare.pcl").exists()
    );
    assert!(place.bad(2, &["import", "bare.json", "--hidden", "tahn"]).contains("known are linear, step"));
    place.good(&[
        "import",
        "bare.json",
        "--hidden",
        "relu",
        "--output",
        "softmax",
        "--classes",
        "no,yes",
        "--inputs",
        "a,b",
    ]);
    std::fs::write(place.path("rows.csv"), "b,a\n1,1\n-1,-1\n").unwrap();
    let predicted = place.good(&["predict", "bare.pcl", "rows.csv"]);
    assert_eq!(column(&predicted, "class"), ["yes", "no"]);
    assert_eq!(column(&predicted, "probability_no")[1], "0.5");
    assert!(place.bad(3, &["import", "bare.json", "--like", model, "-o", "x.pcl"]).contains("P0313"));
}

#[test]
fn schema_explain_and_completions_print() {
    let place = Place::new();
    let schema = place.good(&["schema"]);
    use precocial::evolve::{Crossover, Mutation, Selection};
    use precocial::{experiment::arm::Method, task::Data, train::Initializer, train::Optimizer};
    let families = [
        Method::CATALOGUE,
        Data::CATALOGUE,
        Initializer::CATALOGUE,
        Optimizer::CATALOGUE,
        Selection::CATALOGUE,
        Crossover::CATALOGUE,
        Mutation::CATALOGUE,
    ];
    for name in families.concat() {
        assert!(schema.lines().any(|line| line.trim().split('(').next() == Some(name)), "{name}");
    }
    assert!(place.good(&["schema", "population"]).contains("whole number, at least 1"));
    assert!(place.good(&["explain", "p0107"]).contains("set twice"));
    assert!(place.good(&["explain"]).lines().count() > 30);
    place.bad(2, &["explain", "P9999"]);
    assert!(place.good(&["completions", "bash"]).contains("precocial"));
}

#[test]
fn templates_are_valid_and_quick() {
    let place = Place::new();
    for template in ["iris", "xor", "spirals", "function-fit"] {
        let file = format!("{template}.ron");
        place.good(&["new", template, "-o", &file]);
        place.good(&["-q", "run", &file, "--seeds", "1..2", "--out", template]);
    }
    for template in ["wann-swingup", "wann-digits"] {
        place.good(&["new", template]);
        let file = format!("{}.ron", template.replace('-', "_"));
        assert!(place.good(&["check", &file]).contains("64 networks x 128 generations x 2 seeds"));
        let few = ["--set", "search.generations=3", "--set", "search.population=6", "--set", "after.starts=4"];
        let fewer = ["--set", "after.sweep.points=3", "--set", "after.random_draws=2", "--set", "after.tuning=Skip"];
        let run = ["-q", "run", &file, "--seeds", "7", "--out", template];
        let shown = place.good(&[&run[..], &few, &fewer].concat());
        assert!(shown.contains("mean over weights") && shown.contains("repeat"), "{shown}");
        assert_eq!(column(&place.table(template), "kind")[..2], ["in_sample_mean", "in_sample_peak"]);
    }
    place.good(&["new", "autoencoder"]);
    let few = ["--seeds", "1", "--set", "budget=TrainingPasses(6)", "--out", "autoencoder"];
    let shown = place.good(&[&["run", "autoencoder.ron"], &few[..]].concat());
    assert!(shown.contains("explained"), "{shown}");
    let pixels = place.path("autoencoder/plots/reconstruction.csv");
    assert_eq!(std::fs::read_to_string(pixels).unwrap().lines().count(), 1 + 4 * 12 * 64);
    place.good(&["new", "suite"]);
    assert!(place.good(&["check", "suite.ron"]).contains("3 tasks x 4 arms x 10 + 10 + 20 seeds"));
    let few = ["--set", "pilot.passes=[30, 100]", "--set", "budget=TrainingPasses(200)", "--set", "bootstrap=99"];
    let shown = place.good(&[&["-q", "run", "suite.ron", "--seeds", "1..3", "--out", "suite"], &few[..]].concat());
    assert!(shown.contains("graft needs") && shown.contains("best of 3 controls"), "{shown}");
    assert!(place.good(&["status", "suite"]).contains("complete"));
    assert!(place.good(&["report", "suite"]).contains("graft needs"));
    assert!(place.good(&["verify", "suite", "--seeds", "2"]).contains("the same bits"));
    assert!(place.bad(2, &["resume", "suite", "--seeds", "9"]).contains("written down before"));
    place.good(&["new", "csv"]);
    assert!(place.bad(3, &["check", "csv.ron"]).contains("table.csv does not exist"));
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/data/iris.csv"), place.path("table.csv"))
        .unwrap();
    place.good(&["check", "csv.ron", "--set", "task.data.target=Name(\"species\")"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let place = Place::new();
    let program = assert_cmd::cargo::cargo_bin("precocial");
    let script = format!("set -o pipefail; {} schema | head -1", program.display());
    let output =
        std::process::Command::new("bash").arg("-c").arg(script).current_dir(place.folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_training_can_be_followed_without_changing_it() {
    let place = Place::new();
    place.good(&["run", "tiny.ron", "--out", "alone", "--no-report"]);
    let (code, _, said) = place.call(&["run", "tiny.ron", "--out", "followed", "--no-report", "--follow", "random:2"]);
    assert_eq!(code, 0, "{said}");
    let head = said.lines().position(|line| line.contains("epoch") && line.contains("performance")).unwrap();
    let first: Vec<&str> = said.lines().nth(head + 1).unwrap().split_whitespace().collect();
    // Epoch, time and its unit, performance, gradient; Adam has no damping, and nobody counts checks.
    assert_eq!((first.len(), first[2], &first[5..]), (7, "s", &["–", "–"][..]), "{said}");
    let hashes = |run: &str| column(&place.table(run), "weights_hash");
    assert_eq!(hashes("alone"), hashes("followed"));
    let told = place.good(&["run", "tiny.ron", "--out", "told", "--no-report", "--follow", "ga", "--json"]);
    let steps = told.lines().filter(|line| line.contains("\"event\":\"step\"")).count();
    assert!(steps > 3 && told.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    for wrong in ["gaa", "ga:9", "ga:x"] {
        assert!(place.bad(2, &["run", "tiny.ron", "--follow", wrong]).contains("P0109"), "{wrong}");
    }
    assert!(!place.path("results").exists());
}

/// A search of a second whose networks are looked at from outside.
#[test]
fn networks_of_searches_predict_and_are_exported() {
    let place = Place::new();
    let text = r#"TopologySearch(
        schema: 1, name: "found", seeds: List([1]),
        task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, test: 0.3)),
        search: (population: 8, generations: 3), after: (random_draws: 2),
    )"#;
    std::fs::write(place.path("found.ron"), text).unwrap();
    place.good(&["run", "found.ron", "--out", "found", "--no-report"]);
    let network = place.path("found").join("networks/found-s1.json");
    let network = network.to_str().unwrap();
    let found: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(network).unwrap()).unwrap();
    let inputs: Vec<&str> = found["inputs"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let header = inputs.join(",");
    std::fs::write(place.path("rows.csv"), format!("{header}\n5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5\n")).unwrap();
    let told = place.good(&["predict", network, "rows.csv"]);
    assert_eq!((told.lines().count(), &told[..6]), (3, "class,"), "{told}");
    for to in ["onnx", "dot", "rust", "json"] {
        place.good(&["export", network, "--to", to]);
    }
    assert!(place.bad(3, &["export", network, "--to", "keras"]).contains("P0311"));
    assert!(std::fs::read_to_string(place.path("found-s1.rs")).unwrap().contains("pub fn predict"));
}
