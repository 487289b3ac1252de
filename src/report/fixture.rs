//! Made-up results for tests: laws of learning instead of learning.

use crate::experiment::folder::{LAYOUT, State};
use crate::experiment::model::Header;
use crate::experiment::record::{
    AuditRow, Change, GenerationRow, HealthRow, HistoryRow, MistakeRow, Moment, Origins, Phase, PredictionRow,
    ReferenceRow, ResultRow, RunState, TurnRow,
};
use crate::experiment::{Experiment, Folder, Manifest, Model, Tables, dialect, parse, to_text};
use crate::math::Activation;
use crate::network::{Loss, Mlp, Output};
use crate::report::analysis::{Analysis, Models};
use crate::rng::{Purpose, Streams};
use crate::task::{Scaler, Scaling};
use std::path::Path;

pub const BUDGET: f64 = 100_000.0;

/// How an arm does: what its search costs, how slowly it learns from then on, and from which seed on it diverges.
#[derive(Clone, Copy)]
pub struct Law {
    pub search: f64,
    pub slowness: f64,
    pub diverges_from: u64,
}

pub fn law(search: f64, slowness: f64) -> Law {
    Law { search, slowness, diverges_from: u64::MAX }
}

/// The arms `glorot`, `best-of-n` and `ga` under these laws, over seeds from 1.
pub fn analysis(laws: [Law; 3], seeds: u64, statistics: &str) -> Analysis {
    let experiment = experiment(seeds, statistics);
    let tables = tables(&experiment, laws);
    let kept = experiment.arms.iter().flat_map(|arm| models(arm.name.as_str(), true)).collect();
    Analysis::new(experiment, manifest(), tables, Models { folder: None, kept })
}

/// As the first one, with starts of the evolved arm that were asked about: losses after at least 100 steps rank them as they
/// turn out, earlier ones by luck.
pub fn audited(steps: &[u32]) -> Analysis {
    let experiment = experiment(6, "targets: [0.3, 0.1, 0.05]");
    let mut tables = tables(&experiment, [law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)]);
    let arm = experiment.arms.iter().find(|arm| arm.method.is_evolved()).unwrap().name.to_string();
    for seed in experiment.seeds.to_vec() {
        let mut rng = Streams::new(seed).stream(Purpose::Synthetic, 2, 0);
        for start in 0..8_u64 {
            // Start 7 never arrives.
            let (cost, blind) = ((start < 7).then_some(1e4 + 1e3 * start as f64), rng.uniform64());
            tables.audit.extend(steps.iter().map(|&steps| AuditRow {
                arm: arm.clone(),
                seed,
                start,
                steps,
                price: 80.0 + 240.0 * f64::from(steps),
                loss: Some(if steps < 100 { blind } else { 0.1 * start as f64 }),
                target: 0.1,
                cost,
                lowest: Some(0.05 + 0.01 * start as f64),
            }));
        }
    }
    Analysis::new(experiment, manifest(), tables, Models::default())
}

/// As the first one, with an arm whose units' mistakes are corrected: one ends, the other goes round.
pub fn correcting() -> Analysis {
    let experiment = experiment(4, "");
    let mut tables = tables(&experiment, [law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)]);
    let mut total = [0, 0];
    for epoch in 1..=40 {
        for unit in 0..2 {
            let mistakes = if unit == 0 { 12_u64.saturating_sub(3 * epoch) } else { 4 + epoch % 3 };
            total[unit] += mistakes;
            let last = |number: f64| (epoch == 40).then_some(number);
            tables.mistakes.push(MistakeRow {
                arm: experiment.arms[0].name.to_string(),
                seed: 1,
                unit: unit as u64,
                epoch,
                mistakes,
                total: total[unit],
                radius: last(3.0),
                margin: last([0.25, -0.5][unit]),
                bound: last(144.0).filter(|_| unit == 0),
            });
        }
    }
    Analysis::new(experiment, manifest(), tables, Models::default())
}

/// As the first one, with a reference beside the arms.
pub fn referred() -> Analysis {
    let mut experiment = experiment(6, "targets: [0.3, 0.1, 0.05]");
    experiment.reference = Some(dialect().from_str("SupportVectorMachine()").unwrap());
    let mut tables = tables(&experiment, [law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)]);
    let row =
        |seed: u64| ReferenceRow { seed, training: 1.0, test: 0.92 + 0.02 * (seed % 5) as f64, support_vectors: 41 };
    tables.reference = experiment.seeds.to_vec().into_iter().map(row).collect();
    Analysis::new(experiment, manifest(), tables, Models::default())
}

