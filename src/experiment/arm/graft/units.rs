//! Candidate hidden units: how they are drawn.

use crate::math::{Activation, Rows};
use crate::network::Loss;
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// What kind of inputs units are drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Regime {
    /// Few inputs that take many values: curves and boundaries in the plane. Units are steep, and bend between two rows with
    /// different targets.
    Smooth,
    /// Many inputs, or inputs with few values. Units look in random directions.
    Tabular,
}

/// What differs between the regimes.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Rows that a team is chosen on.
    pub rows: usize,
    /// Penalty of least squares, per row.
    pub penalty: f64,
    /// Exponent under which units are replaced.
    pub flat: f64,
    /// How many times longer it takes until the next try after a failure.
    pub patience: f64,
    /// Share of the budget that the first pool may cost.
    pub pool_share: f64,
    /// Whether the pool holds the hidden units of a start drawn by the scheme.
    pub of_scheme: bool,
}

/// Different values from which on an input counts as continuous.
const VALUES: usize = 5;
/// Inputs up to which space can be filled with boundaries.
const FEW_INPUTS: usize = 3;
/// Inputs beyond which uniform weights would make sums too large, and a pool too dear.
const MANY_INPUTS: usize = 20;
/// Rows at most that teams are chosen on, unless said otherwise.
pub const MOST_ROWS: usize = 192;
/// Draws in which a row with a different target is sought.
const TRIES: usize = 32;

impl Regime {
    /// The regime of these rows.
    pub fn of(rows: &Rows) -> Regime {
        let many_values = |input: usize| {
            let mut seen: Vec<f32> = Vec::new();
            (0..rows.count()).any(|row| {
                let value = rows.input(row)[input];
                if !seen.contains(&value) {
                    seen.push(value);
                }
                seen.len() >= VALUES
            })
        };
        let smooth = rows.features() <= FEW_INPUTS && (0..rows.features()).all(many_values);
        if smooth { Regime::Smooth } else { Regime::Tabular }
    }

    /// What differs between the regimes.
    pub fn numbers(self, loss: Loss) -> Numbers {
        match self {
            Regime::Smooth => Numbers {
                rows: MOST_ROWS,
                penalty: 1e-3,
                flat: 0.08,
                patience: 2.0,
                pool_share: 0.05,
                of_scheme: false,
            },
            // Where classes of a table are told by cross-entropy, recipes begin better than teams from pools.
            Regime::Tabular => {
                let pool_share = if loss == Loss::CrossEntropy { 0.0 } else { 0.05 };
                Numbers { rows: 128, penalty: 0.1, flat: 0.3, patience: 1.5, pool_share, of_scheme: true }
            }
        }
    }

    /// Draws a unit for the pool: its `weights` `[inputs]`; returns its threshold.
    pub fn draw(self, rows: &Rows, activation: Activation, weights: &mut [f32], rng: &mut Rng) -> f32 {
        match self {
            Regime::Smooth => between_rows(rows, activation, weights, rng),
            Regime::Tabular if weights.len() <= MANY_INPUTS => {
                let width = width(activation) as f32;
                weights.iter_mut().for_each(|w| *w = width * rng.between(-1.0, 1.0));
                width * rng.between(-1.0, 1.0)
            }
            Regime::Tabular => {
                let gain = 1.5 * width(activation) * f64::from(rng.between(0.6, 1.4));
                direction(weights, gain, rng);
                (0.4 * gain * rng.normal()) as f32
            }
        }
    }

    /// Draws a unit for a graft: its `weights`; returns its threshold.
    pub fn draw_scion(self, rows: &Rows, activation: Activation, weights: &mut [f32], rng: &mut Rng) -> f32 {
        match self {
            Regime::Smooth => between_rows(rows, activation, weights, rng),
            Regime::Tabular => {
                let gain = 0.5 * libm::pow(8.0, rng.uniform64());
                direction(weights, gain * width(activation), rng);
                -sum(weights, rows.input(rng.below(rows.count()))) as f32
            }
        }
    }
}

