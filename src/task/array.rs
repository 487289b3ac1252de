//! Arrays of numbers as other programs store them.

pub mod idx;
pub mod npy;
pub mod npz;

use super::file::{self, MAX_CELLS};
use super::{Dataset, TargetKind, Targets};
use crate::error::{Error, Result};
use ndarray::Array2;
use std::io::{self, Read};
use std::path::Path;

/// Largest file of arrays.
const MAX_BYTES: u64 = 4 << 30;

/// Most classes.
const MAX_CLASSES: usize = 1000;

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element {
    kind: ElementKind,
    /// Bytes: 1, 2, 4 or 8; 4 or 8 for floats.
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ElementKind {
    Float,
    Signed,
    Unsigned,
}

/// What the head of an array promises.
#[derive(Clone, Debug, PartialEq)]
struct Head {
    /// Rows first.
    shape: Vec<usize>,
    element: Element,
    /// Whether the first index runs fastest.
    columns_first: bool,
}

/// An array as a table.
#[derive(Clone, Debug, PartialEq)]
struct Numbers {
    rows: usize,
    columns: usize,
    /// `[rows × columns]`
    values: Vec<f64>,
}

impl Element {
    fn value(self, bytes: &[u8]) -> f64 {
        let mut little = [0; 8];
        little[..self.size].copy_from_slice(bytes);
        if self.big_endian {
            little[..self.size].reverse();
        }
        let bits = u64::from_le_bytes(little);
        let unused = 64 - 8 * self.size as u32;
        match self.kind {
            ElementKind::Float if self.size == 4 => f64::from(f32::from_bits(bits as u32)),
            ElementKind::Float => f64::from_bits(bits),
            // Shifted up and down again, the sign fills the bits that were not stored.
            ElementKind::Signed => (((bits << unused) as i64) >> unused) as f64,
            ElementKind::Unsigned => bits as f64,
        }
    }
}

impl Head {
    /// Reads the numbers that follow, of the first `limit` rows at most.
    ///
    /// `left` is how many bytes can follow, exactly if `exact`. Nothing is allocated for numbers that cannot be there.
    fn read(&self, source: &mut dyn Read, left: u64, exact: bool, limit: usize, path: &Path) -> Result<Numbers> {
        let shape: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let told = format!("an array of {} numbers of {} bytes", shape.join(" × "), self.element.size);
        let (Some(&rows), Some(columns)) = (self.shape.first(), product(self.shape.get(1..).unwrap_or_default()))
        else {
            return Err(malformed(path, format!("{told} is no table")));
        };
        let bytes = rows.checked_mul(columns).and_then(|cells| cells.checked_mul(self.element.size)).map(|n| n as u64);
        let Some(bytes) = bytes.filter(|bytes| if exact { *bytes == left } else { *bytes <= left }) else {
            let most = if exact { "" } else { "at most " };
            return Err(malformed(path, format!("the head tells of {told}, but {most}{left} bytes follow"))
                .help("the file is damaged or was cut; get or write it again"));
        };
        if bytes == 0 {
            return Err(malformed(path, format!("{told} is empty")));
        }
        let rows = rows.min(limit);
        let cells = rows * columns;
        if self.columns_first && limit < self.shape[0] {
            return Err(Error::internal("only whole arrays are read columns first"));
        }
        let mut values = Vec::new();
        // Where the bytes are known to exist all room is taken at once, else as they come.
        if exact {
            file::reserve(&mut values, cells).map_err(|error| error.in_file(path))?;
        } else if cells > MAX_CELLS {
            return Err(file::too_many_cells(cells).in_file(path));
        }
        let mut buffer = vec![0; (1 << 16).min(cells * self.element.size)];
        while values.len() < cells {
            let wanted = buffer.len().min((cells - values.len()) * self.element.size);
            source.read_exact(&mut buffer[..wanted]).map_err(|cause| cut(path, cause))?;
            values.extend(buffer[..wanted].chunks_exact(self.element.size).map(|bytes| self.element.value(bytes)));
        }
        if self.columns_first && self.shape.len() > 1 {
            values = rows_first(&self.shape, values)?;
        }
        Ok(Numbers { rows, columns, values })
    }
}

/// A data set of inputs and targets that were stored as arrays.
///
/// Where rows are their own targets, those that are no classes count as none.
fn dataset(inputs: Numbers, targets: Numbers, kind: TargetKind, paths: [&Path; 2]) -> Result<Dataset> {
    if inputs.rows != targets.rows {
        let message = format!("there are {} rows of inputs and {} of targets", inputs.rows, targets.rows);
        return Err(Error::data("P0208", message).in_file(paths[1]).help("each row of inputs needs one target"));
    }
    finite(&inputs, "inputs", paths[0])?;
    finite(&targets, "targets", paths[1])?;
    let targets = match kind {
        TargetKind::Classes => classes(&targets, paths[1])?,
        TargetKind::Values => {
            let one = targets.columns == 1;
            let names = (1..=targets.columns).map(|n| if one { "y".into() } else { format!("y{n}") }).collect();
            Targets::Values { values: matrix(targets)?, names }
        }
        TargetKind::Inputs => classes(&targets, paths[1]).unwrap_or(unlabelled()),
    };
    of(inputs, targets, paths[0])
}

/// A data set whose rows are their own targets, without labels.
fn inputs_alone(inputs: Numbers, path: &Path) -> Result<Dataset> {
    finite(&inputs, "inputs", path)?;
    of(inputs, unlabelled(), path)
}

fn unlabelled() -> Targets {
    Targets::Inputs { labels: Vec::new(), classes: Vec::new() }
}

fn finite(numbers: &Numbers, what: &str, path: &Path) -> Result<()> {
    let Some(at) = numbers.values.iter().position(|x| !x.is_finite()) else { return Ok(()) };
    let (row, column) = (at / numbers.columns + 1, at % numbers.columns + 1);
    let message = format!("row {row}, column {column} of the {what} is {}, not a finite number", numbers.values[at]);
    Err(Error::data("P0203", message).in_file(path).help("replace or remove such rows before saving"))
}

fn of(inputs: Numbers, targets: Targets, path: &Path) -> Result<Dataset> {
    let input_names = (1..=inputs.columns).map(|number| format!("x{number}")).collect();
    let (name, inputs) = (file::stem(path), matrix(inputs)?);
    Ok(Dataset { name, inputs, input_names, targets, impute: None, files: Vec::new(), notes: Vec::new() })
}

fn classes(numbers: &Numbers, path: &Path) -> Result<Targets> {
    if numbers.columns != 1 {
        let message = format!("the targets have {} columns; classes stand in one", numbers.columns);
        return Err(Error::data("P0209", message)
            .in_file(path)
            .help("if each column is one class, store the place of the largest: np.argmax(y, axis=1)"));
    }
    let mut distinct: Vec<f64> = Vec::new();
    for (row, x) in numbers.values.iter().enumerate() {
        if x.trunc() != *x {
            return Err(Error::data(
                "P0209",
                format!("row {} of the targets is {x}; classes are whole numbers", row + 1),
            )
            .in_file(path)
            .help("if the targets are numbers to be predicted, use `task: Regression(…)`"));
        }
        if let Err(place) = distinct.binary_search_by(|known| (known + 0.0).total_cmp(&(x + 0.0))) {
            distinct.insert(place, *x + 0.0);
        }
        if distinct.len() > MAX_CLASSES {
            return Err(Error::data("P0209", format!("the targets have more than {MAX_CLASSES} classes"))
                .in_file(path)
                .help("if they are numbers to be predicted, use `task: Regression(…)`"));
        }
    }
    if distinct.len() < 2 {
        return Err(Error::data("P0209", "the targets hold one class only")
            .in_file(path)
            .help("two classes are needed at least"));
    }
    let place = |x: &f64| distinct.partition_point(|known| known < x) as u32;
    let labels = numbers.values.iter().map(place).collect();
    Ok(Targets::Classes { labels, names: distinct.iter().map(f64::to_string).collect() })
}

fn matrix(numbers: Numbers) -> Result<Array2<f64>> {
    Array2::from_shape_vec((numbers.rows, numbers.columns), numbers.values)
        .map_err(|error| Error::internal(error.to_string()))
}

fn rows_first(shape: &[usize], values: Vec<f64>) -> Result<Vec<f64>> {
    use ndarray::{ArrayD, IxDyn, ShapeBuilder};
    let array = ArrayD::from_shape_vec(IxDyn(shape).f(), values).map_err(|error| Error::internal(error.to_string()))?;
    Ok(array.iter().copied().collect())
}

fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, length| product.checked_mul(*length))
}

