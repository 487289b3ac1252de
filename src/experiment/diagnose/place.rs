//! Finding the lines that a problem comes from that showed only when the parts of an experiment met.

use crate::error::{Error, Kind, Problem};
use crate::experiment::outline::{Field, Outline, TokenKind, tokens};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Settings that problems of a code come from, in the order in which they are looked for.
const SETTINGS: &[(&str, &[&str])] = &[
    ("P0120", &["network.hidden"]),
    ("P0131", &["task.split"]),
    ("P0133", &["budget[0]", "budget"]),
    ("P0134", &["network.hidden"]),
    ("P0135", &["task.loss", "network.output", "task"]),
    ("P0137", &["train.batch", "train"]),
    ("P0139", &["seeds"]),
    ("P0146", &["network", "train"]),
    ("P0145", &["train.optimizer", "after.tuning", "train"]),
    ("P0140", &["search.population"]),
    ("P0209", &["task.data.target", "task.data", "task"]),
    ("P0212", &["task.split"]),
    ("P0501", &["task.data"]),
];

/// The error with the places in `source` that its problems come from, as far as they can be told.
pub(crate) fn locate(error: Error, source: &Arc<str>, path: &Path) -> Error {
    let outline = Outline::new(source);
    let placed = error.into_problems().into_iter().map(|problem| {
        let ours = matches!(problem.kind, Kind::Experiment | Kind::Limit) || problem.code == "P0501";
        if problem.place.is_some() || !ours || problem.code.starts_with("P05") && problem.kind == Kind::Files {
            return Error::from(problem);
        }
        let (problem, place) = find(problem, &outline);
        match place {
            Some((range, label)) => Error::from(problem).span(path, source, range, label),
            None => Error::from(problem).in_file(path),
        }
    });
    Error::all(placed.collect()).unwrap_or_else(|| Error::internal("an error without a problem"))
}

type Place = (Range<usize>, String);

fn find(mut problem: Problem, outline: &Outline) -> (Problem, Option<Place>) {
    let settings = outline.settings();
    let own = of_arm(&problem, outline, &settings);
    let place = match problem.code {
        _ if own.is_some() => own,
        "P0131" => outline.find("task.split").ok().map(|split| {
            let fields = split.fields.first().zip(split.fields.last());
            let range = fields.map_or(split.span.clone(), |(first, last)| first.name.start..last.span().end);
            // The sum reads better under the carets.
            let sum = problem.notes.iter().position(|note| note.starts_with("sums to"));
            (range, sum.map_or_else(String::new, |sum| problem.notes.remove(sum)))
        }),
        "P0107" => quoted(&problem.message).and_then(|name| {
            let mut same = settings.iter().filter(|(path, field)| {
                path.starts_with("arms[")
                    && outline.text(&field.value.span) == format!("\"{name}\"")
                    && is_name(outline, field)
            });
            let first = same.next()?.1.name.start;
            let line = 1 + outline.source[..first].matches('\n').count();
            problem.notes.push(format!("the first one stands on line {line}"));
            same.next().map(|(_, field)| (field.value.span.clone(), "second arm of this name".into()))
        }),
        "P0132" => reference(&mut problem, outline, &settings),
        "P0139" => outline.find("seeds").ok().and_then(|seeds| {
            let twice = problem.message.split_whitespace().nth(1)?;
            let mut inside = tokens(outline.source).into_iter().filter(|token| {
                seeds.span.start <= token.span.start
                    && token.span.end <= seeds.span.end
                    && outline.text(&token.span) == twice
            });
            inside.next_back().map(|token| (token.span, "second time".into()))
        }),
        "P0138" | "P0143" => word(outline, &problem.message),
        "P0160" | "P0161" | "P0162" => part(&problem, outline, &settings),
        "P0501" => {
            // Data files stand in the task, recipe files in any arm.
            let data = outline.find("task.data").map_or(0..0, |data| data.span.clone());
            let file = |text: &str| text.len() > 2 && problem.message.contains(text.trim_matches('"'));
            let mut quoted = tokens(outline.source).into_iter().filter(|token| token.kind == TokenKind::Quoted);
            let inside = |span: &Range<usize>| data.start <= span.start && span.end <= data.end;
            quoted
                .find(|token| {
                    let text = outline.text(&token.span);
                    file(text) && (inside(&token.span) || text.ends_with(".ron\""))
                })
                .map(|token| (token.span, String::new()))
        }
        "P0140" => memory(&problem, outline),
        _ => None,
    };
    let usual = || {
        let paths = SETTINGS.iter().find(|(code, _)| *code == problem.code).map_or(&[][..], |(_, paths)| paths);
        paths.iter().find_map(|path| outline.find(path).ok()).map(|node| (node.span.clone(), String::new()))
    };
    let place = place.or_else(|| named(&mut problem.clone(), outline, &settings)).or_else(usual);
    // What was found stands under the carets already if the file shows it.
    (problem, place)
}

