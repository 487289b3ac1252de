//! Neuron by neuron, after the hidden units of both parents have been matched.

use super::{Cross, per_neuron};
use crate::cost::Cost;
use crate::evolve::Variation;
use crate::math::Rows;
use crate::math::assign;
use crate::network::Dense;
use crate::network::{Mlp, Workspace};
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// [`PerNeuron`](super::PerNeuron) between the first parent and the second with its hidden units put into the first's order.
///
/// Hidden units may stand in any order without changing what a network computes, and a unit with an odd activation may
/// change the sign of all its weights; so two good parents seldom have alike units in the same place. Here, layer by layer,
/// the units are matched by the assignment with the highest sum of correlations of their activations over all training
/// rows; of their absolute correlations where the activation is odd, and a unit that is matched to its mirror image has its
/// signs flipped. Other activations have no mirror image among the weights, so there a negative correlation is a bad match.
/// Units that do not vary over the rows correlate with none.
///
/// The passes that compute the activations are charged as forward passes of the layers up to the matched one, the
/// correlations as linear algebra: with many rows a child costs about as much as two evaluations. Equal parents are not
/// looked at. Prefer it where parents come from different families, so that plain exchange breaks more than it mixes.
///
/// Thierens 1996 (orders and signs of hidden units); Li et al. 2016 and Uriot & Izzo 2020 (matching by correlation).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aligned {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
}

impl Cross for Aligned {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cost(&self, network: &Mlp, rows: &Rows) -> Cost {
        let layers = network.layers();
        let mut cost = Cost::ZERO;
        let mut passed = 0;
        for layer in &layers[..layers.len() - 1] {
            passed += layer.weights.len();
            let products = rows.count() as u64 * (layer.outputs * layer.outputs + 2 * layer.outputs) as u64;
            cost += Cost::forward(passed, rows.count()).times(2) + Cost::linear_algebra(products);
        }
        cost
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        if child == other {
            return;
        }
        *context.cost += self.cost(context.network, context.rows);
        let mut aligned = std::mem::take(context.scratch);
        aligned.clear();
        aligned.resize(child.len(), 0.0);
        align(context.network, context.rows, child, other, &mut aligned, context.workspace);
        per_neuron::exchange(context.network, child, &aligned, context.rng);
        *context.scratch = aligned;
    }
}

/// A unit's place in the second parent and the sign that it takes on.
type Match = (usize, f32);

/// Writes `other` with its hidden units in the order and with the signs of `first` to `aligned`: the same function of
/// other weights. All three are parameter slices of `network`; units are matched by their activations over `rows`, as
/// [`Aligned`] says.
///
/// # Panics
/// If a slice is not as long as `network` has parameters.
pub fn align(network: &Mlp, rows: &Rows, first: &[f32], other: &[f32], aligned: &mut [f32], workspace: &mut Workspace) {
    let layers = network.layers();
    let in_place = |units| (0..units).map(|unit| (unit, 1.0)).collect();
    let mut inputs: Vec<Match> = in_place(network.inputs());
    for (index, layer) in layers.iter().enumerate() {
        let units = if index + 1 < layers.len() {
            matches(network, rows, [first, other], index, workspace)
        } else {
            in_place(layer.outputs)
        };
        copy_layer(layer, other, aligned, &inputs, &units);
        inputs = units;
    }
}

/// For each unit of `first` in hidden layer `index`, its match in `other`.
fn matches(
    network: &Mlp,
    rows: &Rows,
    [first, other]: [&[f32]; 2],
    index: usize,
    workspace: &mut Workspace,
) -> Vec<Match> {
    let layer = &network.layers()[index];
    let units = layer.outputs;
    let mut activations = |params: &[f32]| {
        let mut out = vec![0.0; rows.count() * units];
        network.activations(params, rows, index, &mut out, workspace);
        out
    };
    let correlations = correlations(&activations(first), &activations(other), units);

    let odd = layer.activation.is_odd();
    let costs: Vec<f64> = correlations.iter().map(|r| if odd { -r.abs() } else { -r }).collect();
    let mirrored = |unit: usize, place: usize| odd && correlations[unit * units + place] < 0.0;
    let sign = |(unit, place)| (place, if mirrored(unit, place) { -1.0 } else { 1.0 });
    assign(&costs, units).into_iter().enumerate().map(sign).collect()
}

/// Pearson correlations `[units × units]` between the columns of two `[rows × units]`; 0 where one does not vary.
fn correlations(first: &[f32], other: &[f32], units: usize) -> Vec<f64> {
    let (first, other) = (standardised(first, units), standardised(other, units));
    let mut products = vec![0.0; units * units];
    for (first, other) in first.chunks_exact(units).zip(other.chunks_exact(units)) {
        for (products, first) in products.chunks_exact_mut(units).zip(first) {
            products.iter_mut().zip(other).for_each(|(product, other)| *product += first * other);
        }
    }
    products
}

