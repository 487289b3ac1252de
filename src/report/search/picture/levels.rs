//! What came out, kind by kind.

use crate::math::statistics::median;
use crate::report::figure::{
    Anchor, Axis, Entry, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style, Ticks, shortened,
};
use crate::report::number::digits;
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::search::{Measure, SearchAnalysis};

/// Results by kind: every seed a dot.
pub struct Levels;

const ROW: f64 = 32.0;

impl Plot<SearchAnalysis> for Levels {
    fn name(&self) -> &'static str {
        "levels"
    }

    fn question(&self, _: &SearchAnalysis) -> String {
        "How good is the topology alone, and what do weights add?".into()
    }

    fn reading(&self) -> &'static str {
        "Every dot is a seed, the bar its median, further right is better. Shared weights far above the fixed topology mean \
         that the search found structure, not weights; the distance from there to tuned weights is what training would \
         still add. In-sample rows are the best of many on the draws they were chosen by."
    }

    fn applies(&self, analysis: &SearchAnalysis) -> bool {
        analysis.kinds().iter().any(|(kind, _)| analysis.is_comparable(kind))
    }

    fn draw(&self, analysis: &SearchAnalysis) -> Drawing {
        let mut kinds = analysis.kinds();
        kinds.retain(|(kind, _)| analysis.is_comparable(kind));
        let has_failures = analysis.results.iter().any(|row| row.failures.is_some());
        let entry = |text: &str, ink, marker| Entry {
            text: text.into(),
            sample: Sample::Dot(Style { ink, dash: &[], marker }),
        };
        let mut legend = vec![entry("one shared weight", group("shared").ink, group("shared").marker)];
        for (name, text) in [
            ("random_weights", "a weight for each link"),
            ("fixed_shared", "fixed topology"),
            ("in_sample_mean", "in-sample"),
        ] {
            if kinds.iter().any(|(kind, _)| group(kind).ink == group(name).ink) {
                legend.push(entry(text, group(name).ink, group(name).marker));
            }
        }
        legend.push(entry("median", Ink::Text, Marker::None));
        let legend_end = legend.len() - 1;
        legend[legend_end].sample = Sample::Line(Style { ink: Ink::Text, dash: &[], marker: Marker::None });
        // Other kinds count every start once per weight or draw; rows count weights.
        let single = analysis.results.iter().filter(|row| row.kind == "shared_tuned").filter_map(|row| row.trials);
        let starts = if analysis.measure == Measure::Return { single.fold(0.0, f64::max) } else { 0.0 };
        let caption = format!(
            "{} on {}{}, {}{}.",
            capital(analysis.measure.label().split(" on ").next().unwrap_or("score")),
            if starts > 0.0 { format!("{starts:.0} ") } else { String::new() },
            analysis.measure.unseen(),
            analysis.seeds_text(),
            if has_failures {
                "; at the right the median, and the median share of episodes that failed"
            } else {
                "; at the right the median"
            },
        );
        let height = 150.0 + ROW * kinds.len() as f64;
        let mut sheet = Sheet::sized(880.0, height, &self.question(analysis), &caption, &legend);
        let names = 292.0;
        let right = if has_failures { 128.0 } else { 58.0 };
        let body = Rect { left: sheet.body.left + names, right: sheet.body.right - right, ..sheet.body };
        let figure = &mut sheet.figure;
        let values = kinds.iter().flat_map(|(kind, _)| analysis.scores(kind)).map(|score| score.1);
        let x = match analysis.measure {
            Measure::Return => Axis::linear(values.chain([0.0]), analysis.measure.label()),
            Measure::Accuracy => Axis::linear(values, analysis.measure.label()).written(Ticks::Percent),
            Measure::NegativeLoss => Axis::linear(values, analysis.measure.label()),
        };
        let (low, high) = x.range();
        let x = if analysis.measure == Measure::Accuracy { x.from(low.max(0.0)).to(high.min(1.0)) } else { x };
        let panel = Panel::new(figure, body, x, Axis::between(0.0, kinds.len() as f64, "").bare());
        let mut numbers = Numbers::new(&["kind", "seed", "score", "deviation", "failures", "trials"]);
        for (place, (kind, words)) in kinds.iter().enumerate() {
            let top = (kinds.len() - place) as f64;
            let middle = panel.at((low, top - 0.5)).1;
            if place % 2 == 0 {
                let edge = 0.5 * ROW * 0.96;
                figure.rectangle(
                    (panel.inner.left - names, middle - edge),
                    (panel.inner.right + right, middle + edge),
                    Ink::Text,
                    0.035,
                );
            }
            figure.text(
                (panel.inner.left - 10.0, middle + 4.2),
                shortened(words, 12.0, names - 14.0),
                12.0,
                Anchor::End,
            );
            let scores = analysis.scores(kind);
            let style = group(kind);
            for (index, (_, score)) in scores.iter().enumerate() {
                let lift = ((index as f64 + 1.0) * 0.618_033_988_75).fract() - 0.5;
                style.dot(figure, (panel.x(*score), middle + 0.5 * ROW * lift), 4.0, 0.75);
            }
            if let Some(median) = median(&scores.iter().map(|score| score.1).collect::<Vec<_>>()) {
                let x = panel.x(median);
                figure.line(vec![(x, middle - 0.4 * ROW), (x, middle + 0.4 * ROW)], Stroke::solid(Ink::Text, 2.6));
                let mut text = analysis.measure.written(median);
                let rows = analysis.results.iter().filter(|row| row.kind == *kind);
                let failures: Vec<f64> = rows.filter_map(|row| row.failures).collect();
                if let Some(failures) = crate::math::statistics::median(&failures) {
                    text.push_str(&format!(" · {}% fail", digits(100.0 * failures, 2)));
                }
                figure.text((panel.inner.right + 8.0, middle + 4.2), text, 12.0, Anchor::Start);
            }
            for row in analysis.results.iter().filter(|row| row.kind == *kind) {
                let numbered = [row.score, row.deviation, row.failures, row.trials].map(|x| x.unwrap_or(f64::NAN));
                numbers.row(&[kind, &row.seed.to_string()], &numbered);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// The look of a kind: what its weights are.
fn group(kind: &str) -> Style {
    match kind {
        kind if kind.starts_with("in_sample") => Style { marker: Marker::Inverted, ..Style::of(6) },
        kind if kind.starts_with("fixed") => Style { marker: Marker::Square, ..Style::of(1) },
        "random_weights" | "tuned_weights" => Style { marker: Marker::Triangle, ..Style::of(2) },
        _ => Style { marker: Marker::Circle, ..Style::of(0) },
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
