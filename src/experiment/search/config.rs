//! The file of a topology search: what may be written, and what it means.

use crate::evolve::wann::WannSettings;
use crate::experiment::checkpoint::Checkpoint;
use crate::experiment::config::{Name, Report, Seeds};
use crate::math::Activation;
use crate::network::Loss;
use crate::task::control::Control;
use crate::task::{Data, Scaling, Split, TargetKind};
use crate::train::optimizer::Adam;
use crate::train::{Batch, Optimizer};
use crate::values::{Count, Finite, NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// A search for topologies that solve a task whatever weight all their links share, and what is asked of its champions.
///
/// The same structure comes out of a RON file ([`crate::experiment::open`]) or is built in Rust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologySearch {
    /// Version of the format: 1.
    pub schema: u32,
    /// Names the result folder: lower-case letters, digits, `.`, `_`, `-`.
    pub name: Name,
    /// What the search asks, for the report.
    #[serde(default)]
    pub notes: String,
    /// Replicates; each is a search of its own.
    pub seeds: Seeds,
    /// What is to be learned.
    pub task: SearchTask,
    /// How topologies are searched.
    #[serde(default)]
    pub search: WannSettings,
    /// What is asked of a champion once the search has ended.
    #[serde(default)]
    pub after: After,
    /// What is drawn and written.
    #[serde(default)]
    pub report: Report,
    /// How often searches under way are saved.
    #[serde(default)]
    pub checkpoint: Checkpoint,
}

/// What a topology is to solve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SearchTask {
    /// Acting in a world. Every network acts from as many starts as `search` says repetitions, with each shared weight.
    Control {
        /// The world.
        environment: Control,
        /// Steps after which an episode ends; the environment's own limit unless said otherwise.
        #[serde(default)]
        max_steps: Option<Count>,
        /// What output nodes do to their weighted sums; `Linear`.
        #[serde(default = "linear")]
        output: Activation,
    },
    /// Rows to classes.
    Classification {
        /// Where the rows come from.
        data: Data,
        /// Which rows train, validate and test.
        split: Split,
        /// How inputs are scaled, fitted on training rows only; `Standardize` unless said otherwise.
        #[serde(default = "standardize")]
        scaling: Scaling,
        /// What networks are scored by; `CrossEntropy`.
        #[serde(default = "cross_entropy")]
        loss: Loss,
        /// Rows of a score, common to a generation; `Full`, with which repetitions are pointless and not made.
        #[serde(default)]
        batch: Batch,
    },
    /// Rows to numbers, scored by the mean squared error.
    Regression {
        /// Where the rows come from.
        data: Data,
        /// Which rows train, validate and test.
        split: Split,
        /// How inputs and targets are scaled, fitted on training rows only; `Standardize` unless said otherwise.
        #[serde(default = "standardize")]
        scaling: Scaling,
        /// Rows of a score, common to a generation; `Full`, with which repetitions are pointless and not made.
        #[serde(default)]
        batch: Batch,
    },
}

fn linear() -> Activation {
    Activation::Linear
}
fn standardize() -> Scaling {
    Scaling::Standardize
}
fn cross_entropy() -> Loss {
    Loss::CrossEntropy
}

impl SearchTask {
    /// Whether a network acts in a world.
    pub fn is_control(&self) -> bool {
        matches!(self, SearchTask::Control { .. })
    }

    /// Whether targets are classes; actions count as values.
    pub fn kind(&self) -> TargetKind {
        if matches!(self, SearchTask::Classification { .. }) { TargetKind::Classes } else { TargetKind::Values }
    }

    /// Where rows come from, and how they are divided and scaled; `None` for control.
    pub fn rows(&self) -> Option<(&Data, &Split, Scaling, Batch)> {
        match self {
            SearchTask::Control { .. } => None,
            SearchTask::Classification { data, split, scaling, batch, .. }
            | SearchTask::Regression { data, split, scaling, batch } => Some((data, split, *scaling, *batch)),
        }
    }
}

