//! A result folder, read and weighed.

use crate::error::Result;
use crate::experiment::record::{
    AuditRow, GenerationRow, HealthRow, HistoryRow, MistakeRow, Moment, Phase, PredictionRow, ReferenceRow, ResultRow,
    RunState, TurnRow,
};
use crate::experiment::{Experiment, Folder, Manifest, Model, Tables};
use crate::math::statistics::median;
use crate::report::findings::Findings;
use std::collections::HashMap;

/// Everything that a report tells and draws.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// What was run.
    pub experiment: Experiment,
    /// On what, and how it ended.
    pub manifest: Manifest,
    /// The arms with all their runs, in the order of the experiment.
    pub arms: Vec<Arm>,
    /// Weights, read when they are asked for.
    pub models: Models,
    /// Every computed number.
    pub findings: Findings,
    /// What another kind of model made of the same rows.
    pub reference: Vec<ReferenceRow>,
}

/// An arm with all its runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arm {
    /// What tables and plots call it.
    pub name: String,
    /// Its method, as the experiment file writes it.
    pub method: &'static str,
    /// The network and training of its own, in words, if it has any.
    pub own: Option<String>,
    /// Its runs that have ended, in the order of the seeds.
    pub runs: Vec<Run>,
    /// Health of the weights, all seeds.
    pub health: Vec<HealthRow>,
    /// Predictions at the first seed.
    pub predictions: Vec<PredictionRow>,
}

impl Arm {
    /// Whether any run had generations.
    pub fn has_generations(&self) -> bool {
        self.runs.iter().any(|run| !run.generations.is_empty())
    }

    /// Runs that left the finite numbers or could not start.
    pub fn diverged(&self) -> usize {
        self.runs.iter().filter(|run| matches!(run.result.state, RunState::Diverged | RunState::Failed)).count()
    }

    /// The run at a seed.
    pub fn run(&self, seed: u64) -> Option<&Run> {
        self.runs.iter().find(|run| run.result.seed == seed)
    }
}

/// How the hidden units of an arm do at a moment: medians over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Units {
    /// Share of activations at the flat ends of their range; `None` where no hidden unit has one.
    pub saturated: Option<f64>,
    /// Share of units that say the same of every row; `None` without hidden units.
    pub dead: Option<f64>,
}

impl Units {
    /// `None` where nothing is known.
    pub fn of(arm: &Arm, moment: Moment) -> Option<Units> {
        let rows: Vec<&HealthRow> = arm.health.iter().filter(|row| row.moment == moment).collect();
        let last = rows.iter().map(|row| row.layer).max()?;
        let (mut saturated, mut dead) = (Vec::new(), Vec::new());
        for seed in rows.chunk_by(|a, b| a.seed == b.seed) {
            let hidden = || seed.iter().filter(|row| row.layer < last);
            let mean = |share: &dyn Fn(&HealthRow) -> Option<f64>| {
                let pairs = hidden().filter_map(|row| Some((share(row)?, row.units as f64)));
                let (sum, units) =
                    pairs.fold((0.0, 0.0), |(sum, all), (share, units)| (sum + share * units, all + units));
                (units > 0.0).then(|| sum / units)
            };
            saturated.extend(mean(&|row| row.saturated));
            dead.extend(mean(&|row| Some(row.dead as f64 / row.units.max(1) as f64)));
        }
        Some(Units { saturated: median(&saturated), dead: median(&dead) })
    }
}

/// One arm at one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The summary.
    pub result: ResultRow,
    /// Looks at it.
    pub history: Vec<HistoryRow>,
    /// Generations of its search.
    pub generations: Vec<GenerationRow>,
    /// Changes on its way.
    pub turns: Vec<TurnRow>,
    /// Mistakes epoch by epoch.
    pub mistakes: Vec<MistakeRow>,
    /// What a fitness would have known of starts.
    pub audit: Vec<AuditRow>,
}

impl Run {
    /// Row-passes that went into the search.
    pub fn search_cost(&self) -> f64 {
        self.result.search_cost
    }

    /// Whether it ever came to gradient descent.
    pub fn has_trained(&self) -> bool {
        self.result.steps > 0 || self.history.iter().any(|row| row.phase == Phase::Train)
    }
}

