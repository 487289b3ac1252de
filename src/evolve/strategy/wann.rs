//! The search for weight-agnostic topologies.

use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::selection::{Select, Tournament};
use crate::evolve::wann::operators::{ChangeContext, cross};
use crate::evolve::wann::rank::{Objectives, rank};
use crate::evolve::wann::{Genome, Individual, Innovations, Performance, Shape, WannSettings};
use crate::evolve::{Evaluate, Evaluations, Scoring, Strategy};
use crate::math::Activation;
use crate::rng::{Purpose, Streams};
use crate::task::TargetKind;
use crate::values::{Fitness, Probability};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a generation looked like. Scores are losses, or returns with their sign turned.
#[derive(Clone, Debug, PartialEq)]
pub struct WannSummary {
    /// Its number, from 0.
    pub generation: u64,
    /// Finite mean scores from best to worst.
    pub means: Vec<f64>,
    /// Individuals whose score was not finite.
    pub nonfinite: usize,
    /// The best peak: one network's with one shared weight.
    pub best_peak: f64,
    /// Enabled connections of the individual with the best mean, and the middle of the population.
    pub connections: (usize, usize),
    /// Hidden nodes, likewise.
    pub hidden: (usize, usize),
}

/// A genome with its mean and peak score; `None` where they were not finite.
pub type ScoredGenome = (Genome, Option<(f64, f64)>);

/// A search between `tell` and `ask`, as a checkpoint holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WannState {
    /// Generations told.
    pub generation: u64,
    /// The latest generation; empty before the first.
    pub population: Vec<ScoredGenome>,
    /// Counters of names and numbers.
    pub innovations: Innovations,
    /// The champion, and its score on fresh streams.
    pub champion: Option<(Genome, f64)>,
    /// The generation that the champion was found in.
    pub crowned: u64,
    /// During [trials](WannSettings::trials), the last generation of the one that the champion came from.
    pub kept: Vec<ScoredGenome>,
}

/// A search for weight-agnostic topologies under way.
///
/// Every generation is scored whole, elites included, because its minibatches or episodes are its own. Its best is
/// lucky, too, on just those: [`Wann::contender`] therefore names an individual that would be the new champion, and
/// [`Wann::rescore`] scores it on fresh streams before it is.
///
/// ```
/// use precocial::evolve::strategy::{Strategy, Wann};
/// use precocial::evolve::wann::{GraphLossEvaluator, Shape, WannSettings};
/// use precocial::evolve::{Evaluate, Evaluations, Scoring};
/// use precocial::math::{Activation, Rows};
/// use precocial::network::Head;
/// use precocial::rng::Streams;
/// use precocial::task::TargetKind;
/// use precocial::train::Batch;
/// use precocial::values::Count;
///
/// let rows = Rows::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 1.0, 0.0], 2, 1);
/// let settings = WannSettings { population: Count::new(20)?, generations: Count::new(5)?, ..WannSettings::default() };
/// let evaluator = GraphLossEvaluator::new(&rows, Head::Squared, &settings.weights, Batch::Full, 3);
/// let shape = Shape { inputs: 2, outputs: 1, output: Activation::Linear };
/// let mut search = Wann::new(settings, shape, TargetKind::Values)?;
/// let (streams, mut evaluations) = (Streams::new(1), Evaluations::default());
/// while !search.is_finished() {
///     let scoring = Scoring { generation: search.generation() };
///     let (population, asked) = search.ask(usize::MAX, &streams)?;
///     evaluator.evaluate(population, asked.clone(), scoring, &streams, &mut evaluations)?;
///     search.tell(&mut evaluations, asked);
///     search.rescore(&evaluator, &streams)?;
/// }
/// let (champion, loss) = search.best().expect("five generations were told");
/// assert!(loss.is_finite() && champion.graph.inputs() == 2);
/// # Ok::<(), precocial::Error>(())
/// ```
pub struct Wann {
    settings: WannSettings,
    shape: Shape,
    activations: Vec<Activation>,
    population: Vec<Individual>,
    performance: Vec<Performance>,
    innovations: Innovations,
    champion: Option<(Individual, Fitness)>,
    /// The generation that the champion was found in.
    crowned: u64,
    /// During trials, the population that the best so far has left, and how well each did.
    kept: (Vec<Individual>, Vec<Performance>),
    asked: bool,
    generation: u64,
}

