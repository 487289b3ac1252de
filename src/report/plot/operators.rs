//! Whether variation finds anything.

use super::generations::{draw_lines, searching};
use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::report::analysis::Analysis;
use crate::report::figure::{Axis, Entry, Sheet, Ticks};

/// Share of children better than their parent, and the scale of mutation.
pub struct Operators;

impl Plot for Operators {
    fn name(&self) -> &'static str {
        "operators"
    }

    fn question(&self, _: &Analysis) -> String {
        "Do children improve on their parents?".into()
    }

    fn reading(&self) -> &'static str {
        "Left, the share of children that are better than their first parent: about a fifth is what step-size rules aim \
         at, near zero means that steps are too large or nothing is left to find. Right, the factor on mutation steps."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let runs = || analysis.arms.iter().flat_map(|arm| &arm.runs);
        runs().flat_map(|run| &run.generations).any(|row| row.improved.is_some())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms = searching(analysis);
        let caption = format!(
            "Median over {} of each generation; the band holds the middle half of the seeds.",
            seeds_caption(analysis)
        );
        let legend: Vec<Entry> = arms.iter().map(|(place, arm)| Entry::line(*place, &arm.name)).collect();
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let rows = || arms.iter().flat_map(|(_, arm)| &arm.runs).flat_map(|run| &run.generations);
        let highest = rows().map(|row| row.scale).fold(1.0, f64::max);
        let lowest = rows().map(|row| row.scale).fold(1.0, f64::min);
        let mut numbers = Numbers::new(&["arm", "quantity", "generation", "median", "q25", "q75"]);
        let halves = sheet.body.columns(2, 22.0);
        let improved = Axis::between(0.0, 1.0, "share of improved children").written(Ticks::Percent);
        draw_lines(&mut sheet.figure, halves[0], improved, analysis, &mut numbers, "improved", |row| row.improved);
        // Factors over more than a decade are products, not sums.
        let scale = if lowest > 0.0 && highest / lowest > 10.0 {
            Axis::logarithmic([lowest, highest], "scale of mutation")
        } else {
            Axis::between(0.0, 1.1 * highest, "scale of mutation")
        };
        draw_lines(&mut sheet.figure, halves[1], scale, analysis, &mut numbers, "scale", |row| Some(row.scale));
        Drawing { figure: sheet.figure, numbers }
    }
}
