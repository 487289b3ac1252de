//! When a run is looked at, saved and told of, and what of it is written down.

use super::*;
use crate::experiment::checkpoint::{self, Checkpoint};
use crate::experiment::load::parse;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn study(task: &str) -> Study {
    let text = format!(
        r#"Experiment(schema: 1, name: "m", seeds: List([1]), task: {task}, network: Mlp(hidden: []),
            train: (optimizer: Adam()), arms: [(name: "a", method: Random(scheme: GlorotUniform))],
            budget: TrainingPasses(1))"#
    );
    Study::new(parse(&text, Path::new("m.ron")).unwrap().experiment, Path::new(".")).unwrap()
}

#[test]
fn looks_are_evenly_spaced_in_the_logarithm_from_one_pass_to_the_budget() {
    let looks = grid(1_000_000_000, 1_000);
    assert_eq!((looks.len(), looks[0], looks[LOOKS - 1]), (LOOKS, 1_000, u64::MAX));
    let ratio = libm::pow(1e6, 1.0 / 511.0);
    for (look, at) in looks[..LOOKS - 1].iter().enumerate() {
        let expected = 1_000.0 * libm::pow(ratio, look as f64);
        assert!((*at as f64 - expected).abs() <= 0.5 + 1e-9 * expected, "look {look} at {at}, not {expected}");
    }
}

#[test]
fn accuracy_counts_rows() {
    let study = study(r#"Classification(data: Builtin("iris"), split: Random(train: 1.0))"#);
    let targets = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
    let rows = Rows::new(&[0.0; 16], &targets, 4, 3);
    let out = [0.5, 0.2, 0.3, 0.1, 0.7, 0.2, 0.6, 0.2, 0.2, 0.9, 0.0, 0.1];
    assert_eq!(metric(&study, &out, &rows), Some(0.75));
}

#[test]
fn determination_is_over_all_outputs() {
    let study = study(r#"Regression(data: Builtin("diabetes"), split: Random(train: 1.0))"#);
    let rows = |targets: &[f32]| Rows::new(&vec![0.0; 5 * targets.len()], targets, 10, 2);
    let varied = rows(&[1.0, 10.0, 2.0, 30.0, 3.0, 20.0, 6.0, 20.0]);
    // Residuals 1, 4, 0, 9 and 0, 4, 0, 4; around the means of 3 and 20: 4 + 1 + 0 + 9 and 100 + 100.
    let out = [2.0, 10.0, 4.0, 28.0, 3.0, 20.0, 9.0, 22.0];
    assert_eq!(metric(&study, &out, &varied), Some(1.0 - 22.0 / 214.0));
    // What never varies cannot be explained.
    assert_eq!(metric(&study, &[1.0, 2.0, 1.0, 2.0], &rows(&[1.0, 2.0, 1.0, 2.0])), None);
    assert_eq!(metric(&study, &[3.0, 2.0, 1.0, 2.0], &rows(&[1.0, 2.0, 1.0, 2.0])), None);
}

/// A run by hand: what is told, in order, and when it is cancelled.
#[derive(Default)]
struct Book {
    told: Mutex<Vec<String>>,
    looks: AtomicUsize,
    /// Looks after which it is cancelled.
    patience: Option<usize>,
    /// Results whose saves are counted at each look.
    place: Option<PathBuf>,
    saves: Mutex<Vec<usize>>,
}

impl Watch for Book {
    fn event(&self, event: Event) {
        let text = match event {
            Event::ArmStarted { arm, .. } => format!("start {arm}"),
            Event::ArmFinished { row } => format!("end {}", row.arm),
            Event::Damaged { from_start, .. } => format!("damaged {from_start}"),
            _ => {
                self.looks.fetch_add(1, Ordering::SeqCst);
                if let Some(place) = &self.place {
                    let files = std::fs::read_dir(checkpoint::folder(place)).unwrap().flatten();
                    self.saves
                        .lock()
                        .unwrap()
                        .push(files.filter(|file| file.path().extension().is_some_and(|end| end == "ckpt")).count());
                }
                return;
            }
        };
        self.told.lock().unwrap().push(text);
    }

    fn is_cancelled(&self) -> bool {
        self.patience.is_some_and(|most| self.looks.load(Ordering::SeqCst) >= most)
    }
}

/// 105 training rows and no validation, through 14 multiply-adds.
fn iris(train: &str, arms: &str, budget: u64) -> Study {
    let text = format!(
        r#"Experiment(schema: 1, name: "m", seeds: List([3]),
            task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, test: 0.3)),
            network: Mlp(hidden: [(units: 2)]), train: {train}, arms: [{arms}], budget: RowPasses({budget}))"#
    );
    Study::new(parse(&text, Path::new("m.ron")).unwrap().experiment, Path::new(".")).unwrap()
}

