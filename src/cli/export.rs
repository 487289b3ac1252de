//! `precocial export`: a model for other programs.

use super::import::open;
use super::terminal::Terminal;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use precocial::error::Kind;
use precocial::experiment::export::Format;
use precocial::experiment::search::GraphModel;
use precocial::{Error, Result, files};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_long_help = recipes())]
pub struct Export {
    /// Model file, from the folder `models` of a result, or one of another format as `import` takes it; or a network that a
    /// topology search found, from the folder `networks`
    #[arg(value_name = "MODEL.pcl")]
    model: PathBuf,
    /// What to write
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    to: Format,
    /// The file to write; unless said otherwise here, with the model's name and the ending of the format
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let name = self.model.file_stem().unwrap_or_default().to_string_lossy();
        let path = self.output.clone().unwrap_or_else(|| format!("{name}.{}", self.to.extension()).into());
        refuse_existing(&path)?;
        let bytes = match GraphModel::open(&self.model)? {
            Some(graph) => graph.export(&self.to),
            None => open(&self.model)?.export(&self.to),
        };
        let bytes = bytes.map_err(|error| error.in_file(&self.model))?;
        refuse_existing(&path)?;
        files::replace(&path, &bytes)?;
        let file = path.display().to_string();
        terminal.object(&json!({"event": "written", "file": file, "format": self.to.word(), "bytes": bytes.len()}))?;
        terminal.print(&format!("wrote {file}: {}", self.to.about()))?;
        terminal.note("`precocial export --help` shows lines of code that read it");
        Ok(())
    }
}

/// Whatever stands there, a link that leads nowhere too.
pub(super) fn refuse_existing(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let message = format!("{} is there already, and nothing is ever overwritten", path.display());
    Err(Error::new(Kind::Files, "P0503", message).help("choose another name with -o"))
}

fn format() -> impl TypedValueParser<Value = Format> {
    let words = Format::all().into_iter().map(|format| PossibleValue::new(format.word()).help(format.about()));
    PossibleValuesParser::new(words).try_map(|word| Format::of_word(&word).ok_or("no such format"))
}

/// What the formats take, and how each is read.
fn recipes() -> String {
    let mut text = String::from(
        "Raw inputs and outputs are in the units of the data. Where a format takes scaled ones, the numbers of the scaling \
         stand beside the weights, and the lines below apply them.\n\nFrom rows `x`, raw, to outputs `y`, raw:\n",
    );
    for format in Format::all() {
        text.push_str(&format!("\n{}:\n", format.word()));
        format.recipe().lines().for_each(|line| text.push_str(format!("    {line}\n").trim_end_matches(' ')));
    }
    text
}
