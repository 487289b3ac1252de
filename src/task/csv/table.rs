//! Reading a table row by row, and saying precisely what is wrong with it.

use super::super::categories::Categories;
use super::super::file::{self, MAX_CELLS, shown};
use super::super::{Dataset, Imputation, TargetKind, Targets};
use super::scanner::{Guard, locate};
use super::{Column, Csv, Missing};
use crate::error::{Error, Result};
use ::csv::{ByteRecord, Reader, ReaderBuilder};
use ndarray::Array2;
use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// Most categories of one column, and most classes.
const MAX_CATEGORIES: usize = 1000;

/// Opens a table from its beginning.
pub(in super::super) type Open<'a> = &'a dyn Fn() -> io::Result<Box<dyn Read>>;

/// A table that is to be read.
pub(super) struct Table<'a> {
    pub settings: &'a Csv,
    pub open: Open<'a>,
    pub path: &'a Path,
    /// About how many bytes it has.
    pub length: u64,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Dropped,
    Number,
    Category,
    TargetNumber,
    TargetClass,
    /// Classes that nobody learns.
    Label,
}

/// A cell, for messages.
struct Cell<'a> {
    /// Byte of the file at which its record begins, or the line ends before it.
    offset: u64,
    /// From 1.
    row: usize,
    /// From 0.
    column: usize,
    name: &'a str,
    text: &'a str,
}

/// What was read so far.
struct Rows {
    names: Vec<String>,
    roles: Vec<Role>,
    /// `[kept rows × input columns]`, a category as its code.
    inputs: Vec<f64>,
    values: Vec<f64>,
    labels: Vec<u32>,
    /// `[columns]`
    categories: Vec<Categories>,
    read: usize,
    kept: usize,
    with_holes: usize,
    /// `[columns]`
    holes: Vec<bool>,
    first_hole: Option<Error>,
}

/// The finished inputs.
struct Inputs {
    numbers: Array2<f64>,
    names: Vec<String>,
    /// Columns that are one category.
    groups: Vec<Range<usize>>,
}

