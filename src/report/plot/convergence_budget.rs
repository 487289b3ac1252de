//! The headline: what the budget buys, search included.

use super::{Drawing, Plot, curve, seeds_caption};
use crate::experiment::record::Change;
use crate::math::statistics::median;
use crate::report::analysis::{Analysis, Run};
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
            "Median of {} with {} bootstrap interval; thin lines are single seeds.{}{}{}",
            seeds_caption(analysis),
            percent(analysis.findings.confidence),
            break_even_caption(analysis),
            turns_caption(analysis),
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
        draw_turns(figure, &panel, analysis);
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

/// The run whose turns are drawn: that of the first seed, where the arm made any grafts.
fn turning(analysis: &Analysis) -> impl Iterator<Item = (usize, &Run)> {
    let grafts = |run: &&Run| run.turns.iter().any(|turn| turn.change == Change::Graft);
    analysis.arms.iter().enumerate().filter_map(move |(place, arm)| Some((place, arm.runs.first().filter(grafts)?)))
}

/// Grafts on the line of their seed: filled where training went on with them, hollow where they were thrown away.
fn draw_turns(figure: &mut Figure, panel: &Panel, analysis: &Analysis) {
    for (place, run) in turning(analysis) {
        let line = run.history.iter().filter_map(|row| Some((row.cost, row.best_train_loss?)));
        let line: Vec<(f64, f64)> = line.collect();
        panel.line(figure, &line, Stroke::solid(Style::of(place).ink, 1.0));
        for turn in run.turns.iter().filter(|turn| turn.change == Change::Graft) {
            let seen = line.partition_point(|point| point.0 <= turn.cost);
            let Some(point) = line.get(seen.min(line.len().saturating_sub(1))) else { continue };
            let at = panel.at((turn.cost, point.1));
            figure.circle(at, 3.0, Style::of(place).ink, 1.0);
            if !turn.accepted {
                figure.circle(at, 1.9, Ink::Paper, 1.0);
            }
        }
    }
}

fn turns_caption(analysis: &Analysis) -> &'static str {
    match turning(analysis).next() {
        Some(_) => " Dots are grafts at the first seed, hollow where they were thrown away.",
        None => "",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::record::TurnRow;
    use crate::report::fixture::{analysis, law};

    #[test]
    fn grafts_of_the_first_seed_are_marked() {
        let mut analysis = analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 6, "");
        let marks = |analysis: &Analysis| ConvergenceBudget.draw(analysis).figure.marks.len();
        let plain = marks(&analysis);
        let turn = |change, accepted, cost| TurnRow {
            arm: "ga".into(),
            seed: 1,
            change,
            accepted,
            cost,
            price: 100.0,
            loss_before: Some(0.2),
            loss_after: Some(0.1),
            origins: None,
            deployed: None,
        };
        let turns = vec![
            turn(Change::Start, true, 5e3),
            turn(Change::Graft, true, 2e4),
            turn(Change::Graft, false, 3e4),
            turn(Change::Reset, true, 4e4),
            turn(Change::Graft, false, 1e9),
        ];
        analysis.arms[2].runs[0].turns = turns;
        // The seed's line, one dot for what was accepted, and two, one within the other, for what was not.
        assert_eq!(marks(&analysis), plain + 1 + 1 + 2 + 2);
        let svg = ConvergenceBudget.draw(&analysis).figure.to_svg();
        assert!(svg.contains("hollow where"), "the caption says what the dots are");
    }
}
