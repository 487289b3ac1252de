//! Glorot starts: variances of activations and gradients alike in all layers.

use super::Initialize;
use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Rng;

/// Each weight from U(−a, a), a = √(6 / (fan_in + fan_out)); thresholds 0. Glorot & Bengio 2010, eq. 16.
pub struct GlorotUniform;

impl Initialize for GlorotUniform {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        for layer in network.layers() {
            let limit = (6.0 / (layer.inputs + layer.outputs) as f64).sqrt() as f32;
            params[layer.weights.clone()].iter_mut().for_each(|weight| *weight = rng.between(-limit, limit));
            params[layer.biases.clone()].fill(0.0);
        }
        Ok(())
    }
}

/// Each weight from N(0, 2 / (fan_in + fan_out)); thresholds 0. Glorot & Bengio 2010, eq. 12.
pub struct GlorotNormal;

impl Initialize for GlorotNormal {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        for layer in network.layers() {
            let standard_deviation = (2.0 / (layer.inputs + layer.outputs) as f64).sqrt();
            rng.fill_normal(&mut params[layer.weights.clone()], standard_deviation);
            params[layer.biases.clone()].fill(0.0);
        }
        Ok(())
    }
}
