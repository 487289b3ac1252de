//! Ways that arms take from one common start, in one plane for all of them.

use super::again::Again;
use super::landscape::{LandscapeRow, Plane, View, dot, double, minus, norm, points};
use super::opened::{Opened, Seed};
use crate::error::Result;
use crate::experiment::arm::Step;
use crate::network::Workspace;
use rayon::prelude::*;
use serde::Serialize;

/// Arms are run again only where that takes at most so many multiply-adds.
pub(super) const MOST_WORK: f64 = 2e10;
/// Points of a way lie at every step, and later on at costs that grow by this factor.
const GROWTH: f64 = 1.02;
/// Multiply-adds of a loss up to which the grid is fine, and its points in either direction.
const SMALL: usize = 100_000;
const FINE: usize = 101;
/// Turns of the power iteration, for each direction.
const TURNS: usize = 200;

/// A row of `trails.csv`: where an arm was on its way of training, in a plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrailRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Which plane: `shared` or `components`.
    pub plane: Plane,
    /// Steps of training so far.
    pub step: u64,
    /// Row-passes spent.
    pub cost: f64,
    /// Along the first direction.
    pub x: f64,
    /// Along the second direction.
    pub y: f64,
    /// Loss on the training rows; none if it is not finite.
    pub train_loss: Option<f64>,
}

/// Ways from one start, over one landscape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ways {
    /// Points of all ways: arms as in the experiment, steps in order.
    pub trails: Vec<TrailRow>,
    /// Losses on the grid of the common plane; the arm of these rows is empty.
    pub landscape: Vec<LandscapeRow>,
    /// Share of the squared distances from the start that lies in the plane: 1 where all parameters do.
    pub share: f64,
    /// Whether the axes are the network's only weight and its only threshold.
    pub is_whole: bool,
}

/// One arm on its way: step, multiply-adds spent, weights.
type Way = Vec<(u64, u64, Vec<f32>)>;

/// The ways of the largest group of arms that began to train from the very same weights at the drawn seed, without a search
/// before; empty where fewer than two did, or where running them again takes long.
pub(super) fn look(opened: &Opened) -> Result<Ways> {
    let seed = opened.seed(opened.drawn)?;
    let group = group(opened, &seed);
    let rows = seed.prepared.supervised.training.count();
    let budget = opened.study.budget(rows);
    if group.len() < 2 || budget as f64 * group.len() as f64 > MOST_WORK {
        return Ok(Ways::default());
    }
    let ways: Vec<Way> = group.par_iter().map(|arm| way(opened, &seed, *arm, budget)).collect::<Result<_>>()?;
    let network = opened.network(group[0]);
    let origin = double(&ways[0][0].2);
    let moves: Vec<Vec<f64>> = ways.iter().flatten().map(|(_, _, params)| minus(&double(params), &origin)).collect();
    let is_whole = network.parameters() == 2;
    let directions = if is_whole { [vec![1.0, 0.0], vec![0.0, 1.0]] } else { leading(&moves) };
    let at = |moved: &[f64]| (dot(moved, &directions[0]), dot(moved, &directions[1]));
    let places: Vec<(f64, f64)> = moves.iter().map(|moved| at(moved)).collect();
    let all: f64 = moves.iter().map(|moved| dot(moved, moved)).sum();
    let inside: f64 = places.iter().map(|(x, y)| x * x + y * y).sum();
    if all == 0.0 || !all.is_finite() {
        return Ok(Ways::default());
    }
    let loss = |params: &[f32], workspace: &mut Workspace| {
        let loss = network.loss(params, &seed.prepared.supervised.training, workspace);
        loss.is_finite().then_some(loss)
    };
    let unit = opened.study.network.multiply_adds() as f64;
    // Where all parameters lie in the plane it is told by themselves.
    let (left, below) = if is_whole { (origin[0], origin[1]) } else { (0.0, 0.0) };
    let mut place = places.iter();
    let mut workspace = Workspace::new();
    let mut trails = Vec::new();
    for (arm, way) in group.iter().zip(&ways) {
        for ((step, spent, params), (x, y)) in way.iter().zip(place.by_ref()) {
            trails.push(TrailRow {
                arm: opened.name(*arm).to_owned(),
                seed: seed.number,
                plane: Plane::Shared,
                step: *step,
                cost: *spent as f64 / unit,
                x: x + left,
                y: y + below,
                train_loss: loss(params, &mut workspace),
            });
        }
    }
    let (x, y) = frame(&places);
    let view = View { plane: Plane::Shared, origin, directions, x, y, places: Vec::new() };
    // A network as small as that gets a finer grid.
    let work = network.multiply_adds() * rows;
    let points = if work <= SMALL { FINE } else { points(work) };
    let of = |(params, workspace): &mut (Vec<f32>, Workspace), point: usize| {
        let (x, y) = view.point(point, points);
        view.params((x, y), params);
        let train_loss = loss(params, workspace);
        LandscapeRow { arm: String::new(), seed: seed.number, plane: view.plane, x: x + left, y: y + below, train_loss }
    };
    let landscape = (0..points * points).into_par_iter().map_init(|| (Vec::new(), Workspace::new()), of).collect();
    Ok(Ways { trails, landscape, share: inside / all, is_whole })
}

