//! Predicted against true values.

use super::{Drawing, Numbers, Plot};
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Anchor, Axis, Ink, Panel, Rect, Sheet, Stroke, Style, shortened};

const PARTS: [&str; 3] = ["training", "validation", "test"];
const MOST_ARMS: usize = 8;
/// Dots of one panel; more hide each other.
const MOST_DOTS: usize = 1500;

/// Predictions of the deployed weights, part by part.
pub struct Regression;

impl Plot for Regression {
    fn name(&self) -> &'static str {
        "regression"
    }

    fn question(&self, _: &Analysis) -> String {
        "How close are predictions to the truth?".into()
    }

    fn reading(&self) -> &'static str {
        "Each dot is one row under the deployed weights of the first seed; on the line the prediction is exact. R² is \
         1 for perfect predictions and 0 for always saying the mean. Training dots that lie close and test dots that \
         scatter mean that rows were learned by heart."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        !analysis.experiment.task.is_classification() && analysis.arms.iter().any(|arm| !arm.predictions.is_empty())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<(usize, &Arm)> =
            analysis.arms.iter().enumerate().filter(|(_, arm)| !arm.predictions.is_empty()).take(MOST_ARMS).collect();
        let rows = || arms.iter().flat_map(|(_, arm)| &arm.predictions);
        let parts: Vec<&str> = PARTS.into_iter().filter(|part| rows().any(|row| row.part == *part)).collect();
        let seed = rows().next().map_or(0, |row| row.seed);
        let caption = format!("Deployed weights of seed {seed}, in the data's own units.");
        let height = 80.0 + 250.0 * arms.len() as f64;
        let mut sheet = Sheet::sized(760.0, height.max(330.0), &self.question(analysis), &caption, &[]);
        let mut numbers = Numbers::new(&["arm", "part", "row", "output", "target", "predicted"]);
        let targets = rows().map(|row| row.target).chain(rows().map(|row| row.predicted));
        let axis = Axis::linear(targets, "");
        let tiles = sheet.body.rows(arms.len(), 14.0);
        let figure = &mut sheet.figure;
        for ((place, arm), line) in arms.iter().zip(tiles) {
            for (part, outer) in parts.iter().zip(line.columns(parts.len(), 14.0)) {
                let rows = || arm.predictions.iter().filter(|row| row.part == *part);
                let pairs: Vec<(f64, f64)> = rows().map(|row| (row.target, row.predicted)).collect();
                let head = match determination(&pairs) {
                    Some(r) => format!("{part}: R² = {r:.3}").replace('-', "−"),
                    None => (*part).to_owned(),
                };
                let width = outer.right - outer.left;
                let head = format!("{}, {head}", shortened(&arm.name, 12.0, 0.4 * width));
                figure.text(((outer.left + outer.right) / 2.0, outer.top + 8.0), head, 12.0, Anchor::Middle);
                let outer = Rect { top: outer.top + 15.0, ..outer };
                let labelled = |label: &str| axis.clone().named(label);
                let panel = Panel::new(figure, outer, labelled("true"), labelled("predicted"));
                let (low, high) = axis.range();
                let dash: &[f64] = &[4.0, 4.0];
                panel.line(figure, &[(low, low), (high, high)], Stroke { dash, ..Stroke::solid(Ink::Text, 1.0) });
                let every = pairs.len().div_ceil(MOST_DOTS).max(1);
                for pair in pairs.iter().step_by(every) {
                    Style::of(*place).dot(figure, panel.at(*pair), 2.8, 0.6);
                }
                for row in rows() {
                    let words = [arm.name.as_str(), *part, &row.row.to_string(), &row.output.to_string()];
                    numbers.row(&words, &[row.target, row.predicted]);
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Coefficient of determination; `None` where the truth does not vary.
fn determination(pairs: &[(f64, f64)]) -> Option<f64> {
    let mean = crate::math::statistics::mean(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
    let residual: f64 = pairs.iter().map(|(target, predicted)| (predicted - target) * (predicted - target)).sum();
    let total: f64 = pairs.iter().map(|(target, _)| (target - mean) * (target - mean)).sum();
    (total > 0.0).then(|| 1.0 - residual / total).filter(|r| r.is_finite())
}
