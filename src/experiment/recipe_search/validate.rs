//! Which search was best, and which of its numbers can be simpler: all on the validation seeds.

use super::plan::RecipeStudy;
use super::score::{Costs, Scorer};
use super::table::{SearchRow, ValidationRow};
use crate::error::Result;
use crate::experiment::checkpoint::Slot;
use crate::experiment::watch::{Event, Watch};
use crate::sealed;
use crate::train::Initializer;
use serde::{Deserialize, Serialize};

/// How far the validation is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Progress {
    rows: Vec<ValidationRow>,
    /// Searched numbers that were looked at.
    looked: usize,
}

/// Significant digits that every number of a search is written with before it is compared.
const DIGITS: i32 = 3;

/// The rows of the validation; `None` if it was interrupted. Steps that were finished are not lost.
///
/// # Errors
/// What scoring refuses, and files that cannot be written.
pub fn validate(
    study: &RecipeStudy,
    scorer: &mut Scorer,
    control: &Costs,
    searches: &[SearchRow],
    mut slot: Slot,
    watch: &dyn Watch,
) -> Result<Option<Vec<ValidationRow>>> {
    if let Some(rows) = slot.finished::<Vec<ValidationRow>>().filter(|rows| fit(study, rows)) {
        return Ok(Some(rows));
    }
    let mut progress = Progress::default();
    let (loaded, damaged) = slot.load(|from| {
        let saved: Progress = from.take()?;
        from.end()?;
        if !fit(study, &saved.rows) || saved.looked > study.searched.len() {
            return Err(sealed::mismatch());
        }
        progress = saved;
        Ok(())
    });
    for problem in &damaged {
        watch.event(Event::Damaged { problem, from_start: !loaded });
    }
    if progress.rows.is_empty() {
        let Some(rows) = compare(study, scorer, control, searches, watch)? else { return Ok(None) };
        progress.rows = rows;
        slot.save(&|to| to.put(&progress))?;
    }
    while let Some(&place) = study.searched.get(progress.looked) {
        let Some(rows) = simplify(study, scorer, control, &progress.rows, place, watch)? else { return Ok(None) };
        progress.rows.extend(rows);
        progress.looked += 1;
        slot.save(&|to| to.put(&progress))?;
    }
    slot.finish(&progress.rows)?;
    Ok(Some(progress.rows))
}

fn fit(study: &RecipeStudy, rows: &[ValidationRow]) -> bool {
    (rows.is_empty() || rows.iter().any(|row| row.kept))
        && rows.iter().all(|row| row.numbers.len() == study.start.len())
}

/// The start and where each search ended, the best of them kept.
fn compare(
    study: &RecipeStudy,
    scorer: &mut Scorer,
    control: &Costs,
    searches: &[SearchRow],
    watch: &dyn Watch,
) -> Result<Option<Vec<ValidationRow>>> {
    let mut candidates = vec![("start".to_owned(), study.start.clone())];
    for seed in &study.seeds {
        if let Some(row) = searches.iter().rfind(|row| row.search == *seed) {
            let mut numbers = row.numbers.clone();
            study.searched.iter().for_each(|&place| numbers[place] = round(numbers[place], DIGITS));
            candidates.push((format!("search {seed}"), numbers));
        }
    }
    let Some(mut rows) = score(study, scorer, control, "searches", candidates, None, watch)? else { return Ok(None) };
    let best = (0..rows.len()).min_by(|a, b| rows[*a].score.total_cmp(&rows[*b].score));
    best.iter().for_each(|&best| rows[best].kept = true);
    Ok(Some(rows))
}

/// Simpler values of one number: the first one that costs no more than the tolerance is kept.
fn simplify(
    study: &RecipeStudy,
    scorer: &mut Scorer,
    control: &Costs,
    before: &[ValidationRow],
    place: usize,
    watch: &dyn Watch,
) -> Result<Option<Vec<ValidationRow>>> {
    let Some(current) = before.iter().rfind(|row| row.kept) else { return Ok(Some(Vec::new())) };
    let (field, value) = (&study.fields()[place], current.numbers[place]);
    let ways = [
        ("neutral", field.neutral.unwrap_or(value)),
        ("start value", study.start[place]),
        ("1 digit", round(value, 1)),
        ("2 digits", round(value, 2)),
    ];
    let mut candidates: Vec<(String, Vec<f64>)> = Vec::new();
    for (what, simpler) in ways {
        let is_new = simpler != value && candidates.iter().all(|(_, numbers)| numbers[place] != simpler);
        if is_new && (field.least..=field.most).contains(&simpler) {
            let mut numbers = current.numbers.clone();
            numbers[place] = simpler;
            candidates.push((what.to_owned(), numbers));
        }
    }
    if candidates.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let scored = score(study, scorer, control, field.name, candidates, Some(current.score), watch)?;
    Ok(scored.map(|mut rows| {
        let tolerance = study.document.validation.tolerance.get();
        rows.iter_mut().find(|row| row.price < tolerance).into_iter().for_each(|row| row.kept = true);
        rows
    }))
}

fn score(
    study: &RecipeStudy,
    scorer: &mut Scorer,
    control: &Costs,
    step: &str,
    candidates: Vec<(String, Vec<f64>)>,
    before: Option<f64>,
    watch: &dyn Watch,
) -> Result<Option<Vec<ValidationRow>>> {
    let schemes: Vec<Initializer> =
        candidates.iter().map(|(_, numbers)| study.scheme(numbers)).collect::<Result<_>>()?;
    let Some(costs) = scorer.costs(&schemes, study.validation(), watch)? else { return Ok(None) };
    let row = |((what, numbers), costs): ((String, Vec<f64>), &Costs)| {
        let score = costs.score(control);
        let price = before.map_or(0.0, |before| score - before);
        ValidationRow { step: step.to_owned(), what, score, price, kept: false, numbers }
    };
    let rows: Vec<ValidationRow> = candidates.into_iter().zip(&costs).map(row).collect();
    let best = rows.iter().map(|row| row.score).fold(f64::INFINITY, f64::min);
    let runs = rows.len() * study.runs_of(study.validation().len());
    watch.event(Event::Scored { what: &format!("validation, {step}"), runs, best });
    Ok(Some(rows))
}

/// The scores of rows that were validated, computed again.
///
/// # Errors
/// As [`validate`].
pub fn again(
    study: &RecipeStudy,
    scorer: &mut Scorer,
    control: &Costs,
    rows: &[ValidationRow],
    watch: &dyn Watch,
) -> Result<Option<Vec<ValidationRow>>> {
    let candidates = rows.iter().map(|row| (row.what.clone(), row.numbers.clone())).collect();
    let Some(fresh) = score(study, scorer, control, "again", candidates, None, watch)? else { return Ok(None) };
    let same = |(old, new): (&ValidationRow, ValidationRow)| ValidationRow { score: new.score, ..old.clone() };
    Ok(Some(rows.iter().zip(fresh).map(same).collect()))
}

/// The number with so many significant digits, as it would be written down.
fn round(x: f64, digits: i32) -> f64 {
    format!("{x:.*e}", (digits - 1).max(0) as usize).parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn numbers_are_rounded_as_they_are_written() {
        for (x, digits, rounded) in [
            (1.2345, 2, 1.2),
            (0.000_678_9, 1, 0.0007),
            (-0.2746, 1, -0.3),
            (0.0, 2, 0.0),
            (99.6, 2, 100.0),
            (1.0, 3, 1.0),
        ] {
            assert_eq!(round(x, digits), rounded);
        }
    }
}
