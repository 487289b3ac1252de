//! How arms stand to each other: who refers to whom, who is compared with whom.

use crate::error::{Error, Result};
use crate::experiment::config::{ArmConfig, Experiment, Name, Network};
use crate::train::Training;

/// Indices of the arms in an order in which each comes after the one it refers to.
///
/// # Errors
/// No arm (`P0121`), a name given twice (`P0107`), a reference to no arm or in a circle (`P0132`), or to an arm with
/// another network or training (`P0146`).
pub fn order(experiment: &Experiment) -> Result<Vec<usize>> {
    let arms = &experiment.arms;
    if arms.is_empty() {
        return Err(Error::experiment("P0121", "`arms` needs at least one arm")
            .help("write `arms: [(name: \"random\", method: Random(scheme: GlorotUniform))]`"));
    }
    for (index, arm) in arms.iter().enumerate() {
        if arms[..index].iter().any(|other| other.name == arm.name) {
            return Err(Error::experiment("P0107", format!("two arms are called \"{}\"", arm.name))
                .help("give every arm its own name"));
        }
    }
    let find = |name: &str| arms.iter().position(|arm| arm.name.as_str() == name);
    for arm in arms {
        if let Some(other) = arm.method.refers_to()
            && find(other).is_none()
        {
            return Err(unknown(
                &format!("arm \"{}\" refers to \"{other}\", which", arm.name),
                other,
                arms.iter().map(|arm| &arm.name),
            ));
        }
    }
    for arm in arms {
        let Some(other) = arm.method.refers_to().and_then(find).map(|other| &arms[other]) else { continue };
        let same_network = network(arm, experiment) == network(other, experiment);
        if !same_network || training(arm, experiment) != training(other, experiment) {
            let what = if same_network { "train" } else { "network" };
            let message = format!("arm \"{}\" refers to \"{}\", which has another `{what}`", arm.name, other.name);
            return Err(Error::experiment("P0146", message)
                .note("such an arm repeats or pays for what the other one did, so both must be of one kind")
                .help(format!("give both arms the same `{what}`, or neither of them one of its own")));
        }
    }
    let mut order: Vec<usize> = Vec::new();
    while order.len() < arms.len() {
        let ready = (0..arms.len()).find(|index| {
            let other = arms[*index].method.refers_to().and_then(find);
            !order.contains(index) && other.is_none_or(|other| order.contains(&other))
        });
        let Some(ready) = ready else {
            let stuck: Vec<String> = (0..arms.len())
                .filter(|index| !order.contains(index))
                .map(|index| format!("\"{}\"", arms[index].name))
                .collect();
            return Err(Error::experiment(
                "P0132",
                format!("the arms {} refer to each other in a circle", stuck.join(", ")),
            )
            .help("let one of them name its candidates itself"));
        };
        order.push(ready);
    }
    let baseline = experiment.statistics.baseline.iter();
    for name in baseline.chain(&experiment.statistics.candidates) {
        if find(name.as_str()).is_none() {
            return Err(unknown(
                &format!("\"{name}\" in `statistics`"),
                name.as_str(),
                arms.iter().map(|arm| &arm.name),
            ));
        }
    }
    Ok(order)
}

/// Which arm ratios are told against, and which arms' claims are tested against all others.
pub fn roles(experiment: &Experiment) -> (Name, Vec<Name>, Vec<Name>) {
    let arms = &experiment.arms;
    let settings = &experiment.statistics;
    let baseline = settings.baseline.clone().unwrap_or_else(|| arms[0].name.clone());
    let mut candidates = settings.candidates.clone();
    if candidates.is_empty() {
        candidates = arms
            .iter()
            .filter(|arm| arm.method.is_evolved() && arm.name != baseline)
            .map(|arm| arm.name.clone())
            .collect();
    }
    if candidates.is_empty() {
        candidates = arms.iter().filter(|arm| arm.name != baseline).map(|arm| arm.name.clone()).collect();
    }
    let controls = arms.iter().filter(|arm| !candidates.contains(&arm.name)).map(|arm| arm.name.clone()).collect();
    (baseline, candidates, controls)
}

fn network<'a>(arm: &'a ArmConfig, experiment: &'a Experiment) -> &'a Network {
    arm.network.as_ref().unwrap_or(&experiment.network)
}

fn training<'a>(arm: &'a ArmConfig, experiment: &'a Experiment) -> &'a Training {
    arm.train.as_ref().unwrap_or(&experiment.train)
}

pub(super) fn unknown<'a>(subject: &str, name: &str, names: impl Iterator<Item = &'a Name>) -> Error {
    let names: Vec<&str> = names.map(Name::as_str).collect();
    let listed: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let error = Error::experiment("P0132", format!("{subject} names no arm"));
    let near = names.iter().min_by_key(|other| strsim::levenshtein(name, other));
    let error = match near.filter(|other| strsim::levenshtein(name, other) <= 2) {
        Some(near) => error.help(format!("did you mean \"{near}\"?")),
        None => error,
    };
    error.note(format!("arms are {}", listed.join(", ")))
}
