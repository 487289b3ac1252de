//! From the experiment file to what is needed to run it: data, network, budget, plan.

use crate::error::{Error, Kind, Result};
use crate::experiment::arm::{Method, Plans, StartContext};
use crate::experiment::config::{ArmConfig, Experiment, Network, Seeds, Task};
use crate::experiment::model::check_names;
use crate::experiment::record;
use crate::math::Rows;
use crate::network::{Loss, Mlp, Output, Workspace};
use crate::rng::Streams;
use crate::task::{Dataset, Encoding, Layout, LoadContext, Parts, Prepared, Scaling, Supervised, TargetKind, Targets};
use crate::train::{Steps, TrainContext, Training};
use std::path::Path;

/// Bytes that one row of `predictions.csv` takes, measured: the row, its names, and what the report makes of it, for a class
/// and for a value.
const PREDICTION: [u128; 2] = [490, 720];

/// Bytes that such a row takes once more for one arm at a time, measured: its text, and the room that lists grow into.
const WRITTEN: u128 = 190;

/// An experiment with its data and network: everything that all replicates share.
#[derive(Debug)]
pub struct Study {
    /// What was asked.
    pub experiment: Experiment,
    /// The data.
    pub dataset: Dataset,
    /// The network of the experiment, whose row-passes are the unit of cost; [`Study::network_of`] has that of an arm.
    pub network: Mlp,
    /// How classes become numbers.
    pub encoding: Encoding,
    /// Seeds of the replicates.
    pub seeds: Vec<u64>,
    /// Arms in the order they are run: an arm comes after the one it refers to.
    pub order: Vec<usize>,
    /// Training loss at which a run ends, seen at a look; `None`: runs spend their budget.
    pub until_loss: Option<f64>,
    /// Networks of arms that have their own.
    own: Vec<Option<Mlp>>,
}

/// What a run will take, worked out before anything is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Rows that train, validate and test, at the first seed.
    pub rows: [usize; 3],
    /// Parameters of the network.
    pub parameters: usize,
    /// Multiply-adds of one row-pass.
    pub multiply_adds: usize,
    /// Budget of each arm, in multiply-adds.
    pub budget: u64,
    /// Per arm: name, and multiply-adds of its search at most, where that is known.
    pub searches: Vec<(String, Option<u64>)>,
    /// Starts that `audit` trains at each seed, each with a whole budget.
    pub audit: usize,
    /// Per arm: parameters of its network, and multiply-adds of one row through it.
    pub networks: Vec<(usize, usize)>,
    /// Multiply-adds of all arms and seeds together, and of the audit.
    pub total: f64,
    /// Bytes at the peak, on this many threads.
    pub bytes: u128,
}

