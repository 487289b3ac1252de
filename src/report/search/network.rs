//! A found network, as its JSON file tells it.

use crate::math::Activation;
use serde::Deserialize;
use std::collections::HashMap;

/// A feed-forward network of single nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Inputs and bias first, as in the file.
    pub nodes: Vec<Node>,
    /// Links between them.
    pub links: Vec<Link>,
    /// The best shared weight.
    pub shared_weight: Option<f64>,
    /// Levels, inputs and outputs included: at least 2.
    pub levels: usize,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A number of the observation or row.
    Input,
    /// Always 1.
    Bias,
    /// Computed, and not an output.
    Hidden,
    /// An action, a class or a target.
    Output,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name in the file.
    pub id: u64,
    /// What it is.
    pub kind: NodeKind,
    /// What it computes, in the words of [`Activation`]; empty for inputs and the bias.
    pub activation: String,
    /// What a reader knows it by; empty for hidden nodes.
    pub label: String,
    /// Links of the longest path of used links that leads to it; outputs all stand at the last level.
    pub level: usize,
    /// Whether a used link begins or ends here.
    pub used: bool,
}

/// A link; places in [`Network::nodes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// Its own weight, if it has one.
    pub weight: Option<f64>,
    /// Whether a signal passes on its way to an output.
    pub used: bool,
}

#[derive(Deserialize)]
struct File {
    inputs: Vec<String>,
    outputs: Vec<String>,
    nodes: Vec<FileNode>,
    links: Vec<FileLink>,
    #[serde(default)]
    shared_weight: Option<f64>,
}

#[derive(Deserialize)]
struct FileNode {
    id: u64,
    kind: NodeKind,
    #[serde(default)]
    activation: serde_json::Value,
}

#[derive(Deserialize)]
struct FileLink {
    from: u64,
    to: u64,
    #[serde(default)]
    weight: Option<f64>,
    #[serde(default = "yes")]
    used: bool,
}

fn yes() -> bool {
    true
}

impl Network {
    /// Reads the JSON of a network; a sentence on what is wrong with it otherwise.
    pub(super) fn parse(bytes: &[u8]) -> Result<Network, String> {
        let file: File =
            serde_json::from_slice(bytes).map_err(|cause| format!("this network cannot be read: {cause}"))?;
        let mut places = HashMap::new();
        let mut nodes: Vec<Node> = Vec::with_capacity(file.nodes.len());
        let (mut inputs, mut outputs) = (file.inputs.iter(), file.outputs.iter());
        for node in &file.nodes {
            if places.insert(node.id, nodes.len()).is_some() {
                return Err(format!("node {} stands there twice", node.id));
            }
            let label = match node.kind {
                NodeKind::Input => inputs.next().cloned().unwrap_or_default(),
                NodeKind::Output => outputs.next().cloned().unwrap_or_default(),
                NodeKind::Bias => "bias".into(),
                NodeKind::Hidden => String::new(),
            };
            let activation = match node.kind {
                NodeKind::Hidden | NodeKind::Output => name_of(&node.activation),
                NodeKind::Input | NodeKind::Bias => String::new(),
            };
            // A hidden node that hears nothing still stands behind the inputs.
            let level = usize::from(node.kind == NodeKind::Hidden);
            nodes.push(Node { id: node.id, kind: node.kind, activation, label, level, used: false });
        }
        if !nodes.iter().any(|node| node.kind == NodeKind::Output) {
            return Err("this network has no output".into());
        }
        let mut links = Vec::with_capacity(file.links.len());
        for link in &file.links {
            let (Some(&from), Some(&to)) = (places.get(&link.from), places.get(&link.to)) else {
                return Err(format!("the link from {} to {} misses a node", link.from, link.to));
            };
            let weight = link.weight.filter(|weight| weight.is_finite());
            links.push(Link { from, to, weight, used: link.used });
        }
        let shared_weight = file.shared_weight.filter(|weight| weight.is_finite());
        let mut network = Network { nodes, links, shared_weight, levels: 2 };
        network.set_levels()?;
        Ok(network)
    }

    /// Used links.
    pub fn connections(&self) -> usize {
        self.links.iter().filter(|link| link.used).count()
    }

