//! One training under way as a table on stderr: a row for each step, as fast as can be read.

use super::terminal::Terminal;
use precocial::experiment::{Experiment, TrainingStep};
use precocial::{Error, Result};
use serde_json::json;
use std::time::{Duration, Instant};

/// Which training is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
}

impl Followed {
    /// What `ARM` or `ARM:SEED` names in an experiment with these seeds; the first seed unless one is named.
    ///
    /// # Errors
    /// An arm or a seed that is not there (`P0109`).
    pub fn of(text: &str, experiment: &Experiment, seeds: &[u64]) -> Result<Followed> {
        let (arm, seed) = text.split_once(':').map_or((text, None), |(arm, seed)| (arm, Some(seed)));
        if !experiment.arms.iter().any(|other| other.name.as_str() == arm) {
            let names: Vec<&str> = experiment.arms.iter().map(|arm| arm.name.as_str()).collect();
            return Err(Error::experiment("P0109", format!("--follow names the arm \"{arm}\", which is not there"))
                .note(format!("arms are {}", names.join(", ")))
                .help(format!("write --follow {}", names.first().unwrap_or(&"ARM"))));
        }
        let seed = match seed {
            None => seeds.first().copied(),
            Some(seed) => seed.parse().ok().filter(|seed| seeds.contains(seed)),
        };
        let Some(seed) = seed else {
            return Err(Error::experiment("P0109", format!("--follow {text} names a seed that is not run"))
                .help(format!("write --follow {arm}:{}", seeds.first().unwrap_or(&1))));
        };
        Ok(Followed { arm: arm.to_owned(), seed })
    }
}

/// Between two rows.
const PAUSE: Duration = Duration::from_millis(100);

/// The table of a followed training.
pub struct Table {
    /// Whose.
    pub followed: Followed,
    begin: Instant,
    shown: Option<Instant>,
    waiting: Option<(TrainingStep, Duration)>,
}

impl Table {
    /// An empty one.
    pub fn new(followed: Followed) -> Table {
        Table { followed, begin: Instant::now(), shown: None, waiting: None }
    }

    /// Its training begins.
    pub fn start(&mut self) {
        self.begin = Instant::now();
    }

    /// A step was taken; what is to be shown of it now, if anything is.
    pub fn step(&mut self, step: TrainingStep) -> Option<String> {
        let now = Instant::now();
        if self.shown.is_some_and(|shown| now - shown < PAUSE) {
            self.waiting = Some((step, self.begin.elapsed()));
            return None;
        }
        let head = if self.shown.is_none() { head(&self.followed) } else { String::new() };
        self.shown = Some(now);
        self.waiting = None;
        Some(head + &row(&step, self.begin.elapsed()))
    }

    /// The latest step, if it has not been shown.
    pub fn rest(&mut self) -> Option<String> {
        self.waiting.take().map(|(step, elapsed)| row(&step, elapsed))
    }
}

fn head(followed: &Followed) -> String {
    format!(
        "  {} at seed {}, at most ten steps a second\n  {:>8}  {:>8}  {:>11}  {:>11}  {:>9}  {:>6}\n",
        followed.arm, followed.seed, "epoch", "time", "performance", "gradient", "damping", "checks"
    )
}

fn row(step: &TrainingStep, elapsed: Duration) -> String {
    let number = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{x:.3e}"));
    format!(
        "  {:>8}  {:>6.1} s  {:>11}  {:>11}  {:>9}  {:>6}",
        step.epoch,
        elapsed.as_secs_f64(),
        number(Some(step.loss)),
        number(step.gradient_norm),
        number(step.damping),
        step.checks.map_or("–".to_owned(), |checks| checks.to_string()),
    )
}

/// The same for programs, every step of it.
pub fn object(terminal: &Terminal, arm: &str, seed: u64, step: &TrainingStep) {
    terminal.event(&json!({
        "event": "step", "arm": arm, "seed": seed, "epoch": step.epoch, "loss": step.loss,
        "gradient_norm": step.gradient_norm, "damping": step.damping, "validation_checks": step.checks,
        "multiply_adds": step.spent,
    }));
}
