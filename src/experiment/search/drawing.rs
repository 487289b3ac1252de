//! A found network as files that others read: JSON and DOT.

use crate::error::printable;
use crate::evolve::wann::{Genome, Individual, NodeKind};
use crate::experiment::export::Function;
use crate::experiment::model::Header;
use crate::math::Activation;
use crate::network::graph::levels;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// `networks/<name>-s<seed>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnNetwork {
    /// Names of the inputs, in the order of their numbers.
    pub inputs: Vec<String>,
    /// Names of the outputs, likewise.
    pub outputs: Vec<String>,
    /// Inputs, the bias, outputs, and hidden nodes that an enabled link touches.
    pub nodes: Vec<DrawnNode>,
    /// Enabled connections.
    pub links: Vec<DrawnLink>,
    /// The best single shared weight.
    pub shared_weight: f32,
    /// What turns a row of a table into a prediction; missing in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnNode {
    /// Its number.
    pub id: u32,
    /// `input`, `bias`, `hidden` or `output`.
    pub kind: String,
    /// What it does to its weighted sum.
    pub activation: String,
    /// Steepness left of 0, of a `LeakyRelu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<f64>,
    /// Links on the longest path from an input; outputs stand together behind all others.
    pub level: u32,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnLink {
    /// Node it comes from.
    pub from: u32,
    /// Node it goes to.
    pub to: u32,
    /// Its tuned weight; the shared one if none was tuned.
    pub weight: f32,
    /// Whether it is on a path to an output.
    pub used: bool,
}

impl DrawnNetwork {
    /// The network of an individual with names for its inputs and outputs. `tuned` are weights in the order of the graph's
    /// links.
    pub fn new(
        individual: &Individual,
        names: (&[String], &[String]),
        shared_weight: f32,
        tuned: Option<&[f32]>,
    ) -> DrawnNetwork {
        let (genome, graph) = (&individual.genome, &individual.graph);
        let weights: std::collections::BTreeMap<(u32, u32), f32> = match tuned {
            Some(tuned) => graph.links().zip(tuned.iter().copied()).collect(),
            None => graph.links().map(|pair| (pair, shared_weight)).collect(),
        };
        let enabled = || genome.connections().iter().filter(|connection| connection.enabled);
        let links: Vec<DrawnLink> = enabled()
            .map(|connection| {
                let weight = weights.get(&(connection.from, connection.to));
                let (from, to) = (connection.from, connection.to);
                DrawnLink { from, to, weight: weight.copied().unwrap_or(shared_weight), used: weight.is_some() }
            })
            .collect();
        let level = levels_of(genome);
        let touched = |id: u32| enabled().any(|connection| connection.from == id || connection.to == id);
        let nodes = genome.nodes().iter().zip(level);
        let nodes = nodes.filter(|(node, _)| node.kind != NodeKind::Hidden || touched(node.id));
        let nodes = nodes.map(|(node, level)| DrawnNode {
            id: node.id,
            kind: format!("{:?}", node.kind).to_lowercase(),
            activation: Function::Unit(node.activation).name(),
            slope: match node.activation {
                Activation::LeakyRelu { slope } => Some(slope.get()),
                _ => None,
            },
            level,
        });
        let (inputs, outputs) = (names.0.to_vec(), names.1.to_vec());
        DrawnNetwork { inputs, outputs, nodes: nodes.collect(), links, shared_weight, header: None }
    }

    /// As a JSON file.
    pub fn json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a network is plain data");
        bytes.push(b'\n');
        bytes
    }

    /// As a DOT file (Graphviz): levels from left to right, links that nobody hears dashed, negative weights red.
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph network {\n  rankdir=LR;\n  node [shape=ellipse];\n");
        let name = |names: &[String], at: u32| names.get(at as usize).cloned().unwrap_or_default();
        let inputs = self.inputs.len() as u32;
        for node in &self.nodes {
            let (label, shape) = match node.kind.as_str() {
                "input" => (name(&self.inputs, node.id), "box"),
                "bias" => ("1".to_owned(), "box"),
                "output" => (format!("{}\n{}", name(&self.outputs, node.id - inputs - 1), node.activation), "box"),
                _ => (node.activation.clone(), "ellipse"),
            };
            _ = writeln!(text, "  n{} [label=\"{}\", shape={shape}];", node.id, quoted(&label));
        }
        for kind in [&["input", "bias"][..], &["output"]] {
            let members: Vec<String> = self
                .nodes
                .iter()
                .filter(|node| kind.contains(&node.kind.as_str()))
                .map(|node| format!("n{};", node.id))
                .collect();
            _ = writeln!(text, "  {{ rank=same; {} }}", members.join(" "));
        }
        for link in &self.links {
            let style = if link.used { "solid" } else { "dashed" };
            let color = if link.weight < 0.0 { "red" } else { "black" };
            _ = writeln!(text, "  n{} -> n{} [style={style}, color={color}];", link.from, link.to);
        }
        text.push_str("}\n");
        text
    }
}

/// A label between the quotes of DOT, on as many lines as it has.
pub(in crate::experiment) fn quoted(label: &str) -> String {
    let lines: Vec<String> = label.split('\n').map(printable).collect();
    // A backslash of a name would take the closing quote with it.
    lines.join("\n").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The level of every node by enabled connections, in their order; outputs stand behind all others.
fn levels_of(genome: &Genome) -> Vec<u32> {
    let place = |id: u32| genome.nodes().iter().position(|node| node.id == id).expect("a node of the genome") as u32;
    let outputs = genome.shape().output_ids();
    let enabled = genome.connections().iter().filter(|connection| connection.enabled);
    let inner = enabled.filter(|connection| !outputs.contains(&connection.to));
    let links: Vec<(u32, u32)> = inner.map(|connection| (place(connection.from), place(connection.to))).collect();
    let given = genome.shape().inputs as usize + 1;
    let mut all = levels(given, genome.nodes().len(), &links).expect("no genome runs in a circle");
    let hidden = genome.nodes().iter().zip(&all).filter(|(node, _)| node.kind == NodeKind::Hidden);
    let last = hidden.map(|(_, level)| *level).max().unwrap_or(0) + 1;
    for (node, level) in genome.nodes().iter().zip(&mut all) {
        if node.kind == NodeKind::Output {
            *level = last;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\nTanh"), "a\\nTanh");
        assert_eq!(quoted("say \"x\"\u{1b}"), "say \\\"x\\\"\\\\u{1b}");
        assert_eq!(quoted("end\\"), "end\\\\");
    }
}
