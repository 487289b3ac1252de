//! What the controller does.

use super::aligned;
use crate::report::figure::{Axis, Entry, Ink, Marker, Rect, Sample, Sheet, Stroke, Style, Ticks};
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::search::{Episode, SearchAnalysis, Trajectories};
use std::f64::consts::PI;

/// State variables and actions over a few episodes.
pub struct Trajectory;

impl Plot<SearchAnalysis> for Trajectory {
    fn name(&self) -> &'static str {
        "trajectory"
    }

    fn question(&self, _: &SearchAnalysis) -> String {
        "What does the controller do?".into()
    }

    fn reading(&self) -> &'static str {
        "Each line is an episode from another start. A pole's angle is 0 where the pole stands upright and ±180° where it \
         hangs; a controller that has solved the task brings all episodes to the same rest and then does little."
    }

    fn applies(&self, analysis: &SearchAnalysis) -> bool {
        analysis.trajectory.as_ref().is_some_and(|found| found.episodes.iter().any(|episode| episode.time.len() > 1))
    }

    fn draw(&self, analysis: &SearchAnalysis) -> Drawing {
        let nothing = Trajectories::default();
        let found = analysis.trajectory.as_ref().unwrap_or(&nothing);
        let episodes = shown(analysis, found);
        let rows = rows(found, &episodes);
        let look = |place: usize| Style { marker: Marker::None, ..Style::of(place) };
        let legend: Vec<Entry> = episodes
            .iter()
            .enumerate()
            .map(|(place, episode)| {
                let text = format!("episode {}: return {:.0}", episode.episode, total(&episode.rewards));
                Entry { text, sample: Sample::Line(look(place)) }
            })
            .collect();
        let seed = episodes.first().map_or(0, |episode| episode.seed);
        let caption =
            format!("The network of seed {seed} with its best shared weight, from {} unseen starts.", episodes.len());
        let height = 130.0 + 104.0 * rows.len() as f64;
        let mut sheet = Sheet::sized(820.0, height, &self.question(analysis), &caption, &legend);
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let mut numbers = Numbers::new(&["variable", "episode", "time", "value"]);
        let end = episodes.iter().flat_map(|episode| &episode.time).copied().fold(0.0, f64::max).max(1e-9);
        let mut places = Rect { bottom: body.bottom - 26.0, ..body }.rows(rows.len(), 12.0);
        if let Some(last) = places.last_mut() {
            last.bottom = body.bottom;
        }
        let count = rows.len();
        for (index, ((name, lines), place)) in rows.iter().zip(places).enumerate() {
            let is_last = index + 1 == count;
            let is_angle = name.contains('°') && !name.contains("°/s");
            let values = lines.iter().flatten().map(|point| point.1);
            let y = match is_angle && lines.iter().flatten().any(|point| point.1.abs() > 90.0) {
                true => Axis::between(-180.0, 180.0, name.clone()).written(Ticks::Degrees),
                false => Axis::linear(values, name.clone()),
            };
            let x = Axis::between(0.0, end, if is_last { time_label(found) } else { "" });
            let x = if is_last { x } else { x.bare() };
            let panel = aligned(figure, place, x, y, 47.0);
            if is_angle {
                panel.line(figure, &[(0.0, 0.0), (end, 0.0)], Stroke::solid(Ink::Text, 1.2).faint(0.6));
            }
            for (episode, line) in lines.iter().enumerate().rev() {
                panel.line(figure, line, look(episode).stroke(1.6));
            }
            for (line, episode) in lines.iter().zip(&episodes) {
                for (time, value) in line {
                    if value.is_finite() {
                        numbers.row(&[name, &episode.episode.to_string()], &[*time, *value]);
                    }
                }
            }
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// The episodes to draw: those of the network shown, else of the first seed; at most three.
pub fn shown<'a>(analysis: &SearchAnalysis, found: &'a Trajectories) -> Vec<&'a Episode> {
    let wanted = analysis.shown().map(|found| found.seed);
    let of = |seed: Option<u64>| found.episodes.iter().filter(move |episode| Some(episode.seed) == seed);
    let first = found.episodes.first().map(|episode| episode.seed);
    let seed = if of(wanted).next().is_some() { wanted } else { first };
    of(seed).take(3).collect()
}

type Lines = Vec<Vec<(f64, f64)>>;

/// Name and lines of each panel: states, actions, reward.
fn rows(found: &Trajectories, episodes: &[&Episode]) -> Vec<(String, Lines)> {
    let has_angle = found.states.iter().any(|name| name.starts_with('θ'));
    let mut rows = Vec::new();
    for (place, name) in found.states.iter().enumerate() {
        // Cosine and sine of an angle that is drawn say nothing new.
        if has_angle && (name.starts_with("cos") || name.starts_with("sin")) {
            continue;
        }
        let is_angle = name.starts_with('θ') && name.ends_with("(rad)");
        let line = |episode: &&Episode| {
            let values = &episode.states[place];
            if is_angle { degrees(&episode.time, values) } else { zip(&episode.time, values) }
        };
        let name = if is_angle { name.replace("(rad)", "(°)") } else { name.clone() };
        rows.push((name, episodes.iter().map(line).collect()));
    }
    for (place, name) in found.actions.iter().enumerate() {
        let lines = episodes.iter().map(|episode| zip(&episode.time, &episode.actions[place])).collect();
        rows.push((if name == "action" { name.clone() } else { format!("action: {name}") }, lines));
    }
    rows.push(("reward".into(), episodes.iter().map(|episode| zip(&episode.time, &episode.rewards)).collect()));
    rows
}

fn zip(time: &[f64], values: &[f64]) -> Vec<(f64, f64)> {
    time.iter().copied().zip(values.iter().copied()).collect()
}

/// Angles from −180° to 180°; the line is broken where it leaves at one end and comes in at the other.
fn degrees(time: &[f64], angles: &[f64]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(angles.len());
    for (time, angle) in time.iter().zip(angles) {
        let turned = angle - 2.0 * PI * (angle / (2.0 * PI)).round();
        let point = (*time, turned.to_degrees());
        if points.last().is_some_and(|last| (last.1 - point.1).abs() > 180.0) {
            points.push((*time, f64::NAN));
        }
        points.push(point);
    }
    points
}

fn time_label(found: &Trajectories) -> &'static str {
    // Steps are whole numbers from 0 or 1; seconds are not.
    let whole = |episode: &Episode| episode.time.iter().all(|time| time.fract() == 0.0);
    if found.episodes.iter().all(whole) { "step" } else { "time (s)" }
}

fn total(rewards: &[f64]) -> f64 {
    rewards.iter().filter(|reward| reward.is_finite()).sum()
}
