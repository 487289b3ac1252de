//! Memory for vectors: numbers that begin at a cache line.

use super::simd::LANES;
use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::ops::{Deref, DerefMut};

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// Numbers in whole cache lines of 16, aligned to them; reads as a slice.
#[derive(Clone, Debug, Default)]
pub struct AlignedBuffer {
    lines: Vec<Line>,
    length: usize,
}

impl AlignedBuffer {
    /// `length` zeros. They take no memory before they are written to.
    pub fn zeros(length: usize) -> AlignedBuffer {
        let count = length.div_ceil(LANES);
        let layout = Layout::array::<Line>(count).expect("counts are checked against the memory before");
        if count == 0 {
            return AlignedBuffer::default();
        }
        // SAFETY: the layout has a size, it is that of `count` lines, and all bits 0 are a line of zeros.
        let lines = unsafe {
            let memory = alloc_zeroed(layout);
            if memory.is_null() {
                handle_alloc_error(layout);
            }
            Vec::from_raw_parts(memory.cast(), count, count)
        };
        AlignedBuffer { lines, length }
    }

    /// Makes it `length` zeros. Allocates only to grow.
    pub fn reset(&mut self, length: usize) {
        if length.div_ceil(LANES) > self.lines.capacity() {
            *self = AlignedBuffer::zeros(length);
            return;
        }
        self.lines.clear();
        self.lines.resize(length.div_ceil(LANES), Line([0.0; LANES]));
        self.length = length;
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: a line is 16 numbers without padding, so the lines are `16 · lines.len() ≥ length` numbers.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the borrow of self is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}
