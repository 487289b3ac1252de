//! The shape of an experiment file: where each setting stands in the text, even in a file that is not quite right.

use crate::error::{Error, Result, printable};
use std::ops::Range;

/// Groups deeper than this are not looked into; the parser of experiments refuses them anyway.
const DEEPEST: usize = 120;

/// Settings with longer paths are not listed. No document has any; in a hostile file all paths together could fill the
/// memory.
const LONGEST_PATH: usize = 256;

/// A piece of RON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// A text or a character in quotes.
    Quoted,
    /// A name, a number, or anything else without blanks.
    Word,
}

/// A piece of RON text and the bytes it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Range<usize>,
}

/// Pieces of RON text, without blanks and comments. Any text has some.
pub fn tokens(source: &str) -> Vec<Token> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let kind = match bytes[at] {
            b'(' | b'[' | b'{' => TokenKind::Open,
            b')' | b']' | b'}' => TokenKind::Close,
            b',' => TokenKind::Comma,
            b':' => TokenKind::Colon,
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = source[at..].find('\n').map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = end_of_comment(bytes, at);
                continue;
            }
            b'"' => {
                at = end_of_text(bytes, at);
                TokenKind::Quoted
            }
            b'r' if raw_text(bytes, at).is_some() => {
                at = raw_text(bytes, at).unwrap_or(at);
                TokenKind::Quoted
            }
            b'\'' => {
                at = end_of_character(source, at);
                TokenKind::Quoted
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                let ends = |(offset, c): (usize, char)| {
                    let comment = c == '/' && matches!(bytes.get(at + offset + 1), Some(b'/' | b'*'));
                    (comment || c.is_whitespace() || "()[]{},:\"".contains(c)).then_some(offset)
                };
                // A first character of any kind, so that the loop always moves on.
                let first = source[at..].chars().next().map_or(1, char::len_utf8);
                let length = source[at..].char_indices().skip(1).find_map(ends).unwrap_or(bytes.len() - at);
                at += length.max(first);
                TokenKind::Word
            }
        };
        at = at.max(start + 1);
        tokens.push(Token { kind, span: start..at });
    }
    tokens
}

fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (at, depth) = (at + 2, depth + 1),
            (b'*', Some(b'/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(bytes.len())
}

fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// End of a text such as `r"C:\data"` or `r#"…"#` that begins at `start`.
fn raw_text(bytes: &[u8], start: usize) -> Option<usize> {
    let hashes = bytes[start + 1..].iter().take_while(|byte| **byte == b'#').count();
    let open = start + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = &bytes[open + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(bytes.len(), |end| open + 1 + end + close.len()))
}

/// End of a character such as `'a'` or `'\t'`; a lonely quote is a piece of its own.
fn end_of_character(source: &str, start: usize) -> usize {
    let mut rest = source[start + 1..].char_indices();
    let escaped = source[start + 1..].starts_with('\\');
    if escaped {
        rest.next();
    }
    rest.next();
    match rest.next() {
        Some((offset, '\'')) => start + 1 + offset + 1,
        _ => start + 1,
    }
}

/// A value in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The whole value.
    pub span: Range<usize>,
    /// The name before its bracket: `Genetic` in `Genetic(…)`.
    pub name: Option<Range<usize>>,
    /// Settings by name, in order; perhaps some twice.
    pub fields: Vec<Field>,
    /// Values without names, in order.
    pub items: Vec<Node>,
    /// Whether it has a bracket.
    pub is_group: bool,
}

/// A setting in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Range<usize>,
    /// Its value.
    pub value: Node,
}

impl Field {
    /// Name and value.
    pub fn span(&self) -> Range<usize> {
        self.name.start..self.value.span.end
    }
}

