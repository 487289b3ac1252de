//! The report as pages: what goes into the templates.

use crate::error::printable;
use crate::experiment::config::{ArmConfig, Format, Metric};
use crate::experiment::record::Moment;
use crate::experiment::{dialect, grouped};
use crate::math::statistics::{Conclusion, Interval};
use crate::report::analysis::{Analysis, Units};
use crate::report::audit::{rows as rows_of_audit, sentence};
use crate::report::corrections;
use crate::report::findings::{ArmSummary, Compared, Estimate, TargetSummary};
use crate::report::number::{amount, digits, p_value, percent, ratio, short};
use crate::report::reference;
use crate::report::reproduce::facts;
use crate::report::verdict::words;
use crate::report::warnings::warnings;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde::Serialize;

/// A plot as the pages show it.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Name of its files.
    pub name: String,
    /// Its title.
    pub question: String,
    /// How to read it.
    pub reading: String,
    /// The inline drawing.
    pub svg: String,
    /// The picture file beside the page, if there is one.
    pub file: Option<String>,
    /// The file with its numbers, if there is one.
    pub csv: Option<String>,
}

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    notes: &'a str,
    summary: String,
    comparisons: Vec<String>,
    caution: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    table_reading: String,
    headline: &'a [Shown],
    plots: &'a [Shown],
    warnings: Vec<String>,
    corrections: Vec<String>,
    audit: Option<String>,
    audit_rows: Vec<[String; 5]>,
    verdict_rows: Vec<[String; 8]>,
    pair_rows: Vec<[String; 8]>,
    arms: Vec<Section>,
    facts: Vec<(String, String)>,
    glossary: &'static [(&'static str, &'static str)],
}

#[derive(Serialize)]
struct Section {
    name: String,
    method: String,
    settings: String,
    facts: Vec<(String, String)>,
    targets: Vec<[String; 5]>,
}

const GLOSSARY: &[(&str, &str)] = &[
    ("row-pass", "one row of data once forward through the network; a backward pass counts as two"),
    ("budget", "row-passes that every arm may spend, search and training together"),
    ("seed", "one replicate; at a seed all arms get the same split of the data and the same order of batches"),
    ("target", "a training loss; the cost of an arm is what it spent until it first reached it"),
    ("ratio", "cost of the arm over cost of the control on the same seed; below 1 the arm is cheaper"),
    (
        "CI",
        "confidence interval: the range of values that the data do not contradict; each comparison's own, unadjusted",
    ),
    ("Holm-adjusted p", "chance of a difference this large if there were none, corrected for all comparisons made"),
    ("no evidence", "the data cannot tell the two apart; this is not proof that they are the same"),
    ("IQM", "interquartile mean: the mean of the middle half of the seeds"),
    ("expected cost", "all that was spent on a target, failed runs included, over the number of runs that reached it"),
    ("expected budget", "the same as a budget: what a success costs when failed runs are followed by fresh ones"),
    ("share solved", "runs that reached the target, with Wilson's interval"),
    ("search", "share of the spent cost that went into choosing the start, before gradient descent from it"),
];

/// `report.md`.
pub fn markdown(analysis: &Analysis, shown: &[Shown]) -> String {
    render("report.md", include_str!("page/report.md.j2"), page(analysis, shown))
}

/// `report.html`: one file, nothing fetched, no scripts.
pub fn html(analysis: &Analysis, shown: &[Shown]) -> String {
    render("report.html", include_str!("page/report.html.j2"), page(analysis, shown))
}

/// Fills a template; names that end in `.html` get their texts escaped, others have the filter `md`.
///
/// # Panics
/// If the template is broken.
pub fn render(name: &str, template: &str, page: impl Serialize) -> String {
    let mut environment = minijinja::Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual signs"));
    environment.add_filter("md", escape_markdown);
    environment.add_template("style.css", include_str!("page/style.css")).expect("plain text");
    let page =
        environment.render_named_str(name, template, Serde(page)).expect("the template is a part of the program");
    // Names from files may hold control characters; whoever prints a page to a terminal is to see them, not obey them.
    let mut lines: Vec<String> = page.trim_end().split('\n').map(printable).collect();
    lines.push(String::new());
    lines.join("\n")
}

