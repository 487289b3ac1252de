//! A look into one model file: its layers, and what pruning leaves of it.

use super::opened::Opened;
use super::pruning::Judge;
use super::{About, AnalyzeOptions, Label, LookedAt, OfSeed, WeightAnalysis, distribution, spectrum};
use crate::error::{Error, Result};
use crate::experiment::folder::Folder;
use crate::experiment::model::Model;
use crate::experiment::record::Moment;
use crate::experiment::replicate::{Weights, hash_weights};
use crate::math::Rows;
use crate::network::Workspace;
use ndarray::Array2;
use std::path::Path;

/// Rows that a model is pruned on.
#[derive(Clone, Debug)]
pub struct ModelRows {
    /// Rows that it was trained on, or that were given.
    pub training: Rows,
    /// Rows that it was not trained on, as far as that is known.
    pub test: Option<Rows>,
    /// Where they come from, for the page.
    pub source: String,
}

impl ModelRows {
    /// Rows of a table: `inputs` `[rows × inputs]` in their own units, `targets` `[rows × 1]` the numbers of the classes, or
    /// `[rows × targets]` values in their own units.
    ///
    /// # Errors
    /// `P0206` for a table of another width; `P0211` for one without rows.
    pub fn given(model: &Model, inputs: &Array2<f64>, targets: &Array2<f64>, source: String) -> Result<ModelRows> {
        let header = &model.header;
        let wanted = if header.classification { 1 } else { header.targets.len() };
        if inputs.ncols() != model.network.inputs() || targets.ncols() != wanted || inputs.nrows() != targets.nrows() {
            return Err(Error::data("P0206", "inputs and targets do not fit the model"));
        }
        if inputs.nrows() == 0 {
            return Err(Error::data("P0211", "the table has no rows").help("a pruning curve needs some"));
        }
        let encoding = model.encoding();
        let training = Rows::filled(inputs.nrows(), inputs.ncols(), model.network.outputs(), |row, x, y| {
            header.input_scaler.transform(inputs.row(row), x);
            match &header.target_scaler {
                _ if header.classification => encoding.encode(targets[[row, 0]] as u32, y),
                Some(scaler) => scaler.transform(targets.row(row), y),
                None => y.iter_mut().zip(targets.row(row)).for_each(|(y, target)| *y = *target as f32),
            }
        });
        Ok(ModelRows { training, test: None, source })
    }

    /// The rows of the run that a model file belongs to: one in the folder `models` of a whole run, with the run's own weights.
    /// `None` for any other file, and where the data of the run are not to be had.
    pub fn of_run(path: &Path, model: &Model) -> Option<ModelRows> {
        let place = std::fs::canonicalize(path).ok()?;
        let models = place.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "models"))?;
        let folder = Folder::at(models.parent()?);
        let (_, arm, seed, moment) = &model.header.origin;
        let options = AnalyzeOptions { seed: Some(*seed), arms: vec![arm.clone()], ..AnalyzeOptions::default() };
        let opened = Opened::open(&folder, &options).ok()?;
        let own = opened.weights(arm, *seed).ok()??;
        if super::at(&own, *moment).map(hash_weights) != Some(hash_weights(&model.params)) {
            return None;
        }
        let prepared = opened.study.prepare(*seed).ok()?;
        let source = format!("rows of {} at seed {seed}", opened.manifest.name);
        Some(ModelRows { training: prepared.supervised.training, test: prepared.holdout.test, source })
    }
}

/// Looks into one model: moments, histograms and singular values of its layers, and the pruning curve where there are rows.
/// `name` stands for it in tables and pictures.
///
/// # Errors
/// None that a user could bring about.
pub fn analyze_model(name: &str, model: &Model, rows: Option<ModelRows>) -> Result<WeightAnalysis> {
    let (experiment, arm, seed, moment) = &model.header.origin;
    let (network, label) = (&model.network, Label { arm: name, seed: *seed });
    let params = || Some(model.params.clone());
    let weights = match moment {
        Moment::Drawn => Weights { drawn: params(), start: None, end: None },
        Moment::Start => Weights { drawn: None, start: params(), end: None },
        Moment::End => Weights { drawn: None, start: None, end: params() },
    };
    let mut found = OfSeed::default();
    distribution::look(network, &weights, label, &mut found);
    let histograms = distribution::histograms_of(network, &weights, label, &found.ranges[0]);
    let moments: &[Moment] = &[*moment];
    spectrum::look(network, &weights, moments, label, true, &mut found.singular);
    let classes = model.header.classification.then(|| model.encoding());
    if let Some(ModelRows { training, test, .. }) = &rows {
        let judge = Judge { network, classes, training, test: test.as_ref() };
        found.pruning = judge.cuts(&model.params, label, &mut Workspace::new());
    }
    let mut notes: Vec<String> = spectrum::note(std::iter::once(network)).into_iter().collect();
    match &rows {
        None => notes.push(
            "Nothing is said of pruning: the rows that the model was trained on are not known. `--data TABLE.csv` gives some."
                .into(),
        ),
        Some(rows) if rows.test.is_some() => notes.push(super::TEST_ROWS.into()),
        Some(_) => {}
    }
    let facts = [
        ("experiment", experiment.clone()),
        ("arm", arm.clone()),
        ("seed", seed.to_string()),
        ("weights (SHA-256)", hash_weights(&model.params)),
        ("rows", rows.as_ref().map_or("none".into(), |rows| rows.source.clone())),
    ];
    let layers = network.layers().iter().map(|layer| (layer.inputs, layer.outputs)).collect();
    Ok(WeightAnalysis {
        about: About {
            name: name.to_owned(),
            parameters: network.parameters(),
            facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            model: Some(*moment),
        },
        arms: vec![LookedAt { name: name.to_owned(), place: 0, layers }],
        seeds: vec![*seed],
        seed: *seed,
        is_classification: model.header.classification,
        metric: match &model.header {
            header if header.classification => "accuracy",
            header if header.targets == header.inputs => "variance explained",
            _ => "R²",
        },
        has_test: rows.is_some_and(|rows| rows.test.is_some()),
        fine_tune: None,
        notes,
        moments: found.moments,
        histograms,
        moves: Vec::new(),
        singular: found.singular,
        paths: Vec::new(),
        between: Vec::new(),
        pairs: Vec::new(),
        pruning: found.pruning,
        landscape: Vec::new(),
        places: Vec::new(),
        ways: Default::default(),
        components: Default::default(),
    })
}
