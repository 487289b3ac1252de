//! Networks: the multi-layer perceptron over one flat slice of parameters, its plain twin, and feed-forward graphs.

pub mod double;
pub mod graph;
mod lanes;
mod mlp;
#[cfg(test)]
mod oracle;
pub mod reference;

pub use crate::math::kernel::{Dense, GraphMemory, Head, Weights, Workspace};
pub use double::DoubleWorkspace;
pub use graph::{Graph, GraphLanes};
pub use lanes::MlpLanes;
pub use mlp::{Loss, Mlp, Output};
