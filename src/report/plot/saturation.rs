//! Whether units saturate and gradients vanish.

use super::{Drawing, Numbers, Plot};
use crate::experiment::record::{HealthRow, Moment};
use crate::math::statistics::median;
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{Anchor, Figure, Ink, Rect, Sheet, heat, shortened};
use crate::report::number::percent;

const MOMENTS: [(Moment, &str); 3] = [(Moment::Drawn, "drawn"), (Moment::Start, "start"), (Moment::End, "end")];

/// Heat maps of saturated shares and gradient variances, layers by moments.
pub struct Saturation;

impl Plot for Saturation {
    fn name(&self) -> &'static str {
        "saturation"
    }

    fn question(&self, _: &Analysis) -> String {
        "Do units saturate, do gradients vanish?".into()
    }

    fn reading(&self) -> &'static str {
        "Above, the share of activations at the flat ends of their range; then the share of dead units, which say the \
         same of every row, such as a ReLU that is never on; below, the decimal logarithm of the variance \
         of each layer's gradient. Dark cells above mean units that hardly learn; numbers below that fall by whole units \
         from the last layer to the first mean that the gradient vanishes on its way, and a dash that there is none."
    }

    fn is_standard(&self) -> bool {
        false
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.arms.iter().any(|arm| !arm.health.is_empty())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<&Arm> = analysis.arms.iter().filter(|arm| !arm.health.is_empty()).collect();
        let layers = arms.iter().flat_map(|arm| &arm.health).map(|row| row.layer).max().unwrap_or(1);
        let caption =
            "Median over seeds; drawn: the first draw, start: what gradient descent got, end: deployed weights.";
        let columns = arms.len().clamp(1, 4);
        let blocks = arms.len().div_ceil(columns);
        let height = 90.0 + blocks as f64 * (3.0 * 24.0 * layers as f64 + 165.0);
        let mut sheet = Sheet::sized(760.0, height.max(300.0), &self.question(analysis), caption, &[]);
        let mut numbers = Numbers::new(&["arm", "layer", "moment", "saturated", "dead", "log10_gradient_variance"]);
        let gradients = arms.iter().flat_map(|arm| {
            (1..=layers).flat_map(move |layer| {
                MOMENTS.iter().filter_map(move |(moment, _)| value(arm, layer, *moment, gradient))
            })
        });
        let (low, high) =
            gradients.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let tiles = sheet.body.rows(blocks, 16.0).into_iter().flat_map(|row| row.columns(columns, 16.0));
        let figure = &mut sheet.figure;
        for (arm, tile) in arms.iter().zip(tiles) {
            let head = shortened(&arm.name, 12.5, tile.right - tile.left);
            figure.text(((tile.left + tile.right) / 2.0, tile.top + 8.0), head, 12.5, Anchor::Middle);
            let parts = Rect { top: tile.top + 16.0, ..tile }.rows(3, 10.0);
            let shown = |x: f64| (x, percent(x));
            draw_map(figure, parts[0], arm, layers, "saturated", share, shown);
            draw_map(figure, parts[1], arm, layers, "dead", dead, shown);
            let scaled = |x: f64| ((high - x) / (high - low).max(1e-9), format!("{x:.1}").replace('-', "−"));
            draw_map(figure, parts[2], arm, layers, "log₁₀ gradient variance", gradient, scaled);
            for layer in 1..=layers {
                for (moment, name) in MOMENTS {
                    let of = |number: Number| value(arm, layer, moment, number).unwrap_or(f64::NAN);
                    numbers.row(&[&arm.name, &layer.to_string(), name], &[of(share), of(dead), of(gradient)]);
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

type Number = fn(&HealthRow) -> Option<f64>;

fn share(row: &HealthRow) -> Option<f64> {
    row.saturated
}

fn dead(row: &HealthRow) -> Option<f64> {
    Some(row.dead as f64 / row.units.max(1) as f64)
}

fn gradient(row: &HealthRow) -> Option<f64> {
    row.gradient_variance.map(libm::log10).filter(|x| x.is_finite())
}

fn value(arm: &Arm, layer: usize, moment: Moment, number: Number) -> Option<f64> {
    let rows = arm.health.iter().filter(|row| row.layer == layer && row.moment == moment);
    median(&rows.filter_map(number).collect::<Vec<_>>())
}

/// One heat map; `shown` gives the darkness of a value and its text.
fn draw_map(
    figure: &mut Figure,
    place: Rect,
    arm: &Arm,
    layers: usize,
    title: &str,
    number: Number,
    shown: impl Fn(f64) -> (f64, String),
) {
    let label = 22.0;
    figure.remark((place.left + label, place.top + 10.0), title, 11.0, Anchor::Start);
    let cells = Rect { left: place.left + label, top: place.top + 16.0, bottom: place.bottom - 16.0, ..place };
    for (row, place) in cells.rows(layers, 2.0).into_iter().enumerate() {
        let middle = (place.top + place.bottom) / 2.0 + 4.0;
        figure.text((cells.left - 6.0, middle), (row + 1).to_string(), 11.0, Anchor::End);
        for ((moment, _), cell) in MOMENTS.iter().zip(place.columns(3, 2.0)) {
            let value = value(arm, row + 1, *moment, number);
            let (dark, text) = value.map_or((0.0, "–".into()), &shown);
            // Half of the scale is enough: text stays readable in any page colour.
            figure.rectangle((cell.left, cell.top), (cell.right, cell.bottom), Ink::Colour(heat(0.75 * dark)), 0.55);
            figure.text(((cell.left + cell.right) / 2.0, middle), text, 11.5, Anchor::Middle);
        }
    }
    for ((_, name), column) in MOMENTS.iter().zip(cells.columns(3, 2.0)) {
        figure.remark(((column.left + column.right) / 2.0, place.bottom - 2.0), *name, 11.0, Anchor::Middle);
    }
}
