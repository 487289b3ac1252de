//! Random numbers in lanes, for whole slices, and what operators of evolution do with them.
//!
//! All of them read the words of one [`Rng`] in order, so that a stream gives the same numbers on every instruction set.

use super::elementary::{cos_pi, exp_nonpositive, expm1, ln, ln_1p, sin_pi};
use super::simd::{Kernel, LANES, Loop, Simd, dispatch, vectorized};
use crate::rng::{GROUP, GROUPS, Group, Rng};

/// Words that are drawn and worked on together: what a group of blocks of [`Rng`] has.
const CHUNK: usize = 64;

/// 2⁻³².
const UNIT: f32 = 1.0 / 4_294_967_296.0;

impl Rng {
    /// Computes the next blocks; those before have been read.
    #[inline(never)]
    pub(crate) fn refill(&mut self) {
        const { assert!(LANES == GROUP * GROUPS, "a block in each lane") };
        dispatch(ChaCha { key: &self.key, first: self.blocks, groups: &mut self.groups });
        self.blocks += LANES as u64;
        self.used = 0;
    }

    /// Fills `out` with numbers uniform on [0, 1), multiples of 2⁻²⁴.
    pub fn fill_uniform(&mut self, out: &mut [f32]) {
        let mut words = [0; CHUNK];
        for out in out.chunks_mut(CHUNK) {
            let words = &mut words[..out.len()];
            self.fill_bits(words);
            out.iter_mut().zip(words).for_each(|(x, word)| *x = (*word >> 8) as f32 * (1.0 / 16_777_216.0));
        }
    }

    /// Fills `out` with whole numbers below `bound`, all equally likely.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn fill_below(&mut self, bound: u32, out: &mut [u32]) {
        assert!(bound > 0, "no number lies below 0");
        self.fill_bits(out);
        // As in `below`. Hardly ever one of them would have to be drawn again; then all are.
        if vectorized(Below { bound, words: &mut *out }) {
            out.iter_mut().for_each(|out| *out = self.below(bound as usize) as u32);
        }
    }

    /// Fills `out` with numbers uniform between `low` and `high`.
    pub fn fill_between(&mut self, out: &mut [f32], low: f32, high: f32) {
        self.fill_uniform(out);
        out.iter_mut().for_each(|x| *x = *x * (high - low) + low);
    }

    /// Fills `out` with normal numbers of mean 0 and the given standard deviation, in single precision.
    ///
    /// Box & Muller 1958, with radii from 32 bits: they reach to 6.8 standard deviations. A deviation
    /// above 10³⁷ counts as that, so that all numbers are finite.
    pub fn fill_normal(&mut self, out: &mut [f32], standard_deviation: f64) {
        let deviation = standard_deviation.min(1e37) as f32;
        let mut words = [0; CHUNK];
        for out in out.chunks_mut(CHUNK) {
            let pairs = out.len().div_ceil(2);
            let (cosines, sines) = out.split_at_mut(pairs);
            if pairs + sines.len() == CHUNK {
                let (radii, turns) = self.next_words(&mut words).split_at(pairs);
                dispatch(Normals { radii, turns, deviation, cosines, sines });
                continue;
            }
            let (radii, turns) = words.split_at_mut(CHUNK / 2);
            self.fill_bits(&mut radii[..pairs]);
            self.fill_bits(&mut turns[..pairs]);
            let mut normals = [[0.0; CHUNK / 2]; 2];
            let [all_cosines, all_sines] = &mut normals;
            dispatch(Normals { radii, turns, deviation, cosines: all_cosines, sines: all_sines });
            cosines.copy_from_slice(&all_cosines[..pairs]);
            sines.copy_from_slice(&all_sines[..sines.len()]);
        }
    }

    /// Calls `visit` with the indices below `length` that are chosen independently with probability `rate`: ascending, some
    /// at a time.
    ///
    /// Draws the gaps between chosen indices (geometric law) instead of one coin per index. Rates below 2⁻³² choose nothing.
    ///
    /// # Panics
    /// If `length` is above 2³².
    pub fn sparse(&mut self, length: usize, rate: f64, mut visit: impl FnMut(&mut Rng, &[u32])) {
        assert!(length as u64 <= 1 << 32, "an index has 32 bits");
        if rate <= 0.0 {
            return;
        }
        let (length, mut next) = (length as u64, 0);
        let (mut gaps, mut chosen) = ([0; CHUNK], [0; CHUNK]);
        while next < length {
            // One draw for each index that is expected, and some more, so that most often there is no second round.
            let expected = (length - next) as f64 * rate.min(1.0);
            let draws = (expected + 2.0 * expected.sqrt() + 2.0).min(CHUNK as f64) as usize;
            if rate < 1.0 {
                self.fill_bits(&mut gaps[..draws]);
                dispatch(Gaps { rate: rate as f32, words: &mut gaps[..draws.next_multiple_of(LANES)] });
            }
            let mut count = 0;
            // To the end without looking whether it is reached: that could not be foretold.
            for (index, gap) in chosen.iter_mut().zip(&gaps[..draws]) {
                next += u64::from(*gap);
                *index = next as u32;
                count += usize::from(next < length);
                next += 1;
            }
            if count > 0 {
                visit(self, &chosen[..count]);
            }
        }
    }
}

