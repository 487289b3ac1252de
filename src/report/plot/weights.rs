//! What starts look like.

use super::{Drawing, Numbers, Plot};
use crate::experiment::record::Moment;
use crate::math::statistics::{quantile_of_sorted, sorted};
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Anchor, Axis, Entry, Ink, Marker, Panel, Rect, Sample, Sheet, Style, shortened};
use crate::report::lineage::{Lineage, deployed, named, weights_of};
use std::collections::HashSet;
use std::ops::Range;

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
/// Place of the weights after training that belong to units of grafts, behind those of the moments.
const GRAFTED: usize = MOMENTS.len();

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
         the start is left. Where grafts replaced hidden units, the filled part under the line after training is that of \
         the new units' weights."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        let first = analysis.arms.iter().find_map(|arm| Some((&arm.name, arm.runs.first()?.result.seed)));
        first.is_some_and(|(arm, seed)| analysis.models.get(arm, seed, Moment::End).is_some())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<Vec<Pooled>> = analysis.arms.iter().take(MOST_ARMS).map(|arm| pooled(analysis, arm)).collect();
        let grafts = grafts_caption(analysis);
        let layers = arms.iter().map(Vec::len).max().unwrap_or(0);
        let caption = format!(
            "Weights of up to {MOST_SEEDS} seeds together; the outer 0.5% of each layer on either side are not shown.{grafts}"
        );
        let sample = |moment: usize| Sample::Line(Style { marker: Marker::None, ..look(moment) });
        let mut legend: Vec<Entry> =
            (0..3).map(|at| Entry { text: MOMENTS[at].1.into(), sample: sample(at) }).collect();
        if arms.iter().flatten().any(|layer| !layer[GRAFTED].is_empty()) {
            legend.push(Entry::patch(NEW, FILLED, "units of grafts"));
        }
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
                let filled: Vec<(f64, f64, f64)> =
                    densities[GRAFTED].iter().map(|(weight, density)| (*weight, 0.0, *density)).collect();
                panel.band(figure, &filled, NEW, FILLED);
                // The first draw comes last: dots show on the line of a start that equals it.
                for moment in [2, 1, 0] {
                    panel.line(figure, &densities[moment], look(moment).stroke(if moment == 0 { 1.6 } else { 2.0 }));
                }
                for (moment, density) in densities.iter().enumerate() {
                    for (weight, density) in density {
                        let moment = MOMENTS.get(moment).map_or("of grafts", |moment| moment.1);
                        let words = [arm.name.as_str(), &(layer + 1).to_string(), moment];
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

/// Weights of a layer: at the three moments, and of those at the end the ones into and out of units that grafts brought.
type Pooled = [Vec<f64>; 4];

/// Colour and opacity of the part that belongs to units of grafts.
const NEW: Ink = Ink::Colour((0, 158, 115));
const FILLED: f64 = 0.45;

/// Weights of the first layers, seeds pooled; ascending.
fn pooled(analysis: &Analysis, arm: &Arm) -> Vec<Pooled> {
    let mut layers: Vec<Pooled> = Vec::new();
    for run in arm.runs.iter().take(MOST_SEEDS) {
        for (place, (moment, _)) in MOMENTS.iter().enumerate() {
            let Some(model) = analysis.models.get(&arm.name, run.result.seed, *moment) else { continue };
            for (index, layer) in model.network.layers().iter().take(MOST_LAYERS).enumerate() {
                if layers.len() == index {
                    layers.push(Default::default());
                }
                layers[index][place].extend(some(layer.weights.clone()).map(|at| f64::from(model.params[at])));
            }
        }
        let Some(lineage) = Lineage::of(run) else { continue };
        let Some(model) = deployed(analysis, arm, run.result.seed, lineage.replaced.len()) else { continue };
        let grafted: HashSet<usize> = lineage
            .grafted()
            .flat_map(|unit| {
                let (into, out) = weights_of(&model, unit);
                into.chain(out)
            })
            .collect();
        for (layer, pooled) in model.network.layers().iter().zip(&mut layers) {
            let new = some(layer.weights.clone()).filter(|at| grafted.contains(at));
            pooled[GRAFTED].extend(new.map(|at| f64::from(model.params[at])));
        }
    }
    layers.into_iter().map(|layer| layer.map(|weights| sorted(&weights))).collect()
}

/// An even sample of the weights of a large layer.
fn some(weights: Range<usize>) -> impl Iterator<Item = usize> {
    let every = weights.len().div_ceil(MOST_WEIGHTS).max(1);
    weights.step_by(every)
}

/// How many units grafts brought, and which at the first seed that has any.
fn grafts_caption(analysis: &Analysis) -> String {
    let mut text = String::new();
    for arm in analysis.arms.iter().take(MOST_ARMS) {
        let (mut new, mut all, mut first) = (0, 0, None);
        for run in arm.runs.iter().take(MOST_SEEDS) {
            let Some(lineage) = Lineage::of(run) else { continue };
            new += lineage.grafted().count();
            all += lineage.replaced.len();
            if first.is_none() && lineage.grafted().next().is_some() {
                first = Some(format!("{} at seed {}", named(lineage.grafted()), run.result.seed));
            }
        }
        let name = &arm.name;
        if let Some(first) = first {
            text.push_str(&format!(
                " Grafts replaced {new} of {all} units of {name} where they were tried: {first}, for example."
            ));
        }
    }
    text
}

/// Histograms on common bins, as densities at the middles of the bins; that of the units of grafts is a part of that after
/// training.
fn densities(pooled: &Pooled) -> [Vec<(f64, f64)>; 4] {
    let ends = |share| pooled[..GRAFTED].iter().filter_map(move |weights| quantile_of_sorted(weights, share));
    let (low, high) = (ends(0.005).fold(f64::INFINITY, f64::min), ends(0.995).fold(f64::NEG_INFINITY, f64::max));
    let width = (high - low) / BINS as f64;
    let trained = pooled[GRAFTED - 1].len();
    let all = [pooled[0].len(), pooled[1].len(), trained, trained];
    std::array::from_fn(|place| {
        let weights = &pooled[place];
        if !(width > 0.0 && width.is_finite()) || weights.is_empty() {
            return Vec::new();
        }
        let mut counts = vec![0_usize; BINS];
        for weight in weights.iter().filter(|weight| (low..=high).contains(*weight)) {
            counts[(((weight - low) / width) as usize).min(BINS - 1)] += 1;
        }
        let density = |count: usize| count as f64 / (all[place] as f64 * width);
        // Small samples make combs of single bins: neighbours lend a quarter each.
        let smooth = |bin: usize| {
            let at = |bin: usize| density(counts[bin.min(BINS - 1)]);
            0.5 * at(bin) + 0.25 * (at(bin.saturating_sub(1)) + at(bin + 1))
        };
        (0..BINS).map(|bin| (low + (bin as f64 + 0.5) * width, smooth(bin))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{analysis, grafted, law};

    #[test]
    fn weights_of_grafted_units_are_a_part_of_the_deployed_ones() {
        let grafted = grafted();
        let layers = pooled(&grafted, &grafted.arms[2]);
        // Of 3 units with 2 inputs and 2 outputs, two are new.
        assert_eq!(layers.iter().map(|layer| layer[GRAFTED].len()).collect::<Vec<_>>(), [4, 4]);
        for layer in &layers {
            assert!(layer[GRAFTED].iter().all(|weight| layer[2].contains(weight)));
            let densities = densities(layer);
            let parts = densities[GRAFTED].iter().zip(&densities[2]);
            assert!(parts.clone().all(|(part, whole)| part.1 <= whole.1 + 1e-12));
        }
        let svg = Weights.draw(&grafted).figure.to_svg();
        assert!(grafts_caption(&grafted).starts_with(" Grafts replaced 2 of 3 units of ga"));
        assert!(svg.contains("units of grafts"));
        assert!(String::from_utf8(Weights.draw(&grafted).numbers.to_csv()).unwrap().contains("ga,2,of grafts,"));
        let plain = Weights.draw(&analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 6, ""));
        assert!(!plain.figure.to_svg().contains("raft"));
    }
}
