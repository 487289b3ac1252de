//! Ranking by two objectives at once: fronts of those that nobody dominates, and crowding within a front.

use crate::values::Fitness;

/// Two numbers to make small.
pub type Objectives = [Fitness; 2];

/// Indices from best to worst: by front, then the less crowded first, then the lower index. Whoever has an objective
/// that is not finite comes behind all others.
pub fn rank(objectives: &[Objectives]) -> Vec<u32> {
    let (mut order, broken): (Vec<u32>, Vec<u32>) = (0..objectives.len() as u32)
        .partition(|&index| objectives[index as usize].iter().all(|objective| objective.is_finite()));
    let finite: Vec<Objectives> = order.iter().map(|&index| objectives[index as usize]).collect();
    let fronts = fronts(&finite);
    let mut distances = vec![0.0; finite.len()];
    for front in 0..fronts.iter().map(|front| front + 1).max().unwrap_or(0) {
        let members: Vec<usize> = (0..finite.len()).filter(|at| fronts[*at] == front).collect();
        let of_front: Vec<Objectives> = members.iter().map(|at| finite[*at]).collect();
        for (at, distance) in members.iter().zip(crowding(&of_front)) {
            distances[*at] = distance;
        }
    }
    let mut places: Vec<usize> = (0..finite.len()).collect();
    places.sort_by(|&a, &b| fronts[a].cmp(&fronts[b]).then(distances[b].total_cmp(&distances[a])).then(a.cmp(&b)));
    order = places.into_iter().map(|place| order[place]).collect();
    order.extend(broken);
    order
}

/// The front of each, from 0: front 0 is dominated by nobody, front k by none but members of earlier fronts. One
/// dominates another if it is nowhere worse and somewhere better (Deb, Pratap, Agarwal & Meyarivan 2002).
pub fn fronts(objectives: &[Objectives]) -> Vec<u32> {
    // With two objectives, in the order of (first, second) a later one never dominates an earlier one. Those of a front
    // then have falling second objectives, so its last member tells whether it dominates.
    let mut order: Vec<usize> = (0..objectives.len()).collect();
    order.sort_by_key(|&index| (objectives[index], index));
    let mut last: Vec<Objectives> = Vec::new();
    let mut fronts = vec![0; objectives.len()];
    for index in order {
        let here = objectives[index];
        // Equal ones do not dominate each other, and share a front.
        let front = last.partition_point(|last| last[1] <= here[1] && *last != here);
        if front == last.len() {
            last.push(here);
        }
        last[front] = here;
        fronts[index] = front as u32;
    }
    fronts
}

