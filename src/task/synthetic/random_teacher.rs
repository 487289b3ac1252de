//! Labels from a random network.

use super::super::{Dataset, LoadContext, Source, TargetKind, Targets};
use super::{add_noise, balanced, count, dataset, many_classes, matrix, non_negative, room, stream};
use crate::error::{Error, Kind, Result};
use crate::rng::Rng;
use crate::values::{Count, NonNegative, Positive};
use serde::{Deserialize, Serialize};

/// Most multiply-adds to ask the teacher about all rows.
const MAX_WORK: u128 = 1_000_000_000;

/// What a random network with one hidden layer of tanh units says of normal inputs: y = V tanh(W x + b) + noise.
///
/// x is standard normal, W is N(0, gain² / features), b is N(0, 1), V is N(0, 1 / hidden). A regression learns y. The
/// class of a row is the output that stands out most, measured in its own standard deviations from its own mean over all
/// rows; with one output, whether that lies above its mean. A teacher that leaves a class less than a tenth of an equal share
/// is drawn anew with its rows, at most 20 times. The student-teacher setting of Gardner & Derrida 1989 and of Saad & Solla 1995.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomTeacher {
    /// Rows; default 400.
    pub samples: Count,
    /// Inputs; default 10.
    pub features: Count,
    /// The teacher's hidden units; default 10.
    pub hidden: Count,
    /// The teacher's outputs: numbers to be learned, or classes (1 makes two classes), at most 1000; default 1.
    pub outputs: Count,
    /// How far the hidden units are driven: standard deviation of their sums without the bias; default 2.
    pub gain: Positive,
    /// Standard deviation of the noise on the outputs, from which classes are told too; default 0.
    pub noise: NonNegative,
    /// Seed of teacher, inputs and noise; default 0.
    pub seed: u64,
}

impl Default for RandomTeacher {
    fn default() -> RandomTeacher {
        let gain = Positive::new(2.0).expect("above 0");
        let (samples, ten) = (count(400), count(10));
        RandomTeacher {
            samples,
            features: ten,
            hidden: ten,
            outputs: count(1),
            gain,
            noise: non_negative(0.0),
            seed: 0,
        }
    }
}

impl Source for RandomTeacher {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let outputs = super::between("outputs", self.outputs, 1, 1000)?;
        if context.kind == TargetKind::Values {
            let (inputs, values) = self.draw(&mut stream(self.seed))?;
            let names = (1..=outputs).map(|number| format!("y{number}")).collect();
            let values = matrix(values, self.samples.get())?;
            return dataset("random-teacher", inputs, Targets::Values { values, names });
        }
        let classes = outputs.max(2);
        let ways = "ask for more `samples`, fewer `outputs`, more `hidden` units, or another `seed`";
        let (inputs, labels) = balanced("RandomTeacher", self.seed, classes, ways, |rng| {
            let (inputs, values) = self.draw(rng)?;
            Ok((inputs, labels(values, outputs)))
        })?;
        many_classes("random-teacher", context, inputs, labels, classes)
    }
}

impl RandomTeacher {
    /// Inputs `[samples × features]` and what the teacher says of them `[samples × outputs]`.
    fn draw(&self, rng: &mut Rng) -> Result<(Vec<f64>, Vec<f64>)> {
        let [samples, features, hidden, outputs] =
            [self.samples, self.features, self.hidden, self.outputs].map(Count::get);
        let mut inputs = room(samples, features)?;
        let mut values = room(samples, outputs)?;
        let work = [samples, hidden, features + outputs].map(|factor| factor as u128).iter().product::<u128>();
        if work > MAX_WORK {
            let message = format!("to ask a teacher of {hidden} hidden units about {samples} rows takes too long");
            return Err(Error::new(Kind::Limit, "P0140", message)
                .note(format!("rows times hidden units times inputs and outputs may reach {MAX_WORK}"))
                .help("ask for fewer `samples`, or fewer `hidden` units"));
        }
        let teacher = Teacher::draw(features, hidden, outputs, self.gain.get(), rng);
        inputs.extend((0..samples * features).map(|_| rng.normal()));
        inputs.chunks(features).for_each(|x| teacher.answer(x, &mut values));
        add_noise(&mut values, self.noise, rng);
        Ok((inputs, values))
    }
}

struct Teacher {
    /// For each hidden unit its bias, its weights from the inputs, and its weights to the outputs.
    units: Vec<(f64, Vec<f64>, Vec<f64>)>,
    outputs: usize,
}

