//! Arms across result folders, held against each other as if they had run together.

use crate::error::{Error, Kind, Result};
use crate::experiment::config::{Metric, Name, Seeds};
use crate::experiment::{Folder, Manifest, Tables};
use crate::report::analysis::{Analysis, Arm, Models};
use crate::report::findings::paired;
use crate::report::number::{amount, p_value, ratio, short};
use crate::report::text::{summary_text, wrap};
use crate::report::verdict::sentence;
use std::collections::BTreeSet;

/// What is compared, and how strictly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CompareOptions {
    /// The arm that all others are held against, as `arm` or `folder.arm`; the first folder's baseline unless said
    /// otherwise.
    pub baseline: Option<String>,
    /// What is compared; what the first folder compares unless said otherwise.
    pub metric: Option<Metric>,
    /// Whether arms of unequal budgets may meet.
    pub allow_unequal: bool,
}

/// Arms of several folders, weighed together.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// All arms as one experiment, named `folder.arm`; costs are row-passes of the first folder's network.
    pub analysis: Analysis,
    /// What the terminal shows: table and verdicts, at most 80 columns wide.
    pub text: String,
}

/// Compares the arms of several result folders, paired by the seeds that they share on equal splits.
///
/// # Errors
/// `P0601` for unequal budgets, `P0602` for folders whose arms share no seed on the same rows, `P0603` for a baseline
/// that is no arm or is the name of several, `P0305` for a folder without results.
pub fn compare(folders: &[Folder], options: &CompareOptions) -> Result<Comparison> {
    let parts = read(folders)?;
    let Some(first) = parts.first() else {
        return Err(Error::experiment("P0603", "nothing to compare").help("name two result folders or more"));
    };
    check_budgets(&parts, options)?;
    let mut experiment = first.experiment.clone();
    let mut manifest = first.manifest.clone();
    let own = (first.experiment.statistics.baseline.as_ref()).unwrap_or(&first.experiment.arms[0].name);
    let own = joined(&first.name, own.as_str());
    experiment.arms = parts.iter().flat_map(|part| part.arms()).collect();
    for (place, arm) in experiment.arms.iter().enumerate() {
        if experiment.arms[..place].iter().any(|other| other.name == arm.name) {
            return Err(Error::experiment("P0107", format!("two arms would both be called \"{}\"", arm.name))
                .help("give the folders shorter names"));
        }
    }
    let baseline = match &options.baseline {
        Some(name) => find_baseline(name, &parts)?,
        None => own,
    };
    let others = experiment.arms.iter().map(|arm| arm.name.clone()).filter(|name| *name != baseline);
    experiment.statistics.candidates = others.collect();
    experiment.statistics.baseline = Some(baseline.clone());
    experiment.statistics.metric = options.metric.unwrap_or(experiment.statistics.metric);
    let seeds: BTreeSet<u64> = parts.iter().flat_map(|part| part.experiment.seeds.to_vec()).collect();
    experiment.seeds = Seeds::List(seeds.into_iter().collect());
    manifest.budget = parts.iter().map(|part| part.manifest.budget * part.scale).fold(0.0, f64::max);
    manifest.name = parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(" and ");
    manifest.notes = notes(&parts);
    let sizes: Vec<(String, usize)> =
        parts.iter().map(|part| (part.name.clone(), part.experiment.arms.len())).collect();
    let mut tables = Tables::default();
    for part in parts {
        part.append(&mut tables);
    }
    let analysis = Analysis::new(experiment, manifest, tables, Models::default());
    check_pairs(&analysis, baseline.as_str(), &sizes)?;
    let text = text(&analysis);
    Ok(Comparison { analysis, text })
}

/// One folder, read.
struct Part {
    /// What its arms are called after.
    name: String,
    experiment: crate::experiment::Experiment,
    manifest: Manifest,
    tables: Tables,
    /// Factor that makes its row-passes those of the first folder's network.
    scale: f64,
}

