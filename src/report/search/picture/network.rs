//! What the found network looks like.

use crate::report::figure::{Anchor, Figure, Ink, Rgb, Sheet, Stroke, heat, shortened, text_width};
use crate::report::number::short;
use crate::report::plot::{Drawing, Numbers, Plot};
use crate::report::search::layout::{Arc, Layout, lay_out};
use crate::report::search::network::{Network, NodeKind, activation, place_of};
use crate::report::search::{Found, SearchAnalysis};

/// The found network in layers.
pub struct FoundNetwork;

impl Plot<SearchAnalysis> for FoundNetwork {
    fn name(&self) -> &'static str {
        "network"
    }

    fn question(&self, _: &SearchAnalysis) -> String {
        "What does the found network look like?".into()
    }

    fn reading(&self) -> &'static str {
        "Signals run from the inputs on the left to the outputs on the right; each node adds up what arrives, times the \
         weight of the link, and bends it by the curve drawn inside it. With one shared weight every link carries the \
         same number: what the network does lies in who hears whom, and through which curve. Faint links and nodes carry \
         no signal."
    }

    fn applies(&self, analysis: &SearchAnalysis) -> bool {
        analysis.shown().is_some()
    }

    fn draw(&self, analysis: &SearchAnalysis) -> Drawing {
        match analysis.shown() {
            Some(found) => draw(found, analysis.networks.len(), &self.question(analysis)),
            None => Drawing { figure: Sheet::new(&self.question(analysis), "", &[]).figure, numbers: columns() },
        }
    }
}

/// Colours of activations, in the order of [`Activation::all`](crate::math::Activation::all), and of unknown ones.
const COLOURS: [Rgb; 16] = [
    (110, 110, 110),
    (140, 86, 50),
    (190, 90, 150),
    (213, 94, 0),
    (222, 150, 0),
    (160, 146, 0),
    (120, 140, 40),
    (70, 120, 70),
    (60, 140, 140),
    (0, 98, 165),
    (64, 160, 220),
    (0, 150, 110),
    (112, 80, 170),
    (170, 50, 60),
    (92, 102, 134),
    (0, 0, 0),
];
const POSITIVE: Ink = Ink::Colour((52, 116, 208));
const NEGATIVE: Ink = Ink::Colour((214, 78, 48));
const UNUSED: Ink = Ink::Colour((150, 150, 150));
const WHITE: Ink = Ink::Colour((255, 255, 255));
const DASHED: &[f64] = &[6.0, 3.0];
const DOTTED: &[f64] = &[1.5, 3.0];
const LABEL: f64 = 12.0;
const SMALL: f64 = 10.0;

/// Colour of an activation by its name, the same in every picture.
pub fn colour(activation: &str) -> Ink {
    Ink::Colour(COLOURS[place_of(activation).min(COLOURS.len() - 1)])
}

/// Measures of the drawing.
struct Scale {
    /// Pixels between two nodes of a level.
    pitch: f64,
    /// Pixels between two levels, and how many more before the last one.
    spacing: f64,
    fan: f64,
    last: usize,
    radius: f64,
    /// Where level 0 and height 0 is.
    origin: (f64, f64),
}

impl Scale {
    fn place(&self, level: usize, height: f64) -> (f64, f64) {
        let fan = if level == self.last { self.fan } else { 0.0 };
        (self.origin.0 + level as f64 * self.spacing + fan, self.origin.1 + height * self.pitch)
    }
}

