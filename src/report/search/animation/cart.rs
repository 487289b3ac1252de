//! A cart on a rail, and poles on it.

use super::{Film, Scene, WIDTH, angles, tenths};
use crate::report::search::Trajectories;
use std::fmt::Write;

pub const SCENE: Scene = Scene {
    applies: |found| position(found).is_some() && !angles(found).is_empty(),
    reading: "One episode from an unseen start in real time, again and again: the cart runs on its rail, the arrow is the \
        force that the network asks for, and all links carry the best shared weight.",
    draw,
};

const RAIL: f64 = 180.0;
const METRE: f64 = 132.0;
const RAIL_END: f64 = 2.4;

/// What an environment calls its things: which way a positive angle leans, and how long the poles are in metres.
struct World {
    clockwise: bool,
    poles: &'static [f64],
    /// The output that asks for no force.
    still: f64,
}

fn world(experiment: &str, poles: usize) -> World {
    match experiment {
        text if text.contains("CartPoleSwingUp") => World { clockwise: false, poles: &[0.6], still: 0.0 },
        // A pole of ten centimetres is drawn three times as long, or nobody would see it.
        _ if poles > 1 => World { clockwise: true, poles: &[1.0, 0.3], still: 0.5 },
        _ => World { clockwise: true, poles: &[1.0], still: 0.0 },
    }
}

fn position(found: &Trajectories) -> Option<usize> {
    found.states.iter().position(|name| name == "x" || name.starts_with("x ("))
}

fn draw(film: &Film, out: &mut String) {
    let (Some(position), angles) = (position(film.found), angles(film.found)) else { return };
    let world = world(film.experiment, angles.len());
    rail(out);
    let x = film.state(position);
    let places: Vec<String> = x.iter().map(|x| tenths(METRE * x.clamp(-2.8, 2.8)) + " 0").collect();
    let centre = WIDTH / 2.0;
    let _ = write!(out, "<g transform=\"translate({centre} {RAIL})\"><g transform=\"translate({})\">", places[0]);
    let _ = writeln!(out, "{}", film.animated("transform", "translate", &places));
    film.arrow(world.still, out);
    let _ = writeln!(
        out,
        "<rect x=\"-34\" y=\"-13\" width=\"68\" height=\"26\" rx=\"4\" fill=\"#0072b2\"/><circle cx=\"-19\" cy=\"15\" r=\"6\" \
         fill=\"currentColor\"/><circle cx=\"19\" cy=\"15\" r=\"6\" fill=\"currentColor\"/>"
    );
    for (pole, place) in angles.iter().enumerate() {
        let length = METRE * world.poles.get(pole).copied().unwrap_or(1.0);
        let turns = film.turns(*place, if world.clockwise { 1.0 } else { -1.0 });
        let (wide, ink) = if pole == 0 { (9, "#d55e00") } else { (6, "#009e73") };
        let _ = writeln!(
            out,
            "<g transform=\"rotate({})\">{}<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"{}\" stroke=\"{ink}\" stroke-width=\"{wide}\" \
             stroke-linecap=\"round\"/></g>",
            turns[0],
            film.animated("transform", "rotate", &turns),
            tenths(-length),
        );
    }
    out.push_str("<circle r=\"4\" fill=\"currentColor\"/></g></g>\n");
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
