//! What came out of a topology search, in words.

use super::{Measure, SearchAnalysis, Spread};
use crate::report::number::{percent, short};
use crate::report::text::wrap;

/// Share of the best score that counts as keeping it.
const KEPT: f64 = 0.8;

/// The result in a sentence or two.
pub fn headline(analysis: &SearchAnalysis) -> String {
    let Some(found) = analysis.shown() else { return "The search has found no network yet.".into() };
    let network = &found.network;
    let own = |kind: &str| analysis.scores(kind).into_iter().find(|score| score.0 == found.seed).map(|score| score.1);
    let written = |score: f64| analysis.measure.written(score);
    let size = match network.connections() {
        1 => "1 connection".to_owned(),
        count => format!("{count} connections"),
    };
    let weight = network.shared_weight.map_or("one shared weight".into(), |weight| {
        format!("one shared weight of {}", short(weight).replace('-', "−"))
    });
    let does = match analysis.measure {
        Measure::Return => "earns {} an episode",
        Measure::Accuracy => "tells {} of the held-out rows right",
        Measure::NegativeLoss => "scores {}",
    };
    let mut text = format!("With {weight} the network of {size}");
    match own("shared_tuned").or(own("shared_best_of_six")) {
        Some(score) => text.push_str(&format!(" {}", does.replacen("{}", &written(score), 1))),
        None => text.push_str(" has not been scored on unseen data"),
    }
    let mut more = Vec::new();
    if let Some(score) = own("shared_mean") {
        more.push(format!("the mean over the {} is {}", training(analysis), written(score)));
    }
    if let Some(score) = own("vote") {
        more.push(format!("the vote over all weights of the sweep reaches {}", written(score)));
    }
    if let Some(score) = own("tuned_weights") {
        more.push(format!("with a tuned weight for each connection it is {}", written(score)));
    }
    if let Some(last) = more.pop() {
        let before = if more.is_empty() { String::new() } else { format!("{} and ", more.join(", ")) };
        text.push_str(&format!("; {before}{last}"));
    }
    text.push('.');
    text
}

/// What supports the headline, or limits it.
pub fn points(analysis: &SearchAnalysis) -> Vec<String> {
    let mut points = Vec::new();
    let median = |kind: &str| analysis.spread(kind).map(|spread| spread.median);
    let written = |score: f64| analysis.measure.written(score);
    if let Some(found) = analysis.shown().filter(|_| analysis.networks.len() > 1) {
        points.push(format!(
            "This is the network of seed {}, the middle one of {} by its tuned shared weight; the table has medians and \
             ranges over all.",
            found.seed,
            analysis.networks.len()
        ));
    }
    if let Some(share) = kept(analysis) {
        points.push(format!(
            "At {} of the {} it keeps at least {} of what its best weight gets: the topology, \
             not the weight, does {} of the work.",
            percent(share),
            swept(analysis),
            percent(KEPT),
            if share >= 0.5 { "most" } else { "a part" }
        ));
    }
    if let (Some(shared), Some(fixed)) = (median("shared_mean"), median("fixed_shared")) {
        points.push(format!(
            "A fixed topology of about the same size gets {} with shared weights, the found ones {} (medians over {}).",
            written(fixed),
            written(shared),
            analysis.seeds_text()
        ));
    }
    if let (Some(random), Some(shared)) = (median("random_weights"), median("shared_mean")) {
        points.push(format!(
            "With a random weight for each connection the found networks get {}: {} {} with one shared weight.",
            written(random),
            if random < shared { "less than" } else { "no less than" },
            written(shared)
        ));
    }
    points
}

