//! Numbers on slices: kernels, linear algebra, statistics. Knows nothing of genomes or tasks.

pub mod statistics;
