//! Orthogonal starts: layers that turn their input without stretching it.

use super::Initialize;
use crate::cost::Cost;
use crate::error::Result;
use crate::math::linear_algebra::orthonormalize;
use crate::math::{Activation, Rows};
use crate::network::{Dense, Mlp};
use crate::rng::Rng;
use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// Weights with orthonormal rows or columns (whichever are fewer) times a gain, drawn evenly from all such matrices;
/// thresholds 0. Saxe, McClelland & Ganguli 2014.
///
/// Q of the QR decomposition of a matrix of standard normal numbers, with the diagonal of R made positive, which is
/// what makes the law even (Mezzadri 2007). Each weight has mean square gain² / max(fan_in, fan_out).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orthogonal {
    /// Factor of every layer; unless said otherwise it goes by the layer's activation: `Tanh` 5/3, `Relu` and
    /// `LeakyRelu` √2, others 1.
    #[serde(default)]
    pub gain: Option<Positive>,
}

impl Initialize for Orthogonal {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        for layer in network.layers() {
            let gain = self.gain.map_or_else(|| usual_gain(layer.activation), Positive::get);
            draw(layer, gain, params, rng);
        }
        Ok(())
    }
}

fn usual_gain(activation: Activation) -> f64 {
    match activation {
        Activation::Tanh => 5.0 / 3.0,
        Activation::Relu | Activation::LeakyRelu { .. } => std::f64::consts::SQRT_2,
        _ => 1.0,
    }
}

/// Fills one layer: `gain` times an orthonormal matrix, thresholds 0.
pub(super) fn draw(layer: &Dense, gain: f64, params: &mut [f32], rng: &mut Rng) {
    let (count, length) = (layer.inputs.min(layer.outputs), layer.inputs.max(layer.outputs));
    let mut vectors = vec![0.0; count * length];
    loop {
        vectors.iter_mut().for_each(|x| *x = rng.normal());
        // Dependent vectors have probability 0, but a single 0 can be drawn.
        if orthonormalize(&mut vectors, length) {
            break;
        }
    }
    let rows_are_vectors = layer.outputs <= layer.inputs;
    for (at, weight) in params[layer.weights.clone()].iter_mut().enumerate() {
        let (unit, input) = (at / layer.inputs, at % layer.inputs);
        let place = if rows_are_vectors { at } else { input * length + unit };
        *weight = (vectors[place] * gain) as f32;
    }
    params[layer.biases.clone()].fill(0.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Loss, Output};
    use crate::rng::{Purpose, Streams};

    fn drawn(gain: Option<f64>, activation: Activation) -> (Mlp, Vec<f32>) {
        let network = Mlp::new(7, &[(20, activation), (5, activation)], 1, Output::Linear, Loss::MeanSquared).unwrap();
        let mut params = vec![f32::NAN; network.parameters()];
        let orthogonal = Orthogonal { gain: gain.map(|gain| Positive::new(gain).unwrap()) };
        let rows = Rows::new(&[0.0; 7], &[0.0], 7, 1);
        let mut rng = Streams::new(5).stream(Purpose::Initialize, 0, 0);
        orthogonal.init(&network, &rows, &mut params, &mut rng, &mut Cost::default()).unwrap();
        (network, params)
    }

    #[test]
    fn rows_or_columns_are_orthonormal_times_the_gain() {
        for (gain, activation, expected) in [
            (None, Activation::Tanh, 5.0 / 3.0),
            (None, Activation::Relu, 2.0_f64.sqrt()),
            (None, Activation::Logistic, 1.0),
            (Some(0.3), Activation::Tanh, 0.3),
        ] {
            let (network, params) = drawn(gain, activation);
            for (index, layer) in network.layers().iter().enumerate() {
                let expected = if gain.is_none() && index == 2 { 1.0 } else { expected };
                let weight =
                    |unit: usize, input: usize| f64::from(params[layer.weights.start + unit * layer.inputs + input]);
                let tall = layer.outputs > layer.inputs;
                let count = layer.inputs.min(layer.outputs);
                for i in 0..count {
                    for j in 0..count {
                        let product: f64 = if tall {
                            (0..layer.outputs).map(|unit| weight(unit, i) * weight(unit, j)).sum()
                        } else {
                            (0..layer.inputs).map(|input| weight(i, input) * weight(j, input)).sum()
                        };
                        let wanted = f64::from(i == j) * expected * expected;
                        assert!((product - wanted).abs() < 1e-6, "layer {index}, {i} {j}: {product} {wanted}");
                    }
                }
                assert!(params[layer.biases.clone()].iter().all(|x| *x == 0.0));
            }
        }
    }

    #[test]
    fn both_signs_are_equally_likely() {
        // Without the sign mended, QR by reflections would give a single number always the same sign.
        let one = Mlp::new(1, &[], 1, Output::Linear, Loss::MeanSquared).unwrap();
        let mut rng = Streams::new(5).stream(Purpose::Initialize, 0, 0);
        let mut params = [0.0; 2];
        let positive = (0..400).filter(|_| {
            draw(&one.layers()[0], 1.0, &mut params, &mut rng);
            assert_eq!(params[0].abs(), 1.0);
            params[0] > 0.0
        });
        assert!((150..250).contains(&positive.count()));
    }
}
