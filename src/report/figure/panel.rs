//! A frame with two axes, in which data are drawn in their own units.

use super::simplify::simplify;
use super::{Anchor, Axis, Figure, Ink, Mark, Stroke, Style, text_width};

/// Size of the numbers at the axes.
const TICK: f64 = 11.5;
/// Size of the labels of the axes.
const LABEL: f64 = 12.5;

/// A rectangle on a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Rect {
    /// Side by side.
    pub fn columns(&self, count: usize, gap: f64) -> Vec<Rect> {
        let width = (self.right - self.left - gap * (count.max(1) - 1) as f64) / count.max(1) as f64;
        let left = |column: usize| self.left + column as f64 * (width + gap);
        (0..count).map(|column| Rect { left: left(column), right: left(column) + width, ..*self }).collect()
    }

    /// One above the other.
    pub fn rows(&self, count: usize, gap: f64) -> Vec<Rect> {
        let height = (self.bottom - self.top - gap * (count.max(1) - 1) as f64) / count.max(1) as f64;
        let top = |row: usize| self.top + row as f64 * (height + gap);
        (0..count).map(|row| Rect { top: top(row), bottom: top(row) + height, ..*self }).collect()
    }
}

/// A frame with axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Where the data go, without the axes' texts.
    pub inner: Rect,
    x: Axis,
    y: Axis,
}

impl Panel {
    /// A panel that fills `outer` with its axes' texts, with grid lines, ticks and labels drawn.
    pub fn new(figure: &mut Figure, outer: Rect, x: Axis, y: Axis) -> Panel {
        let label = |axis: &Axis| if axis.label.is_empty() { 0.0 } else { LABEL + 6.0 };
        let ticks = if x.is_bare() { 4.0 } else { TICK + 9.0 };
        let bottom = outer.bottom - ticks - label(&x);
        // A low panel has its ticks closer together, or it would have one.
        let spacing = if bottom - outer.top < 115.0 { 26.0 } else { 42.0 };
        let y_ticks = y.labelled(bottom - outer.top, spacing);
        let widest = y_ticks.iter().map(|(_, text)| text_width(text, TICK)).fold(0.0, f64::max);
        let inner = Rect { left: outer.left + label(&y) + widest + 8.0, top: outer.top, right: outer.right, bottom };
        let panel = Panel { inner, x, y };
        panel.draw_axes(figure, outer, &y_ticks);
        panel
    }

    /// The axis of x.
    pub fn x_axis(&self) -> &Axis {
        &self.x
    }

    /// The axis of y.
    pub fn y_axis(&self) -> &Axis {
        &self.y
    }

    /// Where x lies on the figure.
    pub fn x(&self, x: f64) -> f64 {
        self.inner.left + self.x.share(x) * (self.inner.right - self.inner.left)
    }

    /// Where y lies on the figure.
    pub fn y(&self, y: f64) -> f64 {
        self.inner.bottom - self.y.share(y) * (self.inner.bottom - self.inner.top)
    }

    /// Where a point lies on the figure.
    pub fn at(&self, point: (f64, f64)) -> (f64, f64) {
        (self.x(point.0), self.y(point.1))
    }

