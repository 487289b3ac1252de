//! What users see when an experiment file or a table is wrong: one snapshot of all messages.

use std::path::Path;
use std::process::Command;

const TEXT: &str = include_str!("messages/iris.ron");

/// What was changed in the experiment: a name, the text to replace, and the text instead.
const SLIPS: &[(&str, &str, &str)] = &[
    ("1. field typo", "population: 40", "populaton: 40"),
    ("2. enum typo", "Standardize,", "Standardise,"),
    ("3. enum in lower case", "activation: Tanh", "activation: tanh"),
    ("4. missing field", "            generations: 25,\n", ""),
    ("5. text instead of number", "population: 40", "population: \"40\""),
    ("6. float instead of integer", "population: 40", "population: 4e1"),
    ("7. negative count", "population: 40", "population: -40"),
    ("8. rate above 1", "rate: 0.1,", "rate: 10,"),
    ("9. not a finite number", "sigma: 0.15", "sigma: NaN"),
    ("10. decimal comma", "sigma: 0.15", "sigma: 0,15"),
    ("11. percent sign", "train: 0.70", "train: 70%"),
    ("12. missing comma", "Uniform(rate: 0.7),", "Uniform(rate: 0.7)"),
    ("13. unclosed bracket", "    ),\n)", "    ),\n"),
    ("14. duplicate field", "generations: 25,", "generations: 25,\n            population: 50,"),
    ("15. field in the wrong place", "elitism: 2,", "elitism: 2,\n            learning_rate: 0.1,"),
    ("17. Windows path", "Builtin(\"iris\")", "Csv(path: \"C:\\data\\iris.csv\", target: Name(\"species\"))"),
    ("18. split does not sum to 1", "train: 0.70", "train: 0.80"),
    ("19. wrong reference", "baseline: \"glorot\"", "baseline: \"glorott\""),
    ("20. impossible plan", "2_000_000", "500_000"),
    ("21. too big for memory", "population: 40", "population: 1_000_000_000"),
    ("another name for a field", "population: 40", "pop_size: 40"),
    ("a setting that is written elsewhere", "elitism: 2,", "mutation_rate: 0.1,"),
    ("a setting of the top", "elitism: 2,", "baseline: \"ga\","),
    ("no such field anywhere", "elitism: 2,", "wibble: 2,"),
    ("another name for a choice", "GlorotUniform, // how", "Xavier, // how"),
    ("a number where a choice is wanted", "batch: Size(16)", "batch: 16"),
    ("a number for seeds", "Range(first: 1, count: 30)", "30"),
    ("a choice without its brackets", "Adam(learning_rate: 0.01)", "Adam"),
    ("a choice with brackets too many", "GlorotUniform, // how", "GlorotUniform(), // how"),
    ("a choice in quotes", "scaling: Standardize", "scaling: \"Standardize\""),
    ("a fraction of units", "units: 8", "units: 8.5"),
    ("layers as numbers", "[(units: 8, activation: Tanh)]", "[8]"),
    ("a name with a blank", "name: \"ga\"", "name: \"GA one\""),
    ("a name in single quotes", "name: \"ga\"", "name: 'ga'"),
    ("a data set with a typing error", "Builtin(\"iris\")", "Builtin(\"irsi\")"),
    ("an equals sign", "elitism: 2", "elitism = 2"),
    ("no value", "population: 40", "population:"),
    ("a text without an end", "name: \"iris-ga-vs-random\"", "name: \"iris-ga-vs-random"),
    ("the wrong bracket", "batch: Size(16))", "batch: Size(16)]"),
    ("a bracket missing within", "inheritance: Baldwin)", "inheritance: Baldwin"),
    ("a bracket too many", "elitism: 2,", "elitism: 2)),"),
    ("a number alone", "targets: [0.3, 0.1, 0.05]", "targets: 0.3"),
    ("a negative whole number", "elitism: 2", "elitism: -2"),
    ("a huge number", "population: 40", "population: 40000000000000000000000"),
    ("another name for the whole", "Experiment(", "Experimnt("),
    ("no version", "    schema: 1,\n", ""),
    ("another version", "schema: 1", "schema: 2"),
    ("two arms of one name", "name: \"best-of-n\"", "name: \"ga\""),
    (
        "arms in a circle",
        "(name: \"glorot\", method: Random(scheme: GlorotUniform))",
        "(name: \"glorot\", method: Drift(of: \"glorot\"))",
    ),
    ("a reference within an arm", "FillBudgetOf(\"ga\")", "FillBudgetOf(\"gaa\")"),
    ("a seed twice", "Range(first: 1, count: 30)", "List([1, 2, 1])"),
    ("no seeds", "Range(first: 1, count: 30)", "List([])"),
    ("loss and output", "output: Softmax", "output: Linear"),
    ("units without gradient", "activation: Tanh", "activation: Step"),
    ("an arm that needs all rows", "method: Random(scheme: GlorotUniform)", "method: Graft()"),
    ("a population of one", "population: 40", "population: 1"),
    ("a table that is missing", "Builtin(\"iris\")", "Csv(path: \"nowhere.csv\", target: Name(\"species\"))"),
    ("an arm that refers to another network", "(name: \"ga\", ", "(name: \"ga\", network: Mlp(hidden: []), "),
    (
        "an arm that refers to another training",
        "(name: \"ga\", ",
        "(name: \"ga\", train: (optimizer: Sgd(learning_rate: 1)), ",
    ),
    (
        "an arm's network with another output",
        "(name: \"glorot\", ",
        "(name: \"glorot\", network: Mlp(hidden: [], output: Logistic), ",
    ),
    (
        "an arm's network that its start was not made for",
        "(name: \"glorot\", method: Random(scheme: GlorotUniform)",
        "(name: \"glorot\", network: Mlp(hidden: [(units: 4, activation: Gelu)]), method: Random(scheme: Recipe(Simple))",
    ),
    (
        "an arm's training that needs all rows",
        "(name: \"glorot\", ",
        "(name: \"glorot\", train: (optimizer: Newton(), batch: Size(9)), ",
    ),
    ("an arm's field with a typing error", "(name: \"glorot\", ", "(name: \"glorot\", netwrok: Mlp(hidden: []), "),
    (
        "start numbers of another network",
        "method: Random(scheme: GlorotUniform)",
        "method: Random(scheme: Given(weights: [1, 2, 3]))",
    ),
    (
        "an arm's units without gradient",
        "(name: \"glorot\", ",
        "(name: \"glorot\", network: Mlp(hidden: [(units: 1, activation: Step)]), ",
    ),
    ("targets of another kind", "Builtin(\"iris\")", "Builtin(\"diabetes\")"),
    ("no target", "Builtin(\"iris\")", "Csv(path: \"nowhere.csv\")"),
    ("an autoencoder by another name", "task: Classification(", "task: Autoencoder("),
    ("inputs as classes", "task: Classification(", "task: Autoencoding("),
    (
        "outputs that inputs cannot equal",
        "task: Classification(\n        data: Builtin(\"iris\"),\n        split: Stratified(train: 0.70, validation: 0.15, test: 0.15),\n        scaling: Standardize, // fitted on the training rows only\n        loss: CrossEntropy,\n    ),\n    network: Mlp(hidden: [(units: 8, activation: Tanh)], output: Softmax)",
        "task: Autoencoding(\n        data: Builtin(\"iris\"),\n        split: Stratified(train: 0.70, validation: 0.15, test: 0.15),\n        scaling: Standardize,\n    ),\n    network: Mlp(hidden: [(units: 8, activation: Tanh)], output: Logistic)",
    ),
    ("an image of another size", "task: Classification(", "task: Autoencoding(image: (2, 3), "),
    (
        "steps that are pre-trained",
        "(name: \"glorot\", method: Random(scheme: GlorotUniform)",
        "(name: \"glorot\", network: Mlp(hidden: [(units: 4, activation: Step)]), method: Untrained(scheme: Pretrained())",
    ),
];

