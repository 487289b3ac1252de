//! Passes in double precision against their plain twin.

use super::*;
use crate::math::kernel::{Isa, vectorized_on};
use crate::network::{Loss, Output, reference};
use crate::rng::{Purpose, Streams};

/// Networks of all heads and kinds of activation, with odd and even widths, and some number of rows.
fn cases() -> Vec<(Mlp, usize)> {
    let mlp = |inputs, hidden: &[(usize, Activation)], outputs, output, loss| {
        Mlp::new(inputs, hidden, outputs, output, loss).unwrap()
    };
    use Activation::*;
    let (squared, entropy) = (Loss::MeanSquared, Loss::CrossEntropy);
    vec![
        (mlp(1, &[(10, Tanh)], 1, Output::Linear, squared), 50),
        (mlp(3, &[(5, Logistic), (4, Tanh)], 2, Output::Tanh, squared), 17),
        (mlp(4, &[(3, Silu)], 3, Output::Logistic, squared), 16),
        (mlp(2, &[(7, Gelu), (3, Softplus)], 3, Output::Softmax, entropy), 100),
        (mlp(2, &[(3, Sin), (2, Gaussian)], 2, Output::Logistic, entropy), 7),
        (mlp(5, &[], 1, Output::Linear, squared), 1),
        (mlp(2, &[(4, Square), (3, Cos)], 1, Output::Linear, squared), 20),
    ]
}

struct Case {
    network: Mlp,
    rows: Rows,
    inputs: Vec<f64>,
    targets: Vec<f64>,
    params: Vec<f64>,
    direction: Vec<f64>,
}

fn case((network, count): (Mlp, usize)) -> Case {
    let mut rng = Streams::new(5).stream(Purpose::Arm, 0, count as u64);
    let inputs: Vec<f32> = (0..count * network.inputs()).map(|_| rng.between(-1.5, 1.5)).collect();
    let mut targets = vec![0.0_f32; count * network.outputs()];
    for row in targets.chunks_mut(network.outputs()) {
        row[rng.below(network.outputs())] = 1.0;
    }
    let normal = |rng: &mut crate::rng::Rng| (0..network.parameters()).map(|_| 0.7 * rng.normal()).collect();
    let (params, direction) = (normal(&mut rng), normal(&mut rng));
    let wide = |numbers: &[f32]| numbers.iter().map(|x| f64::from(*x)).collect();
    Case {
        rows: Rows::new(&inputs, &targets, network.inputs(), network.outputs()),
        inputs: wide(&inputs),
        targets: wide(&targets),
        network,
        params,
        direction,
    }
}

#[track_caller]
fn near(ours: &[f64], theirs: &[f64], tolerance: f64) {
    let scale = theirs.iter().fold(1e-3_f64, |most, x| most.max(x.abs()));
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * scale, "{a} {b} of {scale}");
    }
}

#[test]
fn loss_and_gradient_are_those_of_the_plain_twin() {
    for case in cases().into_iter().map(case) {
        let Case { network, rows, inputs, targets, params, .. } = &case;
        let mut memory = DoubleWorkspace::default();
        let mut ours = vec![0.0; params.len()];
        let loss_with = gradient(network, params, rows, &mut ours, &mut memory);
        let (expected, theirs) = reference::gradient(network, params, inputs, targets);
        near(&[loss_with, loss(network, params, rows, &mut memory)], &[expected; 2], 1e-14);
        near(&ours, &theirs, 1e-13);
    }
}

#[test]
fn hessian_products_are_central_differences_of_the_gradient() {
    for case in cases().into_iter().map(case) {
        let Case { network, rows, inputs, targets, params, direction } = &case;
        let mut ours = vec![0.0; params.len()];
        hessian_product(network, params, direction, rows, &mut ours, &mut DoubleWorkspace::default());
        let at = |distance: f64| {
            let moved: Vec<f64> = params.iter().zip(direction).map(|(x, d)| x + distance * d).collect();
            reference::gradient(network, &moved, inputs, targets).1
        };
        let difference =
            |h: f64| -> Vec<f64> { at(h).iter().zip(at(-h)).map(|(up, down)| (up - down) / (2.0 * h)).collect() };
        // Two of them, so that the errors of second order cancel.
        let theirs: Vec<f64> =
            difference(1e-4).iter().zip(difference(2e-4)).map(|(near, far)| (4.0 * near - far) / 3.0).collect();
        near(&ours, &theirs, 1e-8);
    }
}

