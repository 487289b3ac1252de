//! Paired differences: the signed-rank test, and the shift with the interval that inverts it.

use super::ranks::doubled_midranks;
use super::special::normal_cdf;

/// Up to so many nonzero differences the null distribution is exact.
const EXACT_UP_TO: usize = 60;

/// Outcome of the signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRank {
    /// Sum of the ranks of the positive differences.
    pub positive: f64,
    /// Sum of the ranks of the negative differences.
    pub negative: f64,
    /// Two-sided p value; 1 without a nonzero difference.
    pub p: f64,
    /// Differences that took part.
    pub nonzero: usize,
    /// Differences left out: zeros, and NaN, which says no more than a zero does.
    pub zeros: usize,
    /// Whether `p` is exact, not a normal approximation.
    pub exact: bool,
}

/// Wilcoxon's signed-rank test of "the differences lie symmetric about 0", two-sided.
///
/// Zeros are dropped (Wilcoxon's way) and counted; equal magnitudes share midranks, two infinite ones are equal. Up to
/// 60 nonzero differences p is exact given the ties, above it is the normal approximation with correction for ties and
/// continuity. Wilcoxon 1945.
pub fn wilcoxon(differences: &[f64]) -> SignedRank {
    let differing = differing(differences);
    let null = Null::new(&differing);
    let doubled = null.doubled_positive;
    SignedRank {
        positive: doubled as f64 / 2.0,
        negative: (null.doubled_total - doubled) as f64 / 2.0,
        p: null.p(doubled.min(null.doubled_total - doubled)),
        nonzero: differing.len(),
        zeros: differences.len() - differing.len(),
        exact: null.exact.is_some(),
    }
}

/// A shift of paired differences and its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Hodges–Lehmann estimate; infinite or NaN where infinite differences decide it.
    pub estimate: f64,
    /// Lower limit; −∞ where the sample cannot bound it.
    pub low: f64,
    /// Upper limit; +∞ where the sample cannot bound it.
    pub high: f64,
}

/// Hodges–Lehmann estimate (median of all pairwise means, each value with itself too) and the 1 − `alpha` interval that
/// inverts [`wilcoxon`]; `None` without a nonzero difference.
///
/// Interval and test never contradict each other: with p < `alpha` 0 is no inner point of the interval, else 0 lies in
/// it. Where ties of opposite sign put a limit on 0 itself, p decides: the interval is open there if p < `alpha`.
///
/// To this end the interval looks at what the test looks at: zeros are dropped, so the estimate speaks of the pairs
/// that differ, and the critical rank sum is that of the ties about 0. A pair of opposite infinities says nothing of any
/// shift: half of its mean lies at either end. O(n² log n). Hodges & Lehmann 1963; Hollander & Wolfe 1999, §3.2–3.3.
pub fn hodges_lehmann(differences: &[f64], alpha: f64) -> Option<Shift> {
    let differing = differing(differences);
    if differing.is_empty() {
        return None;
    }
    let null = Null::new(&differing);
    let mut means = Vec::with_capacity(differing.len() * (differing.len() + 1) / 2);
    for (index, a) in differing.iter().enumerate() {
        // Halved before the sum: no overflow, and the sign stays that of the sum.
        means.extend(differing[index..].iter().map(|b| 0.5 * a + 0.5 * b).filter(|mean| !mean.is_nan()));
    }
    means.sort_unstable_by(f64::total_cmp);
    // Every mean counts twice, and one of ∞ and −∞ once at either end: so counted, the means below a shift plus half
    // of those equal to it are twice the negative rank sum after that shift.
    let count = null.doubled_total;
    let opposite = (count - 2 * means.len()) / 2;
    let twice = |index: usize| match index.checked_sub(opposite) {
        None => f64::NEG_INFINITY,
        Some(inside) => means.get(inside / 2).copied().unwrap_or(f64::INFINITY),
    };
    let (below, above) = (twice(count / 2 - 1), twice(count / 2));
    let estimate = if below == above { below } else { 0.5 * below + 0.5 * above };
    Some(match null.critical(alpha) {
        None => Shift { estimate, low: f64::NEG_INFINITY, high: f64::INFINITY },
        Some(critical) => Shift { estimate, low: twice(critical), high: twice(count - 1 - critical) },
    })
}

