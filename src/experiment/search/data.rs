//! What is asked of the champion of a data set.

use super::tables::{ResultKind, ResultRow, WeightRow};
use super::tune::tune_rows;
use super::{Examined, Summary, branch, fixed_network, random_weights, result};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::wann::Individual;
use crate::experiment::search::SearchStudy;
use crate::math::Rows;
use crate::network::{Graph, GraphMemory, Head, Weights};
use crate::rng::Streams;
use crate::task::{Encoding, Prepared, TargetKind};
use rayon::prelude::*;

/// How graphs are judged on rows.
#[derive(Clone, Copy)]
pub(super) struct Judge {
    pub head: Head,
    pub encoding: Encoding,
    pub kind: TargetKind,
}

impl Judge {
    /// Accuracy for classes, else minus the mean loss; one for each shared weight, or one for weights per link.
    pub fn scores(&self, graph: &Graph, weights: Weights, rows: &Rows, memory: &mut GraphMemory) -> Vec<f64> {
        let sets = match weights {
            Weights::Shared(weights) => weights.len(),
            Weights::PerLink(_) => 1,
        };
        if self.kind == TargetKind::Values {
            let mut losses = vec![0.0; sets];
            graph.losses(self.head, weights, rows, &mut losses, memory);
            return losses.into_iter().map(|loss| -loss).collect();
        }
        let answers = self.answers(graph, weights, sets, rows, memory);
        answers.chunks_exact(rows.count()).map(|answers| self.accuracy(answers, rows)).collect()
    }

    /// The class that each row gets, `[weights × rows]`.
    fn answers(
        &self,
        graph: &Graph,
        weights: Weights,
        sets: usize,
        rows: &Rows,
        memory: &mut GraphMemory,
    ) -> Vec<usize> {
        let mut outputs = vec![0.0; sets * rows.count() * rows.outputs()];
        graph.predict(self.head, weights, rows, &mut outputs, memory);
        outputs.chunks_exact(rows.outputs()).map(|outputs| self.encoding.decode(outputs)).collect()
    }

    fn accuracy(&self, answers: &[usize], rows: &Rows) -> f64 {
        let right = |(row, answer): (usize, &usize)| self.encoding.decode(rows.target(row)) == *answer;
        answers.iter().enumerate().filter(|answer| right(*answer)).count() as f64 / rows.count() as f64
    }

    /// Accuracy of the class that most weights speak for; of equals, the first.
    fn vote(&self, graph: &Graph, weights: &[f32], rows: &Rows, memory: &mut GraphMemory) -> f64 {
        let answers = self.answers(graph, Weights::Shared(weights), weights.len(), rows, memory);
        let elected: Vec<usize> = (0..rows.count())
            .map(|row| {
                let mut votes = vec![0_usize; self.encoding.units.max(2)];
                answers.iter().skip(row).step_by(rows.count()).for_each(|answer| votes[*answer] += 1);
                (0..votes.len()).rev().max_by_key(|class| votes[*class]).unwrap_or(0)
            })
            .collect();
        self.accuracy(&elected, rows)
    }
}

/// The rows that results are told on: those that test, else those that validate, else those that train.
pub(super) fn held_out(prepared: &Prepared) -> &Rows {
    let supervised = &prepared.supervised;
    prepared.holdout.test.as_ref().or(supervised.validation.as_ref()).unwrap_or(&supervised.training)
}

