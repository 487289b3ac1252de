//! The verdict in words: the one place where numbers become sentences.

use crate::experiment::Experiment;
use crate::experiment::arm::Method as ArmMethod;
use crate::experiment::config::Metric;
use crate::math::statistics::{Conclusion, Method};
use crate::report::analysis::Analysis;
use crate::report::findings::{Compared, Findings};
use crate::report::number::{p_value, ratio, short};

/// The verdict: what may be said, first in one sentence, then comparison by comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// One sentence for those who read no further, honest both ways.
    pub summary: String,
    /// One sentence for each candidate against each control.
    pub comparisons: Vec<String>,
}

/// Puts the deciding comparisons into words.
pub fn words(analysis: &Analysis) -> Words {
    let findings = &analysis.findings;
    let deciding: Vec<&Compared> = findings.deciding_verdicts().collect();
    if deciding.is_empty() {
        let summary = match (findings.targets.is_empty(), findings.metric) {
            (true, Metric::BudgetToTarget) if findings.arms.len() > 1 => {
                "No verdict: no run of the baseline has a training loss that could serve as a target."
            }
            _ => "No verdict: there is no second arm to compare with.",
        };
        return Words { summary: summary.into(), comparisons: Vec::new() };
    }
    let summaries = findings.candidates.iter().map(|candidate| {
        let of: Vec<&Compared> = deciding.iter().copied().filter(|compared| compared.arm == *candidate).collect();
        summary(candidate, &of, &analysis.experiment)
    });
    Words {
        summary: summaries.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "),
        comparisons: deciding.iter().map(|compared| sentence(compared, findings, &analysis.experiment)).collect(),
    }
}

/// One candidate against all its controls.
fn summary(candidate: &str, compared: &[&Compared], experiment: &Experiment) -> String {
    let names = |conclusion: Conclusion| -> Vec<&str> {
        let fits = compared.iter().filter(|compared| compared.verdict.conclusion == conclusion);
        fits.map(|compared| compared.control.as_str()).collect()
    };
    let (better, worse, even) = (names(Conclusion::Better), names(Conclusion::Worse), names(Conclusion::NoEvidence));
    let described = |names: &[&str]| list(&names.iter().map(|name| describe(name, experiment)).collect::<Vec<_>>());
    match (better.is_empty(), worse.is_empty(), even.is_empty()) {
        (true, true, true) => String::new(),
        (false, true, true) if compared.len() == 1 => {
            format!("{candidate} pays here: it is better than {} at equal total cost.", described(&better))
        }
        (false, true, true) => {
            format!("{candidate} pays here: it is better than every control ({}) at equal total cost.", list(&better))
        }
        (true, false, true) => {
            format!("{candidate} costs more than it saves here: it is worse than {}.", described(&worse))
        }
        (true, true, false) => {
            format!("No evidence that {candidate} pays: it cannot be told apart from {}.", described(&even))
        }
        (false, true, false) => format!(
            "{candidate} is better than {}, but cannot be told apart from {}: what it gains need not come from evolution.",
            described(&better),
            described(&even)
        ),
        (true, false, false) => format!(
            "{candidate} costs more than it saves here: it is worse than {} and cannot be told apart from {}.",
            described(&worse),
            described(&even)
        ),
        (false, false, _) => {
            let even =
                if even.is_empty() { String::new() } else { format!(" It cannot be told apart from {}.", list(&even)) };
            format!(
                "{candidate} is better than {} but worse than {}: it does not pay against every control.{even}",
                described(&better),
                described(&worse)
            )
        }
    }
}

