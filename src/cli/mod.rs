//! Verbs, options and exit codes. Each verb is a file; everything printed goes through [`Terminal`].

mod analyze;
mod bench;
mod check;
mod compare;
mod completions;
mod diagnostics;
mod doctor;
mod explain;
mod export;
mod follow;
mod guesses;
mod import;
mod new;
mod overrides;
mod panic;
mod predict;
mod progress;
mod recipe_search;
mod report;
mod resume;
mod run;
mod schema;
mod search;
mod signals;
mod status;
mod suite;
mod terminal;
mod units;
mod verify;

use clap::{Args, Parser, Subcommand};
use precocial::math::kernel::Isa;
use precocial::{Error, Result};
use std::process::ExitCode;
use terminal::{Color, Terminal};

const OVERVIEW: &str = "\
precocial evolves the starting weights of neural networks and tells, at equal
total cost and over many paired seeds, whether that pays.

  precocial new iris          write a commented experiment to begin with
  precocial check iris.ron    say what it would take; runs nothing
  precocial run iris.ron      run it: verdict here, tables and report in results/
  precocial resume DIR        go on with a run that was interrupted; more seeds or budget
  precocial schema            everything an experiment file may say

  also: status, report, analyze, compare, predict, export, import, verify, doctor,
  bench, explain CODE, completions SHELL
  precocial help run          options of a verb, and what exit codes mean";

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 a bug in precocial, 2 command line or experiment file, 3 data or model, 4 file system, \
5 refused by a limit, 6 a comparison or verification found a difference, 128 and a signal's number: \
stopped by it, resumable.";

/// Evolve the starting weights of neural networks and learn, at equal total cost, whether it pays.
#[derive(Parser)]
#[command(name = "precocial", version, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// Options that every verb takes.
#[derive(Args)]
struct Common {
    /// Say only what was asked for: no progress, no notes
    #[arg(short, long, global = true)]
    quiet: bool,
    /// One JSON object a line on stdout instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Colours: `auto` uses them on a terminal unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Subcommand)]
enum Verb {
    /// Run an experiment and write its result folder
    #[command(after_help = EXIT_CODES)]
    Run(run::Run),
    /// Go on with a run that was interrupted, add seeds, or give a larger budget
    #[command(after_help = EXIT_CODES)]
    Resume(resume::Resume),
    /// Say how far runs are; works while they are written
    Status(status::Status),
    /// Run seeds of a result folder again and compare every bit
    Verify(verify::Verify),
    /// Check experiments and say what they would take; runs nothing
    Check(check::Check),
    /// Write a commented experiment to begin with
    New(new::New),
    /// Draw plots and pages of a result folder again
    Report(report::Report),
    /// Look into the weights of a run: distributions, paths, barriers, pruning, landscapes
    Analyze(analyze::Analyze),
    /// Compare arms across result folders
    Compare(compare::Compare),
    /// Predictions of a model for the rows of a CSV file
    Predict(predict::Predict),
    /// Write a model for other programs: PyTorch, NumPy, ONNX, Keras, Rust and more
    Export(export::Export),
    /// Take a model from another program: safetensors, npz, ONNX, JSON
    Import(import::Import),
    /// Print everything an experiment file may say, with defaults and ranges
    Schema(schema::Schema),
    /// Measure the speed of this machine, beside its limits
    Bench(bench::Bench),
    /// Check kernels, threads, memory and disk of this machine
    Doctor(doctor::Doctor),
    /// Explain a message by its code, such as P0107; without one, list all codes
    Explain(explain::Explain),
    /// Print the completion script of a shell
    Completions(completions::Completions),
}

/// How an experiment file is changed from outside, for `run` and `check`.
#[derive(Args)]
struct Changes {
    /// Seeds instead of the file's: `1..30` (both included) or `1,2,5`
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<String>,
    /// Change a setting: `budget=RowPasses(100_000)`, `arms[2].method.population=80`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Threads; one for each processor unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
    /// Most memory that a run may plan for: `4GiB`, `500MB`; 80 % of what is free unless said otherwise
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes)]
    memory_limit: Option<u128>,
}

impl Changes {
    fn threads(&self) -> usize {
        threads(self.threads)
    }

    fn memory_limit(&self) -> Option<u128> {
        memory_limit(self.memory_limit)
    }
}

/// As many threads as were asked for, or one for each processor.
fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(precocial::experiment::available_threads, usize::from)
}

/// What was allowed, or 80 % of what is free.
fn memory_limit(allowed: Option<u128>) -> Option<u128> {
    allowed.or_else(|| units::available_memory().map(|bytes| bytes / 5 * 4))
}

/// Whoever asks for an instruction set wants that one: to compare, or to keep clear of a faulty one.
fn check_instruction_set() -> Result<()> {
    let sets = Isa::available();
    match std::env::var("PRECOCIAL_ISA") {
        Ok(wanted) if !wanted.is_empty() && sets.iter().all(|isa| isa.name() != wanted) => {
            let names: Vec<&str> = sets.iter().map(|isa| isa.name()).collect();
            let message = format!("PRECOCIAL_ISA={} is no instruction set of this processor", wanted.escape_default());
            Err(Error::experiment("P0607", message)
                .help(format!("it has {}; without the variable the last one is used", names.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    panic::install();
    let mut arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if arguments.len() == 1 {
        return Terminal::plain().finish(|terminal| terminal.print(OVERVIEW));
    }
    let short = guesses::complete(&mut arguments);
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return guesses::refuse(&arguments, &error),
    };
    let Common { quiet, json, color } = cli.common;
    let terminal = Terminal::new(quiet, json, color);
    if let Some(file) = short {
        terminal.note(&format!("`precocial {0}` is short for `precocial run {0}`", file.display()));
    }
    let Some(verb) = cli.verb else { return terminal.finish(|terminal| terminal.print(OVERVIEW)) };
    terminal.finish(|terminal| perform(verb, terminal))
}

fn perform(verb: Verb, terminal: &Terminal) -> Result<()> {
    check_instruction_set()?;
    match verb {
        Verb::Run(verb) => verb.perform(terminal),
        Verb::Resume(verb) => verb.perform(terminal),
        Verb::Status(verb) => verb.perform(terminal),
        Verb::Verify(verb) => verb.perform(terminal),
        Verb::Check(verb) => verb.perform(terminal),
        Verb::New(verb) => verb.perform(terminal),
        Verb::Report(verb) => verb.perform(terminal),
        Verb::Analyze(verb) => verb.perform(terminal),
        Verb::Compare(verb) => verb.perform(terminal),
        Verb::Predict(verb) => verb.perform(terminal),
        Verb::Export(verb) => verb.perform(terminal),
        Verb::Import(verb) => verb.perform(terminal),
        Verb::Schema(verb) => verb.perform(terminal),
        Verb::Bench(verb) => verb.perform(terminal),
        Verb::Doctor(verb) => verb.perform(terminal),
        Verb::Explain(verb) => verb.perform(terminal),
        Verb::Completions(verb) => verb.perform(terminal),
    }
}
