//! Recipes: starts whose constants were found by evolution, on tasks of their own, and are free to use.

use super::recipe_numbers::{SimpleNumbers, SimpleRecipe, V1Numbers, V1Recipe};
use super::{Initialize, lsuv::sample, orthogonal};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::{Activation, Rows};
use crate::network::{Dense, Mlp, Workspace};
use crate::rng::Rng;
use crate::train::readout::{self, Penalty, Wanted};
use serde::{Deserialize, Serialize};

/// Training rows that are looked at, chosen by chance if there are more: spreads and least squares are known well enough.
const ROWS: usize = 1024;
/// Steepest stretching of a unit whose sums hardly vary.
const STEEPEST: f64 = 50.0;

/// A start after a recipe found by an evolution strategy over the numbers of a family that contains the classics.
///
/// For hidden layers of tanh or of ReLU units. Units are orthonormal directions whose hyperplanes pass near training rows
/// (*anchors*), stretched until their sums vary as much as the recipe says. The output layer of `Simple` and `V1` is solved
/// by ridge regression on the last hidden activations, so a start already predicts; that and the forward passes are
/// charged. At most 1024 rows are looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Recipe {
    /// Five numbers: spread of the sums in the first and in deeper layers, distance of the anchors, scale and penalty of the
    /// output's regression.
    Simple,
    /// The full result of the first search: lengths follow the layer's shape, and spreads are only drawn towards a value.
    V1,
    /// No pass over the rows, only anchors: lengths follow the layer's shape, outputs are small.
    Free,
    /// `Simple` with numbers of one's own.
    Own(Box<SimpleRecipe>),
    /// `V1` with numbers of one's own.
    OwnV1(Box<V1Recipe>),
    /// The numbers of a RON file, whose path starts at the folder of the experiment file. An experiment that is prepared
    /// holds what the file said, as `Own` or `OwnV1`; before that no start can be drawn.
    File(String),
}

impl Initialize for Recipe {
    fn init(&self, network: &Mlp, rows: &Rows, params: &mut [f32], rng: &mut Rng, cost: &mut Cost) -> Result<()> {
        self.check(network)?;
        let chosen = sample(rows, ROWS, rng);
        let rows = chosen.as_ref().unwrap_or(rows);
        let (output, hidden) = network.layers().split_last().expect("a network has layers");
        let numbers = self.numbers();
        let mut sums = Vec::new();
        let mut workspace = Workspace::new();
        let mut passed = 0;
        for (index, layer) in hidden.iter().enumerate() {
            orthogonal::draw(layer, 1.0, params, rng);
            let place = Place { layer, first: index == 0, hidden: hidden.len(), rows: rows.count() };
            match &numbers {
                Numbers::Free => {
                    place.free(rows, params, rng);
                    *cost += Cost::forward(layer.weights.len(), 1);
                    continue;
                }
                Numbers::V1(v1) => place.lengthen(v1.of(layer.activation), params),
                Numbers::Simple(_) => {}
            }
            passed += layer.weights.len();
            sums.resize(rows.count() * layer.outputs, 0.0);
            network.sums(params, rows, index, &mut sums, &mut workspace);
            *cost += Cost::forward(passed, rows.count());
            match &numbers {
                Numbers::Simple(simple) => place.simple(simple.of(layer.activation), &sums, params, rng),
                Numbers::V1(v1) => place.v1(v1.of(layer.activation), &sums, params, rng),
                Numbers::Free => {}
            }
        }
        let units = units(network);
        let (scale, penalty) = match &numbers {
            Numbers::Simple(simple) => (simple.of(units).output_scale.get(), simple.of(units).output_penalty.get()),
            Numbers::V1(v1) => (v1.of(units).output_scale.get(), v1.of(units).output_penalty.get()),
            Numbers::Free => {
                free_output(network, rows, params, rng);
                return Ok(());
            }
        };
        let mut last = vec![0.0; rows.count() * output.inputs];
        if hidden.is_empty() {
            (0..rows.count())
                .for_each(|row| last[row * output.inputs..][..output.inputs].copy_from_slice(rows.input(row)));
        } else {
            network.activations(params, rows, hidden.len() - 1, &mut last, &mut workspace);
            *cost += Cost::forward(passed, rows.count());
        }
        let wanted = Wanted::of(network, rows, scale);
        readout::solve(network, &wanted, &last, Penalty::OfVariance(penalty), params);
        *cost += readout::solve_cost(network, rows.count());
        Ok(())
    }

