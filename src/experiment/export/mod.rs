//! Models as other programs read them.
//!
//! Whatever the format, what is written is one [`Description`]: names, scaling, layers. Formats that can compute take inputs
//! and give outputs in the units of the data, as [`Model::predict`] does; the others carry the scaling as tensors of their
//! own beside the weights:
//!
//! | format | inputs | outputs | what applies the scaling |
//! |---|---|---|---|
//! | [`onnx`], [`rust`] | raw | raw | the file itself |
//! | [`safetensors`], [`npz`], [`keras`], [`json`] | scaled | scaled | the reader, by the arrays named `input_…` and `output_…` |
//! | [`dot`] | | | a picture |
//!
//! Networks of topology searches, which are graphs, go into [`onnx`], [`rust`], [`json`] and [`dot`].
//!
//! Scaled inputs are (x − `input_centre`) · `input_factor` + `input_middle`, computed in double precision, after missing cells
//! are filled by `input_fill` where that is there; `predict` and the Rust file also stop them at ±10¹⁸. Raw outputs are
//! (y − `output_middle`) · `output_spread` + `output_centre`; classes have no such arrays, their outputs are what they are.
//! Each format's `recipe` reads the file and computes `y`, raw, from `x`, raw.
//!
//! Other programs add in another order and have other exponentials, so outputs agree to some 10⁻⁷ of the spread of the
//! targets, as single precision does, not to the bit. `tests/interchange.rs` holds them to 10⁻⁶ · max(1, |y|).

pub mod dot;
pub mod json;
pub mod keras;
pub mod npz;
pub mod onnx;
pub mod rust;
pub mod safetensors;

use crate::error::{Error, Kind, Result};
use crate::experiment::Model;
use crate::experiment::model::Header;
use crate::experiment::record::Moment;
use crate::experiment::search::GraphModel;
use crate::math::Activation;
use crate::network::{Loss, Output};
use crate::registry;
use crate::values::NonNegative;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

registry! {
    /// A format that models are written in.
    pub enum Format: dyn Export {
        Safetensors => safetensors::Safetensors,
        Npz => npz::Npz,
        Json => json::Json,
        Onnx => onnx::Onnx,
        Keras => keras::Keras,
        Dot => dot::Dot,
        Rust => rust::Rust,
    }
}

impl Format {
    /// Every format, in the order of the catalogue.
    pub fn all() -> Vec<Format> {
        Format::CATALOGUE.iter().map(|name| ron::from_str(name).expect("formats have no settings")).collect()
    }

    /// The format of this name on the command line.
    pub fn of_word(word: &str) -> Option<Format> {
        Format::all().into_iter().find(|format| format.word() == word)
    }
}

/// How a model is written for others.
pub trait Export: Send + Sync {
    /// The name on the command line: `onnx`.
    fn word(&self) -> &'static str;

    /// What the file is and what it takes, in one line.
    fn about(&self) -> &'static str;

    /// How names of such files end, without the first dot.
    fn extension(&self) -> &'static str;

    /// Lines of code that read the file and compute `y` from `x`.
    fn recipe(&self) -> &'static str;

    /// Whether the format can tell what such a layer computes.
    fn can_tell(&self, _function: Function) -> bool {
        true
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// A model larger than the format allows (`P0140`).
    fn write(&self, description: &Description) -> Result<Vec<u8>>;

    /// The bytes of the file of a network that a topology search found, with a description of all but its nodes; `None` for
    /// a format that holds chains of layers alone.
    fn write_graph(&self, _graph: &GraphModel, _description: &Description) -> Option<Result<Vec<u8>>> {
        None
    }
}

/// What a layer does to its weighted sums.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Named", into = "Named")]
pub enum Function {
    /// The same to each.
    Unit(Activation),
    /// Probabilities that sum to 1.
    Softmax,
}

/// A function as files name it.
#[derive(Serialize, Deserialize)]
struct Named {
    activation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slope: Option<f64>,
}

impl Function {
    /// The function of this name, with its slope if it has one.
    ///
    /// # Errors
    /// A name or a slope that no function has, told in words.
    pub fn named(name: &str, slope: Option<f64>) -> std::result::Result<Function, String> {
        let mut known = Activation::all().into_iter().map(Function::Unit).chain([Function::Softmax]);
        match known.find(|function| function.name() == name) {
            Some(Function::Unit(Activation::LeakyRelu { slope: usual })) => {
                let slope = NonNegative::try_from(slope.unwrap_or(usual.get()))?;
                Ok(Function::Unit(Activation::LeakyRelu { slope }))
            }
            Some(function) => Ok(function),
            None => Err(format!("the activation {} is unknown", crate::error::printable(name))),
        }
    }

