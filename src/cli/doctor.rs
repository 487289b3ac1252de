//! `precocial doctor`: whether this machine computes right, and what it offers.

use super::{terminal::Terminal, units};
use precocial::error::Kind;
use precocial::experiment::{PROBE, available_threads, bytes_text, probe, processor};
use precocial::math::kernel::Isa;
use precocial::{Error, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Doctor {
    /// Folder that results would be written to
    #[arg(long, value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Compute on every thread for so long, print nothing, and end with 6 if any result was wrong
    #[arg(long, hide = true)]
    compute: bool,
}

/// For how long every thread computes with each instruction set.
const PATIENCE: Duration = Duration::from_millis(400);

impl Doctor {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        if self.compute {
            return compute();
        }
        let mut problems = Vec::new();
        let mut sets = Vec::new();
        for isa in Isa::available() {
            let program =
                std::env::current_exe().map_err(|cause| Error::io("finding", Path::new("precocial"), &cause))?;
            // A process of its own, because a process keeps to one instruction set.
            let ended = Command::new(&program).args(["doctor", "--compute"]).env("PRECOCIAL_ISA", isa.name()).output();
            let right = ended.map_err(|cause| Error::io("starting", &program, &cause))?.status.success();
            sets.push((isa.name(), right));
            if !right {
                problems.push(format!("the {} kernels give wrong results on this processor", isa.name()));
            }
        }
        let (threads, memory, disk) = (available_threads(), units::available_memory(), free_space(&self.folder));
        let written = precocial::files::probe(&self.folder);
        if let Err(error) = &written {
            problems.push(error.problems()[0].message.clone());
        }
        terminal.object(&json!({
            "event": "doctor",
            "processor": processor(),
            "threads": threads,
            "kernels": sets.iter().map(|(name, right)| json!({"name": name, "right": right})).collect::<Vec<_>>(),
            "memory": memory.map(|bytes| bytes as f64),
            "disk": disk.map(|bytes| bytes as f64),
            "writable": written.is_ok(),
            "problems": problems,
        }))?;
        let size = |bytes: Option<u128>| bytes.map_or_else(|| "not told by the system".to_owned(), bytes_text);
        let says = |right: bool| if right { "right" } else { "WRONG" };
        let kernels: Vec<String> = sets.iter().map(|(name, right)| format!("{name} {}", says(*right))).collect();
        let used = Isa::current().name();
        let lines = [
            format!("  processor  {}", processor()),
            format!("  threads    {threads}"),
            format!("  kernels    {}; {used} is used", kernels.join(", ")),
            format!("  memory     {} free", size(memory)),
            format!("  disk       {} free at {}", size(disk), self.folder.display()),
            format!("  writing    {}", if written.is_ok() { "works" } else { "FAILS" }),
        ];
        terminal.print(&lines.join("\n"))?;
        if problems.is_empty() {
            return Ok(());
        }
        let mut error = Error::new(Kind::Difference, "P0606", problems.join("; "));
        if sets.iter().any(|(_, right)| !right) {
            error = error.help("results of this machine cannot be trusted; PRECOCIAL_ISA=scalar may avoid the fault");
        }
        Err(error)
    }
}

/// Computes the same thing again and again on as many threads as there are.
fn compute() -> Result<()> {
    let begin = Instant::now();
    let right = std::thread::scope(|scope| {
        let work = || {
            while begin.elapsed() < PATIENCE {
                if probe() != PROBE {
                    return false;
                }
            }
            true
        };
        let workers: Vec<_> = (0..available_threads()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().all(|worker| worker.join().unwrap_or(false))
    });
    if right { Ok(()) } else { Err(Error::new(Kind::Difference, "P0606", "wrong results")) }
}

/// Bytes that may still be written where `folder` is.
#[cfg(unix)]
fn free_space(folder: &Path) -> Option<u128> {
    let system = rustix::fs::statvfs(folder).ok()?;
    Some(u128::from(system.f_bavail) * u128::from(system.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_folder: &Path) -> Option<u128> {
    None
}
