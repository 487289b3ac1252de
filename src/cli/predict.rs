//! `precocial predict`: a model meets new rows.

use super::import::open;
use super::terminal::{Terminal, write_stdout};
use precocial::error::Kind;
use precocial::experiment::Model;
use precocial::experiment::model::Header;
use precocial::experiment::search::GraphModel;
use precocial::network::Loss;
use precocial::task::Encoding;
use precocial::{Error, Result, files};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Largest table that is read.
pub const LARGEST_TABLE: u64 = 1 << 30;

#[derive(clap::Args)]
pub struct Predict {
    /// Model file, from the folder `models` of a result, or one of another format as `import` takes it; or a network that a
    /// topology search found, from the folder `networks`
    #[arg(value_name = "MODEL.pcl")]
    model: PathBuf,
    /// Table with a header; columns are found by their names, in any order, and others are ignored
    #[arg(value_name = "DATA.csv")]
    data: PathBuf,
    /// The file to write; stdout unless said otherwise
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What stands between cells
    #[arg(long, default_value = ",", value_name = "CHARACTER")]
    delimiter: char,
}

impl Predict {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        if let Some(path) = self.output.as_deref().filter(|path| path.exists()) {
            let message = format!("{} is there already, and nothing is ever overwritten", path.display());
            return Err(Error::new(Kind::Files, "P0503", message).help("choose another name with -o"));
        }
        let model = Predictor::open(&self.model)?;
        let bytes = files::read_capped(&self.data, LARGEST_TABLE, Kind::Data)?;
        let table = read(model.header(), &bytes, self.delimiter, &self.data)?;
        let rows = table.nrows();
        let csv = write(model.header(), model.encoding(), &model.predict(&table)?)?;
        match &self.output {
            None => write_stdout(&csv),
            Some(path) => {
                files::replace(path, &csv)?;
                terminal.object(&json!({"event": "written", "file": path.display().to_string(), "rows": rows}))?;
                terminal.say(&format!("wrote {} predictions to {}", rows, path.display()));
                Ok(())
            }
        }
    }
}

/// What predicts.
enum Predictor {
    Layers(Box<Model>),
    Graph(Box<GraphModel>),
}

impl Predictor {
    fn open(path: &Path) -> Result<Predictor> {
        Ok(match GraphModel::open(path)? {
            Some(graph) => Predictor::Graph(Box::new(graph)),
            None => Predictor::Layers(Box::new(open(path)?)),
        })
    }

    fn header(&self) -> &Header {
        match self {
            Predictor::Layers(model) => &model.header,
            Predictor::Graph(graph) => &graph.header,
        }
    }

    fn encoding(&self) -> Encoding {
        match self {
            Predictor::Layers(model) => model.encoding(),
            Predictor::Graph(graph) => graph.encoding(),
        }
    }

    fn predict(&self, table: &ndarray::Array2<f64>) -> Result<ndarray::Array2<f64>> {
        match self {
            Predictor::Layers(model) => model.predict(table),
            Predictor::Graph(graph) => graph.predict(table),
        }
    }
}

/// Where an input of the model comes from.
enum Source {
    /// The number in this column.
    Number(usize),
    /// 1 where this column holds this category, else 0.
    Category(usize, String),
}

/// A table, opened, with the names of its columns.
fn opened<'a>(bytes: &'a [u8], delimiter: char, path: &Path) -> Result<(csv::Reader<&'a [u8]>, Vec<String>)> {
    let delimiter = u8::try_from(delimiter).ok().filter(u8::is_ascii).ok_or_else(|| {
        Error::experiment("P0109", "--delimiter must be one ASCII character").help("write --delimiter ';'")
    })?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|cause| broken(&cause, path))?;
    let header = header.iter().map(|name| name.trim().to_owned()).collect();
    Ok((reader, header))
}

fn broken(cause: &csv::Error, path: &Path) -> Error {
    Error::data("P0201", format!("the table cannot be read: {cause}")).in_file(path)
}

/// The model's targets from a table that [`read`] has taken: `[rows × 1]` numbers of the classes in the column `target`, or
/// `[rows × targets]` values.
pub fn read_targets(
    model: &Model,
    bytes: &[u8],
    (delimiter, target): (char, Option<&str>),
    path: &Path,
) -> Result<ndarray::Array2<f64>> {
    let (mut reader, header) = opened(bytes, delimiter, path)?;
    let classes = model.header.classification.then_some(&model.header.targets);
    let names: Vec<&str> = match (classes, target) {
        (Some(_), None) => {
            let message = "which column holds the classes?";
            return Err(Error::experiment("P0109", message).help("name it: --target COLUMN"));
        }
        (Some(_), Some(target)) => vec![target],
        (None, _) => model.header.targets.iter().map(String::as_str).collect(),
    };
    let place = |name: &&str| {
        header.iter().position(|column| column == name).ok_or_else(|| {
            let message = format!("the table has no column \"{}\" to prune the model on", shown(name));
            let columns: Vec<String> = header.iter().map(|name| format!("\"{}\"", shown(name))).collect();
            Error::data("P0207", message).at(path, 1, 1).note(format!("columns are {}", columns.join(", ")))
        })
    };
    let columns: Vec<usize> = names.iter().map(place).collect::<Result<_>>()?;
    let (mut numbers, mut rows) = (Vec::new(), 0);
    for record in reader.records() {
        let record = record.map_err(|cause| broken(&cause, path))?;
        rows += 1;
        for column in &columns {
            let text = record[*column].trim();
            let number = match classes {
                Some(classes) => classes.iter().position(|class| class == text).map(|class| class as f64),
                None => text.parse().ok().filter(|x: &f64| x.is_finite()),
            };
            numbers.push(number.ok_or_else(|| {
                let line = record.position().map_or(0, |position| position.line() as usize);
                let known = classes.map_or("a number".into(), |classes| format!("one of {}", classes.join(", ")));
                let message =
                    format!("row {rows}: \"{}\" in column \"{}\" is not {known}", shown(text), header[*column]);
                Error::data(if classes.is_some() { "P0209" } else { "P0203" }, message).at(path, line, 1)
            })?);
        }
    }
    ndarray::Array2::from_shape_vec((rows, columns.len()), numbers)
        .map_err(|cause| Error::internal(format!("a table of {rows} rows: {cause}")))
}

