//! The weights of a result folder under the lens: their distributions and singular values, the losses between them, what
//! pruning leaves, the landscape around them.
//!
//! Losses along lines and on grids are computed anew, from the models and the data of the run; nothing is trained but what
//! was pruned, and arms that are run again at one seed: those from one common start for their ways, and searches for their
//! populations, because a run keeps neither. All of it is looking: no budget is charged, and the tables of the run stay as
//! they are.

mod again;
mod between;
mod components;
mod descent;
mod distribution;
#[cfg(test)]
pub(crate) mod fixture;
mod landscape;
mod line;
mod model;
mod opened;
mod pruning;
mod spectrum;
#[cfg(test)]
mod tests;

pub use between::PairRow;
pub use components::{ComponentRow, Components, IndividualRow, Whose};
pub use descent::{TrailRow, Ways};
pub use distribution::{HistogramRow, MomentRow, MoveRow};
pub use landscape::{LandscapeRow, PlaceRow, Plane, filter_normalised};
pub use line::{BetweenRow, Curve, PathRow};
pub use model::{ModelRows, analyze_model};
pub use pruning::{PruningRow, pruned};
pub use spectrum::SingularRow;

use crate::error::Result;
use crate::experiment::folder::{Folder, table};
use crate::experiment::record::Moment;
use crate::experiment::replicate::Weights;
use crate::experiment::run::pool;
use opened::{Opened, Seed};
use rayon::prelude::*;
use std::path::PathBuf;

/// What is looked at, and on how many threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzeOptions {
    /// The seed whose landscapes and singular values are shown; the first one unless said otherwise.
    pub seed: Option<u64>,
    /// Arms that are looked at; all of them unless said otherwise.
    pub arms: Vec<String>,
    /// Folder that relative paths of data files start from, if they have moved.
    pub data_folder: Option<PathBuf>,
    /// Full-batch steps after pruning; 0 for none.
    pub fine_tune: u64,
    /// Threads; 0 for one a processor.
    pub threads: usize,
}

impl Default for AnalyzeOptions {
    /// All arms, the first seed, 20 steps after pruning, one thread a processor.
    fn default() -> AnalyzeOptions {
        AnalyzeOptions { seed: None, arms: Vec::new(), data_folder: None, fine_tune: 20, threads: 0 }
    }
}

/// An arm that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedAt {
    /// Its name.
    pub name: String,
    /// Its place in the experiment.
    pub place: usize,
    /// Layers of its network: inputs and units.
    pub layers: Vec<(usize, usize)>,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Name of the experiment, or of the model file.
    pub name: String,
    /// Parameters of the network, of the experiment's where arms have their own.
    pub parameters: usize,
    /// What a reader needs to find it again: name and value.
    pub facts: Vec<(String, String)>,
    /// Which weights, where one model was looked at and no run.
    pub model: Option<Moment>,
}

/// Everything that was found, as plain rows: arms as in the experiment, seeds as listed. Of one model most tables are empty.
#[derive(Clone, Debug)]
pub struct WeightAnalysis {
    /// What was looked at.
    pub about: About,
    /// Arms.
    pub arms: Vec<LookedAt>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// The seed that is drawn where one must be chosen.
    pub seed: u64,
    /// Whether targets are classes.
    pub is_classification: bool,
    /// What the metric is called: accuracy, R² or variance explained.
    pub metric: &'static str,
    /// Whether there are test rows.
    pub has_test: bool,
    /// Full-batch steps after pruning; `None` where nothing was trained.
    pub fine_tune: Option<u64>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Moments of each layer's weights.
    pub moments: Vec<MomentRow>,
    /// Histograms of each layer's weights, all seeds together.
    pub histograms: Vec<HistogramRow>,
    /// How far each layer moved.
    pub moves: Vec<MoveRow>,
    /// Singular values of each layer.
    pub singular: Vec<SingularRow>,
    /// Losses on the way drawn → start → end.
    pub paths: Vec<PathRow>,
    /// Losses between the deployed weights of two arms, or of one arm at two seeds.
    pub between: Vec<BetweenRow>,
    /// What lies between them, in a row a pair and seed.
    pub pairs: Vec<PairRow>,
    /// Losses of pruned weights.
    pub pruning: Vec<PruningRow>,
    /// Losses on grids around the deployed weights of the drawn seed.
    pub landscape: Vec<LandscapeRow>,
    /// Where the weights of the run lie on these grids.
    pub places: Vec<PlaceRow>,
    /// Ways that arms took from one common start.
    pub ways: Ways,
    /// How populations moved at the drawn seed, and training after them.
    pub components: Components,
}

