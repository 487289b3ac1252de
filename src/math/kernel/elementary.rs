//! Elementary functions in sixteen lanes, the same polynomial on every instruction set.
//!
//! The coefficients are minimax fits of our own (Remez exchange in 40 digits, then rounded to single precision). The
//! tests below hold each function to its stated error against double precision at a hundred thousand points.
//!
//! Errors over every single-precision number of its domain, by `cargo run --release --example elementary_errors`, in units
//! in the last place of the result (of the smallest normal number below that), against double precision. The last column
//! is the most by which a function that rises steps back between neighbours.
//!
//! | function | inputs | largest error, ulp | at | largest error, absolute | at | steps back, ulp |
//! |---|---|---|---|---|---|---|
//! | exp, x ≤ 0 | 2139095042 | 0.89 | −5.8914123 | 4.3e-8 | −0.34623483 | 1 |
//! | tanh | 4278190082 | 5.54 | −7.808719 | 3.3e-7 | −7.808719 | 8 |
//! | logistic | 4278190082 | 2.40 | −4.157294 | 8.9e-8 | 7.859211 | 2 |
//! | ln, normal x > 0 | 2130706432 | 0.86 | 1.3982602 | 3.8e-6 | 1.1738791e32 | 0 |
//! | softplus | 4278190082 | 2.16 | −1.2588363 | 4.8e-7 | 8.020685 | 1 |
//! | erf | 4278190082 | 3.16 | −6.912905e-3 | 8.4e-8 | −0.65318125 | 1 |
//! | GELU, finite x | 4278190080 | – | – | 4.5e-7 | 5.075088 | – |
//! | sin πx | 4278190080 | 3.23 | −1.500122 | 1.9e-7 | −1.500122 | – |
//! | cos πx | 4278190080 | – | – | 1.1e-7 | −1.5049742 | – |
//!
//! Below −87.3 exponentials stay at e^−87.3. GELU and cos πx cancel near their zeros, where only the absolute error says
//! something.

use super::activate::activate;
use super::simd::{Isa, Kernel, LANES, Simd, dispatch_on};
use crate::math::Activation;

/// A function of this module on slices, for those who measure it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elementary {
    /// eˣ for x ≤ 0, from −87.3 on.
    Exp,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Logistic,
    /// ln x for positive normal x.
    Ln,
    /// ln(1 + eˣ).
    Softplus,
    /// erf x.
    Erf,
    /// x · Φ(x).
    Gelu,
    /// sin(πx).
    SinPi,
    /// cos(πx).
    CosPi,
}

impl Elementary {
    /// Every function.
    pub const ALL: [Elementary; 9] = {
        use Elementary::*;
        [Exp, Tanh, Logistic, Ln, Softplus, Erf, Gelu, SinPi, CosPi]
    };

    /// Puts the function of each number in its place, by the kernels of `isa`.
    ///
    /// # Panics
    /// If the machine lacks the instruction set, or if `values` are no multiple of 16.
    pub fn apply(self, isa: Isa, values: &mut [f32]) {
        assert!(values.len().is_multiple_of(LANES), "whole vectors only");
        dispatch_on(isa, Apply(self, values));
    }
}

struct Apply<'a>(Elementary, &'a mut [f32]);

impl Kernel for Apply<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Apply(function, values) = self;
        if function == Elementary::Gelu {
            return unsafe { activate::<S>(Activation::Gelu, values.as_mut_ptr(), None, values.len() / LANES) };
        }
        for lanes in values.chunks_exact_mut(LANES) {
            unsafe {
                let x = S::load(lanes.as_ptr());
                let y = match function {
                    Elementary::Exp => exp_nonpositive::<S>(x),
                    Elementary::Tanh => tanh::<S>(x),
                    Elementary::Logistic => logistic::<S>(x),
                    Elementary::Ln => ln::<S>(x),
                    Elementary::Softplus => softplus::<S>(x),
                    Elementary::Erf => erf::<S>(x),
                    Elementary::Gelu => x,
                    Elementary::SinPi => sin_pi::<S>(x),
                    Elementary::CosPi => cos_pi::<S>(x),
                };
                S::store(lanes.as_mut_ptr(), y);
            }
        }
    }
}

/// Evaluates a polynomial by Horner's rule; the coefficient of the highest power comes first.
#[inline(always)]
unsafe fn polynomial<S: Simd, const N: usize>(x: S::V, coefficients: [f32; N]) -> S::V {
    unsafe {
        let mut sum = S::splat(coefficients[0]);
        for coefficient in &coefficients[1..] {
            sum = S::fma(sum, x, S::splat(*coefficient));
        }
        sum
    }
}

