//! How the weights of each layer are distributed.

use super::{MOST_ARMS, headed, seeds_text};
use crate::experiment::WeightAnalysis;
use crate::experiment::record::Moment;
use crate::report::figure::{Axis, Entry, Ink, Marker, Panel, Sample, Sheet, Style};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::weights::page::moment_name;

/// Layers beside each other.
const MOST_LAYERS: usize = 4;
/// The last one lies in front: dots show on the line of a start that equals the first draw.
const MOMENTS: [Moment; 3] = [Moment::End, Moment::Start, Moment::Drawn];

/// Histograms layer by layer at three moments.
pub struct Distributions;

impl Plot<WeightAnalysis> for Distributions {
    fn name(&self) -> &'static str {
        "distributions"
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        "How are the weights distributed?".into()
    }

    fn reading(&self) -> &'static str {
        "Each panel is one layer of one arm, thresholds left out; heights are densities. Training that only fine-tunes leaves \
         the shape of the start; one that learns much makes it wider, with heavier tails. Mean, spread, skewness and \
         kurtosis stand in the table below."
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        !analysis.histograms.is_empty()
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let arms: Vec<&str> = analysis.arms.iter().take(MOST_ARMS).map(|arm| arm.name.as_str()).collect();
        let layers = analysis.depth().min(MOST_LAYERS);
        let legend: Vec<Entry> = [Moment::Drawn, Moment::Start, Moment::End]
            .map(|moment| Entry { text: moment_name(moment).into(), sample: Sample::Line(look(moment)) })
            .into();
        let caption =
            format!("Weights of {} together; the outermost bins hold what lies beyond them too.", seeds_text(analysis));
        let height = 110.0 + 180.0 * arms.len() as f64;
        let mut sheet = Sheet::sized(760.0, height.max(320.0), &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "moment", "layer", "from", "to", "density"]);
        let rows = sheet.body.rows(arms.len(), 10.0);
        let figure = &mut sheet.figure;
        for (arm, row) in arms.iter().zip(rows) {
            for (layer, outer) in (1..=layers).zip(row.columns(layers, 14.0)) {
                let own = || analysis.histograms.iter().filter(|row| row.arm == *arm && row.layer == layer);
                let outer = headed(figure, outer, &format!("{arm}, layer {layer}"));
                let low = own().map(|row| row.from).fold(f64::INFINITY, f64::min);
                let high = own().map(|row| row.to).fold(f64::NEG_INFINITY, f64::max);
                let highest = own().map(|row| row.density).fold(0.0, f64::max).max(1e-9);
                if low >= high {
                    continue;
                }
                let y = Axis::between(0.0, 1.06 * highest, "").bare();
                let panel = Panel::new(figure, outer, Axis::between(low, high, ""), y);
                for moment in MOMENTS {
                    let mut stairs: Vec<(f64, f64)> =
                        own().filter(|row| row.moment == moment).map(|row| (row.from, row.density)).collect();
                    stairs.extend(stairs.last().map(|last| (high, last.1)));
                    panel.steps(figure, &stairs, look(moment).stroke(if moment == Moment::Drawn { 1.4 } else { 1.8 }));
                }
                for row in own() {
                    numbers.row(&[arm, moment_name(row.moment)], &[layer as f64, row.from, row.to, row.density]);
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Moments are no arms: they have looks of their own.
fn look(moment: Moment) -> Style {
    let marker = Marker::None;
    match moment {
        Moment::Drawn => Style { ink: Ink::Text, dash: &[2.0, 3.0], marker },
        Moment::Start => Style { ink: Ink::Colour((86, 180, 233)), dash: &[], marker },
        Moment::End => Style { ink: Ink::Colour((213, 94, 0)), dash: &[], marker },
    }
}
