//! Genomes of graphs: node genes and connection genes, none of them magic.

use crate::error::{Error, Result};
use crate::math::Activation;
use crate::network::{Graph, graph::levels};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// What graphs of a search have in common.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Inputs, the bias not counted.
    pub inputs: u32,
    /// Outputs.
    pub outputs: u32,
    /// What output nodes do to their weighted sums: `Linear` unless the task says otherwise.
    pub output: Activation,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeKind {
    /// Holds an observation.
    Input,
    /// Holds 1; its links carry the shared weight like all others.
    Bias,
    /// Is read.
    Output,
    /// Neither.
    Hidden,
}

/// A node gene.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name: inputs from 0, the bias, outputs, then hidden nodes as [`Innovations`](super::Innovations) number them.
    pub id: u32,
    /// What it is.
    pub kind: NodeKind,
    /// What it does to its weighted sum; `Linear` for inputs and the bias.
    pub activation: Activation,
}

/// A connection gene.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Its historical number: equal numbers are the same connection in different genomes.
    pub innovation: u32,
    /// Node it comes from.
    pub from: u32,
    /// Node it goes to.
    pub to: u32,
    /// Its own weight: 1 until weights are trained. The search puts a shared weight in its place.
    pub weight: f32,
    /// Whether it carries a signal.
    pub enabled: bool,
}

/// A genome: nodes by name, connections by innovation number.
///
/// Inputs and outputs are linked by at most one connection per ordered pair of nodes, and the connections, disabled
/// ones included, never run in a circle; so enabling one can never close a circle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Genome {
    shape: Shape,
    pub(super) nodes: Vec<Node>,
    pub(super) connections: Vec<Connection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Genome")]
struct Parts {
    shape: Shape,
    nodes: Vec<Node>,
    connections: Vec<Connection>,
}

impl TryFrom<Parts> for Genome {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Genome> {
        let genome = Genome { shape: parts.shape, nodes: parts.nodes, connections: parts.connections };
        genome.check()?;
        Ok(genome)
    }
}

impl Genome {
    /// A genome without hidden nodes: all connections from inputs and the bias to outputs, each enabled with the
    /// probability `share`. Connection k has innovation number k, in every genome.
    pub fn initial(shape: Shape, share: f64, rng: &mut Rng) -> Genome {
        let nodes = (0..shape.first_hidden()).map(|id| shape.fixed_node(id)).collect();
        let pairs = shape.output_ids().flat_map(|to| (0..=shape.inputs).map(move |from| (from, to)));
        let connections = pairs
            .zip(0..)
            .map(|((from, to), innovation)| Connection {
                innovation,
                from,
                to,
                weight: 1.0,
                enabled: rng.chance(share),
            })
            .collect();
        Genome { shape, nodes, connections }
    }

    /// What the genomes of this search have in common.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Nodes by name: inputs, bias, outputs, hidden ones.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Hidden nodes by name.
    pub fn hidden(&self) -> &[Node] {
        &self.nodes[self.shape.first_hidden() as usize..]
    }

    /// Connections by innovation number.
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// Enabled connections.
    pub fn enabled(&self) -> usize {
        self.connections.iter().filter(|connection| connection.enabled).count()
    }

    /// The graph that the enabled connections make.
    ///
    /// # Panics
    /// Never: operators keep what makes a genome sound.
    pub fn express(&self) -> Graph {
        self.graph().expect("the connections of a genome never run in a circle")
    }

    /// The connections' own weights in the order of the graph's links.
    pub fn weights(&self, graph: &Graph) -> Vec<f32> {
        let places = self.by_pair();
        graph.links().map(|pair| self.connections[place(&places, pair)].weight).collect()
    }

    /// Takes trained weights, `[links]` in the order of the graph's links, into the connections.
    ///
    /// # Panics
    /// If the graph is not this genome's.
    pub fn set_weights(&mut self, graph: &Graph, weights: &[f32]) {
        assert_eq!(weights.len(), graph.multiply_adds());
        let places = self.by_pair();
        for (pair, weight) in graph.links().zip(weights) {
            self.connections[place(&places, pair)].weight = *weight;
        }
    }