/// r and n with x = n·ln 2 + r, |r| ≤ ½ ln 2, for |x| below 2¹⁰ or so.
#[inline(always)]
unsafe fn reduce<S: Simd>(x: S::V) -> (S::V, S::V) {
    unsafe {
        let n = S::round(S::mul(x, S::splat(std::f32::consts::LOG2_E)));
        (reduce_by::<S>(x, n), n)
    }
}

/// x − n · ln 2.
#[inline(always)]
unsafe fn reduce_by<S: Simd>(x: S::V, n: S::V) -> S::V {
    unsafe {
        // ln 2 in two parts, the first short enough that n times it is exact.
        let r = S::fma(n, S::splat(-0.693_359_4), x);
        S::fma(n, S::splat(2.121_944_4e-4), r)
    }
}

/// eʳ − 1 for a reduced r.
#[inline(always)]
unsafe fn expm1_reduced<S: Simd>(r: S::V) -> S::V {
    unsafe {
        const Q: [f32; 6] = [2.037_214_6e-4, 1.391_031_7e-3, 8.332_755e-3, 4.166_67e-2, 0.166_666_67, 0.5];
        S::fma(S::mul(r, r), polynomial::<S, 6>(r, Q), r)
    }
}

// Bounds are written with the constant first, `min(bound, x)`: where x is NaN the comparison fails and x comes out, so
// that NaN is never hidden.

/// eˣ for x ≤ 0; below −87.3 it stays at e^−87.3, about the smallest normal number.
#[inline(always)]
pub unsafe fn exp_nonpositive<S: Simd>(x: S::V) -> S::V {
    unsafe {
        const P: [f32; 8] = [2.037_214_6e-4, 1.391_031_7e-3, 8.332_755e-3, 4.166_67e-2, 0.166_666_67, 0.5, 1.0, 1.0];
        let bounded = S::max(S::splat(-87.3), x);
        // Adding 1.5 · 2²³ rounds to a whole number, which then stands in the lowest bits.
        let shift = S::splat(12_582_912.0);
        let shifted = S::fma(bounded, S::splat(std::f32::consts::LOG2_E), shift);
        let n = S::sub(shifted, shift);
        let power = S::scale(polynomial::<S, 8>(reduce_by::<S>(bounded, n), P), shifted);
        // Scaling adds to the bits; those of a NaN with a payload could become a number's. This brings the NaN back and
        // leaves every number as it is: power − 0.
        S::fma(bounded, S::splat(0.0), power)
    }
}

/// eˣ − 1 for x from −87 to 87, accurate around 0 too.
#[inline(always)]
pub unsafe fn expm1<S: Simd>(x: S::V) -> S::V {
    unsafe {
        let (r, n) = reduce::<S>(x);
        let scale = S::exp2_whole(n);
        S::fma(expm1_reduced::<S>(r), scale, S::sub(scale, S::splat(1.0)))
    }
}

/// tanh x = x · P(x²) / Q(x²) up to 9.02, where it rounds to 1: one division and half the work of an exponential.
#[inline(always)]
pub unsafe fn tanh<S: Simd>(x: S::V) -> S::V {
    unsafe {
        const P: [f32; 5] = [0.017_138_7, 26.543_226, 4_511.096_7, 172_833.63, 1_291_949.0];
        const Q: [f32; 3] = [33_412.605, 603_483.0, 1_291_949.0];
        let bounded = S::max(S::splat(-9.02), S::min(S::splat(9.02), x));
        let square = S::mul(bounded, bounded);
        let numerator = S::mul(bounded, polynomial::<S, 5>(square, P));
        let mut denominator = S::add(square, S::splat(423.665_9));
        for coefficient in Q {
            denominator = S::fma(denominator, square, S::splat(coefficient));
        }
        // Rounding could carry the quotient an ulp beyond 1.
        S::max(S::splat(-1.0), S::min(S::splat(1.0), S::div(numerator, denominator)))
    }
}

/// 1 / (1 + e⁻ˣ), from the exponential of −|x| so that it never overflows; never below e^−87.3.
#[inline(always)]
pub unsafe fn logistic<S: Simd>(x: S::V) -> S::V {
    unsafe {
        let one = S::splat(1.0);
        let power = exp_nonpositive::<S>(S::neg(S::abs(x)));
        S::div(S::select(S::less(x, S::splat(0.0)), power, one), S::add(one, power))
    }
}

