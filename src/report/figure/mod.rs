//! Figures: marks on a sheet, measured in CSS pixels, drawn as SVG or as a picture from one and the same list.

mod axis;
mod font;
mod palette;
mod panel;
mod png;
mod sheet;
mod simplify;
mod svg;

pub use axis::{Axis, Ticks};
pub use font::text_width;
pub use palette::{Marker, Style, class_colour, heat};
pub use panel::{Panel, Rect, shortened};
pub use sheet::{Entry, Sample, Sheet};

/// A colour: red, green, blue.
pub type Rgb = (u8, u8, u8);

/// What a mark is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text and axes: black on paper, light on a dark page.
    Text,
    /// Paper: white; shows what lies behind on a page.
    Paper,
    /// This colour everywhere.
    Colour(Rgb),
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Colour.
    pub ink: Ink,
    /// Width in pixels.
    pub width: f64,
    /// 0 to 1.
    pub opacity: f64,
    /// Lengths of dashes and gaps in turn; none for a whole line.
    pub dash: &'static [f64],
}

impl Stroke {
    /// A whole line.
    pub fn solid(ink: Ink, width: f64) -> Stroke {
        Stroke { ink, width, opacity: 1.0, dash: &[] }
    }

    /// The same, fainter.
    pub fn faint(self, opacity: f64) -> Stroke {
        Stroke { opacity, ..self }
    }
}

/// On which side of its point a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// One thing on a figure. Points are `(x, y)` from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A line through points.
    Line {
        /// From first to last.
        points: Vec<(f64, f64)>,
        /// How.
        stroke: Stroke,
    },
    /// A filled polygon.
    Area {
        /// Its corners.
        points: Vec<(f64, f64)>,
        /// Colour.
        ink: Ink,
        /// 0 to 1.
        opacity: f64,
    },
    /// Filled rectangles, each from its upper left to its lower right corner, that may touch.
    Tiles {
        /// Corners.
        rectangles: Vec<[(f64, f64); 2]>,
        /// Colour.
        ink: Ink,
        /// 0 to 1.
        opacity: f64,
    },
    /// A filled circle.
    Circle {
        /// Centre.
        at: (f64, f64),
        /// Radius.
        radius: f64,
        /// Colour.
        ink: Ink,
        /// 0 to 1.
        opacity: f64,
    },
    /// A line of text.
    Text {
        /// Where its base line begins, is in the middle, or ends.
        at: (f64, f64),
        /// The text.
        text: String,
        /// Font size.
        size: f64,
        /// On which side of `at`.
        anchor: Anchor,
        /// Whether it runs upwards.
        upwards: bool,
        /// 0 to 1.
        opacity: f64,
    },
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// Said to those who cannot see it.
    pub title: String,
    /// From back to front.
    pub marks: Vec<Mark>,
}

impl Figure {
    /// Adds a line.
    pub fn line(&mut self, points: Vec<(f64, f64)>, stroke: Stroke) {
        if points.len() > 1 {
            self.marks.push(Mark::Line { points, stroke });
        }
    }

    /// Adds a filled polygon.
    pub fn area(&mut self, points: Vec<(f64, f64)>, ink: Ink, opacity: f64) {
        if points.len() > 2 {
            self.marks.push(Mark::Area { points, ink, opacity });
        }
    }

    /// Adds a filled rectangle between two corners.
    pub fn rectangle(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, opacity: f64) {
        self.area(vec![from, (to.0, from.1), to, (from.0, to.1)], ink, opacity);
    }

    /// Adds a filled circle.
    pub fn circle(&mut self, at: (f64, f64), radius: f64, ink: Ink, opacity: f64) {
        self.marks.push(Mark::Circle { at, radius, ink, opacity });
    }

    /// Adds a line of text.
    pub fn text(&mut self, at: (f64, f64), text: impl Into<String>, size: f64, anchor: Anchor) {
        let text = text.into();
        self.marks.push(Mark::Text { at, text, size, anchor, upwards: false, opacity: 1.0 });
    }

    /// Adds a line of grey text.
    pub fn remark(&mut self, at: (f64, f64), text: impl Into<String>, size: f64, anchor: Anchor) {
        let text = text.into();
        self.marks.push(Mark::Text { at, text, size, anchor, upwards: false, opacity: 0.72 });
    }

    /// The figure as an SVG file of its own, on white.
    pub fn to_svg(&self) -> String {
        svg::write(self, true)
    }

    /// The figure as an element of a page, without a ground, in the page's text colour.
    pub fn to_inline_svg(&self) -> String {
        svg::write(self, false)
    }

    /// The figure as a PNG picture of twice its size.
    pub fn to_png(&self) -> Vec<u8> {
        png::write(self)
    }
}
