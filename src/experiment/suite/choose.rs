//! What follows from the rows of one phase for the next: targets from the pilot, finalists from the selection.

use super::config::{Role, Suite};
use super::table::{Phase, SuiteRow};
use crate::math::statistics::{Outcome, expected_running_time, median};

/// Losses below this are 0 for a target: rounding decides which run gets there first.
const LEAST_TARGET: f64 = 1e-12;

/// Target losses of a task, in the order of the pilot's passes: the medians over its seeds. A number that is not finite
/// stands for a target that the pilot did not see.
pub fn targets(suite: &Suite, task: &str, rows: &[SuiteRow]) -> Vec<f64> {
    let of = |target: usize| {
        let rows = rows.iter().filter(|row| row.phase == Phase::Pilot && row.task == task && row.target == target);
        let losses: Vec<f64> = rows.map(|row| row.loss.unwrap_or(f64::INFINITY)).collect();
        median(&losses).unwrap_or(f64::INFINITY).max(LEAST_TARGET)
    };
    (1..=suite.pilot.passes.len()).map(of).collect()
}

/// Who takes part in the final, and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contender {
    /// The candidate with this index among the arms.
    Candidate(usize),
    /// Whichever classic arm was cheapest on this task and target.
    BestClassic,
    /// The one classic arm that was best over all tasks.
    SingleClassic,
    /// Whichever control, classic or extended, was cheapest on this task and target.
    BestControl,
}

/// A finalist: the arm and the trainer by which a contender runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Index of the task.
    pub task: usize,
    /// Index of the target.
    pub target: usize,
    /// What it stands for.
    pub contender: Contender,
    /// Index of the arm.
    pub arm: usize,
    /// Index of the trainer.
    pub trainer: usize,
    /// Its expected cost in the selection, in training passes; infinite if no run got there.
    pub expected: f64,
}

/// Expected running time in training passes, infinite without a success.
pub fn expected(outcomes: impl IntoIterator<Item = Outcome>) -> f64 {
    let runs = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Reached(cost) => (cost, true),
        Outcome::Censored(cost) => (cost, false),
    });
    expected_running_time(runs).unwrap_or(f64::INFINITY)
}

/// The finalists of every task and target: for each contender the arm and trainer of the least expected cost in the
/// selection, the first one where several are alike.
pub fn choices(suite: &Suite, rows: &[SuiteRow]) -> Vec<Choice> {
    let (arms, trainers) = (suite.arms.len(), suite.trainers.len());
    let (tasks, targets) = (suite.tasks.len(), suite.pilot.passes.len());
    // The table is gone through once: it is the largest thing here.
    let mut runs: Vec<Vec<Outcome>> = vec![Vec::new(); tasks * targets * arms * trainers];
    let place = |task: usize, target: usize, arm: usize, trainer: usize| {
        ((task * targets + target) * arms + arm) * trainers + trainer
    };
    for row in rows.iter().filter(|row| row.phase == Phase::Selection) {
        let task = suite.tasks.iter().position(|task| task.name.as_str() == row.task);
        let trainer = suite.trainers.iter().position(|trainer| trainer.name.as_str() == row.trainer);
        let arm = suite.arms.iter().position(|arm| arm.name.as_str() == row.arm);
        if let (Some(task), Some(trainer), Some(arm), 1..) = (task, trainer, arm, row.target)
            && row.target <= targets
        {
            let outcome = row.passes.map_or(Outcome::Censored(row.total), Outcome::Reached);
            runs[place(task, row.target - 1, arm, trainer)].push(outcome);
        }
    }
    let cost = |task, target, arm, trainer| expected(runs[place(task, target, arm, trainer)].iter().copied());
    let cheapest = |task: usize, target: usize, among: &[usize]| {
        let pairs = among.iter().flat_map(|arm| (0..trainers).map(move |trainer| (*arm, trainer)));
        let costs = pairs.map(|(arm, trainer)| (arm, trainer, cost(task, target, arm, trainer)));
        costs.min_by(|a, b| a.2.total_cmp(&b.2))
    };
    let of =
        |roles: &[Role]| -> Vec<usize> { (0..arms).filter(|arm| roles.contains(&suite.arms[*arm].role)).collect() };
    let (classics, controls) = (of(&[Role::Classic]), of(&[Role::Classic, Role::Extended]));
    let mut contenders: Vec<(Contender, Vec<usize>)> =
        of(&[Role::Candidate]).into_iter().map(|arm| (Contender::Candidate(arm), vec![arm])).collect();
    if !classics.is_empty() {
        let middle = targets / 2;
        // Mean rank over tasks: no scale, and a task that an arm never solves counts as its last place, not as infinity.
        let rank = |arm: usize| -> f64 {
            let ranks = (0..tasks).map(|task| {
                let own = cheapest(task, middle, &[arm]).map_or(f64::INFINITY, |best| best.2);
                let others = classics.iter().filter_map(|other| cheapest(task, middle, &[*other]));
                let (below, even) = others.fold((0, 0), |(below, even), other| {
                    (below + usize::from(other.2 < own), even + usize::from(other.2 == own))
                });
                below as f64 + 0.5 * (even - 1) as f64
            });
            ranks.sum()
        };
        let single = classics.iter().copied().min_by(|a, b| rank(*a).total_cmp(&rank(*b)));
        contenders.push((Contender::BestClassic, classics.clone()));
        contenders.push((Contender::SingleClassic, single.into_iter().collect()));
    }
    if controls.len() > classics.len() {
        contenders.push((Contender::BestControl, controls));
    }
    let mut list = Vec::new();
    for task in 0..tasks {
        for target in 0..targets {
            for (contender, among) in &contenders {
                if let Some((arm, trainer, expected)) = cheapest(task, target, among) {
                    list.push(Choice { task, target, contender: *contender, arm, trainer, expected });
                }
            }
        }
    }
    list
}
