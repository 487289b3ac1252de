//! `precocial report`, and what is printed after a run.

use super::terminal::Terminal;
use precocial::Result;
use precocial::experiment::record::RunState;
use precocial::experiment::{Folder, Run};
use precocial::math::statistics::median;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Report {
    /// Result folders
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
}

impl Report {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        for folder in &self.folders {
            let folder = Folder::at(folder);
            let (manifest, tables) = (folder.manifest()?, folder.tables()?);
            after_run(&Run { folder, manifest, tables }, true, terminal)?;
        }
        Ok(())
    }
}

/// Prints the results of a run, writes its report if asked to; returns the page.
pub fn after_run(run: &Run, _write: bool, terminal: &Terminal) -> Result<Option<PathBuf>> {
    let results = &run.tables.results;
    let width = run.manifest.spent.iter().map(|(arm, _)| arm.len()).max().unwrap_or(0).max(3);
    let mut lines = vec![format!(
        "  {:<width$}  {:>5}  {:>6}  {:>10}  {:>10}  {:>11}  {:>8}",
        "arm", "seeds", "search", "train loss", "test loss", "test metric", "diverged"
    )];
    for (arm, _) in &run.manifest.spent {
        let rows = || results.iter().filter(|row| row.arm == *arm);
        let middle = |number: fn(&precocial::experiment::record::ResultRow) -> Option<f64>| {
            let sample: Vec<f64> = rows().filter_map(number).collect();
            median(&sample).map_or("-".to_owned(), |x| format!("{x:.4}"))
        };
        let search = middle(|row| Some(100.0 * row.search_cost / row.total_cost.max(1.0)));
        let search = search.split('.').next().unwrap_or_default().to_owned();
        lines.push(format!(
            "  {arm:<width$}  {:>5}  {:>6}  {:>10}  {:>10}  {:>11}  {:>8}",
            rows().count(),
            format!("{search}%"),
            middle(|row| row.train_loss),
            middle(|row| row.test_loss),
            middle(|row| row.test_metric),
            rows().filter(|row| row.state == RunState::Diverged).count(),
        ));
    }
    terminal.print(&lines.join("\n"))?;
    Ok(None)
}
