//! The plain evolution strategy, then gradient descent from its best.

use super::cma_es::sigma;
use super::search::Sampled;
use super::{Arm, Contest, Plans, StartContext};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::Measure;
use crate::evolve::strategy::{EvolutionStrategy, EvolutionStrategySettings};
use crate::train::Initializer;
use crate::values::{Count, Positive};
use serde::{Deserialize, Serialize};

/// Evolves weights by a (μ/μ_w, λ) evolution strategy with one step size, adapted by its cumulative path, around one
/// random start, and trains the best with what is left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvolutionStrategyArm {
    /// How the first mean is drawn; it is the start that `Random` has.
    pub scheme: Initializer,
    /// Generations scored.
    pub generations: Count,
    /// Individuals, at least 4; 4 + ⌊3 ln n⌋ for n weights unless said otherwise.
    #[serde(default)]
    pub population: Option<Count>,
    /// Step size at the beginning, in spreads of each layer's weights over draws of the scheme; 0.5.
    #[serde(default = "sigma")]
    pub sigma: Positive,
    /// What fitness is; `ForwardLoss` unless said otherwise.
    #[serde(default)]
    pub fitness: Measure,
}

impl EvolutionStrategyArm {
    fn sampled(&self) -> Sampled<'_> {
        let EvolutionStrategyArm { ref scheme, fitness, population, generations, .. } = *self;
        Sampled { scheme, fitness, population, generations }
    }

    fn strategy<'a>(&self, context: StartContext<'a>) -> Result<EvolutionStrategy<'a>> {
        let EvolutionStrategyArm { generations, population, sigma, fitness, .. } = *self;
        let settings = EvolutionStrategySettings { population, generations, sigma, fixed_scores: fitness.is_fixed() };
        EvolutionStrategy::new(settings, self.sampled().start(context))
    }
}

impl Contest for EvolutionStrategyArm {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        self.check()?;
        Ok(self.sampled().arm(self.strategy(context)?, context))
    }

    fn check(&self) -> Result<()> {
        self.sampled().check()
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        self.sampled().cost(context)
    }

    fn fitness(&self) -> Option<Measure> {
        Some(self.fitness)
    }

    fn scheme(&self) -> Option<&Initializer> {
        Some(&self.scheme)
    }

    fn genomes(&self, plan: &Plans) -> u64 {
        // An individual beside its normal numbers in double precision; mean, path and units.
        3 * self.sampled().size(plan.parameters) + 12
    }

    fn is_evolved(&self) -> bool {
        true
    }
}
