//! ONNX: what [`export::onnx`](crate::experiment::export::onnx) writes, and chains of `Gemm`, or of `MatMul` and `Add`, with an
//! activation after each, as `torch.onnx.export` makes of an `nn.Sequential`.
//!
//! Only the fields of `onnx.proto3` that such networks need are read; all others are passed over.

use super::{Found, Import, Layer, Tensor, damaged};
use crate::error::{Error, Result, printable};
use crate::experiment::export::{Description, Function};
use crate::math::Activation;
use crate::values::NonNegative;
use std::collections::BTreeMap;
use std::path::Path;

/// ONNX's protocol buffers.
pub struct Onnx;

impl Import for Onnx {
    fn claims(&self, bytes: &[u8]) -> bool {
        // The version of the format is the first field, and below 128 for long.
        matches!(bytes, [0x08, version, ..] if *version < 0x80)
            && fields(bytes).any(|field| matches!(field, Ok((7, _))))
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Found> {
        let (mut graph, mut metadata) = (None, None);
        for field in fields(bytes) {
            match field? {
                (7, Value::Bytes(bytes)) => graph = Some(bytes),
                (14, Value::Bytes(entry)) => {
                    let (mut key, mut value) = ("", "");
                    for field in fields(entry) {
                        match field? {
                            (1, Value::Bytes(bytes)) => key = text(bytes)?,
                            (2, Value::Bytes(bytes)) => value = text(bytes)?,
                            _ => {}
                        }
                    }
                    if key == "precocial" {
                        metadata = Some(value);
                    }
                }
                _ => {}
            }
        }
        let graph = Graph::of(graph.ok_or_else(|| damaged("it has no graph"))?)?;
        let Some(metadata) = metadata else {
            return Ok(Found { description: None, layers: Walk::of(&graph)?.layers });
        };
        let description: Description = serde_json::from_str(metadata)
            .map_err(|cause| damaged(&format!("its metadata cannot be read: {}", printable(&cause.to_string()))))?;
        let layer = |index: usize| {
            let [weights, thresholds] =
                ["weights", "thresholds"].map(|stem| graph.constant(&format!("{stem}_{index}")));
            weights?.layer(Some(thresholds?), false, None)
        };
        let layers = (0..description.layers.len()).map(layer).collect::<Result<Vec<Layer>>>()?;
        Ok(Found { description: Some(description), layers })
    }
}

/// `GraphProto`
#[derive(Default)]
struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    /// `TensorProto`s by their names.
    constants: BTreeMap<&'a str, &'a [u8]>,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
}

/// `NodeProto`
#[derive(Default)]
struct Node<'a> {
    operator: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    /// `AttributeProto`s.
    attributes: Vec<&'a [u8]>,
}

impl<'a> Graph<'a> {
    fn of(bytes: &'a [u8]) -> Result<Graph<'a>> {
        let mut graph = Graph::default();
        for field in fields(bytes) {
            match field? {
                (1, Value::Bytes(bytes)) => {
                    let node = Node::of(bytes)?;
                    // A constant may be a node of its own.
                    match (node.operator, node.outputs.first(), node.attribute("value")?) {
                        ("Constant", Some(name), Some(Attribute { tensor: Some(tensor), .. })) => {
                            graph.constants.insert(name, tensor);
                        }
                        _ => graph.nodes.push(node),
                    }
                }
                (5, Value::Bytes(bytes)) => {
                    graph.constants.insert(name(bytes, 8)?, bytes);
                }
                (11, Value::Bytes(bytes)) => graph.inputs.push(name(bytes, 1)?),
                (12, Value::Bytes(bytes)) => graph.outputs.push(name(bytes, 1)?),
                _ => {}
            }
        }
        Ok(graph)
    }

    fn constant(&self, name: &str) -> Result<Tensor> {
        match self.constants.get(name) {
            Some(bytes) => tensor(name, bytes),
            None => Err(damaged(&format!("it lacks the numbers \"{}\"", printable(name)))),
        }
    }

    /// The only number of a constant.
    fn number(&self, name: &str) -> Option<f32> {
        match &self.constant(name).ok()?.values[..] {
            [number] => Some(*number),
            _ => None,
        }
    }
}

impl<'a> Node<'a> {
    fn of(bytes: &'a [u8]) -> Result<Node<'a>> {
        let mut node = Node::default();
        for field in fields(bytes) {
            match field? {
                (1, Value::Bytes(bytes)) => node.inputs.push(text(bytes)?),
                (2, Value::Bytes(bytes)) => node.outputs.push(text(bytes)?),
                (4, Value::Bytes(bytes)) => node.operator = text(bytes)?,
                (5, Value::Bytes(bytes)) => node.attributes.push(bytes),
                _ => {}
            }
        }
        Ok(node)
    }

    fn attribute(&self, wanted: &str) -> Result<Option<Attribute<'a>>> {
        for bytes in &self.attributes {
            if name(bytes, 1)? == wanted {
                let mut attribute = Attribute::default();
                for field in fields(bytes) {
                    match field? {
                        (2, Value::Four(x)) => attribute.real = f32::from_bits(x),
                        (3, Value::Number(n)) => attribute.number = n as i64,
                        (4, Value::Bytes(bytes)) => attribute.text = text(bytes)?,
                        (5, Value::Bytes(bytes)) => attribute.tensor = Some(bytes),
                        _ => {}
                    }
                }
                return Ok(Some(attribute));
            }
        }
        Ok(None)
    }

