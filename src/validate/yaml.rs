//! From a text to documents, as kubectl reads them, with the place of everything in them.

mod build;
mod scalar;

use granit_parser::{Event, Marker, Parser, ScanError, Span, options};

use super::node::{Node, Region, Value};
use build::Builder;

/// A document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Which one of the file, counted from 1.
    pub number: usize,
    /// What it holds.
    pub root: Node,
}

/// Something that is wrong with the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The document it is in, counted from 1.
    pub document: usize,
    /// Where.
    pub region: Region,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What is wrong, as a sentence. It never holds a value of the document.
    pub message: String,
}

/// Kinds of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// It is not YAML, so nothing of the document is known.
    Syntax,
    /// A key occurs twice in one map.
    DuplicateKey,
}

/// Reads all documents of a text. One that cannot be read does not keep the next ones from being read. Empty ones are left
/// out.
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
        reader.fail(&builder, region, &message);
        builder = Builder::default();
        match parser.proceed_next_document() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let (region, message) = failure_of(&error);
                reader.fail(&builder, region, &message);
                break;
            }
        }
    }
    (reader.documents, reader.problems)
}

/// What stops the reading of a document, and where.
type Failure = (Region, String);

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

    fn fail(&mut self, builder: &Builder, region: Region, message: &str) {
        // Before its first event a document has not been counted.
        let document = if builder.is_begun() { self.number } else { self.number.max(1) };
        let message = if self.text.contains("{{") {
            format!(
                "{message}; this looks like a template, which is to be rendered first, as in: helm template CHART | \
                 keyward validate -"
            )
        } else {
            message.to_owned()
        };
        self.problems.push(Problem { document, region, kind: ProblemKind::Syntax, message });
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

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
