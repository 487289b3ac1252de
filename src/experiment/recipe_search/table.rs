//! Tables of a recipe search: one row a generation, and one a recipe that was validated.

use crate::error::{Error, Kind, Result};
use crate::experiment::folder::{LARGEST_TABLE, read, table};
use crate::experiment::replicate::hexadecimal;
use crate::experiment::suite::SuiteRow;
use crate::files;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A row of `search.csv`: a generation of a search. Scores are mean logarithms of costs by those of the control, at seeds
/// that no other generation has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchRow {
    /// Seed of the search.
    pub search: u64,
    /// Generation, from 1.
    pub generation: u64,
    /// Runs of the search so far.
    pub runs: usize,
    /// Best score.
    pub best: f64,
    /// Mean score.
    pub mean: f64,
    /// Step size.
    pub sigma: f64,
    /// Numbers in the middle of the next generation, in the order of the family's fields.
    pub numbers: Vec<f64>,
}

/// A row of `validation.csv`: a recipe at the validation seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationRow {
    /// What was asked: `searches`, or the name of the number that was to become simpler.
    pub step: String,
    /// What the recipe is: `start`, `search 3`, `neutral`, `start value`, `1 digit`, `2 digits`.
    pub what: String,
    /// Score.
    pub score: f64,
    /// How much higher the score is than that of the recipe before; 0 for the searches.
    pub price: f64,
    /// Whether it became the recipe.
    pub kept: bool,
    /// Its numbers, in the order of the family's fields.
    pub numbers: Vec<f64>,
}

/// The tables of a recipe search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecipeTables {
    /// `pilot.csv`: what the targets come from.
    pub pilot: Vec<SuiteRow>,
    /// `search.csv`.
    pub search: Vec<SearchRow>,
    /// `validation.csv`.
    pub validation: Vec<ValidationRow>,
}

const SEARCH: [&str; 6] = ["search", "generation", "runs", "best", "mean", "sigma"];
const VALIDATION: [&str; 5] = ["step", "what", "score", "price", "kept"];

impl RecipeTables {
    /// Numbers of the found recipe: those of the row that was kept last.
    pub fn found(&self) -> Option<&ValidationRow> {
        self.validation.iter().rfind(|row| row.kept)
    }

    /// Reads the tables of a folder; empty ones for those that are not there yet.
    ///
    /// # Errors
    /// A table that is malformed (`P0304`).
    pub fn load(folder: &Path) -> Result<RecipeTables> {
        let there = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        Ok(RecipeTables {
            pilot: there("pilot.csv").map_or(Ok(Vec::new()), |path| read(&path))?,
            search: there("search.csv").map_or(Ok(Vec::new()), |path| records(&path, SEARCH.len()))?,
            validation: there("validation.csv").map_or(Ok(Vec::new()), |path| records(&path, VALIDATION.len()))?,
        })
    }

    /// Writes the tables that have rows; `fields` are names of the numbers.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path, fields: &[&str]) -> Result<()> {
        for (name, bytes) in self.files(fields)? {
            files::replace(&folder.join(name), &bytes)?;
        }
        Ok(())
    }

    /// SHA-256 of the tables and of the test's.
    ///
    /// # Errors
    /// None that a user could bring about.
    pub fn bits(&self, fields: &[&str], test: &str) -> Result<String> {
        let mut hash = Sha256::new();
        for (name, bytes) in self.files(fields)? {
            hash.update(name.as_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        hash.update(test.as_bytes());
        Ok(hexadecimal(&hash.finalize()))
    }

    fn files(&self, fields: &[&str]) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let mut all = Vec::new();
        if !self.pilot.is_empty() {
            all.push(("pilot.csv", table(&self.pilot)?));
        }
        if !self.search.is_empty() {
            all.push(("search.csv", written(&SEARCH, fields, &self.search)?));
        }
        if !self.validation.is_empty() {
            all.push(("validation.csv", written(&VALIDATION, fields, &self.validation)?));
        }
        Ok(all)
    }
}

