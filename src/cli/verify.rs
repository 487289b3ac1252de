//! `precocial verify`: runs seeds of a result folder again and compares every bit.

use super::overrides::parse_seeds;
use super::{progress::Progress, signals, terminal::Terminal, threads};
use precocial::experiment::{Folder, Standing, verify};
use precocial::{Error, Result};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Verify {
    /// Result folder of a complete run
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Seeds to run again: `1..3` or `2,5`; all of them unless said otherwise
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<String>,
    /// Folder that relative paths of data files start from, if they have moved
    #[arg(long, value_name = "DIR")]
    data_folder: Option<PathBuf>,
    /// Threads; one for each processor unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
}

impl Verify {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        signals::catch(terminal);
        let seeds = self.seeds.as_deref().map(parse_seeds).transpose()?;
        let folder = Folder::at(&self.folder);
        let standing = Standing::of(&folder)?;
        let count = seeds.as_ref().map_or(standing.seeds, |seeds| seeds.to_vec().len());
        let progress = Progress::new(terminal, standing.runs / standing.seeds.max(1) * count);
        let verified = verify(&folder, seeds.as_ref(), self.data_folder.as_deref(), threads(self.threads), &progress);
        progress.finish();
        let verified = verified?;
        terminal.object(&json!({
            "event": "verified",
            "folder": self.folder.display().to_string(),
            "runs": verified.runs,
            "differences": verified.differences,
        }))?;
        if verified.differences.is_empty() {
            return terminal.print(&format!("  {} runs have the same bits", verified.runs));
        }
        let count = verified.differences.len();
        let message =
            format!("{count} values of {} runs differ from those in {}", verified.runs, self.folder.display());
        let mut error = Error::new(precocial::error::Kind::Difference, "P0605", message);
        for difference in verified.differences.iter().take(5) {
            error = error.note(difference.clone());
        }
        Err(error.help("if nobody edited the tables, the program or a processor computes wrongly: `precocial doctor`"))
    }
}
