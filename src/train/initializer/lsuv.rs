//! Layer-sequential unit variance: orthonormal layers, then each stretched until its sums vary by 1.

use super::{Initialize, orthogonal};
use crate::cost::Cost;
use crate::error::Result;
use crate::math::{Moments, Rows};
use crate::network::{Mlp, Workspace};
use crate::rng::Rng;
use crate::values::{Count, Positive};
use serde::{Deserialize, Serialize};

/// Rows that are looked at unless the user says otherwise: their variance is known to a few percent, a few rows more
/// would not help, and a large data set would be charged for nothing.
const DEFAULT_ROWS: usize = 1024;

/// Orthonormal weights; then layer by layer W ← W / √v, with v the variance of the layer's sums (before the
/// activation, over all its units and rows) until |v − 1| is small. Thresholds 0. Mishkin & Matas 2016, algorithm 1.
///
/// Every measurement is a forward pass of the rows through the layers up to the measured one, and is charged as that.
/// A layer whose sums do not vary, because the layers before it are dead or overflow, stays orthonormal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lsuv {
    /// Distance of the variance from 1 that is good enough; 0.1 unless said otherwise.
    #[serde(default = "default_tolerance")]
    pub tolerance: Positive,
    /// Most corrections of a layer; 10 unless said otherwise.
    #[serde(default = "default_tries")]
    pub tries: Count,
    /// Training rows to look at, chosen by chance if there are more; unless said otherwise all, but at most 1024.
    #[serde(default)]
    pub rows: Option<Count>,
}

fn default_tolerance() -> Positive {
    Positive::new(0.1).expect("in range")
}
fn default_tries() -> Count {
    Count::new(10).expect("in range")
}

impl Initialize for Lsuv {
    fn init(&self, network: &Mlp, rows: &Rows, params: &mut [f32], rng: &mut Rng, cost: &mut Cost) -> Result<()> {
        network.layers().iter().for_each(|layer| orthogonal::draw(layer, 1.0, params, rng));
        let sample = sample(rows, self.rows.map_or(DEFAULT_ROWS, Count::get), rng);
        let rows = sample.as_ref().unwrap_or(rows);
        let mut workspace = Workspace::new();
        let mut sums = Vec::new();
        let mut multiply_adds = 0;
        for (index, layer) in network.layers().iter().enumerate() {
            multiply_adds += layer.weights.len();
            sums.resize(rows.count() * layer.outputs, 0.0);
            for measurement in 0..=self.tries.get() {
                network.sums(params, rows, index, &mut sums, &mut workspace);
                *cost += Cost::forward(multiply_adds, rows.count());
                let Some(variance) = variance(&sums) else { break };
                if (variance - 1.0).abs() < self.tolerance.get() || measurement == self.tries.get() {
                    break;
                }
                let factor = (1.0 / variance.sqrt()) as f32;
                params[layer.weights.clone()].iter_mut().for_each(|weight| *weight *= factor);
            }
        }
        Ok(())
    }

    fn cost(&self, network: &Mlp, rows: &Rows) -> Cost {
        let rows = self.rows.map_or(DEFAULT_ROWS, Count::get).min(rows.count());
        let mut multiply_adds = 0;
        let mut cost = Cost::ZERO;
        for layer in network.layers() {
            multiply_adds += layer.weights.len();
            cost += Cost::forward(multiply_adds, rows).times(self.tries.get() as u64 + 1);
        }
        cost
    }
}

/// Variance of sums; none of sums that are not finite, or that differ by their rounding only.
fn variance(sums: &[f32]) -> Option<f64> {
    let mut moments = Moments::default();
    moments.add(sums);
    let (mean, variance) = (moments.mean(), moments.variance());
    // Single precision keeps 7 digits: below a millionth of the mean there is nothing but rounding. And a factor that
    // single precision cannot hold would make infinite weights.
    let varies = variance > 1e-12 * mean * mean && variance > 1e-70 && variance.is_finite();
    varies.then_some(variance)
}

