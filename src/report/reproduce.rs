//! What is needed to get the same results again.

use crate::experiment::folder::command_line;
use crate::experiment::grouped;
use crate::report::analysis::Analysis;

/// Command, hashes, versions, machine and data, each with its name.
pub fn facts(analysis: &Analysis) -> Vec<(String, String)> {
    let manifest = &analysis.manifest;
    let [training, validation, test] = manifest.parts;
    let mut facts = vec![
        ("repeat", "precocial run experiment.ron (in this folder)".to_owned()),
        ("command", command_line(&manifest.command)),
        ("results (bits)", manifest.bits.clone()),
        ("experiment", manifest.experiment_hash.clone()),
        ("precocial", format!("{}, random streams {}", manifest.precocial, manifest.stream_version)),
        (
            "machine",
            format!(
                "{}, {}, {} kernels, {} threads",
                manifest.processor, manifest.platform, manifest.instruction_set, manifest.threads
            ),
        ),
        ("started", date(manifest.started)),
        ("ended", manifest.ended.map_or("not yet".into(), date)),
        ("budget", format!("{} row-passes an arm and seed", grouped(manifest.budget.round() as u64))),
        (
            "network",
            format!(
                "{} parameters, {} multiply-adds a row-pass",
                grouped(manifest.parameters as u64),
                grouped(manifest.multiply_adds as u64)
            ),
        ),
        (
            "rows",
            format!(
                "{}: {training} training, {validation} validation, {test} test; {} inputs",
                manifest.rows, manifest.features
            ),
        ),
    ];
    facts.retain(|(name, _)| *name != "command" || !manifest.command.is_empty());
    let mut facts: Vec<(String, String)> = facts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    for file in &manifest.data {
        facts.push((format!("data {}", file.name), format!("{} bytes, SHA-256 {}", file.bytes, file.sha256)));
    }
    facts
}

/// Seconds since 1970 as a date and time in UTC.
pub fn date(seconds: u64) -> String {
    // Days to date after Hinnant, "chrono-compatible low-level date algorithms": years begin in March.
    let days = (seconds / 86_400) as i64 + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + 400 * era + i64::from(month <= 2);
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hours:02}:{minutes:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // Python 3.11 datetime.fromtimestamp(x, UTC).
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_827_640), "2000-02-29 12:34 UTC");
        assert_eq!(date(1_795_430_342), "2026-11-23 10:39 UTC");
    }
}