fn draw(found: &Found, networks: usize, question: &str) -> Drawing {
    let network = &found.network;
    let inputs: Vec<usize> = of_kind(network, NodeKind::Input);
    let grid = grid_edge(inputs.len());
    let shown = visible(network, grid.is_some());
    let nodes: Vec<usize> = (0..network.nodes.len()).filter(|node| shown[*node]).collect();
    let used = network.links.iter().enumerate().filter(|(_, link)| link.used);
    let arcs: Vec<(usize, Arc)> =
        used.map(|(place, link)| (place, (link.from, link.to, u8::from(is_negative(network, place))))).collect();
    let place = |cell: f64| place(network, &nodes, &arcs, &fixed_heights(network, &inputs, grid, cell, &shown));
    // The grid of inputs takes part of the height of all: how high that is, a first try tells.
    let first = place(1.0);
    let cell = grid.map_or(1.0, |edge| {
        let (low, high) = range(&first);
        let pitch = pitch(high - low);
        (0.62 * (high - low) / edge as f64).clamp(8.0 / pitch, 27.0 / pitch)
    });
    let layout = if grid.is_some() { place(cell) } else { first };
    let (low, high) = range(&layout);
    let pitch = pitch(high - low);
    let cell = cell * pitch;

    let widest = |kind| {
        let labels = network.nodes.iter().filter(move |node| node.kind == kind);
        labels.map(|node| text_width(&node.label, LABEL)).fold(0.0, f64::max).min(150.0)
    };
    let gaps = (network.levels - 1) as f64;
    let left = match grid {
        Some(edge) => 16.0 + edge as f64 * cell,
        None => 30.0 + widest(NodeKind::Input).max(widest(NodeKind::Bias)),
    };
    let right = 34.0 + widest(NodeKind::Output);
    // Where much arrives at the outputs, the last gap is wide.
    let fan = if arcs.len() > 60 { 0.9 } else { 0.0 };
    let spacing = ((880.0 - left - right) / (gaps + fan)).clamp(46.0, if grid.is_some() { 300.0 } else { 150.0 });
    let drawn = left + right + (gaps + fan) * spacing;
    let width = drawn.max(760.0);
    let legend_rows = legend_height(network, width);
    let mut sheet = Sheet::sized(width, 0.0, question, &caption(found, networks), &[]);
    let top = sheet.body.top + legend_rows;
    let body = (high - low + 1.0) * pitch + if grid.is_some() { 24.0 } else { 10.0 };
    sheet.figure.height = top + body + 16.0;
    let figure = &mut sheet.figure;
    draw_legend(figure, network, sheet.body.top);
    let crowded = nodes.len() > 60;
    let scale = Scale {
        pitch,
        spacing,
        fan: fan * spacing,
        last: network.levels - 1,
        radius: if crowded { (0.4 * pitch).clamp(4.0, 13.0) } else { (0.33 * pitch).clamp(4.0, 15.0) },
        // A narrow network stands in the middle of its sheet.
        origin: (left + 0.5 * (width - drawn), top + 0.5 * body - 0.5 * (low + high) * pitch),
    };
    let mut at: Vec<Option<(f64, f64)>> = vec![None; network.nodes.len()];
    for (node, height) in nodes.iter().zip(&layout.heights) {
        at[*node] = Some(scale.place(network.nodes[*node].level, *height));
    }
    let mut starts = at.clone();
    if let Some(edge) = grid {
        for (index, node) in inputs.iter().enumerate() {
            let (row, column) = ((index / edge) as f64, (index % edge) as f64);
            let (x, y) = (column - edge as f64 + 0.5, row + 0.5 - 0.5 * edge as f64);
            at[*node] = Some((scale.origin.0 + cell * x, scale.origin.1 + cell * y));
            // Links leave at the edge, in the order of the columns: over the cells they would hide them.
            let spread = (column + 0.5) / edge as f64 - 0.5;
            starts[*node] = Some((scale.origin.0 + 3.0, scale.origin.1 + cell * (y + 0.9 * spread)));
        }
        draw_grid(figure, network, &inputs, &at, cell);
    }
    draw_unused(figure, network, &starts);
    draw_pieces(figure, network, &layout, &arcs, &nodes, &starts, &scale);
    for (index, node) in network.nodes.iter().enumerate() {
        let Some(place) = at[index] else { continue };
        if !(grid.is_some() && node.kind == NodeKind::Input) {
            draw_node(figure, network, index, place, &scale);
        }
    }
    let mut numbers = columns();
    fill(&mut numbers, network, &at);
    Drawing { figure: sheet.figure, numbers }
}

/// Pixels between two nodes of a level where all take so many of these distances.
fn pitch(extent: f64) -> f64 {
    (680.0 / (extent + 1.0)).clamp(13.0, 58.0)
}

