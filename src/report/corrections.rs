//! What the mistakes of threshold units say: whether a straight boundary parts the classes.

use crate::experiment::record::MistakeRow;
use crate::report::analysis::{Analysis, Run};
use crate::report::number::{amount, digits};

/// The epochs of each output unit of a run, in order.
pub fn units(run: &Run) -> Vec<Vec<&MistakeRow>> {
    let units = run.mistakes.iter().map(|row| row.unit as usize + 1).max().unwrap_or(0);
    (0..units).map(|unit| run.mistakes.iter().filter(|row| row.unit as usize == unit).collect()).collect()
}

/// What a unit speaks for: its class, or the second one where two classes share the only unit.
pub fn name(analysis: &Analysis, unit: usize, units: usize) -> String {
    let targets = &analysis.manifest.targets;
    targets.get(if units == 1 { 1 } else { unit }).cloned().unwrap_or_else(|| format!("unit {}", unit + 1))
}

/// A sentence for each arm that corrects mistakes, about its first seed.
pub fn sentences(analysis: &Analysis) -> Vec<String> {
    let runs =
        analysis.arms.iter().filter_map(|arm| Some((arm, arm.runs.iter().find(|run| !run.mistakes.is_empty())?)));
    runs.map(|(arm, run)| {
        let units = units(run);
        let told: Vec<String> = units
            .iter()
            .enumerate()
            .filter_map(|(unit, epochs)| Some(words(&name(analysis, unit, units.len()), epochs, epochs.last()?)))
            .collect();
        format!("{} at seed {}: {}.", arm.name, run.result.seed, told.join("; "))
    })
    .collect()
}

fn words(name: &str, epochs: &[&MistakeRow], last: &MistakeRow) -> String {
    let times = |count: u64, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{} {what}s", amount(count as f64)),
    };
    if last.mistakes > 0 {
        return format!(
            "class {name} is still told wrong {} in epoch {}, the last, after {}; where no straight boundary parts the classes, \
             corrections never end",
            times(last.mistakes, "time"),
            last.epoch,
            times(last.total, "correction"),
        );
    }
    let wrong = epochs.iter().rev().find(|row| row.mistakes > 0).map_or(0, |row| row.epoch);
    let mut text = format!(
        "class {name} is told without a mistake from epoch {} on, after {}",
        wrong + 1,
        times(last.total, "correction")
    );
    if let (Some(radius), Some(margin), Some(bound)) = (last.radius, last.margin, last.bound) {
        text.push_str(&format!(
            "; rows no longer than R = {} and a boundary with the margin γ = {}, the one found, allow at most {} in any \
             order (Novikoff 1962)",
            digits(radius, 3),
            digits(margin, 3),
            amount(bound.floor()),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::correcting;

    #[test]
    fn ends_and_rounds_are_told_apart() {
        let sentences = sentences(&correcting());
        insta::assert_snapshot!(sentences.join("\n"));
    }
}
