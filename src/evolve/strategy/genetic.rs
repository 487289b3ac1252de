//! The genetic algorithm over whole parameter slices.

use super::diversity::Diversity;
use super::{Strategy, Summary, WeightStrategy};
use crate::cost::Cost;
use crate::error::Result;
use crate::evolve::variation::brood_size;
use crate::evolve::{
    Brood, Crossover, Evaluations, Measure, Mutation, Parents, Population, SearchStop, Selection, Spread, StepScale,
    StepSchedule, Variation,
};
use crate::evolve::{mutation, selection};
use crate::math::Rows;
use crate::network::{Mlp, Workspace};
use crate::rng::{Purpose, Streams};
use crate::sealed::{self, StateReader, StateWriter};
use crate::task::Supervised;
use crate::train::Initializer;
use crate::values::{Count, Fitness, Ranking};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Settings of the genetic algorithm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneticSettings {
    /// Individuals; at least 2.
    pub population: Count,
    /// Generations scored, the drawn one included.
    pub generations: Count,
    /// How generation 0 is drawn.
    pub scheme: Initializer,
    /// What fitness is; `ForwardLoss` unless said otherwise.
    #[serde(default)]
    pub fitness: Measure,
    /// Who becomes a parent; `Tournament(size: 3)`.
    #[serde(default = "tournament")]
    pub selection: Selection,
    /// How two parents make a child; none unless said otherwise.
    #[serde(default)]
    pub crossover: Option<Crossover>,
    /// How children differ from their parents; `Gaussian(rate: 0.1, sigma: 0.15)`.
    #[serde(default = "gaussian")]
    pub mutation: Mutation,
    /// How mutation steps change from generation to generation; `Constant`.
    #[serde(default)]
    pub steps: StepSchedule,
    /// Individuals that go on unchanged; 2.
    #[serde(default = "elitism")]
    pub elitism: u32,
    /// What ends the search before its last generation; nothing unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<SearchStop>,
}

impl GeneticSettings {
    /// What making one child costs at most, beside its score.
    pub fn child_cost(&self, network: &Mlp, rows: &Rows) -> Cost {
        let crossover = self.crossover.as_ref().map_or(Cost::ZERO, |crossover| crossover.cost(network, rows));
        crossover + self.mutation.cost(network, rows)
    }

    /// Individuals of the last generation that are scored afresh where minibatches made their scores luck.
    pub fn finalists(&self) -> usize {
        (self.elitism as usize).clamp(1, self.population.get())
    }
}

fn tournament() -> Selection {
    selection::Tournament { size: Count::new(3).expect("in range") }.into()
}
fn gaussian() -> Mutation {
    let rate = crate::values::Probability::new(0.1).expect("in range");
    mutation::Gaussian { rate, sigma: crate::values::Positive::new(0.15).expect("in range") }.into()
}
fn elitism() -> u32 {
    2
}

/// A genetic algorithm under way.
///
/// After a generation without any finite fitness the next one is drawn from the scheme again, once; if that has none
/// either, the search ends.
pub struct Genetic<'a> {
    settings: GeneticSettings,
    network: &'a Mlp,
    supervised: &'a Supervised,
    now: Population,
    next: Population,
    fitness: Vec<Fitness>,
    order: Ranking,
    ranked: Vec<Fitness>,
    parents: Vec<u32>,
    step_size: Vec<f32>,
    next_step_size: Vec<f32>,
    parent_fitness: Vec<Fitness>,
    spread: Option<Spread>,
    /// Individuals of the present generation; less than planned only where the budget ended.
    size: usize,
    /// How many of the first ones keep their score from the generation before.
    kept: usize,
    asked: bool,
    generation: u64,
    /// Number of the latest generation that was drawn anew because the one before had no finite fitness.
    redrawn: Option<u64>,
    steps: StepScale,
    best: Option<(Vec<f32>, Fitness)>,
    summary: Option<Summary>,
    cost: Cost,
    /// Memory for the summary.
    diversity: Diversity,
    /// Memory for those who make children; as many as there ever were at once.
    makers: Mutex<Vec<Maker>>,
}

/// What is needed while children are made, kept from generation to generation.
type Maker = (Workspace, Vec<f32>);

/// A maker on loan to one thread.
struct Lent<'a>(&'a Mutex<Vec<Maker>>, Maker);

