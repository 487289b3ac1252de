//! Whether evolution works.

use super::generations::{height, last_generation, over_seeds, searching, tiles};
use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::report::analysis::Analysis;
use crate::report::figure::{Anchor, Axis, Entry, Panel, Rect, Sample, Sheet, Stroke, Style, Ticks};

/// Fitness of the population over generations.
pub struct Fitness;

const DOTTED: &[f64] = &[2.0, 3.0];
const DASHED: &[f64] = &[7.0, 4.0];

impl Plot for Fitness {
    fn name(&self) -> &'static str {
        "fitness"
    }

    fn question(&self, _: &Analysis) -> String {
        "Is evolution working?".into()
    }

    fn reading(&self) -> &'static str {
        "Lower fitness is better. If evolution works, best and median fall together and the band stays open; a band \
         that closes early means that the population has become alike, a best line that stays flat that nothing is \
         found."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.arms.iter().any(|arm| arm.has_generations())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms = searching(analysis);
        let caption = format!(
            "Median over {} of what each generation tells; the band holds the middle 80% of the population.",
            seeds_caption(analysis)
        );
        let look = Style::of(arms.first().map_or(0, |arm| arm.0));
        let sample = |dash| Sample::Line(Style { dash, marker: crate::report::figure::Marker::None, ..look });
        let legend = [
            Entry { text: "best".into(), sample: sample(&[]) },
            Entry { text: "median".into(), sample: sample(DASHED) },
            Entry { text: "worst finite".into(), sample: sample(DOTTED) },
            Entry { text: "10–90% of individuals".into(), sample: Sample::Patch(look.ink, 0.22) },
        ];
        let mut sheet = Sheet::sized(760.0, height(arms.len()), &self.question(analysis), &caption, &legend);
        let rows = || arms.iter().flat_map(|(_, arm)| &arm.runs).flat_map(|run| &run.generations);
        let values = rows().flat_map(|row| [row.best, row.median, row.q90]).flatten();
        let y = Axis::logarithmic(values, "fitness (lower is better)");
        let mut numbers = Numbers::new(&["arm", "generation", "best", "median", "q10", "q90", "worst", "nonfinite"]);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        for ((place, arm), outer) in arms.iter().zip(tiles(body, arms.len())) {
            let nonfinite: u64 = arm.runs.iter().flat_map(|run| &run.generations).map(|row| row.nonfinite).sum();
            let head = match nonfinite {
                0 => arm.name.clone(),
                count => format!("{} ({count} individuals without a finite fitness)", arm.name),
            };
            figure.text(((outer.left + outer.right) / 2.0, outer.top + 6.0), head, 12.5, Anchor::Middle);
            let outer = Rect { top: outer.top + 16.0, ..outer };
            let x = Axis::between(0.0, last_generation(analysis), "generation").written(Ticks::Counts);
            let panel = Panel::new(figure, outer, x, y.clone());
            let ink = Style::of(*place).ink;
            let [best, median, q10, q90, worst] = [
                over_seeds(arm, |row| row.best),
                over_seeds(arm, |row| row.median),
                over_seeds(arm, |row| row.q10),
                over_seeds(arm, |row| row.q90),
                over_seeds(arm, |row| row.worst),
            ];
            let band: Vec<(f64, f64, f64)> =
                q10.iter().zip(&q90).map(|(low, high)| (low[0], low[1], high[1])).collect();
            panel.band(figure, &band, ink, 0.22);
            let line = |points: &[[f64; 4]]| points.iter().map(|point| (point[0], point[1])).collect::<Vec<_>>();
            let stroke = |dash, width| Stroke { dash, ..Stroke::solid(ink, width) };
            panel.line(figure, &line(&worst), stroke(DOTTED, 1.2));
            panel.line(figure, &line(&median), stroke(DASHED, 1.8));
            panel.line(figure, &line(&best), stroke(&[], 2.4));
            for (index, point) in best.iter().enumerate() {
                let at = |points: &[[f64; 4]]| points.get(index).map_or(f64::NAN, |point| point[1]);
                let generation = point[0] as u64;
                let rows = arm.runs.iter().flat_map(|run| &run.generations);
                let lost: u64 = rows.filter(|row| row.generation == generation).map(|row| row.nonfinite).sum();
                numbers
                    .row(&[&arm.name], &[point[0], point[1], at(&median), at(&q10), at(&q90), at(&worst), lost as f64]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
