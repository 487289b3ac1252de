//! Rows of data in the layouts that the kernels read.

use super::kernel::simd::LANES;
use super::kernel::{AlignedBuffer, pack_tile};

/// Rows that a full tile holds: three vectors, so that eight outputs keep 24 sums in registers.
pub(crate) const TILE: usize = 3 * LANES;

/// A fixed set of rows with their targets, packed once and read by every evaluation.
///
/// Inputs are kept twice: in tiles of 48 rows, feature-major, for products with rows in lanes; and row by row, padded
/// to a multiple of 16, for gradient products and for gathering minibatches. The last tile is 16, 32 or 48 rows wide.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    count: usize,
    features: usize,
    outputs: usize,
    tiles: AlignedBuffer,
    by_row: AlignedBuffer,
    target_tiles: AlignedBuffer,
    targets: Vec<f32>,
}

impl Rows {
    /// Packs `inputs` (`[count × features]`, row-major) and `targets` (`[count × outputs]`, row-major).
    ///
    /// # Panics
    /// If the lengths do not fit, or there is no row, no feature or no output.
    pub fn new(inputs: &[f32], targets: &[f32], features: usize, outputs: usize) -> Rows {
        let count = inputs.len() / features.max(1);
        assert!(inputs.len() == count * features && targets.len() == count * outputs);
        Rows::filled(count, features, outputs, |row, input, target| {
            input.copy_from_slice(&inputs[row * features..(row + 1) * features]);
            target.copy_from_slice(&targets[row * outputs..(row + 1) * outputs]);
        })
    }

    /// Rows that `fill` writes one by one, in order: it gets the number of the row and the places of its inputs
    /// (`[features]`) and targets (`[outputs]`), which hold zeros. Nothing is in memory that the rows do not keep.
    ///
    /// # Panics
    /// If there is no row, no feature or no output.
    pub fn filled(
        count: usize,
        features: usize,
        outputs: usize,
        mut fill: impl FnMut(usize, &mut [f32], &mut [f32]),
    ) -> Rows {
        assert!(count > 0 && features > 0 && outputs > 0, "there is a row, and it has a feature and an output");
        let mut rows = Rows::with_shape(count, features, outputs);
        let stride = rows.stride();
        for row in 0..count {
            let input = &mut rows.by_row[row * stride..row * stride + features];
            fill(row, input, &mut rows.targets[row * outputs..(row + 1) * outputs]);
        }
        rows.pack();
        rows
    }

    /// Zero rows of a given shape, to be filled by [`Rows::gather`]. They take no memory before.
    pub fn with_shape(count: usize, features: usize, outputs: usize) -> Rows {
        let mut rows = Rows { features, outputs, ..Rows::default() };
        rows.resize(count);
        rows
    }

