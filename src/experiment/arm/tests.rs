//! What holds for every arm: the budget, the count, the stream.

use super::descent::Descent;
use super::*;
use crate::experiment::prepare::Study;
use crate::experiment::{Experiment, dialect};
use crate::math::kernel::counter;
use crate::sealed::{self, StateReader};
use crate::task::Prepared;
use std::path::Path;

mod guards;

/// An experiment over 64 training rows (whole vectors, so that padding does no extra work) with these arms.
fn experiment(arms: &str, train: &str, budget: u64) -> Experiment {
    let one = ["Graft", "Team", "one-layer"].iter().any(|name| arms.contains(name)) && !arms.contains(DEEP);
    let hidden = if one { "(units: 5)" } else { "(units: 5), (units: 4, activation: Relu)" };
    let text = format!(
        r#"Experiment(
            schema: 1, name: "tiny", seeds: List([5]),
            task: Classification(
                data: Builtin("iris"),
                split: ByOrder(train: 0.42666666666666667, validation: 0.32, test: 0.25333333333333333),
            ),
            network: Mlp(hidden: [{hidden}]),
            train: {train},
            arms: [{arms}],
            budget: RowPasses({budget}),
        )"#
    );
    dialect().from_str(&text).unwrap_or_else(|cause| panic!("{cause}: {text}"))
}

/// What marks a `Graft` that is to have two hidden layers: settings that no other has.
const DEEP: &str = "blocks: 4";

const FULL: &str = "(optimizer: Adam(learning_rate: 0.01))";
/// So slow that arms find plateaus.
const SLOW: &str = "(optimizer: Adam(learning_rate: 0.001))";
const BATCHES: &str = "(optimizer: Adam(learning_rate: 0.01), batch: Size(16), stop: [Patience(50)])";
/// Methods that ask the objective and not only one gradient.
const CONJUGATE: &str = "(optimizer: ScaledConjugateGradient())";
const LBFGS: &str = "(optimizer: Lbfgs(), stop: [Patience(50)])";

/// Every method with settings small enough to run in no time; arms that refer to another name "ga".
const METHODS: &[&str] = &[
    "Random(scheme: GlorotUniform)",
    "Random(scheme: Pretrained(steps: 3, batch: 16, corruption: 0.2))",
    "BestOf(scheme: GlorotUniform, candidates: Count(9))",
    "BestOf(scheme: GlorotUniform, candidates: FillBudgetOf(\"ga\"))",
    "Race(scheme: GlorotUniform, candidates: 5, eta: 2, steps: 3)",
    "Restarts(scheme: GlorotUniform, cutoff: Fixed(7))",
    "Restarts(scheme: GlorotUniform, cutoff: Luby)",
    "LeastSquaresOutput(scheme: GlorotUniform)",
    "ResetOnPlateau(scheme: GlorotUniform, steps: 3)",
    "RestartOnStagnation(scheme: Recipe(Simple), steps: 3, looks: 2, below: 0.9)",
    "GradInit(scheme: GlorotUniform, steps: 5)",
    "GradInit(scheme: GlorotUniform, steps: 4, gamma: 1e-3, batch: Size(32), target: Gradient, eta: 0.1)",
    "MetaInit(scheme: GlorotUniform, steps: 2, rows: 16)",
    "Graft()",
    "Graft(pool_share: 1, regime: Tabular, scheme: GlorotUniform, candidates: 4, waste: 9, steps: 4, blocks: 3, flat: 0.7)",
    "Graft(pool_share: 1, regime: Smooth, scheme: GlorotUniform, candidates: 4, waste: 9, steps: 4, blocks: 3, flat: 0.7)",
    "Graft(pool_share: 1, scheme: GlorotUniform, candidates: 3, waste: 9, fresh: true, steps: 4, blocks: 3, flat: 0.7)",
    "Graft(blocks: 4)",
    "Graft(pool_share: 1, scheme: GlorotUniform, candidates: 4, waste: 9, steps: 4, blocks: 4, flat: 0.7)",
    "Graft(pool_share: 1, regime: Smooth, scheme: GlorotUniform, candidates: 4, waste: 9, steps: 4, blocks: 4, flat: 0.7)",
    "Genetic(population: 6, generations: 4, scheme: GlorotUniform)",
    "Genetic(population: 6, generations: 4, scheme: GlorotUniform, fitness: MinibatchLoss(size: 16), elitism: 1)",
    "Genetic(population: 6, generations: 3, scheme: GlorotUniform, fitness: ShortBackprop(steps: 2, inheritance: Lamarck))",
    "Genetic(population: 6, generations: 3, scheme: GlorotUniform,
        fitness: ShortBackprop(steps: 2, batch: Size(16), inheritance: Partial(0.5)))",
    "Genetic(population: 6, generations: 4, scheme: Lsuv(), crossover: Aligned(rate: 1), mutation: Safe(),
        steps: OneFifth(every: 1))",
    "Genetic(population: 6, generations: 4, scheme: Recipe(Simple), crossover: Team(rate: 0.5, rows: 32))",
    "Genetic(population: 6, generations: 4, scheme: Pretrained(steps: 5, batch: 32, scheme: Lsuv()))",
    "Genetic(population: 6, generations: 9, scheme: GlorotUniform, stop: Stagnation(generations: 2, share: 0.05))",
    "Genetic(population: 6, generations: 4, scheme: GlorotUniform, fitness: ShortBackprop(steps: 2),
        stop: TrainingIsFaster)",
    "Genetic(population: 6, generations: 4, scheme: Recipe(Simple), crossover: Team(rate: 1),
        fitness: ShortBackprop(steps: 2, inheritance: Lamarck), stop: TrainingIsFaster)",
    "CmaEs(scheme: GlorotUniform, generations: 6)",
    "CmaEs(scheme: Lsuv(), generations: 3, population: 5, mode: Separable, fitness: MinibatchLoss(size: 16))",
    "CmaEs(scheme: GlorotUniform, generations: 3, population: 4, restarts: 2, sigma: 0.1,
        fitness: ShortBackprop(steps: 2, batch: Size(16)))",
    "EvolutionStrategy(scheme: GlorotUniform, generations: 6)",
    "EvolutionStrategy(scheme: GlorotUniform, generations: 3, population: 5, fitness: MinibatchLoss(size: 16))",
    "Drift(of: \"ga\")",
    "ShuffledWinner(of: \"ga\")",
    "Untrained(scheme: GlorotUniform)",
];

