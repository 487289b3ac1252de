//! Crossover: how two parents make a child.

mod aligned;
mod arithmetic;
mod blend;
mod one_point;
mod per_layer;
mod per_neuron;
mod simulated_binary;
mod team;
mod two_point;
mod uniform;

pub use aligned::{Aligned, align};
pub use arithmetic::Arithmetic;
pub use blend::Blend;
pub use one_point::OnePoint;
pub use per_layer::PerLayer;
pub use per_neuron::PerNeuron;
pub use simulated_binary::SimulatedBinary;
pub use team::Team;
pub use two_point::TwoPoint;
pub use uniform::Uniform;

use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::{Brood, Parents, Variation};
use crate::math::Rows;
use crate::network::Mlp;
use crate::values::Probability;

/// Mixes a second parent into a child.
pub trait Cross: Send + Sync {
    /// Refuses a network that it cannot cross; it must not be given one.
    ///
    /// # Errors
    /// What does not go together, with the way out.
    fn fits(&self, _network: &Mlp) -> Result<()> {
        Ok(())
    }

    /// What one child costs at most: passes over rows, where the operator looks at any.
    fn cost(&self, _network: &Mlp, _rows: &Rows) -> Cost {
        Cost::ZERO
    }

    /// Bytes of the equations that a child takes while it is made, on so many rows; for the plan.
    fn bytes(&self, _network: &Mlp, _rows: usize) -> u64 {
        0
    }

    /// Share of the children that are crossed at all; the others are copies of their first parent.
    fn rate(&self) -> Probability;

    /// `child` comes in as a copy of the first parent; `other` is the second. Equal parents give an equal child.
    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation);

    /// Makes every child of a brood, whatever it holds: crossed with probability [`Cross::rate`], or a copy of its first
    /// parent.
    fn cross_brood(&self, brood: &mut Brood, parents: Parents, context: &mut Variation) {
        for ((child, _), [first, second]) in brood.children().zip(parents.genomes()) {
            let crossed = context.rng.chance(self.rate().get());
            child.copy_from_slice(first);
            if crossed {
                self.cross(child, second, context);
            }
        }
    }
}

crate::registry! {
    /// How two parents make a child.
    pub enum Crossover: dyn Cross {
        OnePoint(OnePoint),
        TwoPoint(TwoPoint),
        Uniform(Uniform),
        Arithmetic(Arithmetic),
        Blend(Blend),
        SimulatedBinary(SimulatedBinary),
        PerNeuron(PerNeuron),
        PerLayer(PerLayer),
        Aligned(Aligned),
        Team(Team),
    }
}

