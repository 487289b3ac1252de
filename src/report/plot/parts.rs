//! Training, validation and test rows side by side: what plots of them have in common.

use crate::report::analysis::{Analysis, Arm, Run};
use crate::report::figure::{Entry, Ink, Rect, Rgb};

/// The parts of a data set, as tables name them.
pub const PARTS: [&str; 3] = ["training", "validation", "test"];

/// Arms that such a plot shows.
pub const MOST_ARMS: usize = 8;

/// Colour of a part, in every plot.
pub fn ink(part: usize) -> Ink {
    const COLOURS: [Rgb; 3] = [(0, 114, 178), (0, 158, 115), (213, 94, 0)];
    Ink::Colour(COLOURS[part])
}

/// A legend of these parts.
pub fn legend(parts: impl IntoIterator<Item = usize>) -> Vec<Entry> {
    parts.into_iter().map(|part| Entry::patch(ink(part), 0.9, PARTS[part])).collect()
}

/// The first seed's run of each arm that has one, with its place in the experiment.
pub fn first_runs(analysis: &Analysis) -> Vec<(usize, &Arm, &Run)> {
    let runs = analysis.arms.iter().enumerate().filter_map(|(place, arm)| Some((place, arm, arm.runs.first()?)));
    runs.take(MOST_ARMS).collect()
}

/// Whether there are predicted values of all rows: not of classes, and not of reconstructed images, of which examples are kept.
pub fn has_values(analysis: &Analysis) -> bool {
    let whole = |arm: &Arm| {
        !arm.predictions.is_empty() && arm.predictions.len() == analysis.manifest.rows * analysis.manifest.features
    };
    let task = &analysis.experiment.task;
    match task.is_autoencoding() {
        true => task.image(analysis.manifest.features).is_none() && analysis.arms.iter().any(whole),
        false => !task.is_classification() && analysis.arms.iter().any(|arm| !arm.predictions.is_empty()),
    }
}

/// Panels for so many arms: one alone, then two beside each other. With the height of a sheet that holds them.
pub fn grid(count: usize) -> (f64, impl Fn(Rect) -> Vec<Rect>) {
    let columns = if count < 2 { 1 } else { 2 };
    let rows = count.div_ceil(columns).max(1);
    let height = 130.0 + if rows == 1 { 320.0 } else { 240.0 * rows as f64 };
    let places = move |body: Rect| body.rows(rows, 12.0).iter().flat_map(|row| row.columns(columns, 16.0)).collect();
    (height, places)
}
