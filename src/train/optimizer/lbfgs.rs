//! L-BFGS.

use super::minimize::{Memory, Minimize, Precision, Progress, along, dot, norm, round, widened};
use super::{Steps, Train};
use crate::cost::Cost;
use crate::train::{Objective, Prices};
use crate::values::Count;
use serde::{Deserialize, Serialize};

/// Quasi-Newton directions from the last few changes of the gradient (Nocedal & Wright 2006, algorithm 7.4), each followed
/// by a line search to the strong Wolfe conditions (algorithms 3.5 and 3.6, c₁ = 10⁻⁴, c₂ = 0.9).
///
/// For networks of any size and every loss, on all rows. A step is one evaluation of the line search, loss and gradient; the
/// parameters stay where the search began until it ends. A search that ends without success begins again along the
/// gradient; if that fails too, training stops. Gradients are asked for in single precision as long as that tells enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lbfgs {
    /// Changes that are remembered; 10 unless said otherwise.
    #[serde(default = "default_memory")]
    pub memory: Count,
}

fn default_memory() -> Count {
    Count::new(10).expect("in range")
}

/// Sufficient decrease.
const C1: f64 = 1e-4;
/// Curvature.
const C2: f64 = 0.9;
/// Evaluations of one line search.
const TRIALS: u32 = 20;

/// A point of the line search: step length, loss, slope along the direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Place {
    alpha: f64,
    loss: f64,
    slope: f64,
}

/// Memory between two evaluations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Search {
    precision: Precision,
    /// Where the search began; empty before the first step.
    point: Vec<f64>,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    /// Place 0 of the search.
    start: Place,
    /// The next step length.
    alpha: f64,
    /// Evaluations of this search.
    trials: u32,
    /// The place before this one, while the interval is still sought.
    before: Place,
    /// The best end of the interval and the other one, once there is one.
    interval: Option<(Place, Place)>,
    /// Gradient at the best end, if it is not the start.
    best_gradient: Vec<f64>,
    /// Changes of point and gradient, oldest first.
    changes: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Search {
    /// Whether it could be the memory of so many parameters.
    pub(super) fn fits(&self, parameters: usize) -> bool {
        let lengths = [self.point.len(), self.gradient.len(), self.direction.len()];
        (lengths == [0; 3] || lengths == [parameters; 3])
            && (self.best_gradient.is_empty() || self.best_gradient.len() == parameters)
            && self.changes.iter().all(|(point, gradient)| (point.len(), gradient.len()) == (parameters, parameters))
    }
}

impl Train for Lbfgs {
    fn steps(&self) -> Steps<'_> {
        Steps::ByObjective(self)
    }
}

impl Minimize for Lbfgs {
    fn begin(&self) -> Memory {
        Memory::Search(Search::default())
    }

    fn next_cost(&self, _: &Memory, prices: &Prices) -> Cost {
        prices.gradient
    }

    fn step_cost(&self, prices: &Prices) -> Cost {
        prices.gradient
    }

    fn step(&self, memory: &mut Memory, params: &mut [f32], objective: &mut dyn Objective) -> Progress {
        let Memory::Search(now) = memory else { unreachable!("the memory of another method") };
        let mut gradient = vec![0.0; params.len()];
        let (mut moved, mut failed, mut stuck) = (false, false, false);
        if now.point.is_empty() {
            now.point = widened(params);
            let loss = now.precision.gradient(objective, &now.point, &mut gradient);
            now.begin(gradient, loss);
        } else {
            let trial = now.precision.along(&now.point, now.alpha, &now.direction);
            let loss = now.precision.gradient(objective, &trial, &mut gradient);
            let slope = dot(&gradient, &now.direction);
            // What is not finite lies too far.
            let loss = if loss.is_finite() && slope.is_finite() { loss } else { f64::INFINITY };
            match now.judge(Place { alpha: now.alpha, loss, slope }, &gradient) {
                Verdict::Onward => {}
                Verdict::Take(place, gradient) => {
                    let point = now.precision.along(&now.point, place.alpha, &now.direction);
                    now.remember(&point, &gradient, self.memory.get());
                    now.point = point;
                    round(&now.point, params);
                    moved = true;
                    now.begin(gradient, place.loss);
                }
                Verdict::Fail => {
                    (failed, stuck) = (true, now.changes.is_empty());
                    now.changes.clear();
                    let (gradient, loss) = (std::mem::take(&mut now.gradient), now.start.loss);
                    now.begin(gradient, loss);
                }
            }
        }
        let gradient_norm = norm(&now.gradient);
        let progress = Progress {
            loss: now.start.loss,
            gradient_norm,
            damping: None,
            moved,
            stuck: stuck || gradient_norm == 0.0,
        };
        if now.precision.is_lost(-now.start.slope * now.alpha, now.start.loss, failed || progress.stuck) {
            *now = Search { precision: Precision::Double, ..Search::default() };
            return Progress { stuck: false, ..progress };
        }
        progress
    }

    fn is_damped(&self) -> bool {
        false
    }

