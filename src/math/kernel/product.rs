//! Products of a tile with a layer's weights, forward and for gradients.

use super::simd::{Kernel, LANES, Simd, dispatch};
use std::ops::Range;

/// How many of so many outputs to compute together. Between one and two blocks, two halves keep more sums in flight than a
/// block and a rest.
#[inline]
pub fn next_block(left: usize, most: usize) -> usize {
    if left >= 2 * most || left <= most { left.min(most) } else { left.div_ceil(2) }
}

/// out[o][row] = bias[o] + Σ_i weight(o, i) · x[i][row], in the order of i.
#[derive(Clone, Copy)]
pub struct Product {
    pub x: *const f32,
    pub inputs: usize,
    /// `[outputs × inputs]`; `[inputs × outputs]` if `turned`.
    pub weights: *const f32,
    pub turned: bool,
    pub bias: Option<*const f32>,
    pub outputs: usize,
    pub out: *mut f32,
    /// Width of the tile in vectors.
    pub vectors: usize,
}

impl Kernel for Product {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        unsafe {
            match self.turned {
                false => self.columns::<S, false>(),
                true => self.columns::<S, true>(),
            }
        }
    }
}

/// Terms of a sum that are added in a row, so that counting and addresses are little beside them.
const UNROLL: usize = 4;

/// Numbers of `x` that stay in the first cache, 20 KiB of it, while all outputs go by.
const PANEL: usize = 5120;

impl Product {
    #[inline(always)]
    unsafe fn columns<S: Simd, const TURNED: bool>(self) {
        unsafe {
            match self.vectors {
                3 if S::COLUMNS >= 3 => self.panels::<S, TURNED, 3>(),
                2 if S::COLUMNS >= 3 => self.panels::<S, TURNED, 2>(),
                _ => self.panels::<S, TURNED, 1>(),
            }
        }
    }

    /// Inputs that do not fit into the first cache come in panels; between two of them the sums wait in `out`, which
    /// changes no bit of them.
    #[inline(always)]
    unsafe fn panels<S: Simd, const TURNED: bool, const R: usize>(self) {
        let most = PANEL / (self.vectors * LANES);
        let mut from = 0;
        loop {
            let to = from + next_block(self.inputs - from, most);
            unsafe { self.panel::<S, TURNED, R>(from..to) };
            from = to;
            if from >= self.inputs {
                break;
            }
        }
    }

    #[inline(always)]
    unsafe fn panel<S: Simd, const TURNED: bool, const R: usize>(self, inputs: Range<usize>) {
        let mut first = 0;
        while first < self.outputs {
            let block = next_block(self.outputs - first, S::BLOCK);
            // The weights of a block stay near while the tile's columns go by.
            for column in (0..self.vectors).step_by(R) {
                let (from, to) = (inputs.start, inputs.end);
                unsafe {
                    match block {
                        8 if S::BLOCK >= 8 => self.block::<S, TURNED, 8, R>(first, column, from, to),
                        7 if S::BLOCK >= 8 => self.block::<S, TURNED, 7, R>(first, column, from, to),
                        6 if S::BLOCK >= 6 => self.block::<S, TURNED, 6, R>(first, column, from, to),
                        5 if S::BLOCK >= 6 => self.block::<S, TURNED, 5, R>(first, column, from, to),
                        4 if S::BLOCK >= 6 => self.block::<S, TURNED, 4, R>(first, column, from, to),
                        3 if S::BLOCK >= 6 => self.block::<S, TURNED, 3, R>(first, column, from, to),
                        2 if S::BLOCK >= 6 => self.block::<S, TURNED, 2, R>(first, column, from, to),
                        _ => self.block::<S, TURNED, 1, R>(first, column, from, to),
                    }
                }
            }
            first += block;
        }
    }

