//! Sealed files: a header that people can read, a payload, and a checksum over both, so that no damage goes unseen.
//!
//! Layout, all numbers little-endian: `PRCL`, major and minor version (u16), length of the header (u32) and of the
//! payload (u64), the header in RON, the payload, SHA-256 of all that stands before. There are no offsets and nothing is
//! compressed, so no length in the file can ask for more memory than the file is long.
//!
//! A payload is written piece by piece, because the state of a large search must not be in memory twice.

use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::io::{self, BufWriter, Write};

const MAGIC: &[u8; 4] = b"PRCL";
const MAJOR: u16 = 1;
const MINOR: u16 = 0;
/// Bytes in front of the header.
const PREFIX: usize = 20;
/// Bytes of the checksum.
const CHECKSUM: usize = 32;
/// Longest header: that of a model names each input and its scale.
pub const LARGEST_HEADER: usize = 32 << 20;
/// Longest model file that is read.
pub const LARGEST_FILE: u64 = 1 << 30;

/// What a sealed file is to its readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A network with its weights.
    Model,
    /// A run between two steps.
    Checkpoint,
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Content::Model => "model",
            Content::Checkpoint => "checkpoint",
        }
    }

    fn places(self) -> &'static str {
        match self {
            Content::Model => "models are the `.pcl` files in the folder `models` of a result",
            Content::Checkpoint => "checkpoints are the `.ckpt` files in the folder `checkpoints` of a result",
        }
    }

    /// The refusal of a file of this kind that is damaged.
    pub fn damaged(self, what: &str) -> Error {
        let way = match self {
            Content::Model => "copy it again from where it came from",
            Content::Checkpoint => "`precocial resume` takes the one before",
        };
        Error::data("P0302", format!("the {} is damaged: {what}", self.name())).help(way)
    }
}

/// The bytes of a sealed file, in memory.
///
/// # Panics
/// If the header is longer than 32 MiB.
pub fn seal(header: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + payload.len() + CHECKSUM);
    seal_into(&mut bytes, header, &|to| to.put_bytes(payload)).expect("memory takes all that it is given");
    bytes
}

/// Writes a sealed file. `payload` is called twice, first to learn how long the payload is.
///
/// # Errors
/// Those of `to`.
///
/// # Panics
/// If the header is longer than 32 MiB, or the payload changes between the calls.
pub fn seal_into(to: &mut dyn Write, header: &str, payload: &dyn Fn(&mut StateWriter)) -> io::Result<()> {
    assert!(header.len() <= LARGEST_HEADER, "a header is at most 32 MiB long");
    let mut length = Counted { to: &mut io::sink(), bytes: 0 };
    StateWriter::write(&mut length, payload)?;
    let length = length.bytes;
    let mut hashed = Hashed { to, hash: Sha256::new() };
    let mut pieces = BufWriter::with_capacity(PIECE, &mut hashed);
    pieces.write_all(MAGIC)?;
    pieces.write_all(&MAJOR.to_le_bytes())?;
    pieces.write_all(&MINOR.to_le_bytes())?;
    pieces.write_all(&(header.len() as u32).to_le_bytes())?;
    pieces.write_all(&length.to_le_bytes())?;
    pieces.write_all(header.as_bytes())?;
    let mut counted = Counted { to: &mut pieces, bytes: 0 };
    StateWriter::write(&mut counted, payload)?;
    assert_eq!(counted.bytes, length, "a payload is the same each time");
    pieces.flush()?;
    drop(pieces);
    hashed.to.write_all(&hashed.hash.finalize())
}

/// Bytes that are written or hashed at once.
const PIECE: usize = 64 << 10;

/// Passes bytes on and counts them.
struct Counted<'a> {
    to: &'a mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Passes bytes on and hashes them.
struct Hashed<'a> {
    to: &'a mut dyn Write,
    hash: Sha256,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The header of a sealed file of which only the beginning was read, and nothing was checked.
pub fn claimed_header(beginning: &[u8]) -> Option<&str> {
    let prefix = beginning.first_chunk::<PREFIX>().filter(|prefix| prefix.starts_with(MAGIC))?;
    let header = u32::from_le_bytes([prefix[8], prefix[9], prefix[10], prefix[11]]) as usize;
    std::str::from_utf8(beginning.get(PREFIX..PREFIX.checked_add(header)?)?).ok()
}

/// Bytes in which the header of every checkpoint ends, those of models with many inputs do not.
pub const BEGINNING: u64 = 64 << 10;

