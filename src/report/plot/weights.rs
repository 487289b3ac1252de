//! What starts look like.

use super::{Drawing, Numbers, Plot};
use crate::experiment::record::Moment;
use crate::math::statistics::{quantile_of_sorted, sorted};
use crate::report::analysis::Analysis;
use crate::report::figure::{Anchor, Axis, Entry, Ink, Marker, Panel, Rect, Sample, Sheet, Style, shortened};

/// Seeds whose weights are pooled.
const MOST_SEEDS: usize = 30;
/// Weights of a layer that are read from one model.
const MOST_WEIGHTS: usize = 20_000;
/// Panels beside each other, and above each other.
const MOST_LAYERS: usize = 4;
const MOST_ARMS: usize = 8;
const BINS: usize = 60;
const MOMENTS: [(Moment, &str); 3] =
    [(Moment::Drawn, "first draw"), (Moment::Start, "start"), (Moment::End, "after training")];

/// Densities of the weights, layer by layer.
pub struct Weights;

impl Plot for Weights {
    fn name(&self) -> &'static str {
        "weights"
    }

    fn question(&self, _: &Analysis) -> String {
        "What do the starts look like?".into()
    }

    fn reading(&self) -> &'static str {
        "Each panel is one layer of one arm, all seeds together, thresholds left out. If search changes more than which \
         draw is taken, the start's line differs from the first draw's; how far training moves on shows how much of \
         the start is left."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let first = analysis.arms.iter().find_map(|arm| Some((&arm.name, arm.runs.first()?.result.seed)));
        first.is_some_and(|(arm, seed)| analysis.models.get(arm, seed, Moment::End).is_some())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<Vec<[Vec<f64>; 3]>> =
            analysis.arms.iter().take(MOST_ARMS).map(|arm| pooled(analysis, &arm.name)).collect();
        let layers = arms.iter().map(Vec::len).max().unwrap_or(0);
        let caption = format!(
            "Weights of up to {MOST_SEEDS} seeds together; the outer 0.5% of each layer on either side are not shown."
        );
        let sample = |moment: usize| Sample::Line(Style { marker: Marker::None, ..look(moment) });
        let legend: Vec<Entry> = (0..3).map(|at| Entry { text: MOMENTS[at].1.into(), sample: sample(at) }).collect();
        let height = 120.0 + 180.0 * arms.len() as f64;
        let mut sheet = Sheet::sized(760.0, height.max(360.0), &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "layer", "moment", "weight", "density"]);
        let rows = sheet.body.rows(arms.len(), 10.0);
        let figure = &mut sheet.figure;
        for ((layers_of, arm), row) in arms.iter().zip(&analysis.arms).zip(rows) {
            for (layer, (moments, outer)) in layers_of.iter().zip(row.columns(layers, 14.0)).enumerate() {
                let head = shortened(&format!("{}, layer {}", arm.name, layer + 1), 12.0, outer.right - outer.left);
                figure.text(((outer.left + outer.right) / 2.0, outer.top + 8.0), head, 12.0, Anchor::Middle);
                let densities = densities(moments);
                let all = || densities.iter().flatten();
                let highest = all().map(|point| point.1).fold(0.0, f64::max).max(1e-9);
                let x = Axis::linear(all().map(|point| point.0), "");
                let outer = Rect { top: outer.top + 15.0, ..outer };
                let panel = Panel::new(figure, outer, x, Axis::between(0.0, 1.06 * highest, "").bare());
                // The first draw comes last: dots show on the line of a start that equals it.
                for moment in [2, 1, 0] {
                    panel.line(figure, &densities[moment], look(moment).stroke(if moment == 0 { 1.6 } else { 2.0 }));
                }
                for (moment, density) in densities.iter().enumerate() {
                    for (weight, density) in density {
                        let words = [arm.name.as_str(), &(layer + 1).to_string(), MOMENTS[moment].1];
                        numbers.row(&words, &[*weight, *density]);
                    }
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

fn look(moment: usize) -> Style {
    // Moments are no arms: they have looks of their own.
    let ink = [Ink::Text, Ink::Colour((86, 180, 233)), Ink::Colour((213, 94, 0))][moment];
    let dash: [&[f64]; 3] = [&[2.0, 3.0], &[], &[7.0, 4.0]];
    Style { ink, dash: dash[moment], marker: Marker::Circle }
}

/// Weights of the first layers, seeds pooled, at the three moments; ascending.
fn pooled(analysis: &Analysis, arm: &str) -> Vec<[Vec<f64>; 3]> {
    let mut layers: Vec<[Vec<f64>; 3]> = Vec::new();
    let seeds = analysis.arms.iter().find(|other| other.name == arm).map(|arm| &arm.runs[..]).unwrap_or_default();
    for run in seeds.iter().take(MOST_SEEDS) {
        for (place, (moment, _)) in MOMENTS.iter().enumerate() {
            let Some(model) = analysis.models.get(arm, run.result.seed, *moment) else { continue };
            for (index, layer) in model.network.layers().iter().take(MOST_LAYERS).enumerate() {
                if layers.len() == index {
                    layers.push(Default::default());
                }
                let every = layer.weights.len().div_ceil(MOST_WEIGHTS).max(1);
                let weights = model.params[layer.weights.clone()].iter().step_by(every);
                layers[index][place].extend(weights.map(|weight| f64::from(*weight)));
            }
        }
    }
    layers.into_iter().map(|moments| moments.map(|weights| sorted(&weights))).collect()
}

/// Histograms on common bins, as densities at the middles of the bins.
fn densities(moments: &[Vec<f64>; 3]) -> [Vec<(f64, f64)>; 3] {
    let ends = |share| moments.iter().filter_map(move |weights| quantile_of_sorted(weights, share));
    let (low, high) = (ends(0.005).fold(f64::INFINITY, f64::min), ends(0.995).fold(f64::NEG_INFINITY, f64::max));
    let width = (high - low) / BINS as f64;
    moments.each_ref().map(|weights| {
        if !(width > 0.0 && width.is_finite()) || weights.is_empty() {
            return Vec::new();
        }
        let mut counts = vec![0_usize; BINS];
        for weight in weights.iter().filter(|weight| (low..=high).contains(*weight)) {
            counts[(((weight - low) / width) as usize).min(BINS - 1)] += 1;
        }
        let density = |count: usize| count as f64 / (weights.len() as f64 * width);
        // Small samples make combs of single bins: neighbours lend a quarter each.
        let smooth = |bin: usize| {
            let at = |bin: usize| density(counts[bin.min(BINS - 1)]);
            0.5 * at(bin) + 0.25 * (at(bin.saturating_sub(1)) + at(bin + 1))
        };
        (0..BINS).map(|bin| (low + (bin as f64 + 0.5) * width, smooth(bin))).collect()
    })
}
