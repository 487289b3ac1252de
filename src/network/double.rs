//! Passes in double precision over packed rows: what methods of second order ask of a network.
//!
//! Sixteen rows lie in lanes; every row's sum begins at the threshold and runs over the inputs in serial order with fused
//! multiply-add, as in the kernels of single precision. Sums over rows run in sixteen lanes, row r in lane r mod 16, that
//! are added up in order at the end; those of the Gram matrix (`gram`) run in the order of the rows. So the bits depend on
//! no instruction set. `reference` is the oracle.
// The loops name their lanes.
#![allow(clippy::needless_range_loop)]

mod gram;

pub use gram::gauss_newton;

use crate::math::double::{LANES, Lanes, exp_nonpositive, logistic, tanh};
#[cfg(test)]
use crate::math::kernel::counter as kernel_counter;
use crate::math::kernel::{Loop, vectorized};
use crate::math::{Activation, Rows};
use crate::network::{Dense, Head, Mlp};

const ZERO: Lanes = [0.0; LANES];

/// Memory that these passes work in; it grows at first use.
#[derive(Clone, Debug, Default)]
pub struct DoubleWorkspace {
    /// Inputs, then the activations of each layer.
    values: Vec<Vec<Lanes>>,
    /// Per layer, first and second derivatives of the activations by their sums.
    slopes: Vec<Vec<Lanes>>,
    curvatures: Vec<Vec<Lanes>>,
    /// Directional derivatives of `values`, and per layer of the sums.
    tangents: Vec<Vec<Lanes>>,
    sum_tangents: Vec<Vec<Lanes>>,
    /// Derivatives by the sums of a layer, and by the activations before it; with their directional derivatives.
    delta: Vec<Lanes>,
    before: Vec<Lanes>,
    delta_tangent: Vec<Lanes>,
    before_tangent: Vec<Lanes>,
    /// Running sums, one for each parameter.
    sums: Vec<Lanes>,
    jacobian: Vec<f64>,
    gram: Vec<f64>,
    /// Of sixteen rows, row by row: values and deltas of a layer.
    turned: [Vec<f64>; 2],
}

impl DoubleWorkspace {
    fn prepare(&mut self, network: &Mlp, second: bool) {
        let layers = network.layers();
        let mut sizes = vec![network.inputs()];
        sizes.extend(layers.iter().map(|layer| layer.outputs));
        let widest = sizes.iter().copied().max().unwrap_or(0);
        let shape = |table: &mut Vec<Vec<Lanes>>, sizes: &[usize]| {
            table.resize_with(sizes.len(), Vec::new);
            table.iter_mut().zip(sizes).for_each(|(line, size)| line.resize(*size, ZERO));
        };
        shape(&mut self.values, &sizes);
        shape(&mut self.slopes, &sizes[1..]);
        for line in [&mut self.delta, &mut self.before] {
            line.clear();
            line.resize(widest, ZERO);
        }
        if second {
            shape(&mut self.curvatures, &sizes[1..]);
            shape(&mut self.tangents, &sizes);
            shape(&mut self.sum_tangents, &sizes[1..]);
            // Inputs depend on no parameter.
            self.tangents[0].fill(ZERO);
            for line in [&mut self.delta_tangent, &mut self.before_tangent] {
                line.clear();
                line.resize(widest, ZERO);
            }
        }
        self.sums.clear();
    }
}

/// Mean loss of `params` over `rows`.
///
/// # Panics
/// If the shapes do not fit; likewise below.
pub fn loss(network: &Mlp, params: &[f64], rows: &Rows, memory: &mut DoubleWorkspace) -> f64 {
    check(network, params, rows);
    memory.prepare(network, false);
    vectorized(Pass { network, params, rows, memory, gradient: None })
}

/// Mean loss, and its gradient by the parameters written to `gradient`.
pub fn gradient(network: &Mlp, params: &[f64], rows: &Rows, gradient: &mut [f64], memory: &mut DoubleWorkspace) -> f64 {
    check(network, params, rows);
    assert_eq!(gradient.len(), params.len());
    memory.prepare(network, false);
    memory.sums.resize(params.len(), ZERO);
    #[cfg(test)]
    let before = kernel_counter::FORWARD.get();
    let loss = vectorized(Pass { network, params, rows, memory, gradient: Some(gradient) });
    #[cfg(test)]
    kernel_counter::IN_GRADIENTS.with(|count| count.set(count.get() + kernel_counter::FORWARD.get() - before));
    loss
}

