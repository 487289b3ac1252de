//! An episode of a cart and its poles as a moving picture: an SVG that moves by itself (SMIL), nothing fetched, no script.

use super::SearchAnalysis;
use super::picture::shown_episodes;
use crate::report::figure::text_width;
use std::fmt::Write;

/// Name of its file, without ending.
pub const NAME: &str = "episode";

/// How to read it.
pub const READING: &str = "One episode from an unseen start in real time, again and again: the cart runs on its rail, \
     the arrow is the force that the network asks for, and all links carry the best shared weight.";

const FRAMES_PER_SECOND: f64 = 25.0;
/// Longer episodes are cut here.
const MOST_SECONDS: f64 = 30.0;
/// The end is held for a moment.
const HOLD: f64 = 1.0;
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 322.0;
const RAIL: f64 = 180.0;
const METRE: f64 = 132.0;
const RAIL_END: f64 = 2.4;
/// Longest arrow in pixels.
const ARROW: f64 = 90.0;

/// What an environment calls its things: which way a positive angle leans, and how long the poles are in metres.
struct World {
    clockwise: bool,
    poles: &'static [f64],
    /// The output that asks for no force.
    still: f64,
}

/// The moving picture of the first episode; `None` where there is no cart with a pole. `alone` as a file of its own.
pub fn svg(analysis: &SearchAnalysis, alone: bool) -> Option<String> {
    let found = analysis.trajectory.as_ref()?;
    let episode = *shown_episodes(analysis).first()?;
    let position = found.states.iter().position(|name| name == "x" || name.starts_with("x ("))?;
    let is_angle = |name: &String| name.starts_with('θ') && name.ends_with("(rad)");
    let angles: Vec<usize> = (0..found.states.len()).filter(|place| is_angle(&found.states[*place])).collect();
    if angles.is_empty() || episode.time.len() < 2 {
        return None;
    }
    let world = world(&analysis.experiment, angles.len());
    // Times in whole steps are no seconds: fifty a second is what such tasks run at.
    let seconds = if episode.time.iter().all(|time| time.fract() == 0.0) { 0.02 } else { 1.0 };
    let time: Vec<f64> = episode.time.iter().map(|time| time * seconds).collect();
    let first = time[0];
    let length = (time[time.len() - 1] - first).clamp(0.2, MOST_SECONDS);
    let count = (length * FRAMES_PER_SECOND).ceil() as usize;
    let frames: Vec<f64> = (0..=count).map(|frame| first + length * frame as f64 / count as f64).collect();
    let sampled = |values: &[f64]| -> Vec<f64> { frames.iter().map(|at| between(&time, values, *at)).collect() };
    let x = sampled(&episode.states[position]);
    let duration = length + HOLD;
    let key_times = key_times(count, length / duration);
    let animated = |attribute: &str, kind: &str, values: &[String]| {
        let values = format!("{};{}", values.join(";"), values[values.len() - 1]);
        let element = if kind.is_empty() { "animate" } else { "animateTransform" };
        let kind = if kind.is_empty() { String::new() } else { format!(" type=\"{kind}\"") };
        format!(
            "<{element} attributeName=\"{attribute}\"{kind} dur=\"{}s\" repeatCount=\"indefinite\" keyTimes=\"{key_times}\" \
             values=\"{values}\"/>",
            tenths(duration)
        )
    };
    let mut out = head(alone);
    rail(&mut out);
    timeline(&mut out, length, &animated, count);
    clock(&mut out, length, duration);
    let places: Vec<String> = x.iter().map(|x| tenths(METRE * x.clamp(-2.8, 2.8)) + " 0").collect();
    let centre = WIDTH / 2.0;
    let _ = write!(out, "<g transform=\"translate({centre} {RAIL})\"><g transform=\"translate({})\">", places[0]);
    let _ = writeln!(out, "{}", animated("transform", "translate", &places));
    arrow(&mut out, episode, world.still, &sampled, &animated);
    let _ = writeln!(
        out,
        "<rect x=\"-34\" y=\"-13\" width=\"68\" height=\"26\" rx=\"4\" fill=\"#0072b2\"/><circle cx=\"-19\" cy=\"15\" r=\"6\" \
         fill=\"currentColor\"/><circle cx=\"19\" cy=\"15\" r=\"6\" fill=\"currentColor\"/>"
    );
    for (pole, place) in angles.iter().enumerate() {
        let metres = world.poles.get(pole).copied().unwrap_or(1.0);
        let unwound = unwound(&sampled(&episode.states[*place]));
        let sign = if world.clockwise { 1.0 } else { -1.0 };
        let turns: Vec<String> = unwound.iter().map(|angle| tenths(sign * angle.to_degrees())).collect();
        let (length, wide, ink) =
            if pole == 0 { (METRE * metres, 9, "#d55e00") } else { (METRE * metres, 6, "#009e73") };
        let _ = writeln!(
            out,
            "<g transform=\"rotate({})\">{}<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"{}\" stroke=\"{ink}\" stroke-width=\"{wide}\" \
             stroke-linecap=\"round\"/></g>",
            turns[0],
            animated("transform", "rotate", &turns),
            tenths(-length),
        );
    }
    out.push_str("<circle r=\"4\" fill=\"currentColor\"/></g></g>\n</svg>\n");
    Some(out)
}

