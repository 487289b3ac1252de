//! ONNX, opset 17: a `Gemm` and an activation for each layer; for graphs, for each level and activation.
//!
//! **Raw inputs, raw outputs**: `inputs` `[rows × inputs]` and `outputs` `[rows × outputs]` are in the units of the data, as
//! [`Model::predict`](crate::experiment::Model::predict) has them, and so in double precision: single precision has too few
//! digits for columns such as years. The scaling nodes compute in double precision, the network between them in single.
//! Missing cells (NaN) are filled where training knew how. Activations without an operator of their own are composed of
//! several. The metadata `precocial` is the [`Description`] without weights, in JSON.
//!
#![doc = concat!("```python\n", include_str!("onnx.py"), "```")]

use super::{Description, Export, Function, doubles, singles, too_large};
use crate::error::Result;
use crate::experiment::search::GraphModel;
use crate::files::protobuf::Message;
use crate::math::Activation;
use crate::network::Head;
use crate::network::graph::GraphNode;
use std::collections::BTreeMap;

/// ONNX's protocol buffers (`onnx.proto3` of IR version 8), of which few messages are needed.
pub struct Onnx;

const OPSET: u64 = 17;
const IR_VERSION: u64 = 8;
/// What protocol buffers can hold at most.
const LARGEST: usize = (1 << 31) - 1;

impl Export for Onnx {
    fn word(&self) -> &'static str {
        "onnx"
    }

    fn about(&self) -> &'static str {
        "a graph of opset 17, doubles in and out; raw inputs and outputs"
    }

    fn extension(&self) -> &'static str {
        "onnx"
    }

    fn recipe(&self) -> &'static str {
        include_str!("onnx.py")
    }

    fn write(&self, description: &Description) -> Result<Vec<u8>> {
        model(Graph::of(description), description, description.layers.last().map_or(0, |layer| layer.outputs))
    }

    fn write_graph(&self, found: &GraphModel, description: &Description) -> Option<Result<Vec<u8>>> {
        Some(model(Graph::of_nodes(found, description), description, found.graph.outputs()))
    }
}

/// The whole file.
fn model(graph: Graph, description: &Description, outputs: usize) -> Result<Vec<u8>> {
    let opset = Message::new().text(1, "").number(2, OPSET);
    let metadata = Message::new().text(1, "precocial").text(2, &description.metadata());
    let model = Message::new()
        .number(1, IR_VERSION)
        .text(2, "precocial")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph.finish(description, outputs))
        .message(8, &opset)
        .message(14, &metadata);
    let bytes = model.finish();
    if bytes.len() > LARGEST { Err(too_large("ONNX", "2 GiB")) } else { Ok(bytes) }
}

/// How ONNX numbers the types of elements.
#[derive(Clone, Copy)]
enum Element {
    Single = 1,
    Double = 11,
}

/// Nodes and constants in the order of computing.
struct Graph {
    message: Message,
    /// How many values there are, which names them.
    values: usize,
}

impl Graph {
    fn of(description: &Description) -> Graph {
        let mut graph = Graph { message: Message::new(), values: 0 };
        let mut x = graph.begin(description);
        for (index, layer) in description.layers.iter().enumerate() {
            let weights = singles(layer.weights.iter().flatten());
            let weights =
                graph.constant(&format!("weights_{index}"), Element::Single, &[layer.outputs, layer.inputs], weights);
            let thresholds = singles(&layer.thresholds);
            let thresholds =
                graph.constant(&format!("thresholds_{index}"), Element::Single, &[layer.outputs], thresholds);
            x = graph.node("Gemm", &[&x, &weights, &thresholds], &[("transB", Attribute::Number(1))]);
            x = graph.function(layer.function, x);
        }
        graph.end(description, x);
        graph
    }