const SGD: &str = "(optimizer: Sgd(learning_rate: 0.01))";
const RANDOM: &str = "(name: \"a\", method: Random(scheme: GlorotUniform))";
const BEST: &str = "(name: \"a\", method: BestOf(scheme: GlorotUniform, candidates: Count(100)))";

/// Runs all arms; what they left.
fn replicate(study: &Study, book: &Book, vault: Option<&Vault>, is_whole: bool) -> Vec<Left> {
    let desk = Desk { with_predictions: false, watch: book, vault, is_whole: &|_| is_whole, keep: &|_, _, _| Ok(()) };
    let mut all = Vec::new();
    run_replicate(study, 3, &desk, &mut all).unwrap();
    all
}

fn vault_in(place: &Path, every_seconds: f64) -> Vault {
    let every_seconds = crate::values::NonNegative::new(every_seconds).unwrap();
    Vault::open(place, "meaning", &Checkpoint { every_seconds }).unwrap()
}

#[test]
fn the_grid_of_a_budget_of_no_pass_is_its_end() {
    assert_eq!(grid(7, 10), [7, u64::MAX]);
    assert_eq!(grid(10, 10), [10, u64::MAX]);
    assert_eq!(grid(0, 10), [0, u64::MAX]);
    assert_eq!(grid(2, 1), [1, 2, u64::MAX]);
}

#[test]
fn a_look_that_falls_on_its_bound_is_taken_there() {
    // The 64 candidates that are scored at once cost 64 passes; then come steps of 3 passes.
    let study = iris(SGD, BEST, 105 * 2000);
    let book = Book::default();
    let left = replicate(&study, &book, None, true);
    let costs: Vec<f64> = left[0].record.history.iter().map(|row| row.cost / 105.0).collect();
    assert_eq!(costs[..2], [64.0, 100.0]);
    // A step of exactly one pass ends on the first bound.
    let one = iris(SGD, "(name: \"a\", method: BestOf(scheme: GlorotUniform, candidates: Count(1)))", 105 * 2000);
    let costs: Vec<f64> =
        replicate(&one, &book, None, true)[0].record.history.iter().map(|row| row.cost / 105.0).collect();
    assert_eq!(costs[..3], [1.0, 4.0, 7.0]);
    assert_eq!(book.told.into_inner().unwrap(), ["start a", "end a", "start a", "end a"]);
}

#[test]
fn a_run_ends_at_the_look_that_is_at_its_target() {
    let mut study = iris(SGD, RANDOM, 105 * 600);
    let whole = replicate(&study, &Book::default(), None, true).remove(0).record;
    let (row, after) = (&whole.history[40], &whole.history[41]);
    assert!(after.best_train_loss < row.best_train_loss);
    study.until_loss = row.best_train_loss;
    let short = replicate(&study, &Book::default(), None, true).remove(0).record;
    assert_eq!((short.history.len(), short.result.state), (41, RunState::Stopped));
    assert_eq!(short.result.total_cost, row.cost);
}

#[test]
fn the_first_of_equal_states_is_deployed() {
    // Steps too small to change a number: all looks see the same weights.
    let study = iris("(optimizer: Sgd(learning_rate: 1e-12))", RANDOM, 105 * 600);
    let record = replicate(&study, &Book::default(), None, true).remove(0).record;
    let lowest = record.result.train_loss.unwrap();
    let same: Vec<f64> =
        record.history.iter().filter(|row| row.train_loss == Some(lowest)).map(|row| row.cost).collect();
    assert!(same.len() > 3, "{same:?}");
    assert_eq!(record.result.deployed_cost, same[0]);
    assert!(record.history.iter().all(|row| row.epoch == row.step as f64), "full batches");
}