    /// `J` outputs by `R` vectors of rows, over the inputs `from..to`.
    #[inline(always)]
    unsafe fn block<S: Simd, const TURNED: bool, const J: usize, const R: usize>(
        self,
        first: usize,
        column: usize,
        from: usize,
        to: usize,
    ) {
        unsafe {
            let width = self.vectors * LANES;
            let out = self.out.add(first * width + column * LANES);
            let mut sums = [[S::splat(0.0); R]; J];
            for j in 0..J {
                for r in 0..R {
                    sums[j][r] = match self.bias {
                        _ if from > 0 => S::load(out.add(j * width + r * LANES)),
                        Some(bias) => S::splat(*bias.add(first + j)),
                        None => S::splat(0.0),
                    };
                }
            }
            let (outputs, inputs) = if TURNED { (1, self.outputs) } else { (self.inputs, 1) };
            let mut x = self.x.add(from * width + column * LANES);
            let mut weights = self.weights.add(first * outputs + from * inputs);
            let mut left = to - from;
            macro_rules! inputs {
                ($count:expr) => {
                    for i in 0..$count {
                        let mut now = [S::splat(0.0); R];
                        for r in 0..R {
                            now[r] = S::load(x.add(i * width + r * LANES));
                        }
                        for j in 0..J {
                            let weight = S::splat(*weights.add(j * outputs + i * inputs));
                            for r in 0..R {
                                sums[j][r] = S::fma(weight, now[r], sums[j][r]);
                            }
                        }
                    }
                    (x, weights) = (x.wrapping_add($count * width), weights.wrapping_add($count * inputs));
                    left -= $count;
                };
            }
            while left >= UNROLL {
                inputs!(UNROLL);
            }
            while left > 0 {
                inputs!(1);
            }
            for j in 0..J {
                for r in 0..R {
                    S::store(out.add(j * width + r * LANES), sums[j][r]);
                }
            }
        }
    }
}

/// Layers with at most so many inputs sum their weights' gradients over rows in lanes: with few inputs, inputs in lanes
/// would leave most lanes empty. By shape alone, so that the order of sums does not depend on the machine.
pub const NARROW: usize = 12;

/// Adds a tile to gradients: gradient[o][i] += Σ_row delta[o][row] · x[row][i] in the order of the rows, `i` in lanes.
#[derive(Clone, Copy)]
pub struct Outer {
    /// Derivatives by the layer's sums, `[outputs × width]`.
    pub delta: *const f32,
    pub width: usize,
    pub outputs: usize,
    /// The layer's inputs row by row, `[live × stride]`; `stride` is `inputs` padded to lanes.
    pub x: *const f32,
    pub stride: usize,
    pub inputs: usize,
    pub live: usize,
    /// Whether sums begin at 0 instead of what stands in `gradient`.
    pub begin: bool,
    /// `[outputs × inputs]`.
    pub gradient: *mut f32,
}

impl Kernel for Outer {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let full = self.inputs / LANES;
        let mut vector = 0;
        unsafe {
            while vector < full {
                let left = full - vector;
                vector += match S::BLOCK {
                    8 if left >= 4 => self.columns::<S, 4, 4, false>(vector),
                    8 if left >= 2 => self.columns::<S, 8, 2, false>(vector),
                    8 => self.columns::<S, 8, 1, false>(vector),
                    6 => self.columns::<S, 6, 1, false>(vector),
                    _ => self.columns::<S, 1, 1, false>(vector),
                };
            }
            if self.inputs > full * LANES {
                match S::BLOCK {
                    8 => self.columns::<S, 8, 1, true>(full),
                    6 => self.columns::<S, 6, 1, true>(full),
                    _ => self.columns::<S, 1, 1, true>(full),
                };
            }
        }
    }
}

impl Outer {
    /// `K` vectors of inputs for all outputs, `J` at a time; returns `K`.
    #[inline(always)]
    unsafe fn columns<S: Simd, const J: usize, const K: usize, const PART: bool>(self, vector: usize) -> usize {
        let mut first = 0;
        unsafe {
            while first + J <= self.outputs {
                self.block::<S, J, K, PART>(first, vector);
                first += J;
            }
            while J > 4 && first + 4 <= self.outputs {
                self.block::<S, 4, K, PART>(first, vector);
                first += 4;
            }
            while J > 2 && first + 2 <= self.outputs {
                self.block::<S, 2, K, PART>(first, vector);
                first += 2;
            }
            while first < self.outputs {
                self.block::<S, 1, K, PART>(first, vector);
                first += 1;
            }
        }
        K
    }