#[test]
fn every_method_is_among_those_tested_here() {
    for name in Method::CATALOGUE {
        assert!(METHODS.iter().any(|method| method.starts_with(name)), "{name}");
    }
}

struct Outcome {
    cost: Cost,
    log: Log,
    weights: Option<Vec<f32>>,
    end: Step,
    counted: u64,
    smallest_evaluation: u64,
    state: Vec<u8>,
    budget: u64,
}

/// The methods that serve this training.
fn methods(train: &str) -> impl Iterator<Item = &'static str> {
    let full_only = ["Graft", "ResetOnPlateau", "RestartOnStagnation"];
    METHODS
        .iter()
        .copied()
        .filter(move |method| train != BATCHES || !full_only.iter().any(|name| method.starts_with(name)))
}

/// Runs the last arm of `experiment`, after those before it, in pieces of `piece` multiply-adds.
fn play(experiment: &Experiment, piece: u64) -> Outcome {
    play_and(experiment, piece, false)
}

/// The same; if `saved`, every arm is saved, thrown away and loaded between any two of its steps.
fn play_and(experiment: &Experiment, piece: u64, saved: bool) -> Outcome {
    let study = Study::new(experiment.clone(), Path::new(".")).unwrap();
    let prepared: Prepared = study.prepare(5).unwrap();
    let rows = prepared.supervised.training.count() as u64;
    assert_eq!(rows % 64, 0, "padding would do extra work");
    let train = TrainContext {
        network: &study.network,
        supervised: &prepared.supervised,
        training: &study.experiment.train,
        streams: Streams::new(5),
    };
    let budget = study.budget(64);
    let mut finished = vec![None; experiment.arms.len()];
    let mut last = None;
    for (index, arm) in experiment.arms.iter().enumerate() {
        let context = StartContext { train, arms: &experiment.arms, finished: &finished };
        let mut contestant = arm.method.start(context).unwrap();
        let (mut cost, mut scratch, mut log) = (Cost::ZERO, Scratch::default(), Log::default());
        let before = (counter::FORWARD.get(), counter::IN_GRADIENTS.get());
        let mut until = piece;
        let end = loop {
            let until_now = if until >= budget { u64::MAX } else { until };
            let before = cost.total();
            let pause = |spent| saved && spent > before;
            let mut spending = ArmContext {
                train,
                budget,
                until: until_now,
                cost: &mut cost,
                scratch: &mut scratch,
                log: &mut log,
                pause: &pause,
                follow: None,
            };
            match contestant.advance(&mut spending).unwrap() {
                Step::Running => {}
                end => break end,
            }
            if cost.total() >= until {
                until = cost.total().saturating_add(piece);
            }
            if saved {
                let state = sealed::encode(&|to| contestant.save(to));
                contestant = arm.method.start(context).unwrap();
                contestant.load(&mut StateReader::new(&state), &train).unwrap();
                assert_eq!(sealed::encode(&|to| contestant.save(to)), state, "what was loaded is saved as it was");
                log = StateReader::new(&bytes_of(&log)).take().unwrap();
                scratch = Scratch::default();
            }
        };
        let weights = contestant.weights().map(<[f32]>::to_vec);
        let state = sealed::encode(&|to| contestant.save(to));
        drop(contestant);
        // A forward pass counts once, a gradient three times.
        let counted = counter::FORWARD.get() - before.0 + 2 * (counter::IN_GRADIENTS.get() - before.1);
        finished[index] = Some(Finished { search_cost: log.search_cost.unwrap_or(cost), start: log.start.clone() });
        let macs = study.network.multiply_adds() as u64;
        last = Some(Outcome {
            cost,
            log,
            weights,
            state,
            end,
            counted,
            smallest_evaluation: 3 * rows * macs + 2 * rows * macs,
            budget,
        });
    }
    last.unwrap()
}

fn bytes_of<T: Serialize>(data: &T) -> Vec<u8> {
    sealed::encode(&|to| to.put(data))
}

/// Runs in a pool of one thread, whose counters see all the work.
fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(work)
}