    /// The name of the activation: `Tanh`.
    pub fn name(self) -> String {
        match self {
            Function::Unit(Activation::LeakyRelu { .. }) => "LeakyRelu".into(),
            Function::Unit(activation) => format!("{activation:?}"),
            Function::Softmax => "Softmax".into(),
        }
    }
}

impl From<Function> for Named {
    fn from(function: Function) -> Named {
        let slope = match function {
            Function::Unit(Activation::LeakyRelu { slope }) => Some(slope.get()),
            _ => None,
        };
        Named { activation: function.name(), slope }
    }
}

impl TryFrom<Named> for Function {
    type Error = String;
    fn try_from(named: Named) -> std::result::Result<Function, String> {
        Function::named(&named.activation, named.slope)
    }
}

/// What [`Description::format`] says.
pub(super) const FORMAT: &str = "precocial-network";
/// What [`Description::version`] says.
pub(super) const VERSION: u32 = 1;

/// A model as all formats tell it. Written as JSON it is the format [`json`], and without its weights what other formats carry
/// as metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// `precocial-network`.
    pub format: Cow<'static, str>,
    /// Raised when a field changes its meaning: 1.
    pub version: u32,
    /// Names of the inputs, in order.
    pub inputs: Vec<String>,
    /// Classes in the order of their numbers, or names of the target values. Two classes may share one output unit, which
    /// speaks for the second.
    pub targets: Vec<String>,
    /// Whether targets are classes.
    pub classification: bool,
    /// Target of a unit whose class it is not, and of one whose class it is.
    pub encoding: (f32, f32),
    /// What training made small.
    pub loss: Loss,
    /// How raw inputs become inputs of the first layer.
    pub input_scaling: InputScaling,
    /// How outputs of the last layer become values in their own units; none for classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_scaling: Option<OutputScaling>,
    /// From first to last.
    pub layers: Vec<Layer>,
    /// Where the weights come from.
    pub origin: Origin,
}

/// (x − centre) · factor + middle, after missing cells are filled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputScaling {
    /// `[inputs]`
    pub centre: Vec<f64>,
    /// `[inputs]`; 0 for a column that was constant in training.
    pub factor: Vec<f64>,
    /// What `factor` is one divided by, `[inputs]`, for whoever wants the last bit of what is computed here; 0 for a
    /// constant column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<f64>,
    /// One number for all columns.
    pub middle: f64,
    /// What missing cells become, `[inputs]`; empty where none may be missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fill: Vec<f64>,
}

/// (y − middle) · spread + centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputScaling {
    /// `[outputs]`
    pub centre: Vec<f64>,
    /// `[outputs]`
    pub spread: Vec<f64>,
    /// One number for all columns.
    pub middle: f64,
}

/// activation(weights · x + thresholds).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Numbers that come in.
    pub inputs: usize,
    /// Units.
    pub outputs: usize,
    /// Written as `activation`, with `slope` for `LeakyRelu`.
    #[serde(flatten)]
    pub function: Function,
    /// `[outputs × inputs]`: a row for each unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<Vec<f32>>,
    /// `[outputs]`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<f32>,
}

/// Where weights come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the arm.
    pub arm: String,
    /// Seed of the replicate.
    pub seed: u64,
    /// When in the run.
    pub moment: Moment,
}

impl Model {
    /// The bytes of a file of this format.
    ///
    /// # Errors
    /// `P0311` for a format that cannot tell what a layer computes, `P0140` for one that allows no model of this size.
    pub fn export(&self, format: &Format) -> Result<Vec<u8>> {
        let description = self.description();
        let functions: Vec<Function> = description.layers.iter().map(|layer| layer.function).collect();
        if let Some(odd) = functions.iter().find(|function| !format.can_tell(**function)) {
            let able = |format: &Format| functions.iter().all(|function| format.can_tell(*function));
            let able: Vec<&str> =
                Format::all().iter().filter(|format| able(format)).map(|format| format.word()).collect();
            let message = format!("files for {} cannot tell the activation {}", format.name(), odd.name());
            return Err(Error::data("P0311", message).help(format!("this model goes into {}", able.join(", "))));
        }
        format.write(&description)
    }

