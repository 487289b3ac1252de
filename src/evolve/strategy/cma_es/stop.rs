//! When a search has nothing more to find.

use super::{CmaEs, CmaEsState};
use serde::{Deserialize, Serialize};

/// Why a search stopped before its last generation (Hansen 2016, appendix B.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// The best scores of the last 10 + ⌈30n/λ⌉ generations and all of the latest one differ by less than `tol_fun`.
    TolFun,
    /// Standard deviations and path are below `tol_x` times the first step size everywhere.
    TolX,
    /// A tenth of a standard deviation along an axis of the distribution changes no gene.
    NoEffectAxis,
    /// A fifth of a standard deviation does not change some gene.
    NoEffectCoord,
    /// The covariance matrix has a condition above 10¹⁴, or is no longer positive definite.
    ConditionCov,
    /// The best scores of the last 10 + ⌈30n/λ⌉ generations are all the same.
    EqualFunValues,
    /// Neither the best nor the median score got better over a fifth of the generations, at least 120 + 30n/λ.
    Stagnation,
    /// The largest standard deviation grew by more than 10⁴: the first step size was far too small, or the search diverges.
    TolXUp,
    /// The step size grew 10²⁰ times more than the longest axis: an even landscape.
    TolUpSigma,
}

impl CmaEs<'_> {
    /// Why the search should stop, if it should.
    pub(super) fn stop(&self) -> Option<StopReason> {
        let CmaEsState { centre, path, covariance, axes, deviations, told, best, median, .. } = &self.state;
        let n = centre.mean.len();
        let lambda = self.constants.weights.len();
        let spread = |values: &[f64]| {
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
            (low, high)
        };
        let window = 10 + (30 * n).div_ceil(lambda);
        if best.len() >= window {
            let (low, high) = spread(&best[best.len() - window..]);
            if low == high {
                return Some(StopReason::EqualFunValues);
            }
            let worst = self.sampling.fitness.iter().map(|fitness| fitness.get()).fold(high, f64::max);
            if worst - low < self.settings.tol_fun.get() {
                return Some(StopReason::TolFun);
            }
        }
        let deviation = |gene: usize| covariance[if axes.is_empty() { gene } else { gene * n + gene }].sqrt();
        let first = self.settings.sigma.get();
        let tiny = |x: f64| centre.sigma * x < self.settings.tol_x.get() * first;
        if (0..n).all(|gene| tiny(deviation(gene)) && tiny(path[gene].abs())) {
            return Some(StopReason::TolX);
        }
        let moves = |gene: usize, step: f64| centre.gene(gene, centre.sigma * step) != centre.gene(gene, 0.0);
        if (0..n).any(|gene| !moves(gene, 0.2 * deviation(gene))) {
            return Some(StopReason::NoEffectCoord);
        }
        let axis = (*told as usize) % n;
        let along = |gene: usize| if axes.is_empty() { f64::from(gene == axis) } else { axes[axis * n + gene] };
        if !(0..n).any(|gene| moves(gene, 0.1 * deviations[axis] * along(gene))) {
            return Some(StopReason::NoEffectAxis);
        }
        let (shortest, longest) = spread(deviations);
        if longest > 1e7 * shortest {
            return Some(StopReason::ConditionCov);
        }
        if centre.sigma * longest > 1e4 * first {
            return Some(StopReason::TolXUp);
        }
        if centre.sigma > 1e20 * first * longest {
            return Some(StopReason::TolUpSigma);
        }
        let span = (120 + 30 * n / lambda).max((*told / 5) as usize).min(HISTORY);
        let stagnates = |history: &[f64]| {
            let history = &history[history.len() - span..];
            let part = span * 3 / 10;
            middle(&history[span - part..]) >= middle(&history[..part])
        };
        (best.len() >= span && stagnates(best) && stagnates(median)).then_some(StopReason::Stagnation)
    }
}

/// Generations that are remembered for the rules that look back.
pub(super) const HISTORY: usize = 20_000;

/// The upper median.
fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    let half = values.len() / 2;
    *values.select_nth_unstable_by(half, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::Strategy;
    use crate::evolve::strategy::CmaEsSettings;
    use crate::evolve::strategy::cma_es::tests::full;
    use crate::evolve::strategy::sampling::landscape::{at, generation, sphere};
    use crate::rng::Streams;
    use crate::values::NonNegative;

    /// Why a search of few numbers stops.
    fn reason(settings: CmaEsSettings, mean: f32, n: usize, landscape: impl Fn(&[f32]) -> f64) -> StopReason {
        let mut search = CmaEs::new(settings, at(mean, n)).unwrap();
        while !search.is_finished() {
            generation(&mut search, &landscape, &Streams::new(6));
        }
        assert_eq!(search.stops().len(), 1, "after {} generations", search.generation());
        search.stops()[0]
    }

    #[test]
    fn every_reason_stops_a_search() {
        use StopReason::*;
        let none = NonNegative::new(0.0).unwrap();
        let patient = CmaEsSettings { tol_fun: none, tol_x: none, ..full() };
        assert_eq!(reason(full(), 1.0, 4, sphere), TolFun);
        assert_eq!(reason(CmaEsSettings { tol_fun: none, ..full() }, 1.0, 4, sphere), TolX);
        assert_eq!(reason(full(), 1.0, 4, |_| 1.0), EqualFunValues);
        assert_eq!(reason(full(), 1.0, 4, |_| f64::NAN), EqualFunValues);
        // Away from the origin single precision ends before the landscape does.
        let away = |x: &[f32]| sphere(&x[1..]) + (f64::from(x[0]) - 1.1) * (f64::from(x[0]) - 1.1);
        assert_eq!(reason(patient.clone(), 1.0, 4, away), NoEffectCoord);
        let down = |x: &[f32]| f64::from(x[0]);
        assert_eq!(reason(patient.clone(), 1.0, 4, down), TolXUp);
        let steep = |x: &[f32]| 1e20 * f64::from(x[0]) * f64::from(x[0]) + sphere(x);
        assert_eq!(reason(patient.clone(), 1.0, 4, steep), ConditionCov);
        // Scores that are luck alone.
        let luck = |x: &[f32]| f64::from(x[0].to_bits().wrapping_mul(2_654_435_761) >> 8);
        assert!(matches!(reason(patient, 1.0, 4, luck), Stagnation | TolXUp | NoEffectCoord));
    }

    #[test]
    fn rules_that_no_plain_landscape_breaks() {
        let told = || {
            let mut search = CmaEs::new(full(), at(1.0, 3)).unwrap();
            (0..3).for_each(|_| assert_eq!(generation(&mut search, sphere, &Streams::new(1)), 7));
            assert_eq!(search.stop(), None);
            search
        };
        let mut search = told();
        search.state.centre.sigma = 1e10;
        search.state.deviations.fill(1e-10);
        assert_eq!(search.stop(), Some(StopReason::TolUpSigma));
        let mut search = told();
        search.state.deviations.fill(1e-12);
        assert_eq!(search.stop(), Some(StopReason::NoEffectAxis));
        let mut search = told();
        search.state.best = (0..200).map(|at| f64::from(at % 7)).collect();
        search.state.median = vec![3.0; 200];
        assert_eq!(search.stop(), Some(StopReason::Stagnation));
        search.state.best = (0..200).map(|at| f64::from(200 - at)).collect();
        assert_eq!(search.stop(), None);
    }
}