fn world(experiment: &str, poles: usize) -> World {
    match experiment {
        text if text.contains("CartPoleSwingUp") => World { clockwise: false, poles: &[0.6], still: 0.0 },
        // A pole of ten centimetres is drawn three times as long, or nobody would see it.
        _ if poles > 1 => World { clockwise: true, poles: &[1.0, 0.3], still: 0.5 },
        _ => World { clockwise: true, poles: &[1.0], still: 0.0 },
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

fn rail(out: &mut String) {
    let (left, right) = (WIDTH / 2.0 - METRE * RAIL_END, WIDTH / 2.0 + METRE * RAIL_END);
    let y = RAIL + 21.0;
    let _ = writeln!(
        out,
        "<path d=\"M{left} {y}H{right}M{left} {}V{y}M{right} {}V{y}\" stroke=\"currentColor\" stroke-width=\"2\" fill=\"none\"/>",
        y - 26.0,
        y - 26.0
    );
    for metre in -2..=2 {
        let x = WIDTH / 2.0 + METRE * f64::from(metre);
        let text = if metre == 0 { "0 m".to_owned() } else { format!("{metre}").replace('-', "−") };
        let _ = writeln!(
            out,
            "<path d=\"M{x} {y}v5\" stroke=\"currentColor\"/><text x=\"{x}\" y=\"{}\" font-size=\"11\" text-anchor=\"middle\" \
             fill=\"currentColor\" fill-opacity=\"0.72\">{text}</text>",
            y + 18.0
        );
    }
}

/// A bar that fills while time passes, with seconds.
fn timeline(out: &mut String, length: f64, animated: &dyn Fn(&str, &str, &[String]) -> String, count: usize) {
    let (left, right, y) = (WIDTH / 2.0 - METRE * RAIL_END, WIDTH / 2.0 + METRE * RAIL_END, 284.0);
    let at = |share: f64| tenths((right - left) * share);
    let widths: Vec<String> = (0..=count).map(|frame| at(frame as f64 / count as f64)).collect();
    let _ = writeln!(
        out,
        "<rect x=\"{left}\" y=\"{y}\" width=\"{}\" height=\"6\" fill=\"currentColor\" fill-opacity=\"0.15\"/>\
         <rect x=\"{left}\" y=\"{y}\" width=\"0\" height=\"6\" fill=\"#0072b2\">{}</rect>",
        tenths(right - left),
        animated("width", "", &widths)
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
fn clock(out: &mut String, length: f64, duration: f64) {
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
    let _ =
        writeln!(out, "</g><text x=\"{}\" y=\"27\" font-size=\"16\" fill=\"currentColor\">\u{a0}s</text>", tenths(x));
}

/// The force: a bar with a head, from the cart's side.
fn arrow(
    out: &mut String,
    episode: &super::Episode,
    still: f64,
    sampled: &dyn Fn(&[f64]) -> Vec<f64>,
    animated: &dyn Fn(&str, &str, &[String]) -> String,
) {
    let force: Vec<f64> = match episode.actions.len() {
        1 => sampled(&episode.actions[0]).iter().map(|out| ((out - still) / (1.0 - still)).clamp(-1.0, 1.0)).collect(),
        // Two outputs: the larger one pushes to its side.
        2 => {
            let (left, right) = (sampled(&episode.actions[0]), sampled(&episode.actions[1]));
            left.iter().zip(right).map(|(left, right)| if right > *left { 1.0 } else { -1.0 }).collect()
        }
        _ => return,
    };
    let scales: Vec<String> =
        force.iter().map(|force| format!("{:.2} 1", if *force == 0.0 { 0.001 } else { *force })).collect();
    let length = ARROW + 34.0;
    let _ = writeln!(
        out,
        "<g transform=\"scale({})\">{}<path d=\"M0 -3H{}v-6l12 9l-12 9v-6H0z\" fill=\"#cc79a7\"/></g>",
        scales[0],
        animated("transform", "scale", &scales),
        length - 12.0
    );
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

    #[test]
    fn an_episode_moves_by_itself_in_less_than_300_kilobytes() {
        let analysis = fixture::analysis(fixture::Case::SwingUp);
        let svg = svg(&analysis, true).unwrap();
        assert!(svg.len() < 300_000, "{}", svg.len());
        assert!(!svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("<script") && !svg.contains("href"));
        // One value a key time, or nothing moves at all.
        for element in svg.split("<animate").skip(1) {
            let count = |name: &str| {
                let start = element.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
                element[start..].split('"').next().unwrap().split(';').count()
            };
            assert_eq!(count("keyTimes"), count("values"));
        }
        assert!(svg.matches("<g").count() == svg.matches("</g>").count());
    }

    #[test]
    fn tasks_without_a_cart_have_no_such_picture() {
        assert_eq!(svg(&fixture::analysis(fixture::Case::Digits), true), None);
        let mut analysis = fixture::analysis(fixture::Case::SwingUp);
        analysis.trajectory.as_mut().unwrap().states[0] = "position".into();
        assert_eq!(svg(&analysis, false), None);
    }

    #[test]
    fn angles_never_turn_back_by_a_whole_turn() {
        let wrapped = [3.0, 3.1, -3.1, -3.0];
        let found = unwound(&wrapped);
        assert!(found.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.2), "{found:?}");
    }
}
