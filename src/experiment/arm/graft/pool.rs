//! A pool of candidate units, and the team that is chosen from it.

use super::Graft;
use super::units::{MOST_ROWS, Numbers, Regime};
use crate::cost::Cost;
use crate::math::least_squares::NormalEquations;
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output, Workspace};
use crate::rng::Rng;
use crate::train::Initializer;
use crate::train::readout::{self, Wanted};
use crate::values::{Count, Positive};

/// Candidates for each hidden unit: more of them cost more than they bring.
const CANDIDATES: usize = 2;
/// Candidates at most: their Gram matrix takes 128 MiB.
const LARGEST: usize = 4096;

/// Where units come from: a task, a hidden layer, and what they are drawn for.
pub struct Pool<'a> {
    pub network: &'a Mlp,
    pub rows: &'a Rows,
    pub regime: Regime,
    pub penalty: f64,
    /// Units in the pool.
    size: usize,
    nguyen_widrow: bool,
    pub of_scheme: bool,
    /// What goes with the regime where the settings are silent.
    pub numbers: Numbers,
    /// Rows that teams are chosen on, if not all.
    some: Option<Rows>,
}

impl<'a> Pool<'a> {
    /// For the hidden layer of `network` on these `rows`.
    pub fn new(settings: &Graft, network: &'a Mlp, rows: &'a Rows) -> Pool<'a> {
        let regime = settings.regime.unwrap_or_else(|| Regime::of(rows));
        let numbers = regime.numbers(network.loss_kind());
        let wanted = settings.rows.map_or(numbers.rows, Count::get);
        let every = rows.count().div_ceil(wanted);
        let some = (every > 1).then(|| {
            let chosen: Vec<u32> = (0..rows.count() as u32).step_by(every).collect();
            let mut some = Rows::with_shape(chosen.len(), rows.features(), rows.outputs());
            some.gather(rows, &chosen);
            some
        });
        Pool {
            network,
            rows,
            regime,
            penalty: settings.penalty.map_or(numbers.penalty, Positive::get),
            size: size(settings, network.layers()[0].outputs),
            nguyen_widrow: settings.nguyen_widrow,
            of_scheme: settings.of_scheme.unwrap_or(numbers.of_scheme),
            numbers,
            some,
        }
    }

    /// Whether the matrices of a team's choice are of a size to be held; larger pools are not made.
    pub fn is_small(&self) -> bool {
        self.size.max(2 * self.units()) <= LARGEST
    }

    /// Hidden units.
    pub fn units(&self) -> usize {
        self.network.layers()[0].outputs
    }

    pub fn activation(&self) -> Activation {
        self.network.layers()[0].activation
    }

    /// Draws a start: a team of the pool, and the output layer that goes with it. Charges [`Pool::cost`].
    pub fn start(&self, params: &mut [f32], rng: &mut Rng, workspace: &mut Workspace, cost: &mut Cost) {
        let mut candidates = Units::none(self.rows, self.size, self.activation());
        let mut first = 0;
        if self.nguyen_widrow {
            // As many as the layer has, for which the rule spreads them; the rest of the pool fills what they leave open.
            let alone = Units::none(self.rows, self.units(), self.activation());
            let mut drawn = vec![0.0; alone.layer.parameters()];
            let mut free = Cost::ZERO;
            if Initializer::NguyenWidrow.init(&alone.layer, self.rows, &mut drawn, rng, &mut free).is_ok() {
                first = self.units().min(self.size);
                let alone = Units { params: drawn, ..alone };
                (0..first).for_each(|unit| candidates.copy(unit, &alone, unit));
            }
        }
        if self.of_scheme {
            let hidden = &self.network.layers()[0];
            let end = (first + self.units()).min(self.size);
            for unit in first..end {
                candidates.draw(unit, |weights| {
                    let own = unit - first;
                    weights.copy_from_slice(&params[hidden.weights.start + own * hidden.inputs..][..hidden.inputs]);
                    params[hidden.biases.start + own]
                });
            }
            first = end;
        }
        for unit in first..self.size {
            candidates.draw(unit, |weights| self.regime.draw(self.rows, self.activation(), weights, rng));
        }
        self.team(&candidates, params, workspace, cost);
    }

    /// What a start costs.
    pub fn cost(&self) -> Cost {
        self.team_cost(self.size)
    }

    /// Makes the best team of these candidates the hidden layer of `params`, and solves the output layer.
    ///
    /// Orthogonal least squares on some rows chooses it; the outputs are solved on all of them. Charges [`Pool::team_cost`].
    pub fn team(&self, candidates: &Units, params: &mut [f32], workspace: &mut Workspace, cost: &mut Cost) {
        let size = candidates.count();
        let mut team = self.choose(candidates, workspace);
        // Units whose activations are not finite are never chosen; if there are too few others, any will do.
        let others: Vec<usize> = (0..size).filter(|unit| !team.contains(unit)).collect();
        team.extend(others.into_iter().take(self.units() - team.len()));
        let hidden = &self.network.layers()[0];
        for (unit, candidate) in team.into_iter().enumerate() {
            let (weights, threshold) = candidates.unit(candidate);
            params[hidden.weights.start + unit * hidden.inputs..][..hidden.inputs].copy_from_slice(weights);
            params[hidden.biases.start + unit] = threshold;
        }
        *cost += self.team_cost(size) - readout::closed_form_cost(self.network, self.rows.count());
        readout::closed_form(self.network, self.rows, self.penalty, params, workspace, cost);
    }

    /// The best candidates by orthogonal least squares, as many as the layer has units where so many differ. The matrices
    /// are gone when it returns.
    fn choose(&self, candidates: &Units, workspace: &mut Workspace) -> Vec<usize> {
        let rows = self.some.as_ref().unwrap_or(self.rows);
        let (size, outputs) = (candidates.count(), rows.outputs());
        let activations = candidates.activations(rows, workspace);
        let wanted = Wanted::of(self.network, rows, outputs as f64);
        NormalEquations::of(&activations, &wanted.around, size, outputs).select(self.penalty, self.units())
    }

    /// Bytes that a pool for `network` takes on `rows` training rows while a team is chosen from it and its outputs are
    /// solved; 0 where no pool is made.
    pub fn bytes(settings: &Graft, network: &Mlp, rows: usize) -> u64 {
        let (units, inputs, outputs) = (network.layers()[0].outputs, network.inputs(), network.outputs());
        let size = size(settings, units).max(2 * units);
        if size > LARGEST {
            return 0;
        }
        let some = rows.min(settings.rows.map_or(MOST_ROWS, Count::get));
        let candidates = 8 * size * (inputs + outputs + 1);
        // The factor has a row for each of the team.
        let choice = NormalEquations::bytes(size, outputs, some) + (candidates + 8 * units * size) as u64;
        choice.max(readout::closed_form_bytes(network, rows))
    }

    /// What the choice of a team from `size` candidates costs, outputs included.
    pub fn team_cost(&self, size: usize) -> Cost {
        let rows = self.some.as_ref().unwrap_or(self.rows);
        Cost::forward(size * rows.features(), rows.count())
            + NormalEquations::cost(size, rows.outputs(), rows.count())
            + NormalEquations::select_cost(size, rows.outputs(), self.units())
            + readout::closed_form_cost(self.network, self.rows.count())
    }
}

