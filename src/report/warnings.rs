//! What a careful reader should know before believing the verdict.

use crate::experiment::config::Metric;
use crate::experiment::folder::State;
use crate::experiment::record::Moment;
use crate::math::statistics::Method;
use crate::report::analysis::{Analysis, Run, Units};
use crate::report::number::{digits, percent, short};

/// Fewer seeds than these say little.
const FEW_SEEDS: usize = 10;
/// Fewer rows than these make a coarse score.
const FEW_ROWS: usize = 30;
/// More of the budget left than this is worth a word.
const UNSPENT: f64 = 0.05;

/// More of the hidden units saturated or dead at the start than this is worth a word.
const NUMB: f64 = 0.5;

/// The code of a search that found nobody to go on with.
const HOPELESS: &str = "P0411";

/// Warnings, each a sentence or two; the notes of the run come last.
pub fn warnings(analysis: &Analysis) -> Vec<String> {
    let mut list = Vec::new();
    completeness(analysis, &mut list);
    runs(analysis, &mut list);
    starts(analysis, &mut list);
    targets(analysis, &mut list);
    comparisons(analysis, &mut list);
    data(analysis, &mut list);
    list.extend(analysis.manifest.notes.iter().cloned());
    list
}

fn completeness(analysis: &Analysis, list: &mut Vec<String>) {
    let planned = analysis.experiment.seeds.to_vec().len();
    let missing: Vec<String> = analysis
        .arms
        .iter()
        .filter(|arm| arm.runs.len() < planned)
        .map(|arm| format!("{} {} of {planned}", arm.name, arm.runs.len()))
        .collect();
    if analysis.manifest.state != State::Complete || !missing.is_empty() {
        let seeds = if missing.is_empty() { String::new() } else { format!(" Seeds: {}.", missing.join(", ")) };
        list.push(format!("The run is not complete; numbers will change.{seeds}"));
    }
    let seeds = analysis.seeds();
    if seeds < FEW_SEEDS {
        let hint = if seeds < 6 { " Fewer than six pairs can never give p < 0.05." } else { "" };
        list.push(format!("Only {seeds} seeds: intervals are wide, and only large differences can be found.{hint}"));
    }
}

fn runs(analysis: &Analysis, list: &mut Vec<String>) {
    for (arm, summary) in analysis.arms.iter().zip(&analysis.findings.arms) {
        let runs = arm.runs.len();
        if summary.diverged > 0 {
            list.push(format!("{} of {runs} runs of {} diverged; they count as failures.", summary.diverged, arm.name));
        }
        let hopeless = arm.runs.iter().filter(|run| is_hopeless(run)).count();
        if hopeless > 0 {
            list.push(format!(
                "{HOPELESS}: the search of {hopeless} of {runs} runs of {} ended with nobody to go on with: two generations in a \
                 row, the second drawn anew, had no finite fitness. Its scheme draws too large weights, or its fitness trains \
                 with too large steps.",
                arm.name
            ));
        }
        let exhausted = arm.runs.iter().filter(|run| run.search_cost() > 0.0 && !run.has_trained()).count();
        if exhausted > 0 {
            list.push(format!(
                "{exhausted} of {runs} runs of {} spent the whole budget on the search and never trained.",
                arm.name
            ));
        }
        if summary.unspent_share > UNSPENT {
            list.push(format!(
                "{} left {} of its budget unspent: it stopped early, and its costs are not those of a full budget.",
                arm.name,
                percent(summary.unspent_share)
            ));
        }
    }
}

/// Starts whose hidden units hardly respond.
fn starts(analysis: &Analysis, list: &mut Vec<String>) {
    for (arm, config) in analysis.arms.iter().zip(&analysis.experiment.arms) {
        if !config.method.trains() {
            continue;
        }
        let share = |of: fn(&Units) -> Option<f64>| Units::of(arm, Moment::Start).and_then(|units| of(&units));
        let numb = |what: &str, then: &str, share: f64| {
            format!("{} starts with {} of its {what}: {then}", arm.name, percent(share))
        };
        if let Some(share) = share(|units| units.saturated).filter(|share| *share > NUMB) {
            let then = "gradients hardly pass them, and training has to begin by undoing the start.";
            list.push(numb("hidden activations saturated", then, share));
        }
        if let Some(share) = share(|units| units.dead).filter(|share| *share > NUMB) {
            let then = "they tell no row from another, and what lies behind them sees nothing of the inputs.";
            list.push(numb("hidden units saying the same of every row", then, share));
        }
    }
}