fn with_ga(method: &str) -> String {
    let ga = "(name: \"ga\", method: Genetic(population: 6, generations: 3, scheme: GlorotUniform))";
    format!("{ga}, (name: \"arm\", method: {method})")
}

#[test]
fn every_arm_spends_its_budget_and_not_a_pass_more() {
    for train in [FULL, BATCHES] {
        for method in methods(train) {
            let outcome = alone(|| play(&experiment(&with_ga(method), train, 20_000), u64::MAX));
            let budget = outcome.budget;
            let spent = outcome.cost.total();
            assert!(spent <= budget, "{method}: {spent}");
            if outcome.end == Step::Spent {
                // Children of `Safe` and `Aligned` are much dearer than a score.
                let evaluation = if method.contains("Safe") { 20 } else { 1 } * outcome.smallest_evaluation;
                assert!(budget - spent < evaluation, "{method}: {} left", budget - spent);
            }
            assert!(outcome.weights.unwrap().iter().all(|weight| weight.is_finite()), "{method}");
            assert!(outcome.log.start.is_some(), "{method}");
        }
    }
}

#[test]
fn the_kernels_did_what_the_arm_was_charged() {
    for train in [FULL, SLOW, BATCHES, CONJUGATE, LBFGS] {
        for method in methods(train) {
            let outcome = alone(|| play(&experiment(&with_ga(method), train, 20_000), u64::MAX));
            // Least squares and correlations run outside the network's kernels; they are counted where they are made.
            let counted = outcome.counted + outcome.cost.linear_algebra;
            // A shuffled winner is charged a search that another arm did.
            let borrowed =
                if method.starts_with("ShuffledWinner") { outcome.log.search_cost.unwrap().total() } else { 0 };
            assert_eq!(outcome.cost.total() - borrowed, counted, "{method} {train}");
        }
    }
}

#[test]
fn what_runs_outside_the_kernels_is_charged_by_its_formula() {
    // 64 rows of 4 inputs, 5 hidden units, 3 outputs; or of 4 inputs, 5 and 4 hidden units, of which the last are chosen.
    let (n, k) = (64, 3);
    let products = |rows: u64, columns: u64| rows * (columns * (columns + 1) / 2 + columns * k);
    let outputs = |h: u64| products(n, h) + h * h * h / 6 + h * h * k;
    // The first pivot has nothing to be freed of, the second one column, and so on.
    let choice = |m: u64, h: u64| m * (0..h).sum::<u64>() + m * h * (2 * k + 1);
    let team = |m: u64, h: u64| products(n, m) + choice(m, h) + outputs(h);
    let floor = n * k;
    let mut rejected = 0;
    for method in METHODS.iter().filter(|method| method.starts_with("Graft(p")) {
        let (d, h, below) = if method.contains(DEEP) { (5, 4, n * 4 * 5) } else { (4, 5, 0) };
        let outcome = alone(|| play(&experiment(&with_ga(method), SLOW, 60_000), u64::MAX));
        let turns = &outcome.log.turns;
        let count = |change: Change| turns.iter().filter(|turn| turn.change == change).count() as u64;
        let (starts, grafts, resets) = (count(Change::Start), count(Change::Graft), count(Change::Reset));
        assert!(starts > 0 && grafts + resets > 0, "{method}: {starts} {grafts} {resets}");
        rejected += turns.iter().filter(|turn| !turn.accepted).count();
        let pool = h * if method.contains("candidates: 3") { 3 } else { 4 };
        let scions = 8;
        let graft = if method.contains("Smooth") { team(2 * h, h) } else { n * h + n * scions * (k + 1) };
        let expected = starts * team(pool, h) + grafts * graft + floor;
        assert_eq!(outcome.cost.linear_algebra, expected, "{method}: {starts} starts, {grafts} grafts");
        // A pool's passes: layers below, candidates, hidden layer, sums of the outputs, five stretchings of them.
        let passes = below + n * d * pool + n * d * h + n * (d * h + h * k) + 5 * n * k * k;
        assert_eq!(turns[0].price, team(pool, h) + passes, "{method}");
        assert_eq!(outcome.log.search_cost.unwrap().total(), turns[0].price);
    }
    assert!(rejected > 0, "what was thrown away is charged too");
    let ridge =
        |method: &str| alone(|| play(&experiment(&with_ga(method), FULL, 20_000), u64::MAX)).cost.linear_algebra;
    assert_eq!(ridge("LeastSquaresOutput(scheme: GlorotUniform)"), outputs(4));
    assert_eq!(ridge("ResetOnPlateau(scheme: GlorotUniform)"), floor);
    assert_eq!(ridge("RestartOnStagnation(scheme: GlorotUniform)"), floor);
    assert_eq!(ridge("Graft(pool_share: 0.001, scheme: GlorotUniform)"), floor, "a pool that is too dear is not made");
}

