//! How a child's topology differs from its parent's: exactly one change.

mod add_connection;
mod add_node;
mod change_activation;
mod crossover;
mod disable_connection;
mod enable_connection;

pub use add_connection::AddConnection;
pub use add_node::AddNode;
pub use change_activation::ChangeActivation;
pub use crossover::cross;
pub use disable_connection::DisableConnection;
pub use enable_connection::EnableConnection;

use super::{Genome, Innovations};
use crate::math::Activation;
use crate::rng::Rng;
use crate::values::NonNegative;
use serde::{Deserialize, Serialize};

/// A change of topology.
pub trait Change {
    /// Changes the genome, or leaves it as it is and returns false where the change cannot apply. Whether it can depends
    /// on the genome alone, not on what is drawn.
    fn change(&self, genome: &mut Genome, context: &mut ChangeContext) -> bool;
}

/// What a change may use.
pub struct ChangeContext<'a> {
    /// Activations of hidden nodes, at least one.
    pub activations: &'a [Activation],
    /// Numbers of new genes.
    pub innovations: &'a mut Innovations,
    /// Random numbers of the child.
    pub rng: &'a mut Rng,
}

/// How often each change is made, in proportion to each other. The defaults sum to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Changes {
    /// A new connection; 0.20.
    pub add_connection: NonNegative,
    /// A new node within a connection; 0.25.
    pub add_node: NonNegative,
    /// A disabled connection enabled; 0.05.
    pub enable_connection: NonNegative,
    /// An enabled connection disabled, with those that carry nothing without it; 0. The published search has no such change.
    pub disable_connection: NonNegative,
    /// Another activation of a hidden node; 0.50.
    pub change_activation: NonNegative,
}

impl Default for Changes {
    /// Gaier & Ha 2019, as published with the paper.
    fn default() -> Changes {
        let chance = |chance| NonNegative::new(chance).expect("in range");
        Changes {
            add_connection: chance(0.20),
            add_node: chance(0.25),
            enable_connection: chance(0.05),
            disable_connection: chance(0.0),
            change_activation: chance(0.50),
        }
    }
}

impl Changes {
    /// All chances together.
    pub fn total(&self) -> f64 {
        self.each().iter().map(|(chance, _)| chance).sum()
    }

    /// Makes exactly one change; one that cannot apply is drawn again among the others. Returns false, and leaves the
    /// genome as it is, only where none of those with a chance can apply.
    pub fn change(&self, genome: &mut Genome, context: &mut ChangeContext) -> bool {
        let mut each = self.each();
        loop {
            let total: f64 = each.iter().map(|(chance, _)| chance).sum();
            if total <= 0.0 {
                return false;
            }
            let mut left = context.rng.uniform64() * total;
            let drawn = each.iter().position(|(chance, _)| {
                left -= chance;
                left < 0.0
            });
            // Rounding may leave nothing at the end of the line: then the last that has a chance is meant.
            let last = || each.iter().rposition(|(chance, _)| *chance > 0.0);
            let drawn = drawn.or_else(last).expect("the total is above 0");
            if each[drawn].1.change(genome, context) {
                return true;
            }
            each[drawn].0 = 0.0;
        }
    }

