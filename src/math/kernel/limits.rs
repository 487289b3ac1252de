//! What the machine can do at most: the loops by which kernels are judged.

use super::simd::{Isa, Kernel, LANES, Loop, Simd, dispatch, vectorized};

/// Runs `rounds` rounds of multiply-adds that wait for nothing, on the instruction set in use; how many there were.
pub fn multiply_adds(rounds: usize) -> u64 {
    struct Peak(usize);
    impl Kernel for Peak {
        type Output = (u64, f32);
        #[inline(always)]
        unsafe fn run<S: Simd>(self) -> (u64, f32) {
            unsafe { if S::BLOCK >= 8 { chains::<S, 20>(self.0) } else { chains::<S, 5>(self.0) } }
        }
    }
    let (count, sum) = dispatch(Peak(rounds));
    // The sum must be wanted, or nothing is computed.
    if std::hint::black_box(sum).is_nan() { 0 } else { count }
}

#[inline(always)]
unsafe fn chains<S: Simd, const N: usize>(rounds: usize) -> (u64, f32) {
    unsafe {
        let (factor, term) = (S::splat(std::hint::black_box(0.999_9)), S::splat(std::hint::black_box(1e-4)));
        let mut sums = [term; N];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = S::fma(*sum, factor, term);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = S::add(total, *sum);
        }
        let mut lanes = [0.0; LANES];
        S::store(lanes.as_mut_ptr(), total);
        ((rounds * N * LANES) as u64, lanes.iter().sum())
    }
}

/// `a = b + c / 2`: two numbers read and one written per item.
///
/// # Panics
/// If the lengths differ.
pub fn triad(a: &mut [f32], b: &[f32], c: &[f32]) {
    struct Triad<'a>(&'a mut [f32], &'a [f32], &'a [f32]);
    impl Loop for Triad<'_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            for ((a, b), c) in self.0.iter_mut().zip(self.1).zip(self.2) {
                *a = c.mul_add(0.5, *b);
            }
        }
    }
    assert!(a.len() == b.len() && b.len() == c.len());
    vectorized(Triad(a, b, c));
}

/// Name of the instruction set in use.
pub fn instruction_set() -> &'static str {
    Isa::current().name()
}