impl WeightAnalysis {
    /// Layers of the network of the arm with this name: inputs and units.
    pub fn layers(&self, arm: &str) -> &[(usize, usize)] {
        self.arms.iter().find(|other| other.name == arm).map_or(&[], |arm| &arm.layers)
    }

    /// Most layers that any arm has.
    pub fn depth(&self) -> usize {
        self.arms.iter().map(|arm| arm.layers.len()).max().unwrap_or(0)
    }

    /// The tables as CSV files: name and content.
    ///
    /// # Errors
    /// A row that cannot be written, which is a bug.
    pub fn tables(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let (ways, components) = (&self.ways, &self.components);
        Ok(vec![
            ("moments.csv", table(&self.moments)?),
            ("histograms.csv", table(&self.histograms)?),
            ("moves.csv", table(&self.moves)?),
            ("singular_values.csv", table(&self.singular)?),
            ("paths.csv", table(&self.paths)?),
            ("between.csv", table(&self.between)?),
            ("pairs.csv", table(&self.pairs)?),
            ("pruning.csv", table(&self.pruning)?),
            ("landscape.csv", table(&[&self.landscape[..], &ways.landscape, &components.landscape].concat())?),
            ("places.csv", table(&[&self.places[..], &components.places].concat())?),
            ("trails.csv", table(&[&ways.trails[..], &components.trails].concat())?),
            ("population.csv", table(&components.individuals)?),
            ("components.csv", table(&components.components)?),
        ])
    }
}

/// Looks into the weights of a complete run of an experiment. The same folder gives the same bits on any number of threads.
///
/// # Errors
/// A folder that holds no whole run of an experiment, or lacks a model (`P0305`); one that cannot be opened again
/// ([`crate::experiment::Reopened::open`]); data that changed (`P0310`); an arm (`P0104`) or seed (`P0309`) that the run does
/// not have; a damaged model (`P0302`).
pub fn analyze(folder: &Folder, options: &AnalyzeOptions) -> Result<WeightAnalysis> {
    let opened = Opened::open(folder, options)?;
    let (_, pool) = pool(options.threads)?;
    pool.install(|| look(opened, options))
}

/// What is computed of one seed alone.
#[derive(Default)]
struct OfSeed {
    moments: Vec<MomentRow>,
    ranges: Vec<distribution::Range>,
    moves: Vec<MoveRow>,
    singular: Vec<SingularRow>,
    paths: Vec<PathRow>,
    between: Vec<BetweenRow>,
    pairs: Vec<PairRow>,
    pruning: Vec<PruningRow>,
}