/// Places of the arms that share network and start with most others.
fn group(opened: &Opened, seed: &Seed) -> Vec<usize> {
    let start = |arm: usize| {
        let weights = seed.weights[arm].as_ref()?;
        let config = &opened.study.experiment.arms[opened.arms[arm]];
        let free = weights.drawn == weights.start && config.method.refers_to().is_none() && config.method.trains();
        weights.start.as_ref().filter(|_| free)
    };
    let arms = || 0..opened.arms.len();
    let like = |arm: usize| -> Vec<usize> {
        let Some(own) = start(arm) else { return Vec::new() };
        arms().filter(|other| opened.network(*other) == opened.network(arm) && start(*other) == Some(own)).collect()
    };
    // Of equally large groups the first.
    arms().map(like).rev().max_by_key(Vec::len).unwrap_or_default()
}

/// Runs an arm again, which gives the same weights, and notes them on the way.
fn way(opened: &Opened, seed: &Seed, arm: usize, budget: u64) -> Result<Way> {
    let mut again = Again::begin(opened, seed, arm, budget)?;
    let start = seed.weights[arm].as_ref().and_then(|weights| weights.start.clone()).unwrap_or_default();
    let mut way = vec![(0, 0, start)];
    let mut end = Step::Running;
    while end == Step::Running {
        let spent = again.cost.total();
        end = again.to((spent + 1).max((spent as f64 * GROWTH) as u64))?;
        if let Some(weights) = again.arm.weights()
            && again.cost.total() > spent
            && weights.iter().all(|weight| weight.is_finite())
        {
            way.push((again.log.steps, again.cost.total(), weights.to_vec()));
        }
    }
    Ok(way)
}

/// The two directions along which `moves` are longest, as unit vectors at right angles: the leading principal axes of the
/// ways, not centred, so that the common start lies in the plane. Li et al. 2018, section 7.2, centre on the end instead.
fn leading(moves: &[Vec<f64>]) -> [Vec<f64>; 2] {
    let longest = |moves: &[Vec<f64>]| {
        let all = moves.iter().max_by(|a, b| norm(a).total_cmp(&norm(b)));
        let mut direction = all.cloned().unwrap_or_default();
        unit(&mut direction);
        for _ in 0..TURNS {
            let mut next = vec![0.0; direction.len()];
            for moved in moves {
                let along = dot(moved, &direction);
                next.iter_mut().zip(moved).for_each(|(next, x)| *next += along * x);
            }
            unit(&mut next);
            direction = next;
        }
        direction
    };
    let first = longest(moves);
    let rest: Vec<Vec<f64>> = moves.iter().map(|moved| super::landscape::across(moved, &first)).collect();
    let second = longest(&rest);
    [first, second]
}

/// Makes a vector one of length 1, unless it has none.
pub(super) fn unit(vector: &mut [f64]) {
    let length = norm(vector);
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

/// A square that holds all places, with some air.
fn frame(places: &[(f64, f64)]) -> ((f64, f64), (f64, f64)) {
    let ends = |of: fn(&(f64, f64)) -> f64| {
        places.iter().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (x, y) = (ends(|place| place.0), ends(|place| place.1));
    let half = 0.62 * (x.1 - x.0).max(y.1 - y.0).max(1e-6);
    let around = |(low, high): (f64, f64)| (0.5 * (low + high) - half, 0.5 * (low + high) + half);
    (around(x), around(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_directions_are_those_of_the_longest_moves() {
        // Squared lengths along (0.6, 0.8, 0): 200 and along (0, 0, 1): 8; the third direction has 0.
        let moves = [vec![6.0, 8.0, 2.0], vec![6.0, 8.0, -2.0], vec![0.0; 3]];
        let [first, second] = leading(&moves);
        let close = |a: &[f64], b: [f64; 3]| a.iter().zip(b).all(|(a, b)| (a.abs() - b).abs() < 1e-12);
        assert!(close(&first, [0.6, 0.8, 0.0]) && close(&second, [0.0, 0.0, 1.0]), "{first:?} {second:?}");
        assert_eq!(leading(&[vec![0.0; 2]]), [vec![0.0; 2], vec![0.0; 2]]);
    }

    #[test]
    fn frames_are_square_and_hold_all() {
        let (x, y) = frame(&[(0.0, 0.0), (4.0, 1.0)]);
        assert!((x.1 - x.0 - (y.1 - y.0)).abs() < 1e-12);
        assert!(x.0 < 0.0 && x.1 > 4.0 && y.0 < 0.0 && y.1 > 1.0);
    }
}
