//! Many comparisons at once.

/// Holm's adjusted p values, in the order of `p`: below `alpha` are just those that his step-down procedure rejects at
/// the family-wise level `alpha`, whatever the dependence between the tests. NaN counts as 1. Holm 1979.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let p: Vec<f64> = p.iter().map(|&p| if p.is_nan() { 1.0 } else { p }).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(p[index] * (p.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn adjusted_values_are_those_of_statsmodels() {
        // statsmodels 0.15.0 multipletests(method="holm").
        let check = |p: &[f64], expected: &[f64]| {
            holm(p).into_iter().zip(expected).for_each(|(found, &expected)| assert_close(found, expected, 1e-14));
        };
        check(&[0.01, 0.04, 0.03, 0.005, 0.5], &[0.04, 0.09, 0.09, 0.025, 0.5]);
        check(&[0.02, 0.02, 0.9, 0.9], &[0.08, 0.08, 1.0, 1.0]);
        assert_eq!((holm(&[]), holm(&[f64::NAN, 0.01])), (vec![], vec![1.0, 0.02]));
    }

    proptest! {
        #[test]
        fn adjusting_keeps_the_order_and_never_lowers(p in prop::collection::vec(0.0..=1.0_f64, 0..12)) {
            let adjusted = holm(&p);
            for i in 0..p.len() {
                prop_assert!(p[i] <= adjusted[i] && adjusted[i] <= 1.0);
                prop_assert!((0..p.len()).all(|j| p[i] > p[j] || adjusted[i] <= adjusted[j]));
            }
        }
    }
}
