use super::*;
use crate::error::Result;
use crate::experiment::folder::State;
use crate::experiment::load::parse_as;
use crate::experiment::record::RunState;
use crate::experiment::{
    Event, Folder, Opened, Reopened, RunOptions, Standing, Study, Unwatched, Watch, open, resume_suite, run, run_suite,
    verify,
};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const TINY: &str = r#"Suite(
    schema: 1, name: "tiny",
    tasks: [
        (name: "iris", task: Classification(data: Builtin("iris"), split: Stratified(train: 0.4, test: 0.6)),
         network: Mlp(hidden: [(units: 3)])),
        (name: "xor", task: Classification(data: Xor, split: Random(train: 1.0)), network: Mlp(hidden: [(units: 2)])),
    ],
    trainers: [
        (name: "slow", train: (optimizer: Adam(learning_rate: 0.01))),
        (name: "fast", train: (optimizer: Adam(learning_rate: 0.1))),
    ],
    arms: [
        (name: "glorot", role: Classic, method: Random(scheme: GlorotUniform)),
        (name: "wide", role: Classic, method: Random(scheme: LeCunNormal)),
        (name: "solved", role: Extended, method: LeastSquaresOutput(scheme: GlorotUniform)),
        (name: "graft", role: Candidate, method: Graft()),
    ],
    budget: TrainingPasses(300),
    pilot: (arm: "glorot", seeds: List([91, 92, 93]), passes: [60, 200]),
    selection: List([81, 82]), seeds: List([1, 2, 3]),
    bootstrap: 199,
)"#;

fn suite(text: &str) -> Suite {
    parse_as(text, Path::new("tiny.ron")).unwrap_or_else(|error| panic!("{error}")).experiment
}

fn study() -> SuiteStudy {
    SuiteStudy::new(suite(TINY), Path::new("")).unwrap()
}

fn options(out: &Path, threads: usize) -> RunOptions {
    RunOptions { out: Some(out.to_owned()), threads, ..RunOptions::default() }
}

/// Ends a run after so many arms.
struct Impatient(AtomicUsize);

