//! The multi-layer perceptron.

use crate::error::{Error, Result};
use crate::math::kernel::{Dense, Head, Net, Workspace};
use crate::math::{Activation, Rows};
use serde::{Deserialize, Serialize};

/// What the last layer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Output {
    /// Probabilities that sum to 1, one unit per class.
    Softmax,
    /// The weighted sums themselves.
    Linear,
    /// Independent probabilities between 0 and 1; two classes share one unit.
    Logistic,
    /// Values between −1 and 1.
    Tanh,
    /// 1 where the weighted sum is above 0, else 0: threshold units, for classes. No gradient passes them; the mean squared
    /// error is the share of wrong answers.
    Step,
}

/// What training makes small: the mean over rows of a row's loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Loss {
    /// −Σ t ln p with softmax; −mean(t ln p + (1 − t) ln(1 − p)) with logistic outputs. In nats.
    CrossEntropy,
    /// mean (y − t)² over the outputs.
    MeanSquared,
}

impl Output {
    /// What the kernels make of outputs and targets under `loss`, and the activation that the output units then have.
    ///
    /// # Errors
    /// An output that does not go with the loss (`P0135`).
    pub fn head(self, loss: Loss) -> Result<(Head, Activation)> {
        match (self, loss) {
            (Output::Softmax, Loss::CrossEntropy) => Ok((Head::SoftmaxCrossEntropy, Activation::Linear)),
            (Output::Logistic, Loss::CrossEntropy) => Ok((Head::LogisticCrossEntropy, Activation::Linear)),
            (Output::Linear, Loss::MeanSquared) => Ok((Head::Squared, Activation::Linear)),
            (Output::Logistic, Loss::MeanSquared) => Ok((Head::Squared, Activation::Logistic)),
            (Output::Tanh, Loss::MeanSquared) => Ok((Head::Squared, Activation::Tanh)),
            (Output::Step, Loss::MeanSquared) => Ok((Head::Squared, Activation::Step)),
            (Output::Softmax, Loss::MeanSquared) => {
                Err(Error::experiment("P0135", "`Softmax` outputs go with `loss: CrossEntropy`")
                    .help("write `loss: CrossEntropy`, or `output: Logistic` with `loss: MeanSquared`"))
            }
            (Output::Linear | Output::Tanh | Output::Step, Loss::CrossEntropy) => {
                Err(Error::experiment("P0135", "`loss: CrossEntropy` needs outputs that are probabilities")
                    .help("write `output: Softmax` (one class per row) or `output: Logistic`")
                    .help("or write `loss: MeanSquared`"))
            }
        }
    }
}

/// A multi-layer perceptron: its layers and where each lies in the flat parameter slice.
///
/// The slice holds, layer by layer, the weights `[outputs × inputs]` row-major, then the thresholds `[outputs]`. A genome
/// of the search *is* such a slice, and so is what the optimizers step. Thresholds are added to the weighted sum.
///
/// ```
/// use precocial::network::{Loss, Mlp, Output};
/// use precocial::math::Activation;
/// let network = Mlp::new(4, &[(8, Activation::Tanh)], 3, Output::Softmax, Loss::CrossEntropy)?;
/// assert_eq!(network.parameters(), 4 * 8 + 8 + 8 * 3 + 3);
/// # Ok::<(), precocial::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    layers: Vec<Dense>,
    head: Head,
    output: Output,
    loss: Loss,
}

impl Mlp {
    /// A network of `inputs`, hidden layers of (units, activation) from first to last, and `outputs`.
    ///
    /// # Errors
    /// A layer without units (`P0134`), more than 2³¹ parameters (`P0140`), or an output that does not go with the loss
    /// (`P0135`): cross-entropy wants `Softmax` or `Logistic`, mean squared error anything but `Softmax`.
    pub fn new(
        inputs: usize,
        hidden: &[(usize, Activation)],
        outputs: usize,
        output: Output,
        loss: Loss,
    ) -> Result<Mlp> {
        let (head, last) = output.head(loss)?;
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        let mut start = 0_usize;
        let mut before = inputs;
        for (units, activation) in hidden.iter().copied().chain([(outputs, last)]) {
            if before == 0 || units == 0 {
                return Err(Error::experiment("P0134", "every layer needs at least one unit")
                    .help("give each hidden layer `units: 1` or more"));
            }
            let size = before.checked_mul(units).and_then(|weights| weights.checked_add(units));
            let end = size.and_then(|size| size.checked_add(start)).filter(|end| *end <= 1 << 31);
            let Some(end) = end else {
                return Err(Error::new(
                    crate::error::Kind::Limit,
                    "P0140",
                    format!("a layer of {before} x {units} weights is more than a network may hold (2^31 in all)"),
                )
                .help("use fewer units"));
            };
            let weights = start..end - units;
            layers.push(Dense { inputs: before, outputs: units, activation, biases: weights.end..end, weights });
            start = end;
            before = units;
        }
        Ok(Mlp { layers, head, output, loss })
    }

