//! A pool of candidate units, and the team that is chosen from it.

use super::Graft;
use super::units::{MOST_ROWS, Numbers, Regime};
use crate::cost::Cost;
use crate::math::{Activation, Rows};
use crate::network::{Mlp, Workspace};
use crate::rng::Rng;
use crate::train::Initializer;
use crate::train::team::{self, LARGEST, Units};
use crate::values::{Count, Positive};

/// Candidates for each hidden unit: more of them cost more than they bring.
const CANDIDATES: usize = 2;

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
            let mut free = Cost::ZERO;
            let mut alone = Units::none(self.rows, self.units(), self.activation());
            if alone.init(&Initializer::NguyenWidrow, self.rows, rng, &mut free).is_ok() {
                first = self.units().min(self.size);
                (0..first).for_each(|unit| candidates.copy(unit, alone.unit(unit)));
            }
        }
        if self.of_scheme {
            let end = (first + self.units()).min(self.size);
            candidates.copy_layer(first..end, self.network, params);
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

    /// Makes the best team of these candidates the hidden layer of `params`, and solves the output layer. Charges
    /// [`Pool::team_cost`].
    pub fn team(&self, candidates: &Units, params: &mut [f32], workspace: &mut Workspace, cost: &mut Cost) {
        team::join(self.network, self.rows, self.some(), self.penalty, candidates, params, workspace, cost);
    }

    /// Rows that teams are chosen on.
    fn some(&self) -> &Rows {
        self.some.as_ref().unwrap_or(self.rows)
    }

    /// Bytes that a pool for `network` takes on `rows` training rows while a team is chosen from it and its outputs are
    /// solved; 0 where no pool is made.
    pub fn bytes(settings: &Graft, network: &Mlp, rows: usize) -> u64 {
        let units = network.layers()[0].outputs;
        let size = size(settings, units).max(2 * units);
        let some = rows.min(settings.rows.map_or(MOST_ROWS, Count::get));
        if size > LARGEST { 0 } else { team::bytes(network, rows, some, size) }
    }

    /// What the choice of a team from `size` candidates costs, outputs included.
    pub fn team_cost(&self, size: usize) -> Cost {
        team::cost(self.network, self.rows.count(), self.some().count(), size)
    }
}

/// Candidates for a layer of so many units.
fn size(settings: &Graft, units: usize) -> usize {
    units.saturating_mul(settings.candidates.map_or(CANDIDATES, Count::get))
}
