//! How different the ends are.

use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::math::statistics::{quantile_of_sorted, sorted, standard_deviation};
use crate::report::analysis::{Analysis, Run};
use crate::report::figure::{Axis, Figure, Ink, Panel, Sheet, Stroke, Style};

/// Loss of the deployed weights: shape, box and every seed.
pub struct FinalLoss;

impl Plot for FinalLoss {
    fn name(&self) -> &'static str {
        "final-loss"
    }

    fn question(&self, _: &Analysis) -> String {
        "How different are the ends?".into()
    }

    fn reading(&self) -> &'static str {
        "Every dot is one seed, lower is better. The box holds the middle half of the seeds, its line is the median, \
         the shape shows where seeds crowd. Boxes that overlap widely are no proof of sameness, nor boxes apart one of \
         difference: seeds are paired, and the verdict uses the pairs."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.arms.iter().flat_map(|arm| &arm.runs).any(|run| loss(run, analysis.has_test()).is_some())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let test = analysis.has_test();
        let label = if test { "test loss" } else { "training loss" };
        let caption = format!("{label} of the deployed weights, {}.", seeds_caption(analysis));
        let caption = caption[..1].to_uppercase() + &caption[1..];
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &[]);
        let losses = analysis.arms.iter().flat_map(|arm| &arm.runs).filter_map(|run| loss(run, test));
        let names = analysis.arms.iter().map(|arm| arm.name.clone()).collect();
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, body, Axis::categories(names, ""), Axis::logarithmic(losses, label));
        let mut numbers = Numbers::new(&["arm", "seed", "loss"]);
        for (place, arm) in analysis.arms.iter().enumerate() {
            let losses: Vec<f64> = arm.runs.iter().filter_map(|run| loss(run, test)).collect();
            draw_arm(figure, &panel, place, &losses);
            for run in &arm.runs {
                let loss = loss(run, test).unwrap_or(f64::NAN);
                numbers.row(&[&arm.name, &run.result.seed.to_string()], &[loss]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

fn loss(run: &Run, test: bool) -> Option<f64> {
    if test { run.result.test_loss } else { run.result.train_loss }
}

fn draw_arm(figure: &mut Figure, panel: &Panel, place: usize, losses: &[f64]) {
    let style = Style::of(place);
    let heights = sorted(&losses.iter().map(|loss| panel.y(*loss)).collect::<Vec<_>>());
    let centre = panel.x(place as f64);
    let slot = (panel.x(1.0) - panel.x(0.0)).clamp(0.0, 150.0);
    let slot = if slot > 0.0 { slot } else { 150.0 };
    let half = 0.40 * slot;
    if let Some(shape) = density(&heights) {
        let (top, bottom) = (panel.inner.top, panel.inner.bottom);
        let side = |sign: f64| shape.iter().map(move |(y, share)| (centre + sign * half * share, y.clamp(top, bottom)));
        let outline: Vec<(f64, f64)> = side(-1.0).chain(side(1.0).rev()).collect();
        figure.area(outline, style.ink, 0.14);
    }
    for (index, loss) in losses.iter().enumerate() {
        // The golden ratio spreads any number of dots evenly.
        let share = ((index as f64 + 1.0) * 0.618_033_988_75).fract() - 0.5;
        style.dot(figure, (centre + 0.42 * slot * share, panel.y(*loss)), 3.0, 0.6);
    }
    let at = |share| quantile_of_sorted(&heights, share);
    // Down is up here: the upper quartile of the losses is the lower one of the heights.
    let (Some(upper), Some(middle), Some(lower)) = (at(0.25), at(0.5), at(0.75)) else { return };
    let reach = 1.5 * (lower - upper);
    let top = heights.iter().copied().find(|y| *y >= upper - reach).unwrap_or(upper);
    let bottom = heights.iter().rev().copied().find(|y| *y <= lower + reach).unwrap_or(lower);
    let (left, right) = (centre - 0.11 * slot, centre + 0.11 * slot);
    let thin = Stroke::solid(Ink::Text, 1.2);
    figure.rectangle((left, upper), (right, lower), Ink::Paper, 0.55);
    figure.line(vec![(left, upper), (right, upper), (right, lower), (left, lower), (left, upper)], thin);
    figure.line(vec![(centre, upper), (centre, top)], thin);
    figure.line(vec![(centre, lower), (centre, bottom)], thin);
    figure.line(vec![(left, middle), (right, middle)], Stroke::solid(Ink::Text, 2.6));
}

/// Gaussian kernel density over heights in pixels, widest at 1; none for fewer than five.
fn density(heights: &[f64]) -> Option<Vec<(f64, f64)>> {
    let spread = standard_deviation(heights).filter(|_| heights.len() >= 5)?;
    let quartiles = quantile_of_sorted(heights, 0.75)? - quantile_of_sorted(heights, 0.25)?;
    let robust = if quartiles > 0.0 { spread.min(quartiles / 1.34) } else { spread };
    // Silverman 1986, eq. 3.31.
    let width = (0.9 * robust * libm::pow(heights.len() as f64, -0.2)).max(1.5);
    let (first, last) = (heights.first()? - 2.0 * width, heights.last()? + 2.0 * width);
    let points = 60;
    let at = |point: usize| first + (last - first) * point as f64 / (points - 1) as f64;
    let bell = |z: f64| libm::exp(-0.5 * z * z);
    let kernel = |y: f64| heights.iter().map(|x| bell((y - x) / width)).sum::<f64>();
    let shape: Vec<(f64, f64)> = (0..points).map(|point| (at(point), kernel(at(point)))).collect();
    let widest = shape.iter().map(|point| point.1).fold(0.0, f64::max);
    Some(shape.into_iter().map(|(y, share)| (y, share / widest)).collect())
}
