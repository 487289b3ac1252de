//! Layers over packed rows: loss, gradient and outputs of a multi-layer perceptron.
//!
//! Forward products keep rows in lanes: a weight is broadcast, every row's sum runs over the inputs in serial order with
//! fused multiply-add. Gradient products keep inputs in lanes and run over the rows in serial order. Sums over rows that
//! stay in lanes (losses, thresholds' gradients, weights' gradients of layers with few inputs) use sixteen running sums,
//! row r in sum r mod 16, and add those up in order at the end. None of this depends on the width of an instruction set.

use super::AlignedBuffer;
use super::activate::{activate, keeps_slopes};
use super::gradient::{GradientPass, TILES_EACH, is_shared};
use super::head::{head, probabilities};
use super::product::{NARROW, Product};
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
    /// The tile under way.
    pub(super) tile: Tile,
    /// Per layer, 16 running sums per weight (layers with few inputs) and per threshold.
    pub(super) weight_sums: Vec<AlignedBuffer>,
    pub(super) bias_sums: Vec<AlignedBuffer>,
    /// Tiles that several threads work on at once; none unless gradients are shared.
    pub(super) team: Vec<Tile>,
    pub(super) shares: bool,
}

/// What a pass keeps of a tile of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Tile {
    /// Per layer, feature-major activations, `[units × TILE]`.
    pub activations: Vec<AlignedBuffer>,
    /// Per layer, the activations' derivatives where they need the sums.
    pub slopes: Vec<AlignedBuffer>,
    /// Per hidden layer, the activations row by row, padded to lanes.
    pub by_row: Vec<AlignedBuffer>,
    /// Per layer, derivatives of the loss by the sums, `[units × TILE]`.
    pub deltas: Vec<AlignedBuffer>,
    /// Losses of the rows, vector by vector.
    pub losses: [[f32; LANES]; TILE / LANES],
}

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

impl Workspace {
    /// Memory for no network yet; it grows at first use.
    pub fn new() -> Workspace {
        Workspace::default()
    }

    /// Likewise, and gradients of large networks over many rows are shared among the threads of the pool that asks for
    /// them. Not for those who hold a lock meanwhile: a thread that waits for the others may turn to any other work.
    pub fn shared() -> Workspace {
        Workspace { shares: true, ..Workspace::default() }
    }

    /// Bytes that gradients of a network with these layers need.
    pub fn bytes(layers: &[Dense]) -> u128 {
        let sums = |layer: &Dense| (running_weights(layer) + layer.outputs * LANES) as u128;
        Tile::bytes(layers) + 4 * layers.iter().map(sums).sum::<u128>()
    }

    /// Bytes more, where gradients over so many rows are shared among so many threads.
    pub fn team_bytes(layers: &[Dense], rows: usize, threads: usize) -> u128 {
        if is_shared(layers, rows, threads) { (threads * TILES_EACH) as u128 * Tile::bytes(layers) } else { 0 }
    }

    pub(super) fn prepare(&mut self, layers: &[Dense], backward: bool) {
        self.tile.prepare(layers, backward);
        if backward {
            grow(&mut self.weight_sums, layers.iter().map(running_weights));
            grow(&mut self.bias_sums, layers.iter().map(|layer| layer.outputs * LANES));
        }
    }
}

impl Tile {
    fn bytes(layers: &[Dense]) -> u128 {
        let units = |layer: &Dense| {
            let slopes = if keeps_slopes(layer.activation) { layer.outputs } else { 0 };
            (2 * layer.outputs + slopes + layer.outputs.next_multiple_of(LANES)) as u128
        };
        4 * TILE as u128 * layers.iter().map(units).sum::<u128>()
    }

    pub fn prepare(&mut self, layers: &[Dense], backward: bool) {
        grow(&mut self.activations, layers.iter().map(|layer| layer.outputs * TILE));
        if backward {
            let slopes = |layer: &Dense| if keeps_slopes(layer.activation) { layer.outputs * TILE } else { 0 };
            grow(&mut self.slopes, layers.iter().map(slopes));
            grow(&mut self.by_row, layers.iter().map(|layer| layer.outputs.next_multiple_of(LANES) * TILE));
            grow(&mut self.deltas, layers.iter().map(|layer| layer.outputs * TILE));
        }
    }
}

/// Numbers that the running sums of a layer's weights take.
pub(super) fn running_weights(layer: &Dense) -> usize {
    if layer.inputs <= NARROW { layer.inputs * layer.outputs * LANES } else { 0 }
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
        super::gradient::gradient(isa, GradientPass { net: *self, params, rows, source, gradient, workspace })
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
                let activations = &mut workspace.tile.activations;
                forward::<S>(net.layers, params, rows.tile(first), vectors, activations, None);
                let outputs = activations[net.layers.len() - 1].as_mut_ptr();
                let (targets, sums) = (rows.target_tile(first).as_ptr(), (sums.as_mut_ptr(), 0));
                head::<S>(net.head, rows.outputs(), vectors, live, outputs, targets, sums, None);
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
        let activations = &mut workspace.tile.activations;
        let units = net.layers[layer].outputs;
        for (first, live, vectors) in rows.tile_shapes() {
            let width = vectors * LANES;
            unsafe {
                let layers = &net.layers[..=layer];
                if wanted == Wanted::Sums {
                    forward::<S>(&layers[..layer], params, rows.tile(first), vectors, &mut *activations, None);
                    let (below, above) = activations.split_at_mut(layer);
                    let x = below.last().map_or(rows.tile(first).as_ptr(), |tile| tile.as_ptr());
                    weighted_sums::<S>(&layers[layer], params, x, vectors, above[0].as_mut_ptr());
                } else {
                    forward::<S>(layers, params, rows.tile(first), vectors, &mut *activations, None);
                    if wanted == Wanted::Predictions {
                        probabilities::<S>(net.head, units, vectors, activations[layer].as_mut_ptr());
                    }
                }
            }
            for row in 0..live {
                for unit in 0..units {
                    out[(first + row) * units + unit] = activations[layer][unit * width + row];
                }
            }
        }
    }
}

/// All layers of one tile; the derivatives of the activations too, if there is room for them.
#[inline(always)]
pub(super) unsafe fn forward<S: Simd>(
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
            let slope = match slopes.as_mut() {
                Some(slopes) if keeps_slopes(layer.activation) => Some(slopes[index].as_mut_ptr()),
                _ => None,
            };
            activate::<S>(layer.activation, out, slope, layer.outputs * vectors);
            x = out;
        }
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
        turned: false,
        bias: Some(params[layer.biases.clone()].as_ptr()),
        outputs: layer.outputs,
        out,
        vectors,
    };
    unsafe { S::outline(product) }
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
