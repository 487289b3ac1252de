//! Values of the wrong type or out of range.

use super::{Case, Finding};
use crate::error::Error;
use crate::experiment::outline::TokenKind;

/// A value that its type refused, with the type's words: `must be between 0 and 1, found 10`.
pub(super) fn refused(case: &Case, message: &str) -> Finding {
    let span = case.span(case.token);
    let name = case.field(span.start).unwrap_or("value");
    let is_text = case.kind(case.token) == Some(TokenKind::Quoted);
    let Some(must) = message.strip_prefix("must ") else {
        let (message, more) = message.split_once("; ").unwrap_or((message, ""));
        let error = case.mark(Error::experiment("P0104", super::shown(message)), span, "");
        return match more {
            "" => error,
            help if help.starts_with("did you mean") => error.help(help),
            note => error.note(note),
        }
        .into();
    };
    if must == "be a finite number" {
        let error = Error::experiment("P0122", format!("`{name}` must {must}"));
        return Finding::mended(case.mark(error, span.clone(), ""), span, "1");
    }
    let (must, found) = must.split_once(", found ").unwrap_or((must, ""));
    let label = if found.is_empty() { String::new() } else { format!("found {found}") };
    let mut error = case.mark(Error::experiment("P0121", format!("`{name}` must {must}")), span.clone(), label);
    if let Ok(percent) = found.parse::<f64>()
        && must == "be between 0 and 1"
        && (1.0..=100.0).contains(&percent)
    {
        error = error.help(format!("a {name} of {percent} percent is written `{}`", percent / 100.0));
    }
    if !is_text {
        return Finding::mended(error, span, "1");
    }
    let plain = plain_name(case.word(case.token));
    if !plain.is_empty() {
        error = error.help(format!("write `{name}: \"{plain}\"`"));
    }
    let stand_in = "a".repeat(span.len().saturating_sub(2));
    Finding::mended(error, span, &format!("\"{stand_in}\""))
}

/// A text as a name that is allowed.
fn plain_name(text: &str) -> String {
    let lower = text.trim_matches('"').to_lowercase();
    let plain: String =
        lower.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    plain.trim_matches(['-', '.', '_']).chars().take(64).collect()
}

/// What the parser wanted to see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Whole,
    Number,
    Text,
    Character,
    Truth,
    List,
    Group,
    Choice,
}

/// A value of another type than its field has.
pub(super) fn other_type(case: &Case, cause: &ron::Error) -> Finding {
    use ron::Error as E;
    let wanted = match cause {
        E::ExpectedFloat | E::FloatUnderscore => Wanted::Number,
        E::ExpectedString | E::ExpectedStringEnd => Wanted::Text,
        E::ExpectedChar => Wanted::Character,
        E::ExpectedBoolean => Wanted::Truth,
        E::ExpectedArray => Wanted::List,
        E::ExpectedStructLike | E::ExpectedNamedStructLike(_) => Wanted::Group,
        E::ExpectedIdentifier | E::InvalidIdentifier(_) | E::SuggestRawIdentifier(_) => Wanted::Choice,
        _ => Wanted::Whole,
    };
    let before = case.token.saturating_sub(1);
    let follows_name =
        case.kind(before) == Some(TokenKind::Word) && !case.word(before).starts_with(|c: char| c.is_ascii_digit());
    if wanted == Wanted::Group && follows_name {
        return bare_name(case, before);
    }
    let span = case.span(case.token);
    let Some(name) = case.field(span.start) else { return not_an_experiment(case) };
    let word = case.word(case.token);
    if word.is_empty() || matches!(case.kind(case.token), Some(TokenKind::Comma | TokenKind::Close)) {
        let follows_colon = case.kind(before) == Some(TokenKind::Colon) && before > 0;
        let name = if follows_colon { case.word(before - 1) } else { name };
        let error = Error::experiment("P0106", format!("`{name}` has no value"));
        let end = case.span(before).end;
        return case.mark(error, end..end, "").help(format!("write {}", example(name))).into();
    }
    let number = word.replace('_', "").parse::<f64>().ok();
    let quoted = word.trim_matches(['"', '\'']);
    let is_text = word.starts_with('"');
    if wanted == Wanted::Whole && matches!(cause, E::IntegerOutOfBounds) && number.is_some_and(|x| x.fract() == 0.0) {
        let low = number.is_some_and(|x| x < 0.0);
        let message =
            if low { format!("`{name}` must be 0 or above") } else { format!("`{name}` is too large a number") };
        let error =
            case.mark(Error::experiment("P0121", message), span.clone(), format!("found {}", super::shown(word)));
        return Finding::mended(error, span, "1");
    }
    let (must, found) = (expected(wanted), describe(case, number));
    let subject = if case.is_item() { format!("an item of `{name}`") } else { format!("`{name}`") };
    let written_as_decimal = wanted == Wanted::Whole && number.is_some();
    let message = if written_as_decimal {
        format!("{subject} must be {must}")
    } else {
        format!("{subject} must be {must}, found {found}")
    };
    let label = if written_as_decimal { "written as a decimal number" } else { "" };
    let error = case.mark(Error::experiment("P0106", message), span.clone(), label);
    let number_in_quotes = quoted.replace('_', "").parse::<f64>().is_ok();
    match wanted {
        Wanted::Whole | Wanted::Number if is_text && number_in_quotes => {
            Finding::mended(error.help(format!("remove the quotes: `{name}: {quoted}`")), span, "1")
        }
        Wanted::Whole if number.is_some_and(|x| x.abs() < 1e15) => {
            let whole = number.unwrap_or(0.0).floor().max(1.0);
            let such = if number == Some(whole) { "" } else { "a whole number such as " };
            Finding::mended(error.help(format!("write {such}`{whole}`")), span, "1")
        }
        Wanted::Choice if is_text => {
            let error = error.help(format!("names of choices stand without quotes: `{}`", super::shown(quoted)));
            Finding::mended(error, span, quoted)
        }
        Wanted::Text if word.starts_with('\'') => {
            let text = word.trim_matches('\'');
            let text = if text.is_empty() { following_quote(case) } else { text };
            error.help(format!("texts stand in double quotes: `\"{}\"`", super::shown(text))).into()
        }
        Wanted::Text => {
            let alone = matches!(case.kind(case.token + 1), Some(TokenKind::Comma | TokenKind::Close));
            let text = if alone { super::shown(quoted) } else { "…".into() };
            error.help(format!("texts stand in double quotes: `\"{text}\"`")).into()
        }
        Wanted::Truth => error.help("write `true` or `false`").into(),
        Wanted::List if number.is_some() || is_text => error.help(format!("write `[{}]`", super::shown(word))).into(),
        _ => {
            let example = number.and_then(|_| numbered(name, word)).unwrap_or_else(|| example(name));
            error.help(format!("write {example}")).into()
        }
    }
}

