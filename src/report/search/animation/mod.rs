//! An episode as a moving picture: an SVG that moves by itself (SMIL), nothing fetched, no script.

mod cart;
mod hill;
mod links;

use super::picture::shown_episodes;
use super::{Episode, SearchAnalysis, Trajectories};
use crate::report::figure::text_width;
use std::fmt::Write;

/// Name of its file, without ending.
pub const NAME: &str = "episode";

const FRAMES_PER_SECOND: f64 = 25.0;
/// Longer episodes are cut here.
const MOST_SECONDS: f64 = 30.0;
/// The end is held for a moment.
const HOLD: f64 = 1.0;
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 322.0;
/// Ends of the bar that time fills.
const TIME: (f64, f64) = (63.0, 697.0);
/// Longest arrow of a push in pixels.
const ARROW: f64 = 90.0;

/// A kind of world that can be drawn.
struct Scene {
    /// Which states it can draw.
    applies: fn(&Trajectories) -> bool,
    /// How to read it, after what holds for all.
    reading: &'static str,
    draw: fn(&Film, &mut String),
}

/// Worlds that can be drawn, told by the names of their states.
const SCENES: &[Scene] = &[cart::SCENE, links::SCENE, hill::SCENE];

/// How to read the moving picture; `None` where there is none.
pub fn reading(analysis: &SearchAnalysis) -> Option<&'static str> {
    scene(analysis.trajectory.as_ref()?).map(|scene| scene.reading)
}

/// The moving picture of the first episode; `None` where the world is of no kind that can be drawn. `alone` as a file of its
/// own.
pub fn svg(analysis: &SearchAnalysis, alone: bool) -> Option<String> {
    let found = analysis.trajectory.as_ref()?;
    let scene = scene(found)?;
    let episode = *shown_episodes(analysis).first()?;
    if episode.time.len() < 2 {
        return None;
    }
    let film = Film::new(&analysis.experiment, found, episode);
    let mut out = head(alone);
    film.timeline(&mut out);
    film.clock(&mut out);
    (scene.draw)(&film, &mut out);
    out.push_str("</svg>\n");
    Some(out)
}

fn scene(found: &Trajectories) -> Option<&'static Scene> {
    SCENES.iter().find(|scene| (scene.applies)(found))
}

/// Places of the angles of poles and links among the states.
fn angles(found: &Trajectories) -> Vec<usize> {
    let is_angle = |name: &String| name.starts_with('θ') && name.ends_with("(rad)");
    (0..found.states.len()).filter(|place| is_angle(&found.states[*place])).collect()
}

/// An episode, looked at once a frame.
struct Film<'a> {
    /// The experiment file.
    experiment: &'a str,
    found: &'a Trajectories,
    episode: &'a Episode,
    /// When a state was noted, in seconds.
    time: Vec<f64>,
    /// When a frame is drawn, in seconds.
    frames: Vec<f64>,
    key_times: String,
    /// Seconds of the episode, and with its end held.
    length: f64,
    duration: f64,
}

