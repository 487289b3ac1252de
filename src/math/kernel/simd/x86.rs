//! The lanes on AVX2 with fused multiply-add and on AVX-512.

use super::{Kernel, LANES, SQRT_HALF_BITS, Simd};
use std::arch::x86_64::*;

#[inline(never)]
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    unsafe { kernel.run::<Avx2>() }
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
pub unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    unsafe { kernel.run::<Avx512>() }
}

/// Masks of the first `count` of sixteen lanes.
#[inline(always)]
unsafe fn masks(count: usize) -> [__m256i; 2] {
    unsafe {
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        let count = count as i32;
        let below = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lanes);
        [below, _mm256_cmpgt_epi32(_mm256_set1_epi32(count - 8), lanes)]
    }
}

#[inline(always)]
unsafe fn transpose_8(a: [__m256; 8]) -> [__m256; 8] {
    unsafe {
        let mut b = a;
        for i in (0..8).step_by(2) {
            b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
            b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
        }
        let mut c = b;
        for i in (0..8).step_by(4) {
            c[i] = _mm256_shuffle_ps::<0x44>(b[i], b[i + 2]);
            c[i + 1] = _mm256_shuffle_ps::<0xee>(b[i], b[i + 2]);
            c[i + 2] = _mm256_shuffle_ps::<0x44>(b[i + 1], b[i + 3]);
            c[i + 3] = _mm256_shuffle_ps::<0xee>(b[i + 1], b[i + 3]);
        }
        let mut turned = c;
        for i in 0..4 {
            turned[i] = _mm256_permute2f128_ps::<0x20>(c[i], c[i + 4]);
            turned[i + 4] = _mm256_permute2f128_ps::<0x31>(c[i], c[i + 4]);
        }
        turned
    }
}

/// Two vectors of eight.
#[derive(Clone, Copy)]
pub struct Avx2;

impl Simd for Avx2 {
    type V = [__m256; 2];
    type M = [__m256; 2];
    type B = __m256i;
    const WORDS: usize = 8;
    const BLOCK: usize = 6;
    const COLUMNS: usize = 1;

