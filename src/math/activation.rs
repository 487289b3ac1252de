//! Activation functions: their names, and their plain forms in double precision.

use crate::values::NonNegative;
use serde::{Deserialize, Serialize};

/// What a unit does to its weighted sum `x`.
///
/// The kernels compute the same forms in single precision; [`Activation::apply`] is their oracle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Activation {
    /// x.
    Linear,
    /// 1 where x > 0, else 0; its derivative is 0 everywhere.
    Step,
    /// 1 / (1 + e⁻ˣ).
    Logistic,
    /// Hyperbolic tangent.
    Tanh,
    /// max(x, 0).
    Relu,
    /// x where x > 0, else `slope` · x.
    LeakyRelu {
        /// Steepness left of 0; 0.01 unless said otherwise.
        #[serde(default = "default_slope")]
        slope: NonNegative,
    },
    /// x · Φ(x), with the normal distribution function by erf (Hendrycks & Gimpel 2016).
    Gelu,
    /// x / (1 + e⁻ˣ) (Elfwing, Uchibe & Doya 2018).
    Silu,
    /// ln(1 + eˣ).
    Softplus,
    /// sin(πx).
    Sin,
    /// cos(πx).
    Cos,
    /// exp(−x²/2).
    Gaussian,
    /// |x|.
    Abs,
    /// x².
    Square,
    /// −x.
    Negate,
}

fn default_slope() -> NonNegative {
    NonNegative::new(0.01).expect("0.01 is not negative")
}

impl Activation {
    /// Every activation, `LeakyRelu` with its default slope.
    pub fn all() -> Vec<Activation> {
        use Activation::*;
        let leaky = LeakyRelu { slope: default_slope() };
        vec![Linear, Step, Logistic, Tanh, Relu, leaky, Gelu, Silu, Softplus, Sin, Cos, Gaussian, Abs, Square, Negate]
    }

    /// Value and derivative at x, in double precision.
    pub fn apply(self, x: f64) -> (f64, f64) {
        use std::f64::consts::{FRAC_1_SQRT_2, PI};
        match self {
            Activation::Linear => (x, 1.0),
            Activation::Step => (f64::from(x > 0.0), 0.0),
            Activation::Logistic => {
                let y = 1.0 / (1.0 + libm::exp(-x));
                (y, y * (1.0 - y))
            }
            Activation::Tanh => {
                let y = libm::tanh(x);
                (y, 1.0 - y * y)
            }
            Activation::Relu => (x.max(0.0), f64::from(x > 0.0)),
            Activation::LeakyRelu { slope } => {
                let slope = if x > 0.0 { 1.0 } else { slope.get() };
                (x * slope, slope)
            }
            Activation::Gelu => {
                let share = 0.5 * (1.0 + libm::erf(x * FRAC_1_SQRT_2));
                let density = libm::exp(-0.5 * x * x) / (2.0 * PI).sqrt();
                (x * share, share + x * density)
            }
            Activation::Silu => {
                let share = 1.0 / (1.0 + libm::exp(-x));
                (x * share, share * (1.0 + x * (1.0 - share)))
            }
            Activation::Softplus => (x.max(0.0) + libm::log1p(libm::exp(-x.abs())), 1.0 / (1.0 + libm::exp(-x))),
            Activation::Sin => (libm::sin(PI * x), PI * libm::cos(PI * x)),
            Activation::Cos => (libm::cos(PI * x), -PI * libm::sin(PI * x)),
            Activation::Gaussian => {
                let y = libm::exp(-0.5 * x * x);
                (y, -x * y)
            }
            Activation::Abs => (x.abs(), f64::from(x > 0.0) - f64::from(x < 0.0)),
            Activation::Square => (x * x, 2.0 * x),
            Activation::Negate => (-x, -1.0),
        }
    }

    /// Second derivative at x, in double precision; 0 at corners.
    pub fn curvature(self, x: f64) -> f64 {
        use std::f64::consts::PI;
        let (y, slope) = self.apply(x);
        match self {
            Activation::Linear
            | Activation::Step
            | Activation::Relu
            | Activation::LeakyRelu { .. }
            | Activation::Abs
            | Activation::Negate => 0.0,
            Activation::Logistic => slope * (1.0 - 2.0 * y),
            Activation::Tanh => -2.0 * y * slope,
            Activation::Gelu => (2.0 - x * x) * libm::exp(-0.5 * x * x) / (2.0 * PI).sqrt(),
            Activation::Silu => {
                let share = 1.0 / (1.0 + libm::exp(-x));
                share * (1.0 - share) * (2.0 + x * (1.0 - 2.0 * share))
            }
            Activation::Softplus => slope * (1.0 - slope),
            Activation::Sin | Activation::Cos => -PI * PI * y,
            Activation::Gaussian => (x * x - 1.0) * y,
            Activation::Square => 2.0,
        }
    }

    /// Lowest and highest value of a bounded activation, by which saturation is judged.
    pub fn range(self) -> Option<(f32, f32)> {
        match self {
            Activation::Logistic | Activation::Gaussian | Activation::Step => Some((0.0, 1.0)),
            Activation::Tanh | Activation::Sin | Activation::Cos => Some((-1.0, 1.0)),
            _ => None,
        }
    }

    /// Sums between which the unit responds, if that interval is finite: tanh ±2, logistic ±4 (Nguyen & Widrow 1990,
    /// toolbox form).
    pub fn active_range(self) -> Option<(f64, f64)> {
        match self {
            Activation::Tanh => Some((-2.0, 2.0)),
            Activation::Logistic => Some((-4.0, 4.0)),
            _ => None,
        }
    }

    /// Whether f(−x) = −f(x), so that a unit and its mirror image compute the same.
    pub fn is_odd(self) -> bool {
        matches!(self, Activation::Linear | Activation::Tanh | Activation::Sin | Activation::Negate)
    }

    /// Whether gradients pass through it.
    pub fn has_gradient(self) -> bool {
        self != Activation::Step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_agree_with_central_differences() {
        for activation in Activation::all() {
            for step in -60..60 {
                let x = f64::from(step) * 0.1 + 0.037;
                let h = 1e-5;
                let numeric = (activation.apply(x + h).0 - activation.apply(x - h).0) / (2.0 * h);
                let exact = activation.apply(x).1;
                assert!((numeric - exact).abs() < 1e-7 * exact.abs().max(1.0), "{activation:?} at {x}");
                let numeric = (activation.apply(x + h).1 - activation.apply(x - h).1) / (2.0 * h);
                let exact = activation.curvature(x);
                assert!((numeric - exact).abs() < 1e-7 * exact.abs().max(1.0), "{activation:?} at {x}");
            }
        }
    }

    #[test]
    fn oddness_is_told_right() {
        for activation in Activation::all() {
            let odd = (1..40).all(|i| {
                let x = f64::from(i) * 0.13;
                (activation.apply(x).0 + activation.apply(-x).0).abs() < 1e-12
            });
            assert_eq!(odd, activation.is_odd(), "{activation:?}");
        }
    }
}