/// As the first one, but for a task of values.
pub fn regression() -> Analysis {
    let mut experiment = experiment(4, "");
    let text = to_text(&experiment).replace("Classification(", "Regression(").replace("CrossEntropy", "MeanSquared");
    experiment = parse(&text, Path::new("fixture.ron")).unwrap().experiment;
    let mut tables = tables(&experiment, [law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)]);
    for row in &mut tables.history {
        row.validation_loss = row.train_loss.map(|loss| 1.1 * loss);
        row.gradient_norm = row.train_loss.map(|loss| 0.3 * loss);
        row.damping = Some(1e-3 / row.cost);
        row.validation_checks = Some(row.step % 7);
    }
    for (index, row) in tables.predictions.iter_mut().enumerate() {
        row.target = (index % 7) as f64;
        row.predicted = row.target + 0.1 * (index % 3) as f64;
    }
    Analysis::new(experiment, manifest(), tables, Models::default())
}

/// As [`regression`], of rows that are images of 7 by 7 pixels and their own targets.
pub fn reconstructed() -> Analysis {
    let Analysis { experiment, mut manifest, .. } = regression();
    let text = to_text(&experiment).replace("Regression(", "Autoencoding(");
    let experiment = parse(&text, Path::new("fixture.ron")).unwrap().experiment;
    let mut tables = tables(&experiment, [law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)]);
    let image = |row: PredictionRow| {
        (0..49).map(move |pixel| {
            let target = (pixel % 7 + row.row) as f64;
            PredictionRow { output: pixel, target, predicted: 0.9 * target, x1: None, x2: None, ..row.clone() }
        })
    };
    let examples = std::mem::take(&mut tables.predictions).into_iter().filter(|row| (80..92).contains(&row.row));
    tables.predictions = examples.flat_map(image).collect();
    manifest.features = 49;
    manifest.targets = (1..=49).map(|pixel| format!("p{pixel}")).collect();
    Analysis::new(experiment, manifest, tables, Models::default())
}

/// As the first one, with a network of its own for each arm.
pub fn shaped(networks: [&str; 3]) -> Analysis {
    let mut experiment = experiment(6, "");
    experiment.arms[1].method = experiment.arms[0].method.clone();
    for (arm, hidden) in experiment.arms.iter_mut().zip(networks) {
        arm.network = Some(dialect().from_str(&format!("Mlp(hidden: [{hidden}])")).unwrap());
    }
    let tables = tables(&experiment, [law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)]);
    Analysis::new(experiment, manifest(), tables, Models::default())
}

/// As [`regression`], of one input.
pub fn curve() -> Analysis {
    let Analysis { experiment, mut manifest, .. } = regression();
    let mut tables = tables(&experiment, [law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)]);
    tables.predictions.iter_mut().for_each(|row| row.x2 = None);
    (manifest.features, manifest.targets) = (1, vec!["y".into()]);
    let network = Mlp::new(1, &[(3, Activation::Tanh)], 1, Output::Linear, Loss::MeanSquared).unwrap();
    let kept = experiment.arms.iter().flat_map(|arm| models_of(&network, arm.name.as_str(), false)).collect();
    Analysis::new(experiment, manifest, tables, Models { folder: None, kept })
}

/// As the first one, with two hidden units.
pub fn planes() -> Analysis {
    let mut made = analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 3, "");
    let network = Mlp::new(2, &[(2, Activation::Logistic)], 2, Output::Softmax, Loss::CrossEntropy).unwrap();
    made.models.kept = made.arms.iter().flat_map(|arm| models_of(&network, &arm.name, true)).collect();
    made
}

/// As the first one, with an arm that replaced hidden units of its first seed: what the last of two accepted grafts left was
/// deployed, after the optimizer had been reset; a third graft was thrown away.
pub fn grafted() -> Analysis {
    let mut made = analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 6, "");
    let new = None;
    made.arms[2].runs[0].turns = [
        (Change::Start, true, 1e3, 1e3, None),
        (Change::Graft, true, 2e4, 2e3, Some([Some(2), new, Some(0)])),
        (Change::Graft, true, 4.5e4, 5e3, Some([new, Some(0), Some(1)])),
        (Change::Reset, true, 4.8e4, 1e3, None),
        (Change::Graft, false, 5.2e4, 2e3, Some([new, Some(0), Some(1)])),
    ]
    .into_iter()
    .map(|(change, accepted, cost, price, origins)| TurnRow {
        arm: "ga".into(),
        seed: 1,
        change,
        accepted,
        cost,
        price,
        loss_before: Some(0.2),
        loss_after: Some(0.1),
        origins: origins.map(|units| Origins(units.to_vec())),
        deployed: Some(change == Change::Reset),
    })
    .collect();
    made
}