/// The setting of an arm that has a network or training of its own, for problems that name the arm.
fn of_arm(problem: &Problem, outline: &Outline, settings: &[(String, &Field)]) -> Option<Place> {
    let about = problem.notes.iter().find(|note| note.starts_with("this is about what arm"));
    let about = if problem.code == "P0146" { Some(&problem.message) } else { about };
    let name = format!("\"{}\"", about?.split('"').nth(1)?);
    let (path, _) = settings.iter().find(|(path, field)| {
        path.starts_with("arms[") && is_name(outline, field) && outline.text(&field.value.span) == name
    })?;
    let arm = path.strip_suffix(".name")?;
    let usual = SETTINGS.iter().find(|(code, _)| *code == problem.code).map_or(&[][..], |(_, paths)| paths);
    // An arm that has nothing of its own is told by its name.
    let paths = usual.iter().chain(&["network", "train", "name"]).map(|path| format!("{arm}.{path}"));
    let node = paths.into_iter().find_map(|path| outline.find(&path).ok())?;
    Some((node.span.clone(), String::new()))
}

fn is_name(outline: &Outline, field: &Field) -> bool {
    outline.text(&field.name) == "name"
}

/// The last text in quotes of a message, of those before "names no arm"; the first one elsewhere.
fn quoted(message: &str) -> Option<&str> {
    let parts: Vec<&str> = message.split('"').collect();
    let quoted: Vec<&str> = parts.iter().skip(1).step_by(2).copied().collect();
    if message.contains("refers to") { quoted.get(1).copied() } else { quoted.first().copied() }
}

/// A name of an arm that no arm has.
fn reference(problem: &mut Problem, outline: &Outline, settings: &[(String, &Field)]) -> Option<Place> {
    let name = format!("\"{}\"", quoted(&problem.message)?);
    let in_circle = problem.message.contains("circle");
    let token = tokens(outline.source).into_iter().find(|token| {
        let owner = settings
            .iter()
            .rev()
            .find(|(_, field)| field.value.span.start <= token.span.start && token.span.end <= field.value.span.end);
        token.kind == TokenKind::Quoted
            && outline.text(&token.span) == name
            && owner.is_some_and(|(_, field)| is_name(outline, field) == in_circle)
    })?;
    let owner = settings
        .iter()
        .rev()
        .find(|(_, field)| field.value.span.start <= token.span.start && token.span.end <= field.value.span.end);
    if let Some((_, field)) = owner.filter(|_| !in_circle) {
        problem.message = format!("`{}` names no arm", outline.text(&field.name));
    }
    Some((token.span, String::new()))
}

/// What a message about a suite or a recipe search speaks of: a setting by its path, or a task, trainer or arm by its name.
fn part(problem: &Problem, outline: &Outline, settings: &[(String, &Field)]) -> Option<Place> {
    let message = &problem.message;
    // The test of a recipe search is a suite within its file.
    let within = if problem.notes.iter().any(|note| note == "in `test`") { "test." } else { "" };
    let mut paths = message.split('`').skip(1).step_by(2).filter(|path| path.contains('.'));
    if let Some(node) = paths.find_map(|path| outline.find(&format!("{within}{path}")).ok()) {
        return Some((node.span.clone(), String::new()));
    }
    let mut quoted = message.split('"').skip(1).step_by(2);
    quoted.find_map(|name| {
        // The file's own name is none of a part.
        let is_part = |path: &str| path != "name" && path.starts_with(within);
        let same = |field: &Field| is_name(outline, field) && outline.text(&field.value.span) == format!("\"{name}\"");
        let field = settings.iter().find(|(path, field)| is_part(path) && same(field))?.1;
        Some((field.value.span.clone(), String::new()))
    })
}

/// The word in backquotes of a message, where it stands in the text.
fn word(outline: &Outline, message: &str) -> Option<Place> {
    let word = message.split('`').nth(1)?;
    let token = tokens(outline.source).into_iter().find(|token| outline.text(&token.span) == word)?;
    Some((token.span, String::new()))
}

/// The population that takes the memory.
fn memory(problem: &Problem, outline: &Outline) -> Option<Place> {
    let arm = problem.notes.iter().find_map(|note| quoted(note))?;
    let settings = outline.settings();
    let (path, _) = settings.iter().find(|(path, field)| {
        path.starts_with("arms[") && is_name(outline, field) && outline.text(&field.value.span) == format!("\"{arm}\"")
    })?;
    let arm = path.strip_suffix(".name")?;
    let sizes = ["population", "candidates"].map(|size| format!("{arm}.method.{size}"));
    let node = sizes.iter().find_map(|size| outline.find(size).ok())?;
    Some((node.span.clone(), String::new()))
}

/// The setting that a message names in backquotes; the one with the value it found, if it says that.
fn named(problem: &mut Problem, outline: &Outline, settings: &[(String, &Field)]) -> Option<Place> {
    let found = problem.message.split(", found ").nth(1).map(|text| text.split(' ').next().unwrap_or_default());
    problem.message.split('`').skip(1).step_by(2).find_map(|name| {
        let mut same = settings.iter().filter(|(_, field)| outline.text(&field.name) == name);
        let first = same.clone().next()?;
        let value = |field: &Field| outline.text(&field.value.span).replace('_', "");
        let exact = found.and_then(|found| same.find(|(_, field)| value(field) == found));
        Some((exact.unwrap_or(first).1.value.span.clone(), String::new()))
    })
}
