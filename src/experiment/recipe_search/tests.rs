use super::*;
use crate::error::Result;
use crate::experiment::folder::State;
use crate::experiment::load::{parse_as, to_text};
use crate::experiment::{Event, Folder, Opened, Reopened, RunOptions, Standing, Unwatched, Watch, open, parse, verify};
use crate::math::Activation;
use crate::train::initializer::Recipe;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const TINY: &str = r#"RecipeSearch(
    schema: 1, name: "tiny", family: Simple,
    tasks: [
        (name: "xor", task: Classification(data: Xor, split: Random(train: 1.0)), network: Mlp(hidden: [(units: 3)])),
        (name: "rings", task: Classification(data: Circles(samples: 30, noise: 0.1, seed: 5), split: Random(train: 0.8, test: 0.2)),
         network: Mlp(hidden: [(units: 4)])),
    ],
    trainers: [(name: "adam", train: (optimizer: Adam(learning_rate: 0.1)))],
    pilot: (seeds: List([91, 92, 93]), passes: [30, 60]),
    budget: TrainingPasses(240),
    evolution: (population: 4, generations: 3, seeds: 2),
    seeds: List([18446744073709551615, 7]),
    validation: (seeds: List([81, 82, 83]), tolerance: 0.05),
    test: (
        tasks: [(name: "curve", task: Regression(data: SineFit(samples: 20, domain: (-3, 3), seed: 3), split: Random(train: 0.8, test: 0.2)),
                 network: Mlp(hidden: [(units: 4)]))],
        arms: [(name: "glorot", role: Classic, method: Random(scheme: GlorotUniform))],
        pilot: (arm: "glorot", seeds: List([61, 62]), passes: [30]),
        selection: List([51, 52]), seeds: List([41, 42, 43]),
    ),
)"#;

fn document(text: &str) -> RecipeSearch {
    parse_as(text, Path::new("tiny.ron")).unwrap_or_else(|error| panic!("{error}")).experiment
}

fn study() -> RecipeStudy {
    RecipeStudy::new(document(TINY), Path::new("")).unwrap()
}

fn options(out: &Path, threads: usize) -> RunOptions {
    RunOptions { out: Some(out.to_owned()), threads, source: Some(TINY.into()), ..RunOptions::default() }
}

/// Ends a run after so many generations or steps of the validation, and counts damaged saves.
struct Impatient {
    left: AtomicUsize,
    damaged: AtomicUsize,
}

fn impatient(left: usize) -> Impatient {
    Impatient { left: AtomicUsize::new(left), damaged: AtomicUsize::new(0) }
}

impl Watch for Impatient {
    fn event(&self, event: Event) {
        match event {
            Event::Scored { .. } => {
                _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            }
            Event::Damaged { .. } => _ = self.damaged.fetch_add(1, Ordering::Relaxed),
            _ => {}
        }
    }

