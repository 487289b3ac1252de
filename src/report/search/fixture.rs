//! Made-up folders of topology searches for tests: laws instead of searches.

use super::{KIND, SearchAnalysis};
use crate::experiment::Folder;
use crate::rng::{Purpose, Rng, Streams};
use std::f64::consts::PI;
use std::fmt::Write;
use std::path::Path;

/// Which folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Five seeds of a small controller.
    SwingUp,
    /// Three seeds of a classifier of 8 × 8 pixels.
    Digits,
    /// One seed with about 200 nodes.
    Large,
    /// One seed, one hidden node, almost empty tables.
    Tiny,
}

impl Case {
    fn seeds(self) -> u64 {
        match self {
            Case::SwingUp => 5,
            Case::Digits => 3,
            Case::Large | Case::Tiny => 1,
        }
    }

    fn is_control(self) -> bool {
        self != Case::Digits
    }

    /// Inputs, outputs, hidden nodes, links of each.
    fn size(self) -> (usize, usize, usize, usize) {
        match self {
            Case::SwingUp => (5, 1, 10, 2),
            Case::Digits => (64, 10, 36, 4),
            Case::Large => (8, 4, 188, 2),
            Case::Tiny => (2, 1, 1, 1),
        }
    }
}

const ACTIVATIONS: [&str; 10] =
    ["Linear", "Step", "Sin", "Gaussian", "Tanh", "Logistic", "Negate", "Abs", "Relu", "Cos"];

/// The folder, read.
pub fn analysis(case: Case) -> SearchAnalysis {
    let place = tempfile::tempdir().unwrap();
    SearchAnalysis::read(&folder(place.path(), case)).unwrap()
}

