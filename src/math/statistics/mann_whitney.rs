//! Two independent samples: the rank-sum test and its effect size.

use super::ranks::doubled_midranks;
use super::special::normal_cdf;

/// Up to so many values in both samples together the null distribution is exact.
const EXACT_UP_TO: usize = 40;

/// Outcome of the rank-sum test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankSum {
    /// Pairs in which the first sample's value is the larger one; ties count one half.
    pub u: f64,
    /// Two-sided p value.
    pub p: f64,
    /// Whether `p` is exact, not a normal approximation.
    pub exact: bool,
}

/// Mann–Whitney's U test of "both samples come from one distribution", two-sided; `None` if a sample is empty.
///
/// Up to 40 values in all, p is exact, with ties too: all ways to deal out the midranks count. Above, it is the normal
/// approximation with correction for ties and continuity. NaN ranks highest. Mann & Whitney 1947.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<RankSum> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let ranks = doubled_midranks(&[first, second].concat());
    let (n, m) = (first.len(), second.len());
    let doubled_sum: usize = ranks[..n].iter().sum();
    let u = (doubled_sum - n * (n + 1)) as f64 / 2.0;
    let exact = ranks.len() <= EXACT_UP_TO;
    let p = if exact {
        let ways = ways_to_deal(&ranks, n);
        let total: f64 = ways.iter().sum();
        let tails = [ways[..=doubled_sum].iter().sum::<f64>(), ways[doubled_sum..].iter().sum::<f64>()];
        (2.0 * tails[0].min(tails[1]) / total).min(1.0)
    } else {
        // Variance of a sum of n ranks drawn without replacement: right with ties as it stands.
        let all = ranks.len() as f64;
        let squares: f64 = ranks.iter().map(|&rank| (rank as f64 - all - 1.0) * (rank as f64 - all - 1.0)).sum();
        let deviation = ((n * m) as f64 * squares / 4.0 / (all * (all - 1.0))).sqrt();
        let distance = ((u - (n * m) as f64 / 2.0).abs() - 0.5).max(0.0);
        if distance == 0.0 { 1.0 } else { 2.0 * normal_cdf(-distance / deviation) }
    };
    Some(RankSum { u, p, exact })
}

/// Vargha–Delaney A₁₂: probability that a value of the first sample exceeds one of the second, ties counting one half.
///
/// 0.5 is no difference; 0.56, 0.64 and 0.71 are called small, medium and large. `None` if a sample is empty.
/// Vargha & Delaney 2000, eq. 14.
pub fn vargha_delaney(first: &[f64], second: &[f64]) -> Option<f64> {
    Some(mann_whitney(first, second)?.u / (first.len() * second.len()) as f64)
}

/// In how many ways `chosen` of the ranks add up to each sum.
fn ways_to_deal(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let width = ranks.iter().sum::<usize>() + 1;
    let mut ways = vec![0.0; (chosen + 1) * width];
    ways[0] = 1.0;
    for &rank in ranks {
        // From the back: each rank is dealt once.
        for slot in (width + rank..ways.len()).rev() {
            ways[slot] += ways[slot - width - rank];
        }
    }
    ways.split_off(chosen * width)
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;

    #[test]
    fn p_values_are_those_of_scipy() {
        // scipy 1.17.1 mannwhitneyu: method="exact"; PermutationMethod(all); method="asymptotic", use_continuity=True.
        let check = |first: &[f64], second: &[f64], expected: RankSum| {
            let found = mann_whitney(first, second).unwrap();
            assert_eq!((found.u, found.exact), (expected.u, expected.exact));
            assert_close(found.p, expected.p, 1e-11);
            let swapped = mann_whitney(second, first).unwrap();
            assert_close(swapped.p, expected.p, 1e-11);
            let share = expected.u / (first.len() * second.len()) as f64;
            assert_close(vargha_delaney(first, second).unwrap(), share, 1e-14);
        };
        let first = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let second = [1.15, 0.88, 0.90, 0.74, 1.21];
        check(&first, &second, RankSum { u: 35.0, p: 0.2544122544122544, exact: true });
        let first = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0];
        let second = [2.0, 3.0, 5.0, 5.0, 6.0, 7.0, 7.0, 8.0];
        check(&first, &second, RankSum { u: 9.5, p: 0.033877233877233875, exact: true });
        let wave = |speed: f64, shift: f64| -> Vec<f64> {
            (1..=40).map(|i| (10.0 * libm::sin(f64::from(i) * speed) + shift).round()).collect()
        };
        check(&wave(1.3, 0.0), &wave(2.1, 2.0), RankSum { u: 639.0, p: 0.11957619222283397, exact: false });
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!((mann_whitney(&[], &[1.0]), vargha_delaney(&[1.0], &[])), (None, None));
        assert_eq!(mann_whitney(&[2.0; 30], &[2.0; 30]).unwrap().p, 1.0);
        assert_eq!(mann_whitney(&[2.0; 3], &[2.0; 3]).unwrap().p, 1.0);
        assert_eq!(vargha_delaney(&[2.0, f64::INFINITY], &[1.0, 0.0]), Some(1.0));
    }
}
