//! Networks of every kind to be written and read again; shared by the tests in here and in `tests/interchange.rs`.

use super::precocial::experiment::model::Header;
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
    let mut rng = Streams::new(9).stream(Purpose::Synthetic, 3, 1);
    let mut rows = Array2::from_shape_fn((40, 4), |(_, column)| match column {
        0 => 1998.0 + (f64::from(rng.uniform()) * 25.0).floor(),
        1 => rng.normal() * 40.0 - 7.0,
        2 => 0.1 + f64::from(rng.uniform()),
        _ => f64::from(rng.uniform()) * 1e-3,
    });
    if model.header.input_scaler.fills_missing() {
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
