//! Another activation.

use super::{Change, ChangeContext, draw};
use crate::evolve::wann::{Genome, Node};

/// Gives a hidden node another one of the allowed activations.
pub struct ChangeActivation;

impl Change for ChangeActivation {
    fn change(&self, genome: &mut Genome, context: &mut ChangeContext) -> bool {
        let first = genome.shape().first_hidden() as usize;
        let allowed = context.activations;
        let changeable = |node: &Node| allowed.iter().any(|kind| *kind != node.activation);
        let nodes = genome.nodes[first..].iter_mut().filter(|node| changeable(node));
        let Some(node) = draw(nodes.collect(), context.rng) else {
            return false;
        };
        let others = allowed.iter().filter(|kind| **kind != node.activation);
        node.activation = *draw(others.collect(), context.rng).expect("the node has another activation");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{apply, apply_with, grown};
    use super::*;
    use crate::evolve::wann::genome::tests::{SHAPE, rng};
    use crate::math::Activation;

    #[test]
    fn one_hidden_node_gets_another_activation() {
        for seed in 0..30 {
            let mut genome = grown(seed, 8);
            let before = genome.clone();
            assert!(apply(&ChangeActivation, &mut genome, seed));
            let changed = genome.nodes().iter().zip(before.nodes()).filter(|(new, old)| new != old).count();
            assert_eq!((changed, genome.connections()), (1, before.connections()));
            assert_eq!(genome.nodes()[..6], before.nodes()[..6], "inputs, bias and outputs keep theirs");
        }
    }

    #[test]
    fn without_hidden_nodes_or_another_activation_nothing_can_change() {
        let mut bare = Genome::initial(SHAPE, 1.0, &mut rng(0));
        assert!(!apply(&ChangeActivation, &mut bare, 0));
        let mut genome = grown(1, 8);
        genome.nodes[6..].iter_mut().for_each(|node| node.activation = Activation::Sin);
        assert!(!apply_with(&ChangeActivation, &mut genome, &[Activation::Sin], 0));
        assert!(apply_with(&ChangeActivation, &mut genome, &[Activation::Sin, Activation::Abs], 0));
    }
}
