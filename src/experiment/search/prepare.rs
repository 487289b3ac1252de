//! From the file of a search to what is needed to run it.

use super::config::{SearchTask, TopologySearch, Tuning};
use super::data::Judge;
use crate::error::{Error, Kind, Result};
use crate::evolve::wann::operators::ChangeContext;
use crate::evolve::wann::{EpisodeMemory, Genome, Innovations, Shape};
use crate::experiment::prepare::{bytes_text, check_seeds, grouped};
use crate::math::Activation;
use crate::network::{Graph, GraphMemory, Head, Loss, Weights};
use crate::rng::{Purpose, Streams};
use crate::task::control::{Environment, starts};
use crate::task::{Dataset, Encoding, Layout, LoadContext, Prepared};
use crate::train::{Batch, Optimizer, Steps};
use std::path::Path;
use std::time::{Duration, Instant};

/// A topology search with its world or its data: everything that all seeds share.
#[derive(Debug)]
pub struct SearchStudy {
    /// What was asked.
    pub document: TopologySearch,
    /// The data; `None` for control.
    pub dataset: Option<Dataset>,
    /// Seeds of the replicates.
    pub seeds: Vec<u64>,
    /// What all networks have in common.
    pub shape: Shape,
    /// Names of the inputs.
    pub inputs: Vec<String>,
    /// Names of the outputs.
    pub outputs: Vec<String>,
    encoding: Encoding,
    head: Head,
}

/// What a run will take at most, worked out before anything is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchPlan {
    /// Networks that one search scores.
    pub networks: u64,
    /// Trials of each: repetitions × shared weights.
    pub trials: u64,
    /// Steps of an episode, or rows of a score, at most.
    pub length: u64,
    /// All searches together: environment steps, or rows times networks and weights.
    pub total: f64,
    /// Rows that train, validate and test, at the first seed; 0 for control.
    pub rows: [usize; 3],
    /// Bytes at the peak.
    pub bytes: u128,
}

impl SearchStudy {
    /// Loads the data, checks that everything goes together. Relative paths start at `folder`.
    ///
    /// # Errors
    /// Anything that does not go together, with the way out.
    pub fn new(document: TopologySearch, folder: &Path) -> Result<SearchStudy> {
        let split = document.task.rows().map_or(Ok(()), |(_, split, ..)| split.check());
        let seeds = check_seeds(&document.seeds);
        let problems = [document.search.check(), document.check_tuning(), document.check_sweep(), split];
        let problems = seeds.as_ref().err().cloned().into_iter().chain(problems.into_iter().filter_map(Result::err));
        if let Some(error) = Error::all(problems.collect()) {
            return Err(error);
        }
        let mut study = SearchStudy {
            seeds: seeds?,
            dataset: None,
            shape: Shape { inputs: 0, outputs: 0, output: Activation::Linear },
            inputs: Vec::new(),
            outputs: Vec::new(),
            encoding: Encoding { units: 1, off: 0.0, on: 1.0 },
            head: Head::Squared,
            document,
        };
        let kind = study.document.task.kind();
        if let SearchTask::Control { environment, output, .. } = &study.document.task {
            let about = environment.about();
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            (study.inputs, study.outputs) = (names(about.observations), names(about.actions));
            study.shape.output = *output;
        }
        if let Some((data, ..)) = study.document.task.rows() {
            let dataset = data.load(&LoadContext { folder, kind })?;
            study.encoding.units = dataset.outputs();
            (study.inputs, study.outputs) = (dataset.input_names.clone(), dataset.target_names().to_vec());
            if let SearchTask::Classification { loss: Loss::CrossEntropy, .. } = study.document.task {
                study.head = Head::SoftmaxCrossEntropy;
            }
            study.dataset = Some(dataset);
        }
        (study.shape.inputs, study.shape.outputs) = (study.inputs.len() as u32, study.outputs.len() as u32);
        study.layout(study.seeds[0])?;
        Ok(study)
    }

    /// The data of the replicate with this seed; `None` for control.
    ///
    /// # Errors
    /// A split or scaling that the data cannot serve.
    pub fn prepare(&self, seed: u64) -> Result<Option<Prepared>> {
        let layout = self.layout(seed)?;
        Ok(layout.zip(self.dataset.as_ref()).map(|(layout, dataset)| layout.pack(dataset, self.encoding)))
    }

    /// How the data of the replicate with this seed are divided and scaled, without packing them; `None` for control.
    fn layout(&self, seed: u64) -> Result<Option<Layout>> {
        let Some((dataset, (_, split, scaling, _))) = self.dataset.as_ref().zip(self.document.task.rows()) else {
            return Ok(None);
        };
        Layout::new(dataset, split, scaling, seed).map(Some)
    }

