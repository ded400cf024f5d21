//! `$(…)` in the data of Secrets: what is not replaced stays as it is written, and the reader of the Secret gets that.

use super::{Said, Scope};
use crate::api::AccessKeySpec;
use crate::domain::access_key::secret::{PLACEHOLDERS, PREVIOUS_TOKEN};
use crate::validate::api_server::near::nearest;
use crate::validate::finding::Rule;
use crate::validate::path::Path;
use crate::validate::set::Found;

pub(super) fn check<'a>(scope: &Scope<'_, 'a>) -> Vec<Said<'a>> {
    let of_key = |Found { manifest, spec }: &Found<'a, AccessKeySpec>| {
        let found = texts(spec).into_iter().flat_map(|(path, text, known)| {
            words(text).filter_map(|word| Some((path.clone(), problem(word, &known)?))).collect::<Vec<_>>()
        });
        let manifest = *manifest;
        found
            .map(|(path, message)| Said::new(manifest, Rule::UnknownPlaceholder, path, message))
            .collect::<Vec<_>>()
    };
    scope.account.keys.iter().flat_map(of_key).collect()
}

/// The texts of Secrets' data, and what is replaced in each.
fn texts(spec: &AccessKeySpec) -> Vec<(Path, &str, Vec<&'static str>)> {
    let own = spec.secret.iter().filter_map(|secret| secret.data.as_ref());
    let own = own.flatten().map(|(key, text)| {
        (Path::of(&["spec", "secret", "data"]).key(key), text.0.as_str(), PLACEHOLDERS.to_vec())
    });
    let published = spec.publish.iter().flatten().enumerate().flat_map(|(at, entry)| {
        let known: Vec<&str> = PLACEHOLDERS.into_iter().chain([PREVIOUS_TOKEN]).collect();
        let path = Path::of(&["spec", "publish"]).index(at).field("data");
        entry.data.iter().map(move |(key, text)| (path.key(key), text.0.as_str(), known.clone()))
    });
    own.chain(published).collect()
}

/// What stands between `$(` and `)`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split("$(").skip(1).filter_map(|rest| rest.split_once(')')).map(|(word, _)| word)
}

fn problem(word: &str, known: &[&str]) -> Option<String> {
    if known.contains(&word) {
        return None;
    }
    if word == PREVIOUS_TOKEN {
        return Some(format!("$({PREVIOUS_TOKEN}) is replaced in `spec.publish` only"));
    }
    let meant = nearest(word, known.iter().copied())?;
    Some(format!("$({word}) is not replaced; did you mean $({meant})?"))
}
