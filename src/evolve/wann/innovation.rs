//! Historical numbers, by which genes of different genomes are known to be the same.

use super::{Genome, Shape};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Gives out names of nodes and numbers of connections; equal changes of one generation get equal ones
/// (Stanley & Miikkulainen 2002, section 3.2).
///
/// The counters are part of a search's saved state. What the present generation changed is not: it is forgotten with
/// every [`Innovations::begin_generation`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Innovations {
    next_node: u32,
    next_connection: u32,
    #[serde(skip)]
    connections: BTreeMap<(u32, u32), u32>,
    #[serde(skip)]
    splits: BTreeMap<u32, Split>,
}

/// What splitting a connection makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Name of the new node.
    pub node: u32,
    /// Number of the connection to it.
    pub incoming: u32,
    /// Number of the connection from it.
    pub outgoing: u32,
}

impl Innovations {
    /// Numbers behind those of the initial genomes.
    pub fn new(shape: Shape) -> Innovations {
        Innovations {
            next_node: shape.first_hidden(),
            next_connection: (shape.inputs + 1) * shape.outputs,
            connections: BTreeMap::new(),
            splits: BTreeMap::new(),
        }
    }

    /// Forgets which changes were made; numbers go on.
    pub fn begin_generation(&mut self) {
        self.connections.clear();
        self.splits.clear();
    }

    /// Number of a new connection between these nodes.
    pub fn connection(&mut self, from: u32, to: u32) -> u32 {
        let next = &mut self.next_connection;
        *self.connections.entry((from, to)).or_insert_with(|| take(next, 1))
    }

    /// Names for splitting the connection with this number.
    pub fn split(&mut self, innovation: u32) -> Split {
        let (nodes, connections) = (&mut self.next_node, &mut self.next_connection);
        *self.splits.entry(innovation).or_insert_with(|| {
            let incoming = take(connections, 2);
            Split { node: take(nodes, 1), incoming, outgoing: incoming + 1 }
        })
    }

    /// Whether every number of a genome was given out here.
    pub fn covers(&self, genome: &Genome) -> bool {
        genome.nodes().iter().all(|node| node.id < self.next_node)
            && genome.connections().iter().all(|connection| connection.innovation < self.next_connection)
    }
}

fn take(counter: &mut u32, count: u32) -> u32 {
    let first = *counter;
    *counter += count;
    first
}

#[cfg(test)]
mod tests {
    use super::super::genome::tests::SHAPE;
    use super::*;

    #[test]
    fn equal_changes_of_a_generation_share_their_numbers() {
        let mut innovations = Innovations::new(SHAPE);
        let first = innovations.connection(0, 9);
        assert_eq!((first, innovations.connection(0, 9)), (8, 8));
        assert_eq!(innovations.connection(9, 0), 9);
        let split = innovations.split(3);
        assert_eq!(split, Split { node: 6, incoming: 10, outgoing: 11 });
        assert_eq!(innovations.split(3), split);
        innovations.begin_generation();
        assert_eq!((innovations.connection(0, 9), innovations.split(3).node), (12, 7));
    }

    #[test]
    fn counters_survive_saving() {
        let mut innovations = Innovations::new(SHAPE);
        innovations.split(0);
        innovations.begin_generation();
        let text = serde_json::to_string(&innovations).unwrap();
        assert_eq!(serde_json::from_str::<Innovations>(&text).unwrap(), innovations);
    }
}
