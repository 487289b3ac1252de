//! When a search ends before its last generation.

use super::Measure;
use super::strategy::Summary;
use crate::error::{Error, Result};
use crate::values::{Count, Probability};
use serde::{Deserialize, Serialize};

/// A rule that ends a search before its last generation; training then begins from its best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum SearchStop {
    /// When the best fitness fell by less than a share in the latest generations.
    Stagnation {
        /// Generations that are looked back on.
        generations: Count,
        /// Share of the best fitness before them.
        share: Probability,
    },
    /// When gradient descent from the best individual lowers the logarithm of its loss more, for what it costs, than the
    /// latest generation lowered that of the best fitness. What descent does is known where the fitness is
    /// `ShortBackprop`: the loss before and after its steps, the former of which costs one pass for each new best. What
    /// generation 0 did is the step from its median to its best, so a search may end right after it.
    TrainingIsFaster,
}

impl SearchStop {
    /// Refuses a fitness that the rule cannot judge by.
    ///
    /// # Errors
    /// `P0121`, with the way out.
    pub fn check(&self, fitness: &Measure) -> Result<()> {
        let trains = matches!(fitness, Measure::ShortBackprop { steps: 1.., .. });
        if *self == SearchStop::TrainingIsFaster && !trains {
            let message = "`TrainingIsFaster` asks what training gained, and this fitness trains no step";
            return Err(Error::experiment("P0121", message)
                .help("write `fitness: ShortBackprop(steps: 10)`")
                .help("or `stop: Stagnation(generations: 3, share: 0.01)`"));
        }
        if !fitness.is_fixed() {
            let message =
                "`stop` compares the fitness of different generations, and minibatches make that a matter of luck";
            return Err(Error::experiment("P0121", message)
                .help("leave `batch` out of `ShortBackprop`, or write `ForwardLoss`")
                .help("or leave `stop` out"));
        }
        Ok(())
    }
}

/// What a search has gained so far, generation by generation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchProgress {
    /// Lowest fitness so far after each generation; infinite where there was none.
    lowest: Vec<f64>,
    /// Cost of all of them.
    spent: u64,
    /// Fall of the logarithm of the lowest fitness in the latest generation, for each multiply-add.
    by_search: f64,
    /// The same of gradient descent from the best individual.
    by_training: f64,
}

/// Losses below this are as good as none.
const NOTHING: f64 = 1e-12;

impl SearchProgress {
    /// Lowest fitness so far.
    pub fn lowest(&self) -> f64 {
        self.lowest.last().copied().unwrap_or(f64::INFINITY)
    }

    /// The best individual so far learned from loss `before` to `after` for `cost` multiply-adds.
    pub fn learned(&mut self, before: f64, after: f64, cost: u64) {
        self.by_training = fall(before, after) / cost.max(1) as f64;
    }

    /// A generation was told, and `spent` is what all of them cost.
    pub fn told(&mut self, summary: &Summary, spent: u64) {
        let before = self.lowest();
        let best = summary.fitness.first().copied().unwrap_or(f64::INFINITY).min(before);
        // Where there was nothing to be better than, the median is what a draw without any choice gives.
        let from = if before.is_finite() {
            before
        } else {
            summary.fitness.get(summary.fitness.len() / 2).copied().unwrap_or(best)
        };
        let cost = spent.saturating_sub(self.spent).max(1);
        self.by_search = if best.is_finite() { fall(from, best) / cost as f64 } else { 0.0 };
        self.spent = spent;
        self.lowest.push(best);
    }

    /// Whether the search ends by this rule.
    pub fn ends(&self, rule: SearchStop) -> bool {
        let best = self.lowest();
        match rule {
            _ if !best.is_finite() => false,
            SearchStop::TrainingIsFaster => self.by_training > self.by_search,
            SearchStop::Stagnation { generations, share } => {
                let earlier = self.lowest.len().checked_sub(1 + generations.get()).map(|place| self.lowest[place]);
                earlier.is_some_and(|earlier| earlier.is_finite() && earlier - best < share.get() * earlier)
            }
        }
    }
}

fn fall(from: f64, to: f64) -> f64 {
    libm::log(from.max(NOTHING) / to.max(NOTHING))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::read;

    fn told(progress: &mut SearchProgress, fitness: &[f64], spent: u64) {
        let summary = Summary {
            generation: 0,
            fitness: fitness.to_vec(),
            nonfinite: 0,
            diversity: None,
            unique: None,
            improved: None,
            scale: 1.0,
        };
        progress.told(&summary, spent);
    }

    #[test]
    fn stagnation_looks_back_over_its_generations() {
        let rule: SearchStop = read("Stagnation(generations: 2, share: 0.1)").unwrap();
        let mut progress = SearchProgress::default();
        // Nobody has a loss in the first one. From 1 to 0.882 is enough, from 0.9 to 0.882 is not.
        let ends = [(f64::INFINITY, false), (1.0, false), (0.9, false), (0.882, false), (0.9, true), (0.5, false)];
        for (best, end) in ends {
            let fitness = [best, 2.0];
            told(&mut progress, &fitness[..if best.is_finite() { 2 } else { 0 }], 1);
            assert_eq!(progress.ends(rule), end, "{best}: {progress:?}");
        }
        assert_eq!(progress.lowest(), 0.5);
    }

    #[test]
    fn training_ends_a_search_that_is_slower() {
        let rule = SearchStop::TrainingIsFaster;
        let mut progress = SearchProgress::default();
        told(&mut progress, &[], 40);
        assert!(!progress.ends(rule), "there is nobody to train");
        // From the median 4 to the best 1 in 100; training halves a loss in 30.
        progress.learned(2.0, 1.0, 30);
        told(&mut progress, &[1.0, 2.0, 4.0, 5.0, 6.0], 140);
        assert!(progress.ends(rule), "{progress:?}: log 4 / 100 is less than log 2 / 30");
        told(&mut progress, &[0.25], 190);
        assert!(!progress.ends(rule), "log 4 / 50 is more");
        told(&mut progress, &[0.3], 191);
        assert!(progress.ends(rule), "nothing was found");
        progress.learned(0.1, 0.2, 30);
        assert!(!progress.ends(rule), "training makes it worse");
        told(&mut progress, &[0.0, 0.0], 200);
        assert!(!progress.ends(rule), "no loss at all has a logarithm too: {progress:?}");
    }

    #[test]
    fn a_fitness_that_no_rule_can_judge_by_is_refused_with_the_way_out() {
        let rules = ["TrainingIsFaster", "Stagnation(generations: 2, share: 0.1)"].map(|text| read(text).unwrap());
        for (fitness, served) in [
            ("ForwardLoss", [false, true]),
            ("MinibatchLoss(size: 4)", [false, false]),
            ("ShortBackprop(steps: 0)", [false, true]),
            ("ShortBackprop(steps: 1)", [true, true]),
            ("ShortBackprop(steps: 1, batch: Size(4))", [false, false]),
        ] {
            let fitness: Measure = read(fitness).unwrap();
            for (rule, served) in rules.iter().zip(served) {
                let found: &SearchStop = rule;
                match found.check(&fitness) {
                    Ok(()) => assert!(served, "{rule:?} {fitness:?}"),
                    Err(error) => {
                        assert!(!served, "{rule:?} {fitness:?}");
                        assert_eq!((error.code(), error.problems()[0].helps.len()), ("P0121", 2));
                    }
                }
            }
        }
    }
}
