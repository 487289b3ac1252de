//! Giving each link of a champion a weight of its own.

use crate::cost::Cost;
use crate::error::Result;
use crate::experiment::search::config::Tuning;
use crate::experiment::search::control::{Arena, Link};
use crate::math::Rows;
use crate::network::{Graph, GraphMemory, Head, Weights};
use crate::rng::{Purpose, Streams};
use crate::task::Supervised;
use crate::task::control::starts;
use crate::train::OptimizerState;
use crate::values::{Fitness, rank_into};

/// Tunes `weights` `[links]` for the return of episodes; returns what that cost. Nothing, unless `tuning` is `Evolution`.
///
/// A separable CMA-ES (Ros & Hansen 2008, constants as there): every generation scores its candidates on starts of its own,
/// common to all of them. In the end the means of the distribution after each quarter of the generations and the weights
/// that it began with meet on fresh starts, and the best is kept. Episodes are never more than `tuning` allows.
pub(super) fn tune_control(
    arena: &Arena,
    graph: &Graph,
    weights: &mut [f32],
    tuning: &Tuning,
    streams: &Streams,
) -> Cost {
    let Tuning::Evolution { episodes, starts: count, sigma } = tuning else { return Cost::ZERO };
    if weights.is_empty() {
        return Cost::ZERO;
    }
    let (n, count) = (weights.len(), count.get());
    let mut strategy = Separable::new(weights, sigma.get());
    let finals = FINAL_STARTS.min(episodes.get() / (4 * FINALISTS));
    let generations = ((episodes.get() - FINALISTS * finals) / (count * strategy.size)) as u64;
    let mut finalists = vec![weights.to_vec()];
    let mut cost = Cost::ZERO;
    let mut candidates = vec![vec![0.0_f32; n]; strategy.size];
    let mut order = Vec::new();
    for generation in 0..generations {
        strategy.draw(&mut candidates, generation, streams);
        let starts = starts(arena.environment, streams, generation, count);
        let asked: Vec<_> = candidates.iter().map(|weights| (graph, Link::Own(weights))).collect();
        let tallies = arena.play(&asked, &starts);
        let fitness: Vec<Fitness> = tallies.iter().map(|tally| Fitness::new(-tally.mean())).collect();
        rank_into(&fitness, &mut order);
        strategy.learn(&candidates, &order, generation + 1);
        cost += tallies.iter().fold(Cost::ZERO, |sum, tally| sum + tally.cost());
        // The last quarter ends with the last generation.
        let quarter = |generation: u64| 4 * generation / generations;
        if quarter(generation + 1) > quarter(generation) {
            finalists.push(strategy.mean.iter().map(|x| *x as f32).collect());
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
    cost
}

/// Weights that meet at the end, and starts that they meet on.
const FINALISTS: usize = 5;
const FINAL_STARTS: usize = 100;

/// A normal distribution with a variance for each coordinate, in the symbols of the paper.
struct Separable {
    size: usize,
    /// Recombination weights, of the better half.
    w: Vec<f64>,
    mu_eff: f64,
    mean: Vec<f64>,
    sigma: f64,
    /// Diagonal of the covariance matrix.
    c: Vec<f64>,
    p_sigma: Vec<f64>,
    p_c: Vec<f64>,
}

impl Separable {
    fn new(start: &[f32], sigma: f64) -> Separable {
        let n = start.len() as f64;
        // A multiple of the sixteen lanes would be no better: each candidate has its own.
        let size = 4 + (3.0 * libm::log(n)) as usize;
        let raw: Vec<f64> =
            (0..size / 2).map(|i| libm::log(size as f64 / 2.0 + 0.5) - libm::log(i as f64 + 1.0)).collect();
        let sum: f64 = raw.iter().sum();
        let w: Vec<f64> = raw.iter().map(|w| w / sum).collect();
        let mu_eff = 1.0 / w.iter().map(|w| w * w).sum::<f64>();
        let zeros = vec![0.0; start.len()];
        let mean = start.iter().map(|x| f64::from(*x)).collect();
        Separable { size, w, mu_eff, mean, sigma, c: vec![1.0; start.len()], p_sigma: zeros.clone(), p_c: zeros }
    }

    fn draw(&self, candidates: &mut [Vec<f32>], generation: u64, streams: &Streams) {
        for (index, candidate) in candidates.iter_mut().enumerate() {
            let mut rng = streams.stream(Purpose::Variation, generation, index as u64);
            for ((x, mean), c) in candidate.iter_mut().zip(&self.mean).zip(&self.c) {
                *x = (self.sigma * c.sqrt()).mul_add(rng.normal(), *mean) as f32;
            }
        }
    }

    fn learn(&mut self, candidates: &[Vec<f32>], order: &[u32], generation: u64) {
        let (n, mu_eff) = (self.mean.len() as f64, self.mu_eff);
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma;
        let c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n);
        // Fewer variances than a whole matrix has entries, so they may be learned faster: (n + 2) / 3 times.
        let faster = (n + 2.0) / 3.0;
        let c_1 = (faster * 2.0 / ((n + 1.3) * (n + 1.3) + mu_eff)).min(0.5);
        let c_mu = faster * 2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0) * (n + 2.0) + mu_eff);
        let c_mu = c_mu.min(1.0 - c_1);
        let chi = n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));
        let step = |x: f32, mean: f64, sigma: f64| (f64::from(x) - mean) / sigma;
        let mut norm = 0.0;
        let mut moves = vec![0.0; self.mean.len()];
        for (i, moved) in moves.iter_mut().enumerate() {
            let best = order.iter().zip(&self.w);
            *moved = best.map(|(&at, w)| w * step(candidates[at as usize][i], self.mean[i], self.sigma)).sum();
            let whitened = *moved / self.c[i].sqrt();
            self.p_sigma[i] =
                (1.0 - c_sigma) * self.p_sigma[i] + (c_sigma * (2.0 - c_sigma) * mu_eff).sqrt() * whitened;
            norm += self.p_sigma[i] * self.p_sigma[i];
        }
        let settled = 1.0 - libm::pow(1.0 - c_sigma, 2.0 * generation as f64);
        let small = (norm / settled).sqrt() < (1.4 + 2.0 / (n + 1.0)) * chi;
        for (i, moved) in moves.iter().enumerate() {
            let path = if small { (c_c * (2.0 - c_c) * mu_eff).sqrt() * moved } else { 0.0 };
            self.p_c[i] = (1.0 - c_c) * self.p_c[i] + path;
            let best = order.iter().zip(&self.w);
            let squares: f64 = best
                .map(|(&at, w)| {
                    let y = step(candidates[at as usize][i], self.mean[i], self.sigma);
                    w * y * y
                })
                .sum();
            self.c[i] = (1.0 - c_1 - c_mu) * self.c[i] + c_1 * self.p_c[i] * self.p_c[i] + c_mu * squares;
            self.c[i] = self.c[i].max(1e-12);
        }
        self.mean.iter_mut().zip(&moves).for_each(|(mean, moved)| *mean += self.sigma * moved);
        self.sigma *= libm::exp(((c_sigma / d_sigma) * (norm.sqrt() / chi - 1.0)).min(1.0));
    }
}

