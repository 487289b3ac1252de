//! The font that figures are measured and drawn with: DejaVu Sans 2.37, reduced to Latin, Greek and some signs.

use plotters::style::{FontStyle, register_font};
use std::collections::HashMap;
use std::sync::OnceLock;

static BYTES: &[u8] = include_bytes!("../font/DejaVuSans-subset.ttf");

/// Family names, the first of which is ours.
pub const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Advance widths and left bearings in parts of the font size.
struct Metrics {
    glyphs: HashMap<char, (f64, f64)>,
    /// Height from the lowest to the highest line, in parts of the font size.
    height: f64,
}

/// Width of a line of text at a font size, in pixels.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| advance(c) * size).sum()
}

/// How far a character moves on, in parts of the font size.
pub(super) fn advance(c: char) -> f64 {
    metrics().glyphs.get(&c).map_or(0.6, |glyph| glyph.0)
}

/// How far right of its origin a character's shape begins.
pub(super) fn bearing(c: char) -> f64 {
    metrics().glyphs.get(&c).map_or(0.0, |glyph| glyph.1)
}

/// Line height in parts of the font size; what plotters calls the size of a font.
pub(super) fn height() -> f64 {
    metrics().height
}

fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| {
        // Nothing else registers fonts, and the bytes are a part of the program.
        let _ = register_font(FAMILY, FontStyle::Normal, BYTES);
        read(BYTES).expect("the embedded font is whole")
    })
}

/// The tables `head`, `hhea`, `hmtx` and `cmap` (format 4) of a TrueType file.
fn read(bytes: &[u8]) -> Option<Metrics> {
    let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let signed = |at: usize| Some(f64::from(word(at)? as i16));
    let long = |at: usize| Some(((word(at)? as usize) << 16) | word(at + 2)? as usize);
    let table = |tag: &[u8; 4]| {
        let entries = (0..word(4)? as usize).map(|entry| 12 + 16 * entry);
        entries.clone().find(|entry| bytes.get(*entry..entry + 4) == Some(tag)).and_then(|entry| long(entry + 8))
    };
    let (head, hhea, hmtx, cmap) = (table(b"head")?, table(b"hhea")?, table(b"hmtx")?, table(b"cmap")?);
    let em = f64::from(word(head + 18)?);
    let wide = word(hhea + 34)? as usize;
    let metric = |glyph: usize| {
        let advance = f64::from(word(hmtx + 4 * glyph.min(wide - 1))?);
        let bearing =
            if glyph < wide { signed(hmtx + 4 * glyph + 2)? } else { signed(hmtx + 4 * wide + 2 * (glyph - wide))? };
        Some((advance / em, bearing / em))
    };
    let subtables = (0..word(cmap + 2)? as usize).map(|entry| long(cmap + 8 + 8 * entry).map(|offset| cmap + offset));
    let subtable = subtables.flatten().find(|at| word(*at) == Some(4))?;
    let doubled = word(subtable + 6)? as usize;
    let mut glyphs = HashMap::new();
    for segment in (0..doubled).step_by(2) {
        let end = subtable + 14 + segment;
        let start = end + doubled + 2;
        let (first, last) = (word(start)?, word(end)?);
        let (delta, range) = (word(start + doubled)?, word(start + 2 * doubled)? as usize);
        for code in first..=last.min(0xfffe) {
            let glyph = if range == 0 {
                code.wrapping_add(delta)
            } else {
                let found = word(start + 2 * doubled + range + 2 * (code - first) as usize)?;
                if found == 0 { 0 } else { found.wrapping_add(delta) }
            };
            if let (Some(c), true) = (char::from_u32(u32::from(code)), glyph > 0) {
                glyphs.insert(c, metric(glyph as usize)?);
            }
        }
    }
    Some(Metrics { glyphs, height: (signed(hhea + 4)? - signed(hhea + 6)?) / em })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_those_of_fonttools() {
        // fonttools 4.68.0 hmtx and hhea of DejaVu Sans 2.37, 2048 units an em.
        assert_eq!((advance('A'), bearing('A')), (1401.0 / 2048.0, 16.0 / 2048.0));
        assert_eq!((advance('⁻'), bearing('l')), (advance('⁺'), 193.0 / 2048.0));
        assert_eq!(height(), (1901.0 + 483.0) / 2048.0);
    }

    #[test]
    fn every_sign_that_figures_write_is_there() {
        for c in "azAZ09 .,:;()[]%–−×±≤≥∞ρ²⁰¹²³⁴⁵⁶⁷⁸⁹⁻…→σλµα°·ẋθ\u{307}₁₂✓?'\"’/_".chars()
        {
            assert!(metrics().glyphs.contains_key(&c), "{c}");
        }
    }
}