impl Film<'_> {
    fn new<'a>(experiment: &'a str, found: &'a Trajectories, episode: &'a Episode) -> Film<'a> {
        // Times in whole steps are no seconds: fifty a second is what such tasks run at.
        let seconds = if episode.time.iter().all(|time| time.fract() == 0.0) { 0.02 } else { 1.0 };
        let time: Vec<f64> = episode.time.iter().map(|time| time * seconds).collect();
        let first = time[0];
        let length = (time[time.len() - 1] - first).clamp(0.2, MOST_SECONDS);
        let count = (length * FRAMES_PER_SECOND).ceil() as usize;
        let frames = (0..=count).map(|frame| first + length * frame as f64 / count as f64).collect();
        let duration = length + HOLD;
        let key_times = key_times(count, length / duration);
        Film { experiment, found, episode, time, frames, key_times, length, duration }
    }

    /// Values of each frame.
    fn sampled(&self, values: &[f64]) -> Vec<f64> {
        self.frames.iter().map(|at| between(&self.time, values, *at)).collect()
    }

    /// A state of each frame.
    fn state(&self, place: usize) -> Vec<f64> {
        self.sampled(&self.episode.states[place])
    }

    /// An angle of each frame in degrees, positive counter-clockwise, as SVG turns things.
    fn turns(&self, place: usize, sign: f64) -> Vec<String> {
        unwound(&self.state(place)).iter().map(|angle| tenths(sign * angle.to_degrees())).collect()
    }

    /// The element that moves an attribute through `values`; of a transformation if `kind` names one.
    fn animated(&self, attribute: &str, kind: &str, values: &[String]) -> String {
        let values = format!("{};{}", values.join(";"), values[values.len() - 1]);
        let element = if kind.is_empty() { "animate" } else { "animateTransform" };
        let kind = if kind.is_empty() { String::new() } else { format!(" type=\"{kind}\"") };
        format!(
            "<{element} attributeName=\"{attribute}\"{kind} dur=\"{}s\" repeatCount=\"indefinite\" keyTimes=\"{}\" \
             values=\"{values}\"/>",
            tenths(self.duration),
            self.key_times
        )
    }

    /// What the network asks for in each frame, from −1 to 1, where `still` is the output of a single one that asks for
    /// nothing; `None` of other kinds of actions.
    fn push(&self, still: f64) -> Option<Vec<f64>> {
        let actions: Vec<Vec<f64>> = self.episode.actions.iter().map(|values| self.sampled(values)).collect();
        match &actions[..] {
            [one] => Some(one.iter().map(|out| ((out - still) / (1.0 - still)).clamp(-1.0, 1.0)).collect()),
            // Two outputs: the larger one pushes to its side.
            [left, right] => {
                Some(left.iter().zip(right).map(|(left, right)| if right > left { 1.0 } else { -1.0 }).collect())
            }
            // Three: the middle one does nothing, and of equals the first counts.
            [left, none, right] => {
                let of = |((left, none), right): ((&f64, &f64), &f64)| {
                    let (larger, push) = if none > left { (none, 0.0) } else { (left, -1.0) };
                    if right > larger { 1.0 } else { push }
                };
                Some(left.iter().zip(none).zip(right).map(of).collect())
            }
            _ => None,
        }
    }

    /// The push as a bar with a head, from its origin to the right where it is positive.
    fn arrow(&self, still: f64, out: &mut String) {
        let Some(push) = self.push(still) else { return };
        let scales: Vec<String> =
            push.iter().map(|push| format!("{:.2} 1", if *push == 0.0 { 0.001 } else { *push })).collect();
        let length = ARROW + 34.0;
        let _ = writeln!(
            out,
            "<g transform=\"scale({})\">{}<path d=\"M0 -3H{}v-6l12 9l-12 9v-6H0z\" fill=\"#cc79a7\"/></g>",
            scales[0],
            self.animated("transform", "scale", &scales),
            length - 12.0
        );
    }

    /// A bar that fills while time passes, with seconds.
    fn timeline(&self, out: &mut String) {
        let ((left, right), y, length, count) = (TIME, 284.0, self.length, self.frames.len() - 1);
        let at = |share: f64| tenths((right - left) * share);
        let widths: Vec<String> = (0..=count).map(|frame| at(frame as f64 / count as f64)).collect();
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{y}\" width=\"{}\" height=\"6\" fill=\"currentColor\" fill-opacity=\"0.15\"/>\
             <rect x=\"{left}\" y=\"{y}\" width=\"0\" height=\"6\" fill=\"#0072b2\">{}</rect>",
            tenths(right - left),
            self.animated("width", "", &widths)
        );
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| length / step <= 12.0).unwrap_or(10.0);
        let mut second = 0.0;
        while second <= length + 1e-9 {
            let x = left + (right - left) * second / length;
            let text = if second == 0.0 { "0 s".to_owned() } else { second.to_string() };
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" font-size=\"11\" text-anchor=\"middle\" fill=\"currentColor\" fill-opacity=\"0.72\">{text}</text>",
                tenths(x),
                y + 20.0
            );
            second += step;
        }
    }

    /// The time in tenths of a second: texts that show one after the other.
    fn clock(&self, out: &mut String) {
        let (length, duration) = (self.length, self.duration);
        let step = if length > 12.0 { 0.2 } else { 0.1 };
        let count = (length / step).round() as usize;
        let _ = write!(out, "<g font-size=\"16\" text-anchor=\"end\" fill=\"currentColor\">");
        let x = WIDTH - 16.0 - text_width(" s", 16.0);
        for tick in 0..=count {
            let from = tick as f64 * step / duration;
            let to = if tick == count { 1.0 } else { (tick + 1) as f64 * step / duration };
            let (values, times) = match tick {
                0 => ("visible;hidden".to_owned(), format!("0;{to:.4}")),
                last if last == count => ("hidden;visible".to_owned(), format!("0;{from:.4}")),
                _ => ("hidden;visible;hidden".to_owned(), format!("0;{from:.4};{to:.4}")),
            };
            let hidden = if tick == 0 { "" } else { " visibility=\"hidden\"" };
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"27\"{hidden}>{:.1}<animate attributeName=\"visibility\" calcMode=\"discrete\" \
                 dur=\"{}s\" repeatCount=\"indefinite\" values=\"{values}\" keyTimes=\"{times}\"/></text>",
                tenths(x),
                tick as f64 * step,
                tenths(duration)
            );
        }
        let _ = writeln!(
            out,
            "</g><text x=\"{}\" y=\"27\" font-size=\"16\" fill=\"currentColor\">\u{a0}s</text>",
            tenths(x)
        );
    }
}