impl Lent<'_> {
    fn from(makers: &Mutex<Vec<Maker>>) -> Lent<'_> {
        let maker = makers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lent(makers, maker.unwrap_or_default())
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let maker = std::mem::take(&mut self.1);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(maker);
    }
}

/// What children are made of.
struct Breeding<'a> {
    settings: &'a GeneticSettings,
    network: &'a Mlp,
    rows: &'a Rows,
    spread: &'a Spread,
    scale: f32,
    generation: u64,
    streams: &'a Streams,
    /// The generation before, and what goes with each of its individuals.
    population: &'a Population,
    fitness: &'a [Fitness],
    step_size: &'a [f32],
    /// Both parents of each child.
    parents: &'a [[u32; 2]],
    elites: usize,
}

impl Breeding<'_> {
    /// Children whose numbers come from one stream.
    fn brood_size(&self) -> usize {
        brood_size(self.network.parameters())
    }

    /// Makes a brood in `memory`: the child of number `first` and those behind it, with what each has from its first
    /// parent. Returns what making them cost.
    fn make(
        &self,
        (workspace, scratch): &mut Maker,
        first: usize,
        memory: &mut [f32],
        step_sizes: &mut [f32],
        parent_fitness: &mut [Fitness],
    ) -> Cost {
        let mut cost = Cost::ZERO;
        let mut context = Variation {
            network: self.network,
            spread: self.spread,
            generation: self.generation as usize,
            generations: self.settings.generations.get(),
            scale: self.scale,
            rows: self.rows,
            cost: &mut cost,
            rng: &mut self.streams.stream(Purpose::Variation, self.generation, (self.elites + first) as u64),
            workspace,
            scratch,
        };
        let parents = &self.parents[first..first + step_sizes.len()];
        for ((step_size, fitness), [first, _]) in step_sizes.iter_mut().zip(parent_fitness).zip(parents) {
            (*step_size, *fitness) = (self.step_size[*first as usize], self.fitness[*first as usize]);
        }
        let mut brood = Brood::new(memory, self.network.parameters(), self.population.stride(), step_sizes);
        let parents = Parents::new(self.population, parents);
        match &self.settings.crossover {
            Some(crossover) => crossover.cross_brood(&mut brood, parents, &mut context),
            None => brood
                .children()
                .zip(parents.genomes())
                .for_each(|((child, _), [first, _])| child.copy_from_slice(first)),
        }
        self.settings.mutation.mutate(&mut brood, &mut context);
        cost
    }
}

