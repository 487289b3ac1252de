//! Least squares on rows: linear models of a few targets by centred columns, and the choice of columns worth having.

use super::kernel::{Loop, vectorized};
use super::linear_algebra::{cholesky, cholesky_solve};
use crate::cost::Cost;

/// The normal equations of `targets` by `columns`, both taken around their means, per row.
///
/// All sums run in row order in double precision, so that their bits depend on nothing but the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalEquations {
    columns: usize,
    /// Σ aᵢaⱼ / n over the rows, `[columns × columns]`; the lower triangle.
    gram: Vec<f64>,
    /// Σ t a / n over the rows, `[targets × columns]`.
    right: Vec<f64>,
    /// Means of the columns.
    pub mean: Vec<f64>,
}

impl NormalEquations {
    /// Of `values` (`[rows × columns]`, row-major) and `targets` (`[rows × outputs]`, row-major, around their means).
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn of(values: &[f32], targets: &[f64], columns: usize, outputs: usize) -> NormalEquations {
        let rows = values.len() / columns;
        assert!(values.len() == rows * columns && targets.len() == rows * outputs, "whole rows");
        let mut mean = vec![0.0; columns];
        for row in values.chunks_exact(columns) {
            mean.iter_mut().zip(row).for_each(|(mean, a)| *mean += f64::from(*a) / rows as f64);
        }
        let (mut gram, mut right) = (vec![0.0; columns * columns], vec![0.0; outputs * columns]);
        vectorized(Products { values, targets, mean: &mean, gram: &mut gram, right: &mut right, outputs });
        NormalEquations { columns, gram, right, mean }
    }

    /// Bytes of the equations and of what they are made of: the values, the targets around their means, and the sums.
    pub fn bytes(columns: usize, outputs: usize, rows: usize) -> u64 {
        let (h, k, n) = (columns as u64, outputs as u64, rows as u64);
        // Only the lower triangle is ever written: of long lines half, and half a page of 4 KiB that the diagonal cuts.
        let gram = (8 * h).min(4 * h + 2048).saturating_mul(h);
        gram.saturating_add(8 * h * (k + 2)).saturating_add(n.saturating_mul(4 * h + 8 * k))
    }

    /// Multiply-adds of the sums of products over `rows` rows.
    pub fn cost(columns: usize, outputs: usize, rows: usize) -> Cost {
        let (h, k, n) = (columns as u128, outputs as u128, rows as u128);
        charge(n * (h * (h + 1) / 2 + h * k))
    }

    /// Mean variance of the columns.
    pub fn variance(&self) -> f64 {
        (0..self.columns).map(|i| self.gram[i * self.columns + i]).sum::<f64>() / self.columns as f64
    }

    /// Weights `[targets × columns]` of the least sum of squared errors with `penalty` · |weights|² added, per row; `None`
    /// where the values are not finite.
    pub fn solve(mut self, penalty: f64) -> Option<Vec<f64>> {
        let h = self.columns;
        (0..h).for_each(|i| self.gram[i * h + i] += penalty);
        let solved = cholesky(&mut self.gram, h);
        self.right.chunks_exact_mut(h).for_each(|sums| {
            if solved {
                cholesky_solve(&self.gram, sums);
            }
        });
        solved.then_some(self.right)
    }

    /// Multiply-adds of [`NormalEquations::solve`]: factor and solutions.
    pub fn solve_cost(columns: usize, outputs: usize) -> Cost {
        let (h, k) = (columns as u128, outputs as u128);
        charge(h * h * h / 6 + h * h * k)
    }