/// The shape of a text.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    /// The text.
    pub source: &'a str,
    /// The outermost value.
    pub root: Node,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> Outline<'a> {
    /// The shape of `source`; what cannot be understood is left out.
    pub fn new(source: &'a str) -> Outline<'a> {
        let tokens = tokens(source);
        // `#![enable(…)]` lines belong to no value.
        let first = tokens.iter().position(|token| !source[token.span.clone()].starts_with('#')).unwrap_or(0);
        let skipped = if first > 0 {
            tokens.iter().position(|token| super::load::ROOTS.contains(&&source[token.span.clone()]))
        } else {
            None
        };
        let mut reader = Reader { source, tokens: &tokens, at: skipped.unwrap_or(0) };
        let root = reader.value(0).unwrap_or(Node {
            span: 0..source.len(),
            name: None,
            fields: Vec::new(),
            items: Vec::new(),
            is_group: false,
        });
        Outline { source, root }
    }

    /// The text of a span.
    pub fn text(&self, span: &Range<usize>) -> &'a str {
        &self.source[span.clone()]
    }

    /// The value at a path such as `arms[2].method.population`; items count from 0.
    ///
    /// # Errors
    /// `P0109` for a path that leads nowhere; it says how far it led and what is there.
    pub fn find(&self, path: &str) -> Result<&Node> {
        let steps = steps(path).ok_or_else(|| {
            Error::experiment("P0109", format!("`{}` is no path to a setting", printable(path)))
                .help("a path is written like `budget`, `train.optimizer.learning_rate` or `arms[2].method.population`")
        })?;
        let mut node = &self.root;
        let mut way = String::new();
        for step in &steps {
            // `Recipe(File("…"))[0]` is the `File(…)`: a number counts what stands in a choice's own brackets.
            let is_choice = node.name.as_ref().is_some_and(|name| self.text(name) != "Some");
            let inner = if is_choice && matches!(step, Step::Item(_)) { node } else { self.inner(node) };
            let next = match step {
                Step::Field(name) => {
                    inner.fields.iter().find(|field| self.text(&field.name) == *name).map(|f| &f.value)
                }
                Step::Item(index) => inner.items.get(*index),
            };
            let Some(next) = next else { return Err(self.nowhere(&way, step, inner)) };
            match step {
                Step::Field(name) if way.is_empty() => way.push_str(name),
                Step::Field(name) => way = format!("{way}.{name}"),
                Step::Item(index) => way = format!("{way}[{index}]"),
            }
            node = next;
        }
        Ok(node)
    }

    /// Where a field may stand that is not there, at the beginning of those beside it, and its name; `None` if the path names
    /// none, or leads nowhere.
    pub fn vacancy<'p>(&self, path: &'p str) -> Option<(usize, &'p str)> {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let parent = if parent.is_empty() { &self.root } else { self.find(parent).ok()? };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let field = self.inner(parent).fields.first().filter(|_| is_name)?;
        Some((field.name.start, name))
    }

    /// `Some((x: 1))` and `Stratified((train: 1.0))` hold one value that is meant.
    fn inner<'n>(&self, node: &'n Node) -> &'n Node {
        match &node.items[..] {
            [only] if node.name.is_some() && only.is_group && !self.text(&only.span).starts_with('[') => {
                self.inner(only)
            }
            _ => node,
        }
    }

    fn nowhere(&self, way: &str, step: &Step, node: &Node) -> Error {
        let place = if way.is_empty() { "an experiment".to_owned() } else { format!("`{way}`") };
        match step {
            Step::Item(index) => {
                let error = Error::experiment("P0109", format!("{place} has no item [{index}]"));
                match node.items.len() {
                    0 => error.note(format!("{place} is no list")),
                    count => error.note(format!("items are [0] to [{}]", count - 1)),
                }
            }
            Step::Field(name) => {
                let fields: Vec<&str> = node.fields.iter().map(|field| self.text(&field.name)).collect();
                let error = Error::experiment("P0109", format!("{place} has no field `{}`", printable(name)));
                let error = match super::diagnose::nearest(name, fields.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                };
                if !fields.is_empty() {
                    error.note(format!("fields: {}", fields.join(", ")))
                } else if !node.items.is_empty() {
                    error.note(format!("{place} is a list; items are [0] to [{}]", node.items.len() - 1))
                } else {
                    error.note(format!("{place} is {}, without fields", printable(self.text(&node.span))))
                }
            }
        }
    }

    /// Every setting, outer ones first, with its path; those with paths of more than 256 bytes are left out.
    pub fn settings(&self) -> Vec<(String, &Field)> {
        let mut all = Vec::new();
        collect(self, &self.root, "", &mut all);
        all
    }
}

