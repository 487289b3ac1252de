//! The library without an experiment file: is a genetic search worth its cost on the two spirals?
//!
//! cargo run --release --example own_comparison

use precocial::experiment::{RunOptions, Study, Unwatched, parse, run};
use precocial::report::{analyse, summary_text};
use precocial::task::{Data, synthetic::two_spirals::TwoSpirals};
use precocial::values::Count;

fn main() -> precocial::Result<()> {
    let folder = std::env::temp_dir().join("precocial-own-comparison");
    let file = include_str!("../experiments/csv_template.ron");
    let mut experiment = parse(file, "csv_template.ron".as_ref())?.experiment;
    // Settings are plain structures: change what you like, in a loop if you like.
    let spirals = TwoSpirals { points_per_spiral: Count::new(60)?, ..TwoSpirals::default() };
    if let precocial::experiment::config::Task::Classification { data, .. } = &mut experiment.task {
        *data = Data::TwoSpirals(spirals);
    }
    let study = Study::new(experiment, ".".as_ref())?;
    let options = RunOptions { out: Some(folder), replace: true, ..RunOptions::default() };
    let finished = run(&study, &options, &Unwatched)?;
    println!("{}", summary_text(&analyse(&finished.folder)?));
    Ok(())
}