    /// The other one of two inputs.
    fn beside(&self, one: &str) -> Option<&'a str> {
        match self.inputs[..] {
            [a, b] if a == one => Some(b),
            [a, b] if b == one => Some(a),
            _ => None,
        }
    }
}

/// `AttributeProto`
#[derive(Default)]
struct Attribute<'a> {
    real: f32,
    number: i64,
    text: &'a str,
    tensor: Option<&'a [u8]>,
}

/// A way along the nodes, each of which must take what the one before gave.
struct Walk<'a> {
    graph: &'a Graph<'a>,
    /// Name of the value that was computed last.
    value: &'a str,
    layers: Vec<Layer>,
    /// Weights of all layers.
    numbers: usize,
    /// The next node.
    at: usize,
}

impl<'a> Walk<'a> {
    fn of(graph: &'a Graph<'a>) -> Result<Walk<'a>> {
        let inputs: Vec<&str> =
            graph.inputs.iter().copied().filter(|name| !graph.constants.contains_key(name)).collect();
        let ([input], [output]) = (&inputs[..], &graph.outputs[..]) else {
            let message = format!("the graph has {} inputs and {} outputs", inputs.len(), graph.outputs.len());
            return Err(Error::data("P0313", message).help("export a network with one table in and one out"));
        };
        let mut walk = Walk { graph, value: input, layers: Vec::new(), numbers: 0, at: 0 };
        while let Some(node) = graph.nodes.get(walk.at) {
            walk.step(node)?;
        }
        if walk.value != *output {
            return Err(unknown(&format!("its output \"{}\" is not what its last node gives", printable(output))));
        }
        // Sums that nothing was done to are linear.
        for layer in &mut walk.layers {
            layer.function.get_or_insert(Function::Unit(Activation::Linear));
        }
        Ok(walk)
    }

    fn step(&mut self, node: &'a Node<'a>) -> Result<()> {
        let at = self.at;
        let told = || format!("\"{}\" (node {})", printable(node.operator), at + 1);
        let Some(output) = node.outputs.first().filter(|_| node.inputs.contains(&self.value)) else {
            return Err(unknown(&format!("{} does not take what the node before it gives", told())));
        };
        let mut nodes = 1;
        let function = match node.operator {
            "Identity" | "Cast" | "Dropout" | "Flatten" => None,
            "Gemm" | "MatMul" => {
                let layer = self.layer(node)?;
                // A node takes few bytes, whatever it takes its weights from.
                self.numbers += layer.weights.len();
                if self.numbers > self.graph.constants.values().map(|bytes| bytes.len()).sum() {
                    return Err(unknown("many layers share their weights"));
                }
                self.layers.push(layer);
                None
            }
            "Add" => {
                let thresholds = self.graph.constant(node.beside(self.value).unwrap_or_default())?;
                let Some(layer) = self.layers.last_mut().filter(|layer| {
                    // Once only, straight after the product.
                    layer.function.is_none()
                        && thresholds.values.len() == layer.outputs
                        && layer.thresholds.iter().all(|x| *x == 0.0)
                }) else {
                    return Err(unknown(&format!("{} adds something that is no list of thresholds", told())));
                };
                layer.thresholds = thresholds.values;
                None
            }
            "Sigmoid"
                if self.operators(&["Sigmoid", "Mul"])
                    && self.graph.nodes[self.at + 1].beside(output) == Some(self.value) =>
            {
                nodes = 2;
                Some(Function::Unit(Activation::Silu))
            }
            "Sigmoid" => Some(Function::Unit(Activation::Logistic)),
            "Tanh" => Some(Function::Unit(Activation::Tanh)),
            "Relu" => Some(Function::Unit(Activation::Relu)),
            "LeakyRelu" => {
                let slope = node.attribute("alpha")?.map_or(0.01, |attribute| shortest(attribute.real));
                let slope =
                    NonNegative::new(slope).map_err(|_| unknown(&format!("{} has a slope of {slope}", told())))?;
                Some(Function::Unit(Activation::LeakyRelu { slope }))
            }
            "Gelu" if node.attribute("approximate")?.is_none_or(|attribute| ["", "none"].contains(&attribute.text)) => {
                Some(Function::Unit(Activation::Gelu))
            }
            "Div" | "Mul" if self.is_gelu(node) => {
                nodes = 5;
                Some(Function::Unit(Activation::Gelu))
            }
            "Softplus" => Some(Function::Unit(Activation::Softplus)),
            "Abs" => Some(Function::Unit(Activation::Abs)),
            "Neg" => Some(Function::Unit(Activation::Negate)),
            "Softmax" if node.attribute("axis")?.is_none_or(|axis| [1, -1].contains(&axis.number)) => {
                Some(Function::Softmax)
            }
            _ => return Err(unknown(&format!("{} is no operator of such a chain", told()))),
        };
        if let Some(function) = function {
            match self.layers.last_mut() {
                Some(layer) if layer.function.is_none() => layer.function = Some(function),
                Some(_) => return Err(unknown(&format!("{} follows another activation", told()))),
                None => return Err(unknown(&format!("{} comes before any weights", told()))),
            }
        }
        self.at += nodes;
        self.value = self.graph.nodes[self.at - 1].outputs.first().copied().unwrap_or_default();
        Ok(())
    }

    /// The layer of a product.
    fn layer(&self, node: &Node) -> Result<Layer> {
        // What comes in stands on the left.
        let (Some(weights), true) = (node.inputs.get(1), node.inputs.first() == Some(&self.value)) else {
            return Err(unknown("a product of weights and inputs that is not inputs · weights"));
        };
        let mut turned = true;
        if node.operator == "Gemm" {
            for (name, neutral) in [("alpha", 1.0), ("beta", 1.0)] {
                if node.attribute(name)?.is_some_and(|attribute| attribute.real != neutral) {
                    return Err(unknown(&format!("a `Gemm` with {name} other than 1")));
                }
            }
            if node.attribute("transA")?.is_some_and(|attribute| attribute.number != 0) {
                return Err(unknown("a `Gemm` of turned inputs"));
            }
            turned = node.attribute("transB")?.is_none_or(|attribute| attribute.number == 0);
        }
        let thresholds = node.inputs.get(2).map(|name| self.graph.constant(name)).transpose()?;
        self.graph.constant(weights)?.layer(thresholds, turned, None)
    }

    /// Whether the next nodes are these operators.
    fn operators(&self, wanted: &[&str]) -> bool {
        let next = self.graph.nodes.get(self.at..self.at + wanted.len());
        next.is_some_and(|next| next.iter().zip(wanted).all(|(node, wanted)| node.operator == *wanted))
    }

    /// Whether `x · (1 + erf(x / √2)) / 2` begins here, as graphs compute it that have no operator for it.
    fn is_gelu(&self, first: &Node) -> bool {
        if !(self.operators(&["Div", "Erf", "Add", "Mul", "Mul"])
            || self.operators(&["Mul", "Erf", "Add", "Mul", "Mul"]))
        {
            return false;
        }
        let nodes = &self.graph.nodes[self.at..self.at + 5];
        let name = |at: usize| nodes[at].outputs.first().copied().unwrap_or_default();
        let near = |node: &Node, value: &str, wanted: f32| {
            let number = node.beside(value).and_then(|constant| self.graph.number(constant));
            number.is_some_and(|number| (number - wanted).abs() < 1e-5)
        };
        let root = if first.operator == "Div" { std::f32::consts::SQRT_2 } else { std::f32::consts::FRAC_1_SQRT_2 };
        near(first, self.value, root)
            && nodes[1].inputs[..] == [name(0)]
            && near(&nodes[2], name(1), 1.0)
            && nodes[3].beside(name(2)) == Some(self.value)
            && near(&nodes[4], name(3), 0.5)
    }
}

