//! `precocial compare`: arms across result folders.

use super::terminal::Terminal;
use precocial::Result;
use precocial::experiment::Folder;
use precocial::experiment::config::Metric;
use precocial::report::{self, CompareOptions, ReportOptions, write_analysis};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Compare {
    /// Result folders, two or more
    #[arg(required = true, num_args = 2.., value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// The arm that all others are held against, ARM or FOLDER.ARM; the first folder's baseline unless said otherwise
    #[arg(long, value_name = "ARM")]
    baseline: Option<String>,

    /// What is compared; what the first folder compares unless said otherwise
    #[arg(long, value_enum)]
    metric: Option<Measured>,

    /// Let arms of unequal budgets meet
    #[arg(long)]
    allow_unequal: bool,

    /// Write a report of the comparison into this folder, which must not exist
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Measured {
    BudgetToTarget,
    FinalTrainingLoss,
    FinalTestLoss,
}

impl Compare {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let folders: Vec<Folder> = self.folders.iter().map(Folder::at).collect();
        let metric = self.metric.map(|metric| match metric {
            Measured::BudgetToTarget => Metric::BudgetToTarget,
            Measured::FinalTrainingLoss => Metric::FinalTrainingLoss,
            Measured::FinalTestLoss => Metric::FinalTestLoss,
        });
        let options = CompareOptions { baseline: self.baseline.clone(), metric, allow_unequal: self.allow_unequal };
        let comparison = report::compare(&folders, &options)?;
        terminal.print(&comparison.text)?;
        if let Some(out) = &self.out {
            precocial::files::create_folder(out)?;
            write_analysis(&comparison.analysis, out, &ReportOptions::default())?;
            terminal.print(&format!("  report   {}", out.join("report.html").display()))?;
        }
        Ok(())
    }
}
