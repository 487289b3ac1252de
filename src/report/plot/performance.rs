//! Training and validation loss epoch by epoch, and what was deployed.

use super::parts::{first_runs, grid, ink, legend};
use super::{Drawing, Numbers, Plot};
use crate::experiment::record::{HistoryRow, Phase};
use crate::report::analysis::{Analysis, Run};
use crate::report::figure::{Anchor, Axis, Ink, Panel, Rect, Sheet, Stroke, shortened};
use crate::report::number::short;

/// Losses of the first seed's runs over epochs.
pub struct Performance;

impl Plot for Performance {
    fn name(&self) -> &'static str {
        "performance"
    }

    fn question(&self, _: &Analysis) -> String {
        "When was it best on rows that it did not train on?".into()
    }

    fn reading(&self) -> &'static str {
        "Training goes on while validation rows gain from it; where their loss turns upwards, rows are learned by heart. The \
         upright line is the epoch whose weights are deployed, and the dot on it their loss on test rows, which are looked at \
         only then."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        first_runs(analysis).iter().any(|(_, _, run)| {
            let watched = |row: &&HistoryRow| row.validation_loss.is_some() && row.phase == Phase::Train;
            run.history.iter().filter(watched).count() > 1
        })
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let runs = first_runs(analysis);
        let seed = runs.first().map_or(0, |(_, _, run)| run.result.seed);
        let has_test = runs.iter().any(|(_, _, run)| run.result.test_loss.is_some());
        let caption =
            format!("Seed {seed}. Looks at the runs on the report's grid of costs; a search comes before epoch 0.");
        let (height, places) = grid(runs.len());
        let shown = legend(if has_test { 0..3 } else { 0..2 });
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &shown);
        let mut numbers = Numbers::new(&["arm", "part", "epoch", "loss"]);
        let losses = runs.iter().flat_map(|(_, _, run)| {
            let looks = trained(run).flat_map(|row| [row.train_loss, row.validation_loss]);
            looks.chain([run.result.start_loss, run.result.test_loss]).flatten()
        });
        let y = Axis::logarithmic(losses, "loss");
        let tiles = places(sheet.body);
        let figure = &mut sheet.figure;
        for ((_, arm, run), outer) in runs.iter().zip(tiles) {
            let best = run.history.iter().find(|row| row.cost == run.result.deployed_cost).map(|row| row.epoch);
            let head = match (best, run.result.validation_loss) {
                (Some(epoch), Some(loss)) => format!("best {} at epoch {}", short(loss), short(epoch)),
                _ => String::new(),
            };
            let head = format!("{}: {head}", shortened(&arm.name, 12.0, 0.4 * (outer.right - outer.left)));
            figure.text((0.5 * (outer.left + outer.right), outer.top + 8.0), head, 12.0, Anchor::Middle);
            let outer = Rect { top: outer.top + 15.0, ..outer };
            let x = Axis::linear(trained(run).map(|row| row.epoch).chain([0.0]), "epoch");
            let panel = Panel::new(figure, outer, x, y.clone());
            if let Some(epoch) = best {
                let (low, high) = y.range();
                let dash: &[f64] = &[4.0, 4.0];
                panel.line(figure, &[(epoch, low), (epoch, high)], Stroke { dash, ..Stroke::solid(Ink::Text, 1.0) });
            }
            let columns: [fn(&HistoryRow) -> Option<f64>; 2] = [|row| row.train_loss, |row| row.validation_loss];
            for (part, loss) in columns.iter().enumerate() {
                let start = run.result.start_loss.filter(|_| part == 0).map(|loss| (0.0, loss));
                let looks = trained(run).map(|row| (row.epoch, loss(row).unwrap_or(f64::NAN)));
                let line: Vec<(f64, f64)> = start.into_iter().chain(looks).collect();
                let dash: &[f64] = if part == 0 { &[] } else { &[7.0, 3.0] };
                panel.line(figure, &line, Stroke { dash, ..Stroke::solid(ink(part), 2.0) });
                for (epoch, loss) in line {
                    numbers.row(&[&arm.name, super::parts::PARTS[part]], &[epoch, loss]);
                }
            }
            if let (Some(epoch), Some(loss)) = (best, run.result.test_loss) {
                figure.circle(panel.at((epoch, loss)), 4.5, ink(2), 1.0);
                numbers.row(&[&arm.name, super::parts::PARTS[2]], &[epoch, loss]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Looks at a run from the end of its search on.
fn trained(run: &Run) -> impl Iterator<Item = &HistoryRow> {
    run.history.iter().filter(|row| row.phase == Phase::Train)
}