    #[inline(always)]
    unsafe fn outline<K: Kernel>(kernel: K) -> K::Output {
        unsafe { run_avx2(kernel) }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        unsafe { [_mm256_set1_ps(x); 2] }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, a: Self::V) {
        unsafe {
            _mm256_storeu_ps(to, a[0]);
            _mm256_storeu_ps(to.add(8), a[1]);
        }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, count: usize) -> Self::V {
        unsafe {
            let [low, high] = masks(count);
            // A half without numbers must not be read: its address may lie outside of the slice.
            [_mm256_maskload_ps(from, low), _mm256_maskload_ps(from.wrapping_add(8), high)]
        }
    }
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, a: Self::V, count: usize) {
        unsafe {
            let [low, high] = masks(count);
            _mm256_maskstore_ps(to, low, a[0]);
            _mm256_maskstore_ps(to.wrapping_add(8), high, a[1]);
        }
    }
    #[inline(always)]
    unsafe fn transpose(a: [Self::V; LANES]) -> [Self::V; LANES] {
        unsafe {
            let mut turned = a;
            for (rows, columns) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let mut square = [a[0][0]; 8];
                for i in 0..8 {
                    square[i] = a[8 * rows + i][columns];
                }
                let square = transpose_8(square);
                for i in 0..8 {
                    turned[8 * columns + i][rows] = square[i];
                }
            }
            turned
        }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        unsafe { [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        unsafe {
            const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
            [_mm256_round_ps::<NEAREST>(a[0]), _mm256_round_ps::<NEAREST>(a[1])]
        }
    }
    #[inline(always)]
    unsafe fn less(a: Self::V, b: Self::V) -> Self::M {
        unsafe { [_mm256_cmp_ps::<_CMP_LT_OQ>(a[0], b[0]), _mm256_cmp_ps::<_CMP_LT_OQ>(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn select(mask: Self::M, a: Self::V, b: Self::V) -> Self::V {
        unsafe { [_mm256_blendv_ps(b[0], a[0], mask[0]), _mm256_blendv_ps(b[1], a[1], mask[1])] }
    }
    #[inline(always)]
    unsafe fn masks(bits: u32) -> [Self::M; 2] {
        unsafe {
            // A selection looks at the signs: each lane's bit is moved there.
            let (bits, lanes) = (_mm256_set1_epi32(bits as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
            let mut masks = [[_mm256_setzero_ps(); 2]; 2];
            for quarter in 0..4 {
                let up = _mm256_sub_epi32(_mm256_set1_epi32(31 - 8 * quarter as i32), lanes);
                masks[quarter / 2][quarter % 2] = _mm256_castsi256_ps(_mm256_sllv_epi32(bits, up));
            }
            masks
        }
    }
    #[inline(always)]
    unsafe fn load_words(from: *const u32) -> Self::V {
        unsafe {
            let mut out = [_mm256_setzero_ps(); 2];
            for half in 0..2 {
                let words = _mm256_loadu_si256(from.add(8 * half).cast());
                // There is no unsigned conversion; the halves are exact and their sum is rounded once.
                let high = _mm256_cvtepi32_ps(_mm256_srli_epi32::<16>(words));
                let low = _mm256_cvtepi32_ps(_mm256_and_si256(words, _mm256_set1_epi32(0xffff)));
                out[half] = _mm256_fmadd_ps(high, _mm256_set1_ps(65_536.0), low);
            }
            out
        }
    }
    #[inline(always)]
    unsafe fn store_words(to: *mut u32, a: Self::V) {
        unsafe {
            _mm256_storeu_si256(to.cast(), _mm256_cvttps_epi32(a[0]));
            _mm256_storeu_si256(to.add(8).cast(), _mm256_cvttps_epi32(a[1]));
        }
    }
    #[inline(always)]
    unsafe fn load_bits(from: *const u32) -> Self::B {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn splat_bits(x: u32) -> Self::B {
        unsafe { _mm256_set1_epi32(x as i32) }
    }
    #[inline(always)]
    unsafe fn store_fours(to: *mut [u32; 4], stride: usize, a: Self::B) {
        unsafe {
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(a));
            _mm_storeu_si128(to.add(stride).cast(), _mm256_extracti128_si256::<1>(a));
        }
    }
    #[inline(always)]
    unsafe fn add_bits(a: Self::B, b: Self::B) -> Self::B {
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    unsafe fn xor_turn<const LEFT: i32>(a: Self::B, b: Self::B) -> Self::B {
        unsafe {
            let x = _mm256_xor_si256(a, b);
            // Whole bytes are moved by one instruction instead of three.
            let bytes = match LEFT {
                16 => _mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13),
                8 => _mm_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14),
                _ => {
                    let (left, right) = (_mm_cvtsi32_si128(LEFT), _mm_cvtsi32_si128(32 - LEFT));
                    return _mm256_or_si256(_mm256_sll_epi32(x, left), _mm256_srl_epi32(x, right));
                }
            };
            _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(bytes))
        }
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        unsafe { [_mm256_sqrt_ps(a[0]), _mm256_sqrt_ps(a[1])] }
    }
    #[inline(always)]
    unsafe fn abs(a: Self::V) -> Self::V {
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            [_mm256_andnot_ps(sign, a[0]), _mm256_andnot_ps(sign, a[1])]
        }
    }
    #[inline(always)]
    unsafe fn neg(a: Self::V) -> Self::V {
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            [_mm256_xor_ps(sign, a[0]), _mm256_xor_ps(sign, a[1])]
        }
    }
    #[inline(always)]
    unsafe fn with_sign(a: Self::V, b: Self::V) -> Self::V {
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            let signs = [_mm256_and_ps(sign, b[0]), _mm256_and_ps(sign, b[1])];
            [_mm256_or_ps(a[0], signs[0]), _mm256_or_ps(a[1], signs[1])]
        }
    }
    #[inline(always)]
    unsafe fn exp2_whole(n: Self::V) -> Self::V {
        unsafe {
            let mut power = n;
            for half in 0..2 {
                let biased = _mm256_add_epi32(_mm256_cvttps_epi32(n[half]), _mm256_set1_epi32(127));
                power[half] = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased));
            }
            power
        }
    }
    #[inline(always)]
    unsafe fn scale(a: Self::V, shifted: Self::V) -> Self::V {
        unsafe {
            let mut product = a;
            for half in 0..2 {
                let power = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted[half]));
                product[half] = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a[half]), power));
            }
            product
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(x: Self::V) -> (Self::V, Self::V) {
        unsafe {
            let low = _mm256_set1_epi32(SQRT_HALF_BITS as i32);
            let (mut mantissa, mut exponent) = (x, x);
            for half in 0..2 {
                let shifted = _mm256_sub_epi32(_mm256_castps_si256(x[half]), low);
                exponent[half] = _mm256_cvtepi32_ps(_mm256_srai_epi32::<23>(shifted));
                let bits = _mm256_and_si256(shifted, _mm256_set1_epi32(0x007f_ffff));
                mantissa[half] = _mm256_castsi256_ps(_mm256_add_epi32(bits, low));
            }
            (mantissa, exponent)
        }
    }
}

