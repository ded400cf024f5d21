//! An access key's validity, its service account, and how many keys that has.

use std::collections::HashMap;

use super::{Said, Scope};
use crate::api::AccessKeySpec;
use crate::api::reason::Reason;
use crate::api::shared::DesiredState;
use crate::domain::access_key::violation;
use crate::domain::account::limits::Limits;
use crate::validate::finding::{Rule, Severity};
use crate::validate::manifest::{Kind, Manifest};
use crate::validate::path::Path;
use crate::validate::set::Found;

type FoundKey<'a> = Found<'a, AccessKeySpec>;

pub(super) fn check<'a>(scope: &Scope<'_, 'a>) -> Vec<Said<'a>> {
    let limits = scope.account.limits();
    let mut keys_of: HashMap<&str, usize> = HashMap::new();
    let mut said = Vec::new();
    for found in &scope.account.keys {
        let Found { manifest, spec } = found;
        let refusal = violation(spec, &limits, scope.now);
        let waits = refusal.is_none() && spec.state == DesiredState::Active;
        said.extend(refusal.and_then(|refusal| told(scope, found, &limits, refusal)));
        said.extend(parent(scope, found));
        let count = keys_of.entry(&spec.service_account_name).or_default();
        *count += usize::from(waits);
        if waits && *count > limits.access_keys {
            let message = format!(
                "it is number {count} of ServiceAccount \"{}\", which may have {} access keys{}",
                spec.service_account_name,
                limits.access_keys,
                scope.whose_limits()
            );
            said.push(Said::new(manifest, Rule::KeyLimitExceeded, Path::default(), message));
        }
    }
    said
}

/// Why the controller would issue no token for it.
fn told<'a>(
    scope: &Scope<'_, 'a>,
    found: &FoundKey<'a>,
    limits: &Limits,
    (reason, message): (Reason, String),
) -> Option<Said<'a>> {
    let Found { manifest, spec } = found;
    let validity = Path::of(&["spec", if spec.expires_at.is_some() { "expiresAt" } else { "validFor" }]);
    let said = match reason {
        // It is told of the account.
        Reason::InvalidLimits => return None,
        Reason::InvalidRotation => Said::new(
            manifest,
            Rule::InvalidRotation,
            Path::of(&["spec", "rotation", "renewBefore"]),
            message,
        ),
        _ if is_near(scope, spec, limits) => {
            let message =
                format!("{message}{}; a key that has its token already keeps it", scope.whose_limits());
            let said = Said::new(manifest, Rule::ExpiryTooNear, validity, message);
            // One that was asked for before may have been issued in time.
            let is_new = scope.base.is_some_and(|base| {
                base.key(&manifest.namespace, &manifest.name)
                    .is_none_or(|before| before.expires_at != spec.expires_at)
            });
            if is_new { Said { severity: Severity::Error, ..said } } else { said }
        }
        _ => {
            let message = format!("{message}{}", scope.whose_limits());
            Said::new(manifest, Rule::ExpiryOutOfRange, validity, message)
        }
    };
    // Nothing is issued for it until it is switched on.
    let is_off = spec.state == DesiredState::Inactive;
    Some(if is_off { Said { severity: Severity::Warning, ..said } } else { said })
}

/// It lies ahead, but not far enough for a new token.
fn is_near(scope: &Scope<'_, '_>, spec: &AccessKeySpec, limits: &Limits) -> bool {
    let earliest = limits.min_valid_for.after(scope.now);
    spec.expires_at.is_some_and(|at| at > scope.now && earliest.is_some_and(|earliest| at < earliest))
}

/// What is wrong with the service account that it names.
fn parent<'a>(scope: &Scope<'_, 'a>, found: &FoundKey<'a>) -> Option<Said<'a>> {
    let Found { manifest, spec } = found;
    let name = &spec.service_account_name;
    if scope.account.manifest(Kind::ServiceAccount, name).is_none() {
        return scope.unknown_service_account(manifest, name);
    }
    let service_account = scope.account.service_accounts.iter().find(|found| found.manifest.name == *name)?;
    let is_new = scope.base?.key(&manifest.namespace, &manifest.name).is_none();
    (is_new && service_account.spec.state == DesiredState::Inactive).then(|| {
        let message =
            format!("ServiceAccount \"{name}\" is inactive, so it gets no new keys; switch it on to proceed");
        Said::new(manifest, Rule::ServiceAccountInactive, Path::of(&["spec", "serviceAccountName"]), message)
    })
}

impl<'a> Scope<'_, 'a> {
    /// That the service account a manifest names is not there.
    pub(super) fn unknown_service_account(&self, manifest: &'a Manifest<'a>, name: &str) -> Option<Said<'a>> {
        let message = format!(
            "ServiceAccount \"{name}\" of namespace \"{}\" is not among the manifests; it must be in the cluster, or the \
             {} waits for it",
            self.namespace,
            if manifest.kind == Kind::AccessKey { "key" } else { "grant" }
        );
        let path = Path::of(&["spec", "serviceAccountName"]);
        self.absent(Said::new(manifest, Rule::ServiceAccountNotFound, path, message))
    }
}
