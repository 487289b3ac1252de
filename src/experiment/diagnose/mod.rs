//! Saying what is wrong with an experiment file, where, and what to write instead.
//!
//! The parser stops at the first thing it does not understand. [`parse`] words that, mends it in a copy of the text with
//! as many bytes, and parses again, so that one run tells everything that can be told.

mod names;
mod place;
mod sniff;
mod syntax;
mod values;

pub(crate) use place::locate;

use crate::error::{Error, Result, printable};
use crate::experiment::load::{Document, dialect};
use crate::experiment::outline::{Node, Outline, Token, TokenKind, tokens};
use ron::error::SpannedError;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Most problems told in one go.
const MOST: usize = 20;

/// A document from its text.
///
/// # Errors
/// What is wrong with the text, up to 20 problems, each with its place.
pub(crate) fn parse<D: Document>(source: &Arc<str>, path: &Path) -> Result<D> {
    let mut text = source.to_string();
    let mut errors: Vec<Error> = Vec::new();
    // Groups from which a field was taken: what they then lack is no news.
    let mut doubtful: Vec<usize> = Vec::new();
    loop {
        let cause = match dialect().from_str::<D>(&text) {
            Ok(experiment) if errors.is_empty() => return Ok(experiment),
            Ok(_) => break,
            Err(cause) => cause,
        };
        if errors.is_empty()
            && let Some(error) = sniff::other_format(source, path)
        {
            return Err(error);
        }
        let case = Case::new(source, &text, path, &cause);
        if matches!(cause.code, ron::Error::MissingStructField { .. })
            && doubtful.contains(&case.group(case.at).span.start)
        {
            break;
        }
        let Finding { error, mend, doubt } = finding(&case, &cause.code);
        errors.push(error);
        doubtful.extend(doubt);
        let Some((range, mended)) = mend.filter(|_| errors.len() < MOST) else { break };
        debug_assert_eq!(range.len(), mended.len());
        // The same text would give the same error for ever.
        if text[range.clone()] == mended || range.len() != mended.len() {
            break;
        }
        text.replace_range(range, &mended);
    }
    Err(Error::all(errors).unwrap_or_else(|| Error::internal("an experiment failed to parse without an error")))
}

/// A problem, and perhaps how to go on.
struct Finding {
    error: Error,
    /// Bytes to put in place of as many bytes, after which parsing gets further.
    mend: Option<(Range<usize>, String)>,
    /// Start of a group that no longer is what its writer meant.
    doubt: Option<usize>,
}

impl From<Error> for Finding {
    fn from(error: Error) -> Finding {
        Finding { error, mend: None, doubt: None }
    }
}

impl Finding {
    fn mended(error: Error, range: Range<usize>, text: &str) -> Finding {
        let blanks = range.len().checked_sub(text.len());
        let mend = blanks.map(|blanks| (range, format!("{text}{}", " ".repeat(blanks))));
        Finding { error, mend, doubt: None }
    }
}

/// Where the parser stopped, in a text that may be mended in parts.
struct Case<'a> {
    source: &'a Arc<str>,
    path: &'a Path,
    /// The text that was parsed: as long as the source.
    text: &'a str,
    outline: Outline<'a>,
    tokens: Vec<Token>,
    /// Byte at which the parser stopped.
    at: usize,
    /// Index of the token that holds this byte, or of the next one.
    token: usize,
}

impl<'a> Case<'a> {
    fn new(source: &'a Arc<str>, text: &'a str, path: &'a Path, cause: &SpannedError) -> Case<'a> {
        let at = byte(text, cause.span.start.line, cause.span.start.col);
        let tokens = tokens(text);
        let token = tokens.iter().position(|token| token.span.end > at).unwrap_or(tokens.len());
        Case { source, path, text, outline: Outline::new(text), tokens, at, token }
    }

    /// Token number `index`; beyond the last one an empty one at the end of the text.
    fn span(&self, index: usize) -> Range<usize> {
        self.tokens.get(index).map_or(self.text.len()..self.text.len(), |token| token.span.clone())
    }

    fn kind(&self, index: usize) -> Option<TokenKind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    fn word(&self, index: usize) -> &'a str {
        &self.text[self.span(index)]
    }

    /// The text of token `index` as it may stand in a message.
    fn shown(&self, index: usize) -> String {
        shown(self.word(index))
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count()
    }

    /// Places an error.
    fn mark(&self, error: Error, range: Range<usize>, label: impl Into<String>) -> Error {
        error.span(self.path, self.source, range, label)
    }