/// What is asked of a champion once the search has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct After {
    /// Starts of a control task, seen by no score of the search, that a champion is scored on; 1000.
    pub starts: Count,
    /// Shared weights of the response curve.
    pub sweep: Sweep,
    /// How often every link draws a weight of its own from U(−2, 2); 20.
    pub random_draws: Count,
    /// How each link gets its own weight: `Evolution()` for control and `Gradient()` for rows unless said otherwise.
    pub tuning: Option<Tuning>,
}

impl Default for After {
    fn default() -> After {
        let count = |count| Count::new(count).expect("in range");
        After { starts: count(1000), sweep: Sweep::default(), random_draws: count(20), tuning: None }
    }
}

/// Shared weights at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sweep {
    /// The lowest; −3.
    pub low: Finite,
    /// The highest; 3.
    pub high: Finite,
    /// How many, both ends included; 121.
    pub points: Count,
}

impl Default for Sweep {
    fn default() -> Sweep {
        let finite = |x| Finite::new(x).expect("finite");
        Sweep { low: finite(-3.0), high: finite(3.0), points: Count::new(121).expect("in range") }
    }
}

impl Sweep {
    /// The weights, in order.
    pub fn weights(&self) -> Vec<f32> {
        let (low, high, last) = (self.low.get(), self.high.get(), (self.points.get() - 1).max(1) as f64);
        (0..self.points.get()).map(|point| (low + (high - low) * point as f64 / last) as f32).collect()
    }
}

/// How each link of a champion gets a weight of its own, beginning with its best shared weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Tuning {
    /// It does not.
    Skip,
    /// By back-propagation on the training rows, beginning once with each shared weight of the search and once with the
    /// best of the sweep; the weights of the lowest validation loss are kept, if rows validate.
    Gradient {
        /// How gradients become steps; `Adam(learning_rate: 0.01)`.
        #[serde(default = "adam")]
        optimizer: Optimizer,
        /// Rows of a step; `Size(32)`.
        #[serde(default = "batch")]
        batch: Batch,
        /// Passes over the training rows; 100.
        #[serde(default = "epochs")]
        epochs: Count,
    },
    /// By CMA-ES on the return; for control.
    Evolution {
        /// Episodes that it may spend; 19200.
        #[serde(default = "episodes")]
        episodes: Count,
        /// Starts of each score, common to a generation; 2. Few, because over many generations their luck evens out.
        #[serde(default = "starts")]
        starts: Count,
        /// Standard deviation of the first generation; 0.1.
        #[serde(default = "sigma")]
        sigma: Positive,
    },
}

fn adam() -> Optimizer {
    let (positive, share) = (|x| Positive::new(x).expect("in range"), |x| Probability::new(x).expect("in range"));
    let epsilon = NonNegative::new(1e-8).expect("in range");
    Optimizer::Adam(Adam { learning_rate: positive(0.01), beta1: share(0.9), beta2: share(0.999), epsilon })
}
fn batch() -> Batch {
    Batch::Size(Count::new(32).expect("in range"))
}
fn epochs() -> Count {
    Count::new(100).expect("in range")
}
fn episodes() -> Count {
    Count::new(19_200).expect("in range")
}
fn starts() -> Count {
    Count::new(2).expect("in range")
}
fn sigma() -> Positive {
    Positive::new(0.1).expect("in range")
}

impl Tuning {
    /// What is done where nothing is said.
    pub fn usual(control: bool, gradient: bool) -> Tuning {
        match (control, gradient) {
            (true, _) => Tuning::Evolution { episodes: episodes(), starts: starts(), sigma: sigma() },
            (false, true) => Tuning::Gradient { optimizer: adam(), batch: batch(), epochs: epochs() },
            (false, false) => Tuning::Skip,
        }
    }
}
