//! What the hidden layer does to the plane of the inputs, where it is a plane itself.

use super::boundary::{FEW, draw_regions, draw_row, regions};
use super::{Drawing, Numbers, Plot};
use crate::experiment::Model;
use crate::experiment::model::Header;
use crate::experiment::record::{Moment, PredictionRow};
use crate::network::{Mlp, Workspace};
use crate::report::analysis::{Analysis, Arm};
use crate::report::figure::{
    Anchor, Axis, Entry, Figure, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style, class_colour, shortened,
};
use crate::task::{Scaler, Scaling, pack_inputs};
use ndarray::Array2;

/// Arms that get panels.
const MOST_ARMS: usize = 4;
/// Lines of the net that is laid over the inputs, in either direction, and points of one.
const LINES: usize = 11;
const POINTS: usize = 61;

/// Rows, boundary and a net of lines, before and behind a hidden layer of two units.
pub struct HiddenSpace;

impl Plot for HiddenSpace {
    fn name(&self) -> &'static str {
        "hidden-space"
    }

    fn question(&self, _: &Analysis) -> String {
        "How does the hidden layer make it easy?".into()
    }

    fn reading(&self) -> &'static str {
        "On the left the plane of the inputs with a square net laid over it, on the right the same rows and the same net as \
         the two hidden units see them. The output unit can only draw a straight line through the right-hand plane: a \
         hidden layer has learned when that line parts the classes there, and the left-hand picture shows what the line is \
         among the inputs."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.experiment.task.is_classification() && analysis.arms.iter().any(|arm| shown(analysis, arm))
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<&Arm> = analysis.arms.iter().filter(|arm| shown(analysis, arm)).take(MOST_ARMS).collect();
        let seed = arms.first().and_then(|arm| arm.predictions.first()).map_or(0, |row| row.seed);
        let classes = analysis.manifest.targets.iter().enumerate().take(8);
        let mut legend: Vec<Entry> =
            classes.map(|(class, name)| Entry::patch(Ink::Colour(class_colour(class)), 0.6, name.as_str())).collect();
        let dot = |marker| Sample::Dot(Style { ink: Ink::Text, dash: &[], marker });
        legend.push(Entry { text: "training row".into(), sample: dot(Marker::Circle) });
        if arms.iter().flat_map(|arm| &arm.predictions).any(|row| row.part != "training") {
            legend.push(Entry { text: "other row".into(), sample: dot(Marker::Diamond) });
        }
        let caption = format!("Seed {seed}; the start that gradient descent got, and the deployed weights.");
        let height = 100.0 + arms.len() as f64 * 640.0;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "moment", "row", "class", "x1", "x2", "hidden1", "hidden2"]);
        let tiles = sheet.body.rows(arms.len(), 16.0);
        let figure = &mut sheet.figure;
        for (arm, tile) in arms.iter().zip(tiles) {
            let halves = tile.rows(2, 10.0);
            for ((moment, name), half) in
                [(Moment::Start, "start"), (Moment::End, "after training")].into_iter().zip(halves)
            {
                let Some(model) = analysis.models.get(&arm.name, seed, moment) else { continue };
                let [left, right] = half.columns(2, 24.0)[..] else { continue };
                let rows: Vec<&PredictionRow> = arm.predictions.iter().filter(|row| row.x2.is_some()).collect();
                draw_inputs(figure, left, &model, &rows, &format!("{}, {name}: inputs", arm.name));
                let head = "as the hidden units see them";
                for (row, [a, b]) in rows.iter().zip(draw_hidden(figure, right, &model, &rows, head)) {
                    let [x1, x2] = [row.x1, row.x2].map(|x| x.unwrap_or(f64::NAN));
                    let words = [&arm.name[..], name, &row.row.to_string(), &row.target.to_string()];
                    numbers.row(&words, &[x1, x2, a, b]);
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

fn shown(analysis: &Analysis, arm: &Arm) -> bool {
    let first = arm.predictions.first().filter(|row| row.x2.is_some());
    let model = first.and_then(|row| analysis.models.get(&arm.name, row.seed, Moment::End));
    model.is_some_and(|model| model.network.inputs() == 2 && model.network.layers().len() == 2 && is_plane(&model))
}

fn is_plane(model: &Model) -> bool {
    model.network.layers()[0].outputs == 2
}

fn draw_inputs(figure: &mut Figure, outer: Rect, model: &Model, rows: &[&PredictionRow], head: &str) {
    let outer = headed(figure, outer, head);
    let name = |at: usize| model.header.inputs.get(at).cloned().unwrap_or_default();
    let (x, y) = axes(rows);
    let panel = Panel::new(figure, outer, x.clone().named(name(0)), y.clone().named(name(1)));
    draw_regions(figure, &panel, &regions(model, &panel));
    for line in net(&x, &y) {
        panel.line(figure, &line, LINE);
    }
    rows.iter().for_each(|row| draw_row(figure, &panel, row, rows.len() <= FEW));
}

/// Draws the plane of the hidden units; the rows' places in it.
fn draw_hidden(figure: &mut Figure, outer: Rect, model: &Model, rows: &[&PredictionRow], head: &str) -> Vec<[f64; 2]> {
    let outer = headed(figure, outer, head);
    let points: Vec<(f64, f64)> =
        rows.iter().map(|row| (row.x1.unwrap_or(f64::NAN), row.x2.unwrap_or(f64::NAN))).collect();
    let places = hidden(model, &points);
    let (x, y) = axes(rows);
    let lines: Vec<Vec<(f64, f64)>> =
        net(&x, &y).iter().map(|line| hidden(model, line).into_iter().map(|[a, b]| (a, b)).collect()).collect();
    // The whole range of a bounded unit, so that a layer that tells nothing apart yet shows as a speck.
    let range = model.network.layers()[0].activation.range().map(|(low, high)| [f64::from(low), f64::from(high)]);
    let axis = |at: usize, label: &str| match range {
        Some([low, high]) => {
            let air = 0.06 * (high - low);
            Axis::between(low - air, high + air, label)
        }
        None => Axis::linear(places.iter().map(|place| place[at]), label),
    };
    let panel = Panel::new(figure, outer, axis(0, "hidden unit 1"), axis(1, "hidden unit 2"));
    if let Some(behind) = behind(model) {
        draw_regions(figure, &panel, &regions(&behind, &panel));
    }
    let ((left, right), (low, high)) = (panel.x_axis().range(), panel.y_axis().range());
    for line in lines {
        let inside = |(x, y): (f64, f64)| {
            if (left..=right).contains(&x) && (low..=high).contains(&y) { (x, y) } else { (f64::NAN, f64::NAN) }
        };
        panel.line(figure, &line.into_iter().map(inside).collect::<Vec<_>>(), LINE);
    }
    for (row, [a, b]) in rows.iter().zip(&places) {
        draw_row(figure, &panel, &PredictionRow { x1: Some(*a), x2: Some(*b), ..(*row).clone() }, rows.len() <= FEW);
    }
    places
}

const LINE: Stroke = Stroke { ink: Ink::Text, width: 0.7, opacity: 0.45, dash: &[] };

fn headed(figure: &mut Figure, outer: Rect, head: &str) -> Rect {
    let text = shortened(head, 12.5, outer.right - outer.left);
    figure.text(((outer.left + outer.right) / 2.0, outer.top + 8.0), text, 12.5, Anchor::Middle);
    Rect { top: outer.top + 16.0, ..outer }
}

fn axes(rows: &[&PredictionRow]) -> (Axis, Axis) {
    let wide = |values: Vec<f64>| {
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
        let air = 0.15 * (high - low).max(1e-9);
        Axis::between(low - air, high + air, "")
    };
    (wide(rows.iter().filter_map(|row| row.x1).collect()), wide(rows.iter().filter_map(|row| row.x2).collect()))
}

/// Lines across the plane of the inputs.
fn net(x: &Axis, y: &Axis) -> Vec<Vec<(f64, f64)>> {
    let share = |at: usize, count: usize| at as f64 / (count - 1) as f64;
    let line = |at: usize, across: bool| {
        let point = |step: usize| match across {
            true => (x.value(share(step, POINTS)), y.value(share(at, LINES))),
            false => (x.value(share(at, LINES)), y.value(share(step, POINTS))),
        };
        (0..POINTS).map(point).collect()
    };
    (0..LINES).flat_map(|at| [line(at, true), line(at, false)]).collect()
}

/// Activations of the two hidden units at points of the plane of the inputs.
fn hidden(model: &Model, points: &[(f64, f64)]) -> Vec<[f64; 2]> {
    let inputs = Array2::from_shape_fn(
        (points.len(), 2),
        |(row, column)| if column == 0 { points[row].0 } else { points[row].1 },
    );
    let rows = pack_inputs(&inputs, &model.header.input_scaler, model.network.outputs());
    let mut out = vec![0.0; 2 * points.len()];
    model.network.activations(&model.params, &rows, 0, &mut out, &mut Workspace::new());
    out.chunks_exact(2).map(|pair| [f64::from(pair[0]), f64::from(pair[1])]).collect()
}

/// The output layer alone, as a model of the hidden units.
fn behind(model: &Model) -> Option<Model> {
    let Header { output, loss, .. } = model.header;
    let network = Mlp::new(2, &[], model.network.outputs(), output, loss).ok()?;
    let nothing = Array2::zeros((1, 2));
    let header = Header {
        inputs: vec!["hidden unit 1".into(), "hidden unit 2".into()],
        hidden: Vec::new(),
        input_scaler: Scaler::fit(Scaling::None, nothing.view(), &[0], None).ok()?,
        ..model.header.clone()
    };
    let last = &model.network.layers()[1];
    Some(Model { header, network, params: model.params[last.weights.start..last.biases.end].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::planes;

    #[test]
    fn what_lies_behind_the_hidden_layer_says_the_same() {
        let analysis = planes();
        let model = analysis.models.get("ga", 1, Moment::End).unwrap();
        let points = [(0.0, 0.0), (-3.0, 1.5), (4.0, -2.0)];
        let inputs = Array2::from_shape_fn((3, 2), |(row, column)| [points[row].0, points[row].1][column]);
        let seen = hidden(&model, &points);
        let seen = Array2::from_shape_fn((3, 2), |(row, column)| seen[row][column]);
        let (whole, behind) = (model.predict(&inputs).unwrap(), behind(&model).unwrap().predict(&seen).unwrap());
        assert!(whole.iter().zip(&behind).all(|(a, b)| (a - b).abs() < 1e-6), "{whole} {behind}");
        assert!(HiddenSpace.applies(&analysis));
    }
}
