//! Mistakes of threshold units, epoch by epoch.

use super::parts::MOST_ARMS;
use super::{Drawing, Numbers, Plot};
use crate::experiment::record::MistakeRow;
use crate::report::analysis::{Analysis, Arm, Run};
use crate::report::corrections::{name, units};
use crate::report::figure::{Anchor, Axis, Entry, Panel, Rect, Sheet, Stroke, Style, Ticks, shortened};

/// Mistakes of the first seed's units in each epoch, and so far.
pub struct Mistakes;

impl Plot for Mistakes {
    fn name(&self) -> &'static str {
        "mistakes"
    }

    fn question(&self, _: &Analysis) -> String {
        "Do corrections come to an end?".into()
    }

    fn reading(&self) -> &'static str {
        "Above the mistakes of an epoch, each of which moved the boundary, as means over spans that grow with the epochs; below \
         all of them so far, whose line bends flat \
         where a straight boundary parts the classes and rises for ever where none does. The broken line is the most that \
         the boundary found allows in any order of the rows (Novikoff's bound)."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        !runs(analysis).is_empty()
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let runs = runs(analysis);
        let seed = runs.first().map_or(0, |(_, run)| run.result.seed);
        let caption = format!("Seed {seed}, one line a unit, which speaks for its class against all others.");
        let most = runs.iter().map(|(_, run)| units(run).len()).max().unwrap_or(0);
        let legend: Vec<Entry> = (0..most).map(|unit| Entry::line(unit, name(analysis, unit, most))).collect();
        let columns = runs.len().clamp(1, 2);
        let blocks = runs.len().div_ceil(columns);
        let height = 110.0 + 420.0 * blocks as f64;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "class", "epoch", "mistakes", "total", "bound"]);
        let tiles = sheet.body.rows(blocks, 14.0).into_iter().flat_map(|row| row.columns(columns, 14.0));
        let figure = &mut sheet.figure;
        for ((arm, run), tile) in runs.iter().zip(tiles) {
            let head = shortened(&arm.name, 12.5, tile.right - tile.left);
            figure.text(((tile.left + tile.right) / 2.0, tile.top + 8.0), head, 12.5, Anchor::Middle);
            let halves = Rect { top: tile.top + 16.0, ..tile }.rows(2, 8.0);
            let rows = || run.mistakes.iter();
            let x = Axis::logarithmic(rows().map(|row| row.epoch as f64), "epoch");
            let now = Axis::linear(rows().map(|row| row.mistakes as f64).chain([0.0]), "mistakes in an epoch");
            let all = rows().flat_map(|row| [row.total as f64].into_iter().chain(row.bound));
            let all = Axis::logarithmic(all.filter(|x| *x > 0.0), "mistakes so far");
            // Both begin at the same place, however wide their numbers are.
            let axes = [(x.clone().named(""), now.from(0.0).written(Ticks::Counts)), (x, all)];
            let left = |half: &Rect, axes: &(Axis, Axis)| {
                Panel::new(&mut figure.clone(), *half, axes.0.clone(), axes.1.clone()).inner.left
            };
            let begin = halves.iter().zip(&axes).map(|(half, axes)| left(half, axes)).fold(0.0, f64::max);
            let moved: Vec<Rect> = halves
                .iter()
                .zip(&axes)
                .map(|(half, axes)| Rect { left: half.left + begin - left(half, axes), ..*half })
                .collect();
            for (place, (axes, outer)) in axes.into_iter().zip(moved).enumerate() {
                let end = axes.0.range();
                let panel = Panel::new(figure, outer, axes.0, axes.1);
                for (unit, epochs) in units(run).iter().enumerate() {
                    let line = if place == 0 { spans(epochs) } else { totals(epochs) };
                    panel.arm_line(figure, &line, unit, 1.8);
                    if let Some(bound) = epochs.last().and_then(|row| row.bound).filter(|_| place == 1) {
                        let dash: &[f64] = &[5.0, 4.0];
                        let stroke = Stroke { dash, ..Stroke::solid(Style::of(unit).ink, 1.4) };
                        panel.line(figure, &[(end.0, bound), (end.1, bound)], stroke);
                    }
                }
            }
            let units = units(run);
            for (unit, epochs) in units.iter().enumerate() {
                let name = name(analysis, unit, units.len());
                for row in epochs {
                    let bound = row.bound.unwrap_or(f64::NAN);
                    let cells = [row.epoch as f64, row.mistakes as f64, row.total as f64, bound];
                    numbers.row(&[&arm.name, &name], &cells);
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Mistakes an epoch, over spans that grow with the epochs: a line through each of them would be a blot.
fn spans(epochs: &[&MistakeRow]) -> Vec<(f64, f64)> {
    let (mut line, mut before) = (Vec::new(), (0, 0));
    for (index, row) in epochs.iter().enumerate() {
        if 100 * row.epoch >= 108 * before.0 || index + 1 == epochs.len() {
            let mean = (row.total - before.1) as f64 / (row.epoch - before.0) as f64;
            line.push((row.epoch as f64, mean));
            before = (row.epoch, row.total);
        }
    }
    line
}

fn totals(epochs: &[&MistakeRow]) -> Vec<(f64, f64)> {
    epochs.iter().filter(|row| row.total > 0).map(|row| (row.epoch as f64, row.total as f64)).collect()
}

/// The first run of each arm that corrects mistakes.
fn runs(analysis: &Analysis) -> Vec<(&Arm, &Run)> {
    let first = |arm: &'_ Arm| arm.runs.iter().position(|run| !run.mistakes.is_empty());
    analysis.arms.iter().filter_map(|arm| Some((arm, &arm.runs[first(arm)?]))).take(MOST_ARMS).collect()
}