/// Columns with mean 0 and length 1; zeros where a column does not vary or is not finite.
fn standardised(activations: &[f32], units: usize) -> Vec<f64> {
    let mut out: Vec<f64> = activations.iter().map(|x| f64::from(*x)).collect();
    let rows = activations.len() / units;
    for unit in 0..units {
        let column = |out: &[f64]| out.iter().skip(unit).step_by(units).copied().collect::<Vec<f64>>();
        let mean = column(&out).iter().sum::<f64>() / rows as f64;
        let length = column(&out).iter().map(|x| (x - mean) * (x - mean)).sum::<f64>().sqrt();
        let varies = length.is_finite() && length > 0.0;
        for x in out.iter_mut().skip(unit).step_by(units) {
            *x = if varies { (*x - mean) / length } else { 0.0 };
        }
    }
    out
}

/// Writes a layer of `other` to `aligned` with its inputs and units in the places and with the signs given.
fn copy_layer(layer: &Dense, other: &[f32], aligned: &mut [f32], inputs: &[Match], units: &[Match]) {
    for (unit, (place, sign)) in units.iter().enumerate() {
        let row = layer.weights.start + unit * layer.inputs;
        let from = layer.weights.start + place * layer.inputs;
        for (input, (input_place, input_sign)) in inputs.iter().enumerate() {
            aligned[row + input] = sign * input_sign * other[from + input_place];
        }
        aligned[layer.biases.start + unit] = sign * other[layer.biases.start + place];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::{Fixture, rng};
    use crate::math::Activation;

    fn operator() -> Aligned {
        Aligned { rate: super::super::default_rate() }
    }

    /// `params` with hidden units shuffled and, where the activation is odd, some signs changed.
    fn disguised(fixture: &Fixture, params: &[f32], seed: u64) -> Vec<f32> {
        let mut rng = rng(seed);
        let mut out = vec![0.0; params.len()];
        let mut inputs: Vec<Match> = (0..fixture.network.inputs()).map(|unit| (unit, 1.0)).collect();
        for (index, layer) in fixture.network.layers().iter().enumerate() {
            let mut units: Vec<Match> = (0..layer.outputs).map(|unit| (unit, 1.0)).collect();
            if index + 1 < fixture.network.layers().len() {
                rng.shuffle(&mut units);
                let odd = layer.activation.is_odd();
                units.iter_mut().for_each(|unit| unit.1 = if odd && rng.coin() { -1.0 } else { 1.0 });
            }
            copy_layer(layer, params, &mut out, &inputs, &units);
            inputs = units;
        }
        out
    }

    #[test]
    fn a_parent_in_disguise_is_recognised() {
        let shapes: [&[(usize, Activation)]; 3] = [
            &[(6, Activation::Tanh), (5, Activation::Logistic)],
            &[(7, Activation::Tanh)],
            &[(3, Activation::Softplus), (4, Activation::Sin), (5, Activation::Tanh)],
        ];
        for hidden in shapes {
            let fixture = Fixture::with(hidden);
            for seed in 0..5 {
                let parent = fixture.genome(seed as usize);
                let other = disguised(&fixture, &parent, seed);
                assert_ne!(parent, other);
                let mut child = parent.clone();
                fixture.vary(seed, |context| operator().cross(&mut child, &other, context));
                assert_eq!(child, parent);
            }
        }
    }

    #[test]
    fn passes_and_correlations_are_charged() {
        let fixture = Fixture::new();
        let mut child = fixture.genome(0);
        let cost = fixture.vary(0, |context| operator().cross(&mut child, &fixture.genome(1), context));
        // 40 rows; layers of 4 x 6, 6 x 5 and 5 x 3, the second one computed through the first.
        let expected =
            Cost { forward: 2 * 40 * (24 + 24 + 30), linear_algebra: 40 * (36 + 12 + 25 + 10), ..Cost::ZERO };
        assert_eq!(cost, expected);
        let mut copy = fixture.genome(1);
        assert_eq!(fixture.vary(0, |context| operator().cross(&mut copy, &fixture.genome(1), context)), Cost::ZERO);
    }

    #[test]
    fn correlations_are_those_of_the_textbook() {
        // numpy 2.4.6: corrcoef([1, 2, 3, 5], [2, 1, 4, 3])[0, 1] = 0.529150262212918.
        let first = [1.0, 7.0, 2.0, 7.0, 3.0, 7.0, 5.0, 7.0];
        let other = [2.0, -1.0, 1.0, -2.0, 4.0, -3.0, 3.0, -5.0];
        let found = correlations(&first, &other, 2);
        let expected = [0.529150262212918, -1.0, 0.0, 0.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    }
}
