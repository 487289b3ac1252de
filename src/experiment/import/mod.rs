//! Models that stand in files of other programs, and in those that [`export`](super::export) writes.
//!
//! What a file is, its content tells, not its name. Files of ours hold the [`Description`] of the whole model, so nothing is
//! lost on the way: a model that was exported and imported predicts the same, to the bit. Files of other programs hold weights,
//! and ONNX the activations too; whoever imports them names the rest by [`Choices`].
//!
//! | format | files of ours | files of others |
//! |---|---|---|
//! | [`safetensors`] | all | a pair `….weight` `[outputs × inputs]` and `….bias` for each layer, as `nn.Linear` has |
//! | [`npz`] | all, and those for Keras | matrices with a list of thresholds after each, in the order of the layers |
//! | [`json`] | all | `{"layers": [{"weights": …, "thresholds": …, "activation": "Tanh"}, …]}` |
//! | [`onnx`] | all | `Gemm`, or `MatMul` and `Add`, with an activation after each, one behind the other |
//!
//! No length in a file is believed: nothing is allocated for numbers that cannot be there.

pub mod json;
pub mod npz;
pub mod onnx;
pub mod safetensors;

use crate::error::{Error, Kind, Result, printable};
use crate::experiment::export::{Description, FORMAT, Function, VERSION};
use crate::experiment::model::{Header, Model, check_names, too_many_names};
use crate::experiment::record::Moment;
use crate::files;
use crate::math::Activation;
use crate::network::{Loss, Output};
use crate::registry;
use crate::sealed;
use crate::task::Scaler;
use std::path::Path;

registry! {
    /// A format that models are read from.
    pub enum Format: dyn Import {
        Safetensors => safetensors::Safetensors,
        Npz => npz::Npz,
        Json => json::Json,
        Onnx => onnx::Onnx,
    }
}

impl Format {
    /// Every format, in the order of the catalogue.
    pub fn all() -> Vec<Format> {
        Format::CATALOGUE.iter().map(|name| ron::from_str(name).expect("formats have no settings")).collect()
    }
}

/// How a model of another program is read.
pub trait Import: Send + Sync {
    /// Whether a file of these bytes is meant to be of this format.
    fn claims(&self, bytes: &[u8]) -> bool;

    /// What the file at `path` tells, whose bytes these are.
    ///
    /// # Errors
    /// `P0302` for a damaged file, `P0303` for one of a newer program, `P0312` for one that does not say enough, `P0313` for a
    /// network that is no chain of layers.
    fn read(&self, bytes: &[u8], path: &Path) -> Result<Found>;
}

/// What a file tells of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// All but the weights, in files of ours.
    pub description: Option<Description>,
    /// From first to last.
    pub layers: Vec<Layer>,
}

/// A layer as a file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Numbers that come in.
    pub inputs: usize,
    /// Units.
    pub outputs: usize,
    /// `[outputs × inputs]`
    pub weights: Vec<f32>,
    /// `[outputs]`
    pub thresholds: Vec<f32>,
    /// What is done to its sums, where the file tells.
    pub function: Option<Function>,
}

/// What the file does not tell, named by whoever imports it. Empty lists and `None` leave it open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// Activation of each hidden layer, or one for all.
    pub hidden: Vec<Activation>,
    /// What the last layer does.
    pub output: Option<Output>,
    /// Names of the inputs; `x1`, `x2`, … unless said otherwise.
    pub inputs: Vec<String>,
    /// Classes in the order of their numbers; `0`, `1`, … unless said otherwise, where outputs are probabilities.
    pub classes: Vec<String>,
    /// Names of the target values; `y`, or `y1`, `y2`, … unless said otherwise.
    pub targets: Vec<String>,
    /// A model whose weights alone are replaced: activations, names and scaling are its own.
    pub like: Option<Model>,
}

/// Reads a model from a file of any known format, ours too.
///
/// # Errors
/// `P0301` for something else, `P0302` for a damaged file, `P0303` for one of a newer program, `P0312` for one that does not
/// say enough, `P0313` for a network that is no chain of layers or does not fit the choices.
pub fn open(path: &Path, choices: &Choices) -> Result<Model> {
    let bytes = files::read_capped(path, sealed::LARGEST_FILE, Kind::Data)?;
    read(&bytes, path, choices).map_err(|error| error.in_file(path))
}