impl<'a> Genetic<'a> {
    /// A search that has drawn nothing yet.
    pub fn new(settings: GeneticSettings, network: &'a Mlp, supervised: &'a Supervised) -> Genetic<'a> {
        let size = settings.population.get();
        let parameters = network.parameters();
        Genetic {
            settings,
            network,
            supervised,
            now: Population::zeros(size, parameters),
            next: Population::zeros(size, parameters),
            fitness: vec![Fitness::WORST; size],
            order: Ranking::default(),
            ranked: Vec::new(),
            parents: Vec::new(),
            step_size: vec![1.0; size],
            next_step_size: vec![1.0; size],
            parent_fitness: vec![Fitness::WORST; size],
            spread: None,
            size,
            kept: 0,
            asked: false,
            generation: 0,
            redrawn: None,
            steps: StepScale::default(),
            best: None,
            summary: None,
            cost: Cost::ZERO,
            diversity: Diversity::default(),
            makers: Mutex::default(),
        }
    }

    /// Factor on the steps of children born into the present generation.
    fn scale(&self) -> f32 {
        let planned = self.settings.generations.get();
        self.settings.steps.scale(self.generation as usize, planned, &self.steps)
    }

    /// Whether the latest generation had no finite fitness: nobody in it may be a parent.
    fn is_hopeless(&self) -> bool {
        self.generation > 0 && !self.asked && !self.fitness[self.order[0] as usize].is_finite()
    }

    /// Whether the generation of this number was drawn, not bred.
    fn is_drawn(&self, generation: u64) -> bool {
        generation == 0 || self.redrawn == Some(generation)
    }

    /// Place of the first child: behind the elites, and there is none in a drawn generation.
    fn first_child(&self) -> usize {
        if self.is_drawn(self.generation) { self.size } else { self.elites().min(self.size) }
    }

    fn elites(&self) -> usize {
        // At least one child a generation, or nothing would ever change.
        (self.settings.elitism as usize).min(self.settings.population.get() - 1)
    }

    fn draw(&mut self, limit: usize, streams: &Streams) -> Result<()> {
        self.size = self.settings.population.get().min(limit);
        self.kept = 0;
        self.step_size.fill(1.0);
        for index in 0..self.size {
            let mut rng = streams.stream(Purpose::Initialize, self.generation, index as u64);
            let genome = self.now.genome_mut(index);
            self.settings.scheme.init(self.network, &self.supervised.training, genome, &mut rng, &mut self.cost)?;
        }
        self.spread = Some(Spread::of(self.network, &self.now));
        Ok(())
    }

    fn breed(&mut self, limit: usize, streams: &Streams) {
        let elites = self.elites();
        let kept = if self.settings.fitness.is_fixed() { elites } else { 0 };
        let size = self.settings.population.get();
        let children = (size - elites).min(limit.saturating_sub(elites - kept));
        for (place, &index) in self.order[..elites].iter().enumerate() {
            self.next.genome_mut(place).copy_from_slice(self.now.genome(index as usize));
            self.next_step_size[place] = self.step_size[index as usize];
            self.parent_fitness[place] = self.fitness[index as usize];
        }
        self.ranked.clear();
        self.ranked.extend(self.order.iter().map(|&index| self.fitness[index as usize]));
        self.parents.resize(2 * (size - elites), 0);
        let mut rng = streams.stream(Purpose::Selection, self.generation, 0);
        self.settings.selection.select(&self.ranked, &mut self.parents, &mut rng);
        self.parents.iter_mut().for_each(|parent| *parent = self.order[*parent as usize]);
        let breeding = Breeding {
            settings: &self.settings,
            network: self.network,
            rows: &self.supervised.training,
            spread: self.spread.as_ref().expect("generation 0 has been drawn"),
            scale: self.scale(),
            generation: self.generation,
            streams,
            population: &self.now,
            fitness: &self.fitness,
            step_size: &self.step_size,
            parents: self.parents.as_chunks().0,
            elites,
        };
        let (living, makers) = (elites..elites + children, &self.makers);
        let (size, stride) = (breeding.brood_size(), self.next.stride());
        let memory = self.next.memory_mut(living.clone()).par_chunks_mut(size * stride);
        let steps = self.next_step_size[living.clone()].par_chunks_mut(size);
        let parent_fitness = self.parent_fitness[living].par_chunks_mut(size);
        // A child of a small network is made in a tenth of a microsecond; a task should hold some hundred.
        let broods = (50_000 / (size * self.network.parameters())).max(1);
        self.cost += memory
            .zip(steps)
            .zip(parent_fitness)
            .enumerate()
            .with_min_len(broods)
            .map_init(
                || Lent::from(makers),
                |Lent(_, maker), (brood, ((memory, steps), fitness))| {
                    breeding.make(maker, brood * size, memory, steps, fitness)
                },
            )
            .reduce(|| Cost::ZERO, |a, b| a + b);
        for place in 0..elites {
            self.fitness[place] = self.parent_fitness[place];
        }
        std::mem::swap(&mut self.now, &mut self.next);
        std::mem::swap(&mut self.step_size, &mut self.next_step_size);
        self.kept = kept;
        self.size = elites + children;
    }

    fn summarize(&mut self) -> Summary {
        let mut fitness = self.summary.take().map_or(Vec::new(), |summary| summary.fitness);
        let ranked = self.order.iter().map(|&index| self.fitness[index as usize]);
        fitness.clear();
        fitness.extend(ranked.take_while(|fitness| fitness.is_finite()).map(Fitness::get));
        let spread = self.spread.as_ref().expect("generation 0 has been drawn");
        let measured = self.diversity.measure(self.generation, &self.now, self.size, spread.units(self.network));
        let children = self.first_child()..self.size;
        let better = children.clone().filter(|&child| self.fitness[child] < self.parent_fitness[child]).count();
        Summary {
            generation: self.generation,
            nonfinite: self.size - fitness.len(),
            fitness,
            diversity: measured.map(|(diversity, _)| diversity),
            unique: measured.map(|(_, unique)| unique),
            improved: (!children.is_empty()).then(|| better as f64 / children.len() as f64),
            scale: self.scale(),
        }
    }
}

