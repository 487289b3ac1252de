//! The hidden units of a deployed network: which of them grafts brought, when, and what weights they have.

use super::{Drawing, Numbers, Plot};
use crate::experiment::Model;
use crate::report::analysis::{Analysis, Arm, Run};
use crate::report::figure::{
    Anchor, Axis, Entry, Figure, Ink, Marker, Panel, Rect, Sample, Sheet, Stroke, Style, Ticks, shortened,
};
use crate::report::lineage::{Lineage, deployed, grafts, listed, made, named, weights_of};
use crate::report::number::amount;

/// Arms that get panels.
const MOST_ARMS: usize = 4;
/// Units of an arm that get a line.
const MOST_UNITS: usize = 40;
/// Weights of a unit that get a dot, in either direction.
const MOST_WEIGHTS: usize = 64;
/// Costs that are named one by one.
const MOST_COSTS: usize = 5;
/// Height of a unit's line.
const LINE: f64 = 15.0;
/// Height of an arm's panels without the lines.
const FRAME: f64 = 66.0;

/// A line of life for each hidden unit, with its weights.
pub struct GraftedUnits;

impl Plot for GraftedUnits {
    fn name(&self) -> &'static str {
        "grafted-units"
    }

    fn question(&self, _: &Analysis) -> String {
        "Which hidden units did grafts replace?".into()
    }

    fn reading(&self) -> &'static str {
        "Each line is the place of one hidden unit of the deployed network, from the making of its start to the cost at \
         which the deployed weights were found. A diamond is a graft that put a new unit there; what stood there before is \
         dotted. Above are all grafts of the run, later ones too; beside each line are the weights that the unit was \
         deployed with. Coloured dots that lie apart from the grey ones mean that grafts brought units of another kind \
         than the start had."
    }

    fn applies(&self, analysis: &Analysis) -> bool {
        analysis.arms.iter().any(|arm| Shown::of(arm).is_some())
    }

    fn draw(&self, analysis: &Analysis) -> Drawing {
        let arms: Vec<(usize, Shown)> = analysis
            .arms
            .iter()
            .enumerate()
            .filter_map(|(place, arm)| Some((place, Shown::of(arm)?)))
            .take(MOST_ARMS)
            .collect();
        let captions: Vec<String> = arms.iter().map(|(_, shown)| shown.caption()).collect();
        let ink = |place: usize| Style::of(place).ink;
        let dot = |ink, marker| Sample::Dot(Style { ink, dash: &[], marker });
        // One arm's colour stands for all.
        let own = arms.first().map_or(Ink::Text, |(place, _)| ink(*place));
        let legend = [
            Entry { text: "graft that training went on with".into(), sample: dot(own, Marker::Circle) },
            Entry { text: "graft thrown away".into(), sample: dot(Ink::Text, Marker::Cross) },
            Entry { text: "unit replaced".into(), sample: dot(own, Marker::Diamond) },
            Entry::patch(own, 0.9, "unit of a graft"),
            Entry::patch(Ink::Text, 0.45, "unit of the start"),
        ];
        let heights: Vec<f64> = arms.iter().map(|(_, shown)| FRAME + LINE * (shown.rows().len() + 1) as f64).collect();
        let caption = captions.join(" ");
        let lines = (caption.len() as f64 / 115.0).ceil();
        let height = 110.0 + 15.5 * lines + heights.iter().sum::<f64>();
        let mut sheet = Sheet::sized(760.0, height.max(300.0), &self.question(analysis), &caption, &legend);
        let mut numbers = Numbers::new(&["arm", "seed", "what", "unit", "row_passes", "weight"]);
        let stretch = (sheet.body.bottom - sheet.body.top) / heights.iter().sum::<f64>().max(1.0);
        let mut top = sheet.body.top;
        for ((place, shown), height) in arms.iter().zip(heights) {
            let bottom = top + stretch * height;
            let tile = Rect { top, bottom: bottom - 10.0, ..sheet.body };
            let model = deployed(analysis, shown.arm, shown.run.result.seed, shown.lineage.replaced.len());
            draw_arm(&mut sheet.figure, tile, shown, model.as_ref(), ink(*place));
            tell(&mut numbers, shown, model.as_ref());
            top = bottom;
        }
        Drawing { figure: sheet.figure, numbers }
    }
}

/// An arm with the run that is drawn of it: the first one whose deployed weights have units of grafts, or else the first one
/// with a graft.
struct Shown<'a> {
    arm: &'a Arm,
    run: &'a Run,
    lineage: Lineage,
    /// Runs with grafts, and those of them that deployed units of grafts.
    counts: [usize; 2],
}

