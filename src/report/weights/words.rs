//! What an analysis of weights found, in words. Numbers are medians over seeds.

use crate::experiment::WeightAnalysis;
use crate::experiment::analyze::{ComponentRow, Curve, IndividualRow, MomentRow, PairRow, PathRow, Whose};
use crate::experiment::record::Moment;
use crate::math::statistics::median;
use crate::report::number::{percent, ratio, short};
use crate::report::text::wrap;

/// A climb or barrier below this share of what training gained is none.
const FLAT: f64 = 0.01;
/// … and below this one a low one.
const LOW: f64 = 0.1;
/// Pairs that are told one by one; of more the tables tell.
const MOST_PAIRS: usize = 6;
/// Loss of accuracy or R² that pruning may cost.
const PRICE: f64 = 0.01;

/// Median of what there is; `None` of nothing.
pub(super) fn middle(numbers: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    median(&numbers.into_iter().flatten().collect::<Vec<_>>())
}

/// What was found about each arm, and then about each pair: a name, and sentences.
pub fn points(analysis: &WeightAnalysis) -> Vec<(String, Vec<String>)> {
    let arms = analysis.arms.iter().map(|arm| (arm.name.clone(), of_arm(analysis, &arm.name)));
    let pairs = pairs(analysis);
    let pairs: Vec<(String, Vec<String>)> = if pairs.len() > MOST_PAIRS {
        vec![("between arms".to_owned(), of_many(&pairs))]
    } else {
        pairs.iter().map(|(first, second, rows)| (format!("{first} and {second}"), of_pair(rows, false))).collect()
    };
    arms.chain(pairs).filter(|(_, sentences)| !sentences.is_empty()).collect()
}

/// What is printed after an analysis.
pub fn summary_text(analysis: &WeightAnalysis) -> String {
    let mut text = String::new();
    for (name, sentences) in points(analysis) {
        text.push_str(&wrap(&format!("{name}: {}", sentences.join(" ")), 2));
    }
    text.trim_end().to_owned()
}

/// The pairs of arms with their rows, a row a seed.
pub(super) fn pairs(analysis: &WeightAnalysis) -> Vec<(&str, &str, Vec<&PairRow>)> {
    grouped(analysis.pairs.iter().filter(|row| row.first != row.second))
}

/// Arms held against themselves, a row for each seed and the next one.
pub(super) fn own_pairs(analysis: &WeightAnalysis) -> Vec<(&str, &str, Vec<&PairRow>)> {
    grouped(analysis.pairs.iter().filter(|row| row.first == row.second))
}

/// What pages and pictures call a pair, with this between two arms.
pub(super) fn pair_name(first: &str, between: &str, second: &str) -> String {
    if first == second { format!("{first}, seed to seed") } else { format!("{first}{between}{second}") }
}

fn grouped<'a>(rows: impl Iterator<Item = &'a PairRow>) -> Vec<(&'a str, &'a str, Vec<&'a PairRow>)> {
    let mut list: Vec<(&str, &str, Vec<&PairRow>)> = Vec::new();
    for row in rows {
        match list.iter_mut().find(|(first, second, _)| *first == row.first && *second == row.second) {
            Some((_, _, rows)) => rows.push(row),
            None => list.push((&row.first, &row.second, vec![row])),
        }
    }
    list
}

fn of_arm(analysis: &WeightAnalysis, arm: &str) -> Vec<String> {
    let mut list = Vec::new();
    let searched = moved(analysis, arm, Moment::Drawn);
    let trained = moved(analysis, arm, Moment::Start);
    if searched.is_some() || trained.is_some() {
        let search = match searched {
            None => "The start is the first draw.".to_owned(),
            Some(text) => format!("The start differs from the first draw: {text}."),
        };
        let training = trained.map_or("Training moved nothing.".to_owned(), |text| format!("Training moved {text}."));
        list.push(format!("{search} {training}"));
    }
    list.extend(line(analysis, arm));
    list.extend(pruning(analysis, arm));
    list.extend(spectrum(analysis, arm));
    list.extend(analysis.about.model.iter().flat_map(|moment| shapes(analysis, *moment)));
    list.extend(population(analysis, arm));
    let own = own_pairs(analysis).into_iter().find(|(first, _, _)| *first == arm);
    list.extend(own.iter().flat_map(|(_, _, rows)| of_pair(rows, true)));
    list
}

