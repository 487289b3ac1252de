//! The same in seconds, for those who pay by the hour.

use super::{Drawing, Plot, curve, seeds_caption};
use crate::report::analysis::Analysis;
use crate::report::figure::{Axis, Panel, Sheet};
use crate::report::number::percent;

/// Best training loss over seconds.
pub struct ConvergenceTime;

impl Plot for ConvergenceTime {
    fn name(&self) -> &'static str {
        "convergence-time"
    }

    fn question(&self, _: &Analysis) -> String {
        "Does the search pay for itself in seconds?".into()
    }

    fn reading(&self) -> &'static str {
        "As the plot over the budget, with time in place of cost. Seconds depend on the machine and on what else it did; \
         they are not the same again, and no verdict rests on them."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let runs = || analysis.arms.iter().flat_map(|arm| &arm.runs);
        runs().flat_map(|run| &run.history).filter(|row| row.seconds > 0.0).count() > 1
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let curves = curve::curves(analysis, |row| Some(row.seconds).filter(|s| *s > 0.0), |row| row.best_train_loss);
        let manifest = &analysis.manifest;
        let caption = format!(
            "{}, {} threads; not reproducible bit for bit. Median of {} with {} bootstrap interval.{}",
            manifest.processor,
            manifest.threads,
            seeds_caption(analysis),
            percent(analysis.findings.confidence),
            curve::zero_caption(&curves)
        );
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &curve::legend(analysis, &curves));
        let seconds = curves.iter().flat_map(|curve| &curve.summary).map(|point| point[0]);
        let x = Axis::logarithmic(seconds, "seconds, search included");
        let panel =
            Panel::new(&mut sheet.figure, sheet.body, x, curve::loss_axis(&curves, "best training loss so far"));
        curve::draw(&mut sheet.figure, &panel, &curves);
        Drawing { numbers: curve::numbers(analysis, &curves, "seconds"), figure: sheet.figure }
    }
}
