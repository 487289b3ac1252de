//! The experiment file: what may be written, and what it means.

use crate::experiment::arm::Method;
use crate::experiment::audit::Audit;
use crate::experiment::checkpoint::Checkpoint;
use crate::experiment::reference::Reference;
use crate::math::Activation;
use crate::network::{Loss, Output};
use crate::task::{Data, Scaling, Split, TargetKind};
use crate::train::Training;
use crate::values::{Count, Positive, Probability};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the file format that this program writes and reads.
pub const SCHEMA: u32 = 1;

/// A whole experiment: one task, one network, one way to train, and the arms that compete at equal cost.
///
/// The same structure comes out of a RON file ([`super::load`]) or is built in Rust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Version of the format: 1.
    pub schema: u32,
    /// Names the result folder: lower-case letters, digits, `.`, `_`, `-`.
    pub name: Name,
    /// What the experiment asks, for the report.
    #[serde(default)]
    pub notes: String,
    /// Replicates; each gives every arm the same split and the same batch order.
    pub seeds: Seeds,
    /// Data, split, scaling and loss.
    pub task: Task,
    /// The network that arms start; one of them may have a network of its own.
    pub network: Network,
    /// How arms train; one of them may have a training of its own.
    pub train: Training,
    /// The contestants.
    pub arms: Vec<ArmConfig>,
    /// What every arm may spend, search and training together.
    pub budget: Budget,
    /// How arms are compared.
    #[serde(default)]
    pub statistics: Statistics,
    /// What is drawn and written.
    #[serde(default)]
    pub report: Report,
    /// How often runs under way are saved.
    #[serde(default)]
    pub checkpoint: Checkpoint,
    /// Whether it is asked what a fitness can know of a start; not unless written. It costs the arms nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// Another kind of model that is told beside the arms; none unless written. It costs the arms nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// One contestant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmConfig {
    /// What tables and plots call it.
    pub name: Name,
    /// What it does with its budget.
    pub method: Method,
    /// A network of its own; that of the experiment unless said otherwise. Budgets stay equal in multiply-adds: row-passes
    /// are always those of the experiment's network, so a network of twice its size sees half as many rows. All networks
    /// of an experiment end in the same `output`, and starts are paired between arms only where networks agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// A training of its own; that of the experiment unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Training>,
}

impl ArmConfig {
    /// An arm with the network and the training of the experiment.
    pub fn new(name: Name, method: Method) -> ArmConfig {
        ArmConfig { name, method, network: None, train: None }
    }