#[test]
fn starts_that_stand_still_or_explode_are_given_up_and_paid_for() {
    let spirals = "Classification(data: TwoSpirals(points_per_spiral: 128), split: Random(train: 1.0))";
    let line = "Regression(data: Polynomial(samples: 64, coefficients: [1.0, 2.0]), split: Random(train: 1.0))";
    let hurried = "(optimizer: Sgd(learning_rate: 1e30))";
    for (task, units, train, method) in [
        (
            spirals,
            3,
            FULL,
            "Graft(pool_share: 1, regime: Tabular, scheme: GlorotUniform, waste: 9, steps: 4, blocks: 2)",
        ),
        (spirals, 3, FULL, "Graft(pool_share: 1, scheme: GlorotUniform, waste: 9, steps: 4, blocks: 2)"),
        (spirals, 3, FULL, "Graft(pool_share: 0, scheme: GlorotUniform, waste: 9, steps: 4, blocks: 2)"),
        (spirals, 3, FULL, "RestartOnStagnation(scheme: GlorotUniform, steps: 4)"),
        (line, 2, hurried, "Graft(pool_share: 1, scheme: GlorotUniform)"),
        (line, 2, hurried, "RestartOnStagnation(scheme: GlorotUniform)"),
    ] {
        let mut given = experiment(&with_ga(method), train, 400_000);
        given.task = dialect().from_str(task).unwrap();
        given.network = dialect().from_str(&format!("Mlp(hidden: [(units: {units})])")).unwrap();
        given.arms.remove(0);
        let outcome = alone(|| play(&given, u64::MAX));
        assert_eq!(outcome.cost.total(), outcome.counted + outcome.cost.linear_algebra, "{method} {train}");
        assert!(outcome.cost.total() <= outcome.budget, "{method} {train}");
        assert!(outcome.weights.unwrap().iter().all(|weight| weight.is_finite()), "{method} {train}");
        let starts = outcome.log.turns.iter().filter(|turn| turn.change == Change::Start).count();
        assert!(starts > 1, "{method} {train}: {starts} starts");
        let saved = alone(|| play_and(&given, 99_999, true));
        assert_eq!((saved.cost, bytes_of(&saved.log)), (outcome.cost, bytes_of(&outcome.log)), "{method} {train}");
    }
}

#[test]
fn first_starts_are_those_of_random() {
    let start = |method: &str| alone(|| play(&experiment(&with_ga(method), FULL, 9_000), u64::MAX)).log.drawn.unwrap();
    let random = start("Random(scheme: LeCunNormal)");
    for method in ["LeastSquaresOutput", "ResetOnPlateau", "RestartOnStagnation", "GradInit", "MetaInit"] {
        assert_eq!(start(&format!("{method}(scheme: LeCunNormal)")), random, "{method}");
    }
    let deep = "(name: \"b\", method: Random(scheme: LeCunNormal))";
    let one = experiment(&format!("(name: \"one-layer\", method: Random(scheme: GlorotUniform)), {deep}"), FULL, 9_000);
    assert_eq!(start("Graft(scheme: LeCunNormal)"), alone(|| play(&one, u64::MAX)).log.drawn.unwrap());
}

#[test]
fn what_an_arm_cannot_serve_is_refused_with_the_way_out() {
    for (method, train, code) in [
        ("Graft()", BATCHES, "P0137"),
        ("ResetOnPlateau(scheme: GlorotUniform)", BATCHES, "P0137"),
        ("RestartOnStagnation(scheme: GlorotUniform)", BATCHES, "P0137"),
        ("BestOf(scheme: Recipe(Simple), candidates: Count(2))", FULL, "P0120"),
    ] {
        let text = format!("(name: \"a\", method: {method})");
        let mut asked = experiment(&text, train, 100);
        let crate::experiment::config::Network::Mlp { hidden, .. } = &mut asked.network;
        hidden[0].activation = crate::math::Activation::Gelu;
        let refused = Study::new(asked, Path::new(".")).unwrap_err();
        assert_eq!(refused.code(), code, "{method}");
        assert!(!refused.problems()[0].helps.is_empty(), "{method}");
    }
    let team = "Genetic(population: 4, generations: 2, scheme: GlorotUniform, crossover: Team())";
    for (method, layers) in [(team, 2), ("Graft()", 0)] {
        let mut asked = experiment(&format!("(name: \"a\", method: {method})"), FULL, 100);
        let crate::experiment::config::Network::Mlp { hidden, .. } = &mut asked.network;
        *hidden = vec![hidden[0].clone(); layers];
        let refused = Study::new(asked, Path::new(".")).unwrap_err();
        assert_eq!(refused.code(), "P0120", "{method}");
        assert!(!refused.problems()[0].helps.is_empty(), "{method}");
    }
}

#[test]
fn searches_cost_what_the_plan_says() {
    for method in [
        "BestOf(scheme: Recipe(Simple), candidates: Count(9))",
        "BestOf(scheme: GlorotUniform, candidates: Count(70), fitness: ShortBackprop(steps: 2))",
        "BestOf(scheme: Pretrained(steps: 7, batch: 32, corruption: 0.5), candidates: Count(9))",
        "Race(scheme: Recipe(Simple), candidates: 5, eta: 2, steps: 3)",
        "LeastSquaresOutput(scheme: Recipe(Simple))",
        "Restarts(scheme: GlorotUniform, cutoff: Luby)",
        "Genetic(population: 6, generations: 4, scheme: Recipe(Simple))",
        "CmaEs(scheme: Recipe(Simple), generations: 3, population: 5)",
        "CmaEs(scheme: GlorotUniform, generations: 3, population: 5, fitness: MinibatchLoss(size: 16))",
        "EvolutionStrategy(scheme: Recipe(Simple), generations: 3, population: 5)",
    ] {
        let given = experiment(&with_ga(method), FULL, 100_000);
        let plan = Study::new(given.clone(), Path::new(".")).unwrap().plan(1).unwrap();
        let spent = alone(|| play(&given, u64::MAX)).log.search_cost.unwrap().total();
        assert_eq!(plan.searches[1], ("arm".to_owned(), Some(spent)), "{method}");
    }
}

