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

const TEXT: &str = include_str!("messages/iris.ron");

#[test]
fn counts_that_fit_no_machine_are_refused_before_they_are_made() {
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