fn head(alone: bool) -> String {
    let own = if alone {
        format!(" xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" color=\"#222\"")
    } else {
        String::new()
    };
    let ground =
        if alone { format!("<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n") } else { String::new() };
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" role=\"img\"{own}>\
         <title>An episode of the found network</title>\n{ground}\
         <text x=\"16\" y=\"27\" font-size=\"16\" fill=\"currentColor\">What does an episode look like?</text>\n"
    )
}

fn key_times(count: usize, share: f64) -> String {
    let mut times: Vec<String> = (0..=count).map(|frame| short_number(share * frame as f64 / count as f64)).collect();
    times.push("1".into());
    times.join(";")
}

fn short_number(x: f64) -> String {
    format!("{x:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn tenths(x: f64) -> String {
    // Adding 0 takes the sign from a negative zero.
    format!("{}", (x * 10.0).round() / 10.0 + 0.0)
}

/// The value at a time, on the straight line between its neighbours; gaps are jumped over.
fn between(time: &[f64], values: &[f64], at: f64) -> f64 {
    let after = time.partition_point(|time| *time < at).min(time.len() - 1);
    let before = after.saturating_sub(1);
    let (from, to) = (values[before], values[after]);
    let width = time[after] - time[before];
    let mixed = if width > 0.0 { from + (at - time[before]) / width * (to - from) } else { to };
    [mixed, from, to, 0.0].into_iter().find(|x| x.is_finite()).unwrap_or(0.0)
}

/// Angles without jumps of whole turns: a wrapped angle would spin backwards between two frames.
fn unwound(angles: &[f64]) -> Vec<f64> {
    let turn = 2.0 * std::f64::consts::PI;
    let mut last = angles.first().copied().unwrap_or(0.0);
    angles
        .iter()
        .map(|angle| {
            last = angle - turn * ((angle - last) / turn).round();
            last
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// Whether it is a small picture that fetches nothing, and moves: one value a key time, or nothing does.
    pub(super) fn check(svg: &str) {
        assert!(svg.len() < 300_000, "{}", svg.len());
        assert!(!svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("<script") && !svg.contains("href"));
        for element in svg.split("<animate").skip(1) {
            let count = |name: &str| {
                let start = element.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
                element[start..].split('"').next().unwrap().split(';').count()
            };
            assert_eq!(count("keyTimes"), count("values"));
        }
        assert!(svg.matches("<g").count() == svg.matches("</g>").count());
    }

    /// The picture of an episode with these states and so many actions, whose numbers are made.
    pub(super) fn filmed(states: &[&str], actions: usize) -> String {
        let mut analysis = fixture::analysis(fixture::Case::SwingUp);
        let found = analysis.trajectory.as_mut().unwrap();
        found.states = states.iter().map(|name| (*name).to_owned()).collect();
        for episode in &mut found.episodes {
            let (state, action) = (episode.states[0].clone(), episode.actions[0].clone());
            episode.states = vec![state; states.len()];
            episode.actions =
                (0..actions).map(|place| action.iter().map(|x| x * (place as f64 - 0.5)).collect()).collect();
        }
        assert!(reading(&analysis).is_some());
        svg(&analysis, true).unwrap()
    }

    #[test]
    fn carts_run_with_one_pole_and_with_two() {
        check(&svg(&fixture::analysis(fixture::Case::SwingUp), true).unwrap());
        let two = filmed(&["x (m)", "ẋ (m/s)", "θ₁ (rad)", "θ̇₁ (rad/s)", "θ₂ (rad)", "θ̇₂ (rad/s)"], 2);
        check(&two);
        assert_eq!(two.matches("type=\"rotate\"").count(), 2);
    }

    #[test]
    fn tasks_that_nobody_can_draw_have_no_such_picture() {
        let mut analysis = fixture::analysis(fixture::Case::SwingUp);
        analysis.trajectory.as_mut().unwrap().states[0] = "height".into();
        for analysis in [fixture::analysis(fixture::Case::Digits), analysis] {
            assert_eq!((svg(&analysis, false), reading(&analysis)), (None, None));
        }
    }

    #[test]
    fn three_outputs_push_as_the_environments_say() {
        let push = |outputs: [f64; 3]| {
            let found = Trajectories::default();
            let episode = Episode {
                time: vec![0.0, 1.0],
                actions: outputs.iter().map(|out| vec![*out; 2]).collect(),
                ..Episode::default()
            };
            Film::new("", &found, &episode).push(0.0).unwrap()[0]
        };
        assert_eq!([push([1.0, 0.0, 0.0]), push([0.0, 1.0, 0.0]), push([0.0, 0.0, 1.0])], [-1.0, 0.0, 1.0]);
        assert_eq!(push([0.5; 3]), -1.0, "of equals the first");
    }

    #[test]
    fn angles_never_turn_back_by_a_whole_turn() {
        let wrapped = [3.0, 3.1, -3.1, -3.0];
        let found = unwound(&wrapped);
        assert!(found.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.2), "{found:?}");
    }
}
