//! Passes in double precision over packed rows: what methods of second order ask of a network.
//!
//! Sixteen rows lie in lanes; every row's sum begins at the threshold and runs over the inputs in serial order with fused
//! multiply-add, as in the kernels of single precision. Sums over rows run in sixteen lanes, row r in lane r mod 16, that
//! are added up in order at the end; those of the Gram matrix run in the order of the rows. So the bits depend on no
//! instruction set. `reference` is the oracle.
// The loops name their lanes.
#![allow(clippy::needless_range_loop)]

use crate::math::double::{LANES, Lanes, add_gram, exp_nonpositive, logistic, padded, tanh};
#[cfg(test)]
use crate::math::kernel::counter as kernel_counter;
use crate::math::kernel::{Loop, vectorized};
use crate::math::{Activation, Rows};
use crate::network::{Dense, Head, Mlp};

const ZERO: Lanes = [0.0; LANES];
/// Rows of the Jacobian that are gathered before they are multiplied.
const GATHERED: usize = 64;

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
    /// Numbers that a Gram matrix of so many parameters takes besides the result.
    pub fn gram_numbers(parameters: u64) -> u64 {
        let columns = (parameters + 1).next_multiple_of(8);
        columns * (columns + GATHERED as u64)
    }

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

/// With the residuals e = output − target of all rows and outputs and their Jacobian J by the parameters: JᵀJ, its lower
/// triangle written to `gram` (`[parameters × parameters]`), and Jᵀe, written to `pull`. Returns the mean of e².
///
/// # Panics
/// If the loss is not the mean squared error, too.
pub fn gauss_newton(
    network: &Mlp,
    params: &[f64],
    rows: &Rows,
    gram: &mut [f64],
    pull: &mut [f64],
    memory: &mut DoubleWorkspace,
) -> f64 {
    check(network, params, rows);
    assert_eq!(network.head(), Head::Squared, "residuals are those of the mean squared error");
    let parameters = params.len();
    assert_eq!((gram.len(), pull.len()), (parameters * parameters, parameters));
    memory.prepare(network, false);
    let columns = padded(parameters + 1);
    memory.gram.clear();
    memory.gram.resize(columns * columns, 0.0);
    memory.jacobian.clear();
    memory.jacobian.resize(GATHERED * columns, 0.0);
    let widest = memory.delta.len() * LANES;
    memory.turned.iter_mut().for_each(|line| line.resize(widest, 0.0));
    vectorized(JacobianPass { network, params, rows, columns, memory });
    for row in 0..parameters {
        gram[row * parameters..][..=row].copy_from_slice(&memory.gram[row * columns..][..=row]);
    }
    pull.copy_from_slice(&memory.gram[parameters * columns..][..parameters]);
    memory.gram[parameters * columns + parameters] / (rows.count() * rows.outputs()) as f64
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

/// Fills `memory.gram` with [J e]ᵀ[J e].
struct JacobianPass<'a> {
    network: &'a Mlp,
    params: &'a [f64],
    rows: &'a Rows,
    columns: usize,
    memory: &'a mut DoubleWorkspace,
}

