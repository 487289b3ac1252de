//! From the suite file to its cells: experiments of one task with one trainer.

use super::choose::{choices, targets};
use super::config::{Role, Suite};
use super::table::{Phase, SuiteRow};
use crate::error::{Error, Result};
use crate::experiment::config::SCHEMA;
use crate::experiment::config::{ArmConfig, Budget, Experiment, Name, Seeds, Statistics};
use crate::experiment::prepare::{Study, check_seeds};
use crate::task::DataFile;
use crate::values::Positive;
use std::path::{Path, PathBuf};

/// Experiment of one task with one trainer in one phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Phase.
    pub phase: Phase,
    /// Index of the task.
    pub task: usize,
    /// Index of the trainer.
    pub trainer: usize,
    /// Indices of the arms.
    pub arms: Vec<usize>,
    /// Target losses; none in the pilot.
    pub targets: Vec<f64>,
}

/// A suite whose tasks, trainers and arms go together.
#[derive(Debug)]
pub struct SuiteStudy {
    /// What was asked.
    pub suite: Suite,
    /// Folder that relative paths of data files start from.
    pub folder: PathBuf,
    /// Data files of all tasks.
    pub files: Vec<DataFile>,
    seeds: [Vec<u64>; 3],
}

/// What a suite will take at most, worked out before anything is run.
#[derive(Clone, Debug, PartialEq)]
pub struct SuitePlan {
    /// Runs: arms times tasks, trainers and seeds.
    pub runs: usize,
    /// Multiply-adds of all runs on each task. A run that reaches its last target early takes less.
    pub multiply_adds: Vec<f64>,
    /// Bytes at the peak, on this many threads.
    pub bytes: u128,
}

impl SuiteStudy {
    /// Checks that everything goes together. Relative paths start at `folder`.
    ///
    /// # Errors
    /// Anything that does not, with the way out.
    pub fn new(suite: Suite, folder: &Path) -> Result<SuiteStudy> {
        let seeds = [&suite.pilot.seeds, &suite.selection, &suite.seeds].map(check_seeds);
        let [pilot, selection, results] = seeds;
        let seeds = [pilot?, selection?, results?];
        check(&suite, &seeds)?;
        let suite = crate::experiment::recipes::resolve(suite, folder)?;
        let mut study = SuiteStudy { suite, folder: folder.to_owned(), files: Vec::new(), seeds };
        let all: Vec<usize> = (0..study.suite.arms.len()).collect();
        for task in 0..study.suite.tasks.len() {
            for trainer in 0..study.suite.trainers.len() {
                let cell = Cell { phase: Phase::Selection, task, trainer, arms: all.clone(), targets: vec![1.0] };
                let built = study.study(&cell).and_then(|cell| cell.plan(1).map(|_| cell));
                let cell = built.map_err(|error| error.note(format!("in {}", study.name(&cell))))?;
                if trainer == 0 {
                    study.files.extend(cell.dataset.files);
                }
            }
        }
        Ok(study)
    }

    /// Seeds of a phase.
    pub fn seeds(&self, phase: Phase) -> &[u64] {
        &self.seeds[phase as usize]
    }

    /// Name of a cell: phase, task, trainer.
    pub fn name(&self, cell: &Cell) -> String {
        let (task, trainer) = (&self.suite.tasks[cell.task].name, &self.suite.trainers[cell.trainer].name);
        format!("{}.{task}.{trainer}", cell.phase.name())
    }

