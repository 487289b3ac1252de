//! Writing the report of a suite into its result folder.

use super::picture::PICTURES;
use super::{SuiteAnalysis, page};
use crate::error::Result;
use crate::experiment::Folder;
use crate::experiment::config::Format;
use crate::files;
use crate::report::ReportOptions;
use crate::report::plot::chosen;
use crate::report::write::{no_tracking, write_plots};

/// Reads a suite's folder and writes `statistics.json`, `comparisons.csv`, the pages and `plots/` into it; runs nothing.
///
/// # Errors
/// A missing or damaged file (`P0304`), a suite that is not whole (`P0305`), an unknown plot (`P0104`), a format
/// of experiments (`P0608`), a file that cannot be written.
pub fn write(folder: &Folder, options: &ReportOptions) -> Result<SuiteAnalysis> {
    let run = format!("precocial run {}/experiments/final.TASK.TRAINER.ron", folder.path().display());
    no_tracking(options, "a suite", format!("run one of its experiments alone and report that: {run}"))?;
    let analysis = SuiteAnalysis::read(folder)?;
    let plots = chosen(PICTURES, &[], &options.plots, &analysis)?;
    let shown = write_plots(plots, &analysis, folder.path(), options)?;
    let mut json = serde_json::to_vec_pretty(&analysis.findings).expect("findings are plain data");
    json.push(b'\n');
    files::replace(&folder.path().join("statistics.json"), &json)?;
    files::replace(&folder.path().join("comparisons.csv"), &page::comparisons(&analysis).to_csv())?;
    files::replace(&folder.path().join("finalists.csv"), &page::finalists(&analysis).to_csv())?;
    if options.formats.contains(&Format::Markdown) {
        files::replace(&folder.path().join("report.md"), page::markdown(&analysis, &shown).as_bytes())?;
    }
    if options.formats.contains(&Format::Html) {
        files::replace(&folder.path().join("report.html"), page::html(&analysis, &shown).as_bytes())?;
    }
    Ok(analysis)
}
