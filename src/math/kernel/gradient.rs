//! Gradients of a network's layers over packed rows, by one thread or by several: the same bits.
//!
//! Every tile goes forward and its derivatives back to the sums of the first layer, and then it is added to the gradient.
//! Tiles do not need each other for the first part, and the weights of different units not for the second, in which the
//! tiles keep their order. So several threads first share some tiles, then the units that those are added to, and so on.

use super::activate::times_slope;
use super::dense::{Dense, Net, Source, Tile, Workspace, forward, running_weights};
use super::head::{head, keep_alive};
use super::product::{NARROW, Outer, Product, RunningOuter, add_up, sum_rows, transpose};
use super::simd::{Isa, Kernel, LANES, Simd, dispatch_on};
use crate::math::rows::{Rows, TILE};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tiles that each thread makes before they are added up together: enough for its way to the others, few enough for
/// its second cache.
pub const TILES_EACH: usize = 8;

/// Forward multiply-adds from which on a gradient is shared: some tenths of a millisecond.
const SHARED: usize = 4_000_000;

/// Units of a layer that a thread adds to at least.
const UNITS: usize = 24;

pub struct GradientPass<'a> {
    pub net: Net<'a>,
    pub params: &'a [f32],
    pub rows: &'a Rows,
    pub source: Source<'a>,
    pub gradient: &'a mut [f32],
    pub workspace: &'a mut Workspace,
}

/// Whether a gradient over so many rows is worth more threads.
pub fn is_shared(layers: &[Dense], rows: usize, threads: usize) -> bool {
    let weights: usize = layers.iter().map(|layer| layer.weights.len()).sum();
    threads > 1 && rows * weights >= SHARED
}

/// Who asks for gradients that could be shared, now and in all pools.
static ASKING: AtomicUsize = AtomicUsize::new(0);

/// The pass, on this thread or shared: where every thread has a gradient of its own to compute, nobody could help.
pub fn gradient(isa: Isa, pass: GradientPass) -> f64 {
    let threads = if pass.workspace.shares { rayon::current_num_threads() } else { 1 };
    if !is_shared(pass.net.layers, pass.rows.count(), threads) {
        return dispatch_on(isa, pass);
    }
    let others = ASKING.fetch_add(1, Ordering::Relaxed);
    let loss = if others + 1 < threads { pass.shared(isa, threads) } else { dispatch_on(isa, pass) };
    ASKING.fetch_sub(1, Ordering::Relaxed);
    loss
}

impl Kernel for GradientPass<'_> {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        let GradientPass { net, params, rows, source, gradient, workspace } = self;
        let Workspace { tile, weight_sums, bias_sums, .. } = workspace;
        let mut sums = [0.0; LANES];
        for shape in rows.tile_shapes() {
            unsafe {
                TilePass { net, params, rows, source, shape, tile: &mut *tile, sums: (sums.as_mut_ptr(), 0) }
                    .run::<S>();
                for (index, layer) in net.layers.iter().enumerate() {
                    let (weight_sums, bias_sums) = (&mut weight_sums[index], &mut bias_sums[index]);
                    let gradient = &mut gradient[layer.weights.clone()];
                    Units { index, layer, units: 0..layer.outputs, gradient, weight_sums, bias_sums }
                        .add::<S>(rows, shape, tile);
                }
            }
        }
        for (index, layer) in net.layers.iter().enumerate() {
            unsafe { finish::<S>(layer, &weight_sums[index], &bias_sums[index], gradient) }
        }
        sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() / rows.count() as f64
    }
}

