//! The report of a suite as pages: what goes into the templates, and its tables.

use super::words::{against_words, headlines, points, ratio_words};
use super::{Against, Compared, Standing, SuiteAnalysis};
use crate::experiment::config::{Budget, Seeds};
use crate::experiment::folder::command_line;
use crate::experiment::grouped;
use crate::experiment::suite::Role;
use crate::report::number::{digits, p_value, percent, ratio, short};
use crate::report::page::{Shown, render};
use crate::report::plot::Numbers;
use crate::report::reproduce::date;
use serde::Serialize;

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    notes: &'a str,
    headlines: Vec<String>,
    points: Vec<String>,
    plots: &'a [Shown],
    overall_columns: Vec<String>,
    overall: Vec<Vec<String>>,
    tasks: Vec<Section>,
    trainers: Vec<[String; 4]>,
    rules: Vec<(String, String)>,
    arms: Vec<[String; 3]>,
    warnings: Vec<String>,
    facts: Vec<(String, String)>,
    glossary: &'static [(&'static str, &'static str)],
}

/// A candidate, task by task.
#[derive(Serialize)]
struct Section {
    candidate: String,
    rows: Vec<[String; 9]>,
}

const GLOSSARY: &[(&str, &str)] = &[
    ("training pass", "one forward pass over the training rows is 1, a full-batch gradient step 3"),
    ("target", "a training loss, found by the pilot on other seeds; the deciding one is the middle one"),
    ("expected cost", "all that was spent on a target, failed runs included, over the number of runs that reached it"),
    ("ratio", "expected cost of the candidate over that of the control; below 1 the candidate is cheaper"),
    (
        "finalist",
        "an arm with a trainer that was cheapest in the selection; it ran again on the fresh seeds of the final",
    ),
    ("best classic", "the cheapest classic of each task and target, which no user knows beforehand"),
    ("single classic", "the one classic with the best mean rank over all tasks in the selection"),
    ("best control", "the cheapest of all controls, classic or extended, of each task and target"),
    (
        "better, worse",
        "significant after Holm's adjustment over all comparisons at the deciding target, and beyond the margin",
    ),
    ("same", "significant or not, a difference within the margin"),
    ("open", "the data cannot tell; this is not proof of equality"),
];

/// `report.md`.
pub fn markdown(analysis: &SuiteAnalysis, shown: &[Shown]) -> String {
    render("report.md", include_str!("../page/suite.md.j2"), page(analysis, shown))
}

/// `report.html`: one file, nothing fetched, no scripts.
pub fn html(analysis: &SuiteAnalysis, shown: &[Shown]) -> String {
    render("report.html", include_str!("../page/suite.html.j2"), page(analysis, shown))
}

fn page<'a>(analysis: &'a SuiteAnalysis, shown: &'a [Shown]) -> Page<'a> {
    let suite = &analysis.suite;
    let passes = suite.pilot.passes.iter().enumerate();
    let columns = passes.map(|(target, passes)| {
        let deciding = if target == analysis.findings.deciding { ", deciding" } else { "" };
        format!("target at {} passes{deciding}", passes.get())
    });
    Page {
        name: suite.name.as_str(),
        notes: &suite.notes,
        headlines: headlines(analysis),
        points: points(analysis),
        plots: shown,
        overall_columns: columns.collect(),
        overall: overall(analysis),
        tasks: analysis.candidates().iter().map(|(_, name)| section(analysis, name.as_str())).collect(),
        trainers: trainers(analysis),
        rules: rules(analysis),
        arms: arms(analysis),
        warnings: warnings(analysis),
        facts: facts(analysis),
        glossary: GLOSSARY,
    }
}

/// Candidate, control, and a ratio for each target.
fn overall(analysis: &SuiteAnalysis) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (_, candidate) in analysis.candidates() {
        for against in Against::ALL {
            let ratios: Vec<String> = (0..analysis.suite.pilot.passes.len())
                .filter_map(|target| {
                    let all = analysis.findings.overall.iter();
                    let mut fits = all.filter(|one| one.candidate == candidate.as_str());
                    let overall = fits.find(|one| one.against == against && one.target == target)?;
                    Some(ratio_words(overall, analysis.findings.confidence))
                })
                .collect();
            if !ratios.is_empty() {
                rows.push([vec![candidate.to_string(), against_words(analysis, against)], ratios].concat());
            }
        }
    }
    rows
}

