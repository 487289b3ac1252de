//! One line of JSON, structure and weights together: the [`Description`], field by field.
//!
//! **Inputs and outputs of the layers are scaled**, by `input_scaling` and `output_scaling`. For each of `layers`, from first to
//! last: `activation(weights · x + thresholds)`, where `weights` has a list for each unit. Weights are the shortest decimal
//! numbers that give back the same 32-bit floats. [`npz`](super::npz)'s recipe spells out all activations.
//!
#![doc = concat!("```python\n", include_str!("json.py"), "```")]

use super::{Description, Export};
use crate::error::Result;
use crate::experiment::search::GraphModel;

/// A [`Description`] in JSON.
pub struct Json;

impl Export for Json {
    fn word(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "structure, scaling and weights in one object; scaled inputs and outputs"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn recipe(&self) -> &'static str {
        include_str!("json.py")
    }

    fn write(&self, description: &Description) -> Result<Vec<u8>> {
        let mut file = serde_json::to_vec(description).expect("a description is plain data");
        file.push(b'\n');
        Ok(file)
    }

    /// Nodes and links, as result folders hold them.
    fn write_graph(&self, graph: &GraphModel, _: &Description) -> Option<Result<Vec<u8>>> {
        Some(Ok(graph.drawn.json()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::{close, models, rows};
    use crate::math::Activation;
    use serde_json::Value;

    fn numbers(list: &Value) -> Vec<f64> {
        list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    /// What the file says of one row, by a plain loop.
    fn evaluate(file: &Value, row: &[f64]) -> Vec<f64> {
        let scaling = &file["input_scaling"];
        let (centre, factor) = (numbers(&scaling["centre"]), numbers(&scaling["factor"]));
        let mut x: Vec<f64> = row.to_vec();
        for column in 0..x.len() {
            if x[column].is_nan() {
                x[column] = scaling["fill"][column].as_f64().unwrap();
            }
            x[column] = (x[column] - centre[column]) * factor[column] + scaling["middle"].as_f64().unwrap();
        }
        for layer in file["layers"].as_array().unwrap() {
            let sums = layer["weights"].as_array().unwrap().iter().zip(numbers(&layer["thresholds"]));
            let sums: Vec<f64> =
                sums.map(|(w, b)| b + numbers(w).iter().zip(&x).map(|(w, x)| w * x).sum::<f64>()).collect();
            let name = layer["activation"].as_str().unwrap();
            x = if name == "Softmax" {
                let total: f64 = sums.iter().map(|z| libm::exp(*z)).sum();
                sums.iter().map(|z| libm::exp(*z) / total).collect()
            } else {
                let all = Activation::all();
                let activation = all.iter().find(|one| format!("{one:?}").starts_with(name)).unwrap();
                let apply = |z: &f64| match layer.get("slope") {
                    Some(slope) if *z < 0.0 => z * slope.as_f64().unwrap(),
                    _ => activation.apply(*z).0,
                };
                sums.iter().map(apply).collect()
            };
        }
        if let Some(scaling) = file.get("output_scaling") {
            let (centre, spread) = (numbers(&scaling["centre"]), numbers(&scaling["spread"]));
            let middle = scaling["middle"].as_f64().unwrap();
            x = x.iter().zip(centre.iter().zip(&spread)).map(|(y, (c, s))| (y - middle) * s + c).collect();
        }
        x
    }

    #[test]
    fn a_plain_loop_over_the_file_predicts_the_same() {
        for model in models() {
            let file: Value = serde_json::from_slice(&model.export(&Format::Json).unwrap()).unwrap();
            let rows = rows(&model);
            let predictions = model.predict(&rows).unwrap();
            for (row, prediction) in rows.rows().into_iter().zip(predictions.rows()) {
                close(&evaluate(&file, &row.to_vec()), &prediction.to_vec(), &model);
            }
        }
    }
}
