//! Whether cheap fitness ranks starts as they will turn out.

use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::report::analysis::Analysis;
use crate::report::figure::{Anchor, Axis, Ink, Panel, Sheet, Stroke, Style};
use crate::report::number::amount;

/// Rank correlation of losses after some steps with final costs.
pub struct ProxyRank;

impl Plot for ProxyRank {
    fn name(&self) -> &'static str {
        "proxy-rank"
    }

    fn question(&self, _: &Analysis) -> String {
        "What does a fitness know of a start?".into()
    }

    fn reading(&self) -> &'static str {
        "Each small dot is one seed: Spearman's correlation between the loss of its starts after so many steps and what they \
         cost in the end. The large dot is the mean with its interval. At 1 the fitness ranks starts as they turn out, at 0 it \
         says nothing of them, and a search by it chooses by luck. Below, what the fitness takes for one start."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        !analysis.findings.audit.is_empty()
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let ranks = &analysis.findings.audit;
        let starts = ranks.first().map_or(0, |rank| rank.starts);
        let caption = format!("{starts} starts of {} at each of {}.", ranks[0].arm, seeds_caption(analysis));
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &[]);
        let names = ranks.iter().map(|rank| format!("{}: {}", rank.steps, amount(rank.price))).collect();
        let lowest = ranks.iter().flat_map(|rank| &rank.seeds).map(|(_, x)| *x).fold(0.0, f64::min);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let across = Axis::categories(names, "optimizer steps of the fitness: its row-passes for one start");
        let up = Axis::between((lowest - 0.1).max(-1.0), 1.0, "rank correlation with the final cost");
        let panel = Panel::new(figure, body, across, up);
        let (left, right) = (panel.x(-0.5), panel.x(ranks.len() as f64 - 0.5));
        figure.line(vec![(left, panel.y(0.0)), (right, panel.y(0.0))], Stroke::solid(Ink::Text, 1.0).faint(0.5));
        figure.remark((right - 4.0, panel.y(0.0) - 6.0), "chance", 11.0, Anchor::End);
        let mut numbers = Numbers::new(&["steps", "row_passes", "seed", "correlation", "low", "high"]);
        let style = Style::of(0);
        for (place, rank) in ranks.iter().enumerate() {
            let count = rank.seeds.len().max(1) as f64;
            for (index, (seed, correlation)) in rank.seeds.iter().enumerate() {
                let aside = 0.28 * ((index as f64 + 0.5) / count - 0.5);
                style.dot(figure, (panel.x(place as f64 + aside), panel.y(*correlation)), 2.5, 0.45);
                numbers.row(&[&rank.steps.to_string()], &[rank.price, *seed as f64, *correlation, f64::NAN, f64::NAN]);
            }
            let Some(mean) = rank.correlation else { continue };
            let x = panel.x(place as f64 + 0.25);
            if let Some(range) = mean.interval {
                figure.line(vec![(x, panel.y(range.low)), (x, panel.y(range.high))], style.stroke(2.0));
            }
            style.dot(figure, (x, panel.y(mean.value)), 5.0, 1.0);
            let range = mean.interval.map_or((f64::NAN, f64::NAN), |range| (range.low, range.high));
            numbers.row(&[&rank.steps.to_string()], &[rank.price, f64::NAN, mean.value, range.0, range.1]);
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
