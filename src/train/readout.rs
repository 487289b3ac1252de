//! The output layer in closed form: least squares on what the last hidden layer says.

use crate::cost::Cost;
use crate::math::Rows;
use crate::math::least_squares::NormalEquations;
use crate::network::{Mlp, Output, Workspace};

/// How strongly weights are held near 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    /// So many times the mean variance of the activations.
    OfVariance(f64),
    /// This number itself.
    PerRow(f64),
}

/// What the sums of the output layer should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Targets `[rows × outputs]` around their mean.
    pub around: Vec<f64>,
    /// The sums that fit the mean of all rows, `[outputs]`.
    pub middle: Vec<f64>,
}

impl Wanted {
    /// For linear outputs the targets; for others the first step of Newton's method from equal probabilities, which is a
    /// least-squares problem: 4(t − ½) for logistic outputs, 2(t − ½) on either side of a threshold, and `scale` · (t − share of the class) for softmax (K for K
    /// classes is Newton's).
    pub fn of(network: &Mlp, rows: &Rows, scale: f64) -> Wanted {
        let (outputs, count) = (rows.outputs(), rows.count() as f64);
        let mut mean = vec![0.0; outputs];
        rows.targets().chunks_exact(outputs).for_each(|row| {
            mean.iter_mut().zip(row).for_each(|(mean, t)| *mean += f64::from(*t) / count);
        });
        let factor = match network.output() {
            Output::Softmax => scale,
            Output::Logistic => 4.0,
            Output::Step => 2.0,
            Output::Linear | Output::Tanh => 1.0,
        };
        let around = rows.targets().chunks_exact(outputs).flat_map(|row| {
            row.iter().zip(&mean).map(|(t, mean)| factor * (f64::from(*t) - mean)).collect::<Vec<f64>>()
        });
        let around = around.collect();
        let middle = match network.output() {
            Output::Softmax => {
                // No class has probability 0 only because the rows lack it.
                let prior: Vec<f64> = mean
                    .iter()
                    .map(|share| libm::log((share * count + 0.5) / (count + 0.5 * outputs as f64)))
                    .collect();
                let middle = prior.iter().sum::<f64>() / outputs as f64;
                prior.iter().map(|log| log - middle).collect()
            }
            Output::Logistic | Output::Step => mean.iter().map(|share| factor * (share - 0.5)).collect(),
            Output::Linear | Output::Tanh => mean,
        };
        Wanted { around, middle }
    }
}

/// Sets the output layer of `params` to the least-squares solution on the `last` activations `[rows × units]`. Activations
/// that are not finite, or never vary, leave outputs that fit the mean of all rows.
pub fn solve(network: &Mlp, wanted: &Wanted, last: &[f32], penalty: Penalty, params: &mut [f32]) {
    let output = network.layers().last().expect("a network has layers");
    let h = output.inputs;
    let equations = NormalEquations::of(last, &wanted.around, h, output.outputs);
    let mean = equations.mean.clone();
    let added = match penalty {
        // Activations that do not vary tell nothing: any penalty then gives weights of 0.
        Penalty::OfVariance(share) if equations.variance() > 0.0 => share * equations.variance(),
        Penalty::OfVariance(_) => 1.0,
        Penalty::PerRow(penalty) => penalty,
    };
    let weights = equations.solve(added).unwrap_or_else(|| vec![0.0; h * output.outputs]);
    params[output.weights.clone()].iter_mut().zip(&weights).for_each(|(weight, w)| *weight = *w as f32);
    for ((bias, middle), weights) in
        params[output.biases.clone()].iter_mut().zip(&wanted.middle).zip(weights.chunks_exact(h))
    {
        let used: f64 = weights.iter().zip(&mean).filter(|(w, _)| **w != 0.0).map(|(w, mean)| w * mean).sum();
        *bias = (middle - used) as f32;
    }
}

