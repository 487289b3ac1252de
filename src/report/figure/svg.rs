//! Figures as SVG: text stays text, lines keep their dashes, nothing is fetched from anywhere.

use super::font::FAMILY;
use super::{Anchor, Figure, Ink, Mark, Stroke};
use crate::error::printable;
use std::fmt::Write;

/// The element; `alone` as a file with a white ground and its own text colour.
pub fn write(figure: &Figure, alone: bool) -> String {
    let (width, height) = (number(figure.width), number(figure.height));
    let mut svg = format!("<svg viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILY}\" role=\"img\"");
    if alone {
        let _ =
            write!(svg, " xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" color=\"#222\"");
    }
    let _ = writeln!(svg, "><title>{}</title>", escape(&figure.title));
    if alone {
        let _ = writeln!(svg, "<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>");
    }
    for mark in &figure.marks {
        write_mark(&mut svg, mark, alone);
        svg.push('\n');
    }
    svg.push_str("</svg>\n");
    svg
}

fn write_mark(svg: &mut String, mark: &Mark, alone: bool) {
    // Writing into a string never fails.
    let _ = match mark {
        Mark::Line { points, stroke } => {
            write!(svg, "<path d=\"{}\" fill=\"none\"{}/>", path(points), stroked(stroke, alone))
        }
        Mark::Area { points, ink, opacity } => {
            let opacity = attribute("fill-opacity", *opacity);
            write!(svg, "<path d=\"{}z\" fill=\"{}\"{opacity}/>", path(points), colour(*ink, alone))
        }
        Mark::Tiles { rectangles, ink, opacity } => {
            let mut path = String::new();
            for [(left, top), (right, bottom)] in rectangles {
                let (x, y) = (tenths(*left), tenths(*top));
                let (width, height) = (tenths(*right) - x, tenths(*bottom) - y);
                let (right, down, back) = (written(width), written(height), written(-width));
                let _ = write!(path, "M{} {}h{right}v{down}h{back}z", written(x), written(y));
            }
            let opacity = attribute("fill-opacity", *opacity);
            write!(svg, "<path d=\"{path}\" fill=\"{}\"{opacity}/>", colour(*ink, alone))
        }
        Mark::Circle { at, radius, ink, opacity } => {
            let (x, y, r) = (number(at.0), number(at.1), number(*radius));
            let opacity = attribute("fill-opacity", *opacity);
            write!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{}\"{opacity}/>", colour(*ink, alone))
        }
        Mark::Text { at, text, size, anchor, upwards, opacity } => {
            let (x, y) = (number(at.0), number(at.1));
            let turn = if *upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let opacity = attribute("fill-opacity", *opacity);
            let (size, text) = (number(*size), escape(text));
            write!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"currentColor\"{opacity}{anchor}{turn}>{text}</text>"
            )
        }
    };
}

fn stroked(stroke: &Stroke, alone: bool) -> String {
    let (ink, width) = (colour(stroke.ink, alone), number(stroke.width));
    let mut text = format!(" stroke=\"{ink}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"");
    text.push_str(&attribute("stroke-opacity", stroke.opacity));
    if !stroke.dash.is_empty() {
        let lengths: Vec<String> = stroke.dash.iter().map(|length| number(*length)).collect();
        let _ = write!(text, " stroke-dasharray=\"{}\"", lengths.join(" "));
    }
    text
}

fn colour(ink: Ink, alone: bool) -> String {
    match ink {
        Ink::Text => "currentColor".into(),
        Ink::Paper if alone => "#fff".into(),
        Ink::Paper => "var(--paper, #fff)".into(),
        Ink::Colour((red, green, blue)) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn attribute(name: &str, opacity: f64) -> String {
    if opacity >= 1.0 { String::new() } else { format!(" {name}=\"{}\"", number(opacity)) }
}

/// Absolute moves for the first point, then relative steps in tenths: half the bytes of absolute ones.
fn path(points: &[(f64, f64)]) -> String {
    let mut text = String::new();
    let mut last = (0, 0);
    for (index, point) in points.iter().enumerate() {
        let at = (tenths(point.0), tenths(point.1));
        let letter = if index == 0 { "M" } else { "l" };
        let _ = write!(text, "{letter}{} {}", written(at.0 - last.0), written(at.1 - last.1));
        last = at;
    }
    text
}

fn tenths(x: f64) -> i64 {
    (x * 10.0).round() as i64
}

fn written(tenths: i64) -> String {
    if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}", tenths as f64 / 10.0) }
}

fn number(x: f64) -> String {
    format!("{}", (x * 100.0).round() / 100.0)
}

/// Text that is safe between tags and in attributes; control characters would make the file no XML.
fn escape(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_control_characters_stay_xml() {
        assert_eq!(escape("a\u{1b}[31m\u{0}\nb"), "a\\u{1b}[31m\\u{0}\\nb");
    }

    #[test]
    fn figures_are_one_safe_element() {
        let mut figure = Figure { width: 10.0, height: 5.0, title: "a < b & \"c\"".into(), marks: Vec::new() };
        figure.text((1.0, 2.0), "<script>", 12.0, Anchor::End);
        figure.line(
            vec![(0.0, 0.0), (1.25, 2.0), (3.0, 2.0)],
            Stroke { dash: &[2.0, 1.0], ..Stroke::solid(Ink::Text, 1.0) },
        );
        let rectangles = vec![[(0.0, 0.0), (1.0, 1.0)], [(1.0, 0.0), (2.5, 1.0)]];
        figure.marks.push(Mark::Tiles { rectangles, ink: Ink::Colour((255, 0, 16)), opacity: 0.5 });
        insta::assert_snapshot!(figure.to_svg());
        assert!(!figure.to_inline_svg().contains("http"));
    }
}
