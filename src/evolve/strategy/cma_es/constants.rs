//! How fast which covariances are learned.

use crate::error::{Error, Result};
use crate::evolve::strategy::sampling::Recombination;
use serde::{Deserialize, Serialize};

/// Which covariances are learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Covariance {
    /// All of them: n² numbers, and n³ multiply-adds now and then. For at most 1000 numbers.
    #[default]
    Full,
    /// The variance of each number alone, learned (n + 2)/3 times faster (Ros & Hansen 2008): for many numbers.
    Separable,
}

/// Numbers beyond which eigenvectors take longer than a search may.
const LARGEST_FULL: usize = 1000;

impl Covariance {
    /// Refuses a full matrix of too many numbers.
    ///
    /// # Errors
    /// More than 1000 numbers and [`Covariance::Full`] (`P0121`).
    pub fn check(self, parameters: usize) -> Result<()> {
        if self == Covariance::Full && parameters > LARGEST_FULL {
            let message =
                format!("`mode: Full` learns covariances of at most {LARGEST_FULL} weights, found {parameters}");
            return Err(
                Error::experiment("P0121", message).help("write `mode: Separable`, or make the network smaller")
            );
        }
        Ok(())
    }
}

/// Constants of one population size (Hansen 2016, table 1).
#[derive(Clone, Debug)]
pub(super) struct Constants {
    pub ranks: Recombination,
    /// Weights of all ranks in the covariance matrix; the worse half's are negative.
    pub weights: Vec<f64>,
    pub c_c: f64,
    pub c_1: f64,
    pub c_mu: f64,
    /// Generations between two computations of the axes.
    pub lazy: u64,
}

impl Constants {
    pub fn new(lambda: usize, parameters: usize, mode: Covariance) -> Constants {
        let ranks = Recombination::new(lambda, parameters);
        let (n, mu_eff) = (parameters as f64, ranks.mu_eff);
        let c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n); // eq. 56
        let mut c_1 = 2.0 / ((n + 1.3) * (n + 1.3) + mu_eff); // eq. 57
        let mut c_mu = 2.0 * (0.25 + mu_eff + 1.0 / mu_eff - 2.0) / ((n + 2.0) * (n + 2.0) + mu_eff); // eq. 58
        if mode == Covariance::Separable {
            let faster = (n + 2.0) / 3.0;
            c_1 = (c_1 * faster).min(1.0);
            c_mu *= faster;
        }
        c_mu = c_mu.min(1.0 - c_1);
        // Negative weights sum to the least of three bounds; the last keeps the matrix positive definite.
        let worse = &ranks.raw[ranks.mu..];
        let (sum, squares) = worse.iter().fold((0.0, 0.0), |(sum, squares), w| (sum - w, squares + w * w));
        let mu_eff_minus = sum * sum / squares;
        let bound = (1.0 + c_1 / c_mu) // eq. 50
            .min(1.0 + 2.0 * mu_eff_minus / (mu_eff + 2.0)) // eq. 51
            .min((1.0 - c_1 - c_mu) / (n * c_mu)); // eq. 52
        let negative = worse.iter().map(|weight| bound / sum * weight); // eq. 53
        let weights = ranks.weights.iter().copied().chain(negative).collect();
        let lazy = (1.0 / (10.0 * n * (c_1 + c_mu))) as u64;
        Constants { ranks, weights, c_c, c_1, c_mu, lazy: lazy.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12;
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?}");
    }

    #[test]
    fn constants_are_those_of_another_implementation() {
        let Constants { ranks, weights, c_c, c_1, c_mu, .. } = Constants::new(10, 10, Covariance::Full);
        // cma 4.5.0 (Python): CMAEvolutionStrategy(10 * [0], 1, {'popsize': 10}).sp: weights, mueff, cc, c1, cmu
        let pycma = [
            0.45627264690340597,
            0.2707530970017852,
            0.16223111715866978,
            0.08523354710016448,
            0.025509591835974777,
            -0.08001260758087224,
            -0.22176416099914653,
            -0.34455494178482093,
            -0.45286408637842196,
            -0.5497499176973853,
        ];
        close(&weights, &pycma);
        let pycma = [3.1672992814107017, 0.29499038303562225, 0.015283824524751714, 0.02355177665041747];
        close(&[ranks.mu_eff, c_c, c_1, c_mu], &pycma);
        // cma 3.4.0 (Python): purecma.CMAESParameters(10, 10): cs, chiN. Its damping is an older one; the tutorial's is
        // 1 + 2 max(0, √((mueff − 1)/(N + 1)) − 1) + cs = 1 + cs here.
        close(&[ranks.c_sigma, ranks.chi], &[0.2844285879463675, 3.0847265651690123]);
        close(&[ranks.d_sigma], &[1.2844285879463675]);
        assert_eq!([1, 10, 100].map(Recombination::default_lambda), [4, 10, 17]);
    }

    #[test]
    fn the_separable_matrix_learns_faster_by_a_third_of_the_numbers() {
        let [full, separable] = [Covariance::Full, Covariance::Separable].map(|mode| Constants::new(17, 100, mode));
        close(&[separable.c_1, separable.c_mu], &[34.0 * full.c_1, 34.0 * full.c_mu]);
        let few = Constants::new(200, 2, Covariance::Separable);
        assert!(few.c_1 + few.c_mu <= 1.0 && few.weights.iter().all(|weight| weight.is_finite()));
    }
}
