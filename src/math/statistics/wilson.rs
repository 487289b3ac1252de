//! How sure a success rate is.

use super::Interval;
use super::special::normal_quantile;

/// Wilson's score interval of a success rate at the given confidence (say 0.95); `None` without trials.
///
/// `successes` above `trials` count as all. Never leaves [0, 1]; sensible for few trials and rates near the ends.
/// Wilson 1927.
pub fn wilson(successes: usize, trials: usize, confidence: f64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let n = trials as f64;
    let rate = successes.min(trials) as f64 / n;
    let z = normal_quantile(0.5 + confidence / 2.0);
    let centre = (rate + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt() / (1.0 + z * z / n);
    // The ends are exact at rates 0 and 1; rounding must not lift them.
    let low = if rate == 0.0 { 0.0 } else { centre - half };
    let high = if rate == 1.0 { 1.0 } else { centre + half };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;

    #[test]
    fn intervals_are_those_of_statsmodels() {
        // statsmodels 0.15.0 proportion_confint(method="wilson").
        let check = |successes, trials, confidence, low, high| {
            let interval = wilson(successes, trials, confidence).unwrap();
            assert_close(interval.low, low, 1e-12);
            assert_close(interval.high, high, 1e-12);
        };
        check(7, 30, 0.95, 0.11792388144489496, 0.40928326158122175);
        check(0, 10, 0.95, 0.0, 0.27753279986288926);
        check(10, 10, 0.9, 0.7870580299165928, 1.0);
        assert_eq!(wilson(0, 0, 0.95), None);
    }
}