    /// The model as all formats tell it.
    pub fn description(&self) -> Description {
        let last = match self.network.output() {
            Output::Softmax => Function::Softmax,
            Output::Linear => Function::Unit(Activation::Linear),
            Output::Logistic => Function::Unit(Activation::Logistic),
            Output::Tanh => Function::Unit(Activation::Tanh),
            Output::Step => Function::Unit(Activation::Step),
        };
        let hidden = self.header.hidden.iter().map(|(_, activation)| Function::Unit(*activation));
        let layers = self.network.layers().iter().zip(hidden.chain([last])).map(|(layer, function)| Layer {
            inputs: layer.inputs,
            outputs: layer.outputs,
            function,
            weights: self.params[layer.weights.clone()].chunks_exact(layer.inputs).map(<[f32]>::to_vec).collect(),
            thresholds: self.params[layer.biases.clone()].to_vec(),
        });
        Description::of(&self.header, layers.collect())
    }
}

/// Numbers of a scaling, with their name and shape.
struct Scale<'a> {
    name: &'static str,
    /// Empty for a single number.
    shape: Vec<usize>,
    values: &'a [f64],
}

impl Description {
    /// What a header tells, and these layers.
    pub(super) fn of(header: &Header, layers: Vec<Layer>) -> Description {
        let scaler = &header.input_scaler;
        // The largest number stands in where a spread is too small to have a reciprocal.
        let factor = |spread: &f64| if *spread == 0.0 { 0.0 } else { (1.0 / spread).min(f64::MAX) };
        let input_scaling = InputScaling {
            centre: scaler.centre().to_vec(),
            factor: scaler.spread().iter().map(factor).collect(),
            spread: scaler.spread().to_vec(),
            middle: scaler.middle(),
            fill: scaler.fill().to_vec(),
        };
        let output_scaling = header.target_scaler.as_ref().map(|scaler| OutputScaling {
            centre: scaler.centre().to_vec(),
            spread: scaler.spread().to_vec(),
            middle: scaler.middle(),
        });
        let (experiment, arm, seed, moment) = header.origin.clone();
        Description {
            format: FORMAT.into(),
            version: VERSION,
            inputs: header.inputs.clone(),
            targets: header.targets.clone(),
            classification: header.classification,
            encoding: header.encoding,
            loss: header.loss,
            input_scaling,
            output_scaling,
            layers,
            origin: Origin { experiment, arm, seed, moment },
        }
    }

    /// All but weights and thresholds, as one line of JSON.
    fn metadata(&self) -> String {
        let mut bare = self.clone();
        for layer in &mut bare.layers {
            layer.weights.clear();
            layer.thresholds.clear();
        }
        serde_json::to_string(&bare).expect("a description is plain data")
    }

    /// The numbers of both scalings.
    fn scales(&self) -> Vec<Scale<'_>> {
        fn many<'a>(name: &'static str, values: &'a [f64]) -> Scale<'a> {
            Scale { name, shape: vec![values.len()], values }
        }
        fn one<'a>(name: &'static str, value: &'a f64) -> Scale<'a> {
            Scale { name, shape: Vec::new(), values: std::slice::from_ref(value) }
        }
        let InputScaling { centre, factor, middle, fill, .. } = &self.input_scaling;
        let mut scales = vec![many("input_centre", centre), many("input_factor", factor), one("input_middle", middle)];
        if !fill.is_empty() {
            scales.push(many("input_fill", fill));
        }
        if let Some(OutputScaling { centre, spread, middle }) = &self.output_scaling {
            scales.extend([many("output_centre", centre), many("output_spread", spread)]);
            scales.push(one("output_middle", middle));
        }
        scales
    }
}

/// The refusal of a model that is larger than `most` in this format.
fn too_large(format: &str, most: &str) -> Error {
    let message = format!("the model is too large for {format}, which ends at {most}");
    Error::new(Kind::Limit, "P0140", message).help("export it to safetensors")
}

/// Little-endian bytes.
fn singles<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> Vec<u8> {
    numbers.into_iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Little-endian bytes.
fn doubles(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[cfg(test)]
extern crate self as precocial;
#[cfg(test)]
pub(in crate::experiment) mod fixture;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_word_and_a_recipe_that_opens_its_file() {
        for format in Format::all() {
            assert_eq!(Format::of_word(format.word()).as_ref(), Some(&format));
            assert_eq!(format.word(), format.name().to_lowercase());
            let file = format!("model.{}", format.extension());
            assert!(format.recipe().contains(&file), "{file} in {}", format.recipe());
        }
        assert_eq!((Format::all().len(), Format::of_word("onyx")), (Format::CATALOGUE.len(), None));
    }

    #[test]
    fn exports_have_the_same_bytes_each_time() {
        for model in fixture::models() {
            for format in Format::all() {
                assert_eq!(model.export(&format), model.export(&format));
            }
        }
    }
}
