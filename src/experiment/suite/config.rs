//! The suite file: what may be written, and what it means.

use crate::experiment::arm::Method;
use crate::experiment::config::{Budget, Name, Network, Seeds, Task};
use crate::train::Training;
use crate::values::{AtLeastOne, Count, NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// A campaign: arms that compete on many tasks, with everything that could be chosen afterwards written down before.
///
/// It is run in three phases on seeds that have nothing in common. The *pilot* runs one arm on every task; its median
/// training losses after the named passes are the targets. The *selection* runs every arm with every trainer; what was
/// cheapest there on the way to a target is a finalist. The *final* runs the finalists on fresh seeds, and only its
/// numbers are reported as results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Version of the format: 1.
    pub schema: u32,
    /// Names the result folder: lower-case letters, digits, `.`, `_`, `-`.
    pub name: Name,
    /// What the suite asks, for the report.
    #[serde(default)]
    pub notes: String,
    /// Where the arms compete.
    pub tasks: Vec<SuiteTask>,
    /// Ways to train; each arm uses the one that served it best in the selection. More than one makes the report tell
    /// how much each arm depends on it.
    pub trainers: Vec<Trainer>,
    /// The contestants.
    pub arms: Vec<SuiteArm>,
    /// What every run may spend, search and training together. A run ends once it has reached the last target.
    pub budget: Budget,
    /// How the targets are found.
    pub pilot: Pilot,
    /// Seeds on which finalists are chosen.
    pub selection: Seeds,
    /// Seeds of the results.
    pub seeds: Seeds,
    /// Differences that do not matter.
    #[serde(default)]
    pub margin: Margin,
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

/// A task with the network that all arms start there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteTask {
    /// What tables call it.
    pub name: Name,
    /// Data, split, scaling and loss.
    pub task: Task,
    /// The network.
    pub network: Network,
}

/// A way to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trainer {
    /// What tables call it.
    pub name: Name,
    /// How every arm trains.
    pub train: Training,
}

/// A contestant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteArm {
    /// What tables call it.
    pub name: Name,
    /// Which side it is on.
    pub role: Role,
    /// What it does with its budget.
    pub method: Method,
}

/// Which side an arm is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// A control of the literature. The cheapest one of each task is a finalist, and the one that is best over all tasks.
    Classic,
    /// A further control. The cheapest of all controls of each task is a finalist.
    Extended,
    /// An arm whose claim is tested.
    Candidate,
}

/// How the targets of each task are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pilot {
    /// The arm that is run, with the first trainer.
    pub arm: Name,
    /// Its seeds.
    pub seeds: Seeds,
    /// Training passes after which its median loss is a target, ascending: a forward pass over the training rows is 1, a
    /// full-batch gradient step 3. The middle one decides.
    pub passes: Vec<Positive>,
}

/// Differences that do not matter: an arm is called better or worse only beyond both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    /// Ratio of costs, at least 1; 1.1.
    #[serde(default = "ratio")]
    pub ratio: AtLeastOne,
    /// Difference of expected costs in training passes; 10.
    #[serde(default = "passes")]
    pub passes: NonNegative,
}

fn ratio() -> AtLeastOne {
    AtLeastOne::new(1.1).expect("in range")
}
fn passes() -> NonNegative {
    NonNegative::new(10.0).expect("in range")
}

impl Default for Margin {
    fn default() -> Margin {
        Margin { ratio: ratio(), passes: passes() }
    }
}
