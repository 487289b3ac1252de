//! What layers start from when a user of a common framework says nothing.

use super::Initialize;
use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Rng;

/// Each weight and threshold from U(−a, a), a = 1 / √fan_in: the default of PyTorch's linear layers ("Kaiming uniform
/// with slope √5").
pub struct TorchDefault;

impl Initialize for TorchDefault {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        for layer in network.layers() {
            let limit = (1.0 / (layer.inputs as f64).sqrt()) as f32;
            rng.fill_between(&mut params[layer.weights.start..layer.biases.end], -limit, limit);
        }
        Ok(())
    }
}
