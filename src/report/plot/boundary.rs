//! What was learned, where it can be seen: two inputs.

use super::{Drawing, Numbers, Plot};
use crate::experiment::Model;
use crate::experiment::record::{Moment, PredictionRow};
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{
    Anchor, Axis, Entry, Figure, Ink, Mark, Marker, Panel, Rect, Sheet, Style, class_colour, shortened,
};
use ndarray::Array2;

/// Cells of the grid in either direction.
const CELLS: usize = 80;
const MOST_ARMS: usize = 8;
/// So few rows get larger dots.
pub(super) const FEW: usize = 16;

/// Regions of the classes before and after training.
pub struct Boundary;

impl Plot for Boundary {
    fn name(&self) -> &'static str {
        "boundary"
    }

    fn question(&self, _: &Analysis) -> String {
        "What was learned?".into()
    }

    fn reading(&self) -> &'static str {
        "Ground colours show which class the network names there, at the start that gradient descent got and at the end; \
         dots are rows that trained, diamonds are rows that it never saw, each in the colour of its true class."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let model = |arm: &Arm| Some(analysis.models.get(&arm.name, arm.predictions.first()?.seed, Moment::End));
        analysis.experiment.task.is_classification()
            && analysis.arms.iter().flat_map(|arm| &arm.predictions).any(|row| row.x1.is_some() && row.x2.is_some())
            && analysis.arms.iter().filter_map(model).flatten().any(|model| model.header.inputs.len() == 2)
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<&Arm> = analysis.arms.iter().filter(|arm| !arm.predictions.is_empty()).take(MOST_ARMS).collect();
        let seed = arms.first().and_then(|arm| arm.predictions.first()).map_or(0, |row| row.seed);
        let classes = &analysis.manifest.targets;
        let mut legend: Vec<Entry> = classes
            .iter()
            .enumerate()
            .take(8)
            .map(|(class, name)| Entry::patch(Ink::Colour(class_colour(class)), 0.6, name.as_str()))
            .collect();
        let ink = Ink::Text;
        let dot = |marker| crate::report::figure::Sample::Dot(Style { ink, dash: &[], marker });
        legend.push(Entry { text: "training row".into(), sample: dot(Marker::Circle) });
        legend.push(Entry { text: "other row".into(), sample: dot(Marker::Diamond) });
        let trains = |arm: &&Arm| {
            let weights = |moment| analysis.models.get(&arm.name, seed, moment).map(|model| model.params);
            weights(Moment::Start) != weights(Moment::End)
        };
        let (moments, caption) = match arms.iter().any(trains) {
            true => (
                &[(Moment::Start, "start"), (Moment::End, "end")][..],
                format!("Seed {seed}: above at the start of gradient descent, below the deployed weights."),
            ),
            false => (&[(Moment::End, "end")][..], format!("Seed {seed}: the start, which was deployed as it was.")),
        };
        let columns = if arms.len() == 4 && moments.len() == 1 { 2 } else { arms.len().clamp(1, 3) };
        let blocks = arms.len().div_ceil(columns);
        let side = (740.0 / columns as f64).min(330.0);
        let height = 110.0 + blocks as f64 * (moments.len() as f64 * side + 30.0);
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let rows = || arms.iter().flat_map(|arm| &arm.predictions);
        let names = arms.first().and_then(|arm| analysis.models.get(&arm.name, seed, Moment::End));
        let name =
            |at: usize| names.as_ref().and_then(|model| model.header.inputs.get(at).cloned()).unwrap_or_default();
        let x = Axis::linear(rows().filter_map(|row| row.x1), name(0));
        let y = Axis::linear(rows().filter_map(|row| row.x2), name(1));
        let mut numbers = Numbers::new(&["arm", "moment", "x2", "x1_from", "x1_to", "class"]);
        let tiles = sheet.body.rows(blocks, 14.0).into_iter().flat_map(|row| row.columns(columns, 12.0));
        let figure = &mut sheet.figure;
        for (place, (arm, tile)) in arms.iter().zip(tiles).enumerate() {
            let head = shortened(&arm.name, 12.5, tile.right - tile.left);
            figure.text(((tile.left + tile.right) / 2.0, tile.top + 8.0), head, 12.5, Anchor::Middle);
            let halves = Rect { top: tile.top + 16.0, ..tile }.rows(moments.len(), 8.0);
            for (&(moment, name), half) in moments.iter().zip(halves) {
                // One label a row and a column is enough.
                let x = if moment == Moment::End { x.clone() } else { x.clone().named("") };
                let y = if place % columns == 0 { y.clone() } else { y.clone().named("") };
                let panel = Panel::new(figure, half, x, y);
                if let Some(model) = analysis.models.get(&arm.name, seed, moment) {
                    let regions = regions(&model, &panel);
                    draw_regions(figure, &panel, &regions);
                    for cells in regions.chunks(CELLS) {
                        for run in cells.chunk_by(|a, b| a.2 == b.2) {
                            let numbers_of = [run[0].1, run[0].0, run[run.len() - 1].0, run[0].2 as f64];
                            numbers.row(&[&arm.name, name], &numbers_of);
                        }
                    }
                }
                let few = arm.predictions.len() <= FEW;
                arm.predictions.iter().for_each(|row| draw_row(figure, &panel, row, few));
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Middles of the grid's cells, row by row from below, with their classes.
pub(super) fn regions(model: &Model, panel: &Panel) -> Vec<(f64, f64, usize)> {
    let at = |cell: usize| (cell as f64 + 0.5) / CELLS as f64;
    let point = |cell: usize| (panel.x_axis().value(at(cell % CELLS)), panel.y_axis().value(at(cell / CELLS)));
    let points: Vec<(f64, f64)> = (0..CELLS * CELLS).map(point).collect();
    let inputs = Array2::from_shape_fn(
        (points.len(), 2),
        |(row, column)| {
            if column == 0 { points[row].0 } else { points[row].1 }
        },
    );
    let Ok(outputs) = model.predict(&inputs) else { return Vec::new() };
    let encoding = model.encoding();
    let class = |row: ndarray::ArrayView1<f64>| {
        let outputs: Vec<f32> = row.iter().map(|output| *output as f32).collect();
        encoding.decode(&outputs)
    };
    points.into_iter().zip(outputs.rows()).map(|((x, y), row)| (x, y, class(row))).collect()
}

/// Neighbours of one class in a row are one rectangle, all rectangles of a class one mark.
pub(super) fn draw_regions(figure: &mut Figure, panel: &Panel, regions: &[(f64, f64, usize)]) {
    let inner = panel.inner;
    let (width, height) = ((inner.right - inner.left) / CELLS as f64, (inner.bottom - inner.top) / CELLS as f64);
    let classes = regions.iter().map(|cell| cell.2 + 1).max().unwrap_or(0);
    let mut tiles = vec![Vec::new(); classes];
    for (row, cells) in regions.chunks(CELLS).enumerate() {
        let edge = |row: usize| inner.bottom - row as f64 * height;
        let mut left = inner.left;
        for run in cells.chunk_by(|a, b| a.2 == b.2) {
            let right = left + run.len() as f64 * width;
            tiles[run[0].2].push([(left, edge(row + 1)), (right, edge(row))]);
            left = right;
        }
    }
    for (class, rectangles) in tiles.into_iter().enumerate().filter(|(_, rectangles)| !rectangles.is_empty()) {
        figure.marks.push(Mark::Tiles { rectangles, ink: Ink::Colour(class_colour(class)), opacity: 0.35 });
    }
}

pub(super) fn draw_row(figure: &mut Figure, panel: &Panel, row: &PredictionRow, few: bool) {
    let (Some(x1), Some(x2)) = (row.x1, row.x2) else { return };
    let at = panel.at((x1, x2));
    let trains = row.part == "training";
    let marker = if trains { Marker::Circle } else { Marker::Diamond };
    let ink = Ink::Colour(class_colour(row.target as usize));
    // Dots must leave the ground to be seen.
    let radius = ((panel.inner.right - panel.inner.left) / 110.0).clamp(1.5, 2.8);
    let radius = if trains { radius } else { 1.4 * radius } * if few { 2.0 } else { 1.0 };
    if radius > 2.0 {
        Style { ink: Ink::Paper, dash: &[], marker }.dot(figure, at, radius + 0.5, 1.0);
    }
    Style { ink, dash: &[], marker }.dot(figure, at, radius, 1.0);
}
