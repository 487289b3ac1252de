//! Pictures of an analysis of weights: each one a file and a line below.

mod between;
mod components;
mod descent;
mod distributions;
mod landscape;
mod path;
mod pruning;
mod spectrum;

use crate::experiment::WeightAnalysis;
use crate::math::statistics::median;
use crate::report::figure::{Anchor, Figure, Rect, shortened};
use crate::report::plot::Plot;

/// All pictures, in the order of the report.
pub const PICTURES: &[&dyn Plot<WeightAnalysis>] = &[
    &descent::Descent,
    &components::Components,
    &path::Path,
    &landscape::Landscape(crate::experiment::analyze::Plane::Path),
    &landscape::Landscape(crate::experiment::analyze::Plane::Random),
    &between::Between,
    &pruning::Pruning,
    &distributions::Distributions,
    &spectrum::Spectrum,
];

/// Arms that get panels of their own.
const MOST_ARMS: usize = 8;

/// `30 seeds` or `1 seed`, for captions.
fn seeds_text(analysis: &WeightAnalysis) -> String {
    let seeds = analysis.seeds.len();
    format!("{seeds} seed{}", if seeds == 1 { "" } else { "s" })
}

/// What lines show: medians over the seeds, where there are several.
fn medians_text(analysis: &WeightAnalysis) -> String {
    match analysis.seeds.len() {
        1 => "One seed.".into(),
        _ => format!("Medians over {}.", seeds_text(analysis)),
    }
}

/// Medians over seeds at each x: all `(x, y)` in any order; x in rising order, y that is no number counts as infinite.
fn medians(points: impl Iterator<Item = (f64, Option<f64>)>) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = points.map(|(x, y)| (x, y.unwrap_or(f64::INFINITY))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let of = |group: &[(f64, f64)]| {
        let values: Vec<f64> = group.iter().map(|point| point.1).collect();
        (group[0].0, median(&values).unwrap_or(f64::NAN))
    };
    points.chunk_by(|a, b| a.0 == b.0).map(of).collect()
}

/// Writes a head above a panel and returns what is left below it.
fn headed(figure: &mut Figure, outer: Rect, head: &str) -> Rect {
    let text = shortened(head, 12.5, outer.right - outer.left);
    figure.text(((outer.left + outer.right) / 2.0, outer.top + 8.0), text, 12.5, Anchor::Middle);
    Rect { top: outer.top + 16.0, ..outer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::analyze::fixture;
    use crate::report::plot::Drawing;

    #[test]
    fn every_picture_draws_and_gives_its_numbers() {
        let both = [fixture::analysis(), fixture::ways()];
        let mut names = Vec::new();
        for picture in PICTURES {
            let name = picture.name();
            names.push(name);
            let analysis = both.iter().find(|analysis| picture.applies(analysis));
            let analysis = analysis.unwrap_or_else(|| panic!("{name} never applies"));
            assert!(picture.reading().ends_with('.') && picture.question(analysis).contains('?'), "{name}");
            let Drawing { figure, numbers } = picture.draw(analysis);
            let svg = figure.to_svg();
            assert!(!svg.contains("NaN") && !svg.contains("\"inf"), "{name}");
            assert!(figure.marks.len() > 10 && numbers.rows() > 0, "{name}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PICTURES.len());
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let mut nothing = fixture::analysis();
        nothing.histograms.clear();
        nothing.singular.clear();
        nothing.paths.clear();
        nothing.between.clear();
        nothing.pruning.clear();
        nothing.landscape.clear();
        nothing.ways = Default::default();
        nothing.components = Default::default();
        assert!(PICTURES.iter().all(|picture| !picture.applies(&nothing)));
    }

    #[test]
    fn medians_are_taken_place_by_place() {
        let points = [(1.0, Some(3.0)), (0.0, Some(1.0)), (1.0, None), (1.0, Some(2.0))];
        assert_eq!(medians(points.into_iter()), [(0.0, 1.0), (1.0, 3.0)]);
    }
}
