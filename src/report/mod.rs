//! Reports: statistics, plots and pages of a result folder. Reads what a run left behind, runs nothing.
//!
//! [`write()`] makes the whole report of a folder, [`analyse`] only the numbers. [`summary_text`] and [`words`] say what
//! came out, in the words of [`Conclusion`](crate::math::statistics::Conclusion); [`compare`] holds arms of several
//! folders against each other.
//!
//! ```no_run
//! use precocial::experiment::Folder;
//! use precocial::report::{ReportOptions, summary_text, write};
//!
//! let analysis = write(&Folder::at("results/iris-1"), &ReportOptions::default())?;
//! println!("{}", summary_text(&analysis));
//! for compared in analysis.findings.deciding_verdicts() {
//!     println!("{} against {}: {:?}", compared.arm, compared.control, compared.verdict.conclusion);
//! }
//! # Ok::<(), precocial::Error>(())
//! ```

mod analysis;
mod audit;
mod band;
mod break_even;
mod compare;
mod corrections;
pub mod figure;
mod findings;
#[cfg(test)]
mod fixture;
mod json_lines;
mod lineage;
mod number;
mod page;
pub mod performance;
pub mod plot;
pub mod recipe_search;
mod reference;
mod reproduce;
pub mod search;
pub mod suite;
mod targets;
pub mod tensorboard;
mod text;
mod verdict;
mod warnings;
pub mod weights;
mod write;

pub use analysis::{Analysis, Arm, Models, Run, analyse};
pub use band::MedianBand;
pub use break_even::BreakEven;
pub use compare::{CompareOptions, Comparison, compare};
pub use findings::{ArmSummary, Compared, Estimate, Findings, TargetSummary};
pub use targets::{Target, best_loss, cost_to};
pub use text::{summary_text, wrap};
pub use verdict::{Words, sentence, words};
pub use warnings::warnings;
pub use write::{ReportOptions, write, write_analysis};
