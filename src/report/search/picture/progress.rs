//! Whether the search gets anywhere.

use super::aligned;
use crate::report::figure::{Axis, Entry, Figure, Rect, Sample, Sheet, Style, Ticks};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::search::{GenerationRow, SearchAnalysis, Spread};
use std::collections::BTreeMap;

/// Scores and sizes over generations.
pub struct Progress;

type Pick = fn(&GenerationRow) -> Option<f64>;

/// Name in the numbers, words, place of the style, value.
type Curve = (&'static str, &'static str, usize, Pick);

const SCORES: [Curve; 4] = [
    ("best_peak", "best at any weight (in-sample)", 4, |row| row.best_peak),
    ("best_mean", "best mean of the weights (in-sample)", 0, |row| row.best_mean),
    ("champion_mean", "mean of the champion on fresh draws", 1, |row| row.champion_mean),
    ("median_mean", "median of the population", 6, |row| row.median_mean),
];

const SIZES: [Curve; 3] = [
    ("best_connections", "best", 0, |row| row.best_connections),
    ("champion_connections", "champion", 1, |row| row.champion_connections),
    ("median_connections", "median", 6, |row| row.median_connections),
];

impl Plot<SearchAnalysis> for Progress {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn question(&self, _: &SearchAnalysis) -> String {
        "Does the search get better, or only bigger?".into()
    }

    fn reading(&self) -> &'static str {
        "Above, higher is better. In-sample curves are the best of a population on the draws of one generation, lucky ones \
         included; the champion's curve was measured on fresh draws and is the one to believe. Where they \
         fall back to a beginning, another trial began, and the best of the trials goes on at the end. Below, the \
         connections: a search that only grows is paying size for luck."
    }

    fn applies(&self, analysis: &SearchAnalysis) -> bool {
        SCORES.iter().any(|curve| analysis.generations.iter().any(|row| curve.3(row).is_some()))
    }

    fn draw(&self, analysis: &SearchAnalysis) -> Drawing {
        let drawn = |curve: &&Curve| analysis.generations.iter().any(|row| curve.3(row).is_some());
        let legend: Vec<Entry> = SCORES
            .iter()
            .filter(drawn)
            .map(|(_, words, place, _)| Entry { text: (*words).into(), sample: Sample::Line(style(*place)) })
            .collect();
        let caption =
            format!("Median over {}; the bands reach from the least to the greatest seed.", analysis.seeds_text());
        let mut sheet = Sheet::sized(820.0, 560.0, &self.question(analysis), &caption, &legend);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let mut numbers = Numbers::new(&["curve", "generation", "median", "low", "high"]);
        let edge = body.top + 0.66 * (body.bottom - body.top);
        let upper = Rect { bottom: edge - 10.0, ..body };
        let lower = Rect { top: edge, ..body };
        let values = SCORES.iter().flat_map(|curve| analysis.generations.iter().filter_map(curve.3));
        let y = Axis::linear(values, analysis.measure.search_label());
        draw(figure, upper, y, "", analysis, &SCORES, &mut numbers);
        let sizes = SIZES.iter().flat_map(|curve| analysis.generations.iter().filter_map(curve.3));
        let y = Axis::linear(sizes.chain([0.0]), "connections").from(0.0).written(Ticks::Counts);
        draw(figure, lower, y, "generation", analysis, &SIZES, &mut numbers);
        Drawing { figure: sheet.figure, numbers }
    }
}

fn draw(
    figure: &mut Figure,
    outer: Rect,
    y: Axis,
    label: &str,
    analysis: &SearchAnalysis,
    curves: &[Curve],
    numbers: &mut Numbers,
) {
    let last = analysis.generations.iter().map(|row| row.generation).max().unwrap_or(1).max(1);
    let panel = aligned(figure, outer, Axis::between(0.0, last as f64, label).written(Ticks::Counts), y, 40.0);
    for (name, _, place, pick) in curves.iter().rev() {
        let points = over_seeds(analysis, *pick);
        let band: Vec<(f64, f64, f64)> = points.iter().map(|(x, spread)| (*x, spread.low, spread.high)).collect();
        panel.band(figure, &band, Style::of(*place).ink, 0.13);
        let line: Vec<(f64, f64)> = points.iter().map(|(x, spread)| (*x, spread.median)).collect();
        panel.line(figure, &line, style(*place).stroke(1.9));
        for spot in 0..6 {
            let at = (line.len().saturating_sub(1)) * (2 * spot + 1) / 12;
            line.get(at).iter().for_each(|point| style(*place).dot(figure, panel.at(**point), 3.6, 1.0));
        }
        for (generation, spread) in &points {
            numbers.row(&[name], &[*generation, spread.median, spread.low, spread.high]);
        }
    }
}

/// Lines that jump from generation to generation are whole: dashes would be lost in them.
fn style(place: usize) -> Style {
    Style { dash: &[], ..Style::of(place) }
}

/// Generations with the spread of a number over seeds.
fn over_seeds(analysis: &SearchAnalysis, pick: Pick) -> Vec<(f64, Spread)> {
    let mut values: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for row in &analysis.generations {
        if let Some(value) = pick(row) {
            values.entry(row.generation).or_default().push(value);
        }
    }
    values.into_iter().filter_map(|(generation, values)| Some((generation as f64, Spread::of(&values)?))).collect()
}
