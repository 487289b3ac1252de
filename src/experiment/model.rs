//! Model files: a network with its weights, its scaling and its names, checked to the last byte.
//!
//! A sealed file ([`crate::sealed`]): the payload are the parameters as little-endian 32-bit floats, in the order of the
//! parameter slice.

use crate::error::{Error, Kind, Result};
use crate::experiment::prepare::Study;
use crate::experiment::record::Moment;
use crate::files;
use crate::math::kernel::Workspace;
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output};
use crate::sealed::{self, Content};
use crate::task::{Encoding, Prepared, Scaler, Targets, pack_inputs};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Everything about a model but its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `mlp`, or `graph` for a network that a topology search found.
    pub kind: String,
    /// Names of the inputs, in order.
    pub inputs: Vec<String>,
    /// Hidden layers: units and activation.
    pub hidden: Vec<(usize, Activation)>,
    /// What the last layer does.
    pub output: Output,
    /// What training made small.
    pub loss: Loss,
    /// Classes in the order of their numbers, or names of the target values; the inputs' names of an autoencoder.
    pub targets: Vec<String>,
    /// Whether targets are classes.
    pub classification: bool,
    /// Target of a unit whose class it is not, and of one whose class it is.
    pub encoding: (f32, f32),
    /// Scaling of the inputs.
    pub input_scaler: Scaler,
    /// Scaling of the targets, for values and inputs.
    pub target_scaler: Option<Scaler>,
    /// Where the weights come from: experiment, arm, seed, moment.
    pub origin: (String, String, u64, Moment),
}

/// Refuses what the head of a model file could not hold, before anything is trained.
///
/// # Errors
/// `P0140` for names and scales beyond 32 MiB: half a million inputs and more.
pub fn check_names(inputs: &[String], targets: &[String]) -> Result<()> {
    // Three numbers go with each name, of up to 25 letters; the rest of a header is short.
    let long = |name: &String| name.escape_debug().count() + 84;
    let all: usize = inputs.iter().chain(targets).map(long).sum();
    if all > sealed::LARGEST_HEADER - (64 << 10) { Err(too_many_names()) } else { Ok(()) }
}

pub(super) fn too_many_names() -> Error {
    Error::new(Kind::Limit, "P0140", "the network has more inputs and outputs than the head of a model file can name")
        .help("use fewer inputs, or shorter names")
}

/// Outputs in their own units for rows in theirs; `compute` goes from scaled rows to the outputs of the network.
pub(super) fn predict_rows(
    header: &Header,
    outputs: usize,
    inputs: &Array2<f64>,
    compute: impl FnOnce(&Rows, &mut [f32]),
) -> Result<Array2<f64>> {
    let wanted = header.inputs.len();
    if inputs.ncols() != wanted {
        let message = format!("the model reads {wanted} inputs, the table has {}", inputs.ncols());
        return Err(Error::data("P0206", message).note(format!("inputs are {}", header.inputs.join(", "))));
    }
    let mut all = Array2::zeros((inputs.nrows(), outputs));
    if inputs.nrows() == 0 {
        return Ok(all);
    }
    let rows = pack_inputs(inputs, &header.input_scaler, outputs);
    let mut out = vec![0.0; rows.count() * outputs];
    compute(&rows, &mut out);
    let mut own = vec![0.0; outputs];
    for (row, mut to) in out.chunks_exact(outputs).zip(all.rows_mut()) {
        match &header.target_scaler {
            Some(scaler) => scaler.inverse(row, &mut own),
            None => own.iter_mut().zip(row).for_each(|(own, y)| *own = f64::from(*y)),
        }
        to.iter_mut().zip(&own).for_each(|(to, own)| *to = *own);
    }
    Ok(all)
}

/// A network with its weights and all that turns a row of a table into a prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What it is.
    pub header: Header,
    /// The network.
    pub network: Mlp,
    /// Its parameters.
    pub params: Vec<f32>,
}

