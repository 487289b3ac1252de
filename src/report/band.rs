//! Medians over seeds with bootstrap intervals, for many samples of one size.

use crate::math::statistics::Interval;
use crate::rng::Rng;

/// Resampled medians of samples of one size.
///
/// Which order statistics a resample's median lies between does not depend on the values. Drawn once, the ranks serve
/// every point of a curve: the limits are those of a percentile bootstrap with these resamples.
#[derive(Clone, Debug, PartialEq)]
pub struct MedianBand {
    size: usize,
    confidence: f64,
    /// Ranks of the two middle values of a resample, and how many resamples have them.
    ranks: Vec<((usize, usize), usize)>,
    resamples: usize,
}

impl MedianBand {
    /// Draws the ranks for samples of `size` values; `confidence` is 0.95, say.
    pub fn new(size: usize, resamples: usize, confidence: f64, rng: &mut Rng) -> MedianBand {
        let mut counts = std::collections::BTreeMap::new();
        let mut drawn = vec![0; size];
        for _ in 0..if size > 0 { resamples } else { 0 } {
            drawn.iter_mut().for_each(|rank| *rank = rng.below(size));
            drawn.sort_unstable();
            *counts.entry((drawn[(size - 1) / 2], drawn[size / 2])).or_insert(0) += 1;
        }
        MedianBand { size, confidence, ranks: counts.into_iter().collect(), resamples }
    }

    /// Interval of the median of `sorted`, ascending, infinities allowed; `None` for a sample of another size or none.
    pub fn interval(&self, sorted: &[f64]) -> Option<Interval> {
        if sorted.len() != self.size || self.ranks.is_empty() {
            return None;
        }
        let middle = |(low, high): (usize, usize)| {
            let (low, high) = (sorted[low], sorted[high]);
            if low == high { low } else { low + 0.5 * (high - low) }
        };
        let mut medians: Vec<(f64, usize)> = self.ranks.iter().map(|(ranks, count)| (middle(*ranks), *count)).collect();
        medians.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |position: usize| {
            let mut seen = 0;
            let reaches = |(_, count): &&(f64, usize)| {
                seen += count;
                seen > position
            };
            medians.iter().find(reaches).map_or(f64::NAN, |(median, _)| *median)
        };
        let quantile = |share: f64| {
            let position = share * (self.resamples - 1) as f64;
            let below = position.floor();
            let (low, high) = (at(below as usize), at((below as usize + 1).min(self.resamples - 1)));
            if low == high || position == below { low } else { low + (position - below) * (high - low) }
        };
        let tail = (1.0 - self.confidence) / 2.0;
        Some(Interval { low: quantile(tail), high: quantile(1.0 - tail) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::statistics::{Bootstrap, BootstrapKind, median, sorted};
    use crate::rng::{Purpose, Streams};

    fn rng() -> Rng {
        Streams::new(3).stream(Purpose::Bootstrap, 0, 0)
    }

    #[test]
    fn band_is_the_percentile_bootstrap_of_the_median() {
        for size in [1, 2, 7, 10] {
            let values: Vec<f64> = (0..size).map(|i| f64::from(i * i % 7) + 0.1 * f64::from(i)).collect();
            let values = sorted(&values);
            let plain = Bootstrap { kind: BootstrapKind::Percentile, resamples: 999, confidence: 0.9 };
            let expected = plain.interval(&values, |x| median(x).unwrap(), &mut rng()).unwrap();
            let found = MedianBand::new(values.len(), 999, 0.9, &mut rng()).interval(&values).unwrap();
            assert!((found.low - expected.low).abs() < 1e-12 && (found.high - expected.high).abs() < 1e-12);
        }
    }

    #[test]
    fn failures_push_the_upper_limit_to_infinity() {
        let values = [1.0, 2.0, 3.0, f64::INFINITY, f64::INFINITY];
        let found = MedianBand::new(5, 999, 0.95, &mut rng()).interval(&values).unwrap();
        assert!(found.low.is_finite() && found.high == f64::INFINITY);
        assert_eq!(MedianBand::new(0, 999, 0.95, &mut rng()).interval(&[]), None);
        assert_eq!(MedianBand::new(4, 999, 0.95, &mut rng()).interval(&values), None);
    }
}