#[test]
fn a_search_that_training_outruns_ends_early_and_is_charged_for_knowing_it() {
    let told = |more: &str| {
        let method = format!(
            "Genetic(population: 6, generations: 30, scheme: GlorotUniform, fitness: ShortBackprop(steps: 4), {more})"
        );
        let given = experiment(&with_ga(&method), FULL, 200_000);
        let plan = Study::new(given.clone(), Path::new(".")).unwrap().plan(1).unwrap().searches[1].1.unwrap();
        let log = alone(|| play(&given, u64::MAX)).log;
        (log.generations, log.search_cost.unwrap().total(), plan, log.start.unwrap())
    };
    let pass = 64 * (4 * 5 + 5 * 4 + 4 * 3);
    let (all, cost, plan, _) = told("");
    assert_eq!((all.len(), cost), (30, plan));
    let (some, cost, plan, start) = told("stop: TrainingIsFaster");
    assert!((1..30).contains(&some.len()), "{}", some.len());
    assert_eq!(some[0].spent, all[0].spent + pass, "the loss before learning is one pass");
    let best = |generation: &Generation| generation.quantiles.unwrap()[0];
    assert!(some.iter().zip(&all).all(|(some, all)| some.quantiles == all.quantiles), "the same search until then");
    assert_eq!(cost, some.last().unwrap().spent);
    assert!(cost < plan);
    // By hand: training of the best against the latest generation.
    let study = Study::new(experiment(&with_ga(METHODS[0]), FULL, 10), Path::new(".")).unwrap();
    let rows = study.prepare(5).unwrap().supervised.training;
    let last = some.last().unwrap();
    let (before, spent) = match some.len() {
        1 => (last.quantiles.unwrap()[2], 0),
        n => (best(&some[n - 2]), some[n - 2].spent),
    };
    let own = study.network.loss(&start, &rows, &mut crate::network::Workspace::new());
    let training = libm::log(own / best(last)) / (4 * 3 * pass) as f64;
    let search = libm::log(before / best(last)) / (last.spent - spent) as f64;
    assert!(training > search, "{training} {search}");
    let (some, ..) = told("stop: Stagnation(generations: 3, share: 0.02)");
    let n = some.len();
    assert!((4..30).contains(&n), "{n}");
    assert!(best(&some[n - 1]) > 0.98 * best(&some[n - 4]));
    assert!((3..n - 1).all(|place| best(&some[place]) <= 0.98 * best(&some[place - 3])));
}

#[test]
fn searches_score_whom_they_say() {
    let told = |method: &str, budget: u64| {
        let log = alone(|| play(&experiment(&with_ga(method), FULL, budget), u64::MAX)).log;
        (log.evaluations, log.generations.len(), log.selection_fitness.is_some())
    };
    let distribution = "CmaEs(scheme: GlorotUniform, generations: 3, population: 5, fitness: MinibatchLoss(size: 16))";
    assert_eq!(told(distribution, 20_000), (3 * 5 + 2, 3, true), "the mean and the best are scored afresh");
    let genetic = "Genetic(population: 6, generations: 4, scheme: GlorotUniform, fitness: MinibatchLoss(size: 16))";
    // Two elites are scored anew in each generation, and again at the end.
    assert_eq!(told(genetic, 20_000), (4 * 6 + 2, 4, true));
    // Six scores of 64 rows, then four of the next generation, whose elites keep theirs, and one more.
    assert_eq!(told("Genetic(population: 6, generations: 4, scheme: GlorotUniform)", 11 * 64), (11, 3, true));
    assert_eq!(told("Genetic(population: 6, generations: 4, scheme: GlorotUniform)", 8 * 64), (8, 2, true));
    // 16 rows each: with two put aside for the finalists there is room for five.
    assert_eq!(told(genetic, 7 * 16), (5 + 2, 1, true));
    assert_eq!(told("BestOf(scheme: GlorotUniform, candidates: Count(70))", 100_000).0, 70);
    assert_eq!(told("BestOf(scheme: GlorotUniform, candidates: Count(70))", 65 * 64).0, 65);
    // Rungs of five, three and two runners.
    assert_eq!(told("Race(scheme: GlorotUniform, candidates: 5, eta: 2, steps: 3)", 100_000).0, 5 + 3 + 2);
}

#[test]
fn arms_that_refer_to_others_run_after_them() {
    let heir = "(name: \"heir\", method: BestOf(scheme: GlorotUniform, candidates: FillBudgetOf(\"ga\")))";
    let ga = "(name: \"ga\", method: Genetic(population: 6, generations: 3, scheme: GlorotUniform))";
    let study = Study::new(experiment(&format!("{heir}, {ga}"), FULL, 20_000), Path::new(".")).unwrap();
    assert_eq!(study.order, [1, 0]);
    let race = dialect().from_str::<Method>("Race(scheme: GlorotUniform, candidates: 5, eta: 1)").unwrap();
    assert_eq!(race.check().unwrap_err().code(), "P0121");
    assert!(
        dialect().from_str::<Method>("Race(scheme: GlorotUniform, candidates: 5, eta: 2)").unwrap().check().is_ok()
    );
}

