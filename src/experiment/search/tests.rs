//! Small searches from end to end.

use super::*;
use crate::experiment::{Opened, RunOptions, SearchStudy, Unwatched, open, parse_as, run_search, to_text};
use std::path::Path;

const SWINGUP: &str = r#"TopologySearch(
    schema: 1, name: "tiny", seeds: List([3, 4]),
    task: Control(environment: CartPoleSwingUp, max_steps: 60),
    search: (population: 8, generations: 6, repetitions: 2, weights: [-1.0, 0.5, 2.0], tournament: 2),
    after: (starts: 20, sweep: (points: 7), random_draws: 3, tuning: Evolution(episodes: 200, starts: 4)),
)"#;

const IRIS: &str = r#"TopologySearch(
    schema: 1, name: "tiny", seeds: List([3]),
    task: Classification(data: Builtin("iris"), split: Stratified(train: 0.6, validation: 0.2, test: 0.2), batch: Size(40)),
    search: (population: 20, generations: 12, repetitions: 2, tournament: 4, initial_links: 1.0, connections_objective: 0.0),
    after: (sweep: (points: 7), random_draws: 3, tuning: Gradient(epochs: 60)),
)"#;

fn study(text: &str) -> SearchStudy {
    parse_as::<TopologySearch>(text, Path::new("tiny.ron")).unwrap().study().unwrap()
}

fn run_on(study: &SearchStudy, threads: usize) -> (tempfile::TempDir, SearchRun) {
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().join("out")), threads, ..RunOptions::default() };
    let run = run_search(study, &options, &Unwatched).unwrap();
    (folder, run)
}

#[test]
fn a_search_gives_the_same_tables_on_any_number_of_threads() {
    for text in [SWINGUP, IRIS] {
        let study = study(text);
        let (_one, first) = run_on(&study, 1);
        let (_two, second) = run_on(&study, 2);
        assert_eq!(first.tables, second.tables);
        assert_eq!(first.manifest.bits, second.manifest.bits);
        assert_eq!(first.manifest.spent, second.manifest.spent);
        assert_eq!((first.manifest.kind.as_str(), first.manifest.spent.len()), ("TopologySearch", 2));
    }
}

#[test]
fn the_numbers_of_this_stream_version_hold() {
    // Every draw of genomes, operators, starts and batches. A change here changes every result: raise STREAM_VERSION.
    assert_eq!(run_on(&study(SWINGUP), 2).1.manifest.bits, SWINGUP_BITS);
    assert_eq!(run_on(&study(IRIS), 2).1.manifest.bits, IRIS_BITS);
}

const SWINGUP_BITS: &str = "8ea2fdced00e09cfc0a09382bf525c0bc42aab9ca02e5c5f418082b5da7096ff";
const IRIS_BITS: &str = "8423f5eadfc23a9efad0f633030d53413efc0d911162e701e0f4c13fb3445b65";

