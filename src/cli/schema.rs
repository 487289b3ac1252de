//! `precocial schema`: everything an experiment file may say.

use super::terminal::Terminal;
use precocial::Result;
use precocial::experiment::grammar::{Grammar, Payload, Setting, Shape, grammar};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Schema {
    /// Only families, choices and fields whose name contains this
    word: Option<String>,
}

impl Schema {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let grammar = grammar();
        terminal.object(&as_json(grammar))?;
        terminal.print(&text(grammar, self.word.as_deref().map(str::to_lowercase).as_deref()))
    }
}

const RULES: &str = "\
Experiment files are RON: fields as `name: value`, groups in ( ), lists in [ ], texts in \" \",
choices by their names with a capital letter, comments after //. Whole numbers may hold _ .
Costs count in row-passes: one row through the network forward is 1, backward 2.
A field without a default must be written. Paths start at the folder of the file.";

/// What the families are about, by the setting they are met in first.
const ABOUT: &[(&str, &str)] = &[
    ("", "the whole file"),
    ("seeds", "replicates; a seed gives every arm the same split and the same batch order"),
    ("task", "what is to be learned"),
    ("task.data", "where the rows come from"),
    ("task.split", "which rows train, validate and test, as shares"),
    ("task.scaling", "how columns are scaled, fitted on training rows only"),
    ("task.loss", "what training makes small"),
    ("network", "the network that all arms start; inputs and outputs follow from the data"),
    ("network.hidden[0]", "a hidden layer"),
    ("network.hidden[0].activation", "what a unit does to its weighted sum"),
    ("network.output", "what the last layer does"),
    ("train", "training, the same for every arm"),
    ("train.optimizer", "how parameters are changed, by gradients or by a method that asks for more"),
    ("train.batch", "rows that one gradient looks at"),
    ("train.schedule", "how the learning rate changes"),
    ("train.clip", "bound on gradients"),
    ("train.stop[0]", "reasons to stop before the budget is spent"),
    ("arms[0]", "a contestant; `name` is what tables and plots call it"),
    ("arms[0].method", "what an arm does with its budget"),
    ("arms[0].method.scheme", "how starts are drawn"),
    ("arms[0].method.fitness", "what the fitness of a start is"),
    ("arms[0].method.selection", "who becomes a parent"),
    ("arms[0].method.crossover", "how two parents make a child"),
    ("arms[0].method.mutation", "how children differ from their parents"),
    ("budget", "what every arm may spend, search and training together"),
    ("audit", "what a fitness can know of a start, told in the report and charged to no arm"),
    ("reference", "another kind of model that is told beside the arms, charged to none"),
    ("reference.kernel", "how alike two rows are"),
    ("statistics", "how arms are compared"),
    ("statistics.metric", "what is compared"),
    ("report", "what is drawn and written"),
    ("task.environment", "the world that networks act in"),
    ("search", "how topologies are searched"),
    ("search.changes", "how often each change of topology is made"),
    ("search.activations[0]", "what a node does to its weighted sum"),
    ("after", "what is asked of a champion once the search has ended"),
    ("after.sweep", "shared weights of the response curve"),
    ("after.tuning", "how each link gets a weight of its own"),
    ("tasks[0]", "a task of a suite, with its network"),
    ("trainers[0]", "a way to train; each arm uses the one that served it best in the selection"),
    ("arms[0].role", "which side an arm of a suite is on"),
    ("pilot", "how the targets of each task are found"),
    ("family", "which numbers of a recipe are searched; each family contains those before it"),
    ("evolution", "how the numbers of a recipe are evolved"),
    ("validation", "how searches are compared, and numbers pruned and rounded"),
    ("test", "what the found recipe is held against: a suite on other tasks"),
    ("margin", "differences that do not matter: better and worse lie beyond both"),
];

fn about(path: &str) -> &'static str {
    ABOUT.iter().find(|(other, _)| *other == path).map_or("", |(_, about)| about)
}

