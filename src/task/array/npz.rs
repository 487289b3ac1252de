//! NumPy's archives of several arrays.
//!
//! An archive is a zip file. Of that format only what `np.savez` and `np.savez_compressed` write is read: one disk, stored
//! or deflated members, lengths below 4 GiB. Names of members are compared, never used as paths.

use super::super::file::{DataReader, nearest, shown};
use super::super::{Dataset, LoadContext, Source, TargetKind};
use super::{MAX_BYTES, Numbers, cut, dataset, inputs_alone, malformed, npy};
use crate::error::{Error, Result};
use flate2::CrcReader;
use flate2::bufread::DeflateDecoder;
use serde::{Deserialize, Serialize};
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Most bytes of the list of members.
const MAX_DIRECTORY: u64 = 1 << 20;

/// More than deflate can grow a byte to.
const MAX_GROWTH: u64 = 1040;

/// One file as `np.savez` or `np.savez_compressed` writes it, with the arrays of inputs and targets. See
/// [`Npy`](npy::Npy) for what arrays may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Npz {
    /// The archive, from the folder of the experiment file.
    pub path: PathBuf,
    /// Name of the array of inputs `[rows × …]`; default `x`.
    #[serde(default = "x")]
    pub inputs: String,
    /// Name of the array of targets `[rows]` or `[rows × targets]`; default `y`. An autoencoder needs none.
    #[serde(default = "y")]
    pub targets: String,
}

impl Source for Npz {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let path = context.folder.join(&self.path);
        let described = DataReader::open(&path, MAX_BYTES)?.finish()?;
        let mut file = std::fs::File::open(&path).map_err(|cause| cut(&path, cause))?;
        let inputs = read(&mut file, described.bytes, &self.inputs, &path)?;
        let labelled = context.kind != TargetKind::Inputs || {
            let members = directory(&mut file, described.bytes, &path)?;
            members.iter().any(|member| member.name == self.targets)
        };
        let mut dataset = if labelled {
            let targets = read(&mut file, described.bytes, &self.targets, &path)?;
            dataset(inputs, targets, context.kind, [&path, &path])?
        } else {
            inputs_alone(inputs, &path)?
        };
        dataset.files = vec![described];
        Ok(dataset)
    }
}

/// A member as the archive's directory lists it.
struct Member {
    name: String,
    encrypted: bool,
    method: u16,
    checksum: u32,
    stored: u64,
    length: u64,
    offset: u64,
}

/// An archive in memory, of which any member can be read.
pub(crate) struct Archive<'a> {
    file: Cursor<&'a [u8]>,
    members: Vec<Member>,
    path: &'a Path,
}

impl<'a> Archive<'a> {
    /// The archive in these bytes of the file at `path`.
    ///
    /// # Errors
    /// `P0208` for something else.
    pub(crate) fn open(bytes: &'a [u8], path: &'a Path) -> Result<Archive<'a>> {
        let mut file = Cursor::new(bytes);
        let members = directory(&mut file, bytes.len() as u64, path)?;
        Ok(Archive { file, members, path })
    }

    /// Names of the members in their order, without `.npy`.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// Bytes of all members once they are unpacked, as the archive tells.
    pub(crate) fn unpacked(&self) -> u64 {
        self.members.iter().map(|member| member.length).sum()
    }

    /// Lengths of the indices and numbers of an array, the last index running fastest.
    ///
    /// # Errors
    /// `P0207` for one that is not there, `P0208` for a damaged one.
    pub(crate) fn array(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f64>)> {
        let length = self.file.get_ref().len() as u64;
        let member = find(&self.members, name, self.path)?;
        let (shape, numbers) = unpack(&mut self.file, length, member, self.path, |source| {
            npy::read_shaped(source, member.length, self.path)
        })?;
        Ok((shape, numbers.values))
    }

    /// A member that is text.
    ///
    /// # Errors
    /// `P0207` for one that is not there, `P0208` for a damaged one.
    pub(crate) fn text(&mut self, name: &str) -> Result<String> {
        let length = self.file.get_ref().len() as u64;
        let member = find(&self.members, name, self.path)?;
        unpack(&mut self.file, length, member, self.path, |source| {
            let mut text = String::new();
            source.take(member.length).read_to_string(&mut text).map_err(|cause| cut(self.path, cause))?;
            Ok(text)
        })
    }
}

/// Reads one array of an archive of `length` bytes.
fn read<F: Read + Seek>(file: &mut F, length: u64, name: &str, path: &Path) -> Result<Numbers> {
    let members = directory(file, length, path)?;
    let member = find(&members, name, path)?;
    unpack(file, length, member, path, |source| npy::read(source, member.length, path))
}