impl Watch for Impatient {
    fn event(&self, event: Event) {
        if let Event::ArmFinished { .. } = event {
            _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        }
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

#[test]
fn threads_and_interruptions_change_no_bit() {
    let place = tempfile::tempdir().unwrap();
    let study = study();
    let whole = run_suite(&study, &options(&place.path().join("one"), 1), &Unwatched).unwrap();
    assert_eq!(whole.manifest.state, State::Complete);
    assert_eq!(whole.manifest.bits, whole.tables.bits().unwrap());
    assert_eq!(SuiteTables::load(whole.folder.path()).unwrap(), whole.tables);
    assert!(!whole.folder.path().join("checkpoints").exists());
    let three = run_suite(&study, &options(&place.path().join("three"), 3), &Unwatched).unwrap();
    assert_eq!(three.manifest.bits, whole.manifest.bits);

    let broken = place.path().join("broken");
    let mut run = run_suite(&study, &options(&broken, 2), &Impatient(AtomicUsize::new(2))).unwrap();
    let mut times = 0;
    while run.manifest.state != State::Complete {
        let folder = Folder::at(&broken);
        let standing = Standing::of(&folder).unwrap();
        assert!(standing.finished < standing.runs && !broken.join("results.csv").exists(), "{standing:?}");
        let reopened = Reopened::open(folder, None).unwrap();
        run = resume_suite(&study, &reopened, 2, &Impatient(AtomicUsize::new(9))).unwrap();
        times += 1;
        assert!(times < 100, "it never gets on");
    }
    assert!(times > 3, "{times}");
    assert_eq!(run.manifest.bits, whole.manifest.bits);
    assert_eq!(Standing::of(&run.folder).unwrap().manifest.state, State::Complete);
    // Whoever resumes a whole suite gets what is there.
    let again = resume_suite(&study, &Reopened::open(run.folder, None).unwrap(), 1, &Unwatched).unwrap();
    assert_eq!(again.tables, whole.tables);
}

#[test]
fn a_suite_is_verified_seed_by_seed_and_a_changed_cell_is_found() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    run_suite(&study(), &options(&out, 2), &Unwatched).unwrap();
    let folder = Folder::at(&out);
    let seeds = crate::experiment::config::Seeds::List(vec![2, 81]);
    let found = verify(&folder, Some(&seeds), None, 2, &Unwatched).unwrap();
    assert!(found.differences.is_empty() && found.runs > 16, "{found:?}");
    let strange = crate::experiment::config::Seeds::List(vec![7]);
    assert_eq!(verify(&folder, Some(&strange), None, 1, &Unwatched).unwrap_err().code(), "P0309");
    let mut tables = SuiteTables::load(&out).unwrap();
    let row = tables.results.iter_mut().find(|row| row.phase == Phase::Final && row.seed == 2).unwrap();
    row.total += 1.0;
    tables.save(&out).unwrap();
    let found = verify(&folder, Some(&seeds), None, 2, &Unwatched).unwrap();
    assert!(found.differences.len() == 1 && found.differences[0].contains("total was"), "{found:?}");
}

#[test]
fn a_cell_run_alone_reaches_its_targets_at_the_same_costs() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let suite = run_suite(&study(), &options(&out, 2), &Unwatched).unwrap();
    let file = out.join("experiments/selection.iris.fast.ron");
    let Opened::Experiment(loaded) = open(&file).unwrap() else { panic!() };
    let targets: Vec<f64> = loaded.experiment.statistics.targets.iter().map(|target| target.get()).collect();
    let study: Study = loaded.study().unwrap();
    let rows = study.prepare(81).unwrap().supervised.training.count() as f64;
    let alone = run(&study, &options(&place.path().join("alone"), 2), &Unwatched).unwrap();
    let of =
        |row: &&SuiteRow| (row.phase, row.task.as_str(), row.trainer.as_str()) == (Phase::Selection, "iris", "fast");
    let cell: Vec<&SuiteRow> = suite.tables.results.iter().filter(of).collect();
    assert_eq!(cell.len(), 4 * 2 * 2);
    for row in cell {
        let looks = alone.tables.history.iter().filter(|look| look.arm == row.arm && look.seed == row.seed);
        let there = looks.clone().find(|look| look.train_loss.unwrap() <= targets[row.target - 1]);
        assert_eq!(row.passes, there.map(|look| look.cost / rows), "{row:?}");
        // In the suite a run ends at its last target.
        let last = looks.clone().find(|look| look.train_loss.unwrap() <= targets[1]);
        let end = alone.tables.results.iter().find(|run| run.arm == row.arm && run.seed == row.seed).unwrap();
        let spent = last.map_or(end.total_cost, |look| look.cost);
        assert!((row.total - spent / rows).abs() < 1e-9, "{row:?}, {spent}");
        assert_eq!(row.state == RunState::Stopped, last.is_some());
    }
}

#[test]
fn what_was_written_down_cannot_be_changed_afterwards() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let study = study();
    run_suite(&study, &options(&out, 2), &Impatient(AtomicUsize::new(2))).unwrap();
    let resume = |text: &str| -> Result<SuiteRun> {
        std::fs::write(out.join("experiment.ron"), text).unwrap();
        resume_suite(&study, &Reopened::open(Folder::at(&out), None)?, 1, &Unwatched)
    };
    for (from, to) in [
        ("seeds: List([1, 2, 3])", "seeds: List([1, 2, 3, 4])"),
        ("passes: [60, 200]", "passes: [60, 201]"),
        ("List([81, 82])", "List([81])"),
        ("budget: TrainingPasses(300)", "margin: (ratio: 2), budget: TrainingPasses(300)"),
        ("role: Extended", "role: Candidate"),
    ] {
        assert!(TINY.contains(from), "{from}");
        assert_eq!(resume(&TINY.replace(from, to)).unwrap_err().code(), "P0309", "{to}");
    }
    assert!(resume(&TINY.replace("schema: 1,", "schema: 1, notes: \"why\",")).is_ok());
}