/// As [`open`], of the bytes of the file at `path`.
///
/// # Errors
/// As [`open`].
pub fn read(bytes: &[u8], path: &Path, choices: &Choices) -> Result<Model> {
    if bytes.starts_with(b"PRCL") {
        if *choices != Choices::default() {
            return Err(tells_itself());
        }
        return Model::from_bytes(bytes);
    }
    let Some(format) = Format::all().into_iter().find(|format| format.claims(bytes)) else {
        return Err(Error::data("P0301", "this is no model of any known format")
            .note("models are read from .pcl, safetensors, npz, ONNX and JSON files, told by their content")
            .help("models are the `.pcl` files in the folder `models` of a result"));
    };
    let found = format.read(bytes, path)?;
    check(&found.layers)?;
    let description = match (&choices.like, found.description) {
        (Some(like), _) if Choices { like: None, ..choices.clone() } == Choices::default() => like.description(),
        (None, Some(description)) if *choices == Choices::default() => description,
        (None, None) => return plain(found.layers, choices, path),
        _ => return Err(tells_itself()),
    };
    described(description, found.layers)
}

/// The layers must fit each other.
fn check(layers: &[Layer]) -> Result<()> {
    if layers.is_empty() {
        return Err(Error::data("P0313", "the file holds no layer").help("it needs a matrix of weights for each layer"));
    }
    for (index, layer) in layers.iter().enumerate() {
        let whole = layer.inputs.checked_mul(layer.outputs) == Some(layer.weights.len());
        if !whole || layer.thresholds.len() != layer.outputs {
            return Err(damaged(&format!("layer {} has not as many numbers as its shape wants", index + 1)));
        }
    }
    if let Some(at) = layers.windows(2).position(|pair| pair[0].outputs != pair[1].inputs) {
        let message = format!(
            "layer {} gives {} numbers, but layer {} takes {}",
            at + 1,
            layers[at].outputs,
            at + 2,
            layers[at + 1].inputs
        );
        return Err(Error::data("P0313", message)
            .note(format!("the file holds {}", shapes(layers)))
            .help("layers are taken in the order of their names or of the file: name them `0.weight`, `2.weight`, …"));
    }
    Ok(())
}

/// The model of weights and of what our own files say of them.
fn described(description: Description, layers: Vec<Layer>) -> Result<Model> {
    if description.format != FORMAT {
        return Err(damaged("its metadata are of another program"));
    }
    if description.version != VERSION {
        let message =
            format!("its metadata have version {}, this program reads version {VERSION}", description.version);
        return Err(Error::data("P0303", message).help("use a newer version of precocial"));
    }
    let told: Vec<(usize, usize)> = description.layers.iter().map(|layer| (layer.inputs, layer.outputs)).collect();
    let found: Vec<(usize, usize)> = layers.iter().map(|layer| (layer.inputs, layer.outputs)).collect();
    if told != found {
        let list =
            |all: &[(usize, usize)]| all.iter().map(|(n, m)| format!("{n} → {m}")).collect::<Vec<_>>().join(", ");
        let message = format!("the file's layers are {}, those of the model {}", list(&found), list(&told));
        return Err(Error::data("P0313", message).help("the weights must be those of a network of the same shape"));
    }
    let functions: Vec<Function> = description.layers.iter().map(|layer| layer.function).collect();
    let (hidden, output) = functions_of(&functions, &layers)?;
    let scaling = description.input_scaling;
    let spread = if scaling.spread.is_empty() {
        scaling.factor.iter().map(|factor| if *factor == 0.0 { 0.0 } else { 1.0 / factor }).collect()
    } else {
        scaling.spread
    };
    let output_scaler = description
        .output_scaling
        .map(|scaling| Scaler::given(scaling.centre, scaling.spread, scaling.middle, Vec::new()));
    let origin = description.origin;
    let header = Header {
        kind: "mlp".into(),
        inputs: description.inputs,
        hidden,
        output,
        loss: description.loss,
        targets: description.targets,
        classification: description.classification,
        encoding: description.encoding,
        input_scaler: Scaler::given(scaling.centre, spread, scaling.middle, scaling.fill)?,
        target_scaler: output_scaler.transpose()?,
        origin: (origin.experiment, origin.arm, origin.seed, origin.moment),
    };
    finish(header, layers)
}

