//! Names of Secrets: each belongs to one key, and to nobody else.

use std::collections::HashMap;

use crd_check::path::Path;

use super::scope::Scope;
use crate::api::names::{KEYWARD, MANAGED_BY};
use crate::api::{ACCOUNT_NAME, AccessKeySpec, Kind, SECRET_TYPE};
use crate::domain::access_key::publish::allowed::{Refusal, restrict};
use crate::domain::access_key::secret::SecretOwner;
use crate::domain::account::publishing::Publishing;
use crate::validate::finding::Finding;
use crate::validate::manifest::Manifest;
use crate::validate::rule::Rule;
use crate::validate::set::Object;

/// A Secret that a key is to write.
struct Claim<'a> {
    manifest: &'a Manifest<'a>,
    rule: Rule,
    path: Path,
    namespace: String,
    name: String,
}

pub(super) fn check(scope: &Scope<'_, '_>) -> Vec<Finding> {
    let mut findings = conflicts(scope);
    for Object { manifest, spec } in &scope.objects.keys {
        findings.extend(not_accepted(scope, manifest, spec));
        findings.extend(not_allowed(scope, manifest, spec));
    }
    findings
}

/// Secrets in the scope's namespace that more than one wants, or that are someone else's.
fn conflicts(scope: &Scope<'_, '_>) -> Vec<Finding> {
    let mut holders: HashMap<String, String> = HashMap::new();
    for secret in scope.objects.secrets.iter().filter(|secret| !is_keywards(secret)) {
        holders.insert(secret.name.clone(), format!("{} among the manifests", secret.location.file));
    }
    let mut findings = Vec::new();
    let all = scope.set.namespaces.values().flat_map(|objects| &objects.keys).flat_map(claims);
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
                findings.push(manifest.finding(rule, &path, message));
            }
        }
    }
    findings
}

/// One that a controller wrote, as a backup has it.
fn is_keywards(secret: &Manifest<'_>) -> bool {
    let root = secret.location.root;
    root.text_at(&["type"]) == Some(SECRET_TYPE)
        || root.text_at(&["metadata", "labels", MANAGED_BY]) == Some(KEYWARD)
}

/// The key's own Secret first, since it is written first.
fn claims<'a>(key: &Object<'a, AccessKeySpec>) -> Vec<Claim<'a>> {
    let Object { manifest, spec } = key;
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
    let own = SecretOwner { spec, name, account }.secret_name();
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
fn not_accepted(scope: &Scope<'_, '_>, manifest: &Manifest<'_>, spec: &AccessKeySpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, entry) in spec.publish.iter().flatten().enumerate() {
        let Some(other) =
            entry.namespace.as_ref().map(|name| &name.0).filter(|name| *name != scope.namespace)
        else {
            continue;
        };
        let path = Path::of(&["spec", "publish"]).index(at).field("namespace");
        let objects = scope.set.namespaces.get(other.as_str());
        let needed = format!("`spec.acceptSecretsFrom` must list \"{}\"", scope.namespace);
        match objects.and_then(|objects| objects.account.as_ref()) {
            Some(account) => {
                let accepts =
                    account.spec.accept_secrets_from.iter().flatten().any(|name| name.0 == scope.namespace);
                if !accepts {
                    let message =
                        format!("the Account of namespace \"{other}\" does not accept it; its {needed}");
                    findings.push(manifest.finding(Rule::PublishNotAccepted, &path, message));
                }
            }
            // One that is there and wrong has findings of its own.
            None if objects
                .is_some_and(|objects| objects.manifest(Kind::Account, ACCOUNT_NAME).is_some()) => {}
            None => {
                let message = format!(
                    "the Account of namespace \"{other}\" is not among the manifests; in the cluster, its {needed}"
                );
                findings.extend(scope.absent(manifest.finding(Rule::AccountNotFound, &path, message)));
            }
        }
    }
    findings
}

/// What the accounts of the Secrets' namespaces do not allow of them. Where one is not among the manifests,
/// it may allow more than what is allowed everywhere.
fn not_allowed(scope: &Scope<'_, '_>, manifest: &Manifest<'_>, spec: &AccessKeySpec) -> Vec<Finding> {
    let account = |namespace: &str| scope.set.namespaces.get(namespace)?.account.as_ref();
    let publishing = |namespace: &str| {
        Publishing::from_spec(account(namespace).and_then(|account| account.spec.publishing.as_ref()))
    };
    let namespace_of = |entry: Option<usize>| {
        let entry = spec.publish.iter().flatten().nth(entry?)?;
        entry.namespace.as_ref().map(|name| name.0.as_str())
    };
    let refusals = restrict(&mut spec.clone(), (&manifest.name, scope.namespace), publishing);
    let finding = |Refusal { entry, what: _, message }| {
        let path = match entry {
            None => Path::of(&["spec", "secret"]),
            Some(at) => Path::of(&["spec", "publish"]).index(at),
        };
        let finding = manifest.finding(Rule::PublishNotAccepted, &path, message);
        let is_known = account(namespace_of(entry).unwrap_or(scope.namespace)).is_some();
        if is_known { Some(finding) } else { scope.absent(finding) }
    };
    refusals.into_iter().filter_map(finding).collect()
}
