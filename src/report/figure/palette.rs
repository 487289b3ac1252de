//! Colours, dashes and markers: eight arms can be told apart, by the colour-blind and in grey too.

use super::{Figure, Ink, Mark, Rgb, Stroke};

/// Okabe & Ito 2008, without black, which is the text's.
const COLOURS: [Rgb; 8] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (118, 118, 118),
    (178, 164, 0),
];

const DASHES: [&[f64]; 8] = [
    &[],
    &[9.0, 4.0],
    &[2.5, 2.5],
    &[10.0, 3.0, 2.5, 3.0],
    &[16.0, 4.0],
    &[5.0, 2.0, 1.5, 2.0, 1.5, 2.0],
    &[5.0, 5.0],
    &[1.5, 4.0],
];

/// A shape that marks a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
    /// ▼
    Inverted,
    /// ✚
    Plus,
    /// ✖
    Cross,
    /// A flat bar.
    Bar,
    /// Nothing.
    None,
}

const MARKERS: [Marker; 8] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Inverted,
    Marker::Plus,
    Marker::Cross,
    Marker::Bar,
];

/// How an arm looks, in every figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// Colour of its lines and dots.
    pub ink: Ink,
    /// Dashes of its lines.
    pub dash: &'static [f64],
    /// Shape of its dots.
    pub marker: Marker,
}

impl Style {
    /// The look of the arm at this place of the experiment.
    pub fn of(place: usize) -> Style {
        // Beyond eight, colours come again with other dashes and shapes.
        let shifted = (place + place / 8) % 8;
        Style { ink: Ink::Colour(COLOURS[place % 8]), dash: DASHES[shifted], marker: MARKERS[shifted] }
    }

    /// Its line.
    pub fn stroke(&self, width: f64) -> Stroke {
        Stroke { ink: self.ink, width, opacity: 1.0, dash: self.dash }
    }

    /// Its dot.
    pub fn dot(&self, figure: &mut Figure, at: (f64, f64), radius: f64, opacity: f64) {
        figure.marks.extend(shape(self.marker, at, radius, self.ink, opacity));
    }
}

/// Colour of a class.
pub fn class_colour(class: usize) -> Rgb {
    COLOURS[class % 8]
}

/// Colour of a share from 0 (pale) to 1 (dark): one hue, so that grey print keeps the order.
pub fn heat(share: f64) -> Rgb {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let stops = [(247.0, 251.0, 255.0), (158.0, 202.0, 225.0), (66.0, 146.0, 198.0), (8.0, 48.0, 107.0)];
    let position = share * 3.0;
    let below = (position as usize).min(2);
    let part = position - below as f64;
    let mix = |a: f64, b: f64| (a + part * (b - a)).round() as u8;
    let (a, b) = (stops[below], stops[below + 1]);
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

fn shape(marker: Marker, at: (f64, f64), r: f64, ink: Ink, opacity: f64) -> Option<Mark> {
    let w = r * 0.38;
    let corners: &[(f64, f64)] = match marker {
        Marker::None => return None,
        Marker::Circle => return Some(Mark::Circle { at, radius: r, ink, opacity }),
        Marker::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        Marker::Triangle => &[(0.0, -1.15), (1.1, 0.85), (-1.1, 0.85)],
        Marker::Inverted => &[(0.0, 1.15), (1.1, -0.85), (-1.1, -0.85)],
        Marker::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
        Marker::Bar => &[(-1.3, -0.45), (1.3, -0.45), (1.3, 0.45), (-1.3, 0.45)],
        Marker::Plus | Marker::Cross => {
            let arm = 1.2 * r;
            let plus = [
                (-w, -arm),
                (w, -arm),
                (w, -w),
                (arm, -w),
                (arm, w),
                (w, w),
                (w, arm),
                (-w, arm),
                (-w, w),
                (-arm, w),
                (-arm, -w),
                (-w, -w),
            ];
            let turn = std::f64::consts::FRAC_1_SQRT_2;
            let place = |(x, y): (f64, f64)| match marker {
                Marker::Plus => (at.0 + x, at.1 + y),
                _ => (at.0 + turn * (x - y), at.1 + turn * (x + y)),
            };
            return Some(Mark::Area { points: plus.map(place).to_vec(), ink, opacity });
        }
    };
    let points = corners.iter().map(|(x, y)| (at.0 + r * x, at.1 + r * y)).collect();
    Some(Mark::Area { points, ink, opacity })
}
