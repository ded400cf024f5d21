//! An account's limits and times, how many service accounts it has, and their display names.

use std::collections::HashMap;

use crd_check::path::Path;

use super::scope::Scope;
use super::seats::without_seat;
use crate::domain::account::unused::UnusedPolicy;
use crate::domain::service_account::wanted_display_name;
use crate::validate::finding::Finding;
use crate::validate::manifest::Manifest;
use crate::validate::rule::Rule;

pub(super) fn check(scope: &Scope<'_, '_>) -> Vec<Finding> {
    let (named, duplicates) = display_names(scope);
    contradictions(scope).into_iter().chain(duplicates).chain(beyond_the_limit(scope, &named)).collect()
}

/// The service accounts whose display name no other one has before them, and what is wrong with the others.
fn display_names<'a>(scope: &Scope<'_, 'a>) -> (Vec<&'a Manifest<'a>>, Vec<Finding>) {
    let mut holders: HashMap<String, &str> = HashMap::new();
    let (mut named, mut duplicates) = (Vec::new(), Vec::new());
    for service_account in &scope.objects.service_accounts {
        let manifest = service_account.manifest;
        let name = wanted_display_name(&service_account.spec, &manifest.name);
        if let Some(holder) = holders.get(&name.to_lowercase()) {
            let message = format!(
                "display name \"{name}\" is also that of ServiceAccount \"{holder}\"; choose one that no other service \
                 account of the account has, without regard to upper and lower case"
            );
            let path = Path::of(&["spec", "displayName"]);
            duplicates.push(manifest.finding(Rule::DuplicateDisplayName, &path, message));
            continue;
        }
        holders.insert(name.to_lowercase(), &manifest.name);
        named.push(manifest);
    }
    (named, duplicates)
}

fn beyond_the_limit<'a>(scope: &Scope<'_, 'a>, named: &[&'a Manifest<'a>]) -> Vec<Finding> {
    let limit = scope.objects.limits().service_accounts;
    let refused = |(number, manifest): (usize, &Manifest<'_>)| {
        let message = format!(
            "it is number {number} in namespace \"{}\", whose account may have {limit} service accounts{}",
            scope.namespace,
            scope.whose_limits()
        );
        manifest.finding(Rule::ServiceAccountLimitExceeded, &Path::default(), message)
    };
    without_seat(named, limit).into_iter().map(refused).collect()
}

/// Limits or times that cannot hold together.
fn contradictions(scope: &Scope<'_, '_>) -> Option<Finding> {
    let account = scope.objects.account.as_ref()?;
    let of_limits = scope.objects.limits().problem(scope.now);
    let of_limits = of_limits.map(|message| (Path::of(&["spec", "limits"]), message));
    let policy = UnusedPolicy::from_spec(account.spec.unused_access_keys.as_ref());
    let of_times = || {
        let message = policy?.problem(scope.now)?;
        Some((Path::of(&["spec", "unusedAccessKeys"]), message))
    };
    let (path, message) = of_limits.or_else(of_times)?;
    Some(account.manifest.finding(Rule::InvalidLimits, &path, message))
}