/// Header and payload of a sealed file, once its checksum was found right.
///
/// # Errors
/// `P0301` for something else, `P0302` for a damaged file, `P0303` for one of a newer program.
pub fn open(bytes: &[u8], content: Content) -> Result<(&str, &[u8])> {
    let name = content.name();
    if bytes.len() < MAGIC.len() || &bytes[..MAGIC.len()] != MAGIC {
        return Err(Error::data("P0301", format!("this is not a precocial {name}")).help(content.places()));
    }
    let cut = |whole: usize| content.damaged(&format!("it has {} of {whole} bytes", bytes.len()));
    let Some(prefix) = bytes.first_chunk::<PREFIX>() else { return Err(cut(PREFIX + CHECKSUM)) };
    let major = u16::from_le_bytes([prefix[4], prefix[5]]);
    if major != MAJOR {
        let message = format!("the {name} has format {major}, this program reads format {MAJOR}");
        return Err(Error::data("P0303", message).help("use the version of precocial that wrote it, or a newer one"));
    }
    let header = u32::from_le_bytes([prefix[8], prefix[9], prefix[10], prefix[11]]) as usize;
    let payload = u64::from_le_bytes(prefix[12..].try_into().expect("eight bytes"));
    let whole = usize::try_from(payload).ok().and_then(|payload| payload.checked_add(PREFIX + header + CHECKSUM));
    let Some(whole) = whole.filter(|_| header <= LARGEST_HEADER) else {
        return Err(content.damaged("its lengths make no sense"));
    };
    if bytes.len() != whole {
        return Err(cut(whole));
    }
    let body = whole - CHECKSUM;
    if Sha256::digest(&bytes[..body])[..] != bytes[body..] {
        return Err(content.damaged("its checksum does not fit its content"));
    }
    let text =
        std::str::from_utf8(&bytes[PREFIX..PREFIX + header]).map_err(|_| content.damaged("its header is not text"))?;
    Ok((text, &bytes[PREFIX + header..body]))
}

/// Where a state is written to, piece by piece. [`StateReader`] reads the pieces in the same order.
///
/// A failed write is told at the end, to whoever opened the file, and ends all later ones.
pub struct StateWriter<'a> {
    to: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl StateWriter<'_> {
    fn write(to: &mut dyn Write, payload: &dyn Fn(&mut StateWriter)) -> io::Result<()> {
        let mut writer = StateWriter { to, failed: None };
        payload(&mut writer);
        writer.failed.map_or(Ok(()), Err)
    }

    /// Plain data.
    ///
    /// # Panics
    /// For types that cannot be serialized, which plain data never are.
    pub fn put<T: Serialize + ?Sized>(&mut self, data: &T) {
        if self.failed.is_some() {
            return;
        }
        let mut noted = Noted { to: self.to, failed: None };
        let written = postcard::to_io(data, &mut noted).map(|_| ());
        self.failed = noted.failed;
        assert!(written.is_ok() || self.failed.is_some(), "plain data");
    }

    /// Numbers without their count, which the reader must know.
    pub fn put_floats(&mut self, numbers: &[f32]) {
        let mut bytes = [0_u8; 4 * 1024];
        for chunk in numbers.chunks(bytes.len() / 4) {
            for (place, number) in bytes.chunks_exact_mut(4).zip(chunk) {
                place.copy_from_slice(&number.to_le_bytes());
            }
            self.put_bytes(&bytes[..4 * chunk.len()]);
        }
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.to.write_all(bytes).err();
        }
    }
}

/// Keeps the error of a write, which the serializer does not.
struct Noted<'a> {
    to: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl Write for Noted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes).map_err(|cause| {
            let kind = cause.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed = Some(cause);
            }
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        // The serializer asks for it after each piece.
        Ok(())
    }
}

/// A state that is read piece by piece, as [`StateWriter`] wrote it.
#[derive(Clone, Copy, Debug)]
pub struct StateReader<'a> {
    rest: &'a [u8],
}

impl<'a> StateReader<'a> {
    /// A reader of these bytes.
    pub fn new(bytes: &'a [u8]) -> StateReader<'a> {
        StateReader { rest: bytes }
    }

    /// The next plain data.
    ///
    /// # Errors
    /// `P0304` for bytes of another type.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T> {
        let (data, rest) = postcard::take_from_bytes(self.rest).map_err(|_| mismatch())?;
        self.rest = rest;
        Ok(data)
    }

    /// As many numbers as `numbers` has room for.
    ///
    /// # Errors
    /// `P0304` if there are fewer.
    pub fn take_floats(&mut self, numbers: &mut [f32]) -> Result<()> {
        let bytes = numbers.len().checked_mul(4).ok_or_else(mismatch)?;
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or_else(mismatch)?;
        for (number, bytes) in numbers.iter_mut().zip(taken.chunks_exact(4)) {
            *number = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        self.rest = rest;
        Ok(())
    }

    /// Bytes that are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Nothing may be left over.
    ///
    /// # Errors
    /// `P0304` if something is.
    pub fn end(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(mismatch()) }
    }
}

/// What `payload` writes, in memory.
pub fn encode(payload: &dyn Fn(&mut StateWriter)) -> Vec<u8> {
    let mut bytes = Vec::new();
    StateWriter::write(&mut bytes, payload).expect("memory takes all that it is given");
    bytes
}

