//! The kernels against their twins, and both against an independent implementation.

use super::reference;
use crate::math::kernel::{Isa, Workspace};
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output};
use crate::rng::{Purpose, Rng, Streams};
use proptest::prelude::*;

fn rng(seed: u64) -> Rng {
    Streams::new(seed).stream(Purpose::Arm, 0, 0)
}

struct Case {
    network: Mlp,
    params: Vec<f32>,
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

impl Case {
    fn new(seed: u64, count: usize, sizes: [usize; 2], hidden: &[(usize, Activation)], end: (Output, Loss)) -> Case {
        let [features, outputs] = sizes;
        let network = Mlp::new(features, hidden, outputs, end.0, end.1).unwrap();
        let mut rng = rng(seed);
        let mut params = vec![0.0; network.parameters()];
        rng.fill_normal(&mut params, 0.5);
        let mut inputs = vec![0.0; count * features];
        rng.fill_normal(&mut inputs, 1.0);
        let mut targets = vec![0.0; count * outputs];
        match end.1 {
            Loss::CrossEntropy => targets.chunks_mut(outputs).for_each(|row| row[rng.below(outputs)] = 1.0),
            Loss::MeanSquared => rng.fill_normal(&mut targets, 0.5),
        }
        Case { network, params, inputs, targets }
    }

    fn rows(&self) -> Rows {
        Rows::new(&self.inputs, &self.targets, self.network.inputs(), self.network.outputs())
    }