    /// The innermost group around a byte, or the outermost value.
    fn group(&self, at: usize) -> &Node {
        let mut node = &self.outline.root;
        loop {
            let inside = |node: &&Node| node.is_group && node.span.start < at && at < node.span.end;
            let fields = node.fields.iter().map(|field| &field.value);
            match fields.chain(&node.items).find(inside) {
                Some(inner) => node = inner,
                None => return node,
            }
        }
    }

    /// Name of the innermost setting whose value is at a byte.
    fn field(&self, at: usize) -> Option<&'a str> {
        let settings = self.outline.settings();
        let holds = |span: Range<usize>| span.start <= at && at <= span.end;
        let around = settings.iter().rev().find(|(_, field)| holds(field.value.span.clone()));
        around.map(|(_, field)| self.outline.text(&field.name))
    }

    /// Whether the token is an item of a list.
    fn is_item(&self) -> bool {
        let span = self.span(self.token);
        let group = self.group(span.start);
        self.text[group.span.clone()].starts_with('[') && group.items.iter().any(|item| item.span.start == span.start)
    }

    /// What a group is called: its own name, or that of the setting it is the value of.
    fn name_of(&self, group: &Node) -> String {
        if let Some(name) = &group.name {
            return format!("`{}`", self.outline.text(name));
        }
        let start = group.span.start;
        let settings = self.outline.settings();
        let owner = settings
            .iter()
            .rev()
            .find(|(_, field)| field.value.span.start <= start && group.span.end <= field.value.span.end);
        match owner {
            Some((_, field)) if field.value.span == group.span => format!("`{}`", self.outline.text(&field.name)),
            Some((_, field)) => format!("an item of `{}`", self.outline.text(&field.name)),
            None => "`Experiment`".into(),
        }
    }
}

fn finding(case: &Case, cause: &ron::Error) -> Finding {
    use ron::Error as E;
    if let Some(finding) = syntax::slip(case) {
        return finding;
    }
    let at_an_end = matches!(case.kind(case.token), None | Some(TokenKind::Close));
    let of_a_group =
        matches!(cause, E::NoSuchStructField { .. } | E::MissingStructField { .. } | E::DuplicateStructField { .. });
    // A bracket that is missing or too many puts what follows into the wrong group; that is all there is to say.
    if (at_an_end || of_a_group)
        && let Some(error) = syntax::brackets(case)
    {
        return error.into();
    }
    match cause {
        E::Message(message) => values::refused(case, message),
        E::NoSuchStructField { found, expected, .. } => names::field(case, found, expected),
        E::NoSuchEnumVariant { found, expected, .. } => names::variant(case, found, expected),
        E::MissingStructField { field, .. } => names::missing(case, field),
        E::DuplicateStructField { field, .. } => names::duplicate(case, field),
        E::ExpectedDifferentStructName { expected, .. } => names::other_name(case, expected),
        E::InvalidEscape(_) => syntax::escape(case),
        E::ExpectedInteger
        | E::InvalidIntegerDigit { .. }
        | E::IntegerOutOfBounds
        | E::UnderscoreAtBeginning
        | E::ExpectedFloat
        | E::FloatUnderscore
        | E::ExpectedString
        | E::ExpectedStringEnd
        | E::ExpectedBoolean
        | E::ExpectedChar
        | E::ExpectedArray
        | E::ExpectedStructLike
        | E::ExpectedNamedStructLike(_)
        | E::ExpectedIdentifier
        | E::InvalidIdentifier(_)
        | E::SuggestRawIdentifier(_)
        | E::ExpectedUnit
        | E::ExpectedOption
        | E::InvalidValueForType { .. } => values::other_type(case, cause),
        _ => syntax::broken(case, cause),
    }
}

/// Byte of a line and a column, both counted from 1, the column in characters.
fn byte(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[start.min(text.len())..];
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

/// A piece of the file as it may stand in a message: one line, 60 characters at most.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", printable(&short))
}

/// The nearest of some names within two edits, letters' case apart.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    // Two edits make most short names out of each other.
    let most = if lower.chars().count() <= 3 { 1 } else { 2 };
    let distance = |known: &str| strsim::osa_distance(&lower, &known.to_lowercase());
    let near = known.into_iter().map(|known| (distance(known), known));
    near.filter(|(edits, _)| *edits <= most).min_by_key(|(edits, _)| *edits).map(|(_, known)| known)
}

#[cfg(test)]
mod tests;
