//! Starts: how the weights and thresholds of a network are drawn before anything is learned.

mod from_model;
mod given;
mod glorot;
mod he;
mod lecun;
mod lsuv;
mod nguyen_widrow;
mod orthogonal;
mod pretrained;
mod recipe;
mod recipe_numbers;
mod torch_default;
mod uniform;

use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::{Dense, Mlp};
use crate::rng::Rng;

pub use from_model::{FromModel, Held, LARGEST as LARGEST_MODEL};
pub use given::{Constant, Given};
pub use glorot::{GlorotNormal, GlorotUniform};
pub use he::{HeNormal, HeUniform};
pub use lecun::{LeCunNormal, LeCunUniform};
pub use lsuv::Lsuv;
pub use nguyen_widrow::NguyenWidrow;
pub use orthogonal::Orthogonal;
pub use pretrained::Pretrained;
pub use recipe::Recipe;
pub use recipe_numbers::{Field, RecipeFamily, Scale, SimpleNumbers, SimpleRecipe, V1Numbers, V1Recipe};
pub use torch_default::TorchDefault;
pub use uniform::{Normal, Uniform};

/// Draws a start.
pub trait Initialize: Send + Sync {
    /// Fills `params` (a whole parameter slice of `network`). Methods that look at the training `rows` charge `cost` for it.
    ///
    /// # Errors
    /// A network or data that the method cannot serve.
    fn init(&self, network: &Mlp, rows: &Rows, params: &mut [f32], rng: &mut Rng, cost: &mut Cost) -> Result<()>;

    /// What one start costs at most; nothing, where rows are not looked at.
    fn cost(&self, _network: &Mlp, _rows: &Rows) -> Cost {
        Cost::ZERO
    }

    /// Bytes of the equations that it solves, while it does, on so many rows.
    fn equations(&self, _network: &Mlp, _rows: usize) -> u64 {
        0
    }

    /// Refuses a network that the method cannot serve.
    ///
    /// # Errors
    /// Activations or layers that it was not made for.
    fn check(&self, _network: &Mlp) -> Result<()> {
        Ok(())
    }

    /// What a reader of the report should know about this start of this network: departures from the textbook rule.
    fn note(&self, _network: &Mlp) -> Option<String> {
        None
    }
}

crate::registry! {
    /// How starts are drawn.
    pub enum Initializer: dyn Initialize {
        Uniform(Uniform),
        Normal(Normal),
        HeUniform(HeUniform),
        HeNormal(HeNormal),
        Orthogonal(Orthogonal),
        Lsuv(Lsuv),
        Pretrained(Pretrained),
        Recipe(Recipe),
        Constant(Constant),
        Given(Given),
        FromModel(FromModel),
        GlorotUniform => GlorotUniform,
        GlorotNormal => GlorotNormal,
        LeCunUniform => LeCunUniform,
        LeCunNormal => LeCunNormal,
        TorchDefault => TorchDefault,
        NguyenWidrow => NguyenWidrow,
    }
}

/// Every weight of a layer from U(−limit, limit), thresholds 0.
fn uniform_weights(network: &Mlp, params: &mut [f32], rng: &mut Rng, limit: impl Fn(&Dense) -> f64) {
    for layer in network.layers() {
        let limit = limit(layer) as f32;
        rng.fill_between(&mut params[layer.weights.clone()], -limit, limit);
        params[layer.biases.clone()].fill(0.0);
    }
}

