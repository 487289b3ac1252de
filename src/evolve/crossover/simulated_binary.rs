//! Simulated binary crossover.

use super::Cross;
use crate::evolve::variation::single;
use crate::evolve::{SOME, Variation};
use crate::math::kernel::{Loop, power, vectorized};
use crate::values::{NonNegative, Probability};
use serde::{Deserialize, Serialize};

/// Each gene beside one of its parents, at a distance that follows one-point crossover of binary numbers: SBX.
///
/// With u from U(0, 1) and β = (2u)^(1/(eta + 1)) for u ≤ 1/2, else (1/(2(1 − u)))^(1/(eta + 1)), the two possible genes are
/// ((1 ± β)·first + (1 ∓ β)·second)/2; the child takes either with equal chance. The parents' mean is kept on average, and
/// steps are as wide as the parents differ. Prefer it to `Blend` where children should stay near a parent.
///
/// Deb & Agrawal 1995, with the contracting and expanding laws of index eta.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedBinary {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
    /// Distribution index: higher stays nearer to the parents, 2 is wide, 20 is narrow; 15.
    #[serde(default = "default_eta")]
    pub eta: NonNegative,
}

fn default_eta() -> NonNegative {
    NonNegative::new(15.0).expect("in range")
}

impl Cross for SimulatedBinary {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        let exponent = 1.0 / (self.eta.get() + 1.0);
        let (mut bits, mut betas) = ([0; SOME], [0.0; SOME]);
        for (genes, others) in child.chunks_mut(SOME).zip(other.chunks(SOME)) {
            let (bits, betas) = (&mut bits[..genes.len()], &mut betas[..genes.len()]);
            context.rng.fill_bits(bits);
            // 2u or 2(1 − u), uniform on (0, 1] on either side of 1/2; two more bits tell the side and the child.
            betas.iter_mut().zip(&*bits).for_each(|(v, bits)| *v = ((bits >> 8) + 1) as f32 * (1.0 / 16_777_216.0));
            power(betas, exponent);
            vectorized(Spread { genes, others, betas, bits });
        }
    }
}

/// Sets each gene beside one of its parents, `betas` or their reciprocals times half their distance from the middle.
struct Spread<'a> {
    genes: &'a mut [f32],
    others: &'a [f32],
    betas: &'a [f32],
    bits: &'a [u32],
}

impl Loop for Spread<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (((gene, other), beta), bits) in self.genes.iter_mut().zip(self.others).zip(self.betas).zip(self.bits) {
            let (first, second, beta) = (f64::from(*gene), f64::from(*other), f64::from(*beta));
            let beta = if bits & 1 == 0 { beta } else { 1.0 / beta };
            let side = if bits & 2 == 0 { beta } else { -beta };
            *gene = single(0.5 * (first + second) + 0.5 * side * (first - second));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::Fixture;

    #[test]
    fn spread_factors_follow_their_law() {
        let fixture = Fixture::new();
        let operator = SimulatedBinary { rate: super::super::default_rate(), eta: default_eta() };
        let mut betas = Vec::new();
        let mut sum = 0.0;
        for individual in 0..300 {
            let mut child = vec![-1.0; fixture.network.parameters()];
            let other = vec![1.0; child.len()];
            fixture.vary(individual, |context| operator.cross(&mut child, &other, context));
            sum += child.iter().sum::<f32>();
            betas.extend(child.iter().map(|gene| gene.abs()));
        }
        let n = betas.len() as f32;
        assert!((sum / n).abs() < 0.03, "the mean is kept");
        // P(β ≤ b) is b^16 / 2 below 1 and 1 − b^−16 / 2 above.
        for (bound, probability) in [(0.9, 0.0926510), (1.0, 0.5), (1.1, 0.8911855), (1.3, 0.9924859)] {
            let share = betas.iter().filter(|beta| **beta <= bound).count() as f32 / n;
            assert!((share - probability).abs() < 0.012, "{bound}: {share}");
        }
    }
}
