//! Figures as pictures, for where no vector graphics can go.

use super::font::{FAMILY, advance, bearing, height, text_width};
use super::{Anchor, Figure, Ink, Mark, Rgb};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::FontTransform;
use std::io::Write;

/// Pixels that are drawn for one of the figure; the picture has half as many. Averaging 2 × 2 smooths every edge.
const SCALE: f64 = 4.0;

/// The combining sign of a derivative by time, as in θ̇.
const DOT_ABOVE: char = '\u{307}';

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Drawn = std::result::Result<(), DrawingAreaErrorKind<<BitMapBackend<'static> as DrawingBackend>::ErrorType>>;

/// The bytes of a PNG file of twice the figure's size.
pub fn write(figure: &Figure) -> Vec<u8> {
    let half = |length: f64| (length * SCALE / 2.0).ceil() as usize;
    let (width, height) = (half(figure.width), half(figure.height));
    let mut pixels = vec![0; 12 * width * height];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (2 * width as u32, 2 * height as u32)).into_drawing_area();
        let draw = || -> Drawn {
            area.fill(&WHITE)?;
            figure.marks.iter().try_for_each(|mark| draw(&area, mark))?;
            area.present()
        };
        draw().expect("memory can be drawn on, with a font that is part of the program");
    }
    encode(&halved(&pixels, width, height), width, height)
}

fn draw(area: &Area, mark: &Mark) -> Drawn {
    let scaled = |point: &(f64, f64)| ((point.0 * SCALE).round() as i32, (point.1 * SCALE).round() as i32);
    match mark {
        Mark::Line { points, stroke } => {
            let style = ShapeStyle {
                color: colour(stroke.ink).mix(stroke.opacity),
                filled: false,
                stroke_width: (stroke.width * SCALE).round().max(1.0) as u32,
            };
            for piece in dashed(points, stroke.dash) {
                let mut piece: Vec<(i32, i32)> = piece.iter().map(scaled).collect();
                piece.dedup();
                if piece.len() > 1 {
                    area.draw(&PathElement::new(piece, style))?;
                }
            }
            Ok(())
        }
        Mark::Area { points, ink, opacity } => {
            let points: Vec<(i32, i32)> = points.iter().map(scaled).collect();
            area.draw(&Polygon::new(points, colour(*ink).mix(*opacity).filled()))
        }
        Mark::Tiles { rectangles, ink, opacity } => rectangles.iter().try_for_each(|[from, to]| {
            let style = colour(*ink).mix(*opacity).filled();
            area.draw(&Rectangle::new([scaled(from), scaled(to)], style))
        }),
        Mark::Circle { at, radius, ink, opacity } => {
            let radius = (radius * SCALE).round() as i32;
            area.draw(&Circle::new(scaled(at), radius, colour(*ink).mix(*opacity).filled()))
        }
        Mark::Text { at, text, size, anchor, upwards, opacity } => {
            // Glyph by glyph: plotters leaves out the bearing, and letters would stand unevenly.
            let line = size * height();
            let font = (FAMILY, line * SCALE).into_font();
            let font = if *upwards { font.transform(FontTransform::Rotate270) } else { font };
            let style = font.color(&colour(Ink::Text).mix(*opacity));
            let width = text_width(text, *size);
            let mut along = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -width / 2.0,
                Anchor::End => -width,
            };
            let mut before = 0.0;
            for c in text.chars() {
                if c == DOT_ABOVE {
                    // The font draws no sign without a width: a dot over the middle of the letter before.
                    let (x, y) = (along - 0.5 * before, -0.93 * size);
                    let centre = if *upwards { (at.0 + y, at.1 - x) } else { (at.0 + x, at.1 + y) };
                    let ink = colour(Ink::Text).mix(*opacity).filled();
                    area.draw(&Circle::new(scaled(&centre), (0.065 * size * SCALE).round() as i32, ink))?;
                    continue;
                }
                let origin = along + bearing(c) * size;
                let point =
                    if *upwards { (at.0 - line / 2.0, at.1 - origin) } else { (at.0 + origin, at.1 - line / 2.0) };
                area.draw(&Text::new(c.to_string(), scaled(&point), &style))?;
                before = advance(c) * size;
                along += before;
            }
            Ok(())
        }
    }
}

