//! Linear ranking.

use super::{Select, candidates, roulette};
use crate::rng::Rng;
use crate::values::{Fitness, Pressure};
use serde::{Deserialize, Serialize};

/// Chances that fall in a straight line from the best to the worst (Baker 1985).
///
/// Of n individuals the i-th best (from 0) is chosen with probability (p − 2(p − 1)·i/(n − 1)) / n, where p is the
/// `pressure`: the children that the best may expect. Gentle and easily set; prefer it where tournaments lose variety.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearRank {
    /// 1 is no selection at all, with 2 the worst is never chosen; 1.5 unless said otherwise.
    #[serde(default = "default_pressure")]
    pub pressure: Pressure,
}

fn default_pressure() -> Pressure {
    Pressure::new(1.5).expect("in range")
}

impl Select for LinearRank {
    fn select(&self, ranked: &[Fitness], parents: &mut [u32], rng: &mut Rng) {
        let n = candidates(ranked);
        for parent in parents {
            // The line is a mixture: flat with weight 2 − p, falling to 0 at the worst with weight p − 1.
            let falls = rng.chance(self.pressure.get() - 1.0);
            *parent = if falls && n > 1 { roulette::draw(n - 1, rng) } else { rng.below(n) } as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_frequencies;
    use super::*;

    #[test]
    fn chances_fall_in_a_line() {
        check_frequencies(&LinearRank { pressure: default_pressure() }, 1, |_| 1.0);
        for (p, n) in [(1.0, 6), (1.3, 9), (1.5, 2), (2.0, 7)] {
            let selection = LinearRank { pressure: Pressure::new(p).unwrap() };
            check_frequencies(&selection, n, |rank| (p - 2.0 * (p - 1.0) * rank as f64 / (n - 1) as f64) / n as f64);
        }
    }

    #[test]
    fn pressure_outside_its_range_is_refused() {
        let refusal = crate::evolve::fixture::read::<super::super::Selection>("LinearRank(pressure: 3)").unwrap_err();
        assert!(refusal.contains("must be between 1 and 2, found 3"), "{refusal}");
    }
}
