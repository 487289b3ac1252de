//! Ranks with ties.

/// Ranks from 1, ascending; equal values share the mean of their ranks. NaN ranks highest, all NaN alike.
pub fn midranks(values: &[f64]) -> Vec<f64> {
    doubled_midranks(values).into_iter().map(|rank| rank as f64 / 2.0).collect()
}

/// Twice the midranks: whole numbers, so that sums of ranks are exact and can index a table.
pub(super) fn doubled_midranks(values: &[f64]) -> Vec<usize> {
    // One NaN, one zero: what is equal must lie side by side.
    let key = |index: usize| if values[index].is_nan() { f64::NAN } else { values[index] + 0.0 };
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| key(i).total_cmp(&key(j)));
    let mut ranks = vec![0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|&i, &j| key(i).total_cmp(&key(j)).is_eq()) {
        // Ranks start + 1 to start + length: their mean, doubled.
        let doubled = 2 * start + 1 + tied.len();
        tied.iter().for_each(|&index| ranks[index] = doubled);
        start += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(midranks(&[3.0, 1.0, 3.0, 0.0, -0.0, 3.0]), [5.0, 3.0, 5.0, 1.5, 1.5, 5.0]);
        assert_eq!(midranks(&[f64::NAN, f64::INFINITY, -f64::NAN]), [2.5, 1.0, 2.5]);
        assert_eq!(midranks(&[]), [0.0; 0]);
    }
}