/// Text that Markdown takes for text, in a table too.
fn escape_markdown(text: String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        match c {
            // `p < 0.001` opens no tag.
            '<' if next != ' ' && !next.is_ascii_digit() => out.push_str("&lt;"),
            ']' if next == '(' || next == '[' => out.push_str("\\]"),
            '|' | '*' | '`' | '\\' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn page<'a>(analysis: &'a Analysis, shown: &'a [Shown]) -> Page<'a> {
    let findings = &analysis.findings;
    let words = words(analysis);
    let headline = shown.iter().take_while(|shown| HEADLINE.contains(&shown.name.as_str())).count();
    let (columns, rows) = table(analysis);
    let metric = analysis.experiment.task.metric();
    let explained = match analysis.experiment.task.is_autoencoding() {
        true => {
            " Rows are their own targets: losses are about numbers as they are scaled, and the variance explained is 1 \
                 for perfect copies and 0 for always saying the mean."
        }
        false => "",
    };
    Page {
        name: &analysis.manifest.name,
        notes: &analysis.experiment.notes,
        summary: words.summary,
        comparisons: words.comparisons,
        caution: caution(analysis),
        columns,
        rows,
        table_reading: format!(
            "Losses are interquartile means over seeds with {} intervals in brackets, costs are medians in row-passes \
             with the search included, and the test {metric} is a median. Test rows were looked at once, for this \
             table; picking an arm by them would spoil them.{explained}{}",
            percent(findings.confidence),
            reference::sentence(analysis).map_or(String::new(), |sentence| format!(" {sentence}"))
        ),
        headline: &shown[..headline],
        plots: &shown[headline..],
        warnings: warnings(analysis),
        corrections: corrections::sentences(analysis),
        audit: sentence(analysis),
        audit_rows: rows_of_audit(analysis),
        verdict_rows: findings.verdicts.iter().map(compared_row).collect(),
        pair_rows: findings.pairwise.iter().map(compared_row).collect(),
        arms: findings.arms.iter().enumerate().map(|(place, arm)| section(analysis, place, arm)).collect(),
        facts: facts(analysis),
        glossary: GLOSSARY,
    }
}

/// Plots that stand before the warnings.
pub const HEADLINE: &[&str] = &["convergence-budget", "ecdf", "final-loss", "fitness"];

/// What the verdict does not say.
fn caution(analysis: &Analysis) -> String {
    let findings = &analysis.findings;
    let mut text = match (findings.metric, findings.deciding) {
        (Metric::BudgetToTarget, Some(deciding)) => {
            let target = &findings.targets[deciding];
            let others = findings.verdicts.iter().filter(|compared| !compared.decides);
            let agree = others.clone().filter(|other| {
                findings.deciding_verdicts().any(|compared| {
                    compared.arm == other.arm
                        && compared.control == other.control
                        && compared.verdict.conclusion == other.verdict.conclusion
                })
            });
            let count = others.clone().count();
            let rest = match (count, agree.count()) {
                (0, _) => String::new(),
                (all, same) if all == same => " All other targets say the same.".into(),
                (all, same) => {
                    format!(" Of the {all} comparisons at other targets {same} say the same; see the table.")
                }
            };
            format!("The verdict rests on the middle target, a training loss of {}.{rest}", short(target.loss))
        }
        (Metric::FinalTrainingLoss, _) => "The verdict rests on the final training loss.".into(),
        (Metric::FinalTestLoss, _) => "The verdict rests on the final test loss.".into(),
        _ => String::new(),
    };
    for found in &findings.break_even {
        text.push_str(&match found.cost {
            Some(cost) => format!(
                " In median best loss {} catches up with {} for good after {} row-passes, {} of the budget.",
                found.arm,
                found.baseline,
                amount(cost),
                percent(cost / findings.budget)
            ),
            None => format!(" In median best loss {} never catches up with {} for good.", found.arm, found.baseline),
        });
    }
    text.trim_start().to_owned()
}

fn table(analysis: &Analysis) -> (Vec<String>, Vec<Vec<String>>) {
    let findings = &analysis.findings;
    let metric = format!("test {}", analysis.experiment.task.metric());
    let mut columns: Vec<String> =
        ["arm", "seeds", "diverged", "search", "train loss", "test loss", &metric].map(str::to_owned).into();
    columns.extend(findings.targets.iter().map(|target| format!("cost to {}", short(target.loss))));
    columns.extend(["solved", "seconds"].map(str::to_owned));
    let own = |name: &str| analysis.arm_index(name).and_then(|place| analysis.arms[place].own.clone());
    let any_own = analysis.arms.iter().any(|arm| arm.own.is_some());
    columns.extend(any_own.then(|| "of its own".to_owned()));
    let row = |arm: &ArmSummary| {
        let mut row = vec![
            arm.name.clone(),
            arm.seeds.len().to_string(),
            arm.diverged.to_string(),
            percent(arm.search_share),
            estimate(arm.train_loss, |x| digits(x, 2)),
            estimate(arm.test_loss, |x| digits(x, 2)),
            estimate(arm.test_metric, |x| format!("{x:.3}")),
        ];
        row.extend(arm.targets.iter().map(cost));
        let solved = findings.deciding.map(|deciding| &arm.targets[deciding]);
        row.push(solved.map_or("–".into(), |target| format!("{}/{}", target.solved, target.outcomes.len())));
        row.push(arm.seconds.map_or("–".into(), |seconds| digits(seconds, 2)));
        row.extend(any_own.then(|| own(&arm.name).unwrap_or("–".into())));
        row
    };
    let beside = reference::accuracy(analysis).map(|accuracy| {
        let mut row = vec!["–".to_owned(); columns.len()];
        row[0] = reference::NAME.into();
        row[1] = analysis.reference.len().to_string();
        row[6] = estimate(Some(accuracy), |x| format!("{x:.3}"));
        row
    });
    let rows = findings.arms.iter().map(row).chain(beside).collect();
    (columns, rows)
}

fn estimate(estimate: Option<Estimate>, number: fn(f64) -> String) -> String {
    match estimate {
        Some(Estimate { value, interval: Some(Interval { low, high }) }) => {
            format!("{} [{}, {}]", number(value), number(low), number(high))
        }
        Some(Estimate { value, interval: None }) => number(value),
        None => "–".into(),
    }
}

fn cost(target: &TargetSummary) -> String {
    let Some(median) = target.median_cost else { return "missed".into() };
    let end = |end: Option<f64>| end.map_or("beyond".into(), amount);
    format!("{} [{}, {}]", amount(median), end(target.low), end(target.high))
}

fn compared_row(compared: &Compared) -> [String; 8] {
    use crate::math::statistics::Method;
    let verdict = &compared.verdict;
    let number = if verdict.method == Method::PairedDifference { short } else { ratio };
    let end = |end: Option<f64>| end.map_or("open".into(), number);
    let bounds = match (verdict.low, verdict.high) {
        (None, None) => "–".into(),
        (low, high) => format!("{} to {}", end(low), end(high)),
    };
    [
        compared.arm.clone(),
        compared.control.clone(),
        compared.target.map_or("–".into(), short)
            + if compared.decides && compared.target.is_some() { " (decides)" } else { "" },
        verdict.estimate.map_or("–".into(), number),
        bounds,
        verdict.pairs.to_string(),
        p_value(verdict.adjusted_p).trim_start_matches("p ").trim_start_matches("= ").to_owned(),
        match verdict.conclusion {
            Conclusion::Better => "better",
            Conclusion::Worse => "worse",
            Conclusion::NoEvidence => "no evidence",
        }
        .into(),
    ]
}

/// A setting as an experiment file would have it.
fn written<T: Serialize>(setting: &T) -> String {
    dialect().to_string_pretty(setting, ron::ser::PrettyConfig::default()).unwrap_or_default()
}

fn section(analysis: &Analysis, place: usize, arm: &ArmSummary) -> Section {
    use crate::math::statistics::median;
    use crate::report::analysis::Run;
    let runs = &analysis.arms[place].runs;
    let middle = |number: fn(&Run) -> Option<f64>| median(&runs.iter().filter_map(number).collect::<Vec<_>>());
    let mut facts = vec![
        ("runs".to_owned(), format!("{} ({} diverged, {} stopped early)", arm.seeds.len(), arm.diverged, arm.stopped)),
        ("search".to_owned(), format!("{} of the spent cost", percent(arm.search_share))),
        ("unspent".to_owned(), format!("{} of the budget", percent(arm.unspent_share))),
    ];
    let mut fact = |name: &str, number: Option<f64>, written: fn(f64) -> String| {
        if let Some(number) = number {
            facts.push((name.to_owned(), written(number)));
        }
    };
    let count: fn(f64) -> String = |x| grouped(x.round() as u64);
    fact("candidates scored, median", middle(|run| Some(run.result.evaluations as f64)).filter(|x| *x > 0.0), count);
    fact("generations, median", middle(|run| Some(run.result.generations as f64)).filter(|x| *x > 0.0), count);
    fact("epochs of gradient descent, median", middle(|run| Some(run.result.epochs as f64)), count);
    fact("training loss of the start, median", middle(|run| run.result.start_loss), short);
    fact("training loss at the end, median", middle(|run| run.result.train_loss), short);
    fact("validation loss at the end, median", middle(|run| run.result.validation_loss), short);
    fact("cost at which the deployed weights were found, median", middle(|run| Some(run.result.deployed_cost)), amount);
    fact("seconds a run, median", arm.seconds, |x| digits(x, 2));
    let units = [Moment::Start, Moment::End].map(|moment| Units::of(&analysis.arms[place], moment));
    let mut change = |name: &str, share: fn(&Units) -> Option<f64>| {
        let [start, end] = units.each_ref().map(|units| units.as_ref().and_then(share));
        if let (Some(start), Some(end)) = (start, end) {
            facts.push((name.to_owned(), format!("{} at the start, {} at the end", percent(start), percent(end))));
        }
    };
    change("hidden activations saturated, median", |units| units.saturated);
    change("hidden units that say the same of every row, median", |units| units.dead);
    let own = analysis.arms[place].own.iter().map(|own| ("of its own".to_owned(), own.clone()));
    let facts = own.chain(facts).collect();
    let pretty = |arm: &ArmConfig| {
        let mut text = written(&arm.method);
        text.extend(arm.network.iter().map(|network| format!("\nnetwork: {}", written(network))));
        text.extend(arm.train.iter().map(|train| format!("\ntrain: {}", written(train))));
        text
    };
    let settings = analysis.experiment.arms.get(place).map(pretty);
    let target = |target: &TargetSummary| {
        let share =
            target.share.map_or(String::new(), |share| format!(" [{}, {}]", percent(share.low), percent(share.high)));
        let runs = target.outcomes.len().max(1) as f64;
        [
            short(target.loss),
            format!("{}/{}", target.solved, target.outcomes.len()),
            format!("{}{share}", percent(target.solved as f64 / runs)),
            cost(target),
            target.expected_running_time.map_or("–".into(), amount),
        ]
    };
    Section {
        name: arm.name.clone(),
        method: arm.method.clone(),
        settings: settings.unwrap_or_default(),
        facts,
        targets: arm.targets.iter().map(target).collect(),
    }
}

/// What the files of a plot are called in the pages.
pub fn links(name: &str, formats: &[Format]) -> (Option<String>, Option<String>) {
    let has = |format: Format| formats.contains(&format);
    let file = if has(Format::Svg) {
        Some(format!("plots/{name}.svg"))
    } else {
        has(Format::Png).then(|| format!("plots/{name}.png"))
    };
    (file, has(Format::Csv).then(|| format!("plots/{name}.csv")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{analysis, law};

    fn shown(formats: &[Format], analysis: &Analysis) -> Vec<Shown> {
        let plots = crate::report::plot::PLOTS.iter().filter(|plot| plot.applies(analysis));
        plots
            .map(|plot| {
                let (file, csv) = links(plot.name(), formats);
                let svg = plot.draw(analysis).figure.to_inline_svg();
                let (question, reading) = (plot.question(analysis), plot.reading().into());
                Shown { name: plot.name().into(), question, reading, svg, file, csv }
            })
            .collect()
    }

    #[test]
    fn the_page_fetches_nothing_runs_nothing_and_escapes_all() {
        let analysis = analysis([law(0.0, 8.0), law(5e3, 6.0), law(2e3, 1.0)], 6, "");
        let page = html(&analysis, &shown(&[Format::Csv], &analysis));
        for bad in ["http", "<script", "<i>.csv", "<u>word", "<b>Engine", "><b><", "src=", "@import", "url("] {
            assert!(!page.contains(bad), "{bad} in the page");
        }
        assert!(page.contains("&lt;script&gt;") && page.contains("An &amp; &lt;b&gt;Engine"));
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert!(page.matches("<svg").count() >= 12);
        for tag in ["table", "section", "figure", "details", "tr", "td", "ul", "dl", "div"] {
            let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }

    #[test]
    fn markdown_page() {
        let analysis = analysis([law(0.0, 8.0), law(5e3, 6.0), law(2e3, 1.0)], 6, "targets: [0.3, 0.1]");
        let shown: Vec<Shown> = shown(&[Format::Svg, Format::Csv], &analysis)
            .into_iter()
            .filter(|shown| ["ecdf", "diversity"].contains(&shown.name.as_str()))
            .collect();
        insta::assert_snapshot!(markdown(&analysis, &shown));
    }

    #[test]
    fn pages_show_control_characters_instead_of_sending_them() {
        let page = render(
            "a.md",
            "# {{ name | md }}\n\n- {{ name }}\n",
            [("name", "\u{1b}]0;x\u{7}\u{202e}")].into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        );
        assert_eq!(page, "# \\u{1b}]0;x\\u{7}\\u{202e}\n\n- \\u{1b}]0;x\\u{7}\\u{202e}\n");
    }

    #[test]
    fn markdown_takes_names_for_text() {
        let escaped = escape_markdown("a|b <b> [x](y) `c` p < 0.1\n[1, 2]".into());
        assert_eq!(escaped, "a\\|b &lt;b> [x\\](y) \\`c\\` p < 0.1 [1, 2]");
    }
}
