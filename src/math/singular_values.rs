//! Singular values.

use super::kernel::{Loop, vectorized};
use super::linear_algebra::dot;

/// Sweeps after which what has not settled is taken as it is; matrices of networks need six to ten.
const MOST_SWEEPS: usize = 60;

/// Singular values of the `[rows × columns]` `matrix`, row-major, in falling order: as many as the shorter side is long.
/// `None` if a number is not finite.
///
/// One-sided Jacobi: the vectors along the shorter side are turned in pairs until all are at right angles; their lengths
/// are the singular values, small ones as exactly as large ones (Hestenes 1958; Golub & Van Loan 2013, section 8.6.3).
/// About 4 · short² · long multiply-adds a sweep.
///
/// # Panics
/// If `matrix` is not `rows · columns` long.
pub fn singular_values(matrix: &[f64], rows: usize, columns: usize) -> Option<Vec<f64>> {
    assert_eq!(matrix.len(), rows * columns);
    if rows == 0 || columns == 0 {
        return Some(Vec::new());
    }
    let largest = matrix.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    if !matrix.iter().all(|x| x.is_finite()) {
        return None;
    }
    if largest == 0.0 {
        return Some(vec![0.0; rows.min(columns)]);
    }
    // Squares of the largest numbers must stay finite.
    let mut vectors: Vec<f64> = matrix.iter().map(|x| x / largest).collect();
    let mut length = columns;
    if rows > columns {
        vectors = (0..rows * columns).map(|at| matrix[at % rows * columns + at / rows] / largest).collect();
        length = rows;
    }
    vectorized(Turn { vectors: &mut vectors, length });
    let mut values: Vec<f64> =
        vectors.chunks_exact(length).map(|vector| largest * dot(vector, vector).sqrt()).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    Some(values)
}

struct Turn<'a> {
    vectors: &'a mut [f64],
    length: usize,
}

impl Loop for Turn<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let length = self.length;
        let count = self.vectors.len() / length;
        for _ in 0..MOST_SWEEPS {
            let mut turned = false;
            for first in 0..count {
                for second in first + 1..count {
                    let (before, after) = self.vectors.split_at_mut(second * length);
                    let (a, b) = (&mut before[first * length..(first + 1) * length], &mut after[..length]);
                    let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                    if ab == 0.0 || ab.abs() <= 1e-15 * (aa * bb).sqrt() {
                        continue;
                    }
                    turned = true;
                    // The smaller of the two angles that make the pair orthogonal.
                    let zeta = (bb - aa) / (2.0 * ab);
                    let tangent = zeta.signum() / (zeta.abs() + (zeta * zeta + 1.0).sqrt());
                    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
                    let sine = cosine * tangent;
                    for (a, b) in a.iter_mut().zip(b) {
                        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                    }
                }
            }
            if !turned {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    /// `[5 × 8]`.
    fn matrix() -> Vec<f64> {
        (0..40).map(|i| ((i * i * 7 + i * 131 + 17) % 101 - 50) as f64 / 25.0).collect()
    }

    fn check(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let largest = expected[0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-14 * largest), "{found:?}");
    }

    #[test]
    fn values_are_those_of_numpy() {
        // numpy 2.4.6: linalg.svd(matrix, compute_uv=False).
        let expected = [4.567286862022805, 4.112404613087855, 3.0679295106030193, 2.480784295337644, 1.474834504690222];
        check(&singular_values(&matrix(), 5, 8).unwrap(), &expected);
        let transposed: Vec<f64> = (0..40).map(|at| matrix()[at % 5 * 8 + at / 5]).collect();
        check(&singular_values(&transposed, 8, 5).unwrap(), &expected);
        // The same with row 3 = 2 · row 1 − row 0.
        let mut dependent = matrix();
        for column in 0..8 {
            dependent[24 + column] = 2.0 * dependent[8 + column] - dependent[column];
        }
        check(
            &singular_values(&dependent, 5, 8).unwrap(),
            &[8.861929310882182, 4.112388577370271, 2.5259547123696025, 1.8105308251171954, 0.0],
        );
    }

    #[test]
    fn squares_sum_to_those_of_the_matrix_at_any_size_of_its_numbers() {
        let mut rng = Streams::new(1).stream(Purpose::Synthetic, 0, 0);
        for (rows, columns) in [(1, 1), (1, 7), (7, 1), (30, 12), (40, 40)] {
            for size in [1e-200, 1.0, 1e200] {
                let matrix: Vec<f64> = (0..rows * columns).map(|_| size * rng.normal()).collect();
                let values = singular_values(&matrix, rows, columns).unwrap();
                let sum = |numbers: &[f64]| numbers.iter().map(|x| (x / size) * (x / size)).sum::<f64>();
                assert_eq!(values.len(), rows.min(columns));
                assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
                assert!((sum(&values) / sum(&matrix) - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!(singular_values(&[0.0; 6], 2, 3), Some(vec![0.0, 0.0]));
        assert_eq!(singular_values(&[], 0, 3), Some(vec![]));
        assert_eq!(singular_values(&[1.0, f64::NAN], 1, 2), None);
        assert_eq!(singular_values(&[0.0, 3.0, -2.0, 0.0], 2, 2), Some(vec![3.0, 2.0]));
    }
}