    /// Level by level: all that was computed so far stands side by side, nodes of one activation hear it by one matrix, with
    /// zeros where there is no link, and what they say is put beside it.
    fn of_nodes(found: &GraphModel, description: &Description) -> Graph {
        let mut graph = Graph { message: Message::new(), values: 0 };
        let mut known = graph.begin(description);
        let bias = found.graph.inputs() as u32;
        let mut columns: BTreeMap<u32, usize> = (0..bias).map(|input| (input, input as usize)).collect();
        let mut weights = found.weights.iter().copied();
        let mut incoming: BTreeMap<u32, Vec<(u32, f32)>> = BTreeMap::new();
        for ((from, to), weight) in found.graph.links().zip(&mut weights) {
            incoming.entry(to).or_default().push((from, weight));
        }
        let nodes = found.graph.nodes();
        let (hidden, outputs) = nodes.split_at(nodes.len() - found.graph.outputs());
        let levels: Vec<&[GraphNode]> = hidden.chunk_by(|a, b| a.level == b.level).chain([outputs]).collect();
        for (index, level) in levels.iter().enumerate() {
            let mut said = Vec::new();
            for (run, nodes) in level.chunk_by(|a, b| a.activation == b.activation).enumerate() {
                let mut matrix = vec![0.0_f32; nodes.len() * columns.len()];
                let mut thresholds = vec![0.0_f32; nodes.len()];
                for (row, node) in nodes.iter().enumerate() {
                    for (from, weight) in incoming.get(&node.id).into_iter().flatten() {
                        match columns.get(from) {
                            Some(column) => matrix[row * columns.len() + column] = *weight,
                            None => thresholds[row] = *weight,
                        }
                    }
                }
                let (name, shape) = (format!("{index}_{run}"), [nodes.len(), columns.len()]);
                let matrix = graph.constant(&format!("weights_{name}"), Element::Single, &shape, singles(&matrix));
                let thresholds =
                    graph.constant(&format!("thresholds_{name}"), Element::Single, &shape[..1], singles(&thresholds));
                let sums = graph.node("Gemm", &[&known, &matrix, &thresholds], &[("transB", Attribute::Number(1))]);
                said.push(graph.function(Function::Unit(nodes[0].activation), sums));
            }
            if index + 1 < levels.len() {
                for node in *level {
                    let column = columns.len();
                    columns.insert(node.id, column);
                }
                said.insert(0, known);
            }
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            known = graph.node("Concat", &said, &[("axis", Attribute::Number(1))]);
        }
        if found.head() == Head::SoftmaxCrossEntropy {
            known = graph.function(Function::Softmax, known);
        }
        graph.end(description, known);
        graph
    }

    /// From raw inputs to scaled ones in single precision.
    fn begin(&mut self, description: &Description) -> String {
        let graph = self;
        let scaling = &description.input_scaling;
        let mut x = "inputs".to_owned();
        if !scaling.fill.is_empty() {
            let missing = graph.node("IsNaN", &[&x], &[]);
            let fill = graph.doubles(&[scaling.fill.len()], &scaling.fill);
            x = graph.node("Where", &[&missing, &fill, &x], &[]);
        }
        let idle = |x: &[f64], neutral: f64| x.iter().all(|x| *x == neutral);
        if !(idle(&scaling.centre, 0.0) && idle(&scaling.factor, 1.0) && scaling.middle == 0.0) {
            x = graph.with_doubles("Sub", &x, &scaling.centre);
            x = graph.with_doubles("Mul", &x, &scaling.factor);
            x = graph.with_doubles("Add", &x, &[scaling.middle]);
        }
        graph.cast(&x, Element::Single)
    }

    /// From the outputs of the network to raw ones.
    fn end(&mut self, description: &Description, x: String) {
        let graph = self;
        let mut x = graph.cast(&x, Element::Double);
        if let Some(scaling) = &description.output_scaling {
            x = graph.with_doubles("Sub", &x, &[scaling.middle]);
            x = graph.with_doubles("Mul", &x, &scaling.spread);
            x = graph.with_doubles("Add", &x, &scaling.centre);
        }
        graph.named_node("Identity", &[&x], "outputs", &[]);
    }

