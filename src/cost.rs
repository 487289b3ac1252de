//! What was spent: every pass over rows, counted in multiply-adds.

use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Sub};

/// Multiply-adds on rows, by category.
///
/// A forward pass of a network costs its weights (without thresholds) per row; a backward pass costs twice that, by
/// convention. Variation, sorting and drawing random numbers touch no rows and cost nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Forward passes.
    pub forward: u64,
    /// Backward passes.
    pub backward: u64,
    /// Jacobian rows of second-order training.
    pub jacobian: u64,
    /// Gram matrices, least squares and other linear algebra on rows.
    pub linear_algebra: u64,
    /// Steps of control environments.
    pub environment: u64,
}

impl Cost {
    /// Nothing spent.
    pub const ZERO: Cost = Cost { forward: 0, backward: 0, jacobian: 0, linear_algebra: 0, environment: 0 };

    /// Forward passes of `rows` rows through a network of `weights` multiply-adds per row.
    pub fn forward(weights: usize, rows: usize) -> Cost {
        Cost { forward: weights as u64 * rows as u64, ..Cost::ZERO }
    }

    /// One gradient: forward and backward passes, three forward passes in all.
    pub fn gradient(weights: usize, rows: usize) -> Cost {
        let forward = weights as u64 * rows as u64;
        Cost { forward, backward: 2 * forward, ..Cost::ZERO }
    }

    /// One product of the Hessian with a direction by the R-operator: three passes forward, five back of one multiply-add
    /// a weight each.
    pub fn hessian_product(weights: usize, rows: usize) -> Cost {
        let forward = weights as u64 * rows as u64;
        Cost { forward: 3 * forward, backward: 5 * forward, ..Cost::ZERO }
    }

    /// JᵀJ and Jᵀe of the residuals of `outputs` outputs by `parameters` parameters: a pass forward, a backward pass (of two
    /// forward ones) for each output's row of the Jacobian, and for each such row the lower triangle of the Gram matrix of
    /// its parameters and its residual: (parameters + 1)(parameters + 2) / 2 multiply-adds.
    pub fn gauss_newton(weights: usize, parameters: usize, outputs: usize, rows: usize) -> Cost {
        let (forward, residuals) = (weights as u64 * rows as u64, outputs as u64 * rows as u64);
        let parameters = parameters as u64;
        Cost {
            forward,
            jacobian: 2 * forward * outputs as u64,
            linear_algebra: residuals * ((parameters + 1) * (parameters + 2) / 2),
            ..Cost::ZERO
        }
    }

    /// Linear algebra on rows.
    pub fn linear_algebra(multiply_adds: u64) -> Cost {
        Cost { linear_algebra: multiply_adds, ..Cost::ZERO }
    }

    /// Steps of control environments.
    pub fn environment(steps: u64) -> Cost {
        Cost { environment: steps, ..Cost::ZERO }
    }

    /// All categories together.
    pub fn total(&self) -> u64 {
        self.forward + self.backward + self.jacobian + self.linear_algebra + self.environment
    }

    /// The same work done `times` times.
    pub fn times(self, times: u64) -> Cost {
        Cost {
            forward: self.forward * times,
            backward: self.backward * times,
            jacobian: self.jacobian * times,
            linear_algebra: self.linear_algebra * times,
            environment: self.environment * times,
        }
    }
}

impl Add for Cost {
    type Output = Cost;
    fn add(self, other: Cost) -> Cost {
        Cost {
            forward: self.forward + other.forward,
            backward: self.backward + other.backward,
            jacobian: self.jacobian + other.jacobian,
            linear_algebra: self.linear_algebra + other.linear_algebra,
            environment: self.environment + other.environment,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        *self = *self + other;
    }
}

impl Sub for Cost {
    type Output = Cost;
    fn sub(self, other: Cost) -> Cost {
        Cost {
            forward: self.forward - other.forward,
            backward: self.backward - other.backward,
            jacobian: self.jacobian - other.jacobian,
            linear_algebra: self.linear_algebra - other.linear_algebra,
            environment: self.environment - other.environment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_have_their_price() {
        assert_eq!(Cost::forward(7, 3), Cost { forward: 21, ..Cost::ZERO });
        assert_eq!(Cost::gradient(7, 3), Cost { forward: 21, backward: 42, ..Cost::ZERO });
        assert_eq!(Cost::hessian_product(7, 3), Cost { forward: 63, backward: 105, ..Cost::ZERO });
        // 3 rows of 2 outputs: a backward pass for each, and 11 · 12 / 2 products of 10 parameters and the residual.
        let expected = Cost { forward: 21, jacobian: 84, linear_algebra: 6 * 66, ..Cost::ZERO };
        assert_eq!(Cost::gauss_newton(7, 10, 2, 3), expected);
    }

    #[test]
    fn costs_add_up_by_category() {
        let costs = |numbers: [u64; 5]| {
            let [forward, backward, jacobian, linear_algebra, environment] = numbers;
            Cost { forward, backward, jacobian, linear_algebra, environment }
        };
        let (a, b) = (costs([10, 200, 3000, 40_000, 500_000]), costs([1, 20, 300, 4000, 50_000]));
        assert_eq!(a + b, costs([11, 220, 3300, 44_000, 550_000]));
        assert_eq!(a - b, costs([9, 180, 2700, 36_000, 450_000]));
        assert_eq!(b.times(3), costs([3, 60, 900, 12_000, 150_000]));
        assert_eq!((a.total(), b.total()), (543_210, 54_321));
        let mut sum = a;
        sum += b;
        assert_eq!(sum, a + b);
        assert_eq!(Cost::linear_algebra(4) + Cost::environment(5), costs([0, 0, 0, 4, 5]));
    }
}
