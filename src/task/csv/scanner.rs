//! Where cells begin in a file, and what no table should hold.
//!
//! The parser of the crate `csv` accepts an unclosed quote and knows cells without their places; this scanner walks
//! the same grammar beside it.

use super::super::file;
use crate::error::{Error, Result};
use std::io::{self, Read};
use std::path::Path;

/// Longest line; a longer one is no table, or a quote that was never closed.
const MAX_LINE: u64 = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// After a quote within quotes: the end, or the first half of a doubled one.
    QuoteInQuotes,
}

/// Walks a table byte by byte.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    delimiter: u8,
    state: State,
    /// Bytes seen.
    bytes: u64,
    line_start: u64,
    record_start: u64,
    /// Line and column of the next character, from 1.
    line: usize,
    column: usize,
    /// Cell of the record, from 0.
    cell: usize,
    after_return: bool,
    /// Where the last quote was opened.
    quote: (usize, usize),
}

impl Scanner {
    fn new(delimiter: u8) -> Scanner {
        Scanner {
            delimiter,
            state: State::CellStart,
            bytes: 0,
            line_start: 0,
            record_start: 0,
            line: 1,
            column: 1,
            cell: 0,
            after_return: false,
            quote: (1, 1),
        }
    }

    fn step(&mut self, byte: u8) {
        let byte_order_mark = self.bytes < 3 && byte == b"\xEF\xBB\xBF"[self.bytes as usize];
        self.bytes += 1;
        if byte_order_mark {
            return;
        }
        let second_half = byte == b'\n' && std::mem::take(&mut self.after_return);
        self.after_return = byte == b'\r';
        let line_ends = matches!(byte, b'\n' | b'\r');
        let (state, cell_ends) = match (self.state, byte) {
            (State::CellStart, b'"') => {
                self.quote = (self.line, self.column);
                (State::Quoted, false)
            }
            (State::Quoted, b'"') => (State::QuoteInQuotes, false),
            (State::QuoteInQuotes, b'"') => (State::Quoted, false),
            (State::Quoted, _) => (State::Quoted, false),
            (_, _) if line_ends || byte == self.delimiter => (State::CellStart, true),
            _ => (State::Plain, false),
        };
        self.state = state;
        if line_ends {
            self.line += usize::from(!second_half);
            self.column = 1;
            self.line_start = self.bytes;
        } else if byte & 0xC0 != 0x80 {
            // Bytes that continue a character stand in its column.
            self.column += 1;
        }
        if cell_ends {
            self.cell = if line_ends { 0 } else { self.cell + 1 };
            if line_ends {
                self.record_start = self.bytes;
            }
        }
    }
}

/// Passes a table on and stops at what cannot be one.
pub(super) struct Guard<'a, R> {
    inner: R,
    scanner: Scanner,
    path: &'a Path,
    first: Vec<u8>,
}

impl<'a, R: Read> Guard<'a, R> {
    pub fn new(inner: R, delimiter: u8, path: &'a Path) -> Guard<'a, R> {
        Guard { inner, scanner: Scanner::new(delimiter), path, first: Vec::new() }
    }

    fn inspect(&mut self, bytes: &[u8]) -> Result<()> {
        if self.first.len() < 4 {
            self.first.extend(bytes.iter().take(4 - self.first.len()));
            let wide = match self.first.as_slice() {
                [0xFF, 0xFE, 0, 0] | [0, 0, 0xFE, 0xFF] => Some("UTF-32"),
                [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
                _ => None,
            };
            if let Some(encoding) = wide {
                return Err(Error::data("P0201", format!("the table is written in {encoding}, not in UTF-8"))
                    .at(self.path, 1, 1)
                    .help("save it again as UTF-8 text; spreadsheets call that \"CSV UTF-8\""));
            }
        }
        for byte in bytes {
            if *byte == 0 {
                return Err(Error::data("P0201", "the table holds a NUL byte, so it is not plain text")
                    .at(self.path, self.scanner.line, self.scanner.column)
                    .help("save it again as UTF-8 text with cells between delimiters"));
            }
            self.scanner.step(*byte);
            if self.scanner.bytes - self.scanner.record_start > MAX_LINE {
                return Err(self.unclosed().unwrap_or_else(|| {
                    Error::data("P0201", format!("line {} is longer than 16 MiB", self.scanner.line)).at(
                        self.path,
                        self.scanner.line,
                        1,
                    )
                }));
            }
        }
        match self.unclosed() {
            Some(error) if bytes.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    fn unclosed(&self) -> Option<Error> {
        let (line, column) = self.scanner.quote;
        (self.scanner.state == State::Quoted).then(|| {
            Error::data("P0201", "a quote is opened here and never closed")
                .at(self.path, line, column)
                .help("close it, or write it twice (\"\") if it belongs to the text")
        })
    }
}

impl<R: Read> Read for Guard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if !buffer.is_empty() {
            self.inspect(&buffer[..read]).map_err(io::Error::other)?;
        }
        Ok(read)
    }
}

/// Line and column, from 1, at which cell `cell` (from 0) of the record at or after byte `offset` begins.
///
/// # Errors
/// A failed read.
pub(super) fn locate(
    source: impl Read,
    delimiter: u8,
    path: &Path,
    offset: u64,
    cell: usize,
) -> Result<(usize, usize)> {
    let mut scanner = Scanner::new(delimiter);
    let mut place = (1, 1);
    for byte in io::BufReader::new(source).bytes() {
        let byte = byte.map_err(|cause| file::failed(path, cause))?;
        let line_end = matches!(byte, b'\n' | b'\r');
        // The record begins behind the line ends that follow the one before.
        let begun = scanner.bytes >= offset && !(line_end && scanner.bytes == scanner.record_start);
        if begun && scanner.cell >= cell {
            return Ok((scanner.line, scanner.column));
        }
        scanner.step(byte);
        place = (scanner.line, scanner.column);
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_where_they_stand() {
        let check = |text: &str, offset: u64, cell, expected| {
            let found = locate(text.as_bytes(), b',', Path::new("t.csv"), offset, cell).unwrap();
            assert_eq!(found, expected, "{text:?} {offset} {cell}");
        };
        check("a,b\n1,2\n", 4, 1, (2, 3));
        check("a,b\r\n1,2\r\n", 4, 1, (2, 3));
        check("a,b\r1,2\r", 4, 0, (2, 1));
        check("a,b\n\n\n1,2\n", 4, 0, (4, 1));
        check("\u{FEFF}a,b\n", 0, 0, (1, 1));
        check("\u{FEFF}a,b\n", 0, 1, (1, 3));
        check("é,\"x,\"\"y\nz\",2\n", 0, 2, (2, 4));
        check("a,b\n1,", 4, 1, (2, 3));
    }
}