impl Table<'_> {
    /// Reads all of it.
    pub fn read(&self, kind: TargetKind) -> Result<Dataset> {
        let delimiter = self.settings.delimiter as u8;
        let source = (self.open)().map_err(|cause| file::failed(self.path, cause))?;
        let mut reader = self.parser(delimiter, Guard::new(source, delimiter, self.path));
        let mut record = ByteRecord::new();
        if !self.next(&mut reader, &mut record)? {
            return Err(self.malformed("the table is empty"));
        }
        self.check_delimiter(&record)?;
        let names = self.names(&record)?;
        let roles = self.roles(&names, kind)?;
        let mut rows = Rows::new(names, roles);
        let mut more = if self.settings.header { self.next(&mut reader, &mut record)? } else { true };
        while more {
            self.add(&mut rows, &record)?;
            if rows.read == 100 {
                self.reserve(&mut rows, reader.position().byte())?;
            }
            more = self.next(&mut reader, &mut record)?;
        }
        self.finish(rows)
    }

    fn add(&self, rows: &mut Rows, record: &ByteRecord) -> Result<()> {
        rows.read += 1;
        if record.len() != rows.names.len() {
            return Err(self.ragged(record, rows));
        }
        if !self.is_kept(rows, record)? {
            return Ok(());
        }
        rows.kept += 1;
        for (column, role) in rows.roles.iter().enumerate().filter(|(_, role)| **role != Role::Dropped) {
            let cell = self.cell(&rows.names, rows.read, record, column)?;
            match role {
                Role::Number | Role::Category if is_missing(cell.text) => rows.inputs.push(f64::NAN),
                Role::Number => rows.inputs.push(self.number(&cell, *role)?),
                Role::TargetNumber => rows.values.push(self.number(&cell, *role)?),
                Role::Category | Role::TargetClass => {
                    let code = rows.categories[column].code(cell.text);
                    if rows.categories[column].len() > MAX_CATEGORIES {
                        return Err(self.too_many_categories(&cell, *role));
                    }
                    if *role == Role::Category { rows.inputs.push(f64::from(code)) } else { rows.labels.push(code) }
                }
                Role::Label => rows.labels.push(rows.categories[column].code(cell.text)),
                Role::Dropped => {}
            }
        }
        if rows.inputs.len() > MAX_CELLS {
            return Err(file::too_many_cells(rows.inputs.len()).in_file(self.path));
        }
        Ok(())
    }

    /// Notes the row's missing cells and tells whether it stays nevertheless.
    fn is_kept(&self, rows: &mut Rows, record: &ByteRecord) -> Result<bool> {
        let (mut input_missing, mut target_missing) = (false, false);
        for column in 0..rows.roles.len() {
            let missing = match rows.roles[column] {
                Role::Dropped | Role::Label => continue,
                Role::Number | Role::Category => &mut input_missing,
                Role::TargetNumber | Role::TargetClass => &mut target_missing,
            };
            if is_missing(self.cell(&rows.names, rows.read, record, column)?.text) {
                *missing = true;
                rows.holes[column] = true;
                if self.settings.missing == Missing::Reject && rows.first_hole.is_none() {
                    rows.first_hole = Some(self.hole(&self.cell(&rows.names, rows.read, record, column)?));
                }
            }
        }
        rows.with_holes += usize::from(input_missing || target_missing);
        let filled = matches!(self.settings.missing, Missing::Impute { .. });
        Ok(rows.first_hole.is_none() && !target_missing && (!input_missing || filled))
    }

    fn cell<'r>(&self, names: &'r [String], row: usize, record: &'r ByteRecord, column: usize) -> Result<Cell<'r>> {
        let offset = record.position().map_or(0, ::csv::Position::byte);
        let name = &names[column];
        let text = std::str::from_utf8(&record[column]).map_err(|_| {
            let message = format!("row {}, column {} (\"{}\") is not UTF-8 text", row, column + 1, shown(name));
            self.at_cell(Error::data("P0201", message), offset, column)
                .help("save the table again as UTF-8; spreadsheets call that \"CSV UTF-8\"")
        })?;
        Ok(Cell { offset, row, column, name, text: text.trim() })
    }

    fn finish(&self, mut rows: Rows) -> Result<Dataset> {
        if let Some(error) = rows.first_hole.take() {
            let have = if rows.with_holes == 1 { "has" } else { "have" };
            let note = format!("{} of {} rows {have} missing values, in {}", rows.with_holes, rows.read, rows.holey());
            return Err(error.note(note));
        }
        if rows.read == 0 {
            return Err(self.malformed("the table has a header but no rows"));
        }
        if rows.kept == 0 {
            return Err(self
                .malformed(format!("each of the {} rows has missing values", rows.read))
                .help("drop the columns that are mostly empty, or choose `missing: Impute(with: Median)`"));
        }
        let mut notes = Vec::new();
        if rows.kept < rows.read {
            let left_out = rows.read - rows.kept;
            notes.push(format!(
                "{left_out} of {} rows were left out for missing values, in {}",
                rows.read,
                rows.holey()
            ));
        }
        let targets = self.targets(&mut rows)?;
        let inputs = rows.spread_categories().map_err(|error| error.in_file(self.path))?;
        let impute = match self.settings.missing {
            Missing::Impute { with } => Some(Imputation { with, groups: inputs.groups }),
            _ => None,
        };
        if inputs.numbers.iter().any(|x| x.is_nan()) {
            notes.push(format!("missing values, in {}, are filled as the training rows tell", rows.holey()));
        }
        Ok(Dataset {
            name: file::stem(self.path),
            inputs: inputs.numbers,
            input_names: inputs.names,
            targets,
            impute,
            files: Vec::new(),
            notes,
        })
    }

    fn targets(&self, rows: &mut Rows) -> Result<Targets> {
        let is_target =
            |column: &usize| matches!(rows.roles[*column], Role::TargetNumber | Role::TargetClass | Role::Label);
        let columns: Vec<usize> = (0..rows.roles.len()).filter(is_target).collect();
        if columns.is_empty() {
            return Ok(Targets::Inputs { labels: Vec::new(), classes: Vec::new() });
        }
        if rows.roles[columns[0]] == Role::TargetNumber {
            let names = columns.iter().map(|&column| rows.names[column].clone()).collect();
            return Ok(Targets::Values {
                values: matrix(rows.kept, columns.len(), std::mem::take(&mut rows.values))?,
                names,
            });
        }
        let (names, rank) = std::mem::take(&mut rows.categories[columns[0]]).ordered();
        let mut labels = std::mem::take(&mut rows.labels);
        labels.iter_mut().for_each(|label| *label = rank[*label as usize]);
        if rows.roles[columns[0]] == Role::Label {
            // One label, or more than anybody tells apart, label nothing.
            let told = (2..=MAX_CATEGORIES).contains(&names.len());
            let (labels, classes) = if told { (labels, names) } else { Default::default() };
            return Ok(Targets::Inputs { labels, classes });
        }
        if names.len() < 2 {
            let message = format!("the target column \"{}\" holds one class only", shown(&rows.names[columns[0]]));
            return Err(Error::data("P0209", message)
                .note(format!("every row is \"{}\"", shown(&names[0])))
                .in_file(self.path)
                .help("two classes are needed at least"));
        }
        Ok(Targets::Classes { labels, names })
    }

    fn check_delimiter(&self, first: &ByteRecord) -> Result<()> {
        if first.len() > 1 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&first[0]).into_owned();
        let counts = [';', ',', '\t', '|'].map(|delimiter| (line.matches(delimiter).count(), delimiter));
        let (count, better) = counts.into_iter().rev().max_by_key(|(count, _)| *count).unwrap_or_default();
        if count == 0 {
            return Err(Error::data("P0202", "the table has only one column; a target needs an input beside it")
                .at(self.path, 1, 1)
                .help("if there are more columns, say with `delimiter: '…'` what stands between them"));
        }
        let shown_delimiter = better.escape_default();
        let mut error =
            Error::data("P0202", format!("the table has only one column; it looks separated by `{shown_delimiter}`"))
                .at(self.path, 1, 1)
                .help(format!("add `delimiter: '{shown_delimiter}'`"));
        let names: Vec<String> = line.split(better).map(|name| shown(name.trim().trim_matches('"'))).collect();
        if self.settings.header {
            error = error.note(format!("with `{shown_delimiter}` the columns would be {}", some(&names)));
        }
        let commas = self.decimal_commas(better);
        if commas > 0 && self.settings.decimal != ',' {
            let cells = if commas == 1 { "1 cell uses".into() } else { format!("{commas} cells use") };
            error = error.note(format!("{cells} a decimal comma, which is then understood only with `decimal: ','`"));
        }
        Err(error)
    }

    /// How many cells would be numbers with a decimal comma if `delimiter` stood between them.
    fn decimal_commas(&self, delimiter: char) -> usize {
        let Ok(source) = (self.open)() else { return 0 };
        let mut reader = self.parser(delimiter as u8, Guard::new(source, delimiter as u8, self.path));
        let mut record = ByteRecord::new();
        let mut commas = 0;
        while reader.read_byte_record(&mut record).unwrap_or(false) {
            let texts = record.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
            commas += texts.filter(|text| text.contains(',') && parse(text.trim(), ',').is_some()).count();
        }
        commas
    }

    fn names(&self, first: &ByteRecord) -> Result<Vec<String>> {
        if !self.settings.header {
            return Ok((1..=first.len()).map(|number| format!("column {number}")).collect());
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut names = Vec::with_capacity(first.len());
        for (column, bytes) in first.iter().enumerate() {
            let text = std::str::from_utf8(bytes).map_err(|_| {
                let error = Error::data("P0201", format!("the name of column {} is not UTF-8 text", column + 1));
                self.at_cell(error, 0, column).help("save the table again as UTF-8")
            })?;
            let name = match text.trim() {
                "" => format!("column {}", column + 1),
                name => name.to_owned(),
            };
            if let Some(earlier) = places.insert(name.clone(), column) {
                let message =
                    format!("columns {} and {} are both called \"{}\"", earlier + 1, column + 1, shown(&name));
                return Err(self
                    .at_cell(Error::data("P0201", message), 0, column)
                    .help("rename one of them; if the first line holds no names, add `header: false`"));
            }
            names.push(name);
        }
        Ok(names)
    }

    fn roles(&self, names: &[String], kind: TargetKind) -> Result<Vec<Role>> {
        let settings = self.settings;
        let targets = settings.targets();
        if (targets.is_empty() && kind != TargetKind::Inputs) || (targets.len() > 1 && kind == TargetKind::Classes) {
            let message = format!("a classification has one target column, found {}", targets.len());
            let message = if targets.is_empty() { "`target` names no column".to_owned() } else { message };
            return Err(Error::experiment("P0209", message).help("write `target: Name(\"…\")`"));
        }
        let target = match kind {
            TargetKind::Classes => Role::TargetClass,
            TargetKind::Values => Role::TargetNumber,
            TargetKind::Inputs if targets.len() == 1 => Role::Label,
            TargetKind::Inputs => Role::Dropped,
        };
        let mut roles = vec![Role::Number; names.len()];
        let lists = [
            (&targets, target, "target"),
            (&settings.drop, Role::Dropped, "drop"),
            (&settings.categorical, Role::Category, "categorical"),
        ];
        let mut taken: Vec<Option<&str>> = vec![None; names.len()];
        for (columns, role, list) in lists {
            for column in columns {
                let place = self.place(column, names)?;
                if let Some(other) = taken[place].replace(list) {
                    let twice = if other == list {
                        format!("twice in `{list}`")
                    } else {
                        format!("in `{other}` and in `{list}`")
                    };
                    return Err(Error::experiment(
                        "P0207",
                        format!("column \"{}\" stands {twice}", shown(&names[place])),
                    )
                    .help("name it in one place only"));
                }
                roles[place] = role;
            }
        }
        if !roles.iter().any(|role| matches!(role, Role::Number | Role::Category)) {
            return Err(Error::data("P0207", "no input column is left beside the target")
                .in_file(self.path)
                .help("drop fewer columns"));
        }
        Ok(roles)
    }

    fn place(&self, column: &Column, names: &[String]) -> Result<usize> {
        let unknown = |message: String| {
            let columns: Vec<String> = names.iter().map(|name| shown(name)).collect();
            Error::data("P0207", message).at(self.path, 1, 1).note(format!("columns are {}", some(&columns)))
        };
        match column {
            Column::Index(number) if number.get() <= names.len() => Ok(number.get() - 1),
            Column::Index(number) => {
                Err(unknown(format!("there is no column {}; the table has {}", number.get(), names.len())))
            }
            Column::Name(name) => names.iter().position(|known| known == name.trim()).ok_or_else(|| {
                let error = unknown(format!("no column is called \"{}\"", shown(name)));
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                match file::nearest(name, &known) {
                    Some(near) => error.help(format!("did you mean \"{}\"?", shown(near))),
                    None if !self.settings.header => {
                        error.help("without a header, columns are named by place: `Index(1)`")
                    }
                    None => error,
                }
            }),
        }
    }

    fn number(&self, cell: &Cell, role: Role) -> Result<f64> {
        if let Some(x) = parse(cell.text, self.settings.decimal)
            && x.is_finite()
        {
            return Ok(x);
        }
        let named = format!("\"{}\" in column {} (\"{}\")", shown(cell.text), cell.column + 1, shown(cell.name));
        if cell.text.parse::<f64>().is_ok_and(|x| !x.is_finite()) {
            let error = Error::data("P0203", format!("{named} is not a finite number"));
            return Err(self
                .at_cell(error, cell.offset, cell.column)
                .help("correct the cell; if it means a missing value, leave it empty"));
        }
        let error = self.at_cell(Error::data("P0203", format!("{named} is not a number")), cell.offset, cell.column);
        let other = if self.settings.decimal == ',' { '.' } else { ',' };
        if parse(cell.text, other).is_some() {
            return Err(error
                .help(format!("if `{other}` stands before the decimals, add `decimal: '{other}'`"))
                .help("if it stands between thousands, remove it from the table"));
        }
        let column = if self.settings.header {
            format!("Name(\"{}\")", shown(cell.name))
        } else {
            format!("Index({})", cell.column + 1)
        };
        Err(match role {
            Role::TargetNumber => error.help("if the target is a class, use `task: Classification(…)`"),
            _ => error
                .help(format!("if it is a category, add `categorical: [{column}]`"))
                .help(format!("if it should be ignored, add `drop: [{column}]`")),
        })
    }

    fn too_many_categories(&self, cell: &Cell, role: Role) -> Error {
        let (what, help) = match role {
            Role::TargetClass => ("classes", "if it is a number to be predicted, use `task: Regression(…)`"),
            _ => ("categories", "if it is a number or a name of the row, remove it from `categorical` or drop it"),
        };
        let message =
            format!("column {} (\"{}\") has more than {MAX_CATEGORIES} {what}", cell.column + 1, shown(cell.name));
        self.at_cell(Error::data("P0209", message), cell.offset, cell.column).help(help)
    }

    fn hole(&self, cell: &Cell) -> Error {
        let is =
            if cell.text.is_empty() { "is empty".to_owned() } else { format!("is missing (\"{}\")", shown(cell.text)) };
        let message = format!("row {}, column {} (\"{}\") {is}", cell.row, cell.column + 1, shown(cell.name));
        self.at_cell(Error::data("P0204", message), cell.offset, cell.column)
            .help("choose `missing: DropRows` or `missing: Impute(with: Median)`")
    }

    fn ragged(&self, record: &ByteRecord, rows: &Rows) -> Error {
        let (found, expected) = (record.len(), rows.names.len());
        let cells = if found == 1 { "cell" } else { "cells" };
        let other = if self.settings.header { "the header" } else { "the first row" };
        let message = format!("row {} has {found} {cells}, {other} has {expected}", rows.read);
        let offset = record.position().map_or(0, ::csv::Position::byte);
        let error = self.at_cell(Error::data("P0201", message), offset, found.min(expected).saturating_sub(1));
        let trailing = found == expected + 1 && record[found - 1].is_empty();
        error.help(if trailing {
            "remove the delimiter at the end of the line, or add one to the header"
        } else if found > expected {
            "put cells that hold the delimiter into quotes"
        } else {
            "add the cells that are missing; they may be empty"
        })
    }

    fn malformed(&self, message: impl Into<String>) -> Error {
        Error::data("P0201", message).in_file(self.path)
    }

    fn at_cell(&self, error: Error, offset: u64, cell: usize) -> Error {
        let place = (self.open)()
            .map_err(|cause| file::failed(self.path, cause))
            .and_then(|source| locate(source, self.settings.delimiter as u8, self.path, offset, cell));
        match place {
            Ok((line, column)) => error.at(self.path, line, column),
            Err(_) => error.in_file(self.path),
        }
    }

    /// Takes the room that all rows will need, as the first ones tell: growing by doubling would need twice as much.
    fn reserve(&self, rows: &mut Rows, bytes: u64) -> Result<()> {
        let width = rows.roles.iter().filter(|role| matches!(role, Role::Number | Role::Category)).count();
        let expected = u128::from(self.length) * rows.read as u128 * 21 / 20 / u128::from(bytes.max(1)) * width as u128;
        let more = usize::try_from(expected).unwrap_or(usize::MAX).saturating_sub(rows.inputs.len());
        file::reserve(&mut rows.inputs, more).map_err(|error| error.in_file(self.path))
    }

    fn parser<R: Read>(&self, delimiter: u8, source: R) -> Reader<R> {
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(source)
    }

    fn next<R: Read>(&self, reader: &mut Reader<R>, record: &mut ByteRecord) -> Result<bool> {
        reader.read_byte_record(record).map_err(|error| match error.into_kind() {
            ::csv::ErrorKind::Io(cause) => file::failed(self.path, cause),
            other => self.malformed(format!("the table cannot be read: {other:?}")),
        })
    }
}

