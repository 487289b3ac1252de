//! `precocial import`: a model of another program becomes one of ours.

use super::export::refuse_existing;
use super::terminal::Terminal;
use precocial::experiment::import::{self, Choices};
use precocial::experiment::{Model, export::Function};
use precocial::math::Activation;
use precocial::network::Output;
use precocial::{Result, files};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_long_help = FORMATS)]
pub struct Import {
    /// Model of another program, or one that `export` wrote: safetensors, npz, ONNX or JSON, told by its content
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Activation of the hidden layers, or one for each with commas between, where the file does not tell
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = activation)]
    hidden: Vec<Activation>,
    /// What the last layer does, where the file does not tell
    #[arg(long, value_name = "NAME", value_parser = output)]
    output: Option<Output>,
    /// Names of the inputs, with commas between; x1, x2, … unless said otherwise
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    inputs: Vec<String>,
    /// Names of the classes, with commas between; 0, 1, … unless said otherwise
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    classes: Vec<String>,
    /// Names of the target values, with commas between; y, or y1, y2, … unless said otherwise
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "classes")]
    targets: Vec<String>,
    /// Model whose weights alone are replaced: activations, names and scaling are its own
    #[arg(long, value_name = "MODEL.pcl")]
    like: Option<PathBuf>,
    /// The file to write; unless said otherwise here, with the file's name and the ending .pcl
    #[arg(short, value_name = "MODEL.pcl")]
    out: Option<PathBuf>,
}

const FORMATS: &str = "\
What `precocial export` writes as safetensors, npz, ONNX, JSON or for Keras holds the whole model. Of other programs:

  safetensors  pairs of `….weight` [units x inputs] and `….bias`: the state of a chain of nn.Linear
  npz          matrices with a list of thresholds after each: np.savez(file, *model.get_weights())
  onnx         Gemm, or MatMul and Add, with an activation after each: torch.onnx.export of an nn.Sequential
  json         {\"layers\": [{\"weights\": [[…]], \"thresholds\": […], \"activation\": \"Tanh\"}, …]}

Inputs and outputs of such networks are taken as they are, without scaling.";

impl Import {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let name = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let path = self.out.clone().unwrap_or_else(|| format!("{name}.pcl").into());
        refuse_existing(&path)?;
        let choices = Choices {
            hidden: self.hidden.clone(),
            output: self.output,
            inputs: self.inputs.clone(),
            classes: self.classes.clone(),
            targets: self.targets.clone(),
            like: self.like.as_deref().map(open).transpose()?,
        };
        let model = import::open(&self.file, &choices)?;
        let bytes = model.to_bytes();
        refuse_existing(&path)?;
        files::replace(&path, &bytes)?;
        let (file, shape) = (path.display().to_string(), shape(&model));
        let parameters = model.network.parameters();
        terminal.object(
            &json!({"event": "written", "file": file, "format": "pcl", "bytes": bytes.len(), "parameters": parameters}),
        )?;
        terminal.print(&format!("wrote {file}: {shape}, {parameters} weights and thresholds"))?;
        terminal.note("`precocial predict` and `precocial export` take it");
        Ok(())
    }
}

/// A model of any format that tells all of it.
pub(super) fn open(path: &Path) -> Result<Model> {
    import::open(path, &Choices::default())
}

/// `4 inputs, 8 Tanh, 3 Softmax`
fn shape(model: &Model) -> String {
    let layers = model.description().layers;
    let layers = layers.iter().map(|layer| format!("{} {}", layer.outputs, layer.function.name()));
    std::iter::once(format!("{} inputs", model.network.inputs())).chain(layers).collect::<Vec<_>>().join(", ")
}

fn activation(word: &str) -> std::result::Result<Activation, String> {
    let all = Activation::all();
    let name = |activation: &Activation| Function::Unit(*activation).name();
    let found = all.iter().find(|activation| name(activation).eq_ignore_ascii_case(word));
    let known = || all.iter().map(|activation| name(activation).to_lowercase()).collect::<Vec<_>>().join(", ");
    found.copied().ok_or_else(|| format!("known are {}", known()))
}

fn output(word: &str) -> std::result::Result<Output, String> {
    match word.to_lowercase().as_str() {
        "softmax" => Ok(Output::Softmax),
        "linear" => Ok(Output::Linear),
        "logistic" => Ok(Output::Logistic),
        "tanh" => Ok(Output::Tanh),
        "step" => Ok(Output::Step),
        _ => Err("known are softmax, linear, logistic, tanh, step".into()),
    }
}