fn collect<'n>(outline: &Outline, node: &'n Node, way: &str, all: &mut Vec<(String, &'n Field)>) {
    for field in &node.fields {
        let name = outline.text(&field.name);
        if way.len() + name.len() >= LONGEST_PATH {
            continue;
        }
        let path = if way.is_empty() { name.to_owned() } else { format!("{way}.{name}") };
        all.push((path.clone(), field));
        collect(outline, &field.value, &path, all);
    }
    for (index, item) in node.items.iter().enumerate() {
        collect(outline, item, &format!("{way}[{index}]"), all);
    }
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        steps.push(Step::Field(name));
        while !rest.is_empty() {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::Item(index.parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

struct Reader<'a, 't> {
    source: &'a str,
    tokens: &'t [Token],
    at: usize,
}

impl Reader<'_, '_> {
    fn kind(&self, ahead: usize) -> Option<TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        let token = self.tokens.get(self.at)?;
        match token.kind {
            TokenKind::Word if self.kind(1) == Some(TokenKind::Open) && depth < DEEPEST => {
                self.at += 1;
                let group = self.group(depth);
                Some(Node { span: token.span.start..group.span.end, name: Some(token.span.clone()), ..group })
            }
            TokenKind::Open if depth < DEEPEST => Some(self.group(depth)),
            _ => {
                self.at += 1;
                let span = token.span.clone();
                Some(Node { span, name: None, fields: Vec::new(), items: Vec::new(), is_group: false })
            }
        }
    }

    /// A group from its opening bracket on, to its closing one or the end of the text.
    fn group(&mut self, depth: usize) -> Node {
        let start = self.tokens[self.at].span.start;
        let mut node =
            Node { span: start..self.source.len(), name: None, fields: Vec::new(), items: Vec::new(), is_group: true };
        self.at += 1;
        loop {
            match self.kind(0) {
                None => break,
                Some(TokenKind::Close) => {
                    node.span.end = self.tokens[self.at].span.end;
                    self.at += 1;
                    break;
                }
                Some(TokenKind::Comma | TokenKind::Colon) => self.at += 1,
                Some(TokenKind::Word) if self.kind(1) == Some(TokenKind::Colon) => {
                    let name = self.tokens[self.at].span.clone();
                    self.at += 2;
                    let missing = matches!(self.kind(0), None | Some(TokenKind::Close | TokenKind::Comma));
                    let nothing = Node {
                        span: name.end..name.end,
                        name: None,
                        fields: Vec::new(),
                        items: Vec::new(),
                        is_group: false,
                    };
                    let value = if missing { None } else { self.value(depth + 1) };
                    node.fields.push(Field { name, value: value.unwrap_or(nothing) });
                }
                Some(_) => node.items.extend(self.value(depth + 1)),
            }
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"// arms: [1]
Experiment(
    seeds: Range(first: 1, count: 30), /* ( */
    arms: [
        (name: "a", method: Random(scheme: GlorotUniform)),
        (name: "b )", method: Genetic(population: 40, path: r"C:\x")),
    ],
    split: Stratified((train: 0.7)),
    delimiter: ';',
)"#;

    #[test]
    fn paths_lead_to_values() {
        let outline = Outline::new(TEXT);
        let at = |path: &str| outline.find(path).map(|node| outline.text(&node.span));
        assert_eq!(at("arms[1].method.population").unwrap(), "40");
        assert_eq!(at("arms[1].name").unwrap(), "\"b )\"");
        assert_eq!(at("arms[1].method.path").unwrap(), "r\"C:\\x\"");
        assert_eq!(at("seeds").unwrap(), "Range(first: 1, count: 30)");
        assert_eq!(at("split.train").unwrap(), "0.7");
        assert_eq!(at("delimiter").unwrap(), "';'");
        assert_eq!(outline.root.span.end, TEXT.len());
    }

    #[test]
    fn a_path_that_ends_says_where_and_what_is_there() {
        let outline = Outline::new(TEXT);
        let message = |path: &str| outline.find(path).unwrap_err().to_string();
        assert!(message("arms[1].method.populaton").contains("`arms[1].method` has no field `populaton`"));
        assert!(message("arms[1].method.populaton").contains("did you mean `population`?"));
        assert!(message("arms[2]").contains("items are [0] to [1]"));
        assert!(message("arms.name").contains("`arms` is a list"));
        assert!(message("bugdet").contains("fields: seeds, arms, split, delimiter"));
        assert!(message("arms[x]").contains("no path"));
    }

    #[test]
    fn long_names_within_each_other_do_not_multiply() {
        // 100 groups with names of 1000 letters, and in the last 1000 settings: paths of 100 kB, 100 MB in all.
        let text =
            format!("{}{}{}", format!("{}:(", "x".repeat(1000)).repeat(100), "a:1,".repeat(1000), ")".repeat(100));
        let outline = Outline::new(&text);
        let paths: usize = outline.settings().iter().map(|(path, _)| path.len()).sum();
        assert!(paths < 4 * text.len(), "{paths} bytes of paths for {} bytes of text", text.len());
    }

    #[test]
    fn any_text_has_an_outline() {
        for text in ["", "(", ")))", "a: (b: [", "\"", "'", "r#\"", "/* /*", "é'é'", "#![enable(x)]\nExperiment(a: 1)"]
        {
            let outline = Outline::new(text);
            assert!(outline.root.span.end <= text.len(), "{text}");
        }
        assert_eq!(Outline::new("#![enable(x)]\nExperiment(a: 1)").settings().len(), 1);
        Outline::new(&"(".repeat(1 << 20));
        Outline::new(&"a(".repeat(1 << 19));
    }
}