/// `0.01_f32` as 0.01, so that slopes keep their decimal form.
fn shortest(x: f32) -> f64 {
    x.to_string().parse().unwrap_or(f64::from(x))
}

/// `TensorProto`
fn tensor(name: &str, bytes: &[u8]) -> Result<Tensor> {
    let (mut shape, mut element, mut raw, mut values) = (Vec::new(), 1, None, Vec::new());
    for field in fields(bytes) {
        match field? {
            (1, Value::Number(length)) => shape.push(length),
            (1, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    shape.push(varint(&mut packed)?);
                }
            }
            (2, Value::Number(number)) => element = number,
            (4, Value::Four(bits)) => values.push(f32::from_bits(bits)),
            (4, Value::Bytes(packed)) => {
                values.extend(packed.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)))
            }
            (9, Value::Bytes(bytes)) => raw = Some(bytes),
            (10, Value::Eight(bits)) => values.push(f64::from_bits(bits) as f32),
            (10, Value::Bytes(packed)) => {
                values.extend(packed.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32));
            }
            (13, _) | (14, Value::Number(1)) => {
                let message = format!("the numbers \"{}\" lie in another file", printable(name));
                return Err(
                    Error::data("P0313", message).help("write one file: `torch.onnx.export(…, external_data=False)`")
                );
            }
            _ => {}
        }
    }
    if let Some(raw) = raw {
        values = match element {
            1 => raw.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
            11 => raw.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32).collect(),
            _ => Vec::new(),
        };
    }
    if ![1, 11].contains(&element) {
        let message = format!("the numbers \"{}\" are of ONNX's type {element}", printable(name));
        return Err(Error::data("P0313", message)
            .note("1 (single precision) and 11 (double) are read")
            .help("export the network in single precision"));
    }
    let lengths: Option<Vec<usize>> = shape.iter().map(|length| usize::try_from(*length).ok()).collect();
    let whole =
        lengths.as_ref().and_then(|all| all.iter().try_fold(1_usize, |cells, length| cells.checked_mul(*length)));
    match lengths {
        Some(shape) if whole == Some(values.len()) => Ok(Tensor { name: name.to_owned(), shape, values }),
        _ => Err(damaged(&format!(
            "\"{}\" has {} numbers, which is not what its shape tells",
            printable(name),
            values.len()
        ))),
    }
}