/// A steep unit that bends at a random point between two rows with different targets.
fn between_rows(rows: &Rows, activation: Activation, weights: &mut [f32], rng: &mut Rng) -> f32 {
    let one = rng.below(rows.count());
    let mut other = rng.below(rows.count());
    for _ in 0..TRIES {
        if rows.target(one) != rows.target(other) {
            break;
        }
        other = rng.below(rows.count());
    }
    let (from, to) = (rows.input(one), rows.input(other));
    let square: f64 = from.iter().zip(to).map(|(p, q)| f64::from(p - q) * f64::from(p - q)).sum();
    let steepness = width(activation) * f64::from(rng.between(2.0, 6.0)) / square.max(0.3);
    let along = rng.uniform64();
    let mut threshold = 0.0;
    for ((w, p), q) in weights.iter_mut().zip(from).zip(to) {
        let (p, q) = (f64::from(*p), f64::from(*q));
        *w = (steepness * (p - q)) as f32;
        threshold -= f64::from(*w) * (p + along * (q - p));
    }
    threshold as f32
}

/// A random direction of this length.
fn direction(weights: &mut [f32], length: f64, rng: &mut Rng) {
    rng.fill_normal(weights, 1.0);
    let norm = weights.iter().map(|w| f64::from(*w) * f64::from(*w)).sum::<f64>().sqrt();
    let factor = if norm > 0.0 { length / norm } else { 0.0 };
    weights.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
}

/// How wide a unit's range of sums is, in those of tanh, for which the numbers here were found.
fn width(activation: Activation) -> f64 {
    match activation {
        Activation::Logistic => 2.0,
        Activation::Sin | Activation::Cos => std::f64::consts::FRAC_1_PI,
        _ => 1.0,
    }
}

fn sum(weights: &[f32], input: &[f32]) -> f64 {
    weights.iter().zip(input).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;
    use crate::rng::Streams;

    fn rows(inputs: usize, values: u32) -> Rows {
        let mut rng = Streams::new(1).stream(Purpose::Synthetic, 0, 0);
        let x: Vec<f32> = (0..40 * inputs).map(|_| (rng.below(values as usize) as f32) / 2.0 - 1.0).collect();
        let t: Vec<f32> = x.chunks(inputs).map(|x| f32::from(x[0] > 0.0)).collect();
        Rows::new(&x, &t, inputs, 1)
    }

    #[test]
    fn regimes_are_told_by_the_inputs() {
        assert_eq!(Regime::of(&rows(2, 9)), Regime::Smooth);
        assert_eq!(Regime::of(&rows(3, 9)), Regime::Smooth);
        assert_eq!(Regime::of(&rows(4, 9)), Regime::Tabular, "four inputs");
        assert_eq!(Regime::of(&rows(2, 4)), Regime::Tabular, "four values");
    }

    #[test]
    fn smooth_units_bend_between_rows_with_different_targets() {
        let rows = rows(2, 9);
        let mut rng = Streams::new(1).stream(Purpose::Arm, 0, 0);
        for _ in 0..50 {
            let mut weights = [0.0; 2];
            let threshold = f64::from(Regime::Smooth.draw(&rows, Activation::Tanh, &mut weights, &mut rng));
            let side = |row: usize| sum(&weights, rows.input(row)) + threshold;
            let parted = (0..40).any(|p| (0..40).any(|q| rows.target(p) != rows.target(q) && side(p) * side(q) < 1e-9));
            assert!(parted, "{weights:?} {threshold}");
        }
    }

    #[test]
    fn scions_bend_at_a_row_and_are_neither_flat_nor_steep() {
        let rows = rows(6, 9);
        let mut rng = Streams::new(1).stream(Purpose::Arm, 0, 0);
        for _ in 0..50 {
            let mut weights = [0.0; 6];
            let threshold = Regime::Tabular.draw_scion(&rows, Activation::Tanh, &mut weights, &mut rng);
            let length = weights.iter().map(|w| w * w).sum::<f32>().sqrt();
            assert!((0.49..4.01).contains(&length), "{length}");
            let nearest = (0..40).map(|row| (sum(&weights, rows.input(row)) + f64::from(threshold)).abs());
            assert!(nearest.fold(f64::INFINITY, f64::min) < 1e-5);
        }
    }
}