/// One comparison in a sentence, with estimate, interval, pairs and p.
pub fn sentence(compared: &Compared, findings: &Findings, experiment: &Experiment) -> String {
    let verdict = &compared.verdict;
    let (arm, control) = (&compared.arm, &compared.control);
    let target = compared.target.map(short).unwrap_or_default();
    let missed = if verdict.arm_censored + verdict.control_censored > 0 {
        let what = if compared.target.is_some() { "missed" } else { "without a finite value" };
        let paid = match verdict.method {
            Method::ExpectedRunningTimeRatio => " and failed runs paid for",
            _ => "",
        };
        format!(", {what}: {arm} {}, {control} {}{paid}", verdict.arm_censored, verdict.control_censored)
    } else {
        String::new()
    };
    let bounds = |number: fn(f64) -> String, none: [&str; 2]| match (verdict.low, verdict.high) {
        (None, None) => "no bounds from these data".to_owned(),
        (low, high) => {
            let end = |end: Option<f64>, none: &str| end.map_or(none.to_owned(), number);
            format!("{}% CI {} to {}", percent_of(findings.confidence), end(low, none[0]), end(high, none[1]))
        }
    };
    let mut pairs = format!("{} paired seed{}", verdict.pairs, if verdict.pairs == 1 { "" } else { "s" });
    if 2 * verdict.equal_pairs > verdict.pairs {
        pairs.push_str(&format!(", {} of them alike", verdict.equal_pairs));
    }
    let tested = |bounds: String| format!("({bounds}, {pairs}{missed}, Holm-adjusted {})", p_value(verdict.adjusted_p));
    let facts = match verdict.method {
        Method::PairedDifference => tested(bounds(short, ["−∞", "∞"])),
        _ => tested(bounds(ratio, ["0", "∞"])),
    };
    let budget = match verdict.method {
        Method::ExpectedRunningTimeRatio => "expected budget",
        _ => "budget",
    };
    if verdict.conclusion == Conclusion::NoEvidence {
        let estimate = match (verdict.method, verdict.estimate) {
            (_, None) => String::new(),
            (Method::PairedDifference, Some(x)) => format!(", difference {}", short(x)),
            (_, Some(x)) => format!(", at {} times its {budget}", ratio(x)),
        };
        let at = if compared.target.is_some() { format!(" on the way to {target}") } else { metric(findings.metric) };
        let described = describe(control, experiment);
        return format!("{arm} cannot be told apart from {described}{at}{estimate} {facts}: no evidence either way.");
    }
    let end = if verdict.conclusion == Conclusion::Better { "better" } else { "worse" };
    match (verdict.method, verdict.estimate) {
        (Method::PairedDifference, Some(x)) => {
            let side = if x < 0.0 { "below" } else { "above" };
            format!("{arm} ends {} {side} {control}{} {facts}: {end}.", short(x.abs()), metric(findings.metric))
        }
        (Method::PairedDifference, None) => {
            format!("{arm} and {control} differ{}, by no finite number {facts}: {end}.", metric(findings.metric))
        }
        (_, Some(x)) => {
            format!("{arm} needs {} times the {budget} of {control} to reach {target} {facts}: {end}.", ratio(x))
        }
        (_, None) => {
            let reached = |missed: usize| verdict.pairs - missed;
            format!(
                "{arm} reaches {target} at {} of {} seeds, {control} at {}, so that no finite ratio exists {facts}: {end}.",
                reached(verdict.arm_censored),
                verdict.pairs,
                reached(verdict.control_censored)
            )
        }
    }
}

/// A control with what it stands for, where that is more than its name.
pub fn describe(name: &str, experiment: &Experiment) -> String {
    let arm = experiment.arms.iter().find(|arm| arm.name.as_str() == name);
    let role = match arm.map(|arm| &arm.method) {
        Some(ArmMethod::BestOf(_)) => "blind sampling",
        Some(ArmMethod::Race(_)) => "a race of blind samples",
        Some(ArmMethod::Restarts(_)) => "plain restarts",
        Some(ArmMethod::Drift(_)) => "drift without selection",
        Some(ArmMethod::ShuffledWinner(_)) => "the winner's weights in shuffled order",
        _ => return name.to_owned(),
    };
    format!("{role} ({name})")
}

fn metric(metric: Metric) -> String {
    match metric {
        Metric::FinalTrainingLoss => " in final training loss",
        Metric::FinalTestLoss => " in final test loss",
        _ => "",
    }
    .into()
}

fn percent_of(confidence: f64) -> String {
    crate::report::number::digits(confidence * 100.0, 3)
}

/// `a`, `a and b`, `a, b and c`.
fn list<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