/// A row a task: against the best classic and against the best control, at the deciding target.
fn section(analysis: &SuiteAnalysis, candidate: &str) -> Section {
    let findings = &analysis.findings;
    let strongest = analysis.strongest();
    let row = |task: usize| {
        let find = |against: Against| -> Option<&Compared> {
            analysis.compared(candidate, against, findings.deciding).find(|one| one.task == task)
        };
        let name = suite_task(analysis, task);
        let told = |against: Against| {
            find(against).map_or(["–".into(), "–".into(), "–".into()], |one| {
                [one.control.clone(), cell(one), one.standing.map_or("–".into(), |standing| word(standing).into())]
            })
        };
        let metric = |who: &str| {
            let mut fits = findings.finalists.iter().filter(|one| one.task == name && one.target == findings.deciding);
            fits.find(|one| one.stands_for == who)
                .and_then(|one| one.test_metric)
                .map_or("–".into(), |x| digits(x, 3))
        };
        let [classic, classic_ratio, classic_word] = told(Against::BestClassic);
        let [control, control_ratio, control_word] = told(strongest);
        let control_name = if strongest == Against::BestControl { "best control" } else { "best classic" };
        let tests = format!("{} / {}", metric(candidate), metric(control_name));
        let p = find(strongest).map_or("–".into(), |one| p_value(one.verdict.adjusted_p));
        [name.to_owned(), classic, classic_ratio, classic_word, control, control_ratio, p, control_word, tests]
    };
    Section { candidate: candidate.to_owned(), rows: (0..analysis.suite.tasks.len()).map(row).collect() }
}

fn suite_task(analysis: &SuiteAnalysis, task: usize) -> &str {
    analysis.suite.tasks[task].name.as_str()
}

/// `0.53 (0.41–0.68)`.
fn cell(one: &Compared) -> String {
    let end = |end: Option<f64>, none: &str| end.map_or(none.to_owned(), ratio);
    let (low, high) = (end(one.verdict.low, "0"), end(one.verdict.high, "∞"));
    format!("{} ({low}–{high})", one.verdict.estimate.map_or("–".into(), ratio))
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Better => "better",
        Standing::Worse => "worse",
        Standing::Equal => "same",
        Standing::Open => "open",
    }
}

/// Arm, trainer, factor, tasks left out.
fn trainers(analysis: &SuiteAnalysis) -> Vec<[String; 4]> {
    let row =
        |one: &super::TrainerUse| [one.arm.clone(), one.trainer.clone(), ratio(one.ratio), one.unsolved.to_string()];
    analysis.findings.trainers.iter().map(row).collect()
}

