//! Networks born ready.

pub mod cost;
pub mod error;
pub mod evolve;
pub mod experiment;
pub mod files;
pub mod math;
pub mod network;
pub mod registry;
pub mod report;
pub mod rng;
pub mod task;
pub mod train;
pub mod values;

pub use error::{Error, Result};
