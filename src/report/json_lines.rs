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
        ("mistakes", lines(runs().flat_map(|run| &run.mistakes))?),
        ("audit", lines(runs().flat_map(|run| &run.audit))?),
        ("reference", lines(analysis.reference.iter())?),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{audited, correcting, grafted, referred};

    #[test]
    fn every_table_with_rows_is_written() {
        let tables = ["results", "history", "generations", "turns", "mistakes", "audit", "reference", "health"];
        let mut written = std::collections::BTreeSet::new();
        for analysis in [audited(&[1, 10]), correcting(), referred(), grafted()] {
            let place = tempfile::tempdir().unwrap();
            write(&analysis, place.path()).unwrap();
            for entry in std::fs::read_dir(place.path()).unwrap() {
                let path = entry.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.lines().count() > 0 && text.lines().all(|line| line.starts_with("{\"")), "{path:?}");
                written.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
        assert!(tables.iter().all(|table| written.contains(*table)), "{written:?}");
    }
}