#[test]
fn gauss_newton_is_made_of_the_jacobian_of_the_residuals() {
    for case in cases().into_iter().map(case).filter(|case| case.network.head() == Head::Squared) {
        let Case { network, rows, inputs, targets, params, .. } = &case;
        let (parameters, outputs) = (params.len(), network.outputs());
        let (mut gram, mut pull) = (vec![0.0; parameters * parameters], vec![0.0; parameters]);
        let mut memory = DoubleWorkspace::default();
        let mean = gauss_newton(network, params, rows, &mut gram, &mut pull, &mut memory);
        near(&[mean], &[reference::loss(network, params, inputs, targets)], 1e-13);
        // The gradient of the mean of e² is 2 Jᵀe / count.
        let (_, gradient) = reference::gradient(network, params, inputs, targets);
        let scaled: Vec<f64> = pull.iter().map(|g| 2.0 * g / (rows.count() * outputs) as f64).collect();
        near(&scaled, &gradient, 1e-12);
        // One residual at a time: a row with the output itself as target has the loss e² = 0 and the Hessian
        // 2 jjᵀ / outputs, so that jᵀv comes out of the twin's gradient at a target that is off by 1.
        let mut expected = vec![0.0; parameters * parameters];
        for row in 0..rows.count() {
            let input = &inputs[row * network.inputs()..][..network.inputs()];
            for output in 0..outputs {
                let slope = |shift: f64| {
                    let mut target = vec![0.0; outputs];
                    target[output] = shift;
                    reference::gradient(network, params, input, &target).1
                };
                // d/dp mean (y − t)² is linear in t: the difference of two targets leaves −2 j / outputs.
                let (zero, one) = (slope(0.0), slope(1.0));
                let j: Vec<f64> = zero.iter().zip(&one).map(|(a, b)| 0.5 * outputs as f64 * (a - b)).collect();
                for p in 0..parameters {
                    for q in 0..=p {
                        expected[p * parameters + q] += j[p] * j[q];
                    }
                }
            }
        }
        near(&gram, &expected, 1e-12);
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for case in cases().into_iter().map(case) {
        let Case { network, rows, params, direction, .. } = &case;
        let mut before: Option<Vec<u64>> = None;
        for isa in Isa::available() {
            let mut memory = DoubleWorkspace::default();
            let mut all = Vec::new();
            let mut out = vec![0.0; params.len()];
            memory.prepare(network, false);
            memory.sums.resize(params.len(), ZERO);
            let gradient = Some(&mut out[..]);
            all.push(vectorized_on(isa, Pass { network, params, rows, memory: &mut memory, gradient }));
            all.extend(&out);
            memory.prepare(network, true);
            memory.sums.resize(params.len(), ZERO);
            let (product, memory) = (&mut out[..], &mut memory);
            vectorized_on(isa, HessianPass { network, params, direction, rows, product, memory });
            all.extend(&out);
            let bits: Vec<u64> = all.iter().map(|x| x.to_bits()).collect();
            assert_eq!(*before.get_or_insert_with(|| bits.clone()), bits, "{isa:?}");
        }
    }
}

#[test]
fn passes_do_the_work_that_is_said() {
    let Case { network, rows, params, direction, .. } = case((
        Mlp::new(3, &[(5, Activation::Tanh), (4, Activation::Tanh)], 2, Output::Linear, Loss::MeanSquared).unwrap(),
        32,
    ));
    // Derivatives by the inputs of the first layer are wanted by nobody.
    let (all, deeper, rows_now) = (15 + 20 + 8, 20 + 8, 32);
    let (mut memory, mut out) = (DoubleWorkspace::default(), vec![0.0; params.len()]);
    let mut gram = vec![0.0; params.len() * params.len()];
    let counted = |work: &mut dyn FnMut()| {
        let before = (kernel_counter::FORWARD.get(), counter::WORK.get());
        work();
        (kernel_counter::FORWARD.get() - before.0, counter::WORK.get() - before.1)
    };
    let expected = |forward: u64, backward: u64| (all * rows_now, (all * forward + backward) * rows_now);
    assert_eq!(counted(&mut || _ = loss(&network, &params, &rows, &mut memory)), expected(1, 0));
    let found = counted(&mut || _ = gradient(&network, &params, &rows, &mut out, &mut memory));
    assert_eq!(found, expected(1, deeper + all));
    let found = counted(&mut || hessian_product(&network, &params, &direction, &rows, &mut out, &mut memory));
    assert_eq!(found, expected(3, 3 * deeper + 2 * all));
    // Each of two outputs passes back and is written.
    let found = counted(&mut || _ = gauss_newton(&network, &params, &rows, &mut gram, &mut out, &mut memory));
    assert_eq!(found, expected(1, 2 * (deeper + all)));
}
