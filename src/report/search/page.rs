//! The report of a topology search as pages: what goes into the templates.

use super::network::{Network, NodeKind};
use super::words::{cells, headline, points, warnings};
use super::{Found, SearchAnalysis};
use crate::experiment::folder::command_line;
use crate::experiment::grouped;
use crate::report::number::{digits, short};
use crate::report::page::{Shown, render};
use crate::report::reproduce::date;
use serde::Serialize;

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    notes: &'a str,
    summary: String,
    points: Vec<String>,
    rows: Vec<[String; 7]>,
    table_reading: String,
    animation: Option<String>,
    animation_file: Option<&'a str>,
    animation_reading: &'static str,
    plots: &'a [Shown],
    warnings: Vec<String>,
    explanation: String,
    levels: Vec<[String; 3]>,
    networks: Vec<[String; 6]>,
    facts: Vec<(String, String)>,
    glossary: &'static [(&'static str, &'static str)],
}

const GLOSSARY: &[(&str, &str)] = &[
    ("topology", "which nodes there are, what each computes, and who hears whom; no weights"),
    ("shared weight", "one number that every connection carries, those of the bias too"),
    ("training weights", "the few shared weights at which every network of the search is scored"),
    ("mean, peak", "mean and best of a network's scores over the training weights"),
    ("in-sample", "measured on the very draws by which a network was chosen, and so too good on average"),
    ("champion", "the best network so far, held to its score by fresh draws"),
    ("unseen", "starts or rows that neither the search nor the choice of a weight has met"),
    ("random weights", "an independent random weight for each connection"),
    ("tuned weights", "a weight for each connection, trained after the search; the topology stays"),
    ("vote", "each row gets the class that most shared weights of the sweep give it"),
    ("fixed topology", "a fully connected network of about the same number of connections, scored the same way"),
    ("dead zone", "weights around 0, through which no signal passes"),
];

/// `report.md`; `animation` is the name of the moving picture's file, if there is one.
pub fn markdown(analysis: &SearchAnalysis, shown: &[Shown], animation: Option<&str>) -> String {
    render("report.md", include_str!("../page/search.md.j2"), page(analysis, shown, None, animation))
}

/// `report.html`: one file, nothing fetched, no scripts; `animation` is the moving picture itself.
pub fn html(analysis: &SearchAnalysis, shown: &[Shown], animation: Option<String>) -> String {
    render("report.html", include_str!("../page/search.html.j2"), page(analysis, shown, animation, None))
}

fn page<'a>(
    analysis: &'a SearchAnalysis,
    shown: &'a [Shown],
    animation: Option<String>,
    animation_file: Option<&'a str>,
) -> Page<'a> {
    let found = analysis.shown();
    Page {
        name: &analysis.manifest.name,
        notes: &analysis.manifest.description,
        summary: headline(analysis),
        points: points(analysis),
        rows: rows(analysis),
        table_reading: format!(
            "Medians and ranges over {}, {} on {}; deviation and failures are medians over seeds. In-sample rows are the \
             best of the population on the draws of a generation: not to be compared with the rest.",
            analysis.seeds_text(),
            analysis.measure.label().split(" on ").next().unwrap_or("score"),
            analysis.measure.unseen()
        ),
        animation,
        animation_file,
        animation_reading: super::animation::reading(analysis).unwrap_or_default(),
        plots: shown,
        warnings: warnings(analysis),
        explanation: found.map(explanation).unwrap_or_default(),
        levels: found.map(|found| levels(&found.network)).unwrap_or_default(),
        networks: analysis.networks.iter().map(|found| network_row(analysis, found)).collect(),
        facts: facts(analysis),
        glossary: GLOSSARY,
    }
}

