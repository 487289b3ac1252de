//! Whether two arms, or one arm at two seeds, end in the same basin.

use super::line::{BetweenRow, Curve, Point, between};
use super::opened::{Opened, Seed};
use super::{distance, norm};
use crate::evolve::crossover::align;
use crate::experiment::replicate::Weights;
use crate::network::Workspace;
use serde::Serialize;

/// A row of `pairs.csv`: the deployed weights of two arms at one seed, or of one arm at a seed and at the next one. Distances
/// are between all parameters, relative to the root mean square of the two norms; two independent random vectors lie √2
/// apart. Losses are on the rows of the first seed, whatever the second weights were trained on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairRow {
    /// First arm.
    pub first: String,
    /// Second arm; the first one again where it is held against itself at another seed.
    pub second: String,
    /// Seed of the first arm.
    pub seed: u64,
    /// Seed of the second arm.
    pub second_seed: u64,
    /// Relative distance of the starts, as they stand; none where one has no start.
    pub start_distance: Option<f64>,
    /// Relative distance of the deployed weights, as they stand.
    pub distance: Option<f64>,
    /// The same after the second arm's hidden units were put into the first one's order, with signs turned where the
    /// activation is odd.
    pub aligned_distance: Option<f64>,
    /// Barrier of the training loss on the straight line between them; none where a loss on it is no number.
    pub train_barrier: Option<f64>,
    /// The same after alignment.
    pub aligned_train_barrier: Option<f64>,
    /// Barrier of the test loss after alignment.
    pub aligned_test_barrier: Option<f64>,
    /// The aligned barrier of the training loss over what training gained: the mean loss of the two starts less that of the
    /// two ends. 0 is one basin, 1 a way back over the height of the starts.
    pub barrier_share: Option<f64>,
}

pub(super) fn look(
    opened: &Opened,
    seed: &Seed,
    (first, second): (usize, usize),
    (second_seed, b): (u64, Option<&Weights>),
) -> Option<(PairRow, Vec<BetweenRow>)> {
    let network = opened.network(first);
    let (a, b) = (seed.weights[first].as_ref()?, b?);
    let (end, other) = (a.end.as_deref()?, b.end.as_deref()?);
    let rows = &seed.prepared.supervised.training;
    let mut workspace = Workspace::new();
    let mut aligned = vec![0.0; other.len()];
    align(network, rows, end, other, &mut aligned, &mut workspace);
    let mut curves = Vec::new();
    let mut along = |other: &[f32], aligned: bool| {
        let points = between(network, seed, end, other);
        let curve = |loss: fn(&Point) -> Option<f64>| {
            Curve(points.iter().map(|point| loss(point).unwrap_or(f64::INFINITY)).collect())
        };
        let found = (curve(|point| point.train_loss).barrier(), curve(|point| point.test_loss).barrier());
        curves.extend(points.iter().map(|point| BetweenRow {
            first: opened.name(first).to_owned(),
            second: opened.name(second).to_owned(),
            seed: seed.number,
            second_seed,
            aligned,
            share: point.share,
            train_loss: point.train_loss,
            test_loss: point.test_loss,
        }));
        found
    };
    let (train_barrier, _) = along(other, false);
    let (aligned_train_barrier, aligned_test_barrier) = along(&aligned, true);
    let mut loss = |params: &[f32]| network.loss(params, rows, &mut workspace);
    let starts = a.start.as_deref().zip(b.start.as_deref());
    let gain = starts.map(|(a, b)| 0.5 * (loss(a) + loss(b)) - 0.5 * (loss(end) + loss(other)));
    let share = aligned_train_barrier.zip(gain.filter(|gain| *gain > 0.0)).map(|(barrier, gain)| barrier / gain);
    let finite = |x: f64| x.is_finite().then_some(x);
    let row = PairRow {
        first: opened.name(first).to_owned(),
        second: opened.name(second).to_owned(),
        seed: seed.number,
        second_seed,
        start_distance: starts.and_then(|(a, b)| relative(a, b)),
        distance: relative(end, other),
        aligned_distance: relative(end, &aligned),
        train_barrier: train_barrier.and_then(finite),
        aligned_train_barrier: aligned_train_barrier.and_then(finite),
        aligned_test_barrier: aligned_test_barrier.and_then(finite),
        barrier_share: share.and_then(finite),
    };
    Some((row, curves))
}

/// Distance over the root mean square of the norms; `None` of two zeros.
fn relative(a: &[f32], b: &[f32]) -> Option<f64> {
    let (a_norm, b_norm) = (norm(a), norm(b));
    let size = (0.5 * (a_norm * a_norm + b_norm * b_norm)).sqrt();
    (size > 0.0).then(|| distance(a, b) / size)
}
