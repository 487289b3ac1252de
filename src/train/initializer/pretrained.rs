//! Layer-wise pre-training: each hidden layer learns to keep what the layer below it says.

use super::{GlorotUniform, Initialize, Initializer, lsuv::sample};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::Rows;
use crate::network::{Dense, Loss, Mlp, Output, Workspace};
use crate::rng::{Purpose, Rng, Streams};
use crate::task::Supervised;
use crate::train::optimizer::Adam;
use crate::train::{Batch, Clip, Schedule, Scratch, Session, Status, TrainContext, Training};
use crate::values::{Count, Positive, Probability};
use serde::{Deserialize, Serialize};

/// Each hidden layer in turn, from below, is trained as an autoencoder of what the layers below it make of the training
/// rows: with a linear decoder of its own that is thrown away afterwards, by Adam on minibatches, for a fixed number of
/// steps. Targets are not looked at. Output weights stay as `scheme` draws them.
///
/// Greedy layer-wise training (Hinton & Salakhutdinov 2006, there with restricted Boltzmann machines) by autoencoders as in
/// Bengio, Lamblin, Popovici & Larochelle 2007; with `corruption`, denoising ones (Vincent, Larochelle, Bengio & Manzagol
/// 2008). A layer with as many units as inputs can learn to copy, and wants corruption.
///
/// Charged are the gradients of the little networks and, for each hidden layer but the last, one forward pass of the rows
/// through it. Rows that no step will see are left out. A layer whose training leaves the finite numbers stays as drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pretrained {
    /// Steps that each hidden layer is trained for; 200 unless said otherwise.
    #[serde(default = "default_steps")]
    pub steps: Count,
    /// Rows of each step; 32.
    #[serde(default = "default_batch")]
    pub batch: Count,
    /// Step size of Adam; 0.003.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: Positive,
    /// Chance of each input of a layer to be 0 in an epoch, while the decoder is asked for what it was; 0.
    #[serde(default = "default_corruption")]
    pub corruption: Probability,
    /// What pre-training starts from, and what the output layer keeps; `GlorotUniform`.
    #[serde(default = "default_scheme")]
    pub scheme: Box<Initializer>,
}

fn default_steps() -> Count {
    Count::new(200).expect("in range")
}
fn default_batch() -> Count {
    Count::new(32).expect("in range")
}
fn default_learning_rate() -> Positive {
    Positive::new(0.003).expect("in range")
}
fn default_corruption() -> Probability {
    Probability::new(0.0).expect("in range")
}
fn default_scheme() -> Box<Initializer> {
    Box::new(Initializer::GlorotUniform)
}

impl Initialize for Pretrained {
    fn init(&self, network: &Mlp, rows: &Rows, params: &mut [f32], rng: &mut Rng, cost: &mut Cost) -> Result<()> {
        self.scheme.init(network, rows, params, rng, cost)?;
        let sample = sample(rows, self.rows(rows.count()), rng);
        let rows = sample.as_ref().unwrap_or(rows);
        let seed = rng.bits64();
        let mut inputs: Vec<f32> = (0..rows.count()).flat_map(|row| rows.input(row).iter().copied()).collect();
        let hidden = hidden(network);
        for (depth, layer) in hidden.iter().enumerate() {
            let coder = coder(layer)?;
            let mut coding = vec![0.0; coder.parameters()];
            GlorotUniform.init(&coder, rows, &mut coding, rng, cost)?;
            let (weights, biases) = (layer.weights.clone(), layer.biases.clone());
            let encoder = layer.weights.len() + layer.outputs;
            coding[..encoder].copy_from_slice(&params[weights.start..biases.end]);
            if let Some(trained) = self.train(&coder, coding, &inputs, Streams::new(seed).branch(depth as u32), cost) {
                params[weights.start..biases.end].copy_from_slice(&trained[..encoder]);
            }
            if depth + 1 < hidden.len() {
                let mut outputs = vec![0.0; inputs.len() / layer.inputs * layer.outputs];
                let packed = pack(&inputs, layer.inputs, |_| false);
                let mut all = vec![0.0; coder.parameters()];
                all[..encoder].copy_from_slice(&params[weights.start..biases.end]);
                *cost += Cost::forward(layer.weights.len(), packed.count());
                coder.activations(&all, &packed, 0, &mut outputs, &mut Workspace::new());
                inputs = outputs;
            }
        }
        Ok(())
    }

    fn cost(&self, network: &Mlp, rows: &Rows) -> Cost {
        let mut cost = self.scheme.cost(network, rows);
        let rows = self.rows(rows.count());
        let batch = self.batch.get().min(rows);
        let (epochs, rest) = (self.steps.get() / rows.div_ceil(batch), self.steps.get() % rows.div_ceil(batch));
        let seen = (epochs as u64).saturating_mul(rows as u64).saturating_add((rest * batch) as u64);
        let hidden = hidden(network);
        for (depth, layer) in hidden.iter().enumerate() {
            cost += Cost::gradient(2 * layer.weights.len(), 1).times(seen);
            if depth + 1 < hidden.len() {
                cost += Cost::forward(layer.weights.len(), rows);
            }
        }
        cost
    }

