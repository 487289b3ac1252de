//! The landscape of the training loss around the deployed weights of one seed.

use super::at;
use super::opened::Opened;
use crate::error::Result;
use crate::experiment::record::Moment;
use crate::experiment::replicate::Weights;
use crate::network::{Mlp, Workspace};
use crate::rng::{Purpose, Streams};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Points of the grid in either direction, for so many multiply-adds of a loss at most; odd, so that the middle is one.
const POINTS: [(usize, usize); 3] = [(20_000_000, 41), (200_000_000, 27), (usize::MAX, 15)];

/// A plane through weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plane {
    /// Through the first draw, the start and the deployed weights; where the first two are the same, through the line from
    /// start to end and a random direction. Its axes are at right angles, in units of the weights; the first one leads from
    /// start (0) to end.
    Path,
    /// Around the deployed weights, along two random directions whose rows are as long as those of the weights: 1 is as far
    /// as the weights are from 0, unit by unit. Li et al. 2018, section 4.
    Random,
    /// Through a start that arms have in common, along the directions in which their ways are longest, in units of the
    /// weights.
    Shared,
    /// Through the start that a search chose, along the first two principal components of its populations and of the
    /// training after it, in units of the weights.
    Components,
}

/// A row of `landscape.csv`: a point of a grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LandscapeRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Which plane.
    pub plane: Plane,
    /// Along the first direction.
    pub x: f64,
    /// Along the second direction.
    pub y: f64,
    /// Loss on the training rows; none if it is not finite.
    pub train_loss: Option<f64>,
}

/// A row of `places.csv`: where weights of the run lie in a plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaceRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Which plane.
    pub plane: Plane,
    /// Which weights.
    pub moment: Moment,
    /// Along the first direction.
    pub x: f64,
    /// Along the second direction.
    pub y: f64,
    /// Loss on the training rows; none if it is not finite.
    pub train_loss: Option<f64>,
}

/// Two directions from a point, and the range of both that is looked at.
pub(super) struct View {
    pub plane: Plane,
    pub origin: Vec<f64>,
    pub directions: [Vec<f64>; 2],
    pub x: (f64, f64),
    pub y: (f64, f64),
    pub places: Vec<(Moment, (f64, f64))>,
}

/// Points in either direction: a loss that takes long is computed at fewer.
pub(super) fn points(multiply_adds: usize) -> usize {
    POINTS.iter().find(|(most, _)| multiply_adds <= *most).map_or(15, |(_, points)| *points)
}

impl View {
    pub fn params(&self, (x, y): (f64, f64), out: &mut Vec<f32>) {
        let [along, across] = &self.directions;
        out.clear();
        out.extend(self.origin.iter().zip(along).zip(across).map(|((o, a), b)| (o + x * a + y * b) as f32));
    }

    /// The grid's point of this index, of `points` in either direction.
    pub fn point(&self, index: usize, points: usize) -> (f64, f64) {
        let at = |(low, high): (f64, f64), step: usize| low + (high - low) * step as f64 / (points - 1) as f64;
        (at(self.x, index % points), at(self.y, index / points))
    }
}

/// Grids of all arms at the drawn seed, row by row from below.
pub(super) fn look(opened: &Opened) -> Result<(Vec<LandscapeRow>, Vec<PlaceRow>)> {
    let seed = opened.seed(opened.drawn)?;
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    for (index, weights) in seed.weights.iter().enumerate() {
        let Some(weights) = weights else { continue };
        let (arm, network) = (opened.name(index), opened.network(index));
        let points = points(network.multiply_adds() * seed.prepared.supervised.training.count());
        let views = [path(network, weights, seed.number), random(network, weights, seed.number)];
        for view in views.into_iter().flatten() {
            let loss = |params: &[f32], workspace: &mut Workspace| {
                let loss = network.loss(params, &seed.prepared.supervised.training, workspace);
                loss.is_finite().then_some(loss)
            };
            let of = |(params, workspace): &mut (Vec<f32>, Workspace), point: usize| {
                let (x, y) = view.point(point, points);
                view.params((x, y), params);
                let train_loss = loss(params, workspace);
                LandscapeRow { arm: arm.to_owned(), seed: seed.number, plane: view.plane, x, y, train_loss }
            };
            let memory = || (Vec::new(), Workspace::new());
            rows.par_extend((0..points * points).into_par_iter().map_init(memory, of));
            let mut workspace = Workspace::new();
            for &(moment, (x, y)) in &view.places {
                let train_loss = at(weights, moment).and_then(|params| loss(params, &mut workspace));
                let (arm, seed, plane) = (arm.to_owned(), seed.number, view.plane);
                places.push(PlaceRow { arm, seed, plane, moment, x, y, train_loss });
            }
        }
    }
    Ok((rows, places))
}