    fn numbers(&self, parameters: u64) -> u64 {
        parameters.saturating_mul(2 * self.memory.get() as u64 + 5)
    }
}

/// What becomes of a line search.
enum Verdict {
    /// It goes on at `alpha`.
    Onward,
    /// It ends at this place, with this gradient.
    Take(Place, Vec<f64>),
    /// It found nothing lower.
    Fail,
}

impl Search {
    /// A new search from `point`.
    fn begin(&mut self, gradient: Vec<f64>, loss: f64) {
        self.gradient = gradient;
        self.direction = self.quasi_newton();
        let mut slope = dot(&self.direction, &self.gradient);
        if slope >= 0.0 {
            self.changes.clear();
            self.direction = self.gradient.iter().map(|g| -g).collect();
            slope = -dot(&self.gradient, &self.gradient);
        }
        self.start = Place { alpha: 0.0, loss, slope };
        self.before = self.start;
        self.trials = 0;
        self.interval = None;
        // Without a scale for the direction, its length is bounded by 1.
        self.alpha = if self.changes.is_empty() { (1.0 / norm(&self.gradient)).min(1.0) } else { 1.0 };
    }

    /// −H g by the two loops of algorithm 7.4.
    fn quasi_newton(&self) -> Vec<f64> {
        let mut q: Vec<f64> = self.gradient.iter().map(|g| -g).collect();
        let mut alphas = vec![0.0; self.changes.len()];
        for ((s, y), alpha) in self.changes.iter().zip(&mut alphas).rev() {
            *alpha = dot(s, &q) / dot(s, y);
            q = along(&q, -*alpha, y);
        }
        if let Some((s, y)) = self.changes.last() {
            let gamma = dot(s, y) / dot(y, y); // 7.20
            q.iter_mut().for_each(|q| *q *= gamma);
        }
        for ((s, y), alpha) in self.changes.iter().zip(&alphas) {
            let beta = dot(y, &q) / dot(s, y);
            q = along(&q, alpha - beta, s);
        }
        q
    }

    /// Keeps what a step changed, if the curvature along it is positive.
    fn remember(&mut self, point: &[f64], gradient: &[f64], most: usize) {
        let (s, y) = (along(point, -1.0, &self.point), along(gradient, -1.0, &self.gradient));
        if dot(&s, &y) > f64::EPSILON * dot(&y, &y) {
            if self.changes.len() == most {
                self.changes.remove(0);
            }
            self.changes.push((s, y));
        }
    }

    /// Algorithms 3.5 and 3.6, one evaluation at a time.
    fn judge(&mut self, place: Place, gradient: &[f64]) -> Verdict {
        self.trials += 1;
        let high = place.loss > self.start.loss + C1 * place.alpha * self.start.slope;
        let flat = place.slope.abs() <= -C2 * self.start.slope;
        let interval = match self.interval {
            // 3.5: steps grow until an interval holds a good one.
            None if high || (self.trials > 1 && place.loss >= self.before.loss) => Some((self.before, place)),
            None if flat => return Verdict::Take(place, gradient.to_vec()),
            None if place.slope >= 0.0 => {
                self.best_gradient = gradient.to_vec();
                Some((place, self.before))
            }
            None => {
                self.best_gradient = gradient.to_vec();
                self.before = place;
                self.alpha = 2.0 * place.alpha;
                None
            }
            // 3.6: the interval closes in on it.
            Some((best, _)) if high || place.loss >= best.loss => Some((best, place)),
            Some(_) if flat => return Verdict::Take(place, gradient.to_vec()),
            Some((best, other)) => {
                self.best_gradient = gradient.to_vec();
                Some((place, if place.slope * (other.alpha - best.alpha) >= 0.0 { best } else { other }))
            }
        };
        self.interval = interval;
        if let Some((best, other)) = interval {
            self.alpha = between(best, other);
        }
        let narrow = interval.is_some_and(|(best, other)| {
            (best.alpha - other.alpha).abs() <= f64::EPSILON * best.alpha.max(other.alpha)
        });
        if self.trials < TRIALS && !narrow && self.alpha.is_finite() {
            return Verdict::Onward;
        }
        // A place that is lower is taken although the slope there is still steep.
        let best = interval.map_or(self.before, |(best, _)| best);
        if best.alpha > 0.0 && best.loss < self.start.loss {
            Verdict::Take(best, std::mem::take(&mut self.best_gradient))
        } else {
            Verdict::Fail
        }
    }
}

/// Where the cubic through losses and slopes of both places is lowest (3.59); their middle if that is too near to either.
fn between(best: Place, other: Place) -> f64 {
    let (a, b) = (best, other);
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.alpha - b.alpha);
    let root = d1.mul_add(d1, -(a.slope * b.slope)).sqrt();
    let d2 = root.copysign(b.alpha - a.alpha);
    let alpha = b.alpha - (b.alpha - a.alpha) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2));
    let (low, high) = (a.alpha.min(b.alpha), a.alpha.max(b.alpha));
    let margin = 0.1 * (high - low);
    if alpha >= low + margin && alpha <= high - margin { alpha } else { 0.5 * (low + high) }
}
