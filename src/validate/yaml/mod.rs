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
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::validate::path::Path;

    fn documents(text: &str) -> Vec<(usize, serde_json::Value)> {
        let (documents, problems) = read(text);
        assert_eq!(problems, [], "{text}");
        documents.into_iter().map(|document| (document.number, document.root.to_json())).collect()
    }

    fn problems(text: &str) -> Vec<(usize, usize, usize, String)> {
        let told = |problem: Problem| {
            (problem.document, problem.region.line, problem.region.column, problem.message)
        };
        read(text).1.into_iter().map(told).collect()
    }

    #[test]
    fn documents_are_counted_and_empty_ones_left_out() {
        for (text, expected) in [
            ("", vec![]),
            ("# nothing\n", vec![]),
            ("a: 1\n", vec![(1, json!({"a": 1}))]),
            ("---\na: 1\n---\nb: 2\n", vec![(1, json!({"a": 1})), (2, json!({"b": 2}))]),
            ("a: 1\n---\n# nothing\n---\nb: 2\n", vec![(1, json!({"a": 1})), (3, json!({"b": 2}))]),
            ("{\"a\": [1, \"x\", null, true]}", vec![(1, json!({"a": [1, "x", null, true]}))]),
            ("{\n\t\"a\": {\n\t\t\"b\": 1.5\n\t}\n}\n", vec![(1, json!({"a": {"b": 1.5}}))]),
        ] {
            assert_eq!(documents(text), expected, "{text}");
        }
    }

    #[test]
    fn aliases_merges_tags_and_block_texts_are_written_out() {
        for (text, expected) in [
            ("a: &x {b: 1}\nc: *x\n", json!({"a": {"b": 1}, "c": {"b": 1}})),
            (
                "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n",
                json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
            ),
            (
                "a: &x {b: 1}\nd: &y {b: 2, e: 3}\nf: {<<: [*x, *y]}\n",
                json!({"a": {"b": 1}, "d": {"b": 2, "e": 3}, "f": {"b": 1, "e": 3}}),
            ),
            ("a: !!str 7\nb: !!int '7'\nc: !mine 7\n", json!({"a": "7", "b": 7, "c": "7"})),
            ("a: |\n  one\n  two\nb: >-\n  one\n  two\n", json!({"a": "one\ntwo\n", "b": "one two"})),
            ("1: a\ntrue: b\n1.5: c\n", json!({"1": "a", "true": "b", "1.5": "c"})),
        ] {
            assert_eq!(documents(text), [(1, expected)], "{text}");
        }
    }

    #[test]
    fn everything_is_found_where_it_stands() {
        let text = "spec:\n  name: ci\n  list:\n    - a\n    - b: 'x y'\n  map: {k: v}\n";
        let root = &read(text).0[0].root;
        for (path, line, column, end_column) in [
            (Path::of(&["spec"]), 1, 1, 5),
            (Path::of(&["spec", "name"]), 2, 9, 11),
            (Path::of(&["spec", "list"]), 3, 3, 7),
            (Path::of(&["spec", "list"]).index(0), 4, 7, 8),
            (Path::of(&["spec", "list"]).index(1).field("b"), 5, 10, 15),
            (Path::of(&["spec", "map"]).key("k"), 6, 12, 13),
            (Path::of(&["spec", "missing", "deeper"]), 1, 1, 5),
        ] {
            let region = root.locate(&path);
            assert_eq!((region.line, region.column, region.end_column), (line, column, end_column), "{path}");
        }
        let name = root.locate_key(&Path::of(&["spec", "name"]));
        assert_eq!((name.line, name.column, name.end_column), (2, 3, 7));
    }

    #[test]
    fn what_is_wrong_with_a_text_is_told_and_the_next_document_is_read() {
        for (text, expected) in [
            ("a: [1\n---\nb: 2\n", vec![(1, 1, 4, "unclosed bracket '['")]),
            ("a: 1\na: 2\n", vec![(1, 2, 1, "the key `a` occurs twice; the last one would win")]),
            ("a: 1\n---\n{a: 1}: b\n", vec![(2, 3, 1, "a key must be a text, not a list or a map")]),
            ("? \n: b\n", vec![(1, 2, 1, "a key must be a text, not nothing")]),
            (
                "a: .inf\n",
                vec![(
                    1,
                    1,
                    4,
                    "`.inf` is a number that no object can hold; put it in quotes if it is meant as a text",
                )],
            ),
            ("a: !!int x\n", vec![(1, 1, 10, "what is tagged `!!int` is none")]),
            (
                "a: 1\n--- b\n",
                vec![(
                    2,
                    2,
                    1,
                    "a line that begins with `---` may hold nothing else but a comment; kubectl refuses it",
                )],
            ),
            ("a: &x [*x]\n", vec![(1, 1, 8, "an alias stands within what it is an alias of")]),
            ("a: {<<: 1}\n", vec![(1, 1, 5, "only a map, or a list of maps, can be merged with `<<`")]),
        ] {
            let found = problems(text);
            let found: Vec<_> =
                found.iter().map(|(d, l, c, message)| (*d, *l, *c, message.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(read("a: [1\n---\nb: 2\n").0.len(), 1, "the second document");
    }

    #[test]
    fn a_template_is_told_to_be_one() {
        let found = problems("kind: AccessKey\nmetadata:\n  name: {{ .Values.name }}\n");
        assert_eq!(
        found,
        [(
            1,
            3,
            10,
            "a key must be a text, not a list or a map; this looks like a template, which is to be rendered first, as in: \
             helm template CHART | keyward validate -"
                .to_owned()
        )]
    );
    }

    #[test]
    fn a_text_that_would_grow_without_end_is_refused() {
        let level = |n: usize| format!("a{n}: &a{n} [{}]", vec![format!("*a{}", n - 1); 10].join(", "));
        let levels = (1..12).map(level).collect::<Vec<_>>().join("\n");
        let found = problems(&format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{levels}"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].3, "it holds more than 1000000 values");
        let found = problems(&"[".repeat(5000));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[-a-z0-9:{}\\[\\]&*!|>'\"\n ,#%@`<]{0,60}") {
            read(&text);
        }

        #[test]
        fn json_reads_as_what_it_is(text in "[ -~éß🤖\n\t]{0,20}", number in any::<i32>(), flag in any::<bool>()) {
            let value = json!({"text": text, "list": [number, flag, null], "map": {"a b": {"": number}}});
            prop_assert_eq!(documents(&value.to_string()), [(1, value.clone())]);
            prop_assert_eq!(documents(&format!("{value:#}")), [(1, value)]);
        }
    }
}
