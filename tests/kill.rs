//! Nothing is lost: runs that are killed, stopped, or let down by the file system are resumed, and end with the same bits
//! as runs that were left alone.
//!
//! `PRECOCIAL_KILLS=200 cargo test --release --test kill -- --nocapture` is the long form; it prints its table.

use precocial::rng::{Purpose, Streams};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// An experiment of every arm with a state of its own; saved as often as it can be.
fn experiment(name: &str, seeds: u32, budget: u32, every_seconds: f64) -> String {
    format!(
        r#"Experiment(
    schema: 1, name: "{name}", seeds: Range(first: 1, count: {seeds}),
    task: Classification(data: Builtin("iris"), split: Stratified(train: 0.7, validation: 0.15, test: 0.15)),
    network: Mlp(hidden: [(units: 8, activation: Tanh)]),
    train: (optimizer: Adam(learning_rate: 0.01), batch: Size(16)),
    arms: [
        (name: "random", method: Random(scheme: GlorotUniform)),
        (name: "ga", method: Genetic(population: 12, generations: 3, scheme: GlorotUniform)),
        (name: "cma", method: CmaEs(scheme: GlorotUniform, generations: 2)),
        (name: "best", method: BestOf(scheme: GlorotUniform, candidates: FillBudgetOf("ga"))),
        (name: "race", method: Race(scheme: GlorotUniform, candidates: 6, steps: 4)),
        (name: "again", method: Restarts(scheme: GlorotUniform, cutoff: Luby)),
        (name: "shuffled", method: ShuffledWinner(of: "ga")),
    ],
    budget: RowPasses({budget}),
    checkpoint: (every_seconds: {every_seconds}),
)"#
    )
}

fn search(every_seconds: f64, generations: u32) -> String {
    format!(
        r#"TopologySearch(
    schema: 1, name: "killed-search", seeds: Range(first: 1, count: 2),
    task: Control(environment: CartPoleSwingUp, max_steps: 100),
    search: (population: 24, generations: {generations}, tournament: 4),
    after: (starts: 8, random_draws: 2, tuning: Evolution(episodes: 400)),
    checkpoint: (every_seconds: {every_seconds}),
)"#
    )
}

struct Place(tempfile::TempDir);

impl Place {
    fn new(text: &str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::write(place.path("experiment.ron"), text).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_precocial"));
        command.current_dir(self.0.path()).args(arguments).arg("--quiet").env_remove("PRECOCIAL_FAULT");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, out: &str) -> Command {
        self.command(&["run", "experiment.ron", "--no-report", "--out", out])
    }

    fn resume(&self, out: &str) -> Command {
        self.command(&["resume", out, "--no-report"])
    }

    /// Resumes to the end, or runs from the beginning if there was nothing to resume yet.
    fn finish(&self, out: &str) -> Output {
        let begun = self.path(out).join("manifest.json").is_file();
        let output = if begun { self.resume(out).output() } else { self.run(out).arg("--replace").output() };
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        output
    }

    /// Everything that a user can see but clocks: tables, models and networks.
    fn seen(&self, out: &str) -> BTreeMap<String, Vec<u8>> {
        let folder = self.path(out);
        let mut all = BTreeMap::new();
        let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["state"], "complete");
        for name in ["bits", "spent", "parts", "parameters", "budget", "meaning"] {
            all.insert(name.to_owned(), manifest[name].to_string().into_bytes());
        }
        for part in ["models", "networks"] {
            for entry in std::fs::read_dir(folder.join(part)).into_iter().flatten().flatten() {
                let name = entry.file_name().into_string().unwrap();
                assert!(!name.starts_with(".precocial-"), "what a kill interrupted is swept away");
                all.insert(format!("{part}/{name}"), std::fs::read(entry.path()).unwrap());
            }
        }
        assert!(!folder.join("checkpoints").exists(), "a whole run keeps no checkpoints");
        assert!(all.len() > 6);
        all
    }
}

fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn kills(least: u64) -> u64 {
    std::env::var("PRECOCIAL_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(least)
}

/// Waits at most so long; kills what still runs. Whether it was killed.
fn kill_after(mut child: Child, wait: Duration) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < wait {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

/// Kills runs at random moments, some of them again while they are resumed, and compares what they end with.
fn killed_runs_end_the_same(text: &str, times: u64, stream: u64) {
    let place = Place::new(text);
    let begin = Instant::now();
    assert!(place.run("whole").status().unwrap().success());
    let took = begin.elapsed();
    let whole = place.seen("whole");
    let mut rng = Streams::new(stream).stream(Purpose::Arm, 0, 0);
    let (mut killed, mut twice, mut same) = (0, 0, 0);
    for time in 0..times {
        let out = format!("killed-{time}");
        let moment = took.mul_f64(rng.uniform64());
        killed += u64::from(kill_after(place.run(&out).spawn().unwrap(), moment));
        if time % 4 == 0 && place.path(&out).join("manifest.json").is_file() {
            let moment = took.mul_f64(0.5 * rng.uniform64());
            twice += u64::from(kill_after(place.resume(&out).spawn().unwrap(), moment));
        }
        place.finish(&out);
        assert_eq!(place.seen(&out), whole, "{time}");
        same += 1;
        std::fs::remove_dir_all(place.path(&out)).unwrap();
    }
    println!("runs {times}, killed {killed}, killed again while resumed {twice}, same as the run left alone {same}");
    assert!(killed > times / 3, "{killed} of {times} were killed in time");
}

#[test]
fn comparisons_that_were_killed_end_the_same() {
    killed_runs_end_the_same(&experiment("killed", 3, 60_000, 0.01), kills(12), 1);
}

#[test]
fn searches_that_were_killed_end_the_same() {
    killed_runs_end_the_same(&search(0.01, 40), kills(8), 2);
}

/// Lets step after step fail until a run passes; every failed run says so and is resumed to the same end.
fn faults_do_no_harm(text: &str, kind: &str, first: u64, stride: u64) {
    let place = Place::new(text);
    assert!(place.run("whole").status().unwrap().success());
    let whole = place.seen("whole");
    let mut step = first;
    loop {
        let out = format!("{kind}-{step}");
        let output = place.run(&out).env("PRECOCIAL_FAULT", format!("{step}:{kind}")).output().unwrap();
        if output.status.success() {
            assert_eq!(place.seen(&out), whole, "{kind} at step {step}");
            break;
        }
        let text = text_of(&output);
        if !["kill", "power", "torn"].contains(&kind) {
            assert_eq!(output.status.code(), Some(4), "{kind} at step {step}: {text}");
            assert!(text.contains("error[P050") && !text.contains("panicked"), "{kind} at step {step}: {text}");
            if place.path(&out).join("manifest.json").is_file() {
                assert!(text.contains("precocial resume"), "{kind} at step {step}: {text}");
            }
        }
        place.finish(&out);
        assert_eq!(place.seen(&out), whole, "{kind} at step {step}");
        std::fs::remove_dir_all(place.path(&out)).unwrap();
        step += stride;
    }
    println!("{kind}: {} steps of a run, every {stride}", step - 1);
    assert!(step > 100, "{step} steps of a run were tried");
}

/// A build without debug assertions knows no faults.
const FAULTS: bool = cfg!(debug_assertions);

#[test]
fn a_process_may_die_at_every_step() {
    if FAULTS {
        faults_do_no_harm(&small(), "kill", 1, stride(2));
    }
}

#[test]
fn the_power_may_fail_at_every_step() {
    if FAULTS {
        faults_do_no_harm(&small(), "power", 1, stride(4));
        faults_do_no_harm(&small(), "torn", 2, stride(4));
    }
}

#[test]
fn every_step_may_fail() {
    if FAULTS {
        faults_do_no_harm(&small(), "eio", 1, stride(9));
        faults_do_no_harm(&small(), "enospc", 2, stride(9));
        faults_do_no_harm(&small(), "erofs", 3, stride(9));
    }
}

#[test]
fn the_disk_may_be_full_from_any_step_on() {
    if FAULTS {
        faults_do_no_harm(&small(), "full", 1, stride(8));
    }
}

fn stride(usual: u64) -> u64 {
    if kills(0) > 100 { 1 } else { usual }
}

fn small() -> String {
    experiment("faulty", 1, 8_000, 0.004)
}

#[test]
fn damaged_checkpoints_are_told_and_do_no_harm() {
    let place = Place::new(&experiment("damaged", 1, 100_000, 0.002));
    let begin = Instant::now();
    assert!(place.run("whole").status().unwrap().success());
    let took = begin.elapsed();
    let whole = place.seen("whole");
    let mut found = 0;
    for time in 0..12_u32 {
        let out = format!("damaged-{time}");
        // Late in an arm's run, when it has two checkpoints.
        kill_after(place.run(&out).spawn().unwrap(), took * (time + 1) / 14);
        let folder = place.path(&out).join("checkpoints");
        let files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ckpt"))
            .collect();
        for (index, path) in files.iter().enumerate() {
            let mut bytes = std::fs::read(path).unwrap();
            if (index + time as usize).is_multiple_of(2) {
                bytes.truncate(bytes.len() / 2);
            } else {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            std::fs::write(path, bytes).unwrap();
        }
        found += files.len();
        place.finish(&out);
        assert_eq!(place.seen(&out), whole, "{time}");
    }
    assert!(found > 3, "{found} checkpoints were damaged");
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[cfg(unix)]
#[test]
fn a_signal_saves_everything_and_says_how_to_go_on() {
    let place = Place::new(&experiment("stopped", 2, 200_000, 3_600.0));
    assert!(place.run("whole").status().unwrap().success());
    let whole = place.seen("whole");
    for (name, code, wait) in [("INT", 130, 80), ("TERM", 143, 160), ("HUP", 129, 240), ("INT", 130, 10)] {
        let out = format!("stopped-{name}-{wait}");
        let child = place.run(&out).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        signal(&child, name);
        // Once more within a second is the same request.
        signal(&child, name);
        let begin = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(begin.elapsed() < Duration::from_secs(10));
        let text = text_of(&output);
        // The first instant of a process belongs to the system: nothing has begun then.
        let begun = place.path(&out).join("manifest.json").is_file();
        if begun && !output.status.success() && output.status.code().is_some() {
            assert_eq!(output.status.code(), Some(code), "{text}");
            assert!(text.contains(&format!("precocial resume {out}")), "{text}");
            assert!(text.contains("P0701"), "{text}");
        }
        place.finish(&out);
        assert_eq!(place.seen(&out), whole, "{name}");
    }
}

#[test]
fn seeds_may_come_later() {
    let all = Place::new(&experiment("seeds", 4, 8_000, 10.0));
    assert!(all.run("whole").status().unwrap().success());
    let whole = all.seen("whole");
    for (first, later) in [("1..2", "3..4"), ("1..1", "2..4"), ("1..3", "1..4")] {
        let out = format!("seeds-{}", first.replace("..", "-"));
        assert!(all.run(&out).args(["--seeds", first]).status().unwrap().success());
        let output = all.resume(&out).args(["--seeds", later]).output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        assert_eq!(all.seen(&out), whole, "{first}, then {later}");
    }
    let again = all.resume("whole").output().unwrap();
    assert!(again.status.success(), "a whole run has nothing left to do: {}", text_of(&again));
    assert_eq!(all.seen("whole"), whole);
    let verified = all.command(&["verify", "whole", "--seeds", "2,4"]).output().unwrap();
    assert!(verified.status.success(), "{}", text_of(&verified));
    assert!(text_of(&verified).contains("14 runs have the same bits"), "{}", text_of(&verified));
    let results = all.path("whole").join("results.csv");
    let table = std::fs::read_to_string(&results).unwrap();
    let changed = table.replacen("complete", "stopped", 1);
    assert_ne!(changed, table);
    std::fs::write(&results, changed).unwrap();
    let verified = all.command(&["verify", "whole", "--seeds", "1"]).output().unwrap();
    assert_eq!(verified.status.code(), Some(6), "{}", text_of(&verified));
    assert!(text_of(&verified).contains("results.csv row 1, random at seed 1: state was"), "{}", text_of(&verified));
}

#[test]
fn budgets_may_grow_later() {
    let place = Place::new(&experiment("grown", 3, 12_000, 10.0));
    assert!(place.run("whole").status().unwrap().success());
    let whole = place.seen("whole");
    let small = ["--set", "budget=RowPasses(8_000)"];
    assert!(place.run("small").args(small).status().unwrap().success());
    // A run that is whole, with seeds still to come; then one that was broken off.
    assert!(place.run("out").args(small).args(["--seeds", "1..2"]).status().unwrap().success());
    let before = place.seen("out");
    let output = place.resume("out").args(["--budget", "12_000", "--seeds", "3"]).output().unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    assert_eq!((place.seen("out"), place.seen("out.old-1")), (whole.clone(), before));
    let verified = place.command(&["verify", "out", "--seeds", "3"]).output().unwrap();
    assert!(verified.status.success(), "{}", text_of(&verified));
    // The same once more is nothing to do.
    let output = place.resume("out").args(["--budget", "RowPasses(12_000)"]).output().unwrap();
    assert!(output.status.success() && !place.path("out.old-2").exists(), "{}", text_of(&output));
    assert_eq!(place.seen("out"), whole);
    let broken = place.run("broken").args(["--set", "budget=RowPasses(400_000)"]).spawn().unwrap();
    kill_after(broken, Duration::from_millis(200));
    if place.path("broken/manifest.json").is_file() {
        let output = place.resume("broken").args(["--budget", "500_000", "--threads", "1"]).output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        assert!(place.run("large").args(["--set", "budget=RowPasses(500_000)"]).status().unwrap().success());
        assert_eq!(place.seen("broken"), place.seen("large"));
        // What was broken off can still be finished where it is now.
        place.finish("broken.old-1");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { _ = std::fs::copy(entry.path(), to).unwrap() }
    }
}

/// Lets step after step fail of a run whose budget grows, beyond the moment when it begins: the old run stands, or the new one
/// can be gone on with.
fn growing_is_safe(kind: &str, first: usize, stride: usize) {
    let place = Place::new(&small());
    assert!(place.run("whole").args(["--set", "budget=RowPasses(9_000)"]).status().unwrap().success());
    assert!(place.run("small").status().unwrap().success());
    let (whole, small) = (place.seen("whole"), place.seen("small"));
    let (mut stood, mut moved) = (0, 0);
    for step in (first..=26).step_by(stride) {
        let out = format!("{kind}-{step}");
        copy(&place.path("small"), &place.path(&out));
        let grow = |out: &str| place.command(&["resume", out, "--no-report", "--budget", "9_000"]);
        let output = grow(&out).env("PRECOCIAL_FAULT", format!("{step}:{kind}")).output().unwrap();
        assert!(!output.status.success(), "{kind} at step {step}");
        let text = text_of(&output);
        if !["kill", "power", "torn"].contains(&kind) {
            assert!(text.contains("error[P050") && !text.contains("panicked"), "{kind} at step {step}: {text}");
        }
        let aside = format!("{out}.old-1");
        if place.path(&aside).exists() {
            moved += 1;
        } else {
            stood += 1;
            assert_eq!(place.seen(&out), small, "{kind} at step {step}");
            let output = grow(&out).output().unwrap();
            assert!(output.status.success(), "{kind} at step {step}: {}", text_of(&output));
        }
        let output = place.resume(&out).output().unwrap();
        assert!(output.status.success(), "{kind} at step {step}: {}", text_of(&output));
        assert_eq!((place.seen(&out), place.seen(&aside)), (whole.clone(), small.clone()), "{kind} at step {step}");
        assert!(!place.path(&format!(".precocial-{out}.new")).exists(), "{kind} at step {step}");
        std::fs::remove_dir_all(place.path(&out)).unwrap();
        std::fs::remove_dir_all(place.path(&aside)).unwrap();
    }
    println!("{kind}: the old run stood {stood} times, the new one had its place or waited beside it {moved} times");
    assert!(stood > 1 && moved > 1, "{stood} {moved}");
}

#[test]
fn a_process_may_die_while_a_budget_grows() {
    if FAULTS {
        growing_is_safe("kill", 1, 1);
        growing_is_safe("power", 1, stride(3) as usize);
        growing_is_safe("torn", 2, stride(3) as usize);
    }
}

#[test]
fn every_step_of_growing_may_fail() {
    if FAULTS {
        growing_is_safe("eio", 1, stride(3) as usize);
        growing_is_safe("full", 2, stride(3) as usize);
    }
}

#[test]
fn searches_take_more_seeds_too() {
    let place = Place::new(&search(10.0, 6));
    assert!(place.run("whole").status().unwrap().success());
    assert!(place.run("later").args(["--seeds", "1"]).status().unwrap().success());
    assert!(place.resume("later").args(["--seeds", "2"]).status().unwrap().success());
    assert_eq!(place.seen("later"), place.seen("whole"));
    let verified = place.command(&["verify", "later", "--seeds", "2"]).output().unwrap();
    assert!(verified.status.success(), "{}", text_of(&verified));
}

#[test]
fn what_would_change_the_meaning_is_refused() {
    let place = Place::new(&experiment("edited", 1, 8_000, 10.0));
    assert!(place.run("out").status().unwrap().success());
    let own = place.path("out").join("experiment.ron");
    let text = std::fs::read_to_string(&own).unwrap();
    std::fs::write(&own, text.replace("population: 12", "population: 13")).unwrap();
    let refused = place.resume("out").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", text_of(&refused));
    let said = text_of(&refused);
    assert!(said.contains("error[P0309]") && said.contains("population was 12, now 13"), "{said}");
    std::fs::write(&own, text.replace("count: 1", "count: 2").replace("budget:", "notes: \"more\", budget:")).unwrap();
    place.finish("out");
    assert_eq!(std::fs::read_to_string(place.path("out").join("results.csv")).unwrap().lines().count(), 15);
}

#[test]
fn two_processes_never_write_into_one_folder() {
    let place = Place::new(&experiment("shared", 2, 400_000, 0.05));
    let mut first = place.run("out").spawn().unwrap();
    let begin = Instant::now();
    while !place.path("out").join("manifest.json").is_file() && begin.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let second = place.resume("out").output().unwrap();
    let third = place.run("out").arg("--replace").output().unwrap();
    let status = place.command(&["status", "out"]).output().unwrap();
    let running = first.try_wait().unwrap().is_none();
    first.kill().unwrap();
    first.wait().unwrap();
    if running {
        for output in [&second, &third] {
            assert_eq!(output.status.code(), Some(4), "{}", text_of(output));
            let owner = format!("P0505]: out is being written by process {}", first.id());
            assert!(text_of(output).contains(&owner), "{}", text_of(output));
        }
        assert!(text_of(&status).contains("\"shared\", running"), "{}", text_of(&status));
    }
    let status = place.command(&["status", "out"]).output().unwrap();
    assert!(text_of(&status).contains("go on with: precocial resume out"), "{}", text_of(&status));
    // The owner is dead, so its lock is free.
    place.finish("out");
}

#[test]
fn many_starts_at_once_get_a_folder_each() {
    let place = Place::new(&experiment("many", 1, 8_000, 10.0));
    let start = || place.command(&["run", "experiment.ron", "--no-report", "--threads", "1"]).spawn().unwrap();
    let children: Vec<Child> = (0..50).map(|_| start()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
    }
    let bits = |number: usize| {
        let folder = format!("results/many-{number}");
        place.seen(&folder)
    };
    let first = bits(1);
    assert!((2..=50).all(|number| bits(number) == first));
    assert!(!Path::new(&place.path("results/many-51")).exists());
}

#[test]
fn a_closed_pipe_ends_no_run() {
    let place = Place::new(&experiment("piped", 1, 8_000, 10.0));
    let mut child = place.run("out").arg("--json").spawn().unwrap();
    drop(child.stdout.take());
    drop(child.stderr.take());
    child.wait().unwrap();
    place.seen("out");
}
