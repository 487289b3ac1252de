//! What was learned, where it is a curve: one input.

use super::{Drawing, Numbers, Plot};
use crate::experiment::Model;
use crate::experiment::record::Moment;
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Anchor, Axis, Entry, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style, shortened};
use ndarray::Array2;

/// Points of a curve.
const POINTS: usize = 241;
const MOST_ARMS: usize = 12;
const CURVE: Ink = Ink::Colour((213, 94, 0));

/// The network's function before and after training, over the rows it was trained on.
pub struct FittedCurve;

impl Plot for FittedCurve {
    fn name(&self) -> &'static str {
        "fitted-curve"
    }

    fn question(&self, _: &Analysis) -> String {
        "Which curve was learned?".into()
    }

    fn reading(&self) -> &'static str {
        "The line is what the deployed weights of the first seed say at every input, the dashed one what the start said; \
         dots are rows that trained, diamonds rows that the network never saw. A line that misses the dots wants more \
         units or more training; one that wiggles between them has learned their noise."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        !analysis.experiment.task.is_classification()
            && analysis.manifest.features == 1
            && analysis.arms.iter().any(|arm| model(analysis, arm, Moment::End).is_some())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<&Arm> = analysis.arms.iter().filter(|arm| !arm.predictions.is_empty()).take(MOST_ARMS).collect();
        let seed = arms.first().and_then(|arm| arm.predictions.first()).map_or(0, |row| row.seed);
        let line = |dash| {
            Sample::Line(Style {
                ink: if dash { Ink::Text } else { CURVE },
                dash: if dash { DASH } else { &[] },
                marker: Marker::None,
            })
        };
        let dot = |marker| Sample::Dot(Style { ink: Ink::Text, dash: &[], marker });
        let legend = [
            ("after training", line(false)),
            ("start", line(true)),
            ("training row", dot(Marker::Circle)),
            ("other row", dot(Marker::Diamond)),
        ];
        let legend = legend.map(|(text, sample)| Entry { text: text.into(), sample });
        let columns = match arms.len() {
            0..=3 => arms.len().max(1),
            4 => 2,
            5..=9 => 3,
            _ => 4,
        };
        let lines = arms.len().div_ceil(columns);
        let height = 100.0 + lines as f64 * if columns == 1 { 330.0 } else { 190.0 };
        let caption = format!("Seed {seed}, in the data's own units.");
        let mut sheet = Sheet::sized(760.0, height.max(300.0), &self.question(analysis), &caption, &legend);
        let rows = || arms.iter().flat_map(|arm| &arm.predictions).filter(|row| row.output == 0);
        let x = Axis::linear(rows().filter_map(|row| row.x1), "");
        // Networks may say anything where nothing holds them; what is to be learned gets the room.
        let targets = rows().map(|row| row.target);
        let (low, high) = targets.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
        let air = if high > low { 0.2 * (high - low) } else { 1.0 };
        let y = Axis::between(low - air, high + air, "");
        let mut numbers = Numbers::new(&["arm", "moment", "x", "y"]);
        let tiles = sheet.body.rows(lines, 12.0).into_iter().flat_map(|line| line.columns(columns, 12.0));
        let figure = &mut sheet.figure;
        for (arm, tile) in arms.iter().zip(tiles) {
            let head = shortened(&arm.name, 12.5, tile.right - tile.left);
            figure.text(((tile.left + tile.right) / 2.0, tile.top + 8.0), head, 12.5, Anchor::Middle);
            let panel = Panel::new(figure, Rect { top: tile.top + 16.0, ..tile }, x.clone(), y.clone());
            for row in arm.predictions.iter().filter(|row| row.output == 0) {
                let trains = row.part == "training";
                let marker = if trains { Marker::Circle } else { Marker::Diamond };
                let at = panel.at((row.x1.unwrap_or(f64::NAN), row.target));
                Style { ink: Ink::Text, dash: &[], marker }.dot(figure, at, if trains { 2.2 } else { 2.6 }, 0.45);
            }
            let (low, high) = panel.y_axis().range();
            for (moment, name) in [(Moment::Start, "start"), (Moment::End, "end")] {
                let Some(model) = model(analysis, arm, moment) else { continue };
                let curve = curve(&model, panel.x_axis().range());
                let inside = |y: f64| if (low..=high).contains(&y) { y } else { f64::NAN };
                let shown: Vec<(f64, f64)> = curve.iter().map(|(x, y)| (*x, inside(*y))).collect();
                let stroke = match moment {
                    Moment::End => Stroke::solid(CURVE, 2.2),
                    _ => Stroke { dash: DASH, ..Stroke::solid(Ink::Text, 1.2) },
                };
                panel.line(figure, &shown, stroke);
                curve.iter().for_each(|(x, y)| numbers.row(&[&arm.name, name], &[*x, *y]));
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

const DASH: &[f64] = &[4.0, 3.0];

fn model(analysis: &Analysis, arm: &Arm, moment: Moment) -> Option<Model> {
    analysis.models.get(&arm.name, arm.predictions.first()?.seed, moment)
}

/// First output at evenly spaced inputs.
fn curve(model: &Model, (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let x = |point: usize| low + (high - low) * point as f64 / (POINTS - 1) as f64;
    let inputs = Array2::from_shape_fn((POINTS, 1), |(point, _)| x(point));
    let Ok(outputs) = model.predict(&inputs) else { return Vec::new() };
    (0..POINTS).map(|point| (x(point), outputs[[point, 0]])).collect()
}
