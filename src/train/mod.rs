//! Training: starts, optimizers, schedules, stopping.

pub mod initializer;
pub mod optimizer;

pub use initializer::{Initialize, Initializer};
pub use optimizer::{Optimize, Optimizer, OptimizerState};
