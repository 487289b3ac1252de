//! Starts that were trained before.

use super::Initialize;
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::{Activation, Rows};
use crate::network::Mlp;
use crate::rng::Rng;
use crate::values::NonNegative;
use serde::{Deserialize, Serialize};

/// Most weights and thresholds of a model that a start can be: the resolved experiment holds them, and has a size to keep.
pub const LARGEST: usize = 100_000;

/// The weights and thresholds of a model that was saved here or written by another program, in any form that
/// [`import`](crate::experiment::import) takes without being told more. A training goes on from them, and a search has them in
/// generation 0.
///
/// Units and activations must be those of the network. Inputs are scaled as the experiment says, whatever the model was
/// trained with; optimizers begin afresh. What training the model took is charged to nobody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromModel {
    /// Path of the model's file, which starts at the folder of the experiment file.
    pub path: String,
    /// Standard deviation of the normal numbers that are added to the weights and thresholds of a layer, as a multiple of the
    /// root mean square of its weights; 0 unless said otherwise. Above 0 no two individuals of a generation 0 are equal.
    #[serde(default = "no_noise")]
    pub noise: NonNegative,
    /// What the file held when the experiment was prepared; not for experiment files that somebody writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

fn no_noise() -> NonNegative {
    NonNegative::new(0.0).expect("in range")
}

/// A model as the resolved experiment holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Inputs, and units of each layer.
    pub units: Vec<usize>,
    /// Activations of the hidden layers.
    pub activations: Vec<Activation>,
    /// All weights and thresholds, in the order of [`Mlp`].
    pub weights: Numbers,
}

impl Held {
    /// Weights and thresholds of a network.
    pub fn of(network: &Mlp, params: &[f32]) -> Held {
        let (units, activations) = shape(network);
        Held { units, activations, weights: Numbers(params.to_vec()) }
    }
}

/// Single-precision numbers that are written to the bit: eight hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Numbers(Vec<f32>);

impl From<Numbers> for String {
    fn from(numbers: Numbers) -> String {
        numbers.0.iter().map(|number| format!("{:08x}", number.to_bits())).collect()
    }
}

impl TryFrom<String> for Numbers {
    type Error = &'static str;
    fn try_from(text: String) -> std::result::Result<Numbers, &'static str> {
        let digits = text.as_bytes();
        let number = |digits: &[u8]| {
            let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
            u32::from_str_radix(text, 16).ok().map(f32::from_bits).filter(|number| number.is_finite())
        };
        let numbers =
            digits.len().is_multiple_of(8).then(|| digits.chunks_exact(8).map(number).collect::<Option<Vec<f32>>>());
        numbers.flatten().map(Numbers).ok_or("must be eight hexadecimal digits for each finite number")
    }
}

fn shape(network: &Mlp) -> (Vec<usize>, Vec<Activation>) {
    let (output, hidden) = network.layers().split_last().expect("a network has layers");
    let units = std::iter::once(network.inputs())
        .chain(hidden.iter().map(|layer| layer.outputs))
        .chain([output.outputs])
        .collect();
    (units, hidden.iter().map(|layer| layer.activation).collect())
}

impl Initialize for FromModel {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        self.check(network)?;
        let Some(held) = &self.held else { return Err(self.unread()) };
        params.copy_from_slice(&held.weights.0);
        if self.noise.get() > 0.0 {
            let mut steps = Vec::new();
            for layer in network.layers() {
                let weights = &params[layer.weights.clone()];
                let squares: f64 = weights.iter().map(|weight| f64::from(*weight) * f64::from(*weight)).sum();
                let size = (squares / weights.len() as f64).sqrt();
                steps.resize(layer.weights.len() + layer.outputs, 0.0);
                rng.fill_normal(&mut steps, self.noise.get() * size);
                let own = &mut params[layer.weights.start..layer.biases.end];
                own.iter_mut().zip(&steps).for_each(|(param, step)| *param += step);
            }
        }
        Ok(())
    }

    fn check(&self, network: &Mlp) -> Result<()> {
        let Some(held) = &self.held else { return Err(self.unread()) };
        let (units, activations) = shape(network);
        if held.weights.0.len() == network.parameters() && held.units == units && held.activations == activations {
            return Ok(());
        }
        let hidden: Vec<String> = held
            .units
            .iter()
            .skip(1)
            .zip(&held.activations)
            .map(|(units, activation)| format!("(units: {units}, activation: {activation:?})"))
            .collect();
        Err(Error::experiment("P0120", format!("the model \"{}\" is of another network", self.path))
            .note(format!("the model is {}, the experiment's network {}", words(&held.units), words(&units)))
            .help(format!("write `network: Mlp(hidden: [{}])`", hidden.join(", "))))
    }

    fn note(&self, _: &Mlp) -> Option<String> {
        Some(format!("starts are the weights of \"{}\"; what its training took is charged to nobody", self.path))
    }
}