impl Shown<'_> {
    fn of(arm: &Arm) -> Option<Shown<'_>> {
        let runs: Vec<(&Run, Lineage)> = arm.runs.iter().filter_map(|run| Some((run, Lineage::of(run)?))).collect();
        let deploys = |(_, lineage): &&(&Run, Lineage)| lineage.grafted().next().is_some();
        let counts = [runs.len(), runs.iter().filter(deploys).count()];
        let (run, lineage) = runs.iter().find(deploys).or(runs.first())?.clone();
        Some(Shown { arm, run, lineage, counts })
    }

    /// The units that are drawn: all, or of many those that grafts brought and then the first ones.
    fn rows(&self) -> Vec<usize> {
        let replaced = &self.lineage.replaced;
        let mut rows: Vec<usize> = (0..replaced.len()).collect();
        rows.sort_by_key(|unit| replaced[*unit].is_empty());
        rows.truncate(MOST_UNITS);
        rows.sort_unstable();
        rows
    }

    fn caption(&self) -> String {
        let (arm, seed, all) = (&self.arm.name, self.run.result.seed, self.arm.runs.len());
        let (units, [grafted, deployed]) = (self.lineage.replaced.len(), self.counts);
        let mut text =
            format!("{arm}: grafts at {grafted} of {all} seeds, of which {deployed} deployed new units. Seed {seed}: ");
        if deployed == 0 {
            text.push_str(&format!("the {units} units are those of the start."));
        } else {
            let mut costs: Vec<f64> = self.lineage.replaced.iter().flatten().copied().collect();
            costs.sort_by(f64::total_cmp);
            costs.dedup();
            let when = match &costs[..] {
                [one] => format!("a graft at {}", amount(*one)),
                [first, .., last] if costs.len() > MOST_COSTS => {
                    format!("{} grafts between {} and {}", costs.len(), amount(*first), amount(*last))
                }
                costs => format!("grafts at {}", listed(&costs.iter().map(|cost| amount(*cost)).collect::<Vec<_>>())),
            };
            let grafted = named(self.lineage.grafted());
            text.push_str(&format!("{grafted} of {units} replaced by {when} row-passes."));
        }
        if units > MOST_UNITS {
            text.push_str(&format!(" {MOST_UNITS} units are drawn, all new ones first."));
        }
        text
    }
}

fn draw_arm(figure: &mut Figure, tile: Rect, shown: &Shown, model: Option<&Model>, ink: Ink) {
    let Shown { arm, run, lineage, .. } = shown;
    let rows = shown.rows();
    let head = shortened(&format!("{}, seed {}", arm.name, run.result.seed), 12.5, tile.right - tile.left);
    figure.text(((tile.left + tile.right) / 2.0, tile.top + 8.0), head, 12.5, Anchor::Middle);
    let tile = Rect { top: tile.top + 16.0, ..tile };
    let width = if model.is_some() { 0.56 } else { 1.0 } * (tile.right - tile.left);
    // Units from top to bottom, grafts above them.
    let names = rows.iter().rev().map(|unit| (unit + 1).to_string()).chain(["grafts".to_owned()]).collect();
    let units = Axis::categories(names, "hidden unit");
    let costs = run.history.iter().map(|row| row.cost).chain(run.turns.iter().map(made).filter(|cost| *cost > 0.0));
    let x = Axis::logarithmic(costs, "row-passes, search included").written(Ticks::Amounts);
    let panel = Panel::new(figure, Rect { right: tile.left + width, ..tile }, x, units.clone());
    let line = |at: usize| (rows.len() - 1 - at) as f64;
    let new = |unit: usize| !lineage.replaced[unit].is_empty();
    // A ground that leads from a unit's life to its weights.
    for (at, _) in rows.iter().enumerate().filter(|(_, unit)| new(**unit)) {
        let (top, bottom) = (panel.y(line(at) + 0.5), panel.y(line(at) - 0.5));
        figure.rectangle((panel.inner.left, top), (tile.right, bottom), ink, 0.1);
    }
    for (at, unit) in rows.iter().enumerate() {
        let y = line(at);
        let replaced = &lineage.replaced[*unit];
        let born = replaced.last().copied().unwrap_or(lineage.began);
        let old = Stroke { dash: &[2.0, 3.0], ..Stroke::solid(Ink::Text, 1.4).faint(0.6) };
        panel.line(figure, &[(lineage.began, y), (born, y)], old);
        let own = if replaced.is_empty() { Stroke::solid(Ink::Text, 1.6).faint(0.45) } else { Stroke::solid(ink, 2.6) };
        panel.line(figure, &[(born, y), (lineage.until, y)], own);
        for cost in replaced {
            Style { ink, dash: &[], marker: Marker::Diamond }.dot(figure, panel.at((*cost, y)), 4.0, 1.0);
        }
    }
    for turn in grafts(run) {
        let marker = if turn.accepted { Marker::Circle } else { Marker::Cross };
        let (ink, opacity) = if turn.accepted { (ink, 1.0) } else { (Ink::Text, 0.55) };
        let at = panel.at((made(turn), rows.len() as f64));
        Style { ink, dash: &[], marker }.dot(figure, at, 3.6, opacity);
    }
    let Some(model) = model else { return };
    let beside = Rect { left: tile.left + width + 14.0, ..tile }.columns(2, 14.0);
    for (place, label) in beside.into_iter().zip(["weights into it", "weights out of it"]) {
        let weights: Vec<Vec<f64>> = rows
            .iter()
            .map(|unit| {
                let [into, out] = weights_by_unit(model, *unit);
                if label.contains("into") { into } else { out }
            })
            .collect();
        let x = Axis::linear(weights.iter().flatten().copied(), label);
        let panel = Panel::new(figure, place, x, units.clone().named("").bare());
        for (at, (unit, weights)) in rows.iter().zip(&weights).enumerate() {
            let (ink, opacity) = if new(*unit) { (ink, 0.85) } else { (Ink::Text, 0.45) };
            for weight in weights.iter().filter(|weight| weight.is_finite()) {
                figure.circle(panel.at((*weight, line(at))), 2.6, ink, opacity);
            }
        }
    }
}