/// The layers of one model.
fn shapes(analysis: &WeightAnalysis, moment: Moment) -> Vec<String> {
    let shape = |row: &MomentRow| {
        let tails = row.kurtosis.map_or(String::new(), |kurtosis| format!(", excess kurtosis {}", ratio(kurtosis)));
        let rank = stable_rank(analysis, &row.arm, row.layer, moment);
        let rank = rank.map_or(String::new(), |rank| format!(", stable rank {}", ratio(rank)));
        let (layer, weights, mean, deviation) = (row.layer, row.weights, row.mean, row.standard_deviation);
        format!(
            "Layer {layer}: {weights} weights, mean {}, standard deviation {}{tails}{rank}.",
            ratio(mean),
            ratio(deviation)
        )
    };
    analysis.moments.iter().map(shape).collect()
}

/// How its population moved at the drawn seed.
fn population(analysis: &WeightAnalysis, arm: &str) -> Option<String> {
    let found = &analysis.components;
    let rows: Vec<&IndividualRow> = found.individuals.iter().filter(|row| row.arm == arm).collect();
    let (first, last) = (rows.first()?.generation, rows.last()?.generation);
    let spread = |generation| {
        let distances = rows.iter().filter(|row| row.generation == generation).map(|row| row.distance * row.distance);
        let (sum, count) = distances.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
        (sum / count).sqrt()
    };
    let plane = || found.components.iter().filter(|row| row.arm == arm && row.of == Whose::Both && row.component <= 2);
    let held = |of: fn(&ComponentRow) -> Option<f64>| plane().map(of).sum::<Option<f64>>();
    let share = |held: Option<f64>, of: &str| held.map(|share| format!("{} of {of}", percent(share)));
    let shares = [
        share(held(|row| row.population), "what the population varied by"),
        share(held(|row| row.training), "the way to the deployed weights"),
    ];
    let shares: Vec<String> = shares.into_iter().flatten().collect();
    let narrowed = if spread(first) > 0.0 && last > first {
        format!(
            "By generation {last} the population had {} times the spread of generation {first}. ",
            ratio(spread(last) / spread(first))
        )
    } else {
        String::new()
    };
    (!shares.is_empty())
        .then(|| format!("{narrowed}Two principal components hold {} (seed {}).", shares.join(" and "), analysis.seed))
}

/// `layer 1 by 0.80, layer 2 by 2.30 of its norm`; `None` where nothing moved.
fn moved(analysis: &WeightAnalysis, arm: &str, from: Moment) -> Option<String> {
    let layers = 1..=analysis.layers(arm).len();
    let of = |layer: usize| {
        let rows = analysis.moves.iter().filter(|row| row.arm == arm && row.from == from && row.layer == layer);
        middle(rows.map(|row| row.relative)).map(|share| (layer, share))
    };
    let all: Vec<(usize, f64)> = layers.filter_map(of).collect();
    if all.iter().all(|(_, share)| *share == 0.0) {
        return None;
    }
    let texts: Vec<String> = all
        .iter()
        .filter(|(_, share)| *share > 0.0)
        .map(|(layer, share)| format!("layer {layer} by {}", ratio(*share)))
        .collect();
    Some(format!("{} of its norm", texts.join(", ")))
}

/// Losses between start and end of each seed.
pub(super) fn curves(analysis: &WeightAnalysis, arm: &str, from: Moment) -> Vec<Curve> {
    let rows: Vec<&PathRow> = analysis.paths.iter().filter(|row| row.arm == arm && row.from == from).collect();
    let curve = |rows: &[&PathRow]| Curve(rows.iter().map(|row| row.train_loss.unwrap_or(f64::INFINITY)).collect());
    rows.chunk_by(|a, b| a.seed == b.seed).map(curve).collect()
}

fn line(analysis: &WeightAnalysis, arm: &str) -> Option<String> {
    let curves = curves(analysis, arm, Moment::Start);
    // What the loss climbs on the way, over what it falls from end to end.
    let share = |curve: &Curve| {
        let gain = curve.0.first()? - curve.0.last()?;
        curve.climb().map(|climb| if gain > 0.0 { climb / gain } else { f64::INFINITY })
    };
    let shares: Vec<f64> = curves.iter().filter_map(share).collect();
    let flat = shares.iter().filter(|share| **share <= FLAT).count();
    let typical = median(&shares)?;
    let seeds = format!("{flat} of {} seeds", shares.len());
    if typical.is_infinite() {
        return Some(
            "Training gained nothing from start to end, or the straight line between them leads through losses that are no \
             numbers."
                .into(),
        );
    }
    let typical_text =
        if typical > 1.0 { format!("{} times", ratio(typical)) } else { format!("{} of", percent(typical)) };
    Some(if typical <= FLAT {
        format!("The straight line from start to end has no barrier ({seeds}).")
    } else {
        format!(
            "On the straight line from start to end the training loss climbs by {typical_text} what training gained; it has \
             no barrier at {seeds}."
        )
    })
}

