//! `precocial analyze`: a look into the weights of a run.

use super::report::{page_format, plots};
use super::{terminal::Terminal, threads};
use precocial::Result;
use precocial::experiment::config::{Format, Plots};
use precocial::experiment::{AnalyzeOptions, Folder, analyze};
use precocial::report::{ReportOptions, weights};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Analyze {
    /// Result folder of a complete run of an experiment
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The seed whose landscapes are drawn; the first one unless said otherwise
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Arms to look at, with commas between; all of them unless said otherwise
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    arms: Vec<String>,
    /// Full-batch steps of training after pruning; 0 for none
    #[arg(long, value_name = "STEPS", default_value_t = 20)]
    fine_tune: u64,
    /// Which pictures: `all`, or names with commas between
    #[arg(long, value_name = "NAMES", value_parser = plots)]
    plots: Option<Plots>,
    /// Which formats, with commas between: html, md, svg, png, csv; all but png unless said otherwise
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', value_parser = page_format)]
    format: Vec<Format>,
    /// Folder that relative paths of data files start from, if they have moved
    #[arg(long, value_name = "DIR")]
    data_folder: Option<PathBuf>,
    /// Threads; one for each processor unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
}

impl Analyze {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let folder = Folder::at(&self.folder);
        let options = AnalyzeOptions {
            seed: self.seed,
            arms: self.arms.clone(),
            data_folder: self.data_folder.clone(),
            fine_tune: self.fine_tune,
            threads: threads(self.threads),
        };
        let mut report = ReportOptions::default();
        if let Some(plots) = &self.plots {
            report.plots = plots.clone();
        }
        if !self.format.is_empty() {
            report.formats = self.format.clone();
        }
        let analysis = analyze(&folder, &options)?;
        let place = weights::write(&analysis, &folder, &report)?;
        terminal.object(&json!({
            "event": "analyzed",
            "folder": place.display().to_string(),
            "arms": analysis.arms.iter().map(|arm| &arm.name).collect::<Vec<_>>(),
            "seed": analysis.seed,
            "found": weights::points(&analysis),
        }))?;
        terminal.print(&weights::summary_text(&analysis))?;
        let page =
            ["analysis.html", "analysis.md"].map(|name| place.join(name)).into_iter().find(|page| page.is_file());
        terminal.print(&format!("  analysis {}", page.unwrap_or(place).display()))
    }
}