/// Tunes `weights` `[links]` by gradients on the training rows; returns what that cost. Nothing, unless `tuning` is
/// `Gradient`. Of all epochs' ends, the weights with the lowest validation loss are kept, the training loss without
/// validation rows.
///
/// # Errors
/// A graph with `Step` nodes (`P0138`).
pub(super) fn tune_rows(
    supervised: &Supervised,
    head: Head,
    graph: &Graph,
    weights: &mut [f32],
    tuning: &Tuning,
    streams: &Streams,
) -> Result<Cost> {
    let Tuning::Gradient { optimizer, batch, epochs } = tuning else { return Ok(Cost::ZERO) };
    let (rows, links) = (&supervised.training, weights.len());
    let watched = supervised.validation.as_ref().unwrap_or(rows);
    let (count, size) = (rows.count(), batch.rows(rows.count()));
    let mut memory = GraphMemory::new();
    let mut state = OptimizerState::default();
    state.reset(&**optimizer, links);
    let (mut now, mut gradient) = (weights.to_vec(), vec![0.0; links]);
    let mut best = f64::INFINITY;
    let mut cost = Cost::ZERO;
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut some = Rows::with_shape(size, rows.features(), rows.outputs());
    for epoch in 0..=epochs.get() as u64 {
        let mut loss = [0.0];
        graph.losses(head, Weights::PerLink(&now), watched, &mut loss, &mut memory);
        cost += Cost::forward(links, watched.count());
        if loss[0] < best {
            best = loss[0];
            weights.copy_from_slice(&now);
        }
        if epoch == epochs.get() as u64 {
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
            cost += Cost::gradient(links, size);
            state.step += 1;
            optimizer.step(&mut state, &mut now, &gradient, optimizer.learning_rate());
        }
    }
    Ok(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strategy_finds_the_middle_of_a_badly_scaled_bowl() {
        let streams = Streams::new(3);
        let mut strategy = Separable::new(&[3.0; 8], 0.3);
        let mut candidates = vec![vec![0.0; 8]; strategy.size];
        let bowl = |x: &[f32]| -> f64 {
            let terms = x.iter().enumerate().map(|(i, x)| libm::pow(10.0, i as f64 / 2.0) * f64::from(x * x));
            terms.sum()
        };
        let mut order = Vec::new();
        for generation in 0..300 {
            strategy.draw(&mut candidates, generation, &streams);
            let fitness: Vec<Fitness> = candidates.iter().map(|x| Fitness::new(bowl(x))).collect();
            rank_into(&fitness, &mut order);
            strategy.learn(&candidates, &order, generation + 1);
        }
        let mean: Vec<f32> = strategy.mean.iter().map(|x| *x as f32).collect();
        assert!(bowl(&mean) < 1e-9 * bowl(&[3.0; 8]), "{mean:?}");
        assert!(strategy.c[0] > 100.0 * strategy.c[7], "variances follow the scales: {:?}", strategy.c);
    }
}