fn colour(ink: Ink) -> RGBColor {
    let (red, green, blue): Rgb = match ink {
        Ink::Text => (34, 34, 34),
        Ink::Paper => (255, 255, 255),
        Ink::Colour(colour) => colour,
    };
    RGBColor(red, green, blue)
}

/// The parts of a line that a dash pattern leaves.
fn dashed(points: &[(f64, f64)], dash: &[f64]) -> Vec<Vec<(f64, f64)>> {
    if dash.iter().sum::<f64>() <= 0.0 {
        return vec![points.to_vec()];
    }
    let (mut pieces, mut piece) = (Vec::new(), vec![points[0]]);
    let (mut place, mut left) = (0, dash[0]);
    for pair in points.windows(2) {
        let length = (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
        let mut walked = 0.0;
        while length - walked > left {
            walked += left;
            let share = walked / length;
            let at = (pair[0].0 + share * (pair[1].0 - pair[0].0), pair[0].1 + share * (pair[1].1 - pair[0].1));
            piece.push(at);
            let done = std::mem::replace(&mut piece, vec![at]);
            if place % 2 == 0 {
                pieces.push(done);
            }
            place = (place + 1) % dash.len().next_multiple_of(2);
            left = dash[place % dash.len()];
        }
        left -= length - walked;
        piece.push(pair[1]);
    }
    if place % 2 == 0 {
        pieces.push(piece);
    }
    pieces
}

/// The mean of each 2 × 2 pixels.
fn halved(pixels: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 * width * height);
    let stride = 6 * width;
    for row in 0..height {
        let (upper, lower) = pixels[2 * row * stride..(2 * row + 2) * stride].split_at(stride);
        for (upper, lower) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            for channel in 0..3 {
                let four = [upper[channel], upper[channel + 3], lower[channel], lower[channel + 3]];
                out.push((four.map(u32::from).iter().sum::<u32>() / 4) as u8);
            }
        }
    }
    out
}

/// A PNG file of 8-bit red, green and blue (ISO/IEC 15948).
fn encode(pixels: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut rows = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    let compressed = pixels
        .chunks_exact(3 * width)
        // Each row begins with its filter: none. Flat colours need no better one.
        .try_for_each(|row| rows.write_all(&[0]).and_then(|()| rows.write_all(row)))
        .and_then(|()| rows.finish())
        .expect("memory can be written");
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", &header[..]), (b"IDAT", &compressed), (b"IEND", &[])] {
        let mut checksum = flate2::Crc::new();
        checksum.update(name);
        checksum.update(data);
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(name);
        bytes.extend(data);
        bytes.extend(checksum.sum().to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_a_line() {
        let pieces = dashed(&[(0.0, 0.0), (3.0, 0.0), (10.0, 0.0)], &[2.0, 3.0]);
        assert_eq!(pieces, [vec![(0.0, 0.0), (2.0, 0.0)], vec![(5.0, 0.0), (7.0, 0.0)]]);
        assert_eq!(dashed(&[(0.0, 0.0), (1.0, 1.0)], &[]), [vec![(0.0, 0.0), (1.0, 1.0)]]);
    }

    #[test]
    fn picture_has_twice_the_size_and_its_colours() {
        let mut figure = Figure { width: 4.0, height: 3.0, title: String::new(), marks: Vec::new() };
        figure.rectangle((0.0, 0.0), (2.0, 3.0), Ink::Colour((10, 20, 30)), 1.0);
        let bytes = figure.to_png();
        assert_eq!((&bytes[..4], &bytes[16..24]), (&b"\x89PNG"[..], &[0, 0, 0, 8, 0, 0, 0, 6][..]));
        let length = u32::from_be_bytes(bytes[33..37].try_into().unwrap()) as usize;
        let mut rows = Vec::new();
        let mut decoder = flate2::read::ZlibDecoder::new(&bytes[41..41 + length]);
        std::io::Read::read_to_end(&mut decoder, &mut rows).unwrap();
        assert_eq!(rows.len(), 6 * 25);
        assert_eq!((&rows[..4], &rows[22..25]), (&[0, 10, 20, 30][..], &[255, 255, 255][..]));
    }
}