impl GradientPass<'_> {
    fn shared(self, isa: Isa, threads: usize) -> f64 {
        let GradientPass { net, params, rows, source, gradient, workspace } = self;
        let Workspace { weight_sums, bias_sums, team, .. } = workspace;
        let shapes: Vec<_> = rows.tile_shapes().collect();
        let each = (threads * TILES_EACH).min(shapes.len());
        team.resize_with(each.max(team.len()), Tile::default);
        let team = &mut team[..each];
        team.iter_mut().for_each(|tile| tile.prepare(net.layers, true));
        let mut parts = Vec::new();
        let mut left = &mut gradient[..];
        for ((index, layer), (weight_sums, bias_sums)) in
            net.layers.iter().enumerate().zip(weight_sums.iter_mut().zip(bias_sums.iter_mut()))
        {
            let (weights, rest) = left.split_at_mut(layer.weights.len());
            left = rest.split_at_mut(layer.outputs).1;
            let most = layer.outputs.div_ceil(threads).max(UNITS).min(layer.outputs);
            let running = running_weights(layer) / layer.outputs;
            let (mut weight_sums, mut weights) = (&mut weight_sums[..running * layer.outputs], weights);
            let mut bias_sums = &mut bias_sums[..layer.outputs * LANES];
            for first in (0..layer.outputs).step_by(most) {
                let units = first..layer.outputs.min(first + most);
                let part = Units {
                    index,
                    layer,
                    gradient: weights.split_off_mut(..units.len() * layer.inputs).expect("a part of them"),
                    weight_sums: weight_sums.split_off_mut(..units.len() * running).expect("a part of them"),
                    bias_sums: bias_sums.split_off_mut(..units.len() * LANES).expect("a part of them"),
                    units,
                };
                parts.push(part);
            }
        }
        let mut sums = [0.0_f32; LANES];
        for shapes in shapes.chunks(each) {
            team.par_iter_mut().zip(shapes).for_each(|(tile, &shape)| {
                let mut losses = [[0.0; LANES]; TILE / LANES];
                let sums = (losses.as_flattened_mut().as_mut_ptr(), LANES);
                dispatch_on(isa, TilePass { net, params, rows, source, shape, tile, sums });
                tile.losses = losses;
            });
            for (tile, (_, _, vectors)) in team.iter().zip(shapes) {
                for losses in &tile.losses[..*vectors] {
                    sums.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += loss);
                }
            }
            let tiles = &*team;
            parts
                .par_iter_mut()
                .with_max_len(1)
                .for_each(|part| dispatch_on(isa, AddTiles { part, rows, shapes, tiles }));
        }
        drop(parts);
        for (layer, (weight_sums, bias_sums)) in net.layers.iter().zip(weight_sums.iter().zip(&*bias_sums)) {
            dispatch_on(isa, Finish { layer, weight_sums, bias_sums, gradient });
        }
        sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() / rows.count() as f64
    }
}

/// A tile forward, and its derivatives back to the sums of every layer.
struct TilePass<'a> {
    net: Net<'a>,
    params: &'a [f32],
    rows: &'a Rows,
    source: Source<'a>,
    /// First row, live rows, and width in vectors.
    shape: (usize, usize, usize),
    tile: &'a mut Tile,
    /// Where losses go, as `head` takes it.
    sums: (*mut f32, usize),
}