impl Study {
    /// Loads the data, builds the network, checks that everything goes together. Relative paths start at `folder`.
    ///
    /// # Errors
    /// Anything that does not go together, with the way out.
    pub fn new(experiment: Experiment, folder: &Path) -> Result<Study> {
        let (seeds, order) = check(&experiment)?;
        let experiment = super::recipes::resolve(experiment, folder)?;
        let task = &experiment.task;
        let mut dataset = task.data().load(&LoadContext { folder, kind: task.kind() })?;
        if task.is_autoencoding() {
            dataset = dataset.reconstructing();
        }
        check_names(&dataset.input_names, dataset.target_names())?;
        let loss = task.loss();
        let output = experiment.network.output().unwrap_or(match loss {
            Loss::CrossEntropy if task.is_autoencoding() => Output::Logistic,
            Loss::CrossEntropy => Output::Softmax,
            Loss::MeanSquared => Output::Linear,
        });
        if task.kind() == TargetKind::Values && loss == Loss::CrossEntropy {
            return Err(Error::experiment("P0135", "`CrossEntropy` is a loss of classes, and this is a regression")
                .help("write `loss: MeanSquared`, or `task: Classification(…)`"));
        }
        if task.is_autoencoding() {
            check_reconstruction(task, &dataset, output)?;
        } else if !task.is_classification() && output == Output::Step {
            return Err(Error::experiment("P0135", "`Step` outputs are 0 or 1, and this is a regression")
                .help("write `output: Linear`, or `task: Classification(…)`"));
        }
        let encoding = match &dataset.targets {
            // Beyond 10¹⁸ no scaled number lies.
            Targets::Inputs { .. } if loss == Loss::MeanSquared => {
                Encoding { units: dataset.features(), off: -1e18, on: 1e18 }
            }
            Targets::Inputs { .. } => Encoding { units: dataset.features(), off: 0.0, on: 1.0 },
            Targets::Classes { names, .. } => Encoding {
                units: if names.len() == 2 && output != Output::Softmax { 1 } else { names.len() },
                off: if output == Output::Tanh { -1.0 } else { 0.0 },
                on: 1.0,
            },
            Targets::Values { names, .. } => Encoding { units: names.len(), off: 0.0, on: 1.0 },
        };
        let build = |asked: &Network, trains: bool| {
            let hidden: Vec<_> = asked.hidden().iter().map(|layer| (layer.units.get(), layer.activation)).collect();
            let network = Mlp::new(dataset.features(), &hidden, encoding.units, output, loss)?;
            if let Some((_, step)) = hidden.iter().find(|(_, activation)| trains && !activation.has_gradient()) {
                return Err(Error::experiment("P0138", format!("`{step:?}` units have no gradient to train by"))
                    .help("use `Tanh` or `Logistic`, which are smooth steps")
                    .help("or deploy weights as they are given: `Untrained(scheme: Given(weights: […]))`"));
            }
            Ok(network)
        };
        let mut shared = experiment.arms.iter().filter(|arm| arm.network.is_none());
        let network = build(&experiment.network, shared.any(|arm| arm.method.trains()))?;
        let own = experiment.arms.iter().map(|arm| {
            let Some(asked) = &arm.network else { return Ok(None) };
            if asked.output().is_some_and(|asked| asked != output) {
                let message = format!("the network of arm \"{}\" has another `output` than the experiment's", arm.name);
                return Err(Error::experiment("P0146", message)
                    .note("losses of different outputs do not compare")
                    .help(format!("leave `output` out, which makes it {output:?}")));
            }
            build(asked, arm.method.trains()).map(Some).map_err(|error| of_arm(error, arm))
        });
        let own = own.collect::<Result<Vec<Option<Mlp>>>>()?;
        let study = Study { experiment, dataset, network, encoding, seeds, order, until_loss: None, own };
        for (place, arm) in study.experiment.arms.iter().enumerate() {
            let (network, training) = (study.network_of(place), study.training_of(place));
            let fits = check_slopes(&arm.method, network, training).and_then(|()| arm.method.fits(network, training));
            fits.map_err(
                |error| if arm.network.is_some() || arm.train.is_some() { of_arm(error, arm) } else { error },
            )?;
        }
        let first = study.layout(study.seeds[0])?;
        study.experiment.reference.as_ref().map_or(Ok(()), |reference| reference.serves(&first.parts))?;
        let has_validation = !first.parts.validation.is_empty();
        study.experiment.train.check(&study.network, has_validation)?;
        for (place, arm) in study.experiment.arms.iter().enumerate() {
            if arm.network.is_some() || arm.train.is_some() {
                let checked = study.training_of(place).check(study.network_of(place), has_validation);
                checked.map_err(|error| of_arm(error, arm))?;
            }
        }
        Ok(study)
    }

    /// The network of the arm at this place of the experiment.
    pub fn network_of(&self, arm: usize) -> &Mlp {
        self.own.get(arm).and_then(Option::as_ref).unwrap_or(&self.network)
    }

    /// How the arm at this place of the experiment trains.
    pub fn training_of(&self, arm: usize) -> &Training {
        self.experiment.arms[arm].train.as_ref().unwrap_or(&self.experiment.train)
    }

    /// Place of the arm with this name.
    pub fn place(&self, arm: &str) -> Option<usize> {
        self.experiment.arms.iter().position(|other| other.name.as_str() == arm)
    }

    /// What the arm at this place of the experiment trains with at a seed, on these rows.
    pub fn train_context<'a>(&'a self, arm: usize, supervised: &'a Supervised, seed: u64) -> TrainContext<'a> {
        let (network, training) = (self.network_of(arm), self.training_of(arm));
        TrainContext { network, supervised, training, streams: Streams::new(seed) }
    }

    /// The data of the replicate with this seed.
    ///
    /// # Errors
    /// A split or scaling that the data cannot serve.
    pub fn prepare(&self, seed: u64) -> Result<Prepared> {
        Ok(self.layout(seed)?.pack(&self.dataset, self.encoding))
    }