impl Loop for JacobianPass<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let JacobianPass { network, params, rows, columns, memory } = self;
        let layers = network.layers();
        let last = layers.len() - 1;
        let mut gathered = 0;
        for (first, live, vectors) in rows.tile_shapes() {
            for vector in 0..vectors {
                let live = live.saturating_sub(vector * LANES).min(LANES);
                load(rows, first, vectors, vector, &mut memory.values[0]);
                forward(layers, params, &mut memory.values, &mut memory.slopes, None);
                for output in 0..rows.outputs() {
                    if gathered + live > GATHERED {
                        add_gram(&memory.jacobian[..gathered * columns], columns, &mut memory.gram);
                        gathered = 0;
                    }
                    let to = &mut memory.jacobian[gathered * columns..][..live * columns];
                    gathered += live;
                    let targets = &rows.target_tile(first)[(output * vectors + vector) * LANES..][..LANES];
                    for (lane, row) in to.chunks_exact_mut(columns).enumerate() {
                        row[params.len()] = memory.values[last + 1][output][lane] - f64::from(targets[lane]);
                    }
                    memory.delta[..rows.outputs()].fill(ZERO);
                    memory.delta[output] = memory.slopes[last][output];
                    for (index, layer) in layers.iter().enumerate().rev() {
                        write_rows(layer, &memory.delta, &memory.values[index], &mut memory.turned, to, columns);
                        if index > 0 {
                            pass_back(layer, params, &memory.delta, &mut memory.before);
                            times(&mut memory.before, &memory.slopes[index - 1]);
                            std::mem::swap(&mut memory.delta, &mut memory.before);
                        }
                    }
                }
            }
        }
        add_gram(&memory.jacobian[..gathered * columns], columns, &mut memory.gram);
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

/// delta xᵀ and delta of each row, written to its columns.
#[inline(always)]
fn write_rows(layer: &Dense, delta: &[Lanes], x: &[Lanes], turned: &mut [Vec<f64>; 2], to: &mut [f64], columns: usize) {
    let [values, deltas] = turned;
    turn(&x[..layer.inputs], values);
    turn(&delta[..layer.outputs], deltas);
    for (lane, row) in to.chunks_exact_mut(columns).enumerate() {
        let x = &values[lane * layer.inputs..][..layer.inputs];
        let delta = &deltas[lane * layer.outputs..][..layer.outputs];
        let (weights, biases) = row[layer.weights.start..layer.biases.end].split_at_mut(layer.weights.len());
        if let [x] = x {
            for (to, delta) in weights.iter_mut().zip(delta) {
                *to = delta * x;
            }
        } else {
            for (to, delta) in weights.chunks_exact_mut(layer.inputs).zip(delta) {
                for (to, x) in to.iter_mut().zip(x) {
                    *to = delta * x;
                }
            }
        }
        biases.copy_from_slice(delta);
    }
    #[cfg(test)]
    counter::WORK.with(|count| count.set(count.get() + (layer.weights.len() * LANES) as u64));
}

