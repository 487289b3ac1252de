//! Lanes of double precision: elementary functions and the Gram matrix that second-order training is made of.
//!
//! Written as plain loops over sixteen lanes, which the compiler turns into the vectors of each instruction set
//! ([`kernel::vectorized`](super::kernel::vectorized)). Every operation is rounded once as IEEE 754 says, and every sum has
//! a fixed order, so that bits depend on no machine.

use super::kernel::{Loop, vectorized};

/// Numbers that are worked on side by side.
pub const LANES: usize = 16;

/// Sixteen numbers, of sixteen rows.
pub type Lanes = [f64; LANES];

/// 1/k! for k = 2 … 13: Taylor's series of eˣ, whose rest on |x| ≤ ln 2 / 2 is 4·10⁻¹⁸.
const INVERSE_FACTORIALS: [f64; 12] = [
    0.5,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// 2ᵏ and eʳ − 1 with x = k ln 2 + r, for −700 ≤ x ≤ 700; NaN gives NaN.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    // Adding 1.5 · 2⁵² rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts, the first with zeros at its end (fdlibm's).
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    let rounded = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r = (-k).mul_add(LOW, (-k).mul_add(HIGH, x));
    let mut series = INVERSE_FACTORIALS[11];
    for term in (0..11).rev() {
        series = series.mul_add(r, INVERSE_FACTORIALS[term]);
    }
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52));
    (power, (r * r).mul_add(series, r))
}

/// eˣ for x ≤ 0; below −700 that of −700. Within 2 units in the last place.
#[inline(always)]
pub fn exp_nonpositive(x: f64) -> f64 {
    let (power, rest) = split(if x < -700.0 { -700.0 } else { x });
    power.mul_add(rest, power)
}

/// Hyperbolic tangent, within 4 units in the last place.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let size = x.abs();
    // From 20 on it is 1; the comparison lets NaN through.
    let (power, rest) = split(if size > 20.0 { 40.0 } else { 2.0 * size });
    let below = power.mul_add(rest, power - 1.0);
    (below / (below + 2.0)).copysign(x)
}

/// 1 / (1 + e⁻ˣ), within 4 units in the last place.
#[inline(always)]
pub fn logistic(x: f64) -> f64 {
    let small = exp_nonpositive(-x.abs());
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

/// Rows of a block of the Gram matrix that are worked on together.
const BLOCK: usize = 4;
/// Columns of such a block.
const WIDTH: usize = 8;

/// A row length that [`add_gram`] can work with.
pub fn padded(columns: usize) -> usize {
    columns.next_multiple_of(WIDTH)
}

/// `gram` ← `gram` + AᵀA for the rows A, `[rows × columns]` with `columns` a multiple of 8: the lower triangle, and what
/// lies right of it in its blocks. Each sum is taken in the order of the rows.
///
/// # Panics
/// If the shapes do not fit.
pub fn add_gram(rows: &[f64], columns: usize, gram: &mut [f64]) {
    assert!(columns.is_multiple_of(WIDTH) && gram.len() == columns * columns && rows.len().is_multiple_of(columns));
    vectorized(Gram { rows, columns, gram });
}

struct Gram<'a> {
    rows: &'a [f64],
    columns: usize,
    gram: &'a mut [f64],
}

impl Loop for Gram<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Gram { rows, columns, gram } = self;
        for first in (0..columns).step_by(BLOCK) {
            for second in (0..first + BLOCK).step_by(WIDTH) {
                let mut sums = [[0.0_f64; WIDTH]; BLOCK];
                for i in 0..BLOCK {
                    sums[i].copy_from_slice(&gram[(first + i) * columns + second..][..WIDTH]);
                }
                for row in rows.chunks_exact(columns) {
                    let left: &[f64; BLOCK] = row[first..first + BLOCK].try_into().expect("whole blocks");
                    let right: &[f64; WIDTH] = row[second..second + WIDTH].try_into().expect("whole blocks");
                    for i in 0..BLOCK {
                        for j in 0..WIDTH {
                            sums[i][j] = left[i].mul_add(right[j], sums[i][j]);
                        }
                    }
                }
                for i in 0..BLOCK {
                    gram[(first + i) * columns + second..][..WIDTH].copy_from_slice(&sums[i]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::kernel::{Isa, vectorized_on};

    fn places() -> impl Iterator<Item = f64> {
        let fine = (-4000..4000).map(|i| f64::from(i) * 0.005_37);
        fine.chain([0.0, -0.0, 1e-300, -1e-20, 1e-9, 0.34657, 19.99, 20.01, 1e9, -1e300])
    }

    #[track_caller]
    fn near(ours: f64, exact: f64, units: f64, what: &str) {
        let error = (ours - exact).abs() / (exact.abs() * f64::EPSILON).max(f64::MIN_POSITIVE);
        assert!(error <= units, "{what}: {ours} {exact} {error}");
    }

    #[test]
    fn elementary_functions_are_those_of_libm() {
        for x in places() {
            near(tanh(x), libm::tanh(x), 4.0, &format!("tanh {x}"));
            let clipped = x.clamp(-690.0, 0.0);
            near(exp_nonpositive(clipped), libm::exp(clipped), 2.0, &format!("exp {clipped}"));
            near(logistic(clipped), 1.0 / (1.0 + libm::exp(-clipped)), 4.0, &format!("logistic {clipped}"));
            assert!(tanh(x).abs() <= 1.0 && tanh(-x) == -tanh(x));
        }
        assert!(tanh(f64::NAN).is_nan() && logistic(f64::NAN).is_nan() && exp_nonpositive(f64::NAN).is_nan());
        assert_eq!((tanh(f64::INFINITY), tanh(f64::NEG_INFINITY)), (1.0, -1.0));
        assert_eq!((logistic(f64::INFINITY), logistic(0.0)), (1.0, 0.5));
    }

    #[test]
    fn gram_matrices_are_sums_of_products_with_the_same_bits_everywhere() {
        let (columns, count) = (24, 37);
        let rows: Vec<f64> = (0..count * columns).map(|i| ((i * 7919) % 1000) as f64 * 0.013 - 6.0).collect();
        let plain = |p: usize, q: usize| rows.chunks(columns).fold(0.0, |sum: f64, row| row[p].mul_add(row[q], sum));
        for isa in Isa::available() {
            let mut gram = vec![0.0; columns * columns];
            // In two parts: the sums go on where they were.
            let (one, two) = rows.split_at(20 * columns);
            vectorized_on(isa, Gram { rows: one, columns, gram: &mut gram });
            vectorized_on(isa, Gram { rows: two, columns, gram: &mut gram });
            for p in 0..columns {
                for q in 0..=p {
                    assert_eq!(gram[p * columns + q].to_bits(), plain(p, q).to_bits(), "{isa:?} {p} {q}");
                }
            }
        }
        assert_eq!((padded(1), padded(8), padded(32), padded(33)), (8, 8, 32, 40));
    }
}
