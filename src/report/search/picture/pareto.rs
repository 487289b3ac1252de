//! What more connections buy.

use crate::report::figure::{Anchor, Axis, Entry, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style, Ticks, heat};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::search::{FrontRow, SearchAnalysis};

/// Fronts of performance against connections.
pub struct Pareto;

impl Plot<SearchAnalysis> for Pareto {
    fn name(&self) -> &'static str {
        "pareto"
    }

    fn question(&self, _: &SearchAnalysis) -> String {
        "Small or good: what do more connections buy?".into()
    }

    fn reading(&self) -> &'static str {
        "A stair is a generation's front: with so many connections, no network of that generation scored higher. Up and \
         to the left is better; stairs that stop rising to the right show how many connections are enough. Scores are \
         in-sample, so the best ones are partly luck."
    }

    fn applies(&self, analysis: &SearchAnalysis) -> bool {
        analysis.fronts.iter().any(|row| row.mean.is_some())
    }

    fn draw(&self, analysis: &SearchAnalysis) -> Drawing {
        let rows = || analysis.fronts.iter();
        let mut generations: Vec<u64> = rows().map(|row| row.generation).collect();
        generations.sort_unstable();
        generations.dedup();
        let shade = |place: usize| (place + 1) as f64 / generations.len() as f64;
        let look = |place: usize| Style {
            ink: Ink::Colour(heat(0.25 + 0.75 * shade(place))),
            dash: &[],
            marker: Style::of(place).marker,
        };
        let mut legend: Vec<Entry> = generations
            .iter()
            .enumerate()
            .map(|(place, generation)| Entry {
                text: format!("generation {generation}"),
                sample: Sample::Line(look(place)),
            })
            .collect();
        let champions = champions(analysis);
        let champion = Style { marker: Marker::Cross, ..Style::of(1) };
        if !champions.is_empty() {
            legend.push(Entry { text: "champion of a seed, on fresh draws".into(), sample: Sample::Dot(champion) });
        }
        let caption = format!(
            "Networks of a generation that no other one beats in score and connections at once; the fronts of {} together, \
             {}.",
            analysis.seeds_text(),
            analysis.measure.search_label()
        );
        let mut sheet = Sheet::sized(860.0, 470.0, &self.question(analysis), &caption, &legend);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let mut numbers = Numbers::new(&["score_of", "seed", "generation", "connections", "score", "on_pooled_front"]);
        let heads = [("mean of the shared weights", "mean"), ("best of the shared weights", "peak")];
        for (outer, (side, (head, name))) in body.columns(2, 18.0).into_iter().zip(heads.into_iter().enumerate()) {
            let score = |row: &FrontRow| if side == 0 { row.mean } else { row.peak };
            figure.text(((outer.left + outer.right) / 2.0, outer.top + 8.0), head, 12.5, Anchor::Middle);
            let outer = Rect { top: outer.top + 18.0, ..outer };
            let shown = champions.iter().map(|champion| (champion.1, champion.2[side]));
            let points: Vec<(f64, f64)> =
                rows().filter_map(|row| Some((row.connections, score(row)?))).chain(shown.clone()).collect();
            let x = Axis::linear(points.iter().map(|point| point.0).chain([0.0]), "connections").written(Ticks::Counts);
            let x = x.from(0.0);
            let y = Axis::linear(
                points.iter().map(|point| point.1),
                if side == 0 { analysis.measure.search_label() } else { "" },
            );
            let panel = Panel::new(figure, outer, x, y);
            let right = panel.x_axis().range().1;
            for (place, generation) in generations.iter().enumerate() {
                let own: Vec<&FrontRow> = rows().filter(|row| row.generation == *generation).collect();
                let points: Vec<(f64, f64)> =
                    own.iter().filter_map(|row| Some((row.connections, score(row)?))).collect();
                let front = front(&points);
                let style = look(place);
                for point in &points {
                    figure.circle(panel.at(*point), 2.0, style.ink, 0.4);
                }
                let mut stairs = front.clone();
                stairs.extend(front.last().map(|last| (right, last.1)));
                panel.steps(figure, &stairs, Stroke::solid(style.ink, 1.2 + 1.2 * shade(place)));
                for point in &front {
                    style.dot(figure, panel.at(*point), 3.4, 1.0);
                }
                for row in own {
                    let value = score(row).unwrap_or(f64::NAN);
                    let on = front.contains(&(row.connections, value));
                    let words = [name, &row.seed.to_string()];
                    numbers.row(&words, &[row.generation as f64, row.connections, value, f64::from(u8::from(on))]);
                }
            }
            for (seed, connections, scores) in &champions {
                champion.dot(figure, panel.at((*connections, scores[side])), 5.0, 0.9);
                let words = [&format!("champion {name}")[..], &seed.to_string()];
                numbers.row(&words, &[f64::NAN, *connections, scores[side], f64::NAN]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// The points that no other one beats in fewer connections and a higher score, by connections.
fn front(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut best = f64::NEG_INFINITY;
    points.retain(|point| {
        let rises = point.1 > best;
        best = best.max(point.1);
        rises
    });
    points
}

/// Seed, connections, and mean and peak of the last champions that have all three.
fn champions(analysis: &SearchAnalysis) -> Vec<(u64, f64, [f64; 2])> {
    let of_seed = |seed: u64| {
        let rows = analysis.generations.iter().filter(|row| row.seed == seed);
        let whole = rows.filter_map(|row| {
            Some((row.generation, row.champion_connections?, [row.champion_mean?, row.champion_peak?]))
        });
        whole.max_by_key(|row| row.0).map(|(_, connections, scores)| (seed, connections, scores))
    };
    analysis.seeds().into_iter().filter_map(of_seed).collect()
}

#[cfg(test)]
mod tests {
    use super::front;

    #[test]
    fn fronts_hold_what_nothing_beats() {
        let points = [(5.0, 2.0), (3.0, 1.0), (3.0, 1.5), (7.0, 2.0), (1.0, 0.5), (9.0, 4.0)];
        assert_eq!(front(&points), [(1.0, 0.5), (3.0, 1.5), (5.0, 2.0), (9.0, 4.0)]);
        assert!(front(&[]).is_empty());
    }
}