fn check(folder: &Path, file: &str, options: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_precocial"))
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .args(["check", "-q", "--memory-limit", "16GiB", "--threads", "2", file])
        .args(options)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && shown.starts_with("error[P0"), "{file}: {shown}");
    let lines: Vec<&str> = shown.trim_end().lines().map(str::trim_end).collect();
    format!("{}\n(exit code {})", lines.join("\n"), output.status.code().unwrap())
}

/// Long lists of names grow with what is registered; their first name is enough to see.
fn shortened(all: &str) -> String {
    let shorten = |line: &str| match line.split_once(", ") {
        Some((first, rest)) if line.contains("= note: ") && rest.matches(", ").count() > 4 => format!("{first}, …"),
        _ => line.to_owned(),
    };
    all.lines().map(shorten).collect::<Vec<_>>().join("\n")
}

#[test]
fn messages_of_experiment_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for (what, from, to) in SLIPS {
        assert!(TEXT.contains(from), "{what}");
        std::fs::write(folder.path().join("iris.ron"), TEXT.replacen(from, to, 1)).unwrap();
        all.push_str(&format!("# {what}\n{}\n\n", check(folder.path(), "iris.ron", &[])));
    }
    for (file, text) in [
        ("iris.json", "{\n  \"name\": \"iris\"\n}\n"),
        ("iris.toml", "# mine\nname = \"iris\"\n[task]\n"),
        ("iris.yaml", "---\nname: iris\n"),
        ("empty.ron", ""),
        ("binary.ron", "\0\u{1}\u{2}"),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
        all.push_str(&format!("# 16. {file}\n{}\n\n", check(folder.path(), file, &[])));
    }
    std::fs::write(folder.path().join("latin.ron"), b"Experiment(name: \"caf\xe9\")").unwrap();
    all.push_str(&format!("# not UTF-8\n{}\n\n", check(folder.path(), "latin.ron", &[])));
    insta::assert_snapshot!(shortened(&all));
}