/// What [`solve`] costs on `rows` rows.
pub fn solve_cost(network: &Mlp, rows: usize) -> Cost {
    let output = network.layers().last().expect("a network has layers");
    NormalEquations::cost(output.inputs, output.outputs, rows)
        + NormalEquations::solve_cost(output.inputs, output.outputs)
}

/// Bytes of the activations, targets and matrices that [`solve`] takes on `rows` rows.
pub fn solve_bytes(network: &Mlp, rows: usize) -> u64 {
    let output = network.layers().last().expect("a network has layers");
    NormalEquations::bytes(output.inputs, output.outputs, rows)
}

/// Stretchings of solved outputs that are tried where outputs are not linear.
const STRETCHINGS: [f64; 5] = [0.5, 1.0, 1.6, 2.5, 4.0];

/// Solves the output layer of `params` on all `rows`, with their hidden layers as they are. Outputs that are not linear
/// are stretched around their middle by the best of ½, 1, 1.6, 2.5 and 4, by the true loss: one step of Newton's method
/// knows the direction, not the length. Charges what [`closed_form_cost`] says.
pub fn closed_form(
    network: &Mlp,
    rows: &Rows,
    penalty: f64,
    params: &mut [f32],
    workspace: &mut Workspace,
    cost: &mut Cost,
) {
    *cost += closed_form_cost(network, rows.count());
    let output = network.layers().last().expect("a network has layers");
    let hidden = network.layers().len() - 1;
    let mut last = vec![0.0; rows.count() * output.inputs];
    last_activations(network, rows, params, &mut last, workspace);
    let wanted = Wanted::of(network, rows, output.outputs as f64);
    solve(network, &wanted, &last, Penalty::PerRow(penalty), params);
    let Some(stretch) = stretching(network) else { return };
    let k = output.outputs;
    let mut sums = vec![0.0; rows.count() * k];
    network.sums(params, rows, hidden, &mut sums, workspace);
    let sums = Rows::new(&sums, rows.targets(), k, k);
    let loss_at = |factor: f64, workspace: &mut Workspace| {
        let mut line = vec![0.0_f32; stretch.parameters()];
        for (unit, middle) in wanted.middle.iter().enumerate() {
            line[unit * k + unit] = factor as f32;
            line[k * k + unit] = ((1.0 - factor) * middle) as f32;
        }
        stretch.loss(&line, &sums, workspace)
    };
    let mut best = (f64::INFINITY, 1.0);
    for factor in STRETCHINGS {
        let loss = loss_at(factor, workspace);
        if loss < best.0 {
            best = (loss, factor);
        }
    }
    let factor = best.1;
    params[output.weights.clone()].iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
    for (bias, middle) in params[output.biases.clone()].iter_mut().zip(&wanted.middle) {
        *bias = (factor * f64::from(*bias) + (1.0 - factor) * middle) as f32;
    }
}

/// What [`closed_form`] costs on `rows` rows: the hidden layers, the regression, and, where outputs are not linear, one
/// pass for their sums and a little for the loss of each stretching.
pub fn closed_form_cost(network: &Mlp, rows: usize) -> Cost {
    let output = network.layers().last().expect("a network has layers");
    let hidden = Cost::forward(network.multiply_adds() - output.weights.len(), rows);
    let stretching = match stretching(network) {
        Some(stretch) => {
            Cost::forward(network.multiply_adds(), rows)
                + Cost::forward(stretch.multiply_adds(), rows).times(STRETCHINGS.len() as u64)
        }
        None => Cost::ZERO,
    };
    hidden + solve_cost(network, rows) + stretching
}

/// Bytes that [`closed_form`] takes on `rows` rows.
pub fn closed_form_bytes(network: &Mlp, rows: usize) -> u64 {
    let outputs = network.outputs();
    let stretching = if stretching(network).is_some() { Rows::bytes(rows, outputs, outputs) as u64 } else { 0 };
    solve_bytes(network, rows) + stretching
}

