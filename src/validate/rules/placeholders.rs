//! `$(…)` in the data of Secrets: what is not replaced stays as it is written, and the reader of the Secret
//! gets that.

use crd_check::path::Path;
use crd_check::suggest::{Likeness, did_you_mean};

use super::scope::Scope;
use crate::api::AccessKeySpec;
use crate::domain::access_key::secret::{PLACEHOLDERS, PREVIOUS_TOKEN};
use crate::validate::finding::Finding;
use crate::validate::rule::Rule;
use crate::validate::set::Object;

pub(super) fn check(scope: &Scope<'_, '_>) -> Vec<Finding> {
    let of_key = |Object { manifest, spec }: &Object<'_, AccessKeySpec>| {
        let problems = texts(spec).into_iter().flat_map(|(path, text, known)| {
            placeholders(text)
                .filter_map(|name| Some((path.clone(), problem(name, &known)?)))
                .collect::<Vec<_>>()
        });
        problems
            .map(|(path, message)| manifest.finding(Rule::UnknownPlaceholder, &path, message))
            .collect::<Vec<_>>()
    };
    scope.objects.keys.iter().flat_map(of_key).collect()
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

/// The names between `$(` and `)`.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("$(").skip(1).filter_map(|rest| rest.split_once(')')).map(|(name, _)| name)
}

fn problem(name: &str, known: &[&str]) -> Option<String> {
    if known.contains(&name) {
        return None;
    }
    if name == PREVIOUS_TOKEN {
        return Some(format!("$({PREVIOUS_TOKEN}) is replaced in `spec.publish` only"));
    }
    let meant = *did_you_mean(name, known.iter().copied(), Likeness::Slip).first()?;
    Some(format!("$({name}) is not replaced; did you mean $({meant})?"))
}
