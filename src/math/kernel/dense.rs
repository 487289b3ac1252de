//! Layers over packed rows: loss, gradient and outputs of a multi-layer perceptron.
//!
//! Forward products keep rows in lanes: a weight is broadcast, every row's sum runs over the inputs in serial order with
//! fused multiply-add. Gradient products keep inputs in lanes and run over the rows in serial order. Sums over rows that
//! stay in lanes (losses, thresholds' gradients) use sixteen running sums, row r in sum r mod 16, and add those up in
//! order at the end. None of this depends on the width of an instruction set.

use super::AlignedBuffer;
use super::elementary::{cos_pi, erf, exp, ln, logistic, sin_pi, softplus, tanh};
use super::simd::{Isa, Kernel, LANES, Simd, dispatch_on};
use crate::math::activation::Activation;
use crate::math::rows::{Rows, TILE};
use std::ops::Range;

/// One layer: `outputs` units that each see all `inputs`, and where they lie in the parameter slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Inputs of each unit (fan-in).
    pub inputs: usize,
    /// Units (fan-out).
    pub outputs: usize,
    /// What each unit does to its weighted sum.
    pub activation: Activation,
    /// Place of the weights, `[outputs × inputs]`, row-major: a row is one unit.
    pub weights: Range<usize>,
    /// Place of the thresholds (added, not subtracted), `[outputs]`; they stand right behind the weights.
    pub biases: Range<usize>,
}

/// How outputs and targets make the loss of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Softmax over the outputs, then −Σ t ln p. The last layer is linear.
    SoftmaxCrossEntropy,
    /// A logistic for each output, then −mean(t ln p + (1 − t) ln(1 − p)). The last layer is linear.
    LogisticCrossEntropy,
    /// mean (y − t)² over the outputs.
    Squared,
}

/// Memory that a pass works in. One per thread; reused for every network of the same or a smaller shape.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Per layer, feature-major tile of activations, `[units × TILE]`.
    activations: Vec<AlignedBuffer>,
    /// Per layer, the activations' derivatives.
    slopes: Vec<AlignedBuffer>,
    /// Per hidden layer, the tile of activations row by row, padded to lanes.
    by_row: Vec<AlignedBuffer>,
    /// Derivatives of the loss by the sums of a layer, and of the one before.
    delta: AlignedBuffer,
    previous_delta: AlignedBuffer,
    /// Per layer, gradient of the weights with padded rows, then 16 running sums per threshold.
    weight_gradient: Vec<AlignedBuffer>,
    bias_gradient: Vec<AlignedBuffer>,
}

impl Workspace {
    /// Memory for no network yet; it grows at first use.
    pub fn new() -> Workspace {
        Workspace::default()
    }

    /// Bytes that gradients of a network with these layers need.
    pub fn bytes(layers: &[Dense]) -> u128 {
        let padded = |n: usize| n.next_multiple_of(LANES) as u128;
        let tiles: u128 =
            layers.iter().map(|layer| (2 * layer.outputs * TILE) as u128 + padded(layer.outputs) * TILE as u128).sum();
        let gradients: u128 =
            layers.iter().map(|layer| layer.outputs as u128 * (padded(layer.inputs) + LANES as u128)).sum();
        let widest = layers.iter().map(|layer| layer.outputs).max().unwrap_or(0);
        4 * (tiles + gradients + (2 * widest * TILE) as u128)
    }

    fn prepare(&mut self, layers: &[Dense], backward: bool) {
        fn grow(buffers: &mut Vec<AlignedBuffer>, lengths: impl Iterator<Item = usize>) {
            for (index, length) in lengths.enumerate() {
                if index == buffers.len() {
                    buffers.push(AlignedBuffer::default());
                }
                if buffers[index].len() < length {
                    buffers[index].reset(length);
                }
            }
        }
        grow(&mut self.activations, layers.iter().map(|layer| layer.outputs * TILE));
        if backward {
            grow(&mut self.slopes, layers.iter().map(|layer| layer.outputs * TILE));
            grow(&mut self.by_row, layers.iter().map(|layer| layer.outputs.next_multiple_of(LANES) * TILE));
            grow(
                &mut self.weight_gradient,
                layers.iter().map(|layer| layer.outputs * layer.inputs.next_multiple_of(LANES)),
            );
            grow(&mut self.bias_gradient, layers.iter().map(|layer| layer.outputs * LANES));
            let widest = layers.iter().map(|layer| layer.outputs * TILE).max().unwrap_or(0);
            for buffer in [&mut self.delta, &mut self.previous_delta] {
                if buffer.len() < widest {
                    buffer.reset(widest);
                }
            }
        }
    }
}

