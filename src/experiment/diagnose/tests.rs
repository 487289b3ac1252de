use super::*;
use crate::experiment::{Study, load};
use proptest::prelude::*;

const TEXT: &str = include_str!("../../../tests/messages/iris.ron");

fn problems(text: &str) -> Vec<(&'static str, String, usize)> {
    let loaded = load::parse(text, Path::new("x.ron"));
    let error =
        loaded.and_then(|loaded| Study::new(loaded.experiment.clone(), Path::new(".")).map_err(|e| loaded.locate(e)));
    let problems = error.unwrap_err().into_problems().into_iter();
    problems
        .map(|problem| {
            let line = problem.place.and_then(|place| place.line_column).map_or(0, |(line, _)| line);
            (problem.code, problem.message, line)
        })
        .collect()
}

fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(TEXT.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn all_slips_of_a_file_are_told_at_once_in_their_order() {
    let text = changed(&[
        ("train: 0.70", "train: 70%"),
        ("learning_rate: 0.01", "learning_rate: -1"),
        ("population: 40", "population: \"40\""),
        ("elitism: 2", "elitisme: 2"),
        ("rate: 0.7", "rate: 7.5"),
        ("rate: 0.1,", "rate: NaN,"),
        ("Tournament(size", "tournament(size"),
        ("sigma: 0.15", "sigma: 0,15"),
        ("Standardize,", "Standardize"),
    ]);
    let found: Vec<&str> = problems(&text).iter().map(|(code, ..)| *code).collect();
    assert_eq!(found, ["P0112", "P0110", "P0121", "P0106", "P0104", "P0121", "P0122", "P0111", "P0103"]);
    let lines: Vec<usize> = problems(&text).iter().map(|(.., line)| *line).collect();
    assert!(lines.is_sorted(), "{lines:?}");
}

#[test]
fn what_goes_wrong_between_settings_is_told_at_once_too() {
    let text = changed(&[
        ("Range(first: 1, count: 30)", "List([1, 2, 1])"),
        ("train: 0.70", "train: 0.80"),
        ("baseline: \"glorot\"", "baseline: \"glorott\""),
        ("population: 40", "population: 1"),
    ]);
    let codes: Vec<(&str, usize)> = problems(&text).iter().map(|(code, _, line)| (*code, *line)).collect();
    assert_eq!(codes, [("P0139", 10), ("P0131", 14), ("P0121", 26), ("P0132", 41)]);
}

#[test]
fn a_field_taken_for_another_is_not_missed_again() {
    let found = problems(&changed(&[("population: 40", "populaton: 40"), ("count: 30", "count: 0")]));
    assert_eq!(found.iter().map(|(code, ..)| *code).collect::<Vec<_>>(), ["P0121", "P0103"]);
}

#[test]
fn at_most_twenty_problems_are_told() {
    let many = format!("targets: [{}]", "-1, ".repeat(30));
    assert_eq!(problems(&changed(&[("targets: [0.3, 0.1, 0.05]", &many)])).len(), 20);
}

#[test]
fn a_byte_order_mark_and_line_ends_of_other_systems_do_not_matter() {
    let text = format!("\u{feff}{}", TEXT.replace('\n', "\r\n"));
    assert_eq!(
        load::parse(&text, Path::new("x.ron")).unwrap().experiment,
        load::parse(TEXT, Path::new("x.ron")).unwrap().experiment
    );
    let wrong = text.replace("population: 40", "population: -4");
    assert_eq!(problems(&wrong)[0].2, 26);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let found = problems(&changed(&[("population: 40", "popu\u{1b}[2J: 40")]));
    assert!(found.iter().all(|(_, message, _)| !message.contains('\u{1b}')), "{found:?}");
}

#[test]
fn deep_and_large_texts_are_refused_quickly() {
    for text in [
        "(".repeat(1 << 20),
        "[".repeat(1 << 20),
        format!("Experiment(name: \"{}\")", "a".repeat(1 << 20)),
        "/*".repeat(1 << 19),
    ] {
        assert!(load::parse(&text, Path::new("x.ron")).is_err());
    }
}

#[test]
fn the_resolved_text_is_an_experiment_with_the_same_meaning() {
    let experiment = load::parse(TEXT, Path::new("x.ron")).unwrap().experiment;
    let resolved = load::to_text(&experiment);
    assert_eq!(load::parse(&resolved, Path::new("x.ron")).unwrap().experiment, experiment);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_never_panic(
        edits in prop::collection::vec((0_usize..TEXT.len(), 0_usize..12, "[-\\[\\](){}:,;\"'=%/*#r0-9a-zA-Zé_. \n\\\\]{0,6}"), 1..4),
    ) {
        let mut text = TEXT.to_owned();
        for (at, length, put) in edits {
            let boundary = |mut at: usize| {
                at = at.min(text.len());
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let (from, to) = (boundary(at), boundary(at + length));
            text.replace_range(from..to, &put);
        }
        match load::parse(&text, Path::new("x.ron")) {
            Ok(_) => {}
            Err(error) => {
                prop_assert!((1..=20).contains(&error.problems().len()));
                for problem in error.problems() {
                    let place = problem.place.as_ref().expect("every message has a place");
                    let (source, range) = place.excerpt.as_ref().expect("and an excerpt");
                    prop_assert!(source.is_char_boundary(range.start) && source.is_char_boundary(range.end), "{problem:?}");
                    prop_assert!(!problem.message.chars().any(char::is_control), "{problem:?}");
                }
            }
        }
    }
}