    fn cost(&self, network: &Mlp, rows: &Rows) -> Cost {
        let (_, hidden) = network.layers().split_last().expect("a network has layers");
        let count = rows.count().min(ROWS);
        if *self == Recipe::Free {
            return hidden.iter().fold(Cost::ZERO, |cost, layer| cost + Cost::forward(layer.weights.len(), 1));
        }
        let (mut passed, mut cost) = (0, Cost::ZERO);
        for layer in hidden {
            passed += layer.weights.len();
            cost += Cost::forward(passed, count);
        }
        cost + Cost::forward(passed, count) + readout::solve_cost(network, count)
    }

    fn equations(&self, network: &Mlp, rows: usize) -> u64 {
        if *self == Recipe::Free { 0 } else { readout::solve_bytes(network, rows.min(ROWS)) }
    }

    fn check(&self, network: &Mlp) -> Result<()> {
        self.check_numbers()?;
        if let Recipe::File(path) = self {
            return Err(Error::experiment("P0120", format!("the recipe file \"{path}\" has not been read"))
                .help("prepare the experiment with `Study::new`, which reads it, or write `Recipe(Own(…))`"));
        }
        let (_, hidden) = network.layers().split_last().expect("a network has layers");
        let served = |layer: &&Dense| matches!(layer.activation, Activation::Tanh | Activation::Relu);
        match hidden.iter().find(|layer| !served(layer)) {
            None => Ok(()),
            Some(layer) => {
                let message = format!("recipes are for hidden layers of Tanh or Relu, not of {:?}", layer.activation);
                Err(Error::experiment("P0120", message).help("use `scheme: Lsuv()`, which serves every activation"))
            }
        }
    }
}

impl Recipe {
    /// Refuses numbers that single precision could not work with.
    pub(super) fn check_numbers(&self) -> Result<()> {
        match self {
            Recipe::Own(own) => own.check(),
            Recipe::OwnV1(own) => own.check(),
            _ => Ok(()),
        }
    }

    fn numbers(&self) -> Numbers {
        match self {
            Recipe::Own(own) => Numbers::Simple((**own).clone()),
            Recipe::V1 => Numbers::V1(V1Recipe::default()),
            Recipe::OwnV1(own) => Numbers::V1((**own).clone()),
            Recipe::Free => Numbers::Free,
            // A file that was not read has been refused before.
            Recipe::Simple | Recipe::File(_) => Numbers::Simple(SimpleRecipe::default()),
        }
    }
}

/// What a recipe draws by.
enum Numbers {
    Simple(SimpleRecipe),
    V1(V1Recipe),
    Free,
}

/// What the output layer was found for: that of the last hidden layer.
fn units(network: &Mlp) -> Activation {
    let hidden = network.layers().len().saturating_sub(2);
    network.layers()[hidden].activation
}

/// The small outputs of `Free`.
fn free_output(network: &Mlp, rows: &Rows, params: &mut [f32], rng: &mut Rng) {
    let (output, is_tanh) = (&network.layers()[network.layers().len() - 1], units(network) == Activation::Tanh);
    let last = output.inputs as f64;
    let mean = 0.5 * (last + output.outputs as f64);
    let fan = if is_tanh { 0.85 * last + 0.15 * mean } else { 0.56 * last + 0.44 * mean };
    let size = if is_tanh { 0.032 } else { 0.0099 };
    rng.fill_normal(&mut params[output.weights.clone()], size / fan.sqrt());
    let middle = Wanted::of(network, rows, 1.0).middle;
    params[output.biases.clone()].iter_mut().zip(middle).for_each(|(bias, middle)| *bias = middle as f32);
}

/// A hidden layer on its way.
struct Place<'a> {
    layer: &'a Dense,
    first: bool,
    /// Hidden layers.
    hidden: usize,
    rows: usize,
}

