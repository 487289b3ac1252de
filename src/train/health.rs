//! How fit a network is for learning: whether its units respond and its gradients flow.

use crate::math::{Moments, Rows};
use crate::network::{Dense, Mlp, Workspace};
use serde::{Deserialize, Serialize};

/// Rows that are looked at together: keeps the memory small, whatever the data set.
const BLOCK: usize = 1024;

/// The health of a network's layers on some rows, above all right after its start.
///
/// An observation for the report. It is free of charge: nothing of it reaches the weights or a choice between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// From the first hidden layer to the outputs.
    pub layers: Vec<LayerHealth>,
}

/// The health of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerHealth {
    /// Share of activations (over rows and units) further from the middle of the activation's range than 0.95 of half
    /// the range; `None` for activations without bounds.
    pub saturated: Option<f64>,
    /// Units whose activation is the same for all rows, such as a `Relu` that is never on. With a single row 0, since
    /// nothing can be told from it.
    pub dead: usize,
    /// Variance of the activations over rows and units; `None` if one is not finite.
    pub activation_variance: Option<f64>,
    /// Variance of ∂loss/∂weight over the layer's weights; `None` if one is not finite.
    pub gradient_variance: Option<f64>,
    /// Share of the layer's weights whose gradient is exactly 0.
    pub zero_gradients: f64,
}

impl Health {
    /// Looks at `network` with `params` on `rows`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn of(network: &Mlp, params: &[f32], rows: &Rows, workspace: &mut Workspace) -> Health {
        let mut gradient = vec![0.0; params.len()];
        network.gradient(params, rows, &mut gradient, workspace);
        let mut watches: Vec<Watch> = network.layers().iter().map(Watch::new).collect();
        let mut block = Rows::with_shape(rows.count().min(BLOCK), rows.features(), rows.outputs());
        let order: Vec<u32> = (0..rows.count() as u32).collect();
        for indices in order.chunks(BLOCK) {
            block.gather(rows, indices);
            for (index, watch) in watches.iter_mut().enumerate() {
                watch.activations.resize(indices.len() * watch.layer.outputs, 0.0);
                network.activations(params, &block, index, &mut watch.activations, workspace);
                watch.look();
            }
        }
        Health { layers: watches.into_iter().map(|watch| watch.health(rows.count(), &gradient)).collect() }
    }
}

/// What is known of one layer so far.
struct Watch<'a> {
    layer: &'a Dense,
    /// Of the current block, `[rows × units]`.
    activations: Vec<f32>,
    moments: Moments,
    saturated: usize,
    /// Activations of the first row, and whether any other row differed, `[units]`.
    first: Vec<f32>,
    varies: Vec<bool>,
}

