//! Mutation: how children differ from their parents.

mod gaussian;
mod neuron_reset;
mod non_uniform;
mod polynomial;
mod safe;
mod self_adaptive;
mod sign_flip;
mod uniform_reset;

pub use gaussian::Gaussian;
pub use neuron_reset::NeuronReset;
pub use non_uniform::NonUniform;
pub use polynomial::Polynomial;
pub use safe::Safe;
pub use self_adaptive::SelfAdaptive;
pub use sign_flip::SignFlip;
pub use uniform_reset::UniformReset;

use crate::cost::Cost;
use crate::evolve::{Brood, SOME, Variation};
use crate::math::Rows;
use crate::network::Mlp;
use crate::values::{Positive, Probability};

/// Changes children in place.
pub trait Mutate: Send + Sync {
    /// What one child costs at most: passes over rows, where the operator looks at any.
    fn cost(&self, _network: &Mlp, _rows: &Rows) -> Cost {
        Cost::ZERO
    }

    /// Mutates every child of a brood. A rate of 0 changes nothing; finite genes stay finite.
    fn mutate(&self, brood: &mut Brood, context: &mut Variation);
}

crate::registry! {
    /// How children differ from their parents.
    pub enum Mutation: dyn Mutate {
        Gaussian(Gaussian),
        UniformReset(UniformReset),
        Polynomial(Polynomial),
        NonUniform(NonUniform),
        SelfAdaptive(SelfAdaptive),
        SignFlip(SignFlip),
        NeuronReset(NeuronReset),
        Safe(Safe),
    }
}

/// 0.1: the upper end of the literature's 0.01 to 0.1, for steps that stay near.
fn default_rate() -> Probability {
    Probability::new(0.1).expect("in range")
}

/// 0.02: what a reset hits is lost.
fn default_reset_rate() -> Probability {
    Probability::new(0.02).expect("in range")
}

/// 0.15 spreads.
fn default_sigma() -> Positive {
    Positive::new(0.15).expect("in range")
}

