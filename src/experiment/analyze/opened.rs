//! A result folder, opened to look into its weights.

use super::AnalyzeOptions;
use crate::error::{Error, Result};
use crate::experiment::config::Experiment;
use crate::experiment::folder::{Folder, Manifest, State};
use crate::experiment::load::Document;
use crate::experiment::model::Model;
use crate::experiment::prepare::Study;
use crate::experiment::recipe_search::RecipeSearch;
use crate::experiment::record::{Moment, ResultRow};
use crate::experiment::replicate::{Weights, hash_weights};
use crate::experiment::resume::{Reopened, check_data};
use crate::experiment::search::TopologySearch;
use crate::experiment::suite::Suite;
use crate::network::Mlp;
use crate::task::Prepared;
use crate::train::Training;
use std::collections::{HashMap, HashSet};

/// A folder with its study, and what it must hold.
pub(super) struct Opened {
    pub manifest: Manifest,
    pub study: Study,
    /// Places of the arms that are looked at.
    pub arms: Vec<usize>,
    /// The seed that is drawn.
    pub drawn: u64,
    /// Runs that deployed nothing, such as `ga at seed 3`.
    pub failed: Vec<String>,
    folder: Folder,
    /// Models that were written: arm, seed, moment.
    written: HashSet<(String, u64, Moment)>,
    /// By arm and seed.
    results: HashMap<(String, u64), ResultRow>,
}

/// The data of a seed, and the weights of the arms at it.
pub(super) struct Seed {
    pub number: u64,
    pub prepared: Prepared,
    /// As [`Opened::arms`]; none where nothing was deployed.
    pub weights: Vec<Option<Weights>>,
}

impl Opened {
    pub fn open(folder: &Folder, options: &AnalyzeOptions) -> Result<Opened> {
        let manifest = folder.manifest()?;
        let path = folder.path().display();
        let other = |what: &str, help: String| {
            let message = format!("{path} holds {what}, and `analyze` looks into the weights of an experiment");
            Err(Error::data("P0305", message).help(help))
        };
        if manifest.kind == TopologySearch::ROOT {
            return other(
                "a topology search",
                format!(
                    "precocial report {path} draws its networks; links share one weight, so there are none to analyze"
                ),
            );
        }
        if manifest.kind == Suite::ROOT {
            return other(
                "a suite",
                format!(
                    "run one of its experiments alone and analyze that: precocial run {path}/experiments/final.TASK.TRAINER.ron"
                ),
            );
        }
        if manifest.kind == RecipeSearch::ROOT {
            return other(
                "a search for a recipe",
                format!(
                    "run an experiment of its test alone and analyze that: precocial run {path}/test/experiments/final.TASK.TRAINER.ron"
                ),
            );
        }
        if manifest.state != State::Complete {
            return Err(
                Error::data("P0305", format!("{path} holds no whole run yet")).help(format!("precocial resume {path}"))
            );
        }
        let reopened: Reopened<Experiment> = Reopened::open(folder.clone(), None)?;
        let data_folder = options.data_folder.clone().unwrap_or_else(|| reopened.data_folder());
        let names: Vec<String> = reopened.started.arms.iter().map(|arm| arm.name.to_string()).collect();
        let arms = chosen_arms(&names, &options.arms)?;
        let study = Study::new(reopened.started, &data_folder)?;
        check_data(&manifest, &study.dataset.files)?;
        let tables = folder.tables()?;
        let written: HashSet<(String, u64, Moment)> =
            tables.health.into_iter().map(|row| (row.arm, row.seed, row.moment)).collect();
        let deployed = |place: usize, seed: u64| written.contains(&(names[place].clone(), seed, Moment::End));
        let whole = study.seeds.iter().copied().find(|&seed| arms.iter().all(|&arm| deployed(arm, seed)));
        let drawn = match options.seed {
            Some(seed) if !study.seeds.contains(&seed) => {
                return Err(Error::experiment("P0309", format!("{path} has no seed {seed}"))
                    .note(format!("seeds are {}", listed(&study.seeds))));
            }
            Some(seed) => seed,
            None => whole.unwrap_or(study.seeds[0]),
        };
        let runs = arms.iter().flat_map(|&arm| study.seeds.iter().map(move |&seed| (arm, seed)));
        let failed = runs.filter(|&(arm, seed)| !deployed(arm, seed));
        let failed = failed.map(|(arm, seed)| format!("{} at seed {seed}", names[arm])).collect();
        let results = tables.results.into_iter().map(|row| ((row.arm.clone(), row.seed), row)).collect();
        Ok(Opened { manifest, study, arms, drawn, failed, folder: folder.clone(), written, results })
    }

