//! Numbers on slices: kernels, linear algebra, statistics. Knows nothing of genomes or tasks.

mod activation;
mod assignment;
pub mod double;
pub mod kernel;
pub mod least_squares;
pub mod linear_algebra;
mod moments;
mod rows;
mod singular_values;
pub mod statistics;
pub mod trigonometry;

pub use activation::Activation;
pub use assignment::assign;
pub use moments::Moments;
pub use rows::Rows;
pub use singular_values::singular_values;
