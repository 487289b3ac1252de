//! How much each arm depends on the trainer.

use crate::report::figure::{Axis, Entry, Panel, Sheet, Style};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::suite::{SuiteAnalysis, TrainerUse};

/// Cost of every arm under every trainer, relative to its best one.
pub struct Trainers;

impl Plot<SuiteAnalysis> for Trainers {
    fn name(&self) -> &'static str {
        "trainers"
    }

    fn question(&self, _: &SuiteAnalysis) -> String {
        "What does a wrong learning rate cost?".into()
    }

    fn reading(&self) -> &'static str {
        "Cost of each arm under each trainer, relative to its best trainer of each task: geometric means over the tasks that \
         it solved with that trainer. A flat line near 1 is an arm that does not depend on the choice."
    }

    fn applies(&self, analysis: &SuiteAnalysis) -> bool {
        analysis.findings.trainers.iter().any(|one| one.ratio.is_finite())
    }

    fn draw(&self, analysis: &SuiteAnalysis) -> Drawing {
        let arms = &analysis.suite.arms;
        // By name, so that learning rates stand in order, whichever of them the pilot needs first.
        let mut trainers: Vec<&str> = analysis.suite.trainers.iter().map(|trainer| trainer.name.as_str()).collect();
        trainers.sort_unstable();
        let legend: Vec<Entry> =
            arms.iter().enumerate().map(|(place, arm)| Entry::line(place, arm.name.as_str())).collect();
        let caption = "From the selection, at the deciding target.";
        let mut sheet = Sheet::new(&self.question(analysis), caption, &legend);
        let list = &analysis.findings.trainers;
        let x = Axis::categories(trainers.iter().map(ToString::to_string).collect(), "trainer");
        let ratios = list.iter().map(|one| one.ratio).filter(|ratio| ratio.is_finite());
        let y = Axis::logarithmic(ratios.chain([1.0, 2.0]), "cost, relative to the best trainer");
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, body, x, y);
        let mut numbers = Numbers::new(&["arm", "trainer", "ratio", "unsolved"]);
        for (place, arm) in arms.iter().enumerate() {
            let place_of = |one: &TrainerUse| trainers.iter().position(|name| *name == one.trainer).unwrap_or(0);
            let own = list.iter().filter(|one| one.arm == arm.name.as_str());
            let mut points: Vec<(f64, f64)> = own.map(|one| (place_of(one) as f64, one.ratio)).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            panel.line(figure, &points, Style::of(place).stroke(1.8));
            for point in points.iter().filter(|point| point.1.is_finite()) {
                Style::of(place).dot(figure, panel.at(*point), 3.4, 1.0);
            }
        }
        for one in list {
            numbers.row(&[&one.arm, &one.trainer], &[one.ratio, one.unsolved as f64]);
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
