//! The command line of precocial: it reads files and arguments, calls the library, and is the only part that prints.

#![forbid(unsafe_code)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
