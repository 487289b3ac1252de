//! Starts without chance: numbers that somebody wrote down.

use super::Initialize;
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::Rows;
use crate::network::{Dense, Mlp};
use crate::rng::Rng;
use crate::values::Finite;
use serde::{Deserialize, Serialize};

/// Every weight and threshold is this number. With all of them 0 no gradient tells one hidden unit from another, and units
/// that begin alike stay alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The number.
    pub value: Finite,
}

impl Initialize for Constant {
    fn init(&self, _: &Mlp, _: &Rows, params: &mut [f32], _: &mut Rng, _: &mut Cost) -> Result<()> {
        params.fill(self.value.f32());
        Ok(())
    }
}

/// These weights and thresholds, layer by layer: first the weights of each unit in turn, one for each of its inputs, then
/// the thresholds of the layer's units. Thresholds are added to the weighted sum, so a unit that is to fire above 1.5 has
/// the threshold −1.5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// As many numbers as the network has weights and thresholds.
    pub weights: Vec<Finite>,
}

impl Initialize for Given {
    fn init(&self, network: &Mlp, _: &Rows, params: &mut [f32], _: &mut Rng, _: &mut Cost) -> Result<()> {
        self.check(network)?;
        params.iter_mut().zip(&self.weights).for_each(|(param, given)| *param = given.f32());
        Ok(())
    }

    fn check(&self, network: &Mlp) -> Result<()> {
        let (found, wanted) = (self.weights.len(), network.parameters());
        if found == wanted {
            return Ok(());
        }
        let layer = |(index, layer): (usize, &Dense)| {
            let Dense { inputs, outputs, .. } = layer;
            format!("layer {}: {outputs} x {inputs} weights, then {outputs} thresholds", index + 1)
        };
        let layers: Vec<String> = network.layers().iter().enumerate().map(layer).collect();
        Err(Error::experiment("P0121", format!("`weights` of `Given` must be {wanted} numbers, found {found}"))
            .note(layers.join("; "))
            .help("write each unit's weights in turn, one for each of its inputs, then the layer's thresholds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Output, Workspace};
    use crate::rng::{Purpose, Streams};

    fn start(scheme: &dyn Initialize, network: &Mlp) -> Result<Vec<f32>> {
        let rows = Rows::new(&[0.0; 2], &[0.0; 1], 2, 1);
        let mut params = vec![f32::NAN; network.parameters()];
        let mut rng = Streams::new(1).stream(Purpose::Initialize, 0, 0);
        scheme.init(network, &rows, &mut params, &mut rng, &mut Cost::default())?;
        Ok(params)
    }

    fn given(weights: &[f64]) -> Given {
        Given { weights: weights.iter().map(|weight| Finite::new(*weight).unwrap()).collect() }
    }

    #[test]
    fn numbers_stand_in_the_order_of_the_slice() {
        // Threshold units: "or" and "not and" of two bits, and "and" of both of these: McCulloch & Pitts 1943.
        let hidden = [(2, Activation::Step), (1, Activation::Step)];
        let network = Mlp::new(2, &hidden, 1, Output::Linear, Loss::MeanSquared).unwrap();
        let numbers = [1.0, 1.0, -1.0, -1.0, -0.5, 1.5, 1.0, 1.0, -1.5, 1.0, 0.0];
        let params = start(&given(&numbers), &network).unwrap();
        assert_eq!(params, numbers.map(|x| x as f32));
        let rows = Rows::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], &[0.0; 4], 2, 1);
        let mut out = vec![0.0; 4];
        network.predict(&params, &rows, &mut out, &mut Workspace::new());
        assert_eq!(out, [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn a_wrong_count_tells_the_layout() {
        let network = Mlp::new(2, &[(3, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared).unwrap();
        let error = start(&given(&[1.0; 12]), &network).unwrap_err();
        let problem = &error.problems()[0];
        assert_eq!(problem.message, "`weights` of `Given` must be 13 numbers, found 12");
        assert_eq!(
            problem.notes,
            ["layer 1: 3 x 2 weights, then 3 thresholds; layer 2: 1 x 3 weights, then 1 thresholds"]
        );
    }

    #[test]
    fn a_constant_is_everywhere() {
        let network = Mlp::new(2, &[(3, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared).unwrap();
        assert_eq!(start(&Constant { value: Finite::new(0.25).unwrap() }, &network).unwrap(), [0.25; 13]);
    }
}