/// The layout of the nodes shown; the outputs keep their order, and inputs too where they are many.
fn place(network: &Network, nodes: &[usize], arcs: &[(usize, Arc)], fixed: &[Option<f64>]) -> Layout {
    let mut number = vec![usize::MAX; network.nodes.len()];
    nodes.iter().enumerate().for_each(|(index, node)| number[*node] = index);
    let levels: Vec<usize> = nodes.iter().map(|node| network.nodes[*node].level).collect();
    let numbered: Vec<Arc> = arcs.iter().map(|(_, (from, to, class))| (number[*from], number[*to], *class)).collect();
    let fixed: Vec<Option<f64>> = nodes.iter().map(|node| fixed[*node]).collect();
    let many = network.count(NodeKind::Input) > 24;
    let pinned = [network.levels - 1, 0];
    lay_out(&levels, &numbered, &pinned[..if many { 2 } else { 1 }], &fixed)
}

/// Least and greatest height of anything; of no nodes, 0.
fn range(layout: &Layout) -> (f64, f64) {
    let ends = layout.pieces.iter().flat_map(|piece| [piece.from.1, piece.to.1]);
    let all = layout.heights.iter().copied().chain(ends);
    all.fold(None, |range: Option<(f64, f64)>, x| Some(range.map_or((x, x), |(low, high)| (low.min(x), high.max(x)))))
        .unwrap_or((0.0, 0.0))
}

fn of_kind(network: &Network, kind: NodeKind) -> Vec<usize> {
    (0..network.nodes.len()).filter(|node| network.nodes[*node].kind == kind).collect()
}

/// Cells along an edge of the picture that so many inputs are, if they look like one.
fn grid_edge(inputs: usize) -> Option<usize> {
    let edge = (inputs as f64).sqrt().round() as usize;
    (inputs >= 36 && edge * edge == inputs).then_some(edge)
}

/// Which nodes are drawn as nodes of their own: all but dead ones of a crowd.
fn visible(network: &Network, has_grid: bool) -> Vec<bool> {
    let crowd = network.nodes.len() > 60;
    let shows = |node: &crate::report::search::network::Node| match node.kind {
        NodeKind::Input => node.used || (!has_grid && !crowd),
        NodeKind::Hidden | NodeKind::Bias => node.used || !crowd,
        NodeKind::Output => true,
    };
    network.nodes.iter().map(shows).collect()
}

/// Heights of the inputs of a grid with cells of so many units, in the order of its rows; the bias stands below it.
fn fixed_heights(
    network: &Network,
    inputs: &[usize],
    grid: Option<usize>,
    cell: f64,
    shown: &[bool],
) -> Vec<Option<f64>> {
    let mut fixed = vec![None; network.nodes.len()];
    let Some(edge) = grid else { return fixed };
    for (index, node) in inputs.iter().enumerate() {
        let (row, column) = (index / edge, index % edge);
        fixed[*node] = Some((row as f64 + (column as f64 + 0.5) / edge as f64 - 0.5 * edge as f64) * cell);
    }
    for node in of_kind(network, NodeKind::Bias).into_iter().filter(|node| shown[*node]) {
        fixed[node] = Some(0.5 * edge as f64 * cell + 1.6);
    }
    fixed
}

fn is_negative(network: &Network, link: usize) -> bool {
    let own = network.links[link].weight;
    let weight = if network.has_own_weights() { own } else { network.shared_weight.or(own) };
    weight.is_some_and(|weight| weight < 0.0)
}

/// Dashes tell negative links from positive ones without colour; where all are negative there is nothing to tell.
fn negative_dash(network: &Network) -> &'static [f64] {
    let mixed = (0..network.links.len()).any(|link| network.links[link].used && !is_negative(network, link));
    if mixed { DASHED } else { &[] }
}

fn caption(found: &Found, networks: usize) -> String {
    let network = &found.network;
    let many = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let (used, all) = (network.connections(), network.links.len());
    let which = match networks {
        1 => format!("Seed {}.", found.seed),
        more => format!("Seed {}, the middle one of {more} by its tuned shared weight.", found.seed),
    };
    let kept = if used < all { format!("{used} of {all} connections carry signals") } else { many(used, "connection") };
    let levels = network.levels - 2;
    format!(
        "{which} {}, {} on {}, {}; {kept}.",
        many(network.count(NodeKind::Input), "input"),
        many(network.hidden().count(), "hidden node"),
        many(levels, "level"),
        many(network.count(NodeKind::Output), "output"),
    )
}