fn text(grammar: &Grammar, word: Option<&str>) -> String {
    let mut text = String::new();
    if word.is_none() {
        text.push_str(RULES);
        text.push('\n');
    }
    let matches = |name: &str| word.is_none_or(|word| name.to_lowercase().contains(word));
    for (index, family) in grammar.families.iter().enumerate() {
        let whole = matches(&family.name) || matches(last(&family.path));
        let members: Vec<&(String, Payload)> = family
            .members
            .iter()
            .filter(|(name, payload)| {
                let inside =
                    matches!(payload, Payload::Fields(fields) if fields.iter().any(|field| matches(&field.name)));
                whole || matches(name) || inside
            })
            .collect();
        if members.is_empty() {
            continue;
        }
        let is_group = family.members.len() == 1 && family.members[0].0.is_empty();
        let kind = if is_group { "" } else { ", one of" };
        let about = about(&family.path);
        let about = if about.is_empty() { String::new() } else { format!(": {about}") };
        text.push_str(&format!("\n{}{about}{kind}\n", title(grammar, index)));
        for (name, payload) in members {
            match payload {
                Payload::Nothing => text.push_str(&format!("  {name}\n")),
                Payload::Value(shape, range) => {
                    text.push_str(&format!("  {name}({})\n", described(grammar, shape, range.as_deref())));
                }
                Payload::Fields(fields) => {
                    if !name.is_empty() {
                        text.push_str(&format!("  {name}(…)\n"));
                    }
                    let width = fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
                    for field in fields {
                        let indent = if name.is_empty() { "  " } else { "    " };
                        text.push_str(&format!("{indent}{:<width$}  {}\n", field.name, line(grammar, field)));
                    }
                }
            }
        }
    }
    if text.is_empty() {
        text = format!("nothing in an experiment file is called like `{}`", word.unwrap_or_default().escape_debug());
    }
    text.trim_end().to_owned()
}

fn line(grammar: &Grammar, field: &Setting) -> String {
    let what = described(grammar, &field.shape, field.range.as_deref());
    match field.default.as_deref() {
        Some("None") => format!("{what}; none unless written"),
        // A choice of that name, not the absence of one.
        Some("r#None") => format!("{what}; default None"),
        Some(default) if default.chars().count() <= 60 => format!("{what}; default {default}"),
        Some(_) => format!("{what}; has a default"),
        None => what,
    }
}

fn described(grammar: &Grammar, shape: &Shape, range: Option<&str>) -> String {
    let text = match shape {
        Shape::Whole => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Character => "character".to_owned(),
        Shape::Truth => "true or false".to_owned(),
        Shape::Tuple => "values in brackets".to_owned(),
        Shape::List(item) => return format!("[{}]", described(grammar, item, range)),
        Shape::Choice(index) | Shape::Group(index) => title(grammar, *index),
    };
    match range {
        Some("a finite number") | None => text,
        Some(range) => format!("{text}, {range}"),
    }
}

/// What a family is called: by its setting, with its type where several share that.
fn title(grammar: &Grammar, index: usize) -> String {
    let family = &grammar.families[index];
    let setting = last(&family.path);
    let title = |family: &precocial::experiment::grammar::Family| last(&family.path).to_owned();
    if setting.is_empty() {
        return family.name.clone();
    }
    let alone = grammar.families.iter().filter(|other| title(other) == setting).count() == 1;
    if alone { setting.to_uppercase() } else { format!("{} ({})", setting.to_uppercase(), family.name) }
}

/// The last name of a path: `method` of `arms[0].method`, `arms` of `arms[0]`.
fn last(path: &str) -> &str {
    let name = path.rsplit('.').next().unwrap_or_default();
    name.split('[').next().unwrap_or_default()
}

fn as_json(grammar: &Grammar) -> Value {
    let shape = |shape: &Shape| described(grammar, shape, None);
    let setting = |field: &Setting| json!({"name": field.name, "is": shape(&field.shape), "range": field.range, "default": field.default});
    let families: Vec<Value> = grammar
        .families
        .iter()
        .enumerate()
        .map(|(index, family)| {
            let members: Vec<Value> = family
                .members
                .iter()
                .map(|(name, payload)| match payload {
                    Payload::Nothing => json!({ "name": name }),
                    Payload::Value(value, range) => json!({"name": name, "value": shape(value), "range": range}),
                    Payload::Fields(fields) => json!({"name": name, "fields": fields.iter().map(setting).collect::<Vec<_>>()}),
                })
                .collect();
            json!({"name": title(grammar, index), "first_met": family.path, "about": about(&family.path), "members": members})
        })
        .collect();
    json!({"event": "schema", "schema": 1, "families": families})
}
