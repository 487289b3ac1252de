//! Whole runs: arms with a network and a training of their own, what runs leave, and what interruptions do to them.

use super::folder::State;
use super::*;
use crate::experiment::config::Experiment;
use std::path::Path;
use std::sync::Mutex;
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
    pairs.retain(|(first, second)| first != second);
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

#[test]
fn models_of_thousands_of_inputs_are_kept() {
    let place = tempfile::tempdir().unwrap();
    let name = |column: usize| format!("a_measurement_of_something_{column}");
    let mut table: String = (0..2000).map(|column| name(column) + ",").collect();
    table += "kind";
    for row in 0..8 {
        table += "\n";
        table.extend((0..2000).map(|column| format!("{}.5,", (row * 7 + column) % 11)));
        table += ["no", "yes"][row % 2];
    }
    std::fs::write(place.path().join("wide.csv"), table).unwrap();
    let text = r#"Experiment(
        schema: 1, name: "wide", seeds: List([1]),
        task: Classification(data: Csv(path: "wide.csv", target: Name("kind")), split: Random(train: 1.0)),
        network: Mlp(hidden: [(units: 2)]), train: (optimizer: Sgd(learning_rate: 0.01)),
        arms: [(name: "a", method: Random(scheme: GlorotUniform))], budget: TrainingPasses(2),
    )"#;
    let experiment = parse(text, Path::new("wide.ron")).unwrap().experiment;
    let study = Study::new(experiment, place.path()).unwrap();
    let options = RunOptions { out: Some(place.path().join("run")), threads: 1, ..RunOptions::default() };
    let run = run(&study, &options, &Unwatched).unwrap();
    let model = model::Model::load(&run.folder.model_path("a", 1, record::Moment::End)).unwrap();
    assert_eq!((model.header.inputs.len(), &model.header.inputs[1999]), (2000, &name(1999)));
}

#[test]
fn names_that_no_model_could_hold_are_refused_before_training() {
    let many: Vec<String> = (0..1000).map(|input| format!("input {input}")).collect();
    assert!(model::check_names(&many, &["a".into()]).is_ok());
    let long = vec!["\u{7f}".repeat(6 << 20)];
    assert_eq!(model::check_names(&many, &long).unwrap_err().code(), "P0140");
    assert_eq!(model::check_names(&vec!["x".into(); 400_000], &[]).unwrap_err().code(), "P0140");
}

/// Writes down what happens, and cancels after so many looks.
#[derive(Default)]
struct Diary {
    looks: Mutex<Vec<(String, u64)>>,
    damaged: Mutex<Vec<bool>>,
    patience: Option<usize>,
}

impl Watch for Diary {
    fn event(&self, event: Event) {
        match event {
            Event::Progress { arm, seed, .. } => self.looks.lock().unwrap().push((arm.to_owned(), seed)),
            Event::Damaged { from_start, .. } => self.damaged.lock().unwrap().push(from_start),
            _ => {}
        }
    }

    fn is_cancelled(&self) -> bool {
        self.patience.is_some_and(|most| self.looks.lock().unwrap().len() >= most)
    }
}

fn resume_at(folder: &Path, watch: &dyn Watch) -> Run {
    let reopened: Reopened<Experiment> = Reopened::open(Folder::at(folder), None).unwrap();
    let study = Study::new(reopened.document.clone(), Path::new(".")).unwrap();
    resume(&study, &reopened, 1, watch).unwrap()
}

/// Two arms, of which the second is under way after 260 looks: each takes 190 steps or some more.
fn two_arms(every_seconds: u32) -> Experiment {
    let arms = r#"(name: "first", method: Random(scheme: GlorotUniform)),
        (name: "second", method: Genetic(population: 8, generations: 5, scheme: GlorotUniform))"#;
    let mut experiment = experiment(SMALL, SGD, arms, 60_000);
    experiment.seeds = config::Seeds::List(vec![3]);
    experiment.checkpoint.every_seconds = crate::values::NonNegative::new(f64::from(every_seconds)).unwrap();
    experiment
}

