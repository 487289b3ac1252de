//! Several arms over several tasks.

use super::holm::holm;
use super::ranks::midranks;
use super::special::{chi_squared_tail, f_tail, normal_cdf};

/// Do the arms differ over the tasks?
#[derive(Clone, Debug, PartialEq)]
pub struct Friedman {
    /// Each arm's rank, averaged over the tasks; 1 is the lowest value.
    pub average_ranks: Vec<f64>,
    /// Friedman's chi-squared with arms − 1 degrees of freedom, corrected for ties.
    pub chi_squared: f64,
    /// Its p value.
    pub chi_squared_p: f64,
    /// Iman and Davenport's F with arms − 1 and (arms − 1)(tasks − 1) degrees of freedom, the better of the two.
    pub f: f64,
    /// Its p value.
    pub f_p: f64,
    /// All pairs of arms, in order of their indices.
    pub pairs: Vec<RankDifference>,
}

/// Two arms' average ranks compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankDifference {
    /// Index of the one arm.
    pub first: usize,
    /// Index of the other.
    pub second: usize,
    /// Difference of the average ranks in standard errors; negative if `first` has the lower values.
    pub z: f64,
    /// Two-sided p value of this pair alone.
    pub p: f64,
    /// Holm-adjusted over all pairs.
    pub adjusted_p: f64,
}

/// Friedman's test with Iman & Davenport's F, and all pairs of arms with Holm's adjustment.
///
/// `tasks`: one row per task, in it one value per arm (such as a loss); NaN ranks worst, that is highest. `None`
/// unless there are two tasks, two arms and rows of one length. Where every task ties all arms, every p value is 1.
/// Friedman 1937; Iman & Davenport 1980; post hoc z = ΔR/√(k(k+1)/6N): Demšar 2006, §3.2.2.
pub fn friedman(tasks: &[Vec<f64>]) -> Option<Friedman> {
    let arms = tasks.first()?.len();
    if tasks.len() < 2 || arms < 2 || tasks.iter().any(|task| task.len() != arms) {
        return None;
    }
    let (n, k) = (tasks.len() as f64, arms as f64);
    let middle = (k + 1.0) / 2.0;
    let ranks: Vec<Vec<f64>> = tasks.iter().map(|task| midranks(task)).collect();
    let average_ranks: Vec<f64> = (0..arms).map(|arm| ranks.iter().map(|task| task[arm]).sum::<f64>() / n).collect();
    let square = |rank: &f64| (rank - middle) * (rank - middle);
    let between: f64 = n * average_ranks.iter().map(square).sum::<f64>();
    let total: f64 = ranks.iter().flatten().map(square).sum();
    // Scaling by the spread that the ranks really have is the correction for ties.
    let chi_squared = if total == 0.0 { 0.0 } else { n * (k - 1.0) * between / total };
    let rest = n * (k - 1.0) - chi_squared;
    // Agreement of all tasks leaves no rest but rounding.
    let f = if rest <= 1e-12 * chi_squared { f64::INFINITY } else { (n - 1.0) * chi_squared / rest };
    let error = (k * (k + 1.0) / (6.0 * n)).sqrt();
    let indices = (0..arms).flat_map(|first| (first + 1..arms).map(move |second| (first, second)));
    let mut pairs: Vec<RankDifference> = indices
        .map(|(first, second)| {
            let z = (average_ranks[first] - average_ranks[second]) / error;
            let p = 2.0 * normal_cdf(-z.abs());
            RankDifference { first, second, z, p, adjusted_p: p }
        })
        .collect();
    let adjusted = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<_>>());
    pairs.iter_mut().zip(adjusted).for_each(|(pair, p)| pair.adjusted_p = p);
    Some(Friedman {
        average_ranks,
        chi_squared,
        chi_squared_p: chi_squared_tail(chi_squared, k - 1.0),
        f,
        f_p: f_tail(f, k - 1.0, (k - 1.0) * (n - 1.0)),
        pairs,
    })
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;

    #[test]
    fn numbers_are_those_of_scipy() {
        // scipy 1.17.1 friedmanchisquare and f.sf; pairs with norm.sf and statsmodels 0.15.0 multipletests("holm").
        let tasks = [
            [72.0, 120.0, 76.0],
            [96.0, 120.0, 95.0],
            [88.0, 132.0, 104.0],
            [92.0, 120.0, 96.0],
            [74.0, 101.0, 84.0],
            [76.0, 96.0, 72.0],
            [82.0, 112.0, 76.0],
            [70.0, 70.0, 65.0],
        ];
        let found = friedman(&tasks.map(Vec::from)).unwrap();
        assert_eq!(found.average_ranks, [1.5625, 2.9375, 1.5]);
        assert_close(found.chi_squared, 10.903225806451612, 1e-12);
        assert_close(found.chi_squared_p, 0.004289380752379876, 1e-11);
        assert_close(found.f, 14.974683544303794, 1e-11);
        assert_close(found.f_p, 0.0003328341447456404, 1e-10);
        let expected = [
            (0, 1, -2.75, 0.00595952647010911, 0.01212082493967601),
            (0, 2, 0.125, 0.9005235503397742, 0.9005235503397742),
            (1, 2, 2.875, 0.004040274979892003, 0.01212082493967601),
        ];
        for (pair, (first, second, z, p, adjusted_p)) in found.pairs.iter().zip(expected) {
            assert_eq!((pair.first, pair.second), (first, second));
            assert_close(pair.z, z, 1e-12);
            assert_close(pair.p, p, 1e-11);
            assert_close(pair.adjusted_p, adjusted_p, 1e-11);
        }
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!((friedman(&[]), friedman(&[vec![1.0, 2.0]])), (None, None));
        assert_eq!((friedman(&[vec![1.0], vec![2.0]]), friedman(&[vec![1.0, 2.0], vec![1.0]])), (None, None));
        let tied = friedman(&[vec![1.0, 1.0], vec![2.0, 2.0]]).unwrap();
        assert_eq!((tied.chi_squared_p, tied.f_p, tied.pairs[0].adjusted_p), (1.0, 1.0, 1.0));
        let agreed = friedman(&vec![vec![1.0, 2.0, f64::NAN]; 7]).unwrap();
        assert_eq!((agreed.f, agreed.f_p, agreed.average_ranks), (f64::INFINITY, 0.0, vec![1.0, 2.0, 3.0]));
    }
}
