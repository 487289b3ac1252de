//! Writing a report into its result folder.

use crate::error::{Error, Result};
use crate::experiment::Folder;
use crate::experiment::config::{Format, Plots, Report};
use crate::files;
use crate::report::analysis::{Analysis, analyse};
use crate::report::page::{self, Shown};
use crate::report::plot::{Drawing, PLOTS, Plot, chosen, write_drawing};
use crate::report::{json_lines, tensorboard};
use rayon::prelude::*;
use std::path::Path;

/// What of a report is made.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportOptions {
    /// Which plots.
    pub plots: Plots,
    /// Which files.
    pub formats: Vec<Format>,
}

impl From<&Report> for ReportOptions {
    fn from(settings: &Report) -> ReportOptions {
        ReportOptions { plots: settings.plots.clone(), formats: settings.formats.clone() }
    }
}

impl Default for ReportOptions {
    /// The standard plots in all formats but PNG.
    fn default() -> ReportOptions {
        ReportOptions::from(&Report::default())
    }
}

/// Reads a result folder and writes `statistics.json`, the pages, `plots/` and files for other programs into it; runs
/// nothing.
///
/// # Errors
/// A folder without results (`P0305`), a damaged table (`P0304`), an unknown plot (`P0104`), a file that cannot be
/// written.
pub fn write(folder: &Folder, options: &ReportOptions) -> Result<Analysis> {
    let analysis = analyse(folder)?;
    write_analysis(&analysis, folder.path(), options)?;
    Ok(analysis)
}

/// Writes the report of an analysis into a folder.
///
/// # Errors
/// An unknown plot (`P0104`), a file that cannot be written.
pub fn write_analysis(analysis: &Analysis, folder: &Path, options: &ReportOptions) -> Result<()> {
    let has = |format: Format| options.formats.contains(&format);
    let shown = write_plots(chosen(PLOTS, &[], &options.plots, analysis)?, analysis, folder, options)?;
    files::replace(&folder.join("statistics.json"), &analysis.findings.to_json())?;
    if has(Format::Markdown) {
        files::replace(&folder.join("report.md"), page::markdown(analysis, &shown).as_bytes())?;
    }
    if has(Format::Html) {
        files::replace(&folder.join("report.html"), page::html(analysis, &shown).as_bytes())?;
    }
    if has(Format::TensorBoard) {
        tensorboard::write(analysis, folder)?;
    }
    if has(Format::JsonLines) {
        json_lines::write(analysis, folder)?;
    }
    Ok(())
}

/// Refuses formats that only the report of an experiment has; `what` has none.
///
/// # Errors
/// `P0608`.
pub(super) fn no_tracking(options: &ReportOptions, what: &str, help: String) -> Result<()> {
    let tracks = |format: &&Format| matches!(format, Format::TensorBoard | Format::JsonLines);
    let Some(format) = options.formats.iter().find(tracks) else { return Ok(()) };
    let name = if *format == Format::TensorBoard { "TensorBoard" } else { "JSON Lines" };
    Err(Error::experiment("P0608", format!("{name} tells runs look by look, and {what} keeps none")).help(help))
}

