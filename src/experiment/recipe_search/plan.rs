//! From the file of a recipe search to its parts: two suites, the numbers that are searched, and where the search begins.

use super::config::RecipeSearch;
use crate::error::{Error, Result};
use crate::evolve::strategy::population_size;
use crate::experiment::arm::{Method, Random};
use crate::experiment::config::{Name, Network, SCHEMA, Seeds};
use crate::experiment::prepare::check_seeds;
use crate::experiment::suite::config::{Pilot, SuiteArm};
use crate::experiment::suite::{Phase, Role, Suite, SuitePlan, SuiteStudy};
use crate::math::Activation;
use crate::task::DataFile;
use crate::train::Initializer;
use crate::train::initializer::{Field, Recipe, RecipeFamily};
use crate::values::{Count, Probability};
use std::path::{Path, PathBuf};

/// Folder of the test within the result folder.
pub const TEST: &str = "test";

/// A recipe search whose parts go together.
#[derive(Debug)]
pub struct RecipeStudy {
    /// What was asked.
    pub document: RecipeSearch,
    /// Folder that relative paths of data files start from.
    pub folder: PathBuf,
    /// The hidden units of all tasks.
    pub units: Activation,
    /// The numbers where the searches begin.
    pub start: Vec<f64>,
    /// Those of them that are searched, because they make a difference on the training tasks.
    pub searched: Vec<usize>,
    /// The training tasks, with the control as the only arm that counts.
    pub training: SuiteStudy,
    /// The test as it would be if the start were found.
    pub test: SuiteStudy,
    /// Seeds of the searches.
    pub seeds: Vec<u64>,
}

/// What a recipe search will take at most, worked out before anything is run.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipePlan {
    /// Runs of pilot, searches and validation.
    pub runs: usize,
    /// Vectors in a generation.
    pub population: usize,
    /// Multiply-adds of these runs on each training task. A run that reaches its last target early takes less.
    pub multiply_adds: Vec<f64>,
    /// The test.
    pub test: SuitePlan,
    /// Bytes at the peak.
    pub bytes: u128,
}

impl RecipeStudy {
    /// Checks that everything goes together. Relative paths start at `folder`.
    ///
    /// # Errors
    /// Anything that does not, with the way out.
    pub fn new(document: RecipeSearch, folder: &Path) -> Result<RecipeStudy> {
        let document = crate::experiment::recipes::resolve(document, folder)?;
        let (seeds, units) = (seeds(&document), units(&document));
        let mut errors: Vec<Error> = Vec::new();
        let mut note = |error: Option<Error>| errors.extend(error);
        note(seeds.as_ref().err().cloned());
        note(units.as_ref().err().cloned());
        for task in &document.test.tasks {
            if document.tasks.iter().any(|own| own.task == task.task) {
                let message = format!("\"{}\" is a task of `test`, and the search trains on it", task.name);
                note(Some(
                    Error::experiment("P0160", message)
                        .note("what was evolved on a task looks better there than it is")
                        .help("name other tasks, or the same kind of problem with another `seed`"),
                ));
            }
        }
        if let Some(error) = Error::all(errors) {
            return Err(error);
        }
        let (seeds, units) = (seeds?, units?);
        let start = start(&document, units)?;
        let searched = searched(&document);
        let training = SuiteStudy::new(training_suite(&document)?, folder)?;
        let begun = document.family.recipe(&start, units)?;
        let test = SuiteStudy::new(test_suite(&document, begun)?, folder).map_err(|error| error.note("in `test`"))?;
        Ok(RecipeStudy { document, folder: folder.to_owned(), units, start, searched, training, test, seeds })
    }