    /// The best `count` columns to predict the targets from, in the order of choosing: each is the one that lowers the
    /// squared error of all targets most once those before it are in, `penalty` as in [`NormalEquations::solve`].
    ///
    /// Orthogonal least squares (Chen, Cowan & Grant 1991), done on the Gram matrix: a Cholesky factorisation whose
    /// pivots are chosen by gain. Of equals the first column; there are fewer than `count` where no other column varies.
    pub fn select(&self, penalty: f64, count: usize) -> Vec<usize> {
        let h = self.columns;
        let mut left: Vec<f64> = (0..h).map(|i| self.gram[i * h + i] + penalty).collect();
        let mut right = self.right.clone();
        // Row m: what every column has in common with pivot m, in units of what that has of its own.
        let mut factor: Vec<f64> = Vec::with_capacity(count.min(h) * h);
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < count.min(h) {
            let mut best = (0.0, None);
            for column in (0..h).filter(|column| !chosen.contains(column)) {
                let square: f64 = right.iter().skip(column).step_by(h).map(|c| c * c).sum();
                let gain = square / left[column];
                // Comparisons with NaN fail, so a column that is not finite is never chosen; zeros are, in their turn.
                if gain > best.0 || (best.1.is_none() && gain == 0.0) {
                    best = (gain, Some(column));
                }
            }
            let (_, Some(pivot)) = best else { break };
            let own = left[pivot].sqrt();
            let mut line: Vec<f64> = (0..h)
                .map(|i| self.gram[i.max(pivot) * h + i.min(pivot)] + if i == pivot { penalty } else { 0.0 })
                .collect();
            for before in factor.chunks_exact(h) {
                let share = before[pivot];
                line.iter_mut().zip(before).for_each(|(entry, other)| *entry -= share * other);
            }
            line.iter_mut().for_each(|entry| *entry /= own);
            for (left, entry) in left.iter_mut().zip(&line) {
                // What rounding leaves of a column that depends on the others is not below the penalty.
                *left = (*left - entry * entry).max(0.5 * penalty).max(f64::MIN_POSITIVE);
            }
            for sums in right.chunks_exact_mut(h) {
                let share = sums[pivot] / own;
                sums.iter_mut().zip(&line).for_each(|(sum, entry)| *sum -= share * entry);
            }
            factor.extend_from_slice(&line);
            chosen.push(pivot);
        }
        chosen
    }

    /// Multiply-adds of [`NormalEquations::select`], at most.
    pub fn select_cost(columns: usize, outputs: usize, count: usize) -> Cost {
        let (m, k, h) = (columns as u128, outputs as u128, count.min(columns) as u128);
        charge(m * h * h.saturating_sub(1) / 2 + m * h * (2 * k + 1))
    }
}

/// Linear algebra of so many multiply-adds; more than any budget holds are as many as no budget holds.
fn charge(multiply_adds: u128) -> Cost {
    Cost::linear_algebra(multiply_adds.min(1 << 60) as u64)
}

/// Mean and standard deviation of each column of `values` (`[rows × columns]`, row-major): one multiply-add an entry.
pub fn spreads(values: &[f32], columns: usize) -> Vec<(f64, f64)> {
    let rows = (values.len() / columns) as f64;
    let mut spreads = vec![(0.0, 0.0); columns];
    for row in values.chunks_exact(columns) {
        spreads.iter_mut().zip(row).for_each(|(spread, a)| spread.0 += f64::from(*a) / rows);
    }
    for row in values.chunks_exact(columns) {
        for (spread, a) in spreads.iter_mut().zip(row) {
            let off = f64::from(*a) - spread.0;
            spread.1 += off * off / rows;
        }
    }
    spreads.into_iter().map(|(mean, variance)| (mean, variance.sqrt())).collect()
}

/// How much of the `targets` (`[rows × outputs]`) each column of `values` explains by itself: Σₖ ⟨a − ā, tₖ⟩² / |a − ā|² / n.
/// 0 where a column does not vary or is not finite. `outputs` + 1 multiply-adds an entry.
pub fn explained(values: &[f32], targets: &[f64], columns: usize, outputs: usize) -> Vec<f64> {
    let rows = (values.len() / columns) as f64;
    let spreads = spreads(values, columns);
    let mut products = vec![0.0; outputs * columns];
    for (row, targets) in values.chunks_exact(columns).zip(targets.chunks_exact(outputs)) {
        for (products, t) in products.chunks_exact_mut(columns).zip(targets) {
            for ((product, a), (mean, _)) in products.iter_mut().zip(row).zip(&spreads) {
                *product += t * (f64::from(*a) - mean) / rows;
            }
        }
    }
    let explained = |column: usize| {
        let square: f64 = products.iter().skip(column).step_by(columns).map(|c| c * c).sum();
        let (mean, deviation) = spreads[column];
        let share = square / (deviation * deviation);
        // Less than single precision can hold is the rounding of the mean.
        if share.is_finite() && deviation > 1e-7 * mean.abs() { share } else { 0.0 }
    };
    (0..columns).map(explained).collect()
}

struct Products<'a> {
    values: &'a [f32],
    targets: &'a [f64],
    mean: &'a [f64],
    gram: &'a mut [f64],
    right: &'a mut [f64],
    outputs: usize,
}

