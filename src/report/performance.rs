//! Pictures of speed: how rates grow, and how they stand against other programs.

use super::figure::{Anchor, Axis, Entry, Figure, Ink, Panel, Rect, Sheet, Stroke, Style, Ticks};
use super::plot::{Drawing, Numbers};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A measured rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Name of the workload.
    pub workload: String,
    /// Threads.
    pub threads: usize,
    /// Units of work a second, median.
    pub rate: f64,
    /// What a unit is.
    pub unit: String,
    /// Seconds of one run, median.
    pub seconds: f64,
    /// Share of what the machine can do at most, where something is known to limit.
    pub share: Option<f64>,
    /// What limits.
    pub limit: String,
    /// Mean loss or fitness, by which programs can be compared.
    pub check: f64,
}

/// A point of a scaling curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What changes along the curve.
    pub curve: String,
    /// Its value.
    pub value: f64,
    /// Threads.
    pub threads: usize,
    /// Share of the multiply-add peak of so many threads.
    pub share: f64,
}

/// Shares of the peak, a panel for each curve.
pub fn scaling(points: &[Point]) -> Drawing {
    let mut threads: Vec<usize> = points.iter().map(|point| point.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    let mut curves: Vec<&str> = Vec::new();
    for point in points {
        if !curves.contains(&&point.curve[..]) {
            curves.push(&point.curve);
        }
    }
    let legend: Vec<Entry> = threads
        .iter()
        .enumerate()
        .map(|(place, threads)| Entry::line(place, format!("{threads} thread{}", if *threads == 1 { "" } else { "s" })))
        .collect();
    let caption = "Forward loss of populations of small tanh networks; each point is the median of several timings. \
                   100% is what multiply-adds alone reach on as many threads.";
    let mut sheet = Sheet::sized(860.0, 620.0, "How does speed depend on the shape of the work?", caption, &legend);
    let mut numbers = Numbers::new(&["curve", "value", "threads", "share_of_peak"]);
    let body = sheet.body;
    let figure = &mut sheet.figure;
    let rows = body.rows(curves.len().div_ceil(2).max(1), 8.0);
    let places: Vec<Rect> = rows.iter().flat_map(|row| row.columns(2, 12.0)).collect();
    for (curve, place) in curves.iter().zip(places) {
        let of_curve = |point: &&Point| point.curve == *curve;
        let values: Vec<f64> = points.iter().filter(of_curve).map(|point| point.value).collect();
        let widest = values.iter().fold(0.0_f64, |a, b| a.max(*b));
        let x = if widest > 16.0 {
            Axis::logarithmic(values, *curve).written(Ticks::Amounts)
        } else {
            Axis::linear(values, *curve)
        };
        let y = Axis::between(0.0, 1.0, "share of peak").written(Ticks::Percent);
        let panel = Panel::new(figure, place, x, y);
        for (place, threads) in threads.iter().enumerate() {
            let line: Vec<&Point> = points.iter().filter(of_curve).filter(|point| point.threads == *threads).collect();
            let dots: Vec<(f64, f64)> = line.iter().map(|point| (point.value, point.share)).collect();
            panel.line(figure, &dots, Style::of(place).stroke(2.0));
            for point in line {
                Style::of(place).dot(figure, panel.at((point.value, point.share)), 3.2, 1.0);
                numbers.row(&[curve], &[point.value, *threads as f64, point.share]);
            }
        }
    }
    Drawing { figure: sheet.figure, numbers }
}

/// How a workload stands against the best other program on as many threads.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Ratio {
    /// Name of the workload.
    pub workload: String,
    /// Threads of both.
    pub threads: usize,
    /// The best other program.
    pub peer: String,
    /// Its rate.
    pub peer_rate: f64,
    /// Our rate.
    pub rate: f64,
    /// Ours over theirs.
    pub ratio: f64,
    /// What must hold.
    pub floor: Option<f64>,
    /// What was aimed at.
    pub goal: Option<f64>,
}

/// Reads a table of ratios: CSV with the fields of [`Ratio`] as columns, others are ignored.
///
/// # Errors
/// `P0306` for a table without them.
pub fn read_ratios(bytes: &[u8]) -> Result<Vec<Ratio>> {
    csv::Reader::from_reader(bytes)
        .deserialize()
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::data("P0306", format!("no table of ratios: {error}")))
}

