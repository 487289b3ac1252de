//! Which hidden units of a deployed network came with grafts, told from `turns.csv`.

use crate::experiment::Model;
use crate::experiment::record::{Change, Moment, TurnRow};
use crate::report::analysis::{Analysis, Arm, Run};
use std::ops::Range;

/// Units that are named one by one in a sentence.
const MOST_NAMED: usize = 12;

/// How the units of the last hidden layer of a deployed network came to be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// Row-passes that had been spent when its start began to be made.
    pub began: f64,
    /// Row-passes at which the weights were found.
    pub until: f64,
    /// For each unit, in the network's order: when grafts gave its place to a new unit, in row-passes, ascending. The last of
    /// them brought the unit itself; where there is none, it is one of the start.
    pub replaced: Vec<Vec<f64>>,
}

impl Lineage {
    /// Of the weights that a run deployed; `None` where no graft was ever tried, or where the table does not tell.
    pub fn of(run: &Run) -> Option<Lineage> {
        let units = grafts(run).next()?.origins.as_ref()?.0.len();
        let mut at = run.turns.iter().position(|turn| turn.deployed == Some(true))?;
        let mut replaced = vec![Vec::new(); units];
        // Where the unit of each place stood before the turns that were gone through, the latest one first.
        let mut stood: Vec<usize> = (0..units).collect();
        loop {
            let turn = &run.turns[at];
            if turn.change == Change::Start {
                replaced.iter_mut().for_each(|costs| costs.reverse());
                return Some(Lineage { began: made(turn), until: run.result.deployed_cost, replaced });
            }
            if let Some(origins) = turn.origins.as_ref().map(|origins| &origins.0) {
                if origins.len() != units {
                    return None;
                }
                // Those that made way for new ones, in their order.
                let mut gone = (0..units).filter(|unit| !origins.contains(&Some(*unit)));
                for (costs, stood) in replaced.iter_mut().zip(&mut stood) {
                    *stood = match origins[*stood] {
                        Some(before) => before,
                        None => {
                            costs.push(made(turn));
                            gone.next()?
                        }
                    };
                }
            }
            // What a turn changed is what the latest one before it left that was accepted.
            at = run.turns[..at].iter().rposition(|turn| turn.accepted)?;
        }
    }

    /// The units that grafts brought, counted from 0.
    pub fn grafted(&self) -> impl Iterator<Item = usize> {
        self.replaced.iter().enumerate().filter(|(_, costs)| !costs.is_empty()).map(|(unit, _)| unit)
    }
}

/// The grafts that a run tried.
pub fn grafts(run: &Run) -> impl Iterator<Item = &TurnRow> {
    run.turns.iter().filter(|turn| turn.origins.is_some())
}

/// Row-passes that had been spent when a turn began to be made.
pub fn made(turn: &TurnRow) -> f64 {
    (turn.cost - turn.price).max(0.0)
}

/// The weights that an arm deployed at a seed, if they have a last hidden layer of so many units.
pub fn deployed(analysis: &Analysis, arm: &Arm, seed: u64, units: usize) -> Option<Model> {
    let model = analysis.models.get(&arm.name, seed, Moment::End)?;
    let hidden = model.network.layers().len().checked_sub(2)?;
    (model.network.layers()[hidden].outputs == units).then_some(model)
}

/// Places among the parameters of a model of the weights into a unit of its last hidden layer, and of those out of it.
pub fn weights_of(model: &Model, unit: usize) -> (Range<usize>, impl Iterator<Item = usize>) {
    let [.., hidden, output] = model.network.layers() else { unreachable!("`deployed` found a hidden layer") };
    let into = hidden.weights.start + unit * hidden.inputs;
    (into..into + hidden.inputs, output.weights.clone().skip(unit).step_by(output.inputs))
}

