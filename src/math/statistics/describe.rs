//! Centre and spread of one sample.

/// A copy in ascending order; NaN comes last.
pub fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut copy: Vec<f64> = sample.iter().map(|&x| if x.is_nan() { f64::NAN } else { x }).collect();
    copy.sort_unstable_by(f64::total_cmp);
    copy
}

/// The quantile at `share` (0 to 1, clamped), linear between order statistics: type 7 of Hyndman & Fan 1996.
///
/// `None` for an empty sample.
pub fn quantile(sample: &[f64], share: f64) -> Option<f64> {
    quantile_of_sorted(&sorted(sample), share)
}

/// As [`quantile`], of a sample that is already in ascending order.
pub fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    let below = (position.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let fraction = position - below as f64;
    // Between equal ends, and on an order statistic, no arithmetic: infinities pass unharmed.
    if fraction == 0.0 || low == high { Some(low) } else { Some(low + fraction * (high - low)) }
}

/// The middle of the sample, halfway between the two middle values if their number is even; `None` for no sample.
pub fn median(sample: &[f64]) -> Option<f64> {
    quantile(sample, 0.5)
}

/// Arithmetic mean; `None` for no sample.
pub fn mean(sample: &[f64]) -> Option<f64> {
    (!sample.is_empty()).then(|| sample.iter().sum::<f64>() / sample.len() as f64)
}

/// Interquartile mean: the mean after ⌊n/4⌋ values are cut from either end; `None` for no sample.
///
/// Less noisy than the median, nearly as robust. Agarwal et al. 2021.
pub fn interquartile_mean(sample: &[f64]) -> Option<f64> {
    let cut = sample.len() / 4;
    mean(&sorted(sample)[cut..sample.len() - cut])
}

/// Standard deviation with divisor n − 1; `None` below two values.
pub fn standard_deviation(sample: &[f64]) -> Option<f64> {
    let mean = mean(sample).filter(|_| sample.len() > 1)?;
    let squares: f64 = sample.iter().map(|x| (x - mean) * (x - mean)).sum();
    Some((squares / (sample.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;

    const SAMPLE: [f64; 7] = [2.1, 3.4, 1.7, 9.9, 5.5, 4.2, 8.8];

    #[test]
    fn numbers_are_those_of_numpy_and_scipy() {
        // numpy 2.4.6 quantile and std(ddof=1), scipy 1.17.1 trim_mean(x, 0.25).
        for (share, expected) in [(0.0, 1.7), (0.1, 1.94), (0.25, 2.75), (0.5, 4.2), (0.9, 9.24), (1.0, 9.9)] {
            assert_close(quantile(&SAMPLE, share).unwrap(), expected, 1e-14);
        }
        assert_close(interquartile_mean(&SAMPLE).unwrap(), 4.8, 1e-14);
        assert_close(interquartile_mean(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 100.0]).unwrap(), 4.5, 1e-14);
        assert_close(standard_deviation(&SAMPLE).unwrap(), 3.1924016933068704, 1e-14);
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!(
            (mean(&[]), median(&[]), interquartile_mean(&[]), standard_deviation(&[1.0])),
            (None, None, None, None)
        );
        assert_eq!(
            (median(&[3.0]), median(&[1.0, 2.0]), quantile(&[1.0, 2.0], 7.0)),
            (Some(3.0), Some(1.5), Some(2.0))
        );
        let diverged = [1.0, f64::INFINITY, f64::INFINITY, f64::INFINITY];
        assert_eq!((median(&diverged), quantile(&diverged, 0.0)), (Some(f64::INFINITY), Some(1.0)));
        assert!(sorted(&[-f64::NAN, 1.0])[1].is_nan());
    }
}