    /// What a run on `threads` threads will take at most.
    ///
    /// # Errors
    /// Data that cannot be split.
    pub fn plan(&self, threads: usize) -> Result<SearchPlan> {
        let search = &self.document.search;
        let layout = self.layout(self.seeds[0])?;
        let mut rows = [0; 3];
        let (mut repetitions, mut length) = (search.repetitions.get() as u64, 0);
        match (&self.document.task, &layout) {
            (SearchTask::Control { environment, max_steps, .. }, _) => {
                length = max_steps.map_or(environment.about().max_steps, |steps| steps.get()) as u64;
            }
            (task, Some(Layout { parts, .. })) => {
                rows = [&parts.training, &parts.validation, &parts.test].map(Vec::len);
                let batch = task.rows().map_or(Batch::Full, |(.., batch)| batch);
                repetitions = if batch == Batch::Full { 1 } else { repetitions };
                length = batch.rows(rows[0]) as u64;
            }
            _ => {}
        }
        let networks = (search.population.get() as u64).saturating_mul(search.generations.get() as u64);
        let trials = repetitions.saturating_mul(search.weights.len() as u64);
        let total = networks as f64 * trials as f64 * length as f64 * self.seeds.len() as f64;
        Ok(SearchPlan { networks, trials, length, total, rows, bytes: self.bytes(threads, trials) })
    }

    /// Refuses a run on `threads` threads that needs more than `limit` bytes.
    ///
    /// # Errors
    /// `P0140`.
    pub fn check_memory(&self, threads: usize, limit: u128) -> Result<()> {
        let bytes = self.plan(threads)?.bytes;
        if bytes <= limit {
            return Ok(());
        }
        let message =
            format!("this plan needs about {} of memory; {} may be used", bytes_text(bytes), bytes_text(limit));
        let error = Error::new(Kind::Limit, "P0140", message);
        let examination = self.examination();
        let error = if 2 * examination > bytes {
            error
                .note(format!("the examination of a champion takes {} of it", bytes_text(examination)))
                .help("ask for fewer `starts`, `random_draws` or `points` in `after`")
        } else {
            let population = self.document.search.population.get() as u64;
            error
                .note(format!("a generation is {} networks, twice while children are made", grouped(population)))
                .help("make `population` smaller, or run fewer --threads")
        };
        Err(error.help("--memory-limit raises the limit"))
    }

    /// Seconds that one step, or one row, takes one thread for each lane of a network of middling size, about.
    ///
    /// # Errors
    /// Data that cannot be split.
    pub fn seconds_a_trial_step(&self) -> Result<f64> {
        let graph = self.typical();
        let (links, lanes) = (graph.multiply_adds(), 32);
        let layout = self.layout(self.seeds[0])?.zip(self.dataset.as_ref());
        // More rows take longer and tell no more.
        let prepared = layout.map(|(layout, dataset)| layout.first(1024).pack(dataset, self.encoding));
        let (mut memory, begin, mut done) = (EpisodeMemory::default(), Instant::now(), 0.0);
        while done == 0.0 || begin.elapsed() < Duration::from_millis(3) {
            if let Some((environment, _)) = self.world() {
                // Without any action most episodes go on for long.
                let weights = vec![0.0; links];
                let starts = starts(environment, &Streams::new(0), done as u64, lanes);
                let start = |lane: usize| &starts[lane][..];
                memory.act(environment, &graph, Weights::PerLink(&weights), lanes, 50, start);
                done += 50.0 * lanes as f64;
            } else if let Some(prepared) = &prepared {
                let (rows, weights) = (&prepared.supervised.training, vec![0.1; links]);
                graph.losses(self.head, Weights::PerLink(&weights), rows, &mut [0.0], &mut GraphMemory::new());
                done += rows.count() as f64;
            }
        }
        Ok(begin.elapsed().as_secs_f64() / done)
    }

    /// A network as large as those of the middle of the search, by the growth that searches were seen to have: a change
    /// a generation, the fewer the more often small networks are preferred.
    fn typical(&self) -> Graph {
        let search = &self.document.search;
        let (kind, mut rng) = (self.document.task.kind(), Streams::new(0).stream(Purpose::Arm, 0, 0));
        let mut genome = Genome::initial(self.shape, search.initial_links.get(), &mut rng);
        let (activations, mut innovations) = (search.hidden_activations(kind), Innovations::new(self.shape));
        let kept = 1.0 - 0.8 * search.connections_objective.get();
        // Beyond a thousand changes they take longer than the measurement is worth.
        for _ in 0..((0.5 * kept * search.generations.get() as f64) as usize).min(1000) {
            let mut context = ChangeContext { activations: &activations, innovations: &mut innovations, rng: &mut rng };
            search.changes.change(&mut genome, &mut context);
            innovations.begin_generation();
        }
        genome.express()
    }

    /// How links get weights of their own.
    pub fn tuning(&self) -> Tuning {
        self.document.tuning()
    }