fn draw_grid(figure: &mut Figure, network: &Network, inputs: &[usize], at: &[Option<(f64, f64)>], cell: f64) {
    let links = |node: usize| network.links.iter().filter(|link| link.used && link.from == node).count();
    let most = inputs.iter().map(|node| links(*node)).max().unwrap_or(0).max(1) as f64;
    let half = 0.5 * cell;
    for node in inputs {
        let Some((x, y)) = at[*node] else { continue };
        let ink = match links(*node) {
            0 => Ink::Colour((236, 238, 242)),
            count => Ink::Colour(heat(0.25 + 0.6 * count as f64 / most)),
        };
        figure.rectangle((x - half + 0.6, y - half + 0.6), (x + half - 0.6, y + half - 0.6), ink, 1.0);
    }
    if let Some(Some((x, y))) = inputs.first().map(|node| at[*node]) {
        let text = format!("{} inputs as pixels (darker: more links)", inputs.len());
        figure.remark((x - half, y - half - 8.0), text, SMALL, Anchor::Start);
    }
}

fn draw_unused(figure: &mut Figure, network: &Network, at: &[Option<(f64, f64)>]) {
    for link in network.links.iter().filter(|link| !link.used) {
        if let (Some(from), Some(to)) = (at[link.from], at[link.to]) {
            figure.line(vec![from, to], Stroke { dash: DOTTED, ..Stroke::solid(UNUSED, 0.9).faint(0.55) });
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn draw_pieces(
    figure: &mut Figure,
    network: &Network,
    layout: &Layout,
    arcs: &[(usize, Arc)],
    nodes: &[usize],
    at: &[Option<(f64, f64)>],
    scale: &Scale,
) {
    let strongest = network.links.iter().filter(|link| link.used).filter_map(|link| link.weight);
    let strongest = strongest.map(f64::abs).fold(0.0, f64::max);
    let own = network.has_own_weights();
    let dash = negative_dash(network);
    let thick = if arcs.len() > 120 { 0.9 } else { 1.5 };
    let opacity = if arcs.len() > 240 { 0.5 } else { 0.78 };
    for piece in &layout.pieces {
        let place = |(level, height): (usize, f64), node: Option<usize>| {
            let node = node.and_then(|node| at[nodes[node]]);
            node.unwrap_or(scale.place(level, height))
        };
        let (from, to) = (place(piece.from, piece.source), place(piece.to, piece.target));
        let links = || piece.links.iter().map(|link| arcs[*link].0);
        let weight = links().filter_map(|link| network.links[link].weight).map(f64::abs).fold(0.0, f64::max);
        let width = if own && strongest > 0.0 { 0.6 + 2.2 * weight / strongest } else { thick };
        let negative = links().next().is_some_and(|link| is_negative(network, link));
        let (ink, dash) = if negative { (NEGATIVE, dash) } else { (POSITIVE, &[][..]) };
        figure.line(curve(from, to), Stroke { ink, width, opacity, dash });
    }
}

/// From one point to another, level at both ends.
fn curve(from: (f64, f64), to: (f64, f64)) -> Vec<(f64, f64)> {
    let steps = if (from.1 - to.1).abs() < 0.5 { 1 } else { 12 };
    (0..=steps)
        .map(|step| {
            let t = f64::from(step) / f64::from(steps);
            (from.0 + t * (to.0 - from.0), from.1 + t * t * (3.0 - 2.0 * t) * (to.1 - from.1))
        })
        .collect()
}

fn draw_node(figure: &mut Figure, network: &Network, index: usize, (x, y): (f64, f64), scale: &Scale) {
    let node = &network.nodes[index];
    // The ring of an output needs some room.
    let r =
        if node.kind == NodeKind::Output { scale.radius.min(0.5 * scale.pitch - 3.6).max(3.0) } else { scale.radius };
    let opacity = if node.used { 1.0 } else { 0.3 };
    let middle = y + 0.36 * LABEL;
    match node.kind {
        NodeKind::Input | NodeKind::Bias => {
            let half = (0.62 * r).max(4.0);
            let corners = |half: f64| ((x - half, y - half), (x + half, y + half));
            let (from, to) = corners(half);
            figure.rectangle(from, to, Ink::Text, opacity);
            if node.kind == NodeKind::Bias {
                let (from, to) = corners(half - 1.6);
                figure.rectangle(from, to, Ink::Paper, 1.0);
            }
            let text = shortened(&node.label, LABEL, 150.0);
            figure.text((x - half - 7.0, middle), text, LABEL, Anchor::End);
        }
        NodeKind::Hidden | NodeKind::Output => {
            if node.kind == NodeKind::Output {
                figure.circle((x, y), r + 3.2, Ink::Text, opacity);
                figure.circle((x, y), r + 1.8, Ink::Paper, 1.0);
                figure.text((x + r + 9.0, middle), shortened(&node.label, LABEL, 150.0), LABEL, Anchor::Start);
            }
            disc(figure, (x, y), r, &node.activation, opacity);
            let crowded = scale.pitch < 40.0 || scale.spacing < 52.0 || network.hidden().count() > 45;
            if node.kind == NodeKind::Hidden && !crowded {
                let base = y + r + SMALL + 1.0;
                let half = 0.5 * text_width(&node.activation, SMALL) + 1.5;
                figure.rectangle((x - half, base - 0.85 * SMALL), (x + half, base + 2.0), Ink::Paper, 0.8);
                figure.text((x, base), node.activation.clone(), SMALL, Anchor::Middle);
            }
        }
    }
}

/// A disc in the colour of the activation with its curve inside.
fn disc(figure: &mut Figure, (x, y): (f64, f64), r: f64, name: &str, opacity: f64) {
    figure.circle((x, y), r, Ink::Paper, 1.0);
    figure.circle((x, y), r, colour(name), opacity);
    let Some(activation) = activation(name).filter(|_| r >= 6.0) else { return };
    // One wave is enough to know sine and cosine by.
    let reach = if matches!(name, "Sin" | "Cos") { 1.0 } else { 2.0 };
    let sample = |index: i32| {
        let input = reach * f64::from(index) / 20.0;
        (input, activation.apply(input).0)
    };
    let samples: Vec<(f64, f64)> = (-20..=20).map(sample).collect();
    let range = |points: &[(f64, f64)]| {
        points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p.1), high.max(p.1)))
    };
    let (low, high) = range(&samples);
    let (half, middle) = (0.5 * (high - low).max(1e-9), 0.5 * (low + high));
    let points =
        samples.iter().map(|(input, value)| (x + 0.66 * r * input / reach, y - 0.48 * r * (value - middle) / half));
    figure.line(points.collect(), Stroke::solid(WHITE, (0.13 * r).clamp(1.0, 1.8)));
}

