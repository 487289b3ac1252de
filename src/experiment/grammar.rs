//! Everything that an experiment file may say, asked from the parser itself.
//!
//! A small valid document of each kind is changed at one place after the other: an unknown name there makes the parser tell the
//! names it knows, a wrong value the values it wants. So the grammar is complete by nature, whatever is registered.

use crate::experiment::config::Experiment;
use crate::experiment::load::{Document, dialect, to_text};
use crate::experiment::outline::Outline;
use crate::experiment::recipe_search::RecipeSearch;
use crate::experiment::search::TopologySearch;
use crate::experiment::suite::Suite;
use ron::Error as Refusal;
use std::sync::OnceLock;

/// The same for a suite.
const SUITE: &str = r#"Suite(
    schema: 1, name: "a",
    tasks: [(name: "a", task: Classification(data: Builtin("iris"), split: Random(train: 1.0)), network: Mlp(hidden: [(units: 1)]))],
    trainers: [(name: "a", train: (optimizer: Adam()))],
    arms: [(name: "a", role: Candidate, method: Random(scheme: GlorotUniform))],
    budget: RowPasses(1),
    pilot: (arm: "a", seeds: List([1]), passes: [1.0]),
    selection: List([2]), seeds: List([3]),
)"#;

/// The same for a recipe search.
const RECIPE: &str = r#"RecipeSearch(
    schema: 1, name: "a", family: V1, start: Some(Recipe(V1)),
    tasks: [(name: "a", task: Classification(data: Builtin("iris"), split: Random(train: 1.0)), network: Mlp(hidden: [(units: 1)]))],
    trainers: [(name: "a", train: (optimizer: Adam()))],
    pilot: (seeds: List([1]), passes: [1.0]),
    budget: RowPasses(1),
    seeds: List([2]),
    validation: (seeds: List([3])),
    test: (
        tasks: [(name: "a", task: Classification(data: Builtin("iris"), split: Random(train: 1.0)), network: Mlp(hidden: [(units: 1)]))],
        trainers: [(name: "a", train: (optimizer: Adam()))],
        arms: [(name: "a", role: Candidate, method: Random(scheme: GlorotUniform))],
        budget: Some(RowPasses(1)),
        pilot: (arm: "a", seeds: List([1]), passes: [1.0]),
        selection: List([2]), seeds: List([3]),
    ),
)"#;

/// What may stand as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A text in double quotes.
    Text,
    /// A character in single quotes.
    Character,
    /// `true` or `false`.
    Truth,
    /// A list.
    List(Box<Shape>),
    /// Several values in round brackets.
    Tuple,
    /// One of the choices of the family with this index.
    Choice(usize),
    /// The fields of the family with this index.
    Group(usize),
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What may stand there.
    pub shape: Shape,
    /// What the value must be besides: `between 0 and 1`.
    pub range: Option<String>,
    /// What is meant if it is left away; `None` if it must be there.
    pub default: Option<String>,
}

/// What follows the name of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing.
    Nothing,
    /// A value in brackets.
    Value(Shape, Option<String>),
    /// Fields in brackets.
    Fields(Vec<Setting>),
}

/// Choices, or a group of fields (then the only member, without a name).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Name of its type.
    pub name: String,
    /// Settings that it is met in first: `arms[0].method`.
    pub path: String,
    /// Its members.
    pub members: Vec<(String, Payload)>,
}

/// Families, the experiment itself first.
#[derive(Clone, Debug, Default)]
pub struct Grammar {
    /// In the order in which an experiment meets them.
    pub families: Vec<Family>,
}

impl Grammar {
    /// Groups and choices that have this field, by the name in front of their brackets, or of the setting.
    pub fn owners(&self, field: &str) -> Vec<String> {
        let mut owners = Vec::new();
        for family in &self.families {
            for (member, payload) in &family.members {
                let Payload::Fields(fields) = payload else { continue };
                if fields.iter().any(|setting| setting.name == field) {
                    let setting = family.path.rsplit('.').next().unwrap_or_default();
                    let setting = setting.split('[').next().unwrap_or_default();
                    owners.push(if !member.is_empty() {
                        member.clone()
                    } else if setting.is_empty() {
                        family.name.clone()
                    } else {
                        setting.to_owned()
                    });
                }
            }
        }
        owners
    }
}

