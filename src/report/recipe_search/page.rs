//! The report of a recipe search as pages: what goes into the templates, and its tables.

use super::convergence::Convergence;
use super::{RecipeAnalysis, headlines};
use crate::error::Result;
use crate::experiment::Folder;
use crate::experiment::config::Format;
use crate::experiment::recipe_search::TEST;
use crate::files;
use crate::report::ReportOptions;
use crate::report::number::{digits, short};
use crate::report::page::{Shown, render};
use crate::report::plot::{Plot, chosen};
use crate::report::reproduce::date;
use crate::report::suite::{self, Against, Standing, SuiteAnalysis, against_words, listed, ratio_words};
use crate::report::write::{no_tracking, write_plots};
use serde::Serialize;

/// All pictures of a recipe search.
const PICTURES: &[&dyn Plot<RecipeAnalysis>] = &[&Convergence];

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    notes: &'a str,
    headlines: Vec<String>,
    plots: &'a [Shown],
    number_columns: Vec<String>,
    numbers: Vec<Vec<String>>,
    scores: Vec<[String; 3]>,
    test: Vec<[String; 7]>,
    link: Option<String>,
    rules: Vec<(String, String)>,
    facts: Vec<(String, String)>,
}

/// Reads a recipe search's folder and writes the pages and `plots/` into it, and the report of the test into the folder of
/// the test; runs nothing.
///
/// # Errors
/// A missing or damaged file (`P0304`), a search that has found nothing yet (`P0305`), an unknown plot (`P0104`), a format
/// of experiments (`P0608`), a file that cannot be written.
pub fn write(folder: &Folder, options: &ReportOptions) -> Result<RecipeAnalysis> {
    let run = format!("precocial run {}/{TEST}/experiments/final.TASK.TRAINER.ron", folder.path().display());
    no_tracking(
        options,
        "a search for a recipe",
        format!("run an experiment of its test alone and report that: {run}"),
    )?;
    let analysis = RecipeAnalysis::read(folder)?;
    if analysis.test.is_some() {
        // The plots that were chosen are those of this page.
        let formats = options.formats.clone();
        suite::write(&Folder::at(folder.path().join(TEST)), &ReportOptions { formats, ..ReportOptions::default() })?;
    }
    let plots = chosen(PICTURES, &[], &options.plots, &analysis)?;
    let shown = write_plots(plots, &analysis, folder.path(), options)?;
    if options.formats.contains(&Format::Markdown) {
        files::replace(&folder.path().join("report.md"), markdown(&analysis, &shown).as_bytes())?;
    }
    if options.formats.contains(&Format::Html) {
        files::replace(&folder.path().join("report.html"), html(&analysis, &shown).as_bytes())?;
    }
    Ok(analysis)
}

/// `report.md`.
pub(super) fn markdown(analysis: &RecipeAnalysis, shown: &[Shown]) -> String {
    render("report.md", include_str!("../page/recipe_search.md.j2"), page(analysis, shown, "md"))
}

/// `report.html`: one file, nothing fetched, no scripts.
pub(super) fn html(analysis: &RecipeAnalysis, shown: &[Shown]) -> String {
    render("report.html", include_str!("../page/recipe_search.html.j2"), page(analysis, shown, "html"))
}

fn page<'a>(analysis: &'a RecipeAnalysis, shown: &'a [Shown], ending: &str) -> Page<'a> {
    let columns = ["number", "Simple"].into_iter().chain(analysis.has_v1().then_some("V1"));
    let columns = columns.chain(["searches", "best search", "found", "made simpler", "change of cost"]);
    Page {
        name: analysis.document.name.as_str(),
        notes: &analysis.document.notes,
        headlines: headlines(analysis),
        plots: shown,
        number_columns: columns.map(str::to_owned).collect(),
        numbers: numbers(analysis),
        scores: scores(analysis),
        test: analysis.test.as_ref().map_or_else(Vec::new, test),
        link: analysis.test.as_ref().map(|_| format!("{TEST}/report.{ending}")),
        rules: rules(analysis),
        facts: facts(analysis),
    }
}

/// A row for each number: published, where the searches ended, and what it became.
fn numbers(analysis: &RecipeAnalysis) -> Vec<Vec<String>> {
    let number = |x: Option<f64>| x.map_or("–".to_owned(), short);
    let row = |row: &super::NumberRow| {
        let ends = row.searches.iter().copied();
        let (low, high) = (ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max));
        let range = if low < high { format!("{} to {}", short(low), short(high)) } else { short(low) };
        let (what, price) = match &row.simpler {
            Some((what, price)) => (what.clone(), change(*price)),
            None => ("–".to_owned(), "–".to_owned()),
        };
        let published = [Some(number(row.simple)), analysis.has_v1().then(|| number(row.v1))];
        let rest = [range, short(row.best), short(row.found), what, price];
        std::iter::once(row.name.to_owned()).chain(published.into_iter().flatten()).chain(rest).collect()
    };
    analysis.numbers.iter().map(row).collect()
}

