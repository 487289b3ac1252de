//! A connection less.

use super::{Change, ChangeContext, draw};
use crate::evolve::wann::Genome;

/// Disables an enabled connection, and with it those that carry nothing to an output without it.
///
/// The published search has no such change: its networks only grow. A single connection stays.
pub struct DisableConnection;

impl Change for DisableConnection {
    fn change(&self, genome: &mut Genome, context: &mut ChangeContext) -> bool {
        if genome.enabled() < 2 {
            return false;
        }
        let enabled = genome.connections.iter_mut().filter(|connection| connection.enabled);
        let Some(connection) = draw(enabled.collect(), context.rng) else {
            return false;
        };
        connection.enabled = false;
        let mut live: Vec<(u32, u32)> = genome.express().links().collect();
        live.sort_unstable();
        for connection in &mut genome.connections {
            connection.enabled &= live.binary_search(&(connection.from, connection.to)).is_ok();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{apply, grown};
    use super::*;
    use crate::evolve::wann::genome::tests::{SHAPE, rng};

    #[test]
    fn nothing_that_is_left_carries_nothing() {
        for seed in 0..30 {
            let mut genome = grown(seed, 12);
            let before = genome.clone();
            assert!(apply(&DisableConnection, &mut genome, seed));
            assert!(genome.enabled() < before.enabled());
            assert_eq!(genome.express().multiply_adds(), genome.enabled());
            assert_eq!((genome.nodes(), genome.connections().len()), (before.nodes(), before.connections().len()));
            let pairs = genome.connections().iter().zip(before.connections());
            assert!(pairs.into_iter().all(|(now, then)| !now.enabled || then.enabled));
        }
    }

    #[test]
    fn a_last_connection_stays() {
        let mut genome = Genome::initial(SHAPE, 0.0, &mut rng(0));
        assert!(!apply(&DisableConnection, &mut genome, 0));
        genome.connections[3].enabled = true;
        assert!(!apply(&DisableConnection, &mut genome, 0));
    }
}
