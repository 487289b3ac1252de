//! A genetic algorithm without selection: what variation alone does to a start.

use super::search::Winner;
use super::{Arm, Contest, StartContext};
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::selection::Tournament;
use crate::evolve::strategy::genetic::GeneticSettings;
use crate::experiment::config::Name;
use crate::values::Count;
use serde::{Deserialize, Serialize};

/// The genetic algorithm of another arm with selection switched off: parents are drawn blindly, nobody is kept for
/// being good, and any individual of the last generation is trained. It pays for its scores all the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Name of a `Genetic` arm.
    pub of: Name,
}

impl Contest for Drift {
    fn start<'a>(&'a self, context: StartContext<'a>) -> Result<Box<dyn Arm + 'a>> {
        let settings = context.genetic(self.of.as_str()).ok_or_else(|| {
            Error::experiment("P0132", format!("`of: \"{}\"` names no `Genetic` arm", self.of))
                .help("name an arm whose method is `Genetic(…)`")
        })?;
        Ok(Box::new(super::genetic::arm(blind(settings), context, Winner::Anyone)?))
    }

    fn refers_to(&self) -> Option<&str> {
        Some(self.of.as_str())
    }

    fn search_cost(&self, context: &StartContext) -> Option<Cost> {
        super::genetic::search_cost(&blind(context.genetic(self.of.as_str())?), context)
    }
}

fn blind(settings: &GeneticSettings) -> GeneticSettings {
    let one = Count::new(1).expect("in range");
    GeneticSettings { selection: Tournament { size: one }.into(), elitism: 0, ..settings.clone() }
}
