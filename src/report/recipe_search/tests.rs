use super::convergence::Convergence;
use super::*;
use crate::experiment::parse_as;
use crate::experiment::recipe_search::{RecipeSearch, RecipeTables, SearchRow, ValidationRow};
use crate::report::fixture;
use crate::report::plot::Plot;
use std::path::Path;

const TEXT: &str = r#"RecipeSearch(
    schema: 1, name: "made", notes: "numbers <b>made up</b>", family: V1,
    tasks: [(name: "a", task: Classification(data: Xor, split: Random(train: 1.0)), network: Mlp(hidden: [(units: 3)]))],
    trainers: [(name: "adam", train: (optimizer: Adam()))],
    pilot: (seeds: List([1]), passes: [30]), budget: TrainingPasses(90),
    seeds: List([2, 3]), validation: (seeds: List([4])),
    test: (
        tasks: [(name: "b", task: Classification(data: Builtin("iris"), split: Random(train: 1.0)), network: Mlp(hidden: [(units: 3)]))],
        arms: [(name: "glorot", role: Classic, method: Random(scheme: GlorotUniform))],
        pilot: (arm: "glorot", seeds: List([5]), passes: [30]), selection: List([6]), seeds: List([7]),
    ),
)"#;

fn made(change: impl Fn(&mut RecipeTables)) -> crate::error::Result<RecipeAnalysis> {
    let document: RecipeSearch = parse_as(TEXT, Path::new("made.ron")).unwrap().experiment;
    let numbers = |first: f64| [&[first][..], &[0.5; 14]].concat();
    let generation = |search: u64, generation: u64| SearchRow {
        search,
        generation,
        runs: 10,
        best: -0.2 * generation as f64,
        mean: -0.1 * generation as f64,
        sigma: 0.5,
        numbers: numbers(search as f64),
    };
    let row = |step: &str, what: &str, score: f64, price: f64, kept: bool, first: f64| ValidationRow {
        step: step.into(),
        what: what.into(),
        score,
        price,
        kept,
        numbers: numbers(first),
    };
    let mut tables = RecipeTables {
        pilot: Vec::new(),
        search: (2..4).flat_map(|search| (1..6).map(move |time| generation(search, time))).collect(),
        validation: vec![
            row("searches", "start", -0.4, 0.0, false, 2.5),
            row("searches", "search 2", -0.45, 0.0, false, 2.0),
            row("searches", "search 3", -0.5, 0.0, true, 3.123),
            row("first_length", "start value", -0.4, 0.1, false, 2.5),
            row("first_length", "1 digit", -0.51, -0.01, true, 3.0),
        ],
    };
    change(&mut tables);
    RecipeAnalysis::new(document, fixture::manifest(), tables, None)
}

#[test]
fn the_report_tells_what_was_found_what_it_costs_to_be_simple_and_that_nothing_is_known_elsewhere() {
    let analysis = made(|_| ()).unwrap();
    let number = &analysis.numbers[0];
    assert_eq!(
        (number.name, number.best, number.found, &number.searches[..]),
        ("first_length", 3.123, 3.0, &[2.0, 3.0][..])
    );
    assert_eq!(number.simpler, Some(("1 digit".to_owned(), -0.01)));
    assert_eq!((number.simple, number.v1), (Some(1.0), Some(libm::exp(1.0))));
    let text = summary_text(&analysis);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "The best of 2 searches is search 3:",
        "needs 0.60× the cost of GlorotUniform",
        "began with need 0.67×",
        "1 of its numbers were made simpler, which changed its cost by -1%",
        "nothing is known about other tasks",
    ] {
        assert!(line.contains(words), "{words}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let drawing = Convergence.draw(&analysis);
    let svg = drawing.figure.to_svg();
    assert!(!svg.contains("NaN") && !svg.contains("\"inf") && drawing.numbers.rows() == 10);
    let page = page::markdown(&analysis, &[]);
    for words in [
        "| first_length | 1 | 2.72 | 2 to 3 | 3.12 | 3 | 1 digit | -1% |",
        "| search 3 | 0.607 | taken |",
        "not been run",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let html = page::html(&analysis, &[]);
    assert!(html.contains("numbers &lt;b&gt;made up") && !html.contains("<script") && !html.contains("http"));
}

#[test]
fn tables_of_another_search_are_refused() {
    assert_eq!(made(|tables| tables.validation.clear()).unwrap_err().code(), "P0304");
    assert_eq!(made(|tables| tables.search[0].numbers.clear()).unwrap_err().code(), "P0304");
    assert_eq!(made(|tables| tables.validation[4].numbers.push(1.0)).unwrap_err().code(), "P0304");
}