    fn is_cancelled(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

fn resume(study: &RecipeStudy, out: &Path, watch: &dyn Watch) -> Result<RecipeRun> {
    resume_recipe_search(study, &Reopened::open(Folder::at(out), None)?, 2, watch)
}

#[test]
fn threads_and_interruptions_change_no_bit() {
    let place = tempfile::tempdir().unwrap();
    let study = study();
    let whole = run_recipe_search(&study, &options(&place.path().join("one"), 1), &Unwatched).unwrap();
    assert_eq!(whole.manifest.state, State::Complete);
    assert_eq!(RecipeTables::load(whole.folder.path()).unwrap(), whole.tables);
    assert!(!whole.folder.path().join("checkpoints").exists());
    assert_eq!(whole.tables.search.len(), 2 * 3);
    assert_eq!(whole.tables.search[2].runs, 3 * 5 * 2 * 2);
    let recipe = |name: &str| std::fs::read_to_string(place.path().join(name).join("recipe.ron")).unwrap();
    let three = run_recipe_search(&study, &options(&place.path().join("three"), 3), &Unwatched).unwrap();
    assert_eq!(three.manifest.bits, whole.manifest.bits);
    assert_eq!(recipe("three"), recipe("one"));

    let broken = place.path().join("broken");
    let mut run = run_recipe_search(&study, &options(&broken, 2), &impatient(1)).unwrap();
    let mut times = 0;
    while run.manifest.state != State::Complete {
        let standing = Standing::of(&Folder::at(&broken)).unwrap();
        assert!(standing.finished > 0 && standing.finished < standing.runs, "{standing:?}");
        run = resume(&study, &broken, &impatient(1)).unwrap();
        times += 1;
        assert!(times < 30, "it never gets on");
    }
    // Six generations, the comparison of the searches, and a step for each number that could be simpler.
    assert!(times >= 7, "{times}");
    assert_eq!(run.manifest.bits, whole.manifest.bits);
    assert_eq!(recipe("broken"), recipe("one"));
    let standing = Standing::of(&run.folder).unwrap();
    assert!(standing.finished == standing.runs && standing.manifest.state == State::Complete);
    // Whoever resumes a whole search gets what is there.
    assert_eq!(resume(&study, &broken, &Unwatched).unwrap().tables, whole.tables);
}

#[test]
fn the_recipe_can_be_used_at_once_and_says_where_it_comes_from() {
    let place = tempfile::tempdir().unwrap();
    let study = study();
    let run = run_recipe_search(&study, &options(&place.path().join("out"), 2), &Unwatched).unwrap();
    let text = std::fs::read_to_string(place.path().join("out/recipe.ron")).unwrap();
    for words in ["\"tiny\" found", &run.manifest.experiment_hash, "xor, rings", "tested    on curve", "best classic"] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let written = r#"Experiment(schema: 1, name: "r", seeds: List([1]),
        task: Classification(data: Xor, split: Random(train: 1.0)), network: Mlp(hidden: [(units: 3)]),
        train: (optimizer: Adam()), arms: [(name: "a", method: Random(scheme: Recipe(File("out/recipe.ron"))))],
        budget: TrainingPasses(30))"#;
    let experiment = parse(written, &place.path().join("r.ron")).unwrap().study().unwrap().experiment;
    let scheme = experiment.arms[0].method.scheme().unwrap();
    let crate::train::Initializer::Recipe(recipe @ Recipe::Own(_)) = scheme else { panic!("{scheme:?}") };
    let found = run.tables.found().unwrap();
    assert_eq!(study.document.family.numbers(recipe, Activation::Tanh).unwrap(), found.numbers);
    // The test is a suite of its own, with the recipe in it.
    let Opened::Suite(suite) = open(&place.path().join("out/test/experiment.resolved.ron")).unwrap() else { panic!() };
    let names: Vec<&str> = suite.experiment.arms.iter().map(|arm| arm.name.as_str()).collect();
    assert_eq!(names, ["glorot", "found", "recipe-simple", "recipe-v1"]);
    assert!(to_text(&suite.experiment).contains(&format!("centring: {:?}", found.numbers[2])));
    // Only numbers that make a difference on tasks of one hidden layer were searched.
    assert_eq!(study.searched, [0, 2, 3, 4]);
    assert_eq!(found.numbers[1], 1.73);
}

#[test]
fn what_is_verified_is_computed_again_and_changes_are_found() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    run_recipe_search(&study(), &options(&out, 2), &Unwatched).unwrap();
    let folder = Folder::at(&out);
    let whole = verify(&folder, None, None, 2, &Unwatched).unwrap();
    assert!(whole.differences.is_empty() && whole.runs > 20, "{whole:?}");
    let seeds = crate::experiment::config::Seeds::List(vec![7]);
    let search = verify(&folder, Some(&seeds), None, 2, &Unwatched).unwrap();
    assert!(search.differences.is_empty(), "{search:?}");
    let strange = crate::experiment::config::Seeds::List(vec![8]);
    assert_eq!(verify(&folder, Some(&strange), None, 1, &Unwatched).unwrap_err().code(), "P0309");
    let edit = |name: &str, change: &dyn Fn(String) -> String| {
        let text = std::fs::read_to_string(out.join(name)).unwrap();
        std::fs::write(out.join(name), change(text)).unwrap();
    };
    edit("recipe.ron", &|text| text.replace("centring", "// mine\n centring"));
    let found = verify(&folder, None, None, 2, &Unwatched).unwrap();
    assert_eq!(found.differences, ["recipe.ron is not what the tables say"]);
    let mut tables = RecipeTables::load(&out).unwrap();
    tables.search[4].mean += 1e-9;
    let fields: Vec<&str> = study().fields().iter().map(|field| field.name).collect();
    tables.save(&out, &fields).unwrap();
    let found = verify(&folder, Some(&seeds), None, 2, &Unwatched).unwrap();
    assert!(found.differences.len() == 1 && found.differences[0].contains("mean was"), "{found:?}");
}