    /// Name of the arm at a place of the experiment.
    pub fn arm_name(&self, place: usize) -> &str {
        self.study.experiment.arms[place].name.as_str()
    }

    /// Name of the arm that is looked at in this place.
    pub fn name(&self, arm: usize) -> &str {
        self.arm_name(self.arms[arm])
    }

    /// Network of the arm that is looked at in this place.
    pub fn network(&self, arm: usize) -> &Mlp {
        self.study.network_of(self.arms[arm])
    }

    /// Training of the arm that is looked at in this place.
    pub fn training(&self, arm: usize) -> &Training {
        self.study.training_of(self.arms[arm])
    }

    /// What the tables say of an arm at a seed.
    pub fn result(&self, arm: &str, seed: u64) -> Option<&ResultRow> {
        self.results.get(&(arm.to_owned(), seed))
    }

    /// Data and weights of a seed.
    pub fn seed(&self, number: u64) -> Result<Seed> {
        let prepared = self.study.prepare(number)?;
        let weights =
            self.arms.iter().map(|&place| self.weights(self.arm_name(place), number)).collect::<Result<_>>()?;
        Ok(Seed { number, prepared, weights })
    }

    /// Weights of a run; `None` if it deployed nothing.
    pub fn weights(&self, arm: &str, seed: u64) -> Result<Option<Weights>> {
        let load = |moment: Moment| {
            let was_written = self.written.contains(&(arm.to_owned(), seed, moment));
            was_written.then(|| self.model(arm, seed, moment)).transpose()
        };
        let weights = Weights { drawn: load(Moment::Drawn)?, start: load(Moment::Start)?, end: load(Moment::End)? };
        Ok(weights.end.is_some().then_some(weights))
    }

    fn model(&self, arm: &str, seed: u64, moment: Moment) -> Result<Vec<f32>> {
        let path = self.folder.model_path(arm, seed, moment);
        let again = self.folder.path().join("experiment.resolved.ron");
        if !path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Error::data("P0305", format!("{} lacks the model {name}", self.folder.path().display()))
                .help("put the files back into its folder `models`")
                .help(format!("or run it again, which gives the same weights: precocial run {}", again.display())));
        }
        let model = Model::load(&path)?;
        let expected = self.result(arm, seed).map(|row| &row.weights_hash).filter(|_| moment == Moment::End);
        let network = self.study.place(arm).map_or(&self.study.network, |place| self.study.network_of(place));
        if model.network != *network || expected.is_some_and(|hash| *hash != hash_weights(&model.params)) {
            return Err(Error::data("P0304", format!("this model is not the one that {arm} left at seed {seed}"))
                .in_file(&path)
                .help("put the old file back")
                .help(format!("or run it again, which gives the same weights: precocial run {}", again.display())));
        }
        Ok(model.params)
    }
}

/// Places of the arms with these names; of all if there are none.
fn chosen_arms(names: &[String], wanted: &[String]) -> Result<Vec<usize>> {
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        let error = Error::experiment("P0104", format!("the run has no arm `{unknown}`"));
        let near = names.iter().min_by_key(|name| strsim::levenshtein(name, unknown));
        let error = match near.filter(|near| strsim::levenshtein(near, unknown) <= 3) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        };
        return Err(error.note(format!("arms are {}", names.join(", "))));
    }
    Ok((0..names.len()).filter(|place| wanted.is_empty() || wanted.contains(&names[*place])).collect())
}

/// `1 to 30`, or one by one.
fn listed(seeds: &[u64]) -> String {
    let follow = seeds.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    match seeds {
        [first, _, .., last] if follow => format!("{first} to {last}"),
        _ => seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
