//! Where the nodes of a layered network are drawn: an order with few crossings, heights with short links.

/// A layered network, placed. Heights are in units of the distance that two neighbouring nodes need.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Height of each node, downwards.
    pub heights: Vec<f64>,
    /// Pieces of the links, each between two neighbouring levels.
    pub pieces: Vec<Piece>,
}

/// A piece of one or more links that run together: they come from the same node and have the same class.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Level and height where it begins.
    pub from: (usize, f64),
    /// Level and height where it ends.
    pub to: (usize, f64),
    /// The node that it comes from, if it begins there.
    pub source: Option<usize>,
    /// The node that it leads to, if it ends there.
    pub target: Option<usize>,
    /// Places of its links.
    pub links: Vec<usize>,
}

/// A link to be placed: from, to, and a class; links of a node run together as long as their classes are the same.
pub type Arc = (usize, usize, u8);

const SWEEPS: usize = 24;
/// Room that a passing link takes at most, in units of what a node takes.
const PASSING: f64 = 0.42;
/// Room that all links that pass a level take together, unless that leaves a link less than the least.
const ALL_PASSING: f64 = 9.0;
const LEAST_PASSING: f64 = 0.14;

struct Vertex {
    level: usize,
    size: f64,
    /// Neighbours one level before and one behind, with how strongly they pull.
    before: Vec<(usize, f64)>,
    behind: Vec<(usize, f64)>,
}

/// Places nodes at `levels`; the levels in `pinned` keep their order, those in `fixed` their heights too.
///
/// Layers after Sugiyama, Tagawa & Toda 1981: links that skip levels pass through places of their own, levels are
/// sorted by the mean place of their neighbours, back and forth, and the order with the fewest crossings stays. Heights
/// are then the nearest to the neighbours' mean that keep the order and the distances (an isotonic regression a level).
pub fn lay_out(levels: &[usize], arcs: &[Arc], pinned: &[usize], fixed: &[Option<f64>]) -> Layout {
    let (mut vertices, steps) = vertices(levels, arcs);
    let count = vertices.iter().map(|vertex| vertex.level + 1).max().unwrap_or(0);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    (0..vertices.len()).for_each(|vertex| order[vertices[vertex].level].push(vertex));
    let is_fixed = |vertex: usize| fixed.get(vertex).is_some_and(Option::is_some);
    let keeps =
        |level: usize, order: &[Vec<usize>]| pinned.contains(&level) || order[level].iter().any(|v| is_fixed(*v));
    for level in &mut order {
        if level.iter().any(|vertex| is_fixed(*vertex)) {
            let height = |vertex: usize| fixed.get(vertex).copied().flatten().unwrap_or(f64::INFINITY);
            level.sort_by(|a, b| height(*a).total_cmp(&height(*b)));
        }
    }
    let mut best = (crossings(&vertices, &order), order.clone());
    for sweep in 0..SWEEPS {
        let forth = sweep % 2 == 0;
        for step in 1..count {
            let level = if forth { step } else { count - 1 - step };
            let place = places(&order, if forth { level - 1 } else { level + 1 }, vertices.len());
            let key = |vertex: usize, own: f64| {
                let near = if forth { &vertices[vertex].before } else { &vertices[vertex].behind };
                let sum: f64 = near.iter().map(|(other, _)| place[*other]).sum();
                if near.is_empty() { own } else { sum / near.len() as f64 }
            };
            let length = order[level].len() as f64;
            let share = |index: usize| (index as f64 + 0.5) / length;
            let mut keyed: Vec<(f64, usize)> =
                order[level].iter().enumerate().map(|(index, vertex)| (key(*vertex, share(index)), *vertex)).collect();
            if keeps(level, &order) {
                // Nodes keep their order; what passes goes where its links want it.
                let mut least = f64::NEG_INFINITY;
                for (key, _) in keyed.iter_mut().filter(|(_, vertex)| *vertex < levels.len()) {
                    least = least.max(*key);
                    *key = least;
                }
            }
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[level] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
        }
        let crossed = crossings(&vertices, &order);
        if crossed < best.0 {
            best = (crossed, order.clone());
        }
    }
    let heights = heights(&mut vertices, &best.1, fixed);
    let pieces = steps.into_iter().map(|(from, to, links)| Piece {
        from: (vertices[from].level, heights[from]),
        to: (vertices[to].level, heights[to]),
        source: (from < levels.len()).then_some(from),
        target: (to < levels.len()).then_some(to),
        links,
    });
    let pieces = pieces.collect();
    Layout { heights: heights[..levels.len()].to_vec(), pieces }
}

