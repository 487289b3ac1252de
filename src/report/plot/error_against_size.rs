//! What size buys: loss against the number of hidden units, layers or parameters.

use super::{Drawing, Numbers, Plot, seeds_caption};
use crate::experiment::Experiment;
use crate::experiment::config::Network;
use crate::math::statistics::{median, sorted};
use crate::network::Output;
use crate::report::analysis::{Analysis, Arm, Run};
use crate::report::band::MedianBand;
use crate::report::figure::{Axis, Entry, Ink, Marker, Panel, Sample, Sheet, Stroke, Style};
use crate::report::findings::bootstrap_rng;

/// Networks whose sizes lie within this share of each other count as equally large.
const ALIKE: f64 = 0.05;
/// Training and test loss look like training and test rows elsewhere.
const INKS: [Ink; 2] = [Ink::Colour((0, 114, 178)), Ink::Colour((213, 94, 0))];

/// Loss of the deployed weights at each size.
pub struct ErrorAgainstSize;

impl Plot for ErrorAgainstSize {
    fn name(&self) -> &'static str {
        "error-against-size"
    }

    fn question(&self, analysis: &Analysis) -> String {
        match Sizes::of(analysis).map(|sizes| sizes.by) {
            Some(By::Layers) => "What does depth buy at equal size?".into(),
            _ => "What does size buy?".into(),
        }
    }

    fn reading(&self) -> &'static str {
        "Losses of the deployed weights: lines join medians over seeds, bars are their intervals, faint dots are single \
         seeds. Every arm may spend equally many multiply-adds, so larger networks train for fewer steps. Test losses that \
         rise while training losses fall mean that rows were learned by heart."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        Sizes::of(analysis).is_some()
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let sizes = Sizes::of(analysis).unwrap_or(Sizes { by: By::Parameters, places: Vec::new(), labels: Vec::new() });
        type Number = fn(&Run) -> Option<f64>;
        let series: [(&str, Number); 2] =
            [("training", |run| run.result.train_loss), ("test", |run| run.result.test_loss)];
        let marker = [Marker::Circle, Marker::Diamond];
        let style =
            |of: usize| Style { ink: INKS[of], dash: if of == 0 { &[] } else { &[9.0, 4.0] }, marker: marker[of] };
        let used: Vec<usize> = (0..2)
            .filter(|of| analysis.arms.iter().flat_map(|arm| &arm.runs).any(|run| series[*of].1(run).is_some()))
            .collect();
        let legend: Vec<Entry> = used
            .iter()
            .map(|of| Entry { text: format!("{} loss", series[*of].0), sample: Sample::Line(style(*of)) })
            .collect();
        let counts =
            analysis.experiment.arms.iter().map(|arm| parameters(network(&analysis.experiment, arm), analysis));
        let (least, most) = counts.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
        let caption = format!("{}; networks of {least} to {most} parameters.", seeds_caption(analysis));
        let mut sheet = Sheet::new(&self.question(analysis), &caption, &legend);
        let all = analysis.arms.iter().flat_map(|arm| &arm.runs);
        let losses = all.flat_map(|run| used.iter().filter_map(|of| series[*of].1(run)));
        let y = Axis::logarithmic(losses, "loss");
        let body = sheet.body;
        let figure = &mut sheet.figure;
        let panel = Panel::new(figure, body, Axis::categories(sizes.labels.clone(), sizes.by.label()), y);
        let header = ["arm", "rows", "size", "parameters", "seeds", "median_loss", "low", "high"];
        let mut numbers = Numbers::new(&header);
        let rule = &analysis.findings.rule;
        let slot = panel.x(1.0) - panel.x(0.0);
        for of in used {
            let (name, number) = series[of];
            let look = style(of);
            // Side by side, so that one bar does not hide the other.
            let shift = 0.05 * slot * if of == 0 { -1.0 } else { 1.0 };
            let mut points: Vec<(usize, f64)> = Vec::new();
            for (arm, &place) in analysis.arms.iter().zip(&sizes.places) {
                let values = losses_of(arm, number);
                let middle = median(&values).unwrap_or(f64::NAN);
                let band =
                    MedianBand::new(values.len(), rule.resamples, analysis.findings.confidence, &mut bootstrap_rng());
                let interval = band.interval(&values);
                let (low, high) = interval.map_or((f64::NAN, f64::NAN), |interval| (interval.low, interval.high));
                let x = panel.x(place as f64) + shift;
                for (index, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
                    let jitter = ((index as f64 + 1.0) * 0.618_033_988_75).fract() - 0.5;
                    let at = (x + 0.08 * slot * jitter, panel.y(*value));
                    Style { dash: &[], ..look }.dot(figure, at, 2.0, 0.3);
                }
                if low.is_finite() && high.is_finite() {
                    figure.line(vec![(x, panel.y(low)), (x, panel.y(high))], Stroke::solid(look.ink, 2.4));
                }
                points.push((place, middle));
                let asked = network(&analysis.experiment, &analysis.experiment.arms[points.len() - 1]);
                let words = [&arm.name[..], name, &sizes.labels[place]];
                let counted = [parameters(asked, analysis) as f64, values.len() as f64];
                numbers.row(&words, &[counted[0], counted[1], middle, low, high]);
            }
            points.sort_by_key(|point| point.0);
            let line: Vec<(f64, f64)> = points
                .iter()
                .filter(|point| point.1.is_finite())
                .map(|(place, loss)| (panel.x(*place as f64) + shift, panel.y(*loss)))
                .collect();
            figure.line(line.clone(), look.stroke(1.8));
            line.into_iter().for_each(|point| look.dot(figure, point, 4.2, 1.0));
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// By what sizes are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Units,
    Layers,
    Parameters,
}

