//! The headline: what the budget buys, search included.

use super::{Drawing, Plot, curve, seeds_caption};
use crate::math::statistics::median;
use crate::report::analysis::Analysis;
use crate::report::figure::{Anchor, Axis, Entry, Figure, Ink, Panel, Rect, Sheet, Stroke, Style, Ticks, text_width};
use crate::report::number::{amount, percent, short};

/// Height of a bar above the panel.
const BAR: f64 = 7.0;

/// Best training loss over row-passes, search included.
pub struct ConvergenceBudget;

impl Plot for ConvergenceBudget {
    fn name(&self) -> &'static str {
        "convergence-budget"
    }

    fn question(&self, _: &Analysis) -> String {
        "Does the search pay for itself?".into()
    }

    fn reading(&self) -> &'static str {
        "Every arm pays for all it does, search included; at each budget the lower line is the better arm. Bars at the \
         upper edge show how long an arm searched. A searching arm pays only if its line comes down below the others' \
         before the budget ends."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.arms.iter().any(|arm| arm.runs.iter().any(|run| run.history.len() > 1))
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let curves = curve::curves(analysis, |row| Some(row.cost), |row| row.best_train_loss);
        let mut legend = curve::legend(analysis, &curves);
        let searches: Vec<(usize, f64)> =
            (0..analysis.arms.len()).filter_map(|place| search(analysis, place)).collect();
        if !searches.is_empty() {
            legend.push(Entry::patch(Ink::Text, 0.13, "searching"));
        }
        let caption = format!(
            "Median of {} with {} bootstrap interval; thin lines are single seeds.{}{}",
            seeds_caption(analysis),
            percent(analysis.findings.confidence),
            break_even_caption(analysis),
            curve::zero_caption(&curves)
        );
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let costs = curves.iter().flat_map(|curve| &curve.summary).map(|point| point[0]);
        let x = Axis::logarithmic(costs, "row-passes, search included").written(Ticks::Amounts);
        let y = curve::loss_axis(&curves, "best training loss so far");
        // Bars of the searches stand above the panel.
        let body = Rect { top: sheet.body.top + BAR * searches.len() as f64, ..sheet.body };
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, body, x, y);
        draw_searches(figure, &panel, &searches);
        draw_target(figure, &panel, analysis);
        curve::draw(figure, &panel, &curves);
        draw_break_even(figure, &panel, analysis, &curves);
        Drawing { numbers: curve::numbers(analysis, &curves, "row_passes"), figure: sheet.figure }
    }
}

/// Median cost at which an arm's search ended, if it searched.
fn search(analysis: &Analysis, place: usize) -> Option<(usize, f64)> {
    let costs: Vec<f64> = analysis.arms[place].runs.iter().map(|run| run.search_cost()).collect();
    median(&costs).filter(|cost| *cost > 0.0).map(|cost| (place, cost))
}

fn draw_searches(figure: &mut Figure, panel: &Panel, searches: &[(usize, f64)]) {
    let longest = searches.iter().map(|search| search.1).fold(0.0, f64::max);
    if longest > 0.0 {
        let inner = panel.inner;
        figure.rectangle((inner.left, inner.top), (panel.x(longest), inner.bottom), Ink::Text, 0.045);
    }
    for (row, (place, cost)) in searches.iter().enumerate() {
        let top = panel.inner.top - BAR * (searches.len() - row) as f64;
        figure.rectangle((panel.inner.left, top), (panel.x(*cost), top + BAR - 2.0), Style::of(*place).ink, 0.9);
    }
}

/// The training loss that the verdict speaks of.
fn draw_target(figure: &mut Figure, panel: &Panel, analysis: &Analysis) {
    let findings = &analysis.findings;
    let Some(target) = findings.deciding.map(|deciding| findings.targets[deciding].loss) else { return };
    let stroke = Stroke { dash: &[4.0, 4.0], ..Stroke::solid(Ink::Text, 1.0).faint(0.6) };
    panel.line(figure, &[(0.0, target), (f64::MAX, target)], stroke);
    let at = (panel.inner.left + 5.0, panel.y(target) + 13.0);
    figure.remark(at, format!("target {}", short(target)), 11.0, Anchor::Start);
}

fn draw_break_even(figure: &mut Figure, panel: &Panel, analysis: &Analysis, curves: &[curve::Curve]) {
    for found in &analysis.findings.break_even {
        let (Some(cost), Some(place)) = (found.cost, analysis.arm_index(&found.arm)) else { continue };
        let Some(curve) = curves.iter().find(|curve| curve.place == place) else { continue };
        let Some(point) = curve.summary.iter().find(|point| point[0] >= cost) else { continue };
        let at = panel.at((cost, point[1]));
        let low = found.low.map_or(panel.inner.left, |low| panel.x(low));
        let high = found.high.map_or(panel.inner.right, |high| panel.x(high));
        let stroke = Stroke::solid(Ink::Text, 1.4);
        figure.line(vec![(low, at.1), (high, at.1)], stroke);
        figure.line(vec![(low, at.1 - 4.0), (low, at.1 + 4.0)], stroke);
        figure.line(vec![(high, at.1 - 4.0), (high, at.1 + 4.0)], stroke);
        figure.circle(at, 5.0, Ink::Text, 1.0);
        figure.circle(at, 3.2, Style::of(place).ink, 1.0);
        let text = format!("break-even {}", amount(cost));
        // On a ground of its own, for other arms' lines run here too.
        let end = low - 8.0;
        let from = (end - text_width(&text, 11.5) - 3.0, at.1 - 8.0);
        figure.rectangle(from, (end + 3.0, at.1 + 8.0), Ink::Paper, 0.8);
        figure.text((end, at.1 + 4.0), text, 11.5, Anchor::End);
    }
}

fn break_even_caption(analysis: &Analysis) -> String {
    let mut text = String::new();
    for found in &analysis.findings.break_even {
        let (arm, baseline) = (&found.arm, &found.baseline);
        text.push_str(&match found.cost {
            Some(cost) => {
                let high = found.high.map_or("beyond the budget".to_owned(), amount);
                let low = found.low.map_or("beyond the budget".to_owned(), amount);
                format!(" {arm} catches up with {baseline} at {} ({low} to {high}).", amount(cost))
            }
            None => format!(" {arm} does not catch up with {baseline} within the budget."),
        });
    }
    text
}