#[test]
fn a_run_that_is_not_cancelled_is_saved_when_it_is_due() {
    for (every_seconds, saves) in [(0.0, true), (1e6, false)] {
        let place = tempfile::tempdir().unwrap();
        let vault = vault_in(place.path(), every_seconds);
        let book = Book { place: Some(place.path().to_owned()), ..Book::default() };
        replicate(&iris(SGD, RANDOM, 105 * 90), &book, Some(&vault), true);
        let seen = book.saves.into_inner().unwrap();
        assert_eq!(seen.contains(&2), saves, "{seen:?}");
        assert_eq!(checkpoint::census(place.path()), (vec!["a-s3".to_owned()], vec![]));
    }
}

#[test]
fn whoever_cancels_waits_for_no_look() {
    // Looks lie further and further apart; a run that is cancelled after one ends at its next step.
    let study = iris(SGD, RANDOM, 105 * 40_000);
    let prepared = study.prepare(3).unwrap();
    let train = study.train_context(0, &prepared.supervised, 3);
    let place = tempfile::tempdir().unwrap();
    let vault = vault_in(place.path(), 1e6);
    let mut slot = vault.slot("a-s3");
    let book = Book { patience: Some(0), ..Book::default() };
    let start = || {
        let arms = &study.experiment.arms;
        arms[0].method.start(StartContext { train, arms, finished: &[None] })
    };
    let observer = Observer::new(&study, 0, &prepared, 3, &book);
    assert!(observer.run(start().unwrap(), train, false, Some(&mut slot)).unwrap().is_none());
    let mut again = Observer::new(&study, 0, &prepared, 3, &book);
    again.resume(&start, &train, Some(&mut slot)).unwrap();
    assert_eq!((again.seen.cost, again.seen.history.len()), (Cost::ZERO, 0), "nothing was spent");
    // And nothing begins.
    assert!(replicate(&study, &book, Some(&vault), true).is_empty());
    assert!(book.told.into_inner().unwrap().is_empty());
}