/// One vector of sixteen.
#[derive(Clone, Copy)]
pub struct Avx512;

impl Simd for Avx512 {
    type V = __m512;
    type M = __mmask16;
    type B = __m512i;
    const WORDS: usize = 16;
    const BLOCK: usize = 8;
    const COLUMNS: usize = 3;

    #[inline(always)]
    unsafe fn outline<K: Kernel>(kernel: K) -> K::Output {
        unsafe { run_avx512(kernel) }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, a: Self::V) {
        unsafe { _mm512_storeu_ps(to, a) }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, count: usize) -> Self::V {
        unsafe { _mm512_maskz_loadu_ps((1 << count) - 1, from) }
    }
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, a: Self::V, count: usize) {
        unsafe { _mm512_mask_storeu_ps(to, (1 << count) - 1, a) }
    }
    #[inline(always)]
    unsafe fn transpose(a: [Self::V; LANES]) -> [Self::V; LANES] {
        unsafe {
            // Pairs of numbers, then pairs of pairs within each quarter, then the quarters.
            let mut b = a;
            for i in (0..16).step_by(2) {
                b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
                b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
            }
            let mut c = b;
            for i in (0..16).step_by(4) {
                c[i] = _mm512_shuffle_ps::<0x44>(b[i], b[i + 2]);
                c[i + 1] = _mm512_shuffle_ps::<0xee>(b[i], b[i + 2]);
                c[i + 2] = _mm512_shuffle_ps::<0x44>(b[i + 1], b[i + 3]);
                c[i + 3] = _mm512_shuffle_ps::<0xee>(b[i + 1], b[i + 3]);
            }
            let mut d = c;
            for i in 0..4 {
                d[i] = _mm512_shuffle_f32x4::<0x88>(c[i], c[i + 4]);
                d[i + 4] = _mm512_shuffle_f32x4::<0xdd>(c[i], c[i + 4]);
                d[i + 8] = _mm512_shuffle_f32x4::<0x88>(c[i + 8], c[i + 12]);
                d[i + 12] = _mm512_shuffle_f32x4::<0xdd>(c[i + 8], c[i + 12]);
            }
            let mut turned = d;
            for i in 0..4 {
                turned[i] = _mm512_shuffle_f32x4::<0x88>(d[i], d[i + 8]);
                turned[i + 8] = _mm512_shuffle_f32x4::<0xdd>(d[i], d[i + 8]);
                turned[i + 4] = _mm512_shuffle_f32x4::<0x88>(d[i + 4], d[i + 12]);
                turned[i + 12] = _mm512_shuffle_f32x4::<0xdd>(d[i + 4], d[i + 12]);
            }
            turned
        }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        unsafe { _mm512_roundscale_ps::<0>(a) }
    }
    #[inline(always)]
    unsafe fn less(a: Self::V, b: Self::V) -> Self::M {
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
    }
    #[inline(always)]
    unsafe fn select(mask: Self::M, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }
    #[inline(always)]
    unsafe fn masks(bits: u32) -> [Self::M; 2] {
        [bits as u16, (bits >> 16) as u16]
    }
    #[inline(always)]
    unsafe fn load_words(from: *const u32) -> Self::V {
        unsafe { _mm512_cvtepu32_ps(_mm512_loadu_si512(from.cast())) }
    }
    #[inline(always)]
    unsafe fn store_words(to: *mut u32, a: Self::V) {
        unsafe { _mm512_storeu_si512(to.cast(), _mm512_cvttps_epi32(a)) }
    }
    #[inline(always)]
    unsafe fn load_bits(from: *const u32) -> Self::B {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn splat_bits(x: u32) -> Self::B {
        unsafe { _mm512_set1_epi32(x as i32) }
    }
    #[inline(always)]
    unsafe fn store_fours(to: *mut [u32; 4], stride: usize, a: Self::B) {
        unsafe {
            _mm_storeu_si128(to.cast(), _mm512_castsi512_si128(a));
            _mm_storeu_si128(to.add(stride).cast(), _mm512_extracti32x4_epi32::<1>(a));
            _mm_storeu_si128(to.add(2 * stride).cast(), _mm512_extracti32x4_epi32::<2>(a));
            _mm_storeu_si128(to.add(3 * stride).cast(), _mm512_extracti32x4_epi32::<3>(a));
        }
    }
    #[inline(always)]
    unsafe fn add_bits(a: Self::B, b: Self::B) -> Self::B {
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    unsafe fn xor_turn<const LEFT: i32>(a: Self::B, b: Self::B) -> Self::B {
        unsafe { _mm512_rol_epi32::<LEFT>(_mm512_xor_si512(a, b)) }
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        unsafe { _mm512_sqrt_ps(a) }
    }
    #[inline(always)]
    unsafe fn abs(a: Self::V) -> Self::V {
        unsafe { _mm512_andnot_ps(_mm512_set1_ps(-0.0), a) }
    }
    #[inline(always)]
    unsafe fn neg(a: Self::V) -> Self::V {
        unsafe { _mm512_xor_ps(_mm512_set1_ps(-0.0), a) }
    }
    #[inline(always)]
    unsafe fn with_sign(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_or_ps(a, _mm512_and_ps(_mm512_set1_ps(-0.0), b)) }
    }
    #[inline(always)]
    unsafe fn exp2_whole(n: Self::V) -> Self::V {
        unsafe {
            let biased = _mm512_add_epi32(_mm512_cvttps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }
    }
    #[inline(always)]
    unsafe fn scale(a: Self::V, shifted: Self::V) -> Self::V {
        unsafe {
            let power = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), power))
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(x: Self::V) -> (Self::V, Self::V) {
        unsafe {
            let low = _mm512_set1_epi32(SQRT_HALF_BITS as i32);
            let shifted = _mm512_sub_epi32(_mm512_castps_si512(x), low);
            let exponent = _mm512_cvtepi32_ps(_mm512_srai_epi32::<23>(shifted));
            let bits = _mm512_and_si512(shifted, _mm512_set1_epi32(0x007f_ffff));
            (_mm512_castsi512_ps(_mm512_add_epi32(bits, low)), exponent)
        }
    }
}
