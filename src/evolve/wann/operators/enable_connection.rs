//! An old connection comes back.

use super::{Change, ChangeContext, draw};
use crate::evolve::wann::Genome;

/// Enables a disabled connection.
pub struct EnableConnection;

impl Change for EnableConnection {
    fn change(&self, genome: &mut Genome, context: &mut ChangeContext) -> bool {
        let disabled = genome.connections.iter_mut().filter(|connection| !connection.enabled);
        let Some(connection) = draw(disabled.collect(), context.rng) else {
            return false;
        };
        connection.enabled = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::apply;
    use super::*;
    use crate::evolve::wann::genome::tests::{SHAPE, rng};

    #[test]
    fn connections_come_back_one_by_one_until_all_are_enabled() {
        let mut genome = Genome::initial(SHAPE, 0.0, &mut rng(0));
        for enabled in 1..=8 {
            assert!(apply(&EnableConnection, &mut genome, enabled));
            assert_eq!(genome.enabled(), enabled as usize);
        }
        assert!(!apply(&EnableConnection, &mut genome, 9));
    }
}