impl Wann {
    /// A search that has drawn nothing yet.
    ///
    /// # Errors
    /// Settings that no search can work with ([`WannSettings::check`]), or no output (`P0134`).
    pub fn new(settings: WannSettings, shape: Shape, kind: TargetKind) -> Result<Wann> {
        settings.check()?;
        if shape.outputs == 0 {
            return Err(Error::experiment("P0134", "a network needs at least one output")
                .help("give the task a target column or an action"));
        }
        Ok(Wann {
            activations: settings.hidden_activations(kind),
            settings,
            shape,
            population: Vec::new(),
            performance: Vec::new(),
            innovations: Innovations::new(shape),
            champion: None,
            crowned: 0,
            kept: (Vec::new(), Vec::new()),
            asked: false,
            generation: 0,
        })
    }

    /// The search that [`Wann::save`] saved.
    ///
    /// # Errors
    /// Settings that no search can work with, or a state of another search (`P0304`).
    pub fn load(settings: WannSettings, shape: Shape, kind: TargetKind, state: WannState) -> Result<Wann> {
        let mut search = Wann::new(settings, shape, kind)?;
        let WannState { generation, population, innovations, champion, crowned, kept } = state;
        let known = |genome: &Genome| genome.shape() == shape && innovations.covers(genome);
        let mut genomes = population.iter().chain(&kept).map(|one| &one.0).chain(champion.iter().map(|one| &one.0));
        let most = search.settings.population.get();
        let fits = population.len() <= most && kept.len() <= most && (generation > 0) != population.is_empty();
        if !fits || !genomes.all(known) {
            return Err(Error::data("P0304", "the saved state belongs to another search")
                .help("resume with the experiment that wrote it, or start again"));
        }
        (search.population, search.performance) = unscored(population);
        search.kept = unscored(kept);
        search.champion = champion.map(|(genome, score)| (Individual::new(genome), Fitness::new(score)));
        search.crowned = crowned;
        search.innovations = innovations;
        search.generation = generation;
        Ok(search)
    }

    /// The state between `tell` and `ask`.
    ///
    /// # Panics
    /// Between `ask` and `tell`, when scores are awaited.
    pub fn save(&self) -> WannState {
        assert!(!self.asked, "a search is saved between tell and ask");
        let mut innovations = self.innovations.clone();
        innovations.begin_generation();
        WannState {
            generation: self.generation,
            population: scored(&self.population, &self.performance),
            innovations,
            champion: self.champion.as_ref().map(|(champion, score)| (champion.genome.clone(), score.get())),
            crowned: self.crowned,
            kept: scored(&self.kept.0, &self.kept.1),
        }
    }

    /// Settings.
    pub fn settings(&self) -> &WannSettings {
        &self.settings
    }

    /// The latest generation with how well each did.
    pub fn latest(&self) -> impl Iterator<Item = (&Individual, Performance)> {
        self.population.iter().zip(self.performance.iter().copied())
    }

    /// What the latest generation looked like; `None` before the first was told.
    pub fn summary(&self) -> Option<WannSummary> {
        let best = &self.population[self.leader()?].genome;
        let mut means: Vec<Fitness> = self.performance.iter().map(|performance| performance.mean).collect();
        means.sort_unstable();
        means.retain(|mean| mean.is_finite());
        let middle = |count: fn(&Genome) -> usize| {
            let mut counts: Vec<usize> = self.population.iter().map(|individual| count(&individual.genome)).collect();
            counts.sort_unstable();
            counts[counts.len() / 2]
        };
        Some(WannSummary {
            generation: self.generation - 1,
            nonfinite: self.population.len() - means.len(),
            means: means.into_iter().map(Fitness::get).collect(),
            best_peak: self.performance.iter().map(|performance| performance.peak).min()?.get(),
            connections: (best.enabled(), middle(Genome::enabled)),
            hidden: (best.hidden().len(), middle(|genome| genome.hidden().len())),
        })
    }

    /// The individual of the latest generation with the best [standing](WannSettings::standing), if it is another than the
    /// champion and seems better; and the numbers of the scorings that shall tell whether it is, which no generation and no other contest uses.
    pub fn contender(&self) -> Option<(&Individual, Range<u64>)> {
        let standing = |index: usize| self.settings.standing(self.performance[index]);
        let leader = (0..self.performance.len()).min_by_key(|&index| (standing(index), index))?;
        let individual = &self.population[leader];
        let seems_better = match &self.champion {
            Some((champion, score)) => standing(leader) < *score && champion.genome != individual.genome,
            None => standing(leader).is_finite(),
        };
        let count = self.settings.champion_scorings.get() as u64;
        let first = self.settings.generations.get() as u64 + (self.generation - 1) * count;
        seems_better.then_some((individual, first..first + count))
    }

