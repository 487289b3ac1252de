//! The report of a recipe search: reads what the search left behind, runs nothing.

mod analysis;
mod convergence;
mod page;
#[cfg(test)]
mod tests;
mod words;

pub use analysis::{NumberRow, RecipeAnalysis, is_recipe_search};
pub use page::write;
pub use words::{headlines, summary_text};
