//! Shares of tasks, targets and seeds solved within a budget.

use crate::experiment::suite::Contender;
use crate::math::statistics::{Ecdf, Outcome};
use crate::report::figure::{Axis, Entry, Panel, Sheet, Style, Ticks};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::suite::SuiteAnalysis;

/// Empirical distribution of costs over all triples of task, target and seed (after Hansen et al. 2021, COCO).
pub struct Solved;

impl Plot<SuiteAnalysis> for Solved {
    fn name(&self) -> &'static str {
        "ecdf"
    }

    fn question(&self, _: &SuiteAnalysis) -> String {
        "What share of tasks, targets and seeds is solved by a budget?".into()
    }

    fn reading(&self) -> &'static str {
        "Each step is one seed reaching one target of one task; further up and further left is better. The controls are the \
         ones that were cheapest in the selection, task by task, except for the single classic."
    }

    fn applies(&self, analysis: &SuiteAnalysis) -> bool {
        analysis.costs.values().flatten().any(|(_, outcome)| matches!(outcome, Outcome::Reached(_)))
    }

    fn draw(&self, analysis: &SuiteAnalysis) -> Drawing {
        let arms = &analysis.suite.arms;
        let single = analysis.findings.finalists.iter().find(|finalist| finalist.stands_for == "single classic");
        let single = single.map_or(String::new(), |finalist| format!(" ({})", finalist.arm));
        let mut contenders: Vec<(Contender, String)> =
            analysis.candidates().iter().map(|(arm, name)| (Contender::Candidate(*arm), name.to_string())).collect();
        contenders.push((Contender::BestControl, "best control of each task".into()));
        contenders.push((Contender::BestClassic, "best classic of each task".into()));
        contenders.push((Contender::SingleClassic, format!("single classic{single}")));
        let costs = |contender: Contender| -> Vec<Option<f64>> {
            let (tasks, targets) = (analysis.suite.tasks.len(), analysis.suite.pilot.passes.len());
            let cells = (0..tasks).flat_map(|task| (0..targets).map(move |target| (contender, task, target)));
            let runs = cells.filter_map(|cell| analysis.costs.get(&cell)).flatten();
            runs.map(|(_, outcome)| match outcome {
                Outcome::Reached(cost) => Some(*cost),
                Outcome::Censored(_) => None,
            })
            .collect()
        };
        let curves: Vec<(String, Vec<Option<f64>>)> = contenders
            .into_iter()
            .map(|(contender, name)| (name, costs(contender)))
            .filter(|(_, costs)| !costs.is_empty())
            .collect();
        let legend: Vec<Entry> = curves.iter().enumerate().map(|(place, curve)| Entry::line(place, &curve.0)).collect();
        let caption = format!(
            "{} arms took part; {} tasks, {} seeds each.",
            arms.len(),
            analysis.suite.tasks.len(),
            analysis.suite.seeds.to_vec().len()
        );
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let reached = curves.iter().flat_map(|curve| &curve.1).flatten().copied();
        let x = Axis::logarithmic(reached, "training passes, search included").written(Ticks::Amounts);
        let (low, high) = x.range();
        let y = Axis::between(0.0, 1.0, "share solved").written(Ticks::Percent).to(1.02);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, body, x, y);
        let mut numbers = Numbers::new(&["contender", "passes", "share"]);
        for (place, (name, costs)) in curves.iter().enumerate() {
            let curve = Ecdf::new(costs);
            let mut steps = vec![(low, 0.0)];
            steps.extend(&curve.steps);
            steps.push((high, curve.at(high)));
            panel.steps(figure, &steps, Style::of(place).stroke(2.0));
            curve.steps.iter().for_each(|(cost, share)| numbers.row(&[name], &[*cost, *share]));
            let cost = panel.x_axis().value((0.55 + 0.06 * place as f64).min(0.98));
            Style::of(place).dot(figure, panel.at((cost, curve.at(cost))), 3.6, 1.0);
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