/// A search of a few networks.
const SEARCH: &str = r#"TopologySearch(
    schema: 1,
    name: "swing",
    seeds: Range(first: 1, count: 2),
    task: Control(environment: CartPoleSwingUp, max_steps: 100),
    search: (
        population: 8,
        generations: 4,
        repetitions: 3,
        weights: [-2.0, -1.0, 1.0, 2.0],
        activations: [Tanh, Sin, Step],
    ),
    after: (tuning: Evolution(episodes: 100)),
)
"#;

/// What was changed in the search.
const SEARCH_SLIPS: &[(&str, &str, &str)] = &[
    ("an environment that does not exist", "CartPoleSwingUp", "CartPoleSwingup"),
    ("an environment of another name", "CartPoleSwingUp", "Lander"),
    ("no environment", "environment: CartPoleSwingUp, ", ""),
    ("an activation that does not exist", "Tanh, Sin", "Tahn, Sin"),
    ("no shared weight", "[-2.0, -1.0, 1.0, 2.0]", "[]"),
    ("a shared weight of 0", "-1.0, 1.0", "0.0, 1.0"),
    ("a shared weight that is no number", "-1.0, 1.0", "NaN, 1.0"),
    ("shared weights beyond all numbers", "-1.0, 1.0", "-inf, 1.0"),
    ("no repetitions", "repetitions: 3", "repetitions: 0"),
    ("episodes of the task", "max_steps: 100", "episodes: 3"),
    ("gradients of episodes", "Evolution(episodes: 100)", "Gradient()"),
    (
        "episodes of rows",
        "Control(environment: CartPoleSwingUp, max_steps: 100)",
        "Classification(data: Builtin(\"iris\"), split: Random(train: 0.7, test: 0.3))",
    ),
    ("fewer episodes than starts", "episodes: 100", "episodes: 3, starts: 4"),
    ("a sweep of no width", "after: (", "after: (sweep: (low: 1.0, high: 1.0), "),
    ("a group of another document", "    after:", "    budget: RowPasses(1),\n    after:"),
    ("another name for the whole", "TopologySearch(", "TopologySerch("),
    ("a name of the method for the whole", "TopologySearch(", "Wann("),
    (
        "no change",
        "population: 8,",
        "population: 8, changes: (add_node: 0, add_connection: 0, enable_connection: 0, change_activation: 0),",
    ),
    ("a population that no memory holds", "population: 8", "population: 1_000_000_000"),
];

