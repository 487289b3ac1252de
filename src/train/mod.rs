//! Training: starts, optimizers, schedules, stopping.

mod clip;
mod health;
pub mod initializer;
pub mod optimizer;
pub mod readout;
mod schedule;
mod session;
mod settings;

pub use clip::Clip;
pub use health::{Health, LayerHealth};
pub use initializer::{Initialize, Initializer};
pub use optimizer::{Optimize, Optimizer, OptimizerState};
pub use schedule::Schedule;
pub use session::{Scratch, Session, Status, TrainContext, apply, norm};
pub use settings::{Batch, Stop, Training};