    /// How graphs are judged on rows.
    pub(super) fn judge(&self) -> Judge {
        Judge { head: self.head, encoding: self.encoding, kind: self.document.task.kind() }
    }

    /// The world and the length of its episodes; `None` for data sets.
    pub(super) fn world(&self) -> Option<(&dyn Environment, usize)> {
        match &self.document.task {
            SearchTask::Control { environment, max_steps, .. } => {
                Some((&**environment, max_steps.map_or(environment.about().max_steps, |steps| steps.get())))
            }
            _ => None,
        }
    }

    fn bytes(&self, threads: usize, trials: u64) -> u128 {
        let search = &self.document.search;
        // Genes, graph and scores of an individual.
        let individual = 34 * self.links() + 4 * u128::from(trials) + 500;
        let genomes = 2 * search.population.get() as u128 * individual * threads.min(self.seeds.len()) as u128;
        let cells = self.dataset.as_ref().map_or(0, |data| data.rows() * (data.features() + data.outputs()));
        (10 << 20) + genomes + 20 * cells as u128 + self.examination()
    }

    /// Bytes of what a champion is examined with: starts or the answers to rows, weights of the sweep, random weights.
    fn examination(&self) -> u128 {
        let after = &self.document.after;
        let (points, draws) = (after.sweep.points.get() as u128, after.random_draws.get() as u128);
        let tuning = match self.tuning() {
            Tuning::Evolution { starts, .. } => starts.get() as u128,
            _ => 0,
        };
        let (starts, answers) = match &self.dataset {
            None => (after.starts.get() as u128 + tuning, 0),
            Some(data) => (0, 4 * (data.rows() * data.outputs()) as u128),
        };
        100 * starts + points * (100 + starts + answers) + draws * (4 * self.links() + 100)
    }

    /// Connections of an individual: searches add some to those that they begin with.
    fn links(&self) -> u128 {
        u128::from(self.shape.inputs + 1) * u128::from(self.shape.outputs) + 100
    }
}

/// Graphs are trained along gradients.
pub(super) fn check_optimizer(optimizer: &Optimizer) -> Result<()> {
    if let Steps::ByGradient(_) = optimizer.steps() {
        return Ok(());
    }
    let message = format!("`{}` asks for more than the gradient that graphs have", optimizer.name());
    Err(Error::experiment("P0145", message).help("choose `Adam()` or `Rprop()` to tune the links of a graph"))
}

impl TopologySearch {
    /// How links get weights of their own: as written, else as the task allows.
    pub fn tuning(&self) -> Tuning {
        let gradient = self.search.hidden_activations(self.task.kind()).into_iter().all(Activation::has_gradient);
        self.after.tuning.clone().unwrap_or_else(|| Tuning::usual(self.task.is_control(), gradient))
    }

    fn check_tuning(&self) -> Result<()> {
        let control = self.task.is_control();
        match &self.after.tuning {
            Some(Tuning::Gradient { .. }) if control => {
                Err(Error::experiment("P0143", "`Gradient` needs a loss on rows, and a control task has none")
                    .help("write `tuning: Evolution()`, or leave `tuning` out"))
            }
            Some(Tuning::Evolution { .. }) if !control => {
                Err(Error::experiment("P0143", "`Evolution` tunes by the return of episodes, and rows have none")
                    .help("write `tuning: Gradient()`, or leave `tuning` out"))
            }
            Some(Tuning::Gradient { optimizer, batch, .. }) => {
                let kind = self.task.kind();
                if self.search.hidden_activations(kind).contains(&Activation::Step) {
                    return Err(Error::experiment("P0138", "gradients do not pass `Step` nodes")
                        .help("leave `Step` out of `activations`, or write `tuning: Skip`"));
                }
                check_optimizer(optimizer)?;
                if optimizer.full_batch_only() && *batch != Batch::Full {
                    let message = format!("`{}` needs the gradient of all rows", optimizer.name());
                    return Err(Error::experiment("P0137", message)
                        .help("write `batch: Full`, or choose `Adam` for minibatches"));
                }
                Ok(())
            }
            Some(Tuning::Evolution { episodes, starts, .. }) if episodes < starts => {
                let message = format!("`episodes` must be at least `starts`, found {}", episodes.get());
                Err(Error::experiment("P0121", message)
                    .help("write for example `Evolution(episodes: 19200, starts: 2)`"))
            }
            _ => Ok(()),
        }
    }

    fn check_sweep(&self) -> Result<()> {
        let sweep = &self.after.sweep;
        if sweep.low.get() < sweep.high.get() && sweep.high.get() <= 1e30 && sweep.low.get() >= -1e30 {
            return Ok(());
        }
        Err(Error::experiment("P0136", "`low` of the sweep must lie below `high`")
            .help("write for example `sweep: (low: -3.0, high: 3.0, points: 121)`"))
    }
}