/// From units of lanes to rows of units.
#[inline(always)]
fn turn(from: &[Lanes], to: &mut [f64]) {
    let units = from.len();
    for (lane, row) in to[..units * LANES].chunks_exact_mut(units).enumerate() {
        for (to, from) in row.iter_mut().zip(from) {
            *to = from[lane];
        }
    }
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
mod tests {
    use super::*;
    use crate::math::kernel::{Isa, vectorized_on};
    use crate::network::{Loss, Output, reference};
    use crate::rng::{Purpose, Streams};

    /// Networks of all heads and kinds of activation, with odd and even widths, and some number of rows.
    fn cases() -> Vec<(Mlp, usize)> {
        let mlp = |inputs, hidden: &[(usize, Activation)], outputs, output, loss| {
            Mlp::new(inputs, hidden, outputs, output, loss).unwrap()
        };
        use Activation::*;
        let (squared, entropy) = (Loss::MeanSquared, Loss::CrossEntropy);
        vec![
            (mlp(1, &[(10, Tanh)], 1, Output::Linear, squared), 50),
            (mlp(3, &[(5, Logistic), (4, Tanh)], 2, Output::Tanh, squared), 17),
            (mlp(4, &[(3, Silu)], 3, Output::Logistic, squared), 16),
            (mlp(2, &[(7, Gelu), (3, Softplus)], 3, Output::Softmax, entropy), 100),
            (mlp(2, &[(3, Sin), (2, Gaussian)], 2, Output::Logistic, entropy), 7),
            (mlp(5, &[], 1, Output::Linear, squared), 1),
            (mlp(2, &[(4, Square), (3, Cos)], 1, Output::Linear, squared), 20),
        ]
    }

    struct Case {
        network: Mlp,
        rows: Rows,
        inputs: Vec<f64>,
        targets: Vec<f64>,
        params: Vec<f64>,
        direction: Vec<f64>,
    }

    fn case((network, count): (Mlp, usize)) -> Case {
        let mut rng = Streams::new(5).stream(Purpose::Arm, 0, count as u64);
        let inputs: Vec<f32> = (0..count * network.inputs()).map(|_| rng.between(-1.5, 1.5)).collect();
        let mut targets = vec![0.0_f32; count * network.outputs()];
        for row in targets.chunks_mut(network.outputs()) {
            row[rng.below(network.outputs())] = 1.0;
        }
        let normal = |rng: &mut crate::rng::Rng| (0..network.parameters()).map(|_| 0.7 * rng.normal()).collect();
        let (params, direction) = (normal(&mut rng), normal(&mut rng));
        let wide = |numbers: &[f32]| numbers.iter().map(|x| f64::from(*x)).collect();
        Case {
            rows: Rows::new(&inputs, &targets, network.inputs(), network.outputs()),
            inputs: wide(&inputs),
            targets: wide(&targets),
            network,
            params,
            direction,
        }
    }

    #[track_caller]
    fn near(ours: &[f64], theirs: &[f64], tolerance: f64) {
        let scale = theirs.iter().fold(1e-3_f64, |most, x| most.max(x.abs()));
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() <= tolerance * scale, "{a} {b} of {scale}");
        }
    }

    #[test]
    fn loss_and_gradient_are_those_of_the_plain_twin() {
        for case in cases().into_iter().map(case) {
            let Case { network, rows, inputs, targets, params, .. } = &case;
            let mut memory = DoubleWorkspace::default();
            let mut ours = vec![0.0; params.len()];
            let loss_with = gradient(network, params, rows, &mut ours, &mut memory);
            let (expected, theirs) = reference::gradient(network, params, inputs, targets);
            near(&[loss_with, loss(network, params, rows, &mut memory)], &[expected; 2], 1e-14);
            near(&ours, &theirs, 1e-13);
        }
    }

    #[test]
    fn hessian_products_are_central_differences_of_the_gradient() {
        for case in cases().into_iter().map(case) {
            let Case { network, rows, inputs, targets, params, direction } = &case;
            let mut ours = vec![0.0; params.len()];
            hessian_product(network, params, direction, rows, &mut ours, &mut DoubleWorkspace::default());
            let at = |distance: f64| {
                let moved: Vec<f64> = params.iter().zip(direction).map(|(x, d)| x + distance * d).collect();
                reference::gradient(network, &moved, inputs, targets).1
            };
            let difference =
                |h: f64| -> Vec<f64> { at(h).iter().zip(at(-h)).map(|(up, down)| (up - down) / (2.0 * h)).collect() };
            // Two of them, so that the errors of second order cancel.
            let theirs: Vec<f64> =
                difference(1e-4).iter().zip(difference(2e-4)).map(|(near, far)| (4.0 * near - far) / 3.0).collect();
            near(&ours, &theirs, 1e-8);
        }
    }

    #[test]
    fn gauss_newton_is_made_of_the_jacobian_of_the_residuals() {
        for case in cases().into_iter().map(case).filter(|case| case.network.head() == Head::Squared) {
            let Case { network, rows, inputs, targets, params, .. } = &case;
            let (parameters, outputs) = (params.len(), network.outputs());
            let (mut gram, mut pull) = (vec![0.0; parameters * parameters], vec![0.0; parameters]);
            let mut memory = DoubleWorkspace::default();
            let mean = gauss_newton(network, params, rows, &mut gram, &mut pull, &mut memory);
            near(&[mean], &[reference::loss(network, params, inputs, targets)], 1e-13);
            // The gradient of the mean of e² is 2 Jᵀe / count.
            let (_, gradient) = reference::gradient(network, params, inputs, targets);
            let scaled: Vec<f64> = pull.iter().map(|g| 2.0 * g / (rows.count() * outputs) as f64).collect();
            near(&scaled, &gradient, 1e-12);
            // One residual at a time: a row with the output itself as target has the loss e² = 0 and the Hessian
            // 2 jjᵀ / outputs, so that jᵀv comes out of the twin's gradient at a target that is off by 1.
            let mut expected = vec![0.0; parameters * parameters];
            for row in 0..rows.count() {
                let input = &inputs[row * network.inputs()..][..network.inputs()];
                for output in 0..outputs {
                    let slope = |shift: f64| {
                        let mut target = vec![0.0; outputs];
                        target[output] = shift;
                        reference::gradient(network, params, input, &target).1
                    };
                    // d/dp mean (y − t)² is linear in t: the difference of two targets leaves −2 j / outputs.
                    let (zero, one) = (slope(0.0), slope(1.0));
                    let j: Vec<f64> = zero.iter().zip(&one).map(|(a, b)| 0.5 * outputs as f64 * (a - b)).collect();
                    for p in 0..parameters {
                        for q in 0..=p {
                            expected[p * parameters + q] += j[p] * j[q];
                        }
                    }
                }
            }
            near(&gram, &expected, 1e-12);
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for case in cases().into_iter().map(case) {
            let Case { network, rows, params, direction, .. } = &case;
            let mut before: Option<Vec<u64>> = None;
            for isa in Isa::available() {
                let mut memory = DoubleWorkspace::default();
                let mut all = Vec::new();
                let mut out = vec![0.0; params.len()];
                memory.prepare(network, false);
                memory.sums.resize(params.len(), ZERO);
                let gradient = Some(&mut out[..]);
                all.push(vectorized_on(isa, Pass { network, params, rows, memory: &mut memory, gradient }));
                all.extend(&out);
                memory.prepare(network, true);
                memory.sums.resize(params.len(), ZERO);
                let (product, memory) = (&mut out[..], &mut memory);
                vectorized_on(isa, HessianPass { network, params, direction, rows, product, memory });
                all.extend(&out);
                let bits: Vec<u64> = all.iter().map(|x| x.to_bits()).collect();
                assert_eq!(*before.get_or_insert_with(|| bits.clone()), bits, "{isa:?}");
            }
        }
    }

    #[test]
    fn passes_do_the_work_that_is_said() {
        let Case { network, rows, params, direction, .. } = case((
            Mlp::new(3, &[(5, Activation::Tanh), (4, Activation::Tanh)], 2, Output::Linear, Loss::MeanSquared).unwrap(),
            32,
        ));
        // Derivatives by the inputs of the first layer are wanted by nobody.
        let (all, deeper, rows_now) = (15 + 20 + 8, 20 + 8, 32);
        let (mut memory, mut out) = (DoubleWorkspace::default(), vec![0.0; params.len()]);
        let mut gram = vec![0.0; params.len() * params.len()];
        let counted = |work: &mut dyn FnMut()| {
            let before = (kernel_counter::FORWARD.get(), counter::WORK.get());
            work();
            (kernel_counter::FORWARD.get() - before.0, counter::WORK.get() - before.1)
        };
        let expected = |forward: u64, backward: u64| (all * rows_now, (all * forward + backward) * rows_now);
        assert_eq!(counted(&mut || _ = loss(&network, &params, &rows, &mut memory)), expected(1, 0));
        let found = counted(&mut || _ = gradient(&network, &params, &rows, &mut out, &mut memory));
        assert_eq!(found, expected(1, deeper + all));
        let found = counted(&mut || hessian_product(&network, &params, &direction, &rows, &mut out, &mut memory));
        assert_eq!(found, expected(3, 3 * deeper + 2 * all));
        // Each of two outputs passes back and is written.
        let found = counted(&mut || _ = gauss_newton(&network, &params, &rows, &mut gram, &mut out, &mut memory));
        assert_eq!(found, expected(1, 2 * (deeper + all)));
    }
}