    #[inline(always)]
    unsafe fn block<S: Simd, const J: usize, const K: usize, const PART: bool>(self, first: usize, vector: usize) {
        unsafe {
            let to = self.gradient.add(first * self.inputs + vector * LANES);
            let part = self.inputs % LANES;
            let mut sums = [[S::splat(0.0); K]; J];
            if !self.begin {
                for j in 0..J {
                    for k in 0..K {
                        let from = to.add(j * self.inputs + k * LANES);
                        sums[j][k] = if PART { S::load_part(from, part) } else { S::load(from) };
                    }
                }
            }
            let mut x = self.x.add(vector * LANES);
            let mut delta = self.delta.add(first * self.width);
            let mut left = self.live;
            macro_rules! rows {
                ($count:expr) => {
                    for row in 0..$count {
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
                    (x, delta) = (x.wrapping_add($count * self.stride), delta.add($count));
                    left -= $count;
                };
            }
            while left >= UNROLL {
                rows!(UNROLL);
            }
            while left > 0 {
                rows!(1);
            }
            for j in 0..J {
                for k in 0..K {
                    let to = to.add(j * self.inputs + k * LANES);
                    if PART {
                        S::store_part(to, sums[j][k], part);
                    } else {
                        S::store(to, sums[j][k]);
                    }
                }
            }
        }
    }
}

/// Adds a tile to running sums: sums[o][i][lane] += Σ over the lane's rows of delta[o][row] · x[i][row], in their order.
#[derive(Clone, Copy)]
pub struct RunningOuter {
    /// Derivatives by the layer's sums, `[outputs × vectors × 16]`.
    pub delta: *const f32,
    pub outputs: usize,
    /// The layer's inputs, `[inputs × vectors × 16]`.
    pub x: *const f32,
    pub inputs: usize,
    pub vectors: usize,
    /// Whether sums begin at 0 instead of what stands in `sums`.
    pub begin: bool,
    /// `[outputs × inputs × 16]`.
    pub sums: *mut f32,
}

impl Kernel for RunningOuter {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut output = 0;
        unsafe {
            while S::BLOCK >= 8 && output + 4 <= self.outputs {
                self.outputs::<S, 4>(output);
                output += 4;
            }
            while S::BLOCK >= 6 && output + 2 <= self.outputs {
                self.outputs::<S, 2>(output);
                output += 2;
            }
            while output < self.outputs {
                self.outputs::<S, 1>(output);
                output += 1;
            }
        }
    }
}

impl RunningOuter {
    #[inline(always)]
    unsafe fn outputs<S: Simd, const J: usize>(self, output: usize) {
        let mut input = 0;
        unsafe {
            while S::BLOCK >= 8 && input + 4 <= self.inputs {
                self.block::<S, J, 4>(output, input);
                input += 4;
            }
            while S::BLOCK >= 6 && input + 2 <= self.inputs {
                self.block::<S, J, 2>(output, input);
                input += 2;
            }
            while input < self.inputs {
                self.block::<S, J, 1>(output, input);
                input += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn block<S: Simd, const J: usize, const I: usize>(self, output: usize, input: usize) {
        unsafe {
            let to = self.sums.add((output * self.inputs + input) * LANES);
            let mut sums = [[S::splat(0.0); I]; J];
            if !self.begin {
                for j in 0..J {
                    for i in 0..I {
                        sums[j][i] = S::load(to.add((j * self.inputs + i) * LANES));
                    }
                }
            }
            for vector in 0..self.vectors {
                let mut x = [S::splat(0.0); I];
                for i in 0..I {
                    x[i] = S::load(self.x.add(((input + i) * self.vectors + vector) * LANES));
                }
                for j in 0..J {
                    let d = S::load(self.delta.add(((output + j) * self.vectors + vector) * LANES));
                    for i in 0..I {
                        sums[j][i] = S::fma(d, x[i], sums[j][i]);
                    }
                }
            }
            for j in 0..J {
                for i in 0..I {
                    S::store(to.add((j * self.inputs + i) * LANES), sums[j][i]);
                }
            }
        }
    }
}

/// sums[output][lane] += delta[output][row] for the rows of each lane.
#[inline(always)]
pub unsafe fn sum_rows<S: Simd>(delta: *const f32, outputs: usize, vectors: usize, begin: bool, sums: *mut f32) {
    for output in 0..outputs {
        unsafe {
            let mut sum = if begin { S::splat(0.0) } else { S::load(sums.add(output * LANES)) };
            for vector in 0..vectors {
                sum = S::add(sum, S::load(delta.add((output * vectors + vector) * LANES)));
            }
            S::store(sums.add(output * LANES), sum);
        }
    }
}

/// Adds up each of `count` running sums, `[count × 16]`, in the order of the lanes.
#[inline(always)]
pub unsafe fn add_up<S: Simd>(sums: *const f32, count: usize, to: *mut f32) {
    unsafe {
        let mut first = 0;
        while first < count {
            let wanted = (count - first).min(LANES);
            let mut square = [S::splat(0.0); LANES];
            for i in 0..wanted {
                square[i] = S::load(sums.add((first + i) * LANES));
            }
            let square = S::transpose(square);
            let mut total = square[0];
            for lane in 1..LANES {
                total = S::add(total, square[lane]);
            }
            if wanted == LANES {
                S::store(to.add(first), total);
            } else {
                S::store_part(to.add(first), total, wanted);
            }
            first += wanted;
        }
    }
}

/// `[units × width]` to rows of `stride` numbers, which is `units` padded to lanes with zeros; `width` is whole vectors.
#[inline(always)]
pub unsafe fn transpose<S: Simd>(from: *const f32, units: usize, width: usize, to: *mut f32, stride: usize) {
    unsafe {
        let mut first = 0;
        while first < units {
            for row in (0..width).step_by(LANES) {
                let mut square = [S::splat(0.0); LANES];
                for i in 0..(units - first).min(LANES) {
                    square[i] = S::load(from.add((first + i) * width + row));
                }
                let square = S::transpose(square);
                for i in 0..LANES {
                    S::store(to.add((row + i) * stride + first), square[i]);
                }
            }
            first += LANES;
        }
    }
}

/// Rows of `stride` numbers to a tile `[units × width]`; `width` is whole vectors, and as many rows are there.
#[inline(always)]
unsafe fn transpose_back<S: Simd>(from: *const f32, stride: usize, units: usize, width: usize, to: *mut f32) {
    unsafe {
        for first in (0..units).step_by(LANES) {
            for row in (0..width).step_by(LANES) {
                let mut square = [S::splat(0.0); LANES];
                for i in 0..LANES {
                    square[i] = S::load(from.add((row + i) * stride + first));
                }
                let square = S::transpose(square);
                for i in 0..(units - first).min(LANES) {
                    S::store(to.add((first + i) * width + row), square[i]);
                }
            }
        }
    }
}

/// Packs rows, `[width × stride]` with `stride` a multiple of 16, into a tile `[units × width]`.
///
/// # Panics
/// If a slice is too short, or `width` or `stride` is no multiple of 16.
pub fn pack_tile(rows: &[f32], stride: usize, units: usize, width: usize, tile: &mut [f32]) {
    struct Pack<'a>(&'a [f32], usize, usize, usize, &'a mut [f32]);
    impl Kernel for Pack<'_> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let Pack(rows, stride, units, width, tile) = self;
            unsafe { transpose_back::<S>(rows.as_ptr(), stride, units, width, tile.as_mut_ptr()) }
        }
    }
    assert!(width.is_multiple_of(LANES) && stride.is_multiple_of(LANES) && units <= stride);
    assert!(rows.len() >= width * stride && tile.len() >= units * width);
    dispatch(Pack(rows, stride, units, width, tile));
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Isa, dispatch_on};
    use super::*;
    use crate::rng::{Purpose, Streams};

