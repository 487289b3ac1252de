//! Giving each link of a champion a weight of its own.

use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::Evaluations;
use crate::evolve::strategy::{CmaEs, CmaEsSettings, Covariance, Start, Strategy};
use crate::experiment::search::branch;
use crate::experiment::search::config::Tuning;
use crate::experiment::search::control::{Arena, Link};
use crate::experiment::search::prepare::check_optimizer;
use crate::math::Rows;
use crate::network::{Graph, GraphMemory, Head, Weights};
use crate::rng::{Purpose, Streams};
use crate::task::Supervised;
use crate::task::control::starts;
use crate::train::{Batch, Optimizer, OptimizerState, Steps};
use crate::values::{Count, Fitness};
use rayon::prelude::*;

/// Tunes `weights` `[links]` for the return of episodes; returns what that cost. Nothing, unless `tuning` is `Evolution`.
///
/// CMA-ES ([`CmaEs`]), full for few links and separable for many: every generation scores its candidates on starts of its
/// own, common to all of them, so what one generation's starts hide averages out over many. A search that stops begins
/// again where its mean is. In the end the means of the distribution after each quarter of the generations and the weights
/// that it began with meet on fresh starts, and the best is kept. Episodes are never more than `tuning` allows.
///
/// # Errors
/// Weights that no search can begin with.
pub(super) fn tune_control(
    arena: &Arena,
    graph: &Graph,
    weights: &mut [f32],
    tuning: &Tuning,
    streams: &Streams,
) -> Result<Cost> {
    let Tuning::Evolution { episodes, starts: count, sigma } = tuning else { return Ok(Cost::ZERO) };
    if weights.is_empty() {
        return Ok(Cost::ZERO);
    }
    let (n, count) = (weights.len(), count.get());
    let settings = CmaEsSettings {
        // The search is bounded by episodes here, and scores differ between generations.
        generations: Count::new(episodes.get() as u64).expect("episodes are a count"),
        sigma: *sigma,
        mode: if n <= LARGEST_FULL { Covariance::Full } else { Covariance::Separable },
        fixed_scores: false,
        ..CmaEsSettings::default()
    };
    let begin = |mean: &[f32]| CmaEs::new(settings.clone(), Start::Given { mean: mean.to_vec(), spread: vec![1.0; n] });
    let mut search = begin(weights)?;
    let finals = FINAL_STARTS.min(episodes.get() / (4 * FINALISTS));
    let generations = ((episodes.get() - FINALISTS * finals) / (count * search.population_size())) as u64;
    let mut finalists = vec![weights.to_vec()];
    let (mut cost, mut restarts) = (Cost::ZERO, 0);
    let mut evaluations = Evaluations::default();
    for generation in 0..generations {
        if search.is_finished() {
            search = begin(&mean(&search))?;
            // A search that begins again counts from 0, and must not repeat the draws of the one before.
            restarts += 1;
        }
        let draws = streams.branch(branch::TUNING + restarts);
        let (population, asked) = search.ask(usize::MAX, &draws)?;
        let starts = starts(arena.environment, streams, generation, count);
        let candidates: Vec<_> = asked.clone().map(|index| (graph, Link::Own(population.genome(index)))).collect();
        let tallies = arena.play(&candidates, &starts);
        evaluations.fitness = tallies.iter().map(|tally| Fitness::new(-tally.mean())).collect();
        search.tell(&mut evaluations, asked);
        cost += tallies.iter().fold(Cost::ZERO, |sum, tally| sum + tally.cost());
        // The last quarter ends with the last generation.
        let quarter = |generation: u64| 4 * generation / generations;
        if quarter(generation + 1) > quarter(generation) {
            finalists.push(mean(&search));
        }
    }
    if finals > 0 {
        let starts = starts(arena.environment, streams, generations, finals);
        let asked: Vec<_> = finalists.iter().map(|weights| (graph, Link::Own(weights))).collect();
        let tallies = arena.play(&asked, &starts);
        let best = (0..finalists.len()).min_by_key(|&at| (Fitness::new(-tallies[at].mean()), at)).unwrap_or(0);
        weights.copy_from_slice(&finalists[best]);
        cost += tallies.iter().fold(Cost::ZERO, |sum, tally| sum + tally.cost());
    }
    Ok(cost)
}

