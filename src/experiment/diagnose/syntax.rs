//! Brackets, commas and other signs.

use super::{Case, Finding};
use crate::error::Error;
use crate::experiment::outline::{Token, TokenKind};
use std::ops::Range;

/// Slips of the pen that the parser meets as something else: percent signs, decimal commas, texts without an end.
pub(super) fn slip(case: &Case) -> Option<Finding> {
    let near = case.token.saturating_sub(3)..=case.token + 1;
    near.clone()
        .find_map(|index| percent(case, index))
        .or_else(|| near.clone().find_map(|index| decimal_comma(case, index)))
        .or_else(|| endless_text(case))
        .or_else(|| near.clone().find_map(|index| equals(case, index)))
}

fn percent(case: &Case, index: usize) -> Option<Finding> {
    let word = case.word(index);
    let share: f64 = word.strip_suffix('%')?.parse().ok()?;
    let error = Error::experiment("P0112", "percent signs are not understood");
    let span = case.span(index);
    Some(Finding::mended(case.mark(error, span.clone(), "").help(format!("write `{:.2}`", share / 100.0)), span, "1"))
}

fn is_whole(word: &str) -> bool {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '_')
}

fn decimal_comma(case: &Case, index: usize) -> Option<Finding> {
    let (before, comma, after) = (case.span(index), case.span(index + 1), case.span(index + 2));
    let alone = index > 0 && case.kind(index - 1) == Some(TokenKind::Colon);
    let touching = before.end == comma.start && comma.end == after.start;
    let whole = is_whole(case.word(index)) && case.word(index + 1) == "," && after.end > after.start;
    let decimals = case.word(index + 2).chars().all(|c| c.is_ascii_digit());
    // `(1, name: …` is a pair or a field; `first: 1,2` is neither.
    if !(alone && touching && whole && decimals) || case.kind(index + 3) == Some(TokenKind::Colon) {
        return None;
    }
    let span = before.start..after.end;
    let number = format!("{}.{}", case.word(index), case.word(index + 2));
    let error = Error::experiment("P0111", "a decimal point is needed, found a comma");
    Some(Finding::mended(case.mark(error, span.clone(), "").help(format!("write `{number}`")), span, &number))
}

/// A text that holds a line's end has swallowed what follows.
fn endless_text(case: &Case) -> Option<Finding> {
    let span = case.span(case.token);
    let text = &case.text[span.clone()];
    let closed = text.len() > 1 && text.ends_with('"');
    if !text.starts_with('"') || (closed && !text.contains('\n')) {
        return None;
    }
    let length = text.find('\n').unwrap_or(text.len());
    let error = Error::experiment("P0110", "this text has no end on its line");
    let error = case.mark(error, span.start..span.start + length, "begins here");
    Some(error.help("close the text with `\"`").into())
}

fn equals(case: &Case, index: usize) -> Option<Finding> {
    let span = case.span(index);
    if case.word(index) != "=" || span.start < case.at.saturating_sub(1) || index == 0 {
        return None;
    }
    let error = Error::experiment("P0110", "RON writes a colon between a field and its value");
    let value = if case.kind(index + 1) == Some(TokenKind::Word) { case.shown(index + 1) } else { "…".into() };
    let error = case.mark(error, span.clone(), "").help(format!("write `{}: {value}`", case.shown(index - 1)));
    Some(Finding::mended(error, span, ":"))
}

/// `\d` in a text.
pub(super) fn escape(case: &Case) -> Finding {
    let span = case.span(case.token);
    let text = &case.text[span.clone()];
    let unknown = text.split('\\').nth(1).and_then(|rest| rest.chars().next());
    let what = unknown.map_or("a backslash".to_owned(), |c| format!("`\\{}`", c.escape_debug()));
    let error =
        case.mark(Error::experiment("P0113", format!("{what} in a text is read as an escape")), span.clone(), "");
    let slashes = text.replace('\\', "/");
    Finding::mended(error.help(format!("write {} or r{}", super::shown(&slashes), super::shown(text))), span, &slashes)
}

/// Whatever else is wrong with brackets and commas.
pub(super) fn broken(case: &Case, cause: &ron::Error) -> Finding {
    use ron::Error as E;
    if let Some(error) = brackets(case) {
        return error.into();
    }
    match cause {
        E::ExpectedComma | E::ExpectedMapEnd | E::ExpectedArrayEnd | E::ExpectedStructLikeEnd => comma(case),
        E::ExpectedMapColon => {
            let error = Error::experiment("P0110", "a colon is needed between a field and its value");
            let name = case.shown(case.token.saturating_sub(1));
            case.mark(error, case.span(case.token), "").help(format!("write `{name}: …`")).into()
        }
        E::TrailingCharacters => {
            let error = Error::experiment("P0110", "the experiment ends before this");
            case.mark(error, case.span(case.token), "").help("remove what follows its last bracket").into()
        }
        E::ExceededRecursionLimit => {
            let error = Error::experiment("P0110", "brackets are nested too deeply");
            case.mark(error, case.span(case.token), "").help("an experiment needs about ten levels").into()
        }
        E::UnclosedBlockComment => {
            let start = case.text.rfind("/*").unwrap_or(0);
            let error = Error::experiment("P0110", "a comment has no end");
            case.mark(error, start..start + 2, "begins here").help("close it with `*/`").into()
        }
        other => {
            let text = other.to_string();
            let mut letters = text.chars();
            let text: String = letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default();
            let error = Error::experiment("P0100", super::shown(&text));
            let error = case.mark(error, case.span(case.token), "");
            error.help("`precocial schema` prints what may be written").into()
        }
    }
}

