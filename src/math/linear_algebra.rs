//! The little linear algebra that reaches a result: serial, in double precision, with the same bits everywhere.
//!
//! Matrices are slices, row-major. Sums run in 16 fixed lanes, so that no instruction set changes their order.

use super::kernel::{Loop, vectorized};

/// Makes `vectors` (`[count × length]`, one behind the other) orthonormal, each within the span of itself and those
/// before it; whether that was possible.
///
/// These are the columns of Q in A = QR with a positive diagonal of R, where the given vectors are the columns of A.
/// Modified Gram–Schmidt, done twice, which is enough for rounding (Giraud, Langou, Rozložník & van den Eshof 2005).
/// Vectors that depend on those before them leave the rest as it is and give `false`.
///
/// # Panics
/// If `vectors` holds no whole number of them, or `length` is 0.
pub fn orthonormalize(vectors: &mut [f64], length: usize) -> bool {
    assert!(length > 0 && vectors.len().is_multiple_of(length), "whole vectors");
    vectorized(Orthonormalize { vectors, length })
}

/// Replaces the lower triangle of the symmetric `matrix` (`[n × n]`) by its Cholesky factor L, LLᵀ = A; whether A was
/// positive definite. The upper triangle is neither read nor written.
///
/// # Panics
/// If `matrix` is not `[n × n]`.
pub fn cholesky(matrix: &mut [f64], n: usize) -> bool {
    assert_eq!(matrix.len(), n * n);
    vectorized(Factor { matrix, n })
}

/// Replaces `right` (`[n]`) by the solution x of LLᵀx = `right`, with `factor` from [`cholesky`].
///
/// # Panics
/// If the shapes do not fit.
pub fn cholesky_solve(factor: &[f64], right: &mut [f64]) {
    assert_eq!(factor.len(), right.len() * right.len());
    vectorized(Solve { factor, right });
}

/// Replaces `right` by the solution of A x = `right` for a symmetric positive definite `matrix`, whose lower triangle
/// becomes its factor; whether there was one. `right` stays as it is if not.
///
/// # Panics
/// If the shapes do not fit.
pub fn solve_positive_definite(matrix: &mut [f64], right: &mut [f64]) -> bool {
    let solvable = cholesky(matrix, right.len());
    if solvable {
        cholesky_solve(matrix, right);
    }
    solvable
}

struct Orthonormalize<'a> {
    vectors: &'a mut [f64],
    length: usize,
}

impl Loop for Orthonormalize<'_> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        for start in (0..self.vectors.len()).step_by(self.length) {
            let (before, rest) = self.vectors.split_at_mut(start);
            let vector = &mut rest[..self.length];
            let size = dot(vector, vector).sqrt();
            for _ in 0..2 {
                for unit in before.chunks_exact(self.length) {
                    subtract(vector, dot(unit, vector), unit);
                }
            }
            let left = dot(vector, vector).sqrt();
            // What is left of a dependent vector is rounding; a NaN fails the comparison too.
            if left > 1e-12 * size {
                vector.iter_mut().for_each(|x| *x /= left);
            } else {
                return false;
            }
        }
        true
    }
}

struct Factor<'a> {
    matrix: &'a mut [f64],
    n: usize,
}

impl Loop for Factor<'_> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        let n = self.n;
        for row in 0..n {
            let (done, rest) = self.matrix.split_at_mut(row * n);
            let current = &mut rest[..n];
            for column in 0..row {
                let above = &done[column * n..column * n + column + 1];
                current[column] = (current[column] - dot(&current[..column], &above[..column])) / above[column];
            }
            let square = current[row] - dot(&current[..row], &current[..row]);
            if !(square > 0.0 && square.is_finite()) {
                return false;
            }
            current[row] = square.sqrt();
        }
        true
    }
}

struct Solve<'a> {
    factor: &'a [f64],
    right: &'a mut [f64],
}

impl Loop for Solve<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.right.len();
        for row in 0..n {
            let line = &self.factor[row * n..row * n + row + 1];
            self.right[row] = (self.right[row] - dot(&line[..row], &self.right[..row])) / line[row];
        }
        // Backwards by columns of Lᵀ, which are rows of L.
        for row in (0..n).rev() {
            let line = &self.factor[row * n..row * n + row + 1];
            let (before, from) = self.right.split_at_mut(row);
            from[0] /= line[row];
            subtract(before, from[0], &line[..row]);
        }
    }
}

/// Σ aᵢbᵢ in 16 lanes, then the lanes, then the rest.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 16];
    let (a, b) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest = a.remainder().iter().zip(b.remainder());
    for (a, b) in a.zip(b) {
        for lane in 0..16 {
            lanes[lane] = a[lane].mul_add(b[lane], lanes[lane]);
        }
    }
    rest.fold(lanes.iter().sum(), |sum, (a, b)| a.mul_add(*b, sum))
}

