//! Resource grants: whose they are, and whether one says what another does.

use std::collections::HashMap;

use crd_check::path::Path;

use super::scope::Scope;
use crate::api::Kind;
use crate::validate::finding::Finding;
use crate::validate::rule::Rule;
use crate::validate::set::Object;

pub(super) fn check(scope: &Scope<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut given: HashMap<_, &str> = HashMap::new();
    for Object { manifest, spec } in &scope.objects.grants {
        let (name, resource) = (spec.service_account_name.as_str(), &spec.resource);
        if scope.objects.manifest(Kind::ServiceAccount, name).is_none() {
            findings.extend(scope.unknown_service_account(manifest, name));
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
                let path = Path::of(&["spec", "resource"]);
                findings.push(manifest.finding(Rule::DuplicateGrant, &path, message));
            }
        }
    }
    findings
}
