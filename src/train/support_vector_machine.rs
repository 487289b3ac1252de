//! Support vector machines: what many would try before a network.

use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// Soft-margin classifier (Cortes & Vapnik 1995), one machine for each pair of classes and a vote among them.
///
/// For some thousand rows: its time grows with their square. Solved by sequential minimal optimization with working sets of
/// second order (Platt 1998; Fan, Chen & Lin 2005), in double precision and in a fixed order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportVectorMachine {
    /// How alike two rows are; `Radial()` unless said otherwise.
    #[serde(default)]
    pub kernel: Kernel,
    /// Price C of a row within the margin or on the wrong side; 1.
    #[serde(default = "default_cost")]
    pub cost: Positive,
}

/// How alike two rows are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Kernel {
    /// exp(−γ ‖x − z‖²).
    Radial {
        /// γ; 1 / (inputs · variance over all cells of the training rows) unless said otherwise.
        #[serde(default)]
        gamma: Option<Positive>,
    },
    /// x · z.
    Linear,
}

impl Default for Kernel {
    fn default() -> Kernel {
        Kernel::Radial { gamma: None }
    }
}

fn default_cost() -> Positive {
    Positive::new(1.0).expect("in range")
}

/// Multipliers are moved until the optimality conditions hold to this.
const TOLERANCE: f64 = 1e-6;
/// Moves after which a machine is taken as it is.
const MOST_MOVES: usize = 10_000_000;
/// Least curvature along a pair, for rows that stand there twice.
const LEAST: f64 = 1e-12;

/// A trained machine.
#[derive(Clone, Debug)]
pub struct Machine {
    features: usize,
    classes: usize,
    /// Of the radial kernel; `None` for the linear one.
    gamma: Option<f64>,
    /// `[support vectors × features]`, each once.
    vectors: Vec<f64>,
    pairs: Vec<Pair>,
}

/// One class against another.
#[derive(Clone, Debug)]
struct Pair {
    /// What speaks for it when the decision is above 0, and what otherwise.
    classes: (usize, usize),
    /// Support vector and its multiplier, signed.
    weights: Vec<(usize, f64)>,
    offset: f64,
}