/// `unit 3`, `units 3, 7 and 11`; of many the first ones.
pub fn named(units: impl Iterator<Item = usize>) -> String {
    let mut words: Vec<String> = units.map(|unit| (unit + 1).to_string()).collect();
    let noun = if words.len() == 1 { "unit" } else { "units" };
    if words.len() > MOST_NAMED {
        let others = words.len() - MOST_NAMED + 1;
        words.truncate(MOST_NAMED - 1);
        words.push(format!("{others} others"));
    }
    format!("{noun} {}", listed(&words))
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{RunOptions, Study, Unwatched, parse, run};
    use crate::report::analyse;
    use crate::report::fixture::grafted;
    use std::path::Path;

    #[test]
    fn units_are_followed_back_to_their_start() {
        let analysis = grafted();
        let lineage = Lineage::of(&analysis.arms[2].runs[0]).unwrap();
        // The first graft made 3, new, 1 of 1, 2, 3; the second one new, 1, 2 of those: so 2 is new, and its place was 3's.
        assert_eq!(lineage.replaced, [vec![4e4], vec![], vec![1.8e4]]);
        assert_eq!((lineage.began, lineage.until), (0.0, 1e5));
        assert_eq!(named(lineage.grafted()), "units 1 and 3");
        // What was thrown away in the end may have had the best weights.
        let mut thrown = analysis.arms[2].runs[0].clone();
        thrown.turns.iter_mut().for_each(|turn| turn.deployed = Some(!turn.accepted));
        assert_eq!(Lineage::of(&thrown).unwrap().replaced, [vec![1.8e4, 5e4], vec![4e4], vec![]]);
        for spoil in [
            |turn: &mut TurnRow| turn.deployed = None,
            |turn: &mut TurnRow| turn.origins = None,
            |turn: &mut TurnRow| turn.change = Change::Reset,
        ] {
            let mut run = analysis.arms[2].runs[0].clone();
            run.turns.iter_mut().for_each(spoil);
            assert_eq!(Lineage::of(&run), None);
        }
        assert_eq!(named([4].into_iter()), "unit 5");
        assert_eq!(named(0..20), "units 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 9 others");
    }

    #[test]
    fn units_of_the_start_are_there_and_those_of_grafts_are_not() {
        // Steps so small that a weight which was not replaced is that of the start.
        let text = r#"Experiment(
            schema: 1, name: "still", seeds: Range(first: 1, count: 6),
            task: Classification(data: TwoSpirals(points_per_spiral: 60), split: Random(train: 0.8, test: 0.2)),
            network: Mlp(hidden: [(units: 9)]),
            train: (optimizer: Adam(learning_rate: 1e-9)),
            arms: [
                (name: "smooth", method: Graft(pool_share: 1, waste: 9, steps: 4, blocks: 2)),
                (name: "tabular", method: Graft(pool_share: 1, regime: Tabular, waste: 9, steps: 4, blocks: 2)),
                (name: "deep", method: Graft(pool_share: 1, waste: 9, steps: 4, blocks: 2, regime: Smooth),
                    network: Mlp(hidden: [(units: 4), (units: 9)])),
            ],
            budget: RowPasses(12_000),
        )"#;
        let study = Study::new(parse(text, Path::new("still.ron")).unwrap().experiment, Path::new(".")).unwrap();
        let place = tempfile::tempdir().unwrap();
        let out = Some(place.path().join("still"));
        let done = run(&study, &RunOptions { out, ..RunOptions::default() }, &Unwatched).unwrap();
        let analysis = analyse(&done.folder).unwrap();
        let mut seen = [0, 0];
        for arm in &analysis.arms {
            for run in arm.runs.iter().filter(|run| grafts(run).next().is_some()) {
                assert_eq!(run.turns.iter().filter(|turn| turn.deployed == Some(true)).count(), 1, "{}", arm.name);
                // The start that is kept is the last one.
                let last = run.turns.iter().rposition(|turn| turn.change == Change::Start).unwrap();
                if run.turns[..last].iter().any(|turn| turn.deployed == Some(true)) {
                    continue;
                }
                let (lineage, seed) = (Lineage::of(run).unwrap(), run.result.seed);
                let end = deployed(&analysis, arm, seed, 9).unwrap();
                let start = analysis.models.get(&arm.name, seed, Moment::Start).unwrap();
                for (unit, replaced) in lineage.replaced.iter().enumerate() {
                    let is_like = |other: usize| {
                        let (own, other) = (weights_of(&end, unit).0, weights_of(&start, other).0);
                        own.zip(other).all(|(a, b)| (end.params[a] - start.params[b]).abs() < 1e-5)
                    };
                    assert_eq!((0..9).any(is_like), replaced.is_empty(), "{} {seed} {unit}", arm.name);
                    seen[usize::from(replaced.is_empty())] += 1;
                    assert!(replaced.iter().all(|cost| (lineage.began..=lineage.until).contains(cost)));
                }
            }
        }
        assert!(seen.iter().all(|count| *count > 9), "{seen:?}");
    }
}
