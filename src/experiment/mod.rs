//! Experiments: the file, the arms, the loop, the result folder.

pub mod arm;
pub mod config;
mod diagnose;
pub mod folder;
pub mod grammar;
mod load;
pub mod model;
pub mod outline;
mod prepare;
pub mod record;
mod replicate;
mod roles;
mod run;
pub mod search;
mod watch;
pub mod workload;

pub use config::Experiment;
pub use folder::{Folder, Manifest, Tables};
pub use load::{Document, Loaded, Opened, ROOTS, dialect, load, open, parse, parse_as, to_text};
pub use model::Model;
pub use prepare::{Plan, Study, bytes_text, grouped};
pub use record::ResultRow;
pub use replicate::grid;
pub use roles::roles;
pub use run::{Run, RunOptions, available_threads, processor, run};
pub use search::{SearchRun, SearchStudy, TopologySearch, run_search};
pub use watch::{Event, Unwatched, Watch};