type Step = (usize, usize, Vec<usize>);

/// The nodes, and behind them a passing place for each level that links of a node skip; the pieces between them.
fn vertices(levels: &[usize], arcs: &[Arc]) -> (Vec<Vertex>, Vec<Step>) {
    use std::collections::BTreeMap;
    let vertex = |level: usize, size: f64| Vertex { level, size, before: Vec::new(), behind: Vec::new() };
    let mut vertices: Vec<Vertex> = levels.iter().map(|level| vertex(*level, 1.0)).collect();
    let mut passing: BTreeMap<(usize, u8, usize), usize> = BTreeMap::new();
    let mut steps: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (place, &(from, to, class)) in arcs.iter().enumerate() {
        let mut last = from;
        for level in levels[from] + 1..levels[to] {
            let next = *passing.entry((from, class, level)).or_insert_with(|| {
                vertices.push(vertex(level, PASSING));
                vertices.len() - 1
            });
            steps.entry((last, next)).or_default().push(place);
            last = next;
        }
        steps.entry((last, to)).or_default().push(place);
    }
    let crowd = (0..levels.iter().map(|level| level + 1).max().unwrap_or(0))
        .map(|level| passing.keys().filter(|key| key.2 == level).count())
        .max();
    let room = (ALL_PASSING / crowd.unwrap_or(0).max(1) as f64).clamp(LEAST_PASSING, PASSING);
    vertices[levels.len()..].iter_mut().for_each(|vertex| vertex.size = room);
    for &(from, to) in steps.keys() {
        // Long links are to run straight (Gansner et al. 1993, section 4).
        let pull = match (from < levels.len(), to < levels.len()) {
            (true, true) => 1.0,
            (false, false) => 6.0,
            _ => 2.0,
        };
        vertices[from].behind.push((to, pull));
        vertices[to].before.push((from, pull));
    }
    (vertices, steps.into_iter().map(|((from, to), links)| (from, to, links)).collect())
}

/// Places of the vertices of a level, 0 to 1.
fn places(order: &[Vec<usize>], level: usize, vertices: usize) -> Vec<f64> {
    let mut place = vec![0.5; vertices];
    let length = order[level].len() as f64;
    order[level].iter().enumerate().for_each(|(index, vertex)| place[*vertex] = (index as f64 + 0.5) / length);
    place
}

