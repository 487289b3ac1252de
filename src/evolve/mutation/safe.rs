//! Safe mutation through output gradients.

use super::Mutate;
use crate::cost::Cost;
use crate::evolve::variation::single;
use crate::evolve::{Brood, SOME, Variation};
use crate::math::Rows;
use crate::network::Mlp;
use crate::values::{Positive, Probability};
use serde::{Deserialize, Serialize};

/// Adds N(0, (sigma · spread · scale)²) / s to each gene with probability `rate`, where s is how strongly the network's
/// outputs over the training rows depend on it: SM-G.
///
/// s = √(Σ_k (Σ_i ∂y_ik/∂w)²) over outputs k (before softmax or logistic of the loss) and rows i; 1 where that is 0, and at
/// least 0.01. Sensitive genes move little, idle ones far, so that a child behaves much like its parent. s is a sum over
/// rows, as in the paper: with more rows or outputs the same `sigma` makes smaller steps, so tune `sigma` for each task.
/// A gene whose sensitivity is not a finite number stays.
///
/// Charges one gradient over all rows for each output. Prefer it for deep networks, where plain steps break much.
///
/// Lehman, Chen, Clune & Stanley 2018, SM-G-SUM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safe {
    /// Chance of each gene; 1 unless said otherwise, as in the paper.
    #[serde(default = "default_rate")]
    pub rate: Probability,
    /// Standard deviation in spreads of a gene with s = 1; 1.
    #[serde(default = "default_sigma")]
    pub sigma: Positive,
}

fn default_rate() -> Probability {
    Probability::new(1.0).expect("in range")
}
fn default_sigma() -> Positive {
    Positive::new(1.0).expect("in range")
}

impl Mutate for Safe {
    fn cost(&self, network: &Mlp, rows: &Rows) -> Cost {
        if self.rate.get() == 0.0 {
            return Cost::ZERO;
        }
        Cost::gradient(network.multiply_adds(), rows.count()).times(network.outputs() as u64)
    }

    fn mutate(&self, brood: &mut Brood, context: &mut Variation) {
        if self.rate.get() > 0.0 {
            brood.children().for_each(|(child, step_size)| self.step(child, step_size, context));
        }
    }
}

impl Safe {
    fn step(&self, child: &mut [f32], step_size: &mut f32, context: &mut Variation) {
        *context.cost += self.cost(context.network, context.rows);
        let mut scratch = std::mem::take(context.scratch);
        let sensitivity = sensitivities(child, &mut scratch, context);
        let (sigma, spread) = (self.sigma.get() * f64::from(context.scale), &context.spread.per_layer);
        let mut normals = [0.0; SOME];
        context.each_gene(&mut Brood::of(child, step_size), self.rate.get(), |rng, child, genes| {
            rng.fill_normal(&mut normals[..genes.len()], 1.0);
            for (gene, normal) in genes.iter().zip(normals) {
                let s = f64::from(sensitivity[gene.at()]);
                if s.is_finite() {
                    let s = if s == 0.0 { 1.0 } else { s.max(0.01) };
                    let step = f64::from(normal) * sigma * f64::from(spread[gene.layer()]) / s;
                    child[gene.at()] = single(f64::from(child[gene.at()]) + step);
                }
            }
        });
        *context.scratch = scratch;
    }
}

/// √(Σ_k (Σ_i ∂y_ik/∂w)²) for each gene, in `scratch`.
fn sensitivities<'a>(params: &[f32], scratch: &'a mut Vec<f32>, context: &mut Variation) -> &'a [f32] {
    let (network, rows, n) = (context.network, context.rows, params.len());
    let outputs = network.outputs();
    scratch.clear();
    scratch.resize(2 * n + outputs, 0.0);
    let (squares, rest) = scratch.split_at_mut(n);
    let (gradient, coefficients) = rest.split_at_mut(n);
    for output in 0..outputs {
        coefficients.fill(0.0);
        coefficients[output] = 1.0;
        network.output_gradient(params, rows, coefficients, gradient, context.workspace);
        squares.iter_mut().zip(&*gradient).for_each(|(square, slope)| *square = slope.mul_add(*slope, *square));
    }
    squares.iter_mut().for_each(|square| *square = square.sqrt());
    squares
}

#[cfg(test)]
mod tests {
    use super::super::tests::mutants;
    use super::*;
    use crate::evolve::fixture::{Fixture, read};

    #[test]
    fn sensitivities_agree_with_central_differences() {
        let fixture = Fixture::new();
        let params = fixture.genome(0);
        let mut scratch = vec![f32::NAN; 3];
        fixture.vary(0, |context| {
            sensitivities(&params, &mut scratch, context);
        });
        let safe: Safe = read("()").unwrap();
        let cost = fixture.vary(0, |context| safe.mutate(&mut Brood::of(&mut params.clone(), &mut 1.0), context));
        assert_eq!(cost, Cost::gradient(4 * 6 + 6 * 5 + 5 * 3, 40).times(3));
        // Sums of each output over all rows.
        let sums = |params: &[f32]| {
            let mut out = vec![0.0; 40 * 3];
            fixture.network.sums(params, &fixture.rows, 2, &mut out, &mut crate::network::Workspace::new());
            [0, 1, 2].map(|output| out.iter().skip(output).step_by(3).map(|y| f64::from(*y)).sum::<f64>())
        };
        for gene in 0..params.len() {
            let moved = |step: f32| {
                let mut params = params.clone();
                params[gene] += step;
                sums(&params)
            };
            let (up, down) = (moved(1e-3), moved(-1e-3));
            let square: f64 = (0..3).map(|output| libm::pow((up[output] - down[output]) / 2e-3, 2.0)).sum();
            let found = f64::from(scratch[gene]);
            assert!((found - square.sqrt()).abs() < 0.02 * square.sqrt() + 0.05, "{gene}: {found} {}", square.sqrt());
        }
    }

    #[test]
    fn steps_are_divided_by_sensitivity() {
        let fixture = Fixture::new();
        let parent = fixture.genome(0);
        let mut scratch = Vec::new();
        fixture.vary(0, |context| {
            sensitivities(&parent, &mut scratch, context);
        });
        let mutants = mutants(&fixture, &read("Safe(sigma: 0.5)").unwrap(), &parent, 0..600);
        for (layer, spread) in fixture.network.layers().iter().zip(&fixture.spread.per_layer) {
            for gene in layer.weights.start..layer.biases.end {
                let s = if scratch[gene] == 0.0 { 1.0 } else { scratch[gene].max(0.01) };
                let square =
                    mutants.iter().map(|child| libm::powf(child[gene] - parent[gene], 2.0)).sum::<f32>() / 600.0;
                let found = square.sqrt() * s / (0.5 * spread);
                assert!((found - 1.0).abs() < 0.15, "{gene}: {found}");
            }
        }
    }
}
