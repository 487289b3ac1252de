//! What can go wrong, said so that a user can mend it.
//!
//! Every refusal of the library is an [`Error`]: one or more [`Problem`]s, each with a stable code,
//! a message, the place it speaks of and the way out. The command line draws them; the library never prints.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Result of everything that can be refused.
pub type Result<T> = std::result::Result<T, Error>;

/// What sort of thing failed; decides the exit code of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A broken inner promise: a bug in precocial. Exit code 1.
    Internal,
    /// The command line or the experiment file. Exit code 2.
    Experiment,
    /// A data set or a model file. Exit code 3.
    Data,
    /// The file system. Exit code 4.
    Files,
    /// A limit of memory or budget. Exit code 5.
    Limit,
    /// A comparison or verification found a difference. Exit code 6.
    Difference,
    /// Somebody asked to stop; everything was saved. Exit code 130, or 128 and the signal's number.
    Interrupted,
}

impl Kind {
    /// Exit code of a process that ends with this kind of error.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Internal => 1,
            Kind::Experiment => 2,
            Kind::Data => 3,
            Kind::Files => 4,
            Kind::Limit => 5,
            Kind::Difference => 6,
            Kind::Interrupted => 130,
        }
    }
}

/// Where a problem lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// Line and column, counted from 1; `None` where the whole file is meant.
    pub line_column: Option<(usize, usize)>,
    /// The source text and the byte range in it to underline, for texts that are worth showing.
    pub excerpt: Option<(std::sync::Arc<str>, Range<usize>)>,
    /// A few words to stand under the excerpt's carets.
    pub label: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What sort of thing failed.
    pub kind: Kind,
    /// Stable code such as `P0121`; `precocial explain P0121` says more.
    pub code: &'static str,
    /// What was found and what was expected, without a final full stop.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Facts that help to understand.
    pub notes: Vec<String>,
    /// What to write or do instead.
    pub helps: Vec<String>,
}

/// One or more problems, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    problems: Vec<Problem>,
}

impl Error {
    /// A problem of the given kind and code.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Error {
        let problem =
            Problem { kind, code, message: message.into(), place: None, notes: Vec::new(), helps: Vec::new() };
        Error { problems: vec![problem] }
    }

    /// A broken inner promise.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(Kind::Internal, "P0001", message)
    }

    /// A problem of the experiment file or the command line.
    pub fn experiment(code: &'static str, message: impl Into<String>) -> Error {
        Error::new(Kind::Experiment, code, message)
    }

    /// A problem of a data set or model file.
    pub fn data(code: &'static str, message: impl Into<String>) -> Error {
        Error::new(Kind::Data, code, message)
    }

    /// A failed file operation: `doing` is what was tried, such as "writing".
    pub fn io(doing: &str, path: &Path, cause: &std::io::Error) -> Error {
        let code = match cause.kind() {
            std::io::ErrorKind::OutOfMemory => {
                let message = format!("there is not enough memory for {doing} {}", path.display());
                return Error::new(Kind::Limit, "P0140", message)
                    .help("end other programs, or raise the memory limit of the process or its container")
                    .help("if it is a table of data, use fewer rows or columns");
            }
            std::io::ErrorKind::NotFound => "P0501",
            std::io::ErrorKind::StorageFull => "P0502",
            std::io::ErrorKind::AlreadyExists => "P0503",
            _ => "P0504",
        };
        Error::new(Kind::Files, code, format!("{} while {doing} {}", plain_cause(cause), path.display()))
    }

    /// Several errors as one, sorted by place; `None` if there are none.
    pub fn all(errors: Vec<Error>) -> Option<Error> {
        let mut problems: Vec<Problem> = errors.into_iter().flat_map(|error| error.problems).collect();
        if problems.is_empty() {
            return None;
        }
        problems.sort_by_key(|problem| problem.place.as_ref().and_then(|place| place.line_column));
        Some(Error { problems })
    }

    /// Adds the way out.
    pub fn help(mut self, help: impl Into<String>) -> Error {
        self.last().helps.push(help.into());
        self
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Error {
        self.last().notes.push(note.into());
        self
    }

    /// Names the file; keeps a place that was already known.
    pub fn in_file(mut self, path: &Path) -> Error {
        let place = Place { path: path.to_owned(), line_column: None, excerpt: None, label: String::new() };
        self.last().place.get_or_insert(place);
        self
    }

    /// Names file, line and column, counted from 1.
    pub fn at(mut self, path: &Path, line: usize, column: usize) -> Error {
        let line_column = Some((line, column));
        self.last().place = Some(Place { path: path.to_owned(), line_column, excerpt: None, label: String::new() });
        self
    }

    /// Names the bytes of `source` (the text of `path`) that are wrong, with a label for the carets.
    pub fn span(
        mut self,
        path: &Path,
        source: &std::sync::Arc<str>,
        range: Range<usize>,
        label: impl Into<String>,
    ) -> Error {
        // Parsers count bytes and may stop inside a character; an excerpt shows whole ones.
        let start = (0..=range.start.min(source.len())).rev().find(|at| source.is_char_boundary(*at)).unwrap_or(0);
        let end = (range.end.min(source.len())..=source.len()).find(|at| source.is_char_boundary(*at));
        let end = end.unwrap_or(source.len()).max(start);
        let before = &source.as_bytes()[..start];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        self.last().place = Some(Place {
            path: path.to_owned(),
            line_column: Some((line, column)),
            excerpt: Some((source.clone(), start..end)),
            label: label.into(),
        });
        self
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems one by one, to be changed and put together again by [`Error::all`].
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Code of the first problem.
    pub fn code(&self) -> &'static str {
        self.problems[0].code
    }

    /// Kind of the first problem.
    pub fn kind(&self) -> Kind {
        self.problems[0].kind
    }

    fn last(&mut self) -> &mut Problem {
        self.problems.last_mut().expect("an error has at least one problem")
    }
}

