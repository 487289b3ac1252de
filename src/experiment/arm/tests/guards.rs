//! Where an arm stops, goes over to something else, or tells something: each bound from both of its sides.

use super::*;
use std::cell::RefCell;

/// One row through the network of these tests, and what a gradient and a score take.
const MACS: u64 = 4 * 5 + 5 * 4 + 4 * 3;
const GRADIENT: u64 = 3 * 64 * MACS;
const SCORE: u64 = 64 * MACS;

/// One arm alone, with as many multiply-adds as are given rounded up to whole row-passes.
fn given(method: &str, train: &str, budget: u64) -> Experiment {
    experiment(&format!("(name: \"arm\", method: {method})"), train, budget.div_ceil(MACS))
}

fn spend(method: &str, train: &str, budget: u64) -> Outcome {
    alone(|| play(&given(method, train, budget), u64::MAX))
}

/// What one start of a scheme costs here.
fn price(scheme: &str) -> u64 {
    let study = Study::new(given("Random(scheme: GlorotUniform)", FULL, 10), Path::new(".")).unwrap();
    let rows = study.prepare(5).unwrap().supervised.training;
    dialect().from_str::<Initializer>(scheme).unwrap().cost(&study.network, &rows).total()
}

/// An arm that is driven by hand, and everything around it.
struct Driven<'a> {
    arm: Box<dyn Arm + 'a>,
    train: TrainContext<'a>,
    budget: u64,
    cost: Cost,
    scratch: Scratch,
    log: Log,
    told: RefCell<Vec<TrainingStep>>,
}

impl Driven<'_> {
    /// Goes on until so much is spent.
    fn to(&mut self, until: u64) -> Step {
        let follow = |step: &TrainingStep| self.told.borrow_mut().push(*step);
        let mut context = ArmContext {
            train: self.train,
            budget: self.budget,
            until,
            cost: &mut self.cost,
            scratch: &mut self.scratch,
            log: &mut self.log,
            pause: &|_| false,
            follow: Some(&follow),
        };
        self.arm.advance(&mut context).unwrap()
    }

    fn loss(&self, params: &[f32]) -> f64 {
        let rows = &self.train.supervised.training;
        self.train.network.loss(params, rows, &mut crate::network::Workspace::new())
    }

    /// Start `individual` of Glorot's, after so many steps.
    fn trained(&self, individual: u64, steps: u64) -> Descent {
        let (mut cost, mut scratch, mut log) = (Cost::ZERO, Scratch::default(), Log::default());
        let mut start = vec![0.0; self.train.network.parameters()];
        let mut context = ArmContext {
            train: self.train,
            budget: u64::MAX,
            until: u64::MAX,
            cost: &mut cost,
            scratch: &mut scratch,
            log: &mut log,
            pause: &|_| false,
            follow: None,
        };
        context.draw(&dialect().from_str("GlorotUniform").unwrap(), individual, &mut start).unwrap();
        let mut descent = Descent::new(&start, self.train.training);
        (0..steps).for_each(|_| _ = descent.step(&mut context));
        descent
    }
}

/// Drives an arm by hand.
fn drive(method: &str, train: &str, budget: u64, by: impl FnOnce(&mut Driven) + Send) {
    let experiment = given(method, train, budget);
    let study = Study::new(experiment.clone(), Path::new(".")).unwrap();
    let prepared = study.prepare(5).unwrap();
    let train = study.train_context(0, &prepared.supervised, 5);
    let context = StartContext { train, arms: &study.experiment.arms, finished: &[None] };
    let arm = study.experiment.arms[0].method.start(context).unwrap();
    let (scratch, budget) = (Scratch::default(), study.budget(64));
    let (cost, log, told) = (Cost::ZERO, Log::default(), RefCell::default());
    alone(|| by(&mut Driven { arm, train, budget, cost, scratch, log, told }));
}

#[test]
fn a_first_start_is_drawn_whatever_it_costs_and_further_ones_if_they_fit() {
    let draw = price("Recipe(Simple)");
    assert!(draw > 2 * MACS, "rounding a budget up pays for no draw");
    let random = spend("Random(scheme: Recipe(Simple))", FULL, 1).log.drawn;
    let race = "Race(scheme: Recipe(Simple), candidates: 5, eta: 2, steps: 3)";
    for (budget, draws) in [(1, 1), (draw - MACS, 1), (draw, 1), (3 * draw, 3), (4 * draw - 2 * MACS, 3)] {
        let outcome = spend(race, FULL, budget);
        assert_eq!((outcome.cost.total(), outcome.end), (draws * draw, Step::Spent), "{budget}");
        assert_eq!((outcome.log.steps, outcome.log.evaluations), (0, 0));
        assert_eq!((&outcome.log.drawn, outcome.weights), (&random, random.clone()), "the first one wins of equals");
    }
    let restarts = "Restarts(scheme: Recipe(Simple), cutoff: Fixed(2))";
    let run = draw + 2 * GRADIENT + SCORE;
    for (budget, spent, steps) in
        [(1, draw, 0), (run, run, 2), (2 * run, 2 * run, 4), (2 * run + draw - 2 * MACS, 2 * run, 4)]
    {
        let outcome = spend(restarts, FULL, budget);
        assert_eq!((outcome.cost.total(), outcome.log.steps, outcome.end), (spent, steps, Step::Spent), "{budget}");
        assert_eq!(outcome.log.drawn, random);
        assert!(outcome.log.start.is_some() && outcome.weights.is_some());
    }
}

