//! What people type before they know the verbs.

use super::terminal::Terminal;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Makes `precocial FILE.ron …` mean `precocial run FILE.ron …`; returns the file if it did.
pub fn complete(arguments: &mut Vec<OsString>) -> Option<PathBuf> {
    let first = Path::new(arguments.get(1)?).to_owned();
    if first.extension().is_some_and(|extension| extension == "ron") {
        arguments.insert(1, "run".into());
        return Some(first);
    }
    None
}

/// Tells why the arguments cannot be understood, and what was perhaps meant.
pub fn refuse(arguments: &[OsString], error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Terminal::plain().finish(|_| super::terminal::write_stdout(error.render().to_string().as_bytes()));
    }
    _ = error.print();
    if let Some(guess) = guess(arguments) {
        Terminal::plain().say(&format!("\n{guess}"));
    }
    ExitCode::from(2)
}

fn guess(arguments: &[OsString]) -> Option<String> {
    let words: Vec<&str> = arguments.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let rest = |index: usize, otherwise: &str| words.get(index + 1).map_or(otherwise, |word| *word).to_owned();
    let (index, word) =
        words.iter().enumerate().find(|(_, word)| word.starts_with("--seed") || !word.starts_with('-'))?;
    Some(match *word {
        "train" | "start" | "evolve" | "fit" | "execute" => {
            format!("Training is a part of running: precocial run {}", rest(index, "FILE.ron"))
        }
        "plot" | "plots" | "draw" | "show" | "open" => {
            format!("Plots belong to the report: precocial report {}", rest(index, "results/NAME-1"))
        }
        "init" | "create" | "example" | "examples" | "template" => {
            format!("Experiments are begun by: precocial new {}", rest(index, "iris"))
        }
        "validate" | "lint" | "test" | "plan" => {
            format!("Experiments are checked by: precocial check {}", rest(index, "FILE.ron"))
        }
        "list" | "ls" | "methods" | "tasks" => {
            "All methods and settings: precocial schema. Templates: precocial new --help. Result folders are in results/"
                .into()
        }
        "infer" | "classify" | "eval" | "evaluate" | "test-model" => {
            "Models predict by: precocial predict MODEL.pcl DATA.csv".into()
        }
        "convert" | "onnx" | "save" => "Models are written for other programs by: precocial export MODEL.pcl --to onnx".into(),
        "resume" | "continue" => "A run cannot be resumed yet; finished runs are in its folder".into(),
        "bench" | "benchmark" => "How long a run will take: precocial check FILE.ron".into(),
        _ => {
            let place = words.iter().position(|word| *word == "--seed" || word.starts_with("--seed="))?;
            let value = words[place].strip_prefix("--seed=").map_or_else(|| rest(place, "7"), ToOwned::to_owned);
            format!("Seeds are the replicates of a run, one or many: precocial run FILE.ron --seeds {value}")
        }
    })
}
