//! JSON: what [`export::json`](crate::experiment::export::json) writes, or a list of layers that somebody wrote down.

use super::{Found, Import, Layer, damaged};
use crate::error::{Error, Kind, Result, printable};
use crate::experiment::export::{Description, Function};
use serde::Deserialize;
use std::path::Path;

/// Structure and weights in one object.
pub struct Json;

/// Longest text that is read: short lists take several times their length in memory.
const LARGEST: usize = 256 << 20;

impl Import for Json {
    fn claims(&self, bytes: &[u8]) -> bool {
        bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Found> {
        if bytes.len() > LARGEST {
            return Err(Error::new(Kind::Limit, "P0141", format!("the file is larger than {LARGEST} bytes"))
                .help("write large networks as safetensors"));
        }
        let Told { format, layers } = serde_json::from_slice(bytes).map_err(|cause| broken(&cause))?;
        let layers = layers.into_iter().map(Written::layer).collect::<Result<Vec<Layer>>>()?;
        let description = match format {
            None => None,
            Some(_) => {
                let mut description: Description = serde_json::from_slice(bytes).map_err(|cause| broken(&cause))?;
                for layer in &mut description.layers {
                    (layer.weights, layer.thresholds) = Default::default();
                }
                Some(description)
            }
        };
        Ok(Found { description, layers })
    }
}

/// The part that any file has.
#[derive(Deserialize)]
struct Told {
    format: Option<String>,
    layers: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    /// A list for each unit.
    weights: Vec<Vec<f32>>,
    thresholds: Option<Vec<f32>>,
    activation: Option<String>,
    slope: Option<f64>,
}

impl Written {
    fn layer(self) -> Result<Layer> {
        let outputs = self.weights.len();
        let inputs = self.weights.first().map_or(0, Vec::len);
        if self.weights.iter().any(|unit| unit.len() != inputs) {
            return Err(damaged("units of one layer have weights for different numbers of inputs"));
        }
        let function = match self.activation {
            None => None,
            Some(name) => Some(Function::named(&name, self.slope).map_err(|message| {
                Error::data("P0313", message)
                    .help("activations are written as `Tanh` or `Relu`, as in experiment files")
            })?),
        };
        let thresholds = self.thresholds.unwrap_or_else(|| vec![0.0; outputs]);
        Ok(Layer { inputs, outputs, weights: self.weights.into_iter().flatten().collect(), thresholds, function })
    }
}

fn broken(cause: &serde_json::Error) -> Error {
    damaged(&format!("as JSON it cannot be read: {}", printable(&cause.to_string())))
}