    /// Makes the contender the champion if its `score` on fresh streams, its [standing](WannSettings::standing) there, is
    /// better than the champion's was.
    pub fn crown(&mut self, score: Fitness) {
        if let Some(contender) = self.contender().map(|(contender, _)| contender.clone())
            && score.is_finite()
            && self.champion.as_ref().is_none_or(|(_, best)| score < *best)
        {
            self.champion = Some((contender, score));
            self.crowned = self.generation - 1;
        }
    }

    /// Scores the contender, if there is one, on fresh streams, and crowns it if it is better than the champion.
    /// Returns what that cost.
    ///
    /// # Errors
    /// An engine that fails.
    pub fn rescore(&mut self, evaluator: &impl Evaluate<Vec<Individual>>, streams: &Streams) -> Result<Cost> {
        let Some((contender, scorings)) = self.contender() else {
            return Ok(Cost::ZERO);
        };
        let alone = vec![contender.clone()];
        let mut out = Evaluations::default();
        let mut trials = Vec::new();
        for generation in scorings {
            evaluator.evaluate(&alone, 0..1, Scoring { generation }, streams, &mut out)?;
            trials.extend_from_slice(&out.trials);
        }
        self.crown(self.settings.standing(Performance::of(&trials, self.settings.weights.len())));
        Ok(out.cost)
    }

    /// Index of the best mean of the latest generation; of equals, the first.
    fn leader(&self) -> Option<usize> {
        (0..self.performance.len()).min_by_key(|&index| (self.performance[index].mean, index))
    }

    /// At the end of a trial: sets its population aside if the champion came from it, and makes room for a new one or,
    /// after the last, for the one that was set aside.
    fn end_trial(&mut self) {
        let Some(trials) = self.settings.trials else { return };
        let length = trials.generations.get() as u64;
        if self.generation == 0 || self.generation > trials.total() || !self.generation.is_multiple_of(length) {
            return;
        }
        let latest = (std::mem::take(&mut self.population), std::mem::take(&mut self.performance));
        // Without any champion yet, one is as good as the other.
        if self.champion.is_none() || self.crowned / length == (self.generation - 1) / length {
            self.kept = latest;
        }
        if self.generation == trials.total() {
            (self.population, self.performance) = std::mem::take(&mut self.kept);
        }
    }

    fn draw(&mut self, size: usize, streams: &Streams) {
        let (shape, share) = (self.shape, self.settings.initial_links.get());
        let make = |index: usize| {
            let mut rng = streams.stream(Purpose::Initialize, self.generation, index as u64);
            Individual::new(Genome::initial(shape, share, &mut rng))
        };
        self.population = (0..size).into_par_iter().map(make).collect();
    }

    /// Indices from best to worst, by the objectives that this generation draws.
    fn order(&self, streams: &Streams) -> Vec<u32> {
        let mut rng = streams.stream(Purpose::Selection, self.generation, 1);
        let by_connections = rng.chance(self.settings.connections_objective.get());
        let objectives = |(individual, performance): (&Individual, Performance)| -> Objectives {
            // A network without connections counts as one with one: it is no simpler answer, it is none.
            let connections = individual.genome.enabled().max(1) as f64;
            let second = if by_connections { Fitness::new(connections) } else { performance.peak };
            [performance.mean, second]
        };
        rank(&self.latest().map(objectives).collect::<Vec<_>>())
    }

