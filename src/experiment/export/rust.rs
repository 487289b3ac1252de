//! A Rust file of its own: the weights as constants and `predict`, without any crate, to be included as a module.
//!
//! **Raw inputs, raw outputs**, as [`Model::predict`](crate::experiment::Model::predict) has them; sums in double precision.
//!
#![doc = concat!("```text\n", include_str!("rust.txt"), "```")]

use super::{Description, Export, Function};
use crate::error::{Result, printable};
use crate::experiment::search::GraphModel;
use crate::math::Activation;
use crate::network::Head;
use std::fmt::Write;

/// Rust source, edition 2021 or later.
pub struct Rust;

impl Export for Rust {
    fn word(&self) -> &'static str {
        "rust"
    }

    fn about(&self) -> &'static str {
        "a file with the weights as constants and a function, no crates needed; raw inputs and outputs"
    }

    fn extension(&self) -> &'static str {
        "rs"
    }

    fn recipe(&self) -> &'static str {
        include_str!("rust.txt")
    }

    /// Writing to a text cannot fail, so results of `writeln!` are dropped here.
    fn write(&self, description: &Description) -> Result<Vec<u8>> {
        let outputs = description.layers.last().map_or(0, |layer| layer.outputs);
        let mut text = head(description, outputs);
        for (index, layer) in description.layers.iter().enumerate() {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            numbers(&mut text, &format!("WEIGHTS_{index}"), &format!("[[f32; {inputs}]; {outputs}]"), &layer.weights);
            numbers(&mut text, &format!("THRESHOLDS_{index}"), &format!("[f32; {outputs}]"), &layer.thresholds);
        }
        let mut body = String::new();
        for (index, layer) in description.layers.iter().enumerate() {
            let sums = format!("layer(&WEIGHTS_{index}, &THRESHOLDS_{index}, &x)");
            let line = match layer.function {
                Function::Softmax => format!("softmax({sums})"),
                Function::Unit(Activation::Linear) => sums,
                Function::Unit(activation) => format!("{sums}.map(|a| {})", formula(activation)),
            };
            _ = writeln!(body, "    let x = {line};");
        }
        predict(description, outputs, &body, &mut text);
        text.push_str(LAYER);
        helpers(description.layers.iter().map(|layer| layer.function), &mut text);
        Ok(text.into_bytes())
    }

    /// One line a node, in the order of computing.
    fn write_graph(&self, found: &GraphModel, description: &Description) -> Option<Result<Vec<u8>>> {
        let outputs = found.graph.outputs();
        let mut text = head(description, outputs);
        let bias = found.graph.inputs() as u32;
        let name = |node: u32| if node < bias { format!("x[{node}]") } else { format!("n{node}") };
        let mut links = found.graph.links().zip(&found.weights).peekable();
        let mut body = String::new();
        for node in found.graph.nodes() {
            let mut sum = String::new();
            while let Some(((from, _), weight)) = links.next_if(|((_, to), _)| *to == node.id) {
                let weight = f64::from(*weight);
                let plus = if sum.is_empty() { "" } else { " + " };
                let times = if from == bias { String::new() } else { format!(" * {}", name(from)) };
                _ = write!(sum, "{plus}{weight:?}{times}");
            }
            if sum.is_empty() {
                sum.push_str("0.0");
            }
            let said = formula(node.activation);
            _ = writeln!(body, "    let n{} = {{\n        let a: f64 = {sum};\n        {said}\n    }};", node.id);
        }
        let said: Vec<String> = (0..outputs as u32).map(|output| name(bias + 1 + output)).collect();
        let said = format!("[{}]", said.join(", "));
        let softmax = found.head() == Head::SoftmaxCrossEntropy;
        // A network may hear none of its inputs.
        body.push_str("    _ = x;\n");
        _ = writeln!(body, "    let x = {};", if softmax { format!("softmax({said})") } else { said });
        predict(description, outputs, &body, &mut text);
        let units = found.graph.nodes().iter().map(|node| Function::Unit(node.activation));
        helpers(units.chain(softmax.then_some(Function::Softmax)), &mut text);
        Some(Ok(text.into_bytes()))
    }
}

/// Where the weights come from, names, and the numbers of both scalings.
fn head(description: &Description, outputs: usize) -> String {
    let inputs = description.inputs.len();
    let origin = &description.origin;
    let mut text = String::from("// Written by `precocial export --to rust`.\n");
    let (experiment, arm) = (printable(&origin.experiment), printable(&origin.arm));
    _ = writeln!(text, "// Weights: experiment {experiment}, arm {arm}, seed {}, {:?}.", origin.seed, origin.moment);
    text.push_str(if description.classification && outputs == 1 {
        "// The output speaks for the second class.\n\n"
    } else {
        "\n"
    });
    let targets = if description.classification { "CLASSES" } else { "OUTPUTS" };
    for (name, words) in [("INPUTS", &description.inputs), (targets, &description.targets)] {
        _ = writeln!(text, "#[rustfmt::skip]\npub const {name}: [&str; {}] = {words:?};", words.len());
    }
    let scaling = &description.input_scaling;
    numbers(&mut text, "INPUT_CENTRE", &format!("[f64; {inputs}]"), &scaling.centre);
    numbers(&mut text, "INPUT_FACTOR", &format!("[f64; {inputs}]"), &scaling.factor);
    if !scaling.fill.is_empty() {
        numbers(&mut text, "INPUT_FILL", &format!("[f64; {inputs}]"), &scaling.fill);
    }
    if let Some(scaling) = &description.output_scaling {
        numbers(&mut text, "OUTPUT_CENTRE", &format!("[f64; {outputs}]"), &scaling.centre);
        numbers(&mut text, "OUTPUT_SPREAD", &format!("[f64; {outputs}]"), &scaling.spread);
    }
    text
}