/// A row whose last columns are as many as the family has numbers.
trait Record: Serialize + Sized {
    fn read(cells: &[&str], numbers: Vec<f64>) -> Option<Self>;
}

impl Record for SearchRow {
    fn read(cells: &[&str], numbers: Vec<f64>) -> Option<SearchRow> {
        let [search, generation, runs, best, mean, sigma] = cells else { return None };
        Some(SearchRow {
            search: search.parse().ok()?,
            generation: generation.parse().ok()?,
            runs: runs.parse().ok()?,
            best: best.parse().ok()?,
            mean: mean.parse().ok()?,
            sigma: sigma.parse().ok()?,
            numbers,
        })
    }
}

impl Record for ValidationRow {
    fn read(cells: &[&str], numbers: Vec<f64>) -> Option<ValidationRow> {
        let [step, what, score, price, kept] = cells else { return None };
        Some(ValidationRow {
            step: (*step).to_owned(),
            what: (*what).to_owned(),
            score: score.parse().ok()?,
            price: price.parse().ok()?,
            kept: kept.parse().ok()?,
            numbers,
        })
    }
}

/// Rows as CSV, under a header that a row with a list in it cannot write itself.
fn written<R: Record>(head: &[&str], fields: &[&str], rows: &[R]) -> Result<Vec<u8>> {
    let failed = |cause: String| Error::internal(format!("a table cannot be written: {cause}"));
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record([head, fields].concat()).map_err(|cause| failed(cause.to_string()))?;
    for row in rows {
        writer.serialize(row).map_err(|cause| failed(cause.to_string()))?;
    }
    writer.into_inner().map_err(|cause| failed(cause.to_string()))
}

fn records<R: Record>(path: &Path, head: usize) -> Result<Vec<R>> {
    let bytes = files::read_capped(path, LARGEST_TABLE, Kind::Data)?;
    let broken = |what: &str| Error::data("P0304", format!("this table cannot be read: {what}")).in_file(path);
    let mut rows = Vec::new();
    for record in csv::Reader::from_reader(&bytes[..]).records() {
        let record = record.map_err(|cause| broken(&cause.to_string()))?;
        let cells: Vec<&str> = record.iter().collect();
        let (words, numbers) = cells.split_at(head.min(cells.len()));
        let numbers: Option<Vec<f64>> = numbers.iter().map(|cell| cell.parse().ok()).collect();
        let row = numbers.and_then(|numbers| R::read(words, numbers));
        rows.push(row.ok_or_else(|| broken(&format!("row {} is none of its kind", rows.len() + 1)))?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_damaged_is_refused() {
        let row = SearchRow {
            search: u64::MAX,
            generation: 3,
            runs: 40,
            best: -0.1 - 1e-17,
            mean: 0.25,
            sigma: 1.0 / 3.0,
            numbers: vec![1e-12, -0.5],
        };
        let kept = ValidationRow {
            step: "centring".into(),
            what: "1 digit".into(),
            score: -0.3,
            price: 1e-3,
            kept: true,
            numbers: vec![2.0, 0.0],
        };
        let tables = RecipeTables {
            pilot: Vec::new(),
            search: vec![row],
            validation: vec![kept.clone(), ValidationRow { kept: false, ..kept }],
        };
        let folder = tempfile::tempdir().unwrap();
        tables.save(folder.path(), &["a", "b"]).unwrap();
        assert_eq!(RecipeTables::load(folder.path()).unwrap(), tables);
        assert_eq!(tables.found(), tables.validation.first());
        let path = folder.path().join("search.csv");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("search,generation,runs,best,mean,sigma,a,b\n18446744073709551615,3,40,"), "{text}");
        for (from, to) in [("40", "forty"), ("-0.5", "x"), (",40", ""), ("0.25", "0.25,1")] {
            std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
            assert_eq!(RecipeTables::load(folder.path()).unwrap_err().code(), "P0304", "{to}");
        }
    }
}