fn broken_off(place: &Path, every_seconds: u32) -> Diary {
    let diary = Diary { patience: Some(260), ..Diary::default() };
    let run = run_in(&two_arms(every_seconds), place, 1, &diary);
    assert_eq!(run.manifest.state, State::Interrupted);
    let looks = diary.looks.lock().unwrap().len();
    // However seldom runs are saved, one that is cancelled ends at once.
    assert!(looks <= 261, "{looks}");
    assert!(diary.looks.lock().unwrap().iter().any(|(arm, _)| arm == "second"));
    diary
}

#[test]
fn what_finished_is_not_run_again_and_what_was_saved_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let whole = run_in(&two_arms(0), &place.path().join("whole"), 1, &Unwatched);
    for every_seconds in [0, 1000] {
        let broken = place.path().join(format!("broken-{every_seconds}"));
        let before = broken_off(&broken, every_seconds);
        let after = Diary::default();
        let run = resume_at(&broken, &after);
        let (before, after_looks) = (before.looks.into_inner().unwrap(), after.looks.into_inner().unwrap());
        assert!(after_looks.iter().all(|(arm, _)| arm == "second"), "the first had finished");
        assert!(after.damaged.into_inner().unwrap().is_empty());
        assert_eq!(run.manifest.bits, whole.manifest.bits);
        // Looks are neither repeated nor left out.
        assert_eq!(before.len() + after_looks.len(), run.tables.history.len());
        // Time goes on where it stood.
        for arm in ["first", "second"] {
            let times: Vec<f64> =
                run.tables.history.iter().filter(|row| row.arm == arm).map(|row| row.seconds).collect();
            assert!(times.is_sorted() && times[0] >= 0.0 && times[0] < times[times.len() - 1], "{arm}: {times:?}");
        }
    }
}

#[test]
fn a_finished_run_whose_model_is_gone_is_run_again() {
    let place = tempfile::tempdir().unwrap();
    broken_off(place.path().join("run").as_path(), 0);
    let folder = Folder::at(place.path().join("run"));
    let model = folder.model_path("first", 3, record::Moment::End);
    let bytes = std::fs::read(&model).unwrap();
    std::fs::remove_file(&model).unwrap();
    let diary = Diary::default();
    resume_at(folder.path(), &diary);
    assert!(diary.looks.into_inner().unwrap().iter().any(|(arm, _)| arm == "first"));
    assert_eq!(std::fs::read(&model).unwrap(), bytes);
}

#[test]
fn damaged_checkpoints_are_told_of_with_what_is_done_about_them() {
    for (damaged, told) in [(vec!["a"], vec![false]), (vec!["a", "b"], vec![true, true])] {
        let place = tempfile::tempdir().unwrap();
        let whole = run_in(&two_arms(0), &place.path().join("whole"), 1, &Unwatched);
        let broken = place.path().join("broken");
        broken_off(&broken, 0);
        for letter in &damaged {
            let path = checkpoint::folder(&broken).join(format!("second-s3.{letter}.ckpt"));
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
        let diary = Diary::default();
        let run = resume_at(&broken, &diary);
        let events = diary.damaged.into_inner().unwrap();
        // The older of two is not read while the newer is sound.
        assert!(events == told || (damaged.len() == 1 && events.is_empty()), "{damaged:?}: {events:?}");
        assert_eq!(run.manifest.bits, whole.manifest.bits);
    }
}

#[test]
fn what_is_known_of_training_stands_in_rows_of_training_only() {
    let arms = r#"(name: "a", method: Genetic(population: 6, generations: 30, scheme: GlorotUniform)),"#;
    let text = format!(
        r#"Experiment(
            schema: 1, name: "lm", seeds: List([3]),
            task: Regression(
                data: Friedman1(samples: 60, features: 5, seed: 1), split: Random(train: 0.6, validation: 0.2, test: 0.2),
            ),
            network: Mlp(hidden: [(units: 3)]),
            train: (optimizer: LevenbergMarquardt(), stop: [Patience(6)]),
            arms: [{arms}], budget: RowPasses(40_000),
        )"#
    );
    let place = tempfile::tempdir().unwrap();
    let experiment = parse(&text, Path::new("lm.ron")).unwrap().experiment;
    let run = run_in(&experiment, &place.path().join("run"), 1, &Unwatched);
    let known = |row: &record::HistoryRow| {
        [row.gradient_norm.is_some(), row.damping.is_some(), row.validation_checks.is_some()]
    };
    let phase = |phase| run.tables.history.iter().filter(move |row| row.phase == phase);
    assert!(phase(record::Phase::Search).count() > 10);
    assert!(phase(record::Phase::Search).all(|row| known(row) == [false; 3]));
    assert!(phase(record::Phase::Train).filter(|row| row.step > 0).all(|row| known(row) == [true; 3]));
    assert!(phase(record::Phase::Train).any(|row| row.step > 0));
}