fn comma(case: &Case) -> Finding {
    let span = case.span(case.token);
    let before = case.token.saturating_sub(1);
    let end = case.span(before).end;
    if case.kind(case.token) == Some(TokenKind::Open) && case.kind(before) == Some(TokenKind::Word) {
        let name = case.shown(before);
        let error = Error::experiment("P0106", format!("`{name}` has no settings"));
        let close = matching(case, case.token);
        return Finding::mended(
            case.mark(error, span.start..close, "").help(format!("write `{name}`")),
            span.start..close,
            "",
        );
    }
    if span.start < case.at {
        // The parser took the first half of something.
        return super::values::other_type(case, &ron::Error::ExpectedInteger);
    }
    let later_line = case.line(span.start) > case.line(end);
    let message = if later_line {
        "a comma is missing at the end of this line".to_owned()
    } else {
        format!("a comma is missing before `{}`", case.shown(case.token))
    };
    let error = case.mark(Error::experiment("P0110", message), end..end, "");
    let error = error.help("RON puts a comma between fields, also at line ends");
    if case.text[end..].starts_with([' ', '\t', '\n', '\r']) {
        return Finding::mended(error, end..end + 1, ",");
    }
    error.into()
}

/// End of the group that token `open` opens.
fn matching(case: &Case, open: usize) -> usize {
    let mut depth = 0_usize;
    for token in &case.tokens[open..] {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return token.span.end;
        }
    }
    case.text.len()
}

/// Brackets that do not fit: of the wrong kind, too many, too few.
pub(super) fn brackets(case: &Case) -> Option<Error> {
    let mut open: Vec<usize> = Vec::new();
    // Pairs whose closing line stands further left than the opening one: a bracket is missing in there.
    let mut suspect: Option<usize> = None;
    for (index, token) in case.tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => open.push(index),
            TokenKind::Close => {
                let Some(opener) = open.pop() else {
                    let error = Error::experiment("P0110", format!("`{}` closes nothing", case.word(index)));
                    return Some(
                        case.mark(error, token.span.clone(), "").help("remove it, or look for one too many above"),
                    );
                };
                let closer = closer(case.word(opener));
                if case.word(index) != closer {
                    let message = format!("`{}` cannot close `{}`", case.word(index), opening(case, opener));
                    let line = case.line(case.span(opener).start);
                    let error = case.mark(Error::experiment("P0110", message), token.span.clone(), "");
                    let error = error
                        .help(format!("write `{closer}`, or close what was opened in between"))
                        .note(format!("`{}` was opened on line {line}", opening(case, opener)));
                    return Some(suspected(case, error, suspect));
                }
                let (from, to) = (indentation(case, opener), indentation(case, index));
                if suspect.is_none() && is_first(case, token) && to < from {
                    suspect = Some(opener);
                }
            }
            _ => {}
        }
    }
    let opener = *open.last()?;
    let line = case.line(case.span(opener).start);
    let message = format!("the file ends inside `{}` opened on line {line}", opening(case, opener));
    let error = case.mark(Error::experiment("P0110", message), opening_span(case, opener), "");
    let closers: String = open.iter().rev().map(|opener| closer(case.word(*opener))).collect();
    let error = error.help(format!("add `{closers}` at the end of the file"));
    Some(suspected(case, error, suspect))
}

/// Names the bracket whose closing one stands further left than itself.
fn suspected(case: &Case, error: Error, suspect: Option<usize>) -> Error {
    let Some(suspect) = suspect else { return error };
    let line = case.line(case.span(suspect).start);
    error.note(format!(
        "perhaps `{}` on line {line} lacks its own: what closes it now stands further left",
        opening(case, suspect)
    ))
}

fn closer(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

/// `Genetic(` for a bracket with a name, `(` without.
fn opening(case: &Case, opener: usize) -> String {
    super::shown(&case.text[opening_span(case, opener)])
}

fn opening_span(case: &Case, opener: usize) -> Range<usize> {
    let span = case.span(opener);
    let named = opener > 0 && case.kind(opener - 1) == Some(TokenKind::Word) && case.span(opener - 1).end == span.start;
    if named { case.span(opener - 1).start..span.end } else { span }
}

fn line_start(case: &Case, at: usize) -> usize {
    case.text[..at].rfind('\n').map_or(0, |end| end + 1)
}

fn is_first(case: &Case, token: &Token) -> bool {
    case.text[line_start(case, token.span.start)..token.span.start].trim().is_empty()
}

fn indentation(case: &Case, index: usize) -> usize {
    let start = line_start(case, case.span(index).start);
    case.text[start..].chars().take_while(|c| *c == ' ' || *c == '\t').count()
}