#[test]
fn messages_of_searches() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for (what, from, to) in SEARCH_SLIPS {
        assert!(SEARCH.contains(from), "{what}");
        std::fs::write(folder.path().join("swing.ron"), SEARCH.replacen(from, to, 1)).unwrap();
        all.push_str(&format!("# {what}\n{}\n\n", check(folder.path(), "swing.ron", &[])));
    }
    let rows = "Classification(data: Builtin(\"iris\"), split: Random(train: 0.7, test: 0.3))";
    let text = SEARCH.replace("Control(environment: CartPoleSwingUp, max_steps: 100)", rows);
    std::fs::write(folder.path().join("iris.ron"), text.replace("Evolution(episodes: 100)", "Gradient()")).unwrap();
    all.push_str(&format!("# back-propagation through steps\n{}\n\n", check(folder.path(), "iris.ron", &[])));
    insta::assert_snapshot!(shortened(&all));
}

#[test]
fn messages_of_tables() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = String::new();
    let header = "island,bill_length,bill_depth,species\n";
    let rows =
        |count: usize, class: &str| (0..count).map(|row| format!("{row},39.{row},18,{class}\n")).collect::<String>();
    let tables = [
        ("22. missing value", format!("{header}{}4,39,,Gentoo\n{}", rows(12, "Adelie"), rows(12, "Gentoo"))),
        ("23. text in a number column", format!("{header}Dream,39.1,18.7,Adelie\n{}", rows(9, "Gentoo"))),
        ("24. wrong delimiter", format!("{header}{}", rows(9, "Adelie")).replace(',', ";")),
        ("25. class too rare", format!("{header}{}{}", rows(9, "Adelie"), rows(2, "Chinstrap"))),
        ("a row too long", format!("{header}{}1,2,3,4,Adelie\n", rows(9, "Adelie"))),
        ("another target", rows(9, "Adelie")),
    ];
    let text = TEXT.replace("Builtin(\"iris\")", "Csv(path: \"penguins.csv\", target: Name(\"species\"))");
    std::fs::write(folder.path().join("penguins.ron"), &text).unwrap();
    for (what, table) in tables {
        std::fs::write(folder.path().join("penguins.csv"), table).unwrap();
        all.push_str(&format!("# {what}\n{}\n\n", check(folder.path(), "penguins.ron", &[])));
    }
    let text = text.replace("penguins.csv\",", "penguins.csv\", max_bytes: 100,");
    std::fs::write(folder.path().join("penguins.ron"), text).unwrap();
    all.push_str(&format!("# a file beyond the limit\n{}\n\n", check(folder.path(), "penguins.ron", &[])));
    insta::assert_snapshot!(shortened(&all));
}

#[test]
fn messages_of_options() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("iris.ron"), TEXT).unwrap();
    let mut all = String::new();
    for options in [
        &["--set", "arms[2].method.populaton=80"][..],
        &["--set", "arms[7].name=x"],
        &["--set", "arms[0].method.scheme.low=1"],
        &["--set", "budget"],
        &["--set", "arms[2].method.mutation.rate=7"],
        &["--set", "train.optimizer=Adm(learning_rate: 0.1)"],
        &["--set", "train.optimizer=Lbfgs()"],
        &["--set", "train.optimizer=LevenbergMarquardt()", "--set", "train.batch=Full"],
        &["--set", "train.optimizer=Lbfgs()", "--set", "train.batch=Full", "--set", "train.clip=Norm(max: 1.0)"],
        &["--set", "train.optimizer=Newton()", "--set", "train.batch=Full", "--set", "network.hidden[0].units=100"],
        &["--set", "train.stop=[MaxDamping(1e10)]"],
        &["--set", "train.optimizer=Perceptron()"],
        &["--set", "network.output=Step"],
        &["--set", "referenc=SupportVectorMachine()"],
        &["--set", "reference=SupportVectorMachine(costt: 1)"],
        &["--set", "reference=SupportVectorMachine()", "--set", "task.split=Stratified(train: 0.8, validation: 0.2)"],
        &[
            "--set",
            "reference=SupportVectorMachine()",
            "--set",
            "task=Regression(data: Builtin(\"diabetes\"), split: Random(train: 0.7, test: 0.3))",
        ],
        &["--seeds", "30..1"],
        &["--seeds", "1,1"],
    ] {
        all.push_str(&format!("# {}\n{}\n\n", options.join(" "), check(folder.path(), "iris.ron", options)));
    }
    insta::assert_snapshot!(shortened(&all));
}

