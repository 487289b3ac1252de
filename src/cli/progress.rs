//! Progress on stderr: a bar on a terminal, a line every few seconds elsewhere, objects with `--json`.

use super::follow::{self, Followed, Table};
use super::terminal::Terminal;
use super::{diagnostics, signals, units};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use precocial::experiment::{Event, Watch};
use serde_json::json;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Watches a run and tells how far it is.
pub struct Progress<'a> {
    terminal: &'a Terminal,
    bar: Option<ProgressBar>,
    runs: usize,
    begin: Instant,
    followed: Option<Followed>,
    state: Mutex<State>,
}

struct State {
    finished: usize,
    /// Share done of each run under way.
    under_way: HashMap<(String, u64), f64>,
    next_line: Duration,
    /// Of the training that is followed.
    table: Option<Table>,
}

/// Parts of the bar; runs are divided so that a single long one moves too.
const PARTS: f64 = 10_000.0;

impl<'a> Progress<'a> {
    /// Progress of `runs` runs: arms times seeds.
    pub fn new(terminal: &'a Terminal, runs: usize) -> Progress<'a> {
        Progress::after(terminal, runs, 0)
    }

    /// The same when `finished` of them have finished before.
    pub fn after(terminal: &'a Terminal, runs: usize, finished: usize) -> Progress<'a> {
        let silent = terminal.quiet || terminal.json;
        let bar = (!silent && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("  {bar:30} {percent:>3}%  {msg}").expect("a valid template");
            let bar = ProgressBar::with_draw_target(Some(PARTS as u64), ProgressDrawTarget::stderr());
            bar.set_style(style);
            bar
        });
        let next_line = Duration::from_millis(500);
        let state = State { finished, under_way: HashMap::new(), next_line, table: None };
        Progress { terminal, bar, runs, begin: Instant::now(), followed: None, state: Mutex::new(state) }
    }

    /// The same with a table of one training.
    pub fn following(mut self, followed: Option<Followed>) -> Progress<'a> {
        self.state.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()).table = followed.clone().map(Table::new);
        self.followed = followed;
        self
    }

    /// A line on stderr, above the bar.
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.terminal.say(text),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&self, state: &mut State, now: &str) {
        let done = (state.finished as f64 + state.under_way.values().sum::<f64>()) / self.runs as f64;
        let elapsed = self.begin.elapsed();
        let text = || {
            // Early guesses of the end mislead more than they help.
            let left = elapsed.as_secs_f64() * (1.0 - done) / done;
            let left = if done > 0.01 { format!(", {} left", units::seconds(left)) } else { String::new() };
            format!("{}/{} runs, now {now}{left}", state.finished, self.runs)
        };
        if let Some(bar) = &self.bar {
            bar.set_position((done * PARTS) as u64);
            bar.set_message(text());
        } else if elapsed >= state.next_line {
            self.terminal.say(&format!("  {:>3.0}%  {}", 100.0 * done, text()));
            // Ever rarer: a log of a long run should stay readable.
            state.next_line = elapsed + (elapsed / 5).clamp(Duration::from_secs(3), Duration::from_secs(60));
        }
    }
}

impl Watch for Progress<'_> {
    fn event(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let own = |arm: &str, seed: u64| self.follows(arm, seed);
        let (arm, seed) = match event {
            Event::Stepped { arm, seed, step } => {
                follow::object(self.terminal, arm, seed, step);
                if let Some(text) = state.table.as_mut().and_then(|table| table.step(*step)) {
                    self.line(&text);
                }
                return;
            }
            Event::ArmStarted { arm, seed } => {
                if let Some(table) = state.table.as_mut().filter(|_| own(arm, seed)) {
                    table.start();
                }
                state.under_way.insert((arm.to_owned(), seed), 0.0);
                self.terminal.event(&json!({"event": "started", "arm": arm, "seed": seed}));
                (arm, seed)
            }
            Event::Progress { arm, seed, spent, budget } => {
                state.under_way.insert((arm.to_owned(), seed), (spent as f64 / budget.max(1) as f64).min(1.0));
                (arm, seed)
            }
            Event::ArmFinished { row } => {
                let table = state.table.as_mut().filter(|_| own(&row.arm, row.seed));
                if let Some(text) = table.and_then(Table::rest) {
                    self.line(&text);
                }
                state.under_way.remove(&(row.arm.clone(), row.seed));
                state.finished += 1;
                self.terminal.event(&json!({"event": "finished", "run": row}));
                (row.arm.as_str(), row.seed)
            }
            Event::SearchFinished { seed, rows } => {
                state.under_way.remove(&("search".to_owned(), seed));
                state.finished += 1;
                self.terminal.event(&json!({"event": "finished", "seed": seed, "results": rows}));
                ("search", seed)
            }
            Event::Scored { what, runs, best } => {
                state.finished += runs;
                self.terminal.event(&json!({"event": "scored", "what": what, "runs": runs, "best": best}));
                self.show(&mut state, what);
                return;
            }
            Event::Damaged { problem, from_start } => {
                let what = if from_start { "this run begins again" } else { "the save before is used" };
                self.terminal.say(&diagnostics::render(&problem.clone().note(what), self.terminal.styled));
                return;
            }
            _ => return,
        };
        self.show(&mut state, &format!("{arm} at seed {seed}"));
    }

    fn follows(&self, arm: &str, seed: u64) -> bool {
        self.followed.as_ref().is_some_and(|followed| followed.arm == arm && followed.seed == seed)
    }

    fn is_cancelled(&self) -> bool {
        signals::caught().is_some()
    }
}