/// Draws plots, writes their files into `plots/` of a folder, and says how pages show them.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn write_plots<A: Sync>(
    plots: Vec<&'static dyn Plot<A>>,
    analysis: &A,
    folder: &Path,
    options: &ReportOptions,
) -> Result<Vec<Shown>> {
    let has = |format: Format| options.formats.contains(&format);
    // Each plot is drawn once, and drawn alone: they share nothing.
    let drawn: Vec<(&dyn Plot<A>, Drawing)> = plots.into_par_iter().map(|plot| (plot, plot.draw(analysis))).collect();
    if [Format::Svg, Format::Png, Format::Csv].into_iter().any(has) && !drawn.is_empty() {
        let place = folder.join("plots");
        if !place.is_dir() {
            files::create_folder(&place)?;
        }
        drawn
            .par_iter()
            .map(|(plot, drawing)| write_drawing(plot.name(), drawing, &place, &options.formats))
            .collect::<Result<()>>()?;
    }
    let shown = drawn.par_iter().map(|(plot, drawing)| {
        let (file, csv) = page::links(plot.name(), &options.formats);
        let svg = if has(Format::Html) { drawing.figure.to_inline_svg() } else { String::new() };
        Shown {
            name: plot.name().into(),
            question: plot.question(analysis),
            reading: plot.reading().into(),
            svg,
            file,
            csv,
        }
    });
    Ok(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{analysis, folder, law};

    fn listed(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_can_be_written_again_from_its_folder_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path(), "a", [law(0.0, 8.0), law(5e3, 6.0), law(2e3, 1.0)], 6, |_, _| {});
        let options = ReportOptions { plots: Plots::Only(vec!["ecdf".into()]), ..ReportOptions::default() };
        let first = write(&folder, &options).unwrap();
        let page = std::fs::read(folder.path().join("report.html")).unwrap();
        let second = write(&folder, &options).unwrap();
        assert_eq!(first.findings, second.findings);
        assert_eq!(std::fs::read(folder.path().join("report.html")).unwrap(), page);
        assert_eq!(listed(&folder.path().join("plots")), ["ecdf.csv", "ecdf.svg"]);
        let names = listed(folder.path());
        assert!(["report.html", "report.md", "statistics.json"].iter().all(|name| names.contains(&(*name).to_owned())));
    }

    #[test]
    fn only_what_is_asked_for_is_written() {
        let place = tempfile::tempdir().unwrap();
        let analysis = analysis([law(0.0, 8.0), law(5e3, 6.0), law(2e3, 1.0)], 6, "");
        let options = ReportOptions { plots: Plots::Standard, formats: vec![Format::Markdown] };
        write_analysis(&analysis, place.path(), &options).unwrap();
        assert_eq!(listed(place.path()), ["report.md", "statistics.json"]);
        let unknown = ReportOptions { plots: Plots::Only(vec!["x".into()]), ..options };
        assert_eq!(write_analysis(&analysis, place.path(), &unknown).unwrap_err().code(), "P0104");
    }

    #[test]
    fn other_programs_get_the_runs_and_the_tables() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path(), "a", [law(0.0, 8.0), law(5e3, 6.0), law(2e3, 1.0)], 2, |_, _| {});
        let options = ReportOptions { plots: Plots::Standard, formats: vec![Format::TensorBoard, Format::JsonLines] };
        let analysis = write(&folder, &options).unwrap();
        let events = folder.path().join(tensorboard::FOLDER);
        assert_eq!(listed(&events), ["best-of-n", "ga", "glorot"]);
        assert_eq!(listed(&events.join("ga")), ["seed-1", "seed-2"]);
        assert_eq!(listed(&events.join("ga/seed-2")).len(), 1);
        let tables = folder.tables().unwrap();
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        fn rows<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
        assert_eq!(rows::<crate::experiment::record::HistoryRow>(&text("history.jsonl")), tables.history);
        assert_eq!(rows::<crate::experiment::ResultRow>(&text("results.jsonl")), tables.results);
        assert_eq!(rows::<crate::experiment::record::HealthRow>(&text("health.jsonl")), tables.health);
        assert_eq!(text("generations.jsonl").lines().count(), tables.generations.len());
        assert!(!folder.path().join("turns.jsonl").exists(), "a table without rows");
        assert!(analysis.arms[0].runs.len() == 2 && !listed(folder.path()).contains(&"plots".to_owned()));
    }

    #[test]
    fn what_keeps_no_looks_has_no_formats_of_looks() {
        let folder = Folder::at("a");
        for format in [Format::TensorBoard, Format::JsonLines] {
            let options = ReportOptions { plots: Plots::Standard, formats: vec![Format::Html, format] };
            let refused = [
                crate::report::search::write(&folder, &options).err(),
                crate::report::suite::write(&folder, &options).err(),
                crate::report::recipe_search::write(&folder, &options).err(),
            ];
            for error in refused {
                let error = error.unwrap();
                assert_eq!((error.code(), error.problems()[0].helps.len()), ("P0608", 1), "{error}");
            }
        }
    }

    #[test]
    fn a_folder_without_results_is_refused() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(write(&Folder::at(place.path()), &ReportOptions::default()).unwrap_err().code(), "P0305");
    }
}