#[test]
fn predictions_of_several_outputs_stand_in_their_rows() {
    for (features, coordinates) in [(2, [true, true]), (3, [false, false])] {
        let text = format!(
            r#"Experiment(
                schema: 1, name: "two", seeds: List([3]),
                task: Regression(
                    data: RandomTeacher(samples: 30, features: {features}, hidden: 2, outputs: 2, seed: 1),
                    split: Random(train: 0.5, test: 0.5),
                ),
                network: Mlp(hidden: [(units: 3)]), train: (optimizer: Sgd(learning_rate: 0.01)),
                arms: [(name: "a", method: Random(scheme: GlorotUniform))], budget: TrainingPasses(20),
            )"#
        );
        let place = tempfile::tempdir().unwrap();
        let study = Study::new(parse(&text, Path::new("two.ron")).unwrap().experiment, Path::new(".")).unwrap();
        let options = RunOptions { out: Some(place.path().join("run")), threads: 1, ..RunOptions::default() };
        let run = run(&study, &options, &Unwatched).unwrap();
        let model = model::Model::load(&run.folder.model_path("a", 3, record::Moment::End)).unwrap();
        let expected = model.predict(&study.dataset.inputs).unwrap();
        assert_eq!(run.tables.predictions.len(), 60);
        for row in &run.tables.predictions {
            let (place, output) = (row.row as usize, row.output as usize);
            assert_eq!(row.predicted, expected[[place, output]], "{row:?}");
            assert_eq!([row.x1.is_some(), row.x2.is_some()], coordinates);
            assert!(row.x1.is_none_or(|x| x == study.dataset.inputs[[place, 0]]));
        }
    }
}

/// Follows every training.
#[derive(Default)]
struct Follower {
    steps: Mutex<Vec<(String, u64, TrainingStep)>>,
}

impl Watch for Follower {
    fn event(&self, event: Event) {
        if let Event::Stepped { arm, seed, step } = event {
            self.steps.lock().unwrap().push((arm.to_owned(), seed, *step));
        }
    }

    fn follows(&self, _: &str, _: u64) -> bool {
        true
    }
}