/// The refusal of a saved state that does not fit what it is put into.
pub fn mismatch() -> Error {
    Error::data("P0304", "the saved state belongs to another run")
        .help("resume with the experiment that wrote it, or start again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_knows_what_is_left() {
        let bytes = encode(&|to| {
            to.put(&7_u8);
            to.put_floats(&[1.0, 2.0]);
        });
        let mut from = StateReader::new(&bytes);
        assert_eq!((from.left(), from.take::<u8>().unwrap(), from.left()), (9, 7, 8));
        let mut numbers = [0.0; 2];
        from.take_floats(&mut numbers).unwrap();
        assert_eq!((numbers, from.left()), ([1.0, 2.0], 0));
        assert!(from.take_floats(&mut numbers).is_err() && from.end().is_ok());
    }

    #[test]
    fn what_was_sealed_is_found_again() {
        let bytes = seal("(kind: \"test\")", &[1, 2, 3]);
        assert_eq!(open(&bytes, Content::Model).unwrap(), ("(kind: \"test\")", &[1_u8, 2, 3][..]));
        assert_eq!(open(&seal("", &[]), Content::Checkpoint).unwrap(), ("", &[][..]));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_seen() {
        let bytes = seal("(kind: \"test\")", &(0..200).collect::<Vec<u8>>());
        for at in 0..bytes.len() {
            for change in [bytes[at] ^ 1, bytes[at] ^ 0x80, bytes[at].wrapping_add(1), 0, 255] {
                let mut changed = bytes.clone();
                changed[at] = change;
                // The minor version may grow: it is part of the checksum all the same.
                assert!(change == bytes[at] || open(&changed, Content::Model).is_err(), "byte {at} as {change}");
            }
            assert!(open(&bytes[..at], Content::Model).is_err(), "the first {at} bytes");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(open(&longer, Content::Model).is_err());
    }

    #[test]
    fn lengths_are_not_believed() {
        let mut bytes = seal("", &[0; 8]);
        bytes[12..20].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(open(&bytes, Content::Model).unwrap_err().code(), "P0302");
        bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(open(&bytes, Content::Model).unwrap_err().code(), "P0302");
    }

    #[test]
    fn headers_are_as_long_as_they_may_be() {
        let header = "x".repeat(LARGEST_HEADER);
        let bytes = seal(&header, &[1]);
        assert_eq!(open(&bytes, Content::Model).unwrap(), (&header[..], &[1_u8][..]));
    }

    #[test]
    fn a_cut_says_how_much_is_there() {
        // What begins as our files do is one of ours that was cut, however little is left.
        for left in [4, 10] {
            let error = open(&seal("()", &[7; 100])[..left], Content::Model).unwrap_err();
            assert_eq!(error.problems()[0].message, format!("the model is damaged: it has {left} of 52 bytes"));
        }
        assert_eq!(open(b"PRC", Content::Model).unwrap_err().code(), "P0301");
        let bytes = seal("()", &[7; 100]);
        let error = open(&bytes[..50], Content::Checkpoint).unwrap_err();
        assert_eq!(error.problems()[0].message, "the checkpoint is damaged: it has 50 of 154 bytes");
    }

    #[test]
    fn plain_data_comes_back_with_all_its_bits() {
        let data = (vec![f64::NAN, f64::INFINITY, -0.0, 1e-320], Some("name".to_owned()), u64::MAX, [1.5_f32; 3]);
        let numbers: Vec<f32> = (0..5000).map(|i| i as f32 / 7.0).collect();
        let bytes = encode(&|to| {
            to.put(&data);
            to.put_floats(&numbers);
        });
        let mut from = StateReader::new(&bytes);
        let back: (Vec<f64>, Option<String>, u64, [f32; 3]) = from.take().unwrap();
        assert!(back.0.iter().zip(&data.0).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!((back.1, back.2, back.3), (data.1, data.2, data.3));
        let mut floats = vec![0.0; numbers.len()];
        assert!(from.end().is_err(), "nothing may be left over");
        from.take_floats(&mut floats).unwrap();
        assert_eq!(floats, numbers);
        from.end().unwrap();
        assert!(from.take_floats(&mut floats).is_err(), "numbers that are not there");
        assert!(StateReader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).take::<Vec<u64>>().is_err(), "nor this length");
    }

    #[test]
    fn what_is_written_in_pieces_is_the_same_file() {
        let numbers: Vec<f32> = (0..40_000).map(|i| i as f32).collect();
        let payload: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut file = Vec::new();
        seal_into(&mut file, "(kind: \"test\")", &|to| to.put_floats(&numbers)).unwrap();
        assert_eq!(file, seal("(kind: \"test\")", &payload));
        assert_eq!(claimed_header(&file[..100]), Some("(kind: \"test\")"));
        assert_eq!(claimed_header(&file[..30]), None);
        assert_eq!(claimed_header(b"something else that is long enough"), None);
    }

    #[test]
    fn a_failed_write_is_told_with_its_cause() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for room in [0, 10, 60_000, 150_000] {
            let told = seal_into(&mut Full(room), "()", &|to| {
                to.put(&vec![1.0_f64; 10_000]);
                to.put_floats(&[1.0; 20_000]);
                to.put(&7_u64);
            });
            assert_eq!(told.unwrap_err().kind(), io::ErrorKind::StorageFull, "{room}");
        }
    }
}