fn unknown(what: &str) -> Error {
    Error::data("P0313", format!("the graph is no chain of layers: {what}"))
        .note("known are Gemm, or MatMul and Add, each with Tanh, Relu, LeakyRelu, Sigmoid, Softplus, Gelu, Silu, Abs, Neg or Softmax after it")
        .help("save the weights alone, as safetensors or npz, and name the activations with --hidden and --output")
}

/// The value of one field of a message.
#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Four(u32),
    Eight(u64),
    Bytes(&'a [u8]),
}

/// Fields of a message of protocol buffers (protobuf.dev, "Encoding"), with their numbers; an error is the last item.
fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<(u64, Value<'_>)>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = field(&mut rest);
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Value<'a>)> {
    let key = varint(rest)?;
    let value = match key & 7 {
        0 => Value::Number(varint(rest)?),
        1 => Value::Eight(u64::from_le_bytes(take(rest, 8)?.try_into().unwrap_or_default())),
        2 => {
            let length = varint(rest)?;
            Value::Bytes(take(rest, length)?)
        }
        5 => Value::Four(u32::from_le_bytes(take(rest, 4)?.try_into().unwrap_or_default())),
        kind => return Err(damaged(&format!("it has a field of the unknown kind {kind}"))),
    };
    Ok((key >> 3, value))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8]> {
    let parts = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (taken, left) = parts.ok_or_else(|| damaged("it ends inside a field"))?;
    *rest = left;
    Ok(taken)
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let Some((byte, left)) = rest.split_first() else { break };
        *rest = left;
        value |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return Ok(value);
        }
    }
    Err(damaged("it has a number without end"))
}

/// The text of a field, which is empty where it is missing.
fn name(bytes: &[u8], wanted: u64) -> Result<&str> {
    let mut found = "";
    for field in fields(bytes) {
        if let (number, Value::Bytes(bytes)) = field?
            && number == wanted
        {
            found = text(bytes)?;
        }
    }
    Ok(found)
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a name in it is not text"))
}
