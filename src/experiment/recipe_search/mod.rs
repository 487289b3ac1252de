//! Recipe searches: the numbers of an initializer, evolved on training tasks and tested on others.

pub mod config;
mod plan;
mod run;
mod score;
mod search;
pub mod table;
#[cfg(test)]
mod tests;
mod validate;

pub use config::RecipeSearch;
pub use plan::{RecipePlan, RecipeStudy, TEST};
pub use run::{RecipeAgain, RecipeRun, again, resume_recipe_search, run_recipe_search, standing};
pub use table::{RecipeTables, SearchRow, ValidationRow};