/// The folder, written.
pub fn folder(parent: &Path, case: Case) -> Folder {
    let path = parent.join(format!("{case:?}"));
    std::fs::create_dir_all(path.join("networks")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
    let manifest = serde_json::json!({
        "layout": 1, "kind": KIND, "state": "complete", "name": format!("made-up-{case:?}").to_lowercase(),
        "precocial": "0.0.0", "stream_version": 2, "platform": "x86_64-linux", "processor": "An & <b>Engine</b>",
        "instruction_set": "scalar", "threads": 2, "command": ["run", "made-up.ron"], "started": 951_827_640,
        "ended": 951_827_700, "experiment_hash": "e0", "bits": "b0", "notes": ["A note & a <u>word</u>."],
    });
    write("manifest.json", &manifest.to_string());
    let environment = if case.is_control() { "CartPoleSwingUp" } else { "Digits" };
    let experiment = format!(
        "TopologySearch(\n    schema: 1, name: \"made-up\", task: Control(environment: {environment}),\n    search: (\n        \
         initial_links: 0.5, weights: [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0],\n        activations: [{}],\n    ),\n)\n",
        ACTIVATIONS.join(", ")
    );
    write("experiment.resolved.ron", &experiment);
    let seeds = 1..=case.seeds();
    let rng = |seed: u64| Streams::new(seed).stream(Purpose::Synthetic, 7, 0);
    for seed in seeds.clone() {
        write(&format!("networks/made-up-s{seed}.json"), &network(case, seed, &mut rng(seed)));
    }
    write("generations.csv", &seeds.clone().map(|seed| generations(case, seed, &mut rng(seed + 100))).fold(
        "seed,generation,best_mean,median_mean,best_peak,best_connections,median_connections,champion_mean,champion_peak,champion_connections,cost\n".to_owned(),
        |all, rows| all + &rows,
    ));
    let head = "seed,generation,mean,peak,connections\n".to_owned();
    write(
        "fronts.csv",
        &seeds.clone().map(|seed| fronts(case, seed, &mut rng(seed + 200))).fold(head, |all, rows| all + &rows),
    );
    let head = "seed,weight,score,deviation,failures\n".to_owned();
    write("weights.csv", &seeds.clone().map(|seed| weights(case, seed)).fold(head, |all, rows| all + &rows));
    let head = "seed,kind,score,deviation,failures,trials,cost\n".to_owned();
    write("results.csv", &seeds.clone().map(|seed| results(case, seed)).fold(head, |all, rows| all + &rows));
    if case == Case::SwingUp {
        write("trajectory.csv", &trajectory());
    } else if case.is_control() {
        write("trajectory.csv", "seed,episode,step,time,x (m),θ (rad),force,reward\n");
    }
    Folder::at(path)
}

/// Leaves what a test has made in the folder that `PICTURES_FOLDER` names, to be looked at; else does nothing.
pub fn keep(name: &str, bytes: impl FnOnce() -> Vec<u8>) {
    if let Some(folder) = std::env::var_os("PICTURES_FOLDER") {
        std::fs::write(Path::new(&folder).join(name), bytes()).unwrap();
    }
}

fn network(case: Case, seed: u64, rng: &mut Rng) -> String {
    let (inputs, outputs, hidden, each) = case.size();
    let names: Vec<String> = match case {
        Case::SwingUp => ["x", "ẋ", "cos θ", "sin θ", "θ̇"].map(str::to_owned).into(),
        Case::Digits => (0..inputs).map(|pixel| format!("pixel {pixel}")).collect(),
        _ => (0..inputs).map(|input| format!("input <{input}>")).collect(),
    };
    let labels: Vec<String> = match case {
        Case::Digits => (0..outputs).map(|class| class.to_string()).collect(),
        _ => {
            (0..outputs).map(|output| if outputs == 1 { "force".into() } else { format!("output {output}") }).collect()
        }
    };
    let first_hidden = inputs + 1 + outputs;
    let mut nodes: Vec<serde_json::Value> = (0..inputs)
        .map(|id| serde_json::json!({ "id": id, "kind": "input", "activation": null, "level": 0 }))
        .collect();
    nodes.push(serde_json::json!({ "id": inputs, "kind": "bias", "activation": null, "level": 0 }));
    nodes.extend(
        (0..outputs).map(
            |id| serde_json::json!({ "id": inputs + 1 + id, "kind": "output", "activation": "Linear", "level": 9 }),
        ),
    );
    let mut links: Vec<(usize, usize, bool)> = Vec::new();
    let window = if case == Case::Large { 30 } else { 200 };
    for node in 0..hidden {
        let activation = ACTIVATIONS[rng.below(ACTIVATIONS.len()) * rng.below(2).max(usize::from(node % 3 > 0))];
        nodes.push(
            serde_json::json!({ "id": first_hidden + node, "kind": "hidden", "activation": activation, "level": 1 }),
        );
        for _ in 0..=rng.below(each + 1) {
            let before = node.min(window);
            let from = match rng.below(inputs + 1 + before) {
                source if source <= inputs => source,
                source => first_hidden + node - (source - inputs),
            };
            links.push((from, first_hidden + node, node % 9 != 8));
        }
        if node >= hidden / 2 {
            links.push((first_hidden + node, inputs + 1 + rng.below(outputs), node % 9 != 8));
        }
    }
    for output in 0..outputs {
        for _ in 0..if case == Case::Digits { 5 } else { 2 } {
            links.push((rng.below(inputs + 1), inputs + 1 + output, true));
        }
    }
    links.sort_unstable();
    links.dedup_by_key(|link| (link.0, link.1));
    let own = case == Case::Large;
    let links: Vec<serde_json::Value> = links
        .into_iter()
        .map(|(from, to, used)| {
            let weight = if own { rng.normal() } else { -1.45 };
            serde_json::json!({ "from": from, "to": to, "weight": weight, "used": used })
        })
        .collect();
    let best = if case == Case::Digits { 0.9 } else { -1.3 } + 0.1 * seed as f64;
    serde_json::json!({ "inputs": names, "outputs": labels, "nodes": nodes, "links": links, "shared_weight": best })
        .to_string()
}

/// From 0 at the start to 1.
fn progress(generation: u64, last: u64) -> f64 {
    1.0 - libm::exp(-3.0 * generation as f64 / last as f64)
}

fn generations(case: Case, seed: u64, rng: &mut Rng) -> String {
    let last = if case == Case::Tiny { 0 } else { 256 };
    let mut text = String::new();
    for generation in 0..=last {
        let share = progress(generation, 256);
        let noise = f64::from(rng.normal() as f32);
        let (low, high) = if case.is_control() { (60.0, 700.0 - 15.0 * seed as f64) } else { (-2.3, -0.6) };
        let at = |share: f64| low + share * (high - low);
        let size = 4.0 + 24.0 * share;
        let _ = writeln!(
            text,
            "{seed},{generation},{},{},{},{},{},{},{},{},{}",
            at(share + 0.02 * noise),
            if generation == 5 { "NaN".to_owned() } else { at(0.45 * share + 0.02 * noise).to_string() },
            at(1.2 * share + 0.1 + 0.04 * noise),
            size.round() + 2.0,
            size.round() - 2.0,
            if generation < 8 { String::new() } else { at(0.9 * share).to_string() },
            at(1.1 * share),
            size.round(),
            1000 * (generation + 1),
        );
    }
    text
}

fn fronts(case: Case, seed: u64, rng: &mut Rng) -> String {
    let mut text = String::new();
    for generation in if case == Case::Tiny { vec![0] } else { vec![0, 64, 128, 192, 256] } {
        let (low, high) = if case.is_control() { (60.0, 700.0) } else { (-2.3, -0.6) };
        let mut size = 1.0;
        for _ in 0..10 {
            size += 1.0 + rng.below(3) as f64;
            let share = progress(generation + 10, 256) * (1.0 - libm::exp(-size / 8.0)) + 0.03 * rng.normal();
            let at = |share: f64| low + share * (high - low);
            let _ = writeln!(text, "{seed},{generation},{},{},{size}", at(share), at(1.15 * share + 0.05));
        }
    }
    text
}

/// A law for the response to a shared weight, 0 to 1.
fn response(weight: f64, seed: u64) -> f64 {
    let lean = if weight < 0.0 { 0.05 } else { 0.0 };
    let size = weight.abs();
    let rise = 1.0 / (1.0 + libm::exp(-14.0 * (size - 0.35 - 0.03 * seed as f64)));
    rise * (0.92 - 0.07 * (size - 1.3) * (size - 1.3) + lean) * (1.0 - 0.03 * seed as f64)
}

fn weights(case: Case, seed: u64) -> String {
    let scale = if case.is_control() { 800.0 } else { 0.9 };
    let mut text = String::new();
    for step in 0..=if case == Case::Tiny { 2 } else { 120 } {
        let weight = -3.0 + 0.05 * f64::from(step);
        let score = scale * response(weight, seed).max(0.0);
        let failures = if case.is_control() { format!("{}", 0.3 * (1.0 - score / scale)) } else { String::new() };
        let _ = writeln!(text, "{seed},{weight},{score},{},{failures}", 0.2 * scale);
    }
    text
}

fn results(case: Case, seed: u64) -> String {
    let luck = 1.0 - 0.02 * ((seed * 7) % 5) as f64;
    let control = [
        ("in_sample_mean", 690.0),
        ("in_sample_peak", 850.0),
        ("shared_mean", 612.0),
        ("shared_best_of_six", 702.0),
        ("shared_tuned", 731.0),
        ("random_weights", 120.0),
        ("tuned_weights", 931.0),
        ("fixed_shared", 74.0),
        ("fixed_random", 61.0),
    ];
    let classes = [
        ("in_sample_mean", -0.61),
        ("in_sample_peak", -0.44),
        ("shared_mean", 0.79),
        ("shared_best_of_six", 0.85),
        ("shared_tuned", 0.862),
        ("random_weights", 0.41),
        ("tuned_weights", 0.953),
        ("vote", 0.902),
        ("fixed_shared", 0.10),
        ("fixed_random", 0.13),
    ];
    let rows: &[(&str, f64)] = if case.is_control() { &control } else { &classes };
    let mut text = String::new();
    for (kind, score) in rows {
        let seen = kind.starts_with("in_sample");
        let (deviation, failures, trials) = match (case.is_control(), seen) {
            (true, false) => (format!("{}", 0.1 * score), format!("{}", 0.2 * (1.0 - score / 950.0)), 1000),
            (true, true) => (String::new(), String::new(), 18),
            (false, _) => (String::new(), String::new(), 360),
        };
        let _ = writeln!(text, "{seed},{kind},{},{deviation},{failures},{trials},{}", score * luck, 1e6 * seed as f64);
    }
    text
}

fn trajectory() -> String {
    let mut text = "seed,episode,step,time,x (m),ẋ (m/s),θ (rad),θ̇ (rad/s),cos θ,sin θ,force,reward\n".to_owned();
    for episode in 1..=3_u32 {
        let at = |time: f64| {
            let late = 1.6 + 0.5 * f64::from(episode);
            let blend = ((time - late) / 1.4).clamp(0.0, 1.0);
            let done = blend * blend * (3.0 - 2.0 * blend);
            let end = if episode == 2 { 0.0 } else { 2.0 * PI };
            let swing = PI + 0.6 * time * libm::sin(5.0 * time + f64::from(episode));
            let x = (1.0 - done) * 0.9 * libm::sin(2.5 * time + f64::from(episode)) + 0.1 * done;
            (x, (1.0 - done) * swing + done * (end + 0.03 * libm::sin(9.0 * time)))
        };
        for step in 0..1000 {
            let time = 0.01 * f64::from(step);
            let ((x, theta), (x2, theta2)) = (at(time), at(time + 0.01));
            let (v, w) = ((x2 - x) / 0.01, (theta2 - theta) / 0.01);
            let force = libm::tanh(0.4 * (v + 0.3 * w));
            let (cos, sin) = (libm::cos(theta), libm::sin(theta));
            let reward = 0.5 * (cos + 1.0) * libm::cos(PI * x / 4.8);
            let _ = writeln!(text, "1,{episode},{step},{time},{x},{v},{theta},{w},{cos},{sin},{force},{reward}");
        }
    }
    text
}
