//! Losses between the deployed weights of two arms, or of one arm at two seeds.

use super::{headed, medians, medians_text};
use crate::experiment::WeightAnalysis;
use crate::report::figure::{Axis, Entry, Ink, Marker, Panel, Sample, Sheet, Style};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::weights::words::{own_pairs, pair_name, pairs};

/// Pairs that get a panel.
const MOST_PAIRS: usize = 12;
const LOOKS: [(&str, Style); 2] = [
    ("as they stand", Style { ink: Ink::Colour((213, 94, 0)), dash: &[6.0, 4.0], marker: Marker::Diamond }),
    ("hidden units in one order", Style { ink: Ink::Colour((0, 114, 178)), dash: &[], marker: Marker::Circle }),
];

/// Training loss on the straight line from one arm's weights to another's, with and without alignment.
pub struct Between;

impl Plot<WeightAnalysis> for Between {
    fn name(&self) -> &'static str {
        "between"
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        "Do different starts end in the same basin?".into()
    }

    fn reading(&self) -> &'static str {
        "Training loss on the straight line between the deployed weights of two arms at the same seed, and of one arm at a \
         seed and at the next one, on the rows of the first. A line without a hump: both lie in one basin. Hidden units may be renumbered without changing a network, so the dashed line may \
         climb where the whole one does not."
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        !analysis.between.is_empty()
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let all: Vec<(&str, &str)> =
            pairs(analysis).into_iter().chain(own_pairs(analysis)).map(|pair| (pair.0, pair.1)).collect();
        let list = &all[..all.len().min(MOST_PAIRS)];
        let columns = list.len().clamp(1, 3);
        let lines = list.len().div_ceil(columns);
        let legend: Vec<Entry> =
            LOOKS.iter().map(|(text, style)| Entry { text: (*text).into(), sample: Sample::Line(*style) }).collect();
        let left = all.len() - list.len();
        let more = if left > 0 { format!(" {left} more pairs are in the tables.") } else { String::new() };
        let caption = medians_text(analysis) + &more;
        let height = 110.0 + 240.0 * lines as f64;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["first", "second", "order", "share", "median_loss"]);
        let curve = |first: &str, second: &str, aligned: bool| {
            let rows = analysis.between.iter().filter(|row| row.aligned == aligned);
            let rows = rows.filter(|row| row.first == first && row.second == second);
            medians(rows.map(|row| (row.share, row.train_loss)))
        };
        let curves: Vec<[Vec<(f64, f64)>; 2]> =
            list.iter().map(|(first, second)| [false, true].map(|aligned| curve(first, second, aligned))).collect();
        // One scale for all pairs, so that humps can be compared.
        let y = Axis::logarithmic(curves.iter().flatten().flatten().map(|point| point.1), "training loss");
        let tiles = sheet.body.rows(lines, 12.0).into_iter().flat_map(|line| line.columns(columns, 14.0));
        let figure = &mut sheet.figure;
        for ((place, ((first, second), curves)), tile) in list.iter().zip(&curves).enumerate().zip(tiles) {
            let tile = headed(figure, tile, &pair_name(first, " → ", second));
            let y = if place % columns == 0 { y.clone() } else { y.clone().named("") };
            let panel = Panel::new(figure, tile, Axis::between(0.0, 1.0, "share of the line"), y);
            for (points, (text, style)) in curves.iter().zip(LOOKS) {
                panel.line(figure, points, style.stroke(2.0));
                points.iter().for_each(|(x, y)| numbers.row(&[first, second, text], &[*x, *y]));
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}
