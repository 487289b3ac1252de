//! What strategies share that draw every generation from a normal distribution around one point.

use super::Summary;
use super::diversity::Diversity;
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::{Evaluations, Population, Spread};
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::{Purpose, Streams};
use crate::sealed::{self, StateReader, StateWriter};
use crate::train::Initializer;
use crate::values::{Fitness, Ranking};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Where a search begins, and the units in which it steps.
#[derive(Clone, Debug)]
pub enum Start<'a> {
    /// At a vector; restarts begin at normal numbers around it with the spread as standard deviation.
    Given {
        /// The vector; at least one number.
        mean: Vec<f32>,
        /// What one unit of the step size is for each number; as many, finite and above 0.
        spread: Vec<f32>,
    },
    /// At draw 0 of an initializer, the start that other arms of the replicate have too; restart r begins at draw r.
    /// The unit is the spread of each layer over the first eight draws.
    Drawn {
        /// How starts are drawn.
        scheme: Initializer,
        /// Of which network.
        network: &'a Mlp,
        /// For which training rows.
        rows: &'a Rows,
    },
}

/// Draws that tell how widely an initializer spreads the weights of a layer.
const DRAWS: usize = 8;

impl Start<'_> {
    /// Refuses a start that is none.
    ///
    /// # Errors
    /// No number, another number of spreads, or spreads that are not above 0 (`P0121`).
    pub fn check(&self) -> Result<()> {
        let Start::Given { mean, spread } = self else { return Ok(()) };
        let positive = spread.iter().all(|spread| spread.is_finite() && *spread > 0.0);
        if mean.is_empty() || mean.len() != spread.len() || !positive || !mean.iter().all(|x| x.is_finite()) {
            let found =
                format!("a start of {} numbers with {} spreads cannot be searched from", mean.len(), spread.len());
            return Err(Error::experiment("P0121", found).help("give finite numbers and one spread above 0 for each"));
        }
        Ok(())
    }

    /// Numbers of a vector.
    pub fn parameters(&self) -> usize {
        match self {
            Start::Given { mean, .. } => mean.len(),
            Start::Drawn { network, .. } => network.parameters(),
        }
    }

    /// What the beginning of the search (`restart` 0) or of a restart costs.
    pub fn cost(&self, restart: u32) -> Cost {
        match self {
            Start::Given { .. } => Cost::ZERO,
            Start::Drawn { scheme, network, rows } => {
                scheme.cost(network, rows).times(if restart == 0 { DRAWS as u64 } else { 1 })
            }
        }
    }

    /// The vector that `restart` begins at, and at restart 0 the unit of each number.
    fn draw(&self, restart: u32, streams: &Streams, cost: &mut Cost) -> Result<(Vec<f32>, Option<Vec<f64>>)> {
        match self {
            Start::Given { mean, spread } => {
                let mut mean = mean.clone();
                if restart > 0 {
                    let mut away = vec![0.0; mean.len()];
                    streams.stream(Purpose::Initialize, 0, u64::from(restart)).fill_normal(&mut away, 1.0);
                    mean.iter_mut().zip(away.iter().zip(spread)).for_each(|(x, (z, unit))| *x = z.mul_add(*unit, *x));
                }
                Ok((mean, (restart == 0).then(|| spread.iter().map(|unit| f64::from(*unit)).collect())))
            }
            Start::Drawn { scheme, network, rows } => {
                let count = if restart == 0 { DRAWS } else { 1 };
                let mut draws = Population::zeros(count, network.parameters());
                for draw in 0..count {
                    let mut rng = streams.stream(Purpose::Initialize, 0, u64::from(restart) + draw as u64);
                    scheme.init(network, rows, draws.genome_mut(draw), &mut rng, cost)?;
                }
                let mut units = None;
                if restart == 0 {
                    let all = units.insert(vec![1.0; network.parameters()]);
                    Spread::of(network, &draws).units(network).for_each(|(genes, unit)| all[genes].fill(unit));
                }
                Ok((draws.genome(0).to_vec(), units))
            }
        }
    }
}

