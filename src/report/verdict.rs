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
        summary(candidate, &of, analysis)
    });
    Words {
        summary: summaries.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "),
        comparisons: deciding.iter().map(|compared| sentence(compared, findings, &analysis.experiment)).collect(),
    }
}

/// One candidate against all its controls.
fn summary(candidate: &str, compared: &[&Compared], analysis: &Analysis) -> String {
    let experiment = &analysis.experiment;
    let names = |conclusion: Conclusion| -> Vec<&str> {
        let fits = compared.iter().filter(|compared| compared.verdict.conclusion == conclusion);
        fits.map(|compared| compared.control.as_str()).collect()
    };
    let described = |names: &[&str]| list(&names.iter().map(|name| describe(name, experiment)).collect::<Vec<_>>());
    let (better, worse, even) = (names(Conclusion::Better), names(Conclusion::Worse), names(Conclusion::NoEvidence));
    let arm = analysis.findings.arms.iter().find(|arm| arm.name == candidate);
    // Only who spends on a search can be asked whether that pays.
    let searches = arm.is_some_and(|arm| arm.search_share > 0.0);
    let evolved = experiment.arms.iter().any(|arm| arm.name.as_str() == candidate && arm.method.is_evolved());
    let (good, bad, unknown) = if searches {
        (" pays here: it is better than", " costs more than it saves here: it is worse than", " pays")
    } else {
        (" is better than", " is worse than", " is better")
    };
    match (&better[..], &worse[..], &even[..]) {
        ([], [], []) => String::new(),
        ([only], [], []) => format!("{candidate}{good} {} at equal total cost.", describe(only, experiment)),
        (better, [], []) => format!("{candidate}{good} every control ({}) at equal total cost.", list(better)),
        ([], worse, []) => format!("{candidate}{bad} {}.", described(worse)),
        ([], [], even) => {
            format!("No evidence that {candidate}{unknown}: it cannot be told apart from {}.", described(even))
        }
        (better, [], even) => {
            let blind = even.iter().any(|name| describe(name, experiment) != *name);
            let doubt = if evolved && blind { ": what it gains need not come from evolution" } else { "" };
            let (better, even) = (described(better), described(even));
            format!("{candidate} is better than {better}, but cannot be told apart from {even}{doubt}.")
        }
        ([], worse, even) => {
            format!("{candidate}{bad} {} and cannot be told apart from {}.", described(worse), described(even))
        }
        (better, worse, even) => {
            let rest = match even {
                [] => String::new(),
                even => format!(" It cannot be told apart from {}.", list(even)),
            };
            let doubt = if searches { ": it does not pay against every control" } else { "" };
            let (better, worse) = (described(better), described(worse));
            format!("{candidate} is better than {better} but worse than {worse}{doubt}.{rest}")
        }
    }
}

/// One comparison in a sentence, with estimate, interval, pairs and p.
pub fn sentence(compared: &Compared, findings: &Findings, experiment: &Experiment) -> String {
    let verdict = &compared.verdict;
    let (arm, control) = (&compared.arm, &compared.control);
    let target = compared.target.map(short).unwrap_or_default();
    let missed = match (verdict.arm_censored, verdict.control_censored, compared.target) {
        (0, 0, _) => String::new(),
        (arm, control, Some(_)) => format!(", target missed {arm} and {control} times"),
        (arm, control, None) => format!(", without a finite value {arm} and {control} times"),
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
        let alone = verdict.p < findings.rule.alpha;
        let end = if alone { "no evidence once all comparisons are counted" } else { "no evidence either way" };
        return format!("{arm} cannot be told apart from {described}{at}{estimate} {facts}: {end}.");
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
        Some(ArmMethod::RestartOnStagnation(_)) => "restarts on stagnation",
        Some(ArmMethod::ResetOnPlateau(_)) => "an optimizer that forgets on plateaus",
        Some(ArmMethod::LeastSquaresOutput(_)) => "a start with a solved output layer",
        Some(ArmMethod::GradInit(_)) => "a start sized for its first step",
        Some(ArmMethod::MetaInit(_)) => "a start sized by its gradient quotient",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Law, analysis, law};

    fn told(laws: [Law; 3], statistics: &str) -> String {
        let words = words(&analysis(laws, 12, statistics));
        format!("{}\n- {}", words.summary, words.comparisons.join("\n- "))
    }

    #[test]
    fn verdicts_in_words() {
        let targets = "targets: [0.3, 0.1, 0.05]";
        let mut diverging = law(0.0, 8.0);
        diverging.diverges_from = 5;
        let never = law(9.9e4, 30.0);
        let cases = [
            ("better", told([law(0.0, 8.0), law(5e3, 6.0), law(2e3, 1.0)], targets)),
            ("worse", told([law(0.0, 1.0), law(2e4, 1.0), law(4e4, 1.0)], targets)),
            ("no evidence", told([law(0.0, 2.0), law(0.0, 2.0), law(0.0, 2.0)], targets)),
            ("better than one only", told([law(0.0, 8.0), law(3e3, 1.0), law(3e3, 1.0)], targets)),
            ("mixed", told([law(0.0, 1.0), law(3e4, 4.0), law(1e4, 1.0)], targets)),
            ("censored", told([law(0.0, 20.0), diverging, law(0.0, 2.0)], "targets: [0.05]")),
            ("no success", told([law(0.0, 1.0), law(0.0, 1.0), never], "targets: [0.05]")),
            ("final loss", told([law(0.0, 8.0), law(5e3, 1.0), law(5e3, 1.0)], "metric: FinalTrainingLoss")),
        ];
        let text: Vec<String> = cases.iter().map(|(name, told)| format!("## {name}\n{told}")).collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }

    #[test]
    fn names_are_listed_like_speech() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list::<&str>(&[]), "");
    }
}
