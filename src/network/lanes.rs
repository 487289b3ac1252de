//! Many multi-layer perceptrons of one shape side by side, a lane each.

use super::Mlp;
use crate::math::kernel::NetLanes;

/// Genomes of one [`Mlp`], a lane each, for tasks in which every network sees rows of its own.
///
/// The last layer's activation is applied; a softmax or logistic that belongs to a cross-entropy is not. Each lane has
/// the bits that [`Mlp::predict`] gives its genome.
#[derive(Clone, Debug)]
pub struct MlpLanes<'a> {
    network: &'a Mlp,
    nets: NetLanes,
}

impl<'a> MlpLanes<'a> {
    /// Memory for genomes of `network`; none are loaded yet.
    pub fn new(network: &'a Mlp) -> MlpLanes<'a> {
        MlpLanes { network, nets: NetLanes::default() }
    }

    /// Takes over `count` genomes; `genome` gives that of a lane. Lanes are filled up to a multiple of 16 with the last.
    ///
    /// # Panics
    /// If there is no genome, or one is of another length than the network's parameters.
    pub fn load<'g>(&mut self, count: usize, genome: impl Fn(usize) -> &'g [f32]) {
        self.nets.load(self.network.parameters(), count, genome);
    }

    /// Outputs `[outputs × lanes]` for `inputs` `[inputs × lanes]`.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn step(&mut self, inputs: &[f32], outputs: &mut [f32]) {
        self.nets.forward(self.network.layers(), inputs, outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Activation, Rows};
    use crate::network::{Loss, Output, Workspace};
    use crate::rng::{Purpose, Streams};

    #[test]
    fn each_lane_has_the_bits_of_its_network_alone() {
        for output in [Output::Linear, Output::Tanh, Output::Logistic] {
            let hidden = [(10, Activation::Tanh), (7, Activation::Gelu)];
            let network = Mlp::new(5, &hidden, 3, output, Loss::MeanSquared).unwrap();
            let mut rng = Streams::new(3).stream(Purpose::Synthetic, 0, 0);
            let mut genomes = vec![0.0; 20 * network.parameters()];
            rng.fill_normal(&mut genomes, 1.0);
            let genome = |lane: usize| &genomes[lane * network.parameters()..][..network.parameters()];
            let mut lanes = MlpLanes::new(&network);
            lanes.load(20, genome);
            let mut inputs = vec![0.0; 5 * 32];
            rng.fill_normal(&mut inputs, 1.0);
            let mut outputs = vec![0.0; 3 * 32];
            lanes.step(&inputs, &mut outputs);
            for lane in 0..20 {
                let row: Vec<f32> = (0..5).map(|input| inputs[input * 32 + lane]).collect();
                let mut alone = [0.0; 3];
                let rows = Rows::new(&row, &[0.0; 3], 5, 3);
                network.predict(genome(lane), &rows, &mut alone, &mut Workspace::new());
                for (index, alone) in alone.iter().enumerate() {
                    assert_eq!(outputs[index * 32 + lane].to_bits(), alone.to_bits(), "{output:?} lane {lane}");
                }
            }
        }
    }
}
