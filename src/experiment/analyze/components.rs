//! How the populations of a search moved, and training after it: principal components of both, and the landscape along them.

use super::again::Again;
use super::descent::{MOST_WORK, TrailRow, unit};
use super::landscape::{LandscapeRow, PlaceRow, Plane, View, dot, double, minus, norm, points};
use super::opened::{Opened, Seed};
use crate::error::Result;
use crate::experiment::arm::Step;
use crate::experiment::record::Moment;
use crate::math::linear_algebra::symmetric_eigen;
use crate::network::Workspace;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Generations that are looked at, and individuals of each, at most: enough for a picture, and few enough for memory.
const GENERATIONS: u64 = 12;
const INDIVIDUALS: usize = 32;
/// Points of the way of training, at most.
const POINTS: usize = 48;
/// Numbers of all genomes that are kept of an arm, at most.
const MOST_NUMBERS: usize = 1 << 24;
/// Components that are told.
const COMPONENTS: usize = 5;
/// Directions with less than this share of the variance are rounding errors.
const NOTHING: f64 = 1e-12;

/// A row of `population.csv`: an individual of a generation, in the plane of the run's principal components.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndividualRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Generation, from 0; a few of all, the first and the last among them.
    pub generation: u64,
    /// Place in its generation, from 1: the best; a few of all.
    pub rank: u64,
    /// Fitness; none if it is not finite.
    pub fitness: Option<f64>,
    /// Distance from the mean of those of its generation that are looked at, in weights.
    pub distance: f64,
    /// Along the first component, from the start that was chosen.
    pub x: f64,
    /// Along the second component, from the start that was chosen.
    pub y: f64,
}

/// Whose principal components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    /// Of the individuals of all generations together.
    Population,
    /// Of the way of training to the deployed weights.
    Training,
    /// Of both, each with the same weight; the first two span the plane that is drawn.
    Both,
}

/// A row of `components.csv`: a principal component, and how much of what moved lies along it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComponentRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Of what it is a component: `population`, `training` or `both`.
    pub of: Whose,
    /// Its number, from 1.
    pub component: usize,
    /// Share of the population's variance along it, all generations together; none if all individuals are equal.
    pub population: Option<f64>,
    /// Share of the variance of the way of training along it; none if training moved nothing.
    pub training: Option<f64>,
}

/// Populations and ways of training after them, over landscapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Components {
    /// Individuals: arms as in the experiment, generations in order, the best first.
    pub individuals: Vec<IndividualRow>,
    /// Principal components.
    pub components: Vec<ComponentRow>,
    /// Ways of training in the planes.
    pub trails: Vec<TrailRow>,
    /// Where start and deployed weights lie in the planes.
    pub places: Vec<PlaceRow>,
    /// Losses on the grids of the planes.
    pub landscape: Vec<LandscapeRow>,
    /// Arms with a population that are left out, and why.
    pub left_out: Vec<(String, &'static str)>,
}

/// Populations of the arms that had any at the drawn seed, which are run again there until their deployed weights; arms whose run takes long or whose
/// genomes are too large are left out.
pub(super) fn look(opened: &Opened) -> Result<Components> {
    let seed = opened.seed(opened.drawn)?;
    let budget = opened.study.budget(seed.prepared.supervised.training.count());
    let mut all = Components::default();
    let mut arms = Vec::new();
    for arm in 0..opened.arms.len() {
        let Some(result) = opened.result(opened.name(arm), seed.number) else { continue };
        if seed.weights[arm].is_none() || result.generations == 0 {
            continue;
        }
        let deployed = (result.deployed_cost * opened.study.network.multiply_adds() as f64).round() as u64;
        match Kept::of(result.generations, opened.network(arm).parameters(), deployed) {
            None => all.left_out.push((opened.name(arm).to_owned(), "its network is too large to keep populations of")),
            Some(kept) => arms.push((arm, kept)),
        }
    }
    // A search is run to its end, whatever was deployed.
    let spent = |(arm, kept): &(usize, Kept)| {
        let result = opened.result(opened.name(*arm), seed.number);
        let search = result.map_or(0.0, |row| row.search_cost * opened.study.network.multiply_adds() as f64);
        search.max(kept.deployed as f64)
    };
    if arms.iter().map(spent).sum::<f64>() > MOST_WORK {
        let long = |(arm, _): (usize, Kept)| (opened.name(arm).to_owned(), "running its search again takes too long");
        all.left_out.extend(arms.drain(..).map(long));
    }
    let found: Vec<Option<Components>> =
        arms.into_par_iter().map(|(arm, kept)| of_arm(opened, &seed, arm, budget, kept)).collect::<Result<_>>()?;
    for part in found.into_iter().flatten() {
        all.individuals.extend(part.individuals);
        all.components.extend(part.components);
        all.trails.extend(part.trails);
        all.places.extend(part.places);
        all.landscape.extend(part.landscape);
    }
    Ok(all)
}