fn look(opened: Opened, options: &AnalyzeOptions) -> Result<WeightAnalysis> {
    let fine_tune = pruning::steps(&opened, options.fine_tune);
    let of_seed = |seed: &u64| -> Result<OfSeed> {
        let seed = opened.seed(*seed)?;
        let arms = (0..opened.arms.len()).into_par_iter().map(|arm| {
            let label = Label { arm: opened.name(arm), seed: seed.number };
            let mut out = OfSeed::default();
            let Some(weights) = &seed.weights[arm] else { return out };
            let network = opened.network(arm);
            distribution::look(network, weights, label, &mut out);
            let both = [Moment::Start, Moment::End];
            spectrum::look(network, weights, &both, label, seed.number == opened.drawn, &mut out.singular);
            line::along_path(network, &seed, weights, label, &mut out.paths);
            pruning::look(&opened, &seed, arm, label, fine_tune, &mut out.pruning);
            out
        });
        let mut all = OfSeed::default();
        for mut part in arms.collect::<Vec<_>>() {
            all.moments.append(&mut part.moments);
            all.ranges.push(std::mem::take(&mut part.ranges).into_iter().next().unwrap_or_default());
            all.moves.append(&mut part.moves);
            all.singular.append(&mut part.singular);
            all.paths.append(&mut part.paths);
            all.pruning.append(&mut part.pruning);
        }
        let pairs: Vec<(usize, usize)> =
            (0..opened.arms.len()).flat_map(|a| (a + 1..opened.arms.len()).map(move |b| (a, b))).collect();
        // Weights of different shapes have no line between them.
        let alike = |(a, b): &(usize, usize)| opened.network(*a) == opened.network(*b);
        let pairs: Vec<(usize, usize)> = pairs.into_iter().filter(alike).collect();
        let other = |arm: usize| (seed.number, seed.weights[arm].as_ref());
        let pairs = pairs.into_par_iter().filter_map(|pair| between::look(&opened, &seed, pair, other(pair.1)));
        let mut pairs: Vec<_> = pairs.collect();
        // Each seed with the next one: an arm with itself, from another draw.
        if let Some(next) = opened.study.seeds.iter().skip_while(|other| **other != seed.number).nth(1).copied() {
            let own = (0..opened.arms.len()).into_par_iter().map(|arm| {
                let weights = opened.weights(opened.name(arm), next)?;
                Ok(between::look(&opened, &seed, (arm, arm), (next, weights.as_ref())))
            });
            pairs.extend(own.collect::<Result<Vec<_>>>()?.into_iter().flatten());
        }
        for (row, mut curves) in pairs {
            all.pairs.push(row);
            all.between.append(&mut curves);
        }
        Ok(all)
    };
    let parts: Vec<OfSeed> = opened.study.seeds.par_iter().map(of_seed).collect::<Result<_>>()?;
    let histograms = distribution::histograms(&opened, &parts.iter().map(|part| &part.ranges[..]).collect::<Vec<_>>())?;
    let (landscape, places) = landscape::look(&opened)?;
    let ways = descent::look(&opened)?;
    let components = components::look(&opened)?;
    let notes = notes(&opened, options, fine_tune, &components);
    let shape = |arm: usize| opened.network(arm).layers().iter().map(|layer| (layer.inputs, layer.outputs)).collect();
    let arms = opened.arms.iter().enumerate();
    let after = fine_tune.map_or("none".into(), |steps| format!("{steps} full-batch steps"));
    let manifest = &opened.manifest;
    let facts = [
        ("run (bits)", manifest.bits.clone()),
        ("experiment", format!("SHA-256 {}", manifest.experiment_hash)),
        ("seed that is drawn", opened.drawn.to_string()),
        ("training after the cut", after),
    ];
    let about = About {
        name: manifest.name.clone(),
        parameters: manifest.parameters,
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        model: None,
    };
    let mut all = WeightAnalysis {
        about,
        arms: arms
            .map(|(arm, &place)| LookedAt { name: opened.arm_name(place).into(), place, layers: shape(arm) })
            .collect(),
        seeds: opened.study.seeds.clone(),
        seed: opened.drawn,
        is_classification: opened.study.experiment.task.is_classification(),
        metric: opened.study.experiment.task.metric(),
        has_test: opened.seed(opened.drawn)?.prepared.holdout.test.is_some(),
        fine_tune,
        notes,
        moments: Vec::new(),
        histograms,
        moves: Vec::new(),
        singular: Vec::new(),
        paths: Vec::new(),
        between: Vec::new(),
        pairs: Vec::new(),
        pruning: Vec::new(),
        landscape,
        places,
        ways,
        components,
    };
    for part in parts {
        all.moments.extend(part.moments);
        all.moves.extend(part.moves);
        all.singular.extend(part.singular);
        all.paths.extend(part.paths);
        all.between.extend(part.between);
        all.pairs.extend(part.pairs);
        all.pruning.extend(part.pruning);
    }
    // Seeds came first; tables have arms first. Sorting is stable.
    let arms = std::mem::take(&mut all.arms);
    let place = |name: &str| arms.iter().position(|arm| arm.name == name);
    all.moments.sort_by_key(|row| place(&row.arm));
    all.moves.sort_by_key(|row| place(&row.arm));
    all.singular.sort_by_key(|row| place(&row.arm));
    all.paths.sort_by_key(|row| place(&row.arm));
    all.pruning.sort_by_key(|row| place(&row.arm));
    all.pairs.sort_by_key(|row| (place(&row.first), place(&row.second)));
    all.between.sort_by_key(|row| (place(&row.first), place(&row.second)));
    all.arms = arms;
    Ok(all)
}

