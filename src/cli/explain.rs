//! `precocial explain`: more about a message than fits under it.

use super::terminal::Terminal;
use precocial::Result;

#[derive(clap::Args)]
pub struct Explain {
    /// A code such as P0107
    code: Option<String>,
}

impl Explain {
    pub fn perform(&self, _: &Terminal) -> Result<()> {
        Ok(())
    }
}
