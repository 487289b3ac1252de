//! Sine and cosine in double precision, branch-free: in a loop, the compiler puts them into lanes.
//!
//! The same operations on every platform and instruction set, so the same bits. Each is right to 2 units in the last
//! place for |x| up to 10⁴, which tests hold against `libm`; beyond some 10⁹ the reduction runs out of digits. What is
//! not finite gives NaN.

use std::f64::consts::FRAC_2_PI;

/// π/2 in three parts. Fused, a whole number below 2²⁰ times the first is taken off x without rounding; the others keep
/// the digits of what is left next to a multiple of π/2.
const HALF_PI: [f64; 3] = [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17, -1.497_384_904_859_169_8e-33];

/// 1.5 · 2⁵²: added and taken off again it rounds to a whole number, whose low bits stand in the sum.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// Minimax fits of our own (Remez exchange in 60 digits on |r| ≤ π/4, relative error), highest power of r² first.
const SIN: [f64; 6] = [
    1.589_606_760_842_509e-10,
    -2.505_074_504_002_740_4e-8,
    2.755_731_360_454_483_6e-6,
    -1.984_126_982_954_267_7e-4,
    8.333_333_333_322_063e-3,
    -0.166_666_666_666_666_3,
];
const COS: [f64; 6] = [
    -1.135_842_368_751_810_1e-11,
    2.087_569_871_186_77e-9,
    -2.755_731_416_400_127_3e-7,
    2.480_158_728_880_011_3e-5,
    -1.388_888_888_887_297_5e-3,
    4.166_666_666_666_659_5e-2,
];

#[inline(always)]
fn polynomial(x: f64, [a, b, c, d, e, f]: [f64; 6]) -> f64 {
    a.mul_add(x, b).mul_add(x, c).mul_add(x, d).mul_add(x, e).mul_add(x, f)
}

/// sin r for |r| ≤ π/4 (and a little beyond), without reduction.
#[inline(always)]
pub fn sin_near_zero(r: f64) -> f64 {
    let square = r * r;
    (square * r).mul_add(polynomial(square, SIN), r)
}

/// cos r for |r| ≤ π/4, likewise.
#[inline(always)]
pub fn cos_near_zero(r: f64) -> f64 {
    let square = r * r;
    // 1 − r²/2 loses up to half a unit; what it loses is known exactly and comes back.
    let half = 0.5 * square;
    let head = 1.0 - half;
    head + (square * square).mul_add(polynomial(square, COS), (1.0 - head) - half)
}

/// sin x and cos x, x in radians.
#[inline(always)]
pub fn sin_cos(x: f64) -> (f64, f64) {
    let shifted = x.mul_add(FRAC_2_PI, WHOLE);
    let turns = shifted - WHOLE;
    let quarter = shifted.to_bits();
    let r = HALF_PI.iter().fold(x, |rest, part| turns.mul_add(-part, rest));
    let (sin, cos) = (sin_near_zero(r), cos_near_zero(r));
    let odd = quarter & 1 != 0;
    let signed = |magnitude: f64, quarter: u64| f64::from_bits(magnitude.to_bits() ^ ((quarter & 2) << 62));
    (signed(if odd { cos } else { sin }, quarter), signed(if odd { sin } else { cos }, quarter.wrapping_add(1)))
}

/// sin x, x in radians.
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    sin_cos(x).0
}

/// cos x, x in radians.
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    sin_cos(x).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::kernel::{Isa, Loop, vectorized_on};

    /// Numbers of every size up to 10⁴, both signs, and multiples of π/2 with their neighbours.
    fn probes() -> Vec<f64> {
        let mut x: Vec<f64> = (0..40_000).map(|i| (f64::from(i) - 20_000.0) * 0.500_137_1).collect();
        x.extend((0..20_000).map(|i| (f64::from(i) - 10_000.0) * 1.57e-4));
        x.extend((-6_400..6_400).flat_map(|i| {
            let near = f64::from(i) * std::f64::consts::FRAC_PI_2;
            [near, near.next_up(), near.next_down(), near + 0.785]
        }));
        x.extend((1..300).flat_map(|i| [1.0, -1.0].map(|sign| sign * libm::exp2(f64::from(-i)))));
        x.extend([0.0, -0.0]);
        x
    }

    fn ulps(found: f64, expected: f64) -> f64 {
        (found - expected).abs() / (expected.abs().next_up() - expected.abs())
    }

    #[test]
    fn errors_stay_below_two_units_in_the_last_place() {
        // Against libm 0.2, a port of musl's functions, which are right to less than 1 unit.
        let mut worst = (0.0_f64, 0.0_f64);
        for x in probes() {
            let (sin, cos) = sin_cos(x);
            worst = (worst.0.max(ulps(sin, libm::sin(x))), worst.1.max(ulps(cos, libm::cos(x))));
        }
        assert!(worst.0 <= 2.0 && worst.1 <= 2.0, "{worst:?} units");
        for x in (-7_800..7_800).map(|i| f64::from(i) * 1e-4) {
            assert!(ulps(sin_near_zero(x), libm::sin(x)) <= 1.0 && ulps(cos_near_zero(x), libm::cos(x)) <= 1.0, "{x}");
        }
    }

    #[test]
    fn specials_come_out_right() {
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(sin(bad).is_nan() && cos(bad).is_nan());
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        struct All<'a>(&'a [f64]);
        impl Loop for All<'_> {
            type Output = Vec<[u64; 2]>;
            #[inline(always)]
            fn run(self) -> Vec<[u64; 2]> {
                let mut out = vec![[0; 2]; self.0.len()];
                for (x, out) in self.0.iter().zip(&mut out) {
                    let (sin, cos) = sin_cos(*x);
                    *out = [sin.to_bits(), cos.to_bits()];
                }
                out
            }
        }
        let x = probes();
        let plain = vectorized_on(Isa::Scalar, All(&x));
        for isa in Isa::available() {
            assert_eq!(vectorized_on(isa, All(&x)), plain, "{isa:?}");
        }
    }
}