/// A difference of scores as a change of cost: `+0.3%`.
fn change(price: f64) -> String {
    let percent = (1000.0 * (libm::exp(price) - 1.0)).round() / 10.0;
    format!("{}{}%", if percent > 0.0 { "+" } else { "" }, digits(percent, 2))
}

/// What was compared at the validation seeds: recipe, cost by the control's, whether it was kept.
fn scores(analysis: &RecipeAnalysis) -> Vec<[String; 3]> {
    let rows = analysis.tables.validation.iter().filter(|row| row.step == "searches");
    let mut list: Vec<[String; 3]> = rows
        .map(|row| {
            [row.what.clone(), digits(libm::exp(row.score), 3), if row.kept { "taken".into() } else { String::new() }]
        })
        .collect();
    if let Some(found) = analysis.tables.found() {
        list.push(["found: made simpler".into(), digits(libm::exp(found.score), 3), String::new()]);
    }
    list
}

/// Candidate, control, ratio over all tasks, and on how many tasks it is better, the same, not told apart, worse.
fn test(test: &SuiteAnalysis) -> Vec<[String; 7]> {
    let findings = &test.findings;
    let mut rows = Vec::new();
    for (_, candidate) in test.candidates() {
        for against in [Against::BestClassic, Against::BestControl] {
            let overall = findings.overall.iter().find(|one| {
                one.candidate == candidate.as_str() && one.against == against && one.target == findings.deciding
            });
            let Some(overall) = overall else { continue };
            let count = |standing: Standing| {
                let list = test.compared(candidate.as_str(), against, findings.deciding);
                list.filter(|one| one.standing == Some(standing)).count().to_string()
            };
            rows.push([
                candidate.to_string(),
                against_words(test, against),
                ratio_words(overall, findings.confidence),
                count(Standing::Better),
                count(Standing::Equal),
                count(Standing::Open),
                count(Standing::Worse),
            ]);
        }
    }
    rows
}

/// What was written down before the runs.
fn rules(analysis: &RecipeAnalysis) -> Vec<(String, String)> {
    let document = &analysis.document;
    let names = |list: Vec<&str>| list.join(", ");
    let passes: Vec<String> = document.pilot.passes.iter().map(|passes| passes.get().to_string()).collect();
    let evolution = &document.evolution;
    vec![
        ("file".into(), format!("SHA-256 {}", analysis.manifest.experiment_hash)),
        ("numbers".into(), format!("{} of the family {}, for {} units", analysis.numbers.len(), document.family.name(), analysis.units())),
        ("trained on".into(), names(document.tasks.iter().map(|task| task.name.as_str()).collect())),
        ("trainers".into(), names(document.trainers.iter().map(|trainer| trainer.name.as_str()).collect())),
        ("tested on".into(), names(document.test.tasks.iter().map(|task| task.name.as_str()).collect())),
        (
            "targets".into(),
            format!(
                "median losses of {} after {} passes at seeds {}",
                analysis.control(),
                passes.join(", "),
                listed(&document.pilot.seeds)
            ),
        ),
        (
            "score".into(),
            "mean logarithm of the expected cost to a target by the control's on the same seeds; a run that fails is charged \
             its whole budget"
                .into(),
        ),
        (
            "searches".into(),
            format!(
                "CMA-ES, {} generations each, {} fresh seeds a generation; seeds {}",
                evolution.generations.get(),
                evolution.seeds.get(),
                listed(&document.seeds)
            ),
        ),
        ("validation".into(), format!("seeds {}", listed(&document.validation.seeds))),
        (
            "simpler numbers".into(),
            format!(
                "taken where they raise the score by less than {}: the neutral value, the start's, one digit, two digits",
                document.validation.tolerance.get()
            ),
        ),
    ]
}

fn facts(analysis: &RecipeAnalysis) -> Vec<(String, String)> {
    let manifest = &analysis.manifest;
    let mut facts = vec![
        ("repeat".to_owned(), "precocial run experiment.ron (in this folder)".to_owned()),
        (
            "use".to_owned(),
            "scheme: Recipe(File(\"recipe.ron\")), the path from the folder of the experiment".to_owned(),
        ),
        ("results (bits)".to_owned(), manifest.bits.clone()),
        ("precocial".to_owned(), format!("{}, random streams {}", manifest.precocial, manifest.stream_version)),
        ("machine".to_owned(), format!("{}, {}, {} threads", manifest.processor, manifest.platform, manifest.threads)),
        ("started".to_owned(), date(manifest.started)),
        ("ended".to_owned(), manifest.ended.map_or("not yet".into(), date)),
    ];
    for file in &manifest.data {
        facts.push((format!("data {}", file.name), format!("{} bytes, SHA-256 {}", file.bytes, file.sha256)));
    }
    facts
}
