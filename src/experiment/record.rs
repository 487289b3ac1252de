//! What a run leaves behind: the rows of the result tables.
//!
//! Costs are row-passes (multiply-adds divided by those of one forward row). Fields without a value are empty; a loss
//! that is not a number is empty too, and the run's `state` says why.

use crate::task::Targets;
use serde::{Deserialize, Serialize};

/// How a run of an arm ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// The budget was spent.
    Complete,
    /// A stopping rule held before the budget was spent.
    Stopped,
    /// Training left the finite numbers; the weights from before are kept.
    Diverged,
    /// No start could be made at all.
    Failed,
}

/// What an arm was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Looking for a start.
    Search,
    /// Gradient descent from it.
    Train,
}

/// A row of `results.csv`: one arm at one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// How it ended.
    pub state: RunState,
    /// Hash of the rows' assignment: equal for all arms of a seed.
    pub split_hash: String,
    /// Hash of the first epoch's batch order: equal for all arms of a seed.
    pub order_hash: String,
    /// Row-passes until gradient descent began.
    pub search_cost: f64,
    /// Row-passes from then on.
    pub train_cost: f64,
    /// Both together; at most one evaluation above the budget.
    pub total_cost: f64,
    /// Row-passes of the budget that were left.
    pub unspent: f64,
    /// Row-passes of measuring, which nobody is charged.
    pub observation_cost: f64,
    /// Epochs of gradient descent.
    pub epochs: u64,
    /// Steps of gradient descent.
    pub steps: u64,
    /// Generations of the search.
    pub generations: u64,
    /// Candidates scored in the search.
    pub evaluations: u64,
    /// Fitness by which the start was chosen.
    pub selection_fitness: Option<f64>,
    /// Training loss of the start.
    pub start_loss: Option<f64>,
    /// Training loss of the deployed weights.
    pub train_loss: Option<f64>,
    /// Validation loss of the deployed weights.
    pub validation_loss: Option<f64>,
    /// Test loss of the deployed weights.
    pub test_loss: Option<f64>,
    /// Accuracy, or R² for regression, which is the share of the variance explained by an autoencoder, of the deployed weights on the test rows.
    pub test_metric: Option<f64>,
    /// Row-passes at which the deployed weights were found.
    pub deployed_cost: f64,
    /// Row-passes at which training diverged.
    pub diverged_at: Option<f64>,
    /// SHA-256 of the deployed weights.
    pub weights_hash: String,
    /// Seconds; not reproducible.
    pub seconds: f64,
}

/// A row of `history.csv`: one look at one run, at a fixed grid of spent cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// What the arm was doing.
    pub phase: Phase,
    /// Steps of gradient descent so far.
    pub step: u64,
    /// Epochs so far, in parts: rows seen by gradient descent over training rows.
    pub epoch: f64,
    /// Row-passes spent, search included.
    pub cost: f64,
    /// Training loss of the weights now, over all training rows.
    pub train_loss: Option<f64>,
    /// Validation loss of the weights now.
    pub validation_loss: Option<f64>,
    /// Lowest training loss seen so far on this grid.
    pub best_train_loss: Option<f64>,
    /// Norm of the latest gradient.
    pub gradient_norm: Option<f64>,
    /// Damping of the next step, of methods that have one.
    #[serde(default)]
    pub damping: Option<f64>,
    /// Checks in a row without a new lowest validation loss, where patience counts them and the method asks the objective.
    #[serde(default)]
    pub validation_checks: Option<u64>,
    /// Seconds since the run of this arm began; not reproducible.
    pub seconds: f64,
}

