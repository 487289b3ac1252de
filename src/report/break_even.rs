//! Where a searching arm catches up with the baseline.

use crate::math::statistics::{Interval, Rule, quantile};
use crate::report::analysis::{Arm, Run};
use crate::report::findings::{bootstrap_rng, paired};
use crate::report::targets::best_loss;
use serde::{Deserialize, Serialize};

/// Looks between the least and the whole budget.
const POINTS: usize = 97;
/// Enough for two digits of an interval that is only drawn.
const RESAMPLES: usize = 999;

/// The least cost from which an arm's median best loss stays at or below another's, to the end of the budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakEven {
    /// The arm.
    pub arm: String,
    /// The arm it catches up with.
    pub baseline: String,
    /// The cost in row-passes; `None`: never within the budget.
    pub cost: Option<f64>,
    /// Interval over resampled pairs of seeds; an end beyond the budget is `None`.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Share of resamples in which it catches up at all.
    pub share: f64,
}

/// `None` without pairs, or for an arm that is its own baseline.
pub(crate) fn break_even(arm: &Arm, baseline: &Arm, rule: &Rule, budget: f64) -> Option<BreakEven> {
    let pairs = paired(arm, baseline);
    let first = |run: &Run| run.history.first().map(|row| row.cost);
    let from = pairs.iter().flat_map(|(run, other)| [first(run), first(other)]).flatten().fold(budget, f64::min);
    if pairs.is_empty() || arm.name == baseline.name || from <= 0.0 || from >= budget {
        return None;
    }
    let step = libm::log(budget / from) / (POINTS - 1) as f64;
    let mut grid: Vec<f64> = (0..POINTS).map(|point| from * libm::exp(step * point as f64)).collect();
    // A last look may come after the budget by less than one evaluation.
    grid[POINTS - 1] = f64::INFINITY;
    let losses = |runs: Vec<&Run>| -> Vec<Vec<f64>> {
        grid.iter().map(|cost| runs.iter().map(|run| best_loss(run, *cost)).collect()).collect()
    };
    let arm_losses = losses(pairs.iter().map(|pair| pair.0).collect());
    let baseline_losses = losses(pairs.iter().map(|pair| pair.1).collect());
    let mut sample = vec![0.0; pairs.len()];
    let mut catches_up = |indices: &[usize]| {
        let mut median = |losses: &[f64]| {
            sample.iter_mut().zip(indices).for_each(|(slot, index)| *slot = losses[*index]);
            sample.sort_unstable_by(f64::total_cmp);
            let (low, high) = (sample[(sample.len() - 1) / 2], sample[sample.len() / 2]);
            if low == high { low } else { low + 0.5 * (high - low) }
        };
        let ahead = (0..POINTS).rev().take_while(|point| {
            let mine = median(&arm_losses[*point]);
            mine.is_finite() && mine <= median(&baseline_losses[*point])
        });
        ahead.last()
    };
    let place = |point: usize| grid[point].min(budget);
    let indices: Vec<usize> = (0..pairs.len()).collect();
    let cost = catches_up(&indices).map(place);
    let mut rng = bootstrap_rng();
    let mut drawn = indices;
    let costs: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.iter_mut().for_each(|index| *index = rng.below(pairs.len()));
            catches_up(&drawn).map_or(f64::INFINITY, place)
        })
        .collect();
    let tail = rule.alpha / 2.0;
    let interval = Interval { low: quantile(&costs, tail)?, high: quantile(&costs, 1.0 - tail)? };
    let finite = |cost: f64| Some(cost).filter(|cost| cost.is_finite());
    Some(BreakEven {
        arm: arm.name.clone(),
        baseline: baseline.name.clone(),
        cost,
        low: finite(interval.low),
        high: finite(interval.high),
        share: costs.iter().filter(|cost| cost.is_finite()).count() as f64 / costs.len() as f64,
    })
}

#[cfg(test)]
mod tests {
    use crate::report::fixture::{analysis, law};

    #[test]
    fn break_even_lies_where_the_medians_cross() {
        // Losses are equal where the trained costs over slowness are: c / 8 = c − 5000, so c = 5714.
        let found = analysis([law(0.0, 8.0), law(0.0, 8.0), law(5e3, 1.0)], 15, "").findings.break_even;
        let [found] = &found[..] else { panic!("one candidate") };
        let cost = found.cost.unwrap();
        assert!((5000.0..6800.0).contains(&cost), "{found:?}");
        assert!(found.low.unwrap() <= cost && cost <= found.high.unwrap() && found.share == 1.0);
    }

    #[test]
    fn a_slow_arm_never_breaks_even() {
        let found = analysis([law(0.0, 1.0), law(0.0, 1.0), law(5e4, 1.0)], 15, "").findings.break_even;
        assert_eq!((found[0].cost, found[0].low, found[0].high, found[0].share), (None, None, None, 0.0));
    }
}
