//! Shares solved over cost.

use super::describe::sorted;
use serde::{Deserialize, Serialize};

/// Share of (run, target) pairs that were reached within a cost: a step curve that rises from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ecdf {
    /// `(cost, share reached at this cost)`, costs strictly ascending; the last share is below 1 if a pair never got
    /// there.
    pub steps: Vec<(f64, f64)>,
}

impl Ecdf {
    /// The curve of these costs; `None` and costs that are not finite stand for targets never reached.
    pub fn new(costs: &[Option<f64>]) -> Ecdf {
        let reached: Vec<f64> = costs.iter().flatten().copied().filter(|cost| cost.is_finite()).collect();
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for (index, cost) in sorted(&reached).into_iter().enumerate() {
            let share = (index + 1) as f64 / costs.len() as f64;
            match steps.last_mut() {
                Some(last) if last.0 == cost => last.1 = share,
                _ => steps.push((cost, share)),
            }
        }
        Ecdf { steps }
    }

    /// Share reached within `cost`.
    pub fn at(&self, cost: f64) -> f64 {
        let within = self.steps.partition_point(|step| step.0 <= cost);
        within.checked_sub(1).map_or(0.0, |last| self.steps[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curve_steps_at_costs_and_stays_below_one_when_targets_are_missed() {
        let curve = Ecdf::new(&[Some(3.0), None, Some(1.0), Some(3.0), Some(f64::INFINITY)]);
        assert_eq!(curve.steps, [(1.0, 0.2), (3.0, 0.6)]);
        assert_eq!([0.5, 1.0, 2.9, 3.0, 1e9].map(|cost| curve.at(cost)), [0.0, 0.2, 0.2, 0.6, 0.6]);
        assert_eq!(Ecdf::new(&[]).at(1.0), 0.0);
    }
}
