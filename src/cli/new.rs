//! `precocial new`: experiments to begin with.

use super::terminal::Terminal;
use precocial::error::Kind;
use precocial::{Error, Result};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct New {
    /// What to begin with
    template: Template,
    /// The file to write; the template's name with `.ron` unless said otherwise
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Template {
    /// Classes of flowers: evolved, best-of-n and plain random starts
    Iris,
    /// The smallest problem that needs a hidden layer
    Xor,
    /// Two spirals: a hard small classification
    Spirals,
    /// A curve to be learned: regression
    FunctionFit,
    /// Images through a narrow layer and back: rows that are their own targets
    Autoencoder,
    /// A table of your own
    Csv,
    /// A topology that swings a pole up with any shared weight
    WannSwingup,
    /// A topology that reads digits with any shared weight
    WannDigits,
    /// A campaign: arms on many tasks, with targets and controls chosen on other seeds
    Suite,
    /// A search for a better start: the numbers of a recipe, evolved on some tasks and tested on others
    RecipeSearch,
}

impl Template {
    pub fn text(self) -> &'static str {
        match self {
            Template::Iris => include_str!("templates/iris.ron"),
            Template::Xor => include_str!("templates/xor.ron"),
            Template::Spirals => include_str!("templates/spirals.ron"),
            Template::FunctionFit => include_str!("templates/function_fit.ron"),
            Template::Autoencoder => include_str!("../../experiments/classics/autoencoder_digits.ron"),
            Template::Csv => include_str!("templates/csv.ron"),
            Template::WannSwingup => include_str!("templates/wann_swingup.ron"),
            Template::WannDigits => include_str!("templates/wann_digits.ron"),
            Template::Suite => include_str!("../../experiments/suite/quick.ron"),
            Template::RecipeSearch => include_str!("../../experiments/recipe_search.ron"),
        }
    }

    fn file(self) -> &'static str {
        match self {
            Template::Iris => "iris.ron",
            Template::Xor => "xor.ron",
            Template::Spirals => "spirals.ron",
            Template::FunctionFit => "function_fit.ron",
            Template::Autoencoder => "autoencoder.ron",
            Template::Csv => "csv.ron",
            Template::WannSwingup => "wann_swingup.ron",
            Template::WannDigits => "wann_digits.ron",
            Template::Suite => "suite.ron",
            Template::RecipeSearch => "recipe_search.ron",
        }
    }
}

impl New {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let path = self.output.clone().unwrap_or_else(|| self.template.file().into());
        write_new(&path, self.template.text().as_bytes())?;
        terminal.object(&json!({"event": "written", "file": path.display().to_string()}))?;
        let first = match self.template {
            Template::Csv => "first name your table and its target column in it, then: ",
            _ => "",
        };
        terminal.print(&format!("wrote {0}\n  {first}precocial run {0}", path.display()))
    }
}

/// Writes a file that must not exist yet.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes));
    written.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(Kind::Files, "P0503", format!("{} already exists, and nothing was written", path.display()))
                .help("choose another name with `-o FILE`")
        }
        _ => Error::io("writing", path, &cause),
    })
}