/// Random words to whole numbers below a bound; whether one of them would make some number likelier than others.
struct Below<'a> {
    bound: u32,
    words: &'a mut [u32],
}

impl Loop for Below<'_> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        let threshold = self.bound.wrapping_neg() % self.bound;
        let mut unfair = false;
        for word in self.words {
            let product = u64::from(*word) * u64::from(self.bound);
            unfair |= (product as u32) < threshold;
            *word = (product >> 32) as u32;
        }
        unfair
    }
}

/// Sixteen blocks in lanes, as many at a time as a register has.
struct ChaCha<'a> {
    key: &'a [u32; 8],
    first: u64,
    groups: &'a mut [Group; GROUPS],
}

impl Kernel for ChaCha<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut start = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        start[4..12].copy_from_slice(self.key);
        let mut counters = [[0; LANES]; 2];
        for (lane, block) in (self.first..).take(LANES).enumerate() {
            [counters[0][lane], counters[1][lane]] = [block as u32, (block >> 32) as u32];
        }
        unsafe {
            for first in (0..LANES).step_by(S::WORDS) {
                let mut x = [S::splat_bits(0); 16];
                for row in 0..12 {
                    x[row] = S::splat_bits(start[row]);
                }
                x[12] = S::load_bits(counters[0].as_ptr().add(first));
                x[13] = S::load_bits(counters[1].as_ptr().add(first));
                macro_rules! quarter_round {
                    ($a:literal $b:literal $c:literal $d:literal) => {
                        x[$a] = S::add_bits(x[$a], x[$b]);
                        x[$d] = S::xor_turn::<16>(x[$d], x[$a]);
                        x[$c] = S::add_bits(x[$c], x[$d]);
                        x[$b] = S::xor_turn::<12>(x[$b], x[$c]);
                        x[$a] = S::add_bits(x[$a], x[$b]);
                        x[$d] = S::xor_turn::<8>(x[$d], x[$a]);
                        x[$c] = S::add_bits(x[$c], x[$d]);
                        x[$b] = S::xor_turn::<7>(x[$b], x[$c]);
                    };
                }
                for _ in 0..4 {
                    quarter_round!(0 4 8 12);
                    quarter_round!(1 5 9 13);
                    quarter_round!(2 6 10 14);
                    quarter_round!(3 7 11 15);
                    quarter_round!(0 5 10 15);
                    quarter_round!(1 6 11 12);
                    quarter_round!(2 7 8 13);
                    quarter_round!(3 4 9 14);
                }
                x[12] = S::add_bits(x[12], S::load_bits(counters[0].as_ptr().add(first)));
                x[13] = S::add_bits(x[13], S::load_bits(counters[1].as_ptr().add(first)));
                let groups = &mut self.groups[first / GROUP..][..S::WORDS / GROUP];
                for row in 0..16 {
                    let words = if row < 12 { S::add_bits(x[row], S::splat_bits(start[row])) } else { x[row] };
                    S::store_fours(groups.as_mut_ptr().cast::<[u32; GROUP]>().add(row), 16, words);
                }
            }
        }
    }
}