/// Crowding distance of each member of a front: over the objectives, the distance of its two neighbours as a share of
/// the front's range; infinite at both ends (Deb et al. 2002, section III.B). An objective in which all are equal adds
/// nothing but its ends.
pub fn crowding(front: &[Objectives]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    for objective in 0..2 {
        let value = |at: usize| front[at][objective];
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by_key(|&at| (value(at), at));
        let (Some(&first), Some(&last)) = (order.first(), order.last()) else {
            continue;
        };
        let range = value(last).get() - value(first).get();
        if range > 0.0 {
            for three in order.windows(3) {
                distances[three[1]] += (value(three[2]).get() - value(three[0]).get()) / range;
            }
        }
        distances[first] = f64::INFINITY;
        distances[last] = f64::INFINITY;
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(pairs: &[[f64; 2]]) -> Vec<Objectives> {
        pairs.iter().map(|pair| pair.map(Fitness::new)).collect()
    }

    #[test]
    fn a_small_case_by_hand() {
        let nan = f64::NAN;
        let all =
            both(&[[4.0, 4.0], [1.0, 5.0], [nan, 0.0], [2.0, 3.0], [5.0, 1.0], [3.0, 2.0], [4.0, 2.0], [1.0, nan]]);
        assert_eq!(fronts(&all[3..7]), [0, 0, 0, 1]);
        // Front 0 is 1, 3, 5, 4 with inner distances 2/4 + 3/4 and 3/4 + 2/4: a tie, to the lower index.
        assert_eq!(rank(&all), [1, 4, 3, 5, 6, 0, 2, 7]);
        let line = both(&[[0.0, 10.0], [1.0, 9.0], [4.0, 6.0], [10.0, 0.0]]);
        assert_eq!(crowding(&line)[1..3], [0.4 + 0.4, 0.9 + 0.9]);
        let level = both(&[[0.0, 5.0], [1.0, 5.0], [4.0, 5.0]]);
        assert_eq!(crowding(&level)[1], 1.0, "an objective in which all are equal adds nothing");
    }

    #[test]
    fn degenerate_cases_have_an_order() {
        assert!(rank(&[]).is_empty());
        assert_eq!(rank(&both(&[[1.0, 1.0]])), [0]);
        assert_eq!(rank(&both(&[[1.0, 1.0]; 4])), [0, 3, 1, 2], "the ends of a front of equals count as ends");
        let huge = both(&[[f64::MAX, -f64::MAX], [-f64::MAX, f64::MAX], [0.0, 0.0], [0.0, 0.0]]);
        assert_eq!(rank(&huge).len(), 4);
    }

    fn dominates(a: Objectives, b: Objectives) -> bool {
        (0..2).all(|k| a[k] <= b[k]) && (0..2).any(|k| a[k] < b[k])
    }

    proptest! {
        // Few different values, so that ties are common.
        #[test]
        fn fronts_agree_with_peeling(pairs in prop::collection::vec((0_u8..8, 0_u8..8), 0..40)) {
            let all: Vec<Objectives> =
                pairs.iter().map(|pair| [pair.0, pair.1].map(|x| Fitness::new(f64::from(x)))).collect();
            let found = fronts(&all);
            let mut left: Vec<usize> = (0..all.len()).collect();
            let mut front = 0;
            while !left.is_empty() {
                let free = |at: &usize| !left.iter().any(|other| dominates(all[*other], all[*at]));
                let now: Vec<usize> = left.iter().copied().filter(free).collect();
                for at in &now {
                    prop_assert_eq!(found[*at], front, "{:?}", all);
                }
                left.retain(|at| !now.contains(at));
                front += 1;
            }
        }

        #[test]
        fn crowding_agrees_with_neighbours_found_by_search(values in prop::collection::vec(-50_i32..50, 1..30)) {
            // Different values in both objectives, as on a front without twins.
            let mut values = values;
            values.sort_unstable();
            values.dedup();
            let front: Vec<Objectives> =
                values.iter().map(|x| [f64::from(*x), -f64::from(x * x * x)].map(Fitness::new)).collect();
            let distances = crowding(&front);
            for (at, distance) in distances.iter().enumerate() {
                let mut expected = 0.0;
                for k in 0..2 {
                    let here = front[at][k].get();
                    let all = || front.iter().map(|one| one[k].get());
                    let below = all().filter(|x| *x < here).fold(f64::NEG_INFINITY, f64::max);
                    let above = all().filter(|x| *x > here).fold(f64::INFINITY, f64::min);
                    let range = all().fold(f64::NEG_INFINITY, f64::max) - all().fold(f64::INFINITY, f64::min);
                    expected += if range > 0.0 { (above - below) / range } else { f64::INFINITY };
                }
                prop_assert!(*distance == expected || (distance - expected).abs() < 1e-12, "{} {}", distance, expected);
            }
        }

        #[test]
        fn the_order_is_by_front_and_complete(pairs in prop::collection::vec((0_u8..9, 0_u8..9), 0..40)) {
            let value = |x: u8| Fitness::new(if x == 8 { f64::NAN } else { f64::from(x) });
            let all: Vec<Objectives> = pairs.iter().map(|pair| [value(pair.0), value(pair.1)]).collect();
            let order = rank(&all);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..all.len() as u32).collect::<Vec<_>>());
            for (place, better) in order.iter().enumerate() {
                for worse in &order[place + 1..] {
                    let (better, worse) = (all[*better as usize], all[*worse as usize]);
                    let finite = |one: Objectives| one.iter().all(|x| x.is_finite());
                    prop_assert!(!finite(worse) || (finite(better) && !dominates(worse, better)));
                }
            }
        }
    }
}
