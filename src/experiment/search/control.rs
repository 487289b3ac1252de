//! What is asked of the champion of a control task.

use super::tables::{ResultKind, ResultRow, TrajectoryTable, WeightRow};
use super::tune::tune_control;
use super::{Examined, Summary, branch, fixed_network, random_weights, result};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::wann::{EpisodeMemory, Individual};
use crate::experiment::search::SearchStudy;
use crate::experiment::search::config::Tuning;
use crate::network::{Graph, GraphMemory, Weights};
use crate::rng::Streams;
use crate::task::control::{Ending, Environment, Trajectory, starts};
use rayon::prelude::*;

/// A world to act in.
#[derive(Clone, Copy)]
pub(super) struct Arena<'a> {
    pub environment: &'a dyn Environment,
    pub max_steps: usize,
}

/// Weights of a graph's links.
#[derive(Clone, Copy)]
pub(super) enum Link<'a> {
    /// All the same.
    Shared(f32),
    /// One each.
    Own(&'a [f32]),
}

/// What episodes came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    episodes: u64,
    sum: f64,
    squares: f64,
    failures: u64,
    steps: u64,
}

impl Tally {
    fn add(self, other: Tally) -> Tally {
        Tally {
            episodes: self.episodes + other.episodes,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
            failures: self.failures + other.failures,
            steps: self.steps + other.steps,
        }
    }

    /// Of several candidates together.
    fn of(tallies: &[Tally]) -> Tally {
        tallies.iter().copied().fold(Tally::default(), Tally::add)
    }

    /// Mean score.
    pub fn mean(&self) -> f64 {
        self.sum / self.episodes as f64
    }

    fn deviation(&self) -> f64 {
        let mean = self.mean();
        (self.squares / self.episodes as f64 - mean * mean).max(0.0).sqrt()
    }

    fn failures(&self) -> f64 {
        self.failures as f64 / self.episodes as f64
    }

    /// Steps made.
    pub fn cost(&self) -> Cost {
        Cost::environment(self.steps)
    }

    fn row(&self, seed: u64, kind: ResultKind, spent: u64) -> ResultRow {
        let (deviation, failures) = (Some(self.deviation()), Some(self.failures()));
        let summary = Summary { score: self.mean(), deviation, failures, trials: self.episodes };
        result(seed, kind, summary, spent + self.steps)
    }
}

/// Episodes that go side by side: enough lanes to hide what a step costs once.
const TOGETHER: usize = 64;

impl Arena<'_> {
    /// Lets every candidate act from every start; in parallel, and the same on any number of threads.
    pub fn play(&self, candidates: &[(&Graph, Link)], starts: &[Vec<f64>]) -> Vec<Tally> {
        let pieces: Vec<_> = candidates
            .iter()
            .flat_map(|candidate| starts.chunks(TOGETHER).map(move |part| (candidate, part)))
            .collect();
        let early = self.environment.about().early;
        let tallies: Vec<Tally> = pieces
            .into_par_iter()
            .map_init(EpisodeMemory::default, |memory, ((graph, link), starts)| {
                let shared;
                let weights = match link {
                    Link::Shared(weight) => {
                        shared = vec![*weight; starts.len().next_multiple_of(16)];
                        Weights::Shared(&shared)
                    }
                    Link::Own(weights) => Weights::PerLink(weights),
                };
                let start = |lane: usize| &starts[lane][..];
                let outcomes = memory.act(self.environment, graph, weights, starts.len(), self.max_steps, start);
                let mut tally = Tally::default();
                for outcome in outcomes {
                    // Where an episode ends early by reaching a goal, time that runs out is the failure.
                    let failed = match early {
                        Ending::Reached => outcome.ending == Ending::TimeUp,
                        _ => outcome.ending == Ending::Failed,
                    };
                    tally = tally.add(Tally {
                        episodes: 1,
                        sum: outcome.score,
                        squares: outcome.score * outcome.score,
                        failures: u64::from(failed),
                        steps: u64::from(outcome.steps),
                    });
                }
                tally
            })
            .collect();
        tallies.chunks(starts.len().div_ceil(TOGETHER)).map(Tally::of).collect()
    }

    fn shared(&self, graph: &Graph, weights: &[f32], starts: &[Vec<f64>]) -> Vec<Tally> {
        let candidates: Vec<_> = weights.iter().map(|weight| (graph, Link::Shared(*weight))).collect();
        self.play(&candidates, starts)
    }

    fn own(&self, graph: &Graph, weights: &[f32], starts: &[Vec<f64>]) -> Tally {
        self.play(&[(graph, Link::Own(weights))], starts)[0]
    }

    /// Several draws of random weights, together.
    fn random(&self, graph: &Graph, draws: usize, starts: &[Vec<f64>], streams: &Streams) -> Tally {
        let drawn: Vec<_> = (0..draws).map(|draw| random_weights(graph.multiply_adds(), draw, streams)).collect();
        let candidates: Vec<_> = drawn.iter().map(|weights| (graph, Link::Own(weights))).collect();
        Tally::of(&self.play(&candidates, starts))
    }
}

/// Starts that each weight of the sweep is tried on when one is to be chosen, and those that the best of them are.
const TRIED: usize = 64;
const TRIED_AGAIN: usize = 512;
/// How many weights are tried again.
const FINALISTS: usize = 8;

