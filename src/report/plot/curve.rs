//! Curves over seeds: what the convergence plots have in common.

use crate::experiment::record::HistoryRow;
use crate::math::statistics::{median, sorted};
use crate::report::analysis::{Analysis, Run};
use crate::report::band::MedianBand;
use crate::report::figure::{Axis, Entry, Figure, Panel, Stroke, Style};
use crate::report::findings::bootstrap_rng;
use crate::report::plot::Numbers;

/// Places of the common grid.
const POINTS: usize = 160;
/// More seed lines than these are a grey cloud.
const MOST_LINES: usize = 40;

/// One arm's curves.
pub struct Curve {
    /// Place of the arm in the experiment.
    pub place: usize,
    /// Every seed's line.
    pub seeds: Vec<Vec<(f64, f64)>>,
    /// x, median over seeds, lower and upper limit of the median; infinite where half the seeds have no value.
    pub summary: Vec<[f64; 4]>,
}

/// Curves of all arms over `x`, on one logarithmic grid; runs keep their last value.
pub fn curves(
    analysis: &Analysis,
    x: impl Fn(&HistoryRow) -> Option<f64>,
    y: impl Fn(&HistoryRow) -> Option<f64>,
) -> Vec<Curve> {
    let line = |run: &Run| -> Vec<(f64, f64)> {
        run.history.iter().filter_map(|row| Some((x(row)?, y(row).unwrap_or(f64::INFINITY)))).collect()
    };
    let lines: Vec<Vec<Vec<(f64, f64)>>> =
        analysis.arms.iter().map(|arm| arm.runs.iter().map(line).filter(|line| !line.is_empty()).collect()).collect();
    let all = || lines.iter().flatten().flatten().map(|point| point.0).filter(|x| *x > 0.0);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    if low > high {
        return Vec::new();
    }
    let step = libm::log(high / low) / (POINTS - 1) as f64;
    // Rounding must not leave the last point before the last look.
    let grid: Vec<f64> = (0..POINTS)
        .map(|point| if point + 1 == POINTS { high } else { low * libm::exp(step * point as f64) })
        .collect();
    let rule = &analysis.findings.rule;
    let curve = |(place, seeds): (usize, Vec<Vec<(f64, f64)>>)| {
        let band = MedianBand::new(seeds.len(), rule.resamples, analysis.findings.confidence, &mut bootstrap_rng());
        let last = seeds.iter().flatten().map(|point| point.0).fold(0.0, f64::max);
        let point = |x: f64| {
            let values: Vec<f64> = seeds.iter().map(|line| value_at(line, x)).collect();
            let values = sorted(&values);
            let interval = band.interval(&values);
            let end = |end: Option<f64>| end.unwrap_or(f64::NAN);
            let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
            [x, median(&values).unwrap_or(f64::NAN), end(low), end(high)]
        };
        // An arm that ends early has no curve beyond its own end.
        let own = grid.iter().copied().filter(|x| *x < last).chain([last]);
        let summary = own.map(point).collect();
        Curve { place, seeds, summary }
    };
    lines.into_iter().enumerate().map(curve).filter(|curve| !curve.seeds.is_empty()).collect()
}

/// The value of a step line; infinite before its first point.
fn value_at(line: &[(f64, f64)], x: f64) -> f64 {
    let seen = line.partition_point(|point| point.0 <= x * (1.0 + 1e-12));
    seen.checked_sub(1).map_or(f64::INFINITY, |last| line[last].1)
}

/// The axis that holds all curves.
pub fn loss_axis(curves: &[Curve], label: &str) -> Axis {
    let seeds = curves.iter().flat_map(|curve| curve.seeds.iter().take(MOST_LINES)).flatten().map(|point| point.1);
    let medians = curves.iter().flat_map(|curve| &curve.summary).map(|point| point[1]);
    Axis::logarithmic(seeds.chain(medians).filter(|y| y.is_finite()), label)
}

/// Seed lines, bands, medians: from back to front.
pub fn draw(figure: &mut Figure, panel: &Panel, curves: &[Curve]) {
    for curve in curves {
        let stroke = Stroke::solid(Style::of(curve.place).ink, 0.7).faint(0.2);
        for line in curve.seeds.iter().take(MOST_LINES) {
            panel.line(figure, line, stroke);
        }
    }
    for curve in curves {
        let shown = curve.summary.iter().filter(|point| point[1].is_finite());
        let band: Vec<(f64, f64, f64)> = shown.map(|point| (point[0], point[2], point[3])).collect();
        panel.band(figure, &band, Style::of(curve.place).ink, 0.22);
    }
    for curve in curves {
        let line: Vec<(f64, f64)> = curve.summary.iter().map(|point| (point[0], point[1])).collect();
        panel.arm_line(figure, &line, curve.place, 2.2);
    }
}

/// Legend of the arms that have a curve.
pub fn legend(analysis: &Analysis, curves: &[Curve]) -> Vec<Entry> {
    curves.iter().map(|curve| Entry::line(curve.place, &analysis.arms[curve.place].name)).collect()
}

/// A word on losses of exactly 0, which a logarithmic axis cannot show.
pub fn zero_caption(curves: &[Curve]) -> &'static str {
    let zero = curves.iter().flat_map(|curve| &curve.summary).any(|point| point[1] == 0.0);
    if zero { " Losses of exactly 0 lie on the lower edge." } else { "" }
}

/// The medians with their limits.
pub fn numbers(analysis: &Analysis, curves: &[Curve], x: &str) -> Numbers {
    let mut numbers = Numbers::new(&["arm", x, "median", "low", "high"]);
    for curve in curves {
        for point in &curve.summary {
            numbers.row(&[&analysis.arms[curve.place].name], point);
        }
    }
    numbers
}
