//! Where a candidate pays, task by task.

use crate::report::figure::{Anchor, Axis, Entry, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style};
use crate::report::number::ratio;
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::suite::page::seeds_text;
use crate::report::suite::{Compared, Standing, SuiteAnalysis};

/// Height of a task's line.
const LINE: f64 = 19.0;

/// Ratios of all candidates against the strongest control, a line a task.
pub struct Ratios;

impl Plot<SuiteAnalysis> for Ratios {
    fn name(&self) -> &'static str {
        "ratios"
    }

    fn question(&self, _: &SuiteAnalysis) -> String {
        "On which tasks does it pay, against the cheapest control of each?".into()
    }

    fn reading(&self) -> &'static str {
        "One line a task, sorted by the ratio of costs to the deciding target: left of the line at 1 the candidate is \
         cheaper. Bars are each comparison's own interval; an open dot is a difference that cannot be told, or is within \
         the margin (grey). At the bottom the geometric mean over all tasks."
    }

    fn applies(&self, analysis: &SuiteAnalysis) -> bool {
        !analysis.findings.comparisons.is_empty()
    }

    fn draw(&self, analysis: &SuiteAnalysis) -> Drawing {
        let findings = &analysis.findings;
        let candidates = analysis.candidates();
        let height = 190.0
            + LINE * (analysis.suite.tasks.len() + 2) as f64 * candidates.len() as f64
            + 70.0 * (candidates.len() - 1) as f64;
        let legend = [
            Entry::patch(Ink::Colour(BETTER), 0.9, "candidate better"),
            Entry::patch(Ink::Colour(WORSE), 0.9, "candidate worse"),
            Entry {
                text: "not told apart, or the same".into(),
                sample: Sample::Line(Style { ink: Ink::Text, ..Style::of(0) }),
            },
        ];
        let caption = format!("Ratios of costs at the deciding target; {}.", seeds_text(analysis));
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["candidate", "task", "control", "estimate", "low", "high"]);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let margin = analysis.suite.margin.ratio.get();
        for ((_, candidate), outer) in candidates.iter().zip(body.rows(candidates.len(), 14.0)) {
            let mut list: Vec<&Compared> =
                analysis.compared(candidate.as_str(), analysis.strongest(), findings.deciding).collect();
            let estimate = |one: &Compared| one.verdict.estimate.unwrap_or(one.ratio);
            list.sort_by(|a, b| estimate(a).total_cmp(&estimate(b)));
            let overall = findings.overall.iter().find(|one| {
                (one.candidate.as_str(), one.against, one.target)
                    == (candidate.as_str(), analysis.strongest(), findings.deciding)
            });
            let ends = list.iter().flat_map(|one| [one.verdict.low, one.verdict.high, Some(estimate(one))]).flatten();
            let ends = ends.filter(|x| *x > 0.0 && x.is_finite()).map(|x| x.clamp(0.02, 50.0));
            let x = Axis::logarithmic(
                ends.chain([0.9 / margin, 1.1 * margin]),
                format!("cost of {candidate}, as a multiple of the control's"),
            );
            let rows = list.len() + 2;
            // Names of tasks stand left of the frame, names of controls right of it.
            let outer = Rect { left: outer.left + 116.0, right: outer.right - 112.0, ..outer };
            let panel = Panel::new(figure, outer, x, Axis::between(0.0, rows as f64, "").bare());
            let inner = panel.inner;
            let (left, right) = (panel.x(1.0 / margin), panel.x(margin));
            figure.rectangle((left, inner.top), (right, inner.bottom), Ink::Text, 0.07);
            panel.line(figure, &[(1.0, 0.0), (1.0, rows as f64)], Stroke::solid(Ink::Text, 1.2));
            let mut line = |place: usize,
                            name: &str,
                            control: &str,
                            estimate: f64,
                            ends: (Option<f64>, Option<f64>),
                            ink: Ink,
                            whole: bool| {
                let y = panel.y(rows as f64 - place as f64 - 0.5);
                let from = ends.0.map_or(inner.left, |low| panel.x(low));
                let to = ends.1.map_or(inner.right, |high| panel.x(high));
                figure.line(vec![(from, y), (to, y)], Stroke::solid(ink, if whole { 3.0 } else { 1.8 }));
                let at = (panel.x(estimate), y);
                if whole {
                    Style { ink, marker: Marker::Diamond, ..Style::of(0) }.dot(figure, at, 6.0, 1.0);
                } else {
                    figure.circle(at, 4.2, ink, 1.0);
                    if ink == Ink::Text {
                        figure.circle(at, 2.6, Ink::Paper, 1.0);
                    }
                }
                figure.text((inner.left - 8.0, y + 4.0), name, 11.5, Anchor::End);
                figure.remark((inner.right + 8.0, y + 4.0), control, 11.0, Anchor::Start);
            };
            for (place, one) in list.iter().enumerate() {
                let ink = match one.standing {
                    Some(Standing::Better) => Ink::Colour(BETTER),
                    Some(Standing::Worse) => Ink::Colour(WORSE),
                    _ => Ink::Text,
                };
                let name = analysis.suite.tasks[one.task].name.as_str();
                let name = crate::report::figure::shortened(name, 11.5, 112.0);
                let control =
                    crate::report::figure::shortened(&format!("{} {}", ratio(estimate(one)), one.control), 11.0, 116.0);
                line(place, &name, &control, estimate(one), (one.verdict.low, one.verdict.high), ink, false);
                let number = |x: Option<f64>| x.unwrap_or(f64::NAN);
                numbers.row(
                    &[candidate.as_str(), analysis.suite.tasks[one.task].name.as_str(), &one.control],
                    &[estimate(one), number(one.verdict.low), number(one.verdict.high)],
                );
            }
            if let Some(overall) = overall {
                let ends = (overall.interval.map(|one| one.low), overall.interval.map(|one| one.high));
                let ends = (ends.0.or(Some(overall.ratio)), ends.1.or(Some(overall.ratio)));
                line(list.len() + 1, "all tasks", &ratio(overall.ratio), overall.ratio, ends, Ink::Text, true);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

const BETTER: (u8, u8, u8) = (0, 114, 178);
const WORSE: (u8, u8, u8) = (213, 94, 0);