/// A result folder on disk.
pub fn folder(
    parent: &Path,
    name: &str,
    laws: [Law; 3],
    seeds: u64,
    change: impl Fn(&mut Manifest, &mut Tables),
) -> Folder {
    let path = parent.join(name);
    crate::files::create_folder(&path).unwrap();
    let experiment = experiment(seeds, "");
    let (mut manifest, mut tables) = (manifest(), tables(&experiment, laws));
    change(&mut manifest, &mut tables);
    tables.save(&path).unwrap();
    crate::files::replace(&path.join("experiment.resolved.ron"), to_text(&experiment).as_bytes()).unwrap();
    let folder = Folder::at(path);
    folder.save_manifest(&manifest).unwrap();
    folder
}

pub fn experiment(seeds: u64, statistics: &str) -> Experiment {
    let text = format!(
        r#"Experiment(
    schema: 1, name: "made-up", notes: "Is <script>alert(1)</script> | *text*?",
    seeds: Range(first: 1, count: {seeds}),
    task: Classification(data: TwoSpirals(), split: Stratified(train: 0.8, test: 0.2)),
    network: Mlp(hidden: [(units: 3, activation: Tanh)]),
    train: (optimizer: Adam()),
    arms: [
        (name: "glorot", method: Random(scheme: GlorotUniform)),
        (name: "best-of-n", method: BestOf(scheme: GlorotUniform, candidates: FillBudgetOf("ga"))),
        (name: "ga", method: Genetic(population: 10, generations: 5, scheme: GlorotUniform)),
    ],
    budget: RowPasses(100_000),
    statistics: (bootstrap: 999, {statistics}),
)"#
    );
    parse(&text, Path::new("fixture.ron")).unwrap().experiment
}

pub fn manifest() -> Manifest {
    let json = serde_json::json!({
        "layout": LAYOUT, "state": State::Complete, "name": "made-up", "precocial": "0.0.0", "stream_version": 1,
        "platform": "x86_64-linux", "processor": "An & <b>Engine</b>", "instruction_set": "scalar", "threads": 1,
        "command": ["run", "made-up.ron"], "started": 951_827_640, "ended": 951_827_700, "experiment_hash": "e0",
        "data": [{ "name": "<i>.csv", "bytes": 10, "sha256": "d0" }], "rows": 100, "features": 2,
        "targets": ["<b>", "plain"], "parts": [80, 0, 20], "parameters": 14, "multiply_adds": 9, "budget": BUDGET,
        "spent": [], "notes": ["A note & a <u>word</u>."], "bits": "b0",
    });
    serde_json::from_value(json).unwrap()
}

fn tables(experiment: &Experiment, laws: [Law; 3]) -> Tables {
    let mut tables = Tables::default();
    for (arm, law) in experiment.arms.iter().zip(laws) {
        for seed in experiment.seeds.to_vec() {
            run(&mut tables, arm.name.as_str(), seed, law, arm.method.is_evolved());
        }
    }
    tables
}