impl FromModel {
    fn unread(&self) -> Error {
        Error::experiment("P0120", format!("the model \"{}\" has not been read", self.path))
            .help("prepare the experiment with `Study::new`, which reads it")
    }
}

fn words(units: &[usize]) -> String {
    units.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Loss, Output};
    use crate::rng::{Purpose, Streams};

    fn network(units: usize, activation: Activation) -> Mlp {
        Mlp::new(3, &[(units, activation)], 2, Output::Softmax, Loss::CrossEntropy).unwrap()
    }

    fn start(scheme: &FromModel, network: &Mlp, individual: u64) -> Result<Vec<f32>> {
        let mut params = vec![f32::NAN; network.parameters()];
        let rows = Rows::new(&[0.0; 3], &[1.0, 0.0], 3, 2);
        let mut rng = Streams::new(1).stream(Purpose::Initialize, 0, individual);
        scheme.init(network, &rows, &mut params, &mut rng, &mut Cost::default())?;
        Ok(params)
    }

    #[test]
    fn a_start_is_the_model_and_noise_is_measured_in_its_weights() {
        let network = network(400, Activation::Tanh);
        let weights: Vec<f32> = (0..network.parameters()).map(|place| (place as f32 - 900.0) / 700.0).collect();
        let held = Some(Held::of(&network, &weights));
        let plain = FromModel { path: "a.pcl".into(), noise: no_noise(), held };
        assert_eq!(start(&plain, &network, 0).unwrap(), weights);
        let noisy = FromModel { noise: NonNegative::new(0.1).unwrap(), ..plain.clone() };
        let drawn = start(&noisy, &network, 0).unwrap();
        assert_ne!(drawn, start(&noisy, &network, 1).unwrap());
        for layer in network.layers() {
            let rms = |numbers: &[f64]| (numbers.iter().map(|x| x * x).sum::<f64>() / numbers.len() as f64).sqrt();
            let own: Vec<f64> = weights[layer.weights.clone()].iter().map(|x| f64::from(*x)).collect();
            let all = layer.weights.start..layer.biases.end;
            let steps: Vec<f64> = all.map(|at| f64::from(drawn[at]) - f64::from(weights[at])).collect();
            assert!((rms(&steps) / rms(&own) - 0.1).abs() < 0.015, "{} {}", rms(&steps), rms(&own));
        }
        // What is written comes back to the bit.
        let text = ron::to_string(&noisy).unwrap();
        assert_eq!(ron::from_str::<FromModel>(&text).unwrap(), noisy);
    }

    #[test]
    fn another_network_is_refused_with_the_one_that_fits() {
        let own = network(4, Activation::Tanh);
        let held = Some(Held::of(&own, &vec![0.5; own.parameters()]));
        let scheme = FromModel { path: "a.onnx".into(), noise: no_noise(), held };
        for other in [network(5, Activation::Tanh), network(4, Activation::Relu)] {
            let error = start(&scheme, &other, 0).unwrap_err();
            assert_eq!(error.code(), "P0120");
            assert_eq!(error.problems()[0].helps, ["write `network: Mlp(hidden: [(units: 4, activation: Tanh)])`"]);
        }
        // Somebody may have written it by hand.
        let nothing = Held { units: Vec::new(), activations: Vec::new(), weights: Numbers(Vec::new()) };
        let nothing = FromModel { held: Some(nothing), ..scheme.clone() };
        assert_eq!(start(&nothing, &own, 0).unwrap_err().code(), "P0120");
        let unread = FromModel { held: None, ..scheme };
        assert!(start(&unread, &own, 0).unwrap_err().to_string().contains("not been read"));
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for text in ["3f80000", "3f80000g", "+f800000", "7fc00000", "3f8000é"] {
            assert!(Numbers::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert_eq!(Numbers::try_from("3f800000bf000000".to_owned()).unwrap(), Numbers(vec![1.0, -0.5]));
    }
}
