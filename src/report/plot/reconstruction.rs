//! What an autoencoder gives back, where its rows are images.

use super::parts::first_runs;
use super::{Drawing, Numbers, Plot};
use crate::experiment::record::{EXAMPLES, PredictionRow};
use crate::report::analysis::{Analysis, Arm, Run};
use crate::report::figure::{Anchor, Figure, Ink, Mark, Rect, Sheet, Stroke, shortened};
use crate::report::number::{digits, percent};

/// Shades of grey: more than an eye tells apart in a small picture, few enough for one mark each.
const SHADES: usize = 33;

/// Pixels that stand beside each other for the names of the arms.
const NAMES: f64 = 146.0;

/// Images and what the deployed weights of each arm make of them.
pub struct Reconstruction;

impl Plot for Reconstruction {
    fn name(&self) -> &'static str {
        "reconstruction"
    }

    fn question(&self, _: &Analysis) -> String {
        "What comes back through the network?".into()
    }

    fn reading(&self) -> &'static str {
        "The first line shows rows as they are, the lines below what the deployed weights of each arm at the first seed give \
         back of them; the larger a number, the darker. What a copy lacks has no place in the narrowest layer. The variance \
         explained is over all test rows of that seed: 100 % for perfect copies, 0 % for always giving back the mean."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.experiment.task.image(analysis.manifest.features).is_some()
            && analysis.arms.iter().any(|arm| !arm.predictions.is_empty())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<(&Arm, &Run)> = first_runs(analysis)
            .into_iter()
            .filter(|(_, arm, _)| !arm.predictions.is_empty())
            .map(|(_, arm, run)| (arm, run))
            .collect();
        let features = analysis.manifest.features;
        let (width, height) = analysis.experiment.task.image(features).unwrap_or((1, 1));
        let images = arms.first().map_or(Vec::new(), |(arm, _)| shown(arm, features));
        let first = images.first().map(|image| &image[0]);
        let caption = format!(
            "Rows {}, of seed {}.",
            match first.map(|row| row.part.as_str()) {
                Some("training") => "that trained",
                Some("validation") => "that validated",
                _ => "that were held out",
            },
            first.map_or(0, |row| row.seed)
        );
        let columns = images.len().max(1) as f64;
        let side = ((760.0 - 32.0 - NAMES) / columns - 6.0).min(110.0);
        let line = (side * height as f64 / width as f64).max(34.0) + 8.0;
        let sheet_height = 66.0 + line * (1 + arms.len()) as f64;
        let mut sheet = Sheet::sized(760.0, sheet_height, &self.question(analysis), &caption, &[]);
        let body = sheet.body;
        let mut numbers = Numbers::new(&["arm", "row", "x", "y", "original", "reconstructed"]);
        let originals = || images.iter().flat_map(|image| image.iter().map(|row| row.target));
        let range = originals().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let mut shades: Vec<Vec<[(f64, f64); 2]>> = vec![Vec::new(); SHADES];
        let mut frames = Vec::new();
        let figure = &mut sheet.figure;
        let mut draw = |line_number: usize, column: usize, value: &dyn Fn(usize) -> f64| {
            let left = body.left + NAMES + column as f64 * (side + 6.0);
            let top = body.top + line_number as f64 * line;
            let outer = Rect { left, top, right: left + side, bottom: top + side * height as f64 / width as f64 };
            shade(outer, (width, height), range, value, &mut shades);
            frames.push(outer);
        };
        for (column, image) in images.iter().enumerate() {
            draw(0, column, &|pixel| image[pixel].target);
        }
        head(figure, body, 0.5 * (line - 8.0), ["original".to_owned(), String::new()]);
        for (place, (arm, run)) in arms.iter().enumerate() {
            for (column, image) in shown(arm, features).iter().enumerate() {
                draw(place + 1, column, &|pixel| image[pixel].predicted);
                for (pixel, row) in image.iter().enumerate() {
                    let words = [arm.name.as_str(), &row.row.to_string()];
                    let at = [(pixel % width) as f64, (pixel / width) as f64];
                    numbers.row(&words, &[at[0], at[1], row.target, row.predicted]);
                }
            }
            let explained = run.result.test_metric.map(|share| format!("explains {}", percent(share)));
            let loss = run.result.test_loss.map(|loss| format!("loss {}", digits(loss, 2)));
            let told: Vec<String> = explained.into_iter().chain(loss).collect();
            let middle = (place + 1) as f64 * line + 0.5 * (line - 8.0);
            head(figure, body, middle, [arm.name.clone(), told.join(", ")]);
        }
        for (shade, rectangles) in shades.into_iter().enumerate().filter(|(_, rectangles)| !rectangles.is_empty()) {
            let grey = (255.0 * (1.0 - shade as f64 / (SHADES - 1) as f64)).round() as u8;
            figure.marks.push(Mark::Tiles { rectangles, ink: Ink::Colour((grey, grey, grey)), opacity: 1.0 });
        }
        for frame in frames {
            let Rect { left, top, right, bottom } = frame;
            let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
            figure.line(corners, Stroke::solid(Ink::Text, 0.8).faint(0.3));
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// The examples of an arm, each with one row of the table for each pixel: the last part that there is, for it is the one that
/// the network saw least of.
fn shown(arm: &Arm, features: usize) -> Vec<&[PredictionRow]> {
    let last = arm.predictions.last().map(|row| row.part.as_str());
    let images = arm.predictions.chunk_by(|a, b| a.row == b.row && a.part == b.part);
    images.filter(|image| image.len() == features && Some(image[0].part.as_str()) == last).take(EXAMPLES).collect()
}

/// Adds the pixels of an image to the rectangles of their shades; equal neighbours in a line are one rectangle.
fn shade(
    outer: Rect,
    (width, height): (usize, usize),
    (low, high): (f64, f64),
    value: &dyn Fn(usize) -> f64,
    shades: &mut [Vec<[(f64, f64); 2]>],
) {
    let of = |pixel: usize| {
        let share = ((value(pixel) - low) / (high - low)).clamp(0.0, 1.0);
        if share.is_nan() { 0 } else { (share * (SHADES - 1) as f64).round() as usize }
    };
    let x = |column: usize| outer.left + (outer.right - outer.left) * column as f64 / width as f64;
    let y = |row: usize| outer.top + (outer.bottom - outer.top) * row as f64 / height as f64;
    for row in 0..height {
        let line: Vec<usize> = (0..width).map(|column| of(row * width + column)).collect();
        let mut column = 0;
        for run in line.chunk_by(|a, b| a == b) {
            shades[run[0]].push([(x(column), y(row)), (x(column + run.len()), y(row + 1))]);
            column += run.len();
        }
    }
}

/// Name and numbers of a line of images, around the height `middle` of the body.
fn head(figure: &mut Figure, body: Rect, middle: f64, [name, told]: [String; 2]) {
    let at = (body.left, body.top + middle + if told.is_empty() { 4.0 } else { -2.0 });
    figure.text(at, shortened(&name, 12.5, NAMES - 8.0), 12.5, Anchor::Start);
    if !told.is_empty() {
        figure.remark((at.0, at.1 + 14.0), shortened(&told, 10.5, NAMES - 6.0), 10.5, Anchor::Start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::reconstructed;

    #[test]
    fn images_stand_line_by_line_and_every_pixel_is_a_number() {
        let analysis = reconstructed();
        let drawing = Reconstruction.draw(&analysis);
        // Three arms, twelve images of 49 pixels.
        assert_eq!(drawing.numbers.rows(), 3 * 12 * 49);
        let frames = |mark: &&Mark| matches!(mark, Mark::Line { points, .. } if points.len() == 5);
        assert_eq!(drawing.figure.marks.iter().filter(frames).count(), 4 * 12);
        let mut shades = vec![Vec::new(); SHADES];
        let outer = Rect { left: 0.0, top: 0.0, right: 4.0, bottom: 2.0 };
        let pixels = [0.0, 0.0, 1.0, 9.0, f64::NAN, -3.0, 0.5, 0.5];
        shade(outer, (4, 2), (0.0, 1.0), &|pixel| pixels[pixel], &mut shades);
        assert_eq!(shades[0], [[(0.0, 0.0), (2.0, 1.0)], [(0.0, 1.0), (2.0, 2.0)]], "white: 0, beyond, no number");
        assert_eq!(shades[SHADES - 1], [[(2.0, 0.0), (4.0, 1.0)]], "black: 1 and beyond");
        assert_eq!(shades[SHADES / 2], [[(2.0, 1.0), (4.0, 2.0)]]);
    }
}