/// The grammar of experiment files: of experiments, then of searches, of suites, and of searches for recipes.
pub fn grammar() -> &'static Grammar {
    static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
    GRAMMAR.get_or_init(|| {
        let mut grammar = Grammar::default();
        shape(&mut grammar, SEED, "");
        shape(&mut grammar, SEARCH, "");
        shape(&mut grammar, SUITE, "");
        shape(&mut grammar, RECIPE, "");
        grammar
    })
}

/// A valid experiment in which every list has an item.
const SEED: &str = r#"Experiment(
    schema: 1, name: "a", seeds: List([1]),
    task: Classification(data: Builtin("iris"), split: Random(train: 1.0)),
    network: Mlp(hidden: [(units: 1)]),
    train: (optimizer: Adam(), stop: [Epochs(1)]),
    arms: [(name: "a", method: Random(scheme: GlorotUniform))],
    budget: RowPasses(1),
    statistics: (candidates: ["a"], targets: [1.0]),
)"#;

/// The same for a search. A list stands where the parser shall tell what its items are.
const SEARCH: &str = r#"TopologySearch(
    schema: 1, name: "a", seeds: List([1]),
    task: Control(environment: CartPole),
    search: (activations: Some([Tanh])),
    after: (tuning: Some(Skip)),
)"#;

/// Values to try where nothing better is known.
const VALUES: [&str; 12] = [
    "1",
    "0.5",
    "\"a\"",
    "\"iris\"",
    "[]",
    "','",
    "true",
    "Name(\"a\")",
    "(1.0, 2.0)",
    "GlorotUniform",
    "Median",
    "[1]",
];

/// Texts with each value that might fit at `path`, as `write` puts it.
fn values<'a>(text: &'a str, path: &'a str, write: impl Fn(&str) -> String + 'a) -> impl Iterator<Item = String> + 'a {
    let choices = choices(says(text, path, &write("Zzz")));
    choices.into_iter().chain(VALUES.map(str::to_owned)).filter_map(move |value| with(text, path, &write(&value)))
}

/// The choices that a refusal names, alone and with each value.
fn choices(refusal: Option<Refusal>) -> Vec<String> {
    let Some(Refusal::NoSuchEnumVariant { expected, .. }) = refusal else { return Vec::new() };
    let with_values = expected.iter().flat_map(|name| VALUES.iter().map(move |value| format!("{name}({value})")));
    expected.iter().map(|name| (*name).to_owned()).chain(with_values).collect()
}

/// What the parser says of `text`.
fn refusal(text: &str) -> Option<Refusal> {
    parsed(text).err()
}

/// `text` with every default spelled out, or what the parser says of it.
fn parsed(text: &str) -> Result<String, Refusal> {
    fn of<D: Document>(text: &str) -> Result<String, Refusal> {
        dialect().from_str::<D>(text).map(|document| to_text(&document)).map_err(|cause| cause.code)
    }
    match text.split('(').next().map(str::trim) {
        Some(TopologySearch::ROOT) => of::<TopologySearch>(text),
        Some(Suite::ROOT) => of::<Suite>(text),
        Some(RecipeSearch::ROOT) => of::<RecipeSearch>(text),
        _ => of::<Experiment>(text),
    }
}

/// `text` with another value at `path`.
fn with(text: &str, path: &str, value: &str) -> Option<String> {
    if path.is_empty() {
        // The name in front tells which kind of document it is.
        let root = text.split('(').next().unwrap_or_default();
        return Some(if value.starts_with('(') { format!("{root}{value}") } else { format!("{root} {value}") });
    }
    let span = Outline::new(text).find(path).ok()?.span.clone();
    Some(format!("{}{value}{}", &text[..span.start], &text[span.end..]))
}

