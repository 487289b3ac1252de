//! How weight-agnostic the found networks are.

use crate::report::figure::{Anchor, Axis, Entry, Ink, Marker, Panel, Sample, Sheet, Stroke, Style, Ticks};
use crate::report::number::digits;
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::search::{Measure, SearchAnalysis, Spread};

/// Score against the shared weight.
pub struct SharedWeight;

const DOTTED: &[f64] = &[2.0, 3.0];

impl Plot<SearchAnalysis> for SharedWeight {
    fn name(&self) -> &'static str {
        "shared-weight"
    }

    fn question(&self, _: &SearchAnalysis) -> String {
        "How weight-agnostic is it?".into()
    }

    fn reading(&self) -> &'static str {
        "Every link carries the weight on the horizontal axis. Where the curve stays high the topology does the work and \
         the weight hardly matters; a narrow peak means that a good weight was needed after all. Around 0 no signal \
         passes, so every network fails there."
    }

    fn applies(&self, analysis: &SearchAnalysis) -> bool {
        !response(analysis).is_empty()
    }

    fn draw(&self, analysis: &SearchAnalysis) -> Drawing {
        let curve = response(analysis);
        let look = Style::of(0);
        let none = |dash| Style { dash, marker: Marker::None, ..look };
        let training = analysis.training_weights();
        let tuned = tuned(analysis);
        let dead = dead_zone(&curve);
        let several = curve.iter().any(|(_, spread)| spread.count > 1);
        let mut legend = Vec::new();
        if several {
            legend.push(Entry { text: "median over seeds".into(), sample: Sample::Line(none(&[])) });
            legend.push(Entry { text: "range over seeds".into(), sample: Sample::Patch(look.ink, 0.2) });
        } else {
            legend.push(Entry { text: "the found network".into(), sample: Sample::Line(none(&[])) });
        }
        if !training.is_empty() {
            let sample = Sample::Dot(Style { marker: Marker::Circle, ink: Ink::Text, dash: &[] });
            legend.push(Entry { text: "weight used in the search".into(), sample });
        }
        let best = Style { marker: Marker::Diamond, ..Style::of(1) };
        if !tuned.is_empty() {
            let text = if tuned.len() > 1 { "tuned weight of each seed" } else { "tuned weight" };
            legend.push(Entry { text: text.into(), sample: Sample::Dot(best) });
        }
        if dead.is_some() {
            legend.push(Entry::patch(Ink::Text, 0.12, "dead zone: below half of the best"));
        }
        let caption = format!(
            "The found networks on {}, each with one weight for all links; {}.",
            analysis.measure.unseen(),
            analysis.seeds_text()
        );
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let ends = |pick: fn(f64, f64) -> f64, from: f64| curve.iter().map(|point| point.0).fold(from, pick);
        let x = Axis::between(ends(f64::min, f64::INFINITY), ends(f64::max, f64::NEG_INFINITY), "shared weight");
        let values = curve.iter().flat_map(|(_, spread)| [spread.low, spread.high]).chain(tuned.iter().map(|t| t.2));
        let y = match analysis.measure {
            Measure::Accuracy => Axis::between(0.0, 1.0, analysis.measure.label()).written(Ticks::Percent),
            Measure::Return => Axis::linear(values.chain([0.0]), analysis.measure.label()),
            Measure::NegativeLoss => Axis::linear(values, analysis.measure.label()),
        };
        let panel = Panel::new(figure, body, x, y);
        if let Some((low, high)) = dead {
            let (top, bottom) = (panel.inner.top, panel.inner.bottom);
            figure.rectangle((panel.x(low), top), (panel.x(high), bottom), Ink::Text, 0.1);
            let text = format!("{} to {}", signed(low), signed(high));
            figure.remark((0.5 * (panel.x(low) + panel.x(high)), top + 14.0), text, 11.0, Anchor::Middle);
        }
        if several {
            let band: Vec<(f64, f64, f64)> = curve.iter().map(|(weight, s)| (*weight, s.low, s.high)).collect();
            panel.band(figure, &band, look.ink, 0.2);
            for seed in analysis.seeds() {
                panel.line(figure, &of_seed(analysis, seed), Stroke::solid(look.ink, 0.8).faint(0.45));
            }
        }
        let line: Vec<(f64, f64)> = curve.iter().map(|(weight, spread)| (*weight, spread.median)).collect();
        panel.line(figure, &line, Stroke::solid(look.ink, 2.6));
        let range = panel.x_axis().range();
        for weight in training.iter().copied().filter(|weight| (range.0..=range.1).contains(weight)) {
            let at = panel.at((weight, between(&line, weight)));
            figure.line(
                vec![(at.0, panel.inner.bottom), at],
                Stroke { dash: DOTTED, ..Stroke::solid(Ink::Text, 1.2).faint(0.6) },
            );
            figure.circle(at, 5.0, Ink::Paper, 1.0);
            figure.circle(at, 4.0, Ink::Text, 1.0);
        }
        for (_, weight, score) in &tuned {
            best.dot(figure, panel.at((*weight, *score)), 5.4, 1.0);
        }
        let mut numbers = Numbers::new(&["mark", "seed", "weight", "score", "low", "high"]);
        for (weight, spread) in &curve {
            numbers.row(&["median", ""], &[*weight, spread.median, spread.low, spread.high]);
        }
        for row in &analysis.weights {
            let score = row.score.unwrap_or(f64::NAN);
            numbers.row(&["seed", &row.seed.to_string()], &[row.weight, score, f64::NAN, f64::NAN]);
        }
        for weight in training {
            numbers.row(&["training weight", ""], &[weight, between(&line, weight), f64::NAN, f64::NAN]);
        }
        for (seed, weight, score) in tuned {
            numbers.row(&["tuned weight", &seed.to_string()], &[weight, score, f64::NAN, f64::NAN]);
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// Weights, ascending, with the spread of the scores over seeds.
fn response(analysis: &SearchAnalysis) -> Vec<(f64, Spread)> {
    let mut rows: Vec<(f64, f64)> = analysis.weights.iter().filter_map(|row| Some((row.weight, row.score?))).collect();
    rows.retain(|row| row.0.is_finite());
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Seeds write the same weight with the same digits; what differs by rounding only is the same too.
    let groups = rows.chunk_by(|a, b| (a.0 - b.0).abs() < 1e-9);
    let spread = |group: &[(f64, f64)]| {
        let scores: Vec<f64> = group.iter().map(|row| row.1).collect();
        Some((group[0].0, Spread::of(&scores)?))
    };
    groups.filter_map(spread).collect()
}

fn of_seed(analysis: &SearchAnalysis, seed: u64) -> Vec<(f64, f64)> {
    let rows = analysis.weights.iter().filter(|row| row.seed == seed && row.weight.is_finite());
    let mut rows: Vec<(f64, f64)> = rows.filter_map(|row| Some((row.weight, row.score?))).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows
}

/// Seed, tuned weight and its score.
fn tuned(analysis: &SearchAnalysis) -> Vec<(u64, f64, f64)> {
    let weight = |seed: u64| analysis.networks.iter().find(|found| found.seed == seed)?.network.shared_weight;
    let scores = analysis.scores("shared_tuned");
    scores.into_iter().filter_map(|(seed, score)| Some((seed, weight(seed)?, score))).collect()
}

/// Weights around 0 at which the median lies in the lower half of what it reaches; `None` if there are none.
fn dead_zone(curve: &[(f64, Spread)]) -> Option<(f64, f64)> {
    let medians = || curve.iter().map(|(_, spread)| spread.median);
    let (low, high) = medians().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    let middle = 0.5 * (low + high);
    let centre = curve.iter().enumerate().min_by(|a, b| a.1.0.abs().total_cmp(&b.1.0.abs()))?.0;
    let is_dead = |index: &usize| curve[*index].1.median < middle;
    if !is_dead(&centre) || curve[centre].0.abs() > 0.1 {
        return None;
    }
    let first = (0..=centre).rev().take_while(is_dead).last()?;
    let last = (centre..curve.len()).take_while(is_dead).last()?;
    // A curve that is dead over all of one side has no zone to show.
    (first > 0 && last + 1 < curve.len()).then(|| (curve[first].0, curve[last].0))
}

/// The curve's value at a weight, on the straight line between its neighbours.
fn between(line: &[(f64, f64)], weight: f64) -> f64 {
    let after = line.partition_point(|point| point.0 < weight);
    match (after.checked_sub(1).map(|before| line[before]), line.get(after)) {
        (Some(before), Some(next)) => before.1 + (weight - before.0) / (next.0 - before.0) * (next.1 - before.1),
        (None, Some(next)) => next.1,
        (Some(before), None) => before.1,
        (None, None) => f64::NAN,
    }
}

fn signed(x: f64) -> String {
    digits(x, 2).replace('-', "−")
}
