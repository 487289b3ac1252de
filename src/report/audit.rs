//! What a fitness can know of a start: the answer to `audit`.

use crate::experiment::audit::rank_correlation;
use crate::math::statistics::{Bootstrap, BootstrapKind, mean};
use crate::report::analysis::{Analysis, Arm};
use crate::report::findings::{Estimate, bootstrap_rng};
use crate::report::number::{amount, percent, ratio};
use serde::Serialize;

/// Rank correlation from which a fitness is called a guide.
const GUIDE: f64 = 0.5;

/// How well a fitness of so many steps ranks starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProxyRank {
    /// The arm whose starts were asked about.
    pub arm: String,
    /// Optimizer steps that the fitness takes; 0 is the loss before training.
    pub steps: u32,
    /// Row-passes of the fitness.
    pub price: f64,
    /// Starts at each seed.
    pub starts: usize,
    /// Mean over seeds of Spearman's correlation between loss and final cost; none where it is defined at no seed.
    pub correlation: Option<Estimate>,
    /// That correlation at each seed that has one.
    pub seeds: Vec<(u64, f64)>,
}

/// One entry a number of steps.
pub(crate) fn proxy_ranks(arm: &Arm, confidence: f64, resamples: usize) -> Vec<ProxyRank> {
    let bootstrap = Bootstrap { kind: BootstrapKind::Percentile, resamples, confidence };
    let asked = arm.runs.iter().find(|run| !run.audit.is_empty()).map_or(&[][..], |run| &run.audit);
    let looks = asked.iter().take_while(|row| row.start == asked[0].start);
    let rank = |steps: u32, price: f64| {
        let at = |run: &crate::report::analysis::Run| {
            let found = rank_correlation(run.audit.iter().filter(|row| row.steps == steps));
            found.map(|correlation| (run.result.seed, correlation))
        };
        let seeds: Vec<(u64, f64)> = arm.runs.iter().filter_map(at).collect();
        let sample: Vec<f64> = seeds.iter().map(|(_, correlation)| *correlation).collect();
        let interval = || bootstrap.interval(&sample, |x| mean(x).unwrap_or(f64::NAN), &mut bootstrap_rng());
        let correlation = mean(&sample).map(|value| Estimate { value, interval: interval() });
        let starts = asked.iter().filter(|row| row.steps == steps).count();
        ProxyRank { arm: arm.name.clone(), steps, price, starts, correlation, seeds }
    };
    looks.map(|row| rank(row.steps, row.price)).collect()
}

/// A fitness in words.
fn fitness(steps: u32) -> String {
    match steps {
        0 => "loss before training".into(),
        1 => "loss after 1 step".into(),
        steps => format!("loss after {steps} steps"),
    }
}

/// Rows of the table: arm, fitness, price, rank correlation, interval.
pub fn rows(analysis: &Analysis) -> Vec<[String; 5]> {
    let number = |x: f64| format!("{x:.2}").replace('-', "−");
    let row = |rank: &ProxyRank| {
        let estimate = rank.correlation;
        let interval = estimate.and_then(|estimate| estimate.interval);
        [
            rank.arm.clone(),
            fitness(rank.steps),
            amount(rank.price),
            estimate.map_or("–".into(), |estimate| number(estimate.value)),
            interval.map_or("–".into(), |range| format!("{} to {}", number(range.low), number(range.high))),
        ]
    };
    analysis.findings.audit.iter().map(row).collect()
}

/// What the audit says, for somebody who is about to choose a fitness.
pub fn sentence(analysis: &Analysis) -> Option<String> {
    let ranks = &analysis.findings.audit;
    let (first, last) = (ranks.first()?, ranks.last()?);
    let of = |rank: &ProxyRank| rank.correlation.map_or(0.0, |estimate| estimate.value);
    let guide = ranks.iter().find(|rank| of(rank) >= GUIDE);
    let luck = ranks.iter().take_while(|rank| {
        let known = rank.correlation.and_then(|estimate| estimate.interval);
        !known.is_some_and(|range| range.low > 0.0)
    });
    let price = |rank: &ProxyRank| {
        format!(
            "{} row-passes a start, {} of the budget",
            amount(rank.price),
            percent(rank.price / analysis.findings.budget)
        )
    };
    let value = |rank: &ProxyRank| ratio_of(of(rank));
    let mut text = format!("What does a fitness know of the {} starts of {} at each seed? ", first.starts, first.arm);
    let reverse = ranks.iter().filter(|rank| {
        let known = rank.correlation.and_then(|estimate| estimate.interval);
        known.is_some_and(|range| range.high < 0.0)
    });
    if let Some(worst) = reverse.min_by(|a, b| of(a).total_cmp(&of(b))) {
        text.push_str(&format!(
            "By the {} it ranks them the wrong way round (rank correlation with the final cost {}): what looks best is \
             dearer in the end. ",
            fitness(worst.steps),
            value(worst)
        ));
    }
    if let Some(blind) = luck.last() {
        text.push_str(&format!(
            "Up to the {} it ranks them no better than chance ({}): a search by it chooses by luck. ",
            fitness(blind.steps),
            value(blind)
        ));
    }
    text.push_str(&match guide {
        Some(rank) => format!(
            "The cheapest one asked about that is a guide is the {}, with a correlation of {}; it takes {}.",
            fitness(rank.steps),
            value(rank),
            price(rank)
        ),
        None => format!(
            "None asked about is a guide: the {} has a correlation of {}, and takes {}.",
            fitness(last.steps),
            value(last),
            price(last)
        ),
    });
    Some(text)
}

fn ratio_of(correlation: f64) -> String {
    let text = ratio(correlation.abs());
    if correlation < 0.0 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::statistics::Interval;
    use crate::report::fixture::{analysis, audited, law};
    use crate::report::page;

    #[test]
    fn a_fitness_that_ranks_by_luck_is_told_from_one_that_is_a_guide() {
        let asked = audited(&[0, 10, 160]);
        let ranks = &asked.findings.audit;
        assert_eq!(ranks.iter().map(|rank| (rank.steps, rank.starts)).collect::<Vec<_>>(), [(0, 8), (10, 8), (160, 8)]);
        assert_eq!(ranks[2].correlation.unwrap().value, 1.0);
        assert!(ranks[0].correlation.unwrap().value.abs() < 0.5 && ranks[0].seeds.len() == 6);
        let text = sentence(&asked).unwrap();
        assert!(text.contains("Up to the loss after 10 steps") && text.contains("no better than chance"), "{text}");
        assert!(text.contains("a guide is the loss after 160 steps, with a correlation of 1"), "{text}");
        let blind = sentence(&audited(&[1])).unwrap();
        assert!(
            blind.contains("Up to the loss after 1 step it") && blind.contains("None asked about is a guide"),
            "{blind}"
        );
        for page in [page::markdown(&asked, &[]), page::html(&asked, &[])] {
            assert!(page.contains("What a fitness knows") && page.contains("loss before training"), "{page}");
        }
        assert!(crate::report::summary_text(&asked).contains("What does a fitness know"));
        let mut turned = audited(&[0, 160]);
        turned.findings.audit[0].correlation =
            Some(Estimate { value: -0.4, interval: Some(Interval { low: -0.5, high: -0.3 }) });
        let text = sentence(&turned).unwrap();
        assert!(
            text.contains("By the loss before training it ranks them the wrong way round") && text.contains("−0.4")
        );
        let plain = analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 6, "targets: [0.3, 0.1, 0.05]");
        assert_eq!(sentence(&plain), None);
        assert!(!page::markdown(&plain, &[]).contains("What a fitness knows"));
    }
}
