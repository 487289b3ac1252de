//! What methods see that look at more than one gradient: the loss over one fixed set of rows, and what it costs to ask.

use crate::cost::Cost;
use crate::math::Rows;
use crate::math::kernel::Workspace;
use crate::network::{DoubleWorkspace, Mlp, double};

/// A function of parameters that is made small. Everything is in double precision, unless said otherwise.
pub trait Objective {
    /// The loss.
    fn loss(&mut self, point: &[f64]) -> f64;

    /// Loss and gradient at `point` rounded to single precision, by the kernels that follow gradients too: some ten times
    /// as fast, and right to six or seven digits. `None` where there are no such kernels.
    fn single_gradient(&mut self, _point: &[f64], _gradient: &mut [f64]) -> Option<f64> {
        None
    }

    /// The loss, and its gradient written to `gradient`, `[parameters]`.
    fn gradient(&mut self, point: &[f64], gradient: &mut [f64]) -> f64;

    /// The Hessian of the loss, `[parameters × parameters]`, of which the lower triangle is written.
    fn hessian(&mut self, point: &[f64], hessian: &mut [f64]);

    /// JᵀJ of the residuals (the lower triangle of `gram`, `[parameters × parameters]`) and Jᵀe (`pull`,
    /// `[parameters]`). The loss, which is returned, is the mean of e².
    fn gauss_newton(&mut self, point: &[f64], gram: &mut [f64], pull: &mut [f64]) -> f64;

    /// Number of residuals.
    fn residuals(&self) -> usize;
}

/// What each question to an [`Objective`] costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// A loss: a forward pass.
    pub loss: Cost,
    /// A gradient: a pass forward and one back.
    pub gradient: Cost,
    /// A Hessian: a product by the R-operator for each parameter ([`Cost::hessian_product`]).
    pub hessian: Cost,
    /// JᵀJ and Jᵀe ([`Cost::gauss_newton`]).
    pub gauss_newton: Cost,
}

impl Prices {
    /// Prices of `network` over so many rows.
    pub fn of(network: &Mlp, rows: usize) -> Prices {
        let (weights, parameters) = (network.multiply_adds(), network.parameters());
        Prices {
            loss: Cost::forward(weights, rows),
            gradient: Cost::gradient(weights, rows),
            hessian: Cost::hessian_product(weights, rows).times(parameters as u64),
            gauss_newton: Cost::gauss_newton(weights, parameters, network.outputs(), rows),
        }
    }
}

/// Memory of passes in single precision.
pub struct Single<'a> {
    /// Memory of the kernels.
    pub workspace: &'a mut Workspace,
    /// Parameters, rounded.
    pub params: &'a mut Vec<f32>,
    /// Their gradient.
    pub gradient: &'a mut Vec<f32>,
}

/// The loss of a network over rows. Every question is charged.
pub struct OnRows<'a> {
    /// The network.
    pub network: &'a Mlp,
    /// Its rows.
    pub rows: &'a Rows,
    /// Memory of the passes in double precision.
    pub memory: &'a mut DoubleWorkspace,
    /// Memory of those in single precision, with parameters and a gradient.
    pub single: Single<'a>,
    /// What was spent.
    pub cost: &'a mut Cost,
}

impl OnRows<'_> {
    fn prices(&self) -> Prices {
        Prices::of(self.network, self.rows.count())
    }
}

impl Objective for OnRows<'_> {
    fn loss(&mut self, point: &[f64]) -> f64 {
        *self.cost += self.prices().loss;
        double::loss(self.network, point, self.rows, self.memory)
    }

    fn single_gradient(&mut self, point: &[f64], gradient: &mut [f64]) -> Option<f64> {
        *self.cost += self.prices().gradient;
        let Single { workspace, params, gradient: rounded } = &mut self.single;
        params.clear();
        params.extend(point.iter().map(|x| *x as f32));
        rounded.resize(point.len(), 0.0);
        let loss = self.network.gradient(params, self.rows, rounded, workspace);
        gradient.iter_mut().zip(rounded.iter()).for_each(|(wide, g)| *wide = f64::from(*g));
        Some(loss)
    }

    fn gradient(&mut self, point: &[f64], gradient: &mut [f64]) -> f64 {
        *self.cost += self.prices().gradient;
        double::gradient(self.network, point, self.rows, gradient, self.memory)
    }

    fn hessian(&mut self, point: &[f64], hessian: &mut [f64]) {
        *self.cost += self.prices().hessian;
        let parameters = point.len();
        let (mut direction, mut product) = (vec![0.0; parameters], vec![0.0; parameters]);
        for row in 0..parameters {
            direction[row] = 1.0;
            double::hessian_product(self.network, point, &direction, self.rows, &mut product, self.memory);
            direction[row] = 0.0;
            hessian[row * parameters..][..=row].copy_from_slice(&product[..=row]);
        }
    }

    fn gauss_newton(&mut self, point: &[f64], gram: &mut [f64], pull: &mut [f64]) -> f64 {
        *self.cost += self.prices().gauss_newton;
        double::gauss_newton(self.network, point, self.rows, gram, pull, self.memory)
    }

    fn residuals(&self) -> usize {
        self.rows.count() * self.rows.outputs()
    }
}
