//! What a suite leaves behind: one table, a row for each run and target.

use crate::error::Result;
use crate::experiment::folder::{read, table};
use crate::experiment::record::RunState;
use crate::experiment::replicate::hexadecimal;
use crate::files;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A phase of a suite; no two share a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Finds the targets.
    Pilot,
    /// Chooses finalists.
    Selection,
    /// Gives the results.
    Final,
}

impl Phase {
    /// Its name, as tables write it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Pilot => "pilot",
            Phase::Selection => "selection",
            Phase::Final => "final",
        }
    }
}

/// A row of a suite's `results.csv`: a run on the way to one target. Costs are in training passes: a forward pass over the
/// training rows is 1, a full-batch gradient step 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuiteRow {
    /// Phase.
    pub phase: Phase,
    /// Task.
    pub task: String,
    /// Trainer.
    pub trainer: String,
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Target, from 1.
    pub target: usize,
    /// Training loss of the target; in the pilot, the lowest loss that was seen until then.
    pub loss: Option<f64>,
    /// Training passes, search included, at the first look that found this loss; none if the run ended before.
    pub passes: Option<f64>,
    /// Training passes of the whole run, which ends at its last target.
    pub total: f64,
    /// How the run ended; `stopped` at its last target too.
    pub state: RunState,
    /// Lowest training loss of the run.
    pub train_loss: Option<f64>,
    /// Test loss of the deployed weights.
    pub test_loss: Option<f64>,
    /// Accuracy, or R² for regression, of the deployed weights on the test rows.
    pub test_metric: Option<f64>,
    /// SHA-256 of the deployed weights.
    pub weights_hash: String,
}

/// The table of a suite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SuiteTables {
    /// `results.csv`.
    pub results: Vec<SuiteRow>,
}

/// Folder of what has been finished of a suite under way, one table for each cell. It goes when the suite is whole, as all
/// checkpoints do.
pub(super) const CELLS: &str = "checkpoints";

impl SuiteTables {
    /// Reads `results.csv` of a suite's folder.
    ///
    /// # Errors
    /// A table that is missing or malformed (`P0304`).
    pub fn load(folder: &Path) -> Result<SuiteTables> {
        Ok(SuiteTables { results: read(&folder.join("results.csv"))? })
    }

    /// Writes `results.csv`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        files::replace(&folder.join("results.csv"), &table(&self.results)?)
    }

    /// SHA-256 of the table.
    pub fn bits(&self) -> Result<String> {
        Ok(hexadecimal(&Sha256::digest(table(&self.results)?)))
    }
}

/// Rows of a cell that have been saved, none if there are none.
pub(super) fn load_cell(folder: &Path, cell: &str) -> Result<Vec<SuiteRow>> {
    let path = folder.join(CELLS).join(format!("{cell}.csv"));
    if path.exists() { read(&path) } else { Ok(Vec::new()) }
}

/// Saves what has been finished of a cell.
pub(super) fn save_cell(folder: &Path, cell: &str, rows: &[SuiteRow]) -> Result<()> {
    files::replace(&folder.join(CELLS).join(format!("{cell}.csv")), &table(rows)?)
}
