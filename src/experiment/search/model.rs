//! A found network as a model: a graph with a weight for each link, its names and its scaling.

use super::DrawnNetwork;
use crate::error::{Error, Kind, Result, printable};
use crate::experiment::export::{Description, Format, Function};
use crate::experiment::model::{Header, predict_rows};
use crate::files;
use crate::math::Activation;
use crate::network::{Graph, GraphMemory, Head, Loss, Weights};
use crate::task::Encoding;
use ndarray::Array2;
use std::collections::BTreeMap;
use std::path::Path;

/// Largest file that is read.
const LARGEST: u64 = 256 << 20;

/// A network that a topology search found, read from `networks/<name>-s<seed>.json` of its result folder. Links have their
/// tuned weights, or the shared one where none were tuned.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphModel {
    /// Names, scaling, and what outputs mean.
    pub header: Header,
    /// Who hears whom.
    pub graph: Graph,
    /// One weight a link, in the order of [`Graph::links`].
    pub weights: Vec<f32>,
    /// The file.
    pub drawn: DrawnNetwork,
}

impl GraphModel {
    /// Whether a file looks like a found network: an object with nodes and links.
    pub fn claims(bytes: &[u8]) -> bool {
        #[derive(serde::Deserialize)]
        struct Parts {
            #[serde(rename = "nodes")]
            _nodes: Vec<serde::de::IgnoredAny>,
            #[serde(rename = "links")]
            _links: Vec<serde::de::IgnoredAny>,
        }
        bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
            && serde_json::from_slice::<Parts>(bytes).is_ok()
    }

    /// The network of the file at `path`; `None` if the file is something else.
    ///
    /// # Errors
    /// A file that cannot be read; as [`GraphModel::read`].
    pub fn open(path: &Path) -> Result<Option<GraphModel>> {
        // Other formats may be larger, and are none of ours.
        let size = std::fs::metadata(path).map(|about| about.len()).unwrap_or(0);
        if size > LARGEST {
            return Ok(None);
        }
        let bytes = files::read_capped(path, LARGEST, Kind::Data)?;
        if !GraphModel::claims(&bytes) {
            return Ok(None);
        }
        GraphModel::read(&bytes).map(Some).map_err(|error| error.in_file(path))
    }

    /// The network of these bytes.
    ///
    /// # Errors
    /// `P0302` for a damaged file, `P0303` for one of an earlier version, which holds no scaling, `P0151` for nodes and links
    /// that make no graph.
    pub fn read(bytes: &[u8]) -> Result<GraphModel> {
        let damaged = |what: &str| Error::data("P0302", format!("this network is damaged: {what}"));
        let drawn: DrawnNetwork =
            serde_json::from_slice(bytes).map_err(|cause| damaged(&printable(&cause.to_string())))?;
        let Some(header) = drawn.header.clone() else {
            return Err(Error::data("P0303", "this network was written by an earlier version, without its scaling")
                .help("run the search again: the same seeds find the same networks"));
        };
        let (inputs, targets) = (header.inputs.len(), header.targets.len());
        let scaled = match &header.target_scaler {
            Some(scaler) => !header.classification && scaler.columns() == targets,
            None => header.classification && targets > 1,
        };
        if header.kind != "graph" || header.input_scaler.columns() != inputs || !scaled {
            return Err(damaged("its names and scalings do not fit each other"));
        }
        let (mut outputs, mut hidden) = (Vec::new(), Vec::new());
        for node in &drawn.nodes {
            let activation = match Function::named(&node.activation, node.slope) {
                Ok(Function::Unit(activation)) => activation,
                Ok(Function::Softmax) => return Err(damaged("a single node cannot be `Softmax`")),
                Err(message) => return Err(damaged(&message)),
            };
            match node.kind.as_str() {
                "output" => outputs.push((node.id, activation)),
                "hidden" => hidden.push((node.id, activation)),
                "input" | "bias" => {}
                other => return Err(damaged(&format!("a node of the kind \"{}\"", printable(other)))),
            }
        }
        outputs.sort_by_key(|output| output.0);
        let named = outputs.iter().enumerate().all(|(at, output)| output.0 as usize == inputs + 1 + at);
        if outputs.len() != targets || !named {
            return Err(damaged("its outputs are not those that it names"));
        }
        let outputs: Vec<Activation> = outputs.into_iter().map(|output| output.1).collect();
        if header.loss == Loss::CrossEntropy && outputs.iter().any(|output| *output != Activation::Linear) {
            return Err(damaged("outputs of probabilities must be `Linear`"));
        }
        let given: BTreeMap<(u32, u32), f32> =
            drawn.links.iter().filter(|link| link.used).map(|link| ((link.from, link.to), link.weight)).collect();
        if !given.values().all(|weight| weight.is_finite()) {
            return Err(damaged("not all of its weights are finite numbers"));
        }
        let links: Vec<(u32, u32)> = given.keys().copied().collect();
        let inputs = u32::try_from(inputs).unwrap_or(u32::MAX);
        let graph = Graph::new(inputs, &outputs, &hidden, &links)?;
        let weights = graph.links().map(|link| given[&link]).collect();
        Ok(GraphModel { header, graph, weights, drawn })
    }

