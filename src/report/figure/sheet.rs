//! The head of a figure: question, caption, legend. What is left is for panels.

use super::{Anchor, Figure, Ink, Rect, Style, text_width};

const MARGIN: f64 = 16.0;
const TITLE: f64 = 16.0;
const CAPTION: f64 = 11.5;
const LEGEND: f64 = 12.5;

/// A line of the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it says.
    pub text: String,
    /// How it looks.
    pub sample: Sample,
}

/// What stands before the text of a legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// A line with a marker.
    Line(Style),
    /// A marker alone.
    Dot(Style),
    /// A filled square.
    Patch(Ink, f64),
}

impl Entry {
    /// Line and marker of the arm at this place of the experiment.
    pub fn line(place: usize, text: impl Into<String>) -> Entry {
        Entry { text: text.into(), sample: Sample::Line(Style::of(place)) }
    }

    /// Marker of the arm at this place of the experiment.
    pub fn dot(place: usize, text: impl Into<String>) -> Entry {
        Entry { text: text.into(), sample: Sample::Dot(Style::of(place)) }
    }

    /// A patch.
    pub fn patch(ink: Ink, opacity: f64, text: impl Into<String>) -> Entry {
        Entry { text: text.into(), sample: Sample::Patch(ink, opacity) }
    }
}

/// A figure with its head drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The figure.
    pub figure: Figure,
    /// What is left below the head.
    pub body: Rect,
}

impl Sheet {
    /// A sheet of the usual size.
    pub fn new(question: &str, caption: &str, legend: &[Entry]) -> Sheet {
        Sheet::sized(760.0, 450.0, question, caption, legend)
    }

    /// A sheet of another size.
    pub fn sized(width: f64, height: f64, question: &str, caption: &str, legend: &[Entry]) -> Sheet {
        let mut figure = Figure { width, height, title: question.to_owned(), marks: Vec::new() };
        figure.text((MARGIN, 27.0), question, TITLE, Anchor::Start);
        let mut y = 31.0;
        for line in lines(caption, width - 2.0 * MARGIN) {
            y += CAPTION + 4.0;
            figure.remark((MARGIN, y), line, CAPTION, Anchor::Start);
        }
        if !legend.is_empty() {
            y += LEGEND + 9.0;
            y = draw_legend(&mut figure, legend, y);
        }
        let body = Rect { left: MARGIN - 4.0, top: y + 14.0, right: width - MARGIN - 4.0, bottom: height - 10.0 };
        Sheet { figure, body }
    }
}

/// Draws the entries side by side, in as many rows as they need; the base line of the last row.
fn draw_legend(figure: &mut Figure, entries: &[Entry], first: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, first);
    for entry in entries {
        let sample = if matches!(entry.sample, Sample::Line(_)) { 34.0 } else { 12.0 };
        let width = sample + 6.0 + text_width(&entry.text, LEGEND);
        if x > MARGIN && x + width > figure.width - MARGIN {
            (x, y) = (MARGIN, y + LEGEND + 6.0);
        }
        let middle = y - 0.36 * LEGEND;
        match entry.sample {
            Sample::Line(style) => {
                figure.line(vec![(x, middle), (x + sample, middle)], style.stroke(2.2));
                style.dot(figure, (x + sample / 2.0, middle), 3.4, 1.0);
            }
            Sample::Dot(style) => style.dot(figure, (x + sample / 2.0, middle), 4.0, 1.0),
            Sample::Patch(ink, opacity) => {
                figure.rectangle((x, middle - 5.0), (x + sample, middle + 5.0), ink, opacity);
            }
        }
        figure.text((x + sample + 6.0, y), entry.text.clone(), LEGEND, Anchor::Start);
        x += width + 20.0;
    }
    y
}

/// Text in lines of at most `width` pixels.
fn lines(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), CAPTION) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
