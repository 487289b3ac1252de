//! A car in a valley.

use super::{Film, Scene, WIDTH, tenths};
use std::fmt::Write;

pub const SCENE: Scene = Scene {
    applies: |found| found.states.iter().take(2).eq(["position", "speed"]),
    reading: "One episode from an unseen start at fifty steps a second, again and again: the car has to reach the flag, the \
        arrow is the push that the network asks for, and all links carry the best shared weight.",
    draw,
};

/// Ends of the road, and pixels of a unit of length.
const ROAD: (f64, f64) = (-1.2, 0.6);
const UNIT: f64 = 300.0;
/// Where height 0 is.
const MIDDLE: f64 = 150.0;
/// Height of the hill's sine, in pixels.
const RISE: f64 = 95.0;

fn across(position: f64) -> f64 {
    WIDTH / 2.0 + UNIT * (position - (ROAD.0 + ROAD.1) / 2.0)
}

fn up(position: f64) -> f64 {
    MIDDLE - RISE * libm::sin(3.0 * position)
}

fn draw(film: &Film, out: &mut String) {
    let road: Vec<String> = (0..=60)
        .map(|step| ROAD.0 + (ROAD.1 - ROAD.0) * f64::from(step) / 60.0)
        .map(|position| format!("{} {}", tenths(across(position)), tenths(up(position) + 10.0)))
        .collect();
    let goal = if film.experiment.contains("MountainCarContinuous") { 0.45 } else { 0.5 };
    let (x, y) = (tenths(across(goal)), tenths(up(goal) + 10.0));
    let _ = writeln!(
        out,
        "<path d=\"M{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"/><path d=\"M{x} {y}v-48l24 8l-24 8\" \
         fill=\"#009e73\" stroke=\"currentColor\"/>",
        road.join("L")
    );
    let positions = film.state(0);
    let places: Vec<String> =
        positions.iter().map(|position| format!("{} {}", tenths(across(*position)), tenths(up(*position)))).collect();
    let slopes: Vec<String> = positions
        .iter()
        .map(|position| tenths(-libm::atan(3.0 * RISE * libm::cos(3.0 * position) / UNIT).to_degrees()))
        .collect();
    let _ = write!(
        out,
        "<g transform=\"translate({})\">{}<g transform=\"rotate({})\">{}",
        places[0],
        film.animated("transform", "translate", &places),
        slopes[0],
        film.animated("transform", "rotate", &slopes)
    );
    film.arrow(0.0, out);
    out.push_str(
        "<rect x=\"-20\" y=\"-14\" width=\"40\" height=\"15\" rx=\"4\" fill=\"#0072b2\"/><circle cx=\"-11\" cy=\"4\" r=\"6\" \
         fill=\"currentColor\"/><circle cx=\"11\" cy=\"4\" r=\"6\" fill=\"currentColor\"/></g></g>\n",
    );
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, filmed};

    #[test]
    fn a_car_rolls_on_its_road() {
        for actions in [1, 3] {
            let svg = filmed(&["position", "speed"], actions);
            check(&svg);
            assert_eq!(svg.matches("type=\"translate\"").count(), 1);
            assert_eq!(svg.matches("type=\"rotate\"").count(), 1);
        }
    }
}