    /// The level of every node, in their order, disabled connections counted too: a connection from a lower to a
    /// higher place in the order of (level, name) closes no circle, now or when others are enabled. Connections to
    /// outputs, which nobody hears, are not looked at: outputs come behind all others anyway.
    pub(super) fn levels(&self) -> Vec<u32> {
        let outputs = self.shape.output_ids();
        let inner = self.connections.iter().filter(|connection| !outputs.contains(&connection.to));
        let place = |id| self.place_of(id) as u32;
        let arcs: Vec<(u32, u32)> = inner.map(|connection| (place(connection.from), place(connection.to))).collect();
        let levels = levels(self.shape.inputs as usize + 1, self.nodes.len(), &arcs);
        levels.expect("the connections of a genome never run in a circle")
    }

    /// Place of a node in `nodes`.
    pub(super) fn place_of(&self, id: u32) -> usize {
        let first = self.shape.first_hidden();
        if id < first {
            return id as usize;
        }
        let place = self.hidden().binary_search_by_key(&id, |node| node.id);
        first as usize + place.expect("connections join nodes of the genome")
    }

    fn graph(&self) -> Result<Graph> {
        let first = self.shape.inputs as usize + 1;
        let outputs: Vec<Activation> =
            self.nodes[first..first + self.shape.outputs as usize].iter().map(|node| node.activation).collect();
        let hidden: Vec<(u32, Activation)> = self.hidden().iter().map(|node| (node.id, node.activation)).collect();
        let enabled = self.connections.iter().filter(|connection| connection.enabled);
        let links: Vec<(u32, u32)> = enabled.map(|connection| (connection.from, connection.to)).collect();
        Graph::new(self.shape.inputs, &outputs, &hidden, &links)
    }

    fn by_pair(&self) -> Vec<((u32, u32), usize)> {
        let pairs = self.connections.iter().enumerate();
        let mut places: Vec<_> = pairs.map(|(place, connection)| ((connection.from, connection.to), place)).collect();
        places.sort_unstable();
        places
    }

    /// What deserialization must not let in.
    fn check(&self) -> Result<()> {
        let refuse = |message: &str| Err(Error::data("P0151", format!("a damaged genome: {message}")));
        // Before anything is added up: damaged counts may be as large as numbers get.
        let counts = [self.shape.inputs, self.shape.outputs];
        if counts.iter().any(|count| *count as usize >= self.nodes.len()) {
            return refuse("it lacks inputs or outputs");
        }
        let fixed = self.shape.first_hidden() as usize;
        let sound = |node: &Node| *node == self.shape.fixed_node(node.id);
        if self.shape.outputs == 0 || self.nodes.len() < fixed || !self.nodes[..fixed].iter().all(sound) {
            return refuse("its inputs, bias and outputs are not where they belong");
        }
        if !self.nodes[..fixed].iter().zip(0..).all(|(node, id)| node.id == id)
            || !self.hidden().iter().all(|node| node.kind == NodeKind::Hidden)
            || !self.nodes.is_sorted_by(|a, b| a.id < b.id)
        {
            return refuse("its nodes are not in order");
        }
        if !self.connections.is_sorted_by(|a, b| a.innovation < b.innovation) {
            return refuse("its connections are not in order");
        }
        // All connections at once make a sound graph, so any part of them does.
        let mut whole = self.clone();
        whole.connections.iter_mut().for_each(|connection| connection.enabled = true);
        whole.graph().map(|_| ())
    }
}

impl Shape {
    /// Name of the first hidden node.
    pub fn first_hidden(&self) -> u32 {
        self.inputs + 1 + self.outputs
    }

    /// Names of the outputs.
    pub fn output_ids(&self) -> std::ops::Range<u32> {
        self.inputs + 1..self.first_hidden()
    }

