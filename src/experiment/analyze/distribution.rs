//! How the weights of each layer are distributed, and how far they moved.

use super::opened::Opened;
use super::{Label, MOMENTS, OfSeed, at, distance, norm};
use crate::error::Result;
use crate::experiment::record::Moment;
use crate::experiment::replicate::Weights;
use crate::math::statistics::{Shape, median, quantile_of_sorted, sorted};
use crate::network::Mlp;
use rayon::prelude::*;
use serde::Serialize;

/// Bins of a histogram.
const BINS: usize = 60;
/// Share of the weights that may lie beyond either end of a seed's range; they are counted in the outermost bins.
const OUTSIDE: f64 = 0.001;
/// How far beyond the typical seed's range a histogram goes for others, in such ranges.
const STRAY: f64 = 1.0;

/// A row of `moments.csv`: the weights of one layer, without thresholds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MomentRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Layer, from 1; the last one is the output.
    pub layer: usize,
    /// Which weights.
    pub moment: Moment,
    /// How many.
    pub weights: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation, with divisor n.
    pub standard_deviation: f64,
    /// Skewness; none of equal weights.
    pub skewness: Option<f64>,
    /// Excess kurtosis; none of equal weights.
    pub kurtosis: Option<f64>,
    /// Length of the vector of weights.
    pub norm: f64,
}

/// A row of `moves.csv`: how far the weights of one layer moved, without thresholds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MoveRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Layer, from 1.
    pub layer: usize,
    /// Where from.
    pub from: Moment,
    /// Where to.
    pub to: Moment,
    /// Distance.
    pub distance: f64,
    /// Distance over the norm of where it began; none if that is 0.
    pub relative: Option<f64>,
}

/// A row of `histograms.csv`: one bin of one layer, all seeds together. The outermost bins hold what lies beyond them too.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistogramRow {
    /// Arm.
    pub arm: String,
    /// Layer, from 1.
    pub layer: usize,
    /// Which weights.
    pub moment: Moment,
    /// Lower edge.
    pub from: f64,
    /// Upper edge.
    pub to: f64,
    /// Weights in it.
    pub count: u64,
    /// Share of the weights, over the width.
    pub density: f64,
}

/// Per layer, the range that a histogram should cover.
pub(super) type Range = Vec<(f64, f64)>;

pub(super) fn look(network: &Mlp, weights: &Weights, label: Label, out: &mut OfSeed) {
    let (arm, seed) = (label.arm.to_owned(), label.seed);
    let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); network.layers().len()];
    for (place, layer) in network.layers().iter().enumerate() {
        for (moment, all) in weights.moments() {
            let own = &all[layer.weights.clone()];
            let ordered = sorted(&own.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
            let end = |share| quantile_of_sorted(&ordered, share).unwrap_or(0.0);
            range[place] = (range[place].0.min(end(OUTSIDE)), range[place].1.max(end(1.0 - OUTSIDE)));
            let Some(shape) = Shape::of(own) else { continue };
            out.moments.push(MomentRow {
                arm: arm.clone(),
                seed,
                layer: place + 1,
                moment,
                weights: shape.count,
                mean: shape.mean,
                standard_deviation: shape.deviation,
                skewness: shape.skewness,
                kurtosis: shape.kurtosis,
                norm: norm(own),
            });
        }
        for (from, to) in [(Moment::Drawn, Moment::Start), (Moment::Start, Moment::End)] {
            let (Some(a), Some(b)) = (at(weights, from), at(weights, to)) else { continue };
            let (a, b) = (&a[layer.weights.clone()], &b[layer.weights.clone()]);
            let (distance, length) = (distance(a, b), norm(a));
            let relative = (length > 0.0).then(|| distance / length);
            out.moves.push(MoveRow { arm: arm.clone(), seed, layer: place + 1, from, to, distance, relative });
        }
    }
    out.ranges.push(range);
}

