//! Medians over seeds of what generations tell: what the plots of evolution have in common.

use crate::experiment::record::GenerationRow;
use crate::math::statistics::quantile;
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Axis, Figure, Panel, Rect, Style, Ticks};
use crate::report::plot::Numbers;

/// Arms that had generations, with their places.
pub fn searching(analysis: &Analysis) -> Vec<(usize, &Arm)> {
    analysis.arms.iter().enumerate().filter(|(_, arm)| arm.has_generations()).collect()
}

/// Generation, and the median over seeds of a number of it, with quartiles.
pub fn over_seeds(arm: &Arm, number: impl Fn(&GenerationRow) -> Option<f64>) -> Vec<[f64; 4]> {
    let mut values: std::collections::BTreeMap<u64, Vec<f64>> = std::collections::BTreeMap::new();
    for row in arm.runs.iter().flat_map(|run| &run.generations) {
        if let Some(value) = number(row) {
            values.entry(row.generation).or_default().push(value);
        }
    }
    let summary = |(generation, values): (u64, Vec<f64>)| {
        let at = |share| quantile(&values, share).unwrap_or(f64::NAN);
        [generation as f64, at(0.5), at(0.25), at(0.75)]
    };
    values.into_iter().map(summary).collect()
}

/// The last generation of any arm.
pub fn last_generation(analysis: &Analysis) -> f64 {
    let rows = analysis.arms.iter().flat_map(|arm| &arm.runs).flat_map(|run| &run.generations);
    rows.map(|row| row.generation as f64).fold(1.0, f64::max)
}

/// Places for as many panels, at most three beside each other.
pub fn tiles(body: Rect, count: usize) -> Vec<Rect> {
    let columns = count.clamp(1, 3);
    let rows = count.div_ceil(columns);
    body.rows(rows, 34.0).into_iter().flat_map(|row| row.columns(columns, 18.0)).take(count).collect()
}

/// Height of a sheet with as many panels.
pub fn height(count: usize) -> f64 {
    450.0 + 260.0 * (count.div_ceil(3).max(1) - 1) as f64
}

/// A panel over generations with one line an arm: medians over seeds, bands between quartiles.
pub fn draw_lines(
    figure: &mut Figure,
    outer: Rect,
    y: Axis,
    analysis: &Analysis,
    numbers: &mut Numbers,
    name: &str,
    number: impl Fn(&GenerationRow) -> Option<f64>,
) {
    let x = Axis::between(0.0, last_generation(analysis), "generation").written(Ticks::Counts);
    let panel = Panel::new(figure, outer, x, y);
    for (place, arm) in searching(analysis) {
        let points = over_seeds(arm, &number);
        let band: Vec<(f64, f64, f64)> = points.iter().map(|[x, _, low, high]| (*x, *low, *high)).collect();
        panel.band(figure, &band, Style::of(place).ink, 0.18);
        let line: Vec<(f64, f64)> = points.iter().map(|point| (point[0], point[1])).collect();
        panel.arm_line(figure, &line, place, 2.2);
        points.iter().for_each(|point| numbers.row(&[&arm.name, name], point));
    }
}