impl SupportVectorMachine {
    /// Trains on `inputs` `[rows × features]`, row-major, of `classes` classes numbered from 0; `None` if `is_cancelled` says
    /// so, which is asked time and again.
    ///
    /// # Panics
    /// If the lengths do not fit, or a label is no class.
    pub fn train(
        &self,
        inputs: &[f64],
        features: usize,
        labels: &[usize],
        classes: usize,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Option<Machine> {
        assert!(inputs.len() == labels.len() * features && labels.iter().all(|label| *label < classes));
        let gamma = match self.kernel {
            Kernel::Linear => None,
            Kernel::Radial { gamma: Some(gamma) } => Some(gamma.get()),
            Kernel::Radial { gamma: None } => Some(scale(inputs, features)),
        };
        let row = |at: usize| &inputs[at * features..(at + 1) * features];
        let mut place = vec![None; labels.len()];
        let mut machine = Machine { features, classes, gamma, vectors: Vec::new(), pairs: Vec::new() };
        for first in 0..classes {
            for second in first + 1..classes {
                let of = |class: usize| (0..labels.len()).filter(move |at| labels[*at] == class);
                let rows: Vec<usize> = of(first).chain(of(second)).collect();
                let sides: Vec<f64> = rows.iter().map(|at| if labels[*at] == first { 1.0 } else { -1.0 }).collect();
                let alike = |a: usize, b: usize| machine.alike(row(rows[a]), row(rows[b]));
                let (multipliers, offset) = solve(&sides, self.cost.get(), &alike, is_cancelled)?;
                let mut weights = Vec::new();
                for ((at, side), multiplier) in rows.iter().zip(&sides).zip(&multipliers) {
                    if *multiplier > 0.0 {
                        let vector = *place[*at].get_or_insert_with(|| {
                            machine.vectors.extend_from_slice(row(*at));
                            machine.vectors.len() / features - 1
                        });
                        weights.push((vector, side * multiplier));
                    }
                }
                machine.pairs.push(Pair { classes: (first, second), weights, offset });
            }
        }
        Some(machine)
    }
}

/// 1 / (inputs · variance over all cells); 1 where nothing varies.
fn scale(inputs: &[f64], features: usize) -> f64 {
    let count = inputs.len().max(1) as f64;
    let mean = inputs.iter().sum::<f64>() / count;
    let variance = inputs.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    if variance > 0.0 { 1.0 / (features as f64 * variance) } else { 1.0 }
}

/// Multipliers in [0, `most`] and the offset of two classes, whose rows stand on the `sides` ±1.
///
/// Minimises ½ αᵀQα − Σα under Σ side · α = 0, with Q the kernel between rows times their sides, two multipliers at a time:
/// the one that breaks the optimality conditions most, and the one beside which the step promises most (Fan, Chen & Lin 2005,
/// section 2). `None` if it was cancelled.
fn solve(
    sides: &[f64],
    most: f64,
    alike: &dyn Fn(usize, usize) -> f64,
    is_cancelled: &dyn Fn() -> bool,
) -> Option<(Vec<f64>, f64)> {
    let count = sides.len();
    let (mut multipliers, mut slopes) = (vec![0.0_f64; count], vec![-1.0_f64; count]);
    let own: Vec<f64> = (0..count).map(|at| alike(at, at)).collect();
    let raises = |at: usize, multipliers: &[f64]| match sides[at] > 0.0 {
        true => multipliers[at] < most,
        false => multipliers[at] > 0.0,
    };
    let lowers = |at: usize, multipliers: &[f64]| match sides[at] > 0.0 {
        true => multipliers[at] > 0.0,
        false => multipliers[at] < most,
    };
    let (mut beside, mut other) = (vec![0.0; count], vec![0.0; count]);
    for moves in 0..MOST_MOVES {
        if moves % 256 == 0 && is_cancelled() {
            return None;
        }
        let (mut i, mut highest) = (None, f64::NEG_INFINITY);
        for at in (0..count).filter(|at| raises(*at, &multipliers)) {
            if -sides[at] * slopes[at] > highest {
                (i, highest) = (Some(at), -sides[at] * slopes[at]);
            }
        }
        let Some(i) = i else { break };
        beside.iter_mut().enumerate().for_each(|(at, beside)| *beside = alike(i, at));
        let (mut j, mut lowest, mut gain) = (None, f64::INFINITY, 0.0);
        for at in (0..count).filter(|at| lowers(*at, &multipliers)) {
            let value = -sides[at] * slopes[at];
            lowest = lowest.min(value);
            let ahead = highest - value;
            if ahead > 0.0 {
                let curvature = (own[i] + own[at] - 2.0 * beside[at]).max(LEAST);
                if ahead * ahead / curvature > gain {
                    (j, gain) = (Some(at), ahead * ahead / curvature);
                }
            }
        }
        let Some(j) = j.filter(|_| highest - lowest > TOLERANCE) else { break };
        other.iter_mut().enumerate().for_each(|(at, other)| *other = alike(j, at));
        let curvature = (own[i] + own[j] - 2.0 * beside[j]).max(LEAST);
        let step = (highest + sides[j] * slopes[j]) / curvature;
        let before = (multipliers[i], multipliers[j]);
        let sum = sides[i] * before.0 + sides[j] * before.1;
        // The step may leave the box on either side; both stay on the line of equal sums.
        let first = (before.0 + sides[i] * step).clamp(0.0, most);
        let second = (sides[j] * (sum - sides[i] * first)).clamp(0.0, most);
        let first = (sides[i] * (sum - sides[j] * second)).clamp(0.0, most);
        (multipliers[i], multipliers[j]) = (first, second);
        let (by_first, by_second) = (sides[i] * (first - before.0), sides[j] * (second - before.1));
        for at in 0..count {
            slopes[at] += sides[at] * (beside[at] * by_first + other[at] * by_second);
        }
    }
    let offset = offset(sides, &multipliers, &slopes, most);
    Some((multipliers, offset))
}

/// The mean over rows on the margin; where there are none, the middle of what the others allow.
fn offset(sides: &[f64], multipliers: &[f64], slopes: &[f64], most: f64) -> f64 {
    let (mut low, mut high, mut sum, mut free) = (f64::NEG_INFINITY, f64::INFINITY, 0.0, 0);
    for ((side, multiplier), slope) in sides.iter().zip(multipliers).zip(slopes) {
        let value = side * slope;
        if *multiplier > 0.0 && *multiplier < most {
            sum += value;
            free += 1;
        } else if (*multiplier > 0.0) == (*side > 0.0) {
            low = low.max(value);
        } else {
            high = high.min(value);
        }
    }
    match free {
        0 if low.is_finite() && high.is_finite() => 0.5 * (low + high),
        0 => [low, high].into_iter().find(|bound| bound.is_finite()).unwrap_or(0.0),
        free => sum / f64::from(free),
    }
}

impl Machine {
    fn alike(&self, a: &[f64], b: &[f64]) -> f64 {
        match self.gamma {
            None => a.iter().zip(b).map(|(a, b)| a * b).sum(),
            Some(gamma) => libm::exp(-gamma * a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()),
        }
    }

