//! Feed-forward graphs of single nodes: what an evolved topology computes with.

use crate::error::{Error, Result};
use crate::math::kernel::{GraphMemory, Head, Weights, Wiring, activate_one};
use crate::math::{Activation, Rows};
use serde::{Deserialize, Serialize};

/// A feed-forward graph, expressed: dead nodes left out, nodes in an order in which each hears only earlier ones.
///
/// Nodes are named: `0..inputs` are the inputs, `inputs` the bias (a node of value 1), then come the outputs, and any
/// higher number names a hidden node. Weights are not part of the graph: one number per link in the order of
/// [`Graph::links`], or one shared by all links, the bias's too.
///
/// On disk it is its parts; reading checks them.
///
/// ```
/// use precocial::math::Activation;
/// use precocial::network::Graph;
/// // 0 and 1 are inputs, 2 is the bias, 3 the output, 4 a hidden node.
/// let hidden = [(4, Activation::Abs)];
/// let graph = Graph::new(2, &[Activation::Linear], &hidden, &[(0, 4), (1, 4), (4, 3), (2, 3)])?;
/// assert_eq!(graph.plain(&[0.5; 4], &[3.0, -9.0]), [0.5 + 0.5 * 3.0]);
/// # Ok::<(), precocial::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Graph {
    wiring: Wiring,
    nodes: Vec<GraphNode>,
}

/// A node that is computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphNode {
    /// Its name.
    pub id: u32,
    /// What it does to its weighted sum.
    pub activation: Activation,
    /// Links on the longest path from an input, from 1; the outputs stand together behind all hidden nodes.
    pub level: u32,
}

/// Most inputs of a graph: a damaged file must not claim all memory.
const MOST_INPUTS: u32 = 1 << 24;

/// A graph as it is written to disk.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    inputs: u32,
    outputs: Vec<Activation>,
    hidden: Vec<(u32, Activation)>,
    links: Vec<(u32, u32)>,
}

impl TryFrom<Parts> for Graph {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Graph> {
        Graph::new(parts.inputs, &parts.outputs, &parts.hidden, &parts.links)
    }
}

impl From<Graph> for Parts {
    fn from(graph: Graph) -> Parts {
        let (hidden, outputs) = graph.nodes.split_at(graph.nodes.len() - graph.outputs());
        Parts {
            inputs: graph.inputs() as u32,
            outputs: outputs.iter().map(|node| node.activation).collect(),
            hidden: hidden.iter().map(|node| (node.id, node.activation)).collect(),
            links: graph.links().collect(),
        }
    }
}