#[test]
fn the_state_that_was_saved_goes_on_whatever_became_of_another() {
    let study = iris(SGD, RANDOM, 105 * 300);
    let prepared = study.prepare(3).unwrap();
    let train = study.train_context(0, &prepared.supervised, 3);
    let books: [Book; 3] = Default::default();
    let start = || {
        let arms = &study.experiment.arms;
        arms[0].method.start(StartContext { train, arms, finished: &[None] })
    };
    let cases =
        [(&[][..], 2, &[][..]), (&["b"], 1, &["damaged false"]), (&["a", "b"], 0, &["damaged true", "damaged true"])];
    for ((damaged, steps, told), book) in cases.into_iter().zip(&books) {
        let place = tempfile::tempdir().unwrap();
        let vault = vault_in(place.path(), 1e6);
        let mut slot = vault.slot("a-s3");
        let mut observer = Observer::new(&study, 0, &prepared, 3, book);
        let mut arm = observer.resume(&start, &train, Some(&mut slot)).unwrap();
        let mut scratch = Scratch::default();
        for _ in 0..2 {
            let until = observer.seen.cost.total() + 1;
            let Seen { cost, log, .. } = &mut observer.seen;
            let scratch = &mut scratch;
            let (budget, pause) = (u64::MAX, &|_| false);
            arm.advance(&mut ArmContext { train, budget, until, cost, scratch, log, pause, follow: None }).unwrap();
            observer.seen.seconds = 1000.0 * observer.seen.log.steps as f64;
            observer.save(&*arm, Some(&mut slot)).unwrap();
            assert_eq!(observer.seen.seconds, 1000.0 * observer.seen.log.steps as f64, "a save is not counted twice");
        }
        for letter in damaged {
            let path = checkpoint::folder(place.path()).join(format!("a-s3.{letter}.ckpt"));
            let mut bytes = std::fs::read(&path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            crate::files::replace(&path, &bytes).unwrap();
        }
        let mut again = Observer::new(&study, 0, &prepared, 3, book);
        let loaded = again.resume(&start, &train, Some(&mut vault.slot("a-s3"))).unwrap();
        assert_eq!(again.seen.log.steps, steps, "{damaged:?}");
        assert_eq!(loaded.weights().is_some(), steps > 0, "{damaged:?}: the arm goes with what was seen of it");
        assert!((again.seconds() - 1000.0 * steps as f64).abs() < 100.0, "{}", again.seconds());
        assert_eq!(*book.told.lock().unwrap(), told);
    }
}

#[test]
fn finished_runs_are_taken_only_if_they_are_whole_and_fit() {
    let study = iris(SGD, RANDOM, 105 * 30);
    let place = tempfile::tempdir().unwrap();
    let vault = vault_in(place.path(), 1e6);
    let told = |is_whole: bool| {
        let book = Book::default();
        let left = replicate(&study, &book, Some(&vault), is_whole);
        assert_eq!(left.len(), 1);
        (book.told.into_inner().unwrap().len(), left)
    };
    let (first, mut left) = told(true);
    assert_eq!((first, told(true).0, told(false).0), (2, 0, 2));
    left[0].finished.start = Some(vec![0.0; 3]);
    vault.slot("a-s3").finish(&left[0]).unwrap();
    assert_eq!(told(true).0, 2, "a start of another network");
    left[0].finished.start = None;
    vault.slot("a-s3").finish(&left[0]).unwrap();
    assert_eq!(told(true).0, 0);
}

#[test]
fn a_reference_is_told_beside_the_first_arm_alone() {
    let mut study = iris(SGD, &format!("{RANDOM}, {}", RANDOM.replace("\"a\"", "\"b\"")), 105 * 6);
    study.experiment.reference = Some(crate::experiment::dialect().from_str("SupportVectorMachine()").unwrap());
    let left = replicate(&study, &Book::default(), None, true);
    assert_eq!(left.iter().map(|left| left.record.reference.is_some()).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn an_order_of_batches_is_told_where_there_are_batches() {
    let hash = |train: &str| {
        let left = replicate(&iris(train, RANDOM, 105 * 6), &Book::default(), None, true);
        left[0].record.result.order_hash.clone()
    };
    assert_eq!(hash(SGD), "");
    assert_eq!(hash("(optimizer: Sgd(learning_rate: 0.01), batch: Size(16))").len(), 16);
}

#[test]
fn layers_are_counted_from_one() {
    let left = replicate(&iris(SGD, RANDOM, 105 * 6), &Book::default(), None, true);
    let layers: Vec<usize> = left[0].record.health.iter().map(|row| row.layer).collect();
    assert_eq!(layers, [1, 2, 1, 2, 1, 2], "first draw, start and end");
    assert_eq!(left[0].record.result.diverged_at, None);
}

#[test]
fn rows_of_one_input_have_one_coordinate() {
    let text = r#"Experiment(schema: 1, name: "m", seeds: List([3]),
        task: Regression(data: Polynomial(samples: 20, coefficients: [1.0, 2.0]), split: Random(train: 0.5, test: 0.5)),
        network: Mlp(hidden: []), train: (optimizer: Sgd(learning_rate: 0.01)),
        arms: [(name: "a", method: Random(scheme: GlorotUniform))], budget: TrainingPasses(9))"#;
    let study = Study::new(parse(text, Path::new("m.ron")).unwrap().experiment, Path::new(".")).unwrap();
    let desk = Desk {
        with_predictions: true,
        watch: &Book::default(),
        vault: None,
        is_whole: &|_| true,
        keep: &|_, _, _| Ok(()),
    };
    let mut all = Vec::new();
    run_replicate(&study, 3, &desk, &mut all).unwrap();
    let rows = &all[0].record.predictions;
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row.x1 == Some(study.dataset.inputs[[row.row as usize, 0]]) && row.x2.is_none()));
}

#[test]
fn examples_of_a_label_come_in_their_order() {
    let labels = vec![1, 0, 0, 1, 2, 1];
    let targets = Targets::Classes { labels, names: ["a", "b", "c"].map(str::to_owned).to_vec() };
    let part = [5, 0, 3, 1, 2, 4];
    // Labels 1 1 1 0 0 2: the first of each by label, then the second of each.
    assert_eq!(examples(&targets, &part, 6), [3, 0, 5, 4, 1, 2]);
    assert_eq!(examples(&targets, &part, 2), [3, 0]);
}
