//! Documents, problems and positions of texts.

use proptest::prelude::*;
use serde_json::json;

use super::{Problem, ProblemKind, read};
use crate::path::Path;

fn documents(text: &str) -> Vec<(usize, serde_json::Value)> {
    let (documents, problems) = read(text);
    assert_eq!(problems, [], "{text}");
    documents.into_iter().map(|document| (document.number, document.root.to_json())).collect()
}

fn problems(text: &str) -> Vec<(usize, usize, usize, String)> {
    let shown =
        |problem: Problem| (problem.document, problem.region.line, problem.region.column, problem.message);
    read(text).1.into_iter().map(shown).collect()
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
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}})),
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
fn everything_is_found_where_it_is() {
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
fn what_is_wrong_with_a_text_is_reported_and_the_next_document_is_read() {
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
        let found: Vec<_> = found.iter().map(|(d, l, c, message)| (*d, *l, *c, message.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }
    assert_eq!(read("a: [1\n---\nb: 2\n").0.len(), 1, "the second document");
}

#[test]
fn a_template_is_told_from_other_texts_that_are_no_yaml() {
    for (text, kind, message) in [
        (
            "kind: Widget\nmetadata:\n  name: {{ .Values.name }}\n",
            ProblemKind::Template,
            "a key must be a text, not a list or a map",
        ),
        ("kind: [Widget\n", ProblemKind::Syntax, "unclosed bracket '['"),
    ] {
        let (_, problems) = read(text);
        let found: Vec<_> = problems.iter().map(|p| (p.kind, p.message.as_str())).collect();
        assert_eq!(found, [(kind, message)], "{text}");
    }
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