/// Words, median, range, deviation, failures, trials, cost.
fn rows(analysis: &SearchAnalysis) -> Vec<[String; 7]> {
    let row = |(kind, words): (String, String)| {
        let spread = analysis.spread(&kind)?;
        let [median, range] = cells(analysis, &kind, spread);
        let middle = |number: fn(&super::ResultRow) -> Option<f64>, write: &dyn Fn(f64) -> String| {
            let numbers: Vec<f64> = analysis.results.iter().filter(|row| row.kind == kind).filter_map(number).collect();
            crate::math::statistics::median(&numbers).map_or("–".to_owned(), write)
        };
        Some([
            words,
            median,
            range,
            middle(|row| row.deviation, &|x| analysis.measure.written(x)),
            middle(|row| row.failures, &|x| format!("{}%", digits(100.0 * x, 2))),
            middle(|row| row.trials, &|x| grouped(x.round().max(0.0) as u64)),
            middle(|row| row.cost, &crate::report::number::amount),
        ])
    };
    analysis.kinds().into_iter().filter_map(row).collect()
}

/// How the shown network is built, in words.
fn explanation(found: &Found) -> String {
    let network = &found.network;
    let hidden = network.hidden().count();
    let dead: Vec<&str> =
        network.nodes.iter().filter(|n| n.kind == NodeKind::Input && !n.used).map(|n| n.label.as_str()).collect();
    let inputs = network.count(NodeKind::Input);
    let hears = match dead.len() {
        0 => format!("It hears all {inputs} inputs"),
        count if count <= 8 => format!("It hears {} of {inputs} inputs (not {})", inputs - count, dead.join(", ")),
        count => format!("It hears {} of {inputs} inputs", inputs - count),
    };
    let bias = network.nodes.iter().any(|node| node.kind == NodeKind::Bias && node.used);
    let direct = |link: &&super::network::Link| {
        link.used && network.nodes[link.from].level == 0 && network.nodes[link.to].kind == NodeKind::Output
    };
    let direct = network.links.iter().filter(direct).count();
    let census: Vec<String> = network.census().into_iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!(
        "The network of seed {} has {} that carry signals and {}{}. {hears}{} the bias; \
         {} straight from there to an output. The longest path has {}.",
        found.seed,
        many(network.connections(), "connection"),
        many(hidden, "hidden node"),
        if census.is_empty() { String::new() } else { format!(" ({})", census.join(", ")) },
        if bias { " and" } else { ", but not" },
        if direct == 1 { "1 connection leads".to_owned() } else { format!("{direct} connections lead") },
        many(network.nodes.iter().filter(|node| node.used).map(|node| node.level).max().unwrap_or(0), "connection"),
    )
}