/// Whether the last two generations had no finite fitness.
fn is_hopeless(run: &Run) -> bool {
    matches!(run.generations.as_slice(), [.., one, two] if one.best.is_none() && two.best.is_none())
}

fn targets(analysis: &Analysis, list: &mut Vec<String>) {
    let findings = &analysis.findings;
    if findings.targets.iter().any(|target| target.baseline_share.is_some()) {
        let at = |target: &crate::report::targets::Target| {
            Some(format!("{} ({})", short(target.loss), percent(target.baseline_share?)))
        };
        let losses: Vec<String> = findings.targets.iter().filter_map(at).collect();
        list.push(format!(
            "The file names no targets. They are the median best training losses of {} after a share of the budget: {}.",
            findings.baseline,
            losses.join(", ")
        ));
    }
    let Some(deciding) = findings.deciding else { return };
    if findings.metric == Metric::BudgetToTarget {
        let early = |arm: &&crate::report::findings::ArmSummary| {
            arm.targets[deciding].median_cost.is_some_and(|cost| cost < 0.01 * findings.budget)
        };
        if let Some(arm) = findings.arms.iter().find(early) {
            list.push(format!(
                "{} reaches the deciding target {} within 1% of the budget. Such an easy target leaves a search nothing \
                 to save; a harder target or a smaller budget asks more.",
                arm.name,
                short(findings.targets[deciding].loss)
            ));
        }
    }
}

fn comparisons(analysis: &Analysis, list: &mut Vec<String>) {
    for compared in analysis.findings.deciding_verdicts() {
        let (arm, control, verdict) = (&compared.arm, &compared.control, &compared.verdict);
        if verdict.pairs == 0 {
            list.push(format!("{arm} and {control} share no seed on the same split, so that nothing can be compared."));
        } else if verdict.method == Method::ExpectedRunningTimeRatio {
            list.push(format!(
                "More than {} of the runs of {arm} or {control} missed the target: expected running times are compared, \
                 in which failed runs are paid for.",
                percent(analysis.findings.rule.censored_share)
            ));
        } else if 2 * verdict.equal_pairs > verdict.pairs {
            list.push(format!(
                "{arm} and {control} are alike on {} of {} seeds: losses are looked at on a grid of costs, and finer \
                 differences are not seen.",
                verdict.equal_pairs, verdict.pairs
            ));
        }
    }
}

fn data(analysis: &Analysis, list: &mut Vec<String>) {
    let [training, _, test] = analysis.manifest.parts;
    if test > 0 && test < FEW_ROWS {
        list.push(format!("Only {test} test rows: one row more or less right moves the accuracy of a seed visibly."));
    }
    if training < FEW_ROWS {
        list.push(format!("Only {training} training rows: splits differ much, and results with them."));
    }
    let (weights, outputs) = (analysis.manifest.parameters, analysis.manifest.targets.len());
    let wanted = training * outputs;
    if wanted < weights {
        let each = if outputs == 1 { "1 target".to_owned() } else { format!("{outputs} targets") };
        list.push(format!(
            "{weights} weights and thresholds face {training} training rows with {each} each: {} weights for every number \
             that is to be met. Such a network can learn its rows by heart, and a low training loss says nothing about \
             other rows; fewer hidden units or more rows would.",
            digits(weights as f64 / wanted.max(1) as f64, 2)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{analysis, law};

    #[test]
    fn warnings_name_what_weakens_the_verdict() {
        let mut diverging = law(0.0, 8.0);
        diverging.diverges_from = 2;
        let mut analysis = analysis([diverging, law(5e3, 6.0), law(5e3, 6.0)], 3, "");
        analysis.manifest.state = State::Interrupted;
        analysis.manifest.parts[0] = 6;
        for run in &mut analysis.arms[2].runs {
            run.result.steps = 0;
            run.history.clear();
        }
        let list = warnings(&analysis).join("\n");
        for part in [
            "not complete",
            "Only 3 seeds",
            "never give p < 0.05",
            "2 of 3 runs of glorot diverged",
            "3 of 3 runs of ga spent the whole budget on the search",
            "glorot left 33% of its budget unspent",
            "The file names no targets",
            "Only 20 test rows",
            "A note",
            "14 weights and thresholds face 6 training rows with 2 targets each: 1.2 weights for every number",
        ] {
            assert!(list.contains(part), "{part} is not in\n{list}");
        }
    }
}