/// Makes children of both parents with probability `rate`: each number from the first or the second with equal chance, by
/// a mask of random bits, one for each. The others are copies of the first.
///
/// # Panics
/// If a child and its parents are not equally long.
pub(crate) fn choose<'a>(children: impl Iterator<Item = (&'a mut [f32], [&'a [f32]; 2])>, rate: f64, rng: &mut Rng) {
    dispatch(ChooseEach { children, rate, rng });
}

/// x to the power of `exponent`, in place, for x from 0 to 1 and an exponent of 0 or above.
pub(crate) fn power(x: &mut [f32], exponent: f64) {
    dispatch(Powers::<false> { x, exponent: exponent as f32 });
}

/// 1 − x to the power of `exponent`, in place, for x from 0 to 1 and an exponent of 0 or above; small ones keep their digits.
pub(crate) fn shortfall(x: &mut [f32], exponent: f64) {
    dispatch(Powers::<true> { x, exponent: exponent as f32 });
}

/// Radii and angles to pairs of normal numbers.
struct Normals<'a> {
    radii: &'a [u32],
    turns: &'a [u32],
    deviation: f32,
    cosines: &'a mut [f32],
    sines: &'a mut [f32],
}

impl Kernel for Normals<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Normals { radii, turns, deviation, cosines, sines } = self;
        let vectors = radii.chunks_exact(LANES).zip(turns.chunks_exact(LANES));
        let out = cosines.chunks_exact_mut(LANES).zip(sines.chunks_exact_mut(LANES));
        for ((radii, turns), (cosines, sines)) in vectors.zip(out) {
            unsafe {
                // In (0, 1], so the logarithm is finite and not above 0.
                let u = S::fma(S::load_words(radii.as_ptr()), S::splat(UNIT), S::splat(0.5 * UNIT));
                let radius = S::sqrt(S::mul(S::splat(-2.0), ln::<S>(u)));
                let radius = S::mul(radius, S::splat(deviation));
                let turn = S::fma(S::load_words(turns.as_ptr()), S::splat(2.0 * UNIT), S::splat(-1.0));
                S::store(cosines.as_mut_ptr(), S::mul(radius, cos_pi::<S>(turn)));
                S::store(sines.as_mut_ptr(), S::mul(radius, sin_pi::<S>(turn)));
            }
        }
    }
}

/// Random words to whole numbers of the geometric law, ⌊ln(1 − u) / ln(1 − rate)⌋.
struct Gaps<'a> {
    rate: f32,
    words: &'a mut [u32],
}

impl Kernel for Gaps<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // A rate that rounds to 1 chooses everything, and one too small for the logarithm nothing that anybody waits for.
        let rate = self.rate.clamp(1e-30, 1.0 - 1.0 / 16_777_216.0);
        let scale = unsafe { S::div(S::splat(1.0), ln_1p::<S>(S::splat(-rate))) };
        for words in self.words.chunks_exact_mut(LANES) {
            unsafe {
                let u = S::fma(S::load_words(words.as_ptr()), S::splat(UNIT), S::splat(0.5 * UNIT));
                // Small u keep all their bits, which is where rare choices are decided; 1 itself is out of the way.
                let u = S::min(S::splat(1.0 - 1.0 / 16_777_216.0), u);
                let gap = S::mul(ln_1p::<S>(S::neg(u)), scale);
                S::store_words(words.as_mut_ptr(), S::min(S::splat(2_147_483_520.0), S::max(S::splat(0.0), gap)));
            }
        }
    }
}

struct ChooseEach<'a, I> {
    children: I,
    rate: f64,
    rng: &'a mut Rng,
}

impl<'a, I: Iterator<Item = (&'a mut [f32], [&'a [f32]; 2])>> Kernel for ChooseEach<'_, I> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        const MOST: usize = 32 * CHUNK;
        let mut buffer = [0; CHUNK];
        for (child, [first, second]) in self.children {
            assert!(child.len() == first.len() && child.len() == second.len());
            if !self.rng.chance(self.rate) {
                child.copy_from_slice(first);
                continue;
            }
            let mut from = 0;
            while from < child.len() {
                let genes = from..child.len().min(from + MOST);
                let bits = self.rng.next_words(&mut buffer[..genes.len().div_ceil(32)]);
                let (to, first, second) = (&mut child[genes.clone()], &first[genes.clone()], &second[genes.clone()]);
                unsafe { Choose { bits, to, first, second }.run::<S>() }
                from = genes.end;
            }
        }
    }
}