/// The model of weights of another program.
fn plain(layers: Vec<Layer>, choices: &Choices, path: &Path) -> Result<Model> {
    let functions = choose(&layers, choices)?;
    let (hidden, output) = functions_of(&functions, &layers)?;
    let (inputs, units) = (layers[0].inputs, layers[layers.len() - 1].outputs);
    if inputs.saturating_add(units) > LARGEST_NAMES {
        return Err(too_many_names());
    }
    let probabilities = matches!(output, Output::Softmax | Output::Logistic);
    let classification = !choices.classes.is_empty() || (choices.targets.is_empty() && probabilities);
    let loss = if probabilities && (classification || output == Output::Softmax) {
        Loss::CrossEntropy
    } else {
        Loss::MeanSquared
    };
    let classes = if units == 1 { 2 } else { units };
    let input_names = named(&choices.inputs, inputs, "--inputs", "inputs", |at| format!("x{}", at + 1))?;
    let targets = if classification {
        named(&choices.classes, classes, "--classes", "classes", |at| at.to_string())?
    } else {
        named(&choices.targets, units, "--targets", "outputs", |at| {
            if units == 1 { "y".into() } else { format!("y{}", at + 1) }
        })?
    };
    if classification
        && (output == Output::Linear || (targets.len() == 2 && (units == 1) == (output == Output::Softmax)))
    {
        let message = format!("{units} {output:?} outputs cannot tell {} classes", targets.len());
        return Err(Error::data("P0313", message)
            .note("two classes share one unit, unless outputs are `softmax`; more classes have one each")
            .help("write `--output softmax` if training took its cross-entropy of the outputs as they are"));
    }
    let name = path.file_stem().map_or_else(|| "import".into(), |name| printable(&name.to_string_lossy()));
    let header = Header {
        kind: "mlp".into(),
        inputs: input_names,
        hidden,
        output,
        loss,
        targets,
        classification,
        encoding: (if classification && output == Output::Tanh { -1.0 } else { 0.0 }, 1.0),
        input_scaler: Scaler::identity(inputs),
        target_scaler: (!classification).then(|| Scaler::identity(units)),
        origin: (name, "import".into(), 0, Moment::End),
    };
    finish(header, layers)
}

/// What each layer does, by the file where it tells, else by the choices.
fn choose(layers: &[Layer], choices: &Choices) -> Result<Vec<Function>> {
    let hidden = layers.len() - 1;
    let open = layers[..hidden].iter().any(|layer| layer.function.is_none());
    let found = || format!("the file holds {}", shapes(layers));
    if !choices.hidden.is_empty() && !open {
        return Err(if hidden == 0 {
            Error::data("P0313", "the network has no hidden layer").note(found()).help("leave --hidden out")
        } else {
            tells_itself()
        });
    }
    // Outputs as they are may be what a loss takes the softmax of: there the user knows better than the file.
    let last = layers[hidden].function.filter(|function| *function != Function::Unit(Activation::Linear));
    let mut missing = Vec::new();
    if open && choices.hidden.is_empty() {
        missing.push("`--hidden tanh` with the activation of the hidden layers, or one for each with commas between");
    }
    if layers[hidden].function.is_none() && choices.output.is_none() {
        missing.push("`--output softmax`, or linear, logistic or tanh");
    }
    if !missing.is_empty() {
        return Err(Error::data("P0312", "the file holds weights, but does not tell what the units do")
            .note(found())
            .help(format!("import it with `precocial import FILE` and {}", missing.join(" and ")))
            .help("or with `--like MODEL.pcl` if these are new weights of a model of ours"));
    }
    if open && ![1, hidden].contains(&choices.hidden.len()) {
        let message =
            format!("--hidden names {} activations, the network has {hidden} hidden layers", choices.hidden.len());
        return Err(Error::data("P0313", message).note(found()).help("name one for each layer, or one for all"));
    }
    let named = |at: usize| Function::Unit(choices.hidden[if choices.hidden.len() == 1 { 0 } else { at }]);
    let mut functions: Vec<Function> =
        layers[..hidden].iter().enumerate().map(|(at, layer)| layer.function.unwrap_or_else(|| named(at))).collect();
    let asked = choices.output.map(|output| match output {
        Output::Softmax => Function::Softmax,
        Output::Linear => Function::Unit(Activation::Linear),
        Output::Logistic => Function::Unit(Activation::Logistic),
        Output::Tanh => Function::Unit(Activation::Tanh),
        Output::Step => Function::Unit(Activation::Step),
    });
    functions.push(match (last, asked) {
        (Some(last), Some(asked)) if last != asked => return Err(tells_itself()),
        (Some(last), _) => last,
        (None, asked) => asked.unwrap_or(Function::Unit(Activation::Linear)),
    });
    Ok(functions)
}

