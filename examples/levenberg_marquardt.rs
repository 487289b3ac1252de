//! How often and how fast Levenberg–Marquardt fits a sine: 1-10-1, 200 points without noise, 100 Nguyen–Widrow starts.
//!
//! `cargo run --release --example levenberg_marquardt` tells how many starts reach a mean squared error of 1e-6 within
//! 1000 trials of μ. With the name of a file it also writes there, for `benches/peers/levenberg_marquardt.py`, a row for
//! each start: its parameters, the median seconds of a fit, its trials, and its last mean squared error.

use precocial::cost::Cost;
use precocial::error::{Error, Result};
use precocial::math::{Activation, Rows};
use precocial::network::{Loss, Mlp, Output};
use precocial::rng::{Purpose, Streams};
use precocial::task::Supervised;
use precocial::train::initializer::NguyenWidrow;
use precocial::train::optimizer::{LevenbergMarquardt, Optimizer};
use precocial::train::{Batch, Clip, Initialize, Schedule, Scratch, Session, Status, Stop, TrainContext, Training};
use precocial::values::{Count, NonNegative};
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

const STARTS: u64 = 100;
const REPEATS: usize = 15;

fn main() -> Result<()> {
    let inputs: Vec<f32> =
        (0..200).map(|i| (std::f64::consts::PI * (2.0 * f64::from(i) / 199.0 - 1.0)) as f32).collect();
    let targets: Vec<f32> = inputs.iter().map(|x| libm::sin(f64::from(*x)) as f32).collect();
    let network = Mlp::new(1, &[(10, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared)?;
    let supervised = Supervised { training: Rows::new(&inputs, &targets, 1, 1), validation: None };
    let method: LevenbergMarquardt = ron::from_str("()").map_err(|cause| Error::internal(cause.to_string()))?;
    let training = Training {
        optimizer: Optimizer::from(method),
        batch: Batch::Full,
        schedule: Schedule::Constant,
        clip: Clip::None,
        stop: vec![Stop::Goal(NonNegative::new(1e-6)?), Stop::Epochs(Count::new(1000)?)],
    };
    let mut scratch = Scratch::default();
    let mut table = String::new();
    let (mut reached, mut medians) = (0, Vec::new());
    for seed in 1..=STARTS {
        let streams = Streams::new(seed);
        let mut start = vec![0.0; network.parameters()];
        let mut rng = streams.stream(Purpose::Initialize, 0, 0);
        NguyenWidrow.init(&network, &supervised.training, &mut start, &mut rng, &mut Cost::default())?;
        let context = TrainContext { network: &network, supervised: &supervised, training: &training, streams };
        let mut seconds = Vec::new();
        let mut session = Session::new(&start, &training);
        for _ in 0..REPEATS {
            let begin = Instant::now();
            session = Session::new(&start, &training);
            let mut cost = Cost::ZERO;
            while session.step(&context, &mut scratch, &mut cost) == Status::Running {}
            seconds.push(begin.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        let median = seconds[REPEATS / 2];
        reached += u32::from(session.status == Status::Reached);
        medians.push(median);
        let numbers: Vec<String> = start.iter().map(ToString::to_string).collect();
        _ = writeln!(table, "{},{median},{},{}", numbers.join(","), session.epoch, session.batch_loss);
    }
    medians.sort_by(f64::total_cmp);
    println!(
        "{reached} of {STARTS} starts reach a mean squared error of 1e-6; median time {:.2} ms",
        1e3 * medians[medians.len() / 2]
    );
    match std::env::args().nth(1) {
        Some(path) => precocial::files::replace(Path::new(&path), table.as_bytes()),
        None => Ok(()),
    }
}
