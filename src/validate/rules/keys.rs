//! An access key's validity, its service account, and how many keys that has.

use std::collections::BTreeMap;

use crd_check::path::Path;

use super::scope::Scope;
use super::seats::without_seat;
use crate::api::shared::DesiredState;
use crate::api::{AccessKeySpec, Kind, Reason};
use crate::domain::access_key::violation;
use crate::domain::account::limits::Limits;
use crate::validate::finding::Finding;
use crate::validate::manifest::Manifest;
use crate::validate::rule::{Rule, Severity};
use crate::validate::set::Object;

type KeyObject<'a> = Object<'a, AccessKeySpec>;

pub(super) fn check(scope: &Scope<'_, '_>) -> Vec<Finding> {
    let limits = scope.objects.limits();
    let mut waiting: BTreeMap<&str, Vec<&Manifest<'_>>> = BTreeMap::new();
    let mut findings = Vec::new();
    for key in &scope.objects.keys {
        let Object { manifest, spec } = key;
        match violation(spec, &limits, scope.now) {
            Some(refusal) => findings.extend(refused(scope, key, &limits, refusal)),
            None if spec.state == DesiredState::Active => {
                waiting.entry(&spec.service_account_name).or_default().push(manifest);
            }
            None => {}
        }
        findings.extend(parent(scope, key));
    }
    let beyond =
        waiting.iter().flat_map(|(name, keys)| beyond_the_limit(scope, name, keys, limits.access_keys));
    findings.extend(beyond);
    findings
}

fn beyond_the_limit<'a>(
    scope: &Scope<'_, 'a>,
    service_account: &str,
    keys: &[&'a Manifest<'a>],
    limit: usize,
) -> Vec<Finding> {
    let refused = |(number, manifest): (usize, &Manifest<'_>)| {
        let message = format!(
            "it is number {number} of ServiceAccount \"{service_account}\", which may have {limit} access keys{}",
            scope.whose_limits()
        );
        manifest.finding(Rule::KeyLimitExceeded, &Path::default(), message)
    };
    without_seat(keys, limit).into_iter().map(refused).collect()
}

/// Why the controller would issue no token for it.
fn refused(
    scope: &Scope<'_, '_>,
    key: &KeyObject<'_>,
    limits: &Limits,
    (reason, message): (Reason, String),
) -> Option<Finding> {
    let Object { manifest, spec } = key;
    let validity = Path::of(&["spec", if spec.expires_at.is_some() { "expiresAt" } else { "validFor" }]);
    let finding = match reason {
        // The account has a finding of its own for it.
        Reason::InvalidLimits => return None,
        Reason::InvalidRotation => {
            manifest.finding(Rule::InvalidRotation, &Path::of(&["spec", "rotation", "renewBefore"]), message)
        }
        _ if is_near(scope, spec, limits) => {
            let message =
                format!("{message}{}; a key that has its token already keeps it", scope.whose_limits());
            let finding = manifest.finding(Rule::ExpiryTooNear, &validity, message);
            // One that was requested before may have been issued in time.
            let is_new = scope.base.is_some_and(|base| {
                base.key(&manifest.namespace, &manifest.name)
                    .is_none_or(|before| before.expires_at != spec.expires_at)
            });
            if is_new { Finding { severity: Severity::Error, ..finding } } else { finding }
        }
        _ => {
            let message = format!("{message}{}", scope.whose_limits());
            manifest.finding(Rule::ExpiryOutOfRange, &validity, message)
        }
    };
    // Nothing is issued for it until it is switched on.
    let is_off = spec.state == DesiredState::Inactive;
    Some(if is_off { Finding { severity: Severity::Warning, ..finding } } else { finding })
}

/// It lies ahead, but not far enough for a new token.
fn is_near(scope: &Scope<'_, '_>, spec: &AccessKeySpec, limits: &Limits) -> bool {
    let earliest = limits.min_valid_for.after(scope.now);
    spec.expires_at.is_some_and(|at| at > scope.now && earliest.is_some_and(|earliest| at < earliest))
}

/// What is wrong with the service account that it names.
fn parent(scope: &Scope<'_, '_>, key: &KeyObject<'_>) -> Option<Finding> {
    let Object { manifest, spec } = key;
    let name = &spec.service_account_name;
    if scope.objects.manifest(Kind::ServiceAccount, name).is_none() {
        return scope.unknown_service_account(manifest, name);
    }
    let service_account =
        scope.objects.service_accounts.iter().find(|object| object.manifest.name == *name)?;
    let is_new = scope.base?.key(&manifest.namespace, &manifest.name).is_none();
    (is_new && service_account.spec.state == DesiredState::Inactive).then(|| {
        let message = format!(
            "ServiceAccount \"{name}\" is inactive, so the key gets its token once that is switched on"
        );
        manifest.finding(Rule::ServiceAccountInactive, &Path::of(&["spec", "serviceAccountName"]), message)
    })
}
