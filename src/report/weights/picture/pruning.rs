//! What is left when small weights go.

use super::{medians, medians_text};
use crate::experiment::WeightAnalysis;
use crate::experiment::analyze::PruningRow;
use crate::report::figure::{Axis, Entry, Ink, Marker, Panel, Sample, Sheet, Stroke, Style, Ticks};
use crate::report::plot::{Drawing, Numbers, Plot};

/// Loss and metric by the share of weights kept.
pub struct Pruning;

impl Plot<WeightAnalysis> for Pruning {
    fn name(&self) -> &'static str {
        "pruning"
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        "How many weights are needed?".into()
    }

    fn reading(&self) -> &'static str {
        "The smallest weights of all layers together are set to 0, more and more from left to right: whole lines right after \
         the cut, dots after some full-batch steps of training with the cut weights kept at 0. The longer a line stays \
         flat, the more weights were of no use."
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        !analysis.pruning.is_empty()
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let mut legend: Vec<Entry> = analysis.arms.iter().map(|arm| Entry::line(arm.place, &arm.name)).collect();
        let trained = analysis.fine_tune.map_or(String::new(), |steps| {
            let style = Style { ink: Ink::Text, dash: &[], marker: Marker::Circle };
            legend.push(Entry { text: format!("after {steps} steps"), sample: Sample::Dot(style) });
            format!(" Dots: {steps} full-batch steps of the experiment's optimizer after the cut.")
        });
        let caption = medians_text(analysis) + &trained;
        type Number = fn(&PruningRow) -> Option<f64>;
        let metric = analysis.metric;
        let mut parts: Vec<(String, bool, Number)> = vec![
            ("training loss".into(), true, |row| row.train_loss),
            (format!("training {metric}"), false, |row| row.train_metric),
        ];
        if analysis.has_test {
            parts.push(("test loss".into(), true, |row| row.test_loss));
            parts.push((format!("test {metric}"), false, |row| row.test_metric));
        }
        let lines = parts.len() / 2;
        let height = 130.0 + 270.0 * lines as f64;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["what", "arm", "weights_gone", "steps", "median"]);
        let tiles = sheet.body.rows(lines, 14.0).into_iter().flat_map(|line| line.columns(2, 18.0));
        let figure = &mut sheet.figure;
        for ((label, is_loss, number), tile) in parts.iter().zip(tiles) {
            let curve = |arm: &str, trained: bool| {
                let rows = analysis.pruning.iter().filter(|row| row.arm == arm && (row.steps > 0) == trained);
                // An R² that is no number is the worst one, not the best.
                let of = |row: &PruningRow| number(row).or((!is_loss).then_some(f64::NEG_INFINITY));
                medians(rows.map(|row| (1.0 - row.kept, of(row))))
            };
            let curves: Vec<_> =
                analysis.arms.iter().map(|arm| [false, true].map(|cut| curve(&arm.name, cut))).collect();
            let values = curves.iter().flatten().flatten().map(|point| point.1);
            let y = match (is_loss, analysis.is_classification) {
                (true, _) => Axis::logarithmic(values, label.as_str()),
                (false, true) => Axis::linear(values, label.as_str()).to(1.02).written(Ticks::Percent),
                // R² falls without bound; what lies below 0 is worse than the mean.
                (false, false) => Axis::between(-0.5, 1.02, label.as_str()),
            };
            let x = Axis::between(0.0, 1.0, "weights set to 0").written(Ticks::Percent);
            let panel = Panel::new(figure, tile, x, y);
            for (arm, [cut, after]) in analysis.arms.iter().zip(&curves) {
                let style = Style::of(arm.place);
                let low = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
                    points.iter().map(|(x, y)| (*x, y.max(-1e300))).collect()
                };
                panel.line(figure, &low(cut), Stroke { dash: style.dash, ..style.stroke(2.0) });
                for point in after.iter().filter(|point| point.1.is_finite()) {
                    style.dot(figure, panel.at(*point), 3.6, 1.0);
                }
                for (points, steps) in [(cut, 0), (after, analysis.fine_tune.unwrap_or(0))] {
                    points.iter().for_each(|(x, y)| numbers.row(&[label, &arm.name], &[*x, steps as f64, *y]));
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