#[test]
fn the_best_of_more_draws_is_never_worse() {
    let log = |method: &str| alone(|| play(&experiment(&with_ga(method), FULL, 20_000), u64::MAX)).log;
    let best_of = |count: usize| log(&format!("BestOf(scheme: GlorotUniform, candidates: Count({count}))"));
    let logs: Vec<Log> = (1..=9).map(best_of).collect();
    let random = log("Random(scheme: GlorotUniform)").drawn;
    for (place, log) in logs.iter().enumerate() {
        assert_eq!(log.evaluations, place as u64 + 1);
        assert_eq!(log.drawn, random, "its first draw is that of a single start");
    }
    assert_eq!(logs[0].start, logs[0].drawn);
    let fitness: Vec<f64> = logs.iter().map(|log| log.selection_fitness.unwrap()).collect();
    assert!(fitness.is_sorted_by(|a, b| a >= b) && fitness[8] < fitness[0], "{fitness:?}");
}

#[test]
fn plans_know_what_arms_hold() {
    let ga = "(name: \"ga\", method: Genetic(population: 6, generations: 3, scheme: GlorotUniform,
        fitness: ShortBackprop(steps: 2, inheritance: Lamarck)))";
    let genomes = |method: &str, train: &str| {
        let given = experiment(&format!("{ga}, (name: \"arm\", method: {method})"), train, 20_000);
        let plans = Plans { parameters: 100, training: &given.train, arms: &given.arms };
        [given.arms[0].method.genomes(&plans), given.arms[1].method.genomes(&plans)]
    };
    let race = "Race(scheme: GlorotUniform, candidates: 50)";
    assert_eq!(genomes(race, FULL), [18, 150], "Adam remembers two numbers of each parameter");
    assert_eq!(genomes(race, "(optimizer: Sgd(learning_rate: 0.1))"), [18, 50]);
    assert_eq!(genomes("BestOf(scheme: GlorotUniform, candidates: Count(500))", FULL)[1], 64);
    assert_eq!(genomes("Random(scheme: GlorotUniform)", FULL)[1], 4);
    let heir = "BestOf(scheme: GlorotUniform, candidates: FillBudgetOf(\"ga\"))";
    assert_eq!(genomes(heir, FULL)[1], 128, "what candidates learned is kept, as by the arm it is measured by");
    let study = Study::new(experiment(&with_ga(race), FULL, 20_000), Path::new(".")).unwrap();
    let equations = |text: &str| dialect().from_str::<Method>(text).unwrap().equations(&study.network, 64);
    assert_eq!(equations(race), 0);
    assert!(equations("Race(scheme: Recipe(Simple), candidates: 50)") > 64 * 4 * 4);
    assert!(equations("LeastSquaresOutput(scheme: GlorotUniform)") > 64 * 4 * 4);
}

#[test]
fn looking_often_changes_nothing() {
    for method in METHODS {
        let train = if methods(BATCHES).any(|served| served == *method) { BATCHES } else { FULL };
        let experiment = experiment(&with_ga(method), train, 20_000);
        let (rarely, often) = alone(|| (play(&experiment, u64::MAX), play(&experiment, 777)));
        assert_eq!(rarely.weights, often.weights, "{method}");
        assert_eq!(rarely.cost, often.cost, "{method}");
    }
}

#[test]
fn saving_and_loading_between_any_two_steps_changes_nothing() {
    for train in [FULL, SLOW, BATCHES, CONJUGATE, LBFGS] {
        for method in methods(train) {
            let experiment = experiment(&with_ga(method), train, 6_000);
            let (plain, saved) = alone(|| (play(&experiment, 9_999), play_and(&experiment, 9_999, true)));
            assert_eq!(plain.weights, saved.weights, "{method}");
            assert_eq!((plain.cost, plain.end), (saved.cost, saved.end), "{method}");
            assert_eq!(bytes_of(&plain.log), bytes_of(&saved.log), "{method}");
        }
    }
}

#[test]
fn the_state_of_another_arm_is_refused_or_harmless() {
    for method in METHODS {
        let experiment = experiment(&with_ga(method), FULL, 6_000);
        let study = Study::new(experiment.clone(), Path::new(".")).unwrap();
        let prepared = study.prepare(5).unwrap();
        let (network, training) = (&study.network, &study.experiment.train);
        let train = TrainContext { network, supervised: &prepared.supervised, training, streams: Streams::new(5) };
        let finished = [None, None];
        let context = StartContext { train, arms: &experiment.arms, finished: &finished };
        let mut contestant = experiment.arms[1].method.start(context).unwrap();
        for bytes in [&[][..], &[1], &[0xff; 40], &[0; 400], &[1; 400]] {
            _ = contestant.load(&mut StateReader::new(bytes), &train);
        }
    }
}