/// What a reader should be careful about.
pub fn warnings(analysis: &SearchAnalysis) -> Vec<String> {
    let mut warnings = Vec::new();
    let seeds = analysis.seeds().len();
    if seeds < 5 {
        warnings.push(format!(
            "{}: topologies of other seeds may do better or worse; five or more show how much.",
            analysis.seeds_text()
        ));
    }
    let trials =
        |row: &&super::ResultRow| row.kind == "shared_tuned" && row.trials.is_some_and(|trials| trials < 100.0);
    if analysis.measure == Measure::Return && analysis.results.iter().any(|row| trials(&row)) {
        warnings.push("Fewer than 100 unseen starts: scores and failures of single networks are rough.".into());
    }
    let missing: Vec<String> = analysis
        .seeds()
        .into_iter()
        .filter(|seed| !analysis.networks.iter().any(|found| found.seed == *seed))
        .map(|seed| seed.to_string())
        .collect();
    if !missing.is_empty() {
        warnings.push(format!("No network of seed {} has been written.", missing.join(", ")));
    }
    warnings.extend(analysis.manifest.notes.iter().cloned());
    warnings
}

/// The result as plain text: one line a kind, then the headline. Ends with a line feed.
pub fn summary_text(analysis: &SearchAnalysis) -> String {
    let mut lines: Vec<[String; 3]> = vec![["result".into(), "median".into(), "range over seeds".into()]];
    for (kind, words) in analysis.kinds() {
        if let Some(spread) = analysis.spread(&kind) {
            let [median, range] = cells(analysis, &kind, spread);
            lines.push([words, median, range]);
        }
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let mut text = String::new();
    for [name, median, range] in &lines {
        text.push_str(&format!("  {name:<first$}  {median:>second$}  {range}"));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&wrap(&headline(analysis), 2));
    text
}

/// Median and range of a kind, in its own unit.
pub fn cells(analysis: &SearchAnalysis, kind: &str, spread: Spread) -> [String; 2] {
    let written = |score: f64| {
        let measure = if analysis.is_comparable(kind) { analysis.measure } else { Measure::NegativeLoss };
        measure.written(score)
    };
    let range =
        if spread.count > 1 { format!("{} to {}", written(spread.low), written(spread.high)) } else { "–".into() };
    [written(spread.median), range]
}

/// `six training weights (−2, −1, −0.5, 0.5, 1, 2)`.
fn training(analysis: &SearchAnalysis) -> String {
    let weights = analysis.training_weights();
    let list: Vec<String> = weights.iter().map(|weight| short(*weight).replace('-', "−")).collect();
    match list.len() {
        0 => "training weights".into(),
        count => format!("{count} training weights ({})", list.join(", ")),
    }
}

/// Share of the swept weights at which the shown network keeps [`KEPT`] of its best score, counted from its worst.
fn kept(analysis: &SearchAnalysis) -> Option<f64> {
    let seed = analysis.shown()?.seed;
    let scores: Vec<f64> = analysis.weights.iter().filter(|row| row.seed == seed).filter_map(|row| row.score).collect();
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Only scores that count up from 0 can be kept in part.
    if scores.len() < 10 || best <= 0.0 || analysis.measure == Measure::NegativeLoss {
        return None;
    }
    Some(scores.iter().filter(|score| **score >= KEPT * best).count() as f64 / scores.len() as f64)
}

fn swept(analysis: &SearchAnalysis) -> String {
    let seed = analysis.shown().map(|found| found.seed);
    let weights: Vec<f64> =
        analysis.weights.iter().filter(|row| Some(row.seed) == seed).map(|row| row.weight).collect();
    let end = |pick: fn(f64, f64) -> f64, from: f64| short(weights.iter().copied().fold(from, pick)).replace('-', "−");
    format!(
        "{} shared weights from {} to {}",
        weights.len(),
        end(f64::min, f64::INFINITY),
        end(f64::max, f64::NEG_INFINITY)
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, analysis};
    use super::*;

    #[test]
    fn summary_fits_a_terminal() {
        for case in [Case::SwingUp, Case::Digits] {
            let text = summary_text(&analysis(case));
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        insta::assert_snapshot!(summary_text(&analysis(Case::SwingUp)));
    }

    #[test]
    fn words_of_an_unfinished_search() {
        let mut empty = analysis(Case::SwingUp);
        empty.results.clear();
        assert!(headline(&empty).contains("has not been scored"));
        empty.networks.clear();
        assert!(headline(&empty).contains("no network"));
        assert!(warnings(&empty)[0].contains("No network of seed"), "{:?}", warnings(&empty));
    }
}