impl Kernel for TilePass<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let TilePass { net, params, rows, source, shape: (first, live, vectors), tile, sums } = self;
        let (layers, width) = (net.layers, vectors * LANES);
        let last = layers.len() - 1;
        #[cfg(test)]
        let before = super::dense::counter::FORWARD.get();
        unsafe {
            let slopes = Some(&mut tile.slopes[..]);
            forward::<S>(layers, params, rows.tile(first), vectors, &mut tile.activations, slopes);
            let outputs = tile.activations[last].as_mut_ptr();
            let delta = tile.deltas[last].as_mut_ptr();
            match source {
                Source::Loss => {
                    let back = Some((delta, 1.0 / rows.count() as f32));
                    let targets = rows.target_tile(first).as_ptr();
                    head::<S>(net.head, rows.outputs(), vectors, live, outputs, targets, sums, back);
                    let slopes = tile.slopes[last].as_ptr();
                    times_slope::<S>(layers[last].activation, delta, outputs, slopes, rows.outputs() * vectors);
                }
                Source::Outputs(coefficients) => {
                    for (output, coefficient) in coefficients.iter().enumerate() {
                        for vector in 0..vectors {
                            S::store(delta.add(output * width + vector * LANES), S::splat(*coefficient));
                        }
                    }
                }
            }
            keep_alive::<S>(delta, rows.outputs(), vectors, live);
            for index in (1..layers.len()).rev() {
                let Dense { inputs, outputs, .. } = layers[index];
                let below = tile.activations[index - 1].as_ptr();
                if inputs > NARROW {
                    let to = tile.by_row[index - 1].as_mut_ptr();
                    transpose::<S>(below, inputs, width, to, inputs.next_multiple_of(LANES));
                }
                let previous = tile.deltas[index - 1].as_mut_ptr();
                let product = Product {
                    x: tile.deltas[index].as_ptr(),
                    inputs: outputs,
                    weights: params[layers[index].weights.clone()].as_ptr(),
                    turned: true,
                    bias: None,
                    outputs: inputs,
                    out: previous,
                    vectors,
                };
                S::outline(product);
                let slopes = tile.slopes[index - 1].as_ptr();
                times_slope::<S>(layers[index - 1].activation, previous, below, slopes, inputs * vectors);
            }
        }
        #[cfg(test)]
        super::dense::counter::IN_GRADIENTS
            .with(|count| count.set(count.get() + super::dense::counter::FORWARD.get() - before));
    }
}

/// Some units of a layer, and where their part of the gradient grows.
struct Units<'a> {
    index: usize,
    layer: &'a Dense,
    units: Range<usize>,
    /// Of their weights.
    gradient: &'a mut [f32],
    /// Of their weights, where the layer has few inputs, and of their thresholds.
    weight_sums: &'a mut [f32],
    bias_sums: &'a mut [f32],
}

impl Units<'_> {
    /// Adds a tile.
    #[inline(always)]
    unsafe fn add<S: Simd>(&mut self, rows: &Rows, (first, live, vectors): (usize, usize, usize), tile: &Tile) {
        let (width, begin, outputs) = (vectors * LANES, first == 0, self.units.len());
        let inputs = self.layer.inputs;
        unsafe {
            let delta = tile.deltas[self.index].as_ptr().add(self.units.start * width);
            sum_rows::<S>(delta, outputs, vectors, begin, self.bias_sums.as_mut_ptr());
            if inputs <= NARROW {
                let x = match self.index {
                    0 => rows.tile(first).as_ptr(),
                    _ => tile.activations[self.index - 1].as_ptr(),
                };
                let sums = self.weight_sums.as_mut_ptr();
                S::outline(RunningOuter { delta, outputs, x, inputs, vectors, begin, sums });
            } else {
                let x = match self.index {
                    0 => rows.by_row().as_ptr().add(first * rows.stride()),
                    _ => tile.by_row[self.index - 1].as_ptr(),
                };
                let (stride, gradient) = (inputs.next_multiple_of(LANES), self.gradient.as_mut_ptr());
                S::outline(Outer { delta, width, outputs, x, stride, inputs, live, begin, gradient });
            }
        }
    }
}

/// Adds tiles to some units in the order of the rows.
struct AddTiles<'a, 'b> {
    part: &'a mut Units<'b>,
    rows: &'a Rows,
    shapes: &'a [(usize, usize, usize)],
    tiles: &'a [Tile],
}

impl Kernel for AddTiles<'_, '_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (shape, tile) in self.shapes.iter().zip(self.tiles) {
            unsafe { self.part.add::<S>(self.rows, *shape, tile) }
        }
    }
}

/// From running sums to the gradient of a layer.
struct Finish<'a> {
    layer: &'a Dense,
    weight_sums: &'a [f32],
    bias_sums: &'a [f32],
    gradient: &'a mut [f32],
}

impl Kernel for Finish<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        unsafe { finish::<S>(self.layer, self.weight_sums, self.bias_sums, self.gradient) }
    }
}

