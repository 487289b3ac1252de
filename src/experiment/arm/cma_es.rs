//! Covariance matrix adaptation, then gradient descent from its best.

use super::search::Sampled;
use super::{Arm, Contest, Plans, StartContext};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::Measure;
use crate::evolve::strategy::{CmaEs, CmaEsSettings, Covariance};
use crate::train::Initializer;
use crate::values::{Count, Positive};
use serde::{Deserialize, Serialize};

/// Evolves weights by CMA-ES around one random start, and trains the best with what is left.
///
/// The search ends after its generations, or earlier for a reason of its own ([`crate::evolve::strategy::StopReason`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CmaEsArm {
    /// How the first mean is drawn; it is the start that `Random` has. Restarts draw further ones.
    pub scheme: Initializer,
    /// Generations scored, restarts included.
    pub generations: Count,
    /// Individuals, at least 4; 4 + ⌊3 ln n⌋ for n weights unless said otherwise.
    #[serde(default)]
    pub population: Option<Count>,
    /// Step size at the beginning, in spreads of each layer's weights over draws of the scheme; 0.5.
    #[serde(default = "sigma")]
    pub sigma: Positive,
    /// Which covariances are learned; `Full`, which is for at most 1000 weights.
    #[serde(default)]
    pub mode: Covariance,
    /// How often a search that stopped begins anew with twice the population; 0.
    #[serde(default)]
    pub restarts: u32,
    /// What fitness is; `ForwardLoss` unless said otherwise.
    #[serde(default)]
    pub fitness: Measure,
}

/// The first step size if nothing is said.
pub(super) fn sigma() -> Positive {
    Positive::new(0.5).expect("in range")
}

impl CmaEsArm {
    fn sampled(&self) -> Sampled<'_> {
        let CmaEsArm { ref scheme, fitness, population, generations, .. } = *self;
        Sampled { scheme, fitness, population, generations }
    }

    fn strategy<'a>(&self, context: StartContext<'a>) -> Result<CmaEs<'a>> {
        let CmaEsArm { generations, population, sigma, mode, restarts, fitness, .. } = *self;
        let fixed_scores = fitness.is_fixed();
        let settings =
            CmaEsSettings { population, generations, sigma, mode, restarts, fixed_scores, ..CmaEsSettings::default() };
        CmaEs::new(settings, self.sampled().start(context))
    }
}

impl Contest for CmaEsArm {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        self.check()?;
        Ok(self.sampled().arm(self.strategy(context)?, context))
    }

    fn check(&self) -> Result<()> {
        self.sampled().check()
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        // With restarts the population may double at any time.
        self.sampled().cost(context).filter(|_| self.restarts == 0)
    }

    fn fitness(&self) -> Option<Measure> {
        Some(self.fitness)
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn genomes(&self, plan: &Plans) -> u64 {
        // An individual beside its normal numbers and its step in double precision; three matrices.
        let matrices = if self.mode == Covariance::Full { 8 * plan.parameters } else { 8 };
        7 * (self.sampled().size(plan.parameters) << self.restarts.min(16)) + matrices
    }

    fn is_evolved(&self) -> bool {
        true
    }
}
