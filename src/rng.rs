//! Random numbers as a pure function of what they are for.
//!
//! No generator is stored anywhere: whoever needs numbers asks [`Streams`] for the stream of one purpose, step and
//! individual. Equal coordinates give equal numbers, whatever ran before and on whichever thread; a checkpoint
//! therefore holds none. The samplers are ours, so that a seed keeps its meaning when a dependency changes.

/// Changes whenever a seed would give other numbers than before.
pub const STREAM_VERSION: u32 = 3;

/// What a stream is used for. The number is part of the key and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Purpose {
    /// Splitting rows into training, validation and test.
    Split = 1,
    /// Order of the rows in minibatches of gradient descent.
    BatchOrder = 2,
    /// Drawing starts.
    Initialize = 3,
    /// Choosing parents.
    Selection = 4,
    /// Making children: crossover and mutation.
    Variation = 5,
    /// Rows of a generation's common minibatch.
    Scoring = 6,
    /// Choices of an arm that are none of the above.
    Arm = 7,
    /// Making data.
    Synthetic = 8,
    /// Resampling in statistics.
    Bootstrap = 9,
    /// Episodes of control tasks.
    Episode = 10,
    /// Directions in which a landscape of losses is looked at.
    Direction = 20,
}

/// All random numbers of one replicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
    branch: u32,
}

impl Streams {
    /// The streams of the replicate with this seed.
    pub fn new(seed: u64) -> Streams {
        Streams { seed, branch: 0 }
    }

    /// Streams of an island, restart, graft or candidate, apart from those of every other branch.
    ///
    /// Branch 0 is the trunk. Branches do not nest: the last one named counts.
    pub fn branch(self, branch: u32) -> Streams {
        Streams { branch, ..self }
    }

    /// The stream of one purpose at one step for one individual.
    pub fn stream(&self, purpose: Purpose, step: u64, individual: u64) -> Rng {
        Rng { key: self.key(purpose, step, individual), ..Rng::default() }
    }

    fn key(&self, purpose: Purpose, step: u64, individual: u64) -> [u32; 8] {
        // 64 + 32 + 32 + 64 + 64 bits fill the 256-bit key: different coordinates, different keys.
        let [seed, step, individual] = [self.seed, step, individual].map(halves);
        [seed[0], seed[1], purpose as u32, self.branch, step[0], step[1], individual[0], individual[1]]
    }
}

/// Low and high half.
fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// Blocks whose words are read together.
pub(crate) const GROUP: usize = 4;
/// Groups that are computed together.
pub(crate) const GROUPS: usize = 4;
/// Four blocks of 16 words: the first word of each, then the second of each, and so on.
pub(crate) type Group = [[u32; GROUP]; 16];
/// Words of all groups.
const WORDS: usize = GROUPS * 16 * GROUP;

/// A stream of random numbers: ChaCha8 (Bernstein 2008), with samplers of our own.
///
/// The words of four blocks are read together: the first word of each, then the second of each, and so on. The blocks are
/// computed and whole slices filled (`fill_normal`, `sparse` and others) beside the vector kernels in `math`.
#[derive(Clone, Debug)]
pub struct Rng {
    pub(crate) key: [u32; 8],
    /// Blocks computed so far.
    pub(crate) blocks: u64,
    pub(crate) groups: [Group; GROUPS],
    /// Words that have been read or were never there.
    pub(crate) used: usize,
}

impl Default for Rng {
    fn default() -> Rng {
        Rng { key: [0; 8], blocks: 0, groups: [[[0; GROUP]; 16]; GROUPS], used: WORDS }
    }
}

/// Streams drive whatever takes a generator of the crate `rand`: its distributions, shuffles and samplers.
///
/// ```
/// use precocial::rng::{Purpose, Streams};
/// use rand::RngExt;
/// let mut stream = Streams::new(1).stream(Purpose::Arm, 0, 0);
/// assert!((0.0..1.0).contains(&stream.random::<f32>()));
/// ```
impl rand::TryRng for Rng {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.bits32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.bits64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.bits32().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl Rng {
    /// 32 random bits.
    #[inline]
    pub fn bits32(&mut self) -> u32 {
        if self.used >= WORDS {
            self.refill();
        }
        let word = self.words()[self.used];
        self.used += 1;
        word
    }

