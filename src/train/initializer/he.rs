//! He starts: the variance of activations is kept through rectified layers.

use super::{Initialize, normal_weights, uniform_weights};
use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Rng;
use crate::values::NonNegative;
use serde::{Deserialize, Serialize};

/// Each weight from U(−a, a), a = √(6 / ((1 + slope²) · fan_in)); thresholds 0. He et al. 2015, eq. 15.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeUniform {
    /// Steepness of the activation left of 0, as in `LeakyRelu`; 0 (`Relu`) unless said otherwise.
    #[serde(default = "default_slope")]
    pub slope: NonNegative,
}

impl Initialize for HeUniform {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        uniform_weights(network, params, rng, |layer| (3.0 * variance(self.slope, layer.inputs)).sqrt());
        Ok(())
    }
}

/// Each weight from N(0, 2 / ((1 + slope²) · fan_in)); thresholds 0. He et al. 2015, eq. 15.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeNormal {
    /// Steepness of the activation left of 0, as in `LeakyRelu`; 0 (`Relu`) unless said otherwise.
    #[serde(default = "default_slope")]
    pub slope: NonNegative,
}

impl Initialize for HeNormal {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        normal_weights(network, params, rng, |layer| variance(self.slope, layer.inputs).sqrt());
        Ok(())
    }
}

fn default_slope() -> NonNegative {
    NonNegative::new(0.0).expect("in range")
}

fn variance(slope: NonNegative, fan_in: usize) -> f64 {
    2.0 / ((1.0 + slope.get() * slope.get()) * fan_in as f64)
}
