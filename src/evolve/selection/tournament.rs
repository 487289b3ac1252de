//! Tournaments.

use super::Select;
use crate::rng::Rng;
use crate::values::{Count, Fitness};
use serde::{Deserialize, Serialize};

/// The best of `size` individuals drawn with replacement (Goldberg & Deb 1991). More means more pressure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tournament {
    /// Competitors; 3 unless said otherwise. 1 is no selection at all.
    #[serde(default = "default_size")]
    pub size: Count,
}

fn default_size() -> Count {
    Count::new(3).expect("in range")
}

impl Select for Tournament {
    fn select(&self, ranked: &[Fitness], parents: &mut [u32], rng: &mut Rng) {
        // Non-finite individuals stand at the end of the ranking; they compete only among themselves.
        let finite = ranked.partition_point(|fitness| fitness.is_finite());
        let candidates = if finite > 0 { finite } else { ranked.len() };
        for parent in parents {
            let best = (0..self.size.get()).map(|_| rng.below(candidates)).min();
            *parent = best.expect("a tournament has a competitor") as u32;
        }
    }
}
