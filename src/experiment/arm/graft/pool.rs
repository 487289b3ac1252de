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
use std::borrow::Cow;

/// Candidates for each hidden unit: more of them cost more than they bring.
const CANDIDATES: usize = 2;

/// Where units come from: a task, the last hidden layer, and what they are drawn for.
pub struct Pool<'a> {
    network: &'a Mlp,
    rows: &'a Rows,
    /// Last hidden layer and outputs, a network by themselves.
    top: Mlp,
    pub regime: Regime,
    penalty: f64,
    /// Units in the pool.
    size: usize,
    nguyen_widrow: bool,
    pub of_scheme: bool,
    /// What goes with the regime where the settings are silent.
    pub numbers: Numbers,
    /// Of how many rows one is among those that teams are chosen on.
    every: usize,
    /// What the last hidden layer sees, where that is the data.
    view: Option<View<'a>>,
}

/// What the last hidden layer sees: the data, or what the layers below make of them.
#[derive(Clone)]
pub struct View<'v> {
    pub rows: Cow<'v, Rows>,
    /// Rows that teams are chosen on, if not all.
    some: Option<Cow<'v, Rows>>,
}

impl View<'_> {
    /// Every so manieth row is one to choose teams on.
    fn new(rows: Cow<'_, Rows>, every: usize) -> View<'_> {
        let some = (every > 1).then(|| {
            let chosen: Vec<u32> = (0..rows.count() as u32).step_by(every).collect();
            let mut some = Rows::with_shape(chosen.len(), rows.features(), rows.outputs());
            some.gather(&rows, &chosen);
            Cow::Owned(some)
        });
        View { rows, some }
    }

    /// Rows that teams are chosen on.
    fn some(&self) -> &Rows {
        self.some.as_deref().unwrap_or(&self.rows)
    }
}

/// Last hidden layer and outputs of `network`, a network by themselves.
fn top(network: &Mlp) -> Mlp {
    let [.., hidden, output] = network.layers() else { unreachable!("checked by `Graft::fits`") };
    let units = [(hidden.outputs, hidden.activation)];
    let top = Mlp::new(hidden.inputs, &units, output.outputs, network.output(), network.loss_kind());
    top.expect("it is a part of a network")
}