/// 0.7: most children have two parents, some are refined copies.
fn default_rate() -> Probability {
    Probability::new(0.7).expect("in range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::{Fixture, all, bits, read};

    /// Which genes of a child come from the second parent, for operators that take every gene from either.
    pub(super) fn origins(operator: &dyn Cross, individual: u64) -> Vec<bool> {
        origins_in(&Fixture::new(), operator, individual)
    }

    pub(super) fn origins_in(fixture: &Fixture, operator: &dyn Cross, individual: u64) -> Vec<bool> {
        let mut child: Vec<f32> = (0..fixture.network.parameters()).map(|gene| gene as f32).collect();
        let first = child.clone();
        let other: Vec<f32> = first.iter().map(|gene| -gene - 1.0).collect();
        fixture.vary(individual, |context| operator.cross(&mut child, &other, context));
        let from_other = |gene: usize| {
            assert!(child[gene] == first[gene] || child[gene] == other[gene]);
            child[gene] == other[gene]
        };
        (0..first.len()).map(from_other).collect()
    }

    /// One of each, with a network that it serves.
    fn operators() -> impl Iterator<Item = (Crossover, Fixture)> {
        all::<Crossover>(Crossover::CATALOGUE).into_iter().map(|operator| {
            let fixture = Fixture::new();
            match (&operator, operator.fits(&fixture.network)) {
                // Of 40 rows some, so that it has something to draw.
                (Crossover::Team(_), _) => {
                    (read("Team(rows: 20)").unwrap(), Fixture::with(&[(6, crate::math::Activation::Tanh)]))
                }
                (_, fits) => {
                    fits.unwrap();
                    (operator, fixture)
                }
            }
        })
    }

    fn child(fixture: &Fixture, operator: &Crossover, parents: [&[f32]; 2], individual: u64) -> Vec<f32> {
        let mut child = parents[0].to_vec();
        fixture.vary(individual, |context| operator.cross(&mut child, parents[1], context));
        child
    }

    #[test]
    fn equal_parents_give_an_equal_child() {
        for (operator, fixture) in operators() {
            let mut parent = fixture.genome(0);
            parent[..4].copy_from_slice(&[0.0, 1e6, -1e30, f32::MIN_POSITIVE]);
            for individual in 0..20 {
                assert_eq!(child(&fixture, &operator, [&parent, &parent], individual), parent, "{operator:?}");
            }
        }
    }

    #[test]
    fn finite_stays_finite() {
        for (operator, fixture) in operators() {
            for largest in [1e6, 1e30, f32::MAX] {
                let wild =
                    |index| fixture.genome(index).iter().map(|gene| largest.copysign(*gene)).collect::<Vec<f32>>();
                for individual in 0..20 {
                    let child = child(&fixture, &operator, [&wild(0), &wild(1)], individual);
                    assert!(child.iter().all(|gene| gene.is_finite()), "{operator:?}");
                }
            }
        }
    }

    #[test]
    fn a_child_is_a_function_of_its_stream() {
        for (operator, fixture) in operators() {
            let (first, second) = (fixture.genome(0), fixture.genome(1));
            let child = |individual| child(&fixture, &operator, [&first, &second], individual);
            assert_eq!(child(0), child(0), "{operator:?}");
            assert!((1..10).any(|individual| child(individual) != child(0)), "{operator:?}");
            assert!((0..10).any(|individual| child(individual) != first), "{operator:?} changes something");
        }
    }

    #[test]
    fn every_rate_can_be_set_and_is_checked() {
        for name in Crossover::CATALOGUE {
            let operator: Crossover = read(&format!("{name}(rate: 0.25)")).unwrap();
            assert_eq!(operator.rate().get(), 0.25);
            let minimal: Crossover = read(&format!("{name}()")).unwrap();
            assert_eq!((minimal.rate().get(), minimal.name()), (0.7, *name));
            assert!(read::<Crossover>(&format!("{name}(rate: 1.5)")).is_err());
            assert!(read::<Crossover>(&format!("{name}(ratio: 0.5)")).is_err());
        }
    }

    #[test]
    fn a_brood_has_the_children_of_its_parents_one_by_one() {
        for (operator, fixture) in operators() {
            let parameters = fixture.network.parameters();
            let (stride, pairs) = (parameters + 3, [[0, 1], [2, 2], [3, 7], [7, 3], [5, 6], [4, 0], [1, 4]]);
            let (mut memory, mut step_sizes) = (vec![f32::NAN; pairs.len() * stride], [1.0; 7]);
            let mut single = memory.clone();
            fixture.vary(5, |context| {
                let mut brood = Brood::new(&mut memory, parameters, stride, &mut step_sizes);
                operator.cross_brood(&mut brood, Parents::new(&fixture.population, &pairs), context);
            });
            fixture.vary(5, |context| {
                for (child, pair) in single.chunks_mut(stride).zip(pairs) {
                    let [first, second] = pair.map(|parent: u32| fixture.population.genome(parent as usize));
                    child[..parameters].copy_from_slice(first);
                    if context.rng.chance(operator.rate().get()) {
                        operator.cross(&mut child[..parameters], second, context);
                    }
                }
            });
            let bits = |genes: &[f32]| genes.iter().map(|gene| gene.to_bits()).collect::<Vec<u32>>();
            assert_eq!(bits(&memory), bits(&single), "{operator:?}");
        }
    }

    #[test]
    fn golden_vectors_hold() {
        // A change here changes every result: raise STREAM_VERSION with it.
        let golden = |(operator, fixture): (Crossover, Fixture)| {
            let child = child(&fixture, &operator, [&fixture.genome(0), &fixture.genome(1)], 3);
            format!("{} {:x?}", operator.name(), bits(&child))
        };
        let found: Vec<String> = operators().map(golden).collect();
        assert_eq!(
            found,
            [
                "OnePoint [bf27c1a4, 3c77a76f, beccf12f, bf1ad909]",
                "TwoPoint [bf27c1a4, 3c77a76f, be822a34, befc3284]",
                "Uniform [bf27c1a4, 3c77a76f, be822a34, befc3284]",
                "Arithmetic [bf26a3c0, 3db19730, be9e8303, bf08ff3c]",
                "Blend [bf279b49, 3e24090f, be83f5e0, bf13cd9b]",
                "SimulatedBinary [bf24f19a, 3e14a713, bed0ddd4, bf1a7a7b]",
                "PerNeuron [bf27c1a4, 3e058e9f, be822a34, bf1ad909]",
                "PerLayer [bf27c1a4, 3e058e9f, be822a34, befc3284]",
                "Aligned [bf27c1a4, 3e058e9f, be822a34, bf1ad909]",
                "Team [be67615a, 3e235c58, bf6da1ee, 3f790081]",
            ]
        );
    }
}