fn differing(differences: &[f64]) -> Vec<f64> {
    differences.iter().copied().filter(|&d| d != 0.0 && !d.is_nan()).collect()
}

/// Distribution of the positive rank sum when every sign is a coin; all rank sums are doubled, hence whole.
struct Null {
    doubled_positive: usize,
    doubled_total: usize,
    /// Probability of a doubled sum of at most the index.
    exact: Option<Vec<f64>>,
    /// Standard deviation of the sum (not doubled).
    deviation: f64,
}

impl Null {
    fn new(differing: &[f64]) -> Null {
        let magnitudes: Vec<f64> = differing.iter().map(|d| d.abs()).collect();
        let ranks = doubled_midranks(&magnitudes);
        let positive = ranks.iter().zip(differing).filter(|(_, d)| **d > 0.0);
        // Each rank is in or out with variance rank²/4; ties need no further correction.
        let squares: f64 = ranks.iter().map(|&rank| (rank * rank) as f64).sum();
        Null {
            doubled_positive: positive.map(|(rank, _)| rank).sum(),
            doubled_total: ranks.iter().sum(),
            exact: (ranks.len() <= EXACT_UP_TO).then(|| cumulative(&ranks)),
            deviation: squares.sqrt() / 4.0,
        }
    }

    /// Two-sided p value when the smaller doubled rank sum is `smaller`.
    fn p(&self, smaller: usize) -> f64 {
        match &self.exact {
            Some(cumulative) => (2.0 * cumulative[smaller]).min(1.0),
            None => {
                let distance = (self.doubled_total - 2 * smaller) as f64 / 4.0;
                2.0 * normal_cdf(-(distance - 0.5).max(0.0) / self.deviation)
            }
        }
    }

    /// The largest doubled rank sum that is still significant, if any is.
    fn critical(&self, alpha: f64) -> Option<usize> {
        let (mut significant, mut beyond) = (0, self.doubled_total / 2 + 1);
        while significant < beyond {
            let middle = significant.midpoint(beyond);
            if self.p(middle) < alpha { significant = middle + 1 } else { beyond = middle }
        }
        significant.checked_sub(1)
    }
}

