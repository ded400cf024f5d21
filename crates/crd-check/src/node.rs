//! A document as it was read: values, and where each of them is.

use serde_json::{Map, Number, Value as Json};

use crate::path::{Path, Step};

/// A part of a file, from its first character to the one after its last. Lines and columns count from 1,
/// columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Line of the end.
    pub end_line: usize,
    /// Column of the end.
    pub end_column: usize,
}

impl Region {
    /// The region of no length at a place.
    pub fn at(line: usize, column: usize) -> Self {
        Self { line, column, end_line: line, end_column: column }
    }
}

/// A value and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where.
    pub region: Region,
    /// The value.
    pub value: Value,
}

/// What JSON can hold, in the order in which it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, or nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number without a fraction.
    Int(i64),
    /// Another number; always finite.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map; no key occurs twice.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is.
    pub region: Region,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The entries, where it is a map.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items, where it is a list.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entry of that key, where it is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value under that key, where it is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The text at the end of a way of keys.
    pub fn text_at(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().try_fold(self, |node, key| node.get(key))?.text()
    }

    /// Where to look for what is at `path`: the value, or the key of a longer one. Where nothing is there,
    /// the nearest that is.
    pub fn locate(&self, path: &Path) -> Region {
        let (mut node, mut region) = (self, self.region);
        for step in path.steps() {
            let next = match step {
                Step::Field(name) | Step::Key(name) => {
                    node.entry(name).map(|entry| (&entry.node, entry.shown_at()))
                }
                Step::Index(at) => node.items().get(*at).map(|item| (item, item.region)),
            };
            let Some(found) = next else { break };
            (node, region) = found;
        }
        region
    }

    /// Where the key of what is at `path` is.
    pub fn locate_key(&self, path: &Path) -> Region {
        let (Some(Step::Field(name) | Step::Key(name)), parent) = path.split_last() else {
            return self.locate(path);
        };
        let parent = parent.steps().iter().try_fold(self, |node, step| node.step(step));
        let entry = parent.and_then(|parent| parent.entry(name));
        entry.map_or_else(|| self.locate(path), |entry| entry.region)
    }

    fn step(&self, step: &Step) -> Option<&Node> {
        match step {
            Step::Field(name) | Step::Key(name) => self.get(name),
            Step::Index(at) => self.items().get(*at),
        }
    }

    /// The value as JSON.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::Number((*value).into()),
            Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json()));
                Json::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// A value of JSON that is nowhere in the text, such as a default, at the position of what it belongs to.
    pub fn from_json(json: &Json, region: Region) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(value) => Value::Int(value),
                None => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => {
                Value::List(items.iter().map(|item| Self::from_json(item, region)).collect())
            }
            Json::Object(map) => {
                let entry = |(key, value): (&String, &Json)| Entry {
                    key: key.clone(),
                    region,
                    node: Self::from_json(value, region),
                };
                Value::Map(map.iter().map(entry).collect())
            }
        };
        Self { region, value }
    }

    /// What it is, as messages name it.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "an object",
        }
    }
}

impl Entry {
    /// Where to look for it: a list or a map is found by its key.
    fn shown_at(&self) -> Region {
        match &self.node.value {
            Value::List(_) | Value::Map(_) | Value::Null => self.region,
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => self.node.region,
        }
    }
}
