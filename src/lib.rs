//! **precocial** — networks born ready.
//!
//! Evolves the starting weights and thresholds of neural networks with a genetic algorithm, hands the best to gradient
//! descent, and tells at equal total cost, over many paired seeds, with statistics, whether that beats drawing them at
//! random.
//!
//! An [`Experiment`](experiment::Experiment) names a task, a network, a way to train and the arms that compete. It is read from a RON file
//! or built in Rust; [`experiment::run`] runs it and writes a result folder, [`report::write()`] makes tables,
//! verdicts and plots of such a folder.
//!
//! ```
//! use precocial::experiment::{RunOptions, Study, Unwatched, parse, run};
//! use std::path::Path;
//!
//! let text = r#"Experiment(
//!     schema: 1, name: "tiny", seeds: Range(first: 1, count: 3),
//!     task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, validation: 0.15, test: 0.15)),
//!     network: Mlp(hidden: [(units: 8, activation: Tanh)]),
//!     train: (optimizer: Adam(learning_rate: 0.01)),
//!     arms: [
//!         (name: "random", method: Random(scheme: GlorotUniform)),
//!         (name: "ga", method: Genetic(population: 10, generations: 5, scheme: GlorotUniform)),
//!     ],
//!     budget: TrainingPasses(300),
//! )"#;
//! let experiment = parse(text, Path::new("tiny.ron"))?.experiment;
//! let study = Study::new(experiment, Path::new("."))?;
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path().join("tiny");
//! let options = RunOptions { out: Some(folder), ..RunOptions::default() };
//! let finished = run(&study, &options, &Unwatched)?;
//! for row in &finished.tables.results {
//!     println!("{} seed {}: test accuracy {:?}", row.arm, row.seed, row.test_metric);
//! }
//! # assert_eq!(finished.tables.results.len(), 6);
//! # Ok::<(), precocial::Error>(())
//! ```
//!
//! The floors, from the ground up: [`error`], [`rng`], [`values`], [`cost`], [`files`], [`sealed`] · [`math`] · [`network`] ·
//! [`task`] · [`train`] · [`evolve`] · [`experiment`] · [`report`]. Each uses only those before it, and is useful
//! without those after it: [`train::Initializer`] draws starts for any parameter slice of a [`network::Mlp`],
//! [`evolve::strategy::Genetic`] evolves them, [`math::statistics`] compares numbers of any origin.
//!
//! Lower fitness is better everywhere. The same seed gives the same bits on any thread count and instruction set.

#![warn(missing_docs)]
#![deny(unsafe_code)]

pub mod cost;
pub mod error;
pub mod evolve;
pub mod experiment;
pub mod files;
pub mod math;
pub mod network;
pub mod registry;
pub mod report;
pub mod rng;
pub mod sealed;
pub mod task;
pub mod train;
pub mod values;

pub use error::{Error, Result};
