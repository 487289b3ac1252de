//! A small computation with a known outcome: what `precocial doctor` asks of every core.

use crate::experiment::replicate::hexadecimal;
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output, Workspace};
use crate::rng::{Purpose, Streams};
use sha2::{Digest, Sha256};

/// What [`probe`] gives wherever the program and the processor compute right.
pub const PROBE: &str = "5e07e58c545ebada0ae5df3386809abaa89edbe8114e1d4a8d668cb36556c869";

/// SHA-256 over the bits of random numbers, activations, losses and gradients of small networks.
pub fn probe() -> String {
    let mut hash = Sha256::new();
    let mut rng = Streams::new(20_261_123).stream(Purpose::Arm, 0, 0);
    let mut numbers = vec![0.0_f32; 4099];
    rng.fill_normal(&mut numbers, 1.5);
    numbers.iter().for_each(|x| hash.update(x.to_le_bytes()));
    let activations = [
        Activation::Tanh,
        Activation::Logistic,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softplus,
        Activation::Sin,
        Activation::Cos,
        Activation::Gaussian,
    ];
    let (inputs, count) = (9, 77);
    for (index, activation) in activations.into_iter().enumerate() {
        let (outputs, output, loss) = match index % 2 {
            0 => (3, Output::Softmax, Loss::CrossEntropy),
            _ => (2, Output::Linear, Loss::MeanSquared),
        };
        let network = Mlp::new(inputs, &[(17, activation), (5, Activation::Relu)], outputs, output, loss);
        let network = network.expect("a sound network");
        let (mut values, mut targets) = (vec![0.0; inputs * count], vec![0.0; outputs * count]);
        rng.fill_normal(&mut values, 1.0);
        match output {
            Output::Softmax => targets.chunks_exact_mut(outputs).for_each(|row| row[rng.below(outputs)] = 1.0),
            _ => rng.fill_normal(&mut targets, 1.0),
        }
        let rows = Rows::new(&values, &targets, inputs, outputs);
        let (mut params, mut gradient) = (vec![0.0; network.parameters()], vec![0.0; network.parameters()]);
        rng.fill_normal(&mut params, 0.4);
        let mut workspace = Workspace::new();
        for _ in 0..3 {
            let loss = network.gradient(&params, &rows, &mut gradient, &mut workspace);
            hash.update(loss.to_le_bytes());
            gradient.iter().for_each(|g| hash.update(g.to_le_bytes()));
            params.iter_mut().zip(&gradient).for_each(|(p, g)| *p = g.mul_add(-0.1, *p));
        }
        hash.update(network.loss(&params, &rows, &mut workspace).to_le_bytes());
    }
    hexadecimal(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_has_its_known_outcome() {
        assert_eq!(probe(), PROBE);
    }
}
