//! What fits no machine is refused before it is made, and what runs for ever does not grow.

use precocial::evolve::strategy::{
    EvolutionStrategy, EvolutionStrategySettings, Genetic, GeneticSettings, Start, Strategy,
};
use precocial::evolve::{Evaluations, Population};
use precocial::experiment::dialect;
use precocial::math::{Activation, Rows};
use precocial::network::{Loss, Mlp, Output};
use precocial::rng::Streams;
use precocial::task::Supervised;
use precocial::values::{Count, Fitness, Positive};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tests of this file measure the memory of their process, so one runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const TEXT: &str = include_str!("messages/iris.ron");

#[test]
fn counts_that_fit_no_machine_are_refused_before_they_are_made() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (million, most) = ("1000000000000", "18446744073709551615");
    let random = "Random(scheme: GlorotUniform)";
    let cases = [
        ("population: 40", "population: 4294967295".to_owned(), "P0140"),
        ("population: 40", format!("population: {million}"), "P0140"),
        ("population: 40", format!("population: {most}"), "P0121"),
        ("generations: 25", format!("generations: {million}"), "P0133"),
        ("units: 8", "units: 4294967295".into(), "P0140"),
        ("units: 8", format!("units: {most}"), "P0121"),
        ("units: 8, activation: Tanh", "units: 40000), (units: 40000".into(), "P0140"),
        ("count: 30", "count: 1000001".into(), "P0140"),
        ("count: 30", format!("count: {most}"), "P0121"),
        (random, format!("Race(scheme: GlorotUniform, candidates: {million})"), "P0140"),
        (random, format!("EvolutionStrategy(scheme: GlorotUniform, generations: 3, population: {million})"), "P0140"),
        (random, format!("CmaEs(scheme: GlorotUniform, generations: 3, population: {million})"), "P0140"),
        ("Builtin(\"iris\")", "Parity(bits: 63)".into(), "P0140"),
    ];
    for (place, (from, to, code)) in cases.into_iter().enumerate() {
        assert!(TEXT.contains(from), "{from}");
        let file = folder.path().join(format!("{place}.ron"));
        std::fs::write(&file, TEXT.replacen(from, &to, 1)).unwrap();
        for verb in [&["check"][..], &["run", "--out", "never"]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_precocial"));
            let output = command.current_dir(folder.path()).args(verb).args(["--memory-limit", "16GiB"]).arg(&file);
            let output = output.output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.starts_with(&format!("error[{code}]")), "{to}: {told}");
            assert!(matches!(output.status.code(), Some(2 | 5)), "{to}: {told}");
            assert!(!folder.path().join("never").exists(), "{to}: nothing is begun");
        }
    }
}

/// Resident memory of this process in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?)
}

/// The most memory in bytes that `precocial check` had on this file, as far as the system tells while it runs.
fn peak_of_check(file: &Path) -> Option<u64> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_precocial"));
    let command = command.args(["check", "--threads", "1"]).arg(file).stdout(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let (status, mut peak) = (format!("/proc/{}/status", child.id()), None);
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(number.map(|number| 1024 * number));
        std::thread::yield_now();
    }
    assert!(child.wait().unwrap().success());
    peak
}

#[test]
fn a_table_is_read_in_little_more_than_its_matrix() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (rows, columns) = (100_000, 20);
    let check = |rows: usize| {
        let head: String = (0..columns).map(|column| format!("x{column},")).collect();
        let line = |row: usize| (0..columns).map(|column| format!("{},", (row + column) % 7)).collect::<String>();
        let body: String = (0..rows).map(|row| format!("{}{}\n", line(row), ["a", "b", "c"][row % 3])).collect();
        std::fs::write(folder.path().join("table.csv"), format!("{head}class\n{body}")).unwrap();
        let file = folder.path().join("table.ron");
        let data = "Csv(path: \"table.csv\", target: Name(\"class\"))";
        let text = TEXT.replace("Builtin(\"iris\")", data).replace("RowPasses(2_000_000)", "TrainingPasses(30000)");
        std::fs::write(&file, text).unwrap();
        // A busy machine may miss the last moments of so short a life.
        (0..3).filter_map(|_| peak_of_check(&file)).max()
    };
    let Some((small, large)) = check(150).zip(check(rows)) else { return };
    let matrix = (8 * rows * columns) as f64;
    let share = large.saturating_sub(small) as f64 / matrix;
    assert!((0.9..1.35).contains(&share), "{share:.2} times the matrix");
}

/// Lives through so many generations on the sphere function.
fn live<S: Strategy<Population = Population>>(strategy: &mut S, generations: usize, streams: &Streams) {
    let mut evaluations = Evaluations::default();
    for _ in 0..generations {
        let (population, asked) = strategy.ask(usize::MAX, streams).unwrap();
        evaluations.fitness.resize(population.len(), Fitness::WORST);
        for index in asked.clone() {
            let square = population.genome(index).iter().map(|gene| f64::from(gene * gene)).sum();
            evaluations.fitness[index] = Fitness::new(square);
        }
        strategy.tell(&mut evaluations, asked);
    }
}

#[test]
fn memory_does_not_grow_with_generations() {
    let _alone = alone();
    let network = Mlp::new(2, &[(2, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared).unwrap();
    let rows = Rows::new(&[0.0; 8], &[0.0; 4], 2, 1);
    let supervised = Supervised { training: rows, validation: None };
    let (streams, generations) = (Streams::new(1), 100_000);
    let settings: GeneticSettings = dialect()
        .from_str(
            "(population: 4, generations: 1000000, scheme: GlorotUniform, crossover: Uniform(), steps: OneFifth())",
        )
        .unwrap();
    let mut genetic = Genetic::new(settings, &network, &supervised);
    let count = |count| Count::new(count).unwrap();
    let settings = EvolutionStrategySettings {
        population: Some(count(4)),
        generations: count(1_000_000),
        sigma: Positive::new(0.5).unwrap(),
        fixed_scores: true,
    };
    let start = Start::Given { mean: vec![1.0; 9], spread: vec![1.0; 9] };
    let mut strategy = EvolutionStrategy::new(settings, start).unwrap();
    // What is made once is made before anything is measured.
    live(&mut genetic, 1_000, &streams);
    live(&mut strategy, 1_000, &streams);
    let Some(before) = resident() else { return };
    live(&mut genetic, generations, &streams);
    live(&mut strategy, generations, &streams);
    let grown = resident().unwrap().saturating_sub(before);
    assert!(grown < 1 << 20, "{grown} bytes in {generations} generations");
}
