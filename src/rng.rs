//! Random numbers as a pure function of what they are for.
//!
//! No generator is stored anywhere: whoever needs numbers asks [`Streams`] for the stream of one purpose, step and
//! individual. Equal coordinates give equal numbers, whatever ran before and on whichever thread; a checkpoint
//! therefore holds none. The samplers are ours, so that a seed keeps its meaning when a dependency changes.

use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Changes whenever a seed would give other numbers than before.
pub const STREAM_VERSION: u32 = 2;

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
    /// Making a child: crossover and mutation.
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
        // 64 + 32 + 32 + 64 + 64 bits fill the 256-bit key: different coordinates, different keys.
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..12].copy_from_slice(&(purpose as u32).to_le_bytes());
        key[12..16].copy_from_slice(&self.branch.to_le_bytes());
        key[16..24].copy_from_slice(&step.to_le_bytes());
        key[24..].copy_from_slice(&individual.to_le_bytes());
        Rng(ChaCha8Rng::from_seed(key))
    }
}

/// A stream of random numbers: ChaCha8, with samplers of our own.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// 32 random bits.
    pub fn bits32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// 64 random bits.
    pub fn bits64(&mut self) -> u64 {
        self.0.next_u64()
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
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform64() < probability
    }

    /// A whole number below `bound`, all equally likely.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "no number lies below 0");
        let bound = bound as u64;
        // Multiplication with rejection (Lemire 2019, algorithm 5): unbiased, one draw nearly always.
        let mut product = u128::from(self.bits64()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.bits64()) * u128::from(bound);
            }
        }
        (product >> 64) as usize
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

    /// Fills `out` with normal numbers of mean 0 and the given standard deviation.
    pub fn fill_normal(&mut self, out: &mut [f32], standard_deviation: f64) {
        for pair in out.chunks_mut(2) {
            let (first, second) = self.normal_pair();
            pair[0] = (first * standard_deviation) as f32;
            if let Some(slot) = pair.get_mut(1) {
                *slot = (second * standard_deviation) as f32;
            }
        }
    }

    /// Puts `items` into random order (Fisher & Yates, from the back).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Calls `visit` with the indices below `length` that are chosen independently with probability `rate`, ascending.
    ///
    /// Draws the gaps between chosen indices (geometric law) instead of one coin per index.
    pub fn sparse(&mut self, length: usize, rate: f64, mut visit: impl FnMut(&mut Rng, usize)) {
        if rate <= 0.0 {
            return;
        }
        if rate >= 1.0 {
            (0..length).for_each(|index| visit(self, index));
            return;
        }
        let scale = 1.0 / libm::log1p(-rate);
        let mut index = 0_usize;
        loop {
            // 1 − u lies in (0, 1], so the logarithm is finite.
            let gap = libm::log(1.0 - self.uniform64()) * scale;
            if gap >= (length - index) as f64 {
                return;
            }
            index += gap as usize;
            visit(self, index);
            index += 1;
            if index == length {
                return;
            }
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
        assert_eq!(first, [17525403270689594298, 11541177350420321386, 2079886729575922200]);
        assert_eq!((uniform.to_bits(), below, normal.to_bits()), (1062136859, 21, 4603855228886954592));
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
    fn samplers_have_the_right_moments() {
        let mut rng = rng();
        let n = 200_000;
        let mut numbers = vec![0.0_f32; n];
        rng.fill_normal(&mut numbers, 2.0);
        let mean = numbers.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64;
        let variance = numbers.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.02 && (variance - 4.0).abs() < 0.06, "{mean} {variance}");
        let mut counts = [0; 7];
        (0..70_000).for_each(|_| counts[rng.below(7)] += 1);
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn sparse_visits_each_index_at_its_rate_and_in_order() {
        let mut rng = rng();
        let (length, rate, rounds) = (50, 0.1, 20_000);
        let mut hits = vec![0_u32; length];
        for _ in 0..rounds {
            let mut last = None;
            rng.sparse(length, rate, |_, index| {
                assert!(last < Some(index));
                last = Some(index);
                hits[index] += 1;
            });
        }
        // 2000 expected, standard deviation 42.
        assert!(hits.iter().all(|hit| (1_790..2_210).contains(hit)), "{hits:?}");
        rng.sparse(10, 0.0, |_, _| panic!("rate 0 visits nothing"));
        let mut all = 0;
        rng.sparse(10, 1.0, |_, _| all += 1);
        assert_eq!(all, 10);
        rng.sparse(0, 0.5, |_, _| panic!("nothing to visit"));
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
