//! The report of a topology search: reads what the search left behind, runs nothing.
//!
//! [`write()`] makes the whole report of a folder, [`SearchAnalysis::read`] only reads it, [`summary_text`] says what came
//! out.
//!
//! ```no_run
//! use precocial::experiment::Folder;
//! use precocial::report::{ReportOptions, search};
//!
//! let folder = Folder::at("results/wann-swingup-1");
//! if search::is_search(&folder) {
//!     let analysis = search::write(&folder, &ReportOptions::default())?;
//!     println!("{}", search::summary_text(&analysis));
//! }
//! # Ok::<(), precocial::Error>(())
//! ```

mod analysis;
pub mod animation;
#[cfg(test)]
pub mod fixture;
mod layout;
pub mod network;
mod page;
pub mod picture;
mod words;
mod write;

pub use analysis::{
    Episode, Found, FrontRow, GenerationRow, KIND, KINDS, Measure, ResultRow, SearchAnalysis, SearchManifest, Spread,
    Trajectories, WeightRow, is_search,
};
pub use layout::{Arc, Layout, Piece, lay_out};
pub use network::Network;
pub use picture::PICTURES;
pub use words::{headline, summary_text};
pub use write::{write, write_analysis};