/// A bar for each workload and number of threads, with floor and goal as ticks.
pub fn ratios(ratios: &[Ratio]) -> Figure {
    let caption = "Medians of alternating runs on the same arrays and cores. A bar beyond the line at 1 is faster than the \
                   best other program; the short tick is what must hold, the long one what was aimed at.";
    let mut threads: Vec<usize> = ratios.iter().map(|ratio| ratio.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    let legend: Vec<Entry> = threads
        .iter()
        .enumerate()
        .map(|(place, threads)| {
            let text = format!("{threads} thread{}", if *threads == 1 { "" } else { "s" });
            Entry::patch(Style::of(place).ink, 0.85, text)
        })
        .collect();
    const BAR: f64 = 21.0;
    let height = 150.0 + BAR * ratios.len() as f64;
    let question = "How fast is precocial beside the best other program?";
    let mut sheet = Sheet::sized(860.0, height, question, caption, &legend);
    let body = Rect { left: sheet.body.left + 225.0, ..sheet.body };
    let figure = &mut sheet.figure;
    // Room for the number behind the longest bar.
    let beyond = |ratio: &Ratio| ratio.goal.map_or(ratio.ratio, |goal| goal.max(ratio.ratio));
    let values = ratios.iter().flat_map(|ratio| [1.6 * beyond(ratio), ratio.ratio, 0.8]);
    let x = Axis::logarithmic(values, "times the rate of the best other program");
    let y = Axis::between(0.0, ratios.len() as f64, "").bare();
    let panel = Panel::new(figure, body, x, y);
    let low = panel.x_axis().range().0;
    panel.line(figure, &[(1.0, 0.0), (1.0, ratios.len() as f64)], Stroke::solid(Ink::Text, 1.2));
    for (place, ratio) in ratios.iter().enumerate() {
        let top = (ratios.len() - place) as f64;
        let style = Style::of(threads.iter().position(|threads| *threads == ratio.threads).unwrap_or(0));
        figure.rectangle(panel.at((low, top - 0.12)), panel.at((ratio.ratio, top - 0.88)), style.ink, 0.85);
        for (mark, from, to) in [(ratio.floor, 0.3, 0.7), (ratio.goal, 0.05, 0.95)] {
            if let Some(mark) = mark {
                panel.line(figure, &[(mark, top - from), (mark, top - to)], Stroke::solid(Ink::Text, 1.6));
            }
        }
        let middle = panel.at((low, top - 0.5)).1 + 4.0;
        let label = format!("{} · {}", ratio.workload, ratio.peer);
        figure.text((panel.x(low) - 8.0, middle), label, 11.5, Anchor::End);
        figure.text((panel.x(beyond(ratio)) + 6.0, middle), format!("{:.2}×", ratio.ratio), 11.5, Anchor::Start);
    }
    sheet.figure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_read_and_drawn() {
        let table = "workload,threads,peer,peer_rate,rate,ratio,floor,goal,unit\n\
                     W1,1,jax,2.0,8.0,4.0,2.7,4,genome-rows\nW1,2,jax,2.0,9.0,4.5,,,genome-rows\n";
        let read = read_ratios(table.as_bytes()).unwrap();
        assert_eq!((read.len(), read[0].floor, read[1].goal), (2, Some(2.7), None));
        let svg = ratios(&read).to_svg();
        assert!(svg.contains("4.00×") && svg.contains("4.50×") && !svg.contains("NaN"));
        assert_eq!(read_ratios(b"a,b\n1,2\n").unwrap_err().code(), "P0306");
    }

    #[test]
    fn curves_are_drawn_with_every_number() {
        let point = |curve: &str, value, threads, share| Point { curve: curve.into(), value, threads, share };
        let points = [
            point("rows", 16.0, 1, 0.2),
            point("rows", 65_536.0, 1, 0.6),
            point("rows", 16.0, 2, 0.1),
            point("depth", 1.0, 1, 0.5),
        ];
        let drawing = scaling(&points);
        assert_eq!(drawing.numbers.rows(), 4);
        assert!(!drawing.figure.to_svg().contains("NaN"));
    }
}
