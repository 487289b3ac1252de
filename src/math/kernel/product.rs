//! Products of a tile with a layer's weights, forward and for gradients.

use super::simd::{LANES, Simd};

/// out[o][row] = bias[o] + Σ_i weights[o · output_step + i · input_step] · x[i][row], in the order of i.
#[derive(Clone, Copy)]
pub struct Product {
    pub x: *const f32,
    pub inputs: usize,
    pub weights: *const f32,
    pub output_step: usize,
    pub input_step: usize,
    pub bias: Option<*const f32>,
    pub outputs: usize,
    pub out: *mut f32,
}

impl Product {
    #[inline(always)]
    pub unsafe fn run<S: Simd>(self, vectors: usize) {
        unsafe {
            match vectors {
                1 => self.blocks::<S, 1>(),
                2 => self.blocks::<S, 2>(),
                _ => self.blocks::<S, 3>(),
            }
        }
    }

    #[inline(always)]
    unsafe fn blocks<S: Simd, const R: usize>(self) {
        let mut first = 0;
        while first < self.outputs {
            let left = self.outputs - first;
            // Between one and two blocks, two halves keep more sums in flight than a block and a rest.
            let block = if left >= 2 * S::BLOCK || left <= S::BLOCK { left.min(S::BLOCK) } else { left.div_ceil(2) };
            unsafe {
                match block {
                    8 if S::BLOCK >= 8 => self.block::<S, 8, R>(first),
                    7 if S::BLOCK >= 8 => self.block::<S, 7, R>(first),
                    6 if S::BLOCK >= 8 => self.block::<S, 6, R>(first),
                    5 if S::BLOCK >= 8 => self.block::<S, 5, R>(first),
                    4 if S::BLOCK >= 8 => self.block::<S, 4, R>(first),
                    3 if S::BLOCK >= 8 => self.block::<S, 3, R>(first),
                    2 if S::BLOCK >= 2 => self.block::<S, 2, R>(first),
                    _ => self.block::<S, 1, R>(first),
                }
            }
            first += block;
        }
    }

    #[inline(always)]
    unsafe fn block<S: Simd, const J: usize, const R: usize>(self, first: usize) {
        unsafe {
            let width = R * LANES;
            let mut sums = [[S::splat(0.0); R]; J];
            if let Some(bias) = self.bias {
                for j in 0..J {
                    sums[j] = [S::splat(*bias.add(first + j)); R];
                }
            }
            let weights = self.weights.add(first * self.output_step);
            for i in 0..self.inputs {
                let mut x = [S::splat(0.0); R];
                for r in 0..R {
                    x[r] = S::load(self.x.add(i * width + r * LANES));
                }
                for j in 0..J {
                    let weight = S::splat(*weights.add(j * self.output_step + i * self.input_step));
                    for r in 0..R {
                        sums[j][r] = S::fma(weight, x[r], sums[j][r]);
                    }
                }
            }
            for j in 0..J {
                for r in 0..R {
                    S::store(self.out.add((first + j) * width + r * LANES), sums[j][r]);
                }
            }
        }
    }
}

/// gradient[o][i] += Σ_row delta[o][row] · x[row][i], in the order of the rows; `i` in lanes.
#[inline(always)]
pub unsafe fn outer<S: Simd>(
    delta: *const f32,
    width: usize,
    outputs: usize,
    x: *const f32,
    stride: usize,
    live: usize,
    gradient: *mut f32,
) {
    let outer = Outer { delta, width, outputs, x, stride, live, gradient };
    let mut vector = 0;
    let vectors = stride / LANES;
    while vector < vectors {
        let left = vectors - vector;
        unsafe {
            if left >= 4 && S::BLOCK >= 8 {
                outer.columns::<S, 4, 4>(vector);
                vector += 4;
            } else if left >= 2 && S::BLOCK >= 8 {
                outer.columns::<S, 8, 2>(vector);
                vector += 2;
            } else {
                outer.columns::<S, 8, 1>(vector);
                vector += 1;
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Outer {
    delta: *const f32,
    width: usize,
    outputs: usize,
    x: *const f32,
    stride: usize,
    live: usize,
    gradient: *mut f32,
}

impl Outer {
    #[inline(always)]
    unsafe fn columns<S: Simd, const J: usize, const K: usize>(self, vector: usize) {
        let mut first = 0;
        unsafe {
            // AVX2 and scalar code have no registers for more than two outputs.
            while S::BLOCK >= 8 && first + J <= self.outputs {
                self.block::<S, J, K>(first, vector);
                first += J;
            }
            while S::BLOCK >= 2 && first + 2 <= self.outputs {
                self.block::<S, 2, K>(first, vector);
                first += 2;
            }
            while first < self.outputs {
                self.block::<S, 1, K>(first, vector);
                first += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn block<S: Simd, const J: usize, const K: usize>(self, first: usize, vector: usize) {
        unsafe {
            let to = self.gradient.add(first * self.stride + vector * LANES);
            let mut sums = [[S::splat(0.0); K]; J];
            for j in 0..J {
                for k in 0..K {
                    sums[j][k] = S::load(to.add(j * self.stride + k * LANES));
                }
            }
            let x = self.x.add(vector * LANES);
            let delta = self.delta.add(first * self.width);
            for row in 0..self.live {
                let mut inputs = [S::splat(0.0); K];
                for k in 0..K {
                    inputs[k] = S::load(x.add(row * self.stride + k * LANES));
                }
                for j in 0..J {
                    let d = S::splat(*delta.add(j * self.width + row));
                    for k in 0..K {
                        sums[j][k] = S::fma(d, inputs[k], sums[j][k]);
                    }
                }
            }
            for j in 0..J {
                for k in 0..K {
                    S::store(to.add(j * self.stride + k * LANES), sums[j][k]);
                }
            }
        }
    }
}

/// `[units × width]` to `[live × stride]`.
#[inline(always)]
pub unsafe fn transpose(from: *const f32, units: usize, width: usize, live: usize, to: *mut f32, stride: usize) {
    for unit in 0..units {
        for row in 0..live {
            unsafe { *to.add(row * stride + unit) = *from.add(unit * width + row) }
        }
    }
}

/// sums[output][lane] += delta[output][row] for the rows of each lane.
#[inline(always)]
pub unsafe fn sum_rows<S: Simd>(delta: *const f32, outputs: usize, vectors: usize, sums: *mut f32) {
    for output in 0..outputs {
        unsafe {
            let mut sum = S::load(sums.add(output * LANES));
            for vector in 0..vectors {
                sum = S::add(sum, S::load(delta.add((output * vectors + vector) * LANES)));
            }
            S::store(sums.add(output * LANES), sum);
        }
    }
}
