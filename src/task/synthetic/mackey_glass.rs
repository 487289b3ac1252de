//! A chaotic series in time.

use super::super::{Dataset, LoadContext, Source};
use super::{MAX_CELLS, count, one_value, room};
use crate::error::Result;
use crate::values::Count;
use serde::{Deserialize, Serialize};

/// Steps of the integration in one unit of time.
const STEPS: usize = 10;

/// From x(t−18), x(t−12), x(t−6) and x(t) to x(t+6), where x′(t) = 0.2 x(t−τ) / (1 + x(t−τ)¹⁰) − 0.1 x(t).
///
/// x(0) = 1.2 and 0 before. Integrated by the classical Runge–Kutta method of fourth order with step 0.1; between two
/// steps the delayed x is their mean. One row per unit of time, in order: `ByOrder` keeps the future out of training.
///
/// Mackey & Glass 1977; lags, horizon and start as in Jang 1993.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MackeyGlass {
    /// The delay τ in units of time; default 17, which gives mild chaos.
    pub tau: Count,
    /// Rows; default 1000.
    pub samples: Count,
    /// Units of time left out at the start, before the first lag; default 100, so that the first row has t = 118.
    pub discard: u64,
}

impl Default for MackeyGlass {
    fn default() -> MackeyGlass {
        MackeyGlass { tau: count(17), samples: count(1000), discard: 100 }
    }
}

impl Source for MackeyGlass {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let (tau, samples) = (self.tau.get(), self.samples.get());
        let discard = usize::try_from(self.discard).unwrap_or(usize::MAX);
        // The whole integration lies in memory, and the delay before it costs as much.
        let time = discard.saturating_add(samples).saturating_add(24);
        room(time.saturating_add(tau), STEPS)?;
        let series = integrate(tau, time);
        let mut inputs = room(samples, 4)?;
        inputs.extend((0..samples).flat_map(|row| [0, 6, 12, 18].map(|lag| series[discard + row + lag])));
        let values = (0..samples).map(|row| series[discard + row + 24]).collect();
        one_value("mackey-glass", context, inputs, values)
    }
}

/// x at the times 0, 1, … `time`.
fn integrate(tau: usize, time: usize) -> Vec<f64> {
    debug_assert!(time * STEPS <= MAX_CELLS);
    let step = 1.0 / STEPS as f64;
    let delay = tau * STEPS;
    let mut x = vec![1.2];
    for index in 0..time * STEPS {
        let now = x[index];
        // The start is a jump; a step that ends on it still lies before it.
        let (start, end) = if index < delay { (0.0, 0.0) } else { (x[index - delay], x[index + 1 - delay]) };
        let slope = |delayed: f64, x: f64| {
            let square = delayed * delayed;
            let fourth = square * square;
            0.2 * delayed / (1.0 + fourth * fourth * square) - 0.1 * x
        };
        let middle = (start + end) / 2.0;
        let k1 = slope(start, now);
        let k2 = slope(middle, now + step / 2.0 * k1);
        let k3 = slope(middle, now + step / 2.0 * k2);
        let k4 = slope(end, now + step * k3);
        x.push(now + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4));
    }
    x.into_iter().step_by(STEPS).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{close, load, values};
    use super::*;

    #[test]
    fn the_series_agrees_with_a_finer_integration() {
        // scipy 1.17.1: solve_ivp with DOP853, rtol 1e-11, by the method of steps (one interval of length 17 after the
        // other, the one before as its dense output), at t = 0, 17, 34, 51, 68, 85, 102, 118.
        let series = integrate(17, 118);
        let found: Vec<f64> = [0, 17, 34, 51, 68, 85, 102, 118].iter().map(|t| series[*t]).collect();
        close(
            &found,
            &[
                1.2,
                0.2192202288632816,
                0.6988953640107677,
                1.2020985809843816,
                0.922874544134054,
                0.5713810296104697,
                0.9590931935823391,
                1.142429459290483,
            ],
            2e-4,
        );
    }

    #[test]
    fn rows_are_lags_of_one_series() {
        let dataset = load(&MackeyGlass::default(), TargetKind::Values).unwrap();
        assert_eq!((dataset.rows(), dataset.features()), (1000, 4));
        let series = integrate(17, 1124);
        assert_eq!(dataset.inputs.row(0).to_vec(), [series[100], series[106], series[112], series[118]]);
        assert_eq!(values(&dataset)[999], series[1123]);
        // It neither dies out nor grows.
        assert!(series[118..].iter().all(|x| (0.2..1.4).contains(x)));
    }
}
