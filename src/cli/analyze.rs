//! `precocial analyze`: a look into the weights of a run, or of a model.

use super::predict::{LARGEST_TABLE, read, read_targets};
use super::report::{page_format, plots};
use super::{import, terminal::Terminal, threads};
use precocial::error::Kind;
use precocial::experiment::config::{Format, Plots};
use precocial::experiment::{AnalyzeOptions, Folder, ModelRows, WeightAnalysis, analyze, analyze_model};
use precocial::report::{ReportOptions, weights};
use precocial::{Error, Result, files};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Analyze {
    /// Result folder of a complete run of an experiment; or a model file, as `predict` takes it, whose analysis is written
    /// beside it
    #[arg(value_name = "DIR|MODEL")]
    place: PathBuf,
    /// Of a model: table with a header to prune it on; unless said otherwise the rows of its run, if it lies in the run's folder
    #[arg(long, value_name = "TABLE.csv")]
    data: Option<PathBuf>,
    /// Of a model: the column of the classes in that table; values are found by their names
    #[arg(long, value_name = "COLUMN", requires = "data")]
    target: Option<String>,
    /// Of a model: what stands between the cells of that table
    #[arg(long, default_value = ",", value_name = "CHARACTER")]
    delimiter: char,
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
        let mut report = ReportOptions::default();
        if let Some(plots) = &self.plots {
            report.plots = plots.clone();
        }
        if !self.format.is_empty() {
            report.formats = self.format.clone();
        }
        let (analysis, place) = if self.place.is_file() { self.model(&report)? } else { self.run(&report)? };
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

    fn run(&self, report: &ReportOptions) -> Result<(WeightAnalysis, PathBuf)> {
        if self.data.is_some() {
            let message = "--data gives rows to a model, and a run has its own";
            return Err(Error::experiment("P0109", message).help("leave --data out, or name a model file"));
        }
        let folder = Folder::at(&self.place);
        let options = AnalyzeOptions {
            seed: self.seed,
            arms: self.arms.clone(),
            data_folder: self.data_folder.clone(),
            fine_tune: self.fine_tune,
            threads: threads(self.threads),
        };
        let analysis = analyze(&folder, &options)?;
        let place = weights::write(&analysis, &folder, report)?;
        Ok((analysis, place))
    }

    fn model(&self, report: &ReportOptions) -> Result<(WeightAnalysis, PathBuf)> {
        if self.seed.is_some() || !self.arms.is_empty() {
            let message =
                format!("{} is one model: --seed and --arms choose among those of a run", self.place.display());
            return Err(Error::experiment("P0109", message).help("leave them out, or name the folder of the run"));
        }
        let model = import::open(&self.place)?;
        let rows = match &self.data {
            Some(path) => Some(self.rows(&model, path)?),
            None => ModelRows::of_run(&self.place, &model),
        };
        let name = self.place.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let analysis = analyze_model(&name, &model, rows)?;
        let place = self.place.with_file_name(format!("{name}-analysis"));
        let place = weights::write_into(&analysis, place, report)?;
        Ok((analysis, place))
    }

    fn rows(&self, model: &precocial::experiment::Model, path: &Path) -> Result<ModelRows> {
        let bytes = files::read_capped(path, LARGEST_TABLE, Kind::Data)?;
        let inputs = read(&model.header, &bytes, self.delimiter, path)?;
        let targets = read_targets(model, &bytes, (self.delimiter, self.target.as_deref()), path)?;
        ModelRows::given(model, &inputs, &targets, format!("rows of {}", path.display()))
    }
}