/// The rows of the legend: sample and text; first the activations, then the links.
fn legend(network: &Network) -> Vec<Vec<(Key, String)>> {
    let mut names: Vec<(String, usize)> = Vec::new();
    for node in network.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Hidden | NodeKind::Output)) {
        match names.iter_mut().find(|(name, _)| *name == node.activation) {
            Some(entry) => entry.1 += usize::from(node.kind == NodeKind::Hidden),
            None => names.push((node.activation.clone(), usize::from(node.kind == NodeKind::Hidden))),
        }
    }
    names.sort_by_key(|(name, _)| place_of(name));
    let first = names.into_iter().map(|(name, count)| {
        let text = match count {
            0 => format!("{name} (output only)"),
            count => format!("{name} × {count}"),
        };
        (Key::Disc(name), text)
    });
    let used = || network.links.iter().enumerate().filter(|(_, link)| link.used).map(|(place, _)| place);
    let negative = used().filter(|place| is_negative(network, *place)).count();
    let positive = used().count() - negative;
    let suffix = if network.has_own_weights() { ", thicker: stronger" } else { "" };
    let shared = |sign: &str| match network.shared_weight {
        Some(weight) if !network.has_own_weights() => {
            format!("link, all with the shared weight {}", short(weight).replace('-', "−"))
        }
        _ => format!("{sign} weight{suffix}"),
    };
    let mut second = Vec::new();
    if positive > 0 {
        second.push((Key::Link(POSITIVE, &[]), shared("positive")));
    }
    if negative > 0 {
        second.push((Key::Link(NEGATIVE, negative_dash(network)), shared("negative")));
    }
    if network.links.iter().any(|link| !link.used) {
        second.push((Key::Link(UNUSED, DOTTED), "carries no signal".into()));
    }
    second.push((Key::Square, "input".into()));
    second.push((Key::Hollow, "bias (always 1)".into()));
    second.push((Key::Ring, "output".into()));
    vec![first.collect(), second]
}