/// The Hessian of the mean loss times `direction`, written to `product`: exact, by the R-operator (Pearlmutter 1994).
///
/// Three forward passes and five backward ones of one multiply-add a weight.
pub fn hessian_product(
    network: &Mlp,
    params: &[f64],
    direction: &[f64],
    rows: &Rows,
    product: &mut [f64],
    memory: &mut DoubleWorkspace,
) {
    check(network, params, rows);
    assert_eq!((direction.len(), product.len()), (params.len(), params.len()));
    memory.prepare(network, true);
    memory.sums.resize(params.len(), ZERO);
    vectorized(HessianPass { network, params, direction, rows, product, memory });
}

fn check(network: &Mlp, params: &[f64], rows: &Rows) {
    assert_eq!(params.len(), network.parameters());
    assert_eq!((rows.features(), rows.outputs()), (network.inputs(), network.outputs()));
}

/// Loss, with or without gradient.
struct Pass<'a> {
    network: &'a Mlp,
    params: &'a [f64],
    rows: &'a Rows,
    memory: &'a mut DoubleWorkspace,
    gradient: Option<&'a mut [f64]>,
}

impl Loop for Pass<'_> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let Pass { network, params, rows, memory, gradient } = self;
        let layers = network.layers();
        let mut losses = ZERO;
        for (first, live, vectors) in rows.tile_shapes() {
            for vector in 0..vectors {
                let live = live.saturating_sub(vector * LANES).min(LANES);
                load(rows, first, vectors, vector, &mut memory.values[0]);
                forward(layers, params, &mut memory.values, &mut memory.slopes, None);
                let outputs = &memory.values[layers.len()];
                let loss = head(network.head(), outputs, rows, (first, vectors, vector), &mut memory.delta, None);
                for lane in 0..live {
                    losses[lane] += loss[lane];
                }
                if gradient.is_none() {
                    continue;
                }
                keep_alive(&mut memory.delta, rows.outputs(), live);
                times(&mut memory.delta, &memory.slopes[layers.len() - 1]);
                for (index, layer) in layers.iter().enumerate().rev() {
                    add_outer(layer, &memory.delta, &memory.values[index], &mut memory.sums);
                    if index > 0 {
                        pass_back(layer, params, &memory.delta, &mut memory.before);
                        times(&mut memory.before, &memory.slopes[index - 1]);
                        std::mem::swap(&mut memory.delta, &mut memory.before);
                    }
                }
            }
        }
        let count = rows.count() as f64;
        if let Some(gradient) = gradient {
            add_up(&memory.sums, count, gradient);
        }
        losses.iter().sum::<f64>() / count
    }
}

struct HessianPass<'a> {
    network: &'a Mlp,
    params: &'a [f64],
    direction: &'a [f64],
    rows: &'a Rows,
    product: &'a mut [f64],
    memory: &'a mut DoubleWorkspace,
}

