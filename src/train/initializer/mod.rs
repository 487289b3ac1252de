//! Starts: how the weights and thresholds of a network are drawn before anything is learned.

mod glorot;
mod uniform;

use crate::cost::Cost;
use crate::error::Result;
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Rng;

pub use glorot::{GlorotNormal, GlorotUniform};
pub use uniform::{Normal, Uniform};

/// Draws a start.
pub trait Initialize: Send + Sync {
    /// Fills `params` (a whole parameter slice of `network`). Methods that look at the training `rows` charge `cost` for it.
    ///
    /// # Errors
    /// A network or data that the method cannot serve.
    fn init(&self, network: &Mlp, rows: &Rows, params: &mut [f32], rng: &mut Rng, cost: &mut Cost) -> Result<()>;

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
        GlorotUniform => GlorotUniform,
        GlorotNormal => GlorotNormal,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::network::{Loss, Output};
    use crate::rng::{Purpose, Streams};

    /// One of each, with the settings of a user who writes as little as possible.
    pub(crate) fn all() -> Vec<Initializer> {
        let ron = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let written = |name: &&str| match *name {
            "Uniform" => "Uniform(low: -1.0, high: 1.0)".to_owned(),
            "Normal" => "Normal(standard_deviation: 0.5)".to_owned(),
            name => ron.from_str::<Initializer>(name).map_or_else(|_| format!("{name}()"), |_| name.to_owned()),
        };
        let all: Vec<String> = Initializer::CATALOGUE.iter().map(written).collect();
        all.iter().map(|text| ron.from_str(text).unwrap_or_else(|cause| panic!("{text}: {cause}"))).collect()
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
}