    /// 64 random bits.
    #[inline]
    pub fn bits64(&mut self) -> u64 {
        u64::from(self.bits32()) | u64::from(self.bits32()) << 32
    }

    #[inline]
    fn words(&self) -> &[u32] {
        self.groups.as_flattened().as_flattened()
    }

    /// The next words, as many as `buffer` holds: where they lie if they have been computed already, else in `buffer`.
    #[inline]
    pub(crate) fn next_words<'a>(&'a mut self, buffer: &'a mut [u32]) -> &'a [u32] {
        let (used, count) = (self.used, buffer.len());
        if count <= WORDS - used {
            self.used += count;
            return &self.words()[used..used + count];
        }
        self.fill_bits(buffer);
        buffer
    }

    /// Fills `out` with random bits: the same words that as many calls of [`Rng::bits32`] give.
    pub fn fill_bits(&mut self, mut out: &mut [u32]) {
        while !out.is_empty() {
            if self.used == WORDS {
                self.refill();
            }
            let ready = &self.words()[self.used..];
            let count = ready.len().min(out.len());
            let (now, rest) = out.split_at_mut(count);
            now.copy_from_slice(&ready[..count]);
            self.used += count;
            out = rest;
        }
    }

    /// Uniform on [0, 1), a multiple of 2⁻²⁴.
    pub fn uniform(&mut self) -> f32 {
        (self.bits32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform on [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform64(&mut self) -> f64 {
        (self.bits64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform on [low, high).
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        self.uniform().mul_add(high - low, low)
    }

    /// True or false with equal chance.
    pub fn coin(&mut self) -> bool {
        self.bits32() >> 31 == 1
    }

    /// True with this probability.
    #[inline]
    pub fn chance(&mut self, probability: f64) -> bool {
        // As `uniform64() < probability`, in whole numbers: what the probability becomes is computed once outside of a loop.
        self.bits64() >> 11 < (probability * 9_007_199_254_740_992.0).ceil() as u64
    }

    /// A whole number below `bound`, all equally likely.
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "no number lies below 0");
        // Multiplication with rejection (Lemire 2019, algorithm 5): unbiased, one draw nearly always.
        if let Ok(bound) = u32::try_from(bound) {
            let mut product = u64::from(self.bits32()) * u64::from(bound);
            if (product as u32) < bound {
                let threshold = bound.wrapping_neg() % bound;
                while (product as u32) < threshold {
                    product = u64::from(self.bits32()) * u64::from(bound);
                }
            }
            return (product >> 32) as usize;
        }
        let bound = bound as u64;
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.bits64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }

    /// Two independent standard normal numbers (polar method, Marsaglia & Bray 1964).
    pub fn normal_pair(&mut self) -> (f64, f64) {
        loop {
            let x = self.uniform64().mul_add(2.0, -1.0);
            let y = self.uniform64().mul_add(2.0, -1.0);
            let square = x.mul_add(x, y * y);
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * libm::log(square) / square).sqrt();
                return (x * scale, y * scale);
            }
        }
    }

    /// One standard normal number.
    pub fn normal(&mut self) -> f64 {
        self.normal_pair().0
    }

    /// Puts `items` into random order (Fisher & Yates, from the back).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rng() -> Rng {
        Streams::new(1).stream(Purpose::Arm, 0, 0)
    }

    #[test]
    fn golden_vectors_hold() {
        // A change here changes every result: raise STREAM_VERSION with it.
        let mut bits = Streams::new(7).branch(2).stream(Purpose::Variation, 3, 4);
        let first = [bits.bits64(), bits.bits64(), bits.bits64()];
        let mut again = Streams::new(7).branch(2).stream(Purpose::Variation, 3, 4);
        let uniform = again.uniform();
        let (below, normal) = (again.below(1000), again.normal());
        assert_eq!(first, [13718910666917288890, 8146974802162662222, 17570217943612439915]);
        assert_eq!((uniform.to_bits(), below, normal.to_bits()), (1062136859, 743, 13813615379868682783));
    }