/// Where the distribution stands: the part of a strategy's state that all of them have. Vectors are in units of spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    /// Generations told.
    pub generation: u64,
    /// What one unit is for each number; empty before the first generation.
    pub units: Vec<f64>,
    /// Mean m.
    pub mean: Vec<f64>,
    /// Step size σ.
    pub sigma: f64,
    /// Evolution path p_σ of the step size.
    pub path: Vec<f64>,
    /// The best individual and its score; of the latest generation, where scores of different ones do not compare.
    pub best: Option<(Vec<f32>, f64)>,
}

impl Centre {
    /// Whether this can be the state of a search over `parameters` numbers.
    pub(super) fn fits(&self, parameters: usize) -> bool {
        let n = self.mean.len();
        let lengths = self.units.len() == n && self.path.len() == n && (n == parameters || n == 0);
        lengths && (n > 0 || self.generation == 0) && self.best.as_ref().is_none_or(|best| best.0.len() == parameters)
    }

    /// The vector at the mean plus `step` in direction `y`, in numbers of the genome: rounded as an individual is.
    pub(super) fn gene(&self, index: usize, step: f64) -> f32 {
        (self.units[index] * (self.mean[index] + step)) as f32
    }
}

/// Recombination by weighted ranks, and cumulative adaptation of the step size.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recombination {
    /// ln((λ + 1)/2) − ln i for ranks i = 1 … λ.
    pub raw: Vec<f64>,
    /// Parents μ.
    pub mu: usize,
    /// Weights of the parents; they sum to 1.
    pub weights: Vec<f64>,
    pub mu_eff: f64,
    pub c_sigma: f64,
    pub d_sigma: f64,
    /// Expected length of a standard normal vector.
    pub chi: f64,
}

impl Recombination {
    /// The defaults for `lambda` individuals of `n` numbers (Hansen 2016, table 1).
    pub fn new(lambda: usize, n: usize) -> Recombination {
        let middle = libm::log((lambda as f64 + 1.0) / 2.0);
        let raw: Vec<f64> = (1..=lambda).map(|rank| middle - libm::log(rank as f64)).collect(); // eq. 49
        let mu = lambda / 2;
        let sum: f64 = raw[..mu].iter().sum();
        let weights: Vec<f64> = raw[..mu].iter().map(|weight| weight / sum).collect(); // eq. 53
        let n = n as f64;
        let mu_eff = 1.0 / weights.iter().map(|weight| weight * weight).sum::<f64>();
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0); // eq. 55
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma; // eq. 55
        let chi = n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));
        Recombination { raw, mu, weights, mu_eff, c_sigma, d_sigma, chi }
    }

    /// λ for `n` numbers if nothing is said: 4 + ⌊3 ln n⌋ (eq. 48).
    pub fn default_lambda(n: usize) -> usize {
        4 + (3.0 * libm::log(n as f64)) as usize
    }

    /// Moves the path by `step`, the recombined steps as if C were I, and changes σ by the path's length. Returns that
    /// length in expected ones.
    pub fn adapt(&self, centre: &mut Centre, step: &[f64]) -> f64 {
        let c = self.c_sigma;
        let gain = (c * (2.0 - c) * self.mu_eff).sqrt();
        centre.path.iter_mut().zip(step).for_each(|(p, y)| *p = (1.0 - c) * *p + gain * y); // eq. 43
        let length = norm(&centre.path) / self.chi;
        centre.sigma *= libm::exp(c / self.d_sigma * (length - 1.0)); // eq. 44
        length
    }
}

/// Length of a vector, summed in serial order.
fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The present generation: memory that is no state.
pub(super) struct Sampling<'a> {
    pub start: Start<'a>,
    /// Whether scores of different generations compare.
    pub fixed_scores: bool,
    pub population: Population,
    /// Standard normal numbers z, `[size × parameters]`.
    pub normals: Vec<f64>,
    pub fitness: Vec<Fitness>,
    /// Individuals from best to worst.
    pub order: Ranking,
    pub size: usize,
    pub asked: bool,
    pub drawn: Option<Vec<f32>>,
    /// The mean as an individual: a finalist.
    pub mean: Vec<f32>,
    pub summary: Option<Summary>,
    pub cost: Cost,
    diversity: Diversity,
}

