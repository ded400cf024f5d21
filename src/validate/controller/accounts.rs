//! An account's limits and times, how many service accounts it has, and their display names.

use std::collections::HashMap;

use super::{Said, Scope};
use crate::domain::account::unused::UnusedPolicy;
use crate::domain::service_account::wanted_display_name;
use crate::validate::finding::Rule;
use crate::validate::path::Path;

pub(super) fn check<'a>(scope: &Scope<'_, 'a>) -> Vec<Said<'a>> {
    let mut said: Vec<Said<'a>> = contradictions(scope).into_iter().collect();
    let limit = scope.account.limits().service_accounts;
    let mut holders: HashMap<String, &str> = HashMap::new();
    let mut admitted = 0;
    for found in &scope.account.service_accounts {
        let name = wanted_display_name(&found.spec, &found.manifest.name);
        if let Some(holder) = holders.get(&name.to_lowercase()) {
            let message = format!(
                "display name \"{name}\" is also that of ServiceAccount \"{holder}\"; choose one that no other service \
                 account of the account has, without regard to upper and lower case"
            );
            let path = Path::of(&["spec", "displayName"]);
            said.push(Said::new(found.manifest, Rule::DuplicateDisplayName, path, message));
            continue;
        }
        holders.insert(name.to_lowercase(), &found.manifest.name);
        admitted += 1;
        if admitted > limit {
            let message = format!(
                "it is number {admitted} in namespace \"{}\", whose account may have {limit} service accounts{}",
                scope.namespace,
                scope.whose_limits()
            );
            said.push(Said::new(found.manifest, Rule::ServiceAccountLimitExceeded, Path::default(), message));
        }
    }
    said
}

/// Limits or times that cannot hold together.
fn contradictions<'a>(scope: &Scope<'_, 'a>) -> Option<Said<'a>> {
    let found = scope.account.account.as_ref()?;
    let of_limits = scope.account.limits().problem(scope.now);
    let of_limits = of_limits.map(|message| (Path::of(&["spec", "limits"]), message));
    let policy = UnusedPolicy::from_spec(found.spec.unused_access_keys.as_ref());
    let of_times = || {
        let message = policy?.problem(scope.now)?;
        Some((Path::of(&["spec", "unusedAccessKeys"]), message))
    };
    let (path, message) = of_limits.or_else(of_times)?;
    Some(Said::new(found.manifest, Rule::InvalidLimits, path, message))
}

impl Scope<'_, '_> {
    /// A hint where the limits may be others in the cluster.
    pub(super) fn whose_limits(&self) -> String {
        if self.account.account.is_some() {
            return String::new();
        }
        format!(
            "; these are the built-in limits, as the Account of namespace \"{}\" is not among the manifests",
            self.namespace
        )
    }
}
