//! Shares of runs and targets solved within a budget.

use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::math::statistics::{Ecdf, Outcome, median, quantile_of_sorted, sorted};
use crate::report::analysis::Analysis;
use crate::report::figure::{Axis, Entry, Marker, Panel, Sheet, Stroke, Style, Ticks};
use crate::report::findings::{ArmSummary, bootstrap_rng};
use crate::report::number::{percent, short};

const POINTS: usize = 120;
const RESAMPLES: usize = 999;

/// Empirical distribution of costs over all pairs of seed and target.
pub struct SolvedShare;

impl Plot for SolvedShare {
    fn name(&self) -> &'static str {
        "ecdf"
    }

    fn question(&self, _: &Analysis) -> String {
        "What share of seeds and targets is solved by a budget?".into()
    }

    fn reading(&self) -> &'static str {
        "Each step is one seed reaching one target; further up and further left is better. A line that ends below 100% \
         missed the rest; a cross marks the median cost at which its unsuccessful runs ended."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let arms = &analysis.findings.arms;
        arms.iter().flat_map(|arm| &arm.targets).any(|target| target.solved > 0)
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let findings = &analysis.findings;
        let targets: Vec<String> = findings.targets.iter().map(|target| short(target.loss)).collect();
        let caption = format!(
            "Training losses {} over {}; bands are {} bootstrap intervals over seeds.",
            targets.join(", "),
            seeds_caption(analysis),
            percent(findings.confidence)
        );
        let legend: Vec<Entry> =
            findings.arms.iter().enumerate().map(|(place, arm)| Entry::line(place, &arm.name)).collect();
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let reached = findings.arms.iter().flat_map(costs).flatten();
        let x = Axis::logarithmic(reached.chain([findings.budget]), "row-passes, search included");
        let (low, high) = x.range();
        let y = Axis::between(0.0, 1.0, "share solved").written(Ticks::Percent).to(1.02);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, body, x.written(Ticks::Amounts), y);
        let step = libm::log(high / low) / (POINTS - 1) as f64;
        let grid: Vec<f64> = (0..POINTS).map(|point| low * libm::exp(step * point as f64)).collect();
        for (place, arm) in findings.arms.iter().enumerate() {
            panel.band(figure, &band(arm, &grid, findings.confidence), Style::of(place).ink, 0.16);
        }
        let mut numbers = Numbers::new(&["arm", "row_passes", "share"]);
        for (place, arm) in findings.arms.iter().enumerate() {
            let curve = Ecdf::new(&costs(arm));
            let mut steps = vec![(low, 0.0)];
            steps.extend(&curve.steps);
            steps.push((high, curve.at(high)));
            panel.steps(figure, &steps, Style::of(place).stroke(2.0));
            curve.steps.iter().for_each(|(cost, share)| numbers.row(&[&arm.name], &[*cost, *share]));
            let missed: Vec<f64> = arm.targets.iter().flat_map(|target| &target.outcomes).filter_map(spent).collect();
            if let Some(end) = median(&missed) {
                let cross = Style { marker: Marker::Cross, ..Style::of(place) };
                cross.dot(figure, panel.at((end, curve.at(end))), 4.5, 1.0);
            }
            // Where two lines run together, markers on the last third tell who they are.
            let share = 0.66 + 0.05 * place as f64;
            let cost = panel.x_axis().value(share.min(0.98));
            Style::of(place).dot(figure, panel.at((cost, curve.at(cost))), 3.6, 1.0);
        }
        panel.line(
            figure,
            &[(findings.budget, 0.0), (findings.budget, 1.0)],
            Stroke { dash: &[3.0, 3.0], ..Stroke::solid(crate::report::figure::Ink::Text, 1.0).faint(0.6) },
        );
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Costs over all seeds and targets.
fn costs(arm: &ArmSummary) -> Vec<Option<f64>> {
    let outcomes = arm.targets.iter().flat_map(|target| &target.outcomes);
    outcomes
        .map(|outcome| match outcome {
            Outcome::Reached(cost) => Some(*cost),
            Outcome::Censored(_) => None,
        })
        .collect()
}

fn spent(outcome: &Outcome) -> Option<f64> {
    match outcome {
        Outcome::Censored(cost) => Some(*cost),
        Outcome::Reached(_) => None,
    }
}

/// Percentile intervals of the share at each cost; seeds are resampled with all their targets.
fn band(arm: &ArmSummary, grid: &[f64], confidence: f64) -> Vec<(f64, f64, f64)> {
    let (seeds, targets) = (arm.seeds.len(), arm.targets.len());
    if seeds < 2 || targets == 0 {
        return Vec::new();
    }
    let solved = |seed: usize, cost: f64| {
        let within =
            arm.targets.iter().filter(|target| matches!(target.outcomes[seed], Outcome::Reached(c) if c <= cost));
        within.count() as f64
    };
    let counts: Vec<Vec<f64>> = grid.iter().map(|cost| (0..seeds).map(|seed| solved(seed, *cost)).collect()).collect();
    let mut rng = bootstrap_rng();
    let mut shares = vec![Vec::with_capacity(RESAMPLES); grid.len()];
    let mut drawn = vec![0; seeds];
    for _ in 0..RESAMPLES {
        drawn.iter_mut().for_each(|seed| *seed = rng.below(seeds));
        for (counts, shares) in counts.iter().zip(&mut shares) {
            let sum: f64 = drawn.iter().map(|seed| counts[*seed]).sum();
            shares.push(sum / (seeds * targets) as f64);
        }
    }
    let tail = (1.0 - confidence) / 2.0;
    let limits = |shares: &Vec<f64>| {
        let shares = sorted(shares);
        let at = |share| quantile_of_sorted(&shares, share).unwrap_or(f64::NAN);
        (at(tail), at(1.0 - tail))
    };
    grid.iter().zip(&shares).map(|(cost, shares)| (*cost, limits(shares).0, limits(shares).1)).collect()
}
