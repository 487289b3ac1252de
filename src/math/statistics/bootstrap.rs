//! Intervals of any statistic by resampling.

use super::Interval;
use super::describe::{mean, quantile_of_sorted};
use super::special::{normal_cdf, normal_quantile};
use crate::rng::Rng;

/// How the replicates become an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootstrapKind {
    /// Quantiles of the replicates.
    Percentile,
    /// Quantiles corrected for bias and for a spread that changes with the value (Efron 1987): the better interval of a
    /// smooth statistic such as a mean; it needs two items at least.
    Bca,
}

/// Settings of a bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How the replicates become an interval.
    pub kind: BootstrapKind,
    /// Number of replicates; below 1000 the limits are noisy.
    pub resamples: usize,
    /// Confidence, say 0.95.
    pub confidence: f64,
}

impl Bootstrap {
    /// Interval of `statistic` over one sample.
    ///
    /// `None` for an empty sample, no resamples, a statistic that gives NaN, or, with BCa, one item or an observed value
    /// outside of all replicates.
    pub fn interval(&self, sample: &[f64], statistic: impl Fn(&[f64]) -> f64, rng: &mut Rng) -> Option<Interval> {
        let mut drawn = Vec::with_capacity(sample.len());
        let of_indices = |indices: &[usize]| {
            drawn.clear();
            drawn.extend(indices.iter().map(|&index| sample[index]));
            statistic(&drawn)
        };
        self.interval_of_indices(sample.len(), of_indices, rng)
    }

    /// As [`Bootstrap::interval`], where `statistic` gets indices below `items`, never none: what belongs together, such
    /// as both runs of a paired seed, stays together.
    pub fn interval_of_indices(
        &self,
        items: usize,
        mut statistic: impl FnMut(&[usize]) -> f64,
        rng: &mut Rng,
    ) -> Option<Interval> {
        if items == 0 || (self.kind == BootstrapKind::Bca && items < 2) {
            return None;
        }
        let replicates = bootstrap_replicates(items, self.resamples, &mut statistic, rng);
        let tail = (1.0 - self.confidence) / 2.0;
        let shares = match self.kind {
            BootstrapKind::Percentile => [tail, 1.0 - tail],
            BootstrapKind::Bca => {
                let mut indices: Vec<usize> = (0..items).collect();
                let observed = statistic(&indices);
                indices.pop();
                // The slot that lacks an item walks from the last to the first: each index list is one change away.
                let mut jackknife = vec![statistic(&indices)];
                for left_out in (0..items - 1).rev() {
                    indices[left_out] = left_out + 1;
                    jackknife.push(statistic(&indices));
                }
                bca_shares(&replicates, observed, &jackknife, tail)?
            }
        };
        if replicates.last()?.is_nan() {
            return None;
        }
        Some(Interval {
            low: quantile_of_sorted(&replicates, shares[0])?,
            high: quantile_of_sorted(&replicates, shares[1])?,
        })
    }
}

/// Values of `statistic` over `resamples` draws of `items` indices with replacement, ascending, NaN last.
///
/// Draws `items · resamples` indices from `rng`; empty if `items` is 0.
pub fn bootstrap_replicates(
    items: usize,
    resamples: usize,
    mut statistic: impl FnMut(&[usize]) -> f64,
    rng: &mut Rng,
) -> Vec<f64> {
    if items == 0 {
        return Vec::new();
    }
    let mut indices = vec![0; items];
    let replicates: Vec<f64> = (0..resamples)
        .map(|_| {
            indices.iter_mut().for_each(|index| *index = rng.below(items));
            statistic(&indices)
        })
        .collect();
    super::sorted(&replicates)
}

/// Which quantiles of the replicates are the limits (Efron 1987, eq. 6.5–6.7); `None` where they are not defined.
fn bca_shares(replicates: &[f64], observed: f64, jackknife: &[f64], tail: f64) -> Option<[f64; 2]> {
    let below = replicates.iter().filter(|x| **x < observed).count();
    let equal = replicates.iter().filter(|x| **x == observed).count();
    let bias = normal_quantile((below as f64 + 0.5 * equal as f64) / replicates.len() as f64);
    let centre = mean(jackknife)?;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for left_out in jackknife {
        let influence = centre - left_out;
        squares += influence * influence;
        cubes += influence * influence * influence;
    }
    let acceleration = if squares == 0.0 { 0.0 } else { cubes / (6.0 * squares * squares.sqrt()) };
    let share = |z: f64| normal_cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
    let shares = [share(normal_quantile(tail)), share(normal_quantile(1.0 - tail))];
    (bias.is_finite() && !shares[0].is_nan() && !shares[1].is_nan()).then_some(shares)
}