/// So many rows chosen by chance, or none if that is all of them.
pub(super) fn sample(rows: &Rows, count: usize, rng: &mut Rng) -> Option<Rows> {
    (count < rows.count()).then(|| {
        let mut order: Vec<u32> = (0..rows.count() as u32).collect();
        rng.shuffle(&mut order);
        let mut sample = Rows::with_shape(count, rows.features(), rows.outputs());
        sample.gather(rows, &order[..count]);
        sample
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Output};
    use crate::rng::{Purpose, Streams};

    fn lsuv(rows: Option<u64>) -> Lsuv {
        let rows = rows.map(|rows| Count::new(rows).unwrap());
        Lsuv { tolerance: default_tolerance(), tries: default_tries(), rows }
    }

    fn network(activation: Activation) -> Mlp {
        Mlp::new(5, &[(12, activation), (9, activation)], 2, Output::Linear, Loss::MeanSquared).unwrap()
    }

    fn start(lsuv: &Lsuv, network: &Mlp, rows: &Rows) -> (Vec<f32>, Cost) {
        let mut params = vec![f32::NAN; network.parameters()];
        let mut cost = Cost::default();
        let mut rng = Streams::new(2).stream(Purpose::Initialize, 0, 0);
        lsuv.init(network, rows, &mut params, &mut rng, &mut cost).unwrap();
        (params, cost)
    }

    fn rows(count: usize, scale: f64) -> Rows {
        let mut rng = Streams::new(9).stream(Purpose::Synthetic, 0, 0);
        let mut inputs = vec![0.0; count * 5];
        rng.fill_normal(&mut inputs, scale);
        Rows::new(&inputs, &vec![0.0; count * 2], 5, 2)
    }

    fn variances(network: &Mlp, params: &[f32], rows: &Rows) -> Vec<Option<f64>> {
        let one = |index: usize| {
            let mut sums = vec![0.0; rows.count() * network.layers()[index].outputs];
            network.sums(params, rows, index, &mut sums, &mut Workspace::new());
            variance(&sums)
        };
        (0..network.layers().len()).map(one).collect()
    }

    #[test]
    fn sums_of_every_layer_vary_by_one() {
        for activation in [Activation::Tanh, Activation::Relu, Activation::Logistic, Activation::Square] {
            for scale in [1e-3, 1.0, 50.0] {
                let (network, rows) = (network(activation), rows(300, scale));
                let (params, _) = start(&lsuv(None), &network, &rows);
                for variance in variances(&network, &params, &rows) {
                    assert!((variance.unwrap() - 1.0).abs() < 0.1, "{activation:?} {scale}: {variance:?}");
                }
            }
        }
    }

    #[test]
    fn every_pass_is_charged_through_the_layers_it_computes() {
        let network = network(Activation::Tanh);
        // Sums are proportional to the weights: one correction and one look at the result, three layers.
        let through = [60, 60 + 108, 60 + 108 + 18];
        let (_, cost) = start(&lsuv(None), &network, &rows(300, 40.0));
        assert_eq!(cost.forward, 2 * 300 * through.iter().sum::<u64>());
        assert_eq!(cost.total(), cost.forward);
        let (_, fewer) = start(&lsuv(Some(40)), &network, &rows(300, 40.0));
        assert_eq!(fewer.forward % 40, 0);
        assert!(fewer.forward <= 40 * 2 * through.iter().sum::<u64>());
        let (_, capped) = start(&lsuv(None), &network, &rows(2000, 40.0));
        assert!(capped.forward > 0 && capped.forward % 1024 == 0);
    }

    #[test]
    fn dead_layers_stay_orthonormal() {
        let network = network(Activation::Relu);
        for input in [0.0, f32::MAX] {
            let (params, cost) = start(&lsuv(None), &network, &Rows::new(&[input; 100], &[0.0; 40], 5, 2));
            assert!(params.iter().all(|x| x.is_finite() && x.abs() <= 1.0), "{input}");
            assert!(cost.forward > 0, "looking at a dead layer is charged too");
        }
        // One row, one unit: its sum cannot vary.
        let single = Mlp::new(5, &[], 1, Output::Linear, Loss::MeanSquared).unwrap();
        let (params, _) = start(&lsuv(None), &single, &Rows::new(&[0.1; 50], &[0.0; 10], 5, 1));
        let length: f64 = params[..5].iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        assert!((length - 1.0).abs() < 1e-6);
    }
}
