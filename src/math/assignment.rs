//! The assignment problem.

/// For each row of the `[size × size]` matrix `costs` a column of its own, so that the sum of the costs is least.
///
/// Costs may have any sign but must be finite. Takes O(size³) steps: rows join one by one, each along the cheapest path of
/// swaps (shortest augmenting paths with dual prices: Kuhn 1955; Jonker & Volgenant 1987, without their initial phases).
///
/// # Panics
/// If `costs` is not `size · size` long.
pub fn assign(costs: &[f64], size: usize) -> Vec<usize> {
    assert_eq!(costs.len(), size * size);
    const NOBODY: usize = usize::MAX;
    let (mut row_price, mut column_price) = (vec![0.0; size], vec![0.0; size]);
    let mut row_of = vec![NOBODY; size];
    // Of the search for one row: each column's distance from it, the column before it on the way, and whether it is done.
    let (mut distance, mut before, mut done) = (vec![0.0; size], vec![NOBODY; size], vec![false; size]);
    for start in 0..size {
        distance.fill(f64::INFINITY);
        before.fill(NOBODY);
        done.fill(false);
        let (mut row, mut reached, mut here) = (start, 0.0, NOBODY);
        while row != NOBODY {
            let mut nearest = NOBODY;
            for column in (0..size).filter(|column| !done[*column]) {
                let through = reached + costs[row * size + column] - row_price[row] - column_price[column];
                if through < distance[column] {
                    (distance[column], before[column]) = (through, here);
                }
                // Strictly nearer: ties go to the lower column.
                if nearest == NOBODY || distance[column] < distance[nearest] {
                    nearest = column;
                }
            }
            done[nearest] = true;
            (here, reached, row) = (nearest, distance[nearest], row_of[nearest]);
        }
        // Prices move so that every pair on the way becomes free and none becomes cheaper than free.
        row_price[start] += reached;
        for column in (0..size).filter(|column| done[*column] && *column != here) {
            row_price[row_of[column]] += reached - distance[column];
            column_price[column] -= reached - distance[column];
        }
        while here != NOBODY {
            let from = before[here];
            row_of[here] = if from == NOBODY { start } else { row_of[from] };
            here = from;
        }
    }
    let mut column_of = vec![0; size];
    row_of.iter().enumerate().for_each(|(column, row)| column_of[*row] = column);
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    fn total(costs: &[f64], columns: &[usize]) -> f64 {
        columns.iter().enumerate().map(|(row, column)| costs[row * columns.len() + column]).sum()
    }

    /// The least sum over all permutations of the columns that are left.
    fn brute_force(costs: &[f64], size: usize, row: usize, used: u32) -> f64 {
        let rest = |column: usize| costs[row * size + column] + brute_force(costs, size, row + 1, used | 1 << column);
        let free = (0..size).filter(|column| used >> column & 1 == 0);
        if row == size { 0.0 } else { free.map(rest).fold(f64::INFINITY, f64::min) }
    }

    #[test]
    fn no_permutation_is_cheaper() {
        let mut rng = Streams::new(2).stream(Purpose::Synthetic, 0, 0);
        for size in 0..7 {
            for round in 0..60 {
                // Every second matrix has few different costs, so that ties abound.
                let draw = |_| if round % 2 == 0 { rng.normal() } else { rng.below(3) as f64 - 1.0 };
                let costs: Vec<f64> = (0..size * size).map(draw).collect();
                let columns = assign(&costs, size);
                let mut sorted = columns.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..size).collect::<Vec<_>>());
                let least = brute_force(&costs, size, 0, 0);
                assert!((total(&costs, &columns) - least).abs() < 1e-9, "{costs:?}");
            }
        }
    }

    #[test]
    fn a_larger_one_agrees_with_scipy() {
        // scipy 1.17.1, optimize.linear_sum_assignment on the same matrix: 1527.
        let n = 60;
        let costs: Vec<f64> = (0..n * n).map(|i| ((i * i * 7 + i * 131 + 17) % 1009) as f64).collect();
        assert_eq!(total(&costs, &assign(&costs, n)), 1527.0);
    }

    #[test]
    fn ties_leave_everyone_in_place() {
        assert_eq!(assign(&[0.5; 25], 5), [0, 1, 2, 3, 4]);
    }
}