    /// A line through points; NaN and infinities interrupt it.
    pub fn line(&self, figure: &mut Figure, points: &[(f64, f64)], stroke: Stroke) {
        for piece in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
            let piece: Vec<(f64, f64)> = piece.iter().map(|point| self.at(*point)).collect();
            figure.line(simplify(&piece, 0.25), stroke);
        }
    }

    /// A line that keeps each value until the next point.
    pub fn steps(&self, figure: &mut Figure, points: &[(f64, f64)], stroke: Stroke) {
        let mut stairs = Vec::with_capacity(2 * points.len());
        for (index, point) in points.iter().enumerate() {
            if index > 0 {
                stairs.push((point.0, points[index - 1].1));
            }
            stairs.push(*point);
        }
        self.line(figure, &stairs, stroke);
    }

    /// The area between two lines over the same x: `(x, low, high)`. An infinite end lies on the edge.
    pub fn band(&self, figure: &mut Figure, points: &[(f64, f64, f64)], ink: Ink, opacity: f64) {
        for piece in points.split(|(x, low, high)| !x.is_finite() || low.is_nan() || high.is_nan()) {
            let lower: Vec<(f64, f64)> = piece.iter().map(|(x, low, _)| self.at((*x, *low))).collect();
            let upper: Vec<(f64, f64)> = piece.iter().map(|(x, _, high)| self.at((*x, *high))).collect();
            let mut outline = simplify(&lower, 0.25);
            outline.extend(simplify(&upper, 0.25).into_iter().rev());
            figure.area(outline, ink, opacity);
        }
    }

    /// A line of an arm with a few of its markers, at places of its own.
    pub fn arm_line(&self, figure: &mut Figure, points: &[(f64, f64)], place: usize, width: f64) {
        let style = Style::of(place);
        self.line(figure, points, style.stroke(width));
        let spots = 6;
        for spot in 0..spots {
            // Arms whose lines lie on each other still show their markers side by side.
            let share = (spot as f64 + 0.3 + 0.13 * (place % 6) as f64) / spots as f64;
            let x = self.inner.left + share * (self.inner.right - self.inner.left);
            let after = points.partition_point(|point| self.x(point.0) < x);
            let (Some(before), Some(next)) = (after.checked_sub(1).map(|at| points[at]), points.get(after)) else {
                continue;
            };
            let (from, to) = (self.at(before), self.at(*next));
            if before.1.is_finite() && next.1.is_finite() && to.0 > from.0 {
                let y = from.1 + (x - from.0) / (to.0 - from.0) * (to.1 - from.1);
                style.dot(figure, (x, y), 3.4, 1.0);
            }
        }
    }

    fn draw_axes(&self, figure: &mut Figure, outer: Rect, y_ticks: &[(f64, String)]) {
        let Rect { left, top, right, bottom } = self.inner;
        let grid = Stroke::solid(Ink::Text, 1.0).faint(0.12);
        let axis = Stroke::solid(Ink::Text, 1.0).faint(0.55);
        let widest = |spacing: f64| {
            let ticks = self.x.labelled(right - left, spacing);
            let widest = ticks.iter().map(|(_, text)| text_width(text, TICK)).fold(0.0, f64::max);
            (ticks, widest)
        };
        let (mut x_ticks, width) = widest(64.0);
        if self.x.has_categories() {
            let room = (right - left) / x_ticks.len().max(1) as f64 - 6.0;
            x_ticks.iter_mut().for_each(|(_, text)| *text = shortened(text, TICK, room));
        } else if width + 10.0 > 64.0 {
            x_ticks = widest(width + 14.0).0;
        }
        let centre = (left + right) / 2.0;
        for (value, text) in y_ticks {
            let y = self.y(*value);
            figure.line(vec![(left, y), (right, y)], grid);
            figure.text((left - 6.0, y + 0.36 * TICK), text.clone(), TICK, Anchor::End);
        }
        let mut last = f64::NEG_INFINITY;
        for (value, text) in &x_ticks {
            let x = self.x(*value);
            if !self.x.has_categories() {
                figure.line(vec![(x, top), (x, bottom)], grid);
            }
            figure.line(vec![(x, bottom), (x, bottom + 4.0)], axis);
            let width = text_width(text, TICK);
            // A text at the edge moves inwards, and one that would touch its neighbour is left out.
            let place = x.min(outer.right + 8.0 - width / 2.0);
            if place - width / 2.0 > last + 4.0 {
                figure.text((place, bottom + TICK + 6.0), text.clone(), TICK, Anchor::Middle);
                last = place + width / 2.0;
            }
        }
        for value in self.x.unlabelled() {
            figure.line(vec![(self.x(value), bottom), (self.x(value), bottom + 2.5)], axis);
        }
        for value in self.y.unlabelled() {
            figure.line(vec![(left - 2.5, self.y(value)), (left, self.y(value))], axis);
        }
        figure.line(vec![(left, top), (left, bottom), (right, bottom)], axis);
        if !self.x.label.is_empty() {
            figure.text((centre, outer.bottom - 3.0), self.x.label.clone(), LABEL, Anchor::Middle);
        }
        if !self.y.label.is_empty() {
            let at = (outer.left + LABEL - 2.0, (top + bottom) / 2.0);
            let text = self.y.label.clone();
            figure.marks.push(Mark::Text {
                at,
                text,
                size: LABEL,
                anchor: Anchor::Middle,
                upwards: true,
                opacity: 1.0,
            });
        }
    }
}

/// The text, cut so that it is at most `width` pixels wide.
pub fn shortened(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut left = width - text_width("…", size);
    let fits = |c: &char| {
        left -= text_width(&c.to_string(), size);
        left >= 0.0
    };
    text.chars().take_while(fits).chain(['…']).collect()
}