fn find<'a>(members: &'a [Member], name: &str, path: &Path) -> Result<&'a Member> {
    let Some(member) = members.iter().find(|member| member.name == name) else {
        let known: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let error = Error::data("P0207", format!("the archive has no array \"{}\"", shown(name))).in_file(path);
        let listed: Vec<String> = known.iter().take(12).map(|name| shown(name)).collect();
        let error = error.note(format!("its arrays are {}", listed.join(", ")));
        return Err(match nearest(name, &known) {
            Some(near) => error.help(format!("did you mean \"{}\"?", shown(near))),
            None => error,
        });
    };
    Ok(member)
}

/// What `take` reads of a member, once its checksum was found right.
fn unpack<F: Read + Seek, T>(
    file: &mut F,
    length: u64,
    member: &Member,
    path: &Path,
    take: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let damaged = || {
        malformed(path, format!("the array \"{}\" of the archive is damaged", shown(&member.name)))
            .help("write it again")
    };
    let head = at(file, member.offset, 30, path)?;
    let data = member.offset + 30 + u64::from(u16_at(&head, 26)) + u64::from(u16_at(&head, 28));
    let fits = data.checked_add(member.stored).is_some_and(|end| end <= length);
    if u32_at(&head, 0) != 0x0403_4B50 || !fits || member.length > member.stored.saturating_mul(MAX_GROWTH) {
        return Err(damaged());
    }
    file.seek(SeekFrom::Start(data)).map_err(|cause| cut(path, cause))?;
    let stored = BufReader::new(file.take(member.stored));
    let source: Box<dyn Read> = match (member.encrypted, member.method) {
        (false, 0) => Box::new(stored),
        (false, 8) => Box::new(DeflateDecoder::new(stored)),
        _ => {
            return Err(
                malformed(path, "the archive is packed in a way that is not read").help("write it with np.savez")
            );
        }
    };
    let mut checked = CrcReader::new(source);
    let taken = take(&mut checked)?;
    if checked.crc().sum() != member.checksum {
        return Err(damaged());
    }
    Ok(taken)
}

fn directory<F: Read + Seek>(file: &mut F, length: u64, path: &Path) -> Result<Vec<Member>> {
    let no_archive = || malformed(path, "the file is no NumPy archive").help("write it with np.savez");
    // The end record takes 22 bytes and a comment, which is empty in practice.
    let tail_length = length.min(22 + 65_535);
    let tail = at(file, length - tail_length, tail_length as usize, path)?;
    let end = (0..tail.len().saturating_sub(21)).rev().find(|&start| u32_at(&tail, start) == 0x0605_4B50);
    let end = end.ok_or_else(no_archive)?;
    let (count, size, offset) = (u16_at(&tail, end + 10), u32_at(&tail, end + 12), u32_at(&tail, end + 16));
    let (size, offset) = (u64::from(size), u64::from(offset));
    if size > MAX_DIRECTORY || offset + size > length {
        return Err(no_archive());
    }
    let list = at(file, offset, size as usize, path)?;
    let mut members = Vec::new();
    let mut rest = list.as_slice();
    for _ in 0..count {
        if rest.len() < 46 || u32_at(rest, 0) != 0x0201_4B50 {
            return Err(no_archive());
        }
        let lengths = [28, 30, 32].map(|place| usize::from(u16_at(rest, place)));
        let whole = 46 + lengths.iter().sum::<usize>();
        let name = rest.get(46..46 + lengths[0]).filter(|_| rest.len() >= whole).ok_or_else(no_archive)?;
        let name = String::from_utf8_lossy(name);
        members.push(Member {
            name: name.strip_suffix(".npy").unwrap_or(&name).to_owned(),
            encrypted: u16_at(rest, 8) & 1 == 1,
            method: u16_at(rest, 10),
            checksum: u32_at(rest, 16),
            stored: u64::from(u32_at(rest, 20)),
            length: u64::from(u32_at(rest, 24)),
            offset: u64::from(u32_at(rest, 42)),
        });
        rest = &rest[whole..];
    }
    Ok(members)
}

fn at<F: Read + Seek>(file: &mut F, offset: u64, count: usize, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(|cause| cut(path, cause))?;
    Ok(bytes)
}

/// # Panics
/// If `bytes` is too short, which callers have checked.
fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
}

fn u32_at(bytes: &[u8], place: usize) -> u32 {
    u32::from(u16_at(bytes, place)) | u32::from(u16_at(bytes, place + 2)) << 16
}

fn x() -> String {
    "x".into()
}

fn y() -> String {
    "y".into()
}