/// A network as the kernels see it.
#[derive(Clone, Copy, Debug)]
pub struct Net<'a> {
    /// Layers from first to last.
    pub layers: &'a [Dense],
    /// How the loss is made.
    pub head: Head,
}

impl Net<'_> {
    /// Mean loss over all rows. Sums are single precision within 16 running sums, double precision across them.
    ///
    /// # Panics
    /// If `params` or `rows` do not have the network's shape.
    pub fn loss(&self, params: &[f32], rows: &Rows, workspace: &mut Workspace) -> f64 {
        self.loss_on(Isa::current(), params, rows, workspace)
    }

    /// Mean loss over all rows, and its gradient by the parameters written to `gradient`.
    ///
    /// # Panics
    /// If `params`, `gradient` or `rows` do not have the network's shape.
    pub fn gradient(&self, params: &[f32], rows: &Rows, gradient: &mut [f32], workspace: &mut Workspace) -> f64 {
        self.gradient_on(Isa::current(), params, rows, Source::Loss, gradient, workspace)
    }

    /// Gradient of Σ over rows and outputs of `coefficients[output]` · sum of that output unit before its activation.
    ///
    /// # Panics
    /// If a slice does not have the network's shape.
    pub fn output_gradient(
        &self,
        params: &[f32],
        rows: &Rows,
        coefficients: &[f32],
        gradient: &mut [f32],
        workspace: &mut Workspace,
    ) {
        assert_eq!(coefficients.len(), rows.outputs());
        self.gradient_on(Isa::current(), params, rows, Source::Outputs(coefficients), gradient, workspace);
    }

    /// Predictions of all rows, `[count × outputs]`, row-major: probabilities under a cross-entropy, else activations.
    ///
    /// # Panics
    /// If a slice does not have the network's shape.
    pub fn outputs(&self, params: &[f32], rows: &Rows, out: &mut [f32], workspace: &mut Workspace) {
        let layer = self.layers.len() - 1;
        self.check(params, rows);
        assert_eq!(out.len(), rows.count() * rows.outputs());
        workspace.prepare(self.layers, false);
        let wanted = Wanted::Predictions;
        dispatch_on(Isa::current(), LayerPass { net: *self, params, rows, layer, wanted, out, workspace });
    }

    /// Activations of one layer for all rows, `[count × units]`, row-major; sums before the activation if `sums`.
    ///
    /// # Panics
    /// If a slice does not have the network's shape.
    pub fn layer(
        &self,
        params: &[f32],
        rows: &Rows,
        layer: usize,
        sums: bool,
        out: &mut [f32],
        workspace: &mut Workspace,
    ) {
        self.check(params, rows);
        assert_eq!(out.len(), rows.count() * self.layers[layer].outputs);
        workspace.prepare(self.layers, false);
        let wanted = if sums { Wanted::Sums } else { Wanted::Activations };
        dispatch_on(Isa::current(), LayerPass { net: *self, params, rows, layer, wanted, out, workspace });
    }

    pub(crate) fn loss_on(&self, isa: Isa, params: &[f32], rows: &Rows, workspace: &mut Workspace) -> f64 {
        self.check(params, rows);
        workspace.prepare(self.layers, false);
        dispatch_on(isa, LossPass { net: *self, params, rows, workspace })
    }

    pub(crate) fn gradient_on(
        &self,
        isa: Isa,
        params: &[f32],
        rows: &Rows,
        source: Source,
        gradient: &mut [f32],
        workspace: &mut Workspace,
    ) -> f64 {
        self.check(params, rows);
        assert_eq!(gradient.len(), params.len());
        workspace.prepare(self.layers, true);
        dispatch_on(isa, GradientPass { net: *self, params, rows, source, gradient, workspace })
    }

    fn check(&self, params: &[f32], rows: &Rows) {
        let last = self.layers.last().expect("a network has layers");
        assert_eq!(params.len(), last.biases.end);
        assert_eq!((rows.features(), rows.outputs()), (self.layers[0].inputs, last.outputs));
        let mut inputs = rows.features();
        for layer in self.layers {
            assert_eq!(layer.inputs, inputs);
            assert_eq!(layer.weights.len(), layer.inputs * layer.outputs);
            assert_eq!(layer.biases, layer.weights.end..layer.weights.end + layer.outputs);
            inputs = layer.outputs;
        }
        assert!(self.head == Head::Squared || last.activation == Activation::Linear);
    }
}

