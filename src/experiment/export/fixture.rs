//! Networks of every kind to be written and read again; shared by the tests in here and in `tests/interchange.rs`.

use super::precocial::experiment::model::Header;
use super::precocial::experiment::search::{DrawnLink, DrawnNetwork, DrawnNode, GraphModel};
use super::precocial::experiment::{Model, record::Moment};
use super::precocial::math::Activation;
use super::precocial::network::{Loss, Mlp, Output};
use super::precocial::rng::{Purpose, Streams};
use super::precocial::task::{Imputation, MinMax, Scaler, Scaling, Statistic};
use ndarray::Array2;

/// A network of every activation that predicts two values from raw columns, some of whose cells may be missing; and one of
/// every output for classes.
pub fn models() -> Vec<Model> {
    let values = Activation::all()
        .into_iter()
        .map(|activation| made(&[(5, activation), (3, Activation::Tanh)], 2, Output::Linear, Loss::MeanSquared));
    let classes = [
        made(&[(6, Activation::Relu)], 3, Output::Softmax, Loss::CrossEntropy),
        made(&[], 1, Output::Logistic, Loss::CrossEntropy),
        made(&[(4, Activation::Gelu)], 3, Output::Logistic, Loss::MeanSquared),
        made(&[(4, Activation::Silu)], 3, Output::Tanh, Loss::MeanSquared),
    ];
    values.chain(classes).collect()
}

/// More links than a picture can show.
#[allow(dead_code)]
pub fn wide() -> Model {
    made(&[(60, Activation::Tanh), (40, Activation::Tanh)], 2, Output::Linear, Loss::MeanSquared)
}

/// Networks as topology searches find them: every activation on one or two levels, links that skip levels, and a node that
/// nobody hears; one predicts two values, one tells three classes, and one acts.
#[allow(dead_code)]
pub fn graphs() -> Vec<GraphModel> {
    let like = models();
    let (values, classes) = (&like[0].header, &like[like.len() - 4].header);
    let mut acts = values.clone();
    // As actions, which have no scaling; inputs keep theirs, because raw years would drown every unit.
    acts.target_scaler = Some(Scaler::identity(2));
    [values, classes, &acts].into_iter().map(graph).collect()
}