#[test]
fn a_step_that_leaves_nothing_for_its_score_is_not_taken() {
    let rest = GRADIENT + SCORE - MACS;
    // The second runner gets no step, so the first one, which was scored, goes on with what is left: one step.
    let race = "Race(scheme: GlorotUniform, candidates: 2, eta: 2, steps: 3)";
    drive(race, FULL, 3 * GRADIENT + SCORE + rest, |driven| {
        assert_eq!(driven.arm.phase(), Phase::Search);
        assert_eq!(driven.to(u64::MAX), Step::Spent);
        assert_eq!((driven.log.steps, driven.log.evaluations), (4, 1));
        assert_eq!(driven.arm.phase(), Phase::Train);
        assert_eq!(driven.arm.weights().unwrap(), driven.trained(0, 4).session.params);
        assert_eq!(driven.log.drawn, driven.log.start);
    });
    // The second run is scored as it starts, which fits.
    let restarts = "Restarts(scheme: GlorotUniform, cutoff: Fixed(7))";
    drive(restarts, FULL, 7 * GRADIENT + SCORE + rest, |driven| {
        assert_eq!(driven.to(u64::MAX), Step::Spent);
        assert_eq!((driven.log.steps, driven.cost.total()), (7, 7 * GRADIENT + 2 * SCORE));
    });
    // Nor is it scored where even that does not fit.
    drive(restarts, FULL, 7 * GRADIENT + SCORE + SCORE - MACS, |driven| {
        assert_eq!(driven.to(u64::MAX), Step::Spent);
        assert_eq!((driven.log.steps, driven.cost.total()), (7, 7 * GRADIENT + SCORE));
        assert_eq!(driven.arm.phase(), Phase::Train);
    });
}

#[test]
fn whose_turn_it_is_in_a_race_is_checked_when_it_is_read() {
    let method = "Race(scheme: GlorotUniform, candidates: 5, eta: 2, steps: 3)";
    drive(method, FULL, 100 * GRADIENT, |driven| {
        let early = sealed::encode(&|to| driven.arm.save(to));
        driven.to(7 * GRADIENT);
        assert_eq!((driven.log.steps, driven.log.evaluations, driven.log.drawn.is_some()), (7, 2, true));
        let late = sealed::encode(&|to| driven.arm.save(to));
        // At the end of a state: whose turn it is, how many steps it took, whether a winner is known.
        assert_eq!((early[early.len() - 3..].to_vec(), late[late.len() - 3..].to_vec()), (vec![0; 3], vec![2, 1, 0]));
        let train = driven.train;
        let mut accepts = |state: &[u8], turn: u8| {
            let mut state = state.to_vec();
            let place = state.len() - 3;
            state[place] = turn;
            driven.arm.load(&mut StateReader::new(&state), &train).is_ok()
        };
        assert_eq!([0, 1, 4, 5, 6].map(|turn| accepts(&late, turn)), [true, true, true, false, false]);
        assert_eq!([0, 1].map(|turn| accepts(&early, turn)), [true, false], "nobody has a turn before there are any");
    });
}

#[test]
fn restarts_show_the_run_under_way_only_while_it_is_ahead() {
    let method = "Restarts(scheme: GlorotUniform, cutoff: Luby)";
    drive(method, FULL, 200 * GRADIENT, |driven| {
        let (mut best, mut lowest, mut starts, mut ahead) = (Vec::new(), f64::INFINITY, 0, [0, 0]);
        for (run, steps) in [20, 20, 40, 20].into_iter().enumerate() {
            let mut now = driven.trained(run as u64, 0);
            for step in 1..=steps {
                let spent = driven.cost.total();
                driven.to(spent + GRADIENT);
                now = if step % 5 == 0 || steps == 40 { driven.trained(run as u64, step) } else { now };
                if step == steps {
                    let loss = driven.loss(&now.session.params);
                    if loss < lowest {
                        (lowest, best) = (loss, now.session.params.clone());
                        starts = run as u64;
                    }
                    assert_eq!(driven.arm.weights().unwrap(), best, "run {run} has ended");
                } else if step % 5 == 0 || steps == 40 {
                    let is_ahead = now.session.batch_loss < lowest;
                    ahead[usize::from(is_ahead)] += 1;
                    let expected = if is_ahead { &now.session.params } else { &best };
                    assert_eq!(driven.arm.weights().unwrap(), expected, "run {run} at step {step}");
                }
            }
            assert_eq!(driven.log.start, Some(driven.trained(starts, 0).session.params), "of the best run so far");
        }
        assert!(ahead[0] > 3 && ahead[1] > 2, "{ahead:?}");
    });
}

