//! How the errors of predictions are spread.

use super::parts::{MOST_ARMS, PARTS, grid, has_values, ink, legend};
use super::{Drawing, Numbers, Plot};
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Anchor, Axis, Ink, Panel, Rect, Sheet, Stroke, Ticks, shortened};

/// Bins, as the classic plot has them.
const BINS: usize = 20;

/// Errors of the deployed weights, part upon part.
pub struct ErrorHistogram;

impl Plot for ErrorHistogram {
    fn name(&self) -> &'static str {
        "error-histogram"
    }

    fn question(&self, _: &Analysis) -> String {
        "How large are the errors?".into()
    }

    fn reading(&self) -> &'static str {
        "Errors are true minus predicted values, in the data's own units, under the deployed weights of the first seed. A \
         hill around 0 is noise; a second hill or a tail of test rows alone is something that was not learned."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        has_values(analysis)
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<&Arm> = analysis.arms.iter().filter(|arm| !arm.predictions.is_empty()).take(MOST_ARMS).collect();
        let rows = || arms.iter().flat_map(|arm| &arm.predictions);
        let seed = rows().next().map_or(0, |row| row.seed);
        let errors = || rows().map(|row| row.target - row.predicted).filter(|error| error.is_finite());
        let (mut low, mut high) = errors().fold((0.0_f64, 0.0_f64), |(low, high), e| (low.min(e), high.max(e)));
        if low == high {
            (low, high) = (-0.5, 0.5);
        }
        let width = (high - low) / BINS as f64;
        let parts = (0..3).filter(|part| rows().any(|row| row.part == PARTS[*part]));
        let caption = format!("Deployed weights of seed {seed}; {BINS} bins over the errors of all arms.");
        let (height, places) = grid(arms.len());
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend(parts));
        let mut numbers = Numbers::new(&["arm", "part", "error", "rows"]);
        let counts: Vec<[[usize; BINS]; 3]> = arms.iter().map(|arm| counts(arm, low, width)).collect();
        let total = |counts: &[[usize; BINS]; 3], bin: usize| counts.iter().map(|part| part[bin]).sum::<usize>();
        let highest = counts.iter().flat_map(|counts| (0..BINS).map(move |bin| total(counts, bin))).max().unwrap_or(1);
        let tiles = places(sheet.body);
        let figure = &mut sheet.figure;
        for ((arm, counts), outer) in arms.iter().zip(&counts).zip(tiles) {
            let head = shortened(&arm.name, 12.0, outer.right - outer.left);
            figure.text((0.5 * (outer.left + outer.right), outer.top + 8.0), head, 12.0, Anchor::Middle);
            let outer = Rect { top: outer.top + 15.0, ..outer };
            let y = Axis::between(0.0, 1.06 * highest as f64, "rows").written(Ticks::Counts);
            let air = 0.5 * width;
            let panel = Panel::new(figure, outer, Axis::between(low - air, high + air, "true − predicted"), y);
            for bin in 0..BINS {
                let left = low + bin as f64 * width;
                let mut below = 0;
                for (part, counts) in counts.iter().enumerate() {
                    let above = below + counts[bin];
                    if above > below {
                        let (from, to) = ((left + 0.06 * width, above as f64), (left + 0.94 * width, below as f64));
                        figure.rectangle(panel.at(from), panel.at(to), ink(part), 0.9);
                        numbers.row(&[&arm.name, PARTS[part]], &[left + 0.5 * width, counts[bin] as f64]);
                    }
                    below = above;
                }
            }
            let stroke = Stroke { dash: &[4.0, 3.0], ..Stroke::solid(Ink::Text, 1.2) };
            panel.line(figure, &[(0.0, 0.0), (0.0, 1.06 * highest as f64)], stroke);
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Rows of each part in each bin.
fn counts(arm: &Arm, low: f64, width: f64) -> [[usize; BINS]; 3] {
    let mut counts = [[0; BINS]; 3];
    for row in &arm.predictions {
        let error = row.target - row.predicted;
        if let (Some(part), true) = (PARTS.iter().position(|part| row.part == *part), error.is_finite()) {
            counts[part][(((error - low) / width) as usize).min(BINS - 1)] += 1;
        }
    }
    counts
}
