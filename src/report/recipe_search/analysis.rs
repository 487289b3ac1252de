//! The results of a recipe search, laid out for its report.

use crate::error::{Error, Result};
use crate::experiment::config::Network;
use crate::experiment::recipe_search::{RecipeSearch, RecipeTables, SearchRow, TEST, ValidationRow};
use crate::experiment::{Document, Folder, Manifest, Opened, open};
use crate::math::Activation;
use crate::report::suite::SuiteAnalysis;
use crate::train::initializer::{Recipe, RecipeFamily};

/// Everything that the report of a recipe search tells and draws.
#[derive(Clone, Debug)]
pub struct RecipeAnalysis {
    /// What was asked.
    pub document: RecipeSearch,
    /// On what it was run, and how it ended.
    pub manifest: Manifest,
    /// Its tables.
    pub tables: RecipeTables,
    /// What became of each number.
    pub numbers: Vec<NumberRow>,
    /// The test, once it is whole.
    pub test: Option<SuiteAnalysis>,
}

/// A number, from where the searches began to where it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberRow {
    /// Its name.
    pub name: &'static str,
    /// In `Recipe(Simple)`, as this family has it.
    pub simple: Option<f64>,
    /// In `Recipe(V1)`, if the family contains it.
    pub v1: Option<f64>,
    /// Where each search ended.
    pub searches: Vec<f64>,
    /// In the best search, or the start if none was better.
    pub best: f64,
    /// In the recipe that was written.
    pub found: f64,
    /// What made it simpler, and what that cost: a difference of scores.
    pub simpler: Option<(String, f64)>,
}

/// Whether the folder holds a recipe search.
pub fn is_recipe_search(folder: &Folder) -> bool {
    folder.manifest().is_ok_and(|manifest| manifest.kind == RecipeSearch::ROOT)
}

impl RecipeAnalysis {
    /// Reads a recipe search's folder and that of its test; runs nothing.
    ///
    /// # Errors
    /// `P0305` for a folder without results or of a search that has not found anything yet, `P0304` for a damaged table.
    pub fn read(folder: &Folder) -> Result<RecipeAnalysis> {
        let manifest = folder.manifest()?;
        let tables = RecipeTables::load(folder.path())?;
        let resolved = folder.path().join("experiment.resolved.ron");
        let Opened::Recipe(loaded) = open(&resolved)? else {
            return Err(Error::data("P0304", "this copy of the recipe search is none").in_file(&resolved));
        };
        if tables.found().is_none() {
            let path = folder.path().display();
            return Err(
                Error::data("P0305", format!("{path} holds no recipe yet")).help(format!("precocial resume {path}"))
            );
        }
        let test = Folder::at(folder.path().join(TEST));
        // Half of a test says nothing.
        let whole = test.path().join("results.csv").is_file();
        let test = if whole { Some(SuiteAnalysis::read(&test)?) } else { None };
        RecipeAnalysis::new(loaded.experiment, manifest, tables, test)
    }

    /// Lays out tables that are already in memory.
    ///
    /// # Errors
    /// `P0304` for tables of another family.
    pub fn new(
        document: RecipeSearch,
        manifest: Manifest,
        tables: RecipeTables,
        test: Option<SuiteAnalysis>,
    ) -> Result<RecipeAnalysis> {
        let fields = document.family.fields();
        let fit = tables.validation.iter().map(|row| row.numbers.len());
        let fit = fit.chain(tables.search.iter().map(|row| row.numbers.len())).all(|count| count == fields.len());
        let (Some(best), Some(found), true) = (tables.validation.iter().find(|row| row.kept), tables.found(), fit)
        else {
            return Err(Error::data("P0304", "the tables do not belong to this recipe search")
                .help("copy the folder again from where it came from"));
        };
        let units = units(&document);
        let published = |recipe: Recipe| document.family.numbers(&recipe, units);
        let (simple, v1) = (published(Recipe::Simple), published(Recipe::V1));
        let ends: Vec<&SearchRow> = searches(&document, &tables).filter_map(|rows| rows.last().copied()).collect();
        let row = |(place, name): (usize, &'static str)| {
            let step = tables.validation.iter().find(|row| row.kept && row.step == name);
            NumberRow {
                name,
                simple: simple.as_ref().map(|numbers| numbers[place]),
                v1: v1.as_ref().map(|numbers| numbers[place]),
                searches: ends.iter().map(|row| row.numbers[place]).collect(),
                best: best.numbers[place],
                found: found.numbers[place],
                simpler: step.map(|row| (row.what.clone(), row.price)),
            }
        };
        let numbers = fields.iter().map(|field| field.name).enumerate().map(row).collect();
        Ok(RecipeAnalysis { document, manifest, tables, numbers, test })
    }

    /// The rows of each search.
    pub fn searches(&self) -> impl Iterator<Item = Vec<&SearchRow>> {
        searches(&self.document, &self.tables)
    }

    /// The recipe that was best before it was made simpler.
    pub fn best(&self) -> Option<&ValidationRow> {
        self.tables.validation.iter().find(|row| row.kept)
    }

    /// The start at the validation seeds.
    pub fn start(&self) -> Option<&ValidationRow> {
        self.tables.validation.iter().find(|row| row.what == "start")
    }

    /// Name of the control.
    pub fn control(&self) -> String {
        crate::experiment::dialect().to_string(&self.document.control).unwrap_or_default().replace(',', ", ")
    }

    /// `tanh` or `ReLU`.
    pub fn units(&self) -> &'static str {
        if units(&self.document) == Activation::Tanh { "tanh" } else { "ReLU" }
    }

    /// Whether the family contains `Recipe(V1)`.
    pub fn has_v1(&self) -> bool {
        self.document.family == RecipeFamily::V1
    }
}

fn searches<'a>(
    document: &RecipeSearch,
    tables: &'a RecipeTables,
) -> impl Iterator<Item = Vec<&'a SearchRow>> + use<'a> {
    document.seeds.to_vec().into_iter().map(|seed| tables.search.iter().filter(|row| row.search == seed).collect())
}

/// All hidden layers have the same, which was checked before the search ran.
fn units(document: &RecipeSearch) -> Activation {
    let layers = document.tasks.iter().flat_map(|task| match &task.network {
        Network::Mlp { hidden, .. } => hidden,
    });
    layers.map(|layer| layer.activation).next().unwrap_or(Activation::Tanh)
}
