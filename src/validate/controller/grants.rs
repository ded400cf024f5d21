//! Resource grants: whose they are, and whether one says what another does.

use std::collections::HashMap;

use super::{Said, Scope};
use crate::validate::finding::Rule;
use crate::validate::manifest::Kind;
use crate::validate::path::Path;
use crate::validate::set::Found;

pub(super) fn check<'a>(scope: &Scope<'_, 'a>) -> Vec<Said<'a>> {
    let mut said = Vec::new();
    let mut given: HashMap<_, &str> = HashMap::new();
    for Found { manifest, spec } in &scope.account.grants {
        let (name, resource) = (spec.service_account_name.as_str(), &spec.resource);
        if scope.account.manifest(Kind::ServiceAccount, name).is_none() {
            said.extend(scope.unknown_service_account(manifest, name));
        }
        let what = (name, resource.category, resource.name.as_str(), spec.usage);
        match given.get(&what) {
            None => {
                given.insert(what, &manifest.name);
            }
            Some(first) => {
                let message = format!(
                    "ResourceGrant \"{first}\" is for the same service account, resource and usage; the higher role of \
                     the two counts",
                );
                said.push(Said::new(
                    manifest,
                    Rule::DuplicateGrant,
                    Path::of(&["spec", "resource"]),
                    message,
                ));
            }
        }
    }
    said
}