impl Strategy for Genetic<'_> {
    type Population = Population;
    type Genome<'g>
        = &'g [f32]
    where
        Self: 'g;

    fn ask(&mut self, limit: usize, streams: &Streams) -> Result<(&Population, Range<usize>)> {
        if !self.asked {
            if self.is_hopeless() {
                self.redrawn = Some(self.generation);
            }
            if self.is_drawn(self.generation) {
                self.draw(limit, streams)?;
            } else {
                self.breed(limit, streams);
            }
            self.asked = true;
        }
        Ok((&self.now, self.kept..self.size))
    }

    fn tell(&mut self, evaluations: &mut Evaluations, scored: Range<usize>) {
        self.asked = false;
        self.size = scored.end;
        self.fitness[scored.clone()].copy_from_slice(&evaluations.fitness[scored.clone()]);
        if let Some(learned) = &evaluations.learned {
            for index in scored.filter(|&index| evaluations.inherits[index]) {
                self.now.genome_mut(index).copy_from_slice(learned.genome(index));
            }
        }
        self.order.rank(&self.fitness[..self.size]);
        let summary = self.summarize();
        let children = self.size - self.first_child();
        let better = summary.improved.map_or(0, |share| (share * children as f64).round() as usize);
        self.summary = Some(summary);
        let champion = self.order[0] as usize;
        let comparable = self.settings.fitness.is_fixed();
        let finite = self.fitness[champion].is_finite();
        if self.best.as_ref().is_none_or(|(_, best)| !comparable && finite || self.fitness[champion] < *best) {
            let (genome, fitness) =
                self.best.get_or_insert_with(|| (vec![0.0; self.network.parameters()], Fitness::WORST));
            genome.copy_from_slice(self.now.genome(champion));
            *fitness = self.fitness[champion];
        }
        if !self.is_drawn(self.generation) {
            self.settings.steps.update(&mut self.steps, better, children);
        }
        self.generation += 1;
    }

    fn best(&self) -> Option<(&[f32], Fitness)> {
        self.best.as_ref().map(|(genome, fitness)| (&genome[..], *fitness))
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    /// Also after a generation without any finite fitness that had been drawn for want of one.
    fn is_finished(&self) -> bool {
        let anew = self.redrawn.is_some_and(|redrawn| redrawn + 1 == self.generation);
        self.generation >= self.settings.generations.get() as u64 || (anew && self.is_hopeless())
    }
}