    /// What is its own, in words: `network of 64 Tanh units; optimizer Newton()`. `None` of an arm that shares all with the
    /// experiment.
    pub fn own(&self, experiment: &Experiment) -> Option<String> {
        let network = self.network.as_ref().filter(|own| **own != experiment.network).map(Network::words);
        let train = self.train.as_ref().filter(|own| **own != experiment.train);
        let train = train.and_then(|own| differing(own, &experiment.train));
        let parts: Vec<String> = network.into_iter().chain(train).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The settings of `own` that `shared` does not have, as the experiment file writes them.
fn differing(own: &Training, shared: &Training) -> Option<String> {
    fn text<T: Serialize>(value: &T) -> String {
        crate::experiment::dialect().to_string(value).unwrap_or_default().replace(',', ", ").replace(':', ": ")
    }
    fn part<T: Serialize + PartialEq>(name: &str, own: &T, shared: &T) -> Option<String> {
        (own != shared).then(|| format!("{name} {}", text(own)))
    }
    let parts = [
        part("optimizer", &own.optimizer, &shared.optimizer),
        part("batch", &own.batch, &shared.batch),
        part("schedule", &own.schedule, &shared.schedule),
        part("clip", &own.clip, &shared.clip),
        part("stop", &own.stop, &shared.stop),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A name that is safe as part of a file name: `[a-z0-9][a-z0-9._-]*`, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;
    fn try_from(text: String) -> Result<Name, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = text.len() <= 64
            && text.starts_with(plain)
            && text.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'));
        if fits {
            Ok(Name(text))
        } else {
            Err("must be 1 to 64 lower-case letters, digits, `.`, `_` or `-`, and begin with a letter or digit".into())
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The seeds of the replicates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Seeds {
    /// `count` seeds from `first` on.
    Range {
        /// First seed.
        first: u64,
        /// How many.
        count: Count,
    },
    /// These.
    List(Vec<u64>),
}

impl Seeds {
    /// The seeds, in order.
    pub fn to_vec(&self) -> Vec<u64> {
        match self {
            Seeds::Range { first, count } => (0..count.get() as u64).map(|offset| first.wrapping_add(offset)).collect(),
            Seeds::List(seeds) => seeds.clone(),
        }
    }
}

/// What is to be learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Task {
    /// Rows to classes.
    Classification {
        /// Where the rows come from.
        data: Data,
        /// Which rows train, validate and test.
        split: Split,
        /// How inputs are scaled, fitted on training rows only; `Standardize` unless said otherwise.
        #[serde(default = "standardize")]
        scaling: Scaling,
        /// What training makes small; `CrossEntropy`.
        #[serde(default = "cross_entropy")]
        loss: Loss,
    },
    /// Rows to numbers.
    Regression {
        /// Where the rows come from.
        data: Data,
        /// Which rows train, validate and test.
        split: Split,
        /// How inputs and targets are scaled, fitted on training rows only; `Standardize` unless said otherwise.
        #[serde(default = "standardize")]
        scaling: Scaling,
        /// What training makes small; `MeanSquared`.
        #[serde(default = "mean_squared")]
        loss: Loss,
    },
    /// Rows to themselves, through a narrower layer: what the network keeps of them is what it understood.
    Autoencoding {
        /// Where the rows come from. What would be a target elsewhere labels the rows where it can be a class, for a stratified
        /// split and for pictures, and is forgotten otherwise; files need none.
        data: Data,
        /// Which rows train, validate and test.
        split: Split,
        /// How inputs, which are the targets too, are scaled, fitted on training rows only; `Standardize` unless said
        /// otherwise. `Logistic` outputs need numbers between 0 and 1, `Tanh` outputs between −1 and 1: `MinMax(…)`.
        #[serde(default = "standardize")]
        scaling: Scaling,
        /// What training makes small; `MeanSquared`. `CrossEntropy` takes each input as a probability, behind `Logistic`
        /// outputs; inputs of other rows beyond the range of the training rows then count as 0 or 1.
        #[serde(default = "mean_squared")]
        loss: Loss,
        /// Width and height of a row as an image; unless said otherwise, 49 inputs and more are one if their number is a
        /// square.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<(Count, Count)>,
    },
}

/// Fewer inputs are no image unless somebody says so: 7 by 7 pixels.
const SMALLEST_IMAGE: usize = 49;

fn standardize() -> Scaling {
    Scaling::Standardize
}
fn cross_entropy() -> Loss {
    Loss::CrossEntropy
}
fn mean_squared() -> Loss {
    Loss::MeanSquared
}

impl Task {
    /// Where the rows come from.
    pub fn data(&self) -> &Data {
        match self {
            Task::Classification { data, .. } | Task::Regression { data, .. } | Task::Autoencoding { data, .. } => data,
        }
    }

    /// Which rows train, validate and test.
    pub fn split(&self) -> &Split {
        match self {
            Task::Classification { split, .. } | Task::Regression { split, .. } | Task::Autoencoding { split, .. } => {
                split
            }
        }
    }

    /// How columns are scaled.
    pub fn scaling(&self) -> Scaling {
        match self {
            Task::Classification { scaling, .. }
            | Task::Regression { scaling, .. }
            | Task::Autoencoding { scaling, .. } => *scaling,
        }
    }

    /// What training makes small.
    pub fn loss(&self) -> Loss {
        match self {
            Task::Classification { loss, .. } | Task::Regression { loss, .. } | Task::Autoencoding { loss, .. } => {
                *loss
            }
        }
    }

    /// Whether targets are classes.
    pub fn is_classification(&self) -> bool {
        matches!(self, Task::Classification { .. })
    }

    /// Whether rows are their own targets.
    pub fn is_autoencoding(&self) -> bool {
        matches!(self, Task::Autoencoding { .. })
    }

    /// What rows are mapped to.
    pub fn kind(&self) -> TargetKind {
        match self {
            Task::Classification { .. } => TargetKind::Classes,
            Task::Regression { .. } => TargetKind::Values,
            Task::Autoencoding { .. } => TargetKind::Inputs,
        }
    }

    /// What the metric on test rows is called.
    pub fn metric(&self) -> &'static str {
        match self {
            Task::Classification { .. } => "accuracy",
            Task::Regression { .. } => "R²",
            Task::Autoencoding { .. } => "variance explained",
        }
    }

    /// Width and height of a row of so many inputs, where rows are images that are to be reconstructed.
    pub fn image(&self, features: usize) -> Option<(usize, usize)> {
        let Task::Autoencoding { image, .. } = self else { return None };
        if let Some((width, height)) = image {
            return Some((width.get(), height.get()));
        }
        let side = features.isqrt();
        (features >= SMALLEST_IMAGE && side * side == features).then_some((side, side))
    }
}

/// The network that arms start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Network {
    /// A multi-layer perceptron; inputs and outputs follow from the data.
    Mlp {
        /// Hidden layers from first to last; none makes a linear model.
        hidden: Vec<HiddenLayer>,
        /// What the last layer does; `Softmax` for cross-entropy, `Linear` for mean squared error.
        #[serde(default)]
        output: Option<Output>,
    },
}

impl Network {
    /// Hidden layers from first to last.
    pub fn hidden(&self) -> &[HiddenLayer] {
        let Network::Mlp { hidden, .. } = self;
        hidden
    }

    /// What the last layer does, if that was written.
    pub fn output(&self) -> Option<Output> {
        let Network::Mlp { output, .. } = self;
        *output
    }

    /// Its hidden layers in words: `network of 20 and 19 Tanh units`.
    pub fn words(&self) -> String {
        let mut text = String::new();
        for run in self.hidden().chunk_by(|a, b| a.activation == b.activation) {
            let units: Vec<String> = run.iter().map(|layer| layer.units.get().to_string()).collect();
            let units = match &units[..] {
                [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
                units => units.concat(),
            };
            let plural = if units == "1" { "" } else { "s" };
            let then = if text.is_empty() { "network of " } else { ", then " };
            text.push_str(&format!("{then}{units} {:?} unit{plural}", run[0].activation));
        }
        if text.is_empty() { "network without hidden units".into() } else { text }
    }
}

/// A hidden layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HiddenLayer {
    /// Units.
    pub units: Count,
    /// What each unit does to its weighted sum; `Tanh` unless said otherwise.
    #[serde(default = "tanh")]
    pub activation: Activation,
}

fn tanh() -> Activation {
    Activation::Tanh
}

/// What every arm may spend.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Budget {
    /// Row-passes: one row forward is 1, one row backward 2.
    RowPasses(Count),
    /// Row-passes per training row: a forward pass over the training rows is 1, a full-batch gradient step 3.
    TrainingPasses(Positive),
}

impl fmt::Display for Budget {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Budget::RowPasses(count) => write!(to, "RowPasses({})", count.get()),
            Budget::TrainingPasses(passes) => write!(to, "TrainingPasses({})", passes.get()),
        }
    }
}