    /// Makes this the rows of `from` that `indices` name, in that order. Allocates only to grow.
    pub fn gather(&mut self, from: &Rows, indices: &[u32]) {
        assert_eq!((self.features, self.outputs), (from.features, from.outputs));
        self.resize(indices.len());
        for (row, &index) in indices.iter().enumerate() {
            self.set(row, from.input(index as usize), from.target(index as usize));
        }
        self.pack();
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Inputs per row.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Targets per row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The inputs of one row, `[features]`.
    pub fn input(&self, row: usize) -> &[f32] {
        let stride = self.stride();
        &self.by_row[row * stride..row * stride + self.features]
    }

    /// The targets of one row, `[outputs]`: one-hot for classes.
    pub fn target(&self, row: usize) -> &[f32] {
        &self.targets[row * self.outputs..(row + 1) * self.outputs]
    }

    /// All targets, `[count × outputs]`, row-major.
    pub fn targets(&self) -> &[f32] {
        &self.targets
    }

    /// Bytes that rows of this shape take.
    pub fn bytes(count: usize, features: usize, outputs: usize) -> u128 {
        let (count, features, outputs) = (count as u128, features as u128, outputs as u128);
        let lanes = LANES as u128;
        let padded = count.div_ceil(lanes) * lanes;
        4 * (padded * (features + outputs + features.div_ceil(lanes) * lanes) + count * outputs)
    }

    /// Distance of rows in `by_row`.
    pub(crate) fn stride(&self) -> usize {
        self.features.next_multiple_of(LANES)
    }

    /// Row-major inputs with `stride()`.
    pub(crate) fn by_row(&self) -> &[f32] {
        &self.by_row
    }

    /// Tiles: for each its first row, the number of live rows, and its width in vectors.
    pub(crate) fn tile_shapes(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let count = self.count;
        (0..count).step_by(TILE).map(move |first| {
            let live = (count - first).min(TILE);
            (first, live, live.div_ceil(LANES))
        })
    }

    /// The inputs of the tile that begins at row `first`, `[features × width]`.
    pub(crate) fn tile(&self, first: usize) -> &[f32] {
        &self.tiles[first * self.features..]
    }

    /// The targets of the tile that begins at row `first`, `[outputs × width]`.
    pub(crate) fn target_tile(&self, first: usize) -> &[f32] {
        &self.target_tiles[first * self.outputs..]
    }

    fn resize(&mut self, count: usize) {
        if self.count == count {
            return;
        }
        self.count = count;
        let padded = count.next_multiple_of(LANES);
        // Lanes without a row must hold zeros: what they compute is masked, but it must stay finite and cheap.
        self.tiles.reset(padded * self.features);
        self.by_row.reset(padded * self.stride());
        self.target_tiles.reset(padded * self.outputs);
        if count * self.outputs > self.targets.capacity() {
            // Zeros from the system, which makes pages when they are written to.
            self.targets = vec![0.0; count * self.outputs];
        } else {
            self.targets.clear();
            self.targets.resize(count * self.outputs, 0.0);
        }
    }

    fn set(&mut self, row: usize, input: &[f32], target: &[f32]) {
        let stride = self.stride();
        self.by_row[row * stride..row * stride + input.len()].copy_from_slice(input);
        self.targets[row * target.len()..(row + 1) * target.len()].copy_from_slice(target);
    }

    /// Fills the tiles from what stands row by row.
    fn pack(&mut self) {
        let (stride, features, outputs) = (self.stride(), self.features, self.outputs);
        for (first, live, vectors) in self.tile_shapes() {
            let width = vectors * LANES;
            pack_tile(&self.by_row[first * stride..], stride, features, width, &mut self.tiles[first * features..]);
            let tile = &mut self.target_tiles[first * outputs..];
            let targets = &self.targets[first * outputs..];
            for row in 0..live {
                for output in 0..outputs {
                    tile[output * width + row] = targets[row * outputs + output];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathering_rows_equals_packing_them() {
        for count in [1, 15, 16, 17, 47, 48, 49, 100] {
            let inputs: Vec<f32> = (0..count * 5).map(|i| i as f32).collect();
            let targets: Vec<f32> = (0..count * 2).map(|i| -(i as f32)).collect();
            let all = Rows::new(&inputs, &targets, 5, 2);
            let order: Vec<u32> = (0..count as u32).rev().collect();
            let mut gathered = Rows::with_shape(3, 5, 2);
            gathered.gather(&all, &order);
            let reversed: Vec<f32> = inputs.chunks(5).rev().flatten().copied().collect();
            let reversed_targets: Vec<f32> = targets.chunks(2).rev().flatten().copied().collect();
            let packed = Rows::new(&reversed, &reversed_targets, 5, 2);
            assert_eq!(&gathered.tiles[..], &packed.tiles[..]);
            assert_eq!(&gathered.by_row[..], &packed.by_row[..]);
            assert_eq!(&gathered.target_tiles[..], &packed.target_tiles[..]);
            assert_eq!(gathered.targets, packed.targets);
        }
    }
}
