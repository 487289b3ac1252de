//! A new node.

use super::{Change, ChangeContext, draw};
use crate::evolve::wann::{Connection, Genome, Node, NodeKind};

/// Splits an enabled connection: it is disabled, and a node of random activation takes its place between two new ones.
///
/// The connection to the node has weight 1, the one from it the old weight.
pub struct AddNode;

impl Change for AddNode {
    fn change(&self, genome: &mut Genome, context: &mut ChangeContext) -> bool {
        let enabled = genome.connections.iter_mut().filter(|connection| connection.enabled);
        let Some(connection) = draw(enabled.collect(), context.rng) else {
            return false;
        };
        let activation = context.activations[context.rng.below(context.activations.len())];
        let old = *connection;
        connection.enabled = false;
        let split = context.innovations.split(old.innovation);
        genome.nodes.push(Node { id: split.node, kind: NodeKind::Hidden, activation });
        let to = Connection { innovation: split.incoming, from: old.from, to: split.node, weight: 1.0, enabled: true };
        let from = Connection { innovation: split.outgoing, from: split.node, to: old.to, ..old };
        genome.connections.extend([to, from]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{apply, grown};
    use super::*;
    use crate::evolve::wann::genome::tests::{SHAPE, rng};

    #[test]
    fn the_path_goes_on_through_the_new_node() {
        for seed in 0..30 {
            let mut genome = grown(seed, 8);
            let before = genome.clone();
            assert!(apply(&AddNode, &mut genome, seed));
            let node = genome.nodes().last().unwrap();
            let split = (0..before.connections().len())
                .find(|at| before.connections()[*at].enabled && !genome.connections()[*at].enabled)
                .map(|at| before.connections()[at])
                .unwrap();
            let links: Vec<(u32, u32)> = genome.express().links().collect();
            assert!(links.contains(&(split.from, node.id)) && links.contains(&(node.id, split.to)));
            assert!(!links.contains(&(split.from, split.to)));
            assert_eq!(links.len(), before.express().multiply_adds() + 1);
        }
    }

    #[test]
    fn without_an_enabled_connection_there_is_nothing_to_split() {
        let mut genome = Genome::initial(SHAPE, 0.0, &mut rng(0));
        assert!(!apply(&AddNode, &mut genome, 0));
    }
}