/// What is kept of a search.
#[derive(Clone, Debug, PartialEq)]
struct Kept {
    /// Numbers of generations, in order.
    generations: Vec<u64>,
    /// Individuals of each.
    individuals: usize,
    /// Points of the way.
    points: usize,
    /// Multiply-adds at which the deployed weights were found: the way ends there.
    deployed: u64,
}

impl Kept {
    /// Of so many generations of genomes of so many weights; `None` if there is room for next to nothing.
    fn of(generations: u64, parameters: usize, deployed: u64) -> Option<Kept> {
        let most = generations.min(GENERATIONS);
        let last = generations - 1;
        let numbers: Vec<u64> =
            if most == 1 { vec![0] } else { (0..most).map(|place| place * last / (most - 1)).collect() };
        let room = MOST_NUMBERS / parameters.max(1);
        let points = POINTS.min(room / 4);
        let individuals = INDIVIDUALS.min(room.saturating_sub(points) / numbers.len());
        (points >= 4 && individuals >= 2).then_some(Kept { generations: numbers, individuals, points, deployed })
    }

    /// Places of the kept ones among `count` individuals, best and worst among them.
    fn ranks(&self, count: usize) -> Vec<usize> {
        let kept = self.individuals.min(count);
        if kept <= 1 { (0..kept).collect() } else { (0..kept).map(|place| place * (count - 1) / (kept - 1)).collect() }
    }
}

/// An individual: generation, rank from 0, fitness, genome.
type Individual = (u64, usize, Option<f64>, Vec<f64>);

/// A run, once more: its populations, and its way from the start to the deployed weights as step, multiply-adds spent,
/// weights.
#[derive(Default)]
struct Noted {
    individuals: Vec<Individual>,
    way: Vec<(u64, u64, Vec<f64>)>,
}

/// Runs an arm again, which gives the same weights, and notes what is to be kept.
fn noted(opened: &Opened, seed: &Seed, arm: usize, budget: u64, kept: &Kept) -> Result<Noted> {
    let mut again = Again::begin(opened, seed, arm, budget)?;
    let is_finite = |weights: &[f32]| weights.iter().all(|weight| weight.is_finite());
    let mut out = Noted::default();
    let (mut told, mut end, mut growth) = (0, Step::Running, None);
    // What comes after the deployed weights, such as ways into the endless, would be all that the plane shows.
    while end == Step::Running && (again.log.search_cost.is_none() || again.cost.total() < kept.deployed) {
        let spent = again.cost.total();
        // A generation at a time, and then costs of training that grow by a constant factor.
        let until = match (again.log.search_cost, growth) {
            (Some(search), Some(growth)) => {
                let trained = spent - search.total();
                (search.total() + (trained + 1).max((trained as f64 * growth) as u64)).min(kept.deployed)
            }
            _ => spent + 1,
        };
        end = again.to(until)?;
        let Again { arm, cost, log, .. } = &again;
        if log.generations.len() > told {
            told = log.generations.len();
            let number = told as u64 - 1;
            if kept.generations.contains(&number) {
                let ranked = arm.population();
                for rank in kept.ranks(ranked.len()) {
                    let (genome, fitness) = ranked[rank];
                    if is_finite(genome) {
                        let fitness = fitness.is_finite().then_some(fitness.get());
                        out.individuals.push((number, rank, fitness, double(genome)));
                    }
                }
            }
        }
        let (Some(search), Some(start)) = (log.search_cost, &log.start) else { continue };
        if out.way.is_empty() {
            out.way.push((0, search.total(), double(start)));
        }
        let trained = cost.total() - search.total();
        if trained > 0 && growth.is_none() {
            let most = (kept.deployed.saturating_sub(search.total()) as f64 / trained as f64).max(1.0);
            growth = Some(libm::pow(most, 1.0 / (kept.points - 2) as f64));
        }
        if let Some(weights) = arm.weights()
            && trained > 0
            && (spent + 1..=kept.deployed).contains(&cost.total())
            && is_finite(weights)
        {
            out.way.push((log.steps, cost.total(), double(weights)));
        }
    }
    Ok(out)
}