/// Weights of the runs.
#[derive(Clone, Debug, Default)]
pub struct Models {
    /// Where the files are.
    pub folder: Option<Folder>,
    /// Models in memory, which come first.
    pub kept: Vec<Model>,
}

impl Models {
    /// The weights of an arm at a seed; `None` if there is no such file.
    pub fn get(&self, arm: &str, seed: u64, moment: Moment) -> Option<Model> {
        let fits = |model: &&Model| {
            let (_, of, at, when) = &model.header.origin;
            of == arm && *at == seed && *when == moment
        };
        let kept = self.kept.iter().find(fits).cloned();
        kept.or_else(|| Model::load(&self.folder.as_ref()?.model_path(arm, seed, moment)).ok())
    }
}

impl Analysis {
    /// Weighs tables that are already in memory.
    pub fn new(experiment: Experiment, manifest: Manifest, tables: Tables, models: Models) -> Analysis {
        let reference = tables.reference.clone();
        let arms = group(&experiment, tables);
        let findings = Findings::of(&experiment, &manifest, &arms);
        Analysis { experiment, manifest, arms, models, findings, reference }
    }

    /// Place of an arm in the experiment.
    pub fn arm_index(&self, name: &str) -> Option<usize> {
        self.arms.iter().position(|arm| arm.name == name)
    }

    /// Most seeds that any arm has finished.
    pub fn seeds(&self) -> usize {
        self.arms.iter().map(|arm| arm.runs.len()).max().unwrap_or(0)
    }

    /// Whether there are test rows.
    pub fn has_test(&self) -> bool {
        self.arms.iter().flat_map(|arm| &arm.runs).any(|run| run.result.test_loss.is_some())
    }
}

/// Reads and weighs a result folder; runs nothing.
///
/// # Errors
/// `P0305` for a folder without results, `P0304` for a damaged table.
pub fn analyse(folder: &Folder) -> Result<Analysis> {
    let manifest = folder.manifest()?;
    let models = Models { folder: Some(folder.clone()), kept: Vec::new() };
    Ok(Analysis::new(folder.experiment()?, manifest, folder.tables()?, models))
}

fn group(experiment: &Experiment, tables: Tables) -> Vec<Arm> {
    let arm = |arm: &crate::experiment::config::ArmConfig| Arm {
        name: arm.name.to_string(),
        method: arm.method.name(),
        own: arm.own(experiment),
        ..Arm::default()
    };
    let mut arms: Vec<Arm> = experiment.arms.iter().map(arm).collect();
    let places: HashMap<String, usize> =
        arms.iter().enumerate().map(|(place, arm)| (arm.name.clone(), place)).collect();
    let mut runs: HashMap<(usize, u64), usize> = HashMap::new();
    for result in tables.results {
        let Some(&place) = places.get(&result.arm) else { continue };
        runs.insert((place, result.seed), arms[place].runs.len());
        arms[place].runs.push(Run {
            result,
            history: Vec::new(),
            generations: Vec::new(),
            turns: Vec::new(),
            mistakes: Vec::new(),
            audit: Vec::new(),
        });
    }
    let find = |arm: &str, seed: u64| {
        let place = *places.get(arm)?;
        Some((place, *runs.get(&(place, seed))?))
    };
    for row in tables.history {
        if let Some((place, run)) = find(&row.arm, row.seed) {
            arms[place].runs[run].history.push(row);
        }
    }
    for row in tables.generations {
        if let Some((place, run)) = find(&row.arm, row.seed) {
            arms[place].runs[run].generations.push(row);
        }
    }
    for row in tables.turns {
        if let Some((place, run)) = find(&row.arm, row.seed) {
            arms[place].runs[run].turns.push(row);
        }
    }
    for row in tables.mistakes {
        if let Some((place, run)) = find(&row.arm, row.seed) {
            arms[place].runs[run].mistakes.push(row);
        }
    }
    for row in tables.audit {
        if let Some((place, run)) = find(&row.arm, row.seed) {
            arms[place].runs[run].audit.push(row);
        }
    }
    for row in tables.health {
        if let Some(&place) = places.get(&row.arm) {
            arms[place].health.push(row);
        }
    }
    for row in tables.predictions {
        if let Some(&place) = places.get(&row.arm) {
            arms[place].predictions.push(row);
        }
    }
    arms
}
