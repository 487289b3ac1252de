//! The tables of a run as JSON Lines: an object a row, with the columns of the CSV table as its fields.

use crate::error::{Error, Result};
use crate::files;
use crate::report::analysis::Analysis;
use serde::Serialize;
use std::path::Path;

/// Writes `results.jsonl`, `history.jsonl` and all other tables that have rows, beside the tables.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn write(analysis: &Analysis, folder: &Path) -> Result<()> {
    let runs = || analysis.arms.iter().flat_map(|arm| &arm.runs);
    let tables = [
        ("results", lines(runs().map(|run| &run.result))?),
        ("history", lines(runs().flat_map(|run| &run.history))?),
        ("generations", lines(runs().flat_map(|run| &run.generations))?),
        ("turns", lines(runs().flat_map(|run| &run.turns))?),
        ("audit", lines(runs().flat_map(|run| &run.audit))?),
        ("health", lines(analysis.arms.iter().flat_map(|arm| &arm.health))?),
        ("predictions", lines(analysis.arms.iter().flat_map(|arm| &arm.predictions))?),
    ];
    let some = tables.iter().filter(|(_, bytes)| !bytes.is_empty());
    some.into_iter().try_for_each(|(name, bytes)| files::replace(&folder.join(format!("{name}.jsonl")), bytes))
}

/// Numbers that are not there are `null`; numbers read back the same.
fn lines<'a, T: Serialize + 'a>(rows: impl Iterator<Item = &'a T>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for row in rows {
        let written = serde_json::to_writer(&mut bytes, row);
        written.map_err(|cause| Error::internal(format!("a row cannot be written: {cause}")))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