/// `'ga'` is a lonely quote and the word after it.
fn following_quote<'a>(case: &Case<'a>) -> &'a str {
    case.word(case.token + 1).trim_matches('\'').split('\'').next().unwrap_or_default()
}

/// A choice with settings, written without its brackets.
fn bare_name(case: &Case, index: usize) -> Finding {
    let name = case.shown(index);
    let error = Error::experiment("P0106", format!("`{name}` is written with brackets, for its settings"));
    let error = case.mark(error, case.span(index), "");
    error.help(format!("write `{name}()`, or `{name}(…)` with settings; `precocial schema` lists them")).into()
}

fn not_an_experiment(case: &Case) -> Finding {
    let error = Error::experiment("P0101", "an experiment file holds one `Experiment(…)`");
    let error = case.mark(error, case.span(case.token), "");
    error.help("`precocial new iris` writes an example").into()
}

fn expected(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Whole => "a whole number",
        Wanted::Number => "a number",
        Wanted::Text => "a text in quotes",
        Wanted::Character => "one character in single quotes",
        Wanted::Truth => "`true` or `false`",
        Wanted::List => "a list in square brackets",
        Wanted::Group => "a group of settings in round brackets",
        Wanted::Choice => "a choice",
    }
}

fn describe(case: &Case, number: Option<f64>) -> String {
    match (case.kind(case.token), case.word(case.token)) {
        (Some(TokenKind::Quoted), word) if word.starts_with('\'') => "a character".into(),
        (Some(TokenKind::Quoted), _) => "text".into(),
        (Some(TokenKind::Open), "[") => "a list".into(),
        (Some(TokenKind::Open), _) => "a group".into(),
        _ if number.is_some() => "a number".into(),
        _ => format!("`{}`", case.shown(case.token)),
    }
}

/// How a number that stands alone was perhaps meant.
fn numbered(name: &str, number: &str) -> Option<String> {
    Some(match name {
        "seeds" => format!("`seeds: Range(first: 1, count: {number})`"),
        "batch" => format!("`batch: Size({number})`"),
        "budget" => format!("`budget: RowPasses({number})`"),
        "candidates" => format!("`candidates: Count({number})`"),
        "hidden" => format!("`hidden: [(units: {number})]`"),
        "cutoff" => format!("`cutoff: Fixed({number})`"),
        _ => return None,
    })
}

/// How a field is written.
pub(super) fn example(name: &str) -> String {
    let text = match name {
        "schema" => "`schema: 1,`",
        "name" => "`name: \"my-experiment\",`",
        "seeds" => "`seeds: Range(first: 1, count: 30),`",
        "task" => {
            "`task: Classification(data: Builtin(\"iris\"), split: Stratified(train: 0.7, validation: 0.15, test: 0.15)),`"
        }
        "data" => "`data: Builtin(\"iris\"),`",
        "split" => "`split: Stratified(train: 0.70, validation: 0.15, test: 0.15),`",
        "network" => "`network: Mlp(hidden: [(units: 8)]),`",
        "hidden" => "`hidden: [(units: 8, activation: Tanh)],`",
        "units" => "`units: 8,`",
        "train" => "`train: (optimizer: Adam(learning_rate: 0.01), batch: Size(16)),`",
        "optimizer" => "`optimizer: Adam(learning_rate: 0.01),`",
        "arms" => "`arms: [(name: \"random\", method: Random(scheme: GlorotUniform))],`",
        "method" => "`method: Random(scheme: GlorotUniform),`",
        "scheme" => "`scheme: GlorotUniform,`",
        "budget" => "`budget: RowPasses(1_000_000),`",
        "population" => "`population: 40,`",
        "generations" => "`generations: 25,`",
        "candidates" => "`candidates: Count(100),`",
        "batch" => "`batch: Size(16),`",
        "path" => "`path: \"table.csv\",`",
        "target" => "`target: Name(\"class\"),`",
        "statistics" => "`statistics: (baseline: \"random\"),`",
        "of" => "`of: \"ga\",`",
        "targets" => "`targets: [0.3, 0.1, 0.05],`",
        "environment" => "`environment: CartPoleSwingUp,`",
        "weights" => "`weights: [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0],`",
        _ => return format!("`{name}: …,`; `precocial schema` says what"),
    };
    text.to_owned()
}