/// Scores a champion on starts that nobody has seen; `trajectories` episodes are written down.
///
/// # Errors
/// Weights that no tuning can begin with.
pub(super) fn examine(
    study: &SearchStudy,
    arena: Arena,
    champion: &Individual,
    seed: u64,
    trajectories: usize,
) -> Result<Examined> {
    let (after, search) = (&study.document.after, &study.document.search);
    let graph = &champion.graph;
    let streams = Streams::new(seed);
    let unseen = starts(arena.environment, &streams.branch(branch::UNSEEN), 0, after.starts.get());
    let sweep = after.sweep.weights();
    let curve = arena.shared(graph, &sweep, &unseen);
    let weights = sweep.iter().zip(&curve).map(|(weight, tally)| WeightRow {
        seed,
        weight: *weight,
        score: Some(tally.mean()).filter(|score| score.is_finite()),
        deviation: Some(tally.deviation()).filter(|deviation| deviation.is_finite()),
        failures: Some(tally.failures()),
    });
    let mut results = Vec::new();

    let six = arena.shared(graph, &search.weights, &unseen);
    results.push(Tally::of(&six).row(seed, ResultKind::SharedMean, 0));

    // Chosen where the results below are not told, or the luckiest would win.
    let choice = streams.branch(branch::CHOICE);
    let (few, many) =
        (starts(arena.environment, &choice, 0, TRIED), starts(arena.environment, &choice, 1, TRIED_AGAIN));
    let tried = arena.shared(graph, &search.weights, &many);
    let best = best_of(&tried)[0];
    results.push(six[best].row(seed, ResultKind::SharedBestOfSix, Tally::of(&tried).steps));

    let coarse = arena.shared(graph, &sweep, &few);
    let mut finalists: Vec<f32> = best_of(&coarse).into_iter().take(FINALISTS).map(|at| sweep[at]).collect();
    finalists.push(search.weights[best]);
    let again = arena.shared(graph, &finalists, &many);
    let shared = finalists[best_of(&again)[0]];
    let told = arena.shared(graph, &[shared], &unseen)[0];
    let spent = Tally::of(&coarse).steps + Tally::of(&again).steps;
    results.push(told.row(seed, ResultKind::SharedTuned, spent));

    let draws = after.random_draws.get();
    results.push(arena.random(graph, draws, &unseen, &streams).row(seed, ResultKind::RandomWeights, 0));

    let tuning = study.tuning();
    let mut tuned = None;
    if tuning != Tuning::Skip {
        let mut own = vec![shared; graph.multiply_adds()];
        let cost = tune_control(&arena, graph, &mut own, &tuning, &streams.branch(branch::TUNING))?;
        let row = arena.own(graph, &own, &unseen).row(seed, ResultKind::TunedWeights, spent + cost.total());
        results.push(row);
        tuned = Some(own);
    }

    let fixed = fixed_network(study.shape.inputs, study.shape.outputs, graph.multiply_adds());
    let row = Tally::of(&arena.shared(&fixed, &search.weights, &unseen)).row(seed, ResultKind::FixedShared, 0);
    results.push(row);
    results.push(arena.random(&fixed, draws, &unseen, &streams).row(seed, ResultKind::FixedRandom, 0));

    // The sweep is in no row of results, and what the choice of the shared weight took is in two.
    let twice = if tuned.is_some() { spent } else { 0 };
    let spent = results.iter().map(|row| row.cost).sum::<u64>() + Tally::of(&curve).steps - twice;
    let trajectory =
        (trajectories > 0).then(|| record(arena, graph, shared, seed, &unseen[..trajectories.min(unseen.len())]));
    let cost = Cost::environment(spent);
    Ok(Examined { results, weights: weights.collect(), shared, tuned, trajectory, cost })
}

/// Candidates from best to worst; of equals, the first.
fn best_of(tallies: &[Tally]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tallies.len()).collect();
    let score = |at: &usize| Some(tallies[*at].mean()).filter(|mean| mean.is_finite()).unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|a, b| score(b).total_cmp(&score(a)));
    order
}

fn record(arena: Arena, graph: &Graph, shared: f32, seed: u64, starts: &[Vec<f64>]) -> TrajectoryTable {
    let about = arena.environment.about();
    let names = ["seed", "episode", "step", "time"].iter().chain(about.state).chain(about.actions).chain(&["reward"]);
    let mut table = TrajectoryTable { columns: names.map(|name| (*name).to_owned()).collect(), rows: Vec::new() };
    let (weights, mut memory) = ([shared; 16], GraphMemory::new());
    let (variables, actions) = (about.state.len(), about.actions.len());
    for (episode, start) in starts.iter().enumerate() {
        let mut lanes = graph.lanes(Weights::Shared(&weights), 16, &mut memory);
        let trajectory = Trajectory::record(arena.environment, &mut lanes, start, arena.max_steps);
        for step in 0..=trajectory.steps() {
            let time = step as f64 * about.time_step;
            let mut row = vec![Some(seed as f64), Some(episode as f64), Some(step as f64), Some(time)];
            row.extend(trajectory.states[step * variables..][..variables].iter().map(|x| Some(*x)));
            let acted = trajectory.actions.get(step * actions..(step + 1) * actions);
            row.extend((0..actions).map(|action| acted.map(|acted| f64::from(acted[action]))));
            row.push(trajectory.rewards.get(step).copied());
            table.rows.push(row);
        }
    }
    table
}
