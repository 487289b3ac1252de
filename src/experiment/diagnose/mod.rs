//! Saying what is wrong with an experiment file, where, and what to write instead.

/// The nearest of some names within two edits, letters' case apart.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    // Two edits make most short names out of each other.
    let most = if lower.chars().count() <= 3 { 1 } else { 2 };
    let distance = |known: &str| strsim::osa_distance(&lower, &known.to_lowercase());
    known.map(|known| (distance(known), known)).filter(|(edits, _)| *edits <= most).min().map(|(_, known)| known)
}

/// The error with the places in `source` that its problems come from.
pub(crate) fn locate(
    error: crate::error::Error,
    _source: &std::sync::Arc<str>,
    path: &std::path::Path,
) -> crate::error::Error {
    error.in_file(path)
}