/// `301 to 340`, or the seeds one by one.
pub(in crate::report) fn listed(seeds: &Seeds) -> String {
    let list = seeds.to_vec();
    let follow = list.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    match (&list[..], follow) {
        ([first, .., last], true) => format!("{first} to {last}"),
        (list, _) => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// What was written down before the runs.
fn rules(analysis: &SuiteAnalysis) -> Vec<(String, String)> {
    let suite = &analysis.suite;
    let passes: Vec<String> = suite.pilot.passes.iter().map(|passes| passes.get().to_string()).collect();
    vec![
        ("file".into(), format!("SHA-256 {}", analysis.manifest.experiment_hash)),
        ("metric".into(), "training passes, search included, until the training loss reaches a target".into()),
        (
            "targets".into(),
            format!(
                "median losses of {} after {} passes at seeds {}",
                suite.pilot.arm,
                passes.join(", "),
                listed(&suite.pilot.seeds)
            ),
        ),
        ("finalists".into(), format!("least expected cost at seeds {}", listed(&suite.selection))),
        ("results".into(), format!("seeds {}", listed(&suite.seeds))),
        (
            "stop".into(),
            format!("a run ends at its last target, or when its budget of {} is spent", budget(suite.budget)),
        ),
        (
            "margin".into(),
            format!(
                "a ratio of {} and a difference of {} passes",
                digits(suite.margin.ratio.get(), 3),
                digits(suite.margin.passes.get(), 3)
            ),
        ),
        (
            "verdicts".into(),
            format!(
                "Holm over all candidates, tasks, best classics and best controls; level {}",
                short(1.0 - suite.confidence.get())
            ),
        ),
    ]
}

fn budget(budget: Budget) -> String {
    match budget {
        Budget::RowPasses(count) => format!("{} row-passes", grouped(count.get() as u64)),
        Budget::TrainingPasses(passes) => format!("{} training passes", passes.get()),
    }
}

/// Name, role, settings.
fn arms(analysis: &SuiteAnalysis) -> Vec<[String; 3]> {
    let role = |role: Role| match role {
        Role::Classic => "classic",
        Role::Extended => "extended",
        Role::Candidate => "candidate",
    };
    let text = |method: &crate::experiment::arm::Method| {
        crate::experiment::dialect().to_string(method).unwrap_or_default().replace(',', ", ")
    };
    analysis.suite.arms.iter().map(|arm| [arm.name.to_string(), role(arm.role).into(), text(&arm.method)]).collect()
}

/// What a reader should be careful about.
fn warnings(analysis: &SuiteAnalysis) -> Vec<String> {
    let suite = &analysis.suite;
    let mut list = Vec::new();
    let (seeds, tasks) = (suite.seeds.to_vec().len(), suite.tasks.len());
    if seeds < 20 {
        list.push(format!("{seeds} seeds in the final: only large differences can show."));
    }
    if tasks < 10 {
        list.push(format!("{tasks} tasks: the mean over them says little about others."));
    }
    if suite.selection.to_vec().len() < 10 {
        list.push("Fewer than 10 selection seeds: a finalist may have been chosen by luck.".into());
    }
    let lost = analysis.findings.finalists.iter().filter(|one| one.target == analysis.findings.deciding);
    let lost: Vec<String> = lost
        .filter(|one| one.solved == 0)
        .map(|one| format!("{} ({}) on {}", one.stands_for, one.arm, one.task))
        .collect();
    if !lost.is_empty() {
        list.push(format!("Never reached the deciding target: {}.", lost.join(", ")));
    }
    list
}

fn facts(analysis: &SuiteAnalysis) -> Vec<(String, String)> {
    let manifest = &analysis.manifest;
    let mut facts = vec![
        ("repeat".to_owned(), "precocial run experiment.ron (in this folder)".to_owned()),
        ("one task".to_owned(), "precocial run experiments/final.TASK.TRAINER.ron shows every curve".to_owned()),
        ("results (bits)".to_owned(), manifest.bits.clone()),
        ("precocial".to_owned(), format!("{}, random streams {}", manifest.precocial, manifest.stream_version)),
        (
            "machine".to_owned(),
            format!(
                "{}, {}, {} kernels, {} threads",
                manifest.processor, manifest.platform, manifest.instruction_set, manifest.threads
            ),
        ),
        ("started".to_owned(), date(manifest.started)),
        ("ended".to_owned(), manifest.ended.map_or("not yet".into(), date)),
    ];
    if !manifest.command.is_empty() {
        facts.insert(1, ("command".to_owned(), command_line(&manifest.command)));
    }
    for file in &manifest.data {
        facts.push((format!("data {}", file.name), format!("{} bytes, SHA-256 {}", file.bytes, file.sha256)));
    }
    facts
}

/// Every comparison with its numbers.
pub fn comparisons(analysis: &SuiteAnalysis) -> Numbers {
    let header = [
        "candidate",
        "against",
        "task",
        "control",
        "standing",
        "target",
        "ratio",
        "estimate",
        "low",
        "high",
        "p",
        "adjusted_p",
        "pairs",
        "candidate_failures",
        "control_failures",
    ];
    let mut table = Numbers::new(&header);
    for one in &analysis.findings.comparisons {
        let verdict = &one.verdict;
        let against = match one.against {
            Against::SingleClassic => "single classic",
            Against::BestClassic => "best classic",
            Against::BestControl => "best control",
        };
        let number = |x: Option<f64>| x.unwrap_or(f64::NAN);
        // Only verdicts of the family have an adjusted p.
        let adjusted = if one.standing.is_some() { verdict.adjusted_p } else { f64::NAN };
        table.row(
            &[&one.candidate, against, suite_task(analysis, one.task), &one.control, one.standing.map_or("", word)],
            &[
                one.target as f64 + 1.0,
                one.ratio,
                number(verdict.estimate),
                number(verdict.low),
                number(verdict.high),
                verdict.p,
                adjusted,
                verdict.pairs as f64,
                verdict.arm_censored as f64,
                verdict.control_censored as f64,
            ],
        );
    }
    table
}

/// Who ran in the final for whom, and what came of it.
pub fn finalists(analysis: &SuiteAnalysis) -> Numbers {
    let header = [
        "task",
        "stands_for",
        "arm",
        "trainer",
        "target",
        "loss",
        "selected_at",
        "expected",
        "solved",
        "runs",
        "test_metric",
    ];
    let mut table = Numbers::new(&header);
    for one in &analysis.findings.finalists {
        let losses = analysis.findings.targets.iter().find(|(task, _)| *task == one.task);
        let loss = losses.and_then(|(_, losses)| losses.get(one.target)).copied().unwrap_or(f64::NAN);
        let number = |x: Option<f64>| x.unwrap_or(f64::NAN);
        table.row(
            &[&one.task, &one.stands_for, &one.arm, &one.trainer],
            &[
                one.target as f64 + 1.0,
                loss,
                number(one.selected_at),
                number(one.expected),
                one.solved as f64,
                one.runs as f64,
                number(one.test_metric),
            ],
        );
    }
    table
}

/// `60 seeds`, for captions.
pub(super) fn seeds_text(analysis: &SuiteAnalysis) -> String {
    format!(
        "{} tasks, {} seeds each; intervals are {}",
        analysis.suite.tasks.len(),
        analysis.suite.seeds.to_vec().len(),
        percent(analysis.findings.confidence)
    )
}