/// Adds N(0, (sigma · spread)²) to every gene.
fn add_normals(child: &mut [f32], sigma: f64, context: &mut Variation) {
    for (layer, spread) in context.network.layers().iter().zip(&context.spread.per_layer) {
        let sigma = sigma * f64::from(*spread);
        let mut steps = [0.0; SOME];
        for genes in child[layer.weights.start..layer.biases.end].chunks_mut(SOME) {
            let steps = &mut steps[..genes.len()];
            context.rng.fill_normal(steps, sigma);
            genes.iter_mut().zip(steps).for_each(|(gene, step)| *gene = (*gene + *step).clamp(f32::MIN, f32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::{Fixture, all, bits, read};
    use std::ops::Range;

    /// Children of `parent`: broods of three, some memory apart.
    pub(super) fn mutants(
        fixture: &Fixture,
        operator: &Mutation,
        parent: &[f32],
        individuals: Range<u64>,
    ) -> Vec<Vec<f32>> {
        let (count, stride) = ((individuals.end - individuals.start) as usize, parent.len() + 5);
        let mut memory = [parent, &[f32::NAN; 5]].concat().repeat(count);
        let (size, mut step_sizes) = (3.min(count), vec![1.0; count]);
        let broods = memory.chunks_mut(size * stride).zip(step_sizes.chunks_mut(size));
        for (individual, (memory, step_sizes)) in individuals.zip(broods) {
            let mut brood = Brood::new(memory, parent.len(), stride, step_sizes);
            fixture.vary(individual, |context| operator.mutate(&mut brood, context));
        }
        let child = |row: &[f32]| {
            let (child, between) = row.split_at(parent.len());
            assert!(between.iter().all(|gene| gene.is_nan()), "what lies between two children is no gene");
            child.to_vec()
        };
        memory.chunks(stride).map(child).collect()
    }

    /// All operators that have a rate, with that one.
    fn with_rate(rate: f64) -> Vec<Mutation> {
        let rated = Mutation::CATALOGUE.iter().filter(|name| **name != "SelfAdaptive");
        rated.map(|name| read(&format!("{name}(rate: {rate})")).unwrap_or_else(|cause| panic!("{cause}"))).collect()
    }

    #[test]
    fn rate_0_changes_nothing_and_costs_nothing() {
        let fixture = Fixture::new();
        for operator in with_rate(0.0) {
            let mut child = fixture.genome(0);
            let mut size = 1.0;
            let mut brood = Brood::of(&mut child, &mut size);
            let cost = fixture.vary(0, |context| operator.mutate(&mut brood, context));
            assert_eq!(child, fixture.genome(0), "{operator:?}");
            assert_eq!(cost.total(), 0);
        }
    }

    #[test]
    fn genes_change_at_their_rate() {
        let fixture = Fixture::new();
        let parent = fixture.genome(0);
        // The rate of units has a test of its own.
        for operator in with_rate(0.3).iter().filter(|operator| operator.name() != "NeuronReset") {
            let mutants = mutants(&fixture, operator, &parent, 0..400);
            let mut counts = vec![0_u32; parent.len()];
            for child in &mutants {
                child.iter().zip(&parent).zip(&mut counts).for_each(|((a, b), count)| *count += u32::from(a != b));
            }
            // 120 expected of every gene, standard deviation 9.2; 0.9 of all together.
            assert!(counts.iter().all(|count| (75..165).contains(count)), "{operator:?} {counts:?}");
            let mean = f64::from(counts.iter().sum::<u32>()) / parent.len() as f64;
            assert!((mean - 120.0).abs() < 4.0, "{operator:?} {mean}");
        }
    }

    #[test]
    fn finite_stays_finite() {
        let fixture = Fixture::new();
        for largest in [1e6, 1e30, f32::MAX] {
            let parent: Vec<f32> = fixture.genome(0).iter().map(|gene| largest.copysign(*gene)).collect();
            let wide = ["Gaussian(sigma: 1e300)", "SelfAdaptive(sigma: 1e300)", "Safe(sigma: 1e300)"];
            let wide = wide.map(|text| read::<Mutation>(text).unwrap());
            for operator in with_rate(1.0).into_iter().chain(all(Mutation::CATALOGUE)).chain(wide) {
                let mutants = mutants(&fixture, &operator, &parent, 0..20);
                assert!(mutants.iter().flatten().all(|gene| gene.is_finite()), "{operator:?} at {largest}");
            }
        }
    }

    #[test]
    fn a_child_is_a_function_of_its_stream() {
        let fixture = Fixture::new();
        for operator in all::<Mutation>(Mutation::CATALOGUE) {
            let mutants = || mutants(&fixture, &operator, &fixture.genome(0), 0..30);
            assert_eq!(mutants(), mutants(), "{operator:?}");
            let children = mutants();
            assert!(children.iter().any(|child| *child != children[0]), "{operator:?}");
        }
    }

    #[test]
    fn steps_count_in_spreads_and_follow_the_schedule() {
        let mut fixture = Fixture::new();
        fixture.spread.per_layer[1] = 3.0;
        let parent = vec![0.0; fixture.network.parameters()];
        for (operator, factor) in
            [("Gaussian(rate: 1)", 0.15), ("SelfAdaptive()", 0.15), ("Gaussian(rate: 1, sigma: 2)", 2.0)]
        {
            for scale in [1.0, 0.25_f32] {
                let operator: Mutation = read(operator).unwrap();
                let mut square = 0.0;
                for individual in 0..200 {
                    let mut child = parent.clone();
                    fixture.vary(individual, |context| {
                        context.scale = scale;
                        operator.mutate(&mut Brood::of(&mut child, &mut 1.0), context);
                    });
                    square += child[fixture.network.layers()[1].weights.clone()].iter().map(|x| x * x).sum::<f32>();
                }
                let deviation = (square / (200.0 * 30.0)).sqrt() / (3.0 * scale * factor);
                assert!((deviation - 1.0).abs() < 0.05, "{operator:?} {deviation}");
            }
        }
    }

    #[test]
    fn settings_are_checked() {
        assert!(read::<Mutation>("SelfAdaptive(rate: 0.1)").is_err());
        for name in Mutation::CATALOGUE {
            assert!(read::<Mutation>(&format!("{name}(rate: 1.5)")).is_err());
            assert_eq!(read::<Mutation>(&format!("{name}()")).unwrap().name(), *name);
        }
    }

    #[test]
    fn golden_vectors_hold() {
        // A change here changes every result: raise STREAM_VERSION with it.
        let fixture = Fixture::new();
        let golden = |operator: &Mutation| {
            // The last one of a brood.
            let mutants = mutants(&fixture, operator, &fixture.genome(0), 0..3);
            format!("{} {:x?}", operator.name(), bits(&mutants[2]))
        };
        let mut operators = with_rate(0.7);
        operators.extend(all(&["SelfAdaptive"]));
        let found: Vec<String> = operators.iter().map(golden).collect();
        assert_eq!(
            found,
            [
                "Gaussian [bf20b80b, 3e04a3ea, be859fd2, bf13f462]",
                "UniformReset [4018fceb, 40283b23, bd97921e, bfb322cd]",
                "Polynomial [be0e327f, 3f6cd550, be85d0af, bf2d9547]",
                "NonUniform [bf27c1a4, 3f6dcf4b, bebdac45, bf94aeb1]",
                "SignFlip [bf27c1a4, be058e9f, 3e822a34, 3efc3284]",
                "NeuronReset [bf27c1a4, bf4e3d76, 3eb00463, befc3284]",
                "Safe [3e83a968, 3e058e9f, be822a34, befc3284]",
                "SelfAdaptive [bf112f8d, 3dc2d084, be87abbb, bef3c920]",
            ]
        );
    }
}
