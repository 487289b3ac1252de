//! Losses on the way of a run.

use super::{medians, medians_text};
use crate::experiment::WeightAnalysis;
use crate::experiment::analyze::{LookedAt, PathRow};
use crate::experiment::record::Moment;
use crate::report::figure::{Anchor, Axis, Entry, Ink, Panel, Rect, Sheet, Stroke};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::weights::page::moment_name;

/// Training and test loss on the straight lines first draw → start → after training.
pub struct Path;

impl Plot<WeightAnalysis> for Path {
    fn name(&self) -> &'static str {
        "path"
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        "Does the loss fall all the way?".into()
    }

    fn reading(&self) -> &'static str {
        "Losses on the straight lines between the weights of a run: a hump is a barrier that search or training went around; \
         a line that only falls means that a straight walk would have got there too. Arms whose start is the first draw \
         begin in the middle."
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        !analysis.paths.is_empty()
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let legend: Vec<Entry> = analysis.arms.iter().map(|arm| Entry::line(arm.place, &arm.name)).collect();
        let caption = medians_text(analysis);
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["rows", "arm", "place", "median_loss"]);
        let searched = analysis.paths.iter().any(|row| row.from == Moment::Drawn);
        let place = |row: &PathRow| row.share + if row.from == Moment::Start { 1.0 } else { 0.0 };
        type Loss = fn(&PathRow) -> Option<f64>;
        let parts: &[(&str, Loss)] = if analysis.has_test {
            &[("training", |row| row.train_loss), ("test", |row| row.test_loss)]
        } else {
            &[("training", |row| row.train_loss)]
        };
        let body = sheet.body;
        let figure = &mut sheet.figure;
        for ((name, loss), outer) in parts.iter().zip(body.columns(parts.len(), 18.0)) {
            let curves: Vec<(&LookedAt, Vec<(f64, f64)>)> = analysis
                .arms
                .iter()
                .map(|arm| {
                    let rows = analysis.paths.iter().filter(|row| row.arm == arm.name);
                    (arm, medians(rows.map(|row| (place(row), loss(row)))))
                })
                .collect();
            let losses = curves.iter().flat_map(|curve| &curve.1).map(|point| point.1);
            let x = Axis::between(if searched { 0.0 } else { 1.0 }, 2.0, "").bare();
            // Names of the moments stand where ticks would.
            let outer = Rect { bottom: outer.bottom - 16.0, ..outer };
            let panel = Panel::new(figure, outer, x, Axis::logarithmic(losses, format!("{name} loss")));
            for moment in [Moment::Drawn, Moment::Start, Moment::End].into_iter().skip(usize::from(!searched)) {
                let x = panel.x(moment as u8 as f64);
                let anchor = match moment {
                    Moment::End => Anchor::End,
                    Moment::Start if searched => Anchor::Middle,
                    _ => Anchor::Start,
                };
                figure.line(
                    vec![(x, panel.inner.top), (x, panel.inner.bottom)],
                    Stroke::solid(Ink::Text, 1.0).faint(0.25),
                );
                figure.text((x, panel.inner.bottom + 16.0), moment_name(moment), 11.5, anchor);
            }
            for (arm, points) in &curves {
                panel.arm_line(figure, points, arm.place, 2.0);
                points.iter().for_each(|(x, y)| numbers.row(&[name, &arm.name], &[*x, *y]));
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
