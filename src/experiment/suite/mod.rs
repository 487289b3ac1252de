//! Suites: arms on many tasks, with targets and finalists chosen on other seeds than those of the results.

mod choose;
pub mod config;
mod plan;
mod run;
pub mod table;
#[cfg(test)]
mod tests;

pub use choose::{Choice, Contender, choices, expected, targets};
pub use config::{Role, Suite};
pub use plan::{Cell, SuitePlan, SuiteStudy};
pub use run::{SuiteRun, again, resume_suite, run_suite, standing};
pub(in crate::experiment) use run::{reached, run_cell};
pub use table::{Phase, SuiteRow, SuiteTables};
