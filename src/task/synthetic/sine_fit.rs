//! Curves of sines, the classic exercise of fitting a function.

use super::super::{Dataset, LoadContext, Source};
use super::{add_noise, count, finite, grid, non_negative, one_value, stream};
use crate::error::Result;
use crate::values::{Count, Finite, NonNegative};
use serde::{Deserialize, Serialize};

/// One input evenly spaced over `domain`, both ends included, and a curve with noise as the target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SineFit {
    /// The curve; default `SinPlusHalfSin3`.
    pub function: Curve,
    /// Rows; default 94.
    pub samples: Count,
    /// Smallest and largest input; default (−3, 3).
    pub domain: (Finite, Finite),
    /// Standard deviation of the noise on the target; default 0.02.
    pub noise: NonNegative,
    /// Seed of the noise; default 0.
    pub seed: u64,
}

/// A curve made of sines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Curve {
    /// sin x
    Sin,
    /// sin x + ½ sin 3x
    SinPlusHalfSin3,
    /// (sin x)/x, and 1 at 0
    Sinc,
    /// sin x², faster and faster away from 0
    SinSquare,
}

impl Default for SineFit {
    fn default() -> SineFit {
        SineFit {
            function: Curve::SinPlusHalfSin3,
            samples: count(94),
            domain: (finite(-3.0), finite(3.0)),
            noise: non_negative(0.02),
            seed: 0,
        }
    }
}

impl Source for SineFit {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let inputs = grid(self.samples, self.domain)?;
        let mut values: Vec<f64> = inputs.iter().map(|x| self.function.at(*x)).collect();
        add_noise(&mut values, self.noise, &mut stream(self.seed));
        one_value("sine-fit", context, inputs, values)
    }
}

impl Curve {
    fn at(self, x: f64) -> f64 {
        match self {
            Curve::Sin => libm::sin(x),
            Curve::SinPlusHalfSin3 => libm::sin(x) + 0.5 * libm::sin(3.0 * x),
            Curve::Sinc if x == 0.0 => 1.0,
            Curve::Sinc => libm::sin(x) / x,
            Curve::SinSquare => libm::sin(x * x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{close, load, values};
    use super::*;

    #[test]
    fn curves_agree_with_numpy() {
        // numpy 2.4.6 at linspace(-3, 3, 4).
        for (function, oracle) in [
            (Curve::Sin, [-0.1411200080598672, -0.8414709848078965, 0.8414709848078965, 0.1411200080598672]),
            (
                Curve::SinPlusHalfSin3,
                [-0.3471792506807455, -0.9120309888378301, 0.9120309888378301, 0.3471792506807455],
            ),
            (Curve::Sinc, [0.0470400026866224, 0.8414709848078965, 0.8414709848078965, 0.0470400026866224]),
            (Curve::SinSquare, [0.4121184852417566, 0.8414709848078965, 0.8414709848078965, 0.4121184852417566]),
        ] {
            let fit = SineFit { function, samples: count(4), noise: non_negative(0.0), ..SineFit::default() };
            close(&values(&load(&fit, TargetKind::Values).unwrap()), &oracle, 1e-14);
        }
        assert_eq!(Curve::Sinc.at(0.0), 1.0);
    }

    #[test]
    fn noise_has_its_size() {
        let fit = |noise| SineFit { samples: count(20_000), noise: non_negative(noise), ..SineFit::default() };
        let [clean, noisy] = [0.0, 0.5].map(|noise| values(&load(&fit(noise), TargetKind::Values).unwrap()));
        let variance = clean.iter().zip(noisy).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / 20_000.0;
        assert!((variance - 0.25).abs() < 0.01, "{variance}");
    }
}
