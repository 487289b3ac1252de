//! The report of an analysis of weights: draws and tells what [`analyze`](crate::experiment::analyze()) computed, and
//! computes no losses itself.

mod page;
pub mod picture;
mod words;
mod write;

pub use words::{points, summary_text};
pub use write::{FOLDER, write, write_into};