/// What is differentiated.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Loss,
    Outputs(&'a [f32]),
}

struct LossPass<'a> {
    net: Net<'a>,
    params: &'a [f32],
    rows: &'a Rows,
    workspace: &'a mut Workspace,
}

impl Kernel for LossPass<'_> {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        let LossPass { net, params, rows, workspace } = self;
        let mut sums = [0.0_f32; LANES];
        for (first, live, vectors) in rows.tile_shapes() {
            unsafe {
                forward::<S>(net.layers, params, rows.tile(first), vectors, &mut workspace.activations, None);
                let outputs = workspace.activations[net.layers.len() - 1].as_mut_ptr();
                let targets = rows.target_tile(first).as_ptr();
                head::<S>(net.head, rows.outputs(), vectors, live, outputs, targets, &mut sums, None);
            }
        }
        sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() / rows.count() as f64
    }
}

struct GradientPass<'a> {
    net: Net<'a>,
    params: &'a [f32],
    rows: &'a Rows,
    source: Source<'a>,
    gradient: &'a mut [f32],
    workspace: &'a mut Workspace,
}

impl Kernel for GradientPass<'_> {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        let GradientPass { net, params, rows, source, gradient, workspace } = self;
        let layers = net.layers;
        #[cfg(test)]
        let before = counter::FORWARD.with(std::cell::Cell::get);
        let last = layers.len() - 1;
        for (index, layer) in layers.iter().enumerate() {
            workspace.weight_gradient[index][..layer.outputs * layer.inputs.next_multiple_of(LANES)].fill(0.0);
            workspace.bias_gradient[index][..layer.outputs * LANES].fill(0.0);
        }
        let mut sums = [0.0_f32; LANES];
        let scale = 1.0 / rows.count() as f32;
        for (first, live, vectors) in rows.tile_shapes() {
            let width = vectors * LANES;
            unsafe {
                let slopes = Some(&mut workspace.slopes[..]);
                forward::<S>(layers, params, rows.tile(first), vectors, &mut workspace.activations, slopes);
                let outputs = workspace.activations[last].as_mut_ptr();
                let delta = workspace.delta.as_mut_ptr();
                match source {
                    Source::Loss => {
                        let back = Some((delta, workspace.slopes[last].as_ptr(), scale));
                        let targets = rows.target_tile(first).as_ptr();
                        head::<S>(net.head, rows.outputs(), vectors, live, outputs, targets, &mut sums, back);
                    }
                    Source::Outputs(coefficients) => {
                        for (output, coefficient) in coefficients.iter().enumerate() {
                            for vector in 0..vectors {
                                let value = S::splat(*coefficient);
                                let to = delta.add(output * width + vector * LANES);
                                S::store(to, alive::<S>(value, vector, live));
                            }
                        }
                    }
                }
                for index in (0..layers.len()).rev() {
                    let layer = &layers[index];
                    let delta = workspace.delta.as_ptr();
                    sum_rows::<S>(delta, layer.outputs, vectors, workspace.bias_gradient[index].as_mut_ptr());
                    let stride = layer.inputs.next_multiple_of(LANES);
                    let below = if index == 0 {
                        rows.by_row().as_ptr().add(first * rows.stride())
                    } else {
                        let from = workspace.activations[index - 1].as_ptr();
                        let to = workspace.by_row[index - 1].as_mut_ptr();
                        transpose(from, layer.inputs, width, live, to, stride);
                        to.cast_const()
                    };
                    let to = workspace.weight_gradient[index].as_mut_ptr();
                    outer::<S>(delta, width, layer.outputs, below, stride, live, to);
                    if index > 0 {
                        let weights = params[layer.weights.clone()].as_ptr();
                        let previous = workspace.previous_delta.as_mut_ptr();
                        let product = Product {
                            x: delta,
                            inputs: layer.outputs,
                            weights,
                            output_step: 1,
                            input_step: layer.inputs,
                            bias: None,
                            outputs: layer.inputs,
                            out: previous,
                        };
                        product.run::<S>(vectors);
                        let slopes = workspace.slopes[index - 1].as_ptr();
                        for at in (0..layer.inputs * width).step_by(LANES) {
                            S::store(previous.add(at), S::mul(S::load(previous.add(at)), S::load(slopes.add(at))));
                        }
                        std::mem::swap(&mut workspace.delta, &mut workspace.previous_delta);
                    }
                }
            }
        }
        #[cfg(test)]
        counter::IN_GRADIENTS
            .with(|count| count.set(count.get() + counter::FORWARD.with(std::cell::Cell::get) - before));
        for (index, layer) in layers.iter().enumerate() {
            let padded = layer.inputs.next_multiple_of(LANES);
            let rows = workspace.weight_gradient[index].chunks_exact(padded);
            for (to, from) in gradient[layer.weights.clone()].chunks_exact_mut(layer.inputs).zip(rows) {
                to.copy_from_slice(&from[..layer.inputs]);
            }
            let sums = workspace.bias_gradient[index].chunks_exact(LANES);
            for (to, lanes) in gradient[layer.biases.clone()].iter_mut().zip(sums) {
                *to = lanes.iter().sum();
            }
        }
        sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() / rows.count() as f64
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Sums,
    Activations,
    Predictions,
}

