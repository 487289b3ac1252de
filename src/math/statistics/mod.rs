//! The statistics of a comparison: pure functions on slices of `f64`.
//!
//! Start at [`verdicts`]: it is the one rule by which an arm is called better or worse. Everything else here serves it
//! or the tables and plots. What is undefined (the mean of nothing) is `None`; nothing panics on data. Slices may hold
//! infinities where a function says so, and random numbers come from the caller.

mod bootstrap;
mod describe;
mod ecdf;
mod ert;
mod friedman;
mod holm;
mod mann_whitney;
mod ranks;
mod shape;
mod spearman;
mod special;
mod verdict;
mod wilcoxon;
mod wilson;

pub use bootstrap::{Bootstrap, BootstrapKind, bootstrap_replicates};
pub use describe::{interquartile_mean, mean, median, quantile, quantile_of_sorted, sorted, standard_deviation};
pub use ecdf::Ecdf;
pub use ert::expected_running_time;
pub use friedman::{Friedman, RankDifference, friedman};
pub use holm::holm;
pub use mann_whitney::{RankSum, mann_whitney, vargha_delaney};
pub use ranks::midranks;
pub use shape::Shape;
pub use spearman::{Spearman, spearman};
pub use special::{chi_squared_tail, f_tail, normal_cdf, normal_quantile, student_t_two_sided};
pub use verdict::{Comparison, Conclusion, Method, Outcome, Rule, Verdict, verdicts};
pub use wilcoxon::{Shift, SignedRank, hodges_lehmann, wilcoxon};
pub use wilson::wilson;

use serde::{Deserialize, Serialize};

/// From `low` to `high`, both included. An infinite end means: not bounded by the data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end, not below `low`.
    pub high: f64,
}

/// Fails unless both numbers agree to the relative tolerance; equal infinities agree.
#[cfg(test)]
#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    let close = found == expected || (found - expected).abs() <= tolerance * expected.abs().max(1e-300);
    assert!(close, "found {found:e}, expected {expected:e}");
}