fn run(tables: &mut Tables, arm: &str, seed: u64, law: Law, evolved: bool) {
    let streams = Streams::new(seed);
    // A seed's luck belongs to all its arms, a run's own luck to one.
    let luck = streams.stream(Purpose::Synthetic, 0, 0).uniform64();
    let own = streams.stream(Purpose::Synthetic, 1, arm.len() as u64).uniform64();
    let slowness = law.slowness * (0.7 + 0.6 * luck) * (0.85 + 0.3 * own);
    let diverges = seed >= law.diverges_from;
    let end = if diverges { 0.5 * BUDGET } else { BUDGET };
    let loss = |cost: f64| {
        let trained = (cost - law.search).max(0.0);
        let ratio = 1.0 + trained / (1000.0 * slowness);
        if trained > 0.0 { 0.8 / (ratio * ratio.sqrt()) } else { 0.9 }
    };
    let mut cost = 100.0;
    while cost <= end {
        let searches = cost < law.search;
        tables.history.push(HistoryRow {
            arm: arm.into(),
            seed,
            phase: if searches { Phase::Search } else { Phase::Train },
            step: cost as u64,
            epoch: ((cost - law.search) / 240.0).max(0.0),
            cost,
            train_loss: Some(loss(cost)),
            validation_loss: None,
            best_train_loss: Some(loss(cost)),
            gradient_norm: None,
            damping: None,
            validation_checks: None,
            seconds: cost * 1e-6,
        });
        cost = if cost < end { (cost * 1.1).min(end) } else { f64::INFINITY };
    }
    tables.results.push(ResultRow {
        arm: arm.into(),
        seed,
        state: if diverges { RunState::Diverged } else { RunState::Complete },
        split_hash: format!("s{seed}"),
        order_hash: String::new(),
        search_cost: law.search,
        train_cost: end - law.search,
        total_cost: end,
        unspent: BUDGET - end,
        observation_cost: 0.0,
        epochs: 300,
        steps: 1000,
        generations: if evolved { 5 } else { 0 },
        evaluations: if law.search > 0.0 { 50 } else { 0 },
        selection_fitness: (law.search > 0.0).then_some(0.6 + 0.1 * own),
        start_loss: Some(0.9),
        train_loss: Some(loss(end)),
        validation_loss: None,
        test_loss: Some(1.3 * loss(end)),
        test_metric: Some(0.9),
        deployed_cost: end,
        diverged_at: diverges.then_some(end),
        weights_hash: String::new(),
        seconds: 0.1,
    });
    if evolved {
        tables.generations.extend((0..5).map(|generation| generation_row(arm, seed, generation, luck)));
    }
    for (place, moment) in [Moment::Drawn, Moment::Start, Moment::End].into_iter().enumerate() {
        tables.health.extend((1..=2).map(|layer| HealthRow {
            arm: arm.into(),
            seed,
            moment,
            layer,
            saturated: (layer == 1).then_some(0.2 * place as f64),
            dead: 0,
            units: 3,
            activation_variance: Some(0.5),
            gradient_variance: Some(0.01 / (1 + place * layer) as f64),
        }));
    }
    if seed == 1 {
        tables.predictions.extend((0..100).map(|row| prediction_row(arm, row)));
    }
}

fn generation_row(arm: &str, seed: u64, generation: u64, luck: f64) -> GenerationRow {
    let best = 0.8 - 0.05 * generation as f64 - 0.05 * luck;
    GenerationRow {
        arm: arm.into(),
        seed,
        generation,
        cost: 1000.0 * (generation + 1) as f64,
        best: Some(best),
        median: Some(best + 0.1),
        q10: Some(best + 0.02),
        q90: Some(best + 0.3),
        worst: Some(best + 0.5),
        nonfinite: u64::from(generation == 0),
        diversity: Some(1.0 / (1 + generation) as f64),
        unique: Some(1.0),
        improved: (generation > 0).then_some(0.3),
        scale: 1.0,
    }
}

fn prediction_row(arm: &str, row: u64) -> PredictionRow {
    let part = if row < 80 { "training" } else { "test" };
    let (x1, x2) = ((row % 10) as f64 - 4.5, (row / 10) as f64 - 4.5);
    let target = f64::from(u8::from(x1 > 0.0));
    let predicted = if row.is_multiple_of(9) { 1.0 - target } else { target };
    PredictionRow {
        arm: arm.into(),
        seed: 1,
        part: part.into(),
        row,
        x1: Some(x1),
        x2: Some(x2),
        output: 0,
        target,
        predicted,
    }
}

fn models(arm: &str, classification: bool) -> Vec<Model> {
    let network = Mlp::new(2, &[(3, Activation::Tanh)], 2, Output::Softmax, Loss::CrossEntropy).unwrap();
    models_of(&network, arm, classification)
}

fn models_of(network: &Mlp, arm: &str, classification: bool) -> Vec<Model> {
    let rows = ndarray::Array2::zeros((1, network.inputs()));
    let layers = network.layers();
    let input_scaler = Scaler::fit(Scaling::None, rows.view(), &[0], None).unwrap();
    let moments = [Moment::Drawn, Moment::Start, Moment::End].into_iter().enumerate();
    let model = |(place, moment): (usize, Moment)| {
        let mut rng = Streams::new(place as u64).stream(Purpose::Synthetic, 2, 0);
        Model {
            header: Header {
                kind: "mlp".into(),
                inputs: (1..=network.inputs()).map(|at| format!("x{at}")).collect(),
                hidden: layers[..layers.len() - 1].iter().map(|layer| (layer.outputs, layer.activation)).collect(),
                output: network.output(),
                loss: network.loss_kind(),
                targets: vec!["<b>".into(), "plain".into()],
                classification,
                encoding: (0.0, 1.0),
                input_scaler: input_scaler.clone(),
                target_scaler: None,
                origin: ("made-up".into(), arm.to_owned(), 1, moment),
            },
            params: (0..network.parameters()).map(|_| rng.normal() as f32).collect(),
            network: network.clone(),
        }
    };
    moments.map(model).collect()
}
