//! Sealed files: a header that people can read, a payload, and a checksum over both, so that no damage goes unseen.
//!
//! Layout, all numbers little-endian: `PRCL`, major and minor version (u16), length of the header (u32) and of the
//! payload (u64), the header in RON, the payload, SHA-256 of all that stands before. There are no offsets and nothing is
//! compressed, so no length in the file can ask for more memory than the file is long.

use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 4] = b"PRCL";
const MAJOR: u16 = 1;
const MINOR: u16 = 0;
/// Bytes in front of the header.
const PREFIX: usize = 20;
/// Bytes of the checksum.
const CHECKSUM: usize = 32;
const LARGEST_HEADER: usize = 64 << 10;
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

/// The bytes of a sealed file.
///
/// # Panics
/// If the header is longer than 64 KiB, which no header of ours is.
pub fn seal(header: &str, payload: &[u8]) -> Vec<u8> {
    assert!(header.len() <= LARGEST_HEADER, "headers are short");
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + payload.len() + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&MAJOR.to_le_bytes());
    bytes.extend_from_slice(&MINOR.to_le_bytes());
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(payload);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

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

/// Plain data as bytes, for a payload.
///
/// # Panics
/// For types that cannot be serialized, which plain data never are.
pub fn encode<T: Serialize + ?Sized>(data: &T) -> Vec<u8> {
    postcard::to_allocvec(data).expect("plain data")
}

/// What [`encode`] wrote.
///
/// # Errors
/// `P0304` for bytes of another type.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((data, [])) => Ok(data),
        _ => Err(mismatch()),
    }
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
    fn a_cut_says_how_much_is_there() {
        let bytes = seal("()", &[7; 100]);
        let error = open(&bytes[..50], Content::Checkpoint).unwrap_err();
        assert_eq!(error.problems()[0].message, "the checkpoint is damaged: it has 50 of 154 bytes");
    }

    #[test]
    fn plain_data_comes_back_with_all_its_bits() {
        let data = (vec![f64::NAN, f64::INFINITY, -0.0, 1e-320], Some("name".to_owned()), u64::MAX, [1.5_f32; 3]);
        let back: (Vec<f64>, Option<String>, u64, [f32; 3]) = decode(&encode(&data)).unwrap();
        assert!(back.0.iter().zip(&data.0).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!((back.1, back.2, back.3), (data.1, data.2, data.3));
        assert!(decode::<u64>(&encode(&(1_u64, 2_u64))).is_err(), "nothing may be left over");
        assert!(decode::<Vec<u64>>(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err(), "a length that is not there");
    }
}
