//! Levenberg–Marquardt.

use super::damped::{Damped, Damping, trial};
use super::minimize::{Memory, Minimize, Progress};
use super::{Steps, Train};
use crate::cost::Cost;
use crate::error::{Error, Kind, Result};
use crate::network::{DoubleWorkspace, Head, Mlp};
use crate::train::{Objective, Prices};
use crate::values::{Positive, Probability};
use serde::{Deserialize, Serialize};

/// Least squares by steps between Gauss–Newton's and gradient descent's: (JᵀJ + μI) Δ = −Jᵀe for the sum of squared
/// residuals e with Jacobian J (Marquardt 1963; Hagan & Menhaj 1994, eq. 17–20).
///
/// The method of choice for curves and tables of a few hundred rows and up to some hundred parameters; for mean squared
/// error only, on all rows. A step is one trial of μ: JᵀJ where the point is new ([`Cost::gauss_newton`]) and the loss at
/// the trial (a forward pass); a trial that fails costs the forward pass alone. Solving touches no rows and is not charged.
/// Training stops when μ passes `largest_damping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevenbergMarquardt {
    /// First damping μ; 0.001 unless said otherwise.
    #[serde(default = "default_damping")]
    pub damping: Positive,
    /// What μ is multiplied by after a lower loss, 0 to 1; 0.1.
    #[serde(default = "default_decrease")]
    pub decrease: Probability,
    /// What μ is multiplied by after a trial that failed, above 1; 10.
    #[serde(default = "default_increase")]
    pub increase: Positive,
    /// Damping beyond which nothing is tried any more; 1e10.
    #[serde(default = "default_largest_damping")]
    pub largest_damping: Positive,
}

pub(super) fn default_damping() -> Positive {
    Positive::new(0.001).expect("in range")
}
pub(super) fn default_decrease() -> Probability {
    Probability::new(0.1).expect("in range")
}
pub(super) fn default_increase() -> Positive {
    Positive::new(10.0).expect("in range")
}
pub(super) fn default_largest_damping() -> Positive {
    Positive::new(1e10).expect("in range")
}

/// Most parameters: JᵀJ and its factor then take 256 MiB.
const MOST_PARAMETERS: usize = 4096;

impl Train for LevenbergMarquardt {
    fn steps(&self) -> Steps<'_> {
        Steps::ByObjective(self)
    }
}

impl Minimize for LevenbergMarquardt {
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
        prices.gauss_newton + prices.loss
    }

    fn step(&self, memory: &mut Memory, params: &mut [f32], objective: &mut dyn Objective) -> Progress {
        let damping = Damping {
            first: self.damping.get(),
            decrease: self.decrease.get(),
            increase: self.increase.get(),
            largest: self.largest_damping.get(),
        };
        let scale = 2.0 / objective.residuals() as f64;
        trial(memory, params, objective, &damping, scale, |objective, point, matrix, pull| {
            objective.gauss_newton(point, matrix, pull)
        })
    }

    fn numbers(&self, parameters: u64) -> u64 {
        2 * parameters * parameters + DoubleWorkspace::gram_numbers(parameters)
    }

    fn check(&self, network: &Mlp) -> Result<()> {
        raises(self.increase)?;
        if network.head() != Head::Squared {
            let message = "`LevenbergMarquardt` makes squares small, and the loss is `CrossEntropy`";
            return Err(Error::experiment("P0145", message)
                .help("write `loss: MeanSquared` with `output: Logistic`, or choose `ScaledConjugateGradient()`"));
        }
        fits("LevenbergMarquardt", "JᵀJ", network.parameters(), MOST_PARAMETERS)
    }
}

/// Refuses an `increase` that does not.
pub(super) fn raises(increase: Positive) -> Result<()> {
    if increase.get() > 1.0 {
        return Ok(());
    }
    Err(Error::experiment("P0121", format!("`increase` must be above 1, found {}", increase.get()))
        .help("write `increase: 10.0`, or leave it out"))
}

/// Refuses networks whose matrix would be too large.
pub(super) fn fits(name: &str, matrix: &str, parameters: usize, most: usize) -> Result<()> {
    if parameters <= most {
        return Ok(());
    }
    let message = format!(
        "`{name}` holds {matrix} in full: {parameters} parameters are more than the {most} that it is made for"
    );
    Err(Error::new(Kind::Limit, "P0140", message)
        .help("choose `Lbfgs()` or `ScaledConjugateGradient()`, which hold no matrix, or use fewer units"))
}