    /// Rows that carry the boundaries.
    pub fn support_vectors(&self) -> usize {
        self.vectors.len() / self.features
    }

    /// For each pair of classes (0 and 1, 0 and 2, …, 1 and 2, …) how far a row `[features]` is on the side of the first.
    ///
    /// # Panics
    /// If the row has another length; likewise below.
    pub fn decisions(&self, row: &[f64]) -> Vec<f64> {
        assert_eq!(row.len(), self.features);
        let alike: Vec<f64> = self.vectors.chunks_exact(self.features).map(|vector| self.alike(vector, row)).collect();
        let decision =
            |pair: &Pair| pair.weights.iter().map(|(at, weight)| weight * alike[*at]).sum::<f64>() - pair.offset;
        self.pairs.iter().map(decision).collect()
    }

    /// The class that most pairs speak for; of equals, the first.
    pub fn predict(&self, row: &[f64]) -> usize {
        let mut votes = vec![0; self.classes];
        for (pair, decision) in self.pairs.iter().zip(self.decisions(row)) {
            votes[if decision > 0.0 { pair.classes.0 } else { pair.classes.1 }] += 1;
        }
        (0..self.classes).rev().max_by_key(|class| votes[*class]).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::builtin::Builtin;
    use crate::task::{Dataset, LoadContext, Source, TargetKind, Targets};

    fn machine(text: &str) -> SupportVectorMachine {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        options.from_str(text).unwrap()
    }

    /// Iris: two of three rows train, standardized in double precision and rounded to single; every third one tests.
    fn iris() -> [(Vec<f64>, Vec<usize>); 2] {
        let context = LoadContext { folder: std::path::Path::new("."), kind: TargetKind::Classes };
        let Dataset { inputs, targets, .. } = Builtin::Iris.load(&context).unwrap();
        let Targets::Classes { labels, .. } = targets else { unreachable!() };
        let trains = |row: usize| !row.is_multiple_of(3);
        let moments: Vec<(f64, f64)> = (0..4)
            .map(|column| {
                let values: Vec<f64> = (0..150).filter(|row| trains(*row)).map(|row| inputs[[row, column]]).collect();
                let mean = values.iter().sum::<f64>() / 100.0;
                (mean, (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 100.0).sqrt())
            })
            .collect();
        [true, false].map(|wanted| {
            let rows: Vec<usize> = (0..150).filter(|row| trains(*row) == wanted).collect();
            let cell = |row: usize, column: usize| {
                let (mean, deviation) = moments[column];
                f64::from(((inputs[[row, column]] - mean) / deviation) as f32)
            };
            let cells = rows.iter().flat_map(|row| (0..4).map(move |column| (*row, column)));
            let cells = cells.map(|(row, column)| cell(row, column)).collect();
            (cells, rows.iter().map(|row| labels[*row] as usize).collect())
        })
    }

    /// Settings; then by scikit-learn 1.9.1, `SVC(kernel, C, tol=1e-6, gamma="scale")`: test rows told right of 50, and
    /// decisions of the pairs for test rows 0, 20 and 40 (`decision_function_shape="ovo"`).
    const NUMBERS: [(&str, usize, [[f64; 3]; 3]); 3] = [
        (
            "()",
            49,
            [
                [1.2243031050088298, 1.1263301047054244, 0.4316255152249658],
                [-0.4973265731126867, -0.2767312465235913, 0.7510880372381308],
                [-0.7113294352354219, -1.1467551397090234, -1.4183211349622773],
            ],
        ),
        (
            "(cost: 10)",
            50,
            [
                [1.2657503766687999, 1.1257058240895013, 0.8699506519349621],
                [-0.6026508895887046, -0.2427116640816081, 0.7502646777158933],
                [-0.6954345470161427, -1.1480119460955516, -2.149069296544102],
            ],
        ),
        (
            "(kernel: Linear)",
            49,
            [
                [1.6742945108647131, 1.380240463901476, 8.461653571313562],
                [-1.4520117251076543, -0.3402266760022339, 1.8129091949246545],
                [-4.275681430027069, -1.7591997314566021, -2.1092410445819576],
            ],
        ),
    ];

    #[test]
    fn decisions_and_votes_are_those_of_scikit_learn() {
        let [(inputs, labels), (others, truth)] = iris();
        for (text, right, decisions) in NUMBERS {
            let machine = machine(text).train(&inputs, 4, &labels, 3, &|| false).unwrap();
            let rows: Vec<&[f64]> = others.chunks_exact(4).collect();
            for (row, expected) in [0, 20, 40].into_iter().zip(decisions) {
                for (ours, theirs) in machine.decisions(rows[row]).iter().zip(expected) {
                    assert!((ours - theirs).abs() < 1e-4, "{text} row {row}: {ours} {theirs}");
                }
            }
            let told = rows.iter().zip(&truth).filter(|(row, class)| machine.predict(row) == **class).count();
            assert_eq!(told, right, "{text}");
            assert!(machine.support_vectors() > 0 && machine.support_vectors() < 100);
        }
    }

    #[test]
    fn the_widest_margin_is_found_where_it_can_be_seen() {
        // Columns at −1 and 2: the boundary lies in the middle, its margin is 1.5 wide, whatever the rows further out do.
        let inputs = [-1.0, 0.0, -1.0, 3.0, -4.0, 1.0, 2.0, 0.0, 2.0, 3.0, 9.0, 1.0];
        let labels = [0, 0, 0, 1, 1, 1];
        let machine = machine("(kernel: Linear, cost: 1000)").train(&inputs, 2, &labels, 2, &|| false).unwrap();
        for (x, expected) in [(0.5, 0.0), (-1.0, 1.0), (2.0, -1.0), (-4.0, 3.0)] {
            assert!((machine.decisions(&[x, 7.0])[0] - expected).abs() < 1e-4, "{x}");
        }
    }

    #[test]
    fn rows_that_cannot_be_told_apart_and_classes_without_rows_do_no_harm() {
        let same = machine("()").train(&[1.0; 8], 2, &[0, 1, 0, 1], 2, &|| false).unwrap();
        assert!(same.decisions(&[1.0, 1.0])[0].is_finite());
        let one = machine("()").train(&[1.0, 2.0, 3.0], 1, &[1, 1, 1], 3, &|| false).unwrap();
        assert_eq!(one.predict(&[2.0]), 1);
        assert!(machine("()").train(&[1.0, 2.0], 1, &[0, 1], 2, &|| true).is_none(), "cancelled");
        assert_eq!(machine("(kernel: Radial(gamma: 0.5))").kernel, Kernel::Radial { gamma: Positive::new(0.5).ok() });
    }
}
