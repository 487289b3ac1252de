//! An archive of NumPy: `weights_0` `[outputs × inputs]`, `thresholds_0` `[outputs]`, `weights_1`, …, as 32-bit floats.
//!
//! **Inputs and outputs of the network are scaled**; the scaling stands in 64-bit arrays `input_centre` … (see [`super`]). The
//! member `metadata.json` is the [`Description`] without weights, as text.
//!
#![doc = concat!("```python\n", include_str!("npz.py"), "```")]

use super::{Description, Export, doubles, singles, too_large};
use crate::error::Result;
use flate2::Crc;

/// A zip file without compression, of arrays as `np.save` writes them.
pub struct Npz;

impl Export for Npz {
    fn word(&self) -> &'static str {
        "npz"
    }

    fn about(&self) -> &'static str {
        "NumPy's archive of arrays; scaled inputs and outputs, scaling beside them"
    }

    fn extension(&self) -> &'static str {
        "npz"
    }

    fn recipe(&self) -> &'static str {
        include_str!("npz.py")
    }

    fn write(&self, description: &Description) -> Result<Vec<u8>> {
        let mut members = vec![("metadata.json".to_owned(), description.metadata().into_bytes())];
        for (index, layer) in description.layers.iter().enumerate() {
            let weights = singles(layer.weights.iter().flatten());
            members.push(single(&format!("weights_{index}"), &[layer.outputs, layer.inputs], weights));
            members.push(single(&format!("thresholds_{index}"), &[layer.outputs], singles(&layer.thresholds)));
        }
        members.extend(scaling(description));
        archive(&members)
    }
}

/// An array of 32-bit floats, as a member.
pub(super) fn single(name: &str, shape: &[usize], bytes: Vec<u8>) -> (String, Vec<u8>) {
    (format!("{name}.npy"), array("<f4", shape, bytes))
}

/// The arrays of the scaling, as members.
pub(super) fn scaling(description: &Description) -> impl Iterator<Item = (String, Vec<u8>)> {
    let scales = description.scales().into_iter();
    scales.map(|scale| (format!("{}.npy", scale.name), array("<f8", &scale.shape, doubles(scale.values))))
}

/// NumPy's file of one array, rows first.
fn array(element: &str, shape: &[usize], bytes: Vec<u8>) -> Vec<u8> {
    // Python's list of one length needs its comma.
    let lengths: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let mut head = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({}), }}", lengths.trim_end());
    let start = b"\x93NUMPY\x01\x00";
    let padding = (start.len() + 2 + head.len() + 1).next_multiple_of(64) - (start.len() + 2 + head.len() + 1);
    head.extend(std::iter::repeat_n(' ', padding));
    head.push('\n');
    let mut file = start.to_vec();
    file.extend((head.len() as u16).to_le_bytes());
    file.extend(head.as_bytes());
    file.extend(bytes);
    file
}

/// A zip file of members that are stored as they are (PKWARE's APPNOTE 6.3.3, sections 4.3.7, 4.3.12, 4.3.16), dated
/// 1980-01-01.
pub(super) fn archive(members: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let small = |length: usize| u32::try_from(length).map_err(|_| too_large("a zip file", "4 GiB"));
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let mut crc = Crc::new();
        crc.update(bytes);
        // What a member's own head and the directory's entry share, from the version needed to the lengths.
        let mut shared = Vec::new();
        [20_u16, 0, 0, 0, 0x21].iter().for_each(|field| shared.extend(field.to_le_bytes()));
        [crc.sum(), small(bytes.len())?, small(bytes.len())?]
            .iter()
            .for_each(|field| shared.extend(field.to_le_bytes()));
        [name.len() as u16, 0].iter().for_each(|field| shared.extend(field.to_le_bytes()));
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&shared);
        [0_u16; 3].iter().for_each(|field| directory.extend(field.to_le_bytes()));
        // A file that its owner writes and all read, for those who unpack it.
        [0o100_644_u32 << 16, small(file.len())?].iter().for_each(|field| directory.extend(field.to_le_bytes()));
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&shared);
        file.extend(name.as_bytes());
        file.extend(bytes);
    }
    let (count, length, offset) = (members.len() as u16, small(directory.len())?, small(file.len())?);
    file.extend(directory);
    file.extend(b"PK\x05\x06");
    [0, 0, count, count].iter().for_each(|field: &u16| file.extend(field.to_le_bytes()));
    [length, offset].iter().for_each(|field| file.extend(field.to_le_bytes()));
    file.extend([0, 0]);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::models;
    use crate::task::{LoadContext, Source, TargetKind, Targets, array};

    #[test]
    fn our_own_reader_finds_every_array() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.npz");
        for model in models() {
            std::fs::write(&path, model.export(&Format::Npz).unwrap()).unwrap();
            // A layer's weights and thresholds have as many rows, as inputs and targets of a data set have.
            let read = |inputs: String, targets: String| {
                let context = LoadContext { folder: folder.path(), kind: TargetKind::Values };
                let dataset = array::npz::Npz { path: "model.npz".into(), inputs, targets }.load(&context).unwrap();
                let Targets::Values { values, .. } = dataset.targets else { panic!("values were asked for") };
                (dataset.inputs, values.into_raw_vec_and_offset().0)
            };
            let wide = |params: &[f32]| params.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
            for (index, layer) in model.network.layers().iter().enumerate() {
                let (weights, thresholds) = read(format!("weights_{index}"), format!("thresholds_{index}"));
                assert_eq!(weights.dim(), (layer.outputs, layer.inputs));
                assert_eq!(weights.into_raw_vec_and_offset().0, wide(&model.params[layer.weights.clone()]));
                assert_eq!(thresholds, wide(&model.params[layer.biases.clone()]));
            }
            let (centre, factor) = read("input_centre".into(), "input_factor".into());
            assert_eq!(centre.into_raw_vec_and_offset().0, model.header.input_scaler.centre());
            let spread = model.header.input_scaler.spread();
            assert!(factor.iter().zip(spread).all(|(a, b)| (a * b - 1.0).abs() < 1e-12 || (*a, *b) == (0.0, 0.0)));
        }
    }
}