    fn breed(&mut self, size: usize, streams: &Streams) {
        let mut pool = self.order(streams);
        let culled = share_of(self.settings.cull, pool.len()).min(pool.len() - 1);
        pool.truncate(pool.len() - culled);
        // At least one child a generation, or nothing would ever change.
        let elites = share_of(self.settings.elites, pool.len()).min(size - 1);
        let ranked: Vec<Fitness> = pool.iter().map(|&index| self.performance[index as usize].mean).collect();
        let mut parents = vec![0; 2 * (size - elites)];
        let mut rng = streams.stream(Purpose::Selection, self.generation, 0);
        Tournament { size: self.settings.tournament }.select(&ranked, &mut parents, &mut rng);
        let genome = |rank: u32| &self.population[pool[rank as usize] as usize].genome;
        self.innovations.begin_generation();
        let mut children = Vec::with_capacity(size - elites);
        // One after the other, because they share their innovations.
        for (index, pair) in (elites..size).zip(parents.chunks_exact(2)) {
            let mut rng = streams.stream(Purpose::Variation, self.generation, index as u64);
            let mut child = if rng.chance(self.settings.crossover.get()) {
                cross(genome(pair[0].min(pair[1])), genome(pair[0].max(pair[1])), &mut rng)
            } else {
                genome(pair[0]).clone()
            };
            let mut context =
                ChangeContext { activations: &self.activations, innovations: &mut self.innovations, rng: &mut rng };
            self.settings.changes.change(&mut child, &mut context);
            children.push(child);
        }
        let kept = pool[..elites].iter().map(|&index| self.population[index as usize].clone());
        let mut next: Vec<Individual> = kept.collect();
        next.par_extend(children.into_par_iter().map(Individual::new));
        self.population = next;
    }
}

fn scored(population: &[Individual], performance: &[Performance]) -> Vec<ScoredGenome> {
    let score = |one: &Performance| one.mean.is_finite().then(|| (one.mean.get(), one.peak.get()));
    population.iter().zip(performance).map(|(one, performance)| (one.genome.clone(), score(performance))).collect()
}

fn unscored(genomes: Vec<ScoredGenome>) -> (Vec<Individual>, Vec<Performance>) {
    let performance = |score: Option<(f64, f64)>| match score {
        Some((mean, peak)) => Performance { mean: Fitness::new(mean), peak: Fitness::new(peak) },
        None => Performance::WORST,
    };
    genomes.into_par_iter().map(|(genome, score)| (Individual::new(genome), performance(score))).unzip()
}

/// A share of a number of individuals, rounded down; the little more keeps 0.3 · 10 at 3.
fn share_of(share: Probability, count: usize) -> usize {
    share.get().mul_add(count as f64, 1e-9).floor() as usize
}

impl Strategy for Wann {
    type Population = Vec<Individual>;
    type Genome<'g> = &'g Individual;

    fn ask(&mut self, limit: usize, streams: &Streams) -> Result<(&Vec<Individual>, Range<usize>)> {
        if !self.asked {
            let size = self.settings.population.get().min(limit);
            self.end_trial();
            if self.population.is_empty() || size == 0 {
                self.draw(size, streams);
            } else {
                self.breed(size, streams);
            }
            self.performance.clear();
            self.asked = true;
        }
        Ok((&self.population, 0..self.population.len()))
    }

    fn tell(&mut self, evaluations: &mut Evaluations, scored: Range<usize>) {
        self.asked = false;
        self.population.truncate(scored.end);
        let trials = evaluations.trials.len() / evaluations.fitness.len().max(1);
        let performance = |index: usize| match trials {
            0 => Performance { mean: evaluations.fitness[index], peak: evaluations.fitness[index] },
            _ => {
                Performance::of(&evaluations.trials[index * trials..(index + 1) * trials], self.settings.weights.len())
            }
        };
        self.performance = (0..self.population.len()).map(performance).collect();
        self.generation += 1;
    }

    /// The champion with its score on fresh streams; while there is none, the best mean of the latest generation.
    fn best(&self) -> Option<(&Individual, Fitness)> {
        let latest = || self.leader().map(|index| (&self.population[index], self.performance[index].mean));
        self.champion.as_ref().map(|(champion, score)| (champion, *score)).or_else(latest)
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    fn is_finished(&self) -> bool {
        self.generation >= self.settings.generations.get() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::wann::{GraphLossEvaluator, Trials};
    use crate::math::Rows;
    use crate::network::{GraphMemory, Head, Weights};
    use crate::train::Batch;
    use crate::values::Count;

    const SHAPE: Shape = Shape { inputs: 2, outputs: 1, output: Activation::Linear };

    fn count(count: u64) -> Count {
        Count::new(count).unwrap()
    }

    fn share(share: f64) -> Probability {
        Probability::new(share).unwrap()
    }

    fn settings(population: u64, generations: u64) -> WannSettings {
        WannSettings { population: count(population), generations: count(generations), ..WannSettings::default() }
    }

    fn xor() -> Rows {
        Rows::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 1.0, 0.0], 2, 1)
    }