fn of_arm(opened: &Opened, seed: &Seed, arm: usize, budget: u64, kept: Kept) -> Result<Option<Components>> {
    let Noted { individuals, way } = noted(opened, seed, arm, budget, &kept)?;
    let Some((_, _, origin)) = way.first() else { return Ok(None) };
    let genomes: Vec<&Vec<f64>> = individuals.iter().map(|individual| &individual.3).collect();
    let population = Cloud::of(&genomes);
    let training = Cloud::of(&way.iter().map(|point| &point.2).collect::<Vec<_>>());
    let both: Vec<Vec<f64>> = population.scaled().chain(training.scaled()).collect();
    let whole = |cloud: &Cloud| cloud.scaled().collect::<Vec<_>>();
    let sets = [
        (Whose::Population, principal(&whole(&population))),
        (Whose::Training, principal(&whole(&training))),
        (Whose::Both, principal(&both)),
    ];
    let (name, number) = (opened.name(arm), seed.number);
    let components = sets.iter().flat_map(|(of, directions)| {
        directions.iter().enumerate().map(|(place, direction)| ComponentRow {
            arm: name.to_owned(),
            seed: number,
            of: *of,
            component: place + 1,
            population: population.along(direction),
            training: training.along(direction),
        })
    });
    let components: Vec<ComponentRow> = components.collect();
    let [_, _, (_, directions)] = sets;
    let Ok([first, second]) = <[Vec<f64>; 2]>::try_from(directions.into_iter().take(2).collect::<Vec<_>>()) else {
        return Ok(None);
    };
    // Training leads to the right and up, as far as it leads anywhere.
    let moved = minus(&way[way.len() - 1].2, origin);
    let turned = |direction: Vec<f64>| {
        let sign = if dot(&moved, &direction) < 0.0 { -1.0 } else { 1.0 };
        direction.into_iter().map(|x| sign * x).collect::<Vec<f64>>()
    };
    let directions = [turned(first), turned(second)];
    let at = |params: &[f64]| {
        let moved = minus(params, origin);
        (dot(&moved, &directions[0]), dot(&moved, &directions[1]))
    };
    let network = opened.network(arm);
    let rows = &seed.prepared.supervised.training;
    let loss = |params: &[f32], workspace: &mut Workspace| {
        let loss = network.loss(params, rows, workspace);
        loss.is_finite().then_some(loss)
    };
    let mut workspace = Workspace::new();
    let single = |params: &[f64]| params.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let unit = opened.study.network.multiply_adds() as f64;
    let trails: Vec<TrailRow> = way
        .iter()
        .map(|(step, spent, params)| {
            let (x, y) = at(params);
            let train_loss = loss(&single(params), &mut workspace);
            let (step, cost, plane) = (*step, *spent as f64 / unit, Plane::Components);
            TrailRow { arm: name.to_owned(), seed: number, plane, step, cost, x, y, train_loss }
        })
        .collect();
    let individuals: Vec<IndividualRow> = individuals
        .chunk_by(|a, b| a.0 == b.0)
        .flat_map(|generation| {
            let mean = mean(&generation.iter().map(|individual| &individual.3).collect::<Vec<_>>());
            generation.iter().map(move |(generation, rank, fitness, genome)| {
                let ((x, y), distance) = (at(genome), norm(&minus(genome, &mean)));
                let (generation, rank, fitness) = (*generation, *rank as u64 + 1, *fitness);
                IndividualRow { arm: name.to_owned(), seed: number, generation, rank, fitness, distance, x, y }
            })
        })
        .collect();
    let weights = seed.weights[arm].as_ref();
    let moments = [Moment::Start, Moment::End].into_iter();
    let moments = moments.filter_map(|moment| Some((moment, super::at(weights?, moment)?)));
    let places: Vec<PlaceRow> = moments
        .map(|(moment, params)| {
            let ((x, y), train_loss) = (at(&double(params)), loss(params, &mut workspace));
            PlaceRow { arm: name.to_owned(), seed: number, plane: Plane::Components, moment, x, y, train_loss }
        })
        .collect();
    let seen = trails.iter().map(|row| (row.x, row.y));
    let seen = seen.chain(individuals.iter().map(|row| (row.x, row.y))).chain(places.iter().map(|row| (row.x, row.y)));
    let (x, y) = frame(&seen.collect::<Vec<_>>());
    let view = View { plane: Plane::Components, origin: origin.clone(), directions, x, y, places: Vec::new() };
    let points = points(network.multiply_adds() * rows.count());
    let of = |(params, workspace): &mut (Vec<f32>, Workspace), point: usize| {
        let (x, y) = view.point(point, points);
        view.params((x, y), params);
        let train_loss = loss(params, workspace);
        LandscapeRow { arm: name.to_owned(), seed: number, plane: view.plane, x, y, train_loss }
    };
    let grid = (0..points * points).into_par_iter().map_init(|| (Vec::new(), Workspace::new()), of).collect();
    Ok(Some(Components { individuals, components, trails, places, landscape: grid, left_out: Vec::new() }))
}

