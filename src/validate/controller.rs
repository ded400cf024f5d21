//! What the controller would refuse or reject of all manifests together, and what is likely to be a mistake. Where a
//! decision of the controller can be asked, it is: `domain` knows the limits, the validity and the names.

mod accounts;
mod admins;
mod grants;
mod keys;
mod placeholders;
mod secrets;

use chrono::{DateTime, Utc};

use super::finding::{Rule, Severity};
use super::manifest::Manifest;
use super::path::Path;
use super::set::{Account, Set};
use super::{Options, References};

/// Something to say of a manifest.
#[derive(Clone, Debug)]
pub(super) struct Said<'a> {
    pub(super) manifest: &'a Manifest<'a>,
    pub(super) rule: Rule,
    pub(super) severity: Severity,
    pub(super) path: Path,
    pub(super) message: String,
}

impl<'a> Said<'a> {
    fn new(manifest: &'a Manifest<'a>, rule: Rule, path: Path, message: String) -> Self {
        Self { manifest, rule, severity: rule.severity(), path, message }
    }
}

/// What the rules for one namespace read.
struct Scope<'s, 'a> {
    namespace: &'a str,
    account: &'s Account<'a>,
    set: &'s Set<'a>,
    /// What the manifests are to replace, where that is known.
    base: Option<&'s Set<'s>>,
    options: &'s Options,
    now: DateTime<Utc>,
}

impl<'a> Scope<'_, 'a> {
    /// That something is not among the manifests, as the options have it.
    fn absent(&self, said: Said<'a>) -> Option<Said<'a>> {
        let severity = match self.options.references {
            References::Error => Severity::Error,
            References::Warning => Severity::Warning,
            References::Ignore => return None,
        };
        Some(Said { severity, ..said })
    }
}

/// What there is to say.
pub(super) fn check<'a>(
    set: &Set<'a>,
    base: Option<&Set<'_>>,
    options: &Options,
    now: DateTime<Utc>,
) -> Vec<Said<'a>> {
    let of_account = |(namespace, account): (&&'a str, &Account<'a>)| {
        let scope = Scope { namespace, account, set, base, options, now };
        let rules =
            [accounts::check, admins::check, keys::check, secrets::check, grants::check, placeholders::check];
        rules.into_iter().flat_map(|rule| rule(&scope)).collect::<Vec<_>>()
    };
    set.accounts.iter().flat_map(of_account).collect()
}

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;