#[cfg(test)]
mod tests {
    use super::super::{assert_close, interquartile_mean, median, sorted};
    use super::*;
    use crate::rng::{Purpose, Streams};

    const DATA: [f64; 8] = [1.2, 3.4, 0.7, 5.6, 2.2, 9.1, 4.4, 3.3];

    fn rng() -> Rng {
        Streams::new(1).stream(Purpose::Bootstrap, 0, 0)
    }

    fn bootstrap(kind: BootstrapKind) -> Bootstrap {
        Bootstrap { kind, resamples: 20_000, confidence: 0.9 }
    }

    #[test]
    fn limits_from_given_replicates_are_those_of_scipy() {
        // scipy 1.17.1 stats.bootstrap with this distribution handed in (bootstrap_result, n_resamples=0), level 0.9.
        let replicate = |i: f64| 3.7 + 0.9 * libm::sin(i * 0.7310) + 0.3 * libm::cos(i * 0.11) * libm::cos(i * 0.11);
        let replicates = sorted(&(1..1000).map(f64::from).map(replicate).collect::<Vec<_>>());
        let total: f64 = DATA.iter().sum();
        let jackknife = DATA.map(|x| (total - x) / 7.0);
        let shares = bca_shares(&replicates, total / 8.0, &jackknife, 0.05).unwrap();
        let check = |share: f64, limit: f64| assert_close(quantile_of_sorted(&replicates, share).unwrap(), limit, 1e-9);
        check(shares[0], 2.9000444848830162);
        check(shares[1], 4.7838540171289585);
        check(0.05, 2.9049291956294057);
        check(0.95, 4.797635944761825);
    }

    #[test]
    fn whole_intervals_lie_where_scipy_puts_them() {
        // scipy 1.17.1 stats.bootstrap(mean), 200 000 resamples, level 0.9; ours has 20 000, so ± 0.1.
        let near = |kind, low: f64, high: f64| {
            let found = bootstrap(kind).interval(&DATA, |x| mean(x).unwrap(), &mut rng()).unwrap();
            assert!((found.low - low).abs() < 0.1 && (found.high - high).abs() < 0.1, "{found:?}");
        };
        near(BootstrapKind::Percentile, 2.35, 5.3);
        near(BootstrapKind::Bca, 2.525, 5.5875);
    }

    #[test]
    fn equal_streams_give_equal_intervals_and_pairs_stay_paired() {
        let of = |statistic: fn(&[f64]) -> Option<f64>| {
            bootstrap(BootstrapKind::Percentile).interval(&DATA, |x| statistic(x).unwrap(), &mut rng())
        };
        assert_eq!(of(interquartile_mean), of(interquartile_mean));
        assert_ne!(of(interquartile_mean), of(median));
        // Every pair has the ratio 2, so every resampled ratio of sums has too.
        let ratio = |indices: &[usize]| {
            let sum = |scale: f64| indices.iter().map(|&index| scale * DATA[index]).sum::<f64>();
            sum(2.0) / sum(1.0)
        };
        let found = bootstrap(BootstrapKind::Bca).interval_of_indices(8, ratio, &mut rng()).unwrap();
        assert_eq!((found.low, found.high), (2.0, 2.0));
    }

    #[test]
    fn jackknife_leaves_out_each_item_once() {
        let mut seen = Vec::new();
        let record = |indices: &[usize]| {
            seen.push(indices.to_vec());
            0.0
        };
        Bootstrap { kind: BootstrapKind::Bca, resamples: 1, confidence: 0.9 }.interval_of_indices(
            3,
            record,
            &mut rng(),
        );
        assert_eq!(seen[1..], [vec![0, 1, 2], vec![0, 1], vec![0, 2], vec![1, 2]]);
    }

    #[test]
    fn edges_are_defined() {
        for kind in [BootstrapKind::Percentile, BootstrapKind::Bca] {
            let none = |sample: &[f64], resamples, value: f64| {
                Bootstrap { kind, resamples, confidence: 0.9 }.interval(sample, |_| value, &mut rng())
            };
            assert_eq!(
                (none(&[], 9, 0.0), none(&[1.0, 2.0], 0, 0.0), none(&[1.0, 2.0], 9, f64::NAN)),
                (None, None, None)
            );
            assert_eq!(none(&[1.0, 2.0], 9, 3.0), Some(Interval { low: 3.0, high: 3.0 }));
        }
        assert_eq!(bootstrap(BootstrapKind::Bca).interval(&[1.0], |x| x[0], &mut rng()), None);
    }
}