/// Points around their mean.
struct Cloud {
    centred: Vec<Vec<f64>>,
    /// Sum of the squared distances from the mean.
    total: f64,
}

impl Cloud {
    fn of(points: &[&Vec<f64>]) -> Cloud {
        let mean = mean(points);
        let centred: Vec<Vec<f64>> = points.iter().map(|point| minus(point, &mean)).collect();
        let total = centred.iter().map(|point| dot(point, point)).sum();
        Cloud { centred, total }
    }

    /// The points, with squares that sum to 1; none if all are equal.
    fn scaled(&self) -> impl Iterator<Item = Vec<f64>> {
        let scale = self.total.sqrt();
        let some = if scale > 0.0 && scale.is_finite() { &self.centred[..] } else { &[] };
        some.iter().map(move |point| point.iter().map(|x| x / scale).collect())
    }

    /// Share of the variance along a unit vector; none if there is no variance.
    fn along(&self, direction: &[f64]) -> Option<f64> {
        let squares = self.centred.iter().map(|point| dot(point, direction)).map(|x| x * x);
        (self.total > 0.0).then(|| squares.sum::<f64>() / self.total)
    }
}

fn mean(points: &[&Vec<f64>]) -> Vec<f64> {
    let mut mean = vec![0.0; points.first().map_or(0, |point| point.len())];
    for point in points {
        mean.iter_mut().zip(*point).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean /= points.len() as f64);
    mean
}

