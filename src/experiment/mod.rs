//! Experiments: the file, the arms, the loop, the result folder.

pub mod analyze;
pub mod arm;
pub mod audit;
pub mod checkpoint;
pub mod config;
mod diagnose;
pub mod export;
pub mod folder;
pub mod grammar;
pub mod import;
mod load;
pub mod model;
pub mod outline;
mod prepare;
mod probe;
pub mod recipe_search;
mod recipes;
pub mod record;
mod replicate;
mod resume;
mod roles;
mod run;
pub mod search;
pub mod suite;
#[cfg(test)]
mod tests;
mod verify;
mod watch;
pub mod workload;

pub use analyze::{AnalyzeOptions, ModelRows, WeightAnalysis, analyze, analyze_model};
pub use config::Experiment;
pub use folder::{Folder, Manifest, Tables};
pub use load::{Document, Loaded, Opened, ROOTS, dialect, load, open, parse, parse_as, to_text};
pub use model::Model;
pub use prepare::{Plan, Study, bytes_text, grouped};
pub use probe::{PROBE, probe};
pub use recipe_search::{RecipeRun, RecipeSearch, RecipeStudy, resume_recipe_search, run_recipe_search};
pub use record::ResultRow;
pub use replicate::grid;
pub use resume::{Reopened, Resumable, Standing};
pub use roles::roles;
pub use run::{Run, RunOptions, available_threads, processor, resume, run};
pub use search::{SearchRun, SearchStudy, TopologySearch, resume_search, run_search};
pub use suite::{Suite, SuiteRun, SuiteStudy, resume_suite, run_suite};
pub use verify::{Verified, verify};
pub use watch::{Event, Unwatched, Watch};