    /// What the family's numbers may be.
    pub fn fields(&self) -> &'static [Field] {
        self.document.family.fields()
    }

    /// The numbers that lie these steps away from the start.
    pub fn numbers(&self, steps: &[f64]) -> Vec<f64> {
        let mut numbers = self.start.clone();
        for (&place, steps) in self.searched.iter().zip(steps) {
            numbers[place] = self.fields()[place].moved(self.start[place], *steps);
        }
        numbers
    }

    /// The start with these numbers.
    ///
    /// # Errors
    /// Numbers that may not be (`P0121`).
    pub fn scheme(&self, numbers: &[f64]) -> Result<Initializer> {
        Ok(Initializer::Recipe(self.document.family.recipe(numbers, self.units)?))
    }

    /// The test of these numbers.
    ///
    /// # Errors
    /// As [`RecipeStudy::new`].
    pub fn test_of(&self, numbers: &[f64]) -> Result<SuiteStudy> {
        let found = self.document.family.recipe(numbers, self.units)?;
        SuiteStudy::new(test_suite(&self.document, found)?, &self.folder)
    }

    /// Validation seeds.
    pub fn validation(&self) -> &[u64] {
        self.training.seeds(Phase::Selection)
    }

    /// Data files of all tasks.
    pub fn files(&self) -> Vec<DataFile> {
        [&self.training.files[..], &self.test.files].concat()
    }

    /// Runs in which one recipe is scored at so many seeds.
    pub fn runs_of(&self, seeds: usize) -> usize {
        self.document.tasks.len() * self.document.trainers.len() * seeds
    }

    /// What the search will take at most on `threads` threads.
    ///
    /// # Errors
    /// As [`SuiteStudy::plan`].
    pub fn plan(&self, threads: usize) -> Result<RecipePlan> {
        let document = &self.document;
        let evolution = &document.evolution;
        let population = population_size(evolution.population, self.searched.len())?;
        let scored = self.seeds.len() * evolution.generations.get() * (population + 1);
        // The control, the start, the searches, and at most four simpler values of each number.
        let validated = 2 + self.seeds.len() + 4 * self.searched.len();
        let tasks = document.tasks.len();
        let each = self.training.seeds(Phase::Pilot).len()
            + (self.runs_of(evolution.seeds.get()) * scored + self.runs_of(self.validation().len()) * validated)
                / tasks;
        let test = self.test.plan(threads)?;
        let mut plan =
            RecipePlan { runs: each * tasks, population, multiply_adds: Vec::new(), bytes: test.bytes, test };
        let (mut largest, mut data) = (0, 0);
        for task in 0..tasks {
            let sample = self.training.sample(task)?;
            let cell = sample.plan(1)?;
            plan.multiply_adds.push(cell.budget as f64 * each as f64);
            largest = largest.max(cell.bytes);
            data += 8 * (sample.dataset.rows() * (sample.dataset.features() + 1) * document.trainers.len()) as u128;
        }
        // Every thread may have a run of its own, whatever the seeds are, and all tasks are ready all the time.
        plan.bytes = plan.bytes.max(largest * threads as u128 + data);
        Ok(plan)
    }

    /// What a reader of the report should know before its numbers.
    pub fn notes(&self) -> Vec<String> {
        let count = |phase| self.training.seeds(phase).len();
        vec![format!(
            "Scores: mean logarithm of the expected cost to a target by that of the control. Targets from {} pilot seeds; \
             {} fresh seeds in each generation; searches compared and numbers pruned at {} validation seeds.",
            count(Phase::Pilot),
            self.document.evolution.seeds.get(),
            count(Phase::Selection),
        )]
    }
}

/// The control as an arm of the training suite.
pub(super) const CONTROL: &str = "control";

fn arm(name: &str, role: Role, scheme: Initializer) -> Result<SuiteArm> {
    let name = Name::try_from(name.to_owned()).map_err(|message| Error::experiment("P0121", message))?;
    Ok(SuiteArm { name, role, method: Method::Random(Random { scheme }) })
}

/// The training tasks as a suite: its pilot is the search's, its selection the validation.
fn training_suite(document: &RecipeSearch) -> Result<Suite> {
    let control = arm(CONTROL, Role::Classic, document.control.clone())?;
    let published = arm("published", Role::Candidate, Initializer::Recipe(document.family.published()))?;
    let pilot = &document.pilot;
    Ok(Suite {
        schema: SCHEMA,
        name: document.name.clone(),
        notes: String::new(),
        tasks: document.tasks.clone(),
        trainers: document.trainers.clone(),
        pilot: Pilot { arm: control.name.clone(), seeds: pilot.seeds.clone(), passes: pilot.passes.clone() },
        arms: vec![control, published],
        budget: document.budget,
        selection: document.validation.seeds.clone(),
        seeds: document.seeds.clone(),
        margin: document.test.margin,
        confidence: Probability::new(0.95)?,
        bootstrap: Count::new(9999)?,
    })
}

/// Names that the test gives to arms of its own.
const OWN: [&str; 3] = ["found", "recipe-simple", "recipe-v1"];

fn test_suite(document: &RecipeSearch, found: Recipe) -> Result<Suite> {
    let test = &document.test;
    if let Some(taken) = test.arms.iter().find(|arm| OWN.contains(&arm.name.as_str())) {
        return Err(Error::experiment("P0160", format!("an arm of `test` is called \"{}\"", taken.name))
            .note("the found recipe, `Recipe(Simple)` and `Recipe(V1)` come to the test under these names")
            .help("take it out, or give it another name"));
    }
    let mut arms = test.arms.clone();
    for (name, recipe) in OWN.into_iter().zip([found, Recipe::Simple, Recipe::V1]) {
        arms.push(arm(name, Role::Candidate, Initializer::Recipe(recipe))?);
    }
    let name = Name::try_from(format!("{}-test", document.name)).map_err(|_| {
        Error::experiment("P0160", format!("the `name` \"{}\" is too long", document.name))
            .help("it may have 59 letters")
    })?;
    Ok(Suite {
        schema: SCHEMA,
        name,
        notes: format!("Does the recipe that \"{}\" found serve tasks that it was not evolved on?", document.name),
        tasks: test.tasks.clone(),
        trainers: if test.trainers.is_empty() { document.trainers.clone() } else { test.trainers.clone() },
        arms,
        budget: test.budget.unwrap_or(document.budget),
        pilot: test.pilot.clone(),
        selection: test.selection.clone(),
        seeds: test.seeds.clone(),
        margin: test.margin,
        confidence: Probability::new(0.95)?,
        bootstrap: Count::new(9999)?,
    })
}