    fn circles() -> Rows {
        let mut rng = Streams::new(8).stream(Purpose::Synthetic, 0, 0);
        let mut inputs = vec![0.0; 400];
        rng.fill_normal(&mut inputs, 1.0);
        let targets: Vec<f32> = inputs.chunks(2).map(|x| f32::from(x[0] * x[0] + x[1] * x[1] > 1.4)).collect();
        Rows::new(&inputs, &targets, 2, 1)
    }

    fn generation(search: &mut Wann, evaluator: &GraphLossEvaluator, streams: &Streams) {
        let mut evaluations = Evaluations::default();
        let scoring = Scoring { generation: search.generation() };
        let (population, asked) = search.ask(usize::MAX, streams).unwrap();
        evaluator.evaluate(population, asked.clone(), scoring, streams, &mut evaluations).unwrap();
        search.tell(&mut evaluations, asked);
        search.rescore(evaluator, streams).unwrap();
    }

    /// A search with given scores instead of an evaluator's.
    fn told(settings: WannSettings, trials: impl Fn(usize) -> Vec<f32>) -> Wann {
        let mut search = Wann::new(settings, SHAPE, TargetKind::Values).unwrap();
        let streams = Streams::new(3);
        let size = search.ask(usize::MAX, &streams).unwrap().0.len();
        let mut evaluations = Evaluations { fitness: vec![Fitness::WORST; size], ..Evaluations::default() };
        evaluations.trials = (0..size).flat_map(trials).collect();
        search.tell(&mut evaluations, 0..size);
        search
    }

    #[test]
    fn a_network_without_outputs_is_refused() {
        let mute = Wann::new(WannSettings::default(), Shape { outputs: 0, ..SHAPE }, TargetKind::Values);
        assert_eq!(mute.map(|_| ()).unwrap_err().code(), "P0134");
    }

    #[test]
    fn the_worst_are_culled_and_the_best_go_on_unchanged() {
        // One objective in effect: mean equals peak.
        let settings = WannSettings {
            cull: share(0.5),
            elites: share(0.3),
            connections_objective: share(0.0),
            tournament: count(1),
            repetitions: count(1),
            ..settings(20, 9)
        };
        let mut search = told(settings, |index| vec![index as f32; 6]);
        let parents: Vec<Genome> = search.population.iter().map(|individual| individual.genome.clone()).collect();
        let (population, asked) = search.ask(usize::MAX, &Streams::new(3)).unwrap();
        assert_eq!(asked, 0..20, "elites are scored again");
        for (index, parent) in parents.iter().take(3).enumerate() {
            assert_eq!(&population[index].genome, parent, "3 of the 10 that are left");
        }
        // Of one change: a child differs from its parent in a connection's switch, or has a node more.
        let near = |child: &Genome, parent: &Genome| {
            let switched = child.connections().iter().zip(parent.connections()).filter(|(a, b)| a != b).count();
            switched == 1
        };
        for child in &population[3..] {
            assert!(parents[..10].iter().any(|parent| near(&child.genome, parent)), "a parent was culled");
            assert!(!parents.contains(&child.genome) || child.genome.hidden().is_empty());
            assert_eq!(child.graph, child.genome.express());
        }
    }

    #[test]
    fn few_connections_count_only_when_they_are_an_objective() {
        for (chance, by_connections) in [(1.0, true), (0.0, false)] {
            let chance = share(chance);
            let settings = WannSettings { connections_objective: chance, initial_links: share(0.5), ..settings(30, 9) };
            let search = told(settings, |_| vec![1.0; 6]);
            let order = search.order(&Streams::new(3));
            let links: Vec<usize> =
                order.iter().map(|&index| search.population[index as usize].genome.enabled().max(1)).collect();
            assert_eq!(links.is_sorted(), by_connections, "{links:?}");
        }
        // The peak decides otherwise.
        let settings = WannSettings { connections_objective: share(0.0), ..settings(4, 9) };
        let search = told(settings, |index| {
            let spread = index as f32;
            vec![5.0 - spread, 5.0 + spread, 5.0, 5.0, 5.0, 5.0]
        });
        assert_eq!(search.order(&Streams::new(3)), [3, 2, 1, 0]);
    }

