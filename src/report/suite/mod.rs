//! The report of a suite: reads what a campaign left behind, runs nothing.

mod analysis;
mod page;
pub mod picture;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use analysis::{
    Against, Compared, Costs, Finalist, Findings, Overall, Standing, SuiteAnalysis, TrainerUse, is_suite,
};
pub(super) use page::listed;
pub(super) use words::{against_words, ratio_words};
pub use words::{headlines, summary_text};
pub use write::write;
