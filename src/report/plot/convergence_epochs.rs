//! Learning per epoch, which is not what is paid for.

use super::{Drawing, Plot, curve, seeds_caption};
use crate::experiment::record::Phase;
use crate::report::analysis::Analysis;
use crate::report::figure::{Axis, Panel, Sheet};
use crate::report::number::percent;

/// Training loss over epochs of gradient descent.
pub struct ConvergenceEpochs;

impl Plot for ConvergenceEpochs {
    fn name(&self) -> &'static str {
        "convergence-epochs"
    }

    fn question(&self, _: &Analysis) -> String {
        "Does it learn faster per epoch? (not budget-fair)".into()
    }

    fn reading(&self) -> &'static str {
        "Epochs of gradient descent only: what a search cost before them is left out. A good start begins lower or falls \
         earlier here; whether it was worth its price stands in the plot over the budget."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let runs = || analysis.arms.iter().flat_map(|arm| &arm.runs);
        runs().flat_map(|run| &run.history).filter(|row| row.phase == Phase::Train && row.epoch > 0.0).count() > 1
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let epoch = |row: &crate::experiment::record::HistoryRow| {
            Some(row.epoch).filter(|epoch| row.phase == Phase::Train && *epoch > 0.0)
        };
        let curves = curve::curves(analysis, epoch, |row| row.train_loss);
        let caption = format!(
            "The search is left out. Median of {} with {} bootstrap interval; thin lines are single seeds.{}",
            seeds_caption(analysis),
            percent(analysis.findings.confidence),
            curve::zero_caption(&curves)
        );
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &curve::legend(analysis, &curves));
        let epochs = curves.iter().flat_map(|curve| &curve.summary).map(|point| point[0]);
        let x = Axis::logarithmic(epochs, "epochs of gradient descent");
        let panel = Panel::new(&mut sheet.figure, sheet.body, x, curve::loss_axis(&curves, "training loss"));
        curve::draw(&mut sheet.figure, &panel, &curves);
        Drawing { numbers: curve::numbers(analysis, &curves, "epoch"), figure: sheet.figure }
    }
}
