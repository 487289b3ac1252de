//! How a population moved, and training after it, in the plane of their principal components.

use super::landscape::{BANDS, Levels, contour, ground};
use super::{MOST_ARMS, headed};
use crate::experiment::WeightAnalysis;
use crate::experiment::analyze::{IndividualRow, LandscapeRow, PlaceRow, TrailRow, Whose};
use crate::experiment::record::Moment;
use crate::report::figure::{Axis, Entry, Figure, Ink, Marker, Panel, Rect, Rgb, Sample, Sheet, Stroke, Style};
use crate::report::number::{percent, short};
use crate::report::plot::{Drawing, Numbers, Plot};

const WAY: Ink = Ink::Colour((0, 0, 0));

/// Individuals of a few generations, the start that was chosen, and the way of training, over the training loss.
pub struct Components;

impl Plot<WeightAnalysis> for Components {
    fn name(&self) -> &'static str {
        "population-components"
    }

    fn question(&self, _: &WeightAnalysis) -> String {
        "How did the population move, and training after it?".into()
    }

    fn reading(&self) -> &'static str {
        "The search was run again at one seed. Each dot is an individual, the darker the later its generation; the line is \
         gradient descent from the start that was chosen to the deployed weights. The plane leads through that start along \
         the first two principal components of the population and of the way of training, each with the same weight, and \
         each axis has a scale of its own; lines join equal losses. Whatever lies outside the plane is not seen: an \
         individual or a bend of the way may lie lower than the ground below it. Hidden units are not renumbered, so equal \
         networks may lie far apart."
    }

    fn applies(&self, analysis: &WeightAnalysis) -> bool {
        !analysis.components.individuals.is_empty() && !analysis.components.landscape.is_empty()
    }

    fn draw(&self, analysis: &WeightAnalysis) -> Drawing {
        let found = &analysis.components;
        let arms: Vec<&[LandscapeRow]> = found.landscape.chunk_by(|a, b| a.arm == b.arm).take(MOST_ARMS).collect();
        let levels = Levels::of(arms.iter().copied().flatten().filter_map(|row| row.train_loss));
        let columns = arms.len().clamp(1, 2);
        let lines = arms.len().div_ceil(columns);
        let side = if columns == 1 { 440.0 } else { 350.0 };
        let height = 125.0 + lines as f64 * (side + 20.0);
        let patch = |band: usize, text: String| Entry::patch(Ink::Colour(levels.colour(band)), 1.0, text);
        let dot = |marker, ink, text: &str| Entry {
            text: text.into(),
            sample: Sample::Dot(Style { ink, dash: &[], marker }),
        };
        let legend = [
            patch(0, format!("loss {}", short(levels.edges[0]))),
            patch(BANDS - 1, format!("{} and more", short(levels.edges[BANDS - 1]))),
            dot(Marker::Circle, Ink::Colour(age(0.0)), "generation 0"),
            dot(Marker::Circle, Ink::Colour(age(1.0)), "last"),
            dot(Marker::Square, WAY, "start"),
            Entry {
                text: "training".into(),
                sample: Sample::Line(Style { ink: WAY, dash: &[], marker: Marker::None }),
            },
            dot(Marker::Diamond, WAY, "deployed"),
        ];
        let caption = format!("Seed {}; shares of the variance on the axes.", analysis.seed);
        let mut sheet = Sheet::sized(760.0, height, &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "what", "number", "x", "y", "fitness_or_loss"]);
        let tiles = sheet.body.rows(lines, 14.0).into_iter().flat_map(|line| line.columns(columns, 16.0));
        for (grid, tile) in arms.into_iter().zip(tiles) {
            let arm = grid[0].arm.as_str();
            let labels = [1, 2].map(|component| label(analysis, arm, component));
            let individuals: Vec<&IndividualRow> = found.individuals.iter().filter(|row| row.arm == arm).collect();
            let way: Vec<&TrailRow> = found.trails.iter().filter(|row| row.arm == arm).collect();
            let places: Vec<&PlaceRow> = found.places.iter().filter(|row| row.arm == arm).collect();
            let number = |x: Option<f64>| x.unwrap_or(f64::NAN);
            for row in &individuals {
                let words = [arm, "individual", &row.generation.to_string()];
                numbers.row(&words, &[row.x, row.y, number(row.fitness)]);
            }
            for row in &way {
                numbers.row(&[arm, "training", &row.step.to_string()], &[row.x, row.y, number(row.train_loss)]);
            }
            for row in &places {
                let what = if row.moment == Moment::End { "deployed" } else { "start" };
                numbers.row(&[arm, what, ""], &[row.x, row.y, number(row.train_loss)]);
            }
            draw_arm(&mut sheet.figure, tile, grid, &levels, labels, (&individuals, &way, &places));
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// What an axis says of its component.
fn label(analysis: &WeightAnalysis, arm: &str, component: usize) -> String {
    let fits = |row: &&crate::experiment::analyze::ComponentRow| {
        row.arm == arm && row.of == Whose::Both && row.component == component
    };
    let Some(row) = analysis.components.components.iter().find(fits) else { return String::new() };
    let share = |share: Option<f64>, of: &str| share.map(|share| format!("{} of {of}", percent(share)));
    let shares: Vec<String> =
        [share(row.population, "population"), share(row.training, "training")].into_iter().flatten().collect();
    format!("component {component}: {}", shares.join(", "))
}

/// Colour of a share of the generations from 0 (pale) to 1 (dark).
fn age(share: f64) -> Rgb {
    const STOPS: [(f64, f64, f64); 3] = [(255.0, 237.0, 160.0), (253.0, 141.0, 60.0), (150.0, 0.0, 38.0)];
    let place = 2.0 * share.clamp(0.0, 1.0);
    let (low, high) = (STOPS[place as usize], STOPS[(place as usize + 1).min(2)]);
    let mix = |a: f64, b: f64| (a + (place - place.floor()) * (b - a)).round() as u8;
    (mix(low.0, high.0), mix(low.1, high.1), mix(low.2, high.2))
}

fn draw_arm(
    figure: &mut Figure,
    tile: Rect,
    grid: &[LandscapeRow],
    levels: &Levels,
    [x, y]: [String; 2],
    (individuals, way, places): (&[&IndividualRow], &[&TrailRow], &[&PlaceRow]),
) {
    let last = individuals.last().map_or(0, |row| row.generation);
    let generations = if last == 0 { "1 generation".to_owned() } else { format!("{} generations", last + 1) };
    let steps = way.last().map_or(0, |row| row.step);
    let tile = headed(figure, tile, &format!("{}: {generations}, then {steps} steps", grid[0].arm));
    let rows: Vec<&LandscapeRow> = grid.iter().collect();
    let width = rows.iter().take_while(|row| row.y == rows[0].y).count();
    let corner = rows[rows.len() - 1];
    let panel = Panel::new(figure, tile, Axis::between(rows[0].x, corner.x, x), Axis::between(rows[0].y, corner.y, y));
    ground(figure, &panel, &rows, width, levels);
    for edge in &levels.edges[1..] {
        contour(figure, &panel, &rows, width, *edge);
    }
    for row in individuals {
        let point = panel.at((row.x, row.y));
        let share = if last == 0 { 1.0 } else { row.generation as f64 / last as f64 };
        figure.circle(point, 3.2, Ink::Paper, 0.8);
        figure.circle(point, 2.5, Ink::Colour(age(share)), 0.95);
    }
    let points: Vec<(f64, f64)> = way.iter().map(|row| panel.at((row.x, row.y))).collect();
    figure.line(points.clone(), Stroke::solid(Ink::Paper, 4.0).faint(0.75));
    figure.line(points, Stroke::solid(WAY, 1.6));
    for row in places {
        let marker = if row.moment == Moment::End { Marker::Diamond } else { Marker::Square };
        let point = panel.at((row.x, row.y));
        Style { ink: Ink::Paper, dash: &[], marker }.dot(figure, point, 6.8, 1.0);
        Style { ink: WAY, dash: &[], marker }.dot(figure, point, 5.0, 1.0);
    }
}