    /// The cells of a phase, from the rows of the phases before it.
    ///
    /// # Errors
    /// `P0161` for a task on which the pilot reached no finite loss.
    pub fn cells(&self, phase: Phase, rows: &[SuiteRow]) -> Result<Vec<Cell>> {
        let suite = &self.suite;
        let (tasks, trainers) = (suite.tasks.len(), suite.trainers.len());
        if phase == Phase::Pilot {
            let arms: Vec<usize> =
                (0..suite.arms.len()).filter(|arm| suite.arms[*arm].name == suite.pilot.arm).collect();
            let cell = |task| Cell { phase, task, trainer: 0, arms: arms.clone(), targets: Vec::new() };
            return Ok((0..tasks).map(cell).collect());
        }
        let chosen = if phase == Phase::Final { choices(suite, rows) } else { Vec::new() };
        let mut cells = Vec::new();
        for task in 0..tasks {
            let name = suite.tasks[task].name.as_str();
            let targets = targets(suite, name, rows);
            if targets.iter().any(|target| !target.is_finite()) {
                let message = format!("the pilot has no finite training loss of \"{name}\" that could be a target");
                return Err(Error::experiment("P0161", message)
                    .note(format!("its arm is \"{}\"", suite.pilot.arm))
                    .help("name later `passes`, another `arm`, or a trainer that does not diverge there"));
            }
            for trainer in 0..trainers {
                let takes_part = |arm: &usize| {
                    phase == Phase::Selection
                        || chosen
                            .iter()
                            .any(|choice| (choice.task, choice.trainer, choice.arm) == (task, trainer, *arm))
                };
                let arms: Vec<usize> = (0..suite.arms.len()).filter(takes_part).collect();
                if !arms.is_empty() {
                    cells.push(Cell { phase, task, trainer, arms, targets: targets.clone() });
                }
            }
        }
        Ok(cells)
    }

    /// The cell as an experiment, which can be run alone to see every curve. It spends its whole budget there.
    pub fn experiment(&self, cell: &Cell) -> Experiment {
        let suite = &self.suite;
        let arm = |arm: &usize| {
            let arm = &suite.arms[*arm];
            ArmConfig::new(arm.name.clone(), arm.method.clone())
        };
        let candidates = cell.arms.iter().map(|arm| &suite.arms[*arm]).filter(|arm| arm.role == Role::Candidate);
        let statistics = Statistics {
            candidates: candidates.map(|arm| arm.name.clone()).collect(),
            targets: cell.targets.iter().filter_map(|target| Positive::new(*target).ok()).collect(),
            ..Statistics::default()
        };
        Experiment {
            schema: SCHEMA,
            name: Name::try_from(self.name(cell)).expect("checked when the suite was read"),
            notes: format!("A cell of the suite \"{}\".", suite.name),
            seeds: Seeds::List(self.seeds(cell.phase).to_vec()),
            task: suite.tasks[cell.task].task.clone(),
            network: suite.tasks[cell.task].network.clone(),
            train: suite.trainers[cell.trainer].train.clone(),
            arms: cell.arms.iter().map(arm).collect(),
            budget: suite.budget,
            statistics,
            report: Default::default(),
            checkpoint: Default::default(),
            audit: None,
            reference: None,
        }
    }

    /// The cell ready to run: its runs end at the last target.
    ///
    /// # Errors
    /// As [`Study::new`].
    pub fn study(&self, cell: &Cell) -> Result<Study> {
        let mut study = Study::new(self.experiment(cell), &self.folder)?;
        study.until_loss = cell.targets.iter().copied().reduce(f64::min);
        Ok(study)
    }

    /// All arms on a task with the first trainer: what a cell of it is like.
    ///
    /// # Errors
    /// As [`Study::new`].
    pub fn sample(&self, task: usize) -> Result<Study> {
        let arms = (0..self.suite.arms.len()).collect();
        self.study(&Cell { phase: Phase::Selection, task, trainer: 0, arms, targets: vec![1.0] })
    }

    /// What the suite will take at most on `threads` threads.
    ///
    /// # Errors
    /// As [`Study::plan`].
    pub fn plan(&self, threads: usize) -> Result<SuitePlan> {
        let suite = &self.suite;
        let (arms, trainers) = (suite.arms.len(), suite.trainers.len());
        let controls = suite.arms.iter().filter(|arm| arm.role != Role::Candidate).count();
        // A contender may need another arm for each target.
        let finalists = (controls * trainers).min(3 * suite.pilot.passes.len())
            + (arms - controls) * trainers.min(suite.pilot.passes.len());
        let [pilot, selection, results] = [Phase::Pilot, Phase::Selection, Phase::Final].map(|phase| self.seeds(phase));
        let each = pilot.len() + arms * trainers * selection.len() + finalists * results.len();
        let mut plan = SuitePlan { runs: each * suite.tasks.len(), multiply_adds: Vec::new(), bytes: 0 };
        for task in 0..suite.tasks.len() {
            let cell = self.sample(task)?.plan(threads)?;
            plan.multiply_adds.push(cell.budget as f64 * each as f64);
            plan.bytes = plan.bytes.max(cell.bytes);
        }
        // Rows of the table, and their text.
        plan.bytes += 500 * (plan.runs * suite.pilot.passes.len()) as u128;
        Ok(plan)
    }

