//! Objects as they were seen, and the files that keep them. A file keeps a real object; what differs from one
//! run to the next, such as times and ids, does not count where both are compared. `make record` writes the
//! files.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use chrono::DateTime;
use serde_json::{Value, json};

use super::states::{STATES, State};
use super::{Scene, eventually};

/// The namespace in the files.
const NAMESPACE: &str = "team-a";
/// The hash in the files, of no bytes at all: none of a real token should be taken for a credential.
const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// For how long nothing may change before an object is taken to be settled.
const QUIET: Duration = Duration::from_secs(3);

/// An object in a state.
pub struct Seen {
    pub state: &'static State,
    pub object: Value,
}

/// Whether the files are to be written.
pub fn recording() -> bool {
    std::env::var_os("KEYWARD_RECORD").is_some()
}

/// Looks at an object until it is as its file has it.
pub async fn see(scene: &Scene, kind: &str, name: &str, state: &str) -> Seen {
    let is_it = |known: &&State| known.kind == kind && known.file_name() == format!("{state}.yaml");
    let state = STATES.iter().find(is_it).unwrap_or_else(|| panic!("{kind} has no state {state}"));
    let object =
        if recording() { settled(scene, state, name).await } else { expected(scene, state, name).await };
    Seen { state, object }
}

async fn settled(scene: &Scene, state: &State, name: &str) -> Value {
    let (mut last, mut since) = (get(scene, state, name), Instant::now());
    eventually(&format!("{name} is settled"), async || {
        let now = get(scene, state, name);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        if since.elapsed() >= QUIET { Ok(last.clone()) } else { Err(()) }
    })
    .await
}

async fn expected(scene: &Scene, state: &State, name: &str) -> Value {
    let path = state.path();
    let file = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run: make record", path.display()));
    let wanted = comparable(serde_yaml::from_str(&file).unwrap());
    eventually(&format!("{name} is as {} has it; or run: make record", path.display()), async || {
        let object = get(scene, state, name);
        let found = comparable(object.clone());
        if found == wanted { Ok(object) } else { Err(difference(&wanted, &found)) }
    })
    .await
}

/// Not as YAML: kubectl leaves an id such as 12345e678 without quotes, and that is a number to YAML 1.2.
fn get(scene: &Scene, state: &State, name: &str) -> Value {
    let resource = format!("{}s.iam.keyward.dev", state.kind.to_lowercase());
    let text = scene.kubectl_text(&["get", &resource, name, "-o", "json"]);
    let hashes =
        words(&serde_json::from_str(&text).unwrap()).into_iter().filter(|word| is_hex(word, HASH.len()));
    let text = hashes.fold(text.replace(&scene.namespace, NAMESPACE), |text, hash| text.replace(&hash, HASH));
    serde_json::from_str(&text).unwrap()
}

/// Writes the objects that changed.
pub fn keep(seen: &[Seen]) {
    for Seen { state, object } in seen {
        let path = state.path();
        let same = fs::read_to_string(&path)
            .is_ok_and(|file| comparable(serde_yaml::from_str(&file).unwrap()) == comparable(object.clone()));
        if !same {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, serde_yaml::to_string(object).unwrap()).unwrap();
        }
    }
}

/// A message with `<key>` and `<time>` for what differs from one run to the next.
pub fn told(message: &str, object: &Value) -> String {
    replaced(message, &key_ids(object))
}

/// An object without what differs from one run to the next.
fn comparable(mut object: Value) -> Value {
    let ids = key_ids(&object);
    level(&mut object, &ids);
    object
}

fn level(value: &mut Value, ids: &BTreeSet<String>) {
    match value {
        Value::String(text) => *text = replaced(text, ids),
        Value::Array(items) => items.iter_mut().for_each(|item| level(item, ids)),
        Value::Object(fields) => {
            for (name, value) in fields {
                level(value, ids);
                match name.as_str() {
                    "resourceVersion" | "secretResourceVersion" => *value = json!("<version>"),
                    "serial" | "signature" => *value = json!("<any>"),
                    // What happens in one second may stand in any order.
                    "auditLog" | "seats" => value.as_array_mut().unwrap().sort_by_key(ToString::to_string),
                    _ => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replaced(text: &str, ids: &BTreeSet<String>) -> String {
    let mut all = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_of_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_of_word(c)).unwrap_or(from.len()));
        all.push_str(before);
        all.push_str(stand_in(word, ids).unwrap_or(word));
        rest = after;
    }
    all + rest
}

fn stand_in(word: &str, ids: &BTreeSet<String>) -> Option<&'static str> {
    let is_uid = word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    match word {
        _ if ids.contains(word) => Some("<key>"),
        _ if DateTime::parse_from_rfc3339(word).is_ok() => Some("<time>"),
        _ if is_uid => Some("<uid>"),
        _ if is_hex(word, 16) => Some("<id>"),
        _ => None,
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-:".contains(c)
}

fn is_hex(word: &str, length: usize) -> bool {
    word.len() == length && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The public ids of tokens that an object speaks of.
fn key_ids(object: &Value) -> BTreeSet<String> {
    let status = &object["status"];
    let of_tokens = ["token", "previousToken", "nextToken"].map(|name| status[name]["id"].clone());
    let log = status["auditLog"].as_array().into_iter().flatten().map(|entry| entry["keyId"].clone());
    of_tokens.into_iter().chain(log).filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// Every word of every string.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split(|c| !is_of_word(c)).map(str::to_owned).collect(),
        Value::Array(items) => items.iter().flat_map(words).collect(),
        Value::Object(fields) => fields.values().flat_map(words).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The lines of one that the other does not have.
fn difference(wanted: &Value, found: &Value) -> Vec<String> {
    let [wanted, found] = [wanted, found].map(|value| serde_json::to_string_pretty(value).unwrap());
    let only = |of: &str, other: &str, sign: &str| -> Vec<String> {
        let lines = of.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.map(|line| format!("{sign} {line}")).collect()
    };
    [
        vec!["lines that only one of them has:".to_owned()],
        only(&wanted, &found, "-"),
        only(&found, &wanted, "+"),
    ]
    .concat()
}