/// Scores a champion on rows that no score of the search has seen.
///
/// # Errors
/// Tuning by gradients of a graph that has none (`P0138`).
pub(super) fn examine(
    study: &SearchStudy,
    judge: Judge,
    prepared: &Prepared,
    champion: &Individual,
    seed: u64,
) -> Result<Examined> {
    let (after, search) = (&study.document.after, &study.document.search);
    let graph = &champion.graph;
    let streams = Streams::new(seed);
    let (training, rows) = (&prepared.supervised.training, held_out(prepared));
    let mut memory = GraphMemory::new();
    let mut of =
        |graph: &Graph, weights: &[f32], rows: &Rows| judge.scores(graph, Weights::Shared(weights), rows, &mut memory);
    let pass =
        |graph: &Graph, rows: &Rows, times: usize| Cost::forward(graph.multiply_adds(), rows.count() * times).total();
    let sweep = after.sweep.weights();
    let curve = of(graph, &sweep, rows);
    let weights = sweep.iter().zip(&curve).map(|(weight, score)| WeightRow {
        seed,
        weight: *weight,
        score: Some(*score).filter(|score| score.is_finite()),
        deviation: None,
        failures: None,
    });
    let mut results: Vec<ResultRow> = Vec::new();
    let six = of(graph, &search.weights, rows);
    results.push(together(seed, ResultKind::SharedMean, &six, pass(graph, rows, six.len())));

    // Chosen on training rows, told on others.
    let chosen = best_of(&of(graph, &search.weights, training));
    let cost = pass(graph, training, six.len()) + pass(graph, rows, 1);
    results.push(together(seed, ResultKind::SharedBestOfSix, &six[chosen..=chosen], cost));
    let candidates: Vec<f32> = sweep.iter().chain(&search.weights).copied().collect();
    let shared = candidates[best_of(&of(graph, &candidates, training))];
    let choice = pass(graph, training, candidates.len());
    let told = of(graph, &[shared], rows);
    results.push(together(seed, ResultKind::SharedTuned, &told, choice + pass(graph, rows, 1)));

    let draws = after.random_draws.get();
    let cost = |graph: &Graph| pass(graph, rows, draws);
    results.push(together(seed, ResultKind::RandomWeights, &random(judge, graph, draws, rows, &streams), cost(graph)));

    let streams = streams.branch(branch::TUNING);
    let starts: Vec<f32> = [shared].iter().chain(&search.weights).copied().collect();
    let tuned = tune_rows(&prepared.supervised, judge.head, graph, &starts, &study.tuning(), &streams)?;
    if let Some((own, cost)) = &tuned {
        let score = judge.scores(graph, Weights::PerLink(own), rows, &mut GraphMemory::new());
        let cost = choice + cost.total() + pass(graph, rows, 1);
        results.push(together(seed, ResultKind::TunedWeights, &score, cost));
    }
    if judge.kind == TargetKind::Classes {
        let share = judge.vote(graph, &sweep, rows, &mut GraphMemory::new());
        results.push(together(seed, ResultKind::Vote, &[share], pass(graph, rows, sweep.len())));
    }

    let fixed = fixed_network(study.shape.inputs, study.shape.outputs, graph.multiply_adds());
    let scores = of(&fixed, &search.weights, rows);
    results.push(together(seed, ResultKind::FixedShared, &scores, pass(&fixed, rows, scores.len())));
    results.push(together(seed, ResultKind::FixedRandom, &random(judge, &fixed, draws, rows, &streams), cost(&fixed)));
    // The sweep is in no row of results, and what the choice of the shared weight took is in two.
    let twice = if tuned.is_some() { choice } else { 0 };
    let spent = results.iter().map(|row| row.cost).sum::<u64>() + pass(graph, rows, sweep.len()) - twice;
    let cost = Cost { forward: spent, ..Cost::ZERO };
    let tuned = tuned.map(|(own, _)| own);
    Ok(Examined { results, weights: weights.collect(), shared, tuned, trajectory: None, cost })
}

fn random(judge: Judge, graph: &Graph, draws: usize, rows: &Rows, streams: &Streams) -> Vec<f64> {
    let score = |memory: &mut GraphMemory, draw: usize| {
        let weights = random_weights(graph.multiply_adds(), draw, streams);
        judge.scores(graph, Weights::PerLink(&weights), rows, memory)[0]
    };
    (0..draws).into_par_iter().map_init(GraphMemory::new, score).collect()
}

/// Mean over some trials, and their standard deviation if there are several.
fn together(seed: u64, kind: ResultKind, scores: &[f64], cost: u64) -> ResultRow {
    let count = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let squares: f64 = scores.iter().map(|score| (score - mean) * (score - mean)).sum();
    let deviation = (scores.len() > 1).then(|| (squares / count).sqrt());
    result(seed, kind, Summary { score: mean, deviation, failures: None, trials: scores.len() as u64 }, cost)
}

/// Index of the best; of equals, the first.
fn best_of(scores: &[f64]) -> usize {
    let finite = |at: usize| if scores[at].is_finite() { scores[at] } else { f64::NEG_INFINITY };
    (0..scores.len()).rev().max_by(|a, b| finite(*a).total_cmp(&finite(*b))).unwrap_or(0)
}
