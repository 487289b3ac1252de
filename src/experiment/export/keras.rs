//! Keras: one archive of NumPy with kernels `layer_0_kernel` `[inputs × outputs]`, `layer_0_bias`, … in the order in which
//! `set_weights` takes them, and the text of a `Sequential` as `to_json` writes it (Keras 3), as the member `model.json`.
//!
//! **Inputs and outputs of the network are scaled**; the scaling stands in 64-bit arrays `input_centre` … (see [`super`]). The
//! member `metadata.json` is the [`Description`] without weights.
//!
#![doc = concat!("```python\n", include_str!("keras.py"), "```")]

use super::npz::{archive, scaling, single};
use super::{Description, Export, Function, singles};
use crate::error::Result;
use crate::math::Activation;
use serde_json::{Value, json};

/// What `model_from_json` and `set_weights` take.
pub struct Keras;

impl Export for Keras {
    fn word(&self) -> &'static str {
        "keras"
    }

    fn about(&self) -> &'static str {
        "an archive of arrays with the text of a Keras Sequential; scaled inputs and outputs, scaling beside them"
    }

    fn extension(&self) -> &'static str {
        "keras.npz"
    }

    fn recipe(&self) -> &'static str {
        include_str!("keras.py")
    }

    fn can_tell(&self, function: Function) -> bool {
        matches!(function, Function::Unit(Activation::LeakyRelu { .. })) || activation(function).is_some()
    }

    fn write(&self, description: &Description) -> Result<Vec<u8>> {
        let structure = serde_json::to_vec(&structure(description)).expect("plain data");
        let mut members =
            vec![("model.json".to_owned(), structure), ("metadata.json".into(), description.metadata().into_bytes())];
        for (index, layer) in description.layers.iter().enumerate() {
            let turned = (0..layer.inputs).flat_map(|input| layer.weights.iter().map(move |unit| &unit[input]));
            members.push(single(&format!("layer_{index}_kernel"), &[layer.inputs, layer.outputs], singles(turned)));
            members.push(single(&format!("layer_{index}_bias"), &[layer.outputs], singles(&layer.thresholds)));
        }
        members.extend(scaling(description));
        archive(&members)
    }
}

/// The name that Keras knows a function by.
fn activation(function: Function) -> Option<&'static str> {
    match function {
        Function::Softmax => Some("softmax"),
        Function::Unit(Activation::Linear) => Some("linear"),
        Function::Unit(Activation::Logistic) => Some("sigmoid"),
        Function::Unit(Activation::Tanh) => Some("tanh"),
        Function::Unit(Activation::Relu) => Some("relu"),
        Function::Unit(Activation::Gelu) => Some("gelu"),
        Function::Unit(Activation::Silu) => Some("silu"),
        Function::Unit(Activation::Softplus) => Some("softplus"),
        Function::Unit(_) => None,
    }
}

fn structure(description: &Description) -> Value {
    let part = |class: &str, config: Value| json!({"module": "keras.layers", "class_name": class, "config": config, "registered_name": null});
    let shape = json!([null, description.inputs.len()]);
    let input = json!({"batch_shape": shape, "dtype": "float32", "name": "inputs"});
    let mut layers = vec![part("InputLayer", input)];
    for (index, layer) in description.layers.iter().enumerate() {
        let name = format!("layer_{index}");
        let word = activation(layer.function).unwrap_or("linear");
        let config = json!({"name": name, "units": layer.outputs, "activation": word, "use_bias": true});
        layers.push(part("Dense", config));
        // Its slope is no setting of a dense layer.
        if let Function::Unit(Activation::LeakyRelu { slope }) = layer.function {
            let config = json!({"name": format!("{name}_activation"), "negative_slope": slope.get()});
            layers.push(part("LeakyReLU", config));
        }
    }
    let config = json!({"name": "network", "trainable": true, "layers": layers, "build_input_shape": shape});
    json!({"module": "keras", "class_name": "Sequential", "config": config, "registered_name": null})
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::models;
    use crate::task::{LoadContext, Source, TargetKind, array};

    #[test]
    fn kernels_are_turned_and_what_keras_lacks_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.npz");
        let mut refused = Vec::new();
        for model in models() {
            let file = match model.export(&Format::Keras) {
                Ok(file) => file,
                Err(error) => {
                    assert_eq!(error.code(), "P0311");
                    refused.push(error.to_string());
                    continue;
                }
            };
            std::fs::write(&path, file).unwrap();
            for (index, layer) in model.network.layers().iter().enumerate() {
                let kernel = format!("layer_{index}_kernel");
                let npz = array::npz::Npz { path: "model.npz".into(), inputs: kernel.clone(), targets: kernel };
                let context = LoadContext { folder: folder.path(), kind: TargetKind::Values };
                let kernel = npz.load(&context).unwrap().inputs;
                assert_eq!(kernel.dim(), (layer.inputs, layer.outputs));
                let weights = &model.params[layer.weights.clone()];
                for ((input, unit), weight) in kernel.indexed_iter() {
                    assert_eq!(*weight, f64::from(weights[unit * layer.inputs + input]));
                }
            }
        }
        assert_eq!(refused.len(), 7, "{refused:?}");
        assert!(refused[0].contains("cannot tell the activation Step"), "{}", refused[0]);
        assert!(refused[0].contains("goes into safetensors, npz, json, onnx, dot, rust"), "{}", refused[0]);
    }
}