impl Loop for HessianPass<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let HessianPass { network, params, direction, rows, product, memory } = self;
        let layers = network.layers();
        for (first, live, vectors) in rows.tile_shapes() {
            for vector in 0..vectors {
                let live = live.saturating_sub(vector * LANES).min(LANES);
                load(rows, first, vectors, vector, &mut memory.values[0]);
                forward(layers, params, &mut memory.values, &mut memory.slopes, Some(&mut memory.curvatures));
                for (index, layer) in layers.iter().enumerate() {
                    // R{sum} = W R{x} + V x + v.
                    let sums = &mut memory.sum_tangents[index];
                    let (x, x_tangent) = (&memory.values[index], &memory.tangents[index]);
                    weighted(layer, direction, true, x, sums);
                    let mut more = std::mem::take(&mut memory.before_tangent);
                    weighted(layer, params, false, x_tangent, &mut more[..layer.outputs]);
                    let out = &mut memory.tangents[index + 1];
                    for unit in 0..layer.outputs {
                        for lane in 0..LANES {
                            sums[unit][lane] += more[unit][lane];
                            out[unit][lane] = memory.slopes[index][unit][lane] * sums[unit][lane];
                        }
                    }
                    memory.before_tangent = more;
                }
                let last = layers.len() - 1;
                let tangent = Some((&memory.tangents[last + 1][..], &mut memory.delta_tangent[..]));
                let at = (first, vectors, vector);
                head(network.head(), &memory.values[last + 1], rows, at, &mut memory.delta, tangent);
                keep_alive(&mut memory.delta, rows.outputs(), live);
                keep_alive(&mut memory.delta_tangent, rows.outputs(), live);
                for (index, layer) in layers.iter().enumerate().rev() {
                    // From derivatives by activations to those by sums: d ← f′ d, R{d} ← f′ R{d} + f″ R{sum} d.
                    for unit in 0..layer.outputs {
                        for lane in 0..LANES {
                            let d = memory.delta[unit][lane];
                            let bent = memory.curvatures[index][unit][lane] * memory.sum_tangents[index][unit][lane];
                            let slope = memory.slopes[index][unit][lane];
                            memory.delta_tangent[unit][lane] =
                                slope.mul_add(memory.delta_tangent[unit][lane], bent * d);
                            memory.delta[unit][lane] = slope * d;
                        }
                    }
                    add_outer(layer, &memory.delta_tangent, &memory.values[index], &mut memory.sums);
                    add_weights(layer, &memory.delta, &memory.tangents[index], &mut memory.sums);
                    if index > 0 {
                        pass_back(layer, params, &memory.delta_tangent, &mut memory.before_tangent);
                        pass_back(layer, direction, &memory.delta, &mut memory.before);
                        for unit in 0..layer.inputs {
                            for lane in 0..LANES {
                                memory.before_tangent[unit][lane] += memory.before[unit][lane];
                            }
                        }
                        pass_back(layer, params, &memory.delta, &mut memory.before);
                        std::mem::swap(&mut memory.delta, &mut memory.before);
                        std::mem::swap(&mut memory.delta_tangent, &mut memory.before_tangent);
                    }
                }
            }
        }
        add_up(&memory.sums, rows.count() as f64, product);
    }
}

/// Inputs of sixteen rows in lanes.
#[inline(always)]
fn load(rows: &Rows, first: usize, vectors: usize, vector: usize, to: &mut [Lanes]) {
    let tile = rows.tile(first);
    for (input, to) in to.iter_mut().enumerate() {
        let from = &tile[(input * vectors + vector) * LANES..][..LANES];
        for lane in 0..LANES {
            to[lane] = f64::from(from[lane]);
        }
    }
}

#[inline(always)]
fn forward(
    layers: &[Dense],
    params: &[f64],
    values: &mut [Vec<Lanes>],
    slopes: &mut [Vec<Lanes>],
    mut curvatures: Option<&mut Vec<Vec<Lanes>>>,
) {
    for (index, layer) in layers.iter().enumerate() {
        let (before, after) = values.split_at_mut(index + 1);
        weighted(layer, params, true, &before[index], &mut after[0]);
        #[cfg(test)]
        kernel_counter::FORWARD.with(|count| count.set(count.get() + (layer.weights.len() * LANES) as u64));
        if let Some(curvatures) = curvatures.as_mut() {
            for (to, sums) in curvatures[index].iter_mut().zip(&after[0]) {
                for lane in 0..LANES {
                    to[lane] = layer.activation.curvature(sums[lane]);
                }
            }
        }
        activate(layer.activation, &mut after[0], &mut slopes[index]);
    }
}

