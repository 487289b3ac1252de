//! The format of MNIST and its relatives.

use super::super::file::DataReader;
use super::super::{DataFile, Dataset, LoadContext, Source, TargetKind, no_targets};
use super::{Element, ElementKind, Head, MAX_BYTES, Numbers, cut, dataset, inputs_alone, malformed};
use crate::error::{Error, Result};
use crate::values::Count;
use flate2::bufread::GzDecoder;
use serde::{Deserialize, Serialize};
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// Images and their labels in two IDX files, as they are or packed by gzip.
///
/// Pixels of one byte become 0 to 1 (divided by 255); other types stay as they are. LeCun, Cortes & Burges 1998.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idx {
    /// Images `[rows × …]`, such as `train-images-idx3-ubyte.gz`, from the folder of the experiment file.
    pub images: PathBuf,
    /// Labels `[rows]`, such as `train-labels-idx1-ubyte.gz`, from the folder of the experiment file.
    /// An autoencoder needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// How many rows to use, from the first; default all.
    #[serde(default)]
    pub limit: Option<Count>,
}

impl Source for Idx {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let path = context.folder.join(&self.images);
        let limit = self.limit.map_or(usize::MAX, Count::get);
        let mut images = load(&path, limit)?;
        if images.one_byte {
            images.numbers.values.iter_mut().for_each(|pixel| *pixel /= 255.0);
        }
        let Some(labels) = &self.labels else {
            if context.kind != TargetKind::Inputs {
                return Err(no_targets("labels", "\"train-labels-idx1-ubyte.gz\""));
            }
            let mut dataset = inputs_alone(images.numbers, &path)?;
            dataset.files = vec![images.file];
            return Ok(dataset);
        };
        let beside = context.folder.join(labels);
        let labels = load(&beside, limit)?;
        if images.all_rows != labels.all_rows {
            let message = format!("there are {} images and {} labels", images.all_rows, labels.all_rows);
            return Err(Error::data("P0208", message)
                .in_file(&beside)
                .help("take images and labels of one set: both `train-` or both `t10k-`"));
        }
        let mut dataset = dataset(images.numbers, labels.numbers, context.kind, [&path, &beside])?;
        dataset.files = vec![images.file, labels.file];
        Ok(dataset)
    }
}

struct Loaded {
    numbers: Numbers,
    all_rows: usize,
    one_byte: bool,
    file: DataFile,
}

fn load(path: &Path, limit: usize) -> Result<Loaded> {
    let mut reader = DataReader::open(path, MAX_BYTES)?;
    let length = reader.length;
    let (numbers, head) = read(&mut reader, length, limit, path)?;
    let one_byte = head.element.kind == ElementKind::Unsigned;
    Ok(Loaded { numbers, all_rows: head.shape[0], one_byte, file: reader.finish()? })
}

/// Reads a file of `length` bytes, unpacking it where needed.
fn read(source: &mut dyn Read, length: u64, limit: usize, path: &Path) -> Result<(Numbers, Head)> {
    let mut magic = [0; 2];
    source.read_exact(&mut magic).map_err(|cause| cut(path, cause))?;
    let whole = Cursor::new(magic).chain(source);
    if magic != [0x1F, 0x8B] {
        return read_plain(&mut BufReader::new(whole), length, true, limit, path);
    }
    let mut unpacked = GzDecoder::new(BufReader::new(whole));
    // Deflate packs at most 1032 bytes into one.
    let read = read_plain(&mut unpacked, length.saturating_mul(1040), false, limit, path)?;
    if limit >= read.1.shape[0] {
        // The checksum stands at the end, where nothing else may be.
        let more = unpacked.read(&mut [0]).map_err(|cause| cut(path, cause))?;
        if more > 0 {
            return Err(malformed(path, "there are bytes behind the last number"));
        }
    }
    Ok(read)
}

fn read_plain(source: &mut dyn Read, length: u64, exact: bool, limit: usize, path: &Path) -> Result<(Numbers, Head)> {
    let mut start = [0; 4];
    source.read_exact(&mut start).map_err(|cause| cut(path, cause))?;
    let (kind, size) = match start {
        [0, 0, 0x08, _] => (ElementKind::Unsigned, 1),
        [0, 0, 0x09, _] => (ElementKind::Signed, 1),
        [0, 0, 0x0B, _] => (ElementKind::Signed, 2),
        [0, 0, 0x0C, _] => (ElementKind::Signed, 4),
        [0, 0, 0x0D, _] => (ElementKind::Float, 4),
        [0, 0, 0x0E, _] => (ElementKind::Float, 8),
        _ => {
            return Err(malformed(path, "the file is not in the IDX format")
                .help("IDX files are named like `train-images-idx3-ubyte`, perhaps with `.gz`"));
        }
    };
    let mut shape = Vec::new();
    for _ in 0..start[3] {
        let mut extent = [0; 4];
        source.read_exact(&mut extent).map_err(|cause| cut(path, cause))?;
        shape.push(u32::from_be_bytes(extent) as usize);
    }
    let head = Head { shape, element: Element { kind, size, big_endian: true }, columns_first: false };
    let left = length.saturating_sub(4 + 4 * head.shape.len() as u64);
    let numbers = head.read(source, left, exact, limit, path)?;
    Ok((numbers, head))
}