/// Seeds of the searches; no two lists of seeds have one in common.
fn seeds(document: &RecipeSearch) -> Result<Vec<u64>> {
    let test = &document.test;
    let lists: [(&str, &Seeds); 6] = [
        ("seeds", &document.seeds),
        ("pilot.seeds", &document.pilot.seeds),
        ("validation.seeds", &document.validation.seeds),
        ("test.pilot.seeds", &test.pilot.seeds),
        ("test.selection", &test.selection),
        ("test.seeds", &test.seeds),
    ];
    let mut errors = Vec::new();
    let mut seen: Vec<(&str, Vec<u64>)> = Vec::new();
    for (name, seeds) in lists {
        match check_seeds(seeds) {
            Ok(list) => {
                let common = seen.iter().find_map(|(other, before)| {
                    list.iter().find(|seed| before.contains(seed)).map(|seed| (*other, *seed))
                });
                if let Some((other, seed)) = common {
                    errors.push(
                        Error::experiment("P0160", format!("seed {seed} is in `{other}` and in `{name}`"))
                            .note("what is chosen on a seed looks better there than it is")
                            .help("give searches, pilots, validation, selection and results seeds of their own"),
                    );
                }
                seen.push((name, list));
            }
            Err(error) => errors.push(error.note(format!("in `{name}`"))),
        }
    }
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(seen.swap_remove(0).1),
    }
}

/// The kind of unit that all hidden layers of all tasks are made of.
fn units(document: &RecipeSearch) -> Result<Activation> {
    let mut first: Option<(Activation, &Name)> = None;
    for task in document.tasks.iter().chain(&document.test.tasks) {
        let Network::Mlp { hidden, .. } = &task.network;
        if hidden.is_empty() {
            let message = format!("\"{}\" has no hidden layer, and recipes are for those", task.name);
            return Err(Error::experiment("P0160", message).help("give it one: `hidden: [(units: 12)]`"));
        }
        for layer in hidden {
            if !matches!(layer.activation, Activation::Tanh | Activation::Relu) {
                let found = layer.activation;
                let message = format!("\"{}\" has hidden units of {found:?}", task.name);
                return Err(Error::experiment("P0160", message).help("recipes are for Tanh and Relu: name one of them"));
            }
            let (units, name) = *first.get_or_insert((layer.activation, &task.name));
            if units != layer.activation {
                let found = layer.activation;
                let message = format!(
                    "\"{}\" has hidden units of {found:?}, and a task before it, \"{name}\", has {units:?}",
                    task.name
                );
                return Err(Error::experiment("P0160", message)
                    .note("the numbers of one kind of unit are searched, and tested on it")
                    .help("give all hidden layers one `activation`, Tanh or Relu, and the other a search of its own"));
            }
        }
    }
    first.map(|(units, _)| units).ok_or_else(|| {
        Error::experiment("P0121", "`tasks` is empty").help("name several: a recipe that fits one task serves no other")
    })
}

/// The numbers where the searches begin.
fn start(document: &RecipeSearch, units: Activation) -> Result<Vec<f64>> {
    let family = document.family;
    let published = Initializer::Recipe(family.published());
    let scheme = document.start.as_ref().unwrap_or(&published);
    let numbers = match scheme {
        Initializer::Recipe(recipe) => family.numbers(recipe, units),
        _ => None,
    };
    let numbers = numbers.ok_or_else(|| {
        let message = format!("`start` is no recipe of the family {}", family.name());
        let help = match family {
            RecipeFamily::Simple => "write `start: Recipe(Simple)`, or `family: V1`, which contains both",
            RecipeFamily::V1 => "write `start: Recipe(V1)`, `Recipe(Simple)`, or a `File` of one of them",
        };
        Error::experiment("P0160", message).help(help)
    })?;
    family.recipe(&numbers, units)?;
    Ok(numbers)
}

/// Numbers without which the training tasks would be the same are no part of the search.
fn searched(document: &RecipeSearch) -> Vec<usize> {
    let depth = |network: &Network| match network {
        Network::Mlp { hidden, .. } => hidden.len(),
    };
    let deeper = document.tasks.iter().any(|task| depth(&task.network) > 1);
    let classes = document.tasks.iter().any(|task| task.task.is_classification());
    let matters =
        |field: &Field| (deeper || !field.name.starts_with("deeper_")) && (classes || field.name != "output_scale");
    let fields = document.family.fields().iter().enumerate();
    fields.filter(|(_, field)| matters(field)).map(|(place, _)| place).collect()
}
