//! `precocial report`, and what is printed after a run.

use super::terminal::Terminal;
use precocial::experiment::config::{Format, Plots};
use precocial::experiment::{Folder, Run};
use precocial::report::{self, ReportOptions, summary_text};
use precocial::{Error, Result};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Report {
    /// Result folders
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// Which plots: `all`, `standard`, or names with commas between; else what the experiment says
    #[arg(long, value_name = "NAMES", value_parser = plots)]
    plots: Option<Plots>,

    /// Which formats, with commas between: html, md, svg, png, csv, tensorboard, jsonl; else what the experiment says
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', value_parser = format)]
    format: Vec<Format>,
}

pub fn plots(text: &str) -> std::result::Result<Plots, String> {
    Ok(match text {
        "all" => Plots::All,
        "standard" => Plots::Standard,
        names => Plots::Only(names.split(',').map(|name| name.trim().to_owned()).collect()),
    })
}

/// A format of any report.
fn format(text: &str) -> std::result::Result<Format, String> {
    match text {
        "tensorboard" => Ok(Format::TensorBoard),
        "jsonl" => Ok(Format::JsonLines),
        _ => page_format(text).map_err(|formats| format!("{formats}, tensorboard, jsonl")),
    }
}

/// A format of pages and pictures.
pub fn page_format(text: &str) -> std::result::Result<Format, String> {
    match text {
        "html" => Ok(Format::Html),
        "md" | "markdown" => Ok(Format::Markdown),
        "svg" => Ok(Format::Svg),
        "png" => Ok(Format::Png),
        "csv" => Ok(Format::Csv),
        _ => Err("formats are html, md, svg, png, csv".to_owned()),
    }
}

impl Report {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        for folder in &self.folders {
            let folder = Folder::at(folder);
            if report::search::is_search(&folder) {
                self.perform_search(&folder, terminal)?;
                continue;
            }
            if report::suite::is_suite(&folder) {
                self.perform_suite(&folder, terminal)?;
                continue;
            }
            if report::recipe_search::is_recipe_search(&folder) {
                let analysis = report::recipe_search::write(&folder, &self.options())?;
                terminal.print(&report::recipe_search::summary_text(&analysis))?;
                if let Some(page) = page(&folder) {
                    terminal.print(&format!("  report   {}", page.display()))?;
                }
                continue;
            }
            // First, because it says best that a folder holds no results.
            folder.manifest()?;
            let mut options = ReportOptions::from(&folder.experiment()?.report);
            if let Some(plots) = &self.plots {
                options.plots = plots.clone();
            }
            if !self.format.is_empty() {
                options.formats = self.format.clone();
            }
            let analysis = report::write(&folder, &options)?;
            terminal.print(&summary_text(&analysis))?;
            if let Some(page) = page(&folder) {
                terminal.print(&format!("  report   {}", page.display()))?;
            }
            if options.formats.contains(&Format::TensorBoard) {
                let events = folder.path().join(report::tensorboard::FOLDER);
                terminal.print(&format!("  tensorboard --logdir {}", events.display()))?;
            }
        }
        Ok(())
    }

    /// What was asked for on the command line, for folders whose files say nothing about reports.
    fn options(&self) -> ReportOptions {
        let mut options = ReportOptions::default();
        if let Some(plots) = &self.plots {
            options.plots = plots.clone();
        }
        if !self.format.is_empty() {
            options.formats = self.format.clone();
        }
        options
    }

    fn perform_suite(&self, folder: &Folder, terminal: &Terminal) -> Result<()> {
        let analysis = report::suite::write(folder, &self.options())?;
        terminal.print(&report::suite::summary_text(&analysis))?;
        if let Some(page) = page(folder) {
            terminal.print(&format!("  report   {}", page.display()))?;
        }
        Ok(())
    }

    fn perform_search(&self, folder: &Folder, terminal: &Terminal) -> Result<()> {
        let options = self.options();
        let analysis = report::search::write(folder, &options)?;
        terminal.print(&report::search::summary_text(&analysis))?;
        if let Some(page) = page(folder) {
            terminal.print(&format!("  report   {}", page.display()))?;
        }
        Ok(())
    }
}

/// Prints the verdict of a run, writes its report if asked to; returns the page.
pub fn after_run(run: &Run, write: bool, terminal: &Terminal) -> Result<Option<PathBuf>> {
    let analysis = if write {
        let options = ReportOptions::from(&run.folder.experiment()?.report);
        report::write(&run.folder, &options).map_err(|error| keep(error, run))?
    } else {
        report::analyse(&run.folder)?
    };
    terminal.print(&summary_text(&analysis))?;
    Ok(page(&run.folder).filter(|_| write))
}

/// The run itself is whole, whatever became of its report.
fn keep(error: Error, run: &Run) -> Error {
    error.note(format!("the results are whole: precocial report {} tries again", run.folder.path().display()))
}

pub fn page(folder: &Folder) -> Option<PathBuf> {
    ["report.html", "report.md"].map(|name| folder.path().join(name)).into_iter().find(|page| page.is_file())
}
