//! Weight-agnostic neural networks (Gaier & Ha 2019): topologies that work with any one weight shared by all links.
//!
//! A [`Genome`] of named node and connection genes is expressed into a [`Graph`]; every graph is scored once
//! per shared weight and repetition, and [`rank`](rank::rank)ed by its mean score and its connections, or by its mean
//! and its peak. The search itself is [`strategy::Wann`](super::strategy::Wann).

mod evaluate;
mod genome;
mod innovation;
pub mod operators;
pub mod rank;
mod returns;
mod settings;

pub use evaluate::GraphLossEvaluator;
pub use genome::{Connection, Genome, Node, NodeKind, Shape};
pub use innovation::{Innovations, Split};
pub use operators::Changes;
pub use returns::{EpisodeMemory, GraphReturnEvaluator};
pub use settings::{Trials, WannSettings};

use crate::network::Graph;
use crate::values::Fitness;
use serde::{Deserialize, Serialize};

/// A genome with what it computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Individual {
    /// The genes.
    pub genome: Genome,
    /// The graph they make.
    pub graph: Graph,
}

impl Individual {
    /// Expresses a genome.
    pub fn new(genome: Genome) -> Individual {
        Individual { graph: genome.express(), genome }
    }
}

/// How well a graph does over all trials of a scoring; lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performance {
    /// Mean over shared weights and repetitions.
    pub mean: Fitness,
    /// The best shared weight's mean over repetitions.
    pub peak: Fitness,
}

impl Performance {
    /// A performance that was not finite.
    pub const WORST: Performance = Performance { mean: Fitness::WORST, peak: Fitness::WORST };

    /// The performance of `trials` `[repetitions × weights]`, losses or returns with their sign turned. Worst if any of
    /// them is not finite, since a network must work with all weights.
    ///
    /// # Panics
    /// If there is no trial, or their number is no multiple of `weights`.
    pub fn of(trials: &[f32], weights: usize) -> Performance {
        assert!(!trials.is_empty() && trials.len().is_multiple_of(weights));
        let repetitions = (trials.len() / weights) as f64;
        let of_weight = |weight: usize| {
            let sum: f64 = trials.iter().skip(weight).step_by(weights).map(|trial| f64::from(*trial)).sum();
            sum / repetitions
        };
        let mean = Fitness::new((0..weights).map(of_weight).sum::<f64>() / weights as f64);
        let peak = (0..weights).map(|weight| Fitness::new(of_weight(weight))).min().unwrap_or(Fitness::WORST);
        if mean.is_finite() { Performance { mean, peak } } else { Performance::WORST }
    }
}

/// Shared weights laid into lanes for [`Graph::lanes`]: lane `repetition · weights + weight`, the order of trials, filled
/// up with the last weight to a multiple of 16.
pub fn trial_lanes(weights: &[f32], repetitions: usize) -> Vec<f32> {
    let trials = weights.len() * repetitions;
    let mut lanes: Vec<f32> = weights.iter().copied().cycle().take(trials).collect();
    lanes.resize(trials.next_multiple_of(16), *weights.last().expect("a shared weight"));
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_peak_of_a_matrix() {
        // Two repetitions of three weights.
        let found = Performance::of(&[1.0, 5.0, 3.0, 3.0, 1.0, 5.0], 3);
        assert_eq!((found.mean.get(), found.peak.get()), (3.0, 2.0));
        assert_eq!(Performance::of(&[1.0, f32::NAN], 2), Performance::WORST);
        assert_eq!(Performance::of(&[1.0, f32::INFINITY, 0.0, f32::NEG_INFINITY], 2), Performance::WORST);
    }

    #[test]
    fn lanes_follow_the_order_of_trials() {
        let lanes = trial_lanes(&[-1.0, 0.5, 2.0], 6);
        assert_eq!(lanes.len(), 32);
        assert_eq!(lanes[..7], [-1.0, 0.5, 2.0, -1.0, 0.5, 2.0, -1.0]);
        assert_eq!(lanes[18..], [2.0; 14]);
        assert_eq!(trial_lanes(&[1.0; 8], 2).len(), 16);
    }
}