/// ln x for positive normal x.
#[inline(always)]
pub unsafe fn ln<S: Simd>(x: S::V) -> S::V {
    unsafe {
        const P: [f32; 8] = [
            -0.076_345_2,
            0.127_615_69,
            -0.131_601_7,
            0.142_017_59,
            -0.166_233_58,
            0.200_012_27,
            -0.250_008_2,
            0.333_333_3,
        ];
        let (mantissa, exponent) = S::split_exponent(x);
        let f = S::sub(mantissa, S::splat(1.0));
        let square = S::mul(f, f);
        let tail = S::mul(S::mul(square, f), polynomial::<S, 8>(f, P));
        // Smallest parts first: tail, e · (low part of ln 2), −f²/2, f, e · (high part).
        let low = S::fma(exponent, S::splat(-2.121_944_4e-4), tail);
        let sum = S::add(S::fma(square, S::splat(-0.5), low), f);
        S::fma(exponent, S::splat(0.693_359_4), sum)
    }
}

/// ln(1 + x) for x above −1, to 1; accurate around 0 too.
#[inline(always)]
pub unsafe fn ln_1p<S: Simd>(x: S::V) -> S::V {
    unsafe {
        let sum = S::add(S::splat(1.0), x);
        // What rounding took away from 1 + x comes back to first order.
        let lost = S::sub(x, S::sub(sum, S::splat(1.0)));
        S::add(ln::<S>(sum), S::div(lost, sum))
    }
}

/// ln(1 + eˣ) without overflow.
#[inline(always)]
pub unsafe fn softplus<S: Simd>(x: S::V) -> S::V {
    unsafe { S::add(S::max(S::splat(0.0), x), ln_1p::<S>(exp_nonpositive::<S>(S::neg(S::abs(x))))) }
}

/// The error function, as −expm1(−|x| g(|x|)) with the sign of x: one path, and small x keep their digits.
#[inline(always)]
pub unsafe fn erf<S: Simd>(x: S::V) -> S::V {
    unsafe {
        const G: [f32; 10] = [
            1.193_367_2e-6,
            -2.135_530_7e-5,
            1.674_839_9e-4,
            -7.406_927e-4,
            1.799_362_6e-3,
            -2.530_675e-4,
            -1.911_769_2e-2,
            0.102_771_275,
            0.636_619_8,
            1.128_379_2,
        ];
        let magnitude = S::min(S::splat(4.0), S::abs(x));
        let exponent = S::mul(magnitude, polynomial::<S, 10>(magnitude, G));
        S::with_sign(S::abs(expm1::<S>(S::neg(exponent))), x)
    }
}

/// f and (−1)ⁿ with x = n + f, |f| ≤ ½.
#[inline(always)]
unsafe fn half_turns<S: Simd>(x: S::V) -> (S::V, S::V) {
    unsafe {
        let n = S::round(x);
        let half = S::mul(n, S::splat(0.5));
        // n is odd where n/2 is not whole; the distance to the nearest whole number is then ½.
        let odd = S::abs(S::sub(half, S::round(half)));
        (S::sub(x, n), S::fma(odd, S::splat(-4.0), S::splat(1.0)))
    }
}

/// sin(πx): π makes the reduction exact.
#[inline(always)]
pub unsafe fn sin_pi<S: Simd>(x: S::V) -> S::V {
    unsafe {
        const C: [f32; 6] = [-7.022_163e-3, 8.204_648e-2, -0.599_251_33, 2.550_163_3, -5.167_712_7, 3.141_592_7];
        let (f, sign) = half_turns::<S>(x);
        S::mul(S::mul(f, sign), polynomial::<S, 6>(S::mul(f, f), C))
    }
}

/// cos(πx).
#[inline(always)]
pub unsafe fn cos_pi<S: Simd>(x: S::V) -> S::V {
    unsafe {
        const C: [f32; 6] = [-2.439_671_4e-2, 0.234_937_56, -1.335_212_1, 4.058_709, -4.934_802, 1.0];
        let (f, sign) = half_turns::<S>(x);
        S::mul(sign, polynomial::<S, 6>(S::mul(f, f), C))
    }
}

#[cfg(test)]
mod tests {
    use super::Elementary as Which;
    use super::*;

    fn apply(isa: Isa, which: Which, x: &[f32]) -> Vec<f32> {
        let mut y = x.to_vec();
        which.apply(isa, &mut y);
        y
    }

    /// Numbers of every magnitude, both signs, and the specials.
    fn probes() -> Vec<f32> {
        let mut x: Vec<f32> = (0..60_000_u32).map(|i| f32::from_bits(i.wrapping_mul(71_583))).collect();
        x.extend((0..40_000).map(|i| (i as f32 - 20_000.0) * 0.005_3));
        x.extend([0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 88.7, -103.9, f32::MIN_POSITIVE, f32::MAX]);
        x.resize(x.len().next_multiple_of(LANES), 1.0);
        x
    }