#[cfg(test)]
mod tests {
    use super::super::super::{TargetKind, Targets};
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn idx(kind: u8, shape: &[u32], payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, shape.len() as u8];
        shape.iter().for_each(|extent| bytes.extend(extent.to_be_bytes()));
        bytes.extend(payload);
        bytes
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn parse(bytes: &[u8], limit: usize) -> Result<Numbers> {
        read(&mut &bytes[..], bytes.len() as u64, limit, Path::new("a.idx")).map(|(numbers, _)| numbers)
    }

    #[test]
    fn images_load_plain_and_packed() {
        let images = idx(8, &[3, 2, 2], &[0, 255, 51, 102, 1, 2, 3, 4, 5, 6, 7, 8]);
        let labels = idx(8, &[3], &[5, 9, 5]);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("images"), &images).unwrap();
        std::fs::write(folder.path().join("images.gz"), packed(&images)).unwrap();
        std::fs::write(folder.path().join("labels.gz"), packed(&labels)).unwrap();
        std::fs::write(folder.path().join("few"), idx(8, &[2], &[5, 9])).unwrap();
        let load = |settings: &str| {
            let source = super::super::super::tests::parse(&format!("Idx({settings})")).unwrap();
            source.load(&LoadContext { folder: folder.path(), kind: TargetKind::Classes })
        };
        let plain = load("images: \"images\", labels: \"labels.gz\"").unwrap();
        assert_eq!(plain.inputs.row(0).to_vec(), [0.0, 1.0, 0.2, 0.4]);
        assert_eq!(plain.targets, Targets::Classes { labels: vec![0, 1, 0], names: vec!["5".into(), "9".into()] });
        assert_eq!(load("images: \"images\"").unwrap_err().code(), "P0209");
        let source = super::super::super::tests::parse("Idx(images: \"images\", limit: 2)").unwrap();
        let alone = source.load(&LoadContext { folder: folder.path(), kind: TargetKind::Inputs }).unwrap();
        assert_eq!((alone.rows(), alone.outputs(), alone.targets.classes()), (2, 4, None));
        let gz = load("images: \"images.gz\", labels: \"labels.gz\"").unwrap();
        assert_eq!((gz.inputs, &gz.targets), (plain.inputs, &plain.targets));
        assert_eq!(gz.files[0].bytes, packed(&images).len() as u64);
        assert_eq!(load("images: \"images.gz\", labels: \"labels.gz\", limit: 2").unwrap().rows(), 2);
        assert_eq!(load("images: \"images.gz\", labels: \"few\", limit: 2").unwrap_err().code(), "P0208");
    }

    #[test]
    fn types_and_lengths_are_checked() {
        assert_eq!(parse(&idx(0x0B, &[1, 2], &[0xFF, 0xFE, 1, 0]), 9).unwrap().values, [-2.0, 256.0]);
        assert_eq!(parse(&idx(0x0D, &[1], &1.5_f32.to_be_bytes()), 9).unwrap().values, [1.5]);
        let good = idx(8, &[2, 2], &[1, 2, 3, 4]);
        for bad in [
            idx(8, &[2, 3], &[1, 2, 3, 4]),
            idx(8, &[2, 1], &[1, 2, 3, 4]),
            idx(8, &[u32::MAX, u32::MAX, u32::MAX], &[1]),
            idx(8, &[0, 4], &[]),
            idx(8, &[], &[1]),
            idx(10, &[1], &[1]),
            b"\x89PNG".to_vec(),
            Vec::new(),
            packed(&idx(8, &[2, 3], &[1, 2, 3, 4])),
            packed(&idx(8, &[2, 1], &[1, 2, 3, 4])),
            packed(&idx(8, &[u32::MAX, 200], &[1])),
            packed(&good)[..20].to_vec(),
            [&packed(&good)[..20], &[0; 10]].concat(),
        ] {
            assert_eq!(parse(&bad, usize::MAX).unwrap_err().code(), "P0208", "{bad:?}");
        }
        let mut wrong_sum = packed(&good);
        let at = wrong_sum.len() - 8;
        wrong_sum[at] ^= 1;
        assert_eq!(parse(&wrong_sum, usize::MAX).unwrap_err().code(), "P0208");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            pack: bool, length in 0_usize..60, limit in 1_usize..4,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        ) {
            let whole = idx(8, &[3, 2, 2], &[0, 255, 51, 102, 1, 2, 3, 4, 5, 6, 7, 8]);
            let mut bytes = if pack { packed(&whole) } else { whole };
            let size = bytes.len();
            changes.into_iter().for_each(|(at, byte)| bytes[at.index(size)] = byte);
            bytes.truncate(length);
            let _ = parse(&bytes, limit);
        }
    }
}
