//! Labels from a random decision tree.

use super::super::{Dataset, LoadContext, Source, TargetKind};
use super::{add_noise, balanced, between, class_count, count, many_classes, non_negative, one_value, room, stream};
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::values::{Count, NonNegative};
use serde::{Deserialize, Serialize};

/// What a random axis-parallel decision tree says of inputs that are uniform on \[−1, 1).
///
/// The tree is complete. Each inner node asks about one input, all equally likely, at a threshold in the middle 40 % of
/// what is left of that input's range there. The leaves get the classes `0`, `1` … in turn, in random order; for a
/// regression each leaf has a standard normal number. A tree that leaves a class less than a tenth of an equal share is
/// drawn anew with its rows, at most 20 times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomTree {
    /// Rows, at least as many as classes; default 400.
    pub samples: Count,
    /// Inputs; default 10.
    pub features: Count,
    /// Questions from the root to each leaf, 1 to 16; default 4.
    pub depth: Count,
    /// Classes, 2 to 1000, at most as many as leaves (2 to the power of `depth`); default 2. A regression has none.
    pub classes: Count,
    /// Standard deviation of the noise on every input, once the tree has been asked; default 0.
    pub noise: NonNegative,
    /// Seed of tree, inputs and noise; default 0.
    pub seed: u64,
}

impl Default for RandomTree {
    fn default() -> RandomTree {
        let (samples, features, noise) = (count(400), count(10), non_negative(0.0));
        RandomTree { samples, features, depth: count(4), classes: count(2), noise, seed: 0 }
    }
}

impl Source for RandomTree {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let leaves = 1_usize << between("depth", self.depth, 1, 16)?;
        if context.kind == TargetKind::Values {
            let rng = &mut stream(self.seed);
            let tree = Tree::draw(self.features.get(), leaves, rng);
            let numbers: Vec<f64> = (0..leaves).map(|_| rng.normal()).collect();
            let (inputs, reached) = self.ask(&tree, rng)?;
            return one_value("random-tree", context, inputs, reached.into_iter().map(|leaf| numbers[leaf]).collect());
        }
        let classes = class_count(self.classes, self.samples.get())?;
        if classes > leaves {
            let message = format!("a tree of {leaves} leaves cannot tell {classes} classes");
            return Err(Error::experiment("P0121", message).help("raise `depth`, or ask for fewer `classes`"));
        }
        let ways = "ask for more `samples`, fewer `classes`, a larger `depth`, or another `seed`";
        let (inputs, labels) = balanced("RandomTree", self.seed, classes, ways, |rng| {
            let tree = Tree::draw(self.features.get(), leaves, rng);
            let mut of: Vec<u32> = (0..leaves).map(|leaf| (leaf % classes) as u32).collect();
            rng.shuffle(&mut of);
            let (inputs, reached) = self.ask(&tree, rng)?;
            Ok((inputs, reached.into_iter().map(|leaf| of[leaf]).collect()))
        })?;
        many_classes("random-tree", context, inputs, labels, classes)
    }
}

impl RandomTree {
    /// Inputs `[samples × features]`, and the leaf that each row comes to.
    fn ask(&self, tree: &Tree, rng: &mut Rng) -> Result<(Vec<f64>, Vec<usize>)> {
        let (samples, features) = (self.samples.get(), self.features.get());
        let mut inputs = room(samples, features)?;
        inputs.extend((0..samples * features).map(|_| rng.uniform64().mul_add(2.0, -1.0)));
        let reached = inputs.chunks(features).map(|x| tree.leaf(x)).collect();
        add_noise(&mut inputs, self.noise, rng);
        Ok((inputs, reached))
    }
}

/// Inner nodes level by level, each an input and a threshold: those below node i are 2i + 1 and, above the threshold,
/// 2i + 2.
struct Tree {
    nodes: Vec<(usize, f64)>,
}

impl Tree {
    fn draw(features: usize, leaves: usize, rng: &mut Rng) -> Tree {
        let mut nodes: Vec<(usize, f64)> = Vec::with_capacity(leaves - 1);
        for node in 0..leaves - 1 {
            let feature = rng.below(features);
            // The way back to the root tells what is left of the range.
            let (mut low, mut high, mut at) = (-1.0_f64, 1.0_f64, node);
            while at > 0 {
                let parent = (at - 1) / 2;
                let (asked, threshold) = nodes[parent];
                if asked == feature {
                    if at == 2 * parent + 1 { high = high.min(threshold) } else { low = low.max(threshold) }
                }
                at = parent;
            }
            nodes.push((feature, (high - low).mul_add(0.4_f64.mul_add(rng.uniform64(), 0.3), low)));
        }
        Tree { nodes }
    }

    /// The number of the leaf that a row comes to, from the left.
    fn leaf(&self, x: &[f64]) -> usize {
        let mut at = 0;
        while let Some((feature, threshold)) = self.nodes.get(at) {
            at = 2 * at + 1 + usize::from(x[*feature] > *threshold);
        }
        at - self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{load, values};
    use super::*;

    #[test]
    fn rows_go_down_the_tree() {
        let tree = Tree { nodes: vec![(0, 0.0), (1, -0.5), (1, 0.5)] };
        for (x, leaf) in [([-0.1, -0.6], 0), ([0.0, -0.4], 1), ([0.1, 0.5], 2), ([0.1, 0.6], 3)] {
            assert_eq!(tree.leaf(&x), leaf, "{x:?}");
        }
    }

    #[test]
    fn every_question_divides_what_is_left() {
        // One input, asked about at every node: each threshold lies in the middle of its interval.
        let tree = Tree::draw(1, 256, &mut stream(5));
        fn look(tree: &Tree, node: usize, low: f64, high: f64) {
            let Some((_, threshold)) = tree.nodes.get(node) else { return };
            let share = (threshold - low) / (high - low);
            assert!((0.3..=0.7).contains(&share), "{share}");
            look(tree, 2 * node + 1, low, *threshold);
            look(tree, 2 * node + 2, *threshold, high);
        }
        look(&tree, 0, -1.0, 1.0);
        let all = Tree::draw(7, 1024, &mut stream(5));
        assert!((0..7).all(|feature| all.nodes.iter().any(|node| node.0 == feature)));
    }

    #[test]
    fn a_regression_has_one_number_per_leaf() {
        let tree = RandomTree { depth: count(3), features: count(2), ..RandomTree::default() };
        let numbers: std::collections::BTreeSet<u64> =
            values(&load(&tree, TargetKind::Values).unwrap()).iter().map(|y| y.to_bits()).collect();
        assert_eq!(numbers.len(), 8);
    }

    #[test]
    fn trees_that_cannot_tell_the_classes_are_refused() {
        for (tree, code) in [
            (RandomTree { depth: count(17), ..RandomTree::default() }, "P0121"),
            (RandomTree { depth: count(1), classes: count(3), ..RandomTree::default() }, "P0121"),
            (RandomTree { samples: count(3), classes: count(4), ..RandomTree::default() }, "P0121"),
            (RandomTree { samples: count(40), classes: count(40), depth: count(6), ..RandomTree::default() }, "P0210"),
        ] {
            let error = load(&tree, TargetKind::Classes).unwrap_err();
            assert!(error.code() == code && !error.problems()[0].helps.is_empty(), "{error}");
        }
    }
}