impl Part {
    fn arms(&self) -> Vec<crate::experiment::config::ArmConfig> {
        let mut arms = self.experiment.arms.clone();
        arms.iter_mut().for_each(|arm| arm.name = joined(&self.name, arm.name.as_str()));
        arms
    }

    fn append(self, all: &mut Tables) {
        let Part { name, mut tables, scale, .. } = self;
        let rename = |arm: &mut String| *arm = joined(&name, arm).to_string();
        for row in &mut tables.results {
            rename(&mut row.arm);
            let costs = [&mut row.search_cost, &mut row.train_cost, &mut row.total_cost, &mut row.unspent];
            costs
                .into_iter()
                .chain([&mut row.deployed_cost, &mut row.observation_cost])
                .for_each(|cost| *cost *= scale);
            row.diverged_at = row.diverged_at.map(|cost| cost * scale);
        }
        for row in &mut tables.history {
            rename(&mut row.arm);
            row.cost *= scale;
        }
        for row in &mut tables.generations {
            rename(&mut row.arm);
            row.cost *= scale;
        }
        all.results.extend(tables.results);
        all.history.extend(tables.history);
        all.generations.extend(tables.generations);
    }
}

fn read(folders: &[Folder]) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for folder in folders {
        let (manifest, experiment, tables) = (folder.manifest()?, folder.experiment()?, folder.tables()?);
        let path = std::path::absolute(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
        let last = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let plain = plain(&last);
        // Folders of one name in different places are told apart by number.
        let taken = |name: &str| parts.iter().any(|part| part.name == name);
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let name = std::iter::once(plain.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(plain);
        let first = parts.first().map_or(manifest.multiply_adds, |part| part.manifest.multiply_adds);
        let scale = manifest.multiply_adds as f64 / first.max(1) as f64;
        parts.push(Part { name, experiment, manifest, tables, scale });
    }
    Ok(parts)
}

/// The folder's name in letters that names may have.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String =
        lower.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' }).collect();
    let kept = kept.trim_start_matches(['-', '_']).chars().take(40).collect::<String>();
    if kept.is_empty() { "folder".into() } else { kept }
}

/// `folder.arm`, the folder cut as far as names need it.
fn joined(folder: &str, arm: &str) -> Name {
    let room = 63_usize.saturating_sub(arm.len());
    let folder: String = folder.chars().take(room.max(1)).collect();
    let cut = |text: String| text.chars().take(64).collect::<String>();
    Name::try_from(cut(format!("{folder}.{arm}"))).expect("both parts are names")
}

fn check_budgets(parts: &[Part], options: &CompareOptions) -> Result<()> {
    let budget = |part: &Part| part.manifest.budget * part.scale;
    let first = budget(&parts[0]);
    let unequal = parts.iter().any(|part| (budget(part) - first).abs() > 1e-6 * first);
    if !unequal || options.allow_unequal {
        return Ok(());
    }
    let mut error =
        Error::new(Kind::Experiment, "P0601", "these folders had unequal budgets, so that no comparison is fair");
    for part in parts {
        let of = if part.scale == 1.0 { "" } else { " of the first folder's network" };
        error = error.note(format!("{} had {} row-passes{of}", part.name, amount(budget(part))));
    }
    Err(error
        .help("run one of them again with the other's budget")
        .help("--allow-unequal compares all the same: costs to targets are then still true, final losses are not fair"))
}

fn find_baseline(wanted: &str, parts: &[Part]) -> Result<Name> {
    let all: Vec<(Name, &str)> = parts
        .iter()
        .flat_map(|part| {
            part.experiment.arms.iter().map(|arm| (joined(&part.name, arm.name.as_str()), arm.name.as_str()))
        })
        .collect();
    if let Some((name, _)) = all.iter().find(|(name, _)| name.as_str() == wanted) {
        return Ok(name.clone());
    }
    let fitting: Vec<&Name> = all.iter().filter(|(_, arm)| *arm == wanted).map(|(name, _)| name).collect();
    let listed = |names: Vec<&Name>| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match fitting[..] {
        [only] => Ok(only.clone()),
        [] => Err(Error::experiment("P0603", format!("no folder has an arm \"{wanted}\""))
            .note(format!("arms are {}", listed(all.iter().map(|(name, _)| name).collect())))
            .help("name one of them with --baseline")),
        _ => Err(Error::experiment("P0603", format!("several folders have an arm \"{wanted}\""))
            .help(format!("say which one with --baseline: {}", listed(fitting)))),
    }
}