    /// Hidden nodes that are used.
    pub fn hidden(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.kind == NodeKind::Hidden && node.used)
    }

    /// Nodes of a kind.
    pub fn count(&self, kind: NodeKind) -> usize {
        self.nodes.iter().filter(|node| node.kind == kind).count()
    }

    /// How often each activation stands in hidden nodes that are used, in the order of [`Activation::all`].
    pub fn census(&self) -> Vec<(String, usize)> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for node in self.hidden() {
            match counts.iter_mut().find(|(name, _)| *name == node.activation) {
                Some((_, count)) => *count += 1,
                None => counts.push((node.activation.clone(), 1)),
            }
        }
        counts.sort_by_key(|(name, _)| place_of(name));
        counts
    }

    /// Whether links have weights of different sizes.
    pub fn has_own_weights(&self) -> bool {
        let mut weights = self.links.iter().filter(|link| link.used).filter_map(|link| link.weight);
        let first = weights.next();
        weights.any(|weight| Some(weight) != first)
    }

    fn set_levels(&mut self) -> Result<(), String> {
        for link in self.links.iter().filter(|link| link.used) {
            self.nodes[link.from].used = true;
            self.nodes[link.to].used = true;
        }
        // Longest paths by repeated passes: a path has fewer links than there are nodes, unless it is a circle.
        for pass in 0..=self.nodes.len() {
            let mut changed = false;
            for link in self.links.iter().filter(|link| link.used) {
                let level = self.nodes[link.from].level + 1;
                if self.nodes[link.to].level < level {
                    self.nodes[link.to].level = level;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
            if pass == self.nodes.len() {
                return Err("the links of this network run in a circle".into());
            }
        }
        let hidden = |node: &&Node| node.kind == NodeKind::Hidden && node.used;
        let deepest = self.nodes.iter().filter(hidden).map(|node| node.level).max().unwrap_or(0);
        self.levels = deepest + 2;
        // Nodes without a signal stand behind what they hear, as far as there is room.
        for index in 0..self.nodes.len() {
            match self.nodes[index].kind {
                NodeKind::Input | NodeKind::Bias => self.nodes[index].level = 0,
                NodeKind::Output => self.nodes[index].level = deepest + 1,
                NodeKind::Hidden if self.nodes[index].used => {}
                NodeKind::Hidden => {
                    let heard = self.links.iter().filter(|link| link.to == index);
                    let level = heard.map(|link| self.nodes[link.from].level + 1).max().unwrap_or(1);
                    self.nodes[index].level = level.clamp(1, deepest.max(1));
                    self.levels = self.levels.max(3);
                }
            }
        }
        let last = self.levels - 1;
        self.nodes.iter_mut().filter(|node| node.kind == NodeKind::Output).for_each(|node| node.level = last);
        Ok(())
    }
}

/// The activation with this name.
pub(super) fn activation(name: &str) -> Option<Activation> {
    Activation::all().into_iter().find(|activation| name_of_activation(*activation) == name)
}

/// Place of a name among all activations; unknown ones come last.
pub(super) fn place_of(name: &str) -> usize {
    let all = Activation::all();
    all.iter().position(|activation| name_of_activation(*activation) == name).unwrap_or(all.len())
}

fn name_of_activation(activation: Activation) -> String {
    format!("{activation:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

/// `"Tanh"`, or the key of `{"LeakyRelu": {"slope": 0.01}}`.
fn name_of(value: &serde_json::Value) -> String {
    let name = match value {
        serde_json::Value::String(name) => name.as_str(),
        serde_json::Value::Object(entries) => entries.keys().next().map_or("", String::as_str),
        _ => "",
    };
    name.chars().take_while(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(links: &str) -> Result<Network, String> {
        let text = format!(
            r#"{{"inputs": ["a"], "outputs": ["y"], "shared_weight": -1.5, "nodes": [
                {{"id": 0, "kind": "input"}}, {{"id": 1, "kind": "bias", "activation": null}},
                {{"id": 2, "kind": "output", "activation": "Linear", "level": 3}},
                {{"id": 5, "kind": "hidden", "activation": {{"LeakyRelu": {{"slope": 0.01}}}}, "level": 1}},
                {{"id": 9, "kind": "hidden", "activation": "Sin", "level": 2}},
                {{"id": 11, "kind": "hidden", "activation": "Cos", "level": 1}}], "links": [{links}]}}"#
        );
        Network::parse(text.as_bytes())
    }

    #[test]
    fn levels_follow_the_longest_used_path_and_outputs_stand_last() {
        let links = r#"{"from":0,"to":5,"weight":1,"used":true}, {"from":5,"to":9,"weight":1,"used":true},
            {"from":1,"to":9,"weight":1,"used":true}, {"from":9,"to":2,"weight":1,"used":true},
            {"from":0,"to":2,"weight":2,"used":true}, {"from":9,"to":11,"weight":1,"used":false}"#;
        let network = parse(links).unwrap();
        let levels: Vec<usize> = network.nodes.iter().map(|node| node.level).collect();
        assert_eq!((levels, network.levels), (vec![0, 0, 3, 1, 2, 2], 4));
        assert_eq!(network.census(), [("LeakyRelu".to_owned(), 1), ("Sin".to_owned(), 1)]);
        assert_eq!((network.connections(), network.has_own_weights()), (5, true));
        assert_eq!(network.nodes[2].label, "y");
    }

    #[test]
    fn damaged_networks_are_refused_with_what_is_wrong() {
        let link = |from: u32, to: u32| format!(r#"{{"from":{from},"to":{to},"weight":1,"used":true}}"#);
        assert!(parse(&[link(5, 9), link(9, 5)].join(",")).unwrap_err().contains("circle"));
        assert!(parse(&link(0, 77)).unwrap_err().contains("misses a node"));
        assert!(parse("7").unwrap_err().contains("cannot be read"));
        assert!(parse("").unwrap().connections() == 0);
        assert!(Network::parse(b"{\"inputs\":[],\"outputs\":[],\"nodes\":[],\"links\":[]}").is_err());
    }
}
