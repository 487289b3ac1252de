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

/// Eigenvalues of the symmetric `matrix` (`[n × n]`, of which only the lower triangle is read) in rising order into
/// `values` (`[n]`), and unit eigenvectors, one a row in the same order, into `vectors` (`[n × n]`); whether all were found.
///
/// Householder's reflections to a tridiagonal matrix, then QL iterations with implicit shifts (Golub & Van Loan 2013,
/// sections 8.3.1 and 8.3.5); about 9n³ multiply-adds. The lower triangle of `matrix` becomes working memory. A matrix
/// that is not finite gives `false`.
///
/// # Panics
/// If the shapes do not fit.
pub fn symmetric_eigen(matrix: &mut [f64], values: &mut [f64], vectors: &mut [f64]) -> bool {
    let n = values.len();
    assert!(matrix.len() == n * n && vectors.len() == n * n, "square matrices");
    let finite = (0..n).all(|row| matrix[row * n..=row * n + row].iter().all(|x| x.is_finite()));
    finite && vectorized(Eigen { matrix, values, vectors })
}

/// out ← out + Σₖ `coefficients[k]` · rowₖ, where row k are the first numbers of the k-th `length` numbers of `rows`.
///
/// Each sum is taken in the order of k.
///
/// # Panics
/// If there are fewer rows than coefficients, or `out` is longer than a row.
pub fn add_rows(out: &mut [f64], coefficients: &[f64], rows: &[f64], length: usize) {
    assert!(out.len() <= length && coefficients.len() * length <= rows.len(), "whole rows");
    vectorized(AddRows { out, coefficients, rows, length });
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

struct AddRows<'a> {
    out: &'a mut [f64],
    coefficients: &'a [f64],
    rows: &'a [f64],
    length: usize,
}

impl Loop for AddRows<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (coefficient, row) in self.coefficients.iter().zip(self.rows.chunks_exact(self.length)) {
            subtract(self.out, -coefficient, &row[..self.out.len()]);
        }
    }
}

struct Eigen<'a> {
    matrix: &'a mut [f64],
    values: &'a mut [f64],
    vectors: &'a mut [f64],
}

impl Loop for Eigen<'_> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        let Eigen { matrix, values, vectors } = self;
        let n = values.len();
        // below[i]: the entry of the tridiagonal matrix that couples i and i + 1.
        let mut below = vec![0.0; n];
        let mut product = vec![0.0; n];
        let mut factors = vec![0.0; n];
        // From the last row up, so that every reflection lies in memory as part of its row.
        for row in (1..n).rev() {
            let (block, rest) = matrix.split_at_mut(row * n);
            let vector = &mut rest[..row];
            let norm = dot(vector, vector).sqrt();
            let last = vector[row - 1];
            if dot(&vector[..row - 1], &vector[..row - 1]) == 0.0 {
                below[row - 1] = last;
                continue;
            }
            // The sign that adds magnitudes, so that no digits cancel.
            let image = -norm.copysign(last);
            below[row - 1] = image;
            vector[row - 1] = last - image;
            let factor = 2.0 / dot(vector, vector);
            factors[row] = factor;
            // Block ← H · block · H, by one symmetric product and one change of rank two.
            let product = &mut product[..row];
            product.fill(0.0);
            for i in 0..row {
                let line = &block[i * n..i * n + i + 1];
                let sum = dot(line, &vector[..=i]);
                subtract(&mut product[..i], -vector[i], &line[..i]);
                product[i] += sum;
            }
            let half = 0.5 * factor * factor * dot(product, vector);
            product.iter_mut().zip(&*vector).for_each(|(p, v)| *p = factor * *p - half * v);
            for i in 0..row {
                let line = &mut block[i * n..i * n + i + 1];
                subtract(line, vector[i], &product[..=i]);
                subtract(line, product[i], &vector[..=i]);
            }
        }
        vectors.fill(0.0);
        for i in 0..n {
            values[i] = matrix[i * n + i];
            vectors[i * n + i] = 1.0;
        }
        // The transposed product of all reflections, of which the first ones touch few rows.
        for row in 1..n {
            let vector = &matrix[row * n..row * n + row];
            if factors[row] != 0.0 {
                for line in vectors.chunks_exact_mut(n).take(row) {
                    let share = factors[row] * dot(&line[..row], vector);
                    subtract(&mut line[..row], share, vector);
                }
            }
        }
        let found = diagonalize(values, &mut below, vectors);
        sort(values, vectors);
        found
    }
}

/// Iterations for one eigenvalue before giving up; two or three are usual.
const ITERATIONS: usize = 60;

/// QL iterations with implicit shifts on a tridiagonal matrix; rows of `vectors` are rotated along.
#[inline(always)]
fn diagonalize(values: &mut [f64], below: &mut [f64], vectors: &mut [f64]) -> bool {
    let n = values.len();
    for low in 0..n {
        for iteration in 0.. {
            // The first place from `low` on where the matrix falls apart.
            let negligible =
                |at: &usize| below[*at].abs() <= f64::EPSILON * (values[*at].abs() + values[*at + 1].abs());
            let high = (low..n - 1).find(negligible).unwrap_or(n - 1);
            if high == low {
                break;
            }
            if iteration == ITERATIONS {
                return false;
            }
            // Wilkinson's shift: the eigenvalue of the first two by two block that is nearer to its corner.
            let half = (values[low + 1] - values[low]) / (2.0 * below[low]);
            let shift = values[low] - below[low] / (half + libm::hypot(half, 1.0).copysign(half));
            let (mut sine, mut cosine, mut carried) = (1.0, 1.0, 0.0);
            let mut bulge = values[high] - shift;
            let mut split = false;
            for at in (low..high).rev() {
                let (above, beside) = (sine * below[at], cosine * below[at]);
                let length = libm::hypot(above, bulge);
                below[at + 1] = length;
                if length == 0.0 {
                    // It fell apart on the way; the rest is taken up anew.
                    values[at + 1] -= carried;
                    below[high] = 0.0;
                    split = true;
                    break;
                }
                (sine, cosine) = (above / length, bulge / length);
                let corner = values[at + 1] - carried;
                let turned = (values[at] - corner) * sine + 2.0 * cosine * beside;
                carried = sine * turned;
                values[at + 1] = corner + carried;
                bulge = cosine * turned - beside;
                let (first, second) = vectors[at * n..(at + 2) * n].split_at_mut(n);
                for (a, b) in first.iter_mut().zip(second) {
                    let old = *b;
                    *b = sine.mul_add(*a, cosine * old);
                    *a = cosine.mul_add(*a, -(sine * old));
                }
            }
            if !split {
                values[low] -= carried;
                below[low] = bulge;
                below[high] = 0.0;
            }
        }
    }
    true
}

