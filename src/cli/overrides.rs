//! `--set` and `--seeds`: an experiment file changed from the command line.

use super::Changes;
use precocial::experiment::config::{Budget, Seeds};
use precocial::experiment::outline::Outline;
use precocial::experiment::{self, Document, Loaded, Opened};
use precocial::values::Count;
use precocial::{Error, Result};
use std::path::Path;

/// Loads a document and changes it; the text of the result is that of the file, or all settings if any was changed.
pub fn open(path: &Path, changes: &Changes) -> Result<Opened> {
    Ok(match experiment::open(path)? {
        Opened::Experiment(loaded) => Opened::Experiment(change(loaded, changes)?),
        Opened::Search(loaded) => Opened::Search(change(loaded, changes)?),
        Opened::Suite(loaded) => Opened::Suite(change(loaded, changes)?),
        Opened::Recipe(loaded) => Opened::Recipe(change(loaded, changes)?),
    })
}

fn change<D: Document>(mut loaded: Loaded<D>, changes: &Changes) -> Result<Loaded<D>> {
    if !changes.set.is_empty() {
        loaded = set(&loaded, &changes.set)?;
    }
    if let Some(seeds) = &changes.seeds {
        *loaded.experiment.seeds() = parse_seeds(seeds)?;
        loaded.source = experiment::to_text(&loaded.experiment).into();
    }
    Ok(loaded)
}

/// Changes settings in the text that spells out every default, so that each setting can be named.
fn set<D: Document>(loaded: &Loaded<D>, changes: &[String]) -> Result<Loaded<D>> {
    // The name shows in messages.
    let document = format!("{} with --set", loaded.path.display());
    let mut changed = loaded.clone();
    for change in changes {
        let Some((path, value)) = change.split_once('=') else {
            return Err(Error::experiment("P0109", format!("`--set {change}` has no `=`"))
                .help("write `--set budget=RowPasses(100_000)` or `--set arms[2].method.population=80`"));
        };
        let text = experiment::to_text(&changed.experiment);
        let outline = Outline::new(&text);
        // A field that means nothing unless it is there is not spelled out either.
        let (span, name, nowhere) = match outline.find(path.trim()) {
            Ok(node) => (node.span.clone(), None, None),
            Err(error) => match outline.vacancy(path.trim()) {
                Some((at, name)) => (at..at, Some(name), Some(error)),
                None => return Err(error),
            },
        };
        let with = |value: &str| {
            let value = name.map_or(value.to_owned(), |name| format!("{name}: {value}, "));
            format!("{}{value}{}", &text[..span.start], &text[span.end..])
        };
        let parse = |value: &str| experiment::parse_as::<D>(&with(value), Path::new(&document));
        // Shells eat quotes: what is no value may be a text.
        let parsed = parse(value).or_else(|error| parse(&format!("{value:?}")).map_err(|_| error));
        changed = parsed.map_err(|error| {
            let unknown = |name: &str| error.problems()[0].message.contains(&format!("`{name}`"));
            match nowhere {
                Some(nowhere) if error.code() == "P0103" && name.is_some_and(unknown) => {
                    // The parser knows fields that the text does not show.
                    let near = error.problems()[0].helps.iter().find(|help| help.starts_with("did you mean"));
                    match near {
                        Some(near) if nowhere.problems()[0].helps.is_empty() => nowhere.help(near.clone()),
                        _ => nowhere,
                    }
                }
                _ => error,
            }
        })?;
    }
    Ok(Loaded { path: loaded.path.clone(), ..changed })
}

/// `1..30`, both included, or `1,2,5`.
pub fn parse_seeds(text: &str) -> Result<Seeds> {
    let wrong = || {
        Error::experiment("P0109", format!("`--seeds {text}` cannot be understood"))
            .help("write `--seeds 1..30` (both included) or `--seeds 1,2,5`")
    };
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().map_err(|_| wrong());
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
        let count = last.checked_sub(first).and_then(|more| more.checked_add(1)).ok_or_else(wrong)?;
        return Ok(Seeds::Range { first, count: Count::new(count)? });
    }
    Ok(Seeds::List(text.split(',').map(number).collect::<Result<_>>()?))
}

/// A budget, or a number in the unit of `old`.
pub fn parse_budget(text: &str, old: Budget) -> Result<Budget> {
    let bare = text.chars().all(|c| c.is_ascii_digit() || "_.".contains(c));
    let whole = match old {
        _ if !bare => text.to_owned(),
        Budget::RowPasses(_) => format!("RowPasses({text})"),
        Budget::TrainingPasses(_) => format!("TrainingPasses({text})"),
    };
    experiment::dialect().from_str(&whole).map_err(|_| {
        Error::experiment("P0109", format!("`--budget {text}` cannot be understood"))
            .help("write `--budget 20_000`, or with its unit `--budget 'TrainingPasses(20_000)'`")
            .note(format!("the run's budget so far is {old}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_budget_has_the_unit_of_the_old_one() {
        let (rows, passes) = ("RowPasses(300)", "TrainingPasses(2.5)");
        let budget = |text: &str| experiment::dialect().from_str::<Budget>(text).unwrap();
        for (text, old, new) in [
            ("400", rows, "RowPasses(400)"),
            ("4_000", passes, "TrainingPasses(4000)"),
            ("7.5", passes, "TrainingPasses(7.5)"),
            ("RowPasses(1)", passes, "RowPasses(1)"),
            (" TrainingPasses(20_000) ", rows, "TrainingPasses(20000)"),
        ] {
            assert_eq!(parse_budget(text, budget(old)).unwrap(), budget(new), "{text}");
            assert_eq!(budget(new).to_string(), new);
        }
        for wrong in ["", "x", "7.5", "0", "-1", "RowPasses(0)", "TrainingPasses()", "400 rows"] {
            assert_eq!(parse_budget(wrong, budget(rows)).unwrap_err().code(), "P0109", "{wrong}");
        }
    }

    #[test]
    fn seeds_are_a_range_or_a_list() {
        let count = |count| Count::new(count).unwrap();
        assert_eq!(parse_seeds("1..30").unwrap(), Seeds::Range { first: 1, count: count(30) });
        assert_eq!(parse_seeds("7..=7").unwrap(), Seeds::Range { first: 7, count: count(1) });
        assert_eq!(parse_seeds("1, 2,5").unwrap(), Seeds::List(vec![1, 2, 5]));
        for wrong in ["", "a", "3..1", "1..", "..3", "-1", "1,,2", "0..18446744073709551615"] {
            assert!(parse_seeds(wrong).is_err(), "{wrong}");
        }
    }
}