#[test]
fn restarts_end_at_the_goal_and_begin_anew_where_training_leaves_the_numbers() {
    let restarts = "Restarts(scheme: GlorotUniform, cutoff: Fixed(30))";
    let goal = "(optimizer: Adam(learning_rate: 0.05), stop: [Goal(0.9)])";
    let outcome = spend(restarts, goal, 300 * GRADIENT);
    assert_eq!(outcome.end, Step::Stopped);
    assert!(outcome.cost.total() < 100 * GRADIENT, "what is left is left");
    let hurried = "(optimizer: Sgd(learning_rate: 1e30))";
    let outcome = spend(restarts, hurried, 50 * GRADIENT);
    assert_eq!(outcome.end, Step::Spent);
    let whole = 50 / 2;
    assert!(outcome.log.steps > 30 && outcome.log.steps <= 50 - whole / 3, "{}: runs of few steps", outcome.log.steps);
}

#[test]
fn no_search_overspends_however_little_there_is() {
    let measured = "fitness: ShortBackprop(steps: 2)";
    for method in [
        format!("Genetic(population: 6, generations: 4, scheme: GlorotUniform, {measured}, stop: TrainingIsFaster)"),
        "Genetic(population: 6, generations: 4, scheme: GlorotUniform, crossover: Team(rate: 1, rows: 32))".to_owned(),
        "Genetic(population: 6, generations: 4, scheme: GlorotUniform, fitness: MinibatchLoss(size: 16))".to_owned(),
        "CmaEs(scheme: GlorotUniform, generations: 4, population: 5, fitness: MinibatchLoss(size: 16))".to_owned(),
        "BestOf(scheme: GlorotUniform, candidates: Count(9))".to_owned(),
        "Race(scheme: GlorotUniform, candidates: 5, eta: 2, steps: 3)".to_owned(),
    ] {
        let macs = if method.contains("Team") { 4 * 5 + 5 * 3 } else { MACS };
        for passes in (1..4_000).step_by(37) {
            let outcome = spend(&method, FULL, passes * MACS);
            assert!(outcome.cost.total() <= passes * macs, "{method} {passes}");
            assert!(outcome.weights.is_some() && outcome.log.start.is_some(), "{method} {passes}");
        }
    }
    for passes in [1, 15, 16, 63, 64] {
        for method in ["Drift(of: \"ga\")", "ShuffledWinner(of: \"ga\")"] {
            let outcome = alone(|| play(&experiment(&with_ga(method), FULL, passes), u64::MAX));
            assert!(outcome.weights.is_some() && outcome.log.start.is_some(), "{method} {passes}");
        }
    }
}

#[test]
fn the_best_of_several_chunks_is_the_best_of_all() {
    drive("Random(scheme: GlorotUniform)", FULL, 10 * GRADIENT, |driven| {
        let losses: Vec<f64> = (0..200).map(|draw| driven.loss(&driven.trained(draw, 0).session.params)).collect();
        let best_to = |count: usize| (0..count).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap();
        // The first record of a later chunk, and the one before it.
        let late = (64..200).find(|count| best_to(count + 1) == *count).expect("somebody is better");
        for count in [65, late, late + 1] {
            let log = spend(&format!("BestOf(scheme: GlorotUniform, candidates: Count({count}))"), FULL, 9_000_000).log;
            let best = best_to(count);
            assert_eq!(log.selection_fitness, Some(losses[best]), "{count}");
            assert_eq!(log.start, Some(driven.trained(best as u64, 0).session.params), "{count}");
        }
    });
}