#[inline(always)]
unsafe fn finish<S: Simd>(layer: &Dense, weight_sums: &[f32], bias_sums: &[f32], gradient: &mut [f32]) {
    unsafe {
        if layer.inputs <= NARROW {
            let to = gradient[layer.weights.clone()].as_mut_ptr();
            add_up::<S>(weight_sums.as_ptr(), layer.weights.len(), to);
        }
        let to = gradient[layer.biases.clone()].as_mut_ptr();
        add_up::<S>(bias_sums.as_ptr(), layer.outputs, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation::{Linear, Tanh};
    use crate::network::{Loss, Mlp, Output};
    use crate::rng::{Purpose, Streams};

    #[test]
    fn shared_gradients_have_the_bits_of_one_thread() {
        let mut rng = Streams::new(5).stream(Purpose::Arm, 0, 0);
        for (features, hidden, outputs) in
            [(3, &[][..], 1), (5, &[(70, Tanh), (9, Tanh)], 2), (40, &[(130, Tanh)], 30), (13, &[(25, Linear)], 4)]
        {
            let network = Mlp::new(features, hidden, outputs, Output::Linear, Loss::MeanSquared).unwrap();
            for count in [1, 47, 48, 100, 900, 2011] {
                let (mut inputs, mut targets) = (vec![0.0; count * features], vec![0.0; count * outputs]);
                let mut params = vec![0.0; network.parameters()];
                [&mut inputs, &mut targets, &mut params].into_iter().for_each(|slice| rng.fill_normal(slice, 0.5));
                let rows = Rows::new(&inputs, &targets, features, outputs);
                let coefficients = vec![0.25; outputs];
                for source in [Source::Loss, Source::Outputs(&coefficients)] {
                    // The same memory for all, which must not be trusted.
                    let mut workspace = Workspace::new();
                    let mut on = |threads: usize| {
                        let (net, params, rows) = (network.net(), &params[..], &rows);
                        let mut gradient = vec![f32::NAN; params.len()];
                        workspace.prepare(net.layers, true);
                        let (workspace, to) = (&mut workspace, &mut gradient[..]);
                        let pass = GradientPass { net, params, rows, source, gradient: to, workspace };
                        let loss = match threads {
                            1 => dispatch_on(Isa::current(), pass),
                            _ => {
                                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                                pool.install(|| pass.shared(Isa::current(), threads))
                            }
                        };
                        (loss.to_bits(), gradient.iter().map(|x| x.to_bits()).collect::<Vec<u32>>())
                    };
                    let alone = on(1);
                    for threads in [2, 3, 7] {
                        assert!(on(threads) == alone, "{features} inputs, {count} rows, {threads} threads");
                    }
                }
            }
        }
    }

    #[test]
    fn whoever_asks_for_it_shares_large_gradients() {
        let network = Mlp::new(64, &[(64, Tanh)], 10, Output::Softmax, Loss::CrossEntropy).unwrap();
        let mut rng = Streams::new(6).stream(Purpose::Arm, 0, 0);
        let mut params = vec![0.0; network.parameters()];
        rng.fill_normal(&mut params, 0.2);
        for (count, large) in [(100, false), (1000, true)] {
            let (mut inputs, targets) =
                (vec![0.0; count * 64], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].repeat(count));
            rng.fill_normal(&mut inputs, 1.0);
            let rows = Rows::new(&inputs, &targets, 64, 10);
            // So many threads that other tests cannot keep them all.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(16).build().unwrap();
            let gradient = |mut workspace: Workspace| {
                let mut gradient = vec![f32::NAN; params.len()];
                let loss = pool.install(|| network.gradient(&params, &rows, &mut gradient, &mut workspace));
                let bits: Vec<u32> = gradient.iter().map(|x| x.to_bits()).collect();
                (workspace.team.len(), (loss.to_bits(), bits))
            };
            let (alone, shared) = (gradient(Workspace::new()), gradient(Workspace::shared()));
            assert_eq!((alone.0, shared.0 > 0), (0, large));
            assert!(alone.1 == shared.1);
        }
    }
}
