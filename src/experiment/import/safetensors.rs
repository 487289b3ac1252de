//! Tensors with PyTorch's names: what [`export::safetensors`](crate::experiment::export::safetensors) writes, and the state of
//! any chain of `nn.Linear`.

use super::{Found, Import, Layer, Tensor, damaged};
use crate::error::{Error, Result, printable};
use crate::experiment::export::Description;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The format of Hugging Face's `safetensors`: length of a JSON header (u64), header, numbers.
pub struct Safetensors;

/// Longest header that is read.
const LARGEST_HEADER: u64 = 4 << 20;

impl Import for Safetensors {
    fn claims(&self, bytes: &[u8]) -> bool {
        bytes.get(8) == Some(&b'{') && length(bytes).is_some_and(|length| length <= LARGEST_HEADER)
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Found> {
        let cut = || damaged("it ends before its header does");
        let length = length(bytes).and_then(|length| usize::try_from(length).ok()).ok_or_else(cut)?;
        let header = bytes[8..].get(..length).ok_or_else(cut)?;
        let data = &bytes[8 + length..];
        let unreadable = |cause: serde_json::Error| {
            damaged(&format!("its header cannot be read: {}", printable(&cause.to_string())))
        };
        let entries: BTreeMap<String, Value> = serde_json::from_slice(header).map_err(unreadable)?;
        let (mut metadata, mut tensors, mut taken) = (None, BTreeMap::new(), 0_usize);
        for (name, entry) in entries {
            if name == "__metadata__" {
                metadata = entry.get("precocial").and_then(Value::as_str).map(str::to_owned);
                continue;
            }
            let entry: Entry = serde_json::from_value(entry).map_err(unreadable)?;
            // Tensors that share bytes could ask for any amount of memory.
            taken = entry.data_offsets[1].saturating_sub(entry.data_offsets[0]).saturating_add(taken);
            tensors.insert(name, entry);
        }
        if taken != data.len() {
            return Err(damaged(&format!("its header tells of {taken} bytes of numbers, {} follow", data.len())));
        }
        match metadata {
            Some(text) => {
                let description: Description = serde_json::from_str(&text).map_err(unreadable)?;
                let layer = |index: usize| {
                    let mut take = |name: String| match tensors.remove(&name) {
                        Some(entry) => entry.tensor(&name, data),
                        None => Err(damaged(&format!("it lacks \"{name}\""))),
                    };
                    let (weights, thresholds) =
                        (take(format!("{}.weight", 2 * index))?, take(format!("{}.bias", 2 * index))?);
                    weights.layer(Some(thresholds), false, None)
                };
                let layers = (0..description.layers.len()).map(layer).collect::<Result<Vec<Layer>>>()?;
                Ok(Found { description: Some(description), layers })
            }
            None => Ok(Found { description: None, layers: pairs(tensors, data)? }),
        }
    }
}

/// What the header says of one tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl Entry {
    fn tensor(self, name: &str, data: &[u8]) -> Result<Tensor> {
        let width = match &self.dtype[..] {
            "F64" => 8,
            "F32" => 4,
            "BF16" => 2,
            other => {
                let message = format!("\"{}\" holds numbers of type {}", printable(name), printable(other));
                return Err(Error::data("P0313", message)
                    .note("F32, F64 and BF16 are read")
                    .help("save the network in single precision: `model.float()`"));
            }
        };
        let cells = self.shape.iter().try_fold(1_usize, |cells, length| cells.checked_mul(*length));
        let bytes = cells.and_then(|cells| cells.checked_mul(width));
        let place = data.get(self.data_offsets[0]..self.data_offsets[1]).filter(|place| Some(place.len()) == bytes);
        let Some(place) = place else {
            return Err(damaged(&format!("\"{}\" does not lie where the header says", printable(name))));
        };
        let values = match width {
            8 => place.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
            4 => place.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            // The upper half of a number of single precision.
            _ => place
                .as_chunks()
                .0
                .iter()
                .map(|bytes| f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16))
                .collect(),
        };
        Ok(Tensor { name: name.to_owned(), shape: self.shape, values })
    }
}

/// Layers of tensors `….weight` and `….bias`, in the order of their names, in which numbers count as numbers.
fn pairs(mut tensors: BTreeMap<String, Entry>, data: &[u8]) -> Result<Vec<Layer>> {
    let mut stems: Vec<String> =
        tensors.keys().filter_map(|name| name.strip_suffix("weight").map(str::to_owned)).collect();
    stems.sort_by_cached_key(|stem| natural(stem));
    let mut layers = Vec::new();
    for stem in stems {
        let mut take = |name: &str| {
            let name = format!("{stem}{name}");
            tensors.remove(&name).map(|entry| entry.tensor(&name, data)).transpose()
        };
        let (weights, thresholds) = (take("weight")?, take("bias")?);
        layers.push(weights.ok_or_else(|| damaged("it lacks a tensor"))?.layer(thresholds, false, None)?);
    }
    match tensors.keys().next() {
        None => Ok(layers),
        Some(name) => Err(Error::data("P0313", format!("\"{}\" belongs to no fully connected layer", printable(name)))
            .note("layers are pairs of tensors such as `0.weight` and `0.bias`")
            .help("save the state of a chain of `nn.Linear` alone")),
    }
}

/// A key by which `l10` comes after `l9`: pieces that are text, then their numbers.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |digits| text + digits);
        pieces.push((rest[..text].to_owned(), rest[text..digits].parse().unwrap_or(u64::MAX)));
        rest = &rest[digits..];
    }
    pieces
}

fn length(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}