/// The least share of weights of a seed that keeps the metric, with all larger shares.
pub(super) fn spared(analysis: &WeightAnalysis, arm: &str, trained: bool) -> Option<f64> {
    let rows: Vec<_> = analysis.pruning.iter().filter(|row| row.arm == arm && (row.steps > 0) == trained).collect();
    let of_seed = |rows: &[&crate::experiment::analyze::PruningRow]| {
        // What training after the cut gives is held against the deployed weights.
        let seed = rows.first()?.seed;
        let whole = analysis.pruning.iter().find(|row| row.arm == arm && row.seed == seed && row.steps == 0)?;
        let whole = whole.train_metric?;
        let keeps = |row: &&&crate::experiment::analyze::PruningRow| {
            row.train_metric.is_some_and(|metric| metric >= whole - PRICE - 1e-12)
        };
        Some(rows.iter().take_while(keeps).last().map_or(1.0, |row| row.kept))
    };
    middle(rows.chunk_by(|a, b| a.seed == b.seed).map(of_seed))
}

fn pruning(analysis: &WeightAnalysis, arm: &str) -> Option<String> {
    let gone = |trained| spared(analysis, arm, trained).map(|kept| 1.0 - kept);
    let what = match analysis.is_classification {
        true => "1 point of accuracy".to_owned(),
        false => format!("0.01 of {}", analysis.metric),
    };
    let (cut, trained) = (gone(false)?, gone(true));
    let after = match (analysis.fine_tune, trained) {
        (Some(steps), Some(gone)) if gone > cut => {
            format!("; {} with {steps} steps of training after the cut", percent(gone))
        }
        (Some(steps), Some(_)) => format!("; {steps} steps of training after the cut spare no more of them"),
        _ => String::new(),
    };
    Some(if cut > 0.0 {
        format!(
            "The smallest {} of the weights can go at no more than {what} on the training rows{after}.",
            percent(cut)
        )
    } else {
        format!("No weights can go without costing more than {what} on the training rows{after}.")
    })
}

/// Σσ² / σ₁², the stable rank, by layer.
pub(super) fn stable_rank(analysis: &WeightAnalysis, arm: &str, layer: usize, moment: Moment) -> Option<f64> {
    let rows = analysis.singular.iter().filter(|row| row.arm == arm && row.layer == layer && row.moment == moment);
    let rows: Vec<_> = rows.collect();
    let of_seed = |rows: &[&crate::experiment::analyze::SingularRow]| {
        let largest = rows.first()?.value;
        (largest > 0.0).then(|| rows.iter().map(|row| (row.value / largest) * (row.value / largest)).sum::<f64>())
    };
    middle(rows.chunk_by(|a, b| a.seed == b.seed).map(of_seed))
}

fn spectrum(analysis: &WeightAnalysis, arm: &str) -> Option<String> {
    let of = |layer: usize| {
        // A layer of one input or one unit has but one direction.
        let (inputs, units) = analysis.layers(arm)[layer - 1];
        let rank = |moment| stable_rank(analysis, arm, layer, moment).filter(|_| inputs.min(units) > 1);
        let (from, to) = (rank(Moment::Start)?, rank(Moment::End)?);
        Some(format!("layer {layer} from {} to {}", ratio(from), ratio(to)))
    };
    let texts: Vec<String> = (1..=analysis.layers(arm).len()).filter_map(of).collect();
    (!texts.is_empty()).then(|| format!("Training took the stable rank of {}.", texts.join(", of ")))
}

/// The share of a row; infinite where the line leads through losses that are no numbers, so that no median hides them.
pub(super) fn barrier_share(row: &PairRow) -> Option<f64> {
    row.aligned_train_barrier.map_or(Some(f64::INFINITY), |_| row.barrier_share)
}

/// How many pairs end where.
fn of_many(pairs: &[(&str, &str, Vec<&PairRow>)]) -> Vec<String> {
    let shares: Vec<f64> =
        pairs.iter().filter_map(|(_, _, rows)| middle(rows.iter().map(|row| barrier_share(row)))).collect();
    let one = shares.iter().filter(|share| **share <= FLAT).count();
    let low = shares.iter().filter(|share| **share > FLAT && **share <= LOW).count();
    let rest = shares.len() - one - low;
    vec![format!(
        "Of {} pairs {one} end in one basin, {low} have a low barrier between them, and {rest} end in different basins, once \
         hidden units are put into one order; pairs.csv names them.",
        pairs.len()
    )]
}