impl Teacher {
    fn draw(features: usize, hidden: usize, outputs: usize, gain: f64, rng: &mut Rng) -> Teacher {
        let (inner, outer) = (gain / (features as f64).sqrt(), 1.0 / (hidden as f64).sqrt());
        let mut numbers = |count: usize, scale: f64| (0..count).map(|_| scale * rng.normal()).collect::<Vec<f64>>();
        let units =
            (0..hidden).map(|_| (numbers(1, 1.0)[0], numbers(features, inner), numbers(outputs, outer))).collect();
        Teacher { units, outputs }
    }

    /// Appends the outputs for one row.
    fn answer(&self, x: &[f64], values: &mut Vec<f64>) {
        let start = values.len();
        values.resize(start + self.outputs, 0.0);
        for (bias, inward, outward) in &self.units {
            let sum = inward.iter().zip(x).fold(*bias, |sum, (w, x)| w.mul_add(*x, sum));
            let activation = libm::tanh(sum);
            values[start..].iter_mut().zip(outward).for_each(|(y, v)| *y = v.mul_add(activation, *y));
        }
    }
}

/// The output of each row that stands out most; the first of several. With one output, whether it lies above its mean.
fn labels(values: Vec<f64>, outputs: usize) -> Vec<u32> {
    let rows = (values.len() / outputs) as f64;
    let sums = |term: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; outputs];
        for (index, y) in values.iter().enumerate() {
            sums[index % outputs] += term(index % outputs, *y);
        }
        sums
    };
    let means: Vec<f64> = sums(&|_, y| y).iter().map(|sum| sum / rows).collect();
    let deviations: Vec<f64> =
        sums(&|output, y| (y - means[output]) * (y - means[output])).iter().map(|sum| (sum / rows).sqrt()).collect();
    let label = |row: &[f64]| {
        if outputs == 1 {
            return u32::from(row[0] > means[0]);
        }
        let score = |output: usize| (row[output] - means[output]) / deviations[output].max(f64::MIN_POSITIVE);
        (1..outputs).fold(0, |best, output| if score(output) > score(best) { output } else { best }) as u32
    };
    values.chunks(outputs).map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, load};
    use super::*;

    #[test]
    fn a_teacher_is_a_tanh_network() {
        // numpy 2.4.6: V @ tanh(W @ x + b) with the weights below, x = [0.5, -1.5].
        let units = vec![(0.25, vec![1.0, -2.0], vec![0.5, -1.0]), (-0.5, vec![0.75, 0.125], vec![2.0, 0.25])];
        let teacher = Teacher { units, outputs: 2 };
        let mut answers = Vec::new();
        teacher.answer(&[0.5, -1.5], &mut answers);
        close(&answers, &[-0.10597223730114058, -1.07457187505918], 1e-14);
    }

    #[test]
    fn classes_are_the_outputs_that_stand_out() {
        // numpy 2.4.6: ((y - y.mean(0)) / y.std(0)).argmax(1).
        let y = vec![1.0, 20.0, 3.0, 2.0, 10.0, 3.5, 3.0, 31.0, 0.0, 4.0, 9.0, 2.0];
        assert_eq!(labels(y, 3), [2, 2, 1, 0]);
        assert_eq!(labels(vec![1.0, 5.0, 2.0, 9.0], 1), [0, 1, 0, 1]);
    }

    #[test]
    fn outputs_are_numbers_or_classes() {
        let teacher = RandomTeacher { outputs: count(4), features: count(3), ..RandomTeacher::default() };
        let numbers = load(&teacher, TargetKind::Values).unwrap();
        assert_eq!((numbers.rows(), numbers.features(), numbers.outputs()), (400, 3, 4));
        assert_eq!(load(&teacher, TargetKind::Classes).unwrap().outputs(), 4);
        assert_eq!(load(&RandomTeacher::default(), TargetKind::Classes).unwrap().outputs(), 2);
        // The sums of the hidden units have the spread that was asked for.
        let mut rng = stream(3);
        let drawn = Teacher::draw(50, 400, 1, 2.0, &mut rng);
        let square: f64 = drawn.units.iter().flat_map(|unit| &unit.1).map(|w| w * w).sum();
        assert!((square / 400.0 - 4.0).abs() < 0.15, "{square}");
    }

    #[test]
    fn a_teacher_that_is_never_fair_is_refused() {
        // Two directions cannot make forty outputs stand out.
        let narrow = RandomTeacher { hidden: count(1), outputs: count(40), ..RandomTeacher::default() };
        assert_eq!(load(&narrow, TargetKind::Classes).unwrap_err().code(), "P0210");
        let slow = RandomTeacher { hidden: count(1_000_000_000), ..RandomTeacher::default() };
        assert_eq!(load(&slow, TargetKind::Values).unwrap_err().code(), "P0140");
    }
}
