//! `precocial compare`: arms across result folders.

use super::terminal::Terminal;
use precocial::Result;
use precocial::experiment::{Folder, Run};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Compare {
    /// Result folders, two or more
    #[arg(required = true, num_args = 2.., value_name = "DIR")]
    folders: Vec<PathBuf>,
}

impl Compare {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        for path in &self.folders {
            let folder = Folder::at(path);
            let (manifest, tables) = (folder.manifest()?, folder.tables()?);
            terminal.print(&format!("{}", path.display()))?;
            super::report::after_run(&Run { folder, manifest, tables }, false, terminal)?;
        }
        Ok(())
    }
}
