//! Which classes are taken for which.

use super::{Drawing, Numbers, Plot};
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Anchor, Ink, Rect, Sheet, heat, shortened};

/// More classes than these leave no room for numbers.
const MOST_CLASSES: usize = 12;
const MOST_ARMS: usize = 9;

/// Counts of true and predicted classes.
pub struct Confusion;

impl Plot for Confusion {
    fn name(&self) -> &'static str {
        "confusion"
    }

    fn question(&self, _: &Analysis) -> String {
        "Which classes are taken for which?".into()
    }

    fn reading(&self) -> &'static str {
        "Rows are true classes, columns what the network says; numbers count rows of the data. What stands off the \
         diagonal was taken for another class."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.experiment.task.is_classification()
            && analysis.manifest.targets.len() <= MOST_CLASSES
            && analysis.arms.iter().any(|arm| !arm.predictions.is_empty())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<&Arm> = analysis.arms.iter().filter(|arm| !arm.predictions.is_empty()).take(MOST_ARMS).collect();
        let names = &analysis.manifest.targets;
        let has = |part: &str| arms.iter().flat_map(|arm| &arm.predictions).any(|row| row.part == part);
        let part = if has("test") { "test" } else { "training" };
        let seed = arms.first().and_then(|arm| arm.predictions.first()).map_or(0, |row| row.seed);
        let caption = format!("{part} rows under the deployed weights of seed {seed}: true class by predicted class.");
        let caption = caption[..1].to_uppercase() + &caption[1..];
        let columns = arms.len().clamp(1, 3);
        let blocks = arms.len().div_ceil(columns);
        let height = 80.0 + blocks as f64 * 290.0;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &[]);
        let mut numbers = Numbers::new(&["arm", "true", "predicted", "rows"]);
        let tiles = sheet.body.rows(blocks, 16.0).into_iter().flat_map(|row| row.columns(columns, 20.0));
        let figure = &mut sheet.figure;
        for (arm, tile) in arms.iter().zip(tiles) {
            let counts = counts(arm, part, names.len());
            let head = shortened(&arm.name, 12.5, tile.right - tile.left);
            figure.text(((tile.left + tile.right) / 2.0, tile.top + 8.0), head, 12.5, Anchor::Middle);
            let label = 66.0;
            let cells =
                Rect { left: tile.left + label, top: tile.top + 34.0, right: tile.right, bottom: tile.bottom - 4.0 };
            for (truth, line) in cells.rows(names.len(), 2.0).into_iter().enumerate() {
                let middle = (line.top + line.bottom) / 2.0 + 4.0;
                let name = shortened(&names[truth], 11.0, label - 8.0);
                figure.text((cells.left - 6.0, middle), name, 11.0, Anchor::End);
                let total: usize = counts[truth].iter().sum();
                for (predicted, cell) in line.columns(names.len(), 2.0).into_iter().enumerate() {
                    let count = counts[truth][predicted];
                    let share = count as f64 / total.max(1) as f64;
                    let ink = Ink::Colour(heat(0.75 * share));
                    figure.rectangle((cell.left, cell.top), (cell.right, cell.bottom), ink, 0.55);
                    figure.text(((cell.left + cell.right) / 2.0, middle), count.to_string(), 11.5, Anchor::Middle);
                    numbers.row(&[&arm.name, &names[truth], &names[predicted]], &[count as f64]);
                }
            }
            for (name, column) in names.iter().zip(cells.columns(names.len(), 2.0)) {
                let name = shortened(name, 11.0, column.right - column.left);
                figure.text(((column.left + column.right) / 2.0, cells.top - 6.0), name, 11.0, Anchor::Middle);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Rows of the part by true and predicted class.
fn counts(arm: &Arm, part: &str, classes: usize) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; classes]; classes];
    for row in arm.predictions.iter().filter(|row| row.part == part) {
        let cell = counts.get_mut(row.target as usize).and_then(|line| line.get_mut(row.predicted as usize));
        if let Some(count) = cell {
            *count += 1;
        }
    }
    counts
}
