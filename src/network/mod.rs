//! Networks: the multi-layer perceptron over one flat slice of parameters, and its plain twin.

mod lanes;
mod mlp;
#[cfg(test)]
mod oracle;
pub mod reference;

pub use crate::math::kernel::{Dense, Head, Workspace};
pub use lanes::MlpLanes;
pub use mlp::{Loss, Mlp, Output};