#[test]
fn the_state_of_another_network_is_refused() {
    for method in METHODS {
        let experiment = experiment(&with_ga(method), FULL, 6_000);
        let mut other = experiment.clone();
        other.network = dialect().from_str("Mlp(hidden: [(units: 3)])").unwrap();
        let state = play(&other, u64::MAX).state;
        let study = Study::new(experiment.clone(), Path::new(".")).unwrap();
        let prepared = study.prepare(5).unwrap();
        let (network, training) = (&study.network, &study.experiment.train);
        let train = TrainContext { network, supervised: &prepared.supervised, training, streams: Streams::new(5) };
        let finished = [None, None];
        let context = StartContext { train, arms: &experiment.arms, finished: &finished };
        let mut contestant = experiment.arms[1].method.start(context).unwrap();
        assert!(contestant.load(&mut StateReader::new(&state), &train).is_err(), "{method}");
    }
}

#[test]
fn a_budget_too_small_for_the_search_still_ends() {
    for method in METHODS {
        for budget in [1, 70, 500, 1500] {
            let outcome = alone(|| play(&experiment(&with_ga(method), FULL, budget), 64));
            // A start there must be, even where it alone is dearer than the budget.
            let start = ["ShuffledWinner", "Lsuv", "Recipe", "Pretrained", "Graft()", "Graft(blocks"]
                .iter()
                .any(|dear| method.contains(dear));
            assert!(outcome.cost.total() <= outcome.budget || start, "{method} {budget}");
        }
    }
}

#[test]
fn the_best_of_the_search_never_gets_worse_on_fixed_scores() {
    let method = "Genetic(population: 8, generations: 12, scheme: GlorotUniform, elitism: 1)";
    let outcome = alone(|| play(&experiment(&format!("(name: \"ga\", method: {method})"), FULL, 60_000), u64::MAX));
    let best: Vec<f64> = outcome.log.generations.iter().map(|generation| generation.quantiles.unwrap()[0]).collect();
    assert_eq!(best.len(), 12);
    assert!(best.windows(2).all(|pair| pair[1] <= pair[0]), "{best:?}");
    assert!(best[11] < best[0], "selection finds something: {best:?}");
    assert_eq!(outcome.log.selection_fitness, Some(best[11]));
}

#[test]
fn no_steps_of_training_are_the_forward_loss() {
    let arm = |fitness: &str| {
        let method = format!("Genetic(population: 6, generations: 3, scheme: GlorotUniform, fitness: {fitness})");
        alone(|| play(&experiment(&format!("(name: \"ga\", method: {method})"), FULL, 9_000), u64::MAX))
    };
    let (plain, none) = (arm("ForwardLoss"), arm("ShortBackprop(steps: 0)"));
    assert_eq!(plain.weights, none.weights);
    assert_eq!(plain.log.generations, none.log.generations);
}

#[test]
fn baldwin_forgets_and_lamarck_keeps() {
    let start = |inheritance: &str| {
        let fitness = format!("ShortBackprop(steps: 4, inheritance: {inheritance})");
        let method = format!("Genetic(population: 4, generations: 1, scheme: GlorotUniform, fitness: {fitness})");
        let outcome = alone(|| play(&experiment(&format!("(name: \"ga\", method: {method})"), FULL, 9_000), u64::MAX));
        (outcome.log.start.unwrap(), outcome.log.selection_fitness.unwrap())
    };
    let (original, learned) = (start("Baldwin"), start("Lamarck"));
    assert_eq!(original.1, learned.1, "both are chosen by the loss after learning");
    assert_ne!(original.0, learned.0);
    let study =
        Study::new(experiment("(name: \"a\", method: Random(scheme: GlorotUniform))", FULL, 10), Path::new("."))
            .unwrap();
    let rows = study.prepare(5).unwrap().supervised.training;
    let loss = |params: &[f32]| study.network.loss(params, &rows, &mut crate::network::Workspace::new());
    assert_eq!(loss(&learned.0), learned.1, "what Lamarck deploys has the loss it was chosen by");
    assert!(loss(&original.0) > original.1, "what Baldwin deploys has yet to learn");
}

#[test]
fn searches_by_a_distribution_begin_at_the_random_start_and_get_better() {
    let play =
        |method: &str| alone(|| play(&experiment(&format!("(name: \"a\", method: {method})"), FULL, 60_000), u64::MAX));
    let random = play("Random(scheme: GlorotUniform)").log.drawn;
    for method in [
        "CmaEs(scheme: GlorotUniform, generations: 40)",
        "CmaEs(scheme: GlorotUniform, generations: 40, mode: Separable)",
        "EvolutionStrategy(scheme: GlorotUniform, generations: 40)",
    ] {
        let outcome = play(method);
        assert_eq!(outcome.log.drawn, random, "{method}");
        let generations = &outcome.log.generations;
        assert_eq!(generations.len(), 40);
        let lowest = |at: usize| generations[at].quantiles.unwrap()[0];
        let best = (0..40).map(lowest).min_by(f64::total_cmp);
        assert_eq!(outcome.log.selection_fitness, best, "{method}");
        assert!(best.unwrap() < 0.5 * lowest(0), "{method}: {best:?}");
        assert!(generations.iter().all(|one| one.unique == Some(1.0) && one.diversity > Some(0.0)));
    }
}

