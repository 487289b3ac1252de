//! Gradient, damping and validation checks step by step.

use super::parts::first_runs;
use super::{Drawing, Numbers, Plot};
use crate::experiment::record::{HistoryRow, Phase};
use crate::report::analysis::Analysis;
use crate::report::figure::{Axis, Entry, Figure, Panel, Rect, Sheet, Ticks};

/// State of the first seed's trainings over steps.
pub struct TrainingState;

/// Name of a line of panels, and its value at a look.
type Quantity = (&'static str, fn(&HistoryRow) -> Option<f64>);

const QUANTITIES: [Quantity; 3] = [
    ("gradient norm", |row| row.gradient_norm),
    ("damping", |row| row.damping),
    ("validation checks", |row| row.validation_checks.map(|checks| checks as f64)),
];

impl Plot for TrainingState {
    fn name(&self) -> &'static str {
        "training-state"
    }

    fn question(&self, _: &Analysis) -> String {
        "Why did training end?".into()
    }

    fn reading(&self) -> &'static str {
        "A gradient near 0 is a valley's floor. A falling damping means steps that can be trusted far, a rising one that \
         no shorter step helps. Validation checks count epochs in a row without a new lowest validation loss; training ends \
         when patience is out."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let looks = || first_runs(analysis).into_iter().flat_map(|(_, _, run)| &run.history);
        looks().filter(|row| row.damping.is_some()).count() > 1
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let runs = first_runs(analysis);
        let seed = runs.first().map_or(0, |(_, _, run)| run.result.seed);
        let caption = format!("Seed {seed}, one line an arm; a step is one trial, good or not.");
        let legend: Vec<Entry> = runs.iter().map(|(place, arm, _)| Entry::line(*place, &arm.name)).collect();
        let looks = || runs.iter().flat_map(|(_, _, run)| &run.history).filter(|row| row.phase == Phase::Train);
        let shown: Vec<Quantity> =
            QUANTITIES.into_iter().filter(|(_, value)| looks().any(|row| value(row).is_some())).collect();
        let height = 110.0 + 180.0 * shown.len() as f64;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "quantity", "step", "value"]);
        let tiles = sheet.body.rows(shown.len(), 6.0);
        let figure = &mut sheet.figure;
        let axes: Vec<(Axis, Axis)> = shown
            .iter()
            .enumerate()
            .map(|(index, (name, value))| {
                let last = index + 1 == shown.len();
                let x = Axis::linear(looks().map(step).chain([0.0]), if last { "step" } else { "" });
                let values = looks().filter_map(value);
                let y = if name.contains("checks") {
                    Axis::linear(values.chain([0.0]), *name).from(0.0).written(Ticks::Counts)
                } else {
                    Axis::logarithmic(values, *name)
                };
                (x, y)
            })
            .collect();
        // Panels below each other begin at the same place, however wide their numbers are.
        let left = |outer: &Rect, (x, y): &(Axis, Axis), figure: &Figure| {
            Panel::new(&mut figure.clone(), *outer, x.clone(), y.clone()).inner.left
        };
        let begin = tiles.iter().zip(&axes).map(|(outer, axes)| left(outer, axes, figure)).fold(0.0, f64::max);
        for (((name, value), outer), axes) in shown.iter().zip(tiles).zip(axes) {
            let outer = Rect { left: outer.left + begin - left(&outer, &axes, figure), ..outer };
            let panel = Panel::new(figure, outer, axes.0, axes.1);
            for (place, arm, run) in &runs {
                let trained = run.history.iter().filter(|row| row.phase == Phase::Train);
                let line: Vec<(f64, f64)> = trained.map(|row| (step(row), value(row).unwrap_or(f64::NAN))).collect();
                panel.arm_line(figure, &line, *place, 1.8);
                for (step, value) in line {
                    numbers.row(&[&arm.name, name], &[step, value]);
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

fn step(row: &HistoryRow) -> f64 {
    row.step as f64
}