impl Graph {
    /// A graph of `inputs`, one output per activation in `outputs`, `hidden` nodes (name, activation) in any order, and
    /// `links` (from, to) in any order. Hidden nodes that no path leads from to an output are left out with their links.
    ///
    /// Nodes are ordered by level, then activation, then name; the links of a node by what they carry. A hidden node
    /// that hears nothing computes its activation of 0.
    ///
    /// # Errors
    /// A link from an output, to an input or the bias, to or from no node, one that stands there twice, a hidden node
    /// named twice or like another node, no output, more than 2²⁴ inputs, or links that run in a circle (`P0151`).
    pub fn new(
        inputs: u32,
        outputs: &[Activation],
        hidden: &[(u32, Activation)],
        links: &[(u32, u32)],
    ) -> Result<Graph> {
        let refuse = |message: String| {
            Err(Error::data("P0151", message)
                .help("link inputs, the bias and hidden nodes to hidden nodes and outputs"))
        };
        if inputs > MOST_INPUTS {
            return refuse(format!("{inputs} inputs are more than a graph may have ({MOST_INPUTS})"));
        }
        let first_output = inputs as usize + 1;
        let first_hidden = first_output + outputs.len();
        let mut hidden = hidden.to_vec();
        hidden.sort_by_key(|node| node.0);
        if outputs.is_empty() {
            return refuse("a graph without outputs".into());
        }
        if let Some(node) = hidden.iter().find(|node| (node.0 as usize) < first_hidden) {
            return refuse(format!("hidden node {} has the name of an input, the bias or an output", node.0));
        }
        if let Some(pair) = hidden.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return refuse(format!("hidden node {} stands there twice", pair[0].0));
        }
        // From here on nodes are numbered: as they are named, the hidden ones without gaps.
        let number = |id: u32| match id as usize {
            id if id < first_hidden => Some(id),
            _ => hidden.binary_search_by_key(&id, |node| node.0).ok().map(|place| first_hidden + place),
        };
        let mut arcs = Vec::with_capacity(links.len());
        for &(from, to) in links {
            let (Some(source), Some(target)) = (number(from), number(to)) else {
                return refuse(format!("the link from {from} to {to} misses a node"));
            };
            if (first_output..first_hidden).contains(&source) || target < first_output {
                return refuse(format!("a link from {from} to {to} leaves an output or enters an input"));
            }
            arcs.push((source as u32, target as u32));
        }
        arcs.sort_unstable_by_key(|&(from, to)| (to, from));
        if let Some(pair) = arcs.windows(2).find(|pair| pair[0] == pair[1]) {
            return refuse(format!("link {} of node {} stands there twice", pair[0].0, pair[0].1));
        }
        let count = first_hidden + hidden.len();
        let Some(levels) = levels(first_output, count, &arcs) else {
            return refuse("the links run in a circle".into());
        };
        let incoming = |node: usize| {
            let begin = arcs.partition_point(|arc| (arc.1 as usize) < node);
            arcs[begin..].iter().take_while(move |arc| arc.1 as usize == node).map(|arc| arc.0 as usize)
        };
        let mut live = vec![false; count];
        let mut waiting: Vec<usize> = (first_output..first_hidden).collect();
        while let Some(node) = waiting.pop() {
            if !std::mem::replace(&mut live[node], true) {
                waiting.extend(incoming(node).filter(|source| *source >= first_hidden));
            }
        }
        // A live node hears live nodes only, so its level counts no dead ones.
        let kinds = Activation::all();
        let kind = |activation: Activation| {
            let same = |other: &Activation| std::mem::discriminant(other) == std::mem::discriminant(&activation);
            kinds.iter().position(same)
        };
        let level = |node: usize| levels[node];
        let mut order: Vec<usize> = (first_hidden..count).filter(|node| live[*node]).collect();
        order.sort_by_key(|&node| (level(node), kind(hidden[node - first_hidden].1), node));
        let last = order.last().map_or(0, |node| level(*node)) + 1;
        order.extend(first_output..first_hidden);
        let mut place = vec![u32::MAX; count];
        (0..first_output).for_each(|node| place[node] = node as u32);
        order.iter().enumerate().for_each(|(at, node)| place[*node] = (first_output + at) as u32);
        let (mut nodes, mut ends, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        for &node in &order {
            let begin = sources.len();
            sources.extend(incoming(node).map(|source| place[source]));
            sources[begin..].sort_unstable();
            ends.push(sources.len() as u32);
            nodes.push(if node < first_hidden {
                GraphNode { id: node as u32, activation: outputs[node - first_output], level: last }
            } else {
                let (id, activation) = hidden[node - first_hidden];
                GraphNode { id, activation, level: level(node) }
            });
        }
        let activations: Vec<Activation> = nodes.iter().map(|node| node.activation).collect();
        let wiring = Wiring::new(inputs as usize, outputs.len(), &activations, ends, sources);
        Ok(Graph { wiring, nodes })
    }

    /// Inputs; the bias is not one of them.
    pub fn inputs(&self) -> usize {
        self.wiring.inputs()
    }

    /// Outputs.
    pub fn outputs(&self) -> usize {
        self.wiring.outputs()
    }