#[test]
fn following_a_training_changes_nothing_and_tells_every_step() {
    let place = tempfile::tempdir().unwrap();
    let text = r#"Experiment(
        schema: 1, name: "followed", seeds: List([3, 4]),
        task: Regression(data: SineFit(function: Sin, samples: 40, domain: (-3, 3), noise: 0.1, seed: 1),
            split: Random(train: 0.7, validation: 0.3)),
        network: Mlp(hidden: [(units: 4)]), train: (optimizer: LevenbergMarquardt(), stop: [Patience(4)]),
        arms: [(name: "lm", method: Random(scheme: NguyenWidrow)),
            (name: "race", method: Race(scheme: NguyenWidrow, candidates: 3, steps: 5)),
            (name: "sgd", method: Restarts(scheme: NguyenWidrow, cutoff: Fixed(100)),
                train: (optimizer: Sgd(learning_rate: 0.1), batch: Size(8)))],
        budget: TrainingPasses(3000))"#;
    let experiment = parse(text, Path::new("followed.ron")).unwrap().experiment;
    let follower = Follower::default();
    let watched = run_in(&experiment, &place.path().join("watched"), 2, &follower);
    let alone = run_in(&experiment, &place.path().join("alone"), 1, &Unwatched);
    assert_eq!(watched.tables.bits().unwrap(), alone.tables.bits().unwrap());
    let steps = follower.steps.into_inner().unwrap();
    for row in &watched.tables.results {
        let own: Vec<&TrainingStep> =
            steps.iter().filter(|(arm, seed, _)| (arm, *seed) == (&row.arm, row.seed)).map(|(.., step)| step).collect();
        assert!(own.windows(2).all(|pair| pair[0].spent < pair[1].spent), "{}", row.arm);
        assert!(own.iter().all(|step| step.loss.is_finite() && step.gradient_norm.is_some()));
        assert!(own.iter().all(|step| step.damping.is_some() == (row.arm != "sgd")));
        if row.arm == "lm" {
            assert_eq!((own.len() as u64, own.last().unwrap().checks), (row.steps, Some(4)));
        }
    }
    assert!(steps.iter().any(|(arm, ..)| arm == "race") && steps.iter().any(|(arm, ..)| arm == "sgd"));
}

#[test]
fn a_reference_is_told_at_each_seed_and_costs_the_arms_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut plain = experiment(
        SMALL,
        SGD,
        &format!("{ARM}, (name: \"b\", method: Random(scheme: Normal(standard_deviation: 0.5)))"),
        9_000,
    );
    let alone = run_in(&plain, &place.path().join("alone"), 1, &Unwatched).tables;
    plain.reference = Some(dialect().from_str("SupportVectorMachine()").unwrap());
    let beside = run_in(&plain, &place.path().join("beside"), 2, &Unwatched);
    let loaded = beside.folder.tables().unwrap();
    assert_eq!(loaded.reference, beside.tables.reference);
    let told: Vec<u64> = loaded.reference.iter().map(|row| row.seed).collect();
    assert_eq!(told, [3, 4]);
    assert!(loaded.reference.iter().all(|row| row.test > 0.85 && row.training > 0.9 && row.support_vectors > 5));
    let without = |mut tables: Tables| {
        tables.reference.clear();
        tables.bits().unwrap()
    };
    assert_eq!(without(loaded.clone()), without(alone));
    // Records that are taken apart and put together again lose none.
    let study = Study::new(plain, Path::new(".")).unwrap();
    assert_eq!(Tables::of(loaded.clone().records(), &study).reference, loaded.reference);
}

/// An autoencoder of these data with everything else as `more` says.
fn autoencoder(task: &str, network: &str) -> crate::error::Result<Study> {
    let text = format!(
        r#"Experiment(
            schema: 1, name: "code", seeds: List([3]), task: Autoencoding({task}), network: Mlp({network}),
            train: (optimizer: Adam(learning_rate: 0.01), batch: Size(32)),
            arms: [(name: "a", method: Random(scheme: GlorotUniform))], budget: TrainingPasses(600),
        )"#
    );
    Study::new(parse(&text, Path::new("code.ron"))?.experiment, Path::new("."))
}

const DIGITS: &str = r#"data: Builtin("digits"), split: Stratified(train: 0.6, validation: 0.2, test: 0.2)"#;

