//! Singular values of the layers.

use super::{headed, medians, medians_text};
use crate::experiment::WeightAnalysis;
use crate::experiment::record::Moment;
use crate::report::figure::{Axis, Entry, Ink, Marker, Panel, Sample, Sheet, Style, Ticks};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::weights::page::moment_name;

/// Layers that get a panel.
const MOST_LAYERS: usize = 6;
/// Singular values that get a dot each.
const MOST_DOTS: usize = 40;

/// Singular values of each layer at start and end.
pub struct Spectrum;

impl Plot<WeightAnalysis> for Spectrum {
    fn name(&self) -> &'static str {
        "singular-values"
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        "How many directions carry each layer?".into()
    }

    fn reading(&self) -> &'static str {
        "Singular values of each layer's weights, largest first: faint at the start, strong after training. Training that \
         learns a few directions lifts the first ones; a line that drops to 0 early is a layer of low rank."
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        !analysis.singular.is_empty()
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let mut layers: Vec<usize> = analysis.singular.iter().map(|row| row.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        layers.truncate(MOST_LAYERS);
        let mut legend: Vec<Entry> = analysis.arms.iter().map(|arm| Entry::line(arm.place, &arm.name)).collect();
        let sample = Style { ink: Ink::Text, dash: &[], marker: Marker::Circle };
        legend.push(Entry { text: "after training; fainter: start".into(), sample: Sample::Dot(sample) });
        let caption = medians_text(analysis);
        let columns = layers.len().clamp(1, 2);
        let lines = layers.len().div_ceil(columns);
        let height = 120.0 + 270.0 * lines as f64;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "moment", "layer", "index", "median"]);
        let tiles = sheet.body.rows(lines, 12.0).into_iter().flat_map(|line| line.columns(columns, 16.0));
        let figure = &mut sheet.figure;
        for (layer, tile) in layers.into_iter().zip(tiles) {
            let mut shapes: Vec<&(usize, usize)> =
                analysis.arms.iter().filter_map(|arm| arm.layers.get(layer - 1)).collect();
            shapes.dedup();
            let head = match shapes[..] {
                [(inputs, units)] => format!("layer {layer}: {inputs} inputs, {units} units"),
                _ => format!("layer {layer}"),
            };
            let tile = headed(figure, tile, &head);
            let rows = || analysis.singular.iter().filter(|row| row.layer == layer);
            let most = rows().map(|row| row.index).max().unwrap_or(1) as f64;
            let x = Axis::between(0.8, most.max(2.0) + 0.2, "place").written(Ticks::Counts);
            let mut curves = Vec::new();
            for arm in &analysis.arms {
                for (moment, opacity) in [(Moment::Drawn, 0.45), (Moment::Start, 0.45), (Moment::End, 1.0)] {
                    let name = moment_name(moment);
                    let own = rows().filter(|row| row.arm == arm.name && row.moment == moment);
                    let points = medians(own.map(|row| (row.index as f64, Some(row.value))));
                    points.iter().for_each(|(place, value)| {
                        numbers.row(&[&arm.name, name], &[layer as f64, *place, *value]);
                    });
                    curves.push((Style::of(arm.place), opacity, points));
                }
            }
            let highest = curves.iter().flat_map(|curve| &curve.2).map(|point| point.1).fold(0.0, f64::max);
            let y = Axis::between(0.0, if highest > 0.0 { 1.05 * highest } else { 1.0 }, "singular value");
            let panel = Panel::new(figure, tile, x, y);
            for (style, opacity, points) in &curves {
                panel.line(figure, points, style.stroke(1.8).faint(*opacity));
                if points.len() <= MOST_DOTS {
                    points.iter().for_each(|point| style.dot(figure, panel.at(*point), 3.0, *opacity));
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