/// Histograms of all seeds together. `ranges`: per seed and arm.
pub(super) fn histograms(opened: &Opened, ranges: &[&[Range]]) -> Result<Vec<HistogramRow>> {
    let mut rows = Vec::new();
    for arm in 0..opened.arms.len() {
        let layers = opened.network(arm).layers();
        let bins = bins(layers.len(), &ranges.iter().map(|seed| &seed[arm]).collect::<Vec<_>>());
        let of_seed = |seed: &u64| -> Result<Vec<u64>> {
            let weights = opened.weights(opened.name(arm), *seed)?;
            Ok(counts(opened.network(arm), weights.as_ref(), &bins))
        };
        let none = || vec![0; layers.len() * MOMENTS.len() * BINS];
        let add = |a: Vec<u64>, b: Vec<u64>| a.iter().zip(&b).map(|(a, b)| a + b).collect();
        let counts: Vec<u64> = opened.study.seeds.par_iter().map(of_seed).try_reduce(none, |a, b| Ok(add(a, b)))?;
        rows.extend(rows_of(opened.name(arm), &bins, &counts));
    }
    Ok(rows)
}

/// Histograms of one model.
pub(super) fn histograms_of(network: &Mlp, weights: &Weights, label: Label, range: &Range) -> Vec<HistogramRow> {
    let bins = bins(network.layers().len(), &[range]);
    rows_of(label.arm, &bins, &counts(network, Some(weights), &bins))
}

/// What the histogram of each layer covers.
fn bins(layers: usize, ranges: &[&Range]) -> Vec<(f64, f64)> {
    let of = |layer: usize| {
        let (low, high): (Vec<f64>, Vec<f64>) = ranges.iter().filter_map(|range| range.get(layer).copied()).unzip();
        let middle = |ends: &[f64]| median(ends).unwrap_or(0.0);
        let (low_middle, high_middle) = (middle(&low), middle(&high));
        // One seed that went far astray is not to squeeze all others into a bin.
        let most = STRAY * (high_middle - low_middle);
        let low = low.into_iter().fold(low_middle, f64::min).max(low_middle - most);
        let high = high.into_iter().fold(high_middle, f64::max).min(high_middle + most);
        // Equal weights get a bin of some width all the same.
        if high > low { (low, high) } else { (low - 0.5, low + 0.5) }
    };
    (0..layers).map(of).collect()
}

/// Weights in each bin, by layer and moment.
fn counts(network: &Mlp, weights: Option<&Weights>, bins: &[(f64, f64)]) -> Vec<u64> {
    let mut counts = vec![0; bins.len() * MOMENTS.len() * BINS];
    for (index, (layer, (low, high))) in network.layers().iter().zip(bins).enumerate() {
        for (place, moment) in MOMENTS.into_iter().enumerate() {
            let Some(all) = weights.and_then(|weights| at(weights, moment)) else { continue };
            for weight in &all[layer.weights.clone()] {
                let bin = (f64::from(*weight) - low) / (high - low) * BINS as f64;
                counts[(index * MOMENTS.len() + place) * BINS + (bin.max(0.0) as usize).min(BINS - 1)] += 1;
            }
        }
    }
    counts
}

fn rows_of(arm: &str, bins: &[(f64, f64)], counts: &[u64]) -> Vec<HistogramRow> {
    let mut rows = Vec::new();
    for (index, (low, high)) in bins.iter().enumerate() {
        for (place, moment) in MOMENTS.into_iter().enumerate() {
            let counts = &counts[(index * MOMENTS.len() + place) * BINS..][..BINS];
            let all: u64 = counts.iter().sum();
            let width = (high - low) / BINS as f64;
            rows.extend(counts.iter().enumerate().filter(|_| all > 0).map(|(bin, count)| HistogramRow {
                arm: arm.to_owned(),
                layer: index + 1,
                moment,
                from: low + bin as f64 * width,
                to: low + (bin + 1) as f64 * width,
                count: *count,
                density: *count as f64 / (all as f64 * width),
            }));
        }
    }
    rows
}
