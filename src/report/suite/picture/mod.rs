//! Pictures of a suite: each one a file and a line below.

mod ratios;
mod solved;
mod trainers;

use super::SuiteAnalysis;
use crate::report::plot::Plot;

/// All pictures, in the order of the report.
pub const PICTURES: &[&dyn Plot<SuiteAnalysis>] = &[&ratios::Ratios, &solved::Solved, &trainers::Trainers];