#[test]
fn what_does_not_go_together_is_refused_with_a_way_out() {
    let edits = [
        ("List([81, 82])", "List([81, 92])", "P0160", "seed 92 is in `pilot.seeds` and in `selection`"),
        ("seeds: List([1, 2, 3])", "seeds: List([82])", "P0160", "in `selection` and in `seeds`"),
        ("role: Candidate", "role: Extended", "P0160", "`Candidate`"),
        ("pilot: (arm: \"glorot\"", "pilot: (arm: \"gorot\"", "P0160", "gorot"),
        ("passes: [60, 200]", "passes: [60, 60]", "P0160", "ascend"),
        ("passes: [60, 200]", "passes: []", "P0160", "ascend"),
        ("passes: [60, 200]", "passes: [60, 301]", "P0160", "301"),
        ("name: \"wide\"", "name: \"glorot\"", "P0107", "glorot"),
        ("name: \"fast\"", "name: \"slow\"", "P0107", "slow"),
        ("name: \"iris\"", "name: \"iris-iris-iris-iris-iris-iris-iris-iris-iris-iris-iris\"", "P0160", "too long"),
        ("method: Graft()", "method: ShuffledWinner(of: \"wide\")", "P0160", "refers to another arm"),
        ("(units: 2)]", "]", "P0120", "in selection.xor.slow"),
    ];
    for (from, to, code, word) in edits {
        assert!(TINY.contains(from), "{from}");
        let error = SuiteStudy::new(suite(&TINY.replacen(from, to, 1)), Path::new("")).unwrap_err();
        assert_eq!(error.code(), code, "{to}: {error}");
        assert!(error.to_string().contains(word), "{to}: {error}");
        assert!(error.problems().iter().all(|problem| !problem.helps.is_empty()), "{to}: {error}");
    }
}

#[test]
fn finalists_are_the_cheapest_of_their_kind_on_each_task_and_target() {
    let suite = suite(TINY);
    let row = |task: &str, trainer: &str, arm: &str, seed: u64, passes: [Option<f64>; 2]| {
        [1, 2].map(|target| SuiteRow {
            phase: Phase::Selection,
            task: task.into(),
            trainer: trainer.into(),
            arm: arm.into(),
            seed,
            target,
            loss: Some(0.1),
            passes: passes[target - 1],
            total: 300.0,
            state: RunState::Complete,
            train_loss: None,
            test_loss: None,
            test_metric: None,
            weights_hash: String::new(),
        })
    };
    let mut rows = Vec::new();
    // Expected costs: what was spent, by the number of successes.
    let costs = [
        ("iris", "glorot", [[40.0, 100.0], [30.0, 120.0]]),
        ("iris", "wide", [[35.0, 90.0], [60.0, 80.0]]),
        ("iris", "solved", [[50.0, 70.0], [20.0, 150.0]]),
        ("iris", "graft", [[10.0, 95.0], [12.0, 60.0]]),
        ("xor", "glorot", [[40.0, 100.0], [80.0, 200.0]]),
        ("xor", "wide", [[45.0, 110.0], [90.0, 190.0]]),
        ("xor", "solved", [[60.0, 160.0], [70.0, 170.0]]),
        ("xor", "graft", [[30.0, 99.0], [40.0, 98.0]]),
    ];
    for (task, arm, trainers) in costs {
        for (trainer, costs) in ["slow", "fast"].into_iter().zip(trainers) {
            for seed in [81, 82] {
                rows.extend(row(task, trainer, arm, seed, costs.map(Some)));
            }
        }
    }
    // One failure in two doubles the cost and adds the budget: wide is out on iris at the last target.
    for row in
        rows.iter_mut().filter(|row| row.arm == "wide" && row.task == "iris" && row.target == 2 && row.seed == 82)
    {
        row.passes = None;
    }
    let found = choices(&suite, &rows);
    let of = |task: usize, target: usize, contender: Contender| {
        let choice =
            found.iter().find(|one| (one.task, one.target, one.contender) == (task, target, contender)).unwrap();
        (suite.arms[choice.arm].name.as_str(), suite.trainers[choice.trainer].name.as_str(), choice.expected)
    };
    assert_eq!(found.len(), 2 * 2 * 4);
    assert_eq!(of(0, 0, Contender::BestClassic), ("glorot", "fast", 30.0));
    assert_eq!(of(0, 0, Contender::BestControl), ("solved", "fast", 20.0));
    assert_eq!(of(0, 1, Contender::BestClassic), ("glorot", "slow", 100.0));
    assert_eq!(of(0, 1, Contender::BestControl), ("solved", "slow", 70.0));
    assert_eq!(of(0, 1, Contender::Candidate(3)), ("graft", "fast", 60.0));
    // Over both tasks glorot is the best classic at the deciding target, the last of two.
    assert_eq!(of(1, 0, Contender::SingleClassic), ("glorot", "slow", 40.0));
    assert_eq!(of(1, 1, Contender::BestClassic), ("glorot", "slow", 100.0));
    assert_eq!(expected([]), f64::INFINITY);
}
