//! How many runs end how well, at every level at once.

use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::math::statistics::{Ecdf, quantile_of_sorted, sorted};
use crate::report::analysis::Analysis;
use crate::report::figure::{Axis, Entry, Panel, Sheet, Style, Ticks};
use crate::report::findings::bootstrap_rng;
use crate::report::number::percent;

const POINTS: usize = 120;
const RESAMPLES: usize = 999;

/// Performance profile (Agarwal et al. 2021): share of runs that end at or below each loss.
pub struct Profile;

impl Plot for Profile {
    fn name(&self) -> &'static str {
        "profile"
    }

    fn question(&self, _: &Analysis) -> String {
        "What share of runs ends this well or better?".into()
    }

    fn reading(&self) -> &'static str {
        "Read it from a loss upwards: the share of an arm's runs that ended there or lower. A line that lies above another \
         everywhere is better at every level; lines that cross are better at some levels and worse at others."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        losses(analysis).iter().flatten().flatten().count() > 1
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let losses = losses(analysis);
        let label = if analysis.has_test() { "test loss" } else { "training loss" };
        let caption = format!(
            "Final {label} of {}; bands are {} bootstrap intervals over seeds.",
            seeds_caption(analysis),
            percent(analysis.findings.confidence)
        );
        let legend: Vec<Entry> =
            analysis.arms.iter().enumerate().map(|(place, arm)| Entry::line(place, &arm.name)).collect();
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let x = Axis::logarithmic(losses.iter().flatten().flatten().copied(), format!("final {label}"));
        let y = Axis::between(0.0, 1.02, "share of runs").written(Ticks::Percent);
        let grid: Vec<f64> = (0..POINTS).map(|point| x.value(point as f64 / (POINTS - 1) as f64)).collect();
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, sheet.body, x, y);
        let mut numbers = Numbers::new(&["arm", "loss", "share", "low", "high"]);
        for (place, (arm, losses)) in analysis.arms.iter().zip(&losses).enumerate() {
            let curve = Ecdf::new(losses);
            let band = band(losses, &grid, analysis.findings.confidence);
            panel.band(figure, &band, Style::of(place).ink, 0.16);
            let line: Vec<(f64, f64)> = grid.iter().map(|x| (*x, curve.at(*x))).collect();
            panel.arm_line(figure, &line, place, 2.0);
            for (x, low, high) in band {
                numbers.row(&[&arm.name], &[x, curve.at(x), low, high]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Final losses, arm by arm; `None` for a run without one.
fn losses(analysis: &Analysis) -> Vec<Vec<Option<f64>>> {
    let test = analysis.has_test();
    let arms = analysis.arms.iter();
    arms.map(|arm| arm.runs.iter().map(|run| if test { run.result.test_loss } else { run.result.train_loss }).collect())
        .collect()
}

fn band(losses: &[Option<f64>], grid: &[f64], confidence: f64) -> Vec<(f64, f64, f64)> {
    let mut rng = bootstrap_rng();
    let mut shares = vec![Vec::with_capacity(RESAMPLES); grid.len()];
    for _ in 0..if losses.is_empty() { 0 } else { RESAMPLES } {
        let drawn: Vec<Option<f64>> = losses.iter().map(|_| losses[rng.below(losses.len())]).collect();
        let curve = Ecdf::new(&drawn);
        grid.iter().zip(&mut shares).for_each(|(x, shares)| shares.push(curve.at(*x)));
    }
    let tail = (1.0 - confidence) / 2.0;
    let limits = |shares: &Vec<f64>| {
        let shares = sorted(shares);
        [tail, 1.0 - tail].map(|share| quantile_of_sorted(&shares, share).unwrap_or(f64::NAN))
    };
    let limits = shares.iter().map(limits);
    grid.iter().zip(limits).map(|(x, [low, high])| (*x, low, high)).collect()
}
