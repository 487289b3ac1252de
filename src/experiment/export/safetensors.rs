//! Tensors with PyTorch's names for an `nn.Sequential` of a linear module and an activation module for each layer: `0.weight`
//! `[outputs × inputs]`, `0.bias`, `2.weight`, …, as 32-bit floats.
//!
//! **Inputs and outputs of the network are scaled**; the scaling stands in 64-bit tensors `scaling.input_centre` … (see
//! [`super`]), to be taken out before the state is loaded strictly. The metadata `precocial` is the [`Description`] without
//! weights, in JSON.
//!
#![doc = concat!("```python\n", include_str!("safetensors.py"), "```")]

use super::{Description, Export, doubles, singles};
use crate::error::Result;
use serde_json::json;

/// The format of Hugging Face's `safetensors`: length of a JSON header (u64), header, numbers.
pub struct Safetensors;

impl Export for Safetensors {
    fn word(&self) -> &'static str {
        "safetensors"
    }

    fn about(&self) -> &'static str {
        "tensors named as PyTorch's nn.Sequential does; scaled inputs and outputs, scaling beside them"
    }

    fn extension(&self) -> &'static str {
        "safetensors"
    }

    fn recipe(&self) -> &'static str {
        include_str!("safetensors.py")
    }

    fn write(&self, description: &Description) -> Result<Vec<u8>> {
        let mut tensors: Vec<(String, &str, Vec<usize>, Vec<u8>)> = Vec::new();
        // The wider numbers come first, so that each lies where its width divides.
        for scale in description.scales() {
            tensors.push((format!("scaling.{}", scale.name), "F64", scale.shape, doubles(scale.values)));
        }
        for (index, layer) in description.layers.iter().enumerate() {
            let shape = vec![layer.outputs, layer.inputs];
            tensors.push((format!("{}.weight", 2 * index), "F32", shape, singles(layer.weights.iter().flatten())));
            tensors.push((format!("{}.bias", 2 * index), "F32", vec![layer.outputs], singles(&layer.thresholds)));
        }
        let mut header = serde_json::Map::new();
        header.insert("__metadata__".into(), json!({"format": "pt", "precocial": description.metadata()}));
        let mut end = 0;
        for (name, element, shape, bytes) in &tensors {
            let start = end;
            end += bytes.len();
            header.insert(name.clone(), json!({"dtype": element, "shape": shape, "data_offsets": [start, end]}));
        }
        let mut header = serde_json::to_vec(&header).expect("a header is plain data");
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header);
        tensors.iter().for_each(|(.., bytes)| file.extend(bytes));
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::models;
    use super::super::{Format, doubles};
    use serde_json::Value;

    #[test]
    fn tensors_lie_where_the_header_says() {
        for model in models() {
            let file = model.export(&Format::Safetensors).unwrap();
            let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
            assert_eq!(length % 8, 0);
            let header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
            let data = &file[8 + length..];
            let tensor = |name: &str| {
                let entry = &header[name];
                let place = |at: usize| entry["data_offsets"][at].as_u64().unwrap() as usize;
                let shape: Vec<usize> =
                    entry["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
                let width = if entry["dtype"] == "F64" { 8 } else { 4 };
                assert_eq!(place(1) - place(0), width * shape.iter().product::<usize>(), "{name}");
                assert_eq!(place(0) % width, 0, "{name}");
                (shape, data[place(0)..place(1)].to_vec())
            };
            for (index, layer) in model.network.layers().iter().enumerate() {
                let bytes = |range: std::ops::Range<usize>| super::singles(&model.params[range]);
                let weights = (vec![layer.outputs, layer.inputs], bytes(layer.weights.clone()));
                assert_eq!(tensor(&format!("{}.weight", 2 * index)), weights);
                assert_eq!(tensor(&format!("{}.bias", 2 * index)).1, bytes(layer.biases.clone()));
            }
            assert_eq!(tensor("scaling.input_centre").1, doubles(model.header.input_scaler.centre()));
            assert!(tensor("scaling.input_middle").0.is_empty());
            assert_eq!(header.get("scaling.output_spread").is_some(), model.header.target_scaler.is_some());
            let mut ends: Vec<(u64, u64)> = header
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| *name != "__metadata__")
                .map(|(_, entry)| {
                    (entry["data_offsets"][0].as_u64().unwrap(), entry["data_offsets"][1].as_u64().unwrap())
                })
                .collect();
            ends.sort_unstable();
            assert!(ends.windows(2).all(|pair| pair[0].1 == pair[1].0), "no holes");
            assert_eq!((ends[0].0, ends[ends.len() - 1].1 as usize), (0, data.len()));
            let about: Value = serde_json::from_str(header["__metadata__"]["precocial"].as_str().unwrap()).unwrap();
            assert_eq!(about["targets"][0], model.header.targets[0].as_str());
            assert!(about["layers"][0].get("weights").is_none() && about["layers"][0]["activation"].is_string());
        }
    }
}
