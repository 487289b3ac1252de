//! What another kind of model makes of the same rows: a reference for the reader, no contestant.

use crate::error::{Error, Kind, Result};
use crate::experiment::Watch;
use crate::experiment::config::Experiment;
use crate::experiment::record::ReferenceRow;
use crate::math::Rows;
use crate::task::{Encoding, Parts, Prepared};
use crate::train::SupportVectorMachine;
use serde::{Deserialize, Serialize};

/// A model that is trained on the training rows of each seed and told beside the arms. It is charged to no arm, takes part in
/// no comparison, and scores the test rows once, as arms do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reference {
    /// For classes.
    SupportVectorMachine(SupportVectorMachine),
}

/// Most training rows: time grows with their square.
const MOST_ROWS: usize = 20_000;

impl Reference {
    /// Refuses what cannot be answered, as far as the file tells.
    ///
    /// # Errors
    /// A regression (`P0135`).
    pub(super) fn check(&self, experiment: &Experiment) -> Result<()> {
        if experiment.task.is_classification() {
            return Ok(());
        }
        Err(Error::experiment("P0135", "`reference` can tell classes apart alone, and this is a regression")
            .help("leave `reference` out, or write `task: Classification(…)`"))
    }

    /// Refuses data that it cannot serve.
    ///
    /// # Errors
    /// A split without test rows (`P0137`), too many training rows (`P0140`).
    pub(super) fn serves(&self, parts: &Parts) -> Result<()> {
        if parts.test.is_empty() {
            return Err(Error::experiment("P0137", "`reference` is told on test rows, and the split keeps none")
                .help("give `test` a share of the split, or leave `reference` out"));
        }
        let rows = parts.training.len();
        if rows <= MOST_ROWS {
            return Ok(());
        }
        let message = format!("`SupportVectorMachine` is made for at most {MOST_ROWS} training rows, found {rows}");
        Err(Error::new(Kind::Limit, "P0140", message).help("leave `reference` out, or give `train` a smaller share"))
    }

    /// Trains and tests it on the rows of a seed; `None` if it was interrupted, and at a seed that has no test rows.
    pub(super) fn examine(
        &self,
        prepared: &Prepared,
        encoding: Encoding,
        seed: u64,
        watch: &dyn Watch,
    ) -> Option<ReferenceRow> {
        let Reference::SupportVectorMachine(settings) = self;
        let (training, test) = (&prepared.supervised.training, prepared.holdout.test.as_ref()?);
        let features = training.features();
        let row = |rows: &Rows, at: usize| -> Vec<f64> { rows.input(at).iter().map(|x| f64::from(*x)).collect() };
        let inputs: Vec<f64> = (0..training.count()).flat_map(|at| row(training, at)).collect();
        let labels: Vec<usize> = (0..training.count()).map(|at| encoding.decode(training.target(at))).collect();
        let machine = settings.train(&inputs, features, &labels, encoding.units.max(2), &|| watch.is_cancelled())?;
        let accuracy = |rows: &Rows| {
            let right = |at: &usize| machine.predict(&row(rows, *at)) == encoding.decode(rows.target(*at));
            (0..rows.count()).filter(right).count() as f64 / rows.count() as f64
        };
        Some(ReferenceRow {
            seed,
            training: accuracy(training),
            test: accuracy(test),
            support_vectors: machine.support_vectors() as u64,
        })
    }
}