    /// What a reader of the report should know before its numbers.
    pub fn notes(&self) -> Vec<String> {
        let suite = &self.suite;
        let seeds = |phase| self.seeds(phase).len();
        vec![format!(
            "Targets: median training losses of {} after {} training passes at {} pilot seeds. Finalists: the least \
             expected cost at {} selection seeds. Results: {} seeds that nothing was chosen on.",
            suite.pilot.arm,
            suite.pilot.passes.iter().map(|passes| passes.get().to_string()).collect::<Vec<_>>().join(", "),
            seeds(Phase::Pilot),
            seeds(Phase::Selection),
            seeds(Phase::Final),
        )]
    }
}

fn check(suite: &Suite, seeds: &[Vec<u64>; 3]) -> Result<()> {
    let mut errors = Vec::new();
    let mut names = |what: &str, list: Vec<&Name>| {
        if list.is_empty() {
            errors.push(Error::experiment("P0121", format!("`{what}` is empty")).help("name one at least"));
        }
        for (index, name) in list.iter().enumerate() {
            if list[..index].contains(name) {
                let message = format!("two entries of `{what}` are called \"{name}\"");
                errors.push(Error::experiment("P0107", message).help("give each its own name"));
            }
        }
    };
    names("tasks", suite.tasks.iter().map(|task| &task.name).collect());
    names("trainers", suite.trainers.iter().map(|trainer| &trainer.name).collect());
    names("arms", suite.arms.iter().map(|arm| &arm.name).collect());
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        if let Some(seed) = seeds[a].iter().find(|seed| seeds[b].contains(seed)) {
            let phases = ["pilot.seeds", "selection", "seeds"];
            let message = format!("seed {seed} is in `{}` and in `{}`", phases[a], phases[b]);
            errors.push(
                Error::experiment("P0160", message)
                    .note("what is chosen on a seed looks better there than it is")
                    .help("give the three phases seeds that have nothing in common"),
            );
        }
    }
    for (role, one) in [(true, "Candidate"), (false, "Classic")] {
        if !suite.arms.is_empty() && suite.arms.iter().all(|arm| (arm.role == Role::Candidate) != role) {
            let message = format!("no arm has the role `{one}`");
            errors.push(Error::experiment("P0160", message).help("a suite compares candidates with controls"));
        }
    }
    for arm in suite.arms.iter().filter(|arm| arm.method.refers_to().is_some()) {
        errors.push(
            Error::experiment(
                "P0160",
                format!("arm \"{}\" refers to another arm, which may not be a finalist", arm.name),
            )
            .help("run it in an experiment of its own"),
        );
    }
    if !suite.arms.is_empty() && suite.arms.iter().all(|arm| arm.name != suite.pilot.arm) {
        let names: Vec<String> = suite.arms.iter().map(|arm| arm.name.to_string()).collect();
        let message = format!("`pilot.arm: \"{}\"` is no arm of this suite", suite.pilot.arm);
        errors.push(Error::experiment("P0160", message).help(format!("arms are {}", names.join(", "))));
    }
    let passes: Vec<f64> = suite.pilot.passes.iter().map(|passes| passes.get()).collect();
    if passes.is_empty() || passes.windows(2).any(|pair| pair[0] >= pair[1]) {
        errors.push(
            Error::experiment("P0160", "`pilot.passes` must be numbers that ascend, one at least")
                .help("write `passes: [300, 1000, 3000]`"),
        );
    }
    if let (Budget::TrainingPasses(budget), Some(last)) = (suite.budget, passes.last())
        && budget.get() < *last
    {
        let message = format!("the pilot's last target lies at {last} passes, and the budget is {}", budget.get());
        errors.push(Error::experiment("P0160", message).help("raise `budget`: three times the last target is usual"));
    }
    for task in &suite.tasks {
        for trainer in &suite.trainers {
            if Name::try_from(format!("selection.{}.{}", task.name, trainer.name)).is_err() {
                let message = format!("\"{}\" and \"{}\" are too long together", task.name, trainer.name);
                errors.push(Error::experiment("P0160", message).help("together they may have 53 letters"));
            }
        }
    }
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
