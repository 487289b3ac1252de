//! Parity: exclusive or of many bits.

use super::super::{Dataset, LoadContext, Source};
use super::{room, two_classes};
use crate::error::Result;
use crate::values::Count;
use serde::{Deserialize, Serialize};

/// All 2ⁿ rows of n bits of 0 or 1, counted upwards, and whether the number of ones is odd. Classes `even` and `odd`, or
/// the numbers 0 and 1.
///
/// Every input matters in every row, so a network that ignores one is right in exactly half of them.
/// Minsky & Papert 1969.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parity {
    /// n, 1 to 19.
    pub bits: Count,
}

impl Source for Parity {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let bits = self.bits.get();
        let rows = u32::try_from(bits).ok().and_then(|bits| 1_usize.checked_shl(bits)).unwrap_or(usize::MAX);
        let mut inputs = room(rows, bits)?;
        let bit = |row: usize, place: usize| (row >> (bits - 1 - place)) & 1;
        inputs.extend((0..rows).flat_map(|row| (0..bits).map(move |place| bit(row, place) as f64)));
        let labels = (0..rows).map(|row| row.count_ones() % 2).collect();
        two_classes(&format!("parity-{bits}"), context, inputs, labels, ["even", "odd"])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{load, values};
    use super::*;

    #[test]
    fn counts_the_ones() {
        let dataset = load(&Parity { bits: Count::new(5).unwrap() }, TargetKind::Classes).unwrap();
        assert_eq!((dataset.rows(), dataset.features(), dataset.outputs()), (32, 5, 2));
        for (bits, y) in dataset.inputs.rows().into_iter().zip(values(&dataset)) {
            assert_eq!(y, bits.sum() % 2.0);
        }
        assert_eq!(dataset.inputs.row(1).to_vec(), [0.0, 0.0, 0.0, 0.0, 1.0]);
        let two = load(&Parity { bits: Count::new(2).unwrap() }, TargetKind::Values).unwrap();
        let xor = load(&super::super::xor::Xor, TargetKind::Values).unwrap();
        assert_eq!((two.inputs, two.targets), (xor.inputs, xor.targets));
    }
}
