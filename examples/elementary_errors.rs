//! The errors of the elementary functions over every single-precision number: the table in the docs of their module.
//!
//! cargo run --release --example elementary_errors [FUNCTION...]
//!
//! One core, some minutes. Truth is double precision of `libm`, or a series where that has as many digits: its own error
//! is below a hundred-millionth of a unit in the last place of single precision.

use precocial::math::kernel::{Elementary, Isa};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

/// Where exponentials stop to fall: at −87.3 in single precision, and what they are there.
const FLOOR: (f64, f64) = (-87.300_003_051_757_81, 1.219_243_375_110_829e-38);

/// Inputs of one go.
const CHUNK: u32 = 1 << 16;

/// What was found so far.
#[derive(Default)]
struct Worst {
    inputs: u64,
    /// In units in the last place, and where; results below the smallest normal number count as of that size.
    ulps: (f64, f32),
    absolute: (f64, f32),
    /// Most units in the last place by which a function that rises steps back between neighbours.
    back: u32,
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    println!("| function | inputs | largest error, ulp | at | largest error, absolute | at | steps back, ulp |");
    println!("|---|---|---|---|---|---|---|");
    for function in Elementary::ALL {
        let name = format!("{function:?}");
        if !asked.is_empty() && !asked.contains(&name) {
            continue;
        }
        let mut worst = Worst::default();
        // From the lowest number up: the negative ones by falling bits, then the positive ones.
        let mut last = f32::NAN;
        for chunk in (0..u32::MAX / 2 / CHUNK + 1).rev() {
            let bits = |place: u32| 1 << 31 | (chunk * CHUNK + (CHUNK - 1 - place));
            measure(function, bits, &mut last, &mut worst);
        }
        for chunk in 0..u32::MAX / 2 / CHUNK + 1 {
            measure(function, |place| chunk * CHUNK + place, &mut last, &mut worst);
        }
        let Worst { inputs, ulps, absolute, back } = worst;
        let back = if rises(function) { back.to_string() } else { "–".into() };
        println!(
            "| {name} | {inputs} | {:.2} | {:e} | {:.1e} | {:e} | {back} |",
            ulps.0, ulps.1, absolute.0, absolute.1
        );
    }
}

fn measure(function: Elementary, bits: impl Fn(u32) -> u32, last: &mut f32, worst: &mut Worst) {
    let xs: Vec<f32> = (0..CHUNK).map(|place| f32::from_bits(bits(place))).collect();
    let mut ys = xs.clone();
    function.apply(Isa::available()[Isa::available().len() - 1], &mut ys);
    for (&x, &y) in xs.iter().zip(&ys) {
        if x.is_nan() {
            // A logarithm is only asked of numbers that are some.
            assert!(y.is_nan() || function == Elementary::Ln, "{function:?} hides a NaN");
            continue;
        }
        if !is_asked(function, x) {
            continue;
        }
        worst.inputs += 1;
        let truth = truth(function, f64::from(x));
        if !truth.is_finite() {
            assert_eq!(f64::from(y), truth, "{function:?} of {x:e}");
            continue;
        }
        let absolute = (f64::from(y) - truth).abs();
        let ulps = absolute / ulp(truth);
        assert!(ulps.is_finite(), "{function:?} of {x:e} is {y:e}, not {truth:e}");
        if ulps > worst.ulps.0 {
            worst.ulps = (ulps, x);
        }
        if absolute > worst.absolute.0 {
            worst.absolute = (absolute, x);
        }
        if y < *last && rises(function) {
            worst.back = worst.back.max(rank(*last) - rank(y));
        }
        *last = y;
    }
}

/// Whether the kernels ever ask for it: the function's stated domain.
fn is_asked(function: Elementary, x: f32) -> bool {
    match function {
        Elementary::Exp => x <= 0.0,
        Elementary::Ln => x.is_normal() && x > 0.0,
        Elementary::Gelu | Elementary::SinPi | Elementary::CosPi => x.is_finite(),
        _ => true,
    }
}

fn rises(function: Elementary) -> bool {
    !matches!(function, Elementary::Gelu | Elementary::SinPi | Elementary::CosPi)
}

/// Distance between the single-precision numbers around `truth`.
fn ulp(truth: f64) -> f64 {
    let exponent = (truth.abs().to_bits() >> 52) as i64 - 1023;
    f64::from_bits(((exponent.max(-126) - 23 + 1023) as u64) << 52)
}

/// Place of a number among all, so that neighbours differ by 1.
fn rank(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn truth(function: Elementary, x: f64) -> f64 {
    let size = x.abs();
    let small = size < 1.0 / 4096.0;
    match function {
        // The kernels promise to stay at the smallest normal number from here on.
        Elementary::Exp if x < FLOOR.0 => FLOOR.1,
        Elementary::Exp if size < 1e-10 => 1.0 + x,
        Elementary::Exp => libm::exp(x),
        Elementary::Tanh if small => x - x * x * x / 3.0 + 2.0 / 15.0 * x * x * x * x * x,
        Elementary::Tanh if size > 20.0 => x.signum(),
        Elementary::Tanh => libm::tanh(x),
        Elementary::Logistic if size < 1e-10 => 0.5 + x / 4.0,
        Elementary::Logistic if x < FLOOR.0 => FLOOR.1,
        Elementary::Logistic if x > 40.0 => 1.0,
        Elementary::Logistic => 1.0 / (1.0 + libm::exp(-x)),
        Elementary::Ln => libm::log(x),
        Elementary::Softplus if size < 1e-10 => LN_2 + x / 2.0,
        Elementary::Softplus if x > 40.0 => x,
        Elementary::Softplus if x < FLOOR.0 => FLOOR.1,
        Elementary::Softplus => libm::log1p(libm::exp(-size)) + x.max(0.0),
        Elementary::Erf if small => 2.0 / libm::sqrt(PI) * (x - x * x * x / 3.0 + x * x * x * x * x / 10.0),
        Elementary::Erf if size > 7.0 => x.signum(),
        Elementary::Erf => libm::erf(x),
        Elementary::Gelu if size < 1e-10 => x / 2.0,
        Elementary::Gelu if x > 40.0 => x,
        Elementary::Gelu if x < -40.0 => -0.0,
        Elementary::Gelu => x / 2.0 * libm::erfc(-x * FRAC_1_SQRT_2),
        Elementary::SinPi | Elementary::CosPi => {
            let whole = x.round_ties_even();
            let (f, sign) = (x - whole, if whole % 2.0 == 0.0 { 1.0 } else { -1.0 });
            match function {
                Elementary::SinPi if f.abs() < 1.0 / 65536.0 => sign * PI * f * (1.0 - PI * PI * f * f / 6.0),
                Elementary::SinPi => sign * libm::sin(PI * f),
                _ if f == 0.0 => sign,
                // Near ±½ by the distance to it, which is exact.
                _ if f.abs() > 0.25 => sign * libm::sin(PI * (0.5 - f.abs())),
                _ => sign * libm::cos(PI * f),
            }
        }
    }
}
