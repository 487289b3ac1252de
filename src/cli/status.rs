//! `precocial status`: how far the runs of result folders are. It only looks, and works while they are written.

use super::terminal::Terminal;
use super::units;
use precocial::Result;
use precocial::experiment::folder::State;
use precocial::experiment::{Folder, Standing};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Status {
    /// Result folders
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
}

impl Status {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        self.folders.iter().try_for_each(|path| {
            let standing = Standing::of(&Folder::at(path))?;
            let state = match (standing.manifest.state, standing.is_written) {
                (State::Complete, _) => "complete",
                (_, true) => "running",
                (_, false) => "interrupted",
            };
            terminal.object(&json!({
                "event": "status",
                "folder": path.display().to_string(),
                "name": standing.manifest.name,
                "kind": standing.manifest.kind,
                "state": state,
                "finished": standing.finished,
                "under_way": standing.under_way,
                "runs": standing.runs,
            }))?;
            let manifest = &standing.manifest;
            let took = manifest.ended.map(|end| end.saturating_sub(manifest.started));
            let took = took.map_or_else(String::new, |took| format!(", {}", units::seconds(took as f64)));
            let mut lines = vec![
                format!("{}  \"{}\", {state}{took}", path.display(), manifest.name),
                format!("  {} of {} runs finished", standing.finished, standing.runs),
            ];
            if !standing.under_way.is_empty() {
                lines.push(format!("  saved under way: {}", standing.under_way.join(", ")));
            }
            if state == "interrupted" {
                lines.push(format!("  go on with: precocial resume {}", path.display()));
            }
            terminal.print(&lines.join("\n"))
        })
    }
}