/// A row of `generations.csv`: one generation of one search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenerationRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Generation, from 0.
    pub generation: u64,
    /// Row-passes spent when it had been scored.
    pub cost: f64,
    /// Lowest fitness.
    pub best: Option<f64>,
    /// Median fitness of the finite ones.
    pub median: Option<f64>,
    /// 10 % quantile.
    pub q10: Option<f64>,
    /// 90 % quantile.
    pub q90: Option<f64>,
    /// Highest finite fitness.
    pub worst: Option<f64>,
    /// Individuals without a finite fitness.
    pub nonfinite: u64,
    /// Root mean square distance of genes from the population's mean, in spreads of their layers: in the first 128
    /// generations, then in every second, third and so on.
    pub diversity: Option<f64>,
    /// Share of different genomes, in the same generations.
    pub unique: Option<f64>,
    /// Share of children that are better than their first parent.
    pub improved: Option<f64>,
    /// Factor on mutation steps.
    pub scale: f64,
}

/// What an arm changes on its way, beside the steps of its optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A new start.
    Start,
    /// Some hidden units replaced by new ones.
    Graft,
    /// The same weights with a fresh optimizer.
    Reset,
}

/// Where each unit of a layer was before it was changed, counted from 0; `None` for a new one.
///
/// As text it is one word a unit, counted from 1: `3 new 1` is a layer whose first unit was the third one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origins(pub Vec<Option<usize>>);

/// How a new unit is written.
const NEW: &str = "new";

impl From<Origins> for String {
    fn from(Origins(units): Origins) -> String {
        let word = |unit: &Option<usize>| unit.map_or(NEW.to_owned(), |unit| (unit + 1).to_string());
        units.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

impl TryFrom<String> for Origins {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Origins, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let mut taken = vec![false; words.len()];
        let unit = |word: &&str| {
            if *word == NEW {
                return Ok(None);
            }
            let place = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            match place.and_then(|place| taken.get_mut(place).map(|taken| (place, std::mem::replace(taken, true)))) {
                Some((place, false)) => Ok(Some(place)),
                _ => Err(format!("`{word}` is no unit of {} that may stand here, nor `{NEW}`", words.len())),
            }
        };
        words.iter().map(unit).collect::<std::result::Result<_, _>>().map(Origins)
    }
}

/// A row of `turns.csv`: one change that an arm tried on its way, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// What was changed.
    pub change: Change,
    /// Whether training went on with it.
    pub accepted: bool,
    /// Row-passes spent when that was decided.
    pub cost: f64,
    /// Row-passes that the change and its trial took.
    pub price: f64,
    /// Training loss before, if there was any.
    pub loss_before: Option<f64>,
    /// Training loss of what was tried, when it was decided on.
    pub loss_after: Option<f64>,
    /// Where each unit of the grafted layer was before, of a graft.
    #[serde(default)]
    pub origins: Option<Origins>,
    /// Whether the deployed weights were trained from what this turn made, with no other turn between, where the arm knows.
    #[serde(default)]
    pub deployed: Option<bool>,
}

/// A row of `mistakes.csv`: one epoch of a unit whose mistakes are corrected. Epochs are told one by one up to the 1024th,
/// then in ever longer steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MistakeRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Output unit, from 0.
    pub unit: u64,
    /// Epoch, from 1.
    pub epoch: u64,
    /// Mistakes in this epoch, each of which was corrected.
    pub mistakes: u64,
    /// Mistakes in all epochs so far.
    pub total: u64,
    /// Largest length of a training row, with 1 for the threshold; on the last row of a unit alone, as all below.
    pub radius: Option<f64>,
    /// Least distance of a training row from the deployed boundary, below 0 for one on the wrong side.
    pub margin: Option<f64>,
    /// Most mistakes that the unit can make from its start, in any order of the rows, where the margin is above 0.
    pub bound: Option<f64>,
}

/// A row of `reference.csv`: what another kind of model made of a seed's rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceRow {
    /// Seed.
    pub seed: u64,
    /// Share of the training rows that it tells right.
    pub training: f64,
    /// Share of the test rows.
    pub test: f64,
    /// Training rows that carry its boundaries.
    pub support_vectors: u64,
}