    /// Largest error in units in the last place, counting those below 2⁻¹²⁶ as that size.
    fn worst_ulps(which: Which, keep: impl Fn(f32) -> bool, exact: impl Fn(f64) -> f64) -> (f64, f32) {
        let x: Vec<f32> = probes().into_iter().map(|x| if keep(x) { x } else { 0.25 }).collect();
        let y = apply(Isa::Scalar, which, &x);
        let mut worst = (0.0, 0.0);
        for (x, y) in x.iter().zip(&y) {
            let truth = exact(f64::from(*x));
            // Distance to the next single-precision number away from 0.
            let near = (truth as f32).abs();
            let ulp = f64::from(f32::from_bits(near.to_bits() + 1)) - f64::from(near);
            let error =
                if f64::from(*y) == truth || (truth as f32) == *y { 0.0 } else { (f64::from(*y) - truth).abs() / ulp };
            if error.is_nan() || error > worst.0 {
                worst = (error, *x);
            }
        }
        worst
    }

    #[test]
    fn errors_stay_below_the_stated_ulps() {
        let finite = |x: f32| x.is_finite();
        for (which, limit, worst) in [
            ("exp", 1.5, worst_ulps(Which::Exp, |x| x <= 0.0 && x > -87.0, libm::exp)),
            ("tanh", 5.0, worst_ulps(Which::Tanh, finite, libm::tanh)),
            ("logistic", 2.5, worst_ulps(Which::Logistic, |x| x.abs() < 87.0, |x| 1.0 / (1.0 + libm::exp(-x)))),
            ("ln", 2.0, worst_ulps(Which::Ln, |x| x >= f32::MIN_POSITIVE && x.is_finite(), libm::log)),
            (
                "softplus",
                2.5,
                worst_ulps(
                    Which::Softplus,
                    |x| x > -87.0 && x.is_finite(),
                    |x| libm::log1p(libm::exp(-x.abs())) + x.max(0.0),
                ),
            ),
            ("erf", 4.0, worst_ulps(Which::Erf, finite, libm::erf)),
            (
                "sin_pi",
                2.5,
                worst_ulps(Which::SinPi, |x| x.abs() < 0.5 && x.abs() > 1e-30, |x| libm::sin(std::f64::consts::PI * x)),
            ),
        ] {
            println!("{which}: {} ulp at {:e}", worst.0, worst.1);
            assert!(worst.0 <= limit, "{which}: {} ulp at {:e}", worst.0, worst.1);
        }
    }

    #[test]
    fn whole_turns_reduce_exactly() {
        let x: Vec<f32> = (0..LANES).map(|i| i as f32 * 0.5 + 1_000_000.0).collect();
        let (sin, cos) = (apply(Isa::Scalar, Which::SinPi, &x), apply(Isa::Scalar, Which::CosPi, &x));
        for lane in 0..LANES {
            let (s, c) = ([0.0, 1.0, 0.0, -1.0][lane % 4], [1.0, 0.0, -1.0, 0.0][lane % 4]);
            assert!((sin[lane] - s).abs() < 1e-6 && (cos[lane] - c).abs() < 1e-6, "{lane}");
        }
    }

    #[test]
    fn specials_come_out_right() {
        let at = |which, x: f32| apply(Isa::Scalar, which, &[x; LANES])[0];
        let inf = f32::INFINITY;
        assert_eq!(at(Which::Exp, 0.0), 1.0);
        assert!((0.0..1.3e-38).contains(&at(Which::Exp, -inf)));
        assert_eq!((at(Which::Tanh, inf), at(Which::Tanh, -inf)), (1.0, -1.0));
        assert_eq!(at(Which::Tanh, -0.0).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(at(Which::Logistic, inf), 1.0);
        assert!((0.0..1.3e-38).contains(&at(Which::Logistic, -inf)));
        assert_eq!((at(Which::Erf, inf), at(Which::Erf, -9.0)), (1.0, -1.0));
        for which in [Which::Exp, Which::Tanh, Which::Logistic, Which::Softplus, Which::Erf, Which::SinPi, Which::CosPi]
        {
            for bits in [0x7FC0_0000, 0xFFC0_0000, 0x7FC0_0001, 0xFFC0_0081, 0x7FFF_FFFF, 0xFFFF_FFFF_u32] {
                assert!(at(which, f32::from_bits(bits)).is_nan(), "{which:?} {bits:x}");
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for which in Which::ALL {
            let mut x = probes();
            if matches!(which, Which::Ln) {
                x.iter_mut().for_each(|x| *x = if *x >= f32::MIN_POSITIVE && x.is_finite() { *x } else { 1.0 });
            }
            let plain = apply(Isa::Scalar, which, &x);
            for isa in Isa::available() {
                for ((x, plain), y) in x.iter().zip(&plain).zip(apply(isa, which, &x)) {
                    assert!(
                        plain.to_bits() == y.to_bits() || (plain.is_nan() && y.is_nan()),
                        "{which:?} {isa:?} {x:e}"
                    );
                }
            }
        }
    }
}
