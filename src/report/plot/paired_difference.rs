//! Which seeds got better: the pairs that the verdict is made of.

use super::generations::tiles;
use super::{Drawing, Numbers, Plot};
use crate::experiment::config::Metric;
use crate::report::analysis::{Analysis, Run};
use crate::report::figure::{Anchor, Axis, Entry, Ink, Panel, Rect, Sheet, Stroke, Style};
use crate::report::findings::{Compared, paired};
use crate::report::number::{percent, ratio, short};
use crate::report::targets::{cost_or_infinity, cost_to};

/// More panels than these cannot be read.
const MOST: usize = 9;

/// Candidate against control, seed by seed.
pub struct PairedDifference;

impl Plot for PairedDifference {
    fn name(&self) -> &'static str {
        "paired-difference"
    }

    fn question(&self, _: &Analysis) -> String {
        "Which seeds got better?".into()
    }

    fn reading(&self) -> &'static str {
        "One bar a seed, sorted: below the line of no difference the first-named arm did better on that seed. The dashed \
         line is the estimate of the verdict with its interval. Bars that reach an edge stand for pairs of which one \
         side never got there."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.findings.deciding_verdicts().any(|compared| compared.verdict.pairs > 0)
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let findings = &analysis.findings;
        let list: Vec<(&Compared, Vec<(u64, f64)>)> = findings
            .deciding_verdicts()
            .filter(|compared| compared.verdict.pairs > 0)
            .take(MOST)
            .map(|compared| (compared, pairs(analysis, compared)))
            .collect();
        let costs = findings.metric == Metric::BudgetToTarget;
        let what = match (findings.metric, findings.deciding) {
            (Metric::BudgetToTarget, Some(deciding)) => {
                format!("Ratio of the costs to reach a training loss of {}", short(findings.targets[deciding].loss))
            }
            (Metric::FinalTestLoss, _) => "Difference of final test losses".into(),
            _ => "Difference of final training losses".into(),
        };
        let caption = format!("{what}, arm against control on the same seed; seeds sorted.");
        let legend = [
            Entry::patch(Ink::Colour(BETTER), 0.85, "arm better"),
            Entry::patch(Ink::Colour(WORSE), 0.85, "arm worse"),
            Entry::patch(Ink::Text, 0.12, format!("estimate with {} interval", percent(findings.confidence))),
        ];
        let height = 450.0 + 230.0 * (list.len().div_ceil(3).max(1) - 1) as f64;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let zero = if costs { 1.0 } else { 0.0 };
        let ends = list.iter().flat_map(|(compared, pairs)| {
            let limits = [compared.verdict.low, compared.verdict.high].into_iter().flatten();
            pairs.iter().map(|pair| pair.1).chain(limits).chain([zero])
        });
        let y = if costs { Axis::logarithmic(ends, "cost ratio") } else { Axis::linear(ends, "difference") };
        let mut numbers = Numbers::new(&["arm", "control", "seed", if costs { "ratio" } else { "difference" }]);
        let figure = &mut sheet.figure;
        for ((compared, pairs), outer) in list.iter().zip(tiles(sheet.body, list.len())) {
            let verdict = &compared.verdict;
            let number = if costs { ratio } else { short };
            let estimate = verdict.estimate.map_or(String::new(), |x| format!(": {}", number(x).replace('-', "−")));
            let head = format!("{} against {}{estimate}", compared.arm, compared.control);
            let head = crate::report::figure::shortened(&head, 12.5, outer.right - outer.left - 30.0);
            figure.text(((outer.left + outer.right) / 2.0, outer.top + 6.0), head, 12.5, Anchor::Middle);
            let outer = Rect { top: outer.top + 16.0, ..outer };
            let x = Axis::between(0.0, pairs.len() as f64, "seeds").bare();
            let panel = Panel::new(figure, outer, x, y.clone());
            let inner = panel.inner;
            let (low, high) = (verdict.low.map(|low| panel.y(low)), verdict.high.map(|high| panel.y(high)));
            if low.is_some() || high.is_some() {
                // An end that the data do not bound lies on the edge.
                let (low, high) = (low.unwrap_or(inner.bottom), high.unwrap_or(inner.top));
                figure.rectangle((inner.left, low), (inner.right, high), Ink::Text, 0.12);
            }
            for (place, (seed, value)) in pairs.iter().enumerate() {
                let ink = Ink::Colour(if *value < zero { BETTER } else { WORSE });
                let (left, right) = (panel.x(place as f64 + 0.15), panel.x(place as f64 + 0.85));
                if value.is_nan() || *value == zero {
                    let middle = panel.y(zero);
                    figure.rectangle((left, middle - 1.5), (right, middle + 1.5), Ink::Text, 0.4);
                } else {
                    figure.rectangle((left, panel.y(zero)), (right, panel.y(*value)), ink, 0.85);
                }
                numbers.row(&[&compared.arm, &compared.control, &seed.to_string()], &[*value]);
            }
            let whole = pairs.len() as f64;
            panel.line(figure, &[(0.0, zero), (whole, zero)], Stroke::solid(Ink::Text, 1.2));
            if let Some(estimate) = verdict.estimate {
                let dash = Style::of(1).dash;
                panel.line(
                    figure,
                    &[(0.0, estimate), (whole, estimate)],
                    Stroke { dash, ..Stroke::solid(Ink::Text, 1.6) },
                );
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

const BETTER: (u8, u8, u8) = (0, 114, 178);
const WORSE: (u8, u8, u8) = (213, 94, 0);

/// Seeds with their ratios or differences, sorted; NaN where both sides failed, infinite where one did.
fn pairs(analysis: &Analysis, compared: &Compared) -> Vec<(u64, f64)> {
    let find = |name: &str| analysis.arms.iter().find(|arm| arm.name == name);
    let (Some(arm), Some(control)) = (find(&compared.arm), find(&compared.control)) else { return Vec::new() };
    let test = analysis.findings.metric == Metric::FinalTestLoss;
    let loss = |run: &Run| if test { run.result.test_loss } else { run.result.train_loss }.unwrap_or(f64::INFINITY);
    let value = |run: &Run, other: &Run| match compared.target {
        Some(target) => cost_or_infinity(cost_to(run, target)) / cost_or_infinity(cost_to(other, target)),
        None => loss(run) - loss(other),
    };
    let mut pairs: Vec<(u64, f64)> =
        paired(arm, control).into_iter().map(|(run, other)| (run.result.seed, value(run, other))).collect();
    pairs.sort_by(|a, b| a.1.total_cmp(&b.1));
    pairs
}
