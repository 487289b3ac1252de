use super::*;
use crate::experiment::export;
use crate::experiment::export::fixture::{models, rows, wide};

fn read_as_is(bytes: &[u8]) -> Result<Model> {
    read(bytes, Path::new("net.bin"), &Choices::default())
}

/// Formats that tell all of a model.
fn whole_formats() -> Vec<export::Format> {
    ["safetensors", "npz", "json", "onnx", "keras"].map(|word| export::Format::of_word(word).unwrap()).to_vec()
}

#[test]
fn what_was_exported_predicts_the_same_to_the_bit() {
    let mut read = 0;
    for model in models().into_iter().chain([wide()]) {
        let expected = model.predict(&rows(&model)).unwrap();
        for format in whole_formats() {
            let Ok(bytes) = model.export(&format) else { continue };
            let back = read_as_is(&bytes).unwrap_or_else(|error| panic!("{}: {error}", format.name()));
            assert_eq!(back, model, "{}", format.name());
            let found = back.predict(&rows(&model)).unwrap();
            assert!(found.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", format.name());
            assert_eq!(Model::from_bytes(&back.to_bytes()).unwrap(), model);
            read += 1;
        }
        assert_eq!(read_as_is(&model.to_bytes()).unwrap(), model);
    }
    assert_eq!(read, 20 * 4 + 20 - 7);
}

#[test]
fn every_cut_of_every_format_is_refused() {
    let small = &models()[16];
    for format in whole_formats() {
        let bytes = small.export(&format).unwrap();
        // The last byte of JSON is the end of its line.
        let end = bytes.len() - usize::from(format.word() == "json");
        for length in 0..end {
            assert!(read_as_is(&bytes[..length]).is_err(), "the first {length} bytes of {}", format.name());
        }
    }
}

#[test]
fn no_changed_byte_makes_a_reader_panic() {
    let choices = Choices { hidden: vec![Activation::Tanh], output: Some(Output::Linear), ..Choices::default() };
    for model in [&models()[3], &models()[16]] {
        for format in whole_formats() {
            let bytes = model.export(&format).unwrap();
            for at in 0..bytes.len() {
                for change in [bytes[at] ^ 1, bytes[at] ^ 0x80, 0, 255] {
                    let mut changed = bytes.clone();
                    changed[at] = change;
                    for choices in [&Choices::default(), &choices] {
                        if let Ok(model) = read(&changed, Path::new("x"), choices) {
                            assert!(model.params.iter().all(|x| x.is_finite()));
                        }
                    }
                }
            }
        }
    }
}

/// A file of tensors, as `safetensors.torch.save_file` writes it.
fn tensors(list: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, shape, values) in list {
        let start = data.len();
        data.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert((*name).to_owned(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    file
}

const WEIGHTS: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn two_layers() -> Vec<u8> {
    tensors(&[
        ("l10.weight", &[1, 3], &WEIGHTS[..3]),
        ("l10.bias", &[1], &[0.5]),
        ("l9.weight", &[3, 2], &WEIGHTS),
        ("l9.bias", &[3], &[0.1, 0.2, 0.3]),
    ])
}

fn refusal(bytes: &[u8], choices: &Choices) -> String {
    read(bytes, Path::new("net.bin"), choices).unwrap_err().to_string()
}

#[test]
fn weights_alone_want_their_activations_named() {
    let bytes = two_layers();
    let told = refusal(&bytes, &Choices::default());
    assert!(told.contains("P0312") && told.contains("2 layers of weights: 2 → 3, 3 → 1"), "{told}");
    assert!(told.contains("--hidden tanh") && told.contains("--output softmax"), "{told}");
    let choices = Choices { hidden: vec![Activation::Relu], output: Some(Output::Linear), ..Choices::default() };
    let model = read(&bytes, Path::new("some/net.bin"), &choices).unwrap();
    let header = &model.header;
    assert_eq!((&header.inputs[..], &header.targets[..]), (&["x1".to_owned(), "x2".into()][..], &["y".to_owned()][..]));
    assert_eq!(
        (header.hidden[0], header.loss, header.origin.0.as_str()),
        ((3, Activation::Relu), Loss::MeanSquared, "net")
    );
    // 1·1 + 2·2 + 0.1, 3·1 + 4·2 + 0.2, 5·1 + 6·2 + 0.3; then 1, 2, 3 times these, and 0.5.
    let y = model.predict(&ndarray::array![[1.0, 2.0]]).unwrap()[[0, 0]];
    assert!((y - (5.1 + 2.0 * 11.2 + 3.0 * 17.3 + 0.5)).abs() < 1e-4, "{y}");
    for (changed, words) in [
        (
            Choices { hidden: vec![Activation::Relu; 3], ..choices.clone() },
            "names 3 activations, the network has 1 hidden",
        ),
        (Choices { inputs: vec!["a".into()], ..choices.clone() }, "--inputs names 1, the network has 2 inputs"),
        (
            Choices { classes: vec!["a".into(), "b".into()], ..choices.clone() },
            "1 Linear outputs cannot tell 2 classes",
        ),
        (Choices { output: Some(Output::Softmax), ..choices.clone() }, "1 Softmax outputs cannot tell 2 classes"),
        (
            Choices { like: Some(models()[0].clone()), ..Choices::default() },
            "the file's layers are 2 → 3, 3 → 1, those of the model 4 → 5",
        ),
    ] {
        let told = refusal(&bytes, &changed);
        assert!(told.contains("P0313") && told.contains(words) && told.contains("= help"), "{told}");
    }
    let classes = Choices { output: Some(Output::Logistic), classes: vec!["no".into(), "yes".into()], ..choices };
    assert_eq!(read(&bytes, Path::new("x"), &classes).unwrap().encoding().units, 1);
}

#[test]
fn new_weights_of_a_model_of_ours_keep_all_else() {
    let model = &models()[3];
    let shapes: Vec<[usize; 2]> = model.network.layers().iter().map(|layer| [layer.outputs, layer.inputs]).collect();
    let new: Vec<f32> = model.params.iter().map(|x| 2.0 * x).collect();
    let names: Vec<[String; 2]> = (0..shapes.len()).map(|at| [format!("{at}.weight"), format!("{at}.bias")]).collect();
    let list: Vec<(&str, &[usize], &[f32])> = model
        .network
        .layers()
        .iter()
        .enumerate()
        .flat_map(|(at, layer)| {
            let [weights, thresholds] = [layer.weights.clone(), layer.biases.clone()].map(|range| &new[range]);
            [(&names[at][0][..], &shapes[at][..], weights), (&names[at][1][..], &shapes[at][..1], thresholds)]
        })
        .collect();
    let choices = Choices { like: Some(model.clone()), ..Choices::default() };
    let tuned = read(&tensors(&list), Path::new("x"), &choices).unwrap();
    assert_eq!((&tuned.header, &tuned.params), (&model.header, &new));
    let exported = model.export(&export::Format::Onnx).unwrap();
    assert_eq!(read(&exported, Path::new("x"), &choices).unwrap(), *model);
    let both = Choices { hidden: vec![Activation::Tanh], ..choices };
    assert!(refusal(&exported, &both).contains("leave out --hidden"));
}

#[test]
fn lists_of_layers_in_json_are_models() {
    let text = r#" {"layers": [
        {"weights": [[1, 2], [3, 4]], "thresholds": [0.5, -0.5], "activation": "LeakyRelu", "slope": 0.25},
        {"weights": [[1, -1]], "activation": "Logistic"}]}"#;
    let model = read_as_is(text.as_bytes()).unwrap();
    assert_eq!(model.params, [1.0, 2.0, 3.0, 4.0, 0.5, -0.5, 1.0, -1.0, 0.0]);
    assert_eq!(model.header.targets, ["0", "1"]);
    let slope = crate::values::NonNegative::new(0.25).unwrap();
    assert_eq!(model.header.hidden, [(2, Activation::LeakyRelu { slope })]);
    for (from, to, words) in [
        ("Logistic", "Wibble", "the activation Wibble is unknown"),
        ("\"Logistic\"", "\"Softplus\"", "Softplus is no activation that outputs may have"),
        ("LeakyRelu", "Softmax", "hidden layer 1 is a softmax"),
        ("[3, 4]", "[3]", "different numbers of inputs"),
        ("[[1, -1]]", "[[1, -1, 1]]", "layer 1 gives 2 numbers, but layer 2 takes 3"),
        ("0.5, -0.5", "0.5", "layer 1 has not as many numbers as its shape wants"),
        ("-0.5]", "1e39]", "out of range"),
        ("\"layers\"", "\"lagers\"", "cannot be read"),
        ("{\"layers\"", "{\"format\": \"other\", \"layers\"", "cannot be read"),
    ] {
        let told = refusal(text.replacen(from, to, 1).as_bytes(), &Choices::default());
        assert!(told.contains(words) && told.contains("= help"), "{told}");
    }
    assert!(refusal(b"{\"layers\": []}", &Choices::default()).contains("holds no layer"));
    let deep = "[".repeat(100_000);
    assert!(read_as_is(format!("{{\"layers\": {deep}").as_bytes()).is_err());
}

#[test]
fn headers_that_lie_are_refused_before_anything_is_taken() {
    let file = |header: &str, data: usize| {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(vec![0; data]);
        file
    };
    let choices = Choices { output: Some(Output::Linear), ..Choices::default() };
    for (shape, offsets, data) in [
        ("[4294967296, 4294967296]", "[0, 16]", 16),
        ("[18446744073709551615, 2]", "[0, 16]", 16),
        ("[2, 3]", "[0, 16]", 16),
        ("[2, 2]", "[16, 0]", 0),
        ("[2, 2]", "[8, 24]", 16),
        ("[0, 9223372036854775807]", "[0, 0]", 0),
        ("[4]", "[0, 16]", 16),
        ("[2, 2]", "[0, 16]", 17),
    ] {
        let header = format!(r#"{{"w.weight": {{"dtype": "F32", "shape": {shape}, "data_offsets": {offsets}}}}}"#);
        let told = refusal(&file(&header, data), &choices);
        assert!(told.contains("P0302") || told.contains("P0313"), "{told}");
    }
    // Two tensors in the same bytes.
    let twice = r#"{"a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "b.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}"#;
    assert!(refusal(&file(twice, 16), &choices).contains("tells of 32 bytes of numbers, 16 follow"));
    let half = r#"{"a.weight": {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]}}"#;
    assert!(refusal(&file(half, 8), &choices).contains("model.float()"));
    let norm = tensors(&[("0.weight", &[2, 2], &WEIGHTS[..4]), ("0.running_mean", &[2], &WEIGHTS[..2])]);
    assert!(refusal(&norm, &choices).contains("\"0.running_mean\" belongs to no fully connected layer"));
    let wide = tensors(&[("0.weight", &[1, 70_000], &vec![0.5; 70_000])]);
    assert!(refusal(&wide, &choices).contains("P0140"));
    let named = tensors(&[("0.weight", &[1, 9000], &vec![0.5; 9000])]);
    assert_eq!(read(&named, Path::new("net.bin"), &choices).unwrap().header.inputs.len(), 9000);
    for other in [&b""[..], b"Experiment(", b"PRC", b"\x08\x09abc", &[0xff; 40], &[0x08, 1, 0x3a, 0]] {
        assert!(read_as_is(other).is_err());
    }
    assert!(refusal(b"Experiment(", &Choices::default()).contains("P0301"));
}
