//! Whether fitness predicts the final result.

use super::generations::{height, tiles};
use super::{Drawing, Numbers, Plot};
use crate::math::statistics::spearman;
use crate::report::analysis::{Analysis, Run};
use crate::report::figure::{Anchor, Axis, Panel, Rect, Sheet, Style, shortened};
use crate::report::number::percent;

/// Fitness at selection against the loss after training, seed by seed.
pub struct SearchVersusTraining;

impl Plot for SearchVersusTraining {
    fn name(&self) -> &'static str {
        "search-vs-training"
    }

    fn question(&self, _: &Analysis) -> String {
        "Does fitness predict the final result?".into()
    }

    fn reading(&self) -> &'static str {
        "Each dot is one seed. A search can only help if starts of better fitness also end better: dots that rise to the \
         right. ρ is Spearman's rank correlation; an interval that holds 0 means that fitness, as measured here, says \
         nothing certain about the end."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.arms.iter().any(|arm| arm.runs.iter().filter_map(pair).count() > 2)
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let pairs = analysis.arms.iter().map(|arm| arm.runs.iter().filter_map(pair).collect::<Vec<_>>());
        let arms: Vec<(usize, Vec<Pair>)> = pairs.enumerate().filter(|(_, pairs)| pairs.len() > 2).collect();
        let confidence = analysis.findings.confidence;
        let caption = format!(
            "Fitness by which the start was chosen, and training loss of the deployed weights; ρ with {} interval.",
            percent(confidence)
        );
        let mut sheet = Sheet::sized(760.0, height(arms.len()), &self.question(analysis), &caption, &[]);
        let y = Axis::logarithmic(arms.iter().flat_map(|arm| &arm.1).map(|pair| pair.2), "final training loss");
        let mut numbers = Numbers::new(&["arm", "seed", "fitness", "train_loss"]);
        let figure = &mut sheet.figure;
        for ((place, pairs), outer) in arms.iter().zip(tiles(sheet.body, arms.len())) {
            let name = &analysis.arms[*place].name;
            let values: Vec<(f64, f64)> = pairs.iter().map(|pair| (pair.1, pair.2)).collect();
            let rho = match spearman(&values, confidence) {
                Some(found) => {
                    let interval = found.interval.map(|found| format!(" [{:.2}, {:.2}]", found.low, found.high));
                    format!("ρ = {:.2}{}", found.rho, interval.unwrap_or_default())
                }
                None => "ρ undefined".into(),
            };
            let middle = (outer.left + outer.right) / 2.0;
            let name_shown = shortened(name, 12.5, outer.right - outer.left - 20.0);
            figure.text((middle, outer.top + 4.0), name_shown, 12.5, Anchor::Middle);
            figure.remark((middle, outer.top + 20.0), rho.replace('-', "−"), 11.5, Anchor::Middle);
            let outer = Rect { top: outer.top + 30.0, ..outer };
            let x = Axis::linear(values.iter().map(|pair| pair.0), "fitness at selection");
            let panel = Panel::new(figure, outer, x, y.clone());
            for (seed, fitness, loss) in pairs {
                Style::of(*place).dot(figure, panel.at((*fitness, *loss)), 4.0, 0.7);
                numbers.row(&[name, &seed.to_string()], &[*fitness, *loss]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Seed, fitness at selection, final training loss.
type Pair = (u64, f64, f64);

fn pair(run: &Run) -> Option<Pair> {
    Some((run.result.seed, run.result.selection_fitness?, run.result.train_loss?))
}