/// What differs between the folders and might be taken for a difference of arms.
fn notes(parts: &[Part]) -> Vec<String> {
    let first = &parts[0];
    let mut notes: Vec<String> = Vec::new();
    for part in &parts[1..] {
        let mut differs = |what: &str, same: bool| {
            if !same {
                notes.push(format!("{} and {} differ in {what}.", first.name, part.name));
            }
        };
        differs("their networks", part.experiment.network == first.experiment.network);
        differs("how they train", part.experiment.train == first.experiment.train);
        differs("their tasks", part.experiment.task == first.experiment.task);
        differs("their versions of precocial", part.manifest.precocial == first.manifest.precocial);
        differs("their random streams", part.manifest.stream_version == first.manifest.stream_version);
        differs(
            "their budgets; looks lie at other costs, so that ratios within a few percent of 1 mean nothing",
            (part.manifest.budget * part.scale - first.manifest.budget).abs() < 1.0,
        );
    }
    notes
}

/// Every folder must have an arm that meets the baseline on the same rows.
fn check_pairs(analysis: &Analysis, baseline: &str, folders: &[(String, usize)]) -> Result<()> {
    let Some(control) = analysis.arms.iter().find(|arm| arm.name == baseline) else { return Ok(()) };
    let mut arms = analysis.arms.iter();
    for (folder, size) in folders {
        let own: Vec<&Arm> = arms.by_ref().take(*size).collect();
        if !own.iter().any(|arm| !paired(arm, control).is_empty()) {
            let message =
                format!("the arms of {folder} share no seed with {baseline} on the same split of the same data");
            return Err(Error::experiment("P0602", message)
                .note("a pair needs one seed and equal training, validation and test rows")
                .help("run both experiments with the same `seeds`, `data` and `split`"));
        }
    }
    Ok(())
}

