//! Plots: each one a file and a line below. A plot answers a question; what it draws, it also gives as numbers.

mod boundary;
mod confusion;
mod convergence_budget;
mod convergence_epochs;
mod convergence_time;
mod curve;
mod diversity;
mod ecdf;
mod error_against_size;
mod error_histogram;
mod final_loss;
mod fitness;
mod fitted_curve;
mod generations;
mod grafted_units;
mod hidden_space;
mod mistakes;
mod operators;
mod paired_difference;
mod parts;
mod performance;
mod profile;
mod proxy_rank;
mod reconstruction;
mod regression;
mod saturation;
mod search_vs_training;
mod training_state;
mod weights;

use crate::error::{Error, Result, printable};
use crate::experiment::config::{Format, Plots};
use crate::files;
use crate::report::analysis::Analysis;
use crate::report::figure::Figure;
use std::path::Path;

/// All plots, in the order of the report.
pub const PLOTS: &[&dyn Plot] = &[
    &convergence_budget::ConvergenceBudget,
    &ecdf::SolvedShare,
    &final_loss::FinalLoss,
    &fitness::Fitness,
    &error_against_size::ErrorAgainstSize,
    &fitted_curve::FittedCurve,
    &boundary::Boundary,
    &hidden_space::HiddenSpace,
    &mistakes::Mistakes,
    &reconstruction::Reconstruction,
    &performance::Performance,
    &training_state::TrainingState,
    &regression::Regression,
    &error_histogram::ErrorHistogram,
    &proxy_rank::ProxyRank,
    &paired_difference::PairedDifference,
    &convergence_epochs::ConvergenceEpochs,
    &convergence_time::ConvergenceTime,
    &profile::Profile,
    &search_vs_training::SearchVersusTraining,
    &diversity::Diversity,
    &operators::Operators,
    &grafted_units::GraftedUnits,
    &weights::Weights,
    &saturation::Saturation,
    &confusion::Confusion,
];

/// A plot of an analysis: of a comparison, a topology search or a suite.
pub trait Plot<A = Analysis>: Send + Sync {
    /// Name of its files, without ending.
    fn name(&self) -> &'static str;

    /// The question that it answers: its title.
    fn question(&self, analysis: &A) -> String;

    /// How to read it, in a sentence or two.
    fn reading(&self) -> &'static str;

    /// Whether it belongs to the standard set.
    fn is_standard(&self) -> bool {
        true
    }

    /// Whether there is anything to draw.
    fn applies(&self, analysis: &A) -> bool;

    /// The figure with its numbers.
    fn draw(&self, analysis: &A) -> Drawing;
}

/// A plot, drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// The figure.
    pub figure: Figure,
    /// Every plotted number.
    pub numbers: Numbers,
}

/// A table of plotted numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Numbers {
    /// An empty table with these columns.
    pub fn new(header: &[&str]) -> Numbers {
        Numbers { header: header.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// Adds a row: words first, then numbers; numbers that are not finite stay empty.
    pub fn row(&mut self, words: &[&str], numbers: &[f64]) {
        let number = |x: &f64| if x.is_finite() { x.to_string() } else { String::new() };
        self.rows.push(words.iter().map(|word| tame(word)).chain(numbers.iter().map(number)).collect());
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The table as a CSV file.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = std::iter::once(&self.header).chain(&self.rows).try_for_each(|row| writer.write_record(row));
        written.expect("rows have one cell a column");
        writer.into_inner().expect("memory can be written")
    }
}

/// A word as a cell that no spreadsheet takes for a formula: with a quote before it, if it begins like one and is no
/// number.
fn tame(word: &str) -> String {
    let formula = word.trim_start().starts_with(['=', '+', '-', '@']) && word.trim().parse::<f64>().is_err();
    format!("{}{}", if formula { "'" } else { "" }, printable(word))
}

/// Writes a drawing into a folder, in all formats that are files of a picture.
///
/// # Errors
/// A file that cannot be written.
pub fn write_drawing(name: &str, drawing: &Drawing, folder: &Path, formats: &[Format]) -> Result<()> {
    for format in formats {
        let (ending, bytes) = match format {
            Format::Svg => ("svg", drawing.figure.to_svg().into_bytes()),
            Format::Png => ("png", drawing.figure.to_png()),
            Format::Csv => ("csv", drawing.numbers.to_csv()),
            Format::Html | Format::Markdown | Format::TensorBoard | Format::JsonLines => continue,
        };
        files::replace(&folder.join(format!("{name}.{ending}")), &bytes)?;
    }
    Ok(())
}

/// The chosen ones of `all` that have something to draw. `others` are names that are no plots and may be chosen too.
///
/// # Errors
/// `P0104` for a plot that does not exist.
pub fn chosen<A>(
    all: &[&'static dyn Plot<A>],
    others: &[&str],
    plots: &Plots,
    analysis: &A,
) -> Result<Vec<&'static dyn Plot<A>>> {
    let chosen: Vec<&'static dyn Plot<A>> = match plots {
        Plots::Standard => all.iter().copied().filter(|plot| plot.is_standard()).collect(),
        Plots::All => all.to_vec(),
        Plots::Only(names) => {
            let names = names.iter().filter(|name| !others.contains(&name.as_str()));
            names.map(|name| named(all, others, name)).collect::<Result<_>>()?
        }
    };
    Ok(chosen.into_iter().filter(|plot| plot.applies(analysis)).collect())
}

