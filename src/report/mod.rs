//! Reports: statistics, plots and pages of a result folder. Reads what a run left behind, runs nothing.

mod analysis;
mod band;
mod break_even;
mod compare;
pub mod figure;
mod findings;
mod number;
mod page;
pub mod plot;
mod targets;
mod text;
mod verdict;
mod warnings;
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
