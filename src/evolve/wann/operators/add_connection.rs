//! A new connection.

use super::{Change, ChangeContext, draw};
use crate::evolve::wann::{Connection, Genome};

/// Links two nodes that no connection, enabled or disabled, leads between in either direction.
///
/// Only forward in the order of (level, name), levels counted over disabled connections too, so that no circle closes.
pub struct AddConnection;

impl Change for AddConnection {
    fn change(&self, genome: &mut Genome, context: &mut ChangeContext) -> bool {
        let levels = genome.levels();
        let outputs = genome.shape().output_ids();
        let first_output = outputs.start as usize;
        let count = genome.nodes.len();
        let mut linked = vec![false; count * count];
        for connection in &genome.connections {
            linked[genome.place_of(connection.from) * count + genome.place_of(connection.to)] = true;
        }
        let free = |from: usize, to: usize| {
            // Outputs hear everything and are heard by none, whatever their level.
            let ends = outputs.contains(&(to as u32));
            let forward = ends || (levels[from], from) < (levels[to], to);
            forward && !linked[from * count + to]
        };
        let sources = (0..count).filter(|place| !outputs.contains(&(*place as u32)));
        let mut pairs = Vec::new();
        for from in sources {
            pairs.extend((first_output..count).filter(|to| free(from, *to)).map(|to| (from, to)));
        }
        let Some((from, to)) = draw(pairs, context.rng) else {
            return false;
        };
        let (from, to) = (genome.nodes[from].id, genome.nodes[to].id);
        let innovation = context.innovations.connection(from, to);
        genome.connections.push(Connection { innovation, from, to, weight: 1.0, enabled: true });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{apply, grown};
    use super::*;
    use crate::evolve::wann::genome::tests::{SHAPE, rng};

    #[test]
    fn only_unlinked_pairs_are_linked() {
        let mut genome = Genome::initial(SHAPE, 0.5, &mut rng(0));
        assert!(
            !apply(&AddConnection, &mut genome, 0),
            "inputs and outputs are all linked, if by disabled connections"
        );
        for seed in 0..50 {
            let mut genome = grown(seed, 12);
            let before = genome.clone();
            if apply(&AddConnection, &mut genome, seed) {
                let new = genome.connections().last().unwrap();
                assert_eq!(genome.connections().len(), before.connections().len() + 1);
                assert!(new.enabled && !genome.shape().output_ids().contains(&new.from));
                let same = |old: &Connection| (old.from, old.to) == (new.from, new.to);
                let back = |old: &Connection| (old.from, old.to) == (new.to, new.from);
                assert!(!before.connections().iter().any(|old| same(old) || back(old)));
            }
        }
    }

    #[test]
    fn every_forward_pair_can_be_drawn_until_none_is_left() {
        let mut genome = grown(3, 6);
        let mut added = 0;
        while apply(&AddConnection, &mut genome, added) {
            added += 1;
        }
        // Complete: all pairs of inputs, bias and hidden nodes with hidden nodes, one way, and with outputs.
        let (given, hidden, outputs) = (4, genome.hidden().len(), 2);
        let pairs = given * hidden + hidden * (hidden - 1) / 2 + (given + hidden) * outputs;
        assert_eq!(genome.connections().len(), pairs);
    }
}