impl Budget {
    /// The budget in multiply-adds, for a network of `multiply_adds` a row and this many training rows.
    pub fn multiply_adds(&self, multiply_adds: usize, training_rows: usize) -> u64 {
        let row_passes = match self {
            Budget::RowPasses(count) => count.get() as f64,
            Budget::TrainingPasses(passes) => (passes.get() * training_rows as f64).floor(),
        };
        // Beyond 2^63 multiply-adds no machine gets in a lifetime.
        (row_passes * multiply_adds as f64).min(9e18) as u64
    }
}

/// How arms are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// The arm that ratios are told against first; the first arm unless said otherwise.
    #[serde(default)]
    pub baseline: Option<Name>,
    /// Arms whose claim is tested against every other arm; the evolved ones unless said otherwise.
    #[serde(default)]
    pub candidates: Vec<Name>,
    /// What is compared; `BudgetToTarget`.
    #[serde(default)]
    pub metric: Metric,
    /// Training losses whose cost is compared; the middle one decides. Empty: the median losses of the baseline after
    /// 30, 60 and 90 % of the budget.
    #[serde(default)]
    pub targets: Vec<Positive>,
    /// Confidence of all intervals; 0.95.
    #[serde(default = "confidence")]
    pub confidence: Probability,
    /// Bootstrap resamples; 9999.
    #[serde(default = "bootstrap")]
    pub bootstrap: Count,
}

fn confidence() -> Probability {
    Probability::new(0.95).expect("in range")
}
fn bootstrap() -> Count {
    Count::new(9999).expect("in range")
}

impl Default for Statistics {
    fn default() -> Statistics {
        Statistics {
            baseline: None,
            candidates: Vec::new(),
            metric: Metric::default(),
            targets: Vec::new(),
            confidence: confidence(),
            bootstrap: bootstrap(),
        }
    }
}

/// What is compared between arms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Metric {
    /// Cost, search included, until the training loss reaches a target.
    #[default]
    BudgetToTarget,
    /// Training loss of the deployed weights.
    FinalTrainingLoss,
    /// Test loss of the deployed weights.
    FinalTestLoss,
}

/// What is drawn and written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Which plots; `Standard`.
    #[serde(default)]
    pub plots: Plots,
    /// Formats of plots and pages; all but `Png`.
    #[serde(default = "formats")]
    pub formats: Vec<Format>,
}

fn formats() -> Vec<Format> {
    vec![Format::Html, Format::Markdown, Format::Svg, Format::Csv]
}

impl Default for Report {
    fn default() -> Report {
        Report { plots: Plots::default(), formats: formats() }
    }
}

/// Which plots are made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Plots {
    /// The standard set, as far as it applies.
    #[default]
    Standard,
    /// Every plot that applies.
    All,
    /// These.
    Only(Vec<String>),
}

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// One self-contained page.
    Html,
    /// Text with tables.
    Markdown,
    /// Plots as vector graphics.
    Svg,
    /// Plots as pictures.
    Png,
    /// The plotted numbers.
    Csv,
    /// Event files that TensorBoard reads, in the folder `tensorboard`; of experiments alone.
    TensorBoard,
    /// The tables of the run once more, an object a line, beside them; of experiments alone.
    JsonLines,
}