impl WeightStrategy for Genetic<'_> {
    /// Individual 0 of generation 0, while it is the present generation.
    fn drawn(&self) -> Option<&[f32]> {
        (self.generation <= 1 && self.spread.is_some()).then(|| self.now.genome(0))
    }

    fn best_weights(&self) -> Option<(&[f32], Fitness)> {
        self.best()
    }

    fn ranked(&self) -> Vec<(&[f32], Fitness)> {
        self.order.iter().map(|&index| (self.now.genome(index as usize), self.fitness[index as usize])).collect()
    }

    /// As many as there are elites, at least one.
    fn finalists(&self) -> Vec<&[f32]> {
        let champions = self.order.iter().take(self.settings.finalists());
        champions.map(|&index| self.now.genome(index as usize)).collect()
    }

    fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    fn next_cost(&self) -> (Cost, Cost) {
        let rows = &self.supervised.training;
        let drawn = self.generation == 0 || self.is_hopeless();
        let each = match drawn {
            true => self.settings.scheme.cost(self.network, rows),
            false => self.settings.child_cost(self.network, rows),
        };
        (Cost::ZERO, each)
    }

    fn take_cost(&mut self) -> Cost {
        std::mem::take(&mut self.cost)
    }

    fn save_state(&self, to: &mut StateWriter) {
        assert!(!self.asked, "a search is saved between tell and ask");
        let size = if self.generation == 0 { 0 } else { self.size };
        to.put(&(self.generation, &self.spread, self.steps, &self.best, self.redrawn, &self.step_size[..size]));
        self.now.save(&self.fitness[..size], to);
    }

    fn load_state(&mut self, from: &mut StateReader) -> Result<()> {
        let step_size: Vec<f32>;
        (self.generation, self.spread, self.steps, self.best, self.redrawn, step_size) = from.take()?;
        let fitness = self.now.load(from)?;
        let (size, layers) = (fitness.len(), self.network.layers().len());
        let per_layer = |spread: &Spread| spread.per_layer.len() == layers && spread.bounds.len() == layers;
        let fits = step_size.len() == size
            && self.spread.as_ref().map_or(size == 0, |spread| size > 0 && per_layer(spread))
            && self.best.as_ref().is_none_or(|best| best.0.len() == self.network.parameters())
            && (self.generation == 0) == (size == 0);
        if !fits {
            return Err(sealed::mismatch());
        }
        self.fitness[..size].copy_from_slice(&fitness);
        self.step_size[..size].copy_from_slice(&step_size);
        self.order.rank(&self.fitness[..size]);
        if size > 0 {
            self.size = size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::{Fixture, all, read};

    /// Tells generations of these fitness values; who was asked for, and the summaries.
    fn tell(genetic: &mut Genetic, streams: &Streams, losses: &dyn Fn(usize) -> f64) -> (Vec<Vec<f32>>, Summary) {
        let (population, asked) = genetic.ask(usize::MAX, streams).unwrap();
        let genomes: Vec<Vec<f32>> = (0..asked.end).map(|index| population.genome(index).to_vec()).collect();
        let mut evaluations = Evaluations::default();
        evaluations.fitness.resize(population.len(), Fitness::WORST);
        asked.clone().for_each(|index| evaluations.fitness[index] = Fitness::new(losses(index)));
        genetic.tell(&mut evaluations, asked);
        (genomes, genetic.summary().unwrap().clone())
    }

    fn settings(more: &str) -> GeneticSettings {
        read(&format!("(population: 8, generations: 6, scheme: GlorotUniform, {more})")).unwrap()
    }

    #[test]
    fn a_generation_without_finite_fitness_is_drawn_again_once() {
        let fixture = Fixture::new();
        let supervised = Supervised { training: fixture.rows, validation: None };
        let streams = Streams::new(3);
        for more in ["", "fitness: MinibatchLoss(size: 4)"] {
            let mut genetic = Genetic::new(settings(more), &fixture.network, &supervised);
            let (first, _) = tell(&mut genetic, &streams, &|_| f64::NAN);
            assert_eq!(genetic.next_cost().1, Cost::ZERO);
            let (second, summary) = tell(&mut genetic, &streams, &|index| index as f64);
            assert!(first.iter().all(|genome| !second.contains(genome)), "drawn afresh, not bred");
            assert_eq!((summary.improved, summary.nonfinite), (None, 0));
            assert_eq!(genetic.best().unwrap(), (&second[0][..], Fitness::new(0.0)));
            // Bred again from here on, and no generation without finite fitness takes the place of the best.
            let (third, summary) = tell(&mut genetic, &streams, &|_| f64::INFINITY);
            assert!(third.contains(&second[0]) && summary.improved.is_some(), "the best goes on");
            let fixed = more.is_empty();
            assert_eq!(genetic.is_hopeless(), !fixed, "kept elites have kept their fitness");
            assert_eq!(genetic.best().unwrap(), (&second[0][..], Fitness::new(0.0)));
            assert!(!genetic.is_finished());
            tell(&mut genetic, &streams, &|_| f64::NAN);
            assert_eq!(genetic.is_finished(), !fixed, "drawn anew, in vain");
            assert_eq!(genetic.generation(), 4);
        }
    }

    #[test]
    fn whoever_is_not_finite_is_neither_parent_nor_best() {
        let fixture = Fixture::new();
        let supervised = Supervised { training: fixture.rows, validation: None };
        let streams = Streams::new(4);
        // Copies of their parents: no crossover, and mutation that changes nothing.
        for selection in all::<Selection>(Selection::CATALOGUE) {
            for good in 1..8 {
                let mut settings = settings("mutation: Gaussian(rate: 0.0)");
                settings.selection = selection.clone();
                let mut genetic = Genetic::new(settings, &fixture.network, &supervised);
                let losses =
                    |index| if index % 8 < good { 9.0 - index as f64 } else { [f64::NAN, f64::INFINITY][index % 2] };
                let (first, _) = tell(&mut genetic, &streams, &losses);
                assert_eq!(genetic.best().unwrap().0, first[good - 1]);
                let (second, _) = tell(&mut genetic, &streams, &|_| 1.0);
                // The second elite may be one of the others where only one is good; it is no parent.
                assert!(second[2..].iter().all(|child| first[..good].contains(child)), "{selection:?}, {good} good");
            }
        }
    }
}