/// Hidden layers and output of layers that do this.
fn functions_of(functions: &[Function], layers: &[Layer]) -> Result<(Vec<(usize, Activation)>, Output)> {
    let (last, before) = functions.split_last().ok_or_else(|| damaged("it holds no layer"))?;
    let mut hidden = Vec::with_capacity(before.len());
    for (at, (function, layer)) in before.iter().zip(layers).enumerate() {
        match function {
            Function::Unit(activation) => hidden.push((layer.outputs, *activation)),
            Function::Softmax => {
                return Err(Error::data("P0313", format!("hidden layer {} is a softmax", at + 1))
                    .help("softmax is known as the output of a network alone"));
            }
        }
    }
    let output = match last {
        Function::Softmax => Output::Softmax,
        Function::Unit(Activation::Linear) => Output::Linear,
        Function::Unit(Activation::Logistic) => Output::Logistic,
        Function::Unit(Activation::Tanh) => Output::Tanh,
        Function::Unit(Activation::Step) => Output::Step,
        Function::Unit(_) => {
            return Err(Error::data("P0313", format!("{} is no activation that outputs may have", last.name())).help(
                "outputs are softmax, linear, logistic or tanh: add a linear layer of weights 1 on the diagonal",
            ));
        }
    };
    Ok((hidden, output))
}

fn named(
    given: &[String],
    count: usize,
    option: &str,
    what: &str,
    name: impl Fn(usize) -> String,
) -> Result<Vec<String>> {
    if given.is_empty() {
        return Ok((0..count).map(name).collect());
    }
    if given.len() == count {
        return Ok(given.to_vec());
    }
    let message = format!("{option} names {}, the network has {count} {what}", given.len());
    Err(Error::data("P0313", message).help(format!("name {count}, with commas between, or leave {option} out")))
}

/// Most inputs and outputs that names are made up for.
const LARGEST_NAMES: usize = 1 << 16;

fn finish(header: Header, layers: Vec<Layer>) -> Result<Model> {
    // A model that cannot be saved is none.
    check_names(&header.inputs, &header.targets)?;
    let params = layers.into_iter().flat_map(|layer| layer.weights.into_iter().chain(layer.thresholds)).collect();
    Model::of_parts(header, params)
}

fn tells_itself() -> Error {
    Error::data("P0313", "the file tells itself what its units do and how its inputs are called").help(
        "leave out --hidden, --output and names; to change weights alone, write `--like MODEL.pcl` and nothing else",
    )
}

/// The refusal of a file whose content does not hold together.
pub(super) fn damaged(what: &str) -> Error {
    sealed::Content::Model.damaged(what)
}

/// `4 → 8, 8 → 3`, for messages.
fn shapes(layers: &[Layer]) -> String {
    let most = 12;
    let listed: Vec<String> =
        layers.iter().take(most).map(|layer| format!("{} → {}", layer.inputs, layer.outputs)).collect();
    let more = if layers.len() > most { ", …" } else { "" };
    format!("{} layers of weights: {}{more}", layers.len(), listed.join(", "))
}

/// Numbers with the lengths of their indices, the last running fastest.
#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    /// As messages name it.
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// A layer of these weights: `[outputs × inputs]`, or `[inputs × outputs]` if `inputs_first`. Without thresholds they are 0.
    fn layer(self, thresholds: Option<Tensor>, inputs_first: bool, function: Option<Function>) -> Result<Layer> {
        let name = printable(&self.name);
        let [rows, columns] = self.shape[..] else {
            let message = format!("the weights \"{name}\" have {} indices instead of two", self.shape.len());
            return Err(Error::data("P0313", message).help("only fully connected layers are known"));
        };
        let (outputs, inputs) = if inputs_first { (columns, rows) } else { (rows, columns) };
        if rows.checked_mul(columns) != Some(self.values.len()) || rows == 0 || columns == 0 {
            return Err(damaged(&format!(
                "\"{name}\" has {} numbers for a shape of {rows} × {columns}",
                self.values.len()
            )));
        }
        let thresholds = match thresholds {
            None => vec![0.0; outputs],
            // `[1 × outputs]`, as some programs keep them, is as good.
            Some(tensor) if tensor.values.len() == outputs && tensor.shape.iter().all(|n| *n == 1 || *n == outputs) => {
                tensor.values
            }
            Some(tensor) => {
                let message = format!(
                    "the weights \"{name}\" are of {outputs} units, but \"{}\" holds {} thresholds",
                    printable(&tensor.name),
                    tensor.values.len()
                );
                return Err(Error::data("P0313", message).help("write one threshold for each unit of a layer"));
            }
        };
        let weights = if inputs_first {
            (0..outputs)
                .flat_map(|unit| (0..inputs).map(move |input| input * outputs + unit))
                .map(|at| self.values[at])
                .collect()
        } else {
            self.values
        };
        Ok(Layer { inputs, outputs, weights, thresholds, function })
    }
}

#[cfg(test)]
mod tests;
