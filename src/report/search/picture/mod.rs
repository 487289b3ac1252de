//! Pictures of a topology search: each one a file and a line below.

mod census;
mod levels;
mod network;
mod pareto;
mod progress;
mod shared_weight;
mod trajectory;

use super::SearchAnalysis;
use crate::report::figure::{Axis, Figure, Panel, Rect};
use crate::report::plot::Plot;

/// All pictures, in the order of the report.
pub const PICTURES: &[&dyn Plot<SearchAnalysis>] = &[
    &network::FoundNetwork,
    &shared_weight::SharedWeight,
    &levels::Levels,
    &progress::Progress,
    &pareto::Pareto,
    &trajectory::Trajectory,
    &census::Census,
];

/// The episodes that are shown: those of the network shown, else of the first seed that has some; at most three.
pub fn shown_episodes(analysis: &SearchAnalysis) -> Vec<&super::Episode> {
    analysis.trajectory.as_ref().map_or(Vec::new(), |found| trajectory::shown(analysis, found))
}

/// A panel whose frame begins `room` pixels right of its label, so that frames one above the other stand in line.
fn aligned(figure: &mut Figure, outer: Rect, x: Axis, y: Axis, room: f64) -> Panel {
    let mut trial = figure.clone();
    let natural = Panel::new(&mut trial, outer, x.clone(), y.clone()).inner.left;
    let left = outer.left + (outer.left + 18.5 + room - natural).max(0.0);
    Panel::new(figure, Rect { left, ..outer }, x, y)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, analysis, keep};
    use super::*;
    use crate::experiment::config::Plots;
    use crate::report::plot::chosen;

    #[test]
    fn every_picture_draws_and_gives_its_numbers() {
        for case in [Case::SwingUp, Case::Digits, Case::Large, Case::Tiny] {
            let analysis = analysis(case);
            for picture in PICTURES.iter().filter(|picture| picture.applies(&analysis)) {
                let drawing = picture.draw(&analysis);
                keep(&format!("{case:?}-{}.png", picture.name()), || drawing.figure.to_png());
                let svg = drawing.figure.to_svg();
                assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
                assert!(!svg.contains("NaN") && !svg.contains("\"inf"), "{} of {case:?}", picture.name());
                assert!(drawing.figure.marks.len() > 10 && drawing.numbers.rows() > 0, "{}", picture.name());
                let csv = drawing.numbers.to_csv();
                let rows: Vec<csv::StringRecord> =
                    csv::Reader::from_reader(&csv[..]).records().collect::<std::result::Result<_, _>>().unwrap();
                assert_eq!(rows.len(), drawing.numbers.rows(), "{}", picture.name());
            }
        }
        assert!(PICTURES.iter().all(|picture| picture.applies(&analysis(Case::SwingUp))));
        assert!(!trajectory::Trajectory.applies(&analysis(Case::Digits)));
    }

    #[test]
    fn names_are_unique_and_readings_are_sentences() {
        let mut names: Vec<&str> = PICTURES.iter().map(|picture| picture.name()).collect();
        names.push(super::super::animation::NAME);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PICTURES.len() + 1);
        let analysis = analysis(Case::Tiny);
        for picture in PICTURES {
            assert!(
                picture.reading().ends_with('.') && picture.question(&analysis).contains('?'),
                "{}",
                picture.name()
            );
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let mut nothing = analysis(Case::Tiny);
        nothing.generations.clear();
        nothing.fronts.clear();
        nothing.weights.clear();
        nothing.results.clear();
        nothing.networks.clear();
        nothing.trajectory = None;
        assert!(chosen(PICTURES, &[], &Plots::All, &nothing).unwrap().is_empty());
    }

    #[test]
    fn numbers_hold_every_row_of_the_tables_they_draw() {
        let analysis = analysis(Case::SwingUp);
        let rows = |picture: &dyn Plot<SearchAnalysis>| picture.draw(&analysis).numbers.rows();
        // The sweep of each seed, the medians, six training weights, five tuned ones.
        assert_eq!(rows(&shared_weight::SharedWeight), 5 * 121 + 121 + 6 + 5);
        assert_eq!(rows(&pareto::Pareto), 2 * (analysis.fronts.len() + 5));
        assert_eq!(rows(&levels::Levels), analysis.results.len());
        // x, its speed, angle, its speed, force, reward; three episodes of 1000 steps.
        assert_eq!(rows(&trajectory::Trajectory), 6 * 3 * 1000);
        let network = &analysis.shown().unwrap().network;
        assert_eq!(rows(&network::FoundNetwork), network.nodes.len() + network.links.len());
    }
}