    /// How classes became numbers.
    pub fn encoding(&self) -> Encoding {
        Encoding { units: self.graph.outputs(), off: self.header.encoding.0, on: self.header.encoding.1 }
    }

    /// What the kernels make of the outputs.
    pub(in crate::experiment) fn head(&self) -> Head {
        match self.header.loss {
            Loss::CrossEntropy => Head::SoftmaxCrossEntropy,
            Loss::MeanSquared => Head::Squared,
        }
    }

    /// Outputs for rows of inputs in their own units, as [`Model::predict`](crate::experiment::Model::predict) has them.
    ///
    /// # Errors
    /// `P0206` for a table of another width.
    pub fn predict(&self, inputs: &Array2<f64>) -> Result<Array2<f64>> {
        predict_rows(&self.header, self.graph.outputs(), inputs, |rows, out| {
            self.graph.predict(self.head(), Weights::PerLink(&self.weights), rows, out, &mut GraphMemory::new());
        })
    }

    /// The bytes of a file of this format.
    ///
    /// # Errors
    /// `P0311` for a format that holds chains of layers alone.
    pub fn export(&self, format: &Format) -> Result<Vec<u8>> {
        if let Some(bytes) = format.write_graph(self, &Description::of(&self.header, Vec::new())) {
            return bytes;
        }
        let message = format!("files for {} hold chains of layers, and this network is a graph", format.name());
        Err(Error::data("P0311", message).help("this network goes into json, onnx, dot, rust"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::export::fixture::{graphs, rows_for};

    #[test]
    fn files_come_back_and_compute_what_the_graph_computes() {
        for graph in graphs() {
            let read = GraphModel::read(&graph.drawn.json()).unwrap();
            assert_eq!(read, graph);
            assert!(GraphModel::claims(&graph.drawn.json()) && !GraphModel::claims(b"{\"layers\": []}"));
            let rows = rows_for(&graph.header);
            let outputs = graph.predict(&rows).unwrap();
            let mut scaled = vec![0.0; 4];
            for (row, found) in rows.rows().into_iter().zip(outputs.rows()) {
                graph.header.input_scaler.transform(row, &mut scaled);
                let weights: Vec<f64> = graph.weights.iter().map(|weight| f64::from(*weight)).collect();
                let input: Vec<f64> = scaled.iter().map(|x| f64::from(*x)).collect();
                let mut sums = graph.graph.reference(&weights, &input);
                if let Some(scaler) = &graph.header.target_scaler {
                    let single: Vec<f32> = sums.iter().map(|sum| *sum as f32).collect();
                    scaler.inverse(&single, &mut sums);
                } else {
                    let total: f64 = sums.iter().map(|sum| libm::exp(*sum)).sum();
                    sums.iter_mut().for_each(|sum| *sum = libm::exp(*sum) / total);
                }
                for (found, expected) in found.iter().zip(&sums) {
                    assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{found} {expected}");
                }
            }
            assert_eq!(graph.predict(&Array2::zeros((1, 3))).unwrap_err().code(), "P0206");
        }
    }

    #[test]
    fn formats_of_layers_refuse_graphs_and_the_others_write_them() {
        for graph in graphs() {
            for format in Format::all() {
                let written = graph.export(&format);
                if ["json", "onnx", "dot", "rust"].contains(&format.word()) {
                    assert_eq!(written.as_ref().unwrap(), &graph.export(&format).unwrap());
                    assert!(!written.unwrap().is_empty());
                } else {
                    let error = written.unwrap_err();
                    assert_eq!((error.code(), error.problems()[0].helps.len()), ("P0311", 1), "{}", format.word());
                }
            }
        }
    }

    #[test]
    fn damaged_networks_are_told() {
        let graph = &graphs()[0];
        let code = |change: &dyn Fn(&mut DrawnNetwork)| {
            let mut drawn = graph.drawn.clone();
            change(&mut drawn);
            GraphModel::read(&drawn.json()).map(|_| ()).map_err(|error| error.code())
        };
        assert_eq!(code(&|_| ()), Ok(()));
        assert_eq!(code(&|drawn| drawn.header = None), Err("P0303"));
        assert_eq!(code(&|drawn| drawn.header.as_mut().unwrap().kind = "mlp".into()), Err("P0302"));
        assert_eq!(code(&|drawn| drawn.header.as_mut().unwrap().inputs.push("z".into())), Err("P0302"));
        assert_eq!(code(&|drawn| drawn.nodes.retain(|node| node.kind != "output")), Err("P0302"));
        assert_eq!(code(&|drawn| drawn.nodes[0].activation = "Wobble".into()), Err("P0302"));
        assert_eq!(code(&|drawn| drawn.links[0].to = 9999), Err("P0151"));
        assert_eq!(GraphModel::read(b"{\"nodes\": [], \"links\": []}").unwrap_err().code(), "P0302");
    }
}