    fn equations(&self, network: &Mlp, rows: usize) -> u64 {
        let own = self.scheme.equations(network, rows);
        let rows = self.rows(rows);
        let widest = hidden(network).iter().map(|layer| layer.inputs.max(layer.outputs)).max().unwrap_or(0);
        // The sample, what the layer reads as it came and packed, and what it says.
        let packed = u64::try_from(Rows::bytes(rows, widest, widest)).unwrap_or(u64::MAX);
        own.max(packed.saturating_mul(2).saturating_add(8 * (rows * widest) as u64))
    }

    fn check(&self, network: &Mlp) -> Result<()> {
        self.scheme.check(network)?;
        match hidden(network).iter().find(|layer| !layer.activation.has_gradient()) {
            None => Ok(()),
            Some(layer) => {
                let message = format!("`{:?}` units have no gradient to be pre-trained by", layer.activation);
                Err(Error::experiment("P0138", message)
                    .help("use `Tanh` or `Logistic`, which are smooth steps")
                    .help("or a start that trains nothing, such as `GlorotUniform`"))
            }
        }
    }

    fn note(&self, network: &Mlp) -> Option<String> {
        let own = self.scheme.note(network);
        match hidden(network).is_empty() {
            true => Some("there is no hidden layer to pre-train, so the start is that of its scheme".into()),
            false => own,
        }
    }
}

impl Pretrained {
    /// Rows that are looked at, of so many: as many as there are steps for.
    fn rows(&self, rows: usize) -> usize {
        rows.min(self.steps.get().saturating_mul(self.batch.get()))
    }

    /// Parameters of `coder` after training from `start`, or none if that left the finite numbers. `inputs` is
    /// `[rows × inputs of the coder]`.
    fn train(
        &self,
        coder: &Mlp,
        start: Vec<f32>,
        inputs: &[f32],
        streams: Streams,
        cost: &mut Cost,
    ) -> Option<Vec<f32>> {
        let training = Training {
            optimizer: Adam { learning_rate: self.learning_rate, ..Adam::default() }.into(),
            batch: Batch::Size(self.batch),
            schedule: Schedule::default(),
            clip: Clip::default(),
            stop: Vec::new(),
        };
        let corruption = self.corruption.get();
        // What is lost is drawn anew in each epoch.
        let corrupted = |epoch: u64| {
            let mut rng = streams.stream(Purpose::Synthetic, epoch, 0);
            pack(inputs, coder.inputs(), |_| corruption > 0.0 && rng.chance(corruption))
        };
        let mut supervised = Supervised { training: corrupted(0), validation: None };
        let (mut session, mut scratch) = (Session::new(&start, &training), Scratch::default());
        for _ in 0..self.steps.get() {
            let epoch = session.epoch;
            let context = TrainContext { network: coder, supervised: &supervised, training: &training, streams };
            if session.step(&context, &mut scratch, cost) != Status::Running {
                return None;
            }
            if session.epoch != epoch && corruption > 0.0 {
                supervised.training = corrupted(session.epoch);
            }
        }
        session.params.iter().all(|param| param.is_finite()).then_some(session.params)
    }
}

fn hidden(network: &Mlp) -> &[Dense] {
    let layers = network.layers();
    &layers[..layers.len() - 1]
}

/// The layer with a linear decoder.
fn coder(layer: &Dense) -> Result<Mlp> {
    Mlp::new(layer.inputs, &[(layer.outputs, layer.activation)], layer.inputs, Output::Linear, Loss::MeanSquared)
}

