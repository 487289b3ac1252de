//! Topology searches: the file, the search over seeds, what is asked of its champions, the result folder.

pub mod config;
mod control;
mod data;
mod drawing;
mod model;
mod prepare;
mod run;
pub mod tables;
mod tune;

pub use config::TopologySearch;
pub(in crate::experiment) use drawing::quoted;
pub use drawing::{DrawnLink, DrawnNetwork, DrawnNode};
pub use model::GraphModel;
pub use prepare::{SearchPlan, SearchStudy};
pub use run::{SearchRun, resume_search, run_search};
pub use tables::SearchTables;

use crate::cost::Cost;
use crate::experiment::search::tables::{ResultKind, ResultRow, TrajectoryTable, WeightRow};
use crate::math::Activation;
use crate::network::Graph;
use crate::rng::{Purpose, Streams};

/// What was found out about one seed's champion.
struct Examined {
    results: Vec<ResultRow>,
    weights: Vec<WeightRow>,
    /// The best single shared weight.
    shared: f32,
    /// A weight for each link.
    tuned: Option<Vec<f32>>,
    trajectory: Option<TrajectoryTable>,
    cost: Cost,
}

/// Branches of the random streams: what is scored after the search shares no start, draw or batch with it.
mod branch {
    /// Starts that results are told on.
    pub const UNSEEN: u32 = 1;
    /// Starts that a shared weight is chosen on.
    pub const CHOICE: u32 = 2;
    /// Random weights.
    pub const WEIGHTS: u32 = 3;
    /// Tuning; searches that begin again have the branches behind it.
    pub const TUNING: u32 = 4;
}

/// A network of one hidden layer of tanh units, with about as many links as `links`, thresholds among them.
fn fixed_network(inputs: u32, outputs: u32, links: usize) -> Graph {
    let (each, least) = ((inputs + 1 + outputs) as usize, outputs as usize);
    let units = (links.saturating_sub(least) + each / 2) / each;
    let first = inputs + 1 + outputs;
    let hidden: Vec<(u32, Activation)> =
        (0..units.max(1) as u32).map(|unit| (first + unit, Activation::Tanh)).collect();
    let below = hidden.iter().flat_map(|unit| (0..=inputs).map(move |from| (from, unit.0)));
    let sources = || hidden.iter().map(|unit| unit.0).chain([inputs]);
    let above = (inputs + 1..first).flat_map(|to| sources().map(move |from| (from, to)));
    let all: Vec<(u32, u32)> = below.chain(above).collect();
    Graph::new(inputs, &vec![Activation::Linear; outputs as usize], &hidden, &all).expect("layers form no circle")
}

/// Draw number `draw` of a weight for each link, from U(−2, 2).
fn random_weights(links: usize, draw: usize, streams: &Streams) -> Vec<f32> {
    let mut rng = streams.branch(branch::WEIGHTS).stream(Purpose::Initialize, links as u64, draw as u64);
    (0..links).map(|_| rng.between(-2.0, 2.0)).collect()
}

/// A row of results.
fn result(seed: u64, kind: ResultKind, summary: Summary, cost: u64) -> ResultRow {
    let finite = |x: f64| Some(x).filter(|x| x.is_finite());
    let Summary { score, deviation, failures, trials } = summary;
    ResultRow { seed, kind, score: finite(score), deviation: deviation.and_then(finite), failures, trials, cost }
}

/// What a row of results says of its trials.
struct Summary {
    score: f64,
    deviation: Option<f64>,
    failures: Option<f64>,
    trials: u64,
}

#[cfg(test)]
mod tests;