    /// How the data of the replicate with this seed are divided and scaled, without packing them.
    ///
    /// # Errors
    /// A split or scaling that the data cannot serve.
    pub fn layout(&self, seed: u64) -> Result<Layout> {
        let task = &self.experiment.task;
        Layout::new(&self.dataset, task.split(), task.scaling(), seed)
    }

    /// The budget of every arm in multiply-adds, for so many training rows.
    pub fn budget(&self, training_rows: usize) -> u64 {
        self.experiment.budget.multiply_adds(self.network.multiply_adds(), training_rows)
    }

    /// What a run on `threads` threads will take.
    ///
    /// # Errors
    /// A budget that does not pay for a search and any training (`P0133`).
    pub fn plan(&self, threads: usize) -> Result<Plan> {
        let layout = self.layout(self.seeds[0])?;
        let training_rows = layout.parts.training.len();
        // Prices depend on how many rows there are, not on what they hold.
        let supervised = layout.blank(&self.dataset, self.encoding);
        let budget = self.budget(training_rows);
        let network = &self.network;
        let (mut searches, mut networks) = (Vec::new(), Vec::new());
        for (place, arm) in self.experiment.arms.iter().enumerate() {
            let train = self.train_context(place, &supervised, self.seeds[0]);
            let context = StartContext { train, arms: &self.experiment.arms, finished: &[] };
            networks.push((train.network.parameters(), train.network.multiply_adds()));
            let cost = arm.method.search_cost(&context).map(|cost| cost.total());
            let unit = network.multiply_adds() as u64;
            // An arm that searches as much as another one is told by that one.
            if arm.method.refers_to().is_none() && cost.is_some_and(|cost| cost >= budget) {
                let cost = cost.unwrap_or_default();
                return Err(Error::experiment("P0133", "the search alone would use the whole budget")
                    .note(format!(
                        "arm \"{}\" searches with {} row-passes; the budget is {}",
                        arm.name,
                        grouped(cost / unit),
                        grouped(budget / unit)
                    ))
                    .help(format!(
                        "raise the budget to at least {} to leave half for training, or make the search smaller",
                        grouped(2 * (cost / unit))
                    )));
            }
            searches.push((arm.name.to_string(), cost));
        }
        let mut audit = 0;
        if let Some(asked) = &self.experiment.audit {
            let arm = asked.arm(&self.experiment).unwrap_or(0);
            asked.affords(
                budget,
                network.multiply_adds() as u64,
                &self.train_context(arm, &supervised, self.seeds[0]),
            )?;
            audit = asked.runs();
        }
        let rows = sizes(&layout.parts);
        Ok(Plan {
            rows,
            parameters: network.parameters(),
            multiply_adds: network.multiply_adds(),
            budget,
            searches,
            audit,
            total: budget as f64 * (self.experiment.arms.len() + audit) as f64 * self.seeds.len() as f64,
            networks,
            bytes: self.bytes(threads, rows),
        })
    }

    /// Refuses a run on `threads` threads that needs more than `limit` bytes.
    ///
    /// # Errors
    /// `P0140`, with the part that takes most and what would fit.
    pub fn check_memory(&self, threads: usize, limit: u128) -> Result<()> {
        let rows = sizes(&self.layout(self.seeds[0])?.parts);
        let bytes = self.bytes(threads, rows);
        if bytes <= limit {
            return Ok(());
        }
        let message =
            format!("this plan needs about {} of memory; {} may be used", bytes_text(bytes), bytes_text(limit));
        let [data, predictions, replicate] = self.parts(threads, rows).map(bytes_text);
        let at_a_time = threads.min(self.seeds.len());
        let mut error = Error::new(Kind::Limit, "P0140", message).note(format!(
            "10 MiB for the program + {data} of data + {predictions} of predictions + {at_a_time} seeds at a time x {replicate}"
        ));
        let held = |place: &usize| {
            let plans = self.plans(*place);
            self.experiment.arms[*place].method.genomes(&plans).saturating_mul(plans.parameters)
        };
        if let Some(place) = (0..self.experiment.arms.len()).max_by_key(held) {
            let (arm, plans) = (&self.experiment.arms[place], self.plans(place));
            let (genomes, parameters) = (arm.method.genomes(&plans), plans.parameters);
            let each = 4 * u128::from(genomes) * u128::from(parameters);
            error = error.note(format!(
                "arm \"{}\" holds {} genomes x {} weights x 4 bytes = {}, once for each seed that runs at a time",
                arm.name,
                grouped(genomes),
                grouped(parameters),
                bytes_text(each),
            ));
            let at_a_time = (bytes / each.max(1)).max(1);
            if let Method::Genetic(settings) = &arm.method {
                // What is not genomes stays; the rest of the limit is divided among them.
                let rest = bytes - (each * at_a_time).min(bytes);
                let population = settings.population.get() as u128;
                let fits = population * limit.saturating_sub(rest) / (each * at_a_time).max(1);
                if fits >= 2 {
                    error = error.help(format!("`population: {}` would just fit", two_digits(fits)));
                }
            }
        }
        Err(error.help("fewer --threads run fewer seeds at a time").help("--memory-limit raises the limit"))
    }

