//! Names of Secrets: each belongs to one key, and to nobody else.

use std::collections::HashMap;

use super::{Said, Scope};
use crate::api::names::{KEYWARD, MANAGED_BY};
use crate::api::{ACCOUNT_NAME, AccessKeySpec, SECRET_TYPE};
use crate::domain::access_key::secret::Owner;
use crate::validate::finding::Rule;
use crate::validate::manifest::{Kind, Manifest};
use crate::validate::path::Path;
use crate::validate::set::Found;

/// A Secret that a key is to write.
struct Claim<'a> {
    manifest: &'a Manifest<'a>,
    rule: Rule,
    path: Path,
    namespace: String,
    name: String,
}

pub(super) fn check<'a>(scope: &Scope<'_, 'a>) -> Vec<Said<'a>> {
    let mut said: Vec<Said<'a>> = conflicts(scope);
    for Found { manifest, spec } in &scope.account.keys {
        said.extend(not_accepted(scope, manifest, spec));
    }
    said
}

/// Secrets in the scope's namespace that more than one wants, or that are someone else's.
fn conflicts<'a>(scope: &Scope<'_, 'a>) -> Vec<Said<'a>> {
    let mut holders: HashMap<String, String> = HashMap::new();
    for secret in scope.account.secrets.iter().filter(|secret| !is_keywards(secret)) {
        holders.insert(secret.name.clone(), format!("{} among the manifests", secret.place.file));
    }
    let mut said = Vec::new();
    let all = scope.set.accounts.values().flat_map(|account| &account.keys).flat_map(claims);
    for Claim { manifest, rule, path, name, .. } in all.filter(|claim| claim.namespace == scope.namespace) {
        match holders.get(&name) {
            None => {
                let holder = format!("{} of namespace \"{}\"", manifest.short_name(), manifest.namespace);
                holders.insert(name, holder);
            }
            Some(holder) => {
                let what = if rule == Rule::SecretConflict {
                    "`spec.secret.name`"
                } else {
                    "name in `spec.publish`"
                };
                let message = format!(
                    "Secret \"{name}\" of namespace \"{}\" is that of {holder}, and is never taken over; choose another {what}",
                    scope.namespace
                );
                said.push(Said::new(manifest, rule, path, message));
            }
        }
    }
    said
}

/// One that a controller wrote, as a backup has it.
fn is_keywards(secret: &Manifest<'_>) -> bool {
    let root = secret.place.root;
    root.text_at(&["type"]) == Some(SECRET_TYPE)
        || root.text_at(&["metadata", "labels", MANAGED_BY]) == Some(KEYWARD)
}

/// The key's own Secret first, since it is written first.
fn claims<'a>(key: &Found<'a, AccessKeySpec>) -> Vec<Claim<'a>> {
    let Found { manifest, spec } = key;
    let (name, account) = (manifest.name.as_str(), manifest.namespace.as_str());
    let claim = |rule, path, namespace: &str, name: &str| Claim {
        manifest,
        rule,
        path,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let named = spec.secret.as_ref().is_some_and(|secret| secret.name.is_some());
    let path = if named { Path::of(&["spec", "secret", "name"]) } else { Path::of(&["metadata", "name"]) };
    let own = Owner { spec, name, account }.secret_name();
    // A key whose name is to be made up has a Secret of a name that nobody knows yet.
    let own = (!own.is_empty()).then(|| claim(Rule::SecretConflict, path, account, own));
    let published = spec.publish.iter().flatten().enumerate().map(|(at, entry)| {
        let path = Path::of(&["spec", "publish"]).index(at).field("name");
        let namespace = entry.namespace.as_ref().map_or(account, |name| &name.0);
        claim(Rule::PublishConflict, path, namespace, &entry.name)
    });
    own.into_iter().chain(published).collect()
}

/// Other namespaces that do not accept the key's Secrets, or are not known to.
fn not_accepted<'a>(
    scope: &Scope<'_, 'a>,
    manifest: &'a Manifest<'a>,
    spec: &AccessKeySpec,
) -> Vec<Said<'a>> {
    let mut said = Vec::new();
    for (at, entry) in spec.publish.iter().flatten().enumerate() {
        let Some(other) =
            entry.namespace.as_ref().map(|name| &name.0).filter(|name| *name != scope.namespace)
        else {
            continue;
        };
        let path = Path::of(&["spec", "publish"]).index(at).field("namespace");
        let account = scope.set.accounts.get(other.as_str());
        let needed = format!("`spec.acceptSecretsFrom` must list \"{}\"", scope.namespace);
        match account.and_then(|account| account.account.as_ref()) {
            Some(found) => {
                let accepts =
                    found.spec.accept_secrets_from.iter().flatten().any(|name| name.0 == scope.namespace);
                if !accepts {
                    let message =
                        format!("the Account of namespace \"{other}\" does not accept it; its {needed}");
                    said.push(Said::new(manifest, Rule::PublishNotAccepted, path, message));
                }
            }
            // One that is there and wrong is told of itself.
            None if account.is_some_and(|a| a.manifest(Kind::Account, ACCOUNT_NAME).is_some()) => {}
            None => {
                let message = format!(
                    "the Account of namespace \"{other}\" is not among the manifests; in the cluster, its {needed}"
                );
                said.extend(scope.absent(Said::new(manifest, Rule::AccountNotFound, path, message)));
            }
        }
    }
    said
}