struct LayerPass<'a> {
    net: Net<'a>,
    params: &'a [f32],
    rows: &'a Rows,
    layer: usize,
    wanted: Wanted,
    out: &'a mut [f32],
    workspace: &'a mut Workspace,
}

impl Kernel for LayerPass<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let LayerPass { net, params, rows, layer, wanted, out, workspace } = self;
        let units = net.layers[layer].outputs;
        for (first, live, vectors) in rows.tile_shapes() {
            let width = vectors * LANES;
            unsafe {
                let layers = &net.layers[..=layer];
                if wanted == Wanted::Sums {
                    forward::<S>(&layers[..layer], params, rows.tile(first), vectors, &mut workspace.activations, None);
                    let (below, above) = workspace.activations.split_at_mut(layer);
                    let x = below.last().map_or(rows.tile(first).as_ptr(), |tile| tile.as_ptr());
                    weighted_sums::<S>(&layers[layer], params, x, vectors, above[0].as_mut_ptr());
                } else {
                    forward::<S>(layers, params, rows.tile(first), vectors, &mut workspace.activations, None);
                    if wanted == Wanted::Predictions {
                        probabilities::<S>(net.head, units, vectors, workspace.activations[layer].as_mut_ptr());
                    }
                }
            }
            for row in 0..live {
                for unit in 0..units {
                    out[(first + row) * units + unit] = workspace.activations[layer][unit * width + row];
                }
            }
        }
    }
}

/// All layers of one tile; the derivatives of the activations too, if there is room for them.
#[inline(always)]
unsafe fn forward<S: Simd>(
    layers: &[Dense],
    params: &[f32],
    tile: &[f32],
    vectors: usize,
    activations: &mut [AlignedBuffer],
    mut slopes: Option<&mut [AlignedBuffer]>,
) {
    let mut x = tile.as_ptr();
    for (index, layer) in layers.iter().enumerate() {
        unsafe {
            let out = activations[index].as_mut_ptr();
            weighted_sums::<S>(layer, params, x, vectors, out);
            let slope = slopes.as_mut().map(|slopes| slopes[index].as_mut_ptr());
            activate::<S>(layer.activation, out, slope, layer.outputs * vectors);
            x = out;
        }
    }
}

/// Forward multiply-adds that this thread has really done, padding included: what tests hold [`Cost`] against.
///
/// [`Cost`]: crate::cost::Cost
#[cfg(test)]
pub(crate) mod counter {
    use std::cell::Cell;
    thread_local! {
        pub static FORWARD: Cell<u64> = const { Cell::new(0) };
        pub static IN_GRADIENTS: Cell<u64> = const { Cell::new(0) };
    }
}

#[inline(always)]
unsafe fn weighted_sums<S: Simd>(layer: &Dense, params: &[f32], x: *const f32, vectors: usize, out: *mut f32) {
    #[cfg(test)]
    counter::FORWARD.with(|count| count.set(count.get() + (layer.inputs * layer.outputs * vectors * LANES) as u64));
    let product = Product {
        x,
        inputs: layer.inputs,
        weights: params[layer.weights.clone()].as_ptr(),
        output_step: layer.inputs,
        input_step: 1,
        bias: Some(params[layer.biases.clone()].as_ptr()),
        outputs: layer.outputs,
        out,
    };
    unsafe { product.run::<S>(vectors) }
}

