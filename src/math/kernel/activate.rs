//! Activation functions and their derivatives on vectors of weighted sums.

use super::elementary::{cos_pi, erf, exp_nonpositive, logistic, sin_pi, softplus, tanh};
use super::simd::{Kernel, LANES, Simd};
use crate::math::activation::Activation;

/// `yes` in the lanes where x > 0, `no` in the others.
#[inline(always)]
unsafe fn positive<S: Simd>(x: S::V, yes: S::V, no: S::V) -> S::V {
    unsafe { S::select(S::less(S::splat(0.0), x), yes, no) }
}

/// Normal distribution function.
#[inline(always)]
unsafe fn normal_share<S: Simd>(x: S::V) -> S::V {
    unsafe {
        let half = S::splat(0.5);
        S::fma(erf::<S>(S::mul(x, S::splat(std::f32::consts::FRAC_1_SQRT_2))), half, half)
    }
}

/// exp(−x²/2).
#[inline(always)]
unsafe fn bell<S: Simd>(x: S::V) -> S::V {
    unsafe { exp_nonpositive::<S>(S::mul(S::mul(x, x), S::splat(-0.5))) }
}

/// Sums to activations, in place, and their derivatives to `slopes` if wanted; `count` vectors.
#[inline(always)]
pub unsafe fn activate<S: Simd>(activation: Activation, values: *mut f32, slopes: Option<*mut f32>, count: usize) {
    unsafe { S::outline(Activate { activation, values, slopes, count }) }
}

struct Activate {
    activation: Activation,
    values: *mut f32,
    slopes: Option<*mut f32>,
    count: usize,
}

impl Kernel for Activate {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Activate { activation, values, slopes, count } = self;
        unsafe { apply::<S>(activation, values, slopes, count) }
    }
}

#[inline(always)]
unsafe fn apply<S: Simd>(activation: Activation, values: *mut f32, slopes: Option<*mut f32>, count: usize) {
    // A macro, not a function of closures: closures are compiled without the instruction set and would call every
    // intrinsic instead of inlining it.
    macro_rules! each {
        ($x:ident: $value:expr, $y:ident: $slope:expr) => {
            for index in 0..count {
                let to = values.add(index * LANES);
                let $x = S::load(to);
                let $y = $value;
                S::store(to, $y);
                if let Some(slopes) = slopes {
                    S::store(slopes.add(index * LANES), $slope);
                }
            }
        };
    }
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        match activation {
            Activation::Linear => {
                if let Some(slopes) = slopes {
                    for index in 0..count {
                        S::store(slopes.add(index * LANES), one);
                    }
                }
            }
            Activation::Step => each!(x: positive::<S>(x, one, zero), _y: zero),
            Activation::Logistic => each!(x: logistic::<S>(x), y: S::mul(y, S::sub(one, y))),
            Activation::Tanh => each!(x: tanh::<S>(x), y: S::fma(S::neg(y), y, one)),
            Activation::Relu => each!(x: S::max(zero, x), _y: positive::<S>(x, one, zero)),
            Activation::LeakyRelu { slope } => {
                let low = S::splat(slope.f32());
                each!(x: positive::<S>(x, x, S::mul(x, low)), _y: positive::<S>(x, one, low));
            }
            Activation::Gelu => {
                let root = S::splat(0.398_942_3);
                each!(x: S::mul(x, normal_share::<S>(x)),
                    _y: S::fma(x, S::mul(bell::<S>(x), root), normal_share::<S>(x)));
            }
            Activation::Silu => {
                each!(x: S::mul(x, logistic::<S>(x)),
                    y: { let share = logistic::<S>(x); S::fma(y, S::sub(one, share), share) });
            }
            Activation::Softplus => each!(x: softplus::<S>(x), _y: logistic::<S>(x)),
            Activation::Sin => {
                let pi = S::splat(std::f32::consts::PI);
                each!(x: sin_pi::<S>(x), _y: S::mul(pi, cos_pi::<S>(x)));
            }
            Activation::Cos => {
                let minus_pi = S::splat(-std::f32::consts::PI);
                each!(x: cos_pi::<S>(x), _y: S::mul(minus_pi, sin_pi::<S>(x)));
            }
            Activation::Gaussian => each!(x: bell::<S>(x), y: S::neg(S::mul(x, y))),
            Activation::Abs => {
                each!(x: S::abs(x),
                    _y: positive::<S>(x, one, S::select(S::less(x, zero), S::splat(-1.0), zero)));
            }
            Activation::Square => each!(x: S::mul(x, x), _y: S::add(x, x)),
            Activation::Negate => each!(x: S::neg(x), _y: S::splat(-1.0)),
        }
    }
}

/// Whether the derivative is computed from the sum; where not, the activation itself is enough.
pub fn keeps_slopes(activation: Activation) -> bool {
    !matches!(
        activation,
        Activation::Linear
            | Activation::Step
            | Activation::Logistic
            | Activation::Tanh
            | Activation::Relu
            | Activation::LeakyRelu { .. }
            | Activation::Negate
    )
}

/// Multiplies `delta` by the derivatives of the activation: from `slopes` where [`keeps_slopes`], else from `values`.
#[inline(always)]
pub unsafe fn times_slope<S: Simd>(
    activation: Activation,
    delta: *mut f32,
    values: *const f32,
    slopes: *const f32,
    count: usize,
) {
    macro_rules! each {
        ($y:ident: $slope:expr) => {
            for index in 0..count {
                let to = delta.add(index * LANES);
                let $y = S::load(values.add(index * LANES));
                S::store(to, S::mul(S::load(to), $slope));
            }
        };
    }
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        match activation {
            Activation::Linear => {}
            Activation::Step => each!(_y: zero),
            Activation::Logistic => each!(y: S::mul(y, S::sub(one, y))),
            Activation::Tanh => each!(y: S::fma(S::neg(y), y, one)),
            Activation::Relu => each!(y: positive::<S>(y, one, zero)),
            Activation::LeakyRelu { slope } => {
                let low = S::splat(slope.f32());
                each!(y: positive::<S>(y, one, low));
            }
            Activation::Negate => each!(_y: S::splat(-1.0)),
            _ => {
                for index in 0..count {
                    let to = delta.add(index * LANES);
                    S::store(to, S::mul(S::load(to), S::load(slopes.add(index * LANES))));
                }
            }
        }
    }
}
