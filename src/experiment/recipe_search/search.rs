//! One search: CMA-ES over the numbers, saved after each generation.

use super::plan::RecipeStudy;
use super::score::Scorer;
use super::table::SearchRow;
use crate::error::Result;
use crate::evolve::Evaluations;
use crate::evolve::strategy::{CmaEs, CmaEsSettings, CmaEsState, Start, Strategy};
use crate::experiment::checkpoint::Slot;
use crate::experiment::watch::{Event, Watch};
use crate::rng::{Purpose, Streams};
use crate::train::Initializer;
use crate::values::Fitness;

/// The generations of the search with this seed; `None` if it was interrupted, which loses no generation that was finished.
/// `told` hears of all its rows after each generation.
///
/// # Errors
/// What scoring refuses, and files that cannot be written.
pub fn search(
    study: &RecipeStudy,
    scorer: &mut Scorer,
    seed: u64,
    mut slot: Slot,
    watch: &dyn Watch,
    told: &mut dyn FnMut(&[SearchRow]) -> Result<()>,
) -> Result<Option<Vec<SearchRow>>> {
    if let Some(rows) = slot.finished::<Vec<SearchRow>>().filter(|rows| fit(study, seed, rows)) {
        return Ok(Some(rows));
    }
    let (mut search, mut rows) = resume(study, seed, &mut slot, watch)?;
    while !search.is_finished() {
        if watch.is_cancelled() {
            return Ok(None);
        }
        let Some(row) = generation(study, scorer, seed, &mut search, &rows, watch)? else { return Ok(None) };
        rows.push(row);
        let (state, saved) = (search.save(), &rows);
        slot.save(&|to| to.put(&(&state, saved)))?;
        told(&rows)?;
    }
    slot.finish(&rows)?;
    Ok(Some(rows))
}

fn begin(study: &RecipeStudy, state: Option<CmaEsState>) -> Result<CmaEs<'static>> {
    let evolution = &study.document.evolution;
    let settings = CmaEsSettings {
        population: evolution.population,
        generations: evolution.generations,
        sigma: evolution.sigma,
        // Each generation has seeds of its own.
        fixed_scores: false,
        ..CmaEsSettings::default()
    };
    // Genes are steps away from the start.
    let count = study.searched.len();
    let start = Start::Given { mean: vec![0.0; count], spread: vec![1.0; count] };
    match state {
        Some(state) => CmaEs::load(settings, start, state),
        None => CmaEs::new(settings, start),
    }
}

/// The search as it was saved last, or one that has drawn nothing yet.
fn resume(
    study: &RecipeStudy,
    seed: u64,
    slot: &mut Slot,
    watch: &dyn Watch,
) -> Result<(CmaEs<'static>, Vec<SearchRow>)> {
    let (mut search, mut rows) = (begin(study, None)?, Vec::new());
    let (loaded, damaged) = slot.load(|from| {
        let (state, before): (CmaEsState, Vec<SearchRow>) = from.take()?;
        from.end()?;
        if !fit(study, seed, &before) || state.centre.generation != before.len() as u64 {
            return Err(crate::sealed::mismatch());
        }
        (search, rows) = (begin(study, Some(state))?, before);
        Ok(())
    });
    for problem in &damaged {
        watch.event(Event::Damaged { problem, from_start: !loaded });
    }
    Ok((search, rows))
}

fn fit(study: &RecipeStudy, seed: u64, rows: &[SearchRow]) -> bool {
    rows.iter().all(|row| row.search == seed && row.numbers.len() == study.start.len())
}

/// One generation; `None` if it was interrupted.
fn generation(
    study: &RecipeStudy,
    scorer: &mut Scorer,
    seed: u64,
    search: &mut CmaEs,
    before: &[SearchRow],
    watch: &dyn Watch,
) -> Result<Option<SearchRow>> {
    let streams = Streams::new(seed);
    let generation = search.generation();
    let seeds: Vec<u64> = (0..study.document.evolution.seeds.get() as u64)
        .map(|individual| streams.stream(Purpose::Scoring, generation, individual).bits64())
        .collect();
    let (population, asked) = search.ask(usize::MAX, &streams)?;
    let mut schemes: Vec<Initializer> = vec![study.document.control.clone()];
    for individual in asked.clone() {
        let steps: Vec<f64> = population.genome(individual).iter().map(|gene| f64::from(*gene)).collect();
        schemes.push(study.scheme(&study.numbers(&steps))?);
    }
    let Some(costs) = scorer.costs(&schemes, &seeds, watch)? else { return Ok(None) };
    let (control, own) = costs.split_first().expect("the control comes first");
    let scores: Vec<f64> = own.iter().map(|costs| costs.score(control)).collect();
    let mut evaluations =
        Evaluations { fitness: scores.iter().map(|score| Fitness::new(*score)).collect(), ..Default::default() };
    search.tell(&mut evaluations, asked);
    let runs = study.runs_of(seeds.len()) * schemes.len();
    let centre = &search.state().centre;
    let row = SearchRow {
        search: seed,
        generation: generation + 1,
        runs: before.last().map_or(0, |row| row.runs) + runs,
        best: scores.iter().copied().fold(f64::INFINITY, f64::min),
        mean: scores.iter().sum::<f64>() / scores.len() as f64,
        sigma: centre.sigma,
        numbers: study.numbers(&centre.mean),
    };
    let best = row.best;
    watch.event(Event::Scored { what: &format!("search {seed}, generation {}", generation + 1), runs, best });
    Ok(Some(row))
}
