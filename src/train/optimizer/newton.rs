//! Newton's method.

use super::damped::{Damped, Damping, trial};
use super::levenberg_marquardt::{
    default_damping, default_decrease, default_increase, default_largest_damping, fits, raises,
};
use super::minimize::{Memory, Minimize, Progress};
use super::{Steps, Train};
use crate::cost::Cost;
use crate::error::Result;
use crate::network::Mlp;
use crate::train::{Objective, Prices};
use crate::values::{Positive, Probability};
use serde::{Deserialize, Serialize};

/// Newton's method with a damped Hessian: (H + λI) Δ = −g (Nocedal & Wright 2006, section 3.4).
///
/// For small nets, where it shows what the curvature of the loss is worth; every loss, on all rows. H is exact: a product
/// by the R-operator for each parameter (Pearlmutter 1994), which costs 8 forward passes each. λ rises until the matrix is
/// positive definite, and after a trial whose loss is not lower; it falls after one that is. A step is one trial: gradient
/// and Hessian where the point is new, and the loss at the trial. Solving touches no rows and is not charged. Training
/// stops when λ passes `largest_damping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newton {
    /// First damping λ; 0.001 unless said otherwise.
    #[serde(default = "default_damping")]
    pub damping: Positive,
    /// What λ is multiplied by after a lower loss, 0 to 1; 0.1.
    #[serde(default = "default_decrease")]
    pub decrease: Probability,
    /// What λ is multiplied by after a trial that failed, above 1; 10.
    #[serde(default = "default_increase")]
    pub increase: Positive,
    /// Damping beyond which nothing is tried any more; 1e10.
    #[serde(default = "default_largest_damping")]
    pub largest_damping: Positive,
}

/// Most parameters: a Hessian then costs as much as 1334 gradients.
const MOST_PARAMETERS: usize = 500;

impl Train for Newton {
    fn steps(&self) -> Steps<'_> {
        Steps::ByObjective(self)
    }
}

impl Minimize for Newton {
    fn begin(&self) -> Memory {
        Memory::Damped(Damped::default())
    }

    fn next_cost(&self, memory: &Memory, prices: &Prices) -> Cost {
        match memory {
            Memory::Damped(damped) if !damped.needs_matrix() => prices.loss,
            _ => self.step_cost(prices),
        }
    }

    fn step_cost(&self, prices: &Prices) -> Cost {
        prices.gradient + prices.hessian + prices.loss
    }

    fn step(&self, memory: &mut Memory, params: &mut [f32], objective: &mut dyn Objective) -> Progress {
        let damping = Damping {
            first: self.damping.get(),
            decrease: self.decrease.get(),
            increase: self.increase.get(),
            largest: self.largest_damping.get(),
        };
        trial(memory, params, objective, &damping, 1.0, |objective, point, matrix, pull| {
            objective.hessian(point, matrix);
            objective.gradient(point, pull)
        })
    }

    fn numbers(&self, parameters: u64) -> u64 {
        2 * parameters * parameters
    }

    fn check(&self, network: &Mlp) -> Result<()> {
        raises(self.increase)?;
        fits("Newton", "the Hessian", network.parameters(), MOST_PARAMETERS)
    }
}
