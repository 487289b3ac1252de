//! NumPy's files of one array.

use super::super::file::DataReader;
use super::super::{Dataset, LoadContext, Source, TargetKind, no_targets};
use super::{Element, ElementKind, Head, MAX_BYTES, Numbers, cut, dataset, inputs_alone, malformed};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Two files as `np.save` writes them: rows of inputs, and one target a row.
///
/// Integers, floats of 4 or 8 bytes and truth values, of either byte and index order. Further indices of the inputs are
/// flattened; a list of numbers is one column. Classes are whole numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Npy {
    /// Inputs `[rows × …]`, from the folder of the experiment file.
    pub inputs: PathBuf,
    /// Targets `[rows]` or `[rows × targets]`, from the folder of the experiment file. An autoencoder needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<PathBuf>,
}

impl Source for Npy {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let mut files = Vec::new();
        let mut load = |path: &Path| -> Result<Numbers> {
            let mut reader = DataReader::open(path, MAX_BYTES)?;
            let length = reader.length;
            let numbers = read(&mut reader, length, path)?;
            files.push(reader.finish()?);
            Ok(numbers)
        };
        let path = context.folder.join(&self.inputs);
        let inputs = load(&path)?;
        let mut dataset = match &self.targets {
            Some(targets) => {
                let beside = context.folder.join(targets);
                dataset(inputs, load(&beside)?, context.kind, [&path, &beside])?
            }
            None if context.kind == TargetKind::Inputs => inputs_alone(inputs, &path)?,
            None => return Err(no_targets("targets", "\"y.npy\"")),
        };
        dataset.files = files;
        Ok(dataset)
    }
}

/// Reads an array that takes exactly `length` bytes.
pub(super) fn read(source: &mut dyn Read, length: u64, path: &Path) -> Result<Numbers> {
    read_shaped(source, length, path).map(|(_, numbers)| numbers)
}

/// Reads an array that takes exactly `length` bytes, with the lengths of all its indices.
pub(super) fn read_shaped(source: &mut dyn Read, length: u64, path: &Path) -> Result<(Vec<usize>, Numbers)> {
    let mut take = |count: usize| {
        let mut bytes = vec![0; count];
        source.read_exact(&mut bytes).map(|()| bytes).map_err(|cause| cut(path, cause))
    };
    let start = take(8)?;
    if start[..6] != *b"\x93NUMPY" {
        return Err(malformed(path, "the file is no NumPy array").help("write it with np.save"));
    }
    let (size, before) = match start[6] {
        1 => (take(2)?, 10),
        2 | 3 => (take(4)?, 12),
        version => return Err(malformed(path, format!("version {version} of NumPy's format is unknown"))),
    };
    let size = size.iter().rev().fold(0_usize, |size, byte| size << 8 | usize::from(*byte));
    // NumPy itself refuses heads of more than 10 000 letters.
    if size > 10_000 || (before + size) as u64 > length {
        return Err(malformed(path, format!("a head of {size} bytes is too long")));
    }
    let text = String::from_utf8_lossy(&take(size)?).into_owned();
    let head = parse_head(&text, path)?;
    let numbers = head.read(source, length - (before + size) as u64, true, usize::MAX, path)?;
    Ok((head.shape, numbers))
}

/// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`
fn parse_head(text: &str, path: &Path) -> Result<Head> {
    let field = |name: &str| {
        let behind = text.split_once(&format!("'{name}'"))?.1.trim_start().strip_prefix(':')?;
        Some(behind.trim_start())
    };
    let unreadable = || malformed(path, "the head of the array cannot be read").help("write it again with np.save");
    let descr = field("descr").ok_or_else(unreadable)?;
    let Some(element) = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).and_then(|(t, _)| element(t))
    else {
        let told = super::super::file::shown(descr.split(", 'fortran_order'").next().unwrap_or_default());
        return Err(malformed(path, format!("numbers of type {told} are not read"))
            .help("save it as plain numbers: np.save(path, array.astype(np.float64))"));
    };
    let columns_first = match field("fortran_order").ok_or_else(unreadable)? {
        order if order.starts_with("False") => false,
        order if order.starts_with("True") => true,
        _ => return Err(unreadable()),
    };
    let shape = field("shape").and_then(|rest| rest.strip_prefix('(')).and_then(|rest| rest.split_once(')'));
    let (shape, _) = shape.ok_or_else(unreadable)?;
    let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
    let shape: Option<Vec<usize>> = lengths.map(|length| length.parse().ok()).collect();
    match shape {
        // NumPy's own limit.
        Some(shape) if shape.len() <= 64 => Ok(Head { shape, element, columns_first }),
        _ => Err(unreadable()),
    }
}

fn element(text: &str) -> Option<Element> {
    let mut letters = text.chars();
    let big_endian = match letters.next()? {
        '<' | '|' => false,
        '>' => true,
        _ => return None,
    };
    let kind = letters.next()?;
    let size: usize = letters.as_str().parse().ok()?;
    let kind = match (kind, size) {
        ('f', 4 | 8) => ElementKind::Float,
        ('i', 1 | 2 | 4 | 8) => ElementKind::Signed,
        ('u', 1 | 2 | 4 | 8) | ('b', 1) => ElementKind::Unsigned,
        _ => return None,
    };
    Some(Element { kind, size, big_endian })
}