/// out = W x, and the thresholds where they are wanted; two units at a time, to keep more sums in flight.
#[inline(always)]
fn weighted(layer: &Dense, params: &[f64], biased: bool, x: &[Lanes], out: &mut [Lanes]) {
    let (weights, biases) = (&params[layer.weights.clone()], &params[layer.biases.clone()]);
    let bias = |unit: usize| if biased { biases[unit] } else { 0.0 };
    let inputs = layer.inputs;
    let mut unit = 0;
    while unit + 2 <= layer.outputs {
        let (one, two) = weights[unit * inputs..(unit + 2) * inputs].split_at(inputs);
        let (mut a, mut b) = ([bias(unit); LANES], [bias(unit + 1); LANES]);
        for ((x, one), two) in x.iter().zip(one).zip(two) {
            for lane in 0..LANES {
                a[lane] = one.mul_add(x[lane], a[lane]);
                b[lane] = two.mul_add(x[lane], b[lane]);
            }
        }
        (out[unit], out[unit + 1]) = (a, b);
        unit += 2;
    }
    if unit < layer.outputs {
        let mut a = [bias(unit); LANES];
        for (x, weight) in x.iter().zip(&weights[unit * inputs..(unit + 1) * inputs]) {
            for lane in 0..LANES {
                a[lane] = weight.mul_add(x[lane], a[lane]);
            }
        }
        out[unit] = a;
    }
    #[cfg(test)]
    counter::WORK.with(|count| count.set(count.get() + (layer.weights.len() * LANES) as u64));
}

/// Sums to activations, in place, and their derivatives.
#[inline(always)]
fn activate(activation: Activation, values: &mut [Lanes], slopes: &mut [Lanes]) {
    for (values, slopes) in values.iter_mut().zip(slopes) {
        match activation {
            Activation::Linear => *slopes = [1.0; LANES],
            Activation::Tanh => {
                for lane in 0..LANES {
                    let y = tanh(values[lane]);
                    values[lane] = y;
                    slopes[lane] = (-y).mul_add(y, 1.0);
                }
            }
            Activation::Logistic => {
                for lane in 0..LANES {
                    let y = logistic(values[lane]);
                    values[lane] = y;
                    slopes[lane] = y * (1.0 - y);
                }
            }
            Activation::Relu => {
                for lane in 0..LANES {
                    let x = values[lane];
                    values[lane] = if x < 0.0 { 0.0 } else { x };
                    slopes[lane] = if x > 0.0 { 1.0 } else { 0.0 };
                }
            }
            other => {
                for lane in 0..LANES {
                    (values[lane], slopes[lane]) = other.apply(values[lane]);
                }
            }
        }
    }
}

/// Losses of sixteen rows; their derivatives by the outputs go to `delta`. `tangent` holds the directional derivatives of
/// the outputs, and takes those of `delta`.
#[inline(always)]
fn head(
    head: Head,
    outputs: &[Lanes],
    rows: &Rows,
    (first, vectors, vector): (usize, usize, usize),
    delta: &mut [Lanes],
    tangent: Option<(&[Lanes], &mut [Lanes])>,
) -> Lanes {
    let tile = rows.target_tile(first);
    let target = |output: usize, lane: usize| f64::from(tile[(output * vectors + vector) * LANES + lane]);
    let count = outputs.len();
    let share = 1.0 / count as f64;
    let mut loss = ZERO;
    match head {
        Head::SoftmaxCrossEntropy => {
            let (mut highest, mut total, mut hit) = (outputs[0], ZERO, ZERO);
            for z in outputs {
                for lane in 0..LANES {
                    highest[lane] = if z[lane] > highest[lane] { z[lane] } else { highest[lane] };
                }
            }
            for output in 0..count {
                for lane in 0..LANES {
                    let distance = outputs[output][lane] - highest[lane];
                    hit[lane] = target(output, lane).mul_add(distance, hit[lane]);
                    delta[output][lane] = exp_nonpositive(distance);
                    total[lane] += delta[output][lane];
                }
            }
            for lane in 0..LANES {
                loss[lane] = libm::log(total[lane]) - hit[lane];
            }
            for probability in &mut delta[..count] {
                for lane in 0..LANES {
                    probability[lane] /= total[lane];
                }
            }
            if let Some((given, out)) = tangent {
                let mut mean = ZERO;
                for output in 0..count {
                    for lane in 0..LANES {
                        mean[lane] = delta[output][lane].mul_add(given[output][lane], mean[lane]);
                    }
                }
                for output in 0..count {
                    for lane in 0..LANES {
                        out[output][lane] = delta[output][lane] * (given[output][lane] - mean[lane]);
                    }
                }
            }
            for output in 0..count {
                for lane in 0..LANES {
                    delta[output][lane] -= target(output, lane);
                }
            }
        }
        Head::LogisticCrossEntropy => {
            let mut tangent = tangent;
            for output in 0..count {
                for lane in 0..LANES {
                    let (z, t) = (outputs[output][lane], target(output, lane));
                    let softplus = z.max(0.0) + libm::log1p(exp_nonpositive(-z.abs()));
                    loss[lane] = share.mul_add((-t).mul_add(z, softplus), loss[lane]);
                    let y = logistic(z);
                    delta[output][lane] = share * (y - t);
                    if let Some((given, out)) = &mut tangent {
                        out[output][lane] = share * y * (1.0 - y) * given[output][lane];
                    }
                }
            }
        }
        Head::Squared => {
            let mut tangent = tangent;
            for output in 0..count {
                for lane in 0..LANES {
                    let error = outputs[output][lane] - target(output, lane);
                    loss[lane] = (share * error).mul_add(error, loss[lane]);
                    delta[output][lane] = 2.0 * share * error;
                }
                if let Some((given, out)) = &mut tangent {
                    for lane in 0..LANES {
                        out[output][lane] = 2.0 * share * given[output][lane];
                    }
                }
            }
        }
    }
    loss
}