impl<'a> Pool<'a> {
    /// For the last hidden layer of `network` on these `rows`.
    pub fn new(settings: &Graft, network: &'a Mlp, rows: &'a Rows) -> Pool<'a> {
        let top = top(network);
        let is_deep = network.layers().len() > 2;
        // What layers say has as many sides as they have units, and is no plane any more.
        let found = || if is_deep { Regime::Tabular } else { Regime::of(rows) };
        let regime = settings.regime.unwrap_or_else(found);
        let numbers = regime.numbers(network.loss_kind());
        let wanted = settings.rows.map_or(numbers.rows, Count::get);
        let every = rows.count().div_ceil(wanted);
        Pool {
            network,
            rows,
            regime,
            penalty: settings.penalty.map_or(numbers.penalty, Positive::get),
            size: size(settings, top.layers()[0].outputs),
            nguyen_widrow: settings.nguyen_widrow,
            of_scheme: settings.of_scheme.unwrap_or(numbers.of_scheme),
            numbers,
            every,
            view: (!is_deep).then(|| View::new(Cow::Borrowed(rows), every)),
            top,
        }
    }

    /// Whether layers lie below the one whose units come from here.
    pub fn is_deep(&self) -> bool {
        self.view.is_none()
    }

    /// What the last hidden layer of `params` sees. Charges [`Pool::view_cost`].
    pub fn view(&self, params: &[f32], workspace: &mut Workspace, cost: &mut Cost) -> View<'_> {
        if let Some(View { rows, some }) = &self.view {
            return View { rows: Cow::Borrowed(rows), some: some.as_deref().map(Cow::Borrowed) };
        }
        *cost += self.view_cost();
        let width = self.top.inputs();
        let mut said = vec![0.0; self.rows.count() * width];
        self.network.activations(params, self.rows, self.network.layers().len() - 3, &mut said, workspace);
        View::new(Cow::Owned(Rows::new(&said, self.rows.targets(), width, self.rows.outputs())), self.every)
    }

    /// What the layers below cost on all rows; nothing, where there are none.
    pub fn view_cost(&self) -> Cost {
        Cost::forward(self.network.multiply_adds() - self.top.multiply_adds(), self.rows.count())
    }

    /// The parameters of the last hidden layer and the outputs among those of the network.
    pub fn top_of<'p>(&self, params: &'p mut [f32]) -> &'p mut [f32] {
        let first = self.network.parameters() - self.top.parameters();
        &mut params[first..]
    }

    /// Last hidden layer and outputs, a network by themselves.
    pub fn top(&self) -> &Mlp {
        &self.top
    }

    /// Whether the matrices of a team's choice are of a size to be held; larger pools are not made.
    pub fn is_small(&self) -> bool {
        self.size.max(2 * self.units()) <= LARGEST
    }

    /// Training rows.
    pub fn count(&self) -> usize {
        self.rows.count()
    }

    /// Units of the last hidden layer.
    pub fn units(&self) -> usize {
        self.top.layers()[0].outputs
    }

    pub fn activation(&self) -> Activation {
        self.top.layers()[0].activation
    }

    /// Draws a start: a team of the pool, and the output layer that goes with it; the layers below stay. Charges
    /// [`Pool::cost`].
    pub fn start(&self, params: &mut [f32], rng: &mut Rng, workspace: &mut Workspace, cost: &mut Cost) {
        let view = self.view(params, workspace, cost);
        let params = self.top_of(params);
        let rows = &*view.rows;
        let mut candidates = Units::none(rows, self.size, self.activation());
        let mut first = 0;
        if self.nguyen_widrow {
            // As many as the layer has, for which the rule spreads them; the rest of the pool fills what they leave open.
            let mut free = Cost::ZERO;
            let mut alone = Units::none(rows, self.units(), self.activation());
            if alone.init(&Initializer::NguyenWidrow, rows, rng, &mut free).is_ok() {
                first = self.units().min(self.size);
                (0..first).for_each(|unit| candidates.copy(unit, alone.unit(unit)));
            }
        }
        if self.of_scheme {
            let end = (first + self.units()).min(self.size);
            candidates.copy_layer(first..end, &self.top, params);
            first = end;
        }
        for unit in first..self.size {
            candidates.draw(unit, |weights| self.regime.draw(rows, self.activation(), weights, rng));
        }
        self.team(&view, &candidates, params, workspace, cost);
    }

    /// What a start costs.
    pub fn cost(&self) -> Cost {
        self.team_cost(self.size)
    }

    /// Makes the best team of these candidates the hidden layer of the top's `params`, and solves the output layer; which
    /// candidate each unit was. Charges [`Pool::team_cost`] less the view.
    pub fn team(
        &self,
        view: &View,
        candidates: &Units,
        params: &mut [f32],
        workspace: &mut Workspace,
        cost: &mut Cost,
    ) -> Vec<usize> {
        team::join(&self.top, &view.rows, view.some(), self.penalty, candidates, params, workspace, cost)
    }

    /// Bytes that a pool for `network` takes on `rows` training rows while a team is chosen from it and its outputs are
    /// solved; 0 where no pool is made.
    pub fn bytes(settings: &Graft, network: &Mlp, rows: usize) -> u64 {
        let top = top(network);
        let units = top.layers()[0].outputs;
        let size = size(settings, units).max(2 * units);
        let every = settings.rows.map_or(MOST_ROWS, Count::get);
        if size > LARGEST {
            return 0;
        }
        let is_deep = network.layers().len() > 2;
        // What the layers below say, and its copy in the kernels' layout.
        let said = if is_deep { Rows::bytes(rows, 2 * top.inputs(), top.outputs()) } else { 0 };
        u64::try_from(said).unwrap_or(u64::MAX).saturating_add(team::bytes(&top, rows, rows.min(every), size))
    }

    /// What the choice of a team from `size` candidates costs, the view and outputs included.
    pub fn team_cost(&self, size: usize) -> Cost {
        let count = self.rows.count();
        self.view_cost() + team::cost(&self.top, count, count.div_ceil(self.every), size)
    }
}

/// Candidates for a layer of so many units.
fn size(settings: &Graft, units: usize) -> usize {
    units.saturating_mul(settings.candidates.map_or(CANDIDATES, Count::get))
}
