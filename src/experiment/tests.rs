//! Arms with a network and a training of their own.

use super::folder::State;
use super::*;
use crate::experiment::config::Experiment;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Full batches and slow steps, so that the last look is the best one, whatever the grid of looks.
fn experiment(network: &str, train: &str, arms: &str, budget: u64) -> Experiment {
    let text = format!(
        r#"Experiment(
            schema: 1, name: "own", seeds: List([3, 4]),
            task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, test: 0.3)),
            network: Mlp(hidden: [{network}]), train: {train}, arms: [{arms}], budget: RowPasses({budget}),
            checkpoint: (every_seconds: 0),
        )"#
    );
    parse(&text, Path::new("own.ron")).unwrap().experiment
}

const SGD: &str = "(optimizer: Sgd(learning_rate: 0.01))";
const MOMENTUM: &str = "(optimizer: Momentum(learning_rate: 0.005))";
/// A network that does 4·2 + 2·3 = 14 multiply-adds a row.
const SMALL: &str = "(units: 2)";
/// One that does 4·5 + 5·4 + 4·3 = 52.
const LARGE: &str = "(units: 5), (units: 4, activation: Logistic)";
const ARM: &str = "(name: \"a\", method: Random(scheme: GlorotUniform))";

fn mixed() -> Experiment {
    let arms = format!(
        r#"(name: "plain", method: Random(scheme: GlorotUniform)),
        (name: "large", method: Random(scheme: GlorotUniform), network: Mlp(hidden: [{LARGE}])),
        (name: "momentum", method: Random(scheme: GlorotUniform), train: {MOMENTUM}),
        (name: "best", method: BestOf(scheme: GlorotUniform, candidates: Count(5)), network: Mlp(hidden: [{LARGE}]),
            train: {MOMENTUM})"#
    );
    experiment(SMALL, SGD, &arms, 52_000)
}

fn run_in(experiment: &Experiment, out: &Path, threads: usize, watch: &dyn Watch) -> Run {
    let study = Study::new(experiment.clone(), Path::new(".")).unwrap();
    let options = RunOptions { out: Some(out.to_owned()), threads, ..RunOptions::default() };
    run(&study, &options, watch).unwrap()
}

#[test]
fn an_arm_of_its_own_is_the_arm_of_an_experiment_of_that_kind() {
    let place = tempfile::tempdir().unwrap();
    let all = run_in(&mixed(), &place.path().join("mixed"), 2, &Unwatched).tables;
    // As many multiply-adds as in 52 000 passes through the small network.
    for (arm, network, train, budget) in
        [("plain", SMALL, SGD, 52_000), ("large", LARGE, SGD, 14_000), ("momentum", SMALL, MOMENTUM, 52_000)]
    {
        let alone = run_in(&experiment(network, train, ARM, budget), &place.path().join(arm), 1, &Unwatched).tables;
        let own: Vec<&ResultRow> = all.results.iter().filter(|row| row.arm == arm).collect();
        assert_eq!(own.len(), 2);
        for (own, alone) in own.into_iter().zip(&alone.results) {
            assert_eq!(own.weights_hash, alone.weights_hash, "{arm}");
            assert_eq!((own.steps, own.split_hash.clone()), (alone.steps, alone.split_hash.clone()), "{arm}");
            assert_eq!((own.total_cost * 14.0).round(), (alone.total_cost * 14.0 * 52_000.0 / budget as f64).round());
        }
    }
    // 105 training rows: a gradient of the large network is charged 3 · 105 · 52 multiply-adds.
    let large = all.results.iter().find(|row| row.arm == "large").unwrap();
    let steps = 52_000 * 14 / (3 * 105 * 52);
    assert_eq!((large.steps, (large.total_cost * 14.0).round() as u64), (steps, steps * 3 * 105 * 52));
    assert!(all.history.iter().all(|row| row.cost <= 52_000.0));
}

/// Cancels after so many looks.
struct Impatient(AtomicUsize);

impl Watch for Impatient {
    fn event(&self, event: Event) {
        if matches!(event, Event::Progress { .. }) {
            _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        }
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

#[test]
fn interruptions_and_threads_change_no_bit_of_arms_of_their_own() {
    let place = tempfile::tempdir().unwrap();
    let whole = run_in(&mixed(), &place.path().join("whole"), 1, &Unwatched);
    let broken = place.path().join("broken");
    let mut run = run_in(&mixed(), &broken, 2, &Impatient(AtomicUsize::new(100)));
    let mut times = 0;
    while run.manifest.state != State::Complete {
        let reopened: Reopened<Experiment> = Reopened::open(Folder::at(&broken), None).unwrap();
        let study = Study::new(reopened.document.clone(), Path::new(".")).unwrap();
        run = resume(&study, &reopened, 2, &Impatient(AtomicUsize::new(200))).unwrap();
        times += 1;
        assert!(times < 100, "it never gets on");
    }
    assert!(times > 1, "{times}");
    assert_eq!(run.manifest.bits, whole.manifest.bits);
    let verified = verify(&run.folder, None, None, 1, &Unwatched).unwrap();
    assert!(verified.differences.is_empty() && verified.runs == 8, "{verified:?}");
    let analysis = analyze(&run.folder, &AnalyzeOptions::default()).unwrap();
    let layers: Vec<usize> = analysis.arms.iter().map(|arm| arm.layers.len()).collect();
    assert_eq!(layers, [2, 3, 2, 3]);
    let mut pairs: Vec<(&str, &str)> = analysis.pairs.iter().map(|row| (&row.first[..], &row.second[..])).collect();
    pairs.dedup();
    assert_eq!(pairs, [("plain", "momentum"), ("large", "best")], "lines join weights of one shape");
}

#[test]
fn plans_count_the_largest_network_and_the_greediest_training() {
    let plan = |network: &str, train: &str, arms: &str| {
        Study::new(experiment(network, train, arms, 9_000), Path::new(".")).unwrap().plan(2).unwrap()
    };
    let newton = "(optimizer: Newton())";
    let wide = "(units: 60)";
    let own = format!(
        "{ARM}, (name: \"b\", method: Random(scheme: GlorotUniform), network: Mlp(hidden: [{wide}]), train: {newton})"
    );
    let other = "(name: \"b\", method: Random(scheme: GlorotUniform))";
    let (own, same) = (plan(SMALL, SGD, &own), plan(wide, newton, &format!("{ARM}, {other}")));
    assert_eq!(own.bytes, same.bytes);
    assert!(own.bytes > plan(SMALL, SGD, &format!("{ARM}, {other}")).bytes + (8 * 483 * 483));
    assert_eq!((own.networks, own.multiply_adds), (vec![(19, 14), (483, 420)], 14));
}

#[test]
fn what_is_an_arms_own_is_told_in_words() {
    let experiment = mixed();
    let own: Vec<Option<String>> = experiment.arms.iter().map(|arm| arm.own(&experiment)).collect();
    let network = "network of 5 Tanh units, then 4 Logistic units";
    let momentum = "optimizer Momentum(learning_rate: 0.005, momentum: 0.9)";
    let expected = [None, Some(network.to_owned()), Some(momentum.to_owned()), Some(format!("{network}; {momentum}"))];
    assert_eq!(own, expected);
}
