//! What came out of a recipe search, in words.

use super::RecipeAnalysis;
use crate::report::number::{digits, ratio};
use crate::report::suite;
use crate::report::text::wrap;

/// What was found on the training tasks, and what it is worth on those of the test.
pub fn headlines(analysis: &RecipeAnalysis) -> Vec<String> {
    let mut list = vec![trained(analysis)];
    match &analysis.test {
        Some(test) => list.extend(suite::headlines(test)),
        None => list.push("The test has not been run to its end: nothing is known about other tasks.".into()),
    }
    list
}

fn trained(analysis: &RecipeAnalysis) -> String {
    let cost = |score: f64| format!("{}×", ratio(libm::exp(score)));
    let (tables, document) = (&analysis.tables, &analysis.document);
    let found = tables.found().map_or(f64::NAN, |row| row.score);
    let start = analysis.start().map_or(f64::NAN, |row| row.score);
    let tasks = document.tasks.len();
    let seeds = document.validation.seeds.to_vec().len();
    let what = match analysis.best() {
        Some(best) if best.what == "start" => {
            "No search found better numbers than those it began with, which were only made simpler:".to_owned()
        }
        Some(best) => format!("The best of {} searches is {}:", document.seeds.to_vec().len(), best.what),
        None => String::new(),
    };
    let simpler: Vec<f64> = analysis.numbers.iter().filter_map(|number| Some(number.simpler.as_ref()?.1)).collect();
    let price = 100.0 * (libm::exp(simpler.iter().sum()) - 1.0);
    let pruned = match simpler.len() {
        0 => "No number could be made simpler.".to_owned(),
        count => format!(
            "{count} of its numbers were made simpler, which changed its cost by {}%.",
            digits((10.0 * price).round() / 10.0, 2)
        ),
    };
    format!(
        "{what} it needs {} the cost of {} on the {tasks} tasks that it was evolved on (geometric mean at {seeds} validation \
         seeds, on which it was chosen too), the numbers that the searches began with need {}. {pruned}",
        cost(found),
        analysis.control(),
        cost(start),
    )
}

/// What is printed after a run.
pub fn summary_text(analysis: &RecipeAnalysis) -> String {
    let text: String = headlines(analysis).iter().map(|line| wrap(line, 2)).collect();
    text.trim_end().to_owned()
}