/// Activations of the last hidden layer; the inputs, where there is none.
fn last_activations(network: &Mlp, rows: &Rows, params: &[f32], out: &mut [f32], workspace: &mut Workspace) {
    match network.layers().len() {
        1 => (0..rows.count()).zip(out.chunks_exact_mut(rows.features())).for_each(|(row, out)| {
            out.copy_from_slice(rows.input(row));
        }),
        layers => network.activations(params, rows, layers - 2, out, workspace),
    }
}

/// A network from the sums of the output layer to the loss; none, where the sums are the outputs.
fn stretching(network: &Mlp) -> Option<Mlp> {
    if network.output() == Output::Linear {
        return None;
    }
    let outputs = network.outputs();
    Some(Mlp::new(outputs, &[], outputs, network.output(), network.loss_kind()).expect("as the network itself"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::Loss;
    use crate::rng::{Purpose, Streams};

    /// Rows of 3 inputs; two targets between `low` and 1 that a few units can nearly tell.
    fn rows(low: f32) -> Rows {
        let mut rng = Streams::new(2).stream(Purpose::Synthetic, 0, 0);
        let mut inputs = vec![0.0; 90 * 3];
        rng.fill_normal(&mut inputs, 1.0);
        let targets: Vec<f32> = inputs
            .chunks(3)
            .flat_map(|x| {
                let first = x[0] * x[1] > 0.0;
                [if first { 1.0 } else { low }, if first { low } else { 1.0 }]
            })
            .collect();
        Rows::new(&inputs, &targets, 3, 2)
    }

    #[test]
    fn solved_outputs_beat_drawn_ones_and_no_stretching_is_better() {
        for (output, loss, low) in [
            (Output::Linear, Loss::MeanSquared, 0.0),
            (Output::Tanh, Loss::MeanSquared, -1.0),
            (Output::Logistic, Loss::MeanSquared, 0.0),
            (Output::Logistic, Loss::CrossEntropy, 0.0),
            (Output::Softmax, Loss::CrossEntropy, 0.0),
        ] {
            let rows = rows(low);
            let network = Mlp::new(3, &[(20, Activation::Tanh)], 2, output, loss).unwrap();
            let mut params = vec![0.0; network.parameters()];
            Streams::new(5).stream(Purpose::Initialize, 0, 0).fill_normal(&mut params, 1.0);
            let mut workspace = Workspace::new();
            let drawn = network.loss(&params, &rows, &mut workspace);
            let mut cost = Cost::ZERO;
            closed_form(&network, &rows, 1e-3, &mut params, &mut workspace, &mut cost);
            assert_eq!(cost, closed_form_cost(&network, 90));
            let solved = network.loss(&params, &rows, &mut workspace);
            assert!(solved < 0.5 * drawn, "{output:?} {loss:?}: {solved} of {drawn}");
            // Half as long or twice as long would be no better, or it would have been chosen.
            for factor in [0.4, 2.0] {
                let mut other = params.clone();
                let last = &network.layers()[1];
                let wanted = Wanted::of(&network, &rows, 2.0);
                other[last.weights.clone()].iter_mut().for_each(|w| *w *= factor);
                for (bias, middle) in other[last.biases.clone()].iter_mut().zip(&wanted.middle) {
                    *bias = factor * *bias + (1.0 - factor) * *middle as f32;
                }
                assert!(network.loss(&other, &rows, &mut workspace) > solved, "{output:?} {loss:?} {factor}");
            }
        }
    }

    #[test]
    fn activations_that_are_not_finite_leave_the_mean() {
        let rows = rows(0.0);
        let network = Mlp::new(3, &[(2, Activation::Linear)], 2, Output::Linear, Loss::MeanSquared).unwrap();
        let mut params = vec![f32::MAX; network.parameters()];
        let mut cost = Cost::ZERO;
        closed_form(&network, &rows, 1e-3, &mut params, &mut Workspace::new(), &mut cost);
        let output = &network.layers()[1];
        assert!(params[output.weights.clone()].iter().all(|w| *w == 0.0));
        let mean = rows.targets().iter().step_by(2).sum::<f32>() / 90.0;
        assert!((params[output.biases.start] - mean).abs() < 1e-6);
    }
}