    #[test]
    fn a_broken_network_is_never_a_parent_or_the_best() {
        let settings = WannSettings { cull: share(0.0), ..settings(12, 9) };
        let mut search = told(settings, |index| vec![if index == 7 { 2.0 } else { f32::NAN }; 6]);
        assert_eq!(search.leader(), Some(7));
        let summary = search.summary().unwrap();
        assert_eq!((summary.means, summary.nonfinite), (vec![2.0], 11));
        let parent = search.population[7].genome.clone();
        let (population, _) = search.ask(usize::MAX, &Streams::new(3)).unwrap();
        let children = population.iter().skip(2);
        let switched =
            |child: &Genome| child.connections().iter().zip(parent.connections()).filter(|(a, b)| a != b).count();
        assert!(children.clone().all(|child| switched(&child.genome) == 1));
        let all_broken = told(self::settings(6, 9), |_| vec![f32::NAN; 6]);
        assert!(all_broken.contender().is_none());
    }

    #[test]
    fn a_champion_must_stand_fresh_streams() {
        let mut search = told(settings(6, 100), |index| vec![index as f32 + 1.0; 6]);
        let (contender, scorings) = search.contender().unwrap();
        assert_eq!((contender, scorings), (&search.population[0], 100..108));
        assert_eq!(search.best().unwrap().1, Fitness::new(1.0), "before any contest: in sample");
        search.crown(Fitness::new(f64::NAN));
        assert!(search.champion.is_none());
        search.crown(Fitness::new(1.5));
        assert_eq!(search.best().unwrap().1, Fitness::new(1.5));
        assert!(search.contender().is_none(), "the champion does not challenge itself");
        search.performance[3].mean = Fitness::new(0.5);
        search.generation = 2;
        assert_eq!(search.contender().unwrap().1, 108..116);
        search.crown(Fitness::new(1.6));
        assert_eq!(search.best().unwrap().0, &search.population[0], "it was luck");
        search.crown(Fitness::new(1.4));
        assert_eq!(search.best().unwrap(), (&search.population[3], Fitness::new(1.4)));
    }

    #[test]
    fn of_several_trials_the_one_with_the_champion_goes_on() {
        let trials = Some(Trials { count: count(3), generations: count(2) });
        let settings = WannSettings { trials, weights: vec![1.0], ..settings(8, 9) };
        // Losses of the generations: the second trial has the champion, or the last, or there is none.
        for (losses, chosen) in
            [([6.0, 5.0, 4.0, 3.0, 8.0, 7.0], 3), ([6.0, 5.0, 7.0, 7.0, 4.0, 3.0], 5), ([f32::NAN; 6], 5)]
        {
            let mut search = Wann::new(settings.clone(), SHAPE, TargetKind::Values).unwrap();
            let streams = Streams::new(5);
            let mut seen = Vec::new();
            for loss in losses {
                let (population, asked) = search.ask(usize::MAX, &streams).unwrap();
                seen.push(population.iter().map(|one| one.genome.clone()).collect::<Vec<_>>());
                // A child is the best, or the champion of a trial could be drawn again in the next.
                let trials = [loss, loss, loss, loss, loss, loss, loss, loss - 0.5];
                let fitness = trials.map(|loss| Fitness::new(f64::from(loss))).to_vec();
                let mut evaluations = Evaluations { fitness, trials: trials.to_vec(), ..Evaluations::default() };
                search.tell(&mut evaluations, asked);
                if let Some(contender) = search.contender().map(|(one, _)| one.clone()) {
                    assert!(search.latest().any(|one| *one.0 == contender));
                    search.crown(Fitness::new(f64::from(loss)));
                }
            }
            for first in [0, 2, 4] {
                assert!(seen[first].iter().all(|genome| genome.hidden().is_empty()), "drawn anew");
            }
            assert!(seen[0] != seen[2] && seen[2] != seen[4]);
            search.end_trial();
            let left: Vec<Genome> = search.population.iter().map(|one| one.genome.clone()).collect();
            assert_eq!(left, seen[chosen], "the trial's last generation");
            assert!(search.kept.0.is_empty() && search.performance.len() == 8);
            let (population, _) = search.ask(usize::MAX, &streams).unwrap();
            assert!(population.iter().any(|one| !seen[chosen].contains(&one.genome)));
        }
    }