    /// The nodes that are computed, in the order of computing: hidden ones by level, then the outputs by name.
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// The links (from, to) by name, in the order of their weights: by node, then by what they carry.
    pub fn links(&self) -> impl Iterator<Item = (u32, u32)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.flat_map(move |(at, node)| {
            self.wiring.links_of(at).map(move |link| (self.name(self.wiring.source(link)), node.id))
        })
    }

    /// Number of links: the length of a slice of weights, and the multiply-adds of one row.
    pub fn multiply_adds(&self) -> usize {
        self.wiring.links()
    }

    /// An evaluator for `lanes` episodes in step: a multiple of 16. `weights` are per link, or shared, one for each lane.
    ///
    /// # Panics
    /// At the first step, if `lanes` or the length of `weights` do not fit.
    pub fn lanes<'a>(&'a self, weights: Weights<'a>, lanes: usize, memory: &'a mut GraphMemory) -> GraphLanes<'a> {
        GraphLanes { wiring: &self.wiring, weights, lanes, memory }
    }

    /// Mean loss over all rows for weights per link, or for each shared weight, written to `losses`.
    ///
    /// # Panics
    /// If the shapes do not fit, or outputs under a cross-entropy are not linear; likewise below.
    pub fn losses(&self, head: Head, weights: Weights, rows: &Rows, losses: &mut [f64], memory: &mut GraphMemory) {
        self.wiring.losses(head, weights, rows, losses, memory);
    }

    /// Predictions `[rows × outputs]`, row-major, for weights per link, or `[weights × rows × outputs]` for shared ones:
    /// probabilities under a cross-entropy, else the outputs.
    pub fn predict(&self, head: Head, weights: Weights, rows: &Rows, out: &mut [f32], memory: &mut GraphMemory) {
        self.wiring.predict(head, weights, rows, out, memory);
    }

    /// Mean loss over all rows with `weights` `[links]`, and its derivatives by them written to `gradient` `[links]`.
    ///
    /// # Errors
    /// A `Step` node, whose derivative is 0 everywhere (`P0138`).
    pub fn gradient(
        &self,
        head: Head,
        weights: &[f32],
        rows: &Rows,
        gradient: &mut [f32],
        memory: &mut GraphMemory,
    ) -> Result<f64> {
        if !self.wiring.has_gradient() {
            return Err(Error::experiment("P0138", "gradients do not pass through the graph's `Step` nodes")
                .help("leave `Step` out of `activations` where weights are to be trained by gradients"));
        }
        Ok(self.wiring.gradient(head, weights, rows, gradient, memory))
    }

    /// Outputs for one row, link by link in single precision: the oracle of the kernels, with the same bits.
    pub fn plain(&self, weights: &[f32], input: &[f32]) -> Vec<f32> {
        self.walk(weights, input, 1.0, |w, x, sum| w.mul_add(x, sum), activate_one)
    }

    /// Outputs for one row in double precision.
    pub fn reference(&self, weights: &[f64], input: &[f64]) -> Vec<f64> {
        self.walk(weights, input, 1.0, |w, x, sum| w.mul_add(x, sum), |activation, x| activation.apply(x).0)
    }

    fn walk<T: Copy + Default>(
        &self,
        weights: &[T],
        input: &[T],
        one: T,
        fma: impl Fn(T, T, T) -> T,
        activate: impl Fn(Activation, T) -> T,
    ) -> Vec<T> {
        assert_eq!((weights.len(), input.len()), (self.multiply_adds(), self.inputs()));
        let mut values = input.to_vec();
        values.push(one);
        for (at, node) in self.nodes.iter().enumerate() {
            let links = self.wiring.links_of(at);
            let sum = links.fold(T::default(), |sum, link| fma(weights[link], values[self.wiring.source(link)], sum));
            values.push(activate(node.activation, sum));
        }
        values.split_off(values.len() - self.outputs())
    }

    /// Name of the value with this number.
    fn name(&self, source: usize) -> u32 {
        let first = self.inputs() + 1;
        if source < first { source as u32 } else { self.nodes[source - first].id }
    }

    #[cfg(test)]
    pub(crate) fn wiring(&self) -> &Wiring {
        &self.wiring
    }
}

/// A graph that episodes step through together.
#[derive(Debug)]
pub struct GraphLanes<'a> {
    wiring: &'a Wiring,
    weights: Weights<'a>,
    lanes: usize,
    memory: &'a mut GraphMemory,
}