/// What lies between two arms, or between an arm and itself from `seed to seed`.
fn of_pair(rows: &[&PairRow], seed_to_seed: bool) -> Vec<String> {
    let (who, where_from, count) = match seed_to_seed {
        true => ("From seed to seed its", " of the first seed", "pairs of seeds"),
        false => ("The", "", "seeds"),
    };
    let distance = |of: &dyn Fn(&PairRow) -> Option<f64>| middle(rows.iter().map(|row| of(row)));
    let mut list = Vec::new();
    if let (Some(plain), Some(aligned)) = (distance(&|row| row.distance), distance(&|row| row.aligned_distance)) {
        let starts = match distance(&|row| row.start_distance) {
            Some(starts) => format!(" (their starts {})", ratio(starts)),
            None => String::new(),
        };
        list.push(format!(
            "{who} deployed weights lie {} of their norm apart{starts}, {} once hidden units are put into one order.",
            ratio(plain),
            ratio(aligned)
        ));
    }
    if let Some(share) = distance(&barrier_share) {
        let barrier = distance(&|row| Some(row.aligned_train_barrier.unwrap_or(f64::INFINITY))).unwrap_or(0.0);
        let same = rows.iter().filter(|row| row.barrier_share.is_some_and(|share| share <= FLAT)).count();
        let verdict = match share {
            share if share <= FLAT => "they end in one basin",
            share if share <= LOW => "a low barrier lies between them",
            _ => "they end in different basins",
        };
        let share = if share > 1.0 { format!("{} times", ratio(share)) } else { format!("{} of", percent(share)) };
        list.push(format!(
            "Between them the training loss{where_from} rises by {}, {share} what training gained: {verdict} (one basin at \
             {same} of {} {count}).",
            short(barrier),
            rows.len()
        ));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::analyze::{PruningRow, fixture};

    #[test]
    fn everything_found_is_told() {
        let analysis = fixture::analysis();
        let told = points(&analysis);
        let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["random", "ga", "random and ga"]);
        assert!(told[0].1[0].starts_with("The start is the first draw. Training moved layer 1 by "), "{told:?}");
        assert!(told[1].1[0].starts_with("The start differs from the first draw: layer 1 by "), "{told:?}");
        assert_eq!(told.iter().map(|(_, sentences)| sentences.len()).collect::<Vec<_>>(), [6, 7, 2]);
        assert!(told.iter().flat_map(|(_, sentences)| sentences).all(|sentence| sentence.ends_with('.')));
        assert!(summary_text(&analysis).lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn many_pairs_are_counted_and_few_are_told() {
        let mut analysis = fixture::analysis();
        let row = analysis.pairs[0].clone();
        let pair =
            |place: usize, share| PairRow { second: format!("arm{place}"), barrier_share: Some(share), ..row.clone() };
        let shares = [0.0, 0.01, 0.05, 0.5, 3.0, 0.2, 0.02];
        analysis.pairs = shares.into_iter().enumerate().map(|(place, share)| pair(place, share)).collect();
        let told = points(&analysis);
        assert_eq!(told.len(), 3);
        assert!(
            told[2].1[0].starts_with("Of 7 pairs 2 end in one basin, 2 have a low barrier between them, and 3 end")
        );
        analysis.pairs.truncate(6);
        let told = points(&analysis);
        assert_eq!(told.len(), 8);
        let last = |place: usize| told[2 + place].1.last().unwrap();
        assert!(last(0).contains("0% of what training gained: they end in one basin"), "{}", last(0));
        assert!(last(2).contains("5% of what training gained: a low barrier lies between them"), "{}", last(2));
        assert!(last(4).contains("3.00 times what training gained: they end in different basins"), "{}", last(4));
    }

    #[test]
    fn weights_are_spared_until_the_metric_first_falls() {
        let mut analysis = fixture::analysis();
        let row = |seed, kept, steps, metric| PruningRow {
            arm: "ga".into(),
            seed,
            kept,
            steps,
            train_loss: None,
            train_metric: Some(metric),
            test_loss: None,
            test_metric: None,
        };
        let seed = |seed, metrics: [f64; 4]| {
            [1.0, 0.5, 0.2, 0.1].into_iter().zip(metrics).map(move |(kept, metric)| row(seed, kept, 0, metric))
        };
        analysis.pruning = seed(1, [0.95, 0.94, 0.5, 0.95]).chain(seed(2, [0.9, 0.95, 0.9, 0.3])).collect();
        assert_eq!(spared(&analysis, "ga", false), Some(0.35));
        analysis.pruning.push(row(2, 0.1, 20, 0.895));
        assert_eq!(spared(&analysis, "ga", true), Some(0.1));
        assert_eq!(spared(&analysis, "random", false), None);
    }
}