#[test]
fn an_autoencoder_learns_its_own_rows() {
    let study = autoencoder(r#"data: Builtin("iris"), split: Random(train: 0.7, test: 0.3)"#, "hidden: [(units: 3)]");
    let study = study.unwrap();
    assert_eq!((study.network.inputs(), study.network.outputs()), (4, 4));
    let prepared = study.prepare(3).unwrap();
    for rows in [&prepared.supervised.training, prepared.holdout.test.as_ref().unwrap()] {
        assert!((0..rows.count()).all(|row| rows.input(row) == rows.target(row)));
    }
    let place = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(place.path().join("run")), threads: 1, ..RunOptions::default() };
    let run = run(&study, &options, &Unwatched).unwrap();
    let result = &run.tables.results[0];
    let explained = result.test_metric.unwrap();
    assert!(explained > 0.8, "{result:?}");
    // Standardized columns: the share that is missing is about the mean squared error.
    assert!((1.0 - explained - result.test_loss.unwrap()).abs() < 0.1, "{result:?}");
    assert_eq!((run.manifest.targets.len(), run.tables.predictions.len()), (4, 600));
    assert!(run.manifest.notes.is_empty());
    let wide = autoencoder(r#"data: Builtin("iris"), split: Random(train: 1.0)"#, "hidden: [(units: 4)]").unwrap();
    let options = RunOptions { out: Some(place.path().join("wide")), threads: 1, ..RunOptions::default() };
    let notes = super::run(&wide, &options, &Unwatched).unwrap().manifest.notes;
    assert!(notes.len() == 1 && notes[0].contains("no hidden layer is narrower"), "{notes:?}");
    let model = model::Model::load(&run.folder.model_path("a", 3, record::Moment::End)).unwrap();
    assert_eq!(model.header.targets, model.header.inputs);
    let expected = model.predict(&study.dataset.inputs).unwrap();
    for row in &run.tables.predictions {
        let (place, output) = (row.row as usize, row.output as usize);
        assert_eq!((row.predicted, row.target), (expected[[place, output]], study.dataset.inputs[[place, output]]));
    }
}

#[test]
fn examples_of_many_numbers_are_one_row_of_each_label() {
    let study =
        autoencoder(&format!("{DIGITS}, loss: CrossEntropy, scaling: MinMax(low: 0, high: 1)"), "hidden: [(units: 8)]");
    let study = study.unwrap();
    let prepared = study.prepare(3).unwrap();
    let test = prepared.holdout.test.as_ref().unwrap();
    let beyond = |x: &f32| !(0.0..=1.0).contains(x);
    assert!((0..test.count()).any(|row| test.input(row).iter().any(beyond)), "some pixel of no training row");
    assert!(!test.targets().iter().any(beyond), "probabilities stay probabilities");
    let place = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(place.path().join("run")), threads: 1, ..RunOptions::default() };
    let run = run(&study, &options, &Unwatched).unwrap();
    let examples: Vec<&record::PredictionRow> = run.tables.predictions.iter().filter(|row| row.output == 0).collect();
    assert_eq!((run.tables.predictions.len(), examples.len()), (12 * 64, 12));
    let (labels, _) = study.dataset.targets.classes().unwrap();
    let shown: Vec<u32> = examples.iter().map(|row| labels[row.row as usize]).collect();
    assert_eq!(shown, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    assert!(examples.iter().all(|row| row.part == "test" && prepared.parts.test.contains(&(row.row as usize))));
}

#[test]
fn outputs_that_inputs_cannot_equal_are_refused() {
    let code =
        |more: &str, network: &str| autoencoder(&format!("{DIGITS}{more}"), network).err().map(|error| error.code());
    assert_eq!(code("", "hidden: []"), None, "a linear copy is allowed");
    assert_eq!(code("", "hidden: [], output: Logistic"), Some("P0135"));
    assert_eq!(code(", loss: CrossEntropy", "hidden: []"), Some("P0135"));
    assert_eq!(
        code(", loss: CrossEntropy, scaling: MinMax(low: 0, high: 1)", "hidden: [], output: Softmax"),
        Some("P0135")
    );
    assert_eq!(
        code(", loss: CrossEntropy, scaling: MinMax(low: 0, high: 1)", "hidden: [], output: Tanh"),
        Some("P0135")
    );
    assert_eq!(code(", loss: CrossEntropy, scaling: MinMax(low: 0.1, high: 0.9)", "hidden: []"), None);
    assert_eq!(code(", scaling: None", "hidden: [], output: Tanh"), Some("P0135"));
    assert_eq!(code(", scaling: MinMax()", "hidden: [], output: Tanh"), None);
    assert_eq!(code(", scaling: MinMax()", "hidden: [], output: Logistic"), Some("P0135"));
    assert_eq!(code(", image: (16, 4)", "hidden: []"), None);
    assert_eq!(code(", image: (8, 9)", "hidden: []"), Some("P0121"));
    let unlabelled = DIGITS.replace("digits", "diabetes");
    assert_eq!(autoencoder(&unlabelled, "hidden: []").unwrap_err().code(), "P0212");
    let image = |task: &str, features| autoencoder(task, "hidden: []").unwrap().experiment.task.image(features);
    assert_eq!((image(DIGITS, 64), image(&format!("{DIGITS}, image: (16, 4)"), 64)), (Some((8, 8)), Some((16, 4))));
    assert_eq!((image(DIGITS, 36), image(DIGITS, 63)), (None, None));
}

#[test]
fn threshold_outputs_are_served_by_what_needs_no_gradient() {
    let code = |task: &str, optimizer: &str, method: &str| {
        let text = format!(
            r#"Experiment(schema: 1, name: "t", seeds: List([1]), task: {task}, network: Mlp(hidden: [], output: Step),
                train: (optimizer: {optimizer}), arms: [(name: "a", method: {method})], budget: TrainingPasses(9))"#
        );
        let experiment = parse(&text, Path::new("t.ron")).unwrap().experiment;
        Study::new(experiment, Path::new(".")).map(|_| ()).map_err(|error| error.code())
    };
    let classes = r#"Classification(data: Builtin("iris"), split: Random(train: 1.0), loss: MeanSquared)"#;
    let values = r#"Regression(data: Builtin("diabetes"), split: Random(train: 1.0))"#;
    let random = "Random(scheme: Constant(value: 0))";
    assert_eq!(code(classes, "Perceptron()", random), Ok(()));
    assert_eq!(code(classes, "Adam()", "Untrained(scheme: Constant(value: 0))"), Ok(()));
    assert_eq!(code(classes, "Adam()", random), Err("P0138"));
    assert_eq!(code(classes, "Perceptron()", "GradInit(scheme: GlorotUniform)"), Err("P0138"));
    assert_eq!(code(values, "Perceptron()", random), Err("P0135"));
}

