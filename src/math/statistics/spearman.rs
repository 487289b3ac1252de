//! Do two quantities rise together?

use super::Interval;
use super::ranks::midranks;
use super::special::{normal_quantile, student_t_two_sided};

/// A rank correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spearman {
    /// Correlation of the midranks, −1 to 1.
    pub rho: f64,
    /// Two-sided p value of no correlation, by Student's t with n − 2 degrees of freedom; 1 for two pairs.
    pub p: f64,
    /// Confidence interval; `None` below four pairs.
    pub interval: Option<Interval>,
}

/// Spearman's rank correlation of the pairs; `None` below two pairs or if either side is constant.
///
/// The interval at the given confidence (say 0.95) is Fisher's z with variance (1 + ρ²/2)/(n − 3): Bonett & Wright 2000.
pub fn spearman(pairs: &[(f64, f64)], confidence: f64) -> Option<Spearman> {
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (first, second) = (midranks(&first), midranks(&second));
    let n = pairs.len() as f64;
    let middle = (n + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| (x - middle) * (y - middle)).sum() };
    let scale = (product(&first, &first) * product(&second, &second)).sqrt();
    if scale.is_nan() || scale == 0.0 {
        return None;
    }
    let rho = (product(&first, &second) / scale).clamp(-1.0, 1.0);
    let freedom = n - 2.0;
    let p = if freedom > 0.0 { student_t_two_sided(rho * (freedom / (1.0 - rho * rho)).sqrt(), freedom) } else { 1.0 };
    let interval = (n > 3.0).then(|| {
        let half = normal_quantile(0.5 + confidence / 2.0) * ((1.0 + rho * rho / 2.0) / (n - 3.0)).sqrt();
        Interval { low: libm::tanh(libm::atanh(rho) - half), high: libm::tanh(libm::atanh(rho) + half) }
    });
    Some(Spearman { rho, p, interval })
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;

    #[test]
    fn correlation_is_that_of_scipy() {
        // scipy 1.17.1 spearmanr; the interval from its rho with numpy 2.4.6.
        let second = [2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0, 10.0, 8.0, 8.0];
        let pairs: Vec<(f64, f64)> = (1..=10).map(f64::from).zip(second).collect();
        let found = spearman(&pairs, 0.95).unwrap();
        assert_close(found.rho, 0.8997002046464955, 1e-13);
        assert_close(found.p, 0.00039167359562948404, 1e-11);
        let interval = found.interval.unwrap();
        assert_close(interval.low, 0.5317929540737741, 1e-12);
        assert_close(interval.high, 0.9819249592824818, 1e-12);
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!((spearman(&[], 0.95), spearman(&[(1.0, 2.0), (1.0, 3.0)], 0.95)), (None, None));
        let falling: Vec<(f64, f64)> = (0..5).map(|i| (f64::from(i), f64::from(-i))).collect();
        let found = spearman(&falling, 0.95).unwrap();
        assert_eq!((found.rho, found.p, found.interval), (-1.0, 0.0, Some(Interval { low: -1.0, high: -1.0 })));
        assert_eq!(spearman(&falling[..2], 0.95).unwrap().p, 1.0);
        assert_eq!(spearman(&falling[..3], 0.95).unwrap().interval, None);
    }
}
