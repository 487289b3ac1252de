//! The fast loops, and the only unsafe code of the crate.
//!
//! `simd` has the lanes, `elementary` and `activate` the functions, `product` the register blocks, `head` the losses,
//! `dense` the layers of a network over packed rows, and `lanes` those of sixteen networks at once, one row each. Everything that
//! leaves this module is safe and works on slices.
#![allow(unsafe_code)]
#![allow(clippy::missing_safety_doc)]
// A fitted coefficient stays what the fit gave, and the loops name their lanes.
#![allow(clippy::approx_constant, clippy::needless_range_loop)]

mod activate;
mod buffer;
mod dense;
mod elementary;
mod head;
mod lanes;
mod product;
pub(crate) mod simd;

pub use buffer::AlignedBuffer;
pub use dense::{Dense, Head, Net, Workspace};
#[cfg(test)]
pub(crate) use dense::{Source, counter};
pub use lanes::NetLanes;
pub use simd::{Isa, Loop, vectorized, vectorized_on};