impl<'a> Watch<'a> {
    fn new(layer: &'a Dense) -> Watch<'a> {
        let varies = vec![false; layer.outputs];
        Watch { layer, activations: vec![], moments: Moments::default(), saturated: 0, first: vec![], varies }
    }

    fn look(&mut self) {
        let units = self.layer.outputs;
        if self.first.is_empty() {
            self.first = self.activations[..units].to_vec();
        }
        self.moments.add(&self.activations);
        if let Some((low, high)) = self.layer.activation.range() {
            let (middle, edge) = (0.5 * (low + high), 0.95 * 0.5 * (high - low));
            self.saturated += self.activations.iter().filter(|x| (**x - middle).abs() > edge).count();
        }
        for row in self.activations.chunks_exact(units) {
            for ((varies, first), x) in self.varies.iter_mut().zip(&self.first).zip(row) {
                *varies |= x != first;
            }
        }
    }

    fn health(self, rows: usize, gradient: &[f32]) -> LayerHealth {
        let gradient = &gradient[self.layer.weights.clone()];
        let mut of_gradient = Moments::default();
        of_gradient.add(gradient);
        let finite = |moments: &Moments| Some(moments.variance()).filter(|variance| variance.is_finite());
        let activations = (rows * self.layer.outputs) as f64;
        LayerHealth {
            saturated: self.layer.activation.range().map(|_| self.saturated as f64 / activations),
            dead: if rows == 1 { 0 } else { self.varies.iter().filter(|varies| !**varies).count() },
            activation_variance: finite(&self.moments),
            gradient_variance: finite(&of_gradient),
            zero_gradients: gradient.iter().filter(|g| **g == 0.0).count() as f64 / gradient.len() as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Output};
    use crate::rng::{Purpose, Rng, Streams};

    fn rng(individual: u64) -> Rng {
        Streams::new(6).stream(Purpose::Arm, 0, individual)
    }

    fn network(activation: Activation) -> Mlp {
        Mlp::new(4, &[(20, activation), (10, activation)], 2, Output::Softmax, Loss::CrossEntropy).unwrap()
    }

    /// More rows than one block holds.
    fn rows() -> Rows {
        let mut inputs = vec![0.0; 1500 * 4];
        rng(0).fill_normal(&mut inputs, 1.0);
        let targets: Vec<f32> =
            inputs.chunks(4).flat_map(|row| if row[0] > 0.0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        Rows::new(&inputs, &targets, 4, 2)
    }

    fn of(activation: Activation, deviation: f64) -> Health {
        let network = network(activation);
        let mut params = vec![0.0; network.parameters()];
        if deviation > 0.0 {
            rng(1).fill_normal(&mut params, deviation);
        }
        Health::of(&network, &params, &rows(), &mut Workspace::new())
    }

    #[test]
    fn numbers_agree_with_a_plain_count() {
        let network = network(Activation::Tanh);
        let mut params = vec![0.0; network.parameters()];
        rng(1).fill_normal(&mut params, 0.7);
        let (rows, mut workspace) = (rows(), Workspace::new());
        let health = Health::of(&network, &params, &rows, &mut workspace);
        let mut activations = vec![0.0; 1500 * 10];
        network.activations(&params, &rows, 1, &mut activations, &mut workspace);
        let count = activations.len() as f64;
        let mean = activations.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let variance = activations.iter().map(|x| (f64::from(*x) - mean) * (f64::from(*x) - mean)).sum::<f64>() / count;
        let layer = &health.layers[1];
        assert!((layer.activation_variance.unwrap() / variance - 1.0).abs() < 1e-9);
        let saturated = activations.iter().filter(|x| x.abs() > 0.95).count() as f64 / count;
        assert!(saturated > 0.0 && layer.saturated == Some(saturated));
        assert_eq!((layer.dead, layer.zero_gradients), (0, 0.0));
        assert_eq!(health.layers[2].saturated, None, "sums before a softmax have no bounds");
    }

    #[test]
    fn too_large_starts_saturate() {
        let (good, large) = (of(Activation::Tanh, 0.3), of(Activation::Tanh, 100.0));
        assert!(large.layers[1].saturated > Some(0.9) && good.layers[1].saturated < Some(0.1));
        let overflow = of(Activation::Square, 1e15);
        assert_eq!(overflow.layers[1].activation_variance, None);
        assert_eq!(overflow.layers[1].gradient_variance, None);
    }

    #[test]
    fn too_small_starts_have_vanishing_gradients() {
        let (good, small) = (of(Activation::Tanh, 0.3), of(Activation::Tanh, 1e-4));
        let variance = |health: &Health| health.layers[0].gradient_variance.unwrap();
        assert!(variance(&small) < 1e-8 * variance(&good));
        assert!(small.layers[2].activation_variance < Some(1e-6));
        assert_eq!(small.layers[0].saturated, Some(0.0));
    }

    #[test]
    fn zero_starts_are_dead() {
        for layer in of(Activation::Tanh, 0.0).layers {
            assert_eq!((layer.activation_variance, layer.zero_gradients), (Some(0.0), 1.0));
            assert!([2, 10, 20].contains(&layer.dead));
        }
        assert_eq!(of(Activation::Logistic, 0.0).layers[0].saturated, Some(0.0));
    }

    #[test]
    fn rectifiers_that_are_never_on_are_dead_and_a_single_row_tells_nothing() {
        let network = network(Activation::Relu);
        let mut params = vec![0.0; network.parameters()];
        rng(1).fill_normal(&mut params, 0.3);
        let layer = &network.layers()[0];
        params[layer.biases.start + 3] = -100.0;
        params[layer.biases.start + 7] = -100.0;
        let health = Health::of(&network, &params, &rows(), &mut Workspace::new());
        assert_eq!((health.layers[0].dead, health.layers[0].saturated), (2, None));
        assert_eq!(health.layers[0].zero_gradients, 2.0 / 20.0);
        let single = Rows::new(&[1.0; 4], &[1.0, 0.0], 4, 2);
        assert_eq!(Health::of(&network, &params, &single, &mut Workspace::new()).layers[0].dead, 0);
    }

    #[test]
    fn health_survives_writing() {
        for health in [of(Activation::Tanh, 0.3), of(Activation::Square, 1e15)] {
            let text = serde_json::to_string(&health).unwrap();
            assert_eq!(serde_json::from_str::<Health>(&text).unwrap(), health);
        }
    }
}
