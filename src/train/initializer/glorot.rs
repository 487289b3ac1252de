//! Glorot starts: variances of activations and gradients alike in all layers.

use super::{Initialize, normal_weights, uniform_weights};
use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Rng;

/// Each weight from U(−a, a), a = √(6 / (fan_in + fan_out)); thresholds 0. Glorot & Bengio 2010, eq. 16.
pub struct GlorotUniform;

impl Initialize for GlorotUniform {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        uniform_weights(network, params, rng, |layer| (6.0 / (layer.inputs + layer.outputs) as f64).sqrt());
        Ok(())
    }
}

/// Each weight from N(0, 2 / (fan_in + fan_out)); thresholds 0. Glorot & Bengio 2010, eq. 12.
pub struct GlorotNormal;

impl Initialize for GlorotNormal {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        normal_weights(network, params, rng, |layer| (2.0 / (layer.inputs + layer.outputs) as f64).sqrt());
        Ok(())
    }
}