#[test]
fn a_distribution_has_no_heirs() {
    for method in ["CmaEs", "EvolutionStrategy"] {
        let text =
            |more: &str| format!("(name: \"a\", method: {method}(scheme: GlorotUniform, generations: 3, {more}))");
        for more in ["fitness: ShortBackprop(steps: 1, inheritance: Lamarck)", "population: 3"] {
            let refused = experiment(&text(more), FULL, 100).arms[0].method.check().unwrap_err();
            assert_eq!((refused.code(), refused.problems()[0].helps.len()), ("P0121", 1), "{more}");
        }
        assert!(experiment(&text("population: 4"), FULL, 100).arms[0].method.check().is_ok());
    }
}

#[test]
fn arms_say_how_they_draw_and_whether_they_evolve() {
    for text in METHODS {
        let method: Method = dialect().from_str(text).unwrap();
        let name = text.split('(').next().unwrap();
        let evolved = ["Graft", "Genetic", "CmaEs", "EvolutionStrategy"].contains(&name);
        assert_eq!(method.is_evolved(), evolved, "{text}");
        let own = text.contains("scheme:").then(|| if text.contains("Lsuv") { "Lsuv" } else { "" });
        let told = method.scheme().map(|scheme| format!("{scheme:?}"));
        match own {
            Some(scheme) => assert!(told.is_some_and(|told| told.contains(scheme)), "{text}"),
            None => assert!(told.is_none() || name == "Graft", "{text}: {told:?}"),
        }
    }
}

#[test]
fn restarts_take_turns_of_the_length_they_should_and_keep_the_best() {
    let macs = 4 * 5 + 5 * 4 + 4 * 3;
    let (gradient, score) = (3 * 64 * macs, 64 * macs);
    for (cutoff, lengths) in [("Fixed(7)", [7, 7, 7]), ("Luby", [20, 20, 40])] {
        let method = format!("Restarts(scheme: GlorotUniform, cutoff: {cutoff})");
        let alone_to = |runs: usize| {
            let spent: u64 = lengths[..runs].iter().map(|steps| steps * gradient + score).sum();
            // Whole runs, and not a step more.
            let given = experiment(&format!("(name: \"arm\", method: {method})"), FULL, spent / macs);
            let outcome = alone(|| play(&given, u64::MAX));
            assert_eq!((outcome.cost.total(), outcome.end), (spent, Step::Spent), "{cutoff}");
            assert_eq!(outcome.log.steps, lengths[..runs].iter().sum::<u64>(), "{cutoff}");
            outcome
        };
        let outcomes = [1, 2, 3].map(alone_to);
        let study = Study::new(experiment(&with_ga(&method), FULL, 10), Path::new(".")).unwrap();
        let prepared = study.prepare(5).unwrap();
        let loss = |outcome: &Outcome| {
            let rows = &prepared.supervised.training;
            study.network.loss(outcome.weights.as_ref().unwrap(), rows, &mut crate::network::Workspace::new())
        };
        let losses = outcomes.each_ref().map(loss);
        assert!(losses[1] <= losses[0] && losses[2] <= losses[1], "{cutoff}: {losses:?}");
        // Starts 0, 1 and 2 of `Random` go the same ways.
        let mut lowest = f64::INFINITY;
        for (run, (steps, found)) in lengths.into_iter().zip(losses).enumerate() {
            let mut start = vec![0.0; study.network.parameters()];
            let train = TrainContext {
                network: &study.network,
                supervised: &prepared.supervised,
                training: &study.experiment.train,
                streams: Streams::new(5),
            };
            let (mut cost, mut scratch, mut log) = (Cost::ZERO, Scratch::default(), Log::default());
            let mut context = ArmContext {
                train,
                budget: u64::MAX,
                until: u64::MAX,
                cost: &mut cost,
                scratch: &mut scratch,
                log: &mut log,
                pause: &|_| false,
                follow: None,
            };
            context.draw(&dialect().from_str("GlorotUniform").unwrap(), run as u64, &mut start).unwrap();
            let mut descent = Descent::new(&start, train.training);
            for _ in 0..steps {
                descent.step(&mut context);
            }
            let params = &descent.session.params;
            lowest = f64::min(
                lowest,
                study.network.loss(params, &prepared.supervised.training, &mut crate::network::Workspace::new()),
            );
            assert_eq!(found, lowest, "{cutoff}: best after run {run}");
        }
    }
}

#[test]
fn time_is_up_when_the_cost_is_reached_and_not_before() {
    let study = Study::new(experiment(&with_ga(METHODS[0]), FULL, 100), Path::new(".")).unwrap();
    let prepared = study.prepare(5).unwrap();
    let train = TrainContext {
        network: &study.network,
        supervised: &prepared.supervised,
        training: &study.experiment.train,
        streams: Streams::new(5),
    };
    for (spent, due, affords) in [(9, false, true), (10, true, true), (11, true, false)] {
        let (mut cost, mut scratch, mut log) = (Cost::forward(1, spent), Scratch::default(), Log::default());
        let context = ArmContext {
            train,
            budget: 15,
            until: 10,
            cost: &mut cost,
            scratch: &mut scratch,
            log: &mut log,
            pause: &|_| false,
            follow: None,
        };
        assert_eq!((context.is_due(), context.affords(Cost::forward(5, 1))), (due, affords), "{spent}");
        assert_eq!(context.left(), 15 - spent as u64);
    }
}