/// One number from either by each bit, from the lowest bit of the first word on.
struct Choose<'a> {
    bits: &'a [u32],
    to: &'a mut [f32],
    first: &'a [f32],
    second: &'a [f32],
}

impl Kernel for Choose<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Choose { bits, to, first, second } = self;
        let length = to.len();
        let (whole, rest) = (length / 32, length % 32);
        assert!(first.len() == length && second.len() == length && bits.len() >= length.div_ceil(32));
        let (to, first, second) = (to.as_mut_ptr(), first.as_ptr(), second.as_ptr());
        // SAFETY: the three are equally long, and every vector ends where they do or before.
        unsafe {
            macro_rules! choose_at {
                ($at:expr, $bits:expr) => {
                    let masks = S::masks($bits);
                    for half in 0..2 {
                        let at = $at + LANES * half;
                        S::store(to.add(at), S::select(masks[half], S::load(second.add(at)), S::load(first.add(at))));
                    }
                };
            }
            for index in 0..whole {
                choose_at!(32 * index, bits[index]);
            }
            if rest > 0 && whole > 0 {
                // Vectors that end where the genes end: what they cover twice comes out the same, and there is no branch
                // for each of the rest.
                let both = u64::from(bits[whole]) << 32 | u64::from(bits[whole - 1]);
                choose_at!(length - 32, (both >> rest) as u32);
            } else {
                for place in 0..rest {
                    *to.add(place) = if bits[0] >> place & 1 == 1 { *second.add(place) } else { *first.add(place) };
                }
            }
        }
    }
}

/// x^e, or 1 − x^e.
struct Powers<'a, const SHORTFALL: bool> {
    x: &'a mut [f32],
    exponent: f32,
}

