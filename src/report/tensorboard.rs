//! Event files of TensorBoard: curves of the losses and histograms of the weights, an event file for each arm and seed.
//!
//! `tensorboard --logdir DIR/tensorboard` shows them as runs `ARM/seed-SEED`. The step of all curves is what was spent, in
//! row-passes, search included, so that runs compare at equal cost; that of `loss_by_step/…` is the optimizer's step. The
//! wall time is the start of the experiment in its manifest with the seconds of its tables, as if all runs had begun at
//! once: no clock is read, and the same result folder gives the same bytes.

use crate::error::Result;
use crate::experiment::Model;
use crate::experiment::record::{Moment, Phase};
use crate::files;
use crate::files::protobuf::Message;
use crate::report::analysis::{Analysis, Run};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Folder of the event files within the result folder.
pub const FOLDER: &str = "tensorboard";

/// Name of an event file: `tfevents` makes it one, the rest is by custom a time and a machine.
const FILE: &str = "events.out.tfevents.0.precocial";

/// Bins of a histogram.
const BINS: usize = 30;

/// Writes the event files of all runs that have any looks, and returns their folder.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn write(analysis: &Analysis, folder: &Path) -> Result<PathBuf> {
    let place = folder.join(FOLDER);
    let runs: Vec<(&str, &Run)> =
        analysis.arms.iter().flat_map(|arm| arm.runs.iter().map(|run| (arm.name.as_str(), run))).collect();
    runs.into_par_iter().filter(|(_, run)| !run.history.is_empty()).try_for_each(|(arm, run)| {
        let model = |moment| analysis.models.get(arm, run.result.seed, moment);
        let models = [Moment::Drawn, Moment::Start, Moment::End].map(model);
        let folder = place.join(arm).join(format!("seed-{}", run.result.seed));
        files::make_folder(&folder)?;
        files::replace(&folder.join(FILE), &events(run, &models, analysis.manifest.started as f64))
    })?;
    Ok(place)
}

/// The event file of a run. `models`: first draw, start and deployed weights; `began`: seconds since 1970.
fn events(run: &Run, models: &[Option<Model>; 3], began: f64) -> Vec<u8> {
    let mut file = record(&Message::new().double(1, began).text(3, "brain.Event:2").finish());
    let mut event = |step: f64, seconds: f64, values: &[Message]| {
        if !values.is_empty() {
            let summary = values.iter().fold(Message::new(), |summary, value| summary.message(1, value));
            let event = Message::new().double(1, began + seconds).number(2, step.round() as u64).message(5, &summary);
            file.extend(record(&event.finish()));
        }
    };
    for row in &run.history {
        let count = |x: u64| Some(x as f64);
        let values = scalars(&[
            ("loss/training", row.train_loss),
            ("loss/validation", row.validation_loss),
            ("loss/best_training", row.best_train_loss),
            ("training/gradient_norm", row.gradient_norm),
            ("training/damping", row.damping),
            ("training/validation_checks", row.validation_checks.and_then(count)),
            ("training/step", count(row.step)),
            ("training/epoch", Some(row.epoch)),
        ]);
        event(row.cost, row.seconds, &values);
    }
    for row in run.history.iter().filter(|row| row.phase == Phase::Train) {
        let losses = [("loss_by_step/training", row.train_loss), ("loss_by_step/validation", row.validation_loss)];
        event(row.step as f64, row.seconds, &scalars(&losses));
    }
    // Only looks have a time: that of the latest before.
    let time = |cost: f64| run.history.iter().take_while(|row| row.cost <= cost).last().map_or(0.0, |row| row.seconds);
    for row in &run.generations {
        let values = scalars(&[
            ("search/best", row.best),
            ("search/q10", row.q10),
            ("search/median", row.median),
            ("search/q90", row.q90),
            ("search/diversity", row.diversity),
            ("search/unique", row.unique),
            ("search/improved", row.improved),
            ("search/scale", Some(row.scale)),
        ]);
        event(row.cost, time(row.cost), &values);
    }
    let result = &run.result;
    let deployed = [("loss/test", result.test_loss), ("metric/test", result.test_metric)];
    event(result.deployed_cost, time(result.deployed_cost), &scalars(&deployed));
    let [drawn, start, end] = models;
    // Where nothing was searched the start is the first draw.
    let drawn = drawn.as_ref().filter(|drawn| start.as_ref().is_none_or(|start| drawn.params != start.params));
    for (model, cost) in [(drawn, 0.0), (start.as_ref(), result.search_cost), (end.as_ref(), result.deployed_cost)] {
        event(cost, time(cost), &model.map(weights).unwrap_or_default());
    }
    file
}

/// Numbers as values of a summary: tag and number, in single precision as TensorBoard keeps them; those that are finite.
fn scalars(numbers: &[(&str, Option<f64>)]) -> Vec<Message> {
    let finite = numbers.iter().filter_map(|(tag, x)| Some((tag, (*x)? as f32)).filter(|(_, x)| x.is_finite()));
    finite.map(|(tag, x)| Message::new().text(1, tag).single(2, x)).collect()
}

