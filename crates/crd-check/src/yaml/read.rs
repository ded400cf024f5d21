//! Reads a text, event by event.

use granit_parser::{Event, Marker, Parser, ScanError, Span, options};

use super::build::{Builder, Failure};
use super::document::{Document, Problem, ProblemKind};
use crate::node::{Region, Value};

/// Reads all documents of a text. One that cannot be read does not keep the next ones from being read. Empty
/// ones are left out.
pub fn read(text: &str) -> (Vec<Document>, Vec<Problem>) {
    let mut reader = Reader { documents: Vec::new(), problems: separators(text), number: 0, text };
    // As libyaml, on which kubectl's reader is built.
    let options = options! { emit_comments: false, block_scalar_eof_without_line_feed: true };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::default();
    while let Some(next) = parser.next_event() {
        let failure = match next {
            Ok((event, span)) => reader.take(&mut builder, event, span).err(),
            Err(error) => Some(failure_of(&error)),
        };
        let Some((region, message)) = failure else { continue };
        reader.fail(&builder, region, message);
        builder = Builder::default();
        match parser.proceed_next_document() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let (region, message) = failure_of(&error);
                reader.fail(&builder, region, message);
                break;
            }
        }
    }
    (reader.documents, reader.problems)
}

struct Reader<'a> {
    documents: Vec<Document>,
    problems: Vec<Problem>,
    number: usize,
    text: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, builder: &mut Builder, event: Event<'_>, span: Span) -> Result<(), Failure> {
        match event {
            Event::DocumentStart(..) => {
                self.number += 1;
                *builder = Builder::default();
            }
            Event::DocumentEnd => {
                let (root, duplicates) = std::mem::take(builder).finish();
                self.problems.extend(duplicates.into_iter().map(|(region, message)| Problem {
                    document: self.number,
                    region,
                    kind: ProblemKind::DuplicateKey,
                    message,
                }));
                let root = root.filter(|root| root.value != Value::Null);
                self.documents.extend(root.map(|root| Document { number: self.number, root }));
            }
            event => builder.take(event, region(&span))?,
        }
        Ok(())
    }

    fn fail(&mut self, builder: &Builder, region: Region, message: String) {
        // Before its first event a document has not been counted.
        let document = if builder.is_begun() { self.number } else { self.number.max(1) };
        let kind = if self.text.contains("{{") { ProblemKind::Template } else { ProblemKind::Syntax };
        self.problems.push(Problem { document, region, kind, message });
    }
}

fn failure_of(error: &ScanError) -> Failure {
    (region_at(error.marker()), error.info())
}

fn region(span: &Span) -> Region {
    let (start, end) = (region_at(&span.start), region_at(&span.end));
    Region { end_line: end.line, end_column: end.column, ..start }
}

fn region_at(mark: &Marker) -> Region {
    Region::at(mark.line(), mark.col() + 1)
}

/// kubectl takes nothing but a comment after `---`, though YAML would.
fn separators(text: &str) -> Vec<Problem> {
    let mut document = 1;
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some(rest) = line.strip_prefix("---") else { continue };
        document += usize::from(at > 0);
        if !rest.trim().is_empty() && !rest.trim().starts_with('#') {
            problems.push(Problem {
                document,
                region: Region::at(at + 1, 1),
                kind: ProblemKind::Syntax,
                message:
                    "a line that begins with `---` may hold nothing else but a comment; kubectl refuses it"
                        .to_owned(),
            });
        }
    }
    problems
}
