//! Writing the report of a topology search into its result folder.

use super::picture::PICTURES;
use super::{SearchAnalysis, animation, page};
use crate::error::Result;
use crate::experiment::Folder;
use crate::experiment::config::{Format, Plots};
use crate::files;
use crate::report::ReportOptions;
use crate::report::plot::chosen;
use crate::report::write::{no_tracking, write_plots};
use std::path::Path;

/// Reads the folder of a topology search and writes the pages and `plots/` into it; runs nothing.
///
/// # Errors
/// A missing or damaged file (`P0304`), an unknown picture (`P0104`), a format of experiments (`P0608`), a file that
/// cannot be written.
pub fn write(folder: &Folder, options: &ReportOptions) -> Result<SearchAnalysis> {
    let way = "its generations are in generations.csv: results/tables.md tells the columns";
    no_tracking(options, "a topology search", way.to_owned())?;
    let analysis = SearchAnalysis::read(folder)?;
    write_analysis(&analysis, folder.path(), options)?;
    Ok(analysis)
}

/// Writes the report of an analysis into a folder.
///
/// # Errors
/// An unknown picture (`P0104`), a file that cannot be written.
pub fn write_analysis(analysis: &SearchAnalysis, folder: &Path, options: &ReportOptions) -> Result<()> {
    let has = |format: Format| options.formats.contains(&format);
    let pictures = chosen(PICTURES, &[animation::NAME], &options.plots, analysis)?;
    let shown = write_plots(pictures, analysis, folder, options)?;
    let moves = match &options.plots {
        Plots::Only(names) => names.iter().any(|name| name == animation::NAME),
        Plots::Standard | Plots::All => true,
    };
    let moving = |alone: bool| if moves { animation::svg(analysis, alone) } else { None };
    let file = moving(true).filter(|_| has(Format::Svg));
    if let Some(svg) = &file {
        let place = folder.join("plots");
        if !place.is_dir() {
            files::create_folder(&place)?;
        }
        files::replace(&place.join(format!("{}.svg", animation::NAME)), svg.as_bytes())?;
    }
    if has(Format::Markdown) {
        let moving = file.as_ref().map(|_| format!("plots/{}.svg", animation::NAME));
        let text = page::markdown(analysis, &shown, moving.as_deref());
        files::replace(&folder.join("report.md"), text.as_bytes())?;
    }
    if has(Format::Html) {
        files::replace(&folder.join("report.html"), page::html(analysis, &shown, moving(false)).as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, Case};
    use super::*;

    fn listed(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_can_be_written_again_from_its_folder_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = fixture::folder(place.path(), Case::SwingUp);
        let options = ReportOptions { plots: Plots::Standard, formats: vec![Format::Html, Format::Svg, Format::Csv] };
        write(&folder, &options).unwrap();
        let page = std::fs::read(folder.path().join("report.html")).unwrap();
        write(&folder, &options).unwrap();
        assert_eq!(std::fs::read(folder.path().join("report.html")).unwrap(), page);
        let names = listed(&folder.path().join("plots"));
        assert!(
            ["episode.svg", "network.csv", "network.svg", "shared-weight.svg"]
                .iter()
                .all(|name| { names.contains(&(*name).to_owned()) })
        );
    }

    #[test]
    fn only_what_is_asked_for_is_written() {
        let place = tempfile::tempdir().unwrap();
        let folder = fixture::folder(place.path(), Case::SwingUp);
        let only = |name: &str| ReportOptions { plots: Plots::Only(vec![name.into()]), formats: vec![Format::Svg] };
        write(&folder, &only("episode")).unwrap();
        assert_eq!(listed(&folder.path().join("plots")), ["episode.svg"]);
        let error = write(&folder, &only("paretto")).unwrap_err();
        assert_eq!((error.code(), &error.problems()[0].helps[0][..]), ("P0104", "did you mean `pareto`?"));
    }
}