/// Histograms of weights and thresholds, layer by layer, as values of a summary.
fn weights(model: &Model) -> Vec<Message> {
    let layers = model.network.layers().iter().enumerate();
    let parts = layers.flat_map(|(place, layer)| {
        [("weights", layer.weights.clone()), ("thresholds", layer.biases.clone())]
            .map(|(what, range)| (format!("{what}/layer_{}", place + 1), range))
    });
    let values = parts.filter_map(|(tag, range)| Some((tag, histogram(&model.params[range])?)));
    values.map(|(tag, histogram)| Message::new().text(1, &tag).message(5, &histogram)).collect()
}

/// `HistogramProto`: bins of one width from the least number to the greatest, each with its upper edge; one bin for equal
/// numbers. `None` without finite numbers.
fn histogram(numbers: &[f32]) -> Option<Message> {
    let numbers: Vec<f64> = numbers.iter().filter(|x| x.is_finite()).map(|x| f64::from(*x)).collect();
    let (low, high) = numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    if numbers.is_empty() {
        return None;
    }
    let bins = if high > low { BINS } else { 1 };
    let width = (high - low) / bins as f64;
    let mut counts = vec![0.0; bins];
    for x in &numbers {
        let bin = if width > 0.0 { ((x - low) / width) as usize } else { 0 };
        counts[bin.min(bins - 1)] += 1.0;
    }
    let edges: Vec<f64> = (1..bins).map(|bin| low + bin as f64 * width).chain([high]).collect();
    let head = Message::new().double(1, low).double(2, high).double(3, numbers.len() as f64);
    let sums = head.double(4, numbers.iter().sum()).double(5, numbers.iter().map(|x| x * x).sum());
    Some(sums.doubles(6, &edges).doubles(7, &counts))
}

/// A record of TensorFlow's files: length and data, each with its masked checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let masked = |bytes: &[u8]| crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

/// CRC-32C (Castagnoli): RFC 3720, section 12.1, bits reflected. `flate2`'s checksum is another one.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let (mut crc, mut bit) = (byte as u32, 0);
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
                bit += 1;
            }
            table[byte] = crc;
            byte += 1;
        }
        table
    };
    !bytes.iter().fold(!0_u32, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{analysis, law};

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4.
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        for (bytes, expected) in
            [(&[0; 32][..], 0x8a91_36aa), (&[0xff; 32], 0x62a8_ab43), (&rising, 0x46dd_794e), (&falling, 0x113f_db5c)]
        {
            assert_eq!(crc32c(bytes), expected);
        }
    }

    #[test]
    fn numbers_fall_into_their_bins() {
        assert!(histogram(&[f32::NAN]).is_none());
        let one = |limits: &[f64], counts: &[f64], [low, high, number, sum, squares]: [f64; 5]| {
            let head = Message::new().double(1, low).double(2, high).double(3, number).double(4, sum);
            head.double(5, squares).doubles(6, limits).doubles(7, counts).finish()
        };
        let equal = histogram(&[0.5, 0.5, f32::INFINITY]).unwrap().finish();
        assert_eq!(equal, one(&[0.5], &[2.0], [0.5, 0.5, 2.0, 1.0, 0.5]));
        // numpy 2.4.6: np.histogram([0, 1, 15, 29.5, 30], bins=30).
        let mut counts = [0.0; BINS];
        [(0, 1.0), (1, 1.0), (15, 1.0), (29, 2.0)].iter().for_each(|(bin, count)| counts[*bin] = *count);
        let edges: Vec<f64> = (1..=30).map(f64::from).collect();
        let spread = histogram(&[0.0, 1.0, 15.0, 29.5, 30.0]).unwrap().finish();
        assert_eq!(spread, one(&edges, &counts, [0.0, 30.0, 5.0, 75.5, 1.0 + 225.0 + 870.25 + 900.0]));
    }

    #[test]
    fn files_are_those_of_tensorboards_own_writer() {
        let mut run = analysis([law(0.0, 8.0), law(5e3, 6.0), law(2e3, 1.0)], 1, "").arms[0].runs[0].clone();
        run.history.truncate(1);
        let row = &mut run.history[0];
        (row.phase, row.step, row.epoch, row.cost, row.seconds) = (Phase::Train, 7, 0.5, 100.4, 2.5);
        (row.train_loss, row.best_train_loss, row.gradient_norm) = (Some(0.3), Some(f64::INFINITY), Some(4.0));
        (run.result.test_loss, run.result.test_metric, run.result.deployed_cost) = (None, Some(0.5), 101.0);
        let file = events(&run, &[const { None }; 3], 1000.0);
        // tensorboard 2.21.0: RecordWriter over event_pb2.Event of the same numbers.
        let expected = "\
            1800000000000000a37f4b22090000000000408f401a0d627261696e2e4576656e743a3273ae6b566f000000000000006c3181de0900000000\
            00548f4010642a620a140a0d6c6f73732f747261696e696e67159a99993e0a1d0a16747261696e696e672f6772616469656e745f6e6f726d15\
            000080400a140a0d747261696e696e672f73746570150000e0400a150a0e747261696e696e672f65706f6368150000003fd77fab982b000000\
            00000000861bc34b090000000000548f4010072a1e0a1c0a156c6f73735f62795f737465702f747261696e696e67159a99993ea7ab36492100\
            000000000000017becf6090000000000548f4010652a140a120a0b6d65747269632f74657374150000003f122309ac";
        assert_eq!(file.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), expected);
    }
}
