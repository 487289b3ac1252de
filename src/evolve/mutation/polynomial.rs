//! Polynomial mutation.

use super::Mutate;
use crate::evolve::{Brood, Gene, SOME, Variation};
use crate::math::kernel::shortfall;
use crate::values::{NonNegative, Probability};
use serde::{Deserialize, Serialize};

/// Moves each gene with probability `rate` by a polynomial law that ends at the layer's bounds ±b.
///
/// With u from U(0, 1), q = (gene + b) / 2b for steps down (u ≤ 1/2) and (b − gene) / 2b for steps up, and v = 2u or
/// 2(1 − u), the step is 2b · (1 − (v + (1 − v)(1 − q)^(eta + 1))^(1/(eta + 1))) down or up, times the step schedule's scale.
/// Near steps are likely, far ones possible, none leaves the bounds. A gene that lies outside first goes to the bound.
///
/// Deb & Goyal 1996; the form with bounds is that of Deb & Agrawal 1999.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// Chance of each gene; 0.1 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
    /// Distribution index, 0 or above: a step is about 1/eta of the distance between the bounds; 20.
    #[serde(default = "default_eta")]
    pub eta: NonNegative,
}

fn default_eta() -> NonNegative {
    NonNegative::new(20.0).expect("in range")
}

impl Mutate for Polynomial {
    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        let power = self.eta.get() + 1.0;
        let (scale, bounds) = (f64::from(context.scale), &context.spread.bounds);
        let (mut uniform, mut reaches) = ([0.0; SOME], [0.0; SOME]);
        context.each_gene(brood, self.rate.get(), |rng, memory, genes| {
            let (uniform, reaches) = (&mut uniform[..genes.len()], &mut reaches[..genes.len()]);
            rng.fill_uniform(uniform);
            let bound = |gene: &Gene| f64::from(bounds[gene.layer()]);
            // The side of a step, and 1 − v.
            let split = |u: f32| if u <= 0.5 { (-1.0, 1.0 - 2.0 * u) } else { (1.0, 2.0 * u - 1.0) };
            let inside = |memory: &[f32], gene: &Gene| f64::from(memory[gene.at()]).clamp(-bound(gene), bound(gene));
            for ((gene, u), reach) in genes.iter().zip(&*uniform).zip(&mut *reaches) {
                // 1 − room, from 0 to 1.
                *reach = (0.5 + split(*u).0 * inside(memory, gene) / (2.0 * bound(gene))) as f32;
            }
            shortfall(reaches, power);
            // v + (1 − v)(1 − room)^power = 1 − (1 − v)(1 − (1 − room)^power).
            uniform.iter().zip(&mut *reaches).for_each(|(u, reach)| *reach = 1.0 - split(*u).1 * *reach);
            shortfall(reaches, 1.0 / power);
            for ((gene, u), reach) in genes.iter().zip(&*uniform).zip(&*reaches) {
                let step = split(*u).0 * f64::from(*reach) * 2.0 * bound(gene) * scale;
                memory[gene.at()] = (inside(memory, gene) + step).clamp(-bound(gene), bound(gene)) as f32;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::mutants;
    use crate::evolve::fixture::{Fixture, read};

    #[test]
    fn steps_follow_their_law_and_end_at_the_bounds() {
        let fixture = Fixture::new();
        let bound = fixture.spread.bounds[0];
        // In the middle: P(|step| / 2b ≤ d) = (1 − (1 − d)^(eta + 1)) / (1 − 2^−(eta + 1)), nearly its numerator.
        for (start, sides) in [(0.0, 0.5), (bound, 0.0), (1e6, 0.0), (-bound, 1.0)] {
            let parent = vec![start; fixture.network.parameters()];
            let mutants = mutants(&fixture, &read("Polynomial(rate: 1)").unwrap(), &parent, 0..500);
            let from = start.clamp(-bound, bound);
            let steps: Vec<f32> =
                mutants.iter().flat_map(|child| &child[..24]).map(|gene| (gene - from) / (2.0 * bound)).collect();
            let share = |test: &dyn Fn(f32) -> bool| steps.iter().filter(|step| test(**step)).count() as f32 / 12000.0;
            assert!(mutants.iter().all(|child| child[..24].iter().all(|gene| gene.abs() <= bound)));
            // A step towards a bound that is reached already has no room: half of the genes stay there.
            let up = share(&|step| step > 0.0) + if from == 0.0 { 0.0 } else { sides * share(&|step| step == 0.0) };
            assert!((up - sides).abs() < 0.03, "{start}: {up}");
            if start == 0.0 {
                for (d, probability) in [(0.01, 0.190272), (0.05, 0.659438), (0.2, 0.990777)] {
                    let found = share(&|step| step.abs() <= d);
                    assert!((found - probability).abs() < 0.02, "{d}: {found}");
                }
            }
        }
    }
}
