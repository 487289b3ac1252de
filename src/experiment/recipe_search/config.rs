//! The file of a recipe search: what may be written, and what it means.

use crate::experiment::config::{Budget, Name, Seeds};
use crate::experiment::suite::config::{Margin, Pilot, SuiteArm, SuiteTask, Trainer};
use crate::train::Initializer;
use crate::train::initializer::RecipeFamily;
use crate::values::{Count, NonNegative, Positive};
use serde::{Deserialize, Serialize};

/// A search for the numbers of a recipe, with everything that could be chosen afterwards written down before.
///
/// The *pilot* runs the control on every training task; its median training losses after the named passes are the targets.
/// Each *search* evolves the numbers on seeds that are fresh in each generation and common to its individuals. On the
/// *validation* seeds the searches are compared, and the best one's numbers pruned and rounded. The *test* is a suite of its
/// own, on tasks and seeds that nothing was chosen on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeSearch {
    /// Version of the format: 1.
    pub schema: u32,
    /// Names the result folder: lower-case letters, digits, `.`, `_`, `-`.
    pub name: Name,
    /// What the search is for, for the report.
    #[serde(default)]
    pub notes: String,
    /// Which numbers are searched: those of one kind of unit, which the networks of the tasks tell.
    pub family: RecipeFamily,
    /// A recipe within the family, where the searches begin; the family's published one unless said otherwise.
    #[serde(default)]
    pub start: Option<Initializer>,
    /// What the numbers are evolved on.
    pub tasks: Vec<SuiteTask>,
    /// Ways to train; every task is run with each.
    pub trainers: Vec<Trainer>,
    /// The start whose costs on the same seeds are the unit of every score; `GlorotUniform`.
    #[serde(default = "control")]
    pub control: Initializer,
    /// How the targets of each training task are found.
    pub pilot: ControlPilot,
    /// What every run may spend. A run ends once it has reached the last target.
    pub budget: Budget,
    /// How the numbers are evolved.
    #[serde(default)]
    pub evolution: Evolution,
    /// Independent searches, one for each seed.
    pub seeds: Seeds,
    /// How searches are compared, and numbers pruned and rounded.
    pub validation: Validation,
    /// What the found recipe is held against.
    pub test: Test,
}

fn control() -> Initializer {
    Initializer::GlorotUniform
}

/// How the targets of each training task are found: as in a suite, with the control as the arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlPilot {
    /// Seeds at which the control is run, with the first trainer.
    pub seeds: Seeds,
    /// Training passes after which its median loss is a target, ascending.
    pub passes: Vec<Positive>,
}

/// How the numbers are evolved: CMA-ES with a full covariance matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evolution {
    /// Vectors in a generation, at least 4; 4 + ⌊3 ln n⌋ for n numbers unless said otherwise.
    pub population: Option<Count>,
    /// Generations; 20.
    pub generations: Count,
    /// Size of the first steps, in steps that may well show: a fourth more or less of a spread; 1.
    pub sigma: Positive,
    /// Seeds that each vector of a generation is run at, with every task and trainer; 4.
    pub seeds: Count,
}

impl Default for Evolution {
    fn default() -> Evolution {
        let count = |count| Count::new(count).expect("in range");
        let sigma = Positive::new(1.0).expect("in range");
        Evolution { population: None, generations: count(20), sigma, seeds: count(4) }
    }
}

/// How searches are compared, and numbers pruned and rounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Seeds at which all of that is done.
    pub seeds: Seeds,
    /// How much higher the score may be for a simpler number: mean logarithm of the cost by the control's; 0.005.
    #[serde(default = "tolerance")]
    pub tolerance: NonNegative,
}

fn tolerance() -> NonNegative {
    NonNegative::new(0.005).expect("in range")
}

/// What the found recipe is held against: a suite, to which it comes as the candidate `found`, beside `recipe-simple` and
/// `recipe-v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Other tasks than those of the search.
    pub tasks: Vec<SuiteTask>,
    /// Ways to train; those of the search unless said otherwise.
    #[serde(default)]
    pub trainers: Vec<Trainer>,
    /// Controls, and further candidates.
    pub arms: Vec<SuiteArm>,
    /// What every run may spend; as much as in the search unless said otherwise.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// How the targets are found.
    pub pilot: Pilot,
    /// Seeds on which finalists are chosen.
    pub selection: Seeds,
    /// Seeds of the results.
    pub seeds: Seeds,
    /// Differences that do not matter.
    #[serde(default)]
    pub margin: Margin,
}