impl<const SHORTFALL: bool> Kernel for Powers<'_, SHORTFALL> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for x in self.x.chunks_mut(LANES) {
            let mut lanes = [1.0; LANES];
            lanes[..x.len()].copy_from_slice(x);
            unsafe {
                // The logarithm wants normal numbers: 0 counts as the smallest of them.
                let base = S::max(S::splat(f32::MIN_POSITIVE), S::load(lanes.as_ptr()));
                let exponent = S::max(S::splat(-86.0), S::mul(ln::<S>(base), S::splat(self.exponent)));
                let y = if SHORTFALL { S::neg(expm1::<S>(exponent)) } else { exp_nonpositive::<S>(exponent) };
                S::store(lanes.as_mut_ptr(), y);
            }
            x.copy_from_slice(&lanes[..x.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Isa, dispatch_on};
    use super::*;
    use crate::rng::{Purpose, Streams};

    fn rng() -> Rng {
        Streams::new(1).stream(Purpose::Arm, 0, 0)
    }

    fn normals(count: usize) -> Vec<f64> {
        let mut numbers = vec![0.0; count];
        rng().fill_normal(&mut numbers, 2.0);
        numbers.iter().map(|x| f64::from(*x) / 2.0).collect()
    }

    #[test]
    fn golden_vectors_hold() {
        // A change here changes every result: raise STREAM_VERSION with it.
        let mut rng = rng();
        let (mut normals, mut uniform, mut chosen) = ([0.0; 5], [0.0; 3], Vec::new());
        rng.fill_normal(&mut normals, 1.0);
        rng.fill_uniform(&mut uniform);
        rng.sparse(1000, 0.01, |_, genes| chosen.extend_from_slice(genes));
        let (mut mixed, mut bits) = ([0.0; 40], [0; 2]);
        rng.fill_bits(&mut bits);
        dispatch(Choose { bits: &bits, to: &mut mixed, first: &[0.0; 40], second: &[1.0; 40] });
        let mask = mixed.iter().rev().fold(0_u64, |mask, bit| mask << 1 | *bit as u64);
        let mut powers = [0.0, 0.3, 1.0];
        power(&mut powers, 2.5);
        let found = format!(
            "{:x?} {:x?} {chosen:?} {mask:x} {:x?}",
            normals.map(f32::to_bits),
            uniform.map(f32::to_bits),
            powers.map(f32::to_bits)
        );
        assert_eq!(
            found,
            "[3e378d11, 3f2cb864, 3edec27c, bfdcb066, 3fb226cd] [3f56b87f, 3ecd40ba, 3f359194] \
             [28, 76, 183, 230, 260, 262, 334, 369, 409, 561, 592, 784, 819, 887, 971] \
             f7b5a2977b [1739362, 3d49e995, 3f800000]"
        );
    }

    #[test]
    fn normal_numbers_have_the_moments_and_tails_of_their_law() {
        let n = 2_000_000;
        let numbers = normals(n);
        let moment = |power: f64| numbers.iter().map(|x| libm::pow(*x, power)).sum::<f64>() / n as f64;
        // Deviations of the estimates: 0.0007, 0.001, 0.0027, 0.0069.
        for (power, exact, tolerance) in [(1.0, 0.0, 0.003), (2.0, 1.0, 0.004), (3.0, 0.0, 0.011), (4.0, 3.0, 0.028)] {
            assert!((moment(power) - exact).abs() < tolerance, "{power}: {}", moment(power));
        }
        // scipy 1.17.1: norm.cdf.
        for (bound, share) in [(-3.0, 0.0013498980), (-1.0, 0.1586552539), (0.5, 0.6914624613), (4.0, 0.9999683288)] {
            let found = numbers.iter().filter(|x| **x < bound).count() as f64;
            let expected = share * n as f64;
            let deviation = (expected * (1.0 - share)).sqrt();
            assert!((found - expected).abs() < 4.0 * deviation, "{bound}: {found} {expected}");
        }
        let neighbours: f64 = numbers.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n as f64;
        let partners: f64 = numbers.chunks(64).map(|c| (0..32).map(|i| c[i] * c[i + 32]).sum::<f64>()).sum::<f64>();
        assert!(neighbours.abs() < 0.003 && (2.0 * partners / n as f64).abs() < 0.004);
    }

    #[test]
    fn a_slice_is_filled_to_its_end() {
        for length in 0..130 {
            let mut numbers = vec![f32::NAN; length];
            rng().fill_normal(&mut numbers, 1.0);
            assert!(numbers.iter().all(|x| x.is_finite()));
            rng().fill_between(&mut numbers, 3.0, 5.0);
            assert!(numbers.iter().all(|x| (3.0..5.0).contains(x)));
        }
    }

    #[test]
    fn sparse_visits_each_index_at_its_rate_and_in_order() {
        let mut rng = rng();
        for (length, rate, rounds) in [(50, 0.1, 20_000), (50, 0.9, 5000), (1000, 0.001, 20_000), (200, 0.5, 5000)] {
            let mut hits = vec![0_u32; length];
            let mut squares = 0.0;
            for _ in 0..rounds {
                let (mut last, mut count) = (None, 0);
                rng.sparse(length, rate, |_, indices| {
                    for index in indices {
                        assert!(last < Some(*index));
                        last = Some(*index);
                        hits[*index as usize] += 1;
                        count += 1;
                    }
                });
                squares += libm::pow(f64::from(count) - rate * length as f64, 2.0);
            }
            let rounds = f64::from(rounds);
            let deviation = (rounds * rate * (1.0 - rate)).sqrt();
            let off = |hits: u32| (f64::from(hits) - rounds * rate).abs() / deviation;
            assert!(hits.iter().all(|hits| off(*hits) < 5.0), "{rate} {hits:?}");
            let total = f64::from(hits.iter().sum::<u32>()) - rounds * rate * length as f64;
            assert!(total.abs() < 4.0 * deviation * (length as f64).sqrt(), "{rate} {total}");
            let variance = squares / rounds / (rate * (1.0 - rate) * length as f64);
            assert!((variance - 1.0).abs() < 0.09, "{rate} {variance}");
        }
    }

    #[test]
    fn sparse_takes_the_extremes() {
        let mut rng = rng();
        let mut count = |length, rate| {
            let mut visited = Vec::new();
            rng.sparse(length, rate, |_, indices| visited.extend_from_slice(indices));
            visited
        };
        assert_eq!(count(150, 1.0), (0..150).collect::<Vec<_>>());
        for (length, rate) in [(10, 0.0), (0, 0.5), (0, 1.0), (100_000, 1e-300), (100_000, 1e-15)] {
            assert!(count(length, rate).is_empty(), "{length} {rate}");
        }
        // 100 expected among ten million, standard deviation 10.
        assert!((60..140).contains(&count(10_000_000, 1e-5).len()));
        assert_eq!(count(1000, 1.0 - 1e-12).len(), 1000);
    }

    #[test]
    fn either_number_is_chosen_with_equal_chance() {
        let mut rng = rng();
        let length = 2500;
        let other: Vec<f32> = (0..length).map(|x| -1.0 - x as f32).collect();
        let first: Vec<f32> = (0..length).map(|x| 1.0 + x as f32).collect();
        let (mut mixed, mut counts) = (vec![0.0_f32; length], vec![0; length]);
        for _ in 0..1000 {
            choose(std::iter::once((&mut mixed[..], [&first[..], &other])), 1.0, &mut rng);
            for (place, x) in mixed.iter().enumerate() {
                assert_eq!(x.abs(), 1.0 + place as f32);
                counts[place] += i32::from(*x < 0.0);
            }
        }
        // 500 expected, standard deviation 16.
        assert!(counts.iter().all(|count| (420..580).contains(count)));
    }

    #[test]
    fn powers_are_those_of_double_precision() {
        for exponent in [0.0, 1e-9, 0.0625, 1.0, 21.0] {
            let x: Vec<f32> = (0..=100).map(|x| x as f32 / 100.0).collect();
            let (mut powers, mut shortfalls) = (x.clone(), x.clone());
            power(&mut powers, exponent);
            shortfall(&mut shortfalls, exponent);
            for (x, (power, shortfall)) in x.iter().zip(powers.iter().zip(&shortfalls)).skip(1) {
                let exact = libm::pow(f64::from(*x), exponent);
                let rest = -libm::expm1(libm::log(f64::from(*x)) * exponent);
                assert!((f64::from(*power) - exact).abs() <= 2e-5 * exact + 1e-37, "{x}^{exponent}: {power}");
                assert!((f64::from(*shortfall) - rest).abs() <= 1e-6 * rest, "1 - {x}^{exponent}: {shortfall}");
            }
            if exponent > 0.01 {
                assert!(powers[0] < 0.005 && shortfalls[0] > 0.995);
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let mut words = [[0; CHUNK / 2]; 2];
        let mut gaps = [0; CHUNK];
        let (first, other) = (vec![-1.0; 1000], (0..1000).map(|x| x as f32).collect::<Vec<f32>>());
        for round in 0..200 {
            let mut rng = Streams::new(2).stream(Purpose::Arm, 0, round);
            words.iter_mut().for_each(|words| rng.fill_bits(words));
            rng.fill_bits(&mut gaps);
            if round == 0 {
                words = [[0, u32::MAX, 1, 1 << 31].repeat(8).try_into().unwrap(); 2];
                gaps = [0, u32::MAX, 1, 1 << 31].repeat(16).try_into().unwrap();
            }
            let all = |isa| {
                let mut normals = [[0.0; CHUNK / 2]; 2];
                let ([radii, turns], [cosines, sines]) = (&words, &mut normals);
                dispatch_on(isa, Normals { radii, turns, deviation: 1.5, cosines, sines });
                let mut whole = gaps;
                dispatch_on(isa, Gaps { rate: [0.3, 0.05, 1e-9][round as usize % 3], words: &mut whole });
                let mut mixed = vec![-1.0; 1000];
                dispatch_on(isa, Choose { bits: &gaps, to: &mut mixed, first: &first, second: &other });
                let mut powers = mixed.iter().map(|x| x.abs() / 1000.0).collect::<Vec<f32>>();
                dispatch_on(isa, Powers::<true> { x: &mut powers, exponent: 0.7 });
                let mut groups = [[[0; GROUP]; 16]; GROUPS];
                let key = gaps.first_chunk().expect("64 words");
                dispatch_on(isa, ChaCha { key, first: u64::from(u32::MAX) - 5, groups: &mut groups });
                let bits = normals.as_flattened().iter().chain(&powers).chain(&mixed).map(|x| x.to_bits());
                let words = whole.iter().chain(groups.as_flattened().as_flattened());
                bits.chain(words.copied()).collect::<Vec<u32>>()
            };
            let plain = all(Isa::Scalar);
            Isa::available().into_iter().for_each(|isa| assert_eq!(all(isa), plain, "{isa:?}"));
        }
    }
}