fn text(analysis: &Analysis) -> String {
    let findings = &analysis.findings;
    let table = summary_text(analysis);
    let mut text = table.split("\n\n").next().unwrap_or_default().to_owned() + "\n\n";
    for compared in findings.deciding_verdicts() {
        text.push_str(&wrap(&sentence(compared, findings, &analysis.experiment), 2));
    }
    let family: Vec<_> = findings.pairwise.iter().filter(|compared| compared.arm != findings.baseline).collect();
    let family: Vec<_> = family.into_iter().filter(|compared| compared.control != findings.baseline).collect();
    if !family.is_empty() {
        text.push_str("\n  Among the others, adjusted as a family of its own:\n");
    }
    for compared in family {
        let verdict = &compared.verdict;
        let number = if compared.target.is_some() { ratio } else { short };
        let estimate = verdict.estimate.map_or("no number".into(), number);
        let says = match verdict.conclusion {
            crate::math::statistics::Conclusion::Better => "better",
            crate::math::statistics::Conclusion::Worse => "worse",
            crate::math::statistics::Conclusion::NoEvidence => "no evidence",
        };
        let p = p_value(verdict.adjusted_p);
        text.push_str(&wrap(&format!("{} against {}: {estimate}, {p}: {says}", compared.arm, compared.control), 2));
    }
    for note in &analysis.manifest.notes {
        text.push_str(&wrap(&format!("note: {note}"), 2));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{folder, law};

    const FAST: [crate::report::fixture::Law; 3] =
        [crate::report::fixture::Law { search: 0.0, slowness: 2.0, diverges_from: u64::MAX }; 3];

    fn none(_: &mut Manifest, _: &mut Tables) {}

    #[test]
    fn arms_of_two_folders_meet_by_seed() {
        let place = tempfile::tempdir().unwrap();
        let slow = [law(0.0, 8.0), law(0.0, 8.0), law(0.0, 8.0)];
        let folders = [folder(place.path(), "First", FAST, 8, none), folder(place.path(), "second", slow, 10, none)];
        let found = compare(&folders, &CompareOptions::default()).unwrap();
        let names: Vec<&str> = found.analysis.arms.iter().map(|arm| arm.name.as_str()).collect();
        assert_eq!(names[..2], ["first.glorot", "first.best-of-n"]);
        assert_eq!((names.len(), found.analysis.findings.baseline.as_str()), (6, "first.glorot"));
        let verdicts: Vec<_> = found.analysis.findings.deciding_verdicts().collect();
        assert_eq!(verdicts.len(), 5);
        assert!(verdicts.iter().all(|compared| compared.verdict.pairs == 8));
        assert!(found.text.lines().all(|line| line.chars().count() <= 80), "{}", found.text);
        insta::assert_snapshot!(found.text);
    }

    #[test]
    fn unequal_budgets_are_refused_unless_allowed() {
        let place = tempfile::tempdir().unwrap();
        let less = |manifest: &mut Manifest, _: &mut Tables| manifest.budget = 5e4;
        let folders = [folder(place.path(), "a", FAST, 3, none), folder(place.path(), "b", FAST, 3, less)];
        let error = compare(&folders, &CompareOptions::default()).unwrap_err();
        assert_eq!((error.code(), error.kind()), ("P0601", Kind::Experiment));
        assert!(error.problems()[0].helps.iter().any(|help| help.starts_with("--allow-unequal")));
        let allowed = CompareOptions { allow_unequal: true, ..CompareOptions::default() };
        let found = compare(&folders, &allowed).unwrap();
        assert!(found.text.contains("differ in their budgets"), "{}", found.text);
    }

    #[test]
    fn networks_of_other_sizes_are_compared_in_multiply_adds() {
        let place = tempfile::tempdir().unwrap();
        // Twice the multiply-adds a row-pass, half as many row-passes: the same budget.
        let larger = |manifest: &mut Manifest, _: &mut Tables| {
            manifest.multiply_adds *= 2;
            manifest.budget /= 2.0;
        };
        let folders = [folder(place.path(), "a", FAST, 3, none), folder(place.path(), "b", FAST, 3, larger)];
        let arms = compare(&folders, &CompareOptions::default()).unwrap().analysis.arms;
        assert_eq!(arms[3].runs[0].result.total_cost, 2.0 * arms[0].runs[0].result.total_cost);
        assert_eq!(arms[3].runs[0].history[2].cost, 2.0 * arms[0].runs[0].history[2].cost);
    }

    #[test]
    fn folders_without_common_splits_and_unclear_baselines_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let other = |_: &mut Manifest, tables: &mut Tables| {
            tables.results.iter_mut().for_each(|row| row.split_hash.push('x'));
        };
        let (a, b) = (folder(place.path(), "a", FAST, 3, none), folder(place.path(), "b", FAST, 3, none));
        let baseline = |name: &str| CompareOptions { baseline: Some(name.into()), ..CompareOptions::default() };
        let both = [a.clone(), b];
        assert_eq!(compare(&both, &baseline("ga")).unwrap_err().code(), "P0603");
        assert_eq!(compare(&both, &baseline("x")).unwrap_err().code(), "P0603");
        assert_eq!(compare(&both, &baseline("b.ga")).unwrap().analysis.findings.baseline, "b.ga");
        assert_eq!(compare(&[], &CompareOptions::default()).unwrap_err().code(), "P0603");
        let apart = [a, folder(place.path(), "c", FAST, 3, other)];
        assert_eq!(compare(&apart, &CompareOptions::default()).unwrap_err().code(), "P0602");
    }

    #[test]
    fn folder_names_become_names() {
        assert_eq!(["Iris 1", "--x", "ü", "a.b"].map(plain), ["iris-1", "x", "folder", "a-b"]);
        assert_eq!(joined(&"f".repeat(64), "arm").as_str().len(), 64);
    }
}
