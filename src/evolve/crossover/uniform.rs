//! Gene by gene from either parent.

use super::Cross;
use crate::evolve::{Brood, Parents, Variation};
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
        for (genes, others) in child.chunks_mut(32).zip(other.chunks(32)) {
            let bits = context.rng.bits32();
            for (place, (gene, other)) in genes.iter_mut().zip(others).enumerate() {
                *gene = if bits >> place & 1 == 1 { *other } else { *gene };
            }
        }
    }

    /// The same children as one by one, thirty-two genes at a time.
    fn cross_brood(&self, brood: &mut Brood, parents: Parents, context: &mut Variation) {
        let children = brood.children().map(|(child, _)| child);
        choose(children.zip(parents.genomes()), self.rate.get(), context.rng);
    }
}
