//! Where text goes: results to stdout, everything else to stderr.

use super::{diagnostics, signals};
use precocial::error::Kind;
use precocial::{Error, Result};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// What this process may print, and how.
pub struct Terminal {
    pub quiet: bool,
    pub json: bool,
    pub styled: bool,
}

impl Terminal {
    /// As the common options say.
    pub fn new(quiet: bool, json: bool, color: Color) -> Terminal {
        let wanted = || std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
        let styled = match color {
            Color::Auto => wanted(),
            Color::Always => true,
            Color::Never => false,
        };
        Terminal { quiet, json, styled }
    }

    /// Without any option.
    pub fn plain() -> Terminal {
        Terminal::new(false, false, Color::Auto)
    }

    /// A result for people, on stdout; not with `--json`.
    pub fn print(&self, text: &str) -> Result<()> {
        if self.json { Ok(()) } else { write_stdout(format!("{text}\n").as_bytes()) }
    }

    /// A result for programs, one object a line on stdout; only with `--json`.
    pub fn object(&self, object: &Value) -> Result<()> {
        if self.json { write_stdout(format!("{object}\n").as_bytes()) } else { Ok(()) }
    }

    /// The same for what happens on the way: a reader that has gone away ends no run.
    pub fn event(&self, object: &Value) {
        if self.json {
            let mut stdout = std::io::stdout().lock();
            _ = writeln!(stdout, "{object}").and_then(|()| stdout.flush());
        }
    }

    /// Something good to know on the way, on stderr.
    pub fn say(&self, text: &str) {
        if !self.quiet && !self.json {
            // Nobody can be told that stderr is closed.
            _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// A note on stderr.
    pub fn note(&self, text: &str) {
        self.say(&format!("note: {text}"));
    }

    /// Does the work; its error is drawn and becomes the exit code.
    pub fn finish(&self, work: impl FnOnce(&Terminal) -> Result<()>) -> ExitCode {
        match work(self) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                self.draw(&error);
                let stopped = signals::caught().filter(|_| error.kind() == Kind::Interrupted);
                ExitCode::from(stopped.map_or(error.kind().exit_code(), |signal| 128 + signal))
            }
        }
    }

    /// Draws an error on stderr; with `--json`, as an object on stdout.
    pub fn draw(&self, error: &Error) {
        if self.json {
            _ = self.object(&as_json(error));
        } else {
            _ = writeln!(std::io::stderr(), "{}", diagnostics::render(error, self.styled));
        }
    }
}

/// Writes to stdout. A reader that has gone away, such as `head`, has read what it wanted: the process ends well.
pub fn write_stdout(bytes: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(cause) => Err(Error::io("writing", std::path::Path::new("standard output"), &cause)),
    }
}

fn as_json(error: &Error) -> Value {
    let problems: Vec<Value> = error
        .problems()
        .iter()
        .map(|problem| {
            let place = problem.place.as_ref();
            let line_column = place.and_then(|place| place.line_column);
            json!({
                "code": problem.code,
                "message": problem.message,
                "file": place.map(|place| place.path.display().to_string()),
                "line": line_column.map(|(line, _)| line),
                "column": line_column.map(|(_, column)| column),
                "label": place.map(|place| &place.label).filter(|label| !label.is_empty()),
                "notes": problem.notes,
                "helps": problem.helps,
            })
        })
        .collect();
    json!({ "event": "error", "exit_code": error.kind().exit_code(), "problems": problems })
}
