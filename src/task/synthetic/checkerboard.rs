//! The squares of a checkerboard.

use super::super::{Dataset, LoadContext, Source};
use super::{add_noise, between, count, non_negative, room, stream, two_classes};
use crate::error::{Error, Result};
use crate::values::{Count, NonNegative};
use serde::{Deserialize, Serialize};

/// Points in the square \[−1, 1)², cut into `cells` × `cells` squares of two alternating colours; classes `light` (the
/// corner at −1, −1) and `dark`, or the numbers 0 and 1. Rows alternate between the classes.
///
/// Each row lies anywhere in its class's squares, all of them equally likely, before the noise; so neither class is ever
/// empty. With 2 cells it is the exclusive or of two signs. Ho & Kleinberg 1996.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checkerboard {
    /// Rows, at least 2; default 400.
    pub samples: Count,
    /// Squares along each side, 2 to 1000; default 4.
    pub cells: Count,
    /// Standard deviation of the noise on both coordinates, which moves points across edges; default 0.
    pub noise: NonNegative,
    /// Seed of points and noise; default 0.
    pub seed: u64,
}

impl Default for Checkerboard {
    fn default() -> Checkerboard {
        Checkerboard { samples: count(400), cells: count(4), noise: non_negative(0.0), seed: 0 }
    }
}

impl Source for Checkerboard {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let samples = self.samples.get();
        let mut inputs = room(samples, 2)?;
        if samples < 2 {
            return Err(Error::experiment("P0121", "`samples` must be at least 2, found 1")
                .help("each of the two classes needs a row"));
        }
        let cells = between("cells", self.cells, 2, 1000)?;
        let mut rng = stream(self.seed);
        for row in 0..samples {
            // Every second square, counted along the rows, of which the next begins with the other colour.
            let colour = row % 2;
            let square = 2 * rng.below((cells * cells + 1 - colour) / 2) + colour;
            let down = square / cells;
            let shift = if cells % 2 == 0 { down % 2 } else { 0 };
            let across = (square % cells) ^ shift;
            let place = |cell: usize, share: f64| 2.0 * (cell as f64 + share) / cells as f64 - 1.0;
            inputs.extend([place(across, rng.uniform64()), place(down, rng.uniform64())]);
        }
        add_noise(&mut inputs, self.noise, &mut rng);
        let labels = (0..samples as u32).map(|row| row % 2).collect();
        two_classes("checkerboard", context, inputs, labels, ["light", "dark"])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{load, values};
    use super::*;

    #[test]
    fn colours_alternate_and_every_square_has_points() {
        for cells in [2, 3, 4, 7] {
            let board = Checkerboard { samples: count(2000), cells: count(cells), ..Checkerboard::default() };
            let dataset = load(&board, TargetKind::Classes).unwrap();
            let mut met = std::collections::BTreeSet::new();
            for (point, label) in dataset.inputs.rows().into_iter().zip(values(&dataset)) {
                let square = [0, 1].map(|axis| ((point[axis] + 1.0) / 2.0 * cells as f64).floor() as u64);
                assert!(square.iter().all(|place| *place < cells), "{point}");
                assert_eq!((square[0] + square[1]) % 2, label as u64, "{point} of {cells}");
                met.insert(square);
            }
            assert_eq!(met.len() as u64, cells * cells);
        }
    }

    #[test]
    fn two_cells_are_the_exclusive_or_of_signs() {
        let board = Checkerboard { cells: count(2), ..Checkerboard::default() };
        let dataset = load(&board, TargetKind::Values).unwrap();
        for (point, label) in dataset.inputs.rows().into_iter().zip(values(&dataset)) {
            assert_eq!((point[0] >= 0.0) ^ (point[1] >= 0.0), label == 1.0);
        }
    }

    #[test]
    fn what_is_no_board_is_refused() {
        for board in [
            Checkerboard { cells: count(1), ..Checkerboard::default() },
            Checkerboard { cells: count(1001), ..Checkerboard::default() },
            Checkerboard { samples: count(1), ..Checkerboard::default() },
        ] {
            let error = load(&board, TargetKind::Classes).unwrap_err();
            assert!(error.code() == "P0121" && !error.problems()[0].helps.is_empty(), "{error}");
        }
    }
}