/// The plane through the moments of a run; `None` where training moved nothing.
fn path(network: &Mlp, weights: &Weights, seed: u64) -> Option<View> {
    let (start, end) = (at(weights, Moment::Start)?, at(weights, Moment::End)?);
    let origin = double(start);
    let mut along = minus(&double(end), &origin);
    let length = norm(&along);
    if length == 0.0 {
        return None;
    }
    along.iter_mut().for_each(|x| *x /= length);
    let drawn = at(weights, Moment::Drawn).map(|drawn| minus(&double(drawn), &origin));
    // A first draw on the line from start to end spans no plane with it.
    let spans = |drawn: &Vec<f64>| norm(&across(drawn, &along)) > 1e-6 * length;
    let drawn = drawn.filter(spans);
    let mut second = match &drawn {
        Some(drawn) => across(drawn, &along),
        None => across(&random_direction(network, end, seed, 0), &along),
    };
    let height = norm(&second);
    if height == 0.0 {
        return None;
    }
    second.iter_mut().for_each(|x| *x /= height);
    let mut places = vec![(Moment::Start, (0.0, 0.0)), (Moment::End, (length, 0.0))];
    let place = drawn.map_or((0.0, 0.0), |drawn| (dot(&drawn, &along), height));
    if at(weights, Moment::Drawn).is_some() {
        places.insert(0, (Moment::Drawn, place));
    }
    // Both axes show the same length, so that distances in the picture are distances.
    let (low, high) = (place.0.min(0.0), length.max(place.0));
    let half = 0.75 * (high - low).max(place.1);
    let (x, y) = (0.5 * (low + high), 0.5 * place.1);
    let (x, y) = ((x - half, x + half), (y - half, y + half));
    Some(View { plane: Plane::Path, origin, directions: [along, second], x, y, places })
}

/// The plane of two random directions around the deployed weights.
fn random(network: &Mlp, weights: &Weights, seed: u64) -> Option<View> {
    let end = at(weights, Moment::End)?;
    let directions = [0, 1].map(|which| random_direction(network, end, seed, which));
    let places = vec![(Moment::End, (0.0, 0.0))];
    Some(View { plane: Plane::Random, origin: double(end), directions, x: (-1.0, 1.0), y: (-1.0, 1.0), places })
}

/// The same normal numbers for all arms of a seed, as long as the weights of each.
fn random_direction(network: &Mlp, params: &[f32], seed: u64, which: u64) -> Vec<f64> {
    let mut rng = Streams::new(seed).stream(Purpose::Direction, 0, which);
    let drawn: Vec<f64> = params.iter().map(|_| rng.normal()).collect();
    filter_normalised(network, params, &drawn)
}

/// `direction` with the row of incoming weights of each unit scaled to the length of that row in `params`, and thresholds at
/// 0. All are parameter slices of `network`. A row of zeros stays one.
///
/// Li, Xu, Taylor, Studer & Goldstein 2018, section 4: filters there are rows here.
pub fn filter_normalised(network: &Mlp, params: &[f32], direction: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; direction.len()];
    for layer in network.layers() {
        for row in layer.weights.clone().step_by(layer.inputs) {
            let row = row..row + layer.inputs;
            let length = norm(&direction[row.clone()]);
            let scale = if length > 0.0 { norm(&double(&params[row.clone()])) / length } else { 0.0 };
            out[row.clone()].iter_mut().zip(&direction[row]).for_each(|(out, x)| *out = scale * x);
        }
    }
    out
}

/// What of `vector` is at right angles to the unit vector `unit`.
pub(super) fn across(vector: &[f64], unit: &[f64]) -> Vec<f64> {
    let along = dot(vector, unit);
    vector.iter().zip(unit).map(|(x, unit)| x - along * unit).collect()
}

pub(super) fn double(params: &[f32]) -> Vec<f64> {
    params.iter().map(|x| f64::from(*x)).collect()
}

pub(super) fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grid_has_a_middle() {
        for (work, expected) in [(0, 41), (20_000_000, 41), (20_000_001, 27), (usize::MAX, 15)] {
            assert_eq!(points(work), expected);
            assert_eq!(expected % 2, 1);
        }
    }
}