impl<'a> Sampling<'a> {
    pub fn new(start: Start<'a>, fixed_scores: bool) -> Result<Sampling<'a>> {
        start.check()?;
        Ok(Sampling {
            start,
            fixed_scores,
            population: Population::default(),
            normals: Vec::new(),
            fitness: Vec::new(),
            order: Ranking::default(),
            size: 0,
            asked: false,
            drawn: None,
            mean: Vec::new(),
            summary: None,
            cost: Cost::ZERO,
            diversity: Diversity::default(),
        })
    }

    /// Puts the centre where `restart` begins.
    pub fn begin(&mut self, centre: &mut Centre, restart: u32, sigma: f64, streams: &Streams) -> Result<()> {
        let (mean, units) = self.start.draw(restart, streams, &mut self.cost)?;
        if let Some(units) = units {
            centre.units = units;
        }
        centre.mean = mean.iter().zip(&centre.units).map(|(x, unit)| f64::from(*x) / unit).collect();
        centre.path = vec![0.0; mean.len()];
        centre.sigma = sigma;
        self.drawn.get_or_insert(mean);
        Ok(())
    }

    /// Draws the normal numbers of a generation of `size` individuals.
    pub fn draw(&mut self, size: usize, generation: u64, streams: &Streams) {
        let n = self.start.parameters();
        if self.population.len() < size {
            self.population = Population::zeros(size, n);
            self.normals.resize(size * n, 0.0);
        }
        self.size = size;
        let rows = self.normals[..size * n].par_chunks_mut(n).enumerate();
        rows.with_min_len((20_000 / n).max(1)).for_each_init(Vec::new, |single, (individual, row)| {
            single.resize(n, 0.0);
            streams.stream(Purpose::Variation, generation, individual as u64).fill_normal(single, 1.0);
            row.iter_mut().zip(&*single).for_each(|(to, from)| *to = f64::from(*from));
        });
    }

    /// Writes individuals at the mean plus σ `steps`, `[size × parameters]` or the normal numbers themselves.
    pub fn place(&mut self, centre: &Centre, steps: Option<&[f64]>) {
        let n = self.start.parameters();
        let steps = steps.unwrap_or(&self.normals);
        for individual in 0..self.size {
            let step = &steps[individual * n..(individual + 1) * n];
            let genome = self.population.genome_mut(individual);
            genome.iter_mut().enumerate().for_each(|(i, gene)| *gene = centre.gene(i, centre.sigma * step[i]));
        }
        self.asked = true;
    }

    /// Ranks the generation, remembers the best, and makes the summary; `scale`: of the step size since the beginning.
    pub fn rank(&mut self, centre: &mut Centre, evaluations: &Evaluations, scored: Range<usize>, scale: f64) {
        self.asked = false;
        self.size = scored.end;
        self.fitness.clear();
        self.fitness.extend_from_slice(&evaluations.fitness[scored]);
        self.order.rank(&self.fitness);
        let Some(&leader) = self.order.first() else { return };
        let score = self.fitness[leader as usize];
        let better = centre.best.as_ref().is_none_or(|(_, best)| !self.fixed_scores || score.get() < *best);
        if better && score.is_finite() {
            centre.best = Some((self.population.genome(leader as usize).to_vec(), score.get()));
        }
        let ranked = self.order.iter().map(|&index| self.fitness[index as usize]);
        let fitness: Vec<f64> = ranked.take_while(|fitness| fitness.is_finite()).map(Fitness::get).collect();
        let units = centre.units.iter().enumerate().map(|(gene, unit)| (gene..gene + 1, *unit));
        let measured = self.diversity.measure(centre.generation, &self.population, self.size, units);
        self.summary = Some(Summary {
            generation: centre.generation,
            nonfinite: self.size - fitness.len(),
            fitness,
            diversity: measured.map(|(diversity, _)| diversity),
            unique: measured.map(|(_, unique)| unique),
            improved: None,
            scale: scale as f32,
        });
    }

    /// Individuals of the latest generation from best to worst.
    pub fn ranked(&self) -> Vec<(&[f32], Fitness)> {
        let one = |&index: &u32| (self.population.genome(index as usize), self.fitness[index as usize]);
        self.order.iter().map(one).collect()
    }

    /// The mean, which noise deceives least, and the best of the latest generation.
    pub fn finalists(&self) -> Vec<&[f32]> {
        let leader = self.order.first().map(|&leader| self.population.genome(leader as usize));
        leader.map_or(Vec::new(), |leader| vec![&self.mean[..], leader])
    }

    /// Writes the latest generation, which may be asked for finalists when the search is over.
    pub fn save(&self, to: &mut StateWriter) {
        assert!(!self.asked, "a search is saved between tell and ask");
        to.put(&self.fitness.len());
        self.population.save(&self.fitness, to);
    }

    /// Puts back what [`Sampling::save`] wrote.
    pub fn restore(&mut self, centre: &Centre, from: &mut StateReader) -> Result<()> {
        let (size, n): (usize, _) = (from.take()?, self.start.parameters());
        // Whether they are there is checked before there is room for them.
        if size.checked_mul(n).is_none_or(|numbers| numbers > from.left()) {
            return Err(sealed::mismatch());
        }
        (self.population, self.normals) = (Population::zeros(size, n), vec![0.0; size * n]);
        self.fitness = self.population.load(from)?;
        if self.fitness.len() != size {
            return Err(sealed::mismatch());
        }
        self.order.rank(&self.fitness);
        self.size = size;
        self.remember(centre);
        Ok(())
    }

    /// Remembers the mean as an individual.
    pub fn remember(&mut self, centre: &Centre) {
        self.mean.clear();
        self.mean.extend((0..centre.mean.len()).map(|gene| centre.gene(gene, 0.0)));
    }
}

/// Test functions with their minimum 0 at the origin, where single precision has no floor, and runs on them.
#[cfg(test)]
pub(super) mod landscape {
    use super::*;
    use crate::evolve::strategy::WeightStrategy;

