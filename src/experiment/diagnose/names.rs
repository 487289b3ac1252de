//! Fields and choices that are unknown, missing, or given twice.

use super::{Case, Finding, nearest, shown};
use crate::error::Error;
use crate::experiment::grammar;
use std::ops::Range;

/// What people call things elsewhere, and what they are called here.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("pop_size", &["population"]),
    ("population_size", &["population"]),
    ("popsize", &["population"]),
    ("individuals", &["population"]),
    ("n_generations", &["generations"]),
    ("num_generations", &["generations"]),
    ("max_generations", &["generations"]),
    ("gens", &["generations"]),
    ("ngen", &["generations"]),
    ("iterations", &["generations", "steps"]),
    ("init", &["scheme"]),
    ("initializer", &["scheme"]),
    ("initialization", &["scheme"]),
    ("initialiser", &["scheme"]),
    ("elite", &["elitism"]),
    ("elites", &["elitism"]),
    ("n_elite", &["elitism"]),
    ("elite_size", &["elitism"]),
    ("lr", &["learning_rate"]),
    ("rate", &["learning_rate"]),
    ("step_size", &["learning_rate", "sigma"]),
    ("eta", &["learning_rate"]),
    ("batch_size", &["batch"]),
    ("minibatch", &["batch"]),
    ("layers", &["hidden"]),
    ("hidden_layers", &["hidden"]),
    ("neurons", &["units"]),
    ("nodes", &["units"]),
    ("size", &["units", "population"]),
    ("activation_function", &["activation"]),
    ("std", &["sigma", "standard_deviation"]),
    ("stddev", &["sigma", "standard_deviation"]),
    ("strength", &["sigma"]),
    ("probability", &["rate"]),
    ("mutation_probability", &["rate"]),
    ("k", &["size", "folds"]),
    ("tournament_size", &["size"]),
    ("n", &["candidates", "samples", "folds"]),
    ("n_folds", &["folds"]),
    ("dataset", &["data"]),
    ("file", &["path"]),
    ("filename", &["path"]),
    ("label", &["target"]),
    ("y", &["target"]),
    ("separator", &["delimiter"]),
    ("sep", &["delimiter"]),
    ("loss_function", &["loss"]),
    ("normalization", &["scaling"]),
    ("scaler", &["scaling"]),
    ("training", &["train"]),
    ("valid", &["validation"]),
    ("val", &["validation"]),
    ("model", &["network"]),
    ("net", &["network"]),
    ("methods", &["arms"]),
    ("algorithms", &["arms"]),
    ("seed", &["seeds"]),
    ("runs", &["seeds"]),
    ("replicates", &["seeds"]),
    ("momentum", &["beta1"]),
    ("env", &["environment"]),
    ("world", &["environment"]),
    ("shared_weights", &["weights"]),
    ("elite_fraction", &["elites"]),
    ("cull_fraction", &["cull"]),
    ("initial_connections", &["initial_links"]),
    ("operators", &["changes"]),
    ("tune", &["tuning"]),
];

/// Settings that are written in another way here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["epochs", "max_epochs", "n_epochs", "num_epochs"],
        "the `budget` ends training for every arm alike; `train: (stop: [Epochs(100)])` ends it sooner",
    ),
    (&["mutation_rate", "mutation_probability", "mut_rate"], "it is written `mutation: Gaussian(rate: 0.1)`"),
    (&["mutation_strength", "mutation_sigma"], "it is written `mutation: Gaussian(sigma: 0.15)`"),
    (&["crossover_rate", "crossover_probability", "cx_rate"], "it is written `crossover: Uniform(rate: 0.7)`"),
    (&["tournament_size"], "it is written `selection: Tournament(size: 3)`"),
    (&["batch_size"], "it is written `train: (batch: Size(16))`"),
    (&["seed", "random_seed", "random_state"], "seeds stand at the top: `seeds: Range(first: 1, count: 30)`"),
    (&["patience", "early_stopping"], "it is written `train: (stop: [Patience(10)])`"),
    (&["outputs", "inputs", "n_inputs", "n_outputs"], "inputs and outputs of the network follow from the data"),
    (&["device", "gpu"], "everything runs on the processor; `--threads` says on how many cores"),
    (&["episodes", "rollouts", "starts"], "the starts of each score are written `search: (repetitions: 3)`"),
    (&["threads", "workers", "jobs", "n_jobs"], "threads are an option of the command: `--threads 2`"),
    (&["out", "output_dir", "output_folder"], "the result folder is an option of the command: `--out DIR`"),
];