/// `text` with every default spelled out.
fn spelled(text: &str) -> Option<String> {
    parsed(text).ok()
}

fn says(text: &str, path: &str, value: &str) -> Option<Refusal> {
    refusal(&with(text, path, value)?)
}

/// What may stand at `path` of the valid experiment `text`; families met for the first time are added.
fn shape(grammar: &mut Grammar, text: &str, path: &str) -> Option<Shape> {
    match says(text, path, "Zzz")? {
        Refusal::NoSuchEnumVariant { expected, outer, .. } => {
            let name = outer.unwrap_or_else(|| path.to_owned());
            if let Some(known) = position(grammar, &name, expected) {
                return Some(Shape::Choice(known));
            }
            let index = grammar.families.len();
            let members = expected.iter().map(|member| ((*member).to_owned(), Payload::Nothing)).collect();
            grammar.families.push(Family { name, path: path.to_owned(), members });
            for (place, member) in expected.iter().enumerate() {
                let payload = payload(grammar, text, path, member);
                grammar.families[index].members[place].1 = payload;
            }
            Some(Shape::Choice(index))
        }
        Refusal::ExpectedInteger => Some(Shape::Whole),
        Refusal::ExpectedFloat => Some(Shape::Number),
        Refusal::ExpectedString => Some(Shape::Text),
        Refusal::ExpectedChar => Some(Shape::Character),
        Refusal::ExpectedBoolean => Some(Shape::Truth),
        Refusal::ExpectedArray => {
            let first = format!("{path}[0]");
            let item = shape(grammar, text, &first).or_else(|| {
                let filled = values(text, path, |value| format!("[{value}]")).find_map(|text| spelled(&text))?;
                shape(grammar, &filled, &first)
            });
            Some(Shape::List(Box::new(item.unwrap_or(Shape::Text))))
        }
        _ => group(grammar, text, path).or(Some(Shape::Tuple)),
    }
}

fn position(grammar: &Grammar, name: &str, members: &[&str]) -> Option<usize> {
    grammar.families.iter().position(|family| {
        family.name == name && family.members.iter().map(|(member, _)| member.as_str()).eq(members.iter().copied())
    })
}

fn group(grammar: &mut Grammar, text: &str, path: &str) -> Option<Shape> {
    let Refusal::NoSuchStructField { expected, outer, .. } = says(text, path, "(zzz: 1)")? else { return None };
    let name = outer.unwrap_or_else(|| path.to_owned());
    let same = |family: &Family| match &family.members[..] {
        [(member, Payload::Fields(fields))] if member.is_empty() => {
            family.name == name && fields.iter().map(|field| field.name.as_str()).eq(expected.iter().copied())
        }
        _ => false,
    };
    if let Some(known) = grammar.families.iter().position(same) {
        return Some(Shape::Group(known));
    }
    let index = grammar.families.len();
    let payload = Payload::Fields(Vec::new());
    grammar.families.push(Family { name, path: path.to_owned(), members: vec![(String::new(), payload)] });
    let fields = settings(grammar, text, path, "", expected);
    grammar.families[index].members[0].1 = Payload::Fields(fields);
    Some(Shape::Group(index))
}

/// What follows the name of a choice at `path`.
fn payload(grammar: &mut Grammar, text: &str, path: &str, member: &str) -> Payload {
    if let Some(Refusal::NoSuchStructField { expected, .. }) = says(text, path, &format!("{member}(zzz: 1)")) {
        return Payload::Fields(settings(grammar, text, path, member, expected));
    }
    let value = values(text, path, |value| format!("{member}({value})")).find(|text| refusal(text).is_none());
    match value {
        Some(text) => {
            let path = format!("{path}[0]");
            let range = range(&text, &path);
            shape(grammar, &text, &path).map_or(Payload::Nothing, |shape| Payload::Value(shape, range))
        }
        None => Payload::Nothing,
    }
}