impl Rows {
    fn new(names: Vec<String>, roles: Vec<Role>) -> Rows {
        let columns = names.len();
        Rows {
            names,
            roles,
            inputs: Vec::new(),
            values: Vec::new(),
            labels: Vec::new(),
            categories: (0..columns).map(|_| Categories::default()).collect(),
            read: 0,
            kept: 0,
            with_holes: 0,
            holes: vec![false; columns],
            first_hole: None,
        }
    }

    /// Names of the columns with missing cells.
    fn holey(&self) -> String {
        let names: Vec<String> =
            self.names.iter().zip(&self.holes).filter(|(_, hole)| **hole).map(|(name, _)| shown(name)).collect();
        some(&names)
    }

    /// The inputs with each category in a column of its own.
    fn spread_categories(&mut self) -> Result<Inputs> {
        let mut names = Vec::new();
        // For each input column where it goes, and the rank of each code if it is a category.
        let mut layout: Vec<(usize, Option<Vec<u32>>)> = Vec::new();
        let mut groups = Vec::new();
        for (column, role) in self.roles.iter().enumerate() {
            let start = names.len();
            match role {
                Role::Number => {
                    names.push(self.names[column].clone());
                    layout.push((start, None));
                }
                Role::Category => {
                    let (categories, rank) = std::mem::take(&mut self.categories[column]).ordered();
                    if categories.is_empty() {
                        let message = format!("column \"{}\" holds no value at all", shown(&self.names[column]));
                        return Err(Error::data("P0204", message).help("drop the column"));
                    }
                    names.extend(categories.iter().map(|category| format!("{}={category}", self.names[column])));
                    groups.push(start..names.len());
                    layout.push((start, Some(rank)));
                }
                _ => {}
            }
        }
        let mut numbers = std::mem::take(&mut self.inputs);
        if groups.is_empty() {
            return Ok(Inputs { numbers: matrix(self.kept, names.len(), numbers)?, names, groups });
        }
        let (narrow, width) = (layout.len(), names.len());
        let more = self.kept.saturating_mul(width) - numbers.len();
        file::reserve(&mut numbers, more)?;
        numbers.resize(self.kept * width, 0.0);
        // Every category has a column at least, so rows move to the right: from the last one on they find room, and a
        // second matrix is never needed.
        let mut cells = vec![0.0; narrow];
        for row in (0..self.kept).rev() {
            cells.copy_from_slice(&numbers[row * narrow..(row + 1) * narrow]);
            let out = &mut numbers[row * width..(row + 1) * width];
            out.fill(0.0);
            let mut group = groups.iter();
            for (x, (start, rank)) in cells.iter().zip(&layout) {
                match rank {
                    None => out[*start] = *x,
                    Some(rank) => {
                        let columns = group.next().cloned().unwrap_or_default();
                        if x.is_nan() {
                            out[columns].fill(f64::NAN)
                        } else {
                            out[start + rank[*x as usize] as usize] = 1.0
                        }
                    }
                }
            }
        }
        Ok(Inputs { numbers: matrix(self.kept, width, numbers)?, names, groups })
    }
}

fn matrix(rows: usize, columns: usize, numbers: Vec<f64>) -> Result<Array2<f64>> {
    Array2::from_shape_vec((rows, columns), numbers).map_err(|error| Error::internal(error.to_string()))
}

fn is_missing(text: &str) -> bool {
    ["", "na", "n/a", "?", "nan", "null"].iter().any(|marker| text.eq_ignore_ascii_case(marker))
}

/// The number that `text` writes, perhaps an infinite one.
fn parse(text: &str, decimal: char) -> Option<f64> {
    match decimal {
        ',' if text.contains('.') => None,
        ',' => text.replacen(',', ".", 1).parse().ok(),
        _ => text.parse().ok(),
    }
}

/// The first names of a list.
fn some(names: &[String]) -> String {
    const MANY: usize = 12;
    let more = if names.len() > MANY { format!(" and {} more", names.len() - MANY) } else { String::new() };
    format!("{}{more}", names[..names.len().min(MANY)].join(", "))
}