    /// Bytes at the peak.
    fn bytes(&self, threads: usize, rows: [usize; 3]) -> u128 {
        let [data, predictions, replicate] = self.parts(threads, rows);
        // 10 MiB for the program itself.
        (10 << 20) + data + predictions + threads.min(self.seeds.len()) as u128 * replicate
    }

    /// Bytes of the data set, of the table of predictions, and of one replicate: its rows, the largest arm's genomes and
    /// equations, and what training works with.
    fn parts(&self, threads: usize, rows: [usize; 3]) -> [u128; 3] {
        let features = self.dataset.features();
        let packed: u128 = rows.iter().map(|rows| Rows::bytes(*rows, features, self.encoding.units)).sum();
        let targets = match &self.dataset.targets {
            Targets::Classes { .. } | Targets::Inputs { .. } => 4,
            Targets::Values { names, .. } => 8 * names.len(),
        };
        let data = (self.dataset.rows() * (8 * features + targets)) as u128;
        // The numbers of its rows, while they are dealt out and afterwards.
        let parts = 16 * self.dataset.rows() as u128;
        // What every arm's weights say of every row, at the first seed.
        let (outputs, each) = match self.experiment.task.is_classification() {
            true => (1, PREDICTION[0]),
            false => (self.encoding.units, PREDICTION[1]),
        };
        let arms = self.experiment.arms.len() as u128;
        let written = record::predicted_rows(&self.dataset.targets, self.dataset.rows(), outputs);
        let predictions = (written * outputs) as u128 * (each * arms + WRITTEN);
        let arm = |place: usize| {
            let (network, plans) = (self.network_of(place), self.plans(place));
            let method = &self.experiment.arms[place].method;
            let parameters = 4 * u128::from(plans.parameters);
            let equations = u128::from(method.equations(network, rows[0]));
            let workspace = Workspace::bytes(network.layers());
            let team = Workspace::team_bytes(network.layers(), rows[0], threads);
            // What a training remembers that holds whole matrices, also in the scores of each thread.
            let memory = u128::from(plans.training.bytes(plans.parameters));
            // Some five slices of parameters for the optimizer and the records of a run.
            let slices = parameters * (u128::from(method.genomes(&plans)) + 5);
            slices + equations + team + (workspace + memory) * (1 + threads as u128)
        };
        let arm = (0..self.experiment.arms.len()).map(arm).max().unwrap_or(0);
        [data, predictions, packed + parts + arm]
    }

    fn plans(&self, arm: usize) -> Plans<'_> {
        let arms = &self.experiment.arms;
        Plans { parameters: self.network_of(arm).parameters() as u64, training: self.training_of(arm), arms }
    }
}

/// Refuses threshold outputs to what needs their slope.
fn check_slopes(method: &Method, network: &Mlp, training: &Training) -> Result<()> {
    let corrects = matches!(training.optimizer.steps(), Steps::ByCorrection(_));
    let error = if network.output() == Output::Step && method.trains() && !corrects {
        Error::experiment("P0138", "`Step` outputs have no gradient to train by")
            .help("write `optimizer: Perceptron()`, whose rule needs none")
            .help("or write `output: Logistic`, which is a smooth step")
    } else if method.needs_slopes() && corrects {
        let message = format!("`{}` works with gradients, and `Perceptron` trains units that have none", method.name());
        Error::experiment("P0138", message).help("`Random(…)`, `Restarts(…)` and searches serve threshold units")
    } else {
        return Ok(());
    };
    Err(error)
}