/// Every weight of a layer from N(0, deviation²), thresholds 0.
fn normal_weights(network: &Mlp, params: &mut [f32], rng: &mut Rng, deviation: impl Fn(&Dense) -> f64) {
    for layer in network.layers() {
        rng.fill_normal(&mut params[layer.weights.clone()], deviation(layer));
        params[layer.biases.clone()].fill(0.0);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Output};
    use crate::rng::{Purpose, Streams};

    /// Those that draw nothing: their own file tests them.
    const FIXED: [&str; 3] = ["Constant", "Given", "FromModel"];

    /// One of each that draws, with the settings of a user who writes as little as possible.
    pub(crate) fn all() -> Vec<Initializer> {
        let shortest = |name: &&str| match *name {
            "Uniform" => written("Uniform(low: -1.0, high: 1.0)").unwrap(),
            "Normal" => written("Normal(standard_deviation: 0.5)").unwrap(),
            "Recipe" => written("Recipe(Simple)").unwrap(),
            name => written(name).or_else(|_| written(&format!("{name}()"))).unwrap(),
        };
        Initializer::CATALOGUE.iter().filter(|name| !FIXED.contains(name)).map(shortest).collect()
    }

    #[test]
    fn every_start_is_finite_reproducible_and_alive() {
        let network =
            Mlp::new(6, &[(10, Activation::Tanh), (8, Activation::Relu)], 3, Output::Softmax, Loss::CrossEntropy)
                .unwrap();
        let mut rng = Streams::new(3).stream(Purpose::Synthetic, 0, 0);
        let mut inputs = vec![0.0; 60 * 6];
        rng.fill_normal(&mut inputs, 1.0);
        let mut targets = vec![0.0; 60 * 3];
        targets.chunks_mut(3).for_each(|row| row[rng.below(3)] = 1.0);
        let rows = Rows::new(&inputs, &targets, 6, 3);
        for initializer in all() {
            let draw = |individual| {
                let mut params = vec![f32::NAN; network.parameters()];
                let mut rng = Streams::new(1).stream(Purpose::Initialize, 0, individual);
                initializer.init(&network, &rows, &mut params, &mut rng, &mut Cost::default()).unwrap();
                params
            };
            let first = draw(0);
            assert!(first.iter().all(|x| x.is_finite()), "{initializer:?} leaves no gap");
            assert_eq!(first, draw(0), "{initializer:?} is a function of its stream");
            assert_ne!(first, draw(1), "{initializer:?} uses its stream");
            let mut gradient = vec![0.0; first.len()];
            let loss = network.gradient(&first, &rows, &mut gradient, &mut crate::network::Workspace::new());
            assert!(loss.is_finite() && gradient.iter().any(|g| *g != 0.0), "{initializer:?} learns");
        }
    }

    fn written(text: &str) -> std::result::Result<Initializer, ron::error::SpannedError> {
        ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
            .from_str(text)
    }

    #[test]
    fn variances_are_those_of_the_formulas() {
        let network = Mlp::new(300, &[(200, Activation::Tanh)], 150, Output::Linear, Loss::MeanSquared).unwrap();
        let rows = Rows::new(&[0.0; 600], &[0.0; 300], 300, 150);
        // Variance of the weights and of the thresholds from fan-in n and fan-out m.
        type Law = fn(f64, f64) -> (f64, f64);
        let laws: [(&str, Law); 13] = [
            ("Uniform(low: -1, high: 1)", |_, _| (1.0 / 3.0, 1.0 / 3.0)),
            ("Normal(standard_deviation: 0.5)", |_, _| (0.25, 0.25)),
            ("GlorotUniform", |n, m| (2.0 / (n + m), 0.0)),
            ("GlorotNormal", |n, m| (2.0 / (n + m), 0.0)),
            ("HeUniform()", |n, _| (2.0 / n, 0.0)),
            ("HeUniform(slope: 0.5)", |n, _| (1.6 / n, 0.0)),
            ("HeNormal()", |n, _| (2.0 / n, 0.0)),
            ("HeNormal(slope: 1)", |n, _| (1.0 / n, 0.0)),
            ("LeCunUniform", |n, _| (1.0 / n, 0.0)),
            ("LeCunNormal", |n, _| (1.0 / n, 0.0)),
            ("TorchDefault", |n, _| (1.0 / (3.0 * n), 1.0 / (3.0 * n))),
            ("Orthogonal(gain: 2)", |n, m| (4.0 / n.max(m), 0.0)),
            // Sums of zero rows do not vary, so the orthonormal start stays.
            ("Lsuv(tries: 3)", |n, m| (1.0 / n.max(m), 0.0)),
        ];
        for (text, law) in laws {
            let mut params = vec![f32::NAN; network.parameters()];
            let mut rng = Streams::new(1).stream(Purpose::Initialize, 0, 0);
            written(text).unwrap().init(&network, &rows, &mut params, &mut rng, &mut Cost::default()).unwrap();
            for layer in network.layers() {
                let square = |range: std::ops::Range<usize>| {
                    let count = range.len() as f64;
                    params[range].iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / count
                };
                let (weights, biases) = law(layer.inputs as f64, layer.outputs as f64);
                // 30,000 and more weights: standard error 0.8 %. 150 and more thresholds: 12 % for the normal law.
                assert!((square(layer.weights.clone()) / weights - 1.0).abs() < 0.03, "{text}");
                let found = square(layer.biases.clone());
                assert!((found - biases).abs() <= 0.45 * biases, "{text}: {found} {biases}");
                let mean = params[layer.weights.clone()].iter().map(|x| f64::from(*x)).sum::<f64>();
                assert!((mean / layer.weights.len() as f64).abs() < 0.03 * weights.sqrt(), "{text}");
            }
        }
    }

    #[test]
    fn starts_keep_their_bits() {
        // A change here changes the results of every user: say so in the change log.
        let network = Mlp::new(3, &[(4, Activation::Tanh)], 2, Output::Softmax, Loss::CrossEntropy).unwrap();
        let inputs = [0.5, -1.0, 2.0, 1.5, 0.25, -0.75, -2.0, 1.0, 0.0, 1.0, 1.0, 3.0];
        let rows = Rows::new(&inputs, &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0], 3, 2);
        let bits = all().into_iter().map(|initializer| {
            let mut params = vec![f32::NAN; network.parameters()];
            let mut rng = Streams::new(42).stream(Purpose::Initialize, 0, 0);
            initializer.init(&network, &rows, &mut params, &mut rng, &mut Cost::default()).unwrap();
            let first: Vec<String> = params[..8].iter().map(|x| format!("{:08x}", x.to_bits())).collect();
            format!("{} {}", initializer.name(), first.join(" "))
        });
        let bits: Vec<String> = bits.collect();
        assert_eq!(bits, GOLDEN, "{bits:#?}");
    }

    const GOLDEN: [&str; 14] = [
        "Uniform 3f21ac2a bef912e8 bd1dd9e0 3ef572b4 3da71be0 3ea7e150 3f5bd9f2 3f3a2320",
        "Normal be0aa8f4 3f07a31e 3f1ae5ef 3e64c4fb 3f0c294c beda42af 3d850762 be34e114",
        "HeUniform 3f64a3b2 bf301f2f bd5f3c40 3f2d8eda 3dec53e0 3eed6b18 3f9b7559 3f839e6f",
        "HeNormal bef0f5b7 bf6192f9 bf70ffd7 bea08d84 be9e5c7e 3ef870ab 3e6501fc 3f824ea4",
        "Orthogonal bf3f4d78 3eabb53e bec7af1c 3eaa0f71 3f610620 bfa890d6 3f67a031 bf8bfb9f",
        "Lsuv bed06543 3e3b0cd5 be59869d 3e394158 3ef5213f bf37a08d 3efc5252 bf187d8a",
        "Pretrained 3daad811 bd112ded be2b0628 bd929c74 3eaaaae6 be1e9d6b 3ebe371d 3f239d52",
        "Recipe bf8b2415 3ef9c737 bf113cae 3ea44171 3f5957d9 bfa2cfe5 3f80a600 bf9b7f4a",
        "GlorotUniform 3f15adfe bee698fb bd122440 3ee33da0 3d9ab670 3e9b6d44 3f4b8af4 3f2c545e",
        "GlorotNormal be9dbec6 bf13ac44 bf1dc568 be523683 be4f57f7 3ea2a468 3e15ebb6 3f2a9cb6",
        "LeCunUniform 3f21ac2a bef912e8 bd1dd9e0 3ef572b4 3da71be0 3ea7e150 3f5bd9f2 3f3a2320",
        "LeCunNormal beaa6262 bf1f8147 bf2a698c be630e52 be5ff4ea 3eafac76 3e21eed3 3f38483e",
        "TorchDefault 3ebaaef0 be8fcd88 bcb64540 3e8db5a2 3d40f5f0 3e41d9ec 3efddccc 3ed6eec8",
        "NguyenWidrow bf50bfd5 3fb3ff2e 3f035217 3f674bf6 3fb90232 bea18062 bfa20b62 bc9e7547",
    ];
}
