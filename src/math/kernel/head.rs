//! From outputs and targets to losses, their derivatives, and predictions.

use super::dense::Head;
use super::elementary::{exp_nonpositive, ln, logistic, softplus};
use super::simd::{LANES, Simd};

/// `value` in the lanes that hold a row, 0 in the others.
#[inline(always)]
pub unsafe fn alive<S: Simd>(value: S::V, vector: usize, live: usize) -> S::V {
    const INDEX: [f32; LANES] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15.];
    unsafe {
        let left = live.saturating_sub(vector * LANES).min(LANES) as f32;
        S::select(S::less(S::load(INDEX.as_ptr()), S::splat(left)), value, S::splat(0.0))
    }
}

/// Puts 0 into the lanes of a tile that hold no row.
#[inline(always)]
pub unsafe fn keep_alive<S: Simd>(values: *mut f32, outputs: usize, vectors: usize, live: usize) {
    if live < vectors * LANES {
        for output in 0..outputs {
            unsafe {
                let to = values.add((output * vectors + vectors - 1) * LANES);
                S::store(to, alive::<S>(S::load(to), vectors - 1, live));
            }
        }
    }
}

/// Losses of a tile, added to `sums`, those of a vector `apart` numbers behind those of the one before: 0 for one sum of all
/// vectors in their order. With `back`, the derivatives of `scale` · loss by the outputs too (under a cross-entropy: by their
/// sums), in lanes without a row anything.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub unsafe fn head<S: Simd>(
    head: Head,
    outputs: usize,
    vectors: usize,
    live: usize,
    z: *mut f32,
    targets: *const f32,
    (sums, apart): (*mut f32, usize),
    back: Option<(*mut f32, f32)>,
) {
    let width = vectors * LANES;
    unsafe {
        let share = 1.0 / outputs as f32;
        for vector in 0..vectors {
            let at = |output: usize| output * width + vector * LANES;
            let mut loss = S::splat(0.0);
            match head {
                Head::SoftmaxCrossEntropy => {
                    let mut highest = S::load(z.add(at(0)));
                    for output in 1..outputs {
                        highest = S::max(highest, S::load(z.add(at(output))));
                    }
                    let mut total = S::splat(0.0);
                    let mut hit = S::splat(0.0);
                    for output in 0..outputs {
                        let distance = S::sub(S::load(z.add(at(output))), highest);
                        hit = S::fma(S::load(targets.add(at(output))), distance, hit);
                        let weight = exp_nonpositive::<S>(distance);
                        S::store(z.add(at(output)), weight);
                        total = S::add(total, weight);
                    }
                    loss = S::sub(ln::<S>(total), hit);
                    if let Some((delta, scale)) = back {
                        let inverse = S::div(S::splat(1.0), total);
                        for output in 0..outputs {
                            let probability = S::mul(S::load(z.add(at(output))), inverse);
                            let error = S::sub(probability, S::load(targets.add(at(output))));
                            S::store(delta.add(at(output)), S::mul(error, S::splat(scale)));
                        }
                    }
                }
                Head::LogisticCrossEntropy => {
                    for output in 0..outputs {
                        let x = S::load(z.add(at(output)));
                        let target = S::load(targets.add(at(output)));
                        let one = S::sub(softplus::<S>(x), S::mul(target, x));
                        loss = S::fma(one, S::splat(share), loss);
                        if let Some((delta, scale)) = back {
                            let error = S::mul(S::sub(logistic::<S>(x), target), S::splat(scale * share));
                            S::store(delta.add(at(output)), error);
                        }
                    }
                }
                Head::Squared => {
                    for output in 0..outputs {
                        let error = S::sub(S::load(z.add(at(output))), S::load(targets.add(at(output))));
                        loss = S::fma(S::mul(error, error), S::splat(share), loss);
                        if let Some((delta, scale)) = back {
                            let error = S::mul(error, S::splat(2.0 * share * scale));
                            S::store(delta.add(at(output)), error);
                        }
                    }
                }
            }
            let sum = sums.add(vector * apart);
            S::store(sum, S::add(S::load(sum), alive::<S>(loss, vector, live)));
        }
    }
}

/// Outputs to predictions, in place.
#[inline(always)]
pub unsafe fn probabilities<S: Simd>(head: Head, outputs: usize, vectors: usize, z: *mut f32) {
    let width = vectors * LANES;
    unsafe {
        for vector in 0..vectors {
            let at = |output: usize| z.add(output * width + vector * LANES);
            match head {
                Head::SoftmaxCrossEntropy => {
                    let mut highest = S::load(at(0));
                    for output in 1..outputs {
                        highest = S::max(highest, S::load(at(output)));
                    }
                    let mut total = S::splat(0.0);
                    for output in 0..outputs {
                        let weight = exp_nonpositive::<S>(S::sub(S::load(at(output)), highest));
                        S::store(at(output), weight);
                        total = S::add(total, weight);
                    }
                    for output in 0..outputs {
                        S::store(at(output), S::div(S::load(at(output)), total));
                    }
                }
                Head::LogisticCrossEntropy => {
                    for output in 0..outputs {
                        S::store(at(output), logistic::<S>(S::load(at(output))));
                    }
                }
                Head::Squared => {}
            }
        }
    }
}
