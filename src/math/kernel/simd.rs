//! Sixteen lanes of single precision on three instruction sets, with equal bits on each.
//!
//! Kernels are written once against [`Simd`] and instantiated three times. Every operation works lane by lane and is
//! rounded once as IEEE 754 says, so that a kernel gives the same bits whichever set runs it. There is no estimate, no
//! sum across lanes and no width that a kernel could depend on.

#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::atomic::{AtomicU8, Ordering};

/// Lanes of a vector on every instruction set.
pub const LANES: usize = 16;

/// Sixteen `f32` and what kernels do with them.
///
/// # Safety
/// Every method needs a processor with the instruction set that the implementor names; [`dispatch`] sees to that.
/// `load` and `store` need 16 valid numbers at the pointer, of any alignment.
pub trait Simd: Copy {
    /// Sixteen numbers.
    type V: Copy;
    /// Sixteen truth values.
    type M: Copy;
    /// `WORDS` words of 32 bits: no more than fill a register, because what works on them needs many at once.
    type B: Copy;
    /// Words of a `B`, a divisor of 16.
    const WORDS: usize;
    /// Outputs that one register block computes together, next to `COLUMNS` vectors of rows: as many sums as fit into the
    /// registers beside what they are made of.
    const BLOCK: usize;
    const COLUMNS: usize;

    /// Runs a kernel as a function of its own on this instruction set: what several kernels share is compiled once.
    unsafe fn outline<K: Kernel>(kernel: K) -> K::Output;
    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(from: *const f32) -> Self::V;
    unsafe fn store(to: *mut f32, a: Self::V);
    /// The first `count` numbers at the pointer, then zeros; `count` from 1 to 15.
    unsafe fn load_part(from: *const f32, count: usize) -> Self::V;
    /// Writes the first `count` numbers only; `count` from 1 to 15.
    unsafe fn store_part(to: *mut f32, a: Self::V, count: usize);
    /// Sixteen vectors as a matrix, turned: number k of vector i becomes number i of vector k.
    unsafe fn transpose(a: [Self::V; LANES]) -> [Self::V; LANES];
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// a · b + c, rounded once.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// a if a < b, else b.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// a if a > b, else b.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The nearest whole number, halves to even.
    unsafe fn round(a: Self::V) -> Self::V;
    unsafe fn less(a: Self::V, b: Self::V) -> Self::M;
    /// a where the mask holds, else b.
    unsafe fn select(mask: Self::M, a: Self::V, b: Self::V) -> Self::V;
    /// Two masks whose lanes are the bits from the lowest on, for [`Simd::select`] only.
    unsafe fn masks(bits: u32) -> [Self::M; 2];
    /// Sixteen unsigned whole numbers, each as the nearest number of single precision.
    unsafe fn load_words(from: *const u32) -> Self::V;
    /// Sixteen numbers from 0 to 2³¹, cut down to whole ones.
    unsafe fn store_words(to: *mut u32, a: Self::V);
    unsafe fn load_bits(from: *const u32) -> Self::B;
    unsafe fn splat_bits(x: u32) -> Self::B;
    /// Writes the first four words to `to` and every further four `stride` places of four behind.
    unsafe fn store_fours(to: *mut [u32; 4], stride: usize, a: Self::B);
    /// a + b modulo 2³².
    unsafe fn add_bits(a: Self::B, b: Self::B) -> Self::B;
    /// The exclusive or of a and b, turned left by so many bits.
    unsafe fn xor_turn<const LEFT: i32>(a: Self::B, b: Self::B) -> Self::B;
    unsafe fn sqrt(a: Self::V) -> Self::V;
    unsafe fn abs(a: Self::V) -> Self::V;
    unsafe fn neg(a: Self::V) -> Self::V;
    /// The magnitude of a with the sign of b; a must not be negative.
    unsafe fn with_sign(a: Self::V, b: Self::V) -> Self::V;
    /// 2^n for whole n from −126 to 127.
    unsafe fn exp2_whole(n: Self::V) -> Self::V;
    /// a · 2ⁿ where `shifted` is n + 1.5 · 2²³, as long as the product is a normal number.
    unsafe fn scale(a: Self::V, shifted: Self::V) -> Self::V;
    /// Positive normal x as m · 2^e with m in [√½, √2): (m, e).
    unsafe fn split_exponent(x: Self::V) -> (Self::V, Self::V);
}

/// A computation on slices, written once for all instruction sets.
pub trait Kernel {
    /// What it returns.
    type Output;

