//! Links that hang from a pivot: a pendulum, or an acrobot of two.

use super::{Film, Scene, WIDTH, angles};
use std::fmt::Write;

pub const SCENE: Scene = Scene {
    applies: |found| !angles(found).is_empty() && angles(found)[0] == 0,
    reading: "One episode from an unseen start in real time, again and again: the curved arrow is the torque that the \
        network asks for, at the joint where it acts; the line is the height that the tip of two links has to reach; and all \
        links of the network carry the best shared weight.",
    draw,
};

const PIVOT: f64 = 160.0;

fn draw(film: &Film, out: &mut String) {
    let angles = angles(film.found);
    let is_pendulum = angles.len() == 1;
    // A pendulum's angle is 0 where it stands upright, an acrobot's first one where it hangs.
    let length = if is_pendulum { -105.0 } else { 52.0 };
    let centre = WIDTH / 2.0;
    if !is_pendulum {
        let _ = writeln!(
            out,
            "<path d=\"M{} {}H{}\" stroke=\"currentColor\" stroke-width=\"1.5\" stroke-dasharray=\"6 5\"/>",
            centre - 150.0,
            PIVOT - length,
            centre + 150.0
        );
    }
    let _ = write!(out, "<g transform=\"translate({centre} {PIVOT})\">");
    for (link, place) in angles.iter().enumerate() {
        let turns = film.turns(*place, -1.0);
        let ink = if link == 0 { "#d55e00" } else { "#009e73" };
        let _ = write!(
            out,
            "<g transform=\"rotate({})\">{}<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"{length}\" stroke=\"{ink}\" stroke-width=\"11\" \
             stroke-linecap=\"round\"/>",
            turns[0],
            film.animated("transform", "rotate", &turns),
        );
        if link + 1 < angles.len() {
            let _ = write!(out, "<g transform=\"translate(0 {length})\">");
        }
        if link + 1 == angles.len() {
            // Between the links it acts against the first one, in whose frame this stands.
            torque(film, out);
        }
        out.push_str("<circle r=\"5\" fill=\"currentColor\"/>\n");
    }
    out.push_str(&"</g>".repeat(2 * angles.len()));
    out.push('\n');
}

/// An arrow around the joint, counter-clockwise where the torque is positive.
fn torque(film: &Film, out: &mut String) {
    let Some(push) = film.push(0.0) else { return };
    let scales: Vec<String> = push
        .iter()
        .map(|push| {
            let size = push.abs().max(0.001);
            format!("{} {size:.2}", if *push < 0.0 { format!("-{size:.2}") } else { format!("{size:.2}") })
        })
        .collect();
    let _ = write!(
        out,
        "<g transform=\"scale({})\">{}<path d=\"M30 0A30 30 0 0 0 -26 -15\" fill=\"none\" stroke=\"#cc79a7\" \
         stroke-width=\"6\"/><path d=\"M-33 -2l-4 -18l20 8z\" fill=\"#cc79a7\"/></g>",
        scales[0],
        film.animated("transform", "scale", &scales),
    );
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, filmed};

    #[test]
    fn a_pendulum_and_an_acrobot_swing() {
        let pendulum = filmed(&["θ (rad)", "θ̇ (rad/s)"], 1);
        check(&pendulum);
        assert_eq!(pendulum.matches("type=\"rotate\"").count(), 1);
        let acrobot = filmed(&["θ₁ (rad)", "θ₂ (rad)", "θ̇₁ (rad/s)", "θ̇₂ (rad/s)"], 3);
        check(&acrobot);
        assert_eq!(acrobot.matches("type=\"rotate\"").count(), 2);
        assert!(acrobot.contains("stroke-dasharray"), "the height to reach");
    }
}