/// `inputs` `[rows × width]` as rows that are their own targets; inputs that are `lost` are 0, their targets are not.
fn pack(inputs: &[f32], width: usize, mut lost: impl FnMut(usize) -> bool) -> Rows {
    Rows::filled(inputs.len() / width, width, width, |row, x, y| {
        y.copy_from_slice(&inputs[row * width..(row + 1) * width]);
        x.iter_mut().zip(&*y).enumerate().for_each(|(at, (x, y))| *x = if lost(at) { 0.0 } else { *y });
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::math::least_squares::NormalEquations;

    fn pretrained(steps: u64, corruption: f64) -> Pretrained {
        Pretrained {
            steps: Count::new(steps).unwrap(),
            batch: default_batch(),
            learning_rate: Positive::new(0.01).unwrap(),
            corruption: Probability::new(corruption).unwrap(),
            scheme: default_scheme(),
        }
    }

    /// Rows of four independent numbers with these standard deviations.
    fn rows(count: usize, deviations: [f64; 4]) -> Rows {
        let mut rng = Streams::new(9).stream(Purpose::Synthetic, 0, 0);
        let inputs: Vec<f32> = (0..count * 4).map(|at| (deviations[at % 4] * rng.normal()) as f32).collect();
        Rows::new(&inputs, &vec![0.0; count * 2], 4, 2)
    }

    fn start(initializer: &dyn Initialize, network: &Mlp, rows: &Rows) -> (Vec<f32>, Cost) {
        let (mut params, mut cost) = (vec![f32::NAN; network.parameters()], Cost::ZERO);
        let mut rng = Streams::new(2).stream(Purpose::Initialize, 0, 0);
        initializer.init(network, rows, &mut params, &mut rng, &mut cost).unwrap();
        (params, cost)
    }

    #[test]
    fn linear_units_find_the_principal_components() {
        // Baldi & Hornik 1989: a linear autoencoder is best where its units span the directions of largest variance, which
        // are the first and the third input here, whatever a decomposition would be computed with.
        let network = Mlp::new(4, &[(2, Activation::Linear)], 2, Output::Linear, Loss::MeanSquared).unwrap();
        let (params, _) = start(&pretrained(2000, 0.0), &network, &rows(400, [3.0, 0.3, 2.0, 0.1]));
        for unit in params[..8].chunks(4) {
            let large = unit[0].hypot(unit[2]);
            assert!(large > 0.1 && unit[1].abs() < 0.05 * large && unit[3].abs() < 0.05 * large, "{unit:?}");
        }
    }

    #[test]
    fn layers_keep_more_of_what_lies_below_them_than_they_did_as_drawn() {
        let network =
            Mlp::new(4, &[(6, Activation::Tanh), (2, Activation::Logistic)], 2, Output::Linear, Loss::MeanSquared)
                .unwrap();
        let rows = rows(300, [1.0, 1.0, 0.2, 0.2]);
        let (drawn, _) = start(&GlorotUniform, &network, &rows);
        for corruption in [0.0, 0.25] {
            let (params, _) = start(&pretrained(1000, corruption), &network, &rows);
            let output = network.layers()[2].weights.start;
            assert_eq!(params[output..], drawn[output..], "the output layer is its scheme's");
            // Squared error of the rows as a linear function of what the two units say of them.
            let missed = |params: &[f32]| {
                let mut said = vec![0.0; rows.count() * 2];
                network.activations(params, &rows, 1, &mut said, &mut Workspace::new());
                let wanted: Vec<f64> =
                    (0..rows.count()).flat_map(|row| rows.input(row)).map(|x| f64::from(*x)).collect();
                let equations = NormalEquations::of(&said, &wanted, 2, 4);
                let mean = equations.mean.clone();
                let weights = equations.solve(1e-9).unwrap();
                let error = |(said, wanted): (&[f32], &[f64])| {
                    let off = [f64::from(said[0]) - mean[0], f64::from(said[1]) - mean[1]];
                    let fitted = weights.chunks(2).map(|w| w[0] * off[0] + w[1] * off[1]);
                    fitted.zip(wanted).map(|(y, t)| (y - t) * (y - t)).sum::<f64>()
                };
                said.chunks(2).zip(wanted.chunks(4)).map(error).sum::<f64>()
            };
            assert!(missed(&params) < 0.7 * missed(&drawn), "{} of {}", missed(&params), missed(&drawn));
        }
    }

    #[test]
    fn what_is_charged_was_foretold() {
        let network =
            Mlp::new(4, &[(6, Activation::Tanh), (5, Activation::Relu)], 2, Output::Linear, Loss::MeanSquared).unwrap();
        // 70 rows: epochs of 32, 32 and 6. 40 rows and 2 steps: all; 20 rows: batches of 20.
        for (count, steps, seen) in [(70, 7, 2 * 70 + 32), (70, 1, 32), (40, 2, 40), (20, 3, 60)] {
            let (initializer, rows) = (pretrained(steps, 0.1), rows(count, [1.0; 4]));
            let (_, cost) = start(&initializer, &network, &rows);
            let looked_at = count.min(32 * steps as usize) as u64;
            let weights = 24 + 30;
            let expected =
                Cost { forward: 2 * weights * seen + 24 * looked_at, backward: 4 * weights * seen, ..Cost::ZERO };
            assert_eq!(cost, expected, "{count} rows, {steps} steps");
            assert_eq!(cost, initializer.cost(&network, &rows));
        }
        let unseen = Mlp::new(4, &[], 2, Output::Linear, Loss::MeanSquared).unwrap();
        let (params, cost) = start(&pretrained(9, 0.0), &unseen, &rows(40, [1.0; 4]));
        assert_eq!((params, cost), start(&GlorotUniform, &unseen, &rows(40, [1.0; 4])));
        assert!(pretrained(9, 0.0).note(&unseen).is_some());
    }

    #[test]
    fn layers_that_explode_stay_as_drawn_and_steps_cannot_be_pre_trained() {
        let network = Mlp::new(4, &[(3, Activation::Square)], 2, Output::Linear, Loss::MeanSquared).unwrap();
        let rows = rows(64, [1e15; 4]);
        let (params, cost) = start(&pretrained(50, 0.0), &network, &rows);
        assert_eq!(params, start(&GlorotUniform, &network, &rows).0);
        assert!(cost.total() > 0, "what failed is charged too");
        let step = Mlp::new(4, &[(3, Activation::Step)], 2, Output::Linear, Loss::MeanSquared).unwrap();
        assert_eq!(pretrained(1, 0.0).check(&step).unwrap_err().code(), "P0138");
    }
}
