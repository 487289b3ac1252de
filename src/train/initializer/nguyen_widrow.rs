//! Nguyen–Widrow: the active regions of the units spread over the range of the inputs.

use super::Initialize;
use crate::cost::Cost;
use crate::error::Result;
use crate::math::{Activation, Rows};
use crate::network::{Dense, Loss, Mlp, Output};
use crate::rng::Rng;

/// The rule of Nguyen & Widrow 1990 in the form of the neural network toolbox; other libraries' variants differ.
///
/// For R inputs that are not constant and S units: β = 0.7 · S^(1/R); rows are random directions (normalised
/// U(−1, 1)) of length β, thresholds β · linspace(−1, 1, S) with the sign of the unit's first weight (0 for one unit).
/// Then the sums −1 … 1 are mapped to the activation's active range (`Tanh` ±2, `Logistic` ±4), and the inputs' ranges
/// to −1 … 1. Weights of constant inputs are 0.
///
/// Ranges of the first layer are those of the training rows; reading them needs no multiply-add and is not charged.
/// Deeper layers take the range of the activation before them. A layer whose active range or input range is not finite
/// starts from U(−1, 1), thresholds too; [`Initialize::note`] names it.
pub struct NguyenWidrow;

impl Initialize for NguyenWidrow {
    fn init(&self, network: &Mlp, rows: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        for (index, layer) in network.layers().iter().enumerate() {
            let (weights, biases) = params[layer.weights.start..layer.biases.end].split_at_mut(layer.weights.len());
            let Some((before, active)) = served(network, index) else {
                weights.iter_mut().chain(biases).for_each(|param| *param = rng.between(-1.0, 1.0));
                continue;
            };
            let ranges = before.map_or_else(|| input_ranges(rows), |range| vec![range; layer.inputs]);
            let varying = ranges.iter().filter(|range| varies(range)).count();
            let directions = directions(layer, varying, rng);
            let (exact_weights, exact_biases) = place(&directions, layer.outputs, &ranges, active);
            weights.iter_mut().zip(exact_weights).for_each(|(weight, exact)| *weight = exact as f32);
            biases.iter_mut().zip(exact_biases).for_each(|(bias, exact)| *bias = exact as f32);
        }
        Ok(())
    }

    fn note(&self, network: &Mlp) -> Option<String> {
        let count = network.layers().len();
        let left: Vec<String> = (0..count)
            .filter(|index| served(network, *index).is_none())
            .map(
                |index| {
                    if index + 1 == count { "the output layer".into() } else { format!("hidden layer {}", index + 1) }
                },
            )
            .collect();
        (!left.is_empty()).then(|| {
            format!("NguyenWidrow draws {} from U(-1, 1): no finite active range or input range there", left.join(", "))
        })
    }
}

/// Lowest and highest value.
type Range = (f64, f64);

/// Input range (none: that of the rows) and active range of a layer; none if the rule cannot serve it.
fn served(network: &Mlp, index: usize) -> Option<(Option<Range>, Range)> {
    let layers = network.layers();
    let last = index + 1 == layers.len();
    // Under cross-entropy the logistic of the outputs is part of the loss, but it is the unit's activation all the same.
    let logistic = last && (network.output(), network.loss_kind()) == (Output::Logistic, Loss::CrossEntropy);
    let activation = if logistic { Activation::Logistic } else { layers[index].activation };
    let before = match index {
        0 => None,
        _ => Some(layers[index - 1].activation.range().map(|(low, high)| (f64::from(low), f64::from(high)))?),
    };
    Some((before, activation.active_range()?))
}

/// Lowest and highest value of each input, `[features]`.
fn input_ranges(rows: &Rows) -> Vec<Range> {
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); rows.features()];
    for row in 0..rows.count() {
        for (range, value) in ranges.iter_mut().zip(rows.input(row)) {
            *range = (range.0.min(f64::from(*value)), range.1.max(f64::from(*value)));
        }
    }
    ranges
}

/// Whether an input is not constant. One that varies by less than 10⁻³⁰ would need weights beyond single precision.
fn varies(range: &Range) -> bool {
    range.1 - range.0 > 1e-30
}

/// Unit vectors, `[units × varying]`: rows of U(−1, 1), normalised.
fn directions(layer: &Dense, varying: usize, rng: &mut Rng) -> Vec<f64> {
    let mut directions = vec![0.0; layer.outputs * varying];
    for row in directions.chunks_mut(varying.max(1)) {
        let mut length = 0.0_f64;
        while length == 0.0 {
            row.iter_mut().for_each(|x| *x = rng.uniform64().mul_add(2.0, -1.0));
            length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        }
        row.iter_mut().for_each(|x| *x /= length);
    }
    directions
}

