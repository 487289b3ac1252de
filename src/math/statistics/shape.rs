//! The shape of a distribution, by its first four moments.

use serde::{Deserialize, Serialize};

/// Mean, standard deviation, skewness and excess kurtosis of a sample, all with divisor n.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// How many numbers.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Root mean square distance from the mean.
    pub deviation: f64,
    /// m₃ / m₂^1.5: 0 of a symmetric sample; `None` of numbers that are all equal.
    pub skewness: Option<f64>,
    /// m₄ / m₂² − 3: 0 of a normal distribution, −1.2 of a uniform one; `None` of numbers that are all equal.
    pub kurtosis: Option<f64>,
}

impl Shape {
    /// The shape of `sample`; `None` of no numbers, or if one is not finite.
    pub fn of(sample: &[f32]) -> Option<Shape> {
        let count = sample.len();
        if count == 0 || !sample.iter().all(|x| x.is_finite()) {
            return None;
        }
        let average =
            |term: &dyn Fn(f64) -> f64| sample.iter().map(|x| term(f64::from(*x))).sum::<f64>() / count as f64;
        let mean = average(&|x| x);
        let square = average(&|x| (x - mean) * (x - mean));
        let deviation = square.sqrt();
        // What rounding leaves of equal numbers is no spread.
        let varies = deviation > 1e-12 * mean.abs();
        let power = |order: usize| {
            let term = |x: f64| (0..order).fold(1.0, |product, _| product * (x - mean) / deviation);
            varies.then(|| average(&term))
        };
        Some(Shape { count, mean, deviation, skewness: power(3), kurtosis: power(4).map(|x| x - 3.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;

    #[test]
    fn moments_are_those_of_numpy_and_scipy() {
        // numpy 2.4.6 mean and std, scipy 1.17.1 stats.skew and stats.kurtosis (both biased).
        let shape = Shape::of(&[2.125, 3.375, 1.75, 9.875, 5.5, 4.25, 8.75]).unwrap();
        assert_eq!(shape.count, 7);
        assert_close(shape.mean, 5.089285714285714, 1e-14);
        assert_close(shape.deviation, 2.9290069362589533, 1e-14);
        assert_close(shape.skewness.unwrap(), 0.5106464677462302, 1e-13);
        assert_close(shape.kurtosis.unwrap(), -1.224305758366948, 1e-13);
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!(Shape::of(&[]), None);
        assert_eq!(Shape::of(&[1.0, f32::NAN]), None);
        let equal = Shape::of(&[0.1; 9]).unwrap();
        assert_eq!((equal.skewness, equal.kurtosis), (None, None));
    }
}