/// Other names of choices.
const OTHER_CHOICES: &[(&str, &[&str])] = &[
    ("ga", &["Genetic"]),
    ("geneticalgorithm", &["Genetic"]),
    ("cma", &["CmaEs"]),
    ("covariancematrixadaptation", &["CmaEs"]),
    ("es", &["EvolutionStrategy"]),
    ("randomsearch", &["BestOf"]),
    ("hyperband", &["Race"]),
    ("successivehalving", &["Race"]),
    ("xavier", &["GlorotUniform"]),
    ("xavieruniform", &["GlorotUniform"]),
    ("xaviernormal", &["GlorotNormal"]),
    ("glorot", &["GlorotUniform"]),
    ("kaiming", &["HeUniform"]),
    ("kaiminguniform", &["HeUniform"]),
    ("kaimingnormal", &["HeNormal"]),
    ("he", &["HeNormal"]),
    ("lecun", &["LeCunNormal"]),
    ("sigmoid", &["Logistic"]),
    ("swish", &["Silu"]),
    ("identity", &["Linear"]),
    ("gradientdescent", &["Sgd"]),
    ("stochasticgradientdescent", &["Sgd"]),
    ("nag", &["Nesterov"]),
    ("mse", &["MeanSquared"]),
    ("meansquarederror", &["MeanSquared"]),
    ("categoricalcrossentropy", &["CrossEntropy"]),
    ("loglos", &["CrossEntropy"]),
    ("standard", &["Standardize"]),
    ("standardscaler", &["Standardize"]),
    ("zscore", &["Standardize"]),
    ("normalize", &["Standardize"]),
    ("normal", &["Gaussian"]),
    ("blx", &["Blend"]),
    ("blxalpha", &["Blend"]),
    ("sbx", &["SimulatedBinary"]),
    ("roulettewheel", &["Roulette"]),
    ("rank", &["LinearRanking"]),
    ("ranking", &["LinearRanking"]),
    ("evaluations", &["RowPasses"]),
    ("rows", &["RowPasses"]),
    ("epochs", &["TrainingPasses"]),
    ("lamarckian", &["Lamarck"]),
    ("baldwinian", &["Baldwin"]),
    ("classify", &["Classification"]),
    ("regress", &["Regression"]),
    ("autoencoder", &["Autoencoding"]),
    ("reconstruction", &["Autoencoding"]),
    ("unsupervised", &["Autoencoding"]),
    ("kfolds", &["KFold"]),
    ("crossvalidation", &["KFold"]),
    ("shuffle", &["Random"]),
    ("spirals", &["TwoSpirals"]),
    ("chessboard", &["Checkerboard"]),
    ("blobs", &["Mixture"]),
    ("gaussianmixture", &["Mixture"]),
    ("teacher", &["RandomTeacher"]),
    ("decisiontree", &["RandomTree"]),
    ("csvfile", &["Csv"]),
];

/// A field that its group does not have.
pub(super) fn field(case: &Case, found: &str, expected: &[&'static str]) -> Finding {
    let span = case.span(case.token);
    let group = case.group(span.start + usize::from(span.start == 0));
    let owner = case.name_of(group);
    let known = || expected.iter().copied();
    let lower = found.to_lowercase();
    let synonym = SYNONYMS.iter().filter(|(other, _)| *other == lower).flat_map(|(_, names)| names.iter().copied());
    let taken: Vec<&str> = group.fields.iter().map(|field| case.outline.text(&field.name)).collect();
    let meant = synonym.clone().find(|name| expected.contains(name) && !taken.contains(name));
    let near =
        nearest(found, known()).filter(|near| !taken.contains(near)).or(meant).or_else(|| nearest(found, known()));
    let unknown = format!("unknown field `{}`", shown(found));
    let label = format!("not a field of {owner}");
    let error = if let Some(near) = near {
        case.mark(Error::experiment("P0103", unknown), span.clone(), label).help(format!("did you mean `{near}`?"))
    } else if let Some((_, instead)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&&*lower)) {
        case.mark(Error::experiment("P0103", unknown), span.clone(), label).help(*instead)
    } else if let Some(owners) = belongs_to(case, found, synonym) {
        let message = format!("`{}` does not belong to {owner}", shown(found));
        case.mark(Error::experiment("P0103", message), span.clone(), "").help(owners)
    } else {
        let error = case.mark(Error::experiment("P0103", unknown), span.clone(), label);
        error.note(format!("fields: {}", expected.join(", ")))
    };
    let start = group.span.start;
    let mend = group.fields.iter().find(|field| field.name == span).map(|field| {
        // With the comma that follows it.
        let mut end = field.span().end;
        let rest = &case.text[end..];
        if rest.trim_start().starts_with(',') {
            end += rest.find(',').map_or(0, |comma| comma + 1);
        }
        (span.start..end, blank(&case.text[span.start..end]))
    });
    Finding { error, mend, doubt: Some(start) }
}