    fn each(&self) -> [(f64, &'static dyn Change); 5] {
        [
            (self.add_connection.get(), &AddConnection),
            (self.add_node.get(), &AddNode),
            (self.enable_connection.get(), &EnableConnection),
            (self.disable_connection.get(), &DisableConnection),
            (self.change_activation.get(), &ChangeActivation),
        ]
    }
}

/// One of the items, all equally likely; `None` if there is none.
fn draw<T>(mut items: Vec<T>, rng: &mut Rng) -> Option<T> {
    (!items.is_empty()).then(|| items.swap_remove(rng.below(items.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::wann::genome::tests::{SHAPE, outputs, rng};
    use proptest::prelude::*;

    const KINDS: [Activation; 5] =
        [Activation::Tanh, Activation::Sin, Activation::Abs, Activation::Gaussian, Activation::Cos];

    /// Makes one change with numbers beyond any that the genome has.
    pub(super) fn apply(change: &dyn Change, genome: &mut Genome, seed: u64) -> bool {
        apply_with(change, genome, &KINDS, seed)
    }

    pub(super) fn apply_with(change: &dyn Change, genome: &mut Genome, activations: &[Activation], seed: u64) -> bool {
        let mut innovations = beyond(genome);
        let mut rng = rng(1000 + seed);
        change.change(genome, &mut ChangeContext { activations, innovations: &mut innovations, rng: &mut rng })
    }

    fn beyond(genome: &Genome) -> Innovations {
        let node = genome.nodes.last().unwrap().id + 1;
        let connection = genome.connections.iter().map(|gene| gene.innovation + 1).max().unwrap_or(0);
        let text = format!(r#"{{"next_node": {node}, "next_connection": {connection}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    /// A genome after some changes, with hidden nodes.
    pub(super) fn grown(seed: u64, changes: usize) -> Genome {
        let mut genome = Genome::initial(SHAPE, 0.5, &mut rng(seed));
        let mut innovations = Innovations::new(SHAPE);
        let mut rng = rng(500 + seed);
        if genome.enabled() == 0 {
            genome.connections[0].enabled = true;
        }
        for step in 0..changes {
            innovations.begin_generation();
            let mut context = ChangeContext { activations: &KINDS, innovations: &mut innovations, rng: &mut rng };
            if step % 3 == 0 {
                assert!(AddNode.change(&mut genome, &mut context));
            } else {
                assert!(Changes::default().change(&mut genome, &mut context));
            }
        }
        genome
    }

    #[test]
    fn changes_are_drawn_in_proportion() {
        let mut counts = [0_u32; 4];
        let parent = grown(9, 30);
        for seed in 0..2000 {
            let mut child = parent.clone();
            let mut innovations = beyond(&parent);
            let mut rng = rng(10_000 + seed);
            let mut context = ChangeContext { activations: &KINDS, innovations: &mut innovations, rng: &mut rng };
            assert!(Changes::default().change(&mut child, &mut context));
            let kind = match (child.connections.len() - parent.connections.len(), child.enabled() - parent.enabled()) {
                (1, 1) => 0,
                (2, 1) => 1,
                (0, 1) => 2,
                (0, 0) => 3,
                other => panic!("{other:?}"),
            };
            counts[kind] += 1;
        }
        // Standard deviations 18, 19, 10, 22.
        for (count, expected) in counts.iter().zip([400, 500, 100, 1000]) {
            assert!(count.abs_diff(expected) < 90, "{counts:?}");
        }
    }

    #[test]
    fn a_change_that_cannot_apply_is_drawn_again() {
        // All linked and enabled, no hidden node: only a new node is possible.
        let mut genome = Genome::initial(SHAPE, 1.0, &mut rng(0));
        let mut innovations = Innovations::new(SHAPE);
        let mut rng = rng(0);
        let mut context = ChangeContext { activations: &KINDS, innovations: &mut innovations, rng: &mut rng };
        assert!(Changes::default().change(&mut genome, &mut context));
        assert_eq!(genome.hidden().len(), 1);
        let none = NonNegative::new(0.0).unwrap();
        let never = Changes { add_node: none, add_connection: none, change_activation: none, ..Changes::default() };
        let mut bare = Genome::initial(SHAPE, 1.0, context.rng);
        assert!(!never.change(&mut bare, &mut context), "nothing is left to draw");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn children_of_children_are_sound_and_disabled_connections_carry_nothing(
            seed in 0_u64..100_000, share in 0.0_f64..1.0, generations in 0_usize..40,
        ) {
            let mut rng = rng(seed);
            let mut innovations = Innovations::new(SHAPE);
            let mut parents: Vec<Genome> = (0..3).map(|_| Genome::initial(SHAPE, share, &mut rng)).collect();
            for _ in 0..generations {
                innovations.begin_generation();
                for at in 0..3 {
                    let mut child = parents[at].clone();
                    if rng.chance(0.3) {
                        child = cross(&parents[at], &parents[(at + 1) % 3], &mut rng);
                    }
                    let mut context =
                        ChangeContext { activations: &KINDS, innovations: &mut innovations, rng: &mut rng };
                    prop_assert!(Changes::default().change(&mut child, &mut context));
                    parents[at] = child;
                }
            }
            for genome in &parents {
                prop_assert!(innovations.covers(genome));
                // Reading checks order, names and that no circle can close.
                let text = serde_json::to_string(genome).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Genome>(&text).unwrap(), genome);
                let graph = genome.express();
                prop_assert_eq!(graph.multiply_adds(), genome.enabled(), "a search leaves no dead connections");
                let input = [0.3, -0.7, 1.1];
                for shared in [-1.5, 0.5] {
                    let exact = outputs(genome, shared, &input);
                    let found = graph.reference(&vec![shared; graph.multiply_adds()], &input);
                    for (a, b) in exact.iter().zip(&found) {
                        prop_assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{} {}", a, b);
                    }
                }
            }
        }
    }
}