fn malformed(path: &Path, message: impl Into<String>) -> Error {
    Error::data("P0208", message).in_file(path)
}

/// A read that found less than was promised.
fn cut(path: &Path, cause: io::Error) -> Error {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match cause.kind() {
        UnexpectedEof | InvalidData | InvalidInput => {
            malformed(path, "the file ends too early or is damaged").help("get or write it again")
        }
        _ => file::failed(path, cause),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<u32> = hexadecimal.chars().filter_map(|letter| letter.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }

    #[test]
    fn elements_of_every_kind_are_read() {
        let check = |kind, big_endian, bytes: &[u8], expected: f64| {
            assert_eq!(Element { kind, size: bytes.len(), big_endian }.value(bytes), expected);
        };
        check(ElementKind::Float, false, &(-1.5_f64).to_le_bytes(), -1.5);
        check(ElementKind::Float, true, &(-1.5_f32).to_be_bytes(), -1.5);
        check(ElementKind::Signed, false, &(-3_i8).to_le_bytes(), -3.0);
        check(ElementKind::Signed, true, &(-300_i16).to_be_bytes(), -300.0);
        check(ElementKind::Signed, false, &i64::MIN.to_le_bytes(), -9_223_372_036_854_775_808.0);
        check(ElementKind::Unsigned, false, &u64::MAX.to_le_bytes(), 18_446_744_073_709_551_615.0);
        check(ElementKind::Unsigned, true, &[1, 0], 256.0);
    }

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        let numbers = |rows, columns, values: &[f64]| Numbers { rows, columns, values: values.to_vec() };
        let path = Path::new("a.npy");
        let code = |inputs: &Numbers, targets: Numbers, kind| {
            dataset(inputs.clone(), targets, kind, [path, path]).unwrap_err().code()
        };
        let inputs = numbers(2, 1, &[1.0, 2.0]);
        let bad = numbers(2, 1, &[1.0, f64::NAN]);
        assert_eq!(code(&inputs, numbers(3, 1, &[0.0; 3]), TargetKind::Values), "P0208");
        assert_eq!(code(&bad, inputs.clone(), TargetKind::Values), "P0203");
        assert_eq!(code(&inputs, bad.clone(), TargetKind::Classes), "P0203");
        assert_eq!(code(&inputs, numbers(2, 2, &[1.0; 4]), TargetKind::Classes), "P0209");
        assert_eq!(code(&inputs, numbers(2, 1, &[0.5, 1.0]), TargetKind::Classes), "P0209");
        assert_eq!(code(&inputs, numbers(2, 1, &[1.0, 1.0]), TargetKind::Classes), "P0209");
        let many: Vec<f64> = (0..1001).map(f64::from).collect();
        assert_eq!(code(&numbers(1001, 1, &many), numbers(1001, 1, &many), TargetKind::Classes), "P0209");
        let signed = dataset(inputs, numbers(2, 1, &[0.0, -0.0]), TargetKind::Classes, [path, path]);
        assert_eq!(signed.unwrap_err().code(), "P0209", "−0 and 0 are one class");
    }
}