/// What may be wrong with a suite.
#[test]
fn messages_of_suites() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../experiments/suite/quick.ron");
    let mut all = String::new();
    for (name, from, to) in [
        ("another name for the whole", "Suite(", "Suit("),
        ("seeds of two phases", "selection: Range(first: 8001, count: 10)", "selection: Range(first: 12, count: 10)"),
        ("nothing to compare", "role: Candidate", "role: Extended"),
        ("a role that does not exist", "role: Extended", "role: Control"),
        ("a pilot that is no arm", "arm: \"glorot\"", "arm: \"glorott\""),
        ("passes that do not ascend", "passes: [300, 1000, 3000]", "passes: [300, 3000, 1000]"),
        ("a target behind the budget", "TrainingPasses(9_000)", "TrainingPasses(2_000)"),
        ("two tasks of one name", "name: \"iris\"", "name: \"spirals\""),
        ("an arm that does not serve a task", "[(units: 8)]", "[]"),
        ("data that do not exist", "Builtin(\"iris\")", "Csv(path: \"no.csv\", target: Name(\"y\"))"),
        (
            "a margin below 1",
            "seeds: Range(first: 1, count: 20)",
            "margin: (ratio: 0.9), seeds: Range(first: 1, count: 20)",
        ),
        ("a field of an experiment", "trainers:", "train: (optimizer: Adam()), trainers:"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(folder.path().join("suite.ron"), text.replacen(from, to, 1)).unwrap();
        all.push_str(&format!("# {name}\n{}\n\n", check(folder.path(), "suite.ron", &[])));
    }
    insta::assert_snapshot!(shortened(&all));
}

/// What may be wrong with a search for a recipe.
#[test]
fn messages_of_recipe_searches() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../experiments/recipe_search.ron");
    let mut all = String::new();
    for (name, from, to) in [
        ("another name for the whole", "RecipeSearch(", "RecipSearch("),
        ("a family that does not exist", "family: Simple", "family: V2"),
        ("a start beyond the family", "family: Simple,", "family: Simple, start: Recipe(V1),"),
        ("a start that is no recipe", "family: Simple,", "family: V1, start: GlorotUniform,"),
        ("units of two kinds", "hidden: [(units: 8)]", "hidden: [(units: 8, activation: Relu)]"),
        ("units that no recipe is for", "hidden: [(units: 8)]", "hidden: [(units: 8, activation: Gelu)]"),
        ("no hidden layer", "hidden: [(units: 8)]", "hidden: []"),
        ("seeds of two phases", "validation: (seeds: Range(first: 5301", "validation: (seeds: Range(first: 5209"),
        ("a task that is trained and tested on", "cells: 4, noise: 0.03, seed: 701", "cells: 3, seed: 601"),
        ("passes that do not ascend", "passes: [300, 1000]", "passes: [1000, 300]"),
        ("a target behind the budget", "TrainingPasses(3_000)", "TrainingPasses(200)"),
        ("a generation of three", "evolution: (", "evolution: (population: 3, "),
        ("an arm that the test adds itself", "name: \"orthogonal\"", "name: \"found\""),
        (
            "a pilot of the test that does not ascend",
            "count: 9), passes: [300, 1000]),\n        sel",
            "count: 9), passes: []),\n        sel",
        ),
        ("a field of an experiment", "trainers:", "arms: [], trainers:"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(folder.path().join("search.ron"), text.replacen(from, to, 1)).unwrap();
        all.push_str(&format!("# {name}\n{}\n\n", check(folder.path(), "search.ron", &[])));
    }
    insta::assert_snapshot!(shortened(&all));
}

