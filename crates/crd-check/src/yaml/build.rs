//! From the parser's events to a tree.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, ScalarStyle, Tag};

use super::scalar;
use crate::node::{Entry, Node, Region, Value};

/// What stops the reading of a document, and where.
pub(super) type Failure = (Region, String);

/// How many values a document may hold once its aliases are written out, and how deep they may be nested.
const MOST_VALUES: usize = 1_000_000;
const DEEPEST: usize = 200;

/// Builds the tree of one document.
#[derive(Default)]
pub(super) struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    duplicates: Vec<(Region, String)>,
    values: usize,
}

/// A list or map whose end has not come yet.
struct Open {
    region: Region,
    anchor: usize,
    holds: Holds,
}

enum Holds {
    List(Vec<Node>),
    Map { map: Map, key: Option<Key> },
}

/// The entries of a map so far.
#[derive(Default)]
struct Map {
    entries: Vec<Entry>,
    /// Where the entry of a key is among them.
    positions: HashMap<String, usize>,
    /// Keys that are written there themselves, and were not merged in.
    given: HashSet<String>,
}

impl Map {
    /// A later entry takes the place of an earlier one of its key.
    fn put(&mut self, entry: Entry) {
        let at = self.positions.get(&entry.key).copied();
        if let Some(known) = at.and_then(|at| self.entries.get_mut(at)) {
            *known = entry;
            return;
        }
        self.positions.insert(entry.key.clone(), self.entries.len());
        self.entries.push(entry);
    }

    /// Takes in what is under `<<`: a map, or several of which the first has precedence.
    fn merge(&mut self, node: Node, region: Region) -> Result<(), Failure> {
        let maps = match node.value {
            Value::List(items) => items,
            value => vec![Node { value, ..node }],
        };
        for map in maps.into_iter().rev() {
            let Value::Map(merged) = map.value else {
                let message = "only a map, or a list of maps, can be merged with `<<`";
                return Err((region, message.to_owned()));
            };
            for entry in merged {
                self.put(entry);
            }
        }
        Ok(())
    }
}

/// A key whose value has not come yet.
struct Key {
    text: String,
    region: Region,
    merges: bool,
}

struct Anchored {
    node: Node,
    values: usize,
    depth: usize,
}

impl Builder {
    /// Something of the document was read.
    pub(super) fn is_begun(&self) -> bool {
        self.root.is_some() || !self.open.is_empty()
    }

    /// The tree, and the keys that occur twice.
    pub(super) fn finish(self) -> (Option<Node>, Vec<(Region, String)>) {
        (self.root, self.duplicates)
    }

    pub(super) fn take(&mut self, event: Event<'_>, region: Region) -> Result<(), Failure> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = value(&text, style, tag.as_deref()).map_err(|message| (region, message))?;
                let merges = style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                self.add(Node { region, value }, anchor, merges)
            }
            Event::SequenceStart(_, anchor, _) => self.open(region, anchor, Holds::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.open(region, anchor, Holds::Map { map: Map::default(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(region),
            Event::Alias(anchor) => {
                let Some(Anchored { node, values, depth }) = self.anchors.get(&anchor) else {
                    return Err((region, "an alias stands within what it is an alias of".to_owned()));
                };
                if self.open.len() + depth > DEEPEST {
                    return Err((region, too_deep()));
                }
                self.values += values;
                let node = Node { region, ..node.clone() };
                self.add(node, 0, false)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, region: Region, anchor: usize, holds: Holds) -> Result<(), Failure> {
        let awaits_key = matches!(self.open.last(), Some(Open { holds: Holds::Map { key: None, .. }, .. }));
        if awaits_key {
            return Err((region, "a key must be a text, not a list or a map".to_owned()));
        }
        if self.open.len() >= DEEPEST {
            return Err((region, too_deep()));
        }
        self.open.push(Open { region, anchor, holds });
        Ok(())
    }

    fn close(&mut self, end: Region) -> Result<(), Failure> {
        let Some(Open { region, anchor, holds }) = self.open.pop() else { return Ok(()) };
        let value = match holds {
            Holds::List(items) => Value::List(items),
            Holds::Map { map, .. } => Value::Map(map.entries),
        };
        let region = Region { end_line: end.end_line, end_column: end.end_column, ..region };
        self.add(Node { region, value }, anchor, false)
    }

    fn add(&mut self, node: Node, anchor: usize, merges: bool) -> Result<(), Failure> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err((node.region, format!("it holds more than {MOST_VALUES} values")));
        }
        if anchor > 0 {
            let (values, depth) = extent(&node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), values, depth });
        }
        match self.open.last_mut().map(|open| &mut open.holds) {
            None => self.root = Some(node),
            Some(Holds::List(items)) => items.push(node),
            Some(Holds::Map { map, key }) => match key.take() {
                None => *key = Some(as_key(node, merges)?),
                Some(Key { merges: true, region, .. }) => map.merge(node, region)?,
                Some(Key { text, region, .. }) => {
                    if !map.given.insert(text.clone()) {
                        let message = format!("the key `{text}` occurs twice; the last one would win");
                        self.duplicates.push((region, message));
                    }
                    map.put(Entry { key: text, region, node });
                }
            },
        }
        Ok(())
    }
}

fn too_deep() -> String {
    format!("values may be nested {DEEPEST} deep at most")
}

fn as_key(node: Node, merges: bool) -> Result<Key, Failure> {
    let Node { region, value } = node;
    let text = scalar::key(&value).ok_or_else(|| (region, "a key must be a text, not nothing".to_owned()))?;
    Ok(Key { text, region, merges })
}

/// What a scalar means. The error says what it cannot be.
fn value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain {
            scalar::plain(text)
        } else {
            Ok(Value::Text(text.to_owned()))
        };
    };
    let Some(wanted @ ("bool" | "int" | "float" | "null")) = tag.core_suffix() else {
        return Ok(Value::Text(text.to_owned()));
    };
    let value = scalar::plain(text)?;
    let fits = match value {
        Value::Null => wanted == "null",
        Value::Bool(_) => wanted == "bool",
        Value::Int(_) => wanted == "int" || wanted == "float",
        Value::Float(_) => wanted == "float",
        Value::Text(_) | Value::List(_) | Value::Map(_) => false,
    };
    if fits { Ok(value) } else { Err(format!("what is tagged `!!{wanted}` is none")) }
}

/// How many values there are in a node, and how deep they are nested.
fn extent(node: &Node) -> (usize, usize) {
    let within: Vec<(usize, usize)> = match &node.value {
        Value::List(items) => items.iter().map(extent).collect(),
        Value::Map(entries) => entries.iter().map(|entry| extent(&entry.node)).collect(),
        _ => return (1, 0),
    };
    let values = 1 + within.iter().map(|(values, _)| values).sum::<usize>();
    (values, 1 + within.iter().map(|(_, depth)| *depth).max().unwrap_or_default())
}