impl GraphLanes<'_> {
    /// `observations` `[inputs × lanes]` to `out` `[outputs × lanes]`, lane by lane the same as [`Graph::plain`].
    /// Allocates nothing after the first step.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn step(&mut self, observations: &[f32], out: &mut [f32]) {
        self.wiring.step(self.weights, self.lanes, observations, out, self.memory);
    }
}

/// For each of `count` nodes its level: 0 for the first `given` (inputs and the bias), for others one more than the
/// highest that `links` (from, to) lead from, at least 1. `None` if the links run in a circle.
pub fn levels(given: usize, count: usize, links: &[(u32, u32)]) -> Option<Vec<u32>> {
    let mut outgoing: Vec<(u32, u32)> = links.to_vec();
    outgoing.sort_unstable();
    let mut missing = vec![0_u32; count];
    links.iter().for_each(|link| missing[link.1 as usize] += 1);
    let mut levels: Vec<u32> = (0..count).map(|node| u32::from(node >= given)).collect();
    let mut ready: Vec<usize> = (0..count).filter(|node| missing[*node] == 0).collect();
    let mut done = 0;
    while let Some(node) = ready.pop() {
        done += 1;
        let begin = outgoing.partition_point(|link| (link.0 as usize) < node);
        for &(_, to) in outgoing[begin..].iter().take_while(|link| link.0 as usize == node) {
            let to = to as usize;
            levels[to] = levels[to].max(levels[node] + 1);
            missing[to] -= 1;
            if missing[to] == 0 {
                ready.push(to);
            }
        }
    }
    (done == count).then_some(levels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::kernel::Isa;
    use crate::network::{Loss, Mlp, Output, Workspace, reference};
    use crate::rng::{Purpose, Rng, Streams};
    use proptest::prelude::*;

    const HEADS: [Head; 3] = [Head::SoftmaxCrossEntropy, Head::LogisticCrossEntropy, Head::Squared];

    fn rng(seed: u64) -> Rng {
        Streams::new(seed).stream(Purpose::Synthetic, 0, 0)
    }

    /// A random graph of the given size whose hidden nodes take their activations from `kinds`.
    fn random(rng: &mut Rng, sizes: [u32; 3], density: f64, kinds: &[Activation], last: Activation) -> Graph {
        let [inputs, outputs, count] = sizes;
        let first = inputs + 1 + outputs;
        // Names run against the order of computing, so that sorting has something to do.
        let hidden: Vec<(u32, Activation)> =
            (0..count).map(|node| (first + 3 * (count - node), kinds[rng.below(kinds.len())])).collect();
        let mut links = Vec::new();
        for (at, &(to, _)) in hidden.iter().enumerate() {
            let sources = (0..=inputs).chain(hidden[..at].iter().map(|node| node.0));
            links.extend(sources.filter(|_| rng.chance(density)).map(|from| (from, to)));
        }
        for output in inputs + 1..first {
            let sources = (0..=inputs).chain(hidden.iter().map(|node| node.0));
            links.extend(sources.filter(|_| rng.chance(density)).map(|from| (from, output)));
        }
        rng.shuffle(&mut links);
        Graph::new(inputs, &vec![last; outputs as usize], &hidden, &links).unwrap()
    }

    fn normal(rng: &mut Rng, count: usize, deviation: f64) -> Vec<f32> {
        let mut numbers = vec![0.0; count];
        rng.fill_normal(&mut numbers, deviation);
        numbers
    }

    fn rows(rng: &mut Rng, count: usize, graph: &Graph, classes: bool) -> Rows {
        let inputs = normal(rng, count * graph.inputs(), 1.0);
        let mut targets = normal(rng, count * graph.outputs(), 0.5);
        if classes {
            targets.fill(0.0);
            targets.chunks_mut(graph.outputs()).for_each(|row| row[rng.below(row.len())] = 1.0);
        }
        Rows::new(&inputs, &targets, graph.inputs(), graph.outputs())
    }

    fn bits(numbers: &[f32]) -> Vec<u32> {
        // A NaN is a NaN; which one it is may differ.
        numbers.iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect()
    }

    #[test]
    fn dead_nodes_are_left_out_and_levels_are_longest_paths() {
        let tanh = |id| (id, Activation::Tanh);
        let hidden = [tanh(9), tanh(8), tanh(7), tanh(6), tanh(5)];
        // 0, 1 inputs, 2 bias, 3, 4 outputs. 5 → 6 → 3; 7 leads nowhere but to 8, which leads nowhere; 9 hears nothing.
        let links = [(0, 5), (5, 6), (2, 6), (6, 3), (0, 3), (1, 7), (7, 8), (9, 4)];
        let graph = Graph::new(2, &[Activation::Linear; 2], &hidden, &links).unwrap();
        let nodes: Vec<(u32, u32)> = graph.nodes().iter().map(|node| (node.id, node.level)).collect();
        assert_eq!(nodes, [(5, 1), (9, 1), (6, 2), (3, 3), (4, 3)]);
        let kept: Vec<(u32, u32)> = graph.links().collect();
        assert_eq!(kept, [(0, 5), (2, 6), (5, 6), (0, 3), (6, 3), (9, 4)]);
        assert_eq!(graph.multiply_adds(), 6);
    }

    #[test]
    fn what_is_no_feed_forward_graph_is_refused() {
        let hidden = [(4, Activation::Tanh), (5, Activation::Tanh)];
        let code = |outputs: usize, hidden: &[(u32, Activation)], links: &[(u32, u32)]| {
            Graph::new(2, &vec![Activation::Linear; outputs], hidden, links).map(|_| ()).map_err(|error| error.code())
        };
        assert_eq!(code(1, &hidden, &[(0, 4), (4, 5), (5, 3)]), Ok(()));
        // Even a circle that no output hears.
        for links in [[(4, 5), (5, 4)], [(0, 3), (5, 5)], [(3, 4), (0, 3)], [(4, 0), (0, 3)], [(4, 2), (0, 3)]] {
            assert_eq!(code(1, &hidden, &links), Err("P0151"), "{links:?}");
        }
        assert_eq!(code(1, &hidden, &[(0, 3), (0, 3)]), Err("P0151"));
        assert_eq!(code(1, &hidden, &[(0, 6)]), Err("P0151"));
        assert_eq!(code(0, &[], &[]), Err("P0151"));
        assert_eq!(code(2, &hidden, &[]), Err("P0151"), "4 is an output");
        assert_eq!(code(1, &[hidden[0], hidden[0]], &[]), Err("P0151"));
    }

    #[test]
    fn a_graph_comes_back_from_disk_and_a_circle_does_not() {
        let mut rng = rng(3);
        let graph = random(&mut rng, [4, 3, 20], 0.3, &Activation::all(), Activation::Linear);
        let text = serde_json::to_string(&graph).unwrap();
        assert_eq!(serde_json::from_str::<Graph>(&text).unwrap(), graph);
        let vast = r#"{"inputs":4294967295,"outputs":["Linear"],"hidden":[],"links":[]}"#;
        assert!(serde_json::from_str::<Graph>(vast).unwrap_err().to_string().contains("more than"));
        let circle = r#"{"inputs":1,"outputs":["Linear"],"hidden":[[3,"Tanh"]],"links":[[3,3]]}"#;
        assert!(serde_json::from_str::<Graph>(circle).unwrap_err().to_string().contains("circle"));
    }

    #[test]
    fn a_graph_without_hidden_nodes_is_a_layer() {
        let mut rng = rng(4);
        let links: Vec<(u32, u32)> = (5..8).flat_map(|to| (0..=4).map(move |from| (from, to))).collect();
        let graph = Graph::new(4, &[Activation::Linear; 3], &[], &links).unwrap();
        let weights = normal(&mut rng, 15, 1.0);
        let network = Mlp::new(4, &[], 3, Output::Softmax, Loss::CrossEntropy).unwrap();
        let mut params = Vec::new();
        weights.chunks(5).for_each(|unit| params.extend(&unit[..4]));
        weights.chunks(5).for_each(|unit| params.push(unit[4]));
        let rows = rows(&mut rng, 70, &graph, true);
        let mut loss = [0.0];
        graph.losses(network.head(), Weights::PerLink(&weights), &rows, &mut loss, &mut GraphMemory::new());
        let layer = network.loss(&params, &rows, &mut Workspace::new());
        assert!((loss[0] - layer).abs() < 1e-6 * layer, "{loss:?} {layer}");
    }

    /// Loss in double precision.
    fn reference_loss(graph: &Graph, head: Head, weights: &[f64], rows: &Rows) -> f64 {
        let wide = |numbers: &[f32]| numbers.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let row = |row| {
            reference::row_loss(head, &graph.reference(weights, &wide(rows.input(row))), &wide(rows.target(row))).0
        };
        (0..rows.count()).map(row).sum::<f64>() / rows.count() as f64
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        // Without kinks, over which a difference may step.
        let kinked = |kind: &Activation| {
            matches!(kind, Activation::Step | Activation::Relu | Activation::LeakyRelu { .. } | Activation::Abs)
        };
        let smooth: Vec<Activation> = Activation::all().into_iter().filter(|kind| !kinked(kind)).collect();
        let mut memory = GraphMemory::new();
        for seed in 0..12 {
            let mut rng = rng(seed);
            let head = HEADS[seed as usize % 3];
            let last = if head == Head::Squared && seed % 2 == 0 { Activation::Tanh } else { Activation::Linear };
            let graph = random(&mut rng, [3, 2, 1 + seed as u32], 0.4, &smooth, last);
            let rows = rows(&mut rng, 5 + 10 * seed as usize, &graph, head != Head::Squared);
            let weights = normal(&mut rng, graph.multiply_adds(), 0.5);
            let mut gradient = vec![f32::NAN; weights.len()];
            let loss = graph.gradient(head, &weights, &rows, &mut gradient, &mut memory).unwrap();
            let mut plain = [0.0];
            graph.losses(head, Weights::PerLink(&weights), &rows, &mut plain, &mut memory);
            assert_eq!(loss.to_bits(), plain[0].to_bits(), "both passes make the same loss");
            let mut wide: Vec<f64> = weights.iter().map(|w| f64::from(*w)).collect();
            let exact = reference_loss(&graph, head, &wide, &rows);
            assert!((loss - exact).abs() < 1e-5 * exact.max(1.0), "{loss} {exact}");
            for at in 0..wide.len() {
                let (kept, h) = (wide[at], 1e-5);
                wide[at] = kept + h;
                let above = reference_loss(&graph, head, &wide, &rows);
                wide[at] = kept - h;
                let below = reference_loss(&graph, head, &wide, &rows);
                wide[at] = kept;
                let numeric = (above - below) / (2.0 * h);
                let error = (numeric - f64::from(gradient[at])).abs();
                assert!(error < 2e-5 * numeric.abs().max(1.0), "seed {seed} link {at}: {numeric} {}", gradient[at]);
            }
        }
    }

    #[test]
    fn steps_have_no_gradient() {
        let hidden = [(3, Activation::Step)];
        let graph = Graph::new(1, &[Activation::Linear], &hidden, &[(0, 3), (3, 2)]).unwrap();
        let rows = Rows::new(&[1.0], &[1.0], 1, 1);
        let refused = graph.gradient(Head::Squared, &[1.0; 2], &rows, &mut [0.0; 2], &mut GraphMemory::new());
        assert_eq!(refused.unwrap_err().code(), "P0138");
    }

    #[test]
    fn lanes_without_a_row_cannot_spoil_a_gradient() {
        // At input 0 the hidden node overflows: exp-like growth by squaring the bias.
        let hidden = [(3, Activation::Square), (4, Activation::Square)];
        let links = [(0, 3), (1, 3), (3, 4), (4, 2)];
        let graph = Graph::new(1, &[Activation::Linear], &hidden, &links).unwrap();
        let rows = Rows::new(&[1.0], &[0.5], 1, 1);
        let weights = [-1e15, 1e15, 1e15, 1.0];
        let mut gradient = [0.0; 4];
        let loss = graph.gradient(Head::Squared, &weights, &rows, &mut gradient, &mut GraphMemory::new()).unwrap();
        assert_eq!((loss, gradient), (0.25, [0.0; 4]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn kernels_equal_the_plain_walk_on_every_instruction_set(
            seed in 0_u64..10_000, inputs in 1_u32..8, outputs in 1_u32..5, hidden in 0_u32..30,
            density in 0.05_f64..0.9, count in 1_usize..120, sixteens in 1_usize..8, last in 0_usize..15,
        ) {
            let mut rng = rng(seed);
            let kinds = Activation::all();
            let graph = random(&mut rng, [inputs, outputs, hidden], density, &kinds, kinds[last]);
            let (links, outputs, inputs) = (graph.multiply_adds(), graph.outputs(), graph.inputs());
            let weights = normal(&mut rng, links, 1.0);
            let shared = [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0];
            let rows = rows(&mut rng, count, &graph, false);
            let lanes = 16 * sixteens;
            let per_lane = normal(&mut rng, lanes, 1.0);
            let observations = normal(&mut rng, inputs * lanes, 1.0);
            let lane = |from: &[f32], lane: usize| from.iter().skip(lane).step_by(lanes).copied().collect::<Vec<f32>>();
            let mut memory = GraphMemory::new();
            for isa in Isa::available() {
                let mut out = vec![0.0; outputs * lanes];
                for each in [false, true] {
                    let used = if each { Weights::PerLink(&weights) } else { Weights::Shared(&per_lane) };
                    graph.wiring().step_on(isa, used, lanes, &observations, &mut out, &mut memory);
                    for (at, weight) in per_lane.iter().enumerate() {
                        let of_lane = if each { weights.clone() } else { vec![*weight; links] };
                        let plain = graph.plain(&of_lane, &lane(&observations, at));
                        prop_assert_eq!(bits(&lane(&out, at)), bits(&plain), "{:?} lane {}", isa, at);
                    }
                }
                let mut out = vec![0.0; shared.len() * count * outputs];
                graph.wiring().predict_on(isa, Head::Squared, Weights::Shared(&shared), &rows, &mut out, &mut memory);
                for (w, block) in shared.iter().zip(out.chunks(count * outputs)) {
                    for (row, out) in block.chunks(outputs).enumerate() {
                        let plain = graph.plain(&vec![*w; links], rows.input(row));
                        prop_assert_eq!(bits(out), bits(&plain), "{:?} row {}", isa, row);
                    }
                }
                let mut losses = [0.0; 6];
                graph.wiring().losses_on(isa, Head::Squared, Weights::Shared(&shared), &rows, &mut losses, &mut memory);
                for (w, loss) in shared.iter().zip(losses) {
                    let mut alone = [0.0];
                    let weights = vec![*w; links];
                    let used = Weights::PerLink(&weights);
                    graph.wiring().losses_on(Isa::Scalar, Head::Squared, used, &rows, &mut alone, &mut memory);
                    prop_assert!(loss.to_bits() == alone[0].to_bits() || (loss.is_nan() && alone[0].is_nan()));
                }
            }
        }

        #[test]
        fn gradients_have_the_same_bits_on_every_instruction_set(
            seed in 0_u64..10_000, hidden in 0_u32..20, count in 1_usize..120, head in 0_usize..3,
        ) {
            let mut rng = rng(seed);
            let graph = random(&mut rng, [5, 3, hidden], 0.3, &Activation::all(), Activation::Linear);
            let weights = normal(&mut rng, graph.multiply_adds(), 0.7);
            let rows = rows(&mut rng, count, &graph, head < 2);
            let run = |isa| {
                let (mut gradient, mut memory) = (vec![0.0; weights.len()], GraphMemory::new());
                let loss = graph.wiring().gradient_on(isa, HEADS[head], &weights, &rows, &mut gradient, &mut memory);
                (loss.to_bits(), bits(&gradient))
            };
            let plain = run(Isa::Scalar);
            for isa in Isa::available() {
                prop_assert_eq!(&run(isa), &plain, "{:?}", isa);
            }
        }
    }
}