    /// Layers from first to last; the last one is linear where softmax or logistic are part of the loss.
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// How outputs and targets make the loss.
    pub fn head(&self) -> Head {
        self.head
    }

    /// What the last layer does.
    pub fn output(&self) -> Output {
        self.output
    }

    /// What training makes small.
    pub fn loss_kind(&self) -> Loss {
        self.loss
    }

    /// Inputs of the first layer.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    /// Units of the last layer.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// Length of the parameter slice: weights and thresholds.
    pub fn parameters(&self) -> usize {
        self.layers[self.layers.len() - 1].biases.end
    }

    /// Multiply-adds of one forward row: the weights without the thresholds. One *row-pass*.
    pub fn multiply_adds(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights.len()).sum()
    }

    /// Mean loss of `params` over `rows`.
    ///
    /// # Panics
    /// If the shapes do not fit; likewise below.
    pub fn loss(&self, params: &[f32], rows: &Rows, workspace: &mut Workspace) -> f64 {
        self.net().loss(params, rows, workspace)
    }

    /// Mean loss, and its gradient by the parameters written to `gradient`.
    pub fn gradient(&self, params: &[f32], rows: &Rows, gradient: &mut [f32], workspace: &mut Workspace) -> f64 {
        self.net().gradient(params, rows, gradient, workspace)
    }

    /// Predictions, `[rows × outputs]`, row-major: probabilities, or values.
    pub fn predict(&self, params: &[f32], rows: &Rows, out: &mut [f32], workspace: &mut Workspace) {
        self.net().outputs(params, rows, out, workspace);
    }

    /// Activations of layer `layer` (0 is the first hidden one), `[rows × units]`, row-major.
    pub fn activations(&self, params: &[f32], rows: &Rows, layer: usize, out: &mut [f32], workspace: &mut Workspace) {
        self.net().layer(params, rows, layer, false, out, workspace);
    }

    /// Sums before the activation of layer `layer`, `[rows × units]`, row-major.
    pub fn sums(&self, params: &[f32], rows: &Rows, layer: usize, out: &mut [f32], workspace: &mut Workspace) {
        self.net().layer(params, rows, layer, true, out, workspace);
    }

    /// Gradient of Σ over rows and outputs of `coefficients[output]` · output, before softmax or logistic of the loss.
    pub fn output_gradient(
        &self,
        params: &[f32],
        rows: &Rows,
        coefficients: &[f32],
        gradient: &mut [f32],
        workspace: &mut Workspace,
    ) {
        self.net().output_gradient(params, rows, coefficients, gradient, workspace);
    }

    pub(crate) fn net(&self) -> Net<'_> {
        Net { layers: &self.layers, head: self.head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_lie_one_behind_the_other() {
        let network =
            Mlp::new(3, &[(5, Activation::Tanh), (2, Activation::Relu)], 4, Output::Linear, Loss::MeanSquared).unwrap();
        assert_eq!(network.layers()[0].weights, 0..15);
        assert_eq!(network.layers()[0].biases, 15..20);
        assert_eq!(network.layers()[2].biases, 40..44);
        assert_eq!((network.parameters(), network.multiply_adds()), (44, 15 + 10 + 8));
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_a_way_out() {
        let code = |output, loss| Mlp::new(2, &[], 1, output, loss).map(|_| ()).map_err(|error| error.code());
        assert_eq!(code(Output::Softmax, Loss::MeanSquared), Err("P0135"));
        assert_eq!(code(Output::Linear, Loss::CrossEntropy), Err("P0135"));
        assert_eq!(code(Output::Logistic, Loss::CrossEntropy), Ok(()));
        let empty = Mlp::new(2, &[(0, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared);
        assert_eq!(empty.unwrap_err().code(), "P0134");
        let huge = Mlp::new(usize::MAX, &[], 2, Output::Linear, Loss::MeanSquared);
        assert_eq!(huge.unwrap_err().code(), "P0140");
    }
}