/// As many bytes of blanks, lines kept.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// Where a field that exists belongs: best, a group of this file.
fn belongs_to<'a>(case: &Case, found: &'a str, synonyms: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = std::iter::once(found).chain(synonyms).collect();
    let grammar = grammar::grammar();
    let (name, owners) = names.iter().find_map(|name| {
        let owners = grammar.owners(name);
        (!owners.is_empty()).then_some((*name, owners))
    })?;
    let settings = case.outline.settings();
    let here = settings.iter().find_map(|(_, field)| {
        let group = field.value.name.as_ref().map(|span| case.outline.text(span));
        let setting = case.outline.text(&field.name);
        let line = case.line(field.name.start);
        match group {
            Some(group) if owners.iter().any(|owner| owner == group) => {
                Some(format!("it is a field of `{setting}: {group}(…)` on line {line}"))
            }
            None if field.value.is_group && owners.iter().any(|owner| owner == setting) => {
                Some(format!("it is a field of `{setting}: (…)` on line {line}"))
            }
            _ => None,
        }
    });
    Some(here.unwrap_or_else(|| {
        let owners: Vec<String> = owners.iter().take(6).map(|owner| format!("`{owner}`")).collect();
        let called = if name == found { String::new() } else { format!("it is called `{name}` here and ") };
        format!("{called}belongs to {}", owners.join(", "))
    }))
}

/// A choice that is not one.
pub(super) fn variant(case: &Case, found: &str, expected: &[&'static str]) -> Finding {
    let span = case.span(case.token);
    let what = case.field(span.start).unwrap_or("choice").trim_end_matches("arms").to_owned();
    let what = what.replace('_', " ");
    let error = Error::experiment("P0104", format!("unknown {what} `{}`", shown(found)));
    let error = case.mark(error, span.clone(), "");
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    let same = expected.iter().copied().find(|name| plain(name) == plain(found));
    let synonym = OTHER_CHOICES.iter().filter(|(other, _)| *other == plain(found)).flat_map(|(_, names)| names.iter());
    let meant = synonym.copied().find(|name| expected.contains(name));
    let near = same.or(meant).or_else(|| nearest(found, expected.iter().copied()));
    let choices = format!("choices are {}", expected.join(", "));
    let Some(near) = near else { return error.note(choices).into() };
    if same.is_some() && found.starts_with(|c: char| c.is_lowercase()) {
        let help = format!("names of choices start with a capital letter: `{near}`");
        return Finding::mended(error.help(help), span, near);
    }
    let help = format!("did you mean `{near}{}`?", settings(case, &span));
    let error = error.help(help);
    Finding::mended(if expected.len() > 1 { error.note(choices) } else { error }, span, near)
}

/// The settings that follow a name, if they are short.
fn settings(case: &Case, name: &Range<usize>) -> String {
    let settings = case.outline.settings();
    let mut values = settings.iter().map(|(_, field)| &field.value);
    let group = values.rfind(|value| value.name.as_ref() == Some(name));
    let text = group.map_or("", |group| &case.text[name.end..group.span.end]);
    if text.len() <= 40 && !text.contains('\n') { text.to_owned() } else { "(…)".into() }
}

/// A field that must be there.
pub(super) fn missing(case: &Case, field: &str) -> Finding {
    let group = case.group(case.at);
    let owner = case.name_of(group);
    let span = match &group.name {
        Some(name) => name.clone(),
        None => group.span.start..group.span.start + usize::from(group.is_group),
    };
    let error = Error::experiment("P0105", format!("{owner} needs `{field}`"));
    let error = case.mark(error, span, format!("no `{field}` in here"));
    let mut error = error.help(format!("add a line such as {}", super::values::example(field)));
    // A near name within the group is the same field with a slip that was told before.
    if let Some(near) = nearest(field, group.fields.iter().map(|other| case.outline.text(&other.name))) {
        error = error.note(format!("it has `{near}`"));
    }
    error.into()
}

/// A field given twice.
pub(super) fn duplicate(case: &Case, field: &str) -> Finding {
    let group = case.group(case.at);
    let twice: Vec<_> = group.fields.iter().filter(|other| case.outline.text(&other.name) == field).collect();
    let error = Error::experiment("P0107", format!("`{field}` is set twice"));
    let [first, .., last] = twice[..] else {
        return case.mark(error, case.span(case.token), "second value").into();
    };
    let note = format!("first set on line {}", case.line(first.name.start));
    let error = case.mark(error, last.name.clone(), "second value").note(note).help("keep one of the two");
    let mut end = last.span().end;
    if case.text[end..].starts_with(',') {
        end += 1;
    }
    let range = last.name.start..end;
    let mend = Some((range.clone(), blank(&case.text[range])));
    Finding { error, mend, doubt: None }
}

/// A group with a name that is not the expected one.
pub(super) fn other_name(case: &Case, expected: &str) -> Finding {
    let span = case.span(case.token);
    let found = case.shown(case.token);
    let error = Error::experiment("P0104", format!("this must be `{expected}`, found `{found}`"));
    let error = case.mark(error, span.clone(), "");
    let error = match expected {
        "Experiment" | "TopologySearch" | "Suite" | "RecipeSearch" => error
            .help("an experiment file holds one `Experiment(…)`, `TopologySearch(…)`, `Suite(…)` or `RecipeSearch(…)`"),
        _ => error.help(format!("write `{expected}(…)`, or `(…)` alone")),
    };
    Finding::mended(error, span, expected)
}
