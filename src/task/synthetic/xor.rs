//! Exclusive or: the smallest problem that needs a hidden layer.

use super::super::{Dataset, LoadContext, Source};
use super::two_classes;
use crate::error::Result;

/// Four rows: two bits of 0 or 1, and whether they differ. Classes `0` and `1`, or these numbers.
///
/// Rumelhart, Hinton & Williams 1986.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Xor;

impl Source for Xor {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let inputs = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        two_classes("xor", context, inputs, vec![0, 1, 1, 0], ["0", "1"])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{load, values};
    use super::*;

    #[test]
    fn one_where_the_bits_differ() {
        for kind in [TargetKind::Classes, TargetKind::Values] {
            let dataset = load(&Xor, kind).unwrap();
            for (bits, y) in dataset.inputs.rows().into_iter().zip(values(&dataset)) {
                assert_eq!(y, (bits[0] - bits[1]).abs());
            }
        }
    }
}