    /// The computation. Implementors mark it `#[inline(always)]`, so that it is compiled into the instruction set.
    ///
    /// # Safety
    /// Only [`dispatch`] calls it, with an instruction set that the processor has.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// A loop over slices in safe Rust, whose items do not depend on each other; the compiler puts them into lanes.
///
/// Sums across items stay in the order that is written, so the bits are the same on every instruction set.
pub trait Loop {
    /// What it returns.
    type Output;

    /// The loop. Implementors mark it `#[inline(always)]`, so that it is compiled into the instruction set.
    fn run(self) -> Self::Output;
}

/// Runs a loop on the instruction set in use.
#[inline]
pub fn vectorized<L: Loop>(body: L) -> L::Output {
    vectorized_on(Isa::current(), body)
}

/// Runs a loop on one instruction set, for tests that compare them.
///
/// # Panics
/// If the processor lacks it.
pub fn vectorized_on<L: Loop>(isa: Isa, body: L) -> L::Output {
    struct Adapter<L>(L);
    impl<L: Loop> Kernel for Adapter<L> {
        type Output = L::Output;
        #[inline(always)]
        unsafe fn run<S: Simd>(self) -> L::Output {
            self.0.run()
        }
    }
    dispatch_on(isa, Adapter(body))
}

/// An instruction set that kernels are instantiated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// No vector instructions: the oracle of the others.
    Scalar = 1,
    /// AVX2 with fused multiply-add.
    Avx2 = 2,
    /// AVX-512 F and DQ.
    Avx512 = 3,
}

impl Isa {
    /// Name, as `PRECOCIAL_ISA` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// The sets that this processor has, widest last.
    pub fn available() -> Vec<Isa> {
        let mut sets = vec![Isa::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Isa::Avx2);
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                    sets.push(Isa::Avx512);
                }
            }
        }
        sets
    }

    /// The set in use: the widest one, or what the environment variable `PRECOCIAL_ISA` names, if the processor has it.
    #[inline]
    pub fn current() -> Isa {
        match CURRENT.load(Ordering::Relaxed) {
            1 => Isa::Scalar,
            2 => Isa::Avx2,
            3 => Isa::Avx512,
            _ => Isa::choose(),
        }
    }

    #[cold]
    fn choose() -> Isa {
        let sets = Isa::available();
        let wanted = std::env::var("PRECOCIAL_ISA").unwrap_or_default();
        let isa = sets.iter().copied().find(|isa| isa.name() == wanted);
        let isa = isa.unwrap_or(sets[sets.len() - 1]);
        CURRENT.store(isa as u8, Ordering::Relaxed);
        isa
    }
}

static CURRENT: AtomicU8 = AtomicU8::new(0);

/// Runs a kernel on the instruction set in use.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    dispatch_on(Isa::current(), kernel)
}