fn crossings(vertices: &[Vertex], order: &[Vec<usize>]) -> u64 {
    let mut rank = vec![0; vertices.len()];
    for level in order {
        level.iter().enumerate().for_each(|(index, vertex)| rank[*vertex] = index);
    }
    let mut crossed = 0;
    for level in order {
        let ends = level.iter().flat_map(|vertex| {
            let mut ends: Vec<usize> = vertices[*vertex].behind.iter().map(|(other, _)| rank[*other]).collect();
            ends.sort_unstable();
            ends
        });
        // Pieces sorted by where they begin cross where their ends are out of order: a tree of counts finds the pairs.
        let ends: Vec<usize> = ends.collect();
        let size = ends.iter().max().map_or(0, |end| end + 2);
        let mut counts = vec![0_u64; size];
        for (seen, end) in ends.iter().enumerate() {
            let (mut at, mut below) = (end + 1, 0);
            while at > 0 {
                below += counts[at];
                at &= at - 1;
            }
            crossed += seen as u64 - below;
            let mut at = end + 1;
            while at < size {
                counts[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
    }
    crossed
}

fn heights(vertices: &mut [Vertex], order: &[Vec<usize>], fixed: &[Option<f64>]) -> Vec<f64> {
    let mut heights = vec![0.0; vertices.len()];
    let fixed_at = |vertex: usize| fixed.get(vertex).copied().flatten();
    for level in order {
        let all: f64 = level.iter().map(|vertex| vertices[*vertex].size).sum();
        let mut at = -0.5 * all;
        for vertex in level {
            heights[*vertex] = fixed_at(*vertex).unwrap_or(at + 0.5 * vertices[*vertex].size);
            at += vertices[*vertex].size;
        }
    }
    for sweep in 0..2 * SWEEPS {
        for step in 0..order.len() {
            let level = &order[if sweep % 2 == 0 { step } else { order.len() - 1 - step }];
            if level.iter().any(|vertex| fixed_at(*vertex).is_some()) {
                continue;
            }
            let wish = |vertex: usize| {
                let near = vertices[vertex].before.iter().chain(&vertices[vertex].behind);
                let (sum, pull) =
                    near.fold((0.0, 0.0), |(sum, all), (other, pull)| (sum + pull * heights[*other], all + pull));
                if pull > 0.0 { (sum / pull, pull) } else { (heights[vertex], 0.1) }
            };
            let mut offsets = Vec::with_capacity(level.len());
            let mut offset = 0.0;
            for (index, vertex) in level.iter().enumerate() {
                if index > 0 {
                    offset += 0.5 * (vertices[level[index - 1]].size + vertices[*vertex].size);
                }
                offsets.push(offset);
            }
            let wishes: Vec<(f64, f64)> = level
                .iter()
                .zip(&offsets)
                .map(|(vertex, offset)| {
                    let (wish, pull) = wish(*vertex);
                    (wish - offset, pull)
                })
                .collect();
            for ((vertex, level), offset) in level.iter().zip(rising(&wishes)).zip(&offsets) {
                heights[*vertex] = level + offset;
            }
        }
    }
    heights
}

/// The rising numbers nearest to `wishes` (number, weight) in weighted squares: pool adjacent violators.
fn rising(wishes: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for &(wish, weight) in wishes {
        let mut pool = (wish, weight, 1);
        while let Some(last) = pools.last().filter(|last| last.0 > pool.0) {
            let weight = last.1 + pool.1;
            pool = ((last.0 * last.1 + pool.0 * pool.1) / weight, weight, last.2 + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_those_of_scikit_learn() {
        // scikit-learn 1.9.1 IsotonicRegression().fit_transform(range(5), [3, 1, 2, 5, 4], [1, 2, 1, 1, 3]).
        let found = rising(&[(3.0, 1.0), (1.0, 2.0), (2.0, 1.0), (5.0, 1.0), (4.0, 3.0)]);
        let expected = [5.0 / 3.0, 5.0 / 3.0, 2.0, 4.25, 4.25];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn crossed_links_are_untangled() {
        // Three inputs, three hidden nodes that hear them the wrong way round.
        let arcs = [(0, 5, 0), (1, 4, 0), (2, 3, 0)];
        let layout = lay_out(&[0, 0, 0, 1, 1, 1], &arcs, &[], &[]);
        let ends: Vec<(f64, f64)> = layout.pieces.iter().map(|piece| (piece.from.1, piece.to.1)).collect();
        for (a, b) in ends.iter().zip(&ends[1..]) {
            assert!((a.0 - b.0) * (a.1 - b.1) > 0.0, "{ends:?}");
        }
    }

    #[test]
    fn nodes_keep_their_distance_and_long_links_pass_between_them() {
        let arcs = [(0, 1, 0), (1, 2, 0), (0, 2, 0), (0, 3, 0), (3, 2, 1)];
        let layout = lay_out(&[0, 1, 2, 1], &arcs, &[], &[]);
        assert!((layout.heights[1] - layout.heights[3]).abs() >= 1.0 - 1e-9);
        assert_eq!(layout.pieces.len(), 6);
        let through = layout.pieces.iter().find(|piece| piece.source == Some(0) && piece.target.is_none()).unwrap();
        assert_eq!((through.to.0, &through.links[..]), (1, &[2][..]));
        assert!([1, 3].iter().all(|node| (layout.heights[*node] - through.to.1).abs() > 0.7));
    }

    #[test]
    fn pinned_levels_keep_their_order_and_fixed_ones_their_heights() {
        let arcs = [(0, 3, 0), (1, 2, 0)];
        let layout = lay_out(&[0, 0, 1, 1], &arcs, &[1], &[Some(5.0), Some(2.0), None, None]);
        assert_eq!(&layout.heights[..2], [5.0, 2.0]);
        assert!(layout.heights[2] < layout.heights[3]);
        assert_eq!(lay_out(&[], &[], &[], &[]).pieces.len(), 0);
    }
}