/// The model's inputs from a table, `[rows × inputs]`; NaN for missing cells that the model can fill.
pub fn read(model: &Header, bytes: &[u8], delimiter: char, path: &Path) -> Result<ndarray::Array2<f64>> {
    let (mut reader, header) = opened(bytes, delimiter, path)?;
    let sources = sources(&model.inputs, &header, path)?;
    let fills = model.input_scaler.fills_missing();
    let mut numbers = Vec::new();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(|cause| broken(&cause, path))?;
        rows += 1;
        let line = record.position().map_or(0, |position| position.line() as usize);
        if record.len() != header.len() {
            let message = format!("row {rows} has {} cells, the header has {}", record.len(), header.len());
            return Err(Error::data("P0201", message).at(path, line, 1));
        }
        for (source, name) in sources.iter().zip(&model.inputs) {
            let (Source::Number(column) | Source::Category(column, _)) = source;
            let text = record[*column].trim();
            let missing = ["", "na", "n/a", "?", "nan", "null"].iter().any(|marker| text.eq_ignore_ascii_case(marker));
            let at = |error: Error| error.at(path, line, 1);
            let x = match source {
                _ if missing && fills => f64::NAN,
                _ if missing => {
                    return Err(at(Error::data("P0204", format!("row {rows}, column \"{name}\" is empty")))
                        .note("the model was trained on rows without missing values")
                        .help("fill the cell, or train with `missing: Impute(with: Median)`"));
                }
                Source::Category(_, category) => f64::from(u8::from(text == category)),
                Source::Number(_) => match text.parse::<f64>() {
                    Ok(x) if x.is_finite() => x,
                    _ => {
                        return Err(at(Error::data(
                            "P0203",
                            format!("row {rows}: \"{}\" in column \"{name}\" is not a number", shown(text)),
                        ))
                        .help("numbers are written with a decimal point"));
                    }
                },
            };
            numbers.push(x);
        }
    }
    ndarray::Array2::from_shape_vec((rows, sources.len()), numbers)
        .map_err(|cause| Error::internal(format!("a table of {rows} rows: {cause}")))
}

fn sources(inputs: &[String], header: &[String], path: &Path) -> Result<Vec<Source>> {
    let place = |name: &str| header.iter().position(|column| column == name);
    let mut missing = Vec::new();
    let mut sources = Vec::new();
    for input in inputs {
        // A category's input is called `column=category`.
        let category = input.match_indices('=').find_map(|(at, _)| Some((place(&input[..at])?, &input[at + 1..])));
        match (place(input), category) {
            (Some(column), _) => sources.push(Source::Number(column)),
            (None, Some((column, category))) => sources.push(Source::Category(column, category.to_owned())),
            (None, None) => missing.push(input.as_str()),
        }
    }
    if missing.is_empty() {
        return Ok(sources);
    }
    let list = |names: &[&str]| names.iter().map(|name| format!("\"{}\"", shown(name))).collect::<Vec<_>>().join(", ");
    let message = format!(
        "the table lacks {} that the model reads: {}",
        if missing.len() == 1 { "a column" } else { "columns" },
        list(&missing)
    );
    let error = Error::data("P0207", message).at(path, 1, 1);
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let error = error.note(format!("columns are {}", list(&names)));
    let other = [';', '\t', '|'].into_iter().find(|other| header.len() == 1 && header[0].contains(*other));
    Err(match other {
        Some(other) => {
            error.help(format!("the table looks separated by `{0}`: add --delimiter '{0}'", other.escape_debug()))
        }
        None => error.help("the first line of the table must hold the names of its columns"),
    })
}

/// One line a row: the class and its probabilities, or the values.
fn write(header: &Header, encoding: Encoding, outputs: &ndarray::Array2<f64>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let failed = |cause: csv::Error| Error::internal(format!("a table cannot be written: {cause}"));
    if header.classification {
        let what = if header.loss == Loss::CrossEntropy { "probability" } else { "output" };
        let names = header.targets.iter().map(|class| format!("{what}_{class}"));
        writer.write_record(std::iter::once("class".to_owned()).chain(names)).map_err(failed)?;
    } else {
        writer.write_record(&header.targets).map_err(failed)?;
    }
    for row in outputs.rows() {
        let mut cells: Vec<String> = Vec::new();
        if header.classification {
            // Outputs are single precision; their shortest form is what the network said.
            let mut outputs: Vec<f32> = row.iter().map(|x| *x as f32).collect();
            cells.push(header.targets[encoding.decode(&outputs)].clone());
            if encoding.units == 1 {
                // One unit speaks for the second class; the first has what is left.
                outputs.insert(0, encoding.on + encoding.off - outputs[0]);
            }
            cells.extend(outputs.iter().map(f32::to_string));
        } else {
            cells.extend(row.iter().map(f64::to_string));
        }
        writer.write_record(&cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|cause| Error::internal(format!("a table cannot be written: {cause}")))
}

/// A text from a file, short enough for a message.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}