    fn in_double(&self) -> [Vec<f64>; 3] {
        [&self.params, &self.inputs, &self.targets].map(|numbers| numbers.iter().map(|x| f64::from(*x)).collect())
    }
}

const ENDS: [(Output, Loss); 5] = [
    (Output::Softmax, Loss::CrossEntropy),
    (Output::Logistic, Loss::CrossEntropy),
    (Output::Linear, Loss::MeanSquared),
    (Output::Logistic, Loss::MeanSquared),
    (Output::Tanh, Loss::MeanSquared),
];

/// Activations whose sums are kept away from their kinks by chance only; central differences step over none of these.
fn smooth() -> Vec<Activation> {
    let kinked = |activation: &Activation| {
        matches!(activation, Activation::Step | Activation::Relu | Activation::LeakyRelu { .. } | Activation::Abs)
    };
    Activation::all().into_iter().filter(|activation| !kinked(activation)).collect()
}

#[test]
fn twin_gradient_agrees_with_central_differences() {
    for (index, activation) in smooth().into_iter().enumerate() {
        let end = ENDS[index % ENDS.len()];
        let case = Case::new(index as u64, 7, [3, 2], &[(4, activation), (3, Activation::Tanh)], end);
        let [mut params, inputs, targets] = case.in_double();
        let (_, gradient) = reference::gradient(&case.network, &params, &inputs, &targets);
        for at in 0..params.len() {
            let (kept, h) = (params[at], 1e-5);
            params[at] = kept + h;
            let above = reference::loss(&case.network, &params, &inputs, &targets);
            params[at] = kept - h;
            let below = reference::loss(&case.network, &params, &inputs, &targets);
            params[at] = kept;
            let numeric = (above - below) / (2.0 * h);
            let error = (numeric - gradient[at]).abs();
            assert!(error < 1e-7 * gradient[at].abs().max(1.0), "{activation:?} {end:?} at {at}: {error:e}");
        }
    }
}

#[test]
fn kernels_agree_with_the_twin() {
    for (index, activation) in Activation::all().into_iter().enumerate() {
        for end in ENDS {
            let count = 1 + 37 * index;
            let case = Case::new(index as u64, count, [5, 3], &[(9, activation), (4, Activation::Tanh)], end);
            let [params, inputs, targets] = case.in_double();
            let (loss, gradient) = reference::gradient(&case.network, &params, &inputs, &targets);
            let mut fast = vec![0.0; params.len()];
            let mut workspace = Workspace::new();
            let fast_loss = case.network.gradient(&case.params, &case.rows(), &mut fast, &mut workspace);
            let plain_loss = case.network.loss(&case.params, &case.rows(), &mut workspace);
            assert_eq!(fast_loss.to_bits(), plain_loss.to_bits(), "both passes make the same loss");
            let near = |a: f64, b: f64| (a - b).abs() < 1e-5 * b.abs().max(1.0);
            assert!(near(fast_loss, loss), "{activation:?} {end:?}: {fast_loss} {loss}");
            for (at, (a, b)) in fast.iter().zip(&gradient).enumerate() {
                assert!(near(f64::from(*a), *b), "{activation:?} {end:?} at {at}: {a} {b}");
            }
        }
    }
}

#[test]
fn output_gradient_is_the_derivative_of_the_summed_outputs() {
    let case = Case::new(5, 50, [4, 3], &[(6, Activation::Tanh)], ENDS[2]);
    let rows = case.rows();
    let mut workspace = Workspace::new();
    let mut gradient = vec![0.0; case.params.len()];
    case.network.output_gradient(&case.params, &rows, &[0.0, 1.0, 0.0], &mut gradient, &mut workspace);
    let mut sum = |params: &[f32]| {
        let mut out = vec![0.0; 150];
        case.network.predict(params, &rows, &mut out, &mut workspace);
        out.chunks(3).map(|row| f64::from(row[1])).sum::<f64>()
    };
    for at in 0..case.params.len() {
        let mut params = case.params.clone();
        params[at] += 1e-2;
        let above = sum(&params);
        params[at] -= 2e-2;
        let numeric = (above - sum(&params)) / 2e-2;
        assert!((numeric - f64::from(gradient[at])).abs() < 5e-3 * numeric.abs().max(1.0), "{at}");
    }
}

#[test]
fn a_network_of_known_numbers_gives_what_pytorch_gives() {
    // Made with PyTorch; the generating lines stand in tests/oracle/pytorch_mlp.py.
    let network = Mlp::new(2, &[(3, Activation::Tanh)], 2, Output::Softmax, Loss::CrossEntropy).unwrap();
    let params: Vec<f32> = (0..network.parameters()).map(|i| ((i * 7 + 3) % 11) as f32 * 0.2 - 1.0).collect();
    let inputs = [0.5, -1.0, 1.5, 2.0, -0.3, 0.8, 0.0, 0.0, 2.5, -0.7];
    let targets = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
    let rows = Rows::new(&inputs, &targets, 2, 2);
    let mut gradient = vec![0.0; params.len()];
    let loss = network.gradient(&params, &rows, &mut gradient, &mut Workspace::new());
    assert!((loss - PYTORCH_LOSS).abs() < 1e-6, "{loss}");
    for (ours, theirs) in gradient.iter().zip(PYTORCH_GRADIENT) {
        assert!((f64::from(*ours) - theirs).abs() < 1e-6, "{gradient:?}");
    }
}

include!("oracle_numbers.rs");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_instruction_set_gives_the_same_bits(
        seed in 0_u64..1000,
        count in 1_usize..130,
        features in 1_usize..40,
        outputs in 1_usize..20,
        hidden in prop::collection::vec((1_usize..40, 0_usize..15), 0..3),
        end in 0_usize..5,
    ) {
        let all = Activation::all();
        let hidden: Vec<_> = hidden.into_iter().map(|(units, which)| (units, all[which])).collect();
        let case = Case::new(seed, count, [features, outputs], &hidden, ENDS[end]);
        let rows = case.rows();
        let run = |isa| {
            let mut workspace = Workspace::new();
            let mut gradient = vec![0.0; case.params.len()];
            let net = case.network.net();
            let source = crate::math::kernel::Source::Loss;
            let loss = net.gradient_on(isa, &case.params, &rows, source, &mut gradient, &mut workspace);
            let plain = net.loss_on(isa, &case.params, &rows, &mut workspace);
            // A NaN is a NaN; which one it is may differ.
            let bits = |x: f32| if x.is_nan() { u32::MAX } else { x.to_bits() };
            (loss.to_bits(), plain.to_bits(), gradient.into_iter().map(bits).collect::<Vec<_>>())
        };
        let plain = run(Isa::Scalar);
        for isa in Isa::available() {
            prop_assert_eq!(&run(isa), &plain, "{:?}", isa);
        }
    }
}
