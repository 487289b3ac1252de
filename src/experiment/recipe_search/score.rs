//! What a recipe is worth: its expected cost on the way to each target, by that of the control on the same seeds.

use super::plan::{CONTROL, RecipeStudy};
use crate::error::{Error, Result};
use crate::experiment::arm::{Method, Random};
use crate::experiment::config::{ArmConfig, Name};
use crate::experiment::prepare::Study;
use crate::experiment::replicate::{Desk, run_arms};
use crate::experiment::suite::{Cell, Phase, SuiteRow, expected, reached};
use crate::experiment::watch::{Event, Watch};
use crate::math::statistics::Outcome;
use crate::train::Initializer;
use rayon::prelude::*;

/// Expected costs, in training passes: one for each target of each cell. Infinite where no run reached it.
pub struct Costs {
    /// The expected costs.
    expected: Vec<f64>,
    /// All that was spent there.
    spent: Vec<f64>,
}

impl Costs {
    /// The expected cost, twice all that was spent where no run got there: finite, and worse than any success.
    fn charged(&self) -> impl Iterator<Item = f64> + '_ {
        self.expected.iter().zip(&self.spent).map(|(cost, spent)| if cost.is_finite() { *cost } else { 2.0 * spent })
    }

    /// Mean over all targets of the logarithm of the cost by that of the control.
    pub fn score(&self, control: &Costs) -> f64 {
        let ratios = self.charged().zip(control.charged()).map(|(own, control)| libm::log(own / control));
        ratios.sum::<f64>() / self.expected.len() as f64
    }
}

/// Scores recipes on all training tasks with all trainers.
pub struct Scorer<'a> {
    study: &'a RecipeStudy,
    pool: &'a rayon::ThreadPool,
    /// Each task with each trainer.
    cells: Vec<(Cell, Study)>,
}

impl<'a> Scorer<'a> {
    /// Everything ready to run, with the targets that follow from the rows of the pilot.
    ///
    /// # Errors
    /// `P0161` for a task on which the pilot reached no finite loss.
    pub fn new(study: &'a RecipeStudy, pilot: &[SuiteRow], pool: &'a rayon::ThreadPool) -> Result<Scorer<'a>> {
        let cells = study.training.cells(Phase::Selection, pilot)?;
        let ready = |cell: Cell| study.training.study(&cell).map(|ready| (cell, ready));
        Ok(Scorer { study, pool, cells: cells.into_iter().map(ready).collect::<Result<_>>()? })
    }

    /// The costs of each scheme at these seeds; `None` if that was interrupted. All runs are made in parallel; which thread
    /// makes which is of no account.
    ///
    /// # Errors
    /// Data that cannot be split at a seed, a start that cannot be drawn.
    pub fn costs(&mut self, schemes: &[Initializer], seeds: &[u64], watch: &dyn Watch) -> Result<Option<Vec<Costs>>> {
        let arm = |(place, scheme): (usize, &Initializer)| {
            let name = Name::try_from(format!("r{place}")).map_err(Error::internal)?;
            let method = Method::Random(Random { scheme: scheme.clone() });
            Ok(ArmConfig { name, method, network: None, train: None })
        };
        let arms: Vec<ArmConfig> = schemes.iter().enumerate().map(arm).collect::<Result<_>>()?;
        for (_, ready) in &mut self.cells {
            ready.order = (0..arms.len()).collect();
            ready.experiment.arms.clone_from(&arms);
        }
        let (cells, silent) = (&self.cells, Silent(watch));
        let run = |job: usize| {
            let (scheme, rest) = (job / (cells.len() * seeds.len()), job % (cells.len() * seeds.len()));
            let (cell, ready) = &cells[rest / seeds.len()];
            outcomes(cell, ready, scheme, seeds[rest % seeds.len()], &silent)
        };
        let jobs = schemes.len() * cells.len() * seeds.len();
        let told: Vec<Option<Vec<Outcome>>> =
            self.pool.install(|| (0..jobs).into_par_iter().with_max_len(1).map(run).collect::<Result<_>>())?;
        let Some(told) = told.into_iter().collect::<Option<Vec<Vec<Outcome>>>>() else { return Ok(None) };
        Ok(Some(told.chunks(cells.len() * seeds.len()).map(|runs| costs(runs, seeds.len())).collect()))
    }

    /// The costs of the control at these seeds; `None` if that was interrupted.
    ///
    /// # Errors
    /// `P0162` for a target that it never reaches there.
    pub fn control(&mut self, seeds: &[u64], watch: &dyn Watch) -> Result<Option<Costs>> {
        let control = [self.study.document.control.clone()];
        let Some(costs) = self.costs(&control, seeds, watch)?.and_then(|mut all| all.pop()) else { return Ok(None) };
        let targets = self.study.document.pilot.passes.len();
        if let Some(place) = costs.expected.iter().position(|cost| !cost.is_finite()) {
            let (cell, document) = (&self.cells[place / targets].0, &self.study.document);
            let passes = document.pilot.passes[place % targets].get();
            let (task, trainer) = (&document.tasks[cell.task].name, &document.trainers[cell.trainer].name);
            let message =
                format!("the `{CONTROL}` never reaches the target at {passes} passes of \"{task}\" with \"{trainer}\"");
            return Err(Error::experiment("P0162", message)
                .note(format!("it was run at {} validation seeds; its cost is the unit of all scores", seeds.len()))
                .help("raise `budget`, name earlier `passes`, or take that task or trainer out"));
        }
        Ok(Some(costs))
    }
}

