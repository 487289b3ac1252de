//! The Gram matrix of residuals by the parameters: what the methods of Gauss and Newton and of Levenberg ask for.

#[cfg(test)]
use super::counter;
use super::{DoubleWorkspace, ZERO, check, forward, load, pass_back, times};
use crate::math::Rows;
use crate::math::double::{LANES, Lanes, add_gram, padded};
use crate::math::kernel::{Loop, vectorized};
use crate::network::{Dense, Head, Mlp};

/// Rows of the Jacobian that are gathered before they are multiplied.
const GATHERED: usize = 64;

impl DoubleWorkspace {
    /// Numbers that a Gram matrix of so many parameters takes besides the result.
    pub fn gram_numbers(parameters: u64) -> u64 {
        let columns = (parameters + 1).next_multiple_of(8);
        columns * (columns + GATHERED as u64)
    }
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