fn numbers(text: &mut String, name: &str, of: &str, values: &dyn std::fmt::Debug) {
    _ = writeln!(text, "#[rustfmt::skip]\nstatic {name}: {of} = {values:?};");
}

/// The functions that some formulas need.
fn helpers(functions: impl Iterator<Item = Function>, text: &mut String) {
    let mut helpers: Vec<&str> = functions.filter_map(helper).collect();
    helpers.sort_unstable();
    helpers.dedup();
    helpers.iter().for_each(|helper| text.push_str(helper));
}

/// The function; `body` goes from scaled inputs `x` to the outputs of the network, `x` again.
fn predict(description: &Description, outputs: usize, body: &str, text: &mut String) {
    let inputs = description.inputs.len();
    let scaling = &description.input_scaling;
    let meaning = match (description.classification, outputs) {
        (false, _) => "values in their own units",
        (true, 1) => "what speaks for the second class",
        (true, _) => "one number for each class",
    };
    let filled = !scaling.fill.is_empty();
    let missing = if filled { "; NaN where a cell is missing" } else { "" };
    let cell = if filled {
        "let cell = if inputs[at].is_nan() { INPUT_FILL[at] } else { inputs[at] };"
    } else {
        "let cell = inputs[at];"
    };
    let middle = scaling.middle;
    _ = writeln!(
        text,
        "\n/// Outputs for one row of inputs in their own units{missing}: {meaning}.
pub fn predict(inputs: &[f64; {inputs}]) -> [f64; {outputs}] {{
    let x: [f64; {inputs}] = std::array::from_fn(|at| {{
        {cell}
        ((cell - INPUT_CENTRE[at]) * INPUT_FACTOR[at] + {middle:?}).clamp(-1e18, 1e18)
    }});"
    );
    text.push_str(body);
    if let Some(scaling) = &description.output_scaling {
        let middle = scaling.middle;
        _ = writeln!(
            text,
            "    std::array::from_fn(|at| (x[at] - {middle:?}) * OUTPUT_SPREAD[at] + OUTPUT_CENTRE[at])\n}}"
        );
    } else {
        text.push_str("    x\n}\n");
    }
}

/// The activation of the sum `a`.
fn formula(activation: Activation) -> String {
    match activation {
        Activation::Linear => "a".into(),
        Activation::Step => "if a > 0.0 { 1.0 } else { 0.0 }".into(),
        Activation::Logistic => "1.0 / (1.0 + (-a).exp())".into(),
        Activation::Tanh => "a.tanh()".into(),
        Activation::Relu => "a.max(0.0)".into(),
        Activation::LeakyRelu { slope } => format!("if a > 0.0 {{ a }} else {{ {:?} * a }}", slope.get()),
        Activation::Gelu => "0.5 * a * (1.0 + erf(a * std::f64::consts::FRAC_1_SQRT_2))".into(),
        Activation::Silu => "a / (1.0 + (-a).exp())".into(),
        Activation::Softplus => "a.max(0.0) + (-a.abs()).exp().ln_1p()".into(),
        Activation::Sin => "(std::f64::consts::PI * a).sin()".into(),
        Activation::Cos => "(std::f64::consts::PI * a).cos()".into(),
        Activation::Gaussian => "(-0.5 * a * a).exp()".into(),
        Activation::Abs => "a.abs()".into(),
        Activation::Square => "a * a".into(),
        Activation::Negate => "-a".into(),
    }
}

fn helper(function: Function) -> Option<&'static str> {
    match function {
        Function::Softmax => Some(SOFTMAX),
        Function::Unit(Activation::Gelu) => Some(ERF),
        Function::Unit(_) => None,
    }
}

const LAYER: &str = "
fn layer<const I: usize, const O: usize>(weights: &[[f32; I]; O], thresholds: &[f32; O], x: &[f64; I]) -> [f64; O] {
    std::array::from_fn(|unit| {
        let products = weights[unit].iter().zip(x).map(|(weight, x)| f64::from(*weight) * x);
        f64::from(thresholds[unit]) + products.sum::<f64>()
    })
}
";

const SOFTMAX: &str = "
fn softmax<const O: usize>(sums: [f64; O]) -> [f64; O] {
    let highest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares = sums.map(|sum| (sum - highest).exp());
    let total: f64 = shares.iter().sum();
    shares.map(|share| share / total)
}
";

/// erf x = 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!, whose terms have one sign (Abramowitz & Stegun 1964, 7.1.6).
const ERF: &str = "
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > 1e-17 * sum.abs() {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}
";

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::models;

    #[test]
    fn names_cannot_leave_their_quotes_or_comments() {
        for mut model in models() {
            model.header.origin.1 = "arm\nfn main() {}".into();
            model.header.inputs[0] = "\"; evil".into();
            let text = String::from_utf8(model.export(&Format::Rust).unwrap()).unwrap();
            assert!(!text.contains("\nfn main"), "{text}");
            assert!(text.contains(r#"["\"; evil""#), "{text}");
            assert_eq!(text.contains("fn erf"), text.contains("erf(a"));
        }
    }
}