/// Weights into a unit and out of it; of many every second one, every third one and so on.
fn weights_by_unit(model: &Model, unit: usize) -> [Vec<f64>; 2] {
    let (into, out) = weights_of(model, unit);
    [into.collect::<Vec<usize>>(), out.collect()].map(|places| {
        let some = places.iter().step_by(places.len().div_ceil(MOST_WEIGHTS).max(1));
        some.map(|place| f64::from(model.params[*place])).collect()
    })
}

/// Everything that is drawn of an arm, as numbers.
fn tell(numbers: &mut Numbers, shown: &Shown, model: Option<&Model>) {
    let Shown { arm, run, lineage, .. } = shown;
    let seed = run.result.seed.to_string();
    let mut row = |what: &str, unit: Option<usize>, cost: f64, weight: f64| {
        let unit = unit.map_or(String::new(), |unit| (unit + 1).to_string());
        numbers.row(&[&arm.name, &seed, what, &unit], &[cost, weight]);
    };
    for turn in grafts(run) {
        row(if turn.accepted { "accepted graft" } else { "rejected graft" }, None, made(turn), f64::NAN);
    }
    for unit in shown.rows() {
        row("start", Some(unit), lineage.began, f64::NAN);
        lineage.replaced[unit].iter().for_each(|cost| row("replaced", Some(unit), *cost, f64::NAN));
        row("deployed", Some(unit), lineage.until, f64::NAN);
        let [into, out] = model.map_or_else(Default::default, |model| weights_by_unit(model, unit));
        into.into_iter().for_each(|weight| row("weight into it", Some(unit), f64::NAN, weight));
        out.into_iter().for_each(|weight| row("weight out of it", Some(unit), f64::NAN, weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::record::{Origins, TurnRow};
    use crate::report::fixture::{analysis, grafted, law};

    #[test]
    fn units_of_grafts_are_marked_in_picture_and_table() {
        let mut made_up = grafted();
        let drawing = GraftedUnits.draw(&made_up);
        insta::assert_snapshot!(drawing.figure.to_svg());
        let table = String::from_utf8(drawing.numbers.to_csv()).unwrap();
        let told: Vec<&str> = table.lines().filter(|line| !line.contains("weight")).collect();
        insta::assert_snapshot!(told.join("\n"));
        // 2 inputs and 2 outputs for each of 3 units.
        assert_eq!(table.lines().filter(|line| line.contains("weight into it")).count(), 6);
        assert_eq!(table.lines().filter(|line| line.contains("weight out of it")).count(), 6);
        // Without models there is a picture too.
        made_up.models.kept.clear();
        assert!(GraftedUnits.draw(&made_up).figure.marks.len() < drawing.figure.marks.len());
        assert!(!GraftedUnits.applies(&analysis([law(0.0, 8.0), law(5e3, 6.0), law(5e3, 1.0)], 2, "")));
    }

    #[test]
    fn many_units_and_many_grafts_are_told_in_short() {
        let mut made_up = grafted();
        let runs = &mut made_up.arms[2].runs;
        let graft = runs[0].turns[1].clone();
        let origins = |new: usize| Some(Origins((0..200).map(|unit| (unit != new).then_some(unit)).collect()));
        runs[0].turns.truncate(1);
        runs[0].turns[0].deployed = Some(false);
        runs[0].turns.extend((0..30).map(|at| {
            let cost = 2e4 + 1e3 * at as f64;
            TurnRow { cost, origins: origins(7 * at % 200), deployed: Some(at == 29), ..graft.clone() }
        }));
        let shown = Shown::of(&made_up.arms[2]).unwrap();
        assert_eq!(shown.rows().len(), MOST_UNITS);
        let drawn = |unit: usize| shown.rows().contains(&unit);
        assert!(shown.lineage.grafted().all(drawn) && shown.lineage.grafted().count() == 30 && drawn(12) && !drawn(13));
        insta::assert_snapshot!(shown.caption());
    }
}
