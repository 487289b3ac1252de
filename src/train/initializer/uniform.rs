//! The same law for all weights and thresholds, as the back-propagation textbooks have it.

use super::Initialize;
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::math::Rows;
use crate::network::Mlp;
use crate::rng::Rng;
use crate::values::{Finite, Positive};
use serde::{Deserialize, Serialize};

/// Every weight and threshold from U(low, high). The classics are (−1, 1), (0, 1) and (−0.5, 0.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Lowest value.
    pub low: Finite,
    /// Highest value, above `low`.
    pub high: Finite,
}

impl Initialize for Uniform {
    fn init(&self, _: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        if self.low.get() >= self.high.get() {
            return Err(Error::experiment("P0136", "`low` must lie below `high` in `Uniform`").help(format!(
                "write `Uniform(low: {}, high: {})`",
                self.high.get(),
                self.low.get()
            )));
        }
        rng.fill_between(params, self.low.f32(), self.high.f32());
        Ok(())
    }
}

/// Every weight and threshold from a normal law around 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// Standard deviation.
    pub standard_deviation: Positive,
}

impl Initialize for Normal {
    fn init(&self, _: &Mlp, _: &Rows, params: &mut [f32], rng: &mut Rng, _: &mut Cost) -> Result<()> {
        rng.fill_normal(params, self.standard_deviation.get());
        Ok(())
    }
}