/// Distribution function of the sum of those ranks whose coin falls on heads.
fn cumulative(ranks: &[usize]) -> Vec<f64> {
    let mut probability = vec![0.0; ranks.iter().sum::<usize>() + 1];
    probability[0] = 1.0;
    let mut reached = 0;
    for rank in ranks {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = sum.checked_sub(*rank).map_or(0.0, |rest| probability[rest]);
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    let mut total = 0.0;
    for slot in &mut probability {
        total += *slot;
        *slot = total;
    }
    probability
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;
    use proptest::prelude::*;

    /// Darwin's maize: cross- minus self-fertilized heights in eighths of an inch (Fisher 1935).
    const DARWIN: [f64; 15] =
        [6.0, 8.0, 14.0, 16.0, 23.0, 24.0, 28.0, 29.0, 41.0, -48.0, 49.0, 56.0, 60.0, -67.0, 75.0];

    fn wave(n: i32, shift: impl Fn(f64) -> f64) -> Vec<f64> {
        (1..=n).map(f64::from).map(|i| libm::sin(i * 1.7) + shift(i)).collect()
    }

    #[test]
    fn p_values_are_those_of_scipy() {
        // scipy 1.17.1 wilcoxon: method="exact" without ties, PermutationMethod(all) with ties, method="approx" and
        // correction=True above 60.
        let check = |differences: &[f64], smaller: f64, p: f64, exact: bool| {
            let test = wilcoxon(differences);
            assert_eq!((test.positive.min(test.negative), test.exact), (smaller, exact));
            assert_close(test.p, p, 1e-11);
        };
        check(&[0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01], 5.0, 0.0390625, true);
        check(&DARWIN, 24.0, 0.041259765625, true);
        let ties = [1.0, 1.0, 2.0, -2.0, 3.0, 3.0, -1.0, 4.0, 5.0, 5.0, 0.0, 0.0, 2.0];
        check(&ties, 7.0, 0.01953125, true);
        assert_eq!((wilcoxon(&ties).nonzero, wilcoxon(&ties).zeros), (11, 2));
        check(&wave(60, |i| 0.002 * i), 773.0, 0.29989808068099544, true);
        let tenths: Vec<f64> =
            (1..=80).map(|i| (10.0 * (3.0 * libm::sin(f64::from(i) * 1.7) + 0.5)).round() / 10.0).collect();
        check(&tenths, 1118.0, 0.02408525887966156, false);
    }

    #[test]
    fn intervals_are_those_that_scipy_does_not_reject() {
        // scipy 1.17.1 wilcoxon(d − shift), scanned over the gaps between all pairwise means.
        let check = |differences: &[f64], alpha: f64, expected: [f64; 3]| {
            let shift = hodges_lehmann(differences, alpha).unwrap();
            for (found, expected) in [shift.estimate, shift.low, shift.high].into_iter().zip(expected) {
                assert_close(found, expected, 1e-11);
            }
        };
        check(&DARWIN, 0.1, [25.0, 8.0, 39.5]);
        check(&DARWIN, 0.05, [25.0, 4.0, 41.5]);
        check(&DARWIN, 0.04, [25.0, -3.5, 42.0]);
        check(&DARWIN, 0.01, [25.0, -13.0, 49.0]);
        check(&wave(60, |i| 0.002 * i), 0.05, [0.07504438200050503, -0.09677675893464147, 0.2507176627804529]);
        check(&wave(80, |_| 0.3), 0.05, [0.30372137551544315, 0.1605366405159182, 0.447476051882432]);
    }

    #[test]
    fn little_data_says_little() {
        let nothing = wilcoxon(&[0.0, f64::NAN, -0.0]);
        assert_eq!((nothing.p, nothing.nonzero, nothing.zeros), (1.0, 0, 3));
        assert_eq!((hodges_lehmann(&[0.0], 0.05), hodges_lehmann(&[], 0.05)), (None, None));
        // Five pairs can reach p = 0.0625 at best: no limit at 95 %.
        let five = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(wilcoxon(&five).p, 0.0625);
        let shift = hodges_lehmann(&five, 0.05).unwrap();
        assert_eq!((shift.estimate, shift.low, shift.high), (3.0, f64::NEG_INFINITY, f64::INFINITY));
        let opposite = hodges_lehmann(&[f64::INFINITY, f64::NEG_INFINITY], 0.05).unwrap();
        assert!(opposite.estimate.is_nan());
    }

    #[test]
    fn infinite_differences_act_as_very_large_ones() {
        let at = |large: &[f64]| {
            let differences = [wave(12, |i| 0.5 + 0.01 * i), large.to_vec()].concat();
            (wilcoxon(&differences).p, hodges_lehmann(&differences, 0.05).unwrap())
        };
        assert_eq!(at(&[f64::INFINITY]), at(&[1e9]));
        assert!(at(&[f64::INFINITY]).1.high.is_finite());
        // Where the limit would depend on how large they are, there is none.
        let (finite, infinite) = (at(&[1e9; 2]).1, at(&[f64::INFINITY; 2]).1);
        assert_eq!(infinite, Shift { high: f64::INFINITY, ..finite });
        // Opposite ones are tied at any shift: they widen the interval on both sides alike.
        let (p, shift) = at(&[f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(p, at(&[1e9, -1e9]).0);
        assert!(shift.low < at(&[]).1.low && shift.high > at(&[]).1.high && shift.estimate.is_finite());
    }

    fn differences() -> impl Strategy<Value = Vec<f64>> {
        // Few values, so that zeros, ties and opposite ties abound; now and then more than the exact test takes.
        let coarse = (-4_i32..=6).prop_map(|x| if x == 6 { f64::INFINITY } else { f64::from(x) });
        let fine = (-1000_i32..=1800).prop_map(|x| f64::from(x) / 7.0);
        prop_oneof![
            prop::collection::vec(coarse.clone(), 0..40),
            prop::collection::vec(fine, 0..40),
            prop::collection::vec(coarse, 60..90),
        ]
    }

    proptest! {
        #[test]
        fn interval_and_test_agree(differences in differences(), alpha in prop::sample::select(vec![0.01, 0.05, 0.2, 0.5])) {
            let test = wilcoxon(&differences);
            let Some(shift) = hodges_lehmann(&differences, alpha) else {
                prop_assert_eq!(test.p, 1.0);
                return Ok(());
            };
            prop_assert!(shift.low <= shift.high);
            if test.p < alpha {
                let inner = shift.low < 0.0 && 0.0 < shift.high;
                prop_assert!(!inner, "{:?} {:?}", test, shift);
                let right_side = if test.positive > test.negative { shift.low >= 0.0 } else { shift.high <= 0.0 };
                prop_assert!(right_side);
            } else {
                prop_assert!(shift.low <= 0.0 && 0.0 <= shift.high, "{:?} {:?}", test, shift);
            }
            prop_assert!(shift.estimate.is_nan() || (shift.low <= shift.estimate && shift.estimate <= shift.high) || alpha == 0.5);
        }

        #[test]
        fn without_opposite_ties_the_interval_excludes_zero_exactly_when_p_is_small(
            magnitudes in prop::collection::hash_set(1_i32..5000, 0..40), signs in prop::collection::vec(0..10, 40),
        ) {
            let signed = magnitudes.iter().zip(signs);
            let differences: Vec<f64> = signed.map(|(m, sign)| f64::from(if sign < 2 { -m } else { *m })).collect();
            let excludes = hodges_lehmann(&differences, 0.05).is_some_and(|shift| shift.low > 0.0 || shift.high < 0.0);
            prop_assert_eq!(excludes, wilcoxon(&differences).p < 0.05);
        }

        #[test]
        fn exact_distribution_is_that_of_all_signs(differences in prop::collection::vec(-4_i32..=4, 1..10)) {
            let differences: Vec<f64> = differences.into_iter().map(f64::from).filter(|d| *d != 0.0).collect();
            let test = wilcoxon(&differences);
            let smaller = |d: &[f64]| { let t = wilcoxon(d); t.positive.min(t.negative) };
            let all = 1_u32 << differences.len();
            let as_extreme = (0..all).filter(|signs| {
                let flip = |(index, d): (usize, &f64)| if signs >> index & 1 == 1 { -d } else { *d };
                smaller(&differences.iter().enumerate().map(flip).collect::<Vec<_>>()) <= test.positive.min(test.negative)
            });
            prop_assert!((test.p - as_extreme.count() as f64 / f64::from(all)).abs() < 1e-12);
        }

        #[test]
        fn swapping_sides_mirrors_everything(differences in differences()) {
            let mirrored: Vec<f64> = differences.iter().map(|d| -d).collect();
            let (here, there) = (wilcoxon(&differences), wilcoxon(&mirrored));
            prop_assert_eq!((here.p, here.positive), (there.p, there.negative));
            if let (Some(a), Some(b)) = (hodges_lehmann(&differences, 0.05), hodges_lehmann(&mirrored, 0.05)) {
                prop_assert_eq!((a.low, a.high), (-b.high, -b.low));
            }
        }
    }
}