/// A row of `audit.csv`: what a fitness would have known of a start, and what the start then cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The arm whose starts are asked about.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Number of the start; 0 is the one that a random start gets.
    pub start: u64,
    /// Optimizer steps after which it is looked at; 0 is the loss before training.
    pub steps: u32,
    /// Row-passes that a fitness of so many steps takes.
    pub price: f64,
    /// Training loss then; none if it is not finite.
    pub loss: Option<f64>,
    /// Training loss that starts are to reach.
    pub target: f64,
    /// Row-passes until the start reached it, if it did within the budget.
    pub cost: Option<f64>,
    /// Lowest training loss within the budget.
    pub lowest: Option<f64>,
}

/// Which weights a health row speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// The best draw before any search: individual 0 of generation 0, the first candidate.
    Drawn,
    /// The start that gradient descent got.
    Start,
    /// The deployed weights.
    End,
}

/// A row of `health.csv`: one layer at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Which weights.
    pub moment: Moment,
    /// Layer, from 1; the last one is the output.
    pub layer: usize,
    /// Share of saturated activations, for bounded activations.
    pub saturated: Option<f64>,
    /// Units whose activation is the same for all rows.
    pub dead: u64,
    /// Units.
    pub units: u64,
    /// Variance of the activations; none if one is not finite.
    pub activation_variance: Option<f64>,
    /// Variance of the gradient by the layer's weights; none if one is not finite.
    pub gradient_variance: Option<f64>,
}

/// Reconstructed numbers that `predictions.csv` holds of each arm at most: of more, examples are written.
pub const MOST_RECONSTRUCTED: usize = 1 << 15;

/// Rows that serve as examples of what an autoencoder makes of them.
pub const EXAMPLES: usize = 12;

/// How many of so many rows with so many targets each are in `predictions.csv` of each arm.
pub fn predicted_rows(targets: &Targets, rows: usize, outputs: usize) -> usize {
    let too_many = matches!(targets, Targets::Inputs { .. }) && rows.saturating_mul(outputs) > MOST_RECONSTRUCTED;
    if too_many { rows.min(EXAMPLES) } else { rows }
}

/// A row of `predictions.csv`: one row of data under the deployed weights, at the first seed.
///
/// Of an autoencoder with more than [`MOST_RECONSTRUCTED`] numbers, [`EXAMPLES`] rows of one part alone: the test rows, else
/// the validation rows, else the training rows; the first of each label before the second of any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// `training`, `validation` or `test`.
    pub part: String,
    /// Row of the data set, from 0.
    pub row: u64,
    /// First input in its own unit, where there are one or two.
    pub x1: Option<f64>,
    /// Second input in its own unit, where there are two.
    pub x2: Option<f64>,
    /// Output, from 0; for classification the row speaks of the whole prediction.
    pub output: u64,
    /// True class index, or true value in its own unit.
    pub target: f64,
    /// Predicted class index, or predicted value in its own unit.
    pub predicted: f64,
}

/// Everything of one arm at one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The summary.
    pub result: ResultRow,
    /// Looks at the run.
    pub history: Vec<HistoryRow>,
    /// Generations, where there are any.
    pub generations: Vec<GenerationRow>,
    /// Changes on the way, where there are any.
    pub turns: Vec<TurnRow>,
    /// Health of the weights.
    pub health: Vec<HealthRow>,
    /// Predictions; only at the first seed.
    pub predictions: Vec<PredictionRow>,
    /// What another kind of model made of the same rows; only with the first arm of an experiment that asks for it.
    pub reference: Option<ReferenceRow>,
    /// Mistakes epoch by epoch, of arms that correct them.
    pub mistakes: Vec<MistakeRow>,
    /// What a fitness would have known of starts; only where that was asked of this arm.
    pub audit: Vec<AuditRow>,
    /// What was spent, by category, in multiply-adds.
    pub cost: crate::cost::Cost,
}