impl Place<'_> {
    fn is_tanh(&self) -> bool {
        self.layer.activation == Activation::Tanh
    }

    /// Fan-in n and units m.
    fn shape(&self) -> (f64, f64) {
        (self.layer.inputs as f64, self.layer.outputs as f64)
    }

    /// Every unit: its weights and its threshold.
    fn each(&self, params: &mut [f32], mut change: impl FnMut(usize, &mut [f32], &mut f32)) {
        let (weights, biases) = (self.layer.weights.clone(), self.layer.biases.clone());
        for unit in 0..self.layer.outputs {
            let first = weights.start + unit * self.layer.inputs;
            let mut bias = params[biases.start + unit];
            change(unit, &mut params[first..first + self.layer.inputs], &mut bias);
            params[biases.start + unit] = bias;
        }
    }

    /// Units of one length.
    fn normalize(&self, params: &mut [f32], length: f64) {
        self.each(params, |_, weights, _| {
            let norm = weights.iter().map(|w| f64::from(*w) * f64::from(*w)).sum::<f64>().sqrt();
            let factor = if norm > 0.0 { (length / norm) as f32 } else { 0.0 };
            weights.iter_mut().for_each(|w| *w *= factor);
        });
    }

    fn simple(&self, numbers: &SimpleNumbers, sums: &[f32], params: &mut [f32], rng: &mut Rng) {
        let wanted = if self.first { numbers.first_spread.get() } else { numbers.deeper_spread.get() };
        let centring = numbers.centring.get();
        let anchored = self.first || !self.is_tanh();
        // Whatever the length of a direction: its sums are stretched with it.
        self.each(params, |unit, weights, bias| {
            let column = Column { sums, units: self.layer.outputs, unit };
            let (mean, deviation) = column.spread();
            let norm = weights.iter().map(|w| f64::from(*w) * f64::from(*w)).sum::<f64>().sqrt();
            let anchor = column.at(rng.below(self.rows));
            let factor = if deviation > 0.0 { (wanted / deviation).min(STEEPEST / norm) } else { STEEPEST / norm };
            weights.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
            let towards = if anchored { (1.0 - centring) * anchor } else { 0.0 };
            *bias = (-factor * (towards + centring * mean)) as f32;
        });
    }

    /// The length that units have in `V1` before they are stretched.
    fn lengthen(&self, numbers: &V1Numbers, params: &mut [f32]) {
        // Whatever the length, whole stretching gives the wanted spread.
        if numbers.stretching.get() == 1.0 {
            return;
        }
        let (n, m) = self.shape();
        let width = libm::pow(m / 10.0, numbers.units_power.get());
        let length = match self.first {
            true => {
                let inputs = libm::pow(n / 8.0, numbers.inputs_power.get());
                numbers.first_length.get() * width * inputs * libm::pow(m, numbers.crowding_power.get() / n)
            }
            false => numbers.deeper_length.get() * width,
        };
        self.normalize(params, length);
    }

    /// `sums` are those of the lengthened directions, without thresholds.
    fn v1(&self, numbers: &V1Numbers, sums: &[f32], params: &mut [f32], rng: &mut Rng) {
        let (wanted, anchoring, scatter) = match self.first {
            true => (numbers.first_spread, numbers.first_anchoring, numbers.first_scatter),
            false => (numbers.deeper_spread, numbers.deeper_anchoring, numbers.deeper_scatter),
        };
        let [wanted, anchoring, scatter] = [wanted.get(), anchoring.get(), scatter.get()];
        let [power, centring] = [numbers.stretching.get(), numbers.centring.get()];
        self.each(params, |unit, weights, bias| {
            let column = Column { sums, units: self.layer.outputs, unit };
            let (mean, deviation) = column.spread();
            let norm = weights.iter().map(|w| f64::from(*w) * f64::from(*w)).sum::<f64>().sqrt();
            let anchor = column.at(rng.below(self.rows));
            let chance = f64::from(rng.between(-1.0, 1.0));
            // Told apart so that a part that is not there has no sign.
            let own = match (scatter > 0.0, anchoring > 0.0) {
                (true, _) => scatter * norm * chance - anchoring * anchor,
                (false, true) => -(anchoring * anchor),
                (false, false) => 0.0,
            };
            let factor = if deviation > 0.0 { libm::pow(wanted / deviation, power).min(STEEPEST / norm) } else { 1.0 };
            weights.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
            // Thresholds move the mean of the sums, not their spread.
            *bias = (factor * (own - centring * (mean + own))) as f32;
        });
    }

    fn free(&self, rows: &Rows, params: &mut [f32], rng: &mut Rng) {
        let ((n, m), tanh, first) = (self.shape(), self.is_tanh(), self.first);
        let pow = libm::pow;
        let share = if tanh { 0.15 } else { 0.44 };
        let fan = (1.0 - share) * n + share * 0.5 * (n + m);
        let size = match (tanh, first) {
            (true, true) => libm::exp(0.17) * pow(m / 10.0, 0.47) * pow(n / 8.0, -0.07) * pow(m, 0.82 / n),
            (true, false) => libm::exp(0.28) * pow(self.hidden as f64, 0.31) * pow(m / 10.0, 0.47),
            (false, true) => {
                let rows = pow(self.rows as f64 / 128.0, 0.16);
                libm::exp(-0.84) * pow(m / 10.0, 0.04) * pow(n / 8.0, -0.32) * pow(m, 0.98 / n) * rows
            }
            (false, false) => libm::exp(1.11) * pow(self.hidden as f64, -0.41) * pow(m / 10.0, 0.04),
        } / fan.sqrt();
        if tanh {
            let factor = (size * n.max(m).sqrt()) as f32;
            params[self.layer.weights.clone()].iter_mut().for_each(|w| *w *= factor);
        } else {
            self.normalize(params, size * n.sqrt());
        }
        if !first {
            return;
        }
        self.each(params, |_, weights, bias| {
            let row = rows.input(rng.below(rows.count()));
            let (mut sum, mut square) = (0.0, 0.0);
            for (w, x) in weights.iter().zip(row) {
                sum += f64::from(*w) * f64::from(*x);
                square += f64::from(*w) * f64::from(*w);
            }
            let chance = f64::from(rng.between(-1.0, 1.0));
            let own = if tanh { -0.68 * sum } else { 0.82 * square.sqrt() * chance - 0.32 * sum };
            *bias = own as f32;
        });
    }
}