/// Candidates for a layer of so many units.
fn size(settings: &Graft, units: usize) -> usize {
    units.saturating_mul(settings.candidates.map_or(CANDIDATES, Count::get))
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
        let hidden = &self.layer.layers()[0];
        let first = hidden.weights.start + unit * hidden.inputs;
        (&self.params[first..first + hidden.inputs], self.params[hidden.biases.start + unit])
    }

    /// Sets a unit: `draw` writes its weights and returns its threshold.
    pub fn draw(&mut self, unit: usize, draw: impl FnOnce(&mut [f32]) -> f32) {
        let hidden = &self.layer.layers()[0];
        let first = hidden.weights.start + unit * hidden.inputs;
        let threshold = draw(&mut self.params[first..first + hidden.inputs]);
        self.params[hidden.biases.start + unit] = threshold;
    }

    /// Copies a unit of others.
    pub fn copy(&mut self, unit: usize, others: &Units, other: usize) {
        let (weights, threshold) = others.unit(other);
        self.draw(unit, |own| {
            own.copy_from_slice(weights);
            threshold
        });
    }

    /// Activations `[rows × units]`: one multiply-add for each input, unit and row.
    pub fn activations(&self, rows: &Rows, workspace: &mut Workspace) -> Vec<f32> {
        let mut out = vec![0.0; rows.count() * self.count()];
        self.layer.activations(&self.params, rows, 0, &mut out, workspace);
        out
    }
}