/// What a run spent on its way to each target; `None` if it was interrupted.
fn outcomes(cell: &Cell, ready: &Study, arm: usize, seed: u64, watch: &dyn Watch) -> Result<Option<Vec<Outcome>>> {
    let desk = Desk { with_predictions: false, watch, vault: None, is_whole: &|_| true, keep: &|_, _, _| Ok(()) };
    let mut finished = Vec::new();
    run_arms(ready, &[arm], seed, &desk, &mut finished)?;
    let Some(left) = finished.pop() else { return Ok(None) };
    let rows = ready.layout(seed)?.parts.training.len();
    // A run that gives up early is charged as if it had gone on: nobody knows beforehand.
    let failed = ready.budget(rows) as f64 / (ready.network.multiply_adds() * rows) as f64;
    let outcome = |target: &f64| match reached(&left.record.history, *target) {
        Some(cost) => Outcome::Reached(cost / rows as f64),
        None => Outcome::Censored(failed),
    };
    Ok(Some(cell.targets.iter().map(outcome).collect()))
}

/// Expected costs from the outcomes of cell after cell, seed after seed.
fn costs(runs: &[Vec<Outcome>], seeds: usize) -> Costs {
    let (mut all, mut spent) = (Vec::new(), Vec::new());
    for cell in runs.chunks(seeds) {
        for target in 0..cell[0].len() {
            let outcomes = cell.iter().map(|run| run[target]);
            all.push(expected(outcomes.clone()));
            spent.push(outcomes.map(|(Outcome::Reached(cost) | Outcome::Censored(cost))| cost).sum());
        }
    }
    Costs { expected: all, spent }
}

/// A watch that is not told of single runs, of which there are very many.
struct Silent<'a>(&'a dyn Watch);

impl Watch for Silent<'_> {
    fn event(&self, _: Event) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_mean_logarithms_and_failures_are_charged() {
        let runs = |costs: [Outcome; 4]| -> Vec<Vec<Outcome>> { costs.map(|one| vec![one]).to_vec() };
        use Outcome::{Censored, Reached};
        // Two cells of two seeds: 200 each at the control.
        let control = costs(&runs([Reached(150.0), Reached(250.0), Reached(200.0), Reached(200.0)]), 2);
        assert_eq!(control.score(&control), 0.0);
        let half = costs(&runs([Reached(100.0), Reached(100.0), Reached(50.0), Reached(150.0)]), 2);
        assert!((half.score(&control) - libm::log(0.5)).abs() < 1e-12);
        // One failure: 100 + 900 for one success; none: twice 1800.
        let fails = costs(&runs([Reached(100.0), Censored(900.0), Censored(900.0), Censored(900.0)]), 2);
        let expected = 0.5 * (libm::log(1000.0 / 200.0) + libm::log(3600.0 / 200.0));
        assert!((fails.score(&control) - expected).abs() < 1e-12);
    }
}
