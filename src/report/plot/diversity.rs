//! Whether the population has collapsed.

use super::generations::{draw_lines, searching};
use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::report::analysis::Analysis;
use crate::report::figure::{Axis, Entry, Sheet, Ticks};

/// Spread of the population's genes, and the share of different genomes.
pub struct Diversity;

impl Plot for Diversity {
    fn name(&self) -> &'static str {
        "diversity"
    }

    fn question(&self, _: &Analysis) -> String {
        "Has the population collapsed?".into()
    }

    fn reading(&self) -> &'static str {
        "Left, how far individuals lie from their mean, in spreads of each layer's weights; right, the share of genomes \
         that are not copies. Falling slowly is what selection does; near zero while fitness still falls means that \
         the search has stopped exploring."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.arms.iter().any(|arm| arm.has_generations())
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
        let highest = rows().filter_map(|row| row.diversity).fold(0.0, f64::max).max(1e-9);
        let mut numbers = Numbers::new(&["arm", "quantity", "generation", "median", "q25", "q75"]);
        let halves = sheet.body.columns(2, 22.0);
        let spread = Axis::between(0.0, 1.05 * highest, "distance from the mean genome");
        draw_lines(&mut sheet.figure, halves[0], spread, analysis, &mut numbers, "diversity", |row| row.diversity);
        let unique = Axis::between(0.0, 1.03, "share of different genomes").written(Ticks::Percent);
        draw_lines(&mut sheet.figure, halves[1], unique, analysis, &mut numbers, "unique", |row| row.unique);
        Drawing { figure: sheet.figure, numbers }
    }
}