/// Runs a kernel on one instruction set, for tests that compare them.
///
/// # Panics
/// If the processor lacks it.
#[inline]
pub fn dispatch_on<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    // SAFETY: each arm runs only where the processor has the instruction set: `current` chose it from `available`, and
    // tests go through `available` too.
    match isa {
        Isa::Scalar => unsafe { kernel.run::<Scalar>() },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { x86::run_avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { x86::run_avx512(kernel) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => panic!("{} is not an instruction set of this processor", isa.name()),
    }
}

/// Plain Rust, one lane after the other.
#[derive(Clone, Copy)]
pub struct Scalar;

#[inline(always)]
fn map2(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

impl Simd for Scalar {
    type V = [f32; LANES];
    type M = [bool; LANES];
    type B = [u32; LANES];
    const WORDS: usize = LANES;
    const BLOCK: usize = 1;
    const COLUMNS: usize = 1;

    #[inline(never)]
    unsafe fn outline<K: Kernel>(kernel: K) -> K::Output {
        unsafe { kernel.run::<Scalar>() }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        unsafe { from.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, a: Self::V) {
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(a) }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, count: usize) -> Self::V {
        std::array::from_fn(|lane| if lane < count { unsafe { *from.add(lane) } } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, a: Self::V, count: usize) {
        for lane in 0..count {
            unsafe { *to.add(lane) = a[lane] }
        }
    }
    #[inline(always)]
    unsafe fn transpose(a: [Self::V; LANES]) -> [Self::V; LANES] {
        std::array::from_fn(|row| std::array::from_fn(|lane| a[lane][row]))
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |x, y| x + y)
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |x, y| x - y)
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |x, y| x * y)
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |x, y| x / y)
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |x, y| if x < y { x } else { y })
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        a.map(f32::round_ties_even)
    }
    #[inline(always)]
    unsafe fn less(a: Self::V, b: Self::V) -> Self::M {
        std::array::from_fn(|lane| a[lane] < b[lane])
    }
    #[inline(always)]
    unsafe fn select(mask: Self::M, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|lane| if mask[lane] { a[lane] } else { b[lane] })
    }
    #[inline(always)]
    unsafe fn masks(bits: u32) -> [Self::M; 2] {
        [0, LANES].map(|first| std::array::from_fn(|lane| bits >> (first + lane) & 1 == 1))
    }
    #[inline(always)]
    unsafe fn load_words(from: *const u32) -> Self::V {
        unsafe { from.cast::<[u32; LANES]>().read_unaligned() }.map(|word| word as f32)
    }
    #[inline(always)]
    unsafe fn store_words(to: *mut u32, a: Self::V) {
        unsafe { to.cast::<[u32; LANES]>().write_unaligned(a.map(|x| x as u32)) }
    }
    #[inline(always)]
    unsafe fn load_bits(from: *const u32) -> Self::B {
        unsafe { from.cast::<[u32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn splat_bits(x: u32) -> Self::B {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn store_fours(to: *mut [u32; 4], stride: usize, a: Self::B) {
        for (index, four) in a.as_chunks().0.iter().enumerate() {
            unsafe { to.add(index * stride).write(*four) }
        }
    }
    #[inline(always)]
    unsafe fn add_bits(a: Self::B, b: Self::B) -> Self::B {
        std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }
    #[inline(always)]
    unsafe fn xor_turn<const LEFT: i32>(a: Self::B, b: Self::B) -> Self::B {
        std::array::from_fn(|lane| (a[lane] ^ b[lane]).rotate_left(LEFT as u32))
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    unsafe fn abs(a: Self::V) -> Self::V {
        a.map(f32::abs)
    }
    #[inline(always)]
    unsafe fn neg(a: Self::V) -> Self::V {
        a.map(|x| -x)
    }
    #[inline(always)]
    unsafe fn with_sign(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |x, y| f32::from_bits(x.to_bits() | (y.to_bits() & 0x8000_0000)))
    }
    #[inline(always)]
    unsafe fn exp2_whole(n: Self::V) -> Self::V {
        n.map(|n| f32::from_bits((n as i32).wrapping_add(127).wrapping_shl(23) as u32))
    }
    #[inline(always)]
    unsafe fn scale(a: Self::V, shifted: Self::V) -> Self::V {
        map2(a, shifted, |a, n| f32::from_bits(a.to_bits().wrapping_add(n.to_bits() << 23)))
    }
    #[inline(always)]
    unsafe fn split_exponent(x: Self::V) -> (Self::V, Self::V) {
        let shifted = x.map(|x| x.to_bits().wrapping_sub(SQRT_HALF_BITS));
        let exponent = shifted.map(|bits| ((bits as i32) >> 23) as f32);
        let mantissa = shifted.map(|bits| f32::from_bits((bits & 0x007f_ffff).wrapping_add(SQRT_HALF_BITS)));
        (mantissa, exponent)
    }
}

/// Bits of √½ in single precision, rounded down a little: the lower end of the mantissas of `split_exponent`.
const SQRT_HALF_BITS: u32 = 0x3f35_04f3;

#[cfg(test)]
mod tests {
    use super::*;

    struct Moves<'a>(&'a [f32], &'a mut [f32], usize);

    impl Kernel for Moves<'_> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            unsafe {
                let mut square = [S::splat(0.0); LANES];
                for (row, vector) in square.iter_mut().enumerate() {
                    *vector = S::load(self.0[row * LANES..].as_ptr());
                }
                for (row, vector) in S::transpose(square).into_iter().enumerate() {
                    S::store(self.1[row * LANES..].as_mut_ptr(), vector);
                }
                let part = S::load_part(self.0.as_ptr(), self.2);
                S::store(self.1[256..].as_mut_ptr(), part);
                S::store_part(self.1[272..].as_mut_ptr(), S::load(self.0.as_ptr()), self.2);
            }
        }
    }

    #[test]
    fn moves_put_numbers_where_they_belong() {
        let from: Vec<f32> = (0..256).map(|i| i as f32 + 1.0).collect();
        for isa in Isa::available() {
            for count in 1..LANES {
                let mut to = vec![-1.0; 288];
                dispatch_on(isa, Moves(&from, &mut to, count));
                for row in 0..LANES {
                    for lane in 0..LANES {
                        assert_eq!(to[row * LANES + lane], from[lane * LANES + row], "{isa:?} {row} {lane}");
                    }
                    assert_eq!(to[256 + row], if row < count { from[row] } else { 0.0 }, "{isa:?} {count}");
                    assert_eq!(to[272 + row], if row < count { from[row] } else { -1.0 }, "{isa:?} {count}");
                }
            }
        }
    }
}
