//! Ways down one landscape from one start.

use super::landscape::{BANDS, Levels, contour, ground};
use super::{MOST_ARMS, headed};
use crate::experiment::WeightAnalysis;
use crate::experiment::analyze::{LandscapeRow, TrailRow};
use crate::report::figure::{Axis, Entry, Figure, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style};
use crate::report::number::{percent, short};
use crate::report::plot::{Drawing, Numbers, Plot};

/// Steps that get a dot each.
const DOTS: u64 = 30;
const WAY: Ink = Ink::Colour((0, 62, 120));

/// Every arm's way in the plane of all ways, over the training loss.
pub struct Descent;

impl Plot<WeightAnalysis> for Descent {
    fn name(&self) -> &'static str {
        "descent-paths"
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        "Which way does each arm take from one start?".into()
    }

    fn reading(&self) -> &'static str {
        "Arms that began to train from the very same weights, run again and drawn into one plane: axes, colours and lines of \
         equal loss are the same in all panels. Dots are single steps. The plane is the one that holds most of all ways; what \
         of them lies outside it is not seen, so that a way may seem to climb where it does not."
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        !analysis.ways.trails.is_empty()
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let ways = &analysis.ways;
        let all: Vec<&[TrailRow]> = ways.trails.chunk_by(|a, b| a.arm == b.arm).take(MOST_ARMS).collect();
        let rows: Vec<&LandscapeRow> = ways.landscape.iter().collect();
        let levels = Levels::of(rows.iter().filter_map(|row| row.train_loss));
        let columns = if all.len() == 4 { 2 } else { all.len().clamp(1, 3) };
        let lines = all.len().div_ceil(columns);
        let side = (740.0 / columns as f64).clamp(220.0, 420.0);
        let height = 105.0 + lines as f64 * (side + 20.0);
        let patch = |band: usize, text: String| Entry::patch(Ink::Colour(levels.colour(band)), 1.0, text);
        let dot = |marker| Sample::Dot(Style { ink: WAY, dash: &[], marker });
        let legend = [
            patch(0, format!("loss {}", short(levels.edges[0]))),
            patch(BANDS / 2, short(levels.edges[BANDS / 2])),
            patch(BANDS - 1, format!("{} and more", short(levels.edges[BANDS - 1]))),
            Entry { text: "start".into(), sample: dot(Marker::Square) },
            Entry { text: "end".into(), sample: dot(Marker::Diamond) },
        ];
        let whole = match ways.is_whole {
            true => "the network has these two parameters and no more".to_owned(),
            false => format!("the plane holds {} of the squared distances from the start", percent(ways.share)),
        };
        let caption = format!("Seed {}; {whole}; lines join equal losses.", analysis.seed);
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "step", "cost", "x", "y", "train_loss"]);
        let tiles = sheet.body.rows(lines, 14.0).into_iter().flat_map(|line| line.columns(columns, 12.0));
        let figure = &mut sheet.figure;
        for (way, tile) in all.into_iter().zip(tiles) {
            draw_way(figure, tile, way, &rows, &levels, ways.is_whole);
            for row in way {
                let words = [&row.arm[..], &row.step.to_string()];
                numbers.row(&words, &[row.cost, row.x, row.y, row.train_loss.unwrap_or(f64::NAN)]);
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

fn draw_way(
    figure: &mut Figure,
    tile: Rect,
    way: &[TrailRow],
    rows: &[&LandscapeRow],
    levels: &Levels,
    is_whole: bool,
) {
    let (Some(first), Some(last), Some(corner)) = (way.first(), way.last(), rows.first()) else { return };
    let loss = last.train_loss.map_or("–".to_owned(), short);
    let steps = if last.step == 1 { "step" } else { "steps" };
    let tile = headed(figure, tile, &format!("{}: {loss} after {} {steps}", first.arm, last.step));
    let width = rows.iter().take_while(|row| row.y == corner.y).count();
    let end = rows[rows.len() - 1];
    let side = (tile.right - tile.left - 40.0).min(tile.bottom - tile.top - 38.0);
    let tile = Rect { right: tile.left + 40.0 + side, bottom: tile.top + 38.0 + side, ..tile };
    let [x, y] = if is_whole { ["weight", "threshold"] } else { ["", ""] };
    let panel = Panel::new(figure, tile, Axis::between(corner.x, end.x, x), Axis::between(corner.y, end.y, y));
    ground(figure, &panel, rows, width, levels);
    for edge in &levels.edges[1..] {
        contour(figure, &panel, rows, width, *edge);
    }
    let points: Vec<(f64, f64)> = way.iter().map(|row| panel.at((row.x, row.y))).collect();
    figure.line(points.clone(), Stroke::solid(Ink::Paper, 4.0).faint(0.75));
    figure.line(points.clone(), Stroke::solid(WAY, 1.7));
    for (_, point) in way.iter().zip(&points).filter(|(row, _)| row.step <= DOTS) {
        figure.circle(*point, 2.3, WAY, 1.0);
    }
    for (marker, point) in [(Marker::Square, points[0]), (Marker::Diamond, points[points.len() - 1])] {
        Style { ink: Ink::Paper, dash: &[], marker }.dot(figure, point, 6.8, 1.0);
        Style { ink: WAY, dash: &[], marker }.dot(figure, point, 5.0, 1.0);
    }
}