#[test]
fn what_was_edited_or_damaged_is_told_or_computed_again() {
    let place = tempfile::tempdir().unwrap();
    let (study, out) = (study(), place.path().join("out"));
    let whole = run_recipe_search(&study, &options(&place.path().join("whole"), 2), &Unwatched).unwrap();
    run_recipe_search(&study, &options(&out, 2), &impatient(5)).unwrap();
    for (from, to) in [
        ("seeds: List([18446744073709551615, 7])", "seeds: List([18446744073709551615, 7, 8])"),
        ("passes: [30, 60]", "passes: [30, 61]"),
        ("tolerance: 0.05", "tolerance: 0.04"),
        ("List([41, 42, 43])", "List([41, 42])"),
        ("family: Simple", "family: V1"),
    ] {
        assert!(TINY.contains(from), "{from}");
        std::fs::write(out.join("experiment.ron"), TINY.replace(from, to)).unwrap();
        assert_eq!(resume(&study, &out, &Unwatched).unwrap_err().code(), "P0309", "{to}");
    }
    std::fs::write(out.join("experiment.ron"), TINY.replace("schema: 1,", "schema: 1, notes: \"why\",")).unwrap();
    // Tables of what is under way are only copies; saves that are damaged are told, and there is one before.
    std::fs::write(out.join("search.csv"), "nonsense").unwrap();
    std::fs::create_dir(out.join("test")).unwrap();
    std::fs::write(out.join("test/manifest.json"), "{}").unwrap();
    let saves = std::fs::read_dir(out.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path());
    for path in saves.filter(|path| path.extension().is_some_and(|ending| ending == "ckpt" || ending == "done")) {
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    let watch = impatient(usize::MAX);
    let run = resume(&study, &out, &watch).unwrap();
    assert!(watch.damaged.load(Ordering::Relaxed) > 0);
    assert_eq!((run.manifest.state, run.manifest.bits), (State::Complete, whole.manifest.bits));
    assert!(out.join("test.old-1").is_dir());
}

#[test]
fn what_does_not_go_together_is_refused_with_its_place_and_a_way_out() {
    let edits = [
        ("P0160", "has hidden units of Relu", TINY.replacen("(units: 4)", "(units: 4, activation: Relu)", 1)),
        ("P0160", "seed 93 is in `pilot.seeds` and in `validation.seeds`", TINY.replace("81,", "93,")),
        ("P0160", "in `seeds` and in `test.seeds`", TINY.replace("List([41,", "List([7,")),
        ("P0160", "no hidden layer", TINY.replacen("[(units: 3)]", "[]", 1)),
        ("P0160", "units of Gelu", TINY.replacen("(units: 3)", "(units: 3, activation: Gelu)", 1)),
        (
            "P0160",
            "no recipe of the family Simple",
            TINY.replace("family: Simple", "family: Simple, start: Recipe(V1)"),
        ),
        ("P0160", "ascend", TINY.replace("[30, 60]", "[60, 30]")),
        ("P0121", "at least 4", TINY.replace("population: 4", "population: 3")),
        ("P0160", "is called \"found\"", TINY.replace("arms: [(name: \"glorot\"", "arms: [(name: \"found\"")),
    ];
    for (code, words, text) in edits {
        let loaded = parse_as::<RecipeSearch>(&text, Path::new("tiny.ron")).unwrap();
        let refused = loaded.study().and_then(|study| study.plan(1).map_err(|error| loaded.locate(error)).map(|_| ()));
        let error = refused.unwrap_err();
        let problem = &error.problems()[0];
        assert!(error.code() == code && error.to_string().contains(words), "{words}: {error}");
        assert!(!problem.helps.is_empty(), "{error}");
        assert!(problem.place.as_ref().is_some_and(|place| place.line_column.is_some()), "{error}");
    }
    let without = TINY.replace(&TINY[TINY.find("tasks: [").unwrap()..TINY.find("trainers:").unwrap()], "tasks: [], ");
    let error = parse_as::<RecipeSearch>(&without, Path::new("tiny.ron")).unwrap().study().unwrap_err();
    assert!(error.code() == "P0121" && error.to_string().contains("`tasks` is empty"), "{error}");
    let same = TINY.replace("(name: \"xor\", task:", "(name: \"xor\", task: Regression(data: SineFit(samples: 20, domain: (-3, 3), seed: 3), split: Random(train: 0.8, test: 0.2)), network: Mlp(hidden: [(units: 9)])), (name: \"y\", task:");
    let error = parse_as::<RecipeSearch>(&same, Path::new("tiny.ron")).unwrap().study().unwrap_err();
    assert!(error.code() == "P0160" && error.to_string().contains("the search trains on it"), "{error}");
}

#[test]
fn a_control_that_never_gets_there_ends_the_search_before_it_begins() {
    let place = tempfile::tempdir().unwrap();
    // The second trainer takes such small steps that nothing is learned.
    let text = TINY.replace(
        "trainers: [",
        "trainers: [(name: \"quick\", train: (optimizer: Adam(learning_rate: 0.1))), (name: \"idle\", train: (optimizer: Sgd(learning_rate: 1e-9))), ",
    );
    let study = RecipeStudy::new(document(&text), Path::new("")).unwrap();
    let error = run_recipe_search(&study, &options(&place.path().join("out"), 2), &Unwatched).unwrap_err();
    assert!(error.code() == "P0162" && error.to_string().contains("with \"idle\""), "{error}");
    assert!(!error.problems()[0].helps.is_empty() && !place.path().join("out/search.csv").exists());
}

#[test]
fn a_file_is_written_as_it_is_read() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    for name in ["recipe_search.ron", "recipe_search_reference.ron"] {
        let Opened::Recipe(loaded) = open(&shipped.join(name)).unwrap() else { panic!("{name}") };
        let again = document(&to_text(&loaded.experiment));
        assert_eq!(again, loaded.experiment);
        loaded.study().unwrap_or_else(|error| panic!("{error}"));
    }
}