fn graph(like: &Header) -> GraphModel {
    let header = Header { kind: "graph".into(), hidden: Vec::new(), ..like.clone() };
    let (inputs, outputs) = (header.inputs.len() as u32, header.targets.len() as u32);
    let mut rng = Streams::new(u64::from(outputs)).stream(Purpose::Synthetic, 3, 2);
    let all = Activation::all();
    let first = inputs + 1 + outputs;
    let node = |id: u32, kind: &str, activation: &Activation, level: u32| DrawnNode {
        id,
        kind: kind.into(),
        activation: format!("{activation:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
        slope: matches!(activation, Activation::LeakyRelu { .. }).then_some(0.25),
        level,
    };
    let linear = &Activation::Linear;
    let mut nodes: Vec<DrawnNode> = (0..inputs).map(|id| node(id, "input", linear, 0)).collect();
    nodes.push(node(inputs, "bias", linear, 0));
    nodes.extend((0..outputs).map(|output| node(inputs + 1 + output, "output", linear, 3)));
    let count = all.len() as u32;
    nodes.extend(all.iter().zip(first..).map(|(activation, id)| node(id, "hidden", activation, 1)));
    nodes.extend(all.iter().zip(first + count..).map(|(activation, id)| node(id, "hidden", activation, 2)));
    let mut links = Vec::new();
    let mut link = |from: u32, to: u32, used: bool| {
        links.push(DrawnLink { from, to, weight: 0.2 * rng.normal() as f32, used });
    };
    for hidden in 0..count {
        let (below, above) = (first + hidden, first + count + hidden);
        // The first unit hears nothing, and the last of the upper ones is heard by nobody.
        for from in (0..=inputs).filter(|from| hidden > 0 && (from + hidden) % 3 != 0) {
            link(from, below, true);
        }
        let used = hidden + 1 < count;
        for from in [below, first + (hidden + 4) % count, hidden % (inputs + 1)] {
            link(from, above, used);
        }
        for output in 0..outputs {
            link(below, inputs + 1 + output, true);
            if used && (hidden + output) % 2 == 0 {
                link(above, inputs + 1 + output, true);
            }
        }
    }
    let (names, targets) = (header.inputs.clone(), header.targets.clone());
    let drawn =
        DrawnNetwork { inputs: names, outputs: targets, nodes, links, shared_weight: 1.0, header: Some(header) };
    GraphModel::read(&drawn.json()).unwrap()
}

/// A network of small weights with scalings learnt from made-up rows: years, a ratio, a constant, a fraction.
fn made(hidden: &[(usize, Activation)], outputs: usize, output: Output, loss: Loss) -> Model {
    let network = Mlp::new(4, hidden, outputs, output, loss).unwrap();
    let mut rng = Streams::new(network.parameters() as u64).stream(Purpose::Synthetic, 3, 0);
    let mut table = Array2::from_shape_fn((20, 4), |(_, column)| match column {
        0 => 2000.0 + (f64::from(rng.uniform()) * 20.0).floor(),
        1 => rng.normal() * 40.0 - 7.0,
        2 => 0.1,
        _ => f64::from(rng.uniform()) * 1e-3,
    });
    table[[3, 1]] = f64::NAN;
    let all: Vec<usize> = (0..20).collect();
    let classification = output != Output::Linear;
    let imputation = Imputation { with: Statistic::Mean, groups: Vec::new() };
    let min_max = Scaling::MinMax(MinMax::default());
    let (scaling, imputation) =
        if classification { (min_max, None) } else { (Scaling::Standardize, Some(&imputation)) };
    if classification {
        table[[3, 1]] = 5.0;
    }
    let input_scaler = Scaler::fit(scaling, table.view(), &all, imputation).unwrap();
    // Single precision is off by some 1e-7 of this spread, whoever computes; a large one would be beyond any bound on y.
    let values = Array2::from_shape_fn((20, outputs), |_| 0.5 * rng.normal() + 1.5);
    let target_scaler = (!classification).then(|| Scaler::fit(min_max, values.view(), &all, None).unwrap());
    let count = if classification { outputs.max(2) } else { outputs };
    let names = ["say \"x\"", "b", "c"];
    Model {
        header: Header {
            kind: "mlp".into(),
            inputs: ["year", "ratio", "say \"x\"", "fraction"].map(str::to_owned).to_vec(),
            hidden: hidden.to_vec(),
            output,
            loss,
            targets: names[..count].iter().map(|name| (*name).to_owned()).collect(),
            classification,
            encoding: (0.0, 1.0),
            input_scaler,
            target_scaler,
            origin: ("made-up".into(), "ga".into(), 1, Moment::End),
        },
        params: (0..network.parameters()).map(|_| 0.5 * rng.normal() as f32).collect(),
        network,
    }
}

/// Raw rows for a model, one with a missing cell where it can fill that.
pub fn rows(model: &Model) -> Array2<f64> {
    rows_for(&model.header)
}

/// The same for whatever has such a header.
pub fn rows_for(header: &Header) -> Array2<f64> {
    let mut rng = Streams::new(9).stream(Purpose::Synthetic, 3, 1);
    let mut rows = Array2::from_shape_fn((40, 4), |(_, column)| match column {
        0 => 1998.0 + (f64::from(rng.uniform()) * 25.0).floor(),
        1 => rng.normal() * 40.0 - 7.0,
        2 => 0.1 + f64::from(rng.uniform()),
        _ => f64::from(rng.uniform()) * 1e-3,
    });
    if header.input_scaler.fills_missing() {
        rows[[5, 1]] = f64::NAN;
    }
    rows
}

/// Holds outputs against those of [`Model::predict`]: equal to 1e-6 · max(1, |y|).
#[allow(dead_code)]
pub fn close(found: &[f64], expected: &[f64], model: &Model) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{a} instead of {b}: {:?}", model.header.hidden);
    }
}
