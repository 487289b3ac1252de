//! Writing the report of an analysis of weights into its result folder.

use super::page;
use super::picture::PICTURES;
use crate::error::{Error, Result};
use crate::experiment::config::Format;
use crate::experiment::{Folder, WeightAnalysis};
use crate::files;
use crate::report::ReportOptions;
use crate::report::plot::chosen;
use crate::report::write::write_plots;
use std::path::{Path, PathBuf};

/// Folder of the analysis within the result folder.
pub const FOLDER: &str = "analysis";

/// Writes tables, pictures and pages into `analysis/` of the result folder, instead of what an earlier analysis wrote there;
/// files of other names stay. Returns the folder.
///
/// # Errors
/// An unknown picture (`P0104`), a file that cannot be written.
pub fn write(analysis: &WeightAnalysis, folder: &Folder, options: &ReportOptions) -> Result<PathBuf> {
    write_into(analysis, folder.path().join(FOLDER), options)
}

/// The same into any folder; of one model only the tables that have rows.
///
/// # Errors
/// As [`write()`].
pub fn write_into(analysis: &WeightAnalysis, place: PathBuf, options: &ReportOptions) -> Result<PathBuf> {
    let pictures = chosen(PICTURES, &[], &options.plots, analysis)?;
    let tables = analysis.tables()?;
    clear(&place, tables.iter().map(|table| table.0))?;
    files::make_folder(&place)?;
    let is_told = |bytes: &[u8]| analysis.about.model.is_none() || !bytes.is_empty();
    for (name, bytes) in tables.into_iter().filter(|(_, bytes)| is_told(bytes)) {
        files::replace(&place.join(name), &bytes)?;
    }
    // An older folder of plots may hold files that are not ours.
    files::make_folder(&place.join("plots"))?;
    let shown = write_plots(pictures, analysis, &place, options)?;
    if options.formats.contains(&Format::Markdown) {
        files::replace(&place.join("analysis.md"), page::markdown(analysis, &shown).as_bytes())?;
    }
    if options.formats.contains(&Format::Html) {
        files::replace(&place.join("analysis.html"), page::html(analysis, &shown).as_bytes())?;
    }
    Ok(place)
}

/// Removes what an earlier analysis wrote: pages of other numbers must not lie beside new ones.
fn clear<'a>(place: &Path, tables: impl Iterator<Item = &'a str>) -> Result<()> {
    let pages = ["analysis.md", "analysis.html"].into_iter();
    let plots = PICTURES
        .iter()
        .flat_map(|picture| ["svg", "png", "csv"].map(|ending| format!("plots/{}.{ending}", picture.name())));
    for name in tables.chain(pages).map(str::to_owned).chain(plots) {
        let path = place.join(name);
        match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("removing", &path, &cause));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::analyze::fixture;
    use crate::experiment::config::Plots;

    fn listed(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_analysis_takes_the_place_of_an_earlier_one() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        let analysis = fixture::analysis();
        let written = write(&analysis, &folder, &ReportOptions::default()).unwrap();
        let page = std::fs::read_to_string(written.join("analysis.html")).unwrap();
        assert!(page.contains("<svg") && !page.contains("NaN"));
        let drawn = PICTURES.iter().filter(|picture| picture.applies(&analysis)).count();
        assert_eq!((listed(&written.join("plots")).len(), drawn), (2 * drawn, PICTURES.len() - 1));
        std::fs::write(written.join("mine.txt"), "kept").unwrap();
        let few =
            ReportOptions { plots: Plots::Only(vec!["pruning".into()]), formats: vec![Format::Markdown, Format::Png] };
        write(&analysis, &folder, &few).unwrap();
        assert_eq!(listed(&written.join("plots")), ["pruning.png"]);
        let names = listed(&written);
        assert!(names.contains(&"mine.txt".into()) && names.contains(&"analysis.md".into()), "{names:?}");
        assert!(!names.contains(&"analysis.html".into()), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.ends_with(".csv")).count(), 13);
        write(&analysis, &folder, &ReportOptions::default()).unwrap();
        assert_eq!(std::fs::read_to_string(written.join("analysis.html")).unwrap(), page);
        let unknown = ReportOptions { plots: Plots::Only(vec!["prunning".into()]), ..few };
        assert_eq!(write(&analysis, &folder, &unknown).unwrap_err().code(), "P0104");
        assert!(written.join("analysis.html").is_file(), "a refusal removes nothing");
    }
}