impl Model {
    /// The model of one run's weights.
    pub fn of(study: &Study, prepared: &Prepared, arm: &str, seed: u64, moment: Moment, params: &[f32]) -> Model {
        let network = study.place(arm).map_or(&study.network, |place| study.network_of(place)).clone();
        let layers = network.layers();
        let classification = matches!(study.dataset.targets, Targets::Classes { .. });
        let header = Header {
            kind: "mlp".into(),
            inputs: study.dataset.input_names.clone(),
            hidden: layers[..layers.len() - 1].iter().map(|layer| (layer.outputs, layer.activation)).collect(),
            output: network.output(),
            loss: network.loss_kind(),
            targets: study.dataset.target_names().to_vec(),
            classification,
            encoding: if classification { (study.encoding.off, study.encoding.on) } else { (0.0, 1.0) },
            input_scaler: prepared.input_scaler.clone(),
            target_scaler: prepared.target_scaler.clone(),
            origin: (study.experiment.name.to_string(), arm.to_owned(), seed, moment),
        };
        Model { header, network, params: params.to_vec() }
    }

    /// How classes became numbers.
    pub fn encoding(&self) -> Encoding {
        Encoding { units: self.network.outputs(), off: self.header.encoding.0, on: self.header.encoding.1 }
    }

    /// Outputs for rows of inputs in their own units, `[rows × features]`; missing cells are NaN where training knew how to
    /// fill them. `[rows × outputs]`: probabilities for cross-entropy, values in their own units for regression.
    ///
    /// # Errors
    /// `P0206` for a table of another width.
    pub fn predict(&self, inputs: &Array2<f64>) -> Result<Array2<f64>> {
        predict_rows(&self.header, self.network.outputs(), inputs, |rows, out| {
            self.network.predict(&self.params, rows, out, &mut Workspace::new());
        })
    }

    /// The bytes of the model file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = ron::to_string(&self.header).expect("a header is plain data");
        let payload: Vec<u8> = self.params.iter().flat_map(|param| param.to_le_bytes()).collect();
        sealed::seal(&header, &payload)
    }

    /// Writes the model file; whoever writes many calls [`files::settle`] on their folder at the end.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        files::place(path, &self.to_bytes())
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// `P0301` for something that is no model, `P0302` for a damaged one, `P0303` for one of a newer program.
    pub fn load(path: &Path) -> Result<Model> {
        let bytes = files::read_capped(path, sealed::LARGEST_FILE, Kind::Data)?;
        Model::from_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// A model from the bytes of its file.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        let damaged = |what: &str| Content::Model.damaged(what);
        let (text, payload) = sealed::open(bytes, Content::Model)?;
        let header: Header = ron::from_str(text).map_err(|_| damaged("its header cannot be read"))?;
        if payload.len() % 4 != 0 {
            return Err(damaged("its parts do not fit each other"));
        }
        let params = payload.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        Model::of_parts(header, params.collect())
    }

    /// The model of a header and parameters that stood in a file.
    ///
    /// # Errors
    /// `P0302` for parts that do not fit each other, or numbers that are not finite.
    pub fn of_parts(header: Header, params: Vec<f32>) -> Result<Model> {
        let damaged = |what: &str| Content::Model.damaged(what);
        let outputs = match (&header.target_scaler, header.classification) {
            (Some(scaler), false) => scaler.columns(),
            (None, true) if header.targets.len() == 2 && header.output != Output::Softmax => 1,
            (None, true) => header.targets.len(),
            _ => return Err(damaged("its targets do not fit each other")),
        };
        let network = Mlp::new(header.inputs.len(), &header.hidden, outputs, header.output, header.loss)
            .map_err(|error| damaged(&error.problems()[0].message))?;
        let fits = header.kind == "mlp"
            && header.input_scaler.columns() == header.inputs.len()
            && params.len() == network.parameters()
            && header.encoding.0.is_finite()
            && header.encoding.1.is_finite();
        if !fits {
            return Err(damaged("its parts do not fit each other"));
        }
        if !params.iter().all(|param| param.is_finite()) {
            return Err(damaged("not all of its weights are finite numbers"));
        }
        Ok(Model { header, network, params })
    }
}