    fn fixed_node(&self, id: u32) -> Node {
        let (kind, activation) = match id {
            id if id < self.inputs => (NodeKind::Input, Activation::Linear),
            id if id == self.inputs => (NodeKind::Bias, Activation::Linear),
            _ => (NodeKind::Output, self.output),
        };
        Node { id, kind, activation }
    }
}

fn place(places: &[((u32, u32), usize)], pair: (u32, u32)) -> usize {
    let at = places.binary_search_by_key(&pair, |entry| entry.0).expect("the graph is this genome's");
    places[at].1
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    pub(crate) const SHAPE: Shape = Shape { inputs: 3, outputs: 2, output: Activation::Linear };

    pub(crate) fn rng(individual: u64) -> Rng {
        Streams::new(21).stream(Purpose::Variation, 0, individual)
    }

    /// Outputs computed from the genes themselves: nothing of the graph's order or pruning is used.
    pub(crate) fn outputs(genome: &Genome, shared: f64, input: &[f64]) -> Vec<f64> {
        fn value(genome: &Genome, shared: f64, input: &[f64], id: u32) -> f64 {
            let node = genome.nodes().iter().find(|node| node.id == id).unwrap();
            match node.kind {
                NodeKind::Input => input[id as usize],
                NodeKind::Bias => 1.0,
                _ => {
                    let heard = genome.connections().iter().filter(|link| link.enabled && link.to == id);
                    let sum: f64 = heard.map(|link| shared * value(genome, shared, input, link.from)).sum();
                    node.activation.apply(sum).0
                }
            }
        }
        genome.shape().output_ids().map(|id| value(genome, shared, input, id)).collect()
    }

    #[test]
    fn the_share_of_initial_links_is_as_asked() {
        let shape = Shape { inputs: 99, outputs: 20, output: Activation::Linear };
        let genome = Genome::initial(shape, 0.05, &mut rng(0));
        assert_eq!((genome.connections().len(), genome.hidden().len()), (2000, 0));
        // Binomial: mean 100, standard deviation 9.7.
        assert!((60..140).contains(&genome.enabled()), "{}", genome.enabled());
        assert_eq!(Genome::initial(shape, 1.0, &mut rng(0)).enabled(), 2000);
        let bare = Genome::initial(shape, 0.0, &mut rng(0));
        assert_eq!((bare.enabled(), bare.express().multiply_adds()), (0, 0));
    }

    #[test]
    fn weights_find_their_connections() {
        let mut genome = Genome::initial(SHAPE, 0.7, &mut rng(1));
        let graph = genome.express();
        let weights: Vec<f32> = (0..graph.multiply_adds()).map(|at| at as f32).collect();
        genome.set_weights(&graph, &weights);
        assert_eq!(genome.weights(&graph), weights);
        for ((from, to), weight) in graph.links().zip(&weights) {
            let gene = genome.connections().iter().find(|gene| (gene.from, gene.to) == (from, to)).unwrap();
            assert!(gene.weight == *weight && gene.enabled);
        }
    }

    #[test]
    fn a_damaged_genome_is_refused() {
        let genome = Genome::initial(SHAPE, 0.5, &mut rng(2));
        let text = serde_json::to_string(&genome).unwrap();
        assert_eq!(serde_json::from_str::<Genome>(&text).unwrap(), genome);
        let mut bent = genome.clone();
        bent.nodes.push(Node { id: 6, kind: NodeKind::Hidden, activation: Activation::Tanh });
        // Disabled, but it could be enabled one day.
        bent.connections.push(Connection { innovation: 99, from: 6, to: 6, weight: 1.0, enabled: false });
        let mut unordered = genome.clone();
        unordered.connections.swap(0, 1);
        let mut headless = genome.clone();
        headless.nodes.remove(3);
        let mut vast = genome.clone();
        vast.shape.inputs = u32::MAX;
        for broken in [bent, unordered, headless, vast] {
            let text = serde_json::to_string(&broken).unwrap();
            assert!(serde_json::from_str::<Genome>(&text).unwrap_err().to_string().contains("P0151"), "{broken:?}");
        }
    }
}