    #[test]
    fn different_coordinates_give_different_streams() {
        let base = Streams::new(1);
        let mut seen = std::collections::HashSet::new();
        for streams in [base, base.branch(1), Streams::new(2)] {
            for purpose in [Purpose::Split, Purpose::Arm] {
                for (step, individual) in [(0, 0), (0, 1), (1, 0)] {
                    assert!(seen.insert(streams.stream(purpose, step, individual).bits64()));
                }
            }
        }
    }

    #[test]
    fn the_words_are_those_of_chacha8() {
        // rand_chacha 0.10 as oracle; its blocks come one after the other.
        use rand_chacha::rand_core::{Rng as _, SeedableRng};
        let mut key = [0_u8; 32];
        for (bytes, word) in key.chunks_exact_mut(4).zip([7, 0, 5, 2, 3, 0, 4, 1_u32]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let mut oracle = rand_chacha::ChaCha8Rng::from_seed(key);
        let words: Vec<u32> = (0..3 * WORDS).map(|_| oracle.next_u32()).collect();
        let mut rng = Streams::new(7).branch(2).stream(Purpose::Variation, 3, (1 << 32) + 4);
        for group in words.chunks_exact(16 * GROUP) {
            for place in 0..16 * GROUP {
                assert_eq!(rng.bits32(), group[place % GROUP * 16 + place / GROUP]);
            }
        }
    }

    #[test]
    fn bits_are_the_same_one_by_one_and_in_bulk() {
        let (mut single, mut bulk) = (rng(), rng());
        for count in [1, 5, 64, 0, 63, 200, 7, 700] {
            let mut words = vec![0; count];
            bulk.fill_bits(&mut words);
            assert!(words.iter().all(|word| *word == single.bits32()));
            assert!(bulk.next_words(&mut words).iter().all(|word| *word == single.bits32()));
        }
    }

    #[test]
    fn a_chance_is_a_uniform_number_below_it() {
        let (mut chances, mut numbers) = (rng(), rng());
        for round in 0..4000 {
            let number = numbers.uniform64();
            let probability = [0.0, 1.0, 0.9, number, number.next_up(), number.next_down(), f64::NAN][round % 7];
            assert_eq!(chances.chance(probability), number < probability, "{number} {probability}");
        }
    }

    #[test]
    fn whole_numbers_are_equally_likely() {
        let mut rng = rng();
        let mut counts = [0; 7];
        (0..70_000).for_each(|_| counts[rng.below(7)] += 1);
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        let wide = 3 << 40;
        let below_third = (0..3000).filter(|_| rng.below(wide) < wide / 3).count();
        assert!((900..1100).contains(&below_third), "{below_third}");
    }

    #[test]
    fn whole_numbers_in_bulk_are_those_of_one_by_one() {
        for bound in [1, 7, 1000, 3 << 30, u32::MAX] {
            let (mut single, mut bulk) = (rng(), rng());
            let mut numbers = vec![0; 3];
            bulk.fill_below(bound, &mut numbers);
            assert!(numbers.iter().all(|number| *number < bound));
            if bound <= 1000 {
                assert!(numbers.iter().all(|number| *number as usize == single.below(bound as usize)));
            }
        }
        // Half of the words are rejected: where one is, all are drawn again.
        let mut rng = rng();
        let (bound, mut counts) = (0x8000_0001_u32, [0; 4]);
        for _ in 0..2000 {
            let mut numbers = [0; 2];
            rng.fill_below(bound, &mut numbers);
            numbers.iter().for_each(|number| counts[(u64::from(*number) * 4 / u64::from(bound)) as usize] += 1);
        }
        assert!(counts.iter().all(|count| (880..1120).contains(count)), "{counts:?}");
    }

    #[test]
    fn normal_numbers_have_the_right_moments() {
        let mut rng = rng();
        let numbers: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        let moment = |power| numbers.iter().map(|x| libm::pow(*x, power)).sum::<f64>() / 100_000.0;
        assert!(moment(1.0).abs() < 0.015 && (moment(2.0) - 1.0).abs() < 0.02 && (moment(4.0) - 3.0).abs() < 0.15);
    }

    #[test]
    fn shuffle_keeps_the_items() {
        let mut items: Vec<u32> = (0..100).collect();
        rng().shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