#[cfg(test)]
mod tests {
    use super::super::super::{TargetKind, Targets};
    use super::*;
    use proptest::prelude::*;

    fn array(head: &str, payload: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((head.len() as u16).to_le_bytes());
        bytes.extend(head.as_bytes());
        bytes.extend(payload);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Numbers> {
        read(&mut &bytes[..], bytes.len() as u64, Path::new("a.npy"))
    }

    /// numpy 2.4.6: np.asfortranarray(np.arange(6, dtype='>i2').reshape(3, 2)).
    const FORTRAN: &str = "934e554d5059010076007b276465736372273a20273e6932272c2027666f727472616e5f6f72646572273a20547275652c20 \
         277368617065273a2028332c2032292c207d2020202020202020202020202020202020202020202020202020202020202020 \
         2020202020202020202020202020202020202020202020202020200a000000020004000100030005";

    #[test]
    fn files_of_numpy_load() {
        let numbers = parse(&super::super::tests::bytes(FORTRAN)).unwrap();
        assert_eq!(numbers, Numbers { rows: 3, columns: 2, values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0] });
        let folder = tempfile::tempdir().unwrap();
        let floats: Vec<u8> =
            [1.0_f64, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let head = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2, 2), }\n";
        std::fs::write(folder.path().join("x.npy"), array(head, &floats)).unwrap();
        let labels = "{'shape': (2,), 'fortran_order': False, 'descr': '|u1'}";
        std::fs::write(folder.path().join("y.npy"), array(labels, &[7, 3])).unwrap();
        let npy = super::super::super::tests::parse("Npy(inputs: \"x.npy\", targets: \"y.npy\")").unwrap();
        let load = |kind| npy.load(&LoadContext { folder: folder.path(), kind }).unwrap();
        let dataset = load(TargetKind::Classes);
        assert_eq!(dataset.inputs, ndarray::array![[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]);
        assert_eq!(dataset.targets, Targets::Classes { labels: vec![1, 0], names: vec!["3".into(), "7".into()] });
        assert_eq!((dataset.files.len(), dataset.files[1].name.as_str()), (2, "y.npy"));
        let values = ndarray::array![[7.0], [3.0]];
        assert_eq!(load(TargetKind::Values).targets, Targets::Values { values, names: vec!["y".into()] });
        let own = Targets::Inputs { labels: vec![1, 0], classes: vec!["3".into(), "7".into()] };
        assert_eq!(load(TargetKind::Inputs).reconstructing().targets, own);
        let alone = super::super::super::tests::parse("Npy(inputs: \"x.npy\")").unwrap();
        let load = |kind| alone.load(&LoadContext { folder: folder.path(), kind });
        assert_eq!(load(TargetKind::Inputs).unwrap().targets, Targets::Inputs { labels: vec![], classes: vec![] });
        assert_eq!(load(TargetKind::Values).unwrap_err().code(), "P0209");
    }

    #[test]
    fn promises_that_the_file_does_not_keep_are_refused_before_anything_is_taken() {
        let head = |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
        for shape in [
            "2,",
            "0,",
            "",
            "4294967296, 4294967296",
            "18446744073709551615,",
            "18446744073709551616,",
            "2305843009213693953,",
            "1, 2",
            "-1,",
            "1, 0",
        ] {
            let error = parse(&array(&head(shape), &[0; 8])).unwrap_err();
            assert_eq!(error.code(), "P0208", "{shape}");
        }
        assert!(parse(&array(&head("1,"), &[0; 8])).is_ok());
        let error = parse(&array(&head("3, 4"), &[0; 8])).unwrap_err().to_string();
        assert!(
            error.contains("the head tells of an array of 3 × 4 numbers of 8 bytes, but 8 bytes follow"),
            "{error}"
        );
        for descr in ["'|O'", "[('a', '<f8')]", "'<f2'", "'<U3'", "'<f80'", "'f8'"] {
            let head = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}");
            let error = parse(&array(&head, &[0; 8])).unwrap_err().to_string();
            assert!(error.contains(&format!("numbers of type {descr} are not read")), "{error}");
        }
        for bytes in [
            &b""[..],
            b"\x93NUMPY",
            b"\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF",
            b"\x93NUMPY\x09\x00\x00\x00",
            b"PK\x03\x04aaaaaaa",
        ] {
            assert_eq!(parse(bytes).unwrap_err().code(), "P0208", "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(changes in prop::collection::vec((0_usize..200, any::<u8>()), 0..6), length in 0_usize..200) {
            let mut bytes = super::super::tests::bytes(FORTRAN);
            changes.into_iter().filter(|(at, _)| *at < 140).for_each(|(at, byte)| bytes[at] = byte);
            bytes.truncate(length.max(60));
            let _ = parse(&bytes);
        }
    }
}
