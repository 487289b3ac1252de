//! The fast loops, and the only unsafe code of the crate.
//!
//! `simd` has the lanes, `elementary` and `activate` the functions, `draw` the random numbers and what operators of
//! evolution do with them, `product` the register blocks, `head` the losses, `dense` the layers of a network over packed
//! rows, `gradient` their gradients, on one thread or several, `lanes` the layers of sixteen networks at once, `graph`
//! feed-forward graphs over rows or episodes, and `limits` what the machine can do at most. Everything that leaves this
//! module is safe and works on slices.
#![allow(unsafe_code)]
#![allow(clippy::missing_safety_doc)]
// A fitted coefficient stays what the fit gave, and the loops name their lanes.
#![allow(clippy::approx_constant, clippy::needless_range_loop)]

mod activate;
mod buffer;
mod dense;
mod draw;
mod elementary;
mod gradient;
mod graph;
mod head;
mod lanes;
pub mod limits;
mod product;
pub(crate) mod simd;

pub use buffer::AlignedBuffer;
pub use dense::{Dense, Head, Net, Workspace};
#[cfg(test)]
pub(crate) use dense::{Source, counter};
pub(crate) use draw::{choose, power, shortfall};
pub use elementary::Elementary;
pub use graph::{GraphMemory, Weights, Wiring, activate_one};
pub use lanes::NetLanes;
pub(crate) use product::pack_tile;
pub use simd::{Isa, Loop, vectorized, vectorized_on};