/// The first principal components of rows around 0 as unit vectors, in falling order of variance; fewer where the rows span
/// fewer directions. By the eigenvectors of the products of rows with rows, so that rows may be as long as they like (the
/// "snapshots" of Sirovich 1987).
fn principal(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = rows.len();
    let line = |i: usize| (0..n).map(|j| if j <= i { dot(&rows[i], &rows[j]) } else { 0.0 }).collect::<Vec<f64>>();
    let mut products: Vec<f64> = (0..n).into_par_iter().map(line).collect::<Vec<_>>().concat();
    let total: f64 = (0..n).map(|i| products[i * n + i]).sum();
    let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
    if n == 0 || !symmetric_eigen(&mut products, &mut values, &mut vectors) {
        return Vec::new();
    }
    let held = (0..n).rev().take(COMPONENTS).take_while(|place| values[*place] > NOTHING * total);
    let direction = |place: usize| {
        let mut direction = vec![0.0; rows[0].len()];
        for (row, coefficient) in rows.iter().zip(&vectors[place * n..][..n]) {
            direction.iter_mut().zip(row).for_each(|(direction, x)| *direction += coefficient * x);
        }
        unit(&mut direction);
        direction
    };
    held.map(direction).collect()
}

/// A rectangle that holds all places, with some air; each axis has a scale of its own.
fn frame(places: &[(f64, f64)]) -> ((f64, f64), (f64, f64)) {
    let range = |of: fn(&(f64, f64)) -> f64| {
        let ends = places.iter().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let air = 0.12 * (ends.1 - ends.0).max(1e-6);
        (ends.0 - air, ends.1 + air)
    };
    (range(|place| place.0), range(|place| place.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_those_of_an_independent_implementation() {
        // numpy 2.4.6: np.linalg.svd(X - X.mean(0)), rows of Vt and s² / Σ s².
        let points: Vec<Vec<f64>> =
            [[2.0, 0.5, 1.0], [0.0, 1.5, -1.0], [-1.0, 0.25, 0.5], [3.0, -2.0, 0.75]].map(Vec::from).into();
        let cloud = Cloud::of(&points.iter().collect::<Vec<_>>());
        let expected = [
            ([-0.7706629318044509, 0.57898352706668, -0.2661892577246415], 0.7905395211020012),
            ([-0.6369779042164223, -0.6878665632300192, 0.3479924434957989], 0.1420655516728329),
            ([-0.018379202447950948, -0.4377415522606343, -0.898912975955864], 0.06739492722516581),
        ];
        let found = principal(&cloud.scaled().collect::<Vec<_>>());
        assert_eq!(found.len(), 3);
        for (direction, (vector, share)) in found.iter().zip(expected) {
            let sign = if dot(direction, &vector) < 0.0 { -1.0 } else { 1.0 };
            assert!(direction.iter().zip(vector).all(|(a, b)| (sign * a - b).abs() < 1e-12), "{direction:?}");
            assert!((cloud.along(direction).unwrap() - share).abs() < 1e-12, "{direction:?}");
        }
        let equal = Cloud::of(&[&points[0], &points[0]]);
        assert!(equal.scaled().next().is_none() && equal.along(&found[0]).is_none() && principal(&[]).is_empty());
    }

    #[test]
    fn what_is_kept_has_both_ends_and_fits_into_memory() {
        let kept = Kept::of(100, 67, 0).unwrap();
        assert_eq!((kept.generations.len(), kept.generations[0], kept.generations[11]), (12, 0, 99));
        assert_eq!((kept.individuals, kept.points), (INDIVIDUALS, POINTS));
        assert_eq!((kept.ranks(3), kept.ranks(63).len(), kept.ranks(63)[31]), (vec![0, 1, 2], 32, 62));
        assert_eq!(Kept::of(1, 67, 0).unwrap().generations, [0]);
        assert_eq!(Kept::of(2, 67, 0).unwrap().generations, [0, 1]);
        let large = Kept::of(40, 200_000, 0).unwrap();
        assert!((large.points + large.individuals * large.generations.len()) * 200_000 <= MOST_NUMBERS, "{large:?}");
        assert_eq!(Kept::of(40, 5_000_000, 0), None);
    }
}