/// The sums of one unit over all rows.
struct Column<'a> {
    sums: &'a [f32],
    units: usize,
    unit: usize,
}

impl Column<'_> {
    fn at(&self, row: usize) -> f64 {
        f64::from(self.sums[row * self.units + self.unit])
    }

    /// Mean and standard deviation; no deviation where sums differ by their rounding only.
    fn spread(&self) -> (f64, f64) {
        let rows = self.sums.len() / self.units;
        let mean = (0..rows).map(|row| self.at(row)).sum::<f64>() / rows as f64;
        let variance = (0..rows).map(|row| (self.at(row) - mean) * (self.at(row) - mean)).sum::<f64>() / rows as f64;
        let varies = variance > 1e-12 * mean * mean && variance > 1e-70 && variance.is_finite();
        (mean, if varies { variance.sqrt() } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Loss, Output};
    use crate::rng::{Purpose, Streams};
    use crate::values::Positive;

    fn rows(count: usize, inputs: usize, classes: usize) -> Rows {
        let mut rng = Streams::new(3).stream(Purpose::Synthetic, 0, 0);
        let (mut values, mut targets) = (vec![0.0; count * inputs], vec![0.0; count * classes]);
        rng.fill_normal(&mut values, 1.0);
        for (row, targets) in values.chunks(inputs).zip(targets.chunks_mut(classes)) {
            targets[usize::from(row[0] > 0.0) + usize::from(row[1] > 0.5)] = 1.0;
        }
        Rows::new(&values, &targets, inputs, classes)
    }

    fn classifier(hidden: &[(usize, Activation)]) -> Mlp {
        Mlp::new(6, hidden, 3, Output::Softmax, Loss::CrossEntropy).unwrap()
    }

    fn drawn(recipe: &Recipe, network: &Mlp, rows: &Rows) -> (Vec<f32>, Cost) {
        let (mut params, mut cost) = (vec![f32::NAN; network.parameters()], Cost::ZERO);
        let mut rng = Streams::new(1).stream(Purpose::Initialize, 0, 0);
        recipe.init(network, rows, &mut params, &mut rng, &mut cost).unwrap();
        assert!(params.iter().all(|x| x.is_finite()), "{recipe:?}");
        (params, cost)
    }

    #[test]
    fn sums_vary_as_the_recipe_says_and_hyperplanes_pass_near_rows() {
        let rows = rows(200, 6, 3);
        for (activation, spread, kappa) in [(Activation::Tanh, [2.01, 1.73], 0.33), (Activation::Relu, [1.0, 1.0], 0.5)]
        {
            let network = classifier(&[(5, activation), (4, activation)]);
            let (params, _) = drawn(&Recipe::Simple, &network, &rows);
            for (index, wanted) in spread.into_iter().enumerate() {
                let units = network.layers()[index].outputs;
                let mut sums = vec![0.0; 200 * units];
                network.sums(&params, &rows, index, &mut sums, &mut Workspace::new());
                for unit in 0..units {
                    let column = Column { sums: &sums, units, unit };
                    let (mean, deviation) = column.spread();
                    assert!((deviation - wanted).abs() < 1e-4, "{activation:?} layer {index}: {deviation}");
                    // z(anchor) = κ (z(anchor) − mean) before the threshold's shift: the hyperplane lies a share κ of
                    // the way from some row to the mean of all. Then z(row) = κ/(1 − κ) · −mean.
                    if index == 0 || activation == Activation::Relu {
                        let near = (0..200).map(|row| (column.at(row) + kappa / (1.0 - kappa) * mean).abs());
                        let near = near.fold(f64::INFINITY, f64::min);
                        assert!(near < 1e-4, "{activation:?} layer {index} unit {unit}: {near}");
                    }
                }
            }
        }
    }

    #[test]
    fn published_recipes_keep_their_bits() {
        let (rows, flat) = (rows(200, 6, 3), Rows::new(&[1.0; 60], &[1.0, 0.0, 0.0].repeat(10), 6, 3));
        let (tanh, relu) = (Activation::Tanh, Activation::Relu);
        let mut found = Vec::new();
        for recipe in [Recipe::Simple, Recipe::V1, Recipe::Free] {
            for hidden in [&[(9, tanh), (4, tanh)][..], &[(9, relu), (4, relu)], &[(5, relu), (7, tanh)]] {
                let network = classifier(hidden);
                let bits = [&rows, &flat].map(|rows| drawn(&recipe, &network, rows).0).concat();
                // FNV-1a.
                let hash = bits
                    .iter()
                    .flat_map(|x| x.to_bits().to_le_bytes())
                    .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
                    });
                found.push(hash);
            }
        }
        // As they were when the numbers of `V1` were constants of the code.
        assert_eq!(
            found,
            [
                3_701_517_696_915_286_984,
                5_082_494_731_773_660_600,
                8_905_008_895_928_667_140,
                2_072_505_219_311_931_079,
                7_634_918_077_022_185_832,
                3_303_921_361_394_826_294,
                3_747_752_744_512_964_967,
                8_884_198_062_036_651_028,
                1_266_836_517_175_354_997,
            ]
        );
    }

    #[test]
    fn solved_outputs_predict_better_than_the_shares_of_the_classes() {
        let rows = rows(300, 6, 3);
        for hidden in [&[(20, Activation::Tanh)][..], &[(20, Activation::Relu), (12, Activation::Relu)], &[]] {
            let network = classifier(hidden);
            let mut shares = [0.0; 3];
            rows.targets().chunks(3).for_each(|row| (0..3).for_each(|k| shares[k] += f64::from(row[k]) / 300.0));
            let prior: f64 = -shares.iter().map(|share| share * libm::log(*share)).sum::<f64>();
            for (recipe, factor) in [(Recipe::Simple, 0.9), (Recipe::V1, 0.9), (Recipe::Free, 1.1)] {
                let (params, _) = drawn(&recipe, &network, &rows);
                let loss = network.loss(&params, &rows, &mut Workspace::new());
                assert!(loss < factor * prior, "{recipe:?} {hidden:?}: {loss} against {prior}");
            }
        }
    }

    #[test]
    fn the_regression_is_where_its_gradient_vanishes() {
        let rows = rows(100, 6, 3);
        let network = Mlp::new(6, &[(7, Activation::Tanh)], 3, Output::Linear, Loss::MeanSquared).unwrap();
        let (params, _) = drawn(&Recipe::Simple, &network, &rows);
        let mut gradient = vec![0.0; params.len()];
        network.gradient(&params, &rows, &mut gradient, &mut Workspace::new());
        let output = &network.layers()[1];
        // Thresholds are not penalised.
        assert!(gradient[output.biases.clone()].iter().all(|g| g.abs() < 1e-5), "{gradient:?}");
        // ∂/∂w of ½ Σ (y − t)² / n is −penalty · w; the loss is that times 2/3 for three outputs.
        let mut last = vec![0.0; 100 * 7];
        network.activations(&params, &rows, 0, &mut last, &mut Workspace::new());
        let variance: f64 =
            (0..7).map(|unit| Column { sums: &last, units: 7, unit }.spread().1).map(|spread| spread * spread).sum();
        let penalty = 1e-3 * variance / 7.0;
        for (g, w) in gradient[output.weights.clone()].iter().zip(&params[output.weights.clone()]) {
            assert!((f64::from(*g) + 2.0 / 3.0 * penalty * f64::from(*w)).abs() < 1e-5, "{g} {w}");
        }
    }

    #[test]
    fn what_is_charged_is_what_was_forecast() {
        let rows = rows(90, 6, 3);
        for hidden in [&[(5, Activation::Tanh)][..], &[(5, Activation::Relu), (4, Activation::Tanh)]] {
            let network = classifier(hidden);
            for recipe in [Recipe::Simple, Recipe::V1, Recipe::Free] {
                assert_eq!(drawn(&recipe, &network, &rows).1, recipe.cost(&network, &rows), "{recipe:?} {hidden:?}");
            }
        }
    }

    #[test]
    fn other_units_are_refused_and_flat_data_do_no_harm() {
        let network = classifier(&[(5, Activation::Gelu)]);
        assert_eq!(Recipe::Simple.check(&network).unwrap_err().code(), "P0120");
        let flat = Rows::new(&[1.0; 60], &[1.0, 0.0, 0.0].repeat(10), 6, 3);
        for recipe in [Recipe::Simple, Recipe::V1, Recipe::Free] {
            drawn(&recipe, &classifier(&[(5, Activation::Tanh), (4, Activation::Relu)]), &flat);
        }
    }

    #[test]
    fn numbers_of_ones_own_are_followed() {
        let rows = rows(200, 6, 3);
        let network = classifier(&[(5, Activation::Tanh), (4, Activation::Relu)]);
        let own = |change: fn(&mut SimpleRecipe)| {
            let mut own = SimpleRecipe::default();
            change(&mut own);
            drawn(&Recipe::Own(Box::new(own)), &network, &rows)
        };
        let (simple, cost) = drawn(&Recipe::Simple, &network, &rows);
        assert_eq!(own(|_| ()), (simple.clone(), cost), "the numbers of `Simple` are `Simple`");
        let (narrow, _) = own(|own| own.tanh.first_spread = Positive::new(0.5).unwrap());
        let mut sums = vec![0.0; 200 * 5];
        network.sums(&narrow, &rows, 0, &mut sums, &mut Workspace::new());
        let (_, deviation) = Column { sums: &sums, units: 5, unit: 2 }.spread();
        assert!((deviation - 0.5).abs() < 1e-4, "{deviation}");
        // The last hidden layer is of ReLU units: numbers of tanh do not reach the outputs, those of ReLU do.
        let output = network.layers()[2].weights.clone();
        let (same, _) = own(|own| own.tanh.output_scale = Positive::new(9.0).unwrap());
        assert_eq!(same, simple);
        let (doubled, _) = own(|own| own.relu.output_scale = Positive::new(3.3).unwrap());
        for (twice, once) in doubled[output.clone()].iter().zip(&simple[output]) {
            assert!((twice - 2.0 * once).abs() < 1e-4 * (1.0 + once.abs()), "{twice} {once}");
        }
        let wild = SimpleNumbers::of(&[1.0, 1e9, 0.5, 1.0, 1.0]).unwrap();
        let wild = SimpleRecipe { relu: wild, ..SimpleRecipe::default() };
        let refused = Recipe::Own(Box::new(wild)).check(&network).unwrap_err().to_string();
        assert_eq!(
            refused,
            "error[P0121]: `deeper_spread` of `relu` must be between 1e-6 and 1e3, found 1000000000\n   = help: write \
             `deeper_spread: 1e3`"
        );
        assert_eq!(Recipe::File("a.ron".into()).check(&network).unwrap_err().code(), "P0120");
    }
}