fn many(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Level, its nodes, and how many connections arrive there.
fn levels(network: &Network) -> Vec<[String; 3]> {
    let row = |level: usize| {
        let mut names: Vec<(String, usize)> = Vec::new();
        for node in network.nodes.iter().filter(|node| node.level == level && node.used) {
            let name = match node.kind {
                NodeKind::Input => "input".to_owned(),
                NodeKind::Bias => "bias".to_owned(),
                NodeKind::Hidden => node.activation.clone(),
                NodeKind::Output => format!("output ({})", node.activation),
            };
            match names.iter_mut().find(|(other, _)| *other == name) {
                Some((_, count)) => *count += 1,
                None => names.push((name, 1)),
            }
        }
        let arriving = network.links.iter().filter(|link| link.used && network.nodes[link.to].level == level).count();
        let text: Vec<String> =
            names.into_iter().map(|(name, count)| if count > 1 { format!("{count} × {name}") } else { name }).collect();
        let level_name = match level {
            0 => "inputs".to_owned(),
            last if last + 1 == network.levels => "outputs".to_owned(),
            level => level.to_string(),
        };
        [level_name, text.join(", "), if level == 0 { "–".into() } else { arriving.to_string() }]
    };
    (0..network.levels).map(row).collect()
}

/// Seed, connections, hidden nodes, levels, shared weight, its score.
fn network_row(analysis: &SearchAnalysis, found: &Found) -> [String; 6] {
    let network = &found.network;
    let score = analysis.scores("shared_tuned").into_iter().find(|score| score.0 == found.seed);
    [
        found.seed.to_string(),
        network.connections().to_string(),
        network.hidden().count().to_string(),
        (network.levels - 2).to_string(),
        network.shared_weight.map_or("–".into(), |weight| short(weight).replace('-', "−")),
        score.map_or("–".into(), |(_, score)| analysis.measure.written(score)),
    ]
}

/// What is needed to get the same again.
fn facts(analysis: &SearchAnalysis) -> Vec<(String, String)> {
    let manifest = &analysis.manifest;
    let machine =
        [&manifest.processor, &manifest.platform].map(String::as_str).into_iter().filter(|text| !text.is_empty());
    let mut machine: Vec<String> = machine.map(str::to_owned).collect();
    if !manifest.instruction_set.is_empty() {
        machine.push(format!("{} kernels", manifest.instruction_set));
    }
    if manifest.threads > 0 {
        machine.push(format!("{} threads", manifest.threads));
    }
    let version = match manifest.precocial.is_empty() {
        true => String::new(),
        false => format!("{}, random streams {}", manifest.precocial, manifest.stream_version),
    };
    let command = if manifest.command.is_empty() { String::new() } else { command_line(&manifest.command) };
    let facts = [
        ("repeat", "precocial run experiment.resolved.ron (in this folder)".to_owned()),
        ("command", command),
        ("results (bits)", manifest.bits.clone()),
        ("experiment", manifest.experiment_hash.clone()),
        ("precocial", version),
        ("machine", machine.join(", ")),
        ("started", manifest.started.map_or(String::new(), date)),
        ("ended", manifest.ended.map_or("not yet".into(), date)),
        ("networks", "networks/*.json and *.dot hold every node and connection".to_owned()),
    ];
    let facts = facts.into_iter().filter(|(_, text)| !text.is_empty());
    facts.map(|(name, text)| (name.to_owned(), text)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Case, analysis, keep};
    use super::super::picture::PICTURES;
    use super::*;
    use crate::experiment::config::Format;
    use crate::report::page::links;

    fn shown(analysis: &SearchAnalysis) -> Vec<Shown> {
        let drawn = PICTURES.iter().filter(|picture| picture.applies(analysis));
        let one = |picture: &&dyn crate::report::plot::Plot<SearchAnalysis>| {
            let (file, csv) = links(picture.name(), &[Format::Svg, Format::Csv]);
            let svg = picture.draw(analysis).figure.to_inline_svg();
            let (question, reading) = (picture.question(analysis), picture.reading().into());
            Shown { name: picture.name().into(), question, reading, svg, file, csv }
        };
        drawn.map(one).collect()
    }

    #[test]
    fn markdown_page() {
        let analysis = analysis(Case::SwingUp);
        insta::assert_snapshot!(markdown(&analysis, &shown(&analysis), Some("plots/episode.svg")));
    }

    #[test]
    fn html_is_one_safe_file_with_every_picture() {
        for case in [Case::SwingUp, Case::Digits] {
            let mut analysis = analysis(case);
            analysis.manifest.description = "Is <script>alert(1)</script> text?".into();
            let shown = shown(&analysis);
            let page = html(&analysis, &shown, super::super::animation::svg(&analysis, false));
            keep(&format!("{case:?}.html"), || page.clone().into_bytes());
            assert!(!page.contains("<script") && !page.contains("http") && !page.contains("NaN"));
            assert!(page.contains("Is &lt;script&gt;"));
            let moving = usize::from(case == Case::SwingUp);
            assert_eq!(page.matches("<svg").count(), shown.len() + moving);
            for tag in ["section", "table", "tr", "td", "ul", "li", "p", "figure", "svg", "dl", "h2"] {
                let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        }
    }
}