#[test]
fn tables_of_control_have_the_shape_that_was_promised() {
    let study = study(SWINGUP);
    let (folder, run) = run_on(&study, 2);
    let tables = &run.tables;
    assert_eq!(tables.generations.len(), 2 * 6);
    assert_eq!(tables.weights.len(), 2 * 7);
    use ResultKind::*;
    let kinds: Vec<_> = tables.results.iter().filter(|row| row.seed == 4).map(|row| row.kind).collect();
    let expected = [
        InSampleMean,
        InSamplePeak,
        SharedMean,
        SharedBestOfSix,
        SharedTuned,
        RandomWeights,
        TunedWeights,
        FixedShared,
        FixedRandom,
    ];
    assert_eq!(kinds, expected);
    let trials: Vec<u64> = tables.results[..9].iter().map(|row| row.trials).collect();
    assert_eq!(trials, [6, 2, 60, 20, 20, 60, 20, 60, 60]);
    for row in &tables.results {
        assert!(row.score.unwrap().is_finite() && row.cost > 0, "{row:?}");
    }
    let costs: Vec<u64> = tables.generations[..6].iter().map(|row| row.cost).collect();
    assert!(costs.is_sorted() && costs[0] > 0 && costs[0] <= (8 + 8) * 6 * 60, "{costs:?}");
    let generations: std::collections::BTreeSet<u64> = tables.fronts.iter().map(|row| row.generation).collect();
    assert_eq!(generations.into_iter().collect::<Vec<_>>(), [0, 1, 3, 4, 5]);
    let trajectory = tables.trajectory.as_ref().unwrap();
    let columns = [
        "seed",
        "episode",
        "step",
        "time",
        "x (m)",
        "ẋ (m/s)",
        "θ (rad)",
        "θ̇ (rad/s)",
        "cos θ",
        "sin θ",
        "force",
        "reward",
    ];
    assert_eq!(trajectory.columns, columns);
    assert_eq!(trajectory.rows.iter().filter(|row| row[2] == Some(0.0)).count(), 3);
    // What was written down is one of the episodes that the curve is made of: an episode of the best weight.
    let earned = trajectory.rows.iter().filter(|row| row[1] == Some(0.0)).filter_map(|row| row[11]).sum::<f64>();
    assert!(earned.is_finite() && trajectory.rows.iter().all(|row| row[0] == Some(3.0)));
    let out = folder.path().join("out");
    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let header = |name: &str| text(name).lines().next().unwrap().to_owned();
    assert_eq!(header("results.csv"), "seed,kind,score,deviation,failures,trials,cost");
    assert_eq!(header("weights.csv"), "seed,weight,score,deviation,failures");
    assert_eq!(header("fronts.csv"), "seed,generation,mean,peak,connections");
    assert_eq!(
        header("generations.csv"),
        "seed,generation,best_mean,median_mean,best_peak,best_connections,median_connections,champion_mean,\
         champion_peak,champion_connections,cost"
    );
    assert!(text("results.csv").contains("\n3,shared_best_of_six,"));
    assert!(text("networks/tiny-s3.dot").starts_with("digraph"));
    let drawn: DrawnNetwork = serde_json::from_str(&text("networks/tiny-s4.json")).unwrap();
    assert_eq!(drawn.inputs, ["x", "ẋ", "cos θ", "sin θ", "θ̇"]);
    assert!(drawn.links.iter().all(|link| drawn.nodes.iter().any(|node| node.id == link.from)));
    let level = |id: u32| drawn.nodes.iter().find(|node| node.id == id).unwrap().level;
    assert!(drawn.links.iter().all(|link| level(link.from) < level(link.to)));
    // The resolved file is the same search.
    let Opened::Search(again) = open(&out.join("experiment.resolved.ron")).unwrap() else { panic!() };
    assert_eq!(again.experiment, study.document);
    assert_eq!(to_text(&again.experiment), text("experiment.resolved.ron"));
}

#[test]
fn a_data_set_is_searched_tuned_and_voted_on() {
    let study = study(IRIS);
    let (_folder, run) = run_on(&study, 2);
    let of = |kind: ResultKind| run.tables.results.iter().find(|row| row.kind == kind).unwrap().clone();
    assert!(run.tables.trajectory.is_none() && run.tables.generations.len() == 12);
    let share = |kind| of(kind).score.unwrap();
    assert!(share(ResultKind::TunedWeights) > 0.75, "{:?}", run.tables.results);
    assert!(share(ResultKind::TunedWeights) > share(ResultKind::SharedTuned), "{:?}", run.tables.results);
    assert!(share(ResultKind::Vote) > 0.4, "{:?}", run.tables.results);
    assert_eq!((of(ResultKind::Vote).trials, of(ResultKind::RandomWeights).trials), (1, 3));
    // Accuracies on 30 rows.
    let rows = share(ResultKind::SharedBestOfSix) * 30.0;
    assert!((rows - rows.round()).abs() < 1e-9);
}

#[test]
fn a_fixed_network_has_about_as_many_links() {
    for (links, expected) in [(1, 8), (30, 29), (100, 99)] {
        let graph = fixed_network(5, 1, links);
        assert_eq!(graph.multiply_adds(), expected, "{links}");
    }
    assert_eq!(fixed_network(2, 3, 40).multiply_adds(), 3 + 6 * 6);
}

#[test]
fn counts_that_fit_no_machine_are_refused_before_they_are_made() {
    let huge = 1_u64 << 40;
    for (from, to, help) in [
        ("starts: 20", format!("starts: {huge}"), "`starts`"),
        ("points: 7", format!("points: {huge}"), "`starts`"),
        ("random_draws: 3", format!("random_draws: {huge}"), "`starts`"),
        ("episodes: 200, starts: 4", format!("episodes: {huge}, starts: {huge}"), "`starts`"),
        ("population: 8", format!("population: {huge}"), "`population`"),
        ("repetitions: 2", format!("repetitions: {huge}"), "`population`"),
    ] {
        assert!(SWINGUP.contains(from));
        let study = study(&SWINGUP.replacen(from, &to, 1));
        let error = study.check_memory(2, 1 << 36).unwrap_err();
        assert!(error.code() == "P0140" && error.to_string().contains(help), "{error}");
    }
    assert!(study(SWINGUP).check_memory(2, 12 << 20).is_ok());
}
