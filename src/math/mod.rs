//! Numbers on slices: kernels, linear algebra, statistics. Knows nothing of genomes or tasks.

mod activation;
pub mod kernel;
mod rows;
pub mod statistics;

pub use activation::Activation;
pub use rows::Rows;
