//! What came out of a suite, in words.

use super::{Against, Compared, Overall, Standing, SuiteAnalysis};
use crate::experiment::suite::Role;
use crate::report::number::{percent, ratio};
use crate::report::text::wrap;

/// `the best of 12 controls of each task`.
pub(in crate::report) fn against_words(analysis: &SuiteAnalysis, against: Against) -> String {
    let count = |roles: &[Role]| analysis.suite.arms.iter().filter(|arm| roles.contains(&arm.role)).count();
    match against {
        Against::SingleClassic => match single(analysis) {
            Some(name) => format!("{name}, the best single classic"),
            None => "the best single classic".into(),
        },
        Against::BestClassic => format!("the best of {} classics of each task", count(&[Role::Classic])),
        Against::BestControl => {
            format!("the best of {} controls of each task", count(&[Role::Classic, Role::Extended]))
        }
    }
}

fn single(analysis: &SuiteAnalysis) -> Option<&str> {
    let single = analysis.findings.finalists.iter().find(|finalist| finalist.stands_for == "single classic");
    single.map(|finalist| finalist.arm.as_str())
}

/// `0.53× (95% CI 0.41 to 0.68)`.
pub(in crate::report) fn ratio_words(overall: &Overall, confidence: f64) -> String {
    let interval = overall.interval.map_or(String::new(), |interval| {
        format!(" ({} CI {} to {})", percent(confidence), ratio(interval.low), ratio(interval.high))
    });
    format!("{}×{interval}", ratio(overall.ratio))
}

/// Names of the tasks with a standing.
pub(super) fn named(analysis: &SuiteAnalysis, list: &[&Compared], standing: Standing) -> Vec<String> {
    let fits = list.iter().filter(|compared| compared.standing == Some(standing));
    fits.map(|compared| analysis.suite.tasks[compared.task].name.to_string()).collect()
}

/// One sentence a candidate, against the strongest control: the claim, honest both ways.
pub fn headlines(analysis: &SuiteAnalysis) -> Vec<String> {
    let findings = &analysis.findings;
    let against = analysis.strongest();
    let seeds = analysis.suite.seeds.to_vec().len();
    let sentence = |candidate: &str| {
        let overall = findings
            .overall
            .iter()
            .find(|one| one.candidate == candidate && one.against == against && one.target == findings.deciding)?;
        let list: Vec<&Compared> = analysis.compared(candidate, against, findings.deciding).collect();
        let of = |standing| named(analysis, &list, standing);
        let (better, worse) = (of(Standing::Better), of(Standing::Worse));
        let worse = match worse.len() {
            0 => "worse on none".to_owned(),
            // The tables name them all.
            count if count > 6 => format!("worse on {count}"),
            count => format!("worse on {count} ({})", worse.join(", ")),
        };
        Some(format!(
            "{candidate} needs {} the budget of {} to reach the deciding target (geometric mean over {}, {seeds} \
             fresh seeds each): better on {}, {worse}, the same within the margin on {}, not told apart on {}.",
            ratio_words(overall, findings.confidence),
            against_words(analysis, against),
            if list.len() == 1 { "one task".to_owned() } else { format!("{} tasks", list.len()) },
            better.len(),
            of(Standing::Equal).len(),
            of(Standing::Open).len(),
        ))
    };
    analysis.candidates().iter().filter_map(|(_, name)| sentence(name.as_str())).collect()
}

/// What limits the headlines, or goes beyond them.
pub fn points(analysis: &SuiteAnalysis) -> Vec<String> {
    let findings = &analysis.findings;
    let mut points = Vec::new();
    for (_, candidate) in analysis.candidates() {
        let others = Against::ALL.into_iter().filter(|against| *against != analysis.strongest());
        let told = others.filter_map(|against| {
            let overall = findings.overall.iter().find(|one| {
                one.candidate == candidate.as_str() && one.against == against && one.target == findings.deciding
            })?;
            let words = against_words(analysis, against);
            Some(format!("{} that of {words}", ratio_words(overall, findings.confidence)))
        });
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            points.push(format!("{candidate} needs {}.", told.join(", and ")));
        }
        let classics: Vec<&Compared> =
            analysis.compared(candidate.as_str(), Against::BestClassic, findings.deciding).collect();
        let right = named(analysis, &classics, Standing::Worse);
        let even: Vec<String> = [Standing::Equal, Standing::Open].map(|one| named(analysis, &classics, one)).concat();
        points.push(match (&right[..], &even[..]) {
            ([], []) => format!("On every task {candidate} is better than the best classic."),
            (right, even) => {
                let right = if right.is_empty() { "on none".to_owned() } else { format!("on {}", right.join(", ")) };
                let even =
                    if even.is_empty() { String::new() } else { format!("; nothing is gained on {}", even.join(", ")) };
                format!("The classics are right, against {candidate}, {right}{even}.")
            }
        });
    }
    let unsolved: usize =
        findings.overall.iter().filter(|one| one.target == findings.deciding).map(|one| one.unsolved).sum();
    if unsolved > 0 {
        points.push(
            "On some tasks a finalist never reached the deciding target; its cost counts there as if one run had, which \
             favours it."
                .into(),
        );
    }
    points
}

/// What is printed after a run.
pub fn summary_text(analysis: &SuiteAnalysis) -> String {
    let mut text = String::new();
    for line in headlines(analysis).into_iter().chain(points(analysis)) {
        text.push_str(&wrap(&line, 2));
    }
    text.trim_end().to_owned()
}
