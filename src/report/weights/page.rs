//! The analysis of weights as pages: what goes into the templates.

use super::words::{barrier_share, middle, own_pairs, pair_name, pairs, points, stable_rank};
use crate::experiment::WeightAnalysis;
use crate::experiment::record::Moment;
use crate::report::number::{digits, percent, ratio, short};
use crate::report::page::{Shown, render};
use serde::Serialize;

#[derive(Serialize)]
struct Page<'a> {
    name: String,
    intro: String,
    points: Vec<(String, Vec<String>)>,
    plots: &'a [Shown],
    layers: Vec<[String; 9]>,
    pairs: Vec<[String; 7]>,
    notes: &'a [String],
    facts: Vec<(String, String)>,
    glossary: &'static [(&'static str, &'static str)],
}

const GLOSSARY: &[(&str, &str)] = &[
    ("first draw", "the best draw before any search, such as individual 0 of generation 0"),
    ("start", "the weights that gradient descent got"),
    ("after training", "the deployed weights: the best that were looked at"),
    ("norm", "length of a vector of weights: the root of the sum of their squares"),
    (
        "skewness, kurtosis",
        "0 of a normal distribution; a kurtosis of −1.2 is that of a uniform one, above 0 tails are heavy",
    ),
    ("stable rank", "sum of the squared singular values over the largest one: how many directions carry the layer"),
    ("barrier", "the most that the loss lies above the straight line between its own values at the two ends"),
    (
        "one order",
        "hidden units matched by the correlation of their activations (assignment problem), signs turned where the \
         activation is odd; the network computes the same",
    ),
    ("weights kept", "the largest by magnitude, all layers together; thresholds are all kept"),
    (
        "principal components",
        "directions at right angles along which points vary most; of the population: all individuals of all generations \
         together; of training: the weights on its way",
    ),
    (
        "random directions",
        "normal numbers, row by row as long as the weights of the unit (Li et al. 2018); 1 is as far as the weights are from 0",
    ),
];

/// `analysis.md`.
pub(super) fn markdown(analysis: &WeightAnalysis, shown: &[Shown]) -> String {
    render("analysis.md", include_str!("../page/weights.md.j2"), page(analysis, shown))
}

/// `analysis.html`: one file, nothing fetched, no scripts.
pub(super) fn html(analysis: &WeightAnalysis, shown: &[Shown]) -> String {
    render("analysis.html", include_str!("../page/weights.html.j2"), page(analysis, shown))
}

fn page<'a>(analysis: &'a WeightAnalysis, shown: &'a [Shown]) -> Page<'a> {
    let (arms, seeds) = (analysis.arms.len(), analysis.seeds.len());
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let about = &analysis.about;
    Page {
        name: format!("{}: weights", about.name),
        intro: match about.model {
            Some(moment) => format!("One model of {} parameters, {}.", about.parameters, moment_name(moment)),
            None => format!(
                "{} at {}, {} parameters each. Numbers are medians over seeds unless said otherwise; seed {} is drawn where \
                 one must be chosen.",
                plural(arms, "arm"),
                plural(seeds, "seed"),
                about.parameters,
                analysis.seed
            ),
        },
        points: points(analysis),
        plots: shown,
        layers: layers(analysis),
        pairs: pair_rows(analysis),
        notes: &analysis.notes,
        facts: [&about.facts[..], &[("precocial".into(), env!("CARGO_PKG_VERSION").into())]].concat(),
        glossary: GLOSSARY,
    }
}

/// What pictures call a moment.
pub(super) fn moment_name(moment: Moment) -> &'static str {
    match moment {
        Moment::Drawn => "first draw",
        Moment::Start => "start",
        Moment::End => "after training",
    }
}

/// Arm, layer, moment, mean, standard deviation, skewness, kurtosis, stable rank, moved.
fn layers(analysis: &WeightAnalysis) -> Vec<[String; 9]> {
    let mut table = Vec::new();
    let shown = |x: Option<f64>| x.map_or("–".into(), |x| digits(x, 3));
    for arm in &analysis.arms {
        for layer in 1..=arm.layers.len() {
            for moment in [Moment::Drawn, Moment::Start, Moment::End] {
                let fits = analysis
                    .moments
                    .iter()
                    .filter(|row| row.arm == arm.name && row.layer == layer && row.moment == moment);
                if fits.clone().next().is_none() {
                    continue;
                }
                let moves =
                    analysis.moves.iter().filter(|row| row.arm == arm.name && row.layer == layer && row.to == moment);
                table.push([
                    arm.name.clone(),
                    layer.to_string(),
                    moment_name(moment).into(),
                    shown(middle(fits.clone().map(|row| Some(row.mean)))),
                    shown(middle(fits.clone().map(|row| Some(row.standard_deviation)))),
                    shown(middle(fits.clone().map(|row| row.skewness))),
                    shown(middle(fits.clone().map(|row| row.kurtosis))),
                    shown(stable_rank(analysis, &arm.name, layer, moment)),
                    middle(moves.map(|row| row.relative)).map_or("–".into(), ratio),
                ]);
            }
        }
    }
    table
}

/// Pair, distance of starts, of ends, aligned, barrier, aligned, share.
fn pair_rows(analysis: &WeightAnalysis) -> Vec<[String; 7]> {
    let row = |(first, second, rows): (&str, &str, Vec<&crate::experiment::analyze::PairRow>)| {
        let of = |number: &dyn Fn(&crate::experiment::analyze::PairRow) -> Option<f64>| {
            middle(rows.iter().map(|row| number(row)))
        };
        let number = |x: Option<f64>, text: fn(f64) -> String| x.map_or("–".into(), text);
        [
            pair_name(first, " and ", second),
            number(of(&|row| row.start_distance), ratio),
            number(of(&|row| row.distance), ratio),
            number(of(&|row| row.aligned_distance), ratio),
            number(of(&|row| Some(row.train_barrier.unwrap_or(f64::INFINITY))), short),
            number(of(&|row| Some(row.aligned_train_barrier.unwrap_or(f64::INFINITY))), short),
            number(of(&barrier_share), |x| if x > 1.0 { format!("{}×", ratio(x)) } else { percent(x) }),
        ]
    };
    pairs(analysis).into_iter().chain(own_pairs(analysis)).map(row).collect()
}