    #[test]
    fn products_have_the_bits_of_plain_sums_in_one_panel_or_in_several() {
        let mut rng = Streams::new(3).stream(Purpose::Arm, 0, 0);
        for vectors in 1..=3 {
            let most = PANEL / (vectors * LANES);
            for inputs in [1, 7, most, most + 1, 2 * most - 1, 3 * most + 2] {
                for outputs in [1, 5, 6, 11, 14] {
                    let width = vectors * LANES;
                    let [mut x, mut weights, mut biases] =
                        [inputs * width, inputs * outputs, outputs].map(|count| vec![0.0; count]);
                    [&mut x, &mut weights, &mut biases].into_iter().for_each(|numbers| rng.fill_normal(numbers, 1.0));
                    for (turned, biased) in [(false, true), (true, false)] {
                        let weight =
                            |o: usize, i: usize| weights[if turned { i * outputs + o } else { o * inputs + i }];
                        let expected: Vec<u32> = (0..outputs * width)
                            .map(|at| {
                                let (o, row) = (at / width, at % width);
                                let first = if biased { biases[o] } else { 0.0 };
                                let sum =
                                    (0..inputs).fold(first, |sum, i| weight(o, i).mul_add(x[i * width + row], sum));
                                sum.to_bits()
                            })
                            .collect();
                        for isa in Isa::available() {
                            let mut out = vec![f32::NAN; outputs * width];
                            dispatch_on(
                                isa,
                                Product {
                                    x: x.as_ptr(),
                                    inputs,
                                    weights: weights.as_ptr(),
                                    turned,
                                    bias: biased.then_some(biases.as_ptr()),
                                    outputs,
                                    out: out.as_mut_ptr(),
                                    vectors,
                                },
                            );
                            let found: Vec<u32> = out.iter().map(|x| x.to_bits()).collect();
                            assert!(found == expected, "{isa:?} {inputs} x {outputs}, {vectors} vectors, {turned}");
                        }
                    }
                }
            }
        }
    }
}