/// Puts 0 into lanes that hold no row.
#[inline(always)]
fn keep_alive(delta: &mut [Lanes], outputs: usize, live: usize) {
    for delta in &mut delta[..outputs] {
        delta[live..].fill(0.0);
    }
}

/// a ← a · b, lane by lane.
#[inline(always)]
fn times(a: &mut [Lanes], b: &[Lanes]) {
    for (a, b) in a.iter_mut().zip(b) {
        for lane in 0..LANES {
            a[lane] *= b[lane];
        }
    }
}

/// Derivatives by the inputs of a layer: Wᵀ delta, in the order of the units.
#[inline(always)]
fn pass_back(layer: &Dense, params: &[f64], delta: &[Lanes], before: &mut [Lanes]) {
    before[..layer.inputs].fill(ZERO);
    for (weights, delta) in params[layer.weights.clone()].chunks_exact(layer.inputs).zip(delta) {
        for (before, weight) in before.iter_mut().zip(weights) {
            for lane in 0..LANES {
                before[lane] = weight.mul_add(delta[lane], before[lane]);
            }
        }
    }
    #[cfg(test)]
    counter::WORK.with(|count| count.set(count.get() + (layer.weights.len() * LANES) as u64));
}

/// Running sums of delta xᵀ and of delta.
#[inline(always)]
fn add_outer(layer: &Dense, delta: &[Lanes], x: &[Lanes], sums: &mut [Lanes]) {
    add_weights(layer, delta, x, sums);
    for (sum, delta) in sums[layer.biases.clone()].iter_mut().zip(delta) {
        for lane in 0..LANES {
            sum[lane] += delta[lane];
        }
    }
}

/// Running sums of delta xᵀ.
#[inline(always)]
fn add_weights(layer: &Dense, delta: &[Lanes], x: &[Lanes], sums: &mut [Lanes]) {
    for (sums, delta) in sums[layer.weights.clone()].chunks_exact_mut(layer.inputs).zip(delta) {
        for (sum, x) in sums.iter_mut().zip(x) {
            for lane in 0..LANES {
                sum[lane] = delta[lane].mul_add(x[lane], sum[lane]);
            }
        }
    }
    #[cfg(test)]
    counter::WORK.with(|count| count.set(count.get() + (layer.weights.len() * LANES) as u64));
}

/// Running sums, added up in order, as means over the rows.
#[inline(always)]
fn add_up(sums: &[Lanes], count: f64, out: &mut [f64]) {
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = sum.iter().sum::<f64>() / count;
    }
}

/// Multiply-adds on weights that this thread has really done, padding included. Forward passes, and those that gradients
/// begin with, are also counted where the kernels count theirs.
#[cfg(test)]
mod counter {
    use std::cell::Cell;
    thread_local! {
        pub static WORK: Cell<u64> = const { Cell::new(0) };
    }
}

#[cfg(test)]
mod tests;