    #[test]
    fn a_small_limit_makes_a_small_generation() {
        let (rows, streams) = (xor(), Streams::new(1));
        let mut search = Wann::new(settings(10, 9), SHAPE, TargetKind::Values).unwrap();
        let evaluator = GraphLossEvaluator::new(&rows, Head::Squared, &search.settings.weights, Batch::Full, 1);
        generation(&mut search, &evaluator, &streams);
        for limit in [1, 3] {
            let (population, asked) = search.ask(limit, &streams).unwrap();
            assert_eq!((population.len(), asked.clone()), (limit, 0..limit));
            let mut evaluations = Evaluations::default();
            evaluator
                .evaluate(population, asked.clone(), Scoring { generation: 1 }, &streams, &mut evaluations)
                .unwrap();
            search.tell(&mut evaluations, asked);
        }
    }

    #[test]
    fn a_resumed_search_is_the_unbroken_one() {
        let (rows, streams) = (circles(), Streams::new(9));
        let trials = Some(Trials { count: count(2), generations: count(4) });
        let settings = WannSettings { crossover: share(0.3), champion_scorings: count(2), trials, ..settings(24, 30) };
        let batch = Batch::Size(count(40));
        let evaluator = GraphLossEvaluator::new(&rows, Head::LogisticCrossEntropy, &settings.weights, batch, 2);
        let fresh = || Wann::new(settings.clone(), SHAPE, TargetKind::Classes).unwrap();
        let (mut whole, mut broken) = (fresh(), fresh());
        for told in 0..20 {
            generation(&mut whole, &evaluator, &streams);
            if told % 3 == 0 {
                let text = serde_json::to_string(&broken.save()).unwrap();
                let state: WannState = serde_json::from_str(&text).unwrap();
                broken = Wann::load(settings.clone(), SHAPE, TargetKind::Classes, state).unwrap();
            }
            generation(&mut broken, &evaluator, &streams);
        }
        assert_eq!(whole.save(), broken.save());
        assert!(whole.champion.is_some() && whole.population.iter().any(|one| one.genome.hidden().len() > 2));
        let mut state = whole.save();
        state.population.clear();
        let mut many = whole.save();
        many.kept = vec![many.population[0].clone(); 25];
        let other = Shape { inputs: 3, ..SHAPE };
        for (shape, state) in [(SHAPE, state), (SHAPE, many), (other, whole.save())] {
            let refused = Wann::load(settings.clone(), shape, TargetKind::Classes, state);
            assert_eq!(refused.map(|_| ()).unwrap_err().code(), "P0304");
        }
    }

    #[test]
    fn the_search_gets_better_than_its_start_on_data() {
        let (rows, streams) = (circles(), Streams::new(2));
        let settings = settings(64, 60);
        let head = Head::LogisticCrossEntropy;
        let evaluator = GraphLossEvaluator::new(&rows, head, &settings.weights, Batch::Full, 1);
        let weights = settings.weights.clone();
        let mut search = Wann::new(settings, SHAPE, TargetKind::Classes).unwrap();
        generation(&mut search, &evaluator, &streams);
        let start = search.summary().unwrap();
        while !search.is_finished() {
            generation(&mut search, &evaluator, &streams);
        }
        let end = search.summary().unwrap();
        // One constant answer for all weights is ln 2; no network without hidden nodes does better in the mean.
        assert!(start.means[0] > 0.69 && end.means[0] < 0.66, "{start:?} {end:?}");
        assert!(end.best_peak < start.best_peak - 0.05, "{start:?} {end:?}");
        assert_eq!(search.best().unwrap().1, Fitness::new(end.means[0]), "on all rows scores are comparable");
        // Trained weights are better still than the best shared one.
        let champion = search.best().unwrap().0.clone();
        let mut memory = GraphMemory::new();
        let mut shared = vec![0.0; 6];
        champion.graph.losses(head, Weights::Shared(&weights), &rows, &mut shared, &mut memory);
        let best = (0..6).min_by(|a, b| shared[*a].total_cmp(&shared[*b])).unwrap();
        let mut own = vec![weights[best]; champion.graph.multiply_adds()];
        let mut gradient = vec![0.0; own.len()];
        for _ in 0..100 {
            champion.graph.gradient(head, &own, &rows, &mut gradient, &mut memory).unwrap();
            own.iter_mut().zip(&gradient).for_each(|(weight, slope)| *weight -= 0.02 * slope);
        }
        let tuned = champion.graph.gradient(head, &own, &rows, &mut gradient, &mut memory).unwrap();
        assert!(tuned < shared[best], "{tuned} {shared:?}");
    }
}