/// a ← a − factor · b.
#[inline(always)]
fn subtract(a: &mut [f64], factor: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a = (-factor).mul_add(*b, *a));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    fn random(count: usize) -> Vec<f64> {
        let mut rng = Streams::new(11).stream(Purpose::Arm, 0, count as u64);
        (0..count).map(|_| rng.normal()).collect()
    }

    #[test]
    fn orthonormal_vectors_rebuild_what_they_came_from() {
        for (count, length) in [(1, 1), (1, 40), (3, 3), (17, 33), (60, 60)] {
            let given = random(count * length);
            let mut q = given.clone();
            assert!(orthonormalize(&mut q, length));
            let (q, given): (Vec<_>, Vec<_>) = (q.chunks(length).collect(), given.chunks(length).collect());
            for i in 0..count {
                for j in 0..count {
                    assert!((dot(q[i], q[j]) - f64::from(i == j)).abs() < 1e-14, "QᵀQ = I at {i} {j}");
                    let r = dot(q[i], given[j]);
                    assert!(if i > j { r.abs() < 1e-12 } else { i < j || r > 0.0 }, "R is a triangle at {i} {j}");
                }
                let mut left = given[i].to_vec();
                (0..=i).for_each(|k| subtract(&mut left, dot(q[k], given[i]), q[k]));
                assert!(left.iter().all(|x| x.abs() < 1e-13), "A = QR");
            }
        }
    }

    #[test]
    fn nearly_dependent_vectors_become_orthogonal_and_dependent_ones_are_told() {
        let (n, e) = (3, 1e-8);
        // Läuchli's matrix, on which one pass of Gram–Schmidt loses half of the digits.
        let mut q = vec![1.0, e, 0.0, 0.0, 1.0, 0.0, e, 0.0, 1.0, 0.0, 0.0, e];
        assert!(orthonormalize(&mut q, 4));
        let q: Vec<_> = q.chunks(4).collect();
        assert!((0..n).all(|i| (0..i).all(|j| dot(q[i], q[j]).abs() < 1e-15)));
        assert!(!orthonormalize(&mut [1.0, 2.0, 2.0, 4.0], 2));
        assert!(!orthonormalize(&mut [0.0, 0.0], 2));
        assert!(!orthonormalize(&mut [f64::NAN, 0.0], 2));
    }

    #[test]
    fn orthonormal_vectors_are_numpys_columns_with_their_signs_mended() {
        // NumPy 2.4.6: q, r = numpy.linalg.qr(numpy.array([[2, -1], [1, 3], [-2, 0.5]])); q * numpy.sign(numpy.diag(r))
        let mut q = vec![2.0, 1.0, -2.0, -1.0, 3.0, 0.5];
        assert!(orthonormalize(&mut q, 3));
        let numpy = [
            0.6666666666666667,
            0.3333333333333334,
            -0.6666666666666667,
            -0.3123475237772121,
            0.9370425713316364,
            0.1561737618886061,
        ];
        assert!(q.iter().zip(numpy).all(|(a, b)| (a - b).abs() < 1e-15), "{q:?}");
    }

    #[test]
    fn cholesky_factor_times_its_transpose_is_the_matrix() {
        for n in [1, 2, 5, 16, 33, 70] {
            let half = random(n * n);
            let rows: Vec<&[f64]> = half.chunks(n).collect();
            let matrix: Vec<f64> =
                (0..n * n).map(|at| dot(rows[at / n], rows[at % n]) + f64::from(at / n == at % n)).collect();
            let mut factor = matrix.clone();
            assert!(cholesky(&mut factor, n));
            for row in 0..n {
                for column in 0..=row {
                    let product = dot(&factor[row * n..][..=column], &factor[column * n..][..=column]);
                    assert!((product - matrix[row * n + column]).abs() < 1e-12 * n as f64);
                }
                assert_eq!(factor[row * n + row + 1..(row + 1) * n], matrix[row * n + row + 1..(row + 1) * n]);
            }
            let right = random(n);
            let mut x = right.clone();
            assert!(solve_positive_definite(&mut matrix.clone(), &mut x));
            for (row, right) in matrix.chunks(n).zip(&right) {
                assert!((dot(row, &x) - right).abs() < 1e-10, "Ax = b at n = {n}");
            }
        }
    }

    #[test]
    fn cholesky_and_solution_are_numpys() {
        // NumPy 2.4.6: a = numpy.array([[4, 1, 0.5], [1, 3, -1], [0.5, -1, 2]]); numpy.linalg.cholesky(a)[2];
        // numpy.linalg.solve(a, [1, 2, 3])
        let mut matrix = [4.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.5, -1.0, 2.0];
        let mut x = [1.0, 2.0, 3.0];
        assert!(solve_positive_definite(&mut matrix, &mut x));
        assert!(
            matrix[6..].iter().zip([0.25, -0.6784005252999682, 1.215431087010994]).all(|(a, b)| (a - b).abs() < 1e-15),
            "{matrix:?}"
        );
        assert!(
            x.iter()
                .zip([-0.4615384615384615, 1.630769230769231, 2.430769230769231])
                .all(|(a, b)| (a - b).abs() < 1e-15),
            "{x:?}"
        );
    }

    #[test]
    fn what_is_not_positive_definite_is_told() {
        assert!(!cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2));
        assert!(!cholesky(&mut [0.0], 1));
        assert!(!cholesky(&mut [f64::NAN], 1));
        let mut right = [5.0, 6.0];
        assert!(!solve_positive_definite(&mut [1.0, 1.0, 1.0, 1.0], &mut right));
        assert_eq!(right, [5.0, 6.0]);
    }
}