    fn finish(self, description: &Description, outputs: usize) -> Message {
        let about = format!("inputs: {}; outputs: {}", description.inputs.join(", "), description.targets.join(", "));
        self.message
            .text(2, "network")
            .text(10, &about)
            .message(11, &table("inputs", description.inputs.len()))
            .message(12, &table("outputs", outputs))
    }

    /// What `function` makes of `x`.
    fn function(&mut self, function: Function, x: String) -> String {
        let activation = match function {
            Function::Softmax => return self.node("Softmax", &[&x], &[("axis", Attribute::Number(1))]),
            Function::Unit(activation) => activation,
        };
        match activation {
            Activation::Linear => x,
            Activation::Step => {
                let positive = self.with("Greater", &x, 0.0);
                self.cast(&positive, Element::Single)
            }
            Activation::Logistic => self.node("Sigmoid", &[&x], &[]),
            Activation::Tanh => self.node("Tanh", &[&x], &[]),
            Activation::Relu => self.node("Relu", &[&x], &[]),
            Activation::LeakyRelu { slope } => {
                self.node("LeakyRelu", &[&x], &[("alpha", Attribute::Real(slope.get() as f32))])
            }
            Activation::Gelu => {
                let scaled = self.with("Mul", &x, std::f32::consts::FRAC_1_SQRT_2);
                let erf = self.node("Erf", &[&scaled], &[]);
                let share = self.with("Add", &erf, 1.0);
                let double = self.node("Mul", &[&x, &share], &[]);
                self.with("Mul", &double, 0.5)
            }
            Activation::Silu => {
                let share = self.node("Sigmoid", &[&x], &[]);
                self.node("Mul", &[&x, &share], &[])
            }
            Activation::Softplus => self.node("Softplus", &[&x], &[]),
            Activation::Sin => self.of_turns("Sin", &x),
            Activation::Cos => self.of_turns("Cos", &x),
            Activation::Gaussian => {
                let square = self.node("Mul", &[&x, &x], &[]);
                let exponent = self.with("Mul", &square, -0.5);
                self.node("Exp", &[&exponent], &[])
            }
            Activation::Abs => self.node("Abs", &[&x], &[]),
            Activation::Square => self.node("Mul", &[&x, &x], &[]),
            Activation::Negate => self.node("Neg", &[&x], &[]),
        }
    }

    /// Sine or cosine of πx. Whole turns are taken off first, which is exact, while π·x would lose digits of large x.
    fn of_turns(&mut self, operator: &str, x: &str) -> String {
        let turns = self.with("Mul", x, 0.5);
        let turns = self.node("Round", &[&turns], &[]);
        let whole = self.with("Mul", &turns, 2.0);
        let rest = self.node("Sub", &[x, &whole], &[]);
        let angle = self.with("Mul", &rest, std::f32::consts::PI);
        self.node(operator, &[&angle], &[])
    }

    fn cast(&mut self, x: &str, to: Element) -> String {
        self.node("Cast", &[x], &[("to", Attribute::Number(to as u64))])
    }

    /// An operator of `x` and one number.
    fn with(&mut self, operator: &str, x: &str, number: f32) -> String {
        let name = self.fresh("constant");
        let constant = self.constant(&name, Element::Single, &[], singles(&[number]));
        self.node(operator, &[x, &constant], &[])
    }

    /// An operator of `x` and a number for each column, or one for all.
    fn with_doubles(&mut self, operator: &str, x: &str, numbers: &[f64]) -> String {
        let constant = self.doubles(&[numbers.len()], numbers);
        self.node(operator, &[x, &constant], &[])
    }

    fn doubles(&mut self, shape: &[usize], numbers: &[f64]) -> String {
        let name = self.fresh("constant");
        self.constant(&name, Element::Double, shape, doubles(numbers))
    }

    fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let name = self.fresh(&operator.to_lowercase());
        self.named_node(operator, inputs, &name, attributes);
        name
    }

    /// `NodeProto`
    fn named_node(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute)]) {
        let mut node = Message::new();
        for input in inputs {
            node = node.text(1, input);
        }
        node = node.text(2, output).text(3, &format!("{output}_node")).text(4, operator);
        for (name, value) in attributes {
            let attribute = Message::new().text(1, name);
            node = node.message(
                5,
                &match value {
                    Attribute::Real(x) => attribute.single(2, *x).number(20, 1),
                    Attribute::Number(n) => attribute.number(3, *n).number(20, 2),
                },
            );
        }
        self.append(1, &node);
    }

    /// `TensorProto`
    fn constant(&mut self, name: &str, element: Element, shape: &[usize], bytes: Vec<u8>) -> String {
        let mut tensor = Message::new();
        for length in shape {
            tensor = tensor.number(1, *length as u64);
        }
        let tensor = tensor.number(2, element as u64).text(8, name).bytes(9, &bytes);
        self.append(5, &tensor);
        name.to_owned()
    }

    fn append(&mut self, field: u64, message: &Message) {
        self.message = std::mem::replace(&mut self.message, Message::new()).message(field, message);
    }

    fn fresh(&mut self, stem: &str) -> String {
        self.values += 1;
        format!("{stem}_{}", self.values)
    }
}

enum Attribute {
    Real(f32),
    Number(u64),
}

/// `ValueInfoProto` of doubles, `[rows × columns]` for any number of rows.
fn table(name: &str, columns: usize) -> Message {
    let rows = Message::new().text(2, "rows");
    let columns = Message::new().number(1, columns as u64);
    let shape = Message::new().message(1, &rows).message(1, &columns);
    let tensor = Message::new().number(1, Element::Double as u64).message(2, &shape);
    Message::new().text(1, name).message(2, &Message::new().message(1, &tensor))
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::models;
    use super::*;

    /// Fields of a message: number and bytes, or number and value.
    fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>, u64)> {
        fn varint(bytes: &mut &[u8]) -> u64 {
            let mut value = 0;
            for shift in (0..).step_by(7) {
                let byte = bytes[0];
                *bytes = &bytes[1..];
                value |= u64::from(byte & 0x7F) << shift;
                if byte < 0x80 {
                    break;
                }
            }
            value
        }
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let (data, value) = match key & 7 {
                0 => (Vec::new(), varint(&mut bytes)),
                5 => (bytes[..4].to_vec(), 4),
                2 => {
                    let length = varint(&mut bytes);
                    (bytes[..length as usize].to_vec(), length)
                }
                other => panic!("wire type {other}"),
            };
            let taken = if key & 7 == 0 { 0 } else { data.len() };
            bytes = &bytes[taken..];
            found.push((key >> 3, data, value));
        }
        found
    }

    #[test]
    fn every_value_is_made_before_it_is_used_and_once() {
        for model in models() {
            let file = fields(&model.export(&Format::Onnx).unwrap());
            assert_eq!(fields(&file.iter().find(|field| field.0 == 8).unwrap().1)[1].2, OPSET);
            let graph = fields(&file.iter().find(|field| field.0 == 7).unwrap().1);
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let name = |message: &[u8], field: u64| {
                fields(message).iter().filter(|found| found.0 == field).map(|found| text(&found.1)).collect::<Vec<_>>()
            };
            let mut known = vec!["inputs".to_owned()];
            graph.iter().filter(|field| field.0 == 5).for_each(|tensor| known.extend(name(&tensor.1, 8)));
            let mut operators = Vec::new();
            for node in graph.iter().filter(|field| field.0 == 1) {
                assert!(name(&node.1, 1).iter().all(|input| known.contains(input)));
                known.extend(name(&node.1, 2));
                operators.extend(name(&node.1, 4));
            }
            let mut distinct = known.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!((distinct.len(), known.last().unwrap().as_str()), (known.len(), "outputs"));
            let gemms = operators.iter().filter(|operator| *operator == "Gemm").count();
            assert_eq!(gemms, model.network.layers().len());
            assert_eq!(operators.contains(&"IsNaN".to_owned()), model.header.input_scaler.fills_missing());
        }
    }
}