#[cfg(test)]
mod tests {
    use super::super::super::{TargetKind, Targets};
    use super::super::tests::bytes;
    use super::*;
    use proptest::prelude::*;

    /// numpy 2.4.6: np.savez(x=np.array([[1., 2.], [3., 4.]]), y=np.array([1, 0])).
    const STORED: &str = "504b03042d00000000000000210021358b69ffffffffffffffff05001400782e6e707901001000a000000000000000a00000 \
         0000000000934e554d5059010076007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046 \
         616c73652c20277368617065273a2028322c2032292c207d2020202020202020202020202020202020202020202020202020 \
         20202020202020202020202020202020202020202020202020202020202020200a000000000000f03f000000000000004000 \
         000000000008400000000000001040504b03042d00000000000000210071fb39abffffffffffffffff05001400792e6e7079 \
         0100100090000000000000009000000000000000934e554d5059010076007b276465736372273a20273c6938272c2027666f \
         727472616e5f6f72646572273a2046616c73652c20277368617065273a2028322c292c207d20202020202020202020202020 \
         20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200a0100 \
         0000000000000000000000000000504b01022d032d00000000000000210021358b69a0000000a00000000500000000000000 \
         00000000800100000000782e6e7079504b01022d032d00000000000000210071fb39ab900000009000000005000000000000 \
         00000000008001d7000000792e6e7079504b05060000000002000200660000009e0100000000";

    /// numpy 2.4.6: np.savez_compressed of the same.
    const DEFLATED: &str = "504b03042d00000008000000210021358b69ffffffffffffffff05001400782e6e707901001000a000000000000000550000 \
         00000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a1aea3a09e965f54529498179f5f94920a12774bcc \
         294e058a17672416a402f91a463a0a469a3a0ab50a64032e0630f8600fa1191c2014079416700000504b03042d0000000800 \
         0000210071fb39abffffffffffffffff05001400792e6e707901001000900000000000000048000000000000009bec17ea1b \
         10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402 \
         f91a463a9a3a0ab50a14002e4606540000504b01022d032d00000008000000210021358b6955000000a00000000500000000 \
         00000000000000800100000000782e6e7079504b01022d032d00000008000000210071fb39ab480000009000000005000000 \
         000000000000000080018c000000792e6e7079504b05060000000002000200660000000b0100000000";

    fn member(bytes: &[u8], name: &str) -> Result<Numbers> {
        read(&mut Cursor::new(bytes), bytes.len() as u64, name, Path::new("a.npz"))
    }

    #[test]
    fn archives_of_numpy_load() {
        let folder = tempfile::tempdir().unwrap();
        for archive in [STORED, DEFLATED] {
            std::fs::write(folder.path().join("a.npz"), bytes(archive)).unwrap();
            let npz = super::super::super::tests::parse("Npz(path: \"a.npz\")").unwrap();
            let dataset = npz.load(&LoadContext { folder: folder.path(), kind: TargetKind::Classes }).unwrap();
            assert_eq!(dataset.inputs, ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
            assert_eq!(dataset.targets, Targets::Classes { labels: vec![1, 0], names: vec!["0".into(), "1".into()] });
            for (targets, labels) in [("y", vec![1, 0]), ("x", vec![]), ("z", vec![])] {
                let npz = super::super::super::tests::parse(&format!("Npz(path: \"a.npz\", targets: \"{targets}\")"))
                    .unwrap();
                let dataset = npz.load(&LoadContext { folder: folder.path(), kind: TargetKind::Inputs }).unwrap();
                let Targets::Inputs { labels: found, .. } = dataset.reconstructing().targets else { panic!() };
                assert_eq!(found, labels, "{targets}: labels, no classes, not there");
            }
        }
        let error = member(&bytes(STORED), "X").unwrap_err().to_string();
        assert!(
            error.contains("P0207") && error.contains("its arrays are x, y") && error.contains("did you mean \"x\"?")
        );
    }

    #[test]
    fn every_changed_byte_of_an_array_is_noticed() {
        let whole = bytes(DEFLATED);
        let start = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
        let good = member(&whole, "x").unwrap();
        for at in 0..start {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            // What the directory repeats may differ in a member's own head; its numbers may not.
            assert!(
                member(&changed, "x").is_ok_and(|numbers| numbers == good) || member(&changed, "x").is_err(),
                "{at}"
            );
        }
        for length in 0..whole.len() {
            assert!(member(&whole[..length], "x").is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            stored: bool, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), name in "[xy]",
        ) {
            let mut archive = bytes(if stored { STORED } else { DEFLATED });
            let length = archive.len();
            changes.into_iter().for_each(|(at, byte)| archive[at.index(length)] = byte);
            let _ = member(&archive, &name);
        }
    }
}
