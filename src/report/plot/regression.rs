//! Predicted against true values.

use super::parts::{MOST_ARMS, PARTS, has_values};
use super::{Drawing, Numbers, Plot};
use crate::math::statistics::mean;
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Anchor, Axis, Ink, Panel, Rect, Sheet, Stroke, Style, shortened};
use crate::report::number::digits;

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
        "Each dot is one row under the deployed weights of the first seed; on the line the prediction is exact. R is \
         the correlation of true and predicted values; R² is 1 for perfect predictions and 0 for always saying the mean; of \
         several outputs both are the means. Training dots that lie close and test dots that scatter mean that rows \
         were learned by heart."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        has_values(analysis)
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
                let mut outputs: Vec<u64> = rows().map(|row| row.output).collect();
                outputs.sort_unstable();
                outputs.dedup();
                let of_outputs = |measure: fn(&[(f64, f64)]) -> Option<f64>| {
                    let of = |output: &u64| {
                        let rows = rows().filter(|row| row.output == *output);
                        measure(&rows.map(|row| (row.target, row.predicted)).collect::<Vec<_>>())
                    };
                    let all: Option<Vec<f64>> = outputs.iter().map(of).collect();
                    mean(&all?)
                };
                let head = match (of_outputs(correlation), of_outputs(determination)) {
                    (Some(r), Some(square)) => {
                        format!("{part}: R {}, R² {}", digits(r, 4), digits(square, 3))
                    }
                    (None, Some(square)) => format!("{part}: R² {}", digits(square, 3)),
                    _ => (*part).to_owned(),
                };
                let head = head.replace('-', "−");
                let width = outer.right - outer.left;
                let head = format!("{}, {head}", shortened(&arm.name, 12.0, 0.3 * width));
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

/// Pearson's correlation; `None` where either side does not vary, or two rows make a line of any prediction.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let count = pairs.len() as f64;
    let sums = pairs.iter().fold((0.0, 0.0), |sums, pair| (sums.0 + pair.0, sums.1 + pair.1));
    let (middle, other) = (sums.0 / count, sums.1 / count);
    let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| f(x - middle, y - other)).sum::<f64>();
    let spread = sum(&|x, _| x * x) * sum(&|_, y| y * y);
    Some(sum(&|x, y| x * y) / spread.sqrt()).filter(|r| spread > 0.0 && r.is_finite())
}

/// Coefficient of determination; `None` where the truth does not vary.
fn determination(pairs: &[(f64, f64)]) -> Option<f64> {
    let mean = mean(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
    let residual: f64 = pairs.iter().map(|(target, predicted)| (predicted - target) * (predicted - target)).sum();
    let total: f64 = pairs.iter().map(|(target, _)| (target - mean) * (target - mean)).sum();
    (total > 0.0).then(|| 1.0 - residual / total).filter(|r| r.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_tells_lines_and_determination_the_right_one() {
        let rows = |slope: f64, shift: f64| (0..5).map(move |i| (f64::from(i), slope * f64::from(i) + shift));
        let both = |pairs: Vec<(f64, f64)>| (correlation(&pairs), determination(&pairs));
        assert_eq!(both(rows(1.0, 0.0).collect()), (Some(1.0), Some(1.0)));
        assert_eq!(both(rows(-2.0, 4.0).collect()), (Some(-1.0), Some(-10.0)));
        assert_eq!(both(rows(0.0, 2.0).collect()), (None, Some(0.0)), "always the mean");
        assert_eq!(both(vec![(1.0, 3.0); 4]), (None, None));
        // 0.6 by hand: 3 / √(5 · 5).
        let uneven = vec![(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0)];
        assert!((correlation(&uneven).unwrap() - 0.6).abs() < 1e-15);
        assert_eq!(correlation(&[(0.0, 1.0), (1.0, 9.0)]), None, "two rows are always a line");
    }
}
