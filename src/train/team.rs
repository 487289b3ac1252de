//! Teams of hidden units: the best of many candidates by orthogonal least squares.

use crate::cost::Cost;
use crate::error::Result;
use crate::math::least_squares::NormalEquations;
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output, Workspace};
use crate::rng::Rng;
use crate::train::Initializer;
use crate::train::readout::{self, Wanted};
use std::ops::Range;

/// Candidates at most: their Gram matrix takes 128 MiB.
pub const LARGEST: usize = 4096;

/// Makes the best team of `candidates` the hidden layer of `params`, and solves the output layer.
///
/// Orthogonal least squares on the rows `some` chooses it, in the order of choosing; the outputs are solved on all `rows`
/// as [`readout::closed_form`] says, `penalty` per row in both. Charges [`cost`]. Returns which candidate each unit was.
///
/// # Panics
/// If `network` has no hidden layer, or fewer candidates are given than it has units.
#[allow(clippy::too_many_arguments)]
pub fn join(
    network: &Mlp,
    rows: &Rows,
    some: &Rows,
    penalty: f64,
    candidates: &Units,
    params: &mut [f32],
    workspace: &mut Workspace,
    spent: &mut Cost,
) -> Vec<usize> {
    let (hidden, size) = (&network.layers()[0], candidates.count());
    let mut team = choose(network, some, penalty, candidates, workspace);
    // Units whose activations are not finite are never chosen; if there are too few others, any will do.
    let others: Vec<usize> = (0..size).filter(|unit| !team.contains(unit)).collect();
    team.extend(others.into_iter().take(hidden.outputs - team.len()));
    for (unit, candidate) in team.iter().enumerate() {
        let (weights, threshold) = candidates.unit(*candidate);
        params[hidden.weights.start + unit * hidden.inputs..][..hidden.inputs].copy_from_slice(weights);
        params[hidden.biases.start + unit] = threshold;
    }
    *spent += cost(network, rows.count(), some.count(), size) - readout::closed_form_cost(network, rows.count());
    readout::closed_form(network, rows, penalty, params, workspace, spent);
    team
}

/// What the choice of a team from `size` candidates on `some` of `rows` rows costs, outputs included.
pub fn cost(network: &Mlp, rows: usize, some: usize, size: usize) -> Cost {
    let (units, outputs) = (network.layers()[0].outputs, network.outputs());
    Cost::forward(size * network.inputs(), some)
        + NormalEquations::cost(size, outputs, some)
        + NormalEquations::select_cost(size, outputs, units)
        + readout::closed_form_cost(network, rows)
}

/// Bytes that it takes.
pub fn bytes(network: &Mlp, rows: usize, some: usize, size: usize) -> u64 {
    let (units, inputs, outputs) = (network.layers()[0].outputs, network.inputs(), network.outputs());
    let candidates = 8 * size * (inputs + outputs + 1);
    // The factor has a row for each of the team.
    let choice = NormalEquations::bytes(size, outputs, some) + (candidates + 8 * units * size) as u64;
    choice.max(readout::closed_form_bytes(network, rows))
}

/// The best candidates by orthogonal least squares, as many as the layer has units where so many differ. The matrices
/// are gone when it returns.
fn choose(network: &Mlp, rows: &Rows, penalty: f64, candidates: &Units, workspace: &mut Workspace) -> Vec<usize> {
    let (size, outputs) = (candidates.count(), rows.outputs());
    let activations = candidates.activations(rows, workspace);
    let wanted = Wanted::of(network, rows, outputs as f64);
    NormalEquations::of(&activations, &wanted.around, size, outputs).select(penalty, network.layers()[0].outputs)
}

/// Weights and threshold of a unit in the first hidden layer of `params`.
pub fn unit_of<'p>(network: &Mlp, params: &'p [f32], unit: usize) -> (&'p [f32], f32) {
    let hidden = &network.layers()[0];
    let first = hidden.weights.start + unit * hidden.inputs;
    (&params[first..first + hidden.inputs], params[hidden.biases.start + unit])
}

/// Hidden units that are in no network yet.
pub struct Units {
    /// A network with these units as its hidden layer.
    layer: Mlp,
    params: Vec<f32>,
}

impl Units {
    /// So many units of weight 0 for rows of this shape.
    pub fn none(rows: &Rows, count: usize, activation: Activation) -> Units {
        let hidden = [(count, activation)];
        let layer = Mlp::new(rows.features(), &hidden, rows.outputs(), Output::Linear, Loss::MeanSquared);
        let layer = layer.expect("not much larger than the network it is for");
        Units { params: vec![0.0; layer.parameters()], layer }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.layer.layers()[0].outputs
    }

    /// Weights and threshold of a unit.
    pub fn unit(&self, unit: usize) -> (&[f32], f32) {
        unit_of(&self.layer, &self.params, unit)
    }

    /// Sets a unit: `draw` writes its weights and returns its threshold.
    pub fn draw(&mut self, unit: usize, draw: impl FnOnce(&mut [f32]) -> f32) {
        let hidden = &self.layer.layers()[0];
        let first = hidden.weights.start + unit * hidden.inputs;
        let threshold = draw(&mut self.params[first..first + hidden.inputs]);
        self.params[hidden.biases.start + unit] = threshold;
    }

    /// Sets a unit to these weights and this threshold.
    pub fn copy(&mut self, unit: usize, (weights, threshold): (&[f32], f32)) {
        self.draw(unit, |own| {
            own.copy_from_slice(weights);
            threshold
        });
    }

    /// Copies units of the first hidden layer of `params`, from its first one on, to these places.
    pub fn copy_layer(&mut self, places: Range<usize>, network: &Mlp, params: &[f32]) {
        places.enumerate().for_each(|(own, unit)| self.copy(unit, unit_of(network, params, own)));
    }

    /// Draws all of them as `scheme` draws a hidden layer of so many units.
    ///
    /// # Errors
    /// What the scheme refuses.
    pub fn init(&mut self, scheme: &Initializer, rows: &Rows, rng: &mut Rng, spent: &mut Cost) -> Result<()> {
        scheme.init(&self.layer, rows, &mut self.params, rng, spent)
    }

    /// Activations `[rows × units]`: one multiply-add for each input, unit and row.
    pub fn activations(&self, rows: &Rows, workspace: &mut Workspace) -> Vec<f32> {
        let mut out = vec![0.0; rows.count() * self.count()];
        self.layer.activations(&self.params, rows, 0, &mut out, workspace);
        out
    }
}
