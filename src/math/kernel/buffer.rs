//! Memory for vectors: numbers that begin at a cache line.

use super::simd::LANES;
use std::ops::{Deref, DerefMut};

/// Numbers that begin at a cache line; reads as a slice.
#[derive(Debug, Default)]
pub struct AlignedBuffer {
    /// With room for a cache line more, to begin at one.
    memory: Vec<f32>,
    /// `start + length ≤ memory.len()`.
    start: usize,
    length: usize,
}

impl AlignedBuffer {
    /// `length` zeros. They take no memory before something else is written there.
    pub fn zeros(length: usize) -> AlignedBuffer {
        // Zeros of a type without wishes of its own come from the system, which makes pages when they are written to.
        let mut memory = vec![0.0; length + LANES - 1];
        ask_for_large_pages(&mut memory);
        let start = memory.as_ptr().align_offset(64).min(LANES - 1);
        AlignedBuffer { memory, start, length }
    }

    /// Makes it `length` zeros. Allocates only to grow.
    pub fn reset(&mut self, length: usize) {
        if self.start + length > self.memory.len() {
            *self = AlignedBuffer::zeros(length);
        } else {
            self.length = length;
            self.fill(0.0);
        }
    }
}

/// Asks the system for pages of 2 MiB, where there is room for some: with small ones a walk over genomes or rows waits for
/// the addresses of their pages. It may refuse; nothing but the speed depends on it.
#[cfg(target_os = "linux")]
fn ask_for_large_pages(memory: &mut [f32]) {
    use rustix::mm::{Advice, madvise};
    const PAGE: usize = 2 << 20;
    let start = memory.as_ptr().cast::<u8>().align_offset(PAGE);
    let length = size_of_val(memory).saturating_sub(start) / PAGE * PAGE;
    if length >= 2 * PAGE {
        // SAFETY: the range lies within the memory, and the advice does not touch what is written there.
        let _ = unsafe { madvise(memory.as_mut_ptr().cast::<u8>().add(start).cast(), length, Advice::LinuxHugepage) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages(_memory: &mut [f32]) {}

impl Clone for AlignedBuffer {
    fn clone(&self) -> AlignedBuffer {
        let mut copy = AlignedBuffer::zeros(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];
    #[inline]
    fn deref(&self) -> &[f32] {
        // SAFETY: these numbers lie in the memory. Small networks come here often enough to feel a check.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(self.start), self.length) }
    }
}

impl DerefMut for AlignedBuffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the borrow of self is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_mut_ptr().add(self.start), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_at_cache_lines_and_hold_what_they_are_told() {
        let mut buffer = AlignedBuffer::zeros(40);
        for length in [40, 0, 39, 1, 4000, 17, 4000, 3_000_000, 5] {
            buffer.reset(length);
            assert!(buffer.len() == length && buffer.iter().all(|x| *x == 0.0));
            buffer.fill(7.0);
            let copy = buffer.clone();
            assert_eq!(copy[..], buffer[..]);
            if length > 0 {
                assert_eq!((buffer.as_ptr().align_offset(64), copy.as_ptr().align_offset(64)), (0, 0));
            }
        }
    }
}
