//! Errors drawn as rustc draws them.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use precocial::Error;
use precocial::error::{Problem, printable};

/// Lines longer than this are cut down around the place in question.
const LONGEST_LINE: usize = 400;

/// All problems of an error, one below the other.
pub fn render(error: &Error, styled: bool) -> String {
    let drawn: Vec<String> = error.problems().iter().map(|problem| draw(problem, styled)).collect();
    let count = drawn.len();
    let mut text = drawn.join("\n");
    if count > 1 {
        text.push_str(&format!("\n{count} errors"));
    }
    text
}

fn draw(problem: &Problem, styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let message = clean(&problem.message);
    let mut group = Level::ERROR.primary_title(message).id(problem.code).elements(Vec::<Origin>::new());
    if let Some(place) = &problem.place {
        let path = clean(&place.path.display().to_string());
        match &place.excerpt {
            Some((source, range)) if is_drawable(source, range) => {
                // The renderer takes whole lines; giving it the file's own makes its line numbers right.
                let annotation = AnnotationKind::Primary.span(range.clone());
                let label = clean(&place.label);
                let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
                group = group.element(Snippet::source(&source[..]).path(path).annotation(annotation));
            }
            _ => {
                let mut origin = Origin::path(path);
                if let Some((line, column)) = place.line_column {
                    origin = origin.line(line).char_column(column);
                }
                group = group.element(origin);
            }
        }
    }
    let notes = problem.notes.iter().map(|note| Level::NOTE.message(clean(note)));
    let helps = problem.helps.iter().map(|help| Level::HELP.message(clean(help)));
    group = group.elements(helps).elements(notes);
    renderer.render(&[group])
}

fn is_drawable(source: &str, range: &std::ops::Range<usize>) -> bool {
    let start = source[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = source[range.end..].find('\n').map_or(source.len(), |at| range.end + at);
    end - start <= LONGEST_LINE
}

/// Without control characters, which could move the cursor or colour the screen.
fn clean(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}