enum Key {
    Disc(String),
    Link(Ink, &'static [f64]),
    Square,
    Hollow,
    Ring,
}

const LEGEND_ROW: f64 = 24.0;

fn flow(network: &Network, width: f64, mut each: impl FnMut(&Key, &str, (f64, f64))) -> f64 {
    let mut y = 0.0;
    for row in legend(network) {
        let mut x = 16.0;
        for (key, text) in &row {
            let sample = if matches!(key, Key::Link(..)) { 36.0 } else { 24.0 };
            let wide = sample + text_width(text, LABEL);
            if x > 16.0 && x + wide > width - 16.0 {
                (x, y) = (16.0, y + LEGEND_ROW);
            }
            each(key, text, (x, y));
            x += wide + 20.0;
        }
        y += if row.is_empty() { 0.0 } else { LEGEND_ROW };
    }
    y + 12.0
}

fn legend_height(network: &Network, width: f64) -> f64 {
    flow(network, width, |_, _, _| ())
}

fn draw_legend(figure: &mut Figure, network: &Network, top: f64) {
    let width = figure.width;
    flow(network, width, |key, text, (x, y)| {
        let middle = top + y + 4.0;
        let centre = (x + 10.0, middle);
        let square = |figure: &mut Figure, half: f64, ink: Ink| {
            figure.rectangle((centre.0 - half, centre.1 - half), (centre.0 + half, centre.1 + half), ink, 1.0);
        };
        let mut sample = 24.0;
        match key {
            Key::Disc(name) => disc(figure, centre, 9.5, name, 1.0),
            Key::Link(ink, dash) => {
                sample = 36.0;
                figure.line(vec![(x, middle), (x + 30.0, middle)], Stroke { dash, ..Stroke::solid(*ink, 2.0) });
            }
            Key::Square => square(figure, 6.0, Ink::Text),
            Key::Hollow => {
                square(figure, 6.0, Ink::Text);
                square(figure, 4.4, Ink::Paper);
            }
            Key::Ring => {
                figure.circle(centre, 9.0, Ink::Text, 1.0);
                figure.circle(centre, 7.6, Ink::Paper, 1.0);
                figure.circle(centre, 5.6, Ink::Text, 0.45);
            }
        }
        figure.text((x + sample, middle + 0.36 * LABEL), text, LABEL, Anchor::Start);
    });
}

fn columns() -> Numbers {
    Numbers::new(&["part", "name", "kind", "activation", "from", "to", "used", "level", "x", "y", "weight"])
}

fn fill(numbers: &mut Numbers, network: &Network, at: &[Option<(f64, f64)>]) {
    let used = |used: bool| if used { "yes" } else { "no" };
    for (index, node) in network.nodes.iter().enumerate() {
        let name = if node.label.is_empty() { node.id.to_string() } else { node.label.clone() };
        let kind = format!("{:?}", node.kind).to_lowercase();
        let (x, y) = at[index].unwrap_or((f64::NAN, f64::NAN));
        let words = ["node", &name, &kind, &node.activation, "", "", used(node.used)];
        numbers.row(&words, &[node.level as f64, x.round(), y.round(), f64::NAN]);
    }
    for link in &network.links {
        let id = |node: usize| network.nodes[node].id.to_string();
        let (from, to) = (id(link.from), id(link.to));
        let words = ["link", "", "", "", &from, &to, used(link.used)];
        numbers.row(&words, &[f64::NAN, f64::NAN, f64::NAN, link.weight.unwrap_or(f64::NAN)]);
    }
}