/// A result folder with what may be wrong with it: everything that `resume`, `status`, `verify` and `run --out` say.
#[test]
fn messages_of_folders() {
    let folder = tempfile::tempdir().unwrap();
    let own = |name: &str| folder.path().join("out").join(name);
    let text = TEXT
        .replace("Range(first: 1, count: 30)", "List([1])")
        .replace("2_000_000", "200_000")
        .replace("generations: 25", "generations: 2");
    std::fs::write(folder.path().join("iris.ron"), text).unwrap();
    let call = |arguments: &[&str], fault: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_precocial"));
        command
            .current_dir(folder.path())
            .env_remove("NO_COLOR")
            .env_remove("PRECOCIAL_FAULT")
            .arg("-q")
            .args(arguments);
        fault.map(|fault| command.env("PRECOCIAL_FAULT", fault));
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        format!("$ precocial {}\n{said}exit {}\n\n", arguments.join(" "), output.status.code().unwrap_or(-1))
    };
    let run = ["run", "iris.ron", "--out", "out", "--no-report"];
    let mut all = String::new();
    let mut add = |title: &str, text: String| all.push_str(&format!("# {title}\n{text}"));
    add("no result folder", call(&["resume", "nowhere"], None));
    add("no result folder", call(&["status", "."], None));
    if cfg!(debug_assertions) {
        add("no space from the fortieth step on", call(&run, Some("40:full")));
        add("not whole yet", call(&["verify", "out"], None));
        std::fs::remove_dir_all(folder.path().join("out")).unwrap();
    }
    assert!(call(&run, None).ends_with("exit 0\n\n"));
    add("26. results folder exists", call(&run, None));
    let lock = std::fs::File::create(own(".lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(own(".lock"), "process 41327").unwrap();
    add("27. folder in use", call(&["resume", "out", "--seeds", "2"], None));
    drop(lock);
    add("a seed that was not run", call(&["verify", "out", "--seeds", "7"], None));
    add("seeds that are none", call(&["resume", "out", "--seeds", "many"], None));
    add("a budget that is none", call(&["resume", "out", "--budget", "more"], None));
    add("a smaller budget", call(&["resume", "out", "--budget", "100_000"], None));
    add("a budget in another unit", call(&["resume", "out", "--budget", "TrainingPasses(5000)"], None));
    add("a budget that was edited", {
        let text = std::fs::read_to_string(own("experiment.ron")).unwrap();
        std::fs::write(own("experiment.ron"), text.replace("200_000", "300_000")).unwrap();
        let said = call(&["resume", "out"], None);
        std::fs::write(own("experiment.ron"), text).unwrap();
        said
    });
    let manifest = std::fs::read_to_string(own("manifest.json")).unwrap();
    for (title, kind) in [
        ("a larger budget for a search", "TopologySearch"),
        ("a larger budget for a suite", "Suite"),
        ("a larger budget for a recipe search", "RecipeSearch"),
    ] {
        std::fs::write(own("manifest.json"), manifest.replace("\"Experiment\"", &format!("\"{kind}\""))).unwrap();
        add(title, call(&["resume", "out", "--budget", "300_000"], None));
    }
    std::fs::write(own("manifest.json"), manifest).unwrap();
    if cfg!(debug_assertions) {
        add(
            "killed between the old run and the new one",
            call(&["resume", "out", "--budget", "300_000"], Some("20:eio")),
        );
        add("the place is empty", call(&["status", "out"], None));
        std::fs::rename(folder.path().join("out.old-1"), folder.path().join("out")).unwrap();
        std::fs::remove_dir_all(folder.path().join(".precocial-out.new")).unwrap();
    }
    let started = std::fs::read_to_string(own("experiment.ron")).unwrap();
    std::fs::write(own("experiment.ron"), started.replace("population: 40", "population: 80")).unwrap();
    add("30. changed file at resume", call(&["resume", "out"], None));
    std::fs::write(own("experiment.ron"), started.replace("population: 40", "population: many")).unwrap();
    add("a file that is none any more", call(&["resume", "out"], None));
    std::fs::write(own("experiment.ron"), &started).unwrap();
    let resolved = std::fs::read_to_string(own("experiment.resolved.ron")).unwrap();
    std::fs::write(own("experiment.resolved.ron"), resolved.replace("population: 40", "population: 80")).unwrap();
    add("the other copy changed", call(&["resume", "out"], None));
    std::fs::write(own("experiment.resolved.ron"), &resolved).unwrap();
    let manifest = std::fs::read_to_string(own("manifest.json")).unwrap();
    std::fs::write(own("manifest.json"), manifest.replace("\"stream_version\": ", "\"stream_version\": 9")).unwrap();
    add("another version of the random streams", call(&["resume", "out"], None));
    std::fs::write(own("manifest.json"), "{").unwrap();
    add("a damaged manifest", call(&["status", "out"], None));
    insta::assert_snapshot!(all);
}
