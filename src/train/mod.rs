//! Training: starts, optimizers, schedules, stopping.

mod clip;
mod health;
pub mod initializer;
mod objective;
pub mod optimizer;
pub mod readout;
mod schedule;
mod session;
mod settings;
mod support_vector_machine;
pub mod team;

pub use clip::Clip;
pub use health::{Health, LayerHealth};
pub use initializer::{Initialize, Initializer};
pub use objective::{Objective, OnRows, Prices, Single};
pub use optimizer::{Minimize, Optimize, Optimizer, OptimizerState, Steps, Train};
pub use schedule::Schedule;
pub use session::{Mistakes, Scratch, Session, Status, TrainContext, apply, norm};
pub use settings::{Batch, Stop, Training};
pub use support_vector_machine::{Kernel, Machine, SupportVectorMachine};