/// Weights that meet at the end, and starts that they meet on.
const FINALISTS: usize = 5;
const FINAL_STARTS: usize = 100;

/// Links up to which all covariances are learned: those of more take more episodes than a tuning has.
const LARGEST_FULL: usize = 50;

/// The middle of what a search draws from; spreads are 1.
fn mean(search: &CmaEs) -> Vec<f32> {
    search.state().centre.mean.iter().map(|x| *x as f32).collect()
}

/// Weights `[links]` tuned by gradients on the training rows, and what that cost; `None` unless `tuning` is `Gradient`.
///
/// Every one of `starts` is where training begins once, with that weight on all links: through nodes that swing, what a
/// large weight answers best is not what trains best. Of the ends of all epochs of all beginnings, the weights with the
/// lowest validation loss are kept, the training loss without validation rows.
///
/// # Errors
/// A graph with `Step` nodes (`P0138`).
pub(super) fn tune_rows(
    supervised: &Supervised,
    head: Head,
    graph: &Graph,
    starts: &[f32],
    tuning: &Tuning,
    streams: &Streams,
) -> Result<Option<(Vec<f32>, Cost)>> {
    let Tuning::Gradient { optimizer, batch, epochs } = tuning else { return Ok(None) };
    let trained: Vec<Trained> = starts
        .par_iter()
        .map(|start| train(supervised, head, graph, *start, (optimizer, *batch, epochs.get() as u64), streams))
        .collect::<Result<_>>()?;
    let cost = trained.iter().fold(Cost::ZERO, |sum, one| sum + one.cost);
    let best = trained.into_iter().min_by_key(|one| Fitness::new(one.loss));
    Ok(best.map(|best| (best.weights, cost)))
}

/// What one beginning came to.
struct Trained {
    weights: Vec<f32>,
    loss: f64,
    cost: Cost,
}

fn train(
    supervised: &Supervised,
    head: Head,
    graph: &Graph,
    start: f32,
    (optimizer, batch, epochs): (&Optimizer, Batch, u64),
    streams: &Streams,
) -> Result<Trained> {
    let (rows, links) = (&supervised.training, graph.multiply_adds());
    let watched = supervised.validation.as_ref().unwrap_or(rows);
    let (count, size) = (rows.count(), batch.rows(rows.count()));
    let mut memory = GraphMemory::new();
    check_optimizer(optimizer)?;
    let Steps::ByGradient(method) = optimizer.steps() else { unreachable!("checked above") };
    let mut state = OptimizerState::default();
    state.reset(&**optimizer, links);
    let (mut now, mut gradient) = (vec![start; links], vec![0.0; links]);
    let mut best = Trained { weights: now.clone(), loss: f64::INFINITY, cost: Cost::ZERO };
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut some = Rows::with_shape(size, rows.features(), rows.outputs());
    for epoch in 0..=epochs {
        let mut loss = [0.0];
        graph.losses(head, Weights::PerLink(&now), watched, &mut loss, &mut memory);
        best.cost += Cost::forward(links, watched.count());
        if loss[0] < best.loss {
            best.loss = loss[0];
            best.weights.copy_from_slice(&now);
        }
        if epoch == epochs {
            break;
        }
        streams.stream(Purpose::BatchOrder, epoch, 0).shuffle(&mut order);
        // The few rows that fill no batch have their turn in another epoch's order.
        for part in order.chunks_exact(size) {
            let rows = if size == count {
                rows
            } else {
                some.gather(rows, part);
                &some
            };
            graph.gradient(head, &now, rows, &mut gradient, &mut memory)?;
            best.cost += Cost::gradient(links, size);
            state.step += 1;
            method.step(&mut state, &mut now, &gradient, method.learning_rate());
        }
    }
    Ok(best)
}
