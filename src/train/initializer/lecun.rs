//! LeCun starts: weighted sums as wide as the inputs.

use super::{Initialize, normal_weights, uniform_weights};
use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Rng;

/// Each weight from U(−a, a), a = √(3 / fan_in); thresholds 0. LeCun et al. 1998, "Efficient BackProp", eq. 16.
pub struct LeCunUniform;

impl Initialize for LeCunUniform {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        uniform_weights(network, params, rng, |layer| (3.0 / layer.inputs as f64).sqrt());
        Ok(())
    }
}

/// Each weight from N(0, 1 / fan_in); thresholds 0. LeCun et al. 1998, "Efficient BackProp", eq. 16.
pub struct LeCunNormal;

impl Initialize for LeCunNormal {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        normal_weights(network, params, rng, |layer| (1.0 / layer.inputs as f64).sqrt());
        Ok(())
    }
}