/// out[o][row] = bias[o] + Σ_i weights[o · output_step + i · input_step] · x[i][row], in the order of i.
#[derive(Clone, Copy)]
struct Product {
    x: *const f32,
    inputs: usize,
    weights: *const f32,
    output_step: usize,
    input_step: usize,
    bias: Option<*const f32>,
    outputs: usize,
    out: *mut f32,
}

impl Product {
    #[inline(always)]
    unsafe fn run<S: Simd>(self, vectors: usize) {
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
unsafe fn outer<S: Simd>(
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
unsafe fn transpose(from: *const f32, units: usize, width: usize, live: usize, to: *mut f32, stride: usize) {
    for unit in 0..units {
        for row in 0..live {
            unsafe { *to.add(row * stride + unit) = *from.add(unit * width + row) }
        }
    }
}

/// sums[output][lane] += delta[output][row] for the rows of each lane.
#[inline(always)]
unsafe fn sum_rows<S: Simd>(delta: *const f32, outputs: usize, vectors: usize, sums: *mut f32) {
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

/// `value` in the lanes that hold a row, 0 in the others.
#[inline(always)]
unsafe fn alive<S: Simd>(value: S::V, vector: usize, live: usize) -> S::V {
    const INDEX: [f32; LANES] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15.];
    unsafe {
        let left = live.saturating_sub(vector * LANES).min(LANES) as f32;
        S::select(S::less(S::load(INDEX.as_ptr()), S::splat(left)), value, S::splat(0.0))
    }
}

/// Losses of a tile, added to `sums`; with `back`, the derivatives of `scale` · loss by the outputs' sums too.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn head<S: Simd>(
    head: Head,
    outputs: usize,
    vectors: usize,
    live: usize,
    z: *mut f32,
    targets: *const f32,
    sums: &mut [f32; LANES],
    back: Option<(*mut f32, *const f32, f32)>,
) {
    let width = vectors * LANES;
    unsafe {
        let share = 1.0 / outputs as f32;
        let mut sum = S::load(sums.as_ptr());
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
                        let weight = exp::<S>(distance);
                        S::store(z.add(at(output)), weight);
                        total = S::add(total, weight);
                    }
                    loss = S::sub(ln::<S>(total), hit);
                    if let Some((delta, _, scale)) = back {
                        let inverse = S::div(S::splat(1.0), total);
                        for output in 0..outputs {
                            let probability = S::mul(S::load(z.add(at(output))), inverse);
                            let error = S::sub(probability, S::load(targets.add(at(output))));
                            let error = S::mul(error, S::splat(scale));
                            S::store(delta.add(at(output)), alive::<S>(error, vector, live));
                        }
                    }
                }
                Head::LogisticCrossEntropy => {
                    for output in 0..outputs {
                        let x = S::load(z.add(at(output)));
                        let target = S::load(targets.add(at(output)));
                        let one = S::sub(softplus::<S>(x), S::mul(target, x));
                        loss = S::fma(one, S::splat(share), loss);
                        if let Some((delta, _, scale)) = back {
                            let error = S::mul(S::sub(logistic::<S>(x), target), S::splat(scale * share));
                            S::store(delta.add(at(output)), alive::<S>(error, vector, live));
                        }
                    }
                }
                Head::Squared => {
                    for output in 0..outputs {
                        let error = S::sub(S::load(z.add(at(output))), S::load(targets.add(at(output))));
                        loss = S::fma(S::mul(error, error), S::splat(share), loss);
                        if let Some((delta, slopes, scale)) = back {
                            let error =
                                S::mul(S::mul(error, S::splat(2.0 * share * scale)), S::load(slopes.add(at(output))));
                            S::store(delta.add(at(output)), alive::<S>(error, vector, live));
                        }
                    }
                }
            }
            sum = S::add(sum, alive::<S>(loss, vector, live));
        }
        S::store(sums.as_mut_ptr(), sum);
    }
}

/// Outputs to predictions, in place.
#[inline(always)]
unsafe fn probabilities<S: Simd>(head: Head, outputs: usize, vectors: usize, z: *mut f32) {
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
                        let weight = exp::<S>(S::sub(S::load(at(output)), highest));
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
    unsafe { exp::<S>(S::mul(S::mul(x, x), S::splat(-0.5))) }
}

/// Sums to activations, in place, and their derivatives to `slopes` if wanted; `count` vectors.
#[inline(always)]
unsafe fn activate<S: Simd>(activation: Activation, values: *mut f32, slopes: Option<*mut f32>, count: usize) {
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
