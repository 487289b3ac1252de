//! Mean and variance in one pass.

/// Running mean and variance of numbers that come one at a time.
///
/// Sums are taken of the distances to the first number, so equal numbers have variance exactly 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    count: u64,
    first: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    /// Adds numbers.
    pub fn add(&mut self, numbers: &[f32]) {
        if self.count == 0 {
            self.first = numbers.first().copied().map_or(0.0, f64::from);
        }
        self.count += numbers.len() as u64;
        for number in numbers {
            let distance = f64::from(*number) - self.first;
            self.sum += distance;
            self.squares = distance.mul_add(distance, self.squares);
        }
    }

    /// Mean; 0 of no numbers.
    pub fn mean(&self) -> f64 {
        self.first + self.sum / self.count.max(1) as f64
    }

    /// Mean square distance from the mean (divided by the count); 0 of no numbers, NaN if one was not finite.
    pub fn variance(&self) -> f64 {
        let mean = self.sum / self.count.max(1) as f64;
        let variance = self.squares / self.count.max(1) as f64 - mean * mean;
        // Not `max`, which would hide a NaN.
        if variance < 0.0 { 0.0 } else { variance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_known_numbers() {
        let mut moments = Moments::default();
        assert_eq!((moments.mean(), moments.variance()), (0.0, 0.0));
        moments.add(&[]);
        moments.add(&[2.0, 4.0, 4.0]);
        moments.add(&[4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((moments.mean(), moments.variance()), (5.0, 4.0));
    }

    #[test]
    fn equal_numbers_do_not_vary_and_infinite_ones_are_told() {
        let mut moments = Moments::default();
        moments.add(&[0.1; 1000]);
        assert_eq!(moments.variance(), 0.0);
        for bad in [f32::NAN, f32::INFINITY] {
            let mut moments = moments;
            moments.add(&[bad]);
            assert!(moments.variance().is_nan());
        }
    }
}