/// What a reader should know.
fn notes(opened: &Opened, options: &AnalyzeOptions, fine_tune: Option<u64>, components: &Components) -> Vec<String> {
    let mut notes = Vec::new();
    if !opened.failed.is_empty() {
        notes.push(format!("No weights were deployed by {}; nothing is said of them.", opened.failed.join(", ")));
    }
    let untouched = (0..opened.arms.len()).filter(|arm| !pruning::goes_on(opened.training(*arm)));
    let mut names: Vec<&str> = untouched.map(|arm| opened.training(arm).optimizer.name()).collect();
    names.sort_unstable();
    names.dedup();
    if options.fine_tune > 0 && !names.is_empty() {
        let whose = if fine_tune.is_none() { "Pruned weights" } else { "Pruned weights of such arms" };
        let (names, keep) = (names.join(" and "), if names.len() == 1 { "keeps" } else { "keep" });
        notes.push(format!(
            "{whose} were not trained on: {names} {keep} a memory of all weights that pruning would break."
        ));
    }
    let networks = || (0..opened.arms.len()).map(|arm| opened.network(arm));
    notes.extend(spectrum::note(networks()));
    let mut activations = networks().flat_map(|network| network.layers()).map(|layer| layer.activation);
    if activations.any(|activation| matches!(activation, crate::math::Activation::Relu)) {
        notes.push(
            "ReLU units keep their function when their weights are scaled and unscaled again; alignment undoes orders of \
             units, not scales."
                .into(),
        );
    }
    let left_out = |(arm, why): &(String, &str)| format!("How the population of {arm} moved is not shown: {why}.");
    notes.extend(components.left_out.iter().map(left_out));
    notes.push(TEST_ROWS.into());
    notes
}

const TEST_ROWS: &str =
    "Test rows are looked at here again, many times; whatever is chosen by these numbers needs fresh test rows.";

/// Whose rows these are.
#[derive(Clone, Copy)]
struct Label<'a> {
    arm: &'a str,
    seed: u64,
}

/// The moments in their order.
const MOMENTS: [Moment; 3] = [Moment::Drawn, Moment::Start, Moment::End];

/// The weights of a moment, where there are any.
fn at(weights: &Weights, moment: Moment) -> Option<&[f32]> {
    match moment {
        Moment::Drawn => weights.drawn.as_deref(),
        Moment::Start => weights.start.as_deref(),
        Moment::End => weights.end.as_deref(),
    }
}

/// Length of `a` − `b`.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)) * (f64::from(*a) - f64::from(*b))).sum::<f64>().sqrt()
}

/// Length.
fn norm(a: &[f32]) -> f64 {
    a.iter().map(|a| f64::from(*a) * f64::from(*a)).sum::<f64>().sqrt()
}

/// The point at `share` of the way from `a` to `b`: exactly these at 0 and 1.
fn blend(a: &[f32], b: &[f32], share: f64, out: &mut Vec<f32>) {
    out.clear();
    let mix = |(a, b): (&f32, &f32)| (f64::from(*a) * (1.0 - share) + f64::from(*b) * share) as f32;
    out.extend(a.iter().zip(b).map(mix));
}

/// Losses of `params` on the training rows and, where there are any, on the test rows; `None` of what is not finite.
fn losses(
    network: &crate::network::Mlp,
    seed: &Seed,
    params: &[f32],
    workspace: &mut crate::network::Workspace,
) -> (Option<f64>, Option<f64>) {
    let mut loss = |rows: &crate::math::Rows| {
        let loss = network.loss(params, rows, workspace);
        loss.is_finite().then_some(loss)
    };
    let training = loss(&seed.prepared.supervised.training);
    (training, seed.prepared.holdout.test.as_ref().and_then(loss))
}
