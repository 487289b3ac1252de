//! `precocial schema`: the grammar of experiment files.

use super::terminal::Terminal;
use precocial::Result;

#[derive(clap::Args)]
pub struct Schema {}

impl Schema {
    pub fn perform(&self, _: &Terminal) -> Result<()> {
        Ok(())
    }
}