/// Whether outputs of this kind can give back what the inputs of `dataset` become by the task's scaling, and whether rows are
/// images of the size that was written.
fn check_reconstruction(task: &Task, dataset: &Dataset, output: Output) -> Result<()> {
    let features = dataset.features();
    if let Some((width, height)) = task.image(features)
        && width.checked_mul(height) != Some(features)
    {
        let message = format!("`image` of {width} by {height} pixels does not fit rows of {features} inputs");
        return Err(Error::experiment("P0121", message)
            .note("an image has one input for each pixel, row by row from above")
            .help("write width and height whose product is the number of inputs, or leave `image` out"));
    }
    let (low, high) = match output {
        Output::Linear => return Ok(()),
        Output::Logistic => (0.0, 1.0),
        Output::Tanh => (-1.0, 1.0),
        Output::Softmax | Output::Step => {
            let message = match output {
                Output::Softmax => "`Softmax` outputs share a sum of 1 among them, which inputs do not",
                _ => "`Step` outputs are 0 or 1, and can give back no inputs",
            };
            return Err(Error::experiment("P0135", message)
                .help("write `output: Logistic`, or leave `output` out and write `loss: MeanSquared`"));
        }
    };
    let fits = match task.scaling() {
        Scaling::MinMax(interval) => low <= interval.low.get() && interval.high.get() <= high,
        Scaling::None => dataset.inputs.iter().all(|x| x.is_nan() || (low..=high).contains(x)),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let message =
        format!("`{output:?}` outputs lie between {low} and {high}, and the inputs that they shall equal do not");
    let error = Error::experiment("P0135", message).help(format!("write `scaling: MinMax(low: {low}, high: {high})`"));
    Err(match task.loss() {
        Loss::MeanSquared => error.help("or `output: Linear`"),
        Loss::CrossEntropy => error.help("or `loss: MeanSquared` and `output: Linear`"),
    })
}

/// What is wrong with the network or training that an arm has of its own.
fn of_arm(error: Error, arm: &ArmConfig) -> Error {
    error.note(format!("this is about what arm \"{}\" has of its own", arm.name))
}

/// Rows that train, validate and test.
fn sizes(parts: &Parts) -> [usize; 3] {
    [&parts.training, &parts.validation, &parts.test].map(Vec::len)
}

/// Seeds, and arms in the order of running. What can be wrong with an experiment alone is told all at once.
fn check(experiment: &Experiment) -> Result<(Vec<u64>, Vec<usize>)> {
    let (seeds, order) = (check_seeds(&experiment.seeds), super::roles::order(experiment));
    let arms = experiment.arms.iter().map(|arm| arm.method.check());
    let audit = experiment.audit.as_ref().map_or(Ok(()), |audit| audit.check(experiment));
    let reference = experiment.reference.as_ref().map_or(Ok(()), |reference| reference.check(experiment));
    let others: Vec<Error> =
        arms.chain([experiment.task.split().check(), audit, reference]).filter_map(Result::err).collect();
    match (seeds, order) {
        (Ok(seeds), Ok(order)) if others.is_empty() => Ok((seeds, order)),
        (seeds, order) => {
            let errors = seeds.err().into_iter().chain(order.err()).chain(others).collect();
            Err(Error::all(errors).expect("one of them failed"))
        }
    }
}

/// Every seed once, at least one.
pub(super) fn check_seeds(seeds: &Seeds) -> Result<Vec<u64>> {
    if let Seeds::Range { count, .. } = seeds
        && count.get() > 1_000_000
    {
        return Err(Error::new(Kind::Limit, "P0140", format!("{} seeds are more than a million", count.get())));
    }
    let seeds = seeds.to_vec();
    if seeds.is_empty() {
        return Err(Error::experiment("P0121", "`seeds` needs at least one seed")
            .help("write `seeds: Range(first: 1, count: 30)`"));
    }
    let mut sorted = seeds.clone();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::experiment("P0139", format!("seed {} is listed twice", pair[0]))
            .note("equal seeds give equal runs, and statistics would count them as two")
            .help("list every seed once"));
    }
    Ok(seeds)
}

/// `number` rounded down to two digits, in the way of experiment files: `36_000_000`.
fn two_digits(number: u128) -> String {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    grouped((number / unit * unit) as u64).replace(' ', "_")
}

/// Bytes for reading: `21 MiB`.
pub fn bytes_text(bytes: u128) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut number, mut unit) = (bytes as f64, 0);
    while number >= 1000.0 && unit + 1 < units.len() {
        (number, unit) = (number / 1024.0, unit + 1);
    }
    if number < 10.0 && unit > 0 {
        format!("{number:.1} {}", units[unit])
    } else {
        format!("{number:.0} {}", units[unit])
    }
}

/// A number with a blank between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
