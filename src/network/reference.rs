//! The plain twin of the kernels: the same network in double precision, one row and one unit at a time.
//!
//! Slow and easy to read; the oracle that the fast code is held against.

use crate::network::{Head, Mlp};

/// Activations of all layers for one row of inputs, first hidden layer to outputs; each with its derivatives.
fn forward(network: &Mlp, params: &[f64], input: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let mut values = input.to_vec();
    let mut layers = Vec::new();
    for layer in network.layers() {
        let weights = &params[layer.weights.clone()];
        let biases = &params[layer.biases.clone()];
        let units: Vec<(f64, f64)> = (0..layer.outputs)
            .map(|unit| {
                let row = &weights[unit * layer.inputs..(unit + 1) * layer.inputs];
                let sum = biases[unit] + row.iter().zip(&values).map(|(w, x)| w * x).sum::<f64>();
                layer.activation.apply(sum)
            })
            .collect();
        values = units.iter().map(|unit| unit.0).collect();
        layers.push(units);
    }
    layers
}

/// Loss of one row and its derivatives by the outputs (before softmax or logistic of a cross-entropy).
pub(super) fn row_loss(head: Head, outputs: &[f64], targets: &[f64]) -> (f64, Vec<f64>) {
    let share = 1.0 / outputs.len() as f64;
    match head {
        Head::SoftmaxCrossEntropy => {
            let highest = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = outputs.iter().map(|z| libm::exp(z - highest)).sum();
            let log_total = highest + libm::log(total);
            let loss = outputs.iter().zip(targets).map(|(z, t)| t * (log_total - z)).sum();
            (loss, outputs.iter().zip(targets).map(|(z, t)| libm::exp(z - log_total) - t).collect())
        }
        Head::LogisticCrossEntropy => {
            let one = |z: f64, t: f64| z.max(0.0) - t * z + libm::log1p(libm::exp(-z.abs()));
            let loss = outputs.iter().zip(targets).map(|(z, t)| share * one(*z, *t)).sum();
            let slope = |z: f64, t: f64| share * (1.0 / (1.0 + libm::exp(-z)) - t);
            (loss, outputs.iter().zip(targets).map(|(z, t)| slope(*z, *t)).collect())
        }
        Head::Squared => {
            let loss = outputs.iter().zip(targets).map(|(y, t)| share * (y - t) * (y - t)).sum();
            (loss, outputs.iter().zip(targets).map(|(y, t)| 2.0 * share * (y - t)).collect())
        }
    }
}

/// Mean loss over rows given row-major: `inputs` `[rows × features]`, `targets` `[rows × outputs]`.
pub fn loss(network: &Mlp, params: &[f64], inputs: &[f64], targets: &[f64]) -> f64 {
    let rows = inputs.chunks_exact(network.inputs()).zip(targets.chunks_exact(network.outputs()));
    let count = rows.len() as f64;
    rows.map(|(input, target)| {
        let layers = forward(network, params, input);
        let outputs: Vec<f64> = layers[layers.len() - 1].iter().map(|unit| unit.0).collect();
        row_loss(network.head(), &outputs, target).0
    })
    .sum::<f64>()
        / count
}

/// Mean loss and its gradient by the parameters.
pub fn gradient(network: &Mlp, params: &[f64], inputs: &[f64], targets: &[f64]) -> (f64, Vec<f64>) {
    let mut total = 0.0;
    let mut gradient = vec![0.0; params.len()];
    let rows = inputs.chunks_exact(network.inputs()).zip(targets.chunks_exact(network.outputs()));
    let count = rows.len() as f64;
    for (input, target) in rows {
        let layers = forward(network, params, input);
        let last = &layers[layers.len() - 1];
        let outputs: Vec<f64> = last.iter().map(|unit| unit.0).collect();
        let (loss, by_output) = row_loss(network.head(), &outputs, target);
        total += loss;
        let mut delta: Vec<f64> = by_output.iter().zip(last).map(|(d, unit)| d * unit.1).collect();
        for (index, layer) in network.layers().iter().enumerate().rev() {
            let below: Vec<f64> =
                if index == 0 { input.to_vec() } else { layers[index - 1].iter().map(|unit| unit.0).collect() };
            let mut passed = vec![0.0; layer.inputs];
            for (unit, d) in delta.iter().enumerate() {
                gradient[layer.biases.start + unit] += d / count;
                for (input, value) in below.iter().enumerate() {
                    let at = layer.weights.start + unit * layer.inputs + input;
                    gradient[at] += d * value / count;
                    passed[input] += d * params[at];
                }
            }
            if index > 0 {
                delta = passed.iter().zip(&layers[index - 1]).map(|(d, unit)| d * unit.1).collect();
            }
        }
    }
    (total / count, gradient)
}
