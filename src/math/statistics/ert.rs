//! What a success costs when failures cost too.

/// Expected running time: the cost of all runs, divided by the number of successes; `None` without a success.
///
/// `runs`: cost spent (to the target if the run reached it, else in all) and whether it reached the target. It is the
/// mean cost until success when failed runs are followed by fresh ones. Hansen et al. 2021 (COCO), §4.
pub fn expected_running_time(runs: impl IntoIterator<Item = (f64, bool)>) -> Option<f64> {
    let (mut spent, mut successes) = (0.0, 0_usize);
    for (cost, reached) in runs {
        spent += cost;
        successes += usize::from(reached);
    }
    (successes > 0).then(|| spent / successes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_paid_for_by_successes() {
        assert_eq!(expected_running_time([(10.0, true), (50.0, false), (30.0, true)]), Some(45.0));
        assert_eq!((expected_running_time([(50.0, false)]), expected_running_time([])), (None, None));
    }
}
