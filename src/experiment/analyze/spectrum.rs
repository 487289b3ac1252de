//! Singular values of the layers.

use super::{Label, at};
use crate::experiment::record::Moment;
use crate::experiment::replicate::Weights;
use crate::math::singular_values;
use crate::network::Mlp;
use serde::Serialize;

/// Layers whose shorter side is longer are taken apart at the drawn seed alone …
const LARGE: usize = 128;
/// … and those beyond this not at all: they would take minutes each.
const LARGEST: usize = 1024;

/// A row of `singular_values.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SingularRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Layer, from 1.
    pub layer: usize,
    /// `start` or `end`; `drawn` of a model that was drawn.
    pub moment: Moment,
    /// Place, from 1: the largest one.
    pub index: usize,
    /// The singular value of the layer's weights, `[units × inputs]`.
    pub value: f64,
}

/// Of these `moments`.
pub(super) fn look(
    network: &Mlp,
    weights: &Weights,
    moments: &[Moment],
    label: Label,
    is_drawn: bool,
    out: &mut Vec<SingularRow>,
) {
    for (place, layer) in network.layers().iter().enumerate() {
        let shorter = layer.inputs.min(layer.outputs);
        if shorter > LARGEST || (shorter > LARGE && !is_drawn) {
            continue;
        }
        for &moment in moments {
            let Some(all) = at(weights, moment) else { continue };
            let matrix: Vec<f64> = all[layer.weights.clone()].iter().map(|x| f64::from(*x)).collect();
            let values = singular_values(&matrix, layer.outputs, layer.inputs).unwrap_or_default();
            out.extend(values.into_iter().enumerate().map(|(index, value)| SingularRow {
                arm: label.arm.to_owned(),
                seed: label.seed,
                layer: place + 1,
                moment,
                index: index + 1,
                value,
            }));
        }
    }
}

/// What was left out.
pub(super) fn note<'a>(networks: impl Iterator<Item = &'a Mlp> + Clone) -> Option<String> {
    let layers = networks.flat_map(Mlp::layers);
    let beyond = |most: usize| layers.clone().any(|layer| layer.inputs.min(layer.outputs) > most);
    match (beyond(LARGEST), beyond(LARGE)) {
        (true, _) => Some(format!(
            "Singular values are left out of layers with more than {LARGEST} inputs and units, and of those with more than \
             {LARGE} they are of one seed."
        )),
        (_, true) => {
            Some(format!("Singular values of layers with more than {LARGE} inputs and units are of one seed."))
        }
        _ => None,
    }
}