#[test]
fn mistakes_are_told_epoch_by_epoch_and_bounded_where_they_end() {
    let text = r#"Experiment(
        schema: 1, name: "mistakes", seeds: List([1, 2]),
        task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, test: 0.3), loss: MeanSquared),
        network: Mlp(hidden: [], output: Step), train: (optimizer: Perceptron()),
        arms: [(name: "a", method: Random(scheme: Constant(value: 0)))], budget: TrainingPasses(60),
    )"#;
    let experiment = parse(text, Path::new("mistakes.ron")).unwrap().experiment;
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("mistakes");
    let tables = run_in(&experiment, &out, 2, &Unwatched).tables;
    assert_eq!(Folder::at(&out).tables().unwrap(), tables);
    for seed in [1, 2] {
        let last_of = |unit: u64| {
            let rows: Vec<_> = tables.mistakes.iter().filter(|row| (row.seed, row.unit) == (seed, unit)).collect();
            let mut total = 0;
            for (row, epoch) in rows.iter().zip(1..) {
                total += row.mistakes;
                assert_eq!((row.epoch, row.total), (epoch, total), "unit {unit}");
            }
            let (last, before) = rows.split_last().unwrap();
            assert!(before.len() > 20 && before.iter().all(|row| (row.radius, row.margin) == (None, None)));
            assert!(last.radius.unwrap() > 1.0, "with 1 for the threshold");
            (*last).clone()
        };
        // A plane parts setosa from the others, and none parts versicolor.
        let (setosa, versicolor) = (last_of(0), last_of(1));
        assert!(setosa.mistakes == 0 && setosa.margin.unwrap() > 0.0);
        assert!(setosa.bound.unwrap() >= setosa.total as f64 && setosa.total > 0, "Novikoff's bound: {setosa:?}");
        assert!(versicolor.mistakes > 0 && versicolor.margin.unwrap() < 0.0 && versicolor.bound.is_none());
    }
}