/// The fields of a group at `path`, which begins with `member(`.
fn settings(grammar: &mut Grammar, text: &str, path: &str, member: &str, names: &[&'static str]) -> Vec<Setting> {
    let fresh = smallest(text, path, member);
    let required = fresh.as_ref().map(|(_, required)| required.clone()).unwrap_or_default();
    // The experiment itself and groups in lists stand there already.
    let text = match fresh {
        Some((text, _)) if !path.is_empty() => text,
        _ => spelled(text).unwrap_or_else(|| text.to_owned()),
    };
    let mut settings = Vec::new();
    for name in names {
        let text = with_field(&text, path, name);
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        let Some(shape) = shape(grammar, &text, &path) else { continue };
        let outline = Outline::new(&text);
        let value = outline.find(&path).map(|node| one_line(outline.text(&node.span))).unwrap_or_default();
        let default = (!required.contains(name)).then_some(value);
        settings.push(Setting { name: (*name).to_owned(), shape, range: range(&text, &path), default });
    }
    settings
}

/// `text` with the field in the group at `path`, for fields that are not written where they are none.
fn with_field(text: &str, path: &str, name: &str) -> String {
    let outline = Outline::new(text);
    let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if outline.find(&field).is_ok() {
        return text.to_owned();
    }
    let end = match path {
        "" => text.trim_end().len().checked_sub(1),
        _ => outline.find(path).ok().and_then(|group| group.span.end.checked_sub(1)),
    };
    let Some(end) = end.filter(|end| text[*end..].starts_with(')')) else { return text.to_owned() };
    let comma = if text[..end].trim_end().ends_with([',', '(']) { "" } else { ", " };
    let added = format!("{}{comma}{name}: None{}", &text[..end], &text[end..]);
    if refusal(&added).is_none() { added } else { text.to_owned() }
}

/// The experiment with as few fields in the group as may be, all spelled out, and those that had to be given.
fn smallest(text: &str, path: &str, member: &str) -> Option<(String, Vec<&'static str>)> {
    let mut given: Vec<(&'static str, String)> = Vec::new();
    let write = |given: &[(&'static str, String)]| {
        let fields: Vec<String> = given.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        with(text, path, &format!("{member}({})", fields.join(", ")))
    };
    loop {
        let candidate = write(&given)?;
        match refusal(&candidate) {
            None => {
                let required = given.iter().map(|(name, _)| *name).collect();
                return Some((spelled(&candidate)?, required));
            }
            Some(Refusal::MissingStructField { field, .. }) if given.len() < 32 => {
                let present = Outline::new(text);
                let old = if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
                let old = present.find(&old).map(|node| present.text(&node.span)).ok();
                let fits = |value: &String| {
                    let mut more = given.clone();
                    more.push((field, value.clone()));
                    match write(&more).map(|text| refusal(&text)) {
                        Some(None) => true,
                        Some(Some(Refusal::MissingStructField { field: other, .. })) => other != field,
                        _ => false,
                    }
                };
                let mut probe = given.clone();
                probe.push((field, "Zzz".into()));
                let choices = choices(write(&probe).and_then(|text| refusal(&text)));
                let value =
                    old.map(str::to_owned).into_iter().chain(choices).chain(VALUES.map(str::to_owned)).find(fits)?;
                given.push((field, value));
            }
            Some(_) => return None,
        }
    }
}

/// What the value at `path` must be, in the words of its refusals.
fn range(text: &str, path: &str) -> Option<String> {
    let mut musts: Vec<String> = Vec::new();
    for value in ["-1", "0", "2", "\"?\""] {
        if let Some(Refusal::Message(message)) = says(text, path, value) {
            let Some(must) =
                message.strip_prefix("must be ").or_else(|| message.split_once("; there are ").map(|(_, names)| names))
            else {
                continue;
            };
            let must = must.split(", found ").next().unwrap_or(must).to_owned();
            if !musts.contains(&must) {
                musts.push(must);
            }
        } else if value == "-1" && matches!(says(text, path, value), Some(Refusal::IntegerOutOfBounds)) {
            musts.push("0 or above".into());
        }
    }
    (!musts.is_empty()).then(|| musts.join(", "))
}

/// Text without line ends, and without the trailing comma that they come with.
fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    ["(", "["]
        .iter()
        .fold(joined, |text, open| text.replace(&format!("{open} "), open))
        .replace(", )", ")")
        .replace(",)", ")")
        .replace(", ]", "]")
        .replace(",]", "]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_name_is_in_the_grammar() {
        use crate::evolve::{Crossover, Mutation, Selection};
        let families: [&[&str]; 7] = [
            super::super::arm::Method::CATALOGUE,
            crate::task::Data::CATALOGUE,
            crate::train::Initializer::CATALOGUE,
            crate::train::Optimizer::CATALOGUE,
            Selection::CATALOGUE,
            Crossover::CATALOGUE,
            Mutation::CATALOGUE,
        ];
        for names in families {
            let found = grammar()
                .families
                .iter()
                .any(|family| family.members.iter().map(|(name, _)| name.as_str()).eq(names.iter().copied()));
            assert!(found, "{names:?}");
        }
    }

    #[test]
    fn no_group_swallows_unknown_fields() {
        for family in &grammar().families {
            for (member, payload) in &family.members {
                let text = with(SEED, &family.path, &format!("{member}(zzz: 1)"));
                let Some(text) = text.filter(|_| *payload == Payload::Nothing) else { continue };
                assert!(refusal(&text).is_some(), "{member} takes a field that it does not have");
            }
        }
        let shapes = grammar().families.iter().flat_map(|family| &family.members);
        let fields = shapes.filter(|(name, _)| ["ShortBackprop", "LeakyRelu", "Impute"].contains(&name.as_str()));
        assert!(
            fields.clone().count() == 3 && fields.clone().all(|(_, payload)| matches!(payload, Payload::Fields(_)))
        );
    }

    #[test]
    fn settings_have_shapes_ranges_and_defaults() {
        let family = |name: &str| grammar().families.iter().find(|family| family.name == name).unwrap();
        let fields = |family: &'static Family, member: &str| {
            let (_, payload) = family.members.iter().find(|(name, _)| name == member).unwrap();
            let Payload::Fields(fields) = payload else { panic!("{payload:?}") };
            fields.iter().map(|field| (field.name.as_str(), field)).collect::<std::collections::HashMap<_, _>>()
        };
        let genetic = fields(family("Method"), "Genetic");
        assert_eq!(genetic["population"].shape, Shape::Whole);
        assert_eq!(genetic["population"].range.as_deref(), Some("at least 1"));
        assert_eq!(genetic["population"].default, None);
        assert_eq!(genetic["fitness"].default.as_deref(), Some("ForwardLoss"));
        assert_eq!(genetic["selection"].default.as_deref(), Some("Tournament(size: 3)"));
        let gaussian = fields(family("Mutation"), "Gaussian");
        assert_eq!(gaussian["rate"].range.as_deref(), Some("between 0 and 1"));
        assert_eq!(gaussian["sigma"].default.as_deref(), Some("0.15"));
        let experiment = fields(&grammar().families[0], "");
        assert_eq!(experiment.len(), 14);
        assert_eq!(["audit", "reference"].map(|name| experiment[name].default.as_deref()), [Some("None"); 2]);
        let arm = fields(family("ArmConfig"), "");
        assert_eq!(["network", "train"].map(|name| arm[name].default.as_deref()), [Some("None"); 2]);
        assert!(experiment["budget"].default.is_none() && experiment["report"].default.is_some());
        assert_eq!(grammar().owners("learning_rate").first().map(String::as_str), Some("Sgd"));
        assert_eq!(grammar().owners("baseline"), ["statistics"]);
    }
}