impl By {
    fn label(self) -> &'static str {
        match self {
            By::Units => "hidden units",
            By::Layers => "hidden layers",
            By::Parameters => "parameters",
        }
    }
}

/// Where each arm stands among the sizes.
struct Sizes {
    by: By,
    /// Per arm, its place among the labels.
    places: Vec<usize>,
    /// Sizes in rising order.
    labels: Vec<String>,
}

impl Sizes {
    /// `None` where arms do not differ in size, or do so beside other things.
    fn of(analysis: &Analysis) -> Option<Sizes> {
        let experiment = &analysis.experiment;
        let arms = || experiment.arms.iter().map(|arm| network(experiment, arm));
        if experiment.arms.len() != analysis.arms.len() || analysis.arms.iter().all(|arm| arm.runs.is_empty()) {
            return None;
        }
        let distinct = |numbers: Vec<usize>| {
            let mut all = numbers.clone();
            all.sort_unstable();
            all.dedup();
            (numbers, all)
        };
        let (parameters, all_parameters) = distinct(arms().map(|asked| parameters(asked, analysis)).collect());
        let (depths, all_depths) = distinct(arms().map(|asked| asked.hidden().len()).collect());
        let (least, most) = (*all_parameters.first()? as f64, *all_parameters.last()? as f64);
        let (by, (numbers, all)) = if all_depths.len() > 1 && most <= least * (1.0 + ALIKE) {
            (By::Layers, (depths, all_depths))
        } else if all_depths == [1] {
            (By::Units, distinct(arms().map(|asked| asked.hidden()[0].units.get()).collect()))
        } else {
            (By::Parameters, (parameters, all_parameters))
        };
        let places = numbers.iter().map(|number| all.partition_point(|other| other < number)).collect();
        let labels: Vec<String> = all.iter().map(ToString::to_string).collect();
        (labels.len() > 1).then_some(Sizes { by, places, labels })
    }
}

fn network<'a>(experiment: &'a Experiment, arm: &'a crate::experiment::config::ArmConfig) -> &'a Network {
    arm.network.as_ref().unwrap_or(&experiment.network)
}

/// Weights and thresholds of a network, by what the manifest says of inputs and outputs.
fn parameters(network: &Network, analysis: &Analysis) -> usize {
    let experiment = &analysis.experiment;
    let targets = analysis.manifest.targets.len();
    let softmax = match experiment.network.output() {
        Some(output) => output == Output::Softmax,
        None => experiment.task.is_classification() && experiment.task.loss() == crate::network::Loss::CrossEntropy,
    };
    let one = experiment.task.is_classification() && targets == 2 && !softmax;
    let mut before = analysis.manifest.features;
    let layers = network.hidden().iter().map(|layer| layer.units.get()).chain([if one { 1 } else { targets }]);
    layers.map(|units| units * (std::mem::replace(&mut before, units) + 1)).sum()
}

/// Losses of an arm's seeds in rising order; runs without any count as infinite.
fn losses_of(arm: &Arm, number: fn(&Run) -> Option<f64>) -> Vec<f64> {
    sorted(&arm.runs.iter().map(|run| number(run).unwrap_or(f64::INFINITY)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::shaped;

    fn sizes(networks: [&str; 3]) -> Option<(By, Vec<usize>, String)> {
        let sizes = Sizes::of(&shaped(networks));
        sizes.map(|sizes| (sizes.by, sizes.places, sizes.labels.join(" ")))
    }

    #[test]
    fn size_is_told_by_what_differs() {
        // 2 inputs, 2 outputs: 5 h + 2 parameters of one hidden layer.
        let (two, eight, twenty) = ("(units: 2)", "(units: 8)", "(units: 20)");
        assert_eq!(sizes([eight, two, twenty]), Some((By::Units, vec![1, 0, 2], "2 8 20".into())));
        assert_eq!(sizes([eight, eight, eight]), None);
        assert_eq!(sizes([eight, two, ""]), Some((By::Parameters, vec![2, 1, 0], "6 12 42".into())));
        // 102, 5·3 + ... = 15 + 45 + ... parameters in two layers: 3a + b(a + 1) + 2(b + 1).
        let deep = "(units: 7), (units: 8)";
        assert_eq!(sizes([twenty, twenty, deep]), Some((By::Layers, vec![0, 0, 1], "1 2".into())));
    }
}
