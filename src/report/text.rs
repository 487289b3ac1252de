//! What the terminal shows at the end of a run: a table and the verdict, at most 80 columns wide.

use crate::report::analysis::Analysis;
use crate::report::findings::Estimate;
use crate::report::number::{amount, digits, percent, short};
use crate::report::verdict::words;

const WIDTH: usize = 80;

/// The result as plain text: one line an arm, then the verdict in words. Ends with a line feed.
pub fn summary_text(analysis: &Analysis) -> String {
    let mut text = table(analysis);
    let words = words(analysis);
    text.push('\n');
    text.push_str(&wrap(&words.summary, 2));
    for comparison in &words.comparisons {
        text.push_str(&wrap(comparison, 2));
    }
    text
}

fn table(analysis: &Analysis) -> String {
    let findings = &analysis.findings;
    let target = findings.deciding.map(|deciding| findings.targets[deciding].loss);
    let metric = if analysis.experiment.task.is_classification() { "test acc" } else { "test R²" };
    let to = target.map_or("to target".into(), |loss| format!("to {}", short(loss)));
    let header = ["arm", "seeds", "search", "train loss", metric, &to, "diverged"].map(str::to_owned);
    let planned = analysis.experiment.seeds.to_vec().len();
    let rows = findings.arms.iter().map(|arm| {
        let reached = findings.deciding.map(|deciding| &arm.targets[deciding]);
        [
            arm.name.clone(),
            format!("{}/{planned}", arm.seeds.len()),
            percent(arm.search_share),
            arm.train_loss.map_or("–".into(), bracketed),
            arm.test_metric.map_or("–".into(), |metric| format!("{:.3}", metric.value)),
            reached.map_or("–".into(), |reached| reached.median_cost.map_or("missed".into(), amount)),
            arm.diverged.to_string(),
        ]
    });
    let lines: Vec<[String; 7]> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let others: usize = (1..7).map(|column| width(column) + 2).sum();
    // A long arm name gives way, never a number.
    let first = width(0).min(WIDTH.saturating_sub(2 + others).max(8));
    let mut text = String::new();
    for line in &lines {
        let name: String = if line[0].chars().count() > first {
            line[0].chars().take(first - 1).chain(['…']).collect()
        } else {
            line[0].clone()
        };
        text.push_str(&format!("  {name:<first$}"));
        for (column, cell) in line.iter().enumerate().skip(1) {
            let width = width(column);
            text.push_str(&if column == 3 { format!("  {cell:<width$}") } else { format!("  {cell:>width$}") });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// `0.031 [.027,.036]`.
fn bracketed(estimate: Estimate) -> String {
    match estimate.interval {
        Some(interval) => {
            let two = |x| digits(x, 2);
            // As close as it can be: the line has 80 columns.
            let bare = |x| two(x).replacen("0.", ".", 1);
            format!("{} [{},{}]", two(estimate.value), bare(interval.low), bare(interval.high))
        }
        None => digits(estimate.value, 2),
    }
}

/// Words in lines of at most 80 columns behind `indent` blanks.
pub fn wrap(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut length = 0;
    // `p = 0.3` stays on one line.
    let text = text.replace("p = ", "p\u{a0}=\u{a0}").replace("p < ", "p\u{a0}<\u{a0}");
    for word in text.split_ascii_whitespace() {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > WIDTH {
            lines.push('\n');
            length = 0;
        }
        if length == 0 {
            lines.push_str(&" ".repeat(indent));
            length = indent;
        } else {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += size;
    }
    lines.push('\n');
    lines.replace('\u{a0}', " ")
}
