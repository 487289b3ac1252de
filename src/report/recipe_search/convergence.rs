//! Whether the searches get anywhere, and whether they agree.

use super::RecipeAnalysis;
use crate::report::figure::{Axis, Entry, Ink, Panel, Sheet, Stroke, Style, Ticks};
use crate::report::plot::{Drawing, Numbers, Plot};

/// Scores of all searches over their generations.
pub struct Convergence;

impl Plot<RecipeAnalysis> for Convergence {
    fn name(&self) -> &'static str {
        "convergence"
    }

    fn question(&self, _: &RecipeAnalysis) -> String {
        "Do the searches get anywhere, and do they agree?".into()
    }

    fn reading(&self) -> &'static str {
        "Lines: mean cost of a generation's recipes by that of the control, on seeds that no other generation has; dots: its \
         best recipe, which luck favours. Lower is better, 1 is the control. The dashed line is the start at the validation \
         seeds; searches that end at one height agree on what can be gained, if not on the numbers."
    }

    fn applies(&self, analysis: &RecipeAnalysis) -> bool {
        analysis.tables.search.iter().any(|row| row.mean.is_finite())
    }

    fn draw(&self, analysis: &RecipeAnalysis) -> Drawing {
        let searches: Vec<_> = analysis.searches().collect();
        let legend: Vec<Entry> = searches
            .iter()
            .enumerate()
            .filter_map(|(place, rows)| Some(Entry::line(place, format!("search {}", rows.first()?.search))))
            .collect();
        let tasks = analysis.document.tasks.len();
        let caption = format!("Geometric means over {tasks} training tasks, their trainers and targets.");
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let start = analysis.start().map(|row| libm::exp(row.score));
        let rows = &analysis.tables.search;
        let values = rows.iter().flat_map(|row| [libm::exp(row.mean), libm::exp(row.best)]).chain(start).chain([1.0]);
        let last = rows.iter().map(|row| row.generation).max().unwrap_or(1).max(2);
        let x = Axis::between(1.0, last as f64, "generation").written(Ticks::Counts);
        let y =
            Axis::logarithmic(values.filter(|x| x.is_finite()), format!("cost, relative to {}", analysis.control()));
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, body, x, y);
        if let Some(start) = start {
            let dashed = Stroke { dash: &[6.0, 4.0], ..Stroke::solid(Ink::Text, 1.2) };
            panel.line(figure, &[(1.0, start), (last as f64, start)], dashed);
        }
        let mut numbers = Numbers::new(&["search", "generation", "mean", "best"]);
        for (place, rows) in searches.iter().enumerate() {
            let line: Vec<(f64, f64)> = rows.iter().map(|row| (row.generation as f64, libm::exp(row.mean))).collect();
            panel.line(figure, &line, Style::of(place).stroke(1.8));
            for row in rows {
                Style::of(place).dot(figure, panel.at((row.generation as f64, libm::exp(row.best))), 2.2, 0.6);
                numbers.row(
                    &[&row.search.to_string()],
                    &[row.generation as f64, libm::exp(row.mean), libm::exp(row.best)],
                );
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