/// The plot with this name.
fn named<A>(all: &[&'static dyn Plot<A>], others: &[&str], name: &str) -> Result<&'static dyn Plot<A>> {
    if let Some(plot) = all.iter().find(|plot| plot.name() == name) {
        return Ok(*plot);
    }
    let names: Vec<&str> = all.iter().map(|plot| plot.name()).chain(others.iter().copied()).collect();
    let error = Error::experiment("P0104", format!("unknown plot `{name}`"));
    let near = names.iter().min_by_key(|other| strsim::levenshtein(name, other));
    let error = match near.filter(|near| strsim::levenshtein(name, near) <= 3) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    };
    Err(error.note(format!("plots are {}", names.join(", "))))
}

/// What every caption says: seeds, and runs that diverged.
fn seeds_caption(analysis: &Analysis) -> String {
    let seeds = analysis.seeds();
    let mut text = format!("{seeds} seed{}", if seeds == 1 { "" } else { "s" });
    let diverged: Vec<String> = analysis
        .arms
        .iter()
        .filter(|arm| arm.diverged() > 0)
        .map(|arm| format!("{} {}", arm.name, arm.diverged()))
        .collect();
    if !diverged.is_empty() {
        text.push_str(&format!("; diverged: {}", diverged.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::analysis::Models;
    use crate::report::fixture::{
        analysis, audited, correcting, curve, experiment, grafted, law, manifest, planes, reconstructed, regression,
        shaped,
    };

    fn fixtures() -> [Analysis; 10] {
        let mut diverging = law(0.0, 8.0);
        diverging.diverges_from = 4;
        let failing = [diverging, law(5e3, 60.0), law(9.9e4, 1.0)];
        [
            analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 6, "targets: [0.3, 0.1, 0.05]"),
            analysis(failing, 6, "targets: [0.3, 0.1, 0.01]"),
            regression(),
            audited(&[0, 10, 160]),
            shaped(["(units: 2)", "(units: 8)", "(units: 20)"]),
            curve(),
            planes(),
            correcting(),
            reconstructed(),
            grafted(),
        ]
    }

    #[test]
    fn every_plot_draws_and_gives_its_numbers() {
        let fixtures = fixtures();
        for plot in PLOTS {
            let drawn: Vec<Drawing> =
                fixtures.iter().filter(|analysis| plot.applies(analysis)).map(|analysis| plot.draw(analysis)).collect();
            assert!(!drawn.is_empty(), "{} never applies", plot.name());
            for drawing in &drawn {
                let svg = drawing.figure.to_svg();
                assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
                assert!(!svg.contains("NaN") && !svg.contains("\"inf"), "{}", plot.name());
                assert!(drawing.figure.marks.len() > 10 && drawing.numbers.rows() > 0, "{}", plot.name());
                let csv = drawing.numbers.to_csv();
                let rows: Vec<csv::StringRecord> =
                    csv::Reader::from_reader(&csv[..]).records().collect::<std::result::Result<_, _>>().unwrap();
                assert_eq!(rows.len(), drawing.numbers.rows(), "{}", plot.name());
            }
            assert_eq!(&drawn[0].figure.to_png()[1..4], b"PNG");
        }
    }

    #[test]
    fn no_word_of_a_table_is_a_formula() {
        let mut numbers = Numbers::new(&["word", "number"]);
        for word in ["=1+1", "@SUM(1)", "-a", "+b", " =c", "-1.5", "plain", "\u{1b}[31m"] {
            numbers.row(&[word], &[-1.0]);
        }
        let expected =
            "word,number\n'=1+1,-1\n'@SUM(1),-1\n'-a,-1\n'+b,-1\n' =c,-1\n-1.5,-1\nplain,-1\n\\u{1b}[31m,-1\n";
        assert_eq!(String::from_utf8(numbers.to_csv()).unwrap(), expected);
    }

    #[test]
    fn names_are_unique_and_readings_are_sentences() {
        let mut names: Vec<&str> = PLOTS.iter().map(|plot| plot.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PLOTS.len());
        let analysis = &fixtures()[0];
        for plot in PLOTS {
            assert!(plot.reading().ends_with('.') && plot.question(analysis).contains('?'), "{}", plot.name());
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let nothing = Analysis::new(experiment(3, ""), manifest(), Default::default(), Models::default());
        assert!(chosen(PLOTS, &[], &Plots::All, &nothing).unwrap().is_empty());
    }

    #[test]
    fn a_single_seed_and_a_single_look_are_drawn() {
        let mut analysis = analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 1, "targets: [0.3]");
        analysis.arms[1].runs[0].history.truncate(1);
        analysis.arms[2].runs.clear();
        for plot in chosen(PLOTS, &[], &Plots::All, &analysis).unwrap() {
            assert!(!plot.draw(&analysis).figure.to_svg().contains("NaN"), "{}", plot.name());
        }
    }

    #[test]
    fn chosen_plots_are_found_by_name_or_refused_with_a_hint() {
        let analysis = &fixtures()[0];
        let only = |name: &str| chosen(PLOTS, &[], &Plots::Only(vec![name.into()]), analysis);
        assert_eq!(only("ecdf").unwrap()[0].name(), "ecdf");
        let error = only("fitnes").err().unwrap();
        assert_eq!((error.code(), &error.problems()[0].helps[0][..]), ("P0104", "did you mean `fitness`?"));
        assert!(
            chosen(PLOTS, &[], &Plots::Standard, analysis).unwrap().len()
                < chosen(PLOTS, &[], &Plots::All, analysis).unwrap().len()
        );
    }
}
