//! The landscape of the loss around the weights of a run.

use super::{MOST_ARMS, headed};
use crate::experiment::WeightAnalysis;
use crate::experiment::analyze::{LandscapeRow, PlaceRow, Plane};
use crate::experiment::record::Moment;
use crate::report::figure::{
    Anchor, Axis, Entry, Figure, Ink, Mark, Marker, Panel, Rect, Sample, Sheet, Stroke, Style, heat,
};
use crate::report::number::short;
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::weights::page::moment_name;

/// Bands of equal colour.
pub(super) const BANDS: usize = 10;

/// Training loss on a grid, with the weights of the run drawn in.
pub struct Landscape(pub Plane);

impl Plot<WeightAnalysis> for Landscape {
    fn name(&self) -> &'static str {
        match self.0 {
            Plane::Path => "landscape",
            Plane::Random | Plane::Shared | Plane::Components => "landscape-random",
        }
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        match self.0 {
            Plane::Path => "Where did search and training go?".into(),
            Plane::Random | Plane::Shared | Plane::Components => "How wide is the basin?".into(),
        }
    }

    fn reading(&self) -> &'static str {
        match self.0 {
            Plane::Path => {
                "Training loss in the plane through first draw, start and deployed weights; distances in the picture are \
                 distances between weights. Where the start is the first draw the upward direction is a random one. \
                 Training itself left the plane between its ends."
            }
            Plane::Random | Plane::Shared | Plane::Components => {
                "Training loss around the deployed weights along two random directions; at 1 every unit's weights have \
                 moved by their own length. Arms share the scale of colours: a wide pale ground is a flat basin. Two \
                 directions of many show little of a landscape (Li et al. 2018)."
            }
        }
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        analysis.landscape.iter().any(|row| row.plane == self.0 && row.train_loss.is_some())
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let own = |arm: &str| -> Vec<&LandscapeRow> {
            analysis.landscape.iter().filter(|row| row.plane == self.0 && row.arm == arm).collect()
        };
        let arms: Vec<(&str, Vec<&LandscapeRow>)> =
            analysis.arms.iter().map(|arm| (arm.name.as_str(), own(&arm.name))).collect();
        let arms: Vec<_> = arms.into_iter().filter(|(_, rows)| !rows.is_empty()).take(MOST_ARMS).collect();
        let losses = || arms.iter().flat_map(|(_, rows)| rows).filter_map(|row| row.train_loss);
        let levels = Levels::of(losses());
        let columns = arms.len().clamp(1, 3);
        let lines = arms.len().div_ceil(columns);
        let side = (740.0 / columns as f64).clamp(220.0, 420.0);
        let height = 105.0 + lines as f64 * (side + 20.0);
        let mut legend = vec![
            Entry::patch(Ink::Colour(levels.colour(0)), 1.0, format!("loss {}", short(levels.edges[0]))),
            Entry::patch(Ink::Colour(levels.colour(BANDS / 2)), 1.0, short(levels.edges[BANDS / 2])),
            Entry::patch(
                Ink::Colour(levels.colour(BANDS - 1)),
                1.0,
                format!("{} and more", short(levels.edges[BANDS - 1])),
            ),
        ];
        let used = |moment: Moment| analysis.places.iter().any(|place| place.plane == self.0 && place.moment == moment);
        for moment in [Moment::Drawn, Moment::Start, Moment::End].into_iter().filter(|moment| used(*moment)) {
            legend.push(Entry { text: moment_name(moment).into(), sample: Sample::Dot(look(moment, Ink::Text)) });
        }
        let caption = format!(
            "Seed {}; the scale of colours is logarithmic, the same for all arms; lines join equal losses.",
            analysis.seed
        );
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "x", "y", "train_loss"]);
        let tiles = sheet.body.rows(lines, 14.0).into_iter().flat_map(|line| line.columns(columns, 12.0));
        let figure = &mut sheet.figure;
        for ((arm, rows), tile) in arms.iter().zip(tiles) {
            let tile = headed(figure, tile, arm);
            let width = rows.iter().take_while(|row| row.y == rows[0].y).count();
            let ends = |number: fn(&LandscapeRow) -> f64| (number(rows[0]), number(rows[rows.len() - 1]));
            let ((left, right), (low, high)) = (ends(|row| row.x), ends(|row| row.y));
            // A square, so that both directions show the same length.
            let label = if self.0 == Plane::Path { "towards the deployed weights" } else { "" };
            let side = (tile.right - tile.left - 40.0).min(tile.bottom - tile.top - 38.0);
            let tile = Rect { right: tile.left + 40.0 + side, bottom: tile.top + 38.0 + side, ..tile };
            let panel = Panel::new(figure, tile, Axis::between(left, right, label), Axis::between(low, high, ""));
            ground(figure, &panel, rows, width, &levels);
            for edge in &levels.edges[1..] {
                contour(figure, &panel, rows, width, *edge);
            }
            let places: Vec<&PlaceRow> =
                analysis.places.iter().filter(|place| place.plane == self.0 && place.arm == *arm).collect();
            let points: Vec<(f64, f64)> = places.iter().map(|place| panel.at((place.x, place.y))).collect();
            figure.line(points.clone(), Stroke::solid(Ink::Paper, 4.0).faint(0.8));
            figure.line(points.clone(), Stroke::solid(Ink::Colour(PATH), 1.8));
            for (place, point) in places.iter().zip(&points) {
                look(place.moment, Ink::Paper).dot(figure, *point, 6.5, 1.0);
                look(place.moment, Ink::Colour(PATH)).dot(figure, *point, 4.8, 1.0);
                let text = place.train_loss.map_or(String::new(), short);
                let above = if place.moment == Moment::End { -9.0 } else { 17.0 };
                // Paper behind the number, so that it can be read on any ground.
                let size = crate::report::figure::text_width(&text, 10.5);
                let from = (point.0 - size / 2.0 - 2.0, point.1 + above - 9.0);
                figure.rectangle(from, (from.0 + size + 4.0, from.1 + 12.0), Ink::Paper, 0.8);
                figure.marks.push(Mark::Text {
                    at: (point.0, point.1 + above),
                    text,
                    size: 10.5,
                    anchor: Anchor::Middle,
                    upwards: false,
                    opacity: 1.0,
                });
            }
            for row in rows {
                numbers.row(&[arm], &[row.x, row.y, row.train_loss.unwrap_or(f64::NAN)]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

const PATH: (u8, u8, u8) = (213, 94, 0);

/// How weights of a moment are marked.
fn look(moment: Moment, ink: Ink) -> Style {
    let marker = match moment {
        Moment::Drawn => Marker::Square,
        Moment::Start => Marker::Circle,
        Moment::End => Marker::Diamond,
    };
    Style { ink, dash: &[], marker }
}

/// Bands of losses: band k begins at `edges[k]`.
pub(super) struct Levels {
    pub edges: Vec<f64>,
}

impl Levels {
    /// Equal ratios of the loss above its least value, from the 2 % to the 98 % quantile; equal steps where a loss is 0.
    pub fn of(losses: impl Iterator<Item = f64>) -> Levels {
        let losses = crate::math::statistics::sorted(&losses.collect::<Vec<_>>());
        let at = |share| crate::math::statistics::quantile_of_sorted(&losses, share).unwrap_or(0.0);
        let (low, high) = (at(0.0), at(0.98));
        let axis =
            if high > low { Axis::logarithmic([low, high], "") } else { Axis::between(low - 0.5, low + 0.5, "") };
        Levels { edges: (0..BANDS).map(|band| axis.value(band as f64 / BANDS as f64)).collect() }
    }

    fn band(&self, loss: Option<f64>) -> usize {
        let loss = loss.unwrap_or(f64::INFINITY);
        self.edges[1..].iter().filter(|edge| loss >= **edge).count()
    }

    pub fn colour(&self, band: usize) -> (u8, u8, u8) {
        heat(band as f64 / (BANDS - 1) as f64)
    }
}

/// Each point colours the rectangle around it; neighbours of one band are one rectangle, all of a band one mark.
pub(super) fn ground(figure: &mut Figure, panel: &Panel, rows: &[&LandscapeRow], width: usize, levels: &Levels) {
    let inner = panel.inner;
    let height = rows.len() / width;
    // The outermost points lie on the edge and have half a cell.
    let edge = |place: usize, count: usize| ((place as f64 - 0.5) / (count - 1).max(1) as f64).clamp(0.0, 1.0);
    let x = |place: usize| inner.left + edge(place, width) * (inner.right - inner.left);
    let y = |place: usize| inner.bottom - edge(place, height) * (inner.bottom - inner.top);
    let mut tiles = vec![Vec::new(); BANDS];
    for (line, points) in rows.chunks(width).enumerate() {
        let bands: Vec<usize> = points.iter().map(|row| levels.band(row.train_loss)).collect();
        let mut first = 0;
        for run in bands.chunk_by(|a, b| a == b) {
            tiles[run[0]].push([(x(first), y(line + 1)), (x(first + run.len()), y(line))]);
            first += run.len();
        }
    }
    for (band, rectangles) in tiles.into_iter().enumerate().filter(|(_, rectangles)| !rectangles.is_empty()) {
        figure.marks.push(Mark::Tiles { rectangles, ink: Ink::Colour(levels.colour(band)), opacity: 1.0 });
    }
}

/// Lines of equal loss, cell by cell (marching squares), joined where they meet.
pub(super) fn contour(figure: &mut Figure, panel: &Panel, rows: &[&LandscapeRow], width: usize, level: f64) {
    let value = |at: usize| rows[at].train_loss.unwrap_or(f64::INFINITY);
    // An edge of the grid by its lower or left point and whether it goes up.
    type Edge = (usize, bool);
    let crossing = |(at, up): Edge| -> (f64, f64) {
        let other = if up { at + width } else { at + 1 };
        let (a, b) = (value(at), value(other));
        let share = if b.is_finite() && a.is_finite() { (level - a) / (b - a) } else { 0.5 };
        let mix = |a: f64, b: f64| a + share.clamp(0.0, 1.0) * (b - a);
        panel.at((mix(rows[at].x, rows[other].x), mix(rows[at].y, rows[other].y)))
    };
    let mut pieces: Vec<(Edge, Edge)> = Vec::new();
    for at in 0..rows.len() - width {
        if at % width + 1 == width {
            continue;
        }
        let corners = [at, at + 1, at + width + 1, at + width].map(|corner| value(corner) >= level);
        let edges: [Edge; 4] = [(at, false), (at + 1, true), (at + width, false), (at, true)];
        let crossed: Vec<Edge> =
            (0..4).filter(|side| corners[*side] != corners[(side + 1) % 4]).map(|side| edges[side]).collect();
        match crossed[..] {
            [a, b] => pieces.push((a, b)),
            // A saddle: either way of joining is right.
            [a, b, c, d] => pieces.extend([(a, b), (c, d)]),
            _ => {}
        }
    }
    let stroke = Stroke::solid(Ink::Colour((30, 30, 30)), 0.7).faint(0.45);
    for chain in chains(pieces) {
        figure.line(chain.into_iter().map(crossing).collect(), stroke);
    }
}

/// Pieces that share an end, as lines from end to end; each end belongs to at most two.
fn chains<E: Copy + Eq + std::hash::Hash + Ord>(pieces: Vec<(E, E)>) -> Vec<Vec<E>> {
    let mut ends: std::collections::HashMap<E, Vec<usize>> = std::collections::HashMap::new();
    for (index, (a, b)) in pieces.iter().enumerate() {
        ends.entry(*a).or_default().push(index);
        ends.entry(*b).or_default().push(index);
    }
    let mut used = vec![false; pieces.len()];
    let mut all = Vec::new();
    for index in 0..pieces.len() {
        if used[index] {
            continue;
        }
        used[index] = true;
        let mut chain = std::collections::VecDeque::from([pieces[index].0, pieces[index].1]);
        for forward in [true, false] {
            loop {
                let end = if forward { chain[chain.len() - 1] } else { chain[0] };
                let Some(&next) = ends[&end].iter().find(|next| !used[**next]) else { break };
                used[next] = true;
                let other = if pieces[next].0 == end { pieces[next].1 } else { pieces[next].0 };
                if forward { chain.push_back(other) } else { chain.push_front(other) }
            }
        }
        all.push(chain.into());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines_and_rings() {
        assert_eq!(chains(vec![(1, 2), (3, 4), (2, 3)]), [vec![1, 2, 3, 4]]);
        assert_eq!(chains(vec![(1, 2), (2, 3), (3, 1)]), [vec![1, 2, 3, 1]]);
        assert_eq!(chains(vec![(1, 2), (8, 9)]).len(), 2);
    }

    #[test]
    fn bands_rise_with_the_loss() {
        let levels = Levels::of([0.01, 0.1, 1.0, 10.0].into_iter());
        assert_eq!((levels.band(Some(0.009)), levels.band(Some(100.0)), levels.band(None)), (0, BANDS - 1, BANDS - 1));
        assert!(levels.edges.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Levels::of([0.5; 3].into_iter()).edges.len(), BANDS);
    }
}