    pub type Landscape = fn(&[f32]) -> f64;

    pub fn sphere(x: &[f32]) -> f64 {
        x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
    }

    pub fn ellipsoid(x: &[f32]) -> f64 {
        let exponent = |i: usize| 6.0 * i as f64 / (x.len() - 1) as f64;
        x.iter().enumerate().map(|(i, x)| libm::pow(10.0, exponent(i)) * f64::from(*x) * f64::from(*x)).sum()
    }

    /// Rosenbrock's function of x + 1.
    pub fn rosenbrock(x: &[f32]) -> f64 {
        let term = |pair: &[f32]| {
            let (a, b) = (f64::from(pair[0]), f64::from(pair[1]));
            let valley = b - (2.0 + a) * a;
            100.0 * valley * valley + a * a
        };
        x.windows(2).map(term).sum()
    }

    pub fn rastrigin(x: &[f32]) -> f64 {
        let wave = |x: f64| x * x + 10.0 * (1.0 - libm::cos(2.0 * std::f64::consts::PI * x));
        x.iter().map(|x| wave(f64::from(*x))).sum()
    }

    /// A start at `value` everywhere.
    pub fn at(value: f32, n: usize) -> Start<'static> {
        Start::Given { mean: vec![value; n], spread: vec![1.0; n] }
    }

    /// One generation.
    pub fn generation(search: &mut impl WeightStrategy, landscape: impl Fn(&[f32]) -> f64, streams: &Streams) -> usize {
        let (population, asked) = search.ask(usize::MAX, streams).unwrap();
        let fitness = asked.clone().map(|index| Fitness::new(landscape(population.genome(index)))).collect();
        let count = asked.len();
        search.tell(&mut Evaluations { fitness, ..Evaluations::default() }, asked);
        count
    }

    /// Evaluations until the best is below `target`, or `None` if the search ends before.
    pub fn evaluations(mut search: impl WeightStrategy, landscape: Landscape, target: f64, seed: u64) -> Option<usize> {
        let mut count = 0;
        while !search.is_finished() {
            count += generation(&mut search, landscape, &Streams::new(seed));
            if search.best_weights().is_some_and(|(_, best)| best.get() <= target) {
                return Some(count);
            }
        }
        None
    }

    /// The median of [`evaluations`] over seeds; one that does not arrive counts as the longest.
    pub fn median<S: WeightStrategy>(search: impl Fn() -> S, landscape: Landscape, seeds: u64) -> usize {
        let count = |seed| evaluations(search(), landscape, 1e-10, seed).unwrap_or(usize::MAX);
        let mut counts: Vec<usize> = (1..=seeds).map(count).collect();
        counts.sort_unstable();
        counts[counts.len() / 2]
    }
}