/// Puts values into rising order and the rows of `vectors` with them.
#[inline(always)]
fn sort(values: &mut [f64], vectors: &mut [f64]) {
    let n = values.len();
    for place in 0..n {
        let smallest = (place..n).min_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(place);
        if smallest != place {
            values.swap(place, smallest);
            let (before, from) = vectors.split_at_mut(smallest * n);
            before[place * n..(place + 1) * n].swap_with_slice(&mut from[..n]);
        }
    }
}

/// Σ aᵢbᵢ in 16 lanes, then the lanes, then the rest.
#[inline(always)]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
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

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        for n in [1, 2, 3, 7, 16, 33, 100] {
            let half = random(n * n);
            let entry = |i: usize, j: usize| half[i * n + j] + half[j * n + i];
            let matrix: Vec<f64> = (0..n * n).map(|at| entry(at / n, at % n)).collect();
            let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
            assert!(symmetric_eigen(&mut matrix.clone(), &mut values, &mut vectors));
            assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
            let v: Vec<&[f64]> = vectors.chunks(n).collect();
            for i in 0..n {
                for j in 0..n {
                    assert!((dot(v[i], v[j]) - f64::from(i == j)).abs() < 1e-13, "VVᵀ = I at {i} {j} of {n}");
                    let rebuilt: f64 = (0..n).map(|k| values[k] * v[k][i] * v[k][j]).sum();
                    assert!((rebuilt - entry(i, j)).abs() < 1e-12 * n as f64, "VᵀΛV = A at {i} {j} of {n}");
                }
            }
        }
    }

    #[test]
    fn eigenvalues_are_numpys() {
        // NumPy 2.4.6: numpy.linalg.eigh(a) for a = [[4, 1, 0.5, -2], [1, 3, -1, 0], [0.5, -1, 2, 1.5], [-2, 0, 1.5, -1]]
        let mut a = [4.0, 9.0, 9.0, 9.0, 1.0, 3.0, 9.0, 9.0, 0.5, -1.0, 2.0, 9.0, -2.0, 0.0, 1.5, -1.0];
        let (mut values, mut vectors) = ([0.0; 4], [0.0; 16]);
        assert!(symmetric_eigen(&mut a, &mut values, &mut vectors));
        let close = |a: &[f64], b: [f64; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
        assert!(
            close(&values, [-2.3690266914912392, 1.8638213911744996, 3.318626270228335, 5.1865790300884065]),
            "{values:?}"
        );
        for (vector, numpy) in vectors.chunks(4).zip([
            [0.32032485244927467, -0.12727230986490645, -0.3630035763031525, 0.8656917185904709],
            [-0.08143106477484278, 0.6433226388932352, 0.6494983561088227, 0.397060259140872],
            [-0.4565077452049729, 0.6073422582587902, -0.6500229437060248, -0.014360799307093674],
            [0.8260518441120127, 0.448411778126097, -0.15443594678316558, -0.304490995627329],
        ]) {
            let sign = dot(vector, &numpy).signum();
            assert!(close(vector, numpy.map(|x| sign * x)), "{vectors:?}");
        }
    }

    #[test]
    fn eigenvalues_of_matrices_that_fall_apart() {
        // Multiples of the identity, zeros, a block, and a graded spectrum of sixteen decades.
        let n = 12;
        let diagonal = |entry: fn(usize) -> f64| {
            let mut matrix = vec![0.0; n * n];
            (0..n).for_each(|i| matrix[i * n + i] = entry(i));
            matrix
        };
        let mut block = diagonal(|_| 2.0);
        block[n] = 1.0;
        for (matrix, expected) in [
            (diagonal(|_| 3.0), vec![3.0; n]),
            (diagonal(|_| 0.0), vec![0.0; n]),
            (block, [vec![1.0], vec![2.0; n - 2], vec![3.0]].concat()),
            (
                diagonal(|i| 1.0 / (1_u64 << (5 * i)) as f64),
                (0..n).rev().map(|i| 1.0 / (1_u64 << (5 * i)) as f64).collect(),
            ),
        ] {
            let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
            assert!(symmetric_eigen(&mut matrix.clone(), &mut values, &mut vectors));
            assert!(values.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-15 * b.abs()), "{values:?}");
        }
        assert!(!symmetric_eigen(&mut [f64::NAN], &mut [0.0], &mut [0.0]));
    }

    #[test]
    fn rows_are_added_with_their_coefficients() {
        let mut out = [1.0, 2.0];
        add_rows(&mut out, &[10.0, -1.0], &[1.0, 2.0, 9.0, 3.0, 4.0, 9.0], 3);
        assert_eq!(out, [8.0, 18.0]);
    }
}
