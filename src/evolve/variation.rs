//! What an operator may know while it makes a child.

use crate::cost::Cost;
use crate::evolve::Spread;
use crate::math::Rows;
use crate::network::{Mlp, Workspace};
use crate::rng::Rng;
use std::ops::Range;

/// Everything that crossover and mutation may use. One child, one context.
pub struct Variation<'a> {
    /// The network that the genome is a parameter slice of.
    pub network: &'a Mlp,
    /// The unit of mutation steps, per layer.
    pub spread: &'a Spread,
    /// Generation that the child is born into, from 1; generation 0 is drawn.
    pub generation: usize,
    /// Generations planned, the drawn one included.
    pub generations: usize,
    /// Factor on mutation steps by the step schedule; 1 where there is none.
    pub scale: f32,
    /// The child's own step size, where the mutation adapts it; inherited from the first parent. Starts at 1.
    pub step_size: &'a mut f32,
    /// Training rows for operators that look at activations or sensitivities; they charge `cost`.
    pub rows: &'a Rows,
    /// What looking at rows costs.
    pub cost: &'a mut Cost,
    /// The child's random numbers.
    pub rng: &'a mut Rng,
    /// Memory for passes over rows.
    pub workspace: &'a mut Workspace,
    /// Memory for anything else; operators may grow it and must not trust its content.
    pub scratch: &'a mut Vec<f32>,
}

impl Variation<'_> {
    /// Calls `visit` with the indices of genes chosen independently with probability `rate`: ascending, at most
    /// [`SOME`] of one layer at a time, with what steps in that layer are measured by.
    pub fn each_gene(&mut self, rate: f64, mut visit: impl FnMut(&mut Rng, &[usize], Yardstick)) {
        let (layers, spread) = (self.network.layers(), self.spread);
        self.rng.sparse(self.network.parameters(), rate, |rng, mut genes| {
            for (index, layer) in layers.iter().enumerate() {
                let (here, rest) = genes.split_at(genes.partition_point(|gene| *gene < layer.biases.end));
                if !here.is_empty() {
                    visit(rng, here, Yardstick { spread: spread.per_layer[index], bound: spread.bounds[index] });
                }
                genes = rest;
            }
        });
    }
}

/// Most numbers that operators draw together.
pub const SOME: usize = 64;

/// What steps in one layer are measured by; see [`Spread`].
#[derive(Clone, Copy, Debug)]
pub struct Yardstick {
    /// The unit of steps.
    pub spread: f32,
    /// The largest magnitude that bounded operators allow.
    pub bound: f32,
}

/// Adds `steps` to the genes that they are meant for; finite genes stay finite.
pub(super) fn add_steps(child: &mut [f32], genes: &[usize], steps: &[f32]) {
    genes.iter().zip(steps).for_each(|(gene, step)| child[*gene] = (child[*gene] + step).clamp(f32::MIN, f32::MAX));
}

/// In single precision; the largest number where a step went beyond it, so that finite genes stay finite.
pub(super) fn single(value: f64) -> f32 {
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

/// The genes of hidden unit `unit` in hidden layer `layer`: its incoming row, its threshold, and its outgoing column as
/// (first, step, count).
pub fn unit_genes(network: &Mlp, layer: usize, unit: usize) -> (Range<usize>, usize, (usize, usize, usize)) {
    let here = &network.layers()[layer];
    let next = &network.layers()[layer + 1];
    let row = here.weights.start + unit * here.inputs;
    (row..row + here.inputs, here.biases.start + unit, (next.weights.start + unit, next.inputs, next.outputs))
}