impl Loop for Products<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let h = self.mean.len();
        let rows = (self.values.len() / h) as f64;
        let mut centred = vec![0.0; h];
        for (row, targets) in self.values.chunks_exact(h).zip(self.targets.chunks_exact(self.outputs)) {
            for ((to, a), mean) in centred.iter_mut().zip(row).zip(self.mean) {
                *to = f64::from(*a) - mean;
            }
            for (i, line) in self.gram.chunks_exact_mut(h).enumerate() {
                let here = centred[i] / rows;
                for (entry, other) in line[..=i].iter_mut().zip(&centred) {
                    *entry = here.mul_add(*other, *entry);
                }
            }
            for (sums, t) in self.right.chunks_exact_mut(h).zip(targets) {
                let t = t / rows;
                for (sum, a) in sums.iter_mut().zip(&centred) {
                    *sum = t.mul_add(*a, *sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    /// Values `[rows × 6]` of which column 4 is twice column 1 and column 5 never changes; one target by 1 and 3.
    fn example() -> (Vec<f32>, Vec<f64>) {
        let mut rng = Streams::new(8).stream(Purpose::Synthetic, 0, 0);
        let (mut values, mut targets) = (Vec::new(), Vec::new());
        for _ in 0..80 {
            let mut row: Vec<f32> = (0..6).map(|_| rng.normal() as f32).collect();
            (row[4], row[5]) = (2.0 * row[1], 1.0);
            targets.push(f64::from(3.0 * row[3] - row[1]) + 0.1 * rng.normal());
            values.extend(row);
        }
        let mean = targets.iter().sum::<f64>() / 80.0;
        targets.iter_mut().for_each(|t| *t -= mean);
        (values, targets)
    }

    #[test]
    fn the_gradient_vanishes_at_the_solution() {
        let (values, targets) = example();
        let equations = NormalEquations::of(&values, &targets, 6, 1);
        let mean = equations.mean.clone();
        let weights = equations.solve(0.01).unwrap();
        for column in 0..6 {
            let gradient: f64 = (0..80)
                .map(|row| {
                    let centred = |column: usize| f64::from(values[row * 6 + column]) - mean[column];
                    let predicted: f64 = (0..6).map(|c| weights[c] * centred(c)).sum();
                    (predicted - targets[row]) * centred(column) / 80.0
                })
                .sum();
            assert!((gradient + 0.01 * weights[column]).abs() < 1e-12, "{column}");
        }
        assert!(NormalEquations::of(&[f32::NAN, 1.0], &[1.0, -1.0], 1, 1).solve(0.1).is_none());
    }

    #[test]
    fn each_choice_lowers_the_error_most() {
        let (values, targets) = example();
        let equations = NormalEquations::of(&values, &targets, 6, 1);
        let penalty = 1e-3;
        let chosen = equations.select(penalty, 6);
        // The error with these columns, by solving anew.
        let error = |columns: &[usize]| {
            let part: Vec<f32> = values.chunks(6).flat_map(|row| columns.iter().map(|c| row[*c])).collect();
            let equations = NormalEquations::of(&part, &targets, columns.len(), 1);
            let right = equations.right.clone();
            let weights = equations.solve(penalty).unwrap();
            -weights.iter().zip(right).map(|(w, c)| w * c).sum::<f64>()
        };
        for place in 0..4 {
            let with = |column: usize| error(&[&chosen[..place], &[column]].concat());
            let others = (0..6).filter(|column| !chosen[..place].contains(column));
            let best = others.map(with).min_by(f64::total_cmp).unwrap();
            assert!((with(chosen[place]) - best).abs() < 1e-9, "choice {place} of {chosen:?}");
        }
        assert_eq!((chosen.len(), chosen[0]), (6, 3));
        assert_eq!(chosen[5], 5, "what never changes comes last");
        assert_eq!(equations.select(penalty, 2), chosen[..2]);
    }

    #[test]
    fn one_column_explains_what_its_regression_takes_away() {
        let (values, targets) = example();
        let explained = explained(&values, &targets, 6, 1);
        for column in 0..5 {
            let own: Vec<f32> = values.chunks(6).map(|row| row[column]).collect();
            let equations = NormalEquations::of(&own, &targets, 1, 1);
            let (right, weight) = (equations.right[0], equations.solve(0.0).unwrap()[0]);
            assert!((explained[column] - right * weight).abs() < 1e-12, "{column}");
        }
        assert_eq!(explained[5], 0.0, "what never changes explains nothing");
        assert_eq!(spreads(&[1.0, 5.0, 3.0, 5.0], 2), [(2.0, 1.0), (5.0, 0.0)]);
    }

    #[test]
    fn what_is_not_finite_is_never_chosen() {
        let (mut values, targets) = example();
        values[7] = f32::INFINITY;
        let chosen = NormalEquations::of(&values, &targets, 6, 1).select(1e-3, 6);
        assert!(!chosen.contains(&1), "{chosen:?}");
    }
}
