//! Which activations the search prefers.

use super::network::colour;
use crate::report::figure::{Anchor, Axis, Entry, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style, Ticks};
use crate::report::number::percent;
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::search::network::place_of;
use crate::report::search::{Found, SearchAnalysis};

/// How often each activation occurs in the champions.
pub struct Census;

impl Plot<SearchAnalysis> for Census {
    fn name(&self) -> &'static str {
        "census"
    }

    fn question(&self, _: &SearchAnalysis) -> String {
        "Which activations does the search choose?".into()
    }

    fn reading(&self) -> &'static str {
        "A bar beyond the line occurs more often in the found networks than blind choice would put it there. Small networks \
         have few nodes: the dots, one a seed, tell a preference from chance."
    }

    fn applies(&self, analysis: &SearchAnalysis) -> bool {
        analysis.networks.iter().any(|found| found.network.hidden().next().is_some())
    }

    fn draw(&self, analysis: &SearchAnalysis) -> Drawing {
        let allowed = analysis.allowed_activations();
        let mut names = allowed.clone();
        let nodes = || analysis.networks.iter().flat_map(|found| found.network.hidden());
        for node in nodes() {
            if !names.contains(&node.activation) {
                names.push(node.activation.clone());
            }
        }
        let count = |name: &str| nodes().filter(|node| node.activation == name).count();
        let all = nodes().count().max(1) as f64;
        names.sort_by_key(|name| (std::cmp::Reverse(count(name)), place_of(name)));
        let expected = (!allowed.is_empty()).then(|| 1.0 / allowed.len() as f64);
        let mut legend = vec![
            Entry::patch(Ink::Colour((110, 110, 110)), 0.85, "share of all hidden nodes, over seeds"),
            Entry { text: "one seed".into(), sample: Sample::Dot(dot()) },
        ];
        if expected.is_some() {
            let line = Style { ink: Ink::Text, dash: &[], marker: Marker::None };
            legend.push(Entry { text: "share if chosen blindly".into(), sample: Sample::Line(line) });
        }
        let caption = format!(
            "Hidden nodes that carry signals in the found networks of {}: {} nodes, {} activations allowed.",
            analysis.seeds_text(),
            all,
            if allowed.is_empty() { "all".into() } else { allowed.len().to_string() },
        );
        const ROW: f64 = 25.0;
        let height = 140.0 + ROW * names.len() as f64;
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let body = Rect { left: sheet.body.left + 92.0, right: sheet.body.right - 46.0, ..sheet.body };
        let figure = &mut sheet.figure;
        let share_of = |found: &Found, name: &str| {
            let own = found.network.hidden().filter(|node| node.activation == name).count();
            let all = found.network.hidden().count();
            (all > 0).then(|| own as f64 / all as f64)
        };
        let seeds = |name: &str| -> Vec<(u64, f64)> {
            analysis.networks.iter().filter_map(|found| Some((found.seed, share_of(found, name)?))).collect()
        };
        let most =
            names.iter().flat_map(|name| seeds(name)).map(|share| share.1).fold(expected.unwrap_or(0.0), f64::max);
        let x = Axis::between(0.0, (1.05 * most).clamp(0.1, 1.0), "share of the hidden nodes").written(Ticks::Percent);
        let panel = Panel::new(figure, body, x, Axis::between(0.0, names.len() as f64, "").bare());
        let mut numbers = Numbers::new(&["activation", "seed", "count", "share", "blind_share"]);
        for (place, name) in names.iter().enumerate() {
            let top = (names.len() - place) as f64;
            let share = count(name) as f64 / all;
            figure.rectangle(panel.at((0.0, top - 0.16)), panel.at((share, top - 0.84)), colour(name), 0.85);
            let middle = panel.at((0.0, top - 0.5)).1;
            figure.text((panel.inner.left - 8.0, middle + 4.2), name.clone(), 12.0, Anchor::End);
            for (index, (_, share)) in seeds(name).iter().enumerate() {
                let lift = ((index as f64 + 1.0) * 0.618_033_988_75).fract() - 0.5;
                let at = (panel.x(*share), middle + 0.46 * ROW * lift);
                figure.circle(at, 3.2, Ink::Paper, 0.9);
                dot().dot(figure, at, 2.4, 0.85);
            }
            figure.remark((panel.inner.right + 8.0, middle + 4.2), percent(share), 11.5, Anchor::Start);
            let blind = if allowed.contains(name) { expected.unwrap_or(f64::NAN) } else { 0.0 };
            numbers.row(&[name, "all"], &[count(name) as f64, share, blind]);
            for (seed, share) in seeds(name) {
                let own = analysis.networks.iter().find(|found| found.seed == seed);
                let own = own.map_or(0, |found| found.network.hidden().filter(|node| node.activation == *name).count());
                numbers.row(&[name, &seed.to_string()], &[own as f64, share, blind]);
            }
        }
        if let Some(expected) = expected {
            let ends = [(expected, 0.0), (expected, names.len() as f64)];
            panel.line(figure, &ends, Stroke::solid(Ink::Text, 1.6));
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

fn dot() -> Style {
    Style { ink: Ink::Text, dash: &[], marker: Marker::Circle }
}
