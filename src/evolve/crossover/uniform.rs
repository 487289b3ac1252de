//! Gene by gene from either parent.

use super::Cross;
use crate::evolve::Variation;
use crate::math::kernel::choose;
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// Each gene from either parent with equal chance (Syswerda 1989).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
}

impl Cross for Uniform {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        let first = child.to_vec();
        self.cross_into(child, &first, other, context);
    }

    fn cross_into(&self, child: &mut [f32], first: &[f32], second: &[f32], context: &mut Variation) {
        choose(child, first, second, context.rng);
    }
}
