//! Archives of NumPy: what [`export::npz`](crate::experiment::export::npz) and [`export::keras`](crate::experiment::export::keras)
//! write, and matrices with lists of thresholds, as `np.savez(file, *model.get_weights())` writes them.

use super::{Found, Import, Layer, Tensor, damaged, shapes};
use crate::error::{Error, Result, printable};
use crate::experiment::export::Description;
use crate::task::array::npz::Archive;
use std::path::Path;

/// A zip file of arrays.
pub struct Npz;

/// Most bytes of all arrays once they are unpacked.
const LARGEST: u64 = 256 << 20;

impl Import for Npz {
    fn claims(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04")
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Found> {
        let mut archive = Archive::open(bytes, path)?;
        if archive.unpacked() > LARGEST {
            return Err(damaged(&format!("unpacked it would be larger than {LARGEST} bytes")));
        }
        let names: Vec<String> = archive.names().map(str::to_owned).collect();
        let mut tensor = |name: &str| -> Result<Tensor> {
            let (shape, values) = archive.array(name)?;
            Ok(Tensor { name: name.to_owned(), shape, values: values.into_iter().map(|x| x as f32).collect() })
        };
        let has = |name: &str| names.iter().any(|other| other == name);
        if !has("metadata.json") {
            return Ok(Found { description: None, layers: chain(&names, &mut tensor)? });
        }
        let turned = has("layer_0_kernel");
        let text = Archive::open(bytes, path)?.text("metadata.json")?;
        let description: Description = serde_json::from_str(&text)
            .map_err(|cause| damaged(&format!("its metadata cannot be read: {}", printable(&cause.to_string()))))?;
        let layer = |index: usize| {
            let [weights, thresholds] = if turned {
                [format!("layer_{index}_kernel"), format!("layer_{index}_bias")]
            } else {
                [format!("weights_{index}"), format!("thresholds_{index}")]
            };
            tensor(&weights)?.layer(Some(tensor(&thresholds)?), turned, None)
        };
        let layers = (0..description.layers.len()).map(layer).collect::<Result<Vec<Layer>>>()?;
        Ok(Found { description: Some(description), layers })
    }
}

/// Layers of matrices with a list after each, in the order of the archive. Whether inputs or units come first in a matrix, its
/// name tells, or the only order in which all shapes fit.
fn chain(names: &[String], tensor: &mut dyn FnMut(&str) -> Result<Tensor>) -> Result<Vec<Layer>> {
    let mut pairs: Vec<(Tensor, Option<Tensor>)> = Vec::new();
    for name in names {
        let array = tensor(name)?;
        match (array.shape.len(), pairs.last_mut()) {
            (2, _) => pairs.push((array, None)),
            (1, Some((_, thresholds @ None))) => *thresholds = Some(array),
            _ => {
                let message = format!("the array \"{}\" is neither a matrix nor the list after one", printable(name));
                return Err(Error::data("P0313", message)
                    .note("layers are matrices of weights, each with a list of thresholds after it or without one")
                    .help("save the weights of a chain of fully connected layers alone"));
            }
        }
    }
    let layers = |inputs_first: bool| -> Result<Vec<Layer>> {
        let pairs = pairs.iter().cloned();
        let layers = pairs.map(|(weights, thresholds)| weights.layer(thresholds, inputs_first, None));
        let layers = layers.collect::<Result<Vec<Layer>>>()?;
        super::check(&layers).map(|()| layers)
    };
    let named = |words: &[&str]| pairs.iter().all(|(tensor, _)| words.iter().any(|word| tensor.name.contains(word)));
    match [layers(true), layers(false)] {
        [Ok(turned), _] if named(&["kernel", "coef"]) => Ok(turned),
        [_, Ok(straight)] if named(&["weight"]) => Ok(straight),
        [Ok(layers), Err(_)] | [Err(_), Ok(layers)] => Ok(layers),
        [Ok(layers), Ok(_)] => Err(Error::data("P0312", "the shapes do not tell whether inputs or units come first")
            .note(format!("the file holds {}", shapes(&layers)))
            .help("name the arrays `kernel_0`, … if they are [inputs × units], `weight_0`, … if they are [units × inputs]")),
        [Err(error), Err(_)] => Err(error),
    }
}
