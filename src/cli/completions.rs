//! `precocial completions`: for the shell's start-up file.

use super::terminal::{Terminal, write_stdout};
use clap::CommandFactory;
use precocial::Result;

#[derive(clap::Args)]
pub struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Completions {
    pub fn perform(&self, _: &Terminal) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::command(), "precocial", &mut script);
        write_stdout(&script)
    }
}
