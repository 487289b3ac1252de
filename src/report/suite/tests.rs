use super::picture::PICTURES;
use super::*;
use crate::experiment::record::RunState;
use crate::experiment::suite::{Phase, Suite, SuiteRow, SuiteTables};
use crate::experiment::{Manifest, parse_as};
use crate::report::fixture;
use std::path::Path;

const TEXT: &str = r#"Suite(
    schema: 1, name: "made", notes: "numbers made up",
    tasks: [
        (name: "a", task: Classification(data: Builtin("iris"), split: Random(train: 1.0)), network: Mlp(hidden: [])),
        (name: "b", task: Classification(data: Xor, split: Random(train: 1.0)), network: Mlp(hidden: [])),
        (name: "c", task: Classification(data: Xor, split: Random(train: 1.0)), network: Mlp(hidden: [])),
    ],
    trainers: [
        (name: "slow", train: (optimizer: Adam(learning_rate: 0.01))),
        (name: "fast", train: (optimizer: Adam(learning_rate: 0.1))),
    ],
    arms: [
        (name: "plain", role: Classic, method: Random(scheme: GlorotUniform)),
        (name: "better", role: Extended, method: Random(scheme: GlorotUniform)),
        (name: "new", role: Candidate, method: Graft()),
    ],
    budget: TrainingPasses(1000),
    pilot: (arm: "plain", seeds: List([1]), passes: [100, 300, 600]),
    selection: Range(first: 10, count: 10), seeds: Range(first: 100, count: 20),
    bootstrap: 199,
)"#;

/// Cost of an arm to the second target at trainer `slow`; `fast` takes twice as long.
fn cost(task: &str, arm: &str) -> f64 {
    match (task, arm) {
        (_, "plain") => 400.0,
        ("a", "better") => 200.0,
        (_, "better") => 500.0,
        // Half of the best control, four times it, and 3 % less.
        ("a", _) => 100.0,
        ("b", _) => 1600.0,
        _ => 388.0,
    }
}

fn made() -> SuiteAnalysis {
    let suite: Suite = parse_as(TEXT, Path::new("made.ron")).unwrap().experiment;
    let mut results = Vec::new();
    for (phase, seeds) in [(Phase::Pilot, 1..2), (Phase::Selection, 10..20), (Phase::Final, 100..120_u64)] {
        for task in ["a", "b", "c"] {
            for trainer in ["slow", "fast"] {
                for arm in ["plain", "better", "new"] {
                    for seed in seeds.clone() {
                        for target in 1..=3 {
                            // Seeds differ by a percent each, alike for all arms.
                            let slowness = if trainer == "fast" { 2.0 } else { 1.0 };
                            let passes =
                                cost(task, arm) * slowness * target as f64 / 2.0 * (1.0 + seed as f64 % 10.0 / 100.0);
                            results.push(SuiteRow {
                                phase,
                                task: task.into(),
                                trainer: trainer.into(),
                                arm: arm.into(),
                                seed,
                                target,
                                loss: Some(1.0 / target as f64),
                                passes: Some(passes),
                                total: passes,
                                state: RunState::Stopped,
                                train_loss: Some(0.1),
                                test_loss: Some(0.2),
                                test_metric: Some(0.9),
                                weights_hash: String::new(),
                            });
                        }
                    }
                }
            }
        }
    }
    let manifest: Manifest = fixture::manifest();
    SuiteAnalysis::new(suite, manifest, &SuiteTables { results })
}

#[test]
fn verdicts_go_beyond_the_margin_and_means_are_geometric() {
    let analysis = made();
    let findings = &analysis.findings;
    assert_eq!((findings.deciding, analysis.strongest()), (1, Against::BestControl));
    assert_eq!(findings.targets[0], ("a".to_owned(), vec![1.0, 0.5, 1.0 / 3.0]));
    let found: Vec<_> = analysis.compared("new", Against::BestControl, 1).collect();
    let told: Vec<_> = found.iter().map(|one| (one.control.as_str(), one.standing)).collect();
    assert_eq!(
        told,
        [("better", Some(Standing::Better)), ("plain", Some(Standing::Worse)), ("plain", Some(Standing::Equal))]
    );
    // All pairs say the same 0.97, so the difference is significant, and still within the margin.
    assert!(found[2].verdict.adjusted_p < 0.01 && (found[2].ratio - 0.97).abs() < 1e-12, "{:?}", found[2]);
    let overall = |against: Against, target: usize| {
        findings.overall.iter().find(|one| one.against == against && one.target == target).unwrap()
    };
    let expected = (0.5_f64 * 4.0 * 0.97).cbrt();
    let found = overall(Against::BestControl, 1);
    assert!((found.ratio - expected).abs() < 1e-12 && found.unsolved == 0, "{found:?}");
    let interval = found.interval.unwrap();
    assert!(interval.low < expected && expected < interval.high && interval.low >= 0.49, "{interval:?}");
    assert!((overall(Against::BestClassic, 2).ratio - (0.25_f64 * 4.0 * 0.97).cbrt()).abs() < 1e-12);
    // Only the deciding target decides, and the single classic is told without a verdict.
    let standings =
        |against: Against, target: usize| analysis.compared("new", against, target).any(|one| one.standing.is_some());
    assert!(standings(Against::BestClassic, 1));
    assert!(!standings(Against::BestControl, 0) && !standings(Against::SingleClassic, 1));
    // The slow trainer is everybody's best; the other takes twice as long.
    let ratios: Vec<f64> = findings.trainers.iter().map(|one| (one.ratio * 1e9).round() / 1e9).collect();
    assert_eq!(ratios, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    assert!(findings.finalists.iter().all(|one| one.trainer == "slow" && one.runs == 20 && one.solved == 20));
}

#[test]
fn words_tell_wins_and_losses_alike() {
    let text = summary_text(&made());
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains("new needs 1.25× (95% CI"), "{text}");
    assert!(
        line.contains("better on 1, worse on 1 (b), the same within the margin on 1, not told apart on 0."),
        "{text}"
    );
    assert!(line.contains("The classics are right, against new, on b; nothing is gained on c."), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn pages_and_pictures_hold_every_task() {
    let analysis = made();
    for picture in PICTURES {
        assert!(picture.applies(&analysis), "{}", picture.name());
        let drawing = picture.draw(&analysis);
        let svg = drawing.figure.to_svg();
        assert!(!svg.contains("NaN") && !svg.contains("\"inf") && drawing.numbers.rows() > 2, "{}", picture.name());
        assert!(picture.question(&analysis).contains('?') && picture.reading().ends_with('.'));
    }
    let page = super::page::markdown(&analysis, &[]);
    for word in ["| a | plain | 0.25 (0.25–0.25) | better | better | 0.50", "0.9 / 0.9", "SHA-256", "3 tasks: the mean"]
    {
        assert!(page.contains(word), "{word}\n{page}");
    }
    let html = super::page::html(&analysis, &[]);
    assert!(html.contains("<td>worse</td>") && html.contains("How much depends on the trainer"));
    assert_eq!(super::page::comparisons(&analysis).rows(), 3 * 3 * 3);
    assert_eq!(super::page::finalists(&analysis).rows(), 3 * 3 * 4);
}