fn plain_cause(cause: &std::io::Error) -> String {
    // "No space left on device (os error 28)" reads better without the number.
    let text = cause.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// `text` from a file as it may be shown, in one line: without control characters, which could move the cursor, and without
/// those that turn the direction of writing, which could make a name look like another.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61C}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
    };
    if !text.contains(hidden) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if hidden(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "error[{}]: {}", problem.code, problem.message)?;
            if let Some(place) = &problem.place {
                write!(f, "\n  --> {}", place.path.display())?;
                if let Some((line, column)) = place.line_column {
                    write!(f, ":{line}:{column}")?;
                }
                if !place.label.is_empty() {
                    write!(f, " {}", place.label)?;
                }
            }
            for note in &problem.notes {
                write!(f, "\n   = note: {note}")?;
            }
            for help in &problem.helps {
                write!(f, "\n   = help: {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error { problems: vec![problem] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_counts_lines_and_characters_from_one() {
        let source: std::sync::Arc<str> = "a\nbé: 10".into();
        let at = source.find("10").unwrap();
        let error = Error::experiment("P0121", "too large").span(Path::new("x.ron"), &source, at..at + 2, "found 10");
        assert_eq!(error.problems()[0].place.as_ref().unwrap().line_column, Some((2, 5)));
        let inside = Error::experiment("P0121", "in a letter").span(Path::new("x.ron"), &source, 4..4, "");
        let (_, range) = inside.problems()[0].place.as_ref().unwrap().excerpt.clone().unwrap();
        assert_eq!(range, 3..5, "an excerpt holds whole letters");
    }

    #[test]
    fn what_is_shown_cannot_move_the_cursor() {
        assert_eq!(printable("é <b> 語\u{1F600}"), "é <b> 語\u{1F600}");
        assert_eq!(printable("\u{1b}]0;x\u{7}\n"), "\\u{1b}]0;x\\u{7}\\n");
        assert_eq!(printable("\u{202e}gnp.exe\u{9b}31m"), "\\u{202e}gnp.exe\\u{9b}31m");
    }

    #[test]
    fn what_does_not_fit_into_memory_has_a_way_out() {
        let error = Error::io("reading", Path::new("big.npy"), &std::io::ErrorKind::OutOfMemory.into());
        let problem = &error.problems()[0];
        assert_eq!((error.code(), error.kind()), ("P0140", Kind::Limit));
        assert_eq!(problem.message, "there is not enough memory for reading big.npy");
        assert!(problem.helps.iter().any(|help| help.contains("fewer rows")));
    }

    #[test]
    fn problems_are_sorted_by_place() {
        let late = Error::data("P0203", "late").at(Path::new("d.csv"), 9, 1);
        let early = Error::data("P0204", "early").at(Path::new("d.csv"), 2, 7);
        let both = Error::all(vec![late, early]).unwrap();
        assert_eq!(both.code(), "P0204");
        assert!(Error::all(vec![]).is_none());
    }
}