/// The rule itself: weights `[units × inputs]` and thresholds `[units]` from unit vectors `[units × varying inputs]`.
fn place(directions: &[f64], units: usize, ranges: &[Range], active: Range) -> (Vec<f64>, Vec<f64>) {
    let mut weights = vec![0.0; units * ranges.len()];
    let mut biases = vec![0.0; units];
    let varying = directions.len() / units;
    if varying == 0 {
        return (weights, biases);
    }
    let beta = 0.7 * libm::pow(units as f64, 1.0 / varying as f64);
    let (half, middle) = (0.5 * (active.1 - active.0), 0.5 * (active.0 + active.1));
    for (unit, direction) in directions.chunks_exact(varying).enumerate() {
        let even = if units == 1 { 0.0 } else { 2.0 * unit as f64 / (units - 1) as f64 - 1.0 };
        let sign = f64::from(direction[0] > 0.0) - f64::from(direction[0] < 0.0);
        let mut bias = beta * even * sign * half + middle;
        let row = &mut weights[unit * ranges.len()..(unit + 1) * ranges.len()];
        let inputs = row.iter_mut().zip(ranges).filter(|(_, range)| varies(range));
        for ((weight, (low, high)), x) in inputs.zip(direction) {
            let stretch = 2.0 / (high - low);
            let on_unit_range = beta * x * half;
            bias += on_unit_range * (1.0 - high * stretch);
            *weight = on_unit_range * stretch;
        }
        biases[unit] = bias;
    }
    (weights, biases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    include!("nguyen_widrow_numbers.rs");

    fn start(network: &Mlp, rows: &Rows) -> Vec<f32> {
        let mut params = vec![f32::NAN; network.parameters()];
        let mut rng = Streams::new(4).stream(Purpose::Initialize, 0, 0);
        let mut cost = Cost::default();
        NguyenWidrow.init(network, rows, &mut params, &mut rng, &mut cost).unwrap();
        assert_eq!(cost, Cost::ZERO);
        params
    }

    #[test]
    fn fixed_directions_give_what_numpy_gives() {
        for case in NUMPY_CASES {
            let (weights, biases) = place(case.directions, case.biases.len(), case.ranges, case.active);
            let near = |ours: &[f64], theirs: &[f64]| {
                ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-13 * b.abs().max(1.0))
            };
            assert!(near(&weights, case.weights) && near(&biases, case.biases), "{weights:?} {biases:?}");
        }
    }

    #[test]
    fn active_regions_lie_within_the_input_ranges_and_constant_inputs_weigh_nothing() {
        let (count, inputs) = (200, 6);
        let mut rng = Streams::new(8).stream(Purpose::Synthetic, 0, 0);
        let mut values = vec![0.0; count * inputs];
        rng.fill_normal(&mut values, 3.0);
        values.chunks_mut(inputs).for_each(|row| (row[2], row[4]) = (7.5, row[4] * 100.0 + 1000.0));
        let rows = Rows::new(&values, &vec![0.0; count * 4], inputs, 4);
        let hidden = [(15, Activation::Tanh), (8, Activation::Logistic), (1, Activation::Tanh)];
        let network = Mlp::new(inputs, &hidden, 4, Output::Logistic, Loss::CrossEntropy).unwrap();
        let params = start(&network, &rows);
        let actives = [(-2.0, 2.0), (-4.0, 4.0), (-2.0, 2.0), (-4.0, 4.0)];
        let before = [None, Some((-1.0, 1.0)), Some((0.0, 1.0)), Some((-1.0, 1.0))];
        for ((layer, active), before) in network.layers().iter().zip(actives).zip(before) {
            let ranges = before.map_or_else(|| input_ranges(&rows), |range: Range| vec![range; layer.inputs]);
            let varying = ranges.iter().filter(|range| varies(range)).count();
            let beta = 0.7 * libm::pow(layer.outputs as f64, 1.0 / varying as f64);
            let half = (active.1 - active.0) / 2.0;
            let row = |unit: usize| &params[layer.weights.start + unit * layer.inputs..][..layer.inputs];
            for unit in 0..layer.outputs {
                assert!(ranges.iter().zip(row(unit)).all(|(range, weight)| varies(range) || *weight == 0.0));
                // Back to inputs that run from −1 to 1.
                let scaled = row(unit).iter().zip(&ranges);
                let scaled: Vec<f64> = scaled.map(|(w, (low, high))| f64::from(*w) * (high - low) / 2.0).collect();
                let shift: f64 =
                    row(unit).iter().zip(&ranges).map(|(w, (low, high))| f64::from(*w) * (high + low) / 2.0).sum();
                let bias = f64::from(params[layer.biases.start + unit]) + shift;
                let length = scaled.iter().map(|w| w * w).sum::<f64>().sqrt();
                assert!((length / (beta * half) - 1.0).abs() < 1e-5, "{length} {beta}");
                // Where the unit's sum is in the middle of its active range, nearest to the centre.
                let away = ((active.0 + active.1) / 2.0 - bias) / length;
                assert!(scaled.iter().all(|w| (away * w / length).abs() < 1.0 + 1e-4), "unit {unit} is out of range");
            }
        }
        assert_eq!(NguyenWidrow.note(&network), None);
    }

    #[test]
    fn layers_without_a_finite_range_are_named_and_drawn_evenly() {
        let hidden = [(40, Activation::Relu), (40, Activation::Tanh), (3, Activation::Tanh)];
        let network = Mlp::new(2, &hidden, 2, Output::Softmax, Loss::CrossEntropy).unwrap();
        let note = NguyenWidrow.note(&network).unwrap();
        assert!(note.contains("hidden layer 1, hidden layer 2, the output layer from U(-1, 1)"), "{note}");
        let params = start(&network, &Rows::new(&[0.0, 1.0, 2.0, 3.0], &[1.0, 0.0, 0.0, 1.0], 2, 2));
        let layer = &network.layers()[1];
        let drawn = &params[layer.weights.start..layer.biases.end];
        let variance = drawn.iter().map(|x| f64::from(x * x)).sum::<f64>() / drawn.len() as f64;
        assert!(drawn.iter().all(|x| x.abs() <= 1.0) && (variance - 1.0 / 3.0).abs() < 0.03, "{variance}");
    }

    #[test]
    fn inputs_that_are_all_constant_give_zeros() {
        let network = Mlp::new(2, &[(4, Activation::Tanh)], 1, Output::Tanh, Loss::MeanSquared).unwrap();
        let params = start(&network, &Rows::new(&[0.5; 6], &[0.0; 3], 2, 1));
        assert!(params.iter().all(|x| x.is_finite()) && params[..12].iter().all(|x| *x == 0.0));
    }
}
