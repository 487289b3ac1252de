//! Files in other formats.

use crate::error::Error;
use std::path::Path;
use std::sync::Arc;

/// The refusal of a file that is JSON, TOML or YAML.
pub(super) fn other_format(source: &Arc<str>, path: &Path) -> Option<Error> {
    let is_comment = |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("//");
    let first = source.lines().map(str::trim).find(is_comment)?;
    let name = |text: &str| {
        let text = text.trim().trim_matches(['"', '\'']);
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let table = first.strip_prefix('[').and_then(|rest| rest.split(']').next()).is_some_and(name);
    let (format, there) = if first.starts_with('{') || (first.starts_with('[') && !table) {
        ("JSON", r#"`{"name": "iris", …}`"#)
    } else if table || first.split_once('=').is_some_and(|(key, _)| name(key)) {
        ("TOML", r#"`name = "iris"`"#)
    } else if first == "---" || first.split_once(':').is_some_and(|(key, _)| name(key)) {
        ("YAML", "`name: iris` alone")
    } else {
        return None;
    };
    let start = source.find(first).unwrap_or(0);
    Some(
        Error::experiment("P0101", format!("this looks like {format}; experiment files are RON"))
            .span(path, source, start..start + first.len(), "")
            .help(format!(r#"RON writes `Experiment(name: "iris", …)` instead of {there}"#))
            .help("`precocial new iris` writes an example"),
    )
}