#[test]
fn a_fitness_is_told_where_it_is_one_of_all_rows() {
    let told = |fitness: &str, budget: u64| {
        let method = format!("BestOf(scheme: GlorotUniform, candidates: Count(9), fitness: {fitness})");
        spend(&method, FULL, budget).log.selection_fitness.is_some()
    };
    assert!(told("ForwardLoss", 100 * GRADIENT));
    assert!(!told("MinibatchLoss(size: 16)", 100 * GRADIENT), "scores of batches say little of the start");
    assert!(!told("ForwardLoss", MACS), "nobody was scored");
    drive("BestOf(scheme: GlorotUniform, candidates: Count(2))", FULL, 100 * GRADIENT, |driven| {
        driven.to(1);
        assert_eq!((driven.log.evaluations, driven.arm.phase()), (2, Phase::Search));
        driven.to(3 * SCORE);
        assert_eq!(driven.arm.phase(), Phase::Train);
    });
}

#[test]
fn what_the_best_candidate_learned_is_kept_where_it_inherits() {
    drive("Random(scheme: GlorotUniform)", FULL, 10 * GRADIENT, |driven| {
        for (inheritance, keeps) in [("Lamarck", true), ("Baldwin", false)] {
            let fitness = format!("ShortBackprop(steps: 4, inheritance: {inheritance})");
            let method = format!("BestOf(scheme: GlorotUniform, candidates: Count(5), fitness: {fitness})");
            let log = spend(&method, FULL, 200 * GRADIENT).log;
            let loss = driven.loss(log.start.as_ref().unwrap());
            assert_eq!(loss == log.selection_fitness.unwrap(), keeps, "{inheritance}");
        }
    });
}

#[test]
fn rows_epochs_and_checks_are_counted() {
    let random = "Random(scheme: GlorotUniform)";
    let patient = "(optimizer: Adam(learning_rate: 0.01), stop: [Patience(500)])";
    for (train, rows, checks) in [(FULL, 64, false), (BATCHES, 16, false), (patient, 64, false), (LBFGS, 64, true)] {
        let log = spend(random, train, 30 * GRADIENT).log;
        assert!(log.steps > 10);
        assert!(train == LBFGS || log.rows == rows * log.steps, "{train}: {} in {}", log.rows, log.steps);
        assert_eq!((log.checks.is_some(), log.mistakes.len()), (checks, 0), "{train}");
    }
}

#[test]
fn each_epoch_is_told_once_and_each_trial_of_a_method_that_asks() {
    let random = "Random(scheme: GlorotUniform)";
    drive(random, BATCHES, 25 * GRADIENT, |driven| {
        driven.to(u64::MAX);
        let epochs: Vec<u64> = driven.told.borrow().iter().map(|step| step.epoch).collect();
        assert_eq!(driven.log.steps / 4, epochs.len() as u64, "four batches of 16 rows are one");
        assert!(epochs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{epochs:?}");
    });
    drive(random, LBFGS, 40 * GRADIENT, |driven| {
        driven.to(u64::MAX);
        assert_eq!(driven.told.borrow().len() as u64, driven.log.steps);
        assert!(driven.told.borrow().iter().any(|step| step.checks.is_some()));
    });
    // A training that ends in the middle of an epoch says so.
    drive(random, "(optimizer: Sgd(learning_rate: 1e38), batch: Size(16))", 40 * GRADIENT, |driven| {
        assert_eq!(driven.to(u64::MAX), Step::Diverged);
        let told = driven.told.borrow();
        assert_eq!(told.last().map(|step| step.spent), Some(driven.cost.total()), "{told:?}");
    });
}

#[test]
fn mistakes_of_late_epochs_are_remembered_a_hundredth_apart() {
    let epochs = |numbers: &mut dyn Iterator<Item = u64>| {
        let mut log = Log::default();
        numbers.for_each(|epoch| log.end_epoch(epoch, &[]));
        log.mistakes.iter().map(|one| one.epoch).collect::<Vec<_>>()
    };
    let all = epochs(&mut (1..=5_000));
    // One by one up to 1024; the latest one is always there.
    assert!(all[..1024].iter().copied().eq(1..=1024));
    assert_eq!(all.last(), Some(&5_000));
    let next = |epoch: &u64| Some((101 * epoch).div_ceil(100)).filter(|next| *next < 5_000);
    let expected: Vec<u64> = std::iter::successors(Some(1024), next).collect();
    assert_eq!(all[1023..all.len() - 1], expected);
    // 2020 is exactly a hundredth behind 2000 and stays, 2019 is not.
    assert!(epochs(&mut (1..=1024).chain([2_000, 2_020, 2_021])).ends_with(&[2_000, 2_020, 2_021]));
    assert!(epochs(&mut (1..=1024).chain([2_000, 2_019, 2_021])).ends_with(&[1_024, 2_000, 2_021]));
    // Nothing is left out while there is room, however close.
    assert_eq!(epochs(&mut (5_001..=6_025)).len(), 1025);
    assert_eq!(epochs(&mut (5_001..=6_026)).len(), 1025);
}
