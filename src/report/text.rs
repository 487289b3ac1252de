//! What the terminal shows at the end of a run: a table and the verdict, at most 80 columns wide.

use crate::report::analysis::Analysis;
use crate::report::audit::sentence;
use crate::report::corrections;
use crate::report::findings::Estimate;
use crate::report::number::{amount, digits, percent, short};
use crate::report::reference;
use crate::report::verdict::words;
use crate::task::TargetKind;

const WIDTH: usize = 80;

/// The result as plain text: one line an arm, then the verdict in words. Ends with a line feed.
pub fn summary_text(analysis: &Analysis) -> String {
    let mut text = table(analysis);
    let words = words(analysis);
    text.push('\n');
    for arm in &analysis.arms {
        if let Some(own) = &arm.own {
            text.push_str(&wrap(&format!("{}: {own}", arm.name), 2));
        }
    }
    if analysis.arms.iter().any(|arm| arm.own.is_some()) {
        text.push('\n');
    }
    text.push_str(&wrap(&words.summary, 2));
    for comparison in &words.comparisons {
        text.push_str(&wrap(comparison, 2));
    }
    for sentence in
        corrections::sentences(analysis).into_iter().chain(sentence(analysis)).chain(reference::sentence(analysis))
    {
        text.push_str(&wrap(&sentence, 2));
    }
    text
}

fn table(analysis: &Analysis) -> String {
    let names = analysis.findings.arms.iter().map(|arm| arm.name.chars().count()).max().unwrap_or(0);
    let lines = cells(analysis, true);
    let room = |lines: &[[String; 7]]| {
        let others: usize = (1..7).map(|column| width(lines, column) + 2).sum();
        WIDTH.saturating_sub(2 + others).max(8)
    };
    // Where names need the room, intervals stay in the report.
    let lines = if names > room(&lines) { cells(analysis, false) } else { lines };
    let first = width(&lines, 0).min(room(&lines));
    let mut text = String::new();
    for line in &lines {
        let name = cut(&line[0], first);
        text.push_str(&format!("  {name:<first$}"));
        for (column, cell) in line.iter().enumerate().skip(1) {
            let width = width(&lines, column);
            text.push_str(&if column == 3 { format!("  {cell:<width$}") } else { format!("  {cell:>width$}") });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// The name with its middle left out where it is too long: both ends tell names apart.
fn cut(name: &str, width: usize) -> String {
    let count = name.chars().count();
    if count <= width {
        return name.to_owned();
    }
    let (head, tail) = ((width - 1) / 2, width / 2);
    name.chars().take(head).chain(['…']).chain(name.chars().skip(count - tail)).collect()
}

fn width(lines: &[[String; 7]], column: usize) -> usize {
    lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
}

/// The table's head and one line an arm.
fn cells(analysis: &Analysis, intervals: bool) -> Vec<[String; 7]> {
    let findings = &analysis.findings;
    let target = findings.deciding.map(|deciding| findings.targets[deciding].loss);
    let metric = match analysis.experiment.task.kind() {
        TargetKind::Classes => "test acc",
        TargetKind::Values => "test R²",
        TargetKind::Inputs => "explained",
    };
    let to = target.map_or("to target".into(), |loss| format!("to {}", short(loss)));
    let header = ["arm", "seeds", "search", "train loss", metric, &to, "diverged"].map(str::to_owned);
    let planned = analysis.experiment.seeds.to_vec().len();
    let rows = findings.arms.iter().map(|arm| {
        let reached = findings.deciding.map(|deciding| &arm.targets[deciding]);
        let loss = |loss: Estimate| if intervals { bracketed(loss) } else { digits(loss.value, 2) };
        [
            arm.name.clone(),
            format!("{}/{planned}", arm.seeds.len()),
            percent(arm.search_share),
            arm.train_loss.map_or("–".into(), loss),
            arm.test_metric.map_or("–".into(), |metric| format!("{:.3}", metric.value)),
            reached.map_or("–".into(), |reached| reached.median_cost.map_or("missed".into(), amount)),
            arm.diverged.to_string(),
        ]
    });
    let beside = reference::accuracy(analysis).map(|accuracy| {
        let none = || "–".to_owned();
        let seeds = format!("{}/{planned}", analysis.reference.len());
        [reference::NAME.into(), seeds, none(), none(), format!("{:.3}", accuracy.value), none(), none()]
    });
    std::iter::once(header).chain(rows).chain(beside).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{analysis, law};

    #[test]
    fn summary_fits_a_terminal() {
        let mut diverging = law(0.0, 8.0);
        diverging.diverges_from = 5;
        let text = summary_text(&analysis([diverging, law(5e3, 6.0), law(2e3, 1.0)], 8, "targets: [0.1]"));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(
            [8, 9, 20].map(|width| cut("folder.best-of-n", width)),
            ["fol…of-n", "fold…of-n", "folder.best-of-n"]
        );
    }

    #[test]
    fn long_words_stand_alone_and_p_values_stay_whole() {
        let text = wrap(&format!("{} p = 0.3 {}", "a".repeat(73), "b".repeat(90)), 2);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(lines[1], "  p = 0.3");
    }
}
